"""What a reading means: an edit by somebody, the echo of our own write, or nothing any more."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Fields, Record, Ref, State, Value, Writer
from mappings.mapping import ObjectMapping
from sync.model import ALL, Known
from sync.observe import Seen, first_sight, observe
from tests.sync.makers import flight, known, person_mapping, reading

PERSON = person_mapping()
CUTS = frozenset({"cut"})
NOW = 1_000_000


def take(
    record: Known,
    row: Record,
    flying: dict[str, Any] | None = None,
    coercions: frozenset[str] = frozenset(),
    mapping: ObjectMapping = PERSON,
) -> tuple[Seen, dict[str, Value]]:
    """Observe, and answer what it was and which fields somebody else changed to what."""
    told: dict[str, Value] = {}
    seen = observe(record, row, flying, mapping, lambda name: coercions, NOW, told.__setitem__)
    return seen, told


# --- edits -------------------------------------------------------------------------------------------------------


def test_a_value_that_nobody_of_us_wrote_is_an_edit_and_the_former_value_is_its_base() -> None:
    record = known(1, now={"title": "t0", "a": "a0"})
    seen, told = take(record, reading({"title": "t1", "a": "a0"}))
    assert seen is Seen.CHANGED
    assert (record.now, record.base, record.obs) == ({"title": "t1", "a": "a0"}, {"title": "t0"}, 1)
    assert told == {"title": "t1"}


def test_edits_of_several_fields_in_one_reading_are_one_observation() -> None:
    record = known(1, now={"title": "t0", "a": "a0"})
    take(record, reading({"title": "t1", "a": "a1"}))
    assert (record.base, record.obs) == ({"title": "t0", "a": "a0"}, 1)


def test_base_is_the_value_before_the_first_of_several_edits() -> None:
    record = known(1, now={"title": "t0"})
    take(record, reading({"title": "t1"}, seq=1))
    take(record, reading({"title": "t2"}, seq=2))
    assert (record.now, record.base, record.obs) == ({"title": "t2"}, {"title": "t0"}, 2)


def test_an_edit_that_goes_back_to_what_the_lead_has_absorbed_is_none() -> None:
    record = known(1, now={"title": "t0"})
    take(record, reading({"title": "t1"}, seq=1))
    seen, _ = take(record, reading({"title": "t0"}, seq=2))
    assert (seen, record.now, record.base) == (Seen.CHANGED, {"title": "t0"}, {})


def test_the_same_reading_twice_changes_nothing_the_second_time() -> None:
    record = known(1, now={"title": "t0"})
    take(record, reading({"title": "t1"}, seq=1, modified=50))
    seen, told = take(record, reading({"title": "t1"}, seq=2, modified=50))
    assert (seen, told, record.obs, record.base) == (Seen.SAME, {}, 1, {"title": "t0"})


def test_a_field_that_was_not_asked_for_or_is_not_mapped_says_nothing() -> None:
    record = known(1, now={"title": "t0", "a": "a0"})
    seen, _ = take(record, reading({"a": "a0", "unmapped": "x"}))
    assert (seen, record.now) == (Seen.SAME, {"title": "t0", "a": "a0"})


def test_emptying_a_field_is_an_edit() -> None:
    record = known(1, now={"title": "t0"})
    take(record, reading({"title": None}))
    assert (record.now, record.base) == ({"title": None}, {"title": "t0"})


# --- echoes (F3) -------------------------------------------------------------------------------------------------


def test_our_write_shown_before_its_answer_is_no_edit() -> None:
    record = known(1, now={"title": "t0"})
    seen, told = take(record, reading({"title": "t1"}), flight({"title": "t1"}, wanted={"title": "h"}))
    assert (seen, told, record.now, record.base, record.asked, record.obs) == (
        Seen.CHANGED, {}, {"title": "t1"}, {}, {}, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "shown", "kinds"),
    [
        ("Head of Sales", "Head of", {"cut"}),
        ("Head of Sales", "HEAD OF SALES", {"case"}),
        ("Head  of Sales", "Head of Sales", {"blanks"}),
        ("+47 22 12 34 56", "4722123456", {"digits"}),
        ("2026-03-04T05:06:07Z", "2026-03-04", {"day"}),
        ("Head of Sales", None, {"cleared"}),
        (["b", "a"], ["a", "b"], {"order"}),
    ],
)
def test_a_declared_coercion_of_our_write_is_ours_and_remembered_as_lossy(
    sent: Value, shown: Value, kinds: set[str]
) -> None:
    record = known(1, now={"title": "t0"})
    flying = flight({"title": sent}, wanted={"title": "h"}, run=7)
    _, told = take(record, reading({"title": shown}), flying, frozenset(kinds))
    assert (told, record.now, record.base, record.asked) == ({}, {"title": shown}, {}, {"title": ["h", "lossy", 7]})


@pytest.mark.parametrize(
    ("sent", "shown"), [("Head of Sales", "Head of"), ("Oslo", "OSLO"), ("abc", None), ("Head", "Head of Sales")]
)
def test_what_no_declared_coercion_explains_is_an_edit_though_it_looks_alike(sent: Value, shown: Value) -> None:
    record = known(1, now={"title": "t0"})
    _, told = take(record, reading({"title": shown}), flight({"title": sent}, wanted={"title": "h"}))
    assert (told, record.base, record.asked) == ({"title": shown}, {"title": "t0"}, {})


def test_only_the_fields_in_flight_are_explained_by_it() -> None:
    record = known(1, now={"title": "t0", "a": "a0"})
    _, told = take(record, reading({"title": "t1", "a": "t1"}), flight({"title": "t1"}))
    assert (told, record.base) == ({"a": "t1"}, {"a": "a0"})


def unconfirmed(fields: Fields, was: Fields, *, answered: int | None = 100, seq: int = 5, **more: Any) -> Known:
    """A record whose last write was answered without values."""
    sent = {"fields": fields, "wanted": {"title": "h"}, "run": 3, "seq": seq}
    return known(1, now={**was, **fields, **more.pop("now", {})}, sent=sent, was=was, answered=answered, **more)


def test_an_unconfirmed_write_explains_a_later_reading_by_its_value() -> None:
    record = unconfirmed({"title": "Head of Sales"}, {"title": "t0"}, modified=90)
    _, told = take(record, reading({"title": "Head of"}, modified=99), coercions=CUTS)
    assert (told, record.now, record.asked) == ({}, {"title": "Head of"}, {"title": ["h", "lossy", 3]})
    assert record.sent, "the vendor's clock is not past our answer yet"


def test_a_person_who_edits_another_field_right_after_us_does_not_make_our_coercion_an_edit() -> None:
    record = unconfirmed({"title": "Head of Sales"}, {"title": "t0"}, now={"a": "a0"}, modified=90)
    _, told = take(record, reading({"title": "Head of", "a": "a1"}, modified=300), coercions=CUTS)
    assert (told, record.base) == ({"a": "a1"}, {"a": "a0"})


def test_an_edit_stamped_within_our_write_is_an_edit_all_the_same() -> None:
    record = unconfirmed({"title": "Head of Sales"}, {"title": "t0"}, modified=90)
    _, told = take(record, reading({"title": "Chief"}, modified=99), coercions=CUTS)
    assert (told, record.base) == ({"title": "Chief"}, {"title": "Head of Sales"})


def test_a_snapshot_from_before_our_write_is_ignored_until_the_clock_is_past_our_answer() -> None:
    record = unconfirmed({"title": "t1"}, {"title": "t0"}, modified=90)
    seen, told = take(record, reading({"title": "t0"}, modified=95))
    assert (seen, told, record.now) == (Seen.SAME, {}, {"title": "t1"})


def test_the_old_value_after_the_clock_passed_our_answer_is_somebody_who_put_it_back() -> None:
    record = unconfirmed({"title": "t1"}, {"title": "t0"}, modified=90)
    _, told = take(record, reading({"title": "t0"}, modified=200))
    assert (told, record.now, record.base) == ({"title": "t0"}, {"title": "t0"}, {"title": "t1"})


def test_what_we_sent_is_forgotten_once_the_clock_is_past_our_answer() -> None:
    record = unconfirmed({"title": "t1"}, {"title": "t0"}, modified=90)
    take(record, reading({"title": "t1"}, modified=200))
    assert (record.sent, record.was, record.answered) == ({}, {}, None)


def test_without_times_the_first_request_after_our_answer_settles_what_we_sent() -> None:
    record = unconfirmed({"title": "t1"}, {"title": "t0"}, seq=5, read_seq=5)
    _, told = take(record, reading({"title": "t0"}, seq=6))
    assert (told, record.sent) == ({"title": "t0"}, {})


# --- an edit and our write meet (F16) ----------------------------------------------------------------------------


def test_an_edit_seen_while_our_write_flies_becomes_pending_when_our_echo_shows_on_top_of_it() -> None:
    record = known(1, now={"title": "t0"})
    flying = flight({"title": "ours"})
    take(record, reading({"title": "theirs"}, seq=1), flying)
    assert (record.now, record.base) == ({"title": "theirs"}, {"title": "t0"})
    take(record, reading({"title": "ours"}, seq=2), flying)
    assert (record.now, record.base, record.pending) == ({"title": "ours"}, {}, {"title": "theirs"})


def test_our_coerced_echo_is_no_pending_edit() -> None:
    record = known(1, now={"title": "Head of"}, base={"title": "t0"})
    flying = flight({"title": "Head of Sales"}, wanted={"title": "h"})
    take(record, reading({"title": "Head of Sales"}), flying, CUTS)
    assert (record.pending, record.base) == ({}, {})


# --- order of readings (F15) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "theirs", "ours", "late"),
    [
        ("older time", (40, 99), (50, 10), True),
        ("newer time, asked earlier", (60, 1), (50, 10), False),
        ("same time, asked earlier", (50, 9), (50, 10), True),
        ("same time, asked later", (50, 11), (50, 10), False),
        ("no time there, asked earlier", (None, 9), (50, 10), True),
        ("no time there, asked later", (None, 11), (50, 10), False),
        ("no time here, asked earlier", (40, 9), (None, 10), True),
    ],
)
def test_a_reading_replaces_what_we_know_only_if_it_is_not_older(
    what: str, theirs: tuple[int | None, int], ours: tuple[int | None, int], late: bool
) -> None:
    record = known(1, now={"title": "t0"}, modified=ours[0], read_seq=ours[1])
    seen, _ = take(record, reading({"title": "t1"}, modified=theirs[0], seq=theirs[1]))
    assert (seen is Seen.LATE, record.now["title"]) == (late, "t0" if late else "t1")


def test_a_late_reading_leaves_every_trace_alone() -> None:
    record = known(1, now={"title": "t1"}, modified=50, read_seq=10, read_at=7, version="v5")
    seen, told = take(record, reading({"title": "t0"}, modified=40, version="v4", seq=99))
    assert (seen, told) == (Seen.LATE, {})
    assert (record.read_seq, record.read_at, record.version, record.modified) == (10, 7, "v5", 50)


def test_times_say_between_which_two_readings_a_value_was_written_and_by_whom() -> None:
    record = known(1, now={"title": "t0"}, modified=50, times={"title": 45})
    take(record, reading({"title": "t1"}, modified=80, version="v2", writer=Writer.WORKFLOW))
    assert (record.prev_modified, record.modified, record.version, record.writer) == (50, 80, "v2", Writer.WORKFLOW)
    assert record.times == {}, "times fetched for an earlier state say nothing of this one"


# --- states (F11, F17, F29) --------------------------------------------------------------------------------------


def test_a_record_that_goes_away_keeps_its_edits_for_the_next_merge() -> None:
    record = known(1, now={"consent": "in"})
    take(record, reading({"consent": "out"}, seq=1))
    seen, _ = take(record, reading({}, state=State.DELETED, seq=2))
    assert seen is Seen.CHANGED
    assert (record.state, record.state_at, record.base) == (State.DELETED, NOW, {"consent": "in"})


def test_a_change_of_state_voids_what_was_planned_for_it() -> None:
    record = known(1, now={})
    take(record, reading({}, state=State.ARCHIVED))
    assert record.obs == 1


def test_the_loser_of_a_merge_stays_merged_when_it_is_then_not_found() -> None:
    record = known(1, now={})
    take(record, reading({}, state=State.MERGED, merged_into=Ref("person", "x9"), seq=1))
    for state in (State.GONE, State.DELETED):
        seen, _ = take(record, reading({}, state=state, seq=2))
        assert (seen, record.state, record.into) == (Seen.SAME, State.MERGED, "person:x9")


def test_a_chain_of_merges_points_to_the_last_survivor() -> None:
    record = known(1, now={})
    take(record, reading({}, state=State.MERGED, merged_into=Ref("person", "x2"), seq=1))
    take(record, reading({}, state=State.MERGED, merged_into=Ref("person", "x3"), seq=2))
    assert record.into == "person:x3"


def test_a_record_that_comes_back_is_live_again_and_lives_in_nobody() -> None:
    record = known(1, now={"a": "a0"}, state=State.MERGED, into="person:x2")
    take(record, reading({"a": "a0"}))
    assert (record.state, record.into) == (State.LIVE, None)


def test_something_new_ends_the_waiting_for_a_place() -> None:
    record = known(1, now={"email": "a@example.com"}, waits=1, lead=None)
    take(record, reading({"email": "b@example.com"}, seq=1))
    assert record.waits == 0
    record.waits = 1
    take(record, reading({"email": "b@example.com"}, seq=2))
    assert record.waits == 1, "nothing new: it goes on waiting"


# --- newly visible (F23) -----------------------------------------------------------------------------------------


def test_a_field_that_was_never_shown_before_is_a_first_contact_of_its_group_and_no_edit() -> None:
    record = known(1, now={"title": "t0"})
    seen, told = take(record, reading({"title": "t0", "phone": "+4722123456"}))
    assert (seen, told, record.base, record.obs) == (Seen.CHANGED, {}, {}, 0)
    assert (record.fresh, record.now["phone"]) == (frozenset({"phone"}), "+4722123456")


def test_a_record_of_which_nothing_was_absorbed_stays_all_fresh() -> None:
    record = known(1, now={"title": "t0"}, fresh=ALL)
    take(record, reading({"title": "t0", "a": "a0"}))
    assert record.fresh is ALL


def test_a_field_that_becomes_visible_while_another_is_fresh_makes_both_fresh() -> None:
    record = known(1, now={"title": "t0"}, fresh=frozenset({"phone"}))
    take(record, reading({"street": "Storgata 1"}))
    assert record.fresh == frozenset({"phone", "address"})


# --- lists shown in part (F34) -----------------------------------------------------------------------------------


def part(*items: str, partial: bool = True) -> Value:
    return {"items": list(items), "partial": partial}


def test_a_list_shown_in_part_adds_and_never_takes_away() -> None:
    record = known(1, now={"tags": ["a", "b", "c"]})
    seen, _ = take(record, reading({"tags": part("a", "b")}, seq=1))
    assert (seen, record.now) == (Seen.SAME, {"tags": ["a", "b", "c"]})
    take(record, reading({"tags": part("b", "d")}, seq=2))
    assert (record.now, record.base) == ({"tags": ["a", "b", "c", "d"]}, {"tags": ["a", "b", "c"]})


def test_a_list_shown_whole_can_lose_items() -> None:
    record = known(1, now={"tags": ["a", "b"]})
    take(record, reading({"tags": part("b", partial=False)}))
    assert (record.now, record.base) == ({"tags": ["b"]}, {"tags": ["a", "b"]})


# --- first sight -------------------------------------------------------------------------------------------------


def test_a_record_seen_for_the_first_time_keeps_mapped_fields_only_and_has_absorbed_nothing() -> None:
    record = known(1)
    row = reading(
        {"title": "t0", "tags": part("b", "a"), "unmapped": 1},
        modified=50, version="v1", writer=Writer.PERSON, seq=8, merged_into=Ref("person", "x9"),
    )  # fmt: skip
    first_sight(record, row, PERSON, NOW)
    assert (record.now, record.fresh, record.into) == ({"title": "t0", "tags": ["a", "b"]}, ALL, "person:x9")
    assert (record.modified, record.version, record.writer, record.read_seq, record.read_at, record.state_at) == (
        50, "v1", Writer.PERSON, 8, NOW, NOW,
    )  # fmt: skip
