"""A HubSpot account in this process, and a wire to it without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from smarketing.sandbox.emulator import Request
from smarketing.sandbox.hubspot import HubSpotEmulator
from tests.worlds import ManualWorld

TOKEN = "pat-sandbox-0001"
BASE = "http://hubspot.example.com"
CONTACTS = "/crm/v3/objects/contacts"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: Any

    @property
    def results(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.content["results"]
        return found

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.content["properties"]
        return found

    @property
    def codes(self) -> list[str]:
        return [each["code"] for each in self.content["errors"]]


class Wire:
    def __init__(self, **options: Any) -> None:
        self.world = ManualWorld()
        self.door = HubSpotEmulator(self.world, token=TOKEN, **options)

    def call(
        self, method: str, target: str, body: object = None, *, token: str | None = TOKEN, form: Any = None
    ) -> Answer:
        headers = {"Content-Type": "application/json"} if form is None else {}
        raw = b"" if body is None else json.dumps(body).encode()
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            raw = urlencode(form).encode()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        reply = self.door.handle(Request.of(method, target, headers, raw, BASE))
        return Answer(reply.status, reply.headers, json.loads(reply.body) if reply.body else None)

    def get(self, target: str) -> Answer:
        return self.call("GET", target)

    def post(self, target: str, body: object) -> Answer:
        return self.call("POST", target, body)

    def patch(self, target: str, **properties: object) -> Answer:
        return self.call("PATCH", target, {"properties": properties})

    def delete(self, target: str) -> Answer:
        return self.call("DELETE", target)

    def contact(self, **properties: object) -> str:
        """Make a contact through the API; answers its id."""
        answer = self.post(CONTACTS, {"properties": properties})
        assert answer.status == 201, answer.content
        made: str = answer.content["id"]
        return made

    def read(self, id_: str, *names: str) -> dict[str, Any]:
        """Properties of a contact, as a listing shows them: without lag."""
        answer = self.get(f"{CONTACTS}/{id_}?properties={','.join(names)}")
        assert answer.status == 200, answer.content
        return {name: answer.properties.get(name) for name in names}

    def search(self, *filters: Mapping[str, object], **more: object) -> Answer:
        return self.post(f"{CONTACTS}/search", {"filterGroups": [{"filters": list(filters)}], **more})

    def settle(self) -> None:
        """Let the search catch up."""
        self.world.sleep(5)


def where(name: str, operator: str, *values: str) -> dict[str, object]:
    """A filter of a search."""
    match operator:
        case "IN" | "NOT_IN":
            return {"propertyName": name, "operator": operator, "values": list(values)}
        case "BETWEEN":
            return {"propertyName": name, "operator": operator, "value": values[0], "highValue": values[1]}
        case "HAS_PROPERTY" | "NOT_HAS_PROPERTY":
            return {"propertyName": name, "operator": operator}
        case _:
            return {"propertyName": name, "operator": operator, "value": values[0]}
