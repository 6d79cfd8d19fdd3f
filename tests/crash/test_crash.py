"""Real processes, really killed: nothing is lost, nothing made twice, and everything comes to rest.

The oracle is the simulator's; that it would see what goes wrong here is tested on a town at rest.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from connectors.backdoor import Kept
from connectors.base import State
from tests.crash.__main__ import main
from tests.crash.driver import Outcome, live, play
from tests.crash.town import Town
from tests.sim.oracle import Oracle

KILLS = 5


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in which nothing was killed."""
    town = Town(tmp_path_factory.mktemp("town"), 2)
    try:
        live(town, 0)
        yield town
    finally:
        town.close()


@pytest.fixture
def town(at_rest: Town) -> Iterator[Town]:
    """What a test does to its truth is forgotten."""
    truth, rested = copy.deepcopy(at_rest.truth), at_rest.rested
    yield at_rest
    at_rest.truth, at_rest.rested = truth, rested


def somebody(town: Town) -> tuple[int, Kept]:
    """A living record that we know, of a lead that lives in every system."""
    for number, door in town.vendors.items():
        for kept in door.records():
            if kept.state is State.LIVE and town.knows(number, kept.ref):
                return number, kept
    raise AssertionError("nobody is left")


def test_a_program_that_is_killed_in_mid_run_loses_nothing_and_makes_nothing_twice() -> None:
    out = play(1, KILLS)
    assert not out.faults, out.notes
    assert out.kills == KILLS
    assert out.between >= 2


def test_a_town_in_which_nothing_happened_is_green(town: Town) -> None:
    oracle = Oracle(town)
    assert not +oracle.judge(), oracle.notes
    assert town.rested


def test_an_edit_that_is_nowhere_is_seen(town: Town) -> None:
    _, kept = somebody(town)
    town.truth.new(str(kept.fields["last"]), "title", ())
    assert Oracle(town).judge()["edit lost silently"] == 1


def test_systems_that_do_not_agree_are_seen(town: Town) -> None:
    number, kept = somebody(town)
    town.vendors[number].edit(kept.ref, {"city": "elsewhere"})
    assert Oracle(town).judge()["systems disagree"] == 1
    town.vendors[number].edit(kept.ref, {"city": kept.fields["city"]})
    assert not +Oracle(town).judge()


def test_a_record_that_nobody_made_is_seen(town: Town) -> None:
    ref = town.remote["salesforce"].put("Lead", {"LastName": "Twin", "Company": "[not provided]"})
    assert Oracle(town).judge()["twin"] == 1
    town.remote["salesforce"].remove(ref)


def test_somebody_who_was_brought_back_is_seen(town: Town) -> None:
    number, ext = next(iter(town.truth.made))
    town.truth.deleted[(number, ext)] = town.truth.made[(number, ext)] - 1.0
    assert Oracle(town).judge()["resurrected"] == 1


def test_an_opt_out_that_was_not_heard_everywhere_is_seen(town: Town) -> None:
    for number, door in town.vendors.items():
        for kept in door.records():
            if kept.state is State.LIVE and kept.fields["consent"] != "out" and town.knows(number, kept.ref):
                town.truth.said.append((str(kept.fields["last"]), "out", number, kept.ref.id, 0.0))
                assert Oracle(town).judge()["opt-out not everywhere"] >= 1
                return
    raise AssertionError("everybody has opted out")


def test_a_town_that_never_rests_is_seen(town: Town) -> None:
    town.rested = False
    assert Oracle(town).judge()["never quiet"] == 1


def test_the_command_tells_what_it_did_and_ends_with_1_when_it_killed_too_seldom_in_between(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tests.crash", "--kills", "20", "--seed", "3"])
    for between, faults, code in ((5, {}, 0), (4, {}, 1), (20, {"twin": 1}, 1)):
        made = Outcome(3, kills=20, between=between, runs=24)
        made.faults.update(faults)
        monkeypatch.setattr("tests.crash.__main__.play", lambda seed, kills, made=made: made)
        assert main() == code
        said = capsys.readouterr().out
        assert f"20 kills in 24 runs, {between} between claim and settle" in said
        assert ("again: python -m tests.crash --kills 20 --seed 3" in said) == bool(faults)
