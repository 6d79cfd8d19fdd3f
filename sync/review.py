"""What a person decides: each question of the review queue has its answers, and a deed for each.

An answer is bound to what was looked at: when the values have moved since, the question is opened anew and nothing is
done. Every deed is a run of its own, with who and why.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import FeedKind
from mappings.lead import Canon
from sync.consent import OUT
from sync.edit import CannotDecide, Moved, living, set_value, typed, unheard
from sync.engine import Engine
from sync.merge import side
from sync.model import ALWAYS, WRITE, Known, Lane, Lead, OutState, Side
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


STANDING = frozenset({"deleted", "missing"})
"""Kinds that nothing but the answer ends: left as it is, the same is not asked again."""


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
    if question is None and review_id <= runs.last_question(tx):
        raise Moved(f"question {review_id} is over, or another one by now; look again")
    if question is None:
        raise CannotDecide(f"there is no question {review_id}")
    if question.state != "open":
        raise Moved(f"question {review_id} is {question.state} already")
    decision = parse(question.kind, said)
    run = runs.begin(tx, "review", who, why or said, engine.world.now())
    DEEDS[question.kind](Answered(engine, tx, question, decision, run))
    stands = question.kind in STANDING and decision.word in ("keep", "leave")
    runs.decided(tx, review_id, "left" if stands else "decided")
    return run


AGAIN = "retry"
"""The answer by which what waits is tried again; a replay gives it to many questions at once."""


def replay(engine: Engine, tx: Tx, numbers: Iterable[int], who: str, why: str) -> int:
    """Try again what these questions hold back, as one run. A question that was answered meanwhile is left alone.
    Answers the run."""
    run = runs.begin(tx, "review", who, why, engine.world.now())
    for number in numbers:
        question = runs.review_by_id(tx, number)
        if question is not None and question.state == "open":
            DEEDS[question.kind](Answered(engine, tx, question, Decision(AGAIN), run))
            runs.decided(tx, number, "decided")
    return run


def replayable(kind: str) -> bool:
    """Whether questions of this kind hold something back that can be tried again."""
    return AGAIN in ANSWERS[kind]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer, and where it is carried out."""

    engine: Engine
    tx: Tx
    question: Review
    decision: Decision
    run: int

    @property
    def now(self) -> int:
        return self.engine.world.now()

    def lead(self) -> Lead:
        return living(self.tx, self.question.lead)

    def known(self) -> Known | None:
        """The record that it is about, if there still is one."""
        number = self.question.record or 0
        return records.by_id(self.tx, [number]).get(number)


# --- values ------------------------------------------------------------------------------------------------------


def _conflict(said: Answered) -> None:
    lead = said.lead()
    group = str(said.question.body["group"])
    choices: list[list[Any]] = said.question.body["choices"]
    sides = records.by_lead(said.tx, [lead.id])[lead.id]
    if digest(_today(said.engine, lead, sides, group, choices)) != digest([value for _, value in choices]):
        raise Moved(f"the values of question {said.question.id} have changed since; look again")
    value = _chosen(said.engine, lead, sides, group, choices, said.decision)
    set_value(said.engine, said.tx, lead, group, value, "decided by a person", said.run)


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


def _consent(said: Answered) -> None:
    tx, lead, known = said.tx, said.lead(), said.known()
    cell = str(said.question.body["cell"])
    if known is None or known.lead != lead.id:
        raise Moved("the record that this question is about is gone")
    if lead.value.get(cell) != OUT:
        raise Moved("nobody says no any more; look again")
    if said.decision.word == "out":
        known.asked.pop(cell, None)
        records.update(tx, [known])
        leads.make_dirty(tx, [lead.id], Lane.WITHDRAWAL)
        return
    opt_in = said.question.body.get("value")
    if opt_in in (None, OUT):
        raise CannotDecide("no side shows an opt-in; let the person confirm it over there")
    if _said_no_since(tx, lead.id, cell, known.id) or _no_is_unheard(said.engine, tx, lead.id, cell):
        raise Moved("somebody has said no since; look again")
    set_value(said.engine, tx, lead, cell, opt_in, "an opt-in, allowed by a person", said.run)
    why = f"decided in review {said.question.id}"
    leads.enter(tx, [leads.Entry(lead.id, known.slot or "", cell, "in", why, said.now, known.id, said.run)])


def _no_is_unheard(engine: Engine, tx: Tx, lead: int, cell: str) -> bool:
    """Whether a no was read that the lead has not weighed yet."""
    sides = [(each, engine.mapping(each)) for each in records.by_lead(tx, [lead])[lead]]
    return any(mapping is not None and OUT in list(unheard(mapping, each, cell)) for each, mapping in sides)


def _said_no_since(tx: Tx, lead: int, cell: str, record: int) -> bool:
    """Whether a no was heard in a later run than the last yes of this record."""
    said = [(run, state, by) for _, of, state, _, _, by, run in leads.ledger(tx, lead) if of == cell]
    yes = max((run for run, state, by in said if by == record and state != OUT), default=0)
    return any(run > yes for run, state, _ in said if state == OUT)


