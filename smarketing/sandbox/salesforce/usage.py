"""How many calls the org has made in the last 24 hours, and the limits it tells of."""

from __future__ import annotations

from collections import Counter

from smarketing.sandbox.salesforce.errors import ApiError
from smarketing.sandbox.salesforce.org import DAY, Org
from smarketing.sandbox.salesforce.render import Json

_SLICE = DAY // 24
LIMIT_HEADER = "Sforce-Limit-Info"


class Usage:
    """A rolling day, in slices of an hour."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._slices: Counter[int] = Counter()

    @property
    def used(self) -> int:
        oldest = self._org.now() // _SLICE - 23
        for each in [each for each in self._slices if each < oldest]:
            del self._slices[each]
        return sum(self._slices.values())

    def count(self, calls: int = 1) -> None:
        """Raises ApiError when the day is spent: a 403, not a 429 (Salesforce docs: status codes)."""
        if self.used + calls > self._org.options.daily_limit:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._slices[self._org.now() // _SLICE] += calls

    def header(self) -> str:
        return f"api-usage={self.used}/{self._org.options.daily_limit}"

    def limits(self) -> Json:
        most = self._org.options.daily_limit
        return {
            "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200},
            "DailyApiRequests": {"Max": most, "Remaining": max(0, most - self.used)},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 1024, "Remaining": 1000},
        }
