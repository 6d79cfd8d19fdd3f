"""Every request of the HubSpot connector against HubSpot's own OpenAPI: address, query and body.

One difference is HubSpot's own: its SDK asks for `/crm/v3/owners/`, and its contract has no slash at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest

from connectors.base import Connector, Feed, FeedKind, Fields, Ref, Write, WriteKind
from connectors.hubspot import HubSpot, HubSpotSettings
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.server import Server
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

Contract = Callable[[str], Any]

TOKEN = "pat-sandbox-0001"
FILES = ("contacts-v3", "companies-v3", "crmOwners-v3", "properties-v3", "associations-v4", "subscriptions-v4")
PREFERENCES = "/communication-preferences/v4"
OBJECTS = "/crm/v3/objects/contacts"
MADE = {
    f"GET {OBJECTS}",
    f"GET {OBJECTS}/{{contactId}}",
    f"POST {OBJECTS}/search",
    f"POST {OBJECTS}/batch/read",
    f"POST {OBJECTS}/batch/create",
    f"POST {OBJECTS}/batch/update",
    f"POST {OBJECTS}/batch/archive",
    "POST /crm/v3/objects/companies/batch/read",
    "POST /crm/v4/associations/{fromObjectType}/{toObjectType}/batch/read",
    "GET /crm/v3/owners",
    "GET /crm/v3/properties/{objectType}",
    "GET /crm/v3/properties/{objectType}/{propertyName}",
    "POST /crm/v3/properties/{objectType}",
    f"GET {PREFERENCES}/definitions",
    f"POST {PREFERENCES}/statuses/batch/read",
    f"POST {PREFERENCES}/statuses/batch/write",
    f"POST {PREFERENCES}/statuses/batch/unsubscribe-all",
    f"POST {PREFERENCES}/statuses/batch/unsubscribe-all/read",
}
"""Every operation that the connector uses; `a_day` must meet them all."""
FIELDS = ("email", "firstname", "lifecyclestage", "hubspot_owner_id", "consent:email", "company.name")


class Operation:
    """One operation of a contract. Its objects are closed: a misspelt key is no extension."""

    def __init__(self, path: str, method: str, definition: dict[str, Any], components: dict[str, Any]) -> None:
        self.name = f"{method.upper()} {path}"
        self._pattern = re.compile(re.sub(r"\{\w+\}", r"[^/]+", path))
        self._method = method.upper()
        self._query = {each["name"]: each for each in definition.get("parameters", ()) if each["in"] == "query"}
        body = definition.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        whole = {**closed(body), "components": closed(components)} if body else None
        self._body = jsonschema_rs.Draft202012Validator(whole) if whole else None

    def matches(self, request: Request) -> bool:
        return self._method == request.method and bool(self._pattern.fullmatch(request.path.rstrip("/")))

    def faults(self, request: Request) -> Iterator[str]:
        for name in request.query.keys() - self._query.keys():
            yield f"{self.name}: there is no parameter {name!r}"
        for name, told in self._query.items():
            values = request.query.get(name, [])
            if told.get("required") and not values:
                yield f"{self.name}: the parameter {name!r} is missing"
            for value in values:
                if not fits(value, told["schema"]):
                    yield f"{self.name}: the parameter {name!r} is {value!r}"
        if self._body is None:
            if request.body:
                yield f"{self.name}: it takes no body"
            return
        for error in self._body.iter_errors(json.loads(request.body)):
            yield f"{self.name}: {error.message} at {'/'.join(map(str, error.instance_path))}"


def closed(schema: Any) -> Any:
    """The same schema without room for keys that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items() if name != "example"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def fits(value: str, schema: dict[str, Any]) -> bool:
    """Whether one value of a query is of this type."""
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"]:
        case "integer":
            return value.isdigit()
        case "boolean":
            return value in ("true", "false")
        case "array":
            return fits(value, schema["items"])
    return True


@pytest.fixture(scope="module")
def operations(contract: Contract) -> list[Operation]:
    found: list[Operation] = []
    for name in FILES:
        document = contract(f"hubspot/openapi/{name}.json").raw_schema
        for path, methods in document["paths"].items():
            for method, definition in methods.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    found.append(Operation(path, method, definition, document["components"]))
    return found


@pytest.fixture
def seen() -> Iterator[list[Request]]:
    """The requests of a connector that did all it can."""
    requests: list[Request] = []
    world = ManualWorld()
    account = HubSpotEmulator(world, token=TOKEN, key_property=False)

    def answer(request: Request) -> Reply:
        requests.append(request)
        return account.handle(request)

    server = Server(answer, world)
    settings = HubSpotSettings.model_validate({"base_url": server.url, "token": TOKEN})
    connector = HubSpot("crm", settings, world, {"contact": FIELDS}, NoSecrets())
    try:
        a_day(connector, account, world)
        yield requests
    finally:
        connector.close()
        server.stop()


