"""One audience: its members, and what may become of them. Decides; knows no HTTP.

Whoever unsubscribed themselves, bounced or was forgotten is not subscribed by any request: only a form, or a
confirmation of their own, does that. Source: Mailchimp docs; spec: `/lists/{list_id}/members`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.world import MICROSECONDS, World
from smarketing.sandbox.mailchimp.merge_fields import MergeFields
from smarketing.sandbox.mailchimp.problems import (
    Problem,
    cannot_be_removed,
    forgotten,
    in_compliance_state,
    invalid,
    member_exists,
    not_found,
)

SUBSCRIBED, UNSUBSCRIBED, CLEANED = "subscribed", "unsubscribed", "cleaned"
PENDING, TRANSACTIONAL, ARCHIVED = "pending", "transactional", "archived"
WRITABLE = (SUBSCRIBED, UNSUBSCRIBED, CLEANED, PENDING, TRANSACTIONAL)
STATUSES = (*WRITABLE, ARCHIVED)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def hashed(address: str) -> str:
    """What a member is called by its address."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Member:
    """`own_no`: whoever owns the address unsubscribed by themselves. Times in seconds; `archived` hides the member
    without changing its status."""

    contact_id: str
    web_id: int
    address: str
    status: str
    made: int
    changed: int
    merge: dict[str, object] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    language: str = ""
    vip: bool = False
    email_type: str = "html"
    source: str = "API - Generic"
    interests: dict[str, bool] = field(default_factory=dict)
    opted: int | None = None
    unsubscribed: int | None = None
    own_no: bool = False
    archived: bool = False
    gone: bool = False

    @property
    def id(self) -> str:
        return hashed(self.address)

    @property
    def shown_status(self) -> str:
        return ARCHIVED if self.archived else self.status


