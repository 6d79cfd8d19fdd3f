"""One simulated life: three systems of different temper, five people, an engine, and everything that can go wrong.

A busy time with acts, faults and crashes; then faults end, and everything must come to agree and to rest. What is asked
of the end stands in `oracle.py`; which dangers were met on the way is counted in `marks`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from connectors import memory_records as temper
from connectors.backdoor import Fault, When
from connectors.base import Ref, State, Write, WriteKind
from connectors.errors import ConnectorError
from connectors.memory import Memory, MemorySettings
from connectors.memory_records import Row
from connectors.memory_system import MemorySystem, Outcome, What
from connectors.world import MICROSECONDS
from mappings.lead import LeadShape
from mappings.mapping import LeadMapping, compile_mapping
from sync import run as runner
from sync.approve import approve
from sync.decide import decide
from sync.engine import SECOND, Engine, Settings
from sync.guard import Limit, Limits
from sync.lease import LeaseHeld, take
from sync.model import System
from sync.pull import pull
from sync.push import push
from sync.resolve import resolve
from sync.rules import Policy, Rules
from sync.store import feeds, outbox, runs
from sync.store.db import Store, create
from tests.sim.known import heard_no, idle, knows
from tests.sim.people import People
from tests.sim.truth import Truth, tokens
from tests.sim.world import START, Hub, SimWorld

SHAPE = LeadShape({"a": "text", "k": "text"})
ANY = Limit(1_000_000, 1.0)
BATCH = dict.fromkeys(WriteKind, 3)
TEMPERS = {
    1: replace(temper.CONDITIONAL, batch=BATCH, parallel=2, page=3, lag=0.0, horizon=150.0),
    2: replace(temper.PLAIN, batch=BATCH, page=3, cut={"title": 14}, horizon=200.0),
    3: replace(temper.COERCING, batch=BATCH, page=3, cut={"title": 9}, horizon=120.0, tells_origin=True, history=True),
}
RIVALS = 3
"""The system where an address is given only once."""
QUIET = 150.0
"""So long nothing may happen before we believe that nothing will."""
LONG = 60 * SECOND
"""Older than anything that a feed may not have shown, or a poll just before our write not have read."""
BEFORE = 100.0
"""So long everybody has been there before we come."""
BUSY = 300.0
"""Virtual seconds in which people act and things go wrong."""


def mapping(system: int) -> LeadMapping:
    title: dict[str, Any] = {"remote": "title"}
    if system == 2:
        title["length"] = 14  # announced; the third system coerces unannounced
    fields = {
        "email": {"remote": "email", "slot": True},
        "first_name": "first",
        "last_name": "last",
        "title": title,
        "a": "a",
        "k": "k",
        "street": "street",
        "city": "city",
        "tags": {"remote": "tags", "as": "list"},
        "stage": "stage",
        "consent.email": {"remote": ["consent", "confirmed_at"], "as": "consent_and_time"},
    }
    return compile_mapping({"connector": "memory", "objects": {"person": {"fields": fields}}}, SHAPE)


class NoSecrets:
    def get(self, name: str) -> str | None:
        return None

    def put(self, name: str, value: str) -> None:
        """Memory keeps no tokens."""


class Vendor(MemorySystem):
    """A system that also tells the truth of what our writes met."""

    number = 0
    truth: Truth
    marks: Counter[str]

    def _write(self, write: Write) -> Outcome:
        row = self._held.rows.get(write.ref) if write.ref else None
        before = dict(row.now.fields) if row else {}
        outcome = super()._write(write)
        if write.kind in (WriteKind.CREATE, WriteKind.UPDATE) and write.fields.get("consent") == "in":
            self.truth.faults.append("an opt-in was written")
        if outcome.what is What.DONE and outcome.row is not None:
            after = outcome.row.now.fields
            if write.kind is WriteKind.CREATE:
                if self._landing is None:
                    self.truth.made[(self.number, outcome.row.ref.id)] = self._world.monotonic()
                if self._landing is None and any(
                    self._was_there(each, outcome.row) for each in self._held.rows.values()
                ):
                    self.truth.faults.append("a person was made who had long been there")
                self.marks["created"] += 1
            elif write.kind is WriteKind.UPDATE:
                self._look(write, before)
                known_out = write.key in self.truth.claimed_out
                if known_out and before.get("consent") == "out" and after.get("consent") != "out":
                    self.truth.faults.append(f"our write made a person mailable: {outcome.row.ref} {write.fields}")
                elif before.get("consent") == "out" and after.get("consent") != "out":
                    # Said between our last reading and our write, and forgotten with the address: nobody ever read it.
                    self.truth.forget_no(self.number, outcome.row.ref.id)
                    self.marks["a no forgotten over there before it could be read"] += 1
        if outcome.what is What.STALE:
            self.marks["stale write refused"] += 1
        if outcome.what is What.EXISTS:
            self.marks["create met a record"] += 1
        return outcome

    def _was_there(self, other: Row, made: Row) -> bool:
        """The same person under the same address, live and old enough to have been read."""
        same = all(other.now.fields.get(name) == made.now.fields.get(name) for name in ("last", "email"))
        return other is not made and same and other.now.state is State.LIVE and other.created < made.created - LONG

    def _look(self, write: Write, before: dict[str, Any]) -> None:
        """What our write met, other than it believed: edits that nobody had read."""
        for name in write.fields:
            met, believed = before.get(name), write.before.get(name)
            if name == "consent" and met == write.fields[name] == "out" != believed and write.ref is not None:
                self.truth.met_nos.add((self.number, write.ref.id))
            if met != believed and met != write.fields[name]:
                lost = tokens(met) ^ tokens(believed) if isinstance(met, list) else tokens(met)
                unread = lost - self.truth.read.keys()
                if self.temperament.history:  # it stands in the vendor's own history, and must be found there
                    self.truth.hidden[(self.number, write.ref.id if write.ref else "")] |= unread
                else:
                    self.truth.overwritten |= self.truth.older(unread) - self.truth.read.keys()
                claimed = self.truth.claimed.get(write.key, 0.0)
                theirs = {mark for mark in tokens(met) - tokens(believed) if mark.startswith("v")}
                if theirs and all(self.truth.read.get(mark, claimed) < claimed for mark in theirs):
                    self.truth.faults.append("an edit that we had read was written over")
                self.marks["unread edit met by our write"] += 1

    def made_by_us(self) -> dict[Ref, Any]:
        """Every record that our writes made, as it is now."""
        return {ref: row.now for ref, row in self._held.rows.items() if row.mine}

    def be_good(self) -> None:
        """No fault that was told and not met yet will come."""
        self._armed.clear()


class Play:
    """A seed's world. `race`: see the oracle. `mode`: "units" (pulling, deciding, sending run freely) or "passes" (whole runs)."""

    race = 75.0

    def __init__(self, seed: int, rule: str = "newest") -> None:
        self.seed, self.rule = seed, rule
        self.hub = Hub(seed)
        self.outside = SimWorld(self.hub, 0)
        self.truth = Truth()
        self.marks: Counter[str] = Counter()
        self.mode = "passes" if seed % 4 == 3 else "units"
        self.vendors: dict[int, Vendor] = {}
        for number, how in TEMPERS.items():
            vendor = Vendor(self.outside, how)
            vendor.number, vendor.truth, vendor.marks = number, self.truth, self.marks
            self.vendors[number] = vendor
        self.raw = sqlite3.connect(":memory:", check_same_thread=False)
        self.stores: list[Store] = []
        self.durable: bytes | None = None
        self.durable_at = 0.0
        self.incarnation = 0
        self.calm = False
        self.operations = 0
        self.people = People(self)
        self.world = self.outside
        self.engine = self._start()

    # --- processes ---

    def _start(self) -> Engine:
        """A process begins: nothing is remembered but what the database holds."""
        self.incarnation += 1
        world = SimWorld(self.hub, self.incarnation)
        store = SimStore(self, world)
        self.stores.append(store)  # a store that is collected closes the database under its successor
        create(store)
        systems: dict[int, System] = {}
        connectors: dict[int, Memory] = {}
        for number, vendor in self.vendors.items():
            with store.tx() as tx:
                feeds.enrol(tx, f"s{number}", "memory")
            settings = MemorySettings(world_name=f"s{number}")
            mapped = mapping(number)
            connector = Memory(f"s{number}", settings, world, mapped.names(), NoSecrets(), vendor)
            systems[number] = System(number, f"s{number}", number, mapped, connector.capabilities)
            connectors[number] = connector
        self.world = world
        self.engine = Engine(store, world, systems, connectors, self._settings())
        if self.mode == "units":
            self._start_units(self.engine)
        else:
            world.spawn("passes", lambda: self._passes(self.engine))
        return self.engine

    def _settings(self) -> Settings:
        policies = {"k": Policy("ask")}
        if self.rule == "owner":
            policies["a"] = policies["title"] = Policy("owner", (2,))
        rules = Rules(policies, trust=(2, 1, 3), order={2: 0, 1: 1, 3: 2}, opt_in_trust=frozenset({1, 3}))
        limits = Limits(ANY, ANY, ANY, ANY, ANY, ANY)
        return Settings(
            rules, limits, fresh=30 * SECOND, grace=60 * SECOND, sweep_every=120 * SECOND, first="apply", chunk=3
        )

    def _start_units(self, engine: Engine) -> None:
        leases = {number: take(engine.store, f"system s{number}") for number in engine.systems}
        deciding = take(engine.store, "decide")
        with engine.store.tx() as tx:
            run = runs.begin(tx, "sync", "sim", "units", engine.world.now())
        for number, system in engine.systems.items():
            engine.world.spawn(f"pull {number}", lambda s=system: self._pulling(engine, s, leases[s.id]))  # type: ignore[misc]
            engine.world.spawn(f"push {number}", lambda s=system: self._pushing(engine, s, leases[s.id], run))  # type: ignore[misc]
        engine.world.spawn("decide", lambda: self._deciding(engine, deciding, run))

    def _pulling(self, engine: Engine, system: System, lease: Any) -> None:
        swept = 0.0
        while True:
            sweep = engine.world.monotonic() - swept > 60.0
            try:
                pull(engine, system, lease, sweep=sweep)
                swept = engine.world.monotonic() if sweep else swept
            except ConnectorError:
                self.marks["reading failed"] += 1
            self._nap(engine, 1, 9)

    def _pushing(self, engine: Engine, system: System, lease: Any, run: int) -> None:
        while True:
            try:
                pushed = push(engine, system, lease, run)
                self.operations += sum(pushed.answers.values())
            except ConnectorError:
                self.marks["sending failed"] += 1
            self._nap(engine, 0.5, 14 if self.seed % 3 == 0 else 4)  # in some lives what is decided waits long

    def _deciding(self, engine: Engine, lease: Any, run: int) -> None:
        while True:
            while resolve(engine, run, lease):
                pass
            while decide(engine, run, lease):
                pass
            with engine.store.tx() as tx:
                lease.check(tx)
                approve(engine, tx)
            self._nap(engine, 0.2, 12 if self.seed % 5 == 2 else 3)  # in some lives what is read waits long

    def _passes(self, engine: Engine) -> None:
        while True:
            try:
                report = runner.sync(engine, "sim", "pass")
                self.operations += sum(report.answers.values())
            except LeaseHeld:
                raise AssertionError("a dead process kept its lease") from None
            self._nap(engine, 1, 8)

    def _nap(self, engine: Engine, least: float, more: float) -> None:
        """Between two rounds; longer once everything is calm."""
        engine.world.sleep((least + engine.world.random() * more) * (8 if self.calm else 1))

    # --- what goes wrong ---

    def _chaos(self) -> None:
        choices: Sequence[tuple[float, Callable[[], None]]] = (
            (0.34, self._fault),
            (0.20, self._webhook),
            (0.16, self.crash),
            (0.05, self._power_cut),
            (0.05, self._jump),
            (0.10, self._rival),
        )
        while not self.calm:
            dice = self.outside.random()
            for share, act in choices:
                dice -= share
                if dice < 0:
                    act()
                    break
            self.outside.sleep(self.outside.random() * 12)

    def _fault(self) -> None:
        kinds = (
            Fault.CUT,
            Fault.CUT_AFTER,
            Fault.LATE,
            Fault.ERROR,
            Fault.ERROR_AFTER,
            Fault.RATE,
            Fault.DUPLICATE_PAGE,
        )
        writes = (Fault.CUT, Fault.CUT_AFTER, Fault.LATE, Fault.ERROR_AFTER)
        number = 1 + int(self.outside.random() * 3)
        on_write = self.outside.random() < 0.7
        some = writes if on_write else kinds
        kind = some[int(self.outside.random() * len(some))]
        path = ("CREATE" if self.outside.random() < 0.5 else "UPDATE") if on_write else ""
        value = 5 + self.outside.random() * (TEMPERS[number].horizon - 10) if kind is Fault.LATE else 3.0
        self.vendors[number].fault(kind, When(path=path, value=value))

    def _webhook(self) -> None:
        """A webhook names a record: it is fetched beside the feeds."""
        engine = self.engine
        number = 1 + int(self.outside.random() * 3)
        rows = self.vendors[number].records()
        if rows:
            row = rows[int(self.outside.random() * len(rows))]
            with engine.store.tx() as tx:
                feeds.add_hints(tx, number, [(row.ref.object, row.ref.id, "changed")], 1, engine.world.now())

    def crash(self) -> None:
        """The process is killed where it stands, and started again."""
        with self.engine.store.read() as tx:
            if any(outbox.sending(tx, number) for number in self.vendors):
                self.marks["crash after claim"] += 1
        self.marks["crash"] += 1
        self.hub.kill(self.world)
        self._start()

    def _power_cut(self) -> None:
        """Whatever was not on the disk is forgotten."""
        self.hub.kill(self.world)
        if self.durable is not None:
            self.raw = sqlite3.connect(":memory:", check_same_thread=False)
            self.raw.deserialize(self.durable)
            self.truth.forget_reading_since(self.durable_at)
            self.marks["power cut"] += 1
        self._start()

    def _jump(self) -> None:
        """Somebody sets our clock."""
        self.hub.jump += int((self.outside.random() - 0.5) * 2 * SECOND)

    def _rival(self) -> None:
        """A salesperson enters by hand whom we are just about to create, where an address is given only once."""
        with self.engine.store.read() as tx:
            creates = [
                row.body["fields"]
                for row in [*outbox.ready(tx, RIVALS, self.engine.world.now(), 3), *outbox.sending(tx, RIVALS)]
                if row.kind == "create"
            ]
        before = self.truth.count
        for fields in creates[:1]:
            try:
                self.people.enter(RIVALS, str(fields["last"]), str(fields["email"]))
            except ValueError:  # ours was first
                self.truth.forget_since(before)

    # --- the whole ---

    def run(self) -> None:
        """Live through a busy time, then come to rest."""
        try:
            self.people.arrive()
            self.hub.passed = BEFORE  # they have been there for a while: no feed is behind on them
            if self.outside.random() < 0.5:
                # One system cannot be read at first: nobody may be created in it meanwhile.
                slow = 1 + int(self.outside.random() * 3)
                self.vendors[slow].fault(Fault.ERROR, When(path="LIST", times=5))
            self.outside.spawn("people", self._people)
            self.outside.spawn("chaos", self._chaos)
            while self.hub.passed < BEFORE + BUSY:
                self.hub.step()
            self.calm = True
            self._rest()
        finally:
            self.final = self.hub.trace()

    def _people(self) -> None:
        while not self.calm:
            self.people.act()
            self.outside.sleep(self.outside.random() * 14)

    def _rest(self) -> None:
        """No faults any more: everything in doubt passes its horizon, and then nothing may be left to do."""
        for vendor in self.vendors.values():
            vendor.be_good()
        begun = self.hub.passed
        quiet_since, seen, looked = begun, -1, begun
        while self.hub.passed < begun + 1500.0 and (
            self.hub.passed < begun + 300.0 or self.hub.passed < quiet_since + QUIET
        ):
            self.hub.step()
            if self.hub.passed > looked + 10.0:
                looked = self.hub.passed
                if self.operations != seen or not idle(self.engine):
                    quiet_since, seen = self.hub.passed, self.operations
        self.rested = self.hub.passed >= quiet_since + QUIET

    # --- for the acts ---

    @property
    def passed(self) -> float:
        return self.hub.passed

    def moment(self, passed: float) -> int:
        return START + int(passed * MICROSECONDS)

    def dice(self) -> float:
        return self.outside.random()

    def knows(self, number: int, ref: Ref) -> bool:
        return knows(self.engine, number, ref)

    def heard_no(self, number: int, ref: Ref) -> bool:
        return heard_no(self.engine, number, ref)


class SimStore(Store):
    """The database of a simulated process. It keeps what would be on the disk after a power cut."""

    def __init__(self, play: Play, world: SimWorld) -> None:
        super().__init__("sqlite://", world, raw=play.raw)
        self._play = play

    def tx(self, *, durable: bool = False) -> Any:
        @contextmanager
        def kept() -> Any:
            with super(SimStore, self).tx(durable=durable) as tx:
                yield tx
            if durable:
                self._play.durable = self._play.raw.serialize()
                self._play.durable_at = self._play.hub.passed

        return kept()
