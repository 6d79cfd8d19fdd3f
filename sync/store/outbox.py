"""Operations that are decided and not yet settled: the statements of the transactional outbox.

One row per record. A newer plan replaces an unsent row; a row that is being sent is frozen until its answer, or until
what became of it was looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from sync.model import RESTORE, OutState
from sync.packed import pack, unpack
from sync.store.db import Tx, Upsert, among
from sync.store.schema import outbox

C = outbox.c


@dataclass(slots=True)
class Row:
    """`body`: fields, before, groups, wanted, object, and for two steps: step, address, withdraw."""

    record: int
    system: int
    lane: int
    kind: str
    body: dict[str, Any]
    lead: int | None
    lead_rev: int
    obs: int
    run: int
    state: int = OutState.PROPOSED
    token: int = 0
    step: int = 0
    sent_at: int | None = None
    doubt_at: int | None = None
    not_before: int = 0
    tries: int = 0
    seq: int = 0


SLICE = 5_000
"""So many rows are approved by one statement: SQLite keeps all that a statement changes in memory until it ends."""

_NAMES = (
    *("record", "system", "lane", "kind", "body", "lead", "lead_rev", "obs", "run", "state", "token", "step"),
    *("sent_at", "doubt_at", "not_before", "tries", "seq"),
)
_SELECT = select(*(C[name] for name in _NAMES))
_PUT = Upsert(
    outbox,
    ("record",),
    lambda new: {name: new[name] for name in _NAMES if name not in ("record", "tries")},
    where=sa.and_(C.state != int(OutState.SENDING), C.step != RESTORE),
)
_PROPOSED = _SELECT.where(C.state == int(OutState.PROPOSED)).order_by(C.system, C.lane, C.seq)
_UNSENT = _SELECT.where(C.state != int(OutState.SENDING)).order_by(C.system, C.lane, C.seq)
_BY_LEAD = _SELECT.where(C.state != int(OutState.SENDING)).order_by(C.lead, C.system, C.lane, C.seq)
_COUNTS = select(C.system, C.kind, C.lane, C.state, sa.func.count()).group_by(C.system, C.kind, C.lane, C.state)
_FLYING = select(C.record, C.body, C.run).where(C.state == int(OutState.SENDING), among(C.record, "ids"))
_SENDING = _SELECT.where(C.system == bindparam("system"), C.state == int(OutState.SENDING)).order_by(C.record)
_READY = (
    _SELECT.where(C.system == bindparam("system"), C.state == int(OutState.QUEUED), C.not_before <= bindparam("now"))
    .order_by(C.lane, C.seq)
    .limit(bindparam("count"))
)
_BY_RECORD = _SELECT.where(among(C.record, "ids"))
_CLAIM = (
    sa.update(outbox)
    .where(C.record == bindparam("b_record"), C.state == int(OutState.QUEUED))
    .values(
        state=int(OutState.SENDING),
        token=bindparam("b_token"),
        sent_at=bindparam("b_at"),
        doubt_at=None,
        tries=C.tries + 1,
    )
)
_REQUEUE = (
    sa.update(outbox)
    .where(C.record == bindparam("b_record"))
    .values(state=int(OutState.QUEUED), not_before=bindparam("b_not_before"), doubt_at=None, lane=bindparam("b_lane"))
)
_DOUBT = sa.update(outbox).where(C.record == bindparam("b_record")).values(doubt_at=bindparam("b_doubt"))
_STEP = (
    sa.update(outbox)
    .where(C.record == bindparam("b_record"))
    .values(step=bindparam("b_step"), state=int(OutState.QUEUED), doubt_at=None)
)
_DELETE = sa.delete(outbox).where(among(C.record, "ids"))
_DROP_UNSENT = sa.delete(outbox).where(among(C.record, "ids"), C.state != int(OutState.SENDING), C.step != RESTORE)


def _row(found: Sequence[Any]) -> Row:
    record, system, lane, kind, body, *others = found
    return Row(record, system, lane, kind, unpack(body), *others)


def flying(tx: Tx, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Record → the body that is being sent to it, with the run that decided it."""
    if not ids:
        return {}
    rows = tx.rows(_FLYING, {"ids": list(ids)})
    return {row[0]: {**unpack(row[1]), "run": row[2]} for row in rows}


