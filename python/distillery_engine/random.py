"""
Counter-based random numbers, the same as the embedded engine's (src/random.ts): each draw is a function of (seed,
counters ...), so there is no state to save. Mixing is the 32-bit finaliser of MurmurHash3 (A. Appleby, public domain).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Counters = Sequence[int | str]
Words = npt.NDArray[np.uint32]


def mix(h: Words) -> Words:
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x85EBCA6B)
    h = h ^ (h >> np.uint32(13))
    h = h * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def mix_counter(h: Words, counter: Words) -> Words:
    return mix(h + counter * np.uint32(0x9E3779B1) + np.uint32(0x7F4A7C15))


def words(values: npt.ArrayLike) -> Words:
    """Integers truncated to 32 bits, like JavaScript's `| 0`."""
    return (np.asarray(values, dtype=np.int64) & 0xFFFFFFFF).astype(np.uint32).reshape(-1)


def fractions(bits: Words) -> npt.NDArray[np.float32]:
    """Their upper 24 bits as numbers in [0, 1)."""
    return ((bits >> np.uint32(8)) / np.float32(0x1000000)).astype(np.float32)


class Stream:
    """The draws that begin with (seed, *counters)."""

    def __init__(self, seed: int, counters: Counters = ()) -> None:
        h = mix(words(seed ^ 0x9E3779B9))
        for counter in counters:
            if isinstance(counter, str):
                for unit in np.frombuffer(counter.encode("utf-16-le"), dtype="<u2"):
                    h = mix(h + words(int(unit)) + np.uint32(0x9E3779B9))
            else:
                h = mix_counter(h, words(int(counter)))
        self.state = h

    def bits(self, *counters: npt.ArrayLike) -> Words:
        """32 random bits for each row of the further counters, which are arrays of one length."""
        h = self.state
        for counter in counters:
            h = mix_counter(h, words(counter))
        return mix(h)

    def uniform(self, *counters: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Uniform in [0, 1) with 24 bits."""
        return fractions(self.bits(*counters))


def sequence(seed: int, name: str, count: int) -> npt.NDArray[np.float32]:
    """The first `count` uniform numbers of `new Random(seed, name)`."""
    start = mix(Stream(seed, [name]).bits() ^ np.uint32(0x9E3779B9))
    return fractions(mix(mix_counter(start, words(np.arange(count)))))
