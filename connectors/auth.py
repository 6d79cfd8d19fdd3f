"""How a request proves who it comes from: a static token, or OAuth 2 tokens that are renewed in mid-run.

A token is renewed once however many requests find it expired at the same time. Rotating secrets go through the
`Secrets` port, so that a renewed one outlives the process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from connectors.errors import Stop
from connectors.world import World


class Secrets(Protocol):
    """Where tokens that change by themselves are kept, sealed."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, value: str) -> None: ...


class StaticToken:
    """A bearer token that a person rotates."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def __repr__(self) -> str:
        return "StaticToken(…)"


class RenewedToken:
    """A bearer token that `renew` fetches, cached in the secrets port under `name`.

    `renew` makes the token request and answers the new token; it raises Stop when the credentials are refused.
    """

    def __init__(self, name: str, renew: Callable[[], str], secrets: Secrets, world: World) -> None:
        self._name = name
        self._renew = renew
        self._secrets = secrets
        self._lock = world.lock()
        self._token = secrets.get(name)

    def token(self) -> str:
        """The token to use now; fetched when there is none."""
        with self._lock:
            if self._token is None:
                self._fetch()
            return self._current()

    def refused(self, token: str) -> str:
        """The vendor refused this token: answer a fresh one. Several units that were refused together make one
        token request."""
        with self._lock:
            if self._token == token or self._token is None:
                self._fetch()
            return self._current()

    def _fetch(self) -> None:
        self._token = self._renew()
        self._secrets.put(self._name, self._token)

    def _current(self) -> str:
        if self._token is None:
            raise Stop(f"no token for {self._name!r}")
        return self._token

    def __repr__(self) -> str:
        return f"RenewedToken({self._name!r}, …)"
