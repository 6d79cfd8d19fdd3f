"""What is wrong in a file, where it stands, and the words for it.

A problem has a stable code and named words, so that a catalogue in another language can tell it as well. No problem
ever holds the value of a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from config.texts import TEXTS

Path: TypeAlias = "tuple[str | int, ...]"
"""Leads to a value: keys and indexes from the top."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def order(self) -> tuple[str, int, int]:
        return (self.file, self.line or 0, self.column or 0)

    def __str__(self) -> str:
        return ":".join(str(each) for each in (self.file, self.line, self.column) if each is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """`what`: which of the texts tells it; `words`: what goes into that text."""

    what: str
    place: Place
    path: Path = ()
    words: Mapping[str, object] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return TEXTS[self.what][0]

    @property
    def text(self) -> str:
        return TEXTS[self.what][1].format_map(self.words)

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class ConfigError(Exception):
    """A file that cannot be used; all its problems, in the order in which they stand there."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(
            problems, key=lambda each: (each.place.file, each.place.line or 0, each.place.column or 0)
        )
        super().__init__("\n".join(str(each) for each in self.problems))
