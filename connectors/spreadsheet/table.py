"""The rows of one reading, each under its name: who is who in a file that has no ids of its own.

A row is named by its key column where one is set, else by our id column, else by what it says: a hash of its e-mail
address where no other row has that, else of all its mapped cells. That last name becomes the row's id as it stands when
the file is first written, so no row ever changes its name by being written. Rows that cannot be told apart, or whose
fields nobody can assign, are left out and told.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Fields, Record, Ref
from connectors.errors import Stop
from connectors.spreadsheet.cells import Cell, Damage, of_date
from connectors.spreadsheet.form import Form, Line
from connectors.spreadsheet.headings import LOOKED_AT, Heading, find_heading, fold, is_email

OBJECT = "row"

ARE_TOTALS = "hold totals"
ARE_NOTES = "hold notes below the rows"
_TOTALS = frozenset({"total", "totalt", "totals", "totalsum", "sum", "sumtotal", "ialt", "grandtotal", "subtotal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is to be read, from the settings and the mapping."""

    header_row: int | None
    id_column: str
    key_column: str | None
    dates: frozenset[str]
    wanted: tuple[str, ...]


@dataclass(slots=True)
class LeftOut:
    """Rows that are no records, for one reason."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.count += 1
        if len(self.first) < 5:
            self.first.append(number)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What names a row: the cell of its id or key column, else its e-mail address, else a hash of what it says."""

    number: int
    key: Cell
    address: str | None
    content: str | None
    says: int


