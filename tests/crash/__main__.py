"""Kill a real process of the program again and again, and say whether anything was lost or made twice."""

from __future__ import annotations

import argparse
import sys

from tests.crash.driver import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="how often [20]")
    parser.add_argument("--seed", type=int, default=1, metavar="K", help="what people do, and when it is killed [1]")
    options = parser.parse_args()
    outcome = play(options.seed, options.kills)
    for note in outcome.notes:
        print(note)
    least = options.kills // 4
    if outcome.between < least:
        print(f"only {outcome.between} of the kills came between claim and settle; at least {least} must")
    print(
        f"{outcome.kills} kills in {outcome.runs} runs, {outcome.between} between claim and settle, "
        f"{outcome.values} values made by people, {outcome.seconds:.0f} s: {'red' if outcome.red else 'green'}"
    )
    print(", ".join(f"{name} {n}" for name, n in (outcome.faults + outcome.counts).most_common()))
    if outcome.red:
        print(f"again: python -m tests.crash --kills {options.kills} --seed {options.seed}")
    return 1 if outcome.red or outcome.between < least else 0


if __name__ == "__main__":
    sys.exit(main())
