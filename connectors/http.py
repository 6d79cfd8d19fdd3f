"""Requests to a vendor, whatever library carries them: budget, retries, counting, what a failure means.

A `Gate` stands before every request of a system. It does not follow redirects, does not leave the origin it was given,
and never puts a URL, a body or a header into a message. The httpx client here is the only one in the house; an SDK
with a transport of its own passes its calls through the gate as well.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

import httpx
import tenacity

from connectors.auth import RenewedToken, StaticToken
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.rates import Budget
from connectors.world import World

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ATTEMPTS = 5
ADVICE = "check base_url, and whether something on the way, a proxy or firewall, keeps this machine from it"
LONGEST_WAIT = 60.0
"""A vendor that asks for more patience than this gets it from the schedule, not from a sleeping process."""


@dataclass(slots=True)
class Reply:
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not: truncated, or a page for people."""
        return json.loads(self.body)


class Lost(Exception):
    """No answer came. `left`: the request may have reached the vendor. `refused`: nothing listens at that address."""

    def __init__(self, why: str, *, left: bool, refused: bool = False) -> None:
        super().__init__(why)
        self.left = left
        self.refused = refused


_HAPPENED: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "refuses connections"),
    (socket.gaierror, "is a name that could not be looked up"),
    (ssl.SSLCertVerificationError, "shows a certificate that is not trusted"),
    (ssl.SSLError, "speaks no TLS that we do"),
    (TimeoutError, "did not answer in time"),
    (ConnectionError, "broke the connection off"),
)
"""What the system's own error, at the bottom of every library's, means."""


def lost(error: Exception, url: str, *, left: bool) -> Lost:
    """A library's error as an answer that did not come: the address, and what happened, in a person's words."""
    _, host, port = origin(url)
    where = f"{host}:{port}"
    causes = list(_causes(error))
    for kind, happened in _HAPPENED:
        if any(isinstance(each, kind) for each in causes):
            return Lost(f"{where} {happened}", left=left, refused=kind is ConnectionRefusedError)
    return Lost(f"{where} {'broke the exchange off' if left else 'cannot be reached'}", left=left)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


Judge: TypeAlias = "Callable[[Reply], ConnectorError | None]"
"""What an answer means: None to go on with it, Retry when nothing took effect, InDoubt when it may have, Stop."""


class Nobody(Retry):
    """Nothing listens at an address that has never answered: most likely it is the wrong one, so that it is left to the
    schedule at once, and whoever waits for a check is told."""


class Gate:
    """Every request of one system passes here."""

    def __init__(self, system: str, world: World, budget: Budget) -> None:
        self._system = system
        self._world = world
        self._budget = budget
        self._counted: Counter[str] = Counter()
        self._count_lock = world.lock()
        self._answered = False

    def call(
        self,
        send: Callable[[], Reply],
        judge: Judge,
        *,
        purpose: str,
        changes: bool = False,
        bucket: str = "all",
    ) -> Reply:
        """Send, and send again while the vendor asks for it.

        `purpose` is what the request is counted under and called in messages ("read contacts"). `changes`: the request
        has an effect over there, so an answer that got lost is InDoubt and is not sent again.
        Raises Retry, Stop or InDoubt.
        """

        def once() -> Reply:
            self._budget.take(bucket)
            self._world.pause("request")
            with self._count_lock:
                self._counted[purpose] += 1
            try:
                reply = send()
            except Lost as none:
                text = f"{self._system}: no answer to {purpose!r}: {none}"
                if changes and none.left:
                    raise InDoubt(text) from None
                if none.left:
                    raise Retry(text) from None
                raise (Nobody if none.refused and not self._answered else Retry)(f"{text}; {ADVICE}") from None
            finally:
                self._world.pause("answered")
            self._answered = True
            verdict = judge(reply)
            if verdict is not None:
                raise verdict
            return reply

        return self._patient(purpose)(once)

    def counts(self) -> Mapping[str, int]:
        with self._count_lock:
            return dict(self._counted)

    def _patient(self, purpose: str) -> tenacity.Retrying:
        def worth_it(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            if not isinstance(error, Retry) or isinstance(error, Nobody):
                return False
            return (error.after or 0.0) <= LONGEST_WAIT

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, Retry) and error.after is not None:
                return error.after
            return min(LONGEST_WAIT, 0.5 * 2.0 ** (state.attempt_number - 1)) * (0.5 + self._world.random())

        def note(state: tenacity.RetryCallState) -> None:
            log.info("%s: %s is tried again in %.1f s", self._system, purpose, state.upcoming_sleep)

        return tenacity.Retrying(
            retry=worth_it,
            wait=wait,
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            sleep=self._world.sleep,
            before_sleep=note,
            reraise=True,
        )


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def within(base_url: str, target: str, system: str) -> str:
    """`target` (a path, or a whole address that a vendor handed us) made absolute, if it stays where `base_url` is.
    Raises Stop otherwise: our credentials go to nobody else."""
    url = urljoin(base_url if base_url.endswith("/") else base_url + "/", target)
    if origin(url) != origin(base_url):
        raise Stop(
            f"{system}: it points to another address ({urlsplit(url).hostname!r}) than its base_url "
            f"({urlsplit(base_url).hostname!r}); refused",
            code="SM305",
        )
    return url


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header; None where there is none or it is a date."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.replace(".", "", 1).isdigit() else None


