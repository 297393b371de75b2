"""The memory estimate of a student that is not open yet, compared with what its passes really hold."""

import pytest
import torch
from conftest import FAMILIES, LORA

from distillery_engine.cache import new_cache


def held_per_token(student) -> float:
    """Bytes per token of a real forward pass, from the difference between two lengths."""

    def held(length: int) -> int:
        found = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            kept = student.hidden(torch.ones(1, length, dtype=torch.long))
        assert kept.shape[1] == length
        return sum(found.values())

    return (held(64) - held(32)) / 32


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapter", [None, LORA])
def test_the_estimate_is_of_what_is_held(client, folder_of, family, adapter):
    said = client("memory", student=folder_of(family), adapter=adapter)
    assert client.engine.trainers == {}
    student = client.engine.trainers[client.open(folder_of(family), adapter=adapter)].student
    added = student.facts["trainable"] if adapter else 0
    assert said["weights"] == 4 * (student.facts["parameters"] + added)
    assert said["trained"] == 4 * student.facts["trainable"]
    saved = said["token"] / 2  # two layers: as much again is outside of them
    assert 0.85 < saved / held_per_token(student) < 1.15
    assert said["tokenAgain"] < said["token"]
    cache = new_cache(student.model.config)
    student.hidden(torch.ones(1, 5, dtype=torch.long), past_key_values=cache, use_cache=True)
    assert said["cache"] * 5 == sum(t.nbytes for layer in cache.layers for t in (layer.keys, layer.values))
    assert said["total"] >= said["free"] > 0


def test_half_precision_takes_less_but_for_what_is_trained(client, folder_of):
    whole, half = (client("memory", student=folder_of("qwen3"), adapter=LORA, dtype=d) for d in ("float32", "bfloat16"))
    assert half["trained"] == whole["trained"]
    assert half["weights"] - half["trained"] == (whole["weights"] - whole["trained"]) / 2
    assert half["cache"] == whole["cache"] / 2


def test_the_speed_of_a_product_is_measured(client):
    answer = client("speed")
    assert answer["dtype"] == "float32"
    assert answer["flops"] > 1e6
