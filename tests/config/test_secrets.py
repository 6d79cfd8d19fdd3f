"""Secrets that are kept elsewhere: in a file, in the keyring of the machine."""

from __future__ import annotations

import sys
import types

import pytest

from config.secrets import LARGEST
from tests.config.files import Folder, folder

__all__ = ["folder"]


def token(folder: Folder, written: str, **env: str) -> str:
    loaded = folder.load(f"systems: {{crm: {{connector: crm, token: '{written}'}}}}", env)
    return loaded.settings.systems["crm"].own.token.get_secret_value()  # type: ignore[union-attr]


def refused(folder: Folder, written: str, **env: str) -> str:
    (told,) = folder.said(f"systems: {{crm: {{connector: crm, token: '{written}'}}}}", env)
    return told.removeprefix("SM107 1:40: ")


# --- a file ------------------------------------------------------------------------------------------------------


def test_a_secret_is_read_from_a_file_beside_the_configuration(folder: Folder) -> None:
    folder.write("secrets/crm", "s3cret with blanks \n")
    assert token(folder, "file:secrets/crm") == "s3cret with blanks "
    assert token(folder, f"file:{folder.path}/secrets/crm") == "s3cret with blanks "
    assert token(folder, "file:${DIR}/crm", DIR="secrets") == "s3cret with blanks "


def test_a_private_key_keeps_its_lines(folder: Folder) -> None:
    folder.write("key.pem", "-----BEGIN\nabc\n-----END\n\n")
    assert token(folder, "file:key.pem") == "-----BEGIN\nabc\n-----END"


def test_a_secret_inside_a_part_of_a_connectors_settings_is_read_too(folder: Folder) -> None:
    folder.write("p", "inner")
    loaded = folder.load("systems: {crm: {connector: crm, token: t, pool: {password: file:p}}}")
    assert loaded.settings.systems["crm"].own.pool.password.get_secret_value() == "inner"  # type: ignore[union-attr]


def test_what_is_no_secret_is_not_read_from_a_file(folder: Folder) -> None:
    loaded = folder.load("systems: {crm: {connector: crm, token: t, base_url: file:x}}")
    assert loaded.settings.systems["crm"].own.base_url == "file:x"  # type: ignore[union-attr]


def test_a_file_that_cannot_be_read_is_told(folder: Folder) -> None:
    (folder.path / "empty").touch()
    (folder.path / "large").write_bytes(b"x" * (LARGEST + 1))
    (folder.path / "binary").write_bytes(b"\xff\xfe\x00")
    assert refused(folder, "file:none") == (
        f'"token": the file {folder.path}/none cannot be read: no such file or directory'
    )
    assert refused(folder, "file:empty") == f'"token" is empty (file {folder.path}/empty)'
    assert refused(folder, "file:large").endswith("has more than 65,536 bytes: that is no secret")
    assert refused(folder, "file:binary").endswith("is not UTF-8 text")


def test_an_empty_secret_is_told_with_the_variable_that_is_empty(folder: Folder) -> None:
    assert refused(folder, "${T}", T="") == '"token" is empty (environment T)'
    assert refused(folder, "") == '"token" is empty'


# --- the keyring -------------------------------------------------------------------------------------------------


class KeyringError(Exception):
    pass


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The package as far as we use it; `asked` by service and user."""
    module, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    kept = {("smarketing", "crm"): "from the ring", ("my/service", "crm"): "with a slash"}
    module.get_password = lambda service, user: kept.get((service, user))  # type: ignore[attr-defined]
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return module


def test_a_secret_is_read_from_the_keyring(folder: Folder, keyring: types.ModuleType) -> None:
    assert token(folder, "keyring:smarketing/crm") == "from the ring"
    assert token(folder, "keyring:my/service/crm") == "with a slash"


@pytest.mark.parametrize("written", ["keyring:", "keyring:smarketing", "keyring:/crm", "keyring:smarketing/"])
def test_a_keyring_entry_has_a_service_and_a_user(folder: Folder, keyring: types.ModuleType, written: str) -> None:
    assert refused(folder, written) == '"token": write keyring:SERVICE/USER'


def test_an_entry_that_is_not_there_is_told(folder: Folder, keyring: types.ModuleType) -> None:
    assert refused(folder, "keyring:smarketing/mail") == '"token": the keyring has no password of mail for smarketing'


def test_a_machine_without_a_keyring_is_told(
    folder: Folder, keyring: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(service: str, user: str) -> str:
        raise KeyringError("no backend; token=abc")

    keyring.get_password = none  # type: ignore[attr-defined]
    assert refused(folder, "keyring:smarketing/crm") == (
        '"token": the keyring of this machine cannot be used (KeyringError); use file:PATH or an environment variable'
    )
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert refused(folder, "keyring:smarketing/crm") == (
        '"token": the package keyring is not installed; run pip install "smarketing[keyring]"'
    )
