"""A sheet keeps the contract like any other system, as .csv and as .xlsx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.conformance import CLAUSES, Clause, Rig
from tests.connectors.sheet_rigs import PAGE, sheet_rig
from tests.connectors.skips import skips_are_reviewed


@pytest.fixture(params=["csv", "xlsx"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr("connectors.spreadsheet.connector.PAGE", PAGE)
    monkeypatch.setattr("connectors.spreadsheet.connector.BATCH", 200)
    made = sheet_rig(tmp_path / f"leads.{kind}")
    yield made
    made.close()


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_a_sheet_conforms(clause: Clause, rig: Rig) -> None:
    if why := clause.needs(rig.capabilities(), rig):
        pytest.skip(why)
    clause.run(rig)


def test_what_is_skipped_for_a_sheet_is_reviewed(kind: str, rig: Rig) -> None:
    skips_are_reviewed(f"spreadsheet-{kind}", rig)
