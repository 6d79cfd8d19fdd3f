"""Taking a run back: what nobody changed since gets its former value again, in every system.

The preview begins with what cannot be undone. A field that was written over since stays; a record that was made is
archived only where nobody touched it, and leaves a tombstone. A restored value is held: it is not written again until
the lead's value changes. A no to being mailed is taken back only by name, with a reason, and only where we wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Fields, State, Value, WriteKind
from mappings.lead import Canon, is_consent
from mappings.mapping import ObjectMapping
from mappings.transforms import explains
from sync.consent import CONFIRMED, IN, OUT
from sync.decide import addresses
from sync.engine import Engine
from sync.model import DEFAULT, RESTORE, Known, Lane, Lead, OutState, System
from sync.packed import digest
from sync.store import leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.runs import Past


@dataclass(slots=True)
class Back:
    """What a record gets back: native field → (what we left, what it gets). `archive`: it was made by the run."""

    known: Known
    fields: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    archive: bool = False


@dataclass(slots=True)
class Undo:
    """`lost`: (what, why) of everything that cannot be taken back, told first. `back`: what can."""

    run: int
    lost: list[tuple[str, str]] = field(default_factory=list)
    back: dict[int, Back] = field(default_factory=dict)
    values: dict[int, dict[str, list[Any]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.back) + len(self.values)


NO_STAYS = "a no to being mailed is not taken back with a run"


class CannotUndo(Exception):
    """This run cannot be taken back; the text says why."""


def preview(engine: Engine, tx: Tx, run_id: int, *, values: bool = False, consent: bool = False) -> Undo:
    """What undoing a run would do. `values`: set the leads back too. `consent`: opt-outs that we wrote too. Raises
    CannotUndo."""
    run = runs.by_id(tx, run_id)
    if run is None:
        raise CannotUndo(f"there is no run {run_id}")
    if run.state == "running":
        raise CannotUndo(f"run {run_id} is still under way")
    out = Undo(run_id)
    past = list(runs.of_run(tx, run_id))
    written: dict[int, list[Past]] = {}
    for each in past:
        if each.record is not None:
            written.setdefault(each.record, []).append(each)
        elif "split" in each.body:
            out.lost.append((f"lead {each.lead}", 'it was split; "smarketing leads merge" joins them again'))
        elif "merged" in each.body:
            out.lost.append(
                (f"lead {each.lead}", 'it was joined with another; "smarketing leads split" takes that back')
            )
        elif values:
            _weigh_values(each, out)
    known = records.by_id(tx, sorted(written))
    waiting = outbox.by_record(tx, list(known))
    for record, some in written.items():
        _weigh(engine, tx, record, known.get(record), some, waiting.get(record), out, consent=consent)
    if values:
        _drop_moved_values(tx, out)
    out.lost = list(dict.fromkeys(out.lost))
    return out


def _weigh(
    engine: Engine,
    tx: Tx,
    record: int,
    known: Known | None,
    past: Sequence[Past],
    row: outbox.Row | None,
    out: Undo,
    *,
    consent: bool,
) -> None:
    """One record that the run wrote to: all it did there, the last first. `row`: what waits to be sent to it."""
    if known is None or known.ext is None:
        out.lost.append((f"record {record}", "nothing is known of it any more"))
        return
    if known.system not in engine.systems:
        out.lost.append((f"record {record}", "its system is not configured any more"))
        return
    system = engine.systems[known.system]
    mapping = engine.mapping(known)
    what = f"{system.name} {known.object}:{known.ext}"
    kinds = {each.body["kind"] for each in past}
    if mapping is None:
        out.lost.append((what, "its object is not mapped any more"))
    elif known.state is not State.LIVE:
        out.lost.append((what, f"it is {known.state.name.lower()} over there"))
    elif row is not None and row.state == OutState.SENDING:
        out.lost.append((what, "something is being sent to it; try again when that is settled"))
    elif row is not None and row.step == RESTORE:
        out.lost.append((what, "an undo of it is waiting to be sent"))
    elif "archive" in kinds:
        out.lost.append((what, "it was archived, and is back already"))
    elif "create" in kinds:
        _weigh_made(system, mapping, known, past, what, out)
    elif not system.takes(WriteKind.UPDATE):
        out.lost.append((what, "this system takes no changes"))
    else:
        _weigh_fields(tx, system, mapping, known, past, what, out, consent=consent)


def _weigh_made(
    system: System, mapping: ObjectMapping, known: Known, past: Sequence[Past], what: str, out: Undo
) -> None:
    ahead = [name for each in past if each.body["kind"] == "withdraw" for name in sorted(each.body["fields"])]
    out.lost += [(f"{what} {name}", NO_STAYS) for name in ahead]
    left = {name: value for each in reversed(past) for name, (_, value) in each.body["fields"].items()}
    run = past[0].run
    whole = not known.base and not known.pending
    if not (whole and all(_is_as_made(system, mapping, known, name, left, run) for name in known.now)):
        out.lost.append((what, "it was made, and somebody has changed it since"))
    elif not system.takes(WriteKind.ARCHIVE):
        out.lost.append((what, "it was made, and this system cannot archive"))
    else:
        out.back[known.id] = Back(known, archive=True)


def _is_as_made(
    system: System, mapping: ObjectMapping, known: Known, name: str, left: Mapping[str, Value], run: int
) -> bool:
    """Whether a field of a record that the run made holds what it was given, nothing, or what the vendor filled in."""
    group = mapping.group_of.get(name)
    if name in left:
        return _is_left(system, mapping, known, name, left[name], run)
    if group is None or known.now[name] in (None, "", []):
        return True
    if is_consent(group):
        said = mapping.read_group(group, known.now)
        return said is None or said == IN  # where nobody said a word, a vendor may say yes by itself
    return group in known.asked and known.asked[group][1] == DEFAULT


def _is_left(system: System, mapping: ObjectMapping, known: Known, name: str, left: Value, run: int) -> bool:
    """Whether a field still holds what the run left there: what it sent, or what that became over there."""
    now = known.now.get(name)
    if name in known.base:
        return False
    _, why, by = known.asked.get(mapping.group_of.get(name, ""), (None, None, None))
    lossy = why == "lossy" and by == run  # an edit would have ended this memo
    return now == left or (lossy and explains(left, now, mapping.coercions_of(name, system.capabilities.coercions)))


def _would_forget_a_no(tx: Tx, system: System, known: Known) -> bool:
    """Whether a no hangs on the address over there, and this person has said one (F7)."""
    if system.capabilities.consent_on != "address" or known.lead is None:
        return False
    value = leads.by_id(tx, [known.lead])[known.lead].value
    return any(is_consent(group) and said == OUT for group, said in value.items())


def _weigh_fields(
    tx: Tx,
    system: System,
    mapping: ObjectMapping,
    known: Known,
    past: Sequence[Past],
    what: str,
    out: Undo,
    *,
    consent: bool,
) -> None:
    back = Back(known)
    for each in past:
        for name, (before, left) in sorted(each.body["fields"].items()):
            group = mapping.group_of.get(name, "")
            if is_consent(group) and not (consent and _is_our_no(tx, known, each, group, name)):
                out.lost.append((f"{what} {name}", NO_STAYS))
            elif group in mapping.slots and _would_forget_a_no(tx, system, known):
                out.lost.append((f"{what} {name}", "the person has said no, and would be mailed under the old address"))
            elif group not in mapping.outgoing:
                out.lost.append((f"{what} {name}", "the mapping does not write it any more"))
            elif name in back.fields:
                there, first = back.fields[name]
                if explains(left, first, mapping.coercions_of(name, system.capabilities.coercions)):
                    back.fields[name] = (there, before)  # the run wrote it twice: its first value counts
            elif _is_left(system, mapping, known, name, left, each.run):
                back.fields[name] = (known.now.get(name), before)
            else:
                out.lost.append((f"{what} {name}", "somebody has changed it since"))
    if back.fields:
        out.back[known.id] = back


def _is_our_no(tx: Tx, known: Known, past: Past, group: str, name: str) -> bool:
    """Whether the run made a yes a no, and nobody has touched it since: then it was not written again either."""
    before = past.body["groups"].get(group, [None])[0]
    if known.lead is None or not isinstance(before, str) or not (before == IN or before.startswith(CONFIRMED)):
        return False
    later = (each for each in runs.of_lead(tx, [known.lead]) if each.record == known.id and each.id > past.id)
    return not any(name in each.body["fields"] for each in later)


def _weigh_values(past: Past, out: Undo) -> None:
    for group, change in past.body.get("groups", {}).items():
        if past.lead is not None and isinstance(change, list) and not is_consent(group):
            kept = out.values.setdefault(past.lead, {})
            after = kept[group][1] if group in kept else change[1]
            kept[group] = [change[0], after]


def _drop_moved_values(tx: Tx, out: Undo) -> None:
    today = leads.by_id(tx, sorted(out.values))
    for lead_id, groups in list(out.values.items()):
        lead = today.get(lead_id)
        for group, (_, after) in list(groups.items()):
            if lead is None or lead.state != "live" or lead.value.get(group) != after:
                out.lost.append((f"lead {lead_id} {group}", "its value has changed since"))
                del groups[group]
        if not groups:
            del out.values[lead_id]


def undo(
    engine: Engine, tx: Tx, run_id: int, who: str, why: str, *, values: bool = False, consent: bool = False
) -> tuple[int, Undo]:
    """Take a run back: queue what `preview` says. Answers the new run. Raises CannotUndo."""
    if consent and not why.strip():
        raise CannotUndo("taking back a no to being mailed wants a reason")
    out = preview(engine, tx, run_id, values=values, consent=consent)
    now = engine.world.now()
    run = runs.begin(tx, "undo", who, why, now, undoes=run_id)
    _set_back(tx, out, run, now)
    people = leads.by_id(tx, sorted({each.known.lead for each in out.back.values() if each.known.lead is not None}))
    rows = [_row(engine, each, people.get(each.known.lead or 0), run) for each in out.back.values()]
    records.update(tx, [each.known for each in out.back.values()])
    outbox.put(tx, rows)
    return run, out


def _row(engine: Engine, back: Back, lead: Lead | None, run: int) -> outbox.Row:
    known = back.known
    mapping = engine.systems[known.system].mapping.objects[known.object]
    fields: Fields = {name: before for name, (_, before) in back.fields.items()}
    left: Fields = {name: value for name, (value, _) in back.fields.items()}
    groups = sorted({mapping.group_of[name] for name in fields})
    body: dict[str, Any] = {
        "object": known.object,
        "fields": fields,
        "before": left,
        "read": known.modified or 0,
        "of": {name: mapping.group_of[name] for name in fields},
        "groups": {group: _told(back, mapping.read_group, group) for group in groups},
        "wanted": {group: digest(lead.value.get(group)) for group in groups} if lead is not None else {},
    }
    for group, mark in body["wanted"].items():
        known.settle_for(group, mark, "undone", run)  # held: not written again until the lead says something else
    lane = Lane.WITHDRAWAL if any(is_consent(group) for group in groups) else Lane.RETRY
    kind = "archive" if back.archive else "update"
    rev = lead.rev if lead is not None else 0
    return outbox.Row(
        known.id, known.system, int(lane), kind, body, known.lead, rev, known.obs, run, OutState.QUEUED, step=RESTORE
    )


def _told(back: Back, read: Any, group: str) -> list[Canon]:
    now = back.known.now
    return [read(group, now), read(group, {**now, **{name: before for name, (_, before) in back.fields.items()}})]


def _set_back(tx: Tx, out: Undo, run: int, now: int) -> None:
    """Set the leads' own values back; every system then learns of it like of any change."""
    today = leads.by_id(tx, sorted(out.values))
    rows: list[tuple[int | None, int | None, int, int, dict[str, object]]] = []
    for lead_id, groups in out.values.items():
        lead = today[lead_id]
        told = {}
        for group, (before, after) in groups.items():
            lead.value[group] = before
            lead.origin[group] = [0, 0, now, "undo", run, True, 0]
            told[group] = [after, before, None, "undo", True]
        lead.rev += 1
        rows.append((lead_id, None, run, now, {"groups": told, "lost": []}))
    leads.save(tx, today.values(), now)
    leads.set_keys(tx, {each.id: addresses(each) for each in today.values()})
    leads.make_dirty(tx, list(out.values))
    runs.remember(tx, rows)


def systems_of(engine: Engine, out: Undo) -> Iterable[tuple[str, int]]:
    """(system, how many of its records) for the preview."""
    counted: dict[str, int] = {}
    for each in out.back.values():
        name = engine.systems[each.known.system].name
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted.items())
