"""Carries out a parsed query: which records, in which order, told how.

Rows that carry a lag are seen late by a query that goes by SystemModstamp, in WHERE or ORDER BY: the feed of changes.
Every other query sees what is stored. (Row visibility at commit: Salesforce docs, data replication.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from smarketing.sandbox.salesforce.aggregates import Grouping, is_aggregate
from smarketing.sandbox.salesforce.columns import Column, Columns
from smarketing.sandbox.salesforce.conditions import Binder, Filter
from smarketing.sandbox.salesforce.errors import ApiError
from smarketing.sandbox.salesforce.records import STAMP, Store, Table, fold
from smarketing.sandbox.salesforce.render import Json, Shape, cell
from smarketing.sandbox.salesforce.schema import Field, Scalar, SObject, Values
from smarketing.sandbox.salesforce.soql import Aggregate, AllFields, Condition, Order, Path, Query, complain, parse

MOST_WITH_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """`total` is what the answer calls totalSize; `rows` are snapshots. `header` and `cells` are for a CSV."""

    object: str
    total: int
    rows: Sequence[Values]
    json: Callable[[Values, str], Json]
    header: Sequence[str]
    cells: Callable[[Values], list[str]]
    ordered: bool = False
    grouped: bool = False


class Queries:
    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    def run(self, text: str, *, deleted: bool = False, tooling: bool = False, bulk: bool = False) -> Found:
        """`deleted`: the recycle bin too. `bulk`: as Bulk API 2.0 allows it. Raises Malformed."""
        query = parse(text)
        sobject = self._source(query, tooling)
        if is_aggregate(query):
            if bulk:
                raise _unbulky(query, "aggregate functions")
            return self._aggregated(query, sobject, deleted)
        columns = Columns(self._store, sobject, query.alias, query.text)
        shape, flat = self._shape(query, columns, deleted, bulk)
        rows, total = self._rows(query, columns, deleted)
        return Found(
            sobject.name,
            total,
            rows,
            shape.json,
            [column.key for column in flat],
            lambda row: [cell(column.get(row), column.field.type) for column in flat],
            ordered=bool(query.orders),
        )

    def choose(self, query: Query, sobject: SObject, late: dict[str, Values | None] | None = None) -> list[Values]:
        """The live records of a statement that has no SELECT of its own (SOSL), as `late` readers see them."""
        columns = Columns(self._store, sobject, query.alias, query.text)
        table = self._store.tables[sobject.name]
        chosen = self._filter(query.where, columns, table, query.text)
        hidden = late or {}
        rows = [row for id, row in table.rows.items() if id not in hidden]
        rows += [row for row in hidden.values() if row is not None]
        return self._sort([row for row in rows if not row.get("IsDeleted") and chosen.test(row)], query, columns)

    def shape(self, sobject: SObject, names: Iterable[Path], text: str) -> Shape:
        """What to tell of these columns."""
        columns = Columns(self._store, sobject, None, text)
        shape = Shape(sobject, self._store)
        for path in names:
            shape.add(columns.find(path), columns.target)
        return shape

    def _source(self, query: Query, tooling: bool) -> SObject:
        sobject = self._store.schema.find(query.source.parts[-1]) if len(query.source.parts) == 1 else None
        if sobject is None or sobject.tooling != tooling:
            message = (
                f"sObject type '{'.'.join(query.source.parts)}' is not supported. If you are attempting to use a "
                "custom object, be sure to append the '__c' after the entity name."
            )
            raise complain("INVALID_TYPE", message, query.text, query.source.at)
        return sobject

    def _filter(self, where: Condition | None, columns: Columns, table: Table, text: str) -> Filter:
        return Binder(columns, table, self._now(), text, self._semi_join).bind(where)

    def _semi_join(self, query: Query) -> set[str]:
        """The ids that a sub-query of WHERE finds."""
        sobject = self._source(query, tooling=False)
        columns = Columns(self._store, sobject, query.alias, query.text)
        if len(query.items) != 1 or not isinstance(query.items[0], Path):
            message = "semi join sub-selects can only query one id field"
            raise complain("MALFORMED_QUERY", message, query.text, query.source.at)
        column = columns.find(query.items[0])
        if column.field.type not in ("id", "reference"):
            message = "semi join sub-selects can only query id fields"
            raise complain("MALFORMED_QUERY", message, query.text, query.items[0].at)
        rows, _ = self._rows(query, columns, deleted=False)
        return {str(column.get(row)) for row in rows if column.get(row) is not None}

    def _rows(self, query: Query, columns: Columns, deleted: bool) -> tuple[list[Values], int]:
        """The records that match, in order, and how many there are within the limit."""
        table = self._store.tables[columns.sobject.name]
        chosen = self._filter(query.where, columns, table, query.text)
        rows = self._walk(query, chosen, table, columns, deleted)
        kept = list(islice(rows, query.offset, None if query.limit is None else query.offset + query.limit))
        return kept, len(kept)

    def _walk(self, query: Query, chosen: Filter, table: Table, columns: Columns, deleted: bool) -> Iterable[Values]:
        """The records that match, in order; lazily where an index gives that order."""
        by_stamp = _by_stamp(query.orders) if STAMP in table.sobject.fields else None
        late = table.late(self._now()) if chosen.goes_by_stamp or by_stamp is not None else {}
        test = chosen.test

        def fits(row: Values) -> bool:
            return (deleted or not row.get("IsDeleted")) and test(row)

        if chosen.ids is not None:
            candidates: Iterable[Values] = (table.rows[id] for id in sorted(chosen.ids))
        elif by_stamp is not None and not late:
            return filter(fits, table.by_stamp(*chosen.stamps, descending=by_stamp))
        elif chosen.goes_by_stamp:
            candidates = table.by_stamp(*chosen.stamps)
        elif _by_id(query.orders):
            return filter(fits, table.by_id(*chosen.id_span))
        else:
            candidates = table.by_id(*chosen.id_span)
        if late:
            before = [row for _, row in sorted(late.items()) if row is not None]
            candidates = [*(row for row in candidates if row["Id"] not in late), *before]
        return self._sort([row for row in candidates if fits(row)], query, columns)

    def _sort(self, rows: list[Values], query: Query, columns: Columns) -> list[Values]:
        if query.orders:
            rows.sort(key=lambda row: str(row["Id"]))
        for order in reversed(query.orders):
            if isinstance(order.by, Aggregate):
                raise complain("MALFORMED_QUERY", "unexpected token: '('", query.text, order.by.at)
            column = columns.find(order.by)
            if not column.field.filterable or column.field.type == "multipicklist":
                message = f"field '{column.field.name}' can not be sorted in a query call"
                raise complain("INVALID_FIELD", message, query.text, order.by.at)
            arrange(rows, column.get, order)
        return rows

    def _shape(self, query: Query, columns: Columns, deleted: bool, bulk: bool) -> tuple[Shape, list[Column]]:
        """What to tell of each record, and the same as flat columns."""
        shape = Shape(columns.sobject, self._store)
        flat: list[Column] = []
        for item in query.items:
            if isinstance(item, Path):
                column = columns.find(item)
                if bulk and column.field.type == "address":
                    raise _unbulky(query, "compound fields")
                if not shape.add(column, columns.target):
                    raise complain("MALFORMED_QUERY", f"duplicate field selected: {column.key}", query.text, item.at)
                flat.append(column)
            elif isinstance(item, AllFields):
                fields = _expanded(item, query, columns.sobject)
                shape.add_all(fields)
                flat.extend(columns.find(Path((each.name,), item.at)) for each in fields)
            elif isinstance(item, Query):
                if bulk:
                    raise _unbulky(query, "parent-child sub-queries")
                name, tell = self._children(item, columns.sobject, deleted)
                shape.extra[name] = tell
                shape.order.append(name)
        return shape, flat

    def _children(
        self, query: Query, parent: SObject, deleted: bool
    ) -> tuple[str, Callable[[Values, str], Json | None]]:
        """A sub-query of SELECT: the records that refer to the one at hand."""
        wanted = query.source.parts[-1].lower()
        for child, reference in self._store.schema.children(parent.name):
            if reference.children is None or reference.children.lower() != wanted:
                continue
            columns = Columns(self._store, child, query.alias, query.text)
            shape, _ = self._shape(query, columns, deleted, bulk=False)
            table = self._store.tables[child.name]
            chosen = self._filter(query.where, columns, table, query.text)
            return reference.children, self._teller(query, columns, chosen, shape, reference, deleted)
        message = f"Didn't understand relationship '{query.source.parts[-1]}' in FROM part of query call."
        raise complain("INVALID_TYPE", message, query.text, query.source.at)

    def _teller(
        self, query: Query, columns: Columns, chosen: Filter, shape: Shape, reference: Field, deleted: bool
    ) -> Callable[[Values, str], Json | None]:
        table = self._store.tables[columns.sobject.name]

        def tell(parent: Values, version: str) -> Json | None:
            found = table.with_value(reference.name, parent["Id"]) or []
            rows = [row for row in found if (deleted or not row.get("IsDeleted")) and chosen.test(row)]
            rows = self._sort(rows, query, columns)[query.offset :][: query.limit]
            if not rows:
                return None
            return {"totalSize": len(rows), "done": True, "records": [shape.json(row, version) for row in rows]}

        return tell

    def _aggregated(self, query: Query, sobject: SObject, deleted: bool) -> Found:
        columns = Columns(self._store, sobject, query.alias, query.text)
        table = self._store.tables[sobject.name]
        chosen = self._filter(query.where, columns, table, query.text)
        late = table.late(self._now()) if chosen.goes_by_stamp else {}
        rows = [row for id, row in table.rows.items() if id not in late]
        rows += [row for row in late.values() if row is not None]
        rows = [row for row in rows if (deleted or not row.get("IsDeleted")) and chosen.test(row)]
        grouping = Grouping(query, columns)
        if grouping.counts_only:
            count = len(rows) if query.limit is None else min(len(rows), query.limit)
            return Found(sobject.name, count, [], _never, [], _never_cells)
        kept = Binder(columns, None, self._now(), query.text, self._semi_join, grouping.column).bind(query.having)
        getters = [grouping.getter(order.by) for order in query.orders]
        groups = [group for group in grouping.groups(rows) if kept.test(group)]
        for order, get in reversed(list(zip(query.orders, getters, strict=True))):
            arrange(groups, get, order)
        groups = groups[query.offset :][: query.limit]
        return Found(sobject.name, len(groups), groups, grouping.json, [], _never_cells, ordered=True, grouped=True)


def arrange(rows: list[Values], get: Callable[[Values], Scalar], order: Order) -> None:
    """Sort by one key, keeping the order of equals. Empty values come first unless told (Salesforce docs: ORDER BY)."""
    filled = [row for row in rows if get(row) is not None]
    empty = [row for row in rows if get(row) is None]
    filled.sort(key=lambda row: fold(get(row)), reverse=order.descending)  # type: ignore[arg-type, return-value]
    rows[:] = filled + empty if order.nulls_last else empty + filled


def _by_stamp(orders: Sequence[Order]) -> bool | None:
    """Whether the wanted order is that of (SystemModstamp, Id): False ascending, True descending, None neither."""
    names = [
        order.by.parts[-1].lower() if isinstance(order.by, Path) and len(order.by.parts) == 1 else ""
        for order in orders
    ]
    ways = {order.descending for order in orders}
    if names in (["systemmodstamp"], ["systemmodstamp", "id"]) and len(ways) == 1:
        return ways.pop()
    return None


def _by_id(orders: Sequence[Order]) -> bool:
    """Whether the wanted order is that of the ids, which is also the order when none is wanted."""
    if len(orders) != 1 or not isinstance(orders[0].by, Path):
        return not orders
    return [part.lower() for part in orders[0].by.parts] == ["id"] and not orders[0].descending


def _expanded(item: AllFields, query: Query, sobject: SObject) -> list[Field]:
    """FIELDS(…) as a list."""
    if item.which != "standard" and (query.limit is None or query.limit > MOST_WITH_FIELDS):
        message = f"The SOQL FIELDS function must have a LIMIT of at most {MOST_WITH_FIELDS}"
        raise complain("MALFORMED_QUERY", message, query.text, item.at)
    wanted = {"all": (True, False), "standard": (False,), "custom": (True,)}[item.which]
    return [each for each in sobject.visible() if each.custom in wanted]


def _unbulky(query: Query, what: str) -> ApiError:
    return ApiError(400, "API_ERROR", f"Bulk API 2.0 does not support {what}: {query.text}")


def _never(row: Values, version: str) -> Json:
    raise AssertionError("a count has no rows")


def _never_cells(row: Values) -> list[str]:
    raise AssertionError("no CSV of aggregates")
