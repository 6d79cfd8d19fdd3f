"""What the in-process vendor does that no clause of the conformance suite asks for."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.backdoor import Fault, When
from connectors.base import (
    Done,
    Exists,
    Feed,
    FeedKind,
    Fields,
    Gone,
    Record,
    Ref,
    Refused,
    State,
    Unknown,
    Write,
    WriteKind,
    Writer,
)
from connectors.errors import CursorLost, Retry, Stop
from connectors.memory import Memory, MemorySettings
from connectors.memory_records import COERCING, CONDITIONAL, PLAIN, Temperament
from connectors.memory_system import MemorySystem
from connectors.world import MICROSECONDS
from tests.connectors.memory_rigs import CONTRARY
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

WANTED = {"person": ["email", "note", "tags", "consent", "confirmed_at"]}


def memory(system: MemorySystem, world: ManualWorld) -> Memory:
    return Memory("crm", MemorySettings(world_name="crm"), world, WANTED, NoSecrets(), system)


def made(how: Temperament) -> tuple[ManualWorld, MemorySystem, Memory]:
    world = ManualWorld()
    system = MemorySystem(world, how)
    return world, system, memory(system, world)


def create(key: str, **fields: object) -> Write:
    return Write(WriteKind.CREATE, key, "person", None, dict(fields))  # type: ignore[arg-type]


def update(ref: Ref, **fields: object) -> Write:
    return Write(WriteKind.UPDATE, "", "person", ref, dict(fields))  # type: ignore[arg-type]


def read(connector: Memory, cursor: str | None = None, kind: FeedKind = FeedKind.DELTA) -> dict[Ref, Record]:
    return {record.ref: record for page in connector.changes(Feed("person", kind, cursor)) for record in page.records}


def consent(system: MemorySystem, ref: Ref) -> str | None:
    return next(kept.consent.get("email") for kept in system.records() if kept.ref == ref)


def test_a_configuration_finds_a_system_by_its_name_while_somebody_holds_it() -> None:
    world = ManualWorld()
    system = MemorySystem(world, CONDITIONAL, name="the-shop", token="t0ken")
    settings = MemorySettings(world_name="the-shop", token=SecretStr("t0ken"))
    ref = system.put("person", {"email": "a@example.com"})
    assert set(read(Memory("crm", settings, world, WANTED, NoSecrets()))) == {ref}
    assert "t0ken" not in repr(settings)
    del system
    gc.collect()
    with pytest.raises(Stop, match="the-shop"):
        Memory("crm", settings, world, WANTED, NoSecrets())


def test_a_request_is_a_boundary_on_both_sides_and_never_made_inside_a_transaction() -> None:
    world, _, connector = made(CONDITIONAL)
    read(connector)
    assert world.pauses == ["request", "answered"]
    with world.transaction(), pytest.raises(RuntimeError, match="inside a transaction"):
        read(connector)


def test_a_jump_of_our_clock_is_not_the_vendors() -> None:
    world, system, connector = made(CONDITIONAL)
    world.jump(-3600.0)
    ref = system.put("person", {"email": "a@example.com"})
    assert read(connector)[ref].modified == world.now() + 3600 * MICROSECONDS


def test_a_lagging_feed_shows_changes_out_of_order_and_each_within_its_lag() -> None:
    world, system, connector = made(PLAIN)
    refs = [system.put("person", {"email": f"p{n}@example.com"}) for n in range(20)]
    shown: list[Ref] = []
    for _ in range(11):
        shown += [ref for ref in read(connector) if ref not in shown]
        world.sleep(0.5)
    assert set(shown) == set(refs)
    assert shown != refs


def test_a_lagging_feed_shows_the_record_as_it_was() -> None:
    world, system, connector = made(PLAIN)
    ref = system.put("person", {"email": "a@example.com", "note": "before"})
    world.sleep(5.0)
    system.fault(Fault.LAG, When(value=3.0))
    system.edit(ref, {"note": "after"})
    assert read(connector)[ref].fields["note"] == "before"
    assert next(connector.fetch([ref])).fields["note"] == "after"
    world.sleep(3.0)
    assert read(connector)[ref].fields["note"] == "after"


def test_a_feed_that_does_not_lag_is_not_told_to() -> None:
    _, system, connector = made(CONDITIONAL)
    system.fault(Fault.LAG, When(value=60.0))
    ref = system.put("person", {"email": "a@example.com"})
    assert ref in read(connector)


def test_a_late_write_takes_effect_at_its_own_time_and_before_whatever_came_later() -> None:
    world, system, connector = made(CONDITIONAL)
    ref = system.put("person", {"email": "a@example.com", "note": "first"})
    began = world.now()
    system.fault(Fault.LATE, When(path="UPDATE", value=10.0))
    assert connector.write([update(ref, note="late")]) == [Unknown(connector.capabilities.horizon)]
    world.sleep(5.0)
    assert next(connector.fetch([ref])).fields["note"] == "first"
    world.sleep(60.0)
    system.edit(ref, {"note": "last"})
    (kept,) = system.records()
    assert kept.fields["note"] == "last"
    told = dict(connector.history([ref], ["note"]))[ref]["note"]
    assert [(version.value, version.mine) for version in told] == [("last", False), ("late", True), ("first", False)]
    assert told[1].at == began + 10 * MICROSECONDS


def test_a_fault_hits_the_requests_it_was_told_to_and_no_others() -> None:
    _, system, connector = made(CONDITIONAL)
    system.fault(Fault.RATE, When(path="LIST /person", skip=1, times=2, value=7.0))
    list(connector.ids(Feed("person", FeedKind.SWEEP)))
    read(connector)
    for _ in range(2):
        with pytest.raises(Retry) as retry:
            read(connector)
        assert retry.value.after == 7.0
    read(connector)
    assert [seen.status for seen in system.requests()] == [200, 200, 429, 429, 200]


@pytest.mark.parametrize("kind", [Fault.SLOW, Fault.TRUNCATED, Fault.HTML, Fault.REDIRECT, Fault.FOREIGN_LINK])
def test_a_fault_that_needs_a_socket_is_refused(kind: Fault) -> None:
    _, system, _ = made(CONDITIONAL)
    with pytest.raises(ValueError, match="socket"):
        system.fault(kind, When())


def test_a_broken_batch_is_our_own_mistake() -> None:
    _, _, connector = made(replace(CONDITIONAL, batch={WriteKind.CREATE: 2, WriteKind.UPDATE: 2}))
    with pytest.raises(ValueError, match="a batch of 3 creates, 2 are allowed"):
        connector.write([create(str(n)) for n in range(3)])
    with pytest.raises(ValueError, match="not all of one kind"):
        connector.write([create("a"), update(Ref("person", "1"))])
    assert connector.write([]) == []


def test_a_cursor_of_another_connector_is_lost() -> None:
    _, _, connector = made(CONDITIONAL)
    for kind in (FeedKind.DELTA, FeedKind.SWEEP):
        walk = connector.changes if kind is FeedKind.DELTA else connector.ids
        with pytest.raises(CursorLost, match="none of this connector's"):
            next(walk(Feed("person", kind, "eyJhZnRlciI6MX0")))


def test_values_are_nobodys_but_the_vendors() -> None:
    _, system, connector = made(CONDITIONAL)
    tags = ["a"]
    fields: Fields = {"email": "a@example.com", "tags": tags}
    ref = system.put("person", fields)
    tags.append("ours")
    told = read(connector)[ref].fields["tags"]
    assert isinstance(told, list)
    told.append("theirs")
    assert system.records()[0].fields["tags"] == ["a"]


def test_merges_of_merges_lead_to_the_last_survivor() -> None:
    for how in (CONDITIONAL, COERCING):
        world, system, connector = made(how)
        a, b, c = (system.put("person", {"email": f"{name}@example.com"}) for name in "abc")
        survivor = system.merge(c, system.merge(b, a))
        world.sleep(60.0)
        assert {record.merged_into for record in connector.fetch([a, b])} == {survivor}
        assert {a, b} <= set(read(connector)[survivor].aliases)
        assert connector.write([update(a, note="x")]) == [Gone(State.MERGED, survivor)]


def test_a_merge_fills_what_the_winner_has_not_and_keeps_an_opt_out() -> None:
    _, system, connector = made(CONDITIONAL)
    winner = system.put("person", {"email": "a@example.com", "note": None})
    loser = system.put("person", {"email": "b@example.com", "note": "known"})
    system.opt_out("b@example.com")
    survivor = system.merge(winner, loser)
    fields = next(connector.fetch([survivor])).fields
    assert (fields["email"], fields["note"], fields["consent"]) == ("a@example.com", "known", "out")


def test_consent_on_the_record_stays_with_it_under_a_new_address() -> None:
    _, system, _ = made(CONDITIONAL)
    ref = system.put("person", {"email": "a@example.com"})
    system.opt_out("A@example.com")
    system.edit(ref, {"email": "b@example.com"})
    assert consent(system, ref) == "out"


def test_consent_on_the_address_is_lost_under_a_new_one_and_there_again_under_the_old() -> None:
    _, system, _ = made(COERCING)
    ref = system.put("person", {"email": "a@example.com"})
    system.opt_out("A@example.com")
    assert consent(system, ref) == "out"
    system.edit(ref, {"email": "b@example.com"})
    assert consent(system, ref) is None
    system.edit(ref, {"email": "a@example.com"})
    assert consent(system, ref) == "out"


def test_an_opt_out_written_to_one_record_shows_on_all_that_share_its_address() -> None:
    world, system, connector = made(replace(COERCING, unique_email=False))
    one, two = (system.put("person", {"email": "info@example.com"}) for _ in range(2))
    world.sleep(60.0)
    cursor = [page.cursor for page in connector.changes(Feed("person", FeedKind.DELTA))][-1]
    assert isinstance(connector.write([update(one, consent="out")])[0], Done)
    world.sleep(60.0)
    assert {ref: record.fields["consent"] for ref, record in read(connector, cursor).items()} == {
        one: "out",
        two: "out",
    }


@pytest.mark.parametrize("how", [CONDITIONAL, COERCING], ids=["record", "address"])
def test_only_the_owner_of_an_address_confirms_and_the_moment_is_told(how: Temperament) -> None:
    _, system, connector = made(how)
    ref = system.put("person", {"email": "a@example.com"})
    system.opt_out("a@example.com")
    connector.write([update(ref, consent="in")])
    assert next(connector.fetch([ref])).fields["confirmed_at"] is None
    system.confirm("a@example.com")
    fields = next(connector.fetch([ref])).fields
    assert (fields["consent"], fields["confirmed_at"]) == ("in", "2026-01-01T00:00:00+00:00")
    refused = connector.write([update(ref, confirmed_at="2026-01-01T00:00:00+00:00")])[0]
    assert isinstance(refused, Refused)
    assert refused.fields == ("confirmed_at",)


def test_an_address_that_another_live_record_has_is_refused_and_a_removed_one_lets_go_of_it() -> None:
    _, system, connector = made(COERCING)
    one, two = (system.put("person", {"email": f"{name}@example.com"}) for name in "ab")
    taken = update(two, email="A@Example.com")
    assert connector.write([taken]) == [Refused(("email",), "DUPLICATE_VALUE", "email is not accepted")]
    with pytest.raises(ValueError, match="DUPLICATE_VALUE"):
        system.edit(two, {"email": "a@example.com"})
    system.remove(one)
    assert isinstance(connector.write([taken])[0], Done)


def test_our_key_is_unique_among_the_living_and_finds_the_removed_too() -> None:
    _, system, connector = made(CONDITIONAL)
    first = connector.write([create("key-1", email="a@example.com")])[0]
    assert isinstance(first, Done)
    assert isinstance(connector.write([create("key-1", email="a@example.com")])[0], Exists)
    system.remove(Ref("person", first.id))
    again = connector.write([create("key-1", email="a@example.com")])[0]
    assert isinstance(again, Done)
    found = {record.ref.id: record.state for record in connector.find("person", "sm_key", ["key-1"])}
    assert found == {first.id: State.DELETED, again.id: State.LIVE}


def test_a_vendor_tells_who_wrote_and_what_is_ours_where_its_temperament_does() -> None:
    _, system, connector = made(CONDITIONAL)
    theirs = system.put("person", {"email": "a@example.com"})
    ours = connector.write([create("k", email="b@example.com")])[0]
    assert isinstance(ours, Done)
    told = read(connector)
    assert [(record.writer, record.mine) for record in told.values()] == [
        (Writer.PERSON, False),
        (Writer.INTEGRATION, True),
    ]
    system.edit(theirs, {"note": "x"}, as_="workflow")
    assert next(connector.fetch([theirs])).writer is Writer.WORKFLOW
    _, silent, quiet = made(COERCING)
    ref = silent.put("person", {"email": "a@example.com"})
    record = next(quiet.fetch([ref]))
    assert (record.writer, record.mine, record.created) == (Writer.UNKNOWN, None, None)


def test_a_removed_record_is_gone_without_a_word_where_only_a_sweep_shows_it() -> None:
    for how, state in ((CONDITIONAL, State.DELETED), (CONTRARY, State.ARCHIVED), (COERCING, State.GONE)):
        _, system, connector = made(how)
        ref = system.put("person", {"email": "a@example.com"})
        system.remove(ref)
        assert next(connector.fetch([ref])).state is state
        assert connector.write([update(ref, note="x")]) == [Gone(state)]


def test_a_deletes_listing_without_since_is_whole_every_time() -> None:
    _, system, connector = made(CONTRARY)
    ref = system.put("person", {"email": "a@example.com"})
    system.remove(ref)
    for _ in range(2):
        pages = list(connector.changes(Feed("person", FeedKind.DELETES, None)))
        assert [record.ref for page in pages for record in page.records] == [ref]
        assert set(read(connector, pages[-1].cursor, FeedKind.DELETES)) == {ref}
    assert connector.capabilities.deletes_swept
