"""Many sides, one lead: what the edits of its records make of a lead, and what they lose to.

Group by group (sync/group.py), where there is any news; most of a first sync goes a short way, since nobody disagrees.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.lead import STAGES, Canon, is_consent, is_empty
from sync.group import Change, Group, Merged, rank
from sync.model import ALL, TWIN, Known, Lead, Side, System
from sync.rules import Rules


def side(known: Known, system: System, held: frozenset[str] = frozenset(), *, withdrawing: bool = False) -> Side:
    """A record seen through its mapping of today: a change of the mapping alone is never an edit (F23)."""
    mapping = system.mapping.objects[known.object]
    unreadable: dict[str, str] = {}
    now = mapping.read(known.now, unreadable)
    base = mapping.read({**known.now, **known.base}, {}) if known.base else now
    pending = mapping.read({**known.now, **known.pending}, {}) if known.pending else now
    return Side(known, system, mapping, now, base, pending, unreadable, held, withdrawing)


def merge(lead: Lead, sides: Sequence[Side], how: Rules, now: int, run: int) -> Merged:
    """Let the sides' news into `lead` (in place) and tell what became of each."""
    out = Merged()
    rivals: dict[str, Any] = lead.origin.get("~rival") or {}
    met = [] if rivals else _all_new(sides, how)
    for group in sorted(_news(sides) | rivals.keys()):
        if met and _met_agreeing(group, lead, met, sides, how.of(group).rule, now, run, out):
            continue
        told = [each for each in sides if group in each.mapping.groups]
        Group(group, lead, told, how, now, run, out).merge()
    if "email" in out.changes and not is_empty(lead.value.get("deliverability")):
        before = lead.value["deliverability"]
        lead.value["deliverability"] = None
        out.changes["deliverability"] = Change(before, None, None, "it ended with the address", True)
    return out


def _all_new(sides: Sequence[Side], how: Rules) -> list[Side]:
    """The sides in the order of `rank`, where every one of them is met for the first time and nothing is odd about
    any; else none."""
    for each in sides:
        known = each.known
        if known.fresh is not ALL or known.role == TWIN or not each.live:
            return []
        if known.base or known.pending or known.times or each.held or each.unreadable:
            return []
    return sorted(sides, key=lambda each: (*rank(each.system.id, how), each.known.id))


def _met_agreeing(
    group: str, lead: Lead, met: Sequence[Side], sides: Sequence[Side], rule: str, now: int, run: int, out: Merged
) -> bool:
    """What a first sync is made of, without ceremony: the lead has no value yet, and all who are met say the same or
    nothing. False, and nothing done, where there is anything to weigh. `met`: the sides in the order of `rank`."""
    if rule == "union" or lead.value.get(group) is not None or group in lead.frozen:
        return False
    staged = rule == "furthest"
    heard: list[Known] = []
    by: Known | None = None
    value: Canon = None
    for each in sides if staged else met:
        if group not in each.now:
            continue
        if group not in each.mapping.incoming:
            return False
        heard.append(each.known)
        seen = each.now[group]
        if seen is None or seen == value or is_empty(seen):
            continue
        if by is not None:
            return False
        by, value = each.known, seen
    if by is not None and is_consent(group):
        return False
    if by is not None and staged and ("~stage" in lead.origin or not isinstance(value, str) or value not in STAGES):
        return False
    for known in heard:
        out.absorbed.setdefault(known.id, set()).add(group)
    if by is not None:
        hi = min(by.modified or 0, now)
        why = rule if staged else "first contact"
        lead.origin[group] = [by.id, min(by.prev_modified or 0, hi), hi, why, run, True, int(by.writer)]
        lead.value[group] = dict(value) if isinstance(value, dict) else value
        out.changes[group] = Change(None, lead.value[group], by.id, why, True)
        if staged:
            lead.origin["~stage"] = [0, [value]]
    return True


def _news(sides: Sequence[Side]) -> set[str]:
    """Groups in which some side says something that the lead has not absorbed."""
    found: set[str] = set()
    for each in sides:
        known = each.known
        if known.ext is None:
            continue
        if known.fresh is not None:
            whole = known.fresh is ALL or "*" in known.fresh
            found |= each.mapping.groups.keys() if whole else each.mapping.groups.keys() & known.fresh
        for name in (*known.base, *known.pending):
            group = each.mapping.group_of.get(name)
            if group is not None:
                found.add(group)
    return found
