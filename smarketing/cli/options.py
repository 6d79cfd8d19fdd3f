"""Options and arguments that several commands take."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Why: TypeAlias = Annotated[str, typer.Option("--why", metavar="TEXT", help="A reason, for the history.")]
LeadWords: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="ID", help="A lead's number, or SYSTEM ID of a record.")
]
