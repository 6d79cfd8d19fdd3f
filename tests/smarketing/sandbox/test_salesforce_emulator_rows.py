"""Single records: what a save accepts, refuses and changes, and how each refusal is worded."""

from __future__ import annotations

import pytest

from smarketing.sandbox.salesforce.ids import Mint, long_id, read_id
from smarketing.sandbox.salesforce.schema import Field, key
from tests.smarketing.sandbox.salesforce_wire import ROOT, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_an_id_has_the_suffix_of_the_known_answer() -> None:
    assert long_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"


def test_an_id_is_read_in_both_forms_and_its_suffix_repairs_the_case() -> None:
    assert read_id("001A0000006Vm9r") == read_id("001a0000006vm9rIAC") == "001A0000006Vm9rIAC"
    assert read_id("001A0000006Vm9rZZZ") is None
    assert read_id("lead") is None


def test_ids_count_up_as_text_does_and_some_differ_in_case_alone() -> None:
    mint = Mint()
    made = [mint.next("003") for _ in range(4000)]
    assert made == sorted(made)
    short = {id[:15].lower() for id in made}
    assert len(short) < len(made) == len({id.lower() for id in made})


def test_a_new_record_is_answered_201_with_its_id_and_place(wire: Wire) -> None:
    answer = wire.call("POST", "sobjects/Lead", {"LastName": "Nordmann", "Company": "Example AS"})
    assert answer.status == 201
    id = answer.content["id"]
    assert answer.content == {"id": id, "success": True, "errors": []}
    assert id.startswith("00Q")
    assert len(id) == 18
    assert answer.headers["Location"] == f"{ROOT}/sobjects/Lead/{id}"


def test_a_new_record_has_defaults_an_owner_and_the_stamps_of_its_second(wire: Wire) -> None:
    wire.world.sleep(0.7)
    id = wire.lead(FirstName="Ola")
    read = wire.read("Lead", id)
    assert read["Status"] == "Open - Not Contacted"
    assert read["HasOptedOutOfEmail"] is False
    assert read["IsConverted"] is False
    assert read["Name"] == "Ola Nordmann"
    assert read["OwnerId"] == read["CreatedById"] == read["LastModifiedById"] == wire.door.org.users.us
    assert read["SystemModstamp"] == read["CreatedDate"] == "2026-01-01T00:00:00.000+0000"
    assert read["attributes"] == {"type": "Lead", "url": f"{ROOT}/sobjects/Lead/{id}"}
    assert read["Email"] is None


def test_names_of_objects_and_fields_are_known_in_any_case(wire: Wire) -> None:
    answer = wire.call("POST", "sobjects/lead", {"lastname": "Nordmann", "COMPANY": "Example AS"})
    assert wire.read("LEAD", answer.content["id"], "lastName")["LastName"] == "Nordmann"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"FirstName": "  Ola "}, {"FirstName": "Ola"}),
        ({"FirstName": ""}, {"FirstName": None}),
        ({"FirstName": "   "}, {"FirstName": None}),
        ({"Email": " Ola.Nordmann@Example.COM "}, {"Email": "ola.nordmann@example.com"}),
        ({"HasOptedOutOfEmail": "true"}, {"HasOptedOutOfEmail": True}),
        ({"NumberOfEmployees": "12"}, {"NumberOfEmployees": 12}),
        ({"AnnualRevenue": 12.0}, {"AnnualRevenue": 12.0}),
        ({"EmailBouncedDate": "2026-01-15T11:20:30.999+01:00"}, {"EmailBouncedDate": "2026-01-15T10:20:30.000+0000"}),
        ({"EmailBouncedDate": "2026-01-15T11:20:30+01"}, {"EmailBouncedDate": "2026-01-15T10:20:30.000+0000"}),
        ({"EmailBouncedDate": "", "NumberOfEmployees": ""}, {"EmailBouncedDate": None, "NumberOfEmployees": None}),
        ({"AnnualRevenue": "12.4"}, {"AnnualRevenue": 12.0}),
        ({"Street": "Storgata 1\nOslo \n"}, {"Street": "Storgata 1\nOslo"}),
        ({"LeadSource": "Not on the list"}, {"LeadSource": "Not on the list"}),
    ],
    ids=str,
)
def test_values_come_back_as_the_vendor_stores_them(
    wire: Wire, sent: dict[str, object], stored: dict[str, object]
) -> None:
    read = wire.read("Lead", wire.lead(**sent), *stored)
    assert {name: read[name] for name in stored} == stored


