"""The promises, in simulated lives: half of the seeds are always the same, half are drawn afresh and printed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from connectors.base import State
from tests.sim.__main__ import quietly
from tests.sim.marks import LEAST
from tests.sim.mutants import MUTANTS, WIDER, Mutant
from tests.sim.oracle import Oracle
from tests.sim.play import Play
from tests.sim.seeds import Outcome, replay

FIXED = range(50)
FRESH = 50


def drawn() -> list[int]:
    """Seeds that nobody has tried; `SMARKETING_SEEDS` names where they begin, to repeat a run."""
    begin = int(os.environ.get("SMARKETING_SEEDS") or random.SystemRandom().randrange(10**6, 10**9))
    return list(range(begin, begin + FRESH))


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    seeds = [*FIXED, *drawn()]
    print(f"\nfresh seeds {seeds[len(FIXED)]} to {seeds[-1]}")
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_play, seeds, chunksize=5))


def _play(seed: int) -> Outcome:
    return quietly("", seed)


def test_no_life_ends_with_a_broken_promise(outcomes: list[Outcome]) -> None:
    red = [f"{replay(each.seed)}  {dict(each.faults)}\n  " + "\n  ".join(each.notes) for each in outcomes if each.red]
    assert not red, "\n".join(red)


def test_the_lives_were_dangerous(outcomes: list[Outcome]) -> None:
    """A run that met a danger too seldom proves nothing."""
    met: Counter[str] = Counter()
    for each in outcomes:
        met.update(each.marks)
    seldom = {name: (met[name], least) for name, least in LEAST.items() if met[name] < least}
    assert not seldom, f"met too seldom (met, least): {seldom}; fresh seeds began at {outcomes[len(FIXED)].seed}"


def test_a_value_that_was_spoilt_silently_at_the_end_is_found() -> None:
    """The independent reader is asked as well, and it can tell."""
    game = Play(3)
    try:
        game.run()
        spoilt = next(each for each in game.vendors[2].records() if each.state is State.LIVE)
        game.vendors[2].corrupt(spoilt.ref, {"city": "spoilt"})
        assert +Oracle(game).judge() == Counter({"systems disagree": 1, "unexplained": 1})
    finally:
        game.hub.bury()


QUICK = ("raises-consent", "tells-no-withdrawal", "never-recovers", "edits-under-ours", "no-adoption", "hints-lost")
"""Of the wider ones, those that the first lives find; `make mutants` hunts them all."""


@pytest.mark.parametrize(
    "mutant", [*MUTANTS, *(each for each in WIDER if each.name in QUICK)], ids=lambda each: each.name
)
def test_an_engine_without_one_rule_is_found(mutant: Mutant) -> None:
    for seed in range(1, mutant.within + 1):
        if quietly(mutant.name, seed).red:
            return
    pytest.fail(f"{mutant.rule!r} was switched off, and {mutant.within} seeds did not notice")


@pytest.mark.parametrize("seed", [2, 7])
def test_a_seed_leaves_one_trace_whatever_the_order_of_hashes(seed: int) -> None:
    def trace(hash_seed: str) -> str:
        code = f"from tests.sim.__main__ import quietly; print(quietly('', {seed}).trace)"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ended = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        return ended.stdout.strip()

    first = trace("1")
    assert len(first) == 64
    assert trace("2") == first
