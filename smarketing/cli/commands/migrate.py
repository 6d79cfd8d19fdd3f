"""`smarketing migrate`: move the people of some systems into another one, once, and account for every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import DONE, FAILED, REFUSED, USAGE, Failure, tell_of
from smarketing.cli.options import Json, Why
from smarketing.cli.output import count, document, remark, say, table
from smarketing.cli.setting import setting, who

if TYPE_CHECKING:
    from smarketing.cli.account_file import AccountFile
    from smarketing.wiring import Installation
    from sync.migrate import Account, Fate, Move, Preview
    from sync.side_by_side import Report

SHOWN = 20
"""So many records that are not there are shown to a person."""


def migrate(
    context: typer.Context,
    sources: Annotated[str, typer.Option("--from", metavar="SYSTEMS", help="Whose people move; with commas between.")],
    target: Annotated[str, typer.Option("--to", metavar="SYSTEM", help="Where they go. It alone is written to.")],
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="COUNT", help="Carry it out; COUNT is the number it shows.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Keep the account: .json, .xlsx or .txt.")
    ] = None,
    why: Why = "",
    as_json: Json = False,
) -> int:
    """Move people from one system into another: first shown, and done with --confirm COUNT. Begin it again with the
    same words if it was cut off."""
    from smarketing.cli.account_file import account_file, check_place
    from smarketing.cli.progress import progress
    from sync.migrate import carry_out, preview

    if report is not None:
        check_place(report)
    with setting(context).installation() as installation:
        move = _move(installation, sources, target)
        with progress() as told:
            seen = preview(installation.engine, move, who(), told)
        failures = [(each.code, str(each)) for _, each in sorted(seen.planned.failures.items())]
        if confirm is None or failures:
            _show_preview(installation, move, seen, as_json=as_json)
            tell_of(failures)
            if not failures:
                remark(_way_on(move, seen.count))
            return FAILED if failures else DONE
        if confirm != seen.count:
            text = f"nothing was done: {count(seen.count, 'record')} would be moved, --confirm says {confirm:,}"
            raise Failure("SM251", text, USAGE)
        with progress() as told:
            reports = carry_out(installation.engine, move, who(), why, seen.hashes, told)
        with account_file(report) as file:
            return _conclude(installation, move, reports, file, as_json=as_json)


def _move(installation: Installation, sources: str, target: str) -> Move:
    """Raises Failure for what cannot be meant."""
    from smarketing.cli.naming import system_named
    from sync.migrate import Move

    names = list(dict.fromkeys(each.strip() for each in sources.split(",") if each.strip()))
    if not names:
        raise Failure("SM249", "--from names no system", USAGE)
    move = Move(tuple(system_named(installation, each) for each in names), system_named(installation, target))
    if move.target.name in move.names:
        raise Failure("SM249", f"{target}: a system cannot move into itself; leave it out of --from", USAGE)
    if move.target.writes != "all" or move.target.creates() is None:
        text = f"nobody may be made in {target}: systems.{target}.writes is {move.target.writes}; set it to all"
        raise Failure("SM249", text, USAGE)
    return move


def _way_on(move: Move, number: int) -> str:
    words = f"migrate --from {','.join(each.name for each in move.sources)} --to {move.target.name}"
    return f'nothing was done yet; carry it out with "smarketing {words} --confirm {number}"'


# --- before ------------------------------------------------------------------------------------------------------


def _show_preview(installation: Installation, move: Move, seen: Preview, *, as_json: bool) -> None:
    if as_json:
        document(_preview_document(move, seen))
        return
    found = ", ".join(f"{name} ({count(n, 'record')})" for name, n in seen.records.items())
    say(f"from {found} to {move.target.name}")
    say(f"  {count(seen.operations['create'], 'person', 'people')} would be created there")
    say(f"  {count(seen.operations['update'], 'record')} there would be changed")
    for kind, n in sorted(seen.asked.items()):
        say(f"  {count(n, 'question')} would be put to a person: {kind}")
    say(f"  {_effort(seen)}")
    _show_samples(installation, seen)


def _effort(seen: Preview) -> str:
    total = sum(seen.requests.values())
    text = f"{count(total, 'writing request')} at least"
    if seen.seconds >= 1:
        text += f"; {seen.seconds / 60:,.1f} min at the rate that the vendor allows"
    if seen.quota is not None:
        used, allowed = seen.quota
        text += f"; {used:,} of the day's {allowed:,} are used"
    return text


def _show_samples(installation: Installation, seen: Preview) -> None:
    from smarketing.cli.people import changes, heading

    for line in seen.samples:
        about = line.about
        assert about is not None
        say()
        say(heading(about.value, about.places))
        say(f"  {line.system}: {'a new record' if line.row.kind == 'create' else line.target}")
        for told in about.told:
            for name, before, after in changes(installation.shape, told.group, told.before, told.after):
                say(f"    {name}: {after}" if line.row.kind == "create" else f"    {name}: {before} → {after}")


def _preview_document(move: Move, seen: Preview) -> dict[str, Any]:
    return {
        "from": [each.name for each in move.sources],
        "to": move.target.name,
        "count": seen.count,
        "records": seen.records,
        "operations": {kind: seen.operations[kind] for kind in ("create", "update")},
        "questions": dict(sorted(seen.asked.items())),
        "requests": seen.requests,
        "seconds": round(seen.seconds, 1),
        "quota": None if seen.quota is None else {"used": seen.quota[0], "allowed": seen.quota[1]},
        "samples": [
            {"kind": line.row.kind, "record": line.target, "fields": line.row.body["fields"]} for line in seen.samples
        ],
    }


# --- after -------------------------------------------------------------------------------------------------------


def _conclude(
    installation: Installation, move: Move, reports: list[Report], file: AccountFile, *, as_json: bool
) -> int:
    from smarketing.cli.account_file import as_object
    from smarketing.cli.outcome import document_of
    from sync.migrate import Fate, account

    absent: list[Account] = []

    def each(one: Account) -> None:
        file.add(one)
        if one.fate is Fate.FAILED and (as_json or len(absent) < SHOWN):
            absent.append(one)

    counted = account(installation.engine, move, each)
    file.save(_sums(counted))
    failed = sum(some[Fate.FAILED] for some in counted.values())
    if as_json:
        told = {"from": [one.name for one in move.sources], "to": move.target.name}
        fates = {name: _told(some) for name, some in counted.items()}
        not_there = [as_object(one) for one in absent]
        document({**told, "accounts": fates, "not_there": not_there, "runs": [document_of(one) for one in reports]})
    else:
        _show_account(move, counted, absent, failed, reports)
    failures = [(error.code, str(error)) for one in reports for _, error in sorted(one.failures.items())]
    tell_of(failures)
    if failed:
        text = f"{count(failed, 'record')} could not be moved; the reasons stand beside them"
        tell_of([("SM254", text)])
    return FAILED if failures else REFUSED if failed else DONE


def _show_account(
    move: Move, counted: Mapping[str, Counter[Fate]], absent: list[Account], failed: int, reports: list[Report]
) -> None:
    table(("from", "records", *_FATES), _sums(counted))
    for one in absent:
        say(f"{one.system} {one.record}: {one.why}")
    if failed > len(absent):
        say(f"and {failed - len(absent):,} more; --report FILE tells them all")
    done = [str(one.run) for one in reports if one.answers]
    if done:
        say(f"taken back with {' and then '.join(f'smarketing undo {run}' for run in reversed(done))}")


_FATES = ("created", "matched", "merged", "skipped", "failed")


def _sums(counted: Mapping[str, Counter[Fate]]) -> list[tuple[str, int, int, int, int, int, int]]:
    """A row for each source, and where there are several one for all: its records, and their fates, which sum to
    them."""
    rows = [_row(name, some) for name, some in counted.items()]
    if len(rows) > 1:
        rows.append(_row("all", sum(counted.values(), Counter())))
    return rows


def _row(name: str, some: Counter[Fate]) -> tuple[str, int, int, int, int, int, int]:
    created, matched, merged, skipped, failed = (_told(some)[fate] for fate in _FATES)
    return name, sum(some.values()), created, matched, merged, skipped, failed


def _told(some: Counter[Fate]) -> dict[str, int]:
    by_name = {str(fate): n for fate, n in some.items()}
    return {name: by_name.get(name, 0) for name in _FATES}
