"""What an answer means for what we know: one transaction per batch of answers.

An edit that was seen while our write was under way is never forgotten: it becomes pending, or the record is read again
where nobody knows which of the two came last. What came back other than sent is remembered, and not sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import Answer, Done, Exists, Gone, Record, Refused, Stale, State, Unknown, Unsent
from mappings.mapping import ObjectMapping
from mappings.transforms import explains
from sync.engine import SECOND, Engine
from sync.lease import Lease
from sync.model import ALL, DEFAULT, MADE, RESTORE, Known, Lane, Question, System
from sync.observe import says_no, take_default
from sync.packed import digest
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx, generation
from sync.store.outbox import Row
from sync.take import take

CLOCKS = SECOND
"""How far the vendor's clock may be from the one we measured, when it says nothing of the time of a write."""


def settle(
    engine: Engine,
    tx: Tx,
    system: System,
    lease: Lease,
    rows: Sequence[Row],
    answers: Sequence[Answer],
    run: int,
) -> None:
    """Take in the answers to a batch, in the same order."""
    if len(answers) != len(rows):
        raise ValueError(f"the connector of {system.name!r} gave {len(answers)} answers to {len(rows)} writes")
    known = records.by_id(tx, [row.record for row in rows])
    revs = leads.revs(tx, {row.lead for row in rows if row.lead is not None})
    shown = records.by_ext(tx, system.id, rows[0].body["object"], _names(rows, answers))
    settling = _Settling(engine, tx, system, lease, run, shown)
    for row, answer in zip(rows, answers, strict=True):
        settling.one(row, known[row.record], answer, revs)
    settling.save()


def _names(rows: Sequence[Row], answers: Sequence[Answer]) -> set[str]:
    """What the records of our creates are called over there."""
    if rows[0].kind != "create":
        return set()
    made = {answer.id for answer in answers if isinstance(answer, Done)}
    return made | {answer.record.ref.id for answer in answers if isinstance(answer, Exists)}


