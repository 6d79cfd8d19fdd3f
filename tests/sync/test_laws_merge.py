"""Laws of merging and planning, over families of records that went apart from one ancestor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import sync.merge
from connectors.base import Record, State
from mappings.lead import STAGES, is_consent, is_empty
from sync.case import Case
from sync.consent import OUT, confirmed_at
from sync.decide import _absorb
from sync.group import Merged, fuller, rounded
from sync.merge import merge, side
from sync.model import ALL, Known, Lead, Side
from sync.observe import observe
from sync.packed import digest
from sync.plan import plan
from sync.rules import Rules
from tests.sync.families import GROUPS, NOW, SYSTEMS, Family, disputes, families
from tests.sync.reached import Reached

FEWER = 200
"""A whole family is much to draw."""


def settle(lead: Lead, sides: Sequence[Side], how: Rules, now: int = NOW) -> Merged:
    """Merge, and let every record absorb what was heard of it."""
    out = merge(lead, sides, how, now, 1)
    case = Case(lead, 0, 0, list(sides), [], frozenset(), {}, merged=out)
    _absorb(case, 1)
    return out


def outcome(lead: Lead, out: Merged) -> dict[str, Any]:
    """All that a merge decided, without the order in which it was told."""
    return {
        "value": lead.value,
        "origin": {group: told for group, told in lead.origin.items() if group not in ("stage", "tags")},
        "frozen": {group: sorted(map(repr, each.choices)) for group, each in out.frozen.items()},
        "lost": Counter((each.group, each.record, repr(each.value), each.rule) for each in out.lost),
        "absorbed": out.absorbed,
        "changes": {group: (each.before, each.after, each.rule, each.proven) for group, each in out.changes.items()},
        "doubts": sorted((cell, said.record, why) for cell, said, why in out.doubts),
        "alone": out.left_alone,
    }


def test_the_order_of_sides_plays_no_part() -> None:
    reached = Reached(conflicts=150, frozen=20, firsts=70, doubts=5)

    @settings(max_examples=FEWER)
    @given(families(least=2), st.randoms(use_true_random=False))
    def law(family: Family, random: Any) -> None:
        note(str(family))
        results = []
        for _ in range(3):
            lead, sides = deepcopy(family.lead), deepcopy(family.sides)
            random.shuffle(sides)
            results.append(outcome(lead, settle(lead, sides, family.how)))
        assert results[0] == results[1] == results[2]
        reached.met("conflicts", len(results[0]["lost"]))
        reached.met("frozen", len(results[0]["frozen"]))
        reached.met("firsts", any(each.known.fresh for each in family.sides))
        reached.met("doubts", len(results[0]["doubts"]))

    law()
    reached.enough()


def test_people_who_meet_without_a_quarrel_are_merged_as_by_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a first sync goes a short way. It decides nothing by itself: the long way comes to the same."""
    reached = Reached(short=300, long=100, several=100, staged=60)
    shortly = sync.merge._met_agreeing
    met = [0, 0]

    def counted(*told: Any) -> bool:
        went = shortly(*told)
        met[went] += 1
        return went

    @settings(max_examples=FEWER)
    @given(families())
    def law(family: Family) -> None:
        note(str(family))
        new: dict[str, Any] = {"fresh": ALL, "state": State.LIVE, "role": 0, "base": {}, "pending": {}, "times": {}}
        results = []
        for way in (counted, lambda *_: False):
            monkeypatch.setattr(sync.merge, "_met_agreeing", way)
            lead, theirs = Lead(1), [side(replace(each.known, **new), each.system) for each in family.sides]
            out = settle(lead, theirs, family.how)
            results.append((outcome(lead, out), lead.origin, out.confirmed, [vars_of(each.known) for each in theirs]))
            reached.met("staged", way is counted and "~stage" in lead.origin)
        assert results[0] == results[1]
        reached.met("several", len(family.sides) > 1)

    law()
    reached.met("short", met[True])
    reached.met("long", met[False])
    reached.enough()


def vars_of(known: Known) -> dict[str, Any]:
    return {each.name: getattr(known, each.name) for each in fields(known)}


