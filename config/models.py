"""Looking into pydantic models without values: which model a path leads to, and where fields of a kind are."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from config.problem import Path


def keys(model: type[BaseModel]) -> list[str]:
    """The names that may stand in a file."""
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def choices(annotation: Any) -> Iterator[Any]:
    """What a value may be: the parts of a union, without what is said about them."""
    if get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from choices(each)
    elif hasattr(annotation, "__metadata__"):
        yield from choices(get_args(annotation)[0])
    else:
        yield annotation


def paths_of(model: type[BaseModel], kind: type, at: Path = ()) -> Iterator[Path]:
    """Where values of this kind stand, in the model and those inside it."""
    for name, field in model.model_fields.items():
        path = (*at, field.alias or name)
        for each in choices(field.annotation):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from paths_of(each, kind, path)
            elif each is kind:
                yield path


def without_blanks(raw: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The same without names that have nothing behind them: they are as good as not there."""
    left = dict(raw)
    for name, field in model.model_fields.items():
        key = field.alias or name
        kinds = [*choices(field.annotation)]
        if key in raw and raw[key] is None and type(None) not in kinds:
            del left[key]
        for each in kinds:
            if isinstance(each, type) and issubclass(each, BaseModel) and isinstance(raw.get(key), Mapping):
                left[key] = without_blanks(raw[key], each)
    return left


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model whose keys stand at a path."""
    found: Any = model
    for key in path:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = next((each for name, each in found.model_fields.items() if key in (name, each.alias)), None)
            found = field.annotation if field is not None else None
        else:
            found = _inside(found)
        found = next((each for each in choices(found) if _leads_on(each)), None)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _leads_on(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, tuple, list) or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )


def _inside(annotation: Any) -> Any:
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if arguments else None
