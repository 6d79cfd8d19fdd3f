"""A WHERE → a test on records, with what it lets us skip: which ids can match at all, which span of SystemModstamp.

Comparison is the vendor's: text without regard to case, `!=` and NOT IN true for an empty field, a literal of the wrong
type an error. (Salesforce docs: SOQL, comparison operators.)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from connectors.world import MICROSECONDS
from smarketing.sandbox.salesforce import clock, dates
from smarketing.sandbox.salesforce.columns import Column, Columns, Getter
from smarketing.sandbox.salesforce.errors import Malformed
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.records import STAMP, Table, fold
from smarketing.sandbox.salesforce.schema import NUMBERS, TEXTS, Field, Scalar, Values
from smarketing.sandbox.salesforce.soql import (
    TAKEN_AS_IS,
    Aggregate,
    Compare,
    Condition,
    Joined,
    Literal,
    Not,
    Query,
    complain,
)

Test = Callable[[Values], bool]
Span: TypeAlias = "tuple[str, str]"
"""From and to, both included."""

ANY: Span = ("", "\x7f")
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`ids`: no other record can match (None: any may). `stamps`, `id_span`: nor one with a SystemModstamp or an Id
    outside."""

    test: Test
    ids: tuple[str, ...] | None = None
    stamps: Span = ANY
    id_span: Span = ANY
    goes_by_stamp: bool = False


EVERYTHING = Filter(lambda row: True)


