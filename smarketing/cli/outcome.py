"""What a run did, for people, for programs, and as an exit code: of `sync`, and of every deed that is carried out at
once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smarketing.cli.errors import DONE, FAILED, REFUSED, tell_of
from smarketing.cli.output import count, document, remark, say

if TYPE_CHECKING:
    from sync.side_by_side import Report

WAY_OUT = 'look with "smarketing plan --out FILE", then "smarketing sync --plan FILE"'
FAILED_ANSWERS = ("refused", "unknown")


Sent = Sequence[tuple[int, int]]
"""Earlier runs that sent the same plan, each with how many of its changes."""


def document_of(report: Report, before: Sent = ()) -> dict[str, Any]:
    """A run for programs."""
    return {
        "run": report.run,
        "state": report.state,
        "totals": totals(report),
        "systems": {
            name: {
                "read": report.pulled[name].read if name in report.pulled else 0,
                "changed": report.pulled[name].changed if name in report.pulled else 0,
                **_counted(report.by_system.get(name, Counter())),
                "in_doubt": report.doubtful.get(name, 0),
            }
            for name in report.requests
        },
        "requests": requests(report),
        "seconds": round(report.seconds, 3),
        "refused": [
            {"system": each.system, "what": each.what, "count": each.count, "size": each.size, "limit": each.limit}
            for each in report.refused
        ],
        "held_back": [
            {
                "system": each.system,
                "field": each.group,
                "what": each.what,
                "count": each.count,
                "size": each.size,
                "limit": each.limit,
            }
            for each in report.distrusted
        ],
        "held": report.held,
        "missing": len(report.missing),
        "sent_before": sent_before(report, before),
        "unapproved": report.unapproved,
        "failures": {name: {"code": each.code, "text": str(each)} for name, each in sorted(report.failures.items())},
    }


def totals(report: Report) -> dict[str, int]:
    return {**_counted(report.answers), "review": report.reviews}


def requests(report: Report) -> dict[str, int]:
    return {name: sum(some.values()) for name, some in report.requests.items()}


def _counted(answers: Mapping[str, int]) -> dict[str, int]:
    """`stale`: what had moved over there, and is decided anew."""
    done, failed = answers.get("done", 0), sum(answers.get(each, 0) for each in FAILED_ANSWERS)
    return {"done": done, "failed": failed, "stale": sum(answers.values()) - done - failed}


def exit_code(report: Report) -> int:
    return FAILED if report.failures else REFUSED if report.refuses else DONE


def conclude(
    report: Report, *, as_json: bool, about: Mapping[str, Any], said: str | None = None, before: Sent = ()
) -> int:
    """Tell what came of a run, and answer the exit code. `about`: what a document begins with; `said`: what people
    read first."""
    if as_json:
        document({**about, **document_of(report, before)})
    else:
        if said is not None:
            say(said)
        show(report)
    tell_problems(report)
    return exit_code(report)


def show(report: Report) -> None:
    """A run for people."""
    for name in report.requests:
        if name not in report.failures:
            say(_system_text(report, name))
    say(f"run {report.run}: {report.state} in {report.seconds:,.1f} s, {_requests_text(report)}")
    if report.reviews:
        say(f'{count(report.reviews, "question")} for a person; see "smarketing review list"')


def summary(report: Report) -> str:
    """A run in one line, for a log."""
    systems = [
        f"{name}: {report.failures[name].code} {report.failures[name]}"
        if name in report.failures
        else _system_text(report, name)
        for name in report.requests
    ]
    told = [f"run {report.run}: {report.state} in {report.seconds:,.1f} s", *systems]
    if report.reviews:
        told.append(count(report.reviews, "question") + " for a person")
    told += [f"{code} {text}" for code, text in _waiting(report)]
    return "; ".join(told)


def _system_text(report: Report, name: str) -> str:
    read = report.pulled.get(name)
    some = _counted(report.by_system.get(name, Counter()))
    told = [count(read.read, "record") + " read"] if read is not None else []
    told.append(count(some["done"], "record") + " written")
    told += [f"{some['failed']:,} refused"] if some["failed"] else []
    told += [f"{some['stale']:,} had changed meanwhile"] if some["stale"] else []
    told += [f"{report.doubtful[name]:,} in doubt"] if report.doubtful.get(name) else []
    return f"{name}: {', '.join(told)}"


def _requests_text(report: Report) -> str:
    return ", ".join(f"{count(n, 'request')} to {name}" for name, n in requests(report).items())


def tell_problems(report: Report) -> None:
    """What failed, and what waits for a person, with the way out."""
    tell_of((each.code, str(each)) for _, each in sorted(report.failures.items()))
    tell_of(_waiting(report))


def _waiting(report: Report) -> Iterator[tuple[str, str]]:
    """(code, text) of what was not sent, since a person must look first."""
    if report.unapproved:
        names = ", ".join(report.unapproved)
        yield (
            "SM239",
            f"{names}: the first plan, or the first with another mapping, is not approved yet, so nothing was sent; "
            f"{WAY_OUT}",
        )
    for each in report.refused:
        yield "SM240", f"not sent: {each}; {WAY_OUT}"
    for change in report.distrusted:
        yield "SM247", f'not taken in: {change}; look with "smarketing review list --kind inbound"'
    if report.held and not report.refused:
        yield "SM241", f"not sent: {count(report.held, 'operation')} that nobody has approved; {WAY_OUT}"


def tell_missing(report: Report, before: Sent, changes: list[tuple[str, str, str]]) -> None:
    """What stands in a plan and was not sent: it was before, or is not wanted any more. `changes`: the first of
    these."""
    gone = sent_before(report, before)
    moved = len(report.missing) - gone
    if gone:
        runs = f"run {before[0][0]}" if len(before) == 1 else f"runs {', '.join(str(run) for run, _ in before)}"
        tell_of([("SM242", f"not sent: {count(gone, 'change')} of the plan, already sent by {runs}")])
    if moved:
        tell_of([("SM242", f"not sent: {count(moved, 'change')} of the plan, since something moved there")])
    for each in changes:
        remark(f"  {' '.join(each)}".rstrip())
    if changes and moved > len(changes):
        remark(f"  and {moved - len(changes):,} more")


def sent_before(report: Report, before: Sent) -> int:
    """How many of the changes that are missing now were sent when the plan was sent before."""
    return min(len(report.missing), sum(changes for _, changes in before))
