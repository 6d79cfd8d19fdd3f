"""What is wrong with a mapping file, and what a live account thinks of it.

`lint` needs no account: names, keys, words, lines that contradict each other, examples that fail. `compare` holds a
mapping against the fields that an account really has. Neither reads a file: positions are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Finding, Schema, SchemaField
from mappings.examples import failures
from mappings.lead import CHANNELS, STAGES, LeadShape, channel, is_consent
from mappings.mapping import LeadMapping, MappingError, compile_mapping, extend
from mappings.objects import ObjectMapping
from mappings.pairs import REST
from mappings.rule import GroupRule, Path, Problem, nearest

Where = Callable[[Path], str]
"""Where a key stands in the file, as "file:line:column"; for what has no key, its value."""

WIDE = 1_000
"""A field that takes so many characters needs no length in the mapping."""


def lint(
    own: Mapping[str, Any],
    where: Where,
    shape: LeadShape,
    region: str = "NO",
    built_in: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """Everything to be said of a mapping file: a built-in one, or a user's that goes over `built_in`."""
    alone = built_in is None or own.get("extends") is False
    found = [] if built_in is None else list(_look_at_extension(own, built_in))
    whole = own if built_in is None else extend(built_in, own)
    place = where if alone else _Places(own, where)
    problems: Iterable[Problem] = ()
    advice: Iterable[tuple[str, Problem]] = ()
    try:
        mapping = compile_mapping(whole, shape, region, place)
    except MappingError as error:
        problems = error.problems
    else:
        problems = list(_failing_examples(whole, mapping, shape))
        advice = [each for object in mapping.objects.values() for each in _advise(object)]
    told = [*found, *(("error", each) for each in problems), *advice]
    # A line that counts for several objects is wrong once.
    return list(dict.fromkeys(Finding(level, each.code, f"{place(each.path)}: {each.text}") for level, each in told))


class _Places:
    """Where the lines of an extended mapping stand: in the user's file, or in the built-in one."""

    def __init__(self, own: Mapping[str, Any], where: Where) -> None:
        self._own, self._where = own, where

    def __call__(self, path: Path) -> str:
        for at in (path, path[2:] if path[:1] == ("objects",) else path):
            if len(at) < 2 or _holds(self._own, at[: 4 if at[0] == "objects" else 2]):
                return self._where(at)
        return "the built-in mapping"


