"""What the database alone costs: every statement that writes is taken down, and carried out again by `sqlite3`."""

from __future__ import annotations

import pickle
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from sync.store.db import PRAGMAS

KEPT = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE")


class Tape:
    """While it is open, whatever this process writes through SQLAlchemy is taken down in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> Tape:
        self._out = self.file.open("wb")
        sa.event.listen(sa.Engine, "before_cursor_execute", self._take)
        sa.event.listen(sa.Engine, "commit", self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sa.event.remove(sa.Engine, "before_cursor_execute", self._take)
        sa.event.remove(sa.Engine, "commit", self._end)
        self._out.close()

    def _take(self, connection: Any, cursor: Any, statement: str, params: Any, context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(KEPT):
            pickle.dump((statement, params if many else [params]), self._out)

    def _end(self, connection: Any) -> None:
        pickle.dump(("COMMIT", [()]), self._out)


def read(tape: Path) -> Iterator[tuple[str, list[Any]]]:
    with tape.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def replay(tape: Path, like: Path, file: Path) -> float:
    """Carry out a tape on an empty copy of a database; answers the seconds of processor time it took."""
    with sqlite3.connect(like) as there:
        ours = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        tables = [row[0] for row in there.execute(ours)]
        kept = {name: there.execute(f"SELECT * FROM {name}").fetchall() for name in ("system", "counter", "meta")}
    database = sqlite3.connect(file, isolation_level=None)
    for pragma in (*PRAGMAS, "synchronous=NORMAL"):
        database.execute(f"PRAGMA {pragma}")
    for table in tables:
        database.execute(table)
    for name, rows in kept.items():
        database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    spent = 0.0
    open_ = False
    for statement, params in read(tape):
        if statement == "COMMIT" and not open_:
            continue  # of a transaction that only read
        open_ = (open_ or statement.startswith("BEGIN")) and statement != "COMMIT"
        begun = time.process_time()
        if " RETURNING " in statement:
            for each in params:
                database.execute(statement, each).fetchall()
        else:
            database.executemany(statement, params) if params != [()] else database.execute(statement)
        spent += time.process_time() - begun
    database.close()
    return spent
