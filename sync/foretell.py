"""What a plan means for people: whose record it is, which system's value goes where, who lost, and to which rule.

Read from what deciding left behind in the same transaction: the lead's origins, the history of the run that decided,
the questions it put. In chunks, so that a plan of any size needs the same memory. Changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import batches
from mappings.lead import Canon
from sync.approve import Line
from sync.engine import Engine
from sync.model import Known, Lead
from sync.store import leads, records, runs
from sync.store.db import Tx

CHUNK = 500
FIRST = "first contact"
OPEN = "open"
"""Where a rule would stand: a person must say who is right."""


@dataclass(frozen=True, slots=True)
class Loser:
    """A value that did not become the lead's."""

    system: str
    value: Canon
    rule: str


@dataclass(frozen=True, slots=True)
class Told:
    """One group of an operation. `winner`: the system whose value it is; None: a person's, or nobody's."""

    group: str
    before: Canon
    after: Canon
    rule: str
    winner: str | None
    proven: bool
    lost: tuple[Loser, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """The person of an operation. `places`: their records as (system, ref)."""

    lead: int | None
    value: Mapping[str, Canon]
    places: tuple[tuple[str, str], ...]
    told: tuple[Told, ...]


@dataclass(slots=True)
class Consequences:
    """`met`: (group, winner) → how often systems that meet for the first time disagree. `unsettled`: group → how often
    nobody says who is right. `asked`: kind of question → how many are new; `open`: how many there would be."""

    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    unsettled: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    open: dict[str, int] = field(default_factory=dict)


def explained(engine: Engine, tx: Tx, lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines, each with the person it is about."""
    for some in batches(lines, CHUNK):
        ids = sorted({each.row.lead for each in some if each.row.lead is not None})
        people = leads.by_id(tx, ids)
        sides = records.by_lead(tx, ids)
        lost = _lost(tx, ids, sorted({each.row.run for each in some}))
        for each in some:
            lead = people.get(each.row.lead or 0)
            known = sides.get(each.row.lead or 0, [])
            yield replace(each, about=_about(engine, each, lead, known, lost))


def _lost(tx: Tx, lead_ids: Sequence[int], run_ids: Sequence[int]) -> dict[tuple[int, int], list[Any]]:
    """(lead, run) → what lost when it was decided."""
    return {(each.lead or 0, each.run): each.body.get("lost", []) for each in runs.decisions(tx, lead_ids, run_ids)}


def _about(
    engine: Engine, line: Line, lead: Lead | None, sides: Sequence[Known], lost: Mapping[tuple[int, int], list[Any]]
) -> About:
    row = line.row
    systems = {each.id: _name(engine, each) for each in sides}
    losers = _losers(systems, lost.get((row.lead or 0, row.run), ()))
    told = []
    for body in (row.body, row.body.get("follows", {})):
        why = body.get("why", {})
        for group, (before, after) in body.get("groups", {}).items():
            record, rule, _, proven = why.get(group, (0, "", 0, True))
            lost_to_it = tuple(losers.get(group, ()))
            told.append(Told(group, before, after, str(rule), systems.get(record), bool(proven), lost_to_it))
    return About(row.lead, lead.value if lead is not None else {}, _places(engine, sides), tuple(told))


def _losers(systems: Mapping[int, str], lost: Sequence[Any]) -> dict[str, list[Loser]]:
    """Group → what lost. `systems`: record → its system."""
    found: dict[str, list[Loser]] = {}
    for group, record, value, rule in lost:
        found.setdefault(group, []).append(Loser(systems.get(record, ""), value, rule))
    return found


def _places(engine: Engine, sides: Sequence[Known]) -> tuple[tuple[str, str], ...]:
    return tuple((_name(engine, each), str(each.ref())) for each in sides if each.ext is not None)


def _name(engine: Engine, known: Known) -> str:
    found = engine.systems.get(known.system)
    return found.name if found is not None else ""


def newcomers(engine: Engine, tx: Tx, run: int, numbers: range) -> Iterator[About]:
    """People as the run that met them took them: their records, and what these disagree about, with who was right or,
    where nobody says so, with what each shows. `numbers`: the leads it made."""
    for some in batches(numbers, CHUNK):
        sides, lost = records.by_lead(tx, some), _lost(tx, some, [run])
        for number, lead in sorted(leads.by_id(tx, some).items()):
            known = sides[number]
            told = _settled(engine, lead, known, lost.get((number, run), ())) + _open(engine, lead, known)
            yield About(number, lead.value, _places(engine, known), tuple(told))


def _settled(engine: Engine, lead: Lead, sides: Sequence[Known], lost: Sequence[Any]) -> list[Told]:
    systems = {each.id: _name(engine, each) for each in sides}
    told = []
    for group, losers in _losers(systems, lost).items():
        record, _, _, rule, _, proven, *_ = lead.origin[group]
        told.append(
            Told(group, None, lead.value.get(group), rule, systems.get(record), bool(proven), tuple(losers)),
        )
    return told


def _open(engine: Engine, lead: Lead, sides: Sequence[Known]) -> list[Told]:
    told = []
    for group, why in sorted(lead.frozen.items()):
        shown = [
            Loser(_name(engine, each), mapping.read_group(group, each.now), why)
            for each in sides
            if (mapping := engine.mapping(each)) is not None and group in mapping.groups
        ]
        told.append(Told(group, None, None, OPEN, None, False, tuple(shown)))
    return told


def consequences(engine: Engine, tx: Tx, run: int, open_before: Mapping[str, int], last_question: int) -> Consequences:
    """What follows from deciding beside the operations. `run`: the one that decided; `open_before`, `last_question`:
    the questions before it."""
    out = Consequences(open=runs.count_open(tx))
    for kind, count in out.open.items():
        if count > open_before.get(kind, 0):
            out.asked[kind] = count - open_before.get(kind, 0)
    for some in batches(runs.of_run(tx, run), CHUNK):
        _count_met(engine, tx, some, out)
    while page := runs.open_reviews(tx, CHUNK, last_question):
        last_question = page[-1].id
        out.unsettled.update(
            str(each.body["group"]) for each in page if each.kind == "conflict" and each.body["why"] == FIRST
        )
    return out


def _count_met(engine: Engine, tx: Tx, some: Sequence[runs.Past], out: Consequences) -> None:
    met = {
        each.lead: {group for group, _, _, rule in each.body["lost"] if rule.startswith(FIRST)}
        for each in some
        if each.lead is not None and each.record is None and each.body.get("lost")
    }
    wanted = [lead for lead, groups in met.items() if groups]
    if not wanted:
        return
    sides = records.by_lead(tx, wanted)
    for lead_id, lead in leads.by_id(tx, wanted).items():
        systems = {each.id: _name(engine, each) for each in sides[lead_id]}
        for group in met[lead_id]:
            out.met[group, systems.get(lead.origin.get(group, [0])[0], "")] += 1
