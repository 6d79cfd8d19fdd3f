"""A spreadsheet file as a person has it open: the hidden door into a .csv or .xlsx.

It opens the file with the standard library or openpyxl, and knows nothing of how the connector does it. Rows have their
id column filled in when they are made here, as if they had been written once already. What goes wrong, goes wrong on
the way through `disk`: a connector that was given another disk sees only what is really in the file.
"""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State
from connectors.world import MICROSECONDS, World

OBJECT = "row"
T = TypeVar("T")

_RAISED = {
    Fault.ERROR: errno.EIO,
    Fault.ERROR_AFTER: errno.EIO,
    Fault.CUT: errno.ECONNRESET,
    Fault.CUT_AFTER: errno.ECONNRESET,
    Fault.RATE: errno.EBUSY,
    Fault.FORBIDDEN: errno.EACCES,
}
FAULTS = frozenset({*_RAISED, Fault.TRUNCATED, Fault.HTML, Fault.SLOW})
"""What can go wrong with a file: it is away, busy, forbidden, half copied, another thing, or slow."""


class Disk(Protocol):
    """What the connector asks of the system."""

    def read(self, path: Path) -> tuple[bytes, os.stat_result]: ...

    def stat(self, path: Path) -> os.stat_result: ...

    def replace(self, path: Path, data: bytes) -> None: ...


