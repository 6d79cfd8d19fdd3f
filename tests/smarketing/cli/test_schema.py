"""`smarketing schema`."""

from __future__ import annotations

import json

from connectors import registry
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]


def test_the_schema_of_the_file_goes_to_stdout_without_a_configuration(typed: Typed) -> None:
    told = typed("schema")
    assert (told.code, told.err) == (0, "")
    assert told.json["$schema"].startswith("https://json-schema.org/")
    assert told.json["$defs"]["System"]["properties"]["connector"]["anyOf"][0]["enum"] == registry.names()


def test_the_schema_can_be_written_to_a_file_and_written_anew(typed: Typed) -> None:
    for _ in range(2):
        told = typed("schema", "--out", "s.json")
        assert (told.code, told.out, told.err) == (0, "", "written: s.json\n")
    assert json.loads(typed.read("s.json")) == typed("schema").json


def test_a_file_that_is_no_schema_is_never_overwritten(typed: Typed) -> None:
    for text in ("systems: {}\n", '{"mine": true}\n', "[]"):
        typed.write("s.json", text)
        told = typed("schema", "--out", "s.json")
        assert told.code == 2
        assert told.err.startswith("error[SM110]: s.json: a file is there")
        assert typed.read("s.json") == text


def test_the_schema_tells_what_the_keys_of_a_connector_are_for(typed: Typed) -> None:
    sheet = typed("schema").json["$defs"]["system-spreadsheet"]["properties"]
    assert sheet["id_column"]["description"].startswith("Our column")
