"""Names of systems as they are given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smarketing.cli.errors import USAGE, Failure

if TYPE_CHECKING:
    from config.settings import Settings


def known(names: Sequence[str], settings: Settings) -> list[str]:
    """These systems, each once, or all of them where none is named. Raises Failure for one that is not there."""
    from config.near import nearest_or_all

    for name in names:
        if name not in settings.systems:
            told = f'there is no system "{name}"{nearest_or_all(name, settings.systems)}'
            raise Failure("SM108", told, USAGE)
    return list(dict.fromkeys(names)) or list(settings.systems)