def sending(tx: Tx, system: int) -> list[Row]:
    return [_row(row) for row in tx.rows(_SENDING, {"system": system})]


def ready(tx: Tx, system: int, now: int, count: int) -> list[Row]:
    """Approved rows whose time has come, the most urgent first."""
    return [_row(row) for row in tx.rows(_READY, {"system": system, "now": now, "count": count})]


def by_record(tx: Tx, ids: Collection[int]) -> dict[int, Row]:
    return {row[0]: _row(row) for row in tx.rows(_BY_RECORD, {"ids": list(ids)})} if ids else {}


def put(tx: Tx, rows: Sequence[Row]) -> None:
    """Propose; an unsent row of the same record is replaced, one that is being sent is not."""
    if not rows:
        return
    first = tx.ids("seq", len(rows))
    tx.many(
        _PUT(tx),
        [
            {
                "record": each.record,
                "system": each.system,
                "lane": each.lane,
                "kind": each.kind,
                "body": pack(each.body),
                "lead": each.lead,
                "lead_rev": each.lead_rev,
                "obs": each.obs,
                "run": each.run,
                "state": int(each.state),
                "token": 0,
                "step": each.step,
                "sent_at": None,
                "doubt_at": None,
                "not_before": each.not_before,
                "tries": each.tries,
                "seq": first + i,
            }
            for i, each in enumerate(rows)
        ],
    )


def drop_unsent(tx: Tx, ids: Collection[int]) -> None:
    """What was planned for these records and not sent is void."""
    if ids:
        tx.run(_DROP_UNSENT, {"ids": list(ids)})


def forget(tx: Tx) -> None:
    """Everything, whatever became of it."""
    tx.run(sa.delete(outbox))


def delete(tx: Tx, ids: Collection[int]) -> None:
    if ids:
        tx.run(_DELETE, {"ids": list(ids)})


def claim(tx: Tx, ids: Iterable[int], token: int, at: int) -> None:
    tx.many(_CLAIM, [{"b_record": each, "b_token": token, "b_at": at} for each in ids])


def requeue(tx: Tx, later: Mapping[int, int], lane: int) -> None:
    """Record → not before: to be sent again."""
    tx.many(_REQUEUE, [{"b_record": each, "b_not_before": at, "b_lane": lane} for each, at in sorted(later.items())])


def doubt(tx: Tx, ids: Iterable[int], at: int) -> None:
    """Nobody knows what became of these since `at`."""
    tx.many(_DOUBT, [{"b_record": each, "b_doubt": at} for each in ids])


def next_step(tx: Tx, ids: Iterable[int], step: int) -> None:
    """The first step of these is done; the second may be claimed, if they still stand as decided."""
    tx.many(_STEP, [{"b_record": each, "b_step": step} for each in sorted(ids)])


def approve(tx: Tx, where: Sequence[Any] = ()) -> int:
    """Make proposed rows claimable; answers how many."""
    some = select(C.record).where(C.state == int(OutState.PROPOSED), *where).limit(SLICE)
    statement = sa.update(outbox).where(C.record.in_(some)).values(state=int(OutState.QUEUED))
    done = 0
    while more := tx.run(statement):
        done += more
    return done


def proposed(tx: Tx) -> Iterable[Row]:
    """Every proposed row, in the order of sending."""
    for row in tx.stream(_PROPOSED):
        yield _row(row)


def unsent(tx: Tx) -> Iterable[Row]:
    """Every row that is not being sent, in the order of sending."""
    for row in tx.stream(_UNSENT):
        yield _row(row)


def unsent_by_lead(tx: Tx) -> Iterable[Row]:
    """The same, with all that concerns one person together."""
    for row in tx.stream(_BY_LEAD):
        yield _row(row)


def counts(tx: Tx) -> dict[tuple[int, str, int, int], int]:
    """(system, kind, lane, state) → how many."""
    return {(row[0], row[1], row[2], row[3]): row[4] for row in tx.rows(_COUNTS)}


def due(tx: Tx, system: int, now: int) -> bool:
    """Whether anything approved waits to be sent now."""
    return bool(tx.rows(_READY, {"system": system, "now": now, "count": 1}))
