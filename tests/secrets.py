"""What connectors of the tests are given to keep their tokens in."""

from __future__ import annotations


class NoSecrets:
    """Nothing is kept here: these tokens do not change, and a file has none."""

    def get(self, name: str) -> str | None:
        return None

    def put(self, name: str, value: str) -> None:
        raise AssertionError(f"{name!r} was to be kept")
