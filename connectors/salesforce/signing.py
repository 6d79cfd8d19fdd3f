"""How a connected app proves who it is when it asks for a token: a form for each of three ways.

Source: Salesforce docs, OAuth flows. None of them tells how long a token is good for: a refused one is renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.errors import Stop
from connectors.world import MICROSECONDS, World

if TYPE_CHECKING:
    from connectors.salesforce import SalesforceSettings

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIVES = 150
"""Seconds: Salesforce takes assertions that end within three minutes, by its own clock."""

WAYS = {
    "client_credentials": "that the connected app allows the client credentials flow and has a run-as user",
    "refresh_token": "that the refresh token was not revoked and is not too old for the connected app's policy",
    "jwt_bearer": "that the certificate of this key is the connected app's, and that username is approved for it",
}
"""Way → what to check when it is refused."""


def form(system: str, settings: SalesforceSettings, world: World) -> dict[str, str]:
    """What a token request says. Raises Stop where the private key cannot be read."""
    secret = settings.client_secret.get_secret_value()
    match settings.auth:
        case "jwt_bearer":
            return {"grant_type": JWT_BEARER, "assertion": _assertion(system, settings, secret, world)}
        case "refresh_token":
            return {
                "grant_type": "refresh_token",
                "client_id": settings.client_id,
                "client_secret": secret,
                "refresh_token": settings.refresh_token.get_secret_value(),
            }
        case "client_credentials":
            return {"grant_type": "client_credentials", "client_id": settings.client_id, "client_secret": secret}


def _assertion(system: str, settings: SalesforceSettings, key: str, world: World) -> str:
    """Signed with RS256: who we are, as whom we act, and for how long this holds."""
    import jwt

    ends = world.now() // MICROSECONDS + LIVES
    claims = {"iss": settings.client_id, "sub": settings.username, "aud": settings.audience, "exp": ends}
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise Stop(
            f"{system}: client_secret is no private key; with auth jwt_bearer it is one in PEM form, without a "
            "password: write file:PATH",
            code="SM307",
        ) from None
