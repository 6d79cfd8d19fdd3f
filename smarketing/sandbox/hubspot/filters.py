"""What a search asks for, checked against the limits of the search API and made into something that can be run.

Source: HubSpot docs, search guide (operators, limits); spec: PublicObjectSearchRequest, Filter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from smarketing.sandbox.emulator import Request
from smarketing.sandbox.hubspot import bodies
from smarketing.sandbox.hubspot.records import Shot, Table
from smarketing.sandbox.hubspot.refusals import bad_request
from smarketing.sandbox.hubspot.times import moment

MOST = 200
DEFAULT = 10
WALL = 10_000
"""No query shows more results than this, however it is paged."""
LONGEST_BODY = 3_000
MOST_GROUPS = 5
MOST_IN_GROUP = 6
MOST_FILTERS = 18
SEARCHED = ("email", "firstname", "lastname", "phone", "company", "name", "domain")
"""The properties that the free text `query` looks at."""

Key: TypeAlias = "str | float"
Test: TypeAlias = "Callable[[Shot], bool]"
_ENDLESS = 2**62
_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Span:
    """The records a group of filters can be about, by the time of their last change or by their id."""

    by_id: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Group:
    """Filters that must all hold. `span`: where to look, narrowed by those filters that are not among `tests`."""

    span: Span | None
    tests: Sequence[Test]


@dataclass(frozen=True, slots=True)
class Query:
    """`asked`: the same for every page of the same query."""

    asked: bytes
    groups: Sequence[Group]
    sort: str
    descending: bool
    properties: Sequence[str] | None
    limit: int
    after: int


def understand(request: Request, table: Table) -> Query:
    """Raises Refusal."""
    if len(request.body.decode("utf-8", "replace")) > LONGEST_BODY:
        raise bad_request(f"The body of a search can have {LONGEST_BODY} characters at most.")
    said = bodies.read(request, bodies.Search)
    limit, after = said.limit or DEFAULT, str(said.after or "0")
    if not 1 <= limit <= MOST:
        raise bad_request(f"The limit of a search is {MOST} at most.")
    if not after.isdecimal():
        raise bad_request("The paging cursor 'after' of a search must be an integer.")
    if int(after) + limit > WALL:
        raise bad_request(f"A search cannot be paged beyond {WALL} results.")
    groups = said.filterGroups or []
    filters = [len(group.filters) for group in groups]
    if len(groups) > MOST_GROUPS or max(filters, default=0) > MOST_IN_GROUP or sum(filters) > MOST_FILTERS:
        raise bad_request(
            f"A search takes {MOST_GROUPS} filterGroups, {MOST_IN_GROUP} filters in each and {MOST_FILTERS} in all."
        )
    words = [_spoken(said.query)] if said.query else []
    sort, descending = _sort(said.sorts or [], table)
    return Query(
        msgspec.json.encode([said.filterGroups, said.sorts, said.query]),
        [_group(group.filters, words, table) for group in groups] or [Group(None, words)],
        sort,
        descending,
        said.properties,
        limit,
        int(after),
    )


def key(table: Table, name: str) -> Callable[[Shot], Key | None]:
    """How a property's values are compared: numbers and times by size, texts without regard to case."""
    prop = table.catalogue.get(name)
    if prop is None:
        raise bad_request(f"There was a problem with the request: property '{name}' does not exist.")
    if name == table.kind.modified:
        return lambda shot: shot.modified
    if name == "hs_object_id":
        return lambda shot: shot.id
    if prop.type == "number":
        return lambda shot: float(shot.values[name]) if name in shot.values else None
    if prop.type in ("date", "datetime"):
        return lambda shot: moment(shot.values[name]) if name in shot.values else None
    if prop.type == "enumeration":
        return lambda shot: shot.values.get(name)
    return lambda shot: shot.values[name].lower() if name in shot.values else None


def _sort(sorts: Sequence[bodies.Sort | str], table: Table) -> tuple[str, bool]:
    if not sorts:
        return "hs_object_id", False
    if len(sorts) > 1:
        raise bad_request("Only one sorting rule can be applied to a search.")
    said = sorts[0]
    name, descending = (
        (said.removeprefix("-"), said.startswith("-"))
        if isinstance(said, str)
        else (said.propertyName, said.direction == "DESCENDING")
    )
    key(table, name)
    return name, descending


def _group(filters: Sequence[bodies.Filter], words: Sequence[Test], table: Table) -> Group:
    span: Span | None = None
    tests: list[Test] = []
    for each in filters:
        narrowed = _span(each, table)
        if narrowed is None or (span is not None and span.by_id != narrowed.by_id):
            tests.append(_test(each, table))
        elif span is None:
            span = narrowed
        else:
            span = Span(span.by_id, max(span.first, narrowed.first), min(span.last, narrowed.last))
    return Group(span, [*tests, *words])


