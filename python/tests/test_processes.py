"""Two processes connected by gloo give the same results as one."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import GRPO, LORA, SETTINGS, examples, pack_rows, random_episodes, random_rows, unpack_rows
from safetensors.torch import load_file
from test_wire import Process

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "distillery_engine")


SHARDED = (*TORCHRUN, "--sharding", "full")


@pytest.fixture(scope="module")
def one_process(folder_of, tmp_path_factory):
    """The results of one process, for a student with or without an adapter."""
    known = {}

    def results(adapter):
        key = adapter is None
        if key not in known:
            known[key] = run_session((), folder_of("llama"), tmp_path_factory.mktemp("one"), adapter)
        return known[key]

    return results


def run_session(command, folder, target, adapter):
    process = Process(*command)
    try:
        result = session(process, folder, target, adapter)
        assert process.end() == 0
    finally:
        process.child.kill()
    return result


@pytest.mark.parametrize("adapter", [None, LORA])
@pytest.mark.parametrize("arguments", [TORCHRUN, SHARDED])
def test_two_processes_give_the_updates_of_one(client, folder_of, one_process, tmp_path, arguments, adapter):
    one = one_process(adapter)
    two = run_session((sys.executable, *arguments), folder_of("llama"), tmp_path, adapter)
    assert [one["processes"], two["processes"]] == [1, 2]
    assert ("FSDP" in two["description"]) == (arguments == SHARDED)
    assert one["tokens"] == two["tokens"]
    np.testing.assert_allclose(one["logProbs"], two["logProbs"], atol=1e-5)
    assert one["measures"] == pytest.approx(two["measures"], rel=1e-5)
    for key, value in one["weights"].items():
        torch.testing.assert_close(two["weights"][key], value, atol=1e-5, rtol=1e-5)
    # after one step from zero, the first moment is the clipped gradient times 1 - beta1
    for key, value in one["moments"].items():
        torch.testing.assert_close(two["moments"][key] * 10, value * 10, atol=1e-5, rtol=1e-5)
    # one process continues from the checkpoint of two with the same result as they do
    student = client.open(folder_of("llama"), adapter=adapter)
    client("load", id=student, folder=str(tmp_path), moments=True, step=1)
    assert client.supervised(student, random_rows(9))["loss"] == pytest.approx(two["next"]["loss"], rel=1e-5)


def session(process, folder, target, adapter):
    processes = process.ask("hello", protocol=1)["processes"]
    opened = process.ask("open", student=folder, adapter=adapter, seed=1)
    student = opened["id"]
    reference = process.ask("snapshot", id=student)["snapshot"]
    rows = random_rows(9)
    settings = {**SETTINGS, "learningRate": 1e-3, "seed": 1, "checkpointing": True}
    process.ask("supervisedStep", id=student, examples=examples(rows), **settings)
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
        # with a small epsilon, rounding would decide the direction of full steps for tiny gradients
        options={**GRPO, "beta": 0.1, "replayWeight": 0.5, "adam": {**GRPO["adam"], "epsilon": 1e-3}},
    )
    process.ask("save", id=student, folder=str(target), moments=True, eosIds=[0])
    settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3}
    after = process.ask("supervisedStep", id=student, examples=examples(rows), **settings)
    process.ask("load", id=student, folder=str(target), moments=True, step=1)
    again = process.ask("supervisedStep", id=student, examples=examples(rows), **settings)
    assert again == after
    return {
        "processes": processes,
        "description": opened["description"],
        "tokens": [row.tolist() for row in unpack_rows(sampled["tokens"], "<i4")],
        "logProbs": np.concatenate(unpack_rows(sampled["logProbs"], "<f4")),
        "measures": answer["measures"],
        "weights": load_file(target / ("adapter_model.safetensors" if adapter else "model.safetensors")),
        "moments": load_file(target / "optimizer.safetensors"),
        "next": after,
    }


# The second process has no memory for a pass with the token 60, nor for a step with this weight decay.
POOR = """
import os, sys
from torch.optim import AdamW
from distillery_engine.__main__ import main
from distillery_engine.student import Student
was = Student.hidden
def hidden(self, tokens, **more):
    if os.environ["RANK"] == "1" and bool((tokens == 60).any()):
        raise MemoryError
    return was(self, tokens, **more)
Student.hidden = hidden
moved = AdamW.step
def step(self, *more):
    if os.environ["RANK"] == "1" and self.param_groups[0]["weight_decay"] == 0.75:
        raise MemoryError
    return moved(self, *more)
