"""What a person should know of a sheet: its columns with their guessed types, all that was left out or looks odd, and
whether anybody can be read in it at all.

Findings name rows and columns, never a value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.base import Finding, Schema, SchemaField
from connectors.spreadsheet.cells import LONGEST, Damage
from connectors.spreadsheet.delimited import DELIMITERS
from connectors.spreadsheet.headings import fold, letters
from connectors.spreadsheet.table import ARE_NOTES, ARE_TOTALS, OBJECT, LeftOut, Table

_TYPES = (
    ("email", re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("datetime", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?")),
    ("boolean", re.compile(r"true|false|sann|usann|ja|nei|yes|no", re.IGNORECASE)),
    ("phone", re.compile(r"(?:\+|00)[\d ()-]{6,20}")),
    ("number", re.compile(r"-?\d+(?:[.,]\d+)?")),
)
_PHONE_WORDS = """
telefon tlf telefonnummer mobil mobilnr mobilnummer mobiltelefon phone phonenumber telephone mobile mobilephone cell
"""
_TEXT_WORDS = "orgnr organisasjonsnummer postnr postnummer zip zipcode postcode postalcode kontonummer id"
_PHONES = frozenset(_PHONE_WORDS.split())
_TEXTS = frozenset(_TEXT_WORDS.split())
# What does not belong in a marketing list: national identity numbers, health, beliefs, unions.
_SENSITIVE = re.compile(
    r"fødselsnummer|fødselsnr|personnummer|personnr|fnr|ssn|nationalid|helse|diagnose|sykdom|health|religion|fagforening"
    r"|unionmember|etnisitet|ethnicity|politisk"
)
_MOST = 0.8  # share of a column's values that make its type


@dataclass(slots=True)
class _Column:
    filled: int = 0
    closed: int = 0
    types: Counter[str] = field(default_factory=Counter)
    damaged: dict[Damage, LeftOut] = field(default_factory=dict)


def describe(table: Table, frozen: str | None) -> Schema:
    """The columns that have a heading or data."""
    columns, rows = _look(table)
    fields = []
    for name, column in table.columns.items():
        seen = columns[column]
        if column not in table.heading.own and not seen.filled:
            continue
        own = column == table.key and table.reading.key_column is None
        fields.append(
            SchemaField(
                name=name,
                label=name,
                type=_type(name, seen),
                length=LONGEST,
                read_only=own or frozen is not None or 0 < seen.filled <= seen.closed,
                required=name == table.reading.key_column,
                unique=column == table.key,
                filled=seen.filled / rows if rows else None,
            )
        )
    return Schema(OBJECT, tuple(fields))


def report(table: Table, frozen: str | None) -> Iterator[Finding]:
    """What was understood, then what was not."""
    word, reading, heading = table.form.word, table.reading, table.heading
    by = "as set" if reading.header_row else "guessed"
    yield Finding(
        "ok",
        "SM326",
        f"{table.form.told}; {word} {heading.number} is the heading row ({by}), with {len(heading.own)} columns; "
        f"{table.count:,} row{'' if table.count == 1 else 's'}",
        "" if reading.header_row else "if that is the wrong row, set header_row",
    )
    if (nobody := illegible(table)) is not None:
        yield nobody
    for note in table.form.warnings:
        yield Finding("warning", "SM326", note)
    if heading.doubled:
        further = sorted(column for columns in heading.doubled.values() for column in columns)
        read_as = ", ".join(f"{letters(each)} is read as {heading.names[each]!r}" for each in further[:5])
        yield Finding("warning", "SM326", f"some headings stand there twice: column {read_as}")
    for name in reading.wanted:
        if table.wanted and name not in table.columns:
            yield Finding(
                "warning",
                "SM334",
                f'there is no column "{name}", which the mapping names',
                "correct the one or the other",
            )
    for name in sorted(reading.dates - table.columns.keys()):
        yield Finding(
            "warning", "SM326", f'there is no column "{name}", which dates names', "correct the setting dates"
        )
    for name in table.columns:
        if _SENSITIVE.search(fold(name)):
            yield Finding(
                "warning",
                "SM326",
                f'the column "{name}" looks like something that is not to be spread',
                "keep it out of the mapping",
            )
    yield from _identity(table, frozen)
    for why, rows in table.left_out.items():
        yield Finding("warning", "SM326", _left_out(word, rows, why), _HINTS.get(why, ""))
    columns, _ = _look(table)
    for name, column in table.wanted.items():
        for damage, rows in columns[column].damaged.items():
            yield Finding(
                "warning",
                "SM326",
                f'column "{name}" holds {damage.value} in {_rows(word, rows)}: read as not known',
                _CURES[damage],
            )


def illegible(table: Table) -> Finding | None:
    """Why nobody can be read in it; None where somebody can, or where nobody stands below good headings."""
    heading, wanted = table.heading, table.reading.wanted
    line = f"{table.form.word} {heading.number}"
    for column, name in enumerate(heading.names):
        if name not in wanted and len(_parts(name).intersection(wanted)) > 1:
            return _nobody(
                f"{line}, taken as the heading row, has several headings in its column {letters(column)}",
                "part the columns of all rows by one and the same sign, or set delimiter",
            )
    for name in (*wanted, table.reading.key_column or ""):
        further = heading.doubled.get(name, ())
        if any(heading.names[each] not in wanted for each in further):
            columns = ", ".join(letters(each) for each in (table.columns[name], *further))
            return _nobody(
                f'{line} has the heading "{name}" in the columns {columns}, and nobody can tell which one is meant',
                "give each column a heading of its own",
            )
    if wanted and not table.wanted:
        first = ", ".join([*(f'"{name}"' for name in wanted[:3]), *(["…"] if len(wanted) > 3 else [])])
        return _nobody(
            f"{line}, taken as the heading row, has none of the columns that the mapping names ({first})",
            'look with "smarketing fields SYSTEM" and correct the headings or the mapping, or set header_row',
        )
    lost = {why: rows for why, rows in table.left_out.items() if why not in (ARE_TOTALS, ARE_NOTES)}
    if lost and not table.count:
        told = ", ".join(_left_out(table.form.word, rows, why) for why, rows in lost.items())
        return _nobody(f"nobody can be read: {told}", next(_HINTS[why] for why in lost))
    return None


def _nobody(text: str, hint: str) -> Finding:
    return Finding("error", "SM326", text, hint)


def _parts(name: str) -> set[str]:
    return {" ".join(part.split()) for part in re.split(f"[{DELIMITERS}]", name)}


_HINTS = {
    "have the same key as a different row": "give each its own, or delete one",
    "have more fields than the heading row": "put values that hold the delimiter in quotation marks",
    "hold other rows in one field: a quotation mark is not closed": "close it",
    "are parted by another sign than the heading row": "part all rows by one and the same sign",
    "hold nothing that can be read in the columns of the mapping": "fill these in, or correct the headings",
    "hold no readable id in our id column": "empty that cell",
    "have no value in the key column": "fill it in",
    ARE_TOTALS: "new rows are put below them",
}
_CURES = {
    Damage.SCIENTIFIC: "type it again in a column formatted as text",
    Damage.ROUNDED: "type it again in a column formatted as text",
    Damage.ERROR: "correct the formula, or widen the column before saving as CSV",
    Damage.UNCALCULATED: "open the file in a spreadsheet program and save it once",
}


def _identity(table: Table, frozen: str | None) -> Iterator[Finding]:
    reading = table.reading
    if frozen is not None:
        yield Finding("warning", "SM329", f"the sheet is only read, never written: {frozen}")
    elif table.form.after_writing is not None:
        yield Finding("advice", "SM329", table.form.after_writing)
    if reading.key_column is not None:
        yield Finding("ok", "SM326", f'rows are known by the column "{reading.key_column}"')
    elif table.key is None and frozen is None:
        yield Finding(
            "advice",
            "SM326",
            f'the first write adds a column "{reading.id_column}", by which each row is known from then on',
            "until then a row whose e-mail address changes counts as a new one; set key_column to a column that never "
            "changes if you want none added",
        )
    elif table.unnamed and frozen is not None:
        yield Finding(
            "warning",
            "SM326",
            f"{len(table.unnamed):,} rows have no id and can be given none: one that changes its address counts as new",
            "set key_column to a column that tells the rows apart and never changes",
        )
    elif table.unnamed:
        yield Finding("ok", "SM326", f"{len(table.unnamed):,} rows have no id yet and get one at the next write")


def _look(table: Table) -> tuple[list[_Column], int]:
    columns = [_Column() for _ in range(table.width)]
    rows = 0
    for line in table.rows():
        rows += 1
        for number, column in enumerate(columns):
            cell = table.cell(line, number)
            column.closed += table.form.closed(line.number, number) is not None
            if isinstance(cell, str):
                column.filled += 1
                column.types[next((type_ for type_, form in _TYPES if form.fullmatch(cell)), "text")] += 1
            elif cell is not None:
                column.damaged.setdefault(cell, LeftOut()).add(line.number)
    return columns, rows


def _type(name: str, seen: _Column) -> str:
    word = fold(name)
    if word in _PHONES:
        return "phone"
    if word in _TEXTS or not seen.filled:
        return "text"
    type_, times = seen.types.most_common(1)[0]
    return type_ if times >= _MOST * seen.filled else "text"


_ONE = {"have": "has", "hold": "holds", "are": "is"}


def _left_out(word: str, rows: LeftOut, why: str) -> str:
    verb, _, rest = why.partition(" ")
    told = f"they {why}" if rows.count > 1 else f"it {_ONE[verb]} {rest}"
    return f"{_rows(word, rows)} left out: {told}"


def _rows(word: str, rows: LeftOut) -> str:
    numbers = ", ".join(str(each) for each in rows.first)
    more = f" and {rows.count - len(rows.first):,} more" if rows.count > len(rows.first) else ""
    return f"{word}{'s' if rows.count > 1 else ''} {numbers}{more}"
