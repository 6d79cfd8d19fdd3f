"""What became of operations whose answer never came.

Nothing is sent again before the vendor's horizon has passed, counted from when we stopped waiting. Then a create is
looked up (our own key, a unique key, at last its fingerprint) and adopted, sent again, or put to a person; an update is
read and decided again, never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import Connector, Done, Fields, Record, Ref, State, Value, Version
from mappings.transforms import explains
from sync.engine import SECOND, Engine
from sync.lease import Lease
from sync.model import ALWAYS, RESTORE, Known, Lane, Question, System
from sync.settle import look_for_hidden, settle, what_was_written
from sync.store import leads, outbox, records, runs
from sync.store.db import Tx, generation
from sync.store.outbox import Row
from sync.take import take

SKEW = 120 * SECOND
"""How much earlier than our sending a vendor's clock may say that our record was made."""


def recover(engine: Engine, system: System, lease: Lease, run: int) -> int:
    """Look after every operation in doubt; answers how many are still in doubt."""
    world = engine.world
    with engine.store.read() as tx:
        rows = [row for row in outbox.sending(tx, system.id) if row.token != lease.token or row.doubt_at is not None]
    unnoticed = [row for row in rows if row.doubt_at is None]
    if unnoticed:
        with engine.store.tx() as tx:
            lease.check(tx)
            outbox.doubt(tx, [row.record for row in unnoticed], world.now())
        for row in unnoticed:
            row.doubt_at = world.now()
        world.pause("doubted")
    limit = world.now() - int(horizon(system) * SECOND)
    due = [row for row in rows if row.doubt_at is not None and row.doubt_at <= limit]
    for row in due:
        _look_up(engine, system, lease, row, _rivals(engine, system, row, rows), run)
    return len(rows) - len(due)


def horizon(system: System) -> float:
    """Seconds before which absence proves nothing: a request we stopped waiting for may still take effect."""
    return system.capabilities.horizon


def _rivals(engine: Engine, system: System, row: Row, doubtful: Sequence[Row]) -> list[Row]:
    """The other creates in doubt that may have made what this one is found by: no key of ours tells them apart."""
    if row.kind != "create" or engine.connectors[system.id].own_key(row.body["object"]) is not None:
        return []
    creates = (each for each in doubtful if each.kind == "create" and each.body["object"] == row.body["object"])
    return [each for each in creates if each.record != row.record]


def _look_up(engine: Engine, system: System, lease: Lease, row: Row, rivals: Sequence[Row], run: int) -> None:
    connector = engine.connectors[system.id]
    with engine.store.read() as tx:
        known = records.by_id(tx, [row.record])[row.record]
        mark = generation(tx)
    if engine.mapping(known) is None:
        return  # what it was sent to is not configured any more: it rests until it is
    seq = lease.seq()
    found: list[Record]
    told: dict[str, list[Version]] = {}
    if row.step == 0:
        found = []  # opting an address out twice does no harm
    elif row.kind == "create":
        found = _find(connector, system, row, f"{mark}-{row.record}")
    else:
        found = list(connector.fetch([known.ref()]))
        if system.capabilities.field_times and row.body["fields"]:
            told = next((versions for _, versions in connector.history([known.ref()], [*row.body["fields"]])), {})
    engine.world.pause("looked up")
    with engine.store.tx() as tx:
        lease.check(tx)
        if row.step == 0:
            outbox.requeue(tx, {row.record: engine.world.now()}, row.lane)
        elif row.kind == "create":
            _settle_create(engine, tx, system, lease, row, rivals, found, seq, run)
        else:
            for each in found:
                if row.kind == "archive" and each.state in (State.GONE, State.DELETED):
                    each.state = State.ARCHIVED  # it took effect: this is no deletion by a person
            take(engine, tx, system, known.object, found, seq, looked_up=True)
            _remember(engine, tx, system, known, row, found, told)
            if row.step == RESTORE:
                # Not decided anew: sent again, if the record still shows what is to be taken back.
                outbox.requeue(tx, {row.record: engine.world.now()}, row.lane)
            else:
                outbox.delete(tx, [row.record])
            if known.lead is not None:
                leads.make_dirty(tx, [known.lead], Lane.RETRY)
    engine.world.pause("recovered")


