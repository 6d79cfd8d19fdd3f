"""From proposed to approved: the guard in front of everything that is sent.

A system's first plan, and any that passes its limits, waits for a person. Withdrawals of consent wait for nobody,
unless one system tells so many opt-outs that a wrong mapping is the likelier reason. What a person approved by a plan
file is sent to the letter: operations that are not in it wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors.base import batches
from sync.consent import OUT
from sync.engine import Engine
from sync.guard import Refusal, outbound
from sync.model import RESTORE, Known, Lane, OutState, System
from sync.packed import digest
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import MOST, Tx
from sync.store.outbox import Row

if TYPE_CHECKING:
    from sync.foretell import About


@dataclass(slots=True)
class Verdict:
    """`approved`: how many rows may be sent now. `refused`: what passes a limit. `held`: operations that wait for a
    person beside."""

    approved: int = 0
    refused: list[Refusal] = field(default_factory=list)
    held: int = 0


def approve(engine: Engine, tx: Tx) -> Verdict:
    """Let through whatever fits the limits."""
    out = Verdict()
    counts = outbox.counts(tx)
    if not any(state == OutState.PROPOSED for *_, state in counts):
        return out
    now = engine.world.now()
    flooding = _flooding(tx)
    c = outbox.C
    rows = {row.id: row for row in feeds.systems(tx)}
    for system in sorted(engine.systems.values(), key=lambda each: each.rank):
        done = feeds.counted(tx, system.id, now)
        for kind in ("update", "create", "archive"):
            wanted = _proposed(counts, system, kind)
            if not wanted:
                continue
            already = done.get(("*", f"out:{kind}"), 0)
            refusal = outbound(system.name, kind, already, wanted, rows[system.id].size, engine.settings.limits)
            # The first plan of a system fits no limit; where nobody is to be asked, it goes out whole.
            first = rows[system.id].state == feeds.NEW and engine.settings.first == "apply"
            if refusal is not None and not first:
                out.refused.append(refusal)
                out.held += wanted
                continue
            out.approved += outbox.approve(tx, (c.system == system.id, c.kind == kind, c.lane != int(Lane.WITHDRAWAL)))
            feeds.count(tx, system.id, {("*", f"out:{kind}"): wanted}, now)
    if not flooding:
        out.approved += outbox.approve(tx, (c.system.in_(engine.systems), c.lane == int(Lane.WITHDRAWAL)))
        return out
    urgent = [row for row in outbox.proposed(tx) if row.lane == Lane.WITHDRAWAL and row.system in engine.systems]
    beside = _told_beside(tx, urgent, flooding)
    out.held += len(urgent) - len(beside)
    for some in batches(beside, MOST):
        out.approved += outbox.approve(tx, (c.record.in_(some),))
    return out


def _proposed(counts: dict[tuple[int, str, int, int], int], system: System, kind: str) -> int:
    return sum(
        n
        for (of, what, lane, state), n in counts.items()
        if of == system.id and what == kind and state == OutState.PROPOSED and lane != Lane.WITHDRAWAL
    )


def _flooding(tx: Tx) -> set[int]:
    """Systems that told so many opt-outs that a person must look (F9)."""
    return {int(cause.partition(":")[2]) for cause in runs.open_causes(tx, "withdrawals")}


def _told_beside(tx: Tx, rows: Sequence[Row], flooding: Collection[int]) -> list[int]:
    """Records of the withdrawals that do not rest on the word of these systems alone: they wait for nobody (F9)."""
    people = leads.by_id(tx, {row.lead for row in rows if row.lead is not None})
    said = {
        number: {lead.origin[cell][0] for cell, value in lead.value.items() if value == OUT and cell in lead.origin}
        for number, lead in people.items()
    }
    tellers = records.by_id(tx, {record for some in said.values() for record in some if record})
    return [
        row.record
        for row in rows
        if any(each not in tellers or tellers[each].system not in flooding for each in said.get(row.lead or 0, ()))
    ]


# --- plans that a person looked at -------------------------------------------------------------------------------


class Change(NamedTuple):
    """What becomes of a native field. `mark`: its hash. `ahead`: it goes ahead of the operation."""

    name: str
    before: object
    after: object
    mark: str
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One operation of a plan. `target`: the record, or the records of the person who is to be created.
    `changes`: what is sent; `later`: what is due on the same record once that has gone through. `about`: the person,
    where somebody wants to read of them."""

    row: Row
    system: str
    target: str
    changes: tuple[Change, ...]
    later: tuple[Change, ...] = ()
    about: About | None = None

    @property
    def hashes(self) -> list[str]:
        return [each.mark for each in (*self.changes, *self.later)]


