"""Why Mailchimp does not take a member, without its words: they repeat people's addresses.

Source: Mailchimp docs, errors; the texts that are told apart stand in public traffic of other programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.base import Refused
from connectors.mailchimp.native import EMAIL, STATUS
from connectors.mailchimp.wire import title

_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    (
        "compliance state",
        "Member In Compliance State",
        STATUS,
        "they unsubscribed, bounced or are under review: only they can come back, through a form of yours",
    ),
    (
        "permanently deleted",
        "Forgotten Email Not Subscribed",
        EMAIL,
        "this address was deleted for good; only its owner can sign up again",
    ),
    ("looks fake or invalid", "Invalid Resource", EMAIL, "Mailchimp takes this address for fake or invalid"),
    (
        "signed up to a lot of lists",
        "Invalid Resource",
        EMAIL,
        "this address was signed up to many lists lately; Mailchimp takes it later",
    ),
    ("already a list member", "Member Exists", EMAIL, "another member of the audience has this address"),
)
"""What stands in the text → code, blamed field, our words."""


def of_problem(content: Mapping[str, Any], names: Iterable[str]) -> Refused:
    """An answer of 400 to one member. `names`: the native fields that were written."""
    known = _known(f"{content.get('detail')}", names)
    if known is not None:
        return known
    errors = content.get("errors")
    fields = [str(each.get("field") or "") for each in errors if isinstance(each, dict)] if errors else []
    return _blaming(fields, title(content) or "Bad Request", names)


def of_row(error: Mapping[str, Any], names: Iterable[str]) -> Refused:
    """One of the `errors` of a bulk request."""
    known = _known(f"{error.get('error')} {error.get('field_message')}", names)
    if known is not None:
        return known
    code = error.get("error_code")
    told = code if isinstance(code, str) and code.isupper() and code.isascii() else "ERROR_GENERIC"
    return _blaming([str(error.get("field") or "")], told, names)


def _known(text: str, names: Iterable[str]) -> Refused | None:
    written = set(names)
    for phrase, code, blamed, words in _KNOWN:
        if phrase in text:
            return Refused((blamed,) if blamed in written else (), code, words)
    return None


def _blaming(fields: Iterable[str], code: str, names: Iterable[str]) -> Refused:
    """The native names that were written and stand behind these: of an address all its parts."""
    tags = {field.removeprefix("merge_fields.") for field in fields if field}
    blamed = tuple(name for name in names if name in tags or name.partition(".")[0] in tags)
    return Refused(blamed, code, "Mailchimp does not take this value" if blamed else "Mailchimp does not take this")
