"""Pages of a query: up to 2000 rows, then a path to go on from, served from a snapshot of what was found.

A user has ten open cursors; the eleventh closes the oldest, and one lives for two days. (Salesforce docs: query, query
cursor limits.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from smarketing.sandbox.emulator import OTHER_HOST, Misbehaviour
from smarketing.sandbox.salesforce.errors import ApiError, Malformed
from smarketing.sandbox.salesforce.org import DAY, Org
from smarketing.sandbox.salesforce.query import Found
from smarketing.sandbox.salesforce.render import Json

MOST_ROWS, LEAST_ROWS = 2000, 200
MOST_OPEN = 10
_LIFE = 2 * DAY
_LOCATOR = re.compile(r"(01g\w{15})-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class _Cursor:
    found: Found
    size: int
    opened: int


def page_size(headers: Mapping[str, str]) -> int:
    """What `Sforce-Query-Options: batchSize=500` asks for, within the vendor's bounds."""
    told = re.search(r"batchsize\s*=\s*(\d+)", headers.get("sforce-query-options", ""), re.IGNORECASE)
    return max(LEAST_ROWS, min(MOST_ROWS, int(told.group(1)))) if told else MOST_ROWS


class Cursors:
    def __init__(self, org: Org, misbehaviour: Misbehaviour) -> None:
        self._org = org
        self._misbehaviour = misbehaviour
        self._open: dict[str, _Cursor] = {}
        self._told: dict[str, Json] = {}

    def first(self, found: Found, listing: str, size: int, version: str) -> Json:
        """The first page. Raises Malformed for groups that do not fit on one.

        `listing` is what is read, without its conditions: who walks it by its own conditions instead of by cursor meets
        a doubled page too.
        """
        if self._misbehaviour.duplicate_page and listing in self._told:
            return self._told[listing]
        self._told[listing] = page = self._opened(found, size, version)
        return page

    def _opened(self, found: Found, size: int, version: str) -> Json:
        if len(found.rows) <= size:
            return self._page("", _Cursor(found, size, 0), 0, version)
        if found.grouped:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            )
            raise Malformed("EXCEEDED_ID_LIMIT", message)
        id = self._org.mint.next("01g")
        self._open[id] = _Cursor(found, size, self._org.now())
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return self._page(id, self._open[id], 0, version)

    def more(self, locator: str, version: str) -> Json:
        """The page at this place. Raises ApiError when the cursor is closed, or never was."""
        told = _LOCATOR.match(locator)
        cursor = self._open.get(told.group(1)) if told else None
        if told is None or cursor is None or cursor.opened + _LIFE < self._org.now():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        at = int(told.group(2))
        if self._misbehaviour.duplicate_page:
            at = max(0, at - cursor.size)
        return self._page(told.group(1), cursor, at, version)

    def _page(self, id: str, cursor: _Cursor, at: int, version: str) -> Json:
        found = cursor.found
        end = at + cursor.size
        done = end >= len(found.rows)
        page: Json = {"totalSize": found.total, "done": done}
        if not done:
            path = f"/services/data/v{version}/query/{id}-{end}"
            page["nextRecordsUrl"] = OTHER_HOST + path if self._misbehaviour.foreign_link else path
        page["records"] = [found.json(row, version) for row in found.rows[at:end]]
        return page
