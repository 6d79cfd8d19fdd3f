"""Every statement does the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from sync.store.db import Store, Tx, create
from sync.store.schema import METADATA
from tests.sync.databases import Server
from tests.sync.store.furnished import furnish
from tests.sync.store.statements import CASES, functions
from tests.worlds import ManualWorld

Both = tuple[Store, Store]


@pytest.fixture(scope="module")
def both(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Two databases with the same in them, one of each kind."""
    with contextlib.ExitStack() as stack:
        urls = [f"sqlite:///{tmp_path_factory.mktemp('both') / 'store.db'}", stack.enter_context(server.database())]
        stores = [stack.enter_context(contextlib.closing(Store(url, ManualWorld()))) for url in urls]
        for store in stores:
            create(store)
            furnish(store)
        yield stores[0], stores[1]


def contents(tx: Tx) -> dict[str, list[Any]]:
    """Every table's rows but what differs between two installations."""
    return {
        table.name: sorted((tuple(row) for row in tx.rows(sa.select(table))), key=repr)
        for table in METADATA.sorted_tables
        if table.name != "meta"
    }


def count_on(tx: Tx) -> None:
    """Number new rows from those that are there: PostgreSQL does not take back the numbers of a trial."""
    if tx.dialect == "sqlite":
        return
    for table in METADATA.sorted_tables:
        for column in table.primary_key if len(table.primary_key) == 1 else ():
            if column.autoincrement is True:
                last = tx.value(sa.select(sa.func.max(column))) or 0
                tx.value(
                    sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, column.name), last + 1, False))
                )


def test_every_statement_of_the_store_has_a_case() -> None:
    assert functions() <= CASES.keys()
    assert CASES.keys() - functions() == {"db.Tx.ids", "db.generation"}


def test_both_hold_the_same_to_begin_with(both: Both) -> None:
    found = []
    for store in both:
        with store.read() as tx:
            found.append(contents(tx))
    assert found[0] == found[1]
    assert all(found[0][name] for name in found[0] if name not in ("secret", "usage", "lead_merge"))


@pytest.mark.parametrize("name", CASES)
def test_a_statement_answers_and_leaves_the_same_on_both(both: Both, name: str) -> None:
    outcomes = []
    for store in both:
        with store.trial() as tx:
            count_on(tx)
            answered = CASES[name](tx)
            outcomes.append((repr(answered), contents(tx)))
    assert outcomes[0] == outcomes[1]
