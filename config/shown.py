"""A configuration as it is in force: every value, and where it comes from. Secrets are covered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, SecretStr

from config.load import Loaded, Origin
from config.problem import Path
from config.settings import Rule, System, duration_text, is_duration

COVERED = "********"


@dataclass(frozen=True, slots=True)
class Shown:
    """One value, JSON-native."""

    path: Path
    value: object
    origin: Origin

    @property
    def name(self) -> str:
        return ".".join(str(each) for each in self.path)


def shown(loaded: Loaded) -> Iterator[Shown]:
    """Every value in force, in the order of the file's shape."""
    for path, value in _values(loaded.settings, ()):
        yield Shown(path, value, loaded.origin(path))


def _values(value: Any, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, Rule):
        yield path, _rule(value)
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inside = getattr(value, name)
            if isinstance(value, System) and name == "own":
                yield from _values(inside, path)
            elif is_duration(field):
                yield (*path, name), duration_text(inside)
            else:
                yield from _values(inside, (*path, field.alias or name))
    elif isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _values(each, (*path, key))
    else:
        yield path, _plain(value, path)


def _plain(value: Any, path: Path) -> object:
    match value:
        case SecretStr():
            return without_password(value.get_secret_value()) if path == ("database",) else COVERED
        case BaseModel():
            return {name: _plain(getattr(value, name), ()) for name in type(value).model_fields}
        case Mapping():
            return {str(key): _plain(each, ()) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each, ()) for each in value]
        case str() | int() | float() | bool() | None:
            return value
        case FilePath():
            return str(value)
        case _:
            return COVERED if "Secret" in type(value).__name__ else str(value)


def without_password(address: str) -> str:
    """A database's address with its password covered."""
    address = re.sub(r"(://[^/:@]*):.*@", rf"\1:{COVERED}@", address)
    return re.sub(r"(?i)([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&]*", rf"\1{COVERED}", address)


def _rule(rule: Rule) -> str:
    if rule.name == "owner":
        return f"owner: {rule.systems[0]}"
    return f"trust: [{', '.join(rule.systems)}]" if rule.name == "trust" else rule.name
