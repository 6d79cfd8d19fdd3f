"""What answers look like: members, audiences, links, and the part of them that `fields` asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from smarketing.sandbox.mailchimp.audience import Audience, Member

SHOWN_TAGS = 50
"""A member's body shows no more (spec: `tags_count` tells how many there are)."""


def told(seconds: int | None) -> str:
    """2026-01-02T03:04:05+00:00, or nothing."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def moment(text: str) -> int | None:
    """Seconds of a time in a query; None for what is none, or has no zone: a plus that was not encoded is a blank."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if found.tzinfo is None else int(found.timestamp())


def member(audience: Audience, one: Member) -> dict[str, Any]:
    first, last = one.merge.get("FNAME", ""), one.merge.get("LNAME", "")
    tags = [{"id": number, "name": name} for name, number in one.tags.items()]
    return {
        "id": one.id,
        "email_address": one.address,
        "unique_email_id": unique(one.address),
        "contact_id": one.contact_id,
        "full_name": " ".join(str(each) for each in (first, last) if each),
        "web_id": one.web_id,
        "email_type": one.email_type,
        "status": one.shown_status,
        "consents_to_one_to_one_messaging": True,
        "merge_fields": audience.fields.shown(one.merge),
        "interests": {number: one.interests.get(number, False) for number in audience.interests},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": "",
        "timestamp_signup": "",
        "ip_opt": "",
        "timestamp_opt": told(one.opted),
        "member_rating": 2,
        "last_changed": told(one.changed),
        "language": one.language,
        "vip": one.vip,
        "email_client": "",
        "location": {
            "latitude": 0,
            "longitude": 0,
            "gmtoff": 0,
            "dstoff": 0,
            "country_code": "",
            "timezone": "",
            "region": "",
        },
        "marketing_permissions": [],
        "source": one.source,
        "tags_count": len(tags),
        "tags": tags[:SHOWN_TAGS],
        "list_id": audience.list_id,
        "_links": [],
    }


def unique(address: str) -> str:
    """One for each address, in whatever audience."""
    return hashlib.md5(f"unique {address.lower()}".encode(), usedforsecurity=False).hexdigest()[:10]


def audience(one: Audience) -> dict[str, Any]:
    count = {status: len(one.listed(status)) for status in ("subscribed", "unsubscribed", "cleaned")}
    changed = max((each.changed for each in one.members.values()), default=None)
    return {
        "id": one.list_id,
        "web_id": 900_001,
        "name": one.name,
        "contact": {
            "company": "Example",
            "address1": "",
            "address2": "",
            "city": "",
            "state": "",
            "zip": "",
            "country": "NO",
            "phone": "",
        },
        "permission_reminder": "You signed up on our pages.",
        "use_archive_bar": False,
        "campaign_defaults": {"from_name": "", "from_email": "", "subject": "", "language": "en"},
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "date_created": told(one.made),
        "list_rating": 0,
        "email_type_option": True,
        "subscribe_url_short": "",
        "subscribe_url_long": "",
        "beamer_address": "",
        "visibility": "prv",
        "double_optin": False,
        "has_welcome": False,
        "marketing_permissions": False,
        "modules": [],
        "stats": {
            "member_count": count["subscribed"],
            "total_contacts": len(one.listed()),
            "unsubscribe_count": count["unsubscribed"],
            "cleaned_count": count["cleaned"],
            "merge_field_count": len(one.fields.by_tag),
            "last_sub_date": told(changed),
            "last_unsub_date": "",
        },
        "_links": [],
    }


def some_of(content: Any, paths: Sequence[str], *, without: bool = False) -> Any:
    """The part of an answer that dotted paths name (`fields`), or all but that (`exclude_fields`)."""
    if not paths:
        return content
    here = {path for path in paths if "." not in path}
    below: dict[str, list[str]] = {}
    for path in paths:
        name, dot, rest = path.partition(".")
        if dot:
            below.setdefault(name, []).append(rest)
    if isinstance(content, list):
        return [some_of(each, paths, without=without) for each in content]
    if not isinstance(content, dict):
        return content
    kept: dict[str, Any] = {}
    for name, value in content.items():
        if name in below and name not in here:
            kept[name] = some_of(value, below[name], without=without)
        elif (name in here) is not without:
            kept[name] = value
    return kept


def names(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def tagged(pairs: Iterable[tuple[str, int]], since: int) -> list[dict[str, object]]:
    """When a tag was set is not kept: `since` stands for all."""
    return [{"id": number, "name": name, "date_added": told(since)} for name, number in pairs]
