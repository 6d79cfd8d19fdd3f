"""How things are shown: tables and documents on stdout, progress and remarks on stderr.

Colours only on a terminal that wants them; nothing moves when the output is piped. Every document for programs says
which version of its format it has.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO
from zoneinfo import ZoneInfo

FORMAT_VERSION = "1.0"


def document(content: Mapping[str, object]) -> None:
    """One JSON document."""
    print(json.dumps({"format_version": FORMAT_VERSION, **content}, ensure_ascii=False, indent=2))


def line(content: Mapping[str, object], file: IO[str] | None = None) -> None:
    """One JSON object a line."""
    print(json.dumps(content, ensure_ascii=False), file=file or sys.stdout)


def say(text: str = "") -> None:
    """Data for a person."""
    print(text)


def remark(text: str) -> None:
    """What is no data: stderr."""
    print(text, file=sys.stderr)


def colours(file: IO[str] | None = None) -> bool:
    """Whether colours are wanted there. https://no-color.org"""
    there = file or sys.stdout
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb" and there.isatty()


_CODES = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "dim": 2, "bold": 1}


def paint(text: str, colour: str, file: IO[str] | None = None) -> str:
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if colours(file) else text


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns, as wide as their widest value; numbers to the right."""
    cells = [[_cell(each) for each in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(heading), *cells]) for i in range(len(heading))]
    numeric = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in range(len(heading))]
    print(paint(_row(heading, widths, numeric), "bold"))
    for row in cells:
        print(_row(row, widths, numeric))


def _row(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = [v.rjust(w) if n else v.ljust(w) for v, w, n in zip(row, widths, numeric, strict=True)]
    return "  ".join(parts).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else shown(value)


def _is_number(text: str) -> bool:
    return text.replace(",", "").isdigit() or text == ""


def shown(value: object) -> str:
    """A canonical or native value for a person, on one line."""
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value) if value else "(empty)"
    if isinstance(value, dict):
        return ", ".join(str(each) for each in value.values() if each not in (None, "")) or "(empty)"
    return "".join(each if each.isprintable() else "·" for each in str(value))


def moment(micros: int | None, zone: ZoneInfo) -> str:
    """A moment in the configured zone."""
    if not micros:
        return "never"
    return datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def moment_json(micros: int | None) -> str | None:
    """A moment for programs: UTC, ISO 8601."""
    if not micros:
        return None
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def count(n: int, one: str, many: str | None = None) -> str:
    """1 lead, 2 leads, 1,204 leads."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
