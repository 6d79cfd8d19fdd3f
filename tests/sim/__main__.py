"""Play lives of an installation, with people, faults and crashes in them, and say which are red and why."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial

from tests.silence import silence
from tests.sim.mutants import MUTANTS, WIDER
from tests.sim.seeds import Outcome, play, replay


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=positive, default=100, metavar="N", help="how many to play [100]")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="the first of them [0]")
    parser.add_argument("--seed", type=int, default=None, metavar="K", help="play one, and tell everything of it")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, metavar="N", help="so many side by side")
    mutants = [each.name for each in (*MUTANTS, *WIDER)]
    parser.add_argument("--mutant", default="", choices=["", *mutants], help="with one rule of the engine switched off")
    options = parser.parse_args()
    if options.seed is not None:
        outcome = quietly(options.mutant, options.seed)
        print("\n".join(outcome.notes) or "green")
        return report([outcome])
    seeds = range(options.first, options.first + options.seeds)
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        return report(pool.map(partial(quietly, options.mutant), seeds, chunksize=4))


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1")
    return number


def quietly(mutant: str, seed: int) -> Outcome:
    with silence():
        return play(seed, mutant)


def report(outcomes: Iterable[Outcome]) -> int:
    """Say what came of the seeds as they end; 1 when one is red."""
    marks: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    seeds = red = operations = values = 0
    begun = time.monotonic()
    for outcome in outcomes:
        seeds += 1
        marks += outcome.marks
        counts += outcome.counts
        operations += outcome.operations
        values += outcome.values
        if outcome.red:
            red += 1
            kinds.update(outcome.faults.keys())
            print(f"red: {replay(outcome.seed)}  {dict(outcome.faults)}", flush=True)
    print(f"{seeds} seeds, {red} red, {operations} operations, {values} values, {time.monotonic() - begun:.1f} s")
    if seeds >= 100 and not red:
        print(f"by the rule of three at most {300 / seeds:.2g} % of all lives are red, with 95 % confidence")
    for told in (kinds, marks, counts):
        print(", ".join(f"{name} {n}" for name, n in told.most_common()))
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
