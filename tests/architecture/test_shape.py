"""A folder says what it is, a file holds one idea, and its first lines say which."""

from __future__ import annotations

import ast
from pathlib import PurePath

import pytest

from tests.architecture.source import Source, sources

LONGEST = 8
NAMELESS = frozenset({"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "shared", "tools"})


def opening(source: Source) -> str | None:
    """What is wrong with a file's first lines."""
    if not source.tree.body:
        return None
    said = ast.get_docstring(source.tree)
    if said is None:
        return f"{source.path}: say in the first lines what it decides and what it refuses"
    lines = len(said.splitlines())
    return f"{source.path}: {lines} lines before it begins, allowed {LONGEST}" if lines > LONGEST else None


def nameless(source: Source) -> str | None:
    """A name that holds everything says nothing."""
    found = NAMELESS & set(PurePath(source.path).with_suffix("").parts)
    return f"{source.path}: name it by its idea" if found else None


def test_every_file_says_in_eight_lines_what_it_decides() -> None:
    assert [said for each in sources() if (said := opening(each))] == []


def test_no_file_is_a_drawer_for_everything() -> None:
    assert [said for each in sources() if (said := nameless(each))] == []


@pytest.mark.parametrize("text", ["x = 1", '"""' + "a line\n" * 9 + '"""'])
def test_an_opening_that_is_missing_or_too_long_is_found(text: str) -> None:
    assert opening(Source("sync/made_up.py", text)) is not None


@pytest.mark.parametrize("text", ["", '"""One line."""\nx = 1', '"""' + "a line\n" * 8 + '"""'])
def test_an_opening_of_eight_lines_will_do(text: str) -> None:
    assert opening(Source("sync/made_up.py", text)) is None


@pytest.mark.parametrize("path", ["sync/utils.py", "connectors/common/wire.py", "smarketing/helpers/__init__.py"])
def test_a_drawer_is_found(path: str) -> None:
    assert nameless(Source(path, "")) is not None


def test_a_name_that_only_holds_such_a_word_will_do() -> None:
    assert nameless(Source("sync/common_cause.py", "")) is None
