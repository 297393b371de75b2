"""A request while it is worked on: whether it was cancelled, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .errors import Cancelled

Report = Callable[[dict[str, Any]], None]
# Seconds between two reports of progress.
INTERVAL = 1.0


class Work:
    def __init__(self, cancelled: Callable[[], bool], report: Report) -> None:
        self.cancelled = cancelled
        self.report = report
        self.done, self.total = 0, 0
        self.told = time.monotonic()
        # Once the weights have changed, an update is seen through.
        self.shielded = False

    def begin(self, total: int) -> None:
        self.done, self.total = 0, total

    def check(self, agreed: Callable[[bool], bool] = bool) -> None:
        """
        Between two micro-batches or decoding steps. Raises Cancelled; of processes that go on together, `agreed` makes
        one answer of all of theirs.
        """
        if not self.shielded and agreed(self.cancelled()):
            raise Cancelled

    def advance(self, done: Callable[[], int], more: Callable[[], dict[str, Any]] = dict) -> None:
        """`done` and what is told beside it are asked for only when it is time to tell."""
        if time.monotonic() - self.told >= INTERVAL:
            self.report({"done": done(), "total": self.total, **more()})
            self.told = time.monotonic()
