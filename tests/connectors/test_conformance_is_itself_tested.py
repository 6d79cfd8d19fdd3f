"""The suite is tested by connectors that are broken on purpose: each is caught by its clause, and by no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.conformance import CLAUSES, Rig
from tests.connectors.broken import BROKEN, Broken
from tests.connectors.memory_over_http import OverHttp, http_rig
from tests.connectors.memory_rigs import memory_rig


@contextmanager
def rig_of(broken: Broken) -> Iterator[Rig]:
    if issubclass(broken.kind, OverHttp):
        with http_rig(broken.how, broken.kind, socket=False) as rig:
            yield rig
    else:
        rig = memory_rig(broken.how, broken.kind)
        yield rig
        rig.close()


def caught_by(broken: Broken) -> dict[str, str]:
    """The clauses that this connector does not keep, with what they say."""
    caught = {}
    for clause in CLAUSES:
        with rig_of(broken) as rig:
            if clause.needs(rig.capabilities(), rig):
                continue
            try:
                clause.run(rig)
            except AssertionError as error:
                caught[clause.name] = str(error)
    return caught


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_connector_is_caught_by_its_clause_alone(broken: Broken) -> None:
    caught = caught_by(broken)
    assert list(caught) == [broken.clause], caught
    assert caught[broken.clause], "the clause fails without a word"


def test_every_clause_has_a_connector_that_breaks_it() -> None:
    assert {broken.clause for broken in BROKEN} == {clause.name for clause in CLAUSES}


def test_the_clauses_have_names_of_their_own_and_say_what_they_ask() -> None:
    assert len({clause.name for clause in CLAUSES}) == len(CLAUSES)
    for clause in CLAUSES:
        assert clause.says.endswith("."), clause.name
