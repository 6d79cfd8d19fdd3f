"""The database itself: its two kinds of transaction, its constraints, and what it says when it does not work."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from sync.model import Known, Lead, OutState
from sync.store import beside, db, feeds, leads, outbox, records
from sync.store.db import Store, StoreError, create
from sync.store.outbox import Row
from sync.store.schema import outbox as outbox_table
from sync.store.schema import record as record_table
from tests.sync.databases import Server, snapshot
from tests.worlds import ManualWorld

Opening = Callable[[ManualWorld], Store]


def names(store: Store) -> list[str]:
    with store.read() as tx:
        return [row.name for row in feeds.systems(tx)]


# --- transactions ------------------------------------------------------------------------------------------------


def test_a_transaction_is_whole_or_not_at_all(store: Store) -> None:
    def fail() -> None:
        with store.tx() as tx:
            feeds.enrol(tx, "crm", "memory")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(store) == []
    with store.tx() as tx:
        feeds.enrol(tx, "crm", "memory")
    assert names(store) == ["crm"]


def test_a_trial_leaves_nothing_not_even_a_number(store: Store) -> None:
    before = snapshot(store)
    with store.trial() as tx:
        feeds.enrol(tx, "crm", "memory")
        leads.insert(tx, [Lead(tx.ids("lead", 1))], 0)
        assert [row.name for row in feeds.systems(tx)] == ["crm"], "within it, it is there"
    assert snapshot(store) == before


def test_a_reader_sees_one_state_whatever_others_write_meanwhile(store: Store, another: Opening) -> None:
    other = another(ManualWorld())
    with store.read() as tx:
        assert feeds.systems(tx) == []
        with other.tx() as writing:
            feeds.enrol(writing, "crm", "memory")
        assert feeds.systems(tx) == []
    assert names(store) == ["crm"]


def test_a_reader_cannot_write_on_postgresql(server: Server) -> None:
    with server.database() as url, contextlib.closing(Store(url, ManualWorld())) as store:

        def write() -> None:
            with store.read() as tx:
                feeds.enrol(tx, "crm", "memory")

        with pytest.raises(sa.exc.InternalError, match="read-only"):
            write()


def test_two_who_write_wait_for_each_other_and_lose_nothing(store: Store, another: Opening) -> None:
    stores = [another(ManualWorld()) for _ in range(4)]
    taken: list[int] = []

    def work(mine: Store) -> None:
        for _ in range(10):
            with mine.tx() as tx:
                taken.append(tx.ids("lead", 2))

    threads = [threading.Thread(target=work, args=(each,)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 81, 2))


def test_no_boundary_is_passed_within_a_transaction(store: Store, world: ManualWorld) -> None:
    for opening in (store.tx, store.read, store.trial):
        with opening(), pytest.raises(RuntimeError, match="inside a transaction"):
            world.pause("request")
    world.pause("request")


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_a_durable_transaction_is_on_the_disk_when_it_returns(tmp_path: Path, durable: bool, level: int) -> None:
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 'store.db'}", ManualWorld())) as store:
        create(store)
        with store.tx(durable=not durable):
            pass
        with store.tx(durable=durable) as tx:
            assert tx.value(sa.text("PRAGMA synchronous")) == level
            assert tx.value(sa.text("PRAGMA journal_mode")) == "wal"
            assert tx.value(sa.text("PRAGMA foreign_keys")) == 1
            assert tx.value(sa.text("PRAGMA secure_delete")) == 1


def test_a_transaction_that_reads_first_and_writes_later_is_not_stopped_by_another_writer(tmp_path: Path) -> None:
    """On SQLite a deferred one would fail at once."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with contextlib.closing(Store(url, ManualWorld())) as one, contextlib.closing(Store(url, ManualWorld())) as two:
        create(one)
        with one.tx() as tx:
            assert feeds.systems(tx) == []
            began = threading.Event()

            def write() -> None:
                began.set()
                with two.tx() as other:
                    feeds.enrol(other, "two", "memory")

            thread = threading.Thread(target=write)
            thread.start()
            began.wait()
            feeds.enrol(tx, "one", "memory")
        thread.join()
        assert names(one) == ["one", "two"]


