"""`smarketing restore`: say that the database was put back from a backup, where nothing beside it tells."""

from __future__ import annotations

from typing import Annotated

import typer

from smarketing.cli.errors import DONE, USAGE, Failure
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, remark, say
from smarketing.cli.setting import setting


def restore(
    context: typer.Context,
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="COUNT", help="Carry it out; COUNT is the number it shows.")
    ] = None,
    as_json: Json = False,
) -> int:
    """After a backup was put back: read every system anew, and send nothing before a person has seen the plan."""
    from sync import prepare
    from sync.side_by_side import leases
    from sync.store import outbox

    with setting(context).installation() as installation:
        engine = installation.engine
        systems = list(engine.systems.values())
        if confirm not in (None, len(systems)):
            text = f"nothing was done: {count(len(systems), 'system')} would be read anew, --confirm says {confirm:,}"
            raise Failure("SM251", text, USAGE)
        with leases(engine, systems) as (deciding, _), engine.store.tx() as tx:
            deciding.check(tx)
            waiting = sum(outbox.counts(tx).values())
            if confirm is not None:
                prepare.distrust(engine, tx)
        if as_json:
            document({"count": len(systems), "operations": waiting, "done": confirm is not None})
        else:
            say(_told(len(systems), waiting, done=confirm is not None))
        if confirm is None:
            words = f'"smarketing restore --confirm {len(systems)}"'
            remark(f"nothing was done yet; carry it out with {words}")
        else:
            remark('look with "smarketing plan --out FILE", then "smarketing sync --plan FILE"')
    return DONE


def _told(systems: int, waiting: int, *, done: bool) -> str:
    verb = "is" if done else "would be"
    read = f"{count(systems, 'system')} {verb} read whole again before anybody is created"
    dropped = f"{count(waiting, 'operation')} that waited {'are' if done else 'would be'} decided anew"
    return f"{read}; {dropped}; nothing is sent before a person has seen the plan"
