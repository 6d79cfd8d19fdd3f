"""Questions to whoever sits there: on stderr, so that they never get among the data."""

from __future__ import annotations

import sys

import typer


def ask(question: str, default: str = "") -> str:
    """One line, or the default for an empty one. Raises Abort where nobody is there any more."""
    print(f"{question} [{default}]: " if default else f"{question}: ", end="", file=sys.stderr, flush=True)
    said = sys.stdin.readline()
    if not said:
        print(file=sys.stderr)
        raise typer.Abort
    return said.strip() or default


def confirmed(question: str) -> bool:
    """Whether they say yes; anything that is no yes is a no."""
    return ask(f"{question} [y/N]").casefold() in ("y", "yes")