class Binder:
    """Turns conditions over one object into filters. `semi_join` answers the ids that a sub-query finds; `aggregated`
    gives a column for COUNT(Id) and the like, where those are allowed."""

    def __init__(
        self,
        columns: Columns,
        table: Table | None,
        now: int,
        text: str,
        semi_join: Callable[[Query], set[str]],
        aggregated: Callable[[Aggregate], Column] | None = None,
    ) -> None:
        self._columns = columns
        self._table = table
        self._now = now
        self._text = text
        self._semi_join = semi_join
        self._aggregated = aggregated

    def bind(self, condition: Condition | None) -> Filter:
        """Raises Malformed."""
        if condition is None:
            return EVERYTHING
        if isinstance(condition, Not):
            inner = self.bind(condition.condition)
            return Filter(lambda row: not inner.test(row), goes_by_stamp=inner.goes_by_stamp)
        if isinstance(condition, Joined):
            parts = [self.bind(each) for each in condition.conditions]
            return _all_of(parts) if condition.word == "and" else _any_of(parts)
        return self._compare(condition)

    def _compare(self, said: Compare) -> Filter:
        if isinstance(said.left, Aggregate):
            if self._aggregated is None:
                raise complain("MALFORMED_QUERY", "Grouped field should not be aggregated", self._text, said.at)
            column = self._aggregated(said.left)
        else:
            column = self._columns.find(said.left)
        each = column.field
        if not each.filterable:
            message = f"field '{each.name}' can not be filtered in a query call"
            raise complain("INVALID_FIELD", message, self._text, said.at)
        if isinstance(said.right, Query):
            return self._in_query(column, said, said.right)
        if isinstance(said.right, tuple):
            return self._in_list(column, said, said.right)
        if said.operator == "like":
            return self._like(column, said, said.right)
        return self._single(column, said, said.right)

    def _single(self, column: Column, said: Compare, literal: Literal) -> Filter:
        get, each, sign = column.get, column.field, said.operator
        stamped = column.direct and each.name == STAMP
        if literal.kind == "null":
            if sign not in ("=", "!="):
                raise self._wrong_operator(said, each)
            wanted = sign == "="
            return Filter(lambda row: (get(row) is None) == wanted, goes_by_stamp=stamped)
        if literal.kind == "range":
            return self._in_range(column, said, literal)
        value = self._value(each, literal, said)
        if sign in _ORDERED and each.type in ("boolean", "multipicklist"):
            raise self._wrong_operator(said, each)
        folded = fold(value)
        if sign == "=":
            ids = self._indexed(column, [value])
            stamps = (str(value), str(value)) if stamped else ANY
            return Filter(lambda row: fold(get(row)) == folded, ids, stamps, goes_by_stamp=stamped)
        if sign == "!=":
            return Filter(lambda row: fold(get(row)) != folded, goes_by_stamp=stamped)
        test = _ordered(get, _ORDERED[sign], folded if each.type in TEXTS else value, folds=each.type in TEXTS)
        span = (str(value), ANY[1]) if sign in (">", ">=") else (ANY[0], str(value))
        id_span = span if column.direct and each.type == "id" else ANY
        return Filter(test, None, span if stamped else ANY, id_span, stamped)

    def _in_range(self, column: Column, said: Compare, literal: Literal) -> Filter:
        """A date literal is a span of days: `=` is within, `<` before it, `>` behind it."""
        get, each, sign = column.get, column.field, said.operator
        if each.type not in ("date", "datetime"):
            raise complain("MALFORMED_QUERY", f"unexpected token: '{literal.value}'", self._text, literal.at)
        today = datetime.fromtimestamp(self._now // MICROSECONDS, UTC).date()
        try:
            first, behind = (_edge(each, one) for one in dates.span(str(literal.value), today))
        except (ValueError, OverflowError):
            raise complain("MALFORMED_QUERY", f"unexpected token: '{literal.value}'", self._text, literal.at) from None
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda at: first <= at < behind,
            "!=": lambda at: not first <= at < behind,
            "<": lambda at: at < first,
            "<=": lambda at: at < behind,
            ">": lambda at: at >= behind,
            ">=": lambda at: at >= first,
        }
        test = tests[sign]

        def within(row: Values) -> bool:
            at = get(row)
            return sign == "!=" if at is None else test(str(at))

        stamped = column.direct and each.name == STAMP
        low = {"=": first, ">=": first, ">": behind}.get(sign, ANY[0])
        high = {"=": behind, "<=": behind, "<": first}.get(sign, ANY[1])
        return Filter(within, None, (low, high) if stamped else ANY, goes_by_stamp=stamped)

    def _in_list(self, column: Column, said: Compare, literals: Sequence[Literal]) -> Filter:
        get, each = column.get, column.field
        stamped = column.direct and each.name == STAMP
        if said.operator in ("includes", "excludes"):
            return self._includes(column, said, literals)
        values = [None if one.kind == "null" else self._value(each, one, said) for one in literals]
        folded = frozenset(fold(value) for value in values)
        if said.operator == "in":
            ids = None if None in folded else self._indexed(column, values)
            return Filter(lambda row: fold(get(row)) in folded, ids, goes_by_stamp=stamped)
        return Filter(lambda row: fold(get(row)) not in folded, goes_by_stamp=stamped)

    def _includes(self, column: Column, said: Compare, literals: Sequence[Literal]) -> Filter:
        """Each literal is a set of options, `A;B`, of which all must be chosen."""
        get = column.get
        if column.field.type != "multipicklist":
            raise self._wrong_operator(said, column.field)
        sets = [
            {part.strip().casefold() for part in str(self._value(column.field, one, said)).split(";")}
            for one in literals
        ]
        wanted = said.operator == "includes"

        def chosen(row: Values) -> bool:
            value = get(row)
            parts = set() if value is None else {part.casefold() for part in str(value).split(";")}
            return any(each <= parts for each in sets) == wanted

        return Filter(chosen)

    def _in_query(self, column: Column, said: Compare, query: Query) -> Filter:
        get = column.get
        if column.field.type not in ("id", "reference") or said.operator not in ("in", "not in"):
            raise self._wrong_operator(said, column.field)
        found = self._semi_join(query)
        if said.operator == "in":
            ids = self._indexed(column, sorted(found))
            return Filter(lambda row: get(row) in found, ids)
        return Filter(lambda row: get(row) not in found)

    def _like(self, column: Column, said: Compare, literal: Literal) -> Filter:
        get, each = column.get, column.field
        if each.type not in TEXTS:
            raise self._wrong_operator(said, each)
        if literal.kind != "string":
            raise self._wrong_type(each, literal)
        pattern = ""
        letters = iter(str(literal.value))
        for letter in letters:
            if letter == TAKEN_AS_IS:
                pattern += re.escape(next(letters))
            else:
                pattern += {"%": ".*", "_": "."}.get(letter) or re.escape(letter)
        match = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch

        def alike(row: Values) -> bool:
            value = get(row)
            return value is not None and match(str(value)) is not None

        return Filter(alike)

    def _value(self, each: Field, literal: Literal, said: Compare) -> Scalar:
        """The literal as the field stores values. Raises Malformed when it is of another type."""
        value = literal.value
        if literal.kind == "string":
            text = str(value).replace(TAKEN_AS_IS, "")
            if each.type in ("id", "reference"):
                known = read_id(text)
                if known is None:
                    message = f"invalid ID field: {text}"
                    raise complain("INVALID_QUERY_FILTER_OPERATOR", message, self._text, literal.at)
                return known
            if each.type in TEXTS:
                return text
        elif literal.kind == each.type == "boolean" or (literal.kind == "number" and each.type in NUMBERS):
            return value
        elif literal.kind == each.type:
            try:
                return clock.read_date(str(value)) if each.type == "date" else clock.read_datetime(str(value))
            except ValueError:
                raise complain("MALFORMED_QUERY", f"unexpected token: '{value}'", self._text, literal.at) from None
        raise self._wrong_type(each, literal)

    def _indexed(self, column: Column, values: Sequence[Scalar]) -> tuple[str, ...] | None:
        """The ids of the records with one of these values, where an index knows."""
        if self._table is None or not column.direct:
            return None
        found: dict[str, None] = {}
        for value in values:
            rows = self._table.with_value(column.field.name, value)
            if rows is None:
                return None
            found.update((str(row["Id"]), None) for row in rows)
        return tuple(found)

    def _wrong_type(self, each: Field, literal: Literal) -> Malformed:
        kind = {"datetime": "dateTime", "id": "ID", "reference": "ID"}.get(each.type, each.type)
        quotes = "should be enclosed in quotes"
        if each.type not in TEXTS | {"id", "reference"}:
            quotes = "should not be enclosed in quotes"
        if each.type in TEXTS:
            kind = "string"
        message = f"value of filter criterion for field '{each.name}' must be of type {kind} and {quotes}"
        return complain("INVALID_FIELD", message, self._text, literal.at)

    def _wrong_operator(self, said: Compare, each: Field) -> Malformed:
        return complain("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {each.type} field", self._text, said.at)


