"""What each system should be told, and what it should not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from connectors.base import Fields, State
from mappings.lead import Canon
from sync.consent import OUT
from sync.model import TWIN, Filter, Known, Lane, Lead, Operation, Side, System
from sync.packed import digest
from sync.plan import DAY, Planned, departure, in_scope, opted_out, plan
from sync.rules import Rules
from tests.sync.makers import FIELDS, LONG, can, lead, mapping_of, person_mapping, seen, system
from tests.worlds import START

NOW = START
MAIL = can(consent_on="address")
"""A tool in which an opt-out hangs on the address."""


def planned(
    one: Lead,
    *sides: Side,
    targets: Sequence[System] = (),
    undecided: Collection[str] = (),
    alone: Mapping[int, Collection[str]] | None = None,
    sending: Collection[int] = (),
    how: Rules | None = None,
) -> Planned:
    return plan(one, sides, targets, undecided, alone or {}, sending, how or Rules(), NOW)


def only(out: Planned) -> Operation:
    (operation,) = out.operations
    return operation


# --- updates -----------------------------------------------------------------------------------------------------


def test_an_operation_says_only_what_differs_and_what_it_believes_to_meet() -> None:
    one = lead({"title": "t1", "address": {"street": "Storgata 1", "city": "Oslo"}})
    out = planned(one, seen(1, {"title": "t0", "street": "Storgata 1", "city": "Bergen", "phone": None}))
    operation = only(out)
    assert (operation.kind, operation.record, operation.lane) == ("update", 1, Lane.EDIT)
    assert operation.fields == {"title": "t1", "city": "Oslo"}
    assert operation.before == {"title": "t0", "city": "Bergen"}
    assert operation.groups["title"] == ["t0", "t1"]
    assert operation.wanted == {"title": digest("t1"), "address": digest(one.value["address"])}


@pytest.mark.parametrize(
    ("value", "now"),
    [
        ({"title": "t0"}, {"title": "t0"}),
        ({"title": None}, {"title": ""}),
        ({}, {"title": None}),
        ({"tags": []}, {"tags": None}),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}),
        ({"phone": "+4722123456"}, {"phone": "22 12 34 56"}),
        ({"email": "ann@example.com"}, {"email": "Ann@Example.com"}),
        ({"address": {"street": None, "city": None, "postcode": None}}, {"street": None, "city": None}),
        (
            {"address": {"street": "Storgata 1", "city": "Oslo", "country": "NO"}},
            {"street": "Storgata 1", "city": "Oslo"},
        ),
    ],
)
def test_what_means_the_same_is_not_written(value: dict[str, Any], now: Fields) -> None:
    assert planned(lead(value), seen(1, now)).operations == []


def test_an_emptied_value_is_cleared_over_there() -> None:
    assert only(planned(lead({"title": None}), seen(1, {"title": "t0"}))).fields == {"title": None}


def test_an_emptied_value_is_kept_where_the_mapping_says_so() -> None:
    there = system(1, mapping_of({"title": {"remote": "title", "if_empty": "keep"}}))
    assert planned(lead({"title": None}), seen(1, {"title": "t0"}, of=there)).operations == []


def test_a_wish_that_was_put_already_is_not_put_again_until_it_changes() -> None:
    settled = {"title": [digest("t1"), "refused", 3]}
    assert planned(lead({"title": "t1"}), seen(1, {"title": "t0"}, asked=settled)).operations == []
    assert only(planned(lead({"title": "t2"}), seen(1, {"title": "t0"}, asked=settled))).fields == {"title": "t2"}


def test_a_value_the_other_side_shortens_is_written_once_and_then_rests() -> None:
    short = system(1, mapping_of({"title": {"remote": "title", "length": 9}}))
    assert only(planned(lead({"title": LONG}), seen(1, {"title": "t0"}, of=short))).fields == {"title": "Head of S"}
    assert planned(lead({"title": LONG}), seen(1, {"title": "Head of S"}, of=short)).operations == []


def test_a_value_without_a_word_over_there_is_told_and_the_rest_flows() -> None:
    sizes = {"size": {"remote": "size", "options": {"S": "small"}}}
    there = system(1, mapping_of(sizes))
    out = planned(lead({"size": "huge", "title": "t1"}), seen(1, {"size": "S", "title": "t0"}, of=there))
    assert only(out).fields == {"title": "t1"}
    assert [(record, group) for record, group, _ in out.unwritable] == [(1, "size")]


@pytest.mark.parametrize(
    ("what", "side", "more"),
    [
        ("undecided", seen(1, {"title": "t0"}), {"undecided": {"title"}}),
        ("held by the guard", seen(1, {"title": "t0"}, held=("title",)), {}),
        ("never absorbed", seen(1, {"title": "t0"}, fresh=frozenset({"title"})), {}),
        ("not shown", seen(1, {"a": None}), {}),
        (
            "only read",
            seen(1, {"title": "t0"}, of=system(1, mapping_of({"title": {"remote": "title", "direction": "in"}}))),
            {},
        ),
        ("under way", seen(1, {"title": "t0"}), {"sending": {1}}),
        ("archived", seen(1, {"title": "t0"}, state=State.ARCHIVED), {}),
        ("deleted", seen(1, {"title": "t0"}, state=State.DELETED), {}),
        ("out of scope over there", seen(1, {"title": "t0"}, state=State.OUT_OF_SCOPE), {}),
        ("a system we do not write to", seen(1, {"title": "t0"}, of=system(1, writes="none")), {}),
    ],
)
def test_what_is_not_ours_to_write(what: str, side: Side, more: dict[str, Any]) -> None:
    assert planned(lead({"title": "t1"}), side, **more).operations == []


def test_an_unreadable_value_is_not_written_over() -> None:
    there = system(1, mapping_of({"age": "age"}))
    assert planned(lead({"age": 41}), seen(1, {"age": "about forty"}, of=there)).operations == []


def test_a_person_met_for_the_first_time_waits_behind_edits() -> None:
    assert only(planned(lead({"title": "t1"}, rev=0), seen(1, {"title": "t0"}))).lane is Lane.BACKFILL


def test_a_twin_gets_everything_but_the_address() -> None:
    one = lead({"email": "ann@example.com", "title": "t1"})
    out = planned(
        one,
        seen(1, {"email": "ann@example.com", "title": "t1"}),
        seen(2, {"email": "a.b@example.com", "title": "t0"}, role=TWIN),
    )
    assert (only(out).record, only(out).fields) == (2, {"title": "t1"})


# --- opting out --------------------------------------------------------------------------------------------------

SAYS_IN: Fields = {"consent": "in", "confirmed_at": None}
SAYS_OUT: Fields = {"consent": OUT, "confirmed_at": None}
SAYS_NOTHING: Fields = {"consent": None, "confirmed_at": None}


def test_a_no_goes_out_alone_and_first() -> None:
    one = lead({"consent.email": OUT, "title": "t1"})
    out = planned(one, seen(1, {**SAYS_IN, "title": "t0"}))
    operation = only(out)
    assert (operation.lane, operation.fields) == (Lane.WITHDRAWAL, {"consent": OUT})
    assert only(planned(one, seen(1, {**SAYS_OUT, "title": "t0"}))).fields == {"title": "t1"}


@pytest.mark.parametrize(
    ("side", "goes"),
    [
        (seen(1, SAYS_IN), True),
        (seen(1, SAYS_NOTHING), True),
        (seen(1, SAYS_OUT), False),
        (seen(1, SAYS_IN, role=TWIN), True),
        (seen(1, SAYS_IN, asked={"consent.email": [digest(OUT), "held", 1]}), False),
        (seen(1, SAYS_IN, asked={"consent.email": [digest("in"), "refused", 1]}), True),
        (seen(1, SAYS_IN, held=("consent.email",)), True),
        (seen(1, SAYS_IN, state=State.ARCHIVED), False),
        (seen(1, SAYS_IN, of=system(1, filters=(Filter("stage", "stage", "eq", "customer"),))), True),
        (seen(1, SAYS_IN, of=system(1, writes="update")), True),
        (seen(1, SAYS_IN, of=system(1, writes="none")), False),
    ],
)
def test_a_no_goes_to_every_live_record_that_does_not_say_it(side: Side, goes: bool) -> None:
    assert bool(planned(lead({"consent.email": OUT}), side).operations) is goes


def test_a_no_goes_out_while_the_cell_waits_for_a_person() -> None:
    assert (
        only(planned(lead({"consent.email": OUT}), seen(1, SAYS_IN), undecided={"consent.email"})).lane
        is Lane.WITHDRAWAL
    )


def test_a_record_whose_newer_yes_is_a_question_is_left_alone() -> None:
    out = planned(lead({"consent.email": OUT}), seen(1, SAYS_IN), alone={1: {"consent.email"}})
    assert out.operations == []


@pytest.mark.parametrize("want", ["in", "confirmed 2026-01-01T00:00:00Z", None])
@pytest.mark.parametrize("has", [SAYS_OUT, SAYS_NOTHING, SAYS_IN])
def test_a_yes_goes_nowhere_unless_the_configuration_says_so(want: Canon, has: Fields) -> None:
    assert planned(lead({"consent.email": want}), seen(1, has)).operations == []


@pytest.mark.parametrize(
    ("want", "has", "goes"),
    [
        ("confirmed 2026-01-01T00:00:00Z", SAYS_OUT, True),
        ("confirmed 2026-01-01T00:00:00Z", SAYS_NOTHING, True),
        ("confirmed 2026-01-01T00:00:00Z", SAYS_IN, False),
        ("in", SAYS_OUT, False),
        ("in", SAYS_NOTHING, False),
        (None, SAYS_OUT, False),
    ],
)
def test_only_a_confirmed_yes_is_passed_on_where_the_configuration_says_so(
    want: Canon, has: Fields, goes: bool
) -> None:
    out = planned(lead({"consent.email": want}), seen(1, has), how=Rules(resubscribe="propagate"))
    assert bool(out.operations) is goes


PURPOSES = {name: None for name in FIELDS if name.startswith("consent")}


@pytest.mark.parametrize(
    ("what", "value", "controls", "says_no"),
    [
        ("the very cell", {"consent.email": OUT}, {"consent.email": "c"}, {"consent.email"}),
        (
            "a channel's no covers its purposes",
            {"consent.email": OUT},
            {"consent.email.news": "n"},
            {"consent.email.news"},
        ),
        ("another channel", {"consent.sms": OUT}, {"consent.email": "c"}, set()),
        (
            "a purpose, where only the channel is there: widened",
            {"consent.email.news": OUT},
            {"consent.email": "c"},
            {"consent.email"},
        ),
        (
            "a purpose, with its own control",
            {"consent.email.news": OUT},
            {"consent.email": "c", "consent.email.news": "n"},
            {"consent.email.news"},
        ),
        ("a purpose beside another purpose", {"consent.email.news": OUT}, {"consent.email.offers": "o"}, set()),
        ("not widened", {"consent.email.news": OUT}, {"consent.email": {"remote": "c", "widen": False}}, set()),
        ("a yes says nothing", {"consent.email": "in"}, {"consent.email": "c"}, set()),
    ],
)
def test_a_no_is_written_to_the_controls_that_cover_it(
    what: str, value: dict[str, Any], controls: dict[str, Any], says_no: set[str]
) -> None:
    mapping = person_mapping({**PURPOSES, **controls})
    assert {cell for cell in controls if opted_out(lead(value), cell, mapping)} == says_no
    there = system(1, mapping_of({**PURPOSES, **controls}))
    natives = {said if isinstance(said, str) else said["remote"] for said in controls.values()}
    out = planned(lead(value), seen(1, dict.fromkeys(natives), of=there))
    assert {group for operation in out.operations for group in operation.groups} == says_no


# --- an opted-out person's new address (F7) ----------------------------------------------------------------------

ADDRESS: Fields = {"email": "old@example.com"}
MOVED = {"email": "new@example.com", "consent.email": OUT}


def test_where_consent_hangs_on_the_address_the_new_one_is_opted_out_first() -> None:
    operation = only(planned(lead(MOVED), seen(1, {**ADDRESS, **SAYS_OUT}, of=system(1, capabilities=MAIL))))
    assert (operation.step, operation.address, operation.lane) == ("withdraw", "new@example.com", Lane.EDIT)
    assert (operation.withdraw, operation.fields) == ({"consent": OUT}, {"email": "new@example.com"})
    assert operation.slot == [None, "new@example.com"]


def test_a_system_that_did_not_follow_a_yes_stays_out_under_the_new_address() -> None:
    one = lead({"email": "new@example.com", "consent.email": "confirmed 2026-01-01T00:00:00Z"})
    operation = only(planned(one, seen(1, {**ADDRESS, **SAYS_OUT}, of=system(1, capabilities=MAIL))))
    assert (operation.step, operation.withdraw) == ("withdraw", {"consent": OUT})


def test_where_consent_hangs_on_the_record_the_no_goes_along() -> None:
    there = system(1, capabilities=can(consent_on="record"))
    operation = only(planned(lead(MOVED), seen(1, {**ADDRESS, **SAYS_OUT}, of=there)))
    assert (operation.step, operation.fields) == ("write", {"email": "new@example.com", "consent": OUT})


def test_whoever_is_not_opted_out_gets_the_new_address_in_one_step() -> None:
    operation = only(
        planned(lead({"email": "new@example.com"}), seen(1, {**ADDRESS, **SAYS_IN}, of=system(1, capabilities=MAIL)))
    )
    assert (operation.step, operation.withdraw, operation.lane) == ("write", {}, Lane.EDIT)


# --- creating ----------------------------------------------------------------------------------------------------

ANN = {"email": "ann@example.com", "name": {"first_name": "Ann", "last_name": "Berg"}, "title": "t1"}


def here(**more: Any) -> Side:
    """The only record there is of her, in a system that we do not write to."""
    return seen(1, {"email": "ann@example.com"}, of=system(1, writes="none"), **more)


def stub_of(asked: dict[str, list[Any]], target: System) -> Side:
    record = Known(7, target.id, "person", None, 1, fresh=None, asked=asked)
    return Side(record, target, target.mapping.objects["person"], {}, {}, {}, {})


def test_a_person_is_made_where_they_are_not() -> None:
    operation = only(planned(lead(ANN), here(), targets=[system(1), system(2)]))
    assert (operation.kind, operation.system, operation.record, operation.lane) == ("create", 2, 0, Lane.BACKFILL)
    assert operation.fields == {"email": "ann@example.com", "first": "Ann", "last": "Berg", "title": "t1"}
    assert operation.slot == [None, "ann@example.com"]
    assert set(operation.wanted) == {"email", "name", "title"}


def test_a_create_that_is_planned_already_keeps_its_record() -> None:
    target = system(2)
    assert only(planned(lead(ANN), here(), stub_of({}, target), targets=[target])).record == 7
    assert planned(lead(ANN), here(), stub_of({}, target), targets=[target], sending={7}).operations == []


@pytest.mark.parametrize("state", list(State))
def test_a_record_in_any_state_is_reason_enough_not_to_make_another(state: State) -> None:
    out = planned(lead(ANN), here(), seen(2, {"email": "ann@example.com"}, state=state), targets=[system(2)])
    assert [each.kind for each in out.operations if each.kind == "create"] == []


def test_nobody_is_made_of_a_lead_that_lives_nowhere() -> None:
    assert planned(lead(ANN), here(state=State.DELETED), targets=[system(2)]).operations == []


@pytest.mark.parametrize(
    "target",
    [system(2, writes="update"), system(2, writes="none"), system(2, filters=(Filter("title", "title", "eq", "t9"),))],
    ids=["only updates", "no writes", "out of scope"],
)
def test_where_nobody_is_made(target: System) -> None:
    out = planned(lead(ANN), here(), targets=[target])
    assert (out.operations, out.blocked) == ([], [])


def test_nobody_is_made_without_what_the_system_requires() -> None:
    needs = system(2, mapping_of({"phone": {"remote": "phone", "required": True}}))
    out = planned(lead(ANN), here(), targets=[needs])
    assert (out.operations, out.blocked) == ([], [(2, "missing", "phone")])


def test_a_filler_stands_in_for_what_is_required_and_not_known() -> None:
    needs = system(2, mapping_of({"phone": {"remote": "phone", "required": True, "filler": "[not provided]"}}))
    assert only(planned(lead(ANN), here(), targets=[needs])).fields["phone"] == "[not provided]"


def test_nobody_is_made_of_nothing() -> None:
    assert planned(lead({}), here(), targets=[system(2)]).blocked == [(2, "missing", "any value")]


def test_what_is_undecided_or_has_no_word_over_there_does_not_hold_up_the_rest() -> None:
    sizes = system(2, mapping_of({"size": {"remote": "size", "options": {"S": "small"}}}))
    out = planned(lead({**ANN, "size": "huge"}), here(), targets=[sizes], undecided={"title"})
    assert set(only(out).fields) == {"email", "first", "last"}


@pytest.mark.parametrize("consent", ["in", "confirmed 2026-01-01T00:00:00Z", None])
def test_no_yes_goes_along_with_a_create(consent: Canon) -> None:
    assert "consent" not in only(planned(lead({**ANN, "consent.email": consent}), here(), targets=[system(2)])).fields


@pytest.mark.parametrize(
    ("target", "step", "fields", "withdraw"),
    [
        (system(2, capabilities=MAIL), "withdraw", False, {"consent": OUT}),
        (system(2, capabilities=can(consent_on="record")), "write", True, {}),
    ],
    ids=["hangs on the address", "hangs on the record"],
)
def test_an_opted_out_person_is_made_only_opted_out(target: System, step: str, fields: bool, withdraw: Fields) -> None:
    operation = only(planned(lead({**ANN, "consent.email": OUT}), here(), targets=[target]))
    assert (operation.step, "consent" in operation.fields, operation.withdraw) == (step, fields, withdraw)


@pytest.mark.parametrize(
    "target",
    [
        system(2, mapping_of({"consent.email": None})),
        system(2, mapping_of({"consent.email": {"remote": "consent", "direction": "in"}})),
        system(2, mapping_of({"email": None}), MAIL),
    ],
    ids=["no control", "a control that we do not write", "no address to opt out"],
)
def test_an_opted_out_person_is_not_made_where_the_no_cannot_go(target: System) -> None:
    out = planned(lead({**ANN, "consent.email": OUT}), here(), targets=[target])
    assert (out.operations, out.blocked) == ([], [(2, "opted out", "")])


def test_a_create_that_was_refused_whole_waits_until_its_values_change() -> None:
    target = system(2)
    fields = only(planned(lead(ANN), here(), targets=[target])).fields
    refused = stub_of({"*": [digest([fields, {}]), "refused", 3]}, target)
    assert planned(lead(ANN), here(), refused, targets=[target]).operations == []
    assert only(planned(lead({**ANN, "title": "t2"}), here(), refused, targets=[target])).record == 7


def test_a_create_leaves_out_the_value_that_was_refused() -> None:
    target = system(2)
    refused = stub_of({"title": [digest("t1"), "refused", 3]}, target)
    assert set(only(planned(lead(ANN), here(), refused, targets=[target])).fields) == {"email", "first", "last"}
    assert only(planned(lead({**ANN, "title": "t2"}), here(), refused, targets=[target])).fields["title"] == "t2"


# --- scope -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Filter("title", "title", "eq", "t1"), True),
        (Filter("title", "title", "eq", "t2"), False),
        (Filter("title", "title", "in", ["t1", "t2"]), True),
        (Filter("title", "title", "in", ["t2"]), False),
        (Filter("tags", "tags", "in", ["vip"]), True),
        (Filter("tags", "tags", "in", ["new"]), False),
        (Filter("tags", "tags", "in", "vip"), True),
        (Filter("city", "address", "eq", "Oslo"), True),
        (Filter("street", "address", "present"), False),
        (Filter("street", "address", "present", False), True),
        (Filter("tags", "tags", "present"), True),
        (Filter("a", "a", "present"), False),
        (Filter("since", "since", "older_than", 30), True),
        (Filter("since", "since", "older_than", 400), False),
        (Filter("title", "title", "older_than", "30"), False),
        (Filter("a", "a", "older_than", 30), False),
    ],
)
def test_a_filter_is_a_condition_on_the_leads_values(condition: Filter, holds: bool) -> None:
    value = {"title": "t1", "tags": ["vip", "old"], "address": {"city": "Oslo", "street": None}, "since": "2025-06-01"}
    assert in_scope(lead(value), [condition], NOW) is holds


def test_all_filters_must_hold() -> None:
    yes, no = Filter("title", "title", "present"), Filter("title", "title", "eq", "x")
    assert in_scope(lead({"title": "t1"}), [yes, yes], NOW)
    assert not in_scope(lead({"title": "t1"}), [yes, no], NOW)


def test_a_record_out_of_scope_rests() -> None:
    there = system(1, filters=(Filter("title", "title", "eq", "t0"),))
    out = planned(lead({"title": "t1"}), seen(1, {"title": "t0"}, of=there))
    assert (out.operations, out.resting) == ([], {1})


# --- deletions (F29) ---------------------------------------------------------------------------------------------

GRACE = DAY


def gone(*, state: State = State.DELETED, ago: int = 2 * DAY, read: int = 0, at: int | None = None) -> Side:
    """A record that went away two days ago, and that was looked at again just now."""
    modified = None if at is None else NOW - at
    return seen(1, {"title": "t0"}, state=state, state_at=NOW - ago, read_at=NOW - read, modified=modified)


ARCHIVES = system(2, deletions="archive")


def stays(**more: Any) -> Side:
    return seen(2, {"title": "t0"}, of=ARCHIVES, **more)


def archived(*sides: Side, one: Lead | None = None) -> list[int]:
    return [each.known.id for each in departure(one or lead(), sides, GRACE, NOW).archive]


def test_a_deletion_that_stands_after_its_grace_archives_where_the_configuration_wants_it() -> None:
    assert archived(gone(), stays(), seen(3, {})) == [2]


@pytest.mark.parametrize(
    "left",
    [
        gone(ago=DAY // 2),
        gone(ago=2 * DAY, read=int(1.5 * DAY)),
        gone(state=State.GONE),
        gone(state=State.ARCHIVED),
        gone(state=State.MERGED),
        gone(state=State.OUT_OF_SCOPE),
    ],
    ids=["still in its grace", "not looked at since its grace", "gone", "archived", "merged", "out of scope"],
)
def test_what_does_not_count_as_deleted(left: Side) -> None:
    assert archived(left, stays()) == []


def edited_at(ago: int) -> Lead:
    return lead({"title": "t0"}, origin={"title": [2, 0, NOW - ago, "newest", 1, True, 0], "~stage": [0, []]})


@pytest.mark.parametrize(
    ("what", "left", "one", "edited"),
    [
        ("edited after the deletion", gone(), edited_at(DAY), [2]),
        ("edited after it, though before we noticed", gone(ago=2 * DAY, at=3 * DAY), edited_at(int(2.5 * DAY)), [2]),
        ("edited before it", gone(), edited_at(3 * DAY), []),
        ("the other record said nothing", gone(), lead({"title": "t0"}), []),
    ],
)
def test_what_was_edited_elsewhere_since_is_a_persons_decision(
    what: str, left: Side, one: Lead, edited: list[int]
) -> None:
    out = departure(one, [left, stays()], GRACE, NOW)
    assert [each.known.id for each in out.edited] == edited
    assert bool(out.archive) is not bool(edited)


def test_an_edit_that_is_not_taken_in_yet_is_a_persons_decision_too() -> None:
    assert archived(gone(), seen(2, {"title": "t1"}, base={"title": "t0"}, of=ARCHIVES)) == []


def test_nobody_is_asked_where_nothing_would_follow() -> None:
    assert departure(edited_at(DAY), [gone(), seen(2, {})], GRACE, NOW).edited == ()


def test_a_duplicate_that_was_deleted_says_nothing_of_the_person() -> None:
    """Somebody tidies up: one of two records of her is deleted, the other lives on."""
    assert archived(gone(), seen(4, {}, of=system(1)), stays()) == []


def test_what_is_archived_already_is_not_archived_again() -> None:
    assert archived(gone(), stays(state=State.ARCHIVED)) == []
