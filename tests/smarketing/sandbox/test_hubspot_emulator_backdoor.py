"""HubSpot's stand-in: the people behind it, and the days on which it goes wrong."""

from __future__ import annotations

import json

import pytest

from connectors.backdoor import Fault, When
from connectors.base import Fields, Ref, State
from smarketing.sandbox.emulator import OTHER_HOST, Broken, Emulator, Request
from tests.smarketing.sandbox.hubspot_wire import BASE, CONTACTS, TOKEN, Wire, where


def test_it_is_an_emulator_and_tells_its_credentials() -> None:
    emulator: Emulator = Wire().door
    assert emulator.name == "hubspot"
    assert emulator.credentials(BASE) == {"base_url": BASE, "token": TOKEN}


def test_a_person_makes_edits_and_removes_a_contact() -> None:
    hubspot = Wire()
    ref = hubspot.door.put(
        "contact", {"email": "A@example.com", "hs_buying_role": ["CHAMPION", "BLOCKER"], "city": None}
    )
    hubspot.world.sleep(1)
    hubspot.door.edit(ref, {"city": "Oslo", "hs_buying_role": None, "annualrevenue": 5})
    assert hubspot.read(ref.id, "email", "city", "hs_buying_role", "annualrevenue") == {
        "email": "a@example.com",
        "city": "Oslo",
        "hs_buying_role": None,
        "annualrevenue": "5",
    }
    hubspot.door.remove(ref)
    (kept,) = hubspot.door.records()
    assert (kept.ref, kept.state, kept.fields["city"]) == (ref, State.ARCHIVED, "Oslo")
    assert kept.modified == hubspot.world.now()


@pytest.mark.parametrize(
    ("as_", "source", "user"),
    [
        ("person", "CRM_UI", True),
        ("workflow", "AUTOMATION_PLATFORM", False),
        ("import", "IMPORT", True),
        ("integration", "INTEGRATION", False),
    ],
)
def test_who_edits_is_told_by_source(as_: str, source: str, user: bool) -> None:
    hubspot = Wire()
    ref = hubspot.door.put("contact", {"email": "a@example.com"})
    assert hubspot.read(ref.id, "hs_object_source") == {"hs_object_source": "CRM_UI"}
    hubspot.door.edit(ref, {"city": "Oslo"}, as_)
    told = hubspot.get(f"{CONTACTS}/{ref.id}?propertiesWithHistory=city").content["propertiesWithHistory"]["city"][0]
    assert (told["sourceType"], "updatedByUserId" in told) == (source, user)
    by = hubspot.read(ref.id, "hs_updated_by_user_id")["hs_updated_by_user_id"]
    assert (by is not None) is user


def test_another_integration_is_not_ours() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", city="Oslo")
    hubspot.door.edit(Ref("contact", id_), {"city": "Bergen"}, "integration")
    told = hubspot.get(f"{CONTACTS}/{id_}?propertiesWithHistory=city").content["propertiesWithHistory"]["city"]
    assert told[0]["sourceType"] == told[1]["sourceType"]
    assert told[0]["sourceId"] != told[1]["sourceId"]


def test_a_person_moves_a_stage_back_and_a_workflow_does_not() -> None:
    hubspot = Wire()
    ref = hubspot.door.put("contact", {"email": "a@example.com", "lifecyclestage": "customer"})
    hubspot.door.edit(ref, {"lifecyclestage": "lead"}, "workflow")
    assert hubspot.read(ref.id, "lifecyclestage") == {"lifecyclestage": "customer"}
    hubspot.door.edit(ref, {"lifecyclestage": "lead"})
    assert hubspot.read(ref.id, "lifecyclestage") == {"lifecyclestage": "lead"}


def test_what_the_vendor_finds_out_for_itself_can_be_told_by_the_door_alone() -> None:
    hubspot = Wire()
    ref = hubspot.door.put("contact", {"email": "a@example.com"})
    hubspot.door.edit(ref, {"hs_email_bounce": 3}, "workflow")
    assert hubspot.read(ref.id, "hs_email_bounce") == {"hs_email_bounce": "3"}
    assert hubspot.patch(f"{CONTACTS}/{ref.id}", hs_email_bounce="4").codes == ["READ_ONLY_VALUE"]


@pytest.mark.parametrize(
    ("object_", "fields"),
    [
        ("contact", {"email": "no address"}),
        ("contact", {"email": "there@example.com"}),
        ("contact", {"phone": "1"}),
        ("contact", {"lastname": "x", "hs_buying_role": {"items": [], "partial": True}}),
        ("deals", {"dealname": "x"}),
    ],
)
def test_the_door_refuses_what_the_screens_would_refuse(object_: str, fields: Fields) -> None:
    hubspot = Wire()
    hubspot.contact(email="there@example.com")
    with pytest.raises(ValueError, match=r"\w+"):
        hubspot.door.put(object_, fields)
    assert len(hubspot.door.records()) == 1


def test_nobody_edits_what_nobody_sees_and_strangers_do_nothing() -> None:
    hubspot = Wire()
    ref = hubspot.door.put("contact", {"email": "a@example.com"})
    with pytest.raises(ValueError, match="ghost"):
        hubspot.door.edit(ref, {"city": "x"}, "ghost")
    with pytest.raises(ValueError, match="INVALID_OPTION"):
        hubspot.door.edit(ref, {"hs_lead_status": "x"})
    hubspot.door.remove(ref)
    with pytest.raises(ValueError, match="contact"):
        hubspot.door.edit(ref, {"city": "x"})
    with pytest.raises(ValueError, match="contact"):
        hubspot.door.remove(ref)
    with pytest.raises(ValueError, match="contact"):
        hubspot.door.merge(ref, hubspot.door.put("contact", {"lastname": "x"}))


