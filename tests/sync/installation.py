"""A small installation for tests of the whole engine: vendors in memory, a store, and time that passes only when told."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from connectors.backdoor import Fault, When
from connectors.base import Fields, Ref, State, Value
from connectors.memory import Memory, MemorySettings
from connectors.memory_records import Temperament
from connectors.memory_system import MemorySystem
from sync import run as runner
from sync.approve import Line, approve
from sync.engine import Engine, Settings
from sync.guard import Limit, Limits
from sync.lease import DECIDE, Lease, hold
from sync.model import Filter, Known, Lead, System
from sync.planning import Planned, plan
from sync.pull import pull, refresh
from sync.push import Pushed, push
from sync.side_by_side import Report
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Store, create
from sync.store.runs import Review
from sync.store.schema import lead as lead_table
from tests.secrets import NoSecrets
from tests.sync.makers import mapping_of
from tests.worlds import ManualWorld

ANY = Limit(1_000_000, 1.0)
NO_LIMITS = Limits(ANY, ANY, ANY, ANY, ANY, ANY)
PLAIN = Temperament(returns_fields=True, consent="record")
"""A vendor that lags in nothing, coerces nothing and answers what it holds."""


ANN: Fields = {"email": "ann@example.com", "first": "Ann", "last": "Berg"}
OLA: Fields = {"email": "ola@example.com", "first": "Ola", "last": "Dahl"}


class Meddling(ManualWorld):
    """A world in which something happens at a boundary: `at` maps its label to what happens there the next time."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, Callable[[], None]] = {}

    def pause(self, label: str) -> None:
        super().pause(label)
        happens = self.at.pop(label, None)
        if happens is not None:
            happens()


def memory_store(world: ManualWorld) -> Store:
    """A store that is gone with the test."""
    store = Store("sqlite://", world, raw=sqlite3.connect(":memory:", check_same_thread=False))
    create(store)
    return store


@dataclass(frozen=True, slots=True)
class There:
    """One system: how its vendor is, and how it is configured here. `mapping`: changes to the usual lines."""

    temper: Temperament = PLAIN
    mapping: Mapping[str, Any] = field(default_factory=dict)
    writes: str = "all"
    deletions: str = "ignore"
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Units:
    """The parts of a run, each when the test says so."""

    engine: Engine
    deciding: Lease
    leases: Mapping[str, Lease]
    run: int

    def pull(self, *names: str) -> None:
        for name in names or self.leases:
            pull(self.engine, self.engine.system(name), self.leases[name])

    def decide(self) -> None:
        runner.decide_all(self.engine, self.deciding, self.run)
        with self.engine.store.tx() as tx:
            approve(self.engine, tx)

    def push(self, name: str) -> Pushed:
        return push(self.engine, self.engine.system(name), self.leases[name], self.run)

    def look(self, name: str, *refs: Ref) -> None:
        """Fetch some records beside the feeds, as a webhook would have it."""
        refresh(self.engine, self.engine.system(name), self.leases[name], refs)


