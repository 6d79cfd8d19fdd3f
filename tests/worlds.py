"""A World for tests: its clock moves only when somebody sleeps, its randomness has a seed, its units run at once."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator

from connectors.world import MICROSECONDS

START = 1_767_225_600 * MICROSECONDS
"""The first moment of 2026 in UTC."""


class Ended:
    """A unit that has run already."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    def join(self) -> None:
        if self._error is not None:
            raise self._error


def at_once(work: Callable[[], None]) -> Ended:
    """Run a unit where others would begin it."""
    try:
        work()
    except BaseException as error:
        return Ended(error)
    return Ended(None)


class ManualWorld:
    """`jump` sets the wall clock off, as a correction of the time would; the monotonic clock does not notice.

    `pauses` are the labels of all boundaries passed so far. An emulator's server may read the clock from its threads.
    """

    def __init__(self, seed: int = 0, start: int = START) -> None:
        self.pauses: list[str] = []
        self._wall = start
        self._passed = 0.0
        self._random = random.Random(seed)
        self._depth = 0

    def now(self) -> int:
        return self._wall + int(self._passed * MICROSECONDS)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.pause("sleep")
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        self._wall += int(seconds * MICROSECONDS)

    def random(self) -> float:
        return self._random.random()

    def spawn(self, name: str, work: Callable[[], None]) -> Ended:
        return at_once(work)

    def lock(self) -> contextlib.AbstractContextManager[object]:
        return threading.Lock()

    def pause(self, label: str) -> None:
        if self._depth:
            raise RuntimeError(f"{label!r} inside a transaction")
        self.pauses.append(label)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def owner(self) -> str:
        return "test"

    def alive(self, owner: str) -> bool:
        return owner == "test"
