"""Kill the program again and again, where it hurts most, and let everything come to rest at the end.

Half of the kills wait until operations are claimed and not yet answered: the vendor is told to answer late. Between two
runs people act and time passes. What must be true at the end is what the simulator asks as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from connectors.backdoor import Fault, When
from tests.crash.town import Town
from tests.sim.oracle import Oracle

WRITES = {"hubspot": "POST /crm/v3/objects/contacts/batch", "salesforce": "/composite/sobjects"}
LOST = (Fault.CUT, Fault.CUT_AFTER, Fault.ERROR_AFTER)
HORIZON = 700.0
"""Seconds after which a request that nobody waits for any more has certainly ended over there."""
PATIENCE = 25
"""Runs within which everything must have come to rest."""


@dataclass(slots=True)
class Outcome:
    """`kills`: how often it was killed, `between`: how often with operations claimed and not settled."""

    seed: int
    kills: int = 0
    between: int = 0
    runs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    values: int = 0
    seconds: float = 0.0

    @property
    def red(self) -> bool:
        return bool(self.faults)


def play(seed: int, kills: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="smarketing-crash-") as folder:
        town = Town(Path(folder), seed)
        try:
            out = live(town, kills)
            oracle = Oracle(town)
            out.faults = +oracle.judge()
            out.notes, out.counts, out.values = oracle.notes, oracle.counts, town.truth.count
        finally:
            town.close()
    return out


def live(town: Town, kills: int) -> Outcome:
    """Until so many kills have been made and everything has come to rest."""
    out = Outcome(town.seed)
    begun = time.monotonic()
    while out.kills < kills and out.runs < 5 * kills:
        steered = out.runs % 2 == 0
        town.act(3 + int(town.dice() * 4))
        if town.dice() < 0.3:
            town.let_pass(HORIZON)
        _go_wrong(town, steered=steered)
        killed, between = _kill(town, steered=steered)
        out.kills += killed
        out.between += between
        out.runs += 1
        town.look()
    _rest(town, out)
    out.seconds = time.monotonic() - begun
    return out


def _go_wrong(town: Town, *, steered: bool) -> None:
    """Tell a vendor how to misbehave during the next run."""
    for name, path in WRITES.items():
        if steered:
            town.remote[name].fault(Fault.SLOW, When(path=path, value=1.5))
        elif town.dice() < 0.4:
            town.remote[name].fault(LOST[int(town.dice() * len(LOST))], When(path=path))


def _kill(town: Town, *, steered: bool) -> tuple[bool, bool]:
    """Start a run and kill it. Answers whether it was killed, and whether something was claimed and not settled."""
    before, earlier = town.runs(), town.sending()
    with town.begin("sync") as process:
        if steered:
            _wait(process, lambda: not town.sending() <= earlier)
            time.sleep(town.dice() * 0.4)
        else:
            _wait(process, lambda: town.runs() > before)
            time.sleep(town.dice() * 0.6)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        killed = process.wait() == -signal.SIGKILL
    return killed, killed and not town.sending() <= earlier


def _wait(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    while process.poll() is None and not happened():
        time.sleep(0.003)


def _rest(town: Town, out: Outcome) -> None:
    """Nobody acts any more. Runs until one of them has written nothing, and then a plan that must be empty."""
    for _ in range(PATIENCE):
        town.let_pass(HORIZON)
        before = town.writes()
        code = town.run("sync")
        out.runs += 1
        if code == 0 and town.writes() == before and town.idle():
            town.rested = town.run("plan", "--exit-code") == 0
            return
