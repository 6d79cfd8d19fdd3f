"""The Tooling API as far as a connector needs it: find a custom field, make one.

A new field is hidden from everybody until a permission set shows it. (Salesforce docs: Tooling API, CustomField; object
reference, FieldPermissions.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.errors import Malformed, bad, not_allowed, not_found
from smarketing.sandbox.salesforce.org import Org
from smarketing.sandbox.salesforce.schema import Field

_MOST_EXTERNAL = 25
_LONGEST_TEXT = 255


class Customising:
    def __init__(self, org: Org) -> None:
        self._org = org

    def answer(self, call: Call) -> Reply:
        """POST /tooling/sobjects/CustomField. Raises ApiError."""
        if call.path[1:] != ("sobjects", "CustomField"):
            raise not_found()
        if call.method != "POST":
            raise not_allowed(call.method, "POST")
        said = call.content()
        object, _, name = str(said.get("FullName", "")).partition(".")
        metadata = said.get("Metadata")
        if object not in self._org.schema.objects or not name.endswith("__c") or not isinstance(metadata, Mapping):
            raise Malformed("INVALID_INPUT", "FullName must be Object.Field__c, and Metadata an object")
        if self._org.schema.objects[object].fields.get(name) is not None:
            raise bad(
                "DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name[:-3]} on {object}.", "FullName"
            )
        made = _text(name, metadata)
        if made.external and self._external(object) >= _MOST_EXTERNAL:
            raise bad("LIMIT_EXCEEDED", f"{object} has {_MOST_EXTERNAL} external id fields already", "FullName")
        id = self._org.add_field(object, made)
        self._org.hide(object, name)
        return Reply.of(201, {"id": id, "success": True, "errors": [], "warnings": [], "infos": []})

    def _external(self, object: str) -> int:
        return sum(each.external for each in self._org.schema.objects[object].fields.values())


def _text(name: str, metadata: Mapping[str, Any]) -> Field:
    length = metadata.get("length")
    if metadata.get("type") != "Text" or not isinstance(length, int) or not 1 <= length <= _LONGEST_TEXT:
        raise bad(
            "INVALID_INPUT", f"a field of type Text with a length of 1 to {_LONGEST_TEXT} is expected", "Metadata"
        )
    external = metadata.get("externalId") is True
    return Field(
        name=name,
        type="string",
        label=str(metadata.get("label") or name),
        length=length,
        external=external,
        unique=metadata.get("unique") is True,
        lookup=external,
    )
