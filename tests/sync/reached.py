"""Counting what a law met: a property that was never put to the test proves nothing."""

from __future__ import annotations

from collections import Counter


class Reached:
    """How often each dangerous state was met, against how often it must be."""

    def __init__(self, **least: int) -> None:
        self._least = least
        self._met: Counter[str] = Counter()

    def met(self, what: str, times: int | bool = 1) -> None:
        if what not in self._least:
            raise KeyError(what)
        self._met[what] += int(times)

    def enough(self) -> None:
        """Raises AssertionError naming what was met too seldom."""
        short = {what: (self._met[what], least) for what, least in self._least.items() if self._met[what] < least}
        assert not short, f"met too seldom (met, least): {short}; of all: {dict(self._met)}"
