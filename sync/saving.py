"""Saving what was decided: a lead with its records, history, questions and operations, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mappings.lead import is_consent
from sync.case import Case
from sync.consent import CONFIRMED, OUT, confirmed_at
from sync.engine import Engine
from sync.group import Change
from sync.model import Known, Lane, Lead, Operation, OutState, Question
from sync.packed import digest
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.leads import Entry


def save(engine: Engine, tx: Tx, cases: Sequence[Case], run: int) -> None:
    now = engine.world.now()
    live = [case for case in cases if case.lead.state == "live"]
    new = [case.lead.id for case in live if case.rev == 0]
    leads.save(
        tx,
        [case.lead for case in live if _is_moved(case)],
        now,
    )
    records.absorb(tx, [known for case in live for known in case.absorbed])
    leads.set_keys(tx, {case.lead.id: case.keys for case in live if case.rekey}, new=new)
    leads.enter(tx, [entry for case in live for entry in _entries(case, run, now)])
    runs.remember(tx, [row for case in live if (row := _history(case, run, now)) is not None])
    for case in live:
        _settle_unwritable(case, run)
    _put_operations(tx, live, run)
    runs.ask(tx, [question for case in live for question in _questions(engine, case)], now)
    runs.close(tx, [cause for case in live for cause in _answered(case)])
    _watch_withdrawals(engine, tx, live, now)
    _want_times(tx, live, now)
    leads.make_clean(tx, {case.lead.id: case.seq for case in cases})


def _is_moved(case: Case) -> bool:
    out = case.merged
    return bool(out.changes or out.confirmed or out.said) or case.lead.frozen != case.frozen


def _put_operations(tx: Tx, cases: Sequence[Case], run: int) -> None:
    """Outbox rows for what is planned; what was planned before and is not any more is void."""
    wanted: list[tuple[Case, Operation]] = [(case, each) for case in cases for each in case.planned.operations]
    planned = {each.record for _, each in wanted}
    unsent = [
        known.id
        for case in cases
        for known in [*(each.known for each in case.sides), *case.waiting]
        if known.id not in planned and known.id not in case.sending
    ]
    outbox.drop_unsent(tx, unsent)
    # A create that is no longer wanted, since the person is there already.
    superseded = [
        each.id for case in cases for each in case.waiting if each.system in {there.system.id for there in case.sides}
    ]
    sent_meanwhile = outbox.flying(tx, superseded)
    records.delete(tx, [each for each in superseded if each not in sent_meanwhile])
    creates = [(case, each) for case, each in wanted if each.record == 0]
    stubs = [
        Known(0, each.system, each.object, None, case.lead.id, fresh=None, slot=each.slot[1] if each.slot else None)
        for case, each in creates
    ]
    records.insert(tx, stubs)
    for (_, operation), stub in zip(creates, stubs, strict=True):
        operation.record = stub.id
    seen = {known.id: known for case in cases for known in (*case.absorbed, *case.waiting)}
    outbox.put(
        tx,
        [
            outbox.Row(
                each.record,
                each.system,
                int(each.lane),
                each.kind,
                _body(case, each, seen.get(each.record)),
                case.lead.id,
                case.lead.rev,
                seen[each.record].obs if each.record in seen else 0,
                run,
                OutState.PROPOSED,
                step=0 if each.step == "withdraw" else 1,
            )
            for case, each in wanted
        ],
    )


def _body(case: Case, each: Operation, known: Known | None) -> dict[str, Any]:
    """What is sent, and what a person is shown of it: before and after, the rule, who won."""
    body: dict[str, Any] = {
        "object": each.object,
        "fields": each.fields,
        "before": each.before,
        "read": (known.modified or 0) if known is not None else 0,
        "groups": each.groups,
        "wanted": each.wanted,
        "why": _why(case.lead, each.groups),
    }
    if each.slot is not None:
        body["slot"] = each.slot
    if each.step == "withdraw":
        body |= {"address": each.address, "withdraw": each.withdraw}
    if each.follows is not None:
        later = each.follows
        body["follows"] = {
            "fields": later.fields,
            "before": later.before,
            "groups": later.groups,
            "withdraw": later.withdraw,
            "why": _why(case.lead, later.groups),
        }
    return body


def _why(lead: Lead, groups: Iterable[str]) -> dict[str, list[Any]]:
    """Group → record, rule, run and proof of its value."""
    return {group: lead.origin[group][:1] + lead.origin[group][3:6] for group in groups if group in lead.origin}


def _history(case: Case, run: int, now: int) -> tuple[int | None, int | None, int, int, Mapping[str, object]] | None:
    """One row per lead and run. Enrolment stores only what differed: the rest stands in the lead's origin."""
    lost = [[each.group, each.record, each.value, each.rule] for each in case.merged.lost]
    changes = case.merged.changes
    told: dict[str, Change] = {} if case.rev == 0 else changes
    groups = {g: [each.before, each.after, each.record, each.rule, each.proven] for g, each in told.items()}
    if not lost and not groups:
        return None
    return case.lead.id, None, run, now, {"groups": groups, "lost": lost}


