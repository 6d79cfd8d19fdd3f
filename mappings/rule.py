"""One line of a mapping file made a rule: which fields of the lead are which native ones, and how.

Tells everything that is wrong in a line at once, each with the word that was probably meant. A line that would put
something into a field that is not of the field's kind is refused.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.base import Value
from mappings.forms import Unreadable, country, email, is_country, language, text
from mappings.lead import DELIVERABILITY, STAGES, Canon, LeadShape, is_consent
from mappings.transforms import COERCIONS, TRANSFORMS, Options, Transform

Path: TypeAlias = "tuple[str | int, ...]"
"""Leads to a place in a mapping file: keys and indexes from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a mapping file, with a stable code."""

    path: Path
    text: str
    code: str = "SM124"


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Some of a group's fields ↔ some native fields.

    `direction`: in | out | both. `filler`: native values that mean nothing, read as None; the first is written
    where the native field must not be empty. `empty`: what an empty native value says: clear (the value was taken
    away) | ignore (nothing). `if_empty`: what an empty lead value does over there: clear | keep. `slot`: the record's
    own address, never levelled over twins. `widen`: an opt-out of a purpose may be written to this coarser control.
    `required`: never written empty, and nobody is created without it. `coercions`: how a value may come back, beside
    the connector's own. `heirs`: owner who left → who took over. `path` and `where`: the line it comes from.
    """

    group: str
    lead: tuple[str, ...]
    remote: tuple[str, ...]
    transform: Transform
    options: Options = field(default_factory=Options)
    direction: str = "both"
    filler: tuple[str, ...] = ()
    empty: str = "clear"
    if_empty: str = "clear"
    slot: bool = False
    widen: bool = True
    required: bool = False
    coercions: frozenset[str] = frozenset()
    heirs: Mapping[str, str] = field(default_factory=dict)
    path: Path = ()
    where: str = ""

    @property
    def written(self) -> tuple[str, ...]:
        """The native fields that it writes."""
        return () if self.direction == "in" else self.remote[: self.transform.writes]

    @property
    def stand_in(self) -> str | None:
        """What is written instead of an empty value."""
        return self.filler[0] if self.filler and self.required else None

    @property
    def clears(self) -> bool:
        """Whether an empty value is written as such."""
        return self.if_empty == "clear" and not self.required

    @property
    def reader(self) -> Callable[[Value], Canon] | None:
        """How it reads, where there is one value on each side."""
        if self.transform.reader is None:
            return None
        read = self.transform.reader(self.options)
        return (lambda value: self._now(read(value))) if self.heirs else read

    @property
    def writer(self) -> Callable[[Canon, Options], Value] | None:
        """How it writes, where there is one value on each side."""
        write = self.transform.writes_one
        if write is None or not self.heirs:
            return write
        return lambda value, options: write(self._now(value), options)

    def _now(self, owner: Canon) -> Canon:
        return self.heirs.get(owner, owner) if isinstance(owner, str) else owner

    def digest(self) -> str:
        """Changes when reading or writing does."""
        how = self.options
        told: list[object] = [self.lead, self.remote, self.transform.name]
        told += [list(how.options.items()), list(how.back.items()), how.length, how.region, how.separator]
        told += [self.direction, self.filler, self.empty, self.if_empty, self.required]
        if self.heirs:
            told.append(sorted(self.heirs.items()))
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()


KEYS = (
    "remote",
    "as",
    "direction",
    "options",
    "length",
    "separator",
    "filler",
    "empty",
    "if_empty",
    "required",
    "slot",
    "widen",
    "coercions",
)
"""What may stand in a line."""

