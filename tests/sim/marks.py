"""Which dangerous states a simulation met, counted where the engine meets them.

A simulation that never gets into danger proves nothing: a run of 100 seeds that met one of these too seldom is red.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sync import observe, push, recover, settle, take
from tests.sim.truth import Truth

LEAST = {
    "in-doubt create adopted": 10,
    "edit between claim and settle": 25,
    "crash after claim": 25,
    "late read dropped": 25,
    "echo before its answer": 25,
    "value cut over there": 20,
    "claim void: something newer was read": 10,
    "stale write refused": 25,
    "create met a record": 4,
    "two creates in doubt that may be one record": 10,
    "unread edit met by our write": 15,
    "in-doubt create sent again": 25,
    "in-doubt update read": 100,
    "rename onto another's address": 20,
    "duplicate entered": 25,
    "merged over there": 8,
    "power cut": 100,
    "opted-out person's address changed": 15,
    "our create was read before its answer": 50,
    "snapshot from before our write": 25,
    "reading failed": 100,
}
"""Mark → how often 100 seeds must meet it."""


@contextmanager
def watching(marks: Counter[str], truth: Truth, now: Callable[[], float]) -> Iterator[None]:
    """Count, while this is open, what happens inside the engine."""
    restore: list[tuple[Any, str, Any]] = []

    def wrap(module: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
        original = getattr(module, name)
        restore.append((module, name, original))
        setattr(module, name, wrapper(original))

    def observing(original: Any) -> Any:
        def wrapped(known: Any, row: Any, flight: Any, *rest: Any, **how: Any) -> Any:
            before = {
                "base": dict(known.base),
                "now": dict(known.now),
                "asked": dict(known.asked),
                "sent": dict(known.sent),
            }
            seen = original(known, row, flight, *rest, **how)
            if seen is observe.Seen.LATE:
                marks["late read dropped"] += 1
                return seen
            for value in row.fields.values():
                truth.note_read(value, now())
            if flight:
                for name, value in flight["fields"].items():
                    if row.fields.get(name) == value != before["now"].get(name):
                        marks["echo before its answer"] += 1
                    elif name in known.base and name not in before["base"]:
                        marks["edit between claim and settle"] += 1
                if known.base.keys() - before["base"].keys():
                    marks["edit between claim and settle"] += 1
            if known.asked.keys() - before["asked"].keys():
                marks["value cut over there"] += 1
            for name, value in before["sent"].get("fields", {}).items():
                if name in row.fields and row.fields[name] != known.now.get(name) and value != row.fields[name]:
                    marks["snapshot from before our write"] += 1
            return seen

        return wrapped

    def meeting(original: Any) -> Any:
        def wrapped(system: Any, mapping: Any, row: Any, at: Any, taken: Any) -> Any:
            for value in row.fields.values():
                truth.note_read(value, now())
            return original(system, mapping, row, at, taken)

        return wrapped

    def standing(original: Any) -> Any:
        def wrapped(tx: Any, rows: Any, known: Any, out: Any) -> Any:
            keep = original(tx, rows, known, out)
            marks["claim void: something newer was read"] += len(rows) - len(keep)
            return keep

        return wrapped

    def settling_create(original: Any) -> Any:
        def wrapped(
            engine: Any, tx: Any, system: Any, lease: Any, row: Any, rivals: Any, found: Any, seq: Any, run: Any
        ) -> Any:
            marks["in-doubt create adopted" if found else "in-doubt create sent again"] += 1
            marks["two creates in doubt that may be one record"] += bool(rivals)
            return original(engine, tx, system, lease, row, rivals, found, seq, run)

        return wrapped

    def looking_up(original: Any) -> Any:
        def wrapped(engine: Any, system: Any, lease: Any, row: Any, rivals: Any, run: Any) -> Any:
            if row.kind != "create" and row.step:
                marks["in-doubt update read"] += 1
            return original(engine, system, lease, row, rivals, run)

        return wrapped

    def settled(original: Any) -> Any:
        def wrapped(engine: Any, tx: Any, system: Any, lease: Any, rows: Any, answers: Any, run: Any) -> Any:
            for row, answer in zip(rows, answers, strict=True):
                if row.step == 0 and isinstance(answer, settle.Done):
                    marks["opted-out person's address changed"] += 1
            return original(engine, tx, system, lease, rows, answers, run)

        return wrapped

    def adopting(original: Any) -> Any:
        def wrapped(self: Any, row: Any, earlier: Any, lead: Any) -> Any:
            marks["our create was read before its answer"] += 1
            return original(self, row, earlier, lead)

        return wrapped

    def claiming(original: Any) -> Any:
        def wrapped(row: Any, known: Any, mark: Any) -> Any:
            write = original(row, known, mark)
            truth.claimed[write.key] = now()
            (truth.claimed_out.add if known.now.get("consent") == "out" else truth.claimed_out.discard)(write.key)
            return write

        return wrapped

    wrap(push, "_write", claiming)
    wrap(take, "observe", observing)
    wrap(take, "_meet", meeting)
    wrap(push, "_standing", standing)
    wrap(push, "settle", settled)
    wrap(recover, "_settle_create", settling_create)
    wrap(recover, "_look_up", looking_up)
    wrap(settle._Settling, "_adopt", adopting)
    try:
        yield
    finally:
        for module, name, original in reversed(restore):
            setattr(module, name, original)
