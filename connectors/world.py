"""The one door for effects.

Clock, sleep, randomness and concurrency reach the code only through a `World` that is handed in. The real one
(`smarketing/world.py`) wraps the standard library; the simulator's decides every order of events.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

MICROSECONDS = 1_000_000


class Task(Protocol):
    """Work under way, started by `World.spawn`."""

    def join(self) -> None:
        """Wait until the work has ended; raise what it raised."""


class World(Protocol):
    """Everything a unit of work may do to the outside besides talking to a store or a vendor."""

    def now(self) -> int:
        """Wall clock: microseconds since 1970 in UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; for measuring and waiting."""

    def sleep(self, seconds: float) -> None:
        """Wait. Another unit may go on meanwhile."""

    def random(self) -> float:
        """A number in [0, 1), for jitter."""

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        """Start `work` beside the caller."""

    def lock(self) -> AbstractContextManager[object]:
        """A new mutual exclusion between spawned units."""

    def pause(self, label: str) -> None:
        """A boundary between two effects: the place where another unit may go on, or this one may die.

        Raises RuntimeError when the caller holds a transaction: no request is ever made inside one.
        """

    def transaction(self) -> AbstractContextManager[object]:
        """Marks the span in which the caller holds a transaction."""

    def owner(self) -> str:
        """Who we are, for leases: one name per process, unlike any earlier one."""

    def alive(self, owner: str) -> bool:
        """Whether that owner may still be at work. True when it cannot be told."""
