"""What an answer of HubSpot means, from its status, headers and body alone.

A 5xx, a lost or a garbled answer to a request that changes something leaves it in doubt; 423, 429 and 477 promise that
nothing happened. The vendor's words hold people's values, so a message of ours repeats its category and scopes only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.http import Reply, Unauthorized, redirected, retry_after

DAY_SPENT = 3600.0
"""The daily limit ends at midnight of the account's own time zone, which no answer tells: look again in an hour."""
LOCKED = 2.0
"""423: too much was written to one record too fast; wait at least this long (HubSpot docs: objects guide)."""
MOVING = 3600.0
"""477: the account is being moved to another data centre, which may take a day."""
WINDOW = 10.0

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")


def decoded(body: bytes) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def word(said: object) -> str:
    """A code of the vendor's, if it looks like one: free text is not repeated."""
    return said if isinstance(said, str) and _WORD.fullmatch(said) else ""


def day(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """(used, allowed) of the account's day; None where the answer does not tell (OAuth apps, search)."""
    allowed, left = headers.get("x-hubspot-ratelimit-daily", ""), headers.get("x-hubspot-ratelimit-daily-remaining", "")
    return (int(allowed) - int(left), int(allowed)) if allowed.isdigit() and left.isdigit() else None


def scopes(said: Mapping[str, Any]) -> list[str]:
    """The rights that a 403 asks for (HubSpot docs: error handling, MISSING_SCOPES)."""
    places = [said, *(each for each in said.get("errors") or () if isinstance(each, dict))]
    found: set[str] = set()
    for place in places:
        context = place.get("context")
        if isinstance(context, dict):
            for name in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
                found |= {word(each) for each in context.get(name) or ()}
    return sorted(found - {""})


def verdict(
    reply: Reply, content: Any, *, system: str, purpose: str, changes: bool, rows: str | None, expect: Collection[int]
) -> ConnectorError | None:
    """None to go on with the content, otherwise what to do instead. `rows`: a good answer has a list of results, and
    each of them this key. `expect`: refusals that the caller reads by itself."""
    if redirect := redirected(reply, system, purpose):
        return redirect
    status = reply.status
    said = content if isinstance(content, dict) else {}
    if 200 <= status < 300:
        if status == 204 or (_has_rows(said, rows) if rows is not None else said):
            return None
        kind = reply.headers.get("content-type", "unknown").split(";")[0]
        text = f"{system}: no whole answer to {purpose!r} (content type {kind!r}, {len(reply.body):,} bytes)"
        return InDoubt(text, code="SM306") if changes else Retry(text, code="SM306")
    where = f"{system}: {status} {word(said.get('category')) or word(said.get('errorType'))}".rstrip()
    where = f"{where} while trying to {purpose}"
    wait = retry_after(reply.headers)
    if status >= 500 or status == 408:
        return InDoubt(where) if changes else Retry(where, after=wait)
    if status == 429:
        return _too_many(said, where, wait)
    if status == 423:
        return Retry(f"{where}: locked, too much was written at once", after=max(LOCKED, wait or 0.0))
    if status == 477:
        return Retry(f"{where}: the account is being moved by HubSpot", after=wait or MOVING)
    if status in expect and said:
        return None
    return _refused(status, said, where, system)


def _has_rows(said: Mapping[str, Any], key: str) -> bool:
    """An answer without its list is no empty list: it would look like the end of everything."""
    found = said.get("results")
    return isinstance(found, list) and all(isinstance(row, dict) and row.get(key) is not None for row in found)


def _too_many(said: Mapping[str, Any], where: str, wait: float | None) -> Retry:
    policy = f"{said.get('policyName')} {said.get('message')}".upper()
    if "DAILY" in policy:
        text = f"{where}: the account's requests of the day are used up, by all its private apps together"
        return Retry(text, after=max(wait or 0.0, DAY_SPENT), code="SM310")
    return Retry(f"{where}: too many requests", after=wait or (WINDOW if "TEN_SECOND" in policy else 1.0))


def _refused(status: int, said: Mapping[str, Any], where: str, system: str) -> Stop:
    again = f'then run "smarketing check {system}"'
    if status == 401:
        return Unauthorized(f"{where}: the token was refused; check the token of systems.{system}, {again}")
    if status == 403:
        lacking = ", ".join(scopes(said))
        what = f"the token lacks {lacking}" if lacking else "the token lacks a scope"
        return Stop(f"{where}: {what}; add it to the private app in HubSpot, {again}", code="SM308")
    return Stop(f'{where}; run "smarketing check {system}"', code="SM308")
