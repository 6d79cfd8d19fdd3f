"""A Salesforce org in this process, and a wire to it without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from connectors.world import World
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.salesforce import SalesforceEmulator
from tests.worlds import ManualWorld

BASE = "http://salesforce.example.com"
ROOT = "/services/data/v62.0"
CLIENT = {"client_id": "3MVG9sandbox", "client_secret": "sandbox-secret"}
USER = {"username": "integration@example.com", "password": "sandbox-password"}


def org(world: World, **options: Any) -> SalesforceEmulator:
    """An org that knows CLIENT and USER."""
    known: dict[str, Any] = {**CLIENT, **USER, **options}
    return SalesforceEmulator(world, **known)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: Any

    @property
    def code(self) -> str:
        """The code of the first error."""
        found: str = self.content[0]["errorCode"]
        return found

    @property
    def message(self) -> str:
        found: str = self.content[0]["message"]
        return found

    @property
    def fields(self) -> list[str]:
        found: list[str] = self.content[0]["fields"]
        return found

    @property
    def records(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.content
        found: list[dict[str, Any]] = self.content["records"]
        return found


def shown(reply: Reply) -> Answer:
    is_json = "json" in reply.headers.get("Content-Type", "")
    content = json.loads(reply.body) if is_json and reply.body else reply.body.decode()
    return Answer(reply.status, reply.headers, content)


class Wire:
    def __init__(self, **options: Any) -> None:
        self.world = ManualWorld()
        self.door = org(self.world, **options)
        self._token = ""

    def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """`target` is a path behind the version, or a whole one."""
        sent = {
            "Authorization": f"Bearer {token or self.token()}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        whole = target if target.startswith("/") else f"{ROOT}/{target}"
        return shown(self.door.handle(Request.of(method, whole, sent, raw, BASE)))

    def form(self, path: str, **said: str) -> Answer:
        return self.form_as({}, path, **said)

    def form_as(self, headers: Mapping[str, str], path: str, **said: str) -> Answer:
        """A form sent with these headers."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        request = Request.of("POST", f"/services/oauth2/{path}", sent, urlencode(said).encode(), BASE)
        return shown(self.door.handle(request))

    def sign_in(self) -> str:
        answer = self.form("token", grant_type="client_credentials", **CLIENT)
        assert answer.status == 200, answer.content
        token: str = answer.content["access_token"]
        return token

    def token(self) -> str:
        self._token = self._token or self.sign_in()
        return self._token

    def query(self, soql: str, *, deleted: bool = False, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("GET", f"{'queryAll' if deleted else 'query'}?q={quote(soql)}", headers=sent)

    def ids(self, soql: str, *, deleted: bool = False) -> list[str]:
        return [str(each["Id"]) for each in self.query(soql, deleted=deleted).records]

    def one(self, soql: str, *, deleted: bool = False) -> dict[str, Any]:
        (found,) = self.query(soql, deleted=deleted).records
        return found

    def create(self, object: str, **fields: object) -> str:
        answer = self.call("POST", f"sobjects/{object}", fields)
        assert answer.status == 201, answer.content
        made: str = answer.content["id"]
        return made

    def lead(self, **fields: object) -> str:
        return self.create("Lead", **{"LastName": "Nordmann", "Company": "Example AS", **fields})

    def contact(self, **fields: object) -> str:
        return self.create("Contact", **{"LastName": "Nordmann", **fields})

    def read(self, object: str, id: str, *names: str) -> dict[str, Any]:
        answer = self.call("GET", f"sobjects/{object}/{id}" + (f"?fields={','.join(names)}" if names else ""))
        assert answer.status == 200, answer.content
        found: dict[str, Any] = answer.content
        return found

    def update(self, object: str, id: str, **fields: object) -> Answer:
        return self.call("PATCH", f"sobjects/{object}/{id}", fields)


def row(type: str, **fields: object) -> dict[str, object]:
    """A record of a collection."""
    return {"attributes": {"type": type}, **fields}
