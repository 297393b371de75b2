"""
Keys and values of past tokens: transformers' cache, but its plain layers allocate room in advance instead of being
copied for each token.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

# Number of further tokens to allocate room for at a time.
ROOM = 64


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """Like its parent, but tokens are written into memory that is already allocated."""

    keys: Tensor
    values: Tensor
    room: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        past = self.get_seq_length()
        if past == 0:
            return super().update(key_states, value_states, *args, **kwargs)
        length = past + key_states.shape[-2]
        if self.room is None or self.room[0].shape[-2] < length:
            self.room = self.with_room(self.keys, length), self.with_room(self.values, length)
        for room, states in zip(self.room, (key_states, value_states), strict=True):
            room[..., past:length, :] = states
        self.keys, self.values = (room[..., :length, :] for room in self.room)
        return self.keys, self.values

    def with_room(self, states: Tensor, length: int) -> Tensor:
        room = states.new_empty((*states.shape[:-2], length + ROOM, states.shape[-1]))
        room[..., : states.shape[-2], :] = states
        return room

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self.room = None


def new_cache(config: Any) -> Any:
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
