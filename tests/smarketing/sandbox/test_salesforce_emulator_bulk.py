"""Bulk API 2.0: uploads and queries as jobs, their states and their CSV."""

from __future__ import annotations

import csv
import io

import pytest

from connectors.base import Ref
from tests.smarketing.sandbox.salesforce_wire import ROOT, Answer, Wire

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def wire() -> Wire:
    return Wire()


def open_job(wire: Wire, operation: str, object: str = "Contact", **more: str) -> str:
    body = {"object": object, "operation": operation, "contentType": "CSV", "lineEnding": "LF", **more}
    answer = wire.call("POST", "jobs/ingest", body)
    assert answer.status == 200, answer.content
    id: str = answer.content["id"]
    return id


def run(wire: Wire, operation: str, data: str, **more: str) -> str:
    """An upload carried through; answers the job's id."""
    id = open_job(wire, operation, **more)
    assert wire.call("PUT", f"jobs/ingest/{id}/batches", data.encode(), headers=CSV).status == 201
    assert wire.call("PATCH", f"jobs/ingest/{id}", {"state": "UploadComplete"}).content["state"] == "UploadComplete"
    return id


def state(wire: Wire, id: str, kind: str = "ingest") -> str:
    told: str = wire.call("GET", f"jobs/{kind}/{id}").content["state"]
    return told


def lines(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.content)))


