"""Engines with one rule switched off: the simulator must find each of them.

A mutant that survives is a missing check. `within`: by which seed the simulator must be red.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sync import decide, identity, model, observe, plan, pull, push, recover, resolve, saving, settle
from sync.store import feeds, outbox, records


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


# --- beyond the rules' own table ---------------------------------------------------------------------------------


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _has_a_name(side: model.Side) -> bool:
    return side.known.ext is not None


def _forget_base(self: Any, row: Any, known: Any, answer: Any) -> None:
    """Whatever was seen while our write was under way is taken for ours."""
    known.now.update(answer.fields or {})
    for name in row.body["fields"]:
        known.base.pop(name, None)


WIDER = (
    Mutant(
        "writes-at-first-sight",
        "F6: what meets for the first time is not written over",
        ((model.Side, "is_fresh", lambda self, group: False),),
    ),
    Mutant("raises-consent", "F8: a yes is told only where it was confirmed", ((plan, "_may_raise", lambda *_: True),)),
    Mutant("no-goes-behind", "F7: the no to a new address goes ahead of it", ((plan, "_guard_new_address", _nothing),)),
    Mutant("tells-no-withdrawal", "F32: a no is told everywhere, and by itself", ((plan, "_withdrawal", _nothing),)),
    Mutant(
        "writes-to-the-dead", "F29: what is not live is not written to", ((model.Side, "live", property(_has_a_name)),)
    ),
    Mutant("never-recovers", "F4: what is in doubt is looked up", ((push, "recover", lambda *_: 0),)),
    Mutant("no-doubt", "F4: an answer that did not come is a doubt", ((outbox, "doubt", _nothing),)),
    Mutant("no-history", "whatever loses stands in the history", ((saving, "_history", _nothing),)),
    Mutant(
        "hidden-edits",
        "an edit that our write hid is found in the vendor's history",
        ((settle, "look_for_hidden", _nothing), (recover, "look_for_hidden", _nothing)),
    ),
    Mutant(
        "edits-under-ours",
        "F16: an edit seen under our write is kept",
        ((settle._Settling, "_confirmed", _forget_base),),
    ),
    Mutant(
        "no-adoption", "F4: a create that was read before its answer is ours", ((settle._Settling, "_adopt", _nothing),)
    ),
    Mutant("hints-lost", "a record that is named is fetched", ((feeds, "add_hints", _nothing),)),
    Mutant("nobody-is-missed", "F29: who does not show up in a sweep is looked for", ((pull, "_miss", _nothing),)),
    Mutant(
        "names-do-not-matter",
        "F10: an address joins nobody whose names contradict",
        ((identity, "compatible", lambda a, b: True),),
    ),
    Mutant(
        "decides-on-old-news",
        "F16: what moved while it was decided is decided anew",
        ((decide, "_unmoved", lambda tx, cases: list(cases)),),
        within=150,
    ),
)
"""More of them, tried by `make mutants`."""


def main() -> int:
    """Hunt all of them, and print which seed finds each, and by what."""
    from concurrent.futures import ProcessPoolExecutor

    survivors = 0
    every = [*MUTANTS, *WIDER]
    with ProcessPoolExecutor() as pool:
        for each, (seed, faults) in zip(every, pool.map(_hunt, [one.name for one in every]), strict=True):
            survivors += seed is None
            found = "survives" if seed is None else f"seed {seed}: {', '.join(faults)}"
            print(f"{each.name:24}  {found:60}  {each.rule}", flush=True)
    return 1 if survivors else 0


def _hunt(name: str) -> tuple[int | None, list[str]]:
    from tests.sim.__main__ import quietly

    within = next(one.within for one in (*MUTANTS, *WIDER) if one.name == name)
    for seed in range(1, within + 1):
        outcome = quietly(name, seed)
        if outcome.red:
            return seed, sorted(outcome.faults)
    return None, []


if __name__ == "__main__":
    import sys

    sys.exit(main())
