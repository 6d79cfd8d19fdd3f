"""One pass over everything: pull, decide, guard, push, until nothing is left to do."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from connectors.base import WriteKind
from connectors.errors import ConnectorError
from sync import prepare
from sync.approve import approve, approve_plan
from sync.decide import decide
from sync.engine import Engine
from sync.guard import Distrust
from sync.lease import Lease
from sync.model import System
from sync.pull import pull
from sync.resolve import primed_systems, resolve
from sync.side_by_side import Progress, Report, Run, backs_off, leases, pull_all, push_all
from sync.store import feeds, leads, outbox, runs
from sync.store.db import Tx

log = logging.getLogger(__name__)

ROUNDS = 25
"""More rounds than this are two things that undo each other, and wait for the next run."""


def sync(
    engine: Engine,
    who: str,
    why: str,
    *,
    kind: str = "sync",
    only: str | None = None,
    wanted: Collection[str] | None = None,
    shown: Collection[str] | None = None,
    plan: int | None = None,
    patient: bool = False,
    leave_rest: bool = False,
    progress: Progress | None = None,
) -> Report:
    """One pass. `only`: read and write this system alone. `wanted`: the hashes of a plan; nothing else is sent.
    `shown`: the systems that plan was about, all of them if not told; `plan`: the run that made it. `patient`: leave
    systems alone that back off (the daemon's way). `leave_rest`: what is not in `wanted` is left on purpose, and not
    told as held back. Raises LeaseHeld."""
    systems = [each for each in engine.systems.values() if only is None or each.name == only]
    with _running(engine, systems, lambda tx: runs.begin(tx, kind, who, why, engine.world.now()), progress) as run:
        if patient:
            run.systems = [each for each in systems if not backs_off(engine, each)]
        pull_all(run)
        if wanted is None:
            run.report.unapproved = _unapproved(engine)
        run.report.plan = plan
        if not run.report.unapproved:
            _rounds(run, wanted, shown)
        if leave_rest:
            run.report.held = 0
    return run.report


def act(engine: Engine, work: Callable[[Tx], int], progress: Progress | None = None) -> Report:
    """Do what a person said (`work` answers the run it began) and carry out what follows from it. While the first plan
    of a system waits for its approval, only what `work` itself has queued is sent. Raises LeaseHeld."""
    with _running(engine, list(engine.systems.values()), work, progress) as run:
        if _wait(engine):
            push_all(run)
        else:
            _rounds(run)
    return run.report


@contextlib.contextmanager
def _running(
    engine: Engine, systems: Sequence[System], begin: Callable[[Tx], int], progress: Progress | None
) -> Iterator[Run]:
    """A run from its beginning to its end, however it ends. `begin` answers its number."""
    begun = engine.world.monotonic()
    with leases(engine, systems) as (deciding, held):
        with engine.store.tx() as tx:
            deciding.check(tx)
            report = Report(begin(tx), requests=_requests(engine))
        try:
            yield Run(engine, systems, deciding, held, report, progress)
            report.state = "failed" if report.failures else "refused" if report.refuses else "done"
        except BaseException:
            report.state = "interrupted"
            raise
        finally:
            report.seconds = engine.world.monotonic() - begun
            _finish(engine, report)


def _wait(engine: Engine) -> bool:
    """Whether a plan waits for its approval: the first one of a system, or of a mapping."""
    with engine.store.read() as tx:
        return bool(_to_be_shown(engine, tx))


def _to_be_shown(engine: Engine, tx: Tx) -> list[feeds.SystemRow]:
    """Systems whose plan a person must see before anything is sent."""
    mine = [row for row in feeds.systems(tx) if row.id in engine.systems]
    if engine.settings.first != "approve":
        return [row for row in mine if row.state == feeds.RESTORED]
    changed = {each.id for each in prepare.changed(engine, tx)}
    return [row for row in mine if not row.is_live or row.id in changed]


def _rounds(run: Run, wanted: Collection[str] | None = None, shown: Collection[str] | None = None) -> None:
    """Decide, let through and push, until nothing is left that can be done now."""
    engine, report = run.engine, run.report
    sent: set[str] = set()
    _give_names(run)
    with engine.store.tx() as tx:
        run.deciding.check(tx)
        prepare.adopt(engine, tx, report.run)
    for _ in range(ROUNDS):
        decide_all(engine, run.deciding, report.run, run.progress)
        with engine.store.tx() as tx:
            run.deciding.check(tx)
            verdict = approve(engine, tx) if wanted is None else approve_plan(engine, tx, wanted, sent)
        report.sent = len(sent)
        engine.world.pause("approved")
        report.refused, report.held = verdict.refused, verdict.held
        push_all(run)
        if not _more(run):
            break
    report.distrusted = _distrusted(engine)
    if wanted is not None:
        report.missing = sorted(each for each in wanted if each not in sent)
    if wanted is not None or engine.settings.first == "apply":
        _now_live(engine, shown)


def _distrusted(engine: Engine) -> list[Distrust]:
    """What is held back on its way in until a person has looked."""
    with engine.store.read() as tx:
        told = [each.body for each in runs.open_questions(tx, "inbound") if each.system in engine.systems]
    return [
        Distrust(each["system"], *(each[name] for name in ("group", "what", "count", "size", "limit"))) for each in told
    ]


def _give_names(run: Run) -> None:
    """Records whose names change with their values get lasting ones first: a row whose address is corrected would be a
    stranger else (F44)."""
    for system in run.working:
        connector = run.engine.connectors[system.id]
        if not (connector.capabilities.fleeting and system.takes(WriteKind.UPDATE)):
            continue
        try:
            for object_ in system.mapping.objects:
                connector.add_own_key(object_)
            pull(run.engine, system, run.leases[system.id])
        except ConnectorError as error:
            log.warning("%s: its records could not be given lasting names: %s", system.name, error)


def _more(run: Run) -> bool:
    """Whether another round can do anything."""
    with run.engine.store.read() as tx:
        now = run.engine.world.now()
        waits = any(outbox.due(tx, each.id, now) or feeds.due_hints(tx, each.id, now, 1) for each in run.working)
        return waits or leads.count_dirty(tx) > 0


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


# --- first plans -------------------------------------------------------------------------------------------------


def _unapproved(engine: Engine) -> list[str]:
    """Systems whose first plan nobody has approved; one that needs none is enrolled at once."""
    with engine.store.read() as tx:
        new = _to_be_shown(engine, tx)
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
            if not row.is_live and row.id in primed and (shown is None or row.name in shown):
                feeds.update_system(tx, row.id, state=feeds.LIVE)


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
        if report.plan is not None and report.sent:
            runs.sent(tx, report.plan, report.run, report.sent)
        feeds.forget_counts(tx, engine.world.now())
