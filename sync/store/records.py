"""Records: the statements that read and write what is known of them."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from connectors.base import Fields, State, Writer, batches
from sync.model import ALL, MADE, PRIMARY, WAITS_FOR_CREATE, WAITS_FOR_PERSON, Known, OutState
from sync.packed import pack, pack_or_none, unpack
from sync.store.db import MOST, Tx, Upsert, among
from sync.store.schema import CREATE_WAITED_FOR, MERGED_NEW, UNLINKED, alias, apart, outbox, record

C = record.c
_ALL = pack(["*"])
_STATES = dict(enumerate(State))
_WRITERS = dict(enumerate(Writer))
_COLUMNS = [
    *("id", "system", "object", "ext", "lead", "role", "slot", "state", "state_at", "into", "fresh", "now", "base"),
    *("pending", "asked", "sent", "was", "answered", "version", "modified", "prev_modified", "writer", "times"),
    *("read_seq", "read_at", "obs", "swept", "waits", "awaits", "mine", "taken_up"),
]
_SELECT = select(*(C[name] for name in _COLUMNS))
_BY_EXT = _SELECT.where(C.system == bindparam("system"), C.object == bindparam("object"), among(C.ext, "exts"))
_BY_ALIAS = (
    select(alias.c.ext, *(C[name] for name in _COLUMNS))
    .join(record, C.id == alias.c.record)
    .where(
        alias.c.system == bindparam("system"),
        alias.c.object == bindparam("object"),
        among(alias.c.ext, "exts"),
    )
)
_BY_ID = _SELECT.where(among(C.id, "ids"))
_STAND_AS = select(C.id, C.lead, C.obs, C.slot).where(among(C.id, "ids"))
_BY_LEAD = _SELECT.where(among(C.lead, "leads"))
_BY_SLOT = _SELECT.where(among(C.slot, "slots"))
_HOLDERS = select(C.id, C.slot, C.lead).where(
    C.system == bindparam("system"),
    among(C.slot, "slots"),
    C.ext.is_not(None),
    C.state == int(State.LIVE),
)
_UNLINKED = (
    _SELECT.where(sa.text(UNLINKED), C.ext.is_not(None), C.system == bindparam("system"))
    .order_by(C.id)
    .limit(bindparam("count"))
)
_PRESENT = select(C.lead).where(among(C.lead, "leads"), C.system == bindparam("system"), C.ext.is_not(None))
_UNPLACED = (
    select(C.id)
    .where(sa.text(UNLINKED), C.system == bindparam("system"), C.ext.is_not(None), C.state != int(State.MERGED))
    .limit(1)
)
_MERGED_INTO = _SELECT.where(among(C.into, "refs"), C.system == bindparam("system")).order_by(C.id)
_MERGED = _SELECT.where(sa.text(MERGED_NEW)).order_by(C.id).limit(bindparam("count"))
_LOOK_AGAIN = (
    sa.update(record)
    .where(C.system == bindparam("b_system"), among(C.into, "b_refs"), C.state == int(State.MERGED))
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
    .where(C.system == bindparam("b_system"), sa.text(CREATE_WAITED_FOR), among(C.awaits, "b_creates"))
    .values(waits=0, awaits=None)
)
_AWAITING = _SELECT.where(C.system == bindparam("system"), sa.text(CREATE_WAITED_FOR), C.awaits == bindparam("create"))
_CREATES_UNDER_WAY = select(outbox.c.record, outbox.c.body).where(
    outbox.c.system == bindparam("system"), outbox.c.state == int(OutState.SENDING), outbox.c.kind == "create"
)
_BEING_CREATED = (
    select(C.lead, C.system, C.id)
    .join(outbox, outbox.c.record == C.id)
    .where(among(C.lead, "leads"), C.ext.is_(None), outbox.c.state == int(OutState.SENDING))
)
_ABSORB = (
    sa.update(record)
    .where(C.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in ("fresh", "base", "pending", "asked", "role", "times")})
)
_READ = (
    sa.update(record).where(C.id == bindparam("b_id")).values(read_at=bindparam("b_at"), read_seq=bindparam("b_seq"))
)
_DELETE = sa.delete(record).where(among(C.id, "ids"))
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
_APART = [select(apart.c.a, apart.c.b).where(among(side, "ids")) for side in (apart.c.a, apart.c.b)]
_ALIASES = sa.delete(alias).where(among(alias.c.record, "ids"))


def known(row: Sequence[Any]) -> Known:
    """A row of _SELECT as a `Known`."""
    (id_, system, object_, ext, lead, role, slot, state, state_at, into, fresh, now, base, pending, asked, sent, was,
     answered, version, modified, prev_modified, writer, times, read_seq, read_at, obs, swept, waits, awaits, mine,
     taken_up) = row  # fmt: skip
    return Known(
        id_,
        system,
        object_,
        ext,
        lead,
        role,
        slot,
        _STATES[state],
        state_at,
        into,
        None if fresh is None else ALL if fresh == _ALL else frozenset(unpack(fresh)),
        unpack(now),
        unpack(base) if base else {},
        unpack(pending) if pending else {},
        unpack(asked) if asked else {},
        unpack(sent) if sent else {},
        unpack(was) if was else {},
        answered,
        version,
        modified,
        prev_modified,
        _WRITERS[writer],
        unpack(times) if times else {},
        read_seq,
        read_at,
        obs,
        swept,
        waits,
        awaits,
        None if mine is None else bool(mine),
        unpack(taken_up) if taken_up else {},
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
        "taken_up": pack_or_none(each.taken_up),
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
    return {row[0]: known(row) for some in batches(ids, MOST) for row in tx.rows(_BY_ID, {"ids": some})}


def _oldest_first(rows: Iterable[Any]) -> list[Any]:
    """Put in order here: the database would copy whole records to and fro for it."""
    return sorted(rows, key=operator.itemgetter(0))


def by_lead(tx: Tx, leads: Collection[int]) -> dict[int, list[Known]]:
    """Lead → its records, oldest first."""
    found: dict[int, list[Known]] = {lead: [] for lead in leads}
    if leads:
        for row in _oldest_first(tx.rows(_BY_LEAD, {"leads": list(leads)})):
            found[row[4]].append(known(row))
    return found


def stand_as(tx: Tx, ids: Collection[int]) -> dict[int, tuple[int | None, int, str | None]]:
    """Record → what it can be told by whether it moved: its lead, how often it was edited, its own address."""
    rows = (row for some in batches(ids, MOST) for row in tx.rows(_STAND_AS, {"ids": some}))
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def by_slot(tx: Tx, slots: Collection[str], had: Iterable[Known] = ()) -> list[Known]:
    """Every record, of any system and state, whose own address is one of these. `had`: those that were read already,
    in this transaction, are not made anew."""
    here = {each.id: each for each in had}
    rows = _oldest_first(tx.rows(_BY_SLOT, {"slots": list(slots)})) if slots else []
    return [here.get(row[0]) or known(row) for row in rows]


def holders(tx: Tx, system: int, slots: Collection[str]) -> list[tuple[int, str, int | None]]:
    """(record, address, lead) of the live records of a system that hold one of these addresses."""
    rows = tx.rows(_HOLDERS, {"system": system, "slots": list(slots)}) if slots else []
    return [(row[0], row[1], row[2]) for row in rows]


def unlinked(tx: Tx, systems: Collection[int], count: int) -> list[Known]:
    """Records that belong to nobody yet and wait for nobody."""
    found: list[Known] = []
    for system in systems:
        rows = tx.rows(_UNLINKED, {"system": system, "count": count - len(found)})
        found += [known(row) for row in rows]
        if len(found) == count:
            break
    return found


def creates_under_way(tx: Tx, system: int) -> list[tuple[int, Fields]]:
    """(record, native values) of the creates in a system whose answer has not come."""
    return [(row[0], unpack(row[1])["fields"]) for row in tx.rows(_CREATES_UNDER_WAY, {"system": system})]


def present(tx: Tx, system: int, lead_ids: Collection[int]) -> set[int]:
    """Which of these leads have a record in a system, in whatever state."""
    return {row[0] for row in tx.rows(_PRESENT, {"system": system, "leads": list(lead_ids)})}


def linked_after(tx: Tx, system: int, after: int, count: int) -> list[Known]:
    """Records of a system that belong to a lead, in the order of their ids. Looks through them all: only when a
    mapping changed."""
    statement = _SELECT.where(C.system == system, C.id > after, C.lead.is_not(None)).order_by(C.id).limit(count)
    return [known(row) for row in tx.rows(statement)]


def named_after(tx: Tx, system: int, after: int, count: int) -> list[Known]:
    """Records that a system has or had, whoever they belong to, in the order of their ids. Looks through them all: only
    when a person wants an account of each."""
    statement = _SELECT.where(C.system == system, C.id > after, C.ext.is_not(None)).order_by(C.id).limit(count)
    return [known(row) for row in tx.rows(statement)]


def linked_live(tx: Tx, system: int) -> Iterator[int]:
    """The live records of a system that belong to a lead. Looks through them all: only when a person asks."""
    where = (C.system == system, C.lead.is_not(None), C.ext.is_not(None), C.state == int(State.LIVE))
    for row in tx.stream(select(C.id).where(*where).order_by(C.id)):
        yield row[0]


def settled(tx: Tx, system: int) -> list[int]:
    """Records of a system with a wish that was settled. Looks through them all: only when a person asks."""
    statement = select(C.id).where(C.system == system, C.asked.is_not(None)).order_by(C.id)
    return [row[0] for row in tx.rows(statement)]


def count_settled(tx: Tx, system: int) -> dict[str, int]:
    """Why a wish was settled → of how many groups."""
    found: dict[str, int] = {}
    for row in tx.stream(select(C.asked).where(C.system == system, C.asked.is_not(None))):
        for why in (why for group, (_, why, _) in unpack(row[0]).items() if group != MADE):
            found[why] = found.get(why, 0) + 1
    return found


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
    tx.run(_LOOK_AGAIN, {"b_system": system, "b_refs": list(refs)})


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
    tx.run(_WAIT_NO_MORE, {"b_system": system, "b_creates": list(creates)})


def being_created(tx: Tx, lead_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """(lead, system) → record of each create that is under way or in doubt."""
    wanted = sorted(set(lead_ids))
    rows = tx.rows(_BEING_CREATED, {"leads": wanted}) if wanted else []
    return {(row[0], row[1]): row[2] for row in rows}


def placeholders(tx: Tx) -> list[int]:
    """Creates that have no name over there yet."""
    return sorted(row[0] for row in tx.rows(select(C.id).where(C.ext.is_(None))))


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
    rows = [row for statement in _APART for some in batches(ids, MOST) for row in tx.rows(statement, {"ids": some})]
    return frozenset((row[0], row[1]) for row in rows)


def keep_apart(tx: Tx, a: int, b: int, who: str, at: int) -> None:
    tx.many(_KEEP_APART(tx), [{"a": min(a, b), "b": max(a, b), "who": who, "at": at}])
