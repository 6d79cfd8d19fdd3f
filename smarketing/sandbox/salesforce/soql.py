"""SOQL as text → a tree. What the vendor's grammar has and we do not parse is refused as the vendor refuses nonsense.

A tree knows nothing of the org: whether a name exists is found out when it is bound. `at` is where in the text a part
began, for messages. (Salesforce docs: SOQL and SOSL reference.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from smarketing.sandbox.salesforce import dates
from smarketing.sandbox.salesforce.errors import Malformed
from smarketing.sandbox.salesforce.schema import Scalar

MOST_OFFSET = 2000
TAKEN_AS_IS = "\0"
"""Stands before a % or _ that was escaped, for LIKE."""
AGGREGATES = ("count", "count_distinct", "min", "max", "sum", "avg")
_OPERATORS = ("=", "!=", "<>", "<", "<=", ">", ">=")
_WORD = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<string>'(?:\\.|[^'\\])*')"
    r"|(?P<datetime>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)(?![\w:])"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)(?![\w])"
    r"|(?P<range>[A-Za-z_]+:\d+)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),])"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent: Account.Name."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function over rows; `path` None is COUNT()."""

    function: str
    path: Path | None
    alias: str | None
    at: int


@dataclass(frozen=True, slots=True)
class AllFields:
    """FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM)."""

    which: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, number, boolean, null, date, datetime, or range for a date literal such as TODAY."""

    kind: str
    value: Scalar
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """`right` is a list for IN, NOT IN, INCLUDES and EXCLUDES, a query for a semi-join."""

    left: Path | Aggregate
    operator: str
    right: Literal | tuple[Literal, ...] | Query
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions under one AND or one OR: the two never mix without parentheses."""

    word: str
    conditions: tuple[Condition, ...]


Condition: TypeAlias = "Compare | Not | Joined"
Item: TypeAlias = "Path | Aggregate | AllFields | Query"


@dataclass(frozen=True, slots=True)
class Order:
    by: Path | Aggregate
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """`source` is the object, or in a sub-query of SELECT the relationship to the children."""

    items: tuple[Item, ...]
    source: Path
    alias: str | None
    where: Condition | None
    groups: tuple[Path, ...]
    having: Condition | None
    orders: tuple[Order, ...]
    limit: int | None
    offset: int
    text: str
    """The whole statement, for messages."""


def complain(code: str, message: str, text: str, at: int) -> Malformed:
    """An error of a query, with the place in the vendor's manner: a piece of the text, a caret, row and column."""
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    start = max(0, at - 40)
    piece = text[start : at + 40].replace("\n", " ")
    return Malformed(code, f"\n{piece}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n{message}")


