"""Clauses about reading: nothing is missed, whatever happens between two pages, two readings and two processes."""

from __future__ import annotations

import json

from connectors.backdoor import Fault
from connectors.base import FeedKind, Ref, State
from connectors.conformance.clause import Clause, ability, clause, fault, feed, found_by_address, merging, stillness
from connectors.conformance.rig import Rig, reads, to_the_end
from connectors.errors import ConnectorError, CursorLost
from connectors.world import MICROSECONDS

DELTA = feed(FeedKind.DELTA)


@clause("full-reading", DELTA)
def full_reading(rig: Rig) -> None:
    """A reading from the beginning shows every record with its values, and its final page alone is last."""
    refs = rig.put(2 * rig.page + 1)
    rig.settle()
    reading = rig.read(rig.connect())
    lost = set(refs) - set(reading.newest)
    assert not lost, f"{len(lost)} of {len(refs)} records were not shown"
    assert len(reading.pages) > 1, f"{len(refs)} records came in one page where {rig.page} fill one"
    lasts = [page.last for page in reading.pages]
    assert lasts == [False] * (len(lasts) - 1) + [True], f"the pages say of themselves that they are last: {lasts}"
    newest, really = reading.newest, {kept.ref: kept.fields for kept in rig.door.records()}
    for ref in refs:
        for each in (rig.names.email, rig.names.text):
            found, there = reads(newest[ref], each), really[ref][each]
            assert found == there, f"{each!r} of {ref} reads {found!r} and is {there!r}"


@clause("pages-on-demand", DELTA)
def pages_on_demand(rig: Rig) -> None:
    """Nothing is requested before the first call, and a page only when it is asked for."""
    rig.put(2 * rig.page + 1)
    rig.settle()
    connector = rig.connect()
    assert rig.arrived() == 0, "making the connector made a request"
    pages = connector.changes(rig.feed(FeedKind.DELTA))
    next(pages)
    early = rig.arrived()
    assert to_the_end(pages), "there was no second page"
    assert early < rig.arrived(), "all pages were requested before the first was handed over"


@clause("incremental-reading", DELTA)
def incremental_reading(rig: Rig) -> None:
    """From the last cursor on, a reading shows what was made and what was changed since."""
    old = rig.put(3)
    rig.settle()
    connector = rig.connect()
    cursor = rig.read(connector).cursor
    rig.tick()
    rig.door.edit(old[1], {rig.names.text: "changed since"})
    new = rig.put(1)[0]
    rig.settle()
    newest = rig.read(connector, cursor=cursor).newest
    assert new in newest, "a record made since the last reading was not shown"
    assert old[1] in newest, "a record changed since the last reading was not shown"
    found = reads(newest[old[1]], rig.names.text)
    assert found == "changed since", f"the changed record still reads {found!r}"


@clause("quiet-reading", DELTA, stillness)
def quiet_reading(rig: Rig) -> None:
    """Without changes a reading is one request and shows nothing."""
    rig.put(3)
    connector = rig.connect()
    long = max(600.0, 2 * connector.capabilities.lag)
    rig.world.sleep(long)
    cursor = rig.read(connector).cursor
    rig.world.sleep(long)
    cursor = rig.read(connector, cursor=cursor).cursor
    before = rig.arrived()
    rig.world.sleep(long)
    shown = rig.read(connector, cursor=cursor).records
    assert not shown, f"{len(shown)} records were shown again though nothing had changed"
    assert rig.arrived() - before == 1, f"a reading without changes took {rig.arrived() - before} requests"


@clause("late-changes", DELTA, fault(Fault.LAG), ability(lambda can: can.lag > 0, "its feeds show everything at once"))
def late_changes(rig: Rig) -> None:
    """A change that the feed shows late, behind a newer one, is not missed."""
    late, soon = rig.put(2)
    rig.settle()
    connector = rig.connect()
    cursor = rig.read(connector).cursor
    rig.tick()
    rig.fault(Fault.LAG, value=connector.capabilities.lag)
    rig.door.edit(late, {rig.names.text: "shown late"})
    rig.tick()
    rig.fault(Fault.LAG, value=0.0)
    rig.door.edit(soon, {rig.names.text: "shown soon"})
    rig.tick()
    first = rig.read(connector, cursor=cursor)
    rig.settle()
    second = rig.read(connector, cursor=first.cursor)
    newest = {**first.newest, **second.newest}
    for ref, value in ((late, "shown late"), (soon, "shown soon")):
        found = reads(newest[ref], rig.names.text) if ref in newest else None
        assert found == value, f"the change {value!r} was missed: it reads {found!r}"