def _holds(content: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(content, Mapping) or key not in content:
            return False
        content = content[key]
    return True


def _look_at_extension(own: Mapping[str, Any], built_in: Mapping[str, Any]) -> Iterator[tuple[str, Problem]]:
    extends = own.get("extends", True)
    if not isinstance(extends, bool):
        yield "error", Problem(("extends",), f'extends "{extends}"; allowed: true, false')
    objects, there = own.get("objects"), built_in["objects"]
    for name, each in objects.items() if isinstance(objects, Mapping) else ():
        if name not in there:
            told = f'there is no object "{name}" here{nearest(str(name), there) or "; there is " + " and ".join(there)}'
            yield "error", Problem(("objects", name), told, "SM127")
        elif extends is not False and isinstance(each, Mapping):
            yield from _taken_out(each.get("fields"), ("objects", name, "fields"), there[name]["fields"])
    if extends is not False:
        yield from _taken_out(
            own.get("fields"), ("fields",), {key for each in there.values() for key in each["fields"]}
        )


def _taken_out(lines: Any, path: Path, there: Iterable[str]) -> Iterator[tuple[str, Problem]]:
    for key, line in lines.items() if isinstance(lines, Mapping) else ():
        if line is None and key not in there:
            told = f'"{key}" takes a line out that is not there{nearest(str(key), there)}'
            yield "warning", Problem((*path, key), told, "SM121")


def _failing_examples(whole: Mapping[str, Any], mapping: LeadMapping, shape: LeadShape) -> Iterator[Problem]:
    for name, each in mapping.objects.items():
        yield from failures(each, shape, whole["objects"][name].get("examples"), ("objects", name, "examples"))


def _advise(mapping: ObjectMapping) -> Iterator[tuple[str, Problem]]:
    """What compiles, and still is hardly meant."""
    for rule in mapping.rules:
        if is_consent(rule.group):
            said = channel(rule.group)
            if said not in CHANNELS:
                told = f'"{said}" is no channel that we know{nearest(said, CHANNELS)}'
                yield "warning", Problem(rule.path, f"{told}; known: {', '.join(CHANNELS)}", "SM129")
            if rule.direction != "both":
                lost = "from here are never heard" if rule.direction == "out" else "from elsewhere are never told here"
                yield "warning", Problem(rule.path, f'direction "{rule.direction}": refusals {lost}', "SM129")
        if rule.group == "email" and not rule.slot:
            told = "two records of one person would be given one address; write slot: true"
            yield "warning", Problem(rule.path, told, "SM129")
        if rule.group == "stage" and rule.options.options and rule.written:
            missing = [stage for stage in STAGES if stage not in rule.options.back]
            if missing:
                told = f"leads of the stage {', '.join(missing)} have no word here, and wait for a person"
                yield "advice", Problem(rule.path, told, "SM129")
    if not mapping.slots and "email" not in mapping.groups:
        told = f'"{mapping.object}" maps no e-mail address: its people are known by nothing else'
        yield "warning", Problem(("objects", mapping.object), told, "SM129")


# --- against a live account --------------------------------------------------------------------------------------


def compare(mapping: ObjectMapping, schema: Schema) -> list[Finding]:
    """What a mapping expects of an account that the account does not have, and the other way round."""
    live = schema.by_name()
    told: list[Finding] = []
    for rule in mapping.rules:
        for name in rule.remote:
            field = live.get(name)
            if field is None:
                told.append(_missing(rule, name, live))
            else:
                told += _compare_field(rule, field, name in rule.written)
    told += _required(mapping, schema.fields)
    return told


def _missing(rule: GroupRule, name: str, live: Mapping[str, SchemaField]) -> Finding:
    level = "error" if rule.slot or rule.required or is_consent(rule.group) else "warning"
    return Finding(
        level,
        "SM141",
        f'{rule.where}: there is no field "{name}", or our user does not see it{nearest(name, live)}',
        "until then it is neither read nor written: make it visible, or take the line out",
    )


def _compare_field(rule: GroupRule, field: SchemaField, written: bool) -> Iterator[Finding]:
    where, name = rule.where, field.name
    if written and field.read_only:
        text = f'{where}: "{name}" is read-only over there, and the mapping writes it'
        yield Finding("error", "SM142", text, "write direction: in")
    if field.type not in rule.transform.fits:
        text = f'{where}: "{name}" is a {field.type} field, which "{rule.transform.name}" does not fit'
        yield Finding("warning", "SM143", text, "choose another transform with as:")
    if written and field.length is not None and "length" in rule.transform.takes:
        yield from _compare_length(rule, name, field.length)
    if field.options is not None and rule.options.options:
        yield from _compare_options(rule, field, {each.value for each in field.options}, written)


def _compare_length(rule: GroupRule, name: str, live: int) -> Iterator[Finding]:
    said = rule.options.length
    if said is None and live < WIDE and not rule.options.options:
        text = f'{rule.where}: "{name}" takes {live} characters, and the mapping tells no length'
        yield Finding("warning", "SM144", text, f"write length: {live}; longer values are refused over there")
    elif said is not None and said > live:
        text = f'{rule.where}: "{name}" takes {live} characters, the mapping says {said}'
        yield Finding("error", "SM144", text, f"write length: {live}; longer values are refused over there")
    elif said is not None and said < live:
        text = f'{rule.where}: "{name}" takes {live} characters, the mapping uses {said} of them'
        yield Finding("advice", "SM144", text, f"write length: {live}")


def _compare_options(rule: GroupRule, field: SchemaField, live: set[str], written: bool) -> Iterator[Finding]:
    where, name, named = rule.where, field.name, rule.options.options
    for each in sorted(named.keys() - live - {REST}):
        level = "error" if written and field.restricted and each in rule.options.back.values() else "warning"
        text = f'{where}: "{name}" has no option "{each}"{nearest(each, live)}'
        yield Finding(level, "SM145", text, "take it out of the mapping, or add it over there")
    unnamed = sorted(live - named.keys() - {*rule.filler})
    if unnamed and REST not in named:
        text = f'{where}: "{name}" has options that the mapping does not name: {", ".join(unnamed)}'
        hint = "records with one of them wait for a person; tell under options what each means"
        yield Finding("warning" if rule.group == "stage" else "advice", "SM145", text, hint)


def _required(mapping: ObjectMapping, fields: Sequence[SchemaField]) -> Iterator[Finding]:
    """An account that wants more than a new person brings."""
    written = {name: rule for rule in mapping.rules for name in rule.written}
    for field in fields:
        if not field.required or field.read_only:
            continue
        rule = written.get(field.name)
        if rule is None:
            text = f'"{field.name}" of {mapping.object} is required over there, and nothing writes it'
            yield Finding("error", "SM146", text, "no record can be made: map it, or let it be empty over there")
        elif not rule.required:
            text = f'{rule.where}: "{field.name}" is required over there'
            yield Finding("warning", "SM146", text, "write required: true, and a filler if people may lack it")
