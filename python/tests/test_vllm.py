"""vLLM beside the student: runs only where vLLM is installed, on its device."""

from importlib.util import find_spec

import numpy as np
import pytest
from conftest import COMMON, LORA, random_episodes, random_rows
from test_sampling import PROMPTS
from transformers import AutoModelForCausalLM, Qwen3Config

from distillery_engine.errors import EngineError
from distillery_engine.vllm_sampler import CAP, VllmSampler
from distillery_engine.wire import pack, pack_rows, unpack, unpack_rows


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_vllm_it_is_refused(client, folder_of):
    with pytest.raises(EngineError, match="not installed") as raised:
        client.open(folder_of("llama"), sampler="vllm")
    assert raised.value.remedy


def test_tokens_are_weighed_by_the_difference(client, folder_of):
    """Truncated importance sampling with a sampler's log-probs as given."""
    rows = random_rows()
    student = client.open(folder_of("llama"))
    log_probs, _ = client.log_probs(student, rows)
    episodes = random_episodes(rows, log_probs, masked=(), flat=())
    old, advantages = unpack_rows(episodes["logProbs"], "<f4"), unpack(episodes["advantages"], "<f4")
    random = np.random.default_rng(4)
    sampler = object.__new__(VllmSampler)
    drawn = [values - random.normal(size=len(values)).astype(np.float32) for values in old]
    sampler.scores = {(p.tobytes(), c.tobytes()): d for (p, c), d in zip(rows, drawn, strict=True)}
    client.engine.samplers[student] = sampler
    weights = [np.minimum(np.exp(a - b), CAP) for a, b in zip(old, drawn, strict=True)]
    assert max(w.max() for w in weights) == CAP
    ratio = [np.exp(a - b) for a, b in zip(log_probs, old, strict=True)]
    terms = [-np.minimum(r * a, np.clip(r, 0.98, 1.03) * a) for r, a in zip(ratio, advantages, strict=True)]
    plain, weighted = (sum((t * w).sum() for t, w in zip(terms, ws, strict=True)) for ws in ([1] * 7, weights))
    count = sum(len(c) for _, c in rows)
    off = client.grpo(student, episodes, learningRate=0, samplerCorrection="off", weightDecay=0)["measures"]["loss"]
    assert off == pytest.approx(plain / count, rel=1e-4)
    tis = client.grpo(student, episodes, learningRate=0, weightDecay=0)["measures"]["loss"]
    assert tis == pytest.approx(weighted / count, rel=1e-4)
    assert sampler.scores == {}


needs_vllm = pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")


@needs_vllm
@pytest.mark.parametrize("adapter", [None, LORA])
def test_vllm_samples_the_weights_of_the_moment(client, tmp_path, adapter):
    # vLLM's attention on the CPU does not support narrower heads.
    config = Qwen3Config(**{**COMMON, "head_dim": 32})
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    student = client.open(str(tmp_path), adapter=adapter, sampler="vllm")
    sampler, rows = client.engine.samplers[student], random_rows()
    for _ in range(2):
        tokens, log_probs, finished = client.sample(student, PROMPTS)
        pairs = [(PROMPTS[i // 3], row) for i, row in enumerate(tokens)]
        expected, _ = client.log_probs(student, pairs, temperature=0.8)
        for i, (prompt, row) in enumerate(pairs):
            np.testing.assert_allclose(log_probs[i], expected[i], atol=1e-5)
            drawn = sampler.scores[prompt.tobytes(), row.tobytes()]
            np.testing.assert_allclose(drawn, expected[i], atol=5e-3)
            assert finished[i] == (row[-1] == 0)
        again, _, _ = client.sample(student, PROMPTS)
        assert [row.tolist() for row in again] == [row.tolist() for row in tokens]
        assert len({tuple(row) for row in tokens[:3]}) == 3
        greedy, _, _ = client.sample(student, PROMPTS, temperature=0, groupSize=1)
        del client.engine.samplers[student]
        ours, _, _ = client.sample(student, PROMPTS, temperature=0, groupSize=1)
        client.engine.samplers[student] = sampler
        assert [row.tolist() for row in greedy] == [row.tolist() for row in ours]
        client.supervised(student, rows, learningRate=0.05)
    episodes = {
        "prompts": pack_rows([p for p, _ in pairs], "<i4"),
        "completions": pack_rows([c for _, c in pairs], "<i4"),
        "logProbs": pack_rows(log_probs, "<f4"),
        "advantages": pack(np.linspace(-1, 1, 9), "<f4"),
        "masked": [False] * 9,
    }
    assert client.grpo(student, episodes)["measures"]["gradNorm"] > 0
    assert not sampler.scores
