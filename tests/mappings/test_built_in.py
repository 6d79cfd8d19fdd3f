"""The mapping files that come with the product: their own examples, and the accounts they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from connectors import registry
from connectors.base import Connector, Schema
from connectors.hubspot import HubSpot, HubSpotSettings
from connectors.salesforce import Salesforce
from mappings import built_in
from mappings.lead import LeadShape
from mappings.lint import compare, lint
from mappings.mapping import LeadMapping, compile_mapping
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Server
from tests.connectors.scripted_salesforce import Vault, serve, unverified
from tests.mappings.files import built_in_content, built_in_file, located, where
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

SHAPE = LeadShape()
CRM = ("hubspot", "salesforce")


def mapping(connector: str) -> LeadMapping:
    return compile_mapping(built_in_content(connector), SHAPE)


def test_every_connector_has_a_mapping_and_every_mapping_a_connector() -> None:
    assert built_in.names() == sorted(registry.BUILT_IN)
    assert built_in.content("fax") is None


@pytest.mark.parametrize("connector", built_in.names())
def test_a_built_in_mapping_holds_its_own_examples(connector: str) -> None:
    file = built_in_file(connector)
    assert [each for each in lint(file.value, where(file), SHAPE) if each.level != "advice"] == []
    assert file.value["connector"] == connector


@pytest.mark.parametrize("connector", built_in.names())
def test_every_line_of_a_built_in_mapping_is_shown_by_an_example(connector: str) -> None:
    shown: set[str] = set()
    for each in _map(built_in_content(connector)["objects"]).values():
        for example in each["examples"]:
            shown |= {*_map(example.get("native")), *_map(example.get("written"))}
    for each in mapping(connector).objects.values():
        assert {native for rule in each.rules for native in rule.remote} <= shown


def _map(found: Any) -> dict[str, Any]:
    return found or {}


@pytest.mark.parametrize("connector", built_in.names())
def test_an_address_is_known_by_a_slot_and_consent_by_a_cell(connector: str) -> None:
    for each in mapping(connector).objects.values():
        assert each.slots == {"email"}
        assert "consent.email" in each.outgoing & each.incoming


def test_a_contact_speaks_for_a_person_who_is_a_lead_too() -> None:
    assert [*mapping("salesforce").objects] == ["Contact", "Lead"]


def test_an_empty_cell_of_a_sheet_says_nothing() -> None:
    row = mapping("spreadsheet").objects["row"]
    assert row.silent == row.groups.keys()


@pytest.mark.parametrize("connector", CRM)
def test_an_empty_field_of_a_crm_was_emptied(connector: str) -> None:
    silent = {(name, group) for name, each in mapping(connector).objects.items() for group in each.silent}
    # A converted lead's status is Salesforce's own word, and empties nothing elsewhere.
    assert silent == ({("Lead", "lead_status")} if connector == "salesforce" else set())


@pytest.mark.parametrize("connector", built_in.names())
def test_no_line_counts_on_a_default_that_a_reader_must_look_up(connector: str) -> None:
    """The shortest way that says the same: a line that could be `field: name` is."""
    for each in _map(built_in_content(connector)["objects"]).values():
        for key, line in each["fields"].items():
            assert not (isinstance(line, dict) and line.keys() == {"remote"} and isinstance(line["remote"], str)), key


# --- what stands in the comments is meant to be copied ---------------------------------------------------------


def commented(connector: str) -> str:
    """The example in a file's comment."""
    lines = (built_in.content(connector) or b"").decode().split("\nconnector:", 1)[0].splitlines()
    body = [line[1:] for line in lines if re.match(r"#(   |$)", line)]
    return "\n".join(line[3:] if line.startswith("   ") else line for line in body)


@pytest.mark.parametrize("connector", [*CRM, "spreadsheet"])
def test_the_example_in_the_comment_works_as_it_stands(connector: str) -> None:
    own = located(commented(connector), "comment.yaml")
    found = lint(own.value, where(own), SHAPE, built_in=built_in_content(connector))
    assert [each for each in found if each.level != "advice"] == []


def test_a_sheet_with_norwegian_headings_is_read() -> None:
    own = located(commented("spreadsheet"))
    row = compile_mapping(own.value, SHAPE).objects["row"]
    told = row.read(
        {
            "Navn": "Ødegård, Åse",
            "E-post": "Aase@Example.com",
            "Mobil": "912 34 567",
            "Orgnr": "923 609 016",
            "Postnr": "150",
            "Land": "Norge",
            "Stikkord": "messe, nyhetsbrev",
            "Nyhetsbrev": "reservert",
        }
    )
    assert told == {
        "name": {"first_name": "Åse", "last_name": "Ødegård"},
        "email": "aase@example.com",
        "mobile": "+4791234567",
        "company": {"organisation_number": "923609016"},
        "address": {"postcode": "0150", "country": "NO"},
        "tags": ["messe", "nyhetsbrev"],
        "consent.email": "out",
    }
    assert row.write("address", {"country": "SE", "postcode": "0150"})["Land"] == "Sverige"
    assert row.write("consent.email", "out") == {"Nyhetsbrev": "Nei"}


# --- against accounts as they come -----------------------------------------------------------------------------


def schemas(connector: Connector, objects: Iterable[str]) -> dict[str, Schema]:
    try:
        return {object: connector.schema(object) for object in objects}
    finally:
        connector.close()


def hubspot() -> dict[str, Schema]:
    world = ManualWorld()
    server = Server(HubSpotEmulator(world, token="pat-0001").handle, world)
    settings = HubSpotSettings.model_validate({"base_url": server.url, "token": "pat-0001"})
    try:
        return schemas(HubSpot("crm", settings, world, mapping("hubspot").names(), NoSecrets()), ["contact"])
    finally:
        server.stop()


def salesforce() -> dict[str, Schema]:
    world = ManualWorld()
    org = SalesforceEmulator(
        world, client_id="app", client_secret="s3cr3t", username="sync@example.com", password="p", key_field=True
    )
    told = {"base_url": serve(org.handle), "client_id": "app", "client_secret": "s3cr3t"}
    connector = Salesforce(
        "crm",
        Salesforce.Settings.model_validate(told),
        world,
        mapping("salesforce").names(),
        Vault(),
        transport=unverified(),
    )
    return schemas(connector, ["Contact", "Lead"])


LIVE = {"hubspot": hubspot, "salesforce": salesforce}
KNOWN = {"hubspot": ['"lifecyclestage" has options that the mapping does not name: other'], "salesforce": []}
"""What a new account is told. "other" has no rank among the stages: only a person can say where it belongs."""


@pytest.mark.parametrize("connector", LIVE)
def test_an_account_as_it_comes_has_all_that_the_mapping_expects(connector: str) -> None:
    live = LIVE[connector]()
    told = [each for name, schema in live.items() for each in compare(mapping(connector).objects[name], schema)]
    told = [each for each in told if each.level != "advice"]
    assert [each.text.split(": ", 1)[1] for each in told] == KNOWN[connector]


@pytest.mark.parametrize("connector", LIVE)
def test_an_account_that_lacks_fields_is_told_which(connector: str) -> None:
    for name, schema in LIVE[connector]().items():
        compiled = mapping(connector).objects[name]
        lost = compiled.rules[3].remote[0]
        rest = Schema(name, tuple(each for each in schema.fields if each.name != lost))
        assert any(f'there is no field "{lost}"' in each.text for each in compare(compiled, rest))
