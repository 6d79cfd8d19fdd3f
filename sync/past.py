"""What a vendor's own history of fields tells, where it keeps one.

When the fields of a conflict were written, so that its order is known and not estimated (F18); and what our writes
found over there other than we believed: an edit made between our reading and our write, hidden by it at once. Such an
edit is not lost: it is taken up and weighed like any other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.base import Connector, Ref, Version
from sync.engine import SECOND
from sync.model import Known, System
from sync.store import leads, records, runs
from sync.store.db import Tx
from sync.store.feeds import Hint
from sync.store.runs import Written

WRITES = 10
"""So many of our last writes are looked at: later ones cannot have hidden what earlier ones did not."""


@dataclass(slots=True)
class Told:
    """`times`: when the fields of these records were last written. `versions`: what they held, newest first. `ahead`:
    microseconds by which the vendor's clock may be ahead of ours."""

    times: dict[Ref, dict[str, int]] = field(default_factory=dict)
    versions: dict[Ref, Mapping[str, Sequence[Version]]] = field(default_factory=dict)
    ahead: int = 0


def ask(connector: Connector, system: System, hints: Iterable[Hint]) -> Told:
    """Ask the vendor about the records of a conflict, and about those we wrote to."""
    out = Told()
    if not system.capabilities.field_times:
        return out
    out.ahead = int(connector.skew() * SECOND) + SECOND  # and a second, which is how exactly that is known
    wanted: dict[str, dict[Ref, set[str]]] = {}
    for each in hints:
        if each.why in ("conflict", "wrote"):
            wanted.setdefault(each.object, {}).setdefault(Ref(each.object, each.ext), set()).add(each.why)
    for object_, some in sorted(wanted.items()):
        names = system.mapping.objects[object_].names
        for ref, versions in connector.history(sorted(some), names):
            whys = some.get(ref, set())
            if "conflict" in whys:
                # 0: looked for and not told; the record's own time must do then.
                out.times[ref] = {name: told[0].at if (told := versions.get(name)) else 0 for name in names}
            if "wrote" in whys:
                out.versions[ref] = versions
    return out


def keep(tx: Tx, system: System, told: Told) -> None:
    for ref, times in told.times.items():
        for known in records.by_ext(tx, system.id, ref.object, {ref.id}).values():
            known.times = dict(times)
            records.update(tx, [known])
            if known.lead is not None:
                leads.make_dirty(tx, [known.lead])
    for ref, versions in told.versions.items():
        for known in records.by_ext(tx, system.id, ref.object, {ref.id}).values():
            _take_up_hidden(tx, known, versions, told.ahead)


def _take_up_hidden(tx: Tx, known: Known, versions: Mapping[str, Sequence[Version]], ahead: int) -> None:
    if known.lead is None:
        return
    last = runs.writes(tx, known.lead, known.id, WRITES)
    written = [replace(each, at=each.at + ahead) for each in last]
    found = {name: met for name, told in versions.items() if (met := hidden(name, told, written)) is not None}
    new = {name: met for name, met in found.items() if met.at > known.taken_up.get(name, 0)}
    if new:
        known.pending.update({name: met.value for name, met in new.items()})
        known.taken_up.update({name: met.at for name, met in new.items()})
        records.update(tx, [known])
        leads.make_dirty(tx, [known.lead])


def hidden(name: str, versions: Sequence[Version], written: Sequence[Written]) -> Version | None:
    """The newest edit that our writes hid: what stood under one of them, when we had not read it. `written`: our last
    writes, newest first, by the vendor's clock. Pure."""
    ours_to_it = [each for each in written if name in each.fields]
    whole = len(written) < WRITES
    first = True
    for above, under in itertools.pairwise(versions):
        if under.mine or not above.mine:
            continue  # what somebody wrote since is read like any other edit
        over = [each for each in ours_to_it if each.at >= above.at]
        if not first and not (whole or written[-1].at < above.at):
            return None  # it was perhaps an earlier write than we look at
        if first and not over:
            over = ours_to_it[:1]  # clocks may differ by more than we measured: then it is the last that stands above
        first = False
        if over and under.at > over[-1].read and not _is_known(under.value, *over[-1].fields[name]):
            return under
    return None


def _is_known(value: object, believed: object, sent: object) -> bool:
    empty = (None, "")
    return value in (believed, sent) or (value in empty and believed in empty)