class _Settling:
    """One batch of answers being settled."""

    def __init__(
        self, engine: Engine, tx: Tx, system: System, lease: Lease, run: int, shown: Mapping[str, Known]
    ) -> None:
        """`shown`: name over there → record, where a feed has shown what a create of ours made."""
        self.engine, self.tx, self.system, self.lease, self.run = engine, tx, system, lease, run
        self.shown = shown
        self.now = engine.world.now()
        self.changed: dict[int, Known] = {}
        self.finished: list[int] = []
        self.deleted: list[int] = []
        self.dirty: set[int] = set()
        self.touched: set[int] = set()
        self.history: list[tuple[int | None, int | None, int, int, dict[str, object]]] = []
        self.questions: list[Question] = []
        self.hints: list[tuple[str, str, str]] = []
        self.observed: list[tuple[str, Record]] = []
        self.doubted: list[int] = []
        self.later: list[tuple[Row, int]] = []
        self.grown = 0
        self.created: list[int] = []

    def one(self, row: Row, known: Known, answer: Answer, revs: dict[int, int]) -> None:
        lead = known.lead
        match answer:
            case Done() if row.step == 0:
                outbox.next_step(self.tx, [row.record], 1)
                self._remember(row, known, row.body["withdraw"])
                return
            case Done():
                self._done(row, known, answer)
            case Exists(record):
                self._exists(row, known, record)
            case Stale(record) if row.step == RESTORE:
                self._again(row, known, record)
                return
            case Stale(record):
                if record is not None:
                    self.observed.append((known.object, record))
                else:
                    self._hint(known, "changed")
            case Gone(state, merged_into):
                self.grown -= known.state is State.LIVE
                known.state, known.state_at, known.obs = state, self.now, known.obs + 1
                known.into = str(merged_into) if merged_into else None
                known.waits = 0
                self.changed[known.id] = known
            case Refused():
                self._refused(row, known, answer)
            case Unknown():
                self.doubted.append(row.record)
                return
            case Unsent(after):
                self.later.append((row, self.now + int(after * SECOND)))
                return
        self.finished.append(row.record)
        if row.kind == "create":
            self.created.append(row.record)
        moved = row.lead is not None and revs.get(row.lead) != row.lead_rev
        # Not all that was wanted went along, or an answer was waited for.
        left = row.lane == Lane.WITHDRAWAL or row.body.get("trimmed") or "withdraw" in row.body or row.step == RESTORE
        again = not isinstance(answer, Done) or left or moved or known.base or known.pending
        if lead is not None:
            (self.dirty if again else self.touched).add(lead)

    def _again(self, row: Row, known: Known, record: Record | None) -> None:
        """What is taken back is not decided anew: it is sent again, if it still stands by then."""
        if record is not None:
            self.observed.append((known.object, record))
        else:
            self._hint(known, "changed")
        self.later.append((row, self.now + (0 if record is not None else self.engine.settings.fresh)))

    def _done(self, row: Row, known: Known, answer: Done) -> None:
        placeholder = known.id
        if row.kind == "create":
            found = self._named(row, known, answer.id)
            if found is None:
                return
            known = found
        elif row.kind == "archive":
            known.state, known.state_at = State.ARCHIVED, self.now
            self.grown -= 1
        elif answer.id != known.ext and known.ext is not None:
            records.add_alias(self.tx, self.system.id, known.object, known.ext, known.id)
            known.ext = answer.id  # the name moved with the write (F41)
        newer = answer.modified is None or known.modified is None or answer.modified >= known.modified
        for group in row.body["wanted"].keys() & known.asked.keys():
            if known.asked[group][1] == DEFAULT:
                del known.asked[group]  # replaced by a value that means something
        if known.id != placeholder:
            self._recognised(row, known, answer)
        elif answer.fields is not None and newer:
            self._confirmed(row, known, answer)
        elif answer.fields is None:
            self._unconfirmed(row, known)
        if row.kind == "create" and known.id == placeholder:
            self._leave_defaults(row, known)
        known.slot = self._mapping(known).slot(known.now)
        known.version = answer.version or known.version
        if "withdraw" in row.body:
            self._hint(known, "changed")  # assert that the new address is out as well (F7)
        if row.kind == "update":
            look_for_hidden(self.tx, self.system, known, self.now)
        self._remember(row, known, row.body["fields"])
        self.changed[known.id] = known

    def _mapping(self, known: Known) -> ObjectMapping:
        return self.system.mapping.objects[known.object]

    def _named(self, row: Row, known: Known, ext: str) -> Known | None:
        """Our create got a name. When a feed showed that record before us, it is kept and ours dropped."""
        earlier = self.shown.get(ext)
        if earlier is None:
            known.ext, known.state, known.state_at, known.fresh = ext, State.LIVE, self.now, None
            known.now = dict(row.body["fields"])
            known.read_at, known.read_seq = self.now, self.lease.seq()
            self.grown += 1
            return known
        if earlier.lead is not None and earlier.lead != known.lead:
            body = {"system": self.system.name, "record": str(earlier.ref()), "leads": [known.lead, earlier.lead]}
            cause = f"two leads:{earlier.id}:{known.lead}"
            self.questions.append(Question("two leads", cause, self.system.id, known.lead, earlier.id, body))
            self._block(row, known)
            return None
        self.deleted.append(known.id)
        self._adopt(row, earlier, known.lead)
        return earlier

    def _adopt(self, row: Row, earlier: Known, lead: int | None) -> None:
        """A record we read before we knew that we had made it: whatever it holds other than we sent is an edit, and
        what we did not send it meets the lead with for the first time."""
        was_fresh = earlier.fresh is not None and "*" in earlier.fresh
        earlier.lead, earlier.waits, earlier.awaits, earlier.obs = lead, 0, None, earlier.obs + 1
        records.look_again_at_losers(self.tx, self.system.id, [str(earlier.ref())])
        if lead is not None:
            self.dirty.add(lead)
        if not was_fresh:
            return
        mapping = self._mapping(earlier)
        written = row.body["fields"]
        for name, sent in written.items():
            seen = earlier.now.get(name)
            if seen == sent:
                continue
            if explains(sent, seen, mapping.coercions_of(name, self.system.capabilities.coercions)):
                self._lossy(row, earlier, name)
            else:
                earlier.base[name] = sent
        told = {mapping.group_of[name] for name in written if name in mapping.group_of}
        earlier.fresh = frozenset(mapping.groups.keys() - told) or None

    def _leave_defaults(self, row: Row, known: Known) -> None:
        """What the lead has no value for, the vendor may fill in by itself."""
        if any(name not in known.now for name in self._mapping(known).names):
            known.settle_for(MADE, "", DEFAULT, row.run)

    def _recognised(self, row: Row, known: Known, answer: Done) -> None:
        """A reading showed it before our answer came: what it shows that the answer shows too is what became of
        ours, and no edit."""
        for name, seen in (answer.fields or {}).items():
            if name in known.base and known.now.get(name) == seen:
                del known.base[name]
                self._lossy(row, known, name)

    def _confirmed(self, row: Row, known: Known, answer: Done) -> None:
        """The vendor answered with the values it has now."""
        written, before = row.body["fields"], row.body["before"]
        mapping = self._mapping(known)
        told = answer.fields or {}
        for name, sent in written.items():
            seen = told.get(name, sent)
            was = known.now.get(name)
            if name in known.base and was not in (before.get(name), sent):
                known.pending[name] = was  # an edit seen meanwhile, and then overwritten by ours (F16)
            known.base.pop(name, None)
            known.now[name] = seen
            if seen != sent:
                self._lossy(row, known, name)
        for name, seen in told.items():
            if name in written or name not in mapping.group_of:
                continue
            if name not in known.now:
                known.now[name] = seen
                is_no = self.system.capabilities.consent_on == "address" and says_no(mapping, name, told)
                if row.kind == "create" and mapping.group_of[name] not in row.body["wanted"] and not is_no:
                    take_default(known, name, seen, mapping, row.run)
                elif known.fresh is not ALL:
                    known.fresh = (known.fresh or frozenset()) | {mapping.group_of[name]}
                    known.obs += 1
            elif known.now[name] != seen:
                known.base.setdefault(name, known.now[name])
                known.now[name] = seen
                known.obs += 1
        if answer.modified is not None and answer.modified != known.modified:
            known.prev_modified, known.modified = known.modified, answer.modified
        known.sent, known.was, known.answered = {}, {}, None
        known.read_at, known.read_seq = self.now, self.lease.seq()
        if known.fresh and known.lead is not None:
            self.dirty.add(known.lead)

    def _unconfirmed(self, row: Row, known: Known) -> None:
        """The vendor answered no values: the next reading will show what became of ours."""
        written, before = row.body["fields"], row.body["before"]
        for name, sent in written.items():
            was = known.now.get(name)
            if row.kind != "create" and was not in (sent, before.get(name)):
                self._hint(known, "changed")  # theirs or ours last? Nobody knows before it is read again (F16)
                if known.lead is not None:
                    self.dirty.add(known.lead)
                continue
            known.now[name] = sent
            known.base.pop(name, None)
        known.sent = {
            "fields": dict(written),
            "wanted": row.body["wanted"],
            "run": row.run,
            "seq": self.lease.seq(),
        }
        known.was = dict(before)
        skew = int(self.engine.connectors[self.system.id].skew() * SECOND)
        known.answered = self.now + skew + CLOCKS

    def _lossy(self, row: Row, known: Known, name: str) -> None:
        group = self._mapping(known).group_of.get(name)
        if group is not None and group in row.body["wanted"]:
            known.settle_for(group, row.body["wanted"][group], "lossy", row.run)

    def _exists(self, row: Row, known: Known, record: Record) -> None:
        """A create that was not made. Made by us earlier, it is ours; else it finds its person like any new record."""
        own = self.engine.connectors[self.system.id].own_key(known.object)
        key = f"{generation(self.tx)}-{row.record}"
        if own is not None and record.fields.get(own) == key:
            found = self._named(row, known, record.ref.id)
            if found is not None:
                if found.id == row.record:
                    self._unconfirmed(row, found)
                self.changed[found.id] = found
                self._remember(row, found, row.body["fields"])
                self._hint(found, "changed")
            return
        self.observed.append((record.ref.object, record))
        earlier = records.by_ext(self.tx, self.system.id, record.ref.object, {record.ref.id}).get(record.ref.id)
        if earlier is None and record.state is State.LIVE:
            return  # met for the first time: it finds its person, and then it is decided anew who is missing there
        self._block(row, known)
        if earlier is not None and earlier.lead is not None and earlier.lead != known.lead:
            body = {"system": self.system.name, "record": str(record.ref), "leads": [known.lead, earlier.lead]}
            cause = f"two leads:{earlier.id}:{known.lead}"
            self.questions.append(Question("two leads", cause, self.system.id, known.lead, earlier.id, body))

    def _block(self, row: Row, known: Known) -> None:
        """Not created with just these values again."""
        known.settle_for("*", digest([row.body["fields"], row.body.get("withdraw", {})]), "refused", row.run)
        self.changed[known.id] = known

    def _refused(self, row: Row, known: Known, answer: Refused) -> None:
        """The values it blames wait; the rest goes on. Without a name for the culprit all of them wait (F32)."""
        mapping = self._mapping(known)
        blamed = {mapping.group_of[name] for name in answer.fields if name in mapping.group_of}
        groups = sorted(blamed & row.body["wanted"].keys()) or sorted(row.body["wanted"])
        if row.kind == "create" and not blamed & row.body["wanted"].keys():
            self._block(row, known)
        for group in groups:
            if group in row.body["wanted"]:
                known.settle_for(group, row.body["wanted"][group], "refused", row.run)
        self.changed[known.id] = known
        named = ", ".join(answer.fields) or "the record"
        values = [row.body["groups"].get(group, [None, None])[1] for group in groups]
        body = {
            "system": self.system.name,
            "fields": list(answer.fields),
            "code": answer.code,
            "text": answer.text,
            "groups": groups,
            "values": values,
        }
        cause = f"refused:{self.system.id}:{named}:{answer.code}:{digest(values)}"
        self.questions.append(Question("refused", cause, self.system.id, known.lead, known.id, body))

    def _hint(self, known: Known, why: str) -> None:
        if known.ext is not None:
            self.hints.append((known.object, known.ext, why))

    def _remember(self, row: Row, known: Known, written: Mapping[str, object]) -> None:
        self.history.append((known.lead, known.id, row.run, self.now, what_was_written(row, written)))

    def save(self) -> None:
        tx = self.tx
        outbox.delete(tx, self.finished)
        records.wait_no_more(tx, self.system.id, self.created)
        records.delete(tx, self.deleted)
        records.update(tx, [each for each in self.changed.values() if each.id not in self.deleted])
        outbox.doubt(tx, self.doubted, self.now)
        for row, at in self.later:
            outbox.requeue(tx, {row.record: at}, row.lane)
        feeds.grow(tx, self.system.id, self.grown)
        leads.make_dirty(tx, self.dirty, Lane.RETRY)
        leads.touch(tx, self.touched)
        feeds.add_hints(tx, self.system.id, self.hints, Lane.EDIT, self.now)
        runs.remember(tx, self.history)
        runs.ask(tx, self.questions, self.now)
        for object_ in sorted({object_ for object_, _ in self.observed}):
            some = [record for name, record in self.observed if name == object_]
            take(self.engine, tx, self.system, object_, some, self.lease.seq(), looked_up=True)


def what_was_written(row: Row, written: Mapping[str, object]) -> dict[str, object]:
    """A write as the history keeps it. "read": the change up to which the record had been read when it was decided, by
    the vendor's clock."""
    before = row.body["before"] if row.kind == "update" else {}
    return {
        "read": row.body.get("read", 0),
        "kind": row.kind if row.step else "withdraw",
        "fields": {name: [before.get(name), value] for name, value in written.items()},
        "groups": row.body["groups"] if row.step else {},
    }


def look_for_hidden(tx: Tx, system: System, known: Known, now: int) -> None:
    """Where the vendor keeps the history of fields: did our write hide an edit that nobody had read?"""
    kept = system.capabilities.field_times and not system.capabilities.conditional
    if kept and known.ext is not None:
        feeds.add_hints(tx, system.id, [(known.object, known.ext, "wrote")], Lane.EDIT, now)
