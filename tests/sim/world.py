"""Time, chance and concurrency of a simulation: one thread, one seed, every order of events decided here.

Each would-be thread is a greenlet that gives way at every `pause` and `sleep`; the seed picks who goes on. A killed
process is a world that is dead: whatever its units still try raises `Dead`, so that no `finally` of theirs counts.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator

import greenlet

from connectors.world import MICROSECONDS

START = 1_767_225_600 * MICROSECONDS


class Dead(BaseException):
    """This process was killed; nothing it does takes effect any more."""


class Unit:
    """A would-be thread."""

    def __init__(self, name: str, work: Callable[[], None], world: SimWorld, hub: Hub) -> None:
        self.name, self.world, self.hub = name, world, hub
        self.wake = 0.0
        self.done = False
        self.error: BaseException | None = None
        self.greenlet = greenlet.greenlet(self._run, hub.main)
        self._work = work

    def _run(self) -> None:
        try:
            self._work()
        except Dead:
            pass
        except BaseException as error:
            self.error = error
        self.done = True

    def join(self) -> None:
        while not self.done:
            self.world.pause("join")
        if self.error is not None:
            raise self.error


class Hub:
    """Picks who goes on. `passed`: seconds of virtual time; `jump`: how far the wall clock is off."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.passed = 0.0
        self.jump = 0
        self.units: list[Unit] = []
        self.current: Unit | None = None
        self.steps = 0
        self._trace = hashlib.sha256()
        self.main = greenlet.getcurrent()
        self._graves: list[Unit] = []

    def spawn(self, name: str, work: Callable[[], None], world: SimWorld) -> Unit:
        unit = Unit(name, work, world, self)
        self.units.append(unit)
        return unit

    def step(self) -> None:
        """Let one unit go on until it next gives way."""
        awake = [unit for unit in self.units if unit.wake <= self.passed]
        if not awake:
            self.passed = min(unit.wake for unit in self.units)
            awake = [unit for unit in self.units if unit.wake <= self.passed]
        unit = awake[int(self.random.random() * len(awake))]
        self.passed += self.random.random() * 0.2
        self.steps += 1
        self.current = unit
        unit.greenlet.switch()
        self.current = None
        if unit.done:
            self.units.remove(unit)
            if unit.error is not None and not unit.world.spawned:
                raise unit.error

    def give_way(self, label: str) -> None:
        """Called by a unit: somebody else may go on."""
        unit = self.current
        if unit is None or greenlet.getcurrent() is not unit.greenlet:
            return  # the simulation itself is looking
        self._trace.update(f"{unit.name}:{label}\n".encode())
        self.main.switch()
        if unit.world.dead:
            raise Dead

    def kill(self, world: SimWorld) -> None:
        world.dead = True
        self._graves += [unit for unit in self.units if unit.world is world]
        self.units = [unit for unit in self.units if unit.world is not world]

    def bury(self) -> None:
        """End every unit, so that none is left half-way when the simulation is thrown away."""
        for unit in [*self._graves, *self.units]:
            unit.world.dead = True
            while unit.greenlet and not unit.greenlet.dead:
                self.current = unit
                unit.greenlet.throw(Dead)
        self.current = None

    def note(self, what: str) -> None:
        """Make something part of the trace."""
        self._trace.update(what.encode() + b"\n")

    def trace(self) -> str:
        return self._trace.hexdigest()


class SimWorld:
    """The World of one process, from its start to its death."""

    def __init__(self, hub: Hub, number: int) -> None:
        self.hub, self.number = hub, number
        self.dead = False
        self.spawned = False
        self._depth = 0

    def now(self) -> int:
        self._alive()
        return START + int(self.hub.passed * MICROSECONDS) + self.hub.jump

    def monotonic(self) -> float:
        return self.hub.passed

    def sleep(self, seconds: float) -> None:
        self._alive()
        if self.hub.current is not None:
            self.hub.current.wake = self.hub.passed + seconds
        self.pause("sleep")

    def random(self) -> float:
        return self.hub.random.random()

    def spawn(self, name: str, work: Callable[[], None]) -> Unit:
        self._alive()
        return self.hub.spawn(f"{self.number}/{name}", work, self)

    def lock(self) -> contextlib.AbstractContextManager[object]:
        return _Lock(self)

    def pause(self, label: str) -> None:
        self._alive()
        if self._depth:
            raise RuntimeError(f"{label!r} inside a transaction")
        self.hub.give_way(label)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._alive()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def owner(self) -> str:
        return f"sim:{self.number}"

    def alive(self, owner: str) -> bool:
        return owner == self.owner()

    def _alive(self) -> None:
        if self.dead:
            raise Dead


class _Lock:
    def __init__(self, world: SimWorld) -> None:
        self._world = world
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            self._world.pause("lock")
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False
