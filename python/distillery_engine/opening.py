"""
Opens a student: a folder of transformers or PEFT, with or without a new adapter, in the requested precision.
"""

from __future__ import annotations

import json
import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from .errors import EngineError, first_line, is_environment_fault
from .machine import device_name, dtype_of
from .packing import packs
from .random import sequence
from .sampling import check_sampling
from .student import Student

ADAPTER = "adapter_model.safetensors"
# Short names of linear layers (src/config/lora.ts), and the families' names for them; some layers combine several.
TARGETS = {
    "q": ("q_proj", "qkv_proj", "query_key_value"),
    "k": ("k_proj", "qkv_proj", "query_key_value"),
    "v": ("v_proj", "qkv_proj", "query_key_value"),
    "o": ("o_proj", "out_proj", "dense"),
    "gate": ("gate_proj", "gate_up_proj", "fc1", "dense_h_to_4h"),
    "up": ("up_proj", "gate_up_proj", "fc1", "dense_h_to_4h"),
    "down": ("down_proj", "fc2", "dense_4h_to_h"),
}


def loaded(params: dict[str, Any], device: torch.device) -> Student:
    """`params` are those of the request `open`. All random values are a function of its seed."""
    folder, adapter = params["student"], params.get("adapter")
    dtype = dtype_of(params, device)
    quantization = params.get("quantization")
    if quantization and adapter is None:
        raise EngineError(
            "config", "Quantized weights cannot be trained themselves", "Train an adapter: set student.lora."
        )
    base, stacked = base_folder(Path(folder))
    if stacked and not (Path(folder) / ADAPTER).exists():  # transformers or PEFT would read a pickle
        raise EngineError("checkpoint", f"The adapter has no {ADAPTER}", "Save it as safetensors.", folder)
    # Trained weights are always float32: in half precision small updates would be lost.
    model = load(base, device, dtype if adapter else torch.float32, quantized(quantization, dtype))
    for parameter in model.parameters():
        parameter.requires_grad_(adapter is None)
    peft = None
    if stacked or adapter:
        peft = adapted(model, Path(folder) if stacked else None, adapter, int(params.get("seed") or 0))
    if peft is not None and adapter is None:
        model, peft = peft.merge_and_unload(), None
        model.requires_grad_(True)
    model.eval()
    student = Student(model, peft, folder, base, device, dtype, outputs=modules_of(model, ("o", "down")))
    if stacked and adapter and peft is not None:
        student.warnings = differences(peft.peft_config["default"], adapter)
    student.weights = f"{quantization} base" if quantization else str(dtype).removeprefix("torch.")
    return student


def prepare(student: Student) -> None:
    """Checks the student on the device where it computes. Raises EngineError for a family that is not supported."""
    if student.device.type == "cuda" and find_spec("liger_kernel"):
        from transformers.integrations.liger import apply_liger_kernel

        apply_liger_kernel(student.model, {"cross_entropy": False, "fused_linear_cross_entropy": False})
    with student.gathered():
        with torch.no_grad(), student.precision():
            check_sampling(student, student.check())
        student.packs = packs(student)
    student.description = f"PyTorch {torch.__version__} on {device_name(student.device)}, {student.weights}"


def base_folder(folder: Path) -> tuple[str, bool]:
    """
    The folder of the weights, and whether `folder` is an adapter's. A relative path of the base starts at `folder`.
    """
    if not folder.exists():
        raise EngineError("missing", "The student is not there", "Check student.path.", str(folder))
    if folder.is_file() or (not (folder / "config.json").exists() and list(folder.glob("*.gguf"))):
        raise EngineError(
            "backend",
            "This engine does not read GGUF files",
            "Export the student first: distillery export --to hf.",
            str(folder),
        )
    if not (folder / "adapter_config.json").exists():
        return str(folder), False
    if any(folder.glob("model*.safetensors")):
        return str(folder), True
    named = json.loads((folder / "adapter_config.json").read_text()).get("base_model_name_or_path") or ""
    beside = folder / named
    return (str(beside.resolve()), True) if named and beside.exists() else (named, True)


