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

from connectors.base import WriteKind
from connectors.errors import ConnectorError, Retry, Stop
from connectors.world import Task
from sync import prepare
from sync.approve import Line, PlanDigest, Verdict, approve, approve_plan, lines
from sync.decide import decide
from sync.engine import SECOND, Engine
from sync.foretell import Consequences, consequences, explained
from sync.guard import Refusal
from sync.lease import DECIDE, Lease, hold
from sync.model import Lane, OutState, System
from sync.packed import digest as digest_of
from sync.pull import Pulled, fetch_hints, pull
from sync.push import Pushed, push
from sync.resolve import primed_systems, resolve
from sync.store import feeds, leads, outbox, runs
from sync.store.db import Tx

log = logging.getLogger(__name__)

CONFLICTS = 100_000
"""So many conflicts are asked about for a plan."""
ROUNDS = 25
"""More rounds than this are two things that undo each other, and wait for the next run."""

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
    held: int = 0
    missing: list[str] = field(default_factory=list)
    unapproved: list[str] = field(default_factory=list)
    reviews: int = 0
    shown: Collection[str] | None = None
    requests: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """System → purpose → how many; before the run is over: those made before it."""
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
    shown: Collection[str] | None = None,
    patient: bool = False,
    progress: Progress | None = None,
) -> Report:
    """One pass. `only`: read and write this system alone. `wanted`: the hashes of a plan; nothing else is sent.
    `shown`: the systems that plan was about, all of them if not told. `patient`: leave systems alone that back off (the
    daemon's way). Raises LeaseHeld."""
    begun = engine.world.monotonic()
    systems = [each for each in engine.systems.values() if only is None or each.name == only]
    with leases(engine, systems) as (deciding, held):
        with engine.store.tx() as tx:
            run = runs.begin(tx, kind, who, why, engine.world.now())
        report = Report(run, requests=_requests(engine), shown=shown)
        try:
            _pass(engine, systems, deciding, held, report, wanted, patient, progress)
        except BaseException:
            report.state = "interrupted"
            raise
        finally:
            report.seconds = engine.world.monotonic() - begun
            _finish(engine, report)
    return report


def act(engine: Engine, work: Callable[[Tx], int], progress: Progress | None = None) -> Report:
    """Do what a person said (`work` answers the run it began) and carry out what follows from it. While the first plan
    of a system waits for its approval, only what `work` itself has queued is sent. Raises LeaseHeld."""
    begun = engine.world.monotonic()
    systems = list(engine.systems.values())
    with leases(engine, systems) as (deciding, held):
        with engine.store.tx() as tx:
            deciding.check(tx)
            report = Report(work(tx), requests=_requests(engine))
        try:
            if engine.settings.first == "approve" and _wait(engine):
                _push_all(engine, systems, held, report, progress)
            else:
                _rounds(engine, systems, deciding, held, report, None, progress)
            _conclude(report)
        except BaseException:
            report.state = "interrupted"
            raise
        finally:
            report.seconds = engine.world.monotonic() - begun
            _finish(engine, report)
    return report


def _wait(engine: Engine) -> bool:
    """Whether a plan waits for its approval: the first one of a system, or of a mapping."""
    with engine.store.read() as tx:
        new = any(row.state == "new" and row.id in engine.systems for row in feeds.systems(tx))
        return new or bool(prepare.changed(engine, tx))


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
    _rounds(engine, working, deciding, held, report, wanted, progress)
    _conclude(report)


def _rounds(
    engine: Engine,
    working: Sequence[System],
    deciding: Lease,
    held: Mapping[int, Lease],
    report: Report,
    wanted: Collection[str] | None,
    progress: Progress | None,
) -> None:
    """Decide, let through and push, until nothing is left that can be done now."""
    sent: set[str] = set()
    _give_names(engine, working, held)
    with engine.store.tx() as tx:
        deciding.check(tx)
        prepare.adopt(engine, tx, report.run)
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
        report.missing = sorted(each for each in wanted if each not in sent)
    if wanted is not None or engine.settings.first == "apply":
        _now_live(engine, report.shown)


def _give_names(engine: Engine, working: Sequence[System], held: Mapping[int, Lease]) -> None:
    """Records whose names change with their values get lasting ones first: a row whose address is corrected would be a
    stranger else (F44)."""
    for system in working:
        connector = engine.connectors[system.id]
        if not (connector.capabilities.fleeting and system.takes(WriteKind.UPDATE)):
            continue
        try:
            for object_ in system.mapping.objects:
                connector.add_own_key(object_)
            pull(engine, system, held[system.id])
        except ConnectorError as error:
            log.warning("%s: its records could not be given lasting names: %s", system.name, error)


def _conclude(report: Report) -> None:
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


def _pull_all(
    engine: Engine, systems: Sequence[System], held: Mapping[int, Lease], report: Report, progress: Progress | None
) -> None:
    def work(system: System) -> None:
        out = Pulled()
        if progress is not None:
            out.tell = lambda read: progress("read", system.name, read, None)
        try:
            prepare.look(engine, system, held[system.id])
            report.pulled[system.name] = pull(
                engine, system, held[system.id], sweep=_sweep_is_due(engine, system), out=out
            )
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
        told = report.by_system.setdefault(system.name, Counter())
        out = Pushed()
        if progress is not None:
            before, total = sum(told.values()), sum(told.values()) + _queued(engine, system)
            out.tell = lambda sent: progress("written", system.name, before + sent, max(total, before + sent))
        try:
            fetch_hints(engine, system, held[system.id])
            push(engine, system, held[system.id], report.run, out)
            fetch_hints(engine, system, held[system.id])
        except ConnectorError as error:
            report.failures[system.name] = error
            back_off(engine, system, error)
        else:
            report.doubtful[system.name] = out.doubtful
        told.update(out.answers)

    _side_by_side(engine, systems, work)