EMPTY = ("clear", "ignore")


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for every line of an object. `empty`: where a line does not say; `heirs`: for owners."""

    shape: LeadShape
    region: str = "NO"
    empty: str = "clear"
    where: Callable[[Path], str] = lambda path: ".".join(map(str, path))
    heirs: Mapping[str, str] = field(default_factory=dict)


def make_rule(key: str, said: Any, path: Path, setting: Setting, problems: list[Problem]) -> GroupRule | None:
    """The rule that a line says; None, and what is wrong with it, where it says none."""
    line = _Line(dict(said) if isinstance(said, Mapping) else {"remote": said}, path, problems)
    lead, group, type_ = _lead(key, setting.shape)
    if not lead:
        line.wrong((), unknown_field(key, setting.shape), "SM121")
    line.refuse_unknown_keys()
    remote = line.texts("remote")
    if not remote and not line.failed("remote"):
        line.wrong((), f'"{key}" names no native field; write "{key}: NAME"')
    if len({*remote}) < len(remote):
        line.wrong(("remote",), "the same native field stands there twice")
    transform = line.transform(lead, group, type_, remote)
    rule = GroupRule(
        group=group,
        lead=lead,
        remote=remote,
        transform=transform or TRANSFORMS["text"],
        options=line.options(transform, "deliverability" if group == "deliverability" else type_, setting.region),
        direction=line.word("direction", ("in", "out", "both"), "both"),
        filler=line.texts("filler"),
        empty=line.word("empty", EMPTY, setting.empty),
        if_empty=line.word("if_empty", ("clear", "keep"), "clear"),
        slot=line.flag("slot", False),
        widen=line.flag("widen", is_consent(group)),
        required=line.flag("required", False),
        coercions=line.words("coercions", COERCIONS),
        heirs=setting.heirs if type_ == "owner" else {},
        path=path,
        where=setting.where(path),
    )
    if rule.slot and type_ != "email":
        line.wrong(("slot",), f'slot is for the e-mail address that a record is known by, not for "{key}"')
    if rule.required and rule.direction == "in":
        line.wrong(("required",), "a field that is only read cannot be required: nobody would ever be created")
    return None if line.count else rule


def _lead(key: str, shape: LeadShape) -> tuple[tuple[str, ...], str, str]:
    """The lead fields that a line's key means, their group, and their type ("" for a group of several)."""
    found = shape.field(key)
    if found is not None:
        return (found.name,), found.group, found.type
    if key in shape.groups:
        return shape.groups[key], key, ""
    return (), "", ""


def unknown_field(key: str, shape: LeadShape) -> str:
    if key.partition(".")[0].casefold() == "consent":
        return (
            f'"{key}" is no consent cell; write "consent.CHANNEL" or "consent.CHANNEL.PURPOSE" in lower case, '
            'as in "consent.email.newsletter"'
        )
    return f'unknown lead field "{key}"{nearest(key, [*shape.names(), *shape.groups])}'


