"""Options of a mapping's line, and the two halves of each transform: reading a native value, writing a canonical one.

Reading what has no normal form raises `Unreadable`; writing what the other side has no word for raises `Unwritable`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Value
from mappings.forms import (
    Unreadable,
    boolean,
    country_name,
    decimal,
    email,
    moment,
    phone_number,
    text,
)
from mappings.lead import STAGES, Canon


class Unwritable(ValueError):
    """A canonical value that the other side has no word for."""


REST = "*"
"""As a native value among options: any value that is not named. It is only read."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a mapping says beside the names. `options`: native → what it is read as; `folded`: the same, for natives in
    another case; `back`: canonical → what is written for it. `length` in characters; `region` for national phone
    numbers; `separator` between the items of a set that is one text."""

    options: Mapping[str, str] = field(default_factory=dict)
    folded: Mapping[str, str] = field(default_factory=dict)
    back: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    region: str = "NO"
    separator: str = ";"

    @classmethod
    def of(
        cls,
        words: Mapping[str, Sequence[str]],
        length: int | None = None,
        region: str = "NO",
        separator: str = ";",
    ) -> Options:
        """`words`: native → the canonical values it stands for, the one it is read as first. Where several natives
        stand for one canonical value, the first of them is written."""
        options = {native: canonical[0] for native, canonical in words.items()}
        folded: dict[str, str] = {}
        back: dict[str, str] = {}
        for native, canonical in words.items():
            folded.setdefault(native.casefold(), canonical[0])
            for each in canonical if native != REST else ():
                back.setdefault(each, native)
        return cls(options, folded, back, length, region, separator)


# --- lengths -----------------------------------------------------------------------------------------------------


def cut(value: Canon, options: Options) -> Value:
    """A text is still worth having without its end."""
    native = _native(value)
    length = options.length
    if length is None or not isinstance(native, str) or len(native) <= length:
        return native
    return native[:length].rstrip() or None


def whole(value: Canon, options: Options) -> Value:
    """Half an address is another address, half a number another number."""
    native = _native(value)
    if options.length is not None and isinstance(native, str) and len(native) > options.length:
        raise Unwritable("the value is longer than the field over there")
    return native


def _native(value: Canon) -> Value:
    if isinstance(value, dict):
        raise Unwritable("the mapping writes one value here, not a group")
    return value


# --- reading and writing, where it is more than a normal form ----------------------------------------------------


def read_phone(value: Value, options: Options) -> Canon:
    if type(value) is not str:
        value = text(value)
    found = value.strip() if value is not None and value.isascii() else text(value)
    return phone_number(found, options.region) if found else None


def write_country_name(language: str) -> Callable[[Canon, Options], Value]:
    def write(value: Canon, options: Options) -> Value:
        return whole(country_name(value, language) if isinstance(value, str) else None, options)

    return write


def write_decimal_comma(value: Canon, options: Options) -> Value:
    return whole(value.replace(".", ",") if isinstance(value, str) else None, options)


def read_decimal_comma(value: Value, options: Options) -> Canon:
    del options
    found = text(value)
    if found is None:
        return None
    if not re.fullmatch(r"[+-]?\d{1,3}(?:[ .\u202f]?\d{3})*(?:,\d+)?", found):
        raise Unreadable("expected a number with a decimal comma")
    return decimal(re.sub(r"[ .\u202f]", "", found).replace(",", "."))


def write_text(value: Canon, options: Options) -> Value:
    if value is None:
        return None
    return whole("true" if value is True else "false" if value is False else str(value), options)


def _option(found: str, options: Options) -> str:
    word = options.options.get(found) or options.folded.get(found.casefold()) or options.options.get(REST)
    if word is None:
        raise Unreadable("expected one of the options that the mapping names")
    return word


def _native_option(value: str, options: Options) -> str:
    native = options.back.get(value)
    if native is None:
        raise Unwritable("the mapping names no option for this value")
    return native


def read_choice(value: Value, options: Options) -> Canon:
    found = text(value)
    return _option(found, options) if found is not None and options.options else found


def write_choice(value: Canon, options: Options) -> Value:
    if isinstance(value, str) and options.options:
        return _native_option(value, options)
    return whole(value, options)


def read_stage(value: Value, options: Options) -> Canon:
    found = read_choice(value, options)
    if found is not None and found not in STAGES:
        raise Unreadable("expected a stage that has a rank")
    return found


# --- sets --------------------------------------------------------------------------------------------------------


def partial_items(value: dict[str, object]) -> list[str]:
    """The items of a list that the vendor shows only in part."""
    items = value.get("items")
    return [str(item) for item in items] if isinstance(items, list) else []


def words(value: Value, separator: str = ";") -> list[str] | None:
    """A set as a sorted list without repetition; None where it is empty."""
    if not value:
        return None
    if isinstance(value, dict):
        value = partial_items(value)
    items: Iterable[str] = value if isinstance(value, list) else str(value).split(separator.strip() or separator)
    return sorted({found for item in items if (found := text(item)) is not None}) or None


def read_set(value: Value, options: Options) -> Canon:
    found = words(value, options.separator)
    if found is None or not options.options:
        return found
    return sorted({_option(each, options) for each in found})


def _items(value: Canon, options: Options) -> list[str] | None:
    if not isinstance(value, list) or not value:
        return None
    return [_native_option(each, options) for each in value] if options.options else list(value)


def write_list(value: Canon, options: Options) -> Value:
    return _items(value, options)


def write_set(value: Canon, options: Options) -> Value:
    items = _items(value, options)
    if items is None:
        return None
    if any((options.separator.strip() or options.separator) in each for each in items):
        raise Unwritable("an item holds the sign that separates items over there")
    return whole(options.separator.join(items), options)


def read_emails(value: Value, options: Options) -> Canon:
    kept = set()
    for each in words(value, options.separator) or ():
        try:
            kept.add(str(email(each)))
        except Unreadable:
            continue  # one bad address among several must not hide the good ones
    return sorted(kept) or None


# --- consent -----------------------------------------------------------------------------------------------------

CONFIRMED = re.compile(r"confirmed \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


def read_consent(value: Value, options: Options) -> Canon:
    """The connector's own words: out, in, or "confirmed TIME" (opted in, with the person's confirmation)."""
    del options
    found = text(value)
    if found is None or found in ("out", "in") or CONFIRMED.match(found):
        return found
    raise Unreadable("expected out, in or confirmed")


def write_consent(value: Canon, options: Options) -> Value:
    del options
    return None if value is None else "out" if value == "out" else "in"


def read_consent_and_time(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """A word, and beside it the time at which the person confirmed."""
    said, at = read_consent(values[0], options), moment(values[1])
    if said == "in" and at is not None:
        return (f"confirmed {at[:19]}Z",)
    return (said,)


def write_consent_and_time(values: Sequence[Canon], options: Options) -> Sequence[Value]:
    return (write_consent(values[0], options),)


def read_opt_out_box(value: Value, options: Options) -> Canon:
    """A ticked "opted out" says no; an empty one says nothing: it is empty for everybody nobody has asked."""
    del options
    return "out" if boolean(value) else None


def write_opt_out_box(value: Canon, options: Options) -> Value:
    del options
    return value == "out"


def read_consent_word(value: Value, options: Options) -> Canon:
    """A column with yes and no: yes is what the list's keeper says, not what the person confirmed."""
    found = text(value)
    if found is not None and options.options:
        return _option(found, options)
    answer = boolean(value)
    return None if answer is None else "in" if answer else "out"


