"""What `leads merge` and `leads split` show, do and refuse."""

from __future__ import annotations

import pytest

from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]


@pytest.fixture
def two(rig: Rig) -> Rig:
    """Lead 1 is Ann and lead 2 is Ola, each in both systems."""
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **OLA)
    assert rig("sync").code == 0
    return rig


def test_a_merge_is_shown_first_and_done_with_the_number_it_shows(two: Rig) -> None:
    ran = two("leads", "merge", "1", "2")
    assert (ran.code, ran.err) == (
        0,
        'nothing was done yet; carry it out with "smarketing leads merge 1 2 --confirm 4"\n',
    )
    assert ran.out.splitlines()[0] == "lead 1 and lead 2 are to be one person: 4 records"
    assert "    job title: CEO" in ran.out.splitlines()
    shown = two("leads", "merge", "1", "2", "--json").json
    assert (shown["count"], [each["lead"] for each in shown["leads"]]) == (4, [1, 2])
    done = two("leads", "merge", "1", "2", "--confirm", "4", "--why", "one and the same")
    assert (done.code, done.out.splitlines()[0]) == (0, "lead 2 is part of lead 1 now")
    assert "joined with lead 2: they are one person" in two("leads", "history", "1").out
    assert two("leads", "show", "2").out == two("leads", "show", "1").out
    (run,) = [each for each in two("undo", "--json").json["runs"] if each["kind"] == "merge"]
    assert (run["who"], run["why"]) == ("kari", "one and the same")


def test_a_split_takes_it_back(two: Rig) -> None:
    two("leads", "merge", "1", "2", "--confirm", "4")
    ran = two("leads", "split", "1")
    assert ran.out.splitlines()[0] == "lead 1 and lead 2 are to be two people again: 4 records"
    assert ran.err.endswith('"smarketing leads split 1 --confirm 4"\n')
    done = two("leads", "split", "1", "--confirm", "4", "--json")
    assert (done.code, done.json["lead"], done.json["split_from_it"]) == (0, 1, 2)
    assert "split from lead 1: they are two people" in two("leads", "history", "2").out
    told = two("leads", "history", "2", "--json").json["history"]
    assert [each["split_from"] for each in told if "split_from" in each] == [1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("merge", "1", "1"), "they are one lead already: 1"),
        (("merge", "1", "99"), "there is no lead 99"),
        (("split", "1"), "lead 1 was never joined with another, so there is nothing to split"),
    ],
)
def test_what_cannot_be_done_is_said(two: Rig, words: tuple[str, ...], told: str) -> None:
    ran = two("leads", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error[SM248]: nothing was done: {told}\n")


def test_another_number_does_nothing(two: Rig) -> None:
    ran = two("leads", "merge", "1", "2", "--confirm", "3")
    assert (ran.code, ran.err) == (
        2,
        "error[SM251]: nothing was done: 4 records would be touched, --confirm says 3\n",
    )
    assert two("leads", "show", "2").code == 0
