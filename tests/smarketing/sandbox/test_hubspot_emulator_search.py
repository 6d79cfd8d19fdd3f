"""HubSpot's stand-in: the search, its operators, its limits, and how late it is."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.backdoor import Fault, When
from connectors.base import Ref
from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Wire, where

PEOPLE: list[dict[str, object]] = [
    {"email": "kari@example.com", "firstname": "Kari", "lastname": "Hansen", "annualrevenue": "9", "city": "Oslo"},
    {"email": "ola@example.org", "firstname": "Ola", "lastname": "Hansen", "annualrevenue": "100", "city": "Bergen"},
    {"email": "åse@example.com", "firstname": "Åse", "hs_buying_role": "CHAMPION;BLOCKER"},
]


def account(people: list[dict[str, object]] = PEOPLE, **options: Any) -> Wire:
    hubspot = Wire(search_per_second=1000, **options)
    for each in people:
        hubspot.contact(**each)
        hubspot.world.sleep(1)
    hubspot.settle()
    return hubspot


def found(hubspot: Wire, *filters: dict[str, object], **more: object) -> list[str]:
    answer = hubspot.search(*filters, properties=["firstname"], **more)
    assert answer.status == 200, answer.content
    return [each["properties"]["firstname"] for each in answer.results]


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        (where("firstname", "EQ", "kari"), ["Kari"]),
        (where("firstname", "NEQ", "Kari"), ["Ola", "Åse"]),
        (where("annualrevenue", "LT", "10"), ["Kari"]),
        (where("annualrevenue", "LTE", "9"), ["Kari"]),
        (where("annualrevenue", "GT", "9"), ["Ola"]),
        (where("annualrevenue", "GTE", "9"), ["Kari", "Ola"]),
        (where("annualrevenue", "BETWEEN", "50", "100"), ["Ola"]),
        (where("lastname", "IN", "hansen", "olsen"), ["Kari", "Ola"]),
        (where("lastname", "IN", "Hansen"), []),
        (where("lastname", "NOT_IN", "hansen"), ["Åse"]),
        (where("hs_buying_role", "IN", "BLOCKER"), ["Åse"]),
        (where("hs_buying_role", "NOT_IN", "BLOCKER"), ["Kari", "Ola"]),
        (where("lastname", "HAS_PROPERTY"), ["Kari", "Ola"]),
        (where("lastname", "NOT_HAS_PROPERTY"), ["Åse"]),
        (where("email", "CONTAINS_TOKEN", "*@example.com"), ["Kari", "Åse"]),
        (where("email", "CONTAINS_TOKEN", "ola"), ["Ola"]),
        (where("email", "NOT_CONTAINS_TOKEN", "*.org"), ["Kari", "Åse"]),
        (where("createdate", "LTE", "2026-01-01T00:00:01Z"), ["Kari", "Ola"]),
        (where("createdate", "EQ", "1767225602000"), ["Åse"]),
        (where("lastmodifieddate", "GTE", "1767225601000"), ["Ola", "Åse"]),
        (where("lastmodifieddate", "GT", "1767225601000"), ["Åse"]),
        (where("lastmodifieddate", "LT", "1767225601000"), ["Kari"]),
        (where("lastmodifieddate", "BETWEEN", "1767225600000", "1767225601000"), ["Kari", "Ola"]),
        (where("hs_object_id", "GT", "951"), ["Ola", "Åse"]),
        (where("hs_object_id", "IN", "951", "953"), ["Kari", "Åse"]),
        (where("hs_lastmodifieddate", "GTE", "0"), []),
    ],
)
def test_an_operator_finds(filter_: dict[str, object], names: list[str]) -> None:
    assert found(account(), filter_) == names


def test_filters_of_a_group_all_hold_and_one_group_is_enough() -> None:
    hubspot = account()
    assert found(hubspot, where("lastname", "EQ", "Hansen"), where("city", "EQ", "Bergen")) == ["Ola"]
    groups = [{"filters": [where("city", "EQ", each)]} for each in ("Oslo", "Bergen", "Oslo")]
    answer = hubspot.post(f"{CONTACTS}/search", {"filterGroups": groups})
    assert answer.content["total"] == 2
    window = [where("lastmodifieddate", "GTE", "1767225600500"), where("hs_object_id", "GT", "952")]
    assert found(hubspot, *window) == ["Åse"]
    ids = [("GTE", "952"), ("GT", "950"), ("LTE", "952"), ("LT", "990")]
    assert found(hubspot, *(where("hs_object_id", operator, value) for operator, value in ids)) == ["Ola"]
    assert found(hubspot, where("lastmodifieddate", "GT", "5"), where("lastmodifieddate", "LT", "4")) == []


def test_words_are_looked_for_in_names_and_addresses() -> None:
    hubspot = account()
    assert found(hubspot, query="hans") == ["Kari", "Ola"]
    assert found(hubspot, where("city", "EQ", "Oslo"), query="hansen") == ["Kari"]


@pytest.mark.parametrize(
    ("sorts", "names"),
    [
        ([], ["Kari", "Ola", "Åse"]),
        (["-createdate"], ["Åse", "Ola", "Kari"]),
        ([{"propertyName": "firstname", "direction": "DESCENDING"}], ["Åse", "Ola", "Kari"]),
        ([{"propertyName": "city", "direction": "ASCENDING"}], ["Ola", "Kari", "Åse"]),
        (["-annualrevenue"], ["Ola", "Kari", "Åse"]),
        (["lastmodifieddate"], ["Kari", "Ola", "Åse"]),
        (["-lastmodifieddate"], ["Åse", "Ola", "Kari"]),
    ],
)
def test_sorts_are_strings_or_objects(sorts: list[object], names: list[str]) -> None:
    assert found(account(), sorts=sorts) == names
    assert found(account(), where("lastmodifieddate", "GT", "0"), sorts=sorts) == names


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "x"},
        {"after": "9999", "limit": 2},
        {"after": "10000"},
        {"sorts": ["email", "city"]},
        {"sorts": ["no_such_thing"]},
        {"filterGroups": [{"filters": [where("no_such_thing", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("city", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("createdate", "GT", "yesterday")]}]},
        {"filterGroups": [{"filters": [where("annualrevenue", "GT", "much")]}]},
        {"filterGroups": [{"filters": [where("hs_object_id", "GT", "nan")]}]},
        {"filterGroups": [{"filters": [where("hs_object_id", "LT", "1e400")]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "IN"}]}]},
        {"filterGroups": [{"filters": [where("city", "EQ", "x")]}] * 6},
        {"filterGroups": [{"filters": [where("city", "EQ", "x")] * 7}]},
        {"filterGroups": [{"filters": [where("city", "EQ", "x")] * 5}] * 4},
        {"properties": ["x" * 3000]},
    ],
)
def test_a_search_has_limits(body: dict[str, object]) -> None:
    refused = Wire().post(f"{CONTACTS}/search", body)
    assert (refused.status, refused.content["category"]) == (400, "VALIDATION_ERROR")


def test_pages_are_counted_by_offset_up_to_the_wall() -> None:
    hubspot = Wire(search_per_second=1000, ten_second_limit=1000)
    for start in range(0, 10_100, 100):
        inputs = [{"properties": {"lastname": str(number)}} for number in range(start, start + 100)]
        assert hubspot.post(f"{CONTACTS}/batch/create", {"inputs": inputs}).status == 201
    hubspot.settle()
    shown, after = [], "0"
    while True:
        answer = hubspot.search(limit=200, after=after, sorts=["hs_object_id"])
        if answer.status == 400:
            break
        assert answer.content["total"] == 10_100
        shown += [each["id"] for each in answer.results]
        after = answer.content["paging"]["next"]["after"]
    assert (after, len(set(shown))) == ("10000", 10_000)
    behind = hubspot.search(where("hs_object_id", "GT", shown[-1]), limit=200)
    assert behind.content["total"] == 100
    assert "paging" not in behind.content


def test_a_search_shows_changes_late_and_as_they_were() -> None:
    hubspot = account()
    hubspot.patch(f"{CONTACTS}/951", city="Tromsø")
    hubspot.contact(email="new@example.com", firstname="New")
    hubspot.delete(f"{CONTACTS}/952")
    assert found(hubspot) == ["Kari", "Ola", "Åse"]
    assert found(hubspot, where("city", "EQ", "Oslo")) == ["Kari"]
    hubspot.world.sleep(4.9)
    assert found(hubspot, where("city", "EQ", "Tromsø")) == []
    hubspot.world.sleep(0.2)
    assert found(hubspot) == ["Kari", "Åse", "New"]
    assert found(hubspot, where("city", "EQ", "Tromsø")) == ["Kari"]


def test_a_change_on_its_way_is_overtaken_by_a_faster_one() -> None:
    hubspot = account()
    hubspot.door.fault(Fault.LAG, When(value=30))
    hubspot.patch(f"{CONTACTS}/951", city="late")
    hubspot.patch(f"{CONTACTS}/952", city="late")
    hubspot.world.sleep(1)
    hubspot.door.fault(Fault.LAG, When(value=0))
    hubspot.patch(f"{CONTACTS}/952", city="soon")
    hubspot.contact(firstname="New", city="soon")
    assert found(hubspot, where("city", "EQ", "soon")) == ["Ola", "New"]
    assert found(hubspot, where("city", "EQ", "late")) == []
    hubspot.world.sleep(30)
    assert found(hubspot, where("city", "EQ", "late")) == ["Kari"]
    assert found(hubspot, where("city", "EQ", "soon")) == ["Ola", "New"]


def test_an_answer_shows_requested_properties_of_the_index_and_its_default_ones() -> None:
    hubspot = account()
    hubspot.patch(f"{CONTACTS}/951", city="Tromsø")
    shown = hubspot.search(where("hs_object_id", "EQ", "951"), properties=["city", "phone", "nothing"]).results[0]
    assert (shown["properties"]["city"], shown["properties"]["phone"]) == ("Oslo", None)
    assert "nothing" not in shown["properties"]
    assert shown["updatedAt"] == "2026-01-01T00:00:00.000Z"
    assert "lastname" in hubspot.search().results[0]["properties"]


def test_the_pages_of_a_query_do_not_slip_while_nothing_changes() -> None:
    hubspot = account([{"lastname": "Same", "firstname": str(number)} for number in range(7)])
    pages = [found(hubspot, sorts=["lastname"], limit=3, after=str(after)) for after in (0, 3, 6)]
    assert [name for page in pages for name in page] == [str(number) for number in range(7)]


@pytest.mark.parametrize("path", ["/crm/objects/2026-03/contacts/search", "/crm/objects/2026-09/contacts/search"])
def test_the_dated_paths_search_too(path: str) -> None:
    hubspot = account()
    body = {"filterGroups": [], "limit": 2, "after": "", "sorts": [], "properties": []}
    answer = hubspot.post(path, body)
    assert (answer.content["total"], answer.content["paging"]) == (3, {"next": {"after": "2"}})


def test_an_erased_or_merged_contact_is_found_no_more() -> None:
    hubspot = account()
    hubspot.door.merge(Ref("contact", "951"), Ref("contact", "952"))
    hubspot.post(f"{CONTACTS}/gdpr-delete", {"objectId": "953"})
    hubspot.settle()
    assert [each["id"] for each in hubspot.search().results] == ["954"]
