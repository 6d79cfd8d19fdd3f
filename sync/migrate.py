"""Moving house: people of some systems go into another one, once, and every record of theirs is accounted for.

A plan with a direction. Everything is read and decided as ever, so that consent, identity and the rules hold; then only
those operations are sent that bring a person of the sources into the target. Sent twice it sends what is left, so that
a move that was cut off is begun again with the same words.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.base import State, WriteKind, batches
from sync import run as runner
from sync.approve import Line
from sync.engine import Engine
from sync.model import PRIMARY, Known, System
from sync.plan import in_scope
from sync.planning import Planned, plan
from sync.side_by_side import Progress, Report
from sync.store import leads, outbox, records, runs
from sync.store.db import Tx

CHUNK = 500
ROUNDS = 3
"""What follows from a new record (its defaults, a yes that was confirmed) is sent in the rounds after it."""
SAMPLES = 5
KIND = "migrate"


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where."""

    sources: tuple[System, ...]
    target: System

    @property
    def names(self) -> frozenset[str]:
        return frozenset(each.name for each in self.sources)

    def concerns(self, line: Line) -> bool:
        """Whether an operation brings a person of the sources into the target."""
        if line.system != self.target.name or line.about is None or line.row.kind == "archive":
            return False
        return any(system in self.names for system, _ in line.about.places)

    def why(self) -> str:
        return f"{', '.join(each.name for each in self.sources)} to {self.target.name}"


@dataclass(slots=True)
class Preview:
    """What a move would do. `records`: source → how many it has; `samples`: the first operations of each kind. `asked`:
    kind of question → how many would be put. `requests`: kind of write → how many requests; `seconds`: the least they
    take at the vendor's rate; `quota`: (used, allowed) of the vendor's day."""

    planned: Planned
    count: int
    records: dict[str, int]
    operations: Counter[str]
    samples: list[Line]
    asked: Counter[str]
    requests: dict[str, int]
    seconds: float
    quota: tuple[int, int] | None
    hashes: set[str] = field(default_factory=set)


class Fate(enum.StrEnum):
    """What became of a source record."""

    CREATED = "created"  # its person was made in the target by this move
    MATCHED = "matched"  # its person was there
    MERGED = "merged"  # another record of the same person is accounted for
    SKIPPED = "skipped"  # it does not take part
    FAILED = "failed"  # it should be there and is not


@dataclass(frozen=True, slots=True)
class Account:
    """One source record. `record`, `there`: refs; `why`: in words, where the fate alone does not tell."""

    system: str
    record: str
    lead: int | None
    fate: Fate
    there: str | None
    why: str


def preview(engine: Engine, move: Move, who: str, progress: Progress | None = None) -> Preview:
    """Read, decide, and tell what would be sent; nothing is. Raises LeaseHeld."""
    hashes: set[str] = set()
    operations: Counter[str] = Counter()
    samples: list[Line] = []

    def each(line: Line) -> None:
        if not move.concerns(line):
            return
        hashes.update(line.hashes)
        if operations[line.row.kind] < SAMPLES:
            samples.append(line)
        operations[line.row.kind] += 1

    planned = plan(engine, who, f"preview of a move: {move.why()}", each, progress=progress)
    with engine.store.read() as tx:
        found = {each.name: _size(tx, each) for each in move.sources}
    requests = _requests(move.target, operations)
    return Preview(
        planned,
        sum(found.values()),
        found,
        operations,
        samples,
        planned.consequences.asked,
        requests,
        _least_seconds(move.target, sum(requests.values())),
        engine.connectors[move.target.id].quota(),
        hashes,
    )


def _size(tx: Tx, system: System) -> int:
    return sum(len(some) for some in _records(tx, system))


def _records(tx: Tx, system: System) -> Iterator[list[Known]]:
    after = 0
    while some := records.named_after(tx, system.id, after, CHUNK):
        after = some[-1].id
        yield some


