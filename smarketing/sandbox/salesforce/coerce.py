"""What becomes of a value on its way in: first whether the JSON can be understood, then whether the field will have it.

What the vendor changes without a word: blanks around text go, empty text is null, an e-mail address is stored in lower
case, a multi-select comes back in the order of its options, a time loses its fractions of a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from smarketing.sandbox.salesforce import clock
from smarketing.sandbox.salesforce.errors import ApiError, Malformed, Several, bad, no_column
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.schema import NUMBERS, TEXTS, Field, Scalar, SObject, Values

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*/=?^_+`{|}~.-]+@(?:[A-Za-z0-9_-]+\.)+[A-Za-z0-9-]{2,}\Z")
_MOST_WHOLE = 99_999_999


@dataclass(frozen=True, slots=True)
class Lookup:
    """A parent told by one of its own unique fields instead of by its id."""

    object: str
    name: str
    value: Scalar


Given: TypeAlias = "dict[str, Scalar | Lookup]"
"""What a caller asks for: canonical field name → typed value."""


def understand(sobject: SObject, said: Mapping[str, object]) -> Given:
    """JSON as it came → fields and typed values. Raises Malformed for an unknown column or a value of another type."""
    given: Given = {}
    for name, raw in said.items():
        if name == "attributes":
            continue
        each = sobject.field(name)
        if each is not None:
            given[each.name] = _typed(each, raw)
            continue
        parent = sobject.parent(name)
        if parent is None or not isinstance(raw, Mapping):
            raise no_column(name, sobject.name)
        given[parent.name] = _lookup(parent, raw)
    return given


def from_csv(sobject: SObject, cells: Mapping[str, str]) -> Given:
    """A row of a CSV → fields and typed values: an empty cell says nothing, `#N/A` says null. Raises ApiError."""
    given: Given = {}
    for name, cell in cells.items():
        if not cell:
            continue
        head, _, tail = name.partition(".")
        each = sobject.field(name)
        parent = sobject.parent(head) if tail else None
        if parent is not None:
            given[parent.name] = None if cell == "#N/A" else Lookup(parent.targets[0], tail, cell)
        elif each is not None:
            try:
                given[each.name] = None if cell == "#N/A" else _typed(each, cell)
            except Malformed:
                raise bad(
                    "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{each.label}: value not of required type", each.name
                ) from None
    return given


def admit(each: Field, value: Scalar) -> Scalar:
    """The value as the field stores it. Raises ApiError where it will not have it."""
    if value is None:
        if each.type == "boolean":
            raise bad("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{each.label}: value not of required type: null", each.name)
        return None
    if each.type == "int" and abs(float(value)) > _MOST_WHOLE:
        raise bad(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{each.label}: value outside of valid range on numeric field: {value}",
            each.name,
        )
    if not isinstance(value, str):
        return value
    if each.type in ("id", "reference"):
        return _id(each, value)
    if each.type not in TEXTS:
        return value
    text = value.rstrip() if each.type == "textarea" else value.strip()
    if not text:
        return None
    if len(text) > each.length:
        raise bad(
            "STRING_TOO_LONG", f"{each.label}: data value too large: {text} (max length={each.length})", each.name
        )
    if each.type == "email":
        if not _EMAIL.match(text):
            raise bad("INVALID_EMAIL_ADDRESS", f"{each.label}: invalid email address: {text}", each.name)
        return text.lower()
    if each.type == "multipicklist":
        chosen = list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
        for part in chosen:
            _on_list(each, part)
        order = {option: i for i, option in enumerate(each.options)}
        return ";".join(sorted(chosen, key=lambda part: order.get(part, len(order)))) or None
    if each.type == "picklist":
        _on_list(each, text)
    return text


def _on_list(each: Field, choice: str) -> None:
    if each.restricted and choice not in each.options:
        raise bad(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{each.label}: bad value for restricted picklist field: {choice}",
            each.name,
        )


def _id(each: Field, text: str) -> str | None:
    if not text.strip():
        return None
    known = read_id(text.strip())
    if known is None:
        raise bad("MALFORMED_ID", f"{each.label}: id value of incorrect type: {text}", each.name)
    return known


def _typed(each: Field, raw: object) -> Scalar:
    if raw is None:
        return None
    if each.type == "address":
        return "" if isinstance(raw, Mapping) else _refuse(each, raw)
    if isinstance(raw, list | Mapping):
        return _refuse(each, raw)
    if each.type == "boolean":
        words = {"true": True, "1": True, "false": False, "0": False}
        if isinstance(raw, str) and raw.lower() in words:
            return words[raw.lower()]
        return raw if isinstance(raw, bool) else _refuse(each, raw)
    if each.type in NUMBERS:
        return _number(each, raw)
    if not isinstance(raw, str):
        return _refuse(each, raw)
    if each.type in ("date", "datetime"):
        if not raw:
            return None
        try:
            return clock.read_date(raw) if each.type == "date" else clock.read_datetime(raw)
        except ValueError:
            return _refuse(each, raw)
    return raw


def _number(each: Field, raw: object) -> Scalar:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return _refuse(each, raw)
    if raw == "":
        return None
    try:
        value = float(raw)
    except ValueError:
        return _refuse(each, raw)
    if value != value or value in (float("inf"), float("-inf")) or (each.type == "int" and not value.is_integer()):
        return _refuse(each, raw)
    return int(value) if each.type == "int" else round(value, each.scale)


def _lookup(parent: Field, raw: Mapping[str, object]) -> Lookup:
    attributes = raw.get("attributes")
    named = attributes.get("type") if isinstance(attributes, Mapping) else None
    rest = [(name, value) for name, value in raw.items() if name != "attributes"]
    if len(rest) != 1 or not isinstance(rest[0][1], str | int | float) or (parent.polymorphic and named is None):
        raise Malformed(
            "INVALID_FIELD", f"{parent.relationship}: a parent is told by exactly one of its external id fields"
        )
    name, value = rest[0]
    assert isinstance(value, str | int | float)
    return Lookup(str(named or parent.targets[0]), name, value)


def _refuse(each: Field, raw: object) -> Scalar:
    kind = {str: "VALUE_STRING", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", list: "START_ARRAY"}.get(
        type(raw), "START_OBJECT"
    )
    if isinstance(raw, bool):
        kind = "VALUE_TRUE" if raw else "VALUE_FALSE"
    value = raw if isinstance(raw, str | int | float) else ""
    raise Malformed(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {each.type} from {kind} value {value} or request may be missing a required "
        "field",
    )


def admit_all(sobject: SObject, changes: Mapping[str, Scalar]) -> Values:
    """Every value as its field stores it. Raises ApiError that names each value which a field will not have."""
    admitted: Values = {}
    found: list[ApiError] = []
    for name, value in changes.items():
        try:
            admitted[name] = admit(sobject.fields[name], value)
        except ApiError as error:
            found.append(error)
    if found:
        raise Several(found) if len(found) > 1 else found[0]
    return admitted
