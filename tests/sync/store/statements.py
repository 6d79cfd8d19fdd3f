"""Every function of the store that carries out a statement, with something for it to do in a furnished database."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from connectors.base import State
from sync.model import Known, Lane, Lead, OutState, Question
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Tx, generation
from sync.store.feeds import FeedRow, Hint
from sync.store.leads import Entry, Join
from sync.store.outbox import Row
from tests.sync.store.furnished import ALONE, HOUR, NOW, STUB, UNPLACED

MODULES: tuple[ModuleType, ...] = (feeds, leads, outbox, records, runs)

Case = Callable[[Tx], Any]


def _row(number: int, state: OutState = OutState.PROPOSED) -> Row:
    return Row(number, 1, int(Lane.EDIT), "update", {"fields": {"a": "b"}}, number, 1, 0, 2, int(state))


CASES: dict[str, Case] = {
    "feeds.systems": feeds.systems,
    "feeds.enrol": lambda tx: (feeds.enrol(tx, "crm", "memory"), feeds.enrol(tx, "mail", "memory")),
    "feeds.update_system": lambda tx: feeds.update_system(
        tx, 1, state="live", mapping={"person": {"a": "h"}}, failures=2
    ),
    "feeds.grow": lambda tx: (feeds.grow(tx, 1, 5), feeds.grow(tx, 1, -2), feeds.grow(tx, 2, 0)),
    "feeds.feed_of": lambda tx: (feeds.feed_of(tx, 1, "person", "delta"), feeds.feed_of(tx, 2, "person", "delta")),
    "feeds.feeds": feeds.feeds,
    "feeds.save_feed": lambda tx: (
        feeds.save_feed(tx, FeedRow(1, "person", "delta", "further", NOW, 5, None, 2)),
        feeds.save_feed(tx, FeedRow(2, "person", "delta", None, 0, None, None, 0)),
    ),
    "feeds.read_again": lambda tx: feeds.read_again(tx, 1, "person"),
    "feeds.unprime": lambda tx: feeds.unprime(tx, 1),
    "feeds.add_hints": lambda tx: feeds.add_hints(
        tx, 1, [("person", "x1", "changed"), ("person", "x77", "changed")], 1, NOW
    ),
    "feeds.due_hints": lambda tx: (feeds.due_hints(tx, 1, NOW, 5), feeds.due_hints(tx, 1, NOW + 2 * HOUR, 50)),
    "feeds.drop_hints": lambda tx: feeds.drop_hints(
        tx, 1, [Hint("person", "x1", "changed", 1), Hint("person", "x2", "changed", 9)]
    ),
    "feeds.count": lambda tx: feeds.count(
        tx, 1, {("title", "cleared"): 2, ("a", "changed"): 1, ("b", "changed"): 0}, NOW
    ),
    "feeds.system_row": lambda tx: (feeds.system_row(tx, 1), feeds.system_row(tx, 2)),
    "feeds.counted": lambda tx: (
        feeds.counted(tx, 1, NOW),
        feeds.counted(tx, 1, NOW - 50 * HOUR),
        feeds.counted(tx, 2, NOW),
    ),
    "feeds.forget_counts": lambda tx: feeds.forget_counts(tx, NOW),
    "feeds.reset_counts": lambda tx: feeds.reset_counts(tx, 1, ["title", "a"], "cleared"),
    "feeds.lease_of": lambda tx: (feeds.lease_of(tx, "decide"), feeds.lease_of(tx, "nobody's")),
    "feeds.take_lease": lambda tx: (
        feeds.take_lease(tx, "decide", "host:2", NOW),
        feeds.take_lease(tx, "new", "host:2", NOW),
    ),
    "feeds.extend_lease": lambda tx: (
        feeds.extend_lease(tx, "decide", 1, NOW + 1),
        feeds.extend_lease(tx, "decide", 9, NOW),
    ),
    "feeds.drop_lease": lambda tx: (feeds.drop_lease(tx, "decide", 9), feeds.drop_lease(tx, "decide", 1)),
    "leads.by_id": lambda tx: (leads.by_id(tx, [1, 10, 999]), leads.by_id(tx, [])),
    "leads.revs": lambda tx: leads.revs(tx, [1, 2, 999]),
    "leads.insert": lambda tx: leads.insert(tx, [Lead(tx.ids("lead", 1), value={"email": "new@example.com"})], NOW),
    "leads.save": lambda tx: leads.save(
        tx, [Lead(1, 2, {"email": None}, {}, {"title": "conflict"}), Lead(2, 3)], NOW + 1
    ),
    "leads.into": lambda tx: (leads.into(tx, 2, 1, 1, NOW, {"winner": {}}), leads.into(tx, 1, 3, 1, NOW, {})),
    "leads.real": lambda tx: (leads.real(tx, 1), leads.real(tx, 999)),
    "leads.search": lambda tx: [
        leads.search(tx, text, 5) for text in ("p1", "P Person0", "person", "company 3", "%", "_", "\\")
    ],
    "leads.make_dirty": lambda tx: leads.make_dirty(tx, [1, 50, 1], Lane.WITHDRAWAL),
    "leads.make_missing_dirty": lambda tx: leads.make_missing_dirty(tx, 2),
    "leads.last_join": lambda tx: (
        leads.into(tx, 2, 1, 1, NOW, {"winner": {}}),
        leads.last_join(tx, 1),
        leads.last_join(tx, 3),
    ),
    "leads.revive": lambda tx: (
        leads.into(tx, 3, 2, 1, NOW, {"winner": {}}),
        leads.into(tx, 2, 1, 1, NOW, {"winner": {}}),
        leads.revive(tx, leads.last_join(tx, 1) or Join(0, 1, 2, 1, NOW, {})),
        [leads.real(tx, number) for number in (1, 2, 3)],
    ),
    "leads.former": lambda tx: (leads.former(tx, 1), leads.into(tx, 2, 1, 1, NOW, {}), leads.former(tx, 1)),
    "leads.living_after": lambda tx: (leads.living_after(tx, 0, 2), leads.living_after(tx, 2, 500)),
    "leads.count": leads.count,
    "leads.count_frozen": leads.count_frozen,
    "leads.count_missing": lambda tx: [leads.count_missing(tx, system) for system in (1, 2, 3)],
    "leads.make_frozen_dirty": leads.make_frozen_dirty,
    "leads.make_edited_dirty": lambda tx: leads.make_edited_dirty(tx, 1),
    "leads.touch": lambda tx: leads.touch(tx, [1, 60]),
    "leads.next_dirty": lambda tx: (list(leads.next_dirty(tx, 3).items()), leads.next_dirty(tx, 100)),
    "leads.dirty_seqs": lambda tx: leads.dirty_seqs(tx, [1, 60]),
    "leads.make_clean": lambda tx: leads.make_clean(tx, {1: 1, 2: 0}),
    "leads.count_dirty": leads.count_dirty,
    "leads.owners": lambda tx: leads.owners(tx, ["p1@example.com", "info@example.com", "nobody@example.com"]),
    "leads.set_keys": lambda tx: leads.set_keys(tx, {1: {"one@example.com"}, 4: {"four@example.com"}, 5: ()}),
    "leads.share": lambda tx: leads.share(tx, [("p1@example.com", 1), ("p1@example.com", 9), ("info@example.com", 4)]),
    "leads.enter": lambda tx: leads.enter(
        tx,
        [
            Entry(11, "p11@example.com", "consent.email", "in", "list: in", NOW + 1, 12, 2),
            Entry(11, "p11@example.com", "consent.sms", "out", "list: out", NOW + 1, None, 2),
        ],
    ),
    "leads.ledger": lambda tx: (leads.ledger(tx, 11), leads.ledger(tx, 1)),
    "leads.refusals": lambda tx: leads.refusals(tx, ["p11@example.com", "p12@example.com", "nobody@example.com"]),
    "leads.move_consent": lambda tx: (leads.move_consent(tx, 11, 12), leads.move_consent(tx, 12, 50)),
    "outbox.flying": lambda tx: (outbox.flying(tx, range(20, 40)), outbox.flying(tx, [])),
    "outbox.sending": lambda tx: outbox.sending(tx, 1),
    "outbox.ready": lambda tx: outbox.ready(tx, 1, NOW, 3),
    "outbox.by_record": lambda tx: outbox.by_record(tx, [20, 21, 999]),
    "outbox.put": lambda tx: outbox.put(tx, [_row(number) for number in (20, 21, 23, 40)]),
    "outbox.drop_unsent": lambda tx: outbox.drop_unsent(tx, [20, 21, 23, 999]),
    "outbox.forget": outbox.forget,
    "outbox.delete": lambda tx: outbox.delete(tx, [20, 23]),
    "outbox.claim": lambda tx: outbox.claim(tx, [22, 25, 20], 7, NOW),
    "outbox.requeue": lambda tx: outbox.requeue(tx, {20: NOW, 23: NOW + 1}, Lane.RETRY),
    "outbox.doubt": lambda tx: outbox.doubt(tx, [20, 23], NOW),
    "outbox.next_step": lambda tx: outbox.next_step(tx, [20], 1),
    "outbox.approve": lambda tx: (
        outbox.approve(tx, (outbox.C.system == 1, outbox.C.kind == "archive")),
        outbox.approve(tx),
    ),
    "outbox.proposed": lambda tx: list(outbox.proposed(tx)),
    "outbox.unsent": lambda tx: list(outbox.unsent(tx)),
    "outbox.unsent_by_lead": lambda tx: list(outbox.unsent_by_lead(tx)),
    "outbox.counts": lambda tx: sorted(outbox.counts(tx).items()),
    "outbox.due": lambda tx: (outbox.due(tx, 1, NOW), outbox.due(tx, 2, NOW)),
    "records.by_ext": lambda tx: (
        records.by_ext(tx, 1, "person", ["x1", "old-name", "nobody"]),
        records.by_ext(tx, 1, "person", []),
    ),
    "records.by_id": lambda tx: records.by_id(tx, [1, 8, 9, STUB, 999]),
    "records.by_lead": lambda tx: records.by_lead(tx, [1, ALONE, 999]),
    "records.stand_as": lambda tx: (records.stand_as(tx, [1, 999]), records.stand_as(tx, [])),
    "records.by_slot": lambda tx: records.by_slot(tx, ["p1@example.com", "renamed@example.com"]),
    "records.holders": lambda tx: records.holders(tx, 1, ["p1@example.com", "p2@example.com"]),
    "records.unlinked": lambda tx: (records.unlinked(tx, [1, 2], 5), records.unlinked(tx, [], 5)),
    "records.creates_under_way": lambda tx: (records.creates_under_way(tx, 2), records.creates_under_way(tx, 1)),
    "records.present": lambda tx: records.present(tx, 2, [1, ALONE, 999]),
    "records.count_settled": lambda tx: records.count_settled(tx, 1),
    "records.linked_live": lambda tx: list(records.linked_live(tx, 1)),
    "records.linked_after": lambda tx: (records.linked_after(tx, 1, 0, 3), records.linked_after(tx, 1, 2, 500)),
    "records.named_after": lambda tx: (records.named_after(tx, 1, 0, 3), records.named_after(tx, 1, 2, 500)),
    "records.placeholders": records.placeholders,
    "records.settled": lambda tx: records.settled(tx, 1),
    "records.any_unplaced": lambda tx: (records.any_unplaced(tx, 1), records.any_unplaced(tx, 2)),
    "records.merged": lambda tx: records.merged(tx, 5),
    "records.merged_into": lambda tx: records.merged_into(tx, 1, ["person:x3", "person:x4"]),
    "records.look_again_at_losers": lambda tx: records.look_again_at_losers(tx, 1, ["person:x3"]),
    "records.insert": lambda tx: records.insert(tx, [Known(0, 2, "person", "n1"), Known(399, 2, "person", "n2", 5)]),
    "records.update": lambda tx: records.update(
        tx, [Known(1, 1, "person", "x1", 1, state=State.DELETED, fresh=frozenset({"title"}), mine=None)]
    ),
    "records.read_again": lambda tx: records.read_again(
        tx, [Known(1, 1, "person", "x1", read_at=NOW + 9, read_seq=77)]
    ),
    "records.absorb": lambda tx: records.absorb(
        tx, [Known(9, 1, "person", "x9", fresh=frozenset({"a"}), asked={"a": ["h", "held", 1]})]
    ),
    "records.link": lambda tx: records.link(tx, {UNPLACED: 5, 204: 6}, {UNPLACED: 1}),
    "records.let_wait": lambda tx: records.let_wait(tx, [UNPLACED]),
    "records.await_create": lambda tx: records.await_create(tx, {UNPLACED: STUB}),
    "records.awaiting": lambda tx: (records.awaiting(tx, 2, STUB), records.awaiting(tx, 2, 1)),
    "records.wait_no_more": lambda tx: records.wait_no_more(tx, 2, [STUB]),
    "records.being_created": lambda tx: (records.being_created(tx, [ALONE, 1]), records.being_created(tx, [])),
    "records.delete": lambda tx: records.delete(tx, [STUB, 200]),
    "records.add_alias": lambda tx: (
        records.add_alias(tx, 1, "person", "old-name", 5),
        records.add_alias(tx, 1, "person", "more", 5),
    ),
    "records.mark_swept": lambda tx: records.mark_swept(tx, 1, "person", ["x1", "x2"], 2),
    "records.missed": lambda tx: records.missed(tx, 1, "person", 2),
    "records.kept_apart": lambda tx: (
        records.kept_apart(tx, [7, 1]),
        records.kept_apart(tx, [107]),
        records.kept_apart(tx, [1]),
    ),
    "records.keep_apart": lambda tx: (
        records.keep_apart(tx, 9, 3, "ola", NOW),
        records.keep_apart(tx, 107, 7, "ola", NOW + 1),
    ),
    "runs.begin": lambda tx: (runs.begin(tx, "sync", "ola", "why", NOW), runs.begin(tx, "undo", "ola", "why", NOW, 1)),
    "runs.sent": lambda tx: (runs.sent(tx, 1, 2, 3), runs.sent(tx, 99, 2, 3)),
    "runs.end": lambda tx: runs.end(tx, 1, "failed", {"held": 1}, NOW + 5),
    "runs.by_id": lambda tx: (runs.by_id(tx, 1), runs.by_id(tx, 99)),
    "runs.by_ids": lambda tx: (runs.by_ids(tx, [1, 2, 99]), runs.by_ids(tx, [])),
    "runs.writes": lambda tx: (
        runs.remember(tx, [(5, 5, 2, NOW, {"kind": "update", "fields": {"a": [None, "b"]}, "read": 7})]),
        runs.writes(tx, 5, 5, 3),
        runs.writes(tx, 6, 6, 3),
    ),
    "runs.of_kind": lambda tx: runs.of_kind(tx, "sync"),
    "runs.open_of_leads": lambda tx: runs.open_of_leads(tx, 1, [1, 2, ALONE]),
    "runs.latest": lambda tx: runs.latest(tx, 1),
    "runs.remember": lambda tx: runs.remember(
        tx, [(1, None, 2, NOW, {"groups": {}}), (None, 7, 2, NOW, {"kind": "create"})]
    ),
    "runs.of_lead": lambda tx: runs.of_lead(tx, [1, 2]),
    "runs.decisions": lambda tx: (runs.decisions(tx, [1, 2], [1, 2]), runs.decisions(tx, [], [1])),
    "runs.last_question": runs.last_question,
    "runs.of_run": lambda tx: list(runs.of_run(tx, 1)),
    "runs.ask": lambda tx: runs.ask(
        tx,
        [
            Question("conflict", "conflict:10:title", lead=10, seen="s"),
            Question("conflict", "conflict:20:title", lead=20, body={"why": "y"}, seen="moved"),
            Question("refused", "refused:1:title:X", 1, 30, 30, {"code": "X"}),
            Question("new", "new:1", 1),
        ],
        NOW + 1,
    ),
    "runs.close": lambda tx: (runs.close(tx, ["conflict:10:title", "nobody's"]), runs.close(tx, [])),
    "runs.decided": lambda tx: runs.decided(tx, 1),
    "runs.review_by_id": lambda tx: (runs.review_by_id(tx, 1), runs.review_by_id(tx, 99)),
    "runs.open_reviews": lambda tx: (runs.open_reviews(tx, 2), runs.open_reviews(tx, 9, 1)),
    "runs.count_open": runs.count_open,
    "runs.open_questions": lambda tx: (runs.open_questions(tx, "conflict"), runs.open_questions(tx, "inbound")),
    "runs.open_causes": lambda tx: runs.open_causes(tx, "conflict"),
    "db.Tx.ids": lambda tx: (tx.ids("lead", 3), tx.ids("seq", 1), tx.ids("lead", 1)),
    "db.generation": lambda tx: len(generation(tx)),
}
"""Name → the call."""


def functions() -> set[str]:
    """The names of all public functions of the store that are given a transaction."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and "tx" in inspect.signature(function).parameters
    }