def test_a_multi_select_comes_back_in_the_order_of_its_options() -> None:
    interests = Field(
        name="Interests__c",
        type="multipicklist",
        label="Interests",
        length=4099,
        options=("A", "B", "C"),
        restricted=True,
    )
    wire = Wire(custom_fields={"Contact": [interests]})
    assert wire.read("Contact", wire.contact(Interests__c="C; A;C"), "Interests__c")["Interests__c"] == "A;C"
    refused = wire.call("POST", "sobjects/Contact", {"LastName": "N", "Interests__c": "A;X"})
    assert refused.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@pytest.mark.parametrize(
    ("fields", "code", "blamed"),
    [
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG", ["FirstName"]),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"]),
        ({"Email": "x" * 69 + "@example.com"}, "STRING_TOO_LONG", ["Email"]),
        ({"Phone": "1" * 41}, "STRING_TOO_LONG", ["Phone"]),
        ({"Title": "x" * 129}, "STRING_TOO_LONG", ["Title"]),
        ({"Company": "x" * 256}, "STRING_TOO_LONG", ["Company"]),
        ({"City": "x" * 41}, "STRING_TOO_LONG", ["City"]),
        ({"PostalCode": "1" * 21}, "STRING_TOO_LONG", ["PostalCode"]),
        ({"Description": "x" * 32_001}, "STRING_TOO_LONG", ["Description"]),
        ({"Email": "no address"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Lifecycle_Stage__c": "Nonsense"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Lifecycle_Stage__c"]),
        ({"LastName": " "}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"LastName": None, "Company": None}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"]),
        ({"OwnerId": "nobody"}, "MALFORMED_ID", ["OwnerId"]),
        ({"OwnerId": long_id("001000000000000")}, "MALFORMED_ID", ["OwnerId"]),
        ({"OwnerId": long_id("005000000000000")}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"OwnerId": None}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"HasOptedOutOfEmail": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["HasOptedOutOfEmail"]),
        ({"NumberOfEmployees": 100_000_000}, "NUMBER_OUTSIDE_VALID_RANGE", ["NumberOfEmployees"]),
        ({"Address": {"city": "Oslo"}}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Address"]),
        ({"Name": "Ola", "IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name", "IsConverted"]),
    ],
    ids=str,
)
def test_a_row_that_breaks_a_rule_is_refused_with_its_fields_and_changes_nothing(
    wire: Wire, fields: dict[str, object], code: str, blamed: list[str]
) -> None:
    whole = {"LastName": "Nordmann", "Company": "Example AS"}
    made = wire.call("POST", "sobjects/Lead", {**whole, **fields})
    assert (made.status, made.code, made.fields) == (400, code, blamed)
    id = wire.lead()
    before = wire.read("Lead", id)
    changed = wire.update("Lead", id, **fields)
    assert (changed.status, changed.code, changed.fields) == (400, code, blamed)
    assert wire.read("Lead", id) == before
    assert wire.query("SELECT COUNT() FROM Lead").content["totalSize"] == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"FirstName": "x" * 40, "LastName": "x" * 80, "Email": "x" * 68 + "@example.com", "Title": "x" * 128},
        {"Company": "x" * 255, "Street": "x" * 255, "City": "x" * 40, "State": "x" * 80, "PostalCode": "x" * 20},
    ],
)
def test_a_text_of_exactly_the_length_is_taken(wire: Wire, fields: dict[str, object]) -> None:
    read = wire.read("Lead", wire.lead(**fields))
    assert {name: read[name] for name in fields} == fields


