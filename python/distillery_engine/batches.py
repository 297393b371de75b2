"""
Micro-batches of examples of similar length. Rows are padded at the end, where causal attention ignores the padding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import EngineError
from .wire import Ints, unpack_rows


@dataclass(frozen=True, eq=False)
class Example:
    """A prompt of at least one token, and its completion, with the end token if it has one."""

    prompt: Ints
    completion: Ints

    @property
    def read(self) -> int:
        """Number of tokens that the model reads: all but the last."""
        return len(self.prompt) + max(len(self.completion), 1) - 1


@dataclass(frozen=True)
class MicroBatch:
    """
    tokens [rows, longest]; places [m] (in the flattened tokens) predict targets [m]; row [m] is the example of each;
    `more` has further inputs of the model.
    """

    examples: list[int]
    tokens: Tensor
    places: Tensor
    targets: Tensor
    row: Tensor
    lengths: list[int]
    more: dict[str, Any] = field(default_factory=dict)


def unpack_examples(packed: dict[str, Any]) -> list[Example]:
    prompts, completions = unpack_rows(packed["prompts"], "<i4"), unpack_rows(packed["completions"], "<i4")
    if len(prompts) != len(completions):
        raise EngineError("config", f"{len(prompts)} prompts came with {len(completions)} completions")
    return [Example(prompt, completion) for prompt, completion in zip(prompts, completions, strict=True)]


def check_examples(examples: Sequence[Example], vocabulary: int, positions: int) -> None:
    for example in examples:
        if len(example.prompt) == 0:
            raise EngineError("config", "An example needs a prompt of at least one token")
        check_tokens(example.prompt, vocabulary)
        check_tokens(example.completion, vocabulary)
        check_length(example.read, positions)


def check_tokens(tokens: Ints, vocabulary: int) -> None:
    if len(tokens) and not (tokens.min() >= 0 and tokens.max() < vocabulary):
        raise EngineError(
            "config",
            f"A token id is outside of the student's vocabulary of {vocabulary}",
            "Use the student's own tokenizer.",
        )


def check_length(length: int, positions: int) -> None:
    if length > positions:
        raise EngineError(
            "config",
            f"A sequence of {length} tokens is longer than the student's {positions} positions",
            "Shorten the chains or the budget of new tokens, or choose a student with more positions.",
        )


# A pass of this many tokens keeps a device busy; smaller ones are not split.
BUSY = {"cpu": 512}


def even_runs(lengths: Sequence[int], device: str, most_tokens: float = math.inf) -> list[list[int]]:
    """
    Divides lengths, longest first, into runs of at most `most_tokens` with padding (a longer one gets its own). A run
    also ends where padding would waste more than a fifth, unless it is too short to keep the device busy.
    """
    runs: list[list[int]] = []
    longest = 0
    for length in lengths:
        count = len(runs[-1]) if runs else 0
        uneven = length < 0.8 * longest and longest * count >= BUSY.get(device, 8192)
        if count == 0 or uneven or longest * (count + 1) > most_tokens:
            runs.append([])
            longest = length
        runs[-1].append(length)
    return runs


def split(
    examples: Sequence[Example], chosen: Sequence[int], most_tokens: int, device: str, parts: int = 1
) -> list[list[int]]:
    """
    Divides the chosen examples into micro-batches, the longest first, by the rule of `even_runs`, and into at least
    `parts` of them if there are enough examples.
    """
    by_length = iter(sorted(chosen, key=lambda i: -examples[i].read))
    lengths = sorted((examples[i].read for i in chosen), reverse=True)
    if parts > 1:
        most_tokens = share_of(sum(lengths), parts, most_tokens)
    return [list(islice(by_length, len(run))) for run in even_runs(lengths, device, most_tokens)]


def share_of(tokens: int, parts: int, most: int) -> int:
    """The tokens of each of `parts` equal micro-batches, at most `most`."""
    return min(most, max(1, -(-tokens // parts)))


def tensors_on(device: torch.device) -> Callable[[Any], Tensor]:
    return lambda array: torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64)).to(device)


def lay_out(examples: Sequence[Example], chosen: list[int], device: torch.device) -> MicroBatch:
    longest = max(examples[i].read for i in chosen)
    tokens = np.zeros((len(chosen), longest), dtype=np.int64)
    places, row = [], []
    for r, i in enumerate(chosen):
        example = examples[i]
        read = np.concatenate([example.prompt, example.completion])[: example.read]
        tokens[r, : len(read)] = read
        first = r * longest + len(example.prompt) - 1
        places.append(np.arange(first, first + len(example.completion)))
        row.append(np.full(len(example.completion), r))
    lengths = [len(examples[i].completion) for i in chosen]
    targets = np.concatenate([examples[i].completion for i in chosen])
    to = tensors_on(device)
    return MicroBatch(chosen, to(tokens), to(np.concatenate(places)), to(targets), to(np.concatenate(row)), lengths)