# --- what must never be stored -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        (Known(0, 1, "person", "x1"), Known(0, 1, "person", "x1"), False),
        (Known(0, 1, "person", "x1"), Known(0, 1, "contact", "x1"), True),
        (Known(0, 1, "person", "x1"), Known(0, 2, "person", "x1"), True),
        (Known(0, 1, "person", None, 7), Known(0, 1, "person", None, 7), False),
        (Known(0, 1, "person", None, 7), Known(0, 2, "person", None, 7), True),
        (Known(0, 1, "person", None, 7), Known(0, 1, "person", None, 8), True),
        (Known(0, 1, "person", "x1", 7), Known(0, 1, "person", "x2", 7), True),
        (Known(0, 1, "person", None, 7), Known(0, 1, "person", "x1", 7), True),
        (Known(5, 1, "person", "x1"), Known(5, 1, "person", "x2"), False),
    ],
    ids=[
        "one record twice", "another object", "another system", "two creates of one person in one system",
        "creates in two systems", "creates of two people", "two records of one person", "a create beside a record", "one id twice",
    ],
)  # fmt: skip
def test_no_record_is_there_twice_and_nobody_is_being_made_twice(
    store: Store, first: Known, second: Known, allowed: bool
) -> None:
    for each in (first, second):
        each.id = each.id if each.id == 5 else 0

    def insert() -> None:
        with store.tx() as tx:
            records.insert(tx, [first, second])

    if allowed:
        insert()
    else:
        with pytest.raises(sa.exc.IntegrityError):
            insert()
    with store.read() as tx:
        assert tx.value(sa.select(sa.func.count()).select_from(record_table)) == (2 if allowed else 0)


# --- the outbox --------------------------------------------------------------------------------------------------


def row(number: int, state: OutState = OutState.PROPOSED, **more: object) -> Row:
    return Row(number, 1, 1, "update", {"fields": {"a": f"a{number}"}}, 1, 0, 0, 1, int(state), **more)  # type: ignore[arg-type]


def test_a_newer_plan_replaces_what_was_not_sent_and_never_what_is_being_sent(store: Store) -> None:
    states = (OutState.PROPOSED, OutState.QUEUED, OutState.SENDING)
    with store.tx() as tx:
        outbox.put(tx, [row(number, state) for number, state in enumerate(states)])
        outbox.put(tx, [Row(number, 1, 1, "update", {"fields": {"a": "newer"}}, 1, 1, 0, 2) for number in range(3)])
    with store.read() as tx:
        found = outbox.by_record(tx, range(3))
    assert [found[n].body["fields"]["a"] for n in range(3)] == ["newer", "newer", "a2"]
    assert [found[n].state for n in range(3)] == [OutState.PROPOSED, OutState.PROPOSED, OutState.SENDING]


def test_only_what_is_approved_is_claimed_and_only_once(store: Store) -> None:
    with store.tx() as tx:
        outbox.put(tx, [row(1), row(2, OutState.QUEUED)])
    with store.tx(durable=True) as tx:
        outbox.claim(tx, [1, 2], token=7, at=99)
        outbox.claim(tx, [2], token=8, at=100)
    with store.read() as tx:
        found = outbox.by_record(tx, [1, 2])
        assert ([found[n].state for n in (1, 2)], found[2].token, found[2].tries) == (
            [OutState.PROPOSED, OutState.SENDING],
            7,
            1,
        )
        assert outbox.flying(tx, [1, 2]).keys() == {2}


def test_rows_are_handed_out_by_lane_and_then_in_the_order_they_were_decided(store: Store) -> None:
    with store.tx() as tx:
        outbox.put(tx, [row(number, OutState.QUEUED) for number in (5, 3, 9)])
        outbox.put(tx, [Row(7, 1, 0, "update", {}, 1, 0, 0, 1, int(OutState.QUEUED))])
        outbox.put(
            tx, [Row(8, 1, 3, "create", {}, 1, 0, 0, 1, int(OutState.QUEUED)), row(2, OutState.QUEUED, not_before=50)]
        )
    with store.read() as tx:
        assert [each.record for each in outbox.ready(tx, 1, 10, 99)] == [7, 5, 3, 9, 8]
        assert [each.record for each in outbox.ready(tx, 1, 50, 99)] == [7, 5, 3, 9, 2, 8]
        assert [each.record for each in outbox.ready(tx, 1, 50, 2)] == [7, 5]


