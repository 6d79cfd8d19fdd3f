"""Claim, call, settle: what happens when the world moves between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.backdoor import Fault
from connectors.base import State, WriteKind
from connectors.errors import Retry
from connectors.memory_records import Temperament
from sync.rules import Policy, Rules
from sync.store import leads, outbox
from tests.sync.installation import ANN, OLA, PLAIN, Installation, Meddling, There

IDS_ONLY = replace(PLAIN, returns_fields=False)
"""A vendor that answers an id and no values."""
WITH_VERSIONS = replace(PLAIN, conditional=True)
TEMPERS = {"answers values": PLAIN, "answers ids": IDS_ONLY, "conditional": WITH_VERSIONS}
OWNED = Rules({"title": Policy("owner", (1,))})


class Killed(BaseException):
    """The end of a process in the midst of its work."""


def two(list_: Temperament = PLAIN, **settings: Any) -> tuple[Installation, Meddling]:
    """A sales system whose title was just changed, and a list that has the person as they were."""
    world = Meddling()
    here = Installation({"crm": There(), "list": There(list_)}, world=world, **settings)
    here.put("crm", **ANN, title="t0", a="a0")
    here.run()
    here.later()
    here.edit("crm", here.refs("crm")[0], title="ours")
    here.later()
    return here, world


def settled(here: Installation) -> list[Any]:
    """What both show, after two runs more, and nothing is left to do."""
    here.run()
    here.run()
    assert here.quiet()
    shown = [here.one(name, "title") for name in ("crm", "list")]
    assert shown[0] == shown[1]
    return [shown[0], here.one("list", "a")]


def remembered(here: Installation) -> set[str]:
    """Every value that the history speaks of."""
    lost = {str(each[2]) for body in here.history() for each in body.get("lost", [])}
    return lost | {
        str(each) for body in here.history() for change in body.get("groups", {}).values() for each in change[:2]
    }


# --- an edit between deciding and claiming (F16) -----------------------------------------------------------------


@pytest.mark.parametrize("temper", TEMPERS.values(), ids=TEMPERS)
def test_what_was_decided_before_an_edit_was_read_is_never_sent(temper: Temperament) -> None:
    here, _ = two(temper)
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        here.edit("list", copy, title="theirs")
        units.look("list", copy)
        before = len(here.writes("list"))
        units.push("list")
        assert here.writes("list")[before:] == []
        assert here.one("list", "title") == "theirs"
    assert settled(here)[0] == "theirs", "it came later"
    assert "ours" in remembered(here)


def test_an_edit_of_another_field_that_was_read_voids_the_operation_too() -> None:
    here, _ = two()
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        here.edit("list", copy, a="a1")
        units.look("list", copy)
        units.push("list")
        assert here.one("list", "title") == "t0"
    assert settled(here) == ["ours", "a1"]


def test_a_record_that_was_deleted_meanwhile_is_not_written_to() -> None:
    here, _ = two()
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        here.vendors["list"].remove(copy)
        units.look("list", copy)
        before = len(here.writes("list"))
        units.push("list")
        assert here.writes("list")[before:] == []


# --- an edit between claiming and settling (F16) -----------------------------------------------------------------


@pytest.mark.parametrize("seen", [False, True], ids=["not read", "read before our answer"])
@pytest.mark.parametrize("temper", TEMPERS.values(), ids=TEMPERS)
def test_an_edit_of_the_very_field_while_our_write_is_under_way_is_not_forgotten_once_it_was_read(
    temper: Temperament, seen: bool
) -> None:
    here, world = two(temper)
    (copy,) = here.refs("list")
    with here.units() as units:

        def meddle() -> None:
            here.later()
            here.edit("list", copy, title="theirs")
            if seen:
                units.look("list", copy)

        units.pull()
        units.decide()
        world.at["claimed"] = meddle
        units.push("list")
    title = settled(here)[0]
    if temper.conditional:
        assert title == "theirs", "the vendor refused ours, since the record had moved"
    elif seen:
        assert title == "theirs" or "theirs" in remembered(here)
    else:
        assert title == "ours", "nobody can know of it where the vendor takes no conditions"


@pytest.mark.parametrize("temper", TEMPERS.values(), ids=TEMPERS)
def test_an_edit_of_another_field_while_our_write_is_under_way_arrives(temper: Temperament) -> None:
    here, world = two(temper)
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        world.at["claimed"] = lambda: here.edit("list", copy, a="a1")
        units.push("list")
    assert settled(here) == ["ours", "a1"]
    assert here.one("crm", "a") == "a1"


def test_our_write_shown_by_a_feed_before_its_answer_is_no_edit() -> None:
    here, world = two(IDS_ONLY)
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        world.at["request"] = lambda: None
        before = here.lead().rev

        def echo() -> None:
            world.at["answered"] = lambda: units.look("list", copy)

        world.at["claimed"] = echo
        units.push("list")
        units.decide()
    assert (settled(here)[0], here.lead().rev) == ("ours", before)
    assert len([each for each in here.writes("list") if each == "UPDATE"]) == 1


# --- two steps (F7) ----------------------------------------------------------------------------------------------


def test_an_edit_read_between_the_two_steps_of_a_new_address_voids_the_second() -> None:
    world = Meddling()
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))}, world=world)
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.vendors["mail"].opt_out("ann@example.com")
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com", title="ours")
    here.later()
    (copy,) = here.refs("mail")
    with here.units() as units:

        def meddle() -> None:
            here.later()
            here.edit("mail", copy, title="theirs")
            units.look("mail", copy)

        units.pull()
        units.decide()
        world.at["claimed"] = meddle
        units.push("mail")
        assert here.shown("mail", "email", "title") == [["ann@example.com", "theirs"]]
    here.run()
    here.run()
    assert here.shown("mail", "email", "title", "consent") == [["ann.berg@example.com", "theirs", "out"]]
    assert here.shown("crm", "email", "title", "consent") == [["ann.berg@example.com", "theirs", "out"]]
    assert here.quiet()


def test_a_new_address_whose_opt_out_got_no_answer_waits_and_is_opted_out_again_first() -> None:
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["mail"].opt_out("ann@example.com")
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    here.fault("mail", Fault.CUT, "WITHDRAW")
    here.run()
    assert here.one("mail", "email") == "ann@example.com"
    here.later(700)
    here.run()
    assert here.writes("mail")[-3:] == ["WITHDRAW", "WITHDRAW", "UPDATE"]
    assert (here.one("mail", "email"), here.one("mail", "consent")) == ("ann.berg@example.com", "out")
    assert here.quiet()


# --- what the vendor answers -------------------------------------------------------------------------------------


def test_rows_that_certainly_did_not_leave_wait_and_are_sent_again() -> None:
    here, _ = two()
    here.fault("list", Fault.RATE, "UPDATE", value=120.0)
    report = here.run()
    assert isinstance(report.failures["list"], Retry)
    with here.store.read() as tx:
        assert [state for *_, state in outbox.counts(tx)] == [1]
    here.later(120)
    assert settled(here)[0] == "ours"


def test_a_person_who_is_there_already_is_met_and_not_made_twice() -> None:
    """Somebody entered them over there while we were deciding."""
    world = Meddling()
    unique = replace(PLAIN, unique_email=True)
    here = Installation({"crm": There(), "list": There(unique)}, world=world, rules=Rules(trust=(1,)))
    here.put("crm", **ANN, title="t0")
    here.later()
    with here.units() as units:
        units.pull()
        units.decide()
        world.at["claimed"] = lambda: here.put("list", **ANN, a="a1") and None
        pushed = units.push("list")
        assert pushed.answers == {"exists": 1}
    here.run()
    here.run()
    assert [here.shown(name, "title", "a") for name in ("crm", "list")] == [[["t0", "a1"]]] * 2
    assert (len(here.people()), here.reviews()) == (1, [])
    assert here.quiet()


@pytest.mark.parametrize("state", [State.DELETED, State.ARCHIVED])
def test_a_record_that_is_gone_when_we_write_to_it_is_not_made_again(state: State) -> None:
    world = Meddling()
    here = Installation({"crm": There(), "list": There(replace(PLAIN, removed=state))}, world=world)
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="t1")
    here.later()
    (copy,) = here.refs("list")
    with here.units() as units:
        units.pull()
        units.decide()
        world.at["claimed"] = lambda: here.vendors["list"].remove(copy)
        assert units.push("list").answers == {"gone": 1}
    for _ in range(3):
        here.later(90_000)
        here.run()
    assert (here.refs("list"), here.known("list", copy).state) == ([], state)
    assert here.quiet()


def test_what_a_system_cannot_do_does_not_take_what_it_can_along() -> None:
    """It takes no archiving: its updates go out all the same."""
    no_archive = replace(PLAIN, batch={WriteKind.CREATE: 10, WriteKind.UPDATE: 10})
    here = Installation({"crm": There(), "list": There(no_archive, deletions="archive")})
    ann, ola = here.put("crm", **ANN, title="t0"), here.put("crm", **OLA, title="t0")
    here.run()
    here.vendors["crm"].remove(ann)
    here.run()
    here.later(90_000)
    here.edit("crm", ola, title="t1")
    here.run()
    here.run()
    assert here.shown("list", "title") == ["t0", "t1"]
    assert [each.kind for each in here.reviews()] == ["impossible"]


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_large_backlog_goes_out_in_the_largest_batches_and_each_record_once(parallel: int) -> None:
    sizes = replace(PLAIN, batch=dict.fromkeys(WriteKind, 4), parallel=parallel)
    here = Installation({"crm": There(), "list": There(sizes)})
    for number in range(10):
        here.put("crm", email=f"p{number}@example.com", first="P", last=f"Person{number}x")
    report = here.run()
    assert (report.answers, here.writes("list")) == ({"done": 10}, ["CREATE"] * 3)
    assert len(set(here.shown("list", "email"))) == 10


def test_a_no_goes_out_before_an_update_and_an_update_before_a_create() -> None:
    one_by_one = replace(PLAIN, batch=dict.fromkeys(WriteKind, 1))
    here = Installation({"crm": There(), "list": There(one_by_one)})
    ann = here.put("crm", **ANN, title="t0")
    ola = here.put("crm", **OLA)
    here.run()
    here.put("crm", email="new@example.com", first="Nea", last="Moe")
    here.edit("crm", ann, title="t1")
    here.edit("crm", ola, consent="out")
    here.run()
    bodies = [each.body for each in here.vendors["list"].requests() if each.method in ("CREATE", "UPDATE")][2:]
    assert ["out" in bodies[0], "t1" in bodies[1], "new@example.com" in bodies[2]] == [True] * 3


def test_a_run_that_is_broken_off_leaves_nothing_in_doubt_that_was_not_sent() -> None:
    here, world = two()

    def die() -> None:
        raise Killed

    world.at["decided"] = die
    with pytest.raises(Killed):
        here.run()
    assert settled(here)[0] == "ours"
    with here.store.read() as tx:
        assert leads.count_dirty(tx) == 0


def test_a_run_that_dies_after_its_claim_looks_before_it_sends_again() -> None:
    here, world = two()

    def die() -> None:
        raise Killed

    world.at["claimed"] = die
    before = len(here.writes("list"))
    with pytest.raises(Killed):
        here.run()
    assert here.writes("list")[before:] == []
    here.run()
    assert here.writes("list")[before:] == [], "it may have left: nothing is concluded before the horizon"
    here.later(700)
    assert settled(here)[0] == "ours"
    assert here.writes("list")[before:] == ["UPDATE"]