def edits(each: Side) -> list[tuple[str, Any]]:
    """(group, value) of everything a side says that the lead had not absorbed."""
    known = each.known
    found = []
    for group in GROUPS:
        if group not in each.now or group in each.unreadable:
            continue
        if each.is_fresh(group) and (group not in each.mapping.incoming or (each.known.role and group == "email")):
            continue  # not asked for its value
        if each.is_fresh(group):
            found.append((group, each.now[group]))
            continue
        found += [(group, told) for told, was in ((each.now[group], each.base[group]), (each.pending[group], each.now[group])) if told != was]  # fmt: skip
    return found if known.ext is not None else []


def holds(value: Any, told: Any, each: Side, group: str) -> bool:
    """Whether a value of the lead says what a side said."""
    if value == told or (is_empty(value) and is_empty(told)):
        return True
    if told == rounded(each, group, value) or fuller(value, told) == value:
        return True
    return (
        isinstance(told, dict)
        and isinstance(value, dict)
        and all(value.get(name) == part for name, part in told.items())
    )


def test_every_edit_is_final_or_in_the_history_or_waits_for_a_person() -> None:
    reached = Reached(final=250, lost=80, frozen=30, pending=100, dead=100, emptied=50)

    @settings(max_examples=FEWER)
    @given(families())
    def law(family: Family) -> None:
        note(str(family))
        lead, sides, before = family.lead, family.sides, deepcopy(family.lead.value)
        said = [(each, group, told) for each in sides for group, told in edits(each)]
        out = settle(lead, sides, family.how)
        assert not {group for groups in out.absorbed.values() for group in groups} & out.undecided()
        lost = [(each.group, each.record, each.value) for each in out.lost]
        for each, group, told in said:
            value = lead.value.get(group)
            if group in out.undecided():
                names = {name for rule in each.mapping.groups[group] for name in rule.remote}
                kept = {*each.known.base, *each.known.pending} & names
                assert kept or each.is_fresh(group), "nothing of a group that waits is absorbed"
                reached.met("frozen")
                continue
            assert group in out.absorbed[each.known.id]
            if is_consent(group):
                continue  # it has a law of its own, and a ledger
            if group == "tags":
                added = set(told or ()) - set(each.base.get(group) or () if not each.is_fresh(group) else ())
                assert added <= set(value or ()) or any((group, each.known.id) == (g, r) for g, r, _ in lost)
                continue
            if is_empty(told) and (each.is_fresh(group) or group == "stage"):
                continue  # nothing said is no information
            whole = {**(before.get(group) or {}), **told} if isinstance(told, dict) else told
            final = holds(value, told, each, group)
            history = [value for place, _, value in lost if place == group]
            history += [out.changes[group].before] if group in out.changes else []
            assert final or any(was in (told, whole) or holds(was, told, each, group) for was in history), (group, told)
            reached.met("final" if final else "lost")
            reached.met("pending", bool(each.known.pending) or told == each.pending.get(group) != each.now.get(group))
            reached.met("dead", each.known.state is not State.LIVE)
            reached.met("emptied", is_empty(told))

    law()
    reached.enough()


def test_what_was_absorbed_is_not_merged_again() -> None:
    reached = Reached(changes=150)

    @settings(max_examples=FEWER)
    @given(families())
    def law(family: Family) -> None:
        note(str(family))
        lead = family.lead
        first = settle(lead, family.sides, family.how)
        before = deepcopy(lead.value)
        again = settle(lead, [side(each.known, each.system) for each in family.sides], family.how)
        repeated = {group for group in again.changes if group not in first.undecided()}
        assert (repeated, lead.value) == (set(), before)
        assert {each.group for each in again.lost} <= first.undecided()
        reached.met("changes", len(first.changes))

    law()
    reached.enough()


def test_a_no_is_only_ever_undone_by_a_confirmed_newer_yes_that_is_trusted_and_knew_of_it() -> None:
    reached = Reached(noes=100, raised=20, refused=50, new_noes=20)

    @given(disputes())
    def law(family: Family) -> None:
        note(str(family))
        lead, cell = family.lead, "consent.email"
        was, since = lead.value.get(cell), lead.origin[cell][2]
        told = [
            (each, word, None if each.is_fresh(cell) else each.base[cell])
            for each in family.sides
            for word in {repr(said[cell]): said[cell] for said in (each.now, each.pending)}.values()
        ]
        news = [(each, word, before) for each, word, before in told if each.is_fresh(cell) or word != before]
        settle(lead, family.sides, family.how)
        now = lead.value.get(cell)
        if any(word == OUT for _, word, _ in news):
            assert now == OUT, "whoever says no is heard at once"
            reached.met("new_noes")
        if was != OUT:
            return
        reached.met("noes")
        reached.met("raised", now != OUT)
        reached.met("refused", now == OUT and any(word not in (OUT, None) for _, word, _ in news))
        if now != OUT:
            assert any(
                before == OUT and (confirmed_at(word) or 0) > since and each.system.id in family.how.opt_in_trust
                for each, word, before in news
            )

    law()
    reached.enough()


