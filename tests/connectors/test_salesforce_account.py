"""What the organisation looks like to us: its schema, the check, and making our key field."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.base import FeedKind, Finding, Option, Schema, SchemaField, WriteKind
from connectors.errors import Stop
from connectors.registry import load
from connectors.salesforce import Salesforce
from smarketing.sandbox.emulator import Reply
from tests.connectors.scripted_salesforce import (
    DATA,
    KEY,
    US,
    Org,
    complaint,
    field,
    grant,
    org,
    page,
)

OPT_OUT = field("HasOptedOutOfEmail", "boolean", nillable=False, defaultedOnCreate=True)
FIELDS = {"Lead": ["LastName"], "Contact": ["LastName"]}
GRANTS = f"{DATA}/sobjects/FieldPermissions"
TOOLING = f"{DATA}/tooling/sobjects/CustomField"


@pytest.fixture
def crm() -> Iterator[Org]:
    with org() as made:
        for object in FIELDS:
            made.on_describe(object, field("LastName"), OPT_OUT, KEY)
        made.on("GET", f"{DATA}/query/", page())
        yield made


def findings(connector: Salesforce) -> list[tuple[str, str]]:
    return [(each.level, each.code) for each in connector.check()]


def found(connector: Salesforce, code: str) -> list[Finding]:
    return [each for each in connector.check() if each.code == code]


def test_the_registry_finds_it() -> None:
    assert load("salesforce") is Salesforce


@pytest.mark.parametrize(("create_as", "creates"), [("Lead", ("Lead", "Contact")), ("Contact", ("Contact", "Lead"))])
def test_it_says_what_it_can_do(crm: Org, create_as: str, creates: tuple[str, ...]) -> None:
    can = crm.connect(create_as=create_as, parallel=2).capabilities
    assert can.creates == creates
    assert set(can.feeds) == {(o, k) for o in FIELDS for k in (FeedKind.DELTA, FeedKind.SWEEP)}
    assert can.batch == {WriteKind.CREATE: 200, WriteKind.UPDATE: 200, WriteKind.ARCHIVE: 200}
    assert (can.parallel, can.horizon, can.lag, can.consent_on) == (2, 600.0, 300.0, "record")
    assert (can.conditional, can.returns_fields, can.field_times, can.unique) == (False, False, False, frozenset())


def test_the_schema_is_what_the_describe_says(crm: Org) -> None:
    crm.on_describe(
        "Lead",
        field("LastName", label="Last Name", nillable=False),
        field("Email", "email"),
        field("AnnualRevenue", "currency"),
        field("Name", createable=False, updateable=False, nillable=False),
        field("OwnerId", "reference", nillable=False, defaultedOnCreate=True),
        field(
            "Status",
            "picklist",
            restrictedPicklist=True,
            picklistValues=[
                {"value": "Open", "label": "Åpen", "active": True},
                {"value": "Old", "label": "Old", "active": False},
            ],
        ),
        field(
            "Interests__c", "multipicklist", restrictedPicklist=False, picklistValues=[{"value": "A", "label": None}]
        ),
        field("Place__c", "location"),
        OPT_OUT,
        KEY,
    )
    assert crm.connect().schema("Lead") == Schema(
        "Lead",
        (
            SchemaField("LastName", "Last Name", "text", 80, required=True),
            SchemaField("Email", "Email", "email", 80),
            SchemaField("AnnualRevenue", "AnnualRevenue", "number"),
            SchemaField("Name", "Name", "text", 80, read_only=True),
            SchemaField("OwnerId", "OwnerId", "email"),
            SchemaField("Status", "Status", "choice", options=(Option("Open", "Åpen"),), restricted=True),
            SchemaField("Interests__c", "Interests__c", "choices", options=(Option("A", "A"),), restricted=False),
            SchemaField("Place__c", "Place__c", "other"),
            SchemaField("HasOptedOutOfEmail", "HasOptedOutOfEmail", "boolean"),
            SchemaField("Smarketing_Id__c", "Smarketing_Id__c", "text", 80, unique=True),
        ),
    )


def test_a_mapped_field_of_a_related_record_is_in_the_schema_and_read_only(crm: Org) -> None:
    related = field("AccountId", "reference", relationshipName="Account", referenceTo=["Account"])
    crm.on_describe("Contact", related)
    crm.on_describe("Account", field("Name", label="Account Name", nillable=False))
    schema = crm.connect({"Contact": ["Account.Name", "Account.Hidden__c"]}).schema("Contact").by_name()
    assert schema["Account.Name"] == SchemaField("Account.Name", "Account Name", "text", 80, read_only=True)
    assert "Account.Hidden__c" not in schema


def test_the_schema_is_asked_for_anew_with_that_of_the_related_records(crm: Org) -> None:
    related = field("AccountId", "reference", relationshipName="Account", referenceTo=["Account"])
    crm.on_describe("Contact", related)
    crm.on_describe("Account", field("Name"))
    connector = crm.connect({"Contact": ["Account.Name"]})
    assert "Account.Name" in connector.schema("Contact").by_name()
    crm.on_describe("Account")
    assert "Account.Name" not in connector.schema("Contact").by_name()


def test_an_owner_has_the_fields_of_a_user_though_it_may_be_a_queue(crm: Org) -> None:
    crm.on_describe("Lead", field("OwnerId", "reference", relationshipName="Owner", referenceTo=["Group", "User"]))
    crm.on_describe("User", field("Name"))
    assert "Owner.Name" in crm.connect({"Lead": ["Owner.Name"]}).schema("Lead").by_name()


def test_an_account_without_fault_has_no_finding_but_good_ones(crm: Org) -> None:
    assert {level for level, _ in findings(crm.connect())} == {"ok"}


def test_refused_credentials_are_the_only_finding(crm: Org) -> None:
    crm.on("POST", "/services/oauth2/token", Reply.of(400, {"error": "invalid_client"}))
    assert findings(crm.connect()) == [("error", "SM307")]


def test_a_token_that_names_no_user_is_found(crm: Org) -> None:
    nameless = {**grant("t", crm.url), "id": None}
    crm.on("POST", "/services/oauth2/token", Reply.of(200, nameless))
    assert ("warning", "SM331") in findings(crm.connect())


@pytest.mark.parametrize(
    ("right", "level"), [("createable", "error"), ("updateable", "error"), ("deletable", "warning")]
)
def test_a_missing_right_is_found(crm: Org, right: str, level: str) -> None:
    crm.on_describe("Lead", field("LastName"), OPT_OUT, KEY, **{right: False})
    texts = {each.level: each.text for each in found(crm.connect(), "SM332")}
    assert texts[level] == f"crm: our user's rights to Lead lack {right}"
    assert texts["ok"].startswith("crm: Contact")


def test_an_object_that_our_user_may_not_see_is_an_error_and_the_other_is_checked(crm: Org) -> None:
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", complaint(404, "NOT_FOUND"))
    got = findings(crm.connect())
    assert ("error", "SM308") in got
    assert ("ok", "SM332") in got


def test_a_hidden_opt_out_field_is_an_error(crm: Org) -> None:
    crm.on_describe("Lead", field("LastName"), KEY)
    (finding,) = found(crm.connect(), "SM333")
    assert finding.level == "error"
    assert "Lead.HasOptedOutOfEmail" in finding.text


def test_mapped_fields_that_are_not_there_are_named(crm: Org) -> None:
    connector = crm.connect({"Lead": ["LastName", "Region__c", "Score__c"], "Contact": ["LastName"]})
    (finding,) = found(connector, "SM334")
    assert finding.text == "crm: Lead has no Region__c, Score__c, or our user does not see it"


def test_a_missing_key_field_is_an_advice_with_the_steps(crm: Org) -> None:
    crm.on_describe("Lead", field("LastName"), OPT_OUT)
    advice = next(each for each in found(crm.connect(), "SM335") if each.level == "advice")
    assert "Object Manager, Lead" in advice.hint
    assert "External ID" in advice.hint


def test_active_duplicate_rules_are_an_advice(crm: Org) -> None:
    crm.on("GET", f"{DATA}/query/", page({"SobjectType": "Lead"}, {"SobjectType": "Lead"}))
    assert [(each.level, each.text) for each in found(crm.connect(), "SM336")] == [
        ("advice", "crm: a duplicate rule of Lead is active")
    ]


def test_duplicate_rules_that_cannot_be_asked_for_are_no_finding(crm: Org) -> None:
    crm.on("GET", f"{DATA}/query/", complaint(400, "INVALID_TYPE"))
    assert found(crm.connect(), "SM336") == []


@pytest.mark.parametrize(("used", "level"), [(100, "ok"), (699, "ok"), (720, "warning")])
def test_the_days_requests_are_told(crm: Org, used: int, level: str) -> None:
    described = Reply.of(
        200,
        {"fields": [field("LastName"), OPT_OUT, KEY], "queryable": True, "createable": True, "updateable": True},
        {"Sforce-Limit-Info": f"api-usage={used}/1000"},
    )
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", described)
    (finding,) = found(crm.connect(), "SM337")
    assert (finding.level, finding.text.split(" requests")[0]) == (level, f"crm: {used} of 1,000 API")


def test_a_clock_that_is_ahead_is_found_and_one_behind_does_no_harm(crm: Org) -> None:
    assert found(crm.connect(), "SM338") == []
    crm.world.jump(10 * 365 * 86400)
    (finding,) = found(crm.connect(), "SM338")
    assert finding.level == "warning"


def test_the_key_field_is_made_by_the_tooling_api(crm: Org) -> None:
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", *[described(), described(KEY)])
    crm.on("POST", TOOLING, Reply.of(201, {"id": "00N000000000001AAA", "success": True, "errors": []}))
    connector = crm.connect()
    assert connector.add_own_key("Lead") == "Smarketing_Id__c"
    assert connector.own_key("Lead") == "Smarketing_Id__c"
    made = json.loads(crm.asked(TOOLING)[0].body)
    assert made["FullName"] == "Lead.Smarketing_Id__c"
    assert made["Metadata"]["label"] == "Smarketing Id"
    assert {name: made["Metadata"][name] for name in ("type", "externalId", "unique", "required")} == {
        "type": "Text",
        "externalId": True,
        "unique": True,
        "required": False,
    }


def test_a_new_key_field_is_shown_by_a_permission_set_of_our_user_and_by_its_profile_last(crm: Org) -> None:
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", described(), described(), described(KEY))
    crm.on("POST", TOOLING, Reply.of(201, {"id": "00N000000000001AAA", "success": True, "errors": []}))
    crm.on(
        "GET",
        f"{DATA}/query/",
        page(
            {"PermissionSetId": "0PS000000000001AAA", "PermissionSet": {"IsOwnedByProfile": True}},
            {"PermissionSetId": "0PS000000000002AAA", "PermissionSet": {"IsOwnedByProfile": False}},
            {"PermissionSetId": "0PS000000000003AAA", "PermissionSet": {"IsOwnedByProfile": False}},
        ),
    )
    locked = complaint(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
    crm.on("POST", GRANTS, locked, Reply.of(201, {"id": "01k000000000001AAA", "success": True, "errors": []}))
    assert crm.connect().add_own_key("Lead") == "Smarketing_Id__c"
    assert f"AssigneeId = '{US}'" in crm.soql()[0]
    grants = [json.loads(each.body) for each in crm.asked(GRANTS)]
    assert [each["ParentId"] for each in grants] == ["0PS000000000002AAA", "0PS000000000003AAA"]
    assert {name: grants[1][name] for name in grants[1] if name != "ParentId"} == {
        "SobjectType": "Lead",
        "Field": "Lead.Smarketing_Id__c",
        "PermissionsRead": True,
        "PermissionsEdit": True,
    }


def test_a_key_field_that_is_there_is_not_made_again(crm: Org) -> None:
    assert crm.connect().add_own_key("Lead") == "Smarketing_Id__c"
    assert crm.asked(TOOLING) == []


@pytest.mark.parametrize(
    ("described_as", "tooling", "text"),
    [
        ([field("Smarketing_Id__c")], None, 'is not "Unique"'),
        ([], complaint(403, "INSUFFICIENT_ACCESS"), "could not be made here .*403 INSUFFICIENT_ACCESS.*in Setup"),
        ([], complaint(500, "UNKNOWN_EXCEPTION"), "could not be made here .*in Setup, Object Manager, Lead"),
        ([], complaint(400, "LIMIT_EXCEEDED"), "in Setup, Object Manager, Lead.*tick Unique"),
    ],
)
def test_a_key_field_that_cannot_be_made_stops_with_the_steps(
    crm: Org, described_as: list[dict[str, object]], tooling: Reply | None, text: str
) -> None:
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", described(*described_as))
    if tooling:
        crm.on("POST", TOOLING, tooling)
    with pytest.raises(Stop, match=text):
        crm.connect().add_own_key("Lead")


def test_a_key_field_that_stays_hidden_stops_with_what_to_give(crm: Org) -> None:
    crm.on("GET", f"{DATA}/sobjects/Lead/describe", described())
    crm.on("POST", TOOLING, Reply.of(201, {"success": True}))
    with pytest.raises(Stop, match="was made, but our user does not see it as writable yet"):
        crm.connect().add_own_key("Lead")


def described(*fields: dict[str, object]) -> Reply:
    return Reply.of(200, {"fields": [field("LastName"), *fields]})
