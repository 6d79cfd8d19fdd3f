"""Findings of check and lint, for people and for programs: how bad, the code, where, what, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from smarketing.cli.output import count, paint, say

if TYPE_CHECKING:
    from connectors.base import Finding

LEVELS: Mapping[str, tuple[str, str]] = {
    "error": ("red", "errors"),
    "warning": ("yellow", "warnings"),
    "advice": ("blue", "pieces of advice"),
    "ok": ("green", "ok"),
}
"""How bad, from the worst: the colour, and the word for several."""

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)", re.DOTALL)


class Shown:
    """Findings as they come, a line each. What to do stands below; once, where it is the same for several."""

    def __init__(self, indent: str = "") -> None:
        self._indent = indent
        self._hint = ""

    def add(self, each: Finding) -> None:
        if each.hint != self._hint:
            self.end()
        mark = "ok" if each.level == "ok" else f"{each.level}[{each.code}]"
        say(f"{self._indent}{paint(mark, LEVELS[each.level][0])}: {each.text}")
        self._hint = each.hint

    def end(self) -> None:
        """Tell what is still to be told: at the end, and before anything is asked."""
        if self._hint:
            say(f"{self._indent}    {self._hint}")
        self._hint = ""


def show(findings: Iterable[Finding]) -> None:
    shown = Shown()
    for each in findings:
        shown.add(each)
    shown.end()


def as_json(each: Finding) -> dict[str, object]:
    return {"level": each.level, "code": each.code, **placed(each.text), "hint": each.hint}


def placed(text: str) -> dict[str, object]:
    """A text for programs: the place it begins with, where it does, apart from the rest."""
    found = _PLACE.match(text)
    if found is None:
        return {"file": None, "line": None, "column": None, "text": text}
    return {"file": found["file"], "line": int(found["line"]), "column": int(found["column"]), "text": found["text"]}


def totals(findings: Iterable[Finding]) -> dict[str, int]:
    """Level → how many."""
    levels = [each.level for each in findings]
    return {level: levels.count(level) for level in LEVELS}


def summary(counted: Mapping[str, int]) -> str:
    """2 errors, 1 warning; "nothing to say" where there is neither."""
    told = [
        count(counted[level], {"advice": "piece of advice"}.get(level, level), LEVELS[level][1])
        for level in ("error", "warning", "advice")
        if counted[level]
    ]
    return ", ".join(told) or "nothing is wrong"
