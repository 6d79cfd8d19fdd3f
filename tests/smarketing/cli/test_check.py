"""`smarketing check`, also called `doctor`: everything is tried, one failure hides no other, and nothing is changed."""

from __future__ import annotations

import os
import re
import sqlite3

import pytest

from tests.smarketing.cli.answers import Answered, golden
from tests.smarketing.cli.two_vendors import Vendors, typed, vendors

__all__ = ["typed", "vendors"]


def part(told: Answered, about: str) -> list[tuple[str, str]]:
    """(level, code) of what was said of a system."""
    found = next(each["findings"] for each in told.json["checked"] if each["about"] == about)
    return [(each["level"], each["code"]) for each in found]


@pytest.mark.parametrize("called", ["check", "doctor"])
def test_every_system_and_the_database_are_tried_and_all_is_well(vendors: Vendors, called: str) -> None:
    told = vendors.typed(called)
    assert told.code == 0
    headings = [line for line in told.out.splitlines() if not line.startswith(" ")]
    assert headings == ["database", "crm", "sf", "sheet"]
    assert "  ok: crm: signed in\n" in told.out
    assert "  ok: sf: signed in\n" in told.out
    assert "error" not in told.out


def test_only_the_systems_that_are_named_are_tried(vendors: Vendors) -> None:
    asked = len(list(vendors.salesforce.requests()))
    told = vendors.typed("check", "sheet", "--json")
    assert [each["about"] for each in told.json["checked"]] == ["database", "sheet"]
    assert len(list(vendors.salesforce.requests())) == asked


def test_one_system_that_fails_hides_no_other(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "pat-of-nobody-9999")
    (vendors.typed.folder / "leads.csv").unlink()
    told = vendors.typed("check", "--json")
    assert told.code == 1
    assert part(told, "crm") == [("error", "SM307")]
    assert ("ok", "SM330") in part(told, "sf")
    assert part(told, "sheet") == [("error", "SM320")]
    assert told.json["totals"]["error"] == 2
    assert "pat-of-nobody-9999" not in vendors.typed.printed


def test_a_vendor_that_does_not_answer_is_told_once(vendors: Vendors) -> None:
    vendors.stop(0)
    told = vendors.typed("check", "crm", "sheet", "--json")
    assert told.code == 1
    assert part(told, "crm") == [("error", "SM301")]
    assert part(told, "sheet")[0] == ("ok", "SM326")


def test_an_address_where_nobody_listens_is_told_at_once_with_what_to_check(vendors: Vendors) -> None:
    begun = vendors.world.monotonic()
    vendors.stop(0)
    told = vendors.typed("check", "crm")
    assert re.search(
        r"  error\[SM301\]: crm: no answer to 'read properties': 127\.0\.0\.1:\d+ refuses connections; check base_url",
        told.out,
    )
    assert vendors.world.monotonic() - begun < 0.5, "nothing was waited for"


