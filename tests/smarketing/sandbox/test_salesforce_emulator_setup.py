"""How the org is set up: custom fields, rules that an administrator switched on, and what describe tells of it."""

from __future__ import annotations

import pytest

from smarketing.sandbox.salesforce.schema import key
from tests.smarketing.sandbox.salesforce_wire import ROOT, Wire

NEW_FIELD = {
    "FullName": "Lead.Smarketing_Id__c",
    "Metadata": {"type": "Text", "length": 64, "label": "Smarketing Id", "unique": True, "externalId": True},
}


@pytest.fixture
def wire() -> Wire:
    return Wire()


class TestAddingTheKeyField:
    def test_a_new_field_is_hidden_until_a_permission_set_shows_it(self) -> None:
        wire = Wire(key_field=False)
        made = wire.call("POST", "tooling/sobjects/CustomField", NEW_FIELD)
        assert made.status == 201
        assert made.content["id"].startswith("00N")
        assert wire.query("SELECT Smarketing_Id__c FROM Lead").code == "INVALID_FIELD"
        parent = wire.one(
            "SELECT PermissionSetId FROM PermissionSetAssignment WHERE PermissionSet.IsOwnedByProfile = true "
            f"AND AssigneeId = '{wire.door.org.users.us}'"
        )["PermissionSetId"]
        grant = {"ParentId": parent, "SobjectType": "Lead", "Field": "Lead.Smarketing_Id__c"}
        wire.create("FieldPermissions", **grant, PermissionsRead=True, PermissionsEdit=True)
        wire.lead(Smarketing_Id__c="k1")
        assert wire.call("PATCH", "sobjects/Lead/Smarketing_Id__c/k1", {"FirstName": "Ola"}).status == 200

    def test_a_permission_set_of_our_own_shows_it_when_we_are_assigned(self) -> None:
        wire = Wire(key_field=False)
        wire.call("POST", "tooling/sobjects/CustomField", NEW_FIELD)
        ours = wire.create("PermissionSet", Name="Smarketing", Label="Smarketing")
        grant = {"ParentId": ours, "SobjectType": "Lead", "Field": "Lead.Smarketing_Id__c"}
        wire.create("FieldPermissions", **grant, PermissionsRead=True, PermissionsEdit=True)
        assert wire.query("SELECT Smarketing_Id__c FROM Lead").code == "INVALID_FIELD"
        wire.create("PermissionSetAssignment", PermissionSetId=ours, AssigneeId=wire.door.org.users.us)
        assert wire.query("SELECT Smarketing_Id__c FROM Lead").status == 200
        wire.door.hide("Lead", "Smarketing_Id__c")
        assert wire.query("SELECT Smarketing_Id__c FROM Lead").code == "INVALID_FIELD"
        assert wire.ids("SELECT Id FROM FieldPermissions") == []

    @pytest.mark.parametrize(
        "body",
        [
            {**NEW_FIELD, "FullName": "Lead.Smarketing"},
            {**NEW_FIELD, "FullName": "Nonsense.Smarketing_Id__c"},
            {"FullName": "Lead.Other__c"},
            {"FullName": "Lead.Other__c", "Metadata": {"type": "Text", "length": 256}},
            {"FullName": "Lead.Other__c", "Metadata": {"type": "Checkbox"}},
        ],
        ids=["no __c", "object", "no metadata", "length", "type"],
    )
    def test_a_field_that_cannot_be_is_refused(self, body: dict[str, object]) -> None:
        answer = Wire().call("POST", "tooling/sobjects/CustomField", body)
        assert (answer.status, answer.code) == (400, "INVALID_INPUT")

    def test_an_object_has_at_most_25_external_ids(self) -> None:
        many = [key(f"Number{i}__c", f"Number {i}") for i in range(25)]
        wire = Wire(key_field=False, custom_fields={"Lead": many})
        assert wire.call("POST", "tooling/sobjects/CustomField", NEW_FIELD).code == "LIMIT_EXCEEDED"

    def test_a_field_of_that_name_is_made_once(self) -> None:
        answer = Wire().call("POST", "tooling/sobjects/CustomField", NEW_FIELD)
        assert (answer.status, answer.code) == (400, "DUPLICATE_DEVELOPER_NAME")

    def test_custom_fields_are_found_by_the_tooling_query(self) -> None:
        wire = Wire()
        q = "SELECT+Id+FROM+CustomField+WHERE+DeveloperName='Smarketing_Id'+AND+TableEnumOrId='Lead'"
        assert wire.call("GET", f"tooling/query?q={q}").content["totalSize"] == 1
        assert wire.call("GET", f"query?q={q}").code == "INVALID_TYPE"


