"""All systems side by side: each is read and written under its own lease, and one that fails backs off alone.

What every part of a run is given stands together in `Run`: the leases, the report, and who is told how far it is.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.errors import ConnectorError, Retry, Stop
from connectors.world import Task
from sync import prepare
from sync.engine import SECOND, Engine
from sync.guard import Distrust, Refusal
from sync.lease import DECIDE, Lease, hold
from sync.model import OutState, System
from sync.pull import Pulled, fetch_hints, pull
from sync.push import Pushed, push
from sync.store import feeds, outbox

log = logging.getLogger(__name__)

Progress = Callable[[str, str, int, int | None], None]
"""Told now and then: what is under way, where, how many so far, and of how many where that is known."""


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
    distrusted: list[Distrust] = field(default_factory=list)
    held: int = 0
    missing: list[str] = field(default_factory=list)
    plan: int | None = None
    """The run that made the plan of which only is sent, and `sent`: how many of its changes were let through."""
    sent: int = 0
    unapproved: list[str] = field(default_factory=list)
    reviews: int = 0
    requests: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """System → purpose → how many; before the run is over: those made before it."""
    seconds: float = 0.0

    @property
    def refuses(self) -> bool:
        """Whether a person must approve something before all is done."""
        return bool(self.refused or self.distrusted or self.held or self.unapproved or self.missing)


@dataclass(slots=True)
class Run:
    """A run under way."""

    engine: Engine
    systems: Sequence[System]
    deciding: Lease
    leases: Mapping[int, Lease]
    report: Report
    progress: Progress | None = None

    @property
    def working(self) -> list[System]:
        """The systems that have not failed in this run."""
        return [each for each in self.systems if each.name not in self.report.failures]

    def tell(self, what: str, where: str, done: int, total: int | None) -> None:
        if self.progress is not None:
            self.progress(what, where, done, total)


@contextlib.contextmanager
def leases(engine: Engine, systems: Sequence[System]) -> Iterator[tuple[Lease, dict[int, Lease]]]:
    """Hold deciding and these systems. Raises LeaseHeld when another process has one of them."""
    with contextlib.ExitStack() as stack:
        deciding = stack.enter_context(hold(engine.store, DECIDE))
        yield deciding, {each.id: stack.enter_context(hold(engine.store, f"system {each.name}")) for each in systems}


def pull_all(run: Run) -> None:
    """Read every system; what fails stands in the report."""
    engine = run.engine

    def work(system: System) -> None:
        out = Pulled(tell=lambda read: run.tell("read", system.name, read, None))
        lease = run.leases[system.id]
        with _failing_alone(run, system):
            prepare.look(engine, system, lease)
            run.report.pulled[system.name] = pull(engine, system, lease, sweep=_sweep_is_due(engine, system), out=out)
            _recovered(engine, system)

    side_by_side(engine, run.systems, work)


def push_all(run: Run) -> None:
    """Send what may be sent to every system that has not failed."""
    engine = run.engine

    def work(system: System) -> None:
        told = run.report.by_system.setdefault(system.name, Counter())
        before = sum(told.values())
        total = before + _queued(engine, system) if run.progress is not None else 0
        out = Pushed(tell=lambda sent: run.tell("written", system.name, before + sent, max(total, before + sent)))
        lease = run.leases[system.id]
        with _failing_alone(run, system):
            fetch_hints(engine, system, lease)
            push(engine, system, lease, run.report.run, out)
            fetch_hints(engine, system, lease)
            run.report.doubtful[system.name] = out.doubtful
        told.update(out.answers)

    side_by_side(engine, run.working, work)


def fetch_all(run: Run, systems: Sequence[System]) -> None:
    """Fetch what these systems' hints are due about."""

    def work(system: System) -> None:
        with _failing_alone(run, system):
            fetch_hints(run.engine, system, run.leases[system.id])

    side_by_side(run.engine, systems, work)


def side_by_side(engine: Engine, systems: Sequence[System], work: Callable[[System], None]) -> None:
    """All systems at once. The first interruption lets them finish what is under way, a second one does not. Raises
    Interrupted, or the first error, when all have ended."""
    engine.go_on()
    tasks = [engine.world.spawn(each.name, lambda each=each: work(each)) for each in systems]  # type: ignore[misc]
    errors = []
    for task in tasks:
        try:
            _join(engine, task)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
    engine.go_on()


def _join(engine: Engine, task: Task) -> None:
    while True:
        try:
            return task.join()
        except KeyboardInterrupt:
            if engine.stopping:
                raise
            log.warning("interrupted: what is under way is finished first; interrupt again to end at once")
            engine.stopping = True


# --- failing -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _failing_alone(run: Run, system: System) -> Iterator[None]:
    """What a system's connector raises is that system's matter: it backs off, and the others go on."""
    try:
        yield
    except ConnectorError as error:
        run.report.failures[system.name] = error
        back_off(run.engine, system, error)


def back_off(engine: Engine, system: System, error: ConnectorError) -> None:
    """Leave a system alone for a while, longer each time; the others go on."""
    with engine.store.tx() as tx:
        row = feeds.system_row(tx, system.id)
        failures = row.failures + 1
        wait = min(3600.0, 30.0 * 2.0 ** min(failures - 1, 10))
        if isinstance(error, Retry) and error.after is not None:
            wait = max(error.after, 1.0)
        if isinstance(error, Stop):
            wait = max(wait, 900.0)
        until = engine.world.now() + int(wait * SECOND)
        feeds.update_system(tx, system.id, failures=failures, not_before=until, trouble=f"{error.code}: {error}")
    log.info("%s backs off for %d s: %s", system.name, wait, error.code)


def _recovered(engine: Engine, system: System) -> None:
    with engine.store.tx() as tx:
        row = feeds.system_row(tx, system.id)
        if row.failures or row.trouble:
            feeds.update_system(tx, system.id, failures=0, not_before=0, trouble=None)


def backs_off(engine: Engine, system: System) -> bool:
    with engine.store.read() as tx:
        return feeds.system_row(tx, system.id).not_before > engine.world.now()


def _sweep_is_due(engine: Engine, system: System) -> bool:
    with engine.store.read() as tx:
        swept = feeds.system_row(tx, system.id).swept_at
    return swept is None or swept + engine.settings.sweep_every <= engine.world.now()


def _queued(engine: Engine, system: System) -> int:
    """Operations that may be sent."""
    with engine.store.read() as tx:
        counts = outbox.counts(tx)
    return sum(n for (of, _, _, state), n in counts.items() if of == system.id and state == OutState.QUEUED)
