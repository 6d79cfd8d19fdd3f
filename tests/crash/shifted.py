"""Smarketing's own command line in a world whose clock is ahead by as many seconds as a file says.

    python -m tests.crash.shifted FILE WORDS…

What a create in doubt waits for takes ten minutes; nobody waits for that in a test. The sandbox and the program are both
started this way, with one file, so that vendors and we have one clock.
"""

from __future__ import annotations

import sys
from pathlib import Path

import smarketing.world
from connectors.world import MICROSECONDS
from smarketing.cli.main import run


class Ahead(smarketing.world.RealWorld):
    file: Path

    def now(self) -> int:
        return super().now() + int(float(self.file.read_text() or 0) * MICROSECONDS)


def main() -> int:
    Ahead.file = Path(sys.argv[1])
    smarketing.world.RealWorld = Ahead  # type: ignore[misc]
    return run(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
