"""`smarketing init`: a configuration to begin with, in which nothing is written to any system yet.

Asks where somebody is there to answer, else takes options. Overwrites nothing. What a connector needs stands in the
file as a variable, and the variables' names in .env.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarketing.cli.asking import ask
from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.output import count, remark
from smarketing.cli.setting import Setting, setting

if TYPE_CHECKING:
    from smarketing.cli.starting import Chosen

WITHIN_ONE_PROCESS = "memory"
"""A connector for tests: nobody has an account there."""


def init(
    context: typer.Context,
    systems: Annotated[
        list[str] | None,
        typer.Option(
            "--system", metavar="NAME=CONNECTOR", help="A system; for a file NAME=CONNECTOR:FILE. May be repeated."
        ),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NAME", help="Whom to believe at first contact, best first. May be repeated."),
    ] = None,
) -> None:
    """Write a configuration to begin with: smarketing.yaml, its schema, and .env for the secrets."""
    from smarketing.cli.starting import Start

    said = setting(context)
    file = _place(said)
    if file.exists():
        raise Failure("SM110", f"{file}: it is there already, and is not overwritten; edit it, or move it away", USAGE)
    chosen = [_parsed(each) for each in systems or []]
    if not chosen:
        if not said.asks:
            raise Failure("SM112", "init needs to know your systems; write --system NAME=CONNECTOR for each", USAGE)
        chosen = _asked_systems()
    chosen = _with_files(chosen, asks=said.asks)
    _refuse_wrong(chosen, trust or [])
    if trust is None and len(chosen) > 1 and said.asks:
        trust = [_asked_trust([each.name for each in chosen])]
    _write(file, Start(chosen, trust or []))


def _place(said: Setting) -> Path:
    """Where a later command will look for it."""
    import os

    from config.load import NAME, VARIABLE

    return said.config or Path(os.environ.get(VARIABLE) or NAME)


def _connectors() -> list[str]:
    from connectors import registry

    return [each for each in registry.names() if each != WITHIN_ONE_PROCESS]


# --- what is wanted ----------------------------------------------------------------------------------------------


def _parsed(text: str) -> Chosen:
    from smarketing.cli.starting import Chosen

    name, _, rest = text.partition("=")
    connector, _, path = rest.partition(":")
    if not name or not connector:
        raise Failure("SM100", f'--system "{text}": write NAME=CONNECTOR, as in crm={_connectors()[0]}', USAGE)
    return Chosen(name.strip(), connector.strip(), path.strip() or None)


def _asked_systems() -> list[Chosen]:
    from smarketing.cli.starting import Chosen

    known = _connectors()
    remark(f"Which systems are to be kept in step? There are {', '.join(known)}. An empty line ends the list.")
    chosen: list[Chosen] = []
    while True:
        connector = _ask(f"system {len(chosen) + 1}", lambda said: said in ("", *known), f"one of {', '.join(known)}")
        if not connector and chosen:
            return chosen
        if connector:
            taken = {each.name for each in chosen}
            usual = next(each for each in (connector, *(f"{connector}{n}" for n in range(2, 99))) if each not in taken)
            chosen.append(Chosen(_asked_name(usual, taken), connector))


def _asked_name(usual: str, taken: set[str]) -> str:
    from config.settings import is_name

    return _ask(
        "  its name", lambda said: is_name(said) and said not in taken, "letters, digits and _, not used yet", usual
    )


def _asked_trust(names: Sequence[str]) -> str:
    remark("When two of them meet a person for the first time and disagree, which one is right?")
    return _ask("trust", lambda said: said in names, f"one of {', '.join(names)}", names[0])


def _ask(question: str, fits: Callable[[str], bool], allowed: str, default: str = "") -> str:
    while True:
        said = ask(question, default)
        if fits(said):
            return said
        remark(f"write {allowed}")


def _with_files(chosen: Sequence[Chosen], *, asks: bool) -> list[Chosen]:
    """Those that are a file know which."""
    from dataclasses import replace

    from smarketing.cli.starting import file_key

    found = []
    for each in chosen:
        if each.connector in _connectors() and file_key(each.connector) is not None and each.path is None:
            if not asks:
                text = f"systems.{each.name}: which file is it? write --system {each.name}={each.connector}:FILE"
                raise Failure("SM112", text, USAGE)
            each = replace(each, path=_ask(f"  the file of {each.name}", bool, "the path of a file"))
        found.append(each)
    return found


def _refuse_wrong(chosen: Sequence[Chosen], trust: Sequence[str]) -> None:
    from config.near import nearest_or_all
    from config.settings import is_name
    from smarketing.cli.starting import file_key

    known = _connectors()
    names = [each.name for each in chosen]
    for each in chosen:
        if each.connector not in known:
            near = nearest_or_all(each.connector, known)
            raise Failure("SM108", f'there is no connector "{each.connector}"{near}', USAGE)
        if not is_name(each.name):
            raise Failure("SM104", f'"{each.name}" is no name: it has letters, digits, _ and -, at most 60', USAGE)
        if names.count(each.name) > 1:
            raise Failure("SM104", f'two systems are called "{each.name}"; give each a name of its own', USAGE)
        if each.path is not None and file_key(each.connector) is None:
            raise Failure("SM104", f'"{each.name}": {each.connector} is no file; leave ":{each.path}" out', USAGE)
    for name in trust:
        if name not in names:
            raise Failure("SM108", f'--trust: there is no system "{name}"{nearest_or_all(name, names)}', USAGE)


# --- writing -----------------------------------------------------------------------------------------------------


def _write(file: Path, start: object) -> None:
    import os

    from smarketing.cli.commands.schema import may_be_replaced, schema_text
    from smarketing.cli.starting import SCHEMA, Start

    assert isinstance(start, Start)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as opened:
        opened.write(start.configuration())
    remark(f"written: {file}")
    beside = file.parent / SCHEMA
    if may_be_replaced(beside):
        beside.write_text(f"{schema_text()}\n", "utf-8")
        remark(f"written: {beside}")
    variables = start.variables()
    dotenv = file.parent / ".env"
    if dotenv.exists():
        remark(f"{dotenv} is there already, and is left alone; it needs {', '.join(variables) or 'nothing new'}")
    elif variables:
        # Nobody but its owner may read it, from its first moment on.
        with os.fdopen(os.open(dotenv, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(start.dotenv())
        remark(f"written: {dotenv}")
    todo = f"put {count(len(variables), 'value')} into {dotenv}, then " if variables else ""
    remark(f'next: {todo}run "smarketing check"; nothing is written to any system while it says writes: none')
