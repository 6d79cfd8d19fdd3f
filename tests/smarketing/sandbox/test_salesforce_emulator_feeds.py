"""Reading on and on: pages, the lag of what goes by SystemModstamp, lists of updates and deletions, text search."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from connectors.backdoor import Fault, When
from connectors.base import Ref
from tests.smarketing.sandbox.salesforce_wire import ROOT, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


class TestPages:
    @pytest.fixture
    def crowd(self, wire: Wire) -> Wire:
        """450 contacts, all of the same second."""
        for start in range(0, 450, 150):
            rows = [{"attributes": {"type": "Contact"}, "LastName": f"L{start + i:03d}"} for i in range(150)]
            assert wire.call("POST", "composite/sobjects", {"records": rows}).status == 200
        return wire

    SOQL = "SELECT Id, LastName FROM Contact ORDER BY SystemModstamp, Id"

    def walk(self, wire: Wire, answer: Any) -> list[str]:
        names = [each["LastName"] for each in answer.records]
        while not answer.content["done"]:
            answer = wire.call("GET", answer.content["nextRecordsUrl"])
            names += [each["LastName"] for each in answer.records]
        return names

    def test_all_pages_hold_each_row_once(self, crowd: Wire) -> None:
        first = crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200")
        assert (first.content["totalSize"], first.content["done"], len(first.records)) == (450, False, 200)
        assert first.content["nextRecordsUrl"].startswith(f"{ROOT}/query/01g")
        assert first.content["nextRecordsUrl"].endswith("-200")
        assert self.walk(crowd, first) == [f"L{i:03d}" for i in range(450)]

    def test_without_a_wish_a_page_has_2000_rows_and_never_fewer_than_200_are_granted(self, crowd: Wire) -> None:
        assert len(crowd.query(self.SOQL).records) == 450
        assert "nextRecordsUrl" not in crowd.query(self.SOQL).content
        assert len(crowd.query(self.SOQL, Sforce_Query_Options="batchSize=5").records) == 200

    def test_a_limit_counts_as_the_total(self, crowd: Wire) -> None:
        answer = crowd.query(self.SOQL + " LIMIT 250 OFFSET 100", Sforce_Query_Options="batchSize=200")
        assert answer.content["totalSize"] == 250
        assert self.walk(crowd, answer) == [f"L{i:03d}" for i in range(100, 350)]

    def test_ties_are_walked_by_stamp_and_id(self, crowd: Wire) -> None:
        seen: list[str] = []
        where = ""
        while True:
            page = crowd.query(
                f"SELECT Id, SystemModstamp FROM Contact {where} ORDER BY SystemModstamp, Id LIMIT 100"
            ).records
            if not page:
                break
            seen += [each["Id"] for each in page]
            at, id = page[-1]["SystemModstamp"].replace("+0000", "Z"), page[-1]["Id"]
            where = f"WHERE SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{id}')"
        assert len(seen) == len(set(seen)) == 450

    def test_pages_are_of_the_moment_of_the_query(self, crowd: Wire) -> None:
        first = crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200")
        crowd.world.sleep(1)
        crowd.update("Contact", first.records[0]["Id"], LastName="Changed")
        assert self.walk(crowd, first) == [f"L{i:03d}" for i in range(450)]

    def test_the_eleventh_open_cursor_closes_the_first(self, crowd: Wire) -> None:
        opened = [crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200") for _ in range(11)]
        answers = [crowd.call("GET", each.content["nextRecordsUrl"]).status for each in opened]
        assert answers == [400, *[200] * 10]

    def test_a_cursor_that_is_old_or_unknown_is_refused(self, crowd: Wire) -> None:
        first = crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200")
        crowd.world.sleep(3 * 86_400)
        again = crowd.sign_in()
        answer = crowd.call("GET", first.content["nextRecordsUrl"], token=again)
        assert (answer.status, answer.code) == (400, "INVALID_QUERY_LOCATOR")
        assert crowd.call("GET", "query/01gNonsense-200", token=again).code == "INVALID_QUERY_LOCATOR"

    def test_groups_must_fit_on_a_page(self, crowd: Wire) -> None:
        soql = "SELECT LastName, COUNT(Id) FROM Contact GROUP BY LastName"
        assert crowd.query(soql, Sforce_Query_Options="batchSize=200").code == "EXCEEDED_ID_LIMIT"
        assert len(crowd.query(soql).records) == 450

    def test_who_walks_by_conditions_meets_a_doubled_page_too(self, crowd: Wire) -> None:
        soql = "SELECT Id FROM Contact WHERE Id > '{}' ORDER BY Id LIMIT 200"
        first = crowd.ids(soql.format("003000000000000"))
        crowd.door.fault(Fault.DUPLICATE_PAGE, When(path="/query"))
        assert crowd.ids(soql.format(first[-1])) == first
        assert crowd.ids(soql.format(first[-1])) == crowd.ids("SELECT Id FROM Contact ORDER BY Id LIMIT 200 OFFSET 200")

    def test_a_doubled_page_is_followed_by_the_one_that_was_due(self, crowd: Wire) -> None:
        crowd.door.fault(Fault.DUPLICATE_PAGE, When(path=f"GET {ROOT}/query/01g"))
        first = crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200")
        doubled = crowd.call("GET", first.content["nextRecordsUrl"])
        assert doubled.content == first.content
        assert self.walk(crowd, doubled) == [f"L{i:03d}" for i in range(450)]

    def test_the_next_page_may_be_said_to_be_elsewhere(self, crowd: Wire) -> None:
        crowd.door.fault(Fault.FOREIGN_LINK, When(path="/query"))
        first = crowd.query(self.SOQL, Sforce_Query_Options="batchSize=200")
        assert first.content["nextRecordsUrl"].startswith("https://elsewhere.example.com/")


class TestLag:
    FEED = "SELECT FirstName FROM Lead WHERE SystemModstamp >= 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id"

    def feed(self, wire: Wire) -> list[str]:
        return [str(each["FirstName"]) for each in wire.query(self.FEED).records]

    def test_the_feed_shows_a_change_late_and_a_reading_by_id_at_once(self, wire: Wire) -> None:
        id = wire.lead(FirstName="Before")
        wire.door.fault(Fault.LAG, When(value=30.0))
        wire.world.sleep(1)
        wire.update("Lead", id, FirstName="After")
        new = wire.lead(FirstName="New")
        assert self.feed(wire) == ["Before"]
        assert wire.read("Lead", id)["FirstName"] == "After"
        assert wire.one(f"SELECT FirstName FROM Lead WHERE Id = '{new}'")["FirstName"] == "New"
        assert wire.query(self.FEED.replace("FirstName", "COUNT()").split("ORDER")[0]).content["totalSize"] == 1
        wire.world.sleep(29)
        assert self.feed(wire) == ["Before"]
        wire.world.sleep(1)
        assert self.feed(wire) == ["After", "New"]

    def test_each_version_appears_when_its_own_time_has_come(self, wire: Wire) -> None:
        wire.door.fault(Fault.LAG, When(value=10.0))
        id = wire.lead(FirstName="One")
        wire.world.sleep(5)
        wire.update("Lead", id, FirstName="Two")
        assert self.feed(wire) == []
        wire.world.sleep(5)
        assert self.feed(wire) == ["One"]
        wire.world.sleep(5)
        assert self.feed(wire) == ["Two"]

    def test_what_is_taken_back_never_appears(self, wire: Wire) -> None:
        id = wire.lead(FirstName="One")
        wire.door.fault(Fault.LAG, When(value=10.0))
        wire.update("Lead", id, FirstName="Two")
        rows = [
            {"attributes": {"type": "Lead"}, "Id": id, "FirstName": "Three"},
            {"attributes": {"type": "Lead"}, "Id": "nobody"},
        ]
        wire.call("PATCH", "composite/sobjects", {"allOrNone": True, "records": rows})
        assert self.feed(wire) == ["One"]
        wire.world.sleep(10)
        assert self.feed(wire) == ["Two"]

    def test_a_deletion_is_shown_late_too(self, wire: Wire) -> None:
        id = wire.lead(FirstName="Here")
        wire.door.fault(Fault.LAG, When(value=10.0))
        wire.door.remove(Ref("Lead", id))
        assert self.feed(wire) == ["Here"]
        wire.world.sleep(10)
        assert self.feed(wire) == []
        wire.door.fault(Fault.LAG, When(value=0.0))
        wire.lead(FirstName="At once")
        assert self.feed(wire) == ["At once"]


class TestReplication:
    def window(
        self, wire: Wire, what: str, start: str = "2026-01-01T00:00:00Z", end: str = "2026-01-01T01:00:00Z"
    ) -> str:
        return f"sobjects/Lead/{what}/?start={start.replace('+', '%2B')}&end={end.replace('+', '%2B')}"

    def test_what_was_changed_and_deleted_in_a_window_is_told(self, wire: Wire) -> None:
        kept, gone = wire.lead(), wire.lead()
        wire.world.sleep(90)
        wire.call("DELETE", f"sobjects/Lead/{gone}")
        told = wire.call("GET", self.window(wire, "updated")).content
        assert told == {"ids": [kept], "latestDateCovered": "2026-01-01T00:01:00.000+0000"}
        told = wire.call("GET", self.window(wire, "deleted")).content
        assert told["deletedRecords"] == [{"id": gone, "deletedDate": "2026-01-01T00:01:30.000+0000"}]
        assert told["latestDateCovered"] == "2026-01-01T00:01:00.000+0000"

    def test_both_lists_lag_behind_as_the_feeds_do(self, wire: Wire) -> None:
        kept, gone = wire.lead(), wire.lead()
        wire.world.sleep(60)
        wire.door.fault(Fault.LAG, When(value=30.0))
        wire.update("Lead", kept, FirstName="Ola")
        wire.call("DELETE", f"sobjects/Lead/{gone}")
        after = "2026-01-01T00:01:00Z"
        assert wire.call("GET", self.window(wire, "updated", after)).content["ids"] == []
        assert wire.call("GET", self.window(wire, "updated")).content["ids"] == [kept, gone]
        assert wire.call("GET", self.window(wire, "deleted")).content["deletedRecords"] == []
        wire.world.sleep(30)
        assert wire.call("GET", self.window(wire, "updated", after)).content["ids"] == [kept]
        assert len(wire.call("GET", self.window(wire, "deleted")).content["deletedRecords"]) == 1

    def test_an_undeleted_record_is_in_the_list_of_updates_alone(self, wire: Wire) -> None:
        id = wire.lead()
        wire.call("DELETE", f"sobjects/Lead/{id}")
        wire.door.restore(Ref("Lead", id))
        assert wire.call("GET", self.window(wire, "deleted")).content["deletedRecords"] == []
        assert wire.call("GET", self.window(wire, "updated")).content["ids"] == [id]

    @pytest.mark.parametrize(("what", "days"), [("updated", 31), ("deleted", 16)])
    def test_a_window_that_begins_too_early_is_refused(self, wire: Wire, what: str, days: int) -> None:
        wire.world.sleep(days * 86_400)
        answer = wire.call("GET", self.window(wire, what))
        assert (answer.status, answer.code) == (400, "INVALID_REPLICATION_DATE")

    @pytest.mark.parametrize(
        ("object", "start", "end", "code"),
        [
            ("Lead", "2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z", "INVALID_REPLICATION_DATE"),
            ("Lead", "yesterday", "today", "INVALID_REPLICATION_DATE"),
            ("LeadHistory", "2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z", "INVALID_TYPE"),
        ],
    )
    def test_a_window_must_make_sense(self, wire: Wire, object: str, start: str, end: str, code: str) -> None:
        answer = wire.call("GET", f"sobjects/{object}/updated/?start={start}&end={end}")
        assert (answer.status, answer.code) == (400, code)

    def test_a_purged_log_does_not_pretend_that_nothing_was_deleted(self, wire: Wire) -> None:
        wire.call("DELETE", f"sobjects/Lead/{wire.lead()}")
        wire.world.sleep(600)
        wire.door.empty_bin()
        assert wire.call("GET", self.window(wire, "deleted")).code == "INVALID_REPLICATION_DATE"
        wire.world.sleep(60)
        later = wire.call("GET", self.window(wire, "deleted", "2026-01-01T00:10:00Z"))
        assert later.content["deletedRecords"] == []


class TestSearch:
    def search(self, wire: Wire, sosl: str) -> list[str]:
        answer = wire.call("GET", f"search?q={quote(sosl)}")
        assert answer.status == 200, answer.content
        return [str(each["Id"]) for each in answer.content["searchRecords"]]

    def test_an_address_is_found_among_leads_and_contacts(self, wire: Wire) -> None:
        lead, contact = wire.lead(Email="ola@example.com"), wire.contact(Email="OLA@example.com")
        wire.lead(Email="kari@example.com", FirstName="ola")
        found = self.search(wire, "FIND {ola@example.com} IN EMAIL FIELDS RETURNING Lead(Id), Contact(Id)")
        assert found == [lead, contact]
        assert self.search(wire, "FIND {Nord*} IN NAME FIELDS RETURNING Contact(Id, LastName WHERE Email != null)") == [
            contact
        ]
        limited = "FIND {nordmann} RETURNING Lead(Id ORDER BY FirstName NULLS LAST LIMIT 1)"
        assert self.search(wire, limited) == wire.ids("SELECT Id FROM Lead WHERE FirstName = 'ola'")

    def test_the_index_lags_behind(self, wire: Wire) -> None:
        wire.door.fault(Fault.LAG, When(value=10.0))
        lead = wire.lead(Email="ola@example.com")
        sosl = "FIND {ola@example.com} IN EMAIL FIELDS RETURNING Lead"
        assert self.search(wire, sosl) == []
        wire.world.sleep(10)
        assert self.search(wire, sosl) == [lead]

    def test_a_search_can_be_told_by_parameters(self, wire: Wire) -> None:
        lead = wire.lead(Email="ola@example.com", FirstName="Ola")
        got = wire.call("GET", "parameterizedSearch?q=ola%40example.com&in=EMAIL&sobject=Lead&Lead.fields=Id,FirstName")
        assert [(each["Id"], each["FirstName"]) for each in got.content["searchRecords"]] == [(lead, "Ola")]
        body = {"q": "ola@example.com", "in": "EMAIL", "fields": ["Email"], "sobjects": [{"name": "Lead"}]}
        assert wire.call("POST", "parameterizedSearch", body).content["searchRecords"][0]["Email"] == "ola@example.com"

    def test_only_searchable_objects_are_searched(self, wire: Wire) -> None:
        assert wire.call("GET", "search?q=FIND+%7Bola%7D+RETURNING+LeadStatus").code == "INVALID_TYPE"
        assert wire.call("PATCH", "parameterizedSearch", {}).status == 405
        lead = wire.lead(FirstName="Ola")
        assert self.search(wire, "FIND {Ola Nord*}") == [lead]

    @pytest.mark.parametrize("sosl", ["FIND {a} RETURNING Lead", "LOOK {ola}", "FIND {ola} IN SOME FIELDS"])
    def test_a_search_that_makes_no_sense_is_refused(self, wire: Wire, sosl: str) -> None:
        answer = wire.call("GET", f"search?q={quote(sosl)}")
        assert (answer.status, answer.code) == (400, "MALFORMED_SEARCH")
