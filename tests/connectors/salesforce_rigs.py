"""Rigs over Salesforce's stand-in: leads in an org with our key field, contacts in one without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from connectors.base import Connector, Fields
from connectors.conformance import Lines, Names, Rig
from connectors.salesforce import Salesforce
from connectors.salesforce.native import long_id
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.salesforce import SalesforceEmulator
from tests.connectors.scripted_salesforce import Vault, serve, unverified
from tests.worlds import ManualWorld

SECRET = "the-secret-of-the-app"
WRONG = "a-secret-of-no-app"
PAGE = 200
"""The smallest page there is. The vendor may serve fewer rows than were asked for, so we ask for many and get these."""

DATA = "/services/data/v62.0"
LINES = Lines(
    read=f"GET {DATA}/queryAll/", create=f"POST {DATA}/composite/sobjects", update=f"PATCH {DATA}/composite/sobjects"
)
PREFIX = {"Lead": "00Q", "Contact": "003"}
RIGS = {"lead-with-key": ("Lead", True), "contact-without-key": ("Contact", False)}
"""Whether there is a key matters to creates alone, and those of leads and contacts go the same way."""


def names(object: str) -> Names:
    return Names(
        object=object,
        email="Email",
        text="Description",
        long_text=("FirstName", 40),
        aware_time=("EmailBouncedDate", "2026-05-06T07:08:09+02:00"),
        flag=("DoNotCall", True, False),
        picklist=("LeadSource", "Web"),
        refused=("Lifecycle_Stage__c", "gigantic"),
        consent=("HasOptedOutOfEmail", True),
        stage=("Lifecycle_Stage__c", "SQL", "MQL"),
    )


def people(object: str) -> Callable[[int], Fields]:
    def make(n: int) -> Fields:
        fields: Fields = {
            "Email": f"person{n}@example.com",
            "FirstName": f"First {n}",
            "LastName": f"Last {n}",
            "Description": f"Note {n}",
        }
        return {**fields, "Company": "Example"} if object == "Lead" else fields

    return make


@contextmanager
def salesforce_rig(object: str, key_field: bool) -> Iterator[Rig]:
    world = ManualWorld()
    org = SalesforceEmulator(
        world, client_id="app", client_secret=SECRET, username="sync@example.com", password="p", key_field=key_field
    )

    def answer(request: Request) -> Reply:
        asked = request.headers.get("sforce-query-options")
        if asked:
            request = replace(request, headers={**request.headers, "sforce-query-options": f"batchSize={PAGE}"})
        return org.handle(request)

    url = serve(answer)
    vault = Vault()
    called = names(object)
    wanted = [*people(object)(0), "HasOptedOutOfEmail", "DoNotCall", "LeadSource", "Lifecycle_Stage__c", "OwnerId"]

    def connect(**overrides: str) -> Connector:
        told = {"base_url": url, "client_id": "app", "client_secret": SECRET, **overrides}
        settings = Salesforce.Settings.model_validate(told)
        read = {object: [*wanted, "EmailBouncedDate"]}
        return Salesforce("crm", settings, world, read, vault, transport=unverified())

    rig = Rig(
        connector=connect,
        door=org,
        world=world,
        names=called,
        make_fields=people(object),
        settle=lambda: world.sleep(301.0),
        page=PAGE,
        missing=long_id(f"{PREFIX[object]}000000099999"),
        lines=LINES,
        wrong={"client_secret": WRONG},
        secrets=(SECRET, WRONG),
        stands_still=True,
        tells_wait=False,
    )
    try:
        yield rig
    finally:
        rig.close()
