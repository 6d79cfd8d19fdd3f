"""The fields of an audience: which there are, and what becomes of a value.

Source: Mailchimp docs, merge fields; spec: `/lists/{list_id}/merge-fields`. Tags are upper case, letters, digits and
underscores, at most ten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smarketing.sandbox.mailchimp.problems import Problem, invalid, not_found

TYPES = frozenset(
    {"text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip"}
)
TEXT_BYTES = 255
PARTS = ("addr1", "addr2", "city", "state", "zip", "country")
NEEDED = ("addr1", "city", "state", "zip")
"""Of an address, together or not at all (docs: merge fields)."""

_TAG = re.compile(r"[A-Z0-9_]{1,10}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(slots=True)
class MergeField:
    merge_id: int
    tag: str
    name: str
    type: str = "text"
    required: bool = False
    default_value: str = ""
    public: bool = True
    display_order: int = 1
    help_text: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def value(self, raw: object) -> object:
        """What is kept of a value. Raises Problem for one that will not do."""
        if raw is None or raw == "":
            return ""
        match self.type:
            case "address":
                return self._address(raw)
            case "number":
                return self._number(raw)
            case "radio" | "dropdown":
                return self._choice(raw)
            case "date":
                return self._matching(raw, r"\d{4}-\d{2}-\d{2}", "Please enter a date as YYYY-MM-DD")
            case "birthday":
                return self._matching(raw, r"\d{2}/\d{2}", "Please enter a birthday as MM/DD")
            case "zip":
                return self._matching(raw, r"\d{5}", "Please enter a zip code of five digits")
            case "phone" if self.options.get("phone_format") == "US":
                return self._matching(raw, r"\d{3}-\d{3}-\d{4}", "Please enter a phone number as NNN-NNN-NNNN")
        text = self._text(raw)
        if len(text.encode()) > TEXT_BYTES:
            raise self._no(f"Please enter a value of at most {TEXT_BYTES} bytes")
        return text

    def _text(self, raw: object) -> str:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise self._no(f"Data presented is not one of the accepted values: {self.type}")
        return str(raw)

    def _number(self, raw: object) -> object:
        text = self._text(raw)
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            raise self._no("Please enter a number") from None

    def _choice(self, raw: object) -> object:
        choices = self.options.get("choices") or []
        if raw not in choices:
            raise self._no(f"Value must be one of: {', '.join(choices)}")
        return raw

    def _matching(self, raw: object, form: str, otherwise: str) -> object:
        text = self._text(raw)
        if not re.fullmatch(form, text):
            raise self._no(otherwise)
        return text

    def _address(self, raw: object) -> object:
        if not isinstance(raw, dict):
            raise self._no("Please enter a complete address")
        told = {part: str(raw.get(part) or "") for part in PARTS}
        told["country"] = told["country"] or str(self.options.get("default_country") or "US")
        if not _COUNTRY.fullmatch(told["country"]):
            raise self._no("Please enter a country as a code of two letters")
        return told

    def complete(self, value: object) -> None:
        """An address needs all its parts. Raises Problem."""
        if self.type == "address" and isinstance(value, dict) and not all(value[part] for part in NEEDED):
            raise self._no("Please enter a complete address")

    def _no(self, message: str) -> Problem:
        return invalid((f"merge_fields.{self.tag}", message))

    def body(self, list_id: str) -> dict[str, object]:
        return {
            "merge_id": self.merge_id,
            "tag": self.tag,
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "default_value": self.default_value,
            "public": self.public,
            "display_order": self.display_order,
            "options": self._options(),
            "help_text": self.help_text,
            "list_id": list_id,
            "_links": [],
        }

    def _options(self) -> dict[str, object]:
        return {"size": 25, **self.options} if self.type in ("text", "number") else dict(self.options)


class MergeFields:
    """Those of one audience, by tag, in their order. EMAIL is not among them."""

    def __init__(self) -> None:
        self.by_tag: dict[str, MergeField] = {}
        self._last = 0

    def add(self, said: Mapping[str, Any]) -> MergeField:
        """Raises Problem."""
        name, type_ = said.get("name"), said.get("type")
        if not isinstance(name, str) or not name:
            raise invalid(("name", "This value should not be blank."))
        if type_ not in TYPES:
            raise invalid(("type", f"Value must be one of: {', '.join(sorted(TYPES))}"))
        self._last += 1
        tag = str(said.get("tag") or f"MMERGE{self._last}").upper()
        if not _TAG.fullmatch(tag):
            raise invalid(("tag", "A tag has at most ten letters, digits and underscores"))
        if tag in self.by_tag or tag == "EMAIL":
            raise Problem(400, "Bad Request", f'A Merge Field with the tag "{tag}" already exists for this list.')
        made = MergeField(self._last, tag, name, str(type_), display_order=len(self.by_tag) + 2)
        self._change(made, said)
        self.by_tag[tag] = made
        return made

    def change(self, merge_id: int, said: Mapping[str, Any]) -> MergeField:
        """Raises Problem."""
        found = self.one(merge_id)
        if isinstance(said.get("name"), str) and said["name"]:
            found.name = said["name"]
        self._change(found, said)
        return found

    def one(self, merge_id: int) -> MergeField:
        """Raises Problem."""
        found = next((each for each in self.by_tag.values() if each.merge_id == merge_id), None)
        if found is None:
            raise not_found()
        return found

    def remove(self, merge_id: int) -> str:
        """Answers its tag. Raises Problem."""
        tag = self.one(merge_id).tag
        del self.by_tag[tag]
        return tag

    @staticmethod
    def _change(one: MergeField, said: Mapping[str, Any]) -> None:
        for name in ("required", "public"):
            if isinstance(said.get(name), bool):
                setattr(one, name, said[name])
        for name in ("default_value", "help_text"):
            if isinstance(said.get(name), str):
                setattr(one, name, said[name])
        if isinstance(said.get("options"), dict):
            one.options.update(said["options"])

    def taken(self, said: Mapping[str, Any], *, complete: bool) -> dict[str, object]:
        """The values that are kept of those sent; tags that nobody knows are ignored. Raises Problem, which names every
        field that will not do."""
        kept: dict[str, object] = {}
        wrong: list[tuple[str, str]] = []
        for tag, raw in said.items():
            found = self.by_tag.get(tag)
            if found is None:
                continue
            try:
                kept[tag] = found.value(raw)
                if complete:
                    found.complete(kept[tag])
            except Problem as problem:
                wrong += problem.errors
        if wrong:
            raise invalid(*wrong)
        return kept

    def lacking(self, values: Mapping[str, object]) -> list[tuple[str, str]]:
        """Required fields without a value."""
        return [
            (f"merge_fields.{tag}", "Please enter a value")
            for tag, each in self.by_tag.items()
            if each.required and values.get(tag, "") == ""
        ]

    def shown(self, values: Mapping[str, object]) -> dict[str, object]:
        """All of them as a member's body shows them: what is not set is an empty text, an address too."""
        return {tag: values.get(tag, "") for tag in self.by_tag}
