"""Members read and written over real HTTP: consent, tags, addresses, and what goes together in one request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.backdoor import Fault
from connectors.base import (
    Answer,
    Done,
    Exists,
    Feed,
    FeedKind,
    Fields,
    Gone,
    Ref,
    Refused,
    State,
    Unknown,
    Unsent,
    Write,
    WriteKind,
)
from connectors.conformance import Rig
from connectors.errors import CursorLost, Stop
from smarketing.sandbox.mailchimp import MailchimpEmulator
from tests.connectors.mailchimp_rigs import LIST, mailchimp_rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with mailchimp_rig() as made:
        yield made


@pytest.fixture
def door(rig: Rig) -> MailchimpEmulator:
    assert isinstance(rig.door, MailchimpEmulator)
    return rig.door


def only(answers: list[Answer]) -> Any:
    (answer,) = answers
    return answer


def updates(rig: Rig, refs: list[Ref], **fields: Any) -> list[Write]:
    return [rig.change(ref, dict(fields)) for ref in refs]


# --- consent -----------------------------------------------------------------------------------------------------


def test_whoever_is_made_without_a_yes_is_not_subscribed(rig: Rig) -> None:
    ref = rig.create(rig.connect(), rig.fresh())[0]
    assert rig.really(ref).fields["status"] == "transactional"


@pytest.mark.parametrize("status", ["pending", "cleaned", "archived", None, ""])
def test_no_word_that_sends_mail_or_is_not_ours_is_ever_written(rig: Rig, status: str | None) -> None:
    connector = rig.connect()
    ref = rig.put(1)[0]
    before = rig.arrived()
    answer = only(rig.write(connector, rig.change(ref, {"status": status})))
    assert isinstance(answer, Refused)
    assert answer.fields == ("status",)
    assert rig.arrived() == before, "it was asked of Mailchimp all the same"


def test_whoever_unsubscribed_themselves_is_not_subscribed(rig: Rig, door: MailchimpEmulator) -> None:
    ref = rig.put(1)[0]
    door.opt_out(rig.address(ref))
    answer = only(rig.write(rig.connect(), rig.change(ref, {"status": "subscribed", "NOTE": "x"})))
    assert isinstance(answer, Refused)
    assert (answer.fields, answer.code) == (("status",), "Member In Compliance State")
    assert "@" not in answer.text
    assert rig.really(ref).fields["status"] == "unsubscribed"


def test_whom_we_unsubscribed_we_may_subscribe_again(rig: Rig) -> None:
    connector = rig.connect()
    ref = rig.put(1)[0]
    rig.update(connector, ref, {"status": "unsubscribed"})
    assert rig.really(ref).consent == {"email": "out"}
    rig.update(connector, ref, {"status": "subscribed"})
    assert rig.really(ref).consent == {"email": "in"}


def test_an_address_that_bounced_is_told_apart_from_consent(rig: Rig, door: MailchimpEmulator) -> None:
    ref = rig.put(1)[0]
    door.bounce(ref)
    connector = rig.connect()
    fields = rig.fetch(connector, ref).fields
    assert (fields["status"], fields["cleaned"]) == ("cleaned", "true")
    answer = only(rig.write(connector, rig.change(ref, {"status": "subscribed"})))
    assert isinstance(answer, Refused)
    assert rig.really(ref).fields["status"] == "cleaned"


def test_whoever_was_deleted_for_good_is_not_made_again(rig: Rig, door: MailchimpEmulator) -> None:
    row = rig.fresh()
    ref = door.put("member", row)
    door.forget(ref)
    connector = rig.connect()
    answer = only(rig.write(connector, rig.creation(row)))
    assert isinstance(answer, Refused)
    assert (answer.fields, answer.code) == (("email_address",), "Forgotten Email Not Subscribed")
    assert rig.fetch(connector, ref).state is State.GONE


# --- archived members --------------------------------------------------------------------------------------------


def test_a_write_does_not_bring_an_archived_member_back(rig: Rig, door: MailchimpEmulator) -> None:
    ref = rig.put(1)[0]
    door.remove(ref)
    connector = rig.connect()
    for fields in ({"status": "subscribed"}, {"NOTE": "x"}, {"tags": ["x"]}):
        answer = only(rig.write(connector, rig.change(ref, dict(fields))))
        assert isinstance(answer, Gone), fields
        assert answer.state is State.ARCHIVED
        assert rig.really(ref).state is State.ARCHIVED


def test_archived_members_have_a_listing_of_their_own(rig: Rig, door: MailchimpEmulator) -> None:
    refs = rig.put(2)
    rig.settle()
    connector = rig.connect()
    cursor = rig.read(connector, FeedKind.DELETES).cursor
    door.remove(refs[0])
    rig.settle()
    told = rig.read(connector, FeedKind.DELETES, cursor).newest
    assert {ref: record.state for ref, record in told.items()} == {refs[0]: State.ARCHIVED}
    assert "status" not in told[refs[0]].fields, "what it was before is not told"


def test_an_archived_member_is_in_the_way_of_a_create_and_stays_archived(rig: Rig, door: MailchimpEmulator) -> None:
    row = rig.fresh()
    ref = door.put("member", row)
    door.remove(ref)
    answer = only(rig.write(rig.connect(), rig.creation(row)))
    assert isinstance(answer, Exists)
    assert (answer.record.ref, answer.record.state) == (ref, State.ARCHIVED)
    assert rig.really(ref).state is State.ARCHIVED


def test_archiving_twice_is_done(rig: Rig) -> None:
    ref = rig.put(1)[0]
    connector = rig.connect()
    for _ in range(2):
        write = rig.change(ref, {})
        write.kind = WriteKind.ARCHIVE
        assert isinstance(only(rig.write(connector, write)), Done)
    assert rig.really(ref).state is State.ARCHIVED


# --- tags --------------------------------------------------------------------------------------------------------


def test_tags_are_added_and_taken_and_those_that_nobody_meant_stay(rig: Rig, door: MailchimpEmulator) -> None:
    ref = door.put("member", rig.fresh(tags=["old", "theirs"]))
    write = rig.change(ref, {"tags": ["new"]})
    write.before = {"tags": ["old"]}  # "theirs" came since
    answer = only(rig.write(rig.connect(), write))
    assert isinstance(answer, Done)
    assert rig.really(ref).fields["tags"] == ["new", "theirs"]
    assert answer.fields == {"tags": ["new", "theirs"]}


def test_tags_of_a_new_member_go_with_it(rig: Rig) -> None:
    ref = rig.create(rig.connect(), rig.fresh(tags=["b", "a"]))[0]
    assert rig.really(ref).fields["tags"] == ["a", "b"]


def test_more_tags_than_a_body_shows_are_told_in_part_by_a_feed_and_whole_by_name(
    rig: Rig, door: MailchimpEmulator
) -> None:
    all_of = sorted(f"tag {n:02d}" for n in range(60))
    ref = door.put("member", rig.fresh(tags=all_of))
    connector = rig.connect()
    rig.settle()
    shown = rig.read(connector).newest[ref].fields["tags"]
    assert shown == {"items": all_of[:50], "partial": True}
    assert rig.fetch(connector, ref).fields["tags"] == all_of
    rig.update(connector, ref, {"tags": [*all_of, "one more"]})
    assert rig.really(ref).fields["tags"] == sorted([*all_of, "one more"])


def test_a_change_of_tags_alone_is_noticed_by_a_sweep(rig: Rig, door: MailchimpEmulator) -> None:
    ref = rig.put(1)[0]
    connector = rig.connect()
    before = rig.read(connector, FeedKind.SWEEP).newest[ref].version
    door.edit(ref, {"tags": ["vip"]})
    after = rig.read(connector, FeedKind.SWEEP).newest[ref]
    assert after.version != before
    assert after.modified is None, "a time that did not move would say that nothing did"


# --- addresses ---------------------------------------------------------------------------------------------------


def test_a_part_of_an_address_goes_with_the_parts_that_are_there(rig: Rig, door: MailchimpEmulator) -> None:
    home: Fields = {"ADDRESS.addr1": "Storgata 1", "ADDRESS.addr2": "3. etasje", "ADDRESS.city": "Oslo"}
    ref = door.put("member", rig.fresh(**home, **{"ADDRESS.zip": "0150", "ADDRESS.country": "NO"}))
    answer = only(rig.write(rig.connect(), rig.change(ref, {"ADDRESS.city": "Bodø"})))
    assert isinstance(answer, Done)
    assert answer.fields == {"ADDRESS.city": "Bodø"}
    kept = rig.really(ref).fields
    assert [kept[f"ADDRESS.{part}"] for part in ("addr1", "addr2", "city", "country")] == [
        *("Storgata 1", "3. etasje", "Bodø", "NO"),
    ]


def test_an_address_without_a_state_is_taken(rig: Rig) -> None:
    """Norwegian addresses have none, and the sign-up form's rules are not for a sync."""
    row = rig.fresh(**{"ADDRESS.addr1": "Storgata 1", "ADDRESS.city": "Oslo", "ADDRESS.zip": "0150"})
    kept = rig.really(rig.create(rig.connect(), row)[0]).fields
    assert (kept["ADDRESS.city"], kept["ADDRESS.state"]) == ("Oslo", "")


