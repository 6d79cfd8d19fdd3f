"""HubSpot's stand-in against HubSpot's own OpenAPI: every answer to every kind of call has the shape that is written.

Where the written contract and the live API are known to differ, the stand-in goes with the live one. v3 shows null for
requested properties that are empty (the dated specs allow it). Dated batches answer 207 (the guide says so; the dated
specs list 200 alone, with a body that has room for errors). The subCategory of a row of errors is a text, as it is in
`Error` (in `StandardError` it is an object).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from schemathesis.core.failures import Failure

from connectors.base import Ref
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.hubspot import App
from tests.smarketing.sandbox.hubspot_wire import BASE, TOKEN, Wire

Contract = Callable[[str], Any]
MARKETING = 530_001
PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]


class Account:
    """An account with something of everything; its ids are the same each time."""

    def __init__(self) -> None:
        self.wire = Wire(app=App("client-1", "sesame-1", "refresh-1"))
        door = self.wire.door
        door.put("company", {"name": "Acme", "domain": "acme.example.com"})
        values = {"firstname": "Kari", "lastname": "Hansen", "city": "Oslo", "associatedcompanyid": "88951"}
        door.put("contact", {"email": "kari@example.com", "smarketing_id": "k-1", **values})
        door.put("contact", {"email": "ola@example.com", "firstname": "Ola", "lastname": "Hansen"})
        door.put("contact", {"email": "old@example.com", "firstname": "Old", "lastname": "Hansen"})
        door.remove(Ref("contact", "953"))
        door.opt_out("ola@example.com")
        door.confirm("kari@example.com")
        self.wire.world.sleep(60)

    def ask(self, method: str, target: str, body: object, form: dict[str, str] | None) -> Reply:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        raw = b"" if body is None else msgspec.json.encode(body)
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            raw = str(httpx.QueryParams(form)).encode()
        return self.wire.door.handle(Request.of(method, target, headers, raw, BASE))


@dataclass(frozen=True)
class Case:
    """`path` as the contract writes it; `at` what fills its braces; `wrong`: the body is meant to break the contract."""

    spec: str
    method: str
    path: str
    status: int
    at: dict[str, str] = field(default_factory=dict)
    query: str = ""
    body: object = None
    form: dict[str, str] | None = None
    wrong: bool = False

    @property
    def target(self) -> str:
        return self.path.format(**self.at) + (f"?{self.query}" if self.query else "")

    def __str__(self) -> str:
        return f"{self.spec} {self.method} {self.target} {self.status}"


def validate(contract: Contract, case: Case, reply: Reply, status: int | None = None) -> None:
    """Raises where the answer is not as the contract says; `status`: the one it is judged as."""
    operation = contract(f"hubspot/openapi/{case.spec}.json")[case.path][case.method]
    request = httpx.Request(case.method, BASE + case.target)
    headers = dict(reply.headers)
    response = httpx.Response(status or reply.status, headers=headers, content=reply.body, request=request)
    response.elapsed = timedelta(0)
    operation.validate_response(response)


def contacts(spec: str, root: str, id_: str, at: dict[str, str]) -> list[Case]:
    """The same calls in v3 and in a dated family."""
    one = root + id_
    new = {"properties": {"email": "new@example.com"}, "associations": []}
    row = {"id": "951", "properties": {"city": "Bergen"}}
    wanted = {"properties": ["firstname"], "propertiesWithHistory": ["firstname"]}
    search: dict[str, object] = {"filterGroups": [], "sorts": ["-createdate"], "properties": [], "after": "0"}

    def case(method: str, path: str, status: int, **more: Any) -> Case:
        return Case(spec, method, path, status, at, **more)

    return [
        case("GET", root, 200, query="limit=1&propertiesWithHistory=firstname&associations=companies"),
        case("GET", root, 200, query="archived=true"),
        case("GET", root, 400, query="limit=1000"),
        case("GET", one, 200, query="associations=companies"),
        case("GET", one, 400, query="idProperty=city"),
        case("POST", root, 201, body=new),
        case("POST", root, 400, body={"properties": {"email": "x", "nothing": "1"}, "associations": []}),
        case("POST", root, 409, body={"properties": {"email": "ola@example.com"}, "associations": []}),
        case("POST", root, 400, body={"nothing": 1}, wrong=True),
        case("PATCH", one, 200, body={"properties": {"city": "", "lastname": "Olsen"}}),
        case("PATCH", one, 409, body={"properties": {"email": "ola@example.com"}}),
        case("DELETE", one, 204),
        case("POST", root + "/batch/read", 200, body={"inputs": [{"id": "951"}], **wanted}),
        case("POST", root + "/batch/read", 207, body={"inputs": [{"id": "951"}, {"id": "1"}], **wanted}),
        case("POST", root + "/batch/create", 201, body={"inputs": [new]}),
        case(
            "POST", root + "/batch/create", 409, body={"inputs": [{**new, "properties": {"email": "ola@example.com"}}]}
        ),
        case(
            "POST",
            root + "/batch/create",
            207,
            body={
                "inputs": [
                    {**new, "objectWriteTraceId": "1"},
                    {**new, "properties": {"email": "x"}, "objectWriteTraceId": "2"},
                ]
            },
        ),
        case("POST", root + "/batch/update", 200, body={"inputs": [row]}),
        case("POST", root + "/batch/update", 207, body={"inputs": [row, {**row, "id": "1"}]}),
        case("POST", root + "/batch/update", 400, body={"inputs": [row, row]}),
        case(
            "POST",
            root + "/batch/upsert",
            200,
            body={"inputs": [{"id": "k-2", "idProperty": "smarketing_id", "properties": {"lastname": "X"}}]},
        ),
        case("POST", root + "/batch/archive", 204, body={"inputs": [{"id": "951"}]}),
        case("POST", root + "/search", 200, body={**search, "limit": 1}),
        case("POST", root + "/search", 400, body={**search, "limit": 500}),
        case("POST", root + "/merge", 200, body={"primaryObjectId": "951", "objectIdToMerge": "952"}),
        case("POST", root + "/merge", 404, body={"primaryObjectId": "951", "objectIdToMerge": "1"}),
        case("POST", root + "/gdpr-delete", 204, body={"objectId": "x@example.com", "idProperty": "email"}),
    ]


def consent(spec: str, root: str) -> list[Case]:
    channel, at = "channel=EMAIL", {"subscriberIdString": "ola@example.com"}
    one = root + "/statuses/{subscriberIdString}"
    change = {"subscriptionId": MARKETING, "statusState": "SUBSCRIBED", "channel": "EMAIL"}
    row = {**change, "subscriberIdString": "ola@example.com", "legalBasis": "CONSENT_WITH_NOTICE"}
    both = {"inputs": ["kari@example.com", "ola@example.com"]}
    return [
        Case(spec, "GET", root + "/definitions", 200),
        Case(spec, "GET", one, 200, at, channel),
        Case(spec, "GET", one, 400, at),
        Case(spec, "POST", one, 200, at, body=change),
        Case(spec, "POST", one, 400, at, body={**change, "subscriptionId": 1}),
        Case(spec, "GET", one + "/unsubscribe-all", 200, at, channel),
        Case(spec, "POST", one + "/unsubscribe-all", 200, at, channel + "&verbose=true"),
        Case(spec, "POST", root + "/statuses/batch/read", 200, query=channel, body=both),
        Case(spec, "POST", root + "/statuses/batch/write", 200, body={"inputs": [row]}),
        Case(spec, "POST", root + "/statuses/batch/unsubscribe-all", 200, query=channel + "&verbose=true", body=both),
        Case(spec, "POST", root + "/statuses/batch/unsubscribe-all", 200, query=channel, body=both),
        Case(spec, "POST", root + "/statuses/batch/unsubscribe-all/read", 200, query=channel, body=both),
    ]


def older_consent(spec: str, root: str) -> list[Case]:
    change = {"emailAddress": "kari@example.com", "subscriptionId": str(MARKETING)}
    at = {"emailAddress": "ola@example.com"}
    return [
        Case(spec, "GET", root + "/status/email/{emailAddress}", 200, at),
        Case(spec, "POST", root + "/subscribe", 200, body=change),
        Case(spec, "POST", root + "/subscribe", 400, body={**change, "emailAddress": "ola@example.com"}),
        Case(spec, "POST", root + "/unsubscribe", 200, body=change),
    ]


def properties(spec: str, root: str) -> list[Case]:
    kind = {"objectType": "contacts"}
    root += "/{objectType}"
    one = {**kind, "propertyName": "lifecyclestage"}
    new = {"name": "own", "label": "Own", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    names = {"archived": False, "inputs": [{"name": "email"}], "dataSensitivity": "non_sensitive"}
    return [
        Case(spec, "GET", root, 200, kind),
        Case(spec, "POST", root, 201, kind, body={**new, "hasUniqueValue": True}),
        Case(spec, "POST", root, 409, kind, body={**new, "name": "email"}),
        Case(spec, "GET", root + "/{propertyName}", 200, one),
        Case(spec, "GET", root + "/{propertyName}", 404, {**kind, "propertyName": "nothing"}),
        Case(spec, "PATCH", root + "/{propertyName}", 200, one, body={"options": []}),
        Case(spec, "DELETE", root + "/{propertyName}", 204, {**kind, "propertyName": "smarketing_id"}),
        Case(spec, "POST", root + "/batch/read", 200, kind, body=names),
        Case(spec, "POST", root + "/batch/create", 200 if "2026" in spec else 201, kind, body={"inputs": [new]}),
        Case(spec, "GET", root + "/groups", 200, kind),
        Case(spec, "POST", root + "/groups", 201, kind, body={"name": "own", "label": "Own"}),
    ]


def associations(spec: str, objects: str, root: str) -> list[Case]:
    dated = "2026" in spec
    pair = {"from": {"id": "952"}, "to": {"id": "88951"}}
    kinds = {"fromObjectType": "contacts", "toObjectType": "companies"}
    one = {"objectType": "contacts", "objectId": "952", "toObjectType": "companies", "toObjectId": "88951"}
    default = {"fromObjectType": "contacts", "fromObjectId": "952", "toObjectType": "companies", "toObjectId": "88951"}
    labelled = objects + "/{objectType}/{objectId}/associations/{toObjectType}/{toObjectId}"
    batch = root + "/{fromObjectType}/{toObjectType}/batch"
    return [
        Case(
            spec,
            "PUT",
            objects + "/{fromObjectType}/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}",
            200,
            default,
        ),
        Case(spec, "PUT", labelled, 201, one, body=PRIMARY),
        Case(spec, "DELETE", labelled, 204, one),
        Case(spec, "POST", batch + "/read", 200, kinds, body={"inputs": [{"id": "951"}]}),
        Case(spec, "POST", batch + "/read", 207, kinds, body={"inputs": [{"id": "951"}, {"id": "952"}]}),
        Case(spec, "POST", batch + "/associate/default", 200, kinds, body={"inputs": [pair]}),
        Case(
            spec, "POST", batch + "/create", 200 if dated else 201, kinds, body={"inputs": [{**pair, "types": PRIMARY}]}
        ),
        Case(
            spec,
            "POST",
            batch + "/archive",
            200 if dated else 204,
            kinds,
            body={"inputs": [{"from": {"id": "951"}, "to": [{"id": "88951"}]}]},
        ),
    ]


GRANT = {
    "grant_type": "refresh_token",
    "client_id": "client-1",
    "client_secret": "sesame-1",
    "refresh_token": "refresh-1",
}
DATED = {"objectType": "contacts", "objectId": "951"}
COMPANY = {"companyId": "88951"}
CASES = [
    *contacts("contacts-v3", "/crm/v3/objects/contacts", "/{contactId}", {"contactId": "951"}),
    *contacts("contacts-2026-09", "/crm/objects/2026-09/{objectType}", "/{objectId}", DATED),
    Case("companies-v3", "GET", "/crm/v3/objects/companies", 200, query="associations=contacts"),
    Case("companies-v3", "GET", "/crm/v3/objects/companies/{companyId}", 200, COMPANY, "properties=name"),
    Case(
        "companies-v3", "POST", "/crm/v3/objects/companies", 201, body={"properties": {"name": "X"}, "associations": []}
    ),
    *consent("subscriptions-v4", "/communication-preferences/v4"),
    *consent("subscriptions-2026-09", "/communication-preferences/2026-09"),
    *older_consent("subscriptions-v3", "/communication-preferences/v3"),
    *older_consent("subscriptions-2026-09", "/communication-preferences/2026-09"),
    Case("subscriptions-v3", "GET", "/communication-preferences/v3/definitions", 200),
    *properties("properties-v3", "/crm/v3/properties"),
    *properties("properties-2026-09", "/crm/properties/2026-09"),
    *associations("associations-v4", "/crm/v4/objects", "/crm/v4/associations"),
    *associations("associations-2026-09", "/crm/objects/2026-09", "/crm/associations/2026-09"),
    Case(
        "associations-v4",
        "GET",
        "/crm/v4/objects/{objectType}/{objectId}/associations/{toObjectType}",
        200,
        {"objectType": "contacts", "objectId": "951", "toObjectType": "companies"},
    ),
    *(
        Case(spec, "GET", path, 200, query="limit=1")
        for spec, path in (("crmOwners-v3", "/crm/v3/owners"), ("crmOwners-2026-09", "/crm/owners/2026-09"))
    ),
    Case("crmOwners-v3", "GET", "/crm/v3/owners/{ownerId}", 200, {"ownerId": "80001"}),
    Case("crmOwners-v3", "GET", "/crm/v3/owners/{ownerId}", 404, {"ownerId": "1"}),
    Case("oauth-v1", "POST", "/oauth/v1/token", 200, form=GRANT),
    Case("oauth-v1", "POST", "/oauth/v1/token", 400, form={**GRANT, "refresh_token": "x"}),
    Case("oauth-v3", "POST", "/oauth/v3/token", 200, form=GRANT),
    Case("oauth-2026-09", "POST", "/oauth/2026-09/token", 400, form={**GRANT, "client_id": "x"}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_answer_has_the_shape_of_the_contract(contract: Contract, case: Case) -> None:
    reply = Account().ask(case.method, case.target, case.body, case.form)
    assert reply.status == case.status, reply.body
    listed = 201 if case.path.endswith("/create") and "associations" not in case.spec else 200
    if reply.status == 207:
        content = msgspec.json.decode(reply.body)
        for each in content["errors"]:
            assert isinstance(each.pop("subCategory", ""), str)
        reply = replace(reply, body=msgspec.json.encode(content))
    validate(contract, case, reply, listed if reply.status == 207 and "2026" in case.spec else None)


@pytest.mark.parametrize("case", [each for each in CASES if each.body is not None and not each.wrong], ids=str)
def test_our_own_requests_have_the_shape_of_the_contract(contract: Contract, case: Case) -> None:
    """Otherwise the answers above would prove nothing."""
    schema = contract(f"hubspot/openapi/{case.spec}.json").raw_schema
    body = schema["paths"][case.path][case.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**body, "components": schema["components"]}).validate(case.body)


def test_access_tokens_tell_what_the_contract_says(contract: Contract) -> None:
    account = Account()
    token = msgspec.json.decode(account.ask("POST", "/oauth/v1/token", None, GRANT).body)["access_token"]
    for path, at in (("/oauth/v1/access-tokens/{token}", token), ("/oauth/v1/refresh-tokens/{token}", "refresh-1")):
        case = Case("oauth-v1", "GET", path, 200, {"token": at})
        reply = account.ask("GET", case.target, None, None)
        assert reply.status == 200
        validate(contract, case, reply)


@pytest.mark.parametrize("status", [401, 403, 423, 429, 500])
def test_refusals_have_the_shape_of_the_contract(contract: Contract, status: int) -> None:
    wires = {
        403: Wire(scopes=["oauth"]),
        429: Wire(ten_second_limit=0),
    }
    wire = wires.get(status, Wire())
    if status == 423:
        wire.door.lock(1)
    headers = {"authorization": "Bearer wrong" if status == 401 else f"Bearer {TOKEN}"}
    case = Case("contacts-v3", "POST", "/crm/v3/objects/contacts", status)
    request = Request.of(case.method, case.target, headers, b'{"properties": {"lastname": "x"}}', BASE)
    if status == 500:
        from connectors.backdoor import Fault, When

        wire.door.fault(Fault.ERROR, When())
    reply = wire.door.handle(request)
    assert reply.status == status
    validate(contract, case, reply)


def test_the_contract_can_be_broken(contract: Contract) -> None:
    """A validation that takes everything would prove nothing."""
    case = Case("contacts-v3", "GET", "/crm/v3/objects/contacts", 200)
    whole = Account().ask("GET", case.target, None, None)
    content = msgspec.json.decode(whole.body)
    del content["results"][0]["createdAt"]
    with pytest.raises(Failure, match="createdAt"):
        validate(contract, case, replace(whole, body=msgspec.json.encode(content)))
