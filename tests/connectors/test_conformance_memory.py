"""The reference connector keeps every clause, whatever the vendor's temperament."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.conformance import CLAUSES, Clause, Rig
from tests.connectors.memory_rigs import TEMPERAMENTS, memory_rig
from tests.connectors.skips import skips_are_reviewed


@pytest.fixture(params=TEMPERAMENTS)
def temperament(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(temperament: str) -> Iterator[Rig]:
    made = memory_rig(TEMPERAMENTS[temperament])
    yield made
    made.close()


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_memory_conforms(clause: Clause, rig: Rig) -> None:
    if why := clause.needs(rig.capabilities(), rig):
        pytest.skip(why)
    clause.run(rig)


def test_what_is_skipped_for_memory_is_reviewed(temperament: str, rig: Rig) -> None:
    skips_are_reviewed(f"memory-{temperament}", rig)
