"""YAML with positions: plain values, and where each of them stands.

YAML 1.2, core schema: `no`, `on` and 12:30:00 are texts. Keys are always the text as written. Refused or told: what is
no UTF-8, tabs, duplicate keys, tags, merge keys, numbers that would lose a leading zero or plus, values without end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from config.problem import ConfigError, Path, Place, Problem

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | float | bool | None"

LARGEST = 512 * 1024  # bytes
MOST = 50_000  # values, aliases counted as often as they are used
DEEPEST = 50

Mark: TypeAlias = "tuple[int, int]"
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class Located:
    """A file's value. `problems`: what is wrong in it, where the rest can still be used."""

    file: str
    value: dict[str, Tree]
    problems: tuple[Problem, ...] = ()
    _values: dict[Path, Mark] = field(default_factory=dict)
    _keys: dict[Path, Mark] = field(default_factory=dict)

    def where(self, path: Path, *, key: bool = False) -> Mark:
        """Where the value stands, or its key; else the nearest value around it that stands there."""
        if key and path in self._keys:
            return self._keys[path]
        for end in range(len(path), -1, -1):
            if path[:end] in self._values:
                mark = self._values[path[:end]]
                # What is missing in a map is told at the map's name, not at its first line.
                return mark if end == len(path) else self._keys.get(path[:end], mark)
        return (1, 1)

    def place(self, path: Path, *, key: bool = False) -> Place:
        return Place(self.file, *self.where(path, key=key))


def read(data: bytes, file: str) -> Located:
    """Read a file's bytes. Raises ConfigError for what is no YAML at all."""
    if len(data) > LARGEST:
        raise _error(file, "too_large", None, size=len(data), limit=LARGEST)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(file, "not_utf8", (line, error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1)) from None
    node = _compose(text, file)
    if node is None:
        raise _error(file, "empty_file", None)
    tree = _Tree(file)
    value = tree.of(node, (), ())
    if not isinstance(value, dict):
        raise _error(file, "not_a_map", (1, 1))
    return Located(file, value, tuple(tree.problems), tree.values, tree.keys)


def _compose(text: str, file: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise _told(error, text, file, at) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        at = (line, error.position - text.rfind("\n", 0, error.position))
        raise _error(file, "control_character", at, character=f"U+{_code(error.character):04X}") from None
    except RecursionError:
        raise _error(file, "too_deep", (1, 1), limit=DEEPEST) from None


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(character)


def _told(error: Any, text: str, file: str, at: Mark) -> ConfigError:
    problem = str(error.problem or error.context or "it ends too early")
    lines = text.splitlines()
    line = lines[at[0] - 1] if at[0] <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return _error(file, "tab", at)
    if "another document" in problem:
        return _error(file, "two_documents", at)
    if "undefined alias" in problem:
        return _error(file, "unknown_alias", at)
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = '; a value with ": " in it needs quotes, and all names of one map the same indentation'
    elif "cannot start any token" in problem:
        hint = "; a value that begins with it needs quotes"
    elif "end of stream" in problem or "stream end" in problem or "but got" in problem:
        hint = "; a quote or bracket above is not closed"
    return _error(file, "yaml", at, problem=problem.replace("<", "").replace(">", ""), hint=hint)


def _error(file: str, what: str, at: Mark | None, **words: object) -> ConfigError:
    return ConfigError([Problem(what, Place(file, *(at or ())), (), words)])


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_INT = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_PREFIX = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map"})
_DIGITS = 300
_SHOWN = 8  # digits; what is longer may be a secret


class _Tree:
    """Plain values of composed nodes."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self._file = file
        self._count = 0

    def of(self, node: Any, path: Path, above: tuple[int, ...]) -> Tree:
        at = self.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        self._count += 1
        if self._count > MOST:
            raise _error(self._file, "too_many", at, limit=MOST)
        if id(node) in above:
            raise _error(self._file, "recursion", at)
        if len(above) > DEEPEST:
            raise _error(self._file, "too_deep", at, limit=DEEPEST)
        tag = str(node.tag)
        if tag.removeprefix(_PREFIX) not in _PLAIN_TAGS:
            self._wrong("tag", at, path, tag=tag.replace(_PREFIX, "!!"))
        inside = (*above, id(node))
        if isinstance(node, SequenceNode):
            return [self.of(each, (*path, index), inside) for index, each in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return dict(self._pairs(node, path, inside))
        return self._scalar(node, tag, at, path)

    def _pairs(self, node: Any, path: Path, inside: tuple[int, ...]) -> Iterator[tuple[str, Tree]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            at = (key.start_mark.line + 1, key.start_mark.column + 1)
            if isinstance(key.value, list):
                self._wrong("key_not_text", at, path)
                continue
            name = str(key.value)
            if str(key.tag).endswith(":merge"):
                self._wrong("merge_key", at, path)
                continue
            if name in seen:
                self._wrong("duplicate_key", at, (*path, name), key=name, line=seen[name])
                continue
            seen[name] = at[0]
            self.keys[*path, name] = at
            yield name, self.of(value, (*path, name), inside)

    def _scalar(self, node: Any, tag: str, at: Mark, path: Path) -> Tree:
        text = str(node.value)
        if node.style is not None or tag == f"{_PREFIX}str":
            if any("\ud800" <= each <= "\udfff" for each in text):
                self._wrong("no_character", at, path)
            return text
        # ruamel resolves by the version that the file claims; we read every file alike.
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.match(text):
            return self._integer(text, at, path)
        if _OTHER_INT.match(text):
            return int(text, 0)
        if _FLOAT.match(text) and math.isfinite(number := float(text)):
            if re.match("[-+]?0[0-9]", text):
                self._wrong("number_as_text", at, path, found=text[:_SHOWN], read=str(number)[:_SHOWN])
            return number
        return text

    def _integer(self, text: str, at: Mark, path: Path) -> Tree:
        if len(text) > _DIGITS:
            self._wrong("huge_number", at, path, digits=len(text))
            return text
        if str(int(text)) != text:
            shown = len(text) <= _SHOWN
            found, read = (text, int(text)) if shown else ("the number", "another")
            self._wrong("number_as_text", at, path, found=found, read=read)
            return text
        return int(text)

    def _wrong(self, what: str, at: Mark, path: Path, **words: object) -> None:
        self.problems.append(Problem(what, Place(self._file, *at), path, words))
