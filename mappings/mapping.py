"""One system's mapping: which native fields mean which group of the lead, read, written and rounded.

Compiled from a mapping file (a built-in one, extended by the user's own line a field). `round` = read ∘ write is what
the other side will show once a value was written; comparing through it is what keeps a lossy side quiet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.base import Fields, Value
from mappings.lead import Canon, LeadShape, is_consent
from mappings.transforms import DEFAULT_FOR_TYPE, TRANSFORMS, Keep, Options, Transform, Unreadable, country

Groups: TypeAlias = "dict[str, Canon]"
"""Group → canonical value. A group that is not there is not known from this reading."""

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Some of a group's fields ↔ some native fields.

    `direction`: in | out | both. `filler`: native values that mean nothing, read as None; the first is written
    where the native field must not be empty. `if_empty`: what an empty lead value does over there: clear | keep.
    `slot`: the record's own address, never levelled over twins. `widen`: an opt-out of a purpose may be written to
    this coarser control. `coercions`: how a value may come back, beside the connector's own.
    """

    group: str
    lead: tuple[str, ...]
    remote: tuple[str, ...]
    transform: Transform
    options: Options = field(default_factory=Options)
    direction: str = "both"
    filler: tuple[str, ...] = ()
    if_empty: str = "clear"
    slot: bool = False
    widen: bool = True
    required: bool = False
    coercions: frozenset[str] = frozenset()
    where: str = ""

    def digest(self) -> str:
        """Changes when reading or writing does."""
        how = self.options
        told: list[object] = [
            self.lead,
            self.remote,
            self.transform.name,
            sorted(how.options.items()),
            how.length,
            how.region,
        ]
        told += [self.direction, self.filler, self.if_empty]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()


class ObjectMapping:
    """The rules of one object of one system."""

    def __init__(self, object: str, rules: Sequence[GroupRule], shape: LeadShape, region: str) -> None:
        self.object = object
        self.rules = tuple(rules)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(name for rule in rules for name in rule.remote))
        self.groups: dict[str, tuple[GroupRule, ...]] = {}
        for rule in rules:
            self.groups[rule.group] = (*self.groups.get(rule.group, ()), rule)
        self.group_of: dict[str, str] = {name: rule.group for rule in rules for name in rule.remote}
        self.slots = frozenset(rule.group for rule in rules if rule.slot)
        self.incoming = frozenset(rule.group for rule in rules if rule.direction != "out")
        self.outgoing = frozenset(rule.group for rule in rules if rule.direction != "in")
        self.coercions: dict[str, frozenset[str]] = {
            name: rule.coercions for rule in rules for name in rule.remote if rule.coercions
        }
        self._single = {g: len(shape.members(g)) == 1 for g in self.groups}
        self._region = region
        self._country = next((r for r in rules if r.lead == ("country",) and len(r.remote) == 1), None)
        self._regional = self._country is not None and any(rule.transform.regional for rule in rules)

    def read(self, native: Mapping[str, Value], unreadable: dict[str, str] | None = None) -> Groups:
        """Canonical values of what is known. A group with an unreadable value is left out, and told in `unreadable`
        as group → what was expected."""
        found: Groups = {}
        region = self._region_of(native) if self._regional else None
        for rule in self.rules:
            try:
                values = self._read_rule(rule, native, region)
            except Unreadable as error:
                if unreadable is not None:
                    unreadable[rule.group] = str(error)
                found.pop(rule.group, None)
                continue
            if values is None or (unreadable is not None and rule.group in unreadable):
                continue
            if self._single[rule.group]:
                found[rule.group] = values[0]
            else:
                part = found.setdefault(rule.group, {})
                if isinstance(part, dict):
                    part.update(zip(rule.lead, values, strict=True))
        return found

    def read_group(self, group: str, native: Mapping[str, Value]) -> Canon | None:
        """One group's canonical value, None where it is not known or unreadable."""
        found: dict[str, object] = {}
        region = self._region_of(native) if self._regional else None
        for rule in self.groups.get(group, ()):
            try:
                values = self._read_rule(rule, native, region)
            except Unreadable:
                return None
            if values is None:
                continue
            if self._single[group]:
                return values[0]
            found.update(zip(rule.lead, values, strict=True))
        return found or None

    def write(self, group: str, value: Canon, *, creating: bool = False) -> Fields:
        """Native values for a group. Raises Unwritable.

        `creating`: empty values are left out, and a required one gets its filler.
        """
        out: Fields = {}
        for rule in self.groups.get(group, ()):
            if rule.direction == "in":
                continue
            values = [value] if self._single[group] else [_member(value, name) for name in rule.lead]
            written = rule.transform.write(values, rule.options)
            for name, native in zip(rule.remote, written, strict=True):
                if isinstance(native, Keep):
                    continue
                if native in (None, ""):
                    if rule.filler and rule.required:
                        out[name] = rule.filler[0]
                    elif not creating and rule.if_empty == "clear":
                        out[name] = None
                else:
                    out[name] = native
        return out

    def round(self, group: str, value: Canon, native: Mapping[str, Value] | None = None) -> Canon | None:
        """What this side will read back once `value` was written. Raises Unwritable. `native`: what the record holds
        beside (a phone is read by its country)."""
        written = self.write(group, value)
        return self.read_group(group, {**(native or {}), **written})

    def slot(self, native: Mapping[str, Value]) -> str | None:
        """The record's own address in normal form; None where it has none that is readable."""
        for group in self.slots:
            value = self.read_group(group, native)
            if isinstance(value, str):
                return value
        return None

    def coercions_of(self, name: str, connector: frozenset[str]) -> frozenset[str]:
        more = self.coercions.get(name)
        return connector | more if more else connector

    def digests(self) -> dict[str, str]:
        """Group → what changes when its reading or writing does."""
        return {group: "".join(rule.digest() for rule in rules) for group, rules in sorted(self.groups.items())}

    def _region_of(self, native: Mapping[str, Value]) -> str:
        rule = self._country
        if rule is None:
            return self._region
        try:
            found = country(native.get(rule.remote[0]))
        except Unreadable:
            return self._region
        return found if found is not None and len(found) == 2 else self._region

    def _read_rule(self, rule: GroupRule, native: Mapping[str, Value], region: str | None) -> Sequence[Canon] | None:
        """The rule's lead values, or None where a native one is not known."""
        values: list[Value] = []
        for name in rule.remote:
            value = native.get(name, _ABSENT)
            if value is _ABSENT:
                return None
            values.append(None if rule.filler and value in rule.filler else value)  # type: ignore[arg-type]
        options = rule.options
        if region is not None and rule.transform.regional and region != options.region:
            options = Options(options.options, options.length, region)
        return rule.transform.read(values, options)


