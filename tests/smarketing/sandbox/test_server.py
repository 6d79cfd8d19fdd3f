"""The servers around the emulators."""

from __future__ import annotations

import threading
import time
import urllib.request
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

import httpx

from connectors.world import MICROSECONDS
from smarketing.sandbox.backdoor import RemoteBackdoor
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.server import Sandbox, Server
from smarketing.world import RealWorld
from tests.worlds import ManualWorld


def test_people_at_the_screens_and_requests_take_turns() -> None:
    """The state machines know nothing of threads."""

    class Slow:
        name = "slow"
        inside = 0
        most = 0

        def _visit(self) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            time.sleep(0.02)
            self.inside -= 1

        def handle(self, request: Any) -> Reply:
            self._visit()
            return Reply.of(200, {})

        def records(self) -> list[Any]:
            self._visit()
            return []

        def credentials(self, base_url: str) -> dict[str, str]:
            return {"base_url": base_url}

    slow: Any = Slow()
    with Sandbox({"slow": slow}, RealWorld(), "t") as sandbox:
        line = sandbox.line()
        door = RemoteBackdoor("slow", **line["control"])

        def ask() -> None:
            for _ in range(5):
                urllib.request.urlopen(line["slow"]["base_url"]).close()

        asking = threading.Thread(target=ask)
        asking.start()
        for _ in range(5):
            door.records()
        asking.join()
        door.close()
    assert slow.most == 1


def test_answers_carry_the_time_by_which_records_are_stamped() -> None:
    """A connector corrects its clock by it: another clock's time would have it read everything again, or too little."""
    world = ManualWorld()
    plain: Any = SimpleNamespace(
        handle=lambda request: Reply.of(200, {}), credentials=lambda base_url: {"base_url": base_url}
    )
    with Sandbox({"plain": plain}, world, "t") as sandbox:
        url = sandbox.line()["plain"]["base_url"]
        for passed in (0, 86_400):
            world.sleep(passed)
            with urllib.request.urlopen(url) as answer:
                told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
            assert told == world.now() // MICROSECONDS


def test_a_body_that_comes_in_chunks_is_read_whole_and_the_next_request_is_its_own() -> None:
    heard: list[bytes] = []

    def answer(request: Request) -> Reply:
        heard.append(request.body)
        return Reply.of(200, {})

    server = Server(answer, ManualWorld())
    try:
        with httpx.Client() as client:
            client.post(server.url, content=iter([b"grant_type=", b"client_credentials"]))
            client.post(server.url, content=iter([]))
            client.post(server.url, content=b"known")
    finally:
        server.stop()
    assert heard == [b"grant_type=client_credentials", b"", b"known"]
