"""What a delimited text file and a workbook have in common for the rest: rows of cells with the number a person sees,
and one way to change some of them. The rest stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from connectors.spreadsheet.cells import Cell

Merge: TypeAlias = "tuple[tuple[int, int], tuple[int, int]]"
"""Merged cells: (row number, column) of the first and of the last."""


@dataclass(slots=True)
class Line:
    """A row. `number`: where a person finds it. `width`: how many fields it has, empty ones included. `swallowed`: how
    wide the rows are that seem to stand inside one of its fields. `otherwise`: how wide it is itself when its only
    field is parted by another sign."""

    number: int
    cells: list[Cell]
    width: int
    swallowed: int = 0
    otherwise: int = 0

    def at(self, column: int) -> Cell:
        return self.cells[column] if column < len(self.cells) else None


@dataclass(slots=True)
class Edits:
    """Cells to set, by row number and column (0 is the first), None clears; and rows to append. `inserted`: where a
    new column comes; the columns of `cells` are counted with it."""

    inserted: int | None = None
    cells: dict[int, dict[int, str | None]] = field(default_factory=dict)
    appended: list[dict[int, str]] = field(default_factory=list)

    def set(self, number: int, column: int, text: str | None) -> None:
        self.cells.setdefault(number, {})[column] = text

    def __bool__(self) -> bool:
        return bool(self.cells or self.appended)

    def now_at(self, column: int) -> int:
        """Where a column stands afterwards."""
        return column + 1 if self.inserted is not None and column >= self.inserted else column


class Form(Protocol):
    """One reading of a file."""

    told: str
    """How it was read, for a person."""
    word: str
    """What a row's number counts: "line" or "row"."""
    since_1904: bool
    """Bare day numbers count from 1904."""
    warnings: tuple[str, ...]
    """What looked odd while it was opened."""
    after_writing: str | None
    """What a person will notice after a write."""

    def lines(self) -> Iterator[Line]:
        """Every row from the top, blank ones included."""

    def merges(self) -> Sequence[Merge]:
        """Its merged cells."""

    def ragged(self) -> bool:
        """Whether a row can have more fields than its heading row, so that nobody knows which is which."""

    def frozen(self, rows: int) -> str | None:
        """Why this file, which has so many rows of data, cannot be written back without loss; None if it can."""

    def closed(self, number: int, column: int) -> str | None:
        """Why that cell must not be written."""

    def fits(self, text: str) -> bool:
        """Whether the file can hold these characters."""

    def rewritten(self, edits: Edits, dates: Set[int]) -> bytes:
        """The whole file with these edits. `dates`: columns that hold dates."""
