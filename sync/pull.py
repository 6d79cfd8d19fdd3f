"""Reading a system: each page of each feed is observed and its cursor saved in one transaction.

Held under the system's lease. A page is taken in before the next is asked for; a webhook or a doubt is a hint, whose
record is fetched and goes the same way; a sweep finds what neither showed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.base import Feed, FeedKind, Page, Record, Ref, State, batches
from connectors.errors import CursorLost
from sync import past
from sync.engine import SECOND, Engine
from sync.lease import Lease
from sync.model import Known, Lane, Question, System
from sync.store import feeds, leads, records, runs
from sync.store.db import Tx
from sync.store.feeds import FeedRow, Hint
from sync.take import take

log = logging.getLogger(__name__)

FETCH = 100
HINTS = 1000


@dataclass(slots=True)
class Pulled:
    """How many records were read, and how many of them were news. `tell`: told how many were read, after each page."""

    read: int = 0
    changed: int = 0
    tell: Callable[[int], None] | None = None

    def add(self, rows: Sequence[Record], changed: int) -> None:
        self.read += len(rows)
        self.changed += changed


def pull(engine: Engine, system: System, lease: Lease, *, sweep: bool = False, out: Pulled | None = None) -> Pulled:
    """Read everything that is new in a system; counts in `out`. `sweep`: its sweeps too. Raises what its connector
    raises."""
    out = Pulled() if out is None else out
    with engine.store.read() as tx:
        nobody = feeds.system_row(tx, system.id).size == 0  # nothing known can have vanished
    fetch_hints(engine, system, lease, out)
    for object_, kind in system.feeds():
        swept = kind is FeedKind.SWEEP or (kind is FeedKind.DELETES and system.capabilities.deletes_swept)
        if kind is FeedKind.SWEEP:
            continue
        if not swept or sweep:
            pull_feed(engine, system, lease, object_, kind, out)
    if sweep:
        for object_, kind in system.feeds():
            if kind is FeedKind.SWEEP and not nobody:
                _sweep(engine, system, lease, object_)
        with engine.store.tx() as tx:
            lease.check(tx)
            feeds.update_system(tx, system.id, swept_at=engine.world.now())
        fetch_hints(engine, system, lease, out)
    return out


def pull_feed(
    engine: Engine, system: System, lease: Lease, object_: str, kind: FeedKind, out: Pulled | None = None
) -> None:
    """Read one feed on from its cursor to its end; a cursor that leads nowhere any more begins anew."""
    out = out or Pulled()
    with engine.store.read() as tx:
        row = feeds.feed_of(tx, system.id, object_, kind)
    try:
        _read_on(engine, system, lease, row, out)
    except CursorLost as lost:
        _begin_anew(engine, system, lease, row, lost)
        _read_on(engine, system, lease, row, out)


def _begin_anew(engine: Engine, system: System, lease: Lease, row: FeedRow, lost: CursorLost) -> None:
    """Nobody knows what this feed would have shown meanwhile: until it was read whole nobody is created there (F6),
    and a sweep finds what vanished."""
    log.warning("%s: %s is read from its beginning: %s", system.name, row.object, lost)
    row.cursor = row.began = row.primed_at = None
    with engine.store.tx() as tx:
        lease.check(tx)
        feeds.save_feed(tx, row)
        feeds.update_system(tx, system.id, swept_at=None)


def _read_on(engine: Engine, system: System, lease: Lease, row: FeedRow, out: Pulled) -> None:
    world, store, object_, kind = engine.world, engine.store, row.object, FeedKind(row.kind)
    began = row.began or world.now()
    whole = kind is FeedKind.DELETES and system.capabilities.deletes_swept
    cursor = None if whole and row.began is None else row.cursor
    for page, seq in _pages(engine, system, lease, Feed(object_, kind, cursor)):
        with store.tx() as tx:
            lease.check(tx)
            out.add(page.records, take(engine, tx, system, object_, page.records, seq))
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
            some = _of(read, object_)
            out.add(some, take(engine, tx, system, object_, some, seq, looked_up=True))
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
                take(engine, tx, system, object_, _of(read, object_), seq, looked_up=True)
        engine.world.pause("stored")


# --- sweeps ------------------------------------------------------------------------------------------------------


def _sweep(engine: Engine, system: System, lease: Lease, object_: str) -> None:
    """Walk every id over there; fetch what is unknown, moved, or did not show up."""
    store = engine.store
    with store.read() as tx:
        row = feeds.feed_of(tx, system.id, object_, FeedKind.SWEEP)
    try:
        _walk_on(engine, system, lease, row)
    except CursorLost as lost:
        _begin_anew(engine, system, lease, row, lost)
        _walk_on(engine, system, lease, row)
    with store.tx() as tx:
        lease.check(tx)
        _miss(engine, tx, system, object_, row.round)


def _walk_on(engine: Engine, system: System, lease: Lease, row: FeedRow) -> None:
    world, object_ = engine.world, row.object
    if row.began is None:
        row.round += 1
    began = row.began or world.now()
    for page, _ in _pages(engine, system, lease, Feed(object_, FeedKind.SWEEP, row.cursor if row.began else None)):
        with engine.store.tx() as tx:
            lease.check(tx)
            _note_swept(tx, system, object_, page.records, row.round, world.now())
            _save_cursor(tx, row, page, began, system, world.now())
        world.pause("stored")


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
    size = feeds.system_row(tx, system.id).size
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
