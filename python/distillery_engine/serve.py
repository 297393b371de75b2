"""
The loop: a separate thread reads requests, so that one can be cancelled; they are processed one after the other.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from .engine import Engine
from .errors import Cancelled, EngineError, as_engine_error
from .processes import Processes
from .wire import Message, read_message, write_message
from .work import Work

CANCELLED = -32800
FAILED = -32000
# After this many seconds of silence the last progress is sent again: micro-batches of big students take longer.
SILENCE = 3.0
# Seconds from the end of the input to the end of the process, even if it is still working.
GRACE = 5.0


class Server:
    """Talks to the client in the first process."""

    def __init__(self, inward: BinaryIO, outward: BinaryIO, engine: Engine, processes: Processes) -> None:
        self.inward, self.outward = inward, outward
        self.engine, self.processes = engine, processes
        self.requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.current: int | None = None
        self.closed = threading.Event()
        self.lock = threading.RLock()
        self.last: dict[str, Any] = {"done": 0, "total": 0}
        self.told = 0.0

    def run(self) -> None:
        """Serves until the client closes the pipe or sends `shutdown`."""
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.beat, daemon=True).start()
        while (request := self.requests.get()) is not None and not self.closed.is_set():
            self.answer(request)
            if request.get("method") == "shutdown":
                break
            if self.processes.failure is not None:
                os._exit(1)
        self.processes.broadcast(None)

    def read(self) -> None:
        try:
            while (message := read_message(self.inward)) is not None:
                if message.get("method") == "$/cancelRequest":
                    self.processes.cancel(int(message.get("params", {}).get("id", -1)))
                elif "method" in message and "id" in message:
                    self.requests.put(message)
        except (ValueError, OSError) as error:
            print(f"the client sent something that is not a message: {error}", file=sys.stderr)
        # No client reads the answer, so the current request ends between two micro-batches.
        self.closed.set()
        threading.Timer(GRACE, os._exit, [0]).start()
        if self.current is not None:
            self.processes.cancel(self.current)
        self.requests.put(None)

    def beat(self) -> None:
        while not self.closed.wait(SILENCE / 3):
            identity = self.current
            if identity is None:
                continue
            if (error := self.processes.failure) is not None:
                # The thread at work may wait for a process that has failed.
                self.reply(identity, {"error": fault(error, "")})
                os._exit(1)
            if time.monotonic() - self.told > SILENCE:
                self.progress(self.last)

    def progress(self, report: Mapping[str, Any]) -> None:
        request = self.current
        if request is None:
            return
        self.last = {"done": report["done"], "total": report["total"]}
        self.send({"jsonrpc": "2.0", "method": "progress", "params": {"request": request, **report}})

    def send(self, message: Message) -> None:
        with self.lock:
            self.told = time.monotonic()
            try:
                write_message(self.outward, message)
            except (BrokenPipeError, ValueError):
                self.closed.set()

    def answer(self, request: Message) -> None:
        identity, method = request["id"], str(request["method"])
        self.last, self.told = {"done": 0, "total": 0}, time.monotonic()
        self.current = identity
        try:
            work = Work(lambda: identity in self.processes.cancelled or self.closed.is_set(), self.progress)
            self.processes.broadcast((identity, method, request.get("params") or {}))
            reply: Message = {"result": self.engine.handle(method, request.get("params") or {}, work)}
        except Exception as error:
            reply = {"error": fault(error, method)}
        self.reply(identity, reply)

    def reply(self, identity: int, reply: Message) -> None:
        """The answer to the current request; only the first one is sent."""
        with self.lock:
            answered, self.current = self.current != identity, None
            if not answered:  # sent within the lock: `beat` ends the process after its call
                self.send({"jsonrpc": "2.0", "id": identity, **reply})


def fault(error: Exception, method: str) -> Message:
    if isinstance(error, Cancelled):
        return {"code": CANCELLED, "message": "cancelled"}
    known = as_engine_error(error, method)
    if known is not error:
        traceback.print_exception(error, file=sys.stderr)
    assert isinstance(known, EngineError)
    data = {"code": known.code, "message": known.message, "remedy": known.remedy, "file": known.file}
    return {"code": FAILED, "message": known.message, "data": {k: v for k, v in data.items() if v is not None}}


def follow(engine: Engine, processes: Processes) -> None:
    """The loop of the other processes: the same work, until the first one ends."""
    while (request := processes.broadcast(None)) is not None:
        identity, method, params = request
        work = Work(partial(processes.cancelled.__contains__, identity), lambda _: None)
        try:
            engine.handle(method, params, work)
        except Exception as error:  # the first process reports it
            if not isinstance(error, EngineError | Cancelled):
                traceback.print_exception(error, file=sys.stderr)
