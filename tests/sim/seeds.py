"""Run seeds and say what came of them."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field

from tests.sim.marks import watching
from tests.sim.mutants import MUTANTS, WIDER
from tests.sim.oracle import Oracle
from tests.sim.play import Play


@dataclass(slots=True)
class Outcome:
    """What a seed led to. `faults` empty: green."""

    seed: int
    faults: Counter[str]
    notes: list[str]
    marks: Counter[str]
    counts: Counter[str] = field(default_factory=Counter)
    operations: int = 0
    values: int = 0
    steps: int = 0
    trace: str = ""

    @property
    def red(self) -> bool:
        return bool(self.faults)


def play(seed: int, mutant: str = "") -> Outcome:
    """One whole life. Every second seed has an owner rule. `mutant`: with one rule switched off."""
    game = Play(seed, "owner" if seed % 2 else "newest")
    broken = next((each.on() for each in (*MUTANTS, *WIDER) if each.name == mutant), nullcontext())
    try:
        with broken, watching(game.marks, game.truth, lambda: game.hub.passed):
            game.run()
            oracle = Oracle(game)
            faults = +oracle.judge()
        return Outcome(
            seed,
            faults,
            oracle.notes,
            game.marks,
            oracle.counts,
            game.operations,
            game.truth.count,
            game.hub.steps,
            game.hub.trace(),
        )
    finally:
        game.hub.bury()


def replay(seed: int, mutant: str = "") -> str:
    """The one line that plays a seed again."""
    return f"python -m tests.sim --seed {seed}" + (f" --mutant {mutant}" if mutant else "")
