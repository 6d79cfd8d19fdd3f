"""Named pairs that turn native values into normal forms and back, and how a written value may come back.

Each pair is lossless on normal forms unless the mapping declares a loss (a length, options). Reading what has no
normal form raises `Unreadable`; writing what the other side has no word for raises `Unwritable`: the group then waits
for a person, and nothing is guessed.
"""

from __future__ import annotations

import datetime
import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from connectors.base import Value
from mappings.lead import STAGES, Canon


class Unreadable(ValueError):
    """A native value that has no normal form. The text says what was expected, not what was found."""


class Unwritable(ValueError):
    """A canonical value that the other side has no word for."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a mapping says beside the names: `options` native → canonical, `length` in characters, `region` for
    national phone numbers."""

    options: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    region: str = "NO"


@dataclass(frozen=True, slots=True)
class Transform:
    """`read` gets the native values in the order of `remote` and answers the lead's values in the order of `lead`;
    `write` does the reverse."""

    name: str
    read: Callable[[Sequence[Value], Options], Sequence[Canon]]
    write: Callable[[Sequence[Canon], Options], Sequence[Value | Keep]]
    regional: bool = False


# --- normal forms, one value at a time -------------------------------------------------------------------------------


def text(value: Value) -> str | None:
    """NFC, without blanks around it; empty is None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        raise Unreadable("expected one text, not a list")
    found = str(value)
    if not found.isascii():
        found = unicodedata.normalize("NFC", found).replace("\u00a0", " ")
    return found.strip() or None


_PLAIN_EMAIL = re.compile(
    r"[a-z0-9](?:[a-z0-9_+-]|\.(?=[a-z0-9_+-]))*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\Z"
)


@functools.lru_cache(65_536)
def _email(value: str) -> str:
    found = value.lower()
    if len(found) <= 254 and _PLAIN_EMAIL.match(found) and found.index("@") <= 64:
        return found
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Unreadable("expected an e-mail address") from None


def email(value: Value) -> str | None:
    """Lower case. Raises Unreadable for what is no address."""
    found = text(value)
    return None if found is None else _email(found)


@functools.lru_cache(65_536)
def phone_number(value: str, region: str) -> str:
    """E.164 where it is a valid number, else the text as it stands: people write "after four" into phone fields."""
    import phonenumbers

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value
    if not phonenumbers.is_valid_number(number):
        return value
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


@functools.lru_cache(1)
def _territories() -> Mapping[str, str]:
    """Folded name, alias or code → ISO 3166 alpha-2, from CLDR in Norwegian and English."""
    from babel import Locale
    from babel.core import get_global

    found: dict[str, str] = {}
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1:
            found[alias.casefold()] = codes[0]
    for language in ("sv", "da", "de", "en", "nb"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "XA", "XB", "QO", "ZZ"):
                found[name.casefold()] = code
                found[code.casefold()] = code
    found.update({"usa": "US", "u.s.a.": "US", "uk": "GB", "england": "GB", "great britain": "GB", "holland": "NL"})
    return found


def country(value: Value) -> str | None:
    """ISO 3166 alpha-2 where the name or code is known, else the text."""
    found = text(value)
    return None if found is None else _territories().get(found.casefold(), found)


def country_name(code: str, language: str) -> str:
    from babel import Locale

    name = Locale(language).territories.get(code)
    return str(name) if name else code


@functools.lru_cache(1)
def _languages() -> Mapping[str, str]:
    from babel import Locale

    found: dict[str, str] = {}
    for language in ("en", "nb"):
        for code, name in Locale(language).languages.items():
            if len(code) == 2:
                found[name.casefold()] = code
                found[code] = code
    return {**found, "no": "nb", "norwegian": "nb", "norsk": "nb"}


def language(value: Value) -> str | None:
    """ISO 639-1; a region behind it is dropped, "no" is "nb"."""
    found = text(value)
    if found is None:
        return None
    known = _languages()
    return known.get(found.casefold()) or known.get(re.split("[-_]", found.casefold())[0], found)


def integer(value: Value) -> int | None:
    found = text(value)
    if found is None:
        return None
    try:
        number = Decimal(found)
    except InvalidOperation:
        raise Unreadable("expected a whole number") from None
    if number != number.to_integral_value():
        raise Unreadable("expected a whole number")
    return int(number)


def decimal(value: Value) -> str | None:
    """Without a needless zero: "1.50" and "1.5" are one value."""
    found = text(value)
    if found is None:
        return None
    try:
        number = Decimal(found).normalize()
    except InvalidOperation:
        raise Unreadable("expected a number with a decimal point") from None
    if not number.is_finite():
        raise Unreadable("expected a finite number")
    return f"{number:f}"


_YES = {"true", "1", "yes", "y", "ja", "j", "x", "sann", "wahr", "oui", "on"}
_NO = {"false", "0", "no", "n", "nei", "usann", "falsch", "nein", "non", "off"}


def boolean(value: Value) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    found = (text(value) or "").casefold()
    if not found:
        return None
    if found in _YES:
        return True
    if found in _NO:
        return False
    raise Unreadable("expected yes or no")


def date(value: Value) -> str | None:
    """YYYY-MM-DD, of an ISO date or time, day.month.year, or milliseconds since 1970."""
    found = text(value)
    if found is None:
        return None
    if re.match(r"\d{4}-\d\d-\d\d(?:[T ]|\Z)", found):
        found = found[:10]
    elif day := re.match(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\Z", found):
        found = f"{day[3]}-{int(day[2]):02d}-{int(day[1]):02d}"
    elif re.match(r"-?\d{11,14}\Z", found):
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=int(found))
        found = moment.date().isoformat()
    try:
        return datetime.date.fromisoformat(found).isoformat()
    except ValueError:
        raise Unreadable("expected a date as YYYY-MM-DD") from None


def moment(value: Value) -> str | None:
    """An aware time in UTC, YYYY-MM-DDTHH:MM:SS.mmmZ; a time without a zone is refused, since nobody knows which."""
    found = text(value)
    if found is None:
        return None
    if re.match(r"-?\d{11,14}\Z", found):
        return _utc(datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=int(found)))
    try:
        parsed = datetime.datetime.fromisoformat(found)
    except ValueError:
        raise Unreadable("expected an ISO time with a zone") from None
    if parsed.tzinfo is None:
        raise Unreadable("expected a time with a zone")
    return _utc(parsed)


def _utc(parsed: datetime.datetime) -> str:
    return parsed.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def organisation_number(value: Value) -> str | None:
    """Nine digits where they are a Norwegian organisation number, else the text."""
    found = text(value)
    if found is None:
        return None
    from stdnum.no import orgnr

    digits = re.sub(r"(?i)^no|mva$|[\s.-]", "", found)
    return digits if orgnr.is_valid(digits) else found


def domain(value: Value) -> str | None:
    """The host without "www.", of a domain or a web address."""
    found = text(value)
    if found is None:
        return None
    host = re.sub(r"(?i)^[a-z]+://", "", found).split("/")[0].split("?")[0].lower()
    return host.removeprefix("www.") or None


def partial_items(value: dict[str, object]) -> list[str]:
    """The items of a list that the vendor shows only in part."""
    items = value.get("items")
    return [str(item) for item in items] if isinstance(items, list) else []


def words(value: Value, separator: str) -> list[str] | None:
    """A set as a sorted list without repetition. None: not known."""
    if value is None:
        return None
    if isinstance(value, dict):
        value = partial_items(value)
    items = value if isinstance(value, list) else str(value).split(separator)
    return sorted({found for item in items if (found := text(item)) is not None})


class Keep:
    """Stands where a writing leaves a native field alone."""


KEEP = Keep()


# --- pairs -----------------------------------------------------------------------------------------------------------


def cut(value: Value, length: int | None) -> Value:
    if length is None or not isinstance(value, str) or len(value) <= length:
        return value
    return value[:length].rstrip() or None


def _one(
    name: str,
    read: Callable[[Value, Options], Canon],
    write: Callable[[Canon, Options], Value] | None = None,
    regional: bool = False,
) -> Transform:
    """A pair for one value on each side."""
    out = write or (lambda value, options: cut(value, options.length))

    def reading(values: Sequence[Value], options: Options) -> Sequence[Canon]:
        return (read(values[0], options),)

    def writing(values: Sequence[Canon], options: Options) -> Sequence[Value | Keep]:
        return (out(values[0], options),)

    return Transform(name, reading, writing, regional)


def _read_phone(value: Value, options: Options) -> Canon:
    found = text(value)
    return None if found is None else phone_number(found, options.region)


def _write_country_name(language: str) -> Callable[[Canon, Options], Value]:
    def write(value: Canon, options: Options) -> Value:
        return cut(country_name(value, language), options.length) if isinstance(value, str) else None

    return write


def _read_choice(value: Value, options: Options) -> Canon:
    found = text(value)
    if found is None or not options.options:
        return found
    if found not in options.options:
        raise Unreadable("expected one of the options that the mapping names")
    return options.options[found]


def _write_choice(value: Canon, options: Options) -> Value:
    if value is None or not options.options:
        return cut(value, options.length)
    for native, canonical in options.options.items():
        if canonical == value:
            return native
    raise Unwritable("the mapping names no option for this value")


def _read_stage(value: Value, options: Options) -> Canon:
    found = _read_choice(value, options)
    if found is not None and found not in STAGES:
        raise Unreadable("expected a stage that has a rank")
    return found


def _read_set(value: Value, options: Options) -> Canon:
    del options
    return words(value, ";")


def _write_set(value: Canon, options: Options) -> Value:
    del options
    return ";".join(value) if isinstance(value, list) and value else None


def _write_list(value: Canon, options: Options) -> Value:
    del options
    return list(value) if isinstance(value, list) else None


def _read_emails(value: Value, options: Options) -> Canon:
    del options
    found = words(value, ";")
    if found is None:
        return None
    kept = set()
    for each in found:
        try:
            kept.add(_email(each))
        except Unreadable:
            continue  # one bad address among several must not hide the good ones
    return sorted(kept)


CONFIRMED = re.compile(r"confirmed \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


def _read_consent(value: Value, options: Options) -> Canon:
    """The connector's own words: out, in, or "confirmed TIME" (opted in, with the person's confirmation)."""
    del options
    found = text(value)
    if found is None or found in ("out", "in") or CONFIRMED.match(found):
        return found
    raise Unreadable("expected out, in or confirmed")


def _write_consent(value: Canon, options: Options) -> Value:
    del options
    return None if value is None else "out" if value == "out" else "in"


def _read_consent_and_time(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """A word, and beside it the time at which the person confirmed."""
    said, at = _read_consent(values[0], options), moment(values[1])
    if said == "in" and at is not None:
        return (f"confirmed {at[:19]}Z",)
    return (said,)


def _write_consent_and_time(values: Sequence[Canon], options: Options) -> Sequence[Value | Keep]:
    return (_write_consent(values[0], options), KEEP)


def _read_opt_out_box(value: Value, options: Options) -> Canon:
    """A ticked "opted out" says no; an empty one says nothing: it is empty for everybody nobody has asked."""
    del options
    return "out" if boolean(value) else None


def _write_opt_out_box(value: Canon, options: Options) -> Value:
    del options
    return value == "out"


def _read_consent_word(value: Value, options: Options) -> Canon:
    """A column with yes and no: yes is what the list's keeper says, not what the person confirmed."""
    found = text(value)
    if found is not None and options.options:
        return _read_choice(found, options)
    answer = boolean(value)
    return None if answer is None else "in" if answer else "out"


