"""A HubSpot account as it is set up: schema, check, our key; and what its words mean."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Finding, Option, SchemaField, Write, WriteKind
from connectors.errors import Retry, Stop
from connectors.http import Unauthorized
from connectors.hubspot.native import micros, seconds, sent, told
from connectors.hubspot.refusals import harmless, refusal, rows_of, taken_by
from smarketing.sandbox.emulator import Reply
from tests.connectors.scripted_hubspot import OBJECTS, PREFERENCES, Scripted, batch, listing, row, trouble

CONTACTS = "GET /crm/v3/properties/contacts"
COMPANIES = "GET /crm/v3/properties/companies"
KEY = "GET /crm/v3/properties/contacts/smarketing_id"
MAKE = "POST /crm/v3/properties/contacts"
DEFINITIONS = "GET /communication-preferences/v4/definitions"
MISSING = trouble(404, "OBJECT_NOT_FOUND")


def property(name: str, type: str = "string", field: str = "text", **more: object) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "type": type, "fieldType": field, "options": [], **more}


def healthy(hubspot: Scripted, *properties: dict[str, Any]) -> None:
    hubspot.on(CONTACTS, listing(property("email"), property("firstname"), *properties))
    hubspot.on(f"GET {OBJECTS}", listing(row(1)))
    hubspot.on(f"POST {OBJECTS}/batch/update", trouble(400, "VALIDATION_ERROR"))
    hubspot.on("GET /crm/v3/owners/", listing())
    hubspot.on(KEY, Reply.of(200, property("smarketing_id", hasUniqueValue=True)))


def levels(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.level, each.code) for each in findings]


# schema


@pytest.mark.parametrize(
    ("property", "expected"),
    [
        (property("email"), SchemaField("email", "Email", "email", length=254, unique=True)),
        (property("firstname"), SchemaField("firstname", "Firstname", "text", length=65536)),
        (property("phone", field="phonenumber"), SchemaField("phone", "Phone", "phone", length=65536)),
        (property("age", "number", "number"), SchemaField("age", "Age", "number")),
        (property("vip", "bool", "booleancheckbox"), SchemaField("vip", "Vip", "boolean")),
        (property("born", "date", "date"), SchemaField("born", "Born", "date")),
        (
            property("seen", "datetime", "date", modificationMetadata={"readOnlyValue": True}),
            SchemaField("seen", "Seen", "datetime", read_only=True),
        ),
        (
            property("score", "number", "number", calculated=True),
            SchemaField("score", "Score", "number", read_only=True),
        ),
        (
            property("colour", "enumeration", "select", options=[{"value": "r", "label": "Red", "hidden": False}]),
            SchemaField("colour", "Colour", "choice", options=(Option("r", "Red"),)),
        ),
        (
            property("likes", "enumeration", "checkbox", options=[{"value": "s", "label": "Snow", "hidden": False}]),
            SchemaField("likes", "Likes", "choices", options=(Option("s", "Snow"),)),
        ),
        (
            property("hubspot_owner_id", "enumeration", "select", externalOptions=True, referencedObjectType="OWNER"),
            SchemaField("hubspot_owner_id", "Hubspot_Owner_Id", "email"),
        ),
        (
            property("other_owner", "enumeration", "select", externalOptions=True, referencedObjectType="OWNER"),
            SchemaField("other_owner", "Other_Owner", "reference"),
        ),
        (
            property("hs_additional_emails", "enumeration", "checkbox"),
            SchemaField("hs_additional_emails", "Hs_Additional_Emails", "choices", restricted=False),
        ),
        (
            property("smarketing_id", hasUniqueValue=True),
            SchemaField("smarketing_id", "Smarketing_Id", "text", length=65536, unique=True),
        ),
        (property("place", "object_coordinates", "text"), SchemaField("place", "Place", "other")),
    ],
)
def test_a_property_is_described(hubspot: Scripted, property: dict[str, Any], expected: SchemaField) -> None:
    hubspot.on(CONTACTS, listing(property))
    hubspot.on(DEFINITIONS, batch())
    hubspot.on(COMPANIES, listing())
    assert hubspot.connector().schema("contact").by_name()[expected.name] == expected


def test_consent_and_the_company_are_described_with_the_contact(hubspot: Scripted) -> None:
    hubspot.on(CONTACTS, listing(property("email")))
    hubspot.on(DEFINITIONS, batch({"id": "7", "name": "Newsletter"}, {"id": "8", "name": "Ours", "isInternal": True}))
    hubspot.on(COMPANIES, listing(property("domain"), property("hubspot_owner_id", "enumeration", "select")))
    fields = hubspot.connector().schema("contact").by_name()
    companys = ["company.domain", "company.hubspot_owner_id"]
    assert list(fields) == ["email", "consent:email", "consent:email:7", *companys]
    assert fields["company.hubspot_owner_id"].type == "reference"
    assert fields["consent:email:7"].label == "E-mail: Newsletter"
    assert not fields["consent:email"].restricted
    assert fields["company.domain"].read_only


def test_what_the_token_may_not_see_is_no_field(hubspot: Scripted) -> None:
    hubspot.on(CONTACTS, listing(property("email")))
    hubspot.on(DEFINITIONS, trouble(403, "MISSING_SCOPES"))
    hubspot.on(COMPANIES, trouble(403, "MISSING_SCOPES"))
    assert list(hubspot.connector().schema("contact").by_name()) == ["email"]


def test_a_refused_token_is_no_missing_field(hubspot: Scripted) -> None:
    hubspot.on(CONTACTS, listing(property("email")))
    hubspot.on(DEFINITIONS, trouble(401, "INVALID_AUTHENTICATION"))
    with pytest.raises(Unauthorized):
        hubspot.connector().schema("contact")


# our key


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Reply.of(200, property("smarketing_id", hasUniqueValue=True)), "smarketing_id"),
        (Reply.of(200, property("smarketing_id", hasUniqueValue=False)), None),
        (Reply.of(200, property("smarketing_id", hasUniqueValue=True, archived=True)), None),
        (MISSING, None),
    ],
)
def test_our_key_is_a_unique_property_and_asked_for_once(
    hubspot: Scripted, answer: Reply, expected: str | None
) -> None:
    hubspot.on(KEY, answer)
    connector = hubspot.connector()
    assert [connector.own_key("contact"), connector.own_key("contact")] == [expected, expected]
    assert len(hubspot.seen) == 1


def test_our_key_is_made_as_a_unique_text(hubspot: Scripted) -> None:
    hubspot.on(KEY, MISSING, Reply.of(200, property("smarketing_id", hasUniqueValue=True)))
    hubspot.on(MAKE, Reply.of(201, property("smarketing_id")))
    connector = hubspot.connector()
    assert connector.add_own_key("contact") == "smarketing_id"
    (body,) = hubspot.bodies(MAKE)
    assert (body["name"], body["type"], body["hasUniqueValue"]) == ("smarketing_id", "string", True)
    assert connector.own_key("contact") == "smarketing_id"


def test_a_key_that_is_there_is_not_made_again(hubspot: Scripted) -> None:
    hubspot.on(KEY, Reply.of(200, property("smarketing_id", hasUniqueValue=True)))
    assert hubspot.connector().add_own_key("contact") == "smarketing_id"
    assert len(hubspot.seen) == 1


def test_a_property_of_that_name_that_is_not_unique_is_in_the_way(hubspot: Scripted) -> None:
    hubspot.on(KEY, Reply.of(200, property("smarketing_id", hasUniqueValue=False)))
    hubspot.on(MAKE, trouble(409, "CONFLICT"))
    with pytest.raises(Stop, match=r"is not unique.*key_property"):
        hubspot.connector().add_own_key("contact")


# check


def test_a_healthy_account_is_fine(hubspot: Scripted) -> None:
    healthy(hubspot)
    findings = list(hubspot.connector().check())
    assert levels(findings) == [("ok", "SM330"), *[("ok", "SM332")] * 3, ("ok", "SM335")]
    assert hubspot.bodies(f"POST {OBJECTS}/batch/update") == [{"inputs": []}]


def test_rights_to_consent_and_companies_are_tried_where_they_are_mapped(hubspot: Scripted) -> None:
    healthy(hubspot)
    scopes = [{"message": "…", "context": {"requiredGranularScopes": ["communication_preferences.write"]}}]
    hubspot.on("POST /crm/v3/objects/companies/batch/read", batch())
    hubspot.on(f"POST {PREFERENCES}/read", batch())
    hubspot.on(f"POST {PREFERENCES}/write", trouble(403, "MISSING_SCOPES", errors=scopes))
    findings = list(hubspot.connector(["email", "consent:email", "company.name"]).check())
    assert levels(findings) == [("ok", "SM330"), *[("ok", "SM332")] * 5, ("error", "SM308"), ("ok", "SM335")]
    (error,) = (each for each in findings if each.level == "error")
    assert "communication_preferences.write" in error.text


def test_a_wrong_token_is_the_only_finding(hubspot: Scripted) -> None:
    hubspot.on(CONTACTS, trouble(401, "INVALID_AUTHENTICATION"))
    assert levels(list(hubspot.connector().check())) == [("error", "SM307")]


def test_a_missing_scope_is_a_finding_and_the_rest_is_still_checked(hubspot: Scripted) -> None:
    healthy(hubspot)
    hubspot.on("GET /crm/v3/owners/", trouble(403, "MISSING_SCOPES"))
    assert levels(list(hubspot.connector().check()))[3:] == [("error", "SM308"), ("ok", "SM335")]


@pytest.mark.parametrize(
    ("answer", "level"),
    [(MISSING, "advice"), (Reply.of(200, property("smarketing_id", hasUniqueValue=False)), "warning")],
)
def test_an_account_without_our_key_is_advised(hubspot: Scripted, answer: Reply, level: str) -> None:
    healthy(hubspot)
    hubspot.on(KEY, answer)
    (finding,) = (each for each in hubspot.connector().check() if each.code == "SM335")
    assert finding.level == level
    assert "let us add it" in finding.hint


def test_a_mapped_property_that_is_not_there_is_a_warning(hubspot: Scripted) -> None:
    healthy(hubspot)
    (finding,) = (each for each in hubspot.connector(["email", "shoe", "consent_x"]).check() if each.code == "SM334")
    assert finding.level == "warning"
    assert "consent_x, shoe" in finding.text


def test_hubspots_own_connection_to_salesforce_is_noticed(hubspot: Scripted) -> None:
    healthy(hubspot, property("salesforceleadid"))
    (finding,) = (each for each in hubspot.connector().check() if each.code == "SM339")
    assert finding.level == "advice"
    assert "salesforceleadid" in finding.text


@pytest.mark.parametrize(("left", "level"), [(900, "ok"), (100, "warning")])
def test_the_days_use_is_told(hubspot: Scripted, left: int, level: str) -> None:
    healthy(hubspot)
    told = {"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": str(left)}
    hubspot.on(KEY, Reply.of(200, property("smarketing_id", hasUniqueValue=True), told))
    (finding,) = (each for each in hubspot.connector(daily_share=1.0).check() if each.code == "SM337")
    assert finding.level == level
    assert f"{1000 - left} of 1,000" in finding.text


def test_a_vendor_that_is_down_is_a_finding(hubspot: Scripted) -> None:
    hubspot.on(CONTACTS, trouble(503, ""))
    (finding,) = hubspot.connector().check()
    assert finding.level == "error"
    assert finding.code == Retry.code


# words


def write(**fields: Any) -> Write:
    return Write(WriteKind.UPDATE, "k", "contact", None, fields, before={"city": "Oslo"})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Kari Nordmann at kari@example.com (12345678) of Oslo", "… at … (…) of …"),
        ("ab in cab", "… in cab"),
        ("x" * 300, "x" * 199 + "…"),
        ("code pat-na1-abc", "code …"),
    ],
)
def test_words_lose_everybodys_values(message: str, expected: str) -> None:
    assert harmless(message, write(firstname="Kari Nordmann", tag="ab", likes=["snow"], empty=None)) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Contact already exists. Existing ID: 6001", "6001"),
        ("Cannot set PropertyValueCoordinates{…} on 9. 8 already has that value.", "8"),
        ("Property values were not valid", None),
    ],
)
def test_who_is_in_the_way_stands_in_the_text(message: str, expected: str | None) -> None:
    assert taken_by({"message": message}) == expected
    assert taken_by({"message": "…", "errors": [{"message": message}]}) == expected


def test_a_field_is_blamed_from_the_text_if_nowhere_else() -> None:
    error = {"category": "VALIDATION_ERROR", "message": 'Property "city" cannot be set: READ_ONLY_VALUE'}
    assert refusal(error, write(city="Bergen")).fields == ("city",)
    assert refusal(error, write(town="Bergen")).fields == ()


def test_a_broken_list_in_the_message_is_only_words() -> None:
    error = {"message": 'Property values were not valid: [{"isValid":false', "category": "VALIDATION_ERROR"}
    assert refusal(error, write(city="Bergen")).code == "VALIDATION_ERROR"


def test_rows_are_named_in_the_context_as_a_list_or_alone() -> None:
    assert rows_of({"context": {"ids": ["1", 2], "objectWriteTraceId": "k"}}) == ["k", "1", "2"]
    assert rows_of({"context": None}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.500Z", 1_500_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1500", 1_500_000),
        ("1970-01-01T00:00:01", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_instants_are_read_in_utc_or_not_at_all(text: object, expected: int | None) -> None:
    assert micros(text) == expected


def test_an_instant_is_told_in_whole_seconds() -> None:
    assert seconds(1_999_999) == "1970-01-01T00:00:01Z"


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), (True, "true"), (False, "false"), (3, "3"), ("x", "x"), (["a", "b"], "a;b")]
)
def test_values_are_written_as_text(value: Any, expected: str) -> None:
    assert sent(value) == expected


@pytest.mark.parametrize(("raw", "expected"), [("", None), (None, None), ("x", "x"), (True, "true"), (3, "3")])
def test_values_are_read_as_text_or_none(raw: Any, expected: str | None) -> None:
    assert told("x", raw) == expected
