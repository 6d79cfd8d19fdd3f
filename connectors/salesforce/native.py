"""How Salesforce spells things: headers, SOQL literals, record ids, instants, numbers, chunks that fit an address.

A value keeps the vendor's form, but equal values are equal text: instants are told in UTC, decimals in plain notation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from connectors.base import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

QUERY_HEADERS = {"Sforce-Query-Options": "batchSize=2000", "Sforce-Call-Options": "client=smarketing"}
WRITE_HEADERS = {
    "Sforce-Call-Options": "client=smarketing",  # our name on the change, for whoever reads the change events
    "Sforce-Auto-Assign": "FALSE",  # else the default assignment rule may hand the lead to somebody
}

ADDRESS_ROOM = 12_000
"""Characters of an encoded query that we fill; addresses end at about 16,000 (Salesforce docs: status code 414)."""

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
QUEUE = "00G"
USER = "005"

_OFFSET_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-](?!0000)\d{4}")
_TIME_LENGTH = 28
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def quoted(text: str) -> str:
    """A SOQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def instant(text: str) -> int:
    """Microseconds UTC of a datetime as Salesforce writes it ("2024-01-15T10:20:30.000+0000")."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def literal(at: int) -> str:
    """A SOQL datetime literal, rounded down to its milliseconds."""
    moment = EPOCH + timedelta(microseconds=at)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def long_id(id: str) -> str:
    """The 18-character form of an id: what tells 15-character ids apart by case alone stands behind it as a suffix."""
    if len(id) != 15:
        return id
    chunks = (id[start : start + 5] for start in (0, 5, 10))
    return id + "".join(_SUFFIX[sum(1 << i for i, char in enumerate(chunk) if "A" <= char <= "Z")] for chunk in chunks)


def plain(number: str) -> str:
    """A JSON number with a fraction or an exponent, exact, in one spelling: "3.5E8" and "350000000.0" are one value."""
    text = f"{Decimal(number):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def value(raw: Any) -> Value:
    """A field's value as it came out of JSON, made comparable."""
    if isinstance(raw, str):
        if len(raw) == _TIME_LENGTH and _OFFSET_TIME.fullmatch(raw):
            moment = datetime.fromisoformat(raw).astimezone(UTC)
            return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"
        return raw
    if isinstance(raw, dict):
        return {name: part for name, part in raw.items() if name != "attributes"}
    told: Value = raw
    return told


def at_path(row: Mapping[str, Any], path: str) -> tuple[bool, Value]:
    """(whether the row tells it, the value) of a field or, over dots, of a related record's field. No related record
    is an empty value; a missing key is no value at all."""
    if path in row:
        return True, value(row[path])
    here: Any = row
    for name in path.split("."):
        if here is None:
            return True, None
        if not isinstance(here, dict) or name not in here:
            return False, None
        here = here[name]
    return True, value(here)


def chunks(values: Iterable[str], taken: str) -> Iterator[list[str]]:
    """Cut into lists whose quoted literals fit into an address beside the query text `taken`."""
    room = max(1, ADDRESS_ROOM - len(quote_plus(taken)))
    part: list[str] = []
    used = 0
    for each in values:
        width = len(quote_plus(quoted(each) + ","))
        if part and used + width > room:
            yield part
            part, used = [], 0
        part.append(each)
        used += width
    if part:
        yield part


def listed(values: Iterable[str]) -> str:
    """The right side of an IN."""
    return "(" + ",".join(quoted(each) for each in values) + ")"
