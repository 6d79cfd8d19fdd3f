"""What becomes of a request that nobody answers: told with the address and what happened, and tried again in reason."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from connectors.errors import InDoubt, Retry
from connectors.http import ATTEMPTS, Gate, Http, Reply
from connectors.rates import Budget
from tests.worlds import ManualWorld


def fine(reply: Reply) -> None:
    return None


class Way:
    """A client of one address, with time that passes when told."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.world = ManualWorld()
        self.gate = Gate("crm", self.world, Budget("crm", self.world, ()))
        self.http = Http("crm", url, self.gate, None, timeout=0.2, transport=transport)

    def read(self) -> Reply:
        return self.http.request("GET", "/people", fine, purpose="read people")

    def write(self) -> Reply:
        return self.http.request("POST", "/people", fine, purpose="write people", changes=True)

    @property
    def attempts(self) -> int:
        return sum(self.gate.counts().values())


@pytest.fixture
def closed() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes everything and answers nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_address_where_nobody_listens_is_told_at_once_with_what_to_do(closed: str) -> None:
    way = Way(closed)
    with pytest.raises(Retry) as caught:
        way.read()
    where = closed.removeprefix("http://")
    assert str(caught.value) == (
        f"crm: no answer to 'read people': {where} refuses connections; check base_url, and whether something on the "
        "way, a proxy or firewall, keeps this machine from it"
    )
    assert (caught.value.code, way.attempts, way.world.monotonic()) == ("SM301", 1, 0)


def test_an_address_that_has_answered_before_is_tried_again_when_it_refuses() -> None:
    answers = iter([httpx.Response(200)])

    def carry(request: httpx.Request) -> httpx.Response:
        found = next(answers, None)
        if found is None:
            raise httpx.ConnectError("no") from ConnectionRefusedError()
        return found

    way = Way("http://127.0.0.1:1", httpx.MockTransport(carry))
    way.read()
    with pytest.raises(Retry, match="refuses connections"):
        way.read()
    assert way.attempts == 1 + ATTEMPTS


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "is a name that could not be looked up"),
        (OSError(101, "Network is unreachable"), "cannot be reached"),
        (TimeoutError(), "did not answer in time"),
    ],
)
def test_what_may_pass_is_tried_again_and_told_in_plain_words(cause: OSError, told: str) -> None:
    def carry(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no") from cause

    way = Way("https://api.example.com", httpx.MockTransport(carry))
    with pytest.raises(Retry, match=f"'read people': api.example.com:443 {told}; check base_url"):
        way.read()
    assert way.attempts == ATTEMPTS


def test_a_write_that_is_not_answered_is_in_doubt_and_not_sent_again(silent: str) -> None:
    way = Way(silent)
    with pytest.raises(InDoubt, match=r"'write people': 127\.0\.0\.1:\d+ did not answer in time$"):
        way.write()
    assert way.attempts == 1
