"""A lead on its way through deciding: what is known of it, and what is made of that."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.group import Merged
from sync.model import Known, Lead, Side
from sync.plan import Departure, Planned


@dataclass(slots=True)
class Case:
    """One lead with its sides, and what deciding makes of it."""

    lead: Lead
    rev: int
    seq: int
    sides: list[Side]
    waiting: list[Known]  # creates that have no name over there yet
    sending: frozenset[int]
    frozen: dict[str, str]
    elsewhere: frozenset[int] = frozenset()  # systems that have them as something that is not mapped any more
    keys: frozenset[str] = frozenset()
    merged: Merged = field(default_factory=Merged)
    planned: Planned = field(default_factory=Planned)
    leaves: Departure = field(default_factory=Departure)
    absorbed: list[Known] = field(default_factory=list)
    rekey: bool = False