class _Line:
    """What stands in a line, read key by key; `count`: how much is wrong with it."""

    def __init__(self, entry: dict[str, Any], path: Path, problems: list[Problem]) -> None:
        self._entry, self._path, self._problems = entry, path, problems
        self._failed: set[str] = set()
        self.count = 0

    def wrong(self, below: Path, text: str, code: str = "SM124") -> None:
        self._problems.append(Problem((*self._path, *below), text, code))
        self._failed.update(str(each) for each in below[:1])
        self.count += 1

    def failed(self, key: str) -> bool:
        return key in self._failed

    def refuse_unknown_keys(self) -> None:
        for name in self._entry:
            if name not in KEYS:
                self.wrong((name,), f'unknown key "{name}"{nearest(name, KEYS)}', "SM123")

    def word(self, key: str, allowed: Sequence[str], default: str) -> str:
        found = self._entry.get(key, default)
        if found not in allowed:
            self.wrong((key,), f'{key} "{found}"; allowed: {", ".join(allowed)}{nearest(str(found), allowed)}')
            return default
        return str(found)

    def flag(self, key: str, default: bool) -> bool:
        found = self._entry.get(key, default)
        if not isinstance(found, bool):
            self.wrong((key,), f'{key} "{found}"; allowed: true, false')
            return default
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or several."""
        found = self._entry.get(key)
        several: list[Any] = list(found) if isinstance(found, Sequence) and not isinstance(found, str) else [found]
        if found is None:
            return ()
        if not several or not all(isinstance(each, str) and each for each in several):
            self.wrong((key,), f"{key} must be a text, or a list of texts; put numbers, true and false in quotes")
            return ()
        return tuple(several)

    def words(self, key: str, allowed: Collection[str]) -> frozenset[str]:
        found = self.texts(key)
        for each in found:
            if each not in allowed:
                self.wrong((key,), f'{key} "{each}"; allowed: {", ".join(sorted(allowed))}')
        return frozenset(found)

    def transform(self, lead: Sequence[str], group: str, type_: str, remote: Sequence[str]) -> Transform | None:
        """The named transform, or the one called like the type, if it fits what it stands between."""
        named = "as" in self._entry
        called = str(self._entry.get("as", type_))
        found = TRANSFORMS.get(called)
        if not lead:
            return found
        if found is None:
            if named:
                self.wrong(("as",), f'unknown transform "{called}"{nearest(called, sorted(TRANSFORMS))}', "SM122")
            else:
                self.wrong((), f'"{group}" is {", ".join(lead)}; map those, or say how with "as"', "SM122")
            return None
        at: Path = ("as",) if named else ()
        if found.leads != len(lead) or (type_ and type_ not in found.makes):
            fit = sorted(
                name
                for name, each in TRANSFORMS.items()
                if each.leads == len(lead) and (not type_ or type_ in each.makes)
            )
            what = f"a {type_}" if type_ else ", ".join(lead)
            self.wrong(at, f'"{called}" does not make {what}; use {" or ".join(fit) or "a line for each"}', "SM122")
            return None
        fewest, most = found.remotes
        if remote and not fewest <= len(remote) <= most:
            told = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            hint = '; with "as: first_of" the first filled one counts' if most == 1 and len(remote) > 1 else ""
            self.wrong(("remote",), f'"{called}" takes {told} native field(s), not {len(remote)}{hint}')
        return found

    def options(self, transform: Transform | None, type_: str, region: str) -> Options:
        takes = transform.takes if transform is not None else frozenset({"options", "length", "separator"})
        for key in ("options", "length", "separator"):
            if key in self._entry and key not in takes and transform is not None:
                self.wrong((key,), f'"{transform.name}" takes no {key}')
        length = self._entry.get("length")
        if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
            self.wrong(("length",), f'length "{length}"; it must be a whole number of characters, at least 1')
            length = None
        separator = self._entry.get("separator", ";")
        if not isinstance(separator, str) or not separator:
            self.wrong(("separator",), 'separator must be a text, as in ", "')
            separator = ";"
        return Options.of(self._words(type_), length, region, separator)

    def _words(self, type_: str) -> dict[str, Sequence[str]]:
        found = self._entry.get("options")
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            self.wrong(("options",), "options must be a map of native value: canonical value")
            return {}
        words: dict[str, Sequence[str]] = {}
        for native, canonical in found.items():
            several = [canonical] if isinstance(canonical, str) else canonical
            if not (
                isinstance(several, Sequence) and several and all(isinstance(each, str) and each for each in several)
            ):
                self.wrong(
                    ("options", native), f'the option "{native}" must stand for a canonical value, or a list of them'
                )
                continue
            words[text(native) or ""] = list(several)
            for each in several:
                if (expected := _expected(type_, each)) is not None:
                    self.wrong(("options", native), f'the option "{native}" stands for "{each}"; {expected}', "SM126")
        return words


def _expected(type_: str, word: str) -> str | None:
    """What a canonical value of this type must be, if this is none."""
    closed = {"stage": tuple(STAGES), "consent": ("in", "out"), "deliverability": DELIVERABILITY}.get(type_)
    if closed is not None:
        return None if word in closed else f"allowed: {', '.join(closed)}{nearest(word, closed)}"
    forms = {"country": country, "language": language, "owner": email}
    try:
        found = forms[type_](word) if type_ in forms else text(word)
    except Unreadable as error:
        return str(error)
    if type_ == "country" and not is_country(found):
        return "expected a country's code, as NO"
    return None if found == word else f'write "{found}"'


def nearest(word: str, allowed: Iterable[str]) -> str:
    """'; did you mean "first_name"?' when something near is allowed."""
    close = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
