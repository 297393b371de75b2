"""The program itself: messages on pipes, errors, cancellation, exit."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import LORA, SETTINGS, examples, pack_rows, random_rows
from safetensors import SafetensorError

from distillery_engine.errors import EngineError, as_engine_error
from distillery_engine.wire import pack, read_message, unpack, unpack_rows, write_message

ROOT = str(Path(__file__).parents[1])


class Process:
    """An engine, started the way a client starts it."""

    def __init__(self, *command: str) -> None:
        environment = {**os.environ, "PYTHONPATH": ROOT, "OMP_NUM_THREADS": "1"}
        command = command or (sys.executable, "-m", "distillery_engine")
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        self.log: list[bytes] = []
        self.listener = threading.Thread(target=lambda: self.log.extend(self.child.stderr), daemon=True)
        self.listener.start()
        self.notes: list[dict] = []
        self.number = 0

    def send(self, method: str, **params) -> int:
        self.number += 1
        write_message(self.child.stdin, {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        return self.number

    def cancel(self, number: int) -> None:
        write_message(self.child.stdin, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}})

    def answer(self, number: int, until=lambda _note: False):
        """The answer to a request; None as soon as a notification satisfies `until`."""
        while (message := read_message(self.child.stdout)) is not None:
            if message.get("id") == number:
                return message
            self.notes.append(message)
            if until(message):
                return None
        raise AssertionError(b"".join(self.log).decode())

    def ask(self, method: str, **params):
        answer = self.answer(self.send(method, **params))
        assert "result" in answer, answer
        return answer["result"]

    def end(self) -> int:
        self.child.stdin.close()
        code = self.child.wait(60)
        self.listener.join(60)
        return code


@pytest.fixture
def process():
    started = Process()
    yield started
    started.child.kill()
    started.child.wait()


def test_a_message_goes_there_and_back():
    pipe = io.BytesIO()
    write_message(pipe, {"x": [float("nan"), float("inf"), -float("inf"), 1.5], "y": "ä"})
    pipe.seek(0)
    assert read_message(pipe) == {"x": ["NaN", "Infinity", "-Infinity", 1.5], "y": "ä"}
    assert read_message(pipe) is None
    with pytest.raises(ValueError, match="Content-Length"):
        read_message(io.BytesIO(b"Something: else\r\n\r\n{}"))


def test_arrays_go_there_and_back():
    rows = [[1, 2, 3], [], [-4]]
    assert [row.tolist() for row in unpack_rows(pack_rows(rows, "<i4"), "<i4")] == rows
    assert unpack_rows(pack_rows([], "<i4"), "<i4") == []
    assert unpack(pack([1.5, -2], "<f4"), "<f4").tolist() == [1.5, -2]
    assert pack([1], "<i4") == "AQAAAA=="
    with pytest.raises(EngineError):
        unpack("???", "<f4")
    with pytest.raises(EngineError):
        unpack_rows({"lengths": pack([2], "<i4"), "values": pack([1], "<i4")}, "<i4")


def test_a_session(process, folder_of):
    hello = process.ask("hello", protocol=1, client="test")
    assert hello["engine"] == "distillery-engine"
    assert hello["versions"]["torch"] == torch.__version__
    opened = process.ask("open", student=folder_of("llama"), adapter=LORA, seed=1)
    assert opened["facts"]["maxPositions"] == 64
    assert 0 < opened["facts"]["trainable"] < opened["facts"]["parameters"]
    settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3}
    rows = examples(random_rows())
    losses = [process.ask("supervisedStep", id=opened["id"], examples=rows, **settings)["loss"] for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert process.ask("close", id=opened["id"]) == {}
    assert "No student" in process.answer(process.send("loss", id=opened["id"]))["error"]["message"]
    assert process.ask("shutdown") == {}
    assert process.child.wait(60) == 0
    assert process.child.stdout.read() == b""


def test_faults_have_codes(process, folder_of):
    assert process.ask("hello", protocol=2)["protocol"] == 1  # the client compares
    assert process.answer(process.send("fly"))["error"]["data"]["code"] == "config"
    error = process.answer(process.send("open", student="/nowhere", adapter=None, seed=1))["error"]["data"]
    assert error["code"] == "missing"
    assert error["file"] == "/nowhere"
    assert process.ask("hello", protocol=1)["protocol"] == 1
    assert process.end() == 0


def test_a_cancelled_request_has_changed_nothing(process, folder_of):
    student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
    rows = examples(random_rows())
    loss = process.ask("loss", id=student, examples=rows, microBatchTokens=64)
    many = examples(random_rows(3000))
    settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, "microBatchTokens": 16}
    number = process.send("supervisedStep", id=student, examples=many, **settings)
    assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
    note = process.notes[-1]["params"]
    assert note["request"] == number
    assert 0 < note["done"] < note["total"] == 3000
    waiting = process.send("supervisedStep", id=student, examples=rows, **settings)
    process.cancel(waiting)
    process.cancel(number)
    assert process.answer(number)["error"]["code"] == -32800
    assert process.answer(waiting)["error"]["code"] == -32800
    assert process.ask("loss", id=student, examples=rows, microBatchTokens=64) == loss


def test_sampling_is_cancelled_between_tokens(process, folder_of):
    student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
    number = process.send(
        "sample",
        id=student,
        prompts=pack_rows([[5, 6]] * 2000, "<i4"),
        groupSize=1,
        sampling=dict(temperature=1, topK=0, topP=1, minP=0),
        maxNewTokens=60,
        eosIds=[],
        seed=1,
        stream=[],
        maxRows=4,
    )
    assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
    drafts = unpack_rows(process.notes[-1]["params"]["drafts"], "<i4")
    assert len(drafts) == 2000
    assert len(drafts[0]) == 60
    process.cancel(number)
    assert process.answer(number)["error"]["code"] == -32800


def test_the_end_of_the_pipe_ends_it_at_work(process, folder_of):
    student = process.ask("open", student=folder_of("llama"), adapter=None, seed=1)["id"]
    settings = {**SETTINGS, "learningRate": 1e-2, "seed": 3, "microBatchTokens": 16}
    number = process.send("supervisedStep", id=student, examples=examples(random_rows(20_000)), **settings)
    assert process.answer(number, until=lambda note: note["params"]["done"] > 0) is None
    assert process.end() == 0


def test_what_others_print_goes_to_the_log(folder_of):
    code = "import os, runpy, sys; sys.argv = ['x']; from distillery_engine import engine; was = engine.Engine.hello\n"
    code += "def hello(*a):\n    print('printed'); os.write(1, b'written')\n    return was(*a)\n"
    code += "engine.Engine.hello = hello\nfrom distillery_engine.__main__ import main\nmain()"
    process = Process(sys.executable, "-c", code)
    assert process.ask("hello", protocol=1)["protocol"] == 1
    assert process.end() == 0
    assert b"printed" in b"".join(process.log)
    assert b"written" in b"".join(process.log)


@pytest.mark.parametrize(
    ("error", "method", "code", "words"),
    [
        (MemoryError(), "sample", "memory", "maxNewTokens"),
        (torch.OutOfMemoryError("CUDA out of memory."), "grpoStep", "memory", "microBatchTokens"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "supervisedStep", "memory", "checkpointing"),
        (OSError(28, "No space left on device"), "save", "disk", "space"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "save", "disk", "space"),
        (RuntimeError("CUDA error: device-side assert"), "sample", "backend", "again"),
        (ImportError("No module named 'peft'"), "open", "backend", "repair"),
        (KeyError("groupSize"), "sample", "backend", "defect"),
    ],
)
def test_failures_are_told_with_a_remedy(error, method, code, words):
    known = as_engine_error(error, method)
    assert known.code == code
    assert words in known.remedy


def test_memory_that_is_not_there(client, folder_of):
    """A real failed allocation leaves the weights unchanged."""
    student = client.open(folder_of("llama"))
    before, rows = client.weights(student), random_rows()
    trainer = client.engine.trainers[student]
    trainer.student.head.register_forward_hook(lambda *_: torch.empty(1 << 50))
    with pytest.raises(RuntimeError) as raised:
        client.supervised(student, rows)
    assert as_engine_error(raised.value, "supervisedStep").code == "memory"
    assert all(torch.equal(before[name], value) for name, value in client.weights(student).items())
    assert all(parameter.grad is None for parameter in trainer.student.trained.values())
    assert np.isfinite([float(value.sum()) for value in before.values()]).all()
