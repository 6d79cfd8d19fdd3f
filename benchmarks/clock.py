"""The world of a benchmark: sleeping takes no time, units run one after the other, and the boundaries that the engine
passes tell which part of its work the processor was busy with."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from connectors.world import MICROSECONDS, Task
from smarketing.world import RealWorld
from tests.worlds import at_once

ENDS = {
    "answered": "systems",
    "stored": "pull",
    "computed": "decide",
    "decided": "decide",
    "approved": "decide",
    "claimed": "push",
    "settled": "push",
}
"""Boundary → the part of the work that ends there. Up to "answered" it is a system that works, in this process."""


class Stopwatch(RealWorld):
    """`spent`: part of the work → seconds of this process's processor time."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: dict[str, float] = defaultdict(float)
        self._slept = 0.0
        self._last = time.process_time()

    def now(self) -> int:
        return super().now() + int(self._slept * MICROSECONDS)

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        return at_once(work)

    def pause(self, label: str) -> None:
        super().pause(label)
        now = time.process_time()
        self.spent[ENDS.get(label, "other")] += now - self._last
        self._last = now

    def begin(self) -> None:
        """Forget what was spent so far."""
        self.spent.clear()
        self._last = time.process_time()
