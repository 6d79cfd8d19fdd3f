"""One pass over everything: pull, decide, guard, push, until nothing is left to do; and the plan that only looks.

Systems are pulled and pushed side by side, each under its lease; one that fails backs off alone. A plan commits what
was read and nothing else, so that a mistake in a mapping can be mended after looking.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.errors import ConnectorError, Retry, Stop
from sync.approve import Line, Verdict, approve, approve_plan, lines, plan_digest
from sync.decide import decide
from sync.engine import SECOND, Engine
from sync.guard import Refusal
from sync.lease import DECIDE, Lease, hold
from sync.model import System
from sync.pull import Pulled, fetch_hints, pull
from sync.push import Pushed, push
from sync.resolve import primed_systems, resolve
from sync.store import feeds, leads, outbox, runs
from sync.store.db import Tx

log = logging.getLogger(__name__)

ROUNDS = 25
"""More rounds than this are two things that undo each other, and wait for the next run."""

Progress = Callable[[str, str, int], None]
"""Told now and then: what is under way, where, how many so far."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    run: int
    state: str = "done"
    pulled: dict[str, Pulled] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    by_system: dict[str, Counter[str]] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)
    failures: dict[str, ConnectorError] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    held: int = 0
    missing: list[str] = field(default_factory=list)
    unapproved: list[str] = field(default_factory=list)
    reviews: int = 0
    requests: dict[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def refuses(self) -> bool:
        """Whether a person must approve something before all is done."""
        return bool(self.refused or self.held or self.unapproved or self.missing)


@contextlib.contextmanager
def leases(engine: Engine, systems: Sequence[System]) -> Iterator[tuple[Lease, dict[int, Lease]]]:
    """Hold deciding and these systems. Raises LeaseHeld when another process has one of them."""
    with contextlib.ExitStack() as stack:
        deciding = stack.enter_context(hold(engine.store, DECIDE))
        yield deciding, {each.id: stack.enter_context(hold(engine.store, f"system {each.name}")) for each in systems}


def sync(
    engine: Engine,
    who: str,
    why: str,
    *,
    kind: str = "sync",
    only: str | None = None,
    wanted: Collection[str] | None = None,
    patient: bool = False,
    progress: Progress | None = None,
) -> Report:
    """One pass. `only`: read and write this system alone. `wanted`: the hashes of a plan; nothing else is sent.
    `patient`: leave systems alone that back off (the daemon's way). Raises LeaseHeld."""
    begun = engine.world.monotonic()
    systems = [each for each in engine.systems.values() if only is None or each.name == only]
    with leases(engine, systems) as (deciding, held):
        with engine.store.tx() as tx:
            run = runs.begin(tx, kind, who, why, engine.world.now())
        report = Report(run)
        try:
            _pass(engine, systems, deciding, held, report, wanted, patient, progress)
        except BaseException:
            report.state = "interrupted"
            raise
        finally:
            report.seconds = engine.world.monotonic() - begun
            _finish(engine, report)
    return report


def _pass(
    engine: Engine,
    systems: Sequence[System],
    deciding: Lease,
    held: Mapping[int, Lease],
    report: Report,
    wanted: Collection[str] | None,
    patient: bool,
    progress: Progress | None,
) -> None:
    systems = [each for each in systems if not (patient and _backs_off(engine, each))]
    _pull_all(engine, systems, held, report, progress)
    working = [each for each in systems if each.name not in report.failures]
    if wanted is None and engine.settings.first == "approve":
        report.unapproved = _unapproved(engine)
        if report.unapproved:
            report.state = "refused"
            return
    sent: set[str] = set()
    for _ in range(ROUNDS):
        decide_all(engine, deciding, report.run, progress)
        with engine.store.tx() as tx:
            deciding.check(tx)
            verdict = approve(engine, tx) if wanted is None else approve_plan(engine, tx, wanted, sent)
        engine.world.pause("approved")
        report.refused, report.held = verdict.refused, verdict.held
        _push_all(engine, working, held, report, progress)
        working = [each for each in working if each.name not in report.failures]
        if not _more(engine, working, verdict):
            break
    if wanted is not None:
        report.missing = sorted(set(wanted) - sent)
    if wanted is not None or engine.settings.first == "apply":
        _now_live(engine)
    if report.failures:
        report.state = "failed"
    elif report.refuses:
        report.state = "refused"


def _more(engine: Engine, working: Sequence[System], verdict: Verdict) -> bool:
    """Whether another round can do anything."""
    del verdict
    with engine.store.read() as tx:
        now = engine.world.now()
        waits = any(outbox.due(tx, each.id, now) or feeds.due_hints(tx, each.id, now, 1) for each in working)
        return waits or leads.count_dirty(tx) > 0


def _side_by_side(engine: Engine, systems: Sequence[System], work: Callable[[System], None]) -> None:
    tasks = [engine.world.spawn(each.name, lambda each=each: work(each)) for each in systems]  # type: ignore[misc]
    for task in tasks:
        task.join()


def _pull_all(
    engine: Engine, systems: Sequence[System], held: Mapping[int, Lease], report: Report, progress: Progress | None
) -> None:
    def work(system: System) -> None:
        try:
            report.pulled[system.name] = pull(engine, system, held[system.id], sweep=_sweep_is_due(engine, system))
            if progress is not None:
                progress("read", system.name, report.pulled[system.name].read)
        except ConnectorError as error:
            report.failures[system.name] = error
            back_off(engine, system, error)
        else:
            _recovered(engine, system)

    _side_by_side(engine, systems, work)


def _push_all(
    engine: Engine, systems: Sequence[System], held: Mapping[int, Lease], report: Report, progress: Progress | None
) -> None:
    def work(system: System) -> None:
        try:
            fetch_hints(engine, system, held[system.id])
            pushed: Pushed = push(engine, system, held[system.id], report.run)
            fetch_hints(engine, system, held[system.id])
        except ConnectorError as error:
            report.failures[system.name] = error
            back_off(engine, system, error)
            return
        report.by_system.setdefault(system.name, Counter()).update(pushed.answers)
        report.doubtful[system.name] = pushed.doubtful
        if progress is not None and pushed.answers:
            progress("written", system.name, sum(report.by_system[system.name].values()))

    _side_by_side(engine, systems, work)


def decide_all(
    engine: Engine, deciding: Lease | None, run: int, progress: Progress | None = None, tx: Tx | None = None
) -> int:
    """Resolve and decide until nothing is left."""
    done = 0
    while resolve(engine, run, deciding, tx):
        pass
    while some := decide(engine, run, deciding, tx):
        done += some
        if progress is not None:
            progress("decided", "leads", done)
    return done


def _sweep_is_due(engine: Engine, system: System) -> bool:
    with engine.store.read() as tx:
        swept = next(row.swept_at for row in feeds.systems(tx) if row.id == system.id)
    return swept is None or swept + engine.settings.sweep_every <= engine.world.now()


# --- failing -----------------------------------------------------------------------------------------------------


def back_off(engine: Engine, system: System, error: ConnectorError) -> None:
    """Leave a system alone for a while, longer each time; the others go on."""
    with engine.store.tx() as tx:
        row = next(each for each in feeds.systems(tx) if each.id == system.id)
        failures = row.failures + 1
        wait = min(3600.0, 30.0 * 2.0 ** min(failures - 1, 10))
        if isinstance(error, Retry) and error.after is not None:
            wait = max(error.after, 1.0)
        if isinstance(error, Stop):
            wait = max(wait, 900.0)
        until = engine.world.now() + int(wait * SECOND)
        feeds.update_system(tx, system.id, failures=failures, not_before=until, trouble=f"{error.code}: {error}")
    log.warning("%s backs off for %d s: %s", system.name, wait, error.code)


def _recovered(engine: Engine, system: System) -> None:
    with engine.store.tx() as tx:
        row = next(each for each in feeds.systems(tx) if each.id == system.id)
        if row.failures or row.trouble:
            feeds.update_system(tx, system.id, failures=0, not_before=0, trouble=None)


def _backs_off(engine: Engine, system: System) -> bool:
    with engine.store.read() as tx:
        return any(row.id == system.id and row.not_before > engine.world.now() for row in feeds.systems(tx))


# --- first plans -------------------------------------------------------------------------------------------------


def _unapproved(engine: Engine) -> list[str]:
    """Systems whose first plan nobody has approved; one that needs none is enrolled at once."""
    with engine.store.read() as tx:
        new = [row for row in feeds.systems(tx) if row.state == "new" and row.id in engine.systems]
    if not new:
        return []
    with engine.store.trial() as tx:
        decide_all(engine, None, 0, tx=tx)
        if next(iter(outbox.unsent(tx)), None) is not None:
            return [row.name for row in new]
    _now_live(engine)
    return []


def _now_live(engine: Engine) -> None:
    """These systems' first plans are dealt with; what could not be read has had none yet."""
    with engine.store.tx() as tx:
        primed = primed_systems(engine, tx)
        for row in feeds.systems(tx):
            if row.state == "new" and row.id in primed:
                feeds.update_system(tx, row.id, state="live")


def _finish(engine: Engine, report: Report) -> None:
    report.requests = {each.name: engine.connectors[each.id].requests() for each in engine.systems.values()}
    for some in report.by_system.values():
        report.answers.update(some)
    with engine.store.tx() as tx:
        report.reviews = sum(runs.count_open(tx).values())
        counts = {
            "answers": dict(report.answers),
            "systems": {name: dict(some) for name, some in report.by_system.items()},
            "held": report.held,
            "failures": {name: error.code for name, error in report.failures.items()},
        }
        runs.end(tx, report.run, report.state, counts, engine.world.now())
        feeds.forget_counts(tx, engine.world.now())


# --- planning ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Planned:
    """A plan: its run, digest, and totals per system and kind. The operations themselves went to `each`."""

    run: int
    digest: str
    totals: dict[str, Counter[str]]
    questions: int
    failures: dict[str, ConnectorError]
    lost: int = 0


def plan(
    engine: Engine,
    who: str,
    why: str,
    each: Callable[[Tx, Line], None],
    *,
    only: str | None = None,
    progress: Progress | None = None,
) -> Planned:
    """Read everything, decide, tell `each` operation, and take the deciding back. Raises LeaseHeld."""
    systems = [one for one in engine.systems.values() if only is None or one.name == only]
    with leases(engine, systems) as (_, held):
        with engine.store.tx() as tx:
            run = runs.begin(tx, "plan", who, why, engine.world.now())
        report = Report(run)
        _pull_all(engine, systems, held, report, progress)
        totals: dict[str, Counter[str]] = {one.name: Counter() for one in engine.systems.values()}
        kept: list[tuple[str, Mapping[str, object]]] = []
        with engine.store.trial() as tx:
            before = sum(runs.count_open(tx).values())
            decide_all(engine, None, run, progress, tx=tx)
            for line in lines(engine, tx, outbox.unsent(tx)):
                totals[line.system][line.row.kind] += 1
                kept.extend((mark, {"kind": line.row.kind}) for mark in line.hashes)
                each(tx, line)
            questions = sum(runs.count_open(tx).values()) - before
        digest = plan_digest(mark for mark, _ in kept)
        with engine.store.tx() as tx:
            runs.save_plan(tx, run, kept)
            state = "failed" if report.failures else "done"
            runs.end(tx, run, state, {name: dict(n) for name, n in totals.items()}, engine.world.now(), digest)
    return Planned(run, digest, totals, questions, report.failures)
