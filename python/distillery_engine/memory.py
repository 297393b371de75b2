"""
Estimates the memory that work on a student takes, before it is opened: by passes on torch's meta device, which has
shapes but no values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

from .machine import dtype_of
from .opening import adapted, base_folder
from .scoring import MOST_LOGITS
from .sharding import FITS

# Three lengths separate memory that grows linearly with the tokens from memory that grows quadratically.
LENGTHS = (32, 64, 128)
# Tokens in the cache; fewer than any window of attention.
CACHED = 4
# The output layer holds logits, their log-softmax and a gradient, in float32.
LOGIT_BYTES = 3 * 4
QUANTIZED = {"4bit": 0.5, "8bit": 1.0}


def estimate(params: dict[str, Any], device: torch.device) -> dict[str, int]:
    """
    In bytes: the weights; one float32 copy of the trained ones; what the backward pass needs per token, without and
    with recomputed activations; the output layer per completion token, and its maximum; the sampler's own weights; the
    cache per token.
    """
    folder, adapter = Path(params["student"]), params.get("adapter")
    dtype = dtype_of(params, device)
    base, stacked = base_folder(folder)
    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    model.requires_grad_(adapter is None)
    numbers = model.num_parameters()
    cache = cache_bytes(model)
    if adapter is not None:
        adapted(model, folder if stacked else None, adapter, seed=None)
    trained = 4 * sum(p.numel() for p in model.parameters() if p.requires_grad)
    token, layers = saved_bytes(model), model.config.get_text_config().num_hidden_layers
    stream = model.config.get_text_config().hidden_size * dtype.itemsize
    vocabulary = model.get_input_embeddings().weight.shape[0]
    changed = sum(m.get_base_layer().weight.numel() for m in model.modules() if hasattr(m, "get_delta_weight"))
    return {
        "weights": weight_bytes(model, numbers, dtype, params) + (trained if adapter else 0),
        "trained": trained,
        # The current layer also needs its own gradients: about twice what it saves.
        "token": token + 2 * (token // layers),
        "tokenAgain": layers * stream + 3 * (token // layers),
        "target": vocabulary * LOGIT_BYTES,
        "targets": MOST_LOGITS * LOGIT_BYTES,
        "merged": changed * 4 if dtype == torch.float32 else 0,
        "cache": cache,
    }


def of_each(found: dict[str, int], world: int) -> dict[str, int]:
    """The estimate for each process of a sharded student, which holds all weights only while it samples."""
    # The copy for computing: all weights without the float32 copy of the trained ones, unless that copy is used.
    computing = (found["weights"] - found["trained"]) or found["weights"]
    return {
        **found,
        "weights": found["weights"] // world,
        "trained": found["trained"] // world,
        "merged": found["merged"] + computing,
    }


def exceeds(params: dict[str, Any], device: torch.device) -> bool:
    """Whether weights, gradients and moments leave too little memory of one GPU for anything else."""
    if device.type != "cuda":
        return False
    try:
        found = estimate(params, device)
    except Exception:  # opening the student reports its error
        return False
    return found["weights"] + 3 * found["trained"] > FITS * torch.cuda.get_device_properties(device).total_memory


def weight_bytes(model: nn.Module, numbers: int, dtype: torch.dtype, params: dict[str, Any]) -> int:
    if params.get("adapter") is None:  # float32, and in half precision a copy for computing
        return 4 * numbers + (0 if dtype == torch.float32 else dtype.itemsize * numbers)
    kind = params.get("quantization")
    matrices = sum(m.in_features * m.out_features for m in model.modules() if type(m) is nn.Linear) if kind else 0
    return int(dtype.itemsize * (numbers - matrices) + QUANTIZED.get(kind or "", 0) * matrices)


def forward(model: Any, length: int, **more: Any) -> None:
    mask = torch.ones(1, 1, length, length, dtype=torch.bool, device="meta")
    ids = torch.zeros(1, length, dtype=torch.long, device="meta")
    model.base_model(input_ids=ids, attention_mask=mask, **{"use_cache": False, **more})


def saved_bytes(model: Any) -> int:
    """Bytes that a forward pass keeps for the backward pass, per token."""

    def saved(length: int) -> int:
        held: dict[int, torch.UntypedStorage] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            held[id(storage)] = storage
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            forward(model, length)
        return sum(storage.nbytes() for storage in held.values())

    # Weights are saved, too, and on this device attention's scores, which flash attention does not keep.
    (a, b, c), (short, middle, long) = (saved(length) for length in LENGTHS), LENGTHS
    square = ((c - b) / (long - middle) - (b - a) / (middle - short)) / (long - short)
    return round((b - a) / (middle - short) - square * (middle + short))


def cache_bytes(model: Any) -> int:
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        forward(model, CACHED, past_key_values=cache, use_cache=True)
    tensors = [t for layer in cache.layers for t in (layer.keys, layer.values)]
    return sum(t.nbytes for t in tensors) // CACHED
