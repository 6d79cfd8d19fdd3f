"""How much is too much."""

from __future__ import annotations

import pytest

from sync.guard import Limit, Limits, outbound


@pytest.mark.parametrize(
    ("limit", "size", "allowed"),
    [
        (Limit(20, 0.05), 0, 20),
        (Limit(20, 0.05), 400, 20),
        (Limit(20, 0.05), 401, 20),
        (Limit(20, 0.05), 420, 21),
        (Limit(20, 0.05), 100_000, 5_000),
        (Limit(0, 0.0), 100_000, 0),
        (Limit(10, 1.0), 50, 50),
    ],
)
def test_a_limit_is_a_share_of_the_records_but_never_less_than_its_floor(limit: Limit, size: int, allowed: int) -> None:
    assert limit.of(size) == allowed


@pytest.mark.parametrize(
    ("kind", "done", "wanted", "size", "refused"),
    [
        ("update", 0, 50, 100, False),
        ("update", 0, 51, 100, True),
        ("update", 50, 1, 100, True),
        ("update", 50, 0, 100, False),
        ("update", 0, 20_000, 100_000, False),
        ("update", 0, 20_001, 100_000, True),
        ("update", 19_000, 1_001, 100_000, True),
        ("create", 0, 100, 0, False),
        ("create", 0, 101, 0, True),
        ("archive", 0, 10, 100, False),
        ("archive", 9, 2, 100, True),
    ],
)
def test_what_was_done_within_the_day_counts_along(kind: str, done: int, wanted: int, size: int, refused: bool) -> None:
    assert (outbound("hubspot", kind, done, wanted, size, Limits()) is not None) is refused


def test_a_refusal_names_the_figure_the_limit_and_the_counts() -> None:
    refusal = outbound("list", "archive", 12, 400, 1_000, Limits())
    assert str(refusal) == "412 of 1,000 list records would be archived in a day (41%, limit 50)"


def test_a_refusal_of_a_system_without_records_has_no_share() -> None:
    assert str(outbound("list", "create", 0, 101, 0, Limits())) == (
        "101 of 0 list records would be created in a day (limit 100)"
    )


def test_every_kind_of_operation_has_its_own_limit() -> None:
    limits = Limits(update=Limit(1, 0), create=Limit(2, 0), archive=Limit(3, 0))
    assert [limits.outbound(kind).of(0) for kind in ("update", "create", "archive")] == [1, 2, 3]
