"""One group of fields of one lead: gathers what its records say of it, decides, and writes the outcome down.

A side that had seen the lead's value replaces it; sides that had not seen each other are concurrent and go to the
group's rule; a side met for the first time fills what is empty and never goes by time. Losers are told, so that they
stand in the history; a group nobody may decide is frozen and nothing of it is absorbed. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Value, Writer
from mappings.lead import Canon, is_consent, is_empty
from mappings.mapping import ObjectMapping
from mappings.transforms import Unwritable, explains
from sync import consent, rules
from sync.model import TWIN, Lead, Side
from sync.packed import digest
from sync.rules import Candidate, Choice, Rules, StageEdit

ABSENT = object()
DAY = 86_400_000_000
RETURNS = 3
"""So many returns to an earlier value within a day, by different sides, are two automations that fight (F20)."""

FULLER = frozenset({"cut", "case", "blanks", "digits"})
"""At first contact a value explained by another in one of these ways yields to it."""


@dataclass(slots=True)
class Change:
    """A group got another value. `record` None: by nobody's record."""

    before: Canon
    after: Canon
    record: int | None
    rule: str
    proven: bool


@dataclass(slots=True)
class Lost:
    """A value that did not become the lead's, and the rule it lost to."""

    group: str
    record: int
    value: Canon
    rule: str


@dataclass(slots=True)
class Frozen:
    """A group that waits for a person: why, and what there is to choose from as (record, value)."""

    why: str
    choices: list[tuple[int | None, Canon]]


