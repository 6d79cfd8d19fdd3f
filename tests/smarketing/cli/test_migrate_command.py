"""`migrate` as it is typed: shown first, confirmed by a number, accounted for in whatever form somebody wants."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors.backdoor import Fault, When
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]

MOVE = ("migrate", "--from", "crm", "--to", "list")


@pytest.fixture
def two(rig: Rig) -> Rig:
    rig.configure("trust: [crm, list], first: approve")
    rig.put("crm", **ANN, title="CEO")
    rig.put("crm", **OLA)
    rig.put("list", **OLA)
    return rig


def test_first_it_is_shown_and_nothing_is_written(two: Rig) -> None:
    ran = two(*MOVE)
    assert ran.code == 0
    golden("migrate-preview.txt", ran.out, two)
    assert ran.err == (
        'nothing was done yet; carry it out with "smarketing migrate --from crm --to list --confirm 2"\n'
    )
    assert len(two.vendors["list"].records()) == 1


def test_another_number_does_nothing(two: Rig) -> None:
    ran = two(*MOVE, "--confirm", "3")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error[SM251]: nothing was done: 2 records would be moved, --confirm says 3\n"
    assert len(two.vendors["list"].records()) == 1


def test_carried_out_it_accounts_for_every_record_and_a_second_time_changes_nothing(two: Rig) -> None:
    for _ in range(2):
        ran = two(*MOVE, "--confirm", "2")
        assert ran.code == 0
        assert ran.out.startswith(
            "from  records  created  matched  merged  skipped  failed\n"
            "crm         2        1        1       0        0       0\n"
        )
    assert sorted(str(each.fields["first_name"]) for each in two.vendors["list"].records()) == ["Ann", "Ola"]
    assert two("status").out.count("refused") == 0


def test_programs_get_one_document_each_time(two: Rig) -> None:
    shown = two(*MOVE, "--json").json
    assert (shown["count"], shown["operations"], shown["records"]) == (2, {"create": 1, "update": 0}, {"crm": 2})
    done = two(*MOVE, "--confirm", "2", "--json").json
    assert done["accounts"] == {"crm": {"created": 1, "matched": 1, "merged": 0, "skipped": 0, "failed": 0}}
    assert [each["state"] for each in done["runs"]] == ["done"]


@pytest.mark.parametrize("ending", ["json", "xlsx", "txt"])
def test_the_account_is_kept_as_a_file_of_its_owner(two: Rig, ending: str) -> None:
    path = two.folder / f"account.{ending}"
    assert two(*MOVE, "--confirm", "2", "--report", str(path)).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _fates(path) == ["created", "matched"]
    assert [each.name for each in two.folder.glob(".account*")] == []


def _fates(path: Path) -> list[str]:
    if path.suffix == ".json":
        told = json.loads(path.read_text("utf-8"))
        assert told["sums"][0]["records"] == len(told["records"])
        return [each["fate"] for each in told["records"]]
    if path.suffix == ".xlsx":
        book = load_workbook(path)
        assert [each.value for each in book["Sums"][2]] == ["crm", 2, 1, 1, 0, 0, 0]
        return [str(row[3].value) for row in book["Records"].iter_rows(min_row=2)]
    lines = path.read_text("utf-8").splitlines()
    assert lines[-1] == "crm: 2 records: 1 created, 1 matched, 0 merged, 0 skipped, 0 failed"
    return [line.split(": ")[1].split(" ")[0] for line in lines[:2]]


def test_whoever_cannot_be_moved_is_told_and_it_ends_with_3(rig: Rig) -> None:
    mapping = rig.folder / "list.yaml"
    mapping.write_text("connector: memory\nfields: {last_name: {remote: last_name, required: true}}\n", "utf-8")
    rig.configure("first: approve", list="mapping: list.yaml")
    rig.put("crm", email="ann@example.com", first_name="Ann")
    ran = rig(*MOVE, "--confirm", "1")
    assert ran.code == 3
    assert "crm person:1001: missing; see question 1 of the review queue\n" in ran.out
    assert ran.err.startswith("error[SM254]: 1 record could not be moved")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "crm", "--to", "crm"), "SM249", "cannot move into itself"),
        (("--from", ",", "--to", "list"), "SM249", "names no system"),
        (("--from", "cmr", "--to", "list"), "SM108", "crm"),
        (("--from", "crm", "--to", "list", "--report", "account.pdf"), "SM230", ".xlsx"),
        (("--from", "crm", "--to", "list", "--report", "nowhere/account.txt"), "SM230", "folder"),
    ],
)
def test_what_cannot_be_meant(rig: Rig, words: tuple[str, ...], code: str, said: str) -> None:
    ran = rig("migrate", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error[{code}]")
    assert said in ran.err


def test_a_target_that_must_not_be_written_to_is_not(rig: Rig) -> None:
    rig.configure("first: approve", list="writes: update")
    ran = rig(*MOVE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error[SM249]: nobody may be made in list: systems.list.writes is update; set it to all")


def test_a_source_that_cannot_be_read_stops_the_move(two: Rig) -> None:
    two.vendors["crm"].fault(Fault.FORBIDDEN, When(path="LIST", times=9))
    ran = two(*MOVE, "--confirm", "2")
    assert ran.code == 1
    assert "crm" in ran.err
    assert len(two.vendors["list"].records()) == 1
