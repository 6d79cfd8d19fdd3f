"""`smarketing verify`: read every system again, independently of the sync, and tell where it does not show what it
should. Nothing is written and nothing is taken in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import DONE, FAILED, REFUSED, tell_of
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, moment, moment_json, remark, say, table
from smarketing.cli.setting import setting

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.verify import Agreement, Difference, Report, Verified

AT_WORK = "SM261"
MOST = 50
"""So many differences are shown to a person."""


def verify(
    context: typer.Context,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Read only N records of each system, by chance.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Read every system again and tell how far all agree, and why the rest does not."""
    from smarketing.cli.progress import progress
    from sync.verify import verify as verify_all

    with setting(context).installation() as installation:
        target = installation.loaded.settings.verify.unexplained
        found = _Differences(None if as_json else MOST)
        with progress() as told:
            report = verify_all(installation.engine, found.add, sample=sample, progress=told)
        if as_json:
            document(_document(report, list(found), sample, target))
        else:
            _show(installation, report, found, sample)
    _tell(report, target)
    if any(each.failure is not None for each in report.systems):
        return FAILED
    return REFUSED if report.unexplained > target else DONE


def _tell(report: Report, target: int) -> None:
    """What is no data: who else was at work, what could not be read, and what nothing explains."""
    for who, where in report.at_work:
        told = f"another smarketing process ({who}) was at work ({where})"
        remark(f"warning[{AT_WORK}]: {told}; what it moved meanwhile may show as in flight or unread")
    tell_of((each.failure.code, str(each.failure)) for each in report.systems if each.failure is not None)
    if report.unexplained > target:
        told = f"{count(report.unexplained, 'difference')} that nothing explains (target {target:,})"
        way_out = 'hold the records against "smarketing leads show", then put right whichever is wrong'
        tell_of([("SM260", f"{told}; {way_out}")])


class _Differences:
    """All differences, the gravest first; or no more than `most` of them."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.count = 0
        self._kept: dict[str, list[Difference]] = {}

    def add(self, each: Difference) -> None:
        self.count += 1
        kept = self._kept.setdefault(each.cause, [])
        if self.most is None or len(kept) < self.most:
            kept.append(each)

    def __iter__(self) -> Iterator[Difference]:
        from sync.compare import Cause

        told = (each for cause in Cause for each in self._kept.get(cause, ()))
        return (each for n, each in enumerate(told) if self.most is None or n < self.most)


# --- for programs ------------------------------------------------------------------------------------------------


def _document(report: Report, differences: list[Difference], sample: int | None, target: int) -> dict[str, Any]:
    values = [each for system in report.systems for each in system.groups.values()]
    return {
        "sample": sample,
        "began": moment_json(report.began),
        "ended": moment_json(report.ended),
        "values": _of_values(values),
        "causes": _causes(sum((each.causes() for each in report.systems), Counter())),
        "unexplained": report.unexplained,
        "target": target,
        "oldest": _difference(report.oldest, report) if report.oldest is not None else None,
        "at_work": [{"process": who, "on": where} for who, where in report.at_work],
        "systems": {each.system: _system(each, report) for each in report.systems},
        "differences": [_difference(each, report) for each in differences],
    }


def _of_values(some: list[Agreement]) -> dict[str, int]:
    return {"compared": sum(each.compared for each in some), "agree": sum(each.agree for each in some)}


def _causes(counted: Mapping[Any, int]) -> dict[str, int]:
    from sync.compare import Cause

    return {str(cause): counted[cause] for cause in Cause if counted.get(cause)}


def _system(each: Verified, report: Report) -> dict[str, Any]:
    failure = each.failure
    return {
        "read": each.read,
        "requests": each.requests,
        "missing": each.missing,
        "failure": {"code": failure.code, "text": str(failure)} if failure is not None else None,
        "values": _of_values(list(each.groups.values())),
        "records": _causes(each.records),
        "groups": {
            name: {"compared": one.compared, "agree": one.agree, "causes": _causes(one.causes)}
            for name, one in each.groups.items()
        },
        "oldest": _difference(each.oldest, report) if each.oldest is not None else None,
    }


def _difference(each: Difference, report: Report) -> dict[str, Any]:
    return {
        "system": each.system,
        "record": each.record,
        "lead": each.lead,
        "group": each.group,
        "cause": str(each.cause),
        "text": each.text,
        "wants": each.wants,
        "has": each.has,
        "since": moment_json(each.since),
        "age_seconds": None if each.since is None else max(0, report.ended - each.since) // 1_000_000,
    }


# --- for people --------------------------------------------------------------------------------------------------


def _show(installation: Installation, report: Report, found: _Differences, sample: int | None) -> None:
    table(("system", "field", "compared", "agree", "share", "differ"), _rows(installation, report))
    say()
    for each in report.systems:
        say(f"{each.system}: {_about(each, sample)}")
    values = _of_values([one for each in report.systems for one in each.groups.values()])
    told = f"{values['agree']:,} of {count(values['compared'], 'value')} agree"
    say(f"{told} ({_share(values['agree'], values['compared'])})" if values["compared"] else "nothing was compared")
    oldest = report.oldest
    if oldest is not None:
        age = _age(report.ended - (oldest.since or report.ended))
        say(f"the oldest difference is {age} old: {oldest.system} {oldest.record}, {_field(installation, oldest)}")
    _show_differences(installation, found)


def _rows(installation: Installation, report: Report) -> Iterator[tuple[object, ...]]:
    from smarketing.cli.people import label

    for each in report.systems:
        for name, one in each.groups.items():
            shown = label(installation.shape, name)
            share = f"{_share(one.agree, one.compared):>7}"
            yield each.system, shown, one.compared, one.agree, share, _differ(one.causes)
        if each.records:
            yield each.system, "the record itself", None, None, None, _differ(each.records)


def _differ(counted: Mapping[Any, int]) -> str | None:
    return ", ".join(f"{n:,} {cause}" for cause, n in _causes(counted).items()) or None


def _share(agree: int, compared: int) -> str:
    """Never 100 % where something differs."""
    return f"{agree * 1000 // compared / 10:.1f} %"


def _about(each: Verified, sample: int | None) -> str:
    how = "not read whole" if each.failure is not None else "read whole" if sample is None else "read by chance"
    told = f"{count(each.read, 'record')}, {how}, in {count(each.requests, 'request')}"
    return f"{told}; {count(each.missing, 'person', 'people')} without a record there" if each.missing else told


def _age(micros: int) -> str:
    minutes = max(0, micros) // 60_000_000
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{count(days, 'day')} {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _field(installation: Installation, each: Difference) -> str:
    from smarketing.cli.people import label

    return "the record itself" if each.group is None else label(installation.shape, each.group)


def _show_differences(installation: Installation, found: _Differences) -> None:
    from smarketing.cli.people import value_text, who
    from sync.store import leads

    some = list(found)
    with installation.store.read() as tx:
        people = leads.by_id(tx, sorted({each.lead for each in some if each.lead is not None}))
    for each in some:
        lead = people.get(each.lead or 0)
        say()
        say(f"{each.system} {each.record}: {f'lead {lead.id}, {who(lead.value)}' if lead is not None else 'no lead'}")
        told = f"  {_field(installation, each)}: {each.cause}: {each.text}"
        if each.group is not None:
            shows, should = value_text(each.group, each.has), value_text(each.group, each.wants)
            told += f" (shows {shows}, should show {should})"
        say(told + (f", since {moment(each.since, installation.zone)}" if each.since is not None else ""))
    if found.count > len(some):
        say()
        say(f"and {found.count - len(some):,} more; --json tells them all")
