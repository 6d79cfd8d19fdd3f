"""Rate budgets of one system: never more requests than the vendor allows, never more than our share of a day.

An in-memory GCRA on the World's clock. That suffices because a system belongs to one holder of its lease at a time;
what a day has used is told by the vendor's own headers.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Rate
from connectors.errors import Retry
from connectors.world import World

ASK_AGAIN = 3600.0
"""Seconds after which a spent day may have ended."""


class Budget:
    """Permits for requests. `take` waits until one is free."""

    def __init__(self, system: str, world: World, rates: Sequence[Rate], daily_share: float = 1.0) -> None:
        self._system = system
        self._world = world
        self._rates = tuple(rates)
        self._due = [0.0] * len(self._rates)  # GCRA: the theoretical arrival time of each rate
        self._lock = world.lock()
        self._share = daily_share
        self._used: int | None = None
        self._allowed: int | None = None
        self._told_at = 0.0

    def take(self, bucket: str = "all") -> None:
        """Wait for a permit of every rate that covers this bucket. Raises Retry when our share of the day is spent."""
        if self._is_spent():
            raise Retry(
                f"{self._system}: {self._used:,} of {self._allowed:,} requests of the day are used, our share is "
                f"{self._share:.0%}; it goes on when the vendor's day is over",
                after=ASK_AGAIN,
                code="SM310",
            )
        with self._lock:
            now = self._world.monotonic()
            wait = 0.0
            for i, rate in enumerate(self._rates):
                if rate.bucket not in ("all", bucket):
                    continue
                # A tenth of the window may be spent at once; the rest of it is spread evenly, so that no window
                # ever holds more than `requests`.
                burst = max(1.0, rate.requests * 0.1)
                gap = rate.seconds / max(1.0, rate.requests - burst)
                due = max(self._due[i], now - gap * (burst - 1))
                wait = max(wait, due - now)
                self._due[i] = due + gap
        if wait > 0:
            self._world.sleep(wait)

    def _is_spent(self) -> bool:
        """Only the vendor knows when its day is over: now and then one request asks."""
        with self._lock:
            if self._used is None or not self._allowed or self._used < self._allowed * self._share:
                return False
            now = self._world.monotonic()
            if now < self._told_at + ASK_AGAIN:
                return True
            self._told_at = now
            return False

    def told(self, used: int, allowed: int) -> None:
        """The vendor's own count of its day."""
        self._used, self._allowed, self._told_at = used, allowed, self._world.monotonic()

    @property
    def day(self) -> tuple[int, int] | None:
        """(used, allowed) of the vendor's day, as last told."""
        return None if self._used is None or self._allowed is None else (self._used, self._allowed)
