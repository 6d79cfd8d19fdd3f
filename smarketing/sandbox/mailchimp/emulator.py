"""Mailchimp as a state machine: its API through `handle`, and the hidden door for whoever plays its people."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State, Value
from connectors.world import MICROSECONDS, World
from smarketing.sandbox.emulator import Misbehaviour, Reply, Request
from smarketing.sandbox.mailchimp.audience import CLEANED, SUBSCRIBED, UNSUBSCRIBED, Audience, Member
from smarketing.sandbox.mailchimp.batches import ARCHIVES, BatchesApi
from smarketing.sandbox.mailchimp.lists_api import ListsApi
from smarketing.sandbox.mailchimp.members_api import MembersApi
from smarketing.sandbox.mailchimp.merge_fields import PARTS
from smarketing.sandbox.mailchimp.problems import Problem, Voice, key_invalid, key_missing, not_found, reply

MEMBER, FIELD = "member", "merge_field"
AT_ONCE = 10
"""Requests under way, of all programs together (docs: fundamentals)."""
FIELDS = (
    {"tag": "FNAME", "name": "First Name", "type": "text"},
    {"tag": "LNAME", "name": "Last Name", "type": "text"},
    {"tag": "ADDRESS", "name": "Address", "type": "address"},
    {"tag": "PHONE", "name": "Phone Number", "type": "phone", "options": {"phone_format": "none"}},
)
"""What a new audience has."""
ATTRIBUTES = ("email_address", "status", "language", "vip", "tags")


class MailchimpEmulator:
    """One account with one audience. `lag`: seconds by which a listing of what changed is late."""

    name = "mailchimp"
    at_once = AT_ONCE

    def __init__(
        self,
        world: World,
        *,
        api_key: str,
        list_id: str = "abc123def4",
        fields: Sequence[Mapping[str, object]] = FIELDS,
        lag: float = 5.0,
    ) -> None:
        self._key = api_key
        self._voice = Voice()
        self._mischief = Misbehaviour(world, self._voice)
        self.audience = Audience(world, list_id)
        for each in fields:
            self.audience.fields.add(each)
        self._members = MembersApi(self._mischief, lag)
        self._lists = ListsApi({list_id: self.audience}, self._members)
        self._batches = BatchesApi(world, self._answer)

    def handle(self, request: Request) -> Reply:
        return self._mischief.run(request, self._answer)

    def crowded(self) -> Reply:
        """What is said to whoever comes while `AT_ONCE` requests are under way."""
        return self._voice.crowded()

    def credentials(self, base_url: str) -> dict[str, str]:
        return {"base_url": base_url, "api_key": self._key, "list_id": self.audience.list_id}

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith(ARCHIVES):
            return self._batches.archive(request)
        try:
            self._let_in(request)
            return self._routed(request)
        except Problem as problem:
            return self._voice.say(problem)

    def _routed(self, request: Request) -> Reply:
        version, *below = [each for each in request.path.split("/") if each]
        if version != "3.0":
            raise not_found()
        match request.method, below:
            case "GET", []:
                return reply(self._account(request.base_url))
            case "GET", ["ping"]:
                return reply({"health_status": "Everything's Chimpy!"})
            case _, ["lists", *rest]:
                return self._lists.answer(request, rest)
            case _, ["batches", *rest]:
                return self._batches.answer(request, rest)
        raise not_found()

    def _let_in(self, request: Request) -> None:
        """Any user name and the key, or the key as a bearer token. Raises Problem."""
        how, _, what = request.headers.get("authorization", "").partition(" ")
        if how.lower() == "basic":
            try:
                what = base64.b64decode(what).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                what = ""
        if not what:
            raise key_missing()
        if not hmac.compare_digest(what.encode(), self._key.encode()):
            raise key_invalid()

    def _account(self, base_url: str) -> dict[str, object]:
        return {
            "account_id": "acc0000000000001",
            "login_id": "1",
            "account_name": "Example",
            "email": "owner@example.com",
            "first_name": "",
            "last_name": "",
            "username": "example",
            "role": "owner",
            "pricing_plan_type": "monthly",
            "account_timezone": "Europe/Oslo",
            "total_subscribers": len(self.audience.listed(SUBSCRIBED)),
            "_links": [{"rel": "self", "href": f"{base_url}/3.0/", "method": "GET"}],
        }

    # --- the backdoor ------------------------------------------------------------------------------------------------

    def put(self, object: str, fields: Fields) -> Ref:
        """Also a "merge_field" (tag, name, type, options). Raises ValueError."""
        self._mischief.land()
        try:
            if object == FIELD:
                return Ref(FIELD, self.audience.fields.add(fields).tag)
            if object != MEMBER:
                raise ValueError(f"no object {object!r}; there are {MEMBER} and {FIELD}")
            said = {"status": SUBSCRIBED, **self._said(None, fields)}
            made = self.audience.create(said, complete=False, by_api=False)
        except Problem as problem:
            raise ValueError(problem.detail) from None
        return Ref(MEMBER, made.contact_id)

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        """Raises ValueError."""
        self._mischief.land()
        found = self._there(ref)
        try:
            self.audience.update(found, self._said(found, fields), complete=False, by_api=False)
        except Problem as problem:
            raise ValueError(problem.detail) from None
        tags = fields.get("tags")
        if isinstance(tags, list):
            for name in [*found.tags]:
                self.audience.tag(found, name, active=name in tags)
            for name in tags:
                self.audience.tag(found, name, active=True)

    def corrupt(self, ref: Ref, fields: Fields) -> None:
        """Values become others and nobody did it: no time tells."""
        self._mischief.land()
        found = self._there(ref)
        said: Any = self._said(found, fields)
        found.merge.update(self.audience.fields.taken(said["merge_fields"], complete=False))

    def remove(self, ref: Ref) -> None:
        """Archives; "a person deletes it" means just that over there."""
        self._mischief.land()
        self.audience.archive(self._there(ref))

    def forget(self, ref: Ref) -> None:
        """Deletes for good."""
        self.audience.forget(self._there(ref))

    def bounce(self, ref: Ref) -> None:
        self.audience.clean(self._there(ref))

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        raise ValueError("members cannot be merged over there")

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._mischief.land()
        if (found := self._mailed(address, channel)) is not None:
            self.audience.unsubscribe(found)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._mischief.land()
        if (found := self._mailed(address, channel)) is not None:
            self.audience.subscribe(found)

    def fault(self, kind: Fault, when: When) -> None:
        self._mischief.arm(kind, when)

    def requests(self) -> list[Seen]:
        return list(self._mischief.seen)

    def records(self) -> list[Kept]:
        self._mischief.land()
        return [self._kept(each) for each in self.audience.members.values()]

    # --- its parts ---------------------------------------------------------------------------------------------------

    def _kept(self, one: Member) -> Kept:
        fields: Fields = {
            "email_address": one.address,
            "status": one.status,
            "language": one.language,
            "vip": one.vip,
            "tags": sorted(one.tags),
        }
        for tag, value in self.audience.fields.shown(one.merge).items():
            if self.audience.fields.by_tag[tag].type == "address":
                parts = value if isinstance(value, dict) else {}
                fields |= {f"{tag}.{part}": str(parts.get(part, "")) for part in PARTS}
            else:
                fields[tag] = value if isinstance(value, int) and not isinstance(value, bool) else str(value)
        state = State.DELETED if one.gone else State.ARCHIVED if one.archived else State.LIVE
        consent = {"email": "in"} if one.status == SUBSCRIBED else {}
        if one.status == UNSUBSCRIBED or (one.status == CLEANED and one.own_no):
            consent = {"email": "out"}
        return Kept(Ref(MEMBER, one.contact_id), fields, state, None, one.changed * MICROSECONDS, consent)

    def _there(self, ref: Ref) -> Member:
        found = self.audience.find(ref.id) if ref.object == MEMBER else None
        if found is None or found.archived:
            raise ValueError(f"there is no {ref} that a person could still see")
        return found

    def _mailed(self, address: str, channel: str) -> Member | None:
        if channel != "email":
            raise ValueError(f"no channel {channel!r}; there is email")
        return self.audience.find(address.strip().lower())

    def _said(self, found: Member | None, fields: Fields) -> dict[str, object]:
        """Fields as a request would carry them; the parts of an address together."""
        said: dict[str, object] = {name: value for name, value in fields.items() if name in ATTRIBUTES}
        merge: dict[str, object] = {}
        for name, value in fields.items():
            if name in ATTRIBUTES:
                continue
            tag, dot, part = name.partition(".")
            if tag not in self.audience.fields.by_tag:
                raise ValueError(f"no field {name!r}")
            if not dot:
                merge[tag] = _raw(value)
                continue
            if tag not in merge:
                before = found.merge.get(tag) if found else None
                merge[tag] = dict(before) if isinstance(before, dict) else {}
            address = merge[tag]
            assert isinstance(address, dict)
            address[part] = value or ""
        said["merge_fields"] = merge
        return said


def _raw(value: Value) -> object:
    return "" if value is None else value


__all__ = ["AT_ONCE", "MailchimpEmulator"]
