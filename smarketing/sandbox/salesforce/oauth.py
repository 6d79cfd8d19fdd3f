"""Who may come in: the token endpoint with five grants, revoking, introspection, userinfo; and the sessions they open.

A token tells no lifetime: it ends a time after its last use, which only a 401 INVALID_SESSION_ID shows. Client
credentials and a password bring no refresh token, an authorization code does. (Salesforce docs: OAuth flows; Postman
collection, group auth.)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from connectors.world import MICROSECONDS
from smarketing.sandbox.emulator import OTHER_HOST, Misbehaviour, Reply, Request
from smarketing.sandbox.salesforce.errors import ApiError
from smarketing.sandbox.salesforce.org import Org

_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_LONGEST = 180
"""Seconds that an assertion may hold."""
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class _No(Exception):
    """An OAuth error: an object, not REST's array."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(code)
        self.reply = Reply.of(status, {"error": code, "error_description": description})


@dataclass(slots=True)
class _Session:
    ends: int


class OAuth:
    def __init__(self, org: Org, misbehaviour: Misbehaviour) -> None:
        self._org = org
        self._misbehaviour = misbehaviour
        self._sessions: dict[str, _Session] = {}
        self._refreshes: dict[str, list[str]] = {}
        """refresh token → the access tokens it brought"""
        self._codes: dict[str, str] = {}
        """authorization code → the address it was sent to"""
        self._made = 0

    def admit(self, headers: Mapping[str, str]) -> None:
        """Raises ApiError unless the request carries a live session. Using a session keeps it alive."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() not in ("bearer", "oauth") or not token:
            raise ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        session = self._live(token.strip())
        if session is None:
            raise expired()
        session.ends = self._org.now() + self._lifetime

    def answer(self, request: Request) -> Reply:
        """Everything below /services/oauth2, and the identity page."""
        said = {name: values[0] for name, values in request.query.items()}
        said |= {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        try:
            match request.method, request.path.rstrip("/").removeprefix("/services/oauth2/"):
                case "POST", "token":
                    return self._token(request, said)
                case (("POST" | "GET"), "revoke"):
                    return self._revoke(said.get("token", ""))
                case "POST", "introspect":
                    return self._introspect(request, said)
                case (("POST" | "GET"), "userinfo"):
                    return self._userinfo(request)
                case "GET", "authorize":
                    return self._authorize(said)
                case "GET", path if path.startswith("/id/"):
                    return self._userinfo(request)
        except _No as no:
            return no.reply
        return Reply.of(404, {"error": "not_found", "error_description": "no such endpoint"})

    @property
    def _lifetime(self) -> int:
        return self._org.options.session_seconds * MICROSECONDS

    def _live(self, token: str) -> _Session | None:
        session = self._sessions.get(token)
        return session if session and self._org.now() < session.ends else None

    def _token(self, request: Request, said: Mapping[str, str]) -> Reply:
        grant = said.get("grant_type", "")
        if grant == _JWT:
            self._check_assertion(request, said.get("assertion", ""))
            return self._granted(request, "api")
        if grant not in ("client_credentials", "password", "refresh_token", "authorization_code"):
            raise _No("unsupported_grant_type", "grant type not supported")
        self._check_client(request, said)
        match grant:
            case "client_credentials":
                return self._granted(request, "api")
            case "password":
                options = self._org.options
                # a security token may follow the password
                right = said.get("password", "").startswith(options.password) and bool(options.password)
                if said.get("username") != options.username or not right:
                    raise _No("invalid_grant", "authentication failure")
                return self._granted(request, "id api")
            case "refresh_token":
                refresh = said.get("refresh_token", "")
                if refresh not in self._refreshes:
                    raise _No("invalid_grant", "expired access/refresh token")
                return self._granted(request, "refresh_token api", refresh=refresh)
            case _:
                redirect = self._codes.pop(said.get("code", ""), None)
                if redirect is None or redirect != said.get("redirect_uri"):
                    raise _No("invalid_grant", "expired authorization code")
                refresh = self._make("5Aep")
                self._refreshes[refresh] = []
                return self._granted(request, "refresh_token api", refresh=refresh, told={"refresh_token": refresh})

    def _check_assertion(self, request: Request, assertion: str) -> None:
        """Of the app, for its approved user, to us, and for three minutes at most (docs: JWT bearer flow)."""
        import jwt

        options = self._org.options
        if not options.certificate:
            raise _No("invalid_grant", "user hasn't approved this consumer")
        try:
            # The clock is the org's own, so the times are looked at here.
            told = jwt.decode(
                assertion,
                options.certificate,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "require": ["iss", "sub", "aud", "exp"]},
            )
        except jwt.PyJWTError:
            raise _No("invalid_grant", "invalid assertion") from None
        if told["iss"] != options.client_id:
            raise _No("invalid_client_id", "client identifier invalid")
        if told["aud"] not in (*_AUDIENCES, request.base_url):
            raise _No("invalid_grant", "audience is invalid")
        if not 0 < int(told["exp"]) - self._org.now() // MICROSECONDS <= _LONGEST:
            raise _No("invalid_grant", "expired authorization code")
        if told["sub"] != options.username:
            raise _No("invalid_grant", "user hasn't approved this consumer")

    def _check_client(self, request: Request, said: Mapping[str, str]) -> None:
        id, secret = said.get("client_id", ""), said.get("client_secret", "")
        kind, _, basic = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                id, _, secret = base64.b64decode(basic).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise _No("invalid_client", "invalid client credentials") from None
        if id != self._org.options.client_id:
            raise _No("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), self._org.options.client_secret.encode()):
            raise _No("invalid_client", "invalid client credentials")

    def _granted(
        self, request: Request, scope: str, *, refresh: str = "", told: Mapping[str, str] | None = None
    ) -> Reply:
        token = self._make(f"{self._org.id[:15]}!AQ")
        self._sessions[token] = _Session(self._org.now() + self._lifetime)
        if refresh:
            self._refreshes[refresh].append(token)
        issued = str(self._org.now() // 1000)
        identity = f"{request.base_url}/id/{self._org.id}/{self._org.users.us}"
        signed = hmac.new(self._org.options.client_secret.encode(), (identity + issued).encode(), hashlib.sha256)
        content = {
            "access_token": token,
            "signature": base64.b64encode(signed.digest()).decode(),
            "scope": scope,
            "instance_url": OTHER_HOST if self._misbehaviour.foreign_link else request.base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
            **(told or {}),
        }
        return Reply.of(200, content, {"Cache-Control": "no-store"})

    def _revoke(self, token: str) -> Reply:
        """An access token ends alone, a refresh token with all that it brought."""
        if token not in self._sessions and token not in self._refreshes:
            raise _No("invalid_token", "token not found")
        for each in [token, *self._refreshes.pop(token, [])]:
            self._sessions.pop(each, None)
        return Reply(200)

    def _introspect(self, request: Request, said: Mapping[str, str]) -> Reply:
        self._check_client(request, said)
        session = self._live(said.get("token", ""))
        if session is None:
            return Reply.of(200, {"active": False})
        content = {
            "active": True,
            "client_id": self._org.options.client_id,
            "exp": session.ends // MICROSECONDS,
            "scope": "api",
            "token_type": "access_token",
            "username": self._org.options.username,
        }
        return Reply.of(200, content)

    def _userinfo(self, request: Request) -> Reply:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or self._live(token) is None:
            return Reply(403, {"Content-Type": "text/plain"}, b"Bad_OAuth_Token")
        user = self._org.store.tables["User"].rows[self._org.users.us]
        content: dict[str, Any] = {
            "sub": f"{request.base_url}/id/{self._org.id}/{user['Id']}",
            "id": f"{request.base_url}/id/{self._org.id}/{user['Id']}",
            "user_id": user["Id"],
            "organization_id": self._org.id,
            "preferred_username": user["Username"],
            "username": user["Username"],
            "name": user["Name"],
            "display_name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "active": user["IsActive"],
            "user_type": "STANDARD",
            "urls": {"rest": f"{request.base_url}/services/data/v{{version}}/"},
        }
        return Reply.of(200, content)

    def _authorize(self, said: Mapping[str, str]) -> Reply:
        """The person at the browser says yes."""
        if said.get("client_id") != self._org.options.client_id:
            raise _No("invalid_client_id", "client identifier invalid")
        if said.get("response_type") != "code" or "redirect_uri" not in said:
            raise _No("unsupported_response_type", "response type not supported")
        code = self._make("aPrx")
        self._codes[code] = said["redirect_uri"]
        told = {"code": code} | ({"state": said["state"]} if "state" in said else {})
        return Reply(302, {"Location": f"{said['redirect_uri']}?{urlencode(told)}"})

    def _make(self, prefix: str) -> str:
        """A fresh token: hard to guess without the secret, the same in every replay."""
        self._made += 1
        digest = hmac.new(self._org.options.client_secret.encode(), f"{prefix}{self._made}".encode(), hashlib.sha256)
        return prefix + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=").replace("-", ".")


def expired() -> ApiError:
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
