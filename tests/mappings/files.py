"""Mapping files as the program reads them: with their places."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

from config.located import Located, read
from mappings import built_in
from mappings.rule import Path


def located(text: str, file: str = "own.yaml") -> Located:
    found = read(dedent(text).encode(), file)
    assert found.problems == ()
    return found


def where(found: Located) -> Callable[[Path], str]:
    return lambda path: str(found.place(path, key=True))


def built_in_file(connector: str) -> Located:
    content = built_in.content(connector)
    assert content is not None
    return located(content.decode(), f"{connector}.yaml")


def built_in_content(connector: str) -> dict[str, Any]:
    return built_in_file(connector).value
