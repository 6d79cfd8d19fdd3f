"""From proposed to approved: the guard in front of everything that is sent.

A system's first plan, and any that passes its limits, waits for a person. Withdrawals of consent wait for nobody,
unless one system tells so many opt-outs that a wrong mapping is the likelier reason. What a person approved by a plan
file is sent to the letter: operations that are not in it wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.engine import Engine
from sync.guard import Refusal, outbound
from sync.model import Known, Lane, OutState, System
from sync.store import feeds, outbox, records, runs
from sync.store.db import Tx, digest
from sync.store.outbox import Row


@dataclass(slots=True)
class Verdict:
    """`approved`: how many rows may be sent now. `refused`: what passes a limit. `held`: operations that wait for a
    person beside. `missing`: of a plan, what is not wanted any more."""

    approved: int = 0
    refused: list[Refusal] = field(default_factory=list)
    held: int = 0
    missing: int = 0


def approve(engine: Engine, tx: Tx) -> Verdict:
    """Let through whatever fits the limits."""
    out = Verdict()
    counts = outbox.counts(tx)
    if not any(state == OutState.PROPOSED for *_, state in counts):
        return out
    now = engine.world.now()
    flooded = bool(runs.open_causes(tx, "withdrawals"))
    sizes = {row.id: row.size for row in feeds.systems(tx)}
    for system in sorted(engine.systems.values(), key=lambda each: each.rank):
        done = feeds.counted(tx, system.id, now)
        for kind in ("update", "create", "archive"):
            wanted = _proposed(counts, system, kind)
            if not wanted:
                continue
            already = done.get(("*", f"out:{kind}"), 0)
            refusal = outbound(system.name, kind, already, wanted, sizes.get(system.id, 0), engine.settings.limits)
            if refusal is not None:
                out.refused.append(refusal)
                out.held += wanted
                continue
            c = outbox.C
            out.approved += outbox.approve(tx, (c.system == system.id, c.kind == kind, c.lane != int(Lane.WITHDRAWAL)))
            feeds.count(tx, system.id, {("*", f"out:{kind}"): wanted}, now)
        urgent = sum(n for (s, _, lane, state), n in counts.items() if s == system.id and lane == 0 and state == 0)
        if urgent and not flooded:
            c = outbox.C
            out.approved += outbox.approve(tx, (c.system == system.id, c.lane == int(Lane.WITHDRAWAL)))
        elif urgent:
            out.held += urgent
    return out


def _proposed(counts: dict[tuple[int, str, int, int], int], system: System, kind: str) -> int:
    return sum(
        n
        for (of, what, lane, state), n in counts.items()
        if of == system.id and what == kind and state == 0 and lane != Lane.WITHDRAWAL
    )


# --- plans that a person looked at -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One operation of a plan. `target`: the record, or the records of the person who is to be created.
    `changes`: (native field, before, after, hash)."""

    row: Row
    system: str
    target: str
    changes: tuple[tuple[str, object, object, str], ...]

    @property
    def hashes(self) -> list[str]:
        return [each[3] for each in self.changes]


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
        yield Line(row, system.name, target, tuple(_changes(row, system.name, target)))


def _target(engine: Engine, row: Row, known: Known | None, person: Collection[Known]) -> str:
    if known is not None and known.ext is not None:
        return str(known.ref())
    refs = [
        f"{engine.systems[each.system].name} {each.ref()}"
        for each in person
        if each.ext is not None and each.system in engine.systems
    ]
    return "new: " + ", ".join(sorted(refs))


def _changes(row: Row, system: str, target: str) -> Iterable[tuple[str, object, object, str]]:
    if row.kind == "archive":
        yield "", None, None, _hash(row.kind, system, target, "", None, None)
    fields: dict[str, Any] = row.body["fields"]
    before: dict[str, Any] = row.body["before"]
    for name, value in sorted(fields.items()):
        yield name, before.get(name), value, _hash(row.kind, system, target, name, before.get(name), value)
    for name, value in sorted(row.body.get("withdraw", {}).items()):
        if name not in fields:
            yield name, None, value, _hash("withdraw", system, target, name, None, value)


def _hash(*parts: object) -> str:
    return digest(list(parts))


def plan_digest(hashes: Iterable[str]) -> str:
    """One hash for a whole plan, whatever the order of its operations."""
    whole = hashlib.sha256()
    for each in sorted(hashes):
        whole.update(each.encode() + b"\n")
    return whole.hexdigest()


def approve_plan(engine: Engine, tx: Tx, wanted: Collection[str], sent: set[str]) -> Verdict:
    """Let through exactly what is in a plan: fields that are not in it stay behind. `sent` collects what was let
    through, over all rounds of a run."""
    out = Verdict()
    allowed: list[Row] = []
    for line in lines(engine, tx, outbox.proposed(tx)):
        agreed = {name for name, _, _, mark in line.changes if mark in wanted}
        if not agreed:
            out.held += 1
            continue
        if len(agreed) < len(line.changes):
            out.held += 1
            if line.row.kind == "create" or line.row.body.get("withdraw"):
                continue  # a new address and the no that goes ahead of it are one
            _trim(line.row, agreed)
        sent.update(mark for name, _, _, mark in line.changes if name in agreed)
        allowed.append(line.row)
    for row in allowed:
        row.state = 1
    outbox.put(tx, allowed)
    out.approved = len(allowed)
    return out


def _trim(row: Row, agreed: Collection[str]) -> None:
    """Leave out what was not agreed to; it is proposed anew once the rest is settled."""
    body = row.body
    body["trimmed"] = True
    body["fields"] = {name: value for name, value in body["fields"].items() if name in agreed}
    body["before"] = {name: value for name, value in body["before"].items() if name in agreed}
