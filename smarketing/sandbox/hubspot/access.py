"""Who may call: the private app's token, OAuth tokens that a refresh token buys, and the scopes of both.

Source: specs oauth-v1, oauth-v3, oauth-2026-09; HubSpot docs, OAuth guide. An access token lives half an hour.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.hubspot.refusals import (
    PORTAL_ID,
    Refusal,
    bad_request,
    expired,
    missing_scopes,
    not_found,
    reply,
    unauthenticated,
)
from smarketing.sandbox.hubspot.sources import APP_ID, USER_ID
from smarketing.sandbox.hubspot.times import Clock

LIFETIME = 1800
USER = "admin@example.com"
SCOPES = frozenset(
    {
        "communication_preferences.read",
        "communication_preferences.read_write",
        "communication_preferences.statuses.batch.read",
        "communication_preferences.statuses.batch.write",
        "communication_preferences.write",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.owners.read",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "oauth",
    }
)


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth app that is installed in the account."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls. `metered`: a private app, whose day has a limit."""

    metered: bool


class Access:
    def __init__(self, clock: Clock, token: str, app: App | None, scopes: Iterable[str]) -> None:
        self._clock = clock
        self._token = token
        self._app = app
        self._scopes = frozenset(scopes)
        self._until: dict[str, int] = {}

    def admit(self, request: Request) -> Session:
        """Raises Refusal."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated()
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return Session(metered=True)
        until = self._until.get(given)
        if until is None:
            raise unauthenticated()
        if until <= self._clock.now():
            raise expired()
        return Session(metered=False)

    def need(self, *any_of: str) -> None:
        """One of these scopes must have been granted. Raises Refusal."""
        if not self._scopes.intersection(any_of):
            raise missing_scopes(any_of)

    # --- the token endpoints -----------------------------------------------------------------------------------------

    def issue(self, request: Request, version: str) -> Reply:
        form = _form(request)
        grant = form.get("grant_type")
        if grant not in ("refresh_token", "authorization_code", "client_credentials"):
            raise _bad_token_request("BAD_GRANT_TYPE", "missing or unknown grant type")
        app = self._client(form)
        if grant == "authorization_code":
            raise _bad_token_request("BAD_AUTH_CODE", "missing or unknown auth code")
        if grant == "client_credentials":
            raise _bad_token_request("BAD_GRANT_TYPE", "this app has no client credentials grant")
        if not hmac.compare_digest(form.get("refresh_token", "").encode(), app.refresh_token.encode()):
            raise _bad_token_request("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        issued = f"oauth-{PORTAL_ID}-{len(self._until) + 1}"
        self._until[issued] = self._clock.now() + LIFETIME * 1000
        content: dict[str, Any] = {
            "token_type": "bearer",
            "refresh_token": app.refresh_token,
            "access_token": issued,
            "expires_in": LIFETIME,
            "token_use": "access_token",
        }
        if version != "v1":
            content |= {"hub_id": PORTAL_ID, "user_id": USER_ID, "scopes": sorted(self._scopes)}
        return reply(content)

    def describe(self, token: str) -> Reply:
        """GET /oauth/v1/access-tokens/{token}."""
        until = self._until.get(token)
        if until is None or until <= self._clock.now():
            raise not_found()
        return reply(self._about(token) | {"token_type": "access", "expires_in": self._left(until)})

    def describe_refresh(self, token: str) -> Reply:
        """GET /oauth/v1/refresh-tokens/{token}."""
        if self._app is None or token != self._app.refresh_token:
            raise not_found()
        about = self._about(token) | {"token_type": "refresh", "client_id": self._app.client_id}
        return reply({name: value for name, value in about.items() if name != "app_id"})

    def _client(self, form: dict[str, str]) -> App:
        if self._app is None or form.get("client_id") != self._app.client_id:
            raise _bad_token_request("BAD_CLIENT_ID", "missing or unknown client id")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self._app.client_secret.encode()):
            raise _bad_token_request("BAD_CLIENT_SECRET", "missing or invalid client secret")
        return self._app

    def _about(self, token: str) -> dict[str, Any]:
        return {
            "token": token,
            "user": USER,
            "hub_domain": "sandbox.example.com",
            "hub_id": PORTAL_ID,
            "app_id": APP_ID,
            "user_id": USER_ID,
            "scopes": sorted(self._scopes),
        }

    def _left(self, until: int) -> int:
        return max(0, (until - self._clock.now()) // 1000)


def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/x-www-form-urlencoded"):
        raise bad_request("The Content-Type of the body must be application/x-www-form-urlencoded.")
    return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}


def _bad_token_request(status: str, message: str) -> Refusal:
    # Here "status" is the code itself, not "error".
    return Refusal(400, "VALIDATION_ERROR", message, more={"status": status})
