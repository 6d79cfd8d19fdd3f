"""The independent reader: which differences it finds, what it says of each, and that it leaves everything as it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backdoor import Fault
from connectors.base import State
from sync import run as runner
from sync import undo as undoing
from sync.compare import Cause, _belongs, _wanted
from sync.guard import Limit
from sync.lease import DECIDE
from sync.model import Filter, Lane, Lead, OutState
from sync.plan import in_scope, opted_out
from sync.rules import Policy, Rules
from sync.store import feeds, leads, records, schema
from sync.verify import Difference, Report, verify
from tests.sync.installation import ANN, NO_LIMITS, OLA, PLAIN, Installation, There, two
from tests.sync.makers import mapping_of
from tests.sync.stories import quarrel, stranger
from tests.worlds import ManualWorld

CUTTING = replace(PLAIN, cut={"title": 10}, tells_lengths=False)


def verified(here: Installation, *, sample: int | None = None) -> tuple[Report, list[Difference]]:
    told: list[Difference] = []
    here.later()
    return verify(here.engine, told.append, sample=sample), told


def apart(here: Installation) -> list[tuple[str, str | None, Cause]]:
    """(system, group, cause) of each difference."""
    return [(each.system, each.group, each.cause) for each in verified(here)[1]]


def only(here: Installation) -> Difference:
    (found,) = verified(here)[1]
    return found


def settled(*, systems: dict[str, There] | None = None, **settings: Any) -> Installation:
    """Ann is in both systems and all agree."""
    here = Installation(systems, **settings) if systems else two(**settings)
    here.put("crm", **ANN, title="t0")
    here.run()
    return here


# --- agreement -------------------------------------------------------------------------------------------------------


def test_where_all_agree_every_group_of_every_system_is_counted_and_nothing_differs() -> None:
    here = settled()
    report, told = verified(here)
    assert told == []
    assert (report.unexplained, report.oldest, report.at_work) == (0, None, [])
    for each in report.systems:
        assert (each.read, each.missing, each.failure) == (1, 0, None)
        assert each.groups["title"].compared == each.groups["title"].agree == 1
    assert report.systems[0].groups.keys() == here.engine.system("crm").mapping.objects["person"].groups.keys()


def test_people_who_have_no_record_somewhere_are_counted() -> None:
    here = Installation({"crm": There(), "list": There(filters=(Filter("title", "title", "eq", "CEO"),))})
    here.put("crm", **ANN, title="CEO")
    here.put("crm", **OLA)
    here.run()
    assert [each.missing for each in verified(here)[0].systems] == [0, 1]


def test_it_writes_nothing_takes_nothing_in_and_holds_no_lease() -> None:
    here = settled()
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.vendors["list"].corrupt(here.refs("list")[0], {"title": "spoilt"})
    here.put("crm", **OLA)
    before, sent = _everything(here), here.writes("crm") + here.writes("list")
    with here.units():
        _, told = verified(here)
    assert len(told) == 3
    assert (_everything(here), here.writes("crm") + here.writes("list")) == (before, sent)


def _everything(here: Installation) -> dict[str, list[Any]]:
    """All rows of the store; leases and counters move with the test's own."""
    with here.store.read() as tx:
        tables = [each for each in schema.METADATA.sorted_tables if each.name not in ("lease", "counter", "run")]
        return {each.name: [tuple(row) for row in tx.rows(sa.select(each))] for each in tables}


# --- what went wrong silently ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("temper", [PLAIN, replace(PLAIN, conditional=True), replace(PLAIN, lag=30.0)])
@pytest.mark.parametrize("sample", [None, 5])
def test_a_value_that_was_spoilt_over_there_while_no_time_moved_is_unexplained(temper: Any, sample: int | None) -> None:
    here = settled(systems={"crm": There(), "list": There(temper)})
    here.later(600)
    here.run()
    here.vendors["list"].corrupt(here.refs("list")[0], {"title": "spoilt"})
    here.run()
    assert here.one("crm", "title") == "t0", "no feed tells of it, so no run can know"
    report, (found,) = verified(here, sample=sample)
    assert (found.system, found.group, found.cause) == ("list", "title", Cause.UNEXPLAINED)
    assert (found.wants, found.has) == ("t0", "spoilt")
    assert found.since == here.known("list", here.refs("list")[0]).read_at, "it was as we know it then"
    assert report.unexplained == 1
    assert report.oldest == found
    agreement = next(each for each in report.systems if each.system == "list").groups["title"]
    assert (agreement.compared, agreement.agree) == (1, 0)


