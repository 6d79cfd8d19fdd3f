"""Every statement that runs per run or per page uses an index: nothing walks through all leads or all records."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from sync.store.db import Store, Tx, create
from sync.store.schema import METADATA
from tests.sync.databases import Server
from tests.sync.store.furnished import furnish
from tests.sync.store.statements import CASES
from tests.worlds import ManualWorld

SMALL = frozenset({"system", "feed", "counter", "meta", "lease", "apart", "rolling", "dirty", "outbox"})
"""Tables that hold no more than what is configured, or than what is to be done: reading all of one is no matter."""

ALLOWED = {
    "leads.search": {"lead": "a person types part of a name: no index knows the middle of a text"},
    "leads.make_missing_dirty": {"lead": "once in a system's life, when it was read whole for the first time"},
    "leads.make_edited_dirty": {"record": "only when a person lets go of a column that was held back"},
    "leads.count": {"lead": "a person asks how things stand"},
    "leads.count_missing": {"lead": "only when a person has everything verified"},
    "records.linked_live": {"record": "only when a person has a sample verified"},
    "records.count_settled": {"record": "a person asks how things stand"},
    "records.settled": {"record": "only when a person asks that everything be tried again, or a mapping changed"},
    "records.linked_after": {"record": "only when a mapping changed, or a person has everything verified"},
    "records.named_after": {"record": "only when a person wants an account of each record"},
    "records.missed": {"record": "a sweep looks at every record of a system; it runs once a day"},
    "runs.of_kind": {"run": "only when a person wants an account of each record"},
    "runs.latest": {"run": "from its end, and no further than asked"},
}
"""Statement → the tables it may walk through, and why."""

WALKS = r"SCAN (\w+)(?! USING (?:COVERING )?INDEX)|SEARCH (record) USING (?:COVERING )?INDEX sqlite_autoindex_record_1 \(system=\?(?: AND object=\?(?: AND ext>\?)?)?\)"
"""How SQLite says that a table, or all that a system has in it, is read from end to end."""

Plan = list[str]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with contextlib.closing(
        Store(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'store.db'}", ManualWorld())
    ) as store:
        create(store)
        furnish(store)
        yield store


@pytest.fixture(scope="module")
def postgres(server: Server) -> Iterator[Store]:
    with server.database() as url, contextlib.closing(Store(url, ManualWorld())) as store:
        create(store)
        furnish(store)
        yield store


@contextlib.contextmanager
def listening(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every statement carried out while this is open, with one set of its parameters."""
    heard: list[tuple[str, Any]] = []

    def hear(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        heard.append((statement, parameters[0] if many else parameters))

    sa.event.listen(store._engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", hear)


def plan(tx: Tx, explain: str, statement: str, parameters: Any) -> Plan:
    connection = tx._connection.connection.driver_connection
    assert connection is not None
    cursor = connection.cursor()
    cursor.execute(f"{explain} {statement}", parameters)
    return [" ".join(str(cell) for cell in row) for row in cursor.fetchall()]


def walked_through(name: str, store: Store, explain: str, sign: str) -> dict[str, Plan]:
    """The tables that some statement of a case reads from end to end → how."""
    found: dict[str, Plan] = {}
    with store.trial() as tx:
        if explain == "EXPLAIN":
            # A small table is read whole whatever indexes it has: forbid that where there is another way.
            tx._connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        with listening(store) as heard:
            CASES[name](tx)
        for statement, parameters in heard:
            if not re.match(r"(?i)\s*(select|update|delete|insert)", statement):
                continue
            told = plan(tx, explain, statement, parameters)
            for line in told:
                for match in re.finditer(sign, line):
                    found.setdefault(next(filter(None, match.groups())), told)
    return {table: told for table, told in found.items() if table in METADATA.tables and table not in SMALL}


@pytest.mark.parametrize("name", CASES)
def test_on_sqlite_a_statement_walks_through_no_large_table(sqlite: Store, name: str) -> None:
    found = walked_through(name, sqlite, "EXPLAIN QUERY PLAN", WALKS)
    assert found.keys() == ALLOWED.get(name, {}).keys(), found


@pytest.mark.parametrize("name", CASES)
def test_on_postgresql_a_statement_walks_through_no_large_table(postgres: Store, name: str) -> None:
    found = walked_through(name, postgres, "EXPLAIN", r"Seq Scan on (\w+)")
    assert found.keys() <= ALLOWED.get(name, {}).keys(), found


def test_every_exception_has_a_case() -> None:
    assert ALLOWED.keys() <= CASES.keys()
