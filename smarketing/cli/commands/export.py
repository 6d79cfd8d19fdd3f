"""`smarketing export`: everything that is held about a person, or about everybody, as one document."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.output import FORMAT_VERSION, count, remark
from smarketing.cli.setting import setting

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.store.db import Tx

CHUNK = 500


def export(
    context: typer.Context,
    lead: Annotated[
        list[str] | None, typer.Argument(metavar="[LEAD...]", help="A lead's number, or SYSTEM ID of a record.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there, for its owner alone. [else: stdout]")
    ] = None,
) -> None:
    """Tell all that is held about a person, as JSON: values and whose they are, records, consent, what happened."""
    from smarketing.cli.naming import lead_named

    if everybody is bool(lead):
        raise Failure("SM237", "name a lead, or say --all", USAGE)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise Failure("SM230", f"{out}: there is no such place for a file; make the folder, or name another", USAGE)
    with setting(context).installation() as installation, installation.store.read() as tx:
        numbers: Iterator[int] = _everybody(tx) if everybody else iter([lead_named(installation, tx, lead or [])])
        if out is None:
            _write(installation, tx, numbers, typer.get_text_stream("stdout"))
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=out.parent, prefix=f".{out.name}.", delete=False
        ) as beside:
            try:
                written = _write(installation, tx, numbers, beside)
                beside.flush()
                os.fsync(beside.fileno())
                os.replace(beside.name, out)
            except BaseException:
                Path(beside.name).unlink(missing_ok=True)
                raise
        remark(f"{out}: {count(written, 'lead')}")


def _everybody(tx: Tx) -> Iterator[int]:
    from sync.store import leads

    after = 0
    while some := leads.living_after(tx, after, CHUNK):
        after = some[-1]
        yield from some


def _write(installation: Installation, tx: Tx, numbers: Iterator[int], file: IO[str]) -> int:
    """One document, written lead by lead: its memory does not grow with them. Answers how many."""
    file.write(f'{{"format_version": "{FORMAT_VERSION}", "leads": [')
    written = 0
    for written, number in enumerate(numbers, 1):
        file.write(("," if written > 1 else "") + "\n")
        file.write(json.dumps(_person(installation, tx, number), ensure_ascii=False))
    file.write("\n]}\n")
    return written


def _person(installation: Installation, tx: Tx, number: int) -> dict[str, Any]:
    """Everything by which this person is known here."""
    from smarketing.cli.output import moment_json
    from sync import look
    from sync.store import leads, records

    lead = leads.by_id(tx, [number])[number]
    systems = installation.engine.systems
    sides = {each.id: each for each in records.by_lead(tx, [number])[number]}
    names = {each: systems[one.system].name if one.system in systems else None for each, one in sides.items()}
    return {
        "lead": number,
        "former_numbers": [each for each in leads.former(tx, number) if each != number],
        "values": {
            group: {"value": value, **_origin(lead.origin.get(group), names)}
            for group, value in sorted(lead.value.items())
        },
        "records": [
            {
                "system": names[each.id],
                "record": str(each.ref()) if each.ext is not None else None,
                "state": each.state.name.lower(),
                "read_at": moment_json(each.read_at),
                "changed_at": moment_json(each.modified),
                "fields": dict(sorted(each.now.items())),
            }
            for each in sides.values()
        ],
        "consent": [{**dict(row._mapping), "at": moment_json(row.at)} for row in leads.ledger(tx, number)],
        "history": [
            {
                "at": moment_json(past.at),
                "run": past.run,
                "what": run.kind if run is not None else None,
                "who": run.who if run is not None else None,
                "why": run.why if run is not None else None,
                "system": names.get(past.record) if past.record is not None else None,
                "change": past.body,
            }
            for past, run in look.history(tx, number)
        ],
    }


def _origin(origin: Any, names: dict[int, str | None]) -> dict[str, Any]:
    """Whose a value is, by which rule, and by which run it became the lead's."""
    if origin is None:
        return {"from": None, "rule": None, "run": None}
    record, _, _, rule, run, *_ = origin
    return {"from": names.get(record), "rule": rule, "run": run}