def test_the_door_reaches_a_survivor_by_its_old_names() -> None:
    hubspot = Wire()
    first, second = (hubspot.door.put("contact", {"email": f"{each}@example.com"}) for each in "ab")
    survivor = hubspot.door.merge(first, second)
    hubspot.door.edit(second, {"city": "Oslo"})
    assert hubspot.read(survivor.id, "city") == {"city": "Oslo"}


def test_the_truth_comes_without_lag_and_in_a_fixed_order() -> None:
    hubspot = Wire()
    company = hubspot.door.put("company", {"name": "Acme"})
    refs = [hubspot.door.put("contact", {"lastname": str(number)}) for number in range(60)]
    assert [each.ref for each in hubspot.door.records()] == [*refs, company]


def test_every_request_is_remembered() -> None:
    hubspot = Wire()
    hubspot.contact(email="a@example.com")
    hubspot.get(f"{CONTACTS}/1?properties=city")
    first, second = hubspot.door.requests()
    assert (first.method, first.path, first.status) == ("POST", CONTACTS, 201)
    assert json.loads(first.body)["properties"] == {"email": "a@example.com"}
    assert (second.path, second.status) == (f"{CONTACTS}/1?properties=city", 404)


def test_faults_speak_the_vendors_words() -> None:
    hubspot = Wire()
    for kind, status, category in [
        (Fault.RATE, 429, "RATE_LIMITS"),
        (Fault.ERROR, 500, "INTERNAL_ERROR"),
        (Fault.EXPIRED, 401, "EXPIRED_AUTHENTICATION"),
        (Fault.FORBIDDEN, 403, "MISSING_SCOPES"),
    ]:
        hubspot.door.fault(kind, When(path=f"POST {CONTACTS}", value=3))
        answer = hubspot.post(CONTACTS, {"properties": {"email": "a@example.com"}})
        assert (answer.status, answer.content["category"]) == (status, category)
        assert answer.headers.get("Retry-After") == ("3" if kind is Fault.RATE else None)
    assert hubspot.door.records() == []


def test_an_error_after_the_effect_and_a_cut_after_it_leave_the_effect() -> None:
    hubspot = Wire()
    hubspot.door.fault(Fault.ERROR_AFTER, When(path="batch/create"))
    body = {"inputs": [{"properties": {"email": "a@example.com"}}]}
    assert hubspot.post(f"{CONTACTS}/batch/create", body).status == 500
    hubspot.door.fault(Fault.CUT_AFTER, When(path="DELETE"))
    with pytest.raises(Broken):
        hubspot.delete(f"{CONTACTS}/951")
    assert [each.state for each in hubspot.door.records()] == [State.ARCHIVED]


def test_a_late_write_is_made_when_its_time_has_come_whoever_looks() -> None:
    hubspot = Wire()
    hubspot.door.fault(Fault.LATE, When(path="POST", value=10))
    with pytest.raises(Broken):
        hubspot.contact(email="a@example.com")
    assert hubspot.door.records() == []
    hubspot.world.sleep(10)
    assert [each.fields["email"] for each in hubspot.door.records()] == ["a@example.com"]


def test_a_duplicate_page_of_a_listing_is_the_one_before() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(lastname=str(number)) for number in range(6)]
    first = hubspot.get(f"{CONTACTS}?limit=2")
    after = first.content["paging"]["next"]["after"]
    hubspot.door.fault(Fault.DUPLICATE_PAGE, When(path=CONTACTS))
    again = hubspot.get(f"{CONTACTS}?limit=2&after={after}")
    assert again.results == first.results
    assert again.content["paging"]["next"]["after"] == after
    assert [each["id"] for each in hubspot.get(f"{CONTACTS}?limit=2&after={after}").results] == ids[2:4]


def test_a_duplicate_page_of_a_search_is_the_one_before() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(lastname=str(number)) for number in range(6)]
    hubspot.settle()
    hubspot.door.fault(Fault.DUPLICATE_PAGE, When(path="search", skip=1))
    pages = [hubspot.search(where("lastname", "HAS_PROPERTY"), limit=2, after=after) for after in ("0", "2", "2")]
    assert [[each["id"] for each in page.results] for page in pages] == [ids[:2], ids[:2], ids[2:4]]
    assert pages[1].content["paging"]["next"]["after"] == "2"


def test_a_foreign_link_points_at_another_host_once() -> None:
    hubspot = Wire()
    for number in range(3):
        hubspot.contact(lastname=str(number))
    hubspot.settle()
    hubspot.door.fault(Fault.FOREIGN_LINK, When(times=2))
    listed = hubspot.get(f"{CONTACTS}?limit=1").content["paging"]["next"]["link"]
    searched = hubspot.search(limit=1).content["paging"]["next"]["link"]
    assert listed.startswith(f"{OTHER_HOST}{CONTACTS}")
    assert searched.startswith(OTHER_HOST)
    assert hubspot.get(f"{CONTACTS}?limit=1").content["paging"]["next"]["link"].startswith(BASE)


def test_the_same_requests_are_answered_the_same_in_every_account() -> None:
    def play() -> list[bytes]:
        hubspot = Wire()
        headers = {"authorization": f"Bearer {TOKEN}"}
        body = json.dumps({"inputs": [{"properties": {"email": f"{each}@example.com"}} for each in "cab"]}).encode()
        targets = [("POST", f"{CONTACTS}/batch/create", body), ("GET", CONTACTS, b""), ("GET", f"{CONTACTS}/x", b"")]
        requests = [Request.of(method, target, headers, body, BASE) for method, target, body in targets]
        return [hubspot.door.handle(each).body for each in requests]

    assert play() == play()
