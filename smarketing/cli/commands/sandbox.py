"""smarketing sandbox: the vendors' stand-ins on this machine, to try everything without an account anywhere."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from smarketing.cli import output
from smarketing.cli.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def sandbox(
    systems: Annotated[
        str,
        typer.Option("--systems", metavar="NAMES", help="Of hubspot, salesforce, mailchimp, sheet; with commas."),
    ] = "hubspot,salesforce",
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same people.")] = 1,
    contacts: Annotated[int, typer.Option("--contacts", min=0, max=100_000, help="How many people there are.")] = 50,
    empty: Annotated[bool, typer.Option("--empty", help="Nobody is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line for programs, when it is ready.")] = False,
) -> None:
    """Serve stand-ins of HubSpot and Salesforce on this machine, until it is ended."""
    import tempfile
    from pathlib import Path

    from smarketing.sandbox.opening import SYSTEMS, open_sandbox
    from smarketing.sandbox.people import FakerMissing
    from smarketing.world import RealWorld

    wanted = [each.strip() for each in systems.split(",") if each.strip()]
    for each in wanted:
        if each not in SYSTEMS:
            raise typer.BadParameter(f'there is no system "{each}" to stand in for; allowed: {", ".join(SYSTEMS)}')
    if not wanted:
        raise typer.BadParameter(f"--systems names none; allowed: {', '.join(SYSTEMS)}")
    world = RealWorld()
    with _until_ended(), tempfile.TemporaryDirectory(prefix="smarketing-sandbox-") as folder:
        try:
            opened = open_sandbox(wanted, seed, 0 if empty else contacts, world, Path(folder))
        except FakerMissing:
            raise no_faker("sandbox", "or start it with --empty") from None
        with opened:
            if as_json:
                output.line(opened.line())
            else:
                _tell(opened.line(), 0 if empty else contacts)
            sys.stdout.flush()
            while True:
                world.sleep(3600.0)


def no_faker(command: str, else_: str = "") -> Failure:
    text = f'{command}: the package "faker", which makes up the people, is not installed; '
    return Failure("SM903", text + "install it with: pip install 'smarketing[demo]'" + (f", {else_}" if else_ else ""))


class _Ended(BaseException):
    """Somebody ended it, which is how it ends."""


@contextlib.contextmanager
def _until_ended() -> Iterator[None]:
    import signal

    def end(*_: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # a second one must not disturb the leaving
        raise _Ended

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    except _Ended:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell(line: Mapping[str, Mapping[str, str]], contacts: int) -> None:
    control = line["control"]
    output.say(
        f"{output.count(contacts, 'person', 'people')} in {', '.join(each for each in line if each != 'control')}"
    )
    output.say(f"control at {control['url']} (Authorization: Bearer {control['token']})")
    output.say()
    output.say("# smarketing.yaml")
    output.say(configuration(line))
    output.remark("serving; end it with Ctrl-C")


def configuration(line: Mapping[str, Mapping[str, str]]) -> str:
    """The systems of a sandbox as a configuration has them."""
    said = []
    for name, each in line.items():
        if name == "control":
            continue
        keys = {key: value for key, value in each.items() if key not in ("username", "password")}
        connector = "spreadsheet" if name == "sheet" else name
        said += [f"  {name}:", f"    connector: {connector}", *(f"    {key}: {value}" for key, value in keys.items())]
    return "\n".join(["systems:", *said])
