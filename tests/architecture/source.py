"""The project's own source, as trees: what the rules of the house are held against."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("connectors", "mappings", "sync", "config", "smarketing")


@dataclass(frozen=True)
class Source:
    """One file: where it lies, seen from the root, and what it says."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def sources() -> tuple[Source, ...]:
    """Every file of the five packages."""
    found = [each for package in PACKAGES for each in sorted((ROOT / package).rglob("*.py"))]
    return tuple(Source(str(each.relative_to(ROOT)), each.read_text(encoding="utf-8")) for each in found)


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Every module or name that is imported, however deep in the file: line, dotted name."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)


def mentions(source: Source) -> Iterator[tuple[int, str]]:
    """Every imported thing, and every attribute of one, by its full dotted name whatever it is called here."""
    called: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                called[each.asname or each.name.split(".")[0]] = each.name if each.asname else each.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            called.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
    yield from imports(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and (name := _dotted(node, called)) is not None:
            yield node.lineno, name


def _dotted(node: ast.expr, called: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return called.get(node.id)
    if isinstance(node, ast.Attribute):
        front = _dotted(node.value, called)
        return None if front is None else f"{front}.{node.attr}"
    return None


def within(name: str, places: frozenset[str]) -> str | None:
    """Which of the places a dotted name stands for or under."""
    return next((each for each in sorted(places) if name == each or name.startswith(f"{each}.")), None)
