"""The reference connector: the contract kept in full, over a vendor that lives in the same process.

It speaks to a `MemorySystem` by method calls, so that the simulator, the demo and the conformance suite's own tests
need no socket. It waits for nothing by itself: what the vendor asks for goes to the engine as Retry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from pydantic import SecretStr

from connectors.auth import Secrets
from connectors.base import (
    Answer,
    Capabilities,
    Connector,
    ConnectorSettings,
    Done,
    Exists,
    Feed,
    FeedKind,
    Fields,
    Finding,
    Gone,
    Option,
    Page,
    Record,
    Ref,
    Refused,
    Schema,
    SchemaField,
    Stale,
    State,
    Unknown,
    Version,
    Write,
    WriteKind,
    Writer,
    batches,
)
from connectors.errors import ConnectorError, CursorLost, InDoubt, Retry, Stop
from connectors.memory_records import CONFIRMED, CONSENT, EMAIL, IN, KEY, OUT, Deletes, Image, Row, Temperament
from connectors.memory_system import MemorySystem, Outcome, Trouble, What, system_named
from connectors.world import MICROSECONDS, World

T = TypeVar("T")


class MemorySettings(ConnectorSettings):
    """`world_name`: under which name the system was made in this process."""

    world_name: str
    token: SecretStr = SecretStr("")

    def place(self) -> tuple[object, ...]:
        return (self.world_name,)


def capabilities(how: Temperament) -> Capabilities:
    """What a vendor of this temperament can do."""
    feeds = [(each, kind) for each in how.objects for kind in (FeedKind.DELTA, FeedKind.SWEEP)]
    if how.deletes is not Deletes.SWEEP:
        feeds += [(each, FeedKind.DELETES) for each in how.objects]
    coercions = {"cut": bool(how.cut), "case": how.lower_email, "blanks": how.collapse_blanks}
    unique = {KEY: how.own_key, EMAIL: how.unique_email}
    return Capabilities(
        feeds=tuple(feeds),
        creates=how.objects[:1],
        deletes_swept=how.deletes is Deletes.LISTING,
        conditional=how.conditional,
        returns_fields=how.returns_fields,
        unique=frozenset(name for name, yes in unique.items() if yes),
        finds=frozenset({EMAIL}),
        consent_on=how.consent,
        field_times=how.history,
        coercions=frozenset(name for name, yes in coercions.items() if yes),
        batch={
            kind: size for kind, size in how.batch.items() if kind is not WriteKind.WITHDRAW or how.consent == "address"
        },
        parallel=how.parallel,
        horizon=how.horizon,
        lag=how.lag,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """What a cursor says: read changes from `since` on, or, in mid-listing, go on at `after` in the listing that
    began at the vendor's time `began`."""

    since: int = 0
    began: int | None = None
    after: int | None = None

    @classmethod
    def read(cls, cursor: str | None, system: str) -> _Place:
        if cursor is None:
            return cls()
        try:
            return cls(*(int(each) for each in cursor.split("/", 2)))
        except ValueError:
            raise CursorLost(
                f"{system}: the saved cursor is none of this connector's; read the feed from the beginning"
            ) from None

    def __str__(self) -> str:
        return "/".join(str(each) for each in (self.since, self.began, self.after) if each is not None)


