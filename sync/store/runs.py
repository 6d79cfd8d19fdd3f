"""Runs, what they did, what a person must decide: the statements that read and write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from sync.model import Question
from sync.packed import pack, unpack
from sync.store.db import Tx
from sync.store.schema import history, review, run

_REMEMBER = sa.insert(history)
_ASK = sa.insert(review)
SAMPLES = 5
"""So many examples are kept of a question that many records raise."""


def begin(tx: Tx, kind: str, who: str, why: str, at: int, undoes: int | None = None) -> int:
    row = {"kind": kind, "who": who, "why": why, "state": "running", "started": at, "undoes": undoes}
    return int(tx.value(sa.insert(run).values(**row).returning(run.c.id)))


def end(tx: Tx, run_id: int, state: str, counts: Mapping[str, object], at: int, digest: str | None = None) -> None:
    values = {"state": state, "counts": pack(counts), "ended": at, "digest": digest}
    tx.run(sa.update(run).where(run.c.id == run_id).values(**values))


def sent(tx: Tx, plan_id: int, run_id: int, count: int) -> None:
    """Note of a plan that this run sent so many of its changes."""
    made = by_id(tx, plan_id)
    if made is not None:
        counts = {**made.counts, "sent": [*made.counts.get("sent", []), [run_id, count]]}
        tx.run(sa.update(run).where(run.c.id == plan_id).values(counts=pack(counts)))


@dataclass(slots=True)
class Run:
    id: int
    kind: str
    who: str
    why: str
    state: str
    digest: str | None
    counts: dict[str, Any]
    undoes: int | None
    started: int
    ended: int | None


def by_id(tx: Tx, run_id: int) -> Run | None:
    row = tx.row(select(*run.c).where(run.c.id == run_id))
    return _run(row) if row else None


def by_ids(tx: Tx, ids: Sequence[int]) -> dict[int, Run]:
    return {row.id: _run(row) for row in tx.rows(select(*run.c).where(run.c.id.in_(list(ids))))} if ids else {}


def of_kind(tx: Tx, kind: str) -> list[Run]:
    """All runs of a kind, oldest first. Looks through them all: only when a person asks."""
    return [_run(row) for row in tx.rows(select(*run.c).where(run.c.kind == kind).order_by(run.c.id))]


def latest(tx: Tx, count: int) -> list[Run]:
    rows = tx.rows(select(*run.c).order_by(run.c.id.desc()).limit(count))
    return [_run(row) for row in rows]


def _run(row: Any) -> Run:
    return Run(**{**row._mapping, "counts": unpack(row.counts) or {}})


# --- history ---


def remember(tx: Tx, rows: Sequence[tuple[int | None, int | None, int, int, Mapping[str, object]]]) -> None:
    """(lead, record, run, at, body): one row per lead or record and run."""
    tx.many(
        _REMEMBER,
        [{"lead": a, "record": b, "run": r, "at": at, "body": pack(body)} for a, b, r, at, body in rows],
    )


@dataclass(slots=True)
class Past:
    id: int
    lead: int | None
    record: int | None
    run: int
    at: int
    body: dict[str, Any]


_PAST = select(history.c.id, history.c.lead, history.c.record, history.c.run, history.c.at, history.c.body)


def of_lead(tx: Tx, leads: Sequence[int]) -> list[Past]:
    """Everything that happened to a lead (under all its ids), oldest first."""
    rows = tx.rows(_PAST.where(history.c.lead.in_(list(leads))).order_by(history.c.id))
    return [_past(row) for row in rows]


def of_run(tx: Tx, run_id: int) -> Iterator[Past]:
    """Everything a run did, the last first."""
    for row in tx.stream(_PAST.where(history.c.run == run_id).order_by(history.c.id.desc())):
        yield _past(row)


def decisions(tx: Tx, leads: Sequence[int], run_ids: Sequence[int]) -> list[Past]:
    """What these runs decided of these leads."""
    if not leads:
        return []
    where = (history.c.lead.in_(list(leads)), history.c.run.in_(list(run_ids)), history.c.record.is_(None))
    return [_past(row) for row in tx.rows(_PAST.where(*where).order_by(history.c.id))]


def _past(row: Any) -> Past:
    return Past(**{**row._mapping, "body": unpack(row.body)})


@dataclass(frozen=True, slots=True)
class Written:
    """A write of ours: when it was settled, the change up to which the record had been read before (by the vendor's
    clock), and native field → [believed, sent]."""

    at: int
    read: int
    fields: dict[str, list[Any]]


def writes(tx: Tx, lead: int, record: int, count: int) -> list[Written]:
    """Our last writes to a record, newest first."""
    where = (history.c.lead == lead, history.c.record == record)
    rows = tx.rows(select(history.c.at, history.c.body).where(*where).order_by(history.c.id.desc()).limit(count))
    bodies = [(row.at, unpack(row.body)) for row in rows]
    return [Written(at, int(body.get("read", 0)), body["fields"]) for at, body in bodies]


# --- review ---


@dataclass(slots=True)
class Review:
    id: int
    kind: str
    cause: str
    system: int | None
    lead: int | None
    record: int | None
    n: int
    body: dict[str, Any]
    seen: str | None
    state: str
    at: int


_R = review.c
_REVIEW = select(_R.id, _R.kind, _R.cause, _R.system, _R.lead, _R.record, _R.n, _R.body, _R.seen, _R.state, _R.at)


def _review(row: Any) -> Review:
    return Review(**{**row._mapping, "body": unpack(row.body) or {}})


def ask(tx: Tx, questions: Sequence[Question], at: int) -> None:
    """Put questions, by cause: one that is open already gets another sample, one whose values moved is asked anew and
    under another number, so that an answer to what was shown before does not fit it."""
    if not questions:
        return
    causes = sorted({each.cause for each in questions})
    where = _R.cause.in_(bindparam("causes", expanding=True))
    found = {row[2]: _review(row) for row in tx.rows(_REVIEW.where(where), {"causes": causes})}
    new: dict[str, Question] = {}
    count: dict[str, int] = {}
    samples: dict[str, list[Any]] = {}
    for each in questions:
        known = found.get(each.cause)
        if known is not None and known.state == "open" and known.seen == each.seen and each.record == known.record:
            continue
        if known is not None and known.state == "left" and known.seen == each.seen:
            continue
        kept = samples.setdefault(each.cause, list(known.body.get("samples", [])) if known else [])
        mark = [each.lead, each.record]
        if known is not None and known.state == "open" and known.seen == each.seen and mark in kept:
            continue
        if len(kept) < SAMPLES and mark not in kept:
            kept.append(mark)
        new[each.cause] = each
        count[each.cause] = count.get(each.cause, 0) + 1
    for cause, each in new.items():
        known = found.get(cause)
        body = pack({**each.body, "samples": samples[cause]})
        if known is not None and known.seen != each.seen:
            tx.run(sa.delete(review).where(_R.id == known.id))
            known = None
        if known is None:
            row: dict[str, Any] = {
                "kind": each.kind,
                "cause": cause,
                "system": each.system,
                "lead": each.lead,
                "record": each.record,
            }
            row |= {"n": count[cause], "body": body, "seen": each.seen, "state": "open", "at": at}
            tx.many(_ASK, [row])
            continue
        again = known.state != "open"
        values = {"n": count[cause] if again else known.n + count[cause], "body": body, "at": at}
        tx.run(sa.update(review).where(_R.id == known.id).values(**values, state="open"))


def close(tx: Tx, causes: Sequence[str]) -> None:
    """The reason of these questions is gone."""
    if causes:
        tx.run(sa.update(review).where(_R.cause.in_(list(causes)), _R.state == "open").values(state="over"))


def decided(tx: Tx, review_id: int, state: str = "decided") -> None:
    """`state`: "left" where the answer stands, and the same is not asked again."""
    tx.run(sa.update(review).where(_R.id == review_id).values(state=state))


def review_by_id(tx: Tx, review_id: int) -> Review | None:
    row = tx.row(_REVIEW.where(_R.id == review_id))
    return _review(row) if row else None


def open_reviews(tx: Tx, count: int, after: int = 0) -> list[Review]:
    rows = tx.rows(_REVIEW.where(_R.state == "open", _R.id > after).order_by(_R.id).limit(count))
    return [_review(row) for row in rows]


def last_question(tx: Tx) -> int:
    """The highest number that a question has."""
    return int(tx.value(select(sa.func.max(_R.id))) or 0)


def count_open(tx: Tx) -> dict[str, int]:
    """Kind → how many questions are open."""
    rows = tx.rows(select(_R.kind, sa.func.count()).where(_R.state == "open").group_by(_R.kind))
    return {row[0]: row[1] for row in rows}


def open_questions(tx: Tx, kind: str) -> list[Review]:
    return [_review(row) for row in tx.rows(_REVIEW.where(_R.state == "open", _R.kind == kind).order_by(_R.id))]


def open_of_leads(tx: Tx, system: int, leads: Sequence[int]) -> dict[int, list[Review]]:
    """Lead → what is asked about it in a system. A question that many leads raise names some of them only."""
    where = (_R.state == "open", _R.system == system, _R.lead.in_(list(leads)))
    found: dict[int, list[Review]] = {}
    for row in tx.rows(_REVIEW.where(*where).order_by(_R.id)):
        each = _review(row)
        found.setdefault(each.lead or 0, []).append(each)
    return found


def open_causes(tx: Tx, kind: str) -> set[str]:
    return {row[0] for row in tx.rows(select(_R.cause).where(_R.kind == kind, _R.state == "open"))}
