"""Which row holds the headings, and what the columns are called.

The row is guessed by score among the first ones: filled, distinct texts that are no values, and words that headings
use. Titles above and a second heading row below merged cells are understood. A file whose best row looks like data
has no heading row, and is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.spreadsheet.form import Line, Merge

LOOKED_AT = 30  # rows from the top that may hold the headings
_LONGEST = 80  # characters of a heading

_KNOWN = """
navn fulltnavn fornavn mellomnavn etternavn kontakt kontaktperson epost epostadresse mail mailadresse telefon tlf
telefonnummer mobil mobilnr mobilnummer mobiltelefon firma firmanavn bedrift selskap virksomhet organisasjon kunde
kundenr kundenummer kundenavn orgnr organisasjonsnummer adresse gateadresse postadresse postnr postnummer poststed
sted by kommune fylke land stilling tittel rolle avdeling bransje nettside hjemmeside status kilde eier selger
ansvarlig notat notater merknad kommentar dato opprettet endret sistendret fødselsdato samtykke reservert nyhetsbrev
avmeldt påmeldt språk kjønn tagger medlemsnummer medlemsnr
id name fullname firstname middlename lastname surname givenname familyname contact email emailaddress phone
phonenumber telephone mobile mobilephone cell company companyname account organization organisation orgno
vatnumber address street streetaddress zip zipcode postcode postalcode city town state region county country title
jobtitle role department industry website url source leadsource owner notes note comment comments date created
updated modified birthday birthdate consent optin optout unsubscribed subscribed newsletter language tags
lifecyclestage stage smarketingid externalid recordid customerid customernumber
"""
_KNOWN_EMAIL = "epost epostadresse mail mailadresse email emailaddress primæremail primærepost primaryemail workemail"
_WORDS = frozenset(_KNOWN.split())
_EMAIL_WORDS = frozenset(_KNOWN_EMAIL.split())
_VALUE = re.compile(
    r"[+\-]?[\d  .,:/()-]+(?:\s?%|\s?kr)?|\S+@\S+|https?://\S+|\d{4}-\d\d-\d\d.*|true|false|ja|nei|yes|no|x",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading row. `number`: where a person finds it. `names`: what each column is called, unique. `own`: the
    columns that have a heading of their own. `doubled`: a heading → the further columns that stand under it."""

    number: int
    names: tuple[str, ...]
    own: frozenset[int]
    doubled: Mapping[str, tuple[int, ...]]


def fold(name: str) -> str:
    """Letters and digits only, in lower case: "E-post" and "epost " are one word."""
    return "".join(each for each in unicodedata.normalize("NFC", name).casefold() if each.isalnum())


def is_known(name: str) -> bool:
    return fold(name) in _WORDS


def is_email(name: str) -> bool:
    return fold(name) in _EMAIL_WORDS


def letters(column: int) -> str:
    """A column as a spreadsheet names it: 0 is A, 27 is AB."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def find_heading(lines: Sequence[Line], merges: Sequence[Merge], row: int | None) -> Heading | None:
    """The heading among these first lines, or the one in `row`. None where there is none."""
    texts = [_texts(line, lines[i - 1] if i else None, merges) for i, line in enumerate(lines)]
    if row is not None:
        chosen = next((i for i, line in enumerate(lines) if line.number == row), None)
        return None if chosen is None or not any(texts[chosen]) else _named(lines[chosen], texts[chosen])
    scores = [_score(each) for each in texts]
    for i, each in enumerate(texts):
        if each != _own(lines[i]):  # merged cells above: either these two rows are the heading, or that one alone
            scores[i - 1 if scores[i] > scores[i - 1] else i] = 0.0
    best = max(scores, default=0.0)
    if best <= 0:
        return None
    # The first good row: below it stand data, which may well be fuller than their headings.
    found = next(i for i, score in enumerate(scores) if score >= 0.6 * best)
    return _named(lines[found], texts[found])


def _own(line: Line) -> list[str | None]:
    return [each if isinstance(each, str) else None for each in line.cells]


def _texts(line: Line, above: Line | None, merges: Sequence[Merge]) -> list[str | None]:
    """The row's texts as headings, joined with those of merged cells right above it."""
    own = _own(line)
    if above is None or sum(isinstance(each, str) for each in above.cells) < 2:  # one text over everything: a title
        return own
    width = max(len(own), len(above.cells))
    from_column = {
        column: first
        for (row, first), (_, last) in merges
        if row == above.number and last > first
        for column in range(first, min(last + 1, width))
    }
    if not from_column:
        return own
    joined: list[str | None] = []
    for column in range(width):
        pair = (above.at(from_column.get(column, column)), line.at(column))
        joined.append(" / ".join(each for each in pair if isinstance(each, str)) or None)
    return joined


def _score(texts: Sequence[str | None]) -> float:
    score = 0.0
    seen: set[str] = set()
    for text in texts:
        if text is None:
            continue
        text = text.rpartition(" / ")[2]
        if is_known(text):
            score += 4.0
        elif _VALUE.fullmatch(text) or len(text) > _LONGEST or not fold(text):
            score -= 2.0 if "@" in text else 1.0
        elif text not in seen:
            score += 1.0
        seen.add(text)
    return score


def _named(line: Line, texts: Sequence[str | None]) -> Heading:
    names: list[str] = []
    taken: set[str] = set()
    times: Counter[str] = Counter()
    own: set[int] = set()
    doubled: dict[str, tuple[int, ...]] = {}
    for column in range(max(len(texts), line.width)):
        text = texts[column] if column < len(texts) else None
        name = unicodedata.normalize("NFC", " ".join(text.split())) if text else f"Column {letters(column)}"
        if text:
            own.add(column)
        first = name
        while name in taken:
            times[first] += 1
            name = f"{first} ({times[first] + 1})"
        if name != first and text:
            doubled[first] = (*doubled.get(first, ()), column)
        taken.add(name)
        names.append(name)
    return Heading(line.number, tuple(names), frozenset(own), doubled)