@dataclass(frozen=True, slots=True)
class LeadMapping:
    """A system's mapping: object → its rules."""

    objects: Mapping[str, ObjectMapping]

    def names(self) -> dict[str, tuple[str, ...]]:
        """Object → the native names to read."""
        return {name: each.names for name, each in self.objects.items()}

    def digest(self) -> dict[str, dict[str, str]]:
        return {name: each.digests() for name, each in sorted(self.objects.items())}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a mapping file. `path` leads to it: keys and indexes from the top."""

    path: tuple[str | int, ...]
    text: str


class MappingError(ValueError):
    """A mapping file that cannot be used; all its problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = list(problems)


_KEYS = {
    "remote",
    "as",
    "direction",
    "filler",
    "if_empty",
    "options",
    "length",
    "slot",
    "widen",
    "required",
    "coercions",
}


def compile_mapping(
    content: Mapping[str, Any],
    shape: LeadShape,
    region: str = "NO",
    where: Callable[[tuple[str | int, ...]], str] = lambda path: ".".join(map(str, path)),
) -> LeadMapping:
    """Make a mapping of a file's content. Raises MappingError with every problem found."""
    problems: list[Problem] = []
    objects: dict[str, ObjectMapping] = {}
    for name, each in dict(content.get("objects") or {}).items():
        rules: list[GroupRule] = []
        for key, said in dict((each or {}).get("fields") or {}).items():
            path = ("objects", name, "fields", key)
            rule = _rule(str(key), said, path, shape, region, where, problems)
            if rule is not None:
                rules.append(rule)
        taken: dict[str, str] = {}
        for rule in rules:
            for remote in rule.remote if rule.direction != "in" else ():
                if remote in taken:
                    problems.append(
                        Problem(
                            ("objects", name, "fields", rule.lead[0]),
                            f'native field "{remote}" is written by two entries',
                        )
                    )
                taken[remote] = rule.group
        objects[str(name)] = ObjectMapping(str(name), rules, shape, region)
    for key in content:
        if key not in ("connector", "objects", "extends"):
            problems.append(Problem((key,), f'unknown key "{key}"; allowed: connector, objects'))
    if not objects and not problems:
        problems.append(Problem((), "it maps no object"))
    if problems:
        raise MappingError(problems)
    return LeadMapping(objects)