AdamW.step = step
main()
"""


@pytest.mark.parametrize("sharding", ["none", "full"])
def test_all_processes_stop_together(folder_of, tmp_path, sharding):
    (tmp_path / "poor.py").write_text(POOR)
    process = Process(sys.executable, *TORCHRUN[:-2], str(tmp_path / "poor.py"), "--sharding", sharding)
    try:
        student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
        settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, "microBatchTokens": 16}
        many = examples(random_rows(6001, vocabulary=60))
        number = process.send("supervisedStep", id=student, examples=many, **settings)
        assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
        process.cancel(number)
        assert process.answer(number)["error"]["code"] == -32800
        error = process.answer(process.send("open", student="/nowhere", adapter=None, seed=1))["error"]
        assert error["data"]["code"] == "missing"
        rows = examples(random_rows(vocabulary=60))
        assert process.ask("supervisedStep", id=student, examples=rows, **settings)["gradNorm"] > 0
        last = random_rows(vocabulary=60)
        last[-1][0][0] = 60
        error = process.answer(process.send("supervisedStep", id=student, examples=examples(last), **settings))["error"]
        assert "microBatchTokens" in error["data"]["remedy"]
        if sharding == "none":  # in "full" the first process was in a pass that could not end
            assert process.ask("supervisedStep", id=student, examples=rows, **settings)["gradNorm"] > 0
            settings["weightDecay"] = 0.75  # only the first process makes this step
            error = process.answer(process.send("supervisedStep", id=student, examples=rows, **settings))["error"]
            assert error["data"]["code"] == "memory"
        assert process.child.wait(60) != 0
    finally:
        process.child.kill()


# The second process has no memory outside of a pass: where gradients are summed, or where a snapshot replaces weights.
POOR_BETWEEN = """
import os, sys
from distillery_engine import weights
from distillery_engine.__main__ import main
from distillery_engine.processes import Processes
def fail(*_):
    raise MemoryError
where = sys.argv.pop(1)
if os.environ["RANK"] == "1" and where == "gradients":
    Processes.add_up = fail
if os.environ["RANK"] == "1" and where == "snapshot":
    weights.restore = fail
main()
"""


@pytest.mark.parametrize(("where", "sharding"), [("gradients", "none"), ("snapshot", "full")])
def test_a_failure_of_one_process_ends_all(folder_of, tmp_path, where, sharding):
    (tmp_path / "poor.py").write_text(POOR_BETWEEN)
    process = Process(sys.executable, *TORCHRUN[:-2], str(tmp_path / "poor.py"), where, "--sharding", sharding)
    try:
        unsupported = process.answer(process.send("open", student=folder_of("bert"), adapter=None, seed=1))["error"]
        assert "family bert" in unsupported["data"]["message"]
        student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
        rows = examples(random_rows())
        if where == "gradients":
            number = process.send("supervisedStep", id=student, examples=rows, learningRate=1e-2, seed=3, **SETTINGS)
        else:
            name = process.ask("snapshot", id=student)["snapshot"]
            number = process.send(
                "logProbs", id=student, examples=rows, temperature=1, microBatchTokens=64, snapshot=name
            )
        assert process.answer(number)["error"]["data"]["code"] == "memory"
        assert process.child.wait(60) != 0
    finally:
        process.child.kill()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the processes in /proc")
@pytest.mark.parametrize("lost", [0, 1])
def test_the_loss_of_a_process_ends_the_others(folder_of, lost):
    process = Process(sys.executable, *TORCHRUN)
    try:
        student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
        children = Path(f"/proc/{process.child.pid}/task/{process.child.pid}/children").read_text().split()
        rank = f"LOCAL_RANK={lost}".encode()
        victim = next(one for one in children if rank in Path(f"/proc/{one}/environ").read_bytes().split(b"\0"))
        settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, "microBatchTokens": 16}
        many = examples(random_rows(20_000))
        number = process.send("supervisedStep", id=student, examples=many, **settings)
        assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
        os.kill(int(victim), signal.SIGKILL)
        assert process.child.wait(120) != 0
        assert b'"error"' not in process.child.stdout.read()  # the client counts it as lost, and starts it again
        process.listener.join(120)  # until nothing holds the log any more
        assert not process.listener.is_alive()
        # Its own doing: torchrun would kill it after half a minute.
        assert b"another process of this engine is lost" in b"".join(process.log)
    finally:
        process.child.kill()
