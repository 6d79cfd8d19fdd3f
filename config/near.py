"""The word that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, allowed: Iterable[str]) -> str:
    """'; did you mean "token"?' when something near is allowed, upper and lower case being near."""
    by_folded = {each.casefold(): each for each in sorted(allowed)}
    close = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.6)
    return f'; did you mean "{by_folded[close[0]]}"?' if close else ""


def nearest_or_all(word: str, allowed: Iterable[str]) -> str:
    """The near one, else '; allowed: a, b'."""
    names = list(allowed)
    return nearest(word, names) or (f"; allowed: {', '.join(names)}" if names else "")
