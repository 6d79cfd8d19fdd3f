"""People move from some systems into another one: what is sent, what is not, and what became of every record."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.backdoor import Fault
from sync import run as runner
from sync.migrate import Account, Fate, Move, account, carry_out, preview
from sync.model import Filter
from sync.store import feeds
from sync.undo import undo
from tests.sync.installation import ANN, OLA, PLAIN, Installation, Meddling, There

KARI = {"email": "kari@example.com", "first": "Kari", "last": "Moe"}


def house(**there: There) -> Installation:
    """An old CRM, a sheet of last year, and the new CRM; nobody has approved anything yet."""
    systems = {"old": There(), "sheet": There(), "new": There(), **there}
    return Installation(systems, first="approve")


def move_of(here: Installation, *sources: str, to: str = "new") -> Move:
    return Move(tuple(here.engine.system(name) for name in sources or ("old",)), here.engine.system(to))


def moved(here: Installation, *sources: str) -> list[Account]:
    """Carry out the whole move; every record of the sources."""
    move = move_of(here, *sources)
    here.later()
    seen = preview(here.engine, move, "test")
    carry_out(here.engine, move, "test", "", seen.hashes)
    return accounts(here, *sources)


def accounts(here: Installation, *sources: str) -> list[Account]:
    told: list[Account] = []
    counted = account(here.engine, move_of(here, *sources), told.append)
    assert Counter((each.system, each.fate) for each in told) == Counter(
        {(name, fate): n for name, some in counted.items() for fate, n in some.items()}
    )
    return told


def fates(here: Installation, *sources: str) -> list[Fate]:
    return [each.fate for each in accounts(here, *sources)]


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_people_of_the_sources_go_into_the_target_and_nothing_else_is_written() -> None:
    here = house()
    here.put("old", **ANN, title="CEO")
    here.put("sheet", **OLA)
    here.put("new", **KARI)
    told = moved(here, "old")
    assert [(each.fate, each.there is not None) for each in told] == [(Fate.CREATED, True)]
    assert here.shown("new", "first", "title") == [["Kari", None], ["Ann", "CEO"]]
    assert here.writes("old") == here.writes("sheet") == []
    assert here.shown("sheet", "first") == ["Ola"]


def test_whoever_is_there_gets_what_the_rules_say_and_is_not_made_again() -> None:
    here = house()
    here.put("old", **ANN, title="CEO")
    here.put("new", **ANN)
    assert [each.fate for each in moved(here)] == [Fate.MATCHED]
    assert here.shown("new", "first", "title") == [["Ann", "CEO"]]


def test_a_person_in_both_sources_is_made_once() -> None:
    here = house()
    here.put("old", **ANN)
    here.put("sheet", **ANN, title="CEO")
    told = moved(here, "old", "sheet")
    assert [each.fate for each in told] == [Fate.CREATED, Fate.MERGED]
    assert told[0].there == told[1].there
    assert here.shown("new", "first", "title") == [["Ann", "CEO"]]


def test_an_opt_out_that_any_system_knows_goes_along_and_unknown_is_no_yes() -> None:
    here = house()
    here.put("old", **ANN)
    here.put("old", **OLA)
    here.put("sheet", **ANN, consent="out")  # it does not move, and still counts
    moved(here, "old")
    assert here.shown("new", "first", "consent") == [["Ann", "out"], ["Ola", None]]


def test_a_preview_sends_nothing_and_counts_everything() -> None:
    here = house()
    for number in range(7):
        here.put("old", email=f"p{number}@example.com", first="P", last=f"Person{number}")
    here.put("new", email="p0@example.com", first="P", last="Person0", title="CEO")
    here.put("old", email="p0@example.com", first="P", last="Person0", title="CEO", a="more")
    here.later()
    seen = preview(here.engine, move_of(here), "test")
    assert (seen.count, seen.records) == (8, {"old": 8})
    assert seen.operations == Counter({"create": 6, "update": 1})
    assert len(seen.samples) == 6, "five of each kind"
    assert seen.requests == {"create": 1, "update": 1}
    assert here.writes("new") == []


def test_the_systems_own_first_plans_go_on_waiting() -> None:
    here = house()
    here.put("old", **ANN)
    here.put("new", **OLA)
    moved(here)
    with here.store.read() as tx:
        assert {row.state for row in feeds.systems(tx)} == {"new"}
    assert here.writes("old") == [], "Ola would go the other way, and nobody has said so"


def test_undo_takes_the_move_back() -> None:
    here = house()
    here.put("old", **ANN)
    move = move_of(here)
    here.later()
    reports = carry_out(here.engine, move, "test", "", preview(here.engine, move, "test").hashes)
    here.later()
    runner.act(here.engine, lambda tx: undo(here.engine, tx, reports[0].run, "test", "not yet")[0])
    assert here.shown("new", "first") == []


# --- cut off ---------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("boundary", ["claimed", "request", "answered", "settled"])
def test_a_move_that_was_killed_goes_on_and_makes_nobody_twice(boundary: str) -> None:
    world = Meddling()
    here = Installation({"old": There(), "new": There(replace(PLAIN, own_key=True))}, world=world, first="approve")
    for number in range(5):
        here.put("old", email=f"p{number}@example.com", first="P", last=f"Person{number}")
    move = move_of(here)
    here.later()
    seen = preview(here.engine, move, "test")

    def die() -> None:
        raise Killed

    def kill_the_writer() -> None:
        world.at[boundary] = die

    world.at["approved"] = kill_the_writer
    with pytest.raises(Killed):
        carry_out(here.engine, move, "test", "", seen.hashes)
    here.configured()
    for _ in range(3):
        here.later(700.0)
        moved(here)
    assert sorted(here.shown("new", "last")) == [f"Person{number}" for number in range(5)]
    assert fates(here) == [Fate.CREATED] * 5


def test_a_target_that_fails_in_mid_move_is_gone_on_with() -> None:
    here = house()
    here.put("old", **ANN)
    here.fault("new", Fault.ERROR, "CREATE", times=20)
    assert [each.fate for each in moved(here)] == [Fate.FAILED]
    here.vendors["new"]._armed.clear()
    here.later(700.0)
    assert [each.fate for each in moved(here)] == [Fate.CREATED]


# --- the account -----------------------------------------------------------------------------------------------------


def test_a_merged_and_a_deleted_record_are_accounted_for() -> None:
    here = house()
    first = here.put("old", **ANN)
    second = here.put("old", **ANN, title="CEO")
    gone = here.put("old", **OLA)
    here.run()
    here.vendors["old"].merge(first, second)
    here.vendors["old"].remove(gone)
    told = {each.record: (each.fate, each.why) for each in moved(here)}
    assert told == {
        str(first): (Fate.CREATED, ""),
        str(second): (Fate.MERGED, "merged over there into another record"),
        str(gone): (Fate.SKIPPED, "deleted over there"),
    }


def test_whoever_does_not_pass_the_filter_is_skipped() -> None:
    here = house(new=There(filters=(Filter("title", "title", "present"),)))
    here.put("old", **ANN)
    assert [(each.fate, each.why) for each in moved(here)] == [(Fate.SKIPPED, "left out by the filter of new")]


def test_whoever_is_archived_in_the_target_is_left_so() -> None:
    here = house(new=There(replace(PLAIN, removed=3)))
    here.put("old", **ANN)
    there = here.put("new", **ANN)
    here.run()
    here.vendors["new"].remove(there)
    told = moved(here)
    assert [each.fate for each in told] == [Fate.SKIPPED]
    assert "in new, and left so" in told[0].why
    assert here.shown("new", "first") == []


def test_whoever_cannot_be_made_is_failed_and_names_the_question() -> None:
    here = house(new=There(mapping={"last_name": {"remote": "last", "required": True}}))
    here.put("old", email="ann@example.com", first="Ann")
    here.put("old", **OLA)
    told = moved(here)
    (asked,) = here.reviews("missing")
    assert [(each.fate, each.why) for each in told] == [
        (Fate.FAILED, f"missing; see question {asked.id} of the review queue"),
        (Fate.CREATED, ""),
    ]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["old", "sheet", "both"]), st.booleans()), max_size=6))
def test_the_parts_sum_to_the_source(some: list[tuple[int, str, bool]]) -> None:
    here = house()
    refs = []
    for person, where, twice in some:
        fields = {"email": f"p{person}@example.com", "first": "P", "last": f"Person{person}"}
        for name in ("old", "sheet") if where == "both" else (where,):
            refs += [here.put(name, **fields) for _ in range(1 + twice)]
    told = moved(here, "old", "sheet")
    assert len(told) == len(refs)
    assert not [each for each in told if each.fate in (Fate.FAILED, Fate.SKIPPED)]
    people = {person for person, _, _ in some}
    assert sum(each.fate is Fate.CREATED for each in told) == len(people) == len(here.shown("new", "last"))