def _ordered(get: Getter, compare: Callable[[Any, Any], bool], value: Scalar, *, folds: bool) -> Test:
    if folds:

        def test(row: Values) -> bool:
            here = get(row)
            return here is not None and compare(fold(here), value)
    else:

        def test(row: Values) -> bool:
            here = get(row)
            return here is not None and compare(here, value)

    return test


def _edge(each: Field, day: date) -> str:
    """The first moment of a day, as such a field stores it."""
    return day.isoformat() if each.type == "date" else f"{day.isoformat()}T00:00:00.000+0000"


def _all_of(parts: Sequence[Filter]) -> Filter:
    tests = [part.test for part in parts]
    known = [part.ids for part in parts if part.ids is not None]
    return Filter(
        lambda row: all(test(row) for test in tests),
        min(known, key=len) if known else None,
        _common([part.stamps for part in parts]),
        _common([part.id_span for part in parts]),
        any(part.goes_by_stamp for part in parts),
    )


def _any_of(parts: Sequence[Filter]) -> Filter:
    tests = [part.test for part in parts]
    ids: dict[str, None] | None = {}
    for part in parts:
        if part.ids is None or ids is None:
            ids = None
        else:
            ids.update(dict.fromkeys(part.ids))
    return Filter(
        lambda row: any(test(row) for test in tests),
        None if ids is None else tuple(ids),
        _around([part.stamps for part in parts]),
        _around([part.id_span for part in parts]),
        any(part.goes_by_stamp for part in parts),
    )


def _common(spans: Sequence[Span]) -> Span:
    """Where all of them are."""
    return max(low for low, _ in spans), min(high for _, high in spans)


def _around(spans: Sequence[Span]) -> Span:
    """From the first to the last of them."""
    return min(low for low, _ in spans), max(high for _, high in spans)
