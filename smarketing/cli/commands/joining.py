"""`smarketing leads merge` and `smarketing leads split`: two leads are one person, or one lead is two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.naming import possible
from smarketing.cli.options import Json, Why
from smarketing.cli.output import count, document, remark, say
from smarketing.cli.setting import setting, who

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.joining import Pair
    from sync.model import Known, Lead

Number = Annotated[int, typer.Argument(metavar="ID", help="A lead's number.", callback=possible)]
Other = Annotated[int, typer.Argument(metavar="OTHER", help="The lead that goes into it.", callback=possible)]
Confirm = Annotated[
    int | None, typer.Option("--confirm", metavar="COUNT", help="Carry it out; COUNT is the number it shows.")
]


def merge(
    context: typer.Context, lead: Number, other: Other, confirm: Confirm = None, why: Why = "", as_json: Json = False
) -> int:
    """Two leads are one person: first shown, and done with --confirm COUNT. The first one's number stays."""
    from smarketing.cli import outcome
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync.edit import CannotDecide
    from sync.joining import join, to_join

    with setting(context).installation() as installation:
        engine = installation.engine
        try:
            with engine.store.read() as tx:
                pair = to_join(tx, lead, other)
            if not _confirmed(pair, confirm):
                _show(installation, pair, "are to be one person", as_json=as_json)
                remark(_way_on(f"leads merge {lead} {other}", pair))
                return 0
            with progress() as told:
                report = runner.act(
                    engine,
                    lambda tx: join(
                        engine, tx, pair.stays.id, pair.goes.id, pair.count, who(), why or "joined by hand"
                    ),
                    told,
                )
        except CannotDecide as error:
            raise Failure("SM248", f"nothing was done: {error}", USAGE) from None
        said = f"lead {pair.goes.id} is part of lead {pair.stays.id} now"
        return outcome.conclude(
            report, as_json=as_json, about={"lead": pair.stays.id, "joined_with": pair.goes.id}, said=said
        )


def split(context: typer.Context, lead: Number, confirm: Confirm = None, why: Why = "", as_json: Json = False) -> int:
    """Take the last join of a lead back: first shown, and done with --confirm COUNT."""
    from smarketing.cli import outcome
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync.edit import CannotDecide
    from sync.joining import split as divide
    from sync.joining import to_split

    with setting(context).installation() as installation:
        engine = installation.engine
        try:
            with engine.store.read() as tx:
                pair, _ = to_split(tx, lead)
            if not _confirmed(pair, confirm):
                _show(installation, pair, "are to be two people again", as_json=as_json)
                remark(_way_on(f"leads split {lead}", pair))
                return 0
            with progress() as told:
                report = runner.act(
                    engine,
                    lambda tx: divide(engine, tx, pair.stays.id, pair.count, who(), why or "split by hand"),
                    told,
                )
        except CannotDecide as error:
            raise Failure("SM248", f"nothing was done: {error}", USAGE) from None
        said = f"lead {pair.goes.id} is a lead of its own again, beside lead {pair.stays.id}"
        return outcome.conclude(
            report, as_json=as_json, about={"lead": pair.stays.id, "split_from_it": pair.goes.id}, said=said
        )


def _confirmed(pair: Pair, confirm: int | None) -> bool:
    """Whether it is to be carried out. Raises Failure where another number is confirmed than is shown."""
    if confirm is not None and confirm != pair.count:
        text = f"nothing was done: {count(pair.count, 'record')} would be touched, --confirm says {confirm:,}"
        raise Failure("SM251", text, USAGE)
    return confirm is not None


def _way_on(words: str, pair: Pair) -> str:
    return f'nothing was done yet; carry it out with "smarketing {words} --confirm {pair.count}"'


def _show(installation: Installation, pair: Pair, what: str, *, as_json: bool) -> None:
    from smarketing.cli.people import parts

    sides = list(zip((pair.stays, pair.goes), pair.records, strict=True))
    if as_json:
        document({"count": pair.count, "leads": [_as_object(installation, *each) for each in sides]})
        return
    say(f"lead {pair.stays.id} and lead {pair.goes.id} {what}: {count(pair.count, 'record')}")
    for lead, some in sides:
        say(f"  lead {lead.id}: {', '.join(_named(installation, some)) or 'no records'}")
        for group, value in sorted(lead.value.items()):
            for name, text in parts(installation.shape, group, value):
                say(f"    {name}: {text}")


def _as_object(installation: Installation, lead: Lead, some: tuple[Known, ...]) -> dict[str, Any]:
    return {"lead": lead.id, "records": _named(installation, some), "values": dict(sorted(lead.value.items()))}


def _named(installation: Installation, some: tuple[Known, ...]) -> list[str]:
    systems = installation.engine.systems
    return [
        f"{systems[each.system].name if each.system in systems else 'a former system'} {each.ref()}" for each in some
    ]
