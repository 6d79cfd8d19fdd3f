"""What must be true once everything rests, whatever happened before.

No twin, nothing brought back to life, no edit lost without a word, all systems in agreement (but for what is counted
as frozen or settled), every opt-out everywhere, and nothing left to do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from connectors.backdoor import Backdoor, Kept
from connectors.base import Ref, State
from mappings.objects import ObjectMapping
from sync.compare import Cause
from sync.engine import Engine
from sync.model import TWIN, WAITS_FOR_PERSON, Known, Lead
from sync.packed import digest, unpack
from sync.store import leads, outbox, records
from sync.store.schema import history as history_table
from sync.store.schema import lead as lead_table
from sync.store.schema import lead_merge
from sync.store.schema import record as record_table
from sync.verify import Difference, verify
from tests.sim.truth import Truth, tokens

GROUPS = ("title", "a", "k", "address", "email")
SETTLED = ("refused", "held")


class Vendor(Backdoor, Protocol):
    def made_by_us(self) -> Mapping[Ref, Kept]:
        """Every record that our writes made, as it is now."""


class Scene(Protocol):
    """What has been played. `rested`: nothing happened any more. `race`: seconds within which a person made over there
    may be made by us as well, where the vendor knows no unique key."""

    @property
    def engine(self) -> Engine: ...

    @property
    def truth(self) -> Truth: ...

    @property
    def vendors(self) -> Mapping[int, Vendor]: ...

    @property
    def rested(self) -> bool: ...

    @property
    def race(self) -> float: ...

    def moment(self, passed: float) -> int:
        """What the engine's clock said so many seconds after the beginning."""


@dataclass(frozen=True, slots=True)
class Join:
    """Two leads became one, and these records of one of them went over to the other."""

    lead: int
    at: int
    moved: frozenset[int]


