"""The pages that are made of the code: commands, settings, transforms, codes.

A page that drifts from the code is worse than none, so a test compares them. `make docs` writes them anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.settings import (
    COMMON,
    DATABASE,
    FieldSettings,
    Filter,
    Limit,
    Rule,
    Settings,
    System,
    duration_text,
    is_duration,
)
from connectors import registry
from mappings.lead import CHANNELS, STAGES, LeadShape
from mappings.transforms import COERCIONS, TRANSFORMS
from smarketing import texts

HERE = Path(__file__).parent

# --- commands ----------------------------------------------------------------------------------------------------


def commands() -> str:
    """Each command with its help, as a terminal shows it."""
    parts = [
        "# Commands",
        "",
        "Data goes to stdout, everything else to stderr. Wherever data is printed, `--json` gives it to programs; each "
        'document says `"format_version": "1.0"`. A command that cannot go on answers with one line instead: `errors`, '
        "each with its code, its text and, where it has one, its place. Colours and progress show on a terminal only, "
        "and colours not where "
        "`NO_COLOR` is set. What cannot be taken back shows first what it would do, and wants `--confirm COUNT`.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
        "Problems carry a code, as in `error[SM106]`: [codes.md](codes.md), or `smarketing explain SM106`.",
        "",
        "This page is made by `make docs` of the commands' own help.",
        "",
        *_fenced(help_of()),
    ]
    for words in command_words():
        parts += ["", f"## smarketing {' '.join(words)}", "", *_fenced(help_of(*words))]
    return "\n".join(parts) + "\n"


EXIT_CODES: Mapping[int, str] = {
    0: "done; open questions are told",
    1: "failed",
    2: "the command line, the configuration or a mapping file is wrong",
    3: "refused, or something waits for a person (`status --exit-code` as well)",
    4: "`plan --exit-code` found changes",
    130: "interrupted; the next run goes on",
}


def command_words() -> list[tuple[str, ...]]:
    """Every command that does something, in the order of `--help`."""
    import typer.main

    from smarketing.cli.main import app

    return list(_words(typer.main.get_command(app), ()))


def _words(command: Any, front: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, each in getattr(command, "commands", {}).items():
        if hasattr(each, "commands"):
            yield from _words(each, (*front, name))
        elif not each.hidden:
            yield (*front, name)


def help_of(*words: str) -> str:
    """What `--help` prints, on a terminal of 100 columns."""
    from smarketing.cli.main import run

    out = io.StringIO()
    surroundings = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    with mock.patch.dict(os.environ, surroundings), contextlib.redirect_stdout(out):
        code = run([*words, "--help"])
    if code:
        raise RuntimeError(f"the help of {words} ended with {code}")
    return out.getvalue().rstrip()


def _fenced(text: str) -> list[str]:
    return ["```text", *(line.rstrip() for line in text.splitlines()), "```"]


# --- settings ----------------------------------------------------------------------------------------------------


def settings() -> str:
    """Every key of the configuration file, and what holds where it is not set."""
    parts = [
        "# Settings",
        "",
        "The configuration is `smarketing.yaml`: the file after `--config`, else the one that `SMARKETING_CONFIG` "
        "names, else the one in the working folder, else the one in your user folder. `smarketing init` writes one; "
        "`smarketing config show` tells what holds and where it comes from; `smarketing schema` gives editors a JSON "
        "Schema, by which they complete names.",
        "",
        "- `${NAME}` and `${NAME:-default}` are replaced from the environment and from `.env` beside the file.",
        "- A secret may be `file:PATH` or `keyring:SERVICE/USER` (with the extra `keyring`). No secret is a flag.",
        "- Times are written as `30s`, `5m`, `24h`, `7d`; shares as `5%` or `0.05`.",
        "- A name that is not known is an error, told with its line and the nearest name that is.",
        "",
        "This page is made by `make docs` of the settings' own descriptions.",
        "",
        "## The file",
        "",
        *_table(_rows(Settings, "")),
        "",
        "## A field: `sync.fields.NAME`",
        "",
        "`NAME` is a field of the lead, or a group of them; what is said holds for the whole group.",
        "",
        *_table(_rows(FieldSettings, "")),
        "",
        *_rules(),
        "",
        "## A limit: `sync.limits.NAME`",
        "",
        "`{floor: 50, share: 20%}`: in any 24 hours at most this share of a system's records, but always the floor. "
        "`null` keeps the default.",
        "",
        *_table(_rows(Limit, "")),
        "",
        "## A system: `systems.NAME`",
        "",
        "`NAME` is yours. Beside the common keys stand those of the connector.",
        "",
        *_table(row for row in _rows(System, "") if row[0].strip("`").split(".")[0].rstrip("[]") in COMMON),
    ]
    parts += ["", "### A filter: `systems.NAME.filters`", "", *_table(_rows(Filter, ""))]
    for name in registry.names():
        if name not in INSIDE:
            model = registry.load(name).Settings
            parts += ["", f"### connector: {name}", "", *_table(_rows(model, ""))]
    return "\n".join(parts) + "\n"


INSIDE = frozenset({"memory"})
"""Connectors that only programs use: tests, the simulator, benchmarks."""

RULES: Mapping[str, str] = {
    "newest": "The latest edit wins: by causality, then by the times of fields, then by those of records. The history "
    "says whether that was proven or estimated. The default.",
    "owner: SYSTEM": "One system decides while it has a value; the edits of others are written back.",
    "trust: [SYSTEM, …]": "The first of these systems that has said something wins.",
    "union": "Everything that anybody added and nobody removed. The default of `tags` and `emails`.",
    "furthest": "The stage that is furthest on; back only by a new round. The default of `stage`.",
    "person_first": "What a person wrote is not replaced by a workflow, a form or an import.",
    "ask": "A person decides, each time.",
}


def _rules() -> list[str]:
    allowed = set(typing.get_args(Rule.model_fields["name"].annotation))
    told = {each.partition(":")[0] for each in RULES}
    if told != allowed:
        raise RuntimeError(f"rules that are told and those that are there differ: {sorted(told ^ allowed)}")
    return ["| rule | what it does |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in RULES.items())]


Row = tuple[str, str, str, str]


def _table(rows: Iterator[Row] | list[Row]) -> list[str]:
    head = ["| key | value | default | what it says |", "|---|---|---|---|"]
    return [*head, *(f"| {key} | {kind} | {default} | {text} |" for key, kind, default, text in rows)]


def _rows(model: type[BaseModel], front: str) -> Iterator[Row]:
    """A row for each key; a part of the file is followed by its own keys, a described part is named."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        key, inner = f"{front}{name}", _part(field.annotation)
        if inner is not None and inner not in (Rule, Limit):
            yield from _rows(inner, f"{key}.")
            continue
        text = " ".join((field.description or "").split())
        yield f"`{key}`", _kind(field), _default(field), text.replace("|", "\\|")


