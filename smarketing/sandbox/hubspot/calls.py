"""A request that was let in: its query read the way HubSpot reads it, and the pages of a listing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from smarketing.sandbox.emulator import OTHER_HOST, Misbehaviour, Request
from smarketing.sandbox.hubspot.refusals import bad_request
from smarketing.sandbox.hubspot.sources import OUR_APP, Source


@dataclass(frozen=True, slots=True)
class Call:
    """`version`: "v3", "v4" or a date."""

    request: Request
    version: str
    source: Source = OUR_APP

    @property
    def dated(self) -> bool:
        return not self.version.startswith("v")

    def listed(self, name: str) -> list[str] | None:
        """A list parameter, once with commas or many times (both are in use). None when it is not given."""
        given = self.request.query.get(name)
        if given is None:
            return None
        return [item.strip() for value in given for item in value.split(",") if item.strip()]

    def flag(self, name: str) -> bool:
        return self.request.one(name).lower() == "true"

    def limit(self, default: int, most: int) -> int:
        """Raises Refusal."""
        text = self.request.one("limit") or str(default)
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise bad_request(f"The limit must be a number between 1 and {most}.")
        return int(text)

    def after(self) -> int:
        """The cursor of a listing: the first id that may be shown. Raises Refusal."""
        text = self.request.one("after") or "0"
        if not text.isdecimal():
            raise bad_request("The paging cursor 'after' is not valid.")
        return int(text)


class Pager:
    """Cuts listings into pages, and lets them go wrong as told."""

    def __init__(self, mischief: Misbehaviour) -> None:
        self._mischief = mischief

    def cut(self, ids: Sequence[int], call: Call, limit: int) -> tuple[Sequence[int], dict[str, Any]]:
        """A page of sorted ids, and what its answer tells of the next one."""
        after = call.after()
        start = self.start(bisect_left(ids, after), limit)
        page = ids[start : start + limit]
        if start + limit >= len(ids):
            return page, {}
        return page, {"paging": {"next": self.next(str(page[-1] + 1), call)}}

    def start(self, position: int, limit: int) -> int:
        """Where a page begins: a page further up when the one before is to be answered again."""
        return max(0, position - limit) if self._mischief.duplicate_page else position

    def next(self, after: str, call: Call) -> dict[str, str]:
        return {"after": after, "link": self.link(after, call)}

    def link(self, after: str, call: Call) -> str:
        host = OTHER_HOST if self._mischief.foreign_link else call.request.base_url
        query = {**call.request.query, "after": [after]}
        return f"{host}{call.request.path}?{urlencode(query, doseq=True)}"

    @property
    def foreign(self) -> bool:
        return self._mischief.foreign_link
