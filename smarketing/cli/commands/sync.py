"""`smarketing sync`: one pass over every system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smarketing.cli.output import document
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
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="A reason, for the history.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
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
        wanted = approved.hashes if approved is not None else None
        reason = why or ("sync" if approved is None else f"the plan of run {approved.run}")
        with progress() as tell:
            shown = approved.systems if approved is not None else None
            report = runner.sync(
                installation.engine, who(), reason, only=only, wanted=wanted, shown=shown, progress=tell
            )
        moved = []
        if plan is not None and report.missing:
            missing = frozenset(report.missing)
            for each in told(plan, missing):
                moved.append(each)
                if len(moved) == SHOWN:
                    break
        if as_json:
            document(outcome.document_of(report))
        else:
            outcome.show(report)
        outcome.tell_problems(report)
        if report.missing:
            outcome.tell_missing(report, moved)
        return outcome.exit_code(report)
