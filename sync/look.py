"""Looking: where a lead's values come from, what happened to it, and why a record does not show them.

Reads the store and says what it finds, as plain data for commands and pages. Decides nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import State, WriteKind
from mappings.lead import Canon, covers, is_consent, is_empty
from mappings.mapping import ObjectMapping
from sync.consent import OUT
from sync.decide import held_groups
from sync.engine import Engine
from sync.group import ABSENT, rounded
from sync.merge import side
from sync.model import DEFAULT, PRIMARY, Known, Lead, OutState, Side
from sync.packed import digest
from sync.plan import in_scope, opted_out
from sync.pull import primed
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.runs import Past


@dataclass(slots=True)
class Value:
    """One group of a lead. `system`, `record`: where it came from; `rule`: why it stands; `proven`: the order of events
    does not rest on an estimate; `frozen`: what it waits for. Times in microseconds UTC, None where unknown."""

    group: str
    value: Canon
    system: str | None
    record: str | None
    rule: str
    proven: bool
    at: int | None
    run: int
    frozen: str | None


@dataclass(slots=True)
class Place:
    """A lead's record in a system."""

    system: str
    record: str | None
    state: str
    primary: bool
    read_at: int | None
    note: str = ""


@dataclass(slots=True)
class Shown:
    lead: int
    values: list[Value]
    places: list[Place]
    consent: list[Sequence[Any]] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    """Ids of leads that were joined into this one."""


def show(engine: Engine, tx: Tx, lead_id: int) -> Shown | None:
    """A lead with the origin of each value, and its records; None where there is none."""
    real = leads.real(tx, lead_id)
    if real is None:
        return None
    lead = leads.by_id(tx, [real])[real]
    sides = records.by_lead(tx, [real])[real]
    values = [_value(engine, lead, sides, group) for group in sorted(lead.value) if lead.value[group] is not None]
    values += [
        Value(group, None, None, None, "", True, None, 0, why)
        for group, why in sorted(lead.frozen.items())
        if lead.value.get(group) is None
    ]
    return Shown(
        real, values, [_place(engine, each) for each in sides], list(leads.ledger(tx, real)), leads.former(tx, real)
    )


def _value(engine: Engine, lead: Lead, sides: Sequence[Known], group: str) -> Value:
    origin = list(lead.origin.get(group, []))
    record, _, hi, rule, run, proven = (origin + [0, 0, 0, "", 0, True][len(origin) :])[:6]
    known = next((each for each in sides if each.id == record), None)
    return Value(
        group,
        lead.value[group],
        _name(engine, known.system) if known else None,
        f"{known.object}:{known.ext}" if known else None,
        str(rule),
        bool(proven),
        int(hi) or None,
        int(run),
        lead.frozen.get(group),
    )


def _place(engine: Engine, known: Known) -> Place:
    ref = f"{known.object}:{known.ext}" if known.ext is not None else None
    note = "" if known.ext is not None else "being created"
    if known.ext is None and "*" in known.asked:
        note = f"not created: {known.asked['*'][1]}"
    state = known.state.name.lower().replace("_", " ") if known.ext is not None else "not there yet"
    return Place(_name(engine, known.system), ref, state, known.role == PRIMARY, known.read_at or None, note)


def _name(engine: Engine, system: int) -> str:
    found = engine.systems.get(system)
    return found.name if found else f"system {system} (not configured any more)"


def history(tx: Tx, lead_id: int) -> list[tuple[Past, runs.Run | None]]:
    """Everything that happened to a lead under all its ids, oldest first, with the run that did it."""
    real = leads.real(tx, lead_id)
    if real is None:
        return []
    past = runs.of_lead(tx, [real, *leads.former(tx, real)])
    told = runs.by_ids(tx, sorted({each.run for each in past}))
    return [(each, told.get(each.run)) for each in past]


# --- why ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reason:
    """Something that stands between a record and what its lead says. `group` None: it concerns the whole record.
    `code` is stable; `wants` and `has` are canonical values."""

    code: str
    group: str | None
    text: str
    wants: Canon = None
    has: Canon = None


