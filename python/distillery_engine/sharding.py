"""
Students that are too large for one device: weights, gradients and moments are spread over all processes by FSDP2
(torch.distributed.fsdp.fully_shard; Zhao et al. 2023, "PyTorch FSDP", arXiv 2304.11277).

A layer's weights are gathered while it computes, so every process makes the same number of passes. For sampling,
all weights are gathered at once, in the computing precision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from .errors import EngineError

T = TypeVar("T")
KINDS = ("auto", "none", "full")
# "auto" spreads a student whose weights, gradients and moments take more than this share of a GPU.
FITS = 0.7


class Shards(nn.Module):
    """The model as FSDP's root. `work` may call any part of it; FSDP gathers weights before it and frees them after."""

    def __init__(self, model: nn.Module, dtype: torch.dtype, mesh: Any) -> None:
        super().__init__()
        if not hasattr(FSDPModule, "reset_iter_state"):
            raise EngineError(
                "config", f"torch {torch.__version__} is too old for --sharding", "Use torch 2.13 or newer."
            )
        self.model = model
        # Outside of the layers the weights stay float32, so that the residual stream does, as without sharding.
        half = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
        self.units: list[Any] = [fully_shard(layer, mesh=mesh, mp_policy=half) for layer in layers_of(model)]
        self.units.append(fully_shard(self, mesh=mesh, reshard_after_forward=True))

    def forward(self, work: Callable[[], T]) -> T:
        return work()

    def run(self, work: Callable[[], T]) -> T:
        result: T = self(work)
        if not torch.is_grad_enabled():
            self.units[-1].reset_iter_state()  # no backward pass follows
        return result

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """In its context this process has all weights, and computes without waiting for others."""
        with torch.no_grad():
            self.run(lambda: None)
        try:
            for unit in self.units:
                unit.set_reshard_after_forward(False, recurse=False)
                unit.unshard()
            yield
        finally:
            for unit in self.units:
                unit.set_reshard_after_forward(True, recurse=False)
            self.units[-1].reset_iter_state()


def layers_of(model: Any) -> list[nn.Module]:
    count = model.config.get_text_config().num_hidden_layers
    lists = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == count]
    if not lists:
        raise EngineError("config", "This student's layers cannot be sharded", 'Use --sharding "none".')
    return list(lists[0])


def local_part(tensor: Tensor) -> Tensor:
    """This process's part of a tensor; the same memory, not a copy."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def sharded_like(parameter: Tensor, whole: Tensor) -> Tensor:
    """A whole tensor, which every process has, as float32 on the device and in the shards of a parameter."""
    whole = whole.to(parameter.device, torch.float32).view(parameter.shape)
    if not isinstance(parameter, DTensor):
        return whole
    return distribute_tensor(whole, parameter.device_mesh, parameter.placements, src_data_rank=None)


def local_part_of(parameter: Tensor, whole: Tensor) -> Tensor:
    """The values in `whole` of this process's part of a parameter: float32, in main memory."""
    return local_part(sharded_like(parameter, whole)).cpu() if isinstance(parameter, DTensor) else whole.float()


def collect(tensors: Mapping[str, Tensor], keep: bool) -> dict[str, Tensor]:
    """The whole tensors in main memory, if `keep`. All processes must call it; tied parameters stay one tensor."""
    found: dict[str, Tensor] = {}
    seen: dict[int, Tensor] = {}
    for name, tensor in tensors.items():
        if id(tensor) not in seen:
            whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
            seen[id(tensor)] = whole.detach().cpu() if keep else torch.empty(0)
        found[name] = seen[id(tensor)]
    return found if keep else {}
