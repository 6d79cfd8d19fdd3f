"""Who is who over there: the users behind OwnerId, CreatedById and LastModifiedById.

To the rest an owner is an e-mail address. A queue, somebody inactive and somebody whom our user may not see are no
owners that another system could know, so they are not told at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.base import Writer
from connectors.salesforce.answers import Complaint
from connectors.salesforce.native import USER, chunks, listed
from connectors.world import World

if TYPE_CHECKING:
    from connectors.salesforce.wire import Wire

KEPT_SECONDS = 900.0
"""People join, leave and are renamed: what we know of them is asked again after so long."""

PURPOSE = "look up users"
COLUMNS = "SELECT Id, Email, IsActive, UserType FROM User"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str | None
    active: bool
    type: str | None


@dataclass(frozen=True, slots=True)
class People:
    """The users that some rows name, by id, and which one is us."""

    us: str | None
    users: Mapping[str, User | None]

    def ours(self, id: str | None) -> bool | None:
        """Whether that is the user we act as; None where it cannot be told."""
        return None if self.us is None or id is None else id[:15] == self.us[:15]

    def writer(self, id: str | None) -> Writer:
        """Who that was. Another integration that acts as an ordinary user looks like a person."""
        if self.ours(id):
            return Writer.INTEGRATION
        user = self.users.get(id or "")
        if user is None or user.type is None:
            return Writer.UNKNOWN
        return {"Standard": Writer.PERSON, "AutomatedProcess": Writer.WORKFLOW}.get(user.type, Writer.UNKNOWN)

    def owner(self, id: str | None) -> str | None:
        """The e-mail address of an owner, None for one that is not told."""
        user = self.users.get(id or "")
        return user.email if user and user.active else None


class Users:
    """The users met so far."""

    def __init__(self, wire: Wire, world: World) -> None:
        self._wire = wire
        self._world = world
        self._by_id: dict[str, User | None] = {}
        self._by_email: dict[str, tuple[User, ...]] = {}
        self._asked: float | None = None

    def meet(self, writers: Iterable[str | None], owners: Iterable[str | None]) -> People:
        """Get to know these users; queues and blanks are left out, and our own user where it only wrote."""
        us = self._wire.user()
        self._forget()
        known = self._by_id
        wanted = {id for id in {*writers} - {us} | {*owners} if id and id.startswith(USER)}
        for chunk in chunks(sorted(wanted - known.keys()), COLUMNS):
            found = {user.id: user for user in self._ask(f"WHERE Id IN {listed(chunk)}")}
            known.update({id: found.get(id) for id in chunk})
        return People(us, {id: known.get(id) for id in wanted})

    def named(self, emails: Iterable[str]) -> Mapping[str, tuple[User, ...]]:
        """The active users with these e-mail addresses (in lower case); two users may share one."""
        self._forget()
        known = self._by_email
        wanted = set(emails)
        for chunk in chunks(sorted(wanted - known.keys()), COLUMNS):
            found: dict[str, tuple[User, ...]] = dict.fromkeys(chunk, ())
            for user in self._ask(f"WHERE IsActive = true AND Email IN {listed(chunk)}"):
                if user.email in found:
                    found[user.email] = (*found[user.email], user)
            known.update(found)
        return {email: known.get(email, ()) for email in wanted}

    def _ask(self, where: str) -> Iterable[User]:
        try:
            answer = self._wire.query(f"{COLUMNS} {where}", purpose=PURPOSE, deleted=False)
        except Complaint as complaint:
            if complaint.status != 400:
                raise
            return []  # our user may not see users: then nobody is known, and nothing is claimed
        return [_user(row) for row in answer["records"]]

    def _forget(self) -> None:
        now = self._world.monotonic()
        if self._asked is None or now - self._asked > KEPT_SECONDS:
            self._asked = now
            self._by_id, self._by_email = {}, {}


def _user(row: Mapping[str, Any]) -> User:
    email = row.get("Email")
    return User(str(row["Id"]), email.lower() if email else None, row.get("IsActive") is True, row.get("UserType"))
