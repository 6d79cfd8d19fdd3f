"""Conditional requests: If-Match for accounts only, the dates for any record, to the second.

(Salesforce docs: REST API, conditional requests; status codes 304 and 412.)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from smarketing.sandbox.salesforce import clock
from smarketing.sandbox.salesforce.errors import ApiError
from smarketing.sandbox.salesforce.schema import SObject, Values

WITH_ETAG = "Account"


def validators(sobject: SObject, row: Values) -> dict[str, str]:
    """The headers by which a later request can refer to this version."""
    headers = {"Last-Modified": format_datetime(_changed(row), usegmt=True)} if "SystemModstamp" in row else {}
    if sobject.name == WITH_ETAG:
        headers["ETag"] = _etag(row)
    return headers


def unchanged(headers: Mapping[str, str], row: Values) -> bool:
    """Whether a reader has this version already."""
    since = _date(headers.get("if-modified-since"))
    return since is not None and "SystemModstamp" in row and _changed(row) <= since


def require(headers: Mapping[str, str], sobject: SObject, row: Values) -> None:
    """Raises ApiError when the record is not as the writer takes it to be."""
    since = _date(headers.get("if-unmodified-since"))
    moved = since is not None and _changed(row) > since
    wanted = headers.get("if-match", "") if sobject.name == WITH_ETAG else ""
    if wanted not in ("", "*"):
        moved = moved or _etag(row) not in [each.strip() for each in wanted.split(",")]
    if moved:
        raise ApiError(412, "PRECONDITION_FAILED", "The preconditions of the request are not met")


def _changed(row: Values) -> datetime:
    return clock.moment(str(row["SystemModstamp"]))


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _etag(row: Values) -> str:
    digest = hashlib.sha256(repr(sorted(row.items())).encode()).digest()[:15]
    return f'"{base64.b64encode(digest).decode()}"'
