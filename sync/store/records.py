"""Records: the statements that read and write what is known of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from connectors.base import Fields, State, Writer
from sync.model import ALL, PRIMARY, WAITS_FOR_CREATE, WAITS_FOR_PERSON, Known, OutState
from sync.store.db import Tx, Upsert, pack, pack_or_none, unpack
from sync.store.schema import CREATE_WAITED_FOR, MERGED_NEW, UNLINKED, alias, apart, outbox, record

C = record.c
_ALL = ["*"]
_COLUMNS = [
    *("id", "system", "object", "ext", "lead", "role", "slot", "state", "state_at", "into", "fresh", "now", "base"),
    *("pending", "asked", "sent", "was", "answered", "version", "modified", "prev_modified", "writer", "times"),
    *("read_seq", "read_at", "obs", "swept", "waits", "awaits", "mine"),
]
_SELECT = select(*(C[name] for name in _COLUMNS))
_BY_EXT = _SELECT.where(
    C.system == bindparam("system"), C.object == bindparam("object"), C.ext.in_(bindparam("exts", expanding=True))
)
_BY_ALIAS = (
    select(alias.c.ext, *(C[name] for name in _COLUMNS))
    .join(record, C.id == alias.c.record)
    .where(
        alias.c.system == bindparam("system"),
        alias.c.object == bindparam("object"),
        alias.c.ext.in_(bindparam("exts", expanding=True)),
    )
)
_BY_ID = _SELECT.where(C.id.in_(bindparam("ids", expanding=True)))
_BY_LEAD = _SELECT.where(C.lead.in_(bindparam("leads", expanding=True))).order_by(C.id)
_BY_SLOT = _SELECT.where(C.slot.in_(bindparam("slots", expanding=True))).order_by(C.id)
_HOLDERS = select(C.id, C.slot, C.lead).where(
    C.system == bindparam("system"),
    C.slot.in_(bindparam("slots", expanding=True)),
    C.ext.is_not(None),
    C.state == int(State.LIVE),
)
_UNLINKED = (
    _SELECT.where(sa.text(UNLINKED), C.ext.is_not(None), C.system.in_(bindparam("systems", expanding=True)))
    .order_by(C.id)
    .limit(bindparam("count"))
)
_PRESENT = select(C.lead).where(
    C.lead.in_(bindparam("leads", expanding=True)), C.system == bindparam("system"), C.ext.is_not(None)
)
_UNPLACED = (
    select(C.id)
    .where(sa.text(UNLINKED), C.system == bindparam("system"), C.ext.is_not(None), C.state != int(State.MERGED))
    .limit(1)
)
_MERGED_INTO = _SELECT.where(C.into.in_(bindparam("refs", expanding=True)), C.system == bindparam("system")).order_by(
    C.id
)
_MERGED = _SELECT.where(sa.text(MERGED_NEW)).order_by(C.id).limit(bindparam("count"))
_LOOK_AGAIN = (
    sa.update(record)
    .where(C.system == bindparam("b_system"), C.into == bindparam("b_ref"), C.state == int(State.MERGED))
    .values(waits=0)
)
_INSERT = sa.insert(record)
_ADD_ALIAS = Upsert(alias, ("system", "object", "ext"), lambda new: {"record": new.record})
_KEEP_APART = Upsert(apart)
_CHANGED = [name for name in _COLUMNS if name != "id"]
_UPDATE = sa.update(record).where(C.id == bindparam("b_id")).values({name: bindparam(name) for name in _CHANGED})
_LINK = (
    sa.update(record)
    .where(C.id == bindparam("b_id"))
    .values(lead=bindparam("b_lead"), role=bindparam("b_role"), waits=0, awaits=None)
)
_WAIT = (
    sa.update(record).where(C.id == bindparam("b_id")).values(waits=bindparam("b_why"), awaits=bindparam("b_create"))
)
_WAIT_NO_MORE = (
    sa.update(record)
    .where(C.system == bindparam("b_system"), sa.text(CREATE_WAITED_FOR), C.awaits == bindparam("b_create"))
    .values(waits=0, awaits=None)
)
_AWAITING = _SELECT.where(C.system == bindparam("system"), sa.text(CREATE_WAITED_FOR), C.awaits == bindparam("create"))
_CREATES_UNDER_WAY = select(outbox.c.record, outbox.c.body).where(
    outbox.c.system == bindparam("system"), outbox.c.state == int(OutState.SENDING), outbox.c.kind == "create"
)
_BEING_CREATED = (
    select(C.lead, C.system, C.id)
    .join(outbox, outbox.c.record == C.id)
    .where(C.lead.in_(bindparam("leads", expanding=True)), C.ext.is_(None), outbox.c.state == int(OutState.SENDING))
)
_ABSORB = (
    sa.update(record)
    .where(C.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in ("fresh", "base", "pending", "asked", "role", "times")})
)
_READ = (
    sa.update(record).where(C.id == bindparam("b_id")).values(read_at=bindparam("b_at"), read_seq=bindparam("b_seq"))
)
_DELETE = sa.delete(record).where(C.id.in_(bindparam("ids", expanding=True)))
_SWEPT = (
    sa.update(record)
    .where(C.system == bindparam("b_system"), C.object == bindparam("b_object"), C.ext == bindparam("b_ext"))
    .values(swept=bindparam("b_round"))
)
_MISSED = select(C.id, C.ext).where(
    C.system == bindparam("system"),
    C.object == bindparam("object"),
    C.state == int(State.LIVE),
    C.ext.is_not(None),
    C.swept < bindparam("round"),
)
_ALIASES = sa.delete(alias).where(alias.c.record.in_(bindparam("ids", expanding=True)))


def known(row: Sequence[Any]) -> Known:
    """A row of _SELECT as a `Known`."""
    fresh = unpack(row[10])
    return Known(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        State(row[7]),
        row[8],
        row[9],
        None if fresh is None else ALL if fresh == _ALL else frozenset(fresh),
        unpack(row[11]),
        unpack(row[12]) or {},
        unpack(row[13]) or {},
        unpack(row[14]) or {},
        unpack(row[15]) or {},
        unpack(row[16]) or {},
        row[17],
        row[18],
        row[19],
        row[20],
        Writer(row[21]),
        unpack(row[22]) or {},
        row[23],
        row[24],
        row[25],
        row[26],
        row[27],
        row[28],
        None if row[29] is None else bool(row[29]),
    )


def _row(each: Known) -> dict[str, object]:
    return {
        "system": each.system,
        "object": each.object,
        "ext": each.ext,
        "lead": each.lead,
        "role": each.role,
        "slot": each.slot,
        "state": int(each.state),
        "state_at": each.state_at,
        "into": each.into,
        "fresh": _fresh(each.fresh),
        "now": pack(each.now),
        "base": pack_or_none(each.base),
        "pending": pack_or_none(each.pending),
        "asked": pack_or_none(each.asked),
        "sent": pack_or_none(each.sent),
        "was": pack_or_none(each.was),
        "answered": each.answered,
        "version": each.version,
        "modified": each.modified,
        "prev_modified": each.prev_modified,
        "writer": int(each.writer),
        "times": pack_or_none(each.times),
        "read_seq": each.read_seq,
        "read_at": each.read_at,
        "obs": each.obs,
        "swept": each.swept,
        "waits": each.waits,
        "awaits": each.awaits,
        "mine": each.mine if each.mine is None else int(each.mine),
    }


def _fresh(fresh: frozenset[str] | None) -> bytes | None:
    return None if not fresh else pack(sorted(fresh))


def by_ext(tx: Tx, system: int, object: str, exts: Collection[str]) -> dict[str, Known]:
    """Ext as asked → the record; one that has another name now is found by its former ones."""
    if not exts:
        return {}
    params = {"system": system, "object": object, "exts": list(exts)}
    found = {row[3]: known(row) for row in tx.rows(_BY_EXT, params)}
    missing = [ext for ext in exts if ext not in found]
    if missing:
        rows = tx.rows(_BY_ALIAS, {**params, "exts": missing})
        found.update({row[0]: known(row[1:]) for row in rows})
    return found


def by_id(tx: Tx, ids: Collection[int]) -> dict[int, Known]:
    return {row[0]: known(row) for row in tx.rows(_BY_ID, {"ids": list(ids)})} if ids else {}


def by_lead(tx: Tx, leads: Collection[int]) -> dict[int, list[Known]]:
    """Lead → its records, oldest first."""
    found: dict[int, list[Known]] = {lead: [] for lead in leads}
    if leads:
        for row in tx.rows(_BY_LEAD, {"leads": list(leads)}):
            found[row[4]].append(known(row))
    return found


def by_slot(tx: Tx, slots: Collection[str]) -> list[Known]:
    """Every record, of any system and state, whose own address is one of these."""
    return [known(row) for row in tx.rows(_BY_SLOT, {"slots": list(slots)})] if slots else []


def holders(tx: Tx, system: int, slots: Collection[str]) -> list[tuple[int, str, int | None]]:
    """(record, address, lead) of the live records of a system that hold one of these addresses."""
    rows = tx.rows(_HOLDERS, {"system": system, "slots": list(slots)}) if slots else []
    return [(row[0], row[1], row[2]) for row in rows]


def unlinked(tx: Tx, systems: Collection[int], count: int) -> list[Known]:
    """Records that belong to nobody yet and wait for nobody."""
    rows = tx.rows(_UNLINKED, {"systems": list(systems), "count": count}) if systems else []
    return [known(row) for row in rows]


def creates_under_way(tx: Tx, system: int) -> list[tuple[int, Fields]]:
    """(record, native values) of the creates in a system whose answer has not come."""
    return [(row[0], unpack(row[1])["fields"]) for row in tx.rows(_CREATES_UNDER_WAY, {"system": system})]


def present(tx: Tx, system: int, lead_ids: Collection[int]) -> set[int]:
    """Which of these leads have a record in a system, in whatever state."""
    return {row[0] for row in tx.rows(_PRESENT, {"system": system, "leads": list(lead_ids)})}


def any_unplaced(tx: Tx, system: int) -> bool:
    """Whether somebody of a system was met who belongs to nobody yet, and waits for nobody."""
    return tx.row(_UNPLACED, {"system": system}) is not None


def merged(tx: Tx, count: int) -> list[Known]:
    """Losers of a vendor's merge that have not been looked at."""
    return [known(row) for row in tx.rows(_MERGED, {"count": count})]


