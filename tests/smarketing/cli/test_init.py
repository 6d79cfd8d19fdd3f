"""`smarketing init`: begins, asks or is told, and overwrites nothing."""

from __future__ import annotations

import os
import stat

import pytest
from jsonschema_rs import validator_for
from ruamel.yaml import YAML

from config.located import read
from smarketing.wiring import read_settings
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]

THREE = ("--system", "crm=hubspot", "--system", "sf=salesforce", "--system", "sheet=spreadsheet:leads.csv")
FILLED = {"CRM_TOKEN": "pat-1", "SF_CLIENT_ID": "a", "SF_CLIENT_SECRET": "b", "SF_BASE_URL": "https://x.example.com"}


def test_a_configuration_is_written_that_loads_once_its_variables_are_set(typed: Typed) -> None:
    told = typed("init", *THREE, "--trust", "sf", "--trust", "crm")
    assert (told.code, told.out) == (0, "")
    settings = read_settings(None, FILLED).settings
    assert {name: each.connector for name, each in settings.systems.items()} == {
        "crm": "hubspot",
        "sf": "salesforce",
        "sheet": "spreadsheet",
    }
    assert settings.sync.trust == ("sf", "crm")


def test_nothing_is_written_to_any_system_to_begin_with(typed: Typed) -> None:
    typed("init", *THREE)
    settings = read_settings(None, FILLED).settings
    assert {each.writes for each in settings.systems.values()} == {"none"}
    assert settings.sync.trust == ()


def test_the_configuration_is_what_a_person_goes_on_from(typed: Typed) -> None:
    typed("init", *THREE, "--trust", "sf")
    golden("smarketing.yaml", typed.read("smarketing.yaml"), typed)
    golden("dotenv", typed.read(".env"), typed)


def test_the_first_line_leads_an_editor_to_the_schema_and_the_file_is_valid_by_it(typed: Typed) -> None:
    typed("init", *THREE)
    text = typed.read("smarketing.yaml")
    assert text.startswith("# yaml-language-server: $schema=smarketing.schema.json\n")
    schema = YAML(typ="safe", pure=True).load(typed.read("smarketing.schema.json"))
    validator_for(schema).validate(read(text.encode(), "smarketing.yaml").value)


def test_only_its_owner_may_read_the_secrets(typed: Typed) -> None:
    before = os.umask(0)
    try:
        typed("init", *THREE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((typed.folder / ".env").stat().st_mode) == 0o600
    assert [line for line in typed.read(".env").splitlines() if line and line[0] != "#"] == [
        f"{name}=" for name in FILLED
    ]


def test_a_configuration_that_is_there_is_never_overwritten(typed: Typed) -> None:
    typed.write("smarketing.yaml", "# mine\n")
    told = typed("init", *THREE)
    assert told.code == 2
    assert told.err.startswith("error[SM110]: smarketing.yaml: it is there already")
    assert typed.read("smarketing.yaml") == "# mine\n"
    assert sorted(os.listdir(typed.folder)) == ["smarketing.yaml"]


def test_secrets_that_are_there_are_left_alone_and_what_they_need_is_told(typed: Typed) -> None:
    typed.write(".env", "CRM_TOKEN=pat-0001-secret\n")
    told = typed("init", "--system", "crm=hubspot")
    assert told.code == 0
    assert typed.read(".env") == "CRM_TOKEN=pat-0001-secret\n"
    assert ".env is there already, and is left alone; it needs CRM_TOKEN\n" in told.err
    assert "pat-0001-secret" not in told.err


def test_it_is_written_where_config_says(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed("--config", "deep/mine.yaml", "init", "--system", "crm=hubspot").code == 0
    assert sorted(os.listdir(typed.folder / "deep")) == [".env", "mine.yaml", "smarketing.schema.json"]
    monkeypatch.setenv("SMARKETING_CONFIG", "other.yaml")
    assert typed("init", "--system", "crm=hubspot").code == 0
    assert (typed.folder / "other.yaml").exists()


def test_two_systems_whose_names_are_alike_have_variables_of_their_own(typed: Typed) -> None:
    typed("init", "--system", "a-b=hubspot", "--system", "a_b=hubspot", "--system", "2nd=hubspot")
    assert [line for line in typed.read(".env").splitlines() if line.endswith("=")] == [
        "A_B_TOKEN=",
        "A_B_TOKEN_2=",
        "_2ND_TOKEN=",
    ]
    read_settings(None, {"A_B_TOKEN": "x", "A_B_TOKEN_2": "y", "_2ND_TOKEN": "z"})


def test_a_sheets_path_may_hold_anything(typed: Typed) -> None:
    typed("init", "--system", 'ark=spreadsheet:C:\\lister\\"våre": #1.csv')
    path = read_settings(None, {}).settings.systems["ark"].own.path  # type: ignore[union-attr]
    assert path.name == 'C:\\lister\\"våre": #1.csv'
    assert not (typed.folder / ".env").exists()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), "SM112", "init needs to know your systems; write --system NAME=CONNECTOR"),
        (("--system", "crm"), "SM100", '--system "crm": write NAME=CONNECTOR'),
        (("--system", "=hubspot"), "SM100", "write NAME=CONNECTOR"),
        (("--system", "crm=hubspt"), "SM108", 'there is no connector "hubspt"; did you mean "hubspot"?'),
        (("--system", "crm=memory"), "SM108", 'there is no connector "memory"; allowed: '),
        (("--system", "my crm=hubspot"), "SM104", '"my crm" is no name'),
        (("--system", "a=hubspot", "--system", "a=hubspot"), "SM104", 'two systems are called "a"'),
        (("--system", "a=hubspot:x.csv"), "SM104", 'hubspot is no file; leave ":x.csv" out'),
        (("--system", "s=spreadsheet"), "SM112", "systems.s: which file is it? write --system s=spreadsheet:FILE"),
        (("--system", "a=hubspot", "--trust", "b"), "SM108", '--trust: there is no system "b"; allowed: a'),
    ],
)
def test_what_cannot_be_begun_with_is_refused_and_leaves_nothing_behind(
    typed: Typed, words: tuple[str, ...], code: str, text: str
) -> None:
    told = typed("init", *words)
    assert told.code == 2
    assert told.err.startswith(f"error[{code}]: ")
    assert text in told.err
    assert os.listdir(typed.folder) == []


def test_somebody_who_is_there_is_asked(typed: Typed) -> None:
    typed.answering(
        "hubspt", "hubspot", "", "spreadsheet", "hubspot", "ark", "leads.csv", "", "leads.csv", "nobody", "ark"
    )
    told = typed("init")
    assert (told.code, told.out) == (0, "")
    settings = read_settings(None, {"HUBSPOT_TOKEN": "x"}).settings
    assert {name: each.connector for name, each in settings.systems.items()} == {
        "hubspot": "hubspot",
        "ark": "spreadsheet",
    }
    assert settings.sync.trust == ("ark",)


def test_nobody_is_asked_with_no_input(typed: Typed) -> None:
    typed.answering("hubspot", "", "", "")
    assert typed("--no-input", "init").code == 2
    assert os.listdir(typed.folder) == []
