"""`smarketing config show`."""

from __future__ import annotations

import pytest

from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]

SECRET = "pat-very-secret-0001"
PASSWORD = "hunter2-and-more"
CONFIGURATION = f"""\
database: postgresql+psycopg://app:{PASSWORD}@db.example.com/leads
systems:
  crm:
    connector: hubspot
    token: "${{TOKEN}}"
    parallel: 2
  sheet: {{connector: spreadsheet, path: leads.csv, writes: none}}
sync:
  every: 90s
  fields: {{owner: {{rule: "owner: crm"}}}}
  trust: [crm]
"""


@pytest.fixture
def configured(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setenv("TOKEN", SECRET)
    typed.write("smarketing.yaml", CONFIGURATION)
    return typed


def test_every_value_in_force_is_shown_with_where_it_comes_from(configured: Typed) -> None:
    told = configured("config", "show")
    assert told.code == 0
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in told.out.splitlines()}
    assert rows["systems.crm.token"] == "******** environment TOKEN"
    assert rows["systems.crm.parallel"] == "2 smarketing.yaml:6:15"
    assert rows["systems.crm.timeout"] == "30.0 default"
    assert rows["sync.every"] == "90s smarketing.yaml:9:10"
    assert rows["sync.fields.owner.rule"] == "owner: crm smarketing.yaml:10:26"
    assert rows["sync.fresh"] == "60s default"
    assert rows["sync.owners"] == "default"
    assert told.err == "read from smarketing.yaml\n"


def test_no_secret_is_shown(configured: Typed) -> None:
    configured("config", "show")
    configured("config", "show", "--json")
    configured("--verbose", "config", "show")
    assert "******** " in configured.printed
    assert SECRET not in configured.printed
    assert PASSWORD not in configured.printed


def test_the_configuration_for_programs(configured: Typed) -> None:
    golden("config-show.json", configured("config", "show", "--json").out, configured)
