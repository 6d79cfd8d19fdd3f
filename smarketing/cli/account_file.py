"""The account of a move, kept in a file: JSON, a workbook or readable text, by its ending.

It holds refs of people's records: only its owner may read it. It is written beside its place and put there when it is
whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.output import FORMAT_VERSION

if TYPE_CHECKING:
    from sync.migrate import Account

ENDINGS = (".json", ".xlsx", ".txt")
HEADING = ("from", "records", "created", "matched", "merged", "skipped", "failed")
COLUMNS = ("system", "record", "lead", "fate", "there", "why")

Sums = Sequence[tuple[str, int, int, int, int, int, int]]


class AccountFile(Protocol):
    """Takes records one by one, and their sums at the end."""

    def add(self, one: Account) -> None: ...

    def save(self, sums: Sums) -> None: ...


def check_place(path: Path) -> None:
    """Whether an account may be written there. Raises Failure."""
    if path.suffix.lower() not in ENDINGS:
        raise Failure("SM230", f"{path}: name a file that ends in {', '.join(ENDINGS)}", USAGE)
    if not path.parent.is_dir():
        raise Failure("SM230", f"{path}: the folder is not there; make it, or name another file", USAGE)
    if path.is_dir():
        raise Failure("SM230", f"{path}: this is a folder; name a file", USAGE)


@contextlib.contextmanager
def account_file(path: Path | None) -> Iterator[AccountFile]:
    """Where nobody wants one, nothing is kept."""
    if path is None:
        yield _Nowhere()
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as beside:
        place = Path(beside.name)
    try:
        kinds: dict[str, Callable[[Path], AccountFile]] = {".json": _Json, ".xlsx": _Workbook, ".txt": _Text}
        yield kinds[path.suffix.lower()](place)
        os.replace(place, path)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def as_object(one: Account) -> dict[str, Any]:
    return {name: str(getattr(one, name)) if name == "fate" else getattr(one, name) for name in COLUMNS}


class _Nowhere:
    def add(self, one: Account) -> None:
        """Nobody wants it."""

    def save(self, sums: Sums) -> None:
        """Nobody wants them."""


class _Json:
    """One document; a record a line within it."""

    def __init__(self, place: Path) -> None:
        self._file: IO[str] = place.open("w", encoding="utf-8", newline="\n")
        self._file.write(f'{{"format_version": "{FORMAT_VERSION}", "records": [')
        self._first = True

    def add(self, one: Account) -> None:
        self._file.write(("" if self._first else ",") + "\n" + json.dumps(as_object(one), ensure_ascii=False))
        self._first = False

    def save(self, sums: Sums) -> None:
        told = [dict(zip(HEADING, each, strict=True)) for each in sums]
        self._file.write(f'\n], "sums": {json.dumps(told, ensure_ascii=False)}}}\n')
        self._file.close()


class _Text:
    def __init__(self, place: Path) -> None:
        self._file: IO[str] = place.open("w", encoding="utf-8", newline="\n")

    def add(self, one: Account) -> None:
        there = f" → {one.there}" if one.there else ""
        why = f" ({one.why})" if one.why else ""
        self._file.write(f"{one.system} {one.record}: {one.fate}{there}{why}\n")

    def save(self, sums: Sums) -> None:
        self._file.write("\n")
        for name, total, *fates in sums:
            parts = ", ".join(f"{n:,} {fate}" for fate, n in zip(HEADING[2:], fates, strict=True))
            self._file.write(f"{name}: {total:,} records: {parts}\n")
        self._file.close()


class _Workbook:
    """Two sheets: the sums, and the records. Written row by row, so that its memory does not grow with them."""

    def __init__(self, place: Path) -> None:
        from openpyxl import Workbook

        self._place = place
        self._book = Workbook(write_only=True)
        self._sums = self._book.create_sheet("Sums")
        self._records = self._book.create_sheet("Records")
        self._records.append(COLUMNS)

    def add(self, one: Account) -> None:
        self._records.append(["" if each is None else each for each in as_object(one).values()])

    def save(self, sums: Sums) -> None:
        self._sums.append(HEADING)
        for each in sums:
            self._sums.append(each)
        self._book.save(self._place)
