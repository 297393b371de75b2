"""Two processes by gloo do what one does."""

import sys

import numpy as np
import pytest
import torch
from conftest import GRPO, LORA, SETTINGS, examples, pack_rows, random_episodes, random_rows, unpack_rows
from safetensors.torch import load_file
from test_wire import Process

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "distillery_engine")


@pytest.mark.parametrize("adapter", [None, LORA])
def test_two_processes_give_the_updates_of_one(folder_of, tmp_path, adapter):
    results = []
    for name, command in (("one", ()), ("two", (sys.executable, *TORCHRUN))):
        process = Process(*command)
        try:
            results.append(session(process, folder_of("qwen3"), tmp_path / name, adapter))
            assert process.end() == 0
        finally:
            process.child.kill()
    one, two = results
    assert [one["processes"], two["processes"]] == [1, 2]
    assert one["tokens"] == two["tokens"]
    np.testing.assert_allclose(one["logProbs"], two["logProbs"], atol=1e-5)
    assert one["measures"] == pytest.approx(two["measures"], rel=1e-5)
    # after one step from zero, the first moment is the clipped gradient times 1 - beta1
    for key, value in one["gradient"].items():
        torch.testing.assert_close(two["gradient"][key] * 10, value * 10, atol=1e-5, rtol=1e-5)


def session(process, folder, target, adapter):
    processes = process.ask("hello", protocol=1)["processes"]
    student = process.ask("open", student=folder, adapter=adapter, seed=1)["id"]
    reference = process.ask("snapshot", id=student)["snapshot"]
    rows = random_rows(9)
    process.ask("supervisedStep", id=student, examples=examples(rows), **SETTINGS, learningRate=1e-3, seed=1)
    sampled = process.ask(
        "sample",
        id=student,
        prompts=pack_rows([prompt for prompt, _ in rows], "<i4"),
        groupSize=2,
        sampling=dict(temperature=1, topK=0, topP=1, minP=0),
        maxNewTokens=10,
        eosIds=[0],
        seed=1,
        stream=["x"],
        maxRows=8,
    )
    scored = process.ask("logProbs", id=student, examples=examples(rows), temperature=0.7, microBatchTokens=64)
    log_probs = unpack_rows(scored["logProbs"], "<f4")
    process.ask("restartOptimizer", id=student)
    answer = process.ask(
        "grpoStep",
        id=student,
        episodes=random_episodes(rows, log_probs),
        replay=examples(rows[:3]),
        reference=reference,
        learningRate=1e-2,
        seed=3,
        options={**GRPO, "beta": 0.1, "replayWeight": 0.5},
    )
    process.ask("save", id=student, folder=str(target), moments=True, eosIds=[0])
    moments = load_file(target / "optimizer.safetensors")
    return {
        "processes": processes,
        "tokens": [row.tolist() for row in unpack_rows(sampled["tokens"], "<i4")],
        "logProbs": np.concatenate(unpack_rows(sampled["logProbs"], "<f4")),
        "measures": answer["measures"],
        "gradient": {key: value for key, value in moments.items() if key.endswith(".first")},
    }


def test_all_processes_stop_together(folder_of):
    process = Process(sys.executable, *TORCHRUN)
    try:
        student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
        settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, "microBatchTokens": 16}
        number = process.send("supervisedStep", id=student, examples=examples(random_rows(6000)), **settings)
        assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
        process.cancel(number)
        assert process.answer(number)["error"]["code"] == -32800
        error = process.answer(process.send("open", student="/nowhere", adapter=None, seed=1))["error"]
        assert error["data"]["code"] == "missing"
        rows = examples(random_rows())
        assert process.ask("supervisedStep", id=student, examples=rows, **settings)["gradNorm"] > 0
        assert process.end() == 0
    finally:
        process.child.kill()
