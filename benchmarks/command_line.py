"""What the command line costs before it does anything, and how long the whole test command takes."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Line

TRIES = 5
HELP = 0.3
"""Seconds of processor time for `smarketing --help`."""
ROOT = Path(__file__).parent.parent
SMARKETING = "import sys; from smarketing.cli.main import run; sys.exit(run(sys.argv[1:]))"


def help_seconds() -> float:
    """Processor time of one `smarketing --help`, its interpreter included."""
    before = _spent()
    subprocess.run([sys.executable, "-c", SMARKETING, "--help"], check=True, capture_output=True, cwd=ROOT)
    return _spent() - before


def _spent() -> float:
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def lines() -> Iterator[Line]:
    best = min(help_seconds() for _ in range(TRIES))
    yield Line(f"smarketing --help, best of {TRIES}: processor time", best, HELP, "s", at_most=True)


def tests() -> Iterator[Line]:
    begun, before = time.perf_counter(), _spent()
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "2"], check=False, capture_output=True, cwd=ROOT)
    yield Line("the whole test command, by the clock", time.perf_counter() - begun, None, "s")
    yield Line("  processor time", _spent() - before, None, "s")
    yield Line("  exit code", done.returncode, 0, "", at_most=True)