def test_while_rows_are_read_one_by_one_others_can_be_written(store: Store) -> None:
    """And nothing that follows in the transaction is read in that way."""
    with store.tx() as tx:
        outbox.put(tx, [row(number) for number in range(1, 1_200)])
        seen = 0
        for each in outbox.proposed(tx):
            seen += 1
            if each.record == 700:
                assert outbox.by_record(tx, [700]).keys() == {700}
        outbox.put(tx, [row(5_000)])
        assert (seen, tx.ids("lead", 1), outbox.approve(tx)) == (1_199, 1, 1_200)


# --- many at once ------------------------------------------------------------------------------------------------


def test_a_crowd_is_looked_up_however_few_values_a_statement_may_have(memory: Store) -> None:
    """Tens of thousands of records share one made-up address, as in any grown CRM; a statement takes fewer values."""
    with memory.tx() as tx:
        raw = tx._connection.connection.driver_connection
        assert raw is not None
        raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        records.insert(tx, [Known(number, 1, "person", f"x{number}") for number in (1, 32_999)])
        records.keep_apart(tx, 1, 32_999, "ann", 0)
        leads.insert(tx, [Lead(1), Lead(32_999)], 0)
        assert records.by_id(tx, range(1, 33_001)).keys() == {1, 32_999}
        assert records.kept_apart(tx, range(1, 33_001)) == {(1, 32_999)}
        assert leads.by_id(tx, range(1, 33_001)).keys() == {1, 32_999}


# --- what does not work ------------------------------------------------------------------------------------------


def refused(url: str, code: str, match: str) -> None:
    with contextlib.closing(Store(url, ManualWorld())) as store:
        with pytest.raises(StoreError, match=match) as caught:
            create(store)
        assert (caught.value.code, caught.value.__cause__, str(caught.value).islower()) == (code, None, True)


def test_a_database_that_another_program_has_locked_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "BUSY_SECONDS", 0)
    path = tmp_path / "store.db"
    with contextlib.closing(Store(f"sqlite:///{path}", ManualWorld())) as store:
        create(store)
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with (
                pytest.raises(
                    StoreError, match=r"store\.db: locked for more than 0 s; end the other program"
                ) as caught,
                store.tx(),
            ):
                pass
    assert caught.value.code == "SM213"


def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 'store.db'}", ManualWorld())) as store:
        create(store)
        with store.tx() as tx:
            feeds.enrol(tx, "crm", "memory")
            pages = tx.value(sa.text("PRAGMA page_count"))

        def fill() -> None:
            with store.tx() as tx:
                tx._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
                records.insert(tx, [Known(0, 1, "person", f"x{n}", now={"note": "n" * 900}) for n in range(100)])

        with pytest.raises(StoreError, match="the disk is full; nothing was lost") as caught:
            fill()
        assert caught.value.code == "SM214"
        assert names(store) == ["crm"]
        with store.read() as tx:
            assert tx.value(sa.select(sa.func.count()).select_from(record_table)) == 0


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    refused(
        f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}",
        "SM215",
        r"store\.db: cannot be opened for writing; check the path",
    )


def test_a_file_that_may_only_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(Store(f"sqlite:///{path}", ManualWorld())) as store:
        create(store)
    url = f"sqlite:///file:{path}?mode=ro&uri=true"
    with contextlib.closing(Store(url, ManualWorld())) as store:

        def write() -> None:
            with store.tx() as tx:
                feeds.enrol(tx, "crm", "memory")

        with pytest.raises(StoreError, match="cannot be opened for writing") as caught:
            write()
        assert caught.value.code == "SM215"


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"Name;E-mail\r\nAnn;ann@example.com\r\n" * 50)
    refused(f"sqlite:///{path}", "SM215", r"store\.db: this file is no sqlite database; name another one")