def extend(built_in: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The built-in mapping with a user's lines over it, a line a field; None takes a field out."""
    merged: dict[str, Any] = {"connector": built_in.get("connector"), "objects": {}}
    own_objects = dict(own.get("objects") or {})
    for name, each in dict(built_in["objects"]).items():
        more = dict((own_objects.pop(name, None) or {}).get("fields") or {})
        more = {**dict(own.get("fields") or {}), **more}
        fields = {key: value for key, value in {**dict(each["fields"]), **more}.items() if value is not None}
        merged["objects"][name] = {"fields": fields}
    merged["objects"].update(own_objects)
    for key, value in own.items():
        if key not in ("objects", "fields", "extends", "examples"):
            merged[key] = value
    return merged


def _rule(
    key: str,
    said: Any,
    path: tuple[str | int, ...],
    shape: LeadShape,
    region: str,
    where: Callable[[tuple[str | int, ...]], str],
    problems: list[Problem],
) -> GroupRule | None:
    entry: dict[str, Any] = dict(said) if isinstance(said, Mapping) else {"remote": said}
    found = shape.field(key)
    if found is not None:
        lead: tuple[str, ...] = (found.name,)
        group, type_ = found.group, found.type
    elif key in shape.groups:
        lead, group, type_ = shape.groups[key], key, ""
    else:
        problems.append(Problem(path, f'unknown lead field "{key}"{nearest(key, [*shape.names(), *shape.groups])}'))
        return None
    for name in entry:
        if name not in _KEYS:
            problems.append(Problem((*path, name), f'unknown key "{name}"{nearest(str(name), sorted(_KEYS))}'))
    remote = entry.get("remote")
    names = (
        tuple(str(each) for each in remote)
        if isinstance(remote, Sequence) and not isinstance(remote, str)
        else (str(remote),)
    )
    if remote is None:
        problems.append(Problem(path, f'"{key}" names no native field; write "{key}: NAME"'))
        return None
    called = str(entry.get("as") or DEFAULT_FOR_TYPE.get(type_, type_))
    transform = TRANSFORMS.get(called)
    if transform is None:
        problems.append(Problem((*path, "as"), f'unknown transform "{called}"{nearest(called, sorted(TRANSFORMS))}'))
        return None
    direction = str(entry.get("direction", "both"))
    if direction not in ("in", "out", "both"):
        problems.append(Problem((*path, "direction"), f'direction "{direction}"; allowed: in, out, both'))
    if_empty = str(entry.get("if_empty", "clear"))
    if if_empty not in ("clear", "keep"):
        problems.append(Problem((*path, "if_empty"), f'if_empty "{if_empty}"; allowed: clear, keep'))
    filler = entry.get("filler", ())
    options = entry.get("options") or {}
    if not isinstance(options, Mapping):
        problems.append(Problem((*path, "options"), "options must be a map of native value: canonical value"))
        options = {}
    return GroupRule(
        group=group,
        lead=lead,
        remote=names,
        transform=transform,
        options=Options({str(k): str(v) for k, v in options.items()}, entry.get("length"), region),
        direction=direction,
        filler=(filler,) if isinstance(filler, str) else tuple(str(each) for each in filler),
        if_empty=if_empty,
        slot=bool(entry.get("slot", False)),
        widen=bool(entry.get("widen", is_consent(group))),
        required=bool(entry.get("required", False)),
        coercions=frozenset(str(each) for each in entry.get("coercions", ())),
        where=where(path),
    )


def nearest(word: str, allowed: Sequence[str]) -> str:
    """'; did you mean "first_name"?' when something near is allowed."""
    import difflib

    close = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def _member(value: Canon, name: str) -> Canon:
    return value.get(name) if isinstance(value, dict) else None  # type: ignore[return-value]
