"""What one cell says, as canonical text, and what a value must look like before it may stand in a cell.

A spreadsheet program damages values: it rounds long numbers, writes phones as `4,79E+09`, shows `#####`. A damaged cell
says nothing (`Damage`), which is not the same as an empty one. Going out, nothing may run as a formula in the reader's
program, and nothing is written that our own reading would not give back.
"""

from __future__ import annotations

import datetime
import enum
import re
from decimal import Decimal
from typing import TypeAlias


class Damage(enum.Enum):
    """Why a cell that is not empty says nothing."""

    SCIENTIFIC = "a number in scientific form, whose digits are lost"
    ROUNDED = "a number of more than 15 digits, whose end was rounded away"
    ERROR = "an error instead of a value"
    UNCALCULATED = "a formula that no program has calculated yet"


Cell: TypeAlias = "str | Damage | None"
"""Canonical text; None: the cell is empty."""

LONGEST = 32_767  # characters in a cell, Excel's own limit
EXACT = 10**15  # beyond 15 digits a spreadsheet's numbers are rounded

_INVISIBLE = "\u200b\u2060\ufeff"
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d+")
_ROUNDED = re.compile(r"\d{15}0+")
# In the English and in the Norwegian Excel; `####` is a column that was too narrow when the text was exported.
_ERROR = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|I/T|NAVN\?|VERDI!|GETTING_DATA|SPILL!|CALC!)|#{2,}")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NUMBER = re.compile(r"(?!-0$)-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SERIAL = re.compile(r"\d{1,7}(?:\.\d+)?")


class Unfit(Exception):
    """A value that a cell cannot hold. `code` groups such cases; the text never shows the value."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def clean(text: str) -> str:
    """Without blanks around it (also no-break and zero-width ones), line ends as \\n. The letters stay as they are: how
    an Å is composed is for the mapping to make equal."""
    text = text.strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return text
    while (bare := text.strip(_INVISIBLE).strip()) != text:
        text = bare
    return text


def of_text(text: str) -> Cell:
    """A cell that holds text."""
    text = clean(text)
    if not text:
        return None
    first = text[0]
    if first == "#" and _ERROR.fullmatch(text):
        return Damage.ERROR
    if first.isdigit() or first in "+-":
        if _SCIENTIFIC.fullmatch(text):
            return Damage.SCIENTIFIC
        if _ROUNDED.fullmatch(text):
            return Damage.ROUNDED
    return text


def of_value(value: object) -> Cell:
    """A workbook's cell as its reader hands it over: text, number, word of truth, date, time of day, duration."""
    match value:
        case str():
            return of_text(value)
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _of_number(value)
        case datetime.datetime():
            # A moment is a float in there: 10:30 may come as 10:29:59.9999.
            if value.year == datetime.MAXYEAR:
                return value.replace(microsecond=0).isoformat()
            return (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
        case datetime.date():
            return value.isoformat()
        case datetime.time():
            return value.replace(microsecond=0).isoformat()
        case datetime.timedelta():
            seconds = round(value.total_seconds())
            sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
            return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case None:
            return None
        case _:
            return Damage.ERROR


def _of_number(value: float) -> Cell:
    if value != value or value in (float("inf"), float("-inf")):
        return Damage.ERROR
    if abs(value) >= EXACT:
        return Damage.ROUNDED
    if value == int(value):
        return str(int(value))
    return format(Decimal(f"{value:.15g}"), "f")  # 0.1 + 0.2 is 0.3 on a person's screen


def of_date(cell: Cell, since_1904: bool) -> Cell:
    """A cell of a column that is declared to hold dates: also a bare day number, or day.month.year, is a date."""
    if not isinstance(cell, str):
        return cell
    if (day := _DAY.fullmatch(cell)) is not None:
        try:
            return datetime.date(int(day[3]), int(day[2]), int(day[1])).isoformat()
        except ValueError:
            return cell
    if _SERIAL.fullmatch(cell):
        days = Decimal(cell) + (1462 if since_1904 else 0)
        # The calendar of 1900 has a 29 February that never was; nobody's date of interest lies before it.
        if not 61 <= days < 2_958_466:
            return cell
        whole, seconds = int(days), round((days % 1) * 86_400)
        start = datetime.date(1899, 12, 30) + datetime.timedelta(days=whole)
        if not seconds:
            return start.isoformat()
        moment = datetime.datetime.combine(start, datetime.time()) + datetime.timedelta(seconds=seconds)
        return moment.isoformat()
    return cell


def to_text(value: object) -> str | None:
    """What is to stand in a cell, None for an empty one. Raises Unfit."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise Unfit("type", f"a cell holds text, a number or a word of truth, not a {type(value).__name__}")
    if _FORBIDDEN.search(value):
        raise Unfit("control", "the value has control characters, which no cell can hold")
    text = clean(value)
    if len(text) > LONGEST:
        raise Unfit("length", f"the value has {len(text):,} characters, a cell holds {LONGEST:,}")
    if text and isinstance(of_text(text), Damage):
        raise Unfit("unreadable", "the value looks like one that a spreadsheet program has damaged")
    return text or None


def guard(text: str) -> str:
    """The same text with an apostrophe before it where a program that opens the file might run it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(cell: Cell) -> Cell:
    """Without exactly that apostrophe."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and _FORMULA.match(cell) else cell


def is_number(text: str) -> bool:
    """Whether a numeric cell would give this very text back."""
    return _NUMBER.fullmatch(text) is not None and sum(each.isdigit() for each in text) <= 15


def to_moment(text: str) -> datetime.date | datetime.datetime | None:
    """The date, or date and time, that an ISO text is and that a date cell can hold."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if found < datetime.datetime(1904, 1, 2):
        return None
    return found.date() if found.time() == datetime.time() else found
