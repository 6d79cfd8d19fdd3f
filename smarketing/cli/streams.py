"""The streams that a process is given: there even where whoever started us closed them, and let go of in good order."""

from __future__ import annotations

import contextlib
import os
import sys


def settle() -> None:
    """Put something that swallows everything in the place of a closed one: else the first file that is opened, the
    database say, would get its number and what is meant for people."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  until the process ends


def let_go() -> None:
    """Drop what is still to be written: whoever read it is gone, or there is no room for it."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
