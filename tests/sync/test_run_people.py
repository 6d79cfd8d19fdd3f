"""Who is who after a run: twins, merges, shared addresses, swaps, deletions, filters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import State
from connectors.memory_records import Deletes
from sync.model import Filter
from sync.rules import Rules
from tests.sync.installation import ANN, OLA, PLAIN, Installation, There, two
from tests.sync.stories import delete, stranger, swap

# --- who is who ------------------------------------------------------------------------------------------------------


def test_twins_of_one_system_are_one_person_and_each_keeps_its_address() -> None:
    here = Installation({"crm": There(mapping={"emails": {"remote": "more", "as": "emails"}}), "list": There()})
    here.put("crm", **ANN, title="t0")
    here.run()
    twin = here.put("crm", email="ann@example.com", first="Ann", last="Berg", title="t0")
    here.run()
    here.edit("crm", twin, email="a.berg@example.com", title="t1")
    here.run()
    assert here.shown("crm", "email", "title") == [["ann@example.com", "t1"], ["a.berg@example.com", "t1"]]
    assert here.shown("list", "email", "title") == [["ann@example.com", "t1"]]
    assert len(here.people()) == 1
    assert here.quiet()


@pytest.mark.parametrize("makes_new", [False, True])
def test_records_merged_over_there_stay_one_person(makes_new: bool) -> None:
    here = Installation({"crm": There(replace(PLAIN, merge_makes_new=makes_new)), "list": There()})
    kept, lost = (
        here.put("crm", **ANN, title="t0"),
        here.put("crm", email="a.b@example.com", first="Ann", last="Berg", a="a1"),
    )
    here.run()
    assert len(here.people()) == 2
    here.vendors["crm"].merge(kept, lost)
    here.run()
    here.run()
    assert len(here.people()) == 1
    assert here.lead().value["title"] == "t0"
    assert [each["merged"] for each in here.history() if "merged" in each] != []


def test_two_people_of_one_role_address_stay_two() -> None:
    here = two()
    for name in ("Ann", "Ola"):
        here.put("crm", email="info@example.com", first=name, last=f"{name}sen")
    here.put("list", email="info@example.com", first="Ola", last="Olasen")
    here.run()
    assert len(here.people()) == 2
    assert sorted(here.shown("list", "first")) == ["Ann", "Ola"]
    assert here.quiet()


def test_each_of_several_who_share_an_address_that_is_unique_over_there_is_asked_about() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    for first, last in (("Ann", "Berg"), ("Ola", "Dahl"), ("Kari", "Moe")):
        here.put("crm", email="info@example.com", first=first, last=last)
    here.run()
    asked = here.reviews("two leads")
    there = here.id("list")
    homes = {each.id: any(k.system == there and k.ext is not None for k in here.sides(each)) for each in here.people()}
    (one,) = [number for number, at_home in homes.items() if at_home]
    others = homes.keys() - {one}
    assert {frozenset(each.body["leads"]) for each in asked} == {frozenset({one, other}) for other in others}


def test_an_address_that_two_held_links_nobody_without_a_name_even_when_one_has_left() -> None:
    """Shared for good: Ann and Ola had it at once, Ola left, and whoever comes now may be either."""
    here = two()
    stranger(here)
    assert [each.kind for each in here.reviews()] == ["identity"]
    assert here.shown("crm", "title") == [None, None]


def test_an_address_that_somebody_gave_up_is_not_theirs_any_more() -> None:
    here = two()
    ann = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ann, email="ann.berg@example.com")
    here.run()
    here.put("list", email="ann@example.com", title="whoever has it now")
    here.run()
    assert here.shown("crm", "email", "title") == [
        ["ann.berg@example.com", None],
        ["ann@example.com", "whoever has it now"],
    ]
    assert (len(here.people()), here.reviews()) == (2, [])


def test_two_who_swap_addresses_where_an_address_is_unique_are_put_to_a_person() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    swap(here)
    assert [each.kind for each in here.reviews()] == ["circle"]
    assert here.shown("list", "first", "email") == [["Ann", "ann@example.com"], ["Ola", "ola@example.com"]]
    assert here.quiet()


def test_two_may_swap_addresses_where_only_our_key_is_unique() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, own_key=True))})
    refs = [here.put("crm", **each) for each in (ANN, OLA)]
    here.run()
    for ref, other in zip(refs, (OLA, ANN), strict=True):
        here.edit("crm", ref, email=other["email"])
    here.run()
    assert sorted(here.shown("list", "first", "email")) == [["Ann", "ola@example.com"], ["Ola", "ann@example.com"]]
    assert here.reviews() == []
    assert here.quiet()


def test_a_plan_tells_of_people_who_have_just_become_one() -> None:
    here = two()
    first, second = (here.put("crm", **{**ANN, "email": f"{each}@example.com"}) for each in ("ann", "anne"))
    here.run()
    here.vendors["crm"].merge(first, second)
    here.edit("crm", first, title="chief")
    _, lines = here.plan()
    assert [line.system for line in lines] == ["list", "list"]


def test_addresses_move_along_a_chain_in_order() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    refs = [here.put("crm", email=f"p{i}@example.com", first=f"First{i}", last=f"Last{i}x") for i in range(3)]
    here.run()
    for i in (2, 1, 0):
        here.edit("crm", refs[i], email=f"p{i + 1}@example.com")
    here.run()
    here.run()
    assert here.shown("list", "first", "email") == [[f"First{i}", f"p{i + 1}@example.com"] for i in range(3)]
    assert here.reviews() == []


# --- deletions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deletions", "left"), [("ignore", 1), ("archive", 0)])
def test_a_deletion_is_followed_only_where_the_configuration_wants_it_and_after_its_grace(
    deletions: str, left: int
) -> None:
    here = Installation({"crm": There(), "list": There(deletions=deletions)})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].remove(ref)
    here.run()
    assert len(here.refs("list")) == 1, "still in its grace"
    here.later(25 * 3600)
    here.run()
    assert len(here.refs("list")) == left
    assert here.quiet()


def test_a_deletion_that_was_taken_back_within_its_grace_is_none() -> None:
    here = Installation({"crm": There(), "list": There(deletions="archive")})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].remove(ref)
    here.run()
    here.vendors["crm"]._held._commit(here.vendors["crm"]._held.rows[ref], dict(ANN), here.known("crm", ref).writer)
    here.later(25 * 3600)
    here.run()
    assert len(here.refs("list")) == 1


@pytest.mark.parametrize("linked", [True, False])
def test_what_was_read_of_a_record_before_it_was_merged_away_is_not_forgotten(linked: bool) -> None:
    """Whoever merges chooses between what both show; the other value stands in the history (F11)."""
    here = Installation({"crm": There(replace(PLAIN, merge_makes_new=True)), "list": There()})
    if linked:
        here.put("list", **ANN)
    older = here.put("crm", **ANN, title="t0")
    if linked:
        here.run()
    younger = here.put("crm", **ANN, title="x0")
    with here.units() as units:
        units.pull()
        if linked:
            units.decide()
        here.edit("crm", older, title="t1")
        here.later(30)
        units.pull("crm")
        here.vendors["crm"].merge(younger, older)
        units.pull("crm")
        units.decide()
    told = [lost for body in here.history() for lost in body.get("lost", [])]
    assert "t1" in [value for _, _, value, _ in told] or here.lead().value["title"] == "t1"


def test_what_was_deleted_here_and_edited_there_since_is_put_to_a_person() -> None:
    here = Installation({"crm": There(), "list": There(deletions="archive")})
    delete(here, edited_since=True)
    assert (len(here.refs("list")), [each.kind for each in here.reviews()]) == (1, ["deleted"])


def test_somebody_who_vanished_without_a_word_is_deleted_nowhere_and_made_nowhere() -> None:
    silent = replace(PLAIN, deletes=Deletes.SWEEP)
    here = Installation({"crm": There(silent), "list": There(deletions="archive")})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].remove(ref)
    for _ in range(3):
        here.later(25 * 3600)
        here.run()
    assert (here.refs("crm"), len(here.refs("list")), here.known("crm", ref).state) == ([], 1, State.GONE)


def test_whoever_was_deleted_is_not_made_again() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    here.vendors["list"].remove(here.refs("list")[0])
    for _ in range(3):
        here.later(25 * 3600)
        here.run()
    assert here.refs("list") == []


def test_an_opt_out_on_a_record_that_is_deleted_right_after_is_heard() -> None:
    here = two()
    ref = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ref, consent="out")
    here.vendors["crm"].remove(ref)
    here.run()
    assert here.one("list", "consent") == "out"


# --- scope and rights ------------------------------------------------------------------------------------------------


def test_a_filter_keeps_people_out_and_lets_the_rest_in_once_it_holds() -> None:
    only_vips = There(filters=(Filter("title", "title", "eq", "VIP"),))
    here = Installation({"crm": There(), "list": only_vips})
    ref = here.put("crm", **ANN, title="none")
    here.run()
    assert here.refs("list") == []
    here.edit("crm", ref, title="VIP")
    here.run()
    assert here.shown("list", "email") == ["ann@example.com"]
    here.edit("crm", ref, title="none", a="a1")
    here.run()
    assert here.shown("list", "title", "a") == [["VIP", None]], (
        "out of scope: it rests, and is neither told nor deleted"
    )
    here.edit("crm", ref, consent="out")
    here.run()
    assert here.one("list", "consent") == "out", "a no is told all the same"
    assert here.quiet()


@pytest.mark.parametrize(("writes", "sent"), [("none", []), ("update", ["UPDATE"]), ("all", ["UPDATE", "CREATE"])])
def test_what_may_be_written_to_a_system_is_configured(writes: str, sent: list[str]) -> None:
    here = Installation({"crm": There(), "list": There(writes=writes)}, rules=Rules(trust=(1,)))
    here.put("crm", **ANN, title="t1")
    here.put("crm", **OLA)
    here.put("list", **ANN, title="t0")
    here.run()
    assert sorted(here.writes("list")) == sorted(sent)
    assert here.quiet()


def test_two_leads_that_are_merged_in_two_systems_the_other_way_round_are_one_person() -> None:
    here = two()
    home = {**ANN, "email": "ann@home.example.com"}
    refs = {name: [here.put(name, **ANN), here.put(name, **home)] for name in ("crm", "list")}
    here.run()
    assert len(here.people()) == 2
    here.vendors["crm"].merge(refs["crm"][0], refs["crm"][1])
    here.vendors["list"].merge(refs["list"][1], refs["list"][0])
    here.run()
    here.run()
    lead = here.lead()
    assert {each.system for each in here.sides(lead)} == {here.id("crm"), here.id("list")}
    here.edit("crm", refs["crm"][0], title="CEO")
    here.run()
    assert here.shown("list", "title") == ["CEO"]
    assert here.quiet()
