"""What a record shows against what its lead says, and why the two differ: the judgement of an independent reader.

Written beside the engine and not with it, so that a mistake there is not made here a second time: of what decides and
writes nothing is used, only mappings and what the store remembers. A difference that nothing remembered accounts for is
unexplained, and so is a value that moved over there while no time of the record did. Pure.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.base import Fields, Record, State, Value, WriteKind
from mappings.lead import Canon, covers, is_consent, is_empty
from mappings.mapping import Groups, ObjectMapping
from mappings.transforms import Unwritable, explains, partial_items
from sync.model import DEFAULT, MADE, PRIMARY, Filter, Known, Lead, OutState, System
from sync.packed import digest

DAY = 86_400_000_000
OUT = "out"
"""A no to being mailed; whatever else a consent cell holds is a yes, or nothing."""


class Cause(enum.StrEnum):
    """Why a record does not show what its lead says, the gravest first."""

    UNEXPLAINED = "unexplained"
    UNREAD = "unread"  # changed over there since our last reading
    UNLINKED = "unlinked"  # it is nobody's record
    FROZEN = "frozen"  # a person must decide which value is right
    REFUSED = "refused"  # the vendor did not take it
    HELD = "held"  # it is left alone on purpose
    IN_FLIGHT = "in flight"  # read and not decided, or decided and not settled
    LOSSY = "lossy"  # the other side cannot hold the value, or changed it
    OUT_OF_SCOPE = "out of scope"  # the lead does not pass the system's filters
    ONE_WAY = "one-way"  # this is not written there


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The operation that is decided for a record and not settled."""

    state: OutState
    groups: frozenset[str]
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a record and of the lead it belongs to. `held`: groups that the inbound guard holds back;
    `renewed`: groups whose mapping, or whose place in the configuration, is another since the last run; `lacks`: native
    fields that the account does not have; `dirty`: the lead is to be looked at again; `moved`: the record was read or
    written again after the reading it is held against."""

    system: System
    known: Known
    lead: Lead
    held: frozenset[str] = frozenset()
    renewed: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    operation: UnderWay | None = None
    dirty: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Apart:
    """One group that differs; `group` None: the record itself. `news`: it is not what we knew of the record."""

    group: str | None
    cause: Cause
    text: str
    wants: Canon = None
    has: Canon = None
    news: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """`groups`: those that could be compared."""

    groups: tuple[str, ...] = ()
    apart: tuple[Apart, ...] = ()


def of_nobody(row: Record, known: Known | None) -> Compared:
    """A record without a lead: nothing to hold it against."""
    if row.state is not State.LIVE:
        return Compared()
    if known is None:
        return _whole(Cause.UNREAD, "no reading of ours has shown it", news=True)
    if known.awaits is not None:
        return _whole(Cause.IN_FLIGHT, "it may be what we made ourselves, whose answer has not come")
    if known.waits:
        return _whole(Cause.UNLINKED, "nobody has said whose it is; see the review queue")
    return _whole(Cause.UNLINKED, "it was read, and is placed in the next run")


def compare(row: Record, at: Standing, now: int) -> Compared:
    """A record as just read against its lead, group by group."""
    known, lead = at.known, at.lead
    if lead.state != "live":
        return _whole(Cause.UNEXPLAINED, "its lead is not there any more")
    if row.state is not State.LIVE or known.state is not State.LIVE:
        return _existence(row, known)
    mapping = at.system.mapping.objects[known.object]
    fields = _plain({name: row.fields[name] for name in row.fields.keys() - at.lacks}, known.now)
    unreadable: dict[str, str] = {}
    shown, knew = mapping.read(fields, unreadable), mapping.read(known.now)
    case = _Case(row, at, mapping, fields, shown, now)
    groups = [group for group in mapping.groups if group in shown or group in unreadable]
    apart = []
    for group in groups:
        wants = _wanted(lead, group, mapping)
        has = shown.get(group)
        if group not in unreadable and _agrees(group, wants, has, mapping, fields):
            continue
        if group in unreadable:
            news = _natives(mapping, group, known.now) != _natives(mapping, group, fields)
        else:
            news = group not in knew or knew[group] != has
        cause, text = case.of_news(group) if news else case.of_standing(group, wants, has, unreadable.get(group))
        apart.append(Apart(group, cause, text, wants, has, news))
    return Compared(tuple(groups), tuple(apart))


def _whole(cause: Cause, text: str, *, news: bool = False) -> Compared:
    return Compared((), (Apart(None, cause, text, news=news),))


def _existence(row: Record, known: Known) -> Compared:
    """A record that is not there, here or there: such ones are left alone, and that both say so is enough."""
    if known.state is State.LIVE:
        text = {State.GONE: "it is not found over there any more", State.MERGED: "it was merged over there"}
        return _whole(Cause.UNREAD, text.get(row.state, f"it is {_word(row.state)} over there"), news=True)
    if row.state is State.LIVE:
        return _whole(Cause.UNREAD, f"it is there again, and was known as {_word(known.state)}", news=True)
    return Compared()


def _word(state: State) -> str:
    return state.name.lower().replace("_", " ")


def _plain(fields: Mapping[str, Value], knew: Mapping[str, Value]) -> Fields:
    """Lists as lists: what is shown only in part says nothing of the rest."""
    out: Fields = {}
    for name, value in fields.items():
        if isinstance(value, dict) and "items" in value:
            before = knew.get(name)
            rest = before if value.get("partial") and isinstance(before, list) else []
            value = sorted({*partial_items(value), *rest})
        out[name] = value
    return out


def _natives(mapping: ObjectMapping, group: str, fields: Mapping[str, Value]) -> list[Value]:
    return [fields.get(name) for name in mapping.names_of(group)]


# --- one group ---------------------------------------------------------------------------------------------------


def _wanted(lead: Lead, group: str, mapping: ObjectMapping) -> Canon:
    """What the lead says; of consent, a no in a cell that covers this one, or that this one is too coarse to leave
    out."""
    if is_consent(group):
        for cell, value in lead.value.items():
            if value != OUT or not is_consent(cell):
                continue
            finer = any(other != group and covers(other, cell) for other in mapping.consents)
            widened = covers(group, cell) and not finer and any(rule.widen for rule in mapping.groups[group])
            if covers(cell, group) or widened:
                return OUT
    return lead.value.get(group)


def _agrees(group: str, wants: Canon, has: Canon, mapping: ObjectMapping, fields: Mapping[str, Value]) -> bool:
    """Whether both say one thing, in the fields of the group that this side has."""
    if is_consent(group):
        return _says(wants) == _says(has)
    if not isinstance(wants, dict) and not isinstance(has, dict):
        return _same(wants, has)
    mine = [name for rule in mapping.groups[group] if fields.keys() >= {*rule.remote} for name in rule.lead]
    said, shown = (each if isinstance(each, dict) else {} for each in (wants, has))
    return all(_same(said.get(name), shown.get(name)) for name in mine)


def _same(a: object, b: object) -> bool:
    return a == b or (is_empty(a) and is_empty(b))


def _says(consent: Canon) -> str:
    """No, yes or nothing: when a yes was confirmed is not written anywhere."""
    return "no" if consent == OUT else "yes" if consent else "nothing"


@dataclass(frozen=True, slots=True)
class _Case:
    """A record under judgement: as read, as known, and by which mapping."""

    row: Record
    at: Standing
    mapping: ObjectMapping
    fields: Fields
    shown: Groups
    now: int

    def of_news(self, group: str) -> tuple[Cause, str]:
        """It shows something that we did not know."""
        known, operation = self.at.known, self.at.operation
        if operation is not None and operation.state is OutState.SENDING and group in operation.groups:
            return Cause.IN_FLIGHT, _under_way(operation)
        if self.at.moved:
            return Cause.IN_FLIGHT, "it was read or written again while we looked"
        row, mine = self.row.modified, known.modified
        if row is not None and mine is not None and row < mine:
            return Cause.IN_FLIGHT, "the system shows an older state than it showed before"
        if row is not None and mine is not None and row > mine:
            return Cause.UNREAD, "it was changed over there since our last reading"
        if self.row.version is not None and known.version is not None and self.row.version != known.version:
            return Cause.UNREAD, "it was changed over there since our last reading"
        if MADE in known.asked and any(name not in known.now for name in self.mapping.names_of(group)):
            return Cause.UNREAD, "it was not read since we made it"
        if self._became_of_ours(group):
            return Cause.UNREAD, "what became of our own writing has not been read yet"
        if row is None and self.row.version is None:
            return Cause.UNREAD, "it was changed over there; this system does not tell when"
        if mine is None and known.version is None:
            return Cause.UNREAD, "it was not read since we wrote it"
        return Cause.UNEXPLAINED, "its value is another than we knew, and nothing over there says that it was changed"

    def _became_of_ours(self, group: str) -> bool:
        """Whether it may be what our own unconfirmed writing has become, by a coercion that is declared."""
        written: Fields = self.at.known.sent.get("fields", {})
        names = [name for name in self.mapping.names_of(group) if name in written]
        kinds = self.at.system.capabilities.coercions
        return bool(names) and all(
            explains(written[name], self.fields.get(name), self.mapping.coercions_of(name, kinds)) for name in names
        )

    def of_standing(self, group: str, wants: Canon, has: Canon, unreadable: str | None) -> tuple[Cause, str]:
        """It shows what we knew, and that is not what the lead says."""
        for found in (
            self._waits(group, unreadable),
            self._settled(group, wants),
            self._cannot_hold(group, wants, has),
            self._is_not_written(group, wants, has),
        ):
            if found is not None:
                return found
        if self.at.dirty:
            return Cause.IN_FLIGHT, "the lead is looked at again in the next run"
        return Cause.UNEXPLAINED, "nothing stands between it and its lead, and yet they differ"

    def _waits(self, group: str, unreadable: str | None) -> tuple[Cause, str] | None:
        """Somebody must look first, or something is under way."""
        known, lead, operation = self.at.known, self.at.lead, self.at.operation
        if group in lead.frozen:
            return Cause.FROZEN, f"it waits for a person: {lead.frozen[group]}"
        if group in self.at.held:
            return Cause.HELD, "too much of it changed over there; see the review queue"
        if unreadable is not None:
            return Cause.HELD, f"what it holds cannot be read: {unreadable}"
        fresh = known.fresh is not None and not known.fresh.isdisjoint({"*", group})
        if fresh or any(name in known.base or name in known.pending for name in self.mapping.names_of(group)):
            return Cause.IN_FLIGHT, "it was read, and is decided in the next run"
        if group in self.at.renewed:
            return Cause.IN_FLIGHT, "its mapping or the configuration changed, which the next run takes up"
        if operation is not None and group in operation.groups:
            return Cause.IN_FLIGHT, _under_way(operation)
        return None

    def _cannot_hold(self, group: str, wants: Canon, has: Canon) -> tuple[Cause, str] | None:
        """What the mapping says would come back is not what the lead says."""
        if is_consent(group) or group not in self.mapping.outgoing:
            return None
        try:
            back = self.mapping.round(group, wants, self.fields)
        except Unwritable:
            return Cause.LOSSY, "the mapping has no word for this value"
        if not _agrees(group, back, has, self.mapping, self.fields):
            return None
        if is_empty(wants):
            return Cause.ONE_WAY, "the mapping does not take away what is there"
        return Cause.LOSSY, "it shows as much of the value as it can hold"

    def _settled(self, group: str, wants: Canon) -> tuple[Cause, str] | None:
        """This very wish was put to the record before, and this came of it."""
        settled = self.at.known.asked.get(group)
        if settled is None:
            return None
        mark, why = settled[0], str(settled[1])
        mine = mark == digest(wants)
        if why == DEFAULT:
            return (Cause.HELD, "the system filled it in by itself when it was made") if is_empty(wants) else None
        if mine or (is_consent(group) and why == "held"):
            return _SETTLED.get(why, (Cause.HELD, f"it was settled: {why}"))
        return None

    def _is_not_written(self, group: str, wants: Canon, has: Canon) -> tuple[Cause, str] | None:
        system, lead = self.at.system, self.at.lead
        if group not in self.mapping.outgoing:
            return Cause.ONE_WAY, "the mapping only reads it from this system"
        if not system.takes(WriteKind.UPDATE):
            return Cause.ONE_WAY, "nothing is written to this system"
        if self.at.known.role != PRIMARY and group in self.mapping.slots:
            return Cause.ONE_WAY, "a second record of a person keeps its own address"
        if is_consent(group):
            return self._keeps_its_word(group, wants, has)
        if not _belongs(lead, system.filters, self.now):
            return Cause.OUT_OF_SCOPE, "the lead does not pass the filters of this system"
        if group in self.mapping.slots and system.capabilities.consent_on == "address" and self._cannot_say_no():
            return Cause.HELD, "the lead said no, which cannot be told there under another address"
        return None

    def _keeps_its_word(self, cell: str, wants: Canon, has: Canon) -> tuple[Cause, str] | None:
        """A no is told everywhere; a yes is not, and where nobody said yes a no must have come from somewhere."""
        if wants == OUT or (has == OUT and not wants):
            return None
        if wants and _says(has) != "yes":
            return Cause.ONE_WAY, "a yes is not told to other systems by itself"
        return None

    def _cannot_say_no(self) -> bool:
        said_no = any(is_consent(cell) and value == OUT for cell, value in self.at.lead.value.items())
        return said_no and not any(
            cell in self.mapping.outgoing and cell in self.shown and _wanted(self.at.lead, cell, self.mapping) == OUT
            for cell in self.mapping.consents
        )


_SETTLED: Mapping[str, tuple[Cause, str]] = {
    "lossy": (Cause.LOSSY, "it was written, and this is what became of it over there"),
    "unwritable": (Cause.LOSSY, "the mapping has no word for this value; see the review queue"),
    "refused": (Cause.REFUSED, "the vendor refused it; see the review queue"),
    "undone": (Cause.HELD, "it was taken back by an undo, and rests until the lead's value changes"),
    "held": (Cause.HELD, "a person left it as it is"),
}


def _under_way(operation: UnderWay) -> str:
    if operation.state is OutState.SENDING:
        return "it was sent and nobody knows what became of it" if operation.doubtful else "it is being sent"
    return "it waits to be sent" if operation.state is OutState.QUEUED else "it waits for a plan to be approved"


# --- scope -------------------------------------------------------------------------------------------------------


def _belongs(lead: Lead, filters: tuple[Filter, ...], now: int) -> bool:
    return all(_passes(each, lead.value.get(each.group), now) for each in filters)


def _passes(condition: Filter, value: Canon, now: int) -> bool:
    found: object = value.get(condition.field) if isinstance(value, dict) else value
    wanted = condition.value
    if condition.op == "present":
        return (found in (None, "", [])) is (wanted is False)
    if condition.op == "older_than":
        return isinstance(found, str) and isinstance(wanted, int) and now - _day(found) > wanted * DAY
    several = wanted if condition.op == "in" and isinstance(wanted, list | tuple) else [wanted]
    return any(each in several for each in _each(found, condition.op))


def _each(found: object, op: str) -> Iterator[object]:
    """A set passes "in" by any of its members."""
    yield from found if op == "in" and isinstance(found, list) else [found]


def _day(text: str) -> int:
    """The day's first moment in UTC, microseconds."""
    day = datetime.date.fromisoformat(text[:10])
    return (day - datetime.date(1970, 1, 1)).days * DAY
