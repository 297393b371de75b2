"""Updates against naive code: one example at a time, with the formulas and AdamW written out again."""

import math

import numpy as np
import pytest
import torch
from conftest import GRPO, LORA, SETTINGS, random_episodes, random_rows
from transformers import AutoModelForCausalLM

from distillery_engine.losses import ESTIMATORS, LOSSES
from distillery_engine.wire import unpack, unpack_rows


def token_scores(model, prompt, completion, temperature=1.0):
    ids = torch.tensor(np.concatenate([prompt, completion]))[None].long()
    scores = (model(ids).logits[0, len(prompt) - 1 : -1] / temperature).log_softmax(-1)
    return scores.gather(1, ids[0, len(prompt) :, None])[:, 0]


def adamw(model, rate, moments, step=1, settings=SETTINGS):
    """One update of all weights by the papers' formulas; returns the norm before clipping."""
    named = dict(model.named_parameters())
    norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in named.values()))
    scale = min(1, settings["maxGradNorm"] / (norm + 1e-6))
    beta1, beta2, eps = (settings["adam"][key] for key in ("beta1", "beta2", "epsilon"))
    with torch.no_grad():
        for name, p in named.items():
            first, second = moments.get(name, (0, 0))
            g = p.grad.double() * scale
            first, second = beta1 * first + (1 - beta1) * g, beta2 * second + (1 - beta2) * g * g
            moments[name] = first, second
            decay = settings["weightDecay"] if p.ndim > 1 else 0
            change = (first / (1 - beta1**step)) / ((second / (1 - beta2**step)).sqrt() + eps)
            p.copy_(p.double() * (1 - rate * decay) - rate * change)
            p.grad = None
    return norm


def naive_loss(name, kl, beta, rows, episodes, scores, ref):
    """TRL's losses over the whole batch; `scores` and `ref` hold the log-probs of each completion."""
    old, advantages = unpack_rows(episodes["logProbs"], "<f4"), unpack(episodes["advantages"], "<f4")
    low, high = GRPO["clipLow"], GRPO["clipHigh"]
    per_sequence, per_token, unmasked = [], [], 0
    for i, _ in enumerate(rows):
        if episodes["masked"][i]:
            continue
        unmasked += len(scores[i])
        a, log_ratio = float(advantages[i]), scores[i] - torch.tensor(old[i])
        ratio = (log_ratio.mean() if name == "gspo" else log_ratio).exp()
        if name == "cispo":
            terms = -torch.clamp(ratio, max=1 + high).detach() * a * scores[i]
        elif name == "sapo":
            t = 1.0 if a > 0 else 1.05
            terms = -a * torch.sigmoid(t * (ratio - 1)) * 4 / t
        else:
            terms = -torch.min(ratio * a, torch.clamp(ratio, 1 - low, 1 + high) * a)
        terms = terms.expand(len(scores[i]))
        if beta:
            x = torch.tensor(ref[i]) - scores[i]
            k3 = x.exp() - x - 1
            value = {"k1": -x, "k2": x * x / 2, "k3": k3, "k3+": k3.detach() + x * x / 2 - (x * x / 2).detach()}[kl]
            terms = terms + beta * value
        per_sequence.append(terms.mean())
        per_token.append(terms.sum())
    if name in ("grpo", "gspo", "sapo"):
        return sum(per_sequence) / len(rows)
    return sum(per_token) / (len(rows) * GRPO["maxNewTokens"] if name == "dr_grpo" else unmasked)


CASES = [(name, "k3", 0.0) for name in LOSSES] + [(name, "k3", 0.3) for name in LOSSES]
CASES += [("dapo", kl, 0.3) for kl in ESTIMATORS]


@pytest.mark.parametrize(("name", "kl", "beta"), CASES)
def test_grpo_update_is_the_naive_one(client, folder_of, name, kl, beta):
    folder, rows = folder_of("qwen2"), random_rows()
    student, model = client.open(folder), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    log_probs, _ = client.log_probs(student, rows)
    episodes = random_episodes(rows, log_probs)
    reference = client("snapshot", id=student)["snapshot"]
    client.supervised(student, rows)  # moves the student away from its reference
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(client.weights(student)[key])
    client("restartOptimizer", id=student)
    # bnpo depends on micro-batches: here a single one
    most = 4096 if name == "bnpo" else 40
    answer = client.grpo(student, episodes, reference=reference, loss=name, kl=kl, beta=beta, microBatchTokens=most)
    scores = [token_scores(model, prompt, completion, 0.7) for prompt, completion in rows]
    loss = naive_loss(name, kl, beta, rows, episodes, scores, log_probs)
    loss.backward()
    norm = adamw(model, 1e-2, {})
    assert answer["measures"]["loss"] == pytest.approx(loss.item(), rel=1e-4, abs=1e-6)
    assert answer["measures"]["gradNorm"] == pytest.approx(norm, rel=1e-4)
    if beta:
        np.testing.assert_allclose(
            np.concatenate(unpack_rows(answer["refLogProbs"], "<f4")), np.concatenate(log_probs), atol=1e-5
        )
    before = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    compare(client.weights(student), dict(model.named_parameters()), dict(before.named_parameters()))


