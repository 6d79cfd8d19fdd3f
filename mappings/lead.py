"""The canonical lead: its fields, which of them mean one thing and move together, and the order of its stages.

A canonical value is JSON-native (str, int, bool, list of str, None) in one normal form, so that equality is `==` and
a hash is of bytes. A group of one field has that field's value; a group of several is a dict of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Canon: TypeAlias = "str | int | bool | list[str] | dict[str, object] | None"

TYPES = (
    "text",
    "email",
    "phone",
    "country",
    "language",
    "date",
    "datetime",
    "decimal",
    "integer",
    "boolean",
    "choice",
    "set",
    "emails",
    "stage",
    "owner",
    "consent",
    "organisation_number",
    "domain",
)


@dataclass(frozen=True, slots=True)
class LeadField:
    """`group`: the fields that move together; `text`: what a person calls it."""

    name: str
    type: str
    group: str
    text: str


_BUILT_IN = (
    LeadField("first_name", "text", "name", "first name"),
    LeadField("last_name", "text", "name", "last name"),
    LeadField("email", "email", "email", "e-mail"),
    LeadField("emails", "emails", "emails", "further e-mails"),
    LeadField("phone", "phone", "phone", "phone"),
    LeadField("mobile", "phone", "mobile", "mobile phone"),
    LeadField("company", "text", "company", "company"),
    LeadField("organisation_number", "organisation_number", "company", "organisation number"),
    LeadField("company_domain", "domain", "company", "company domain"),
    LeadField("title", "text", "title", "job title"),
    LeadField("street", "text", "address", "street"),
    LeadField("postcode", "text", "address", "postcode"),
    LeadField("city", "text", "address", "city"),
    LeadField("region", "text", "address", "region"),
    LeadField("country", "country", "address", "country"),
    LeadField("language", "language", "language", "language"),
    LeadField("owner", "owner", "owner", "owner"),
    LeadField("stage", "stage", "stage", "lifecycle stage"),
    LeadField("lead_status", "choice", "lead_status", "lead status"),
    LeadField("source", "text", "source", "source"),
    LeadField("campaign", "text", "campaign", "campaign"),
    LeadField("deliverability", "choice", "deliverability", "deliverability"),
    LeadField("tags", "set", "tags", "tags"),
)

STAGES: Mapping[str, int] = {
    "subscriber": 10,
    "lead": 20,
    "mql": 30,
    "sql": 40,
    "opportunity": 50,
    "customer": 60,
    "evangelist": 70,
}
"""Rank of each lifecycle stage; "furthest" compares these."""

DELIVERABILITY = ("ok", "bounced", "complained")

CHANNELS = ("email", "phone", "sms", "post", "push", "social")
"""The channels of consent that are known. A mapping may name another; then nobody can tell it from a typing error."""

_CONSENT = re.compile(r"consent\.[a-z]+(\.[a-z0-9_-]+)?\Z")


class LeadShape:
    """The fields a lead has here: the built-in ones, consent cells, and custom ones from the configuration.

    A consent cell is a field named `consent.CHANNEL` (every purpose) or `consent.CHANNEL.PURPOSE`; any cell that a
    mapping names exists.
    """

    def __init__(self, custom: Mapping[str, str] | None = None) -> None:
        """`custom`: name → type. Raises ValueError for a name that is taken or a type that is not there."""
        self._fields = {each.name: each for each in _BUILT_IN}
        for name, type_ in (custom or {}).items():
            if name in self._fields or name.startswith("consent"):
                raise ValueError(f"the lead has a field {name!r} already")
            if type_ not in TYPES or type_ in ("consent", "stage"):
                raise ValueError(f"no type {type_!r} for the field {name!r}; allowed: {', '.join(TYPES)}")
            self._fields[name] = LeadField(name, type_, name, name.replace("_", " "))
        self.groups: dict[str, tuple[str, ...]] = {}
        for each in self._fields.values():
            self.groups[each.group] = (*self.groups.get(each.group, ()), each.name)

    def field(self, name: str) -> LeadField | None:
        found = self._fields.get(name)
        if found is None and _CONSENT.match(name):
            return LeadField(name, "consent", name, name.replace(".", " "))
        return found

    def names(self) -> Iterable[str]:
        return self._fields.keys()

    def members(self, group: str) -> tuple[str, ...]:
        """The fields of a group; a consent cell is its own group."""
        return self.groups.get(group, (group,))


def is_consent(group: str) -> bool:
    return group.startswith("consent.")


def channel(cell: str) -> str:
    return cell.split(".")[1]


def covers(wide: str, narrow: str) -> bool:
    """Whether saying no in one consent cell says no in the other: a channel's cell covers its purposes."""
    return wide == narrow or narrow.startswith(wide + ".")


def is_empty(value: object) -> bool:
    """Nothing is known: None, an empty list, or a group of nothing but None."""
    if isinstance(value, dict):
        return all(each is None for each in value.values())
    return value is None or value == []
