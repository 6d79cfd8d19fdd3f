"""What an in-process vendor holds: records, what each change left of them, and whose address may be mailed.

A `Temperament` says what kind of vendor it is: what it coerces, what is unique, where consent hangs, how late its feeds
are. Decides what a value becomes and whether it is refused; knows no request, no token and no fault.
"""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from connectors.base import Fields, Ref, State, Value, Version, WriteKind, Writer
from connectors.world import MICROSECONDS

EMAIL = "email"
KEY = "sm_key"
CONSENT = "consent"
CONFIRMED = "confirmed_at"
OUT, IN = "out", "in"


class Deletes(enum.StrEnum):
    """How a removed record can be noticed."""

    FEED = "feed"
    LISTING = "listing"  # all removed ones, with no "since"
    SWEEP = "sweep"  # only by not being there


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperament:
    """What kind of vendor it is."""

    conditional: bool = False
    own_key: bool = False
    returns_fields: bool = False
    unique_email: bool = False
    lag: float = 0.0
    """Seconds within which the feeds come to show a change, each at a moment of its own, so also out of order."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """Text fields that keep only so many characters."""
    tells_lengths: bool = True
    lower_email: bool = False
    collapse_blanks: bool = False
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """What a new record has in fields of which nothing was said."""
    consent: Literal["none", "record", "address"] = "none"
    deletes: Deletes = Deletes.FEED
    removed: State = State.DELETED
    """What a removed record is."""
    merge_makes_new: bool = False
    """A merge's survivor has an id that neither had."""
    batch: Mapping[WriteKind, int] = field(default_factory=lambda: dict.fromkeys(WriteKind, 100))
    parallel: int = 1
    horizon: float = 600.0
    page: int = 100
    objects: tuple[str, ...] = ("person",)
    tells_writer: bool = False
    tells_origin: bool = False
    """It tells when a record was made, and whether by us."""
    history: bool = False


CONDITIONAL = Temperament(
    conditional=True,
    own_key=True,
    returns_fields=True,
    consent="record",
    parallel=4,
    tells_writer=True,
    tells_origin=True,
    history=True,
)
PLAIN = Temperament(
    lag=5.0,
    cut={"title": 40},
    consent="record",
    batch=dict.fromkeys(WriteKind, 200),
    tells_origin=True,
)
COERCING = Temperament(
    returns_fields=True,
    unique_email=True,
    lag=10.0,
    cut={"title": 30},
    tells_lengths=False,
    lower_email=True,
    collapse_blanks=True,
    consent="address",
    deletes=Deletes.SWEEP,
    removed=State.ARCHIVED,
    merge_makes_new=True,
    parallel=2,
    horizon=120.0,
)


@dataclass(frozen=True, slots=True)
class Image:
    """A record as one change left it. `shown`: from when on the feeds show it."""

    fields: Fields
    state: State
    version: int
    modified: int
    shown: int
    writer: Writer
    aliases: tuple[Ref, ...]
    merged_into: Ref | None


@dataclass(slots=True, eq=False)
class Row:
    """A record's life: its images, oldest first, without those that no feed can show any more."""

    ref: Ref
    created: int
    mine: bool
    images: list[Image] = field(default_factory=list)
    past: dict[str, list[Version]] = field(default_factory=dict)

    @property
    def now(self) -> Image:
        return self.images[-1]

    def visible(self, at: int) -> Image | None:
        """What a feed shows of it."""
        return next((image for image in reversed(self.images) if image.shown <= at), None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The field that is blamed, and the vendor's code for it."""

    field: str
    code: str


@dataclass(slots=True)
class _Shelf:
    """All records of an object: as they were made, and by change (`stamps` are the changes' times, ascending)."""

    rows: list[Row] = field(default_factory=list)
    changes: list[tuple[Row, Image]] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)