def test_an_address_that_is_emptied_reads_empty(rig: Rig, door: MailchimpEmulator) -> None:
    ref = door.put("member", rig.fresh(**{"ADDRESS.addr1": "Storgata 1", "ADDRESS.city": "Oslo"}))
    connector = rig.connect()
    rig.update(connector, ref, {"ADDRESS.addr1": None, "ADDRESS.city": None, "ADDRESS.zip": None})
    fields = rig.fetch(connector, ref).fields
    assert (fields["ADDRESS.addr1"], fields["ADDRESS.city"]) == (None, None)


def test_a_new_mail_address_moves_the_hash_and_not_the_member(rig: Rig) -> None:
    connector = rig.connect()
    ref = rig.put(1)[0]
    again = rig.update(connector, ref, {"email_address": "moved@example.com"})
    assert again == ref
    assert [each.ref for each in connector.find("member", "email_address", ["Moved@Example.com "])] == [ref]


def test_an_address_that_another_member_has_is_refused(rig: Rig) -> None:
    one, other = rig.put(2)
    answer = only(rig.write(rig.connect(), rig.change(one, {"email_address": rig.address(other)})))
    assert isinstance(answer, Refused)
    assert (answer.fields, answer.code) == (("email_address",), "Member Exists")


# --- many at once ------------------------------------------------------------------------------------------------

