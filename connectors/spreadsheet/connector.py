"""A spreadsheet file as a system: each row of one sheet is a record, the file's hash is every record's version.

Each batch of writes is one conditional replacement of the whole file. A sheet that cannot be written back without loss
is read only: it then has no batches, and `check` says why. A row that is missing is never a deletion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import islice
from typing import ClassVar

import msgspec

from connectors.auth import Secrets
from connectors.base import (
    Answer,
    Capabilities,
    Connector,
    ConnectorSettings,
    Done,
    Feed,
    FeedKind,
    Finding,
    Page,
    Record,
    Ref,
    Schema,
    State,
    Unknown,
    Write,
    WriteKind,
)
from connectors.errors import ConnectorError, CursorLost, InDoubt, Retry, Stop
from connectors.spreadsheet.delimited import Delimited
from connectors.spreadsheet.disk import FRESH, Content, Disk, File, RealDisk, version_of
from connectors.spreadsheet.form import Edits, Form
from connectors.spreadsheet.package import refuse_other_than_text, refuse_other_than_workbook
from connectors.spreadsheet.settings import SpreadsheetSettings
from connectors.spreadsheet.survey import describe, illegible, report
from connectors.spreadsheet.table import OBJECT, Reading, Table
from connectors.spreadsheet.workbook import Workbook
from connectors.spreadsheet.writing import is_otherwise_unchanged, prepare, stamp
from connectors.world import World

PAGE = 500  # records
BATCH = 20_000  # writes: one batch costs one reading and one writing of the file
TRIES = 3
HORIZON = 60.0  # seconds after which a network drive has let go of a rename it was asked for
REMEMBERED = 100  # of our own versions

TEXTS = (".csv", ".tsv", ".tab", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")


class _Cursor(msgspec.Struct, omit_defaults=True):
    """`file`: the version read. `how`: what was wanted of it. `at`: the row of data to go on from; 0: all was read."""

    file: str
    how: str
    at: int = 0


class Spreadsheet(Connector):
    """One sheet of one file.

    Rows have the names that `table` explains: the id column's value, or the key column's. Until our id column is there,
    a row's name is made of its content, and the first write puts exactly that name into the column. So a row is the
    same record before and after, and needs no alias; `Done.id` differs only where a write changes the key column.
    """

    Settings: ClassVar[type[ConnectorSettings]] = SpreadsheetSettings

    def __init__(
        self,
        name: str,
        settings: SpreadsheetSettings,
        world: World,
        fields: Mapping[str, Sequence[str]],
        secrets: Secrets,
        disk: Disk | None = None,
    ) -> None:
        self._name = name
        self._settings = settings
        self._world = world
        self._file = File(name, settings.path, world, disk or RealDisk())
        self._where = f"{name}: {self._file.path.name}"
        self._reading = Reading(
            header_row=settings.header_row,
            id_column=settings.id_column,
            key_column=settings.key_column,
            dates=frozenset(settings.dates),
            wanted=tuple(fields.get(OBJECT, ())),
        )
        said = msgspec.json.encode([settings.model_dump(mode="json"), sorted(self._reading.wanted)])
        self._how = hashlib.sha256(said).hexdigest()[:12]
        self._table: Table | None = None
        self._content: Content | None = None  # as it stood still when it was read, or was written by us
        self._frozen: tuple[str, str | None] = ("", None)  # for which version, and why it is read only
        self._judged: tuple[tuple[int, int, int], str | None] | None = None
        self._ours: list[str] = []  # versions that followed one another by our own writes alone

    # -- what it can do ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # depends on what the file holds right now
        writable = self._why_frozen() is None
        key = self._settings.key_column or self._settings.id_column
        unnamed = self._table is not None and bool(self._table.unnamed)
        return Capabilities(
            feeds=((OBJECT, FeedKind.DELTA), (OBJECT, FeedKind.SWEEP)),
            creates=(OBJECT,) if writable else (),
            conditional=True,
            create_only=True,
            returns_fields=True,
            unique=frozenset({key}),
            finds=frozenset({key, *self._reading.wanted}),
            consent_on="record",
            coercions=frozenset({"blanks", "day"}),
            batch={WriteKind.CREATE: BATCH, WriteKind.UPDATE: BATCH} if writable else {},
            parallel=1,
            horizon=HORIZON,
            fleeting=writable and unnamed and self._settings.key_column is None,
        )

    def own_key(self, object: str) -> str | None:
        if self._settings.key_column is not None or self._why_frozen() is not None:
            return None
        return self._settings.id_column

    def add_own_key(self, object: str) -> str:
        if self._settings.key_column is not None:
            raise Stop(f'{self._where}: rows are known by "{self._settings.key_column}" (the setting key_column)')
        for _ in range(TRIES):
            table = self._people()
            self._refuse_frozen(table)
            edits = Edits()
            stamp(table, edits)
            if not edits or self._commit(table, edits, set()) is not None:
                return self._settings.id_column
        raise self._busy()

    # -- reading -------------------------------------------------------------------------------------------------------

    def changes(self, feed: Feed) -> Iterator[Page]:
        cursor, table = self._cursor(feed.cursor), self._people()
        if cursor is not None and not cursor.at and (cursor.file, cursor.how) == (table.version, self._how):
            yield Page([], _text(cursor), True)
            return
        yield from self._pages(cursor, table)

    def ids(self, feed: Feed) -> Iterator[Page]:
        for page in self._pages(self._cursor(feed.cursor), self._people()):
            yield Page([Record(each.ref, {}, version=each.version) for each in page.records], page.cursor, page.last)

    def _cursor(self, text: str | None) -> _Cursor | None:
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=_Cursor)
        except msgspec.DecodeError:
            raise CursorLost(
                f"{self._where}: the saved cursor is none of a sheet; read it from the beginning"
            ) from None

    def _pages(self, cursor: _Cursor | None, table: Table) -> Iterator[Page]:
        """All rows, from the cursor on if it is about this version. A file that changes between two pages is read
        from its beginning again."""
        at = cursor.at if cursor is not None and (cursor.file, cursor.how) == (table.version, self._how) else 0
        rows, page = table.records(at), list[tuple[int, Record]]()
        while True:
            page += islice(rows, PAGE + 1 - len(page))
            records, more = [record for _, record in page[:PAGE]], page[PAGE:]
            if not more:
                yield Page(records, _text(_Cursor(table.version, self._how)), True)
                return
            yield Page(records, _text(_Cursor(table.version, self._how, page[PAGE - 1][0])), False)
            page = more
            if self._content is None or not self._file.still_looks(self._content):
                before, table = table.version, self._people()
                if table.version != before:
                    rows, page = table.records(), []

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        table = self._people()
        found = table.select(ref.id for ref in refs if ref.object == OBJECT)
        for ref in dict.fromkeys(refs):
            if ref.object == OBJECT and ref.id in found:
                yield found[ref.id]
            elif ref.id in table.barred:
                # Several different rows have its key: it rests until a person has told them apart.
                yield Record(ref, {}, State.OUT_OF_SCOPE, version=table.version)
            else:
                yield Record(ref, {}, State.GONE, version=table.version)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        table = self._people()
        if name == (self._settings.key_column or self._settings.id_column):
            yield from table.select(table.name_of(value) for value in values).values()
            return
        wanted = {value.casefold() for value in values}
        for _, record in table.records():
            value = record.fields.get(name)
            if isinstance(value, str) and value.casefold() in wanted:
                yield record

    def schema(self, object: str) -> Schema:
        table = self._open()
        return describe(table, self._frozen_for(table))

    def check(self) -> Iterator[Finding]:
        try:
            table = self._open()
        except ConnectorError as error:
            what, _, hint = str(error).partition("; ")
            yield Finding("error", error.code, what, hint)
            return
        yield from report(table, self._frozen_for(table))
        if locks := self._file.locks():
            yield Finding(
                "warning",
                "SM327",
                "the file is open in a spreadsheet program: it is read, but not written meanwhile",
                f"close it there, or delete {locks[0]!r} if nobody has it open",
            )
        if copies := self._file.conflicts():
            yield Finding(
                "warning",
                "SM320",
                f"{len(copies)} conflict copies lie beside the file: two people changed it at the same time",
                "bring their changes together in one file and delete the copies",
            )

    def requests(self) -> Mapping[str, int]:
        return dict(self._file.requests)

    def close(self) -> None:
        self._table = self._content = None

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        for _ in range(TRIES):
            table = self._people()
            self._refuse_frozen(table)
            batch = prepare(table, writes, partial(self._holds, now=table.version))
            after: Table | None = table
            if batch.edits:
                written = {each for each in batch.answers if isinstance(each, str)}
                try:
                    after = self._commit(table, batch.edits, written)
                except InDoubt:
                    return [Unknown(HORIZON) if isinstance(each, str) else each for each in batch.answers]
            if after is not None:
                return self._answers(after, writes, batch.answers)
        raise self._busy()

    def _answers(self, table: Table, writes: Sequence[Write], answers: Sequence[Answer | str]) -> list[Answer]:
        """What was done, with the values as our own reading of the new version gives them."""
        columns = {name: table.columns[name] for write in writes for name in write.fields if name in table.columns}
        records = table.select((each for each in answers if isinstance(each, str)), columns)
        found: list[Answer] = []
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, str):
                fields = records[answer].fields
                found.append(Done(answer, table.version, None, {name: fields.get(name) for name in write.fields}))
            else:
                found.append(answer)
        return found

    def _holds(self, version: str | None, now: str) -> bool:
        """Whether nothing but our own writes has changed the file since that version."""
        return version in (None, now) or (version in self._ours and now == self._ours[-1])

    def _commit(self, table: Table, edits: Edits, names: Set[str]) -> Table | None:
        """Replace the file; the table of the new version, or None if somebody changed the file first. `names`: the
        records that were written. Raises Retry or Stop, and then nothing was written."""
        data = table.form.rewritten(edits, table.dates)
        new = Content(data, version_of(data), FRESH, (0, 0, 0))
        try:
            after = self._parsed(new)
        except Stop as error:
            raise self._not_kept(str(error)) from None
        same = after.heading.names[: table.width] == table.heading.names
        if not same or after.count != table.count + len(edits.appended) or not names <= after.places.keys():
            raise self._not_kept("its rows would not be found again")
        if not is_otherwise_unchanged(table.form, after.form, edits):
            raise self._not_kept("cells that nobody wanted to change would change")
        self._world.pause("request")
        if not self._file.replace(data, table.version):
            return None
        self._ours = [*(self._ours if self._ours[-1:] == [table.version] else [table.version]), after.version][
            -REMEMBERED:
        ]
        self._table, self._content = after, new
        self._world.pause("answered")
        return after

    def _not_kept(self, why: str) -> Stop:
        return Stop(
            f"{self._where}: nothing was written, since {why}; save the file anew in a spreadsheet program, or set "
            f"header_row",
            code="SM329",
        )

    def _busy(self) -> Retry:
        return Retry(
            f"{self._where}: somebody changed it {TRIES} times while it was being written; try again when nobody works "
            f"in it",
            after=30.0,
            code="SM327",
        )

    # -- one reading ---------------------------------------------------------------------------------------------------

    def _people(self) -> Table:
        """The file as it is now, where people can be read in it. Raises Retry or Stop."""
        table = self._open()
        if (nobody := illegible(table)) is not None:
            raise Stop(f"{self._where}: {nobody.text}; {nobody.hint}", code=nobody.code)
        return table

    def _open(self) -> Table:
        """The file as it is now. Raises Retry or Stop."""
        self._world.pause("request")
        content = self._file.read(self._content.version if self._content is not None else None)
        self._content = content
        self._world.pause("answered")
        if self._table is None or self._table.version != content.version:
            self._table = None  # two versions need not be in memory at once
            self._table = self._parsed(content)
        return self._table

    def _parsed(self, content: Content) -> Table:
        try:
            return Table(self._where, self._form(content.data), content.version, self._reading)
        except Stop as error:
            # Perhaps a copy that is still under way: cut off anywhere, even within a letter.
            if error.code in ("SM323", "SM325") and 0 <= content.age < FRESH:
                what, _, cure = str(error).partition("; ")
                raise Retry(
                    f"{what}: it was saved less than a minute ago and may still be being copied; wait a minute and try "
                    f"again; if it stays so, {cure or 'copy or export it again'}",
                    after=30.0,
                    code="SM327",
                ) from None
            raise

    def _form(self, data: bytes) -> Form:
        suffix = self._file.path.suffix.lower()
        if suffix in TEXTS:
            refuse_other_than_text(self._where, data)
            return Delimited(self._where, data, self._settings.encoding, self._settings.delimiter)
        if suffix in WORKBOOKS:
            return Workbook(self._where, data, self._settings.sheet)
        refuse_other_than_workbook(self._where, data)
        raise Stop(
            f'{self._where}: files named "{suffix}" are not read; save it as {", ".join((*TEXTS, *WORKBOOKS))}',
            code="SM321",
        )

    def _refuse_frozen(self, table: Table) -> None:
        if (why := self._frozen_for(table)) is not None:
            raise Stop(f"{self._where} is only read, never written: {why}", code="SM329")

    def _frozen_for(self, table: Table) -> str | None:
        """Why this version cannot be written; None if it can."""
        if (why := self._file.unwritable()) is not None:
            return why
        if self._frozen[0] != table.version:
            self._frozen = (table.version, table.frozen())
        return self._frozen[1]

    def _why_frozen(self) -> str | None:
        """The same of the file as it lies there, before anything was asked of it; read only when it looks changed. A
        file that cannot be judged may be written, as far as anybody knows."""
        try:
            looks = self._file.glance()
            if self._judged is None or self._judged[0] != looks:
                self._judged = (looks, None)
                content = self._file.peek()
                if self._table is None or self._table.version != content.version:
                    self._table = self._parsed(content)
                self._judged = (looks, self._table.frozen())
        except (OSError, ConnectorError):
            return self._file.unwritable()
        return self._file.unwritable() or self._judged[1]


def _text(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