def parse(text: str) -> Query:
    """Raises Malformed."""
    parser = Parser(text)
    query = parser.query()
    parser.end()
    return query


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class Parser:
    """Reads a query from a text that may hold other things before and after it, as a SOSL RETURNING does."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._tokens: list[_Token] = []
        self._at = 0
        while start < len(text):
            found = _WORD.match(text, start)
            if not found:
                raise complain("MALFORMED_QUERY", f"unexpected token: '{text[start]}'", text, start)
            if found.lastgroup != "blank":
                self._tokens.append(_Token(found.lastgroup or "", found.group(), start))
            start = found.end()
        self._tokens.append(_Token("end", "<EOF>", len(text)))

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self) -> Malformed:
        token = self._next
        return complain("MALFORMED_QUERY", f"unexpected token: '{token.text}'", self._text, token.at)

    def _take(self, kind: str) -> _Token:
        token = self._next
        if token.kind != kind:
            raise self._unexpected()
        self._at += 1
        return token

    def sees(self, *words: str) -> bool:
        """Whether the next tokens are these words or signs."""
        for offset, word in enumerate(words):
            at = self._at + offset
            if at >= len(self._tokens) or self._tokens[at].kind == "string" or self._tokens[at].text.lower() != word:
                return False
        return True

    def skip(self, *words: str) -> bool:
        if not self.sees(*words):
            return False
        self._at += len(words)
        return True

    def need(self, *words: str) -> None:
        if not self.skip(*words):
            raise self._unexpected()

    def _many(self, one: Callable[[], T]) -> tuple[T, ...]:
        found = [one()]
        while self.skip(","):
            found.append(one())
        return tuple(found)

    def query(self) -> Query:
        self.need("select")
        items = self._many(self._item)
        self.need("from")
        source = self.path()
        alias = None
        clauses = ("where", "group", "having", "order", "limit", "offset", "for", "all", "with", "using", "update")
        if self._next.kind == "name" and not any(self.sees(word) for word in clauses):
            alias = self._take("name").text
        return self.tail(items, source, alias)

    def tail(self, items: tuple[Item, ...], source: Path, alias: str | None) -> Query:
        """Everything behind FROM."""
        where = self._condition() if self.skip("where") else None
        groups = self._many(self.path) if self.skip("group", "by") else ()
        having = self._condition() if self.skip("having") else None
        orders = self._many(self._order) if self.skip("order", "by") else ()
        limit = self._count() if self.skip("limit") else None
        offset_at = self._next.at
        offset = self._count() if self.skip("offset") else 0
        if offset > MOST_OFFSET:
            message = f"Maximum SOQL offset allowed is {MOST_OFFSET}"
            raise complain("NUMBER_OUTSIDE_VALID_RANGE", message, self._text, offset_at)
        if self.skip("for") and not (self.skip("view") or self.skip("reference")):
            raise self._unexpected()
        if self.sees("all", "rows"):
            # of Apex; over the API deleted rows are queryAll's
            raise complain("MALFORMED_QUERY", "ALL ROWS not allowed in this context", self._text, self._next.at)
        return Query(items, source, alias, where, groups, having, orders, limit, offset, self._text)

    def path(self) -> Path:
        token = self._take("name")
        return Path(tuple(token.text.split(".")), token.at)

    def paths(self) -> tuple[Path, ...]:
        return self._many(self.path)

    def _item(self) -> Item:
        if self.skip("("):
            child = self.query()
            self.need(")")
            return child
        at = self._next.at
        if self.skip("fields", "("):
            which = self._take("name").text.lower()
            if which not in ("all", "standard", "custom"):
                raise complain("MALFORMED_QUERY", f"unexpected token: '{which}'", self._text, at)
            self.need(")")
            return AllFields(which, at)
        aggregate = self._aggregate()
        if aggregate is None:
            return self.path()
        if self._next.kind == "name" and not self.sees("from"):
            return Aggregate(aggregate.function, aggregate.path, self._take("name").text, aggregate.at)
        return aggregate

    def _aggregate(self) -> Aggregate | None:
        token = self._next
        if token.text.lower() not in AGGREGATES or self._tokens[self._at + 1].text != "(":
            return None
        self._at += 2
        path = None if self.sees(")") else self.path()
        self.need(")")
        if path is None and token.text.lower() != "count":
            raise complain("MALFORMED_QUERY", "unexpected token: ')'", self._text, token.at)
        return Aggregate(token.text.lower(), path, None, token.at)

    def _count(self) -> int:
        token = self._take("number")
        if not token.text.isdigit():
            raise complain("MALFORMED_QUERY", f"unexpected token: '{token.text}'", self._text, token.at)
        return int(token.text)

    def _order(self) -> Order:
        by = self._aggregate() or self.path()
        descending = self.skip("desc")
        if not descending:
            self.skip("asc")
        nulls_last = self.skip("nulls", "last")
        if not nulls_last:
            self.skip("nulls", "first")
        return Order(by, descending, nulls_last)

    def _condition(self) -> Condition:
        first = self._single()
        if not (self.sees("and") or self.sees("or")):
            return first
        word = self._next.text.lower()
        found = [first]
        while self.skip(word):
            found.append(self._single())
        if self.sees("and") or self.sees("or"):
            raise self._unexpected()
        return Joined(word, tuple(found))

    def _single(self) -> Condition:
        if self.skip("not"):
            return Not(self._single())
        if self.skip("("):
            inner = self._condition()
            self.need(")")
            return inner
        return self._compare()

    def _compare(self) -> Compare:
        at = self._next.at
        left = self._aggregate() or self.path()
        if self.skip("not", "in"):
            return Compare(left, "not in", self._list_or_query(), at)
        for word in ("in", "includes", "excludes"):
            if self.skip(word):
                return Compare(left, word, self._list_or_query(), at)
        if self.skip("like"):
            return Compare(left, "like", self._literal(), at)
        operator = self._next.text
        if operator not in _OPERATORS:
            raise self._unexpected()
        self._at += 1
        return Compare(left, "!=" if operator == "<>" else operator, self._literal(), at)

    def _list_or_query(self) -> tuple[Literal, ...] | Query:
        self.need("(")
        inner: tuple[Literal, ...] | Query = self.query() if self.sees("select") else self._many(self._literal)
        self.need(")")
        return inner

    def _literal(self) -> Literal:
        token = self._next
        if token.kind not in ("string", "number", "date", "datetime", "range", "name"):
            raise self._unexpected()
        self._at += 1
        match token.kind:
            case "string":
                return Literal("string", self._unquoted(token), token.at)
            case "number":
                value: Scalar = float(token.text) if "." in token.text else int(token.text)
                return Literal("number", value, token.at)
            case "date" | "datetime":
                return Literal(token.kind, token.text, token.at)
        word = token.text.lower()
        if word in ("true", "false"):
            return Literal("boolean", word == "true", token.at)
        if word == "null":
            return Literal("null", None, token.at)
        if word.partition(":")[0].upper() not in dates.WORDS:
            self._at -= 1
            raise self._unexpected()
        return Literal("range", token.text.upper(), token.at)

    def _unquoted(self, token: _Token) -> str:
        def plain(found: re.Match[str]) -> str:
            letter = found.group(1)
            if letter in "%_":
                return TAKEN_AS_IS + letter
            if letter not in _ESCAPES:
                message = f"Invalid string literal {token.text}. Illegal character sequence"
                raise complain("MALFORMED_QUERY", message, self._text, token.at)
            return _ESCAPES[letter]

        return re.sub(r"\\(.)", plain, token.text[1:-1], flags=re.DOTALL)
