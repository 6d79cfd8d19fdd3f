"""One day in the life of an installation, always the same, that may be disturbed at a place that is named beforehand.

Three systems in memory, of different temper; people who disagree; five times something happens over there, and after
each of them passes until nothing is left to do. A process that dies, or whose database fails it, is started anew and
goes on from what its database holds. What the day leaves behind must be the same whether it was disturbed or not.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from connectors import memory_records as temper
from connectors.base import Fields, Ref, State, WriteKind
from connectors.memory import Memory, MemorySettings
from connectors.memory_system import MemorySystem
from sync import run as runner
from sync.engine import SECOND, Engine, Settings
from sync.guard import Limits
from sync.model import System
from sync.rules import Policy, Rules
from sync.store import feeds, leads, outbox, runs
from sync.store.db import Store, StoreError, create
from sync.store.schema import lead as lead_table
from tests.secrets import NoSecrets
from tests.sim.play import ANY, mapping
from tests.worlds import ManualWorld

BATCH = dict.fromkeys(WriteKind, 2)
TEMPERS = {
    1: replace(temper.CONDITIONAL, batch=BATCH, page=2, lag=0.0, horizon=150.0),
    2: replace(temper.PLAIN, batch=BATCH, page=3, cut={"title": 14}, horizon=200.0),
    3: replace(temper.COERCING, batch=BATCH, page=2, cut={"title": 9}, horizon=120.0, tells_origin=True, history=True),
}
PASSES = 12
"""So many passes at most after each act."""
BETWEEN = 700.0
"""Seconds between two passes: whatever is in doubt has passed its horizon."""


AT_ONCE = 1.0
"""After so many seconds somebody starts a process anew that died: the vendors' feeds do not show yet what it did."""


class Dead(BaseException):
    """This process was killed; nothing it does takes effect any more."""


