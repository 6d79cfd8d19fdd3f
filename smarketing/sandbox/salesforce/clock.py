"""Times as Salesforce writes them: UTC, whole seconds, an offset without a colon. As text they sort as times do.

Stamps are kept to the second, so that records saved in the same second tie.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from connectors.world import MICROSECONDS

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?([Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?\Z")


@lru_cache(maxsize=4096)
def _of_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def stamp(now: int) -> str:
    """Microseconds since 1970 → the stamp of their second."""
    return _of_second(now // MICROSECONDS)


def moment(text: str) -> datetime:
    """A stamp → a time."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def micros(text: str) -> int:
    """A stamp → microseconds since 1970."""
    return int(moment(text).timestamp()) * MICROSECONDS


def read_datetime(text: str) -> str:
    """An ISO 8601 time → its stamp; without an offset it is UTC. Raises ValueError."""
    found = _DATETIME.match(text)
    if not found:
        raise ValueError(text)
    day, time, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    if len(zone) == 3:
        zone += ":00"
    read = datetime.fromisoformat(f"{day}T{time}{zone}")
    return _of_second(int(read.timestamp()))


def read_date(text: str) -> str:
    """`YYYY-MM-DD` as it is. Raises ValueError."""
    if not _DATE.match(text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()
