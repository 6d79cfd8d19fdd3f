"""Two sheets kept in step, by commands alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from smarketing.cli.main import run

HEAD = "First name,Last name,Email,Email consent"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_an_address_corrected_in_a_sheet_we_never_wrote_to_is_a_correction_and_no_second_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text(f"{HEAD}\nAnn,Berg,ann@example.com,no\n", encoding="utf-8")
    other.write_text(f"{HEAD}\n", encoding="utf-8")
    config = tmp_path / "smarketing.yaml"
    config.write_text(
        "systems:\n  a: {connector: spreadsheet, path: a.csv}\n  b: {connector: spreadsheet, path: b.csv}\n"
        "sync: {first: apply, trust: [a, b]}\n",
        encoding="utf-8",
    )

    def sync() -> int:
        return run(["--config", str(config), "sync"])

    assert sync() == 0
    assert rows(one)[0]["smarketing_id"]
    assert [each["Email"] for each in rows(other)] == ["ann@example.com"]
    one.write_text(one.read_text("utf-8").replace("ann@example.com", "ann.berg@example.com"), encoding="utf-8")
    assert sync() == 0
    assert [(each["Email"], each["Email consent"]) for each in rows(other)] == [("ann.berg@example.com", "no")]
    assert len(rows(one)) == 1
    capsys.readouterr()
