"""A whole life of a small installation leaves the same on SQLite as on PostgreSQL: over there, and in the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backdoor import Fault
from connectors.memory_records import COERCING, CONDITIONAL
from sync.guard import Limit
from sync.rules import Policy, Rules
from sync.store.db import Store, Tx, create
from sync.store.schema import METADATA
from tests.sync.databases import Server
from tests.sync.installation import ANN, NO_LIMITS, OLA, PLAIN, Installation, There
from tests.worlds import ManualWorld

GAPS = {"history", "review", "consent_event", "lead_merge"}
"""Tables whose own numbers have gaps on PostgreSQL, where a trial was rolled back."""


@pytest.fixture
def stores(server: Server, tmp_path: Path) -> Iterator[list[Store]]:
    with contextlib.ExitStack() as stack:
        urls = [f"sqlite:///{tmp_path / 'store.db'}", stack.enter_context(server.database())]
        opened = [stack.enter_context(contextlib.closing(Store(url, ManualWorld()))) for url in urls]
        create(opened[0])
        yield opened


def contents(tx: Tx) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for table in METADATA.sorted_tables:
        columns = [column for column in table.c if not (table.name in GAPS and column.name == "id")]
        found[table.name] = sorted((tuple(row) for row in tx.rows(sa.select(*columns))), key=repr)
    del found["meta"]
    return found


def ordinary(here: Installation) -> None:
    """People come, are edited on both sides, opt out, leave; a plan is made and carried out."""
    refs = [here.put("crm", email=f"p{n}@example.com", first="P", last=f"Person{n}x", title=f"t{n}") for n in range(12)]
    here.put("list", email="p3@example.com", first="P", last="Person3x", a="a3")
    here.run()
    here.edit("crm", refs[0], title="left", a="both")
    here.edit("list", here.refs("list")[4], title="right")
    here.vendors["list"].opt_out("p5@example.com")
    here.vendors["crm"].remove(refs[6])
    here.run()
    here.later(90_000)
    here.edit("crm", refs[7], email="new@example.com")
    wanted = here.hashes()
    here.edit("crm", refs[8], title="after the plan")
    here.run(wanted=wanted)
    here.run()


def troubled(here: Installation) -> None:
    """Answers get lost, values are cut and refused, two swap addresses, a question waits."""
    ann, ola = (
        here.put("crm", **ANN, title="A title that is far too long for a list", k="k0"),
        here.put("crm", **OLA, k="k0"),
    )
    for number in range(6):
        here.put("crm", email="info@example.com", first="P", last=f"Person{number}x")
    here.fault("list", Fault.CUT_AFTER, "CREATE")
    here.run()
    here.later(700)
    here.run()
    here.later(30)
    here.edit("crm", ann, email="ola@example.com", k="left")
    here.edit("crm", ola, email="ann@example.com", k="left")
    for ref in here.refs("list")[:2]:
        here.edit("list", ref, k="right")
    here.fault("list", Fault.RATE, "UPDATE", value=30.0)
    here.run()
    here.later(120)
    here.run()
    twin = here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    here.vendors["crm"].merge(ann, twin)
    here.run()
    here.run()


LIVES: dict[str, tuple[Callable[[Installation], None], Callable[[Store], Installation]]] = {
    "ordinary": (
        ordinary,
        lambda store: Installation(
            {"crm": There(), "list": There(replace(PLAIN, consent="address", page=5), deletions="archive")},
            store=store, limits=replace(NO_LIMITS, update=Limit(3, 0.1)), rules=Rules(trust=(1, 2)),
        ),
    ),
    "troubled": (
        troubled,
        lambda store: Installation(
            {"crm": There(CONDITIONAL), "list": There(replace(COERCING, cut={"title": 20}))},
            store=store, rules=Rules({"k": Policy("ask")}, trust=(1, 2)), chunk=3,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_a_whole_life_leaves_the_same_on_both(stores: list[Store], life: str) -> None:
    live, installed = LIVES[life]
    found = []
    for store in stores:
        here = installed(store)
        live(here)
        there = {
            name: [(str(each.ref), each.fields, each.state) for each in vendor.records()]
            for name, vendor in here.vendors.items()
        }
        with store.read() as tx:
            found.append((there, [each.body for each in here.vendors["list"].requests()], contents(tx)))
    assert found[0] == found[1]
    left = {
        "ordinary": ("record", "lead", "history", "consent"),
        "troubled": ("review", "lead_merge", "lead_key"),
    }
    assert all(found[0][2][table] for table in left[life])


def test_a_store_that_is_opened_again_goes_on_where_it_was(stores: list[Store]) -> None:
    """Nothing that matters is kept anywhere else."""
    for store in stores:
        here = Installation({"crm": There(), "list": There()}, store=store)
        ref = here.put("crm", **ANN, title="t0")
        here.run()
        here.edit("crm", ref, title="t1")
        url = store.url.render_as_string(hide_password=False)
        with contextlib.closing(Store(url, here.world)) as again:
            create(again)
            here.store = again
            here.configured()
            here.run()
            assert here.shown("list", "title") == ["t1"]
            assert here.quiet()