class Memory(Connector):
    """A connection to a `MemorySystem`: the one handed in, else the one that has the settings' name."""

    Settings: ClassVar[type[ConnectorSettings]] = MemorySettings

    def __init__(
        self,
        name: str,
        settings: MemorySettings,
        world: World,
        fields: Mapping[str, Sequence[str]],
        secrets: Secrets,
        system: MemorySystem | None = None,
    ) -> None:
        there = system or system_named(settings.world_name)
        if there is None:
            raise Stop(f"{name}: there is no system called {settings.world_name!r} in this process; make it first")
        self.capabilities = capabilities(there.temperament)
        self._name = name
        self._system = there
        self._token = settings.token.get_secret_value()
        self._world = world
        self._fields = {each: tuple(names) for each, names in fields.items()}
        self._counted: Counter[str] = Counter()
        self._count_lock = world.lock()

    # Reading.

    def changes(self, feed: Feed) -> Iterator[Page]:
        place = _Place.read(feed.cursor, self._name)
        removed = feed.kind is FeedKind.DELETES
        while True:
            listing = self._ask(
                f"read {feed.object}",
                partial(self._system.changed, self._token, feed.object, place.since, place.after, removed),
            )
            began = listing.at if place.began is None else place.began
            if not listing.last:
                place = _Place(place.since, began, listing.after)
            elif removed and self.capabilities.deletes_swept:
                place = _Place()
            else:
                # A change shows up to `lag` late: the next reading begins that long before this one did.
                place = _Place(max(place.since, began - int(self.capabilities.lag * MICROSECONDS)))
            yield Page([self._record(*each) for each in listing.rows], str(place), listing.last)
            if listing.last:
                return

    def ids(self, feed: Feed) -> Iterator[Page]:
        after = _Place.read(feed.cursor, self._name).since
        while True:
            listing = self._ask(f"sweep {feed.object}", partial(self._system.sweep, self._token, feed.object, after))
            after = 0 if listing.last else listing.after
            records = [
                Record(row.ref, {}, version=self._version(image), modified=image.modified)
                for row, image in listing.rows
            ]
            yield Page(records, str(after), listing.last)
            if listing.last:
                return

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for object in dict.fromkeys(ref.object for ref in refs):
            asked = dict.fromkeys(ref for ref in refs if ref.object == object)
            for part in batches(asked, self._system.temperament.page):
                found = self._ask(f"fetch {object}", partial(self._system.get, self._token, object, part))
                for ref, there in zip(part, found, strict=True):
                    yield self._record(*there) if there else Record(ref, {}, State.GONE)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        for part in batches(dict.fromkeys(values), self._system.temperament.page):
            found = self._ask(f"find {object}", partial(self._system.find, self._token, object, name, part))
            yield from (self._record(*each) for each in found)

    def history(self, refs: Sequence[Ref], fields: Sequence[str]) -> Iterator[tuple[Ref, dict[str, list[Version]]]]:
        for object in dict.fromkeys(ref.object for ref in refs):
            asked = [ref for ref in refs if ref.object == object]
            found = self._ask(
                f"read history of {object}",
                partial(self._system.history, self._token, object, asked),
            )
            for ref, past in found:
                yield ref, {name: past.get(name, [])[::-1] for name in fields}

    # Writing.

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if not writes:
            return []
        purpose = f"{writes[0].kind} {writes[0].object}"
        try:
            outcomes = self._ask(purpose, partial(self._system.write, self._token, writes), changes=True)
        except InDoubt:
            return [Unknown(self.capabilities.horizon) for _ in writes]
        return [self._answer(write, outcome) for write, outcome in zip(writes, outcomes, strict=True)]

    def own_key(self, object: str) -> str | None:
        return KEY if self._system.temperament.own_key else None

    # The account.

    def schema(self, object: str) -> Schema:
        how = self._system.temperament
        consent = {CONSENT: None, CONFIRMED: None} if how.consent != "none" else {}
        key = {KEY: None} if how.own_key else {}
        names = dict.fromkeys([EMAIL, *self._fields.get(object, ()), *how.cut, *how.choices, *consent, *key])
        return Schema(object, tuple(self._describe(name) for name in names))

    def check(self) -> Iterator[Finding]:
        try:
            self._ask("check", partial(self._system.greet, self._token))
        except ConnectorError as error:
            yield Finding("error", error.code, str(error), "see to what the text says, then run check again")
            return
        yield Finding("ok", "SM330", f"{self._name}: it answers")
        if not self._system.temperament.own_key:
            yield Finding(
                "advice",
                "SM335",
                f"{self._name}: it has no key field of ours, so an unanswered create may end in a review",
            )

    def requests(self) -> Mapping[str, int]:
        with self._count_lock:
            return dict(self._counted)

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        """One request. Raises Retry, Stop or, for one that changes something, InDoubt."""
        self._world.pause("request")
        with self._count_lock:
            self._counted[purpose] += 1
        try:
            return call()
        except Trouble as trouble:
            raise self._verdict(purpose, trouble, changes) from None
        finally:
            self._world.pause("answered")

    def _verdict(self, purpose: str, trouble: Trouble, changes: bool) -> ConnectorError:
        match trouble.status:
            case 429:
                return Retry(f"{self._name}: too many requests at {purpose!r}", after=trouble.after)
            case 401:
                return Stop(f"{self._name}: the token was refused at {purpose!r}; check it", code="SM307")
            case 403:
                return Stop(f"{self._name}: the token has no right to {purpose!r}; grant it, then run check")
            case _ if changes:
                return InDoubt(f"{self._name}: no good answer to {purpose!r}, it may have been done")
            case _:
                return Retry(f"{self._name}: no good answer to {purpose!r}")

    def _record(self, row: Row, image: Image) -> Record:
        how = self._system.temperament
        state = image.state
        if state in (State.DELETED, State.ARCHIVED) and how.deletes is Deletes.SWEEP:
            return Record(row.ref, {}, State.GONE)
        return Record(
            row.ref,
            self._values(row.ref.object, image),
            state,
            self._version(image),
            image.modified,
            row.created if how.tells_origin else None,
            image.aliases,
            image.merged_into,
            image.writer if how.tells_writer else Writer.UNKNOWN,
            row.mine if how.tells_origin else None,
        )

    def _values(self, object: str, image: Image, written: Sequence[str] = ()) -> Fields:
        values: Fields = {}
        for name in (*self._fields.get(object, ()), *written):
            value = image.fields.get(name)
            values[name] = deepcopy(value) if isinstance(value, (list, dict)) else value
        return values

    def _version(self, image: Image) -> str | None:
        return str(image.version) if self.capabilities.conditional else None

    def _answer(self, write: Write, outcome: Outcome) -> Answer:
        row, image = outcome.row, outcome.image
        if outcome.what is What.REFUSED:
            return Refused((outcome.blamed,), outcome.code, f"{outcome.blamed} is not accepted")
        if row is None or image is None:
            return Gone() if outcome.what is What.GONE else Done(write.ref.id if write.ref else "")
        match outcome.what:
            case What.EXISTS:
                return Exists(self._record(row, image))
            case What.STALE:
                return Stale(self._record(row, image))
            case What.GONE:
                return Gone(self._record(row, image).state, image.merged_into)
            case _ if self._system.temperament.returns_fields:
                values = self._values(row.ref.object, image, tuple(write.fields))
                return Done(row.ref.id, self._version(image), image.modified, values)
            case _:
                return Done(row.ref.id)

    def _describe(self, name: str) -> SchemaField:
        how = self._system.temperament
        choices = {**how.choices, CONSENT: (OUT, IN)} if how.consent != "none" else how.choices
        options = tuple(Option(each, each) for each in choices[name]) if name in choices else None
        return SchemaField(
            name,
            name,
            "email" if name == EMAIL else "choice" if options else "datetime" if name == CONFIRMED else "text",
            length=how.cut.get(name) if how.tells_lengths else None,
            options=options,
            read_only=name == CONFIRMED,
            unique=name in self.capabilities.unique,
        )
