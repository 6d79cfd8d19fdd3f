"""The lists of what was updated and deleted in a window of time.

Seconds do not count; a window that begins before the list does is refused, and then only a full reading helps.
(Salesforce docs: sObject Get Updated, sObject Get Deleted.)
"""

from __future__ import annotations

from connectors.world import MICROSECONDS
from smarketing.sandbox.salesforce import clock
from smarketing.sandbox.salesforce.errors import ApiError, Malformed
from smarketing.sandbox.salesforce.org import BIN_DAYS, DAY, Org
from smarketing.sandbox.salesforce.records import STAMP
from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.schema import SObject

MOST_IDS = 600_000
UPDATED_DAYS = 30
_MINUTE = 60 * MICROSECONDS


class Replication:
    def __init__(self, org: Org) -> None:
        self._org = org

    def updated(self, sobject: SObject, start: str, end: str) -> Json:
        """Live records made or changed in the window. Raises ApiError."""
        since, until = self._window(sobject, start, end, UPDATED_DAYS)
        table = self._org.store.tables[sobject.name]
        late = table.late(self._org.now())
        low, high = clock.stamp(since), clock.stamp(until - 1)
        rows = [row for row in table.by_stamp(low, high) if row["Id"] not in late]
        rows += [row for row in late.values() if row is not None and low <= str(row[STAMP]) <= high]
        ids = [str(row["Id"]) for row in rows if not row.get("IsDeleted")]
        if len(ids) > MOST_IDS:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"more than {MOST_IDS} ids")
        return {"ids": ids, "latestDateCovered": self._covered(until)}

    def deleted(self, sobject: SObject, start: str, end: str) -> Json:
        """Records deleted in the window. Raises ApiError."""
        since, until = self._window(sobject, start, end, BIN_DAYS)
        earliest = max(self._org.log_from, self._org.now() - BIN_DAYS * DAY)
        if since < self._org.log_from:
            raise _bad_window("the delete log does not reach back to the start date")
        late = self._org.store.tables[sobject.name].late(self._org.now())
        found = [
            {"id": each.id, "deletedDate": clock.stamp(each.at)}
            for each in self._org.bin
            if each.object == sobject.name and since <= each.at < until and each.id not in late
        ]
        return {
            "deletedRecords": found,
            "earliestDateAvailable": clock.stamp(earliest),
            "latestDateCovered": self._covered(until),
        }

    def _window(self, sobject: SObject, start: str, end: str, days: int) -> tuple[int, int]:
        if STAMP not in sobject.fields:
            raise Malformed("INVALID_TYPE", f"object {sobject.name} is not replicable")
        try:
            since, until = (clock.micros(clock.read_datetime(text)) // _MINUTE * _MINUTE for text in (start, end))
        except ValueError:
            raise Malformed("INVALID_REPLICATION_DATE", "start and end must be given as ISO 8601 dates") from None
        if until <= since:
            raise _bad_window("endDate must be at least one minute greater than startDate")
        if since < self._org.now() - days * DAY:
            raise _bad_window(f"startDate cannot be more than {days} days ago")
        return since, until

    def _covered(self, until: int) -> str:
        return clock.stamp(min(until, self._org.now() // _MINUTE * _MINUTE))


def _bad_window(why: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", why)
