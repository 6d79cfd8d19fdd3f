"""What every command is given: where the configuration is, how to speak, and the way to what it works with."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from config.load import Loaded
    from smarketing.wiring import Installation


@dataclass(slots=True)
class Setting:
    """The global options."""

    config: Path | None = None
    no_input: bool = False
    verbose: bool = False
    log_json: bool = False

    @property
    def asks(self) -> bool:
        """Whether somebody is there to answer a question."""
        return not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    def loaded(self) -> Loaded:
        """The configuration. Raises ConfigError."""
        from smarketing.logs import configure
        from smarketing.wiring import read_settings

        loaded = read_settings(self.config, os.environ)
        configure(ZoneInfo(loaded.settings.timezone), verbose=self.verbose, as_json=self.log_json)
        return loaded

    @contextlib.contextmanager
    def installation(self) -> Iterator[Installation]:
        """Everything a command works with. Raises whatever wiring does."""
        from smarketing.process import collect_seldom
        from smarketing.wiring import open_installation
        from smarketing.world import RealWorld

        collect_seldom()
        made = open_installation(self.loaded(), RealWorld())
        try:
            yield made
        finally:
            made.close()


def setting(context: typer.Context) -> Setting:
    found = context.find_object(Setting)
    assert found is not None, "the callback of the application makes one"
    return found


def who() -> str:
    """Who gives this command, for the history: the user of this machine."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