@clause("saved-cursor", DELTA)
def saved_cursor(rig: Rig) -> None:
    """A cursor is text that another process goes on from."""
    ref = rig.put(2)[0]
    rig.settle()
    cursor = rig.read(rig.connect()).cursor
    assert json.loads(json.dumps(cursor)) == cursor != "", f"the cursor {cursor!r} is no text"
    rig.tick()
    rig.door.edit(ref, {rig.names.text: "changed between two processes"})
    rig.tick()
    rig.settle()
    newest = rig.read(rig.restart(), cursor=cursor).newest
    assert ref in newest, "a change between two processes was not shown by the second"


@clause("lost-cursor", DELTA)
def lost_cursor(rig: Rig) -> None:
    """A cursor that leads nowhere is told by every feed as lost, instead of any page: then it is read anew."""
    ref = rig.put(1)[0]
    rig.settle()
    connector = rig.connect()
    for kind in (kind for object, kind in connector.capabilities.feeds if object == rig.names.object):
        walk = connector.ids if kind is FeedKind.SWEEP else connector.changes
        try:
            page = next(walk(rig.feed(kind, "no cursor of this feed")), None)
        except CursorLost:
            continue
        except ConnectorError as error:
            raise AssertionError(f"the {kind} feed tells a lost cursor by {type(error).__name__}") from error
        raise AssertionError(f"the {kind} feed takes a cursor that leads nowhere, and answers {page!r}")
    assert ref in rig.read(connector).newest, "after a lost cursor the beginning shows nothing"


@clause("cursor-in-mid-listing", DELTA)
def cursor_in_mid_listing(rig: Rig) -> None:
    """Another process goes on behind the page at which the first one died."""
    refs = rig.put(2 * rig.page + 1)
    rig.settle()
    first = next(iter(rig.connect().changes(rig.feed(FeedKind.DELTA))))
    shown = {record.ref for record in first.records}
    rest = set(rig.read(rig.restart(), cursor=first.cursor).newest)
    lost = set(refs) - shown - rest
    assert not lost, f"{len(lost)} of {len(refs)} records were in neither part of the reading"
    assert shown - rest, "the resumed reading began again from the beginning"


@clause("edit-before-a-resume", DELTA)
def edit_before_a_resume(rig: Rig) -> None:
    """A record that was read and then changed before a resume is shown by the resumed reading or the next."""
    rig.put(2 * rig.page + 1)
    rig.settle()
    first = next(iter(rig.connect().changes(rig.feed(FeedKind.DELTA))))
    ref = first.records[0].ref
    rig.tick()
    rig.door.edit(ref, {rig.names.text: "changed before the resume"})
    rig.tick()
    rig.settle()
    connector = rig.restart()
    rest = rig.read(connector, cursor=first.cursor)
    rig.settle()
    after = rig.read(connector, cursor=rest.cursor)
    found = [reads(record, rig.names.text) for record in (*rest.records, *after.records) if record.ref == ref]
    assert "changed before the resume" in found, "a change between a page and the resume was never shown"


@clause("equal-times", DELTA, stillness)
def equal_times(rig: Rig) -> None:
    """Records that changed at the very same time are all shown, though a page ends among them."""
    refs = rig.put(2 * rig.page + 1, at_once=True)
    rig.tick()
    rig.settle()
    lost = set(refs) - set(rig.read(rig.connect()).newest)
    assert not lost, f"{len(lost)} of {len(refs)} records with equal times were not shown"


@clause("edits-while-paging", DELTA)
def edits_while_paging(rig: Rig) -> None:
    """Edits between two pages hide no record: neither the edited ones nor those that move up in their place."""
    refs = rig.put(2 * rig.page + 1)
    rig.settle()
    connector = rig.connect()
    pages = connector.changes(rig.feed(FeedKind.DELTA))
    first = next(pages)
    shown = {record.ref for record in first.records}
    edited = [first.records[0].ref, next(ref for ref in refs if ref not in shown)]
    rig.tick()
    for ref in edited:
        rig.door.edit(ref, {rig.names.text: "changed while paging"})
    rig.settle()
    rest = to_the_end(pages)
    rig.settle()
    after = [*(record for page in rest for record in page.records)]
    after += rig.read(connector, cursor=rest[-1].cursor).records
    lost = set(refs) - shown - {record.ref for record in after}
    assert not lost, f"{len(lost)} of {len(refs)} records were never shown"
    for ref in edited:
        found = [reads(record, rig.names.text) for record in after if record.ref == ref]
        assert "changed while paging" in found, f"the edit of {ref} was missed"


