"""Members as Mailchimp tells them, and as native fields.

Attributes have their own names, merge fields their tags ("FNAME"), the parts of an address are told apart
("ADDRESS.city"). `status` holds consent and more: an address that bounced for good is told as `cleaned` beside it.
Every other name is one of the member's body (Mailchimp docs, Marketing API 3.0: list members).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Fields, Record, Ref, State, Value
from connectors.world import MICROSECONDS

MEMBER = "member"
EMAIL, STATUS, TAGS, CLEANED = "email_address", "status", "tags", "cleaned"
LANGUAGE, VIP = "language", "vip"
ATTRIBUTES = (EMAIL, STATUS, CLEANED, LANGUAGE, VIP, TAGS)
PARTS = ("addr1", "addr2", "city", "state", "zip", "country")

SUBSCRIBED, UNSUBSCRIBED, TRANSACTIONAL, ARCHIVED = "subscribed", "unsubscribed", "transactional", "archived"
WRITTEN = (SUBSCRIBED, UNSUBSCRIBED, TRANSACTIONAL)
"""What a status may be set to by us. "pending" sends mail to the person, and "cleaned" is for Mailchimp to find out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the mapping reads: attributes, merge tags, and of addresses the parts."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Wanted:
        return cls(tuple(dict.fromkeys(names)))

    @property
    def tags(self) -> list[str]:
        """The merge tags among them."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self.names if name not in ATTRIBUTES))


def hashed(address: str) -> str:
    """What a member is called by its address (Mailchimp docs: MD5 of the address in lower case)."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


def micros(told: object) -> int | None:
    """A time of Mailchimp's, which is told in whole seconds with an offset."""
    if not isinstance(told, str) or not told:
        return None
    try:
        return int(datetime.fromisoformat(told).timestamp()) * MICROSECONDS
    except ValueError:
        return None


def said(at: int) -> str:
    """A time as Mailchimp takes it, in whole seconds."""
    return datetime.fromtimestamp(at // MICROSECONDS, UTC).isoformat()


def record(body: Mapping[str, Any], wanted: Sequence[str], *, whole_tags: Sequence[str] | None = None) -> Record:
    """A member's body as a record. `whole_tags`: all its tags, where the body shows only some."""
    archived = body.get(STATUS) == ARCHIVED
    fields: Fields = {}
    for name in wanted:
        if name in (STATUS, CLEANED) and archived:
            continue  # it is hidden, and what it was is not told
        value = read(body, name, whole_tags)
        if value is not _ABSENT:
            fields[name] = value  # type: ignore[assignment]
    return Record(
        Ref(MEMBER, str(body["contact_id"])),
        fields,
        State.ARCHIVED if archived else State.LIVE,
        version=version(body),
        modified=micros(body.get("last_changed")),
    )


_ABSENT = object()


def read(body: Mapping[str, Any], name: str, whole_tags: Sequence[str] | None = None) -> object:
    """One native value; `_ABSENT` where the body does not tell it."""
    if name == TAGS:
        return tags(body) if whole_tags is None else sorted(whole_tags)
    if name == CLEANED:
        return "true" if body.get(STATUS) == CLEANED else None
    if name in ATTRIBUTES:
        value = body.get(name, _ABSENT)
        return None if value == "" else value
    tag, dot, part = name.partition(".")
    merge = body.get("merge_fields")
    if not isinstance(merge, dict) or tag not in merge:
        return _ABSENT
    value = merge[tag]
    if dot:
        value = value.get(part) if isinstance(value, dict) else None
    if value in (None, ""):
        return None
    return str(value) if isinstance(value, float) else value


def tags(body: Mapping[str, Any]) -> Value:
    """The names of its tags; marked as a part of them where there are more than a body shows (at most 50)."""
    names: list[str] = sorted(str(each["name"]) for each in body.get(TAGS) or ())
    if int(body.get("tags_count") or 0) > len(names):
        return {"items": names, "partial": True}
    return names


def version(body: Mapping[str, Any]) -> str:
    """Moves with everything that a body shows: whether tags move `last_changed` is not documented."""
    shown = "\n".join(sorted(str(each["name"]) for each in body.get(TAGS) or ()))
    mark = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return f"{body.get('last_changed')}/{body.get('tags_count') or 0}/{mark}"


def written(fields: Fields, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Native values as a request carries them, without tags. An address goes whole: `before` is the member's body, for
    the parts that are not written."""
    out: dict[str, Any] = {}
    merge: dict[str, Any] = {}
    for name, value in fields.items():
        if name == TAGS:
            continue
        if name in ATTRIBUTES:
            out[name] = value if value is not None else ""
            continue
        tag, dot, part = name.partition(".")
        if not dot:
            merge[tag] = "" if value is None else value
            continue
        address = merge.get(tag)
        if not isinstance(address, dict):
            address = merge[tag] = _address(before, tag)
        address[part] = "" if value is None else value
    for tag, value in merge.items():
        if isinstance(value, dict) and not any(value[part] for part in PARTS if part != "country"):
            merge[tag] = ""  # a country alone is no address
    if merge:
        out["merge_fields"] = merge
    return out


def _address(before: Mapping[str, Any] | None, tag: str) -> dict[str, Any]:
    found = ((before or {}).get("merge_fields") or {}).get(tag)
    known = found if isinstance(found, dict) else {}
    return {part: known.get(part) or "" for part in PARTS}


def has_parts(fields: Fields) -> bool:
    """Whether a part of an address is to be written."""
    return any("." in name for name in fields if name not in ATTRIBUTES)
