"""One system's mapping, made of its mapping file: a built-in one, extended by the user's own line a field.

Tells everything that is wrong in a file at once. `round` = read ∘ write is what the other side will show once a value
was written; comparing through it is what keeps a lossy side quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mappings.lead import LeadShape
from mappings.objects import Groups, ObjectMapping
from mappings.rule import EMPTY, GroupRule, Path, Problem, Setting, make_rule, nearest

__all__ = ["Groups", "LeadMapping", "MappingError", "ObjectMapping", "Problem", "compile_mapping", "extend"]


@dataclass(frozen=True, slots=True)
class LeadMapping:
    """A system's mapping: object → its rules. The order of the objects says which record speaks for a person."""

    objects: Mapping[str, ObjectMapping]

    def names(self) -> dict[str, tuple[str, ...]]:
        """Object → the native names to read."""
        return {name: each.names for name, each in self.objects.items()}

    def digest(self) -> dict[str, dict[str, str]]:
        return {name: each.digests() for name, each in sorted(self.objects.items())}


class MappingError(ValueError):
    """A mapping file that cannot be used; all its problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = list(problems)


TOP_KEYS = ("connector", "extends", "fields", "objects")
OBJECT_KEYS = ("fields", "empty", "examples")


def compile_mapping(
    content: Mapping[str, Any],
    shape: LeadShape,
    region: str = "NO",
    where: Callable[[Path], str] = lambda path: ".".join(map(str, path)),
    heirs: Mapping[str, str] | None = None,
) -> LeadMapping:
    """Make a mapping of a file's content. Raises MappingError with every problem found. `heirs`: owner who left → who
    took over."""
    problems: list[Problem] = []
    objects: dict[str, ObjectMapping] = {}
    _refuse_unknown(content, TOP_KEYS, (), problems)
    if content.get("fields"):
        problems.append(
            Problem(("fields",), '"fields" stands under an object, except in a file that extends a built-in')
        )
    for name, each in _map(content.get("objects"), ("objects",), problems).items():
        objects[name] = _compile_object(name, each, Setting(shape, region, "clear", where, heirs or {}), problems)
    if not objects and not problems:
        problems.append(Problem((), "it maps no object"))
    if problems:
        raise MappingError(problems)
    return LeadMapping(objects)


def _compile_object(name: str, said: Any, setting: Setting, problems: list[Problem]) -> ObjectMapping:
    path: Path = ("objects", name)
    before = len(problems)
    each = _map(said, path, problems)
    _refuse_unknown(each, OBJECT_KEYS, path, problems)
    empty = each.get("empty", setting.empty)
    if empty not in EMPTY:
        problems.append(Problem((*path, "empty"), f'empty "{empty}"; allowed: {", ".join(EMPTY)}'))
        empty = setting.empty
    setting = replace(setting, empty=empty)
    lines = _map(each.get("fields"), (*path, "fields"), problems)
    rules: list[GroupRule] = []
    for key, line in lines.items():
        rule = make_rule(key, line, (*path, "fields", key), setting, problems)
        if rule is not None:
            rules.append(rule)
    if not rules and len(problems) == before:
        problems.append(Problem(path, f'"{name}" maps no field'))
    problems += _told_twice(rules)
    return ObjectMapping(name, rules, setting.shape, setting.region)


def _told_twice(rules: Sequence[GroupRule]) -> Iterable[Problem]:
    """Two lines for one lead field, or for one native field: a change over there belongs to one group, and a field is
    written once."""
    leads: dict[str, GroupRule] = {}
    natives: dict[str, GroupRule] = {}
    for rule in rules:
        for name in rule.lead:
            other = leads.setdefault(name, rule)
            if other is not rule:
                told = f'lead field "{name}" is mapped by two lines, here and by "{other.path[-1]}"'
                yield Problem(rule.path, told, "SM125")
        for name in rule.remote:
            other = natives.setdefault(name, rule)
            if other is rule:
                continue
            if other.group != rule.group:
                told = f'native field "{name}" is mapped by two lines, here and by "{other.path[-1]}"'
                yield Problem(rule.path, told, "SM125")
            elif name in rule.written and name in other.written:
                told = f'native field "{name}" is written by two lines, here and by "{other.path[-1]}"'
                yield Problem(rule.path, told, "SM125")


def _map(found: Any, path: Path, problems: list[Problem]) -> dict[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        problems.append(Problem(path, f'"{path[-1]}" must be a map of names'))
        return {}
    return {str(key): value for key, value in found.items()}


def _refuse_unknown(found: Mapping[str, Any], allowed: Sequence[str], path: Path, problems: list[Problem]) -> None:
    for key in found:
        if key not in allowed:
            told = f'unknown key "{key}"{nearest(str(key), allowed) or "; allowed: " + ", ".join(allowed)}'
            problems.append(Problem((*path, key), told, "SM123"))


def extend(built_in: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The built-in mapping with a user's lines over it, a line a field; null takes a field out. Lines under the file's
    own `fields` count for every object. A file with `extends: false` stands alone. What is malformed stays as it is,
    for `compile_mapping` to tell."""
    if own.get("extends") is False:
        return dict(own)
    merged: dict[str, Any] = {key: value for key, value in own.items() if key not in ("objects", "fields", "extends")}
    merged.setdefault("connector", built_in.get("connector"))
    objects = own.get("objects")
    shared = own.get("fields")
    if not isinstance(objects, Mapping | None) or not isinstance(shared, Mapping | None):
        return {**merged, **own}
    merged["objects"] = {
        **{
            name: _extend_object(each, (objects or {}).get(name), shared or {})
            for name, each in built_in["objects"].items()
        },
        **{name: each for name, each in (objects or {}).items() if name not in built_in["objects"]},
    }
    return merged


def _extend_object(built_in: Mapping[str, Any], own: Any, shared: Mapping[str, Any]) -> Any:
    """Examples of the built-in no longer hold once a line of it is another."""
    if not isinstance(own, Mapping | None):
        return own
    more = (own or {}).get("fields")
    if not isinstance(more, Mapping | None):
        return own
    lines = {**built_in["fields"], **shared, **(more or {})}
    kept = {key: value for key, value in lines.items() if value is not None}
    options = {key: value for key, value in {**built_in, **(own or {})}.items() if key not in ("fields", "examples")}
    examples = {"examples": own["examples"]} if own and "examples" in own else {}
    return {**options, "fields": kept, **examples}
