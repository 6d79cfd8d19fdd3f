"""People who do not exist: the same ones for a seed, put into systems that tell of them in other words."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from mappings.forms import phone_number
from smarketing.sandbox import opening
from smarketing.sandbox.people import DOMAINS, FakerMissing, in_three_ways, people
from smarketing.sandbox.sample import abroad, cast, grouped
from smarketing.world import RealWorld
from tests.worlds import ManualWorld


def doors(folder: Path) -> dict[str, Any]:
    world = ManualWorld()
    return {
        "hubspot": opening.hubspot(world),
        "salesforce": opening.salesforce(world),
        "sheet": opening.sheet(world, folder),
    }


def test_a_seed_makes_the_same_people_and_another_makes_others() -> None:
    assert list(people(7, 50)) == list(people(7, 50))
    assert list(people(7, 50)) == list(people(7, 80))[:50]
    assert {each.email for each in people(7, 50)}.isdisjoint({each.email for each in people(8, 50)})


def test_nobody_can_be_reached() -> None:
    for each in people(7, 200):
        assert each.email.rpartition("@")[2] in DOMAINS
        assert each.phone.startswith("+442079460")
    assert len({each.email for each in people(7, 200)}) == 200


def test_a_number_is_the_same_however_it_is_written() -> None:
    for each in people(7, 20):
        assert {phone_number(way, "NO") for way in in_three_ways(each.phone)} == {each.phone}
    for member in cast().values():
        ways = (member.phone, grouped(member.phone), abroad(member.phone))
        assert len(set(ways)) == 3
        assert {phone_number(way, "NO") for way in ways} == {member.phone}


def test_systems_overlap_and_do_not_say_the_same(tmp_path: Path) -> None:
    there = doors(tmp_path)
    opening.fill(there, 7, 100)
    emails = {
        "hubspot": {each.fields["email"] for each in there["hubspot"].records()},
        "salesforce": {each.fields["Email"] for each in there["salesforce"].records() if each.ref.object != "Account"},
        "sheet": {each.fields["Email"] for each in there["sheet"].records()},
    }
    assert set.union(*emails.values()) == {each.email for each in people(7, 100)}
    assert len(emails["hubspot"] & emails["salesforce"]) > 20
    assert emails["hubspot"] - emails["salesforce"]
    assert emails["salesforce"] - emails["hubspot"]
    phones = {each.fields["email"]: each.fields.get("phone") for each in there["hubspot"].records()}
    other = {each.fields["Email"]: each.fields.get("Phone") for each in there["sheet"].records()}
    assert any(phones[email] != other[email] for email in phones.keys() & other.keys())


def test_who_is_in_a_system_does_not_depend_on_the_others(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    both, alone = doors(tmp_path), doors(tmp_path / "other")
    opening.fill({name: both[name] for name in ("hubspot", "salesforce")}, 7, 60)
    opening.fill({"salesforce": alone["salesforce"]}, 7, 60)
    told = {each.fields.get("Email"): each.fields for each in alone["salesforce"].records()}
    for each in both["salesforce"].records():
        if each.ref.object == "Lead":
            assert told[each.fields["Email"]]["Title"] == each.fields["Title"]


def test_without_the_package_nothing_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "faker":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(FakerMissing):
        opening.open_sandbox(["hubspot"], 1, 5, RealWorld(), tmp_path)
    with opening.open_sandbox(["hubspot"], 1, 0, RealWorld(), tmp_path) as empty:
        assert list(empty.line()) == ["hubspot", "control"]


def test_everybody_of_the_sample_has_a_name_of_their_own() -> None:
    members = cast()
    assert len({each.last for each in members.values()}) == len(members)
    assert any(letter in members["spelled"].name for letter in "æøåÆØÅ")
    assert cast() == members