@dataclass(slots=True)
class Why:
    """`lead` None: the record belongs to nobody. `reasons` empty: it shows what its lead says."""

    system: str
    record: str
    known: bool
    lead: int | None = None
    reasons: list[Reason] = field(default_factory=list)


def why(engine: Engine, tx: Tx, system_id: int, object_: str, ext: str) -> Why:
    """Why a record does not show what its lead says, or its lead not what it shows."""
    system = engine.systems[system_id]
    known = records.by_ext(tx, system_id, object_, {ext}).get(ext)
    out = Why(system.name, f"{object_}:{ext}", known is not None, known.lead if known else None)
    trouble = next((row for row in feeds.systems(tx) if row.id == system_id), None)
    if trouble is not None and trouble.trouble:
        out.reasons.append(Reason("backs off", None, f"the system backs off: {trouble.trouble}"))
    if trouble is not None and not trouble.is_live:
        restored = trouble.state == feeds.RESTORED
        which = "the plan after the database was put back" if restored else "the first plan for this system"
        out.reasons.append(Reason("new", None, f"{which} is not approved yet"))
    if known is None:
        read = bool(primed(tx, [system]))
        text = "it was never read" if read else "the system has not been read whole yet"
        out.reasons.append(Reason("unread", None, text))
        return out
    if known.state is not State.LIVE:
        text = f"it is {known.state.name.lower().replace('_', ' ')} over there; such records are left alone"
        out.reasons.append(Reason("not live", None, text))
    if known.lead is None:
        out.reasons.append(_unplaced(known))
        return out
    if known.state is not State.LIVE:
        return out
    lead = leads.by_id(tx, [known.lead])[known.lead]
    seen = side(known, system, held_groups(tx).get(system_id, frozenset()))
    if not in_scope(lead, system.filters, engine.world.now()):
        out.reasons.append(Reason("out of scope", None, "the lead does not pass the filters of this system"))
    if not system.takes(WriteKind.UPDATE):
        out.reasons.append(Reason("read only", None, "nothing is written to this system"))
    row = outbox.by_record(tx, [known.id]).get(known.id)
    rests = any(each.code in RESTS for each in out.reasons)
    for group in seen.mapping.groups:
        reason = _reason(lead, seen, group, row, rests=rests)
        if reason is not None:
            out.reasons.append(reason)
    out.reasons += [
        Reason("not mapped", group, "the mapping of this system has no field for it", value)
        for group, value in sorted(lead.value.items())
        if not is_empty(value) and _is_unmapped(group, value, seen.mapping)
    ]
    return out


RESTS = ("out of scope", "read only")
"""Nothing is written to such a record, whatever its groups say."""


def _is_unmapped(group: str, value: Canon, mapping: ObjectMapping) -> bool:
    if not is_consent(group):
        return group not in mapping.groups
    return value == OUT and not any(covers(group, cell) or covers(cell, group) for cell in mapping.consents)


def _unplaced(known: Known) -> Reason:
    if known.awaits is not None:
        return Reason("awaits create", None, "it may be what we made ourselves, whose answer has not come")
    if known.waits:
        return Reason("unplaced", None, "nobody has said whose it is; see the review queue")
    return Reason("not decided", None, "it was read, and is placed in the next run")


def _reason(lead: Lead, seen: Side, group: str, row: outbox.Row | None, *, rests: bool) -> Reason | None:
    known, wants = seen.known, lead.value.get(group)
    has = seen.now.get(group)
    if group in seen.unreadable:
        return Reason("unreadable", group, f"what it holds cannot be read: {seen.unreadable[group]}", wants)
    if group in lead.frozen:
        return Reason("frozen", group, f"it waits for a person: {lead.frozen[group]}", wants, has)
    if group in seen.held:
        return Reason("held", group, "too much of it changed over there; see the review queue", wants, has)
    if group not in seen.now:
        return Reason("unknown", group, "the vendor does not show it to us; check the rights", wants)
    if is_consent(group):
        if has == OUT or not opted_out(lead, group, seen.mapping):
            return None
    elif wants == has or (is_empty(wants) and is_empty(has)):
        return None
    if seen.is_fresh(group) or any(n in known.base or n in known.pending for n in seen.mapping.names_of(group)):
        return Reason("not decided", group, "it was read, and is decided in the next run", wants, has)
    if group not in seen.mapping.outgoing:
        return Reason("incoming", group, "the mapping only reads it from this system", wants, has)
    would = rounded(seen, group, wants)
    if not is_consent(group) and (would == has or (is_empty(would) and is_empty(has))):
        return None
    if row is not None and group in row.body["wanted"]:
        return _under_way(row, group, wants, has)
    settled = known.asked.get(group)
    default = settled is not None and settled[1] == DEFAULT and is_empty(wants)
    if settled is not None and (default or settled[0] == digest(OUT if is_consent(group) else wants)):
        return Reason(str(settled[1]), group, _SETTLED.get(str(settled[1]), "it was settled"), wants, has)
    if would is ABSENT:
        return Reason("unwritable", group, "the mapping has no word for this value", wants, has)
    if known.role != PRIMARY and group in seen.mapping.slots:
        return Reason("its own", group, "a second record of a person keeps its own address", wants, has)
    return None if rests else Reason("not decided", group, "it is decided in the next run", wants, has)


