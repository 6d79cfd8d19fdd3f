"""Secrets that a configuration only points at: in a file of their own, or in the keyring of the machine.

What is read stays out of every message.
"""

from __future__ import annotations

from pathlib import Path

FILE = "file:"
KEYRING = "keyring:"
LARGEST = 64 * 1024  # bytes; a private key has about four thousand


class SecretError(Exception):
    """A secret that cannot be had. `what` and `words` make the text."""

    def __init__(self, what: str, **words: object) -> None:
        super().__init__(what)
        self.what = what
        self.words = words


def resolve(value: str, folder: Path) -> tuple[str, str]:
    """(the secret, where it came from; "" where it was written out). Paths are relative to `folder`. Raises
    SecretError."""
    if value.startswith(FILE):
        path = folder / Path(value.removeprefix(FILE)).expanduser()
        return _from_file(path), f"file {path}"
    if value.startswith(KEYRING):
        service, _, user = value.removeprefix(KEYRING).rpartition("/")
        if not service or not user:
            raise SecretError("keyring_form")
        return _from_keyring(service, user), f"keyring {service}/{user}"
    return value, ""


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SecretError("secret_file", file=path, reason=reason) from None
    if len(data) > LARGEST:
        raise SecretError("secret_too_large", file=path, limit=LARGEST)
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretError("secret_not_text", file=path) from None


def _from_keyring(service: str, user: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise SecretError("keyring_missing") from None
    try:
        found = keyring.get_password(service, user)
    except KeyringError as error:
        raise SecretError("keyring_broken", reason=type(error).__name__) from None
    if found is None:
        raise SecretError("keyring_unknown", service=service, user=user)
    return str(found)
