"""What is read from Salesforce: the feeds and their cursors, states, owners, hidden fields, look-ups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus

import pytest

from connectors.base import Feed, FeedKind, Page, Record, Ref, State, Writer
from connectors.errors import CursorLost, Stop
from connectors.salesforce import Salesforce
from smarketing.sandbox.emulator import Reply, Request
from tests.connectors.scripted_salesforce import (
    DATA,
    KARI,
    US,
    Org,
    complaint,
    contact,
    contact_id,
    field,
    lead,
    lead_id,
    org,
    page,
    user,
)

LEADS = Feed("Lead", FeedKind.DELTA)
CONTACTS = Feed("Contact", FeedKind.DELTA)
NEXT = f"{DATA}/query/01g000000000001-2000"
STAMP = "2025-12-01T10:00:00.000+0000"


@pytest.fixture
def crm() -> Iterator[Org]:
    with org() as made:
        made.on_query(page())
        yield made


def pages(connector: Salesforce, feed: Feed) -> list[Page]:
    return list(connector.changes(feed))


def one(crm: Org, row: dict[str, object], *fields: str) -> Record:
    """That row as a record, with these fields mapped."""
    object = "Lead" if "IsConverted" in row else "Contact"
    crm.on_query(page(row))
    crm.on_users(user(KARI, "Kari@Example.com"))
    (got,) = pages(crm.connect({object: fields or ("LastName",)}), Feed(object, FeedKind.DELTA))
    (record,) = got.records
    return record


def test_the_first_pull_asks_for_everything_the_recycle_bin_included(crm: Org) -> None:
    crm.on_query(page(lead(1), lead(2, IsDeleted=True)))
    (got,) = pages(crm.connect({"Lead": ["LastName", "Email"]}), LEADS)
    assert [(each.ref.id, each.state) for each in got.records] == [
        (lead_id(1), State.LIVE),
        (lead_id(2), State.DELETED),
    ]
    assert got.last
    assert crm.soql() == [
        "SELECT Id, SystemModstamp, CreatedDate, CreatedById, LastModifiedById, IsDeleted, MasterRecordId, "
        "IsConverted, ConvertedContactId, LastName, Email FROM Lead ORDER BY SystemModstamp, Id"
    ]
    assert crm.asked()[0].path == f"{DATA}/queryAll/"


def test_the_next_pull_begins_as_long_before_this_one_began_as_a_commit_may_take(crm: Org) -> None:
    connector = crm.connect()
    crm.world.sleep(0.5)
    (first,) = pages(connector, LEADS)
    crm.world.sleep(1000)
    pages(connector, Feed("Lead", FeedKind.DELTA, first.cursor))
    assert "WHERE SystemModstamp >= 2025-12-31T23:55:00.500Z ORDER BY SystemModstamp, Id" in crm.soql()[1]
    assert connector.capabilities.lag == 300.0


def test_a_quiet_pull_is_one_request_for_each_object(crm: Org) -> None:
    connector = crm.connect()
    cursors = {feed: pages(connector, feed)[-1].cursor for feed in (LEADS, CONTACTS)}
    crm.requests.clear()
    for feed, cursor in cursors.items():
        assert [each.records for each in pages(connector, Feed(feed.object, feed.kind, cursor))] == [[]]
    assert len(crm.requests) == 2


def test_pages_follow_the_vendors_own_link_and_are_requested_only_when_wanted(crm: Org) -> None:
    crm.on_query(page(lead(1), next_url=NEXT))
    crm.on("GET", NEXT, page(lead(2)))
    reading = crm.connect().changes(LEADS)
    first = next(reading)
    assert (len(crm.asked()), first.last) == (1, False)
    second = next(reading)
    assert [each.ref.id for each in second.records] == [lead_id(2)]
    assert second.last
    assert [each.path for each in crm.asked()] == [f"{DATA}/queryAll/", NEXT]


def test_a_saved_cursor_goes_on_behind_the_last_row_told_also_among_equal_stamps(crm: Org) -> None:
    crm.on_query(page(lead(1), lead(2), next_url=NEXT), page(lead(3)))
    first = next(crm.connect().changes(LEADS))
    crm.world.sleep(100_000)
    (rest,) = pages(crm.connect(), Feed("Lead", FeedKind.DELTA, first.cursor))
    assert [each.ref.id for each in rest.records] == [lead_id(3)]
    assert (
        f"WHERE (SystemModstamp > 2025-12-01T10:00:00.000Z OR (SystemModstamp = 2025-12-01T10:00:00.000Z "
        f"AND Id > '{lead_id(2)}')) ORDER BY SystemModstamp, Id"
    ) in crm.soql()[1]
    # What changed while we were away is younger than the beginning of the pull that now has ended.
    assert json.loads(rest.cursor) == {"since": crm.world.now() - 100_000_000_000 - 300_000_000}


def test_a_server_cursor_that_has_ended_is_replaced_in_mid_reading(crm: Org) -> None:
    crm.on_query(page(lead(1), next_url=NEXT), page(lead(2)))
    crm.on("GET", NEXT, complaint(400, "INVALID_QUERY_LOCATOR"))
    got = pages(crm.connect(), LEADS)
    assert [each.ref.id for each in got[0].records + got[1].records] == [lead_id(1), lead_id(2)]
    assert f"Id > '{lead_id(1)}'" in crm.soql()[-1]


def test_a_page_without_rows_in_the_middle_loses_nothing(crm: Org) -> None:
    crm.on_query(page(lead(1), next_url=NEXT), page(lead(2)))
    crm.on("GET", NEXT, page(next_url=NEXT), complaint(400, "INVALID_QUERY_LOCATOR"))
    got = pages(crm.connect(), LEADS)
    assert [each.ref.id for every in got for each in every.records] == [lead_id(1), lead_id(2)]
    assert json.loads(got[1].cursor)["id"] == lead_id(1)


@pytest.mark.parametrize(
    "cursor",
    ["", "what is this", "17", '{"since": "x"}', '{"stamp": "x", "id": "y"}', '{"since": 9223372036854775807}'],
)
def test_a_cursor_that_cannot_be_read_is_lost_before_anything_is_asked(crm: Org, cursor: str) -> None:
    with pytest.raises(CursorLost, match="crm: the saved cursor is none of a Salesforce feed") as lost:
        pages(crm.connect(), Feed("Lead", FeedKind.DELTA, cursor))
    assert lost.value.code == "SM309"
    assert crm.asked() == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda connector: list(connector.changes(Feed("Account", FeedKind.DELTA))),
        lambda connector: list(connector.ids(Feed("Account", FeedKind.SWEEP))),
        lambda connector: list(connector.fetch([Ref("Account", "001000000000001AAA")])),
        lambda connector: list(connector.find("Account", "Name", ["Example"])),
    ],
)
def test_another_object_than_ours_is_not_read(crm: Org, ask: Callable[[Salesforce], object]) -> None:
    with pytest.raises(Stop, match="'Account' is not read; there are Contact and Lead"):
        ask(crm.connect())
    assert crm.requests == []


@pytest.mark.parametrize(
    ("row", "state", "into"),
    [
        (lead(1), State.LIVE, None),
        (lead(1, IsDeleted=True), State.DELETED, None),
        (lead(1, IsDeleted=True, MasterRecordId=lead_id(9)), State.MERGED, Ref("Lead", lead_id(9))),
        (contact(1, IsDeleted=True, MasterRecordId=contact_id(9)), State.MERGED, Ref("Contact", contact_id(9))),
        (lead(1, IsConverted=True, ConvertedContactId=contact_id(5)), State.MERGED, Ref("Contact", contact_id(5))),
        (
            lead(1, IsConverted=True, ConvertedContactId=contact_id(5), IsDeleted=True),
            State.MERGED,
            Ref("Contact", contact_id(5)),
        ),
        (lead(1, IsConverted=True), State.ARCHIVED, None),
    ],
)
def test_what_became_of_a_record_is_told(crm: Org, row: dict[str, object], state: State, into: Ref | None) -> None:
    record = one(crm, row)
    assert (record.state, record.merged_into) == (state, into)
    assert record.fields == {"LastName": "Last 1"}


def test_times_and_authors_are_told(crm: Org) -> None:
    record = one(crm, lead(1, CreatedById=US))
    assert (record.created, record.modified) == (1_761_991_200_000_000, 1_764_583_200_000_000)
    assert (record.mine, record.writer, record.version) == (True, Writer.INTEGRATION, None)
    assert one(crm, lead(1)).mine is False


@pytest.mark.parametrize(
    ("type", "writer"),
    [("Standard", Writer.PERSON), ("AutomatedProcess", Writer.WORKFLOW), ("PowerCustomerSuccess", Writer.UNKNOWN)],
)
def test_who_else_wrote_is_told_by_the_kind_of_user(crm: Org, type: str, writer: Writer) -> None:
    crm.on_query(page(lead(1, LastModifiedById=KARI)))
    crm.on_users(user(KARI, None, type=type))
    assert pages(crm.connect(), LEADS)[0].records[0].writer is writer


@pytest.mark.parametrize("modified_by", [None, "005000000000404AAA"])
def test_an_author_whom_we_may_not_see_is_unknown(crm: Org, modified_by: str | None) -> None:
    crm.on_query(page(lead(1, LastModifiedById=modified_by)))
    crm.on("GET", f"{DATA}/query/", complaint(400, "INVALID_TYPE", "sObject type 'User' is not supported."))
    assert pages(crm.connect(), LEADS)[0].records[0].writer is Writer.UNKNOWN


def test_values_are_told_as_json_has_them(crm: Org) -> None:
    row = lead(1, HasOptedOutOfEmail=False, NumberOfEmployees=12, Title=None, Interests__c="A;B")
    names = ("HasOptedOutOfEmail", "NumberOfEmployees", "Title", "Interests__c")
    assert one(crm, row, *names).fields == {
        "HasOptedOutOfEmail": False,
        "NumberOfEmployees": 12,
        "Title": None,
        "Interests__c": "A;B",
    }


def test_decimals_are_exact_text(crm: Org) -> None:
    body = page(lead(1, AnnualRevenue="@")).body.replace(b'"@"', b"1.2345678901234567E8")
    crm.on_query(Reply(200, {"Content-Type": "application/json"}, body))
    (got,) = pages(crm.connect({"Lead": ["AnnualRevenue"]}), LEADS)
    assert got.records[0].fields == {"AnnualRevenue": "123456789.01234567"}


def test_a_related_records_fields_are_read_over_the_relation(crm: Org) -> None:
    names = ("Account.Name", "Account.Website")
    row = contact(1, Account={"attributes": {"type": "Account"}, "Name": "Example", "Website": None})
    assert one(crm, row, *names).fields == {"Account.Name": "Example", "Account.Website": None}
    assert "Account.Name, Account.Website FROM Contact" in crm.soql()[0]
    assert one(crm, contact(1, Account=None), *names).fields == {"Account.Name": None, "Account.Website": None}


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        (user(KARI, "Kari@Example.com"), {"OwnerId": "kari@example.com"}),
        (user(KARI, "kari@example.com", active=False), {}),
        (user(KARI, None), {}),
        (None, {}),
    ],
)
def test_an_owner_is_told_by_e_mail_and_not_at_all_when_nobody_could_know_him(
    crm: Org, owner: dict[str, object] | None, told: dict[str, object]
) -> None:
    crm.on_query(page(lead(1, OwnerId=KARI)))
    crm.on_users(*([owner] if owner else []))
    connector = crm.connect({"Lead": ["OwnerId"]})
    assert pages(connector, LEADS)[0].records[0].fields == told


def test_a_queue_is_no_owner_and_is_not_looked_up(crm: Org) -> None:
    crm.on_query(page(lead(1, OwnerId="00G000000000001AAA")))
    connector = crm.connect({"Lead": ["OwnerId"]})
    assert pages(connector, LEADS)[0].records[0].fields == {}
    assert len(crm.soql()) == 1


def test_our_own_user_may_be_an_owner(crm: Org) -> None:
    crm.on_query(page(lead(1, OwnerId=US)))
    crm.on_users(user(US, "sync@example.com"))
    assert pages(crm.connect({"Lead": ["OwnerId"]}), LEADS)[0].records[0].fields == {"OwnerId": "sync@example.com"}


def test_a_record_that_we_made_is_nobodys_until_somebody_is_given_it(crm: Org) -> None:
    crm.on_query(page(lead(1, OwnerId=US, CreatedById=US), lead(2, OwnerId=KARI, CreatedById=US)))
    crm.on_users(user(US, "sync@example.com"), user(KARI, "kari@example.com"))
    told = [each.fields for each in pages(crm.connect({"Lead": ["OwnerId"]}), LEADS)[0].records]
    assert told == [{"OwnerId": None}, {"OwnerId": "kari@example.com"}]


def test_users_are_looked_up_once_until_they_may_have_changed(crm: Org) -> None:
    crm.on_query(page(lead(1, OwnerId=KARI, LastModifiedById=KARI)))
    crm.on_users(user(KARI, "kari@example.com"))
    connector = crm.connect({"Lead": ["OwnerId"]})
    for _ in range(3):
        pages(connector, LEADS)
    assert connector.requests()["look up users"] == 1
    crm.world.sleep(901)
    crm.on_users(user(KARI, "kari@example.com", active=False))
    assert pages(connector, LEADS)[0].records[0].fields == {}
    assert connector.requests()["look up users"] == 2


def test_a_hidden_field_is_left_out_and_never_told_as_empty(crm: Org) -> None:
    def answer(request: Request) -> Reply:
        if "HasOptedOutOfEmail" in request.one("q"):
            return complaint(400, "INVALID_FIELD", "No such column 'HasOptedOutOfEmail' on entity 'Lead'.")
        return page(lead(1))

    crm.on_query(answer)
    crm.on_describe("Lead", field("LastName"))
    connector = crm.connect({"Lead": ["LastName", "HasOptedOutOfEmail"]})
    for _ in range(2):
        assert pages(connector, LEADS)[0].records[0].fields == {"LastName": "Last 1"}
    assert connector.requests()["describe Lead"] == 1
    assert connector.requests()["read leads"] == 3


def test_a_hidden_field_of_a_related_record_is_found_by_its_relation(crm: Org) -> None:
    def answer(request: Request) -> Reply:
        if "Account.Website" in request.one("q"):
            return complaint(400, "INVALID_FIELD", "No such column 'Website' on entity 'Account'.")
        return page(contact(1, Account={"Name": "Example"}))

    crm.on_query(answer)
    related = field("AccountId", "reference", relationshipName="Account", referenceTo=["Account"])
    crm.on_describe("Contact", field("LastName"), related)
    crm.on_describe("Account", field("Name"))
    connector = crm.connect({"Contact": ["Account.Name", "Account.Website", "Nowhere.Name"]})
    assert pages(connector, CONTACTS)[0].records[0].fields == {"Account.Name": "Example"}


def test_a_field_that_is_hidden_later_becomes_absent_and_comes_back_after_a_look_at_the_schema(crm: Org) -> None:
    hidden = complaint(400, "INVALID_FIELD", "No such column 'Email' on entity 'Lead'.")
    crm.on_query(page(lead(1, Email="a@example.com")), hidden, page(lead(1)), page(lead(1, Email="a@example.com")))
    crm.on_describe("Lead", field("LastName"))
    connector = crm.connect({"Lead": ["Email"]})
    assert pages(connector, LEADS)[0].records[0].fields == {"Email": "a@example.com"}
    assert pages(connector, LEADS)[0].records[0].fields == {}
    crm.on_describe("Lead", field("LastName"), field("Email", "email"))
    connector.schema("Lead")
    assert pages(connector, LEADS)[0].records[0].fields == {"Email": "a@example.com"}


def test_a_query_that_is_refused_though_nothing_is_hidden_stops(crm: Org) -> None:
    crm.on_query(complaint(400, "INVALID_FIELD", "No such column 'MasterRecordId' on entity 'Lead'."))
    crm.on_describe("Lead", field("LastName"))
    with pytest.raises(Stop, match="400 INVALID_FIELD"):
        pages(crm.connect({"Lead": ["LastName"]}), LEADS)
    assert len(crm.soql()) == 1


def test_a_sweep_tells_the_live_ones_with_their_stamp(crm: Org) -> None:
    crm.on(
        "GET",
        f"{DATA}/query/",
        page({"Id": lead_id(1), "SystemModstamp": STAMP}, next_url=NEXT),
        page({"Id": lead_id(2), "SystemModstamp": STAMP}),
    )
    sweep = Feed("Lead", FeedKind.SWEEP)
    first = next(crm.connect().ids(sweep))
    assert [(each.ref, each.modified) for each in first.records] == [(Ref("Lead", lead_id(1)), 1_764_583_200_000_000)]
    (rest,) = crm.connect().ids(Feed("Lead", FeedKind.SWEEP, first.cursor))
    assert rest.last
    assert crm.soql() == [
        "SELECT Id, SystemModstamp FROM Lead WHERE IsConverted = false ORDER BY Id",
        f"SELECT Id, SystemModstamp FROM Lead WHERE IsConverted = false AND Id > '{lead_id(1)}' ORDER BY Id",
    ]
    assert json.loads(rest.cursor) == {}


def test_a_sweep_of_contacts_has_no_conversions_to_leave_out(crm: Org) -> None:
    crm.on("GET", f"{DATA}/query/", page())
    assert [each.records for each in crm.connect().ids(Feed("Contact", FeedKind.SWEEP))] == [[]]
    assert crm.soql() == ["SELECT Id, SystemModstamp FROM Contact ORDER BY Id"]


def test_each_asked_record_is_answered_once_under_its_own_name(crm: Org) -> None:
    def answer(request: Request) -> Reply:
        rows = [lead(1), lead(2, IsDeleted=True, MasterRecordId=lead_id(1))]
        return page(*rows) if " FROM Lead " in request.one("q") else page(contact(7))

    crm.on_query(answer)
    short = lead_id(1)[:15]
    refs = [
        Ref("Lead", lead_id(2)),
        Ref("Contact", contact_id(7)),
        Ref("Lead", short),
        Ref("Lead", lead_id(1)),
        Ref("Lead", lead_id(404)),
        Ref("Lead", "no id' OR Id != '"),
        Ref("Lead", lead_id(2)),
    ]
    got = list(crm.connect().fetch(refs))
    assert [(each.ref, each.state, each.merged_into) for each in got] == [
        (refs[0], State.MERGED, Ref("Lead", lead_id(1))),
        (refs[1], State.LIVE, None),
        (refs[2], State.LIVE, None),
        (refs[3], State.LIVE, None),
        (refs[4], State.GONE, None),
        (refs[5], State.GONE, None),
    ]
    assert len(crm.soql()) == 2
    assert all(each.path.endswith("/queryAll/") for each in crm.asked())
    assert "no id" not in "".join(crm.soql())


def test_many_ids_are_asked_for_in_addresses_of_bounded_length(crm: Org) -> None:
    crm.on_query(page())
    refs = [Ref("Lead", lead_id(n)) for n in range(1000)]
    got = list(crm.connect({"Lead": [f"A_rather_long_custom_field_{n}__c" for n in range(100)]}).fetch(refs))
    assert [each.state for each in got] == [State.GONE] * 1000
    assert max(len(each.target) for each in crm.asked()) < 16_000
    assert 2 < len(crm.asked()) < 8
    asked = "".join(crm.soql())
    assert all(f"'{ref.id}'" in asked for ref in refs)


def test_nothing_is_asked_for_nothing(crm: Org) -> None:
    connector = crm.connect()
    assert list(connector.fetch([])) == []
    assert list(connector.find("Lead", "Email", ["", "  "])) == []
    assert crm.requests == []


def test_find_asks_by_value_with_the_recycle_bin_and_tells_the_value_it_asked_for(crm: Org) -> None:
    crm.on_query(page(lead(1, Email="o'neil@example.com"), lead(2, Email="o'neil@example.com", IsDeleted=True)))
    got = list(crm.connect({"Lead": ["LastName"]}).find("Lead", "Email", ["o'neil@example.com", ""]))
    assert [(each.state, each.fields["Email"]) for each in got] == [
        (State.LIVE, "o'neil@example.com"),
        (State.DELETED, "o'neil@example.com"),
    ]
    (soql,) = crm.soql()
    assert soql.endswith(r"Email FROM Lead WHERE Email IN ('o\'neil@example.com') ORDER BY Id")
    assert quote_plus(r"\'") in crm.asked()[0].target
    assert crm.asked()[0].path == f"{DATA}/queryAll/"
