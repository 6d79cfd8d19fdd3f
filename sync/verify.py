"""An independent reader: every system is read again, and what its records show is held against their leads.

Shares no code with what decides and writes; writes nothing, takes nothing in and holds no lease. A difference that
rests on something new is looked up by name before it is believed: a listing may lag, another process be at work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from connectors.base import Feed, FeedKind, Record, Ref, State, WriteKind, batches
from connectors.errors import ConnectorError
from mappings.lead import Canon
from sync.compare import Apart, Cause, Compared, Standing, UnderWay, compare, of_nobody
from sync.engine import Engine
from sync.lease import DECIDE
from sync.model import Known, Lead, OutState, System
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx

FETCH = 100
CHUNK = 500
"""So many records are held against the store in one transaction."""

Progress = Callable[[str, str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that does not show what its lead says. `group` None: it concerns the whole record. `since`: microseconds
    UTC, when it can first have been; None where nothing tells."""

    system: str
    record: str
    lead: int | None
    group: str | None
    cause: Cause
    text: str
    wants: Canon
    has: Canon
    since: int | None


@dataclass(slots=True)
class Agreement:
    """How many records could be compared in a group, how many of them agree, and why the others do not."""

    compared: int = 0
    causes: Counter[Cause] = field(default_factory=Counter)

    @property
    def agree(self) -> int:
        return self.compared - self.causes.total()


@dataclass(slots=True)
class Verified:
    """One system. `records`: causes that concern whole records. `missing`: people who have no record there."""

    system: str
    read: int = 0
    groups: dict[str, Agreement] = field(default_factory=dict)
    records: Counter[Cause] = field(default_factory=Counter)
    missing: int = 0
    oldest: Difference | None = None
    requests: int = 0
    failure: ConnectorError | None = None

    def causes(self) -> Counter[Cause]:
        return sum((each.causes for each in self.groups.values()), Counter(self.records))


@dataclass(slots=True)
class Report:
    """`at_work`: other processes, as (who, on what), when we began or when we ended. `began`, `ended`: microseconds."""

    systems: list[Verified]
    began: int
    ended: int = 0
    at_work: list[tuple[str, str]] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        return sum(each.causes()[Cause.UNEXPLAINED] for each in self.systems)

    @property
    def oldest(self) -> Difference | None:
        return _older(each.oldest for each in self.systems)