def test_an_opt_out_that_was_lost_over_there_is_unexplained() -> None:
    here = two()
    here.put("crm", **ANN, consent="out")
    here.run()
    here.run()
    assert verified(here)[1] == []
    here.vendors["list"].corrupt(here.refs("list")[0], {"consent": None})
    found = only(here)
    assert (found.group, found.cause, found.wants, found.has) == ("consent.email", Cause.UNEXPLAINED, "out", None)


def test_a_lead_that_was_spoilt_here_is_unexplained_everywhere() -> None:
    here = settled()
    lead = here.lead()
    lead.value["title"] = "spoilt"
    with here.store.tx() as tx:
        leads.save(tx, [lead], here.world.now())
    assert apart(here) == [("crm", "title", Cause.UNEXPLAINED), ("list", "title", Cause.UNEXPLAINED)]


def test_a_record_whose_lead_is_not_there_is_unexplained() -> None:
    here = settled()
    known = here.known("crm", here.refs("crm")[0])
    with here.store.tx() as tx:
        records.link(tx, {known.id: 4711})
    assert ("crm", None, Cause.UNEXPLAINED) in apart(here)


def test_a_no_that_a_record_shows_and_nobody_took_in_is_unexplained() -> None:
    here = settled()
    here.vendors["list"].opt_out("ann@example.com")
    here.run()
    lead = here.lead()
    del lead.value["consent.email"]
    with here.store.tx() as tx:
        leads.save(tx, [lead], here.world.now())
    assert set(apart(here)) == {(name, "consent.email", Cause.UNEXPLAINED) for name in ("crm", "list")}


# --- causes ----------------------------------------------------------------------------------------------------------


def test_an_edit_that_no_run_has_read_is_unread_and_as_old_as_it_is() -> None:
    here = settled()
    here.later(600)
    here.edit("crm", here.refs("crm")[0], title="t1")
    edited = here.world.now()
    report, (found,) = verified(here)
    assert (found.system, found.group, found.cause, found.since) == ("crm", "title", Cause.UNREAD, edited)
    assert report.ended - edited == 60_000_000
    assert report.unexplained == 0


def test_a_new_record_is_unread_and_so_is_one_that_vanished_or_came_back() -> None:
    here = settled()
    here.put("crm", **OLA)
    here.vendors["list"].remove(here.refs("list")[0])
    report, told = verified(here)
    assert [(each.system, each.group, each.cause, each.lead) for each in told] == [
        ("crm", None, Cause.UNREAD, None),
        ("list", None, Cause.UNREAD, 1),
    ]
    assert report.systems[1].records == Counter({Cause.UNREAD: 1})
    here.run()
    (ola,) = [each for each in here.refs("crm") if here.one("crm", "first", each) == "Ola"]
    known = here.known("crm", ola)
    known.state = State.DELETED
    with here.store.tx() as tx:
        records.update(tx, [known])
    assert [(each.record, each.text) for each in verified(here)[1]] == [
        (str(ola), "it is there again, and was known as deleted")
    ]


def test_what_is_gone_here_and_there_is_no_difference() -> None:
    here = settled()
    here.vendors["list"].remove(here.refs("list")[0])
    here.run()
    assert verified(here)[1] == []


def test_a_record_of_nobody_is_unlinked() -> None:
    here = two()
    ref = stranger(here)
    (found,) = [each for each in verified(here)[1] if each.cause is Cause.UNLINKED]
    assert (found.record, found.lead, found.group) == (str(ref), None, None)


def test_a_group_that_waits_for_a_person_is_frozen_on_each_side_that_differs() -> None:
    here = two(rules=Rules({"title": Policy("ask")}))
    quarrel(here)
    assert apart(here) == [("crm", "title", Cause.FROZEN), ("list", "title", Cause.FROZEN)]


