"""`smarketing status`: how everything stands, and what waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import DONE, REFUSED
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, moment, moment_json, say, table
from smarketing.cli.setting import setting

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.look import Status, SystemStatus

STATES = {
    "new": "first plan not approved",
    "restored": "put back, plan not approved",
    "live": "live",
    "held": "held",
    "not configured": "not configured",
}
SETTLED = {
    "lossy": "cut or changed over there",
    "refused": "refused",
    "undone": "taken back",
    "held": "left alone",
    "default": "filled in by itself",
}


def status(
    context: typer.Context,
    as_json: Json = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Answer 3 while decisions wait.")] = False,
) -> int:
    """Tell how everything stands: systems, what waits, the last runs."""
    from sync import look

    with setting(context).installation() as installation:
        with installation.store.read() as tx:
            found = look.status(installation.engine, tx)
        if as_json:
            document(_document(installation, found))
        else:
            _show(installation, found)
        return REFUSED if exit_code and _waits(installation, found) else DONE


def _waits(installation: Installation, found: Status) -> bool:
    """Whether a person must decide something."""
    unseen = {"restored", "new"} if installation.engine.settings.first == "approve" else {"restored"}
    return bool(found.reviews) or any(
        each.waiting.get("proposed") or (each.state in unseen and each.primed) for each in found.systems
    )


def _window(installation: Installation, each: SystemStatus) -> int | None:
    """Seconds between our reading and our writing in which an edit over there can be written over; None: unknown."""
    known = next((one for one in installation.engine.systems.values() if one.name == each.name), None)
    if known is None:
        return None
    return 0 if known.capabilities.conditional else installation.engine.settings.fresh // 1_000_000


def _document(installation: Installation, found: Status) -> dict[str, Any]:
    return {
        "systems": {
            each.name: {
                "connector": each.connector,
                "state": each.state,
                "records": each.records,
                "read_whole": each.primed,
                "read_until": moment_json(each.read_until),
                "swept_at": moment_json(each.swept_at),
                "backs_off_until": moment_json(each.not_before),
                "trouble": each.trouble,
                "settled": each.settled,
                "waiting": each.waiting,
                "requests": each.requests,
                "quota": {"used": each.quota[0], "allowed": each.quota[1]} if each.quota else None,
                "window_seconds": _window(installation, each),
            }
            for each in found.systems
        },
        "leads": found.leads,
        "to_decide": found.dirty,
        "frozen": found.frozen,
        "review": dict(sorted(found.reviews.items())),
        "decisions_wait": _waits(installation, found),
        "runs": [
            {
                "run": each.id,
                "kind": each.kind,
                "who": each.who,
                "why": each.why,
                "state": each.state,
                "started": moment_json(each.started),
                "ended": moment_json(each.ended),
            }
            for each in found.runs
        ],
    }


def _show(installation: Installation, found: Status) -> None:
    zone = installation.zone
    table(
        ("system", "state", "records", "read until", "requests", "of the day"),
        (
            (
                each.name,
                STATES.get(each.state, each.state),
                each.records,
                moment(each.read_until, zone),
                each.requests,
                _quota(each),
            )
            for each in found.systems
        ),
    )
    say()
    for each in found.systems:
        for text in _remarks(installation, each):
            say(f"{each.name}: {text}")
    say(f"{count(found.leads, 'lead')}, {found.dirty:,} to be looked at, {count(found.frozen, 'field')} frozen")
    if found.reviews:
        told = ", ".join(f"{n:,} × {kind}" for kind, n in sorted(found.reviews.items()))
        say(f'{count(sum(found.reviews.values()), "question")} for a person: {told}; see "smarketing review list"')
    if found.runs:
        say()
        rows = ((each.id, moment(each.started, zone), each.kind, each.who, each.state, each.why) for each in found.runs)
        table(("run", "when", "what", "who", "state", "why"), rows)


def _quota(each: SystemStatus) -> str | None:
    return f"{each.quota[0]:,} of {each.quota[1]:,}" if each.quota else None


def _remarks(installation: Installation, each: SystemStatus) -> list[str]:
    told = []
    if each.trouble:
        told.append(f"backs off until {moment(each.not_before, installation.zone)}: {each.trouble}")
    if not each.primed and each.state != "not configured":
        told.append("not read whole yet, so nobody is created in it")
    if each.settled:
        told.append(
            "settled: " + ", ".join(f"{n:,} {SETTLED.get(why, why)}" for why, n in sorted(each.settled.items()))
        )
    waiting = {"proposed": "wait for approval", "queued": "wait to be sent", "sending": "under way or in doubt"}
    told += [f"{count(n, 'operation')} {waiting[state]}" for state, n in sorted(each.waiting.items())]
    window = _window(installation, each)
    if window:
        told.append(f"an edit over there within {window} s before we write can be written over")
    return told
