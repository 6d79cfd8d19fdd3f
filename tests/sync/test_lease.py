"""One holder at a time: whoever lost a lease writes nothing more. On both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.lease import TTL, LeaseHeld, LeaseLost, hold, take
from sync.store import feeds
from sync.store.db import Store
from tests.worlds import ManualWorld

SECONDS = TTL / 1_000_000


class Process(ManualWorld):
    """The world of one process among several; `living` are those that have not died."""

    def __init__(self, name: str, living: set[str]) -> None:
        super().__init__()
        self.name, self.living = f"host:{name}", living
        living.add(self.name)

    def owner(self) -> str:
        return self.name

    def alive(self, owner: str) -> bool:
        return owner in self.living


Opening = Callable[[ManualWorld], Store]


def test_what_one_process_holds_another_cannot(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    take(one, "decide")
    with pytest.raises(LeaseHeld, match=r"another smarketing process \(host\) is at work$") as caught:
        take(two, "decide")
    assert (caught.value.owner, caught.value.until) == ("host:1", one.world.now() + TTL)
    take(two, "system crm")


def test_a_lease_is_free_again_once_its_holder_lets_go_also_after_an_error(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    with pytest.raises(ZeroDivisionError), hold(one, "decide"):
        raise ZeroDivisionError
    with hold(two, "decide"):
        pass


def test_a_lease_whose_owner_is_dead_is_taken_over_at_once(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    take(one, "decide")
    living.remove("host:1")
    take(two, "decide")


def test_a_lease_ends_when_its_holder_gives_no_sign(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    take(one, "decide")
    two.world.sleep(SECONDS - 1)
    with pytest.raises(LeaseHeld):
        take(two, "decide")
    two.world.sleep(2)
    take(two, "decide")


def test_a_holder_that_gives_signs_keeps_it(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    lease = take(one, "decide")
    for _ in range(4):
        one.world.sleep(SECONDS * 0.6)
        two.world.sleep(SECONDS * 0.6)
        with one.tx() as tx:
            lease.check(tx)
        with pytest.raises(LeaseHeld):
            take(two, "decide")


@pytest.mark.parametrize("slept", [0.0, SECONDS * 0.9, SECONDS * 3])
def test_whoever_lost_a_lease_writes_nothing_more(another: Opening, slept: float) -> None:
    """A process that slept too long, and wakes in the middle of its work."""
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    lease = take(one, "system crm")
    living.remove("host:1")
    taken = take(two, "system crm")
    one.world.sleep(slept)

    def write() -> None:
        with one.tx() as tx:
            feeds.enrol(tx, "written too late", "memory")
            lease.check(tx)

    with pytest.raises(LeaseLost):
        write()
    with two.tx() as tx:
        taken.check(tx)
        assert feeds.systems(tx) == []


def test_letting_go_of_a_lost_lease_takes_nothing_from_its_new_holder(another: Opening) -> None:
    living: set[str] = set()
    one, two = another(Process("1", living)), another(Process("2", living))
    with hold(one, "decide"):
        living.remove("host:1")
        taken = take(two, "decide")
    with two.tx() as tx:
        taken.check(tx)


def test_numbers_of_readings_only_grow_over_all_holders(another: Opening) -> None:
    living: set[str] = set()
    numbers = []
    for name in ("1", "2", "3"):
        store = another(Process(name, living))
        with hold(store, "system crm") as lease:
            numbers += [lease.seq(), lease.seq()]
    assert numbers == sorted(set(numbers))
