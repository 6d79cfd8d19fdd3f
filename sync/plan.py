"""What each system should be told: a lead against what its records show.

An operation exists where what a record would read back differs from what it shows, and this wish was not put to it
before. It names what it cannot do instead of dropping it: a value without a word over there, a person who cannot be
created without being mailed. Pure.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Fields, State, Value, WriteKind
from mappings.lead import Canon, covers, is_consent, is_empty
from mappings.mapping import ObjectMapping
from mappings.transforms import Unwritable
from sync.consent import CONFIRMED, IN, OUT
from sync.group import ABSENT, rounded
from sync.model import ALWAYS, DEFAULT, TWIN, Filter, Known, Lane, Lead, Operation, Side, System
from sync.packed import digest
from sync.rules import Rules

DAY = 86_400_000_000


@dataclass(slots=True)
class Planned:
    """`operations`, and what could not become one: `unwritable` (record, group, why), `blocked` (system, why) for
    people who are not created, `resting` records that are out of scope."""

    operations: list[Operation] = field(default_factory=list)
    unwritable: list[tuple[int, str, str]] = field(default_factory=list)
    blocked: list[tuple[int, str, str]] = field(default_factory=list)
    resting: set[int] = field(default_factory=set)


def plan(
    lead: Lead,
    sides: Sequence[Side],
    targets: Iterable[System],
    undecided: Collection[str],
    left_alone: Mapping[int, Collection[str]],
    sending: Collection[int],
    how: Rules,
    now: int,
) -> Planned:
    """The operations that bring this lead's records to what the lead says.

    `targets`: systems in which a person may be created now. `sending`: records with an operation under way; they are
    looked at again when it is settled.
    """
    out = Planned()
    for side in sides:
        if side.known.ext is None or side.known.id in sending:
            continue
        if side.live and side.system.takes(WriteKind.UPDATE):
            _plan_update(lead, side, undecided, left_alone.get(side.known.id, ()), how, now, out)
    present = {side.system.id for side in sides if side.known.ext is not None}
    waiting = {side.system.id: side.known for side in sides if side.known.ext is None}
    if any(side.live for side in sides):
        for system in targets:
            if system.id not in present and system.takes(WriteKind.CREATE):
                known = waiting.get(system.id)
                if known is None or known.id not in sending:
                    _plan_create(lead, system, known, undecided, now, out)
    return out


def _plan_update(
    lead: Lead, side: Side, undecided: Collection[str], alone: Collection[str], how: Rules, now: int, out: Planned
) -> None:
    withdrawal = _withdrawal(lead, side, alone)
    edits = _edits(lead, side, undecided, alone, how, now, out)
    if withdrawal is not None:
        withdrawal.follows = edits  # nothing else goes with it: a refused field must not hold it up
        out.operations.append(withdrawal)
    elif edits is not None:
        out.operations.append(edits)


def _edits(
    lead: Lead, side: Side, undecided: Collection[str], alone: Collection[str], how: Rules, now: int, out: Planned
) -> Operation | None:
    """Whatever this record should show beside a no to being mailed."""
    if not in_scope(lead, side.system.filters, now):
        out.resting.add(side.known.id)
        return None
    fields: Fields = {}
    groups: dict[str, list[Canon]] = {}
    wanted: dict[str, str] = {}
    for group in side.mapping.groups:
        want = lead.value.get(group)
        has = side.now.get(group)
        if want == has or (is_empty(want) and is_empty(has)):
            continue
        if group in undecided or group in side.held or not _may_write(side, group):
            continue
        if is_consent(group) and not _may_raise(want, has, group, alone, how):
            continue
        mark = digest(want)
        settled = side.known.asked.get(group)
        if settled is not None and (settled[0] == mark or (settled[1] == DEFAULT and is_empty(want))):
            continue
        would = rounded(side, group, want)
        if would is ABSENT:
            out.unwritable.append((side.known.id, group, "the mapping has no word for this value"))
            continue
        if would == has or (is_empty(would) and is_empty(has)):
            continue
        written = side.mapping.write(group, want)
        minimal = {name: value for name, value in written.items() if side.known.now.get(name) != value}
        if minimal:
            fields.update(minimal)
            groups[group] = [has, want]
            wanted[group] = mark
    if not fields:
        return None
    # A person met for the first time is no news to anybody: edits go first.
    lane = Lane.BACKFILL if lead.rev == 0 else Lane.EDIT
    operation = _update(lead, side, lane, fields, groups, wanted)
    _guard_new_address(lead, side.mapping, side.system, operation, side.now)
    return operation if operation.fields else None


def _may_write(side: Side, group: str) -> bool:
    """Whether this group of the record is ours to write: readable, outgoing, and not a twin's own address."""
    if group not in side.mapping.outgoing or group not in side.now or side.is_fresh(group):
        return False
    return not (side.known.role == TWIN and group in side.mapping.slots)


