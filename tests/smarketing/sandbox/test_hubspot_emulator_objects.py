"""HubSpot's stand-in: contacts one by one and as listings, in both families of paths."""

from __future__ import annotations

import pytest

from tests.smarketing.sandbox.hubspot_wire import BASE, CONTACTS, Wire

FAMILIES = [CONTACTS, "/crm/objects/2026-03/contacts", "/crm/objects/2026-09/contacts"]


@pytest.mark.parametrize("path", FAMILIES)
def test_a_contact_is_made_read_changed_and_archived(path: str) -> None:
    hubspot = Wire()
    made = hubspot.post(path, {"properties": {"email": "Kari@Example.com", "firstname": "Kari"}})
    assert made.status == 201
    id_ = made.content["id"]
    assert made.properties["email"] == "kari@example.com"
    assert made.properties["hs_object_id"] == id_
    assert made.content["createdAt"] == made.content["updatedAt"] == "2026-01-01T00:00:00.000Z"
    hubspot.world.sleep(1.5)
    changed = hubspot.patch(f"{path}/{id_}", firstname="Karin", lastname="Hansen")
    assert (changed.status, changed.properties["lastname"]) == (200, "Hansen")
    assert changed.content["updatedAt"] == changed.properties["lastmodifieddate"] == "2026-01-01T00:00:01.500Z"
    read = hubspot.get(f"{path}/{id_}").content
    assert read == {
        "id": id_,
        "properties": {
            "createdate": "2026-01-01T00:00:00.000Z",
            "email": "kari@example.com",
            "firstname": "Karin",
            "hs_object_id": id_,
            "lastmodifieddate": "2026-01-01T00:00:01.500Z",
            "lastname": "Hansen",
        },
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:01.500Z",
        "archived": False,
    }
    assert hubspot.delete(f"{path}/{id_}").status == 204
    assert hubspot.get(f"{path}/{id_}").status == 404
    assert hubspot.patch(f"{path}/{id_}", firstname="K").status == 404


def test_ids_count_up_through_a_change_of_digits() -> None:
    hubspot = Wire()
    ids = [int(hubspot.contact(firstname=str(number))) for number in range(60)]
    assert ids == list(range(ids[0], ids[0] + 60))
    assert len(str(ids[0])) < len(str(ids[-1]))


def test_requested_and_empty_is_null_and_requested_and_unknown_is_left_out() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    read = hubspot.get(f"{CONTACTS}/{id_}?properties=phone&properties=no_such_thing,email").properties
    assert set(read) == {"createdate", "email", "hs_object_id", "lastmodifieddate", "phone"}
    assert read["phone"] is None


def test_an_id_property_names_a_contact_by_a_unique_value() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", smarketing_id="k-1")
    assert hubspot.get(f"{CONTACTS}/A@example.com?idProperty=email").content["id"] == id_
    assert hubspot.get(f"{CONTACTS}/k-1?idProperty=smarketing_id").content["id"] == id_
    assert hubspot.patch(f"{CONTACTS}/a%40example.com?idProperty=email", city="Oslo").status == 200
    assert hubspot.get(f"{CONTACTS}/b@example.com?idProperty=email").status == 404
    assert hubspot.get(f"{CONTACTS}/Oslo?idProperty=city").status == 400
    assert hubspot.get(f"{CONTACTS}/a@example.com").status == 404


def test_an_account_may_have_no_key_property() -> None:
    hubspot = Wire(key_property=False)
    refused = hubspot.post(CONTACTS, {"properties": {"email": "a@example.com", "smarketing_id": "k"}})
    assert refused.codes == ["PROPERTY_DOESNT_EXIST"]


def test_an_address_belongs_to_one_contact_and_the_holder_stands_in_the_text() -> None:
    hubspot = Wire()
    holder = hubspot.contact(email="a@example.com", hs_additional_emails="b@example.com;c@example.com")
    for address in ("A@EXAMPLE.COM", "c@example.com"):
        refused = hubspot.post(CONTACTS, {"properties": {"email": address}})
        assert refused.status == 409
        assert refused.content["category"] == "CONFLICT"
        assert refused.content["message"] == f"Contact already exists. Existing ID: {holder}"
    other = hubspot.contact(email="d@example.com")
    assert hubspot.patch(f"{CONTACTS}/{other}", email="b@example.com").status == 409
    assert hubspot.patch(f"{CONTACTS}/{other}", hs_additional_emails="a@example.com").status == 409
    assert hubspot.read(other, "email") == {"email": "d@example.com"}


