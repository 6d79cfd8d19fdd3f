"""A budget keeps every window of a rate, and finds out when a spent day is over."""

from __future__ import annotations

from itertools import pairwise

import pytest

from connectors.base import Rate
from connectors.errors import Retry
from connectors.rates import ASK_AGAIN, Budget
from tests.worlds import ManualWorld


def taken(budget: Budget, world: ManualWorld, count: int, bucket: str = "all") -> list[float]:
    moments = []
    for _ in range(count):
        budget.take(bucket)
        moments.append(world.monotonic())
    return moments


@pytest.mark.parametrize(("requests", "seconds"), [(4, 1.0), (19, 1.0), (190, 10.0), (1, 5.0)])
def test_no_window_ever_holds_more_than_the_rate(requests: int, seconds: float) -> None:
    world = ManualWorld()
    moments = taken(Budget("crm", world, [Rate(requests, seconds)]), world, 3 * requests + 5)
    for first, last in zip(moments, moments[requests:], strict=False):
        assert last - first >= seconds * 0.999
    at_most = seconds * len(moments) / max(1.0, requests - max(1.0, requests * 0.1))
    assert moments[-1] - moments[0] <= at_most, "it waits no longer than it must"
    assert all(a <= b for a, b in pairwise(moments))


def test_a_bucket_has_its_own_rate_beside_the_common_one() -> None:
    world = ManualWorld()
    budget = Budget("crm", world, [Rate(1000, 1.0), Rate(2, 10.0, "search")])
    assert taken(budget, world, 20)[-1] == pytest.approx(world.monotonic(), abs=0.1)
    begun = world.monotonic()
    taken(budget, world, 3, "search")
    assert world.monotonic() - begun >= 10.0


def test_a_day_that_is_spent_stops_until_the_vendor_may_have_begun_another() -> None:
    world = ManualWorld()
    budget = Budget("crm", world, [Rate(100, 1.0)], daily_share=0.8)
    budget.told(79, 100)
    budget.take()
    budget.told(80, 100)
    with pytest.raises(Retry, match=r"80 of 100 requests of the day are used, our share is 80%") as refused:
        budget.take()
    assert (refused.value.code, refused.value.after) == ("SM310", ASK_AGAIN)
    world.sleep(ASK_AGAIN)
    budget.take()
    with pytest.raises(Retry):
        budget.take()  # one asks, not all
    budget.told(1, 100)
    budget.take()
    assert budget.day == (1, 100)
