"""
A GRPO update from scored samples, like src/learning/grpo.ts, grpo-pass.ts and grpo-measures.ts, with the formulas of
losses.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .batches import Example, MicroBatch, check_examples
from .errors import EngineError, diverged
from .losses import LOSSES, SUMS, Counts, Scored, policy_loss
from .scoring import score
from .training import Trainer, by_example, merged
from .wire import Floats
from .work import Work


@dataclass(frozen=True, eq=False)
class Episode(Example):
    """
    A sampled completion: log-probs at sampling, advantage, whether the loss excludes it, the sampler's correction
    (or None).
    """

    log_probs: Floats
    advantage: float
    masked: bool
    correction: Floats | None = None

    @property
    def counted(self) -> int:
        return 0 if self.masked else len(self.completion)


@dataclass(frozen=True)
class Update:
    episodes: Sequence[Episode]
    replay: Sequence[Example]
    # Log-probs under the reference policy; None without a KL term.
    ref: Sequence[Floats] | None
    rate: float
    seed: int
    options: dict[str, Any]
    # The episodes count as sampled by the current policy: every ratio is 1.
    on_policy: bool = False


@dataclass
class Step:
    """
    Measurements of an optimizer step: SUMS and entropies of each episode, replay's cross-entropy, the gradient norm.
    """

    found: dict[int, tuple[Floats, Floats]]
    replay: float | None
    norm: float | None = None

    @property
    def loss(self) -> float:
        return sum(float(sums[0]) for sums, _ in self.found.values())


def grpo_step(trainer: Trainer, update: Update, work: Work) -> dict[str, Any]:
    """
    iterations x minibatches optimizer steps. One without any gradient does not change weights and optimizer. A request
    can be cancelled only while the weights are unchanged. Returns measures, and the entropies of each episode's first
    pass.
    """
    options, episodes = update.options, update.episodes
    if options["loss"] not in LOSSES:
        raise EngineError("config", f"There is no loss {options['loss']}", f"Use one of {', '.join(LOSSES)}.")
    check_examples([*episodes, *update.replay], trainer.student.vocabulary, trainer.student.positions)
    update = with_own_log_probs(trainer, update, work)
    episodes, parts = update.episodes, options["minibatches"]
    steps: list[Step] = []
    replayed = len(update.replay) if options["replayWeight"] > 0 else 0
    total = options["iterations"] * (len(episodes) + parts * replayed)
    try:
        for number in range(options["iterations"] * parts):
            chosen = [i for i in range(len(episodes)) if i % parts == number % parts]
            work.begin(total)
            work.done = sum(len(step.found) + replayed for step in steps)
            steps.append(optimizer_step(trainer, update, chosen, (number, steps), work))
            work.shielded = work.shielded or steps[-1].norm is not None
    finally:
        work.shielded = False
    first: dict[int, Floats] = {}
    for step in steps:
        for i, (_, entropy) in step.found.items():
            first.setdefault(i, entropy)
    return {"measures": measures_of(steps, update), "entropy": [first[i] for i in range(len(episodes))]}


def with_own_log_probs(trainer: Trainer, update: Update, work: Work) -> Update:
    """
    In half precision a token's log-prob at sampling, over the cache, differs slightly from that of a training pass, but
    ratios should reflect only the change of the policy. A single step needs no extra pass: its own log-probs are on
    both sides of the ratio.
    """
    options = update.options
    if trainer.student.dtype == torch.float32:
        return update
    if options["iterations"] * options["minibatches"] == 1:
        return replace(update, on_policy=True)
    work.begin(len(update.episodes))
    own, _ = trainer.log_probs(update.episodes, options["temperature"], options["microBatchTokens"], work)
    episodes = [replace(episode, log_probs=values) for episode, values in zip(update.episodes, own, strict=True)]
    return replace(update, episodes=episodes)


def optimizer_step(trainer: Trainer, update: Update, chosen: list[int], at: tuple[int, list[Step]], work: Work) -> Step:
    options, episodes = update.options, update.episodes
    number, before = at
    learns = [i for i in chosen if has_gradient(episodes[i], options)]
    measured = [i for i in chosen if not has_gradient(episodes[i], options)]
    replays = len(update.replay) > 0 and options["replayWeight"] > 0
    divisor = divisors(episodes, chosen, options)

    def own_share(scale: float) -> tuple[dict[int, tuple[Floats, Floats]], float]:
        found: dict[int, tuple[Floats, Floats]] = {}

        def use(micro: int, batch: MicroBatch) -> None:
            torch.manual_seed(update.seed + number + micro)
            parts, sums, entropy = passed(trainer, update, batch, divisor)
            if parts.requires_grad:
                (parts.sum() * options["policyWeight"] * scale).backward()
            sums[:, 0] *= options["policyWeight"]
            rows = sums.double().cpu().numpy()
            entropies = by_example(batch, entropy)
            found.update({i: (rows[r], entropies[i]) for r, i in enumerate(batch.examples)})

        most = options["microBatchTokens"]
        with trainer.student.training(options["dropout"], False, options.get("checkpointing", False)):
            trainer.each(episodes, learns, most, work, use)
            with torch.no_grad():
                trainer.each(episodes, measured, most, work, use)
        if not replays:
            return found, 0.0
        seed = update.seed + 7919 * (number + 1)
        return found, trainer.cross_entropy(update.replay, options, seed, work, options["replayWeight"] * scale)

    def accumulate(scale: float) -> Step:
        results = trainer.together("grpoStep", lambda: own_share(scale))
        step = Step(merged([found for found, _ in results]), sum(loss for _, loss in results) if replays else None)
        if (learns or replays) and not math.isfinite(loss_of([*before, step])):
            raise diverged("the loss")
        return step

    if not learns and not replays:
        return accumulate(1.0)
    step, norm = trainer.optimizer.update(accumulate, update.rate, options, trainer.processes)
    step.norm = norm
    return step


def has_gradient(episode: Episode, options: dict[str, Any]) -> bool:
    """Whether it has a gradient: groups with equal rewards only with a KL term, masked completions never."""
    moved = options["beta"] > 0 or episode.advantage != 0
    return options["policyWeight"] > 0 and not episode.masked and moved


def divisors(episodes: Sequence[Episode], chosen: list[int], options: dict[str, Any]) -> dict[int, int]:
    """
    The divisor of each completion's part of the loss, so that the parts add up to the loss of the whole step. Only bnpo
    depends on which completions share a micro-batch: consecutive ones with at most microBatchTokens tokens.
    """
    runs: list[list[int]] = []
    room = 0
    for i in chosen:
        size = len(episodes[i].prompt) + len(episodes[i].completion)
        if not runs or (size > room and options["loss"] == "bnpo"):
            runs.append([])
            room = options["microBatchTokens"]
        runs[-1].append(i)
        room -= size
    tokens = [sum(episodes[i].counted for i in run) for run in runs]
    loss, most = LOSSES[options["loss"]], options["maxNewTokens"]
    return {
        i: loss.divisor(Counts(len(chosen), sum(tokens), count, len(runs), most))
        for run, count in zip(runs, tokens, strict=True)
        for i in run
    }


def passed(
    trainer: Trainer, update: Update, batch: MicroBatch, divisor: dict[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """
    A micro-batch through the student: each completion's part of the loss, its sums, and the entropies of its tokens.
    """
    options, episodes = update.options, [update.episodes[i] for i in batch.examples]
    log_probs, entropy = score(trainer.student, batch, options["temperature"])
    to = lambda values: torch.tensor(np.asarray(values, dtype=np.float32), device=log_probs.device)
    flat = lambda rows: to(np.concatenate(rows))
    corrected = any(episode.correction is not None for episode in episodes)
    whole = [np.ones(len(e.completion)) if e.correction is None else e.correction for e in episodes]
    scored = Scored(
        log_probs=log_probs,
        old=log_probs.detach() if update.on_policy else flat([episode.log_probs for episode in episodes]),
        ref=flat([update.ref[i] for i in batch.examples]) if update.ref is not None else None,
        correction=flat(whole) if corrected else None,
        row=batch.row,
        advantage=to([episode.advantage for episode in episodes]),
        mask=to([not episode.masked for episode in episodes]),
        divisor=to([divisor[i] for i in batch.examples]),
        lengths=to(batch.lengths),
    )
    parts, sums = policy_loss(options["loss"], scored, options)
    return parts, sums, entropy


def loss_of(steps: Sequence[Step]) -> float:
    return sum(step.loss + (step.replay or 0.0) for step in steps)


def measures_of(steps: Sequence[Step], update: Update) -> dict[str, float]:
    """
    Means over unmasked completion tokens and over optimizer steps, as TRL logs them. Values not computed are absent.
    """
    options, episodes, count = update.options, update.episodes, len(steps)
    found = [(i, sums, entropy) for step in steps for i, (sums, entropy) in step.found.items()]
    totals = {name: sum(float(sums[k]) for _, sums, _ in found) for k, name in enumerate(SUMS)}
    replays = [step.replay for step in steps if step.replay is not None]
    read = sum(episodes[i].read for i, _, _ in found)
    replayed = len(replays) * sum(len(one.prompt) + len(one.completion) for one in update.replay)
    measures = {
        "loss": totals["loss"] / count,
        "gradNorm": sum(step.norm or 0.0 for step in steps) / count,
        "tokens": read + replayed,
    }
    if replays:
        measures["replayLoss"] = sum(replays) / count
    tokens, loss = totals["tokens"], LOSSES[options["loss"]]
    if tokens == 0:
        return measures
    measures["entropy"] = sum(float(e.sum(dtype=np.float64)) for i, _, e in found if not episodes[i].masked) / tokens
    measures["ratio"] = totals["ratio"] / tokens
    if options["beta"] > 0:
        measures["kl"] = totals["kl"] / tokens
    clippable = len(found) if loss.importance == "sequence" else tokens
    if loss.clips_low:
        measures["clipLow"] = totals["clippedLow"] / clippable
    if loss.clips_high:
        measures["clipHigh"] = totals["clippedHigh"] / clippable
    return measures
