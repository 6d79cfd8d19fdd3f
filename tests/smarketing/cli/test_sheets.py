"""Sheets kept in step, by commands alone; and sheets in which nobody can be read."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]

HEAD = "First name,Last name,Email,Email consent"
ANN = "Ann,Berg,ann@example.com,no"
EVE = "Eve,Old,eve@example.com,yes"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def saved(typed: Typed, name: str, *lines: str) -> Path:
    """A sheet that was saved a while ago: one of just now is waited for."""
    file = typed.write(name, "".join(f"{line}\n" for line in lines))
    os.utime(file, (1_700_000_000, 1_700_000_000))
    return file


def configured(typed: Typed, *names: str) -> None:
    systems = "".join(f"  {name}: {{connector: spreadsheet, path: {name}.csv}}\n" for name in names)
    typed.write("smarketing.yaml", f"systems:\n{systems}sync: {{first: apply, trust: [{', '.join(names)}]}}\n")


def test_an_address_corrected_in_a_sheet_we_never_wrote_to_is_a_correction_and_no_second_person(typed: Typed) -> None:
    configured(typed, "a", "b")
    one, other = saved(typed, "a.csv", HEAD, ANN), saved(typed, "b.csv", HEAD)
    assert typed("sync").code == 0
    assert rows(one)[0]["smarketing_id"]
    assert [each["Email"] for each in rows(other)] == ["ann@example.com"]
    saved(typed, "a.csv", *one.read_text("utf-8").replace("ann@example.com", "ann.berg@example.com").splitlines())
    assert typed("sync").code == 0
    assert [(each["Email"], each["Email consent"]) for each in rows(other)] == [("ann.berg@example.com", "no")]
    assert len(rows(one)) == 1


ILLEGIBLE = {
    "no heading is mapped": (
        ("Fnamn,Enamn,Adr", "Ann,Berg,ann@example.com"),
        'a: a.csv: line 1, taken as the heading row, has none of the columns that the mapping names ("First name", '
        '"Last name", "Email", …); look with "smarketing fields SYSTEM" and correct the headings or the mapping, or '
        "set header_row",
    ),
    "a mapped heading stands there twice": (
        ("First name,Last name,Email,Email", "Ann,Berg,ann@example.com,", "Bo,Li,,bo@example.com"),
        'a: a.csv: line 1 has the heading "Email" in the columns C, D, and nobody can tell which one is meant; give '
        "each column a heading of its own",
    ),
    "headings and rows are parted by one sign each": (
        ("First name,Last name,Email", "Ann;Berg;ann@example.com", "Bo|Li|bo@example.com"),
        "a: a.csv: line 1, taken as the heading row, has several headings in its column A; part the columns of all "
        "rows by one and the same sign, or set delimiter",
    ),
    "one line is parted by three signs": (
        ("First name;Last name,Email|Phone", "Ann,Berg;ann@example.com|1", "Bo|Li;bo@example.com"),
        "a: a.csv: line 1, taken as the heading row, has several headings in its column B; part the columns of all "
        "rows by one and the same sign, or set delimiter",
    ),
    "every row is too long": (
        (HEAD, "Ann,Berg,ann@example.com,no,1", "Bo,Berg,bo@example.com,no,1"),
        "a: a.csv: nobody can be read: lines 2, 3 left out: they have more fields than the heading row; put values "
        "that hold the delimiter in quotation marks",
    ),
}


@pytest.mark.parametrize("command", ["plan", "sync"])
@pytest.mark.parametrize("which", ILLEGIBLE)
def test_a_sheet_in_which_nobody_can_be_read_stops_and_the_other_systems_go_on(
    typed: Typed, which: str, command: str
) -> None:
    lines, told = ILLEGIBLE[which]
    configured(typed, "a", "b", "c")
    one = saved(typed, "a.csv", *lines)
    saved(typed, "b.csv", HEAD, EVE)
    other = saved(typed, "c.csv", HEAD)
    before = one.read_bytes()
    answered = typed(command)
    assert f"error[SM326]: {told}\n" in answered.err
    assert answered.code == 1
    assert one.read_bytes() == before
    if command == "plan":
        assert "1 person would be created in c" in answered.out
        assert "created in a" not in answered.out
    else:
        assert [each["Email"] for each in rows(other)] == ["eve@example.com"]


@pytest.mark.parametrize("which", ILLEGIBLE)
def test_check_tells_of_it_in_the_same_words(typed: Typed, which: str) -> None:
    lines, told = ILLEGIBLE[which]
    configured(typed, "a")
    saved(typed, "a.csv", *lines)
    answered = typed("check")
    what, _, cure = told.removeprefix("a: a.csv: ").partition("; ")
    assert f"error[SM326]: {what}\n      {cure}\n" in answered.out
    assert answered.code == 1


def test_a_sheet_that_lost_its_headings_takes_nobody_away(typed: Typed) -> None:
    configured(typed, "a", "b")
    one, other = saved(typed, "a.csv", HEAD, ANN), saved(typed, "b.csv", HEAD)
    assert typed("sync").code == 0
    text = one.read_text("utf-8")
    saved(typed, "a.csv", *text.replace("First name,Last name,Email,Email consent", "F,L,E,C").splitlines())
    assert typed("sync").code == 1
    assert [each["Email"] for each in rows(other)] == ["ann@example.com"]
    saved(typed, "a.csv", *text.splitlines())
    again = typed("sync")
    assert again.code == 0, again.err
    assert [each["Email"] for each in rows(one)] == [each["Email"] for each in rows(other)] == ["ann@example.com"]


@pytest.mark.parametrize("below", [(), ("",), (",,,", ",,,"), ("Total,,,",)], ids=["end", "blank", "blanks", "total"])
def test_a_sheet_with_headings_and_nobody_below_them_is_fine(typed: Typed, below: tuple[str, ...]) -> None:
    configured(typed, "a", "b")
    one = saved(typed, "a.csv", HEAD, *below)
    saved(typed, "b.csv", HEAD, EVE)
    answered = typed("sync")
    assert answered.code == 0, answered.err
    assert [each["Email"] for each in rows(one) if each["Email"]] == ["eve@example.com"]


def test_a_broken_sheet_that_was_saved_just_now_may_still_be_on_its_way(typed: Typed) -> None:
    configured(typed, "a", "b")
    typed.write("a.csv", f'{HEAD}\n"Ann,Berg\n')
    saved(typed, "b.csv", HEAD, EVE)
    answered = typed("plan")
    assert "error[SM327]: a: a.csv: on line 2 a quotation mark" in answered.err
    assert "saved less than a minute ago and may still be being copied; wait a minute and try again; " in answered.err
    assert answered.code == 1
