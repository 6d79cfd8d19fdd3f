"""HubSpot's times: milliseconds since 1970 in UTC, and the texts it writes and takes for them."""

from __future__ import annotations

import datetime
import functools

from connectors.world import MICROSECONDS, World

DAY = 86_400_000
_EPOCH = datetime.datetime(1970, 1, 1)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999


class Clock:
    """The vendor's own clock: set once by the World's, and running evenly from there. When our wall clock is put
    right, HubSpot's does not move."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = world.now() - self._passed()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return (self._began + self._passed()) // 1000

    def _passed(self) -> int:
        return round(self._world.monotonic() * MICROSECONDS)


@functools.lru_cache(maxsize=8192)
def stamp(at: int) -> str:
    """As answers show it: ISO 8601 with milliseconds and Z."""
    return (_EPOCH + datetime.timedelta(milliseconds=at)).isoformat(timespec="milliseconds") + "Z"


def moment(text: str) -> int | None:
    """Milliseconds of an epoch number or an ISO 8601 text; None for anything else."""
    try:
        at = int(text) if text.lstrip("-").isdecimal() else _milliseconds(datetime.datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None
    return at if _FIRST <= at <= _LAST else None


def day(text: str) -> str | None:
    """A calendar day (YYYY-MM-DD) of a text that means midnight in UTC; None for anything else."""
    at = moment(text)
    return stamp(at)[:10] if at is not None and at % DAY == 0 else None


def _milliseconds(when: datetime.datetime) -> int:
    if when.tzinfo is not None:
        when = when.astimezone(datetime.UTC).replace(tzinfo=None)
    return (when - _EPOCH) // datetime.timedelta(milliseconds=1)
