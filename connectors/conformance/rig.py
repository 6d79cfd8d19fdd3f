"""What a clause is given: a way to connect, the door behind the vendor, and the names of fields to play with.

A rig belongs to one run of one clause and is thrown away afterwards: faults that were not met stay armed in its vendor.
Nothing here knows a test framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from connectors.backdoor import Backdoor, Fault, Kept, When
from connectors.base import (
    Answer,
    Capabilities,
    Connector,
    Done,
    Feed,
    FeedKind,
    Fields,
    Page,
    Record,
    Ref,
    State,
    Value,
    Write,
    WriteKind,
)
from connectors.errors import Retry
from connectors.world import World

ENDLESS = 10_000
"""No feed of a rig has so many pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Native fields of one object, with sample values in the vendor's own form; None: the account has no such field.
    The connector under test must be told to read all of them."""

    object: str
    email: str
    text: str
    """Plain text of at least 60 characters, neither required nor unique."""
    long_text: tuple[str, int | None] | None = None
    """A text with its length as the vendor's schema tells it (None: it does not)."""
    big_integer: tuple[str, Value] | None = None
    """A whole number beyond 2**53 + 1."""
    aware_time: tuple[str, str] | None = None
    """A moment written with an offset that is not zero."""
    flag: tuple[str, Value, Value] | None = None
    """On and off."""
    picklist: tuple[str, Value] | None = None
    refused: tuple[str, Value] | None = None
    """A value that the vendor refuses."""
    consent: tuple[str, Value] | None = None
    """Where a record shows an opt-out, and the value that says so."""
    stage: tuple[str, Value, Value] | None = None
    """A stage and one behind it, where going back may be ignored."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Parts of the "METHOD path" of the requests that read a delta from the beginning, create, and update."""

    read: str
    create: str
    update: str


def to_the_end(pages: Iterator[Page]) -> list[Page]:
    """All pages, of which there must be an end."""
    found = list(islice(pages, ENDLESS))
    assert len(found) < ENDLESS, f"after {ENDLESS:,} pages the feed has not come to its end"
    return found


def reads(record: Record, field: str) -> Value:
    """What was read in this field, which must be there."""
    assert field in record.fields, f"{field!r} was asked for and is not in the record of {record.ref}"
    return record.fields[field]


@dataclass(slots=True)
class Reading:
    """The pages that one walk through a feed gave."""

    pages: list[Page]

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def newest(self) -> dict[Ref, Record]:
        """Each record as it was shown last."""
        return {record.ref: record for record in self.records}

    @property
    def cursor(self) -> str:
        return self.pages[-1].cursor