def test_a_unique_property_of_the_account_belongs_to_one_contact_and_the_holder_stands_last_in_the_text() -> None:
    hubspot = Wire()
    holder = hubspot.contact(email="a@example.com", smarketing_id="k-1")
    other = hubspot.contact(email="b@example.com")
    created = hubspot.post(CONTACTS, {"properties": {"lastname": "x", "smarketing_id": "k-1"}})
    changed = hubspot.patch(f"{CONTACTS}/{other}", smarketing_id="k-1")
    for refused, writer in ((created, int(other) + 1), (changed, other)):
        assert (refused.status, refused.content["category"]) == (400, "VALIDATION_ERROR")
        assert refused.codes == ["CONFLICTING_UNIQUE_VALUE"]
        assert "propertyName=smarketing_id, value=k-1}" in refused.content["message"]
        assert refused.content["message"].endswith(f" on {writer}. {holder} already has that value.")


def test_an_address_that_is_taken_is_told_before_any_other_value() -> None:
    hubspot = Wire()
    hubspot.contact(email="a@example.com", smarketing_id="k-1")
    assert hubspot.post(CONTACTS, {"properties": {"email": "a@example.com", "smarketing_id": "k-1"}}).status == 409


def test_an_address_is_free_again_when_it_is_given_up_or_archived() -> None:
    hubspot = Wire()
    first = hubspot.contact(email="a@example.com")
    hubspot.patch(f"{CONTACTS}/{first}", email="new@example.com")
    second = hubspot.contact(email="a@example.com")
    hubspot.delete(f"{CONTACTS}/{second}")
    assert hubspot.contact(email="a@example.com") not in (first, second)


def test_an_additional_address_that_becomes_the_primary_one_is_no_longer_additional() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", hs_additional_emails="b@example.com;c@example.com")
    assert hubspot.patch(f"{CONTACTS}/{id_}", email="b@example.com").status == 200
    found = hubspot.read(id_, "email", "hs_additional_emails")
    assert found == {"email": "b@example.com", "hs_additional_emails": "c@example.com"}


def test_a_contact_needs_an_address_or_a_name() -> None:
    hubspot = Wire()
    assert hubspot.post(CONTACTS, {"properties": {"phone": "1"}}).status == 400
    assert hubspot.post(CONTACTS, {"properties": {"email": ""}}).status == 400
    assert hubspot.contact(lastname="Hansen")


def test_a_write_that_changes_nothing_is_no_modification() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", city="Oslo")
    before = hubspot.read(id_, "lastmodifieddate")
    hubspot.world.sleep(10)
    assert hubspot.patch(f"{CONTACTS}/{id_}", city="Oslo", email="A@example.com").status == 200
    assert hubspot.read(id_, "lastmodifieddate") == before


def test_one_bad_value_spoils_the_whole_write() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    refused = hubspot.patch(f"{CONTACTS}/{id_}", city="Oslo", hs_lead_status="NOPE", no_such_thing="1")
    assert (refused.status, refused.content["category"]) == (400, "VALIDATION_ERROR")
    assert refused.codes == ["INVALID_OPTION", "PROPERTY_DOESNT_EXIST"]
    assert refused.content["errors"][1] == {
        "message": 'Property "no_such_thing" does not exist',
        "code": "PROPERTY_DOESNT_EXIST",
        "context": {"propertyName": ["no_such_thing"]},
    }
    assert refused.content["message"].startswith('Property values were not valid: [{"isValid":false,')
    assert hubspot.read(id_, "city") == {"city": None}


def test_archiving_twice_is_no_error_and_a_stranger_is_not_found() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    assert [hubspot.delete(f"{CONTACTS}/{id_}").status for _ in range(2)] == [204, 204]
    assert hubspot.delete(f"{CONTACTS}/1").status == 404


def test_archived_contacts_are_shown_to_those_who_ask_for_them() -> None:
    hubspot = Wire()
    kept, gone = hubspot.contact(email="a@example.com"), hubspot.contact(email="b@example.com", smarketing_id="k")
    hubspot.world.sleep(60)
    hubspot.delete(f"{CONTACTS}/{gone}")
    assert [each["id"] for each in hubspot.get(CONTACTS).results] == [kept]
    (listed,) = hubspot.get(f"{CONTACTS}?archived=true").results
    assert (listed["id"], listed["archived"], listed["archivedAt"]) == (gone, True, "2026-01-01T00:01:00.000Z")
    assert hubspot.get(f"{CONTACTS}/{gone}?archived=true").status == 200
    assert hubspot.get(f"{CONTACTS}/k?idProperty=smarketing_id&archived=true").content["id"] == gone
    assert hubspot.get(f"{CONTACTS}/{kept}?archived=true").status == 404


