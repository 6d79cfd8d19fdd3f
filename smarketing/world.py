"""The real world behind the `World` protocol: the standard library's clock, sleep, randomness and threads."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

from connectors.world import Task


class Thread:
    """A thread that hands its error to whoever joins it."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error

    def join(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error


class RealWorld:
    """Effects for real. `pause` lets nothing else happen; it only refuses to be called inside a transaction."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._random = random.Random()  # noqa: S311  jitter needs no secrecy
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.pause("sleep")
        time.sleep(seconds)

    def random(self) -> float:
        return self._random.random()

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        return Thread(name, work)

    def lock(self) -> contextlib.AbstractContextManager[object]:
        return threading.Lock()

    def pause(self, label: str) -> None:
        if getattr(self._here, "depth", 0):
            raise RuntimeError(f"{label!r} inside a transaction")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    def owner(self) -> str:
        return self._owner

    def alive(self, owner: str) -> bool:
        host, _, rest = owner.partition(":")
        pid = rest.partition(":")[0]
        if host != socket.gethostname() or not pid.isdigit():
            return True
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return int(pid) != os.getpid() or owner == self._owner
