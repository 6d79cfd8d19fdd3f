"""Normal forms, one value at a time: what the same fact looks like however a system or a person spelt it.

Each function is idempotent, so that equal facts are equal values. What has no normal form raises `Unreadable` where a
guess would do harm (an address, a date, a number), and stays as it stands where people write sentences into the field
(a phone, a country, a domain).
"""

from __future__ import annotations

import datetime
import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from connectors.base import Value


class Unreadable(ValueError):
    """A native value that has no normal form. The text says what was expected, not what was found."""


KEPT = 16_384
"""So many spellings of a kind are remembered: reading one again costs next to nothing. Enough for the few hundred
people who are at hand, and for what many have in common."""


def text(value: Value) -> str | None:
    """NFC, without blanks around it; empty is None."""
    if type(value) is str:
        if value.isascii():
            return value.strip() or None
        return unicodedata.normalize("NFC", value).replace("\u00a0", " ").strip() or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        raise Unreadable("expected one text, not a list")
    return text(str(value))


def _of_text(form: Callable[[str], str]) -> Callable[[Value], str | None]:
    """A form of texts that are not empty; what a spelling comes to is remembered."""

    @functools.lru_cache(KEPT)
    def remembered(value: str) -> str | None:
        found = text(value)
        return None if found is None else form(found)

    @functools.wraps(form)
    def read(value: Value) -> str | None:
        return remembered(value if type(value) is str else text(value) or "")

    return read


# --- addresses and numbers ---------------------------------------------------------------------------------------

_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_EMAIL = re.compile(
    rf"[a-z0-9](?:[a-z0-9_+-]|\.(?=[a-z0-9_+-])){{0,63}}@(?:{_LABEL}\.)+[a-z]{{2,63}}\Z", re.ASCII
)


