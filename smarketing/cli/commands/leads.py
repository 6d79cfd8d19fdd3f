"""`smarketing leads`: find a person, see where each value comes from, what happened to it, and set it right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.naming import possible
from smarketing.cli.options import Json, LeadWords, Why
from smarketing.cli.output import document, moment, moment_json, paint, say, shown, table
from smarketing.cli.setting import setting, who

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.look import Reason, Shown, Value
    from sync.model import Known
    from sync.store.db import Tx
    from sync.store.runs import Past, Run

group = typer.Typer(help="The people all systems have in common.", no_args_is_help=True)
MOST = 50


@group.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="How an e-mail address, a name or a company begins.")],
    as_json: Json = False,
) -> None:
    """Find leads by e-mail address, name or company."""
    from sync.store import leads

    with setting(context).installation() as installation, installation.store.read() as tx:
        found = leads.search(tx, text, MOST + 1)
    names = ("lead", "name", "email", "company", "stage", "owner")
    if as_json:
        told = [dict(zip(names, row, strict=True)) for row in found[:MOST]]
        document({"leads": told, "more": len(found) > MOST})
        return
    if not found:
        say("nobody is found")
        return
    table(names, [tuple(str(row[0]) if i == 0 else row[i] for i in range(len(names))) for row in found[:MOST]])
    if len(found) > MOST:
        say(f"and more; these are the first {MOST}")


@group.command()
def show(context: typer.Context, lead: LeadWords, as_json: Json = False) -> None:
    """Show a lead: each value with its origin, where they are, and what differs there."""
    from smarketing.cli.naming import lead_named
    from sync import look

    with setting(context).installation() as installation, installation.store.read() as tx:
        number = lead_named(installation, tx, lead)
        found = look.show(installation.engine, tx, number)
        assert found is not None, "it was found a moment ago"
        reasons = _reasons(installation, tx, found)
        if as_json:
            document(_document(found, reasons))
            return
        for text in _text(installation, tx, found, reasons):
            say(text)


@group.command()
def history(context: typer.Context, lead: LeadWords, as_json: Json = False) -> None:
    """Tell who changed what, when and why; what lost stands there too."""
    from smarketing.cli.naming import lead_named
    from sync import look
    from sync.store import records

    with setting(context).installation() as installation, installation.store.read() as tx:
        number = lead_named(installation, tx, lead)
        found = look.history(tx, number)
        sides = {each.id: each for each in records.by_lead(tx, [number])[number]}
        told = {record for past, _ in found for record in _records_of(past)}
        sides |= records.by_id(tx, sorted(told - sides.keys()))
    if as_json:
        document({"lead": number, "history": [_event(installation, past, run, sides) for past, run in found]})
        return
    if not found:
        say("nothing has happened to this lead since it was met")
    for past, run in found:
        for text in _event_text(installation, past, run, sides):
            say(text)


@group.command()
def edit(
    context: typer.Context,
    lead: Annotated[int, typer.Argument(metavar="ID", help="A lead's number.", callback=possible)],
    values: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help="FIELD= takes the value away.")],
    why: Why = "",
    as_json: Json = False,
) -> int:
    """Set fields of a lead; every system learns of it at once."""
    from smarketing.cli import outcome
    from smarketing.cli.naming import lead_named
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync.edit import CannotDecide
    from sync.edit import edit as edit_lead

    with setting(context).installation() as installation:
        engine = installation.engine
        said = _said(installation, values)
        with engine.store.read() as tx:
            number = lead_named(installation, tx, [str(lead)])
        try:
            with progress() as told:
                report = runner.act(
                    engine, lambda tx: edit_lead(engine, tx, number, said, who(), why or "an edit by hand"), told
                )
        except KeyError as error:
            text = f"nothing was done: no system here has the field {error.args[0]}, so nobody could be told"
            raise Failure("SM243", text, USAGE) from None
        except CannotDecide as error:
            raise Failure("SM243", f"nothing was done: {error}", USAGE) from None
        said_first = f"lead {number} is changed"
        return outcome.conclude(report, as_json=as_json, about={"lead": number}, said=said_first)


def _said(installation: Installation, values: list[str]) -> dict[str, str]:
    """FIELD=VALUE as typed. Raises Failure."""
    from config.near import nearest_or_all

    said: dict[str, str] = {}
    for each in values:
        name, sign, text = each.partition("=")
        name = name.strip()
        if not sign:
            raise Failure("SM243", f'"{each}" sets nothing; write FIELD=VALUE, as in title="Daglig leder"', USAGE)
        if installation.shape.field(name) is None:
            names = list(installation.shape.names())
            raise Failure("SM243", f'a lead has no field "{name}"{nearest_or_all(name, names)}', USAGE)
        if name in said:
            raise Failure("SM243", f"{name} is set twice; say it once", USAGE)
        said[name] = text.strip()
    return said


# --- showing one -----------------------------------------------------------------------------------------------------


def _reasons(installation: Installation, tx: Tx, found: Shown) -> dict[tuple[str, str], list[Reason]]:
    """(system, record) → what differs there, and why."""
    from sync import look

    out = {}
    for place in found.places:
        if place.record is None:
            continue
        system = next((each for each in installation.engine.systems.values() if each.name == place.system), None)
        object_, _, ext = place.record.partition(":")
        if system is not None and object_ in system.mapping.objects:
            out[place.system, place.record] = look.why(installation.engine, tx, system.id, object_, ext).reasons
    return out


def _document(found: Shown, reasons: dict[tuple[str, str], list[Reason]]) -> dict[str, Any]:
    return {
        "lead": found.lead,
        "former": found.names,
        "values": [
            {
                "group": each.group,
                "value": each.value,
                "system": each.system,
                "record": each.record,
                "rule": each.rule,
                "proven": each.proven,
                "written": moment_json(each.at),
                "run": each.run or None,
                "frozen": each.frozen,
            }
            for each in found.values
        ],
        "places": [
            {
                "system": each.system,
                "record": each.record,
                "state": each.state,
                "primary": each.primary,
                "read": moment_json(each.read_at),
                "note": each.note or None,
                "differs": [
                    {"group": one.group, "code": one.code, "text": one.text, "wants": one.wants, "has": one.has}
                    for one in reasons.get((each.system, each.record or ""), [])
                ],
            }
            for each in found.places
        ],
        "consent": [
            {"address": row[0], "cell": row[1], "state": row[2], "evidence": row[3], "at": moment_json(row[4])}
            for row in found.consent
        ],
    }


def _text(
    installation: Installation, tx: Tx, found: Shown, reasons: dict[tuple[str, str], list[Reason]]
) -> Iterator[str]:
    from smarketing.cli.people import label, value_text
    from smarketing.cli.people import who as called
    from sync.store import leads

    lead = leads.by_id(tx, [found.lead])[found.lead]
    yield paint(f"lead {found.lead}: {called(lead.value)}", "bold")
    if found.names:
        yield f"  was also lead {', '.join(str(each) for each in found.names)}"
    for value in found.values:
        yield from _value_text(installation, value)
    yield ""
    for place in found.places:
        beside = "" if place.primary else ", a second record of theirs"
        note = f": {place.note}" if place.note else f", read {moment(place.read_at, installation.zone)}"
        yield f"  {place.system} {place.record or ''}".rstrip() + f": {place.state}{beside}{note}"
        for each in reasons.get((place.system, place.record or ""), []):
            if each.group is None:
                yield f"    {each.text}"
                continue
            shows = value_text(each.group, each.has)
            yield f"    {label(installation.shape, each.group)}: shows {shows}: {each.text}"
    if found.consent:
        yield ""
    for address, cell, state, evidence, at, *_ in found.consent:
        yield (
            f"  {moment(at, installation.zone)}  {label(installation.shape, cell)}, {address or 'no address'}: "
            f"{value_text(cell, state)} ({evidence})"
        )


def _value_text(installation: Installation, each: Value) -> Iterator[str]:
    from smarketing.cli.people import label, parts, rule_text

    told = []
    if each.system is not None:
        told.append(f"{each.system} {each.record}")
    if each.at:
        told.append(moment(each.at, installation.zone))
    if each.rule:
        told.append(rule_text(each.rule) + ("" if each.proven else ", an estimate"))
    if each.run:
        told.append(f"run {each.run}")
    origin = f"   ({'; '.join(told)})" if told else ""
    if each.value is None:
        yield f"  {label(installation.shape, each.group)}: (empty)"
    for name, value in parts(installation.shape, each.group, each.value):
        yield f"  {name}: {value}{origin}"
    if each.frozen:
        yield f"    waits for a person: {each.frozen}"


# --- what happened ---------------------------------------------------------------------------------------------------


def _records_of(past: Past) -> Iterator[int]:
    body = past.body
    found = [past.record, *(change[2] for change in body.get("groups", {}).values() if len(change) > 2)]
    found += [lost[1] for lost in body.get("lost", [])]
    yield from (each for each in found if each)


def _name(installation: Installation, sides: dict[int, Known], record: int | None) -> str | None:
    known = sides.get(record or 0)
    if known is None:
        return None
    system = installation.engine.systems.get(known.system)
    return f"{system.name if system else 'a former system'} {known.object}:{known.ext}"


def _event(installation: Installation, past: Past, run: Run | None, sides: dict[int, Known]) -> dict[str, Any]:
    body = past.body
    told: dict[str, Any] = {
        "at": moment_json(past.at),
        "run": past.run or None,
        "kind": run.kind if run else None,
        "who": run.who if run else None,
        "why": run.why if run else None,
    }
    if "merged" in body:
        return {**told, "joined_with": body["merged"]}
    if "split" in body:
        return {**told, "split_from": body["split"]}
    if past.record is not None:
        fields = {name: {"before": before, "after": after} for name, (before, after) in body["fields"].items()}
        return {**told, "written": body["kind"], "record": _name(installation, sides, past.record), "fields": fields}
    return {
        **told,
        "changed": [
            {
                "group": group,
                "before": c[0],
                "after": c[1],
                "by": _name(installation, sides, c[2]),
                "rule": c[3],
                "proven": c[4],
            }
            for group, c in body["groups"].items()
        ],
        "lost": [
            {"group": group, "value": value, "by": _name(installation, sides, record), "rule": rule}
            for group, record, value, rule in body["lost"]
        ],
    }


def _event_text(installation: Installation, past: Past, run: Run | None, sides: dict[int, Known]) -> Iterator[str]:
    from smarketing.cli.people import changes, label, rule_text, value_text

    body = past.body
    by = f"run {past.run}" + (f", {run.kind} by {run.who}" + (f": {run.why}" if run.why else "") if run else "")
    yield paint(moment(past.at, installation.zone), "bold") + f"  {by}"
    if "merged" in body:
        yield f"  joined with lead {body['merged']}: they are one person"
        return
    if "split" in body:
        yield f"  split from lead {body['split']}: they are two people"
        return
    if past.record is not None:
        done = {
            "create": "created in",
            "update": "written to",
            "archive": "archived in",
            "withdraw": "opted out ahead in",
        }
        yield f"  {done[body['kind']]} {_name(installation, sides, past.record)}"
        for name, (before, after) in body["fields"].items():
            yield f"    {name}: {shown(before)} → {shown(after)}"
        return
    for group_, (before, after, record, rule, proven, *_) in body["groups"].items():
        origin = _name(installation, sides, record)
        why = ": ".join(each for each in (origin, rule_text(rule)) if each) + ("" if proven else ", an estimate")
        for name, old, new in changes(installation.shape, group_, before, after):
            yield f"  {name}: {old} → {new}   ({why})"
    for group_, record, value, rule in body["lost"]:
        origin = _name(installation, sides, record) or "a former record"
        name = label(installation.shape, group_)
        yield f"  {name}: {value_text(group_, value)} of {origin} lost   ({rule_text(rule)})"
