"""Sheets in which nobody can be read stop, whatever is asked of their rows; sheets in which nobody stands do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.base import Feed, FeedKind, Ref
from connectors.errors import Stop
from connectors.spreadsheet import Spreadsheet
from tests.connectors.sheet_files import (
    PEOPLE,
    ROWS,
    connect,
    create,
    delta,
    findings,
    read,
    said,
    text_file,
    update_of,
    values,
    workbook,
)

UNKNOWN = ("Name", "Address", "Number")


@pytest.mark.parametrize(
    "ask",
    [
        lambda sheet: next(sheet.changes(delta())),
        lambda sheet: next(sheet.ids(Feed("row", FeedKind.SWEEP))),
        lambda sheet: list(sheet.fetch([Ref("row", "row-1")])),
        lambda sheet: list(sheet.find("row", "E-post", ["o@example.com"])),
        lambda sheet: sheet.write([create({"Navn": "Ola"})]),
        lambda sheet: sheet.write([update_of("row-1", {"Navn": "Ola"})]),
        lambda sheet: sheet.add_own_key("row"),
    ],
    ids=["changes", "ids", "fetch", "find", "create", "update", "add_own_key"],
)
def test_whatever_is_asked_of_its_rows_is_refused_and_nothing_is_written(
    tmp_path: Path, ask: Callable[[Spreadsheet], object]
) -> None:
    path = text_file(tmp_path / "leads.csv", [UNKNOWN, *ROWS])
    before = path.read_bytes()
    with pytest.raises(Stop, match=r"leads\.csv: line 1, taken as the heading row, has none of the columns") as stop:
        ask(connect(path))
    assert stop.value.code == "SM326"
    assert path.read_bytes() == before


def test_its_columns_can_be_looked_at_all_the_same(tmp_path: Path) -> None:
    sheet = connect(text_file(tmp_path / "leads.csv", [UNKNOWN, *ROWS]))
    assert [each.name for each in sheet.schema("row").fields] == list(UNKNOWN)
    (error,) = findings(sheet, "error")
    assert error.text.endswith('has none of the columns that the mapping names ("Navn", "E-post", "Mobil")')
    assert "there is no column" not in said(sheet, "warning"), "the one finding says it for all of them"


def test_one_mapped_heading_is_enough(tmp_path: Path) -> None:
    sheet = connect(text_file(tmp_path / "leads.csv", [("Navn", "Address", "Number"), *ROWS]))
    assert values(sheet) == [{"Navn": row[0]} for row in ROWS]


@pytest.mark.parametrize("make", [text_file, workbook])
def test_a_mapped_heading_that_stands_there_twice_is_told_with_its_columns(
    tmp_path: Path, make: Callable[..., Path]
) -> None:
    path = make(
        tmp_path / f"leads.{'csv' if make is text_file else 'xlsx'}", rows=[(*PEOPLE, "E-post"), ("Ola", "a", "1", "b")]
    )
    with pytest.raises(Stop, match=r'1 has the heading "E-post" in the columns B, D, and nobody can tell'):
        read(connect(path))


def test_the_heading_of_the_key_column_stands_there_once(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [("Nr", *PEOPLE, "Nr"), ("1", *ROWS[0], "7")])
    with pytest.raises(Stop, match=r'has the heading "Nr" in the columns A, E'):
        read(connect(path, key_column="Nr"))
    assert len(read(connect(path))) == 1, "without that setting nobody asks for it"


def test_a_heading_that_nobody_maps_may_stand_there_twice(tmp_path: Path) -> None:
    sheet = connect(text_file(tmp_path / "leads.csv", [(*PEOPLE, "Notat", "Notat"), (*ROWS[0], "a", "b")]))
    assert len(read(sheet)) == 1
    assert "column E is read as 'Notat (2)'" in said(sheet, "warning")


def test_headings_that_stand_in_one_cell_of_a_workbook_are_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", rows=[(";".join(PEOPLE),), *((";".join(row),) for row in ROWS)])
    with pytest.raises(Stop, match="row 1, taken as the heading row, has several headings in its column A"):
        read(connect(path))


def test_a_heading_with_a_sign_in_it_may_be_mapped_as_it_stands(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [("Navn", "Navn, E-post", "Mobil"), ("Ola", "o@example.com", "1")])
    assert values(connect(path, ("Navn", "Navn, E-post", "E-post"))) == [
        {"Navn": "Ola", "Navn, E-post": "o@example.com"}
    ]


def test_a_row_that_is_parted_by_another_sign_is_left_out_and_told(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    with path.open("a", encoding="utf-8") as opened:
        opened.write("Ola,o@example.com,1\r\nKari|k@example.com|2\r\n")
    sheet = connect(path)
    assert [fields["Navn"] for fields in values(sheet)] == [row[0] for row in ROWS]
    assert "lines 4, 5 left out: they are parted by another sign than the heading row" in said(sheet, "warning")
    assert findings(sheet, "error") == []


@pytest.mark.parametrize("row", ["Vik, Ola\r\n", '"Vik, Ola, Oslo"\r\n', "Vik, Ola, Oslo;;\r\n"])
def test_a_sign_in_a_name_parts_nothing(tmp_path: Path, row: str) -> None:
    path = text_file(tmp_path / "leads.csv")
    with path.open("a", encoding="utf-8") as opened:
        opened.write(row)
    assert values(connect(path))[2] == {"Navn": row.strip('";\r\n')}


@pytest.mark.parametrize(
    ("rows", "settings", "told"),
    [
        ([("Nr", "A"), ("7", "x"), ("7", "y")], {"key_column": "Nr"}, "lines 2, 3 left out: they have the same key"),
        ([("Nr", "A"), ("", "x")], {"key_column": "Nr"}, "line 2 left out: it has no value in the key column"),
        ([("A", "B"), ("", "x")], {}, "line 2 left out: it holds nothing that can be read in the columns"),
        ([("A", "B"), ("#####", "x")], {}, "line 2 left out: it holds nothing that can be read in the columns"),
        ([("A", "smarketing_id"), ("x", "####")], {}, "line 2 left out: it holds no readable id in our id column"),
        ([("A", "B"), ("1", "2", "3"), ("Sum", "")], {}, "line 2 left out: it has more fields than"),
    ],
)
def test_a_sheet_whose_rows_are_all_left_out_stops(
    tmp_path: Path, rows: list[tuple[str, ...]], settings: dict[str, object], told: str
) -> None:
    sheet = connect(text_file(tmp_path / "leads.csv", rows), ("A",), settings)
    with pytest.raises(Stop, match=f"nobody can be read: {told}") as stop:
        read(sheet)
    what, _, cure = str(stop.value).partition("; ")
    assert cure
    assert [(f"sheet: leads.csv: {each.text}", each.hint) for each in findings(sheet, "error")] == [(what, cure)]


@pytest.mark.parametrize("below", [[], [("", "", "")], [("Sum", "", "")], [("", "", ""), ("Oppdatert i går", "", "")]])
@pytest.mark.parametrize("make", [text_file, workbook])
def test_a_sheet_with_nobody_below_good_headings_can_be_read_and_written(
    tmp_path: Path, make: Callable[..., Path], below: list[tuple[str, ...]]
) -> None:
    sheet = connect(make(tmp_path / f"leads.{'csv' if make is text_file else 'xlsx'}", rows=[PEOPLE, *below]))
    assert read(sheet) == []
    assert findings(sheet, "error") == []
    sheet.write([create({"Navn": "Ola"})])
    assert values(sheet) == [{"Navn": "Ola"}]
