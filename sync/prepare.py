"""What changed between two runs that no feed tells: a mapping file, an account's fields, the database itself.

A mapping that reads more wants its records read again; one that reads otherwise lets leads' values follow the records
they came from, and is never an edit (F23). Whatever comes of it is a plan that a person approves. A field that an
account changed ends what was settled for it. A database that was put back from a copy trusts no feed any more (F33).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple
from typing import Any

from connectors.base import WriteKind
from mappings.lead import Canon, is_consent, is_empty
from sync.engine import HOUR, Engine
from sync.lease import Lease
from sync.model import ALL, Known, Lane, Lead, System
from sync.packed import digest
from sync.store import beside, feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.feeds import SystemRow

Groups = dict[str, set[str]]
"""Object → groups."""


def look(engine: Engine, system: System, lease: Lease) -> None:
    """Before a system is read: take note of what its mapping and its account's fields are by now. Raises what the
    connector raises."""
    system.capabilities = engine.connectors[system.id].capabilities
    with engine.store.read() as tx:
        row = _row(tx, system)
    now = engine.world.now()
    schema = row.schema
    asks = row.schema_at is None or row.schema_at + HOUR <= now
    if asks:
        schema = {object_: _fields(engine, system, object_) for object_ in system.mapping.objects}
        engine.world.pause("answered")
    # An account that tells no fields of an object says nothing of what it lacks.
    system.lacks = {
        object_: frozenset(each.names) - schema[object_].keys()
        for object_, each in system.mapping.objects.items()
        if schema.get(object_)
    }
    told = _told(engine, system)
    if not asks and told == row.told:
        return
    with engine.store.tx() as tx:
        lease.check(tx)
        if row.told and told != row.told:
            _hear(tx, system, row.told, told)
        if row.schema_at is not None and asks:
            _end_settled(tx, system, _moved_fields(system, row.schema, schema))
        feeds.update_system(tx, system.id, told=told, schema=schema, **({"schema_at": now} if asks else {}))
    engine.world.pause("prepared")


def _told(engine: Engine, system: System) -> dict[str, Any]:
    """What the configuration and the connector say of a system, as far as leads depend on it."""
    return {
        "names": {object_: sorted(each.names) for object_, each in system.mapping.objects.items()},
        "takes": sorted(str(kind) for kind in WriteKind if system.takes(kind)),
        "filters": [asdict(each) for each in system.filters],
        "rules": _rules(engine, system),
    }


def _rules(engine: Engine, system: System) -> str:
    """Which rules decide about what this system reads."""
    rules = engine.settings.rules
    groups = sorted({group for each in system.mapping.objects.values() for group in each.groups})
    return digest([[group, *astuple(rules.of(group))] for group in groups] + [list(rules.trust)])


def _hear(tx: Tx, system: System, was: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    for object_, some in told["names"].items():
        if set(some) - set(was["names"].get(object_, ())):
            feeds.read_again(tx, system.id, object_)
    if was["rules"] != told["rules"]:
        leads.make_frozen_dirty(tx)
    more = set(told["takes"]) - set(was["takes"])
    if more or was["filters"] != told["filters"]:
        leads.make_missing_dirty(tx, system.id)
        for some in _linked(tx, system):
            leads.make_dirty(tx, {each.lead for each in some if each.lead is not None}, Lane.BACKFILL)
    if more:
        # Whatever could not be written before is as much as a first plan, and waits like one.
        feeds.update_system(tx, system.id, state=feeds.NEW)


def _linked(tx: Tx, system: System) -> Iterator[list[Known]]:
    after = 0
    while some := records.linked_after(tx, system.id, after, 500):
        after = some[-1].id
        yield some


def changed(engine: Engine, tx: Tx) -> list[System]:
    """Systems whose mapping is not the one that was last approved."""
    rows = {row.id: row for row in feeds.systems(tx)}
    return [
        each
        for each in engine.systems.values()
        if rows[each.id].mapping and rows[each.id].mapping != each.mapping.digest()
    ]


def adopt(engine: Engine, tx: Tx, run: int) -> None:
    """From here on these mappings hold: what was settled for their groups ends, values follow their records, and the
    leads are decided anew."""
    rows = {row.id: row for row in feeds.systems(tx)}
    for system in engine.systems.values():
        was, today = rows[system.id].mapping, system.mapping.digest()
        if was == today:
            continue
        if was:
            moved = _moved_groups(was, today)
            _end_settled(tx, system, moved)
            _follow(engine, tx, system, moved, run)
        feeds.update_system(tx, system.id, mapping=today, **({"state": feeds.NEW} if was else {}))


def _row(tx: Tx, system: System) -> SystemRow:
    return feeds.system_row(tx, system.id)


# --- an account's fields -----------------------------------------------------------------------------------------


def _fields(engine: Engine, system: System, object_: str) -> dict[str, str]:
    """Mapped native name → a hash of what the account says of it; how full it is plays no part."""
    live = engine.connectors[system.id].schema(object_).by_name()
    names = system.mapping.objects[object_].names
    return {name: digest({**asdict(live[name]), "filled": None}) for name in names if name in live}


def _moved_fields(system: System, was: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> Groups:
    out: Groups = {}
    for object_, mapping in system.mapping.objects.items():
        before, after = was.get(object_, {}), now.get(object_, {})
        names = {name for name in mapping.names if before.get(name) != after.get(name)}
        out[object_] = {mapping.group_of[name] for name in names}
    return out


# --- a mapping ---------------------------------------------------------------------------------------------------


def _moved_groups(was: Mapping[str, Mapping[str, str]], today: Mapping[str, Mapping[str, str]]) -> Groups:
    return {
        object_: {group for group, mark in groups.items() if was.get(object_, {}).get(group) != mark}
        for object_, groups in today.items()
    }


def _end_settled(tx: Tx, system: System, moved: Groups) -> None:
    """What was refused or cut under the old word may fit under the new one."""
    for some in _with_something_settled(tx, system):
        touched = []
        for known in some:
            groups = moved.get(known.object, set()) & known.asked.keys()
            if groups:
                known.asked = {group: kept for group, kept in known.asked.items() if group not in groups}
                touched.append(known)
        records.absorb(tx, touched)
        leads.make_dirty(tx, [each.lead for each in touched if each.lead is not None], Lane.BACKFILL)


def _with_something_settled(tx: Tx, system: System) -> Iterator[list[Known]]:
    ids = records.settled(tx, system.id)
    for start in range(0, len(ids), 500):
        yield list(records.by_id(tx, ids[start : start + 500]).values())


def _follow(engine: Engine, tx: Tx, system: System, moved: Groups, run: int) -> None:
    """Every lead with a record in this system is decided anew; values that came from one are what it says today."""
    for some in _linked(tx, system):
        touched = [known for known in some if moved.get(known.object)]
        people = leads.by_id(tx, sorted({known.lead for known in touched if known.lead is not None}))
        now = engine.world.now()
        for known in touched:
            lead = people.get(known.lead or 0)
            if lead is None:
                continue
            told, met = _told_anew(system, known, lead, moved[known.object])
            if told:
                lead.rev += 1
                lead.value.update({group: after for group, (_, after) in told.items()})
                groups = {group: [*values, known.id, "mapping", True] for group, values in told.items()}
                runs.remember(tx, [(lead.id, None, run, now, {"groups": groups, "lost": []})])
            if met and known.fresh is not ALL:
                known.fresh = (known.fresh or frozenset()) | met
                known.obs += 1
        records.update(tx, touched)
        leads.save(tx, people.values(), now)
        leads.make_dirty(tx, people, Lane.BACKFILL)


def _told_anew(
    system: System, known: Known, lead: Lead, moved: set[str]
) -> tuple[dict[str, tuple[Canon, Canon]], frozenset[str]]:
    """Group → what the lead says, and what the record that said it says by today's mapping; and the groups that this
    record and the lead meet in for the first time. An edit that waits to be weighed brings its value itself."""
    mapping = system.mapping.objects[known.object]
    seen = mapping.read(known.now)
    told: dict[str, tuple[Canon, Canon]] = {}
    met: set[str] = set()
    for group in sorted(moved & seen.keys()):
        value, before = seen[group], lead.value.get(group)
        if any(name in known.base for rule in mapping.groups[group] for name in rule.remote):
            continue
        if is_empty(before) and not is_empty(value):
            met.add(group)
        elif not is_consent(group) and (lead.origin.get(group) or [0])[0] == known.id:
            if isinstance(value, dict):
                value = {**(before if isinstance(before, dict) else {}), **value}
            if value != before:
                told[group] = (before, value)
    return told, frozenset(met)


# --- the database ------------------------------------------------------------------------------------------------


def distrust(engine: Engine, tx: Tx) -> None:
    """After a copy was put back: everything is read whole again before anybody is created anywhere, and the plan that
    comes of it waits for a person. What was being sent then has long come to something, which the reading shows."""
    beside.renew(tx, engine.world.random())
    outbox.forget(tx)
    records.delete(tx, records.placeholders(tx))
    for system in engine.systems.values():
        feeds.unprime(tx, system.id)
        feeds.update_system(tx, system.id, state=feeds.RESTORED, swept_at=None)
