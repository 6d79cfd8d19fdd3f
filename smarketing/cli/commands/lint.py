"""`smarketing lint`: what is wrong in mapping files, without asking any system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarketing.cli import findings
from smarketing.cli.errors import DONE, USAGE
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, remark
from smarketing.cli.setting import Setting, setting

if TYPE_CHECKING:
    from mappings.lead import LeadShape


def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Mapping files. [else: those of the configuration and the built-in]"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check mapping files; ends with 2 where one cannot be used."""
    from config.problem import ConfigError
    from connectors.base import Finding
    from smarketing.wiring import lint_file, read_mappings

    told: list[Finding] = []
    if files:
        shape, region = _shape(setting(context))
        looked = len(files)
        for file in files:
            try:
                told += lint_file(file, shape, region)
            except ConfigError as error:
                told += [Finding("error", each.code, str(each)) for each in error.problems]
    else:
        settings = setting(context).loaded().settings
        told = read_mappings(settings).findings
        looked = len(settings.systems)
    told = list(dict.fromkeys(told))
    counted = findings.totals(told)
    if as_json:
        document({"findings": [findings.as_json(each) for each in told], "totals": counted})
    else:
        findings.show(told)
        remark(f"{count(looked, 'mapping')}: {findings.summary(counted)}")
    return USAGE if counted["error"] else DONE


def _shape(said: Setting) -> tuple[LeadShape, str]:
    """The lead as the configuration has it; a mapping file can be checked without one."""
    from config.problem import ConfigError
    from mappings.lead import LeadShape

    try:
        settings = said.loaded().settings
    except ConfigError as error:
        if said.config is not None or any(each.what != "no_file" for each in error.problems):
            remark("the configuration cannot be read: fields of your own in the lead count as unknown here")
        return LeadShape(), "NO"
    return LeadShape(settings.lead.fields), settings.region
