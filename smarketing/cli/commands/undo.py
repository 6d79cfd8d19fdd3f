"""`smarketing undo`: take a run back, after showing what that means; without a run, list the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.naming import possible
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, moment, moment_json, remark, say, shown, table
from smarketing.cli.setting import setting, who

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.store.db import Tx
    from sync.undo import Undo

LATEST = 20
MOST = 50
"""So many lines of a kind are shown to a person."""
PEOPLE = 500


def undo(
    context: typer.Context,
    run: Annotated[
        int | None, typer.Argument(metavar="RUN", help="The run to take back; none: list them.", callback=possible)
    ] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="COUNT", help="Carry it out; COUNT is the number it shows.")
    ] = None,
    also_values: Annotated[
        bool, typer.Option("--also-values", help="Set the leads' own values back too, everywhere.")
    ] = False,
    consent: Annotated[
        bool, typer.Option("--consent", help="Take back opt-outs that we wrote, too; needs --why.")
    ] = False,
    why: Annotated[str, typer.Option("--why", metavar="REASON", help="A reason, for the history.")] = "",
    as_json: Json = False,
) -> int:
    """Take a run back: first shown, and done with --confirm COUNT."""
    from smarketing.cli import outcome
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync import undo as undoing

    if consent and not why.strip():
        raise Failure("SM253", "--consent mails people who were opted out; say why with --why REASON", USAGE)
    with setting(context).installation() as installation:
        engine = installation.engine
        if run is None:
            _list(installation, as_json=as_json)
            return 0
        number = run

        def work(tx: Tx) -> int:
            new, done = undoing.undo(
                engine, tx, number, who(), why or f"undo {number}", values=also_values, consent=consent
            )
            if done.count != confirm:
                text = f"nothing was done: {done.count:,} would be taken back by now, not {confirm:,}; look again"
                raise Failure("SM251", text, USAGE)
            return new

        try:
            with engine.store.read() as tx:
                found = undoing.preview(engine, tx, number, values=also_values, consent=consent)
            if confirm is not None and found.count != confirm:
                text = f"nothing was done: {found.count:,} would be taken back, --confirm says {confirm:,}"
                raise Failure("SM251", text, USAGE)
            if not found.count or confirm is None:
                _preview(installation, found, as_json=as_json)
                if found.count:
                    remark(f'nothing was done yet; carry it out with "smarketing undo {run} --confirm {found.count}"')
                return 0
            with progress() as told:
                report = runner.act(engine, work, told)
        except undoing.CannotUndo as error:
            raise Failure("SM250", str(error), USAGE) from None
        return outcome.conclude(report, as_json=as_json, about={"undoes": number}, said=f"run {number} is taken back")


def _preview(installation: Installation, found: Undo, *, as_json: bool) -> None:
    if as_json:
        document(_document(installation, found))
        return
    from smarketing.cli.people import changes
    from sync.undo import systems_of

    if found.lost:
        say(f"{count(len(found.lost), 'change')} cannot be taken back:")
        _some([f"  {what}: {reason}" for what, reason in found.lost])
        say()
    lines = []
    for name, what, person, fields, archive in _back(installation, found):
        lines.append(f"  {name} {what}, {person}" + (": archived again, since the run made it" if archive else ""))
        lines += [f"    {field}: {shown(left)} → {shown(before)}" for field, (left, before) in fields.items()]
    for lead, groups in found.values.items():
        lines.append(f"  lead {lead}")
        for group, (before, after) in groups.items():
            lines += [
                f"    {label}: {old} → {new}" for label, old, new in changes(installation.shape, group, after, before)
            ]
    if lines:
        counted = ", ".join(f"{n:,} in {name}" for name, n in systems_of(installation.engine, found))
        values = f"{count(len(found.values), 'lead')} set back" if found.values else ""
        say(f"{found.count:,} would be taken back ({', '.join(each for each in (counted, values) if each)}):")
        _some(lines)
    else:
        say("nothing can be taken back")


def _some(lines: list[str]) -> None:
    for each in lines[:MOST]:
        say(each)
    if len(lines) > MOST:
        say(f"  and {len(lines) - MOST:,} more lines; --json shows all")


def _back(installation: Installation, found: Undo) -> Iterator[tuple[str, str, str, dict[str, Any], bool]]:
    """(system, record, person, fields, whether it is archived) of each record that gets something back."""
    from connectors.base import batches
    from smarketing.cli.people import who as called
    from sync.store import leads

    systems = installation.engine.systems
    for some in batches(found.back.values(), PEOPLE):
        with installation.store.read() as tx:
            people = leads.by_id(tx, sorted({each.known.lead for each in some if each.known.lead is not None}))
        for each in some:
            lead = people.get(each.known.lead or 0)
            person = called(lead.value if lead is not None else {})
            yield systems[each.known.system].name, str(each.known.ref()), person, dict(each.fields), each.archive


def _document(installation: Installation, found: Undo) -> dict[str, Any]:
    return {
        "undoes": found.run,
        "count": found.count,
        "lost": [{"what": what, "why": reason} for what, reason in found.lost],
        "back": [
            {
                "system": name,
                "record": what,
                "person": person,
                "archive": archive,
                "fields": {field: {"before": left, "after": before} for field, (left, before) in fields.items()},
            }
            for name, what, person, fields, archive in _back(installation, found)
        ],
        "values": [
            {
                "lead": lead,
                "groups": {group: {"before": after, "after": before} for group, (before, after) in some.items()},
            }
            for lead, some in found.values.items()
        ],
    }


def _list(installation: Installation, *, as_json: bool) -> None:
    from sync.store import runs

    with installation.store.read() as tx:
        found = runs.latest(tx, LATEST)
    if as_json:
        told = [
            {
                "run": each.id,
                "kind": each.kind,
                "who": each.who,
                "why": each.why,
                "state": each.state,
                "undoes": each.undoes,
                "written": _written(each.counts),
                "started": moment_json(each.started),
                "ended": moment_json(each.ended),
            }
            for each in found
        ]
        document({"runs": told})
        return
    rows = [
        (
            each.id,
            moment(each.started, installation.zone),
            each.kind,
            each.who,
            each.state,
            _written(each.counts),
            each.why,
        )
        for each in found
    ]
    table(("run", "when", "what", "who", "state", "written", "why"), rows)


def _written(counts: dict[str, Any]) -> int:
    answers = counts.get("answers", {})
    return int(answers.get("done", 0)) if isinstance(answers, dict) else 0