def merged_into(tx: Tx, system: int, refs: Collection[str]) -> list[Known]:
    """Records that the vendor merged into one of these ("object:id")."""
    rows = tx.rows(_MERGED_INTO, {"system": system, "refs": list(refs)}) if refs else []
    return [known(row) for row in rows]


def look_again_at_losers(tx: Tx, system: int, refs: Iterable[str]) -> None:
    """These survivors belong to somebody now: so does whatever was merged into them."""
    tx.many(_LOOK_AGAIN, [{"b_system": system, "b_ref": ref} for ref in refs])


def insert(tx: Tx, new: Iterable[Known]) -> None:
    """Add records; those with id 0 get one, in order."""
    rows = list(new)
    fresh = [each for each in rows if each.id == 0]
    if fresh:
        for id_, each in enumerate(fresh, tx.ids("record", len(fresh))):
            each.id = id_
    tx.many(_INSERT, [{"id": each.id, **_row(each)} for each in rows])


def update(tx: Tx, changed: Iterable[Known]) -> None:
    tx.many(_UPDATE, [{"b_id": each.id, **_row(each)} for each in changed])


def read_again(tx: Tx, same: Iterable[Known]) -> None:
    """They were looked up and had not changed."""
    tx.many(_READ, [{"b_id": each.id, "b_at": each.read_at, "b_seq": each.read_seq} for each in same])


