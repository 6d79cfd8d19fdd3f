"""Listings of members, resumable at any page, and single members.

A listing is paged by the time of the last change and not by offset, which slides over members when others move to the
end. Where one second fills a whole page, that second is paged by offset, and begun anew when members left it meanwhile.
The next pull begins `LAG` before this one began, by the earlier of the vendor's clock and ours: late commits would be
missed else. Archived members stand in a listing of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import msgspec

from connectors.base import Page, Record, Ref, State, batches
from connectors.errors import CursorLost, Retry
from connectors.mailchimp.native import (
    ARCHIVED,
    EMAIL,
    MEMBER,
    TAGS,
    Wanted,
    hashed,
    micros,
    record,
    said,
    version,
)
from connectors.mailchimp.wire import Heard, Wire
from connectors.world import MICROSECONDS, World

LAG = 120.0
"""Seconds by which a listing of changes may be late (a safe margin; Mailchimp tells none)."""
PAGE = 500
"""Members a request; a thousand with all fields may take longer than Mailchimp's own limit of two minutes."""
SWEEP_PAGE = 1000
TAG_PAGE = 1000
AT_ONCE = 60
"""Single members are asked for in waves of so many."""
REMEMBERED = 20_000
"""Of so many members the address is remembered; the others are written one by one."""
PATIENCE = 3
"""How many times in a row a second may be begun anew before the reading is left to the next run."""

