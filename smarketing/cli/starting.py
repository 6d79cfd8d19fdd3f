"""The text of a configuration to begin with, made of what the chosen connectors say they need.

A secret or an address is written as a variable, a file as its path; everything that has a default is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.models import choices
from connectors import registry

SCHEMA = "smarketing.schema.json"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One system that is wanted. `path`: the file, for those that are one."""

    name: str
    connector: str
    path: str | None = None


def needed(connector: str) -> dict[str, FieldInfo]:
    """The keys of a connector that have no default."""
    return {name: each for name, each in registry.load(connector).Settings.model_fields.items() if each.is_required()}


def file_key(connector: str) -> str | None:
    """The key that names its file, where a system is one."""
    return next((name for name, each in needed(connector).items() if Path in choices(each.annotation)), None)


class Start:
    """What is to be written. `trust`: systems, best first."""

    def __init__(self, chosen: Sequence[Chosen], trust: Sequence[str]) -> None:
        self._chosen = list(chosen)
        self._trust = list(trust)
        self._variables: dict[tuple[str, str], str] = {}
        for each in self._chosen:
            for key in needed(each.connector):
                if key != file_key(each.connector):
                    self._variables[each.name, key] = self._variable(each.name, key)

    def _variable(self, system: str, key: str) -> str:
        plain = re.sub(r"[^A-Z0-9_]", "_", f"{system}_{key}".upper())
        first = f"_{plain}" if plain[0].isdigit() else plain
        taken = {*self._variables.values()}
        return next(each for each in (first, *(f"{first}_{n}" for n in range(2, 999))) if each not in taken)

    def variables(self) -> list[str]:
        return list(self._variables.values())

    def dotenv(self) -> str:
        lines = ["# What smarketing.yaml calls ${NAME}. Nobody but you should read this file; keep it out of git."]
        for each in self._chosen:
            mine = [(key, name) for (system, key), name in self._variables.items() if system == each.name]
            if mine:
                lines += ["", f"# {each.name}"]
            for key, name in mine:
                about = needed(each.connector)[key].description
                lines += [*([f"# {about}"] if about else []), f"{name}="]
        return "\n".join(lines) + "\n"

    def configuration(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# yaml-language-server: $schema={SCHEMA}"
        yield '# Every key is told by "smarketing schema"; "smarketing config show" tells what holds now, and why.'
        yield ""
        yield "# database: sqlite:///smarketing.db   # beside this file; or postgresql+psycopg://…"
        yield "timezone: Europe/Oslo"
        yield "region: NO                           # of phone numbers that are written without a country"
        yield ""
        yield "systems:                             # the first one wins between equals"
        for each in self._chosen:
            yield from self._system(each)
        yield "sync:"
        yield "  every: 5m                          # how often to look for changes"
        yield "  first: approve                     # the first plan of a system waits for a person"
        trust = f"[{', '.join(self._trust or [self._chosen[0].name])}]"
        mark = "" if self._trust else "# "
        yield f"  {mark}trust: {trust}".ljust(37) + "# who is right when two meet for the first time and disagree"
        yield "  # fields: {phone: {rule: newest}}  # what holds for single fields"

    def _system(self, each: Chosen) -> Iterator[str]:
        yield f"  {each.name}:"
        yield f"    connector: {each.connector}"
        yield "    writes: none                     # to begin with: only read. Then update, then all"
        for key, field in needed(each.connector).items():
            if key == file_key(each.connector):
                yield f"    {key}: {json.dumps(each.path, ensure_ascii=False)}"
                continue
            secret = SecretStr in choices(field.annotation)
            about = "secret: in .env, or write file:PATH or keyring:SERVICE/USER" if secret else field.description
            line = f'    {key}: "${{{self._variables[each.name, key]}}}"'
            yield f"{line}  # {about}" if about else line
        yield ""
