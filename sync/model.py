"""What the engine thinks in: records as the store knows them, leads, operations. Values only, no effects."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Capabilities, FeedKind, Fields, Ref, State, WriteKind, Writer
from mappings.lead import Canon
from mappings.mapping import Groups, LeadMapping, ObjectMapping

ALL = frozenset({"*"})
"""Stands for every group: nothing of the record was ever absorbed."""

ALWAYS = "always"
"""Settled whatever the values: only a person ends it."""

PRIMARY, TWIN = 0, 1

WAITS_FOR_PERSON, WAITS_FOR_CREATE = 1, 2
"""Why a record belongs to nobody yet. It may be what a create of ours made, whose answer has not come."""


class Lane(enum.IntEnum):
    """What goes first."""

    WITHDRAWAL = 0
    EDIT = 1
    RETRY = 2
    BACKFILL = 3


class OutState(enum.IntEnum):
    PROPOSED = 0
    QUEUED = 1
    SENDING = 2


AHEAD, WRITE, RESTORE = 0, 1, 2
"""Steps of an operation: a no that goes ahead of a new address, the write itself, or the taking back of one, which no
newer plan replaces."""


DEFAULT = "default"
"""Why a group of a record is settled: we made the record without a value for it, and what it shows is the vendor's."""

MADE = "~made"
"""Stands among what is settled for a record that we made, until it was read for the first time."""


@dataclass(slots=True)
class System:
    """One configured connection as the engine sees it. `capabilities`: as the connector told them when this run began
    (a file that was read-only yesterday may not be today). `writes`: none | update | all. `rank`: its place in the
    configuration, the last word between equals. `deletions`: ignore | archive, what a deletion elsewhere does here."""

    id: int
    name: str
    rank: int
    mapping: LeadMapping
    capabilities: Capabilities
    writes: str = "all"
    deletions: str = "ignore"
    filters: tuple[Filter, ...] = ()
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Object → mapped native names that the account has not, as it was last looked at."""

    def feeds(self) -> list[tuple[str, FeedKind]]:
        """The vendor's streams of what the mapping reads."""
        return [(object_, kind) for object_, kind in self.capabilities.feeds if object_ in self.mapping.objects]

    def takes(self, kind: WriteKind) -> bool:
        """Whether it can and may be written to in this way."""
        changes = kind in (WriteKind.UPDATE, WriteKind.WITHDRAW)
        allowed = self.writes == "all" or (self.writes == "update" and changes)
        return allowed and kind in self.capabilities.batch

    def creates(self) -> str | None:
        """As what a new person is made here; None where nobody can be."""
        return next((object_ for object_ in self.capabilities.creates if object_ in self.mapping.objects), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on a canonical field. `op`: eq | in | present | older_than (days, on a date field)."""

    field: str
    group: str
    op: str
    value: object = None


@dataclass(slots=True, eq=False)
class Known:
    """A record as the store knows it. `now` is native and mapped fields only."""

    id: int
    system: int
    object: str
    ext: str | None
    lead: int | None = None
    role: int = PRIMARY
    slot: str | None = None
    state: State = State.LIVE
    state_at: int = 0
    into: str | None = None
    fresh: frozenset[str] | None = ALL
    now: Fields = field(default_factory=dict)
    base: Fields = field(default_factory=dict)
    pending: Fields = field(default_factory=dict)
    asked: dict[str, list[Any]] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)
    was: Fields = field(default_factory=dict)
    answered: int | None = None
    version: str | None = None
    modified: int | None = None
    prev_modified: int | None = None
    writer: Writer = Writer.UNKNOWN
    times: dict[str, int] = field(default_factory=dict)
    read_seq: int = 0
    read_at: int = 0
    obs: int = 0
    swept: int = 0
    waits: int = 0
    awaits: int | None = None
    mine: bool | None = None
    taken_up: dict[str, int] = field(default_factory=dict)

    def ref(self) -> Ref:
        if self.ext is None:
            raise ValueError(f"record {self.id} was never created over there")
        return Ref(self.object, self.ext)

    def settle_for(self, group: str, wanted: str, why: str, run: int) -> None:
        """Remember that this wish was put to this record, and what came of it: it is not put again (F2)."""
        self.asked[group] = [wanted, why, run]


@dataclass(slots=True)
class Lead:
    """Our canonical person. `value`: group → canonical value. `origin`: group → [record, lo, hi, rule, run, proven,
    writer]; lo and hi are the times between which the value was written, 0 where unknown."""

    id: int
    rev: int = 0
    value: Groups = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    frozen: dict[str, str] = field(default_factory=dict)
    state: str = "live"


@dataclass(slots=True)
class Side:
    """A record of a lead, seen through today's mapping. `now`, `base`: group → canonical value; a group that is not
    there is not known. `held`: groups whose values the inbound guard does not trust."""

    known: Known
    system: System
    mapping: ObjectMapping
    now: Groups
    base: Groups
    pending: Groups
    unreadable: Mapping[str, str]
    held: frozenset[str] = frozenset()
    withdrawing: bool = False
    """A write of ours that says no is under way to it: a no that it shows may be ours, or its own."""

    @property
    def live(self) -> bool:
        return self.known.state is State.LIVE and self.known.ext is not None

    def is_fresh(self, group: str) -> bool:
        fresh = self.known.fresh
        return fresh is not None and (fresh is ALL or "*" in fresh or group in fresh)


@dataclass(slots=True)
class Operation:
    """One create, update or archive of one record, decided. `groups`: group → (before, after) in canonical form.
    `wanted`: group → hash of what the lead says. `record` 0: a create whose record has no id yet."""

    record: int
    system: int
    kind: str
    object: str
    lead: int
    lane: Lane
    fields: Fields
    before: Fields
    groups: dict[str, list[Canon]]
    wanted: dict[str, str]
    step: str = "write"  # withdraw: first opt the new address out
    address: str | None = None
    withdraw: Fields = field(default_factory=dict)
    slot: list[str | None] | None = None  # own address: before, after
    follows: Operation | None = None  # what is due on the same record once this has gone through


@dataclass(slots=True)
class Question:
    """Something a person must decide. `cause` groups what has one reason; `seen` is the hash of what was looked at."""

    kind: str
    cause: str
    system: int | None = None
    lead: int | None = None
    record: int | None = None
    body: dict[str, Any] = field(default_factory=dict)
    seen: str | None = None
