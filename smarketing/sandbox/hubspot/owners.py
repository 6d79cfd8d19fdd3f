"""The account's users as owners of records. Source: spec crmOwners-v3; HubSpot docs, owners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot.calls import Call, Pager
from smarketing.sandbox.hubspot.refusals import bad_request, not_found, reply
from smarketing.sandbox.hubspot.times import stamp

MOST = 500


@dataclass(slots=True)
class Owner:
    """`id` is what hubspot_owner_id holds; `user` is another number."""

    id: int
    user: int
    email: str
    first: str
    last: str
    archived: bool = False
    created: int = 0
    updated: int = 0

    def shape(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "id": str(self.id),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first,
            "lastName": self.last,
            "userIdIncludingInactive": self.user,
            "createdAt": stamp(self.created),
            "updatedAt": stamp(self.updated),
            "archived": self.archived,
            "teams": [],
        }
        return content if self.archived else {**content, "userId": self.user}


class Owners:
    """Users that can own records; the deactivated ones are archived."""

    def __init__(self, owners: Sequence[Owner], now: int) -> None:
        self._all = {each.id: replace(each, created=now, updated=now) for each in owners}

    def add(self, email: str, first: str, last: str, now: int) -> Owner:
        """Raises ValueError."""
        if any(each.email == email.lower() for each in self._all.values()):
            raise ValueError("an owner with this address is there already")
        number = max(self._all, default=80_000) + 1
        made = self._all[number] = Owner(
            number, number + 7_000_000, email.lower(), first, last, created=now, updated=now
        )
        return made

    def archive(self, number: int, now: int) -> None:
        """Raises KeyError."""
        self._all[number].archived = True
        self._all[number].updated = now

    def active(self) -> Collection[str]:
        """The ids a record may be given to."""
        return {str(each.id) for each in self._all.values() if not each.archived}

    def listed(self) -> list[Owner]:
        return [self._all[number] for number in sorted(self._all)]

    def of_user(self, user: int) -> Owner | None:
        return next((each for each in self._all.values() if each.user == user), None)

    def get(self, number: int) -> Owner | None:
        return self._all.get(number)


class OwnersApi:
    def __init__(self, owners: Owners, pager: Pager) -> None:
        self._owners = owners
        self._pager = pager

    def listing(self, call: Call) -> Reply:
        archived, email = call.flag("archived"), call.request.one("email").lower()
        found = {
            each.id: each
            for each in self._owners.listed()
            if each.archived == archived and (not email or each.email == email)
        }
        page, paging = self._pager.cut(list(found), call, call.limit(100, MOST))
        return reply({"results": [found[number].shape() for number in page], **paging})

    def one(self, call: Call, number: str) -> Reply:
        if not number.isdecimal():
            raise not_found()
        match call.request.one("idProperty", "id"):
            case "id":
                owner = self._owners.get(int(number))
            case "userId":
                owner = self._owners.of_user(int(number))
            case _:
                raise bad_request("The idProperty of an owner is id or userId.")
        if owner is None or owner.archived != call.flag("archived"):
            raise not_found()
        return reply(owner.shape())