def a_day(connector: Connector, account: HubSpotEmulator, world: ManualWorld) -> None:
    """Read, write, look up and check everything that there is."""
    acme = account.put("company", {"name": "Acme", "domain": "acme.example.com"})
    people = []
    for n in range(105):
        fields: Fields = {"email": f"person{n}@example.com", "associatedcompanyid": acme.id}
        people.append(account.put("contact", fields))
    account.remove(people[0])
    account.merge(people[1], people[2])
    list(connector.check())
    connector.add_own_key("contact")
    connector.schema("contact")

    everything = list(connector.changes(Feed("contact", FeedKind.DELTA)))
    world.sleep(120)
    for n in (3, 4):
        account.edit(people[n], {"firstname": "Kari"})
    world.sleep(61)
    list(connector.changes(Feed("contact", FeedKind.DELTA, everything[-1].cursor)))
    instant = json.dumps({"since": world.now() // 1000, "tie": 5})
    next(connector.changes(Feed("contact", FeedKind.DELTA, instant)))
    list(connector.changes(Feed("contact", FeedKind.DELETES)))
    list(connector.ids(Feed("contact", FeedKind.SWEEP)))

    refs = [Ref("contact", each.id) for each in people[:5]]
    list(connector.fetch([*refs, Ref("contact", "99999999")]))
    list(connector.find("contact", "email", ["person5@example.com", "person0@example.com"]))
    list(connector.find("contact", "smarketing_id", ["k"]))
    list(connector.history(refs[3:4], ["firstname"]))

    def send(kind: WriteKind, ref: Ref | None = None, address: str | None = None, **fields: Any) -> None:
        named = {name.replace("consent", "consent:email"): value for name, value in fields.items()}
        before: Fields = {"lifecyclestage": "customer"}
        key = f"key-{len(account.requests())}"
        connector.write([Write(kind, key, "contact", ref, named, before=before, address=address)])

    send(WriteKind.CREATE, email="new@example.com", consent="in", hubspot_owner_id="owner.one@example.com")
    send(WriteKind.CREATE, email="new@example.com", firstname="Kari")
    send(WriteKind.UPDATE, refs[3], lifecyclestage="customer")
    send(WriteKind.UPDATE, refs[3], lifecyclestage="lead", consent="out")
    send(WriteKind.UPDATE, refs[0], firstname="Kari")
    send(WriteKind.ARCHIVE, refs[4])
    send(WriteKind.WITHDRAW, address="nobody@example.com")


def test_every_request_is_as_the_contract_says(operations: list[Operation], seen: list[Request]) -> None:
    faults: list[str] = []
    met: set[str] = set()
    for request in seen:
        fitting = [each for each in operations if each.matches(request)]
        if not fitting:
            faults.append(f"no contract has {request.method} {request.path}")
        for each in fitting[:1]:
            met.add(each.name)
            faults += each.faults(request)
    assert not faults, "\n".join(dict.fromkeys(faults))
    assert met == MADE


@pytest.mark.parametrize(
    ("line", "body", "fault"),
    [
        ("GET /crm/v3/objects/contacts?archived=True", None, "'archived' is 'True'"),
        ("GET /crm/v3/objects/contacts?propertys=email", None, "no parameter 'propertys'"),
        (f"POST {PREFERENCES}/statuses/batch/read", {"inputs": []}, "'channel' is missing"),
        (f"POST {OBJECTS}/batch/create", {"inputs": [{"properties": {}}]}, '"associations" is a required property'),
        (
            f"POST {OBJECTS}/batch/update",
            {"inputs": [{"id": "1", "properties": {}, "objectWriteTraceID": "k"}]},
            "'objectWriteTraceID' was unexpected",
        ),
        (f"POST {OBJECTS}/batch/archive", {"inputs": [{"id": 1}]}, 'is not of type "string"'),
    ],
)
def test_a_request_that_breaks_the_contract_is_noticed(
    operations: list[Operation], line: str, body: object, fault: str
) -> None:
    method, _, target = line.partition(" ")
    raw = b"" if body is None else json.dumps(body).encode()
    request = Request.of(method, target, {}, raw, "http://crm.example.com")
    (operation,) = (each for each in operations if each.matches(request))
    assert fault in "\n".join(operation.faults(request))
