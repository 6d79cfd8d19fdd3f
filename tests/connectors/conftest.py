"""One scripted HubSpot for all tests that write its answers, begun anew for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.scripted_hubspot import Scripted


@pytest.fixture(scope="session")
def served() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.stop()


@pytest.fixture
def hubspot(served: Scripted) -> Iterator[Scripted]:
    served.begin()
    yield served
    served.end()