def _remember(
    engine: Engine,
    tx: Tx,
    system: System,
    before: Known,
    row: Row,
    found: Sequence[Record],
    told: Mapping[str, Sequence[Version]],
) -> None:
    """An update that took effect is part of the run that sent it, like any whose answer came. One field tells of all;
    the others may have been changed again since. `told`: what the vendor's own history says of them."""
    fields, believed = row.body["fields"], row.body["before"]
    mapping = system.mapping.objects[before.object]
    own = system.capabilities.coercions
    shown = next((each.fields for each in found if each.state is State.LIVE), None)
    if shown is None or not fields:
        return
    since = (row.sent_at or 0) - SKEW

    def took_effect(name: str, sent: Value) -> bool:
        kinds = mapping.coercions_of(name, own)
        now = shown.get(name)
        mine = [each.value for each in told.get(name, ()) if each.mine and each.at >= since]
        return (now != believed.get(name) and explains(sent, now, kinds)) or any(explains(sent, v, kinds) for v in mine)

    if any(took_effect(name, sent) for name, sent in fields.items()):
        now = engine.world.now()
        runs.remember(tx, [(before.lead, before.id, row.run, now, what_was_written(row, fields))])
        look_for_hidden(tx, system, before, now)


def _find(connector: Connector, system: System, row: Row, key: str) -> list[Record]:
    """Records that may be the one we created, deleted ones included."""
    object_, fields = row.body["object"], row.body["fields"]
    own = connector.own_key(object_)
    if own is not None:
        return list(connector.find(object_, own, [key]))
    found: dict[Ref, Record] = {}
    for name in sorted(system.capabilities.finds):
        value = fields.get(name)
        if isinstance(value, str):
            found.update({each.ref: each for each in connector.find(object_, name, [value])})
    return [each for each in found.values() if _is_fingerprint(each, row)]


def _is_fingerprint(record: Record, row: Row) -> bool:
    """Made by our user, not before we sent."""
    if record.mine is False:
        return False
    return record.created is None or record.created >= (row.sent_at or 0) - SKEW


def _fits_best(system: System, record: Record, row: Row, rivals: Sequence[Row]) -> bool:
    """Whether nobody else's create in doubt may rather have made this record. An address does not tell: where it is
    known once only, one of several creates with it took effect, and somebody may have given it to another record since.
    What the rest of the record shows does; where that is nothing, a person decides between those of one address."""
    mapping, own = system.mapping.objects[row.body["object"]], system.capabilities.coercions
    shown = record.fields

    def likeness(sent: Fields) -> int:
        return sum(
            name in shown and explains(sent[name], shown[name], mapping.coercions_of(name, own)) for name in sent
        )

    def found_by(sent: Fields) -> set[Value]:
        return {sent.get(name) for name in system.capabilities.finds} - {None}

    mine, address = likeness(row.body["fields"]), found_by(row.body["fields"])
    for other in rivals:
        theirs = likeness(other.body["fields"])
        if theirs > mine or (theirs == mine and address & found_by(other.body["fields"])):
            return False
    return True


def _settle_create(
    engine: Engine,
    tx: Tx,
    system: System,
    lease: Lease,
    row: Row,
    rivals: Sequence[Row],
    found: Sequence[Record],
    seq: int,
    run: int,
) -> None:
    known = records.by_id(tx, [row.record])[row.record]
    there = {each.ref.id: each for each in found}
    linked = records.by_ext(tx, system.id, known.object, set(there))
    candidates = {ext for ext in there if ext not in linked or linked[ext].lead in (None, known.lead)}
    candidates = {ext for ext in candidates if _fits_best(system, there[ext], row, rivals)}
    # What we made may bear another address by now; then only its first reading tells that it is ours.
    candidates |= {
        each.ext for each in records.awaiting(tx, system.id, row.record) if each.ext and each.mine is not False
    }
    if len(candidates) == 1:
        # It took effect: settle it as an answer without values, then take in what it holds by now.
        (ext,) = candidates
        settle(engine, tx, system, lease, [row], [Done(ext)], run)
        if ext in there:
            take(engine, tx, system, known.object, [there[ext]], seq, looked_up=True)
        return
    outbox.delete(tx, [row.record])
    records.wait_no_more(tx, system.id, [row.record])
    if candidates or there:
        # Several may be ours, or ours belongs to somebody else by now.
        body = {"system": system.name, "records": [str(each.ref) for each in found]}
        question = Question("in doubt", f"in doubt:{row.record}", system.id, row.lead, row.record, body)
        runs.ask(tx, [question], engine.world.now())
        known.settle_for("*", ALWAYS, "held", run)
        records.update(tx, [known])
    elif known.lead is not None:
        # It never arrived. It is decided anew, after everybody has been placed who was met meanwhile.
        leads.make_dirty(tx, [known.lead], Lane.RETRY)
