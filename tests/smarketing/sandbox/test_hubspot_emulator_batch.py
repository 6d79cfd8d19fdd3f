"""HubSpot's stand-in: a hundred at a time, whole or not at all, and the two cases in which a part fails alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Answer, Wire


def rows(*properties: Mapping[str, object], traced: bool = False) -> dict[str, Any]:
    return {
        "inputs": [
            {"properties": each, **({"objectWriteTraceId": f"row-{place}"} if traced else {})}
            for place, each in enumerate(properties)
        ]
    }


def create(hubspot: Wire, *properties: Mapping[str, object], traced: bool = False) -> Answer:
    return hubspot.post(f"{CONTACTS}/batch/create", rows(*properties, traced=traced))


def listed(hubspot: Wire) -> list[str]:
    return [each["properties"]["email"] for each in hubspot.get(f"{CONTACTS}?limit=100").results]


GOOD = [{"email": f"{number}@example.com"} for number in range(3)]
BAD: dict[str, object] = {"email": "bad@example.com", "hs_lead_status": "NOPE"}


def test_a_batch_of_creates_answers_all_in_another_order() -> None:
    hubspot = Wire()
    answer = create(hubspot, *GOOD, traced=True)
    assert (answer.status, answer.content["status"]) == (201, "COMPLETE")
    assert "errors" not in answer.content
    traces = [each["objectWriteTraceId"] for each in answer.results]
    assert sorted(traces) == ["row-0", "row-1", "row-2"] != traces
    by_trace = {each["objectWriteTraceId"]: each["properties"]["email"] for each in answer.results}
    assert by_trace == {f"row-{number}": f"{number}@example.com" for number in range(3)}


def test_without_trace_ids_one_bad_row_refuses_the_whole_batch() -> None:
    hubspot = Wire()
    refused = create(hubspot, GOOD[0], BAD, GOOD[1])
    assert (refused.status, refused.codes) == (400, ["INVALID_OPTION"])
    assert listed(hubspot) == []


def test_with_trace_ids_the_bad_rows_fail_alone() -> None:
    hubspot = Wire()
    holder = hubspot.contact(email="there@example.com")
    answer = create(hubspot, GOOD[0], BAD, {"email": "there@example.com"}, GOOD[1], traced=True)
    assert (answer.status, answer.content["numErrors"], len(answer.results)) == (207, 2, 2)
    errors = {each["context"]["objectWriteTraceId"][0]: each for each in answer.content["errors"]}
    assert errors["row-1"]["category"] == "VALIDATION_ERROR"
    assert errors["row-1"]["errors"][0]["code"] == "INVALID_OPTION"
    assert errors["row-2"]["category"] == "CONFLICT"
    assert errors["row-2"]["message"] == f"Contact already exists. Existing ID: {holder}"
    assert listed(hubspot) == ["there@example.com", "0@example.com", "1@example.com"]


@pytest.mark.parametrize("traces", [["a", "a"], ["a", None], ["", "b"]])
def test_trace_ids_that_are_missing_or_doubled_are_as_good_as_none(traces: list[str | None]) -> None:
    hubspot = Wire()
    inputs = [
        {"properties": each, "objectWriteTraceId": trace} for each, trace in zip((GOOD[0], BAD), traces, strict=True)
    ]
    assert hubspot.post(f"{CONTACTS}/batch/create", {"inputs": inputs}).status == 400
    assert listed(hubspot) == []


def test_an_address_twice_in_a_batch_is_refused_the_second_time() -> None:
    hubspot = Wire()
    twin = {"email": "0@EXAMPLE.com"}
    assert create(hubspot, GOOD[0], twin).status == 400
    answer = create(hubspot, GOOD[0], twin, traced=True)
    assert answer.status == 207
    assert answer.content["errors"][0]["context"]["objectWriteTraceId"] == ["row-1"]
    assert listed(hubspot) == ["0@example.com"]


@pytest.mark.parametrize("verb", ["create", "read", "update", "upsert", "archive"])
def test_a_batch_takes_a_hundred(verb: str) -> None:
    inputs = [{"id": str(number), "properties": {"lastname": "x"}} for number in range(101)]
    hubspot = Wire()
    assert hubspot.post(f"{CONTACTS}/batch/{verb}", {"inputs": inputs}).status == 400
    if verb != "upsert":
        assert hubspot.post(f"{CONTACTS}/batch/{verb}", {"inputs": inputs[:100]}).status < 300


def test_a_reading_tells_in_one_row_what_is_not_there() -> None:
    hubspot = Wire()
    first, second = hubspot.contact(email="a@example.com"), hubspot.contact(email="b@example.com")
    hubspot.delete(f"{CONTACTS}/{second}")
    ids = [{"id": each} for each in ("77", first, second, "no-number", first)]
    answer = hubspot.post(f"{CONTACTS}/batch/read", {"inputs": ids, "properties": ["email", "phone", "nothing"]})
    assert answer.status == 207
    assert [each["id"] for each in answer.results] == [first]
    assert answer.results[0]["properties"]["phone"] is None
    (error,) = answer.content["errors"]
    assert (error["category"], error["context"]["ids"]) == ("OBJECT_NOT_FOUND", ["77", second, "no-number"])


def test_a_reading_by_a_unique_property_and_of_the_archived() -> None:
    hubspot = Wire()
    first = hubspot.contact(email="a@example.com", hs_additional_emails="x@example.com", smarketing_id="k-1")
    second = hubspot.contact(email="b@example.com", smarketing_id="k-2")
    hubspot.delete(f"{CONTACTS}/{second}")

    def read(by: str, *values: str, archived: bool = False) -> list[str]:
        body = {"inputs": [{"id": each} for each in values], "idProperty": by, "properties": ["email"]}
        answer = hubspot.post(f"{CONTACTS}/batch/read?archived={str(archived).lower()}", body)
        return [each["id"] for each in answer.results]

    assert read("email", "A@example.com", "b@example.com") == [first]
    assert read("email", "x@example.com") == [first]
    assert read("smarketing_id", "k-1", "k-2") == [first]
    assert read("smarketing_id", "k-1", "k-2", archived=True) == [second]
    assert hubspot.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": "x"}], "idProperty": "city"}).status == 400


def test_a_reading_with_history_takes_fifty() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    body = {"inputs": [{"id": id_}], "properties": ["email"], "propertiesWithHistory": ["email"]}
    answer = hubspot.post(f"{CONTACTS}/batch/read", body)
    assert answer.results[0]["propertiesWithHistory"]["email"][0]["value"] == "a@example.com"
    assert hubspot.post(f"{CONTACTS}/batch/read", {**body, "inputs": [{"id": id_}] * 51}).status == 400


def test_updates_change_all_but_those_that_are_not_there() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(email=f"{number}@example.com") for number in range(3)]
    hubspot.delete(f"{CONTACTS}/{ids[1]}")
    inputs = [{"id": each, "properties": {"city": f"city {each}"}} for each in reversed(ids)]
    answer = hubspot.post(f"{CONTACTS}/batch/update", {"inputs": inputs})
    assert (answer.status, answer.content["numErrors"]) == (207, 1)
    assert answer.content["errors"][0]["context"]["ids"] == [ids[1]]
    assert [each["id"] for each in answer.results] == [ids[0], ids[2]], "not in the order of the inputs"
    assert answer.results[0]["properties"]["city"] == f"city {ids[0]}"
    assert "new" not in answer.results[0]


def test_an_update_with_a_trace_id_that_is_not_there_is_told_by_it() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    inputs = [
        {"id": each, "properties": {"city": "x"}, "objectWriteTraceId": f"row-{each}"} for each in (id_, "1", "2")
    ]
    answer = hubspot.post(f"{CONTACTS}/batch/update", {"inputs": inputs})
    assert answer.results[0]["objectWriteTraceId"] == f"row-{id_}"
    told = [each["context"] for each in answer.content["errors"]]
    assert told == [{"ids": [each], "objectWriteTraceId": [f"row-{each}"]} for each in ("1", "2")]


def test_one_bad_update_refuses_the_whole_batch() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(email=f"{number}@example.com") for number in range(2)]
    inputs = [{"id": ids[0], "properties": {"city": "Oslo"}}, {"id": ids[1], "properties": {"email": "0@example.com"}}]
    assert hubspot.post(f"{CONTACTS}/batch/update", {"inputs": inputs}).status == 409
    assert hubspot.read(ids[0], "city") == {"city": None}


@pytest.mark.parametrize("verb", ["update", "upsert"])
def test_an_id_twice_in_a_batch_is_refused(verb: str) -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    answer = hubspot.post(f"{CONTACTS}/batch/{verb}", {"inputs": [{"id": id_, "properties": {"city": "Oslo"}}] * 2})
    assert answer.status == 400
    assert answer.content["message"] == f"Duplicate IDs found in batch input: [{id_}]. IDs must be unique"
    assert answer.content["context"] == {"ids": [id_]}


def test_updates_know_contacts_by_id_or_a_property_of_the_account_but_not_by_address() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", smarketing_id="k-1")

    def update(value: str, by: str) -> int:
        inputs = [{"id": value, "idProperty": by, "properties": {"city": by}}]
        return hubspot.post(f"{CONTACTS}/batch/update", {"inputs": inputs}).status

    assert update("a@example.com", "email") == 400
    assert update("k-1", "smarketing_id") == 200
    assert hubspot.read(id_, "city") == {"city": "smarketing_id"}


@pytest.mark.parametrize(("by", "value"), [("email", "New@example.com"), ("smarketing_id", "k-9")])
def test_an_upsert_tells_what_is_new(by: str, value: str) -> None:
    hubspot = Wire()
    there = hubspot.contact(email="a@example.com", smarketing_id="k-1")
    known = {"email": "a@example.com", "smarketing_id": "k-1"}[by]
    inputs = [
        {"id": value, "idProperty": by, "properties": {"lastname": "New"}, "objectWriteTraceId": "row-7"},
        {"id": known, "idProperty": by, "properties": {"lastname": "Old"}},
    ]
    answer = hubspot.post(f"{CONTACTS}/batch/upsert", {"inputs": inputs})
    assert answer.status == 200
    assert [(each["id"] == there, each["new"]) for each in answer.results] == [(True, False), (False, True)]
    assert answer.results[1]["objectWriteTraceId"] == "row-7"
    assert answer.results[1]["properties"][by] == value.lower()
    assert hubspot.read(there, "lastname") == {"lastname": "Old"}


def test_an_upsert_needs_a_unique_property() -> None:
    hubspot = Wire()
    for row in ({"id": "123"}, {"id": "Oslo", "idProperty": "city"}):
        inputs = [{**row, "properties": {"lastname": "x"}}]
        assert hubspot.post(f"{CONTACTS}/batch/upsert", {"inputs": inputs}).status == 400
    companies = {"inputs": [{"id": "acme.example.com", "idProperty": "domain", "properties": {"name": "Acme"}}]}
    assert hubspot.post("/crm/v3/objects/companies/batch/upsert", companies).status == 400


def test_a_batch_is_archived_without_a_word() -> None:
    hubspot = Wire()
    ids = [hubspot.contact(email=f"{number}@example.com") for number in range(3)]
    body = {"inputs": [{"id": each} for each in (ids[0], ids[2], "1", ids[0])]}
    answer = hubspot.post(f"{CONTACTS}/batch/archive", body)
    assert (answer.status, answer.content) == (204, None)
    assert listed(hubspot) == ["1@example.com"]
