"""Which part answers a request, and what is checked before any of them: its length, the version, the session, the day's
calls. Whatever a part raises becomes the vendor's error body here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from smarketing.sandbox.emulator import Misbehaviour, Reply, Request
from smarketing.sandbox.salesforce.bulk import Bulk
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.collection import Collections
from smarketing.sandbox.salesforce.composite import Composite
from smarketing.sandbox.salesforce.cursors import Cursors, page_size
from smarketing.sandbox.salesforce.customising import Customising
from smarketing.sandbox.salesforce.errors import ApiError, Malformed, not_allowed, not_found
from smarketing.sandbox.salesforce.oauth import OAuth
from smarketing.sandbox.salesforce.org import Org
from smarketing.sandbox.salesforce.query import Queries
from smarketing.sandbox.salesforce.replication import Replication
from smarketing.sandbox.salesforce.rows import Rows
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.search import Search
from smarketing.sandbox.salesforce.usage import LIMIT_HEADER, Usage

OLDEST, NEWEST = 31, 66
LONGEST = 16_384
"""Bytes of the address, and of address and headers together (Salesforce docs: status codes 414 and 431)."""
_DATA = re.compile(r"/services/data(?:/v(\d+)\.0)?(?:/(.*))?\Z", re.DOTALL)
_SEASONS = ("Spring", "Summer", "Winter")


class Router:
    def __init__(self, org: Org, saving: Saving, misbehaviour: Misbehaviour) -> None:
        queries = Queries(org.store, org.now)
        self._org = org
        self._queries = queries
        self._oauth = OAuth(org, misbehaviour)
        self._usage = Usage(org)
        self._cursors = Cursors(org, misbehaviour)
        self._rows = Rows(org, saving, queries, Replication(org))
        self._collections = Collections(org, saving, queries)
        self._search = Search(org, queries)
        self._bulk = Bulk(org, saving, queries)
        self._customising = Customising(org)

    def answer(self, request: Request) -> Reply:
        """Answer one request, come what may."""
        self._org.tick()
        if len(request.target) > LONGEST:
            return Reply.of(414, [{"errorCode": "URI_TOO_LONG", "message": "URI Too Long"}])
        if len(request.target) + sum(len(k) + len(v) + 4 for k, v in request.headers.items()) > LONGEST:
            return Reply.of(431, [{"errorCode": "HEADERS_TOO_LARGE", "message": "Request Header Fields Too Large"}])
        if is_oauth(request.path):
            return self._oauth.answer(request)
        try:
            reply = self._data(request)
        except ApiError as error:
            reply = Reply.of(error.status, error.body())
        return self.counted(reply)

    def counted(self, reply: Reply) -> Reply:
        """The reply with what the day has used."""
        return replace(reply, headers={**reply.headers, LIMIT_HEADER: self._usage.header()})

    def _data(self, request: Request) -> Reply:
        found = _DATA.match(request.target.partition("?")[0])
        if not found:
            raise not_found()
        number, rest = found.groups()
        if number is None and not (rest or "").strip("/"):
            return Reply.of(200, [_version(each) for each in range(OLDEST, NEWEST + 1)])
        call = _call(request.method, found, request.query, request.headers, request.body)
        self._oauth.admit(request.headers)
        parts = call.path == ("composite", "batch") and call.content().get("batchRequests")
        self._usage.count(max(1, len(parts)) if isinstance(parts, list) else 1)
        return self._route(call, request)

    def _route(self, call: Call, request: Request) -> Reply:
        match call.path:
            case ():
                return Reply.of(200, _resources(call.version))
            case ("sobjects", *_):
                return self._rows.answer(call)
            case (("query" | "queryAll") as name, *_):
                return self._query(call, deleted=name == "queryAll", tooling=False, rest=call.path[1:])
            case ("tooling", "query", *_):
                return self._query(call, deleted=False, tooling=True, rest=call.path[2:])
            case ("tooling", *_):
                return self._customising.answer(call)
            case ("composite", "sobjects", *_):
                return self._collections.answer(call)
            case ("composite", *_):
                return self._composite(call, request)
            case ("jobs", *_):
                return self._bulk.answer(call)
            case ("search",) if call.method == "GET":
                return self._search.statement(call)
            case ("parameterizedSearch",):
                return self._search.parameterized(call)
            case ("limits",):
                return Reply.of(200, self._usage.limits())
            case ("limits", "recordCount"):
                return Reply.of(200, {"sObjects": self._counts(call.one("sObjects"))})
        raise not_found()

    def _query(self, call: Call, *, deleted: bool, tooling: bool, rest: tuple[str, ...]) -> Reply:
        if call.method != "GET":
            raise not_allowed(call.method, "GET")
        if rest:
            return Reply.of(200, self._cursors.more(rest[0], call.version))
        text = call.one("q")
        if not text:
            raise Malformed("MALFORMED_QUERY", "A query string has to be specified")
        found = self._queries.run(text, deleted=deleted, tooling=tooling)
        listing = re.split(r"\swhere\s", text, maxsplit=1, flags=re.IGNORECASE)[0]
        return Reply.of(200, self._cursors.first(found, listing, page_size(call.headers), call.version))

    def _composite(self, call: Call, request: Request) -> Reply:
        def dispatch(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
            part = Request.of(method, target, headers, body, request.base_url)
            try:
                found = _DATA.match(target.partition("?")[0])
                if not found or found.group(1) is None:
                    raise not_found()
                return self._route(_call(part.method, found, part.query, part.headers, part.body), part)
            except ApiError as error:
                return Reply.of(error.status, error.body())

        composite = Composite(self._org.store, dispatch)
        if call.method != "POST":
            raise not_allowed(call.method, "POST")
        match call.path[1:]:
            case ():
                return composite.answer(call)
            case ("batch",):
                return composite.batch(call)
        raise not_found()

    def _counts(self, names: str) -> list[dict[str, object]]:
        wanted = [self._org.schema.find(name.strip()) for name in names.split(",")] if names else None
        counts = []
        for each in self._org.schema.objects.values():
            if wanted is None or each in wanted:
                rows = self._org.store.tables[each.name].rows.values()
                counts.append({"count": sum(not row.get("IsDeleted") for row in rows), "name": each.name})
        return counts


def is_oauth(path: str) -> bool:
    """Whether a path is answered with OAuth's errors and counts as no call."""
    return path.startswith(("/services/oauth2/", "/id/"))


def _call(
    method: str, found: re.Match[str], query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
) -> Call:
    """Raises ApiError for a version that there is not."""
    number = int(found.group(1) or 0)
    if not OLDEST <= number <= NEWEST:
        raise not_found()
    path = tuple(unquote(part) for part in (found.group(2) or "").split("/") if part)
    told = query.get("_HttpMethod", [method])[0] if method == "POST" else method
    return Call(told.upper(), path, query, headers, body, f"{number}.0")


def _version(number: int) -> dict[str, str]:
    """v60 is Spring '24, and there are three a year."""
    season, year = _SEASONS[number % 3], 24 + (number - 60) // 3 + (1 if number % 3 == 2 else 0)
    return {"label": f"{season} '{year:02d}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def _resources(version: str) -> dict[str, str]:
    names = ("composite", "jobs", "limits", "parameterizedSearch", "query", "queryAll", "search", "sobjects", "tooling")
    base = f"/services/data/v{version}"
    return {name: f"{base}/{name}" for name in names}