def _may_raise(want: Canon, has: Canon, group: str, alone: Collection[str], how: Rules) -> bool:
    """An opt-in goes to other systems only when the person confirmed it and the configuration says so; what no side
    knows is not a yes."""
    confirmed = isinstance(want, str) and want.startswith(CONFIRMED)
    shown_in = isinstance(has, str) and (has == IN or has.startswith(CONFIRMED))
    return how.resubscribe == "propagate" and confirmed and not shown_in and group not in alone


def _update(
    lead: Lead, side: Side, lane: Lane, fields: Fields, groups: dict[str, list[Canon]], wanted: dict[str, str]
) -> Operation:
    known = side.known
    before: dict[str, Value] = {name: known.now.get(name) for name in fields}
    operation = Operation(
        known.id, side.system.id, "update", known.object, lead.id, lane, fields, before, groups, wanted
    )
    for group in side.mapping.slots & groups.keys():
        after = groups[group][1]
        operation.slot = [known.slot, after if isinstance(after, str) else None]
    return operation


# --- consent -----------------------------------------------------------------------------------------------------


def opted_out(lead: Lead, cell: str, mapping: ObjectMapping) -> bool:
    """Whether this control must say no: the lead is out of a cell that covers it, or of a purpose inside it where
    nothing finer is there and widening is allowed."""
    mine = mapping.consents
    for group, value in lead.value.items():
        if value != OUT or not is_consent(group):
            continue
        if covers(group, cell):
            return True
        finer = any(other != cell and covers(other, group) for other in mine)
        if covers(cell, group) and not finer and any(rule.widen for rule in mapping.groups[cell]):
            return True
    return False


def _withdrawal(lead: Lead, side: Side, alone: Collection[str]) -> Operation | None:
    """The operation that makes this record say no wherever the lead does; None where it does already."""
    fields: Fields = {}
    groups: dict[str, list[Canon]] = {}
    wanted: dict[str, str] = {}
    for group in side.mapping.consents:
        if group in alone or group not in side.mapping.outgoing or group not in side.now:
            continue
        if side.now[group] == OUT or not opted_out(lead, group, side.mapping):
            continue
        mark = digest(OUT)
        settled = side.known.asked.get(group)
        if settled is not None and settled[0] == mark:
            continue
        fields.update(side.mapping.write(group, OUT))
        groups[group] = [side.now[group], OUT]
        wanted[group] = mark
    return _update(lead, side, Lane.WITHDRAWAL, fields, groups, wanted) if fields else None


def _withdraw_fields(lead: Lead, mapping: ObjectMapping, shown: Mapping[str, Canon]) -> Fields:
    """What says no for this lead here, or goes on saying no: a system that did not follow an opt-in stays out."""
    fields: Fields = {}
    for group in mapping.consents:
        if group not in mapping.outgoing:
            continue
        if shown.get(group) == OUT or opted_out(lead, group, mapping):
            fields.update(mapping.write(group, OUT))
    return fields


def _guard_new_address(
    lead: Lead, mapping: ObjectMapping, system: System, operation: Operation, shown: Mapping[str, Canon]
) -> None:
    """Where consent hangs on the address, a new address is opted out before anybody gets it (F7)."""
    if operation.slot is None or operation.slot[1] is None:
        return
    withdraw = _withdraw_fields(lead, mapping, shown)
    lacks = withdraw.keys() & system.lacks.get(operation.object, ())
    if not withdraw or lacks:
        if system.capabilities.consent_on == "address" and any(
            is_consent(group) and value == OUT for group, value in lead.value.items()
        ):
            _keep_address(mapping, operation)
        return
    if system.capabilities.consent_on == "address":
        operation.step, operation.address, operation.withdraw = "withdraw", operation.slot[1], withdraw
    else:
        operation.fields.update(withdraw)


def _keep_address(mapping: ObjectMapping, operation: Operation) -> None:
    """The no cannot be told there, and would be forgotten with the old address: it stays."""
    for group in mapping.slots:
        for name in mapping.names_of(group):
            operation.fields.pop(name, None)
            operation.before.pop(name, None)
        operation.groups.pop(group, None)
        operation.wanted.pop(group, None)
    operation.slot = None


# --- creating ----------------------------------------------------------------------------------------------------


