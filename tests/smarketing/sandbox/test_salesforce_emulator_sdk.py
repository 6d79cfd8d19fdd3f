"""Other people's code at the emulator, over HTTP: simple-salesforce reads and writes people as if it were the vendor.

The SDK says https:// whatever it is told; an adapter on its session takes it to loopback instead.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from connectors.backdoor import Fault, When
from smarketing.sandbox.backdoor import RemoteBackdoor
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld
from tests.smarketing.sandbox.salesforce_wire import org


class ToLoopback(HTTPAdapter):
    """Carries a request for any host to the emulator."""

    def __init__(self, base_url: str) -> None:
        self._base = urlsplit(base_url)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        request.url = asked._replace(scheme=self._base.scheme, netloc=self._base.netloc).geturl()
        return super().send(request, *args, **kwargs)


class Served:
    def __init__(self, line: Mapping[str, Mapping[str, str]], emulator: SalesforceEmulator) -> None:
        self.emulator = emulator
        self.told = line["salesforce"]
        self.door = RemoteBackdoor("salesforce", line["control"]["url"], line["control"]["token"])
        self.session = requests.Session()
        self.session.mount("https://", ToLoopback(self.told["base_url"]))
        # its attributes are made up as one names them, which no type can tell
        self.sdk: Any = Salesforce(
            session=self.session,
            domain="example.my",
            consumer_key=self.told["client_id"],
            consumer_secret=self.told["client_secret"],
        )

    def close(self) -> None:
        self.session.close()
        self.door.close()


@pytest.fixture
def served() -> Iterator[Served]:
    world = RealWorld()
    emulator = org(world)
    with Sandbox({"salesforce": emulator}, world, token="control") as sandbox:
        found = Served(sandbox.line(), emulator)
        yield found
        found.close()


def test_it_signs_in_with_client_credentials_and_with_a_password(served: Served) -> None:
    assert served.sdk.session_id.startswith("00D")
    other = Salesforce(
        session=served.session,
        domain="example.my",
        consumer_key=served.told["client_id"],
        consumer_secret=served.told["client_secret"],
        username=served.told["username"],
        password=served.told["password"],
    )
    assert other.query("SELECT Id FROM Lead")["totalSize"] == 0
    assert other.is_sandbox() is True
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(session=served.session, domain="example.my", consumer_key="wrong", consumer_secret="wrong")


def test_it_reads_and_writes_a_lead(served: Served) -> None:
    sdk = served.sdk
    made = sdk.Lead.create({"LastName": "Nordmann", "Company": "Example AS", "Email": "Ola@Example.com"})
    assert made["success"] is True
    assert sdk.Lead.get(made["id"])["Email"] == "ola@example.com"
    assert sdk.Lead.update(made["id"], {"FirstName": "Ola"}) == 204
    assert sdk.Lead.upsert("Smarketing_Id__c/k1", {"LastName": "New", "Company": "Example AS"}) == 201
    assert sdk.Lead.upsert("Smarketing_Id__c/k1", {"FirstName": "Kari"}) == 200
    assert sdk.Lead.get_by_custom_id("Smarketing_Id__c", "k1")["FirstName"] == "Kari"
    assert sdk.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        sdk.Lead.delete(made["id"])
    content: Any = gone.value.content
    assert content[0]["errorCode"] == "ENTITY_IS_DELETED"
    everybody = sdk.query_all("SELECT Id FROM Lead", include_deleted=True)["records"]
    assert made["id"] in {each["Id"] for each in everybody}


def test_its_errors_are_the_vendors(served: Served) -> None:
    sdk = served.sdk
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sdk.Lead.create({"LastName": "Nordmann"})
    content: Any = refused.value.content
    assert content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    for _ in range(2):
        sdk.Contact.create({"LastName": "Nordmann", "Email": "shared@example.com"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sdk.Contact.upsert("Email/shared@example.com", {"FirstName": "Ola"})
    served.door.fault(Fault.RATE, When(path="sobjects/Contact"))
    with pytest.raises(SalesforceRefusedRequest):
        sdk.Contact.create({"LastName": "Nordmann"})
    direct = Salesforce(session_id="wrong", instance_url="https://example.my.salesforce.com", session=served.session)
    with pytest.raises(SalesforceExpiredSession):
        direct.query("SELECT Id FROM Lead")


def test_it_renews_a_session_that_has_expired(served: Served) -> None:
    before = served.sdk.session_id
    served.door.fault(Fault.EXPIRED, When(path="/query"))
    assert served.sdk.query("SELECT Id FROM Lead")["totalSize"] == 0
    assert served.sdk.session_id != before


def test_it_walks_all_pages(served: Served) -> None:
    rows = [{"attributes": {"type": "Contact"}, "LastName": f"L{i:03d}"} for i in range(200)]
    for _ in range(3):
        told = served.sdk.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
        assert told is not None
        assert all(each["success"] for each in told)
    found = served.sdk.query_all(
        "SELECT Id, LastName, Owner.Name FROM Contact ORDER BY SystemModstamp, Id",
        headers={"Sforce-Query-Options": "batchSize=200"},
    )
    assert found["totalSize"] == len({each["Id"] for each in found["records"]}) == 600
    asked = [each for each in served.door.requests() if "/query" in each.path]
    assert len(asked) == 3


def test_it_writes_collections_and_composites(served: Served) -> None:
    sdk = served.sdk
    target = "composite/sobjects/Contact/Smarketing_Id__c"
    rows = [{"attributes": {"type": "Contact"}, "Smarketing_Id__c": f"k{i}", "LastName": "N"} for i in range(3)]
    told = sdk.restful(target, method="PATCH", json={"allOrNone": False, "records": rows})
    assert told is not None
    assert [each["created"] for each in told] == [True] * 3
    ids = [each["id"] for each in told]
    read = sdk.restful("composite/sobjects/Contact", method="POST", json={"ids": ids, "fields": ["Smarketing_Id__c"]})
    assert read is not None
    assert [each["Smarketing_Id__c"] for each in read] == ["k0", "k1", "k2"]
    parts = [{"method": "GET", "url": f"/services/data/v59.0/sobjects/Contact/{ids[0]}", "referenceId": "one"}]
    whole = sdk.restful("composite", method="POST", json={"compositeRequest": parts})
    assert whole is not None
    assert whole["compositeResponse"][0]["body"]["LastName"] == "N"
    gone = sdk.restful("composite/sobjects", params={"ids": ",".join(ids)}, method="DELETE")
    assert gone is not None
    assert all(each["success"] for each in gone)


def test_it_describes_counts_its_calls_and_searches(served: Served) -> None:
    sdk = served.sdk
    described = sdk.Contact.describe()
    assert "HasOptedOutOfEmail" in {each["name"] for each in described["fields"]}
    everything = sdk.describe()
    assert everything is not None
    assert "Lead" in {each["name"] for each in everything["sobjects"]}
    assert sdk.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sdk.api_usage["api-usage"].total == 100_000
    sdk.Contact.create({"LastName": "Nordmann", "Email": "ola@example.com"})
    found = sdk.search("FIND {ola@example.com} IN EMAIL FIELDS RETURNING Contact(Id, LastName)")
    assert [each["LastName"] for each in found["searchRecords"]] == ["Nordmann"]


def test_it_loads_and_extracts_in_bulk(served: Served) -> None:
    rows = [{"LastName": f"L{i}", "Email": f"l{i}@example.com"} for i in range(5)] + [{"LastName": "", "Email": ""}]
    (told,) = served.sdk.bulk2.Contact.insert(records=rows, wait=0)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (6, 1)
    results = served.sdk.bulk2.Contact.get_all_ingest_records(told["job_id"])
    assert {each["LastName"] for each in results["successfulRecords"]} == {f"L{i}" for i in range(5)}
    assert results["failedRecords"][0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING")
    pages = served.sdk.bulk2.Contact.query("SELECT Id, LastName, Email FROM Contact", max_records=2, wait=0)
    found = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert sorted(each["Email"] for each in found) == [f"l{i}@example.com" for i in range(5)]
    (gone,) = served.sdk.bulk2.Contact.delete(records=[{"Id": each["Id"]} for each in found], wait=0)
    assert gone["numberRecordsProcessed"] == 5


def test_a_person_at_the_control_address_acts_beside_it(served: Served) -> None:
    ref = served.door.put("Lead", {"LastName": "Nordmann", "Company": "Example AS", "Email": "ola@example.com"})
    served.door.edit(ref, {"FirstName": "Ola"})
    served.door.opt_out("ola@example.com")
    record = served.sdk.Lead.get(ref.id)
    assert (record["FirstName"], record["HasOptedOutOfEmail"]) == ("Ola", True)
    (kept,) = served.door.records()
    assert (kept.ref, kept.consent["email"]) == (ref, "out")
    with pytest.raises(ValueError, match="REQUIRED_FIELD_MISSING"):
        served.door.put("Lead", {"LastName": "Nordmann"})
