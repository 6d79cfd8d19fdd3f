"""Broken readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.base import Feed, Page, Record, Ref, State, Version
from connectors.errors import CursorLost, Stop
from connectors.memory import Memory
from connectors.memory_records import COERCING, CONDITIONAL, PLAIN
from connectors.world import MICROSECONDS
from tests.connectors.broken.broken import Broken


def watermark(cursor: str | None) -> bool:
    """Whether it is a cursor of Memory that stands between two readings."""
    return cursor is not None and cursor.isdecimal()


def in_mid_reading(cursor: str | None) -> bool:
    """Whether it is a cursor of Memory that stands within a reading."""
    return cursor is not None and "/" in cursor


class EveryPageIsLast(Memory):
    """It takes every page for the last one."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            yield replace(page, last=True)


class ForgetsFieldsOnLaterPages(Memory):
    """It asks for its fields on the first page only; the later ones have the vendor's few by default."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for number, page in enumerate(super().changes(feed)):
            for record in page.records if number == 1 else ():
                del record.fields["email"]
            yield page


class ReadsAhead(Memory):
    """It holds all pages in memory before it hands over the first."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        yield from list(super().changes(feed))


class SeesNobodyNew(Memory):
    """Its delta asks for what was modified and not for what was made."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            if watermark(feed.cursor):
                page.records = [record for record in page.records if record.modified != record.created]
            yield page


class ReadsAllAnew(Memory):
    """It knows no "changed since" and reads everything every time."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        return super().changes(replace(feed, cursor=None) if watermark(feed.cursor) else feed)


class TrustsTheClock(Memory):
    """Its watermark is when it asked, without what the vendor may still show late."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            if page.last:
                page.cursor = str(int(page.cursor) + int(self.capabilities.lag * MICROSECONDS))
            yield page


class TrustsTheNewest(Memory):
    """Its watermark lies behind the newest time that it saw."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        newest = 0
        for page in super().changes(feed):
            newest = max(newest, *(record.modified or 0 for record in page.records), 0)
            if page.last and newest:
                page.cursor = str(newest + 1)
            yield page


class KeepsCursorsAtHome(Memory):
    """Its cursor is the name of something that only this process has; a new one begins with what is new."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        kept: dict[str, str] = self.__dict__.setdefault("kept", {})
        cursor = feed.cursor
        if cursor and cursor.startswith("cursor "):
            cursor = kept.get(cursor) or str(self._world.now())
        for page in super().changes(replace(feed, cursor=cursor)):
            if page.last:
                kept[f"cursor {len(kept)}"] = page.cursor
                page.cursor = f"cursor {len(kept) - 1}"
            yield page


class AsksAPersonForTheCursor(Memory):
    """It takes a cursor that leads nowhere for a trouble that wants a person."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        try:
            yield from super().changes(feed)
        except CursorLost as lost:
            raise Stop(str(lost)) from None


class SweepsOnBehindALostCursor(Memory):
    """It takes a cursor that leads nowhere for the end of its sweep."""

    def ids(self, feed: Feed) -> Iterator[Page]:
        try:
            yield from super().ids(feed)
        except CursorLost:
            yield Page([], "0", True)


class ForgetsThePage(Memory):
    """It saves when a reading began and not how far it came."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        return super().changes(replace(feed, cursor=None) if in_mid_reading(feed.cursor) else feed)


class BeginsAtTheResume(Memory):
    """It shows what had changed when the reading began, and after a resume takes that for its beginning."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        if feed.cursor is None or not in_mid_reading(feed.cursor):
            yield from super().changes(feed)
            return
        _, began, _ = feed.cursor.split("/")
        for page in super().changes(feed):
            page.records = [record for record in page.records if (record.modified or 0) <= int(began)]
            if page.last:
                page.cursor = str(self._world.now())
            yield page


class PagesByTime(Memory):
    """Its next page begins behind the last time it saw."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        page = next(super().changes(feed))
        while not page.last:
            page.cursor = str((page.records[-1].modified or 0) + 1)
            yield page
            page = next(super().changes(replace(feed, cursor=page.cursor)))
        yield page


class PagesByOffset(Memory):
    """Its next page begins at a place in a listing that moves."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        since, _, offset = (feed.cursor or "0").partition("+")
        place, size = int(offset or 0), self._system.temperament.page
        while True:
            pages = list(super().changes(replace(feed, cursor=since)))
            records = [record for page in pages for record in page.records]
            part = records[place : place + size]
            place += size
            last = place >= len(records)
            yield Page(part, pages[-1].cursor if last else f"{since}+{place}", last)
            if last:
                return


class StopsAtADouble(Memory):
    """A page that it has seen before is the end to it."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        before: list[Ref] = []
        for page in super().changes(feed):
            refs = [record.ref for record in page.records]
            if refs and refs == before:
                return
            before = refs
            yield page


class TakesDeletedForLost(Memory):
    """It makes no difference between what was deleted and what cannot be found."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            for record in page.records:
                if record.state is State.DELETED:
                    record.state = State.GONE
            yield page


