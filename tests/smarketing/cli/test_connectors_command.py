"""Which connectors there are, told to people and to programs."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from connectors import registry
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]


def test_our_own_are_told_with_what_they_need(typed: Typed) -> None:
    ran = typed("connectors")
    assert ran.code == 0
    assert "mailchimp    smarketing  api_key, list_id" in ran.out
    assert "hubspot      smarketing  token" in ran.out


def test_one_of_another_package_is_told_with_its_package(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("acme", "connectors.memory:Memory", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr("smarketing.cli.commands.connectors.entry_points", lambda group: [point])
    found = {each["name"]: each for each in typed("connectors", "--json").json["connectors"]}
    assert found["acme"]["package"] == "connectors.memory"
    assert found["acme"]["mapping"] is False
    assert found["salesforce"]["mapping"] is True
    assert "base_url" in found["salesforce"]["needs"]
    assert "parallel" in found["mailchimp"]["takes"]
