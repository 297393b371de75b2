"""
Sampling over a cache of keys and values: a prompt is computed once for its group, and rows leave when they have ended.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .batches import check_length, check_tokens
from .cache import new_cache
from .draws import Sampling, draw
from .errors import EngineError, is_environment_fault
from .processes import Processes
from .random import Counters, Stream
from .student import Student, replaced
from .training import merged
from .wire import Ints, Message, pack_rows
from .work import Work

# The cache drops ended rows when they are at least this share of its rows.
ENDED = 0.25
# Random numbers are drawn for this many tokens at a time.
AHEAD = 64
# With more weights than this, memory limits decoding on a CPU, whatever their order.
FEW = 1 << 24


@dataclass(frozen=True)
class SampleOptions:
    sampling: Sampling
    group_size: int
    max_new_tokens: int
    eos_ids: frozenset[int]
    seed: int
    stream: Counters
    max_rows: int


@dataclass
class Draft:
    """A completion so far, with its end token if it has one."""

    prompt: int
    completion: int
    budget: int
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    finished: bool = False

    @property
    def ended(self) -> bool:
        return self.finished or len(self.tokens) >= self.budget


def pack_tokens(drafts: Sequence[Draft]) -> Message:
    return pack_rows([draft.tokens for draft in drafts], "<i4")


def sample(
    student: Student, prompts: Sequence[Ints], options: SampleOptions, processes: Processes, work: Work
) -> list[Draft]:
    """
    Completions ordered by prompt and then by index in the group. Each draw is a function of (seed, stream, prompt,
    completion, position): a completion does not depend on the rest of the batch. Raises EngineError if the student's
    output is not a number.
    """
    check_prompts(student, prompts)

    def own_share() -> dict[int, list[Draft]]:
        groups = {i: group_of(i, len(prompt), student, options) for i, prompt in processes.share(prompts)}
        drafts = [draft for group in groups.values() for draft in group]
        work.begin(len(drafts))
        with no_gradient(student), merged_adapter(student), by_column(student), student.precision():
            for wave in waves(drafts, prompts, options.max_rows):
                Wave(student, prompts, options, wave).decode(work, drafts, show=processes.world == 1)
        return groups

    groups = merged(processes.together("sample", own_share))
    return [draft for i in range(len(prompts)) for draft in groups[i]]


def check_sampling(student: Student, whole: Tensor) -> None:
    """
    Refuses a family that does not compute over the cache: two prompts of different length, one token further, must have
    the logits of a pass over everything. `whole` are those of the tokens 0, 1, 2 ..., [length, vocabulary].
    """
    tokens = np.arange(len(whole), dtype=np.int32)
    prompts = [tokens[:-1], tokens[: -1 - len(whole) // 3]]
    options = SampleOptions(Sampling(0), 1, 2, frozenset(), 0, (), 2)
    try:
        wave = Wave(student, prompts, options, [Draft(i, 0, 2) for i in range(len(prompts))])
        found = [wave.prefill()]
        wave.tokens, wave.step = wave.tensor([[len(prompt)] for prompt in prompts]), 1
        found.append(wave.next())
    except Exception as error:
        if is_environment_fault(error):
            raise
        student.refuse("sampling over a cache fails", error)
    # In half precision, and of a quantized base, rounding may send a token to another expert.
    exact = student.dtype == torch.float32 and not getattr(student.model, "is_quantized", False)
    for step, logits in enumerate(found):
        expected = whole[[len(prompt) - 1 + step for prompt in prompts]]
        spread = (expected - expected.mean(-1, keepdim=True)).norm()
        if (logits - expected).norm() > (1e-2 if exact else 0.3) * spread:
            student.refuse("sampling over a cache computes other logits")


def no_gradient(student: Student) -> contextlib.AbstractContextManager[Any]:
    """Turns gradients off; FSDP does not support inference mode."""
    return torch.no_grad() if student.sharded else torch.inference_mode()


def check_prompts(student: Student, prompts: Sequence[Ints]) -> None:
    for prompt in prompts:
        if len(prompt) == 0:
            raise EngineError("config", "A prompt has no tokens")
        check_tokens(prompt, student.vocabulary)
        check_length(len(prompt) + 1, student.positions)


def group_of(index: int, length: int, student: Student, options: SampleOptions) -> list[Draft]:
    budget = min(options.max_new_tokens, student.positions - length)
    return [Draft(index, completion, budget) for completion in range(options.group_size)]


def waves(drafts: Sequence[Draft], prompts: Sequence[Ints], most: int) -> Iterator[list[Draft]]:
    """At most `most` rows at a time, with prompts of similar length together, so that there is little padding."""
    ordered = sorted(drafts, key=lambda draft: (len(prompts[draft.prompt]), draft.prompt))
    for start in range(0, len(ordered), most):
        yield ordered[start : start + most]


@contextlib.contextmanager
def merged_adapter(student: Student) -> Iterator[None]:
    """
    In its context the adapter is merged into a float32 base, which saves work at every token. Afterwards the base has
    its own values again. In half precision the sum would be rounded, so there the adapter is not merged.
    """
    layers = [m for m in student.model.modules() if hasattr(m, "get_delta_weight")] if student.peft is not None else []
    if not layers or any(layer.get_base_layer().weight.dtype != torch.float32 for layer in layers):
        yield
        return
    weights = [(layer.get_base_layer().weight, layer) for layer in layers]
    merged = ((weight, weight.data + layer.get_delta_weight("default")) for weight, layer in weights)
    with replaced(merged), student.peft.disable_adapter():  # type: ignore[union-attr]
        yield


@contextlib.contextmanager
def by_column(student: Student) -> Iterator[None]:
    """In its context a small student's matrices on a CPU are stored by column: faster for products with few rows."""
    weights = [m.weight for m in student.decoder.modules() if type(m) is nn.Linear]
    helps = student.device.type == "cpu" and student.dtype == torch.float32
    if not helps or sum(weight.numel() for weight in weights) > FEW:
        weights = []
    with replaced((weight, weight.data.t().contiguous().t()) for weight in weights):
        yield


