"""HubSpot's stand-in: two contacts become one under a new id, and contacts are erased for good."""

from __future__ import annotations

import pytest

from connectors.base import Ref, State
from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Wire


def merge(hubspot: Wire, primary: str, loser: str) -> str:
    answer = hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": primary, "objectIdToMerge": loser})
    assert answer.status == 200, answer.content
    survivor: str = answer.content["id"]
    return survivor


def two(hubspot: Wire) -> tuple[str, str]:
    first = hubspot.contact(email="a@example.com", city="Oslo", lifecyclestage="lead")
    hubspot.world.sleep(1)
    second = hubspot.contact(email="b@example.com", city="Bergen", phone="22", lifecyclestage="customer")
    hubspot.world.sleep(1)
    return first, second


def test_the_survivor_has_a_new_id_and_both_old_ones_lead_to_it() -> None:
    hubspot = Wire()
    first, second = two(hubspot)
    survivor = merge(hubspot, first, second)
    assert survivor not in (first, second)
    for old in (first, second):
        assert hubspot.get(f"{CONTACTS}/{old}").content["id"] == survivor
    assert [each["id"] for each in hubspot.get(CONTACTS).results] == [survivor]
    found = hubspot.read(survivor, "hs_merged_object_ids", "lastmodifieddate", "createdate")
    assert found["hs_merged_object_ids"] == f"{first};{second}"
    assert found["lastmodifieddate"] == "2026-01-01T00:00:02.000Z"
    assert found["createdate"] == "2026-01-01T00:00:00.000Z"


def test_the_primary_one_wins_is_filled_and_keeps_every_address() -> None:
    hubspot = Wire()
    survivor = merge(hubspot, *two(hubspot))
    found = hubspot.read(survivor, "email", "hs_additional_emails", "city", "phone", "lifecyclestage")
    assert found == {
        "email": "a@example.com",
        "hs_additional_emails": "b@example.com",
        "city": "Oslo",
        "phone": "22",
        "lifecyclestage": "customer",
    }
    assert hubspot.post(CONTACTS, {"properties": {"email": "b@example.com"}}).status == 409
    assert hubspot.get(f"{CONTACTS}/b@example.com?idProperty=email").content["id"] == survivor


def test_a_write_to_an_old_id_hits_the_survivor() -> None:
    hubspot = Wire()
    first, second = two(hubspot)
    survivor = merge(hubspot, first, second)
    answer = hubspot.patch(f"{CONTACTS}/{second}", city="Tromsø")
    assert (answer.status, answer.content["id"]) == (200, survivor)
    inputs = [{"id": first, "properties": {"jobtitle": "Head"}}]
    assert hubspot.post(f"{CONTACTS}/batch/update", {"inputs": inputs}).results[0]["id"] == survivor
    assert hubspot.read(survivor, "city", "jobtitle") == {"city": "Tromsø", "jobtitle": "Head"}
    read = hubspot.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": first}, {"id": second}], "properties": []})
    assert [each["id"] for each in read.results] == [survivor]
    assert hubspot.delete(f"{CONTACTS}/{first}").status == 204
    assert hubspot.get(f"{CONTACTS}/{survivor}").status == 404


def test_merges_make_chains() -> None:
    hubspot = Wire()
    first, second = two(hubspot)
    third = hubspot.contact(email="c@example.com")
    middle = merge(hubspot, first, second)
    last = merge(hubspot, third, second)
    assert len({first, second, third, middle, last}) == 5
    for old in (first, second, third, middle):
        assert hubspot.get(f"{CONTACTS}/{old}").content["id"] == last
    assert hubspot.read(last, "hs_merged_object_ids", "hs_additional_emails") == {
        "hs_merged_object_ids": ";".join([first, second, third, middle]),
        "hs_additional_emails": "a@example.com;b@example.com",
    }


def test_an_account_may_keep_the_id_of_the_primary_one() -> None:
    hubspot = Wire(new_id_on_merge=False)
    first, second = two(hubspot)
    assert merge(hubspot, first, second) == first
    assert hubspot.get(f"{CONTACTS}/{second}").content["id"] == first
    assert hubspot.read(first, "hs_merged_object_ids") == {"hs_merged_object_ids": second}


