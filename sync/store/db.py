"""Opening the store, and its two kinds of transaction.

One writer at a time, on both databases: SQLite by BEGIN IMMEDIATE, PostgreSQL by one advisory lock. Writing
transactions are short (what is decided is computed outside them), so this costs little and both behave alike.
A durable transaction is on the disk when it returns; others may be lost in a power cut, in order, from the end.
"""

from __future__ import annotations

import contextlib
import logging
import operator
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from connectors.world import World
from sync.store import schema

log = logging.getLogger(__name__)

WRITER_LOCK = 0x534D_4B54
MOST = 10_000
"""So many values in one IN at most; both databases have an end to what a statement takes."""
BUSY_SECONDS = 30
"""So long a writer waits for another program that writes."""
QUIET_SECONDS = 2
"""And so long before it says that it waits."""
PRAGMAS = (
    *("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"),
    *("cache_size=-32768", "temp_store=MEMORY", "wal_autocheckpoint=8000"),
)
"""Of every SQLite connection. A page that is written again and again goes to its place once in 32 MB of changes."""


class StoreError(Exception):
    """The database cannot be used. `code` is stable; the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Among(FunctionElement[Any]):
    """A column's value is in a list, given as one parameter: the statement is the same however long the list is."""

    inherit_cache = True
    type = sa.types.NullType()  # of a Boolean, SQLite would be asked whether it equals 1, and then knows no index


def among(column: sa.Column[Any], name: str) -> Among:
    """`name`: the parameter that holds the list."""
    return Among(column, sa.bindparam(name, type_=Listed()))


