"""The Mailchimp connector keeps every clause against the stand-in over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.conformance import CLAUSES, Clause, Rig
from tests.connectors.mailchimp_rigs import mailchimp_rig
from tests.connectors.skips import skips_are_reviewed


@pytest.fixture
def rig() -> Iterator[Rig]:
    with mailchimp_rig() as made:
        yield made


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_mailchimp_conforms(clause: Clause, rig: Rig) -> None:
    if why := clause.needs(rig.capabilities(), rig):
        pytest.skip(why)
    clause.run(rig)


def test_what_is_skipped_for_mailchimp_is_reviewed(rig: Rig) -> None:
    skips_are_reviewed("mailchimp", rig)