class Wave:
    """Rows that are decoded side by side. Prompts are padded at the front, so that completions begin in one column."""

    tokens: Tensor  # the last of every row, [rows, 1]
    uniforms: Tensor  # [rows, AHEAD]

    def __init__(self, student: Student, prompts: Sequence[Ints], options: SampleOptions, drafts: list[Draft]) -> None:
        self.student, self.options, self.rows = student, options, drafts
        self.random = Stream(options.seed, options.stream)
        self.step = 0  # the number of tokens of every row that has not ended
        self.cache = new_cache(student.model.config)
        indices = sorted({draft.prompt for draft in drafts})
        self.place = {prompt: row for row, prompt in enumerate(indices)}
        self.prompts = [prompts[i] for i in indices]
        self.width = max(len(prompt) for prompt in self.prompts)
        self.even = all(len(prompt) == self.width for prompt in self.prompts)

    def tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(np.asarray(values), device=self.student.device)

    def decode(self, work: Work, everything: Sequence[Draft], show: bool) -> None:
        """Decodes until every row has ended; `everything` are the drafts of all waves, for progress reports."""
        logits = self.prefill()
        while True:
            work.check()
            self.draw(logits)
            ended = [draft.ended for draft in self.rows]
            tell = (lambda: {"drafts": pack_tokens(everything)}) if show else dict
            work.advance(lambda: sum(draft.ended for draft in everything), tell)
            if all(ended):
                return
            if sum(ended) >= max(1, ENDED * len(ended)):
                self.keep([i for i, gone in enumerate(ended) if not gone])
            logits = self.next()

    def prefill(self) -> Tensor:
        """
        One pass over every prompt; then each row gets a copy of its prompt's keys and values. Returns logits [rows,
        vocabulary].
        """
        fill = [self.width - len(prompt) for prompt in self.prompts]
        tokens = np.stack([np.pad(prompt, (n, 0)) for prompt, n in zip(self.prompts, fill, strict=True)]).astype(
            np.int64
        )
        longest = self.width + max(draft.budget for draft in self.rows)
        self.mask = self.tensor(np.arange(longest)[None] >= np.asarray(fill)[:, None])
        positions = (np.arange(self.width)[None] - np.asarray(fill)[:, None]).clip(min=0)
        self.positions = self.tensor(positions[:, -1:])
        logits = self.forward(self.tensor(tokens), self.tensor(positions))
        places = [self.place[draft.prompt] for draft in self.rows]
        self.keep(places, self.rows)
        return logits[self.tensor(places)]

    def keep(self, chosen: list[int], rows: list[Draft] | None = None) -> None:
        """Keeps only these rows of the cache, in this order."""
        self.rows = [self.rows[i] for i in chosen] if rows is None else rows
        indices = self.tensor(chosen)
        self.cache.batch_select_indices(indices)
        self.mask, self.positions = self.mask[indices], self.positions[indices]
        if rows is None:
            self.tokens, self.uniforms = self.tokens[indices], self.uniforms[indices]

    def next(self) -> Tensor:
        """The last token of every row -> logits of its next one."""
        self.positions = self.positions + 1
        return self.forward(self.tokens, self.positions)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        mask = None if self.even else self.mask[:, : self.width + self.step]
        student = self.student
        hidden = student.hidden(
            tokens, attention_mask=mask, position_ids=positions, past_key_values=self.cache, use_cache=True
        )
        return student.logits(hidden[:, -1])

    def draw_ahead(self) -> Tensor:
        """Uniform numbers of the next tokens of every row, [rows, AHEAD]."""
        places = [np.repeat([getattr(draft, of) for draft in self.rows], AHEAD) for of in ("prompt", "completion")]
        tokens = np.tile(np.arange(self.step, self.step + AHEAD), len(self.rows))
        return self.tensor(self.random.uniform(*places, tokens).reshape(-1, AHEAD))

    def draw(self, logits: Tensor) -> None:
        """Draws a token for every row; those of ended rows are dropped."""
        if self.step % AHEAD == 0:
            self.uniforms = self.draw_ahead()
        ids, log_probs = draw(logits, self.uniforms[:, self.step % AHEAD], self.options.sampling)
        self.tokens, self.step = ids[:, None], self.step + 1
        for draft, token, log_prob in zip(self.rows, ids.tolist(), log_probs.tolist(), strict=True):
            if draft.ended:
                continue
            if not math.isfinite(log_prob):
                raise EngineError(
                    "diverged",
                    "The student gives no probabilities: its output is not a number",
                    "Its weights are damaged or its training diverged: go back to an earlier checkpoint.",
                )
            draft.tokens.append(token)
            draft.log_probs.append(log_prob)
            draft.finished = token in self.options.eos_ids