class Mortal(ManualWorld):
    """The world of one process. `deaths`: the boundaries, counted over the whole day, at which it is killed."""

    def __init__(self, day: Day) -> None:
        super().__init__()
        self._day = day
        self.dead = False

    def now(self) -> int:
        self._alive()
        return self._day.outside.now()

    def monotonic(self) -> float:
        return self._day.outside.monotonic()

    def sleep(self, seconds: float) -> None:
        self.pause("sleep")
        self._day.outside.sleep(seconds)

    def pause(self, label: str) -> None:
        self._alive()
        super().pause(label)
        self._day.boundaries.append(label)
        if len(self._day.boundaries) in self._day.disturbed.deaths:
            self.dead = True
            raise Dead

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._alive()
        with super().transaction():
            yield

    def owner(self) -> str:
        return f"day:{id(self)}"

    def alive(self, owner: str) -> bool:
        return owner == self.owner()

    def _alive(self) -> None:
        if self.dead:
            raise Dead


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What goes wrong. `deaths`: at which boundaries the process is killed; `power`: with the power of the machine,
    so that only what was durable is left; `statement`, `commit`: which of them fails at the database's door, `after`:
    although it was carried out."""

    deaths: frozenset[int] = frozenset()
    power: bool = False
    statement: int = 0
    commit: int = 0
    after: bool = False

    def __str__(self) -> str:
        where = " and ".join(map(str, sorted(self.deaths)))
        if self.deaths:
            return f"{'power cut' if self.power else 'killed'} at boundary {where}"
        what = f"statement {self.statement}" if self.statement else f"commit {self.commit}"
        return f"{what} fails {'after' if self.after else 'before'} its effect"


@dataclass(slots=True)
class Door:
    """Counts what passes the database's door, and fails once, with the driver's own error."""

    disturbed: Disturbed
    error: Callable[[], Exception]
    statements: int = 0
    commits: int = 0
    failed: bool = False

    def guard(self, engine: sa.Engine) -> None:
        dialect: Any = engine.dialect
        commit = dialect.do_commit

        def committing(connection: Any) -> None:
            self.commits += 1
            wanted = self.commits == self.disturbed.commit
            if wanted and not self.disturbed.after:
                self._fail()
            commit(connection)
            if wanted and self.disturbed.after:
                self._fail()

        dialect.do_commit = committing
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            setattr(dialect, name, self._watched(getattr(dialect, name)))

    def _watched(self, carry_out: Callable[..., None]) -> Callable[..., None]:
        def watched(*arguments: Any, **options: Any) -> None:
            self.statements += 1
            wanted = self.statements == self.disturbed.statement
            if wanted and not self.disturbed.after:
                self._fail()
            carry_out(*arguments, **options)
            if wanted and self.disturbed.after:
                self._fail()

        return watched

    def _fail(self) -> None:
        self.failed = True
        raise self.error()


@dataclass(frozen=True, slots=True)
class Size:
    """How many places a day has at which it can be disturbed."""

    boundaries: int = 0
    statements: int = 0
    commits: int = 0


@dataclass(slots=True)
class Left:
    """What a day left behind: what each system holds, and what is known here."""

    systems: dict[int, list[str]]
    leads: int
    reviews: list[str]
    waits: bool
    gone: Counter[str] = field(default_factory=Counter)


UNDISTURBED = Disturbed()


class Day:
    """`url`: an empty database; none: one in memory. `short`: only the first people and their first edits.
    `errors`: what the database said, each ended a process."""

    def __init__(self, disturbed: Disturbed = UNDISTURBED, url: str = "", *, short: bool = False) -> None:
        self.disturbed = disturbed
        self.size = Size()
        self.errors: list[StoreError] = []
        self.relief: Callable[[], None] = lambda: None  # what somebody does about it
        self.short = short
        self.boundaries: list[str] = []
        self.outside = ManualWorld()
        self.vendors = {number: MemorySystem(self.outside, how) for number, how in TEMPERS.items()}
        self._url = url
        self._raw = None if url else sqlite3.connect(":memory:", check_same_thread=False)
        self._durable: bytes | None = None
        self.door = Door(disturbed, _postgres_error if url.startswith("postgresql") else _sqlite_error)

    # --- processes ---

    def _start(self, process: contextlib.ExitStack) -> Engine:
        """A process begins: nothing is remembered but what the database holds."""
        world = Mortal(self)
        store = DayStore(self, world)
        if self._url:
            process.callback(store.close)
        create(store)
        systems: dict[int, System] = {}
        connectors: dict[int, Memory] = {}
        for number, vendor in self.vendors.items():
            with store.tx() as tx:
                feeds.enrol(tx, f"s{number}", "memory")
            mapped = mapping(number)
            connector = Memory(
                f"s{number}", MemorySettings(world_name=f"s{number}"), world, mapped.names(), NoSecrets(), vendor
            )
            systems[number] = System(number, f"s{number}", number, mapped, connector.capabilities)
            connectors[number] = connector
        rules = Rules({"k": Policy("ask")}, trust=(2, 1, 3), order={2: 0, 1: 1, 3: 2}, opt_in_trust=frozenset({1, 3}))
        settings = Settings(
            rules,
            Limits(ANY, ANY, ANY, ANY, ANY, ANY),
            fresh=30 * SECOND,
            grace=60 * SECOND,
            sweep_every=120 * SECOND,
            first="apply",
            chunk=3,
        )
        return Engine(store, world, systems, connectors, settings)

    def _until_quiet(self) -> None:
        """Passes, by one process after another if they die, until one has nothing to do."""
        later = BETWEEN
        for _ in range(PASSES):
            self.outside.sleep(later)
            later = BETWEEN
            with contextlib.ExitStack() as process:
                try:
                    engine = self._start(process)
                    report = runner.sync(engine, "day", "a day")
                    if not report.answers and _is_idle(engine):
                        return
                except Dead:
                    later = AT_ONCE
                    if self.disturbed.power:
                        self._lose_what_was_not_durable()
                except StoreError as error:
                    self.errors.append(error)
                    self.relief()
        raise AssertionError(f"{self.disturbed}: no rest within {PASSES} passes")

    def _lose_what_was_not_durable(self) -> None:
        if self._durable is not None:
            self._raw = sqlite3.connect(":memory:", check_same_thread=False)
            self._raw.deserialize(self._durable)

    # --- the day ---

    def live(self) -> Left:
        acts = (self._arrive, self._edit, self._contradict, self._move, self._leave)
        for happens in acts[:2] if self.short else acts:
            happens()
            self._until_quiet()
        self.size = Size(len(self.boundaries), self.door.statements, self.door.commits)
        return self._left()

    def _arrive(self) -> None:
        for place, person in enumerate(("Alfa", "Bravoson", "Charlier", "Deltamann", "Ekkoberg")):
            for number in sorted({1 + place % 3, 1 + place % 2}):
                self._put(number, person, title=f"title of {person} in {number}")

    def _edit(self) -> None:
        self._change(1, "Alfa", a="a new word")
        self._change(2, "Bravoson", title="a title that is too long for two")
        self._change(3, "Charlier", street="Storgata 1", city="Bodø", tags=["one", "two"])
        self._change(1, "Deltamann", stage="mql")
        self._put(3, "Foxtrot", a="arrived")

    def _contradict(self) -> None:
        self._change(1, "Alfa", title="said by one", k="one")
        self.outside.sleep(5.0)
        self._change(2, "Alfa", title="said by two", k="two")
        self._change(3, "Bravoson", a=None)
        self.vendors[2].opt_out("charlier@example.com")
        self._put(2, "Alfa", a="the same again")

    def _move(self) -> None:
        self._change(1, "Charlier", email="charlier-2@example.com")
        self._change(2, "Deltamann", email="deltamann-2@example.com", stage="sql")
        self.vendors[3].confirm("alfa@example.com")
        self._change(2, "Foxtrot", tags=["three"])

    def _leave(self) -> None:
        self.vendors[1].remove(self._ref(1, "Ekkoberg"))
        first, second = self._refs(2, "Alfa")
        self.vendors[2].merge(first, second)
        self._change(3, "Deltamann", a="the last word")

    def _put(self, number: int, person: str, **fields: Any) -> None:
        told: Fields = {"email": f"{person.lower()}@example.com", "first": "Ann", "last": person, "stage": "lead"}
        self.vendors[number].put("person", {**told, **fields})

    def _change(self, number: int, person: str, **fields: Any) -> None:
        self.vendors[number].edit(self._ref(number, person), fields)

    def _ref(self, number: int, person: str) -> Ref:
        return self._refs(number, person)[0]

    def _refs(self, number: int, person: str) -> list[Ref]:
        return [each.ref for each in self.vendors[number].records() if self._is_live(each, person)]

    @staticmethod
    def _is_live(kept: Any, person: str) -> bool:
        return kept.state is State.LIVE and kept.fields.get("last") == person

    # --- the evening ---

    def _left(self) -> Left:
        self.disturbed = self.door.disturbed = UNDISTURBED
        with contextlib.ExitStack() as process:
            return self._look(self._start(process))

    def _look(self, engine: Engine) -> Left:
        with engine.store.read() as tx:
            live = lead_table.c.state == "live"
            count = tx.value(sa.select(sa.func.count()).select_from(lead_table).where(live))
            reviews = sorted(each.kind for each in runs.open_reviews(tx, 1000))
        gone: Counter[str] = Counter()
        systems: dict[int, list[str]] = {}
        for number, vendor in self.vendors.items():
            kept = vendor.records()
            systems[number] = sorted(_told(each.fields) for each in kept if each.state is State.LIVE)
            gone.update(f"{number} {each.state}" for each in kept if each.state is not State.LIVE)
        return Left(systems, count, reviews, not _is_idle(engine), gone)


class DayStore(Store):
    """The database of one process. It keeps what would be on the disk after a power cut."""

    def __init__(self, day: Day, world: Mortal) -> None:
        super().__init__(day._url or "sqlite://", world, raw=day._raw)
        self._day = day
        day.door.guard(self._engine)

    @contextmanager
    def tx(self, *, durable: bool = False) -> Iterator[Any]:
        with super().tx(durable=durable) as tx:
            yield tx
        if durable and self._day.disturbed.power and self._day._raw is not None:
            self._day._durable = self._day._raw.serialize()


def _is_idle(engine: Engine) -> bool:
    with engine.store.read() as tx:
        return leads.count_dirty(tx) == 0 and not outbox.counts(tx)


def _told(fields: Fields, leave: Collection[str] = ("sm_key", "confirmed_at")) -> str:
    """A record without what is ours and what is a moment."""
    return ", ".join(f"{name}={fields[name]!r}" for name in sorted(fields) if name not in leave)


def _sqlite_error() -> Exception:
    return sqlite3.OperationalError("disk I/O error")


def _postgres_error() -> Exception:
    import psycopg

    return psycopg.OperationalError("server closed the connection unexpectedly")
