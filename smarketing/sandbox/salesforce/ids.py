"""Record ids: 15 characters in which case matters, or 18 with a suffix that tells the case of the first 15.

Ids count up, so that their order as text is the order in which they were made; neighbours may differ in case alone.
"""

from __future__ import annotations

import re
from collections import Counter

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")
_POD = "5g0"


def long_id(short: str) -> str:
    """15 → 18 characters: each letter of the suffix is a bit map of the capitals in five characters."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")
        suffix += _SUFFIX[bits]
    return short + suffix


def read_id(text: str) -> str | None:
    """The 18-character form of an id in either form; None when it is none. A suffix repairs a lost case."""
    if not _FORM.match(text):
        return None
    if len(text) == 15:
        return long_id(text)
    short = ""
    for chunk, letter in zip((text[0:5], text[5:10], text[10:15]), text[15:].upper(), strict=True):
        bits = _SUFFIX.find(letter)
        if bits < 0:
            return None
        short += "".join(c.upper() if bits >> i & 1 else c.lower() for i, c in enumerate(chunk))
    return long_id(short) if long_id(short)[15:] == text[15:].upper() else None


class Mint:
    """Makes ids, one counter per prefix."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def next(self, prefix: str) -> str:
        self._made[prefix] += 1
        number = self._made[prefix]
        digits = ""
        while number:
            number, digit = divmod(number, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return long_id(prefix + _POD + digits.rjust(9, "0"))