class Listed(sa.types.UserDefinedType[Sequence[Any]]):
    """A list as the database takes it in one parameter."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        return list if dialect.name == "postgresql" else _as_json


def _as_json(values: Any) -> str:
    return msgspec.json.encode(list(values)).decode()


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    named, told = compiler.process(column, **options), compiler.process(values, **options)
    return f"{named} IN (SELECT value FROM json_each({told}))"  # noqa: S608  the column's name and a place holder


@compiles(Among, "postgresql")
def _among_in_postgres(element: Among, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    items = "TEXT[]" if isinstance(column.type, sa.Text) else "BIGINT[]"
    named, told = compiler.process(column, **options), compiler.process(values, **options)
    return f"{named} = ANY(CAST({told} AS {items}))"


class Spelt:
    """A statement in the words of one database, and how the parameters of a row are put in order for it."""

    def __init__(self, statement: Any, dialect: sa.Dialect, names: Collection[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names), for_executemany=True)
        self.text = str(compiled)
        self._fixed = {name: value for name, value in compiled.params.items() if name not in names}
        self._order: Sequence[str] | None = compiled.positiontup if compiled.positional else None

    def rows(self, params: Sequence[Mapping[str, object]]) -> list[Any]:
        told = [{**self._fixed, **each} for each in params] if self._fixed else list(params)
        if self._order is None:
            return told
        if len(self._order) == 1:
            return [(each[self._order[0]],) for each in told]
        return list(map(operator.itemgetter(*self._order), told))


class Tx:
    """A transaction that is open. Rows are tuples; statements are SQLAlchemy Core."""

    _spelt: ClassVar[dict[tuple[object, str, tuple[str, ...]], Spelt]] = {}

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect.name

    def rows(self, statement: sa.Executable, params: Mapping[str, object] | None = None) -> Sequence[Any]:
        return self._connection.execute(statement, params or {}).all()

    def row(self, statement: sa.Executable, params: Mapping[str, object] | None = None) -> Any:
        """The first row, or None."""
        return self._connection.execute(statement, params or {}).first()

    def value(self, statement: sa.Executable, params: Mapping[str, object] | None = None) -> Any:
        """The first column of the first row, or None."""
        return self._connection.execute(statement, params or {}).scalar()

    def stream(self, statement: sa.Executable, params: Mapping[str, object] | None = None) -> Iterator[Any]:
        """Rows one by one, without holding them all."""
        # Said of this statement alone: said of the connection, it would hold for all that follow.
        yield from self._connection.execute(statement, params or {}, execution_options={"yield_per": 500})

    def run(self, statement: sa.Executable, params: Mapping[str, object] | Sequence[Mapping[str, object]] = ()) -> int:
        """Carry out, once for each set of parameters; answers how many rows it met, for a single set."""
        if not params:
            return self._connection.execute(statement).rowcount
        return self._connection.execute(statement, params).rowcount

    def many(self, statement: sa.Executable, params: Sequence[Mapping[str, object]]) -> None:
        """Carry out once for each set of parameters; nothing for none. The statement is one that is made once: how it
        is spelt is remembered, since preparing each set anew costs more than carrying it out."""
        if not params:
            return
        names = tuple(params[0])
        spelt = self._spelt.get((statement, self.dialect, names))
        if spelt is None:
            spelt = Spelt(statement, self._connection.dialect, names)
            self._spelt[statement, self.dialect, names] = spelt
        self._connection.exec_driver_sql(spelt.text, spelt.rows(params))

    def ids(self, name: str, count: int) -> int:
        """Take `count` ids that were never used; answers the first."""
        last = self.value(
            sa.update(schema.counter)
            .where(schema.counter.c.name == name)
            .values(n=schema.counter.c.n + count)
            .returning(schema.counter.c.n)
        )
        return int(last) - count + 1


def generation(tx: Tx) -> str:
    """What tells this store from a copy of it; part of every idempotency key."""
    return str(tx.value(sa.select(schema.meta.c.value).where(schema.meta.c.name == "generation")))


class Upsert:
    """An INSERT that knows what to do with a row that is there already: nothing, or `replace` (given the new row) where
    `where` holds. Made once for each dialect."""

    def __init__(
        self,
        table: sa.Table,
        keys: Sequence[str] = (),
        replace: Callable[[Any], Mapping[str, object]] | None = None,
        where: Any = None,
        rows: Callable[[Any], Any] = lambda insert: insert,
    ) -> None:
        self._table, self._keys, self._replace, self._where, self._rows = table, keys, replace, where, rows
        self._made: dict[str, Any] = {}

    def __call__(self, tx: Tx) -> Any:
        if tx.dialect not in self._made:
            self._made[tx.dialect] = self._make(tx.dialect)
        return self._made[tx.dialect]

    def _make(self, dialect: str) -> Any:
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement = self._rows(insert(self._table))
        if self._replace is None:
            return statement.on_conflict_do_nothing()
        values = self._replace(statement.excluded)
        return statement.on_conflict_do_update(index_elements=self._keys, set_=values, where=self._where)


class Store:
    """The database of one installation."""

    def __init__(self, url: str, world: World, *, raw: sqlite3.Connection | None = None) -> None:
        """`url`: sqlite:///FILE or postgresql+psycopg://…; `raw`: an open SQLite database to use instead, for one unit
        at a time."""
        self.world = world
        self.url = make_url(url)
        self._engine = _engine(url, raw)
        self.sqlite = self._engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def tx(self, *, durable: bool = False) -> Iterator[Tx]:
        """A writing transaction, committed at the end and rolled back on any error."""
        with self.world.transaction(), self._open(durable) as connection, connection.begin():
            yield Tx(connection)

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """A reading transaction: one state of the database."""
        with self.world.transaction(), self._open(False, reading=True) as connection, connection.begin():
            yield Tx(connection)

    @contextlib.contextmanager
    def trial(self) -> Iterator[Tx]:
        """A writing transaction that is always rolled back."""
        with self.world.transaction(), self._open(False) as connection:
            transaction = connection.begin()
            try:
                yield Tx(connection)
            finally:
                transaction.rollback()

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _open(self, durable: bool, *, reading: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(smarketing_reading=reading) as connection:
                if self.sqlite:
                    raw = connection.connection.driver_connection
                    assert raw is not None
                    raw.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                yield connection
        except sa.exc.OperationalError as error:
            _explain(error, self.url)
        except sa.exc.DatabaseError as error:
            if type(error) is not sa.exc.DatabaseError:
                raise  # a constraint, or a mistake of ours
            _explain(error, self.url)


def create(store: Store) -> None:
    """Make the tables in an empty database; leave one that has them alone. Raises StoreError for one that another
    version made."""
    with store.tx() as tx:
        found = version(tx)
        if found is not None:
            _check(found)
            return
        schema.METADATA.create_all(tx._connection)
        generation = f"{int(store.world.random() * 2**32):08x}"
        tx.run(sa.insert(schema.meta), {"name": "generation", "value": generation})
        tx.run(sa.insert(schema.alembic_version), {"version_num": schema.VERSION})
        tx.run(sa.insert(schema.counter), [{"name": name, "n": 0} for name in ("lead", "record", "seq", "token")])


def version(tx: Tx) -> str | None:
    """The migration that a database stands at; None for an empty one."""
    if not sa.inspect(tx._connection).has_table("alembic_version"):
        return None
    return str(tx.value(sa.select(schema.alembic_version.c.version_num)))


def _check(found: str) -> None:
    if found == schema.VERSION:
        return
    older = found < schema.VERSION
    to_newer = "stop the smarketing processes that are at work on it, and run this again: it is brought up to date"
    way_out = to_newer if older else "use the newer smarketing that made it"
    raise StoreError("SM211", f"the database stands at schema {found}, this program needs {schema.VERSION}; {way_out}")


def _engine(url: str, raw: sqlite3.Connection | None) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
        if raw is not None:
            options = {"poolclass": sa.pool.StaticPool, "creator": lambda: raw}
        engine = sa.create_engine(parsed, **options)
        sa.event.listen(engine, "do_connect", _made_private)
        sa.event.listen(engine, "connect", _sqlite_connected)
        sa.event.listen(engine, "begin", _sqlite_begun)
    else:
        engine = sa.create_engine(parsed, pool_size=16, max_overflow=16, pool_pre_ping=True)
        sa.event.listen(engine, "connect", _postgres_connected)
        sa.event.listen(engine, "begin", _postgres_begun)
    return engine


def _made_private(_: object, __: object, arguments: Sequence[Any], options: Mapping[str, Any]) -> None:
    """A file that is not there yet begins as its owner's alone: it will hold everybody's data. SQLite gives what lies
    beside it, journal and index, the same rights."""
    if options.get("uri") or arguments[0] == ":memory:":
        return
    with contextlib.suppress(OSError):  # it is there already; or it cannot be made, which SQLite tells
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _sqlite_connected(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begun(connection: Connection) -> None:
    if connection.get_execution_options().get("smarketing_reading"):
        connection.exec_driver_sql("BEGIN")
        return
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA busy_timeout={round(1000 * min(QUIET_SECONDS, BUSY_SECONDS))}")
    try:
        # A transaction that reads first and writes later would fail at once when another writer came between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    except sa.exc.OperationalError as error:
        if not getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise
        if BUSY_SECONDS > QUIET_SECONDS:
            name = _name(connection.engine.url)
            log.warning("%s: another program is writing to it; waiting for it up to %s s", name, BUSY_SECONDS)
    finally:
        raw.execute(f"PRAGMA busy_timeout={round(1000 * BUSY_SECONDS)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgres_connected(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":
            raise StoreError(
                "SM212",
                "synchronous_commit is off: a power cut would forget what was sent; set it to on for this database",
            )
    connection.rollback()


def _postgres_begun(connection: Connection) -> None:
    if connection.get_execution_options().get("smarketing_reading"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


def _explain(error: sa.exc.DatabaseError, url: sa.URL) -> NoReturn:
    """Say what a person can do about a database that does not work; never the statement or its values."""
    said, kind = str(error.orig).lower(), getattr(error.orig, "sqlite_errorname", "")
    name = _name(url)
    if "locked" in said:
        raise StoreError(
            "SM213", f"{name}: locked for more than {BUSY_SECONDS} s; end the other program that has it open"
        ) from None
    if "full" in said or "no space" in said:
        raise StoreError(
            "SM214", f"{name}: the disk is full; nothing was lost, free some space and start again"
        ) from None
    if kind in NO_ROOM:
        raise StoreError(
            "SM214",
            f"{name}: the disk is full, or a limit on the size of files (ulimit -f) is reached; nothing was lost, make "
            "room or raise the limit and start again",
        ) from None
    if "not a database" in said:
        raise StoreError(
            "SM215", f"{name}: this file is no sqlite database; name another one under database, or move it away"
        ) from None
    if "unable to open" in said or "readonly" in said:
        raise StoreError("SM215", f"{name}: cannot be opened for writing; check the path and its rights") from None
    if "connection" in said or "could not" in said or "refused" in said:
        raise StoreError(
            "SM216", f"{name}: no connection to the database; check its address and that it runs"
        ) from None
    raise StoreError("SM217", f"{name}: the database refused ({kind or type(error.orig).__name__})") from None


NO_ROOM = ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMMAP")
"""What SQLite calls it when a file may not grow for another reason than a full disk."""


def _name(url: sa.URL) -> str:
    return Path(url.database or "").name or url.host or "the database"
