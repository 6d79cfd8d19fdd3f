"""The second look: what counts as agreement, judged on rows that were made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smarketing.demo import reread
from smarketing.demo.reread import Row, counts, differences

SYSTEMS = ("hubspot", "salesforce", "sheet")
VALUES: dict[str, str | bool | None] = {
    "name": "Åse Berg",
    "e-mail": "ase@example.com",
    "phone": "4740000001",
    "company": "Fjord AS",
    "title": "Selger",
    "city": "Oslo",
    "stage": "mql",
    "opted out": False,
}


def row(system: str, **other: str | bool | None) -> Row:
    return Row(system, "1", "berg", {**VALUES, **other})


def everywhere() -> list[Row]:
    return [row(system) for system in SYSTEMS]


def test_the_same_everywhere_is_agreement() -> None:
    assert differences(everywhere(), SYSTEMS) == []


@pytest.mark.parametrize("name", reread.FIELDS)
def test_any_field_that_differs_in_any_system_is_found(name: str) -> None:
    for number, system in enumerate(SYSTEMS):
        for other in ("another", None) if name != "opted out" else (True,):
            rows = everywhere()
            rows[number] = replace(rows[number], values={**VALUES, name: other})
            assert [(each.person, each.field) for each in differences(rows, SYSTEMS)] == [("berg", name)], system


def test_somebody_who_is_missing_somewhere_is_found() -> None:
    for system in SYSTEMS:
        found = differences([each for each in everywhere() if each.system != system], SYSTEMS)
        assert [each.field for each in found] == ["record"]
        assert found[0].said[system] == []


def test_a_field_that_a_system_has_no_place_for_is_not_held_against_it() -> None:
    values = {name: value for name, value in VALUES.items() if name != "stage"}
    rows = [*everywhere()[:2], Row("sheet", "1", "berg", values)]
    assert differences(rows, SYSTEMS) == []


def test_a_second_record_keeps_its_own_address_and_nothing_else() -> None:
    second = row("salesforce", **{"e-mail": "home@example.net"})
    assert differences([*everywhere(), second], SYSTEMS) == []
    stray = [row("hubspot", **{"e-mail": "home@example.net"}), row("salesforce"), row("sheet")]
    assert [each.field for each in differences(stray, SYSTEMS)] == ["e-mail"]
    other = row("salesforce", title="another")
    assert [each.field for each in differences([*everywhere(), other], SYSTEMS)] == ["title"]


def test_records_are_counted_by_person_and_system() -> None:
    assert counts([*everywhere(), row("sheet")]) == {
        ("berg", "hubspot"): 1,
        ("berg", "salesforce"): 1,
        ("berg", "sheet"): 2,
    }


def test_a_line_of_the_sheet_is_read_as_people_write_it() -> None:
    text = (
        "Navn;E-post;Telefon;Firma;Stilling;Poststed;Nyhetsbrev\r\n"
        "Åse  Ødegård;Aase@Example.com;400 00 001;Fjord AS;;Oslo;Nei\r\n"
        "Ola Berg;;'+4740000002;;;;Ja\r\n"
    )
    first, second = reread.read_sheet(text)
    assert first.person == "oedegaard"
    assert first.values == {
        "name": "Åse Ødegård",
        "e-mail": "aase@example.com",
        "phone": "4740000001",
        "company": "Fjord AS",
        "title": None,
        "city": "Oslo",
        "opted out": True,
    }
    assert (second.values["phone"], second.values["opted out"]) == ("4740000002", False)


def test_the_second_look_uses_nothing_of_ours() -> None:
    """It would otherwise share the mistakes it is to find."""
    source = Path(reread.__file__).read_text(encoding="utf-8")
    imported = [line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert not [
        each for each in imported if each.split(".")[0] in ("connectors", "mappings", "sync", "config", "smarketing")
    ]
