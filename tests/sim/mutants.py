"""Engines with one rule switched off: the simulator must find each of them.

A mutant that survives is a missing check. `within`: by which seed the simulator must be red.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sync import decide, model, observe, push, recover, resolve
from sync.store import records


@dataclass(frozen=True, slots=True)
class Mutant:
    """`swaps`: (module or class, name, what stands in for it)."""

    name: str
    rule: str
    swaps: tuple[tuple[Any, str, Any], ...]
    within: int = 50

    @contextmanager
    def on(self) -> Iterator[None]:
        before = [(place, name, getattr(place, name)) for place, name, _ in self.swaps]
        for place, name, other in self.swaps:
            setattr(place, name, other)
        try:
            yield
        finally:
            for place, name, original in before:
                setattr(place, name, original)


def _absorb_frozen_too(case: Any, run: int) -> None:
    """Base advances for every group, also for those that wait for a person."""
    for side in case.sides:
        case.merged.absorbed.setdefault(side.known.id, set()).update(case.merged.frozen)
    _absorb(case, run)


_absorb = decide._absorb


def _every_system(engine: Any, tx: Any) -> set[int]:
    return set(engine.systems)


def _all_stand(tx: Any, rows: Any, known: Any, out: Any) -> Any:
    return [row for row in rows if row.record in known]


def _nothing_explains(sent: Any, seen: Any, kinds: Any) -> bool:
    return False


def _without_horizon(system: Any) -> float:
    return 0.0


def _no_memo(self: Any, group: str, wanted: str, why: str, run: int) -> None:
    return None


def _memo_stays(known: Any, groups: Any) -> None:
    return None


MUTANTS = (
    Mutant("memo-stays", "F2: an edit ends the asked memo of its field", ((decide, "end_memos", _memo_stays),)),
    Mutant("no-echo", "F3: writes in flight explain what a read shows", ((observe, "explains", _nothing_explains),)),
    Mutant(
        "no-barrier",
        "F6: creates wait until the target was read whole",
        (
            (resolve, "primed_systems", _every_system),
            (decide, "primed_systems", _every_system),
            (push, "_creates_are_stale", lambda engine, tx, system, now: False),
            (records, "any_unplaced", lambda tx, system: False),
        ),
    ),
    Mutant(
        "base-advances", "F1: base advances only when the edit was absorbed", ((decide, "_absorb", _absorb_frozen_too),)
    ),
    Mutant("no-memo", "F2: what was asked is not asked again", ((model.Known, "settle_for", _no_memo),)),
    Mutant(
        "stale-claims",
        "F16: a queued write is void once its record was seen changed",
        ((push, "_standing", _all_stand),),
    ),
    Mutant("no-horizon", "F4: in-doubt creates wait for the vendor's limit", ((recover, "horizon", _without_horizon),)),
    Mutant(
        "late-reads",
        "F15: a late read never replaces a newer one",
        ((observe, "arrived_late", lambda known, row: False),),
    ),
    Mutant(
        "ours-by-time",
        "F3: coercion is recognised by value, not by time",
        ((observe, "became", lambda sent, seen, kinds: True),),
        within=150,
    ),
)
