"""How this process works with memory, where it works through many people."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 20
"""Python looks for garbage that refers to itself after so many new objects, instead of 700: a chunk of people is tens
of thousands of them, nearly none of which does, and the looking took a quarter of a first sync."""


def collect_seldom() -> None:
    """Look for such garbage less often from now on."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
