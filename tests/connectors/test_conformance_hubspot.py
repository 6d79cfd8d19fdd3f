"""The HubSpot connector keeps every clause against the stand-in over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.conformance import CLAUSES, Clause, Rig
from tests.connectors.hubspot_rigs import RIGS, hubspot_rig
from tests.connectors.skips import skips_are_reviewed


@pytest.fixture(params=RIGS)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(which: str) -> Iterator[Rig]:
    with hubspot_rig(RIGS[which]) as made:
        yield made


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_hubspot_conforms(clause: Clause, rig: Rig) -> None:
    if why := clause.needs(rig.capabilities(), rig):
        pytest.skip(why)
    clause.run(rig)


def test_what_is_skipped_for_hubspot_is_reviewed(which: str, rig: Rig) -> None:
    skips_are_reviewed(f"hubspot-{which}", rig)