class FetchesTheDead(Memory):
    """It does not look at the mark of a deleted record."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for record in super().fetch(refs):
            if record.state is State.DELETED:
                record.state = State.LIVE
            yield record


class SweepsOnce(Memory):
    """Its second sweep goes on behind the first."""

    def ids(self, feed: Feed) -> Iterator[Page]:
        for page in super().ids(feed):
            if page.last:
                page.cursor = str(1_000_000)
            yield page


class SweepsInOneGo(Memory):
    """Its sweep cannot be resumed."""

    def ids(self, feed: Feed) -> Iterator[Page]:
        return super().ids(replace(feed, cursor=None) if watermark(feed.cursor) else feed)


class TakesMergedForDeleted(Memory):
    """It tells of a merge what it would tell of a delete."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            for record in page.records:
                record.aliases, record.merged_into = (), None
            yield page


class FollowsTheMerge(Memory):
    """Asked for the loser, it answers the survivor, as the vendor does."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for record in super().fetch(refs):
            yield next(super().fetch([record.merged_into])) if record.merged_into else record


class FetchesFromMemory(Memory):
    """It answers from memory what it has fetched before, unless it wrote itself."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        written = len([seen for seen in self._system.requests() if seen.method == "UPDATE"])
        kept: dict[tuple[Ref, int], Record] = self.__dict__.setdefault("kept", {})
        for ref in dict.fromkeys(refs):
            if (ref, written) not in kept:
                kept[ref, written] = next(super().fetch([ref]))
            yield kept[ref, written]


class FetchesWhatIsThere(Memory):
    """It says nothing of what it does not find."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        return (record for record in super().fetch(refs) if record.state is not State.GONE)


class FetchesOneByOne(Memory):
    """It answers as often as it was asked."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for ref in refs:
            yield from super().fetch([ref])


class FindsNearly(Memory):
    """It finds whatever is like the value."""

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        yield from super().find(object, name, values)
        if name == "email":
            yield from super().find(object, name, ["person1@example.com"])


class TellsLocalTimes(Memory):
    """It reads the vendor's times as if they were its own zone's."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            for record in page.records:
                record.modified = (record.modified or 0) + 7200 * MICROSECONDS
            yield page


class TellsHistoryForwards(Memory):
    """It tells the oldest value first."""

    def history(self, refs: Sequence[Ref], fields: Sequence[str]) -> Iterator[tuple[Ref, dict[str, list[Version]]]]:
        for ref, told in super().history(refs, fields):
            yield ref, {name: versions[::-1] for name, versions in told.items()}


class DoesNotReadConsent(Memory):
    """It does not ask for the field that shows an opt-out."""

    def changes(self, feed: Feed) -> Iterator[Page]:
        for page in super().changes(feed):
            for record in page.records:
                record.fields["consent"] = None
            yield page


BROKEN: tuple[Broken, ...] = (
    Broken("full-reading", CONDITIONAL, EveryPageIsLast),
    Broken("full-reading", CONDITIONAL, ForgetsFieldsOnLaterPages),
    Broken("pages-on-demand", CONDITIONAL, ReadsAhead),
    Broken("incremental-reading", CONDITIONAL, SeesNobodyNew),
    Broken("quiet-reading", CONDITIONAL, ReadsAllAnew),
    Broken("late-changes", PLAIN, TrustsTheClock),
    Broken("late-changes", COERCING, TrustsTheNewest),
    Broken("saved-cursor", CONDITIONAL, KeepsCursorsAtHome),
    Broken("lost-cursor", CONDITIONAL, AsksAPersonForTheCursor),
    Broken("lost-cursor", CONDITIONAL, SweepsOnBehindALostCursor),
    Broken("cursor-in-mid-listing", CONDITIONAL, ForgetsThePage),
    Broken("edit-before-a-resume", CONDITIONAL, BeginsAtTheResume),
    Broken("equal-times", CONDITIONAL, PagesByTime),
    Broken("edits-while-paging", CONDITIONAL, PagesByOffset),
    Broken("duplicate-page", CONDITIONAL, StopsAtADouble),
    Broken("deletes", CONDITIONAL, TakesDeletedForLost),
    Broken("removed-is-not-live", CONDITIONAL, FetchesTheDead),
    Broken("sweep", CONDITIONAL, SweepsOnce),
    Broken("sweep-in-parts", CONDITIONAL, SweepsInOneGo),
    Broken("merge-is-told", CONDITIONAL, TakesMergedForDeleted),
    Broken("fetch-merged", CONDITIONAL, FollowsTheMerge),
    Broken("fetch-is-current", PLAIN, FetchesFromMemory),
    Broken("fetch-missing", CONDITIONAL, FetchesWhatIsThere),
    Broken("fetch-doubled", CONDITIONAL, FetchesOneByOne),
    Broken("find", CONDITIONAL, FindsNearly),
    Broken("record-times", PLAIN, TellsLocalTimes),
    Broken("history", CONDITIONAL, TellsHistoryForwards),
    Broken("opt-out-is-read", CONDITIONAL, DoesNotReadConsent),
)
