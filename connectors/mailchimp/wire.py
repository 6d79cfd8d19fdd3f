"""The way to one audience of Mailchimp's: requests, and what their answers mean.

The key goes as a bearer token, which Mailchimp takes beside basic authentication. It tells no rates: ten requests at
once of all programs together is the limit, and whoever is turned away waits by themselves (Mailchimp docs:
fundamentals). Its words hold people's addresses, so a message of ours repeats the title of a problem only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from connectors.auth import StaticToken
from connectors.base import batches
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.http import Gate, Http, Reply, Unauthorized, retry_after
from connectors.rates import Budget
from connectors.world import MICROSECONDS, World

if TYPE_CHECKING:
    import httpx

    from connectors.mailchimp import MailchimpSettings

T = TypeVar("T")

_TITLE = re.compile(r"[A-Z][A-Za-z]*( [A-Za-z]+){0,5}")


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer to go on with. `at`: the vendor's clock when it was given, microseconds UTC, whole seconds."""

    status: int
    content: dict[str, Any]
    at: int | None

    @property
    def title(self) -> str:
        return title(self.content)

    def rows(self, name: str) -> list[dict[str, Any]]:
        found = self.content.get(name)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def title(content: Mapping[str, Any]) -> str:
    """The kind of a problem, if it looks like one: free text is not repeated."""
    told = content.get("title")
    return told if isinstance(told, str) and len(told) < 60 and _TITLE.fullmatch(told) else ""


class Wire:
    """Requests to one audience."""

    def __init__(
        self, system: str, settings: MailchimpSettings, world: World, transport: httpx.BaseTransport | None
    ) -> None:
        self.system = system
        self.list_id = settings.list_id
        self._world = world
        self._parallel = settings.parallel
        self.gate = Gate(system, world, Budget(system, world, ()))
        self._settings = settings
        self._transport = transport
        self._making = world.lock()
        self._http: Http | None = None

    @property
    def http(self) -> Http:
        with self._making:  # it costs tens of milliseconds to make, and many a command needs none
            if self._http is None:
                told = self._settings
                token = StaticToken(told.api_key.get_secret_value())
                self._http = Http(
                    self.system, told.address(), self.gate, token, timeout=told.timeout, transport=self._transport
                )
            return self._http

    def ask(
        self,
        method: str,
        path: str,
        *,
        purpose: str,
        params: Mapping[str, str] | None = None,
        content: object = None,
        rows: str | None = None,
        expect: Collection[int] = (),
    ) -> Heard:
        """One request below the audience. `rows`: a good answer has a list of that name, each of whose rows has a
        contact id or an id. `expect`: refusals that the caller reads by itself. Raises Retry, Stop, InDoubt."""
        changes = method != "GET"
        heard: list[Heard] = []

        def judge(reply: Reply) -> ConnectorError | None:
            said = decoded(reply.body)
            error = self._verdict(reply, said, purpose, changes, rows, expect)
            if error is None:
                heard.append(Heard(reply.status, said if isinstance(said, dict) else {}, _date(reply.headers)))
            return error

        self.http.request(
            method,
            f"/3.0/lists/{self.list_id}{path}",
            judge,
            purpose=purpose,
            changes=changes,
            params=params,
            json_body=content,
        )
        return heard[-1]

    def beside(self, what: str, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Do these, at most `parallel` at once; their results in the order of the jobs. Raises what the first of them
        that failed raised, after those under way have ended."""
        if len(jobs) == 1 or self._parallel == 1:
            return [job() for job in jobs]
        done: dict[int, T] = {}

        def work(number: int) -> Callable[[], None]:
            def run() -> None:
                done[number] = jobs[number]()

            return run

        for wave in batches(range(len(jobs)), self._parallel):
            tasks = [self._world.spawn(what, work(number)) for number in wave]
            errors: list[BaseException] = []
            for task in tasks:
                try:
                    task.join()
                except BaseException as error:
                    errors.append(error)
            if errors:
                raise errors[0]
        return [done[number] for number in range(len(jobs))]

    def _verdict(
        self, reply: Reply, said: Any, purpose: str, changes: bool, rows: str | None, expect: Collection[int]
    ) -> ConnectorError | None:
        """None to go on with the content, otherwise what to do instead."""
        status = reply.status
        content = said if isinstance(said, dict) else {}
        if 200 <= status < 300:
            if status == 204 or (_has(content, rows) if rows else content):
                return None
            kind = reply.headers.get("content-type", "unknown").split(";")[0]
            text = f"{self.system}: no whole answer to {purpose!r} (content type {kind!r}, {len(reply.body):,} bytes)"
            return InDoubt(text, code="SM306") if changes else Retry(text, code="SM306")
        where = " ".join(f"{self.system}: {status} {title(content)}".split()) + f" while trying to {purpose}"
        if status >= 500 or status == 408:
            return InDoubt(where) if changes else Retry(where, after=retry_after(reply.headers))
        if status == 429 or (status == 403 and not content):
            return Retry(f"{where}: too many requests at once, of all programs together")
        if status in expect and content:
            return None
        return self._refused(status, where)

    def _refused(self, status: int, where: str) -> Stop:
        again = f'then run "smarketing check {self.system}"'
        if status == 401:
            what = f"the key was refused, or belongs to another data centre; check systems.{self.system}.api_key"
            return Unauthorized(f"{where}: {what}, {again}")
        if status == 404:
            what = f"there is no audience {self.list_id!r}; check systems.{self.system}.list_id"
            return Stop(f"{where}: {what}, {again}", code="SM308")
        if status == 403:
            return Stop(f"{where}: the user of this key lacks a right; give it a role that may, {again}", code="SM308")
        return Stop(f'{where}; run "smarketing check {self.system}"', code="SM308")

    def close(self) -> None:
        if self._http is not None:
            self._http.close()


def decoded(body: bytes) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _has(content: Mapping[str, Any], rows: str) -> bool:
    """An answer without its list is no empty list: it would look like the end of everything."""
    found = content.get(rows)
    return isinstance(found, list) and all(isinstance(row, dict) for row in found)


def _date(headers: Mapping[str, str]) -> int | None:
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp()) * MICROSECONDS
    except (KeyError, ValueError):
        return None
