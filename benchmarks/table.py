"""The one table in which every benchmark is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = ("what", "measured", "limit or beside", "unit")


@dataclass(frozen=True, slots=True)
class Line:
    """`beside`: what it is to be held against; `at_most`: whether that is a limit, which a greater figure misses."""

    what: str
    measured: float
    beside: float | None = None
    unit: str = ""
    at_most: bool = False

    @property
    def missed(self) -> bool:
        return self.at_most and self.beside is not None and self.measured > self.beside

    def cells(self) -> tuple[str, str, str, str]:
        beside = "" if self.beside is None else ("≤ " if self.at_most else "") + figure(self.beside)
        return self.what, figure(self.measured) + (" missed" if self.missed else ""), beside, self.unit


def figure(value: float) -> str:
    """Three or four digits that mean something; whole numbers as they are."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def render(lines: Iterable[Line]) -> str:
    rows = [HEAD, *(each.cells() for each in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    return "\n".join(
        "  ".join(cell.ljust(width) if i in (0, 3) else cell.rjust(width) for i, (cell, width) in told).rstrip()
        for told in (list(enumerate(zip(row, widths, strict=True))) for row in rows)
    )
