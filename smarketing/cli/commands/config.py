"""`smarketing config show`: every value in force, and where it comes from."""

from __future__ import annotations

import typer

from smarketing.cli.options import Json
from smarketing.cli.output import document, remark, table
from smarketing.cli.setting import setting

group = typer.Typer(help="The configuration as it is read.", no_args_is_help=True)


@group.command()
def show(
    context: typer.Context,
    as_json: Json = False,
) -> None:
    """Show every value in force and where it comes from. Secrets are covered."""
    from config.shown import shown

    loaded = setting(context).loaded()
    values = list(shown(loaded))
    if as_json:
        told = [{"name": each.name, "value": each.value, "origin": str(each.origin)} for each in values]
        document({"file": str(loaded.path), "values": told})
        return
    table(("name", "value", "origin"), ((each.name, _cell(each.value), str(each.origin)) for each in values))
    remark(f"read from {loaded.path}")


def _cell(value: object) -> object:
    """Empty is what is not said."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value in (None, [], {}) else value