def decoded(reply: Reply, system: str, purpose: str) -> Any:
    """The JSON of a successful reading; Retry when the vendor sent something else."""
    try:
        return reply.json()
    except ValueError:
        kind = reply.headers.get("content-type", "unknown").split(";")[0]
        raise Retry(
            f"{system}: the answer to {purpose!r} is no whole JSON (content type {kind!r}, {len(reply.body):,} bytes)",
            code="SM306",
        ) from None


class Http:
    """An httpx client bound to one system: its origin, its gate, its token."""

    def __init__(
        self,
        system: str,
        base_url: str,
        gate: Gate,
        token: StaticToken | RenewedToken | None,
        *,
        timeout: float = READ_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._system = system
        self._base_url = base_url
        self._gate = gate
        self._token = token
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS),
            follow_redirects=False,
            transport=transport,
            # Loading certificates costs tens of milliseconds; a plain address, and its pinned origin, never uses them.
            verify=not base_url.startswith("http://"),
            headers={"User-Agent": "smarketing", "Accept": "application/json"},
        )

    def request(
        self,
        method: str,
        target: str,
        judge: Judge,
        *,
        purpose: str,
        changes: bool = False,
        bucket: str = "all",
        params: Mapping[str, str] | None = None,
        json_body: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request through the gate. A refused token is renewed once where that is possible."""
        url = within(self._base_url, target, self._system)
        token = self._token.token() if self._token else None

        def send() -> Reply:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            try:
                answer = self._client.request(method, url, params=params, json=json_body, data=form, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise lost(error, url, left=False) from None
            except httpx.HTTPError as error:
                raise lost(error, url, left=True) from None
            return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)

        def judged(reply: Reply) -> ConnectorError | None:
            return redirected(reply, self._system, purpose) or judge(reply)

        def call() -> Reply:
            return self._gate.call(send, judged, purpose=purpose, changes=changes, bucket=bucket)

        try:
            return call()
        except Unauthorized:
            if not isinstance(self._token, RenewedToken) or token is None:
                raise
            token = self._token.refused(token)
            return call()

    def close(self) -> None:
        self._client.close()


class Unauthorized(Stop):
    """The vendor refused our token; nothing took effect."""

    code = "SM307"


def redirected(reply: Reply, system: str, purpose: str) -> ConnectorError | None:
    """Redirects are not followed: they would carry our credentials to wherever they point."""
    if 300 <= reply.status < 400 and reply.status not in (300, 304):
        return Stop(
            f"{system}: the answer to {purpose!r} is a redirect ({reply.status}); refused, check base_url", code="SM305"
        )
    return None
