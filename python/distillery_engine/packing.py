"""
A micro-batch in one row without padding: the layers compute every token once, and a prompt once for all of its
completions; only attention arranges the sequences as rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface

from .batches import Example, MicroBatch, even_runs, lay_out, share_of, tensors_on
from .errors import is_out_of_memory
from .student import Student

# The name under which this file's attention is registered; without packing it calls transformers' plain one.
NAME = "distillery_packed"
PLAIN = "sdpa"


@dataclass(frozen=True, eq=False)
class Layout:
    """
    Attention's rows, in blocks of (rows, longest) that are padded at their ends, one after the other: `index` [n] is
    the packed token at each place, `home` [t] the first place of each packed token, `copies` the places of shared
    prompts beyond the first, `first` [n, 1] is 1 at homes and 0 elsewhere.
    """

    blocks: list[tuple[int, int]]
    index: Tensor
    home: Tensor
    copies: Tensor
    first: Tensor
    windows: set[int | None] = field(default_factory=set)


class Unpack(torch.autograd.Function):
    """[t, ...] -> [n, ...] by a layout; the gradient is exact, as no token looks at padding."""

    @staticmethod
    def forward(ctx: Any, packed: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return packed.index_select(0, layout.index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        layout, rows = ctx.layout, gradients[0]
        total = rows.index_select(0, layout.home)
        total.index_add_(0, layout.index[layout.copies], rows.index_select(0, layout.copies))
        return total, None


class Pack(torch.autograd.Function):
    """[n, ...] -> [t, ...]: the value at each token's home."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return rows.index_select(0, layout.home)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.layout.index) * ctx.layout.first, None


def attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **more: Any
) -> tuple[Tensor, Any]:
    """An attention function of transformers: query, key and value are [1, heads, t, d] of a packed row."""
    plain = AttentionInterface()[PLAIN]
    layout: Layout | None = more.pop("layout", None)
    if layout is None:
        return plain(module, query, key, value, attention_mask, **more)
    window = more.get("sliding_window")
    layout.windows.add(window)
    states = [Unpack.apply(one[0].transpose(0, 1).flatten(1), layout) for one in (query, key, value)]
    heads = [one.shape[1] for one in (query, key, value)]
    parts = []
    for places, (rows, longest) in zip(spans(layout.blocks), layout.blocks, strict=True):
        block = [
            one[places].view(rows, longest, count, -1).transpose(1, 2) for one, count in zip(states, heads, strict=True)
        ]
        mask = None if window is None or longest <= window else near(longest, window, query.device)
        parts.append(plain(module, *block, mask, **more)[0].flatten(0, 1).flatten(1))
    return Pack.apply(torch.cat(parts), layout)[None], None


def spans(blocks: Sequence[tuple[int, int]]) -> Iterator[slice]:
    start = 0
    for rows, longest in blocks:
        yield slice(start, start + rows * longest)
        start += rows * longest


def near(length: int, window: int, device: torch.device) -> Tensor:
    """Causal attention to the last `window` tokens, [1, 1, length, length]."""
    whole = torch.ones(length, length, dtype=torch.bool, device=device)
    return (whole.tril() & whole.triu(1 - window))[None, None]


def pack(examples: Sequence[Example], chosen: list[int], device: torch.device) -> MicroBatch:
    """Packs the chosen examples into one row, with equal prompts only once."""
    chosen = sorted(chosen, key=lambda i: -examples[i].read)
    starts: dict[bytes, int] = {}
    tokens, positions, places, rows = [], [], [], []
    length = 0

    def put(values: Any, first: int) -> int:
        nonlocal length
        tokens.append(values)
        positions.append(np.arange(first, first + len(values)))
        length += len(values)
        return length - len(values)

    for i in chosen:
        prompt, completion = examples[i].prompt, examples[i].completion
        if (known := prompt.tobytes()) not in starts:
            starts[known] = put(prompt, 0)
        start, begin = starts[known], put(completion[:-1], len(prompt))
        rest = np.arange(begin, length)
        rows.append(np.concatenate([np.arange(start, start + len(prompt)), rest]))
        places.append(np.concatenate([[start + len(prompt) - 1], rest])[: len(completion)])
    lengths = [len(examples[i].completion) for i in chosen]
    targets = np.concatenate([examples[i].completion for i in chosen])
    row = np.repeat(np.arange(len(chosen)), lengths)
    to = tensors_on(device)
    more = {
        "position_ids": to(np.concatenate(positions))[None],
        # transformers uses a mask of four dimensions as it is and makes none from the positions.
        "attention_mask": torch.empty(1, 1, 1, 1, dtype=torch.bool, device=device),
        "layout": layout_of(rows, length, device),
    }
    packed = to(np.concatenate(tokens))[None]
    return MicroBatch(chosen, packed, to(np.concatenate(places)), to(targets), to(row), lengths, more)


