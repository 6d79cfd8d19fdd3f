"""Taking records in: what a reading shows becomes what we know of each record, within the caller's transaction.

Each record is observed by itself; a survivor of a merge takes its losers along; what looks like a disaster over there
(a column gone blank, records vanishing) is counted and held back before it can be merged. Refuses nothing: what is odd
becomes a question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import Record, State, Value
from mappings.lead import is_consent
from mappings.mapping import ObjectMapping
from sync.engine import Engine
from sync.model import Known, Lane, Question, System
from sync.observe import Seen, first_sight, is_unsure, observe
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx

GONE_STATES = (State.GONE, State.DELETED)


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
    unsure: list[tuple[str, str, str]] = field(default_factory=list)


def take(
    engine: Engine,
    tx: Tx,
    system: System,
    object_: str,
    rows: Sequence[Record],
    seq: int,
    *,
    looked_up: bool = False,
) -> int:
    """Take in some records of one object, as read by reading `seq`; answers how many of them were news. `looked_up`:
    they were asked for one by one, so that it counts when they were read."""
    mapping = system.mapping.objects[object_]
    now = engine.world.now()
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
        if not looked_up and is_unsure(each, row):
            taken.unsure.append((row.ref.object, row.ref.id, "changed"))
        _look(system, mapping, row, each, flights.get(each.id), now, taken, looked_up)
    _lose(tx, system, rows, known, taken, now)
    _save(engine, tx, system, taken, now)
    if looked_up:
        for each in taken.late.values():
            each.read_at = now  # a vendor that went back to a back-up shows no more than this
        records.read_again(tx, [*taken.same.values(), *taken.late.values()])
        confirmed = [each.lead for each in taken.same.values() if each.state is State.DELETED and each.lead is not None]
        leads.make_dirty(tx, confirmed)  # a deletion that still stands after its grace counts from now on
    return len(taken.new) + len(taken.changed)


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
    looked_up: bool,
) -> None:
    was_live, version = known.state is State.LIVE, (known.version, known.modified)
    edits: list[tuple[str, Value]] = []
    own, consent_on = system.capabilities.coercions, system.capabilities.consent_on

    def coerced(name: str) -> frozenset[str]:
        return mapping.coercions_of(name, own)

    def changed(name: str, value: Value) -> None:
        edits.append((name, value))

    seen = observe(known, row, flight, mapping, coerced, now, changed, looked_up=looked_up, consent_on=consent_on)
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
    # What was edited there and is not taken in yet: the merge may have chosen otherwise, and it is not forgotten.
    edited = {name: chosen.now[name] for name in chosen.base if name in chosen.now}
    chosen.pending = {**edited, **chosen.pending}
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
    if taken.unsure:
        feeds.add_hints(tx, system.id, taken.unsure, Lane.EDIT, now)
    if taken.hints:
        feeds.add_hints(tx, system.id, taken.hints, Lane.RETRY, now + engine.settings.grace)
    if taken.counted:
        feeds.count(tx, system.id, taken.counted, now)
        _watch(engine, tx, system, set(taken.counted), now)


def _watch(engine: Engine, tx: Tx, system: System, met: set[tuple[str, str]], now: int) -> None:
    """Hold back what others changed too much of in a day: lost rights look like clearing (F12)."""
    limits = engine.settings.limits
    size = feeds.system_row(tx, system.id).size
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