def test_what_the_vendor_refuses_is_refused() -> None:
    here = settled(systems={"crm": There(), "list": There(replace(PLAIN, choices={"a": ("x", "y")}))})
    here.edit("crm", here.refs("crm")[0], a="z")
    here.run()
    assert apart(here) == [("list", "a", Cause.REFUSED)]


def test_what_came_back_cut_is_lossy() -> None:
    here = settled(systems={"crm": There(), "list": There(CUTTING)})
    here.edit("crm", here.refs("crm")[0], title="Head of Sales and Marketing")
    here.run()
    found = only(here)
    assert (found.system, found.group, found.cause) == ("list", "title", Cause.LOSSY)
    assert (found.has, found.text) == ("Head of Sa", "it was written, and this is what became of it over there")


def test_what_the_mapping_says_would_be_cut_is_lossy_too() -> None:
    short = {"title": {"remote": "title", "length": 10}}
    here = settled(systems={"crm": There(), "list": There(mapping=short)})
    here.edit("crm", here.refs("crm")[0], title="Head of Sales and Marketing")
    here.run()
    found = only(here)
    assert (found.system, found.cause, found.text) == (
        "list",
        Cause.LOSSY,
        "it shows as much of the value as it can hold",
    )


def test_a_value_without_a_word_over_there_is_lossy() -> None:
    few = {"stage": {"remote": "stage", "as": "stage", "options": {"L": "lead"}}}
    here = Installation({"crm": There(), "list": There(mapping=few)})
    here.put("crm", **ANN, stage="customer")
    here.run()
    assert apart(here) == [("list", "stage", Cause.LOSSY)]


def test_what_was_taken_back_is_held_until_the_lead_says_something_else() -> None:
    here = settled()
    here.edit("crm", here.refs("crm")[0], title="t1")
    run = here.run().run
    with here.store.read() as tx:
        shown = undoing.preview(here.engine, tx, run)
    assert shown.back
    runner.act(here.engine, lambda tx: undoing.undo(here.engine, tx, run, "kari", "")[0])
    assert {cause for *_, cause in apart(here)} == {Cause.HELD}


def test_what_too_many_changed_over_there_is_held() -> None:
    here = two(limits=replace(NO_LIMITS, inbound=Limit(0, 0.0)))
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title=None)
    here.run()
    assert [each.kind for each in here.reviews()] == ["inbound"]
    assert apart(here) == [("crm", "title", Cause.HELD)]


def test_what_cannot_be_read_is_held_and_what_became_unreadable_silently_is_not() -> None:
    born = {"a": None, "age": {"remote": "age", "as": "integer"}}
    here = Installation({"crm": There(mapping=born), "list": There(mapping=born)})
    ref = here.put("crm", **ANN, age="41")
    here.run()
    here.edit("crm", ref, age="about forty")
    here.run()
    assert apart(here) == [("crm", "age", Cause.HELD)]
    here.vendors["crm"].corrupt(ref, {"age": "older"})
    assert apart(here) == [("crm", "age", Cause.UNEXPLAINED)]


def test_what_a_system_filled_in_by_itself_is_held() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, defaults={"a": "standard"}, tells_origin=True))})
    here.put("crm", **ANN)
    here.run()
    here.run()
    found = only(here)
    assert (found.system, found.group, found.cause, found.has) == ("list", "a", Cause.HELD, "standard")


def test_what_was_read_and_not_decided_is_in_flight() -> None:
    here = settled()
    here.edit("crm", here.refs("crm")[0], title="t1")
    with here.units() as units:
        units.pull()
    assert apart(here) == [("crm", "title", Cause.IN_FLIGHT)]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (OutState.PROPOSED, "it waits for a plan to be approved"),
        (OutState.QUEUED, "it waits to be sent"),
        (OutState.SENDING, "it is being sent"),
    ],
)
def test_what_is_decided_and_not_settled_is_in_flight(state: OutState, text: str) -> None:
    here = settled()
    here.edit("crm", here.refs("crm")[0], title="t1")
    with here.units() as units:
        units.pull()
        units.decide()
        with here.store.tx() as tx:
            tx.run(sa.update(schema.outbox).values(state=int(state)))
    found = only(here)
    assert (found.system, found.group, found.cause, found.text) == ("list", "title", Cause.IN_FLIGHT, text)