class Installation:
    """Systems by name, in the order of their rank. `later` lets time pass; `run` is one whole pass."""

    def __init__(
        self, systems: Mapping[str, There], *, store: Store | None = None, world: ManualWorld | None = None, **settings: Any
    ) -> None:  # fmt: skip
        self.world = world or (store.world if store is not None else ManualWorld())
        self.store = store or memory_store(self.world)
        self.there = dict(systems)
        self.vendors = {name: MemorySystem(self.world, each.temper) for name, each in systems.items()}
        self.settings = Settings(**{"limits": NO_LIMITS, "first": "apply", **settings})
        self.engine = self.configured()

    def configured(self, **settings: Any) -> Engine:
        """The engine that a process would start with now; `settings` change from here on."""
        self.settings = replace(self.settings, **settings)
        engine_systems: dict[int, System] = {}
        connectors: dict[int, Memory] = {}
        with self.store.tx() as tx:
            ids = {name: feeds.enrol(tx, name, "memory") for name in self.there}
        for rank, (name, each) in enumerate(self.there.items()):
            mapping = mapping_of({**_quiet(each.temper), **each.mapping}, *each.temper.objects[1:])
            settings_of = MemorySettings(world_name=name)
            connector = Memory(name, settings_of, self.world, mapping.names(), NoSecrets(), self.vendors[name])
            number = ids[name]
            connectors[number] = connector
            engine_systems[number] = System(
                number, name, rank, mapping, connector.capabilities, each.writes, each.deletions, each.filters
            )
        self.engine = Engine(self.store, self.world, engine_systems, connectors, self.settings)
        return self.engine

    def change(self, name: str, **changes: Any) -> None:
        """Configure one system otherwise and start anew."""
        self.there[name] = replace(self.there[name], **changes)
        self.configured()

    def id(self, name: str) -> int:
        return self.engine.system(name).id

    # --- people over there ---

    def put(self, system: str, **fields: Value) -> Ref:
        return self.vendors[system].put("person", dict(fields))

    def edit(self, system: str, ref: Ref, as_: str = "person", **fields: Value) -> None:
        self.vendors[system].edit(ref, dict(fields), as_)

    def fault(self, system: str, kind: Fault, path: str = "", *, times: int = 1, value: float = 0.0) -> None:
        self.vendors[system].fault(kind, When(path=path, times=times, value=value))

    def shown(self, system: str, *names: str) -> list[Any]:
        """What the live records of a system hold, in the order they were made: one value each, or a list of them."""
        rows = [each.fields for each in self.vendors[system].records() if each.state is State.LIVE]
        return [row.get(names[0]) if len(names) == 1 else [row.get(name) for name in names] for row in rows]

    def one(self, system: str, name: str, ref: Ref | None = None) -> Any:
        """A field of the only live record there, or of `ref`."""
        found = [
            each for each in self.vendors[system].records() if each.state is State.LIVE and ref in (None, each.ref)
        ]
        (row,) = found
        return row.fields.get(name)

    def refs(self, system: str) -> list[Ref]:
        return [each.ref for each in self.vendors[system].records() if each.state is State.LIVE]

    def writes(self, system: str) -> list[str]:
        """What we sent there, in order."""
        return [each.method for each in self.vendors[system].requests() if each.method in ("CREATE", "UPDATE", "ARCHIVE", "WITHDRAW")]  # fmt: skip

    # --- runs ---

    def later(self, seconds: float = 60.0) -> None:
        self.world.sleep(seconds)

    def run(self, *, wanted: Collection[str] | None = None, only: str | None = None, patient: bool = False) -> Report:
        """Time passes, then one pass."""
        self.later()
        return runner.sync(self.engine, "test", "a test", wanted=wanted, only=only, patient=patient)

    def quiet(self) -> bool:
        """Whether another pass sends nothing and leaves nothing to do."""
        report = self.run()
        with self.store.read() as tx:
            return not report.answers and not outbox.counts(tx) and leads.count_dirty(tx) == 0

    def plan(self) -> tuple[Planned, list[Line]]:
        told: list[Line] = []

        self.later()
        return plan(self.engine, "test", "a test", told.append), told

    def hashes(self) -> list[str]:
        """A plan as its file keeps it."""
        return [mark for line in self.plan()[1] for mark in line.hashes]

    @contextlib.contextmanager
    def units(self) -> Iterator[Units]:
        """Pulling, deciding and sending one by one, under their leases."""
        with contextlib.ExitStack() as stack:
            deciding = stack.enter_context(hold(self.store, DECIDE))
            leases = {name: stack.enter_context(hold(self.store, f"system {name}")) for name in self.there}
            with self.store.tx() as tx:
                run = runs.begin(tx, "sync", "test", "units", self.world.now())
            yield Units(self.engine, deciding, leases, run)

    # --- what is known here ---

    def lead(self) -> Lead:
        """The only living lead."""
        (found,) = self.people()
        return found

    def people(self) -> list[Lead]:
        with self.store.read() as tx:
            live = [row[0] for row in tx.rows(sa.select(lead_table.c.id).where(lead_table.c.state == "live"))]
            return sorted(leads.by_id(tx, live).values(), key=lambda each: each.id)

    def sides(self, lead: Lead | None = None) -> list[Known]:
        number = (lead or self.lead()).id
        with self.store.read() as tx:
            return records.by_lead(tx, [number])[number]

    def known(self, system: str, ref: Ref) -> Known:
        with self.store.read() as tx:
            return records.by_ext(tx, self.id(system), ref.object, {ref.id})[ref.id]

    def reviews(self, kind: str | None = None) -> list[Review]:
        with self.store.read() as tx:
            return [each for each in runs.open_reviews(tx, 1000) if kind in (None, each.kind)]

    def history(self, lead: Lead | None = None) -> list[dict[str, Any]]:
        number = (lead or self.lead()).id
        with self.store.read() as tx:
            return [each.body for each in runs.of_lead(tx, [number])]

    def hint(self, system: str, ref: Ref, why: str = "changed") -> None:
        """A webhook names a record."""
        with self.store.tx() as tx:
            feeds.add_hints(tx, self.id(system), [(ref.object, ref.id, why)], 1, self.world.now())


def _quiet(temper: Temperament) -> dict[str, Any]:
    """A vendor that keeps no consent is not asked for any."""
    return {"consent.email": None} if temper.consent == "none" else {}


def two(**settings: Any) -> Installation:
    """A sales system and a list, both plain."""
    return Installation({"crm": There(), "list": There()}, **settings)
