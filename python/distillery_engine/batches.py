"""
Micro-batches of examples of similar length. Rows are padded at the end, where causal attention ignores the padding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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


def is_uneven(length: int, longest: int, count: int, device: str) -> bool:
    """
    Whether padding to the longest wastes more than a fifth, although `count` such rows already keep the device busy.
    """
    return length < 0.8 * longest and longest * count >= BUSY.get(device, 8192)


def split(
    examples: Sequence[Example], chosen: Sequence[int], most_tokens: int, device: str, parts: int = 1
) -> list[list[int]]:
    """
    Divides the chosen examples into micro-batches of at most `most_tokens` tokens with padding (a longer example gets
    its own), and into at least `parts` of them if there are enough examples. The longest come first; a micro-batch ends
    where padding would be more than a fifth.
    """
    by_length = sorted(chosen, key=lambda i: -examples[i].read)
    if parts > 1:
        most_tokens = min(most_tokens, max(1, -(-sum(examples[i].read for i in chosen) // parts)))
    batches: list[list[int]] = []
    longest = 0
    for i in by_length:
        length = examples[i].read
        count = len(batches[-1]) if batches else 0
        if count == 0 or longest * (count + 1) > most_tokens or is_uneven(length, longest, count, device):
            batches.append([])
            longest = length
        batches[-1].append(i)
    return batches


def even_runs(lengths: Sequence[int], device: str) -> list[list[int]]:
    """Divides lengths, longest first, into runs with at most a fifth of padding, or too short to keep a device busy."""
    runs: list[list[int]] = []
    for length in lengths:
        if not runs or is_uneven(length, runs[-1][0], len(runs[-1]), device):
            runs.append([])
        runs[-1].append(length)
    return runs


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
