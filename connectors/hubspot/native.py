"""How HubSpot spells things: names of ours for what is no property, instants, sources, values in and out.

Every property travels as text. Ours beside the properties: `consent:email`, `consent:email:ID` (one subscription type)
and `company.PROPERTY` of the primary company.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Value, Writer

CONTACT = "contact"
EMAIL = "email"
MORE_EMAILS = "hs_additional_emails"
OWNER = "hubspot_owner_id"
STAGE = "lifecyclestage"
MODIFIED = "lastmodifieddate"  # every other object has hs_lastmodifieddate, by which contacts cannot be found
MERGED = "hs_merged_object_ids"
SOURCE = "hs_object_source"
SOURCE_ID = "hs_object_source_id"

CONSENT = "consent:email"
COMPANY = "company."

ALWAYS = (MODIFIED, MERGED, SOURCE, SOURCE_ID)
"""Properties that we need ourselves. Unknown names are dropped by the vendor without a word."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UNTOUCHED = 2_000_000
"""A record whose last change is no later than this many microseconds after its creation has not been changed since."""

_WRITERS = {
    **dict.fromkeys(
        ("CRM_UI", "CRM_UI_BULK_ACTION", "CONTACTS", "CONTACTS_WEB", "MOBILE_IOS", "MOBILE_ANDROID"), Writer.PERSON
    ),
    **dict.fromkeys(("INTEGRATION", "INTEGRATIONS_PLATFORM", "API", "SALESFORCE"), Writer.INTEGRATION),
    **dict.fromkeys(("AUTOMATION_PLATFORM", "WORKFLOWS", "CALCULATED"), Writer.WORKFLOW),
    **dict.fromkeys(("IMPORT", "FORM"), Writer.IMPORT),
}


def writer(source: object) -> Writer:
    """Who stands behind a source type of a value or a record."""
    return _WRITERS.get(str(source or "").upper(), Writer.UNKNOWN)


def micros(text: object) -> int | None:
    """Microseconds UTC of an instant as HubSpot tells it, ISO or epoch milliseconds; None where it is none."""
    if not isinstance(text, str):
        return None
    if text.isdigit():
        return int(text) * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment - EPOCH) // timedelta(microseconds=1) if moment.tzinfo else None


def seconds(at: int) -> str:
    """An instant in whole seconds: "2026-01-31T09:30:00Z"."""
    return f"{EPOCH + timedelta(microseconds=at):%Y-%m-%dT%H:%M:%SZ}"


def listed(text: object) -> list[str]:
    """The parts of a `;`-separated value."""
    parts = (part.strip() for part in text.split(";")) if isinstance(text, str) else ()
    return [part for part in parts if part]


def told(name: str, raw: Any) -> Value:
    """A property as read, owners excepted. HubSpot does not tell "" from nothing."""
    if name == MORE_EMAILS:
        return listed(raw)
    return None if raw is None or raw == "" else sent(raw)


def sent(value: Value) -> str:
    """A property as written; "" clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names that a mapping wants, by where they come from. `subscriptions`: ids of subscription types."""

    properties: tuple[str, ...]
    company: tuple[str, ...]
    consent: tuple[str, ...]
    subscriptions: tuple[int, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Wanted:
        names = list(dict.fromkeys(names))
        return cls(
            properties=tuple(name for name in names if not is_consent(name) and not name.startswith(COMPANY)),
            company=tuple(name.removeprefix(COMPANY) for name in names if name.startswith(COMPANY)),
            consent=tuple(name for name in names if is_consent(name)),
            subscriptions=tuple(number for name in names if (number := subscription(name)) is not None),
        )


def is_consent(name: str) -> bool:
    return name == CONSENT or name.startswith(f"{CONSENT}:")


def subscription(name: str) -> int | None:
    """The id of the subscription type that a native name means."""
    last = name.removeprefix(f"{CONSENT}:")
    return int(last) if last != name and last.isdigit() else None


def losers(row: Mapping[str, Any]) -> list[str]:
    """The ids of the records that were merged into this one. The calculated twin of this property misses chains."""
    return listed(properties(row).get(MERGED))


def properties(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("properties")
    return found if isinstance(found, dict) else {}