def quantized(kind: str | None, dtype: torch.dtype) -> Any | None:
    if not kind:
        return None
    if kind not in ("4bit", "8bit"):
        raise EngineError("config", f"There is no quantization {kind}", 'Use "4bit" or "8bit".')
    if find_spec("bitsandbytes") is None:
        raise EngineError(
            "config",
            "A quantized base needs bitsandbytes, which is not installed",
            "Install bitsandbytes beside the engine.",
        )
    from transformers import BitsAndBytesConfig

    if kind == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def load(folder: str, device: torch.device, dtype: torch.dtype, quantization: Any | None = None) -> Any:
    """
    A causal LM, without network access, without running code from its folder, and without reading pickles. Raises
    EngineError if weights are missing, which transformers would replace by random ones.
    """
    # Without this answer, transformers would ask on standard input whether to run the folder's code.
    careful: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **careful)
        more = {"quantization_config": quantization, "device_map": {"": device}} if quantization else {}
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **careful, **more
        )
    except Exception as error:  # transformers raises many kinds of errors
        if is_environment_fault(error):
            raise
        raise EngineError(
            "checkpoint",
            f"transformers cannot open the student: {first_line(error)}",
            "Check config.json and the weights beside it, and that the family is one of transformers' causal LMs.",
            folder,
        ) from error
    check_names(found, config, folder)
    model = model if quantization else model.to(device)
    check_numbers(model, folder)
    return model


def check_names(found: dict[str, Any], config: Any, folder: str) -> None:
    """Refuses weights that lack tensors, or have more layers than config.json (transformers ignores them)."""
    remedy = "config.json and the weights belong to different models: copy both from the same one."
    missing = sorted(found["missing_keys"])
    if missing:
        raise EngineError("checkpoint", f"The weights lack {listed(missing)}", remedy, folder)
    layers = getattr(config.get_text_config(), "num_hidden_layers", math.inf)
    beyond = [name for name in found["unexpected_keys"] if layer_of(name) >= layers]
    if beyond:
        message = f"The weights have tensors that config.json leaves no place for: {listed(sorted(beyond))}"
        raise EngineError("checkpoint", message, remedy, folder)


def layer_of(name: str) -> int:
    number = re.search(r"\blayers\.(\d+)\.", name)
    return int(number[1]) if number else -1


def check_numbers(model: Any, folder: str) -> None:
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point() and not bool(parameter.isfinite().all()):
            raise EngineError(
                "checkpoint",
                f"Tensor {name} holds values that are not numbers (NaN or infinite)",
                "The weights are damaged, or their training diverged: copy them again, or use an earlier checkpoint.",
                folder,
            )


def listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def adapted(model: Any, folder: Path | None, settings: dict[str, Any] | None, seed: int | None) -> Any:
    """
    The model with the adapter of `folder`, or with a new one that adds nothing yet. Without a seed only the adapter's
    shapes are right.
    """
    from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model

    if folder is not None:
        config = PeftConfig.from_pretrained(str(folder))
        if settings:
            config.lora_dropout = settings["dropout"]
        if seed is None:
            config.inference_mode = False
            return get_peft_model(model, config)
        return PeftModel.from_pretrained(model, str(folder), config=config, is_trainable=True)
    assert settings is not None
    names = sorted({target_name(model, target) for target in settings["targets"]})
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        lora_dropout=settings.get("dropout", 0),
        target_modules=names,
    )
    peft = get_peft_model(model, config)
    for name, parameter in peft.named_parameters():
        if ".lora_A." in name and seed is not None:
            begin(parameter, name.replace(".default.", "."), seed)
    return peft


def differences(config: Any, settings: dict[str, Any]) -> list[str]:
    """Warns if the settings differ from the student's own adapter, whose training continues."""
    found = {"rank": config.r, "alpha": config.lora_alpha}
    other = [f"{name} {value}" for name, value in found.items() if value != settings[name]]
    if not other:
        return []
    return [f"the student has an adapter already, which is trained further: as in its files are {', '.join(other)}"]


def begin(a: nn.Parameter, name: str, seed: int) -> None:
    """Uniform within 1 / sqrt(in), like PEFT's, from the embedded engine's random numbers (src/model/lora.ts)."""
    bound = 1 / math.sqrt(a.shape[1])
    values = (bound * (2 * sequence(seed, name, a.numel()).astype(np.float64) - 1)).astype(np.float32)
    with torch.no_grad():
        a.copy_(torch.from_numpy(values).view_as(a))


def modules_of(model: Any, targets: tuple[str, ...]) -> list[nn.Module]:
    """The modules with these short names in every layer, also those that an adapter wraps."""
    names = {name for target in targets for name in TARGETS[target]}
    return [m for name, m in model.named_modules() if name.rpartition(".")[2] in names]


def target_name(model: Any, target: str) -> str:
    found = {name.rpartition(".")[2] for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    for name in TARGETS[target]:
        if name in found:
            return name
    raise EngineError(
        "config",
        f"Students of the family {model.config.model_type} have no linear layer called {json.dumps(target)}",
        f"Remove it from student.lora.targets; the layers are {', '.join(sorted(found))}.",
    )
