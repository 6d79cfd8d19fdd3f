"""Named pairs that turn native values into normal forms and back, and how a written value may come back.

Each pair is lossless on normal forms except where it says what it `loses`, or where the mapping declares a loss (the
length of a text, options). Reading what has no normal form raises `Unreadable`; writing what the other side has no word
for raises `Unwritable`: the group then waits for a person, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.base import Value
from mappings import pairs
from mappings.forms import (
    boolean,
    country,
    date,
    decimal,
    domain,
    email,
    integer,
    language,
    moment,
    organisation_number,
    postcode,
    text,
)
from mappings.lead import Canon
from mappings.pairs import Options, Unwritable, partial_items

__all__ = ["COERCIONS", "TRANSFORMS", "Options", "Transform", "Unwritable", "explains", "partial_items"]


@dataclass(frozen=True, slots=True)
class Transform:
    """`read` gets the native values in the order of `remote` and answers the lead's values in the order of `lead`;
    `write` does the reverse, for the first `writes` natives only: the others are left alone.

    `text` says what it is for, `loses` what a written value does not bring back. `makes`: the types of lead fields
    that it is for; `fits`: the types of native fields that can hold its values. `leads` fields of the lead stand for
    `remotes` (fewest, most) native ones. `takes`: which of the keys length, options and separator mean something to
    it; `cuts`: a longer text is cut, where any other value that does not fit is refused. `reader`, `writes_one`: the
    same for one value on each side, without the lists; a reader is made once for its options.
    """

    name: str
    text: str
    read: Callable[[Sequence[Value], Options], Sequence[Canon]]
    write: Callable[[Sequence[Canon], Options], Sequence[Value]]
    makes: frozenset[str]
    fits: frozenset[str]
    takes: frozenset[str] = frozenset()
    leads: int = 1
    remotes: tuple[int, int] = (1, 1)
    writes: int = 1
    cuts: bool = False
    regional: bool = False
    loses: str = ""
    reader: Callable[[Options], Callable[[Value], Canon]] | None = None
    writes_one: Callable[[Canon, Options], Value] | None = None


_LENGTH = frozenset({"length"})
_TEXTS = frozenset({"text", "email", "phone", "number", "boolean", "date", "datetime", "choice", "reference", "other"})


def _one(
    name: str,
    about: str,
    fits: str,
    reader: Callable[[Options], Callable[[Value], Canon]],
    write: Callable[[Canon, Options], Value] = pairs.whole,
    *,
    makes: str = "",
    takes: Iterable[str] = _LENGTH,
    regional: bool = False,
    loses: str = "",
) -> Transform:
    """A pair for one value on each side."""

    def reading(values: Sequence[Value], options: Options) -> Sequence[Canon]:
        return (reader(options)(values[0]),)

    def writing(values: Sequence[Canon], options: Options) -> Sequence[Value]:
        return (write(values[0], options),)

    return Transform(
        name,
        about,
        reading,
        writing,
        frozenset(makes.split()) or frozenset({name, "text"}),
        frozenset({*fits.split(), "other"}) if fits else _TEXTS,
        frozenset(takes),
        cuts=write is pairs.cut,
        regional=regional,
        loses=loses,
        reader=reader,
        writes_one=write,
    )


def _form(form: Callable[[Value], Canon]) -> Callable[[Options], Callable[[Value], Canon]]:
    """Reads by a normal form that no option changes."""
    return lambda options: form


def _by(read: Callable[[Value, Options], Canon]) -> Callable[[Options], Callable[[Value], Canon]]:
    """Reads with the options."""
    return lambda options: lambda value: read(value, options)


_CHOICE = ("length", "options")
_SET = ("length", "options", "separator")

TRANSFORMS: Mapping[str, Transform] = {
    each.name: each
    for each in (
        _one("text", "Text without blanks around it.", "", _form(text), pairs.cut, makes="text choice"),
        _one("email", "One e-mail address, in lower case.", "text email", _form(email), makes="email owner text"),
        _one(
            "phone",
            "A phone number as +4722334455; what is no number stays as it is.",
            "text phone number",
            _by(pairs.read_phone),
            regional=True,
        ),
        _one("country", "A country by its code, NO.", "text choice", _form(country)),
        _one(
            "country_name",
            "A country by its English name.",
            "text choice",
            _form(country),
            pairs.write_country_name("en"),
            makes="country text",
        ),
        _one(
            "country_name_nb",
            "A country by its Norwegian name.",
            "text choice",
            _form(country),
            pairs.write_country_name("nb"),
            makes="country text",
        ),
        _one(
            "postcode",
            "A postcode; in Norway with the zeros in front that a column of numbers has lost.",
            "text number",
            _by(lambda value, options: postcode(value, options.region)),
            regional=True,
            makes="text",
        ),
        _one("language", "A language by its code, nb.", "text choice", _form(language)),
        _one("date", "A day, as 2026-01-31.", "text date datetime", _form(date)),
        _one("datetime", "A time with its zone, as 2026-01-31T09:30:00.000Z.", "text datetime", _form(moment)),
        _one("decimal", "A number with a decimal point.", "text number", _form(decimal)),
        _one(
            "decimal_comma",
            "A number with a decimal comma, as in a Norwegian sheet.",
            "text number",
            _by(pairs.read_decimal_comma),
            pairs.write_decimal_comma,
            makes="decimal text",
        ),
        _one("integer", "A whole number.", "text number", _form(integer), makes="integer"),
        _one(
            "integer_text",
            "A whole number that is text over there.",
            "text number",
            _form(integer),
            pairs.write_text,
            makes="integer",
        ),
        _one("boolean", "Yes or no.", "boolean text choice number", _form(boolean), takes=(), makes="boolean"),
        _one(
            "boolean_text",
            "Yes or no that is the text true or false over there.",
            "boolean text choice",
            _form(boolean),
            pairs.write_text,
            makes="boolean",
        ),
        _one(
            "choice",
            "One of some words.",
            "",
            _by(pairs.read_choice),
            pairs.write_choice,
            takes=_CHOICE,
            makes="choice text country language owner",
        ),
        _one(
            "stage",
            "A lifecycle stage.",
            "text choice",
            _by(pairs.read_stage),
            pairs.write_choice,
            takes=_CHOICE,
            makes="stage",
        ),
        _one(
            "owner",
            "Who is responsible, by e-mail address.",
            "text email reference choice",
            _form(email),
            makes="owner email",
        ),
        _one(
            "organisation_number",
            "A Norwegian organisation number, nine digits; any other text stays as it is.",
            "text number",
            _form(organisation_number),
        ),
        _one("domain", "The domain of a web address.", "text email", _form(domain)),
        _one(
            "set",
            "Several words in one text.",
            "text choice choices",
            _by(pairs.read_set),
            pairs.write_set,
            takes=_SET,
            makes="set",
        ),
        _one(
            "list",
            "Several words as a list.",
            "choices text",
            _by(pairs.read_set),
            pairs.write_list,
            takes=("options",),
            makes="set",
        ),
        _one(
            "emails",
            "Several e-mail addresses as a list.",
            "choices text",
            _by(pairs.read_emails),
            pairs.write_list,
            takes=(),
            makes="emails set",
        ),
        _one(
            "emails_text",
            "Several e-mail addresses in one text.",
            "choices text email",
            _by(pairs.read_emails),
            pairs.write_set,
            takes=("length", "separator"),
            makes="emails set",
        ),
        _one(
            "consent",
            "What a connector itself tells about a person's consent.",
            "choice text",
            _by(pairs.read_consent),
            pairs.write_consent,
            takes=(),
            loses="when the person confirmed",
            makes="consent",
        ),
        _one(
            "opt_out_box",
            "A box that is ticked for people who have said no.",
            "boolean text choice number",
            _by(pairs.read_opt_out_box),
            pairs.write_opt_out_box,
            takes=(),
            loses="a yes: an empty box says nothing",
            makes="consent",
        ),
        _one(
            "consent_word",
            "A column in which yes and no stand, or the words that `options` names.",
            "text choice boolean",
            _by(pairs.read_consent_word),
            pairs.write_consent_word,
            makes="consent",
            takes=("options",),
            loses="when the person confirmed",
        ),
        Transform(
            "full_name",
            "The whole name in one field; first and last name on our side.",
            pairs.read_full_name,
            pairs.write_full_name,
            frozenset({"text"}),
            frozenset({"text", "other"}),
            _LENGTH,
            leads=2,
            cuts=True,
            loses="where the first name ends, if either has several parts",
        ),
        Transform(
            "consent_and_time",
            "What a connector tells about consent, and in a second field when the person confirmed.",
            pairs.read_consent_and_time,
            pairs.write_consent_and_time,
            frozenset({"consent"}),
            frozenset({"choice", "text", "datetime", "other"}),
            remotes=(2, 2),
            loses="when the person confirmed",
        ),
        Transform(
            "first_of",
            "The first of several fields that is filled; only the first is written.",
            pairs.read_first_of,
            pairs.write_first_of,
            frozenset({"text", "choice"}),
            _TEXTS,
            _LENGTH,
            remotes=(2, 9),
            cuts=True,
            loses="an empty value, where another field is filled",
        ),
    )
}
"""Every transform a mapping file may name with `as`. Each type of lead field has one of its name, the usual one."""


# --- coercions ---------------------------------------------------------------------------------------------------


def _folded(value: str) -> str:
    return " ".join(value.split()).casefold()


def _digits(value: str) -> str:
    return "".join(character for character in value if character.isdigit())


def explains(sent: Value, seen: Value, kinds: frozenset[str]) -> bool:
    """Whether `seen` is what became of `sent` over there, by one of the declared coercions (docs/rules.md F3).

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