def absorb(tx: Tx, changed: Iterable[Known]) -> None:
    """Save what deciding changes of records: fresh, base, pending, asked, role, times."""
    tx.many(
        _ABSORB,
        [
            {
                "b_id": each.id,
                "fresh": _fresh(each.fresh),
                "base": pack_or_none(each.base),
                "pending": pack_or_none(each.pending),
                "asked": pack_or_none(each.asked),
                "role": each.role,
                "times": pack_or_none(each.times),
            }
            for each in changed
        ],
    )


def link(tx: Tx, leads: Mapping[int, int], roles: Mapping[int, int] | None = None) -> None:
    """Record → the lead it belongs to."""
    roles = roles or {}
    tx.many(_LINK, [{"b_id": r, "b_lead": lead, "b_role": roles.get(r, PRIMARY)} for r, lead in sorted(leads.items())])


def let_wait(tx: Tx, ids: Iterable[int]) -> None:
    """Leave these unplaced until a person decides, or they change."""
    tx.many(_WAIT, [{"b_id": each, "b_why": WAITS_FOR_PERSON, "b_create": None} for each in ids])


def await_create(tx: Tx, creates: Mapping[int, int]) -> None:
    """Record → the create of ours that may have made it: it is not placed before that is settled."""
    tx.many(
        _WAIT,
        [{"b_id": each, "b_why": WAITS_FOR_CREATE, "b_create": create} for each, create in sorted(creates.items())],
    )