@dataclass(slots=True, kw_only=True)
class Rig:
    """A vendor's stand-in with nothing in it yet, and a connector to it.

    `connector` makes a fresh one; its overrides are settings. `wrong` are overrides that make the credentials wrong.
    `make_fields(n)` gives valid values for the n-th record: `names.email` and `names.text` at least, no two alike,
    nothing in them that the vendor would coerce. `settle` lets pass what the feeds need to show every change.
    `page`: how many records fill a page of the delta feed. `missing`: an id of the right form that nobody has.
    `stands_still`: the vendor's clock moves only while the World sleeps. `tells_wait`: its "too many requests" says for
    how long. `secrets`: what must never be seen, all credentials of the connection.
    """

    connector: Callable[..., Connector]
    door: Backdoor
    world: World
    names: Names
    make_fields: Callable[[int], Fields]
    settle: Callable[[], None]
    page: int
    missing: str
    lines: Lines
    wrong: Mapping[str, object] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    faults: frozenset[Fault] = frozenset(Fault)
    merges: bool = True
    stands_still: bool = False
    tells_wait: bool = True
    _open: list[Connector] = field(default_factory=list, init=False)
    _numbers: int = field(default=0, init=False)

    def connect(self, **overrides: object) -> Connector:
        """A fresh connector, closed with the rig."""
        made = self.connector(**overrides)
        self._open.append(made)
        return made

    def restart(self) -> Connector:
        """A fresh connector, as in a new process: the earlier ones are gone."""
        self.close()
        return self.connect()

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def capabilities(self) -> Capabilities:
        return self.connect().capabilities

    # What happens over there.

    def fresh(self, **fields: Value) -> Fields:
        """Values for one more record."""
        self._numbers += 1
        return {**self.make_fields(self._numbers), **fields}

    def put(self, count: int, *, at_once: bool = False) -> list[Ref]:
        """People make that many records, one after the other or at the very same time."""
        refs = []
        for _ in range(count):
            refs.append(self.door.put(self.names.object, self.fresh()))
            if not at_once:
                self.tick()
        return refs

    def tick(self) -> None:
        """The next change has another time than the last one."""
        if self.stands_still:
            self.world.sleep(1.0)

    def fault(self, kind: Fault, line: str = "", *, times: int = 1, value: float = 0.0) -> None:
        self.door.fault(kind, When(path=line, times=times, value=value))

    def arrived(self, line: str = "") -> int:
        """How many requests with this part in their "METHOD path" the vendor has seen."""
        return sum(line in f"{seen.method} {seen.path}" for seen in self.door.requests())

    def really(self, ref: Ref) -> Kept:
        """The record as it really is."""
        found = [kept for kept in self.door.records() if kept.ref == ref]
        assert len(found) == 1, f"{ref} is there {len(found)} times"
        return found[0]

    def address(self, ref: Ref) -> str:
        """The e-mail address that the record really has."""
        return str(self.really(ref).fields[self.names.email])

    def alive(self, address: Value) -> list[Kept]:
        """The live records that really have this e-mail address."""
        return [
            kept
            for kept in self.door.records()
            if kept.state is State.LIVE and str(kept.fields.get(self.names.email)).lower() == str(address).lower()
        ]

    # What the connector is asked.

    def feed(self, kind: FeedKind, cursor: str | None = None) -> Feed:
        return Feed(self.names.object, kind, cursor)

    def read(self, connector: Connector, kind: FeedKind = FeedKind.DELTA, cursor: str | None = None) -> Reading:
        """Walk a feed to its end."""
        walk = connector.ids if kind is FeedKind.SWEEP else connector.changes
        reading = Reading(to_the_end(walk(self.feed(kind, cursor))))
        assert reading.pages, f"the {kind} feed gave no page at all; one is due, with the cursor to go on from"
        return reading

    def read_patiently(self, connector: Connector) -> Reading:
        """Walk the delta feed as the engine does: after Retry, wait and go on from the last cursor."""
        pages: list[Page] = []
        for _ in range(10):
            try:
                cursor = pages[-1].cursor if pages else None
                for page in connector.changes(self.feed(FeedKind.DELTA, cursor)):
                    pages.append(page)
                    assert len(pages) < ENDLESS, f"after {ENDLESS:,} pages the feed has not come to its end"
            except Retry as retry:
                self.world.sleep(retry.after or 1.0)
            else:
                return Reading(pages)
        raise AssertionError("the reading does not come to its end, however often it is tried again")

    def fetch(self, connector: Connector, ref: Ref) -> Record:
        found = list(connector.fetch([ref]))
        assert [each.ref for each in found] == [ref], f"a fetch of {ref} answered {[str(each.ref) for each in found]}"
        return found[0]

    def creation(self, fields: Fields) -> Write:
        """A create with a key of its own."""
        self._numbers += 1
        return Write(WriteKind.CREATE, f"conformance-{self._numbers}", self.names.object, None, fields)

    def change(self, ref: Ref, fields: Fields, *, if_version: str | None = None) -> Write:
        self._numbers += 1
        key = f"conformance-{self._numbers}"
        return Write(WriteKind.UPDATE, key, ref.object, ref, fields, if_version=if_version)

    def withdrawal(self, address: Value) -> Write:
        self._numbers += 1
        key = f"conformance-{self._numbers}"
        return Write(WriteKind.WITHDRAW, key, self.names.object, None, {}, address=str(address))

    def write(self, connector: Connector, *writes: Write) -> list[Answer]:
        answers = connector.write(writes)
        assert len(answers) == len(writes), f"{len(answers)} answers to {len(writes)} writes"
        return answers

    def create(self, connector: Connector, *rows: Fields) -> list[Ref]:
        """Create records, all of which must succeed."""
        return self.done(self.write(connector, *(self.creation(row) for row in rows)))

    def update(self, connector: Connector, ref: Ref, fields: Fields) -> Ref:
        """Change a record, which must succeed. The id may be another one afterwards."""
        return self.done(self.write(connector, self.change(ref, fields)))[0]

    def done(self, answers: Iterable[Answer]) -> list[Ref]:
        refs = []
        for answer in answers:
            assert isinstance(answer, Done), f"a harmless write was answered {answer!r}"
            refs.append(Ref(self.names.object, answer.id))
        return refs