@_of_text
def email(found: str) -> str:
    """Lower case, the domain in its own letters. Raises Unreadable for what is no address."""
    found = found.lower()
    if len(found) <= 254 and _PLAIN_EMAIL.match(found):
        return found
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(found, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Unreadable("expected an e-mail address") from None


@functools.lru_cache(KEPT)
def phone_number(value: str, region: str) -> str:
    """E.164 where it is a valid number, else the text as it stands: people write "after four" into phone fields."""
    plain = _plain_numbers(region)
    if plain is not None and (found := plain[1].match(value)):
        return plain[0] + found[1]
    written = _dialled(value, region)
    if written is None and "(0)" in value:
        written = _dialled(value.replace("(0)", " ", 1), region)  # +47 (0)22 …: the zero is for calls from inside
    return written or value


@functools.lru_cache(None)
def _plain_numbers(region: str) -> tuple[str, re.Pattern[str]] | None:
    """What a region's numbers begin with in E.164, and how its ordinary ones look when written without blanks; None
    where numbers are dialled with a prefix. For most numbers this says at once what the library would say."""
    from phonenumbers import PhoneMetadata, region_code_for_country_code

    about = PhoneMetadata.metadata_for_region(region)
    if about is None or about.national_prefix or about.national_prefix_for_parsing:
        return None
    code = about.country_code
    patterns = [each.national_number_pattern for each in (about.mobile, about.fixed_line) if each is not None]
    if code is None or region_code_for_country_code(code) != region or not all(patterns):
        return None
    own = f"(?={about.leading_digits})" if about.leading_digits else ""
    return f"+{code}", re.compile(rf"(?:\+{code})?(?!0){own}({'|'.join(map(str, patterns))})\Z", re.ASCII)


def _dialled(value: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


@_of_text
def organisation_number(found: str) -> str:
    """Nine digits where they are a Norwegian organisation number, else the text."""
    from stdnum.no import orgnr

    digits = re.sub(r"(?i)^NO|MVA$|[\s.-]", "", re.sub(r"\s", "", found))
    return digits if re.fullmatch("[0-9]{9}", digits) and orgnr.is_valid(digits) else found


_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//")
_HOST = re.compile(r"(?:[^\s/@:.]+\.)+[^\s/@:.]{2,}\Z")


@_of_text
def domain(found: str) -> str:
    """The host without "www.", of a domain, a web address or an e-mail address; else the text."""
    rest = found.lower()
    if scheme := _SCHEME.match(rest):
        rest = rest[scheme.end() :]
    host = text(re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]) or ""
    host = re.sub(r":\d+\Z", "", host).rstrip(".")
    if not _HOST.match(host):
        return found
    while host.startswith("www.") and host.count(".") > 1:
        host = host[4:]
    return host


def postcode(value: Value, region: str) -> str | None:
    """The text; in Norway with the zeros in front that a column of numbers has lost."""
    found = text(value)
    if found is not None and region == "NO" and re.fullmatch("[0-9]{1,4}", found):
        return found.zfill(4)
    return found


# --- places and tongues ------------------------------------------------------------------------------------------

_NO_COUNTRIES = ("EU", "EZ", "UN", "XA", "XB", "QO", "ZZ")
_ALSO_CALLED = {
    "GB": "uk, england, scotland, wales, northern ireland, great britain, storbritannien",
    "US": "usa, u.s.a., u.s., united states of america, amerikas forente stater, de forente stater",
    "NL": "holland, the netherlands",
    "NO": "noreg, norga, norja, kingdom of norway, kongeriket norge",
    "SE": "ruotsi",
    "FI": "suomi",
    "IS": "ísland",
    "CZ": "czech republic, den tsjekkiske republikk",
    "CI": "ivory coast",
    "TR": "turkey",
    "RU": "russian federation, den russiske føderasjon",
    "KR": "republic of korea",
    "MK": "macedonia, makedonia",
    "SZ": "swaziland",
    "MM": "burma",
    "MD": "republic of moldova",
    "VN": "viet nam",
    "IR": "islamic republic of iran",
    "AE": "uae, emiratene",
}


@functools.lru_cache(1)
def _territories() -> Mapping[str, str]:
    """Folded name, alias or code → ISO 3166 alpha-2, from CLDR in Norwegian, English and the neighbours' languages."""
    from babel import Locale
    from babel.core import get_global

    found: dict[str, str] = {}
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1:
            found[alias.casefold()] = codes[0]
    for language in ("sv", "da", "de", "en", "nb"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES:
                found[name.casefold()] = code
                found[code.casefold()] = code
    for code, names in _ALSO_CALLED.items():
        found.update(dict.fromkeys(names.split(", "), code))
    return found


@functools.lru_cache(1)
def _codes() -> frozenset[str]:
    return frozenset(_territories().values()) - {*_NO_COUNTRIES}


@_of_text
def country(found: str) -> str:
    """ISO 3166 alpha-2 where the name or code is known, else the text."""
    code = _territories().get(found.casefold())
    return code if code is not None and is_country(code) else found


def is_country(code: str | None) -> bool:
    """Whether this is a country's ISO 3166 alpha-2 code."""
    return code in _codes()


@functools.lru_cache(KEPT)
def country_name(code: str, language: str) -> str:
    """What a country is called; a text that is no code stays as it is."""
    if not is_country(code):
        return code
    from babel import Locale

    return str(Locale(language).territories.get(code) or code)


@functools.lru_cache(1)
def _languages() -> Mapping[str, str]:
    from babel import Locale

    found: dict[str, str] = {}
    for language in ("en", "nb"):
        for code, name in Locale(language).languages.items():
            if len(code) == 2:
                found[name.casefold()] = code
                found[code] = code
    return {**found, "no": "nb", "norwegian": "nb", "norsk": "nb", "bokmål": "nb", "nynorsk": "nn", "svenska": "sv"}


@_of_text
def language(found: str) -> str:
    """ISO 639-1, of a code or a name; a region behind it is dropped, "no" is "nb". Else the text."""
    known, folded = _languages(), found.casefold()
    return known.get(folded) or known.get(re.split("[-_]", folded, maxsplit=1)[0], found)


# --- quantities and times ----------------------------------------------------------------------------------------

_DIGITS = 30
"""Numbers with more digits than this, before or behind the point, are no quantity of anything we keep."""


def _number(found: str) -> Decimal | None:
    """A number that can be written out, None where it is none: "1E999999" is three characters and a gigabyte."""
    if len(found) > 4 * _DIGITS:
        return None
    try:
        number = Decimal(found)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() >= _DIGITS or exponent < -_DIGITS:
        return None
    return number


def integer(value: Value) -> int | None:
    if type(value) is int:
        return value
    found = text(value)
    if found is None:
        return None
    number = _number(found)
    if number is None or number != number.to_integral_value():
        raise Unreadable("expected a whole number")
    return int(number)


def decimal(value: Value) -> str | None:
    """Without a needless zero: "1.50" and "1.5" are one value."""
    found = text(value)
    if found is None:
        return None
    number = _number(found)
    if number is None:
        raise Unreadable("expected a number with a decimal point")
    written = f"{number:f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


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


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECONDS = re.compile(r"-?[0-9]{11,14}\Z")


def date(value: Value) -> str | None:
    """YYYY-MM-DD, of an ISO date or time, day.month.year, or milliseconds since 1970."""
    found = text(value)
    if found is None:
        return None
    try:
        if re.match(r"\d{4}-\d\d-\d\d(?:[T ]|\Z)", found):
            found = found[:10]
        elif day := re.match(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\Z", found):
            found = f"{day[3]}-{int(day[2]):02d}-{int(day[1]):02d}"
        elif _MILLISECONDS.match(found):
            return (_EPOCH + datetime.timedelta(milliseconds=int(found))).date().isoformat()
        return datetime.date.fromisoformat(found).isoformat()
    except (ValueError, OverflowError):
        raise Unreadable("expected a date as YYYY-MM-DD") from None


def moment(value: Value) -> str | None:
    """An aware time in UTC, YYYY-MM-DDTHH:MM:SS.mmmZ; a time without a zone is refused, since nobody knows which."""
    found = text(value)
    if found is None:
        return None
    try:
        if _MILLISECONDS.match(found):
            return _utc(_EPOCH + datetime.timedelta(milliseconds=int(found)))
        parsed = datetime.datetime.fromisoformat(found)
        if parsed.tzinfo is not None:
            return _utc(parsed)
    except (ValueError, OverflowError):
        raise Unreadable("expected an ISO time with a zone") from None
    raise Unreadable("expected a time with a zone")


def _utc(parsed: datetime.datetime) -> str:
    return parsed.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
