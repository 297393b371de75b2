"""Micro-batches, chunks and half-open families against one example at a time through transformers."""

import numpy as np
import pytest
import torch
from conftest import FAMILIES, random_rows
from transformers import AutoModelForCausalLM

from distillery_engine import scoring
from distillery_engine.batches import Example, split


def one_by_one(folder, rows, temperature):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for prompt, completion in rows:
        ids = torch.tensor(np.concatenate([prompt, completion]))[None].long()
        with torch.no_grad():
            logits = model(ids).logits[0, len(prompt) - 1 : -1] / temperature
        scores = logits.log_softmax(-1)
        entropy = -(scores.exp() * scores).sum(-1)
        yield scores.gather(1, ids[0, len(prompt) :, None])[:, 0].numpy(), entropy.numpy()


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probs_are_those_of_one_example_at_a_time(client, folder_of, family):
    rows = random_rows()
    student = client.open(folder_of(family))
    expected = list(one_by_one(folder_of(family), rows, 0.7))
    for most in (8, 40, 1000):
        log_probs, entropy = client.log_probs(student, rows, most=most)
        for i, (scores, entropies) in enumerate(expected):
            np.testing.assert_allclose(log_probs[i], scores, atol=2e-5)
            np.testing.assert_allclose(entropy[i], entropies, atol=2e-5)


def test_chunks_of_the_output_layer_change_nothing(client, folder_of, monkeypatch):
    rows, folder = random_rows(), folder_of("qwen3")
    whole, chunked = client.open(folder), client.open(folder)
    before = client.supervised(whole, rows)
    monkeypatch.setattr(scoring, "MOST_LOGITS", 61 * 5)
    assert client.supervised(chunked, rows)["gradNorm"] == pytest.approx(before["gradNorm"], rel=1e-5)
    for name, value in client.weights(whole).items():
        torch.testing.assert_close(client.weights(chunked)[name], value, atol=1e-4, rtol=1e-3)


def test_loss_is_the_mean_over_all_tokens(client, folder_of):
    rows, folder = random_rows(), folder_of("llama")
    answer = client("loss", id=client.open(folder), examples=__import__("conftest").examples(rows), microBatchTokens=30)
    scores = np.concatenate([scores for scores, _ in one_by_one(folder, rows, 1.0)])
    assert answer["loss"] == pytest.approx(-scores.mean(), abs=1e-5)


def test_micro_batches_hold_the_limit_and_little_filling():
    random = np.random.default_rng(0)
    of = lambda n: Example(np.ones(20, np.int32), np.ones(n, np.int32))
    examples = [of(int(n)) for n in random.integers(20, 300, 128)]
    batches = split(examples, range(len(examples)), 4096, "cpu")
    sizes = [len(batch) * max(examples[i].read for i in batch) for batch in batches]
    assert sorted(i for batch in batches for i in batch) == list(range(128))
    assert max(sizes) <= 4096
    assert sum(sizes) < 1.1 * sum(example.read for example in examples)
    assert len(split(examples[:8], range(8), 100_000, "cpu", parts=4)) >= 4
