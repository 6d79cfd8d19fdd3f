"""The migrations make, from nothing, exactly the tables that the program works with."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sync.store import schema
from sync.store.db import Store, StoreError, Tx, create, generation, version
from sync.store.migrate import MIGRATIONS, configuration, migrate, upgrade
from tests.sync.databases import BACKENDS, Server
from tests.worlds import ManualWorld

Fresh = Callable[[], Store]


@pytest.fixture(params=BACKENDS)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Makes empty databases of one kind."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:

        def one() -> Store:
            url = f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
            if request.param == "postgresql":
                server: Server = request.getfixturevalue("server")
                url = stack.enter_context(server.database(empty=True))
            return stack.enter_context(contextlib.closing(Store(url, ManualWorld(seed=next(numbers)))))

        yield one


def described(tx: Tx) -> dict[str, Any]:
    """Every table, column, key and index, in the database's own words."""
    if tx.dialect == "sqlite":
        rows = tx.rows(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {row[0]: " ".join(str(row[1]).split()) for row in rows}
    columns = """SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default,
        character_maximum_length FROM information_schema.columns WHERE table_schema = 'public'"""
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    keys = "SELECT conrelid::regclass::text || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    found = {f"{row[0]}.{row[1]}": tuple(row[2:]) for row in tx.rows(sa.text(columns))}
    return found | {
        row[0]: row[1] for query in (indexes, keys) for row in tx.rows(sa.text(query.replace("::", "\\:\\:")))
    }


def test_the_migrations_from_nothing_give_exactly_the_tables_of_the_program(fresh: Fresh) -> None:
    one, two = fresh(), fresh()
    create(one)
    with two.tx() as tx:
        migrate(tx)
    with one.read() as mine, two.read() as theirs:
        assert described(theirs) == described(mine)
        assert len(described(mine)) > len(schema.METADATA.tables)
        assert version(theirs) == version(mine) == schema.VERSION


def test_alembic_itself_sees_nothing_to_change(fresh: Fresh) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    store = fresh()
    with store.tx() as tx:
        migrate(tx)
        context = MigrationContext.configure(tx._connection)
        assert compare_metadata(context, schema.METADATA) == []


def test_an_empty_database_is_made_and_one_that_is_up_to_date_left_alone(fresh: Fresh) -> None:
    store = fresh()
    assert upgrade(store)
    with store.read() as tx:
        mark = generation(tx)
    assert not upgrade(store)
    create(store)
    with store.read() as tx:
        assert (version(tx), generation(tx)) == (schema.VERSION, mark)


def test_a_fresh_database_has_all_that_the_program_counts_with(fresh: Fresh) -> None:
    store = fresh()
    upgrade(store)
    with store.tx() as tx:
        assert [tx.ids(name, 1) for name in ("lead", "record", "seq", "token")] == [1, 1, 1, 1]


def test_two_installations_are_told_apart(fresh: Fresh) -> None:
    marks = set()
    for store in (fresh(), fresh()):
        create(store)
        with store.read() as tx:
            marks.add(generation(tx))
    assert len(marks) == 2


@pytest.mark.parametrize(
    ("found", "way_out"),
    [
        ("0000", "stop the smarketing processes that are at work on it"),
        ("9999", "use the newer smarketing that made it"),
    ],
)
def test_a_database_of_another_version_is_refused_with_the_way_out(fresh: Fresh, found: str, way_out: str) -> None:
    store = fresh()
    create(store)
    with store.tx() as tx:
        tx.run(sa.update(schema.alembic_version).values(version_num=found))
    with pytest.raises(
        StoreError, match=f"stands at schema {found}, this program needs {schema.VERSION}; {way_out}"
    ) as caught:
        create(store)
    assert caught.value.code == "SM211"


def test_a_database_that_a_newer_program_made_is_left_as_it_is(fresh: Fresh) -> None:
    store = fresh()
    create(store)
    with store.tx() as tx:
        tx.run(sa.update(schema.alembic_version).values(version_num="9999"))
    with store.read() as tx:
        before = described(tx)
    with pytest.raises(StoreError, match="cannot be brought to schema") as caught:
        upgrade(store)
    with store.read() as tx:
        assert (described(tx), version(tx), caught.value.code) == (before, "9999", "SM211")


def test_a_migration_that_fails_leaves_nothing_behind(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    made = Operations.create_index

    def fail_at_the_end(self: Any, name: str, *rest: Any, **more: Any) -> Any:
        if name == "review_state":
            raise RuntimeError("the machine was switched off")
        return made(self, name, *rest, **more)

    monkeypatch.setattr(Operations, "create_index", fail_at_the_end)
    store = fresh()

    def upgrade_to_head() -> None:
        with store.tx() as tx:
            migrate(tx)

    with pytest.raises(RuntimeError):
        upgrade_to_head()
    with store.read() as tx:
        assert sa.inspect(tx._connection).get_table_names() == []


def test_the_newest_migration_is_the_one_the_program_needs(tmp_path: Path) -> None:
    from alembic.script import ScriptDirectory

    with contextlib.closing(Store(f"sqlite:///{tmp_path / 'any.db'}", ManualWorld())) as store, store.tx() as tx:
        scripts = ScriptDirectory.from_config(configuration(tx))
    assert scripts.get_heads() == [schema.VERSION]
    assert sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("*.py")) == sorted(
        revision.revision for revision in scripts.walk_revisions()
    )


def test_alembic_is_loaded_only_by_who_migrates() -> None:
    code = "import sys, sync.store.migrate, sync.run; sys.exit(any(name.split('.')[0] == 'alembic' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
