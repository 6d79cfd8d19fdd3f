"""The contract between a vendor's API and the rest: what a connector is told, and what it must answer.

A connector speaks native values only (the vendor's field names, JSON-native values); what they mean is the mapping's
business, what to do about them the engine's. It keeps no state that matters: cursors, links and everything in doubt
live in the store. It may repeat what it has told, but must not miss anything.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from connectors.auth import Secrets
from connectors.errors import Stop
from connectors.world import World

Value: TypeAlias = "str | int | bool | list[str] | dict[str, object] | None"
"""A native value as stored: JSON-native. Decimals and times are strings in the vendor's form. A list that the vendor
shows only in part is `{"items": [...], "partial": true}`."""

Fields: TypeAlias = "dict[str, Value]"
"""Native name → value. An absent key means: not known from this reading. None means: empty over there."""

T = TypeVar("T")


class State(enum.IntEnum):
    """What is known of a record's existence (docs/rules.md F29)."""

    LIVE = 0
    ARCHIVED = 1  # hidden over there; never written to, since a write may bring it back
    DELETED = 2  # the vendor reports that somebody deleted it
    GONE = 3  # not found, nobody said why: lost sharing rules look the same
    MERGED = 4  # lives on in another record
    OUT_OF_SCOPE = 5  # left the filter; rests


class Writer(enum.IntEnum):
    """Who made a record's last change, where the vendor tells."""

    UNKNOWN = 0
    PERSON = 1
    INTEGRATION = 2
    WORKFLOW = 3
    IMPORT = 4


class FeedKind(enum.StrEnum):
    DELTA = "delta"  # everything once, then what changed
    SWEEP = "sweep"  # ids only, to find what neither the delta nor a webhook showed
    DELETES = "deletes"  # what was deleted or archived


class WriteKind(enum.StrEnum):
    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"  # opt an address out that may have no record yet


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A record's name over there."""

    object: str
    id: str

    def __str__(self) -> str:
        return f"{self.object}:{self.id}"


@dataclass(slots=True)
class Record:
    """One record as read.

    `modified` and `created` are microseconds UTC by the vendor's clock, None where it has none. `version` is
    what a conditional write wants back. `aliases` are former names told by a survivor; `merged_into` is told by a
    loser. `mine`: created by the user we act as (None: cannot tell). `asked_seq` is stamped by the engine.
    """

    ref: Ref
    fields: Fields
    state: State = State.LIVE
    version: str | None = None
    modified: int | None = None
    created: int | None = None
    aliases: tuple[Ref, ...] = ()
    merged_into: Ref | None = None
    writer: Writer = Writer.UNKNOWN
    mine: bool | None = None
    asked_seq: int = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """One stream of a system. `cursor` None: from the beginning."""

    object: str
    kind: FeedKind
    cursor: str | None = None


@dataclass(slots=True)
class Page:
    """Some records, and the cursor that goes on behind them. `last`: nothing more for now; the cursor then
    is where the next pull begins, reaching back over whatever the vendor may still show late."""

    records: list[Record]
    cursor: str
    last: bool


@dataclass(slots=True)
class Write:
    """One operation on one record.

    `key` is our idempotency key, the same at each retry. `fields` holds only what is to change; None clears.
    `before` is what those fields were believed to hold. `address` is the e-mail address of a `WITHDRAW`.
    `if_version` is honoured where `Capabilities.conditional`.
    """

    kind: WriteKind
    key: str
    object: str
    ref: Ref | None
    fields: Fields
    before: Fields = field(default_factory=dict)
    if_version: str | None = None
    address: str | None = None


@dataclass(slots=True)
class Done:
    """It took effect. `id` may differ from the one written to. `fields`: native values after the write, at least
    those written, or None where the vendor answers no values."""

    id: str
    version: str | None = None
    modified: int | None = None
    fields: Fields | None = None


@dataclass(slots=True)
class Exists:
    """A create that was not made: this record has its unique key already. It was not touched."""

    record: Record


@dataclass(slots=True)
class Stale:
    """A conditional write that was not made, since the record had moved."""

    record: Record | None = None


@dataclass(slots=True)
class Gone:
    """There is no such record (any more)."""

    state: State = State.GONE
    merged_into: Ref | None = None


@dataclass(slots=True)
class Refused:
    """The vendor will not have these values. `fields` are the native names it blames, empty where it does not say;
    `code` is the vendor's own, `text` its words with every value taken out."""

    fields: tuple[str, ...]
    code: str
    text: str


@dataclass(slots=True)
class Unknown:
    """It left, and nobody knows whether it took effect. Absence proves nothing before `horizon` seconds have passed."""

    horizon: float


@dataclass(slots=True)
class Unsent:
    """It certainly did not take effect and may be sent again, after so many seconds."""

    after: float = 0.0


