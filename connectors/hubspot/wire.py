"""The way to one HubSpot account: its SDK by the transport alone, and communication preferences over our own client.

The SDK builds addresses and bodies. Its connection pools are replaced by a `Carrier`, so that all of its objects share
one pool with our time-outs and without its retries and redirects, and so that no exception of the SDK, whose text
holds headers and bodies, ever comes to life. Every request passes the gate, and every answer `answers.verdict`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import urllib3

from connectors.auth import StaticToken
from connectors.base import Rate, batches
from connectors.errors import ConnectorError
from connectors.http import CONNECT_SECONDS, Gate, Http, Reply, lost
from connectors.hubspot.answers import day, decoded, verdict
from connectors.rates import Budget
from connectors.world import MICROSECONDS, World

if TYPE_CHECKING:
    import httpx

    from connectors.hubspot import HubSpotSettings

T = TypeVar("T")

SEARCH = "search"
SEARCHES_A_SECOND = 5
"""Shared by all apps of an account (HubSpot docs: search guide)."""

_NEVER_LEFT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


class Pool(Protocol):
    """What carries bytes: urllib3's PoolManager, or a stand-in within this process."""

    def request(
        self,
        method: str,
        url: str,
        *,
        body: str | None,
        fields: Sequence[tuple[str, str]] | None,
        headers: Mapping[str, str] | None,
        timeout: urllib3.Timeout,
        retries: bool,
        redirect: bool,
    ) -> urllib3.BaseHTTPResponse: ...

    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer on its way through the SDK, which lets a status of 200 pass and would make an exception, body and
    all, of any other. The real status is the reply's."""

    reply: Reply
    status: int = 200


class Carrier:
    """Stands where an SDK object has its urllib3 pool."""

    def __init__(self, pool: Pool, timeout: float) -> None:
        self._pool = pool
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout)

    def request(
        self,
        method: str,
        url: str,
        *,
        body: str | None = None,
        fields: Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        preload_content: bool = False,
        timeout: object = None,
    ) -> Carried:
        """What the SDK calls. Its own wishes about content and time-outs are not heard."""
        del preload_content, timeout
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                fields=fields,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise lost(error, url, left=not isinstance(error, _NEVER_LEFT)) from None
        return Carried(Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data))


class Sdk:
    """The objects of the SDK that we use, each made once: every access through its client would make a new pool."""

    def __init__(self, settings: HubSpotSettings, carrier: Carrier) -> None:
        from hubspot import HubSpot

        silence(logging.getLogger("hubspot"))
        client = HubSpot(access_token=settings.token.get_secret_value(), host=settings.base_url)

        def held(api: Any) -> Any:
            api.api_client.rest_client.pool_manager = carrier
            return api

        self.contacts = held(client.crm.contacts.basic_api)
        self.batch = held(client.crm.contacts.batch_api)
        self.search = held(client.crm.contacts.search_api)
        self.companies = held(client.crm.companies.batch_api)
        self.associations = held(client.crm.associations.v4.batch_api)
        self.properties = held(client.crm.properties.core_api)
        self.owners = held(client.crm.owners.owners_api)