class Table:
    """One version of the file. Raises Stop, code SM326, where there is no heading row or no key column."""

    def __init__(self, where: str, form: Form, version: str, reading: Reading) -> None:
        self.form = form
        self.version = version
        self.reading = reading
        self.heading = _heading(where, form, reading)
        self.columns = {name: column for column, name in enumerate(self.heading.names)}
        self.dates = frozenset(self.columns[name] for name in reading.dates if name in self.columns)
        self.wanted = {name: self.columns[name] for name in reading.wanted if name in self.columns}
        self.key = self.columns.get(reading.key_column or reading.id_column)
        if self.key is None and reading.key_column is None:  # somebody wrote our heading in another way
            word = fold(reading.id_column)
            self.key = next((column for name, column in self.columns.items() if fold(name) == word), None)
        if reading.key_column is not None and self.key is None:
            raise Stop(
                f"{where}: {form.word} {self.heading.number}, taken as the heading row, has no column "
                f'"{reading.key_column}"; correct key_column or header_row',
                code="SM326",
            )
        self.left_out: dict[str, LeftOut] = {}
        self.barred: dict[str, tuple[int, ...]] = {}
        """Names that several different rows claim → their numbers."""
        self.places: dict[str, tuple[int, ...]] = {}
        """Names → the numbers of the rows (equal ones) that have them."""
        self.unnamed: list[tuple[int, str]] = []
        """Rows without an id of ours, and the one they get."""
        self.width = len(self.heading.names)
        self._address = next((column for name, column in self.columns.items() if is_email(name)), None)
        self._names: list[str | None] = []
        self._name_rows()

    @property
    def count(self) -> int:
        return len(self.places)

    def records(self, start: int = 0) -> Iterator[tuple[int, Record]]:
        """Every record from that row of data on, with the position behind it."""
        for position, (line, name) in enumerate(zip(self._data(), self._names, strict=True)):
            if position >= start and name is not None:
                yield position + 1, self._record(line, name, self.wanted)

    def select(self, names: Iterable[str], columns: Mapping[str, int] | None = None) -> dict[str, Record]:
        """Those of these records that there are, with the wanted columns or these."""
        asked = self.places.keys() & set(names)
        if not asked:
            return {}
        return {
            name: self._record(line, name, self.wanted if columns is None else columns)
            for line, name in zip(self._data(), self._names, strict=True)
            if name is not None and name in asked
        }

    def frozen(self) -> str | None:
        """Why this version cannot be written back; None if it can."""
        if self.key is not None:
            for numbers in self.places.values():
                if self.form.closed(numbers[0], self.key) is not None:
                    return f'the column "{self.heading.names[self.key]}", by which its rows are known, holds formulas'
        return self.form.frozen(self.count)

    def cell(self, line: Line, column: int) -> Cell:
        cell = line.at(column)
        return of_date(cell, self.form.since_1904) if column in self.dates else cell

    def rows(self) -> Iterator[Line]:
        """The lines that are records."""
        return (line for line, name in zip(self._data(), self._names, strict=True) if name is not None)

    def name_of(self, key: str) -> str:
        """The name of a row with this id or key. Addresses are the same in upper and lower case, and people's keys
        however their letters are composed."""
        if self.reading.key_column is None:
            return key
        return unicodedata.normalize("NFC", key.casefold() if "@" in key else key)

    def _record(self, line: Line, name: str, columns: Mapping[str, int]) -> Record:
        fields: Fields = {}
        for wanted, column in columns.items():
            cell = self.cell(line, column)
            if isinstance(cell, str):
                fields[wanted] = cell
            elif cell is None and column < line.width:
                fields[wanted] = None  # what being empty means is said by the mapping
        return Record(Ref(OBJECT, name), fields, version=self.version)

    def _data(self) -> Iterator[Line]:
        return (line for line in self.form.lines() if line.number > self.heading.number)

    def _name_rows(self) -> None:
        facts = [self._facts(line, parted) for line, parted in self._marked()]
        names = self._by_key(facts) if self.reading.key_column is not None else self._by_id(facts)
        seen: dict[str, int] = {}
        for fact, name in zip(facts, names, strict=True):
            if fact is None or name is None:
                self._names.append(None)
                continue
            self.places[name] = (*self.places.get(name, ()), fact.number)
            self._names.append(None if name in seen else name)
            if seen.setdefault(name, fact.says) != fact.says:
                self.barred[name] = ()
        for name in self.barred:
            self.barred[name] = self.places.pop(name)
            for number in self.barred[name]:
                self._without("have the same key as a different row", number)
        if self.barred:
            self._names = [None if name in self.barred else name for name in self._names]

    def _marked(self) -> Iterator[tuple[Line, bool]]:
        """Each line of data, and whether an empty one parts it from the rows above."""
        parted = False
        for line in self._data():
            filled = sum(each is not None for each in line.cells)
            parted = parted if filled == 1 else filled == 0
            yield line, parted

    def _facts(self, line: Line, parted: bool) -> _Facts | None:
        """What names a line, if it is a row of data."""
        filled = [(column, each) for column, each in enumerate(line.cells) if each is not None]
        if not filled:
            return None
        if self.form.ragged() and filled[-1][0] >= self.width:
            self._without("have more fields than the heading row", line.number)
            return None
        theirs = self.width - (self.key is not None and self.reading.key_column is None)
        if line.swallowed >= theirs >= 3:
            self._without("hold other rows in one field: a quotation mark is not closed", line.number)
            return None
        if line.otherwise >= theirs >= 3:
            self._without("are parted by another sign than the heading row", line.number)
            return None
        key = self.cell(line, self.key) if self.key is not None else None
        first, text = filled[0]
        if key is None or self.key == first:
            if isinstance(text, str) and fold(text) in _TOTALS and not any("@" in str(each) for _, each in filled):
                self._without(ARE_TOTALS, line.number)
                return None
            if parted and len(filled) == 1 and self.width >= 3 and key is None:
                self._without(ARE_NOTES, line.number)
                return None
        cells = tuple(self.cell(line, column) for column in self.wanted.values())
        if key is not None:
            return _Facts(line.number, key, None, None, hash(cells))
        address = line.at(self._address) if self._address is not None else None
        said = sorted((name, each) for name, each in zip(self.wanted, cells, strict=True) if isinstance(each, str))
        return _Facts(
            line.number,
            None,
            address.casefold() if isinstance(address, str) else None,
            _said(said) if said else None,
            hash(cells),
        )

    def _without(self, why: str, number: int) -> None:
        self.left_out.setdefault(why, LeftOut()).add(number)

    def _by_key(self, facts: Sequence[_Facts | None]) -> list[str | None]:
        names: list[str | None] = []
        for fact in facts:
            if fact is not None and not isinstance(fact.key, str):
                self._without("have no value in the key column", fact.number)
            names.append(self.name_of(fact.key) if fact is not None and isinstance(fact.key, str) else None)
        return names

    def _by_id(self, facts: Sequence[_Facts | None]) -> list[str | None]:
        given = {fact.key for fact in facts if fact is not None}
        addresses = Counter(fact.address for fact in facts if fact is not None and fact.key is None)
        names: list[str | None] = []
        for fact in facts:
            if fact is None or isinstance(fact.key, str):
                names.append(fact.key if fact is not None and isinstance(fact.key, str) else None)
                continue
            if isinstance(fact.key, Damage):
                self._without("hold no readable id in our id column", fact.number)
                names.append(None)
                continue
            name = fact.content
            if fact.address is not None and addresses[fact.address] == 1:
                name = _said([("e-mail", fact.address)])
            while name is not None and name in given:  # a row that said so once has it, and says something else now
                name = _said([("again", name)])
            names.append(name)
            if name is not None:
                self.unnamed.append((fact.number, name))
            else:
                self._without("hold nothing that can be read in the columns of the mapping", fact.number)
        return names


def _said(pairs: Iterable[tuple[str, object]]) -> str:
    text = "\x1e".join(f"{name}\x1f{value}" for name, value in pairs)
    return f"row-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}"


def _heading(where: str, form: Form, reading: Reading) -> Heading:
    first: list[Line] = []
    for line in form.lines():
        if line.number > max(LOOKED_AT, reading.header_row or 0):
            break
        first.append(line)
    found = find_heading(first, form.merges(), reading.header_row)
    if found is None and reading.header_row is not None:
        raise Stop(
            f"{where}: {form.word} {reading.header_row}, the setting header_row, has no headings; correct it",
            code="SM326",
        )
    if found is None:
        raise Stop(
            f"{where}: none of the first {LOOKED_AT} {form.word}s looks like a heading row; put headings above the "
            f"data, or name their {form.word} with header_row",
            code="SM326",
        )
    return found
