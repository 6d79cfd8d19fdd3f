"""Over real HTTP no clause is left out for want of a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.conformance import CLAUSES, Clause, Rig
from connectors.memory_records import COERCING
from tests.connectors.memory_over_http import http_rig
from tests.connectors.skips import skips_are_reviewed


@pytest.fixture
def rig() -> Iterator[Rig]:
    with http_rig(COERCING) as made:
        yield made


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_memory_conforms_over_http(clause: Clause, rig: Rig) -> None:
    if why := clause.needs(rig.capabilities(), rig):
        pytest.skip(why)
    clause.run(rig)


def test_what_is_skipped_over_http_is_reviewed(rig: Rig) -> None:
    skips_are_reviewed("memory-over-http", rig)