def _write_consent_word(value: Canon, options: Options) -> Value:
    if value is None:
        return None
    wanted = "out" if value == "out" else "in"
    if options.options:
        return _write_choice(wanted, options)
    return "no" if wanted == "out" else "yes"


def _read_full_name(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """One column with the whole name → first (with middle) and last name."""
    del options
    found = text(values[0])
    if found is None:
        return (None, None)
    from nameparser import HumanName

    name = HumanName(found)
    first = " ".join(part for part in (name.first, name.middle) if part) or None
    return (first, name.last or None) if first or name.last else (None, found)


def _write_full_name(values: Sequence[Canon], options: Options) -> Sequence[Value | Keep]:
    return (cut(" ".join(str(part) for part in values if part) or None, options.length),)


def _read_first_of(values: Sequence[Value], options: Options) -> Sequence[Canon]:
    """A field of the record itself, else what a related record says; only the record's own field is written."""
    del options
    return (next((found for value in values if (found := text(value)) is not None), None),)


def _write_first_of(values: Sequence[Canon], options: Options) -> Sequence[Value | Keep]:
    return (cut(values[0], options.length), KEEP)


TRANSFORMS: Mapping[str, Transform] = {
    each.name: each
    for each in (
        _one("text", lambda value, options: text(value)),
        _one("email", lambda value, options: email(value)),
        _one("phone", _read_phone, regional=True),
        _one("country", lambda value, options: country(value)),
        _one("country_name", lambda value, options: country(value), _write_country_name("en")),
        _one("country_name_nb", lambda value, options: country(value), _write_country_name("nb")),
        _one("language", lambda value, options: language(value)),
        _one("date", lambda value, options: date(value)),
        _one("datetime", lambda value, options: moment(value)),
        _one("decimal", lambda value, options: decimal(value)),
        _one("integer", lambda value, options: integer(value)),
        _one("integer_text", lambda value, options: integer(value), lambda value, options: _text_or_none(value)),
        _one("boolean", lambda value, options: boolean(value)),
        _one("boolean_text", lambda value, options: boolean(value), lambda value, options: _text_or_none(value)),
        _one("choice", _read_choice, _write_choice),
        _one("stage", _read_stage, _write_choice),
        _one("owner", lambda value, options: email(value)),
        _one("organisation_number", lambda value, options: organisation_number(value)),
        _one("domain", lambda value, options: domain(value)),
        _one("set", _read_set, _write_set),
        _one("list", _read_set, _write_list),
        _one("emails", _read_emails, _write_list),
        _one("emails_text", _read_emails, _write_set),
        _one("consent", _read_consent, _write_consent),
        _one("opt_out_box", _read_opt_out_box, _write_opt_out_box),
        _one("consent_word", _read_consent_word, _write_consent_word),
        Transform("full_name", _read_full_name, _write_full_name),
        Transform("consent_and_time", _read_consent_and_time, _write_consent_and_time),
        Transform("first_of", _read_first_of, _write_first_of),
    )
}
"""Every transform a mapping file may name with `as`."""

DEFAULT_FOR_TYPE: Mapping[str, str] = {"set": "set", "consent": "consent"}
"""The transform of a lead field's type where it is not called like the type."""


def _text_or_none(value: Canon) -> Value:
    return None if value is None else "true" if value is True else "false" if value is False else str(value)


# --- coercions -------------------------------------------------------------------------------------------------------


def _folded(value: str) -> str:
    return " ".join(value.split()).casefold()


def _digits(value: str) -> str:
    return "".join(character for character in value if character.isdigit())


def explains(sent: Value, seen: Value, kinds: frozenset[str]) -> bool:
    """Whether `seen` is what became of `sent` over there, by one of the declared coercions (sync-rules F3).

    cut: a prefix. case, blanks: the same but for those. digits: the same digits. day: the date of a time.
    order: the same items in another order. cleared: emptied on the way to the value. label: see the mapping.
    """
    if sent == seen or (sent in (None, "") and seen in (None, "")):
        return True
    if seen in (None, ""):
        return "cleared" in kinds
    if isinstance(sent, list) and isinstance(seen, list):
        return "order" in kinds and sorted(sent) == sorted(seen)
    if isinstance(sent, bool | list | dict) or isinstance(seen, bool | list | dict):
        return False
    if sent is None:
        return False
    mine, theirs = str(sent), str(seen)
    if mine == theirs:
        return True
    if "cut" in kinds and mine.startswith(theirs):
        return True
    if "case" in kinds and mine.casefold() == theirs.casefold():
        return True
    if "blanks" in kinds and " ".join(mine.split()) == " ".join(theirs.split()):
        return True
    if "blanks" in kinds and "case" in kinds and _folded(mine) == _folded(theirs):
        return True
    if "digits" in kinds and len(_digits(mine)) >= 5 and _digits(mine) == _digits(theirs):
        return True
    if "order" in kinds and ";" in mine and sorted(mine.split(";")) == sorted(theirs.split(";")):
        return True
    return "day" in kinds and re.match(r"\d{4}-\d\d-\d\d[T ]", mine) is not None and mine[:10] == theirs[:10]


COERCIONS = frozenset({"cut", "case", "blanks", "digits", "day", "order", "cleared"})