def compare(ours, theirs, before):
    flat = lambda weights: torch.cat(
        [(weights[key].detach() - before[key].detach()).flatten() for key in before]
    ).double()
    a, b = flat(ours), flat(theirs)
    assert float(a @ b / a.norm() / b.norm()) > 0.9999
    assert float(a.norm() / b.norm()) == pytest.approx(1, abs=1e-3)


def test_supervised_steps_are_the_naive_ones(client, folder_of):
    folder, rows = folder_of("llama"), random_rows()
    student, model, moments = client.open(folder), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), {}
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    for step in range(1, 4):
        answer = client.supervised(student, rows)
        loss = -torch.cat([token_scores(model, *row) for row in rows]).mean()
        loss.backward()
        norm = adamw(model, 1e-2, moments, step)
        assert answer["loss"] == pytest.approx(loss.item(), abs=1e-4)
        assert answer["gradNorm"] == pytest.approx(norm, rel=1e-3)
        assert answer["tokens"] == sum(len(prompt) + len(completion) for prompt, completion in rows)
    compare(client.weights(student), dict(model.named_parameters()), before)


@pytest.mark.parametrize("adapter", [None, LORA])
def test_micro_batches_and_checkpointing_change_no_update(client, folder_of, adapter):
    rows, results = random_rows(), []
    for most, checkpointing in ((4096, False), (16, False), (4096, True)):
        student = client.open(folder_of("qwen3"), adapter=adapter)
        log_probs, _ = client.log_probs(student, rows)
        client.supervised(student, rows, microBatchTokens=most, checkpointing=checkpointing)
        episodes = random_episodes(rows, log_probs)
        answer = client.grpo(
            student, episodes, replay=rows[:3], replayWeight=0.5, microBatchTokens=most, checkpointing=checkpointing
        )
        results.append((answer["measures"], client.weights(student)))
    for measures, weights in results[1:]:
        assert measures == pytest.approx(results[0][0], rel=1e-4)
        for key, value in weights.items():
            torch.testing.assert_close(value, results[0][1][key], atol=2e-4, rtol=1e-3)


