"""`smarketing explain`: what a code means and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.options import Json
from smarketing.cli.output import document, paint, say, table


def explain(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="As in SM106. [else: all, a line each]")] = None,
    as_json: Json = False,
) -> None:
    """Tell what a code means, and what to do."""
    import textwrap
    from dataclasses import asdict

    from smarketing.texts import CODES

    if code is None:
        if as_json:
            document({"codes": [{"code": each, **asdict(entry)} for each, entry in CODES.items()]})
        else:
            table(("code", "title"), ((each, entry.title) for each, entry in CODES.items()))
        return
    wanted = code.strip().strip("[]").upper()
    wanted = f"SM{wanted}" if wanted.isdigit() else wanted
    entry = CODES.get(wanted)
    if entry is None:
        from config.near import nearest

        raise Failure("SM111", f'there is no code "{code}"{nearest(wanted, CODES)}', USAGE)
    if as_json:
        document({"code": wanted, **asdict(entry)})
        return
    say(paint(f"{wanted}: {entry.title}", "bold"))
    for each in (entry.meaning, f"What to do: {entry.cure}"):
        say()
        say(textwrap.fill(each, 88, break_on_hyphens=False))
