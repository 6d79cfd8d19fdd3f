"""Every command, a module each; in the order in which `--help` lists them. Modules import what they work with only
when they are called, so that `--help` answers at once."""

from __future__ import annotations

import typer

from smarketing.cli.commands import (
    check,
    config,
    connectors,
    daemon,
    demo,
    explain,
    export,
    fields,
    init,
    joining,
    leads,
    lint,
    migrate,
    plan,
    restore,
    review,
    sandbox,
    schema,
    status,
    sync,
    undo,
    verify,
    why,
)


def add(app: typer.Typer) -> None:
    """Put all of them under the application."""
    app.command()(demo.demo)
    app.command()(init.init)
    app.command()(check.check)
    app.command("doctor", help="The same as check.")(check.check)
    app.add_typer(config.group, name="config")
    app.command()(lint.lint)
    app.command()(fields.fields)
    app.command()(connectors.connectors)
    app.command()(plan.plan)
    app.command()(sync.sync)
    app.command()(daemon.daemon)
    app.command()(status.status)
    app.command()(why.why)
    app.command()(verify.verify)
    app.command()(migrate.migrate)
    leads.group.command()(joining.merge)
    leads.group.command()(joining.split)
    app.add_typer(leads.group, name="leads")
    app.add_typer(review.group, name="review")
    app.command()(undo.undo)
    app.command()(export.export)
    app.command()(restore.restore)
    app.command()(sandbox.sandbox)
    app.command()(explain.explain)
    app.command()(schema.schema)
