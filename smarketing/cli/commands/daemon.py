"""`smarketing daemon`: runs now and then until it is ended."""

from __future__ import annotations

import typer

from smarketing.cli.setting import setting, who


def daemon(context: typer.Context) -> None:
    """Keep all systems in agreement: a run every so often (sync: every), until SIGTERM or Ctrl-C."""
    from smarketing.daemon import Daemon

    with setting(context).installation() as installation:
        Daemon(installation, installation.loaded.settings.sync.every, who()).serve()
