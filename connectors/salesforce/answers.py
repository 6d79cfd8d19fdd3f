"""What an answer of Salesforce means, from its status, headers and body alone.

Errors come as a JSON array of `errorCode`, `message`, `fields` (REST guide: status codes and error responses). The
daily limit is a 403, not a 429. A `Complaint` keeps the vendor's words for the code that handles it; its own text has
none of them, since they hold people's values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.http import Reply, Unauthorized, redirected, retry_after
from connectors.salesforce.native import plain

A_DAY_FULL = 3600.0
"""The daily limit rolls over 24 hours: an hour later some of it is free again."""

_DECODER = msgspec.json.Decoder(float_hook=plain)
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,79}")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


class Complaint(Stop):
    """The vendor understood the request and will not do it; nothing took effect. A Stop if no caller knows better."""

    code = "SM308"

    def __init__(self, text: str, status: int, errors: list[dict[str, Any]]) -> None:
        super().__init__(text)
        self.status = status
        self.errors = errors

    @property
    def reason(self) -> str:
        """The vendor's code."""
        return reason(self.errors)

    @property
    def words(self) -> str:
        """The vendor's words, which may hold a person's values: for reading, never for telling."""
        return str(self.errors[0].get("message", "")) if self.errors else ""


def reason(errors: list[dict[str, Any]]) -> str:
    """The code of the first error, if it looks like one. REST says `errorCode`, collections say `statusCode`."""
    first = errors[0] if errors else {}
    said = str(first.get("errorCode") or first.get("statusCode") or "")
    return said if _CODE.fullmatch(said) else "unknown"


def decoded(body: bytes) -> Any:
    """The body as JSON, decimals as exact text; None where it is none."""
    try:
        return _DECODER.decode(body)
    except ValueError:
        return None


def usage(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """(used, allowed) of the day from Sforce-Limit-Info: of the organisation or of our app, whichever is tighter."""
    told = [(int(used), int(allowed)) for used, allowed in _USAGE.findall(headers.get("sforce-limit-info", ""))]
    return max((each for each in told if each[1]), key=lambda each: each[0] / each[1], default=None)


def verdict(reply: Reply, content: Any, *, system: str, purpose: str, changes: bool) -> ConnectorError | None:
    """None to go on with the content (None: the body was no JSON); otherwise what to do instead.

    A 5xx to a request that changes something says nothing about whether it did.
    """
    if verdict := redirected(reply, system, purpose):
        return verdict
    status = reply.status
    if 200 <= status < 300:
        if status == 204 or isinstance(content, dict | list):
            return None
        kind = reply.headers.get("content-type", "unknown").split(";")[0]
        text = (
            f"{system}: the answer to {purpose!r} is no whole JSON (content type {kind!r}, {len(reply.body):,} bytes)"
        )
        return InDoubt(text, code="SM306") if changes else Retry(text, code="SM306")
    errors = content if isinstance(content, list) and all(isinstance(each, dict) for each in content) else []
    why = reason(errors)
    if status >= 500 or status == 408:
        text = f"{system}: {status} {why} while trying to {purpose}"
        return InDoubt(text) if changes else Retry(text, after=retry_after(reply.headers))
    if status == 401:
        return Unauthorized(f"{system}: 401 {why} while trying to {purpose}")
    if why == "REQUEST_LIMIT_EXCEEDED" or status == 429:
        wait = retry_after(reply.headers)
        if wait is None and status == 403 and not str(errors[0].get("message", "")).startswith("Concurrent"):
            wait = A_DAY_FULL
        return Retry(f"{system}: {status} {why} while trying to {purpose}: too many requests", after=wait)
    hint = (
        'the user that we act as lacks a right; run "smarketing check" for what is missing'
        if status == 403
        else 'run "smarketing check"'
    )
    return Complaint(f"{system}: {status} {why} while trying to {purpose}; {hint}", status, errors)
