"""A sample of the places at which a day is disturbed; `make crash` tries all of them."""

from __future__ import annotations

import pytest

from sync import recover
from tests.crash.day import Disturbed
from tests.crash.everywhere import difference, failing, killed, on_a_small_disk, pairs, undisturbed


def test_a_day_has_many_boundaries_and_is_the_same_each_time() -> None:
    left, size = undisturbed()
    assert size.boundaries >= 200
    assert size.statements > size.boundaries > size.commits / 2 > 0
    assert not left.waits
    assert left.gone, "nobody was deleted or merged"
    assert all(len(rows) >= 5 for rows in left.systems.values())
    assert not difference(Disturbed(frozenset({size.boundaries})))


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power-cut"])
def test_a_process_that_ends_anywhere_changes_nothing(power: bool) -> None:
    assert not [text for each in killed(power=power, every=127) if (text := difference(each))]


def test_a_process_that_ends_twice_changes_nothing() -> None:
    assert not [text for each in pairs(every=401) if (text := difference(each))]


def test_a_database_that_fails_anywhere_changes_nothing() -> None:
    assert not [text for each in failing(every=251) if (text := difference(each, short=True))]


def test_a_full_disk_changes_nothing() -> None:
    assert not list(on_a_small_disk(every=50))


def test_an_engine_that_sends_creates_in_doubt_again_at_once_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed()
    monkeypatch.setattr(recover, "_find", lambda *_: [])
    monkeypatch.setattr(recover, "horizon", lambda _: 0.0)
    assert any(difference(each) for each in killed()[30:60])
