"""Sending: claim, call, settle.

A claim re-checks that record and lead stand as they were when the operation was decided, and is on the disk before
anything leaves. Up to `capabilities.parallel` batches are under way at once, never two for one record; each answer is
settled in a transaction of its own. What was decided before something newer was read is never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from connectors.base import Answer, Fields, Ref, State, Write, WriteKind
from connectors.errors import ConnectorError, Retry
from sync.engine import SECOND, Engine
from sync.lease import Lease
from sync.model import ALWAYS, RESTORE, Known, Question, System
from sync.pull import pull_feed, refresh
from sync.recover import recover
from sync.settle import settle
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx, generation
from sync.store.outbox import Row

LOOKS = (1, 4)
"""So many batches' worth of rows are looked at for one claim; more only where the first do not make a whole batch."""


@dataclass(slots=True)
class Pushed:
    """What became of the operations sent, by answer. `tell`: told how many there are, after each batch."""

    answers: Counter[str] = field(default_factory=Counter)
    doubtful: int = 0
    tell: Callable[[int], None] | None = None


JUST_NOW = 10 * SECOND
"""How long ago at most a record was read itself that is to get another address, where a no hangs on the address."""


@dataclass(slots=True)
class _Claimed:
    """One batch, or what must be read again before there is one."""

    rows: list[Row] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    stale: list[Ref] = field(default_factory=list)
    poll: bool = False
    dropped: int = 0