def test_a_fault_of_ours_in_one_system_is_told_and_hides_no_other(
    vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("ola@example.com")

    monkeypatch.setattr("connectors.hubspot.HubSpot.check", broken)
    told = vendors.typed("check", "--json")
    assert told.code == 1
    assert part(told, "crm") == [("error", "SM999")]
    assert ("ok", "SM330") in part(told, "sf")
    assert "ola@example.com" not in vendors.typed.printed


# --- the mapping against the account -----------------------------------------------------------------------------


def test_what_the_mapping_names_and_the_account_lacks_is_told_at_its_line(vendors: Vendors) -> None:
    with (vendors.typed.folder / "sheet.yaml").open("a", encoding="utf-8") as file:
        file.write("      title: Stiling\n")
    told = vendors.typed("check", "sheet")
    assert told.code == 0
    assert (
        f'  warning[SM141]: {vendors.typed.folder}/sheet.yaml:9:7: there is no field "Stiling", or our user does not '
        'see it; did you mean "Stilling"?\n'
    ) in told.out
    assert "SM334" not in told.out, "the same would be told twice"


def test_the_same_advice_stands_once_below_those_that_it_is_for(vendors: Vendors) -> None:
    with (vendors.typed.folder / "sheet.yaml").open("a", encoding="utf-8") as file:
        file.write("      city: Sted\n      region: Fylke\n      country: Land\n")
    out = vendors.typed("check", "sheet").out
    assert out.count("[SM141]") == 3
    assert out.count("until then it is neither read nor written") == 1


def test_a_field_without_which_nobody_is_known_is_an_error(vendors: Vendors) -> None:
    vendors.typed.write("leads.csv", "Navn;Mail;Postnr\nOla;ola@example.com;0150\n")
    told = vendors.typed("check", "sheet")
    assert told.code == 1
    assert "error[SM141]" in told.out
    assert told.err.startswith("1 error, ")
    assert told.err.endswith('"smarketing explain CODE" tells more of each\n')


def test_a_mapping_that_cannot_be_used_hides_no_system(vendors: Vendors) -> None:
    vendors.typed.write("sheet.yaml", "connector: spreadsheet\nfields: {emial: E-post}\n")
    told = vendors.typed("check", "--json")
    assert told.code == 1
    assert part(told, "mappings") == [("error", "SM121")]
    assert part(told, "sheet")[0] == ("ok", "SM326")
    assert ("ok", "SM330") in part(told, "crm")


# --- the database ------------------------------------------------------------------------------------------------


def test_a_database_that_is_not_there_yet_is_not_made_by_a_check(vendors: Vendors) -> None:
    told = vendors.typed("check", "sheet", "--json")
    assert part(told, "database") == [("ok", "SM210")]
    assert "smarketing.db" not in os.listdir(vendors.typed.folder)


@pytest.mark.parametrize(
    ("version", "level", "code"), [("0001", "ok", "SM210"), ("0000", "advice", "SM210"), ("9999", "error", "SM211")]
)
def test_a_database_tells_its_version(vendors: Vendors, version: str, level: str, code: str) -> None:
    from sync.store import schema

    found = schema.VERSION if version == "0001" else version
    with sqlite3.connect(vendors.typed.folder / "smarketing.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (found,))
    database.close()
    told = vendors.typed("check", "sheet", "--json")
    assert part(told, "database") == [(level, code)]
    assert told.code == (1 if level == "error" else 0)


def test_what_is_no_database_is_told_and_the_systems_are_tried(vendors: Vendors) -> None:
    vendors.typed.write("smarketing.db", "this is no database, and it is long enough to be looked at as one" * 9)
    told = vendors.typed("check", "sheet", "--json")
    assert told.code == 1
    assert part(told, "database") == [("error", "SM215")]
    assert part(told, "sheet")[0] == ("ok", "SM326")


def test_a_folder_that_is_not_there_is_told(vendors: Vendors) -> None:
    text = vendors.typed.read("smarketing.yaml")
    vendors.typed.write("smarketing.yaml", f"database: sqlite:///missing/folder/x.db\n{text}")
    told = vendors.typed("check", "sheet", "--json")
    assert part(told, "database") == [("error", "SM215")]


@pytest.mark.parametrize("address", ["nonsense", "oracle7://scott:tiger-secret@db.example.com/x"])
def test_an_address_that_leads_to_no_database_is_a_mistake_in_the_configuration(vendors: Vendors, address: str) -> None:
    vendors.typed.write("smarketing.yaml", f"database: {address}\nsystems: {{}}\n")
    told = vendors.typed("check")
    assert told.code == 2
    assert told.err.startswith('error[SM104]: smarketing.yaml:1:11: "database" is not accepted; write sqlite:///FILE')
    assert "tiger-secret" not in vendors.typed.printed


# --- our key field -----------------------------------------------------------------------------------------------


def keys(vendors: Vendors) -> tuple[bool, bool]:
    """Whether each vendor has our key field now."""
    crm, sf = (vendors.typed("fields", name, "--json").out for name in ("crm", "sf"))
    return '"smarketing_id"' in crm, '"Smarketing_Id__c"' in sf


def test_key_fields_are_only_advised_where_nobody_can_be_asked(vendors: Vendors) -> None:
    told = vendors.typed("--no-input", "check")
    assert told.out.count("advice[SM335]") == 3
    assert keys(vendors) == (False, False)


def test_key_fields_are_added_where_they_are_asked_for(vendors: Vendors) -> None:
    told = vendors.typed("check", "--add-keys")
    assert told.code == 0
    assert "  ok: crm: contact has the key field smarketing_id now\n" in told.out
    assert "  ok: sf: Lead has the key field Smarketing_Id__c now\n" in told.out
    assert keys(vendors) == (True, True)
    assert "has the key field" not in vendors.typed("check", "--add-keys").out


def test_somebody_who_is_there_is_asked_for_each(vendors: Vendors) -> None:
    vendors.typed.answering("y", "no", "")
    told = vendors.typed("check", "crm", "sf")
    assert told.code == 0
    assert told.err.startswith(
        "crm: add our key field to contact? [y/N]: sf: add our key field to Lead? [y/N]: "
        "sf: add our key field to Contact? [y/N]: "
    )
    assert "[y/N]" not in told.out
    assert keys(vendors) == (True, False)


def test_somebody_who_goes_away_while_being_asked_has_interrupted(vendors: Vendors) -> None:
    vendors.typed.answering()
    told = vendors.typed("check", "crm")
    assert told.code == 130
    assert keys(vendors) == (False, False)


def test_a_system_that_is_only_read_is_given_no_field(vendors: Vendors) -> None:
    vendors.configure(crm=", writes: none")
    told = vendors.typed("check", "crm", "--add-keys", "--json")
    assert part(told, "crm")[-1] == ("advice", "SM335")
    vendors.typed.answering("y")
    assert "[y/N]" not in vendors.typed("check", "crm").err
    assert keys(vendors)[0] is False


def test_a_field_that_cannot_be_added_is_an_error_where_it_was_asked_for(vendors: Vendors) -> None:
    vendors.configure(crm=", key_property: lastname")
    told = vendors.typed("check", "crm", "--add-keys", "--json")
    assert told.code == 1
    assert part(told, "crm")[-1] == ("error", "SM308")


# --- for programs ------------------------------------------------------------------------------------------------


def test_findings_for_programs(vendors: Vendors) -> None:
    golden("check.json", vendors.typed("check", "sheet", "--json").out, vendors.typed)
