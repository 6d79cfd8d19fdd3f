"""A plan for people and for programs: what follows from it first, then person by person, then the totals.

Lines come one by one and are spooled until all are there, since the consequences are told before the list.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from smarketing.cli.output import FORMAT_VERSION, count, paint, say, shown
from smarketing.cli.people import changes, heading, label, lost_text, reason

if TYPE_CHECKING:
    from mappings.lead import LeadShape
    from smarketing.wiring import Installation
    from sync.approve import Line
    from sync.foretell import About
    from sync.planning import Planned

KINDS = ("create", "update", "archive")
DONE = {"create": "created", "update": "changed", "archive": "archived"}


class PlanShown:
    """Takes a plan's operations in, gathers them in `lines`, and shows the whole when all are there."""

    def __init__(self, installation: Installation, lines: IO[str], *, as_json: bool) -> None:
        self._installation = installation
        self._shape: LeadShape = installation.shape
        self._as_json = as_json
        self._spool = lines
        self._last: int | None = -1
        self._opt_outs: Counter[str] = Counter()
        self._met: Counter[tuple[str, ...]] = Counter()
        systems = installation.engine.systems.values()
        self._closed = [each.name for each in systems if each.writes == "none"]
        self.only_looks = len(self._closed) == len(systems)
        """Nothing is sent anywhere, since the configuration says so: then it is told who would be met."""

    def add(self, line: Line) -> None:
        assert line.about is not None, "a plan is explained"
        if self._says_no(line):
            self._opt_outs[line.system] += 1
        for text in (
            [json.dumps(_as_object(line, line.about), ensure_ascii=False)] if self._as_json else self._text(line)
        ):
            self._spool.write(text + "\n")

    def meet(self, about: About) -> None:
        """Somebody who is met for the first time; told one by one are those whom several systems have."""
        there = {system for system, _ in about.places}
        where = tuple(each.name for each in self._installation.engine.systems.values() if each.name in there)
        self._met[where] += 1
        if len(where) < 2:
            return
        lines = [json.dumps(_as_person(about), ensure_ascii=False)] if self._as_json else self._person(about)
        for text in lines:
            self._spool.write(text + "\n")

    def show(self, planned: Planned) -> None:
        if not self._as_json:
            for text in self._consequences(planned):
                say(text)
            say()
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, sys.stdout)
        if self._as_json:
            told = {**_totals(planned, self._opt_outs), "writes_nothing": self._closed, "people": self._people()}
            print(json.dumps(told, ensure_ascii=False))
        else:
            if self._spool.tell():
                say()
            say(_totals_text(planned))

    def _says_no(self, line: Line) -> bool:
        """Whether it tells a system that a person wants no mail."""
        from mappings.lead import is_consent

        body = line.row.body
        mapping = self._installation.engine.systems[line.row.system].mapping.objects[body["object"]]
        groups = {mapping.group_of.get(name, "") for name in body["fields"]}
        return "withdraw" in body or any(
            is_consent(each) and body["groups"].get(each, [None, "out"])[1] == "out" for each in groups
        )

    # --- people ---

    def _text(self, line: Line) -> Iterator[str]:
        from mappings.lead import is_consent

        about = line.about
        assert about is not None
        if about.lead != self._last:
            if self._last != -1:
                yield ""
            self._last = about.lead
            yield paint(heading(about.value, about.places), "bold")
        kind = line.row.kind
        if kind == "archive":
            yield f"  {line.system}: {line.target} would be archived: the person was deleted elsewhere"
            return
        yield f"  {line.system}: " + ("a new record" if kind == "create" else line.target)
        if "withdraw" in line.row.body:
            yield "    the new address is opted out first"
        for told in about.told:
            why = reason(told)
            for name, before, after in changes(self._shape, told.group, told.before, told.after):
                told_change = after if kind == "create" else f"{before} → {after}"
                yield f"    {name}: {told_change}" + (f"   ({why})" if why else "")
        if self._says_no(line) and not any(is_consent(each.group) for each in about.told):
            yield "    opted out, as they are elsewhere"

    def _person(self, about: About) -> Iterator[str]:
        from sync.foretell import OPEN

        yield paint(heading(about.value, about.places), "bold")
        for told in about.told:
            if told.rule == OPEN:
                shown_there = ", ".join(lost_text(told.group, each) for each in told.lost)
                yield f"  {label(self._shape, told.group)}: {shown_there}   (nobody says who is right)"
                continue
            for name, _, value in changes(self._shape, told.group, None, told.after):
                yield f"  {name}: {value}   ({reason(told)})"

    def _people(self) -> list[dict[str, object]]:
        """How many were met, by the systems that have them."""
        return [{"systems": list(where), "count": n} for where, n in self._by_systems()]

    def _by_systems(self) -> list[tuple[tuple[str, ...], int]]:
        return sorted(self._met.items(), key=lambda each: (-len(each[0]), each[0]))

    def _consequences(self, planned: Planned) -> Iterator[str]:
        follows = planned.consequences
        if self.only_looks:
            yield "nothing is sent: every system says writes: none"
        else:
            for name in self._closed:
                yield f"nothing is sent to {name}: it says writes: none"
        for where, n in self._by_systems():
            yield f"{count(n, 'person is', 'people are')} in {_all_of(where)}"
        for kind in KINDS:
            for system, some in planned.totals.items():
                if some[kind]:
                    yield f"{_what(kind, some[kind])} would be {DONE[kind]} in {system}"
        for system, n in sorted(self._opt_outs.items()):
            yield f"{count(n, 'opt-out')} would be written to {system}"
        for group in sorted({group for group, _ in follows.met}):
            won = {winner: n for (of, winner), n in sorted(follows.met.items()) if of == group}
            told = ", ".join(f"{winner or 'the value we had'} would be right {n:,} times" for winner, n in won.items())
            yield f"first contact: {label(self._shape, group)} differs: {told.replace(' 1 times', ' once')}"
        for group, n in sorted(follows.unsettled.items()):
            yield (
                f"first contact: {label(self._shape, group)} differs {_times(n)} and nobody says who is right: a "
                "person decides, or you name the systems to believe under sync: trust:"
            )
        if follows.open:
            told = ", ".join(f"{n:,} × {kind}" for kind, n in sorted(follows.open.items()))
            new = sum(follows.asked.values())
            yield f"{count(sum(follows.open.values()), 'question')} for a person ({told}), {new:,} of them new"
        if not any(planned.totals.values()) and not self.only_looks:
            unread = f" (not read: {', '.join(sorted(planned.failures))})" if planned.failures else ""
            yield f"nothing to do: every system shows what it should{unread}"