def _entries(case: Case, run: int, now: int) -> Iterable[Entry]:
    names = {each.known.id: each.system.name for each in case.sides}
    for cell, said in case.merged.said:
        state = said.after if isinstance(said.after, str) else "unknown"
        address = said.address or str(case.lead.value.get("email") or "")
        evidence = f"{names.get(said.record, 'unknown')}: {state}"
        at = confirmed_at(said.after) or said.at or now
        if state.startswith(CONFIRMED):
            state = CONFIRMED
        yield Entry(case.lead.id, address, cell, state, evidence, at, said.record, run)


def _settle_unwritable(case: Case, run: int) -> None:
    known = {each.id: each for each in case.absorbed}
    for record, group, _ in case.planned.unwritable:
        known[record].settle_for(group, digest(case.lead.value.get(group)), "unwritable", run)


def _questions(engine: Engine, case: Case) -> Iterable[Question]:
    lead = case.lead
    sides = {each.known.id: each for each in case.sides}
    for group, frozen in case.merged.frozen.items():
        choices = [[record, value] for record, value in frozen.choices]
        told = [[sides[record].system.name if record in sides else "lead", value] for record, value in frozen.choices]
        yield Question(
            "conflict",
            f"conflict:{lead.id}:{group}",
            lead=lead.id,
            body={"group": group, "why": frozen.why, "choices": choices, "told": told},
            seen=digest(choices),
        )
    for cell, said, why in case.merged.doubts:
        body = {"cell": cell, "why": why, "system": sides[said.record].system.name, "value": said.after}
        seen = digest([said.record, said.after])
        yield Question(
            "consent", f"consent:{lead.id}:{cell}:{said.record}", said.system, lead.id, said.record, body, seen
        )
    for each in case.sides:
        for group, expected in each.unreadable.items():
            cause = f"unreadable:{each.system.id}:{group}"
            body = {"system": each.system.name, "group": group, "expected": expected}
            yield Question("unreadable", cause, each.system.id, lead.id, each.known.id, body)
    for record, group, why in case.planned.unwritable:
        each = sides[record]
        body = {"system": each.system.name, "group": group, "why": why, "value": lead.value.get(group)}
        cause = f"unwritable:{each.system.id}:{group}:{digest(lead.value.get(group))}"
        yield Question("unwritable", cause, each.system.id, lead.id, record, body)
    if case.leaves.edited:
        # Deleted over there, edited here since: a person must decide.
        told = [[each.system.name, str(each.known.ref())] for each in case.leaves.edited]
        yield Question("deleted", f"deleted:{lead.id}", lead=lead.id, body={"edited": told}, seen=digest(told))
    for system, why, what in case.planned.blocked:
        if why == "missing":
            body = {"system": engine.systems[system].name, "missing": what}
            yield Question("missing", f"missing:{system}:{what}", system, lead.id, None, body)


def _watch_withdrawals(engine: Engine, tx: Tx, cases: Sequence[Case], now: int) -> None:
    """Count the people each system opts out. So many in a day are rather a wrong mapping, and wait for one word (F9).
    A system's first reading is looked at with its first plan."""
    told: Counter[int] = Counter()
    for case in cases:
        by = {each.known.id: each.system.id for each in case.sides}
        changes = [each for group, each in case.merged.changes.items() if is_consent(group) and each.after == OUT]
        told.update({by[each.record] for each in changes if each.record in by})
    if not told:
        return
    for row in feeds.systems(tx):
        if row.id not in told or not row.is_live:
            continue
        feeds.count(tx, row.id, {("*", "withdrawn"): told[row.id]}, now)
        count = feeds.counted(tx, row.id, now)[("*", "withdrawn")]
        limit = engine.settings.limits.withdraw.of(row.size)
        if count > limit:
            body = {"system": row.name, "count": count, "size": row.size, "limit": limit}
            runs.ask(tx, [Question("withdrawals", f"withdrawals:{row.id}", row.id, body=body)], now)


def _answered(case: Case) -> Iterable[str]:
    """Questions whose reason is gone."""
    for group in case.frozen:
        if group not in case.lead.frozen:
            yield f"conflict:{case.lead.id}:{group}"


def _want_times(tx: Tx, cases: Sequence[Case], now: int) -> None:
    by_system: dict[int, list[tuple[str, str, str]]] = {}
    for case in cases:
        for each in case.sides:
            if each.known.id in case.merged.wants_times and each.known.ext is not None:
                by_system.setdefault(each.system.id, []).append((each.known.object, each.known.ext, "conflict"))
    for system, hints in by_system.items():
        feeds.add_hints(tx, system, hints, Lane.EDIT, now)
