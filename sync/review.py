"""What a person decides: each question of the review queue has its answers, and a deed for each.

An answer is bound to what was looked at: when the values have moved since, the question is opened anew and nothing is
done. Every deed is a run of its own, with who and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.lead import Canon, is_consent, is_empty
from mappings.mapping import ObjectMapping
from sync.consent import OUT
from sync.decide import addresses
from sync.engine import Engine
from sync.merge import side
from sync.model import ALWAYS, WRITE, Known, Lane, Lead, OutState
from sync.packed import digest
from sync.plan import departure
from sync.resolve import merge_leads
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.runs import Review

ANSWERS: Mapping[str, Mapping[str, str]] = {
    "conflict": {"take SYSTEM": "that system's value", "keep": "the lead's own value", "set VALUE": "another value"},
    "identity": {"link LEAD": "it is that lead", "new": "it is somebody else"},
    "same": {"join": "they are one person", "apart": "they are two"},
    "two leads": {"join": "they are one person", "apart": "they are two"},
    "consent": {"out": "the opt-out stands, there too", "in": "the opt-in counts"},
    "refused": {"retry": "send it again", "leave": "leave it as it is over there"},
    "unwritable": {"retry": "try again, the mapping has changed", "leave": "leave it as it is over there"},
    "unreadable": {"retry": "read it again", "leave": "leave it as it is over there"},
    "missing": {"retry": "try again", "leave": "do not create them"},
    "impossible": {"retry": "try again", "leave": "leave it as it is over there"},
    "circle": {"retry": "the addresses are free now", "leave": "leave it as it is over there"},
    "in doubt": {"retry": "it was never made: make it", "leave": "do not make it"},
    "deleted": {"archive": "they go here too", "keep": "they stay here"},
    "inbound": {"accept": "the change is meant", "hold": "keep holding it back"},
    "withdrawals": {"accept": "the opt-outs are meant", "hold": "keep holding them back"},
}
"""Kind of question → its answers, with what each means. Words in capitals are to be filled in."""


class CannotDecide(Exception):
    """The answer does not fit the question. The text says what is allowed."""


class Moved(CannotDecide):
    """What the question was about is not as it was when it was asked; nothing is done."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer as a person gave it: a word, and what goes with it."""

    word: str
    argument: Any = None


def parse(kind: str, said: str) -> Decision:
    """A person's words as a decision. Raises CannotDecide with the words that are allowed."""
    word, _, argument = said.strip().partition(" ")
    allowed = ANSWERS.get(kind, {})
    for pattern in allowed:
        name, _, wanted = pattern.partition(" ")
        if name == word and bool(wanted) == bool(argument.strip()):
            return Decision(word, argument.strip() or None)
    words = ", ".join(f'"{each}"' for each in allowed)
    raise CannotDecide(f'"{said}" is no answer to a question about "{kind}"; allowed: {words}')


def decide(engine: Engine, tx: Tx, review_id: int, said: str, who: str, why: str) -> int:
    """Carry out an answer; answers the run. Raises CannotDecide."""
    question = runs.review_by_id(tx, review_id)
    if question is None:
        raise CannotDecide(f"there is no question {review_id}")
    if question.state != "open":
        raise Moved(f"question {review_id} is {question.state} already")
    decision = parse(question.kind, said)
    run = runs.begin(tx, "review", who, why or said, engine.world.now())
    DEEDS[question.kind](engine, tx, question, decision, run)
    runs.decided(tx, review_id)
    return run


Deed = Callable[[Engine, Tx, Review, Decision, int], None]


# --- values ------------------------------------------------------------------------------------------------------


