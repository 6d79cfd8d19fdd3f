"""The demonstration: it ends well, and it would not if the systems did not agree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smarketing.cli import main
from smarketing.demo import tour
from smarketing.demo.tour import Disappointed, Tour
from smarketing.sandbox import opening, sample
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """The way up to the first agreement."""
    folder = tmp_path_factory.mktemp("demo")
    world = RealWorld()
    hubspot, salesforce = opening.hubspot(world, search_lag=0.0), opening.salesforce(world)
    stage = sample.open_stage(hubspot, salesforce, folder / "leads.csv", world)
    stage.arrive()
    with Sandbox({"hubspot": hubspot, "salesforce": salesforce}, world, "t") as served, contextlib.chdir(folder):
        tour.write_configuration(folder, served.line())
        made = Tour(stage, served.line())
        made.agree()
        yield made


def test_the_whole_way_ends_in_agreement_and_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    here = os.getcwd()
    assert main.run(["demo"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("The systems agree.\n")
    assert said.out.count("$ smarketing plan --exit-code") == 3
    assert "error" not in said.err
    assert (os.getcwd(), list(tmp_path.iterdir())) == (here, [])


def test_a_disagreement_that_nobody_expects_ends_it_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Tour.check

    def spoilt(self: Tour, waits: Any) -> None:
        self.stage.hubspot.edit(self.stage.ref("agreed", "hubspot"), {"jobtitle": "Somebody else"})
        real(self, waits)

    monkeypatch.setattr(Tour, "check", spoilt)
    assert main.run(["demo"]) == 1
    said = capsys.readouterr()
    assert "disagree about 1 value" in said.err
    assert 'hubspot "Somebody else"' in said.out
    assert "The systems agree" not in said.out


def test_a_plan_that_is_not_empty_is_a_failure(agreed: Tour) -> None:
    ref, title = agreed.stage.ref("agreed", "hubspot"), agreed.stage.people["agreed"].title
    agreed.stage.hubspot.edit(ref, {"jobtitle": "Somebody else"})
    try:
        with pytest.raises(Disappointed, match="not empty"):
            agreed.nothing_to_do("")
    finally:
        agreed.stage.hubspot.edit(ref, {"jobtitle": title})
    agreed.nothing_to_do("")


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        ("agreed", {"phone": "+4722000001"}),
        ("opts_out", {"hs_email_optout": "true"}),
        ("deleted", {"lastname": "Another"}),
    ],
)
def test_any_value_that_moves_in_one_system_is_seen(agreed: Tour, role: str, fields: dict[str, str | None]) -> None:
    ref = agreed.stage.ref(role, "hubspot")
    before = next(each.fields for each in agreed.stage.hubspot.records() if each.ref == ref)
    agreed.check(sample.FIRST_DAY)
    agreed.stage.hubspot.edit(ref, dict(fields))
    with pytest.raises(Disappointed, match="disagree"):
        agreed.check(sample.FIRST_DAY)
    agreed.stage.hubspot.edit(ref, {name: before.get(name, "false") for name in fields})
    agreed.check(sample.FIRST_DAY)


def test_a_record_too_many_is_seen_though_it_says_the_same(agreed: Tour) -> None:
    member = agreed.stage.people["in_salesforce"]
    ref = agreed.stage.salesforce.put(
        "Lead",
        {
            "LastName": member.last,
            "Email": member.email,
            "Phone": member.phone,
            "Company": member.company,
            "Title": member.title,
            "City": member.city,
        },
    )
    with pytest.raises(Disappointed, match="disagree about 1 value"):
        agreed.check(sample.FIRST_DAY)
    agreed.stage.salesforce.remove(ref)


def test_an_expected_difference_must_be_told_by_the_program_too(agreed: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tour, "reasons", lambda self: {person: set() for person in self.people})
    with pytest.raises(Disappointed, match="does not say why"):
        agreed.check(sample.FIRST_DAY)


def test_a_command_that_fails_ends_it(agreed: Tour) -> None:
    with pytest.raises(Disappointed, match="ended with 2"):
        agreed.type("plan", "--no-such-option")
