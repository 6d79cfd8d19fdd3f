"""The engine alone: a first sync, a run after one in a hundred changed, a run without changes.

Over systems that hold nothing, on SQLite in a file. Each size runs in a process of its own, so that its memory can be
told; beside it stands what it costs merely to carry out the very same statements with `sqlite3`.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.clock import Stopwatch
from benchmarks.made_up import KINDS, MadeUp
from benchmarks.memory import peak
from benchmarks.replay import Tape, replay
from benchmarks.table import Line
from smarketing.process import collect_seldom
from sync.engine import Engine, Settings
from sync.guard import Limit, Limits
from sync.model import System
from sync.rules import Rules
from sync.run import sync
from sync.store import feeds
from sync.store.db import Store, create

ALL = Limit(1_000_000_000, 1.0)
NO_LIMITS = Limits(ALL, ALL, ALL, ALL, ALL, ALL)
PARTS = ("pull", "decide", "push")
TARGET = 300.0
"""Microseconds of processor time for each lead of a first sync."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pass:
    """One run. `spent`: part → seconds of processor time; `cpu`: all of it but the systems' own."""

    spent: dict[str, float]
    cpu: float
    wall: float
    requests: int
    written: int
    reviews: int


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """`peak`: MiB; `raw`: seconds that the first run's statements take by themselves."""

    leads: int
    first: Pass
    changed: Pass
    idle: Pass
    peak: int
    size: int
    digests: dict[str, str]
    raw: float | None = None


class Installed:
    """Three systems of so many people, and the engine over them."""

    def __init__(self, file: Path, leads: int) -> None:
        self.world = Stopwatch()
        self.store = Store(f"sqlite:///{file}", self.world)
        create(self.store)
        self.systems = {name: MadeUp(name, leads) for name in KINDS}
        with self.store.tx() as tx:
            ids = {name: feeds.enrol(tx, name, "made up") for name in KINDS}
        order = {ids[name]: rank for rank, name in enumerate(KINDS)}
        trust = (ids["second"], ids["first"], ids["third"])
        self.engine = Engine(
            self.store,
            self.world,
            {
                ids[name]: System(ids[name], name, rank, kind.mapping(), self.systems[name].capabilities)
                for rank, (name, kind) in enumerate(KINDS.items())
            },
            {ids[name]: each for name, each in self.systems.items()},
            Settings(rules=Rules(trust=trust, order=order), limits=NO_LIMITS, first="apply"),
        )

    def run(self) -> Pass:
        before = self._requests(), self._written()
        self.world.begin()
        cpu, wall = time.process_time(), time.perf_counter()
        report = sync(self.engine, "benchmark", "measured")
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        spent = dict(self.world.spent)
        return Pass(
            spent,
            cpu - spent.get("systems", 0.0),
            wall,
            self._requests() - before[0],
            self._written() - before[1],
            report.reviews,
        )

    def _requests(self) -> int:
        return sum(each.counted.total() for each in self.systems.values())

    def _written(self) -> int:
        return sum(each.written.total() for each in self.systems.values())


def measure(leads: int, folder: Path, *, beside: bool = False) -> Measured:
    """Run three times in this process. `beside`: take down what is written, and carry it out once more by itself: the
    figures of the engine then hold the taking down."""
    file = folder / "engine.db"
    there = Installed(file, leads)
    if beside:
        with Tape(folder / "tape") as tape:
            first = there.run()
        raw = replay(tape.file, file, folder / "raw.db")
    else:
        first, raw = there.run(), None
    there.systems["first"].edit()
    changed = there.run()
    idle = there.run()
    there.store.close()
    digests = {name: each.digest() for name, each in there.systems.items()}
    return Measured(leads, first, changed, idle, peak(), file.stat().st_size, digests, raw)


def measure_apart(leads: int, *, beside: bool = False) -> Measured:
    """The same in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "benchmarks.engine", str(leads), folder, *(["beside"] if beside else [])]
        done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return msgspec.json.decode(done.stdout, type=Measured)


def lines(leads: int) -> Iterator[Line]:
    small = min(leads, 20_000)
    taken = measure_apart(small, beside=True)
    assert taken.raw is not None
    one = measure_apart(small)
    many = measure_apart(leads) if leads > small else one
    told = f"engine, {leads:,} leads"
    first = many.first
    micro = 1e6 / leads
    yield Line(f"{told}, first sync: processor time", first.cpu * micro, TARGET, "µs a lead", at_most=True)
    for part in PARTS:
        yield Line(f"  {part}", first.spent.get(part, 0.0) * micro, None, "µs a lead")
    yield Line("  the same rows by sqlite3 alone", taken.raw * 1e6 / small, None, "µs a lead")
    yield Line("  the engine beside those rows", first.cpu / leads / (taken.raw / small), None, "times")
    yield Line("  throughput by the clock", leads / first.wall, None, "leads a second")
    yield Line("  operations written", first.written, None, "operations")
    yield Line("  questions left open", first.reviews, None, "questions")
    edited = -(-leads // 100)
    changed = many.changed
    beside = one.changed.cpu * 1e6 / -(-small // 100)
    yield Line(f"{told}, 1 % changed: processor time", changed.cpu * 1e6 / edited, beside, "µs an edit")
    yield Line("  operations written", changed.written, None, "operations")
    yield Line(f"{told}, nothing changed: processor time", many.idle.cpu * 1000, one.idle.cpu * 1000, "ms")
    yield Line("  requests", many.idle.requests, len(KINDS), "requests", at_most=True)
    yield Line(f"peak memory at {leads:,} leads, beside {small:,}", many.peak, one.peak * 1.1, "MiB", at_most=True)
    yield Line("database", many.size / 2**20, one.size / 2**20, "MiB")


def main(words: list[str]) -> None:
    collect_seldom()
    found = measure(int(words[0]), Path(words[1]), beside="beside" in words[2:])
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main(sys.argv[1:])
