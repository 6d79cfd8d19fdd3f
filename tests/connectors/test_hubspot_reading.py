"""Reading contacts from HubSpot: feeds, sweeps, by id and by value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Feed, FeedKind, Page, Record, Ref, State, Writer
from connectors.errors import CursorLost, Retry, Stop
from connectors.hubspot import HubSpot
from connectors.world import MICROSECONDS
from smarketing.sandbox.emulator import Reply, Request
from tests.connectors.scripted_hubspot import AT, OBJECTS, PREFERENCES, Scripted, batch, listing, row, trouble, update
from tests.worlds import START, ManualWorld

LIST = f"GET {OBJECTS}"
SEARCH = f"POST {OBJECTS}/search"
READ = f"POST {OBJECTS}/batch/read"
DELTA = Feed("contact", FeedKind.DELTA)
START_MS = START // 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since(ms: int, **more: object) -> Feed:
    return Feed("contact", FeedKind.DELTA, json.dumps({"since": ms, **more}))


def stamp(ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def ids(pages: list[Page]) -> list[str]:
    return [record.ref.id for page in pages for record in page.records]


def one(connector: HubSpot, id: int = 1) -> Record:
    (record,) = connector.fetch([Ref("contact", str(id))])
    return record


class Index:
    """A search index over contacts that a test moves about: filters, sorts, pages, and the end at 10,000."""

    def __init__(self, modified: dict[int, int]) -> None:
        self.modified = dict(modified)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        self.asked.append(asked)
        found = [
            id for id in self.modified if all(self._holds(id, each) for each in asked["filterGroups"][0]["filters"])
        ]
        by_id = asked["sorts"] == ["hs_object_id"]
        found.sort(key=lambda id: (0 if by_id else self.modified[id], id))
        begin, limit = int(asked["after"]), asked["limit"]
        assert limit <= 200
        if begin + limit > 10_000:
            return trouble(400, "VALIDATION_ERROR")
        page = found[begin : begin + limit]
        more = {"paging": {"next": {"after": str(begin + limit)}}} if begin + limit < len(found) else {}
        rows = [row(id, updatedAt=stamp(self.modified[id])) for id in page]
        return Reply.of(200, {"total": len(found), "results": rows, **more})

    def _holds(self, id: int, told: dict[str, str]) -> bool:
        value = id if told["propertyName"] == "hs_object_id" else self.modified[id]
        match told["operator"]:
            case "GTE":
                return value >= int(told["value"])
            case "GT":
                return value > int(told["value"])
            case "BETWEEN":
                return int(told["value"]) <= value <= int(told["highValue"])
        raise AssertionError(told)


# everything


def test_the_first_pull_lists_everything_and_ends_where_the_changes_begin(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), row(2), after="3"), listing(row(3)))
    pages = list(hubspot.connector().changes(DELTA))
    assert ids(pages) == ["1", "2", "3"]
    assert [page.last for page in pages] == [False, True]
    assert json.loads(pages[-1].cursor) == {"since": START_MS - 60_000}
    first, second = hubspot.seen
    assert first.one("limit") == "100"
    assert {"email", "firstname", "lastmodifieddate", "hs_merged_object_ids"} <= set(first.query["properties"])
    assert "after" not in first.query
    assert second.one("after") == "3"


def test_a_listing_goes_on_in_another_process_and_still_counts_from_its_own_start(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), after="2"), listing(row(2)))
    first = next(hubspot.connector().changes(DELTA))
    later = ManualWorld(start=START + 3600 * MICROSECONDS)
    pages = list(hubspot.connector(world=later).changes(Feed("contact", FeedKind.DELTA, first.cursor)))
    assert ids(pages) == ["2"]
    assert hubspot.seen[1].one("after") == "2"
    assert json.loads(pages[-1].cursor) == {"since": START_MS - 60_000}


def test_a_page_is_requested_only_when_it_is_asked_for(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), after="2"), listing(row(2)))
    pages = hubspot.connector().changes(DELTA)
    assert hubspot.seen == []
    next(pages)
    assert len(hubspot.seen) == 1


def test_a_page_that_comes_twice_is_told_once(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), row(2), after="3"), listing(row(1), row(2), after="4"), listing(row(3)))
    assert ids(list(hubspot.connector().changes(DELTA))) == ["1", "2", "3"]


def test_a_listing_that_does_not_go_on_ends_as_retry_instead_of_never(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), after="2"))
    with pytest.raises(Retry, match="does not go on"):
        list(hubspot.connector().changes(DELTA))


def test_an_answer_without_its_list_is_not_the_end_of_the_listing(hubspot: Scripted) -> None:
    hubspot.on(LIST, Reply.of(200, {"status": "error"}))
    with pytest.raises(Retry) as caught:
        list(hubspot.connector().changes(DELTA))
    assert caught.value.code == "SM306"


def test_a_foreign_cursor_is_lost_before_anything_is_asked(hubspot: Scripted) -> None:
    with pytest.raises(CursorLost, match="none of a HubSpot feed"):
        list(hubspot.connector().changes(Feed("contact", FeedKind.DELTA, "2026-01-01")))
    assert hubspot.seen == []


@pytest.mark.parametrize("kind", FeedKind)
def test_a_saved_mark_that_hubspot_does_not_know_any_more_is_lost(hubspot: Scripted, kind: FeedKind) -> None:
    hubspot.on(LIST, trouble(400, "VALIDATION_ERROR", "The paging cursor 'after' is not valid."))
    connector = hubspot.connector()
    walk = connector.ids if kind is FeedKind.SWEEP else connector.changes
    with pytest.raises(CursorLost, match="the saved cursor is not taken any more") as lost:
        next(walk(Feed("contact", kind, json.dumps({"start": START_MS, "after": "17"}))))
    assert lost.value.code == "SM309"


@pytest.mark.parametrize("kind", FeedKind)
def test_a_refusal_of_a_mark_that_is_not_a_saved_one_wants_a_person(hubspot: Scripted, kind: FeedKind) -> None:
    refusal = trouble(400, "VALIDATION_ERROR", "The paging cursor 'after' is not valid.")
    hubspot.on(LIST, refusal, listing(row(1), after="1"), refusal)
    connector = hubspot.connector()
    walk = connector.ids if kind is FeedKind.SWEEP else connector.changes
    for _ in range(2):
        with pytest.raises(Stop) as stop:
            list(walk(Feed("contact", kind)))
        assert not isinstance(stop.value, CursorLost)


def test_more_names_than_an_address_holds_are_read_by_id(hubspot: Scripted) -> None:
    names = [f"a_rather_long_property_name_{n:04}" for n in range(300)]
    hubspot.on(LIST, listing(row(1), row(2)))
    hubspot.on(READ, batch(row(2, {names[7]: "x"}), row(1)))
    (page,) = hubspot.connector(names).changes(DELTA)
    assert max(len(each.target) for each in hubspot.seen) < 8000
    assert [record.ref.id for record in page.records] == ["1", "2"]
    assert page.records[1].fields == {names[7]: "x"}


# changes


def test_a_quiet_pull_is_one_request(hubspot: Scripted) -> None:
    hubspot.on(SEARCH, Index({}))
    connector = hubspot.connector(["email", "hubspot_owner_id", "consent:email", "company.name"])
    (page,) = connector.changes(since(1000))
    assert page.last
    assert page.records == []
    assert connector.requests() == {"search contacts": 1}
    (body,) = hubspot.bodies(SEARCH)
    assert body["filterGroups"] == [
        {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1000"}]}
    ]
    assert body["sorts"] == ["lastmodifieddate"]
    assert body["limit"] == 200


def test_the_next_pull_begins_before_this_one_began_whatever_was_seen(hubspot: Scripted) -> None:
    hubspot.on(SEARCH, Index({1: START_MS - 5, 2: START_MS + 900_000}))
    (page,) = hubspot.connector().changes(since(1000))
    assert json.loads(page.cursor) == {"since": START_MS - 60_000}


def test_a_clock_ahead_of_the_vendors_misses_nothing(hubspot: Scripted) -> None:
    hubspot.on(SEARCH, Index({}))
    before = datetime.now(UTC)
    ahead = ManualWorld(start=int((before + timedelta(hours=5)).timestamp()) * MICROSECONDS)
    (page,) = hubspot.connector(world=ahead).changes(since(1000))
    latest = int((before + timedelta(minutes=1)).timestamp() * 1000)
    assert json.loads(page.cursor)["since"] <= latest - 60_000


def test_changes_are_paged_by_time_so_that_rows_moving_to_the_end_hide_no_other(hubspot: Scripted) -> None:
    index = Index({id: 10_000 + id for id in range(1, 501)})
    hubspot.on(SEARCH, index)
    pages = hubspot.connector().changes(since(0))
    told = ids([next(pages)])
    index.modified |= {5: 90_000, 6: 90_001}  # edited while we read: an offset would now slide over two rows
    told += ids(list(pages))
    assert sorted(set(map(int, told))) == list(range(1, 501))
    assert sorted(told, key=int).count("5") == 2  # the old and the new
    assert {asked["after"] for asked in index.asked} == {"0"}


def test_thousands_of_contacts_of_one_instant_are_told_by_id(hubspot: Scripted) -> None:
    many = dict.fromkeys(range(1, 1001), 50000)
    index = Index({5000: 40_000, **many, 6000: 50_001, 6001: 60_000})
    hubspot.on(SEARCH, index)
    told = ids(list(hubspot.connector().changes(since(30_000))))
    assert sorted(map(int, told)) == sorted(index.modified)
    by_id = [asked for asked in index.asked if asked["sorts"] == ["hs_object_id"]]
    assert [asked["filterGroups"][0]["filters"][1]["operator"] for asked in by_id] == ["GT"] * len(by_id)
    assert len(index.asked) <= 9


def test_more_than_ten_thousand_changes_never_meet_the_wall_of_the_search(hubspot: Scripted) -> None:
    index = Index({id: 1000 + id // 3 for id in range(1, 10_301)})
    hubspot.on(SEARCH, index)
    told = ids(list(hubspot.connector().changes(since(0))))
    assert sorted(map(int, told)) == list(range(1, 10_301))


def test_a_pull_goes_on_amid_one_instant_after_a_crash(hubspot: Scripted) -> None:
    index = Index(dict.fromkeys(range(1, 701), 50000))
    hubspot.on(SEARCH, index)
    pages = hubspot.connector().changes(since(50_000))
    told = [next(pages) for _ in range(3)]
    told += hubspot.connector().changes(Feed("contact", FeedKind.DELTA, told[-1].cursor))
    assert sorted(set(map(int, ids(told)))) == list(range(1, 701))
    assert json.loads(told[-1].cursor) == {"since": START_MS - 60_000}


def test_a_busy_account_lets_a_pull_end(hubspot: Scripted) -> None:
    index = Index({id: START_MS - 1000 + id for id in range(1, 5001)})
    hubspot.on(SEARCH, index)
    pages = list(hubspot.connector().changes(since(0)))
    assert pages[-1].last
    assert 1000 <= len(ids(pages)) < 1500


def test_names_that_find_no_room_in_a_search_are_read_by_id(hubspot: Scripted) -> None:
    names = [f"property_number_{n:03}_of_many" for n in range(120)]
    hubspot.on(SEARCH, Index({1: 5000, 2: 5001}))
    hubspot.on(READ, batch(row(2, {names[0]: "b"}), row(1, {names[0]: "a"})))
    (page,) = hubspot.connector(names).changes(since(0))
    assert len(hubspot.seen[0].body) <= 3000
    assert [record.fields[names[0]] for record in page.records] == ["a", "b"]


def test_names_that_find_room_cost_no_second_request(hubspot: Scripted) -> None:
    names = [f"property_number_{n:03}_of_many" for n in range(70)]
    hubspot.on(SEARCH, Index({1: 5000}))
    list(hubspot.connector(names).changes(since(0)))
    (request,) = hubspot.seen
    assert 1500 < len(request.body) <= 3000


# sweeps and archived contacts


def test_a_sweep_tells_ids_times_and_former_names(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1), after="9"), listing(row(9, {"hs_merged_object_ids": "7;8"})))
    pages = list(hubspot.connector().ids(Feed("contact", FeedKind.SWEEP)))
    first, second = (record for page in pages for record in page.records)
    assert first.ref == Ref("contact", "1")
    assert first.modified == 1_767_261_600 * MICROSECONDS
    assert second.aliases == (Ref("contact", "7"), Ref("contact", "8"))
    assert pages[-1].last
    list(hubspot.connector().ids(Feed("contact", FeedKind.SWEEP, pages[-1].cursor)))
    assert "after" not in hubspot.seen[2].query  # the next sweep begins anew


def test_archived_contacts_are_deletions_with_their_last_fields_and_the_time_of_archiving(hubspot: Scripted) -> None:
    gone = row(4, {"email": "kari@example.com"}, archived=True, archivedAt="2026-01-02T10:00:00.000Z")
    hubspot.on(LIST, listing(gone))
    connector = hubspot.connector()
    assert connector.capabilities.deletes_swept
    (page,) = connector.changes(Feed("contact", FeedKind.DELETES))
    (record,) = page.records
    assert record.state is State.DELETED
    assert record.fields["email"] == "kari@example.com"
    assert record.modified == (1_767_261_600 + 86_400) * MICROSECONDS
    assert hubspot.seen[0].one("archived") == "true"


# rows


def test_an_empty_property_is_none_and_one_that_was_not_answered_is_absent(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"email": None, "firstname": ""})))
    assert one(hubspot.connector(["email", "firstname", "nickname"])).fields == {"email": None, "firstname": None}


def test_more_addresses_come_as_a_list(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"hs_additional_emails": "a@example.com;b@example.com"})))
    assert one(hubspot.connector(["hs_additional_emails"])).fields == {
        "hs_additional_emails": ["a@example.com", "b@example.com"]
    }


def test_properties_that_we_need_ourselves_are_not_told(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"firstname": "Kari", "hs_object_source": "CRM_UI"})))
    assert one(hubspot.connector(["firstname"])).fields == {"firstname": "Kari"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CRM_UI", Writer.PERSON),
        ("INTEGRATION", Writer.INTEGRATION),
        ("AUTOMATION_PLATFORM", Writer.WORKFLOW),
        ("IMPORT", Writer.IMPORT),
        ("FORM", Writer.IMPORT),
        ("SOMETHING_NEW", Writer.UNKNOWN),
    ],
)
def test_the_writer_is_known_while_nobody_has_changed_what_was_created(
    hubspot: Scripted, source: str, expected: Writer
) -> None:
    untouched = row(1, {"hs_object_source": source}, createdAt="2026-01-01T09:59:59.500Z")
    changed = row(2, {"hs_object_source": source})
    hubspot.on(READ, batch(untouched, changed))
    first, second = hubspot.connector().fetch([Ref("contact", "1"), Ref("contact", "2")])
    assert first.writer is expected
    assert second.writer is Writer.UNKNOWN


def test_ours_is_told_by_our_key_and_then_by_our_apps_id(hubspot: Scripted) -> None:
    def made(id: int, source: str | None, app: str | None, key: str | None = None) -> dict[str, Any]:
        return row(id, {"hs_object_source": source, "hs_object_source_id": app, "smarketing_id": key})

    hubspot.on(READ, batch(made(1, "INTEGRATION", "77"), made(2, "CRM_UI", "userId:5")))
    connector = hubspot.connector()
    assert [each.mine for each in connector.fetch([Ref("contact", "1"), Ref("contact", "2")])] == [None, False]
    hubspot.on(
        READ, batch(made(3, "INTEGRATION", "77", "k"), made(1, "INTEGRATION", "77"), made(4, "INTEGRATION", "9"))
    )
    three = [Ref("contact", each) for each in "314"]
    assert [each.mine for each in connector.fetch(three)] == [True, True, False]


# owners


def owner(id: int, address: str | None, **more: object) -> dict[str, Any]:
    return {
        "id": str(id),
        "email": address,
        "type": "PERSON",
        "archived": False,
        "createdAt": AT,
        "updatedAt": AT,
        **more,
    }


def test_an_owner_is_an_address_in_lower_case_and_the_list_is_read_once(hubspot: Scripted) -> None:
    hubspot.on("GET /crm/v3/owners/", listing(owner(1, "A@Example.com"), after="x"), listing(owner(2, "b@example.com")))
    hubspot.on(READ, batch(row(1, {"hubspot_owner_id": "1"})), batch(row(1, {"hubspot_owner_id": "2"})))
    connector = hubspot.connector(["hubspot_owner_id"])
    assert one(connector).fields == {"hubspot_owner_id": "a@example.com"}
    assert one(connector).fields == {"hubspot_owner_id": "b@example.com"}
    assert connector.requests()["read owners"] == 2


def test_an_owner_whom_nobody_knows_is_absent_and_nobody_is_none(hubspot: Scripted) -> None:
    hubspot.on("GET /crm/v3/owners/", listing(owner(1, "a@example.com", archived=True), owner(3, None, type="QUEUE")))
    hubspot.on(
        READ, batch(*(row(id, {"hubspot_owner_id": held}) for id, held in ((1, "1"), (2, "9"), (3, "3"), (4, None))))
    )
    connector = hubspot.connector(["hubspot_owner_id"])
    found = list(connector.fetch([Ref("contact", str(id)) for id in (1, 2, 3, 4)]))
    assert [each.fields for each in found] == [{}, {}, {}, {"hubspot_owner_id": None}]


def test_a_new_owner_is_looked_up_and_an_unknown_one_not_again_for_ten_minutes(hubspot: Scripted) -> None:
    hubspot.on("GET /crm/v3/owners/", listing(owner(1, "a@example.com")), listing(owner(2, "b@example.com")))
    hubspot.on(READ, *(batch(row(1, {"hubspot_owner_id": held})) for held in ("1", "2", "5", "5", "5")))
    world = ManualWorld()
    connector = hubspot.connector(["hubspot_owner_id"], world)
    told = [one(connector).fields.get("hubspot_owner_id") for _ in range(4)]
    assert told == ["a@example.com", "b@example.com", None, None]
    assert connector.requests()["read owners"] == 3
    world.sleep(601)
    one(connector)
    assert connector.requests()["read owners"] == 4


# companies


def test_the_primary_company_comes_with_its_contacts_in_two_requests(hubspot: Scripted) -> None:
    def to(company: int, *types: int) -> dict[str, Any]:
        kinds = [{"category": "HUBSPOT_DEFINED", "typeId": each, "label": None} for each in types]
        return {"toObjectId": company, "associationTypes": kinds}

    hubspot.on(READ, batch(row(1), row(2), row(3)))
    hubspot.on(
        "POST /crm/v4/associations/contacts/companies/batch/read",
        batch(
            {"from": {"id": "1"}, "to": [to(50, 279), to(51, 279, 1)]},
            {"from": {"id": "2"}, "to": [to(52, 279)]},
            errors=[{"category": "OBJECT_NOT_FOUND", "context": {"fromObjectId": ["3"]}}],
        ),
    )
    hubspot.on("POST /crm/v3/objects/companies/batch/read", batch(row(51, {"name": "Acme", "domain": "example.com"})))
    connector = hubspot.connector(["company.name", "company.domain", "company.city"])
    first, second, third = connector.fetch([Ref("contact", each) for each in "123"])
    assert first.fields == {"company.name": "Acme", "company.domain": "example.com"}
    nothing = {"company.name": None, "company.domain": None, "company.city": None}
    assert second.fields == third.fields == nothing
    assert connector.requests()["read companies"] == 2


# consent


def statuses(address: str, *told: tuple[int, str, str]) -> dict[str, Any]:
    return {
        "subscriberIdString": address,
        "statuses": [
            {"subscriptionId": id, "status": status, "source": source, "timestamp": "2026-01-03T04:05:06.789Z"}
            for id, status, source in told
        ],
    }


def wide(address: str, kind: str = "PORTAL_WIDE", status: str = "UNSUBSCRIBED") -> dict[str, Any]:
    return {"subscriberIdString": address, "wideStatuses": [{"status": status, "wideStatusType": kind}]}


def consents(hubspot: Scripted, read: Reply, refused: Reply, fields: tuple[str, ...]) -> list[dict[str, object]]:
    rows = [row(1, {"email": "Kari@Example.com"}), row(2, {"email": "ola@example.com"}), row(3, {"email": None})]
    hubspot.on(READ, batch(*rows))
    hubspot.on(f"POST {PREFERENCES}/read", read)
    hubspot.on(f"POST {PREFERENCES}/unsubscribe-all/read", refused)
    return [dict(each.fields) for each in hubspot.connector(fields).fetch([Ref("contact", each) for each in "123"])]


def test_consent_is_read_by_address_in_two_requests_a_page(hubspot: Scripted) -> None:
    told = consents(
        hubspot,
        batch(
            statuses("kari@example.com", (7, "SUBSCRIBED", "FORM_SUBMISSION"), (8, "SUBSCRIBED", "API")),
            statuses("ola@example.com", (7, "UNSUBSCRIBED", "API"), (8, "NOT_SPECIFIED", "")),
        ),
        batch(wide("kari@example.com", status="NOT_SPECIFIED")),
        ("consent:email", "consent:email:7", "consent:email:8"),
    )
    assert told == [
        {
            "consent:email": "confirmed 2026-01-03T04:05:06Z",
            "consent:email:7": "confirmed 2026-01-03T04:05:06Z",
            "consent:email:8": "in",
        },
        {"consent:email": None, "consent:email:7": "out", "consent:email:8": None},
        {"consent:email": None, "consent:email:7": None, "consent:email:8": None},
    ]
    (body,) = hubspot.bodies(f"POST {PREFERENCES}/read")
    assert body == {"inputs": ["kari@example.com", "ola@example.com"]}
    assert hubspot.seen[1].one("channel") == "EMAIL"


def test_who_refused_everything_is_out_of_each_subscription(hubspot: Scripted) -> None:
    told = consents(
        hubspot,
        batch(statuses("kari@example.com", (7, "SUBSCRIBED", "FORM")), statuses("ola@example.com")),
        batch(wide("kari@example.com")),
        ("consent:email:7", "consent:email"),
    )
    assert told[0] == {"consent:email:7": "out", "consent:email": "out"}
    assert told[1] == {"consent:email:7": None, "consent:email": None}


def test_one_brands_unsubscribe_is_not_a_refusal_of_everything(hubspot: Scripted) -> None:
    told = consents(
        hubspot,
        batch(statuses("kari@example.com", (7, "SUBSCRIBED", "API")), statuses("ola@example.com")),
        batch(wide("kari@example.com", "BUSINESS_UNIT_WIDE")),
        ("consent:email",),
    )
    assert told[0] == {"consent:email": "in"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Form", "confirmed 2026-01-03T04:05:06Z"),
        ("DOUBLE_OPT_IN", "confirmed 2026-01-03T04:05:06Z"),
        ("formSubmission", "confirmed 2026-01-03T04:05:06Z"),
        ("PLATFORM_IMPORT", "in"),
        ("information page", "in"),
        ("API", "in"),
        ("", "in"),
    ],
)
def test_only_a_form_or_a_double_opt_in_confirms(hubspot: Scripted, source: str, expected: str) -> None:
    read = batch(statuses("kari@example.com", (7, "SUBSCRIBED", source)))
    assert consents(hubspot, read, batch(), ("consent:email",))[0] == {"consent:email": expected}


def test_an_address_that_the_vendor_does_not_tell_of_has_no_consent_field(hubspot: Scripted) -> None:
    read = batch(statuses("kari@example.com"), errors=[{"category": "VALIDATION_ERROR", "message": "ola@example.com"}])
    told = consents(hubspot, read, batch(), ("consent:email",))
    assert told[0] == {"consent:email": None}
    assert told[1] == {}


def test_one_address_that_spoils_the_batch_hides_only_itself(hubspot: Scripted) -> None:
    def read(request: Request) -> Reply:
        asked = json.loads(request.body)["inputs"]
        if "ola@example.com" in asked:
            return trouble(400, "VALIDATION_ERROR")
        return batch(*(statuses(each, (7, "SUBSCRIBED", "API")) for each in asked))

    told = consents(hubspot, read, batch(), ("consent:email",))  # type: ignore[arg-type]
    assert told == [{"consent:email": "in"}, {}, {"consent:email": None}]


def test_consent_that_is_not_mapped_is_not_asked_for(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"email": "kari@example.com", "hs_email_optout": "true"})))
    connector = hubspot.connector(["email", "hs_email_optout"])
    assert one(connector).fields == {"email": "kari@example.com", "hs_email_optout": "true"}
    assert connector.requests() == {"fetch contacts": 1}


def test_the_opt_out_of_an_archived_contact_is_still_read(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(4, {"email": "kari@example.com"}, archived=True)))
    hubspot.on(f"POST {PREFERENCES}/read", batch(statuses("kari@example.com")))
    hubspot.on(f"POST {PREFERENCES}/unsubscribe-all/read", batch(wide("kari@example.com")))
    (page,) = hubspot.connector(["consent:email", "company.name"]).changes(Feed("contact", FeedKind.DELETES))
    assert page.records[0].fields == {"consent:email": "out"}


# by id


def test_fetch_answers_each_asked_name_once_and_in_order(hubspot: Scripted) -> None:
    def read(request: Request) -> Reply:
        asked = {each["id"] for each in json.loads(request.body)["inputs"]}
        missing = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": sorted(asked - {"1", "5"})}}]
        if request.one("archived") == "true":
            return batch(*([row(2, {"email": "x@example.com"}, archived=True, archivedAt=AT)] if "2" in asked else []))
        return batch(row(5, {"hs_merged_object_ids": "3"}), row(1), errors=missing)

    hubspot.on(READ, read)
    hubspot.on(f"GET {OBJECTS}/6", Reply.of(200, row(60, {"hs_merged_object_ids": "6"})))
    hubspot.on(f"GET {OBJECTS}/4", trouble(404, "OBJECT_NOT_FOUND", "resource not found"))
    asked = [Ref("contact", each) for each in ("2", "1", "3", "4", "1", "nonsense", "6", "5")]
    found = {record.ref.id: record for record in hubspot.connector().fetch(asked)}
    assert list(found) == ["2", "1", "3", "4", "nonsense", "6", "5"]
    assert {id: record.state for id, record in found.items()} == {
        "1": State.LIVE,
        "2": State.DELETED,
        "3": State.MERGED,
        "4": State.GONE,
        "5": State.LIVE,
        "6": State.MERGED,
        "nonsense": State.GONE,
    }
    assert found["2"].fields["email"] == "x@example.com"
    assert found["3"].merged_into == Ref("contact", "5")
    assert found["6"].merged_into == Ref("contact", "60")
    assert found["5"].aliases == (Ref("contact", "3"),)


def test_a_merged_id_is_recognised_when_its_batch_answers_the_survivor(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(9, {"hs_merged_object_ids": "1;2"})))
    first, second = hubspot.connector().fetch([Ref("contact", "1"), Ref("contact", "2")])
    assert (first.ref.id, first.state, first.merged_into) == ("1", State.MERGED, Ref("contact", "9"))
    assert second.merged_into == Ref("contact", "9")


def test_many_are_fetched_by_the_hundred_and_several_requests_at_once(hubspot: Scripted) -> None:
    hubspot.on(READ, lambda request: batch(*(row(each["id"]) for each in json.loads(request.body)["inputs"])))
    waves: list[str] = []

    class Watching(ManualWorld):
        def spawn(self, name: str, work: Any) -> Any:
            waves.append(name)
            return super().spawn(name, work)

    refs = [Ref("contact", str(each)) for each in range(1, 551)]
    connector = hubspot.connector(world=Watching())
    assert [record.ref for record in connector.fetch(refs)] == refs
    assert connector.requests() == {"fetch contacts": 6}
    assert max(len(body["inputs"]) for body in hubspot.bodies(READ)) == 100
    assert len(waves) == 6


def test_what_one_of_several_requests_raises_comes_out(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(*(row(each) for each in range(1, 101))), trouble(403, "MISSING_SCOPES"))
    with pytest.raises(Stop, match="scope"):
        list(hubspot.connector().fetch([Ref("contact", str(each)) for each in range(1, 201)]))


# by value


def test_find_by_address_goes_through_no_search_and_into_the_recycle_bin(hubspot: Scripted) -> None:
    live = [row(1, {"email": "kari@example.com", "hs_additional_emails": "k@example.com"})]
    hubspot.on(
        READ, batch(*live, *live, errors=[{"category": "OBJECT_NOT_FOUND"}]), batch(row(2, {"email": "o@example.com"}))
    )
    connector = hubspot.connector()
    found = list(
        connector.find("contact", "email", ["Kari@Example.com", "K@example.com", "o@example.com", "", "no address"])
    )
    assert [(each.ref.id, each.state) for each in found] == [("1", State.LIVE), ("2", State.DELETED)]
    first, second = hubspot.bodies(READ)
    assert first["idProperty"] == "email"
    assert [each["id"] for each in first["inputs"]] == ["kari@example.com", "k@example.com", "o@example.com"]
    assert [each["id"] for each in second["inputs"]] == ["o@example.com"]
    assert hubspot.seen[1].one("archived") == "true"
    assert "hs_additional_emails" not in found[0].fields


def test_find_by_our_key(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"smarketing_id": "abc"})))
    (found,) = hubspot.connector().find("contact", "smarketing_id", ["abc"])
    assert found.ref == Ref("contact", "1")
    assert found.mine is True
    assert len(hubspot.seen) == 1


# former values


def test_history_tells_who_wrote_and_which_were_ours(hubspot: Scripted) -> None:
    def version(value: str, at: str, source: str, id: str) -> dict[str, Any]:
        return {"value": value, "timestamp": at, "sourceType": source, "sourceId": id}

    told = {
        "firstname": [
            version("Kari", "2026-01-01T10:00:00Z", "CRM_UI", "userId:1"),
            version("K", "2026-01-02T10:00:00Z", "INTEGRATION", "77"),
            version("", "2026-01-01T12:00:00Z", "INTEGRATION", "66"),
        ],
        "smarketing_id": [version("k", "2026-01-01T10:00:00Z", "INTEGRATION", "77")],
    }
    hubspot.on(READ, batch({**row(1), "propertiesWithHistory": told}))
    refs = [Ref("contact", str(each)) for each in range(1, 61)]
    ((ref, found),) = list(hubspot.connector().history(refs, ["firstname", "consent:email"]))
    assert ref == refs[0]
    versions = found["firstname"]
    assert [(each.value, each.writer, each.mine) for each in versions] == [
        ("K", Writer.INTEGRATION, True),
        (None, Writer.INTEGRATION, False),
        ("Kari", Writer.PERSON, False),
    ]
    assert versions[0].at - versions[2].at == 86_400 * MICROSECONDS
    assert [len(body["inputs"]) for body in hubspot.bodies(READ)] == [50, 10]
    assert hubspot.bodies(READ)[0]["propertiesWithHistory"] == ["firstname", "smarketing_id"]


def test_our_app_is_recognised_by_our_last_write_where_no_record_bears_our_key(hubspot: Scripted) -> None:
    def version(value: str, at: str, id: str) -> dict[str, Any]:
        return {"value": value, "timestamp": at, "sourceType": "INTEGRATION", "sourceId": id}

    ours = [version("Kari", AT, "77"), version("Kari", "2025-01-01T10:00:00Z", "66")]
    hubspot.on(f"POST {OBJECTS}/batch/update", batch(row(1, {"firstname": "Kari"})))
    hubspot.on(
        READ,
        batch({**row(2), "propertiesWithHistory": {"firstname": [version("Ola", AT, "77"), version("O", AT, "66")]}}),
        batch({**row(1), "propertiesWithHistory": {"firstname": ours}}),
        batch({**row(2), "propertiesWithHistory": {"firstname": [version("Ola", AT, "77"), version("O", AT, "66")]}}),
    )
    connector = hubspot.connector()
    connector.write([update(1, firstname="Kari")])
    for _ in range(2):
        ((_, found),) = connector.history([Ref("contact", "2")], ["firstname"])
        assert [(each.value, each.mine) for each in found["firstname"]] == [("Ola", True), ("O", False)]
    assert connector.requests()["read history"] == 3
