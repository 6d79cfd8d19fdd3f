"""Two leads become one because a person says so, and a lead becomes two again.

A split takes a join back by where each value comes from: what the records of one side have said since goes with them,
and the rest stands as it was before. A no to being mailed is not split. Refused: a pair that was merged over there,
since no vendor takes that back, and records to which something is being sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.base import State
from mappings.lead import Canon, is_consent
from sync.consent import OUT
from sync.decide import addresses
from sync.edit import CannotDecide, Moved, living
from sync.engine import Engine
from sync.model import Known, Lead
from sync.resolve import merge_leads
from sync.store import leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.leads import Entry, Join

SPLIT = "split from a lead that says no"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who are to be one, or the two that a lead is to become. `stays`: whose number goes on."""

    stays: Lead
    goes: Lead
    records: tuple[tuple[Known, ...], tuple[Known, ...]]

    @property
    def count(self) -> int:
        return sum(map(len, self.records))


def to_join(tx: Tx, stays: int, goes: int) -> Pair:
    """Who would be joined. Raises CannotDecide."""
    one = living(tx, stays, f"there is no lead {stays}")
    other = living(tx, goes, f"there is no lead {goes}")
    if one.id == other.id:
        raise CannotDecide(f"they are one lead already: {one.id}")
    sides = records.by_lead(tx, [one.id, other.id])
    return Pair(one, other, (_named(sides[one.id]), _named(sides[other.id])))


def join(engine: Engine, tx: Tx, stays: int, goes: int, shown: int, who: str, why: str) -> int:
    """Make one lead of two; answers the run. `shown`: how many records a person saw them have. Raises CannotDecide."""
    pair = to_join(tx, stays, goes)
    _refuse_moved(pair, shown)
    now = engine.world.now()
    run = runs.begin(tx, "merge", who, why, now)
    if not merge_leads(tx, pair.stays.id, pair.goes.id, run, now):
        raise CannotDecide("both are being created in one system; try again when that is settled")
    return run


def to_split(tx: Tx, number: int) -> tuple[Pair, Join]:
    """The two people that the last join of a lead made one, as they would be now. Raises CannotDecide."""
    lead = living(tx, number, f"there is no lead {number}")
    last = leads.last_join(tx, lead.id)
    if last is None:
        raise CannotDecide(f"lead {lead.id} was never joined with another, so there is nothing to split")
    sides = records.by_lead(tx, [lead.id])[lead.id]
    moved = tuple(each for each in sides if each.id in last.records)
    stay = tuple(each for each in sides if each.id not in last.records)
    _refuse_merged_there(moved, stay)
    goes = Lead(last.loser, leads.revs(tx, [last.loser])[last.loser])
    before, were = Lead(lead.id, value=last.winner["value"], origin=last.winner["origin"]), last.loser_lead()
    _share_out(lead, goes, before, were, frozenset(each.id for each in moved))
    return Pair(lead, goes, (_named(stay), _named(moved))), last


def split(engine: Engine, tx: Tx, number: int, shown: int, who: str, why: str) -> int:
    """Make two leads of one; answers the run. `shown`: as for `join`. Raises CannotDecide."""
    pair, last = to_split(tx, number)
    _refuse_moved(pair, shown)
    stay, moved = pair.records
    flying = outbox.flying(tx, [each.id for each in (*stay, *moved)])
    if flying:
        raise CannotDecide("something is being sent to their records; try again when that is settled")
    now = engine.world.now()
    run = runs.begin(tx, "split", who, why, now)
    outbox.drop_unsent(tx, [each.id for each in (*stay, *moved)])
    leads.revive(tx, last)
    runs.close(tx, [f"conflict:{pair.stays.id}:{group}" for group in pair.stays.frozen])
    pair.stays.frozen = {}
    for each in moved:
        each.lead, each.obs = pair.goes.id, each.obs + 1
    for each in stay:
        each.obs += 1
    records.update(tx, [*stay, *moved])
    for a in stay:
        for b in moved:
            records.keep_apart(tx, a.id, b.id, "split", now)
    both = [pair.stays, pair.goes]
    for lead in both:
        lead.rev += 1
    leads.save(tx, both, now)
    leads.set_keys(tx, {lead.id: addresses(lead) for lead in both})
    leads.enter(tx, _refusals(pair.goes, now, run))
    leads.make_dirty(tx, [lead.id for lead in both])
    told = [
        (pair.stays.id, None, run, now, {"split": pair.goes.id}),
        (pair.goes.id, None, run, now, {"split": pair.stays.id}),
    ]
    runs.remember(tx, told)
    return run


def _refuse_moved(pair: Pair, shown: int) -> None:
    if pair.count != shown:
        raise Moved(f"they have {pair.count} records by now, not {shown}; look again")


def _named(some: Iterable[Known]) -> tuple[Known, ...]:
    return tuple(each for each in some if each.ext is not None)


def _refuse_merged_there(moved: Iterable[Known], stay: Iterable[Known]) -> None:
    """Raises CannotDecide where a record of one side lives on in one of the other."""
    here, there = list(moved), list(stay)
    for some, others in ((here, there), (there, here)):
        names = {(each.system, f"{each.object}:{each.ext}") for each in others}
        for each in some:
            if each.state is State.MERGED and (each.system, each.into or "") in names:
                raise CannotDecide(
                    f"their records {each.object}:{each.ext} and {each.into} were merged over there, which no vendor "
                    "takes back; enter the second person there anew, and the next run makes them a lead of their own"
                )


def _share_out(lead: Lead, goes: Lead, before: Lead, were: Lead, moved: frozenset[int]) -> None:
    """Give each of the two what is theirs; both are changed in place."""
    for group in sorted({*lead.value, *before.value, *were.value}):
        now, origin = lead.value.get(group), lead.origin.get(group)
        theirs = origin is not None and origin[0] in moved
        if is_consent(group):
            no = OUT in (now, were.value.get(group))
            _put(goes, group, OUT if no else were.value.get(group), were.origin.get(group) or origin)
            continue
        if isinstance(now, list):
            brought = set(were.value.get(group) or ()) - set(before.value.get(group) or ())  # type: ignore[arg-type]
            _put(goes, group, were.value.get(group), were.origin.get(group))
            _put(lead, group, [each for each in now if each not in brought] or None, origin)
        elif theirs:
            _put(goes, group, now, origin)
            _put(lead, group, before.value.get(group), before.origin.get(group))
        else:
            _put(goes, group, were.value.get(group), were.origin.get(group))
    if "~stage" in were.origin:
        goes.origin["~stage"] = were.origin["~stage"]
    for mark in ("~rival", "~trail"):
        lead.origin.pop(mark, None)


def _put(lead: Lead, group: str, value: Canon, origin: Any) -> None:
    lead.value[group] = value
    if origin is not None:
        lead.origin[group] = origin
    else:
        lead.origin.pop(group, None)


def _refusals(lead: Lead, now: int, run: int) -> list[Entry]:
    address = str(lead.value.get("email") or "")
    cells = [cell for cell, said in sorted(lead.value.items()) if is_consent(cell) and said == OUT]
    return [Entry(lead.id, address, cell, OUT, SPLIT, now, None, run) for cell in cells]
