"""The engine's parts in one place: what every unit of work is given.

    pull (a system)  →  decide (leads)  →  push (a system)

They meet only in the store: each takes what it finds there and leaves what the next one needs, in transactions that
hold no request. Who runs them, and when, is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.base import Connector
from connectors.world import World
from mappings.mapping import ObjectMapping
from sync.guard import Limits
from sync.model import Filter, Known, System
from sync.rules import Rules
from sync.store.db import Store

SECOND = 1_000_000
HOUR = 3_600 * SECOND


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of the whole. Times in microseconds."""

    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    fresh: int = 60 * SECOND
    """A record that was read longer ago than this is read again before it is written to."""
    grace: int = 24 * HOUR
    """A deletion counts only when it still stands after this."""
    sweep_every: int = 24 * HOUR
    first: str = "approve"
    """approve: the first plan for a system waits for a person; apply: it does not."""
    chunk: int = 500
    """So many leads are decided in one transaction."""


class Interrupted(Exception):
    """The run was ended before it was done. Nothing is lost: the next one goes on from here."""


@dataclass(slots=True)
class Engine:
    """`systems` and `connectors`: by the store's id of the system."""

    store: Store
    world: World
    systems: Mapping[int, System]
    connectors: Mapping[int, Connector]
    settings: Settings
    stopping: bool = False
    """Somebody wants us to end: what is under way is finished and settled, and nothing new begun."""

    def go_on(self) -> None:
        """Raises Interrupted when somebody wants us to end."""
        if self.stopping:
            raise Interrupted

    def system(self, name: str) -> System:
        """Raises KeyError."""
        return next((each for each in self.systems.values() if each.name == name), None) or self._unknown(name)

    def mapping(self, known: Known) -> ObjectMapping | None:
        """How a record is read today; None where its system or object is not configured any more."""
        system = self.systems.get(known.system)
        return system.mapping.objects.get(known.object) if system is not None else None

    def _unknown(self, name: str) -> System:
        raise KeyError(name)


__all__ = ["Engine", "Filter", "Interrupted", "Settings"]
