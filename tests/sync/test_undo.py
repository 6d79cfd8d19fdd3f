"""Taking a run back: what is told first, what is taken back and what stays, and what the next runs make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.backdoor import Fault
from connectors.base import Ref, State, Value, WriteKind
from sync import run as runner
from sync import undo as undoing
from sync.guard import Limit
from sync.model import Filter
from sync.side_by_side import Report
from sync.store import outbox, runs
from sync.undo import CannotUndo, Undo, preview, systems_of
from tests.sync.installation import ANN, NO_LIMITS, OLA, PLAIN, Installation, Meddling, There, memory_store, two

CUTTING = replace(PLAIN, cut={"title": 10}, tells_lengths=False)


def look(here: Installation, run: int, **how: bool) -> Undo:
    with here.store.read() as tx:
        return preview(here.engine, tx, run, **how)


def queue(here: Installation, run: int, **how: Any) -> Undo:
    """Only say it: nothing is sent before the next run."""
    with here.store.tx() as tx:
        return undoing.undo(here.engine, tx, run, "ann", "a mistake", **how)[1]


def take_back(here: Installation, run: int, **how: Any) -> Report:
    here.later()
    return runner.act(here.engine, lambda tx: undoing.undo(here.engine, tx, run, "ann", "a mistake", **how)[0])


def lost(here: Installation, run: int, **how: bool) -> list[str]:
    return [why for _, why in look(here, run, **how).lost]


def titled(here: Installation, before: str = "t0", after: str = "t1", **more: Value) -> tuple[Ref, Ref, int]:
    """Ann in both systems, and a run that took her new title, and `more`, from one to the other."""
    ref = here.put("crm", **ANN, title=before, a="a0")
    here.run()
    (copy,) = here.refs("list")
    here.edit("crm", ref, title=after, **more)
    return ref, copy, here.run().run


def carried(here: Installation, ref: Ref, *titles: str) -> int:
    """One run that takes these titles from the CRM to the list, one after the other."""
    with here.units() as units:
        for title in titles:
            here.later()
            here.edit("crm", ref, title=title)
            units.pull()
            units.decide()
            units.push("list")
    with here.store.tx() as tx:
        runs.end(tx, units.run, "done", {}, here.world.now())
    return units.run


# --- what is taken back, and what holds it ---------------------------------------------------------------------------


def test_a_value_that_a_run_wrote_is_taken_back_and_the_edit_it_came_from_stays() -> None:
    here = two()
    _, _, run = titled(here)
    assert (look(here, run).lost, look(here, run).count) == ([], 1)
    report = take_back(here, run)
    assert (report.state, report.answers) == ("done", {"done": 1})
    assert (here.one("crm", "title"), here.one("list", "title")) == ("t1", "t0")
    assert here.lead().value["title"] == "t1"
    assert here.quiet(), "what was undone is held"


def test_what_was_undone_is_held_until_the_lead_says_something_else() -> None:
    here = two()
    ref, _, run = titled(here)
    take_back(here, run)
    here.edit("crm", ref, a="a1")
    here.run()
    assert here.shown("list", "title", "a") == [["t0", "a1"]], "another value of the person flows on"
    here.edit("crm", ref, title="t2")
    here.run()
    assert here.one("list", "title") == "t2"
    assert here.quiet()


def test_with_values_the_lead_is_set_back_and_so_is_the_system_that_the_edit_came_from() -> None:
    here = two()
    _, _, run = titled(here)
    found = look(here, run, values=True)
    assert (found.count, found.values) == (2, {here.lead().id: {"title": ["t0", "t1"]}})
    take_back(here, run, values=True)
    assert [here.one(name, "title") for name in ("crm", "list")] == ["t0", "t0"]
    assert here.lead().value["title"] == "t0"
    assert here.lead().origin["title"][3] == "undo"
    assert here.quiet()


def test_a_lead_whose_value_moved_since_is_not_set_back() -> None:
    here = two()
    ref, _, run = titled(here)
    here.edit("crm", ref, title="t2")
    here.run()
    found = look(here, run, values=True)
    assert (found.count, {why for _, why in found.lost}) == (
        0,
        {"its value has changed since", "somebody has changed it since"},
    )


def test_an_address_that_was_set_back_is_the_leads_own_again_and_the_other_is_not() -> None:
    here = two()
    ref = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    take_back(here, here.run().run, values=True)
    here.put("list", email="ann.berg@example.com", title="whoever has it now")
    here.run()
    assert here.shown("crm", "email", "title") == [
        ["ann@example.com", None],
        ["ann.berg@example.com", "whoever has it now"],
    ]


def test_a_value_set_back_in_the_lead_goes_to_systems_where_another_was_settled_for() -> None:
    """The list could not take the new title whole: what it was settled for there says nothing of the old one."""
    here = Installation({"crm": There(), "list": There(CUTTING)})
    _, copy, run = titled(here, "Head of Sales and Marketing", "Chief")
    here.edit("list", copy, a="a1")
    here.run()
    take_back(here, run, values=True)
    assert [here.one(name, "title") for name in ("crm", "list")] == ["Head of Sales and Marketing", "Head of Sa"]
    assert here.quiet()


def test_a_run_that_wrote_a_field_twice_gives_it_its_first_value_back() -> None:
    here = two()
    ref, _, _ = titled(here)
    run = carried(here, ref, "t2", "t3")
    found = look(here, run)
    assert (found.lost, [each.fields for each in found.back.values()]) == ([], [{"title": ("t3", "t1")}])
    take_back(here, run)
    assert here.one("list", "title") == "t1"


def test_a_value_that_came_back_cut_is_still_ours_and_is_taken_back() -> None:
    here = Installation({"crm": There(), "list": There(CUTTING)})
    _, _, run = titled(here, "Chief", "Head of Sales and Marketing")
    assert here.one("list", "title") == "Head of Sa"
    assert look(here, run).lost == []
    take_back(here, run)
    assert here.one("list", "title") == "Chief"
    assert here.quiet()


def test_a_cut_value_that_somebody_typed_over_is_not_ours_any_more() -> None:
    here = Installation({"crm": There(), "list": There(CUTTING)})
    ref, copy, run = titled(here, "Chief", "Head of Sales and Marketing")
    here.edit("list", copy, title="Head")
    with here.units() as units:
        units.pull("list")
    assert lost(here, run) == ["somebody has changed it since"]
    here.run()
    here.edit("crm", ref, title="Head of Sales and Marketing")
    here.run()
    assert lost(here, run) == ["somebody has changed it since"]


def test_what_a_vendor_without_answers_got_is_taken_back_there_too() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, returns_fields=False))})
    _, _, run = titled(here)
    take_back(here, run)
    assert here.one("list", "title") == "t0"
    here.run()
    assert here.quiet()


# --- what cannot be taken back is told first -------------------------------------------------------------------------


@pytest.mark.parametrize("taken_in", [False, True])
def test_a_field_that_somebody_changed_since_stays_and_the_other_is_taken_back(taken_in: bool) -> None:
    here = two()
    _, copy, run = titled(here, a="a1")
    here.edit("list", copy, title="by hand")
    if taken_in:
        here.run()
    else:
        with here.units() as units:
            units.pull("list")
    found = look(here, run)
    assert found.lost == [(f"list {copy} title", "somebody has changed it since")]
    assert [each.fields for each in found.back.values()] == [{"a": ("a1", "a0")}]
    take_back(here, run)
    assert here.shown("list", "title", "a") == [["by hand", "a0"]]


def test_a_field_written_by_a_later_run_is_not_taken_back_with_the_earlier_one() -> None:
    here = two()
    ref, _, run = titled(here)
    here.edit("crm", ref, title="t2")
    later = here.run().run
    assert lost(here, run) == ["somebody has changed it since"]
    assert take_back(here, run).answers == {}
    take_back(here, later)
    assert here.one("list", "title") == "t1"


@pytest.mark.parametrize(("happens", "told"), [("remove", "it is deleted over there"), ("merge", "it is merged over there")])  # fmt: skip
def test_a_record_that_is_gone_is_left_alone(happens: str, told: str) -> None:
    here = two()
    _, copy, run = titled(here)
    if happens == "remove":
        here.vendors["list"].remove(copy)
    else:
        twin = here.put("list", email="twin@example.com", first="Ann", last="Berg")
        here.run()
        here.vendors["list"].merge(twin, copy)
    here.run()
    assert (lost(here, run), look(here, run).count) == ([told], 0)


def test_people_who_became_one_are_told_and_stay_one() -> None:
    here = two()
    kept, gone = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    here.vendors["crm"].merge(kept, gone)
    run = here.run().run
    told = look(here, run)
    assert [why for what, why in told.lost if what.startswith("lead ")] == [
        'it was joined with another; "smarketing leads split" takes that back'
    ]
    take_back(here, run)
    assert len(here.people()) == 1


def test_a_system_that_is_not_configured_any_more_is_told() -> None:
    here = two()
    _, _, run = titled(here)
    here.there.pop("list")
    here.configured()
    assert lost(here, run) == ["its system is not configured any more"]


def test_an_object_that_is_not_mapped_any_more_is_told() -> None:
    both = replace(PLAIN, objects=("person", "contact"))
    here = Installation({"crm": There(), "list": There(both)})
    _, _, run = titled(here)
    here.change("list", temper=replace(PLAIN, objects=("contact",)))
    mapping = here.engine.system("list").mapping
    del mapping.objects["person"]  # type: ignore[attr-defined]
    assert lost(here, run) == ["its object is not mapped any more"]


def test_a_system_that_takes_no_changes_any_more_is_told() -> None:
    here = two()
    _, _, run = titled(here)
    here.change("list", writes="none")
    assert lost(here, run) == ["this system takes no changes"]
    assert take_back(here, run).answers == {}


def test_a_run_in_doubt_is_left_alone_until_it_is_settled() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="t1")
    run = here.run().run
    here.edit("crm", ref, a="a1")
    here.fault("list", Fault.CUT, "UPDATE")
    here.run()
    assert lost(here, run) == ["something is being sent to it; try again when that is settled"]
    here.later(700)
    here.run()
    here.run()
    assert (lost(here, run), look(here, run).count) == ([], 1)


def test_a_write_whose_answer_was_lost_belongs_to_its_run_and_is_taken_back_with_it() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="t1")
    here.fault("list", Fault.CUT_AFTER, "UPDATE")
    run = here.run().run
    here.later(700)
    here.run()
    assert (lost(here, run), look(here, run).count) == ([], 1)
    take_back(here, run)
    assert here.one("list", "title") == "t0"


def test_what_was_never_there_or_is_under_way_cannot_be_undone() -> None:
    here = two()
    with pytest.raises(CannotUndo, match="there is no run 99"):
        look(here, 99)
    with here.units() as units, pytest.raises(CannotUndo, match="still under way"):
        look(here, units.run)


# --- what a run made -------------------------------------------------------------------------------------------------


def test_a_record_that_a_run_made_is_archived_and_is_not_made_again() -> None:
    here = two()
    ref = here.put("crm", **ANN)
    run = here.run().run
    (copy,) = here.refs("list")
    assert (look(here, run).lost, [each.archive for each in look(here, run).back.values()]) == ([], [True])
    take_back(here, run)
    assert (here.refs("list"), len(here.refs("crm"))) == ([], 1)
    assert here.known("list", copy).state is State.ARCHIVED
    here.edit("crm", ref, title="t1")
    assert here.run().answers == {}
    assert (here.refs("list"), here.quiet()) == ([], True)


@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize("edit", [{"first": "Anna"}, {"title": "typed over there"}, {"consent": "out"}])
def test_a_record_that_somebody_touched_is_not_archived(edit: dict[str, str], taken_in: bool) -> None:
    here = two()
    here.put("crm", **ANN)
    run = here.run().run
    here.edit("list", here.refs("list")[0], **edit)
    if taken_in:
        here.run()
    else:
        with here.units() as units:
            units.pull("list")
    assert (lost(here, run), look(here, run).count) == (["it was made, and somebody has changed it since"], 0)


def test_what_a_vendor_filled_in_by_itself_is_nobodys_touch() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, defaults={"stage": "lead"}))})
    here.put("crm", **ANN)
    run = here.run().run
    assert here.one("list", "stage") == "lead"
    assert (lost(here, run), look(here, run).count) == ([], 1)


def test_a_cut_value_of_a_record_that_a_run_made_is_nobodys_touch() -> None:
    here = Installation({"crm": There(), "list": There(CUTTING)})
    here.put("crm", **ANN, title="Head of Sales and Marketing")
    run = here.run().run
    assert (lost(here, run), look(here, run).count) == ([], 1)


def test_a_record_that_one_run_made_and_then_changed_is_archived() -> None:
    here = two()
    run = carried(here, here.put("crm", **ANN, title="t0"), "t0", "t1")
    assert here.writes("list") == ["CREATE", "UPDATE"]
    assert (lost(here, run), look(here, run).count) == ([], 1)
    take_back(here, run)
    assert here.refs("list") == []


def test_a_record_made_after_its_address_was_opted_out_is_archived_and_the_no_stays() -> None:
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))})
    here.put("crm", **ANN, consent="out")
    run = here.run().run
    assert here.writes("mail") == ["WITHDRAW", "CREATE"]
    found = look(here, run)
    assert [each.archive for each in found.back.values()] == [True]
    assert [why for _, why in found.lost] == ["a no to being mailed is not taken back with a run"]
    take_back(here, run)
    assert here.refs("mail") == []


@pytest.mark.parametrize("fault", [None, Fault.CUT_AFTER])
def test_what_an_undo_archived_is_no_deletion_by_a_person(fault: Fault | None) -> None:
    """The list shows what we archived as deleted, and deletions are followed in the CRM."""
    here = Installation({"crm": There(deletions="archive"), "list": There()})
    here.put("crm", **ANN)
    run = here.run().run
    (copy,) = here.refs("list")
    if fault is not None:
        here.fault("list", fault, "ARCHIVE")
    take_back(here, run)
    for _ in range(3):
        here.later(25 * 3600)
        here.hint("list", copy)
        here.run()
    assert (len(here.refs("crm")), here.refs("list")) == (1, [])


def test_a_record_made_in_a_system_that_cannot_archive_is_told() -> None:
    keeping = replace(PLAIN, batch={WriteKind.CREATE: 10, WriteKind.UPDATE: 10})
    here = Installation({"crm": There(), "list": There(keeping)})
    here.put("crm", **ANN)
    run = here.run().run
    assert lost(here, run) == ["it was made, and this system cannot archive"]


def test_a_system_in_which_nothing_may_be_archived_keeps_what_a_run_made() -> None:
    here = two()
    here.put("crm", **ANN)
    run = here.run().run
    here.change("list", writes="update")
    assert lost(here, run) == ["it was made, and this system cannot archive"]


def test_what_a_run_archived_is_told_and_stays_archived() -> None:
    here = Installation({"crm": There(), "list": There(deletions="archive")})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].remove(ref)
    here.run()
    here.later(25 * 3600)
    run = here.run().run
    assert (here.refs("list"), lost(here, run), look(here, run).count) == ([], ["it is archived over there"], 0)


def test_a_person_made_because_of_a_value_that_is_set_back_with_it_is_archived() -> None:
    here = Installation({"crm": There(), "list": There(filters=(Filter("title", "title", "eq", "VIP"),))})
    ref = here.put("crm", **ANN, title="none")
    here.run()
    here.edit("crm", ref, title="VIP")
    run = here.run().run
    assert look(here, run, values=True).count == 2
    take_back(here, run, values=True)
    assert (here.one("crm", "title"), here.refs("list")) == ("none", [])
    assert here.quiet()


# --- consent ---------------------------------------------------------------------------------------------------------


def opted_out(before: str | None = "in") -> tuple[Installation, int]:
    """Ann may be mailed according to the list, says no in the CRM, and a run carried that over."""
    here = two()
    ref = here.put("crm", **ANN)
    here.put("list", **ANN, consent=before)
    here.run()
    here.edit("crm", ref, consent="out")
    return here, here.run().run


def test_an_opt_out_is_not_taken_back_with_a_run() -> None:
    here, run = opted_out()
    assert here.one("list", "consent") == "out"
    assert lost(here, run, values=True) == ["a no to being mailed is not taken back with a run"]
    take_back(here, run, values=True)
    assert ([here.one(name, "consent") for name in ("crm", "list")], here.lead().value["consent.email"]) == (
        ["out", "out"],
        "out",
    )


def test_an_opt_out_that_we_wrote_is_taken_back_only_by_name_where_the_system_said_yes() -> None:
    here, run = opted_out()
    assert (lost(here, run, consent=True), look(here, run, consent=True).count) == ([], 1)
    take_back(here, run, consent=True)
    assert [here.one(name, "consent") for name in ("crm", "list")] == ["out", "in"], "what a person said stays"
    assert here.lead().value["consent.email"] == "out"
    assert here.quiet()


def test_an_opt_out_where_the_system_said_nothing_before_is_not_taken_back() -> None:
    here, run = opted_out(None)
    assert lost(here, run, consent=True) == ["a no to being mailed is not taken back with a run"]
    take_back(here, run, consent=True)
    assert here.one("list", "consent") == "out"


@pytest.mark.parametrize("why", ["", "  "])
def test_an_opt_out_is_not_taken_back_without_a_reason(why: str) -> None:
    here, run = opted_out()
    with here.store.tx() as tx, pytest.raises(CannotUndo, match="reason"):
        undoing.undo(here.engine, tx, run, "ann", why, consent=True)


def test_an_opt_out_that_a_person_said_over_there_since_is_not_taken_back() -> None:
    here, run = opted_out()
    (copy,) = here.refs("list")
    here.edit("list", copy, consent="in")
    here.edit("list", copy, consent="out")
    here.edit("list", copy, consent=None)
    here.run()
    assert lost(here, run, consent=True) != []
    take_back(here, run, consent=True)
    assert here.one("list", "consent") == "out"


# --- undoing twice, and undoing an undo ------------------------------------------------------------------------------


def test_a_second_undo_of_the_same_run_does_nothing() -> None:
    here = two()
    _, _, run = titled(here)
    take_back(here, run)
    assert (lost(here, run), look(here, run).count) == (["somebody has changed it since"], 0)
    assert take_back(here, run).answers == {}
    assert here.one("list", "title") == "t0"


def test_a_second_undo_before_the_first_was_sent_changes_nothing() -> None:
    here = two()
    _, _, run = titled(here)
    queue(here, run)
    again = queue(here, run)
    assert (again.count, [why for _, why in again.lost]) == (0, ["an undo of it is waiting to be sent"])
    here.run()
    assert here.one("list", "title") == "t0"


def test_an_undo_is_undone_like_any_run() -> None:
    here = two()
    _, _, run = titled(here)
    undone = take_back(here, run).run
    assert (lost(here, undone), look(here, undone).count) == ([], 1)
    take_back(here, undone)
    assert here.one("list", "title") == "t1"
    assert here.quiet()


def test_an_undo_that_set_the_lead_back_is_undone_with_the_lead() -> None:
    here = two()
    _, _, run = titled(here)
    undone = take_back(here, run, values=True).run
    take_back(here, undone, values=True)
    assert [here.one(name, "title") for name in ("crm", "list")] == ["t1", "t1"]
    assert here.lead().value["title"] == "t1"
    assert here.quiet()


# --- told, counted, kept ---------------------------------------------------------------------------------------------


def test_an_undo_is_a_run_with_who_and_why_and_stands_in_the_history() -> None:
    here = two()
    _, copy, run = titled(here)
    report = take_back(here, run, values=True)
    with here.store.read() as tx:
        told = runs.by_id(tx, report.run)
        past = list(runs.of_run(tx, report.run))
    assert told is not None
    assert (told.kind, told.who, told.why, told.undoes, told.state) == ("undo", "ann", "a mistake", run, "done")
    values = [each.body["groups"] for each in past if each.record is None]
    assert values == [{"title": ["t1", "t0", None, "undo", True]}]
    written = {each.record: each.body["fields"] for each in past if each.record is not None}
    assert written[here.known("list", copy).id] == {"title": ["t1", "t0"]}


def test_the_count_is_what_is_really_done() -> None:
    here = two()
    refs = [here.put("crm", **each, title="t0") for each in (ANN, OLA)]
    here.run()
    copies = here.refs("list")
    for ref in refs:
        here.edit("crm", ref, title="t1")
    here.put("crm", email="new@example.com", first="New", last="Person")
    run = here.run().run
    here.edit("list", copies[0], title="by hand")
    here.run()
    found = look(here, run)
    assert (found.count, list(systems_of(here.engine, found))) == (2, [("list", 2)])
    before = len(here.writes("list"))
    report = take_back(here, run)
    assert (report.answers, here.writes("list")[before:]) == ({"done": 2}, ["ARCHIVE", "UPDATE"])
    assert here.shown("list", "title") == ["by hand", "t0"]


# --- between saying it and sending it --------------------------------------------------------------------------------


def test_an_undo_that_was_said_and_not_sent_is_carried_out_by_the_next_run() -> None:
    here = two()
    _, _, run = titled(here)
    queue(here, run)
    assert here.one("list", "title") == "t1"
    here.configured()
    here.run()
    assert here.one("list", "title") == "t0"
    assert here.quiet()


def test_other_news_of_the_person_meanwhile_does_not_replace_an_undo() -> None:
    here = two()
    ref, copy, run = titled(here)
    queue(here, run)
    here.edit("crm", ref, a="a1")
    here.edit("list", copy, city="Bergen")
    here.run()
    here.run()
    assert here.shown("list", "title", "a", "city") == [["t0", "a1", "Bergen"]]
    assert (here.one("crm", "city"), here.one("crm", "title")) == ("Bergen", "t1")
    assert here.quiet()


def test_what_waited_to_be_sent_when_an_undo_took_its_place_is_not_forgotten() -> None:
    here = two()
    ref, _, run = titled(here)
    here.configured(limits=replace(NO_LIMITS, update=Limit(0, 0.0)))
    here.edit("crm", ref, a="a1")
    assert here.run().held == 1
    queue(here, run)
    here.configured(limits=NO_LIMITS)
    here.run()
    assert here.shown("list", "title", "a") == [["t0", "a1"]]
    assert here.quiet()


def test_a_field_that_somebody_changes_before_an_undo_is_sent_stays_and_the_other_is_taken_back() -> None:
    here = two()
    _, copy, run = titled(here, a="a1")
    queue(here, run)
    here.edit("list", copy, title="by hand")
    here.run()
    here.run()
    assert here.shown("list", "title", "a") == [["by hand", "a0"]]
    assert here.shown("crm", "title", "a") == [["by hand", "a1"]]
    assert here.quiet()


def test_a_new_value_of_the_lead_before_an_undo_is_sent_counts() -> None:
    here = two()
    ref, _, run = titled(here)
    queue(here, run)
    here.edit("crm", ref, title="t2")
    here.run()
    here.run()
    assert here.shown("list", "title") == ["t2"]
    assert here.quiet()


def test_a_record_that_somebody_touches_before_its_archiving_is_sent_stays() -> None:
    here = two()
    here.put("crm", **ANN)
    run = here.run().run
    queue(here, run)
    here.edit("list", here.refs("list")[0], title="typed over there")
    here.run()
    assert here.shown("list", "title") == ["typed over there"]
    assert here.one("crm", "title") == "typed over there"


@pytest.mark.parametrize(("fault", "sent"), [(Fault.CUT, 2), (Fault.CUT_AFTER, 1)])
def test_an_undo_whose_answer_is_lost_is_done_once_it_is_known_what_became_of_it(fault: Fault, sent: int) -> None:
    here = two()
    _, _, run = titled(here)
    before = len(here.writes("list"))
    here.fault("list", fault, "UPDATE")
    take_back(here, run)
    here.later(700)
    here.run()
    here.run()
    assert (here.one("list", "title"), len(here.writes("list")) - before) == ("t0", sent)
    assert here.quiet()


def test_an_undo_that_meets_a_newer_version_of_its_record_is_sent_again() -> None:
    world = Meddling()
    there = There(replace(PLAIN, conditional=True))
    here = Installation({"crm": There(), "list": there}, store=memory_store(world), world=world)
    _, copy, run = titled(here)
    queue(here, run)
    world.at["claimed"] = lambda: here.edit("list", copy, city="Bergen")
    here.run()
    here.run()
    assert here.shown("list", "title", "city") == [["t0", "Bergen"]]
    assert here.quiet()


def test_an_undo_waits_for_a_system_that_fails() -> None:
    here = two()
    _, _, run = titled(here)
    here.fault("list", Fault.ERROR, "GET", times=1)
    here.fault("list", Fault.RATE, "UPDATE", times=1)
    assert take_back(here, run).state == "failed"
    with here.store.read() as tx:
        assert sum(outbox.counts(tx).values()) == 1
    here.run()
    assert here.one("list", "title") == "t0"