def test_stages_only_go_back_by_somebody_who_knew_where_they_were() -> None:
    reached = Reached(forward=20, back=15)

    @given(families(groups=("stage",)))
    def law(family: Family) -> None:
        note(str(family))
        lead, before = family.lead, family.lead.value.get("stage")
        knew = [each.base["stage"] for each in family.sides if "stage" in each.now and not each.is_fresh("stage")]
        settle(lead, family.sides, family.how)
        rank, was = (STAGES.get(str(value), 0) for value in (lead.value.get("stage"), before))
        assert rank >= was or before in knew
        reached.met("forward", rank > was)
        reached.met("back", rank < was)

    law()
    reached.enough()


# --- agreeing ----------------------------------------------------------------------------------------------------


def carry_out(lead: Lead, sides: Sequence[Side], merged: Merged, how: Rules, cuts: int | None) -> int:
    """Plan, and do what is planned as perfect vendors would, or as one that keeps only so many letters of a title;
    answers how many operations there were."""
    planned = plan(lead, sides, (), merged.undecided(), merged.left_alone, (), how, NOW)
    by_id = {each.known.id: each for each in sides}
    for record, group, _ in planned.unwritable:
        by_id[record].known.settle_for(group, digest(lead.value.get(group)), "unwritable", 1)
    for operation in planned.operations:
        known = by_id[operation.record].known
        said_again = {name for name, value in operation.fields.items() if known.now.get(name) == value}
        assert said_again <= {"consent"}, "it says only what differs, and a no along with a new address"
        flying = {"fields": operation.fields, "wanted": operation.wanted, "run": 1}
        taken = {
            n: v[:cuts] if n == "title" and isinstance(v, str) and cuts else v for n, v in operation.fields.items()
        }
        if "consent" in taken:
            taken["confirmed_at"] = None
        row = Record(known.ref(), {**known.now, **taken}, asked_seq=known.read_seq + 1)
        observe(known, row, flying, by_id[operation.record].mapping, lambda name: frozenset({"cut"}), NOW)
        known.base = {name: value for name, value in known.base.items() if name != "confirmed_at"}
    return len(planned.operations)


def test_after_three_rounds_all_agree_and_nothing_is_left_to_do() -> None:
    """But for what waits for a person, and for what a side cannot hold."""
    reached = Reached(operations=200, second_rounds=15, lossy=30, agreed=700)

    @settings(max_examples=FEWER)
    @given(families(least=2), st.sampled_from([None, 9, 4]))
    def law(family: Family, cuts: int | None) -> None:
        note(str(family))
        lead, how = family.lead, family.how
        known = [each.known for each in family.sides]
        for round_ in range(4):
            sides = [side(each, SYSTEMS[each.system]) for each in known]
            merged = settle(lead, sides, how)
            done = carry_out(lead, sides, merged, how, cuts)
            reached.met("operations", done)
            reached.met("second_rounds", done if round_ == 1 else 0)
            if round_ == 3:
                assert done == 0, "never quiet"
        for each in [side(each, SYSTEMS[each.system]) for each in known]:
            for group in GROUPS:
                if (
                    not each.live
                    or group not in each.mapping.outgoing
                    or group in merged.undecided()
                    or group in each.unreadable
                ):
                    continue
                if is_consent(group):
                    held = each.known.asked.get(group)
                    if lead.value.get(group) == OUT and (held is None or held[1] != "held"):
                        assert each.now[group] == OUT
                    continue
                if each.known.role and group == "email":
                    continue
                memo = each.known.asked.get(group)
                if memo is not None and memo[0] == digest(lead.value.get(group)):
                    reached.met("lossy")
                    continue
                has, wanted = each.now.get(group), lead.value.get(group)
                assert any(
                    want == has or (is_empty(want) and is_empty(has)) for want in (wanted, rounded(each, group, wanted))
                )
                reached.met("agreed")

    law()
    reached.enough()
