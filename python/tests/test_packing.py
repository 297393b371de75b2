"""Packed rows have the same log-probs and gradients as padded ones."""

import numpy as np
import pytest
import torch
import transformers
from conftest import SETTINGS, examples, random_rows

from distillery_engine.batches import unpack_examples
from distillery_engine.packing import NAME, PLAIN, split_packed


def shared_rows():
    """Four completions of each of three prompts, one of them far longer than the others (and than Gemma's window)."""
    rows = random_rows(12)
    rows = [(rows[i % 3][0], completion) for i, (_, completion) in enumerate(rows)]
    rows[1] = (rows[1][0], np.arange(1, 40, dtype=np.int32))
    return rows


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gemma3"])
@pytest.mark.parametrize("most", [1000, 48])
def test_packed_rows_give_the_gradients_of_padded_ones(client, folder_of, monkeypatch, family, most):
    monkeypatch.setattr("distillery_engine.batches.BUSY", {"cpu": 16})  # several blocks per micro-batch
    identity, rows = client.open(folder_of(family)), shared_rows()
    trainer = client.engine.trainers[identity]
    student, settings = trainer.student, {**SETTINGS, "microBatchTokens": most}
    assert student.packs
    assert student.model.config._attn_implementation == NAME

    def scored():
        log_probs, entropy = client.log_probs(identity, rows, most=most)
        loss = trainer.cross_entropy(unpack_examples(examples(rows)), settings, 1, client.work)
        gradients = {name: parameter.grad.clone() for name, parameter in student.trained.items()}
        trainer.optimizer.adam.zero_grad()
        return np.concatenate(log_probs), np.concatenate(entropy), loss, gradients

    packed = scored()
    student.packs = False
    student.model.set_attn_implementation(PLAIN)
    padded = scored()
    for one, other in zip(packed[:3], padded[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    for name, gradient in padded[3].items():
        torch.testing.assert_close(packed[3][name], gradient, atol=1e-5, rtol=1e-5, msg=name)


def test_a_family_without_the_attention_interface_is_padded(client, tmp_path):
    config = transformers.GPT2Config(vocab_size=61, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    identity = client.open(str(tmp_path))
    student = client.engine.trainers[identity].student
    assert not student.packs
    assert student.model.config._attn_implementation == PLAIN
    answer = client.supervised(identity, random_rows())
    assert answer["gradNorm"] > 0


def test_micro_batches_count_a_prompt_once():
    rows = [(np.full(10, prompt, np.int32), np.ones(4, np.int32)) for prompt in (1, 2) for _ in range(3)]
    given = unpack_examples(examples(rows))
    assert split_packed(given, range(6), 19) == [[0, 1, 2], [3, 4, 5]]  # 10 + 3 x 3 tokens
    assert split_packed(given, range(6), 18) == [[0, 1], [2], [3, 4], [5]]
    assert len(split_packed(given, range(6), 1000, parts=3)) >= 3
