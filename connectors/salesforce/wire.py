"""Requests to Salesforce: its SDK on a `requests` adapter of ours, and the token that they carry.

The SDK builds addresses and bodies. The adapter decides where they really go (the instance that came with the token),
takes from the budget, reads the headers, renews a refused token once for all units in flight, and turns whatever is
no success into an error of ours: so no exception of the SDK, whose text holds address and content, comes to life.
It follows no redirect and refuses to send a credential anywhere but base_url and *.my.salesforce.com.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce as Sdk
from simple_salesforce.exceptions import SalesforceError

from connectors.auth import RenewedToken, Secrets
from connectors.errors import ConnectorError, Retry, Stop
from connectors.http import CONNECT_SECONDS, Gate, Http, Reply, Unauthorized, lost, origin, within
from connectors.rates import Budget
from connectors.salesforce import signing
from connectors.salesforce.answers import decoded, usage, verdict
from connectors.salesforce.native import QUERY_HEADERS, WRITE_HEADERS
from connectors.world import MICROSECONDS, World

if TYPE_CHECKING:
    import httpx

    from connectors.salesforce import SalesforceSettings

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  an address
PASSING = ("unknown_error", "server_error", "temporarily_unavailable")
"""OAuth errors that go away by themselves ("unknown_error: retry your request")."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token request brought: the bearer, the only address it is good for, and the user we act as."""

    bearer: str
    instance: str
    user: str | None

    def text(self) -> str:
        return msgspec.json.encode(asdict(self)).decode()

    def __repr__(self) -> str:
        return f"Grant(…, {self.instance!r})"


