"""Everything that is held about a person, told as one document."""

from __future__ import annotations

import json
import stat

import pytest

from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]


@pytest.fixture
def lived(rig: Rig) -> Rig:
    """Ann is in both systems, changed her title and opted out; Ola is in one at first."""
    ref = rig.put("crm", **ANN, title="CEO")
    rig.put("list", **OLA)
    rig("sync")
    rig.edit("crm", ref, title="Daglig leder")
    rig.vendors["crm"].opt_out(str(ANN["email"]))
    rig("sync")
    return rig


def test_a_person_is_told_whole(lived: Rig) -> None:
    (told,) = lived("export", "1").json["leads"]
    assert told["values"]["title"] == {"value": "Daglig leder", "from": "crm", "rule": "only edit", "run": 2}
    assert [(each["system"], each["state"]) for each in told["records"]] == [("crm", "live"), ("list", "live")]
    assert told["records"][0]["fields"]["title"] == "Daglig leder"
    assert [(each["cell"], each["state"]) for each in told["consent"]] == [("consent.email", "out")]
    assert {each["what"] for each in told["history"]} == {"sync"}
    assert any(each["change"].get("fields", {}).get("title") == ["CEO", "Daglig leder"] for each in told["history"])


def test_somebody_can_be_named_by_a_record(lived: Rig) -> None:
    assert lived("export", "list", "person:1001").json["leads"][0]["values"]["email"]["value"] == OLA["email"]


def test_everybody_is_told_once_into_a_file_of_its_owner(lived: Rig) -> None:
    path = lived.folder / "all.json"
    ran = lived("export", "--all", "--out", str(path))
    assert (ran.code, ran.out, ran.err) == (0, "", f"{path}: 2 leads\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text("utf-8"))
    assert (told["format_version"], [each["lead"] for each in told["leads"]]) == ("1.0", [1, 2])


def test_who_was_joined_is_part_of_the_other(lived: Rig) -> None:
    number = int(lived("leads", "merge", "1", "2", "--json").json["count"])
    lived("leads", "merge", "1", "2", "--confirm", str(number))
    (told,) = lived("export", "--all").json["leads"]
    assert (told["lead"], told["former_numbers"]) == (1, [2])
    assert len(told["records"]) >= 3
    assert lived("export", "2").json["leads"][0]["lead"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), "SM237", "name a lead, or say --all"),
        (("1", "--all"), "SM237", "name a lead, or say --all"),
        (("99",), "SM237", "there is no lead 99"),
        (("--all", "--out", "nowhere/all.json"), "SM230", "make the folder"),
    ],
)
def test_what_cannot_be_meant(lived: Rig, words: tuple[str, ...], code: str, said: str) -> None:
    ran = lived("export", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error[{code}]")
    assert said in ran.err