class Oracle:
    """Looks at the end of a play; `faults` says what is wrong."""

    def __init__(self, play: Scene) -> None:
        self.play, self.truth = play, play.truth
        self.faults: Counter[str] = Counter(play.truth.faults)
        self.notes: list[str] = []
        self.counts: Counter[str] = Counter()
        with play.engine.store.read() as tx:
            rows = tx.rows(lead_table.select().with_only_columns(lead_table.c.id, lead_table.c.into))
            ids, today = [row[0] for row in rows], {row[0]: row[1] or row[0] for row in rows}
            self.leads = {each.id: each for each in leads.by_id(tx, ids).values() if each.state == "live"}
            self.known = records.by_lead(tx, list(self.leads))
            self.left = outbox.counts(tx)
            r = record_table.c
            asked = sa.and_(r.lead.is_(None), r.waits == WAITS_FOR_PERSON)
            self.waiting = {(row[0], row[1]) for row in tx.rows(sa.select(r.system, r.ext).where(asked))}
            past = tx.rows(history_table.select().with_only_columns(history_table.c.lead, history_table.c.body))
            m = lead_merge.c
            merges = tx.rows(lead_merge.select().with_only_columns(m.before, m.winner, m.at))
        self.past: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for lead, body in past:
            if lead is not None:
                self.past[today[lead]].append(unpack(body))
        self.merged = [unpack(row[0]) for row in merges]
        self.joins = [Join(today[row[1]], row[2], frozenset(unpack(row[0])["records"])) for row in merges]
        self.real = {
            number: {str(kept.ref): kept for kept in vendor.records()} for number, vendor in play.vendors.items()
        }

    def judge(self) -> Counter[str]:
        if not self.play.rested:
            self.fault("never quiet", f"left: {self.left}")
        self._twins()
        self._resurrections()
        people = self._people()
        for person, ids in sorted(people.items()):
            for group in GROUPS:
                self._edits(person, group, ids)
            self._tags(person, ids)
        for lead in self.leads.values():
            self._agreement(lead)
            self._everywhere(lead)
        self._consent()
        self._independently()
        return self.faults

    def _independently(self) -> None:
        """The reader that shares no code with the engine's writer must find nothing that it cannot explain."""
        for each in self._unexplained():
            self.fault("unexplained", f"{each.system} {each.record} {each.group}: {each.text}")

    def _unexplained(self) -> list[Difference]:
        told: list[Difference] = []
        verify(self.play.engine, told.append)
        return [each for each in told if each.cause is Cause.UNEXPLAINED]

    def fault(self, kind: str, note: str) -> None:
        self.faults[kind] += 1
        self.notes.append(f"{kind}: {note}")

    # --- who is who ---

    def _kept(self, known: Known) -> Kept | None:
        return self.real[known.system].get(f"{known.object}:{known.ext}")

    def _people(self) -> dict[str, set[int]]:
        """Person → the leads that are them."""
        found: dict[str, set[int]] = defaultdict(set)
        for lead, some in self.known.items():
            for each in some:
                kept = self._kept(each)
                if kept is not None:
                    found[str(kept.fields["last"])].add(lead)
        for ids in found.values():
            live = [lead for lead in ids if any(each.state is State.LIVE and each.ext for each in self.known[lead])]
            if len(live) > 1:
                self.counts["one person, several leads"] += 1
        return found

    def _twins(self) -> None:
        """Records that we made: never two for one lead in one system, and none that we do not know of."""
        joined = {each.lead for each in self.joins}
        for number, vendor in self.play.vendors.items():
            made: Counter[int] = Counter()
            for ref, row in vendor.made_by_us().items():
                lead = self._lead_of(number, ref.id)
                if lead is not None:
                    made[lead] += 1
                elif row.state is State.LIVE:
                    self.fault("twin", f"s{number} {ref} was made by us, and we do not know it")
            for lead, count in made.items():
                if count > 1 and lead not in joined:
                    self.fault("twin", f"{count} records of lead {lead} were made in system {number}")

    def _resurrections(self) -> None:
        """Whom a person deleted in a system we do not make there again."""
        for (number, ext), when in self.truth.deleted.items():
            gone = self._known_of(number, ext)
            if gone is None:
                continue
            for (other, name), at in self.truth.made.items():
                made = self._known_of(number, name) if other == number else None
                if (
                    made is not None
                    and made.lead == gone.lead
                    and at > when + self.play.race
                    and not self._were_two(gone, made, at)
                ):
                    self.fault("resurrected", f"lead {gone.lead} in system {number}: {ext} deleted, {name} made")

    def _were_two(self, a: Known, b: Known, at: float) -> bool:
        """Whether these records' leads became one only after this."""
        moment = self.play.moment(at)
        return any(
            each.lead == a.lead and each.at > moment and (a.id in each.moved) != (b.id in each.moved)
            for each in self.joins
        )

    # --- edits ---

    def _edits(self, person: str, group: str, ids: set[int]) -> None:
        written = self.truth.edits.get((person, group), [])
        if not written:
            return
        known: set[str] = set()
        for lead in ids:
            known |= self._told(lead, group)
        known |= self.truth.cleared.get((person, group), set())
        known |= self._waiting_marks(person)
        known = self.truth.older(known)
        for mark in written:
            if mark in known or mark in self.truth.vanished:
                continue
            if mark in self.truth.overwritten:
                self.counts["overwritten before anybody had read it"] += 1
                continue
            where = [
                f"s{n} {k.ref} {k.state.name}"
                for n, some in self.real.items()
                for k in some.values()
                if any(mark in tokens(v) for v in k.fields.values())
            ]
            if any("LIVE" not in each for each in where) and mark not in self.truth.read:
                continue
            self.fault(
                "edit lost silently", f"{person} {group} {mark} read={mark in self.truth.read} at {where} leads {ids}"
            )

    def _waiting_marks(self, person: str) -> set[str]:
        """What stands in records of theirs of which a person is asked whose they are."""
        found: set[str] = set()
        for number, ext in self.waiting:
            for kept in self.real[number].values():
                if kept.ref.id == ext and kept.fields.get("last") == person:
                    self.counts["waits for somebody to say whose it is"] += 1
                    found |= {mark for value in kept.fields.values() for mark in tokens(value)}
        return found

    def _told(self, lead: int, group: str) -> set[str]:
        """Tokens that our lead or its history speaks of."""
        found: set[str] = set()
        each = self.leads.get(lead)
        if each is not None:
            found |= _marks(each.value.get(group))
        for body in self.past[lead]:
            for name, change in body.get("groups", {}).items():
                if name == group and isinstance(change, list):
                    found |= _marks(change[0]) | _marks(change[1])
            for name, _, value, *_ in body.get("lost", []):
                if name == group:
                    found |= _marks(value)
        for before in self.merged:
            for side in ("winner", "loser"):
                found |= _marks(before[side]["value"].get(group))
        for known in self.known.get(lead, ()):
            names = [name for rule in self._mapping(known).groups.get(group, ()) for name in rule.remote]
            if each is not None and (group in each.frozen or known.lead is None):
                for some in (known.now, known.base, known.pending):
                    for name in names:
                        found |= tokens(some.get(name))
            settled = "email" in known.asked and known.asked["email"][1] in SETTLED
            if group == "email" and (known.role == TWIN or settled):
                for name in names:
                    found |= tokens(known.now.get(name))
        return found

    def _mapping(self, known: Known) -> ObjectMapping:
        return self.play.engine.systems[known.system].mapping.objects[known.object]

    def _tags(self, person: str, ids: set[int]) -> None:
        removed = self.truth.removed_tags[person]
        for lead in ids:
            each = self.leads.get(lead)
            sides = [k for k in self.known.get(lead, ()) if k.state is State.LIVE and k.ext]
            if each is None or not sides:
                continue
            have = set(_items(each.value.get("tags")))
            told = self._told(lead, "tags")
            for mark in self.truth.edits.get((person, "tags"), []):
                if mark in told or mark in removed or mark in self.truth.overwritten or mark in self.truth.vanished:
                    continue
                if len(ids) == 1:
                    self.fault("tag lost", f"{person} {mark}")
            for mark in removed & have:
                if (
                    mark not in self.truth.overwritten
                    and len(ids) == 1
                    and not self.counts["one person, several leads"]
                ):
                    self.counts["removed tag still there"] += 1

    # --- agreement ---

    def _agreement(self, lead: Lead) -> None:
        sides = [each for each in self.known[lead.id] if each.state is State.LIVE and each.ext]
        for known in sides:
            kept = self._kept(known)
            if kept is None or kept.state is not State.LIVE:
                self.fault("a dead record is believed alive", f"s{known.system} {known.ext}")
                continue
            mapping = self._mapping(known)
            shown = mapping.read({name: kept.fields.get(name) for name in mapping.names})
            for group in ("title", "a", "k", "address", "email", "tags", "stage"):
                if group in lead.frozen or (group == "email" and known.role == TWIN):
                    self.counts["frozen"] += group in lead.frozen
                    continue
                want, has = lead.value.get(group), shown.get(group)
                if want == has or _same(want, has):
                    continue
                settled = known.asked.get(group)
                if settled is not None and settled[0] == digest(want):
                    self.counts[f"settled: {settled[1]}"] += 1
                    if settled[1] in SETTLED or (group == "title" and _is_cut(want, has)):
                        continue
                if group == "title" and _is_cut(want, has):
                    continue
                self.fault(
                    "systems disagree", f"lead {lead.id} s{known.system} {known.ext} {group}: {want!r} / {has!r}"
                )
        title = lead.value.get("title")
        if isinstance(title, str) and title not in self.truth.full[title[:5]] and "title" not in lead.frozen:
            self.fault("a cut value became the truth", f"lead {lead.id} {title}")

    def _everywhere(self, lead: Lead) -> None:
        """Whoever lives in one system is in each of them, or a question says why not."""
        sides = self.known[lead.id]
        if not any(each.state is State.LIVE and each.ext for each in sides):
            return
        for number in self.play.vendors:
            here = [each for each in sides if each.system == number]
            if any(each.ext for each in here):
                continue
            if any("*" in each.asked for each in here) or lead.value.get("email") is None:
                self.counts["not created, and asked about"] += 1
                continue
            self.fault("never created", f"lead {lead.id} in s{number}: {[each.asked for each in here]}")

    # --- consent ---

    def _consent(self) -> None:
        """Whoever opted out, and was heard, is out everywhere, unless they confirmed a later yes with just that system."""
        for lead in self.leads.values():
            sides = [each for each in self.known[lead.id] if each.state is State.LIVE and each.ext]
            for known in sides:
                kept = self._kept(known)
                if kept is None or kept.fields.get("consent") == "out":
                    continue
                if lead.value.get("consent.email") == "out":
                    settled = known.asked.get("consent.email")
                    if settled is not None and settled[1] == "held":
                        self.counts["consent in review"] += 1
                        if self._confirmed_here(known, kept):
                            continue
                    self.fault("opted out, and mailable", f"lead {lead.id} s{known.system} {known.ext} {settled}")
        for person, what, number, ext, when in self.truth.said:
            if what != "out":
                continue
            later = [s for s in self.truth.said if s[0] == person and s[1] == "in" and s[4] >= when]
            if later:
                continue
            for other, some in self.real.items():
                for kept in some.values():
                    linked = self._lead_of(other, kept.ref.id)
                    if kept.state is not State.LIVE or kept.fields["last"] != person or linked is None:
                        continue
                    same = (number, ext) in self.truth.met_nos
                    asked = any(k.ext == kept.ref.id and self._is_asked_about(k, kept) for k in self.known[linked])
                    heard = self._was_heard(number, ext, linked) and not (same and asked)
                    if kept.fields.get("consent") != "out" and heard:
                        self.fault(
                            "opt-out not everywhere", f"{person} out in s{number} at {when:.0f}, s{other} {kept.ref}"
                        )

    def _confirmed_here(self, known: Known, kept: Kept) -> bool:
        person = kept.fields["last"]
        return any(s[0] == person and s[1] == "in" and s[2] == known.system for s in self.truth.said)

    def _lead_of(self, number: int, ext: str) -> int | None:
        known = self._known_of(number, ext)
        return known.lead if known is not None else None

    def _known_of(self, number: int, ext: str) -> Known | None:
        """The record of this name, where it is some lead's."""
        some = (each for records in self.known.values() for each in records)
        return next((each for each in some if each.system == number and each.ext == ext), None)

    def _is_asked_about(self, known: Known, kept: Kept) -> bool:
        """Whether a confirmed yes of that system waits for a person: a no that equals the one we were just writing
        cannot be told from ours, so nobody knows which of the two is newer."""
        settled = known.asked.get("consent.email")
        return settled is not None and settled[1] == "held" and self._confirmed_here(known, kept)

    def _was_heard(self, number: int, ext: str, lead: int) -> bool:
        """Whether the record that said no belongs to this lead, and could be read before it went away."""
        return any(k.system == number and k.ext == ext and k.state is State.LIVE for k in self.known[lead])


def _items(value: Any) -> list[str]:
    return value if isinstance(value, list) else []


def _marks(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {mark for each in value.values() for mark in tokens(each)}
    return tokens(value)


def _same(want: Any, has: Any) -> bool:
    empty = (None, "", [])
    if isinstance(want, dict) or isinstance(has, dict):
        mine = want if isinstance(want, dict) else {}
        theirs = has if isinstance(has, dict) else {}
        return all(
            (mine.get(n) or None) == (theirs.get(n) or None) for n in {**mine, **theirs} if n in ("street", "city")
        )
    return want in empty and has in empty


def _is_cut(want: Any, has: Any) -> bool:
    return isinstance(want, str) and isinstance(has, str) and want.startswith(has)