class TestIngest:
    def test_a_job_goes_through_its_states(self, wire: Wire) -> None:
        made = wire.call("POST", "jobs/ingest", {"object": "Contact", "operation": "insert"}).content
        assert (made["state"], made["contentUrl"]) == ("Open", f"services/data/v62.0/jobs/ingest/{made['id']}/batches")
        assert made["id"].startswith("750")
        id = run(wire, "insert", "LastName\nOne\nTwo\n")
        assert [state(wire, id) for _ in range(3)] == ["InProgress", "JobComplete", "JobComplete"]
        told = wire.call("GET", f"jobs/ingest/{id}").content
        assert (told["numberRecordsProcessed"], told["numberRecordsFailed"], told["jobType"]) == (2, 0, "V2Ingest")

    def test_the_work_is_done_even_if_nobody_looks_again(self, wire: Wire) -> None:
        run(wire, "insert", "LastName,Email\nOne,ONE@example.com\n")
        assert wire.one("SELECT Email FROM Contact")["Email"] == "one@example.com"

    def test_a_complete_job_can_hold_failed_rows_and_tells_each_in_another_order(self, wire: Wire) -> None:
        data = (
            "LastName,Email\n" + "".join(f"L{i},l{i}@example.com\n" for i in range(20)) + ",nobody@example.com\nX,no\n"
        )
        id = run(wire, "insert", data)
        good = lines(wire.call("GET", f"jobs/ingest/{id}/successfulResults"))
        assert {each["LastName"] for each in good} == {f"L{i}" for i in range(20)}
        assert [each["LastName"] for each in good] != [f"L{i}" for i in range(20)]
        assert {each["sf__Created"] for each in good} == {"true"}
        assert wire.read("Contact", good[0]["sf__Id"], "LastName")["LastName"] == good[0]["LastName"]
        failed = lines(wire.call("GET", f"jobs/ingest/{id}/failedResults"))
        assert {each["sf__Error"] for each in failed} == {
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: no:Email --",
        }
        assert lines(wire.call("GET", f"jobs/ingest/{id}/unprocessedrecords")) == []
        state(wire, id)
        assert state(wire, id) == "JobComplete"

    def test_an_empty_cell_leaves_and_a_mark_clears(self, wire: Wire) -> None:
        id = wire.contact(FirstName="Ola", Title="Boss", HasOptedOutOfEmail=True)
        run(wire, "update", f"Id,FirstName,Title,HasOptedOutOfEmail\n{id},,#N/A,false\n")
        read = wire.read("Contact", id)
        assert (read["FirstName"], read["Title"], read["HasOptedOutOfEmail"]) == ("Ola", None, False)

    def test_an_upsert_goes_by_the_key_and_a_key_told_twice_fails_twice(self, wire: Wire) -> None:
        id = wire.contact(Smarketing_Id__c="k1")
        data = "Smarketing_Id__c,LastName\nk1,Old\nk2,New\nk3,One\nK3,Two\n"
        job = run(wire, "upsert", data, externalIdFieldName="Smarketing_Id__c")
        good = {
            each["Smarketing_Id__c"]: each for each in lines(wire.call("GET", f"jobs/ingest/{job}/successfulResults"))
        }
        assert {key: each["sf__Created"] for key, each in good.items()} == {"k1": "false", "k2": "true"}
        assert good["k1"]["sf__Id"] == id
        failed = lines(wire.call("GET", f"jobs/ingest/{job}/failedResults"))
        assert [each["sf__Error"].partition(":")[0] for each in failed] == ["DUPLICATE_VALUE"] * 2

    def test_an_upsert_by_id_creates_where_there_is_none(self, wire: Wire) -> None:
        id = wire.contact(LastName="Old")
        run(wire, "upsert", f"Id,LastName\n{id},Changed\n,New\n", externalIdFieldName="Id")
        assert [each["LastName"] for each in wire.query("SELECT LastName FROM Contact").records] == ["Changed", "New"]

    def test_a_parent_is_told_by_its_external_id(self, wire: Wire) -> None:
        wire.create("Account", Name="Example AS")
        job = run(wire, "insert", "LastName,Account.Name\nOne,Example AS\n")
        (failed,) = lines(wire.call("GET", f"jobs/ingest/{job}/failedResults"))
        assert failed["sf__Error"].startswith("INVALID_FIELD:Foreign key external ID")
        boss = wire.contact(Smarketing_Id__c="boss")
        run(wire, "insert", "LastName,ReportsTo.Smarketing_Id__c\nTwo,boss\n")
        assert wire.one("SELECT ReportsToId FROM Contact WHERE LastName = 'Two'")["ReportsToId"] == boss

    def test_deleting_fills_the_recycle_bin_and_hard_deleting_does_not(self, wire: Wire) -> None:
        soft, hard = wire.contact(), wire.contact()
        run(wire, "delete", f"Id\n{soft}\n")
        run(wire, "hardDelete", f"Id\n{hard}\nnobody\n")
        assert wire.ids("SELECT Id FROM Contact", deleted=True) == [soft]
        kept = {each.ref: each.state.name for each in wire.door.records()}
        assert kept == {Ref("Contact", soft): "DELETED", Ref("Contact", hard): "DELETED"}

    def test_an_unknown_column_fails_the_job(self, wire: Wire) -> None:
        id = run(wire, "insert", "LastName,Nonsense\nOne,x\n")
        assert [state(wire, id), state(wire, id)] == ["InProgress", "Failed"]
        assert "Field name not found : Nonsense" in wire.call("GET", f"jobs/ingest/{id}").content["errorMessage"]
        assert lines(wire.call("GET", f"jobs/ingest/{id}/unprocessedrecords")) == [{"LastName": "One", "Nonsense": "x"}]
        assert wire.ids("SELECT Id FROM Contact") == []

    def test_wrong_values_fail_their_rows(self, wire: Wire) -> None:
        id = run(
            wire, "insert", "LastName,Birthdate,HasOptedOutOfEmail\nOne,soon,true\nTwo,2000-01-02,perhaps\nThree\n"
        )
        failed = lines(wire.call("GET", f"jobs/ingest/{id}/failedResults"))
        assert sorted(each["sf__Error"].partition(":")[0] for each in failed) == [
            "INVALID_FIELD",
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
        ]

    def test_other_delimiters_and_line_ends_are_kept(self, wire: Wire) -> None:
        id = run(wire, "insert", 'LastName;FirstName\r\n"a;b";x\r\n', columnDelimiter="SEMICOLON", lineEnding="CRLF")
        text = wire.call("GET", f"jobs/ingest/{id}/successfulResults").content
        assert text.startswith('"sf__Id";"sf__Created";"LastName";"FirstName"\r\n')
        assert text.endswith('";"true";"a;b";"x"\r\n')

    @pytest.mark.parametrize(
        "body",
        [
            {"object": "Nonsense", "operation": "insert"},
            {"object": "Contact", "operation": "nonsense"},
            {"object": "Contact", "operation": "upsert", "externalIdFieldName": "FirstName"},
            {"object": "Contact", "operation": "insert", "columnDelimiter": "DOT"},
        ],
        ids=str,
    )
    def test_a_job_that_makes_no_sense_is_refused(self, wire: Wire, body: dict[str, str]) -> None:
        answer = wire.call("POST", "jobs/ingest", body)
        assert (answer.status, answer.code) == (400, "INVALIDJOB")

    def test_other_methods_and_places_are_refused(self, wire: Wire) -> None:
        id = open_job(wire, "insert")
        for method, target in (
            ("PUT", "jobs/ingest"),
            ("PUT", f"jobs/ingest/{id}"),
            ("GET", f"jobs/ingest/{id}/batches"),
            ("POST", f"jobs/ingest/{id}/failedResults"),
        ):
            assert wire.call(method, target, {}).code == "METHOD_NOT_ALLOWED"
        assert wire.call("GET", "jobs").code == "NOT_FOUND"
        assert wire.call("GET", f"jobs/ingest/{id}/nonsense").code == "NOT_FOUND"

    def test_a_job_without_data_ends_well_and_one_with_nonsense_fails(self, wire: Wire) -> None:
        empty = run(wire, "insert", "")
        assert [state(wire, empty), state(wire, empty)] == ["InProgress", "JobComplete"]
        id = open_job(wire, "insert")
        wire.call("PUT", f"jobs/ingest/{id}/batches", b"LastName\n\xff\n", headers=CSV)
        wire.call("PATCH", f"jobs/ingest/{id}", {"state": "UploadComplete"})
        assert [state(wire, id), state(wire, id)] == ["InProgress", "Failed"]

    def test_an_upsert_wants_its_key_in_each_row(self, wire: Wire) -> None:
        id = run(wire, "upsert", "Smarketing_Id__c,LastName\n,One\n", externalIdFieldName="Smarketing_Id__c")
        (failed,) = lines(wire.call("GET", f"jobs/ingest/{id}/failedResults"))
        assert failed["sf__Error"].startswith("MISSING_ARGUMENT")

    def test_what_the_state_does_not_allow_is_refused(self, wire: Wire) -> None:
        id = open_job(wire, "insert")
        assert wire.call("DELETE", f"jobs/ingest/{id}").code == "INVALIDJOBSTATE"
        assert wire.call("PUT", f"jobs/ingest/{id}/batches", b"x").status == 415
        wire.call("PUT", f"jobs/ingest/{id}/batches", b"LastName\nOne\n", headers=CSV)
        assert wire.call("PUT", f"jobs/ingest/{id}/batches", b"x", headers=CSV).code == "INVALIDJOBSTATE"
        assert wire.call("PATCH", f"jobs/ingest/{id}", {"state": "Aborted"}).content["state"] == "Aborted"
        assert wire.call("PATCH", f"jobs/ingest/{id}", {"state": "UploadComplete"}).code == "INVALIDJOBSTATE"
        assert wire.ids("SELECT Id FROM Contact") == []
        assert wire.call("DELETE", f"jobs/ingest/{id}").status == 204
        assert wire.call("GET", f"jobs/ingest/{id}").status == 404

    def test_jobs_are_listed_and_kept_for_a_week(self, wire: Wire) -> None:
        id = run(wire, "insert", "LastName\nOne\n")
        assert [each["id"] for each in wire.call("GET", "jobs/ingest").records] == [id]
        wire.world.sleep(8 * 86_400)
        assert wire.call("GET", "jobs/ingest", token=wire.sign_in()).records == []