def test_archived_contacts_go_by_id_whenever_they_went() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(lastname=str(number)) for number in range(4)]
    for id_ in (ids[3], ids[0], ids[2]):
        hubspot.delete(f"{CONTACTS}/{id_}")
    first = hubspot.get(f"{CONTACTS}?archived=true&limit=2")
    after = first.content["paging"]["next"]["after"]
    rest = hubspot.get(f"{CONTACTS}?archived=true&limit=2&after={after}")
    assert [each["id"] for each in (*first.results, *rest.results)] == [ids[0], ids[2], ids[3]]


def test_a_listing_goes_by_id_in_pages_with_a_link() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(firstname=str(number)) for number in range(25)]
    first = hubspot.get(f"{CONTACTS}?properties=firstname")
    assert [each["id"] for each in first.results] == ids[:10]
    link = first.content["paging"]["next"]["link"]
    assert link.startswith(f"{BASE}{CONTACTS}?")
    assert "properties=firstname" in link
    second = hubspot.get(f"{CONTACTS}?limit=100&after={first.content['paging']['next']['after']}")
    assert [each["id"] for each in second.results] == ids[10:]
    assert "paging" not in second.content


def test_a_listing_shows_a_new_contact_at_once_and_misses_none_when_others_go() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(firstname=str(number)) for number in range(4)]
    after = hubspot.get(f"{CONTACTS}?limit=2").content["paging"]["next"]["after"]
    hubspot.delete(f"{CONTACTS}/{ids[0]}")
    hubspot.delete(f"{CONTACTS}/{ids[2]}")
    new = hubspot.contact(firstname="new")
    assert [each["id"] for each in hubspot.get(f"{CONTACTS}?after={after}").results] == [ids[3], new]


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=x", "after=x", "limit=51&propertiesWithHistory=city"])
def test_a_page_has_limits(query: str) -> None:
    assert Wire().get(f"{CONTACTS}?{query}").status == 400


def test_the_history_of_a_property_tells_values_times_and_sources_newest_first() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", city="Oslo")
    hubspot.world.sleep(1)
    hubspot.patch(f"{CONTACTS}/{id_}", city="Bergen")
    hubspot.world.sleep(1)
    hubspot.patch(f"{CONTACTS}/{id_}", city="")
    read = hubspot.get(f"{CONTACTS}/{id_}?propertiesWithHistory=city,phone").content
    assert [each["value"] for each in read["propertiesWithHistory"]["city"]] == ["", "Bergen", "Oslo"]
    assert read["propertiesWithHistory"]["phone"] == []
    newest = read["propertiesWithHistory"]["city"][0]
    assert (newest["timestamp"], newest["sourceType"]) == ("2026-01-01T00:00:02.000Z", "INTEGRATION")
    assert read["properties"]["city"] is None


def test_our_app_is_told_as_the_source_of_what_it_made() -> None:
    hubspot = Wire()
    found = hubspot.read(hubspot.contact(email="a@example.com"), "hs_object_source", "hs_object_source_id")
    assert found["hs_object_source"] == "INTEGRATION"
    assert found["hs_object_source_id"].isdecimal()


def test_the_date_of_creation_can_be_given_once() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", createdate="2019-05-01T10:00:00Z")
    assert hubspot.get(f"{CONTACTS}/{id_}").content["createdAt"] == "2019-05-01T10:00:00.000Z"
    assert hubspot.patch(f"{CONTACTS}/{id_}", createdate="2020-05-01T10:00:00Z").codes == ["READ_ONLY_VALUE"]


def test_companies_are_listed_found_and_made_too() -> None:
    hubspot = Wire()
    path = "/crm/v3/objects/companies"
    made = hubspot.post(path, {"properties": {"name": "Acme", "domain": "acme.example.com"}})
    assert made.status == 201
    assert hubspot.get(path).results[0]["properties"]["hs_lastmodifieddate"] == "2026-01-01T00:00:00.000Z"
    assert hubspot.get(f"{path}/{made.content['id']}").properties["name"] == "Acme"
    hubspot.settle()
    body = {"filterGroups": [{"filters": [{"propertyName": "domain", "operator": "EQ", "value": "acme.example.com"}]}]}
    assert hubspot.post(f"{path}/search", body).content["total"] == 1
    read = hubspot.post(f"{path}/batch/read", {"inputs": [{"id": made.content["id"]}], "properties": ["name"]})
    assert read.results[0]["properties"]["name"] == "Acme"


def test_a_clock_that_is_put_right_is_none_of_the_vendors() -> None:
    hubspot = Wire()
    hubspot.world.jump(-3600)
    id_ = hubspot.contact(email="a@example.com")
    assert hubspot.get(f"{CONTACTS}/{id_}").content["createdAt"] == "2026-01-01T00:00:00.000Z"
