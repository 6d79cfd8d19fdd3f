"""What a person says of a lead: a value in place of what the systems say, taken in everywhere and told to all of them.

Refuses a text that is no such value, and a yes to being mailed: that is the person's own to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mappings.lead import Canon, is_consent, is_empty
from mappings.mapping import ObjectMapping
from sync.consent import OUT
from sync.decide import addresses
from sync.engine import Engine
from sync.model import Known, Lane, Lead
from sync.store import leads, records, runs
from sync.store.db import Tx


class CannotDecide(Exception):
    """What a person said does not fit. The text says what is allowed."""


class Moved(CannotDecide):
    """What it was about is not as it was when it was asked; nothing is done."""


def edit(engine: Engine, tx: Tx, lead_id: int, said: Mapping[str, str], who: str, why: str) -> int:
    """A person says what fields of a lead are; answers the run. A no to being mailed can be said, a yes cannot: that is
    the person's own to say. Raises CannotDecide, and KeyError for a field that no system has."""
    run = runs.begin(tx, "edit", who, why, engine.world.now())
    lead = living(tx, lead_id, f"there is no lead {lead_id}")
    wanted: dict[str, Canon] = {}
    for name, text in said.items():
        group, value = (name, text) if is_consent(name) else typed_field(engine, name, text)
        if is_consent(group) and not any(group in mapping.groups for mapping in _mappings(engine)):
            raise KeyError(name)
        if is_consent(group) and value != OUT:
            raise CannotDecide(f'{name}: only "{OUT}" can be said for somebody else; let the person opt in themselves')
        if group != name:
            kept = wanted.get(group, lead.value.get(group))
            value = {**(kept if isinstance(kept, dict) else {}), name: value}
        wanted[group] = value
    for group, value in wanted.items():
        if lead.value.get(group) != value:
            set_value(engine, tx, lead, group, value, "edited by a person", run)
        if is_consent(group):
            entry = leads.Entry(
                lead.id, str(lead.value.get("email") or ""), group, OUT, f"said by {who}", engine.world.now(), None, run
            )
            leads.enter(tx, [entry])
            leads.make_dirty(tx, [lead.id], Lane.WITHDRAWAL)
            _no_yes_is_left_alone(tx, lead.id, group)
    return run


def typed(engine: Engine, group: str, text: str) -> Canon:
    """The value of a group of one field as a person types it, in normal form. Raises CannotDecide."""
    try:
        found, value = typed_field(engine, group, text)
    except KeyError:
        found, value = "", None
    if found != group:
        raise CannotDecide(f"{group} has several fields; take a system's value, or edit the fields one by one")
    return value


def typed_field(engine: Engine, name: str, text: str) -> tuple[str, Canon]:
    """The group of a field, and its value as a person types it, in normal form. Nothing typed: no value. Raises
    CannotDecide for a text that is no such value, KeyError where no system has the field."""
    rules = (rule for mapping in _mappings(engine) for rule in mapping.rules)
    rule = next((each for each in rules if each.lead == (name,) and each.reader is not None), None)
    if rule is None or rule.reader is None:
        raise KeyError(name)
    if text in rule.options.back:
        return rule.group, text  # one of our own words for it
    try:
        return rule.group, rule.reader(text or None)
    except ValueError as error:
        raise CannotDecide(f'"{text}" is no value for {name}: {error}') from None


def _mappings(engine: Engine) -> Iterator[ObjectMapping]:
    for system in engine.systems.values():
        yield from system.mapping.objects.values()


def set_value(engine: Engine, tx: Tx, lead: Lead, group: str, value: Canon, rule: str, run: int) -> None:
    """A person says what a group is: every side's news of it is taken in, and every system learns of it."""
    now = engine.world.now()
    before = lead.value.get(group)
    sides = records.by_lead(tx, [lead.id])[lead.id]
    lost: list[list[object]] = []
    for each in sides:
        mapping = engine.mapping(each)
        if mapping is None or each.ext is None:
            continue
        lost += [[group, each.id, said, rule] for said in unheard(mapping, each, group) if said != value]
        for name in mapping.names_of(group):
            each.base.pop(name, None)
            each.pending.pop(name, None)
        if each.fresh is not None:
            left = (mapping.groups.keys() if "*" in each.fresh else each.fresh) - {group}
            each.fresh = frozenset(left) or None
        each.asked.pop(group, None)
        each.obs += 1  # what was decided before this is void
    records.update(tx, sides)
    lead.value[group] = value
    lead.origin[group] = [0, 0, now, rule, run, True, 1]
    lead.frozen.pop(group, None)
    for marks in ("~trail", "~rival"):
        kept = {name: each for name, each in (lead.origin.get(marks) or {}).items() if name != group}
        lead.origin.pop(marks, None)
        if kept:
            lead.origin[marks] = kept
    lead.rev += 1
    leads.save(tx, [lead], now)
    leads.set_keys(tx, {lead.id: addresses(lead)})
    leads.make_dirty(tx, [lead.id])
    told = {"groups": {group: [before, value, None, rule, True]}, "lost": lost}
    runs.remember(tx, [(lead.id, None, run, now, told)])


def unheard(mapping: ObjectMapping, known: Known, group: str) -> list[Canon]:
    """What a side says of a group that was not taken in yet: it loses to what the person says."""
    if group not in mapping.groups:
        return []
    fresh = known.fresh is not None and ("*" in known.fresh or group in known.fresh)
    names = set(mapping.names_of(group))
    told: list[Canon] = []
    if fresh or names & known.base.keys():
        told.append(mapping.read_group(group, known.now))
    if names & known.pending.keys():
        told.append(mapping.read_group(group, {**known.now, **known.pending}))
    return [each for each in told if not is_empty(each)]


def _no_yes_is_left_alone(tx: Tx, lead_id: int, cell: str) -> None:
    """A no said now goes everywhere, also to a system that was left with a yes of before."""
    sides = [each for each in records.by_lead(tx, [lead_id])[lead_id] if cell in each.asked]
    for each in sides:
        del each.asked[cell]
    records.update(tx, sides)


def living(tx: Tx, lead_id: int | None, missing: str = "the lead that this question is about is gone") -> Lead:
    real = leads.real(tx, lead_id) if lead_id is not None else None
    if real is None:
        raise Moved(missing)
    return leads.by_id(tx, [real])[real]