def silence(logger: logging.Logger) -> None:
    """Let nothing of this logger or of those below it out: they tell whole bodies."""
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer to go on with. `at`: the vendor's clock when it was given, microseconds UTC, whole seconds."""

    status: int
    content: dict[str, Any]
    at: int | None

    @property
    def results(self) -> list[dict[str, Any]]:
        return self.content.get("results") or []

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What a 207 says of the rows that failed."""
        rows = self.content.get("errors")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    @property
    def after(self) -> str | None:
        """Where the next page begins; None on the last one."""
        paging = self.content.get("paging")
        following = paging.get("next") if isinstance(paging, dict) else None
        return str(following["after"]) if isinstance(following, dict) and following.get("after") else None


class Wire:
    """Requests to one account."""

    def __init__(
        self,
        system: str,
        settings: HubSpotSettings,
        world: World,
        transport: httpx.BaseTransport | None,
        pool: Pool | None,
    ) -> None:
        self.system = system
        self._world = world
        self._parallel = settings.parallel
        self.budget = Budget(system, world, rates(settings.requests_per_10s), settings.daily_share)
        self.gate = Gate(system, world, self.budget)
        self._pool: Pool = pool or urllib3.PoolManager(num_pools=1, maxsize=settings.parallel, block=False)
        self._settings = settings
        self._transport = transport
        # Each of the two costs tens of milliseconds to make, and many a command needs neither.
        self._making = world.lock()
        self._sdk: Sdk | None = None
        self._http: Http | None = None

    @property
    def sdk(self) -> Sdk:
        with self._making:
            if self._sdk is None:
                self._sdk = Sdk(self._settings, Carrier(self._pool, self._settings.timeout))
            return self._sdk

    @property
    def http(self) -> Http:
        with self._making:
            if self._http is None:
                told = self._settings
                token = StaticToken(told.token.get_secret_value())
                self._http = Http(
                    self.system, told.base_url, self.gate, token, timeout=told.timeout, transport=self._transport
                )
            return self._http

    def ask(
        self,
        send: Callable[[], Carried],
        *,
        purpose: str,
        changes: bool = False,
        bucket: str = "all",
        rows: str | None = "id",
        expect: Collection[int] = (),
    ) -> Heard:
        """One request through the SDK. `rows` and `expect` as in `answers.verdict`. Raises Retry, Stop, InDoubt."""
        ear = _Ear(self, purpose, changes, rows, expect)
        self.gate.call(lambda: send().reply, ear, purpose=purpose, changes=changes, bucket=bucket)
        return ear.heard()

    def preferences(
        self,
        method: str,
        path: str,
        *,
        purpose: str,
        rows: str = "subscriberIdString",
        params: Mapping[str, str] | None = None,
        inputs: Sequence[object] | None = None,
        changes: bool = False,
        expect: Collection[int] = (),
    ) -> Heard:
        """One request to communication preferences v4. Raises Retry, Stop, InDoubt."""
        ear = _Ear(self, purpose, changes, rows, expect)
        self.http.request(
            method,
            f"/communication-preferences/v4/{path}",
            ear,
            purpose=purpose,
            changes=changes,
            params=params,
            json_body=None if inputs is None else {"inputs": list(inputs)},
        )
        return ear.heard()

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

    def close(self) -> None:
        self._pool.clear()
        if self._http is not None:
            self._http.close()


class _Ear:
    """Judges the answers to one request and keeps the one to go on with."""

    def __init__(self, wire: Wire, purpose: str, changes: bool, rows: str | None, expect: Collection[int]) -> None:
        self._wire, self._purpose, self._changes, self._rows, self._expect = wire, purpose, changes, rows, expect
        self._heard: Heard | None = None

    def __call__(self, reply: Reply) -> ConnectorError | None:
        if told := day(reply.headers):
            self._wire.budget.told(*told)
        content = decoded(reply.body)
        error = verdict(
            reply,
            content,
            system=self._wire.system,
            purpose=self._purpose,
            changes=self._changes,
            rows=self._rows,
            expect=self._expect,
        )
        if error is None:
            self._heard = Heard(reply.status, content if isinstance(content, dict) else {}, _date(reply.headers))
        return error

    def heard(self) -> Heard:
        if self._heard is None:
            raise AssertionError("the gate let an answer pass that was not judged")
        return self._heard


def rates(requests_per_10s: int) -> tuple[Rate, ...]:
    """What an account allows: all calls of an app in any ten seconds, and searches of all apps in any second."""
    return Rate(requests_per_10s, 10.0), Rate(SEARCHES_A_SECOND, 1.0, SEARCH)


def _date(headers: Mapping[str, str]) -> int | None:
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp()) * MICROSECONDS
    except (KeyError, ValueError):
        return None
