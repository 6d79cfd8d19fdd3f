"""Deciding: leads that something happened to are merged and planned. The one writer of leads.

In chunks: everything is computed outside the transaction that saves it, and what moved meanwhile waits for the next
round. A lead, its records, its history, its questions and its operations are saved together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.base import State
from mappings.lead import is_consent
from sync.case import Case
from sync.consent import OUT
from sync.engine import Engine
from sync.lease import Lease
from sync.merge import merge, side
from sync.model import DEFAULT, PRIMARY, TWIN, Known, Lane, Lead, Operation, Side, System
from sync.packed import digest
from sync.plan import departure, plan
from sync.resolve import primed_systems
from sync.saving import save
from sync.store import leads, outbox, records, runs
from sync.store.db import Tx


def decide(engine: Engine, run: int, lease: Lease | None, tx: Tx | None = None) -> int:
    """Merge and plan a chunk of the leads that something happened to; answers how many. `tx`: do it within this
    transaction."""
    if tx is not None:
        cases = load(engine, tx)
        _work(engine, cases, _targets(engine, tx), run)
        save(engine, tx, cases, run)
        return len(cases)
    with engine.store.read() as reading:
        cases = load(engine, reading)
        targets = _targets(engine, reading) if cases else []
    if not cases:
        return 0
    _work(engine, cases, targets, run)
    engine.world.pause("computed")
    with engine.store.tx() as writing:
        if lease is not None:
            lease.check(writing)
        save(engine, writing, _unmoved(writing, cases), run)
    engine.world.pause("decided")
    return len(cases)


def load(engine: Engine, tx: Tx) -> list[Case]:
    """The next dirty leads with everything that deciding needs: three readings, whatever their number."""
    seqs = leads.next_dirty(tx, engine.settings.chunk)
    if not seqs:
        return []
    found = leads.by_id(tx, list(seqs))
    sides = records.by_lead(tx, list(seqs))
    flying = outbox.flying(tx, [each.id for some in sides.values() for each in some])
    held = held_groups(tx)
    cases = []
    for lead_id, seq in seqs.items():
        lead = found.get(lead_id)
        if lead is None or lead.state != "live":
            cases.append(Case(Lead(lead_id, state="merged"), 0, seq, [], [], frozenset(), {}))
            continue
        known = [each for each in sides[lead_id] if engine.mapping(each) is not None]
        _assign_roles(engine, known)
        cases.append(
            Case(
                lead,
                lead.rev,
                seq,
                [
                    side(
                        each,
                        engine.systems[each.system],
                        held.get(each.system, frozenset()),
                        withdrawing=_withdraws(flying.get(each.id)),
                    )
                    for each in known
                    if each.ext
                ],
                [each for each in known if each.ext is None],
                frozenset(each.id for each in known if each.id in flying),
                dict(lead.frozen),
                frozenset(each.system for each in sides[lead_id] if engine.mapping(each) is None),
            )
        )
    return cases


def _withdraws(flight: Mapping[str, Any] | None) -> bool:
    return flight is not None and ("withdraw" in flight or any(is_consent(group) for group in flight["wanted"]))


def held_groups(tx: Tx) -> dict[int, frozenset[str]]:
    """System → groups whose values wait until a person has looked at what happened over there."""
    found: dict[int, set[str]] = {}
    for cause in runs.open_causes(tx, "inbound"):
        _, system, group, _ = cause.split(":")
        found.setdefault(int(system), set()).add(group)
    return {system: frozenset(groups) for system, groups in found.items()}


def _assign_roles(engine: Engine, known: Sequence[Known]) -> None:
    """One record of each system speaks for it: the one that did so far while it lives, else by the mapping's order
    of objects, else the oldest (F28)."""
    by_system: dict[int, list[Known]] = {}
    for each in known:
        by_system.setdefault(each.system, []).append(each)
    for system, some in by_system.items():
        if len(some) == 1:
            some[0].role = PRIMARY
            continue
        order = list(engine.systems[system].mapping.objects)
        live = [each for each in some if each.state is State.LIVE and each.ext is not None]
        best = min(
            live or some,
            key=lambda each: (order.index(each.object), each.fresh is not None, each.role, each.id),
        )
        for each in some:
            each.role = PRIMARY if each is best else TWIN


def _targets(engine: Engine, tx: Tx) -> list[System]:
    primed = primed_systems(engine, tx)
    return [each for each in sorted(engine.systems.values(), key=lambda each: each.rank) if each.id in primed]


def _work(engine: Engine, cases: Sequence[Case], targets: Sequence[System], run: int) -> None:
    for case in cases:
        if case.lead.state == "live":
            _decide_case(engine, case, targets, run)


def _decide_case(engine: Engine, case: Case, targets: Sequence[System], run: int) -> None:
    now = engine.world.now()
    how = engine.settings.rules
    met = any(each.known.fresh is not None for each in case.sides)
    case.merged = merge(case.lead, case.sides, how, now, run)
    _absorb(case, run)
    sides = [*case.sides, *(_stub(engine, each) for each in case.waiting)]
    targets = [each for each in targets if each.id not in case.elsewhere]
    case.planned = plan(
        case.lead, sides, targets, case.merged.undecided(), case.merged.left_alone, case.sending, how, now
    )
    # Where too many vanished, a person looks before anybody follows them.
    trusted = [each for each in case.sides if "*" not in each.held]
    case.leaves = departure(case.lead, trusted, engine.settings.grace, now)
    case.planned.operations += [
        _archive(each, case.lead)
        for each in case.leaves.archive
        if each.known.id not in case.sending and each.system.writes == "all" and "*" not in each.known.asked
    ]
    case.rekey = met or bool(case.merged.changes.keys() & {"email", "emails"})
    case.keys = addresses(case.lead)
    if case.merged.changes:
        case.lead.rev += 1


def _stub(engine: Engine, known: Known) -> Side:
    system = engine.systems[known.system]
    return Side(known, system, system.mapping.objects[known.object], {}, {}, {}, {})


def _archive(each: Side, lead: Lead) -> Operation:
    known = each.known
    return Operation(known.id, each.system.id, "archive", known.object, lead.id, Lane.EDIT, {}, {}, {}, {})


def addresses(lead: Lead) -> frozenset[str]:
    """By what a person is found; what a record of theirs has beside is found by the record."""
    email, emails = lead.value.get("email"), lead.value.get("emails")
    one = [email] if isinstance(email, str) else []
    return frozenset([*one, *(emails if isinstance(emails, list) else [])])


def _absorb(case: Case, run: int) -> None:
    """What was heard is taken in: base, pending, fresh and asked of those groups end."""
    for each in case.sides:
        known = each.known
        groups = case.merged.absorbed.get(known.id, set())
        if known.base or known.pending:
            for name in (name for group in groups for name in each.mapping.names_of(group)):
                known.base.pop(name, None)
                known.pending.pop(name, None)
        end_memos(known, case.merged.edited.get(known.id, ()))
        if known.asked:
            end_memos(known, [g for g in case.merged.changes if g in known.asked and known.asked[g][1] != DEFAULT])
            # A no that was said anew goes everywhere, also to a system that was left with a yes of before.
            end_memos(known, [g for g in case.merged.confirmed if is_consent(g) and case.lead.value.get(g) == OUT])
        if groups and known.fresh is not None:
            left = (each.mapping.groups.keys() if "*" in known.fresh else known.fresh) - groups
            known.fresh = frozenset(left) or None
        for group in case.merged.left_alone.get(known.id, set()) - case.merged.waiting:
            known.settle_for(group, digest(OUT), "held", run)
        case.absorbed.append(known)


def end_memos(known: Known, edited: Iterable[str]) -> None:
    """An edit, or another value of the lead, ends what we had settled for in its group (F2)."""
    for group in edited:
        known.asked.pop(group, None)


def _unmoved(tx: Tx, cases: Sequence[Case]) -> list[Case]:
    """Leads that nothing happened to since they were loaded; the others stay dirty."""
    ids = [case.lead.id for case in cases]
    seqs, today = leads.dirty_seqs(tx, ids), leads.revs(tx, ids)
    return [
        case
        for case in cases
        if seqs.get(case.lead.id) == case.seq and (case.lead.state != "live" or today.get(case.lead.id) == case.rev)
    ]