def _conflict(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    lead = _lead(tx, question.lead)
    group = str(question.body["group"])
    choices: list[list[Any]] = question.body["choices"]
    sides = records.by_lead(tx, [lead.id])[lead.id]
    if digest(_today(engine, lead, sides, group, choices)) != digest([value for _, value in choices]):
        raise Moved(f"the values of question {question.id} have changed since; look again")
    value = _chosen(engine, lead, sides, group, choices, decision)
    set_value(engine, tx, lead, group, value, "decided by a person", run)


def _today(engine: Engine, lead: Lead, sides: list[Known], group: str, choices: list[list[Any]]) -> list[Canon]:
    """The same choices as they are now."""
    by_id = {each.id: each for each in sides}
    found: list[Canon] = []
    for record, value in choices:
        known = by_id.get(record) if record is not None else None
        mapping = engine.mapping(known) if known is not None else None
        if known is None or mapping is None:
            found.append(lead.value.get(group) if record is None else None)
            continue
        shown = [mapping.read_group(group, known.now), mapping.read_group(group, {**known.now, **known.pending})]
        found.append(value if any(_agrees(value, each) for each in shown) else shown[0])
    return found


def _agrees(offered: Canon, shown: Canon) -> bool:
    """Whether a side still shows what it offered; a group's value may hold more than the side has a field for."""
    if isinstance(offered, dict) and isinstance(shown, dict):
        return all(offered.get(name) == value for name, value in shown.items())
    return offered == shown


def _chosen(
    engine: Engine, lead: Lead, sides: list[Known], group: str, choices: list[list[Any]], decision: Decision
) -> Canon:
    if decision.word == "keep":
        return lead.value.get(group)
    if decision.word == "set":
        return typed(engine, group, decision.argument)
    systems = {each.id: engine.systems[each.system].name for each in sides if each.system in engine.systems}
    for record, value in choices:
        if record is not None and systems.get(record) == decision.argument:
            return value  # type: ignore[no-any-return]
    named = ", ".join(sorted({systems[record] for record, _ in choices if record in systems}))
    raise CannotDecide(f'"{decision.argument}" has no value to take; choose from: {named}')


def typed(engine: Engine, group: str, text: str) -> Canon:
    """The value of a group of one field as a person types it, in normal form. Raises CannotDecide."""
    try:
        found, value = typed_field(engine, group, text)
    except KeyError:
        found, value = "", None
    if found != group:
        raise CannotDecide(f"{group} has several fields; take a system's value, or edit the fields one by one")
    return value


def typed_field(engine: Engine, name: str, text: str) -> tuple[str, Canon]:
    """The group of a field, and its value as a person types it, in normal form. Nothing typed: no value. Raises
    CannotDecide for a text that is no such value, KeyError where no system has the field."""
    for system in engine.systems.values():
        for mapping in system.mapping.objects.values():
            for rule in mapping.rules:
                if rule.lead != (name,) or rule.reader is None:
                    continue
                if text in rule.options.back:
                    return rule.group, text  # one of our own words for it
                try:
                    return rule.group, rule.reader(text or None)
                except ValueError as error:
                    raise CannotDecide(f'"{text}" is no value for {name}: {error}') from None
    raise KeyError(name)


def edit(engine: Engine, tx: Tx, lead_id: int, said: Mapping[str, str], who: str, why: str) -> int:
    """A person says what fields of a lead are; answers the run. A no to being mailed can be said, a yes cannot: that is
    the person's own to say. Raises CannotDecide, and KeyError for a field that no system has."""
    run = runs.begin(tx, "edit", who, why, engine.world.now())
    lead = _lead(tx, lead_id, f"there is no lead {lead_id}")
    wanted: dict[str, Canon] = {}
    for name, text in said.items():
        group, value = (name, text) if is_consent(name) else typed_field(engine, name, text)
        if is_consent(group) and not any(
            group in mapping.groups for system in engine.systems.values() for mapping in system.mapping.objects.values()
        ):
            raise KeyError(name)
        if is_consent(group) and value != OUT:
            raise CannotDecide(f'{name}: only "{OUT}" can be said for somebody else; let the person opt in themselves')
        if group != name:
            kept = wanted.get(group, lead.value.get(group))
            value = {**(kept if isinstance(kept, dict) else {}), name: value}
        wanted[group] = value
    for group, value in wanted.items():
        if lead.value.get(group) != value:
            set_value(engine, tx, lead, group, value, "edited by a person", run)
        if is_consent(group):
            entry = leads.Entry(
                lead.id, str(lead.value.get("email") or ""), group, OUT, f"said by {who}", engine.world.now(), None, run
            )
            leads.enter(tx, [entry])
            leads.make_dirty(tx, [lead.id], Lane.WITHDRAWAL)
            _no_yes_is_left_alone(tx, lead.id, group)
    return run


def _no_yes_is_left_alone(tx: Tx, lead_id: int, cell: str) -> None:
    """A no said now goes everywhere, also to a system that was left with a yes of before."""
    sides = [each for each in records.by_lead(tx, [lead_id])[lead_id] if cell in each.asked]
    for each in sides:
        del each.asked[cell]
    records.update(tx, sides)


def set_value(engine: Engine, tx: Tx, lead: Lead, group: str, value: Canon, rule: str, run: int) -> None:
    """A person says what a group is: every side's news of it is taken in, and every system learns of it."""
    now = engine.world.now()
    before = lead.value.get(group)
    sides = records.by_lead(tx, [lead.id])[lead.id]
    lost: list[list[object]] = []
    for each in sides:
        mapping = engine.mapping(each)
        if mapping is None or each.ext is None:
            continue
        lost += [[group, each.id, said, rule] for said in _unheard(mapping, each, group) if said != value]
        for name in mapping.names_of(group):
            each.base.pop(name, None)
            each.pending.pop(name, None)
        if each.fresh is not None:
            left = (mapping.groups.keys() if "*" in each.fresh else each.fresh) - {group}
            each.fresh = frozenset(left) or None
        each.asked.pop(group, None)
        each.obs += 1  # what was decided before this is void
    records.update(tx, sides)
    lead.value[group] = value
    lead.origin[group] = [0, 0, now, rule, run, True, 1]
    lead.frozen.pop(group, None)
    for marks in ("~trail", "~rival"):
        kept = {name: each for name, each in (lead.origin.get(marks) or {}).items() if name != group}
        lead.origin.pop(marks, None)
        if kept:
            lead.origin[marks] = kept
    lead.rev += 1
    leads.save(tx, [lead], now)
    leads.set_keys(tx, {lead.id: addresses(lead)})
    leads.make_dirty(tx, [lead.id])
    told = {"groups": {group: [before, value, None, rule, True]}, "lost": lost}
    runs.remember(tx, [(lead.id, None, run, now, told)])


def _unheard(mapping: ObjectMapping, known: Known, group: str) -> list[Canon]:
    """What a side says of a group that was not taken in yet: it loses to what the person says."""
    if group not in mapping.groups:
        return []
    fresh = known.fresh is not None and ("*" in known.fresh or group in known.fresh)
    names = set(mapping.names_of(group))
    told: list[Canon] = []
    if fresh or names & known.base.keys():
        told.append(mapping.read_group(group, known.now))
    if names & known.pending.keys():
        told.append(mapping.read_group(group, {**known.now, **known.pending}))
    return [each for each in told if not is_empty(each)]


def _consent(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    lead = _lead(tx, question.lead)
    cell = str(question.body["cell"])
    known = records.by_id(tx, [question.record or 0]).get(question.record or 0)
    if known is None or known.lead != lead.id:
        raise Moved("the record that this question is about is gone")
    if lead.value.get(cell) != OUT:
        raise Moved("nobody says no any more; look again")
    if decision.word == "out":
        known.asked.pop(cell, None)
        records.update(tx, [known])
        leads.make_dirty(tx, [lead.id], Lane.WITHDRAWAL)
        return
    said = question.body.get("value")
    if said in (None, OUT):
        raise CannotDecide("no side shows an opt-in; let the person confirm it over there")
    if _said_no_since(tx, lead.id, cell, known.id) or _no_is_unheard(engine, tx, lead.id, cell):
        raise Moved("somebody has said no since; look again")
    now = engine.world.now()
    set_value(engine, tx, lead, cell, said, "an opt-in, allowed by a person", run)
    entry = leads.Entry(lead.id, known.slot or "", cell, "in", f"decided in review {question.id}", now, known.id, run)
    leads.enter(tx, [entry])


def _no_is_unheard(engine: Engine, tx: Tx, lead: int, cell: str) -> bool:
    """Whether a no was read that the lead has not weighed yet."""
    sides = [(each, engine.mapping(each)) for each in records.by_lead(tx, [lead])[lead]]
    return any(mapping is not None and OUT in list(_unheard(mapping, each, cell)) for each, mapping in sides)


def _said_no_since(tx: Tx, lead: int, cell: str, record: int) -> bool:
    """Whether a no was heard in a later run than the last yes of this record."""
    said = [(run, state, by) for _, of, state, _, _, by, run in leads.ledger(tx, lead) if of == cell]
    yes = max((run for run, state, by in said if by == record and state != OUT), default=0)
    return any(run > yes for run, state, _ in said if state == OUT)


# --- people ------------------------------------------------------------------------------------------------------


def _identity(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    del run
    known = records.by_id(tx, [question.record or 0]).get(question.record or 0)
    if known is None or known.lead is not None:
        raise Moved("this record has found its person meanwhile")
    if decision.word == "link":
        target = leads.real(tx, int(decision.argument)) if str(decision.argument).isdigit() else None
        if target is None:
            raise CannotDecide(f'there is no lead "{decision.argument}"; the question names: {question.body["leads"]}')
    else:
        target = tx.ids("lead", 1)
        leads.insert(tx, [Lead(target)], engine.world.now())
        _keep_apart(engine, tx, known, question)
    records.link(tx, {known.id: target})
    leads.make_dirty(tx, [target])


def _keep_apart(engine: Engine, tx: Tx, known: Known, question: Review) -> None:
    """Not one: their common address must not join them again."""
    others = records.by_lead(tx, list(question.body.get("leads", [])))
    for some in others.values():
        for each in some:
            records.keep_apart(tx, known.id, each.id, "review", engine.world.now())


def _same(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    pair = [leads.real(tx, int(each)) for each in question.body["leads"]]
    if None in pair or pair[0] == pair[1]:
        return  # they have become one meanwhile
    winner, loser = sorted(each for each in pair if each is not None)
    if decision.word == "join":
        if not merge_leads(tx, winner, loser, run, engine.world.now()):
            raise CannotDecide("both are being created in one system; try again when that is settled")
        return
    sides = records.by_lead(tx, [winner, loser])
    for a in sides[winner]:
        for b in sides[loser]:
            records.keep_apart(tx, a.id, b.id, "review", engine.world.now())


# --- what was refused --------------------------------------------------------------------------------------------


def _again(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    """Put the wish once more, or leave it: for every record that raised this question."""
    del engine
    for known in _asked_about(tx, question):
        mine = _settled(question, known)
        for group in mine:
            if decision.word == "leave":
                known.settle_for(group, ALWAYS if group == "*" else known.asked[group][0], "held", run)
            else:
                del known.asked[group]
        if mine:
            records.update(tx, [known])
        if mine and decision.word == "retry" and known.lead is not None:
            leads.make_dirty(tx, [known.lead], Lane.RETRY)
    if decision.word == "retry":
        leads.make_dirty(tx, [lead for lead, _ in question.body.get("samples", []) if lead is not None], Lane.RETRY)
        if question.kind == "missing" and question.system is not None:
            leads.make_missing_dirty(tx, question.system)


def _settled(question: Review, known: Known) -> list[str]:
    """Groups of a record whose wish was settled for the reason of this question; "*" for its creation."""
    body = question.body
    if question.kind not in ("refused", "unwritable"):
        why = WHYS.get(question.kind)
        return [group for group, settled in known.asked.items() if settled[1] == why]
    groups, values = body.get("groups", [body.get("group")]), body.get("values", [body.get("value")])
    marks = dict(zip(groups, map(digest, values), strict=True))
    found = [
        group
        for group, (mark, why, _) in known.asked.items()
        if why == question.kind and group in marks and mark == marks[group]
    ]
    return [*found, "*"] if found and known.asked.get("*", (None, None))[1] == question.kind else found


WHYS: Mapping[str, str] = {"impossible": "held", "circle": "held", "in doubt": "held"}
"""Kind of question that concerns a record whatever the values → why its wishes were settled."""


def _asked_about(tx: Tx, question: Review) -> list[Known]:
    """The records of a question: those kept as samples, and all of its system that settled the same wish."""
    wanted = {record for _, record in question.body.get("samples", []) if record is not None}
    if question.record is not None:
        wanted.add(question.record)
    if question.system is not None and question.n > len(wanted):
        wanted |= set(records.settled(tx, question.system))
    return list(records.by_id(tx, sorted(wanted)).values())


def _deleted(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    """Deleted over there, edited here since."""
    if decision.word == "keep":
        return
    lead = _lead(tx, question.lead)
    known = [each for each in records.by_lead(tx, [lead.id])[lead.id] if engine.mapping(each) is not None]
    sides = [side(each, engine.systems[each.system]) for each in known]
    leaves = departure(lead, sides, engine.settings.grace, engine.world.now())
    if not (leaves.edited or leaves.archive):
        raise Moved("they are not deleted any more; look again")
    rows = []
    for side_ in sides:
        each, system = side_.known, side_.system
        if side_.live and system.deletions == "archive" and system.writes == "all":
            body: dict[str, Any] = {"object": each.object, "fields": {}, "before": {}, "groups": {}, "wanted": {}}
            state, step = OutState.QUEUED, WRITE
            rows.append(
                outbox.Row(
                    *(each.id, each.system, Lane.EDIT, "archive", body, lead.id, lead.rev, each.obs, run, state),
                    step=step,
                )
            )
    outbox.put(tx, rows)


# --- floods ------------------------------------------------------------------------------------------------------


def _inbound(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    del run
    if decision.word == "hold" or question.system is None:
        raise CannotDecide("it is being held; answer when you know more")
    feeds.reset_counts(tx, question.system, [str(question.body["group"])], str(question.body["what"]))
    leads.make_edited_dirty(tx, question.system)
    del engine


def _withdrawals(engine: Engine, tx: Tx, question: Review, decision: Decision, run: int) -> None:
    del run
    if decision.word == "hold" or question.system is None:
        raise CannotDecide("they are being held; answer when you know more")
    feeds.reset_counts(tx, question.system, ["*"], "withdrawn")
    del engine


def _lead(tx: Tx, lead_id: int | None, missing: str = "the lead that this question is about is gone") -> Lead:
    real = leads.real(tx, lead_id) if lead_id is not None else None
    if real is None:
        raise Moved(missing)
    return leads.by_id(tx, [real])[real]


DEEDS: Mapping[str, Deed] = {
    "conflict": _conflict,
    "identity": _identity,
    "same": _same,
    "two leads": _same,
    "consent": _consent,
    "refused": _again,
    "unwritable": _again,
    "unreadable": _again,
    "missing": _again,
    "impossible": _again,
    "circle": _again,
    "in doubt": _again,
    "deleted": _deleted,
    "inbound": _inbound,
    "withdrawals": _withdrawals,
}
