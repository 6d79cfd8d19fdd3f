"""The search: an index that shows changes late, and pages cut out of its answers.

Changes reach the index `lag` seconds after they were made (HubSpot docs, search guide: "a few moments"), and a page
shows a record as the index has it. Archived records are never found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot.calls import Call, Pager
from smarketing.sandbox.hubspot.filters import Group, Query, Span, key, understand
from smarketing.sandbox.hubspot.records import Shot, Table
from smarketing.sandbox.hubspot.refusals import reply
from smarketing.sandbox.hubspot.shapes import columns, show

KEPT = 16
"""So many answers are remembered, until the next change: the pages of a query are asked for one by one."""
_LAST_ID = 2**62


class SearchIndex:
    """The records of one table as the search sees them. A change is on its way for as long as `lag` says when it is
    made, and may be overtaken by later ones."""

    def __init__(self, table: Table, lag: Callable[[], float]) -> None:
        self._table = table
        self._lag = lag
        self._shots: dict[int, Shot] = {}
        self._ids: list[int] = []
        self._changes: list[tuple[int, int]] = []  # (modified, id), sorted
        self._answers: dict[bytes, Sequence[Shot]] = {}
        self._coming: list[tuple[int, int, int, Shot | None]] = []  # (when it shows, its number, id, state), a heap
        self._newest: dict[int, int] = {}
        self._count = 0
        table.watch = self._note

    def _note(self, at: int, number: int, shot: Shot | None) -> None:
        self._count += 1
        heappush(self._coming, (at + round(self._lag() * 1000), self._count, number, shot))

    def take_in(self, now: int) -> None:
        """Let everything show whose time has come."""
        if self._coming and self._coming[0][0] <= now:
            self._answers.clear()
        while self._coming and self._coming[0][0] <= now:
            _, count, number, shot = heappop(self._coming)
            if count < self._newest.get(number, 0):
                continue  # a later change of the record has overtaken it
            self._newest[number] = count
            self._forget(number)
            if shot is not None:
                self._shots[number] = shot
                insort(self._ids, number)
                insort(self._changes, (shot.modified, number))

    def find(self, query: Query) -> Sequence[Shot]:
        """Everything that matches, in order."""
        found = self._answers.get(query.asked)
        if found is None:
            if len(self._answers) >= KEPT:
                self._answers.clear()
            found = self._answers[query.asked] = self._look(query)
        return found

    def _look(self, query: Query) -> Sequence[Shot]:
        if len(query.groups) == 1:
            group = query.groups[0]
            found = self._matching(group)
            if group.span is not None and not group.span.by_id and query.sort == self._table.kind.modified:
                return found[::-1] if query.descending else found  # they come in that order
        else:
            numbers = sorted({shot.id for group in query.groups for shot in self._matching(group)})
            found = [self._shots[number] for number in numbers]
        by = key(self._table, query.sort)
        empty = [shot for shot in found if by(shot) is None]
        filled = sorted((shot for shot in found if by(shot) is not None), key=_order(by), reverse=query.descending)
        return [*filled, *empty]

    def _matching(self, group: Group) -> list[Shot]:
        shots = (self._shots[number] for number in self._within(group.span))
        return [shot for shot in shots if all(test(shot) for test in group.tests)]

    def _within(self, span: Span | None) -> Iterable[int]:
        if span is None:
            return self._ids
        if span.by_id:
            return self._ids[bisect_left(self._ids, span.first) : bisect_right(self._ids, span.last)]
        first = bisect_left(self._changes, (span.first, -1))
        last = bisect_right(self._changes, (span.last, _LAST_ID))
        return [number for _, number in self._changes[first:last]]

    def _forget(self, number: int) -> None:
        shot = self._shots.pop(number, None)
        if shot is not None:
            del self._ids[bisect_left(self._ids, number)]
            del self._changes[bisect_left(self._changes, (shot.modified, number))]


def _order(by: Callable[[Shot], Any]) -> Callable[[Shot], tuple[Any, int]]:
    return lambda shot: (by(shot), shot.id)


class SearchApi:
    """`lag` answers how many seconds late a change of just now will show."""

    def __init__(self, tables: Iterable[Table], pager: Pager, now: Callable[[], int], lag: Callable[[], float]) -> None:
        self._indexes = {table.kind.name: SearchIndex(table, lag) for table in tables}
        self._pager = pager
        self._now = now

    def search(self, call: Call, table: Table) -> Reply:
        query = understand(call.request, table)
        index = self._indexes[table.kind.name]
        index.take_in(self._now())
        found = index.find(query)
        start = self._pager.start(query.after, query.limit)
        page = found[start : start + query.limit]
        names = columns(table, query.properties)
        content: dict[str, Any] = {"total": len(found), "results": [show(table.kind, shot, names) for shot in page]}
        if start + query.limit < len(found):
            after = str(start + query.limit)
            content["paging"] = {"next": {"after": after}}
            if self._pager.foreign:
                content["paging"]["next"]["link"] = self._pager.link(after, call)
        return reply(content)
