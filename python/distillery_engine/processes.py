"""The processes of one engine (torchrun): the first talks to the client; all do the same work, each on its share."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from multiprocessing.connection import Client, Connection, Listener, wait
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh

from .errors import as_engine_error

T = TypeVar("T")
# Idle processes wait for the next request without a limit.
PATIENCE = timedelta(days=100)
# Seconds until the others must have failed like this process.
GRACE = 10.0
# Gradients are summed in pieces of about this many numbers.
BUCKET = 1 << 24


def end_with(error: Exception) -> NoReturn:
    """Another process has died, and the engine with it: the client starts it again."""
    why = str(error) or "its connection ended"
    print(f"another process of this engine is lost: {why}", file=sys.stderr, flush=True)
    os._exit(1)


@contextlib.contextmanager
def unless_lost() -> Iterator[None]:
    """For communication outside of computations: if it fails, another process has died."""
    try:
        yield
    except RuntimeError as error:
        end_with(error)


class Processes:
    def __init__(self) -> None:
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.local = int(os.environ.get("LOCAL_RANK", 0))
        # Requests that the client has cancelled.
        self.cancelled: set[int] = set()
        # The error that has stopped one of the processes: the first one reports it and ends the engine.
        self.failure: Exception | None = None
        self.closing = False
        self.control: Any = None
        self.links: list[Connection] = []
        if self.world > 1:
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend, timeout=PATIENCE)
            self.control = dist.new_group(backend="gloo", timeout=PATIENCE)
            self.links = self.connect()
            threading.Thread(target=self.listen, daemon=True).start()

    def connect(self) -> list[Connection]:
        """Connections between the first process and each other one, for messages while they compute."""
        if self.rank > 0:
            port, key = self.broadcast(None)
            return [Client((os.environ.get("MASTER_ADDR", "127.0.0.1"), port), authkey=key)]
        key = secrets.token_bytes(32)
        with Listener(("", 0), backlog=self.world, authkey=key) as listener:
            self.broadcast((listener.address[1], key))
            return [listener.accept() for _ in range(1, self.world)]

    def listen(self) -> None:
        """
        A connection ends when the process at its other end does, however it ended. Without this thread, the others
        would notice only where they need it next, and torchrun kills them only after half a minute.
        """
        while True:
            for link in wait(self.links):
                assert isinstance(link, Connection)
                try:
                    said = link.recv()
                except (EOFError, OSError) as error:
                    if self.closing:
                        return
                    end_with(error)
                if isinstance(said, Exception):
                    self.failure = said
                else:
                    self.cancelled.add(said)

    def device(self, name: str) -> torch.device:
        """The device of this process: each process of a machine has its own GPU."""
        return torch.device("cuda", self.local) if name == "cuda" else torch.device(name)

    def mesh(self, device: torch.device) -> Any:
        """All processes as one dimension, for torch.distributed's tensors."""
        if device.type == "cuda":
            torch.cuda.set_device(device)
        return init_device_mesh(device.type, (self.world,))

    def broadcast(self, value: Any) -> Any:
        """The first process's value, in all processes."""
        if self.world == 1:
            return value
        holder = [value]
        with unless_lost():
            dist.broadcast_object_list(holder, src=0, group=self.control)
        return holder[0]

    def share(self, items: Sequence[T]) -> list[tuple[int, T]]:
        """This process's share of the items, with their indices."""
        return list(enumerate(items))[self.rank :: self.world]

    def together(self, method: str, work: Callable[[], T], lockstep: bool = False) -> list[T]:
        """
        The results of `work` in all processes. If it fails or is cancelled in one, the same is raised in all, so that
        none waits for one that has failed. In lockstep the processes need each other within `work`, or must end it in
        the same state, so an unexpected failure in one of them ends the engine.
        """
        if self.world == 1:
            return [work()]
        own, fault, timer = None, None, None
        try:
            own = work()
        except Exception as error:
            fault = as_engine_error(error, method)
            if fault is not error:
                traceback.print_exception(error, file=sys.stderr)
            if lockstep and fault is error:  # raised on purpose, so the others raise it, too
                timer = threading.Timer(GRACE, self.give_up, [fault])
                timer.start()
            elif lockstep:
                self.give_up(fault)
        outcomes: list[Any] = [None] * self.world
        with unless_lost():
            dist.all_gather_object(outcomes, (own, fault), group=self.control)
        if timer is not None:
            timer.cancel()
        for _, other in outcomes:
            if other is not None:
                raise other
        return [result for result, _ in outcomes]

    def give_up(self, failure: Exception) -> None:
        """Others may wait for this process within a pass, which only the end of their process interrupts."""
        if self.rank > 0:
            self.links[0].send(failure)
        else:
            self.failure = failure

    def cancel(self, request: int) -> None:
        """In the first process: all of them end this request early."""
        self.cancelled.add(request)
        for link in self.links:
            with contextlib.suppress(OSError):  # `listen` ends this process
                link.send(request)

    def any(self, said: bool) -> bool:
        """Whether it is true in one of the processes."""
        if self.world == 1:
            return said
        holder = torch.tensor(int(said))
        with unless_lost():
            dist.all_reduce(holder, dist.ReduceOp.MAX, group=self.control)
        return bool(holder.item())

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its sum over the processes."""
        if self.world == 1:
            return
        bucket: list[Tensor] = []
        for i, tensor in enumerate(tensors):
            bucket.append(tensor)
            if i + 1 == len(tensors) or sum(t.numel() for t in bucket) >= BUCKET:
                flat = torch.cat([t.flatten() for t in bucket])
                dist.all_reduce(flat)
                for t, total in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
                    t.copy_(total.view_as(t))
                bucket = []

    def close(self) -> None:
        """In all processes at once, so that none counts as lost."""
        if self.world > 1:
            self.closing = True
            with unless_lost():
                dist.barrier(self.control)
            dist.destroy_process_group()
