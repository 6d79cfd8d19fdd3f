"""Stores for the tests of the sync: each test that asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sync.store.db import Store, create
from tests.sync.databases import BACKENDS, Server
from tests.worlds import ManualWorld

# The same examples each time, so that what a law reached can be counted; "explore" looks elsewhere, and longer.
_PROFILE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("same", max_examples=300, derandomize=True, database=None, **_PROFILE)
settings.register_profile("explore", max_examples=2000, **_PROFILE)
settings.load_profile(os.environ.get("SMARKETING_HYPOTHESIS", "same"))


@pytest.fixture(scope="session")
def server(testrun_uid: str) -> Iterator[Server]:
    """PostgreSQL, shared by all workers of this run. Not in pytest's own folder: that is closed to other users, and the
    server does not run as root."""
    with contextlib.closing(Server(Path(tempfile.gettempdir()) / f"smarketing-{testrun_uid[:12]}")) as server:
        server.fill_template(ManualWorld())
        yield server


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'smarketing.db'}"
        with contextlib.closing(Store(url, ManualWorld())) as store:
            create(store)
        yield url
        return
    server: Server = request.getfixturevalue("server")
    with server.database() as url:
        yield url


@pytest.fixture
def world() -> ManualWorld:
    return ManualWorld()


@pytest.fixture
def store(url: str, world: ManualWorld) -> Iterator[Store]:
    with contextlib.closing(Store(url, world)) as store:
        yield store


@pytest.fixture
def another(url: str) -> Iterator[Callable[[ManualWorld], Store]]:
    """Opens the same database as another process would."""
    with contextlib.ExitStack() as stack:
        yield lambda world: stack.enter_context(contextlib.closing(Store(url, world)))
