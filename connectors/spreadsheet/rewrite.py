"""Editing a workbook in place with openpyxl: some cells of one sheet, and nothing else.

What goes in is text that no program runs or reformats (type "s", format "@"); only a cell that held a number, a date or
a word of truth, and is to hold one again, keeps its kind, so that people's sums and filters go on working.
"""

from __future__ import annotations

import datetime
import io
import re
import warnings
from collections.abc import Set
from typing import TYPE_CHECKING

from connectors.errors import Stop
from connectors.spreadsheet.cells import is_number, to_moment
from connectors.spreadsheet.form import Edits

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # in a workbook _x0041_ means A
_LOSES = re.compile(r"removed|not supported|cannot|unable", re.IGNORECASE)


def rewrite(where: str, data: bytes, sheet: str, last: int, formatted: bool, edits: Edits, dates: Set[int]) -> bytes:
    """The workbook with these edits; appended rows go below row `last`. `formatted`: some cells have formats inside
    their text. Raises Stop, code SM329, if it cannot be kept whole."""
    import openpyxl

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            book = openpyxl.load_workbook(io.BytesIO(data), rich_text=formatted)
            grid = book[sheet]
            if any(_LOSES.search(str(each.message)) for each in told):
                raise Stop(
                    f"{where} holds something that would be lost by editing it; nothing was written", code="SM329"
                )
            for number, cells in edits.cells.items():
                for column, text in cells.items():
                    _put(grid.cell(number, column + 1), text, column in dates)
            for number, row in enumerate(edits.appended, last + 1):
                for column, text in row.items():
                    if text:
                        _put(grid.cell(number, column + 1), text, column in dates)
            _stretch_tables(grid, last, len(edits.appended))
            out = io.BytesIO()
            book.save(out)
    except Stop:
        raise
    except Exception as error:  # the library raises whatever its parsing meets
        raise Stop(
            f"{where} cannot be edited in place ({type(error).__name__}); nothing was written; save it anew in a "
            f"spreadsheet program",
            code="SM329",
        ) from None
    return out.getvalue()


def _put(cell: Cell | MergedCell, text: str | None, is_date: bool) -> None:
    from openpyxl.cell.cell import Cell

    if not isinstance(cell, Cell):
        raise TypeError("a merged cell")
    link = cell.hyperlink
    if link is not None and (link.target or "").startswith("mailto:"):
        link.target = f"mailto:{text or ''}"  # else a click would still write to the former address
    if text is None:
        cell.value = None
        return
    moment = to_moment(text)
    if moment is not None and (is_date or cell.is_date):
        _put_moment(cell, moment)
    elif cell.data_type == "b" and text in ("TRUE", "FALSE"):
        cell.value = text == "TRUE"
    elif cell.data_type == "n" and cell.value is not None and not cell.is_date and is_number(text):
        cell.value = float(text) if "." in text else int(text)
    else:
        cell.value = _ESCAPED.sub("_x005F_", text)
        cell.data_type = "s"  # assigning made a formula of a text that begins with "="
        cell.number_format = "@"


def _put_moment(cell: Cell, moment: datetime.date) -> None:
    was_date, form = cell.is_date, cell.number_format
    cell.value = moment
    timed = isinstance(moment, datetime.datetime)
    cell.number_format = form if was_date and not timed else "dd.mm.yyyy hh:mm:ss" if timed else "dd.mm.yyyy"


def _stretch_tables(grid: Worksheet, last: int, more: int) -> None:
    """Rows put right below a table belong to it, as when a person types there."""
    for table in grid.tables.values():
        first, _, end = table.ref.partition(":")
        found = re.fullmatch(r"([A-Z]+)(\d+)", end)
        if more and found and int(found[2]) == last and not table.totalsRowCount:
            table.ref = f"{first}:{found[1]}{last + more}"
            if table.autoFilter is not None:
                table.autoFilter.ref = table.ref