def test_files_that_may_not_grow_are_told_as_a_full_disk(tmp_path: Path) -> None:
    """In a process of its own: a limit that was lowered is not raised again."""
    script = """
import resource, sys
from sync.store.db import Store, StoreError, create
from tests.worlds import ManualWorld
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    create(Store(sys.argv[1], ManualWorld()))
except StoreError as error:
    print(error.code, error)
"""
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'store.db'}"]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=root)
    assert done.stdout.startswith("SM214 store.db: the disk is full, or a limit on the size of files (ulimit -f)")


def test_what_is_made_here_is_its_owners_alone_and_what_was_there_keeps_its_rights(tmp_path: Path) -> None:
    def rights() -> dict[str, int]:
        return {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}

    path = tmp_path / "store.db"
    for mode in (0o600, 0o640):
        with contextlib.closing(Store(f"sqlite:///{path}", ManualWorld())) as store:
            create(store)
            beside.mark(store)
            assert rights() == {
                "store.db": mode,
                "store.db-wal": mode,
                "store.db-shm": mode,
                "store.db.mark": 0o600,
            }
        path.chmod(0o640)


def test_a_writer_that_waits_for_another_program_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(db, "QUIET_SECONDS", 0.01)
    path = tmp_path / "store.db"
    with contextlib.closing(Store(f"sqlite:///{path}", ManualWorld())) as store:
        create(store)
        caplog.clear()
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        listener = logging.Handler()
        listener.emit = lambda record: other.rollback()  # type: ignore[method-assign]
        logging.getLogger(db.__name__).addHandler(listener)
        try:
            with store.tx() as tx:
                feeds.enrol(tx, "crm", "memory")
        finally:
            logging.getLogger(db.__name__).removeHandler(listener)
            other.close()
        assert names(store) == ["crm"]
    (told,) = caplog.messages
    assert told == "store.db: another program is writing to it; waiting for it up to 30 s"


def test_a_server_that_is_not_there_says_so() -> None:
    refused(
        "postgresql+psycopg://nobody:s3cret@127.0.0.1:1/smarketing",
        "SM216",
        "smarketing: no connection to the database; check its address",
    )


def test_a_database_that_is_not_on_the_server_says_so(server: Server) -> None:
    refused(server.url("nowhere"), "SM216", "nowhere: no connection to the database")


def test_a_server_that_would_forget_what_was_sent_is_refused(server: Server) -> None:
    with server.database() as url:
        name = sa.make_url(url).database
        server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        refused(url, "SM212", "synchronous_commit is off: a power cut would forget what was sent; set it to on")


def test_a_connection_that_broke_says_so_and_the_next_one_works(server: Server) -> None:
    """The server was started again while we slept."""
    with server.database() as url, contextlib.closing(Store(url, ManualWorld())) as store:
        with store.tx() as tx:
            feeds.enrol(tx, "crm", "memory")
        server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{sa.make_url(url).database}'"
        )
        assert names(store) == ["crm"]


def test_no_message_holds_a_password_a_statement_or_a_value(tmp_path: Path) -> None:
    said: list[str] = []
    for url in (
        "postgresql+psycopg://nobody:s3cret@127.0.0.1:1/smarketing",
        f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}",
    ):
        with contextlib.closing(Store(url, ManualWorld())) as store, pytest.raises(StoreError) as caught:
            create(store)
        said.append(f"{caught.value} {caught.value!r}")
    assert not any(word in text for text in said for word in ("s3cret", "SELECT", "PRAGMA", str(tmp_path)))


@pytest.fixture
def memory() -> Iterator[Store]:
    world = ManualWorld()
    with contextlib.closing(
        Store("sqlite://", world, raw=sqlite3.connect(":memory:", check_same_thread=False))
    ) as store:
        create(store)
        yield store


def test_a_store_over_an_open_database_keeps_it_open(memory: Store) -> None:
    with memory.tx() as tx:
        feeds.enrol(tx, "crm", "memory")
    assert names(memory) == ["crm"]


def test_the_table_of_what_is_sent_has_one_row_for_each_record(store: Store) -> None:
    with store.tx() as tx:
        outbox.put(tx, [row(1), row(1)])
        assert tx.value(sa.select(sa.func.count()).select_from(outbox_table)) == 1
