"""Delimited text (.csv, .tsv, .txt): which encoding, which delimiter, which rows; and writing it back as it came.

Strict UTF-8 is tried on the whole file before Windows-1252 is believed, and a text that reads like another code page is
refused instead of guessed: a wrong guess would carry mangled names into every other system. Going back, a row that
was not touched keeps every byte.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import islice

from connectors.errors import Stop
from connectors.spreadsheet.cells import Cell, guard, of_text, unguard
from connectors.spreadsheet.form import Edits, Line, Merge
from connectors.spreadsheet.headings import is_known

DELIMITERS = ";,\t|"
WIDEST = 16_384
SAMPLE = 100  # rows looked at to find the delimiter

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SEP = re.compile(r'"?sep=([^\w\s"\']|\t)"?(?:\r\n|\r|\n)', re.IGNORECASE)
# What the Nordic letters of Mac Roman and of DOS code pages become when they are read as Windows-1252.
_FOREIGN = re.compile("[A-Za-zÀ-ÿ][¿¾¯Œ†›‘‚”„Ÿ®][a-zà-ÿ]|[a-z]{2}[¿†›‚„](?![\\w])|(?<![\\w])[¯®’][a-z]*[¿›Œ†]")
_DOUBLE = re.compile("Ã[\u0080-¿ƒ…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}


class Delimited:
    """One reading of a delimited file. `encoding` and `delimiter` are the settings. Raises Stop, SM323 to SM325."""

    word = "line"
    since_1904 = False
    after_writing: str | None = None

    def __init__(self, where: str, data: bytes, encoding: str | None, delimiter: str | None) -> None:
        self._where = where
        self._data = data
        self._mark, self._encoding, guessed = _encoding(data, encoding)
        text = self._decoded(guessed)
        if not text or text.isspace():
            raise Stop(f"{where} is empty; put headings and rows in it", code="SM323")
        named = _SEP.match(text)
        self._head = named.group() if named else ""
        self._body = text[len(self._head) :]
        self._delimiter = delimiter or (named[1] if named else _delimiter(self._body))
        mark = " with a byte order mark" if self._mark else ""
        parted = f'fields parted by "{self._delimiter}"' if self._delimiter != "\t" else "fields parted by tabs"
        self.told = f"{_NAMES.get(self._encoding, self._encoding)}{mark}, {parted}"
        self.warnings: tuple[str, ...] = (
            ("some letters were encoded twice (such as Ã followed by a sign); repair the file at its source",)
            if _DOUBLE.search(text)
            else ()
        )

    def lines(self) -> Iterator[Line]:
        for number, raw, fields in self._rows():
            cells: list[Cell] = [unguard(of_text(each)) if each else None for each in fields]
            # A quotation mark that nobody closed swallows whole rows: they show as lines inside a field.
            inner = raw.split("\n")[1:-2] if "\n" in raw[:-1] else []
            swallowed = max((each.count(self._delimiter) + 1 for each in inner), default=0)
            otherwise = 0
            if len(fields) == 1 and not raw.startswith('"'):
                otherwise = max(map(raw.count, DELIMITERS)) + 1
            yield Line(number, cells, len(fields), swallowed, otherwise)

    def merges(self) -> Sequence[Merge]:
        return ()

    def ragged(self) -> bool:
        return True

    def frozen(self, rows: int) -> str | None:
        try:
            same = self._encoded(self._head + self._body) == self._data
        except UnicodeEncodeError:
            same = False
        return None if same else f"its encoding {self._encoding} does not give back the same bytes"

    def closed(self, number: int, column: int) -> str | None:
        return None

    def fits(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def rewritten(self, edits: Edits, dates: Set[int]) -> bytes:
        quote_all, newline = self._habits()
        out = [self._head]
        for number, raw, fields in self._rows():
            changes = edits.cells.get(number, {})
            # A row that is wider than the headings stays so: what nobody can assign must not end in the new column.
            inserted = edits.inserted if edits.inserted is not None and len(fields) > edits.inserted else None
            touched = changes or inserted is not None
            out.append(self._changed(raw, fields, inserted, changes, quote_all) if touched else raw)
        if edits.appended:
            rows = [self._appended(each, quote_all) for each in edits.appended]
            if not self._body or self._body.endswith(("\n", "\r")):
                out.extend(row + newline for row in rows)
            else:
                out.extend(newline + row for row in rows)
        return self._encoded("".join(out))

    def _rows(self) -> Iterator[tuple[int, str, list[str]]]:
        """(number of the line it begins on, its very text, its fields) of each row."""
        source = io.StringIO(self._body, newline="")
        taken: list[str] = []

        def tap() -> Iterator[str]:
            for line in source:
                taken.append(line)
                yield line

        number = 2 if self._head else 1
        reader = csv.reader(tap(), delimiter=self._delimiter)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a field without end
                raise self._unclosed(number) from None
            raw = "".join(taken)
            if source.tell() == len(self._body) and _is_unclosed(raw, self._delimiter):
                raise self._unclosed(number)
            if len(fields) > WIDEST:
                raise Stop(
                    f"{self._where}: line {number} has {len(fields):,} fields, a spreadsheet has at most {WIDEST:,}; "
                    f"check the setting delimiter",
                    code="SM324",
                )
            yield number, raw, fields
            number += len(taken)
            taken.clear()

    def _unclosed(self, number: int) -> Stop:
        return Stop(
            f'{self._where}: on line {number} a quotation mark (") is opened and never closed, so nobody can tell '
            f"where the rows below begin; correct that line",
            code="SM323",
        )

    def _habits(self) -> tuple[bool, str]:
        """Whether every field stands in quotation marks, and how a row ends."""
        endings: Counter[str] = Counter()
        quote_all = True
        for _, raw, fields in islice(self._rows(), SAMPLE):
            bare = raw.rstrip("\r\n")
            endings[raw[len(bare) :]] += 1
            quote_all = quote_all and all(each.startswith('"') for each in self._parts(bare, fields) if each)
        del endings[""]
        return quote_all, endings.most_common(1)[0][0] if endings else "\r\n"

    def _changed(
        self, raw: str, fields: list[str], inserted: int | None, changes: dict[int, str | None], quote_all: bool
    ) -> str:
        """The row's text with some fields set; every other field keeps its very text."""
        bare = raw.rstrip("\r\n")
        parts = self._parts(bare, fields)
        if inserted is not None:
            parts.insert(inserted, "")
        parts += [""] * (max(changes, default=0) + 1 - len(parts))
        for column, text in changes.items():
            parts[column] = self._field(guard(text or ""), quote_all or parts[column].startswith('"'))
        return self._delimiter.join(parts) + raw[len(bare) :]

    def _appended(self, cells: dict[int, str], quote_all: bool) -> str:
        texts = [guard(cells.get(column, "")) for column in range(max(cells) + 1)]
        return self._delimiter.join(self._field(each, quote_all) for each in texts)

    def _parts(self, bare: str, fields: list[str]) -> list[str]:
        """The very text of each field of a row."""
        edge = re.escape(self._delimiter)
        parts = re.findall(rf'("(?:[^"]|"")*"[^{edge}]*|[^{edge}]*)(?:{edge}|\Z)', bare)[: len(fields)]
        if len(parts) == len(fields) and all(a == b or a.startswith('"') for a, b in zip(parts, fields, strict=True)):
            return parts
        return [self._field(each, False) for each in fields]  # a stray quotation mark: only the meaning is kept

    def _field(self, text: str, quoted: bool) -> str:
        if quoted or self._delimiter in text or any(each in text for each in '"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text

    def _encoded(self, text: str) -> bytes:
        return self._mark + text.encode(self._encoding)

    def _decoded(self, guessed: bool) -> str:
        try:
            text = self._data[len(self._mark) :].decode(self._encoding)
        except UnicodeDecodeError as error:
            line = self._data.count(b"\n", 0, error.start) + 1
            if guessed and self._encoding == "utf-8":
                raise Stop(f"{self._where} ends within a letter; copy or export it again", code="SM323") from None
            if guessed:
                raise self._undecided(f"line {line} is neither UTF-8 nor Windows-1252") from None
            raise Stop(
                f"{self._where}: line {line} is not {self._encoding}; correct the setting encoding", code="SM325"
            ) from None
        if "\0" in text:
            raise self._undecided("it holds zero bytes, as UTF-16 without a byte order mark does")
        if guessed and self._encoding == "cp1252" and (odd := _DOUBLE.search(text) or _FOREIGN.search(text)):
            # The first kind is UTF-8 in which a single byte is broken: as Windows-1252 every name would be mangled.
            line = text.count("\n", 0, odd.start()) + 1
            raise self._undecided(f"read as Windows-1252, line {line} has signs in the middle of words")
        return text

    def _undecided(self, seen: str) -> Stop:
        return Stop(
            f"{self._where}: the encoding cannot be told: {seen}; set encoding to what the file was saved as "
            f"(mac_roman for an old Mac, cp865 or cp850 for DOS, utf-16-le, or cp1252 if that is right after all), or "
            f"save it as UTF-8",
            code="SM325",
        )


def _encoding(data: bytes, setting: str | None) -> tuple[bytes, str, bool]:
    """(byte order mark, encoding, whether it is a guess)."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return mark, name, False
    if setting is not None:
        name = codecs.lookup(setting).name
        return b"", {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(name, name), False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data" and not data[: error.start].isascii()
        return b"", "utf-8" if cut else "cp1252", True
    return b"", "utf-8", False


def _delimiter(body: str) -> str:
    """The one under which most of the first rows are equally wide. `csv.Sniffer` finds none below a title row, and
    takes seconds on a page of quotation marks."""
    sample = body[:65_536]
    first = next((line for line in sample.splitlines() if line.strip()), "")
    if is_known(first.strip('" ')) and not any(each in first for each in DELIMITERS):
        return _unused(body)  # one column; its values may hold any of them
    best, found = (0.0, 1), ""
    for delimiter in DELIMITERS:
        try:
            rows = islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), SAMPLE)
            widths = Counter(len(row) for row in rows if any(row))
        except csv.Error:
            continue
        width, times = max(widths.items(), key=lambda each: (each[1], each[0]), default=(1, 0))
        if width > 1 and (score := (times / widths.total(), width)) > best:
            best, found = score, delimiter
    return found or _unused(body)


def _unused(body: str) -> str:
    return next((each for each in DELIMITERS if each not in body), DELIMITERS[0])


def _is_unclosed(raw: str, delimiter: str) -> bool:
    if raw.count('"') % 2 == 0:
        return False
    try:
        list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False