def lines(engine: Engine, tx: Tx, rows: Iterable[Row]) -> Iterable[Line]:
    """Operations as a person is shown them, with hashes that are the same whenever the same thing would be done."""
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == 500:
            yield from _lines(engine, tx, chunk)
            chunk = []
    yield from _lines(engine, tx, chunk)


def _lines(engine: Engine, tx: Tx, rows: Sequence[Row]) -> Iterable[Line]:
    known = records.by_id(tx, [row.record for row in rows])
    people = records.by_lead(tx, sorted({row.lead for row in rows if row.kind == "create" and row.lead is not None}))
    for row in rows:
        system = engine.systems.get(row.system)
        if system is None:
            continue
        target = _target(engine, row, known.get(row.record), people.get(row.lead or 0, ()))
        later = row.body.get("follows")
        yield Line(
            row,
            system.name,
            target,
            tuple(_changes(row.kind, row.body, system.name, target)),
            tuple(_changes(row.kind, later, system.name, target)) if later is not None else (),
        )


def _target(engine: Engine, row: Row, known: Known | None, person: Collection[Known]) -> str:
    if known is not None and known.ext is not None:
        return str(known.ref())
    refs = [
        f"{engine.systems[each.system].name} {each.ref()}"
        for each in person
        if each.ext is not None and each.system in engine.systems
    ]
    return "new: " + ", ".join(sorted(refs))


def _changes(kind: str, body: Mapping[str, Any], system: str, target: str) -> Iterable[Change]:
    if kind == "archive":
        yield Change("", None, None, mark(kind, system, target, "", None, None))
    fields: dict[str, Any] = body["fields"]
    before: dict[str, Any] = body["before"]
    for name, value in sorted(fields.items()):
        yield Change(name, before.get(name), value, mark(kind, system, target, name, before.get(name), value))
    for name, value in sorted(body.get("withdraw", {}).items()):
        if name not in fields:
            yield Change(name, None, value, mark(WITHDRAW, system, target, name, None, value), ahead=True)


WITHDRAW = "withdraw"
"""The kind of a change that goes ahead of an operation: the no to its new address."""


def mark(kind: str, system: str, target: str, name: str, before: object, after: object) -> str:
    """The hash of one change."""
    return digest([kind, system, target, name, before, after])


class PlanDigest:
    """One hash for a whole plan, whatever the order of its changes and however many there are."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, change: str) -> None:
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(change.encode()).digest())) % (1 << 256)

    def __str__(self) -> str:
        return f"{self._sum:064x}"


def approve_plan(engine: Engine, tx: Tx, wanted: Collection[str], sent: set[str]) -> Verdict:
    """Let through exactly what is in a plan: fields that are not in it stay behind. `sent` collects what was let
    through, over all rounds of a run."""
    out = Verdict()
    allowed: list[Row] = []
    back: list[Row] = []
    for line in lines(engine, tx, outbox.unsent(tx)):
        row = line.row
        agreed = {each.name for each in line.changes if each.mark in wanted}
        queued = row.state == OutState.QUEUED
        if queued and (row.step == RESTORE or row.lane == Lane.WITHDRAWAL):
            sent.update(each.mark for each in line.changes if each.name in agreed)
            continue  # what a person has said already goes out whatever plan is sent
        if not agreed:
            out.held += 1
            if queued:
                back.append(row)  # let through by an earlier run, and not part of this plan
            continue
        if len(agreed) < len(line.changes):
            out.held += 1
            if line.row.kind == "create" or line.row.body.get("withdraw"):
                continue  # a new address and the no that goes ahead of it are one
            _trim(line.row, agreed)
        sent.update(each.mark for each in line.changes if each.name in agreed)
        allowed.append(line.row)
    for row in allowed:
        row.state = OutState.QUEUED
    for row in back:
        row.state = OutState.PROPOSED
    outbox.put(tx, [*allowed, *back])
    out.approved = len(allowed)
    return out


def _trim(row: Row, agreed: Collection[str]) -> None:
    """Leave out what was not agreed to; it is proposed anew once the rest is settled."""
    body = row.body
    body["trimmed"] = True
    body["fields"] = {name: value for name, value in body["fields"].items() if name in agreed}
    body["before"] = {name: value for name, value in body["before"].items() if name in agreed}