def test_what_was_sent_and_landed_without_an_answer_is_in_flight() -> None:
    here = settled()
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.fault("list", Fault.CUT_AFTER, "UPDATE")
    with here.units() as units:
        units.pull()
        units.decide()
        units.push("list")
    assert here.one("list", "title") == "t1"
    assert apart(here) == [], "it shows what the lead says already"
    here.edit("list", here.refs("list")[0], title="t2")
    assert apart(here) == [("list", "title", Cause.IN_FLIGHT)]


def test_a_lead_that_is_to_be_looked_at_again_is_in_flight() -> None:
    here = settled()
    lead = here.lead()
    lead.value["title"] = "t1"
    with here.store.tx() as tx:
        leads.save(tx, [lead], here.world.now())
        leads.make_dirty(tx, [lead.id], Lane.EDIT)
    assert {cause for *_, cause in apart(here)} == {Cause.IN_FLIGHT}


def test_what_is_read_while_we_look_is_in_flight() -> None:
    here = settled()
    ref = here.refs("crm")[0]
    connector = here.engine.connectors[here.id("crm")]
    fetch = connector.fetch

    def late(refs: Any) -> Any:
        rows = list(fetch(refs))
        here.later(1)
        here.edit("crm", ref, title="t2")
        here.run()
        return iter(rows)

    connector.fetch = late  # type: ignore[method-assign]
    here.edit("crm", ref, title="t1")
    assert {cause for system, _, cause in apart(here) if system == "crm"} == {Cause.IN_FLIGHT}


def test_whoever_does_not_pass_the_filters_is_out_of_scope() -> None:
    here = settled(systems={"crm": There(), "list": There()})
    here.change("list", filters=(Filter("title", "title", "eq", "t0"),))
    here.run()
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.run()
    assert apart(here) == [("list", "title", Cause.OUT_OF_SCOPE)]


def test_a_no_is_told_out_of_scope_too() -> None:
    here = settled(systems={"crm": There(), "list": There()})
    here.change("list", filters=(Filter("title", "title", "eq", "t1"),))
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    assert here.one("list", "consent") == "out"
    known = here.known("list", here.refs("list")[0])
    known.now["consent"] = None
    with here.store.tx() as tx:
        records.update(tx, [known])
    here.vendors["list"].corrupt(here.refs("list")[0], {"consent": None})
    assert apart(here) == [("list", "consent.email", Cause.UNEXPLAINED)]


@pytest.mark.parametrize("change", [{"writes": "none"}, {"mapping": {"title": {"remote": "title", "direction": "in"}}}])
def test_what_is_not_written_there_is_one_way(change: dict[str, Any]) -> None:
    here = settled()
    here.change("list", **change)
    here.run()
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.run()
    assert apart(here) == [("list", "title", Cause.ONE_WAY)]


def test_what_the_mapping_does_not_clear_there_is_one_way() -> None:
    keeping = {"title": {"remote": "title", "if_empty": "keep"}}
    here = settled(systems={"crm": There(), "list": There(mapping=keeping)})
    here.edit("crm", here.refs("crm")[0], title=None)
    here.run()
    found = only(here)
    assert (found.system, found.cause, found.has) == ("list", Cause.ONE_WAY, "t0")


def test_a_second_record_of_a_person_keeps_its_own_address() -> None:
    here = two()
    here.put("crm", **ANN)
    twin = here.put("crm", **ANN)
    here.run()
    here.edit("crm", twin, email="a.berg@example.com")
    here.run()
    found = only(here)
    assert (found.record, found.group, found.cause) == (str(twin), "email", Cause.ONE_WAY)


def test_a_yes_is_not_told_to_others_and_is_one_way() -> None:
    here = settled()
    here.vendors["crm"].confirm("ann@example.com")
    here.run()
    assert apart(here) == [("list", "consent.email", Cause.ONE_WAY)]


def test_a_mapping_that_no_run_has_taken_up_is_in_flight() -> None:
    here = settled()
    here.change("list", mapping={"title": "a", "a": "title"})
    assert sorted(apart(here)) == [("list", "a", Cause.IN_FLIGHT), ("list", "title", Cause.IN_FLIGHT)]


# --- a sample, failures, other processes -----------------------------------------------------------------------------


