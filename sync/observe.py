"""What an observation means against what we know of a record.

Decides which observed values are somebody's edit, which are the echo of our own writes, and which are too old to
matter. Pure: it changes the `Known` it is given and nothing else.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

from connectors.base import Fields, Record, State, Value
from mappings.lead import is_consent
from mappings.mapping import ObjectMapping
from mappings.transforms import explains, partial_items
from sync.consent import OUT
from sync.model import ALL, DEFAULT, MADE, WAITS_FOR_CREATE, Known
from sync.packed import digest

NOTHING = object()


class Seen(enum.Enum):
    LATE = "late"  # older than what is known: dropped
    SAME = "same"
    CHANGED = "changed"  # its lead must be looked at


Coerced = Callable[[str], frozenset[str]]
"""Native name → how a value may come back changed."""


def arrived_late(known: Known, row: Record) -> bool:
    """Whether we know something newer than this reading (F15)."""
    if row.modified is not None and known.modified is not None and row.modified != known.modified:
        return row.modified < known.modified
    return row.asked_seq < known.read_seq


def observe(
    known: Known,
    row: Record,
    flight: Mapping[str, Any] | None,
    mapping: ObjectMapping,
    coerced: Coerced,
    now: int,
    changed: Callable[[str, Value], None] | None = None,
    *,
    looked_up: bool = False,
    consent_on: str = "record",
) -> Seen:
    """Take in one reading of a record that is known.

    `flight`: the body of its outbox row that is being sent, with "fields" and "wanted". `changed` is told of each
    native field that somebody else changed, with its new value. `looked_up`: it was asked for by name, and shows what
    stands. `consent_on`: where an opt-out hangs over there.
    """
    if arrived_late(known, row):
        return Seen.LATE
    known.read_seq = max(known.read_seq, row.asked_seq)
    known.read_at = now
    touched = _take_state(known, row, now)
    edited = False
    settled = _is_past_our_answer(known, row, looked_up)
    for name, value in row.fields.items():
        if name not in mapping.group_of:
            continue
        made = MADE in known.asked and mapping.group_of[name] not in known.sent.get("wanted", {})
        is_no = consent_on == "address" and says_no(mapping, name, row.fields)
        if name not in known.now and made and _is_untouched(row) and not is_no:
            take_default(known, name, _plain(value), mapping, known.asked[MADE][2])
            touched = True
            continue
        kind = _take_value(known, name, _whole(known.now.get(name), value), settled, flight, mapping, coerced)
        if kind is None:
            continue
        touched = True
        if kind:
            edited = True
            if changed is not None:
                changed(name, value)
    if edited:
        known.obs += 1
    if row.modified is not None and row.modified != known.modified:
        known.prev_modified = known.modified
        known.modified = row.modified
        known.writer = row.writer
        known.times = {}
    if row.version is not None:
        known.version = row.version
    if settled:
        known.asked.pop(MADE, None)
    if known.sent and settled:
        known.sent, known.was, known.answered = {}, {}, None  # from here on nothing older can show up
    if touched and known.waits != WAITS_FOR_CREATE:
        known.waits = 0
    return Seen.CHANGED if touched else Seen.SAME


def take_default(known: Known, name: str, value: Value, mapping: ObjectMapping, run: int) -> None:
    """A value that the vendor gave by itself to a record that we made without one. It tells nothing of the person: it
    goes nowhere, and is not written over before the lead has a value."""
    known.now[name] = value
    group = mapping.group_of[name]
    if value not in (None, "", []) and not is_consent(group) and group not in known.asked:
        known.settle_for(group, digest(None), DEFAULT, run)


def says_no(mapping: ObjectMapping, name: str, shown: Fields) -> bool:
    """Whether this field shows an opt-out. Where that hangs on the address, no record begins with one by itself:
    whoever has the address said so, before we made a record with it."""
    group = mapping.group_of[name]
    return is_consent(group) and mapping.read_group(group, shown) == OUT


def _is_untouched(row: Record) -> bool:
    """Nobody has changed the record since it was made."""
    return row.created is not None and row.modified is not None and row.modified <= row.created


def first_sight(known: Known, row: Record, mapping: ObjectMapping, now: int) -> None:
    """Fill in a record that was not known."""
    known.now = {
        name: _plain(value) if type(value) is dict else value
        for name, value in row.fields.items()
        if name in mapping.group_of
    }
    known.fresh = ALL
    known.state = row.state
    known.state_at = now
    known.into = str(row.merged_into) if row.merged_into else None
    known.version, known.modified, known.writer = row.version, row.modified, row.writer
    known.mine = row.mine
    known.read_seq, known.read_at = row.asked_seq, now


def is_unsure(known: Known, row: Record) -> bool:
    """Whether a feed shows, of a time that we have not seen yet, what a field held before our last unconfirmed write:
    that may be a snapshot from before it, or somebody who put it back right after. Asked before `observe`."""
    if row.modified is None or known.modified is None or row.modified <= known.modified:
        return False
    return any(name in row.fields and row.fields[name] == value for name, value in known.was.items())


def _is_past_our_answer(known: Known, row: Record, looked_up: bool) -> bool:
    """Whether this reading can hold nothing older than our last unconfirmed write."""
    if looked_up and row.asked_seq > int(known.sent.get("seq", 0)):
        return True
    if row.modified is not None and known.answered is not None:
        return row.modified > known.answered
    return bool(row.asked_seq > int(known.sent.get("seq", 0)))


def _take_state(known: Known, row: Record, now: int) -> bool:
    into = str(row.merged_into) if row.merged_into else None
    if row.state is known.state and (into is None or into == known.into):
        return False
    if known.state is State.MERGED and row.state in (State.GONE, State.DELETED):
        return False  # the loser of a merge is gone, as we know
    if known.state is State.ARCHIVED and row.state in (State.GONE, State.DELETED):
        return False  # many vendors show what we archived as deleted, and nobody's deletion is to follow from that
    if row.state is not known.state:
        known.state_at = now
        known.obs += 1
    known.state = row.state
    known.into = into
    return True


def _take_value(
    known: Known,
    name: str,
    value: Value,
    settled: bool,
    flight: Mapping[str, Any] | None,
    mapping: ObjectMapping,
    coerced: Coerced,
) -> bool | None:
    """One native value. None: nothing new; True: somebody's edit; False: ours, or newly visible."""
    if name not in known.now:
        known.now[name] = value
        group = mapping.group_of.get(name)
        if group is not None and known.fresh is not ALL:
            # Newly mapped, or newly visible: the two sides meet here for the first time (F23).
            known.fresh = (known.fresh or frozenset()) | {group}
        return False
    before = known.now[name]
    if value == before:
        return None
    flying: Fields = flight["fields"] if flight else {}
    written: Fields = known.sent.get("fields", {})
    if name in written and name in known.was and value == known.was[name] and not settled:
        return None  # a snapshot from before our write landed
    source: Mapping[str, Any] | None = None
    if name in flying and explains(flying[name], value, coerced(name)):
        source = flight
    elif name in written and became(written[name], value, coerced(name)):
        source = known.sent
    if source is not None:
        mine = source["fields"][name]
        if name in known.base and not explains(mine, before, coerced(name)):
            known.pending[name] = before  # their edit, seen before ours landed on it (F16)
        known.base.pop(name, None)
        known.now[name] = value
        group = mapping.group_of.get(name)
        if value != mine and group is not None and group in source["wanted"]:
            known.settle_for(group, source["wanted"][group], "lossy", int(source.get("run", 0)))
        return False
    if name in known.base:
        _keep_opt_out(known, name, mapping)
    known.base.setdefault(name, before)
    if known.base[name] == value:
        del known.base[name]  # back to what the lead has absorbed
    known.now[name] = value
    return True


def _keep_opt_out(known: Known, name: str, mapping: ObjectMapping) -> None:
    """A no that was read and not yet taken in stays said, also when the vendor forgets it with the old address (F7)."""
    group = mapping.group_of[name]
    if is_consent(group) and mapping.read_group(group, known.now) == OUT:
        for each in (each for rule in mapping.groups[group] for each in rule.remote if each in known.now):
            known.pending[each] = known.now[each]


def became(sent: Value, seen: Value, kinds: frozenset[str]) -> bool:
    """Whether an unconfirmed write may have become this. By its value: a person's edit can carry our time (F3)."""
    return explains(sent, seen, kinds)


def _whole(before: Value, value: Value) -> Value:
    """A list that is shown only in part can add items, never take any away (F34)."""
    if not (isinstance(value, dict) and "items" in value):
        return value
    shown = partial_items(value)
    if value.get("partial") and isinstance(before, list):
        return sorted({*before, *shown})
    return sorted(shown)


def _plain(value: Value) -> Value:
    return _whole(None, value)
