"""What an engine has heard of a record that people act on."""

from __future__ import annotations

from connectors.base import Fields, Ref
from sync.engine import Engine
from sync.model import Known
from sync.store import leads, outbox, records


def knows(engine: Engine, number: int, ref: Ref) -> bool:
    """Whether we have read that record of system `number`."""
    with engine.store.read() as tx:
        return bool(records.by_ext(tx, number, ref.object, {ref.id}))


def heard_no(engine: Engine, number: int, ref: Ref) -> bool:
    """Whether we have read that it says no, or are about to take that in."""
    with engine.store.read() as tx:
        known = records.by_ext(tx, number, ref.object, {ref.id}).values()
    return any(_says_no(engine, each, each.now) or _says_no(engine, each, each.pending) for each in known)


def idle(engine: Engine) -> bool:
    """Whether nothing is left to decide or to send."""
    with engine.store.read() as tx:
        return leads.count_dirty(tx) == 0 and not outbox.counts(tx)


def _says_no(engine: Engine, known: Known, shown: Fields) -> bool:
    mapping = engine.mapping(known)
    return mapping is not None and mapping.read_group("consent.email", shown) == "out"
