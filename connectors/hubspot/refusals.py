"""Why HubSpot did not take a row: which fields it blames, under what code, or which record is in the way.

The causes stand in three places: `errors[]` with a code and a context, a JSON array inside the message of a validation
error, or the message alone. Messages quote people's values; what is told on has every value taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors.base import Refused, Write
from connectors.hubspot.answers import word

LONGEST = 200

_TAKEN = (re.compile(r"Existing ID: (\d+)"), re.compile(r"(\d+) already has that value"))
_ADDRESS = re.compile(r"[^\s\"'<>(){}\[\]:,;]+@[^\s\"'<>(){}\[\]:,;]+")
_NAMED = re.compile(r"[Pp]roperty(?:Name)?[ =:]*\\?[\"']?([a-z][a-z0-9_]*)")
_NUMBER = re.compile(r"\d{4,}")
_TOKEN = re.compile(r"\bpat-[\w-]+")


def taken_by(error: Mapping[str, Any]) -> str | None:
    """The id of the record that has the unique value already; it is told in the text alone."""
    for said in (error, *_details(error)):
        for pattern in _TAKEN:
            if match := pattern.search(str(said.get("message", ""))):
                return match[1]
    return None


def not_found(error: Mapping[str, Any]) -> bool:
    return error.get("category") == "OBJECT_NOT_FOUND"


def rows_of(error: Mapping[str, Any]) -> list[str]:
    """The ids and trace ids of the rows that an error of a 207 is about."""
    context = error.get("context")
    if not isinstance(context, dict):
        return []
    return [str(each) for name in ("objectWriteTraceId", "ids", "id") for each in _list(context.get(name))]


def refusal(error: Mapping[str, Any], write: Write) -> Refused:
    """What to tell of a row that was not taken."""
    names: dict[str, None] = {}
    code = ""
    words = ""
    for said in _details(error):
        code = code or word(said.get("code")) or word(said.get("error"))
        words = words or str(said.get("message") or "")
        context = said.get("context")
        context = context if isinstance(context, dict) else {}
        for name in (*_list(context.get("propertyName")), said.get("name"), said.get("in")):
            if name in write.fields:
                names[str(name)] = None
    message = str(error.get("message") or "")
    if not names:
        names = dict.fromkeys(name for name in _NAMED.findall(f"{message} {words}") if name in write.fields)
    code = code or word(error.get("category")) or "REFUSED"
    return Refused(tuple(names), code, harmless(words or message, write))


def harmless(message: str, write: Write) -> str:
    """The vendor's words without anybody's values."""
    values: set[str] = set()
    for value in (*write.fields.values(), *write.before.values()):
        values |= {str(each) for each in (value if isinstance(value, list) else (value,)) if each not in (None, "")}
    for value in sorted(values, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message, flags=re.IGNORECASE)
    for pattern in (_TOKEN, _ADDRESS, _NUMBER):
        message = pattern.sub("…", message)
    return message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"


def _details(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in _list(error.get("errors")) if isinstance(each, dict))
    message = str(error.get("message") or "")
    start = message.find("[{")
    if start >= 0:
        try:
            found = msgspec.json.decode(message[start : message.rfind("]") + 1])
        except msgspec.DecodeError:
            return
        yield from (each for each in found if isinstance(each, dict) and not each.get("isValid"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
