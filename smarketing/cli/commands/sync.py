"""`smarketing sync`: one pass over every system."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from smarketing.cli.options import Json, Why
from smarketing.cli.setting import setting, who

SHOWN = 10
"""So many changes that vanished from a plan are told one by one."""


def sync(
    context: typer.Context,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="Send what stands in this plan and nothing else.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="SYSTEM", help="Read and write this system alone.")
    ] = None,
    why: Why = "",
    as_json: Json = False,
) -> int:
    """Read every system, decide, and write until all agree."""
    from smarketing.cli import outcome
    from smarketing.cli.naming import system_named
    from smarketing.cli.plan_file import read, told
    from smarketing.cli.progress import progress
    from sync import run as runner

    with setting(context).installation() as installation:
        if only is not None:
            system_named(installation, only)
        approved = read(plan, installation) if plan is not None else None
        before = approved.sent if approved is not None else ()
        with progress() as tell:
            report = runner.sync(
                installation.engine,
                who(),
                why or ("sync" if approved is None else f"the plan of run {approved.run}"),
                only=only,
                wanted=approved.hashes if approved is not None else None,
                shown=approved.systems if approved is not None else None,
                plan=approved.run if approved is not None else None,
                progress=tell,
            )
        code = outcome.conclude(report, as_json=as_json, about={}, before=before)
        if plan is not None and report.missing:
            some = told(plan, frozenset(report.missing)) if not before else ()
            outcome.tell_missing(report, before, list(islice(some, SHOWN)))
        return code
