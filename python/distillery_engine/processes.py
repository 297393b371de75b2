"""The processes of one engine (torchrun): the first talks to the client; all do the same work, each on its share."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.distributed.device_mesh import init_device_mesh

from .errors import as_engine_error

T = TypeVar("T")
# Idle processes wait for the next request without a limit.
PATIENCE = timedelta(days=100)
# Seconds until the others must have failed like this process.
GRACE = 10.0
# Gradients are summed in pieces of about this many numbers.
BUCKET = 1 << 24


@contextlib.contextmanager
def unless_lost() -> Iterator[None]:
    """For communication outside of computations: if it fails, another process has died, and this one ends, too."""
    try:
        yield
    except RuntimeError as error:
        print(f"another process of this engine is lost: {error}", file=sys.stderr, flush=True)
        os._exit(1)


class Processes:
    def __init__(self) -> None:
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.local = int(os.environ.get("LOCAL_RANK", 0))
        self.control: Any = None
        self.store: Any = None
        if self.world > 1:
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend, timeout=PATIENCE)
            self.control = dist.new_group(backend="gloo", timeout=PATIENCE)
            host = os.environ.get("MASTER_ADDR", "127.0.0.1")
            first = TCPStore(host, 0, is_master=True, wait_for_workers=False) if self.rank == 0 else None
            port = self.broadcast(first.port if first else None)
            self.store = first or TCPStore(host, port, is_master=False, wait_for_workers=False)

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

    def give_up(self, fault: Exception) -> None:
        """Others may wait for this process within a pass, which only the end of their process interrupts."""
        self.store.set("fault", pickle.dumps(fault))

    def fault(self) -> Exception | None:
        """The error for which one of the processes has given up: the first one reports it and ends the engine."""
        if self.store is None or not self.store.check(["fault"]):
            return None
        return pickle.loads(self.store.get("fault"))

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

    def tell_cancelled(self, request: int) -> None:
        if self.store is not None:
            self.store.set(f"cancelled/{request}", "1")

    def is_cancelled(self, request: int) -> bool:
        return self.store is not None and bool(self.store.check([f"cancelled/{request}"]))

    def close(self) -> None:
        if self.world > 1:
            dist.destroy_process_group()
