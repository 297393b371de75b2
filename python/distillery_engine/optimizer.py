"""
AdamW with the embedded engine's rules (src/learning/optimizer.ts): weight decay on matrices, not on norms and biases;
clipping by the global norm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from .errors import diverged
from .processes import Processes
from .sharding import sharded_like

T = TypeVar("T")
# float16 represents few small numbers, so gradients are scaled up (loss scaling), and less if they overflow.
HALF_SCALES = (2.0**15, 2.0**11, 2.0**7, 1.0)


class Optimizer:
    """Moments of the trained parameters, in float32, and the number of steps so far."""

    def __init__(self, trained: Mapping[str, nn.Parameter], half: bool) -> None:
        self.trained = trained
        self.scales = HALF_SCALES if half else (1.0,)
        self.restart()

    def restart(self) -> None:
        matrices = [p for p in self.trained.values() if p.ndim > 1]
        others = [p for p in self.trained.values() if p.ndim <= 1]
        groups = [{"params": matrices, "decays": True}, {"params": others, "decays": False}]
        self.adam = torch.optim.AdamW([group for group in groups if group["params"]], fused=True)

    def moments(self) -> dict[str, Tensor]:
        """`<name>.first` and `<name>.second`; zeros before the first step."""
        found: dict[str, Tensor] = {}
        for name, parameter in self.trained.items():
            state = self.adam.state.get(parameter) or {}
            for ours, theirs in (("first", "exp_avg"), ("second", "exp_avg_sq")):
                found[f"{name}.{ours}"] = state.get(theirs, torch.zeros_like(parameter)).detach()
        return found

    def set_moments(self, read: Callable[[str], Tensor], step: int) -> None:
        self.restart()
        for name, parameter in self.trained.items():
            of = lambda moment, p=parameter, n=name: sharded_like(p, read(f"{n}.{moment}")).clone()
            self.adam.state[parameter] = {
                "step": torch.tensor(float(step), device=parameter.device),
                "exp_avg": of("first"),
                "exp_avg_sq": of("second"),
            }

    def update(
        self, accumulate: Callable[[float], T], rate: float, settings: dict[str, Any], processes: Processes
    ) -> tuple[T, float]:
        """
        One step. `accumulate(scale)` runs the backward passes of this process's share of the loss times `scale`;
        gradients are summed over the processes. Returns its result and the global norm before clipping. If it raises,
        weights and moments are unchanged.
        """
        try:
            for scale in self.scales:
                self.adam.zero_grad(set_to_none=True)
                result = accumulate(scale)
                norm = self.gradient_norm(scale, processes)
                if torch.isfinite(norm):
                    break
            else:
                raise diverged("the gradient norm")
            largest = settings["maxGradNorm"]
            if largest > 0:
                torch.nn.utils.clip_grads_with_norm_(self.trained.values(), largest, norm)
            adam = settings["adam"]
            for group in self.adam.param_groups:
                group["lr"] = rate
                group["betas"] = (adam["beta1"], adam["beta2"])
                group["eps"] = adam["epsilon"]
                group["weight_decay"] = settings["weightDecay"] if group["decays"] else 0.0
            self.adam.step()
            return result, float(norm)
        finally:
            self.adam.zero_grad(set_to_none=True)

    def gradient_norm(self, scale: float, processes: Processes) -> Tensor:
        for parameter in self.trained.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in self.trained.values() if p.grad is not None]
        if isinstance(gradients[0], DTensor):
            scale /= processes.world  # FSDP gives the mean over the processes
        else:
            processes.add_up(gradients)
        if scale != 1:
            for gradient in gradients:
                gradient.mul_(1 / scale)
        return torch.nn.utils.get_total_norm(gradients)