def test_a_merge_stands_in_the_history() -> None:
    hubspot = Wire()
    survivor = merge(hubspot, *two(hubspot))
    told = hubspot.get(f"{CONTACTS}/{survivor}?propertiesWithHistory=lifecyclestage").content["propertiesWithHistory"]
    assert [(each["value"], each["sourceType"]) for each in told["lifecyclestage"]] == [
        ("customer", "MERGE_OBJECTS"),
        ("lead", "INTEGRATION"),
    ]


@pytest.mark.parametrize("archived", [True, False])
def test_what_is_not_there_or_is_one_already_is_not_merged(archived: bool) -> None:
    hubspot = Wire()
    first, second = two(hubspot)
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    if archived:
        hubspot.delete(f"{CONTACTS}/{second}")
        assert hubspot.post(f"{CONTACTS}/merge", body).status == 404
    else:
        merge(hubspot, first, second)
        assert hubspot.post(f"{CONTACTS}/merge", body).status == 400
    assert hubspot.post(f"{CONTACTS}/merge", {**body, "objectIdToMerge": "1"}).status == 404


def test_a_record_takes_part_in_250_merges() -> None:
    hubspot = Wire()
    kept = hubspot.door.put("contact", {"lastname": "Kept"})
    for number in range(250):
        kept = hubspot.door.merge(kept, hubspot.door.put("contact", {"lastname": str(number)}))
    other = hubspot.contact(lastname="One more")
    assert hubspot.post(f"{CONTACTS}/merge", {"primaryObjectId": kept.id, "objectIdToMerge": other}).status == 400


def test_the_truth_knows_losers_by_their_old_names() -> None:
    hubspot = Wire()
    first, second = two(hubspot)
    middle = merge(hubspot, first, second)
    last = merge(hubspot, hubspot.contact(lastname="Third"), middle)
    kept = {each.ref.id: each for each in hubspot.door.records()}
    assert kept[last].state is State.LIVE
    for old in (first, second, middle):
        assert (kept[old].state, kept[old].merged_into) == (State.MERGED, Ref("contact", last))
    assert kept[second].fields["city"] == "Bergen"


def test_an_erased_contact_leaves_nothing_and_its_addresses_are_barred() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", hs_additional_emails="b@example.com", lastname="Canary")
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": id_}).status == 204
    for query in ("", "?archived=true"):
        assert hubspot.get(f"{CONTACTS}/{id_}{query}").status == 404
        assert hubspot.get(f"{CONTACTS}{query}").results == []
    (kept,) = hubspot.door.records()
    assert (kept.state, kept.fields) == (State.DELETED, {})
    for address in ("a@example.com", "B@example.com"):
        refused = hubspot.post(CONTACTS, {"properties": {"email": address}})
        assert (refused.status, refused.codes) == (400, ["BLOCKLISTED_EMAIL"])
    other = hubspot.contact(email="c@example.com")
    assert hubspot.patch(f"{CONTACTS}/{other}", email="a@example.com").codes == ["BLOCKLISTED_EMAIL"]


def test_an_address_that_nobody_has_is_barred_as_well() -> None:
    hubspot = Wire()
    hubspot.door.opt_out("never@example.com")
    body = {"objectId": "Never@example.com", "idProperty": "email"}
    assert hubspot.post("/crm/objects/2026-09/contacts/gdpr-delete", body).status == 204
    assert hubspot.post(CONTACTS, {"properties": {"email": "never@example.com"}}).codes == ["BLOCKLISTED_EMAIL"]
    told = hubspot.get("/communication-preferences/v4/statuses/never@example.com?channel=EMAIL").results
    assert {each["status"] for each in told} == {"NOT_SPECIFIED"}


def test_archived_contacts_are_erased_too_and_strangers_are_not_found() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    hubspot.delete(f"{CONTACTS}/{id_}")
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "a@example.com", "idProperty": "email"}).status == 204
    assert hubspot.get(f"{CONTACTS}?archived=true").results == []
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "1"}).status == 404
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "x", "idProperty": "email"}).status == 400
    assert hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "x", "idProperty": "smarketing_id"}).status == 400
