"""Opening the store, and its two kinds of transaction.

One writer at a time, on both databases: SQLite by BEGIN IMMEDIATE, PostgreSQL by one advisory lock. Writing
transactions are short (what is decided is computed outside them), so this costs little and both behave alike.
A durable transaction is on the disk when it returns; others may be lost in a power cut, in order, from the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url

from connectors.world import World
from sync.store import schema

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode

WRITER_LOCK = 0x534D_4B54
BUSY_SECONDS = 30


def pack(value: object) -> bytes:
    """JSON bytes; the same value always gives the same bytes."""
    return _encode(value)


def pack_or_none(value: object) -> bytes | None:
    """None for what is empty."""
    return _encode(value) if value else None


def unpack(stored: bytes | None) -> Any:
    return None if stored is None else _decode(stored)


def digest(value: object) -> str:
    """A short hash of a JSON-native value, for telling whether two are the same."""
    return hashlib.blake2b(_encode(value), digest_size=8).hexdigest()


class StoreError(Exception):
    """The database cannot be used. `code` is stable; the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Tx:
    """A transaction that is open. Rows are tuples; statements are SQLAlchemy Core."""

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
        yield from self._connection.execution_options(yield_per=500).execute(statement, params or {})

    def run(self, statement: sa.Executable, params: Mapping[str, object] | Sequence[Mapping[str, object]] = ()) -> int:
        """Carry out, once for each set of parameters; answers how many rows it met, for a single set."""
        if not params:
            return self._connection.execute(statement).rowcount
        return self._connection.execute(statement, params).rowcount

    def many(self, statement: sa.Executable, params: Sequence[Mapping[str, object]]) -> None:
        """Carry out once for each set of parameters; nothing for none."""
        if params:
            self._connection.execute(statement, params)

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


def create(store: Store) -> None:
    """Make the tables in an empty database; leave one that has them alone. Raises StoreError for one that another
    version made."""
    with store.tx() as tx:
        inspector = sa.inspect(tx._connection)
        if inspector.has_table("meta"):
            found = tx.value(sa.select(schema.meta.c.value).where(schema.meta.c.name == "version"))
            if found != schema.VERSION:
                raise StoreError(
                    "SM211",
                    f"the database stands at schema {found}, this program needs {schema.VERSION}; use the version of "
                    "smarketing that made it, or a newer one",
                )
            return
        schema.METADATA.create_all(tx._connection)
        generation = f"{int(store.world.random() * 2**32):08x}"
        tx.many(
            sa.insert(schema.meta),
            [{"name": "version", "value": schema.VERSION}, {"name": "generation", "value": generation}],
        )
        tx.many(sa.insert(schema.counter), [{"name": name, "n": 0} for name in ("lead", "record", "seq", "token")])


def _engine(url: str, raw: sqlite3.Connection | None) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
        if raw is not None:
            options = {"poolclass": sa.pool.StaticPool, "creator": lambda: raw}
        engine = sa.create_engine(parsed, **options)
        sa.event.listen(engine, "connect", _sqlite_connected)
        sa.event.listen(engine, "begin", _sqlite_begun)
    else:
        engine = sa.create_engine(parsed, pool_size=16, max_overflow=16, pool_pre_ping=True)
        sa.event.listen(engine, "connect", _postgres_connected)
        sa.event.listen(engine, "begin", _postgres_begun)
    return engine


def _sqlite_connected(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "cache_size=-32768", "temp_store=MEMORY", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begun(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer came between.
    reading = connection.get_execution_options().get("smarketing_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


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


def _explain(error: sa.exc.OperationalError, url: sa.URL) -> NoReturn:
    """Say what a person can do about a database that does not work; never the statement or its values."""
    said = str(error.orig).lower()
    name = Path(url.database or "").name or url.host or "the database"
    if "locked" in said:
        raise StoreError(
            "SM213", f"{name}: locked for more than {BUSY_SECONDS} s; end the other program that has it open"
        ) from None
    if "full" in said or "no space" in said:
        raise StoreError(
            "SM214", f"{name}: the disk is full; nothing was lost, free some space and start again"
        ) from None
    if "unable to open" in said or "readonly" in said or "not a database" in said:
        raise StoreError("SM215", f"{name}: cannot be opened for writing; check the path and its rights") from None
    if "connection" in said or "could not" in said or "refused" in said:
        raise StoreError(
            "SM216", f"{name}: no connection to the database; check its address and that it runs"
        ) from None
    raise StoreError("SM217", f"{name}: the database refused ({type(error.orig).__name__})") from None
