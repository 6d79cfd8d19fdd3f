"""Leads, their keys, what is dirty, and the consent ledger: the statements that read and write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from connectors.base import batches
from sync.model import Lane, Lead
from sync.packed import pack, pack_or_none, unpack
from sync.store.db import MOST, Tx, Upsert, among
from sync.store.schema import consent, consent_event, dirty, lead, lead_key, lead_merge, record

C = lead.c
_SELECT = select(C.id, C.rev, C.value, C.origin, C.frozen, C.state)
_BY_ID = _SELECT.where(among(C.id, "ids"))
_REVS = select(C.id, C.rev).where(among(C.id, "ids"))
_INSERT = sa.insert(lead)
_SAVED = ("rev", "value", "origin", "frozen", "email", "name", "company", "stage", "owner", "changed")
_UPDATE = sa.update(lead).where(C.id == bindparam("b_id")).values({name: bindparam(name) for name in _SAVED})
_MERGE = sa.update(lead).where(C.id == bindparam("b_id")).values(state="merged", into=bindparam("b_into"))
_SEQ = dirty.c.seq + 1
_MAKE_DIRTY = Upsert(
    dirty,
    ("lead",),
    lambda new: {"seq": _SEQ, "lane": sa.case((dirty.c.lane < new.lane, dirty.c.lane), else_=new.lane)},
)
_NOTE_MERGE = sa.insert(lead_merge)
_TELL = sa.insert(consent_event)
_ADD_KEY = Upsert(lead_key)


def _missing(insert: Any) -> Any:
    there = select(record.c.id).where(record.c.lead == C.id, record.c.system == bindparam("system")).exists()
    rows = select(C.id, bindparam("lane"), sa.literal(1)).where(C.state == "live", ~there)
    return insert.from_select(["lead", "lane", "seq"], rows)


_MAKE_MISSING_DIRTY = Upsert(dirty, ("lead",), lambda new: {"seq": _SEQ}, rows=_missing)
_ENTER = Upsert(
    consent,
    ("lead", "address", "cell"),
    lambda new: {name: new[name] for name in ("state", "evidence", "at", "record", "run")},
)
_DIRTY = select(dirty.c.lead, dirty.c.lane, dirty.c.seq).where(among(dirty.c.lead, "ids")).order_by(dirty.c.lead)
_NEXT_DIRTY = select(dirty.c.lead, dirty.c.seq).order_by(dirty.c.lane, dirty.c.lead).limit(bindparam("count"))
_TOUCH = sa.update(dirty).where(dirty.c.lead == bindparam("b_lead")).values(seq=_SEQ)
_CLEAN = sa.delete(dirty).where(dirty.c.lead == bindparam("b_lead"), dirty.c.seq <= bindparam("b_seq"))
_KEYS = select(lead_key.c.value, lead_key.c.lead, lead_key.c.shared).where(
    lead_key.c.kind == "email", among(lead_key.c.value, "values")
)
_SAID_OF = select(consent.c.address, consent.c.cell, consent.c.state, consent.c.at).where(
    among(consent.c.address, "addresses")
)
_FORGET_KEYS = sa.delete(lead_key).where(among(lead_key.c.lead, "leads"), lead_key.c.shared == 0)
_SHARE = Upsert(lead_key, ("kind", "value", "lead"), lambda new: {"shared": new.shared})


def by_id(tx: Tx, ids: Collection[int]) -> dict[int, Lead]:
    return {
        row[0]: Lead(row[0], row[1], unpack(row[2]), unpack(row[3]), unpack(row[4]) or {}, row[5])
        for some in batches(ids, MOST)
        for row in tx.rows(_BY_ID, {"ids": some})
    }


def revs(tx: Tx, ids: Collection[int]) -> dict[int, int]:
    return {row[0]: row[1] for row in tx.rows(_REVS, {"ids": list(ids)})} if ids else {}


def insert(tx: Tx, leads: Iterable[Lead], at: int) -> None:
    tx.many(_INSERT, [{"id": each.id, "state": "live", "into": None, **_row(each, at)} for each in leads])


def save(tx: Tx, leads: Iterable[Lead], at: int) -> None:
    tx.many(_UPDATE, [{"b_id": each.id, **_row(each, at)} for each in leads])


def _row(each: Lead, at: int) -> dict[str, object]:
    value = each.value
    name, company = value.get("name"), value.get("company")
    names = [name.get("first_name"), name.get("last_name")] if isinstance(name, dict) else []
    return {
        "rev": each.rev,
        "value": pack(value),
        "origin": pack(each.origin),
        "frozen": pack_or_none(each.frozen),
        "email": value.get("email"),
        "name": " ".join(str(part) for part in names if part) or None,
        "company": company.get("company") if isinstance(company, dict) else None,
        "stage": value.get("stage"),
        "owner": value.get("owner"),
        "changed": at,
    }


def into(tx: Tx, loser: int, winner: int, run: int, at: int, before: Mapping[str, object]) -> None:
    """A lead lives on in another; its id stays as a name of it."""
    tx.many(_MERGE, [{"b_id": loser, "b_into": winner}])
    tx.run(sa.update(lead).where(C.into == loser).values(into=winner))
    row = {"winner": winner, "loser": loser, "run": run, "at": at, "before": pack(before)}
    tx.many(_NOTE_MERGE, [row])


@dataclass(frozen=True, slots=True)
class Join:
    """How a lead was joined with another: what both said before it, and the records that came along."""

    id: int
    winner_id: int
    loser: int
    run: int
    at: int
    before: Mapping[str, Any]

    @property
    def winner(self) -> Mapping[str, Any]:
        return self.before["winner"]  # type: ignore[no-any-return]

    @property
    def records(self) -> frozenset[int]:
        return frozenset(self.before["records"])

    def loser_lead(self) -> Lead:
        return Lead(self.loser, value=self.before["loser"]["value"], origin=self.before["loser"]["origin"])


def last_join(tx: Tx, lead_id: int) -> Join | None:
    m = lead_merge.c
    row = tx.row(select(*m).where(m.winner == lead_id).order_by(m.id.desc()).limit(1))
    return None if row is None else Join(row.id, row.winner, row.loser, row.run, row.at, unpack(row.before))


def revive(tx: Tx, join: Join) -> None:
    """The lead that went into another is one of its own again, with all that had gone into it before."""
    m = lead_merge.c
    tx.run(sa.update(lead).where(C.id == join.loser).values(state="live", into=None))
    tx.run(sa.delete(lead_merge).where(m.id == join.id))
    found = [join.loser]
    while found := [row[0] for row in tx.rows(select(m.loser).where(m.winner.in_(found), m.id < join.id))]:
        tx.run(sa.update(lead).where(C.id.in_(found), C.into == join.winner_id).values(into=join.loser))


def real(tx: Tx, lead_id: int) -> int | None:
    """The lead that this id means today; None where there is none."""
    row = tx.row(select(C.id, C.into).where(C.id == lead_id))
    return None if row is None else (row[1] or row[0])


def former(tx: Tx, lead_id: int) -> list[int]:
    """Leads that were joined into this one."""
    return [row[0] for row in tx.rows(select(C.id).where(C.into == lead_id).order_by(C.id))]


def living_after(tx: Tx, after: int, count: int) -> list[int]:
    """Leads that are not part of another one, in the order of their numbers."""
    statement = select(C.id).where(C.state == "live", C.id > after).order_by(C.id).limit(count)
    return [row[0] for row in tx.rows(statement)]


def count(tx: Tx) -> int:
    return int(tx.value(select(sa.func.count()).select_from(lead).where(C.state == "live")))


def count_missing(tx: Tx, system: int) -> int:
    """How many people have no record in a system. Looks through them all: only when a person asks."""
    there = (
        select(record.c.id).where(record.c.lead == C.id, record.c.system == system, record.c.ext.is_not(None)).exists()
    )
    return int(tx.value(select(sa.func.count()).select_from(lead).where(C.state == "live", ~there)))


def count_frozen(tx: Tx) -> int:
    """Groups that wait for a person, over all leads."""
    rows = tx.rows(select(C.frozen).where(C.frozen.is_not(None), C.state == "live"))
    return sum(len(unpack(row[0])) for row in rows)


def search(tx: Tx, text: str, count: int) -> Sequence[Any]:
    """(id, name, email, company, stage, owner) of leads whose e-mail, name or company begins with the text."""
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    like = [column.ilike(pattern, escape="\\") for column in (C.email, C.name, C.company)]
    last = C.name.ilike("% " + pattern, escape="\\")
    statement = (
        select(C.id, C.name, C.email, C.company, C.stage, C.owner)
        .where(C.state == "live", sa.or_(*like, last))
        .order_by(C.id)
        .limit(count)
    )
    return tx.rows(statement)


# --- dirty -------------------------------------------------------------------------------------------------------


def make_dirty(tx: Tx, ids: Iterable[int], lane: Lane = Lane.EDIT) -> None:
    """These leads must be looked at again. The count in `seq` tells whether more happened since they were loaded."""
    tx.many(_MAKE_DIRTY(tx), [{"lead": each, "lane": int(lane), "seq": 1} for each in sorted(set(ids))])


def make_missing_dirty(tx: Tx, system: int) -> None:
    """Leads that have no record in a system: now that it was read whole, they may be made there."""
    tx.run(_MAKE_MISSING_DIRTY(tx), {"system": system, "lane": int(Lane.BACKFILL)})


def make_edited_dirty(tx: Tx, system: int) -> None:
    """Leads of a system's records with edits that were held back. Looks through them all: a person asked for it."""
    rows = tx.rows(
        select(record.c.lead)
        .where(record.c.system == system, record.c.base.is_not(None), record.c.lead.is_not(None))
        .distinct()
    )
    make_dirty(tx, [row[0] for row in rows])