@clause("duplicate-page", DELTA, fault(Fault.DUPLICATE_PAGE))
def duplicate_page(rig: Rig) -> None:
    """A page that the vendor answers twice ends no reading and hides no record."""
    refs = rig.put(3 * rig.page + 1)
    rig.settle()
    connector = rig.connect()
    pages = connector.changes(rig.feed(FeedKind.DELTA))
    first = next(pages)
    rig.fault(Fault.DUPLICATE_PAGE)
    rest = to_the_end(pages)
    shown = {record.ref for page in (first, *rest) for record in page.records}
    assert set(refs) <= shown, f"{len(set(refs) - shown)} of {len(refs)} records were not shown"


@clause("deletes", feed(FeedKind.DELETES))
def deletes(rig: Rig) -> None:
    """A removed record is told by the deletes feed, and no other is."""
    kept, removed = rig.put(2)
    rig.settle()
    connector = rig.connect()
    cursor = rig.read(connector, FeedKind.DELETES).cursor
    rig.tick()
    rig.door.remove(removed)
    rig.settle()
    newest = rig.read(connector, FeedKind.DELETES, cursor).newest
    assert removed in newest, "the removed record was not told"
    state = newest[removed].state
    assert state in (State.DELETED, State.ARCHIVED), f"the removed record was told as {state.name}"
    assert kept not in newest, "a record that nobody removed was told as well"


@clause("removed-is-not-live", DELTA)
def removed_is_not_live(rig: Rig) -> None:
    """A removed record is shown as live by no reading."""
    ref = rig.put(2)[0]
    rig.tick()
    rig.door.remove(ref)
    rig.settle()
    connector = rig.connect()
    shown = [record for record in rig.read(connector).records if record.ref == ref]
    assert all(record.state is not State.LIVE for record in shown), "the delta feed shows it as live"
    assert rig.fetch(connector, ref).state is not State.LIVE, "a fetch shows it as live"


@clause("sweep", feed(FeedKind.SWEEP))
def sweep(rig: Rig) -> None:
    """A sweep lists each live id and no other, every time anew."""
    refs = rig.put(rig.page + 2)
    rig.door.remove(refs[1])
    rig.settle()
    connector = rig.connect()
    live = set(refs) - {refs[1]}
    first = rig.read(connector, FeedKind.SWEEP)
    assert set(first.newest) == live, f"it listed {len(first.newest)} ids where {len(live)} records are live"
    second = rig.read(connector, FeedKind.SWEEP, first.cursor)
    assert set(second.newest) == live, f"the next one listed {len(second.newest)} ids of {len(live)}"


@clause("sweep-in-parts", feed(FeedKind.SWEEP))
def sweep_in_parts(rig: Rig) -> None:
    """A sweep goes on in another process where the first one died."""
    refs = rig.put(2 * rig.page + 1)
    rig.settle()
    first = next(iter(rig.connect().ids(rig.feed(FeedKind.SWEEP))))
    shown = {record.ref for record in first.records}
    rest = set() if first.last else set(rig.read(rig.restart(), FeedKind.SWEEP, first.cursor).newest)
    assert shown | rest == set(refs), f"{len(set(refs) - shown - rest)} of {len(refs)} ids were in neither part"
    assert first.last or shown - rest, "the resumed sweep began again from the beginning"


@clause("merge-is-told", DELTA, merging)
def merge_is_told(rig: Rig) -> None:
    """After a merge the feeds tell that the loser lives on in the survivor."""
    winner, loser = rig.put(2)
    rig.settle()
    connector = rig.connect()
    kinds = [kind for each, kind in connector.capabilities.feeds if each == loser.object and kind != FeedKind.SWEEP]
    cursors = {kind: rig.read(connector, kind).cursor for kind in kinds}
    rig.tick()
    survivor = rig.door.merge(winner, loser)
    rig.settle()
    shown = [record for kind in kinds for record in rig.read(connector, kind, cursors[kind]).records]
    aliases = any(record.ref == survivor and loser in record.aliases for record in shown)
    pointer = any(record.ref == loser and record.merged_into == survivor for record in shown)
    assert aliases or pointer, f"no feed told that {loser} lives on in {survivor}"


