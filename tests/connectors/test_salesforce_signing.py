"""Three ways to sign in, against the stand-in over real HTTP: each renews in mid-run, and none tells its secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from connectors.backdoor import Fault, When
from connectors.errors import Stop
from connectors.salesforce import Salesforce
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Server
from tests.connectors.scripted_salesforce import Vault
from tests.worlds import ManualWorld

USER = "sync@example.com"
SECRET = "the-secret-of-the-app"


def pair() -> tuple[str, str]:
    """A private key and its public one, in PEM form."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


KEY, CERTIFICATE = pair()


class Org:
    def __init__(self) -> None:
        self.world = ManualWorld()
        self.door = SalesforceEmulator(
            self.world, client_id="app", client_secret=SECRET, username=USER, password="p", certificate=CERTIFICATE
        )
        self.server = Server(self.door.handle, self.world)
        self._open: list[Salesforce] = []

    def connect(self, **told: Any) -> Salesforce:
        settings = Salesforce.Settings.model_validate({"base_url": self.server.url, "client_id": "app", **told})
        made = Salesforce("crm", settings, self.world, {"Lead": ("Email", "LastName")}, Vault())  # type: ignore[arg-type]
        self._open.append(made)
        return made

    def close(self) -> None:
        for each in self._open:
            each.close()
        self.server.stop()

    def by_jwt(self, **told: Any) -> Salesforce:
        return self.connect(**{"auth": "jwt_bearer", "client_secret": KEY, "username": USER, **told})

    def consent(self) -> str:
        """What a person's yes in a browser brings."""
        back = "https://app.example.com/back"
        said = {"response_type": "code", "client_id": "app", "redirect_uri": back}
        answer = httpx.get(f"{self.server.url}/services/oauth2/authorize", params=said)
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": "app", "client_secret": SECRET}
        told = httpx.post(f"{self.server.url}/services/oauth2/token", data={**form, "code": code, "redirect_uri": back})
        return str(told.json()["refresh_token"])

    def tokens(self) -> int:
        return sum("oauth2/token" in seen.path for seen in self.door.requests())


@pytest.fixture
def org() -> Iterator[Org]:
    made = Org()
    yield made
    made.close()


def signed_in(connector: Salesforce) -> list[str]:
    return [each.text for each in connector.check() if each.level == "error"]


def test_a_signed_assertion_signs_in_and_is_made_anew_when_the_session_ends(org: Org) -> None:
    connector = org.by_jwt()
    assert signed_in(connector) == []
    before = org.tokens()
    org.door.fault(Fault.EXPIRED, When(path="/services/data"))
    assert signed_in(connector) == []
    assert org.tokens() == before + 1


def test_an_old_assertion_is_never_sent_again(org: Org) -> None:
    connector = org.by_jwt()
    signed_in(connector)
    org.world.sleep(9000.0)
    assert signed_in(connector) == [], "the session is over, and so is the first assertion"


def test_a_refresh_token_signs_in_again_and_again(org: Org) -> None:
    connector = org.connect(auth="refresh_token", client_secret=SECRET, refresh_token=org.consent())
    assert signed_in(connector) == []
    org.door.fault(Fault.EXPIRED, When(path="/services/data"))
    assert signed_in(connector) == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"client_secret": pair()[0]}, "the certificate of this key"),
        ({"username": "somebody@example.com"}, "username is approved"),
        ({"audience": "https://elsewhere.example.com"}, "invalid_grant"),
        ({"client_secret": "no key at all"}, "client_secret is no private key"),
        ({"client_id": "another"}, "client_id"),
    ],
)
def test_an_assertion_that_is_refused_says_what_to_check_and_no_secret(
    org: Org, told: dict[str, Any], says: str
) -> None:
    (text,) = signed_in(org.by_jwt(**told))
    assert says in text
    assert "PRIVATE KEY" not in text
    assert "no key at all" not in text


def test_a_revoked_refresh_token_is_told(org: Org) -> None:
    connector = org.connect(auth="refresh_token", client_secret=SECRET, refresh_token="5Aep-of-nobody")
    with pytest.raises(Stop, match="refresh token was not revoked") as caught:
        list(connector.find("Lead", "Email", ["ann@example.com"]))
    assert "5Aep" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"auth": "jwt_bearer", "client_secret": KEY}, "write username"),
        ({"auth": "refresh_token", "client_secret": SECRET}, "write refresh_token"),
        ({"auth": "password", "client_secret": SECRET}, "client_credentials"),
    ],
)
def test_settings_that_do_not_go_together(org: Org, told: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        org.connect(**told)


def test_no_way_shows_its_secret(org: Org) -> None:
    told = {"client_secret": KEY, "refresh_token": "5Aep-secret", "base_url": org.server.url, "client_id": "app"}
    shown = repr(Salesforce.Settings.model_validate(told))
    assert "PRIVATE" not in shown
    assert "5Aep" not in shown
