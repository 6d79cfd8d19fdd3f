"""Families of records: one common ancestor, perturbed on every side, with everything that can have happened meanwhile."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from connectors.base import Fields, State, Value, Writer
from mappings.mapping import Groups
from sync.merge import side
from sync.model import ALL, TWIN, Known, Lead, Side, System
from sync.rules import Policy, Rules
from tests.sync.makers import can, known, mapping_of, system

NOW = 1_780_000_000_000_000
"""Later than every moment in a family."""
MOMENT = 600_000_000
"""Ten minutes: all that happens to a family happens within a day."""


def at(moment: int | None) -> int | None:
    """A moment between 0 and 100, in microseconds."""
    return None if moment is None else NOW - (100 - moment) * MOMENT


SYSTEMS: dict[int, System] = {
    1: system(1),
    2: system(2, mapping_of({"title": {"remote": "title", "length": 7}}), can(consent_on="address")),
    3: system(3, mapping_of({"street": None, "city": None, "tags": None, "a": {"remote": "a", "direction": "out"}})),
    4: system(4, mapping_of({"stage": None, "title": {"remote": "title", "direction": "in"}, "deliverability": None})),
}
"""One has every field; one keeps seven letters of a title; one shows less and one field only because we write it; one
takes no title."""

GROUPS: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "a": ("a",),
    "address": ("street", "city"),
    "tags": ("tags",),
    "stage": ("stage",),
    "email": ("email",),
    "consent.email": ("consent", "confirmed_at"),
}
"""Group → its native fields."""

CONFIRMED = [
    f"{datetime.datetime.fromtimestamp((at(moment) or 0) / 1e6, datetime.UTC).isoformat()[:19]}Z"
    for moment in (2, 9, 30, 70)
]
WORDS: dict[str, list[Value]] = {
    "title": ["Head of Sales", "Head of Marketing", "Head of", "Chief", "", None],
    "a": ["a1", "a2", "A1", None],
    "street": ["Storgata 1", "Torget 2", None],
    "city": ["Oslo", "Bergen", None],
    "tags": [["x"], ["x", "y"], ["z"], [], None],
    "stage": ["lead", "mql", "customer", None],
    "email": ["ann@example.com", "Ann@Example.com", "a.b@example.com", None],
}


@dataclass(slots=True)
class Family:
    lead: Lead
    sides: list[Side]
    how: Rules

    def __str__(self) -> str:
        told = [f"lead {self.lead.value}, since {self.lead.origin}", f"by {self.how}"]
        for each in self.sides:
            known = each.known
            told.append(
                f"record {known.id} of {known.system}: {known.state.name} role {known.role} now {known.now} base {known.base} "
                f"pending {known.pending} fresh {known.fresh} modified {known.modified} since {known.prev_modified} by {known.writer.name}"
            )
        return "\n".join(told)


def _one(group: str) -> st.SearchStrategy[Fields]:
    if group != "consent.email":
        return st.fixed_dictionaries({name: st.sampled_from(WORDS[name]) for name in GROUPS[group]})
    said = [*[("out", None)] * 5, ("in", None), (None, None), *(("in", moment) for moment in CONFIRMED)]
    return st.sampled_from([{"consent": word, "confirmed_at": at} for word, at in said])


NATIVE = {group: _one(group) for group in GROUPS}
DOING = st.tuples(st.booleans(), st.sampled_from(["stands", "stands", "edited", "pending"]))
SITE = st.tuples(
    st.sampled_from(sorted(SYSTEMS)),
    st.sampled_from([None, None, None, ALL, frozenset({"title", "consent.email"}), frozenset({"tags", "stage"})]),
    st.sampled_from([State.LIVE] * 5 + [State.DELETED, State.ARCHIVED]),
    st.sampled_from([0, 0, 0, TWIN]),
    st.sampled_from([(None, None), (5, 1), (8, None), (10, 7), (11, 10), (20, 1), (40, 30), (60, 7)]),
    st.sampled_from(Writer),
)
ORIGIN = st.tuples(st.integers(1, 4), st.sampled_from([3, 9, 10, 50]), st.sampled_from(Writer))
SHARES = st.integers(0, 3)


def rules() -> st.SearchStrategy[Rules]:
    """Any configuration of the rules."""
    order = st.permutations(sorted(SYSTEMS))
    policy = st.builds(
        lambda rule, systems, ask: Policy(rule, tuple(systems[: 1 if rule == "owner" else 2]), ask),
        st.sampled_from(["newest", "newest", "owner", "trust", "person_first", "ask"]),
        order,
        st.booleans(),
    )
    return st.builds(
        lambda policies, trust, rank, opt_in: Rules(
            policies, tuple(trust), {number: i for i, number in enumerate(rank)}, frozenset(opt_in)
        ),
        st.fixed_dictionaries({}, optional={"title": policy, "a": policy, "address": policy, "email": policy}),
        st.lists(st.sampled_from(sorted(SYSTEMS)), unique=True),
        order,
        st.sets(st.sampled_from(sorted(SYSTEMS)), min_size=1),
    )


RULES = rules()


def _record(draw: st.DrawFn, number: int, ancestor: Fields, lead: Groups, groups: tuple[str, ...]) -> Known:
    """One record: field by field it stands as it was, has followed the lead, was edited, or hides an edit."""
    there, fresh, state, role, (changed, earlier), writer = draw(SITE)
    mapping = SYSTEMS[there].mapping.objects["person"]
    now: Fields = {}
    base: Fields = {}
    pending: Fields = {}
    for group in groups:
        if group not in mapping.groups:
            continue
        names = GROUPS[group]
        followed, what = draw(DOING)
        before = {name: ancestor.get(name) for name in names}
        if followed:
            before.update(mapping.write(group, lead.get(group)))
            if group == "consent.email":
                before["confirmed_at"] = None
        now.update(before)
        if what == "stands":
            continue
        after = draw(NATIVE[group])
        differs = {name: before[name] for name in names if before[name] != after[name]}
        if what == "edited":
            now.update(after)
            base.update(differs)
        else:
            pending.update({name: after[name] for name in differs})
    if fresh is ALL:
        base, pending = {}, {}
    return known(
        number, there, now, base=base, pending=pending, fresh=fresh, state=state, role=role,
        modified=at(changed), prev_modified=at(earlier), writer=writer,
    )  # fmt: skip


@st.composite
def families(draw: st.DrawFn, least: int = 1, most: int = 4, groups: tuple[str, ...] = tuple(GROUPS)) -> Family:
    ancestor: Fields = {}
    value: Groups = {}
    origin: dict[str, Any] = {}
    whole = SYSTEMS[1].mapping.objects["person"]
    for group in groups:
        ancestor.update(draw(NATIVE[group]))
        value[group] = whole.read(draw(NATIVE[group]) if draw(SHARES) == 0 else ancestor)[group]
        record, moment, writer = draw(ORIGIN)
        origin[group] = [record, 0, at(moment), "newest", 1, True, int(writer)]
    lead = Lead(1, 1, dict(value), origin)
    count = draw(st.integers(least, most))
    known_ = [_record(draw, number, ancestor, value, groups) for number in range(1, count + 1)]
    return Family(lead, [side(each, SYSTEMS[each.system]) for each in known_], draw(RULES))


SAID = NATIVE["consent.email"]
NO: Fields = {"consent": "out", "confirmed_at": None}
ABOUT = st.tuples(
    st.sampled_from(sorted(SYSTEMS)),
    st.just(NO) | SAID,
    st.sampled_from([{"consent": "in", "confirmed_at": moment} for moment in CONFIRMED]) | SAID,
    st.sampled_from(["edited", "edited", "pending", "met"]),
    st.sampled_from([State.LIVE, State.LIVE, State.DELETED]),
    st.sampled_from([None, 1, 8, 40]),
)


@st.composite
def disputes(draw: st.DrawFn) -> Family:
    """Records that say different things of one person's consent, after somebody mostly had said no."""
    stands = SYSTEMS[1].mapping.objects["person"].read(draw(st.just(NO) | SAID))
    one = Lead(1, 1, stands, {"consent.email": [9, 0, at(draw(st.sampled_from([1, 5, 20]))), "newest", 1, True, 0]})
    sides = []
    for number, (there, before, after, how, state, moment) in enumerate(
        draw(st.lists(ABOUT, min_size=1, max_size=3)), 1
    ):
        differs = {name: value for name, value in before.items() if after[name] != value}
        record = known(number, there, {**before}, state=state, modified=at(moment))
        if how == "pending":
            record.pending = {name: after[name] for name in differs}
        else:
            record.now, record.base = {**after}, differs if how == "edited" else {}
            record.fresh = ALL if how == "met" else None
        sides.append(side(record, SYSTEMS[there]))
    return Family(one, sides, draw(RULES))
