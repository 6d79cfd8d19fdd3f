"""What looking tells: where values come from, what happened to a person, why a record differs, and how all stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backdoor import Fault
from connectors.base import Ref, State
from sync import look, review
from sync import run as runner
from sync import undo as undoing
from sync.edit import edit
from sync.guard import Limit
from sync.look import Reason, Shown, Status, Value
from sync.model import Filter, OutState
from sync.rules import Policy, Rules
from sync.store import schema
from sync.store.schema import record as record_table
from tests.sync.installation import ANN, NO_LIMITS, PLAIN, Installation, There, two
from tests.sync.stories import quarrel, stranger

CUTTING = replace(PLAIN, cut={"title": 10}, tells_lengths=False)


def show(here: Installation, lead: int | None = None) -> Shown:
    number = here.lead().id if lead is None else lead
    with here.store.read() as tx:
        found = look.show(here.engine, tx, number)
    assert found is not None
    return found


def value(here: Installation, group: str) -> Value:
    (found,) = [each for each in show(here).values if each.group == group]
    return found


def why(here: Installation, system: str, ref: Ref) -> list[Reason]:
    with here.store.read() as tx:
        return look.why(here.engine, tx, here.id(system), ref.object, ref.id).reasons


def codes(here: Installation, system: str, ref: Ref) -> list[tuple[str, str | None]]:
    return [(each.code, each.group) for each in why(here, system, ref)]


def status(here: Installation) -> Status:
    with here.store.read() as tx:
        return look.status(here.engine, tx)


def pull(here: Installation, *names: str) -> None:
    with here.units() as units:
        units.pull(*names)


# --- show ------------------------------------------------------------------------------------------------------------


def test_each_value_is_shown_with_where_it_came_from_and_by_which_rule() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    copy = here.refs("list")[0]
    here.later(30)
    here.edit("list", copy, title="t1")
    edited = here.world.now()
    run = here.run().run
    assert value(here, "email") == Value(
        "email", "ann@example.com", "crm", str(ref), "first contact", True, value(here, "email").at, 1, None
    )
    assert value(here, "title") == Value("title", "t1", "list", str(copy), "only edit", True, edited, run, None)


def test_an_order_that_rests_on_an_estimate_is_shown_as_such() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0", a="a0")
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, title="early")
    here.later(5)
    here.edit("list", copy, title="late")
    here.later(5)
    here.edit("crm", ref, a="a1")  # so that the record's own time proves nothing of its title
    here.run()
    assert (value(here, "title").rule, value(here, "title").proven, value(here, "a").proven) == ("newest", False, True)


def test_a_value_that_a_person_said_came_from_no_system() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    number = here.lead().id
    runner.act(here.engine, lambda tx: edit(here.engine, tx, number, {"title": "t1"}, "ann", ""))
    found = value(here, "title")
    assert (found.value, found.system, found.record, found.rule) == ("t1", None, None, "edited by a person")


@pytest.mark.parametrize("before", [None, "t0"])
def test_what_waits_for_a_person_is_shown_with_or_without_a_value(before: str | None) -> None:
    here = two(rules=Rules({"title": Policy("ask")}))
    ref = here.put("crm", **ANN, title=before)
    here.run()
    here.edit("crm", ref, title="left")
    here.edit("list", here.refs("list")[0], title="right")
    here.run()
    assert (value(here, "title").value, value(here, "title").frozen) == (before, "conflict")


def test_the_places_of_a_person_are_shown_with_their_state() -> None:
    here = Installation({"crm": There(), "list": There(), "mail": There()})
    ref = here.put("crm", **ANN)
    twin = here.put("crm", **ANN)
    here.fault("mail", Fault.CUT, "CREATE")
    here.run()
    copy = here.refs("list")[0]
    here.vendors["list"].remove(copy)
    here.run()
    told = [(each.system, each.record, each.state, each.primary, each.note) for each in show(here).places]
    assert told == [
        ("crm", str(ref), "live", True, ""),
        ("crm", str(twin), "live", False, ""),
        ("list", str(copy), "deleted", True, ""),
        ("mail", None, "not there yet", True, "being created"),
    ]


def test_a_place_where_a_person_is_not_made_says_why() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    here.put("crm", email="info@example.com", first="Ann", last="Berg")
    here.put("crm", email="info@example.com", first="Ola", last="Dahl")
    here.run()
    notes = [each.note for lead in here.people() for each in show(here, lead.id).places if each.system == "list"]
    assert sorted(notes) == ["", "not created: refused"]


def test_a_person_is_shown_under_every_number_they_had() -> None:
    here = two()
    kept, gone = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    numbers = sorted(each.id for each in here.people())
    here.vendors["crm"].merge(kept, gone)
    here.run()
    assert [(show(here, each).lead, show(here, each).names) for each in numbers] == [(numbers[0], [numbers[1]])] * 2


def test_nobody_is_shown_where_there_is_nobody() -> None:
    here = two()
    with here.store.read() as tx:
        assert (look.show(here.engine, tx, 7), look.history(tx, 7)) == (None, [])


def test_what_was_said_of_mail_is_shown_in_order() -> None:
    here = two()
    ref = here.put("crm", **ANN, consent="in")
    here.run()
    here.edit("crm", ref, consent="out")
    here.run()
    assert [(each[1], each[2], each[3]) for each in show(here).consent] == [
        ("consent.email", "in", "crm: in"),
        ("consent.email", "out", "crm: out"),
    ]


def test_a_system_that_is_not_configured_any_more_is_named_as_such() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    number = here.id("list")
    here.there.pop("list")
    here.configured()
    assert [each.system for each in show(here).places] == ["crm", f"system {number} (not configured any more)"]


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_history_tells_in_order_what_won_what_lost_and_what_was_written_under_every_number() -> None:
    here = two()
    kept, gone = here.put("crm", **ANN, title="t0"), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    first = here.run().run
    here.edit("crm", gone, a="a1")
    second = here.run().run
    here.edit("crm", kept, title="early")
    here.later(5)
    here.edit("list", here.refs("list")[0], title="late")
    third = here.run().run
    here.vendors["crm"].merge(kept, gone)
    fourth = here.run().run
    with here.store.read() as tx:
        past = look.history(tx, here_lead := sorted({1, 2})[0])
    assert here_lead == 1
    order = [each.run for each, _ in past]
    assert order == sorted(order)
    assert set(order) == {first, second, third, fourth}
    assert all(run is not None and run.id == each.run for each, run in past)
    decided = [each.body for each, _ in past if each.run == third and each.record is None]
    assert [body["groups"]["title"][:2] for body in decided] == [["t0", "late"]]
    assert [body["lost"] for body in decided] == [[["title", here.known("crm", kept).id, "early", "newest"]]]
    written = [each.body["fields"] for each, _ in past if each.run == third and each.record is not None]
    assert written == [{"title": ["early", "late"]}]
    assert any("merged" in each.body for each, _ in past if each.run == fourth)


# --- why -------------------------------------------------------------------------------------------------------------


def test_a_record_that_shows_what_its_lead_says_gives_no_reason() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0", consent="in")
    here.run()
    assert (why(here, "crm", ref), why(here, "list", here.refs("list")[0])) == ([], [])


def test_what_waits_for_a_person_is_told_on_every_side() -> None:
    here = two(rules=Rules({"title": Policy("ask")}))
    ref, copy = quarrel(here)
    assert [why(here, "crm", ref), why(here, "list", copy)] == [
        [Reason("frozen", "title", "it waits for a person: conflict", "t0", has)] for has in ("left", "right")
    ]


def test_a_refused_a_cut_and_an_undone_value_are_told_apart() -> None:
    temper = replace(CUTTING, choices={"a": ("a0",)})
    here = Installation({"crm": There(), "list": There(temper)})
    ref = here.put("crm", **ANN, title="Chief", a="a0", city="Oslo")
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, city="Bergen")
    run = here.run().run
    runner.act(here.engine, lambda tx: undoing.undo(here.engine, tx, run, "ann", "")[0])
    here.edit("crm", ref, title="Head of Sales and Marketing", a="a1")
    here.run()
    told = {each.group: each for each in why(here, "list", copy)}
    assert {group: (each.code, each.has) for group, each in told.items()} == {
        "title": ("lossy", "Head of Sa"),
        "a": ("refused", "a0"),
        "address": ("undone", {"street": None, "city": "Oslo"}),
    }
    assert all(each.text in look._SETTLED.values() for each in told.values())
    assert told["title"].wants == "Head of Sales and Marketing"


def test_a_value_that_a_person_left_is_told() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, choices={"title": ("Chief",)}))})
    here.put("crm", **ANN, title="Wizard")
    here.run()
    (question,) = here.reviews()
    runner.act(here.engine, lambda tx: review.decide(here.engine, tx, question.id, "leave", "ann", ""))
    assert codes(here, "list", here.refs("list")[0]) == [("held", "title")]


def test_what_a_vendor_filled_in_by_itself_is_told_until_the_lead_has_a_value() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, defaults={"title": "Customer"}))})
    ref = here.put("crm", **ANN)
    here.run()
    copy = here.refs("list")[0]
    assert codes(here, "list", copy) == [("default", "title")]
    here.edit("crm", ref, title="t1")
    here.run()
    assert codes(here, "list", copy) == []


def test_a_flood_that_is_held_back_is_told() -> None:
    here = two(limits=replace(NO_LIMITS, inbound=Limit(2, 0.0)))
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"P{i}x", title=f"t{i}") for i in range(5)]
    here.run()
    for ref in refs:
        here.edit("crm", ref, title=None)
    here.run()
    assert codes(here, "crm", refs[0]) == [("held", "title")]


def test_an_operation_is_told_with_what_it_waits_for() -> None:
    here = two(limits=replace(NO_LIMITS, update=Limit(0, 0.0)))
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, title="t1")
    pull(here)
    assert codes(here, "crm", ref) == [("not decided", "title")]
    here.run()
    assert codes(here, "list", copy) == [("proposed", "title")]
    here.configured(limits=NO_LIMITS)
    here.fault("list", Fault.RATE, "UPDATE", value=60.0)
    here.run()
    assert codes(here, "list", copy) == [("backs off", None), ("queued", "title")]
    here.fault("list", Fault.CUT, "UPDATE")
    here.later(120)
    here.run()
    assert codes(here, "list", copy) == [("in doubt", "title")]


def test_an_operation_under_way_is_told() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, title="t1")
    with here.units() as units:
        units.pull()
        units.decide()
    with here.store.tx() as tx:
        tx.run(sa.update(schema.outbox).values(state=int(OutState.SENDING), token=9, sent_at=1))
    assert codes(here, "list", copy) == [("sending", "title")]


def test_an_edit_that_was_read_and_not_decided_is_told() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="t1")
    pull(here, "crm")
    assert why(here, "crm", ref) == [
        Reason("not decided", "title", "it was read, and is decided in the next run", "t0", "t1")
    ]


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (There(writes="none"), "read only"),
        (There(filters=(Filter("title", "title", "eq", "VIP"),)), "out of scope"),
    ],
)
def test_a_record_that_is_not_written_to_says_so_once_and_promises_nothing(there: There, code: str) -> None:
    here = Installation({"crm": There(), "list": There()})
    ref = here.put("crm", **ANN, title="VIP")
    here.run()
    here.change("list", writes=there.writes, filters=there.filters)
    here.edit("crm", ref, title="t1")
    here.run()
    assert codes(here, "list", here.refs("list")[0]) == [(code, None)]


STATES = {"deleted": State.DELETED, "merged": State.DELETED, "archived": State.ARCHIVED}


@pytest.mark.parametrize("state", STATES)
def test_a_record_that_is_not_live_says_so_and_promises_nothing(state: str) -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, removed=STATES[state]))})
    ref = here.put("crm", **ANN, title="t0")
    made = here.run().run
    copy = here.refs("list")[0]
    if state == "deleted":
        here.vendors["list"].remove(copy)
    elif state == "merged":
        twin = here.put("list", email="twin@example.com", first="Ann", last="Berg")
        here.run()
        here.vendors["list"].merge(twin, copy)
    else:
        runner.act(here.engine, lambda tx: undoing.undo(here.engine, tx, made, "ann", "")[0])
    here.edit("crm", ref, title="t1")
    here.run()
    assert why(here, "list", copy) == [
        Reason("not live", None, f"it is {state} over there; such records are left alone")
    ]


def test_a_group_that_a_mapping_lacks_or_only_reads_is_told() -> None:
    less = {"title": None, "a": {"remote": "a", "direction": "in"}}
    here = Installation({"crm": There(), "list": There(mapping=less)})
    ref = here.put("crm", **ANN, title="t0", a="a0")
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, a="a1")
    here.run()
    assert codes(here, "list", copy) == [("incoming", "a"), ("not mapped", "title")]
    assert why(here, "list", copy)[1].wants == "t0"


def test_a_no_that_a_system_has_no_field_for_is_told_and_a_yes_is_not() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, consent="none"))})
    ref = here.put("crm", **ANN, consent="in")
    here.put("list", **ANN)
    here.run()
    copy = here.refs("list")[0]
    assert codes(here, "list", copy) == []
    here.edit("crm", ref, consent="out")
    here.run()
    assert codes(here, "list", copy) == [("not mapped", "consent.email")]


def test_a_no_that_is_shown_is_no_difference_and_a_missing_one_is() -> None:
    here = two()
    ref = here.put("crm", **ANN)
    here.run()
    copy = here.refs("list")[0]
    here.edit("crm", ref, consent="out")
    with here.units() as units:
        units.pull()
        units.decide()
    assert codes(here, "list", copy) == [("queued", "consent.email")]
    here.run()
    assert codes(here, "list", copy) == []


def test_what_cannot_be_read_or_said_is_told() -> None:
    sizes = {"size": {"remote": "size", "options": {"S": "small"}}}
    here = Installation(
        {"crm": There(mapping={"size": "size", "age": "age"}), "list": There(mapping={**sizes, "age": "age"})}
    )
    ref = here.put("crm", **ANN, age="about forty")
    here.run()
    here.edit("crm", ref, size="huge")
    here.run()
    copy = here.refs("list")[0]
    assert codes(here, "crm", ref) == [("unreadable", "age")]
    assert codes(here, "list", copy) == [("unwritable", "size")]
    assert (why(here, "list", copy)[0].wants, why(here, "list", copy)[0].has) == ("huge", None)


def test_a_second_record_keeps_its_own_address_and_says_so() -> None:
    here = Installation({"crm": There(mapping={"emails": {"remote": "more", "as": "emails"}}), "list": There()})
    here.put("crm", **ANN)
    here.run()
    twin = here.put("crm", **ANN)
    here.run()
    here.edit("crm", twin, email="a.berg@example.com")
    here.run()
    assert codes(here, "crm", twin) == [("its own", "email")]


def test_a_field_that_the_vendor_does_not_show_is_told() -> None:
    here = two()
    here.put("crm", **ANN, title="t0")
    here.run()
    copy = here.refs("list")[0]
    known = here.known("list", copy)
    del known.now["title"]
    with here.store.tx() as tx:
        from sync.store import records

        records.update(tx, [known])
    assert [(each.code, each.group, each.wants) for each in why(here, "list", copy)] == [("unknown", "title", "t0")]


def test_a_record_of_nobody_says_what_it_waits_for() -> None:
    here = two()
    here.run()
    ref = here.put("crm", **ANN)
    pull(here, "crm")
    assert codes(here, "crm", ref) == [("not decided", None)]
    here = two()
    assert codes(here, "list", stranger(here)) == [("unplaced", None)]


def test_a_record_that_may_be_ours_says_that_an_answer_is_waited_for() -> None:
    here = two()
    here.put("crm", **ANN)
    here.fault("list", Fault.CUT_AFTER, "CREATE")
    here.run()
    here.run()
    assert codes(here, "list", here.refs("list")[0]) == [("awaits create", None)]


def test_a_record_that_was_never_read_says_whether_all_was() -> None:
    here = two()
    ref = Ref("person", "4711")
    with here.store.read() as tx:
        found = look.why(here.engine, tx, here.id("crm"), ref.object, ref.id)
    assert (found.known, found.lead, found.record) == (False, None, "person:4711")
    assert [each.text for each in why(here, "crm", ref) if each.code == "unread"] == [
        "the system has not been read whole yet"
    ]
    here.run()
    assert [each.text for each in why(here, "crm", ref)] == ["it was never read"]


def test_a_system_that_is_new_or_backs_off_is_told_first() -> None:
    here = two(first="approve")
    ref = here.put("crm", **ANN)
    here.fault("crm", Fault.FORBIDDEN, "HISTORY")
    here.run()
    assert codes(here, "crm", ref)[0] == ("new", None)
    here.run(wanted=here.hashes())
    assert codes(here, "crm", ref) == []
    here.fault("crm", Fault.ERROR, times=1)
    here.run()
    (reason,) = why(here, "crm", ref)
    assert (reason.code, reason.text.startswith("the system backs off: SM")) == ("backs off", True)


# --- status ----------------------------------------------------------------------------------------------------------


def counted(here: Installation, system: str) -> Any:
    (found,) = [each for each in status(here).systems if each.name == system]
    return found


def test_the_status_counts_what_one_counts_by_hand() -> None:
    temper = replace(CUTTING, choices={"a": ("a0",)})
    here = Installation(
        {"crm": There(), "list": There(temper)}, rules=Rules({"city": Policy("ask"), "address": Policy("ask")})
    )
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"P{i}x", a="a0") for i in range(6)]
    here.run()
    copies = here.refs("list")
    for ref in refs[:2]:
        here.edit("crm", ref, title="Head of Sales and Marketing")
    for ref in refs[:3]:
        here.edit("crm", ref, a="a1")
    here.edit("crm", refs[4], city="Oslo")
    here.edit("list", copies[4], city="Bergen")
    here.run()
    here.vendors["list"].remove(copies[5])
    here.edit("crm", refs[3], title="t1")
    here.fault("list", Fault.CUT, "UPDATE")
    here.run()
    here.edit("crm", refs[4], k="k1")
    with here.units() as units:
        units.pull()
        units.decide()
    here.edit("crm", refs[2], k="k2")
    pull(here, "crm")
    told = status(here)
    crm, there = counted(here, "crm"), counted(here, "list")
    assert (crm.records, there.records) == (len(here.refs("crm")), len(here.refs("list")))
    assert (there.settled, crm.settled) == ({"lossy": 2, "refused": 3}, {})
    assert (there.waiting, crm.waiting) == ({"sending": 1, "queued": 1}, {})
    assert (told.leads, told.frozen, told.dirty) == (6, 1, 1)
    assert told.reviews == {"conflict": 1, "refused": 1}
    with here.store.read() as tx:
        live = tx.value(
            sa.select(sa.func.count()).where(record_table.c.system == here.id("list"), record_table.c.state == 0)
        )
    assert live == there.records


def test_the_status_tells_of_each_system_how_far_it_was_read_and_how_it_is() -> None:
    here = two()
    assert [(each.name, each.primed, each.read_until, each.state) for each in status(here).systems] == [
        ("crm", False, None, "new"),
        ("list", False, None, "new"),
    ]
    here.put("crm", **ANN)
    here.run()
    began = here.world.now()
    crm = counted(here, "crm")
    assert (crm.connector, crm.primed, crm.state, crm.read_until, crm.trouble) == ("memory", True, "live", began, None)
    here.fault("list", Fault.RATE, value=7200.0)
    here.run()
    there = counted(here, "list")
    assert there.not_before == here.world.now() + 7_200_000_000
    assert there.trouble.startswith("SM")
    here.there.pop("list")
    here.configured()
    assert counted(here, "list").state == "not configured"


def test_the_status_tells_the_last_runs_and_what_they_asked_for() -> None:
    here = two()
    here.put("crm", **ANN)
    numbers = [here.run().run for _ in range(7)]
    told = status(here)
    assert [each.id for each in told.runs] == numbers[:1:-1]
    before = len(here.vendors["crm"].requests())
    here.run()
    assert counted(here, "crm").requests == len(here.vendors["crm"].requests()) - before