class Wire:
    """The way to one organisation."""

    def __init__(
        self,
        system: str,
        settings: SalesforceSettings,
        world: World,
        secrets: Secrets,
        transport: httpx.BaseTransport | None,
        adapter: BaseAdapter | None,
    ) -> None:
        # Its DEBUG lines hold the whole address, and the addresses of queries hold people's e-mail addresses.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._system = system
        self._settings = settings
        self._world = world
        self._budget = Budget(system, world, (), settings.daily_share)
        self._gate = Gate(system, world, self._budget)
        self._http = Http(system, settings.base_url, self._gate, None, timeout=settings.timeout, transport=transport)
        self._adapter = adapter or HTTPAdapter(pool_connections=2, pool_maxsize=settings.parallel)
        # A kept token belongs to the organisation and the app it was made for: another base_url must not find it.
        place = hashlib.sha256(
            f"{settings.base_url} {settings.client_id} {settings.auth} {settings.username}".encode()
        ).hexdigest()[:16]
        self._token = RenewedToken(f"{system}:salesforce:{place}", self._renew, secrets, world)
        self.ahead: float | None = None
        """Seconds by which our clock is ahead of the vendor's, as of the latest answer that told a date."""

    def query(self, soql: str, *, purpose: str, deleted: bool) -> dict[str, Any]:
        """The first page of an answer. `deleted`: rows in the recycle bin too."""
        return self._object(
            purpose,
            ("records", "done"),
            lambda sdk: sdk.query(soql, include_deleted=deleted, headers=QUERY_HEADERS),
        )

    def more(self, next_url: str, *, purpose: str) -> dict[str, Any]:
        """The page that an answer named as its next."""
        parts = urlsplit(within(self._grant()[1].instance, next_url, self._system))
        path = urlunsplit(("", "", parts.path, parts.query, ""))
        return self._object(
            purpose,
            ("records", "done"),
            lambda sdk: sdk.query_more(path, identifier_is_url=True, headers=QUERY_HEADERS),
        )

    def describe(self, object: str, *, purpose: str) -> dict[str, Any]:
        return self._object(purpose, ("fields",), lambda sdk: sdk.restful(f"sobjects/{object}/describe"))

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        purpose: str,
        params: Mapping[str, str] | None = None,
        changes: bool = True,
    ) -> Any:
        """Any other REST call under /services/data. Raises InDoubt when it may or may not have had its effect."""
        content = _ENCODER.encode(body) if body is not None else None
        return self.call(
            purpose,
            lambda sdk: sdk.restful(path, dict(params or {}), method, data=content, headers=WRITE_HEADERS),
            changes=changes,
        )

    def call(self, purpose: str, act: Callable[[Sdk], Any], *, changes: bool = False) -> Any:
        """Let the SDK make one request, in a session of its own: units share the connections and nothing else."""
        session = requests.Session()
        session.adapters.clear()
        session.mount("https://", _Passage(self, purpose, changes))
        sdk = Sdk(
            session_id="sent by the adapter",
            instance_url=self._settings.base_url,
            version=self._settings.api_version.removeprefix("v"),
            session=session,
        )
        try:
            return act(sdk)
        except (SalesforceError, requests.RequestException, ValueError) as error:
            raise Stop(f"{self._system}: the SDK could not {purpose} ({type(error).__name__})") from None

    def carry(self, request: requests.PreparedRequest, purpose: str, changes: bool, via: _Way) -> requests.Response:
        """Take a request of the SDK to where it belongs. Raises Retry, Stop or InDoubt unless it succeeded."""
        asked = urlsplit(str(request.url))
        if (asked.hostname, asked.port) != _host(self._settings.base_url):
            raise Stop(f"{self._system}: the SDK wanted to {purpose} at another address; refused", code="SM305")
        text, grant = self._grant()
        content: Any = None

        def send() -> Reply:
            there = urlsplit(grant.instance)
            leaving = request.copy()
            leaving.url = urlunsplit((there.scheme, there.netloc, asked.path, asked.query, ""))
            leaving.headers["Authorization"] = f"Bearer {grant.bearer}"
            leaving.headers["User-Agent"] = "smarketing"
            leaving.headers.pop("X-PrettyPrint", None)
            reply = self._exchange(leaving, via)
            if told := usage(reply.headers):
                self._budget.told(*told)
            self._compare_clocks(reply.headers.get("date"))
            return reply

        def judge(reply: Reply) -> ConnectorError | None:
            nonlocal content
            content = decoded(reply.body)
            return verdict(reply, content, system=self._system, purpose=purpose, changes=changes)

        def once() -> Reply:
            return self._gate.call(send, judge, purpose=purpose, changes=changes)

        try:
            reply = once()
        except Unauthorized:
            text, grant = self._grant(refused=text)
            try:
                reply = once()
            except Unauthorized:
                raise Unauthorized(
                    f"{self._system}: 401 while trying to {purpose}: the session was refused twice; check client_id, "
                    "client_secret and the run-as user of the connected app, then run "
                    f'"smarketing check {self._system}"'
                ) from None
        return _Decoded.of(request, reply, content)

    @property
    def data(self) -> str:
        """The path below which all resources of our version stand."""
        return f"/services/data/{self._settings.api_version}"

    def user(self) -> str | None:
        """The id of the user that we act as."""
        return self._grant()[1].user

    def counts(self) -> Mapping[str, int]:
        return self._gate.counts()

    def day(self) -> tuple[int, int] | None:
        return self._budget.day

    def close(self) -> None:
        self._http.close()
        self._adapter.close()

    def _object(self, purpose: str, keys: Sequence[str], act: Callable[[Sdk], Any]) -> dict[str, Any]:
        answer = self.call(purpose, act)
        if not isinstance(answer, dict) or any(key not in answer for key in keys):
            raise Stop(
                f"{self._system}: the answer to {purpose!r} has no {' and '.join(keys)}; check base_url and api_version"
            )
        return answer

    def _exchange(self, leaving: requests.PreparedRequest, via: _Way) -> Reply:
        try:
            answer = self._adapter.send(
                leaving,
                stream=False,
                timeout=(CONNECT_SECONDS, self._settings.timeout),
                verify=via.verify,
                cert=via.cert,
                proxies=via.proxies,
            )
            body = answer.content
        except requests.RequestException as error:
            raise lost(error, str(leaving.url), left=not _never_connected(error)) from None
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)

    def _compare_clocks(self, date: str | None) -> None:
        try:
            theirs = parsedate_to_datetime(date).timestamp() if date else None
        except ValueError:
            return
        if theirs is not None:
            self.ahead = self._world.now() / MICROSECONDS - theirs

    def _grant(self, refused: str | None = None) -> tuple[str, Grant]:
        """The grant to use, and the text it is kept as; a fresh one when `refused` was."""
        text = self._token.token() if refused is None else self._token.refused(refused)
        grant = self._kept(text)
        if grant is None:
            text = self._token.refused(text)
            grant = self._kept(text)
        if grant is None:
            raise Stop(f"{self._system}: the token that was just made cannot be read back from the secrets store")
        return text, grant

    def _kept(self, text: str) -> Grant | None:
        """What an earlier process may have kept; None when it is of no use now."""
        try:
            grant = msgspec.json.decode(text, type=Grant)
        except ValueError:
            return None
        return grant if self._ours(grant.instance) else None

    def _renew(self) -> str:
        purpose = "get a token"
        form = signing.form(self._system, self._settings, self._world)
        told: Any = None

        def judge(reply: Reply) -> ConnectorError | None:
            nonlocal told
            told = decoded(reply.body)
            if reply.status == 200 and isinstance(told, dict) and told.get("access_token"):
                return None
            if reply.status in (400, 401, 403) and isinstance(told, dict):
                why = _oauth_code(told)
                if why in PASSING:
                    return Retry(f"{self._system}: the token request was put off ({reply.status} {why})")
                return Stop(
                    f"{self._system}: the token request was refused ({reply.status} {why}); check client_id and "
                    f"client_secret, that base_url is the My Domain address, and {signing.WAYS[self._settings.auth]}",
                    code="SM307",
                )
            return verdict(reply, told, system=self._system, purpose=purpose, changes=False) or Stop(
                f"{self._system}: the answer to the token request has no access_token; check base_url"
            )

        self._http.request("POST", TOKEN_PATH, judge, purpose=purpose, form=form)
        instance = str(told.get("instance_url") or self._settings.base_url)
        if not self._ours(instance):
            raise Stop(
                f"{self._system}: the token is said to be for another address ({urlsplit(instance).hostname!r}) than "
                f"base_url ({urlsplit(self._settings.base_url).hostname!r}) or *.my.salesforce.com; refused",
                code="SM305",
            )
        user = str(told.get("id") or "").rpartition("/")[2]  # https://login.salesforce.com/id/00D…/005…
        return Grant(str(told["access_token"]), instance, user or None).text()

    def _ours(self, instance: str) -> bool:
        scheme, host, port = origin(instance)
        if (scheme, host, port) == origin(self._settings.base_url):
            return True
        return scheme == "https" and port == 443 and host.endswith(".my.salesforce.com")


