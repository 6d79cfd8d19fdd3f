"""Systems, their feeds and hints, what guards count, leases: the statements that read and write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from sync.packed import pack, unpack
from sync.store.db import Tx, Upsert
from sync.store.schema import feed, hint, lease, rolling, system

HOUR = 3_600_000_000
DAY_HOURS = 24


NEW, RESTORED, LIVE = "new", "restored", "live"


@dataclass(slots=True)
class SystemRow:
    """`state`: new (its first plan was not shown yet), restored (the database was put back, and nothing is sent before
    a person has seen the plan, whatever the configuration says) or live."""

    id: int
    name: str
    connector: str
    mapping: dict[str, dict[str, str]]
    told: dict[str, Any]
    schema: dict[str, dict[str, str]]
    schema_at: int | None
    state: str
    not_before: int
    failures: int
    trouble: str | None
    swept_at: int | None
    size: int

    @property
    def is_live(self) -> bool:
        return self.state not in (NEW, RESTORED)


_SYSTEM = select(*system.c).order_by(system.c.id)
_ONE_SYSTEM = select(*system.c).where(system.c.id == bindparam("id"))
_SAVE_FEED = Upsert(
    feed,
    ("system", "object", "kind"),
    lambda new: {name: new[name] for name in ("cursor", "watermark", "began", "primed_at", "round")},
)
_HINT = Upsert(hint, ("system", "object", "ext", "why"), lambda new: {"seq": hint.c.seq + 1, "at": new.at})
_DUE_HINTS = (
    select(hint.c.object, hint.c.ext, hint.c.why, hint.c.seq)
    .where(hint.c.system == bindparam("system"), hint.c.at <= bindparam("now"))
    .order_by(hint.c.lane, hint.c.at, hint.c.object, hint.c.ext, hint.c.why)
    .limit(bindparam("count"))
)
_DROP_HINT = sa.delete(hint).where(
    hint.c.system == bindparam("b_system"),
    hint.c.object == bindparam("b_object"),
    hint.c.ext == bindparam("b_ext"),
    hint.c.why == bindparam("b_why"),
    hint.c.seq == bindparam("b_seq"),
)
_COUNT = Upsert(rolling, ("system", "field", "what", "hour"), lambda new: {"n": rolling.c.n + new.n})
_TAKE = Upsert(lease, ("name",), lambda new: {name: new[name] for name in ("owner", "token", "until")})
_LEASE = select(lease.c.owner, lease.c.token, lease.c.until).where(lease.c.name == bindparam("name"))
_EXTEND = (
    sa.update(lease)
    .where(lease.c.name == bindparam("b_name"), lease.c.token == bindparam("b_token"))
    .values(until=bindparam("b_until"))
)


def systems(tx: Tx) -> list[SystemRow]:
    return [_system(row) for row in tx.rows(_SYSTEM)]


def system_row(tx: Tx, system_id: int) -> SystemRow:
    (row,) = tx.rows(_ONE_SYSTEM, {"id": system_id})
    return _system(row)


def _system(row: Any) -> SystemRow:
    packed = ("mapping", "told", "schema")
    return SystemRow(**{**row._mapping, **{name: unpack(row._mapping[name]) or {} for name in packed}})


def enrol(tx: Tx, name: str, connector: str) -> int:
    """The id of a system; a new one is made, its first plan not approved yet."""
    found = tx.value(select(system.c.id).where(system.c.name == name))
    if found is not None:
        return int(found)
    row = {"name": name, "connector": connector, "state": NEW, "not_before": 0, "failures": 0, "size": 0}
    return int(tx.value(sa.insert(system).values(**row).returning(system.c.id)))


def update_system(tx: Tx, system_id: int, **values: object) -> None:
    values.update({name: pack(values[name]) for name in ("mapping", "told", "schema") if name in values})
    tx.run(sa.update(system).where(system.c.id == system_id).values(**values))


def grow(tx: Tx, system_id: int, by: int) -> None:
    """So many live records more, or less."""
    if by:
        tx.run(sa.update(system).where(system.c.id == system_id).values(size=system.c.size + by))


# --- feeds ---


@dataclass(slots=True)
class FeedRow:
    system: int
    object: str
    kind: str
    cursor: str | None
    watermark: int
    began: int | None
    primed_at: int | None
    round: int


_FEED = select(*feed.c)
_FEED_OF = _FEED.where(
    feed.c.system == bindparam("system"), feed.c.object == bindparam("object"), feed.c.kind == bindparam("kind")
)


def feed_of(tx: Tx, system_id: int, object: str, kind: str) -> FeedRow:
    row = tx.row(_FEED_OF, {"system": system_id, "object": object, "kind": kind})
    return FeedRow(*row) if row else FeedRow(system_id, object, kind, None, 0, None, None, 0)


def feeds(tx: Tx) -> list[FeedRow]:
    return [FeedRow(*row) for row in tx.rows(_FEED.order_by(feed.c.system, feed.c.object, feed.c.kind))]


def save_feed(tx: Tx, each: FeedRow) -> None:
    values = {
        "system": each.system,
        "object": each.object,
        "kind": each.kind,
        "cursor": each.cursor,
        "watermark": each.watermark,
        "began": each.began,
        "primed_at": each.primed_at,
        "round": each.round,
    }
    tx.many(_SAVE_FEED(tx), [values])


def read_again(tx: Tx, system_id: int, object: str) -> None:
    """The feeds of an object begin anew; whoever was read whole stays so."""
    where = (feed.c.system == system_id, feed.c.object == object, feed.c.kind == "delta")
    tx.run(sa.update(feed).where(*where).values(cursor=None, began=None))


def unprime(tx: Tx, system_id: int) -> None:
    """Everything of this system must be read whole again before anybody is created in it."""
    tx.run(
        sa.update(feed).where(feed.c.system == system_id).values(cursor=None, began=None, primed_at=None, watermark=0)
    )


# --- hints ---


@dataclass(slots=True)
class Hint:
    object: str
    ext: str
    why: str
    seq: int


def add_hints(tx: Tx, system_id: int, hints: Iterable[tuple[str, str, str]], lane: int, at: int) -> None:
    """(object, ext, why) to be fetched, not before `at`. A hint that is there already counts on, so that one
    arriving during its own fetch is not lost."""
    rows = [
        {"system": system_id, "object": o, "ext": ext, "why": why, "lane": lane, "seq": 1, "at": at}
        for o, ext, why in sorted(set(hints))
    ]
    tx.many(_HINT(tx), rows)


def due_hints(tx: Tx, system_id: int, now: int, count: int) -> list[Hint]:
    return [Hint(*row) for row in tx.rows(_DUE_HINTS, {"system": system_id, "now": now, "count": count})]


def drop_hints(tx: Tx, system_id: int, hints: Sequence[Hint]) -> None:
    """They were fetched, unless told again since."""
    tx.many(
        _DROP_HINT,
        [{"b_system": system_id, "b_object": e.object, "b_ext": e.ext, "b_why": e.why, "b_seq": e.seq} for e in hints],
    )


# --- what guards count ---


def count(tx: Tx, system_id: int, counted: Mapping[tuple[str, str], int], now: int) -> None:
    """Add to this hour's counters: (field, what) → how many."""
    rows = [
        {"system": system_id, "field": name, "what": what, "hour": now // HOUR, "n": n}
        for (name, what), n in sorted(counted.items())
        if n
    ]
    tx.many(_COUNT(tx), rows)


def counted(tx: Tx, system_id: int, now: int) -> dict[tuple[str, str], int]:
    """(field, what) → how many in the last 24 hours."""
    r = rolling.c
    statement = select(r.field, r.what, sa.func.sum(r.n)).where(r.system == system_id, r.hour > now // HOUR - DAY_HOURS)
    return {(row[0], row[1]): int(row[2]) for row in tx.rows(statement.group_by(r.field, r.what))}


def forget_counts(tx: Tx, now: int) -> None:
    tx.run(sa.delete(rolling).where(rolling.c.hour <= now // HOUR - 2 * DAY_HOURS))


def reset_counts(tx: Tx, system_id: int, fields: Collection[str], what: str) -> None:
    """A person has looked: counting begins anew."""
    r = rolling.c
    tx.run(sa.delete(rolling).where(r.system == system_id, r.what == what, r.field.in_(list(fields))))


# --- leases ---


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a lease, and until when."""

    owner: str
    token: int
    until: int


def lease_of(tx: Tx, name: str) -> Held | None:
    row = tx.row(_LEASE, {"name": name})
    return Held(*row) if row else None


def take_lease(tx: Tx, name: str, owner: str, until: int) -> int:
    """Hold a lease; the token is greater than any before."""
    token = tx.ids("token", 1)
    tx.many(_TAKE(tx), [{"name": name, "owner": owner, "token": token, "until": until}])
    return token


def extend_lease(tx: Tx, name: str, token: int, until: int) -> bool:
    """Hold it on; False when somebody else has it now."""
    return tx.run(_EXTEND, {"b_name": name, "b_token": token, "b_until": until}) == 1


def drop_lease(tx: Tx, name: str, token: int) -> None:
    tx.run(sa.delete(lease).where(lease.c.name == name, lease.c.token == token))
