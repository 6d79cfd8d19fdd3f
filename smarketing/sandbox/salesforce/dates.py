"""Date literals of SOQL: words such as TODAY or LAST_N_DAYS:7 → the days from a first to before a last.

Days are those of UTC, weeks begin on Sunday. (Salesforce docs: SOQL, date formats and date literals.)
"""

from __future__ import annotations

from datetime import date, timedelta

_ONE = timedelta(days=1)
_FIXED = {
    "YESTERDAY": ("days", -1, 0),
    "TODAY": ("days", 0, 1),
    "TOMORROW": ("days", 1, 2),
    "LAST_90_DAYS": ("days", -90, 1),
    "NEXT_90_DAYS": ("days", 1, 91),
    "LAST_WEEK": ("weeks", -1, 0),
    "THIS_WEEK": ("weeks", 0, 1),
    "NEXT_WEEK": ("weeks", 1, 2),
    "LAST_MONTH": ("months", -1, 0),
    "THIS_MONTH": ("months", 0, 1),
    "NEXT_MONTH": ("months", 1, 2),
    "LAST_QUARTER": ("quarters", -1, 0),
    "THIS_QUARTER": ("quarters", 0, 1),
    "NEXT_QUARTER": ("quarters", 1, 2),
    "LAST_YEAR": ("years", -1, 0),
    "THIS_YEAR": ("years", 0, 1),
    "NEXT_YEAR": ("years", 1, 2),
}
_COUNTED = {
    f"{word}_N_{unit.upper()}": (word, unit)
    for word in ("LAST", "NEXT")
    for unit in ("days", "weeks", "months", "quarters", "years")
} | {f"N_{unit.upper()}_AGO": ("AGO", unit) for unit in ("days", "weeks", "months", "quarters", "years")}
WORDS = frozenset({*_FIXED, *_COUNTED})


def span(word: str, today: date) -> tuple[date, date]:
    """First day, and the day after the last. Raises ValueError."""
    name, _, count = word.partition(":")
    if name in _FIXED and not count:
        unit, start, end = _FIXED[name]
    elif name in _COUNTED and count.isdigit():
        way, unit = _COUNTED[name]
        n = int(count)
        if way == "AGO":
            start, end = -n, 1 - n
        elif way == "LAST":
            # the days up to and with today; of longer units only whole ones that are over
            start, end = (-n, 1) if unit == "days" else (-n, 0)
        else:
            start, end = 1, n + 1
    else:
        raise ValueError(word)
    return _begin(unit, start, today), _begin(unit, end, today)


def _begin(unit: str, ahead: int, today: date) -> date:
    """The first day of the unit that is so many ahead of today's."""
    if unit == "days":
        return today + ahead * _ONE
    if unit == "weeks":
        return today - (today.weekday() + 1) % 7 * _ONE + 7 * ahead * _ONE
    months = {"months": 1, "quarters": 3, "years": 12}[unit]
    at = (today.year * 12 + today.month - 1) // months * months + ahead * months
    return date(at // 12, at % 12 + 1, 1)
