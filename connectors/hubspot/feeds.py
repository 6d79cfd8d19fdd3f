"""Everything, then what changed, then what was archived: three listings, each resumable at any page.

Changes come from the search index, which shows them late, and are paged by their time instead of by offset: an offset
slides over rows when others move to the end, and ends at 10,000. Where one instant fills a whole page, its contacts
are told by id. The next pull begins `LAG` before this one began, by the earlier of the vendor's clock and ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec

from connectors.base import Page, Record, Ref, State
from connectors.errors import CursorLost, Retry
from connectors.hubspot.native import CONTACT, MERGED, MODIFIED, losers, micros, properties
from connectors.hubspot.reading import Reader
from connectors.hubspot.wire import SEARCH, Heard, Wire
from connectors.world import MICROSECONDS, World

LAG = 60.0
"""Seconds within which the search index has surely caught up (a vendor's advice for updates is a minute)."""
PAGE = 100
SEARCH_PAGE = 200
SEARCH_ROOM = 3000
"""Characters of a search request at most (HubSpot docs: search guide)."""
LIST_ROOM = 6000
"""Characters of property names that we put into an address."""

PATIENCE = 3
"""How many times in a row a listing may answer the page before instead of the one that is due."""

ID = "hs_object_id"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull stands. `start`: when it began, milliseconds. Listing everything: `after` is the vendor's own mark,
    `since` None. Following changes: everything before `since` has been told, and of the instant `since` itself the
    ids up to `tie`, where that is set."""

    start: int | None = None
    after: str | None = None
    since: int | None = None
    tie: int | None = None

    @classmethod
    def read(cls, cursor: str | None, system: str) -> Place:
        if cursor is None:
            return cls()
        try:
            return msgspec.json.decode(cursor, type=cls)
        except (msgspec.DecodeError, UnicodeError):
            raise CursorLost(
                f"{system}: the saved cursor is none of a HubSpot feed; read it from the beginning"
            ) from None

    def text(self) -> str:
        return msgspec.json.encode({name: each for name, each in asdict(self).items() if each is not None}).decode()


class Feeds:
    def __init__(self, system: str, wire: Wire, world: World, reader: Reader) -> None:
        self._system = system
        self._wire = wire
        self._world = world
        self._reader = reader

    def changes(self, cursor: str | None) -> Iterator[Page]:
        saved = place = Place.read(cursor, self._system)
        seen = _Seen()
        stuck = _Stuck(self._system)
        while True:
            asked_at = self._world.now()
            before = place
            rows, place, last = (
                self._everything(place, asked_at, saved=place is saved)
                if place.since is None
                else self._since(place, asked_at)
            )
            stuck.note(before.after, place.after)
            yield Page(self._reader.records(seen.news(rows)), place.text(), last)
            if last:
                return

    # everything, by the list endpoint: ordered by id, and it reads our own writes

    def _everything(self, place: Place, asked_at: int, *, saved: bool) -> tuple[list[Mapping[str, Any]], Place, bool]:
        # A long list of names does not fit into an address: then they are read for the ids of the page.
        long = sum(map(len, self._reader.names)) > LIST_ROOM
        heard = self._list("read contacts", [MODIFIED] if long else self._reader.names, place.after, saved=saved)
        rows: list[Mapping[str, Any]] = list(heard.results)
        if long:
            rows = self._reader.complete(rows, "read contacts")
        start = place.start if place.start is not None else _start(heard, asked_at)
        if heard.after is None:
            return rows, Place(since=start - _millis(LAG)), True
        return rows, Place(start=start, after=heard.after), False

    def _list(
        self, purpose: str, names: Sequence[str], after: str | None, *, saved: bool, archived: bool = False
    ) -> Heard:
        """One page. `saved`: its mark comes from an earlier reading, and the vendor may not know it any more."""
        query: dict[str, object] = {"limit": PAGE, "properties": list(names)}
        if after is not None:
            query["after"] = after
        if archived:
            query["archived"] = "true"
        heard = self._wire.ask(
            lambda: self._wire.sdk.contacts.get_page(**query, _preload_content=False),
            purpose=purpose,
            expect=(400,) if saved and after is not None else (),
        )
        if heard.status == 400:
            raise CursorLost(
                f"{self._system}: 400 while trying to {purpose}: the saved cursor is not taken any more; read the feed "
                f"from the beginning"
            )
        return heard

    # what changed, by search

    def _since(self, place: Place, asked_at: int) -> tuple[list[Mapping[str, Any]], Place, bool]:
        since = place.since or 0
        heard, rows = self._search(since, place.tie)
        start = place.start if place.start is not None else _start(heard, asked_at)
        here = replace(place, start=start)
        full = heard.after is not None and bool(rows)
        if place.tie is not None:
            ids = [int(row["id"]) for row in rows]
            following = replace(here, tie=max(ids)) if full else replace(here, since=since + 1, tie=None)
            return self._whole(rows), following, False
        newest = max((at // 1000 for row in rows if (at := _modified(row)) is not None), default=since)
        if not full or newest > start:
            # Whatever changes after the start belongs to the next pull, or a busy account would never let us go.
            return self._whole(rows), Place(since=start - _millis(LAG)), True
        following = replace(here, since=newest) if newest > since else replace(here, tie=0)
        return self._whole(rows), following, False

    def _search(self, since: int, tie: int | None) -> tuple[Heard, list[Mapping[str, Any]]]:
        if tie is None:
            filters = [{"propertyName": MODIFIED, "operator": "GTE", "value": str(since)}]
        else:
            filters = [
                {"propertyName": MODIFIED, "operator": "BETWEEN", "value": str(since), "highValue": str(since)},
                {"propertyName": ID, "operator": "GT", "value": str(tie)},
            ]
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [MODIFIED if tie is None else ID],
            "properties": self._reader.names if self._fits() else [MODIFIED],
            "limit": SEARCH_PAGE,
            "after": "0",
        }
        heard = self._wire.ask(
            lambda: self._wire.sdk.search.do_search(body, _preload_content=False),
            purpose="search contacts",
            bucket=SEARCH,
        )
        return heard, list(heard.results)

    def _whole(self, rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return rows if self._fits() else self._reader.complete(rows, "search contacts")

    def _fits(self) -> bool:
        """Whether all names find room in a search request, beside its half a thousand other characters."""
        return len(msgspec.json.encode(self._reader.names)) + 600 <= SEARCH_ROOM

    # ids, and what was archived

    def ids(self, cursor: str | None) -> Iterator[Page]:
        for heard, cursor_behind in self._walk("sweep contacts", [MERGED], cursor):
            records = [
                Record(
                    Ref(CONTACT, str(row["id"])),
                    {},
                    modified=micros(row.get("updatedAt")),
                    created=micros(row.get("createdAt")),
                    aliases=tuple(Ref(CONTACT, each) for each in losers(row)),
                )
                for row in heard.results
            ]
            yield Page(records, cursor_behind, heard.after is None)

    def archived(self, cursor: str | None) -> Iterator[Page]:
        """All archived contacts: there is no "since"."""
        for heard, cursor_behind in self._walk("read archived contacts", self._reader.names, cursor, archived=True):
            yield Page(self._reader.records(heard.results, State.DELETED), cursor_behind, heard.after is None)

    def _walk(
        self, purpose: str, names: Sequence[str], cursor: str | None, *, archived: bool = False
    ) -> Iterator[tuple[Heard, str]]:
        saved = place = Place.read(cursor, self._system)
        stuck = _Stuck(self._system)
        while True:
            heard = self._list(purpose, names, place.after, saved=place is saved, archived=archived)
            stuck.note(place.after, heard.after)
            place = Place(after=heard.after)
            yield heard, place.text()
            if heard.after is None:
                return


class _Seen:
    """The contacts of the page before: rows at the seam of two pages, or a page that came twice, are told once."""

    def __init__(self) -> None:
        self._before: dict[str, object] = {}

    def news(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        page = {str(row["id"]): row for row in rows}
        news = [row for id, row in page.items() if id not in self._before or self._before[id] != _modified(row)]
        self._before = {id: _modified(row) for id, row in page.items()}
        return news


class _Stuck:
    """Notices a listing that would go on for ever."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._times = 0

    def note(self, after: str | None, following: str | None) -> None:
        self._times = self._times + 1 if after is not None and after == following else 0
        if self._times >= PATIENCE:
            raise Retry(f"{self._system}: a listing of contacts does not go on", code="SM306")


def _modified(row: Mapping[str, Any]) -> int | None:
    """The time that the search goes by."""
    return micros(properties(row).get(MODIFIED)) or micros(row.get("updatedAt"))


def _start(heard: Heard, asked_at: int) -> int:
    """When this pull began, milliseconds: a clock of ours that is ahead of the vendor's would miss changes."""
    return min(asked_at, heard.at if heard.at is not None else asked_at) // 1000


def _millis(seconds: float) -> int:
    return int(seconds * MICROSECONDS) // 1000