def _part(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _kind(field: FieldInfo) -> str:
    """The kind of a value in a person's words."""
    if is_duration(field):
        return "time"
    return _word(field.annotation)


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
    Rule: "a rule",
    Limit: "a limit",
    FieldSettings: "a field's settings",
    System: "a system",
    Any: "value",
}


def _word(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _word(inside[0])
    if origin is typing.Literal:
        return " \\| ".join(f"`{each}`" for each in inside)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_word(each) for each in inside if each is not type(None))
    if origin is tuple:
        return f"list of: {_word(inside[0])}"
    if origin is dict:
        return f"name → {_word(inside[1])}"
    if (part := _part(annotation)) is not None and part not in _WORDS:
        return ", ".join(f"`{name}`" for name in part.model_fields)
    return _WORDS[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        return f"`{DATABASE}`"
    if is_duration(field):
        return f"`{duration_text(value)}`"
    if isinstance(value, Limit):
        return f"`{value.floor}`, `{value.share:.0%}`"
    if isinstance(value, Rule):
        return f"`{value.name}`"
    if value in (None, (), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# --- mappings ----------------------------------------------------------------------------------------------------


def fields_and_transforms() -> str:
    """What a mapping file may name: fields of the lead, transforms, coercions."""
    shape = LeadShape()
    parts = [
        "# Fields of the lead, and transforms",
        "",
        "What a [mapping file](mapping.md) may name. This page is made by `make docs` of the code.",
        "",
        "## Fields",
        "",
        "Fields of one group move together. Custom ones are declared under `lead.fields` in the configuration; "
        "`consent.CHANNEL` and `consent.CHANNEL.PURPOSE` exist as soon as a mapping names them "
        f"(channels: {', '.join(CHANNELS)}).",
        "",
        "| field | type | group | in words |",
        "|---|---|---|---|",
    ]
    for name in shape.names():
        found = shape.field(name)
        assert found is not None
        parts.append(f"| `{name}` | {found.type} | {found.group} | {found.text} |")
    parts += ["", f"Stages, in order: {', '.join(STAGES)}.", "", "## Transforms", ""]
    parts += [
        "`as: NAME` on a line. Where it is not said, the one named like the field's type is used.",
        "",
        "| transform | what it is for | for fields of type | keys | what a written value does not bring back |",
        "|---|---|---|---|---|",
    ]
    for each in TRANSFORMS.values():
        keys = ", ".join(f"`{key}`" for key in sorted(each.takes))
        parts.append(f"| `{each.name}` | {each.text} | {', '.join(sorted(each.makes))} | {keys} | {each.loses} |")
    parts += ["", "## Coercions", ""]
    parts += [
        "How a value may come back other than it was written, without anybody having changed it: "
        f"{', '.join(f'`{each}`' for each in sorted(COERCIONS))}. A connector tells its own; a line may add some.",
    ]
    return "\n".join(parts) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "codes.md": texts.page,
    "commands.md": commands,
    "fields.md": fields_and_transforms,
    "settings.md": settings,
}


def write() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


def headings(text: str) -> set[str]:
    """The anchors of a page, as they are made of its headings."""
    found = set()
    for line in re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-"))
    return found