class Records:
    """All that is there. `clock` is the vendor's, in microseconds, and never goes back."""

    def __init__(self, temperament: Temperament, clock: Callable[[], int], random: Callable[[], float]) -> None:
        self.rows: dict[Ref, Row] = {}
        self.lag: float | None = None
        """Seconds by which from now on every change is shown late, where the temperament's own lag is overruled."""
        self._how = temperament
        self._clock = clock
        self._random = random
        self._shelves = {each: _Shelf() for each in temperament.objects}
        self._index: dict[str, dict[str, dict[Row, None]]] = {EMAIL: {}, KEY: {}}
        self._addresses: dict[str, tuple[Value, str | None]] = {}

    def changed(
        self, object: str, since: int, after: int | None, removed: bool, now: int
    ) -> tuple[list[tuple[Row, Image]], int, bool]:
        """A page of records by change, as the feeds show them `now`: live or removed ones whose last change is not
        before `since`; where the next page begins; whether it was the last."""
        shelf = self._shelves[object]
        place = bisect_left(shelf.stamps, since) if after is None else after
        found: list[tuple[Row, Image]] = []
        while place < len(shelf.changes) and len(found) < self._how.page:
            row, image = shelf.changes[place]
            place += 1
            if (image.state is not State.LIVE) is removed and row.visible(now) is image:
                found.append((row, image))
        return found, place, place >= len(shelf.changes)

    def made(self, object: str, after: int) -> tuple[list[Row], int, bool]:
        """A page of the live records as they were made, without lag."""
        rows = self._shelves[object].rows
        place = after
        found: list[Row] = []
        while place < len(rows) and len(found) < self._how.page:
            if rows[place].now.state is State.LIVE:
                found.append(rows[place])
            place += 1
        return found, place, place >= len(rows)

    def having(self, name: str, value: Value) -> list[Row]:
        """Records in any state by their e-mail address or by our key."""
        return [*self._index[name].get(_folded(name, value), {})]

    def living(self, ref: Ref) -> Row:
        row = self.rows.get(ref)
        if row is None or row.now.state is not State.LIVE:
            raise ValueError(f"{ref} is no live record here")
        return row

    def taken(self, fields: Fields) -> Fields:
        """The values as this vendor keeps them."""
        taken: Fields = {}
        for name, value in fields.items():
            if isinstance(value, str):
                if self._how.collapse_blanks:
                    value = " ".join(value.split())
                if name in self._how.cut:
                    value = value[: self._how.cut[name]]
                if name == EMAIL and self._how.lower_email:
                    value = value.lower()
            elif isinstance(value, (list, dict)):
                value = deepcopy(value)
            taken[name] = None if value == "" else value
        return taken

    def refusal(self, row: Row | None, taken: Fields) -> Refusal | None:
        """Why these values are refused, for this record or for a new one."""
        email = taken.get(EMAIL)
        if email is not None and "@" not in str(email):
            return Refusal(EMAIL, "INVALID_EMAIL")
        choices = dict(self._how.choices)
        if self._how.consent != "none":
            choices[CONSENT] = (OUT, IN)
        for name, allowed in choices.items():
            if taken.get(name) is not None and taken[name] not in allowed:
                return Refusal(name, "INVALID_OPTION")
        if CONFIRMED in taken:
            return Refusal(CONFIRMED, "READ_ONLY")
        if self.owner(row, taken, KEY):
            return Refusal(KEY, "DUPLICATE_VALUE")
        if self.owner(row, taken, EMAIL):
            return Refusal(EMAIL, "DUPLICATE_VALUE")
        return None

    def owner(self, row: Row | None, taken: Fields, name: str) -> Row | None:
        """The other live record that has this unique value."""
        unique = self._how.own_key if name == KEY else self._how.unique_email
        if not unique or taken.get(name) is None:
            return None
        others = (each for each in self.having(name, taken[name]) if each is not row)
        return next((each for each in others if each.now.state is State.LIVE), None)

    def create(self, object: str, taken: Fields, writer: Writer, *, mine: bool) -> Row:
        row = self._row(object, mine=mine)
        self._keep(row, {**self._how.defaults, **taken}, taken, writer, mine=mine)
        return row

    def update(self, row: Row, taken: Fields, writer: Writer, *, mine: bool) -> None:
        self._keep(row, {**row.now.fields, **taken}, taken, writer, mine=mine)

    def corrupt(self, row: Row, taken: Fields) -> None:
        """Values become others where they lie."""
        self._reindex(row, row.now.fields, {**row.now.fields, **taken})
        row.now.fields.update(taken)

    def remove(self, row: Row, writer: Writer) -> None:
        self._commit(row, row.now.fields, writer, state=self._how.removed)

    def merge(self, kept: Row, lost: Row) -> Row:
        """The kept one's values, filled from the lost one's; whoever had opted out stays out. Answers the survivor."""
        fields = {**lost.now.fields, **{name: v for name, v in kept.now.fields.items() if v is not None}}
        if OUT in (kept.now.fields.get(CONSENT), lost.now.fields.get(CONSENT)):
            fields[CONSENT] = OUT
        survivor = self._row(kept.ref.object, mine=False) if self._how.merge_makes_new else kept
        gone = [lost] if survivor is kept else [kept, lost]
        former = tuple(ref for row in gone for ref in (row.ref, *row.now.aliases))
        for ref in former:
            row = self.rows[ref]
            self._commit(row, row.now.fields, Writer.PERSON, state=State.MERGED, merged_into=survivor.ref)
        if self._how.consent == "address":
            fields[CONSENT], fields[CONFIRMED] = self._addresses.get(_address(fields), (None, None))
        aliases = (*kept.now.aliases, *former) if survivor is kept else former
        self._commit(survivor, fields, Writer.PERSON, aliases=aliases)
        return survivor

    def declare(self, address: str, consent: str, confirmed: str | None, writer: Writer) -> None:
        """Whoever owns this address has opted out or in."""
        if self._how.consent == "address":
            self._addresses[_folded(EMAIL, address)] = (consent, confirmed)
        self._spread(address, consent, confirmed, writer)

    def _keep(self, row: Row, fields: Fields, taken: Fields, writer: Writer, *, mine: bool) -> None:
        """Leave a live record with these fields, and with what its address brings along. `taken` is what was said."""
        address, declared = _address(fields), CONSENT in taken
        if self._how.consent == "address":
            if declared and address:
                self._addresses[address] = (taken[CONSENT], None)
            fields[CONSENT], fields[CONFIRMED] = self._addresses.get(address, (None, None))
        elif declared:
            fields[CONFIRMED] = None
        self._commit(row, fields, writer, mine=mine)
        if self._how.consent == "address" and declared and address:
            self._spread(address, *self._addresses[address], writer)

    def _spread(self, address: str, consent: Value, confirmed: str | None, writer: Writer) -> None:
        """Every live record that has this address shows its consent."""
        for row in self.having(EMAIL, address):
            now = row.now
            if now.state is State.LIVE and (now.fields.get(CONSENT), now.fields.get(CONFIRMED)) != (consent, confirmed):
                self._commit(row, {**now.fields, CONSENT: consent, CONFIRMED: confirmed}, writer)

    def _row(self, object: str, *, mine: bool) -> Row:
        row = Row(Ref(object, str(1001 + len(self.rows))), self._clock(), mine)
        self._shelves[object].rows.append(row)
        self.rows[row.ref] = row
        return row

    def _commit(
        self,
        row: Row,
        fields: Fields,
        writer: Writer,
        *,
        mine: bool = False,
        state: State = State.LIVE,
        aliases: tuple[Ref, ...] | None = None,
        merged_into: Ref | None = None,
    ) -> None:
        shelf = self._shelves[row.ref.object]
        now = max(self._clock(), shelf.stamps[-1] if shelf.stamps else 0)
        before = row.now if row.images else None
        old: Fields = before.fields if before else {}
        if aliases is None:
            aliases = before.aliases if before else ()
        version = before.version + 1 if before else 1
        image = Image(fields, state, version, now, now + self._delay(), writer, aliases, merged_into)
        self._reindex(row, old, fields)
        if self._how.history:
            for name, value in fields.items():
                if old.get(name) != value:
                    row.past.setdefault(name, []).append(Version(value, now, writer, mine))
        # An image is dropped as soon as the feeds show a later one.
        shown = next((i for i in reversed(range(len(row.images))) if row.images[i].shown <= now), 0)
        row.images = [*row.images[shown:], image] if image.shown > now else [image]
        shelf.changes.append((row, image))
        shelf.stamps.append(now)

    def _reindex(self, row: Row, old: Fields, new: Fields) -> None:
        for name, index in self._index.items():
            if old.get(name) != new.get(name):
                if old.get(name) is not None:
                    index[_folded(name, old[name])].pop(row)
                if new.get(name) is not None:
                    index.setdefault(_folded(name, new[name]), {})[row] = None

    def _delay(self) -> int:
        if not self._how.lag:
            return 0
        seconds = self._how.lag * self._random() if self.lag is None else self.lag
        return int(seconds * MICROSECONDS)


def _address(fields: Fields) -> str:
    return _folded(EMAIL, fields.get(EMAIL) or "")


def _folded(name: str, value: Value) -> str:
    """A value as it is looked up: addresses without regard to case."""
    return str(value).strip().lower() if name == EMAIL else str(value)
