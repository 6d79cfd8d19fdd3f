"""Two sides that meet for the first time: what is empty is filled, the fuller of two wins, and time plays no part (F14)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from connectors.base import Fields, State
from mappings.lead import Canon
from sync.consent import OUT
from sync.group import ABSENT, Merged, fuller
from sync.merge import merge
from sync.model import ALL, TWIN, Lead, Side
from sync.rules import Policy, Rules
from tests.sync.makers import LONG, lead, mapping_of, origin, seen, system

NOW = 1_800_000_000_000_000
TRUSTING = Rules(trust=(2, 1), order={1: 0, 2: 1, 3: 2})


def met(number: int, now: Fields, at: int = 0, **more: Any) -> Side:
    """A side of which nothing was absorbed yet."""
    return seen(number, now, **{"fresh": ALL, "modified": at or None, **more})


def merged(one: Lead, *sides: Side, how: Rules | None = None) -> Merged:
    return merge(one, sides, how or Rules(order={1: 0, 2: 1, 3: 2}), NOW, 9)


# --- the fuller of two -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "joined"),
    [
        ("Head of Sales", "Head of", "Head of Sales"),
        ("Head of", "Head of Sales", "Head of Sales"),
        ("ACME", "Acme", "ACME"),
        ("Acme  Ltd", "Acme Ltd", "Acme  Ltd"),
        ("+4722123456", "+47 22 12 34 56", "+4722123456"),
        ("a", None, "a"),
        (None, "a", "a"),
        (["a"], [], ["a"]),
        ("Oslo", "Bergen", ABSENT),
        (12, 13, ABSENT),
        ({"street": "Storgata 1", "city": None}, {"street": None, "city": "Oslo"}, {"street": "Storgata 1", "city": "Oslo"}),
        ({"street": "Storgata 1", "city": "Oslo"}, {"street": "Storgata 1"}, {"street": "Storgata 1", "city": "Oslo"}),
        ({"street": "Storgata 1", "city": "Oslo"}, {"street": "Torget 2", "city": None}, ABSENT),
    ],
)  # fmt: skip
def test_of_two_values_that_do_not_contradict_each_other_the_fuller_one(a: Canon, b: Canon, joined: object) -> None:
    assert fuller(a, b) == joined


# --- filling -----------------------------------------------------------------------------------------------------


def test_a_lead_without_a_value_gets_the_one_there_is() -> None:
    one = lead()
    out = merged(one, met(1, {"title": None}), met(2, {"title": "t2"}))
    assert (one.value["title"], out.changes["title"].rule, out.lost) == ("t2", "first contact", [])
    assert one.origin["title"][0] == 2


def test_what_was_heard_is_absorbed_though_it_said_nothing() -> None:
    out = merged(lead(), met(1, {"title": None}), met(2, {"title": "t2"}))
    assert out.absorbed == {1: {"title"}, 2: {"title"}}


def test_an_empty_value_empties_nothing() -> None:
    one = lead({"title": "t0"})
    out = merged(one, met(1, {"title": None}, 999))
    assert (one.value["title"], out.changes) == ("t0", {})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_fuller_value_wins_and_the_other_is_no_loser(order: tuple[int, int]) -> None:
    sides = [met(1, {"title": "Head of Sales"}), met(2, {"title": "Head of"})]
    one = lead()
    out = merged(one, *(sides[i] for i in order))
    assert (one.value["title"], out.lost, out.frozen) == ("Head of Sales", [], {})


def test_a_value_of_the_lead_yields_to_a_fuller_one() -> None:
    one = lead({"title": "Head of"})
    out = merged(one, met(1, {"title": "Head of Sales"}))
    assert (one.value["title"], out.changes["title"].before) == ("Head of Sales", "Head of")


def test_a_side_that_shows_the_leads_value_cut_agrees() -> None:
    short = system(1, mapping_of({"title": {"remote": "title", "length": 9}}))
    one = lead({"title": LONG})
    out = merged(one, met(1, {"title": LONG[:9].strip()}, of=short))
    assert (one.value["title"], out.changes, out.lost, out.frozen) == (LONG, {}, [], {})


# --- disagreeing -------------------------------------------------------------------------------------------------


def test_a_disagreement_without_trust_is_a_question_for_that_group_alone() -> None:
    one = lead()
    out = merged(one, met(1, {"title": "t1", "a": "a0"}), met(2, {"title": "t2", "a": "a0"}))
    assert (one.value, one.frozen) == ({"a": "a0"}, {"title": "first contact"})
    assert out.frozen["title"].choices == [(1, "t1"), (2, "t2")]
    assert out.absorbed == {1: {"a"}, 2: {"a"}}


def test_a_disagreement_with_the_lead_offers_its_value_as_well() -> None:
    one = lead({"title": "t0"})
    out = merged(one, met(1, {"title": "t1"}))
    assert (out.frozen["title"].choices, one.value["title"]) == ([(None, "t0"), (1, "t1")], "t0")


@pytest.mark.parametrize("at", [(10, 99), (99, 10)])
def test_the_more_trusted_system_wins_whenever_it_was_changed(at: tuple[int, int]) -> None:
    one = lead()
    out = merged(one, met(1, {"title": "t1"}, at[0]), met(2, {"title": "t2"}, at[1]), how=TRUSTING)
    assert (one.value["title"], out.changes["title"].rule) == ("t2", "first contact: trust")
    assert [(each.record, each.value) for each in out.lost] == [(1, "t1")]


def test_a_trusted_newcomer_replaces_what_a_less_trusted_system_told_before() -> None:
    one = lead({"title": "t1"}, origin={"title": origin(1, 50)})
    merged(one, seen(1, {"title": "t1"}), met(2, {"title": "t2"}), how=TRUSTING)
    assert one.value["title"] == "t2"


def test_a_newcomer_does_not_replace_what_a_more_trusted_system_told_before() -> None:
    one = lead({"title": "t2"}, origin={"title": origin(2, 50)})
    out = merged(one, seen(2, {"title": "t2"}), met(1, {"title": "t1"}), how=TRUSTING)
    assert (one.value["title"], [each.value for each in out.lost]) == ("t2", ["t1"])


@pytest.mark.parametrize(("policy", "value"), [(Policy("owner", (1,)), "t1"), (Policy("trust", (1, 2)), "t1")])
def test_the_groups_own_rule_comes_before_general_trust(policy: Policy, value: str) -> None:
    one = lead()
    merged(one, met(1, {"title": "t1"}), met(2, {"title": "t2"}), how=Rules({"title": policy}, trust=(2, 1)))
    assert one.value["title"] == value


def test_ask_asks_at_first_contact_too() -> None:
    one = lead()
    out = merged(
        one, met(1, {"title": "t1"}), met(2, {"title": "t2"}), how=Rules({"title": Policy("ask")}, trust=(2, 1))
    )
    assert set(out.frozen) == {"title"}


def test_three_who_disagree_are_decided_by_the_most_trusted_of_them() -> None:
    for order in itertools.permutations((met(1, {"title": "t1"}), met(2, {"title": "t2"}), met(3, {"title": "t3"}))):
        one = lead()
        out = merged(one, *order, how=TRUSTING)
        assert (one.value["title"], sorted(each.record for each in out.lost)) == ("t2", [1, 3])


def test_an_edit_goes_before_a_first_contact_in_the_same_merge() -> None:
    """The edit is a change somebody made; the newcomer is weighed against what came of it."""
    one = lead({"title": "t0"}, origin={"title": origin(2, 10)})
    editor = seen(2, {"title": "t1"}, base={"title": "t0"}, modified=50)
    out = merged(one, editor, met(1, {"title": "other"}), how=TRUSTING)
    assert one.value["title"] == "t1"
    assert [(each.record, each.value) for each in out.lost] == [(1, "other")]
    assert out.absorbed == {1: {"title"}, 2: {"title"}}


# --- groups that become visible one by one (F23) -----------------------------------------------------------------


def test_only_the_groups_that_are_fresh_meet_for_the_first_time() -> None:
    one = lead({"title": "t0", "phone": None})
    out = merged(one, met(1, {"title": "t9", "phone": "+4722123456"}, fresh=frozenset({"phone"})))
    assert (one.value, out.frozen) == ({"title": "t0", "phone": "+4722123456"}, {})


# --- who is not heard --------------------------------------------------------------------------------------------


def test_a_record_that_went_away_before_it_was_weighed_decides_nothing_and_is_not_forgotten() -> None:
    one = lead({"title": "t0", "a": "a0"})
    out = merged(one, met(1, {"title": "t1", "a": "a0"}, state=State.DELETED), how=TRUSTING)
    assert (one.value, [(each.value, each.rule) for each in out.lost]) == (
        {"title": "t0", "a": "a0"}, [("t1", "no longer there")],
    )  # fmt: skip


def test_its_opt_out_counts_all_the_same() -> None:
    one = lead({"consent.email": "in"})
    merged(one, met(1, {"consent": OUT, "confirmed_at": None}, state=State.DELETED))
    assert one.value["consent.email"] == OUT


def test_its_opt_in_does_not() -> None:
    one = lead()
    merged(one, met(1, {"consent": "in", "confirmed_at": None}, state=State.DELETED))
    assert one.value.get("consent.email") is None


def test_a_twins_address_does_not_become_the_persons() -> None:
    one = lead({"email": "ann@example.com"})
    out = merged(one, seen(1, {"email": "ann@example.com"}), met(2, {"email": "a.b@example.com"}, role=TWIN))
    assert (one.value["email"], out.frozen, out.absorbed[2]) == ("ann@example.com", {}, {"email"})


def test_a_field_that_we_only_write_is_not_asked_for_its_value() -> None:
    there = system(1, mapping_of({"title": {"remote": "title", "direction": "out"}}))
    one = lead()
    out = merged(one, met(1, {"title": "t1"}, of=there))
    assert (one.value.get("title"), out.absorbed) == (None, {1: {"title"}})


def test_a_column_that_the_guard_holds_is_not_met_yet() -> None:
    one = lead()
    out = merged(one, met(1, {"title": "t1", "a": "a1"}, held=("title",)))
    assert (one.value, out.absorbed) == ({"a": "a1"}, {1: {"a"}})


# --- sets, stages, consent ---------------------------------------------------------------------------------------


def test_sets_are_united_at_first_contact() -> None:
    one = lead()
    merged(one, met(1, {"tags": ["b", "a"]}), met(2, {"tags": ["c"]}), met(3, {"tags": None}))
    assert one.value["tags"] == ["a", "b", "c"]


def test_stages_go_furthest_at_first_contact() -> None:
    one = lead()
    merged(one, met(1, {"stage": "lead"}), met(2, {"stage": "customer"}), met(3, {"stage": None}))
    assert one.value["stage"] == "customer"


def test_an_opt_out_at_first_contact_counts_and_a_later_confirmation_is_a_question() -> None:
    one = lead()
    later: Fields = {"consent": "in", "confirmed_at": "2030-01-01T00:00:00Z"}
    out = merged(one, met(1, {"consent": OUT, "confirmed_at": None}, 50), met(2, later, 60))
    assert (one.value["consent.email"], [said.record for _, said, _ in out.doubts]) == (OUT, [2])
    assert out.left_alone == {2: {"consent.email"}}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_sides_plays_no_part(order: tuple[int, ...]) -> None:
    sides = [
        met(1, {"title": "Head of", "a": "x", "tags": ["a"], "stage": "lead"}),
        met(2, {"title": "Head of Sales", "a": "y", "tags": ["b"], "stage": "sql"}),
        met(3, {"title": "Chief", "a": None, "tags": [], "stage": None}),
    ]
    one = lead()
    out = merged(one, *(sides[i] for i in order), how=TRUSTING)
    assert one.value == {"title": "Head of Sales", "a": "y", "tags": ["a", "b"], "stage": "sql"}
    assert sorted((each.group, each.record) for each in out.lost) == [("a", 1), ("stage", 1), ("title", 3)]
