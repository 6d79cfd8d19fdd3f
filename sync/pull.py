"""Reading a system: each page of each feed is observed and its cursor saved in one transaction.

Held under the system's lease. A page is taken in before the next is asked for; a webhook or a doubt is a hint, whose
record is fetched and goes the same way; a sweep finds what neither showed. What looks like a disaster over there
(a column gone blank, records vanishing) is counted here and held back before it can be merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.base import Feed, FeedKind, Page, Record, Ref, State, Value, batches
from mappings.lead import is_consent
from mappings.mapping import ObjectMapping
from sync import past
from sync.engine import SECOND, Engine
from sync.lease import Lease
from sync.model import Known, Lane, Question, System
from sync.observe import Seen, first_sight, observe
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.feeds import FeedRow, Hint

FETCH = 100
HINTS = 1000
GONE_STATES = (State.GONE, State.DELETED)


@dataclass(slots=True)
class Pulled:
    """How many records were read, and how many of them were news. `tell`: told how many were read, after each page."""

    read: int = 0
    changed: int = 0
    tell: Callable[[int], None] | None = None


@dataclass(slots=True)
class _Taken:
    """What one transaction has found out."""

    new: list[Known] = field(default_factory=list)
    changed: dict[int, Known] = field(default_factory=dict)
    same: dict[int, Known] = field(default_factory=dict)
    late: dict[int, Known] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    size: int = 0
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    hints: list[tuple[str, str, str]] = field(default_factory=list)


def pull(engine: Engine, system: System, lease: Lease, *, sweep: bool = False, out: Pulled | None = None) -> Pulled:
    """Read everything that is new in a system; counts in `out`. `sweep`: its sweeps too. Raises what its connector
    raises."""
    out = Pulled() if out is None else out
    fetch_hints(engine, system, lease, out)
    for object_, kind in system.feeds():
        swept = kind is FeedKind.SWEEP or (kind is FeedKind.DELETES and system.capabilities.deletes_swept)
        if kind is FeedKind.SWEEP:
            continue
        if not swept or sweep:
            pull_feed(engine, system, lease, object_, kind, out)
    if sweep:
        for object_, kind in system.feeds():
            if kind is FeedKind.SWEEP:
                _sweep(engine, system, lease, object_)
        with engine.store.tx() as tx:
            lease.check(tx)
            feeds.update_system(tx, system.id, swept_at=engine.world.now())
        fetch_hints(engine, system, lease, out)
    return out


def pull_feed(
    engine: Engine, system: System, lease: Lease, object_: str, kind: FeedKind, out: Pulled | None = None
) -> None:
    """Read one feed on from its cursor to its end."""
    out = out or Pulled()
    world, store = engine.world, engine.store
    with store.read() as tx:
        row = feeds.feed_of(tx, system.id, object_, kind)
    began = row.began or world.now()
    whole = kind is FeedKind.DELETES and system.capabilities.deletes_swept
    cursor = None if whole and row.began is None else row.cursor
    for page, seq in _pages(engine, system, lease, Feed(object_, kind, cursor)):
        with store.tx() as tx:
            lease.check(tx)
            take(engine, tx, system, object_, page.records, seq, out)
            new = row.primed_at is None
            _save_cursor(tx, row, page, began, system, world.now())
            if page.last and new and primed(tx, [system]):
                leads.make_missing_dirty(tx, system.id)
        world.pause("stored")
        if out.tell is not None:
            out.tell(out.read)
        if engine.stopping:
            return


def _pages(engine: Engine, system: System, lease: Lease, feed: Feed) -> Iterator[tuple[Page, int]]:
    """Pages with the number of their reading. A page is requested when it is asked for, not before."""
    connector = engine.connectors[system.id]
    pages = connector.ids(feed) if feed.kind is FeedKind.SWEEP else connector.changes(feed)
    while True:
        seq = lease.seq()
        page = next(pages, None)
        engine.world.pause("answered")
        if page is None:
            return
        yield page, seq
        if page.last:
            return


def _save_cursor(tx: Tx, row: FeedRow, page: Page, began: int, system: System, now: int) -> None:
    row.cursor = page.cursor
    row.began = began
    if page.last:
        row.watermark = max(row.watermark, began - int(system.capabilities.lag * SECOND))
        row.primed_at = row.primed_at or now
        row.began = None
    feeds.save_feed(tx, row)


def primed(tx: Tx, systems: Iterable[System]) -> set[int]:
    """Systems of which everything was read once: only then may anybody be created in them (F6)."""
    read = {(row.system, row.object, row.kind) for row in feeds.feeds(tx) if row.primed_at is not None}
    return {
        each.id
        for each in systems
        if all((each.id, o, str(kind)) in read for o, kind in each.feeds() if kind is not FeedKind.SWEEP)
    }


def fetch_hints(engine: Engine, system: System, lease: Lease, out: Pulled | None = None) -> None:
    """Fetch the records that something hinted at."""
    out = out or Pulled()
    while not engine.stopping:
        with engine.store.read() as tx:
            hints = feeds.due_hints(tx, system.id, engine.world.now(), HINTS)
        if not hints:
            return
        for some in batches(hints, FETCH):
            _fetch(engine, system, lease, some, out)


def _fetch(engine: Engine, system: System, lease: Lease, hints: Sequence[Hint], out: Pulled) -> None:
    """Hints at what is not mapped any more are dropped with the rest."""
    seq = lease.seq()
    mapped = [each for each in hints if each.object in system.mapping.objects]
    refs = sorted({Ref(each.object, each.ext) for each in mapped if each.why != "wrote"})
    read = list(engine.connectors[system.id].fetch(refs))
    told = past.ask(engine.connectors[system.id], system, mapped)
    engine.world.pause("answered")
    with engine.store.tx() as tx:
        lease.check(tx)
        for object_ in sorted({ref.object for ref in refs}):
            take(engine, tx, system, object_, _of(read, object_), seq, out, looked_up=True)
        past.keep(tx, system, told)
        feeds.drop_hints(tx, system.id, hints)
    engine.world.pause("stored")


def _of(rows: Iterable[Record], object_: str) -> list[Record]:
    return [each for each in rows if each.ref.object == object_]


def refresh(engine: Engine, system: System, lease: Lease, refs: Iterable[Ref]) -> None:
    """Read these records again, now."""
    connector = engine.connectors[system.id]
    for some in batches(sorted(refs), FETCH):
        seq = lease.seq()
        read = list(connector.fetch(some))
        engine.world.pause("answered")
        with engine.store.tx() as tx:
            lease.check(tx)
            for object_ in sorted({ref.object for ref in some}):
                take(engine, tx, system, object_, _of(read, object_), seq, Pulled(), looked_up=True)
        engine.world.pause("stored")


# --- taking in ---------------------------------------------------------------------------------------------------


def take(
    engine: Engine,
    tx: Tx,
    system: System,
    object_: str,
    rows: Sequence[Record],
    seq: int,
    out: Pulled,
    *,
    looked_up: bool = False,
) -> None:
    """Take in some records of one object, as read by reading `seq`, within the caller's transaction. `looked_up`: they
    were asked for one by one, so that it counts when they were read."""
    mapping = system.mapping.objects[object_]
    now = engine.world.now()
    out.read += len(rows)
    known = records.by_ext(tx, system.id, object_, {row.ref.id for row in rows})
    flights = outbox.flying(tx, [each.id for each in known.values()])
    taken = _Taken()
    for row in rows:
        row.asked_seq = seq
        each = known.get(row.ref.id) or _under_former_name(tx, system, row, known)
        if each is not None and each.ext != row.ref.id and row.state is not State.LIVE:
            continue  # what became of a former name says nothing of the record that goes on under another
        if each is None:
            each = _meet(system, mapping, row, now, taken)
            if each is not None:
                known[row.ref.id] = each
            continue
        _look(system, mapping, row, each, flights.get(each.id), now, taken)
    _lose(tx, system, rows, known, taken, now)
    _save(engine, tx, system, taken, now)
    if looked_up:
        for each in taken.late.values():
            each.read_at = now  # a vendor that went back to a back-up shows no more than this
        records.read_again(tx, [*taken.same.values(), *taken.late.values()])
        confirmed = [each.lead for each in taken.same.values() if each.state is State.DELETED and each.lead is not None]
        leads.make_dirty(tx, confirmed)  # a deletion that still stands after its grace counts from now on
    out.changed += len(taken.new) + len(taken.changed)


def _meet(system: System, mapping: ObjectMapping, row: Record, now: int, taken: _Taken) -> Known | None:
    if row.state in (State.GONE, State.MERGED):
        return None  # it was never here, or lives on in one that will tell us its former names
    known = Known(0, system.id, row.ref.object, row.ref.id)
    first_sight(known, row, mapping, now)
    known.slot = mapping.slot(known.now)
    taken.new.append(known)
    taken.size += known.state is State.LIVE
    return known


def _look(
    system: System,
    mapping: ObjectMapping,
    row: Record,
    known: Known,
    flight: dict[str, object] | None,
    now: int,
    taken: _Taken,
) -> None:
    was_live, version = known.state is State.LIVE, (known.version, known.modified)
    edits: list[tuple[str, Value]] = []
    own = system.capabilities.coercions

    def coerced(name: str) -> frozenset[str]:
        return mapping.coercions_of(name, own)

    seen = observe(known, row, flight, mapping, coerced, now, lambda name, value: edits.append((name, value)))
    if seen is Seen.LATE:
        taken.late[known.id] = known
        return
    if seen is Seen.SAME and row.modified is not None and (known.version, known.modified) == version:
        taken.same[known.id] = known
    else:
        known.slot = mapping.slot(known.now)
        if known.id:
            taken.changed[known.id] = known
    if seen is Seen.CHANGED:
        if known.lead is not None:
            taken.dirty.add(known.lead)
        # A record counts once, however many fields of a group it has. Opt-outs have a limit of their own, and hold
        # nothing back that a person said (F9).
        told = {
            (mapping.group_of[name], "cleared" if value in (None, "", []) else "changed")
            for name, value in edits
            if not is_consent(mapping.group_of[name])
        }
        taken.counted.update(told)
        if was_live and known.state in GONE_STATES:
            taken.counted[("*", "vanished")] += 1
            if known.state is State.DELETED and known.ext is not None:
                taken.hints.append((known.object, known.ext, "deleted"))
    taken.size += (known.state is State.LIVE) - was_live


def _under_former_name(tx: Tx, system: System, row: Record, known: dict[str, Known]) -> Known | None:
    """A survivor of a merge that got a new name: the oldest record it was goes on under the new one (F11)."""
    if not row.aliases:
        return None
    found: list[Known] = []
    for alias in row.aliases:
        found.extend(records.by_ext(tx, system.id, alias.object, {alias.id}).values())
    former = sorted(
        {each.id: each for each in found if each.object == row.ref.object}.values(), key=lambda each: each.id
    )
    live = [each for each in former if each.state is State.LIVE]
    if not live:
        return None
    chosen = live[0]
    if chosen.ext is not None:
        records.add_alias(tx, system.id, chosen.object, chosen.ext, chosen.id)
    chosen.ext = row.ref.id
    known[row.ref.id] = chosen
    return chosen


def _lose(tx: Tx, system: System, rows: Sequence[Record], known: dict[str, Known], taken: _Taken, now: int) -> None:
    """The other records that a survivor was: they live on in it."""
    for row in rows:
        if not row.aliases or row.state is not State.LIVE:
            continue
        survivor = known.get(row.ref.id)
        for alias in row.aliases:
            for loser in records.by_ext(tx, system.id, alias.object, {alias.id}).values():
                if survivor is None or loser.id == survivor.id or loser.state is State.MERGED:
                    continue
                taken.size -= loser.state is State.LIVE
                loser.state, loser.state_at, loser.waits = State.MERGED, now, 0
                loser.into, loser.obs = str(row.ref), loser.obs + 1
                taken.changed[loser.id] = loser
                if loser.lead is not None:
                    taken.dirty.add(loser.lead)


def _save(engine: Engine, tx: Tx, system: System, taken: _Taken, now: int) -> None:
    records.insert(tx, taken.new)
    records.update(tx, taken.changed.values())
    if taken.dirty:
        leads.make_dirty(tx, taken.dirty, Lane.EDIT)
    feeds.grow(tx, system.id, taken.size)
    if taken.hints:
        feeds.add_hints(tx, system.id, taken.hints, Lane.RETRY, now + engine.settings.grace)
    if taken.counted:
        feeds.count(tx, system.id, taken.counted, now)
        _watch(engine, tx, system, set(taken.counted), now)


def _watch(engine: Engine, tx: Tx, system: System, met: set[tuple[str, str]], now: int) -> None:
    """Hold back what others changed too much of in a day: lost rights look like clearing (F12)."""
    limits = engine.settings.limits
    size = next(each.size for each in feeds.systems(tx) if each.id == system.id)
    totals = feeds.counted(tx, system.id, now)
    questions = []
    for name, what in sorted(met):
        limit = limits.shrink if what == "vanished" else limits.inbound
        n = totals.get((name, what), 0)
        if n > limit.of(size):
            body = {
                "system": system.name,
                "group": name,
                "what": what,
                "count": n,
                "size": size,
                "limit": limit.of(size),
            }
            questions.append(Question("inbound", f"inbound:{system.id}:{name}:{what}", system.id, body=body))
    runs.ask(tx, questions, now)


# --- sweeps ------------------------------------------------------------------------------------------------------


def _sweep(engine: Engine, system: System, lease: Lease, object_: str) -> None:
    """Walk every id over there; fetch what is unknown, moved, or did not show up."""
    store, world = engine.store, engine.world
    with store.read() as tx:
        row = feeds.feed_of(tx, system.id, object_, FeedKind.SWEEP)
    if row.began is None:
        row.round += 1
    began = row.began or world.now()
    for page, _ in _pages(engine, system, lease, Feed(object_, FeedKind.SWEEP, row.cursor if row.began else None)):
        with store.tx() as tx:
            lease.check(tx)
            _note_swept(tx, system, object_, page.records, row.round, world.now())
            _save_cursor(tx, row, page, began, system, world.now())
        world.pause("stored")
    with store.tx() as tx:
        lease.check(tx)
        _miss(engine, tx, system, object_, row.round)


def _note_swept(tx: Tx, system: System, object_: str, rows: Sequence[Record], round_: int, now: int) -> None:
    known = records.by_ext(tx, system.id, object_, {row.ref.id for row in rows})
    wanted = [
        (object_, row.ref.id, "changed") for row in rows if row.ref.id not in known or _moved(known[row.ref.id], row)
    ]
    records.mark_swept(tx, system.id, object_, {each.ext for each in known.values() if each.ext}, round_)
    if wanted:
        feeds.add_hints(tx, system.id, wanted, Lane.EDIT, now)


def _moved(known: Known, row: Record) -> bool:
    if known.state is not State.LIVE:
        return True
    if row.modified is not None and known.modified is not None:
        return row.modified > known.modified
    return row.version is not None and row.version != known.version


def _miss(engine: Engine, tx: Tx, system: System, object_: str, round_: int) -> None:
    """Records that a sweep did not show are fetched one by one before anybody believes that they are gone."""
    missed = records.missed(tx, system.id, object_, round_)
    now = engine.world.now()
    size = next(each.size for each in feeds.systems(tx) if each.id == system.id)
    limit = engine.settings.limits.shrink.of(size)
    if len(missed) > limit:
        body = {
            "system": system.name,
            "group": "*",
            "what": "vanished",
            "count": len(missed),
            "size": size,
            "limit": limit,
        }
        runs.ask(tx, [Question("inbound", f"inbound:{system.id}:*:vanished", system.id, body=body)], now)
        return
    feeds.add_hints(tx, system.id, [(object_, ext, "changed") for _, ext in missed], Lane.RETRY, now)