ALWAYS = ("contact_id", EMAIL, "status", "last_changed", "tags_count", "tags")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands. `start`: when it began, in seconds. Members changed after `since` are due (None: all).
    `tie`: only those of the very next second, of which the first `offset` of `total` are told."""

    start: int | None = None
    since: int | None = None
    tie: bool = False
    offset: int = 0
    total: int = 0

    @classmethod
    def read(cls, cursor: str | None, system: str) -> Place:
        if cursor is None:
            return cls()
        try:
            return msgspec.json.decode(cursor, type=cls)
        except (msgspec.DecodeError, UnicodeError):
            raise CursorLost(
                f"{system}: the saved cursor is none of a Mailchimp feed; read it from the beginning"
            ) from None

    def text(self) -> str:
        return msgspec.json.encode({name: each for name, each in asdict(self).items() if each}).decode()


class Reader:
    """`addresses`: contact id → the address as it was read last, and when (seconds), for writes that go by address."""

    def __init__(self, wire: Wire, world: World, wanted: Wanted) -> None:
        self._wire = wire
        self._world = world
        self._wanted = wanted
        self.addresses: dict[str, tuple[str, int]] = {}
        self._is_there = False

    # --- feeds ---

    def changes(self, cursor: str | None, *, archived: bool = False) -> Iterator[Page]:
        """What changed since; archived members alone, or all others."""
        names = [*ALWAYS, *(name for name in self._wanted.names if name in ("language", "vip"))]
        names += [f"merge_fields.{tag}" for tag in self._wanted.tags]
        purpose = "read archived members" if archived else "read members"
        for rows, place, last in self._walk(cursor, purpose, names, PAGE, archived=archived):
            yield Page([self._record(row) for row in rows], place.text(), last)

    def ids(self, cursor: str | None) -> Iterator[Page]:
        for rows, place, last in self._walk(cursor, "sweep members", ALWAYS, SWEEP_PAGE):
            records = [Record(Ref(MEMBER, str(row["contact_id"])), {}, version=version(row)) for row in rows]
            yield Page(records, Place().text() if last else place.text(), last)  # the next sweep begins anew

    def _walk(
        self, cursor: str | None, purpose: str, names: Sequence[str], size: int, *, archived: bool = False
    ) -> Iterator[tuple[list[dict[str, Any]], Place, bool]]:
        place = Place.read(cursor, self._wire.system)
        anew = 0
        while True:
            asked_at = self._world.now() // MICROSECONDS
            heard = self._list(purpose, names, size, place, archived=archived)
            rows = heard.rows("members")
            start = place.start if place.start is not None else min(asked_at, (heard.at or 2**62) // MICROSECONDS)
            if place.tie:
                total = int(heard.content.get("total_items") or 0)
                if total < place.total:
                    anew += 1
                    if anew > PATIENCE:
                        raise Retry(f"{self._wire.system}: members change faster than they can be read")
                    place = replace(place, offset=0, total=0)  # some left that second, and others took their places
                    continue
                place = _within(place, rows, size, total)
                yield rows, place, False
                continue
            newest = max((at for row in rows if (at := _changed(row)) is not None), default=0)
            if len(rows) < size or newest > start:
                # Whatever changes after the start belongs to the next pull, or a busy audience would never let us go.
                yield rows, Place(since=start - int(LAG)), True
                return
            crowded = place.since is not None and newest - 1 <= place.since
            place = Place(start, place.since if crowded else newest - 1, tie=crowded)
            yield rows, place, False

    def _list(self, purpose: str, names: Sequence[str], size: int, place: Place, *, archived: bool) -> Heard:
        params = {
            "count": str(size),
            "offset": str(place.offset),
            "sort_field": "last_changed",
            "sort_dir": "ASC",
            "fields": ",".join([*(f"members.{name}" for name in names), "total_items"]),
        }
        if place.since is not None:
            params["since_last_changed"] = said(place.since * MICROSECONDS)
            if place.tie:
                params["before_last_changed"] = said((place.since + 2) * MICROSECONDS)
        if archived:
            params["status"] = ARCHIVED
        heard = self._wire.ask("GET", "/members", purpose=purpose, params=params, rows="members")
        for row in heard.rows("members"):
            self.note(row)
        return heard

    def note(self, body: Mapping[str, Any]) -> None:
        """Remember whose address this is."""
        contact = str(body["contact_id"])
        self.addresses.pop(contact, None)
        if body.get(EMAIL):
            self.addresses[contact] = str(body[EMAIL]), self._world.now() // MICROSECONDS
        if len(self.addresses) > REMEMBERED:
            del self.addresses[next(iter(self.addresses))]

    def _record(self, body: Mapping[str, Any]) -> Record:
        return record(body, self._wanted.names)

    # --- single members ---

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for some in batches(dict.fromkeys(refs), AT_ONCE):
            jobs = [partial(self.body, ref.id, "fetch members") for ref in some]
            for ref, found in zip(some, self._wire.beside("fetch members", jobs), strict=True):
                yield Record(ref, {}, State.GONE) if found is None else self.whole(found)

    def find(self, addresses: Sequence[str]) -> Iterator[Record]:
        """By the hash of the address: archived members too."""
        asked = list(dict.fromkeys(hashed(address) for address in addresses))
        for some in batches(asked, AT_ONCE):
            jobs = [partial(self.body, each, "find members") for each in some]
            for found in self._wire.beside("find members", jobs):
                if found is not None:
                    yield self.whole(found)

    def body(self, named: str, purpose: str) -> dict[str, Any] | None:
        """A member by its contact id or the hash of its address; None where there is none."""
        heard = self._wire.ask("GET", f"/members/{named}", purpose=purpose, expect=(404,))
        if heard.status == 404:
            self.be_there()
            return None
        if not heard.content.get("contact_id"):
            raise Retry(f"{self._wire.system}: the answer to {purpose!r} is no member", code="SM306")
        self.note(heard.content)
        return heard.content

    def be_there(self) -> None:
        """A member that is not found is gone only if its audience is there: both answers look the same. Raises Stop."""
        if not self._is_there:
            self._wire.ask("GET", "", purpose="read the audience", params={"fields": "id,name"})
            self._is_there = True

    def whole(self, body: Mapping[str, Any]) -> Record:
        """The record with all its tags, of which a body shows fifty."""
        shown = len(body.get(TAGS) or ())
        if TAGS not in self._wanted.names or int(body.get("tags_count") or 0) <= shown:
            return self._record(body)
        return record(body, self._wanted.names, whole_tags=self.tags_of(str(body["id"])))

    def tags_of(self, hash_: str) -> list[str]:
        names: list[str] = []
        while True:
            params = {"count": str(TAG_PAGE), "offset": str(len(names)), "fields": "tags.name,total_items"}
            heard = self._wire.ask("GET", f"/members/{hash_}/tags", purpose="read tags", params=params, rows="tags")
            rows = heard.rows("tags")
            names += [str(row["name"]) for row in rows]
            if len(rows) < TAG_PAGE:
                return names

    def moved_since(self, since: int) -> None:
        """Read again, for `addresses`, whatever changed since then (seconds), and forget who was archived."""
        for archived in (False, True):
            for rows, _, _ in self._walk(
                Place(since=since - int(LAG)).text(), "read addresses again", ALWAYS[:4], SWEEP_PAGE, archived=archived
            ):
                for row in rows:
                    if archived:
                        self.addresses.pop(str(row["contact_id"]), None)


def _within(place: Place, rows: Sequence[object], size: int, total: int) -> Place:
    """How it goes on behind a page of one second."""
    if len(rows) < size:
        return Place(place.start, (place.since or 0) + 1)
    return replace(place, offset=place.offset + size, total=total)


def _changed(row: Mapping[str, Any]) -> int | None:
    at = micros(row.get("last_changed"))
    return None if at is None else at // MICROSECONDS