MANY = 30


def read_by(rig: Rig) -> tuple[Any, list[Ref]]:
    """A connector that has read many members."""
    refs = rig.put(MANY, at_once=True)
    rig.settle()
    connector = rig.connect()
    rig.read(connector)
    return connector, refs


def test_updates_of_members_that_were_read_go_in_one_request(rig: Rig) -> None:
    connector, refs = read_by(rig)
    before = rig.arrived()
    answers = rig.write(connector, *updates(rig, refs, NOTE="new"))
    assert rig.done(answers) == refs
    assert rig.arrived() == before + 3, "addresses again, archived ones among them, and one bulk request"
    assert {rig.really(ref).fields["NOTE"] for ref in refs} == {"new"}


def test_whoever_got_another_address_since_is_neither_lost_nor_made_twice(rig: Rig, door: MailchimpEmulator) -> None:
    connector, refs = read_by(rig)
    door.edit(refs[3], {"email_address": "moved@example.com"})
    rig.settle()
    answers = rig.write(connector, *updates(rig, refs, NOTE="new"))
    assert rig.done(answers) == refs
    assert len(door.records()) == MANY
    assert rig.really(refs[3]).fields["NOTE"] == "new"


def test_an_address_that_changed_just_now_makes_nobody(rig: Rig, door: MailchimpEmulator) -> None:
    """The listing that is read again does not show it yet: without a status nobody is made."""
    connector, refs = read_by(rig)
    door.edit(refs[3], {"email_address": "moved@example.com"})
    answers = rig.write(connector, *updates(rig, refs, NOTE="new"))
    assert rig.done(answers) == refs
    assert len(door.records()) == MANY
    assert rig.really(refs[3]).fields["NOTE"] == "new"


def test_a_value_that_is_refused_among_many_is_told_of_its_member_alone(rig: Rig) -> None:
    connector, refs = read_by(rig)
    writes = updates(rig, refs, NOTE="new")
    writes[5].fields["SIZE"] = "gigantic"
    answers = rig.write(connector, *writes)
    assert [each for each in answers if not isinstance(each, Done)] == [answers[5]]
    assert isinstance(answers[5], Refused)
    assert answers[5].fields == ("SIZE",)


def test_no_more_addresses_are_remembered_than_there_is_room_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.mailchimp.reading.REMEMBERED", 25)
    connector, refs = read_by(rig)
    before = rig.arrived("PATCH")
    assert rig.done(rig.write(connector, *updates(rig, refs, NOTE="new"))) == refs
    assert rig.arrived("PATCH") == before + MANY - 25


def test_an_address_that_somebody_else_took_since_is_not_written_for_another(rig: Rig, door: MailchimpEmulator) -> None:
    connector, refs = read_by(rig)
    old = rig.address(refs[3])
    door.edit(refs[3], {"email_address": "moved@example.com"})
    taker = door.put("member", rig.fresh(email_address=old))
    answers = rig.write(connector, *updates(rig, refs, NOTE="new"))
    assert isinstance(answers[3], Unsent)
    assert rig.really(refs[3]).fields["NOTE"] != "new"
    assert taker not in refs


