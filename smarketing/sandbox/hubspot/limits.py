"""How much may be asked: in any ten seconds, in a day, and of the search in any second.

Source: HubSpot docs, usage guidelines and search guide; spec: the search is exempt from the limit of ten seconds.
Searches carry no rate headers.
"""

from __future__ import annotations

from collections import deque

from smarketing.sandbox.hubspot.refusals import Voice, locked, too_many
from smarketing.sandbox.hubspot.times import DAY, Clock

WINDOW = 10


class Limits:
    """The day is over at midnight in UTC."""

    def __init__(self, clock: Clock, voice: Voice, *, ten_second: int, search: int, daily: int) -> None:
        self._clock = clock
        self._voice = voice
        self._ten_second = ten_second
        self._search = search
        self._daily = daily
        self._calls: deque[int] = deque()
        self._searches: deque[int] = deque()
        self._today = 0
        self._used = 0
        self._locked_until = 0

    def lock(self, seconds: float) -> None:
        """From now on, and for so long, writes are too many and too fast (docs: 423)."""
        self._locked_until = self._clock.now() + int(seconds * 1000)

    def check_lock(self) -> None:
        """Raises Refusal."""
        if self._clock.now() < self._locked_until:
            raise locked()

    def spend(self, *, search: bool, metered: bool) -> dict[str, str]:
        """Count a request; answers the headers its answer carries. Raises Refusal."""
        now = self._clock.now()
        day = now // DAY
        if day != self._today:
            self._today, self._used = day, 0
        window, limit, seconds = (
            (self._searches, self._search, 1) if search else (self._calls, self._ten_second, WINDOW)
        )
        while window and not now - seconds * 1000 < window[0] <= now:
            window.popleft()
        if metered and self._used >= self._daily:
            raise too_many("DAILY", self._voice.number(), self._headers(metered))
        if len(window) >= limit:
            policy = "SECONDLY" if search else "TEN_SECONDLY_ROLLING"
            raise too_many(policy, self._voice.number(), {} if search else self._headers(metered))
        window.append(now)
        self._used += 1
        return {} if search else self._headers(metered)

    def _headers(self, metered: bool) -> dict[str, str]:
        headers = {
            "X-HubSpot-RateLimit-Max": str(self._ten_second),
            "X-HubSpot-RateLimit-Remaining": str(max(0, self._ten_second - len(self._calls))),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW * 1000),
        }
        if metered:
            headers["X-HubSpot-RateLimit-Daily"] = str(self._daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self._daily - self._used))
        return headers
