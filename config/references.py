"""Names that stand for something outside their own line: types and fields of the lead, and rules that fit a field.

What the rest of the program knows is handed in; without it there is nothing to hold the names against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.checking import Told
from config.near import nearest, nearest_or_all
from config.problem import Path

Fields = Mapping[str, tuple[str, str]]
"""Field of the lead → its type, and the group of fields with which it moves."""

_ONLY_FOR: Mapping[str, tuple[tuple[str, ...], str]] = {
    "union": (("set", "emails"), "sets"),
    "furthest": (("stage",), "stages"),
}
"""Rules that make one value of several, and only of such a kind."""

_FOR_ALL = 'newest, "owner: SYSTEM", "trust: [SYSTEM]", person_first, ask'


@dataclass(frozen=True, slots=True)
class Known:
    """Names that the rest of the program knows: with them more can be checked, and the meant one named."""

    connectors: Sequence[str] = ()
    types: Sequence[str] = ()
    fields: Fields = field(default_factory=dict)


def references(value: Mapping[str, Any], known: Known) -> Iterator[Told]:
    """What is wrong with such names in a file's value. What is malformed is left to the models."""
    fields = dict(known.fields)
    for name, type_ in _map(value, "lead", "fields").items():
        if isinstance(type_, str):
            fields[name] = (type_, name)
            if known.types and type_ not in known.types:
                near = nearest_or_all(type_, known.types)
                yield "unknown_type", ("lead", "fields", name), False, {"key": name, "name": type_, "near": near}
    if known.fields:
        for system in _map(value, "systems"):
            yield from _filters(_map(value, "systems", system).get("filters"), ("systems", system, "filters"), fields)
        yield from _rules(_map(value, "sync", "fields"), fields)


def _filters(filters: Any, below: Path, fields: Fields) -> Iterator[Told]:
    for index, each in enumerate(filters if isinstance(filters, list) else ()):
        name = each.get("field") if isinstance(each, Mapping) else None
        if isinstance(name, str) and not _is_there(name, fields):
            yield "unknown_field", (*below, index, "field"), False, _unknown(name, fields)


def _rules(rules: Mapping[str, Any], fields: Fields) -> Iterator[Told]:
    groups = {group for _, group in fields.values()}
    first: dict[str, tuple[str, Any]] = {}
    for name, said in rules.items():
        path: Path = ("sync", "fields", name)
        if name.startswith("consent."):
            yield "rule_for_consent", path, True, {"key": name}
            continue
        if name not in groups and name not in fields:
            yield "unknown_field", path, True, _unknown(name, fields)
            continue
        type_, group = fields.get(name, ("", name))
        rule = said.get("rule") if isinstance(said, Mapping) else None
        types, kind = _ONLY_FOR.get(str(rule), ((), ""))
        if types and type_ not in types:
            yield (
                "rule_for_kind",
                (*path, "rule"),
                False,
                {"key": name, "rule": rule, "kind": kind, "allowed": _FOR_ALL},
            )
        other, before = first.setdefault(group, (name, said))
        if before != said:
            yield "rules_differ", path, True, {"key": name, "other": other, "group": group}


def _is_there(name: str, fields: Fields) -> bool:
    return name in fields or name.startswith("consent.")


def _unknown(name: str, fields: Fields) -> dict[str, object]:
    return {"name": name, "near": nearest(name, fields)}


def _map(value: Any, *path: str) -> Mapping[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
