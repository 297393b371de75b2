"""Log-probabilities and entropies of completion tokens. Logits exist at completion tokens only, and in chunks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from torch.utils.checkpoint import checkpoint

from .batches import MicroBatch
from .student import Student

# Maximum number of logits in memory at once, for any vocabulary; 128 MiB in float32.
MOST_LOGITS = 1 << 25


def score(student: Student, batch: MicroBatch, temperature: float = 1.0, entropy: bool = True) -> tuple[Tensor, Tensor]:
    """
    log softmax(logits / temperature) of each target and the entropy of its distribution in nats, both float32 [m]; the
    entropy has no gradient (and is 0 where it is not requested). Beyond one chunk, logits are computed again in the
    backward pass (as in Liger-Kernel's fused losses, arXiv 2410.10989), so that memory does not grow with tokens times
    vocabulary.
    """
    return student.run(lambda: scored(student, batch, temperature, entropy))


def scored(student: Student, batch: MicroBatch, temperature: float, entropy: bool) -> tuple[Tensor, Tensor]:
    hidden = student.states(batch)
    rows = max(1, MOST_LOGITS // student.vocabulary)
    parts = list(zip(hidden.split(rows), batch.targets.split(rows), strict=True))

    def part(states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        scores = log_softmax(student.logits(states) / temperature, dim=-1)
        chosen = scores.gather(1, targets[:, None])[:, 0]
        if not entropy:
            return chosen, torch.zeros_like(chosen)
        with torch.no_grad():
            return chosen, -(scores.exp() * scores).sum(-1)

    again = len(parts) > 1 and torch.is_grad_enabled()
    results = [checkpoint(part, *one, use_reentrant=False) if again else part(*one) for one in parts]
    if len(results) == 1:
        return results[0]
    return torch.cat([a for a, _ in results]), torch.cat([b for _, b in results])
