"""The figure is made of what arrived at the stand-ins: a request too many shows, whoever sent it."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.requests import count
from benchmarks.vendors import Traffic, traffic
from connectors.backdoor import Seen


def hubspot(verb: str, *ids: int) -> Seen:
    body = {"inputs": [{"id": str(each), "properties": {"jobtitle": "CEO"}} for each in ids]}
    return Seen("POST", f"/crm/v3/objects/contacts/batch/{verb}", 200, json.dumps(body))


def salesforce(method: str, *ids: int) -> Seen:
    records = [{"attributes": {"type": "Lead"}, "id": f"00Q{each}", "Title": "CEO"} for each in ids]
    return Seen(method, "/services/data/v62.0/composite/sobjects", 200, json.dumps({"records": records}))


def figure(told: Traffic) -> tuple[int, int]:
    return told.made(), told.needed()


def test_full_batches_are_the_fewest_that_would_do() -> None:
    log = [hubspot("update", *range(100)), hubspot("update", *range(100, 150))]
    assert figure(traffic("hubspot", log)) == (2, 2)
    log = [salesforce("PATCH", *range(200)), salesforce("PATCH", *range(200, 201))]
    assert figure(traffic("salesforce", log)) == (2, 2)


def test_batches_that_are_not_full_are_too_many() -> None:
    log = [hubspot("update", *range(n, n + 10)) for n in range(0, 100, 10)]
    assert figure(traffic("hubspot", log)) == (10, 1)


def test_a_record_that_is_sent_twice_counts_once() -> None:
    assert figure(traffic("hubspot", [hubspot("update", 1), hubspot("update", 1)])) == (2, 1)
    assert figure(traffic("salesforce", [salesforce("POST", 1), salesforce("POST", 1)])) == (2, 1)


def test_one_by_one_shows() -> None:
    one = [Seen("PATCH", f"/crm/v3/objects/contacts/{n}", 200, "{}") for n in range(5)]
    assert figure(traffic("hubspot", one)) == (5, 1)
    one = [Seen("PATCH", f"/services/data/v62.0/sobjects/Lead/00Q0000000000{n:02}", 204, "{}") for n in range(5)]
    assert figure(traffic("salesforce", one)) == (5, 1)


def test_consent_stages_and_look_ups_are_counted_apart() -> None:
    emptied = {"inputs": [{"id": "1", "properties": {"lifecyclestage": ""}}]}
    told = traffic(
        "hubspot",
        [
            Seen("POST", "/crm/v3/objects/contacts/batch/update", 200, json.dumps(emptied)),
            Seen("POST", "/communication-preferences/v4/statuses/batch/write", 200, "{}"),
            Seen("POST", "/communication-preferences/v4/statuses/batch/read?channel=EMAIL", 200, "{}"),
            Seen("POST", "/crm/v3/objects/contacts/batch/read", 200, "{}"),
            Seen("POST", "/crm/v3/objects/contacts/search", 200, "{}"),
        ],
    )
    assert told.made() == 0
    assert dict(told.others) == {
        "stage, taken back": 1,
        "consent, written": 1,
        "consent, read": 1,
        "look-ups": 1,
        "feeds": 1,
    }


def test_an_opt_out_alone_is_no_write_of_a_record() -> None:
    records = [{"attributes": {"type": "Lead"}, "id": "00Q1", "HasOptedOutOfEmail": True}]
    alone = Seen("PATCH", "/services/data/v62.0/composite/sobjects", 200, json.dumps({"records": records}))
    records[0]["Phone"] = "+4722334455"
    along = Seen("PATCH", "/services/data/v62.0/composite/sobjects", 200, json.dumps({"records": records}))
    assert figure(traffic("salesforce", [alone])) == (0, 0)
    assert figure(traffic("salesforce", [along])) == (1, 1)


def test_a_first_sync_fills_the_other_side_and_a_run_without_changes_asks_once_a_feed(tmp_path: Path) -> None:
    found = count(200, tmp_path, both=False)
    assert found.people == (200, 200)
    made = found.first["salesforce"]
    assert {place: len(some) for place, some in made.records.items()} == {("Lead", "create"): 200}
    assert figure(made) == (1, 1)
    assert found.few["salesforce"].written() == 2, "one in a hundred was edited in HubSpot"
    assert {name: sum(each.others.values()) for name, each in found.idle.items()} == {"hubspot": 1, "salesforce": 2}
    assert not any(each.made() for each in found.idle.values())
