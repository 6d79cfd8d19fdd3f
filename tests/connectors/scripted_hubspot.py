"""A HubSpot whose every answer a test has written: real HTTP on loopback, nothing decided by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from connectors.base import Ref, Value, Write, WriteKind
from connectors.hubspot import HubSpot, HubSpotSettings
from connectors.world import World
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.server import Server
from smarketing.world import RealWorld
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

TOKEN = "pat-na1-not-a-real-token"
OBJECTS = "/crm/v3/objects/contacts"
PREFERENCES = "/communication-preferences/v4/statuses/batch"
AT = "2026-01-01T10:00:00.000Z"

Answer: TypeAlias = "Reply | Callable[[Request], Reply]"


class Scripted:
    """`on` says what a "METHOD path" is answered: each answer once, the last one for ever. An unscripted request is
    answered 418 and stands in `strangers`."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.strangers: list[str] = []
        self._answers: dict[str, list[Answer]] = {}
        self._server = Server(self._answer, RealWorld())
        self._connectors: list[HubSpot] = []
        self.url = self._server.url

    def begin(self) -> None:
        """Forget the test before."""
        self.seen, self.strangers, self._answers = [], [], {}

    def end(self) -> None:
        while self._connectors:
            self._connectors.pop().close()
        assert not self.strangers

    def on(self, line: str, *answers: Answer) -> None:
        self._answers[line] = list(answers)

    def connector(
        self, fields: Sequence[str] = ("email", "firstname"), world: World | None = None, **settings: object
    ) -> HubSpot:
        chosen = HubSpotSettings.model_validate({"token": TOKEN, "base_url": self.url, **settings})
        made = HubSpot("crm", chosen, world or ManualWorld(), {"contact": fields}, NoSecrets())
        self._connectors.append(made)
        return made

    def lines(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.seen]

    def bodies(self, line: str) -> list[Any]:
        """The JSON of every request to this line."""
        return [each.json() for each in self.seen if f"{each.method} {each.path}" == line]

    def stop(self) -> None:
        self._server.stop()

    def _answer(self, request: Request) -> Reply:
        self.seen.append(request)
        line = f"{request.method} {request.path}"
        answers = self._answers.get(line)
        if not answers:
            self.strangers.append(line)
            return Reply.of(418, {"category": "UNSCRIPTED", "message": line})
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer


def row(id: int | str, properties: Mapping[str, object] | None = None, **more: object) -> dict[str, Any]:
    """A contact as HubSpot answers it."""
    return {
        "id": str(id),
        "properties": {"hs_object_id": str(id), "lastmodifieddate": more.get("updatedAt", AT), **(properties or {})},
        "createdAt": "2025-01-01T10:00:00.000Z",
        "updatedAt": AT,
        "archived": False,
        **more,
    }


def listing(*rows: Mapping[str, Any], after: str | None = None) -> Reply:
    """A page of a listing."""
    paging = {} if after is None else {"paging": {"next": {"after": after}}}
    return Reply.of(200, {"results": list(rows), **paging})


def batch(*rows: Mapping[str, Any], errors: Sequence[Mapping[str, Any]] = (), status: int = 0) -> Reply:
    """The answer to a batch; 207 where some rows failed."""
    failed = {"numErrors": len(errors), "errors": list(errors)} if errors else {}
    content = {"status": "COMPLETE", "startedAt": AT, "completedAt": AT, "results": list(rows), **failed}
    return Reply.of(status or (207 if errors else 200), content)


def trouble(
    status: int, category: str, message: str = "", headers: Mapping[str, str] | None = None, **more: object
) -> Reply:
    content = {"status": "error", "message": message, "correlationId": "c", "category": category, **more}
    return Reply.of(status, content, headers)


def echo(request: Request) -> Reply:
    """A batch write that succeeds: ids 900, 901 … for creates, in the opposite of the order of the inputs."""
    rows = [
        {**row(each.get("id", 900 + n), each["properties"]), "objectWriteTraceId": each.get("objectWriteTraceId")}
        for n, each in enumerate(json.loads(request.body)["inputs"])
    ]
    return batch(*reversed(rows), status=201 if request.path.endswith("create") else 200)


def create(key: str, **fields: Value) -> Write:
    return Write(WriteKind.CREATE, key, "contact", None, named(fields))


def update(id: int, before: Mapping[str, Value] | None = None, **fields: Value) -> Write:
    ref = Ref("contact", str(id))
    return Write(WriteKind.UPDATE, f"key-{id}", "contact", ref, named(fields), before=named(before or {}))


def named(fields: Mapping[str, Value]) -> dict[str, Value]:
    """`consent` and `consent_7` stand for names that Python cannot spell."""
    return {
        name.replace("consent_", "consent:email:") if name != "consent" else "consent:email": value
        for name, value in fields.items()
    }
