"""The plan that only looks: read everything, decide, tell each operation, and take the deciding back.

It commits what was read and nothing else, so that a mistake in a mapping can be mended after looking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.errors import ConnectorError
from sync import prepare
from sync.approve import Line, PlanDigest, lines
from sync.engine import Engine
from sync.foretell import About, Consequences, consequences, explained, newcomers
from sync.model import Lane, System
from sync.packed import digest as digest_of
from sync.run import decide_all
from sync.side_by_side import Progress, Report, Run, fetch_all, leases, pull_all
from sync.store import feeds, outbox, runs
from sync.store.db import Tx

CONFLICTS = 100_000
"""So many conflicts are asked about for a plan."""


@dataclass(slots=True)
class Planned:
    """A plan: its run, digest, and totals per system and kind. The operations themselves went to `each`."""

    run: int
    digest: str
    totals: dict[str, Counter[str]]
    failures: dict[str, ConnectorError]
    consequences: Consequences
    shown: tuple[str, ...] = ()
    """The systems that were read, and whose operations it tells."""
    mappings: str = ""
    """By which mappings it was made."""


def mappings_of(engine: Engine) -> str:
    """What changes when any mapping does."""
    return digest_of([[each.name, each.mapping.digest()] for each in engine.systems.values()])


def plan(
    engine: Engine,
    who: str,
    why: str,
    each: Callable[[Line], None],
    *,
    met: Callable[[About], None] | None = None,
    only: str | None = None,
    progress: Progress | None = None,
) -> Planned:
    """Read everything, decide, tell `each` operation, and take the deciding back. `met`: told of everybody who was met
    for the first time. Raises LeaseHeld."""
    systems = [one for one in engine.systems.values() if only is None or one.name == only]
    with leases(engine, systems) as (deciding, held):
        with engine.store.tx() as tx:
            report = Report(runs.begin(tx, "plan", who, why, engine.world.now()))
        run = Run(engine, systems, deciding, held, report, progress)
        pull_all(run)
        totals: dict[str, Counter[str]] = {one.name: Counter() for one in engine.systems.values()}
        digest = PlanDigest()
        asking = run.working
        while True:
            with engine.store.trial() as tx:
                before, last = runs.count_open(tx), runs.last_question(tx)
                first = tx.ids("lead", 0)
                prepare.adopt(engine, tx, report.run)
                decide_all(engine, None, report.run, progress, tx=tx)
                turns_on = _conflicts(engine, tx, asking)
                if not turns_on:
                    for line in explained(engine, tx, lines(engine, tx, outbox.unsent_by_lead(tx))):
                        if only is not None and line.system != only:
                            continue
                        totals[line.system][line.row.kind] += 1
                        for change in line.hashes:
                            digest.add(change)
                        each(line)
                    if met is not None:
                        for about in newcomers(engine, tx, report.run, range(first, tx.ids("lead", 0))):
                            met(about)
                    follows = consequences(engine, tx, report.run, before, last)
                    break
            _ask_about(run, turns_on)
            asking = []
        with engine.store.tx() as tx:
            state = "failed" if report.failures else "done"
            counts = {"planned": {name: dict(n) for name, n in totals.items()}}
            runs.end(tx, report.run, state, counts, engine.world.now(), str(digest))
    shown = tuple(one.name for one in run.working)
    return Planned(report.run, str(digest), totals, report.failures, follows, shown, mappings_of(engine))


Conflicts = Mapping[int, Sequence[tuple[str, str, str]]]
"""System → records of which it is asked when their fields were written."""


def _conflicts(engine: Engine, tx: Tx, systems: Sequence[System]) -> Conflicts:
    """What a sync would ask the vendors before it decides: else the plan would say nothing of it."""
    found = {}
    for system in systems:
        due = feeds.due_hints(tx, system.id, engine.world.now(), CONFLICTS)
        found[system.id] = [(each.object, each.ext, each.why) for each in due if each.why == "conflict"]
    return {number: hints for number, hints in found.items() if hints}


def _ask_about(run: Run, conflicts: Conflicts) -> None:
    engine = run.engine
    with engine.store.tx() as tx:
        for number, hints in conflicts.items():
            feeds.add_hints(tx, number, hints, Lane.EDIT, engine.world.now())
    fetch_all(run, [engine.systems[number] for number in conflicts])