def test_a_sample_reads_so_many_known_records_of_each_system_by_name() -> None:
    here = two()
    for number in range(20):
        here.put("crm", email=f"p{number}@example.com", first="Pia", last=f"Person{number}x")
    here.run()
    before = len(here.vendors["crm"].requests())
    report, told = verified(here, sample=7)
    assert [each.read for each in report.systems] == [7, 7]
    assert told == []
    assert [each.method for each in here.vendors["crm"].requests()[before:]] == ["GET"]
    assert [each.requests for each in report.systems] == [1, 1]
    assert [each.read for each in verified(here, sample=100)[0].systems] == [20, 20]


def test_every_record_can_be_in_a_sample() -> None:
    here = two()
    for number in range(8):
        here.put("crm", email=f"p{number}@example.com", first="Pia", last=f"Person{number}x", title="t0")
    here.run()
    for ref in here.refs("crm"):
        here.vendors["crm"].corrupt(ref, {"title": "spoilt"})
    drawn = Counter(each.record for _ in range(60) for each in verified(here, sample=2)[1])
    assert len(drawn) == 8
    assert min(drawn.values()) >= 4


def test_a_system_that_fails_is_told_and_the_others_are_read() -> None:
    here = settled()
    here.fault("crm", Fault.FORBIDDEN, times=99)
    here.vendors["list"].corrupt(here.refs("list")[0], {"title": "spoilt"})
    report, told = verified(here)
    crm, other = report.systems
    assert (crm.failure is not None, crm.read, other.failure, other.read) == (True, 0, None, 1)
    assert [each.cause for each in told] == [Cause.UNEXPLAINED]


class Shared(ManualWorld):
    """A machine on which other processes live."""

    def alive(self, owner: str) -> bool:
        return not owner.startswith("dead")


def test_another_process_at_work_is_told_and_not_waited_for() -> None:
    here = two(world=Shared())
    here.put("crm", **ANN)
    here.run()
    soon = here.world.now() + 3_600_000_000
    with here.store.tx() as tx:
        feeds.take_lease(tx, DECIDE, "daemon@host:1", soon)
        feeds.take_lease(tx, "system list", "daemon@host:1", soon)
        feeds.take_lease(tx, "system crm", "dead@host:2", soon)
    report, told = verified(here)
    assert report.at_work == [("daemon@host", "deciding"), ("daemon@host", "list")]
    assert told == []
    here.later(3_600)
    assert verified(here)[0].at_work == [], "their time is over"


def test_a_page_that_comes_twice_counts_once() -> None:
    here = settled()
    here.put("crm", **OLA)
    here.fault("crm", Fault.DUPLICATE_PAGE, times=1)
    assert verified(here)[0].systems[0].read == 2


# --- the same words as the engine's, found apart from it -------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        Filter("title", "title", "eq", "t0"),
        Filter("title", "title", "in", ["t0", "t1"]),
        Filter("tags", "tags", "in", ["a"]),
        Filter("first_name", "name", "present", True),
        Filter("title", "title", "present", False),
        Filter("a", "a", "older_than", 30),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        {},
        {"title": "t0", "tags": ["a", "b"], "name": {"first_name": "Ann"}, "a": "2025-01-01"},
        {"title": "t2", "tags": [], "name": {"first_name": None}, "a": "2025-12-31"},
    ],
)
def test_whoever_belongs_into_a_system_does_so_for_both(condition: Filter, value: dict[str, Any]) -> None:
    lead, now = Lead(1, value=value), ManualWorld().now()
    assert _belongs(lead, (condition,), now) is in_scope(lead, (condition,), now)


@pytest.mark.parametrize("said", ["consent.email", "consent.email.news", "consent.email.offers", "consent.phone"])
@pytest.mark.parametrize(
    "cells", [("consent.email",), ("consent.email", "consent.email.news"), ("consent.email.news",)]
)
def test_a_no_covers_the_same_cells_for_both(said: str, cells: tuple[str, ...]) -> None:
    lines: dict[str, Any] = {"consent.email": None}
    lines |= {cell: {"remote": cell, "as": "consent_word"} for cell in cells}
    mapping, lead = mapping_of(lines).objects["person"], Lead(1, value={said: "out"})
    for cell in cells:
        assert (_wanted(lead, cell, mapping) == "out") is opted_out(lead, cell, mapping)