def _all_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"{names[0]} alone"


def _what(kind: str, n: int) -> str:
    return count(n, "person", "people") if kind == "create" else count(n, "record")


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def _totals_text(planned: Planned) -> str:
    systems = [
        f"{name}: {some['create']:,} to create, {some['update']:,} to change, {some['archive']:,} to archive"
        for name, some in planned.totals.items()
    ]
    questions = sum(planned.consequences.open.values())
    return f"Totals: {'; '.join([*systems, count(questions, 'question') + ' for a person'])}"


# --- programs --------------------------------------------------------------------------------------------------------


def _as_object(line: Line, about: About) -> dict[str, object]:
    return {
        "type": line.row.kind,
        "system": line.system,
        "record": line.target if line.row.kind != "create" else None,
        **_person_of(about),
        "fields": {
            each.name: {"before": each.before, "after": each.after}
            for each in (*line.changes, *line.later)
            if each.name
        },
    }


def _as_person(about: About) -> dict[str, object]:
    return {"type": "person", **_person_of(about)}


def _person_of(about: About) -> dict[str, object]:
    return {
        "lead": about.lead,
        "name": _name(about),
        "where": [f"{system} {ref}" for system, ref in about.places],
        "groups": [
            {
                "group": each.group,
                "before": each.before,
                "after": each.after,
                "rule": each.rule,
                "winner": each.winner,
                "proven": each.proven,
                "lost": [{"system": one.system, "value": one.value, "rule": one.rule} for one in each.lost],
            }
            for each in about.told
        ],
    }


def _name(about: About) -> str | None:
    name = about.value.get("name")
    return " ".join(shown(each) for each in name.values() if each) or None if isinstance(name, dict) else None


def _totals(planned: Planned, opt_outs: Counter[str]) -> dict[str, object]:
    follows = planned.consequences
    totals = {kind: sum(some[kind] for some in planned.totals.values()) for kind in KINDS}
    return {
        "type": "totals",
        "format_version": FORMAT_VERSION,
        "run": planned.run,
        "totals": {**totals, "review": sum(follows.open.values())},
        "systems": {name: {kind: some[kind] for kind in KINDS} for name, some in planned.totals.items()},
        "opt_outs": dict(sorted(opt_outs.items())),
        "first_contact": [
            {"group": group, "winner": winner, "count": n} for (group, winner), n in sorted(follows.met.items())
        ],
        "unsettled": dict(sorted(follows.unsettled.items())),
        "review": {"open": dict(sorted(follows.open.items())), "new": dict(sorted(follows.asked.items()))},
        "failures": {name: {"code": each.code, "text": str(each)} for name, each in sorted(planned.failures.items())},
    }


def failures_of(planned: Planned) -> Iterable[tuple[str, str]]:
    return [(each.code, str(each)) for _, each in sorted(planned.failures.items())]
