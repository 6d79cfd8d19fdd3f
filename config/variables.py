"""${NAME} and ${NAME:-default} in a file's texts, from the environment or from the file .env beside it.

The environment wins over .env; nothing of .env is put into the environment. An empty variable counts as not set where
there is a default. $${ stands for the two characters ${.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from dotenv.parser import parse_stream

from config.located import Located, Tree
from config.near import nearest
from config.problem import Path, Place, Problem

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\}|\$\{")

ENVIRONMENT, DOTENV = "environment", ".env"


@dataclass(slots=True)
class Variables:
    """What may be filled in. `dotenv`: the file beside the configuration, for messages."""

    environment: Mapping[str, str]
    beside: Mapping[str, str] = field(default_factory=dict)
    dotenv: str = ".env"

    def find(self, name: str) -> tuple[str, str] | None:
        """(value, where from)."""
        if name in self.environment:
            return self.environment[name], ENVIRONMENT
        if name in self.beside:
            return self.beside[name], DOTENV
        return None


@dataclass(slots=True)
class Filled:
    """A file's value with the variables filled in. `sources`: path → the variables that are in the value there;
    `open`: paths whose value is not known."""

    value: dict[str, Tree]
    sources: dict[Path, list[str]] = field(default_factory=dict)
    open: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def fill(located: Located, variables: Variables) -> Filled:
    """Fill in what is written ${NAME}."""
    filled = Filled({})
    for key, value in located.value.items():
        filled.value[key] = _fill(value, (key,), located, variables, filled)
    return filled


def _fill(value: Tree, path: Path, located: Located, variables: Variables, filled: Filled) -> Tree:
    match value:
        case dict():
            return {key: _fill(each, (*path, key), located, variables, filled) for key, each in value.items()}
        case list():
            return [_fill(each, (*path, index), located, variables, filled) for index, each in enumerate(value)]
        case str() if "${" in value:
            return "".join(_parts(value, path, located.place(path), variables, filled))
    return value


def _parts(text: str, path: Path, place: Place, variables: Variables, filled: Filled) -> Iterator[str]:
    end = 0
    for match in _VARIABLE.finditer(text):
        yield text[end : match.start()]
        end = match.end()
        name, default = match["name"], match["default"]
        if name is None:
            if match[0] == "${":
                filled.problems.append(Problem("malformed", place, path))
                filled.open.add(path)
            yield "${"
            continue
        found = variables.find(name)
        if found is not None and (found[0] or default is None):
            filled.sources.setdefault(path, []).append(f"{found[1]} {name}")
            yield found[0]
        elif default is not None:
            yield default[2:]
        else:
            near = nearest(name, {*variables.environment, *variables.beside})
            words = {"name": name, "near": near, "dotenv": variables.dotenv}
            filled.problems.append(Problem("undefined", place, path, words))
            filled.open.add(path)
    yield text[end:]


def read_dotenv(file: FilePath) -> tuple[dict[str, str], list[Problem]]:
    """The names and values of a .env, and its lines that are none. No file is no problem."""
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError:
        return {}, [Problem("not_utf8", Place(str(file)))]
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return {}, [Problem("unreadable_file", Place(str(file)), (), {"reason": reason})]
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem("dotenv", Place(str(file), binding.original.line)))
        elif binding.key is not None:
            values[binding.key] = binding.value or ""
    return values, problems
