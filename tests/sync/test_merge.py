"""Many sides, one lead: whose edit becomes the lead's, what the others lose to, and what stays for a person."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from connectors.base import Fields, State, Writer
from mappings.lead import Canon
from sync.consent import OUT
from sync.group import DAY, Merged
from sync.merge import merge
from sync.model import TWIN, Lead, Side
from sync.packed import digest
from sync.rules import Policy, Rules
from tests.sync.makers import LONG, can, known, lead, mapping_of, origin, seen, system

NOW = 1_800_000_000_000_000
ASK = Rules({"title": Policy("ask"), "a": Policy("ask")})


def merged(one: Lead, *sides: Side, how: Rules | None = None, now: int = NOW) -> Merged:
    return merge(one, sides, how or Rules(order={1: 0, 2: 1, 3: 2}), now, 9)


def edited(number: int, was: Fields, now: Fields, at: int = 0, *, since: int = 0, **more: Any) -> Side:
    """A side whose fields somebody changed, at a moment between two readings."""
    base = {name: was.get(name) for name in now if now[name] != was.get(name)}
    return seen(number, {**was, **now}, base=base, modified=at or None, prev_modified=since or None, **more)


def rule_of(out: Merged, group: str) -> str:
    return out.changes[group].rule


# --- one edit ----------------------------------------------------------------------------------------------------


def test_an_edit_becomes_the_leads_and_is_absorbed() -> None:
    one = lead({"title": "t0"})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 50), seen(2, {"title": "t0"}))
    assert one.value["title"] == "t1"
    assert (out.changes["title"].before, out.changes["title"].after, out.changes["title"].record) == ("t0", "t1", 1)
    assert (out.absorbed[1], out.edited, out.lost, out.frozen) == ({"title"}, {1: {"title"}}, [], {})
    assert one.origin["title"][0] == 1


def test_what_nobody_changed_is_not_touched() -> None:
    one = lead({"title": "t9", "a": "a0"})
    out = merged(one, seen(1, {"title": "t0", "a": "a0"}), seen(2, {"title": "t1"}))
    assert (one.value, out.changes, out.absorbed) == ({"title": "t9", "a": "a0"}, {}, {})


def test_clearing_is_an_edit() -> None:
    one = lead({"title": "t0"})
    merged(one, edited(1, {"title": "t0"}, {"title": None}, 50))
    assert one.value["title"] is None


@pytest.mark.parametrize("more", [{}, {"pending": {"title": None}}])
def test_clearing_is_no_edit_where_being_empty_says_nothing(more: dict[str, Any]) -> None:
    sheet = system(1, mapping_of({"title": {"remote": "title", "empty": "ignore"}}))
    now = {"title": "t0"} if more else {"title": None}
    one = lead({"title": "t0"}, origin={"title": origin(1, 5)})
    out = merged(one, seen(1, now, of=sheet, base={} if more else {"title": "t0"}, **more), seen(2, {"title": "t0"}))
    assert (one.value["title"], out.changes) == ("t0", {})
    assert out.absorbed.get(1) == {"title"}, "it is taken in, so that the cell is filled again"


def test_fields_that_mean_one_thing_move_together() -> None:
    """A moves to another town, B mends the old street: no chimera of both."""
    one = lead({"address": {"street": "Storgata 1", "city": "Oslo"}})
    was = {"street": "Storgata 1", "city": "Oslo"}
    moved = edited(1, was, {"street": "Torget 2", "city": "Bergen"}, 60, since=50)
    mended = edited(2, was, {"street": "Storgata 1B"}, 40, since=30)
    out = merged(one, moved, mended)
    assert one.value["address"] == {"street": "Torget 2", "city": "Bergen"}
    assert [(each.record, each.value) for each in out.lost] == [(2, {"street": "Storgata 1B", "city": "Oslo"})]


def test_an_edit_of_a_part_keeps_what_the_lead_knows_beside() -> None:
    one = lead({"address": {"street": "Storgata 1", "city": "Oslo", "country": "NO"}})
    merged(one, edited(1, {"street": "Storgata 1", "city": "Oslo"}, {"street": "Torget 2"}, 50))
    assert one.value["address"] == {"street": "Torget 2", "city": "Oslo", "country": "NO"}


# --- causality (F18) ---------------------------------------------------------------------------------------------


def test_a_side_that_had_seen_the_leads_value_replaces_it_whatever_the_clocks_say() -> None:
    one = lead({"title": "t5"}, origin={"title": origin(2, NOW - 1)})
    merged(one, edited(1, {"title": "t5"}, {"title": "t6"}, 50))
    assert one.value["title"] == "t6"


def test_a_side_that_had_not_seen_it_competes_with_it() -> None:
    one = lead({"title": "t5"}, origin={"title": origin(2, 70, lo=69)})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t6"}, 50, since=49), seen(2, {"title": "t5"}))
    assert one.value["title"] == "t5"
    assert [(each.value, each.rule) for each in out.lost] == [("t6", "newest")]
    assert out.absorbed[1] == {"title"}, "it lost, and is taken in: the plan writes the lead's value over it"


def test_a_side_that_got_the_value_cut_had_seen_it() -> None:
    short = system(1, mapping_of({"title": {"remote": "title", "length": 9}}))
    one = lead({"title": LONG}, origin={"title": origin(2, NOW - 1)})
    merged(one, edited(1, {"title": LONG[:9].strip()}, {"title": "Chief"}, 50, of=short))
    assert one.value["title"] == "Chief"


def test_a_side_that_was_asked_for_just_this_value_had_seen_it() -> None:
    one = lead({"title": "t5"}, origin={"title": origin(2, NOW - 1)})
    merged(one, edited(1, {"title": "t-other"}, {"title": "t6"}, 50, asked={"title": [digest("t5"), "lossy", 1]}))
    assert one.value["title"] == "t6"


def test_a_side_that_says_the_leads_value_as_far_as_it_can_says_nothing_new() -> None:
    short = system(1, mapping_of({"title": {"remote": "title", "length": 9}}))
    one = lead({"title": LONG})
    out = merged(one, edited(1, {"title": "old"}, {"title": LONG[:9].strip()}, 50, of=short))
    assert (one.value["title"], out.changes, out.absorbed) == (LONG, {}, {1: {"title"}})


# --- concurrent edits --------------------------------------------------------------------------------------------


def concurrent(*, how: Rules | None = None, first: dict[str, Any] | None = None, second: dict[str, Any] | None = None) -> tuple[Lead, Merged]:  # fmt: skip
    one = lead({"title": "t0"}, origin={"title": origin(1, 10)})
    left = edited(1, {"title": "t0"}, {"title": "left"}, 50, since=40, **(first or {}))
    right = edited(2, {"title": "t0"}, {"title": "right"}, 60, since=55, **(second or {}))
    return one, merged(one, left, right, how=how)


def test_of_two_concurrent_edits_the_newest_wins_and_the_other_stands_in_the_history() -> None:
    one, out = concurrent()
    assert (one.value["title"], rule_of(out, "title")) == ("right", "newest")
    assert [(each.group, each.record, each.value, each.rule) for each in out.lost] == [("title", 1, "left", "newest")]
    assert out.absorbed == {1: {"title"}, 2: {"title"}}


@pytest.mark.parametrize(
    ("how", "value"),
    [
        (Rules({"title": Policy("owner", (1,))}), "left"),
        (Rules({"title": Policy("trust", (1, 2))}), "left"),
        (Rules({"title": Policy("trust", (2, 1))}), "right"),
        (Rules({"title": Policy("newest")}), "right"),
    ],
)
def test_the_groups_rule_decides(how: Rules, value: str) -> None:
    assert concurrent(how=how)[0].value["title"] == value


def test_a_persons_edit_beats_a_workflows_where_the_rule_says_so() -> None:
    how = Rules({"title": Policy("person_first")})
    writers = {"first": {"writer": Writer.PERSON}, "second": {"writer": Writer.WORKFLOW}}
    assert concurrent(how=how, **writers)[0].value["title"] == "left"


def test_a_persons_word_stands_against_a_workflow_that_had_seen_it() -> None:
    how = Rules({"title": Policy("person_first")})
    one = lead({"title": "by hand"}, origin={"title": origin(2, 10, writer=Writer.PERSON)})
    flow = edited(1, {"title": "by hand"}, {"title": "by flow"}, 90, writer=Writer.WORKFLOW)
    merged(one, flow, seen(2, {"title": "by hand"}), how=how)
    assert one.value["title"] == "by hand"
    person = edited(1, {"title": "by hand"}, {"title": "by another hand"}, 90, writer=Writer.PERSON)
    merged(one, person, seen(2, {"title": "by hand"}), how=how)
    assert one.value["title"] == "by another hand"


def test_the_same_edit_on_two_sides_is_no_conflict_even_for_ask() -> None:
    one = lead({"title": "t0"})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}), edited(2, {"title": "t0"}, {"title": "t1"}), how=ASK)
    assert (one.value["title"], out.frozen, out.lost) == ("t1", {}, [])


def test_what_was_said_last_counts_from_the_latest_who_said_it() -> None:
    """Or the result would depend on the order of arrival (F18)."""
    one = lead({"title": "t0"}, origin={"title": origin(3, 5)})
    early, late = edited(1, {"title": "t0"}, {"title": "t1"}, 20), edited(2, {"title": "t0"}, {"title": "t1"}, 80)
    merged(one, early, late)
    assert one.origin["title"][2] == 80


def test_an_edit_that_says_again_what_the_lead_says_does_not_make_it_older() -> None:
    one = lead({"title": "t1"}, origin={"title": origin(2, 80, lo=79)})
    merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 20), seen(2, {"title": "t1"}))
    assert one.origin["title"][2] == 80


def test_a_later_edit_that_says_again_what_the_lead_says_makes_it_newer() -> None:
    one = lead({"title": "t1"}, origin={"title": origin(2, 30, lo=29)})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 80), seen(2, {"title": "t1"}))
    assert (one.origin["title"][:3], out.changes) == ([1, 0, 80], {})


def test_the_vendors_own_times_are_asked_for_before_an_order_is_estimated() -> None:
    there = system(1, capabilities=can(field_times=True))
    one = lead({"title": "t0"})
    left = edited(1, {"title": "t0"}, {"title": "left"}, 60, of=there)
    out = merged(one, left, edited(2, {"title": "t0"}, {"title": "right"}, 55))
    assert (one.value["title"], out.wants_times, out.waiting, out.absorbed) == ("t0", {1: {"title"}}, {"title"}, {})
    left = edited(1, {"title": "t0"}, {"title": "left"}, 60, of=there, times={"title": 50})
    out = merged(one, left, edited(2, {"title": "t0"}, {"title": "right"}, 55, since=52))
    assert (one.value["title"], out.wants_times, out.changes["title"].proven) == ("right", {}, True)


def test_times_that_the_vendor_could_not_tell_are_not_asked_for_again() -> None:
    there = system(1, capabilities=can(field_times=True))
    one = lead({"title": "t0"})
    left = edited(1, {"title": "t0"}, {"title": "left"}, 60, of=there, times={"title": 0})
    out = merged(one, left, edited(2, {"title": "t0"}, {"title": "right"}, 55))
    assert (one.value["title"], out.changes["title"].proven, out.wants_times) == ("left", False, {})


def test_a_vendors_clock_that_is_ahead_of_ours_wins_nothing_by_that() -> None:
    one = lead({"title": "t0"})
    left = edited(1, {"title": "t0"}, {"title": "left"}, NOW + 10 * DAY)
    merged(one, left, edited(2, {"title": "t0"}, {"title": "right"}, NOW))
    assert one.origin["title"][2] == NOW


@pytest.mark.parametrize("rule", ["newest", "owner", "trust", "person_first", "ask"])
def test_the_order_of_sides_plays_no_part(rule: str) -> None:
    results = []
    for order in itertools.permutations(range(3)):
        sides = [
            edited(1, {"title": "t0"}, {"title": "one"}, 50),
            edited(2, {"title": "t0"}, {"title": "two"}, 50),
            edited(3, {"title": "t1"}, {"title": "three"}, 50),
        ]
        one = lead({"title": "t0"}, origin={"title": origin(3, 20)})
        out = merged(one, *(sides[i] for i in order), how=Rules({"title": Policy(rule, (2, 3))}))
        results.append((one.value, sorted((each.record, str(each.value)) for each in out.lost), one.frozen))
    assert all(each == results[0] for each in results)


# --- the owner ---------------------------------------------------------------------------------------------------

OWNED = Rules({"title": Policy("owner", (2,))})


def test_an_edit_elsewhere_loses_to_the_owners_value_though_it_had_seen_it() -> None:
    one = lead({"title": "t0"}, origin={"title": origin(2, 10)})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 90), seen(2, {"title": "t0"}), how=OWNED)
    assert (one.value["title"], [each.rule for each in out.lost], out.edited) == ("t0", ["owner"], {1: {"title"}})


@pytest.mark.parametrize(
    "owner",
    [
        seen(2, {"title": "t0"}, state=State.DELETED),
        seen(2, {"title": "t0"}, role=TWIN),
        seen(2, {"a": "a0"}),
    ],
    ids=["deleted", "a twin", "does not show the field"],
)
def test_without_an_owner_that_stands_anybodys_edit_counts(owner: Side) -> None:
    one = lead({"title": "t0"})
    merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 90), owner, how=OWNED)
    assert one.value["title"] == "t1"


def test_an_owner_whose_column_is_held_back_still_owns_it() -> None:
    """Its phones read blank since somebody took a right away: that is no reason to let others in."""
    one = lead({"title": "t0"}, origin={"title": origin(2, 10)})
    blanked = edited(2, {"title": "t0"}, {"title": None}, 95, held=("title",))
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 90), blanked, how=OWNED)
    assert (one.value["title"], [each.rule for each in out.lost]) == ("t0", ["owner"])
    assert 2 not in out.absorbed


def test_where_the_owner_has_nothing_others_fill_it() -> None:
    one = lead({"title": None})
    merged(one, edited(1, {"title": None}, {"title": "t1"}, 90), seen(2, {"title": None}), how=OWNED)
    assert one.value["title"] == "t1"


def test_the_owners_edit_wins_over_a_newer_one() -> None:
    one = lead({"title": "t0"})
    out = merged(
        one, edited(1, {"title": "t0"}, {"title": "t1"}, 90), edited(2, {"title": "t0"}, {"title": "t2"}, 5), how=OWNED
    )
    assert (one.value["title"], [each.value for each in out.lost]) == ("t2", ["t1"])


# --- ask and freezing (F1) ---------------------------------------------------------------------------------------


def test_ask_freezes_the_group_and_absorbs_nothing_of_it() -> None:
    one, out = concurrent(how=ASK)
    assert (one.value["title"], one.frozen) == ("t0", {"title": "conflict"})
    assert out.frozen["title"].choices == [(1, "left"), (2, "right"), (None, "t0")]
    assert (out.absorbed, out.edited, out.changes) == ({}, {}, {})


def test_other_groups_of_a_frozen_lead_flow_on() -> None:
    one = lead({"title": "t0", "k": "k0"})
    left = edited(1, {"title": "t0", "k": "k0"}, {"title": "left", "k": "k1"}, 50)
    out = merged(one, left, edited(2, {"title": "t0", "k": "k0"}, {"title": "right"}, 60), how=ASK)
    assert (one.value["k"], out.absorbed[1], out.undecided()) == ("k1", {"k"}, {"title"})


def test_a_frozen_group_is_decided_when_the_sides_come_to_agree() -> None:
    one = lead({"title": "t0"}, frozen={"title": "conflict"})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}), edited(2, {"title": "t0"}, {"title": "t1"}), how=ASK)
    assert (one.value["title"], one.frozen, out.frozen) == ("t1", {}, {})


def test_an_unproven_order_is_a_question_where_the_configuration_wants_it() -> None:
    how = Rules({"title": Policy("newest", ask_if_unproven=True)})
    one = lead({"title": "t0"})
    out = merged(
        one,
        edited(1, {"title": "t0"}, {"title": "left"}, 60),
        edited(2, {"title": "t0"}, {"title": "right"}, 55),
        how=how,
    )
    assert out.frozen["title"].why == "conflict"


# --- pending edits and records that went away (F16, F17) ---------------------------------------------------------


def test_an_edit_that_our_write_landed_on_is_merged_and_not_forgotten() -> None:
    one = lead({"title": "ours"}, origin={"title": origin(2, 10)})
    side = seen(1, {"title": "ours"}, pending={"title": "theirs"}, modified=50, prev_modified=40)
    out = merged(one, side, seen(2, {"title": "ours"}))
    assert (one.value["title"], out.absorbed[1]) == ("theirs", {"title"})


def test_a_pending_edit_that_loses_stands_in_the_history() -> None:
    one = lead({"title": "ours"}, origin={"title": origin(2, 90, lo=89)})
    out = merged(one, seen(1, {"title": "ours"}, pending={"title": "theirs"}, modified=50), seen(2, {"title": "ours"}))
    assert (one.value["title"], [each.value for each in out.lost]) == ("ours", ["theirs"])


@pytest.mark.parametrize("state", [State.DELETED, State.ARCHIVED, State.GONE, State.MERGED, State.OUT_OF_SCOPE])
def test_an_edit_of_a_record_that_then_went_away_still_counts(state: State) -> None:
    one = lead({"title": "t0", "consent.email": "in"})
    was: Fields = {"title": "t0", "consent": "in", "confirmed_at": None}
    out = merged(one, edited(1, was, {"title": "t1", "consent": OUT}, 50, state=state), seen(2, {"title": "t0"}))
    assert (one.value["title"], one.value["consent.email"]) == ("t1", OUT)
    assert out.absorbed[1] == {"title", "consent.email"}


# --- what cannot be read -----------------------------------------------------------------------------------------

AGED = mapping_of({"age": "age"})


def test_an_unreadable_value_is_neither_taken_in_nor_lost() -> None:
    there = system(1, AGED)
    one = lead({"age": 41})
    side = edited(1, {"age": "41"}, {"age": "about forty"}, 50, of=there)
    out = merged(one, side)
    assert (one.value["age"], out.absorbed, set(side.unreadable)) == (41, {}, {"age"})


def test_an_unreadable_value_that_was_mended_is_an_edit_like_any_other() -> None:
    there = system(1, AGED)
    one = lead({"age": 41})
    side = edited(1, {"age": "about forty"}, {"age": "42"}, 50, of=there)
    out = merged(one, side)
    assert (one.value["age"], out.absorbed, side.unreadable) == (42, {1: {"age"}}, {})


def test_an_unreadable_pending_edit_clears_nothing() -> None:
    there = system(1, AGED)
    one = lead({"age": 41})
    out = merged(one, seen(1, {"age": "41"}, pending={"age": "about forty"}, of=there))
    assert (one.value["age"], out.changes) == (41, {})
    assert [(each.group, each.value, each.rule) for each in out.lost] == [("age", {"age": "about forty"}, "unreadable")]


def test_a_column_that_the_guard_holds_is_neither_taken_in_nor_forgotten() -> None:
    one = lead({"title": "t0", "a": "a0"})
    side = edited(1, {"title": "t0", "a": "a0"}, {"title": None, "a": "a1"}, 50, held=("title",))
    out = merged(one, side)
    assert (one.value, out.absorbed) == ({"title": "t0", "a": "a1"}, {1: {"a"}})


def test_a_field_that_we_only_write_is_no_source_of_edits() -> None:
    there = system(1, mapping_of({"title": {"remote": "title", "direction": "out"}}))
    one = lead({"title": "t0"})
    out = merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 50, of=there))
    assert one.value["title"] == "t0"
    assert [(each.value, each.rule) for each in out.lost] == [("t1", "not read from this system")]
    assert out.absorbed == {1: {"title"}}


# --- twins and their own addresses (F28) -------------------------------------------------------------------------


def test_a_twins_address_is_its_own_and_its_other_edits_are_the_persons() -> None:
    one = lead({"email": "ann@example.com", "title": "t0"})
    twin = edited(
        2, {"email": "a.b@example.com", "title": "t0"}, {"email": "a.c@example.com", "title": "t1"}, 50, role=TWIN
    )
    out = merged(one, seen(1, {"email": "ann@example.com", "title": "t0"}), twin)
    assert one.value == {"email": "ann@example.com", "title": "t1"}
    assert [(each.group, each.rule) for each in out.lost] == [("email", "its own address")]
    assert out.absorbed[2] == {"email", "title"}


def test_deliverability_ends_with_the_address() -> None:
    one = lead({"email": "ann@example.com", "deliverability": "bounced"})
    out = merged(one, edited(1, {"email": "ann@example.com"}, {"email": "ann.berg@example.com"}, 50))
    assert (one.value["email"], one.value["deliverability"]) == ("ann.berg@example.com", None)
    assert rule_of(out, "deliverability") == "it ended with the address"


def test_a_new_title_leaves_deliverability_alone() -> None:
    one = lead({"title": "t0", "deliverability": "bounced"})
    merged(one, edited(1, {"title": "t0"}, {"title": "t1"}, 50))
    assert one.value["deliverability"] == "bounced"


# --- sets, stages, consent within a merge ------------------------------------------------------------------------


def test_tags_added_on_two_sides_are_both_there_and_one_taken_away_is_gone() -> None:
    one = lead({"tags": ["a", "b"]})
    left = edited(1, {"tags": ["a", "b"]}, {"tags": ["a", "b", "c"]}, 50)
    out = merged(one, left, edited(2, {"tags": ["a", "b"]}, {"tags": ["b", "d"]}, 60))
    assert (one.value["tags"], out.absorbed) == (["b", "c", "d"], {1: {"tags"}, 2: {"tags"}})


def test_tags_a_side_never_got_are_not_removed_by_it() -> None:
    one = lead({"tags": ["a", "b"]})
    merged(one, edited(1, {"tags": ["a"]}, {"tags": ["a", "c"]}, 50))
    assert one.value["tags"] == ["a", "b", "c"]


def test_a_recycled_stage_is_not_raised_by_the_copy_that_could_not_go_back() -> None:
    one = lead({"stage": "sql"}, origin={"~stage": [0, ["lead", "sql"]]})
    merged(one, edited(1, {"stage": "sql"}, {"stage": "lead"}, 50), seen(2, {"stage": "sql"}))
    assert (one.value["stage"], one.origin["~stage"]) == ("lead", [1, ["lead"]])
    out = merged(one, edited(2, {"stage": "sql"}, {"stage": "opportunity"}, 60), seen(1, {"stage": "lead"}))
    assert (one.value["stage"], [each.value for each in out.lost]) == ("lead", ["opportunity"])
    merged(one, edited(2, {"stage": "lead"}, {"stage": "mql"}, 70), seen(1, {"stage": "lead"}))
    assert (one.value["stage"], one.origin["~stage"]) == ("mql", [1, ["lead", "mql"]])


def test_a_no_among_many_yeses_wins_and_is_told_to_the_ledger() -> None:
    one = lead({"consent.email": "in"})
    was: Fields = {"consent": "in", "confirmed_at": None}
    yes = edited(
        1, {"consent": None, "confirmed_at": None}, {"consent": "in", "confirmed_at": "2030-01-01T00:00:00Z"}, 90
    )
    out = merged(one, yes, edited(2, was, {"consent": OUT}, 50))
    assert one.value["consent.email"] == OUT
    assert [(cell, said.record, said.after) for cell, said in out.said] == [
        ("consent.email", 1, "confirmed 2030-01-01T00:00:00Z"), ("consent.email", 2, OUT),
    ]  # fmt: skip
    assert [said.record for _, said, _ in out.doubts] == [1]
    assert out.left_alone == {1: {"consent.email"}}


def test_a_no_without_a_time_is_as_new_as_its_reading() -> None:
    """A sheet says no and tells no time; an old confirmation shown afterwards is no newer word."""
    one = lead({"consent.email": "in"})
    merged(one, edited(1, {"consent": "in", "confirmed_at": None}, {"consent": OUT}))
    assert one.origin["consent.email"][2] == NOW
    old: Fields = {"consent": "in", "confirmed_at": "2020-01-01T00:00:00Z"}
    how = Rules(opt_in_trust=frozenset({2}))
    out = merged(one, edited(2, {"consent": OUT, "confirmed_at": None}, old, 99), how=how)
    assert (one.value["consent.email"], len(out.doubts)) == (OUT, 1)


# --- two automations that fight (F20) ----------------------------------------------------------------------------


def fight(moves: list[tuple[int, Canon]], *, apart: int = 60_000_000) -> tuple[Lead, list[str]]:
    one, words = lead({"a": "Norway"}, origin={"a": origin(1, 1)}), []
    for turn, (who, value) in enumerate(moves):
        now = NOW + turn * apart
        out = merged(one, edited(who, {"a": one.value["a"]}, {"a": value}, now), now=now)
        words += [frozen.why for frozen in out.frozen.values()]
    return one, words


def test_two_automations_that_undo_each_other_are_stopped_and_told() -> None:
    one, words = fight([(1, "NORWAY"), (2, "Norway"), (1, "NORWAY"), (2, "Norway"), (1, "Norge")])
    assert (words, one.frozen) == (["oscillates", "oscillates"], {"a": "oscillates"})
    assert one.value["a"] == "NORWAY"


def test_one_person_who_cannot_make_up_their_mind_is_no_fight() -> None:
    _, words = fight([(1, value) for value in ("NORWAY", "Norway") * 4])
    assert words == []


def test_returns_on_different_days_are_no_fight() -> None:
    moves: list[tuple[int, Canon]] = [(1, "NORWAY"), (2, "Norway")] * 4
    _, words = fight(moves, apart=DAY)
    assert words == []


def test_new_values_each_time_are_no_fight() -> None:
    _, words = fight([(1 + turn % 2, f"v{turn}") for turn in range(12)])
    assert words == []


# --- a mapping that changed (F23) --------------------------------------------------------------------------------


def test_a_change_of_the_mapping_alone_is_no_edit() -> None:
    record = known(1, now={"title": " Chief  ", "phone": "22 12 34 56"})
    for mapping in (mapping_of(), mapping_of({"title": {"remote": "title", "length": 3}, "phone": None})):
        one = lead({"title": "Chief", "phone": "+4722123456"})
        there = system(1, mapping)
        out = merged(one, seen(1, record.now, of=there))
        assert (one.value, out.changes, out.absorbed) == ({"title": "Chief", "phone": "+4722123456"}, {}, {})
