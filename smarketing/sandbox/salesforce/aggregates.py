"""GROUP BY and the functions over groups: COUNT, COUNT_DISTINCT, MIN, MAX, SUM, AVG.

A group is told as an AggregateResult; a function without an alias is called expr0, expr1 and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smarketing.sandbox.salesforce.columns import Column, Columns, Getter
from smarketing.sandbox.salesforce.records import fold
from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.schema import NUMBERS, Field, Scalar, Values, number
from smarketing.sandbox.salesforce.soql import Aggregate, Path, Query, complain


def is_aggregate(query: Query) -> bool:
    return bool(query.groups) or any(isinstance(item, Aggregate) for item in query.items)


class Grouping:
    """What a grouped query selects. Each group is itself a record: column key → value."""

    def __init__(self, query: Query, columns: Columns) -> None:
        self._query = query
        self._columns = columns
        self._keys = [columns.find(path) for path in query.groups]
        self._functions: dict[str, Callable[[Sequence[Values]], Scalar]] = {}
        self._told: list[tuple[str, str]] = []
        """(name in the answer, key in the group)"""
        self.counts_only = query.items == (query.items[0],) and _is_plain_count(query.items[0]) and not query.groups
        if not self.counts_only:
            self._select()

    def groups(self, rows: Sequence[Values]) -> list[Values]:
        """The groups in the order of their keys."""
        split: dict[tuple[Scalar, ...], list[Values]] = {}
        for row in rows:
            split.setdefault(tuple(fold(column.get(row)) for column in self._keys), []).append(row)
        if not self._keys:
            split = {(): list(rows)}
        made: list[Values] = []
        for _, members in sorted(split.items(), key=lambda item: tuple((v is not None, str(v)) for v in item[0])):
            group: Values = {column.key: column.get(members[0]) for column in self._keys}
            made.append(group | {key: function(members) for key, function in self._functions.items()})
        return made

    def json(self, group: Values, version: str) -> Json:
        shown: Json = {"attributes": {"type": "AggregateResult"}}
        return shown | {name: group[key] for name, key in self._told}

    def column(self, said: Aggregate) -> Column:
        """A function as a column of the groups, for HAVING."""
        key = self._function(said)
        return Column(number(key, key, "double"), (key,), lambda group: group.get(key))

    def getter(self, by: Path | Aggregate) -> Getter:
        """How to order groups."""
        if isinstance(by, Aggregate):
            key = self._function(by)
        elif len(by.parts) == 1 and by.parts[0].lower() in (known := {name.lower(): at for name, at in self._told}):
            key = known[by.parts[0].lower()]
        else:
            key = self._grouped(by).key
        return lambda group: group.get(key)

    def _select(self) -> None:
        query = self._query
        unnamed = 0
        for item in query.items:
            if isinstance(item, Aggregate):
                name = item.alias
                if name is None:
                    name, unnamed = f"expr{unnamed}", unnamed + 1
                self._told.append((name, self._function(item)))
            elif isinstance(item, Path):
                column = self._grouped(item)
                self._told.append((column.names[-1], column.key))
            else:
                raise complain("MALFORMED_QUERY", "a grouped query selects fields and functions", query.text, 0)

    def _grouped(self, path: Path) -> Column:
        column = self._columns.find(path)
        if column.key not in {each.key for each in self._keys}:
            message = f"Field must be grouped or aggregated: {column.key}"
            raise complain("MALFORMED_QUERY", message, self._query.text, path.at)
        return column

    def _function(self, said: Aggregate) -> str:
        """Make sure that the function is worked out; answers where."""
        column = None if said.path is None else self._columns.find(said.path)
        if column is not None and said.function in ("sum", "avg") and column.field.type not in NUMBERS:
            message = f"field {column.key} does not support aggregate operator {said.function.upper()}"
            raise complain("MALFORMED_QUERY", message, self._query.text, said.at)
        key = f"{said.function}({'' if column is None else column.key})"
        if key not in self._functions:
            self._functions[key] = _worked_out(said.function, column)
        return key


def _is_plain_count(item: object) -> bool:
    return isinstance(item, Aggregate) and item.function == "count" and item.path is None


def _worked_out(function: str, column: Column | None) -> Callable[[Sequence[Values]], Scalar]:
    if column is None:
        return len
    get, each = column.get, column.field

    def values(rows: Sequence[Values]) -> list[Scalar]:
        return [value for row in rows if (value := get(row)) is not None]

    match function:
        case "count":
            return lambda rows: len(values(rows))
        case "count_distinct":
            return lambda rows: len({fold(value) for value in values(rows)})
        case "min":
            return lambda rows: min(values(rows), key=_rank(each), default=None)
        case "max":
            return lambda rows: max(values(rows), key=_rank(each), default=None)
        case "sum":
            return lambda rows: sum(float(value) for value in values(rows) if value is not None)
        case _:
            return lambda rows: (
                sum(float(value) for value in found if value is not None) / len(found)
                if (found := values(rows))
                else None
            )


def _rank(each: Field) -> Callable[[Scalar], tuple[float, str]]:
    if each.type in NUMBERS:
        return lambda value: (float(value or 0), "")
    return lambda value: (0.0, str(fold(value)))