def write_consent_word(value: Canon, options: Options) -> Value:
    if value is None:
        return None
    wanted = "out" if value == "out" else "in"
    if options.options:
        return _native_option(wanted, options)
    return "no" if wanted == "out" else "yes"


# --- several fields ----------------------------------------------------------------------------------------------


_TITLES = frozenset({"dr", "prof", "herr", "fru", "frk", "frøken", "hr", "mr", "mrs", "ms", "miss"})
_SUFFIXES = frozenset({"jr", "sr", "junior", "senior", "ii", "iii", "phd"})
_PARTICLES = frozenset({"van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "la", "le", "af", "av"})
_PARTICLES |= {"ten", "ter", "zu", "bin", "ibn", "el", "al"}


@functools.lru_cache(16_384)
def _parted(found: str) -> tuple[str | None, str | None]:
    """First (with middle) and last name. Only certain titles and suffixes are left out, since Prince, Do and Vi are
    people's names."""
    before, _, after = found.partition(",")
    if first := _bare(after):
        return " ".join(first), " ".join(_bare(before)) or None
    words = _bare(before)
    if not words:
        return found, None
    if len(words) == 1:
        titled = before.split()[0] != words[0]
        return (None, words[0]) if titled else (words[0], None)
    last = len(words) - 1
    while last > 1 and words[last - 1].casefold() in _PARTICLES:
        last -= 1
    return " ".join(words[:last]), " ".join(words[last:])


def _bare(part: str) -> list[str]:
    """The words of a name without titles in front and suffixes behind."""
    words = part.replace(",", " ").split()
    while words and words[0].casefold().strip(".") in _TITLES:
        del words[0]
    while words and words[-1].casefold().strip(".") in _SUFFIXES:
        del words[-1]
    return words


def read_full_name(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """One column with the whole name → first (with middle) and last name."""
    del options
    found = text(values[0])
    return (None, None) if found is None else _parted(found)


def write_full_name(values: Sequence[Canon], options: Options) -> Sequence[Value]:
    return (cut(" ".join(str(part) for part in values if part) or None, options),)


def read_first_of(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """A field of the record itself, else what a related record says."""
    del options
    return (next((found for value in values if (found := text(value)) is not None), None),)


def write_first_of(values: Sequence[Canon], options: Options) -> Sequence[Value]:
    return (cut(values[0], options),)
