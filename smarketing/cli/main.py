"""The command line: which commands there are, and what becomes of everything that goes wrong.

Data goes to stdout and all else to stderr. A mistake of the user's never ends in a traceback: it is told with its
place, its code and what to do, and ends with the exit code of its kind.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from smarketing.cli import commands, streams
from smarketing.cli.errors import FAILED, INTERRUPTED, USAGE, tell
from smarketing.cli.output import say
from smarketing.cli.setting import Setting

app = typer.Typer(
    name="smarketing",
    help="Keeps every sales and marketing system of a company telling the same story about the same person.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("smarketing"))
        raise typer.Exit


@app.callback()
def smarketing(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="Configuration to use. [else: $SMARKETING_CONFIG, ./smarketing.yaml]"
        ),
    ] = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask; take defaults or stop.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what is done, and where a fault is ours.")
    ] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON, one object a line.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Global options stand before the command."""
    del version
    context.obj = Setting(config=config, no_input=no_input, verbose=verbose, log_json=log_json)


commands.add(app)


def run(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; answers the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    streams.settle()
    try:
        code = _carried_out(words)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        streams.let_go()
        return FAILED
    except OSError as error:
        streams.let_go()
        return tell(error)
    return code


def _carried_out(words: list[str]) -> int:
    try:
        code = app(words, prog_name="smarketing", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except Exception as error:
        kind = type(error).__name__
        if kind == "Interrupted":  # the engine's, which is loaded only where it ran
            return _interrupted()
        if kind == "NoArgsIsHelpError":  # typer's, which it does not export: a group of commands, and none of them
            say(str(error))
            return FAILED
        return tell(error, verbose="-v" in words or "--verbose" in words, as_json="--json" in words)
    if code == INTERRUPTED:  # typer turns Ctrl-C into this before we hear of it
        return _interrupted()
    return code if isinstance(code, int) else USAGE if code else 0


def script() -> None:
    """The installed command."""
    code = run()
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one Ctrl-C more while we leave would change the exit code
    sys.exit(code)


def _interrupted() -> int:
    print("interrupted; nothing is lost: the next run goes on from here", file=sys.stderr)
    return INTERRUPTED
