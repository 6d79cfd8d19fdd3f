"""What a single record shows against its lead, and the cause where the two differ: the judgement without any reading."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Fields, State
from sync.compare import Apart, Cause, Standing, UnderWay, compare, of_nobody
from sync.model import MADE, WAITS_FOR_PERSON, Known, OutState
from sync.packed import digest
from tests.sync.makers import can, known, lead, mapping_of, reading, system

NOW = 1_767_225_600_000_000
TOLD = {"title": "t0"}


def apart(
    shows: Fields, knew: Fields | None = None, said: dict[str, Any] | None = None, *, row: Any = None, **more: Any
) -> Apart:
    """The one difference of a record that shows this, was known so, and whose lead says that."""
    standing = {
        name: more.pop(name) for name in ("operation", "moved", "dirty", "renewed", "held", "lacks") if name in more
    }
    there = more.pop("of", system(1))
    at = Standing(there, known(1, there, shows if knew is None else knew, **more), lead(said or TOLD), **standing)
    (found,) = compare(reading(shows, **(row or {})), at, NOW).apart
    return found


# --- something new over there ----------------------------------------------------------------------------------------

SPOILT: Fields = {"title": "spoilt"}
KNEW: Fields = {"title": "t0"}


@pytest.mark.parametrize(
    ("row", "more", "cause"),
    [
        ({"modified": 10}, {"modified": 10}, Cause.UNEXPLAINED),
        ({"modified": 11}, {"modified": 10}, Cause.UNREAD),
        ({"modified": 9}, {"modified": 10}, Cause.IN_FLIGHT),  # a feed that lags, or a restored system
        ({"modified": 10, "version": "2"}, {"modified": 10, "version": "1"}, Cause.UNREAD),
        ({"modified": 10, "version": "1"}, {"modified": 10, "version": "1"}, Cause.UNEXPLAINED),
        ({"version": "2"}, {"version": "1"}, Cause.UNREAD),
        ({"version": "1"}, {"version": "1"}, Cause.UNEXPLAINED),
        ({}, {}, Cause.UNREAD),  # no time and no version: nobody can tell
        ({"modified": 10}, {}, Cause.UNREAD),  # made by us, not read since
        ({"modified": 10}, {"modified": 10, "moved": True}, Cause.IN_FLIGHT),
    ],
)
def test_a_value_we_did_not_know_is_explained_only_by_a_time_that_moved(
    row: dict[str, Any], more: dict[str, Any], cause: Cause
) -> None:
    assert apart(SPOILT, KNEW, row=row, **more).cause is cause


@pytest.mark.parametrize(
    ("state", "groups", "cause"),
    [
        (OutState.SENDING, {"title"}, Cause.IN_FLIGHT),
        (OutState.SENDING, {"name"}, Cause.UNEXPLAINED),
        (OutState.QUEUED, {"title"}, Cause.UNEXPLAINED),
    ],
)
def test_only_what_is_being_sent_may_have_landed(state: OutState, groups: set[str], cause: Cause) -> None:
    operation = UnderWay(state, frozenset(groups))
    found = apart(SPOILT, KNEW, row={"modified": 10}, modified=10, operation=operation)
    assert found.cause is cause


@pytest.mark.parametrize(
    ("sent", "cause"),
    [("spoilt and more", Cause.UNREAD), ("something else", Cause.UNEXPLAINED)],
)
def test_what_our_unconfirmed_writing_can_have_become_is_unread(sent: str, cause: Cause) -> None:
    there = system(1, capabilities=can(coercions=frozenset({"cut"})))
    more: dict[str, Any] = {"modified": 10, "sent": {"fields": {"title": sent}, "wanted": {"title": "x"}}, "of": there}
    assert apart(SPOILT, KNEW, row={"modified": 10}, **more).cause is cause


@pytest.mark.parametrize(
    ("knew", "cause"),
    [({"email": "ann@example.com"}, Cause.UNREAD), ({"title": "t1"}, Cause.UNEXPLAINED)],
)
def test_what_we_made_without_a_value_is_unread_until_a_reading_shows_it(knew: Fields, cause: Cause) -> None:
    more: dict[str, Any] = {"modified": 10, "asked": {MADE: ["", "default", 1]}}
    assert apart({"title": None}, knew, row={"modified": 10}, **more).cause is cause


def test_spoilt_values_are_found_in_whatever_waits_or_was_settled() -> None:
    """Nothing that was decided about the value we knew accounts for another one."""
    same = {"row": {"modified": 10}, "modified": 10}
    for more in (
        {"asked": {"title": [digest("t0"), "refused", 1]}},
        {"held": frozenset({"title"})},
        {"dirty": True},
        {"base": {"title": "t1"}},
        {"of": system(1, writes="none")},
        {"of": system(1, mapping_of({"title": {"remote": "title", "direction": "in"}}))},
    ):
        assert apart(SPOILT, KNEW, **same, **more).cause is Cause.UNEXPLAINED  # type: ignore[arg-type]


# --- what we knew, and what stands between ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({}, Cause.UNEXPLAINED),
        ({"dirty": True}, Cause.IN_FLIGHT),
        ({"fresh": frozenset({"title"})}, Cause.IN_FLIGHT),
        ({"fresh": frozenset({"name"})}, Cause.UNEXPLAINED),
        ({"base": {"title": "t1"}}, Cause.IN_FLIGHT),
        ({"pending": {"title": "t1"}}, Cause.IN_FLIGHT),
        ({"base": {"first": "Ann"}}, Cause.UNEXPLAINED),
        ({"renewed": frozenset({"title"})}, Cause.IN_FLIGHT),
        ({"held": frozenset({"title"})}, Cause.HELD),
        ({"held": frozenset({"*"})}, Cause.UNEXPLAINED),  # that is about who is there, not about what they show
        ({"asked": {"title": [digest("t0"), "refused", 1]}}, Cause.REFUSED),
        ({"asked": {"title": [digest("t0"), "lossy", 1]}}, Cause.LOSSY),
        ({"asked": {"title": [digest("t0"), "unwritable", 1]}}, Cause.LOSSY),
        ({"asked": {"title": [digest("t0"), "undone", 1]}}, Cause.HELD),
        ({"asked": {"title": [digest("t0"), "held", 1]}}, Cause.HELD),
        ({"asked": {"title": [digest("of before"), "refused", 1]}}, Cause.UNEXPLAINED),
        ({"asked": {"title": [digest(None), "default", 1]}}, Cause.UNEXPLAINED),  # the lead has a value by now
        ({"operation": UnderWay(OutState.SENDING, frozenset({"title"}), True)}, Cause.IN_FLIGHT),
        ({"operation": UnderWay(OutState.QUEUED, frozenset({"name"}))}, Cause.UNEXPLAINED),
        ({"of": system(1, writes="none")}, Cause.ONE_WAY),
    ],
)
def test_each_cause_explains_its_own_group_alone(more: dict[str, Any], cause: Cause) -> None:
    assert apart({"title": "other"}, row={"modified": 10}, modified=10, **more).cause is cause


def test_a_field_that_the_account_lacks_is_not_compared() -> None:
    at = Standing(system(1), known(1, 1, {"title": None}), lead(TOLD), lacks=frozenset({"title"}))
    assert compare(reading({"title": None, "a": None}), at, NOW).groups == ("a",)


def test_of_an_address_only_the_fields_that_a_side_has_are_compared() -> None:
    there = system(1, mapping_of({"street": None}))
    said = {"address": {"street": "Storgata 1", "city": "Oslo"}}
    at = Standing(there, known(1, there, {"city": "Oslo"}), lead(said))
    assert compare(reading({"city": "Oslo"}), at, NOW) == compare(reading({"city": "Oslo"}), at, NOW + 1)
    assert compare(reading({"city": "Oslo"}), at, NOW).apart == ()
    assert (
        apart({"city": "Bergen"}, {"city": "Oslo"}, said, of=there, row={"modified": 1}, modified=1).group == "address"
    )


def test_a_list_that_is_shown_in_part_says_nothing_of_the_rest() -> None:
    partly: Fields = {"tags": {"items": ["a"], "partial": True}}
    at = Standing(system(1), known(1, 1, {"tags": ["a", "b"]}), lead({"tags": ["a", "b"]}))
    assert compare(reading(partly), at, NOW).apart == ()
    whole: Fields = {"tags": {"items": ["a"], "partial": False}}
    assert compare(reading(whole), at, NOW).apart[0].has == ["a"]


def test_where_a_no_cannot_be_told_the_address_stays_and_is_held() -> None:
    there = system(1, mapping_of({"consent.email": None}), can(consent_on="address"))
    said = {"email": "new@example.com", "consent.email": "out"}
    assert apart({"email": "old@example.com"}, said=said, of=there).cause is Cause.HELD
    told = system(
        1, mapping_of({"consent.email": {"remote": "consent", "as": "consent_word"}}), can(consent_on="address")
    )
    shows: Fields = {"email": "old@example.com", "consent": "no"}
    assert apart(shows, said=said, of=told).cause is Cause.UNEXPLAINED


@pytest.mark.parametrize(
    ("said", "shows", "cause"),
    [
        ("out", "in", Cause.UNEXPLAINED),
        ("out", None, Cause.UNEXPLAINED),
        ("in", None, Cause.ONE_WAY),
        ("in", "out", Cause.ONE_WAY),
        (None, "out", Cause.UNEXPLAINED),
        (None, "in", Cause.UNEXPLAINED),
    ],
)
def test_a_no_must_be_everywhere_and_come_from_somewhere(said: str | None, shows: str | None, cause: Cause) -> None:
    fields: Fields = {"consent": shows, "confirmed_at": None}
    assert apart(fields, said={"consent.email": said}).cause is cause


def test_when_a_yes_was_confirmed_is_no_difference() -> None:
    fields: Fields = {"consent": "in", "confirmed_at": None}
    at = Standing(system(1), known(1, 1, fields), lead({"consent.email": "confirmed 2025-01-01T00:00:00Z"}))
    assert compare(reading(fields), at, NOW).apart == ()


# --- whole records ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "cause"),
    [
        (None, Cause.UNREAD),
        (known(1, lead=None), Cause.UNLINKED),
        (known(1, lead=None, waits=WAITS_FOR_PERSON), Cause.UNLINKED),
        (known(1, lead=None, awaits=7), Cause.IN_FLIGHT),
    ],
)
def test_a_record_without_a_lead_is_told_as_a_whole(mine: Known | None, cause: Cause) -> None:
    (found,) = of_nobody(reading(), mine).apart
    assert (found.group, found.cause) == (None, cause)
    assert of_nobody(reading(state=State.DELETED), mine).apart == ()


@pytest.mark.parametrize("mine", State)
@pytest.mark.parametrize("theirs", State)
def test_whether_it_is_there_is_a_difference_only_where_one_says_so(mine: State, theirs: State) -> None:
    at = Standing(system(1), known(1, 1, {"title": "t0"}, state=mine), lead(TOLD))
    found = compare(reading({"title": "t0"}, state=theirs), at, NOW)
    differs = (mine is State.LIVE) is not (theirs is State.LIVE)
    assert [each.cause for each in found.apart] == [Cause.UNREAD] * differs
    assert bool(found.groups) is (mine is theirs is State.LIVE)
