"""Leads, their fields and what becomes of them, in the words of the people who work with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from smarketing.cli.output import shown

if TYPE_CHECKING:
    from mappings.lead import LeadShape
    from sync.foretell import Loser, Told

CHANNELS = {"email": "e-mail", "phone": "phone calls", "sms": "text messages", "post": "letters"}
CONSENT = {"out": "opted out", "in": "opted in", None: "not known", "unknown": "not known"}
RULES = {
    "only edit": "the only edit",
    "newest": "the newest edit",
    "owner": "it owns the field",
    "trust": "the most trusted system",
    "person_first": "a person wrote it",
    "union": "all values together",
    "furthest": "the furthest stage",
    "recycled": "sent back on purpose",
    "first contact": "first contact",
    "first contact: trust": "first contact, it is trusted",
    "first contact: owner": "first contact, it owns the field",
    "undo": "taken back by an undo",
    "unreadable": "it could not be read",
}
"""What a rule's name in the history means, told of the system that won."""


def label(shape: LeadShape, name: str) -> str:
    """A field or group of the lead as a person calls it."""
    if name.startswith("consent."):
        channel, _, purpose = name.removeprefix("consent.").partition(".")
        return f"consent to {CHANNELS.get(channel, channel)}" + (f" ({purpose})" if purpose else "")
    found = shape.field(name)
    return found.text if found is not None else name.replace("_", " ")


def value_text(group: str, value: object) -> str:
    """A canonical value on one line."""
    if not group.startswith("consent."):
        return shown(value)
    word, _, moment = str(value).partition(" ") if isinstance(value, str) else (value, "", "")
    if word == "confirmed":
        return f"opted in, confirmed {moment[:10]}"
    return CONSENT.get(word if isinstance(word, str) else None, shown(value))


def changes(shape: LeadShape, group: str, before: object, after: object) -> Iterator[tuple[str, str, str]]:
    """(label, before, after) of each field of a group that changes."""
    if not isinstance(before, dict) and not isinstance(after, dict):
        yield label(shape, group), value_text(group, before), value_text(group, after)
        return
    was = before if isinstance(before, dict) else {}
    now = after if isinstance(after, dict) else {}
    for name in dict.fromkeys((*now, *was)):
        if was.get(name) != now.get(name):
            yield label(shape, name), shown(was.get(name)), shown(now.get(name))


def parts(shape: LeadShape, group: str, value: object) -> Iterator[tuple[str, str]]:
    """(label, value) of each field of a group that holds something."""
    for name, _, after in changes(shape, group, None, value):
        yield name, after


def rule_text(rule: str) -> str:
    return RULES.get(rule, rule)


def reason(told: Told) -> str:
    """Why a value goes out: whose it is, by which rule, and who lost."""
    rule = rule_text(told.rule)
    text = ": ".join(each for each in (told.winner or "", rule) if each)
    if not told.proven:
        text += ", an estimate"
    if told.lost:
        text += f"; lost: {', '.join(lost_text(told.group, each) for each in told.lost)}"
    return text


def lost_text(group: str, lost: Loser) -> str:
    return f"{lost.system or 'a former record'} with {value_text(group, lost.value)}"


def heading(value: Mapping[str, object], places: Sequence[tuple[str, str]]) -> str:
    """Who a lead is, and where they are."""
    where = ", ".join(f"{system} {ref}" for system, ref in places)
    return who(value) + (f" ({where})" if where else "")


def who(value: Mapping[str, object]) -> str:
    """Name and company; the address where there is no name."""
    name = value.get("name")
    names = [name.get("first_name"), name.get("last_name")] if isinstance(name, dict) else []
    called = " ".join(str(each) for each in names if each) or str(value.get("email") or "")
    company = value.get("company")
    firm = company.get("company") if isinstance(company, dict) else None
    return ", ".join(shown(each) for each in (called, firm) if each) or "somebody without a name"
