"""One object of one system: its native fields read into groups of the lead, groups written, and rounded.

This is the engine's hot path: what can be looked up once is looked up when the mapping is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from connectors.base import Fields, Value
from mappings.forms import Unreadable, is_country, text
from mappings.lead import Canon, LeadShape, is_consent
from mappings.rule import GroupRule
from mappings.transforms import Options

Groups: TypeAlias = "dict[str, Canon]"
"""Group → canonical value. A group that is not there is not known from this reading."""

_ABSENT = object()


class _Read(NamedTuple):
    """How one native value is read. `member`: its field in a group of several. `regional`: the rule, where the country
    matters."""

    group: str
    member: str | None
    name: str
    read: Callable[[Value], Canon]
    filler: tuple[str, ...]
    ignores: bool
    regional: GroupRule | None


class _Write(NamedTuple):
    """How one native value is written. `filler`: instead of an empty one; `clears`: whether an empty one may be
    written."""

    member: str | None
    name: str
    write: Callable[[Canon, Options], Value]
    options: Options
    filler: str | None
    clears: bool


class _Ways(NamedTuple):
    """How to read and write some groups; `joint`: the rules with several values on a side."""

    reads: tuple[_Read, ...]
    writes: tuple[_Write, ...]
    joint: tuple[GroupRule, ...]


class ObjectMapping:
    """The rules of one object of one system. `creating`: groups that a new person is made of, `required`: native
    fields without which nobody is made. `silent`: groups whose empty value over there is no information; where a group
    of several is partly empty, its fields that say nothing are not read at all."""

    def __init__(self, object: str, rules: Sequence[GroupRule], shape: LeadShape, region: str) -> None:
        self.object = object
        self.rules = tuple(rules)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(name for rule in rules for name in rule.remote))
        self.groups: dict[str, tuple[GroupRule, ...]] = {}
        for rule in rules:
            self.groups[rule.group] = (*self.groups.get(rule.group, ()), rule)
        self.group_of: dict[str, str] = {name: rule.group for rule in rules for name in rule.remote}
        self._names = {
            group: tuple(name for rule in some for name in rule.remote) for group, some in self.groups.items()
        }
        self.slots = frozenset(rule.group for rule in rules if rule.slot)
        self.incoming = frozenset(rule.group for rule in rules if rule.direction != "out")
        self.outgoing = frozenset(rule.group for rule in rules if rule.direction != "in")
        self.consents = tuple(group for group in self.groups if is_consent(group))
        self.creating = tuple(group for group in self.groups if group in self.outgoing and not is_consent(group))
        self.required = tuple(rule.remote[0] for rule in rules if rule.required)
        self.silent = frozenset(
            group
            for group, some in self.groups.items()
            if all(rule.empty == "ignore" for rule in some if rule.direction != "out")
        )
        self.coercions: dict[str, frozenset[str]] = {
            name: rule.coercions for rule in rules for name in rule.remote if rule.coercions
        }
        self._single = {group: len(shape.members(group)) == 1 for group in self.groups}
        self._region = region
        self._country = next((r for r in rules if r.lead == ("country",) and len(r.remote) == 1), None)
        self._regional = frozenset(r.group for r in rules if self._country is not None and r.transform.regional)
        self._read_country = self._country.reader if self._country is not None else None
        self._readers_abroad: dict[tuple[tuple[str, ...], str], Callable[[Value], Canon]] = {}
        self._ways = self._make_ways(rules)
        self._ways_of = {group: self._make_ways(some) for group, some in self.groups.items()}
        self._beside = {group: self._names_beside(group) for group in self.groups}

    def read(self, native: Mapping[str, Value], unreadable: dict[str, str] | None = None) -> Groups:
        """Canonical values of what is known. A group with an unreadable value is left out, and told in `unreadable`
        as group → what was expected."""
        return self._read(self._ways, native, bool(self._regional), unreadable)

    def read_group(self, group: str, native: Mapping[str, Value]) -> Canon | None:
        """One group's canonical value, None where it is not known or unreadable."""
        ways = self._ways_of.get(group)
        if ways is None:
            return None
        found = self._read(ways, native, group in self._regional, None).get(group)
        return None if found == {} else found

    def write(self, group: str, value: Canon, *, creating: bool = False) -> Fields:
        """Native values for a group. Raises Unwritable.

        `creating`: empty values are left out, and a required one gets its filler.
        """
        out: Fields = {}
        ways = self._ways_of.get(group)
        if ways is None:
            return out
        for member, name, write, options, filler, clears in ways.writes:
            native = write(value if member is None else _member(value, member), options)
            if native is not None and native != "":
                out[name] = native
            elif filler is not None:
                out[name] = filler
            elif clears and not creating:
                out[name] = None
        for rule in ways.joint:
            self._write_joint(rule, value, creating, out)
        return out

    def _write_joint(self, rule: GroupRule, value: Canon, creating: bool, out: Fields) -> None:
        parts = [value] if self._single[rule.group] else [_member(value, name) for name in rule.lead]
        written = rule.transform.write(parts, rule.options) if rule.written else ()
        for name, native in zip(rule.written, written, strict=True):
            if native is not None and native != "":
                out[name] = native
            elif rule.stand_in is not None:
                out[name] = rule.stand_in
            elif rule.clears and not creating:
                out[name] = None

    def round(self, group: str, value: Canon, native: Mapping[str, Value] | None = None) -> Canon | None:
        """What this side will read back once `value` was written. Raises Unwritable. `native`: what the record holds
        beside (a phone is read by its country)."""
        shown = self.write(group, value)
        if native is not None:
            for name in self._beside.get(group, ()):
                if name not in shown and name in native:
                    shown[name] = native[name]
        return self.read_group(group, shown)

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

    def names_of(self, group: str) -> tuple[str, ...]:
        """The native fields of a group."""
        return self._names.get(group, ())

    def digests(self) -> dict[str, str]:
        """Group → what changes when its reading or writing does."""
        told = {group: "".join(rule.digest() for rule in rules) for group, rules in sorted(self.groups.items())}
        for group in self._regional:
            told[group] += self._country.digest() if self._country is not None else ""
        return told

    def _read(
        self, ways: _Ways, native: Mapping[str, Value], regional: bool, unreadable: dict[str, str] | None
    ) -> Groups:
        """The hot path: a record is read about ten times on its way."""
        found: Groups = {}
        spoilt: dict[str, str] = {}
        region = self._region_of(native) if regional else None
        for group, member, name, read, filler, ignores, by_region in ways.reads:
            value: Any = native.get(name, _ABSENT)
            if value is _ABSENT:
                continue
            if value is not None:
                if filler and _is_filler(value, filler):
                    value = None
                else:
                    if region is not None and by_region is not None:
                        read = self._abroad(by_region, region)
                    try:
                        value = read(value)
                    except Unreadable as error:
                        spoilt.setdefault(group, str(error))
                        continue
            if member is None:
                found[group] = value
            else:
                part: Any = found.setdefault(group, {})
                if value is not None or not ignores:
                    part[member] = value
        for rule in ways.joint:
            self._read_joint(rule, native, region, found, spoilt)
        for group in spoilt:
            found.pop(group, None)
        if unreadable is not None:
            unreadable.update(spoilt)
        return found

    def _read_joint(
        self,
        rule: GroupRule,
        native: Mapping[str, Value],
        region: str | None,
        found: Groups,
        spoilt: dict[str, str],
    ) -> None:
        """A rule with several values on a side: known only where all its native fields are."""
        values: list[Value] = []
        for name in rule.remote:
            if name not in native:
                return
            value = native[name]
            values.append(None if rule.filler and _is_filler(value, rule.filler) else value)
        options = replace(rule.options, region=region) if region and rule.transform.regional else rule.options
        try:
            read = rule.transform.read(values, options)
        except Unreadable as error:
            spoilt.setdefault(rule.group, str(error))
            return
        if self._single[rule.group]:
            found[rule.group] = read[0]
            return
        part: Any = found.setdefault(rule.group, {})
        for member, part_value in zip(rule.lead, read, strict=True):
            if part_value is not None or rule.empty != "ignore":
                part[member] = part_value

    def _make_ways(self, rules: Sequence[GroupRule]) -> _Ways:
        reads: list[_Read] = []
        writes: list[_Write] = []
        joint: list[GroupRule] = []
        for rule in rules:
            write, reader = rule.writer, rule.reader
            if write is None or reader is None:
                joint.append(rule)
                continue
            member = None if self._single[rule.group] else rule.lead[0]
            regional = rule if rule.transform.regional else None
            reads.append(
                _Read(rule.group, member, rule.remote[0], reader, rule.filler, rule.empty == "ignore", regional)
            )
            if rule.written:
                writes.append(_Write(member, rule.remote[0], write, rule.options, rule.stand_in, rule.clears))
        return _Ways(tuple(reads), tuple(writes), tuple(joint))

    def _names_beside(self, group: str) -> tuple[str, ...]:
        """The native fields by which a group is read."""
        names = dict.fromkeys(name for rule in self.groups[group] for name in rule.remote)
        if group in self._regional and self._country is not None:
            names |= dict.fromkeys(self._country.remote)
        return tuple(names)

    def _region_of(self, native: Mapping[str, Value]) -> str | None:
        """The record's own country, where it is another one than ours."""
        if self._country is None or self._read_country is None:
            return None
        value = native.get(self._country.remote[0])
        if value is None:
            return None
        try:
            code = self._read_country(value)
        except Unreadable:
            return None
        return code if isinstance(code, str) and code != self._region and is_country(code) else None

    def _abroad(self, rule: GroupRule, region: str) -> Callable[[Value], Canon]:
        """How a rule reads for a record from elsewhere."""
        found = self._readers_abroad.get((rule.lead, region))
        if found is None:
            elsewhere = replace(rule, options=replace(rule.options, region=region))
            found = self._readers_abroad[rule.lead, region] = elsewhere.reader or (lambda value: None)
        return found


def _is_filler(value: Value, filler: tuple[str, ...]) -> bool:
    return not isinstance(value, list | dict) and text(value) in filler


def _member(value: Canon, name: str) -> Canon:
    return value.get(name) if isinstance(value, dict) else None  # type: ignore[return-value]
