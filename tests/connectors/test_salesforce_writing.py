"""What is written to Salesforce: collections, and what each row's answer means."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from connectors.base import Done, Exists, Fields, Gone, Ref, Refused, State, Unknown, Unsent, Write, WriteKind
from connectors.errors import Retry, Stop
from connectors.salesforce import Salesforce
from smarketing.sandbox.emulator import Broken, Reply, Request
from tests.connectors.scripted_salesforce import (
    DATA,
    KARI,
    KEY,
    Org,
    complaint,
    contact,
    contact_id,
    failed,
    field,
    grant,
    lead,
    lead_id,
    org,
    page,
    results,
    row,
    sent,
    user,
)

COLLECTION = f"{DATA}/composite/sobjects"
EMAIL = "kari@example.com"


@pytest.fixture
def crm() -> Iterator[Org]:
    with org() as made:
        made.on_describe("Lead", KEY, field("LastName"))
        made.on_describe("Contact", KEY, field("LastName"))
        made.on("POST", COLLECTION, succeed)
        made.on("PATCH", COLLECTION, succeed)
        yield made


def create(n: int, object: str = "Lead", **fields: object) -> Write:
    return Write(WriteKind.CREATE, f"key-{n}", object, None, told(n, fields))


def update(n: int, object: str = "Lead", **fields: object) -> Write:
    id = lead_id(n) if object == "Lead" else contact_id(n)
    return Write(WriteKind.UPDATE, f"key-{n}", object, Ref(object, id), told(n, fields))


def archive(n: int) -> Write:
    return Write(WriteKind.ARCHIVE, f"key-{n}", "Lead", Ref("Lead", lead_id(n)), {})


def told(n: int, fields: dict[str, object]) -> Fields:
    made: Fields = {"LastName": f"Last {n}"}
    made.update(fields)  # type: ignore[arg-type]
    return made


def succeed(request: Request) -> Reply:
    return results(*(row(str(each.get("id") or lead_id(n))) for n, each in enumerate(sent(request))))


def writes_of(crm: Org) -> list[Request]:
    return [each for each in crm.asked(COLLECTION) if each.path == COLLECTION]


def test_a_create_is_an_insert_with_our_key_that_no_assignment_rule_may_touch(crm: Org) -> None:
    connector = crm.connect()
    assert connector.write([create(0), create(1, HasOptedOutOfEmail=True, Title=None)]) == [
        Done(lead_id(0)),
        Done(lead_id(1)),
    ]
    (request,) = writes_of(crm)
    assert (request.method, request.headers["sforce-auto-assign"]) == ("POST", "FALSE")
    assert request.headers["sforce-call-options"] == "client=smarketing"
    assert "sforce-duplicate-rule-header" not in request.headers
    assert json.loads(request.body) == {
        "allOrNone": False,
        "records": [
            {"attributes": {"type": "Lead"}, "Smarketing_Id__c": "key-0", "LastName": "Last 0"},
            {
                "attributes": {"type": "Lead"},
                "Smarketing_Id__c": "key-1",
                "LastName": "Last 1",
                "HasOptedOutOfEmail": True,
                "Title": None,
            },
        ],
    }
    assert connector.requests()["create leads"] == 1


@pytest.mark.parametrize(
    "described",
    [
        [],
        [field("Smarketing_Id__c", unique=True)],
        [field("Smarketing_Id__c", externalId=True)],
        [field("Smarketing_Id__c", externalId=True, unique=True, createable=False)],
    ],
)
def test_without_a_fit_key_field_a_create_goes_without_our_key(crm: Org, described: list[dict[str, object]]) -> None:
    crm.on_describe("Lead", field("LastName"), *described)
    connector = crm.connect()
    assert connector.own_key("Lead") is None
    connector.write([create(0)])
    assert list(sent(writes_of(crm)[0])[0]) == ["attributes", "LastName"]


def test_the_account_is_described_once_for_its_key(crm: Org) -> None:
    connector = crm.connect()
    assert connector.own_key("Lead") == "Smarketing_Id__c"
    connector.write([create(0)])
    connector.write([create(1)])
    assert connector.requests()["describe Lead"] == 1


def test_an_update_goes_by_id_and_needs_no_describe(crm: Org) -> None:
    connector = crm.connect()
    assert connector.write([update(3, "Contact")]) == [Done(contact_id(3))]
    (request,) = writes_of(crm)
    assert request.method == "PATCH"
    assert sent(request) == [{"attributes": {"type": "Contact"}, "id": contact_id(3), "LastName": "Last 3"}]
    assert connector.requests() == {"get a token": 1, "update contacts": 1}


def test_an_archive_is_a_delete(crm: Org) -> None:
    crm.on("DELETE", COLLECTION, results(row(lead_id(1)), failed("ENTITY_IS_DELETED", "entity is deleted")))
    crm.on_query(page(lead(2, IsDeleted=True)))
    connector = crm.connect()
    assert connector.write([archive(1), archive(2)]) == [Done(lead_id(1)), Gone(State.DELETED)]
    (request,) = writes_of(crm)
    assert request.one("ids") == f"{lead_id(1)},{lead_id(2)}"
    assert request.one("allOrNone") == "false"
    assert connector.requests()["delete leads"] == 1


def test_nothing_is_sent_for_nothing(crm: Org) -> None:
    assert crm.connect().write([]) == []
    assert crm.requests == []


def test_rows_succeed_and_fail_each_for_itself_in_order(crm: Org) -> None:
    crm.on(
        "POST",
        COLLECTION,
        results(
            row(lead_id(0)),
            failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [Company]", ["Company"]),
            row(lead_id(2)),
        ),
    )
    assert crm.connect().write([create(0), create(1), create(2)]) == [
        Done(lead_id(0)),
        Refused(("Company",), "REQUIRED_FIELD_MISSING", "Required fields are missing: [Company]"),
        Done(lead_id(2)),
    ]


def test_all_fields_that_a_row_is_blamed_for_are_told(crm: Org) -> None:
    both = {
        "success": False,
        "errors": [
            {"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["FirstName"]},
            {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "x", "fields": ["Email", "FirstName"]},
        ],
    }
    crm.on("PATCH", COLLECTION, results(both))
    assert crm.connect().write([update(1)]) == [Refused(("FirstName", "Email"), "STRING_TOO_LONG", "too long")]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (f"Email: invalid email address: {EMAIL}", "Email: invalid email address: …"),
        (
            "First Name: data value too large: Kari Anne (max length=40)",
            "First Name: data value too large: … (max length=40)",
        ),
        (
            "Country: bad value for restricted picklist field: Norge og omegn",
            "Country: bad value for restricted picklist field: …",
        ),
        (
            "Cannot deserialize instance of date from VALUE_STRING value 1.2.1980 or request may be missing a field",
            "Cannot deserialize instance of date from VALUE_STRING value … or request may be missing a field",
        ),
        ("ANNE may not work at Example", "… may not work at …"),
        (f"ask {EMAIL} or call +47 912 34 567", "ask … or call …"),
        ("key-1 is taken, the title was Boss", "… is taken, the title was …"),
        ("Employees: value outside of valid range: 4321", "Employees: value outside of valid range: …"),
        ("Please enter an organisation number with 9 digits", "Please enter an organisation number with 9 digits"),
    ],
)
def test_the_vendors_words_are_told_without_values(crm: Org, words: str, text: str) -> None:
    crm.on("PATCH", COLLECTION, results(failed("FIELD_CUSTOM_VALIDATION_EXCEPTION", words)))
    write = update(1, NumberOfEmployees=4321, FirstName="Anne", Company="Example", Email="x@example.com")
    write.before = {"Title": "Boss"}
    (answer,) = crm.connect().write([write])
    assert answer == Refused((), "FIELD_CUSTOM_VALIDATION_EXCEPTION", text)


def test_a_row_that_was_locked_is_sent_again_alone(crm: Org) -> None:
    locked = failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
    crm.on("PATCH", COLLECTION, results(row(contact_id(0)), locked), results(row(contact_id(1))))
    assert crm.connect().write([update(0, "Contact"), update(1, "Contact")]) == [
        Done(contact_id(0)),
        Done(contact_id(1)),
    ]
    assert [[each["id"] for each in sent(request)] for request in writes_of(crm)] == [
        [contact_id(0), contact_id(1)],
        [contact_id(1)],
    ]
    assert 0.2 < crm.world.monotonic() < 1.0


def test_a_row_that_stays_locked_waits_for_the_schedule(crm: Org) -> None:
    crm.on("PATCH", COLLECTION, results(failed("UNABLE_TO_LOCK_ROW")))
    assert crm.connect().write([update(0)]) == [Unsent(60.0)]
    assert len(writes_of(crm)) == 4


@pytest.mark.parametrize("code", ["SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"])
def test_a_row_that_failed_for_no_reason_of_its_own_waits(crm: Org, code: str) -> None:
    crm.on("PATCH", COLLECTION, results(failed(code)))
    assert crm.connect().write([update(0)]) == [Unsent(60.0)]


def cut(request: Request) -> Reply:
    raise Broken


@pytest.mark.parametrize(
    "lost",
    [
        cut,
        complaint(503, "SERVER_UNAVAILABLE"),
        complaint(500, "UNKNOWN_EXCEPTION"),
        Reply(200, {"Content-Type": "text/html"}, b"<!doctype html>"),
        Reply(200, {"Content-Type": "application/json"}, b'[{"id": "00Q'),
        results(row(lead_id(0))),
        Reply.of(200, []),
        Reply.of(200, [1, 2]),
        Reply.of(200, {"a": 1}),
    ],
)
def test_rows_whose_answer_got_lost_are_in_doubt_and_not_sent_again(crm: Org, lost: Reply) -> None:
    crm.on("POST", COLLECTION, lost)
    assert crm.connect().write([create(0), create(1)]) == [Unknown(600.0), Unknown(600.0)]
    assert len(writes_of(crm)) == 1


def test_a_write_that_could_not_be_connected_is_no_doubt_but_a_retry(crm: Org) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    connector = Salesforce(
        "crm",
        Salesforce.Settings.model_validate({"client_id": "app", "client_secret": "shh", "base_url": nobody}),
        crm.world,
        {},
        crm.vault,
        transport=httpx.MockTransport(lambda request: httpx.Response(200, json=grant("t", nobody))),
    )
    with pytest.raises(Retry, match="no answer to 'update leads'"):
        connector.write([update(0)])
    assert connector.requests()["update leads"] == 5


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (complaint(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), Retry, "too many requests"),
        (complaint(403, "INSUFFICIENT_ACCESS"), Stop, "403 INSUFFICIENT_ACCESS"),
        (complaint(404, "NOT_FOUND"), Stop, "404 NOT_FOUND"),
        (complaint(401, "INVALID_SESSION_ID"), Stop, "refused twice"),
        (Reply(302, {"Location": "https://elsewhere.example.com/"}), Stop, "redirect"),
    ],
)
def test_before_anything_left_a_refusal_of_all_is_raised(
    crm: Org, reply: Reply, error: type[Exception], text: str
) -> None:
    crm.on("PATCH", COLLECTION, reply)
    with pytest.raises(error, match=text):
        crm.connect().write([update(0), update(1)])


@pytest.mark.parametrize(
    ("reply", "after"),
    [
        (complaint(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests"), 3600.0),
        (complaint(403, "INSUFFICIENT_ACCESS"), 60.0),
    ],
)
def test_after_something_left_a_refusal_is_told_row_by_row(crm: Org, reply: Reply, after: float) -> None:
    crm.on("PATCH", COLLECTION, results(row(lead_id(0)), failed("UNABLE_TO_LOCK_ROW")), reply)
    assert crm.connect().write([update(0), update(1)]) == [Done(lead_id(0)), Unsent(after)]


def test_after_one_half_is_in_doubt_a_refusal_of_the_other_is_told_row_by_row(crm: Org) -> None:
    spoiled = complaint(400, "JSON_PARSER_ERROR", "Unexpected character")
    crm.on("PATCH", COLLECTION, spoiled, complaint(503, "SERVER_UNAVAILABLE"), complaint(403, "INSUFFICIENT_ACCESS"))
    assert crm.connect().write([update(0), update(1)]) == [Unknown(600.0), Unsent(60.0)]


def test_an_expired_session_is_renewed_before_the_write_is_sent_again(crm: Org) -> None:
    crm.on("PATCH", COLLECTION, complaint(401, "INVALID_SESSION_ID"), succeed)
    assert crm.connect().write([update(0)]) == [Done(lead_id(0))]


def test_one_row_that_spoils_the_request_is_found_by_halving(crm: Org) -> None:
    def answer(request: Request) -> Reply:
        if any(each.get("Birth__c") == "31.2." for each in sent(request)):
            return complaint(
                400, "JSON_PARSER_ERROR", "Cannot deserialize instance of date from VALUE_STRING value 31.2."
            )
        return succeed(request)

    crm.on("PATCH", COLLECTION, answer)
    answers = crm.connect().write([update(n, Birth__c="31.2." if n == 5 else "1980-01-01") for n in range(16)])
    assert [n for n, each in enumerate(answers) if not isinstance(each, Done)] == [5]
    assert isinstance(answers[5], Refused)
    assert answers[5].code == "JSON_PARSER_ERROR"
    assert [each.id for each in answers if isinstance(each, Done)] == [lead_id(n) for n in range(16) if n != 5]
    assert len(writes_of(crm)) == 9


def test_a_hidden_field_is_blamed_on_all_its_rows_at_once(crm: Org) -> None:
    def answer(request: Request) -> Reply:
        if any("HasOptedOutOfEmail" in each for each in sent(request)):
            return complaint(400, "INVALID_FIELD", "No such column 'HasOptedOutOfEmail' on sobject of type Lead")
        return succeed(request)

    crm.on("PATCH", COLLECTION, answer)
    writes = [update(n, HasOptedOutOfEmail=True) if n % 2 else update(n) for n in range(20)]
    answers = crm.connect().write(writes)
    assert [isinstance(each, Refused) for each in answers] == [bool(n % 2) for n in range(20)]
    assert {each.fields for each in answers if isinstance(each, Refused)} == {("HasOptedOutOfEmail",)}
    assert len(writes_of(crm)) == 2


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("duplicate value found: Smarketing_Id__c duplicates value on record with id: 00Q", []),
        ("duplicate value found: <unknown> duplicates value on record with id: <unknown>", []),
        ("duplicate value found", ["Smarketing_Id__c"]),
    ],
)
def test_a_create_whose_key_is_there_already_names_the_record(crm: Org, words: str, fields: list[str]) -> None:
    crm.on("POST", COLLECTION, results(failed("DUPLICATE_VALUE", words, fields)))
    crm.on_query(
        page(lead(7, Smarketing_Id__c="key-0"), lead(8, Smarketing_Id__c="key-0", IsDeleted=True)),
    )
    (answer,) = crm.connect().write([create(0)])
    assert isinstance(answer, Exists)
    assert (answer.record.ref, answer.record.state) == (Ref("Lead", lead_id(7)), State.LIVE)
    assert "Smarketing_Id__c IN ('key-0')" in crm.soql()[0]


def test_a_duplicate_of_another_unique_field_is_refused_with_its_name(crm: Org) -> None:
    words = "duplicate value found: Customer_No__c duplicates value on record with id: 00Q000000000007"
    crm.on("POST", COLLECTION, results(failed("DUPLICATE_VALUE", words)))
    (answer,) = crm.connect().write([create(0)])
    assert isinstance(answer, Refused)
    assert (answer.fields, answer.code) == (("Customer_No__c",), "DUPLICATE_VALUE")
    assert crm.soql() == []


BLOCKED = failed("DUPLICATES_DETECTED", "Use one of these records?")
REFUSED = Refused((), "DUPLICATES_DETECTED", "Use one of these records?")
COMPOSITE = f"{DATA}/composite"


def parts(*answers: tuple[int, object]) -> Reply:
    told = [{"httpStatusCode": code, "body": body, "referenceId": f"row{n}"} for n, (code, body) in enumerate(answers)]
    return Reply.of(200, {"compositeResponse": told})


def blocked_by(*ids: str, key: str = "duplicateResut") -> tuple[int, object]:
    """What a single insert says that a duplicate rule blocks."""
    records = [{"record": {"attributes": {"type": "Lead"}, "Id": id}, "matchConfidence": 100} for id in ids]
    named = {"matchResults": [{"entityType": "Lead", "matchRecords": records}]}
    return 400, [{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", key: named}]


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
@pytest.mark.parametrize("found", [lead(7), contact(7)])
def test_a_create_that_a_duplicate_rule_blocks_names_the_one_record(
    crm: Org, key: str, found: dict[str, object]
) -> None:
    crm.on("POST", COLLECTION, results(row(lead_id(0)), BLOCKED))
    crm.on("POST", COMPOSITE, parts(blocked_by(str(found["Id"]), key=key)))
    crm.on_query(page(found))
    done, exists = crm.connect().write([create(0), create(1)])
    assert done == Done(lead_id(0))
    assert isinstance(exists, Exists)
    assert exists.record.ref.id == found["Id"]
    assert exists.record.fields == {"LastName": "Last 7"}


def test_the_blocked_rows_are_asked_for_one_by_one_in_few_requests_and_under_the_same_rules(crm: Org) -> None:
    crm.on("POST", COLLECTION, results(*[BLOCKED] * 30))
    crm.on("POST", COMPOSITE, parts(*[blocked_by()] * 25), parts(*[blocked_by()] * 5))
    assert crm.connect().write([create(n) for n in range(30)]) == [REFUSED] * 30
    asked = [json.loads(each.body) for each in crm.asked(COMPOSITE) if each.path == COMPOSITE]
    assert [len(each["compositeRequest"]) for each in asked] == [25, 5]
    assert asked[0]["allOrNone"] is False
    part = asked[0]["compositeRequest"][3]
    assert (part["method"], part["url"]) == ("POST", f"{DATA}/sobjects/Lead")
    assert part["httpHeaders"]["Sforce-Auto-Assign"] == "FALSE"
    assert part["body"] == {"Smarketing_Id__c": "key-3", "LastName": "Last 3"}


@pytest.mark.parametrize("ids", [(), (lead_id(7), lead_id(8)), ("001000000000001AAA",)])
def test_several_duplicates_or_none_that_we_know_are_for_a_person_to_decide(crm: Org, ids: tuple[str, ...]) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED))
    crm.on("POST", COMPOSITE, parts(blocked_by(*ids)))
    assert crm.connect().write([create(0)]) == [REFUSED]
    assert crm.soql() == []


def test_a_duplicate_that_we_may_not_see_is_refused(crm: Org) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED))
    crm.on("POST", COMPOSITE, parts(blocked_by(lead_id(7))))
    crm.on_query(page())
    assert crm.connect().write([create(0)]) == [REFUSED]


def test_a_blocked_row_that_goes_through_the_second_time_is_done(crm: Org) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED))
    crm.on("POST", COMPOSITE, parts((201, row(lead_id(9)))))
    assert crm.connect().write([create(0)]) == [Done(lead_id(9))]


@pytest.mark.parametrize("lost", [complaint(503, "SERVER_UNAVAILABLE"), Reply.of(200, {}), parts(), parts((200, None))])
def test_a_blocked_row_whose_second_answer_got_lost_is_in_doubt(crm: Org, lost: Reply) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED, BLOCKED))
    crm.on("POST", COMPOSITE, lost)
    assert crm.connect().write([create(0), create(1)]) == [Unknown(600.0), Unknown(600.0)]


def test_a_composite_request_that_is_refused_as_a_whole_refuses_its_rows(crm: Org) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED))
    crm.on("POST", COMPOSITE, complaint(400, "LIMIT_EXCEEDED", "too many"))
    assert crm.connect().write([create(0)]) == [Refused((), "LIMIT_EXCEEDED", "too many")]


def test_a_value_that_a_composite_request_would_take_for_a_reference_is_not_put_into_one(crm: Org) -> None:
    crm.on("POST", COLLECTION, results(BLOCKED))
    assert crm.connect().write([create(0, Title="@{row1.id}")]) == [REFUSED]
    assert [each.path for each in crm.asked(COMPOSITE)] == [COLLECTION]


@pytest.mark.parametrize(
    ("code", "found", "answer"),
    [
        ("ENTITY_IS_DELETED", lead(1, IsDeleted=True), Gone(State.DELETED)),
        (
            "ENTITY_IS_DELETED",
            lead(1, IsDeleted=True, MasterRecordId=lead_id(9)),
            Gone(State.MERGED, Ref("Lead", lead_id(9))),
        ),
        (
            "CANNOT_UPDATE_CONVERTED_LEAD",
            lead(1, IsConverted=True, ConvertedContactId=contact_id(5)),
            Gone(State.MERGED, Ref("Contact", contact_id(5))),
        ),
        ("CANNOT_UPDATE_CONVERTED_LEAD", lead(1, IsConverted=True), Gone(State.ARCHIVED)),
        ("INVALID_CROSS_REFERENCE_KEY", None, Gone(State.GONE)),
        ("INVALID_CROSS_REFERENCE_KEY", lead(1), Refused((), "INVALID_CROSS_REFERENCE_KEY", "no")),
    ],
)
def test_an_update_of_a_record_that_is_gone_says_where_to(
    crm: Org, code: str, found: dict[str, object] | None, answer: object
) -> None:
    crm.on("PATCH", COLLECTION, results(failed(code)))
    crm.on_query(page(*([found] if found else [])))
    assert crm.connect().write([update(1)]) == [answer]


def test_a_bad_reference_in_a_field_is_refused_without_a_look(crm: Org) -> None:
    crm.on("PATCH", COLLECTION, results(failed("INVALID_CROSS_REFERENCE_KEY", "invalid id", ["AccountId"])))
    assert crm.connect().write([update(1, "Contact")]) == [
        Refused(("AccountId",), "INVALID_CROSS_REFERENCE_KEY", "invalid id")
    ]
    assert crm.soql() == []


def test_a_look_that_fails_leaves_the_row_unsent_and_the_others_done(crm: Org) -> None:
    crm.on("PATCH", COLLECTION, results(row(lead_id(0)), failed("ENTITY_IS_DELETED")))
    crm.on_query(complaint(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    assert crm.connect().write([update(0), update(1)]) == [Done(lead_id(0)), Unsent(3600.0)]


def test_an_owner_is_set_by_his_e_mail_address(crm: Org) -> None:
    crm.on_users(user(KARI, "Kari@Example.com"))
    connector = crm.connect()
    connector.write([update(0, OwnerId=EMAIL), update(1, OwnerId="KARI@example.com")])
    connector.write([update(2, OwnerId=EMAIL)])
    owners = [each["OwnerId"] for request in writes_of(crm) for each in sent(request)]
    assert owners == [KARI, KARI, KARI]
    (soql,) = crm.soql()
    assert soql.endswith(f"FROM User WHERE IsActive = true AND Email IN ('{EMAIL}')")


@pytest.mark.parametrize(
    ("owner", "users"),
    [
        (EMAIL, []),
        (EMAIL, [user(KARI, EMAIL), user("005000000000003AAA", EMAIL)]),
        (None, []),
        ("", []),
    ],
)
def test_an_owner_that_names_nobody_or_several_is_refused_and_the_other_rows_go(
    crm: Org, owner: str | None, users: list[dict[str, object]]
) -> None:
    crm.on_users(*users)
    refused, done = crm.connect().write([update(0, OwnerId=owner), update(1)])
    assert isinstance(refused, Refused)
    assert (refused.fields, refused.code) == (("OwnerId",), "unknown_owner")
    assert done == Done(lead_id(1))
    assert [[each["id"] for each in sent(request)] for request in writes_of(crm)] == [[lead_id(1)]]
    assert EMAIL not in refused.text


def test_when_every_owner_is_unknown_nothing_is_sent(crm: Org) -> None:
    crm.on_users()
    (answer,) = crm.connect().write([update(0, OwnerId=EMAIL)])
    assert isinstance(answer, Refused)
    assert writes_of(crm) == []


def test_numbers_are_sent_as_numbers_and_digits_in_a_text_field_as_text(crm: Org) -> None:
    crm.on_describe("Lead", field("AnnualRevenue", "currency"), field("Phone", "phone"))
    connector = crm.connect()
    connector.write([update(0, AnnualRevenue="12345678901234567.89", Phone="91234567"), update(1, AnnualRevenue=None)])
    body = writes_of(crm)[0].body
    assert b'"AnnualRevenue":12345678901234567.89' in body
    assert b'"Phone":"91234567"' in body
    assert b'"AnnualRevenue":null' in body


def test_choices_are_joined(crm: Org) -> None:
    crm.connect().write([update(0, Interests__c=["A", "B"])])
    assert sent(writes_of(crm)[0])[0]["Interests__c"] == "A;B"
