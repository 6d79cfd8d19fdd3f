"""Examples that stand beside a mapping's lines, and whether they hold.

Each tells what a native record means (`native`, `lead`, `unreadable`), what is written for a lead (`lead`, `written`,
`unwritable`, `creating`), or what comes back of what is written (`lead`, `round`, with `native` as what the record
holds beside). A mapping file is its own test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Fields
from mappings.lead import Canon, LeadShape
from mappings.objects import Groups, ObjectMapping
from mappings.rule import Path, Problem, nearest, unknown_field
from mappings.transforms import Unwritable

KEYS = ("about", "native", "lead", "unreadable", "written", "unwritable", "round", "creating")
FAILS = "SM128"

_ABSENT = object()


def failures(mapping: ObjectMapping, shape: LeadShape, examples: Any, path: Path) -> Iterator[Problem]:
    """What does not hold, or cannot be understood."""
    if examples is None:
        return
    if not isinstance(examples, Sequence) or isinstance(examples, str):
        yield Problem(path, "examples must be a list")
        return
    for number, example in enumerate(examples):
        at: Path = (*path, number)
        found = list(_malformed(example, shape, at))
        yield from found or _Example(mapping, shape, example, at).failures()


def _malformed(example: Any, shape: LeadShape, at: Path) -> Iterator[Problem]:
    if not isinstance(example, Mapping):
        yield Problem(at, "an example must be a map, with native, lead, written or round")
        return
    for key in example:
        if key not in KEYS:
            yield Problem((*at, key), f'unknown key "{key}"{nearest(str(key), KEYS)}', "SM123")
    for key in ("native", "lead", "written", "round"):
        if not isinstance(example.get(key, {}), Mapping):
            yield Problem((*at, key), f"{key} must be a map of fields")
    for key in ("unreadable", "unwritable"):
        said = example.get(key, [])
        if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
            yield Problem((*at, key), f"{key} must be a list of groups")
    for key in ("lead", "round"):
        names = example.get(key)
        for name in names if isinstance(names, Mapping) else ():
            if shape.field(str(name)) is None:
                yield Problem((*at, key, name), unknown_field(str(name), shape), "SM121")
    if (
        not {"unreadable", "written", "unwritable", "round"} & example.keys()
        and not {"native", "lead"} <= example.keys()
    ):
        yield Problem(at, "the example shows nothing: say native and lead, or lead and written")


class _Example:
    def __init__(self, mapping: ObjectMapping, shape: LeadShape, said: Mapping[str, Any], at: Path) -> None:
        self._mapping, self._shape, self._said, self._at = mapping, shape, said, at
        self._native: Fields = dict(said.get("native") or {})
        self._lead: dict[str, Any] = dict(said.get("lead") or {})

    def failures(self) -> Iterator[Problem]:
        said = self._said
        if "native" in said and ("lead" in said or "unreadable" in said) and "round" not in said:
            yield from self._reading()
        if "written" in said or "unwritable" in said:
            yield from self._writing()
        if "round" in said:
            yield from self._rounding()

    def _reading(self) -> Iterator[Problem]:
        unreadable: dict[str, str] = {}
        got = self._flat(self._mapping.read(self._native, unreadable))
        if "lead" in self._said:
            yield from self._compare("lead", "is read as", got, self._lead)
        yield from self._compare_lists("unreadable", sorted(unreadable))

    def _writing(self) -> Iterator[Problem]:
        got: Fields = {}
        unwritable: list[str] = []
        for group, value in self._groups(self._lead).items():
            try:
                got |= self._mapping.write(group, value, creating=bool(self._said.get("creating")))
            except Unwritable:
                unwritable.append(group)
        if "written" in self._said:
            yield from self._compare("written", "is written as", got, self._said["written"] or {})
        yield from self._compare_lists("unwritable", sorted(unwritable))

    def _rounding(self) -> Iterator[Problem]:
        got: Groups = {}
        for group, value in self._groups(self._lead).items():
            try:
                got[group] = self._mapping.round(group, value, self._native)
            except Unwritable:
                yield Problem((*self._at, "lead"), f'the group "{group}" cannot be written', FAILS)
        yield from self._compare("round", "comes back as", self._flat(got), self._said["round"] or {})

    def _compare(self, key: str, verb: str, got: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[Problem]:
        for name in [*expected, *(name for name in got if name not in expected)]:
            want, have = expected.get(name, _ABSENT), got.get(name, _ABSENT)
            # What is read empty need not be listed; what is written empty is a deed.
            if (want == have and type(want) is type(have)) or (key != "written" and have is None and want is _ABSENT):
                continue
            path = (*self._at, key, name) if name in expected else (*self._at, key)
            yield Problem(path, f'the example fails: "{name}" {verb} {_shown(have)}, expected {_shown(want)}', FAILS)

    def _compare_lists(self, key: str, got: list[str]) -> Iterator[Problem]:
        expected = sorted(self._said.get(key) or [])
        if got != expected:
            have, want = (", ".join(each) or "nothing" for each in (got, expected))
            path = (*self._at, key) if key in self._said else self._at
            yield Problem(path, f"the example fails: {key} is {have}, expected {want}", FAILS)

    def _groups(self, lead: Mapping[str, Any]) -> dict[str, Canon]:
        found: dict[str, Any] = {}
        for name, value in lead.items():
            field = self._shape.field(name)
            if field is None:
                continue
            if self._shape.members(field.group) == (name,):
                found[field.group] = value
            else:
                found.setdefault(field.group, {})[name] = value
        return found

    def _flat(self, groups: Groups) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for group, value in groups.items():
            if len(self._shape.members(group)) == 1:
                flat[group] = value
            else:
                flat |= value if isinstance(value, dict) else {}
        return flat


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    return "empty" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
