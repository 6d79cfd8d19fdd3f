"""Many records in one call: collections, composite, composite batch."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Ref
from smarketing.sandbox.salesforce.ids import long_id
from smarketing.sandbox.salesforce.schema import Field
from tests.smarketing.sandbox.salesforce_wire import ROOT, Answer, Wire, row

COLLECTION = "composite/sobjects"
UPSERT = "composite/sobjects/Contact/Smarketing_Id__c"


@pytest.fixture
def wire() -> Wire:
    return Wire()


def codes(answer: Answer) -> list[str | None]:
    """Of each row: None when it succeeded, else the code of its first error."""
    assert answer.status == 200, answer.content
    return [None if each["success"] else each["errors"][0]["statusCode"] for each in answer.content]


def send(wire: Wire, method: str, target: str, *rows: object, all_or_none: bool = False, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return wire.call(method, target, {"allOrNone": all_or_none, "records": list(rows)}, headers=sent)


class TestCreate:
    def test_each_row_has_its_answer_in_the_order_of_the_request(self, wire: Wire) -> None:
        answer = send(
            wire,
            "POST",
            COLLECTION,
            row("Contact", LastName="One"),
            row("Contact", FirstName="Nobody"),
            row("Lead", LastName="Two", Company="Example AS"),
        )
        assert codes(answer) == [None, "REQUIRED_FIELD_MISSING", None]
        assert [each.get("id", "")[:3] for each in answer.content] == ["003", "", "00Q"]
        assert answer.content[0]["errors"] == []
        assert answer.content[1] == {
            "success": False,
            "errors": [
                {
                    "statusCode": "REQUIRED_FIELD_MISSING",
                    "message": "Required fields are missing: [LastName]",
                    "fields": ["LastName"],
                }
            ],
        }

    def test_all_or_none_takes_everything_back(self, wire: Wire) -> None:
        rows = (row("Contact", LastName="One", Smarketing_Id__c="k1"), row("Contact"), row("Contact", LastName="Two"))
        answer = send(wire, "POST", COLLECTION, *rows, all_or_none=True)
        rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        assert codes(answer) == [rolled_back, "REQUIRED_FIELD_MISSING", rolled_back]
        assert wire.ids("SELECT Id FROM Contact", deleted=True) == []
        assert wire.query("SELECT COUNT() FROM ContactHistory").content["totalSize"] == 0
        assert codes(send(wire, "POST", COLLECTION, rows[0])) == [None]

    def test_a_key_that_stands_twice_in_the_list_goes_to_the_first(self, wire: Wire) -> None:
        twice = [row("Contact", LastName=last, Smarketing_Id__c="k1") for last in ("One", "Two")]
        assert codes(send(wire, "POST", COLLECTION, *twice)) == [None, "DUPLICATE_VALUE"]

    def test_a_duplicate_is_refused_without_a_word_about_which(self) -> None:
        wire = Wire(duplicate_rule=True)
        wire.contact(Email="ola@example.com")
        twin = row("Contact", LastName="N", Email="ola@example.com")
        refused = send(wire, "POST", COLLECTION, twin)
        assert refused.content[0]["errors"] == [
            {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
        ]
        allowed = send(wire, "POST", COLLECTION, twin, Sforce_Duplicate_Rule_Header="allowSave=true")
        assert codes(allowed) == [None]

    @pytest.mark.parametrize(
        ("poison", "code"),
        [
            (row("Contact", LastName="N", Nonsense="x"), "INVALID_FIELD"),
            (row("Contact", LastName=5), "JSON_PARSER_ERROR"),
            (row("Nonsense", LastName="N"), "INVALID_TYPE"),
            ({"LastName": "N"}, "INVALID_INPUT"),
            ("row", "INVALID_INPUT"),
        ],
        ids=["column", "type", "object", "no attributes", "no object"],
    )
    def test_one_row_that_is_not_understood_refuses_the_list(self, wire: Wire, poison: object, code: str) -> None:
        answer = send(wire, "POST", COLLECTION, row("Contact", LastName="One"), poison)
        assert (answer.status, answer.code) == (400, code)
        assert wire.ids("SELECT Id FROM Contact") == []

    def test_a_list_holds_at_most_200(self, wire: Wire) -> None:
        rows = [row("Contact", LastName="N")] * 201
        assert send(wire, "POST", COLLECTION, *rows[:200]).status == 200
        answer = send(wire, "POST", COLLECTION, *rows)
        assert (answer.status, answer.code) == (400, "EXCEEDED_ID_LIMIT")
        assert wire.call("POST", COLLECTION, {"allOrNone": False}).status == 400

    def test_each_broken_rule_of_a_row_is_told(self, wire: Wire) -> None:
        answer = send(wire, "POST", COLLECTION, row("Contact", LastName="x" * 81, Email="no"))
        assert [each["statusCode"] for each in answer.content[0]["errors"]] == [
            "STRING_TOO_LONG",
            "INVALID_EMAIL_ADDRESS",
        ]

    def test_other_methods_and_places_are_refused(self, wire: Wire) -> None:
        assert wire.call("PUT", COLLECTION, {}).code == "METHOD_NOT_ALLOWED"
        assert wire.call("PUT", f"{COLLECTION}/Lead", {}).code == "NOT_FOUND"
        assert wire.call("POST", f"{COLLECTION}/Nonsense", {"ids": [], "fields": ["Id"]}).code == "NOT_FOUND"

    def test_an_id_is_not_given_to_a_new_record(self, wire: Wire) -> None:
        answer = send(wire, "POST", COLLECTION, row("Contact", LastName="N", id=long_id("003000000000000")))
        assert codes(answer) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


class TestUpdate:
    def test_rows_are_told_by_their_id_and_each_stands_alone(self, wire: Wire) -> None:
        good, gone, merged, winner = (wire.contact(LastName=last) for last in ("A", "B", "C", "D"))
        wire.call("DELETE", f"sobjects/Contact/{gone}")
        wire.door.merge(Ref("Contact", winner), Ref("Contact", merged))
        lead = wire.lead()
        wire.door.convert(Ref("Lead", lead))
        answer = send(
            wire,
            "PATCH",
            COLLECTION,
            row("Contact", id=good, FirstName="Ola"),
            row("Contact", Id=gone, FirstName="x"),
            row("Contact", Id=merged, FirstName="x"),
            row("Contact", Id=long_id("003000000000000"), FirstName="x"),
            row("Contact", Id="nobody", FirstName="x"),
            row("Contact", FirstName="x"),
            row("Contact", Id=wire.lead(), FirstName="x"),
            row("Lead", Id=lead, FirstName="x"),
            row("Contact", Id=winner, FirstName="x" * 41),
        )
        assert codes(answer) == [
            None,
            "ENTITY_IS_DELETED",
            "ENTITY_IS_DELETED",
            "INVALID_CROSS_REFERENCE_KEY",
            "MALFORMED_ID",
            "MISSING_ARGUMENT",
            "MALFORMED_ID",
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "STRING_TOO_LONG",
        ]
        assert wire.read("Contact", good)["FirstName"] == "Ola"

    def test_a_record_that_stands_twice_is_refused_twice(self, wire: Wire) -> None:
        id, other = wire.contact(), wire.contact()
        answer = send(
            wire,
            "PATCH",
            COLLECTION,
            row("Contact", Id=id, FirstName="One"),
            row("Contact", Id=other, FirstName="x"),
            row("Contact", Id=id[:15], FirstName="Two"),
        )
        assert codes(answer) == ["DUPLICATE_VALUE", None, "DUPLICATE_VALUE"]
        assert wire.read("Contact", id)["FirstName"] is None

    def test_a_locked_row_is_refused_as_often_as_told(self, wire: Wire) -> None:
        account = wire.create("Account", Name="Example AS")
        id = wire.contact(AccountId=account)
        wire.door.lock(Ref("Account", account), times=1)
        wire.door.lock(Ref("Contact", id), times=1)
        change = row("Contact", Id=id, FirstName="Ola")
        seen = [codes(send(wire, "PATCH", COLLECTION, change))[0] for _ in range(3)]
        assert seen == ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW", None]

    def test_all_or_none_takes_back_every_trace(self, wire: Wire) -> None:
        id = wire.contact(Email="before@example.com", Smarketing_Id__c="k1")
        before = wire.read("Contact", id)
        wire.world.sleep(1)
        change = row("Contact", Id=id, Email="after@example.com", Smarketing_Id__c="k2")
        answer = send(wire, "PATCH", COLLECTION, change, row("Contact", Id="nobody"), all_or_none=True)
        assert codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]
        assert wire.read("Contact", id) == before
        assert wire.ids("SELECT Id FROM Contact WHERE Email = 'before@example.com'") == [id]
        assert wire.ids("SELECT Id FROM Contact WHERE Email = 'after@example.com'") == []
        assert wire.ids("SELECT Id FROM Contact WHERE SystemModstamp = 2026-01-01T00:00:00Z") == [id]
        assert wire.call("GET", "sobjects/Contact/Smarketing_Id__c/k1").status == 200


class TestUpsert:
    def test_rows_are_created_or_updated_by_our_key(self, wire: Wire) -> None:
        id = wire.contact(Smarketing_Id__c="k1")
        answer = send(
            wire,
            "PATCH",
            UPSERT,
            row("Contact", Smarketing_Id__c="k1", FirstName="Ola"),
            row("Contact", Smarketing_Id__c="k2", LastName="New"),
            row("Contact", Smarketing_Id__c="k3"),
            row("Contact", LastName="Keyless"),
        )
        assert codes(answer) == [None, None, "REQUIRED_FIELD_MISSING", "MISSING_ARGUMENT"]
        assert [each.get("created") for each in answer.content] == [False, True, None, None]
        assert answer.content[0]["id"] == id

    def test_a_key_that_stands_twice_in_the_list_is_refused_twice(self, wire: Wire) -> None:
        rows = [row("Contact", Smarketing_Id__c=each, LastName="N") for each in ("k1", "k2", "K1")]
        assert codes(send(wire, "PATCH", UPSERT, *rows)) == ["DUPLICATE_VALUE", None, "DUPLICATE_VALUE"]

    def test_several_holders_of_a_key_are_an_error_of_the_row(self) -> None:
        loose = Field(name="Number__c", type="string", label="Number", length=20, external=True, lookup=True)
        wire = Wire(custom_fields={"Contact": [loose]})
        for _ in range(2):
            wire.contact(Number__c="n1")
        answer = send(wire, "PATCH", "composite/sobjects/Contact/Number__c", row("Contact", Number__c="n1"))
        assert codes(answer) == ["DUPLICATE_EXTERNAL_ID"]

    def test_only_external_ids_of_one_object_are_taken(self, wire: Wire) -> None:
        assert (
            send(wire, "PATCH", "composite/sobjects/Contact/Email", row("Contact", Email="a@example.com")).status == 404
        )
        assert send(wire, "PATCH", UPSERT, row("Lead", Smarketing_Id__c="k1")).code == "INVALID_TYPE"


class TestDelete:
    def test_records_of_any_object_are_deleted_each_by_itself(self, wire: Wire) -> None:
        contact, lead, gone = wire.contact(), wire.lead(), wire.lead()
        wire.call("DELETE", f"sobjects/Lead/{gone}")
        answer = wire.call("DELETE", f"{COLLECTION}?ids={contact},{lead},{gone},nobody&allOrNone=false")
        assert codes(answer) == [None, None, "ENTITY_IS_DELETED", "MALFORMED_ID"]
        assert answer.content[0] == {"id": contact, "success": True, "errors": []}
        assert wire.ids("SELECT Id FROM Lead") == []

    def test_all_or_none_brings_them_back(self, wire: Wire) -> None:
        contact = wire.contact()
        answer = wire.call("DELETE", f"{COLLECTION}?ids={contact},nobody&allOrNone=true")
        assert codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]
        assert wire.ids("SELECT Id FROM Contact") == [contact]
        wire.world.sleep(20 * 86_400)
        wire.door.records()
        assert wire.door.org.store.find(contact) is not None

    def test_the_list_is_neither_empty_nor_too_long(self, wire: Wire) -> None:
        assert wire.call("DELETE", COLLECTION).status == 400
        assert wire.call("DELETE", f"{COLLECTION}?ids=" + ",".join(["003000000000000"] * 201)).status == 400


class TestRetrieve:
    def test_each_id_has_its_entry_and_a_missing_one_is_null(self, wire: Wire) -> None:
        one, two, gone = wire.lead(LastName="One"), wire.lead(LastName="Two"), wire.lead()
        wire.call("DELETE", f"sobjects/Lead/{gone}")
        missing = long_id("00Q000000000000")
        body = {"ids": [two, gone, one, missing, two], "fields": ["LastName", "Owner.Name"]}
        answer = wire.call("POST", "composite/sobjects/Lead", body)
        assert [each and each["LastName"] for each in answer.content] == ["Two", None, "One", None, "Two"]
        assert answer.content[0]["attributes"]["url"] == f"{ROOT}/sobjects/Lead/{two}"
        got = wire.call("GET", f"composite/sobjects/Lead?ids={one},{two}&fields=LastName")
        assert [each["LastName"] for each in got.content] == ["One", "Two"]

    @pytest.mark.parametrize(
        "body",
        [
            {"ids": ["nobody"], "fields": ["Id"]},
            {"ids": [], "fields": ["Nonsense"]},
            {"ids": []},
            {"ids": [""] * 2001, "fields": ["Id"]},
        ],
        ids=["id", "field", "no fields", "too many"],
    )
    def test_what_cannot_be_retrieved_is_refused(self, wire: Wire, body: dict[str, Any]) -> None:
        assert wire.call("POST", "composite/sobjects/Lead", body).status == 400


class TestComposite:
    def compose(self, wire: Wire, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
        numbered = [{"referenceId": f"part{i}", **part} for i, part in enumerate(parts)]
        answer = wire.call("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": numbered})
        assert answer.status == 200, answer.content
        told: list[dict[str, Any]] = answer.content["compositeResponse"]
        return told

    def part(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return {"method": method, "url": f"{ROOT}/{path}"} | ({} if body is None else {"body": body})

    def test_a_part_uses_what_an_earlier_one_answered(self, wire: Wire) -> None:
        account, contact, found = self.compose(
            wire,
            self.part("POST", "sobjects/Account", {"Name": "Example AS"}),
            self.part("POST", "sobjects/Contact", {"LastName": "Nordmann", "AccountId": "@{part0.id}"}),
            self.part("GET", "query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{part0.id}'"),
        )
        assert account["httpStatusCode"] == contact["httpStatusCode"] == 201
        assert account["httpHeaders"] == {"Location": f"{ROOT}/sobjects/Account/{account['body']['id']}"}
        assert (account["referenceId"], account["body"]["success"]) == ("part0", True)
        assert found["body"]["records"][0]["Id"] == contact["body"]["id"]

    def test_a_list_can_be_reached_into(self, wire: Wire) -> None:
        rows = {"records": [row("Contact", LastName="One"), row("Contact", LastName="Two")]}
        _, read = self.compose(
            wire,
            self.part("POST", COLLECTION, rows),
            self.part("GET", "sobjects/Contact/@{part0[1].id}?fields=LastName"),
        )
        assert read["body"]["LastName"] == "Two"

    def test_the_outer_answer_is_good_when_parts_are_not(self, wire: Wire) -> None:
        bad, good, after = self.compose(
            wire,
            self.part("POST", "sobjects/Contact", {}),
            self.part("POST", "sobjects/Contact", {"LastName": "N"}),
            self.part("PATCH", "sobjects/Contact/@{part0.id}", {"FirstName": "x"}),
        )
        assert [bad["httpStatusCode"], good["httpStatusCode"], after["httpStatusCode"]] == [400, 201, 400]
        assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert after["body"][0]["errorCode"] == "PROCESSING_HALTED"
        assert wire.ids("SELECT Id FROM Contact") == [good["body"]["id"]]

    def test_all_or_none_takes_every_part_back(self, wire: Wire) -> None:
        good, bad = self.compose(
            wire,
            self.part("POST", "sobjects/Contact", {"LastName": "N"}),
            self.part("POST", "sobjects/Contact", {}),
            all_or_none=True,
        )
        assert (good["httpStatusCode"], good["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
        assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert wire.ids("SELECT Id FROM Contact") == []

    def test_a_part_without_a_body_answers_null(self, wire: Wire) -> None:
        (gone,) = self.compose(wire, self.part("DELETE", f"sobjects/Lead/{wire.lead()}"))
        assert (gone["httpStatusCode"], gone["body"]) == (204, None)

    def test_the_number_of_parts_is_limited(self, wire: Wire) -> None:
        def refused(*parts: dict[str, Any]) -> str:
            body = {"compositeRequest": [{"referenceId": f"r{i}", **part} for i, part in enumerate(parts)]}
            answer = wire.call("POST", "composite", body)
            assert answer.status == 400
            return answer.code

        assert refused(*[self.part("GET", "limits")] * 26) == "LIMIT_EXCEEDED"
        assert refused(*[self.part("GET", "query?q=x")] * 6) == "LIMIT_EXCEEDED"
        twice = {"compositeRequest": [{"referenceId": "r", **self.part("GET", "limits")}] * 2}
        assert wire.call("POST", "composite", twice).code == "INVALID_INPUT"
        assert wire.call("POST", "composite", {}).code == "JSON_PARSER_ERROR"
        assert wire.call("GET", "composite").code == "METHOD_NOT_ALLOWED"
        assert wire.call("POST", "composite/nonsense", {}).code == "NOT_FOUND"
        (nested,) = self.compose(wire, self.part("POST", "composite", {"compositeRequest": []}))
        assert nested["httpStatusCode"] == 400

    def test_a_composite_counts_as_one_call_and_a_batch_as_its_parts(self, wire: Wire) -> None:
        self.compose(wire, *[self.part("GET", "limits")] * 3)
        assert wire.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=2/100000"
        parts = [{"method": "GET", "url": "v62.0/limits"}] * 3
        answer = wire.call("POST", "composite/batch", {"batchRequests": parts})
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=5/100000"


class TestBatch:
    def test_parts_are_independent(self, wire: Wire) -> None:
        parts = [
            {"method": "POST", "url": "v62.0/sobjects/Contact", "richInput": {}},
            {"method": "POST", "url": "v62.0/sobjects/Contact", "richInput": {"LastName": "N"}},
        ]
        told = wire.call("POST", "composite/batch", {"batchRequests": parts}).content
        assert told["hasErrors"] is True
        assert [each["statusCode"] for each in told["results"]] == [400, 201]
        assert told["results"][0]["result"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"

    def test_it_can_halt_at_the_first_error(self, wire: Wire) -> None:
        parts = [{"method": "GET", "url": "v62.0/sobjects/Nothing"}, {"method": "GET", "url": "v62.0/limits"}]
        told = wire.call("POST", "composite/batch", {"haltOnError": True, "batchRequests": parts}).content
        assert [each["statusCode"] for each in told["results"]] == [404, 412]
        assert told["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
