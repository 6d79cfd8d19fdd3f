"""Mailchimp's own contract: what the stand-in answers has its shape, and what the connector asks is in it.

Where the written contract and the live API are known to differ, the stand-in goes with the live one: a time at which
nothing happened is an empty text, which the contract does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import jsonschema_rs
import pytest
from schemathesis.core.failures import FailureGroup

from connectors.base import Feed, FeedKind, Fields, Ref, Write, WriteKind
from connectors.mailchimp import Mailchimp, MailchimpSettings
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.mailchimp import MailchimpEmulator
from smarketing.sandbox.server import Server
from tests.secrets import NoSecrets
from tests.smarketing.sandbox.mailchimp_wire import AT, BASE, KEY, LIST, Wire
from tests.worlds import ManualWorld

Contract = Callable[[str], Any]
SPEC = "mailchimp/marketing.subset.swagger.json"
ANN = "ann@example.com"
TIMES = {"timestamp_signup", "timestamp_opt", "completed_at", "last_sub_date", "last_unsub_date"}
CALLS: tuple[tuple[str, str, str, object], ...] = (
    ("GET", "/", "/3.0/", None),
    ("GET", "/ping", "/3.0/ping", None),
    ("GET", "/lists", "/3.0/lists", None),
    ("GET", "/lists/{list_id}", AT, None),
    ("GET", "/lists/{list_id}/members", f"{AT}/members?count=5", None),
    ("POST", "/lists/{list_id}/members", f"{AT}/members", {"email_address": "new@example.com", "status": "subscribed"}),
    ("POST", "/lists/{list_id}/members", f"{AT}/members", {"email_address": ANN, "status": "subscribed"}),
    ("GET", "/lists/{list_id}/members/{subscriber_hash}", f"{AT}/members/{ANN}", None),
    ("GET", "/lists/{list_id}/members/{subscriber_hash}", f"{AT}/members/nobody@example.com", None),
    ("PATCH", "/lists/{list_id}/members/{subscriber_hash}", f"{AT}/members/{ANN}", {"merge_fields": {"FNAME": "Ann"}}),
    (
        "PUT",
        "/lists/{list_id}/members/{subscriber_hash}",
        f"{AT}/members/{ANN}",
        {"email_address": ANN, "status_if_new": "subscribed"},
    ),
    ("GET", "/lists/{list_id}/members/{subscriber_hash}/tags", f"{AT}/members/{ANN}/tags", None),
    (
        "POST",
        "/lists/{list_id}",
        AT,
        {"members": [{"email_address": ANN, "status": "subscribed"}, {"email_address": "b@example.com"}]},
    ),
    ("GET", "/lists/{list_id}/merge-fields", f"{AT}/merge-fields", None),
    ("POST", "/lists/{list_id}/merge-fields", f"{AT}/merge-fields", {"name": "Note", "type": "text"}),
    ("GET", "/lists/{list_id}/merge-fields/{merge_id}", f"{AT}/merge-fields/1", None),
    ("GET", "/lists/{list_id}/tag-search", f"{AT}/tag-search?name=l", None),
    ("GET", "/lists/{list_id}/segments", f"{AT}/segments", None),
    (
        "POST",
        "/batches",
        "/3.0/batches",
        {"operations": [{"method": "GET", "path": "/ping"}]},
    ),
    ("GET", "/batches", "/3.0/batches", None),
)


def validate(contract: Contract, path: str, method: str, target: str, reply: Reply) -> None:
    """Raises where the answer is not as the contract says."""
    operation = contract(SPEC)[path][method]
    request = httpx.Request(method, BASE + target)
    content = json.dumps(told(json.loads(reply.body))).encode() if reply.body else b""
    headers = {name: value for name, value in reply.headers.items() if name != "Content-Length"}
    response = httpx.Response(reply.status, headers=headers, content=content, request=request)
    response.elapsed = timedelta(0)
    operation.validate_response(response)


def told(content: Any) -> Any:
    """The answer without times at which nothing happened."""
    if isinstance(content, list):
        return [told(each) for each in content]
    if not isinstance(content, dict):
        return content
    return {name: told(each) for name, each in content.items() if not (each == "" and name in TIMES)}


@pytest.mark.parametrize(
    ("method", "path", "target", "body"), CALLS, ids=[f"{each[0]} {each[2]} {n}" for n, each in enumerate(CALLS)]
)
def test_answers_have_the_shape_that_is_written(
    contract: Contract, method: str, path: str, target: str, body: object
) -> None:
    wire = Wire()
    wire.member(ANN, tags=["lead"], merge_fields={"FNAME": "Ann"})
    validate(contract, path, method, target, wire.raw(method, target, body))


def test_an_answer_of_another_shape_is_found(contract: Contract) -> None:
    spoilt = Reply.of(200, {"members": [{"id": 1}], "total_items": "many"})
    with pytest.raises(FailureGroup):
        validate(contract, "/lists/{list_id}/members", "GET", f"{AT}/members", spoilt)


# --- the connector's requests ------------------------------------------------------------------------------------


class Operation:
    """One operation of the contract. Its bodies are closed: a misspelt key is no extension."""

    def __init__(self, path: str, method: str, definition: dict[str, Any]) -> None:
        self.name = f"{method.upper()} {path}"
        self._method = method.upper()
        self._pattern = re.compile("/3.0" + re.sub(r"\{\w+\}", r"[^/]+", path))
        self._query = {each["name"] for each in definition.get("parameters", ()) if each["in"] == "query"}
        body = next((each["schema"] for each in definition.get("parameters", ()) if each["in"] == "body"), None)
        self._body = jsonschema_rs.Draft7Validator(closed(body)) if body else None

    def matches(self, request: Request) -> bool:
        return self._method == request.method and bool(self._pattern.fullmatch(request.path))

    def faults(self, request: Request) -> Iterator[str]:
        for name in request.query.keys() - self._query:
            yield f"{self.name}: there is no parameter {name!r}"
        if request.body:
            if self._body is None:
                yield f"{self.name}: there is no body"
            else:
                for error in self._body.iter_errors(json.loads(request.body)):
                    yield f"{self.name}: {error.message}"


def closed(schema: Any) -> Any:
    """Objects with named properties have no others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: closed(each) for name, each in schema.items()}
    if "properties" in out and isinstance(out["properties"], dict) and out.get("type") == "object":
        out.setdefault("additionalProperties", False)
    return out