def _plan_create(
    lead: Lead, system: System, known: Known | None, undecided: Collection[str], now: int, out: Planned
) -> None:
    object_ = system.creates()
    if object_ is None or not in_scope(lead, system.filters, now):
        return
    mapping = system.mapping.objects[object_]
    lacks = system.lacks.get(object_, frozenset())
    fields: Fields = {}
    groups: dict[str, list[Canon]] = {}
    wanted: dict[str, str] = {}
    refused = False
    for group in mapping.creating:
        if group in undecided:
            continue
        want = lead.value.get(group)
        settled = known.asked.get(group) if known else None
        if settled is not None and settled[0] == digest(want):
            refused = True
            continue  # in an earlier try: the rest of the person goes without it (F32)
        try:
            written = mapping.write(group, want, creating=True)
        except Unwritable:
            continue  # the rest of the person is not held up; the update that follows tells the value
        if lacks:
            written = {name: value for name, value in written.items() if name not in lacks}
        if written:
            fields.update(written)
            if not is_empty(want):
                groups[group] = [None, want]
                wanted[group] = digest(want)
    missing = [name for name in mapping.required if name not in fields]
    if refused and (missing or not groups):
        return  # that is asked about already
    if missing or not groups:
        named = ", ".join(missing) or "any value"
        out.blocked.append((system.id, "missing", named))
        return
    operation = Operation(
        known.id if known else 0, system.id, "create", object_, lead.id, Lane.BACKFILL, fields, {}, groups, wanted
    )
    if mapping.slots:
        address = next((lead.value.get(group) for group in sorted(mapping.slots)), None)
        operation.slot = [None, address if isinstance(address, str) else None]
    if not _consent_on_create(lead, system, mapping, operation):
        out.blocked.append((system.id, "opted out", ""))
        return
    settled = known.asked.get("*") if known else None
    if settled is not None and settled[0] in (ALWAYS, digest([fields, operation.withdraw])):
        return  # refused with just these values, or settled by a person
    out.operations.append(operation)


def _consent_on_create(lead: Lead, system: System, mapping: ObjectMapping, operation: Operation) -> bool:
    """An opted-out person is created only where the no goes along, or goes ahead."""
    out_of = any(value == OUT and is_consent(group) for group, value in lead.value.items())
    if not out_of:
        return True
    withdraw = _withdraw_fields(lead, mapping, {})
    if not withdraw or withdraw.keys() & system.lacks.get(operation.object, ()):
        return False
    if system.capabilities.consent_on == "address":
        if operation.slot is None or operation.slot[1] is None:
            return False
        operation.step, operation.address, operation.withdraw = "withdraw", operation.slot[1], withdraw
    else:
        operation.fields.update(withdraw)
    return True


# --- scope -------------------------------------------------------------------------------------------------------


def in_scope(lead: Lead, filters: Sequence[Filter], now: int) -> bool:
    """Whether a lead belongs into a system: all its filters hold."""
    return not filters or all(_holds(each, lead.value, now) for each in filters)


def _holds(condition: Filter, value: Mapping[str, Canon], now: int) -> bool:
    found: object = value.get(condition.group)
    if isinstance(found, dict):
        found = found.get(condition.field)
    match condition.op:
        case "eq":
            return found == condition.value
        case "in":
            allowed = condition.value if isinstance(condition.value, list | tuple) else [condition.value]
            return any(each in allowed for each in found) if isinstance(found, list) else found in allowed
        case "present":
            return (found not in (None, "", [])) is (condition.value is not False)
        case "older_than":
            if not isinstance(found, str) or not isinstance(condition.value, int):
                return False
            day = datetime.datetime.fromisoformat(found[:10]).replace(tzinfo=datetime.UTC)
            return now - int(day.timestamp() * 1e6) > condition.value * DAY
    raise ValueError(f"no filter operator {condition.op!r}")


@dataclass(frozen=True, slots=True)
class Departure:
    """A person who was deleted somewhere: `archive` follows, and stays undone while somebody has `edited` since."""

    archive: tuple[Side, ...] = ()
    edited: tuple[Side, ...] = ()


def departure(lead: Lead, sides: Sequence[Side], grace: int, now: int) -> Departure:
    """What the deletion of a person does to their other records, where the configuration wants it (F29)."""
    live = [side for side in sides if side.live]
    at_home = {side.system.id for side in live}  # a duplicate of theirs was deleted, not they
    times = [
        min(side.known.state_at, side.known.modified or side.known.state_at)
        for side in sides
        if side.known.state is State.DELETED
        and side.system.id not in at_home
        and side.known.state_at + grace <= min(side.known.read_at, now)
    ]
    following = tuple(side for side in live if side.system.deletions == "archive")
    if not times or not following:
        return Departure()
    last = {told[0]: told[2] for group, told in sorted(lead.origin.items(), key=_when) if not group.startswith("~")}
    edited = tuple(side for side in live if side.known.base or last.get(side.known.id, 0) > min(times))
    return Departure((), edited) if edited else Departure(following)


def _when(origin: tuple[str, Any]) -> int:
    return 0 if origin[0].startswith("~") else int(origin[1][2])