def layout_of(rows: Sequence[Any], length: int, device: torch.device) -> Layout:
    """The layout of rows, longest first, each a list of its packed tokens; there are `length` packed tokens in all."""
    blocks = [(len(run), run[0]) for run in even_runs([len(row) for row in rows], device.type)]
    padded = np.repeat([longest for _, longest in blocks], [count for count, _ in blocks])
    filled = [np.pad(row, (0, size - len(row)), constant_values=-1) for row, size in zip(rows, padded, strict=True)]
    index = np.concatenate(filled)
    there = np.flatnonzero(index >= 0)
    home = np.zeros(length, dtype=np.int64)
    home[index[there][::-1]] = there[::-1]  # the first place is written last
    copies = there[home[index[there]] != there]
    first = np.zeros((len(index), 1), dtype=np.float32)
    first[home] = 1
    to = tensors_on(device)
    return Layout(blocks, to(index.clip(min=0)), to(home), to(copies), torch.from_numpy(first).to(device))


def split_packed(
    examples: Sequence[Example], chosen: Sequence[int], most_tokens: int, parts: int = 1
) -> list[list[int]]:
    """As `split`, for packed rows: completions of one prompt stay together, the longest first; nothing is padded."""
    groups: dict[bytes, list[int]] = {}
    for i in chosen:
        groups.setdefault(examples[i].prompt.tobytes(), []).append(i)
    rest = {i: examples[i].read - len(examples[i].prompt) for i in chosen}
    tokens = sum(rest.values()) + sum(len(examples[group[0]].prompt) for group in groups.values())
    most_tokens = share_of(tokens, parts, most_tokens)
    batches: list[list[int]] = []
    size = 0
    for group in sorted(groups.values(), key=lambda group: -max(examples[i].read for i in group)):
        shared = False
        for i in group:
            if not batches or size + rest[i] + (0 if shared else len(examples[i].prompt)) > most_tokens:
                batches.append([])
                size, shared = 0, False
            size += rest[i] + (0 if shared else len(examples[i].prompt))
            shared = True
            batches[-1].append(i)
    return batches


def packs(student: Student) -> bool:
    """
    Tests packing on a few tokens and turns it on if it works. It needs a family that uses transformers' attention
    interface, and whose layers see other tokens only through attention.
    """
    config = student.model.config.get_text_config()
    if config._attn_implementation != PLAIN or getattr(config, "attention_chunk_size", None):
        return False
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, AttentionMaskInterface()[PLAIN])
    ids = np.arange(9, dtype=np.int32) % student.vocabulary
    examples = [Example(ids[:3], ids[3:8]), Example(ids[:3], ids[5:9]), Example(ids[4:5], ids[:2])]
    padded = lay_out(examples, [0, 1, 2], student.device)
    with torch.no_grad(), student.precision():
        expected = student.states(padded)
        student.model.set_attn_implementation(NAME)
        try:
            batch = pack(examples, [0, 1, 2], student.device)
            found = student.states(batch)
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            if is_out_of_memory(error):
                raise
            found = None
    tolerance = 1e-4 if student.dtype == torch.float32 else 5e-2
    windows = set() if found is None else batch.more["layout"].windows
    # A window that is not passed to attention would be ignored.
    passed = bool(windows - {None}) or not getattr(config, "sliding_window", None)
    same = found is not None and bool((found - expected).abs().max() <= tolerance * (1 + expected.abs().max()))
    if not (same and windows and passed):
        student.model.set_attn_implementation(PLAIN)
        return False
    return True