def push(engine: Engine, system: System, lease: Lease, run: int, out: Pushed | None = None) -> Pushed:
    """Send what is approved for a system until nothing is left; counts in `out`. Raises what its connector raises,
    after everything that could be settled was."""
    out = Pushed() if out is None else out
    lanes = max(1, system.capabilities.parallel)
    with engine.store.read() as tx:
        doubtful = bool(outbox.sending(tx, system.id))
        waiting = len(outbox.ready(tx, system.id, engine.world.now(), lanes * _largest(system)))
    if not doubtful and not waiting:
        return out
    if doubtful:
        recover(engine, system, lease, run)
    failures: list[ConnectorError] = []
    lock = engine.world.lock()

    def work() -> None:
        while not failures and not engine.stopping:
            try:
                if not _one_batch(engine, system, lease, run, out, lock):
                    return
            except ConnectorError as error:
                failures.append(error)

    others = min(lanes, -(-waiting // _largest(system))) - 1
    tasks = [engine.world.spawn(f"push {system.name} {i}", work) for i in range(others)]
    work()
    for task in tasks:
        task.join()
    with engine.store.read() as tx:
        out.doubtful = len(outbox.sending(tx, system.id))
    if failures:
        raise failures[0]
    return out


def _largest(system: System) -> int:
    return max(system.capabilities.batch.values(), default=1)


def _one_batch(
    engine: Engine, system: System, lease: Lease, run: int, out: Pushed, lock: AbstractContextManager[object]
) -> bool:
    """Claim, send and settle one batch; False when there was nothing to claim."""
    claimed = _claim(engine, system, lease)
    if claimed.poll:
        _poll(engine, system, lease)
        return True
    if claimed.stale:
        refresh(engine, system, lease, claimed.stale)
        return True
    if not claimed.rows:
        return claimed.dropped > 0
    engine.world.pause("claimed")
    try:
        answers: Sequence[Answer] = engine.connectors[system.id].write(claimed.writes)
    except ConnectorError as error:
        _unsent(engine, lease, claimed.rows, error)
        raise
    engine.world.pause("answered")
    with engine.store.tx() as tx:
        lease.check(tx)
        settle(engine, tx, system, lease, claimed.rows, answers, run)
    engine.world.pause("settled")
    with lock:
        out.answers.update(type(each).__name__.lower() for each in answers)
        if out.tell is not None:
            out.tell(sum(out.answers.values()))
    return True


def _unsent(engine: Engine, lease: Lease, rows: Sequence[Row], error: ConnectorError) -> None:
    """Nothing has left: the rows wait for their next chance."""
    after = error.after if isinstance(error, Retry) and error.after else 0.0
    at = engine.world.now() + int(after * SECOND)
    with engine.store.tx() as tx:
        lease.check(tx)
        for row in rows:
            outbox.requeue(tx, {row.record: at}, row.lane)


# --- claiming ----------------------------------------------------------------------------------------------------


def _claim(engine: Engine, system: System, lease: Lease) -> _Claimed:
    """Take the next batch: rows of one kind, in the order of lanes, that still stand as decided."""
    now = engine.world.now()
    out = _Claimed()
    with engine.store.tx(durable=True) as tx:
        lease.check(tx)
        for looks in LOOKS:
            known, some, whole = _next_rows(engine, tx, system, looks * _largest(system), now, out)
            if whole:
                break
        if not some:
            return out
        first = some[0]
        if not system.capabilities.batch.get(_kind(first)):
            _impossible(tx, system, some, now)
            out.dropped += len(some)
            return out
        if _kind(first) is WriteKind.CREATE:
            if records.any_unplaced(tx, system.id):
                return out  # somebody was met who may be just this person: first they are placed
            out.poll = _creates_are_stale(engine, tx, system, now)
        elif _kind(first) in (WriteKind.UPDATE, WriteKind.ARCHIVE):
            out.stale = _stale(engine, tx, system, some, known, now)
        if out.poll or out.stale:
            return out
        outbox.claim(tx, [row.record for row in some], lease.token, now)
        mark = generation(tx)
        out.rows = some
        out.writes = [_write(row, known[row.record], mark) for row in some]
    return out


def _next_rows(
    engine: Engine, tx: Tx, system: System, count: int, now: int, out: _Claimed
) -> tuple[dict[int, Known], list[Row], bool]:
    """Of the `count` most urgent rows those that go out together, with their records; and whether looking at more of
    them would add none."""
    ready = outbox.ready(tx, system.id, now, count)
    known = records.by_id(tx, [row.record for row in ready])
    known = {number: each for number, each in known.items() if engine.mapping(each) is not None}
    standing = _in_order(tx, system, _standing(tx, ready, known, out), now) if ready else []
    if not standing:
        return known, [], len(ready) < count
    first = standing[0]
    size = system.capabilities.batch.get(_kind(first)) or count
    kind = (_kind(first), first.body["object"])
    some = [row for row in standing if (_kind(row), row.body["object"]) == kind][:size]
    return known, some, len(some) == size or len(ready) < count


def _kind(row: Row) -> WriteKind:
    return WriteKind.WITHDRAW if row.step == 0 else WriteKind(row.kind)


def _standing(tx: Tx, rows: Sequence[Row], known: dict[int, Known], out: _Claimed) -> list[Row]:
    """Rows decided before a newer observation, or before their lead moved, are void: it is decided again (F16)."""
    revs = leads.revs(tx, {row.lead for row in rows if row.lead is not None})
    creating = {row.lead for row in rows if row.kind == "create" and row.lead is not None}
    there = records.present(tx, rows[0].system, creating) if creating else set()
    keep, drop, dirty = [], [], set()
    for row in rows:
        each = known.get(row.record)
        if row.step == RESTORE:
            stands = each is not None and each.state is State.LIVE and _is_as_left(tx, row, each)
        else:
            stands = (
                each is not None
                and each.obs == row.obs
                and (each.ext is None or each.state is State.LIVE)
                and (row.lead is None or (each.lead == row.lead and revs.get(row.lead) == row.lead_rev))
                and not (row.kind == "create" and row.lead in there)
            )
        if stands:
            keep.append(row)
            continue
        drop.append(row.record)
        lead = each.lead if each is not None else row.lead
        if lead is not None:
            dirty.add(lead)
    outbox.delete(tx, drop)
    leads.make_dirty(tx, dirty)
    out.dropped += len(drop)
    return keep


def _is_as_left(tx: Tx, row: Row, known: Known) -> bool:
    """Whether what is to be taken back is as it was left, whatever the lead says by now. A field that somebody changed
    meanwhile stays behind."""
    if row.kind != WriteKind.UPDATE:
        return known.obs == row.obs
    body = row.body
    stay = {n for n, left in body["before"].items() if n not in known.base and known.now.get(n) == left}
    if stay and len(stay) < len(body["fields"]):
        groups = {body["of"][name] for name in stay}
        for part, kept in (("fields", stay), ("before", stay), ("groups", groups), ("wanted", groups)):
            body[part] = {name: value for name, value in body[part].items() if name in kept}
        outbox.delete(tx, [row.record])
        outbox.put(tx, [row])
    return bool(stay)


def _in_order(tx: Tx, system: System, rows: list[Row], now: int) -> list[Row]:
    """Where an address is unique, it must be free before another record gets it: along a chain in order, and round a
    circle not at all (F40)."""
    moving = {
        row.record: row.body["slot"]
        for row in rows
        if row.body.get("slot") and row.body["slot"][1] and _address_is_unique(system, row.body["object"])
    }
    if not moving:
        return rows
    holders = {slot: record for record, slot, _ in records.holders(tx, system.id, {to for _, to in moving.values()})}
    waits = {record: holders[to] for record, (_, to) in moving.items() if holders.get(to, record) != record}
    planned = outbox.by_record(tx, sorted(set(waits.values())))
    leaving = {
        record for record, row in planned.items() if row.body.get("slot") and row.body["slot"][0] != row.body["slot"][1]
    }
    circle = {record for record in waits if _is_round(record, waits, leaving)}
    if circle:
        outbox.drop_unsent(tx, sorted(circle))
        for row in rows:
            if row.record in circle:
                body = {"system": system.name, "address": moving[row.record][1]}
                cause = f"circle:{system.id}:{min(circle)}"
                runs.ask(tx, [Question("circle", cause, system.id, row.lead, row.record, body)], now)
                _settle_for_now(tx, row)
    blocked = {record for record in waits if record not in circle and waits[record] in leaving}
    return [row for row in rows if row.record not in circle and row.record not in blocked]


def _address_is_unique(system: System, object_: str) -> bool:
    """A vendor may have other unique fields, such as our key."""
    mapping = system.mapping.objects[object_]
    return any(
        name in system.capabilities.unique
        for group in mapping.slots
        for rule in mapping.groups[group]
        for name in rule.remote
    )


def _is_round(record: int, waits: dict[int, int], leaving: set[int]) -> bool:
    seen = {record}
    while record in waits and waits[record] in leaving:
        record = waits[record]
        if record in seen:
            return True
        seen.add(record)
    return False


def _settle_for_now(tx: Tx, row: Row) -> None:
    """It is not asked again until the lead's value changes, or a person says so."""
    for known in records.by_id(tx, [row.record]).values():
        for group, mark in (row.body["wanted"] or {"*": ALWAYS}).items():
            known.settle_for(group, mark, "held", row.run)
        records.update(tx, [known])


def _impossible(tx: Tx, system: System, rows: Sequence[Row], now: int) -> None:
    """The system takes no writes of this kind: told once, and not asked again."""
    outbox.drop_unsent(tx, [row.record for row in rows])
    for row in rows:
        _settle_for_now(tx, row)
    kind = rows[0].kind
    cause, body = f"impossible:{system.id}:{kind}", {"system": system.name, "kind": kind}
    runs.ask(tx, [Question("impossible", cause, system.id, row.lead, row.record, body) for row in rows], now)


def _creates_are_stale(engine: Engine, tx: Tx, system: System, now: int) -> bool:
    """Whether somebody may have made this person over there since we last looked."""
    polled = [row.watermark for row in feeds.feeds(tx) if row.system == system.id and row.kind == "delta"]
    lag = int(system.capabilities.lag * SECOND)
    return min(polled, default=0) + lag + engine.settings.fresh < now


def _stale(engine: Engine, tx: Tx, system: System, rows: Sequence[Row], known: dict[int, Known], now: int) -> list[Ref]:
    """Records that nobody vouches for: neither read lately nor covered by a feed read lately (F38). Where a no hangs on
    the address, one that gets another address is read just before: a no that was said since would be forgotten (F7)."""
    vouched = {row.object: row.watermark for row in feeds.feeds(tx) if row.system == system.id and row.kind == "delta"}
    limit, just_now = now - engine.settings.fresh, now - JUST_NOW
    by_address = system.capabilities.consent_on == "address"
    return [
        known[row.record].ref()
        for row in rows
        if max(known[row.record].read_at, vouched.get(known[row.record].object, 0)) < limit
        or (by_address and row.body.get("slot") and known[row.record].read_at < just_now)
    ]


def _poll(engine: Engine, system: System, lease: Lease) -> None:
    for object_, kind in system.feeds():
        if kind == "delta":
            pull_feed(engine, system, lease, object_, kind)


def _write(row: Row, known: Known, mark: str) -> Write:
    key = f"{mark}-{row.record}"
    fields: Fields = row.body["withdraw"] if row.step == 0 else row.body["fields"]
    return Write(
        _kind(row),
        key,
        row.body["object"],
        known.ref() if known.ext is not None else None,
        dict(fields),
        dict(row.body["before"]),
        known.version,
        row.body.get("address"),
    )
