"""A student in memory: the model, its trained parameters, and how its hidden states and logits are computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop

from .batches import MicroBatch
from .errors import EngineError, first_line, is_environment_fault
from .sharding import Shards

T = TypeVar("T")


@contextlib.contextmanager
def replaced(values: Iterable[tuple[Tensor, Tensor]]) -> Iterator[None]:
    """In its context these parameters have other values; afterwards their own memory again."""
    own: list[tuple[Tensor, Tensor]] = []
    try:
        for parameter, value in values:
            own.append((parameter, parameter.data))
            parameter.data = value
        yield
    finally:
        for parameter, value in reversed(own):  # a tied parameter may be there twice
            parameter.data = value


@dataclass(eq=False)
class Student:
    """`model` is a causal LM of transformers; of an adapter's, `peft` is the PeftModel around it."""

    model: Any
    peft: Any | None
    folder: str
    base: str  # the folder of the weights: `folder` itself, or the base of an adapter's folder
    device: torch.device
    dtype: torch.dtype
    description: str = ""
    weights: str = ""  # their precision, in words
    trained: dict[str, nn.Parameter] = field(default_factory=dict)
    # Modules that write to the residual stream: where residual dropout applies.
    outputs: list[nn.Module] = field(default_factory=list)
    checkpoints: bool = False
    packs: bool = False
    shards: Shards | None = None  # if it is spread over several processes
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.find_trained()
        self.head = self.model.get_output_embeddings()
        self.decoder = self.model.base_model
        config = self.model.config.get_text_config()
        self.vocabulary = int(self.model.get_input_embeddings().weight.shape[0])
        self.positions = int(getattr(config, "max_position_embeddings", 0) or 1 << 20)
        self.softcap: float | None = getattr(config, "final_logit_softcapping", None)
        # Cohere multiplies its logits, Granite divides them.
        self.logit_scale = float(getattr(config, "logit_scale", None) or 1) / float(
            getattr(config, "logits_scaling", None) or 1
        )

    def find_trained(self) -> None:
        # PEFT puts the adapter's name into the names of its parameters; files omit it.
        named = (self.peft or self.model).named_parameters()
        self.trained = {name.replace(".default.", "."): p for name, p in named if p.requires_grad}

    @property
    def sharded(self) -> bool:
        return self.shards is not None

    def shard(self, device: torch.device, mesh: Any) -> None:
        """Moves this process's part of the student from main memory to the device, and drops the rest."""
        self.shards, self.device = Shards(self.model, self.dtype, mesh), device
        self.find_trained()

    def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, which may call any part of the model."""
        return work() if self.shards is None else self.shards.run(work)

    def gathered(self) -> contextlib.AbstractContextManager[None]:
        """In its context the model may be called without `run`, and independently of the other processes."""
        return contextlib.nullcontext() if self.shards is None else self.shards.gathered()

    @property
    def facts(self) -> dict[str, int]:
        count = self.model.num_parameters()
        trainable = sum(p.numel() for p in self.trained.values())
        added = trainable if self.peft is not None else 0
        return {
            "vocabSize": self.vocabulary,
            "maxPositions": self.positions,
            "parameters": count - added,
            "trainable": trainable,
        }

    def precision(self) -> contextlib.AbstractContextManager[Any]:
        """
        Half precision computes from float32 weights (or a half base with a float32 adapter), as `bf16=True` does in the
        Trainer.
        """
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def hidden(self, tokens: Tensor, **more: Any) -> Tensor:
        """[rows, length] -> hidden states after the final norm, [rows, length, d]."""
        return self.decoder(input_ids=tokens, **{"use_cache": False, **more}).last_hidden_state

    def states(self, batch: MicroBatch) -> Tensor:
        """The hidden states that predict a micro-batch's targets, [m, d]."""
        return self.hidden(batch.tokens, **batch.more).flatten(0, 1)[batch.places]

    def logits(self, hidden: Tensor) -> Tensor:
        """[n, d] -> float32 logits [n, vocabulary]."""
        logits = self.head(hidden).float() * self.logit_scale
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    @contextlib.contextmanager
    def training(self, dropout: float, adapter_dropout: bool, checkpointing: bool) -> Iterator[None]:
        """
        In its context activations are dropped and recomputed according to the arguments. Nothing else is in training
        mode: a config's attention dropout is not used. Masks come from torch's generator, which is seeded for each
        micro-batch.
        """
        inner = [m for name, m in self.model.named_modules() if ".lora_dropout." in name] if adapter_dropout else []
        layers = [m for m in self.model.modules() if hasattr(m, "gradient_checkpointing")] if checkpointing else []
        hooks = [m.register_forward_hook(lambda _m, _i, out: drop(out, dropout)) for m in self.outputs if dropout > 0]
        if layers and not self.checkpoints:
            self.enable_checkpointing()
        for module in [*inner, *layers]:
            module.training = True
        try:
            yield
        finally:
            for module in [*inner, *layers]:
                module.training = False
            for hook in hooks:
                hook.remove()

    def enable_checkpointing(self) -> None:
        """Once; layers then recompute while they are in training mode."""
        newer = getattr(self.model, "activation_checkpointing_enable", None)
        (newer or self.model.gradient_checkpointing_enable)({"use_reentrant": False})
        self.model.disable_input_require_grads()  # needed by reentrant checkpointing only
        self.checkpoints = True

    def check(self) -> Tensor:
        """
        Refuses a family whose logits need more than the output layer, as `logits` computes nothing else. Returns the
        logits of the tokens 0, 1, 2 ..., [length, vocabulary].
        """
        ids = torch.arange(min(7, self.vocabulary), device=self.device)[None]
        try:
            whole = self.model(input_ids=ids, use_cache=False).logits[0].float()
            ours = self.logits(self.hidden(ids)[0])
        except Exception as error:
            if is_environment_fault(error):
                raise
            self.refuse("computing logits fails", error)
        tolerance = 1e-3 if self.dtype == torch.float32 else 5e-2
        if not torch.allclose(whole, ours, rtol=tolerance, atol=tolerance * float(whole.abs().max() + 1e-6)):
            self.refuse("their logits are more than an output layer")
        return whole

    def refuse(self, why: str, cause: Exception | None = None) -> NoReturn:
        family = getattr(self.model.config, "model_type", "?")
        detail = "" if cause is None else f" ({type(cause).__name__}: {first_line(cause)})"
        message = f"Students of the family {family} are not supported: {why}{detail}"
        raise EngineError("backend", message, "Choose another student.", self.folder) from cause