def test_each_broken_rule_of_a_row_is_told(wire: Wire) -> None:
    answer = wire.call("POST", "sobjects/Lead", {"LastName": "x" * 81, "Company": "E", "Email": "no"})
    assert [each["errorCode"] for each in answer.content] == ["STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Nonsense": "x"}, "INVALID_FIELD"),
        ({"FirstName": 5}, "JSON_PARSER_ERROR"),
        ({"FirstName": ["x"]}, "JSON_PARSER_ERROR"),
        ({"HasOptedOutOfEmail": "perhaps"}, "JSON_PARSER_ERROR"),
        ({"NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR"),
        ({"NumberOfEmployees": True}, "JSON_PARSER_ERROR"),
        ({"NumberOfEmployees": "many"}, "JSON_PARSER_ERROR"),
        ({"AnnualRevenue": "inf"}, "JSON_PARSER_ERROR"),
        ({"Owner": {"Username": "a", "Email": "b"}}, "INVALID_FIELD"),
        ({"Owner": {"Username": "a"}}, "INVALID_FIELD"),
        ({"EmailBouncedDate": "yesterday"}, "JSON_PARSER_ERROR"),
        ({"Id": long_id("00Q000000000000")}, "INVALID_FIELD"),
        (b"{", "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused(wire: Wire, body: object, code: str) -> None:
    answer = wire.call("PATCH", f"sobjects/Lead/{wire.lead()}", body)
    assert (answer.status, answer.code) == (400, code)
    assert "fields" not in answer.content[0]


def test_an_update_is_answered_204_and_moves_the_stamp_even_when_nothing_differs(wire: Wire) -> None:
    id = wire.lead()
    wire.world.sleep(5)
    answer = wire.update("Lead", id, LastName="Nordmann")
    assert (answer.status, answer.content) == (204, "")
    assert wire.read("Lead", id)["SystemModstamp"] == "2026-01-01T00:00:05.000+0000"


def test_a_deleted_record_is_gone_for_every_method(wire: Wire) -> None:
    id = wire.lead()
    assert wire.call("DELETE", f"sobjects/Lead/{id}").status == 204
    for method in ("DELETE", "GET", "PATCH"):
        answer = wire.call(method, f"sobjects/Lead/{id}", {} if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, "ENTITY_IS_DELETED")


def test_an_unknown_id_object_or_method_is_told_apart(wire: Wire) -> None:
    assert wire.call("GET", f"sobjects/Lead/{long_id('00Q000000000000')}").code == "NOT_FOUND"
    assert wire.call("GET", f"sobjects/Lead/{long_id('003000000000000')}").code == "NOT_FOUND"
    assert wire.call("GET", "sobjects/Lead/nobody").code == "NOT_FOUND"
    assert wire.call("GET", "sobjects/Nothing").status == 404
    assert wire.call("PUT", f"sobjects/Lead/{wire.lead()}", {}).code == "METHOD_NOT_ALLOWED"
    assert wire.call("POST", "sobjects/User", {"LastName": "N"}).status == 400
    assert wire.call("POST", "sobjects/Lead", b"<x/>", headers={"Content-Type": "text/xml"}).status == 415


def test_the_method_can_be_told_in_the_query(wire: Wire) -> None:
    id = wire.lead()
    assert wire.call("POST", f"sobjects/Lead/{id}?_HttpMethod=PATCH", {"FirstName": "Kari"}).status == 204
    assert wire.read("Lead", id, "FirstName")["FirstName"] == "Kari"


def test_fields_of_parents_are_read_and_a_queue_may_own_a_lead_but_no_contact(wire: Wire) -> None:
    queue = wire.door.org.queue
    id = wire.lead(OwnerId=queue)
    read = wire.read("Lead", id, "Id", "Owner.Name", "Owner.Type", "CreatedBy.Email")
    assert read["Owner"]["Name"] == "New Leads"
    assert read["Owner"]["Type"] == "Queue"
    assert read["CreatedBy"]["Email"] == "integration@example.com"
    refused = wire.call("POST", "sobjects/Contact", {"LastName": "N", "OwnerId": queue})
    assert (refused.code, refused.fields) == ("MALFORMED_ID", ["OwnerId"])


def test_users_are_not_ours_to_change(wire: Wire) -> None:
    person = wire.door.org.users.person
    assert wire.update("User", person, Title="Boss").status == 400
    assert wire.call("DELETE", f"sobjects/User/{person}").code == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_a_parent_can_be_let_go(wire: Wire) -> None:
    id = wire.contact(AccountId=wire.create("Account", Name="Example AS"))
    assert wire.call("PATCH", f"sobjects/Contact/Id/{id}", {"AccountId": None}).status == 204
    assert wire.read("Contact", id)["AccountId"] is None


def test_an_inactive_user_can_own_nothing(wire: Wire) -> None:
    left = wire.door.put("User", {"LastName": "Gone", "Username": "gone@example.com", "IsActive": False})
    answer = wire.call("POST", "sobjects/Contact", {"LastName": "N", "OwnerId": left.id})
    assert answer.code == "INACTIVE_OWNER_OR_USER"


def test_related_records_are_read_by_their_relationship(wire: Wire) -> None:
    account = wire.create("Account", Name="Example AS")
    id = wire.contact(AccountId=account)
    assert wire.call("GET", f"sobjects/Contact/{id}/Account").content["Name"] == "Example AS"
    assert [each["Id"] for each in wire.call("GET", f"sobjects/Account/{account}/Contacts").records] == [id]
    assert wire.call("GET", f"sobjects/Contact/{id}/Nonsense").status == 404


class TestExternalId:
    def test_an_upsert_creates_then_updates(self, wire: Wire) -> None:
        target = "sobjects/Contact/Smarketing_Id__c/k%2F1"
        first = wire.call("PATCH", target, {"LastName": "Nordmann"})
        assert (first.status, first.content["created"]) == (201, True)
        second = wire.call("PATCH", target, {"FirstName": "Ola"})
        assert second.status == 200
        assert second.content == {"id": first.content["id"], "success": True, "errors": [], "created": False}
        read = wire.read("Contact", first.content["id"])
        assert (read["Smarketing_Id__c"], read["FirstName"]) == ("k/1", "Ola")
        assert wire.call("GET", target + "?fields=Id").content["Id"] == first.content["id"]
        assert wire.call("DELETE", target).status == 204
        assert wire.call("GET", target).status == 404

    def test_an_old_version_answers_an_updating_upsert_with_204(self, wire: Wire) -> None:
        wire.contact(Smarketing_Id__c="k1")
        answer = wire.call("PATCH", "/services/data/v45.0/sobjects/Contact/Smarketing_Id__c/k1", {"FirstName": "Ola"})
        assert answer.status == 204

    def test_the_key_must_not_stand_in_the_body_too(self, wire: Wire) -> None:
        body = {"Smarketing_Id__c": "k1", "LastName": "Nordmann"}
        answer = wire.call("PATCH", "sobjects/Contact/Smarketing_Id__c/k1", body)
        assert (answer.status, answer.code) == (400, "INVALID_FIELD")

    def test_several_holders_of_a_value_are_answered_300_with_where_they_are(self, wire: Wire) -> None:
        ids = [wire.contact(Email="shared@example.com") for _ in range(2)]
        answer = wire.call("PATCH", "sobjects/Contact/Email/shared@example.com", {"FirstName": "Ola"})
        assert answer.status == 300
        assert answer.content == [f"{ROOT}/sobjects/Contact/{id}" for id in ids]

    def test_a_field_that_is_no_external_id_finds_nothing(self, wire: Wire) -> None:
        answer = wire.call("PATCH", "sobjects/Contact/FirstName/Ola", {"LastName": "Nordmann"})
        assert (answer.status, answer.code) == (404, "NOT_FOUND")

    def test_a_value_that_another_record_has_is_refused_with_the_holders_short_id(self, wire: Wire) -> None:
        id = wire.contact(Smarketing_Id__c="k1")
        other = wire.contact()
        message = f"duplicate value found: Smarketing_Id__c duplicates value on record with id: {id[:15]}"
        for answer in (
            wire.call("POST", "sobjects/Contact", {"LastName": "N", "Smarketing_Id__c": "K1"}),
            wire.update("Contact", other, Smarketing_Id__c="k1"),
        ):
            assert (answer.status, answer.code, answer.message) == (400, "DUPLICATE_VALUE", message)
        assert wire.update("Contact", id, Smarketing_Id__c="k1").status == 204

    def test_the_key_of_a_deleted_record_is_free(self, wire: Wire) -> None:
        wire.call("DELETE", f"sobjects/Contact/{wire.contact(Smarketing_Id__c='k1')}")
        wire.contact(Smarketing_Id__c="k1")

    def test_an_org_without_the_field_does_not_know_it(self) -> None:
        wire = Wire(key_field=False)
        assert wire.call("POST", "sobjects/Lead", {"Smarketing_Id__c": "k1"}).code == "INVALID_FIELD"

    def test_a_parent_can_be_told_by_its_external_id(self) -> None:
        wire = Wire(custom_fields={"Account": [key("Number__c", "Number")]})
        account = wire.create("Account", Name="Example AS", Number__c="n1")
        id = wire.contact(Account={"Number__c": "n1"})
        assert wire.read("Contact", id, "AccountId")["AccountId"] == account
        missing = wire.call("POST", "sobjects/Contact", {"LastName": "N", "Account": {"Number__c": "n2"}})
        assert missing.code == "INVALID_FIELD"


class TestPreconditions:
    def test_an_account_has_a_tag_that_a_write_can_insist_on(self, wire: Wire) -> None:
        id = wire.create("Account", Name="Example AS")
        tag = wire.call("GET", f"sobjects/Account/{id}").headers["ETag"]
        assert wire.call("PATCH", f"sobjects/Account/{id}", {"Phone": "1"}, headers={"If-Match": tag}).status == 204
        stale = wire.call("PATCH", f"sobjects/Account/{id}", {"Phone": "2"}, headers={"If-Match": tag})
        assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
        assert wire.read("Account", id)["Phone"] == "1"

    def test_a_person_has_no_tag_and_the_header_is_ignored(self, wire: Wire) -> None:
        id = wire.lead()
        assert "ETag" not in wire.call("GET", f"sobjects/Lead/{id}").headers
        assert wire.call("PATCH", f"sobjects/Lead/{id}", {"Phone": "1"}, headers={"If-Match": '"x"'}).status == 204

    def test_any_record_honours_dates_to_the_second(self, wire: Wire) -> None:
        id = wire.lead()
        date = wire.call("GET", f"sobjects/Lead/{id}").headers["Last-Modified"]
        assert date == "Thu, 01 Jan 2026 00:00:00 GMT"
        assert wire.call("GET", f"sobjects/Lead/{id}", headers={"If-Modified-Since": date}).status == 304
        assert wire.call("GET", f"sobjects/Lead/{id}", headers={"If-Modified-Since": "yesterday"}).status == 200
        since = {"If-Unmodified-Since": date}
        assert wire.call("PATCH", f"sobjects/Lead/{id}", {"Phone": "1"}, headers=since).status == 204
        wire.world.sleep(1)
        wire.update("Lead", id, Phone="2")
        assert wire.call("PATCH", f"sobjects/Lead/{id}", {"Phone": "3"}, headers=since).status == 412
        assert wire.call("DELETE", f"sobjects/Lead/{id}", headers=since).status == 412


class TestDealsAndCampaigns:
    def test_a_stage_tells_whether_a_deal_is_won(self, wire: Wire) -> None:
        id = wire.create("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-02-01", Amount=10.555)
        read = wire.read("Opportunity", id)
        assert (read["IsWon"], read["IsClosed"], read["Probability"], read["Amount"]) == (False, False, 10, 10.55)
        wire.update("Opportunity", id, StageName="Closed Won")
        read = wire.read("Opportunity", id)
        assert (read["IsWon"], read["IsClosed"], read["Probability"]) == (True, True, 100)

    def test_a_person_is_once_in_a_campaign(self, wire: Wire) -> None:
        campaign, lead = wire.create("Campaign", Name="Webinar"), wire.lead()
        member = wire.create("CampaignMember", CampaignId=campaign, LeadId=lead, Status="Responded")
        assert wire.read("CampaignMember", member)["HasResponded"] is True
        again = wire.call("POST", "sobjects/CampaignMember", {"CampaignId": campaign, "LeadId": lead})
        assert (again.code, again.message) == ("DUPLICATE_VALUE", "Already a campaign member.")
        both = {"CampaignId": campaign, "LeadId": lead, "ContactId": wire.contact()}
        assert wire.call("POST", "sobjects/CampaignMember", both).code == "FIELD_INTEGRITY_EXCEPTION"
        assert wire.update("CampaignMember", member, LeadId=wire.lead()).code == "INVALID_FIELD_FOR_INSERT_UPDATE"

    def test_a_task_is_closed_when_it_is_completed(self, wire: Wire) -> None:
        lead = wire.lead()
        id = wire.create("Task", Subject="Call", WhoId=lead)
        assert wire.read("Task", id, "IsClosed", "Who.Name", "Who.Type")["Who"]["Type"] == "Lead"
        wire.update("Task", id, Status="Completed")
        assert wire.read("Task", id)["IsClosed"] is True

    def test_children_go_with_their_account(self, wire: Wire) -> None:
        account = wire.create("Account", Name="Example AS")
        contact = wire.contact(AccountId=account)
        deal = wire.create("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-02-01", AccountId=account)
        wire.create("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
        wire.call("DELETE", f"sobjects/Account/{account}")
        for object in ("Contact", "Opportunity", "OpportunityContactRole"):
            assert wire.query(f"SELECT COUNT() FROM {object}").content["totalSize"] == 0
            assert wire.query(f"SELECT COUNT() FROM {object}", deleted=True).content["totalSize"] == 1
