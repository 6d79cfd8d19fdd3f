"""Emulators on loopback: one HTTP server each, and one for the backdoors.

The servers carry bytes; what is answered is decided by the emulators' state machines, one request at a time. A sheet is
a file and needs no server; it has its backdoor beside the others.
"""

from __future__ import annotations

import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING

from connectors.backdoor import Backdoor, Fault, When
from connectors.base import Ref
from connectors.world import MICROSECONDS, World
from smarketing.sandbox.emulator import Broken, Crowded, Emulator, Reply, Request

if TYPE_CHECKING:
    from smarketing.sandbox.sheet import SheetDoor

HOST = "127.0.0.1"


class Server:
    """A running HTTP server on a port of its own. `answer` is never called by two threads at once. `limit`: so many
    requests under way at once, and what the next one is told."""

    def __init__(
        self,
        answer: Callable[[Request], Reply],
        world: World,
        port: int = 0,
        *,
        limit: tuple[int, Callable[[], Reply]] | None = None,
    ) -> None:
        lock = threading.Lock()
        outer = self
        free = threading.Semaphore(limit[0]) if limit else None

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _serve(self) -> None:
                body = self._body()
                request = Request.of(self.command, self.path, dict(self.headers.items()), body, outer.url)
                if limit is None or free is None:
                    self._answer(request)
                elif free.acquire(blocking=False):
                    try:
                        self._answer(request)
                    finally:
                        free.release()
                else:
                    self._say(limit[1]())

            def _body(self) -> bytes:
                """Of a known length, or in chunks, as programs send it that write while they go."""
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = []
                while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    """Trailers are of no use to us."""
                return b"".join(parts)

            def _answer(self, request: Request) -> None:
                try:
                    with lock:
                        reply = answer(request)
                except Broken:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if reply.delay:
                    world.sleep(reply.delay)
                self._say(reply)

            def _say(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

            def date_time_string(self, timestamp: float | None = None) -> str:
                """By the clock that the emulator stamps its records with."""
                return super().date_time_string(world.now() / MICROSECONDS if timestamp is None else timestamp)

            def log_message(self, format: str, *args: object) -> None:
                """The emulators keep their own log."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hung up is no error of ours; a broken state machine is."""
                import sys

                if not isinstance(sys.exc_info()[1], OSError):
                    super().handle_error(request, client_address)  # type: ignore[arg-type]

        self._http = Quiet((HOST, port), Handler)
        self.url = f"http://{HOST}:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Sandbox:
    """Several emulators served together, with their backdoors at one control address. `sheets`: files that stand beside
    them."""

    def __init__(
        self,
        emulators: Mapping[str, Emulator],
        world: World,
        token: str,
        *,
        sheets: Mapping[str, SheetDoor] | None = None,
    ) -> None:
        self._emulators = dict(emulators)
        self._sheets = dict(sheets or {})
        self._token = token
        # A person at the screens and a request are not served at once: the state machines know nothing of threads.
        self._locks = {name: threading.Lock() for name in (*self._emulators, *self._sheets)}
        self._servers = {
            name: Server(self._alone(name, each.handle), world, limit=_limit(each))
            for name, each in self._emulators.items()
        }
        self._control = Server(self._answer, world)

    def line(self) -> dict[str, dict[str, str]]:
        """What `smarketing sandbox` prints when it is ready: each system's credentials, and the control's."""
        told = {name: each.credentials(self._servers[name].url) for name, each in self._emulators.items()}
        files = {name: {"path": str(each.path)} for name, each in self._sheets.items()}
        return {**told, **files, "control": {"url": self._control.url, "token": self._token}}

    @property
    def doors(self) -> Mapping[str, Backdoor]:
        """The hidden door of each system."""
        return {**self._emulators, **self._sheets}

    def _alone(self, name: str, handle: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
        def handled(request: Request) -> Reply:
            with self._locks[name]:
                return handle(request)

        return handled

    def stop(self) -> None:
        for server in [*self._servers.values(), self._control]:
            server.stop()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Reply:
        """POST /{system}/{verb} with the verb's arguments as a JSON object."""
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {self._token}"):
            return Reply.of(401, {"error": "the control token is missing or wrong"})
        _, system, verb = [*request.path.split("/"), "", ""][:3]
        doors = self.doors
        if system not in doors:
            return Reply.of(404, {"error": f"no system {system!r}", "systems": sorted(doors)})
        try:
            if system in self._sheets and verb == "fault":
                raise ValueError("a file goes wrong only for who opens it through its door; not from here")
            with self._locks[system]:
                return Reply.of(200, operate(doors[system], verb, json.loads(request.body or b"{}")))
        except (KeyError, TypeError, ValueError) as error:
            return Reply.of(400, {"error": f"{type(error).__name__}: {error}"})


def _limit(emulator: Emulator) -> tuple[int, Callable[[], Reply]] | None:
    return (emulator.at_once, emulator.crowded) if isinstance(emulator, Crowded) else None


def operate(door: Backdoor, verb: str, said: dict[str, object]) -> object:
    """Carry out one call of a backdoor that came as JSON. Raises KeyError, TypeError or ValueError for a bad one."""

    def text(name: str) -> str:
        value = said[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} must be text")
        return value

    def ref(name: str) -> Ref:
        object_, _, id_ = text(name).partition(":")
        return Ref(object_, id_)

    match verb:
        case "put":
            return {"ref": str(door.put(text("object"), said["fields"]))}  # type: ignore[arg-type]
        case "edit":
            door.edit(ref("ref"), said["fields"], str(said.get("as", "person")))  # type: ignore[arg-type]
        case "remove":
            door.remove(ref("ref"))
        case "merge":
            return {"ref": str(door.merge(ref("winner"), ref("loser")))}
        case "opt_out":
            door.opt_out(text("address"), str(said.get("channel", "email")))
        case "confirm":
            door.confirm(text("address"), str(said.get("channel", "email")))
        case "fault":
            when = said.get("when") or {}
            if not isinstance(when, dict):
                raise TypeError("when must be an object")
            door.fault(Fault(text("kind")), When(**when))
        case "requests":
            return {"requests": [asdict(each) for each in door.requests()]}
        case "records":
            return {
                "records": [
                    {**asdict(each), "ref": str(each.ref), "merged_into": each.merged_into and str(each.merged_into)}
                    for each in door.records()
                ]
            }
        case _:
            raise ValueError(f"no verb {verb!r}")
    return {}
