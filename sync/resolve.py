"""Finding the person of each new record, and following what a vendor merged.

In batches, computed outside the transaction that saves them: a batch takes along everybody who claims the same
addresses, so that the order in which they were read plays no part. What is not clear waits for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import State
from mappings.lead import is_consent, is_empty
from mappings.mapping import ObjectMapping
from sync import identity
from sync.consent import OUT
from sync.engine import Engine
from sync.identity import Claim, Name
from sync.lease import Lease
from sync.model import Known, Lane, Lead, Question
from sync.packed import digest
from sync.plan import in_scope
from sync.pull import primed
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx
from sync.store.leads import Entry

BATCH = 1000
SAID_BEFORE = "the address had said no before"


def resolve(engine: Engine, run: int, lease: Lease | None, tx: Tx | None = None) -> int:
    """Give a batch of new records to leads; answers how many were looked at. `tx`: do it within this transaction."""
    if tx is not None:
        batch = _Batch.load(engine, tx)
        batch.resolve()
        return batch.save(tx, run)
    with engine.store.read() as reading:
        batch = _Batch.load(engine, reading)
    if not batch.size:
        return 0
    batch.resolve()
    engine.world.pause("computed")
    with engine.store.tx() as writing:
        if lease is not None:
            lease.check(writing)
        batch.drop_moved(writing)
        looked = batch.save(writing, run)
    engine.world.pause("decided")
    return looked


@dataclass(slots=True)
class _Batch:
    """Records that belong to nobody yet, and everything that bears on whose they are."""

    engine: Engine
    new: list[Known]
    merged: list[Known]
    claims: list[Claim] = field(default_factory=list)
    owners: dict[str, list[Claim]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    members: dict[int, list[int]] = field(default_factory=dict)
    survivors: dict[int, Known | None] = field(default_factory=dict)
    out: identity.Resolved = field(default_factory=identity.Resolved)

    @property
    def size(self) -> int:
        return len(self.new) + len(self.merged)

    @classmethod
    def load(cls, engine: Engine, tx: Tx) -> _Batch:
        whole = primed_systems(engine, tx)
        new = [each for each in records.unlinked(tx, sorted(whole), BATCH) if each.state is not State.MERGED]
        batch = cls(engine, new, records.merged(tx, BATCH))
        if new:
            batch._load_claims(tx, whole)
        for loser in batch.merged:
            batch.survivors[loser.id] = batch._survivor(tx, loser)
        return batch

    def _load_claims(self, tx: Tx, whole: Iterable[int]) -> None:
        """Everybody who claims an address of these; unplaced records among them are placed along."""
        allowed = set(whole)
        mapped = [each for each in self.new if self.engine.mapping(each) is not None]
        keys = {each.id: self._keys(each) for each in mapped}
        wanted = {key for some in keys.values() for key in some}
        claimants = [
            each for each in records.by_slot(tx, sorted(wanted), self.new) if self.engine.mapping(each) is not None
        ]
        here = {each.id for each in self.new}
        for each in claimants:
            if each.lead is None and each.id not in here and each.system in allowed and each.state is not State.MERGED:
                self.new.append(each)
                mapped.append(each)
                here.add(each.id)
                keys[each.id] = self._keys(each)
        owned = leads.owners(tx, sorted({key for some in keys.values() for key in some}))
        holders = leads.by_id(tx, {owner.lead for some in owned.values() for owner in some})
        self.shared = frozenset(key for key, some in owned.items() if any(owner.shared for owner in some))
        for key, owners in owned.items():
            for owner in owners:
                lead = holders.get(owner.lead)
                if lead is not None and lead.state == "live":
                    self._own(key, Claim(0, 0, lead.id, name_of(lead.value.get("name"))))
        for each in claimants:
            if each.lead is not None and each.slot is not None and each.state is not State.MERGED:
                self._own(each.slot, Claim(each.id, each.system, each.lead, self._name(each)))
        references = self._references(tx)
        self.claims = [
            Claim(
                each.id,
                each.system,
                None,
                self._name(each),
                dead=each.state is not State.LIVE or not self._in_scope(each),
                reference=references.get(each.id),
                keys=keys[each.id],
            )
            for each in sorted(mapped, key=lambda known: known.id)
        ]
        owning = {claim.record for some in self.owners.values() for claim in some if claim.record}
        self.apart = records.kept_apart(tx, sorted(here | owning))
        if self.apart:
            for some in self.owners.values():
                for claim in some:
                    if claim.lead is not None and claim.record:
                        self.members.setdefault(claim.lead, []).append(claim.record)

    def _own(self, key: str, claim: Claim) -> None:
        self.owners.setdefault(key, []).append(claim)

    def _mapping(self, known: Known) -> ObjectMapping:
        found = self.engine.mapping(known)
        assert found is not None
        return found

    def _keys(self, known: Known) -> tuple[str, ...]:
        more = self._mapping(known).read_group("emails", known.now)
        found = {known.slot, *(more if isinstance(more, list) else [])} - {None}
        return tuple(sorted(each for each in found if each is not None))

    def _name(self, known: Known) -> Name:
        return name_of(self._mapping(known).read_group("name", known.now))

    def _in_scope(self, known: Known) -> bool:
        filters = self.engine.systems[known.system].filters
        return not filters or in_scope(
            Lead(0, value=self._mapping(known).read(known.now)), filters, self.engine.world.now()
        )

    def _references(self, tx: Tx) -> dict[int, int]:
        """Records that are somebody by a former name: what was merged into them belongs to a lead."""
        found: dict[int, int] = {}
        by_system: dict[int, dict[str, int]] = {}
        for each in self.new:
            by_system.setdefault(each.system, {})[str(each.ref())] = each.id
        for system, refs in by_system.items():
            for loser in records.merged_into(tx, system, sorted(refs)):
                if loser.lead is not None and loser.into is not None:
                    found.setdefault(refs[loser.into], loser.lead)
        return found

    def _survivor(self, tx: Tx, loser: Known) -> Known | None:
        object_, _, ext = (loser.into or "").partition(":")
        return records.by_ext(tx, loser.system, object_, {ext}).get(ext) if ext else None

    def resolve(self) -> None:
        self.out = identity.resolve(self.claims, self.owners, self.shared, self.apart, self.members)

    def drop_moved(self, tx: Tx) -> None:
        """Leave out what changed since it was loaded; it comes again."""
        today = records.stand_as(tx, [each.id for each in (*self.new, *self.merged)])

        def still(each: Known) -> bool:
            return today.get(each.id) == (each.lead, each.obs, each.slot)

        moved = {each.id for each in self.new if not still(each)}
        self.merged = [each for each in self.merged if still(each)]
        if moved:
            self.new = [each for each in self.new if each.id not in moved]
            self.claims = [each for each in self.claims if each.record not in moved]
            self.resolve()

    def save(self, tx: Tx, run: int) -> int:
        now = self.engine.world.now()
        out = self.out
        creating = self._made_by_us(tx)
        made = [cluster for cluster in out.made if not any(record in creating for record in cluster)]
        links = dict(out.link)
        by_id = {each.id: each for each in self.new}
        if made:
            first = tx.ids("lead", len(made))
            for i, cluster in enumerate(made):
                links.update(dict.fromkeys(cluster, first + i))
            self._make(tx, {first + i: [by_id[each] for each in cluster] for i, cluster in enumerate(made)}, run, now)
        # Our own create may be what we see here: it is matched when that create is settled, not met as a stranger.
        under_way = records.being_created(tx, links.values())
        early = creating | {
            each.id: under_way[(links[each.id], each.system)]
            for each in self.new
            if each.mine is not False and each.id in links and (links[each.id], each.system) in under_way
        }
        links = {record: lead for record, lead in links.items() if record not in early}
        records.link(tx, links)
        leads.make_dirty(tx, links.values(), Lane.EDIT)
        for system in sorted({each.system for each in self.new}):
            placed = [str(each.ref()) for each in self.new if each.system == system and each.id in links]
            records.look_again_at_losers(tx, system, placed)
        records.await_create(tx, early)
        records.let_wait(tx, [each.id for each in self.new if each.id not in links and each.id not in early])
        leads.share(tx, self._holders(out.shared - self.shared, links))
        questions = [
            Question(
                "identity",
                f"identity:{record}",
                by_id[record].system,
                record=record,
                body={"leads": may_be, "record": str(by_id[record].ref())},
                seen=digest([record, may_be]),
            )
            for record, may_be in sorted(out.ask.items())
        ]
        questions += [
            Question("same", f"same:{a}:{b}", lead=a, body={"leads": [a, b]}, seen=digest([a, b]))
            for a, b in sorted(out.same)
        ]
        runs.ask(tx, questions, now)
        runs.close(tx, [f"identity:{record}" for record in links])
        postponed = sum(not self._follow(tx, loser, run, now) for loser in self.merged)
        return self.size - postponed

    def _make(self, tx: Tx, made: Mapping[int, Sequence[Known]], run: int, now: int) -> None:
        """New leads, by their records. One whose address had said no before, whoever had it then, begins with that: a
        no hangs on the address, and does not end because somebody else has it (F7)."""
        slots = {number: {each.slot for each in cluster if each.slot is not None} for number, cluster in made.items()}
        refused = leads.refusals(tx, {slot for some in slots.values() for slot in some})
        entries: list[Entry] = []
        born = [Lead(number) for number in made]
        for lead in born:
            for address in sorted(slots[lead.id] & refused.keys()):
                for cell, at in refused[address].items():
                    lead.value[cell] = OUT
                    lead.origin[cell] = [0, at, at, SAID_BEFORE, run, True, 0]
                    entries.append(Entry(lead.id, address, cell, OUT, SAID_BEFORE, at, None, run))
        leads.insert(tx, born, now)
        leads.enter(tx, entries)

    def _holders(self, keys: Collection[str], links: Mapping[int, int]) -> set[tuple[str, int]]:
        """(address, lead) of everybody who holds one of these, those who were placed just now included."""
        held = {(key, claim.lead) for key in keys for claim in self.owners.get(key, ()) if claim.lead is not None}
        placed = [each for each in self.claims if each.record in links]
        return held | {(key, links[each.record]) for each in placed for key in each.keys if key in keys}

    def _made_by_us(self, tx: Tx) -> dict[int, int]:
        """New records that our user made and nobody can place → the create in doubt that they can only be: its person
        may have got another address before we first saw it."""
        found: dict[int, int] = {}
        strangers = {record for cluster in self.out.made for record in cluster}
        for each in self.new:
            if each.id not in strangers or each.mine is not True:
                continue
            name = self._name(each)
            doubtful = [
                create
                for create, fields in records.creates_under_way(tx, each.system)
                if identity.agree(name, name_of(self._mapping(each).read_group("name", fields)))
            ]
            if len(doubtful) == 1:
                found[each.id] = doubtful[0]
        return found

    def _follow(self, tx: Tx, loser: Known, run: int, now: int) -> bool:
        """A record was merged into another over there: their leads become one. False: not yet."""
        survivor = self.survivors.get(loser.id)
        if loser.lead is None and loser.awaits is not None:
            # It may be what a create of ours made; its person is then the one that create was for.
            meant = records.by_id(tx, [loser.awaits]).get(loser.awaits)
            if meant is not None and meant.lead is not None:
                records.link(tx, {loser.id: meant.lead})
                loser.lead = meant.lead
        if survivor is None:
            object_, _, ext = (loser.into or "").partition(":")
            system = self.engine.systems.get(loser.system)
            if ext and system is not None and object_ in system.mapping.objects:
                feeds.add_hints(tx, loser.system, [(object_, ext, "changed")], Lane.EDIT, now)
        elif survivor.lead is not None and loser.lead is None:
            records.link(tx, {loser.id: survivor.lead})
            leads.make_dirty(tx, [survivor.lead])
        elif survivor.lead is None or loser.lead is None or survivor.lead == loser.lead:
            pass
        elif not _one_by_now(tx, survivor.lead, loser.lead, run, now):
            return False  # both are being created in one system: they become one when that is settled
        records.let_wait(tx, [loser.id])
        return True


def _one_by_now(tx: Tx, winner: int, loser: int, run: int, now: int) -> bool:
    """Two leads become one, if they are not by now: another merge of the same two may have come just before, and the
    other way round."""
    winner, loser = leads.real(tx, winner) or winner, leads.real(tx, loser) or loser
    return winner == loser or merge_leads(tx, winner, loser, run, now)


def primed_systems(engine: Engine, tx: Tx) -> set[int]:
    """Systems whose every listing was read whole once."""
    return primed(tx, engine.systems.values())


def name_of(value: object) -> Name:
    if not isinstance(value, dict):
        return Name()
    first, last = value.get("first_name"), value.get("last_name")
    return Name(str(first) if first else None, str(last) if last else None)


def merge_leads(tx: Tx, winner: int, loser: int, run: int, now: int) -> bool:
    """One person, two leads: the loser's records and words go to the winner, whose values stand until they are weighed
    anew. Nothing happens, and the answer is False, while both are being created in one system."""
    both = leads.by_id(tx, [winner, loser])
    sides = records.by_lead(tx, [winner, loser])
    creating = {(each.system, each.object): each for each in sides[winner] if each.ext is None}
    flying = outbox.flying(tx, [each.id for some in sides.values() for each in some])
    moved = []
    for each in sides[loser]:
        rival = creating.get((each.system, each.object)) if each.ext is None else None
        if each.ext is None and each.id not in flying:
            outbox.drop_unsent(tx, [each.id])
            records.delete(tx, [each.id])
            continue
        if rival is not None:
            if rival.id in flying:
                return False
            outbox.drop_unsent(tx, [rival.id])
            records.delete(tx, [rival.id])
        moved.append(each)
    outbox.drop_unsent(tx, [each.id for some in sides.values() for each in some])
    before = {
        "winner": {"value": dict(both[winner].value), "origin": dict(both[winner].origin)},
        "loser": {"value": dict(both[loser].value), "origin": dict(both[loser].origin)},
        "records": [each.id for each in moved],
        "pending": {str(each.id): each.pending for each in moved if each.pending},
    }
    for each in moved:
        each.lead, each.obs = winner, each.obs + 1
    records.update(tx, moved)
    kept = both[winner]
    _join(kept, both[loser])
    kept.rev += 1
    leads.save(tx, [kept], now)
    leads.into(tx, loser, winner, run, now, before)
    leads.move_consent(tx, loser, winner)
    leads.set_keys(tx, {loser: ()})
    leads.make_clean(tx, leads.dirty_seqs(tx, [loser]))
    leads.make_dirty(tx, [winner])
    runs.remember(tx, [(winner, None, run, now, {"merged": loser})])
    answered = [f"conflict:{loser}:{group}" for group in both[loser].frozen]
    runs.close(tx, [f"same:{min(winner, loser)}:{max(winner, loser)}", *answered])
    return True


def _stands_above(one: Lead, other: Lead, cell: str) -> bool:
    """Whether what one lead says of a cell stands above what the other says: a no above all else, and of two the later
    one, since only a newer yes can undo it; nothing else replaces what is known."""
    mine, theirs = one.value.get(cell), other.value.get(cell)
    if OUT in (mine, theirs):
        said = [(each.value.get(cell) == OUT, int(each.origin.get(cell, [0, 0, 0])[2])) for each in (one, other)]
        return said[0] > said[1]
    return theirs is None


def _join(kept: Lead, other: Lead) -> None:
    """Two leads' values: a no to being mailed stands, sets are joined, the further stage stays; where they differ the
    other's value waits as a rival, and is weighed like any value that is met for the first time."""
    rivals: dict[str, Any] = dict(kept.origin.get("~rival") or {})
    for group, value in other.value.items():
        mine = kept.value.get(group)
        origin = other.origin.get(group, [0, 0, 0])
        if is_consent(group):
            if _stands_above(other, kept, group):
                kept.value[group], kept.origin[group] = value, origin
        elif isinstance(mine, list) and isinstance(value, list):
            kept.value[group] = sorted({*mine, *value})
        elif is_empty(mine) and not is_empty(value):
            kept.value[group], kept.origin[group] = value, origin
        elif not is_empty(value) and value != mine:
            rivals[group] = [value, origin]
    if rivals:
        kept.origin["~rival"] = rivals
