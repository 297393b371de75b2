"""Scoring and supervised training, like src/learning/supervised.ts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from .batches import Example, MicroBatch, check_examples, lay_out, split
from .errors import diverged
from .optimizer import Optimizer
from .packing import pack, split_packed
from .processes import Processes
from .scoring import score
from .student import Student
from .wire import Floats
from .work import Work

T = TypeVar("T")


class Trainer:
    """A student with its optimizer, and the processes that share the work."""

    def __init__(self, student: Student, processes: Processes) -> None:
        self.student = student
        self.processes = processes
        self.optimizer = Optimizer(student.trained, half=student.dtype == torch.float16)

    def each(
        self,
        examples: Sequence[Example],
        chosen: Sequence[int],
        most_tokens: int,
        work: Work,
        use: Callable[[int, MicroBatch], None],
    ) -> None:
        """
        Calls `use` with this process's micro-batches and their numbers. The processes of a sharded student make equally
        many passes, and are cancelled between the same ones.
        """
        student, world = self.student, self.processes.world
        if student.packs:
            form, batches = pack, split_packed(examples, chosen, most_tokens, world)
        else:
            form, batches = lay_out, split(examples, chosen, most_tokens, student.device.type, world)
        own = self.processes.share(batches)
        agreed = self.processes.any if student.sharded else bool
        for number, batch in own:
            work.check(agreed)
            with student.precision():
                use(number, form(examples, batch, student.device))
            work.done = min(work.total, work.done + len(batch) * world)
            work.advance(lambda: work.done)
        for _ in range(len(own), -(-len(batches) // world) if student.sharded else 0):
            work.check(agreed)
            self.idle_pass()

    def idle_pass(self) -> None:
        """A pass over one token with a zero gradient: the others need this process's part of the weights."""
        student, example = self.student, Example(np.zeros(1, np.int32), np.zeros(1, np.int32))
        with student.precision():
            scores, _ = score(student, (pack if student.packs else lay_out)([example], [0], student.device))
            if scores.requires_grad:
                (scores.sum() * 0).backward()

    def together(self, method: str, work: Callable[[], T]) -> list[T]:
        """`Processes.together` for work that calls `each`: in lockstep if the student is sharded."""
        return self.processes.together(method, work, lockstep=self.student.sharded)

    def log_probs(
        self, examples: Sequence[Example], temperature: float, most_tokens: int, work: Work
    ) -> tuple[list[Floats], list[Floats]]:
        """Log-probability and entropy (nats) of every completion's tokens, without gradients."""
        student = self.student
        check_examples(examples, student.vocabulary, student.positions)

        def own_share() -> dict[int, tuple[Floats, Floats]]:
            found: dict[int, tuple[Floats, Floats]] = {}

            def use(_number: int, batch: MicroBatch) -> None:
                scores = [by_example(batch, values) for values in score(student, batch, temperature)]
                found.update({i: (scores[0][i], scores[1][i]) for i in batch.examples})

            with torch.no_grad():
                self.each(examples, range(len(examples)), most_tokens, work, use)
            return found

        found = merged(self.together("logProbs", own_share))
        return [found[i][0] for i in range(len(examples))], [found[i][1] for i in range(len(examples))]

    def loss(self, examples: Sequence[Example], most_tokens: int, work: Work) -> float:
        """The mean token cross-entropy in nats."""
        work.begin(len(examples))
        scores, _ = self.log_probs(examples, 1.0, most_tokens, work)
        return -sum(float(s.sum(dtype=np.float64)) for s in scores) / sum(len(s) for s in scores)

    def cross_entropy(
        self, examples: Sequence[Example], settings: dict[str, Any], seed: int, work: Work, weight: float = 1.0
    ) -> float:
        """
        Runs the backward passes of this process's share of `weight` times the mean token cross-entropy. Returns its
        share of the mean (without the weight), which runs over all completion tokens of all examples.
        """
        student = self.student
        tokens = max(1, sum(len(example.completion) for example in examples))
        total = 0.0

        def use(number: int, batch: MicroBatch) -> None:
            nonlocal total
            torch.manual_seed(seed + number)
            scores, _ = score(student, batch, entropy=False)
            loss = -scores.sum() / tokens
            (loss * weight).backward()
            total += loss.item()

        with student.training(settings["dropout"], True, settings.get("checkpointing", False)):
            self.each(examples, range(len(examples)), settings["microBatchTokens"], work, use)
        return total

    def supervised_step(
        self, examples: Sequence[Example], rate: float, settings: dict[str, Any], seed: int, work: Work
    ) -> dict[str, Any]:
        check_examples(examples, self.student.vocabulary, self.student.positions)

        def accumulate(scale: float) -> float:
            work.begin(len(examples))
            parts = self.together("supervisedStep", lambda: self.cross_entropy(examples, settings, seed, work, scale))
            if not math.isfinite(sum(parts)):
                raise diverged("the loss")
            return sum(parts)

        loss, norm = self.optimizer.update(accumulate, rate, settings, self.processes)
        tokens = sum(len(example.prompt) + len(example.completion) for example in examples)
        return {"loss": loss, "gradNorm": norm, "tokens": tokens}


def by_example(batch: MicroBatch, values: torch.Tensor) -> dict[int, Floats]:
    """The concatenated values of all completions' tokens, as an array for each completion."""
    rows = np.split(values.detach().float().cpu().numpy(), np.cumsum(batch.lengths)[:-1])
    return dict(zip(batch.examples, rows, strict=True))


def merged(parts: Sequence[dict[int, Any]]) -> dict[int, Any]:
    return {key: value for part in parts for key, value in part.items()}