def verify(
    engine: Engine,
    each: Callable[[Difference], None],
    *,
    sample: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read every system, one after the other, and tell `each` difference. `sample`: only so many known records of a
    system, chosen at random. What a connector raises ends the reading of its system and stands in the report."""
    report = Report([], engine.world.now())
    report.at_work = _at_work(engine)
    for system in engine.systems.values():
        reading = _Reading(engine, system, each, progress)
        report.systems.append(reading.out)
        reading.run(sample)
    report.at_work = list(dict.fromkeys([*report.at_work, *_at_work(engine)]))
    report.ended = engine.world.now()
    return report


def _at_work(engine: Engine) -> list[tuple[str, str]]:
    """Living holders of leases other than we."""
    world = engine.world
    names = {DECIDE: "deciding", **{f"system {each.name}": each.name for each in engine.systems.values()}}
    with engine.store.read() as tx:
        held = [(name, feeds.lease_of(tx, name)) for name in names]
    return [
        (lease.owner.rpartition(":")[0], names[name])
        for name, lease in held
        if lease is not None and lease.until > world.now() and lease.owner != world.owner() and world.alive(lease.owner)
    ]


def _older(some: Iterable[Difference | None]) -> Difference | None:
    dated = [each for each in some if each is not None and each.since is not None]
    return min(dated, key=lambda each: each.since or 0, default=None)


class _Reading:
    """One system being read. `met`: known records that were counted; `strangers`: others that were. `started`: runs;
    `people`: the leads of the records under judgement."""

    def __init__(
        self, engine: Engine, system: System, each: Callable[[Difference], None], progress: Progress | None
    ) -> None:
        self.engine, self.system, self.each, self.progress = engine, system, each, progress
        self.connector = engine.connectors[system.id]
        self.out = Verified(system.name)
        self.met: set[int] = set()
        self.strangers: set[Ref] = set()
        self.started: dict[int, int] = {}
        self.people: dict[int, Lead] = {}

    def run(self, sample: int | None) -> None:
        before = sum(self.connector.requests().values())
        with self.engine.store.read() as tx:
            self.out.missing = leads.count_missing(tx, self.system.id)
        try:
            if sample is None:
                self._whole()
            else:
                self._some(sample)
        except ConnectorError as error:
            self.out.failure = error
        self.out.requests = sum(self.connector.requests().values()) - before

    def _whole(self) -> None:
        for object_, kind in self.system.feeds():
            if kind is not FeedKind.DELTA:
                continue
            for page, asked in self._pages(Feed(object_, kind)):
                for some in batches(page, CHUNK):
                    self._judge_or_ask(some, asked)
        self._look_up_the_missing()

    def _pages(self, feed: Feed) -> Iterator[tuple[list[Record], int]]:
        """Pages, each with when it was asked for."""
        asked = self.engine.world.now()
        for page in self.connector.changes(feed):
            self.engine.go_on()
            yield page.records, asked
            if page.last:
                return
            asked = self.engine.world.now()

    def _look_up_the_missing(self) -> None:
        """Whoever we know, and no listing has shown."""
        after = 0
        read = {object_ for object_, kind in self.system.feeds() if kind is FeedKind.DELTA}
        while True:
            with self.engine.store.read() as tx:
                some = records.linked_after(tx, self.system.id, after, CHUNK)
            if not some:
                return
            after = some[-1].id
            there = (each for each in some if each.state is State.LIVE and each.ext is not None and each.object in read)
            self._ask(each.ref() for each in there if each.id not in self.met)

    def _some(self, count: int) -> None:
        with self.engine.store.read() as tx:
            chosen = self._drawn(records.linked_live(tx, self.system.id), count)
        for ids in batches(sorted(chosen), CHUNK):
            with self.engine.store.read() as tx:
                found = records.by_id(tx, ids)
            self._ask(each.ref() for each in found.values() if each.object in self.system.mapping.objects)

    def _drawn(self, ids: Iterable[int], count: int) -> list[int]:
        """So many of them, each as likely as any other, without holding them all."""
        chosen: list[int] = []
        for n, each in enumerate(ids):
            if n < count:
                chosen.append(each)
            elif (place := int(self.engine.world.random() * (n + 1))) < count:
                chosen[place] = each
        return chosen

    def _ask(self, refs: Iterable[Ref]) -> None:
        """Read these by name: what they show is what stands."""
        for some in batches(sorted(refs), FETCH):
            self.engine.go_on()
            asked = self.engine.world.now()
            for row, known, said in self._judge(list(self.connector.fetch(some)), asked):
                self._tell(row, known, said)
            self._say_how_far()

    def _judge_or_ask(self, rows: Sequence[Record], asked: int) -> None:
        again: list[Ref] = []
        for row, known, said in self._judge(rows, asked):
            if known is not None and any(each.news or each.cause is Cause.UNEXPLAINED for each in said.apart):
                again.append(row.ref)
            else:
                self._tell(row, known, said)
        self._ask(again)
        self._say_how_far()

    # --- one chunk against the store ---

    def _judge(self, rows: Sequence[Record], asked: int) -> list[tuple[Record, Known | None, Compared]]:
        with self.engine.store.read() as tx:
            around = _Around(self.engine, tx, self.system, rows, asked)
            self.people = around.people
            self._note_runs(tx)
        now = self.engine.world.now()
        judged = []
        for row in rows:
            known = around.known.get(row.ref)
            if known is None or known.lead is None:
                judged.append((row, known, of_nobody(row, known)))
            else:
                judged.append((row, known, compare(row, around.standing(known), now)))
        return judged

    def _note_runs(self, tx: Tx) -> None:
        """When the values of these leads became theirs."""
        told = {int(each[4]) for lead in self.people.values() for group, each in lead.origin.items() if group[0] != "~"}
        new = sorted(told - self.started.keys())
        for some in batches(new, CHUNK):
            self.started.update({number: run.started for number, run in runs.by_ids(tx, some).items()})

    def _tell(self, row: Record, known: Known | None, said: Compared) -> None:
        """Count a record, once."""
        if known is None and row.state is not State.LIVE:
            return
        if (row.ref in self.strangers) if known is None else (known.id in self.met):
            return
        if known is None:
            self.strangers.add(row.ref)
        else:
            self.met.add(known.id)
        out = self.out
        out.read += 1
        for group in said.groups:
            out.groups.setdefault(group, Agreement()).compared += 1
        for apart in said.apart:
            causes = out.records if apart.group is None else out.groups[apart.group].causes
            causes[apart.cause] += 1
            found = self._difference(row, known, apart)
            out.oldest = _older([out.oldest, found])
            self.each(found)

    def _say_how_far(self) -> None:
        if self.progress is not None:
            self.progress("read", self.system.name, self.out.read, None)

    def _difference(self, row: Record, known: Known | None, apart: Apart) -> Difference:
        lead = known.lead if known is not None else None
        record = str(known.ref() if known is not None and known.ext is not None else row.ref)
        since = self._since(row, known, apart)
        return Difference(
            *(self.system.name, record, lead, apart.group, apart.cause, apart.text, apart.wants, apart.has, since)
        )

    def _since(self, row: Record, known: Known | None, apart: Apart) -> int | None:
        """As old as the younger of the two values; what nothing told of cannot be older than our last reading."""
        if known is not None and apart.cause is Cause.UNEXPLAINED and apart.news:
            return known.read_at or None
        lead = self.people.get(known.lead) if known is not None and known.lead is not None else None
        origin = lead.origin.get(apart.group or "") if lead is not None and not apart.news else None
        said = self.started.get(int(origin[4]), 0) if origin is not None else 0
        return max(said, row.modified or row.created or 0) or None


class _Around:
    """What the store knows of some records. `asked`: when they were asked for over there."""

    def __init__(self, engine: Engine, tx: Tx, system: System, rows: Sequence[Record], asked: int) -> None:
        self._system, self._asked = system, asked
        self.known: dict[Ref, Known] = {}
        for object_ in sorted({row.ref.object for row in rows}):
            found = records.by_ext(tx, system.id, object_, {row.ref.id for row in rows if row.ref.object == object_})
            self.known.update({Ref(object_, ext): each for ext, each in found.items()})
        ids = {each.id for each in self.known.values()}
        linked = {each.lead for each in self.known.values() if each.lead is not None}
        self.people = leads.by_id(tx, linked)
        self._operations = outbox.by_record(tx, ids)
        self._dirty = leads.dirty_seqs(tx, linked)
        self._held = _held(tx, system)
        self._row = feeds.system_row(tx, system.id)

    def standing(self, known: Known) -> Standing:
        lead = self.people.get(known.lead or 0) or Lead(known.lead or 0, state="unknown")
        return Standing(
            self._system,
            known,
            lead,
            self._held,
            self._renewed(known.object),
            self._lacks(known.object),
            _under_way(self._operations.get(known.id)),
            lead.id in self._dirty,
            known.read_at > self._asked,
        )

    def _renewed(self, object_: str) -> frozenset[str]:
        """Groups of an object that are mapped, filtered or written otherwise than when the last run looked."""
        system, row = self._system, self._row
        mapping = system.mapping.objects[object_]
        now = {
            "filters": [asdict(each) for each in system.filters],
            "takes": sorted(str(kind) for kind in WriteKind if system.takes(kind)),
        }
        if row.told and any(row.told.get(name) != value for name, value in now.items()):
            return frozenset(mapping.groups)
        was = row.mapping.get(object_, {}) if row.mapping else mapping.digests()
        return frozenset(group for group, mark in mapping.digests().items() if was.get(group) != mark)

    def _lacks(self, object_: str) -> frozenset[str]:
        """An account that tells no fields of an object says nothing of what it lacks."""
        told = self._row.schema.get(object_)
        names = frozenset(self._system.mapping.objects[object_].names)
        return names - told.keys() if told else frozenset()


def _held(tx: Tx, system: System) -> frozenset[str]:
    """Groups of which too much changed over there, until a person has looked."""
    causes = (cause.split(":") for cause in runs.open_causes(tx, "inbound"))
    return frozenset(group for _, of, group, _ in causes if int(of) == system.id)


def _under_way(row: outbox.Row | None) -> UnderWay | None:
    if row is None:
        return None
    groups = frozenset(row.body["wanted"])
    return UnderWay(OutState(row.state), groups, row.doubt_at is not None)