def awaiting(tx: Tx, system: int, create: int) -> list[Known]:
    """Records that may be what this create made."""
    return [known(row) for row in tx.rows(_AWAITING, {"system": system, "create": create})]


def wait_no_more(tx: Tx, system: int, creates: Iterable[int]) -> None:
    """These creates were settled: whatever waited for them can be placed."""
    tx.many(_WAIT_NO_MORE, [{"b_system": system, "b_create": each} for each in creates])


def being_created(tx: Tx, lead_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """(lead, system) → record of each create that is under way or in doubt."""
    wanted = sorted(set(lead_ids))
    rows = tx.rows(_BEING_CREATED, {"leads": wanted}) if wanted else []
    return {(row[0], row[1]): row[2] for row in rows}


def delete(tx: Tx, ids: Collection[int]) -> None:
    """Only for a create that turned out to be a record we had."""
    if ids:
        tx.run(_ALIASES, {"ids": list(ids)})
        tx.run(_DELETE, {"ids": list(ids)})


def add_alias(tx: Tx, system: int, object: str, ext: str, record_id: int) -> None:
    """A former name of a record."""
    tx.many(_ADD_ALIAS(tx), [{"system": system, "object": object, "ext": ext, "record": record_id}])


def mark_swept(tx: Tx, system: int, object: str, exts: Iterable[str], round_: int) -> None:
    tx.many(_SWEPT, [{"b_system": system, "b_object": object, "b_ext": ext, "b_round": round_} for ext in exts])


def missed(tx: Tx, system: int, object: str, round_: int) -> list[tuple[int, str]]:
    """(record, ext) of the live records that a sweep did not show."""
    return [(row[0], row[1]) for row in tx.rows(_MISSED, {"system": system, "object": object, "round": round_})]


def kept_apart(tx: Tx, ids: Collection[int]) -> frozenset[tuple[int, int]]:
    """Pairs (smaller first) that a person said are not one, with one of these in it."""
    if not ids:
        return frozenset()
    some: sa.BindParameter[Any] = bindparam("ids", expanding=True)
    rows = tx.rows(
        select(apart.c.a, apart.c.b).where(sa.or_(apart.c.a.in_(some), apart.c.b.in_(some))), {"ids": list(ids)}
    )
    return frozenset((row[0], row[1]) for row in rows)


def keep_apart(tx: Tx, a: int, b: int, who: str, at: int) -> None:
    tx.many(_KEEP_APART(tx), [{"a": min(a, b), "b": max(a, b), "who": who, "at": at}])
