"""Cached sampling against the full forward pass, and the rules of a draw."""

import numpy as np
import pytest
import torch
from conftest import FAMILIES, LORA, random_rows

from distillery_engine.draws import Sampling, draw, kept
from distillery_engine.wire import unpack_rows

PROMPTS = [np.array(ids, np.int32) for ids in ([5, 9, 3, 44, 7, 8, 12, 30, 2, 17], [11], [6, 23, 50, 1])]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("adapter", [None, LORA])
def test_log_probs_are_those_of_a_full_pass(client, folder_of, family, adapter):
    student = client.open(folder_of(family), adapter=adapter)
    if adapter:
        client.supervised(student, random_rows())
    tokens, log_probs, finished = client.sample(student, PROMPTS, maxNewTokens=20)
    rows = [(PROMPTS[i // 3], row) for i, row in enumerate(tokens)]
    expected, _ = client.log_probs(student, rows, temperature=0.8)
    for row, found, wanted, done in zip(tokens, log_probs, expected, finished, strict=True):
        np.testing.assert_allclose(found, wanted, atol=5e-5)
        assert done == (row[-1] == 0)
        assert 0 not in row[:-1]
        assert done or len(row) == 20


def test_a_completion_does_not_depend_on_its_company(client, folder_of):
    student = client.open(folder_of("llama"))
    together, _, _ = client.sample(student, PROMPTS)
    assert len({tuple(row) for row in together}) == 9
    for rows in (1, 2, 5):
        narrow, _, _ = client.sample(student, PROMPTS, maxRows=rows)
        assert all(np.array_equal(a, b) for a, b in zip(together, narrow, strict=True))
    other, _, _ = client.sample(student, PROMPTS, stream=["s", 2])
    assert any(not np.array_equal(a, b) for a, b in zip(together, other, strict=True))


def test_sampling_leaves_the_weights_alone(client, folder_of):
    student = client.open(folder_of("llama"), adapter=LORA)
    client.supervised(student, random_rows())
    model = client.engine.trainers[student].student.model
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    client.sample(student, PROMPTS)
    assert all(torch.equal(before[name], p) for name, p in model.named_parameters())


def test_temperature_zero_takes_the_likeliest(client, folder_of):
    student = client.open(folder_of("qwen3"))
    tokens, log_probs, _ = client.sample(student, PROMPTS, temperature=0, groupSize=1)
    ids = torch.tensor(np.concatenate([PROMPTS[0], tokens[0]]))[None].long()
    with torch.no_grad():
        scores = client.engine.trainers[student].student.model(ids).logits[0, len(PROMPTS[0]) - 1 : -1].log_softmax(-1)
    assert scores.argmax(-1).tolist() == tokens[0].tolist()
    np.testing.assert_allclose(log_probs[0], scores.max(-1).values.numpy(), atol=2e-5)


def test_positions_end_a_completion(client, folder_of):
    student = client.open(folder_of("llama"))
    long = np.full(60, 7, np.int32)
    tokens, _, finished = client.sample(student, [long], eosIds=[], maxNewTokens=50)
    assert [len(row) for row in tokens] == [4, 4, 4]
    assert finished == [False] * 3
    with pytest.raises(Exception, match="positions"):
        client.sample(student, [np.full(64, 7, np.int32)])


def test_filters_keep_a_head_of_the_likeliest():
    p = torch.tensor([[0.4, 0.1, 0.3, 0.1, 0.1]])
    head = lambda **options: kept(p, Sampling(1, **options))[0].nonzero()[:, 0].tolist()
    assert head(topK=3) == [0, 1, 2]  # the lowest id of the three equal ones
    assert head(topP=0.5) == [0, 2]
    assert head(topP=0.4) == [0]
    assert head(topP=0) == [0]
    assert head(minP=0.5) == [0, 2]
    # top-p applies to the tokens that top-k kept
    assert head(topK=2, topP=0.6) == [0, 2]
    assert head(topK=2, topP=0.57) == [0]


def test_draws_follow_the_cumulative_distribution():
    logits = torch.tensor([[0.2, 0.3, 0.1, 0.4]]).log().repeat(6, 1)
    uniforms = torch.tensor([0.0, 0.19, 0.21, 0.55, 0.61, 0.999999])
    ids, log_probs = draw(logits, uniforms, Sampling(1))
    assert ids.tolist() == [0, 0, 1, 2, 3, 3]
    torch.testing.assert_close(log_probs.exp(), torch.tensor([0.2, 0.2, 0.3, 0.1, 0.4, 0.4]))
    filtered, same = draw(logits, uniforms, Sampling(1, topK=2))
    assert filtered.tolist() == [1, 1, 1, 3, 3, 3]
    torch.testing.assert_close(same.exp(), torch.tensor([0.3, 0.3, 0.3, 0.4, 0.4, 0.4]))


def test_progress_shows_the_drafts(client, folder_of, monkeypatch):
    monkeypatch.setattr("distillery_engine.work.INTERVAL", 0)
    told = []
    client.work.report = told.append
    tokens, _, _ = client.sample(client.open(folder_of("llama")), PROMPTS)
    assert all(report["total"] == 9 for report in told)
    assert told[-1]["done"] == 9
    drafts = unpack_rows(told[-1]["drafts"], "<i4")
    assert all(np.array_equal(a, b) for a, b in zip(drafts, tokens, strict=True))
