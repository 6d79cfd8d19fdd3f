"""What was refused or could not be written is tried again, many questions at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.memory_records import Temperament
from tests.smarketing.cli.rig import ANN, OLA, PLAIN, Rig, rig

__all__ = ["rig"]

CHOOSY = replace(PLAIN, choices={"title": ("CEO",)})


@pytest.fixture
def refused(rig: Rig) -> Rig:
    """The list has no word for two people's titles."""
    becomes(rig, CHOOSY)
    rig.put("crm", **ANN, title="Selger")
    rig.put("crm", **OLA, title="Innkjøper")
    rig("sync")
    rig("sync")
    return rig


def becomes(rig: Rig, how: Temperament) -> None:
    """Somebody changes the list's settings over there."""
    vendor = rig.vendors["list"]
    vendor.temperament = vendor._held._how = how


def titles(rig: Rig) -> list[object]:
    return sorted(str(each.fields.get("title")) for each in rig.vendors["list"].records())


def test_first_it_is_shown_by_cause(refused: Rig) -> None:
    ran = refused("review", "replay")
    assert ran.code == 0
    assert "2 questions\n" in ran.out
    assert ran.err == 'nothing was done yet; carry it out with "smarketing review replay --confirm 2"\n'
    assert titles(refused) == ["None", "None"]


def test_once_the_reason_is_gone_all_is_sent(refused: Rig) -> None:
    becomes(refused, PLAIN)
    ran = refused("review", "replay", "--system", "list", "--confirm", "2")
    assert ran.code == 0
    assert ran.out.startswith("2 questions tried again\n")
    assert titles(refused) == ["Innkjøper", "Selger"]
    assert refused("review", "replay").out == "nothing waits that could be tried again\n"


def test_while_the_reason_stands_it_is_asked_again(refused: Rig) -> None:
    assert refused("review", "replay", "--confirm", "2").code == 0
    assert refused("review", "replay", "--json").json["count"] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--confirm", "3"), "SM251", "2 questions would be tried again, --confirm says 3"),
        (("--kind", "conflict"), "SM244", 'nothing of the kind "conflict" can be tried again'),
        (("--system", "lisst"), "SM108", 'did you mean "list"'),
    ],
)
def test_what_cannot_be_meant(refused: Rig, words: tuple[str, ...], code: str, said: str) -> None:
    ran = refused("review", "replay", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error[{code}]")
    assert said in ran.err
