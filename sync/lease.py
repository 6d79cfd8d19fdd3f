"""Leases: one holder for each system (all its pulling, fetching, sending), and one for deciding.

A lease has a token that only grows. Every transaction of its holder checks it, so that a holder which lost it
(a process that slept too long) writes nothing more. A lease whose owner is dead is taken over at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sync.store import feeds
from sync.store.db import Store, Tx

TTL = 120_000_000
"""Microseconds that a lease lives without a sign of its holder."""

DECIDE = "decide"


class LeaseHeld(Exception):
    """Another process has it. `owner`: who; `until`: when it ends without a sign of them."""

    def __init__(self, name: str, owner: str, until: int) -> None:
        where = "" if name == DECIDE else f" on {name.removeprefix('system ')}"
        super().__init__(f"another smarketing process ({owner.rpartition(':')[0]}) is at work{where}")
        self.name, self.owner, self.until = name, owner, until


class LeaseLost(Exception):
    """Somebody else holds it now; nothing of this transaction counts."""


class Lease:
    """A lease that we hold. `seq` counts readings, so that two of them can be told apart in time."""

    def __init__(self, name: str, token: int, until: int, store: Store) -> None:
        self.name = name
        self.token = token
        self._until = until
        self._store = store
        self._count = 0
        self._lock = store.world.lock()

    def seq(self) -> int:
        """A number greater than any before, over all holders of this lease."""
        with self._lock:
            self._count += 1
            return (self.token << 24) + self._count

    def check(self, tx: Tx) -> None:
        """Raises LeaseLost when we do not hold it any more. Lives on for another span."""
        now = self._store.world.now()
        if now + TTL // 2 > self._until:
            if not feeds.extend_lease(tx, self.name, self.token, now + TTL):
                raise LeaseLost(self.name)
            self._until = now + TTL
            return
        held = feeds.lease_of(tx, self.name)
        if held is None or held.token != self.token:
            raise LeaseLost(self.name)


@contextlib.contextmanager
def hold(store: Store, name: str) -> Iterator[Lease]:
    """Hold a lease. Raises LeaseHeld while another owner that may be alive has it."""
    lease = take(store, name)
    try:
        yield lease
    finally:
        with store.tx() as tx:
            feeds.drop_lease(tx, name, lease.token)


def take(store: Store, name: str) -> Lease:
    """Take a lease that is free, over, or whose owner is dead. Raises LeaseHeld."""
    world = store.world
    with store.tx() as tx:
        held = feeds.lease_of(tx, name)
        if held is not None and held.until > world.now() and held.owner != world.owner() and world.alive(held.owner):
            raise LeaseHeld(name, held.owner, held.until)
        until = world.now() + TTL
        token = feeds.take_lease(tx, name, world.owner(), until)
    return Lease(name, token, until, store)
