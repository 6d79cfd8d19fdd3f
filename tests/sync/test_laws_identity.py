"""Laws of identity: order plays no part, and people who contradict each other are never joined."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from sync.identity import Claim, Name, Resolved, compatible, resolve
from tests.sync.reached import Reached

NAMES = [
    Name(),
    Name("Ann", "Berg"),
    Name("A.", "Berg"),
    Name("Ann", None),
    Name("Ola", "Dahl"),
    Name("Ola", "Berg"),
    Name("Kari", "Moe"),
]
KEYS = ["ann@example.com", "ola@example.com", "kari@example.com", "info@example.com"]
ADDRESSES = st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple)


NEW = st.tuples(st.sampled_from([1, 2]), st.sampled_from(NAMES), st.integers(0, 5), st.integers(0, 17), ADDRESSES)
LEADS = st.lists(st.tuples(st.sampled_from(NAMES), ADDRESSES), max_size=3)
PAIRS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=2)
SITUATIONS = st.tuples(st.lists(NEW, min_size=1, max_size=6), LEADS, PAIRS, st.sets(st.sampled_from(KEYS), max_size=1))


def situation_of(drawn: Any) -> dict[str, Any]:
    """New records, the leads there are, what is known as shared and what a person kept apart."""
    records, leads, pairs, shared = drawn
    owners: dict[str, list[Claim]] = {}
    members: dict[int, list[int]] = {}
    for number, (name, keys) in enumerate(leads, 101):
        members[number] = [number + 100]
        for key in keys:
            owners.setdefault(key, []).extend((Claim(0, 0, number, name), Claim(number + 100, 1, number, name)))
    new = [
        Claim(number, system, None, name, dead == 0, 101 + refers if refers < len(leads) else None, keys)
        for number, (system, name, dead, refers, keys) in enumerate(records, 1)
    ]
    everybody = [*range(1, len(new) + 1), *range(201, 201 + len(leads))]
    chosen = [sorted((everybody[a % len(everybody)], everybody[b % len(everybody)])) for a, b in pairs]
    apart = frozenset((a, b) for a, b in chosen if a != b)
    return {"new": new, "owners": owners, "shared": frozenset(shared), "apart": apart, "members": members}


def situations() -> st.SearchStrategy[dict[str, Any]]:
    return SITUATIONS.map(situation_of)


def placed(out: Resolved) -> dict[int, object]:
    found: dict[int, object] = {record: ("lead", lead) for record, lead in out.link.items()}
    found |= {record: ("new", tuple(sorted(cluster))) for cluster in out.made for record in cluster}
    return found | {record: ("ask", tuple(leads)) for record, leads in out.ask.items()}


def test_the_order_of_arrival_plays_no_part() -> None:
    reached = Reached(linked=30, made=100, asked=20, shared=70)

    @given(situations(), st.randoms(use_true_random=False))
    def law(situation: dict[str, Any], random: Any) -> None:
        note(str(situation))
        results = []
        for _ in range(3):
            new = list(situation["new"])
            random.shuffle(new)
            owners = {key: random.sample(some, len(some)) for key, some in situation["owners"].items()}
            out = resolve(new, owners, situation["shared"], situation["apart"], situation["members"])
            results.append((placed(out), out.shared, out.same))
        assert results[0] == results[1] == results[2]
        reached.met("linked", any(where[0] == "lead" for where in results[0][0].values()))  # type: ignore[index]
        reached.met("made", any(where[0] == "new" for where in results[0][0].values()))  # type: ignore[index]
        reached.met("asked", any(where[0] == "ask" for where in results[0][0].values()))  # type: ignore[index]
        reached.met("shared", bool(results[0][1]))

    law()
    reached.enough()


def test_people_who_contradict_each_other_or_were_kept_apart_are_never_joined() -> None:
    reached = Reached(joined=30, linked=30, kept_apart=50, contradicting=70)

    @given(situations())
    def law(situation: dict[str, Any]) -> None:
        note(str(situation))
        new = {each.record: each for each in situation["new"]}
        out = resolve(**situation)
        lives: dict[object, list[Claim]] = {}
        for record, lead in out.link.items():
            lives.setdefault(lead, []).append(new[record])
        for cluster in out.made:
            lives[tuple(cluster)] = [new[record] for record in cluster]
        for somebody, records in lives.items():
            theirs = {each.name for some in situation["owners"].values() for each in some if each.lead == somebody}
            by_key = [each for each in records if each.reference is None]
            if not any(each.reference is not None for each in records):
                for a, b in itertools.combinations([*(each.name for each in by_key), *theirs], 2):
                    assert compatible(a, b) or {a, b} <= theirs
                for a, b in itertools.combinations(sorted(each.record for each in records), 2):
                    assert (a, b) not in situation["apart"]
            if isinstance(somebody, int):
                for each in by_key:
                    for member in situation["members"][somebody]:
                        assert (each.record, member) not in situation["apart"] or any(r.reference for r in records)
            reached.met("joined", len(records) > 1)
            reached.met("linked", isinstance(somebody, int))
        reached.met("kept_apart", bool(situation["apart"]))
        held = [each for some in situation["owners"].values() for each in some]
        reached.met(
            "contradicting",
            any(not compatible(a.name, b.name) for a, b in itertools.combinations([*new.values(), *held], 2)),
        )

    law()
    reached.enough()


def test_everybody_is_placed_exactly_once_or_asked_about_or_was_gone_already() -> None:
    reached = Reached(gone=20)

    @given(situations())
    def law(situation: dict[str, Any]) -> None:
        out = resolve(**situation)
        told = [*out.link, *(record for cluster in out.made for record in cluster), *out.ask]
        assert len(told) == len(set(told))
        left = {each.record for each in situation["new"]} - set(told)
        assert all(each.dead for each in situation["new"] if each.record in left)
        reached.met("gone", len(left))

    law()
    reached.enough()


def test_without_a_name_that_agrees_a_role_address_joins_nobody() -> None:
    reached = Reached(joined=20, alone=50)

    @given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5))
    def law(names: list[Name]) -> None:
        claims = [
            Claim(number, 1, None, name, False, None, ("info@example.com",)) for number, name in enumerate(names, 1)
        ]
        out = resolve(claims, {})
        for cluster in out.made:
            some = [names[record - 1] for record in cluster]
            assert len(cluster) == 1 or not any(each.blank for each in some)
            reached.met("joined", len(cluster) > 1)
            reached.met("alone", len(cluster) == 1)

    law()
    reached.enough()
