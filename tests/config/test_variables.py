"""${NAME} from the environment and from .env, and what cannot be filled in."""

from __future__ import annotations

import pytest

from config.load import Loaded
from tests.config.files import Folder, folder

__all__ = ["folder"]

SECRET = "pat-secret-4711-0001"


def zone(folder: Folder, written: str, **env: str) -> str:
    return folder.load(f'timezone: "{written}"', env).settings.timezone


def token(loaded: Loaded) -> str:
    return loaded.settings.systems["crm"].own.token.get_secret_value()  # type: ignore[union-attr]


def test_a_variable_is_filled_in_anywhere_in_a_text(folder: Folder) -> None:
    assert zone(folder, "${Z}", Z="Europe/Paris") == "Europe/Paris"
    assert zone(folder, "${A}/${B}", A="Europe", B="Paris") == "Europe/Paris"


@pytest.mark.parametrize(
    ("env", "wanted"), [({}, "Europe/Paris"), ({"Z": ""}, "Europe/Paris"), ({"Z": "Europe/Rome"}, "Europe/Rome")]
)
def test_a_default_counts_where_the_variable_is_empty_or_not_set(
    folder: Folder, env: dict[str, str], wanted: str
) -> None:
    assert zone(folder, "${Z:-Europe/Paris}", **env) == wanted


def test_two_dollars_stand_for_one(folder: Folder) -> None:
    loaded = folder.load("systems: {crm: {connector: crm, token: 'a$${B}c$d'}}")
    assert token(loaded) == "a${B}c$d"


def test_what_a_variable_holds_is_not_looked_through_for_variables(folder: Folder) -> None:
    loaded = folder.load("systems: {crm: {connector: crm, token: '${T}'}}", {"T": "x${NOT_SET}y"})
    assert token(loaded) == "x${NOT_SET}y"


def test_a_variable_may_stand_for_a_number_or_a_word(folder: Folder) -> None:
    text = "systems: {crm: {connector: crm, token: t, parallel: '${P}', fast: '${F}', writes: '${W}'}}"
    found = folder.load(text, {"P": "7", "F": "true", "W": "none"}).settings.systems["crm"]
    assert (found.own.parallel, found.own.fast, found.writes) == (7, True, "none")  # type: ignore[union-attr]


def test_one_that_is_not_set_is_told_with_the_nearest_and_with_what_to_do(folder: Folder) -> None:
    (told,) = folder.said("systems: {crm: {connector: crm, token: '${CRM_TOKEN}'}}", {"CRM_TOKN": SECRET})
    assert told == (
        f"SM106 1:40: CRM_TOKEN is not set; set it in the environment or in {folder.path}/.env, or write "
        '"${CRM_TOKEN:-default}"; did you mean "CRM_TOKN"?'
    )


def test_what_follows_from_one_that_is_not_set_is_not_told_too(folder: Folder) -> None:
    text = "timezone: '${Z}'\nsystems: {crm: {connector: '${C}', tokn: x}}\nsync: {every: '${E}'}"
    assert [each.split(" is not set")[0] for each in folder.said(text)] == [
        "SM106 1:11: Z",
        "SM106 2:28: C",
        "SM106 3:15: E",
    ]


@pytest.mark.parametrize("written", ["${", "${}", "${1A}", "${A", "${A-b}", "${A.B}"])
def test_what_begins_no_variable_is_told(folder: Folder, written: str) -> None:
    (told,) = folder.said(f"timezone: '{written}'", {"A": "Europe/Oslo"})
    assert told.startswith('SM106 1:11: "${" begins no variable here; write "${NAME}", or "$${"')


# --- .env --------------------------------------------------------------------------------------------------------


def test_dotenv_beside_the_file_is_read_and_the_environment_wins(folder: Folder) -> None:
    folder.write(".env", f"# ours\nexport A=from-file\nB='from file'  # yes\nC=\"{SECRET}\"\n")
    text = "systems: {crm: {connector: crm, token: '${A} ${B} ${C}'}}"
    assert token(folder.load(text)) == f"from-file from file {SECRET}"
    assert token(folder.load(text, {"A": "from the environment"})) == f"from the environment from file {SECRET}"


def test_dotenv_is_not_put_into_the_environment(folder: Folder) -> None:
    import os

    folder.write(".env", "SMARKETING_TRIED=1\n")
    folder.load("timezone: Europe/Oslo")
    assert "SMARKETING_TRIED" not in os.environ


def test_dotenv_is_the_one_beside_the_file_wherever_the_program_is_started(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / "elsewhere").mkdir()
    folder.write("elsewhere/.env", "Z=Europe/Rome\n")
    folder.write(".env", "Z=Europe/Paris\n")
    monkeypatch.chdir(folder.path / "elsewhere")
    assert zone(folder, "${Z}") == "Europe/Paris"


def test_variables_in_dotenv_are_not_filled_in(folder: Folder) -> None:
    folder.write(".env", "T=a${B}c\nB=x\n")
    assert token(folder.load("systems: {crm: {connector: crm, token: '${T}'}}")) == "a${B}c"


def test_a_line_of_dotenv_that_is_none_is_told_without_what_stands_there(folder: Folder) -> None:
    folder.write(".env", f"A=1\nTOKEN\n'{SECRET}\n")
    told = [str(each) for each in folder.problems("timezone: Europe/Oslo")]
    assert told[0] == f"{folder.path}/.env:2: the line cannot be understood; write NAME=value"
    assert all(SECRET not in each for each in told)


def test_dotenv_in_another_encoding_is_told(folder: Folder) -> None:
    (folder.path / ".env").write_bytes("A=Ål\n".encode("cp1252"))
    assert [str(each) for each in folder.problems("timezone: Europe/Oslo")] == [
        f"{folder.path}/.env: the file is not UTF-8; save it with the encoding UTF-8"
    ]
    (folder.path / ".env").write_bytes(b"\xef\xbb\xbfZ=Europe/Paris\r\n")
    assert zone(folder, "${Z}") == "Europe/Paris"
