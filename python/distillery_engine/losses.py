"""
The table of the policy losses and KL estimators, with the definitions of TRL's GRPOTrainer and of the embedded
engine (src/losses). r = exp(logProb - old), A = advantage, x = refLogProb - logProb.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Counts:
    """
    The counts that a step divides by: its completions, its unmasked tokens, those of the completion's micro-batch, and
    its micro-batches.
    """

    sequences: int
    tokens: int
    micro_tokens: int
    micro_batches: int
    max_new_tokens: int


Options = dict[str, Any]


@dataclass(frozen=True)
class Loss:
    # The term of a token, from its ratio r, advantage A, log-probability and the settings.
    term: Callable[[Tensor, Tensor, Tensor, Options], Tensor]
    divisor: Callable[[Counts], int]
    # Mean over each completion's tokens, then sum over completions; or sum over all tokens. Either is divided by
    # `divisor`.
    aggregation: Literal["sequence", "token"]
    # One ratio for each token, or one for the completion: the geometric mean.
    importance: Literal["sequence", "token"] = "token"
    clips_low: bool = True
    clips_high: bool = True


def clip(r: Tensor, advantage: Tensor, _log_probs: Tensor, options: Options) -> Tensor:
    """-min(r A, clip(r, 1 - low, 1 + high) A): PPO, arXiv 1707.06347; GRPO, arXiv 2402.03300."""
    bounded = r.clamp(1 - options["clipLow"], 1 + options["clipHigh"])
    return -torch.minimum(r * advantage, bounded * advantage)


def cispo(r: Tensor, advantage: Tensor, log_probs: Tensor, options: Options) -> Tensor:
    """-min(r, 1 + high) A logProb with a constant weight: MiniMax-M1, arXiv 2506.13585."""
    return -r.detach().clamp(max=1 + options["clipHigh"]) * advantage * log_probs


def sapo(r: Tensor, advantage: Tensor, _log_probs: Tensor, options: Options) -> Tensor:
    """-4 A sigmoid(temp (r - 1)) / temp, temp by the sign of A: arXiv 2511.20347."""
    by_sign = options["sapoTemperature"]
    temperature = torch.where(advantage > 0, by_sign["positive"], by_sign["negative"])
    return -4 * advantage * torch.sigmoid(temperature * (r - 1)) / temperature


LOSSES: dict[str, Loss] = {
    "grpo": Loss(clip, lambda c: c.sequences, "sequence"),
    "bnpo": Loss(clip, lambda c: max(c.micro_tokens, 1) * c.micro_batches, "token"),
    "dr_grpo": Loss(clip, lambda c: c.sequences * c.max_new_tokens, "token"),
    "dapo": Loss(clip, lambda c: max(c.tokens, 1), "token"),
    "gspo": Loss(clip, lambda c: c.sequences, "sequence", importance="sequence"),
    "cispo": Loss(cispo, lambda c: max(c.tokens, 1), "token", clips_low=False),
    "sapo": Loss(sapo, lambda c: c.sequences, "sequence", clips_low=False, clips_high=False),
}


def k2(x: Tensor) -> Tensor:
    return x.square() / 2


def k3(x: Tensor) -> Tensor:
    return torch.expm1(x) - x


# Schulman (2020), "Approximating KL divergence"; `k3+` is k3 in value with the gradient of k2, the right one for
# reverse KL.
ESTIMATORS: dict[str, Callable[[Tensor], Tensor]] = {
    "k1": lambda x: -x,
    "k2": k2,
    "k3": k3,
    "k3+": lambda x: k2(x) + (k3(x) - k2(x)).detach(),
}

# Sums over a completion's unmasked tokens (for gspo's clips: over completions); the names are those of GrpoMeasures.
SUMS = ("loss", "tokens", "kl", "clippedLow", "clippedHigh", "ratio")


@dataclass(frozen=True)
class Scored:
    """
    Per token [m]: log_probs, old, ref (or None), correction (or None), row; per completion [rows]: advantage, mask (1
    counts), divisor, lengths.
    """

    log_probs: Tensor
    old: Tensor
    ref: Tensor | None
    correction: Tensor | None
    row: Tensor
    advantage: Tensor
    mask: Tensor
    divisor: Tensor
    lengths: Tensor


def policy_loss(name: str, s: Scored, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Each completion's part of the loss [rows], with a gradient for log_probs, and its SUMS [rows, 6]."""
    loss = LOSSES[name]
    mask = s.mask[s.row]
    # Masked positions may contain anything, even NaN.
    valid = lambda x: torch.where(mask > 0, x, 0)
    by_row = lambda x: torch.zeros_like(s.advantage).index_add(0, s.row, x)
    length = s.lengths.clamp(min=1)
    log_ratio = valid(s.log_probs - s.old)
    if loss.importance == "sequence":
        log_ratio = (by_row(log_ratio) / length)[s.row]
    ratio = torch.exp(log_ratio)
    advantage = s.advantage[s.row]
    value = loss.term(ratio, advantage, valid(s.log_probs), options)
    if s.correction is not None:
        value = value * s.correction
    kl = torch.zeros_like(value)
    if s.ref is not None and options["beta"] > 0:
        kl = ESTIMATORS[options["kl"]](valid(s.ref - s.log_probs))
        value = value + options["beta"] * kl
    share = (1 / length if loss.aggregation == "sequence" else torch.ones_like(s.divisor)) / s.divisor
    parts = by_row(value * mask) * share

    def clipped(there: bool, beyond: Tensor) -> Tensor:
        count = by_row(beyond.float() * mask) if there else torch.zeros_like(parts)
        return (count > 0).float() if loss.importance == "sequence" else count

    low = clipped(loss.clips_low, (ratio < 1 - options["clipLow"]) & (advantage < 0))
    high = clipped(loss.clips_high, (ratio > 1 + options["clipHigh"]) & (advantage > 0))
    sums = [parts, s.lengths * s.mask, by_row(kl * mask), low, high, by_row(ratio * mask)]
    return parts, torch.stack(sums, dim=1).detach()
