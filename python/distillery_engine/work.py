"""A request in progress: whether it was cancelled, and its progress."""

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
        # Once the weights have changed, an update is no longer cancelled.
        self.shielded = False

    def begin(self, total: int) -> None:
        self.done, self.total = 0, total

    def check(self, agreed: Callable[[bool], bool] = bool) -> None:
        """
        Called between two micro-batches or decoding steps. Raises Cancelled. In lockstep, `agreed` combines the answers
        of all processes, so that they stop at the same place.
        """
        if not self.shielded and agreed(self.cancelled()):
            raise Cancelled

    def advance(self, done: Callable[[], int], more: Callable[[], dict[str, Any]] = dict) -> None:
        """Reports progress at intervals; `done` and `more` are called only for a report."""
        if time.monotonic() - self.told >= INTERVAL:
            self.report({"done": done(), "total": self.total, **more()})
            self.told = time.monotonic()
