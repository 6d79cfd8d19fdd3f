"""Owners who left, from the configuration to what is read and written."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.problem import ConfigError
from mappings.objects import ObjectMapping
from smarketing.wiring import read_mappings, read_settings


def row(folder: Path, owners: str) -> ObjectMapping:
    file = folder / "c.yaml"
    file.write_text(f"systems: {{s: {{connector: spreadsheet, path: x.csv}}}}\nsync:\n  owners: {{{owners}}}\n")
    return read_mappings(read_settings(file, {}).settings).mappings["s"].objects["row"]


def test_owners_who_left_are_read_and_written_as_those_who_took_over(tmp_path: Path) -> None:
    found = row(tmp_path, "Ola@example.com: kari@example.com, kari@example.com: per@example.com")
    assert found.read({"Owner": "ola@example.com"}) == {"owner": "per@example.com"}
    assert found.write("owner", "kari@example.com") == {"Owner": "per@example.com"}


def test_a_mapping_is_another_one_once_somebody_left(tmp_path: Path) -> None:
    before, after = row(tmp_path, "").digests(), row(tmp_path, "ola@example.com: kari@example.com").digests()
    assert {group for group in before if before[group] != after[group]} == {"owner"}


@pytest.mark.parametrize(
    ("owners", "told"),
    [
        ("a@example.com: a@example.com", 'c.yaml:3:12: "a@example.com"; it leads back to somebody who left'),
        ("a@b: c@example.com", 'c.yaml:3:12: "a@b"; write two e-mail addresses'),
        (
            "x@example.com: y@example.com, X@example.com: z@example.com",
            'c.yaml:3:42: "X@example.com"; "x@example.com" is',
        ),
    ],
)
def test_successors_that_lead_nowhere_are_told_at_their_line(tmp_path: Path, owners: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        row(tmp_path, owners)
    assert [each.code for each in caught.value.problems] == ["SM104"]
    assert told in str(caught.value)
