"""A Salesforce that answers what a test wrote down, over real HTTP."""

from __future__ import annotations

import atexit
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qs

import httpx

from connectors.salesforce import Salesforce
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.server import Server
from smarketing.world import RealWorld
from tests.worlds import ManualWorld

DATA = "/services/data/v62.0"
SECRET = "shh-client-secret"
US = "005000000000001AAA"
KARI = "005000000000002AAA"

Said = Reply | Callable[[Request], Reply]


class Vault:
    """Where tokens are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, value: str) -> None:
        self.kept[name] = value


class _Shared:
    """One server for all tests of a process: to stop one takes longer than most tests."""

    def __init__(self) -> None:
        self.answer: Callable[[Request], Reply] | None = None
        self.server = Server(self._ask, RealWorld())
        atexit.register(self.server.stop)

    def _ask(self, request: Request) -> Reply:
        assert self.answer is not None
        return self.answer(request)


@functools.cache
def _shared() -> _Shared:
    return _Shared()


def serve(answer: Callable[[Request], Reply]) -> str:
    """The address at which this answers from now on, and nothing else."""
    shared = _shared()
    shared.answer = answer
    return shared.server.url


def unverified() -> httpx.HTTPTransport:
    """To loopback without TLS: reading the certificates of the world takes longer than most tests."""
    return httpx.HTTPTransport(verify=False)


class Org:
    """Answers by method and path: each call takes the next thing said, the last one stays."""

    def __init__(self) -> None:
        self.world = ManualWorld()
        self.vault = Vault()
        self.requests: list[Request] = []
        self.tokens = 0
        self.instance: str | None = None
        self._connectors: list[Salesforce] = []
        self._said: dict[tuple[str, str], list[Said]] = {}
        self.url = serve(self._answer)

    def on(self, method: str, path: str, *said: Said) -> None:
        self._said[method, path] = list(said)

    def on_query(self, *said: Said) -> None:
        self.on("GET", f"{DATA}/queryAll/", *said)

    def on_users(self, *users: Mapping[str, object]) -> None:
        self.on("GET", f"{DATA}/query/", page(*users))

    def on_describe(self, object: str, *fields: Mapping[str, object], **rights: bool) -> None:
        self.on("GET", f"{DATA}/sobjects/{object}/describe", description(*fields, **rights))

    def connect(self, fields: Mapping[str, Sequence[str]] | None = None, **settings: object) -> Salesforce:
        told = {"client_id": "app", "client_secret": SECRET, "base_url": self.url, **settings}
        wanted = fields if fields is not None else {"Lead": ["LastName"], "Contact": ["LastName"]}
        read = Salesforce.Settings.model_validate(told)
        made = Salesforce("crm", read, self.world, wanted, self.vault, transport=unverified())
        self._connectors.append(made)
        return made

    def asked(self, path: str = DATA) -> list[Request]:
        return [each for each in self.requests if each.path.startswith(path)]

    def soql(self) -> list[str]:
        return [each.one("q") for each in self.requests if "/query" in each.path]

    def stop(self) -> None:
        for connector in self._connectors:
            connector.close()

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        if request.path == "/services/oauth2/token" and (request.method, request.path) not in self._said:
            form = parse_qs(request.body.decode())
            if form.get("client_secret") != [SECRET] or form.get("grant_type") != ["client_credentials"]:
                return Reply.of(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
            self.tokens += 1
            return Reply.of(200, grant(f"token-{self.tokens}", self.instance or self.url))
        said = self._said.get((request.method, request.path))
        if not said:
            return complaint(404, "NOT_FOUND", "nothing was said about this")
        here = said.pop(0) if len(said) > 1 else said[0]
        return here if isinstance(here, Reply) else here(request)


@contextmanager
def org() -> Iterator[Org]:
    made = Org()
    try:
        yield made
    finally:
        made.stop()


def grant(token: str, instance: str) -> dict[str, str]:
    return {
        "access_token": token,
        "instance_url": instance,
        "id": f"https://login.salesforce.com/id/00D000000000001AAA/{US}",
        "token_type": "Bearer",
        "issued_at": "1767225600000",
        "signature": "c2ln",
        "scope": "api",
    }


def complaint(status: int, code: str, message: str = "no", fields: Sequence[str] = (), **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply.of(status, [{"errorCode": code, "message": message, "fields": list(fields)}], named)


def page(*rows: Mapping[str, object], next_url: str | None = None) -> Reply:
    content: dict[str, object] = {"totalSize": len(rows), "done": next_url is None, "records": list(rows)}
    if next_url:
        content["nextRecordsUrl"] = next_url
    return Reply.of(200, content)


def lead(n: int, **fields: object) -> dict[str, object]:
    return {
        "attributes": {"type": "Lead", "url": f"{DATA}/sobjects/Lead/{lead_id(n)}"},
        "Id": lead_id(n),
        "SystemModstamp": "2025-12-01T10:00:00.000+0000",
        "CreatedDate": "2025-11-01T10:00:00.000+0000",
        "CreatedById": KARI,
        "LastModifiedById": US,
        "IsDeleted": False,
        "MasterRecordId": None,
        "IsConverted": False,
        "ConvertedContactId": None,
        "LastName": f"Last {n}",
        **fields,
    }


def lead_id(n: int) -> str:
    return f"00Q{n:012}EAA"


def contact(n: int, **fields: object) -> dict[str, object]:
    row = lead(n, Id=contact_id(n), attributes={"type": "Contact"}, **fields)
    return {name: value for name, value in row.items() if name not in ("IsConverted", "ConvertedContactId")}


def contact_id(n: int) -> str:
    return f"003{n:012}AAA"


def user(id: str, email: str | None, active: bool = True, type: str = "Standard") -> dict[str, object]:
    return {"Id": id, "Email": email, "IsActive": active, "UserType": type}


def field(name: str, type: str = "string", **told: object) -> dict[str, object]:
    return {
        "name": name,
        "label": name,
        "type": type,
        "length": 80 if type in ("string", "email") else 0,
        "nillable": True,
        "createable": True,
        "updateable": True,
        "defaultedOnCreate": False,
        "unique": False,
        "externalId": False,
        **told,
    }


KEY = field("Smarketing_Id__c", unique=True, externalId=True)


def description(*fields: Mapping[str, object], **rights: bool) -> Reply:
    rights = {"queryable": True, "createable": True, "updateable": True, "deletable": True, **rights}
    return Reply.of(200, {"name": "", "fields": list(fields), **rights})


def row(id: str) -> dict[str, object]:
    return {"id": id, "success": True, "errors": []}


def failed(code: str, message: str = "no", fields: Sequence[str] = (), **more: object) -> dict[str, object]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}], **more}


def results(*rows: Mapping[str, object]) -> Reply:
    return Reply.of(200, list(rows))


def sent(request: Request) -> list[dict[str, object]]:
    """The records of a collections request."""
    records: list[dict[str, object]] = json.loads(request.body)["records"]
    return records
