"""The rules of groups: which of several values that disagree becomes the lead's.

Each gets candidates that are really concurrent (what had seen the others is no candidate any more) and answers the
winner, or None where a person must decide. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Writer
from mappings.lead import STAGES, Canon

RULES = ("newest", "owner", "trust", "union", "furthest", "person_first", "ask")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule of one group. `systems`: ids, for owner (one) and trust (best first)."""

    rule: str = "newest"
    systems: tuple[int, ...] = ()
    ask_if_unproven: bool = False


NEWEST = Policy()
DEFAULTS: Mapping[str, Policy] = {
    "stage": Policy("furthest"),
    "tags": Policy("union"),
    "emails": Policy("union"),
}
"""Where the rule is not newest by default."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about disagreements. `trust`: systems, best first, for first contact; `order`:
    system → rank, the last word between equals; `opt_in_trust`: systems that may tell opt-ins."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    trust: tuple[int, ...] = ()
    order: Mapping[int, int] = field(default_factory=dict)
    opt_in_trust: frozenset[int] = frozenset()
    resubscribe: str = "leave"  # leave | propagate: whether other systems learn of an opt-in

    def of(self, group: str) -> Policy:
        return self.policies.get(group) or DEFAULTS.get(group) or NEWEST


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that could become the lead's. It was written in (lo, hi], microseconds UTC, 0 where unknown.
    `record` None: the lead's own value."""

    value: Canon
    system: int | None
    record: int | None
    lo: int = 0
    hi: int = 0
    writer: int = 0
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """`proven`: the order of events does not rest on an estimate."""

    candidate: Candidate
    rule: str
    proven: bool = True


Pick = Callable[[Sequence[Candidate], Policy, Rules], "Choice | None"]


def newest(candidates: Sequence[Candidate], policy: Policy, rules: Rules) -> Choice | None:
    """The one written last. Where it and another value may have been written in either order, that is an estimate."""
    best = latest(candidates, rules)
    proven = all(_are_apart(best, other) for other in candidates if other.value != best.value)
    if policy.ask_if_unproven and not proven:
        return None
    return Choice(best, "newest", proven)


def latest(candidates: Sequence[Candidate], rules: Rules) -> Candidate:
    """The one that was said last, as far as anybody can tell."""
    best = candidates[0]
    for other in candidates[1:]:
        if _later(other, best, rules):
            best = other
    return best


def _are_apart(a: Candidate, b: Candidate) -> bool:
    """Whether it is certain which of two was written first."""
    return 0 not in (a.hi, b.hi) and (a.lo >= b.hi or b.lo >= a.hi)


def _later(a: Candidate, b: Candidate, rules: Rules) -> bool:
    if a.hi != b.hi:
        return a.hi > b.hi
    return _place(a, rules) < _place(b, rules)


def _place(candidate: Candidate, rules: Rules) -> tuple[int, bool, int]:
    """The order between equals; the lead's own value comes after its record's."""
    return _rank(candidate, rules), candidate.record is None, candidate.record or 0


def _rank(candidate: Candidate, rules: Rules) -> int:
    return rules.order.get(candidate.system or 0, len(rules.order))


def owner(candidates: Sequence[Candidate], policy: Policy, rules: Rules) -> Choice | None:
    """The owner's value, by its primary record; without one of its own, the newest."""
    owned = [each for each in candidates if each.system in policy.systems and each.primary]
    if owned:
        found = newest(owned, Policy(), rules)
        return Choice(found.candidate, "owner", True) if found else None
    return newest(candidates, policy, rules)


def trust(candidates: Sequence[Candidate], policy: Policy, rules: Rules) -> Choice | None:
    """The most trusted system's value; between equals the newest."""
    best = min(_trust_rank(each, policy) for each in candidates)
    found = newest([each for each in candidates if _trust_rank(each, policy) == best], Policy(), rules)
    return Choice(found.candidate, "trust", True) if found else None


def _trust_rank(candidate: Candidate, policy: Policy) -> int:
    return policy.systems.index(candidate.system) if candidate.system in policy.systems else len(policy.systems)


def person_first(candidates: Sequence[Candidate], policy: Policy, rules: Rules) -> Choice | None:
    """What a person wrote before what a workflow, a form or an import wrote; between equals the newest."""
    by_person = [each for each in candidates if each.writer == Writer.PERSON]
    found = newest(by_person or candidates, policy, rules)
    return Choice(found.candidate, "person_first", found.proven) if found and by_person else found


def ask(candidates: Sequence[Candidate], policy: Policy, rules: Rules) -> Choice | None:
    """A person decides."""
    del candidates, policy, rules
    return None


PICKS: Mapping[str, Pick] = {
    "newest": newest,
    "owner": owner,
    "trust": trust,
    "person_first": person_first,
    "ask": ask,
}
"""The rules that choose between values; union and furthest make one of them."""


def union(current: Canon, edits: Sequence[tuple[Canon, Canon]], firsts: Sequence[Canon]) -> list[str]:
    """A set after several (before, after) edits: what any side added is in, what any side took away is out unless
    another added it."""
    items = set(_items(current))
    added: set[str] = set()
    removed: set[str] = set()
    for before, after in edits:
        added |= set(_items(after)) - set(_items(before))
        removed |= set(_items(before)) - set(_items(after))
    for value in firsts:
        added |= set(_items(value))
    return sorted((items | added) - (removed - added))


def _items(value: Canon) -> list[str]:
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class StageEdit:
    """A side's change of stage. `acknowledged`: its former value is one the lead had since the last recycling, so it
    knows of that; a copy that could not go back does not."""

    candidate: Candidate
    acknowledged: bool


def furthest(
    current: Canon, epoch: int, edits: Sequence[StageEdit], firsts: Sequence[Candidate]
) -> tuple[Canon, int, Candidate | None, str]:
    """(stage, epoch, who, rule). Going back is a decision of its own (recycling): it begins an epoch, in which a side
    that has not followed cannot lift the lead again. Only changes count; None is no information."""
    best: tuple[int, int] = (epoch, _stage_rank(current))
    winner: Candidate | None = None
    said = ""
    for edit in edits:
        rank = _stage_rank(edit.candidate.value)
        if edit.candidate.value is None:
            continue
        if not edit.acknowledged and epoch > 0:
            continue
        back = edit.acknowledged and rank < _stage_rank(current)
        place = (epoch + 1, rank) if back else (epoch, rank)
        if place > best:
            best, winner, said = place, edit.candidate, "recycled" if back else "furthest"
    if epoch == 0:
        for first in firsts:
            if first.value is not None and (best[0], _stage_rank(first.value)) > best:
                best, winner, said = (best[0], _stage_rank(first.value)), first, "furthest"
    return (winner.value, best[0], winner, said) if winner else (current, epoch, None, "")


def _stage_rank(value: Canon) -> int:
    return STAGES.get(value, 0) if isinstance(value, str) else 0
