"""What a model finds wrong, told of the file: at its place, with the word that was meant, in our own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from config.models import choices, keys, model_at
from config.near import nearest, nearest_or_all
from config.problem import Path

LONGEST = 60
"""A value longer than this is not shown."""

Told = tuple[str, Path, bool, dict[str, object]]
"""Which text, where, whether at the key, and the words for it."""


def told(error: ValidationError, raw: Any, model: type[BaseModel], more: Iterable[str], below: Path) -> Iterator[Told]:
    """The errors of one model. `raw`: what it was given; `more`: keys that are allowed at its top beside its own;
    `below`: where it stands in the file."""
    for each in error.errors(include_url=False):
        path = _path(each["loc"], raw)
        yield _told(each, path, model, more, below)


def _told(error: Any, path: Path, model: type[BaseModel], more: Iterable[str], below: Path) -> Told:
    kind, context = str(error["type"]), dict(error.get("ctx") or {})
    whole = (*below, *path)
    at_key = error["loc"][-1:] == ("[key]",)
    if kind == "extra_forbidden":
        key = str(path[-1])
        around = model_at(model, path[:-1])
        known = [*(more if len(path) == 1 else ()), *(keys(around) if around else ())]
        return "unknown_key", whole, True, {"key": key, "near": nearest_or_all(key, known)}
    if kind == "missing":
        return "missing", whole, True, {"key": name_of(whole), "what": ""}
    if kind == "unknown_system":
        near = nearest_or_all(context["name"], context["among"])
        return "unknown_system", whole, at_key, {"name": context["name"], "near": near}
    if kind == "refused":
        near = nearest(context["near"], context["among"]) if context.get("near") else ""
        return "bad_value", whole, at_key, {"key": name_of(whole), "allowed": f"{context['allowed']}{near}"}
    return "bad_value", whole, at_key, {"key": name_of(whole), "allowed": allowed(error)}


def _path(loc: tuple[int | str, ...], raw: Any) -> Path:
    """An error's path in the file: without the tags of unions and the marks that pydantic puts in for keys."""
    path: list[int | str] = []
    here = raw
    for index, part in enumerate(loc):
        inside = isinstance(here, Mapping) and part in here
        listed = isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)
        if inside or listed:
            here = here[part]
            path.append(part)
        elif index == len(loc) - 1 and isinstance(here, Mapping) and part != "[key]":
            path.append(part)  # it is missing
    return tuple(path)


def name_of(path: Path) -> str:
    """What a person calls it: the last name, with the number in a list."""
    name = ""
    for part in path:
        name = f"{name}[{part + 1}]" if isinstance(part, int) else part
    return name


_EXPECTED: Mapping[str, str] = {
    "string_type": "write a text; quote it if it looks like a number",
    "bytes_type": "write a text",
    "path_type": "write the path of a file",
    "url_type": "write an address that begins with https://",
    "url_parsing": "write an address that begins with https://",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "the number is too large",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "list_type": "write a list, as in [a, b]",
    "tuple_type": "write a list, as in [a, b]",
    "set_type": "write a list, as in [a, b]",
    "dict_type": 'write a map, with lines of the form "name: value" below it',
    "model_type": 'write a map, with lines of the form "name: value" below it',
    "model_attributes_type": 'write a map, with lines of the form "name: value" below it',
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "it must be more than {}"),
    "greater_than_equal": ("ge", "it must be at least {}"),
    "less_than": ("lt", "it must be less than {}"),
    "less_than_equal": ("le", "it must be at most {}"),
    "multiple_of": ("multiple_of", "it must be a multiple of {}"),
    "string_too_short": ("min_length", "it must have at least {} characters"),
    "string_too_long": ("max_length", "it must have at most {} characters"),
    "too_short": ("min_length", "it must have at least {} entries"),
    "too_long": ("max_length", "it must have at most {} entries"),
    "string_pattern_mismatch": ("pattern", "it must have the form {}"),
}


def allowed(error: Any) -> str:
    """What would have been accepted, instead of what pydantic says of a value."""
    kind, context = str(error["type"]), dict(error.get("ctx") or {})
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'|\b(\d+)\b", str(context.get("expected", "")))
        fitting = [quoted or number for quoted, number in words]
        found = error.get("input")
        near = nearest(found, fitting) if isinstance(found, str) else ""
        return f"allowed: {', '.join(fitting)}{near}"
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        bound = context.get(name)
        told = text.format(bound)
        return told.replace("characters", "character").replace("entries", "entry") if bound == 1 else told
    if kind == "value_error":
        return str(context.get("error", "")) or "it is not accepted"
    message = str(error.get("msg", "it is not accepted"))
    return _EXPECTED.get(kind) or message[:1].lower() + message[1:].replace("Input should", "it should")


def mistaken(raw: Any, model: type[BaseModel], path: Path = ()) -> Iterator[Told]:
    """Values that a model would take for another kind: true for a number, a number for true."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        value = raw.get(key) if isinstance(raw, Mapping) else None
        kinds = {*choices(field.annotation)}
        at = (*path, key)
        if any(isinstance(each, BeforeValidator) for each in field.metadata):
            continue  # it looks for itself
        if isinstance(value, bool) and not kinds & {bool, Any} and kinds & {int, float}:
            yield "bad_value", at, False, {"key": key, "allowed": _EXPECTED["int_type"]}
        elif type(value) in (int, float) and bool in kinds and not kinds & {int, float}:
            yield "bad_value", at, False, {"key": key, "allowed": _EXPECTED["bool_type"]}
        for each in kinds:
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from mistaken(value, each, at)
