"""What HubSpot makes of a value that is written to a property: the text it keeps, or why it will not have it.

Source: HubSpot docs, properties guide ("property values", "date and datetime", "enumeration"). "" clears.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from smarketing.sandbox.hubspot.properties import Property
from smarketing.sandbox.hubspot.refusals import Problem
from smarketing.sandbox.hubspot.times import day, moment, stamp

LONGEST_TEXT = 65_536
LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^\s@;,<>()\"]+@[^\s@;,<>()\".]+(\.[^\s@;,<>()\".]+)+")


class Unfit(Exception):
    """A value that a property will not have."""

    def __init__(self, prop: Property, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(prop.name, code, message)


def coerce(prop: Property, raw: object, held: str, allowed: Collection[str]) -> str:
    """The text that is kept. `held` is what stands there now, `allowed` the options. Raises Unfit."""
    text = _text(prop, raw)
    if text == "":
        return ""
    match prop.type:
        case "number":
            return _number(prop, text)
        case "bool":
            return _one_of(prop, text, ("true", "false"))
        case "date":
            return _day(prop, text)
        case "datetime":
            return _moment(prop, text)
        case "enumeration" if prop.name == "hs_additional_emails":
            return _listed([normal_address(prop, each) for each in text.split(";") if each.strip()])
        case "enumeration" if prop.multiple:
            return _several(prop, text, held, allowed)
        case "enumeration":
            return _one_of(prop, text, allowed)
        case _ if prop.name == "email":
            return normal_address(prop, text)
        case _:
            return _line(prop, text)


def normal_address(prop: Property, text: str) -> str:
    """An e-mail address in the form that is kept and compared: lower case. Raises Unfit."""
    address = text.strip().lower()
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Unfit(prop, "INVALID_EMAIL", f"Email address {text} is invalid")
    return address


def _text(prop: Property, raw: object) -> str:
    match raw:
        case None:
            return ""
        case bool():
            return "true" if raw else "false"
        case str():
            return raw
        case int() | float():
            return str(raw)
        case _:
            raise Unfit(prop, "INVALID_VALUE", "A property value must be a string, a number or a boolean.")


def _line(prop: Property, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Unfit(prop, "INVALID_LENGTH", f"The value is longer than {LONGEST_TEXT} characters.")
    return text


def _number(prop: Property, text: str) -> str:
    try:
        if Decimal(text.strip()).is_finite():
            return text.strip()
    except InvalidOperation:
        pass
    raise Unfit(prop, "INVALID_INTEGER", f"{text} was not a valid number.")


def _day(prop: Property, text: str) -> str:
    found = day(text)
    if found is None:
        raise Unfit(prop, "INVALID_DATE", f"{text} was not a valid date: it must be midnight in UTC.")
    return found


def _moment(prop: Property, text: str) -> str:
    found = moment(text)
    if found is None:
        raise Unfit(prop, "INVALID_LONG", f"{text} was not a valid long.")
    return stamp(found)


def _one_of(prop: Property, text: str, allowed: Collection[str]) -> str:
    if text not in allowed:
        listed = ", ".join(sorted(allowed))
        raise Unfit(prop, "INVALID_OPTION", f"{text} was not one of the allowed options: [{listed}]")
    return text


def _several(prop: Property, text: str, held: str, allowed: Collection[str]) -> str:
    # A leading ";" adds to what is there instead of replacing it (HubSpot docs, properties guide: checkboxes).
    before = held.split(";") if text.startswith(";") and held else []
    return _listed([*before, *(_one_of(prop, each, allowed) for each in text.split(";") if each)])


def _listed(items: list[str]) -> str:
    return ";".join(dict.fromkeys(items))
