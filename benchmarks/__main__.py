"""python -m benchmarks [--only NAME] [--leads N] [--contacts N] [--tests]: measure, and print one table.

Ends with 1 when a limit was missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping

from benchmarks import command_line, engine, requests
from benchmarks.table import Line, render


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=["requests", "engine", "help"], help="one of them")
    parser.add_argument("--leads", type=int, default=100_000, help="for the engine alone")
    parser.add_argument("--contacts", type=int, default=20_000, help="for counting requests")
    parser.add_argument("--tests", action="store_true", help="time the whole test command as well")
    said = parser.parse_args(words)
    known: Mapping[str, Callable[[], Iterable[Line]]] = {
        "requests": lambda: requests.lines(said.contacts),
        "engine": lambda: engine.lines(said.leads),
        "help": command_line.lines,
    }
    wanted = [known[said.only]] if said.only else list(known.values())
    if said.tests:
        wanted.append(command_line.tests)
    told = [line for each in wanted for line in each()]
    print(render(told))
    return int(any(line.missed for line in told))


if __name__ == "__main__":
    sys.exit(main())
