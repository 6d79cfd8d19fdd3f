"""Connectors that are broken on purpose, each in one way that real ones are, and each against one clause."""

from __future__ import annotations

from tests.connectors.broken import account, failing, reading, wire, writing
from tests.connectors.broken.broken import Broken

BROKEN: tuple[Broken, ...] = (
    *reading.BROKEN,
    *writing.BROKEN,
    *failing.BROKEN,
    *wire.BROKEN,
    *account.BROKEN,
)

__all__ = ["BROKEN", "Broken"]