_SETTLED = {
    "lossy": "it was written, and this is what became of it over there",
    "refused": "the vendor refused it; see the review queue",
    "undone": "it was taken back by an undo, and rests until the lead's value changes",
    "held": "a person left it as it is",
    DEFAULT: "the system filled it in by itself when the record was made there, which says nothing of the person",
    "unwritable": "the mapping has no word for this value; see the review queue",
}


def _under_way(row: outbox.Row, group: str, wants: Canon, has: Canon) -> Reason:
    if row.state == OutState.SENDING:
        text = "it was sent and nobody knows what became of it" if row.doubt_at is not None else "it is being sent"
        return Reason("in doubt" if row.doubt_at is not None else "sending", group, text, wants, has)
    if row.state == OutState.QUEUED:
        return Reason("queued", group, "it waits to be sent", wants, has)
    return Reason("proposed", group, "it waits for a plan to be approved", wants, has)


# --- status ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SystemStatus:
    """Times in microseconds UTC. `waiting`: kind of state → how many operations. `requests`: of the last run;
    `quota`: (used, allowed) of the vendor's day, as it told last."""

    name: str
    connector: str
    state: str
    records: int
    primed: bool
    read_until: int | None
    swept_at: int | None
    not_before: int | None
    trouble: str | None
    settled: dict[str, int]
    waiting: dict[str, int]
    requests: int | None = None
    quota: tuple[int, int] | None = None


@dataclass(slots=True)
class Status:
    systems: list[SystemStatus]
    leads: int
    dirty: int
    frozen: int
    reviews: dict[str, int]
    runs: list[runs.Run]


def status(engine: Engine, tx: Tx) -> Status:
    """How everything stands. Looks through records and leads: for a person who asks, not for every run."""
    counts = outbox.counts(tx)
    marks: dict[int, list[int]] = {}
    for feed in feeds.feeds(tx):
        if feed.kind == "delta":
            marks.setdefault(feed.system, []).append(feed.watermark)
    whole = primed(tx, engine.systems.values())
    latest = runs.latest(tx, 5)
    told = []
    for row in feeds.systems(tx):
        system = engine.systems.get(row.id)
        waiting: dict[str, int] = {}
        for (of, _, _, state), n in counts.items():
            if of == row.id:
                name = OutState(state).name.lower()
                waiting[name] = waiting.get(name, 0) + n
        told.append(
            SystemStatus(
                row.name,
                row.connector,
                row.state if system is not None else "not configured",
                row.size,
                row.id in whole,
                min(marks.get(row.id, [0])) or None,
                row.swept_at,
                row.not_before or None,
                row.trouble,
                records.count_settled(tx, row.id),
                waiting,
                _last_told(latest, "requests", row.name),
                _last_told(latest, "quota", row.name),
            )
        )
    frozen, questions = leads.count_frozen(tx), runs.count_open(tx)
    return Status(told, leads.count(tx), leads.count_dirty(tx), frozen, questions, latest)


def _last_told(latest: Sequence[runs.Run], what: str, system: str) -> Any:
    """What the last run that told it says of a system; None where none does."""
    found = (each.counts.get(what, {}).get(system) for each in latest)
    return next((each for each in found if each is not None), None)