# --- people ------------------------------------------------------------------------------------------------------


def _identity(said: Answered) -> None:
    tx, known, wanted = said.tx, said.known(), said.decision.argument
    may_be: list[int] = said.question.body.get("leads", [])
    if known is None or known.lead is not None:
        raise Moved("this record has found its person meanwhile")
    if said.decision.word == "link":
        target = leads.real(tx, int(wanted)) if str(wanted).isdigit() else None
        if target is None:
            raise CannotDecide(f'there is no lead "{wanted}"; the question names: {may_be}')
    else:
        target = tx.ids("lead", 1)
        leads.insert(tx, [Lead(target)], said.now)
        others = records.by_lead(tx, may_be).values()
        _keep_apart(said, [known], itertools.chain.from_iterable(others))
    records.link(tx, {known.id: target})
    leads.make_dirty(tx, [target])


def _same(said: Answered) -> None:
    tx = said.tx
    pair = [leads.real(tx, int(each)) for each in said.question.body["leads"]]
    if None in pair or pair[0] == pair[1]:
        return  # they have become one meanwhile
    winner, loser = sorted(each for each in pair if each is not None)
    if said.decision.word == "join":
        if not merge_leads(tx, winner, loser, said.run, said.now):
            raise CannotDecide("both are being created in one system; try again when that is settled")
        return
    sides = records.by_lead(tx, [winner, loser])
    _keep_apart(said, sides[winner], sides[loser])


def _keep_apart(said: Answered, some: Iterable[Known], others: Iterable[Known]) -> None:
    """Not one: their common address must not join them again."""
    for a, b in itertools.product(some, others):
        records.keep_apart(said.tx, a.id, b.id, "review", said.now)


# --- what was refused --------------------------------------------------------------------------------------------


def _again(said: Answered) -> None:
    """Put the wish once more, or leave it: for every record that raised this question."""
    tx, question, decision = said.tx, said.question, said.decision
    for known in _asked_about(tx, question):
        mine = _settled(question, known)
        for group in mine:
            if decision.word == "leave":
                known.settle_for(group, ALWAYS if group == "*" else known.asked[group][0], "held", said.run)
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


def _deleted(said: Answered) -> None:
    """Deleted over there, edited here since."""
    if said.decision.word == "keep":
        return
    lead, engine = said.lead(), said.engine
    known = [each for each in records.by_lead(said.tx, [lead.id])[lead.id] if engine.mapping(each) is not None]
    sides = [side(each, engine.systems[each.system]) for each in known]
    leaves = departure(lead, sides, engine.settings.grace, said.now)
    if not (leaves.edited or leaves.archive):
        raise Moved("they are not deleted any more; look again")
    outbox.put(said.tx, [_archive(said, lead, each) for each in sides if _may_archive(each)])


def _may_archive(each: Side) -> bool:
    return each.live and each.system.deletions == "archive" and each.system.writes == "all"


def _archive(said: Answered, lead: Lead, each: Side) -> outbox.Row:
    known = each.known
    return outbox.Row(
        record=known.id,
        system=known.system,
        lane=int(Lane.EDIT),
        kind="archive",
        body={"object": known.object, "fields": {}, "before": {}, "groups": {}, "wanted": {}},
        lead=lead.id,
        lead_rev=lead.rev,
        obs=known.obs,
        run=said.run,
        state=OutState.QUEUED,
        step=WRITE,
    )


# --- floods ------------------------------------------------------------------------------------------------------


def _inbound(said: Answered) -> None:
    system, group, what = _meant(said), str(said.question.body["group"]), str(said.question.body["what"])
    feeds.reset_counts(said.tx, system, [group], what)
    leads.make_edited_dirty(said.tx, system)
    if what == "vanished":
        _believe(said, system)


def _believe(said: Answered, system: int) -> None:
    """What a sweep did not show is looked up one by one after all, and does not count as a flood once more."""
    tx, missed = said.tx, []
    for each in feeds.feeds(tx):
        if each.system == system and each.kind == FeedKind.SWEEP and each.began is None:
            missed += [(each.object, ext, "changed") for _, ext in records.missed(tx, system, each.object, each.round)]
    feeds.add_hints(tx, system, missed, Lane.EDIT, said.now)
    feeds.count(tx, system, {("*", "vanished"): -len(missed)}, said.now)


def _withdrawals(said: Answered) -> None:
    feeds.reset_counts(said.tx, _meant(said), ["*"], "withdrawn")


def _meant(said: Answered) -> int:
    """The system whose flood was meant. Raises CannotDecide where it is to be held back."""
    if said.decision.word == "hold" or said.question.system is None:
        raise CannotDecide("it is being held back; answer when you know more")
    return said.question.system


DEEDS: Mapping[str, Callable[[Answered], None]] = {
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