class SheetDoor:
    """The door into `path`, which is made with these columns if it is not there.

    `consent`: the column that shows an opt-out, its word for out and its word for in.
    """

    def __init__(
        self,
        path: Path,
        world: World,
        columns: Sequence[str],
        *,
        email: str,
        id_column: str = "smarketing_id",
        consent: tuple[str, str, str] | None = None,
    ) -> None:
        self.path = path
        self._world = world
        self._email = email
        self._id = id_column
        self._consent = consent
        self._made = 0
        self._removed: list[Kept] = []
        self._seen: list[Seen] = []
        self._armed: list[tuple[Fault, When, list[int]]] = []
        if not path.exists():
            self._save([[*columns, id_column]])

    # What people do.

    def put(self, object: str, fields: Fields) -> Ref:
        grid = self._load()
        self._made += 1
        ref = Ref(OBJECT, f"r{self._made}")
        row = {name: _word(value) for name, value in fields.items()} | {self._id: ref.id}
        unknown = row.keys() - set(grid[0])
        if unknown:
            raise KeyError(f"no column {sorted(unknown)[0]!r}")
        self._save([*grid, [row.get(name, "") for name in grid[0]]])
        return ref

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        grid = self._load()
        row = self._row(grid, ref)
        for name, value in fields.items():
            row[grid[0].index(name)] = _word(value)
        self._save(grid)

    def remove(self, ref: Ref) -> None:
        grid = self._load()
        row = self._row(grid, ref)
        kept = self._kept(grid[0], row)
        self._removed.append(Kept(kept.ref, kept.fields, State.DELETED, consent=kept.consent))
        self._save([each for each in grid if each is not row])

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        """Nobody merges in a sheet: one fills in what the other row has, and deletes that."""
        grid = self._load()
        row, other = self._row(grid, winner), self._row(grid, loser)
        row[:] = [mine or theirs for mine, theirs in zip(row, other, strict=True)]
        self._save(grid)
        self.remove(loser)
        return winner

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._say(address, out=True)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._say(address, out=False)

    def records(self) -> list[Kept]:
        head, *rows = self._load()
        return [*(self._kept(head, row) for row in rows if any(row)), *self._removed]

    def _say(self, address: str, *, out: bool) -> None:
        if self._consent is None:
            raise ValueError("this sheet has no column for consent")
        column, word_out, word_in = self._consent
        grid = self._load()
        for row in grid[1:]:
            if row[grid[0].index(self._email)].lower() == address.lower():
                row[grid[0].index(column)] = word_out if out else word_in
        self._save(grid)

    def _row(self, grid: list[list[str]], ref: Ref) -> list[str]:
        for row in grid[1:]:
            if row[grid[0].index(self._id)] == ref.id:
                return row
        raise KeyError(f"no row {ref.id!r}")

    def _kept(self, head: Sequence[str], row: Sequence[str]) -> Kept:
        cells = dict(zip(head, row, strict=True))
        consent: Mapping[str, str] = {}
        if self._consent is not None and (said := cells[self._consent[0]]):
            consent = {"email": "out" if said == self._consent[1] else "in"}
        fields: Fields = {name: text or None for name, text in cells.items() if name != self._id}
        return Kept(Ref(OBJECT, cells[self._id]), fields, consent=consent)

    # The file.

    def _load(self) -> list[list[str]]:
        """The heading row and all others, as texts, equally wide."""
        if self.path.suffix == ".xlsx":
            import openpyxl

            book = openpyxl.load_workbook(self.path)
            return [[_word(each) for each in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        text = self.path.read_bytes().decode("utf-8-sig")
        rows = [[_bare(each) for each in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=";")]
        width = len(rows[0])
        return [row + [""] * (width - len(row)) for row in rows if row]

    def _save(self, grid: Sequence[Sequence[str]]) -> None:
        beside = self.path.with_name(f"saving-{self.path.name}")
        if self.path.suffix == ".xlsx":
            import openpyxl

            book = openpyxl.load_workbook(self.path) if self.path.exists() else openpyxl.Workbook()
            sheet = book.worksheets[0]
            if sheet.max_row > len(grid):
                sheet.delete_rows(len(grid) + 1, sheet.max_row - len(grid))
            for number, row in enumerate(grid, 1):
                for column, text in enumerate(row, 1):
                    cell = sheet.cell(number, column)
                    if _word(cell.value) != text:
                        cell.value = text or None
                        cell.data_type = "s" if text else "n"
            book.save(beside)
        else:
            out = io.StringIO(newline="")
            csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(grid)
            beside.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
        at = self._world.now() * (1_000_000_000 // MICROSECONDS)
        os.utime(beside, ns=(at, at))  # the file's times are those of the World
        os.replace(beside, self.path)

    # The way a connector takes.

    def disk(self, real: Disk) -> Disk:
        """`real`, watched and disturbed."""
        return _Watched(self, real)

    def fault(self, kind: Fault, when: When) -> None:
        if kind not in FAULTS:
            raise ValueError(f"a file cannot go wrong by {kind.value!r}")
        self._armed.append((kind, when, [0]))

    def requests(self) -> list[Seen]:
        return list(self._seen)

    def let_through(self, verb: str, path: Path, action: Callable[[], T], spoil: Callable[[Fault, T], T]) -> T:
        """Let one request through, or go wrong as told."""
        line = f"{verb} /{path.name}"
        kind, value = self._due(line)
        code = _RAISED.get(kind) if kind else None
        self._seen.append(Seen(verb, f"/{path.name}", 0 if code else 200))
        if kind is Fault.SLOW:
            self._world.sleep(value)
        if code is not None:
            if kind in (Fault.ERROR_AFTER, Fault.CUT_AFTER):
                action()
            raise OSError(code, os.strerror(code))
        done = action()
        return spoil(kind, done) if kind else done

    def _due(self, line: str) -> tuple[Fault | None, float]:
        for kind, when, met in self._armed:
            if when.path in line and met[0] < when.skip + when.times:
                met[0] += 1
                if met[0] > when.skip:
                    return kind, when.value
        return None, 0.0


class _Watched:
    def __init__(self, door: SheetDoor, real: Disk) -> None:
        self._door = door
        self._real = real

    def read(self, path: Path) -> tuple[bytes, os.stat_result]:
        def spoil(kind: Fault, found: tuple[bytes, os.stat_result]) -> tuple[bytes, os.stat_result]:
            data, said = found
            if kind is Fault.TRUNCATED:
                return data[: len(data) // 2], said
            if kind is Fault.HTML:
                return b"<!doctype html><title>Sign in</title>", said
            return found

        return self._door.let_through("READ", path, lambda: self._real.read(path), spoil)

    def stat(self, path: Path) -> os.stat_result:
        return self._door.let_through("LOOK", path, lambda: self._real.stat(path), lambda kind, found: found)

    def replace(self, path: Path, data: bytes) -> None:
        self._door.let_through("WRITE", path, lambda: self._real.replace(path, data), lambda kind, found: found)


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value)


def _bare(text: str) -> str:
    """Without the apostrophe that keeps a CSV cell from running as a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text
