"""The reference connector over HTTP, on loopback or through httpx alone: what the clauses about the wire are tried on.

A request's path names a call that waits for it in this process, so only what HTTP can spoil goes over the wire: the
line, the token, the status, the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import httpx
from pydantic import SecretStr

from connectors.auth import StaticToken
from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Connector, Fields, Ref
from connectors.conformance import Lines, Rig
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.http import Gate, Http, Reply, Unauthorized, retry_after
from connectors.memory import Memory, MemorySettings
from connectors.memory_records import Temperament
from connectors.memory_system import MemorySystem, Trouble
from connectors.rates import Budget
from connectors.world import World
from smarketing.sandbox.emulator import OTHER_HOST, Broken, Misbehaviour, Request
from smarketing.sandbox.emulator import Reply as Sent
from smarketing.sandbox.server import Server
from tests.connectors.memory_rigs import TOKEN, memory_rig
from tests.secrets import NoSecrets

T = TypeVar("T")


class Words:
    """How this vendor says no."""

    def rate(self, seconds: float) -> Sent:
        return Sent.of(429, {}, {"Retry-After": f"{seconds:g}"})

    def error(self) -> Sent:
        return Sent.of(503, {})

    def expired(self) -> Sent:
        return Sent.of(401, {})

    def forbidden(self) -> Sent:
        return Sent.of(403, {})


class Wire:
    """The vendor behind the server, and its backdoor. `place` leaves a call to be made when its request arrives."""

    def __init__(self, system: MemorySystem, world: World) -> None:
        self._system = system
        self._misbehaviour = Misbehaviour(world, Words())
        self._calls: list[Callable[[], object]] = []
        self.results: dict[int, object] = {}
        self._page: object = None

    def place(self, call: Callable[[], object]) -> int:
        self._calls.append(call)
        return len(self._calls) - 1

    def handle(self, request: Request) -> Sent:
        return self._misbehaviour.run(request, self._answer)

    def _answer(self, request: Request) -> Sent:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Words().expired()
        head, _, number = request.path.rpartition("/")
        try:
            result = self._calls[int(number)]()
        except Trouble as trouble:
            return Sent.of(trouble.status, {})
        if head == "/read-person":
            if self._misbehaviour.duplicate_page:
                result = self._page
            self._page = result
        self.results[int(number)] = result
        host = OTHER_HOST if self._misbehaviour.foreign_link else request.base_url
        return Sent.of(200, {"next": host + head})

    def fault(self, kind: Fault, when: When) -> None:
        if kind is Fault.LAG:
            self._system.fault(kind, when)
        else:
            self._misbehaviour.arm(kind, when)

    def requests(self) -> list[Seen]:
        return [*self._misbehaviour.seen]

    def records(self) -> list[Kept]:
        self._misbehaviour.land()
        return self._system.records()

    def put(self, object: str, fields: Fields) -> Ref:
        return self._system.put(object, fields)

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        self._system.edit(ref, fields, as_)

    def remove(self, ref: Ref) -> None:
        self._system.remove(ref)

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        return self._system.merge(winner, loser)

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._system.opt_out(address, channel)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._system.confirm(address, channel)


class OverHttp(Memory):
    """Memory whose requests are real ones."""

    def __init__(
        self,
        token: str,
        world: World,
        wire: Wire,
        base_url: str,
        system: MemorySystem,
        through: httpx.BaseTransport,
    ) -> None:
        wanted = {"person": ["email", "name", "note", "title", "number", "met_at", "vip", "size", "consent"]}
        super().__init__(
            "memory", MemorySettings(world_name="rig", token=SecretStr(TOKEN)), world, wanted, NoSecrets(), system
        )
        self._wire = wire
        self._gate = Gate("memory", world, Budget("memory", world, ()))
        self._http = Http("memory", base_url, self._gate, StaticToken(token), transport=through)
        self._next: dict[str, str] = {}

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        line = purpose.replace(" ", "-")
        number = self._wire.place(call)
        told = self._next.pop(line, f"/{line}")
        reply = self._http.request(
            "POST", f"{told}/{number}", self.judge(purpose, changes), purpose=purpose, changes=changes
        )
        if line == "read-person":
            self._next[line] = reply.json()["next"]
        return self._wire.results.pop(number)  # type: ignore[return-value]

    def judge(self, purpose: str, changes: bool) -> Callable[[Reply], ConnectorError | None]:
        def verdict(reply: Reply) -> ConnectorError | None:
            match reply.status:
                case 429:
                    return Retry(f"memory: too many requests at {purpose!r}", after=retry_after(reply.headers))
                case 401:
                    return Unauthorized(f"memory: the token was refused at {purpose!r}")
                case 403:
                    return Stop(f"memory: the token has no right to {purpose!r}")
            try:
                whole = reply.status == 200 and reply.json()
            except ValueError:
                whole = False
            if whole:
                return None
            text = f"memory: no good answer to {purpose!r}"
            return InDoubt(text) if changes else Retry(text)

        return verdict

    def requests(self) -> dict[str, int]:
        return dict(self._gate.counts())

    def close(self) -> None:
        self._http.close()


def direct(wire: Wire, base_url: str) -> httpx.BaseTransport:
    """Requests and answers as httpx makes them, without a socket in between."""

    def handle(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        try:
            sent = wire.handle(Request.of(request.method, target, request.headers, request.content, base_url))
        except Broken:
            raise httpx.ReadError("cut") from None
        return httpx.Response(sent.status, headers=dict(sent.headers), content=sent.body)

    return httpx.MockTransport(handle)


@contextmanager
def http_rig(temperament: Temperament, kind: type[OverHttp] = OverHttp, *, socket: bool = True) -> Iterator[Rig]:
    """The memory rig with HTTP in between, over a socket or not."""
    base = memory_rig(temperament)
    system = base.door
    assert isinstance(system, MemorySystem)
    wire = Wire(system, base.world)
    server = Server(wire.handle, base.world) if socket else None
    base_url = server.url if server else "http://memory.example.com"

    def through() -> httpx.BaseTransport:
        # A client of its own making would read all the certificates of the machine first, for a plain socket.
        return httpx.HTTPTransport(verify=False) if server else direct(wire, base_url)

    def connect(token: str = TOKEN) -> Connector:
        return kind(token, base.world, wire, base_url, system, through())

    rig = replace(
        base,
        connector=connect,
        door=wire,
        lines=Lines(read="/read-person", create="/create-person", update="/update-person"),
        faults=frozenset(Fault),
    )
    try:
        yield rig
    finally:
        rig.close()
        if server:
            server.stop()
