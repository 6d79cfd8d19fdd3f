"""A database that was put back from a copy: nobody is made twice, and a person sees the plan first."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from connectors.memory_records import Temperament
from sync import prepare
from sync.store import beside, feeds, outbox
from sync.store.db import Store, create, generation
from tests.sync.installation import ANN, OLA, Installation, There
from tests.worlds import ManualWorld


def opened(file: Path, world: ManualWorld) -> Store:
    store = Store(f"sqlite:///{file}", world)
    create(store)
    return store


def test_a_database_that_knows_less_than_its_mark_was_put_back(tmp_path: Path) -> None:
    world, file = ManualWorld(), tmp_path / "store.db"
    with contextlib.closing(opened(file, world)) as store:
        assert not beside.was_put_back(store), "there is no mark yet"
        here = Installation({"crm": There()}, store=store, world=world)
        here.run()
        beside.mark(store)
        assert not beside.was_put_back(store)
    shutil.copy(file, tmp_path / "copy")
    with contextlib.closing(opened(file, world)) as store:
        here = Installation({"crm": There()}, store=store, world=world)
        here.run()
        assert not beside.was_put_back(store), "the mark may lag behind, as after a power cut"
        beside.mark(store)
    shutil.copy(tmp_path / "copy", file)
    with contextlib.closing(opened(file, world)) as store:
        assert beside.was_put_back(store)


def test_another_database_under_the_same_name_is_recognised(tmp_path: Path) -> None:
    world, file = ManualWorld(), tmp_path / "store.db"
    with contextlib.closing(opened(file, world)) as store:
        beside.mark(store)
    file.unlink()
    with contextlib.closing(opened(file, world)) as store:
        assert beside.was_put_back(store)


@pytest.mark.parametrize("said", [b"", b"\x00", b"[]", b'{"run": {}}'])
def test_a_mark_that_cannot_be_read_says_nothing(tmp_path: Path, said: bytes) -> None:
    with contextlib.closing(opened(tmp_path / "store.db", ManualWorld())) as store:
        (tmp_path / "store.db.mark").write_bytes(said)
        assert not beside.was_put_back(store)


@pytest.mark.parametrize("key", [True, False])
def test_after_an_old_copy_nobody_is_made_a_second_time_and_a_person_sees_the_plan(tmp_path: Path, key: bool) -> None:
    temper = Temperament(returns_fields=True, consent="record", own_key=key)
    world, file = ManualWorld(), tmp_path / "store.db"
    store = opened(file, world)
    here = Installation({"crm": There(temper), "list": There(temper)}, store=store, world=world, first="approve")
    here.put("crm", **ANN, title="t0")
    here.run(wanted=here.hashes())
    with store.tx() as tx:
        before = generation(tx)
    store.close()
    shutil.copy(file, tmp_path / "copy")

    vendors, store = here.vendors, opened(file, world)
    here = Installation({"crm": There(temper), "list": There(temper)}, store=store, world=world, first="approve")
    here.vendors = vendors
    here.configured()
    here.put("crm", **OLA)
    here.run()
    assert sorted(here.shown("list", "first")) == ["Ann", "Ola"]
    store.close()
    shutil.copy(tmp_path / "copy", file)

    store = opened(file, world)
    here = Installation({"crm": There(temper), "list": There(temper)}, store=store, world=world, first="approve")
    here.vendors = vendors
    here.configured()
    with store.tx() as tx:
        prepare.distrust(here.engine, tx)
        assert generation(tx) != before
        assert {row.state for row in feeds.systems(tx)} == {"restored"}
        assert all(row.primed_at is None for row in feeds.feeds(tx))
        assert outbox.counts(tx) == {}
    here.run()
    here.run()
    assert sorted(here.shown("list", "first")) == ["Ann", "Ola"]
    assert sorted(here.shown("crm", "first")) == ["Ann", "Ola"]
    assert len(here.people()) == 2
    store.close()


def test_after_an_old_copy_nothing_is_pushed_even_where_first_plans_are_not_asked_about(tmp_path: Path) -> None:
    world, file = ManualWorld(), tmp_path / "store.db"
    store = opened(file, world)
    here = Installation({"crm": There(), "list": There()}, store=store, world=world)
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="t1")
    with store.tx() as tx:
        prepare.distrust(here.engine, tx)
    before = len(here.writes("list"))
    report = here.run()
    assert (report.unapproved, len(here.writes("list"))) == (["crm", "list"], before)
    here.run(wanted=here.hashes())
    assert here.shown("list", "title") == ["t1"]
    here.edit("crm", ref, title="t2")
    assert here.run().unapproved == [], "it goes on as it is configured"
    assert here.shown("list", "title") == ["t2"]
    store.close()
