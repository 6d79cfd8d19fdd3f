"""Queries: which rows, in which order, in which shape, and what is said of a query that makes no sense."""

from __future__ import annotations

from datetime import date

import pytest

from smarketing.sandbox.salesforce import dates
from smarketing.sandbox.salesforce.schema import Field
from tests.smarketing.sandbox.salesforce_wire import ROOT, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def people(wire: Wire) -> Wire:
    """Four leads, a second apart, on New Year's Day 2026."""
    for first, email, employees, opted_out in (
        ("Anna", "anna@example.com", 10, False),
        ("bo", "bo@example.com", 2, True),
        ("Cecilie", None, None, False),
        ("100%_sure", "it's@example.com", 300, False),
    ):
        wire.lead(FirstName=first, Email=email, NumberOfEmployees=employees, HasOptedOutOfEmail=opted_out)
        wire.world.sleep(1)
    return wire


def first_names(wire: Wire, where: str) -> list[str]:
    return [str(each["FirstName"]) for each in wire.query(f"SELECT FirstName FROM Lead WHERE {where}").records]


ALL = ["Anna", "bo", "Cecilie", "100%_sure"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("FirstName = 'ANNA'", ["Anna"]),
        ("FirstName != 'anna'", ALL[1:]),
        ("FirstName <> 'anna'", ALL[1:]),
        ("Email = null", ["Cecilie"]),
        ("Email != null", ["Anna", "bo", "100%_sure"]),
        ("Email != 'anna@example.com'", ["bo", "Cecilie", "100%_sure"]),
        ("Email = 'it\\'s@example.com'", ["100%_sure"]),
        ("Email IN ('BO@example.com', 'anna@example.com')", ["Anna", "bo"]),
        ("Email IN ('bo@example.com', null)", ["bo", "Cecilie"]),
        ("Email NOT IN ('bo@example.com')", ["Anna", "Cecilie", "100%_sure"]),
        ("NumberOfEmployees > 2", ["Anna", "100%_sure"]),
        ("NumberOfEmployees >= 2 AND NumberOfEmployees <= 10", ["Anna", "bo"]),
        ("NumberOfEmployees < 10.5", ["Anna", "bo"]),
        ("HasOptedOutOfEmail = TRUE", ["bo"]),
        ("HasOptedOutOfEmail = false AND Email != null", ["Anna", "100%_sure"]),
        ("FirstName LIKE 'b_'", ["bo"]),
        ("FirstName LIKE '%N%'", ["Anna"]),
        ("FirstName LIKE '%\\%\\_%'", ["100%_sure"]),
        ("Email LIKE 'a%'", ["Anna"]),
        ("NOT Email LIKE 'a%'", ["bo", "Cecilie", "100%_sure"]),
        ("(NOT FirstName = 'bo') AND Email != null", ["Anna", "100%_sure"]),
        ("FirstName = 'Anna' OR (FirstName = 'bo' AND HasOptedOutOfEmail = true)", ["Anna", "bo"]),
        ("FirstName > 'B'", ["bo", "Cecilie"]),
        ("CreatedDate = TODAY", ALL),
        ("CreatedDate < today", []),
        ("CreatedDate = YESTERDAY", []),
        ("CreatedDate > YESTERDAY", ALL),
        ("CreatedDate <= LAST_N_DAYS:1", ALL),
        ("CreatedDate != LAST_N_DAYS:3", []),
        ("SystemModstamp > 2026-01-01T00:00:01Z", ["Cecilie", "100%_sure"]),
        ("SystemModstamp >= 2026-01-01T01:00:01.000+01:00", ["bo", "Cecilie", "100%_sure"]),
        ("SystemModstamp < 2026-01-01T00:00:01Z", ["Anna"]),
        ("SystemModstamp = 2026-01-01T00:00:02Z", ["Cecilie"]),
        ("SystemModstamp >= 2026-01-01T00:00:01Z AND SystemModstamp < 2026-01-01T00:00:03Z", ["bo", "Cecilie"]),
        ("SystemModstamp < 2026-01-01T00:00:01Z OR SystemModstamp > 2026-01-01T00:00:02Z", ["Anna", "100%_sure"]),
        ("SystemModstamp = TODAY AND FirstName IN ('bo', 'Anna')", ["Anna", "bo"]),
        ("ConvertedDate = null AND LastActivityDate != TODAY", ALL),
        ("Owner.Email = 'integration@example.com' AND Owner.Type = 'User'", ALL),
        ("CreatedBy.Name LIKE '%nobody%'", []),
        ("Email = 'bo@example.com' OR Email IN ('anna@example.com', 'x@example.com')", ["Anna", "bo"]),
    ],
)
def test_a_condition_finds_its_rows(people: Wire, where: str, found: list[str]) -> None:
    assert first_names(people, where) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("FirstName", ["100%_sure", "Anna", "bo", "Cecilie"]),
        ("FirstName DESC", ["Cecilie", "bo", "Anna", "100%_sure"]),
        ("NumberOfEmployees", ["Cecilie", "bo", "Anna", "100%_sure"]),
        ("NumberOfEmployees ASC NULLS LAST", ["bo", "Anna", "100%_sure", "Cecilie"]),
        ("NumberOfEmployees DESC NULLS FIRST", ["Cecilie", "100%_sure", "Anna", "bo"]),
        ("NumberOfEmployees DESC NULLS LAST", ["100%_sure", "Anna", "bo", "Cecilie"]),
        ("HasOptedOutOfEmail DESC, FirstName", ["bo", "100%_sure", "Anna", "Cecilie"]),
        ("SystemModstamp DESC, Id DESC", ALL[::-1]),
        ("SystemModstamp DESC LIMIT 1", ["100%_sure"]),
        ("SystemModstamp, Id LIMIT 2 OFFSET 1", ["bo", "Cecilie"]),
        ("CreatedBy.Name, FirstName DESC LIMIT 2", ["Cecilie", "bo"]),
    ],
)
def test_rows_come_in_the_order_asked_for(people: Wire, order: str, found: list[str]) -> None:
    assert first_names(people, f"LastName != null ORDER BY {order}") == found


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Id FORM Lead", "MALFORMED_QUERY", "unexpected token: 'FORM'"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ('SELECT Id FROM Lead WHERE FirstName = "Ola"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Lead WHERE FirstName = Ola", "MALFORMED_QUERY", "unexpected token: 'Ola'"),
        ("SELECT Id FROM Lead WHERE FirstName = 'a' AND LastName = 'b' OR Email = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Lead LIMIT -1", "MALFORMED_QUERY", "'-1'"),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Id, Id FROM Lead", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 201", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT FIELDS(SOME) FROM Lead LIMIT 2", "MALFORMED_QUERY", "unexpected token: 'some'"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_FORTNIGHT", "MALFORMED_QUERY", "LAST_FORTNIGHT"),
        ("SELECT Id FROM Lead WHERE FirstName = TODAY", "MALFORMED_QUERY", "TODAY"),
        ("SELECT Id FROM Lead WHERE FirstName = 'a\\q'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Email, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "must be grouped or aggregated: Email"),
        ("SELECT SUM(FirstName) FROM Lead", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT MIN() FROM Lead", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT COUNT(Id), (SELECT Id FROM Tasks) FROM Lead", "MALFORMED_QUERY", "fields and functions"),
        ("SELECT Status FROM Lead GROUP BY Status ORDER BY Email", "MALFORMED_QUERY", "grouped or aggregated: Email"),
        ("SELECT Id FROM Lead WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "should not be aggregated"),
        ("SELECT Id FROM Lead ORDER BY COUNT(Id)", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Id FROM Lead FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Lead WHERE FirstName 'x'", "MALFORMED_QUERY", "unexpected token: ''x''"),
        ("SELECT Id FROM Lead WHERE FirstName = (", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_N_DAYS:9999999", "MALFORMED_QUERY", "LAST_N_DAYS"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "LAST_N_DAYS"),
        ("SELECT Id FROM Lead WHERE ConvertedDate = 2026-13-01", "MALFORMED_QUERY", "unexpected token: '2026-13-01'"),
        ("SELECT A.B.C.D.E.F.G FROM Lead", "MALFORMED_QUERY", "5th level of parents"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Id, Name FROM Contact)", "MALFORMED_QUERY", "one id field"),
        ("SELECT Nonsense FROM Lead", "INVALID_FIELD", "No such column 'Nonsense' on entity 'Lead'"),
        ("SELECT Id FROM Lead WHERE Nonsense = 1", "INVALID_FIELD", "No such column 'Nonsense'"),
        ("SELECT Id FROM Lead ORDER BY Nonsense", "INVALID_FIELD", "No such column 'Nonsense'"),
        ("SELECT Account.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Account'"),
        ("SELECT Owner.Profile.Name FROM Lead", "INVALID_FIELD", "relationship 'Profile'"),
        (
            "SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'",
            "INVALID_FIELD",
            "dateTime and should not be enclosed",
        ),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE FirstName = 5", "INVALID_FIELD", "string and should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail = 'true'", "INVALID_FIELD", "boolean and should not be"),
        ("SELECT Id FROM Lead WHERE FirstName LIKE 5", "INVALID_FIELD", "string and should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE Address = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM LeadHistory ORDER BY SystemModstamp", "INVALID_FIELD", "No such column 'SystemModstamp'"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE", "sObject type 'Nonsense' is not supported"),
        ("SELECT Id, (SELECT Id FROM Friends) FROM Lead", "INVALID_TYPE", "relationship 'Friends'"),
        ("SELECT Id FROM Lead WHERE Id = 'nobody'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nobody"),
        ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail > false", "INVALID_QUERY_FILTER_OPERATOR", "on boolean field"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees > null", "INVALID_QUERY_FILTER_OPERATOR", "on int field"),
        ("SELECT Id FROM Lead WHERE Email IN (SELECT Id FROM Lead)", "INVALID_QUERY_FILTER_OPERATOR", "on email field"),
        ("SELECT Id FROM Lead WHERE Email INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "on email field"),
        ("SELECT Id FROM Lead LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_nonsense_is_told_with_its_place(people: Wire, soql: str, code: str, message: str) -> None:
    answer = people.query(soql)
    assert (answer.status, answer.code) == (400, code)
    assert message in answer.message
    assert "ERROR at Row:1:Column:" in answer.message


def test_the_place_of_an_error_is_row_and_column(wire: Wire) -> None:
    assert "ERROR at Row:2:Column:8\n" in wire.query("SELECT Id,\n       Nonsense FROM Lead").message


def test_fields_come_in_the_order_asked_for_under_their_own_names(people: Wire) -> None:
    record = people.query("select firstname, id, owner.name, OWNER.EMAIL, lastname from lead limit 1").records[0]
    assert list(record) == ["attributes", "FirstName", "Id", "Owner", "LastName"]
    assert list(record["Owner"]) == ["attributes", "Name", "Email"]
    assert record["Owner"]["attributes"]["type"] == "Name"


def test_a_parent_that_is_not_there_is_null(wire: Wire) -> None:
    account = wire.create("Account", Name="Example AS")
    wire.contact(LastName="With", AccountId=account)
    wire.contact(LastName="Without")
    found = wire.query("SELECT LastName, Account.Name, Account.Owner.Email FROM Contact ORDER BY LastName").records
    assert found[0]["Account"]["Name"] == "Example AS"
    assert found[0]["Account"]["Owner"]["Email"] == "integration@example.com"
    assert found[0]["Account"]["attributes"] == {"type": "Account", "url": f"{ROOT}/sobjects/Account/{account}"}
    assert found[1]["Account"] is None
    assert wire.ids("SELECT Id FROM Contact WHERE Account.Name = 'example as'") != []
    assert wire.ids("SELECT c.Id FROM Contact c WHERE c.Account.Name = null") == wire.ids(
        "SELECT Contact.Id FROM Contact WHERE LastName = 'Without'"
    )


def test_children_come_with_their_parent(wire: Wire) -> None:
    account, empty = wire.create("Account", Name="A"), wire.create("Account", Name="B")
    for last in ("One", "Two", "Three"):
        wire.contact(LastName=last, AccountId=account)
    wire.call("DELETE", f"sobjects/Contact/{wire.contact(LastName='Gone', AccountId=account)}")
    soql = "SELECT Id, (SELECT LastName FROM Contacts WHERE LastName != 'Two' ORDER BY LastName DESC) FROM Account"
    found = wire.query(soql).records
    assert [each["Id"] for each in found] == [account, empty]
    assert [each["LastName"] for each in found[0]["Contacts"]["records"]] == ["Three", "One"]
    assert (found[0]["Contacts"]["totalSize"], found[0]["Contacts"]["done"]) == (2, True)
    assert found[1]["Contacts"] is None


def test_a_semi_join_finds_who_has_a_deal(wire: Wire) -> None:
    rich, poor = wire.contact(LastName="Rich"), wire.contact(LastName="Poor")
    deal = wire.create("Opportunity", Name="D", StageName="Closed Won", CloseDate="2026-01-02")
    wire.create("OpportunityContactRole", OpportunityId=deal, ContactId=rich)
    won = "(SELECT ContactId FROM OpportunityContactRole WHERE Opportunity.IsWon = true)"
    assert wire.ids(f"SELECT Id FROM Contact WHERE Id IN {won}") == [rich]
    assert wire.ids(f"SELECT Id FROM Contact WHERE Id NOT IN {won}") == [poor]
    assert wire.query("SELECT Id FROM Contact WHERE Id IN (SELECT Name FROM Account)").code == "MALFORMED_QUERY"


def test_ids_are_found_in_their_short_form(people: Wire) -> None:
    id = people.ids("SELECT Id FROM Lead ORDER BY Id LIMIT 1")[0]
    assert people.ids(f"SELECT Id FROM Lead WHERE Id = '{id[:15]}'") == [id]
    assert people.ids(f"SELECT Id FROM Lead WHERE Id IN ('{id}') AND Email = 'bo@example.com'") == []
    assert len(people.ids(f"SELECT Id FROM Lead WHERE Id > '{id}'")) == 3


def test_includes_and_excludes_look_into_a_multi_select() -> None:
    interests = Field(
        name="Interests__c", type="multipicklist", label="Interests", length=4099, options=("A", "B", "C")
    )
    wire = Wire(custom_fields={"Contact": [interests]})
    both, one, none = (wire.contact(Interests__c=value) for value in ("A;B", "C", None))
    assert wire.ids("SELECT Id FROM Contact WHERE Interests__c INCLUDES ('B','C')") == [both, one]
    assert wire.ids("SELECT Id FROM Contact WHERE Interests__c INCLUDES ('A;B')") == [both]
    assert wire.ids("SELECT Id FROM Contact WHERE Interests__c EXCLUDES ('A')") == [one, none]


def test_rows_are_counted_and_grouped(people: Wire) -> None:
    assert people.query("SELECT COUNT() FROM Lead WHERE Email != null").content == {
        "totalSize": 3,
        "done": True,
        "records": [],
    }
    soql = (
        "SELECT HasOptedOutOfEmail, COUNT(Email) mails, MAX(NumberOfEmployees), MIN(FirstName), "
        "SUM(NumberOfEmployees) FROM Lead GROUP BY HasOptedOutOfEmail ORDER BY COUNT(Email) DESC"
    )
    first, second = people.query(soql).records
    assert first == {
        "attributes": {"type": "AggregateResult"},
        "HasOptedOutOfEmail": False,
        "mails": 2,
        "expr0": 300,
        "expr1": "100%_sure",
        "expr2": 310.0,
    }
    assert (second["mails"], second["expr0"]) == (1, 2)
    twins = "SELECT LastName FROM Lead GROUP BY LastName HAVING COUNT(Id) > 3"
    assert [each["LastName"] for each in people.query(twins).records] == ["Nordmann"]
    assert people.query(twins.replace("3", "4")).records == []
    by_alias = people.query("SELECT FirstName f, COUNT(Id) n FROM Lead GROUP BY FirstName ORDER BY n, FirstName DESC")
    assert by_alias.code == "MALFORMED_QUERY"  # a field has no alias
    named = people.query(
        "SELECT FirstName, COUNT(Id) n FROM Lead GROUP BY FirstName ORDER BY n, FirstName DESC LIMIT 2"
    )
    assert [each["FirstName"] for each in named.records] == ["Cecilie", "bo"]
    assert people.query("SELECT COUNT() n, Email FROM Lead GROUP BY Email").records[0]["n"] == 1
    assert people.query("SELECT AVG(NumberOfEmployees) a, COUNT_DISTINCT(LastName) n FROM Lead").records[0] == {
        "attributes": {"type": "AggregateResult"},
        "a": 104.0,
        "n": 1,
    }


def test_fields_stand_for_all_standard_or_custom_ones(people: Wire) -> None:
    def told(which: str) -> set[str]:
        return set(people.query(f"SELECT FIELDS({which}) FROM Lead LIMIT 1").records[0])

    assert told("CUSTOM") == {"attributes", "Smarketing_Id__c", "Lifecycle_Stage__c"}
    assert {"Id", "Email", "Address", "SystemModstamp"} <= told("STANDARD")
    assert told("ALL") == told("STANDARD") | told("CUSTOM")


def test_deleted_rows_are_shown_by_query_all_alone(people: Wire) -> None:
    id = people.ids("SELECT Id FROM Lead WHERE FirstName = 'bo'")[0]
    people.call("DELETE", f"sobjects/Lead/{id}")
    assert people.ids("SELECT Id FROM Lead WHERE IsDeleted = true") == []
    assert people.ids("SELECT Id FROM Lead WHERE IsDeleted = true", deleted=True) == [id]
    assert len(people.ids("SELECT Id FROM Lead", deleted=True)) == 4


def test_a_field_that_security_hides_is_no_field(people: Wire) -> None:
    people.door.hide("Lead", "Email")
    assert people.query("SELECT Email FROM Lead").code == "INVALID_FIELD"
    assert "Email" not in people.read("Lead", people.ids("SELECT Id FROM Lead LIMIT 1")[0])
    people.door.show("Lead", "Email")
    assert people.query("SELECT Email FROM Lead").status == 200


def test_a_query_must_be_there_and_come_by_get(wire: Wire) -> None:
    assert wire.call("GET", "query").code == "MALFORMED_QUERY"
    assert wire.call("POST", "query", {}).code == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("word", "first", "behind"),
    [
        ("TODAY", "2026-05-13", "2026-05-14"),
        ("LAST_N_DAYS:3", "2026-05-10", "2026-05-14"),
        ("NEXT_N_DAYS:3", "2026-05-14", "2026-05-17"),
        ("N_DAYS_AGO:2", "2026-05-11", "2026-05-12"),
        ("THIS_WEEK", "2026-05-10", "2026-05-17"),
        ("LAST_WEEK", "2026-05-03", "2026-05-10"),
        ("LAST_N_WEEKS:2", "2026-04-26", "2026-05-10"),
        ("THIS_MONTH", "2026-05-01", "2026-06-01"),
        ("LAST_N_MONTHS:5", "2025-12-01", "2026-05-01"),
        ("THIS_QUARTER", "2026-04-01", "2026-07-01"),
        ("LAST_QUARTER", "2026-01-01", "2026-04-01"),
        ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
        ("LAST_90_DAYS", "2026-02-12", "2026-05-14"),
    ],
)
def test_a_date_literal_is_a_span_of_days(word: str, first: str, behind: str) -> None:
    assert [each.isoformat() for each in dates.span(word, date(2026, 5, 13))] == [first, behind]