@dataclass(frozen=True, slots=True)
class _Way:
    """How the session would connect: its proxies and certificates, taken from the environment by `requests`."""

    verify: bool | str
    cert: Any
    proxies: Mapping[str, str] | None


class _Passage(BaseAdapter):
    """What the SDK's session takes for the network: knows what the call is for, and hands it to the wire."""

    def __init__(self, wire: Wire, purpose: str, changes: bool) -> None:
        super().__init__()
        self._wire = wire
        self._purpose = purpose
        self._changes = changes

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        return self._wire.carry(request, self._purpose, self._changes, _Way(verify, cert, proxies))

    def close(self) -> None:
        """The connections are the wire's."""


class _Decoded(requests.Response):
    """An answer whose JSON is decoded already, decimals as exact text."""

    decoded: Any

    @classmethod
    def of(cls, request: requests.PreparedRequest, reply: Reply, content: Any) -> _Decoded:
        answer = cls()
        answer.request = request
        answer.url = str(request.url)
        answer.status_code = reply.status
        answer.headers = CaseInsensitiveDict(reply.headers)
        answer._content = b""
        answer.decoded = content
        return answer

    def json(self, **decoding: Any) -> Any:
        return self.decoded


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _host(url: str) -> tuple[str | None, int | None]:
    """Host and port as the SDK derives them, which makes every address https."""
    parts = urlsplit(url)
    return parts.hostname, None if parts.port == 443 else parts.port


def _never_connected(error: requests.RequestException) -> bool:
    """Whether no connection came about, so that nothing can have left."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _oauth_code(told: Mapping[str, Any]) -> str:
    said = str(told.get("error") or "")
    return said if said.replace("_", "").isalpha() and len(said) < 60 else "unknown"
