"""One pass over a sheet's XML before a library reads it: how large it is, which cells hold formulas or errors, and
what must not be written over.

A library that believes a single far-away cell asks for all cells up to it, and ends the process when it does not get
them; rows out of order vanish without a word. Both are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from connectors.spreadsheet.form import Merge

ROWS, COLUMNS = 1_048_576, 16_384
AREA = 4_000_000  # cells from A1 to the last one
TEXT = 256 * 1024 * 1024  # characters, each cell counted for itself
DEEP = 64
MERGED = 1_000_000  # cells under merges or links, which openpyxl makes one by one

_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})(?::([A-Z]{1,3})([1-9][0-9]{0,6}))?")


class Hostile(Exception):
    """The XML is broken, or is made to harm a reader. `size`: it is only too large."""

    def __init__(self, text: str, *, size: bool = False) -> None:
        super().__init__(text)
        self.size = size


@dataclass(slots=True)
class Scan:
    """What was seen. Places are (row number, column), columns from 0."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    formulas: set[tuple[int, int]] = field(default_factory=set)
    uncalculated: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    arrays: list[Merge] = field(default_factory=list)
    under: int = 0
    protected: bool = False


def column_of(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1


def text_lengths(xml: bytes) -> list[int]:
    """How long each text is that the sheets share. Raises Hostile."""
    lengths: list[int] = []
    counting = False

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal counting
        name = tag.rpartition(":")[2]
        if name == "si":
            lengths.append(0)
        counting = name == "t"

    def text(data: str) -> None:
        if counting and lengths:
            lengths[-1] += len(data)

    def end(_: str) -> None:
        nonlocal counting
        counting = False

    _parse(xml, start, end, text)
    return lengths


def scan_sheet(xml: bytes, shared: Sequence[int]) -> Scan:
    """Look through a sheet. `shared`: the lengths of the shared texts. Raises Hostile."""
    seen = Scan()
    columns: dict[str, int] = {}
    row = column = -1
    kind = ""
    has_child = has_formula = in_value = False
    value: list[str] = []
    characters = depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, kind, has_child, has_formula, in_value, depth
        depth += 1
        if depth > DEEP:
            raise Hostile(f"elements stand more than {DEEP} deep in each other")
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name == "c":
            kind, has_child, has_formula = attributes.get("t", "n"), False, False
            value.clear()
            place = attributes.get("r")
            if place is None:
                column += 1
            else:
                found = _PLACE.fullmatch(place)
                if found is None or int(found[2]) != row:
                    raise Hostile(f"a cell in row {row} has the address {place[:12]!r}")
                at = columns.get(found[1])
                if at is None:
                    at = columns[found[1]] = column_of(found[1])
                if at <= column:
                    raise Hostile(f"the cells of row {row} are out of order")
                column = at
            if column >= COLUMNS:
                raise Hostile(f"row {row} reaches beyond the last column")
        elif name in ("v", "is"):
            has_child = in_value = True
        elif name == "f":
            has_child = has_formula = True
            if attributes.get("t") in ("array", "dataTable"):
                note_range(name, attributes.get("ref", ""))
        elif name == "row":
            number = attributes.get("r")
            before, row, column = row, (int(number) if number and number.isdecimal() else max(row, 0) + 1), -1
            if row <= before or not 0 < row <= ROWS:
                raise Hostile(f"row {row} comes after row {before}")
        elif name in ("mergeCell", "hyperlink"):
            note_range(name, attributes.get("ref", ""))
        elif name == "sheetProtection":
            seen.protected = attributes.get("sheet", "0").lower() in ("1", "true")

    def end(tag: str) -> None:
        nonlocal in_value, characters, depth
        depth -= 1
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name in ("v", "is"):
            in_value = False
        elif name == "c" and has_child:
            seen.cells += 1
            seen.rows = max(seen.rows, row)
            seen.columns = max(seen.columns, column + 1)
            text = "".join(value)
            if kind == "s":
                index = int(text) if text.isdecimal() else -1
                if not 0 <= index < len(shared):
                    raise Hostile(f"a cell in row {row} points to a text that is not there")
                characters += shared[index]
            else:
                characters += len(text)
            if has_formula:
                seen.formulas.add((row, column))
                if not text and kind != "str":
                    seen.uncalculated.add((row, column))
            if kind == "e":
                seen.errors.add((row, column))
            if seen.rows * seen.columns > AREA:
                raise Hostile(f"its cells reach over {seen.rows:,} rows and {seen.columns:,} columns", size=True)
            if characters > TEXT:
                raise Hostile("its cells hold more text than can be read", size=True)

    def text(data: str) -> None:
        if in_value:
            value.append(data)

    def note_range(name: str, ref: str) -> None:
        found = _RANGE.fullmatch(ref)
        if found is None:
            if name == "hyperlink":
                return
            raise Hostile("a merge or an array has no proper range")
        first = (int(found[2]), column_of(found[1]))
        last = (int(found[4]), column_of(found[3])) if found[3] else first
        if name != "hyperlink":
            (seen.merges if name == "mergeCell" else seen.arrays).append((first, last))
        seen.under += (abs(last[0] - first[0]) + 1) * (abs(last[1] - first[1]) + 1)

    _parse(xml, start, end, text)
    return seen


def _parse(xml: bytes, start: object, end: object, text: object) -> None:
    def refuse(*_: object) -> None:
        raise Hostile("it declares a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start  # type: ignore[assignment]
    parser.EndElementHandler = end  # type: ignore[assignment]
    parser.CharacterDataHandler = text  # type: ignore[assignment]
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Hostile(f"its XML ends or breaks at line {error.lineno}, column {error.offset}") from None