def a_day(server: str, world: ManualWorld, account: MailchimpEmulator) -> None:
    """Everything that the connector asks of Mailchimp."""
    told = MailchimpSettings.model_validate({"base_url": server, "api_key": KEY, "list_id": LIST})
    names = ("email_address", "status", "language", "vip", "tags", "FNAME", "ADDRESS.addr1", "ADDRESS.city")
    connector = Mailchimp("news", told, world, {"member": names}, NoSecrets())
    list(connector.check())
    connector.schema("member")

    def write(kind: WriteKind, ref: Ref | None, fields: Fields) -> Any:
        return connector.write([Write(kind, "key", "member", ref, fields)])[0]

    made = write(WriteKind.CREATE, None, {"email_address": ANN, "FNAME": "Ann", "tags": ["lead"], "vip": True})
    ref = Ref("member", made.id)
    write(WriteKind.UPDATE, ref, {"status": "unsubscribed", "ADDRESS.city": "Bodø", "language": "nb"})
    account.edit(ref, {"tags": [f"tag {n}" for n in range(60)]})
    for number in range(30):
        account.put("member", {"email_address": f"person{number}@example.com"})
    world.sleep(60.0)
    for kind in (FeedKind.DELTA, FeedKind.DELETES):
        list(connector.changes(Feed("member", kind)))
    list(connector.changes(Feed("member", FeedKind.DELTA, '{"since":1767225600}')))
    list(connector.ids(Feed("member", FeedKind.SWEEP)))
    list(connector.fetch([ref]))
    list(connector.find("member", "email_address", [ANN]))
    some = [each.ref for each in account.records() if each.ref != ref]
    connector.write([Write(WriteKind.UPDATE, f"key-{each.id}", "member", each, {"FNAME": "X"}) for each in some])
    write(WriteKind.ARCHIVE, ref, {})
    connector.close()


def test_every_request_of_the_connector_is_in_the_contract(contract: Contract) -> None:
    world = ManualWorld()
    account = MailchimpEmulator(world, api_key=KEY, list_id=LIST)
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return account.handle(request)

    server = Server(answer, world)
    try:
        a_day(server.url, world, account)
    finally:
        server.stop()
    raw = contract(SPEC).raw_schema
    operations = [
        Operation(path, method, definition)
        for path, some in raw["paths"].items()
        for method, definition in some.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    faults: set[str] = set()
    used: set[str] = set()
    for request in asked:
        found = next((each for each in operations if each.matches(request)), None)
        if found is None:
            faults.add(f"no operation for {request.method} {request.path}")
            continue
        used.add(found.name)
        faults |= set(found.faults(request))
    assert not faults, "\n".join(sorted(faults))
    one = "/lists/{list_id}/members/{subscriber_hash}"
    assert used == {
        "GET /lists/{list_id}",
        "POST /lists/{list_id}",
        "GET /lists/{list_id}/merge-fields",
        "GET /lists/{list_id}/members",
        f"GET {one}",
        f"PATCH {one}",
        f"DELETE {one}",
        f"GET {one}/tags",
        f"POST {one}/tags",
    }
