"""A database with some of everything in it, the same on every backend."""

from __future__ import annotations

from connectors.base import State
from sync.model import ALL, WAITS_FOR_CREATE, Known, Lane, Lead, OutState, Question
from sync.store import feeds, leads, outbox, records, runs
from sync.store.db import Store, Tx
from sync.store.feeds import FeedRow
from sync.store.leads import Entry
from sync.store.outbox import Row

HOUR = 3_600_000_000
NOW = 490_000 * HOUR
PEOPLE = 60
RENAMED, MERGED, UNPLACED, STUB = 200, 201, 202, 203
"""Records with a story: one that has another name now, one that was merged away, one that belongs to nobody, and a
create that is under way."""
ALONE = 59
"""A lead that has a record in the first system only."""


def furnish(store: Store) -> None:
    with store.tx() as tx:
        for name in ("crm", "list"):
            feeds.enrol(tx, name, "memory")
        _people(tx)
        _stories(tx)
        _work(tx)
        _past(tx)


def _people(tx: Tx) -> None:
    tx.ids("lead", PEOPLE)
    tx.ids("record", 400)
    leads.insert(
        tx,
        [
            Lead(
                number,
                rev=1,
                value={
                    "email": f"p{number}@example.com",
                    "name": {"first_name": "P", "last_name": f"Person{number:02}"},
                    "company": {"company": f"Company {number % 7}"},
                    "stage": "lead",
                },
                origin={"email": [number, 0, NOW, "newest", 1, True, 0]},
                frozen={"title": "conflict"} if number % 10 == 0 else {},
            )
            for number in range(1, PEOPLE + 1)
        ],
        NOW,
    )
    records.insert(
        tx,
        [
            Known(
                number + (system - 1) * 100, system, "person", f"x{number}", number, slot=f"p{number}@example.com",
                fresh=None, now={"email": f"p{number}@example.com", "title": "t"}, base={"title": "old"} if number % 9 == 0 else {},
                asked={"title": ["h", "lossy", 1]} if number % 8 == 0 else {}, sent={"fields": {"a": "b"}, "wanted": {}}, was={"a": None},
                version="v1", modified=NOW - number, read_seq=5, read_at=NOW, swept=1, times={"title": 7}, mine=bool(number % 2),
            )
            for system in (1, 2)
            for number in range(1, PEOPLE + 1)
            if (system, number) != (2, ALONE)
        ],
    )  # fmt: skip
    leads.set_keys(
        tx, {number: {f"p{number}@example.com"} for number in range(1, PEOPLE + 1)}, new=range(1, PEOPLE + 1)
    )


def _stories(tx: Tx) -> None:
    records.insert(
        tx,
        [
            Known(RENAMED, 1, "person", "new-name", 2, fresh=ALL, slot="renamed@example.com"),
            Known(MERGED, 1, "person", "loser", 3, fresh=None, state=State.MERGED, into="person:x3"),
            Known(UNPLACED, 1, "person", "stranger", None, fresh=ALL, slot="p1@example.com", state=State.LIVE),
            Known(STUB, 2, "person", None, ALONE, fresh=None, slot="p59@example.com"),
            Known(204, 2, "person", "early", None, fresh=ALL, waits=WAITS_FOR_CREATE, awaits=STUB),
        ],
    )
    records.add_alias(tx, 1, "person", "old-name", RENAMED)
    leads.share(tx, [("info@example.com", 4), ("info@example.com", 5)])
    records.keep_apart(tx, 7, 107, "ann", NOW)
    leads.enter(
        tx,
        [
            Entry(number, f"p{number}@example.com", "consent.email", "out" if number % 2 else "in", "crm: out", NOW, number, 1)
            for number in (11, 12, 13)
        ],
    )  # fmt: skip


def _work(tx: Tx) -> None:
    leads.make_dirty(tx, [1, 2, 3], Lane.EDIT)
    leads.make_dirty(tx, [4], Lane.WITHDRAWAL)
    feeds.add_hints(tx, 1, [("person", f"x{number}", "changed") for number in range(1, 10)], Lane.EDIT, NOW - 1)
    feeds.add_hints(tx, 1, [("person", "x9", "deleted")], Lane.RETRY, NOW + HOUR)
    for kind in ("delta", "sweep"):
        feeds.save_feed(tx, FeedRow(1, "person", kind, "cursor", NOW - 5, None, NOW - 9, 1))
    states = [OutState.PROPOSED, OutState.QUEUED, OutState.SENDING]
    rows = [
        Row(
            number, 1, int(Lane.WITHDRAWAL if number < 23 else Lane.EDIT), "archive" if number == 28 else "update",
            {"fields": {"title": "t"}, "before": {"title": "old"}, "wanted": {}, "groups": {}}, number, 1, 0, 1, int(states[number % 3]), step=1,
        )
        for number in range(20, 32)
    ]  # fmt: skip
    create = {"fields": {"email": "p59@example.com"}, "before": {}, "wanted": {}, "groups": {}}
    outbox.put(tx, [*rows, Row(STUB, 2, int(Lane.BACKFILL), "create", create, ALONE, 1, 0, 1, int(OutState.SENDING))])


def _past(tx: Tx) -> None:
    for kind in ("sync", "plan"):
        run = runs.begin(tx, kind, "ann", "a test", NOW)
        runs.end(tx, run, "done", {"crm": {"done": 3}}, NOW + 1, "digest")
    runs.remember(
        tx, [(number, None, 1, NOW, {"groups": {"title": [None, "t", 1, "newest", True]}}) for number in range(1, 20)]
    )
    runs.remember(tx, [(None, 5, 1, NOW, {"kind": "update", "fields": {"title": [None, "t"]}})])
    runs.ask(tx, [Question("conflict", f"conflict:{number}:title", lead=number, body={"why": "x"}, seen="s") for number in (10, 20)], NOW)  # fmt: skip
    runs.ask(
        tx, [Question("refused", "refused:1:title:X", 1, number, number, {"code": "X"}) for number in range(1, 9)], NOW
    )
    feeds.count(tx, 1, {("title", "cleared"): 4, ("*", "out:update"): 2}, NOW)
    feeds.count(tx, 1, {("title", "cleared"): 3}, NOW - 60 * HOUR)
    feeds.take_lease(tx, "decide", "host:1", NOW)