def test_a_bulk_update_never_carries_a_status(rig: Rig, door: MailchimpEmulator) -> None:
    connector, refs = read_by(rig)
    rig.write(connector, *updates(rig, refs, NOTE="new"))
    (bulk,) = [seen for seen in door.requests() if seen.method == "POST"]
    assert '"status"' not in bulk.body


def test_consent_and_addresses_go_one_by_one_beside_the_others(rig: Rig) -> None:
    connector, refs = read_by(rig)
    writes = updates(rig, refs, NOTE="new")
    writes[0].fields["status"] = "unsubscribed"
    writes[1].fields["email_address"] = "moved@example.com"
    assert rig.done(rig.write(connector, *writes)) == refs
    assert rig.arrived("PATCH") == 2
    assert rig.really(refs[0]).consent == {"email": "out"}


def test_one_address_twice_among_the_new_makes_one_member(rig: Rig) -> None:
    row = rig.fresh()
    answers = rig.write(rig.connect(), rig.creation(row), rig.creation({**row, "email_address": "PERSON1@example.com"}))
    assert [type(each) for each in answers] == [Done, Unsent]
    assert len(rig.door.records()) == 1


def test_a_bulk_request_without_an_answer_is_in_doubt_for_all(rig: Rig) -> None:
    connector, refs = read_by(rig)
    rig.fault(Fault.CUT_AFTER, f"POST /3.0/lists/{LIST}")
    answers = rig.write(connector, *updates(rig, refs, NOTE="new"))
    assert {type(each) for each in answers} == {Unknown}


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_second_that_fills_more_than_a_page_is_read_whole(rig: Rig) -> None:
    refs = rig.put(1203, at_once=True)
    rig.settle()
    assert set(rig.read(rig.connect()).newest) == set(refs)


def test_members_that_leave_a_crowded_second_push_nobody_out_of_sight(rig: Rig, door: MailchimpEmulator) -> None:
    refs = rig.put(1300, at_once=True)
    rig.settle()
    pages = rig.connect().changes(rig.feed(FeedKind.DELTA))
    seen = {record.ref for _ in range(3) for record in next(pages).records}
    for ref in refs[:100]:
        door.edit(ref, {"NOTE": "moved on"})
    rig.settle()
    seen |= {record.ref for page in pages for record in page.records}
    assert seen == set(refs)


def test_a_run_without_changes_is_one_request_for_each_listing(rig: Rig) -> None:
    rig.put(3)
    rig.world.sleep(600.0)
    connector = rig.connect()
    cursor = rig.read(connector).cursor
    rig.world.sleep(600.0)
    before = rig.arrived()
    assert rig.read(connector, cursor=cursor).records == []
    assert rig.arrived() == before + 1


@pytest.mark.parametrize("cursor", ["", "nonsense", '{"since": "yesterday"}', "[]"])
def test_a_cursor_that_is_none_is_lost(rig: Rig, cursor: str) -> None:
    with pytest.raises(CursorLost):
        next(rig.connect().changes(Feed("member", FeedKind.DELTA, cursor)))


def test_an_audience_that_is_not_there_is_no_audience_without_members(rig: Rig) -> None:
    connector = rig.connect(list_id="abc123def5")
    with pytest.raises(Stop, match="there is no audience 'abc123def5'"):
        list(connector.fetch([Ref("member", "0" * 32)]))
    with pytest.raises(Stop, match="list_id"):
        rig.read(connector)


def test_members_are_found_by_their_address_alone(rig: Rig) -> None:
    with pytest.raises(Stop, match="email_address"):
        rig.connect().find("member", "NOTE", ["x"])


# --- the account -------------------------------------------------------------------------------------------------


def test_check_tells_fields_that_the_audience_lacks(rig: Rig, door: MailchimpEmulator) -> None:
    door.audience.fields.remove(
        next(each.merge_id for each in door.audience.fields.by_tag.values() if each.tag == "PHONE")
    )
    found = {each.code: each.text for each in rig.connect().check()}
    assert "PHONE" in found["SM334"]


def test_check_tells_a_wrong_key(rig: Rig) -> None:
    (found,) = rig.connect(**rig.wrong).check()
    assert (found.level, found.code) == ("error", "SM307")


def test_the_schema_tells_choices_and_the_parts_of_an_address(rig: Rig) -> None:
    fields = rig.connect().schema("member").by_name()
    assert [each.value for each in fields["SIZE"].options or ()] == ["small", "large"]
    assert {"ADDRESS.addr1", "ADDRESS.country"} <= fields.keys()
    assert fields["cleaned"].read_only