def test_bnpo_averages_micro_batches(client, folder_of):
    """It averages over micro-batches in the given order, however they are grouped for computing."""
    folder, rows = folder_of("llama"), [(p[:4], np.resize(c, 6)) for p, c in random_rows()]
    rows = [(np.resize(p, 4), c) for p, c in rows]
    student = client.open(folder)
    log_probs, _ = client.log_probs(student, rows)
    episodes = random_episodes(rows, log_probs, masked=(), flat=(0, 1))
    answer = client.grpo(student, episodes, loss="bnpo", microBatchTokens=20)  # two completions of 10 tokens
    student, losses = client.open(folder), []
    for part in ([0, 1], [2, 3], [4, 5], [6]):
        chosen = {**random_episodes([rows[i] for i in part], [log_probs[i] for i in part], masked=(), flat=())}
        chosen["logProbs"] = repack(episodes["logProbs"], part)
        chosen["advantages"] = __import__("conftest").pack(unpack(episodes["advantages"], "<f4")[part], "<f4")
        losses.append(
            client.grpo(student, chosen, loss="bnpo", microBatchTokens=4096, learningRate=0)["measures"]["loss"]
        )
    assert answer["measures"]["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def repack(packed, chosen):
    rows = unpack_rows(packed, "<f4")
    return __import__("conftest").pack_rows([rows[i] for i in chosen], "<f4")


def test_measures_count_as_the_embedded_engine_does(client, folder_of):
    rows = random_rows()
    student = client.open(folder_of("llama"))
    log_probs, entropy = client.log_probs(student, rows)
    episodes = random_episodes(rows, log_probs)
    measures = client.grpo(student, episodes)["measures"]
    unmasked = [i for i in range(len(rows)) if i != 2]
    tokens = sum(len(rows[i][1]) for i in unmasked)
    assert measures["entropy"] == pytest.approx(sum(entropy[i].sum() for i in unmasked) / tokens, abs=1e-5)
    assert measures["tokens"] == sum(len(p) + len(c) - 1 for p, c in rows)
    old, advantages = unpack_rows(episodes["logProbs"], "<f4"), unpack(episodes["advantages"], "<f4")
    ratio = {i: np.exp(log_probs[i] - old[i]) for i in unmasked}
    assert measures["ratio"] == pytest.approx(sum(r.sum() for r in ratio.values()) / tokens, rel=1e-4)
    low = sum(int((r < 0.98).sum()) for i, r in ratio.items() if advantages[i] < 0)
    high = sum(int((r > 1.03).sum()) for i, r in ratio.items() if advantages[i] > 0)
    assert low > 0
    assert high > 0
    assert measures["clipLow"] == pytest.approx(low / tokens)
    assert measures["clipHigh"] == pytest.approx(high / tokens)
    for loss, absent in (("cispo", {"clipLow"}), ("sapo", {"clipLow", "clipHigh"})):
        assert {"clipLow", "clipHigh"} - client.grpo(student, episodes, loss=loss)["measures"].keys() == absent


def test_several_updates_of_one_sample(client, folder_of):
    rows = random_rows(8)
    student, twin = client.open(folder_of("llama")), client.open(folder_of("llama"))
    log_probs, _ = client.log_probs(student, rows)
    episodes = random_episodes(rows, log_probs)
    answer = client.grpo(student, episodes, iterations=2, minibatches=2, replay=rows[:2], replayWeight=0.3)
    assert len(unpack_rows(answer["entropy"], "<f4")) == 8
    assert client.engine.trainers[student].optimizer.adam.state_dict()["state"][0]["step"] == 4
    one = client.grpo(twin, episodes)
    assert answer["measures"]["tokens"] == 2 * one["measures"]["tokens"] + 4 * sum(len(p) + len(c) for p, c in rows[:2])


def test_a_step_without_gradient_changes_nothing(client, folder_of):
    rows = random_rows()
    student = client.open(folder_of("llama"))
    before, (log_probs, _) = client.weights(student), client.log_probs(student, rows)
    measures = client.grpo(student, random_episodes(rows, log_probs, flat=range(7)))["measures"]
    assert measures["gradNorm"] == 0
    client.grpo(student, random_episodes(rows, log_probs), policyWeight=0)
    assert all(torch.equal(before[key], value) for key, value in client.weights(student).items())
    assert not client.engine.trainers[student].optimizer.adam.state


def test_divergence_changes_nothing(client, folder_of):
    rows = random_rows()
    student = client.open(folder_of("llama"))
    before, (log_probs, _) = client.weights(student), client.log_probs(student, rows)
    episodes = random_episodes(rows, [values + math.nan for values in log_probs], masked=())
    with pytest.raises(Exception, match="diverged"):
        client.grpo(student, episodes)
    assert all(torch.equal(before[key], value) for key, value in client.weights(student).items())
    assert not client.engine.trainers[student].optimizer.adam.state


def test_dropout_is_a_function_of_the_seed(client, folder_of):
    rows, folder = random_rows(), folder_of("llama")
    gradients = {}
    for seed in (1, 2, 1):
        for dropout, adapter in ((0.3, None), (0.0, {**LORA, "dropout": 0.5})):
            student = client.open(folder, adapter=adapter)
            if adapter:
                client.supervised(student, rows, seed=9)  # B is 0 at first, so dropout has no effect before a step
            found = client.supervised(student, rows, seed=seed, dropout=dropout)["loss"]
            gradients.setdefault((seed, dropout), []).append(found)
    for dropout in (0.3, 0.0):
        first, again = gradients[1, dropout]
        assert first == again
        assert first != gradients[2, dropout][0]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_takes_ratios_against_itself(client, folder_of, dtype):
    rows = random_rows()
    student = client.open(folder_of("qwen3"), dtype=dtype)
    episodes = random_episodes(rows, client.log_probs(student, rows)[0])
    assert client.grpo(student, episodes, learningRate=1e-4)["measures"]["ratio"] == 1
    several = client.grpo(student, episodes, iterations=2, learningRate=1e-3)["measures"]
    assert several["ratio"] != 1
    assert several["ratio"] == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_goes_the_same_way(client, folder_of, dtype):
    rows, norms = random_rows(), []
    for name in ("float32", dtype):
        student = client.open(folder_of("qwen3"), dtype=name)
        assert all(weight.dtype == torch.float32 for weight in client.weights(student).values())
        norms.append(client.supervised(student, rows)["gradNorm"])
    assert norms[1] == pytest.approx(norms[0], rel=0.05)
