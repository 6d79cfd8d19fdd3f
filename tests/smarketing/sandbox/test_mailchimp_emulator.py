"""Mailchimp's stand-in behaves as the vendor's documentation says."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from typing import Any

import httpx
import pytest

from connectors.backdoor import Fault, When
from connectors.base import Ref, State
from smarketing.sandbox.emulator import Request
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld
from tests.smarketing.sandbox.mailchimp_wire import AT, BASE, KEY, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


def title(wire: Wire, method: str, target: str, body: object, status: int = 400) -> str:
    return str(wire.ask(method, target, body, status=status)["title"])


# --- access ------------------------------------------------------------------------------------------------------


def test_a_key_goes_as_a_bearer_token_or_with_any_user_name(wire: Wire) -> None:
    basic = base64.b64encode(f"anybody:{KEY}".encode()).decode()
    for told in (f"Bearer {KEY}", f"Basic {basic}"):
        reply = wire.door.handle(Request.of("GET", "/3.0/ping", {"Authorization": told}, b"", BASE))
        assert json.loads(reply.body) == {"health_status": "Everything's Chimpy!"}


@pytest.mark.parametrize(("key", "said"), [("", "API Key Missing"), ("x-us19", "API Key Invalid")])
def test_other_keys_are_refused(wire: Wire, key: str, said: str) -> None:
    reply = wire.raw("GET", "/3.0/", key=key)
    assert (reply.status, json.loads(reply.body)["title"]) == (401, said)
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert reply.headers["X-Request-Id"] == json.loads(reply.body)["instance"]


def test_the_eleventh_request_at_once_is_turned_away_without_a_word_on_when() -> None:
    world = RealWorld()
    door = Wire().door
    with Sandbox({"mailchimp": door}, world, "t") as sandbox:
        address = sandbox.line()["mailchimp"]["base_url"]
        door.fault(Fault.SLOW, When(path="/ping", times=10, value=1.0))
        met: list[httpx.Response] = []

        def ask() -> None:
            met.append(httpx.get(f"{address}/3.0/ping", headers={"Authorization": f"Bearer {KEY}"}, timeout=10))

        threads = [threading.Thread(target=ask) for _ in range(14)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    refused = [each for each in met if each.status_code == 429]
    assert len(refused) == 4
    assert "retry-after" not in refused[0].headers


# --- members -----------------------------------------------------------------------------------------------------


def test_a_member_is_called_by_the_hash_of_its_address_or_the_address_or_its_contact_id(wire: Wire) -> None:
    made = wire.member("Ann@Example.com")
    assert made["id"] == hashlib.md5(b"ann@example.com", usedforsecurity=False).hexdigest()
    for named in (made["id"], "ann@example.com", made["contact_id"]):
        assert wire.ask("GET", f"{AT}/members/{named}")["contact_id"] == made["contact_id"]


def test_a_new_address_moves_the_id_and_keeps_the_contact_id(wire: Wire) -> None:
    made = wire.member()
    moved = wire.ask("PATCH", f"{AT}/members/{made['id']}", {"email_address": "new@example.com"})
    assert moved["contact_id"] == made["contact_id"]
    assert moved["id"] != made["id"]
    wire.ask("GET", f"{AT}/members/{made['id']}", status=404)


def test_whoever_is_there_already_is_a_400(wire: Wire) -> None:
    wire.member()
    assert title(wire, "POST", f"{AT}/members", {"email_address": "ANN@example.com", "status": "subscribed"}) == (
        "Member Exists"
    )


def test_what_is_not_sent_stays_and_an_empty_text_clears(wire: Wire) -> None:
    made = wire.member(merge_fields={"FNAME": "Ann", "LNAME": "Berg", "NOBODY": "x"})
    there = wire.ask("PATCH", f"{AT}/members/{made['id']}", {"merge_fields": {"FNAME": ""}})
    assert there["merge_fields"] == {"FNAME": "", "LNAME": "Berg", "ADDRESS": "", "PHONE": ""}


def test_tags_are_ignored_where_they_do_not_belong_and_shown_fifty_at_most(wire: Wire) -> None:
    made = wire.member()
    at = f"{AT}/members/{made['id']}"
    wire.ask("PUT", at, {"email_address": "ann@example.com", "status_if_new": "subscribed", "tags": ["x"]})
    assert wire.ask("GET", at)["tags"] == []
    names = [f"tag {n:02d}" for n in range(60)]
    wire.ask("POST", f"{at}/tags", {"tags": [{"name": n, "status": "active"} for n in names]}, status=204)
    shown = wire.ask("GET", at)
    assert (shown["tags_count"], len(shown["tags"])) == (60, 50)
    assert wire.ask("GET", f"{at}/tags?count=100")["total_items"] == 60
    wire.ask("POST", f"{at}/tags", {"tags": [{"name": "tag 00", "status": "inactive"}]}, status=204)
    assert wire.ask("GET", at)["tags_count"] == 59


@pytest.mark.parametrize(
    ("tag", "value", "kept"),
    [
        ("FNAME", "x" * 256, None),
        ("FNAME", ["a"], None),
        ("ADDRESS", {"addr1": "Storgata 1"}, None),
        ("ADDRESS", "Storgata 1", None),
        ("DAY", "31.12.2026", None),
        ("DAY", "2026-12-31", "2026-12-31"),
        ("BORN", "12/31", "12/31"),
        ("SCORE", "12", 12),
        ("SCORE", "1.5", 1.5),
        ("SCORE", "many", None),
        ("SIZE", "small", "small"),
        ("SIZE", "gigantic", None),
        ("ZIP", "0150", None),
    ],
)
def test_what_becomes_of_values(wire: Wire, tag: str, value: object, kept: object) -> None:
    for name, type_ in (("DAY", "date"), ("BORN", "birthday"), ("SCORE", "number"), ("ZIP", "zip")):
        wire.ask("POST", f"{AT}/merge-fields", {"tag": name, "name": name, "type": type_})
    wire.ask(
        "POST",
        f"{AT}/merge-fields",
        {"tag": "SIZE", "name": "Size", "type": "radio", "options": {"choices": ["small"]}},
    )
    said = {"email_address": "ann@example.com", "status": "subscribed", "merge_fields": {tag: value}}
    if kept is None:
        answer = wire.ask("POST", f"{AT}/members", said, status=400)
        assert [each["field"] for each in answer["errors"]] == [f"merge_fields.{tag}"]
    else:
        assert wire.ask("POST", f"{AT}/members", said)["merge_fields"][tag] == kept


def test_required_fields_are_checked_unless_somebody_asks_not_to(wire: Wire) -> None:
    wire.ask("POST", f"{AT}/merge-fields", {"tag": "MUST", "name": "Must", "type": "text", "required": True})
    said = {"email_address": "ann@example.com", "status": "subscribed"}
    assert title(wire, "POST", f"{AT}/members", said) == "Invalid Resource"
    wire.ask("POST", f"{AT}/members?skip_merge_validation=true", said)


# --- consent -----------------------------------------------------------------------------------------------------


def test_nobody_is_brought_back_who_left_by_themselves(wire: Wire) -> None:
    made = wire.member()
    at = f"{AT}/members/{made['id']}"
    wire.door.opt_out("ann@example.com")
    assert title(wire, "PATCH", at, {"status": "subscribed"}) == "Member In Compliance State"
    assert wire.ask("PATCH", at, {"status": "pending"})["status"] == "pending", "they are asked by mail"
    wire.door.confirm("ann@example.com")
    assert wire.ask("GET", at)["status"] == "subscribed"


def test_whom_the_api_unsubscribed_it_may_subscribe(wire: Wire) -> None:
    at = f"{AT}/members/{wire.member()['id']}"
    wire.ask("PATCH", at, {"status": "unsubscribed"})
    assert wire.ask("PATCH", at, {"status": "subscribed"})["status"] == "subscribed"


def test_whoever_bounced_stays_so(wire: Wire) -> None:
    made = wire.member()
    wire.door.bounce(Ref("member", made["contact_id"]))
    assert title(wire, "PATCH", f"{AT}/members/{made['id']}", {"status": "subscribed"}) == "Member In Compliance State"


def test_archiving_hides_and_a_second_time_is_a_405(wire: Wire) -> None:
    made = wire.member()
    at = f"{AT}/members/{made['id']}"
    wire.ask("DELETE", at, status=204)
    assert wire.ask("GET", f"{AT}/members")["total_items"] == 0
    assert wire.ask("GET", f"{AT}/members?status=archived")["total_items"] == 1
    assert wire.ask("GET", at)["status"] == "archived"
    wire.ask("DELETE", at, status=405)
    wire.ask("PUT", at, {"email_address": "ann@example.com", "status_if_new": "subscribed"})
    assert wire.ask("GET", at)["status"] == "archived", "that alone does not bring it back"
    wire.ask("PUT", at, {"email_address": "ann@example.com", "status": "subscribed"})
    assert wire.ask("GET", at)["status"] == "subscribed"


def test_deleting_for_good_leaves_nothing_and_nobody_imports_it_again(wire: Wire) -> None:
    made = wire.member(merge_fields={"LNAME": "Berg"})
    at = f"{AT}/members/{made['id']}"
    wire.ask("POST", f"{at}/actions/delete-permanent", {}, status=204)
    wire.ask("GET", at, status=404)
    said = {"email_address": "ann@example.com", "status": "pending"}
    assert title(wire, "POST", f"{AT}/members", said) == "Forgotten Email Not Subscribed"
    (kept,) = wire.door.records()
    assert kept.state is State.DELETED
    assert "Berg" not in repr(kept)


# --- listings ----------------------------------------------------------------------------------------------------


def test_a_listing_by_change_is_late_sorted_and_cut(wire: Wire) -> None:
    for n in range(3):
        wire.member(f"person{n}@example.com")
        wire.world.sleep(60)
    since = "since_last_changed=2026-01-01T00:00:30%2B00:00&sort_field=last_changed&sort_dir=DESC"
    found = wire.ask("GET", f"{AT}/members?{since}&fields=members.email_address,total_items&count=1")
    assert found == {"members": [{"email_address": "person2@example.com"}], "total_items": 2}
    wire.member("now@example.com")
    assert wire.ask("GET", f"{AT}/members?{since}")["total_items"] == 2, "it was shown at once"
    wire.world.sleep(10)
    assert wire.ask("GET", f"{AT}/members?{since}")["total_items"] == 3


def test_a_plus_that_was_not_encoded_restricts_nothing(wire: Wire) -> None:
    wire.member()
    wire.world.sleep(60)
    assert wire.ask("GET", f"{AT}/members?since_last_changed=2026-06-01T00:00:00+00:00")["total_items"] == 1


@pytest.mark.parametrize("query", ["count=1001", "count=x", "status=lost", "sort_field=name", "unsubscribed_since=x"])
def test_listings_that_cannot_be_meant(wire: Wire, query: str) -> None:
    wire.ask("GET", f"{AT}/members?{query}", status=400)


# --- many at once ------------------------------------------------------------------------------------------------


def rows(*addresses: str, **more: Any) -> dict[str, Any]:
    return {"members": [{"email_address": each, "status": "subscribed"} for each in addresses], **more}


def test_a_bulk_request_is_a_200_whatever_becomes_of_its_rows(wire: Wire) -> None:
    wire.member()
    answer = wire.ask("POST", AT, rows("ann@example.com", "new@example.com", "NEW@example.com", "none"))
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (1, 0, 3)
    assert [each["error_code"] for each in answer["errors"]] == [
        "ERROR_CONTACT_EXISTS",
        "ERROR_GENERIC",
        "ERROR_GENERIC",
    ]
    answer = wire.ask("POST", AT, rows("ann@example.com", update_existing=True))
    assert answer["total_updated"] == 1


def test_more_than_five_hundred_are_too_many(wire: Wire) -> None:
    assert title(wire, "POST", AT, rows(*(f"p{n}@example.com" for n in range(501)))) == "Bad Request"


def test_nobody_is_made_in_bulk_without_a_status(wire: Wire) -> None:
    body = {"members": [{"email_address": "ann@example.com"}], "update_existing": True}
    assert wire.ask("POST", AT, body)["error_count"] == 1


def test_a_batch_ends_later_and_its_results_lie_in_an_archive_for_whoever_knows_the_address(wire: Wire) -> None:
    row = {"email_address": "ann@example.com", "status": "subscribed"}
    operations = [
        {
            "method": "POST",
            "path": f"{AT.removeprefix('/3.0')}/members",
            "body": json.dumps(row),
            "operation_id": "one",
        },
        {"method": "GET", "path": f"{AT.removeprefix('/3.0')}/members", "params": {"count": "1"}},
    ]
    batch = wire.ask("POST", "/3.0/batches", {"operations": operations})
    assert (batch["status"], batch["response_body_url"]) == ("pending", "")
    wire.world.sleep(5)
    batch = wire.ask("GET", f"/3.0/batches/{batch['id']}")
    assert (batch["status"], batch["finished_operations"], batch["errored_operations"]) == ("finished", 2, 0)
    where = batch["response_body_url"].removeprefix(BASE)
    packed = wire.raw("GET", where, key="").body
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        (name,) = tar.getnames()
        content = tar.extractfile(name)
        assert content is not None
        told = json.loads(content.read())
    assert [(each["status_code"], each["operation_id"]) for each in told] == [(200, "one"), (200, None)]
    assert json.loads(told[0]["response"])["email_address"] == "ann@example.com"
    wire.world.sleep(700)
    assert wire.raw("GET", where, key="").status == 403


# --- fields and tags ---------------------------------------------------------------------------------------------


def test_merge_fields_are_made_changed_and_taken_away_with_their_values(wire: Wire) -> None:
    made = wire.ask("POST", f"{AT}/merge-fields", {"name": "Note", "type": "text"})
    assert made["tag"] == "MMERGE5"
    at = f"{AT}/merge-fields/{made['merge_id']}"
    assert wire.ask("PATCH", at, {"name": "Notes", "required": True})["required"]
    member = wire.member(merge_fields={"MMERGE5": "x"})
    wire.ask("DELETE", at, status=204)
    assert "MMERGE5" not in wire.ask("GET", f"{AT}/members/{member['id']}")["merge_fields"]
    for wrong in ({"name": "x"}, {"type": "text"}, {"name": "x", "type": "text", "tag": "FNAME"}):
        wire.ask("POST", f"{AT}/merge-fields", wrong, status=400)


def test_tags_are_static_segments_and_can_be_looked_for(wire: Wire) -> None:
    wire.member(tags=["lead", "vip"])
    assert [each["name"] for each in wire.ask("GET", f"{AT}/tag-search?name=vi")["tags"]] == ["vip"]
    assert [each["member_count"] for each in wire.ask("GET", f"{AT}/segments")["segments"]] == [1, 1]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/2.0/ping"),
        ("GET", "/3.0/nothing"),
        ("GET", "/3.0/lists/none"),
        ("PUT", AT),
        ("GET", f"{AT}/members/none"),
        ("GET", f"{AT}/merge-fields/99"),
        ("GET", "/3.0/batches/none"),
    ],
)
def test_what_is_not_there(wire: Wire, method: str, target: str) -> None:
    assert title(wire, method, target, None, status=404) == "Resource Not Found"


def test_a_body_that_is_no_json(wire: Wire) -> None:
    reply = wire.door.handle(Request.of("POST", AT, {"authorization": f"Bearer {KEY}"}, b"{", BASE))
    assert (reply.status, json.loads(reply.body)["title"]) == (400, "JSON Parse Error")
