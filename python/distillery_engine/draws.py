"""Drawing a token from logits: the rules of src/kernels/interface.ts (sampleToken)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """temperature 0: the likeliest token; topK 0, topP 1, minP 0: all tokens."""

    temperature: float
    topK: int = 0
    topP: float = 1.0
    minP: float = 0.0


def draw(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """
    logits [rows, vocabulary], uniforms [rows] in [0, 1) -> ids and log-probs [rows]. By inverse transform: the first
    id, in the order of ids, whose cumulative probability among the kept ones exceeds the uniform number. Filters apply
    in the order top-k, top-p, min-p; ties keep the lower id. Log-probs are those of the tempered distribution before
    filtering (at temperature 0: at temperature 1).
    """
    greedy = sampling.temperature <= 0
    scores = torch.log_softmax(logits if greedy or sampling.temperature == 1 else logits / sampling.temperature, dim=-1)
    if greedy:
        ids = scores.argmax(-1)
    else:
        p = scores.exp()
        cumulative = (p if keeps_all(sampling) else p * kept(p, sampling)).cumsum(-1, dtype=torch.float64)
        # A uniform number has 24 bits, so its product with the total is below the total: some id exceeds it, except
        # for NaN, which the log-prob reveals.
        above = torch.searchsorted(cumulative, uniforms.double()[:, None] * cumulative[:, -1:], right=True)
        ids = above[:, 0].clamp(max=logits.shape[-1] - 1)
    return ids, scores.gather(1, ids[:, None])[:, 0]


def keeps_all(sampling: Sampling) -> bool:
    return sampling.topK <= 0 and sampling.topP >= 1 and sampling.minP <= 0


def kept(p: Tensor, sampling: Sampling) -> Tensor:
    """1 for the tokens that the filters keep: the first of those sorted by probability."""
    values, ids = p.sort(dim=-1, descending=True, stable=True)
    if sampling.topK > 0:
        values, ids = values[:, : sampling.topK], ids[:, : sampling.topK]
    values = values / values.sum(-1, keepdim=True)
    # A token stays while the mass of those before it is less than topP. The first one always does.
    before = values.cumsum(-1) - values
    enough = before < max(sampling.topP, 1e-30) if sampling.topP < 1 else torch.ones_like(values, dtype=torch.bool)
    enough[:, 0] = True
    keep = enough & (values >= values[:, :1] * sampling.minP)
    return torch.zeros_like(p).scatter_(1, ids, keep.to(p.dtype))