@clause("fetch-merged", merging)
def fetch_merged(rig: Rig) -> None:
    """A fetch of the loser of a merge answers under the asked name and tells the survivor."""
    winner, loser = rig.put(2)
    survivor = rig.door.merge(winner, loser)
    connector = rig.connect()
    record = rig.fetch(connector, loser)
    assert record.state is State.MERGED, f"the loser is told as {record.state.name}"
    assert record.merged_into == survivor, f"the loser lives on in {survivor}, and {record.merged_into} is told"
    assert rig.fetch(connector, survivor).state is State.LIVE, "the survivor is not told as live"


@clause("fetch-is-current")
def fetch_is_current(rig: Rig) -> None:
    """A fetch shows a change at once, however late the feeds are."""
    ref = rig.put(1)[0]
    connector = rig.connect()
    rig.fetch(connector, ref)
    rig.door.edit(ref, {rig.names.text: "just now"})
    found = reads(rig.fetch(connector, ref), rig.names.text)
    assert found == "just now", f"it shows {found!r}"


@clause("fetch-missing")
def fetch_missing(rig: Rig) -> None:
    """A fetch answers an id that nobody has, under its own name and as gone."""
    known = rig.put(1)[0]
    missing = Ref(known.object, rig.missing)
    found = {record.ref: record.state for record in rig.connect().fetch([known, missing])}
    assert found == {known: State.LIVE, missing: State.GONE}, f"it answered {found}"


@clause("fetch-doubled")
def fetch_doubled(rig: Rig) -> None:
    """A fetch of more refs than a page holds, some of them twice, answers each once."""
    refs = rig.put(rig.page + 1)
    found = [record.ref for record in rig.connect().fetch([*refs, refs[0], refs[-1]])]
    assert len(found) == len(set(found)), "a record that was asked twice was answered twice"
    assert set(found) == set(refs), f"{len(set(refs) - set(found))} of {len(refs)} records were not answered"


@clause("find", found_by_address)
def find(rig: Rig) -> None:
    """A find answers at once the records that have one of the values, and no others."""
    rig.put(1)
    wanted = rig.put(2)
    connector = rig.connect()
    values = [rig.address(ref) for ref in wanted]
    found = {record.ref for record in connector.find(rig.names.object, rig.names.email, [*values, "no@example.com"])}
    assert found == set(wanted), f"it found {len(found)} records, {len(found & set(wanted))} of the 2 that were meant"


@clause("record-times", DELTA)
def record_times(rig: Rig) -> None:
    """The times of a record, where the vendor has them, are microseconds in UTC."""
    ref = rig.put(1)[0]
    rig.settle()
    record = rig.read(rig.connect()).newest[ref]
    for what, told in (("modified", record.modified), ("created", record.created)):
        if told is not None:
            off = (told - rig.world.now()) / MICROSECONDS
            assert abs(off) < 600, f"{what!r} is {off:,.0f} seconds away from the moment it was {what}"


@clause("history", ability(lambda can: can.field_times, "it keeps no history of fields"))
def history(rig: Rig) -> None:
    """A field's history tells its values newest first, when each was set, and which of them are ours."""
    ref = rig.put(1)[0]
    rig.tick()
    rig.door.edit(ref, {rig.names.text: "theirs"})
    rig.tick()
    connector = rig.connect()
    ref = rig.update(connector, ref, {rig.names.text: "ours"})
    told = dict(connector.history([ref], [rig.names.text]))
    assert set(told) == {ref}, f"it told of {len(told)} records where one was asked"
    versions = told[ref][rig.names.text]
    assert [each.value for each in versions[:2]] == ["ours", "theirs"], f"it tells {[each.value for each in versions]}"
    assert [each.mine for each in versions[:2]] == [True, False], "it does not tell our value from theirs"
    times = [each.at for each in versions]
    assert times == sorted(times, reverse=True), "the times do not go from new to old"


CLAUSES: tuple[Clause, ...] = (
    full_reading,
    pages_on_demand,
    incremental_reading,
    quiet_reading,
    late_changes,
    saved_cursor,
    lost_cursor,
    cursor_in_mid_listing,
    edit_before_a_resume,
    equal_times,
    edits_while_paging,
    duplicate_page,
    deletes,
    removed_is_not_live,
    sweep,
    sweep_in_parts,
    merge_is_told,
    fetch_merged,
    fetch_is_current,
    fetch_missing,
    fetch_doubled,
    find,
    record_times,
    history,
)
