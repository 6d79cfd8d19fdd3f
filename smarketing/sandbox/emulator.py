"""What an emulator is: a vendor's API as a state machine, request in, answer out, without a socket.

The machine knows no time but its World's and no randomness but its World's, so that a simulator can run it. The HTTP
server beside it (`server.py`) carries bytes and nothing else; faults that need a socket are told to it by `Broken`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qs, unquote

from connectors.backdoor import Backdoor, Fault, Seen, When
from connectors.world import MICROSECONDS, World

OTHER_HOST = "https://elsewhere.example.com"


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the request line's; `path` is decoded and without the query; header names are in lower case;
    `base_url` is where we are served."""

    method: str
    target: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes, base_url: str) -> Request:
        path, _, query = target.partition("?")
        return cls(
            method,
            target,
            unquote(path),
            parse_qs(query, keep_blank_values=True),
            {name.lower(): value for name, value in headers.items()},
            body,
            base_url,
        )

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> object:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True, slots=True)
class Reply:
    """`delay`: seconds that the server lets pass before it sends this."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0

    @classmethod
    def of(cls, status: int, content: object, headers: Mapping[str, str] | None = None) -> Reply:
        body = json.dumps(content, ensure_ascii=False).encode()
        return cls(status, {"Content-Type": "application/json;charset=utf-8", **(headers or {})}, body)


class Broken(Exception):
    """The connection ends without an answer."""


class Emulator(Backdoor, Protocol):
    """A vendor's stand-in. `name` is the connector it stands in for."""

    name: str

    def handle(self, request: Request) -> Reply:
        """Answer one request. Raises Broken. Not called by two threads at once."""

    def credentials(self, base_url: str) -> dict[str, str]:
        """What the sandbox line tells of this system, base_url included; the keys are those of the configuration."""


@runtime_checkable
class Crowded(Protocol):
    """An emulator whose vendor takes only so many requests at once, from all programs together."""

    at_once: int

    def crowded(self) -> Reply:
        """What whoever comes on top of them is told."""


@dataclass(slots=True)
class _Armed:
    kind: Fault
    when: When
    met: int = 0
    hit: int = 0


@dataclass(frozen=True, slots=True)
class _Late:
    at: int
    request: Request
    answer: Callable[[Request], Reply]


class Words(Protocol):
    """How this vendor says no."""

    def rate(self, seconds: float) -> Reply:
        """Too many requests; come back after so long."""

    def error(self) -> Reply:
        """It broke over here."""

    def expired(self) -> Reply:
        """The token is no longer good."""

    def forbidden(self) -> Reply:
        """The credentials lack a right."""


class Misbehaviour:
    """The faults an emulator was told, and the log of its requests: the part that every emulator shares.

    `lag`, `foreign_link` and `duplicate_page` are for the emulator to look at while it answers.
    """

    def __init__(self, world: World, words: Words) -> None:
        self._world = world
        self._words = words
        self._armed: list[_Armed] = []
        self._late: list[_Late] = []
        self.seen: list[Seen] = []
        self.lag: float | None = None
        self.foreign_link = False
        self.duplicate_page = False

    def arm(self, kind: Fault, when: When) -> None:
        if kind is Fault.LAG:
            self.lag = when.value
        else:
            self._armed.append(_Armed(kind, when))

    def run(self, request: Request, answer: Callable[[Request], Reply]) -> Reply:
        """Answer this request as the vendor would, or as it was told to go wrong. Raises Broken."""
        self.land()
        fault = self._due(request)
        try:
            reply = self._go_wrong(*fault, request, answer) if fault else answer(request)
        except Broken:
            self._note(request, 0)
            raise
        self._note(request, reply.status)
        return reply

    def land(self) -> None:
        """Requests whose answer got lost take effect when their time has come."""
        now = self._world.now()
        due = [late for late in self._late if late.at <= now]
        self._late = [late for late in self._late if late.at > now]
        for late in due:
            late.answer(late.request)

    def _due(self, request: Request) -> tuple[Fault, When] | None:
        line = f"{request.method} {request.path}"
        for armed in self._armed:
            if armed.when.path not in line or armed.hit >= armed.when.times:
                continue
            armed.met += 1
            if armed.met > armed.when.skip:
                armed.hit += 1
                return armed.kind, armed.when
        return None

    def _go_wrong(self, kind: Fault, when: When, request: Request, answer: Callable[[Request], Reply]) -> Reply:
        match kind:
            case Fault.RATE:
                return self._words.rate(when.value)
            case Fault.ERROR:
                return self._words.error()
            case Fault.EXPIRED:
                return self._words.expired()
            case Fault.FORBIDDEN:
                return self._words.forbidden()
            case Fault.CUT:
                raise Broken
            case Fault.CUT_AFTER:
                answer(request)
                raise Broken
            case Fault.ERROR_AFTER:
                answer(request)
                return self._words.error()
            case Fault.LATE:
                at = self._world.now() + int(when.value * MICROSECONDS)
                self._late.append(_Late(at, request, answer))
                raise Broken
            case Fault.SLOW:
                return replace(answer(request), delay=when.value)
            case Fault.TRUNCATED:
                whole = answer(request)
                return replace(whole, body=whole.body[: len(whole.body) // 2])
            case Fault.HTML:
                return Reply(200, {"Content-Type": "text/html"}, b"<!doctype html><title>Scheduled maintenance</title>")
            case Fault.REDIRECT:
                return Reply(302, {"Location": OTHER_HOST + request.target})
            case Fault.FOREIGN_LINK:
                self.foreign_link = True
                try:
                    return answer(request)
                finally:
                    self.foreign_link = False
            case Fault.DUPLICATE_PAGE:
                self.duplicate_page = True
                try:
                    return answer(request)
                finally:
                    self.duplicate_page = False
            case Fault.LAG:
                raise AssertionError("a lag is not armed")

    def _note(self, request: Request, status: int) -> None:
        self.seen.append(Seen(request.method, request.target, status, request.body.decode("utf-8", "replace")))
