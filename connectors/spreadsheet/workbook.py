"""A workbook (.xlsx): which sheet, its cells as they were last calculated, and whether it can be edited without loss.

Values are read by calamine, after `package` and `scan` have looked. Editing in place is refused where openpyxl would
drop something on the way: then the sheet is read only, and says why.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence, Set

from connectors.errors import Stop
from connectors.spreadsheet.cells import Cell, Damage, of_value
from connectors.spreadsheet.form import Edits, Line, Merge
from connectors.spreadsheet.package import Package, Tab
from connectors.spreadsheet.scan import MERGED, ROWS, Hostile, Scan, scan_sheet, text_lengths

MOST_ROWS = 20_000  # openpyxl needs a second for some 5,000 rows, and memory in proportion
MOST_CELLS = 1_000_000

_KEPT = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:app|core|custom)\.xml|docProps/thumbnail\.\w+"
    r"|xl/(?:workbook|styles|sharedStrings|calcChain)\.xml|xl/_rels/workbook\.xml\.rels|xl/theme/theme\d*\.xml"
    r"|xl/worksheets/[^/]+\.xml|xl/worksheets/_rels/[^/]+\.rels|xl/tables/[^/]+\.xml"
    r"|xl/printerSettings/[^/]+|xl/persons/[^/]+"
)
_LOST = (
    ("vbaProject", "macros"),
    ("charts/", "charts"),
    ("chartsheets/", "charts"),
    ("pivot", "pivot tables"),
    ("externalLinks/", "links to other workbooks"),
    ("comments", "notes or comments"),
    ("threadedComments", "notes or comments"),
    ("drawings/", "drawings or pictures"),
    ("media/", "drawings or pictures"),
    ("slicer", "slicers"),
    ("customXml/", "data of other programs (customXml)"),
    ("docMetadata/", "a sensitivity label"),
    ("_xmlsignatures/", "a digital signature"),
    ("connections", "connections to outside data"),
    ("queryTables/", "connections to outside data"),
    ("metadata", "dynamic arrays or rich data types"),
)
_ELEMENTS = {
    b"extLst": "newer conditional formats, lists of choices or sparklines",
    b"AlternateContent": "contents for several versions of the program",
    b"controls": "form controls",
    b"oleObjects": "embedded objects",
    b"customSheetViews": "custom views",
    b"legacyDrawing": "notes or comments",
}
_LOST_ELEMENT = re.compile(rb"<(?:\w+:)?(extLst|AlternateContent|controls|oleObjects|customSheetViews|legacyDrawing)\b")

_RUN = re.compile(rb"<(?:\w+:)?r(?:\s[^>]*)?>")  # a stretch of text with a format of its own


_FORMULAS_FADE = "after a write the values of formulas are not known until a spreadsheet program has saved the file"


class Workbook:
    """One reading of a workbook. `sheet` is the setting; without it the first visible sheet is taken. Raises Stop."""

    word = "row"

    def __init__(self, where: str, data: bytes, sheet: str | None) -> None:
        self._where = where
        self._data = data
        self._package = Package(where, data)
        self._shared = self._shared_lengths()
        self._tab = self._choose(sheet)
        self._scan = self._scanned(self._tab)
        self._lines: list[Line] | None = None
        self._covered: set[tuple[int, int]] | None = None
        self.since_1904 = self._package.since_1904
        self.told = f'sheet "{self._tab.name}" of a workbook'
        self.warnings = tuple(self._oddities(sheet))
        self.after_writing = _FORMULAS_FADE if self._scan.formulas else None

    def lines(self) -> Iterator[Line]:
        if self._lines is None:
            self._lines = self._read()
        return iter(self._lines)

    def merges(self) -> Sequence[Merge]:
        return self._scan.merges

    def ragged(self) -> bool:
        return False

    def frozen(self, rows: int) -> str | None:
        if rows > MOST_ROWS:
            return f"it has {rows:,} rows, at most {MOST_ROWS:,} are edited in place; a .csv may be longer"
        if self._scan.protected:
            return f'the sheet "{self._tab.name}" is protected'
        for name in sorted(self._package.names):
            if not name.endswith("/") and not _KEPT.fullmatch(name):
                what = next((words for part, words in _LOST if part in name), f"a part {name!r}")
                return f"it has {what}, which would be lost"
        if self._package.strict:
            return "it is in the strict variant of the format"
        if b"fileSharing" in self._package.read(self._package.book):
            return "it is marked as read-only"
        for name in self._package.names:
            grid = name.startswith(("xl/worksheets/", "xl/tables/"))
            if grid and (found := _LOST_ELEMENT.search(self._package.read(name))):
                return f"it has {_ELEMENTS.get(found[1], 'contents')} that would be lost"
        cells = 0
        for tab in self._package.tabs:
            scan = self._scan if tab is self._tab else self._scanned(tab) if tab.part else Scan()
            cells += scan.cells
            if scan.under > MERGED:
                return f'the sheet "{tab.name}" has merges, arrays or links over more than {MERGED:,} cells'
        return None if cells <= MOST_CELLS else f"it has {cells:,} cells, at most {MOST_CELLS:,} are edited in place"

    def closed(self, number: int, column: int) -> str | None:
        if (number, column) in self._scan.formulas:
            return "a formula"
        if self._scan.under > MERGED:
            return None  # not written at all
        if self._covered is None:
            self._covered = {
                (row, each)
                for (top, left), (bottom, right) in (*self._scan.merges, *self._scan.arrays)
                for row in range(top, bottom + 1)
                for each in range(left, right + 1)
                if (row, each) != (top, left)
            }
        return "a part of merged cells or of a formula for several" if (number, column) in self._covered else None

    def fits(self, text: str) -> bool:
        return True

    def rewritten(self, edits: Edits, dates: Set[int]) -> bytes:
        from connectors.spreadsheet.rewrite import rewrite

        texts = (
            name for name in self._package.names if name.startswith("xl/worksheets/") or name == "xl/sharedStrings.xml"
        )
        formatted = any(_RUN.search(self._package.read(name)) for name in texts)
        return rewrite(self._where, self._data, self._tab.name, self._scan.rows, formatted, edits, dates)

    def _choose(self, sheet: str | None) -> Tab:
        grids = [each for each in self._package.tabs if each.part]
        fitting = [each for each in grids if (each.name == sheet if sheet is not None else each.visible)]
        if not fitting:
            there = ", ".join(f'"{each.name}"' for each in grids) or "none"
            wanted = f'no sheet "{sheet}"' if sheet is not None else "no visible sheet"
            raise Stop(f"{self._where}: there is {wanted}; its sheets are: {there}; set sheet to one", code="SM326")
        return fitting[0]

    def _oddities(self, sheet: str | None) -> Iterator[str]:
        others = sum(1 for each in self._package.tabs if each.part and each.visible and each is not self._tab)
        if others and sheet is None:
            yield f"{others} more visible sheets are not read; name the one that is wanted with the setting sheet"
        if self._scan.rows == ROWS:
            yield "the sheet is full to the last row that a workbook can have: its end was probably cut off"

    def _shared_lengths(self) -> list[int]:
        name = next((each for each in self._package.names if each.lower() == "xl/sharedstrings.xml"), None)
        try:
            return text_lengths(self._package.read(name)) if name else []
        except Hostile as error:
            raise self._package.broken(str(error)) from None

    def _scanned(self, tab: Tab) -> Scan:
        try:
            return scan_sheet(self._package.read(tab.part), self._shared)
        except Hostile as error:
            if error.size:
                raise Stop(
                    f'{self._where}: the sheet "{tab.name}" is too large: {error}; delete the empty rows and columns '
                    f"behind its data, or save it as CSV",
                    code="SM324",
                ) from None
            raise self._package.broken(f"sheet {tab.name!r}: {error}") from None

    def _read(self) -> list[Line]:
        import python_calamine

        try:
            with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(self._data)) as book:
                rows = book.get_sheet_by_name(self._tab.name).to_python(skip_empty_area=False)
        except Exception as error:
            # Not with its words, which may hold what stands in the cell that it does not understand.
            raise self._package.broken(f"its reader ends in {type(error).__name__}") from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # what a panic in its Rust is raised as
                raise
            raise self._package.broken("its reader gave up") from None
        silent: dict[tuple[int, int], Cell] = dict.fromkeys(self._scan.uncalculated, Damage.UNCALCULATED)
        silent.update(dict.fromkeys(self._scan.errors, Damage.ERROR))
        width = self._scan.columns  # the reader leaves out columns in which nothing was calculated
        lines = [
            Line(number, [] if row.count("") == len(row) else [of_value(each) for each in row], width)
            for number, row in enumerate(rows, 1)
        ]
        for (number, column), damage in silent.items():
            lines += [Line(more, [], width) for more in range(len(lines) + 1, number + 1)]
            cells = lines[number - 1].cells
            cells += [None] * (column + 1 - len(cells))
            cells[column] = damage
        return lines
