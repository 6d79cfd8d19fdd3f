"""HubSpot's stand-in: property definitions, owners, and which company a contact belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.base import Ref
from smarketing.sandbox.hubspot import Owner
from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Answer, Wire

PROPERTIES = ["/crm/v3/properties/contacts", "/crm/properties/2026-03/0-1", "/crm/properties/2026-09/contacts"]
OWNERS = ["/crm/v3/owners", "/crm/owners/2026-09", "/crm/v3/owners/"]
KEY = {
    "name": "external_key",
    "label": "External key",
    "type": "string",
    "fieldType": "text",
    "groupName": "contactinformation",
    "hasUniqueValue": True,
}


@pytest.mark.parametrize("path", PROPERTIES)
def test_properties_are_listed_with_types_options_and_rights(path: str) -> None:
    listed = {each["name"]: each for each in Wire().get(path).results}
    assert listed["smarketing_id"]["hasUniqueValue"] is True
    assert listed["smarketing_id"]["hubspotDefined"] is False
    assert listed["lastmodifieddate"]["modificationMetadata"]["readOnlyValue"] is True
    assert listed["hubspot_owner_id"]["referencedObjectType"] == "OWNER"
    assert listed["hubspot_owner_id"]["externalOptions"] is True
    assert [each["value"] for each in listed["lifecyclestage"]["options"]][:2] == ["subscriber", "lead"]
    assert listed["num_notes"]["calculated"] is True
    assert listed["hs_email_optout_530001"]["label"].endswith("Marketing Information")


@pytest.mark.parametrize("path", PROPERTIES)
def test_a_property_with_unique_values_is_made_and_used(path: str) -> None:
    hubspot = Wire(key_property=False)
    assert hubspot.get(f"{path}/external_key").status == 404
    made = hubspot.post(path, KEY)
    assert (made.status, made.content["hasUniqueValue"]) == (201, True)
    assert hubspot.get(f"{path}/external_key").content == made.content
    assert hubspot.post(path, KEY).content["category"] == "OBJECT_ALREADY_EXISTS"
    hubspot.contact(email="a@example.com", external_key="1")
    refused = hubspot.post(CONTACTS, {"properties": {"email": "b@example.com", "external_key": "1"}})
    assert refused.codes == ["CONFLICTING_UNIQUE_VALUE"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Has Capitals"},
        {"type": "text"},
        {"fieldType": "line"},
        {"groupName": "nowhere"},
        {"type": "enumeration", "fieldType": "select", "hasUniqueValue": False},
        {
            "type": "enumeration",
            "fieldType": "select",
            "hasUniqueValue": False,
            "options": [{"label": "x", "value": ""}],
        },
        {"type": "date", "fieldType": "date"},
    ],
)
def test_a_definition_that_will_not_do_is_refused(wrong: dict[str, Any]) -> None:
    assert Wire().post(PROPERTIES[0], KEY | wrong).status == 400


def test_an_object_has_ten_properties_with_unique_values_at_most() -> None:
    hubspot = Wire()
    made = [hubspot.post(PROPERTIES[0], KEY | {"name": f"key_{number}"}).status for number in range(10)]
    assert made == [201] * 9 + [400]


def test_a_property_of_the_account_is_changed_and_archived_and_the_vendors_are_not() -> None:
    hubspot = Wire()
    path = PROPERTIES[0]
    hubspot.post(path, KEY)
    changed = hubspot.call("PATCH", f"{path}/external_key", {"label": "Key", "hidden": True})
    assert (changed.content["label"], changed.content["hidden"]) == ("Key", True)
    id_ = hubspot.contact(email="a@example.com", external_key="1")
    assert hubspot.delete(f"{path}/external_key").status == 204
    assert hubspot.get(f"{path}/external_key").status == 404
    assert hubspot.get(f"{CONTACTS}/1?idProperty=external_key").status == 400
    assert hubspot.get(f"{path}/external_key?archived=true").content["archived"] is True
    assert hubspot.get(f"{CONTACTS}/{id_}?properties=external_key").properties.get("external_key", "gone") == "gone"
    assert hubspot.patch(f"{CONTACTS}/{id_}", external_key="2").codes == ["PROPERTY_DOESNT_EXIST"]
    assert hubspot.delete(f"{path}/email").status == 400
    assert hubspot.call("PATCH", f"{path}/email", {"label": "Mail"}).status == 400
    assert hubspot.call("PATCH", f"{path}/hs_country_region_code", {"options": []}).status == 400


def test_a_property_that_is_made_anew_with_unique_values_minds_no_older_ones() -> None:
    hubspot = Wire()
    path = PROPERTIES[0]
    hubspot.post(path, KEY | {"hasUniqueValue": False})
    ids = [hubspot.contact(lastname=str(number), external_key="same") for number in range(2)]
    hubspot.delete(f"{path}/external_key")
    hubspot.post(path, KEY)
    assert hubspot.patch(f"{CONTACTS}/{ids[0]}", external_key="1").status == 200
    assert hubspot.patch(f"{CONTACTS}/{ids[1]}", external_key="1").codes == ["CONFLICTING_UNIQUE_VALUE"]
    assert hubspot.delete(f"{CONTACTS}/{ids[1]}").status == 204


def test_options_are_added() -> None:
    hubspot = Wire()
    path = f"{PROPERTIES[0]}/hs_lead_status"
    options = [*hubspot.get(path).content["options"], {"label": "Nurture", "value": "NURTURE"}]
    assert hubspot.call("PATCH", path, {"options": options}).status == 200
    assert hubspot.contact(email="a@example.com", hs_lead_status="NURTURE")
    doubled = [{"label": "x", "value": "x"}, {"label": "y", "value": "x"}]
    assert hubspot.call("PATCH", path, {"options": doubled}).status == 400


def test_properties_come_in_batches_and_groups() -> None:
    hubspot = Wire()
    path = PROPERTIES[0]
    read = hubspot.post(f"{path}/batch/read", {"inputs": [{"name": "email"}, {"name": "nothing"}], "archived": False})
    assert (read.status, [each["name"] for each in read.results]) == (207, ["email"])
    created = hubspot.post(f"{path}/batch/create", {"inputs": [KEY, KEY]})
    assert (created.status, created.content["numErrors"]) == (207, 1)
    assert hubspot.get(f"{path}/groups").results[0]["name"] == "contactinformation"
    group = {"name": "ours", "label": "Ours"}
    assert hubspot.post(f"{path}/groups", group).status == 201
    assert hubspot.post(f"{path}/groups", group).status == 409
    assert hubspot.get(f"{path}/groups/ours").content["label"] == "Ours"
    assert hubspot.get(f"{path}/groups/theirs").status == 404
    assert hubspot.post(path, KEY | {"name": "grouped", "groupName": "ours"}).status == 201


@pytest.mark.parametrize("path", OWNERS)
def test_owners_are_listed_by_page_and_address(path: str) -> None:
    hubspot = Wire()
    assert [each["email"] for each in hubspot.get(path).results] == ["owner.one@example.com", "owner.two@example.com"]
    first = hubspot.get(f"{path}?limit=1")
    after = first.content["paging"]["next"]["after"]
    assert [each["id"] for each in hubspot.get(f"{path}?limit=1&after={after}").results] == ["80002"]
    assert [each["id"] for each in hubspot.get(f"{path}?email=Owner.Two@example.com").results] == ["80002"]
    assert hubspot.get(f"{path}?email=nobody@example.com").results == []
    assert hubspot.get(f"{path}?limit=501").status == 400


def test_an_owner_has_two_numbers_and_may_leave() -> None:
    hubspot = Wire()
    owner = hubspot.get("/crm/v3/owners/80001").content
    assert owner["userId"] == owner["userIdIncludingInactive"] == 7_080_001
    assert hubspot.get("/crm/v3/owners/7080001?idProperty=userId").content["id"] == "80001"
    assert hubspot.get("/crm/v3/owners/80001?idProperty=email").status == 400
    hubspot.door.remove(Ref("owner", "80001"))
    assert [each["id"] for each in hubspot.get("/crm/v3/owners").results] == ["80002"]
    (gone,) = hubspot.get("/crm/v3/owners?archived=true").results
    assert (gone["archived"], "userId" in gone) == (True, False)
    assert hubspot.get("/crm/v3/owners/80001").status == 404
    assert hubspot.get("/crm/v3/owners/nobody").status == 404
    assert hubspot.post(CONTACTS, {"properties": {"email": "a@example.com", "hubspot_owner_id": "80001"}}).status == 400


def test_accounts_have_their_own_owners_and_new_ones_join() -> None:
    hubspot = Wire(owners=[Owner(5, 6, "five@example.com", "Number", "Five")])
    ref = hubspot.door.put("owner", {"email": "New@example.com", "firstName": "New", "lastName": "Owner"})
    assert [each["id"] for each in hubspot.get("/crm/v3/owners").results] == ["5", ref.id]
    assert hubspot.contact(email="a@example.com", hubspot_owner_id=ref.id)
    with pytest.raises(ValueError, match="address"):
        hubspot.door.put("owner", {"email": "new@example.com"})


def company(hubspot: Wire, name: str) -> str:
    made: str = hubspot.post("/crm/v3/objects/companies", {"properties": {"name": name}}).content["id"]
    return made


def linked(hubspot: Wire, contact: str) -> dict[str, list[int]]:
    answer = hubspot.get(f"/crm/v4/objects/contacts/{contact}/associations/companies")
    assert answer.status == 200
    return {each["toObjectId"]: [one["typeId"] for one in each["associationTypes"]] for each in answer.results}


def test_the_first_company_of_a_contact_becomes_its_primary_one() -> None:
    hubspot = Wire()
    contact, first, second = hubspot.contact(email="a@example.com"), company(hubspot, "One"), company(hubspot, "Two")
    path = f"/crm/v4/objects/contacts/{contact}/associations/default/companies"
    answer = hubspot.call("PUT", f"{path}/{first}")
    assert answer.status == 200
    assert {each["associationSpec"]["associationTypeId"] for each in answer.results} == {1, 2, 279, 280}
    hubspot.call("PUT", f"{path}/{second}")
    assert linked(hubspot, contact) == {first: [1, 279], second: [279]}
    assert hubspot.read(contact, "associatedcompanyid") == {"associatedcompanyid": first}
    seen = hubspot.get(f"/crm/v4/objects/companies/{second}/associations/contacts").results
    assert seen == [{"toObjectId": contact, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 280}]}]


@pytest.mark.parametrize("side", ["contact", "company"])
def test_a_label_makes_another_company_the_primary_one(side: str) -> None:
    hubspot = Wire()
    contact, first, second = hubspot.contact(email="a@example.com"), company(hubspot, "One"), company(hubspot, "Two")
    hubspot.call("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{first}")
    path, type_id = {
        "contact": (f"/crm/v4/objects/contacts/{contact}/associations/companies/{second}", 1),
        "company": (f"/crm/objects/2026-09/companies/{second}/associations/contacts/{contact}", 2),
    }[side]
    answer = hubspot.call("PUT", path, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}])
    assert (answer.status, answer.content["labels"]) == (201, ["Primary"])
    assert linked(hubspot, contact) == {first: [279], second: [1, 279]}
    unknown = [{"associationCategory": "USER_DEFINED", "associationTypeId": 1}]
    assert hubspot.call("PUT", path, unknown).status == 400
    assert hubspot.call("DELETE", path).status == 204
    assert linked(hubspot, contact) == {first: [279]}
    assert hubspot.read(contact, "associatedcompanyid") == {"associatedcompanyid": None}


def test_an_archived_company_is_linked_to_nobody() -> None:
    hubspot = Wire()
    acme = company(hubspot, "Acme")
    contact = hubspot.contact(email="a@example.com", associatedcompanyid=acme)
    hubspot.delete(f"/crm/v3/objects/companies/{acme}")
    assert linked(hubspot, contact) == {}


def test_a_contact_is_made_with_its_company() -> None:
    hubspot = Wire()
    acme = company(hubspot, "Acme")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    body = {"properties": {"email": "a@example.com"}, "associations": [{"to": {"id": acme}, "types": types}]}
    made = hubspot.post(CONTACTS, body).content["id"]
    assert linked(hubspot, made) == {acme: [279]}
    row = {**body, "properties": {"email": "b@example.com"}, "objectWriteTraceId": "1"}
    nowhere = {**row, "properties": {"email": "c@example.com"}, "objectWriteTraceId": "2"}
    nowhere["associations"] = [{"to": {"id": "1"}, "types": types}]
    answer = hubspot.post(f"{CONTACTS}/batch/create", {"inputs": [row, nowhere]})
    assert (answer.status, len(answer.results)) == (207, 1)
    assert linked(hubspot, answer.results[0]["id"]) == {acme: [279]}
    assert (
        hubspot.post(CONTACTS, {"properties": {"lastname": "x"}, "associations": nowhere["associations"]}).status == 400
    )


def test_a_company_can_be_named_by_the_property_too() -> None:
    hubspot = Wire()
    acme = company(hubspot, "Acme")
    contact = hubspot.contact(email="a@example.com", associatedcompanyid=acme)
    assert linked(hubspot, contact) == {acme: [1, 279]}
    hubspot.patch(f"{CONTACTS}/{contact}", associatedcompanyid="")
    assert linked(hubspot, contact) == {}


def test_a_listing_shows_companies_to_those_who_ask() -> None:
    hubspot = Wire()
    acme = company(hubspot, "Acme")
    contact = hubspot.contact(email="a@example.com", associatedcompanyid=acme)
    hubspot.contact(email="b@example.com")
    first, second = hubspot.get(f"{CONTACTS}?associations=companies,deals").results
    assert first["associations"]["companies"]["results"] == [
        {"id": acme, "type": "contact_to_company"},
        {"id": acme, "type": "contact_to_company_unlabeled"},
    ]
    assert "associations" not in second
    shown = hubspot.get(f"/crm/v3/objects/companies/{acme}?associations=contacts").content["associations"]
    assert shown["contacts"]["results"][0]["id"] == contact
    assert "associations" not in hubspot.get(f"{CONTACTS}/{contact}").content


@pytest.mark.parametrize("path", ["/crm/v4/associations/contacts/companies", "/crm/associations/2026-09/0-1/0-2"])
def test_associations_come_in_batches(path: str) -> None:
    hubspot = Wire()
    dated = "2026" in path
    contacts = [hubspot.contact(email=f"{number}@example.com") for number in range(3)]
    acme, other = company(hubspot, "Acme"), company(hubspot, "Other")

    def batch(verb: str, *inputs: Mapping[str, object]) -> Answer:
        return hubspot.post(f"{path}/batch/{verb}", {"inputs": list(inputs)})

    pair = {"from": {"id": contacts[0]}, "to": {"id": acme}}
    assert batch("associate/default", pair).status == 200
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    made = batch("create", {"from": {"id": contacts[1]}, "to": {"id": other}, "types": types})
    assert made.status == (200 if dated else 201)
    read = batch("read", *({"id": each} for each in contacts))
    assert read.status == 207
    assert [each["from"]["id"] for each in read.results] == contacts[:2]
    assert read.results[0]["to"][0]["toObjectId"] == acme
    assert read.content["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    gone = batch("archive", {"from": {"id": contacts[0]}, "to": [{"id": acme}]})
    assert gone.status == (200 if dated else 204)
    assert linked(hubspot, contacts[0]) == {}
    assert batch("create", {"from": {"id": "1"}, "to": {"id": acme}, "types": types}).status == 404
    assert batch("read", *({"id": "1"} for _ in range(1001))).status == 400


def test_companies_come_along_in_a_merge() -> None:
    hubspot = Wire()
    one, two = company(hubspot, "One"), company(hubspot, "Two")
    first = hubspot.contact(email="a@example.com", associatedcompanyid=one)
    second = hubspot.contact(email="b@example.com", associatedcompanyid=two)
    survivor = hubspot.door.merge(Ref("contact", first), Ref("contact", second))
    assert linked(hubspot, survivor.id) == {one: [1, 279], two: [279]}
    assert hubspot.read(survivor.id, "associatedcompanyid") == {"associatedcompanyid": one}
    alone = hubspot.contact(email="c@example.com")
    last = hubspot.door.merge(Ref("contact", alone), survivor)
    assert linked(hubspot, last.id) == {one: [1, 279], two: [279]}


def test_contacts_are_not_associated_with_contacts_here() -> None:
    hubspot = Wire()
    contact = hubspot.contact(email="a@example.com")
    assert hubspot.get(f"/crm/v4/objects/contacts/{contact}/associations/contacts").status == 400
    assert hubspot.get("/crm/v4/objects/contacts/1/associations/companies").status == 404
