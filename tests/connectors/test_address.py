"""Where an API may be: nowhere that somebody on the way could read our credentials."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from connectors import registry
from connectors.address import BaseUrl


class Settings(BaseModel):
    base_url: BaseUrl


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com",
        "https://api.example.com:8443/v1",
        "http://127.0.0.1:8080",
        "http://127.8.0.1",
        "http://localhost:8080",
        "http://[::1]:8080",
    ],
)
def test_an_address_that_keeps_credentials_private_is_taken_without_its_last_slash(address: str) -> None:
    assert Settings(base_url=address).base_url == Settings(base_url=f"{address}/").base_url == address


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("http://api.example.com", "write https://, since credentials are sent to it"),
        ("http://127.0.0.1.example.com", "write https://, since credentials are sent to it"),
        ("http://0.0.0.0:8080", "write https://, since credentials are sent to it"),
        ("api.example.com", "begins with https://"),
        ("ftp://api.example.com", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://api.example.com:99999", "begins with https://"),
        ("https://api. example.com", "begins with https://"),
        ("https://me:topsecret@api.example.com", "holds no user and no password"),
        ("https://me@api.example.com", "holds no user and no password"),
        ("http://127.0.0.1@api.example.com", "holds no user and no password"),
        ("https://api.example.com?key=1", "leave out what stands behind them"),
    ],
)
def test_any_other_address_is_refused_with_what_is_allowed(address: str, allowed: str) -> None:
    with pytest.raises(ValidationError, match=allowed):
        Settings(base_url=address)


def test_every_connector_that_takes_an_address_takes_such_a_one() -> None:
    told = {name: registry.load(name).Settings.model_fields.get("base_url") for name in registry.names()}
    taken = {name: field for name, field in told.items() if field is not None}
    assert {"hubspot", "salesforce"} <= taken.keys()
    kinds = Settings.model_fields["base_url"].metadata
    assert [name for name, field in taken.items() if field.metadata != kinds] == []
