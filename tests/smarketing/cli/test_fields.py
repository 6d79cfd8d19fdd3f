"""`smarketing fields`: what is there, what it is mapped to, and what the rest probably is."""

from __future__ import annotations

from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.two_vendors import Vendors, typed, vendors

__all__ = ["typed", "vendors"]


def test_live_fields_are_listed_with_what_they_are_mapped_to(vendors: Vendors) -> None:
    told = vendors.typed("fields", "sheet")
    assert told.code == 0
    rows = [line.split() for line in told.out.splitlines()]
    assert ["Navn", "text", "100%", "first_name,", "last_name"] in rows
    assert ["Postnr", "text", "100%", "postcode"] in rows
    assert ["Stilling", "text", "50%", "(title?)"] in rows
    assert told.err.endswith("row: 3 of 5 fields are mapped\n")


def test_lines_for_what_is_not_mapped_are_suggested(vendors: Vendors) -> None:
    out = vendors.typed("fields", "sheet").out
    _, _, suggested = out.partition("not mapped, and probably:\n")
    assert suggested.split("\n")[:2] == [
        "    title: Stilling",
        "    consent.email: {remote: Nyhetsbrev, as: consent_word}",
    ]


def test_a_suggested_line_does_what_it_says(vendors: Vendors) -> None:
    with (vendors.typed.folder / "sheet.yaml").open("a", encoding="utf-8") as file:
        file.write("      title: Stilling\n      consent.email: {remote: Nyhetsbrev, as: consent_word}\n")
    assert vendors.typed("lint").code == 0
    told = vendors.typed("fields", "sheet")
    assert "probably" not in told.out
    assert told.err == "row: 5 of 5 fields are mapped\n"


def test_what_the_mapping_names_and_is_not_there_leaves_room_for_what_is(vendors: Vendors) -> None:
    """The built-in mapping has English headings."""
    vendors.typed.write("smarketing.yaml", "systems: {sheet: {connector: spreadsheet, path: leads.csv}}")
    found = vendors.typed("fields", "sheet", "--json").json["objects"][0]["fields"]
    assert {each["name"]: each["suggested"] and each["suggested"]["lead"] for each in found} == {
        "Navn": "name",
        "E-post": "email",
        "Postnr": "postcode",
        "Stilling": "title",
        "Nyhetsbrev": "consent.email",
    }


def test_all_objects_of_a_system_are_listed_or_only_one(vendors: Vendors) -> None:
    assert [each["object"] for each in vendors.typed("fields", "sf", "--json").json["objects"]] == ["Contact", "Lead"]
    assert [each["object"] for each in vendors.typed("fields", "sf", "--object", "Lead", "--json").json["objects"]] == [
        "Lead"
    ]


def test_a_system_that_is_not_there_is_told_with_the_nearest(vendors: Vendors) -> None:
    told = vendors.typed("fields", "shet")
    assert (told.code, told.out) == (2, "")
    assert told.err == 'error[SM108]: there is no system "shet"; did you mean "sheet"?\n'


def test_an_object_that_is_not_there_is_told_with_the_nearest(vendors: Vendors) -> None:
    told = vendors.typed("fields", "sf", "--object", "Leads")
    assert told.code == 2
    assert told.err == 'error[SM127]: sf: there is no object "Leads"; did you mean "Lead"?\n'


def test_a_mapping_that_cannot_be_used_is_told(vendors: Vendors) -> None:
    vendors.typed.write("sheet.yaml", "connector: spreadsheet\nfields: {emial: E-post}\n")
    told = vendors.typed("fields", "sheet")
    assert told.code == 2
    assert told.err.startswith("error[SM121]: ")
    assert 'sheet.yaml:2:10: unknown lead field "emial"; did you mean "email"?' in told.err


def test_a_system_that_does_not_answer_is_told(vendors: Vendors) -> None:
    vendors.stop(0)
    told = vendors.typed("fields", "crm")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("error[SM301]: crm: ")


def test_fields_for_programs(vendors: Vendors) -> None:
    golden("fields.json", vendors.typed("fields", "sheet", "--json").out, vendors.typed)