def make_frozen_dirty(tx: Tx) -> None:
    """Leads with a group that waits for a person: what may decide about it has changed."""
    make_dirty(tx, [row[0] for row in tx.rows(select(C.id).where(C.frozen.is_not(None), C.state == "live"))])


def touch(tx: Tx, ids: Iterable[int]) -> None:
    """Something of these leads changed that asks for no new look; but whoever is looking now must look again."""
    tx.many(_TOUCH, [{"b_lead": each} for each in sorted(set(ids))])


def next_dirty(tx: Tx, count: int) -> dict[int, int]:
    """Lead → seq of the next leads to look at, the most urgent first."""
    return {row[0]: row[1] for row in tx.rows(_NEXT_DIRTY, {"count": count})}


def dirty_seqs(tx: Tx, ids: Collection[int]) -> dict[int, int]:
    return {row[0]: row[2] for row in tx.rows(_DIRTY, {"ids": list(ids)})} if ids else {}


def make_clean(tx: Tx, seqs: Mapping[int, int]) -> None:
    """They were looked at, unless more has happened since."""
    tx.many(_CLEAN, [{"b_lead": lead_id, "b_seq": seq} for lead_id, seq in seqs.items()])


def count_dirty(tx: Tx) -> int:
    return int(tx.value(select(sa.func.count()).select_from(dirty)))


