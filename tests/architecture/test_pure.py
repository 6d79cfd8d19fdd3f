"""What decides does nothing: values in, values out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, imports, sources, within

PURE = frozenset(
    {
        "sync.compare",
        "sync.consent",
        "sync.group",
        "sync.guard",
        "sync.identity",
        "sync.merge",
        "sync.model",
        "sync.observe",
        "sync.packed",
        "sync.plan",
        "sync.rules",
        "mappings",
    }
)

READS_FILES = frozenset({"mappings.built_in"})
"""It reads the files that lie beside it in the package."""

OUTSIDE = frozenset(
    {
        "connectors.world",
        "ctypes",
        "fcntl",
        "glob",
        "http",
        "importlib",
        "io",
        "logging",
        "os",
        "pathlib",
        "shutil",
        "socket",
        "sqlite3",
        "ssl",
        "sys",
        "tempfile",
        "urllib.request",
    }
)
DEEDS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"})


def deeds(source: Source) -> Iterator[tuple[int, str]]:
    """Line and name of everything that reaches out."""
    for line, name in imports(source):
        if (found := within(name, OUTSIDE)) is not None:
            yield line, found
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DEEDS:
            yield node.lineno, node.func.id
        elif isinstance(node, ast.Global):
            yield node.lineno, "global"


def pure() -> list[Source]:
    return [each for each in sources() if within(each.module, PURE) and each.module not in READS_FILES]


def test_every_pure_module_is_there() -> None:
    there = {within(each.module, PURE) for each in pure()}
    assert there == PURE


def test_what_decides_does_nothing() -> None:
    assert [f"{each.path}:{line}: {name}" for each in pure() for line, name in deeds(each)] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import os", "os"),
        ("def f():\n    from pathlib import Path", "pathlib"),
        ("def f():\n    return open('x')", "open"),
        ("print(1)", "print"),
        ("import urllib.request", "urllib.request"),
        ("from connectors.world import World", "connectors.world"),
        ("x = 0\ndef f():\n    global x\n    x = 1", "global"),
    ],
)
def test_the_rule_finds(text: str, name: str) -> None:
    assert [each for _, each in deeds(Source("sync/plan.py", text))] == [name]


def test_the_rule_lets_a_calculation_pass() -> None:
    text = "import re\nfrom urllib.parse import quote\nx = re.compile('a')"
    assert list(deeds(Source("sync/plan.py", text))) == []