def _requests(target: System, operations: Counter[str]) -> dict[str, int]:
    """How many requests the writing takes at least."""
    batch = target.capabilities.batch
    return {kind: -(-n // batch[WriteKind(kind)]) for kind, n in operations.items() if batch.get(WriteKind(kind))}


def _least_seconds(target: System, requests: int) -> float:
    rates = [each for each in target.capabilities.rates if each.bucket == "all"]
    return max((requests * each.seconds / each.requests for each in rates), default=0.0)


def carry_out(
    engine: Engine,
    move: Move,
    who: str,
    why: str,
    first: Collection[str],
    progress: Progress | None = None,
) -> list[Report]:
    """Send what `first` names, and then what follows from it; a report for each run. Raises LeaseHeld."""
    reports = [_send(engine, move, who, why, first, progress)]
    while len(reports) < ROUNDS and not reports[-1].failures:
        following = preview(engine, move, who, progress).hashes
        if not following:
            break
        reports.append(_send(engine, move, who, why, following, progress))
    return reports


def _send(engine: Engine, move: Move, who: str, why: str, hashes: Collection[str], progress: Progress | None) -> Report:
    # Nobody was shown the systems' own plans: whatever else is decided goes on waiting for its approval.
    return runner.sync(
        engine, who, why or move.why(), kind=KIND, wanted=hashes, shown=(), leave_rest=True, progress=progress
    )


# --- the account of every record ---------------------------------------------------------------------------------


def account(engine: Engine, move: Move, each: Callable[[Account], None]) -> dict[str, Counter[Fate]]:
    """Tell what became of `each` record of the sources; answers source → fate → how many. They sum to the sources."""
    counted: dict[str, Counter[Fate]] = {}
    told: set[int] = set()
    with engine.store.read() as tx:
        moves = {one.id for one in runs.of_kind(tx, KIND)}
        for system in move.sources:
            counter = counted.setdefault(system.name, Counter())
            for some in _records(tx, system):
                around = _Around(engine, tx, move, some, moves)
                for known in some:
                    found = around.account(system, known, told)
                    counter[found.fate] += 1
                    each(found)
    return counted


class _Around:
    """What is known of the people of some records. `moves`: the runs that were moves."""

    def __init__(self, engine: Engine, tx: Tx, move: Move, some: Sequence[Known], moves: Collection[int]) -> None:
        self._engine, self._move = engine, move
        ids = sorted({known.lead for known in some if known.lead is not None})
        self._people = leads.by_id(tx, ids)
        sides = records.by_lead(tx, ids)
        target = move.target.id
        self._there = {
            lead: min((one for one in known if one.system == target), key=_speaks_first, default=None)
            for lead, known in sides.items()
        }
        made = (past for some_ids in batches(ids, CHUNK) for past in runs.of_lead(tx, some_ids))
        self._made = {past.record for past in made if past.run in moves and past.body.get("kind") == "create"}
        self._asked = runs.open_of_leads(tx, target, ids)
        under_way = outbox.by_record(tx, [one.id for one in self._there.values() if one is not None])
        self._under_way = set(under_way)

    def account(self, system: System, known: Known, told: set[int]) -> Account:
        """`told`: leads of which a record is accounted for as there; this one's is added."""
        fate, why = self._fate(known, told)
        there = self._there.get(known.lead or 0) if fate in (Fate.CREATED, Fate.MATCHED, Fate.MERGED) else None
        if fate in (Fate.CREATED, Fate.MATCHED) and known.lead is not None:
            told.add(known.lead)
        ref = str(there.ref()) if there is not None and there.ext is not None else None
        return Account(system.name, str(known.ref()), known.lead, fate, ref, why)

    def _fate(self, known: Known, told: Collection[int]) -> tuple[Fate, str]:
        if known.state is State.MERGED:
            return Fate.MERGED, "merged over there into another record"
        if known.state is not State.LIVE:
            return Fate.SKIPPED, f"{known.state.name.lower().replace('_', ' ')} over there"
        if known.lead is None:
            return Fate.SKIPPED, "nobody has said whose it is; see the review queue"
        there = self._there.get(known.lead)
        if there is not None and there.ext is not None and there.state is State.LIVE:
            if known.lead in told:
                return Fate.MERGED, "one person with a record that is accounted for"
            return (Fate.CREATED, "") if there.id in self._made else (Fate.MATCHED, "")
        return self._absent(known.lead, there)

    def _absent(self, lead_id: int, there: Known | None) -> tuple[Fate, str]:
        """Why a person is not in the target."""
        target, lead = self._move.target, self._people.get(lead_id)
        if there is not None and there.ext is not None:
            return Fate.SKIPPED, f"{there.state.name.lower().replace('_', ' ')} in {target.name}, and left so"
        if lead is None or not in_scope(lead, target.filters, self._engine.world.now()):
            return Fate.SKIPPED, f"left out by the filter of {target.name}"
        asked = self._asked.get(lead_id)
        if asked:
            return Fate.FAILED, f"{asked[0].kind}; see question {asked[0].id} of the review queue"
        if there is not None and there.id in self._under_way:
            return Fate.FAILED, "it was sent and no answer came; run the same again"
        if lead.frozen:
            return Fate.FAILED, f"{', '.join(sorted(lead.frozen))} waits for a person"
        return Fate.FAILED, "not sent; run the same again"


def _speaks_first(one: Known) -> tuple[bool, bool, int]:
    """The record that stands for a person in the target."""
    return one.ext is None or one.state is not State.LIVE, one.role != PRIMARY, one.id
