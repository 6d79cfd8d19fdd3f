"""The records of an org, and the indexes that keep a query from looking at all of them.

Values are replaced, never changed, so a caller may hold on to what it was given. Under a lag a change is stored at once
and shown late: only queries that go by SystemModstamp, and the search index, look through `late`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.world import MICROSECONDS
from smarketing.sandbox.salesforce.schema import Scalar, Schema, SObject, Values

STAMP = "SystemModstamp"
_LAST = "\x7f"


def fold(value: Scalar) -> Scalar:
    """What counts as equal in a query: the case of text does not matter."""
    return value.casefold() if isinstance(value, str) else value


@dataclass(slots=True)
class _Late:
    """Until `visible`, the lagging readers see `before`."""

    visible: int
    before: Values | None


class Table:
    """The records of one object, deleted ones included, in the order in which they were made."""

    def __init__(self, sobject: SObject) -> None:
        self.sobject = sobject
        self.rows: dict[str, Values] = {}
        self._ids: list[str] = []
        self._stamps: list[tuple[str, str]] = []
        self._equal: dict[str, dict[Scalar, dict[str, None]]] = {}
        self._late: dict[str, list[_Late]] = {}
        for each in sobject.fields.values():
            self.index(each.name)

    def index(self, name: str) -> None:
        """Keep an index of this field if queries look up by it. To be called when a field is added."""
        each = self.sobject.fields[name]
        if (each.type == "reference" and not name.endswith("ById")) or each.lookup or each.unique:
            self._equal[name] = {}

    def get(self, id: str) -> Values | None:
        return self.rows.get(id)

    def put(self, values: Values, visible: int | None = None) -> None:
        """Store a record. `visible`: when lagging readers may see it."""
        id = str(values["Id"])
        before = self.rows.get(id)
        if before is None:
            insort(self._ids, id)
        else:
            self._unindex(id, before)
        self.rows[id] = values
        if STAMP in values:
            insort(self._stamps, (str(values[STAMP]), id))
        for name, index in self._equal.items():
            value = values.get(name)
            if value is not None:
                index.setdefault(fold(value), {})[id] = None
        if visible is not None:
            self._late.setdefault(id, []).append(_Late(visible, before))

    def drop(self, id: str) -> None:
        """Forget a record for good."""
        self._unindex(id, self.rows.pop(id))
        self._forget(id)

    def with_value(self, name: str, value: Scalar) -> list[Values] | None:
        """The records whose field has this value, by the index; None where there is none."""
        if name == "Id":
            found = self.rows.get(str(value))
            return [] if found is None else [found]
        if name not in self._equal:
            return None
        return [self.rows[id] for id in self._equal[name].get(fold(value), ())]

    def by_id(self, low: str, high: str) -> Iterator[Values]:
        """The records with an Id in this range, both ends included, in the order of the ids."""
        return (self.rows[id] for id in self._ids[bisect_left(self._ids, low) : bisect_right(self._ids, high)])

    def by_stamp(self, low: str, high: str, *, descending: bool = False) -> Iterator[Values]:
        """The records with a SystemModstamp in this range, both ends included, in the order of (SystemModstamp, Id)."""
        start, end = bisect_left(self._stamps, (low, "")), bisect_right(self._stamps, (high, _LAST))
        span = self._stamps[start:end]
        return (self.rows[id] for _, id in (reversed(span) if descending else span))

    def late(self, now: int) -> dict[str, Values | None]:
        """What lagging readers still see in place of the newest version; None: no such record yet."""
        shown: dict[str, Values | None] = {}
        for id, versions in list(self._late.items()):
            versions[:] = [each for each in versions if each.visible > now]
            if versions:
                shown[id] = versions[0].before
            else:
                del self._late[id]
        return shown

    def restore(self, id: str, before: Values | None) -> None:
        """Undo a `put`. A late version of it may stay: it shows what is the newest version again."""
        self._unindex(id, self.rows[id])
        if before is None:
            del self.rows[id]
            self._forget(id)
            return
        self.rows[id] = before
        if STAMP in before:
            insort(self._stamps, (str(before[STAMP]), id))
        for name, index in self._equal.items():
            if before.get(name) is not None:
                index.setdefault(fold(before[name]), {})[id] = None

    def _forget(self, id: str) -> None:
        del self._ids[bisect_left(self._ids, id)]
        self._late.pop(id, None)

    def _unindex(self, id: str, values: Mapping[str, Scalar]) -> None:
        if STAMP in values:
            at = bisect_left(self._stamps, (str(values[STAMP]), id))
            del self._stamps[at]
        for name, index in self._equal.items():
            value = values.get(name)
            if value is not None:
                ids = index[fold(value)]
                del ids[id]
                if not ids:
                    del index[fold(value)]


@dataclass(slots=True)
class Attempt:
    """A stretch of work that may be taken back."""

    _undo: Callable[[], None]

    def roll_back(self) -> None:
        self._undo()


@dataclass(slots=True)
class _Step:
    table: Table
    id: str
    before: Values | None


@dataclass(slots=True)
class Erased:
    """A record that is in no recycle bin any more."""

    object: str
    values: Values


class Store:
    """All tables. `now` tells the time, `lag` by how many seconds a change is shown late, if at all."""

    def __init__(self, schema: Schema, now: Callable[[], int], lag: Callable[[], float | None]) -> None:
        self.schema = schema
        self.tables = {name: Table(each) for name, each in schema.objects.items()}
        self.erased: list[Erased] = []
        self._now = now
        self._lag = lag
        self._steps: list[_Step] = []
        self._depth = 0

    def put(self, object: str, values: Values) -> None:
        table, id = self.tables[object], str(values["Id"])
        if self._depth:
            self._steps.append(_Step(table, id, table.get(id)))
        lag = self._lag()
        table.put(values, self._now() + int(lag * MICROSECONDS) if lag else None)

    def erase(self, object: str, id: str) -> None:
        """Past the recycle bin."""
        self.erased.append(Erased(object, self.tables[object].rows[id]))
        self.tables[object].drop(id)

    def find(self, id: str) -> Values | None:
        """The record with this id, of whatever object."""
        sobject = self.schema.of_id(id)
        return self.tables[sobject.name].get(id) if sobject else None

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Whatever is stored within can be taken back, until it ends. Attempts nest."""
        start = len(self._steps)
        self._depth += 1

        def undo() -> None:
            for step in reversed(self._steps[start:]):
                step.table.restore(step.id, step.before)
            del self._steps[start:]

        try:
            yield Attempt(undo)
        finally:
            self._depth -= 1
            if not self._depth:
                self._steps.clear()
