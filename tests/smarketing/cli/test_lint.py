"""`smarketing lint`."""

from __future__ import annotations

import pytest

from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]

WRONG = """\
connector: spreadsheet
extends: false
objects:
  row:
    fields:
      first_nmae: Fornavn
      email: E-post
      title: {remote: Tittel, lenght: 40}
"""
CUSTOM = """\
connector: spreadsheet
fields:
  shoe_size: Sko
"""


def configured(typed: Typed, mapping: str, more: str = "") -> None:
    typed.write("own.yaml", mapping)
    typed.write(
        "smarketing.yaml",
        f"systems:\n  sheet: {{connector: spreadsheet, path: leads.csv, mapping: own.yaml}}\n{more}",
    )


def test_what_is_wrong_is_told_with_file_line_and_column_and_ends_with_2(typed: Typed) -> None:
    configured(typed, WRONG)
    told = typed("lint")
    assert told.code == 2
    assert told.out.splitlines() == [
        f'error[SM121]: {typed.folder}/own.yaml:6:7: unknown lead field "first_nmae"; did you mean "first_name"?',
        f'error[SM123]: {typed.folder}/own.yaml:8:31: unknown key "lenght"; did you mean "length"?',
    ]
    assert told.err == "1 mapping: 2 errors\n"


def test_what_is_only_hardly_meant_is_no_failure(typed: Typed) -> None:
    told_of = "connector: spreadsheet\nextends: false\nobjects: {row: {fields: {email: E-post}}}\n"
    configured(typed, told_of)
    told = typed("lint")
    assert told.code == 0
    assert told.out.startswith("warning[SM129]: ")
    assert told.err == "1 mapping: 1 warning\n"


def test_built_in_mappings_are_checked_where_nothing_else_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mappings.built_in.content", lambda connector: WRONG.encode())
    typed.write("smarketing.yaml", "systems: {sheet: {connector: spreadsheet, path: leads.csv}}")
    told = typed("lint")
    assert told.code == 2
    assert told.out.startswith("error[SM121]: mappings/spreadsheet.yaml:6:7: ")


def test_built_in_mappings_have_nothing_wrong(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "pat-0001")
    text = (
        "{a: {connector: hubspot, token: '${T}'}, b: {connector: spreadsheet, path: x.csv}, c: {connector: salesforce, "
        "client_id: a, client_secret: '${T}', base_url: 'https://x.example.com'}}"
    )
    typed.write("smarketing.yaml", f"systems: {text}")
    told = typed("lint")
    assert (told.code, told.err) == (0, "3 mappings: nothing is wrong\n") or "advice" in told.err
    assert "error" not in told.out
    assert "warning" not in told.out


def test_a_file_alone_needs_no_configuration(typed: Typed) -> None:
    typed.write("own.yaml", WRONG)
    told = typed("lint", "own.yaml")
    assert told.code == 2
    assert told.out.startswith("error[SM121]: own.yaml:6:7: ")


def test_a_file_alone_goes_over_the_built_in_mapping_of_its_connector(typed: Typed) -> None:
    typed.write("own.yaml", "connector: spreadsheet\nfields: {email: {remote: Epost, slot: true}}\n")
    assert typed("lint", "own.yaml").code == 0
    typed.write("own.yaml", "connector: spreadsheet\nfields: {title: City}\n")
    assert "SM125" in typed("lint", "own.yaml").out


def test_fields_of_ones_own_are_known_from_the_configuration(typed: Typed) -> None:
    configured(typed, CUSTOM, "lead: {fields: {shoe_size: integer}}\n")
    assert typed("lint").code == 0
    assert typed("lint", "own.yaml").code == 0


def test_a_broken_configuration_does_not_keep_a_file_from_being_checked(typed: Typed) -> None:
    configured(typed, CUSTOM, "lead: {feilds: {}}\n")
    told = typed("lint", "own.yaml")
    assert told.code == 2
    assert told.err.startswith("the configuration cannot be read: fields of your own")
    assert 'unknown lead field "shoe_size"' in told.out


def test_files_that_cannot_be_read_are_told_beside_those_that_can(typed: Typed) -> None:
    typed.write("own.yaml", WRONG)
    typed.write("torn.yaml", "objects: {row: [\n")
    told = typed("lint", "torn.yaml", "missing.yaml", "own.yaml")
    assert told.code == 2
    assert "error[SM102]: torn.yaml:" in told.out
    assert "error[SM101]: missing.yaml: the file cannot be read: no such file or directory" in told.out
    assert "error[SM121]: own.yaml:6:7" in told.out


def test_a_mapping_that_is_named_and_not_there_is_told(typed: Typed) -> None:
    configured(typed, WRONG)
    (typed.folder / "own.yaml").unlink()
    told = typed("lint")
    assert told.code == 2
    assert told.out.startswith(f"error[SM101]: {typed.folder}/own.yaml: the file cannot be read")


def test_findings_for_programs(typed: Typed) -> None:
    configured(typed, WRONG)
    told = typed("lint", "--json")
    assert (told.code, told.err) == (2, "")
    golden("lint.json", told.out, typed)
