"""Which records are one person, as tables."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence

import pytest

from sync.identity import CROWD, Claim, Name, Resolved, agree, compatible, fold, is_role, resolve

ANN = Name("Ann", "Berg")
OLA = Name("Ola", "Dahl")
KARI = Name("Kari", "Moe")
NOBODY = Name()


def new(
    record: int, name: Name, *keys: str, system: int = 1, dead: bool = False, reference: int | None = None
) -> Claim:
    return Claim(record, system, None, name, dead, reference, keys)


def owns(lead: int, name: Name, record: int = 0) -> Claim:
    """A lead that holds an address, or one of its records."""
    return Claim(record, 1, lead, name)


def partition(out: Resolved) -> dict[int, object]:
    """Record → whose it is: a lead that exists, or the other records of its new lead, or who it may be."""
    found: dict[int, object] = {record: ("lead", lead) for record, lead in out.link.items()}
    found |= {record: ("new", tuple(cluster)) for cluster in out.made for record in cluster}
    return found | {record: ("ask", tuple(leads)) for record, leads in out.ask.items()}


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Name("Ann", "Berg"), Name("ANN", "berg")),
        (Name("Ann", "Berg"), Name("A.", "Berg")),
        (Name("Ann", "Berg"), Name("Ann Kristin", "Berg")),
        (Name("Ann-Kristin", "Berg"), Name("Kristin", "Berg")),
        (Name("Ann", "Berg"), Name("Ann", "Berg Dahl")),
        (Name("Åse", "Ødegård"), Name("Aase", "Oedegaard")),
        (Name("Bjørn", "Sæther"), Name("Bjoern", "Saether")),
        (Name("Þórður", "Jónsson"), Name("Thordur", "Jonsson")),
        (Name("Jörg", "Weiß"), Name("Joerg", "Weiss")),
        (Name("Kristian", "Berg"), Name("Kristina", "Berg")),
        (Name("Katrine", "Berg"), Name("Kathrine", "Berg")),
        (Name("Alexander", "Berg"), Name("Alex", "Berg")),
        (Name("Ann", "O'Hara"), Name("Ann", "OHara")),
        (Name("Ann", None), Name("Ann", "Berg")),
        (Name(None, "Berg"), Name("Ann", "Berg")),
        (Name(), Name("Ann", "Berg")),
    ],
)  # fmt: skip
def test_names_that_may_be_one_persons(a: Name, b: Name) -> None:
    assert compatible(a, b)
    assert compatible(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Name("Ann", "Berg"), Name("Ola", "Berg")),
        (Name("Ann", "Berg"), Name("Ann", "Dahl")),
        (Name("Ann", "Berg"), Name("O.", "Berg")),
        (Name("Ann", "Berg"), Name("Anne", "Dahl")),
        (Name("Per", "Moe"), Name("Pål", "Moe")),
        (Name("Kari", "B."), Name("Kari", "Berg")),
        (Name("Liv", "Lie"), Name("Siv", "Lie")),
    ],
)
def test_names_that_contradict_each_other(a: Name, b: Name) -> None:
    assert not compatible(a, b)
    assert not compatible(b, a)


def test_agreeing_takes_more_than_not_contradicting() -> None:
    assert agree(ANN, Name("Ann", None))
    assert not agree(ANN, NOBODY)
    assert not agree(Name("Ann", None), Name(None, "Berg")), "neither says what the other says"


def test_folding_makes_spellings_of_one_name_equal() -> None:
    assert fold("ÆØÅ") == fold("AeOeAa") == "aeoeaa"


@pytest.mark.parametrize("address", ["info@example.com", "post+oslo@example.com", "kontakt@example.com"])
def test_addresses_of_roles(address: str) -> None:
    assert is_role(address)


@pytest.mark.parametrize("address", ["information@example.com", "ann.info@example.com", "p@example.com"])
def test_addresses_of_people(address: str) -> None:
    assert not is_role(address)


# --- placing -----------------------------------------------------------------------------------------------------


def test_two_new_records_of_one_address_and_name_are_one_new_lead() -> None:
    out = resolve([new(1, ANN, "ann@example.com"), new(2, ANN, "ann@example.com", system=2)], {})
    assert (out.made, out.link, out.ask) == ([[1, 2]], {}, {})


def test_a_new_record_joins_the_one_lead_that_holds_its_address() -> None:
    out = resolve([new(1, ANN, "ann@example.com")], {"ann@example.com": [owns(5, Name("A.", "Berg"))]})
    assert (out.link, out.made) == ({1: 5}, [])


def test_a_nameless_record_joins_the_holder_of_a_personal_address() -> None:
    out = resolve([new(1, NOBODY, "ann@example.com")], {"ann@example.com": [owns(5, ANN)]})
    assert out.link == {1: 5}


def test_without_an_address_every_record_is_somebody_of_its_own() -> None:
    out = resolve([new(1, ANN), new(2, ANN)], {})
    assert out.made == [[1], [2]]


def test_three_who_share_info_are_three_people_and_the_address_is_shared() -> None:
    key = "info@example.com"
    out = resolve([new(1, ANN, key), new(2, OLA, key), new(3, KARI, key, system=2), new(4, OLA, key, system=2)], {})
    assert sorted(out.made) == [[1], [2, 4], [3]]
    assert out.shared == {key}


@pytest.mark.parametrize("key", ["info@example.com", "shared@example.com"])
def test_a_nameless_record_of_an_address_that_several_hold_waits_for_a_person(key: str) -> None:
    out = resolve([new(3, NOBODY, key)], {key: [owns(1, ANN), owns(2, OLA)]}, frozenset())
    assert (out.ask, out.made, out.link) == ({3: [1, 2]}, [], {})


def test_a_nameless_record_of_a_role_address_does_not_join_its_only_holder() -> None:
    out = resolve([new(3, NOBODY, "post@example.com")], {"post@example.com": [owns(1, ANN)]})
    assert (out.ask, out.link) == ({3: [1]}, {})


def test_a_role_address_joins_where_names_say_the_same() -> None:
    out = resolve([new(3, ANN, "post@example.com")], {"post@example.com": [owns(1, ANN), owns(2, OLA)]})
    assert out.link == {3: 1}


def test_a_role_address_with_another_name_is_another_person() -> None:
    out = resolve([new(3, KARI, "post@example.com")], {"post@example.com": [owns(1, ANN)]})
    assert (out.made, out.shared) == ([[3]], {"post@example.com"})


def test_an_address_known_as_shared_needs_a_name_that_agrees_though_one_holder_is_left() -> None:
    key = "kari@example.com"
    out = resolve([new(3, NOBODY, key)], {key: [owns(1, KARI)]}, frozenset({key}))
    assert (out.ask, out.link) == ({3: [1]}, {})


def test_a_record_that_contradicts_the_holder_of_its_address_never_joins_it() -> None:
    out = resolve([new(3, OLA, "ann@example.com")], {"ann@example.com": [owns(1, ANN)]})
    assert (out.made, out.link, out.shared) == ([[3]], {}, {"ann@example.com"})


def test_a_second_record_of_the_same_system_with_another_name_makes_the_address_shared() -> None:
    key = "ann@example.com"
    out = resolve([new(3, ANN, key), new(4, OLA, key)], {key: [owns(1, ANN)]})
    assert (out.link, out.made, out.shared) == ({3: 1}, [[4]], {key})


def test_two_leads_that_hold_one_address_and_agree_in_name_are_a_question() -> None:
    key = "ann@example.com"
    out = resolve([new(3, ANN, key)], {key: [owns(1, ANN), owns(2, ANN)]})
    assert (out.ask, out.link) == ({3: [1, 2]}, {})


def test_two_addresses_that_lead_to_two_people_are_a_question() -> None:
    owners = {"a@example.com": [owns(1, ANN)], "b@example.com": [owns(2, ANN)]}
    out = resolve([new(3, ANN, "a@example.com", "b@example.com")], owners)
    assert (out.ask, out.same) == ({3: [1, 2]}, {(1, 2)})


def test_people_who_swapped_addresses_keep_their_own_leads_when_seen_anew() -> None:
    owners = {"a@example.com": [owns(1, ANN)], "b@example.com": [owns(2, OLA)]}
    out = resolve([new(3, OLA, "a@example.com"), new(4, ANN, "b@example.com")], owners)
    assert (out.link, sorted(out.made)) == ({}, [[3], [4]])
    assert out.shared == {"a@example.com", "b@example.com"}


def test_a_nameless_record_does_not_bridge_two_people() -> None:
    a, b = "a@example.com", "b@example.com"
    out = resolve([new(1, ANN, a), new(2, NOBODY, a, b), new(3, OLA, b)], {})
    assert sorted(out.made) == [[1], [2], [3]]


def test_a_nameless_record_between_does_not_carry_a_stranger_to_a_lead() -> None:
    """The record in between fits the lead, and the stranger fits the record in between."""
    a, b = "a@example.com", "b@example.com"
    out = resolve([new(2, NOBODY, a, b), new(3, OLA, b)], {a: [owns(1, ANN)]})
    assert 3 not in out.link
    assert set(out.ask) == {2, 3}


def test_two_strangers_do_not_both_join_a_nameless_lead() -> None:
    a, b = "a@example.com", "b@example.com"
    out = resolve([new(2, ANN, a), new(3, OLA, b)], {a: [owns(1, NOBODY)], b: [owns(1, NOBODY)]})
    assert out.link == {}
    assert out.ask == {2: [1], 3: [1]}


def test_namesakes_of_two_addresses_both_join_a_nameless_lead() -> None:
    a, b = "a@example.com", "b@example.com"
    out = resolve([new(2, ANN, a), new(3, Name("A.", "Berg"), b)], {a: [owns(1, NOBODY)], b: [owns(1, NOBODY)]})
    assert out.link == {2: 1, 3: 1}


# --- what a person said, and references --------------------------------------------------------------------------


def test_records_that_a_person_kept_apart_stay_apart_with_one_address_and_name() -> None:
    key = "ann@example.com"
    out = resolve([new(1, ANN, key), new(2, ANN, key)], {}, apart=frozenset({(1, 2)}))
    assert sorted(out.made) == [[1], [2]]


def test_a_record_kept_apart_from_a_member_does_not_join_its_lead() -> None:
    key = "ann@example.com"
    owners = {key: [owns(7, ANN), owns(7, ANN, record=4)]}
    out = resolve([new(9, ANN, key)], owners, apart=frozenset({(4, 9)}), members={7: [4]})
    assert (out.link, out.made) == ({}, [[9]])


def test_a_third_record_does_not_join_two_who_are_kept_apart() -> None:
    key = "ann@example.com"
    out = resolve([new(1, ANN, key), new(2, ANN, key), new(3, ANN, key)], {}, apart=frozenset({(1, 2)}))
    assert all(not {1, 2} <= set(cluster) for cluster in out.made)
    assert {record for cluster in out.made for record in cluster} | set(out.ask) == {1, 2, 3}


def test_a_reference_beats_the_address() -> None:
    key = "ann@example.com"
    out = resolve([new(3, ANN, key, reference=9)], {key: [owns(1, ANN)]})
    assert (out.link, out.same) == ({3: 9}, {(1, 9)})


def test_a_reference_beats_the_name_too() -> None:
    out = resolve([new(3, OLA, reference=9)], {})
    assert out.link == {3: 9}


# --- what is gone ------------------------------------------------------------------------------------------------


def test_a_deleted_record_makes_no_lead_by_itself() -> None:
    out = resolve([new(1, ANN, "ann@example.com", dead=True)], {})
    assert (out.made, out.link, out.ask) == ([], {}, {})


def test_a_deleted_record_joins_the_lead_it_belonged_to() -> None:
    out = resolve([new(1, ANN, "ann@example.com", dead=True)], {"ann@example.com": [owns(5, ANN)]})
    assert out.link == {1: 5}


def test_a_deleted_record_goes_along_with_a_living_one() -> None:
    out = resolve([new(1, ANN, "ann@example.com", dead=True), new(2, ANN, "ann@example.com")], {})
    assert out.made == [[1, 2]]


# --- crowds and order --------------------------------------------------------------------------------------------


def test_a_crowd_on_one_address_is_placed_without_comparing_everybody() -> None:
    key = "post@example.com"
    people = [new(i, Name("Ann", f"Family{i:04}"), key) for i in range(1, 3 * CROWD)]
    again = [new(1000 + i, each.name, key, system=2) for i, each in enumerate(people)]
    out = resolve([*people, *again], {})
    assert out.shared == {key}
    assert sorted(map(sorted, out.made)) == sorted([[a.record, b.record] for a, b in zip(people, again, strict=True)])


@pytest.mark.parametrize(
    ("claims", "owners"),
    [
        ([new(1, ANN, "x@example.com"), new(2, OLA, "x@example.com"), new(3, NOBODY, "x@example.com")], {}),
        ([new(1, ANN, "a@example.com", "b@example.com"), new(2, NOBODY, "b@example.com"), new(3, ANN, "c@example.com"), new(4, ANN, "c@example.com", "b@example.com")], {}),
        ([new(1, NOBODY, "x@example.com"), new(2, ANN, "x@example.com"), new(3, Name("A", "Berg"), "x@example.com")], {"x@example.com": [owns(9, Name("Ann", None))]}),
        ([new(1, ANN, "x@example.com"), new(2, NOBODY, "x@example.com", "y@example.com"), new(3, OLA, "y@example.com")], {"y@example.com": [owns(9, OLA)]}),
    ],
)  # fmt: skip
def test_every_order_of_arrival_gives_the_same_people(
    claims: Sequence[Claim], owners: Mapping[str, Sequence[Claim]]
) -> None:
    results = [partition(resolve(order, owners)) for order in itertools.permutations(claims)]
    assert all(each == results[0] for each in results)


def test_shuffling_a_crowd_changes_nothing() -> None:
    key = "post@example.com"
    claims = [new(i, Name("Ann", f"Family{i % 70:04}"), key) for i in range(1, 201)]
    first = partition(resolve(claims, {}))
    shuffled = list(claims)
    random.Random(1).shuffle(shuffled)
    assert partition(resolve(shuffled, {})) == first
