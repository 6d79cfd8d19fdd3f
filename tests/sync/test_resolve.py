"""Placing new records, and following what a vendor merged: with a store, one person after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from mappings.lead import Canon
from sync.consent import OUT
from sync.model import Known, Lane, Lead
from sync.packed import unpack
from sync.resolve import merge_leads
from sync.store import leads, outbox, records, runs
from sync.store.outbox import Row
from sync.store.schema import lead_key, lead_merge
from tests.sync.installation import PLAIN, Installation, There
from tests.sync.makers import origin

ANN = {"email": "ann@example.com", "first": "Ann", "last": "Berg"}
MAY, JUNE, JULY = 1_777_593_600_000_000, 1_780_272_000_000_000, 1_782_864_000_000_000


# --- two leads become one ----------------------------------------------------------------------------------------


def merged(
    one: dict[str, Any], other: dict[str, Any], *more: Known, rows: tuple[Row, ...] = ()
) -> tuple[Installation, bool]:
    """Lead 1 and lead 2, with these values and origins, after the second was merged into the first."""
    here = Installation({"crm": There(), "list": There()})
    with here.store.tx() as tx:
        first = tx.ids("lead", 2)
        leads.insert(tx, [Lead(first, **one), Lead(first + 1, **other)], 0)
        records.insert(tx, more)
        outbox.put(tx, rows)
        done = merge_leads(tx, 1, 2, 5, here.world.now())
    return here, done


def test_what_the_winner_lacks_comes_from_the_loser_and_what_it_has_stands() -> None:
    here, _ = merged(
        {"value": {"title": "t1", "a": None, "tags": ["x"]}},
        {"value": {"title": "t2", "a": "a2", "tags": ["y"], "k": "k2"}, "origin": {"a": origin(9, JUNE)}},
    )
    lead = here.lead()
    assert lead.value == {"title": "t1", "a": "a2", "tags": ["x", "y"], "k": "k2"}
    assert (lead.origin["a"][:3], lead.rev) == ([9, 0, JUNE], 1)


def test_both_leads_are_kept_as_they_were_so_that_they_can_be_split() -> None:
    here, _ = merged({"value": {"title": "t1", "a": None}}, {"value": {"a": "a2", "consent.email": OUT}})
    with here.store.read() as tx:
        before = unpack(tx.value(sa.select(lead_merge.c.before)))
    assert before["winner"]["value"] == {"title": "t1", "a": None}
    assert before["loser"]["value"] == {"a": "a2", "consent.email": OUT}


def test_the_losers_id_lives_on_as_a_name_of_the_winner_also_along_a_chain() -> None:
    here, _ = merged({}, {})
    with here.store.tx() as tx:
        third = tx.ids("lead", 1)
        leads.insert(tx, [Lead(third)], 0)
        assert merge_leads(tx, third, 1, 6, 0)
        assert [leads.real(tx, number) for number in (1, 2, third, 99)] == [third, third, third, None]


CONFIRMED = "confirmed 2026-06-15T00:00:00Z"


@pytest.mark.parametrize(
    ("winner", "loser", "stands", "since"),
    [
        (("in", MAY), (OUT, JULY), OUT, JULY),
        ((OUT, JULY), ("in", MAY), OUT, JULY),
        ((OUT, MAY), (OUT, JULY), OUT, JULY),
        ((OUT, JULY), (OUT, MAY), OUT, JULY),
        ((OUT, MAY), (CONFIRMED, JUNE), OUT, MAY),
        ((CONFIRMED, JUNE), (OUT, MAY), OUT, MAY),
        (("in", MAY), (CONFIRMED, JUNE), "in", MAY),
        ((None, 0), ("in", MAY), "in", MAY),
        (("in", MAY), (None, 0), "in", MAY),
    ],
)
def test_of_two_leads_the_no_stands_with_the_moment_it_was_said(
    winner: tuple[Canon, int], loser: tuple[Canon, int], stands: Canon, since: int
) -> None:
    sides = [
        {"value": {"consent.email": v}, "origin": {"consent.email": origin(1, at)} if at else {}}
        for v, at in (winner, loser)
    ]
    lead = merged(*sides)[0].lead()  # type: ignore[arg-type]
    assert (lead.value["consent.email"], lead.origin["consent.email"][2]) == (stands, since)


def test_records_that_move_to_another_lead_keep_what_nobody_absorbed_and_nothing_planned_stands() -> None:
    record = Known(
        0, 1, "person", "x1", 2, fresh=None, now={"title": "t1"}, base={"title": "t0"}, asked={"a": ["h", "lossy", 1]}
    )
    here, _ = merged({}, {}, record, rows=(Row(1, 1, 1, "update", {}, 2, 0, 0, 1),))
    with here.store.read() as tx:
        (moved,) = records.by_lead(tx, [1])[1]
        assert (moved.fresh, moved.base, moved.asked, moved.obs) == (None, {"title": "t0"}, {"a": ["h", "lossy", 1]}, 1)
        assert (outbox.counts(tx), list(leads.next_dirty(tx, 9))) == ({}, [1])


def test_an_edit_that_was_written_over_is_kept_with_the_merge() -> None:
    here, _ = merged({}, {}, Known(0, 1, "person", "x1", 2, fresh=None, pending={"title": "theirs"}))
    with here.store.read() as tx:
        assert unpack(tx.value(sa.select(lead_merge.c.before)))["pending"] == {"1": {"title": "theirs"}}


def test_of_two_planned_creates_in_one_system_one_is_left() -> None:
    stubs = (Known(0, 2, "person", None, 1), Known(0, 2, "person", None, 2))
    here, done = merged({}, {}, *stubs)
    assert done
    with here.store.read() as tx:
        assert len(records.by_lead(tx, [1])[1]) == 1


@pytest.mark.parametrize("flying", [(1,), (2,), (1, 2)])
def test_a_create_that_is_under_way_survives_and_two_of_them_must_wait(flying: tuple[int, ...]) -> None:
    stubs = (Known(0, 2, "person", None, 1), Known(0, 2, "person", None, 2))
    rows = tuple(Row(number, 2, int(Lane.BACKFILL), "create", {}, number, 0, 0, 1, 2) for number in flying)
    here, done = merged({}, {}, *stubs, rows=rows)
    assert done is (len(flying) == 1)
    with here.store.read() as tx:
        left = records.by_lead(tx, [1, 2])
    if done:
        assert [each.id for each in left[1]] == list(flying)
    else:
        assert [len(left[1]), len(left[2])] == [1, 1]


def test_questions_about_the_loser_are_over() -> None:
    from sync.model import Question

    here = Installation({"crm": There()})
    with here.store.tx() as tx:
        tx.ids("lead", 2)
        leads.insert(tx, [Lead(1), Lead(2, frozen={"title": "conflict"})], 0)
        runs.ask(tx, [Question("conflict", "conflict:2:title", lead=2), Question("same", "same:1:2", lead=1)], 0)
        assert merge_leads(tx, 1, 2, 5, 0)
    assert here.reviews() == []


# --- placing -----------------------------------------------------------------------------------------------------


def test_a_record_that_was_merged_away_before_we_knew_it_is_found_by_its_former_name() -> None:
    """Two records of one person are merged into a third with another address: it is still that person."""
    here = Installation({"crm": There(replace(PLAIN, merge_makes_new=True)), "list": There()})
    kept, lost = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    survivor = here.vendors["crm"].merge(kept, lost)
    here.edit("crm", survivor, email="third@example.com")
    here.run()
    here.run()
    assert len(here.people()) == 1
    assert {each.ext for each in here.sides() if each.system == 1 and each.ext} >= {survivor.id}


def test_a_system_that_is_not_configured_any_more_stops_nobody() -> None:
    here = Installation({"crm": There(), "list": There(), "old": There()})
    here.put("old", **ANN, title="t0")
    here.run()
    del here.there["old"]
    here.configured()
    here.put("crm", **ANN, title="t0")
    here.edit("list", here.refs("list")[0], a="a1")
    here.run()
    assert (len(here.people()), here.shown("crm", "a")) == (1, ["a1", "a1"])


def test_an_object_that_is_not_mapped_any_more_rests_and_its_people_are_not_made_a_second_time() -> None:
    both = replace(PLAIN, objects=("person", "contact"))
    here = Installation({"crm": There(both), "list": There()})
    contact = here.vendors["crm"].put("contact", dict(ANN))
    here.run()
    assert here.shown("list", "email") == ["ann@example.com"]
    here.hint("crm", contact)
    here.there["crm"] = replace(here.there["crm"], temper=replace(PLAIN))
    here.configured()
    here.edit("list", here.refs("list")[0], a="a1")
    here.run()
    assert [str(ref) for ref in here.refs("crm")] == [str(contact)]
    assert here.quiet()


def test_a_system_in_which_nobody_can_be_made_is_only_read() -> None:
    here = Installation({"crm": There(), "sheet": There()})
    sheet = here.engine.systems[here.id("sheet")]
    object.__setattr__(sheet.capabilities, "creates", ())
    here.put("crm", **ANN)
    here.run()
    assert here.writes("sheet") == []


def test_keys_are_the_addresses_a_person_has_now() -> None:
    here = Installation({"crm": There(mapping={"emails": {"remote": "more", "as": "emails"}})})
    ref = here.put("crm", **ANN, more=["a.b@example.com"])
    here.run()

    def keys() -> set[str]:
        with here.store.read() as tx:
            return {row[0] for row in tx.rows(sa.select(lead_key.c.value))}

    assert keys() == {"ann@example.com", "a.b@example.com"}
    here.edit("crm", ref, email="ann.berg@example.com", more=[])
    here.run()
    assert keys() == {"ann.berg@example.com"}