def _queued(engine: Engine, system: System) -> int:
    """Operations that may be sent."""
    with engine.store.read() as tx:
        counts = outbox.counts(tx)
    return sum(n for (of, _, _, state), n in counts.items() if of == system.id and state == OutState.QUEUED)


def decide_all(
    engine: Engine, deciding: Lease | None, run: int, progress: Progress | None = None, tx: Tx | None = None
) -> int:
    """Resolve and decide until nothing is left."""
    done = 0
    while resolve(engine, run, deciding, tx):
        pass
    total = _undecided(engine, tx) if progress is not None else 0
    while some := decide(engine, run, deciding, tx):
        done += some
        engine.go_on()
        if progress is not None:
            progress("decided", "leads", done, max(total, done))
    return done


def _undecided(engine: Engine, tx: Tx | None) -> int:
    if tx is not None:
        return leads.count_dirty(tx)
    with engine.store.read() as reading:
        return leads.count_dirty(reading)


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
    log.info("%s backs off for %d s: %s", system.name, wait, error.code)


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
        changed = {each.id for each in prepare.changed(engine, tx)}
        new = [
            row for row in feeds.systems(tx) if row.id in engine.systems and (row.state == "new" or row.id in changed)
        ]
    if not new:
        return []
    with engine.store.trial() as tx:
        prepare.adopt(engine, tx, 0)
        decide_all(engine, None, 0, tx=tx)
        if next(iter(outbox.unsent(tx)), None) is not None:
            return [row.name for row in new]
    _now_live(engine)
    return []


def _now_live(engine: Engine, shown: Collection[str] | None = None) -> None:
    """These systems' first plans are dealt with: those that a person was `shown`. What could not be read has had none
    yet."""
    with engine.store.tx() as tx:
        primed = primed_systems(engine, tx)
        for row in feeds.systems(tx):
            if row.state == "new" and row.id in primed and (shown is None or row.name in shown):
                feeds.update_system(tx, row.id, state="live")


def _requests(engine: Engine) -> dict[str, Mapping[str, int]]:
    return {each.name: engine.connectors[each.id].requests() for each in engine.systems.values()}


def _finish(engine: Engine, report: Report) -> None:
    now = _requests(engine)
    report.requests = {name: Counter(some) - Counter(report.requests.get(name, {})) for name, some in now.items()}
    quotas = {each.name: engine.connectors[each.id].quota() for each in engine.systems.values()}
    for some in report.by_system.values():
        report.answers.update(some)
    with engine.store.tx() as tx:
        report.reviews = sum(runs.count_open(tx).values())
        counts = {
            "answers": dict(report.answers),
            "systems": {name: dict(some) for name, some in report.by_system.items()},
            "held": report.held,
            "requests": {name: sum(some.values()) for name, some in report.requests.items()},
            "quota": {name: quota for name, quota in quotas.items() if quota is not None},
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
        digest = PlanDigest()
        asking = [one for one in systems if one.name not in report.failures]
        while True:
            with engine.store.trial() as tx:
                before, last = runs.count_open(tx), runs.last_question(tx)
                prepare.adopt(engine, tx, run)
                decide_all(engine, None, run, progress, tx=tx)
                turns_on = _conflicts(engine, tx, asking)
                if not turns_on:
                    for line in explained(engine, tx, lines(engine, tx, outbox.unsent_by_lead(tx))):
                        if only is not None and line.system != only:
                            continue
                        totals[line.system][line.row.kind] += 1
                        for change in line.hashes:
                            digest.add(change)
                        each(line)
                    follows = consequences(engine, tx, run, before, last)
                    break
            _ask_about(engine, turns_on, held, report)
            asking = []
        with engine.store.tx() as tx:
            state = "failed" if report.failures else "done"
            counts = {"planned": {name: dict(n) for name, n in totals.items()}}
            runs.end(tx, run, state, counts, engine.world.now(), str(digest))
    shown = tuple(one.name for one in systems if one.name not in report.failures)
    return Planned(run, str(digest), totals, report.failures, follows, shown, mappings_of(engine))


Conflicts = Mapping[int, Sequence[tuple[str, str, str]]]
"""System → records of which it is asked when their fields were written."""


def _conflicts(engine: Engine, tx: Tx, systems: Sequence[System]) -> Conflicts:
    """What a sync would ask the vendors before it decides: else the plan would say nothing of it."""
    found = {}
    for system in systems:
        due = feeds.due_hints(tx, system.id, engine.world.now(), CONFLICTS)
        found[system.id] = [(each.object, each.ext, each.why) for each in due if each.why == "conflict"]
    return {number: hints for number, hints in found.items() if hints}


def _ask_about(engine: Engine, conflicts: Conflicts, held: Mapping[int, Lease], report: Report) -> None:
    with engine.store.tx() as tx:
        for number, hints in conflicts.items():
            feeds.add_hints(tx, number, hints, Lane.EDIT, engine.world.now())

    def work(system: System) -> None:
        try:
            fetch_hints(engine, system, held[system.id])
        except ConnectorError as error:
            report.failures[system.name] = error
            back_off(engine, system, error)

    _side_by_side(engine, [engine.systems[number] for number in conflicts], work)
