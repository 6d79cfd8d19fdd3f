"""`smarketing why`: what stands between a record and what its lead says."""

from __future__ import annotations

from typing import Annotated

import typer

from smarketing.cli.options import Json
from smarketing.cli.output import document, say
from smarketing.cli.setting import setting


def why(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="A system of the configuration.")],
    record: Annotated[str, typer.Argument(metavar="ID", help="The record's id over there, or OBJECT:ID.")],
    as_json: Json = False,
) -> None:
    """Tell why a record does not show what it should."""
    from smarketing.cli.naming import record_named, system_named
    from smarketing.cli.people import label, value_text, who
    from sync import look
    from sync.store import leads

    with setting(context).installation() as installation, installation.store.read() as tx:
        there = system_named(installation, system)
        object_, ext, _ = record_named(tx, there, record)
        found = look.why(installation.engine, tx, there.id, object_, ext)
        lead = leads.by_id(tx, [found.lead]).get(found.lead) if found.lead is not None else None
    if as_json:
        reasons = [
            {"code": each.code, "group": each.group, "text": each.text, "wants": each.wants, "has": each.has}
            for each in found.reasons
        ]
        document(
            {
                "system": found.system,
                "record": found.record,
                "known": found.known,
                "lead": found.lead,
                "agrees": not found.reasons,
                "reasons": reasons,
            }
        )
        return
    whose = f"lead {lead.id}, {who(lead.value)}" if lead is not None else "it belongs to no lead"
    say(f"{found.system} {found.record}: {whose}")
    if not found.reasons:
        say("  it shows what its lead says")
    for each in found.reasons:
        name = f"{label(installation.shape, each.group)}: " if each.group is not None else ""
        values = ""
        if each.group is not None and (each.wants is not None or each.has is not None):
            values = f" (shows {value_text(each.group, each.has)}, should show {value_text(each.group, each.wants)})"
        say(f"  {name}{each.text}{values}")
