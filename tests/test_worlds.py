"""The tests' own World keeps the rules of a World."""

from __future__ import annotations

import pytest

from connectors.world import MICROSECONDS
from tests.worlds import START, ManualWorld


def test_time_passes_only_while_somebody_sleeps_and_a_jump_is_not_passing() -> None:
    world = ManualWorld()
    assert (world.now(), world.monotonic()) == (START, 0.0)
    world.sleep(1.5)
    world.jump(-60.0)
    assert (world.now(), world.monotonic()) == (START + 1_500_000 - 60 * MICROSECONDS, 1.5)


def test_the_same_seed_gives_the_same_numbers() -> None:
    numbers = [[ManualWorld(seed).random() for _ in range(3)] for seed in (1, 1, 2)]
    assert numbers[0] == numbers[1] != numbers[2]


def test_no_boundary_lies_inside_a_transaction() -> None:
    world = ManualWorld()
    with world.transaction():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            world.pause("request")
        with pytest.raises(RuntimeError, match="inside a transaction"):
            world.sleep(1.0)
    world.pause("request")
    assert (world.pauses, world.monotonic()) == (["request"], 0.0)


def test_a_unit_runs_at_once_and_whoever_joins_it_gets_its_error() -> None:
    ran: list[str] = []
    world = ManualWorld()
    world.spawn("good", lambda: ran.append("good")).join()
    task = world.spawn("bad", lambda: ran.remove("bad"))
    assert ran == ["good"]
    with pytest.raises(ValueError, match="not in list"):
        task.join()