class TestQuery:
    def ask(self, wire: Wire, soql: str, operation: str = "query") -> str:
        answer = wire.call("POST", "jobs/query", {"operation": operation, "query": soql})
        assert answer.status == 200, answer.content
        assert (answer.content["state"], answer.content["object"]) == ("UploadComplete", "Contact")
        id: str = answer.content["id"]
        return id

    def test_results_come_when_the_job_is_complete_page_by_page(self, wire: Wire) -> None:
        for i in range(5):
            wire.contact(LastName=f"L{i}", Email=f"l{i}@example.com" if i else None)
        id = self.ask(wire, "SELECT Id, LastName, Email, CreatedDate, IsDeleted, Owner.Email FROM Contact")
        target = f"jobs/query/{id}/results"
        assert wire.call("GET", target).code == "INVALIDJOBSTATE"
        assert [state(wire, id, "query"), state(wire, id, "query")] == ["InProgress", "JobComplete"]
        first = wire.call("GET", f"{target}?maxRecords=3")
        assert (first.headers["Sforce-Locator"], first.headers["Sforce-NumberOfRecords"]) == ("3", "3")
        second = wire.call("GET", f"{target}?maxRecords=3&locator=3")
        assert (second.headers["Sforce-Locator"], second.headers["Sforce-NumberOfRecords"]) == ("null", "2")
        rows = lines(first) + lines(second)
        assert list(rows[0]) == ["Id", "LastName", "Email", "CreatedDate", "IsDeleted", "Owner.Email"]
        assert sorted(each["LastName"] for each in rows) == [f"L{i}" for i in range(5)]
        assert [each["LastName"] for each in rows] != [f"L{i}" for i in range(5)]
        (nameless,) = [each for each in rows if each["LastName"] == "L0"]
        assert (nameless["Email"], nameless["CreatedDate"]) == ("", "2026-01-01T00:00:00.000Z")
        assert (nameless["IsDeleted"], nameless["Owner.Email"]) == ("false", "integration@example.com")
        told = wire.call("GET", f"jobs/query/{id}").content
        assert (told["numberRecordsProcessed"], told["jobType"]) == (5, "V2Query")

    def test_an_order_is_kept_and_the_recycle_bin_read_when_asked(self, wire: Wire) -> None:
        for i in range(10):
            wire.contact(LastName=f"L{i}")
        wire.call("DELETE", f"sobjects/Contact/{wire.ids('SELECT Id FROM Contact LIMIT 1')[0]}")
        id = self.ask(wire, "SELECT LastName FROM Contact ORDER BY LastName DESC", "queryAll")
        state(wire, id, "query"), state(wire, id, "query")
        rows = lines(wire.call("GET", f"jobs/query/{id}/results"))
        assert [each["LastName"] for each in rows] == [f"L{i}" for i in range(9, -1, -1)]

    @pytest.mark.parametrize(
        "soql",
        [
            "SELECT COUNT(Id) FROM Contact",
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "SELECT Address FROM Lead",
        ],
    )
    def test_what_only_rest_can_do_is_refused(self, wire: Wire, soql: str) -> None:
        assert wire.call("POST", "jobs/query", {"operation": "query", "query": soql}).status == 400

    def test_a_bad_query_operation_or_place_is_refused(self, wire: Wire) -> None:
        bad = {"operation": "query", "query": "SELECT Nonsense FROM Contact"}
        assert wire.call("POST", "jobs/query", bad).code == "INVALID_FIELD"
        odd = {"operation": "insert", "query": "SELECT Id FROM Contact"}
        assert wire.call("POST", "jobs/query", odd).code == "INVALIDJOB"
        id = self.ask(wire, "SELECT Id FROM Contact")
        state(wire, id, "query"), state(wire, id, "query")
        assert wire.call("GET", f"jobs/query/{id}/results?locator=99").code == "INVALID_QUERY_LOCATOR"
        assert wire.call("GET", f"{ROOT}/jobs/ingest/{id}").status == 404
