"""An audience as it is: its fields, and whether we may work with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.base import Finding, Option, Schema, SchemaField
from connectors.errors import ConnectorError, Retry, Stop
from connectors.http import Unauthorized
from connectors.mailchimp.native import (
    ATTRIBUTES,
    CLEANED,
    EMAIL,
    LANGUAGE,
    MEMBER,
    PARTS,
    STATUS,
    SUBSCRIBED,
    TAGS,
    TRANSACTIONAL,
    UNSUBSCRIBED,
    VIP,
    Wanted,
)
from connectors.mailchimp.wire import Wire

TEXT_LENGTH = 255
"""Of a text field, in bytes."""
PAGE = 1000

_TYPES = {"phone": "phone", "number": "number", "date": "date", "radio": "choice", "dropdown": "choice"}
"""Mailchimp's type → ours, where it is not a text (docs: merge fields)."""
_STATUSES = (
    Option(SUBSCRIBED, "Subscribed"),
    Option(UNSUBSCRIBED, "Unsubscribed"),
    Option(TRANSACTIONAL, "Known, and never asked"),
)


class Account:
    def __init__(self, wire: Wire, wanted: Wanted) -> None:
        self._wire = wire
        self._wanted = wanted

    def schema(self) -> Schema:
        fields = [
            SchemaField(EMAIL, "Email Address", "email", required=True, unique=True),
            SchemaField(STATUS, "Marketing e-mail", "choice", options=_STATUSES, restricted=False),
            SchemaField(CLEANED, "Bounced for good", "boolean", read_only=True),
            SchemaField(LANGUAGE, "Language", "text"),
            SchemaField(VIP, "VIP", "boolean"),
            SchemaField(TAGS, "Tags", "choices", restricted=False),
        ]
        for each in self._merge_fields():
            fields += _fields(each)
        return Schema(MEMBER, tuple(fields))

    def _merge_fields(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            params = {"count": str(PAGE), "offset": str(len(found))}
            heard = self._wire.ask(
                "GET", "/merge-fields", purpose="read merge fields", params=params, rows="merge_fields"
            )
            rows = heard.rows("merge_fields")
            found += rows
            if len(rows) < PAGE:
                return found

    def check(self) -> Iterator[Finding]:
        system = self._wire.system
        try:
            audience = self._wire.ask("GET", "", purpose="read the audience", params={"fields": "id,name,stats"})
            tags = {str(each["tag"]): each for each in self._merge_fields()}
        except Unauthorized as error:
            yield Finding("error", error.code, str(error), "make a new key in Mailchimp: Account, Extras, API keys")
            return
        except (Retry, Stop) as error:
            yield Finding("error", error.code, str(error), "without the audience nothing else can be checked")
            return
        stats = audience.content.get("stats") or {}
        count = int(stats.get("total_contacts") or stats.get("member_count") or 0)
        yield Finding("ok", "SM330", f"{system}: signed in; the audience has {count:,} members")
        yield self._members()
        if missing := sorted(set(self._wanted.tags) - tags.keys()):
            yield Finding(
                "warning",
                "SM334",
                f"{system}: the audience has no field {', '.join(missing)}",
                "take it out of the mapping, or add it to the audience; until then it is never read",
            )
        if required := sorted(tag for tag, each in tags.items() if each.get("required")):
            yield Finding(
                "advice",
                "SM339",
                f"{system}: the sign-up form requires {', '.join(required)}",
                "whoever lacks it is made without it",
            )

    def _members(self) -> Finding:
        params = {"count": "1", "fields": "members.id,total_items"}
        try:
            self._wire.ask("GET", "/members", purpose="check rights", params=params, rows="members")
        except ConnectorError as error:
            return Finding("error", error.code, str(error), "until then nothing can be read")
        return Finding("ok", "SM332", f"{self._wire.system}: members can be read")


def _fields(each: Mapping[str, Any]) -> list[SchemaField]:
    """A merge field; of an address its parts."""
    tag, label, type_ = str(each["tag"]), str(each.get("name") or each["tag"]), str(each.get("type"))
    if tag in ATTRIBUTES:
        return []
    if type_ == "address":
        return [SchemaField(f"{tag}.{part}", f"{label}: {part}", "text") for part in PARTS]
    settings = each.get("options") or {}
    options = None
    if type_ in ("radio", "dropdown"):
        options = tuple(Option(str(one), str(one)) for one in settings.get("choices") or ())
    kind = _TYPES.get(type_, "text")
    return [SchemaField(tag, label, kind, TEXT_LENGTH if kind in ("text", "phone") else None, options)]
