"""The JSON Schema accepts whatever loads, and marks what a person most often gets wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import ValidationError, validator_for

from config.located import read
from config.schema import schema
from tests.config.files import Crm, Folder, Sheet, folder

__all__ = ["folder"]

SCHEMA = schema({"crm": Crm, "sheet": Sheet})
VALIDATOR = validator_for(SCHEMA)

LOADS = (
    "timezone:\n",
    "database: postgresql+psycopg://u@h/x\ntimezone: Europe/Oslo\nregion: no\n",
    "systems: {a: {connector: crm, token: t, parallel: 3, fast: true, pool: {size: 2}}}",
    "systems: {a: {connector: crm, token: '${T}', parallel: '${P}', fast: '${F}', writes: '${W}'}}",
    "systems: {a: {connector: crm, token: t, pool: }, b: {connector: sheet, path: x, dates: [a, b], mapping: m}}",
    "systems: {a: {connector: crm, token: t, filters: [{field: stage, op: in, value: [sql, mql]}, {field: email, op: present}]}}",
    "systems: {a: {connector: crm, token: t, filters: [{field: email, op: older_than, value: 90d}]}}",
    "lead: {fields: {shoe_size: integer}}\n",
    "sync: {every: 5m, sweep: 1h30m, fresh: '${F}', first: apply, trust: [a]}\nsystems: {a: {connector: crm, token: t}}",
    "sync: {fields: {phone: {rule: newest, ask_if_unproven: true}, owner: {rule: 'owner: a'}, tags: {rule: {trust: [a]}}}}\nsystems: {a: {connector: crm, token: t}}",
    "sync: {deletions: {a: archive}, consent: {trust: [a], resubscribe: propagate}}\nsystems: {a: {connector: crm, token: t}}",
    "sync: {owners: {ola@example.com: kari@example.com}, limits: {update: {share: 5%}, create: {floor: 3, share: 0.5}}}",
    "sync:\n  limits:\n  fields:\n",
)
ENV = {"T": "t", "P": "7", "F": "true", "W": "none"}


@pytest.mark.parametrize("text", LOADS)
def test_what_loads_is_valid(folder: Folder, text: str) -> None:
    env = {**ENV, "F": "90s"} if "fresh" in text else ENV
    folder.load(text, env)
    VALIDATOR.validate(read(text.encode(), "f").value)


@pytest.mark.parametrize(
    "text",
    [
        "tymezone: Europe/Oslo",
        "systems: {a: {connector: crmm, token: t}}",
        "systems: {a: {token: t}}",
        "systems: {a: {connector: crm}}",
        "systems: {a: {connector: crm, token: t, path: x}}",
        "systems: {a: {connector: crm, token: t, writes: some}}",
        "systems: {a: {connector: crm, token: t, parallel: 99}}",
        "systems: {a: {connector: sheet, path: x, dates: a}}",
        "sync: {every: 5}",
        "sync: {every: soon}",
        "sync: {first: ask}",
        "sync: {fields: {phone: {rule: newst}}}",
        "sync: {limits: {update: {share: 7}}}",
        "funnel: {}",
    ],
)
def test_what_does_not_load_is_marked(folder: Folder, text: str) -> None:
    assert folder.problems(text)
    with pytest.raises(ValidationError):
        VALIDATOR.validate(read(text.encode(), "f").value)


def test_what_is_set_by_nothing_is_told_with_its_default() -> None:
    sync: dict[str, Any] = SCHEMA["$defs"]["SyncSettings"]["properties"]
    assert (sync["every"]["default"], sync["sweep"]["default"]) == ("5m", "24h")
    assert SCHEMA["properties"]["database"]["default"] == "sqlite:///smarketing.db"
    assert sync["every"]["description"] == "How often to look for changes."


def test_the_schema_holds_no_password_and_is_plain_json() -> None:
    text = json.dumps(SCHEMA)
    assert json.loads(text) == SCHEMA
    assert "**********" not in text, "a secret's default is not told, not even covered"


def test_the_schema_leads_nowhere_that_is_not_in_it() -> None:
    def references(part: object) -> list[str]:
        if isinstance(part, list):
            return [each for inside in part for each in references(inside)]
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [each for inside in part.values() for each in references(inside)]
        return []

    found = references(SCHEMA)
    assert found
    assert {each.removeprefix("#/$defs/") for each in found} <= SCHEMA["$defs"].keys()