class TestOptions:
    def test_with_state_and_country_picklists_only_known_places_are_taken(self) -> None:
        wire = Wire(state_country_picklists=True)
        id = wire.contact(MailingCountry="norway", MailingCity="Oslo")
        read = wire.read("Contact", id, "MailingCountry", "MailingCountryCode", "MailingAddress")
        assert (read["MailingCountry"], read["MailingCountryCode"]) == ("Norway", "NO")
        assert read["MailingAddress"]["countryCode"] == "NO"
        assert wire.update("Contact", id, MailingCountryCode="US", MailingState="california").status == 204
        read = wire.read("Contact", id, "MailingCountry", "MailingStateCode")
        assert (read["MailingCountry"], read["MailingStateCode"]) == ("United States", "CA")
        for fields in (
            {"MailingCountry": "Noreg"},
            {"MailingCountry": "NO"},
            {"MailingCountryCode": "XX"},
            {"MailingState": "Oslo", "MailingCountry": "Norway"},
            {"MailingState": "California", "MailingCountry": None},
        ):
            refused = wire.update("Contact", id, **fields)
            assert (refused.status, refused.code) == (400, "FIELD_INTEGRITY_EXCEPTION"), fields
        assert wire.update("Contact", id, MailingCountry=None, MailingState=None).status == 204

    def test_without_them_any_place_is_taken(self, wire: Wire) -> None:
        assert wire.read("Lead", wire.lead(Country="Noreg", State="Oslo"), "Country")["Country"] == "Noreg"

    def test_the_duplicate_rule_names_the_record_unless_told_to_save(self) -> None:
        wire = Wire(duplicate_rule=True)
        contact = wire.contact(Email="ola@example.com")
        body = {"LastName": "Nordmann", "Company": "Example AS", "Email": "OLA@example.com"}
        refused = wire.call("POST", "sobjects/Lead", body)
        assert (refused.status, refused.code) == (400, "DUPLICATES_DETECTED")
        found = refused.content[0]["duplicateResut"]  # so on the wire
        (match,) = found["matchResults"]
        assert (found["duplicateRuleEntityType"], match["entityType"], match["size"]) == ("Lead", "Contact", 1)
        assert match["matchRecords"][0]["record"]["Id"] == contact
        header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
        assert wire.call("POST", "sobjects/Lead", body, headers=header).status == 201
        assert wire.update("Contact", contact, FirstName="Ola").status == 204

    def test_the_assignment_rule_takes_leads_unless_the_header_forbids_it(self) -> None:
        wire = Wire(assignment_rule=True)
        person = wire.door.org.users.person
        body = {"LastName": "Nordmann", "Company": "Example AS", "OwnerId": person}
        ruled = wire.call("POST", "sobjects/Lead", body).content["id"]
        assert wire.read("Lead", ruled)["OwnerId"] == wire.door.org.queue
        off = {"Sforce-Auto-Assign": "FALSE"}
        kept = wire.call("POST", "sobjects/Lead", body, headers=off).content["id"]
        assert wire.read("Lead", kept)["OwnerId"] == person
        assert wire.call("PATCH", f"sobjects/Lead/{kept}", {"FirstName": "Ola"}, headers=off).status == 204
        assert wire.read("Lead", kept)["OwnerId"] == person
        assert wire.update("Lead", kept, FirstName="Kari").status == 204
        assert wire.read("Lead", kept)["OwnerId"] == wire.door.org.queue


class TestDescribe:
    def test_a_field_tells_what_may_be_written_to_it(self, wire: Wire) -> None:
        told = wire.call("GET", "sobjects/Lead/describe").content
        fields = {each["name"]: each for each in told["fields"]}
        assert (told["keyPrefix"], told["createable"], told["mergeable"]) == ("00Q", True, True)
        assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
        assert (fields["Email"]["type"], fields["Email"]["idLookup"]) == ("email", True)
        assert (fields["Name"]["createable"], fields["Name"]["updateable"]) == (False, False)
        key = fields["Smarketing_Id__c"]
        assert (key["externalId"], key["unique"], key["custom"], key["length"]) == (True, True, True, 255)
        stage = fields["Lifecycle_Stage__c"]
        assert stage["restrictedPicklist"] is True
        assert [each["value"] for each in stage["picklistValues"]][:3] == ["Subscriber", "Lead", "MQL"]
        assert fields["Status"]["picklistValues"][0]["defaultValue"] is True
        assert (fields["OwnerId"]["referenceTo"], fields["OwnerId"]["relationshipName"]) == (["Group", "User"], "Owner")
        assert (fields["Street"]["compoundFieldName"], fields["FirstName"]["compoundFieldName"]) == ("Address", "Name")

    def test_the_list_of_objects_and_the_resources_are_there(self, wire: Wire) -> None:
        names = [each["name"] for each in wire.call("GET", "sobjects").content["sobjects"]]
        assert {"Lead", "Contact", "Account", "User", "LeadStatus", "Group"} <= set(names)
        assert wire.call("GET", "sobjects/Lead").content["objectDescribe"]["name"] == "Lead"
        assert wire.call("GET", "").content["query"] == f"{ROOT}/query"
        told = wire.call("GET", "sobjects/User/describe").content
        assert told["createable"] is False
        assert not any(each["createable"] for each in told["fields"])

    def test_a_converted_status_is_told(self, wire: Wire) -> None:
        assert (
            wire.one("SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true")["MasterLabel"]
            == "Closed - Converted"
        )