class Audience:
    """`made`: when it was made, seconds."""

    def __init__(self, world: World, list_id: str, name: str = "Everybody") -> None:
        self._world = world
        self.list_id, self.name = list_id, name
        self.fields = MergeFields()
        self.members: dict[str, Member] = {}
        self.tag_ids: dict[str, int] = {}
        self.interests: dict[str, str] = {}
        self.made = self.now()
        self._by_hash: dict[str, str] = {}
        self._forgotten: set[str] = set()

    def now(self) -> int:
        return self._world.now() // MICROSECONDS

    # --- looking up ---

    def find(self, named: str) -> Member | None:
        """By hash, by plain address or by contact id; whoever was deleted for good is nobody."""
        found = self._by_hash.get(named) or self._by_hash.get(hashed(named))
        member = self.members.get(found or named)
        return None if member is None or member.gone else member

    def one(self, named: str) -> Member:
        """Raises Problem."""
        found = self.find(named)
        if found is None:
            raise not_found()
        return found

    def listed(self, status: str = "") -> list[Member]:
        """Those whom a listing shows: archived ones only when they are asked for."""
        live = [each for each in self.members.values() if not each.gone]
        if status:
            return [each for each in live if each.shown_status == status]
        return [each for each in live if not each.archived]

    # --- changing ---

    def create(self, said: Mapping[str, Any], *, complete: bool = True, by_api: bool = True) -> Member:
        """Raises Problem."""
        address = self._address(said.get("email_address"))
        status = self._status(said.get("status"))
        there = self.find(hashed(address))
        if there is not None:
            raise member_exists(address)
        if hashed(address) in self._forgotten and by_api:
            raise forgotten(address)
        now, number = self.now(), len(self.members) + 1
        contact_id = hashlib.md5(f"{self.list_id}:{number}".encode(), usedforsecurity=False).hexdigest()
        made = Member(contact_id, 100_000 + number, address, status, now, now)
        made.source = "API - Generic" if by_api else "Admin Add"
        merge = self.fields.taken(_object(said, "merge_fields"), complete=complete)
        if complete and by_api and (lacking := self.fields.lacking(merge)):
            raise invalid(*lacking)
        made.merge = {tag: each for tag, each in merge.items() if each != ""}
        self._take_rest(made, said)
        self._note_status(made, now)
        for tag in said.get("tags") or ():
            self.tag(made, str(tag), active=True)
        self._forgotten.discard(hashed(address))
        self.members[contact_id] = made
        self._by_hash[made.id] = contact_id
        return made

    def update(self, member: Member, said: Mapping[str, Any], *, complete: bool = True, by_api: bool = True) -> None:
        """What is sent is changed, the rest stays. Raises Problem, and then nothing is."""
        address = self._address(said["email_address"]) if said.get("email_address") else member.address
        other = self.find(hashed(address))
        if other is not None and other is not member:
            raise member_exists(address)
        if address.lower() != member.address.lower() and hashed(address) in self._forgotten and by_api:
            raise forgotten(address)
        status = self._status(said["status"]) if said.get("status") else member.status
        if by_api and status == SUBSCRIBED != member.status and (member.own_no or member.status == CLEANED):
            raise in_compliance_state(member.address)
        merge = self.fields.taken(_object(said, "merge_fields"), complete=complete)
        before = _state(member)
        if address != member.address:
            del self._by_hash[member.id]
            member.address = address
            self._by_hash[member.id] = member.contact_id
        if said.get("status"):
            member.archived = False  # it is back
            if status != member.status:
                member.status, member.own_no = status, False
                self._note_status(member, self.now())
        for tag, value in merge.items():
            member.merge[tag] = value
            if value == "":
                del member.merge[tag]
        self._take_rest(member, said)
        if _state(member) != before:
            member.changed = self.now()

    def unsubscribe(self, member: Member) -> None:
        """By the owner of the address, on a page of Mailchimp's."""
        member.status, member.own_no = UNSUBSCRIBED, True
        member.unsubscribed = member.changed = self.now()

    def subscribe(self, member: Member) -> None:
        """By the owner of the address, who confirmed it."""
        member.status, member.own_no, member.archived = SUBSCRIBED, False, False
        member.opted = member.changed = self.now()

    def clean(self, member: Member) -> None:
        """Mail to it bounced for good."""
        member.status = CLEANED
        member.changed = self.now()

    def archive(self, member: Member) -> None:
        """Raises Problem."""
        if member.archived:
            raise cannot_be_removed()
        member.archived = True
        member.changed = self.now()

    def forget(self, member: Member) -> None:
        """For good: nothing of the person stays, and no request brings the address back."""
        self._forgotten.add(member.id)
        del self._by_hash[member.id]
        member.gone, member.merge, member.tags = True, {}, {}
        member.address = ""

    def tag(self, member: Member, name: str, *, active: bool) -> None:
        """Whether a tag alone moves `last_changed` is not documented; here it does not."""
        if active:
            member.tags[name] = self.tag_ids.setdefault(name, 10_000 + len(self.tag_ids))
        else:
            member.tags.pop(name, None)

    # --- what is sent ---

    def _address(self, raw: object) -> str:
        address = raw.strip() if isinstance(raw, str) else ""
        if not _ADDRESS.fullmatch(address):
            raise invalid(("email_address", "This value should be a valid email address."))
        return address

    @staticmethod
    def _status(raw: object) -> str:
        if raw not in WRITABLE:
            raise invalid(("status", f"Value must be one of: {', '.join(WRITABLE)}"))
        return str(raw)

    def _take_rest(self, member: Member, said: Mapping[str, Any]) -> None:
        if isinstance(said.get("language"), str):
            member.language = said["language"]
        if isinstance(said.get("vip"), bool):
            member.vip = said["vip"]
        if said.get("email_type") in ("html", "text"):
            member.email_type = said["email_type"]
        for number, chosen in _object(said, "interests").items():
            if number in self.interests:
                member.interests[number] = bool(chosen)

    @staticmethod
    def _note_status(member: Member, now: int) -> None:
        if member.status == SUBSCRIBED:
            member.opted = now
        elif member.status == UNSUBSCRIBED:
            member.unsubscribed = now


def _object(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    if found in (None, "", []):
        return {}
    if not isinstance(found, dict):
        raise Problem(400, "Invalid Resource", f"{name}: Schema describes object, {type(found).__name__} found instead")
    return found


def _state(member: Member) -> tuple[object, ...]:
    """What moves `last_changed`."""
    return (
        *(member.address, member.status, member.archived, dict(member.merge), dict(member.interests)),
        *(member.language, member.vip, member.email_type),
    )