Answer: TypeAlias = "Done | Exists | Stale | Gone | Refused | Unknown | Unsent"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any window of `seconds`, for calls of this `bucket`."""

    requests: int
    seconds: float
    bucket: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a vendor can do. The engine asks these, never the vendor's name."""

    feeds: tuple[tuple[str, FeedKind], ...]
    """Which (object, kind) streams there are. Deletes that have no "since" are told by `deletes_swept`."""
    creates: tuple[str, ...]
    """Objects in which a new person can be made, the default first."""
    deletes_swept: bool = False
    """The deletes feed is a whole listing and belongs to the sweep, not to every run."""
    conditional: bool = False
    """`Write.if_version` is honoured: a moved record answers `Stale`."""
    create_only: bool = True
    """A create never changes a record that exists."""
    returns_fields: bool = False
    """`Done.fields` is filled."""
    unique: frozenset[str] = frozenset()
    """Native names whose values are unique over all live records of the system."""
    finds: frozenset[str] = frozenset()
    """Native names by which `find` looks up without a search index."""
    consent_on: str = "none"
    """Where an opt-out hangs: "record", "address" (a changed address is mailable again) or "none"."""
    field_times: bool = False
    """`history` is there."""
    coercions: frozenset[str] = frozenset()
    """How a written value may come back: cut, case, blanks, digits, label, day, order, cleared."""
    batch: Mapping[WriteKind, int] = field(default_factory=dict)
    """How many writes of a kind one request takes; absent kinds are not possible."""
    parallel: int = 1
    """How many requests we keep in flight at most."""
    horizon: float = 600.0
    """Seconds after which a request that we stopped waiting for has certainly ended over there."""
    lag: float = 0.0
    """Seconds by which the feeds may show a change late."""
    rates: tuple[Rate, ...] = ()
    fleeting: bool = False
    """A record's name changes with its values until `add_own_key` has given all of them lasting ones."""


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A native field as the live account has it. `filled`: share of records that hold a value, where known."""

    name: str
    label: str
    type: str  # text | email | phone | number | boolean | date | datetime | choice | choices | reference | other
    length: int | None = None
    options: tuple[Option, ...] | None = None
    read_only: bool = False
    required: bool = False
    unique: bool = False
    restricted: bool = True
    """Only the options are accepted."""
    filled: float | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    object: str
    fields: tuple[SchemaField, ...]

    def by_name(self) -> dict[str, SchemaField]:
        return {each.name: each for each in self.fields}


@dataclass(frozen=True, slots=True)
class Finding:
    """What `check` saw. `level`: "ok", "advice", "warning" or "error"; `text` where and what; `hint` what to do."""

    level: str
    code: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A former value of a field, from the vendor's own history. `at` in microseconds UTC."""

    value: Value
    at: int
    writer: Writer
    mine: bool


class ConnectorSettings(BaseModel):
    """A connector's own part of the configuration: each connector adds its keys. `base_url` stands in every one that
    talks HTTP, so that an emulator can take the vendor's place."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def place(self) -> tuple[object, ...]:
        """The account or file that is meant: two systems of one connector and one place are one too many."""
        return tuple(self.model_dump().items())


class Connector(ABC):
    """One configured connection. Made by wiring; used by one holder of the system's lease at a time, from up to
    `capabilities.parallel` units at once.

    `name` is the system's name in the configuration, for messages. `fields`: object → the native names that the
    mapping wants read. Nothing is requested before the first call.
    """

    Settings: ClassVar[type[ConnectorSettings]]

    capabilities: Capabilities

    @abstractmethod
    def __init__(
        self, name: str, settings: Any, world: World, fields: Mapping[str, Sequence[str]], secrets: Secrets
    ) -> None: ...

    @abstractmethod
    def changes(self, feed: Feed) -> Iterator[Page]:
        """Read a delta or deletes feed on from its cursor, at least one page. A page is requested only when it is
        asked for. Raises Retry, CursorLost or Stop."""

    @abstractmethod
    def ids(self, feed: Feed) -> Iterator[Page]:
        """Walk a sweep feed: every live record with its ref, and `version`/`modified` where they come for free.
        Raises as `changes`."""

    @abstractmethod
    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        """Read these records strongly consistent, each once under the name that was asked: a missing one has state
        GONE, a merged one state MERGED and `merged_into`."""

    @abstractmethod
    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        """Records whose native field `name` (one of `capabilities.finds`, or `own_key`) has one of the values, through
        no search index, deleted ones included where the vendor shows them."""

    @abstractmethod
    def write(self, writes: Sequence[Write]) -> list[Answer]:
        """Send these (all of one kind and object, each record at most once, no more than `capabilities.batch`). One
        answer each, in the same order. Raises Retry or Stop only while nothing can have left."""

    @abstractmethod
    def schema(self, object: str) -> Schema:
        """The fields of an object as the live account has them."""

    @abstractmethod
    def check(self) -> Iterator[Finding]:
        """Try the credentials and the rights, and tell what is missing."""

    def own_key(self, object: str) -> str | None:
        """The native field that holds our idempotency key and is unique over there; None where the account has
        none. May ask the system once."""
        return None

    def add_own_key(self, object: str) -> str:
        """Make that field in the live account and answer its name. Raises Stop where it cannot be done."""
        raise Stop(f"the connector of {object!r} cannot make a key field")

    def history(self, refs: Sequence[Ref], fields: Sequence[str]) -> Iterator[tuple[Ref, dict[str, list[Version]]]]:
        """Former values of these fields, newest first; only where `capabilities.field_times`."""
        raise Stop("this connector cannot tell a field's history")

    def requests(self) -> Mapping[str, int]:
        """How many requests this connection has made, by purpose."""
        return {}

    def quota(self) -> tuple[int, int] | None:
        """(used, allowed) requests of the vendor's current day, as it last told us."""
        return None

    def skew(self) -> float:
        """Seconds by which the vendor's clock is ahead of ours, as its answers' dates show."""
        return 0.0

    def close(self) -> None:
        """Let go of connections."""


def bisect(
    writes: Sequence[Write],
    send: Callable[[Sequence[Write]], list[Answer] | None],
    blame: Callable[[Write], Answer],
) -> list[Answer]:
    """Send a batch that the vendor takes whole or not at all; halve it while it is refused, until only the culprits
    are left with what `blame` says of them. `send` answers None for "refused, nothing took effect"."""
    answers = send(writes)
    if answers is not None:
        return answers
    if len(writes) == 1:
        return [blame(writes[0])]
    middle = len(writes) // 2
    return bisect(writes[:middle], send, blame) + bisect(writes[middle:], send, blame)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    part: list[T] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