def _span(said: bodies.Filter, table: Table) -> Span | None:
    if said.propertyName not in (table.kind.modified, "hs_object_id"):
        return None
    by_id = said.propertyName == "hs_object_id"

    def number(given: str | int | float | None) -> int:
        return int(_comparable(said, given, table))

    match said.operator:
        case "EQ":
            return Span(by_id, number(said.value), number(said.value))
        case "GT":
            return Span(by_id, number(said.value) + 1, _ENDLESS)
        case "GTE":
            return Span(by_id, number(said.value), _ENDLESS)
        case "LT":
            return Span(by_id, -_ENDLESS, number(said.value) - 1)
        case "LTE":
            return Span(by_id, -_ENDLESS, number(said.value))
        case "BETWEEN":
            return Span(by_id, number(said.value), number(said.highValue))
    return None


def _comparable(said: bodies.Filter, given: str | int | float | None, table: Table) -> Key:
    """A value of a filter in the form its property is compared in. Raises Refusal."""
    prop = table.catalogue.get(said.propertyName)
    if given is None:
        raise bad_request(f"The operator {said.operator} needs a value, BETWEEN a highValue as well.")
    text = str(given)
    found: float | None
    if prop is None:
        raise bad_request(f"There was a problem with the request: property '{said.propertyName}' does not exist.")
    if prop.type in ("date", "datetime"):
        found = moment(text)
    elif prop.type == "number":
        found = _float(text)
    else:
        return text if prop.type == "enumeration" else text.lower()
    if found is None:
        raise bad_request(f"The value of the filter on '{said.propertyName}' is not a {prop.type}.")
    return found


def _float(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _test(said: bodies.Filter, table: Table) -> Test:
    name, value = said.propertyName, key(table, said.propertyName)

    def compared(given: str | int | float | None) -> Key:
        return _comparable(said, given, table)

    match said.operator:
        case "HAS_PROPERTY":
            return lambda shot: value(shot) is not None
        case "NOT_HAS_PROPERTY":
            return lambda shot: value(shot) is None
        case "IN" | "NOT_IN":
            return _among(said, value, table)
        case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
            found = _pattern(str(compared(said.value)))
            wanted = said.operator == "CONTAINS_TOKEN"
            return lambda shot: (found(shot.values.get(name, "").lower())) is wanted
        case "EQ" | "NEQ":
            same, wanted = compared(said.value), said.operator == "EQ"
            return lambda shot: (value(shot) == same) is wanted
        case "GT" | "GTE" | "LT" | "LTE" | "BETWEEN":
            return _within(said, value, compared)
    raise bad_request(f"There was a problem with the request: no operator {said.operator}.")


def _among(said: bodies.Filter, value: Callable[[Shot], Key | None], table: Table) -> Test:
    if not said.values:
        raise bad_request(f"The operator {said.operator} needs values.")
    prop = table.catalogue.one(said.propertyName)
    # Texts must be given in lower case here; others never match.
    texts = prop.type in ("string", "phone_number")
    among = set(said.values) if texts else {_comparable(said, each, table) for each in said.values}
    wanted = said.operator == "IN"
    if prop.multiple:
        return lambda shot: bool(among & set(str(value(shot) or "").split(";"))) is wanted
    return lambda shot: (value(shot) in among) is wanted


def _within(
    said: bodies.Filter,
    value: Callable[[Shot], Key | None],
    compared: Callable[[str | int | float | None], Key],
) -> Test:
    low = compared(said.value)
    high = compared(said.highValue) if said.operator == "BETWEEN" else low

    def holds(shot: Shot) -> bool:
        held = value(shot)
        if held is None:
            return False
        match said.operator:
            case "GT":
                return held > low  # type: ignore[operator]  # one property, one type
            case "GTE":
                return held >= low  # type: ignore[operator]
            case "LT":
                return held < low  # type: ignore[operator]
            case "LTE":
                return held <= low  # type: ignore[operator]
        return low <= held <= high  # type: ignore[operator]

    return holds


def _pattern(token: str) -> Callable[[str], bool]:
    """A token, with * for any characters, among the words of a text."""
    parts = ".*".join(re.escape(part) for part in token.split("*"))
    whole = re.compile(rf"(^|[^\w]){parts}($|[^\w])")
    return lambda text: whole.search(text) is not None


def _spoken(query: str) -> Test:
    wanted = _TOKEN.findall(query.lower())

    def holds(shot: Shot) -> bool:
        text = " ".join(shot.values.get(name, "") for name in SEARCHED).lower()
        words = _TOKEN.findall(text)
        return all(any(word.startswith(each) for word in words) for each in wanted)

    return holds
