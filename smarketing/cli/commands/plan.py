"""`smarketing plan`: what would be done, and why. Nothing is written to any system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smarketing.cli.errors import CHANGES, DONE, FAILED, tell_of
from smarketing.cli.output import remark
from smarketing.cli.setting import setting, who


def plan(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help='Keep the plan, for "smarketing sync --plan FILE".')
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="SYSTEM", help="Read this system alone, and plan for it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="An object a line, the totals last.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Answer 4 when there is something to do.")] = False,
) -> int:
    """Show what a sync would do: what goes where, which rule decides, who loses."""
    from smarketing.cli.naming import system_named
    from smarketing.cli.plan_file import PlanWriter, check_place, spool
    from smarketing.cli.plan_text import PlanShown, failures_of
    from smarketing.cli.progress import progress
    from sync.approve import Line
    from sync.planning import plan as plan_all
    from sync.store.db import generation

    if out is not None:
        check_place(out)
    with setting(context).installation() as installation, spool() as text, spool() as lines:
        if only is not None:
            system_named(installation, only)
        shown = PlanShown(installation, text, as_json=as_json)
        file = PlanWriter(lines) if out is not None else None

        def each(line: Line) -> None:
            shown.add(line)
            if file is not None:
                file.add(line)

        with progress() as told:
            met = shown.meet if shown.only_looks else None
            planned = plan_all(installation.engine, who(), "plan", each, met=met, only=only, progress=told)
        shown.show(planned)
        if file is not None and out is not None:
            with installation.store.read() as tx:
                here = generation(tx)
            file.save(out, planned, here)
            remark(f'{out}: the plan is kept; send exactly this with "smarketing sync --plan {out}"')
    if planned.failures:
        tell_of(failures_of(planned))
        return FAILED
    return CHANGES if exit_code and any(planned.totals.values()) else DONE