# --- keys --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Owner:
    lead: int
    shared: bool


def owners(tx: Tx, values: Collection[str]) -> dict[str, list[Owner]]:
    """Address → the leads that hold it."""
    found: dict[str, list[Owner]] = {}
    if values:
        for row in tx.rows(_KEYS, {"values": list(values)}):
            found.setdefault(row[0], []).append(Owner(row[1], bool(row[2])))
    return found


def set_keys(tx: Tx, keys: Mapping[int, Collection[str]], *, new: Collection[int] = ()) -> None:
    """Lead → the addresses that are its own from now on; shared ones stay its own for good. `new`: leads that had
    none before."""
    known = [each for each in keys if each not in new]
    if known:
        tx.run(_FORGET_KEYS, {"leads": known})
    rows = [
        {"kind": "email", "value": value, "lead": lead_id, "shared": 0}
        for lead_id, values in sorted(keys.items())
        for value in sorted(values)
    ]
    tx.many(_ADD_KEY(tx), rows)


def share(tx: Tx, holders: Iterable[tuple[str, int]]) -> None:
    """(address, lead): several different people hold these addresses, and from now on for good they link nobody."""
    rows = [{"kind": "email", "value": value, "lead": lead_id, "shared": 1} for value, lead_id in sorted(holders)]
    tx.many(_SHARE(tx), rows)


# --- consent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: who said what about mailing an address, and on what evidence."""

    lead: int
    address: str
    cell: str
    state: str
    evidence: str
    at: int
    record: int | None
    run: int


def enter(tx: Tx, entries: Sequence[Entry]) -> None:
    """The ledger's state per address, and the event that never changes."""
    rows = [
        {
            "lead": e.lead,
            "address": e.address,
            "cell": e.cell,
            "state": e.state,
            "evidence": e.evidence,
            "at": e.at,
            "record": e.record,
            "run": e.run,
        }
        for e in entries
    ]
    tx.many(_ENTER(tx), rows)
    tx.many(_TELL, rows)


def refusals(tx: Tx, addresses: Collection[str]) -> dict[str, dict[str, int]]:
    """Address → cell → when, of what these addresses are out of: the last word on each, whoever's they were."""
    last: dict[tuple[str, str], tuple[int, bool]] = {}
    for some in batches(sorted(addresses), MOST):
        for address, cell, state, at in tx.rows(_SAID_OF, {"addresses": some}):
            last[address, cell] = max(last.get((address, cell), (0, False)), (at, state == "out"))
    found: dict[str, dict[str, int]] = {}
    for (address, cell), (at, out) in last.items():
        if out:
            found.setdefault(address, {})[cell] = at
    return found


def ledger(tx: Tx, lead_id: int) -> Sequence[Any]:
    """(address, cell, state, evidence, at, record, run) of every event, oldest first."""
    e = consent_event.c
    statement = select(e.address, e.cell, e.state, e.evidence, e.at, e.record, e.run).where(e.lead == lead_id)
    return tx.rows(statement.order_by(e.id))


def move_consent(tx: Tx, loser: int, winner: int) -> None:
    """What was said of a lead is said of the one it lives on in: an opt-out stands above anything else."""
    c = consent.c
    mine = {(row[0], row[1]): row[2] for row in tx.rows(select(c.address, c.cell, c.state).where(c.lead == winner))}
    for row in tx.rows(select(c.address, c.cell, c.state).where(c.lead == loser)):
        place = (row[0], row[1])
        if place not in mine:
            where = sa.and_(c.lead == loser, c.address == row[0], c.cell == row[1])
            tx.run(sa.update(consent).where(where).values(lead=winner))
        elif row[2] == "out" and mine[place] != "out":
            tx.run(
                sa.update(consent).where(c.lead == winner, c.address == row[0], c.cell == row[1]).values(state="out")
            )
    tx.run(sa.delete(consent).where(c.lead == loser))
    tx.run(sa.update(consent_event).where(consent_event.c.lead == loser).values(lead=winner))
