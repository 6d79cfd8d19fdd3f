"""A way to ask Mailchimp's stand-in without a socket."""

from __future__ import annotations

import json
from typing import Any

from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.mailchimp import MailchimpEmulator
from tests.worlds import ManualWorld

BASE = "http://127.0.0.1:1"
KEY = "0123456789abcdef0123456789abcdef-us19"
LIST = "abc123def4"
AT = f"/3.0/lists/{LIST}"


class Wire:
    def __init__(self, **settings: Any) -> None:
        self.world = ManualWorld()
        self.door = MailchimpEmulator(self.world, api_key=KEY, list_id=LIST, **settings)

    def raw(self, method: str, target: str, body: object = None, key: str = KEY) -> Reply:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        sent = b"" if body is None else json.dumps(body).encode()
        return self.door.handle(Request.of(method, target, headers, sent, BASE))

    def ask(self, method: str, target: str, body: object = None, *, status: int = 200) -> Any:
        """The answer, which must have this status."""
        reply = self.raw(method, target, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body) if reply.body else None

    def member(self, address: str = "ann@example.com", **more: Any) -> dict[str, Any]:
        said = {"email_address": address, "status": "subscribed", **more}
        found: dict[str, Any] = self.ask("POST", f"{AT}/members", said)
        return found
