"""Writing contacts to HubSpot: what is sent, in which order, and what each row is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.base import Answer, Done, Exists, Gone, Ref, Refused, State, Unknown, Unsent, Write, WriteKind
from connectors.errors import Retry, Stop
from connectors.world import MICROSECONDS
from smarketing.sandbox.emulator import Reply, Request
from tests.connectors.scripted_hubspot import (
    OBJECTS,
    PREFERENCES,
    Scripted,
    batch,
    create,
    echo,
    listing,
    row,
    trouble,
    update,
)

READ = f"POST {OBJECTS}/batch/read"
CREATE = f"POST {OBJECTS}/batch/create"
UPDATE = f"POST {OBJECTS}/batch/update"
ARCHIVE = f"POST {OBJECTS}/batch/archive"
REFUSE = f"POST {PREFERENCES}/unsubscribe-all"
CHOOSE = f"POST {PREFERENCES}/write"
KEY = "GET /crm/v3/properties/contacts/smarketing_id"
STAGE = "GET /crm/v3/properties/contacts/lifecyclestage"
AT = 1_767_261_600 * MICROSECONDS


@pytest.fixture
def hubspot(hubspot: Scripted) -> Scripted:
    """It has our key field and some stages."""
    hubspot.on(KEY, Reply.of(200, {"name": "smarketing_id", "hasUniqueValue": True}))
    order = ["subscriber", "lead", "marketingqualifiedlead", "customer"]
    options = [{"value": each, "label": each, "displayOrder": n} for n, each in enumerate(order)]
    hubspot.on(STAGE, Reply.of(200, {"name": "lifecyclestage", "options": options}))
    return hubspot


def refusing(*bad: str, category: str = "VALIDATION_ERROR", status: int = 400, message: str = "no") -> Any:
    """Batches that hold a row with one of these values are refused as a whole."""

    def answer(request: Request) -> Reply:
        asked = json.loads(request.body)["inputs"]
        if any(set(each.get("properties", {}).values()) & set(bad) or each.get("id") in bad for each in asked):
            return trouble(status, category, message)
        return echo(request)

    return answer


def out(request: Request) -> Reply:
    """All of these addresses are opted out."""
    return batch(
        *(
            {"subscriberIdString": each, "statuses": [{"status": "UNSUBSCRIBED"}]}
            for each in json.loads(request.body)["inputs"]
        )
    )


def chosen(request: Request) -> Reply:
    return batch(
        *(
            {
                "subscriberIdString": each["subscriberIdString"],
                "subscriptionId": each["subscriptionId"],
                "status": each["statusState"],
            }
            for each in json.loads(request.body)["inputs"]
        )
    )


def kinds(answers: list[Answer]) -> list[type]:
    return [type(answer) for answer in answers]


# creates


def test_a_create_carries_our_key_twice_and_is_told_by_it(hubspot: Scripted) -> None:
    hubspot.on(CREATE, echo)
    answers = hubspot.connector().write(
        [create("k1", email="a@example.com"), create("k2", email="b@example.com", firstname=None)]
    )
    (body,) = hubspot.bodies(CREATE)
    assert body["inputs"] == [
        {
            "objectWriteTraceId": "k1",
            "properties": {"email": "a@example.com", "smarketing_id": "k1"},
            "associations": [],
        },
        {
            "objectWriteTraceId": "k2",
            "properties": {"email": "b@example.com", "smarketing_id": "k2"},
            "associations": [],
        },
    ]
    assert answers == [
        Done("900", modified=AT, fields={"email": "a@example.com"}),
        Done("901", modified=AT, fields={"email": "b@example.com"}),
    ]


def test_an_account_without_our_property_gets_the_trace_id_alone(hubspot: Scripted) -> None:
    hubspot.on(KEY, trouble(404, "OBJECT_NOT_FOUND"))
    hubspot.on(CREATE, echo)
    connector = hubspot.connector()
    connector.write([create("k1", email="a@example.com")])
    connector.write([create("k2", email="b@example.com")])
    assert [body["inputs"][0]["properties"].keys() for body in hubspot.bodies(CREATE)] == [{"email"}, {"email"}]
    assert hubspot.lines().count(KEY) == 1


def test_results_without_trace_ids_are_matched_by_key_then_by_address_never_by_order(hubspot: Scripted) -> None:
    hubspot.on(
        CREATE,
        batch(
            row(3, {"email": "C@example.com"}),
            row(1, {"email": "x@example.com", "smarketing_id": "k1"}),
            row(9, {"email": "y@example.com"}),
            status=201,
        ),
    )
    answers = hubspot.connector().write([create(f"k{n}", email=f"{'abc'[n - 1]}@example.com") for n in (1, 2, 3)])
    assert [answer.id if isinstance(answer, Done) else answer for answer in answers] == ["1", Unknown(600.0), "3"]


def test_rows_that_failed_are_told_by_their_trace_id_with_the_fields_they_are_blamed_for(hubspot: Scripted) -> None:
    words = (
        'Property values were not valid: [{"isValid":false,"message":"Purple was not one of the allowed options: '
        '[red, blue]","error":"INVALID_OPTION","name":"colour"},{"isValid":false,"message":"Email address '
        'kari-at-example is invalid","error":"INVALID_EMAIL","name":"email"}]'
    )
    gone = {
        "message": 'Property "shoe" does not exist',
        "code": "PROPERTY_DOESNT_EXIST",
        "context": {"propertyName": ["shoe"]},
    }
    hubspot.on(
        CREATE,
        batch(
            {**row(5, {"email": "b@example.com"}), "objectWriteTraceId": "k2"},
            errors=[
                {"category": "VALIDATION_ERROR", "message": words, "context": {"objectWriteTraceId": ["k1"]}},
                {
                    "category": "VALIDATION_ERROR",
                    "message": "…",
                    "errors": [gone],
                    "context": {"objectWriteTraceId": ["k3"]},
                },
            ],
        ),
    )
    first, second, third = hubspot.connector().write(
        [
            create("k1", email="kari-at-example", colour="Purple"),
            create("k2", email="b@example.com"),
            create("k3", email="c@example.com", shoe="44"),
        ]
    )
    assert isinstance(first, Refused)
    assert set(first.fields) == {"email", "colour"}
    assert first.code == "INVALID_OPTION"
    assert "Purple" not in first.text
    assert "allowed options" in first.text
    assert isinstance(second, Done)
    assert third == Refused(("shoe",), "PROPERTY_DOESNT_EXIST", 'Property "shoe" does not exist')


def test_an_address_that_is_taken_is_told_with_the_record_that_has_it(hubspot: Scripted) -> None:
    taken = {
        "category": "CONFLICT",
        "message": "Contact already exists. Existing ID: 6001",
        "context": {"objectWriteTraceId": ["k1"]},
    }
    hubspot.on(CREATE, batch({**row(5, {"email": "b@example.com"}), "objectWriteTraceId": "k2"}, errors=[taken]))
    hubspot.on(READ, batch(row(6001, {"email": "a@example.com", "firstname": "Kari"})))
    first, second = hubspot.connector().write(
        [create("k1", email="a@example.com"), create("k2", email="b@example.com")]
    )
    assert isinstance(first, Exists)
    assert first.record.ref == Ref("contact", "6001")
    assert first.record.fields == {"email": "a@example.com", "firstname": "Kari"}
    assert isinstance(second, Done)


def test_a_whole_batch_refused_for_a_taken_address_is_halved_down_to_it(hubspot: Scripted) -> None:
    refused = refusing(
        "c3@example.com", status=409, category="CONFLICT", message="Contact already exists. Existing ID: 7"
    )
    hubspot.on(CREATE, refused)
    hubspot.on(READ, batch(row(7, {"email": "c3@example.com"})))
    answers = hubspot.connector().write([create(f"k{n}", email=f"c{n}@example.com") for n in range(8)])
    assert kinds(answers) == [Done] * 3 + [Exists] + [Done] * 4
    assert hubspot.lines().count(CREATE) == 7


def test_our_own_earlier_create_is_found_by_its_unique_key(hubspot: Scripted) -> None:
    words = "Cannot set PropertyValueCoordinates{propertyName=smarketing_id} on 9. 8 already has that value."
    hubspot.on(CREATE, trouble(400, "VALIDATION_ERROR", words))
    hubspot.on(READ, batch(row(8, {"smarketing_id": "k1"})))
    (answer,) = hubspot.connector().write([create("k1", firstname="Kari")])
    assert isinstance(answer, Exists)
    assert answer.record.mine is True


def test_a_record_in_the_way_that_cannot_be_read_now_is_tried_again_later(hubspot: Scripted) -> None:
    hubspot.on(CREATE, trouble(409, "CONFLICT", "Contact already exists. Existing ID: 7"))
    hubspot.on(READ, trouble(403, "MISSING_SCOPES"))
    assert hubspot.connector().write([create("k1", email="a@example.com")]) == [Unsent(0.0)]


def test_a_record_in_the_way_that_is_not_there_is_a_refusal(hubspot: Scripted) -> None:
    hubspot.on(CREATE, trouble(409, "CONFLICT", "Contact already exists. Existing ID: 7"))
    hubspot.on(READ, batch())
    hubspot.on(f"GET {OBJECTS}/7", trouble(404, "OBJECT_NOT_FOUND"))
    (answer,) = hubspot.connector().write([create("k1", email="a@example.com")])
    assert isinstance(answer, Refused)
    assert answer.fields == ("email",)


def test_a_key_property_that_somebody_deleted_stops_no_create_for_good(hubspot: Scripted) -> None:
    missing = {"message": "…", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["smarketing_id"]}}
    hubspot.on(CREATE, trouble(400, "VALIDATION_ERROR", "…", errors=[missing]), echo)
    hubspot.on(KEY, Reply.of(200, {"name": "smarketing_id", "hasUniqueValue": True}), trouble(404, "OBJECT_NOT_FOUND"))
    connector = hubspot.connector()
    assert connector.write([create("k1", email="a@example.com")]) == [Unsent()]
    (answer,) = connector.write([create("k1", email="a@example.com")])
    assert isinstance(answer, Done)
    assert "smarketing_id" not in hubspot.bodies(CREATE)[1]["inputs"][0]["properties"]


# updates


def test_an_update_goes_by_id_and_an_empty_value_clears(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, echo)
    answers = hubspot.connector().write([update(1, firstname="Kari", lastname=None), update(2, vip=True, age=44)])
    (body,) = hubspot.bodies(UPDATE)
    assert body["inputs"] == [
        {"id": "1", "objectWriteTraceId": "key-1", "properties": {"firstname": "Kari", "lastname": ""}},
        {"id": "2", "objectWriteTraceId": "key-2", "properties": {"vip": "true", "age": "44"}},
    ]
    assert answers == [
        Done("1", modified=AT, fields={"firstname": "Kari", "lastname": None}),
        Done("2", modified=AT, fields={"vip": "true", "age": "44"}),
    ]


def test_more_addresses_are_joined(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, echo)
    (answer,) = hubspot.connector().write([update(1, hs_additional_emails=["a@example.com", "b@example.com"])])
    assert hubspot.bodies(UPDATE)[0]["inputs"][0]["properties"] == {
        "hs_additional_emails": "a@example.com;b@example.com"
    }
    assert isinstance(answer, Done)
    assert answer.fields == {"hs_additional_emails": ["a@example.com", "b@example.com"]}


def test_one_bad_row_of_a_hundred_stops_only_itself(hubspot: Scripted) -> None:
    hubspot.on(
        UPDATE,
        refusing(
            "Purple",
            message='Property values were not valid: [{"isValid":false,"error":"INVALID_OPTION","name":"colour","message":"x"}]',
        ),
    )
    answers = hubspot.connector().write([update(n, colour="Purple" if n == 67 else "red") for n in range(1, 101)])
    assert [n for n, answer in enumerate(answers, 1) if not isinstance(answer, Done)] == [67]
    assert answers[66] == Refused(("colour",), "INVALID_OPTION", "x")
    assert hubspot.lines().count(UPDATE) <= 15


def test_what_came_back_is_told_even_if_it_is_not_what_was_sent(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, batch(row(1, {"email": "kari@example.com", "lifecyclestage": "customer"})))
    (answer,) = hubspot.connector().write([update(1, email="Kari@Example.com", lifecyclestage="lead")])
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "kari@example.com", "lifecyclestage": "customer"}


def test_what_the_answer_does_not_tell_is_read_back_in_one_request(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, batch(row(2), row(1)))
    hubspot.on(READ, batch(row(1, {"firstname": "Kari"}), row(2, {"firstname": "Per"})))
    answers = hubspot.connector().write([update(1, firstname="Kari"), update(2, firstname="Ola")])
    assert [answer.fields for answer in answers if isinstance(answer, Done)] == [
        {"firstname": "Kari"},
        {"firstname": "Per"},
    ]
    assert hubspot.lines() == [UPDATE, READ]


def test_values_that_cannot_be_read_back_are_not_claimed(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, batch(row(1)))
    hubspot.on(READ, trouble(403, "MISSING_SCOPES"))
    (answer,) = hubspot.connector().write([update(1, firstname="Kari")])
    assert answer == Done("1", modified=AT, fields=None)


def test_an_update_of_a_merged_contact_is_told_under_the_survivors_id(hubspot: Scripted) -> None:
    survivor = row(50, {"firstname": "Kari", "hs_merged_object_ids": "1"})
    hubspot.on(UPDATE, batch(row(2, {"firstname": "Ola"}), survivor))
    first, second = hubspot.connector().write([update(1, firstname="Kari"), update(2, firstname="Ola")])
    assert isinstance(first, Done)
    assert first.id == "50"
    assert isinstance(second, Done)
    assert second.id == "2"


@pytest.mark.parametrize("whole", [True, False])
def test_a_contact_that_is_not_there_is_gone_and_it_is_said_how(hubspot: Scripted, whole: bool) -> None:
    error = {"category": "OBJECT_NOT_FOUND", "message": "…", "context": {"ids": ["1"]}}
    refused = refusing("1", category="OBJECT_NOT_FOUND", status=404)
    hubspot.on(UPDATE, refused if whole else batch(row(2, {"firstname": "Ola"}), errors=[error]))
    hubspot.on(READ, batch(), batch(row(1, archived=True)))
    first, second = hubspot.connector().write([update(1, firstname="Kari"), update(2, firstname="Ola")])
    assert first == Gone(State.DELETED)
    assert isinstance(second, Done)


def test_a_merged_contact_that_cannot_be_updated_is_gone_into_its_survivor(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, trouble(404, "OBJECT_NOT_FOUND"))
    hubspot.on(READ, batch(row(50, {"hs_merged_object_ids": "1"})))
    (answer,) = hubspot.connector().write([update(1, firstname="Kari")])
    assert answer == Gone(State.MERGED, Ref("contact", "50"))


def test_an_address_that_another_contact_has_is_refused_by_name(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, trouble(409, "CONFLICT", "Contact already exists. Existing ID: 12345 has taken@example.com"))
    (answer,) = hubspot.connector().write([update(1, email="taken@example.com")])
    assert answer == Refused(("email",), "CONFLICT", "Contact already exists. Existing ID: … has …")


# owners and what is not ours to write


def test_an_owner_is_written_by_address(hubspot: Scripted) -> None:
    hubspot.on("GET /crm/v3/owners/", listing({"id": "5", "email": "Owner@example.com"}))
    hubspot.on(UPDATE, echo)
    first, second, third = hubspot.connector().write(
        [
            update(1, hubspot_owner_id="owner@example.com"),
            update(2, hubspot_owner_id="left@example.com", firstname="Ola"),
            update(3, hubspot_owner_id=None),
        ]
    )
    assert first == Done("1", modified=AT, fields={"hubspot_owner_id": "owner@example.com"})
    assert isinstance(second, Refused)
    assert (second.fields, second.code) == (("hubspot_owner_id",), "unknown_owner")
    assert "left@" not in second.text
    assert third == Done("3", modified=AT, fields={"hubspot_owner_id": None})
    sent = {each["id"]: each["properties"] for each in hubspot.bodies(UPDATE)[0]["inputs"]}
    assert sent == {"1": {"hubspot_owner_id": "5"}, "3": {"hubspot_owner_id": ""}}


def test_a_companys_property_is_not_written(hubspot: Scripted) -> None:
    write = Write(WriteKind.UPDATE, "k", "contact", Ref("contact", "1"), {"company.name": "Acme"})
    (answer,) = hubspot.connector().write([write])
    assert isinstance(answer, Refused)
    assert answer.fields == ("company.name",)
    assert hubspot.seen == []


# stages


def test_a_stage_goes_back_by_clearing_and_setting_in_two_requests(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, echo)
    answers = hubspot.connector().write(
        [
            update(1, before={"lifecyclestage": "customer"}, lifecyclestage="lead", firstname="Kari"),
            update(2, before={"lifecyclestage": "subscriber"}, lifecyclestage="lead"),
        ]
    )
    first, second = hubspot.bodies(UPDATE)
    assert {each["id"]: each["properties"] for each in first["inputs"]} == {
        "1": {"lifecyclestage": "", "firstname": "Kari"},
        "2": {"lifecyclestage": "lead"},
    }
    assert {each["id"]: each["properties"] for each in second["inputs"]} == {"1": {"lifecyclestage": "lead"}}
    assert answers == [
        Done("1", modified=AT, fields={"lifecyclestage": "lead", "firstname": "Kari"}),
        Done("2", modified=AT, fields={"lifecyclestage": "lead"}),
    ]


def test_a_stage_is_forced_back_only_from_where_we_believed_it_to_stand(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, batch(row(1, {"lifecyclestage": "customer"})))
    (answer,) = hubspot.connector().write(
        [update(1, before={"lifecyclestage": "lead"}, lifecyclestage="marketingqualifiedlead")]
    )
    assert isinstance(answer, Done)
    assert answer.fields == {"lifecyclestage": "customer"}
    assert len(hubspot.bodies(UPDATE)) == 1


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (trouble(429, "RATE_LIMITS", policyName="DAILY"), Unknown(0.0)),
        (trouble(500, "INTERNAL_ERROR"), Unknown(600.0)),
    ],
)
def test_a_stage_that_is_cleared_and_not_set_is_in_doubt(hubspot: Scripted, second: Reply, expected: Answer) -> None:
    hubspot.on(UPDATE, echo, second)
    answers = hubspot.connector().write(
        [update(1, before={"lifecyclestage": "customer"}, lifecyclestage="lead"), update(2, firstname="Ola")]
    )
    assert answers[0] == expected
    assert isinstance(answers[1], Done)


# archive


def test_archiving_answers_every_row(hubspot: Scripted) -> None:
    hubspot.on(ARCHIVE, Reply(204))
    writes = [Write(WriteKind.ARCHIVE, f"k{n}", "contact", Ref("contact", str(n)), {}) for n in (1, 2)]
    assert hubspot.connector().write(writes) == [Done("1", fields={}), Done("2", fields={})]
    assert hubspot.bodies(ARCHIVE) == [{"inputs": [{"id": "1"}, {"id": "2"}]}]


# consent


def test_an_opt_out_goes_before_the_record_and_is_verified(hubspot: Scripted) -> None:
    hubspot.on(REFUSE, out)
    hubspot.on(CREATE, echo)
    (answer,) = hubspot.connector().write([create("k1", email="Kari@example.com", consent="out")])
    assert hubspot.lines() == [KEY, REFUSE, CREATE]
    assert hubspot.bodies(REFUSE) == [{"inputs": ["kari@example.com"]}]
    assert hubspot.seen[1].one("channel") == "EMAIL"
    assert hubspot.bodies(CREATE)[0]["inputs"][0]["properties"] == {"email": "Kari@example.com", "smarketing_id": "k1"}
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "Kari@example.com", "consent:email": "out"}


def test_a_new_address_of_an_opted_out_person_is_opted_out_before_it_is_written(hubspot: Scripted) -> None:
    hubspot.on(REFUSE, out)
    hubspot.on(UPDATE, echo)
    hubspot.connector().write([update(1, email="new@example.com", consent="out")])
    assert hubspot.lines() == [REFUSE, UPDATE]
    assert hubspot.bodies(REFUSE) == [{"inputs": ["new@example.com"]}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (batch(), Refused(("consent:email",), "NOT_CHANGED", "the answer shows no change")),
        (
            batch({"subscriberIdString": "kari@example.com", "statuses": [{"status": "SUBSCRIBED"}]}),
            Refused(("consent:email",), "NOT_CHANGED", "the answer shows no change"),
        ),
        (
            batch(errors=[{"category": "VALIDATION_ERROR", "message": "kari@example.com is unknown"}]),
            Refused(("consent:email",), "VALIDATION_ERROR", "… is unknown"),
        ),
        (trouble(400, "VALIDATION_ERROR", "no"), Refused(("consent:email",), "VALIDATION_ERROR", "no")),
        (Reply.of(200, {"status": "PROCESSING", "results": []}), Unknown(600.0)),
        (trouble(500, "INTERNAL_ERROR"), Unknown(600.0)),
    ],
)
def test_a_record_whose_opt_out_is_not_confirmed_is_not_written(
    hubspot: Scripted, answer: Reply, expected: Answer
) -> None:
    hubspot.on(REFUSE, answer)
    assert hubspot.connector().write([create("k1", email="kari@example.com", consent="out")]) == [expected]
    assert CREATE not in hubspot.lines()


def test_an_opt_out_needs_no_contact(hubspot: Scripted) -> None:
    hubspot.on(REFUSE, out)
    writes = [
        Write(WriteKind.WITHDRAW, "k1", "contact", None, {}, address="Kari@example.com"),
        Write(WriteKind.WITHDRAW, "k2", "contact", Ref("contact", "2"), {}, address="ola@example.com"),
        Write(WriteKind.WITHDRAW, "k3", "contact", None, {}),
    ]
    first, second, third = hubspot.connector().write(writes)
    assert first == Done("", fields={"consent:email": "out"})
    assert second == Done("2", fields={"consent:email": "out"})
    assert isinstance(third, Refused)
    assert hubspot.bodies(REFUSE) == [{"inputs": ["kari@example.com", "ola@example.com"]}]


def test_the_address_of_an_update_without_one_is_looked_up(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"email": "kari@example.com"}), row(2, {"email": None})), batch())
    hubspot.on(f"GET {OBJECTS}/3", trouble(404, "OBJECT_NOT_FOUND"))
    hubspot.on(REFUSE, out)
    first, second, third = hubspot.connector().write([update(n, consent="out") for n in (1, 2, 3)])
    assert first == Done("1", fields={"consent:email": "out"})
    assert isinstance(second, Refused)
    assert (second.fields, second.code) == (("consent:email",), "no_address")
    assert third == Gone()
    assert hubspot.bodies(REFUSE) == [{"inputs": ["kari@example.com"]}]
    assert UPDATE not in hubspot.lines()


def test_an_opt_in_comes_after_the_record_to_the_mapped_type_with_a_legal_basis(hubspot: Scripted) -> None:
    hubspot.on(CREATE, echo)
    hubspot.on(CHOOSE, chosen)
    connector = hubspot.connector(["email", "consent:email", "consent:email:7"])
    (answer,) = connector.write([create("k1", email="Kari@example.com", consent="in")])
    assert hubspot.lines() == [KEY, CREATE, CHOOSE]
    (choice,) = hubspot.bodies(CHOOSE)[0]["inputs"]
    assert (choice["subscriberIdString"], choice["subscriptionId"]) == ("kari@example.com", 7)
    assert (choice["statusState"], choice["channel"], choice["legalBasis"]) == (
        "SUBSCRIBED",
        "EMAIL",
        "CONSENT_WITH_NOTICE",
    )
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "Kari@example.com", "consent:email": "in"}


def definition(id: int, name: str, **more: object) -> dict[str, Any]:
    return {"id": str(id), "name": name, "isActive": True, "isInternal": False, "isDefault": False, **more}


def test_without_a_mapped_type_one_marketing_type_is_subscribed_and_asked_for_once(hubspot: Scripted) -> None:
    hubspot.on(
        "GET /communication-preferences/v4/definitions",
        batch(
            definition(3, "Service", purpose="Customer service"),
            definition(4, "Newsletter", purpose="Marketing"),
            definition(5, "Marketing Information", isDefault=True),
            definition(2, "Old marketing", isActive=False),
        ),
    )
    hubspot.on(UPDATE, echo)
    hubspot.on(CHOOSE, chosen)
    connector = hubspot.connector(["consent:email"])
    for n in (1, 2):
        connector.write([update(n, email=f"{n}@example.com", consent="confirmed 2026-01-01T00:00:00Z")])
    assert [each["subscriptionId"] for body in hubspot.bodies(CHOOSE) for each in body["inputs"]] == [5, 5]
    assert hubspot.lines().count("GET /communication-preferences/v4/definitions") == 1


def test_an_account_without_a_marketing_type_agrees_to_nothing(hubspot: Scripted) -> None:
    hubspot.on("GET /communication-preferences/v4/definitions", batch(definition(3, "Service")))
    hubspot.on(UPDATE, echo)
    (answer,) = hubspot.connector(["consent:email"]).write([update(1, email="kari@example.com", consent="in")])
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "kari@example.com", "consent:email": None}


def test_single_subscriptions_are_refused_before_and_agreed_to_after_the_record(hubspot: Scripted) -> None:
    hubspot.on(CHOOSE, chosen)
    hubspot.on(UPDATE, echo)
    (answer,) = hubspot.connector(["consent:email:7", "consent:email:8"]).write(
        [update(1, email="kari@example.com", consent_7="out", consent_8="in")]
    )
    assert hubspot.lines() == [CHOOSE, UPDATE, CHOOSE]
    before, after = (body["inputs"][0] for body in hubspot.bodies(CHOOSE))
    assert (before["subscriptionId"], before["statusState"]) == (7, "UNSUBSCRIBED")
    assert "legalBasis" not in before
    assert (after["subscriptionId"], after["statusState"]) == (8, "SUBSCRIBED")
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "kari@example.com", "consent:email:7": "out", "consent:email:8": "in"}


def test_an_opt_in_as_a_whole_leaves_out_the_type_that_is_refused_with_it(hubspot: Scripted) -> None:
    hubspot.on(CHOOSE, chosen)
    hubspot.on(UPDATE, echo)
    connector = hubspot.connector(["consent:email", "consent:email:7", "consent:email:8"])
    connector.write([update(1, email="kari@example.com", consent="in", consent_7="out")])
    told = [(each["subscriptionId"], each["statusState"]) for body in hubspot.bodies(CHOOSE) for each in body["inputs"]]
    assert told == [(7, "UNSUBSCRIBED"), (8, "SUBSCRIBED")]


def test_who_refuses_everything_agrees_to_nothing_in_the_same_write(hubspot: Scripted) -> None:
    hubspot.on(REFUSE, out)
    (answer,) = hubspot.connector().write(
        [
            Write(
                WriteKind.UPDATE,
                "k",
                "contact",
                Ref("contact", "1"),
                {"consent:email": "out", "consent:email:7": "in"},
                address="kari@example.com",
            )
        ]
    )
    assert hubspot.lines() == [REFUSE]
    assert answer == Done("1", fields={"consent:email": "out", "consent:email:7": "out"})


@pytest.mark.parametrize("value", [None, True, False, "yes", ["in"]])
def test_consent_is_given_or_refused_in_words_and_never_unsaid(hubspot: Scripted, value: Any) -> None:
    (answer,) = hubspot.connector().write([update(1, email="kari@example.com", consent=value)])
    assert isinstance(answer, Refused)
    assert answer.fields == ("consent:email",)
    assert hubspot.seen == []


def test_unknown_consent_of_a_new_contact_is_left_unsaid(hubspot: Scripted) -> None:
    hubspot.on(CREATE, echo)
    (answer,) = hubspot.connector().write([create("k1", email="kari@example.com", consent=None)])
    assert hubspot.lines() == [KEY, CREATE]
    assert isinstance(answer, Done)


def test_a_refused_opt_in_does_not_take_back_the_record(hubspot: Scripted) -> None:
    hubspot.on(CREATE, echo)
    hubspot.on(CHOOSE, trouble(400, "VALIDATION_ERROR", "no"))
    (answer,) = hubspot.connector(["consent:email:7"]).write([create("k1", email="kari@example.com", consent_7="in")])
    assert isinstance(answer, Done)
    assert answer.fields == {"email": "kari@example.com", "consent:email:7": None}


def test_a_created_record_whose_opt_in_could_not_be_sent_is_not_called_unsent(hubspot: Scripted) -> None:
    hubspot.on(CREATE, echo)
    hubspot.on(CHOOSE, trouble(403, "MISSING_SCOPES"))
    answers = hubspot.connector(["consent:email:7"]).write([create("k1", email="kari@example.com", consent_7="in")])
    assert answers == [Unknown(0.0)]


def test_one_address_that_spoils_the_opt_outs_stops_only_itself(hubspot: Scripted) -> None:
    def refuse(request: Request) -> Reply:
        bad = "bad@example.com" in json.loads(request.body)["inputs"]
        return trouble(400, "VALIDATION_ERROR", "bad@example.com is not an address") if bad else out(request)

    hubspot.on(REFUSE, refuse)
    hubspot.on(UPDATE, echo)
    addresses = ["a@example.com", "bad@example.com", "c@example.com", "d@example.com"]
    answers = hubspot.connector().write([update(n, email=each, consent="out") for n, each in enumerate(addresses)])
    assert kinds(answers) == [Done, Refused, Done, Done]
    assert answers[1] == Refused(("consent:email",), "VALIDATION_ERROR", "… is not an address")
    assert [each["id"] for each in hubspot.bodies(UPDATE)[0]["inputs"]] == ["0", "2", "3"]


# when a request among several fails


def test_nothing_is_raised_once_something_took_effect_and_the_rest_is_unsent(hubspot: Scripted) -> None:
    hubspot.on(REFUSE, out)
    hubspot.on(UPDATE, trouble(429, "RATE_LIMITS", headers={"Retry-After": "90"}))
    answers = hubspot.connector().write([update(1, email="a@example.com", consent="out"), update(2, firstname="Ola")])
    assert answers == [Unsent(90.0), Unsent(90.0)]


def test_before_anything_took_effect_the_failure_is_raised(hubspot: Scripted) -> None:
    hubspot.on(UPDATE, trouble(429, "RATE_LIMITS", headers={"Retry-After": "90"}))
    with pytest.raises(Retry) as caught:
        hubspot.connector().write([update(1, firstname="Kari")])
    assert caught.value.after == 90
    hubspot.on(UPDATE, trouble(403, "MISSING_SCOPES"))
    with pytest.raises(Stop):
        hubspot.connector().write([update(1, firstname="Kari")])


def test_a_lost_answer_puts_its_own_rows_in_doubt_and_leaves_the_later_ones_unsent(hubspot: Scripted) -> None:
    seen: list[list[str]] = []

    def answer(request: Request) -> Reply:
        ids = [each["id"] for each in json.loads(request.body)["inputs"]]
        seen.append(ids)
        if "2" in ids and len(ids) > 2:
            return trouble(400, "VALIDATION_ERROR", "no")
        return echo(request) if len(seen) < 4 and "3" not in ids else trouble(500, "INTERNAL_ERROR")

    hubspot.on(UPDATE, answer)
    answers = hubspot.connector().write([update(n, firstname="x") for n in range(1, 9)])
    assert seen == [list("12345678"), list("1234"), list("12"), list("34")]
    assert kinds(answers) == [Done, Done, Unknown, Unknown, Unsent, Unsent, Unsent, Unsent]


def test_nothing_to_write_is_no_request(hubspot: Scripted) -> None:
    assert hubspot.connector().write([]) == []
    assert hubspot.seen == []
