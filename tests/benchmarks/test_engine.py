"""That the engine's benchmark does what it says it does, with few people; how fast is for the benchmark to say."""

from __future__ import annotations

import pytest

from benchmarks.engine import PARTS, Measured, measure, measure_apart
from benchmarks.made_up import KINDS, REFUSED, MadeUp
from connectors.base import Feed, FeedKind

PEOPLE = 200


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measure(PEOPLE, tmp_path_factory.mktemp("benchmark"), beside=True)


def test_a_first_sync_makes_everybody_whom_a_system_lacks(measured: Measured) -> None:
    lacking = sum(not kind.has(n) and n % 50 != REFUSED for kind in KINDS.values() for n in range(PEOPLE))
    assert measured.first.written > lacking > PEOPLE * 0.9
    assert measured.first.reviews == 0


def test_an_edit_of_one_in_a_hundred_goes_to_the_two_other_systems(measured: Measured) -> None:
    assert measured.changed.written == 2 * PEOPLE // 100


def test_a_run_without_changes_asks_each_system_once_and_writes_nothing(measured: Measured) -> None:
    assert (measured.idle.requests, measured.idle.written) == (3, 0)


def test_the_processor_time_is_split_by_part_and_leaves_out_the_systems_own(measured: Measured) -> None:
    spent = measured.first.spent
    assert all(spent[part] > 0 for part in PARTS)
    assert measured.first.cpu >= sum(spent[part] for part in PARTS)
    assert spent["systems"] > 0


def test_the_same_statements_are_carried_out_once_more_by_themselves(measured: Measured) -> None:
    assert measured.raw is not None
    assert measured.raw > 0


def test_what_is_written_is_the_same_each_time(measured: Measured) -> None:
    apart = measure_apart(PEOPLE)
    assert apart.digests == measured.digests
    assert apart.raw is None
    assert apart.peak > 10


def test_a_made_up_system_holds_nothing_and_tells_the_same_person_each_time() -> None:
    one, other = MadeUp("second", 1000), MadeUp("second", 1000)
    told = [[record.fields for page in each.changes(FEED) for record in page.records] for each in (one, other)]
    assert told[0] == told[1]
    assert len(told[0]) == 600


def test_only_edits_are_told_after_the_first_reading() -> None:
    system = MadeUp("first", 1000)
    *_, last = system.changes(FEED)
    assert [page.records for page in system.changes(Feed("person", FeedKind.DELTA, last.cursor))] == [[]]
    system.edit()
    told = [each for page in system.changes(Feed("person", FeedKind.DELTA, last.cursor)) for each in page.records]
    assert len(told) == 10
    assert {each.fields["title"] for each in told} == {"Sjef 1"}


FEED = Feed("person", FeedKind.DELTA)
