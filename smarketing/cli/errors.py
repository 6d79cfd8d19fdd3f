"""From an error to what a person reads and the exit code a script sees.

0 done · 1 failed · 2 usage or configuration · 3 refused or waiting for approval · 4 changes found · 130 interrupted.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable

import typer.exceptions

DONE, FAILED, USAGE, REFUSED, CHANGES, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Failure(Exception):
    """A command that cannot go on. `code`: a stable code with a page; `text`: where, what, allowed, what to do."""

    def __init__(self, code: str, text: str, exit_code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code
        self.exit_code = exit_code


OURS = "SM999"
"""A fault of ours, the only one of which a traceback tells more than its text."""


def tell(error: Exception, *, verbose: bool = False, as_json: bool = False) -> int:
    """Print an error for a person, and where JSON is wanted for programs as well; answers the exit code."""
    found, exit_code = _told(error)
    lines = list(found)
    tell_of(lines)
    if as_json:
        from smarketing.cli.findings import placed
        from smarketing.cli.output import FORMAT_VERSION, line

        errors = [{"code": code, **placed(text)} for code, text in lines]
        line({"format_version": FORMAT_VERSION, "errors": errors})
    if verbose and any(code == OURS for code, _ in lines):
        import traceback

        traceback.print_exception(error)
    return exit_code


def tell_of(lines: Iterable[tuple[str, str]]) -> None:
    """Print problems as (code, text)."""
    for code, text in lines:
        print(f"error[{code}]: {text}" if code else f"error: {text}", file=sys.stderr)


def _told(error: Exception) -> tuple[Iterable[tuple[str, str]], int]:
    if isinstance(error, Failure):
        return [(error.code, str(error))], error.exit_code
    if isinstance(error, typer.exceptions.TyperException):
        return [("SM100", f"{_of_usage(error)}; see smarketing --help")], USAGE
    from config.problem import ConfigError
    from connectors.errors import ConnectorError
    from smarketing.wiring import MappingsError

    if isinstance(error, ConfigError):
        return [(each.code, str(each)) for each in error.problems], USAGE
    if isinstance(error, MappingsError):
        return [(each.code, _with_hint(each.text, each.hint)) for each in error.findings], USAGE
    if isinstance(error, ConnectorError):
        return [(error.code, str(error))], FAILED
    if isinstance(error, OSError):
        return [_of_the_machine(error)], FAILED
    return _of_the_store(error)


def _of_usage(error: Exception) -> str:
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    said = getattr(error.__cause__, "errors", None)  # typer lets pydantic read values, whose words are for programmers
    if said is not None:
        from config.checking import allowed

        text = f"{text.partition(': ')[0]}: {allowed(said()[0])}"
    return text[:1].lower() + text[1:].rstrip(".")


def _with_hint(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text


def _of_the_machine(error: OSError) -> tuple[str, str]:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "SM902", f"{where}the disk is full; make room and run the command again: nothing is lost"
    return "SM901", f"{where}{(error.strerror or type(error).__name__).lower()}"


def _of_the_store(error: Exception) -> tuple[Iterable[tuple[str, str]], int]:
    from sync.lease import LeaseHeld
    from sync.store.db import StoreError

    if isinstance(error, StoreError):
        return [(error.code, str(error))], FAILED
    if isinstance(error, LeaseHeld):
        return [("SM220", f"{error}; wait until it is done, or end it")], FAILED
    text = (
        f"this is a fault of ours ({type(error).__name__}); run it again with --verbose to see where, and report that"
    )
    return [(OURS, text)], FAILED