@dataclass(slots=True)
class Merged:
    changes: dict[str, Change] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    absorbed: dict[int, set[str]] = field(default_factory=dict)
    edited: dict[int, set[str]] = field(default_factory=dict)
    frozen: dict[str, Frozen] = field(default_factory=dict)
    doubts: list[tuple[str, consent.Statement, str]] = field(default_factory=list)
    left_alone: dict[int, set[str]] = field(default_factory=dict)
    said: list[tuple[str, consent.Statement]] = field(default_factory=list)
    wants_times: dict[int, set[str]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    """Groups whose value stayed what it was, but was said anew."""

    def undecided(self) -> set[str]:
        """Groups of which nothing may be written anywhere."""
        return {*self.frozen, *self.waiting}


def rounded(side: Side, group: str, value: Canon) -> Any:
    """What this side would read back of a lead's value; ABSENT where it has no word for it."""
    try:
        return side.mapping.round(group, value, side.known.now)
    except Unwritable:
        return ABSENT


def rank(system: int | None, how: Rules) -> tuple[int, int]:
    """Whose value is taken first where systems meet for the first time."""
    trust = how.trust
    return trust.index(system) if system in trust else len(trust), how.order.get(system or 0, 0)


class Group:
    """The merge of one group."""

    def __init__(
        self, group: str, lead: Lead, sides: Sequence[Side], how: Rules, now: int, run: int, out: Merged
    ) -> None:
        self.group, self.lead, self.how, self.now, self.run, self.out = group, lead, how, now, run, out
        self.sides = sides
        self.policy = how.of(group)
        self.current: Canon = lead.value.get(group)
        self.edits: list[tuple[Side, Candidate, Canon, bool]] = []  # side, candidate, former value, had seen the lead's
        self.firsts: list[tuple[Side, Candidate]] = []
        self.rivals = self._rivals()
        self.buried: list[Candidate] = []
        self.heard: list[Side] = []  # sides whose news counts as taken in once the group is decided
        self.unheard: list[Side] = []  # they have a value, and we cannot or must not take it for what they say
        for each in sides:
            if each.known.ext is None:
                continue
            if group in each.held or group in each.unreadable:
                self.unheard.append(each)  # neither taken in nor written over: a person must look
            elif group in each.now:
                self._hear(each)

    def _hear(self, each: Side) -> None:
        group = self.group
        seen = each.now[group]
        unheard = "not read from this system" if group not in each.mapping.incoming else ""
        if each.known.role == TWIN and group in each.mapping.slots:
            unheard = "its own address"
        if each.is_fresh(group):
            if is_consent(group) and each.pending.get(group) == consent.OUT:
                seen = consent.OUT  # said before we knew whose it was, and forgotten over there since
            elif each.pending.get(group, seen) != seen:
                # It was read, and is not shown any more: it decides nothing, and is not forgotten.
                self.buried.append(self._candidate(each, each.pending[group], hidden=True))
            self.heard.append(each)
            met = (each, self._candidate(each, seen))
            if not (each.live or (is_consent(group) and seen == consent.OUT)):
                # It went away before it was weighed: its values decide nothing, and are not forgotten.
                self.buried.append(met[1])
            elif not unheard:
                self.firsts.append(met)
            return
        self.heard.append(each)
        before = each.base.get(group)
        told: list[tuple[Side, Candidate, Canon, bool]] = []
        if group not in each.base:
            told.append((each, self._candidate(each, seen), None, False))  # it was unreadable, and is mended
        elif seen != before and not self._says_nothing(each, seen):
            told.append((each, self._candidate(each, seen), before, self._had_seen(each, before)))
        if group not in each.pending:
            written_over = {name: each.known.pending.get(name) for name in self._names(each.mapping)}
            self.out.lost.append(Lost(group, each.known.id, dict(written_over), "unreadable"))
        elif each.pending[group] != seen and not self._says_nothing(each, each.pending[group]):
            told.append((each, self._candidate(each, each.pending[group], hidden=True), before, False))
        if unheard:
            self._lose([candidate for _, candidate, *_ in told], ABSENT, unheard)
        else:
            self.edits += told

    def _says_nothing(self, each: Side, value: Canon) -> bool:
        """An empty value of a side where being empty is no information (F44)."""
        return self.group in each.mapping.silent and is_empty(value)

    def _candidate(self, each: Side, seen: Any, *, hidden: bool = False) -> Candidate:
        """The lead-level value that this side asks for: its own part over what the lead has beside. `hidden`: a write
        of ours covers it, whose time is not its own; the vendor may have told that."""
        value: Canon = seen
        if isinstance(seen, dict):
            value = {**(self.current if isinstance(self.current, dict) else {}), **seen}
        same = self.current is not None and seen == rounded(each, self.group, self.current)
        if same and not is_consent(self.group):
            value = self.current  # it says what the lead says, as far as it can
        known = each.known
        names = self._names(each.mapping)
        own = max((known.taken_up.get(name, 0) for name in names if name in known.pending), default=0) if hidden else 0
        exact = own or max((known.times.get(name, 0) for name in names), default=0)
        hi = min(exact or known.modified or 0, self.now)
        lo = hi - 1 if exact else min(known.prev_modified or 0, hi)
        return Candidate(value, each.system.id, known.id, lo, hi, int(known.writer), known.role != TWIN)

    def _names(self, mapping: ObjectMapping) -> Sequence[str]:
        return mapping.names_of(self.group)

    def _had_seen(self, each: Side, before: Canon) -> bool:
        """Whether the side held the lead's value (as far as it can) when it was edited: then nothing is concurrent."""
        if before == rounded(each, self.group, self.current):
            return True
        settled = each.known.asked.get(self.group)
        return settled is not None and settled[0] == digest(self.current)

    def _rivals(self) -> list[Candidate]:
        """The value of a lead that this one was joined with."""
        found = (self.lead.origin.get("~rival") or {}).get(self.group)
        if found is None:
            return []
        value, (record, lo, hi, *_) = found
        return [Candidate(value, self._system_of(record), record, lo, hi)]

    def _system_of(self, record: int) -> int | None:
        return next((each.system.id for each in self.sides if each.known.id == record), None)

    # --- deciding ---

    def merge(self) -> None:
        if is_consent(self.group):
            self._merge_consent()
        elif self.policy.rule == "union":
            self._merge_union()
        elif self.policy.rule == "furthest":
            self._merge_furthest()
        else:
            self._merge_values()
        if self.group not in self.out.undecided():
            now = self.lead.value.get(self.group)
            self._lose([each for each in self.buried if fuller(now, each.value) != now], ABSENT, "no longer there")

    def _merge_values(self) -> None:
        if self.lead.frozen.get(self.group) == "oscillates":
            self._freeze("oscillates", [each for _, each, _, _ in self.edits])
            return
        if self.edits and not self._merge_edits():
            return
        if (self.firsts or self.rivals) and not self._merge_firsts():
            return
        self._absorb()

    def _merge_edits(self) -> bool:
        """Decide between the edits; False when a person, or the vendor's own times, must be asked first."""
        edits = self.edits
        if self.policy.rule == "owner":
            owned = [edit for edit in edits if edit[1].system in self.policy.systems and edit[1].primary]
            if not owned and self._owner_stands():
                self._lose([each for _, each, _, _ in edits], self.current, "owner")
                return True
            edits = owned or edits
        candidates = [each for _, each, _, _ in edits]
        if self._incumbent_competes(edits):
            candidates.append(self._incumbent())
        values: list[Canon] = []
        for each in candidates:
            if each.value not in values:
                values.append(each.value)
        choice = Choice(rules.latest(candidates, self.how), "only edit") if len(values) == 1 else self._pick(candidates)
        if (choice is None or not choice.proven) and self.policy.rule != "ask" and self._want_times(candidates):
            self.out.waiting.add(self.group)  # the vendor keeps the times of fields: ask once before estimating
            return False
        if choice is None:
            self._freeze("conflict", candidates)
            return False
        if choice.candidate.record is not None and self._oscillates(choice.candidate):
            self._freeze("oscillates", candidates)
            return False
        self._lose([each for _, each, _, _ in self.edits], choice.candidate.value, choice.rule)
        self._win(choice)
        return True

    def _incumbent_competes(self, edits: Sequence[tuple[Side, Candidate, Canon, bool]]) -> bool:
        """The lead's own value is a candidate where some editor had not seen it, and where the rule protects it."""
        if is_empty(self.current):
            return False
        if not all(seen for *_, seen in edits):
            return True
        by_person = any(each.writer == Writer.PERSON for _, each, _, _ in edits)
        return self.policy.rule == "person_first" and not by_person and self._origin_writer() == Writer.PERSON

    def _owner_stands(self) -> bool:
        """The owner's value stands against everybody's edits, seen or not, while the owner has one."""
        return not is_empty(self.current) and any(
            each.system.id in self.policy.systems and each.live and each.known.role != TWIN
            for each in (*self.heard, *self.unheard)
        )

    def _incumbent(self) -> Candidate:
        record, lo, hi = (self.lead.origin.get(self.group) or [0, 0, 0])[:3]
        return Candidate(self.current, self._system_of(record), None, lo, hi, self._origin_writer())

    def _origin_writer(self) -> int:
        origin = self.lead.origin.get(self.group) or []
        return int(origin[6]) if len(origin) > 6 else 0

    def _pick(self, candidates: Sequence[Candidate]) -> Choice | None:
        return rules.PICKS[self.policy.rule](candidates, self.policy, self.how)

    def _merge_firsts(self) -> bool:
        """Fill what is empty; the fuller of two that explain each other; else the trusted one; else a question."""
        said = [each for each in (*(each for _, each in self.firsts), *self.rivals) if not is_empty(each.value)]
        if not said:
            return True
        said.sort(key=lambda each: (*rank(each.system, self.how), each.record or 0))
        options: list[Candidate] = [] if is_empty(self.lead.value.get(self.group)) else [self._incumbent_now()]
        for candidate in said:
            for i, other in enumerate(options):
                joined = fuller(other.value, candidate.value)
                if joined is not ABSENT:
                    if joined != other.value:
                        options[i] = Candidate(
                            joined, candidate.system, candidate.record, candidate.lo, candidate.hi, candidate.writer
                        )
                    break
            else:
                options.append(candidate)
        if len(options) == 1:
            choice = Choice(options[0], "first contact")
        else:
            picked = self._pick_first(options)
            if picked is None:
                self._freeze("first contact", options)
                return False
            choice = picked
        won = choice.candidate.value
        self._lose([each for each in said if fuller(won, each.value) != won], won, choice.rule)
        self._win(choice)
        return True

    def _incumbent_now(self) -> Candidate:
        """The lead's value, perhaps just changed by an edit, with the system it came from."""
        value = self.lead.value.get(self.group)
        origin = self.lead.origin.get(self.group) or [0, 0, 0]
        return Candidate(value, self._system_of(origin[0]), None, origin[1], origin[2])

    def _pick_first(self, options: Sequence[Candidate]) -> Choice | None:
        if self.policy.rule == "ask":
            return None
        preferred = self.policy.systems if self.policy.rule in ("owner", "trust") else ()
        for system in (*preferred, *self.how.trust):
            for each in options:
                if each.system == system:
                    return Choice(each, "first contact: " + ("owner" if system in preferred else "trust"))
        return None

    def _merge_union(self) -> None:
        pairs: list[tuple[Canon, Canon]] = [(before, each.value) for _, each, before, _ in self.edits]
        firsts: list[Canon] = [each.value for _, each in self.firsts]
        after: Canon = rules.union(self.current, pairs, firsts) or None
        if after != self.current and not (is_empty(after) and is_empty(self.current)):
            by = self.edits[0][1] if self.edits else self.firsts[0][1]
            self._win(Choice(Candidate(after, by.system, by.record, by.lo, by.hi, by.writer), "union"))
        self._absorb()

    def _merge_furthest(self) -> None:
        origin = self.lead.origin
        epoch, trail = origin.get("~stage") or [0, []]
        edits = [
            StageEdit(candidate, before in [rounded(each, self.group, stage) for stage in (trail or [self.current])])
            for each, candidate, before, _ in self.edits
        ]
        firsts = [*(candidate for _, candidate in self.firsts), *self.rivals]
        stage, new_epoch, winner, rule = rules.furthest(self.current, epoch, edits, firsts)
        said = [each for _, each, _, _ in self.edits] + firsts
        self._lose([each for each in said if each.value is not None], stage, "furthest")
        if winner is not None:
            self._win(Choice(winner, rule))
            kept = trail if new_epoch == epoch else []
            origin["~stage"] = [new_epoch, [*[each for each in kept if each != stage], stage]]
        self._absorb()

    def _merge_consent(self) -> None:
        statements: list[consent.Statement] = []
        for each, candidate, before, _ in self.edits:
            statements.append(self._statement(each, candidate, before, first=False))
        for each, candidate in self.firsts:
            if candidate.value is not None:
                statements.append(self._statement(each, candidate, None, first=True))
        origin = self.lead.origin.get(self.group) or [0, 0, 0]
        ruling = consent.rule(self.current, int(origin[2]), statements)
        if self.current == consent.OUT and ruling.by is not None and ruling.state != consent.OUT:
            if any(each.withdrawing for each in self.sides):
                self.out.waiting.add(self.group)
                self.out.left_alone.setdefault(ruling.by.record, set()).add(self.group)
                return
            if self._is_contradicted(ruling.by, consent.confirmed_at(ruling.state) or 0):
                self.out.doubts.append((self.group, ruling.by, "another system shows a no that may be newer"))
                self.out.left_alone.setdefault(ruling.by.record, set()).add(self.group)
                ruling = consent.Ruling(self.current)
        for said, why in ruling.doubted:
            self.out.doubts.append((self.group, said, why))
        for record in ruling.left_alone:
            self.out.left_alone.setdefault(record, set()).add(self.group)
        if ruling.by is not None:
            by = ruling.by
            self._win(Choice(Candidate(ruling.state, by.system, by.record, by.at, by.at), ruling.rule))
        self.out.said.extend((self.group, each) for each in statements if each.after is not None)
        unheard = [c for each, c, _, _ in self.edits if c.value != rounded(each, self.group, ruling.state)]
        stands = "an opt-out stands" if ruling.state == consent.OUT else "no newer word"
        self._lose(unheard, ruling.state, ruling.rule or stands)
        self._absorb()

    def _is_contradicted(self, yes: consent.Statement, at: int) -> bool:
        """Whether a record that says no was changed after the yes: a repeated no looks like the one we wrote."""
        return any(
            each.known.id != yes.record and each.now.get(self.group) == consent.OUT and (each.known.modified or 0) > at
            for each in self.sides
        )

    def _statement(self, each: Side, said: Candidate, before: Canon, *, first: bool) -> consent.Statement:
        trusted = each.system.id in self.how.opt_in_trust
        at = said.hi or self.now  # where nobody tells when it was said, it is as new as our reading
        return consent.Statement(each.known.id, each.system.id, said.value, before, first, at, trusted, each.known.slot)

    # --- outcome ---

    def _win(self, choice: Choice) -> None:
        group, won = self.group, choice.candidate
        current = self.lead.value.get(group)
        if won.record is not None:
            self.lead.origin[group] = [won.record, won.lo, won.hi, choice.rule, self.run, choice.proven, won.writer]
        if won.value == current or (is_empty(won.value) and is_empty(current)):
            self.out.confirmed.add(group)
            return
        earlier = self.out.changes.get(group)
        if earlier is not None and earlier.record is not None:
            self.out.lost.append(Lost(group, earlier.record, earlier.after, choice.rule))
        before = earlier.before if earlier else current
        self.out.changes[group] = Change(before, won.value, won.record, choice.rule, choice.proven)
        self.lead.value[group] = won.value

    def _lose(self, said: Sequence[Candidate], winner: object, rule: str) -> None:
        for each in said:
            if each.value != winner and each.record is not None:
                self.out.lost.append(Lost(self.group, each.record, each.value, rule))

    def _absorb(self) -> None:
        """Everything that was heard counts as taken in: base, pending and asked of the group end."""
        for each in self.heard:
            self.out.absorbed.setdefault(each.known.id, set()).add(self.group)
        for each, *_ in self.edits:
            if each.now.get(self.group) != each.base.get(self.group):
                # An edit that our write has covered since does not end what the write was settled for.
                self.out.edited.setdefault(each.known.id, set()).add(self.group)
        self.lead.frozen.pop(self.group, None)
        rivals = self.lead.origin.get("~rival")
        if rivals and rivals.pop(self.group, None) is not None and not rivals:
            del self.lead.origin["~rival"]

    def _freeze(self, why: str, candidates: Sequence[Candidate]) -> None:
        choices: list[tuple[int | None, Canon]] = [(each.record, each.value) for each in candidates]
        if not is_empty(self.current) and all(record is not None for record, _ in choices):
            choices.append((None, self.current))
        self.lead.frozen[self.group] = why
        self.out.frozen[self.group] = Frozen(why, choices)

    def _want_times(self, candidates: Sequence[Candidate]) -> bool:
        """Ask for the times of fields where a vendor keeps them and none were fetched yet."""
        asked = False
        for each, candidate, *_ in self.edits:
            known = each.known
            names = self._names(each.mapping)
            if (
                each.system.capabilities.field_times
                and candidate in candidates
                and not any(n in known.times for n in names)
            ):
                self.out.wants_times.setdefault(known.id, set()).update(names)
                asked = True
        return asked

    def _oscillates(self, won: Candidate) -> bool:
        """Keep the trail of a group's values of the last day, and tell when sides only undo each other."""
        trails: dict[str, list[list[Any]]] = self.lead.origin.get("~trail") or {}
        trail = [step for step in trails.get(self.group, []) if step[2] > self.now - DAY]
        mark = digest(won.value)
        if not trail and not is_empty(self.current):
            trail = [[digest(self.current), 0, self.now, False]]
        if trail and trail[-1][0] == mark:
            return False
        back = any(step[0] == mark for step in trail) and trail[-1][1] != won.system
        trail.append([mark, won.system, self.now, back])
        self.lead.origin["~trail"] = {**trails, self.group: trail[-8:]}
        return sum(1 for step in trail if step[3]) >= RETURNS


def fuller(a: Canon, b: Canon) -> Any:
    """Of two values that do not contradict each other, the one that says more, field by field; ABSENT where they do."""
    if isinstance(a, dict) and isinstance(b, dict):
        joined: dict[str, object] = {}
        for name in {**a, **b}:
            one = _fuller_value(a.get(name), b.get(name))  # type: ignore[arg-type]
            if one is ABSENT:
                return ABSENT
            joined[name] = one
        return joined
    return _fuller_value(a, b)


def _fuller_value(a: Value, b: Value) -> Any:
    if a == b or b in (None, "", []):
        return a
    if a in (None, "", []):
        return b
    if explains(a, b, FULLER):
        return a
    if explains(b, a, FULLER):
        return b
    return ABSENT
