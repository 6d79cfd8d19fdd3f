"""The vendor's own SDK and a plain client over real HTTP, as if HubSpot were there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import urllib3

from connectors.backdoor import Fault, When
from smarketing.sandbox.backdoor import RemoteBackdoor
from smarketing.sandbox.hubspot import App, HubSpotEmulator
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld

TOKEN = "pat-sandbox-0001"
CONTROL = "control-0001"


@pytest.fixture
def sandbox() -> Iterator[dict[str, dict[str, str]]]:
    world = RealWorld()
    hubspot = HubSpotEmulator(world, token=TOKEN, search_lag=0.0, app=App("client-1", "sesame-1", "refresh-1"))
    with Sandbox({"hubspot": hubspot}, world, CONTROL) as running:
        yield running.line()


@pytest.fixture
def client(sandbox: dict[str, dict[str, str]]) -> Any:
    from hubspot import HubSpot

    retry = urllib3.Retry(0, redirect=0)
    return HubSpot(access_token=sandbox["hubspot"]["token"], host=sandbox["hubspot"]["base_url"], retry=retry)


@pytest.fixture
def door(sandbox: dict[str, dict[str, str]]) -> Iterator[RemoteBackdoor]:
    remote = RemoteBackdoor("hubspot", sandbox["control"]["url"], sandbox["control"]["token"])
    yield remote
    remote.close()


def test_the_sdk_makes_reads_changes_and_archives_a_contact(client: Any) -> None:
    from hubspot.crm.contacts import ApiException, SimplePublicObjectInput, SimplePublicObjectInputForCreate

    api = client.crm.contacts.basic_api
    values = {"email": "Kari@example.com", "firstname": "Kari"}
    made = api.create(SimplePublicObjectInputForCreate(properties=values, associations=[]))
    assert made.properties["email"] == "kari@example.com"
    assert made.created_at.tzinfo is not None
    api.update(made.id, SimplePublicObjectInput(properties={"city": "Oslo"}))
    read = api.get_by_id("kari@example.com", id_property="email", properties=["city", "phone"])
    assert (read.id, read.properties["city"], read.properties["phone"]) == (made.id, "Oslo", None)
    history = api.get_by_id(made.id, properties_with_history=["city"]).properties_with_history
    assert [each.value for each in history["city"]] == ["Oslo"]
    with pytest.raises(ApiException) as refused:
        api.create(SimplePublicObjectInputForCreate(properties=values, associations=[]))
    assert refused.value.status == 409
    assert f"Existing ID: {made.id}" in refused.value.body
    api.archive(made.id)
    (gone,) = api.get_page(archived=True).results
    assert (gone.id, gone.archived, gone.archived_at is not None) == (made.id, True, True)


def test_the_sdk_reads_every_page(client: Any, door: RemoteBackdoor) -> None:
    refs = [door.put("contact", {"email": f"{number}@example.com"}) for number in range(25)]
    api = client.crm.contacts.basic_api
    first = api.get_page(limit=10, properties=["email"])
    second = api.get_page(limit=10, after=first.paging.next.after)
    assert [each.id for each in first.results + second.results] == [ref.id for ref in refs[:20]]
    assert len(client.crm.contacts.get_all()) == 25


def test_the_sdk_works_in_batches(client: Any) -> None:
    from hubspot.crm.contacts import (
        BatchInputSimplePublicObjectBatchInput,
        BatchInputSimplePublicObjectBatchInputForCreate,
        BatchInputSimplePublicObjectBatchInputUpsert,
        BatchInputSimplePublicObjectId,
        BatchReadInputSimplePublicObjectId,
        SimplePublicObjectBatchInput,
        SimplePublicObjectBatchInputForCreate,
        SimplePublicObjectBatchInputUpsert,
        SimplePublicObjectId,
    )

    api = client.crm.contacts.batch_api
    rows = [
        SimplePublicObjectBatchInputForCreate(
            properties={"email": f"{number}@example.com", "smarketing_id": f"k-{number}"},
            associations=[],
            object_write_trace_id=f"row-{number}",
        )
        for number in range(3)
    ]
    made = api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows))
    assert (made.status, len(made.results)) == ("COMPLETE", 3)
    part = api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows[:1]))
    assert (part.num_errors, part.errors[0].category) == (1, "CONFLICT")
    assert part.errors[0].context == {"objectWriteTraceId": ["row-0"]}
    ids = sorted(each.id for each in made.results)
    change = [SimplePublicObjectBatchInput(id=each, properties={"city": "Oslo"}) for each in ids]
    changed = api.update(BatchInputSimplePublicObjectBatchInput(inputs=change))
    assert {each.properties["city"] for each in changed.results} == {"Oslo"}
    upserts = [
        SimplePublicObjectBatchInputUpsert(id=f"k-{number}", id_property="smarketing_id", properties={"lastname": "X"})
        for number in (2, 3)
    ]
    upserted = api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts))
    assert [each.new for each in upserted.results] == [False, True]
    wanted = BatchReadInputSimplePublicObjectId(
        inputs=[SimplePublicObjectId(id="0@example.com"), SimplePublicObjectId(id="nobody@example.com")],
        id_property="email",
        properties=["city"],
        properties_with_history=[],
    )
    read = api.read(wanted)
    assert ([each.id for each in read.results], read.num_errors) == ([ids[0]], 1)
    api.archive(BatchInputSimplePublicObjectId(inputs=[SimplePublicObjectId(id=each) for each in ids]))
    assert len(client.crm.contacts.basic_api.get_page().results) == 1


def test_the_sdk_searches_merges_and_erases(client: Any, door: RemoteBackdoor) -> None:
    from hubspot.crm.contacts import ApiException, PublicGdprDeleteInput, PublicMergeInput, PublicObjectSearchRequest

    first, second = (door.put("contact", {"email": f"{each}@example.com", "city": "Oslo"}) for each in "ab")
    request = PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Oslo"}]}],
        sorts=["-hs_object_id"],
        properties=["email"],
        limit=1,
        after="0",
    )
    found = client.crm.contacts.search_api.do_search(public_object_search_request=request)
    assert (found.total, found.results[0].id, found.paging.next.after) == (2, second.id, "1")
    api = client.crm.contacts.basic_api
    survivor = api.merge(PublicMergeInput(primary_object_id=first.id, object_id_to_merge=second.id))
    assert api.get_by_id(second.id).id == survivor.id
    api.purge(PublicGdprDeleteInput(object_id="b@example.com", id_property="email"))
    with pytest.raises(ApiException) as missing:
        api.get_by_id(survivor.id)
    assert missing.value.status == 404


def test_the_sdk_reads_properties_owners_and_companies(client: Any, door: RemoteBackdoor) -> None:
    from hubspot.crm.properties import PropertyCreate

    listed = client.crm.properties.core_api.get_all("contacts").results
    assert {"email", "lifecyclestage", "smarketing_id"} <= {each.name for each in listed}
    own = PropertyCreate(
        name="own_key",
        label="Own",
        type="string",
        field_type="text",
        group_name="contactinformation",
        has_unique_value=True,
    )
    assert client.crm.properties.core_api.create("contacts", own).has_unique_value is True
    owners = client.crm.owners.owners_api.get_page(email="owner.two@example.com").results
    assert [each.id for each in owners] == ["80002"]
    acme = door.put("company", {"name": "Acme"})
    contact = door.put("contact", {"email": "a@example.com", "associatedcompanyid": acme.id})
    linked = client.crm.associations.v4.basic_api.get_page("contacts", contact.id, "companies").results
    assert [str(each.to_object_id) for each in linked] == [acme.id]
    assert client.crm.companies.basic_api.get_by_id(acme.id, properties=["name"]).properties["name"] == "Acme"


def test_the_sdk_reads_and_writes_consent(client: Any, door: RemoteBackdoor) -> None:
    from hubspot.communication_preferences import PublicUpdateSubscriptionStatusRequest

    defined = client.communication_preferences.definition_api.get_page().subscription_definitions
    change = PublicUpdateSubscriptionStatusRequest(email_address="a@example.com", subscription_id=defined[0].id)
    assert client.communication_preferences.status_api.subscribe(change).status == "SUBSCRIBED"
    door.opt_out("a@example.com")
    told = client.communication_preferences.status_api.get_email_status("a@example.com").subscription_statuses
    assert {each.status for each in told} == {"NOT_SUBSCRIBED"}


def test_the_sdk_renews_its_token(client: Any) -> None:
    issued = client.oauth.tokens_api.create(
        grant_type="refresh_token", client_id="client-1", client_secret="sesame-1", refresh_token="refresh-1"
    )
    assert issued.expires_in == 1800
    client.access_token = issued.access_token
    assert client.crm.contacts.basic_api.get_page().results == []
    assert client.oauth.access_tokens_api.get(issued.access_token).token_type == "access"


def test_the_sdk_sees_the_rate_headers_of_a_refusal(client: Any, door: RemoteBackdoor) -> None:
    from hubspot.crm.contacts import ApiException

    door.fault(Fault.RATE, When(path="/crm/v3/objects/contacts", value=2))
    with pytest.raises(ApiException) as refused:
        client.crm.contacts.basic_api.get_page()
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "2")
    assert [each.status for each in door.requests()] == [429]


def test_a_plain_client_meets_the_same_account(sandbox: dict[str, dict[str, str]], door: RemoteBackdoor) -> None:
    base, token = sandbox["hubspot"]["base_url"], sandbox["hubspot"]["token"]
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}) as plain:
        made = plain.post("/crm/objects/2026-09/contacts", json={"properties": {"email": "a@example.com"}})
        assert made.status_code == 201
        assert int(made.headers["X-HubSpot-RateLimit-Daily-Remaining"]) > 0
        link = plain.get("/crm/v3/objects/contacts", params={"limit": 1}).json()
        assert "paging" not in link
        door.put("contact", {"email": "b@example.com"})
        link = plain.get("/crm/v3/objects/contacts", params={"limit": 1}).json()["paging"]["next"]["link"]
        assert [each["properties"]["email"] for each in plain.get(link).json()["results"]] == ["b@example.com"]
        assert plain.delete(f"/crm/v3/objects/contacts/{made.json()['id']}").status_code == 204
    assert {str(each.state): each.fields["email"] for each in door.records()} == {
        "0": "b@example.com",
        "1": "a@example.com",
    }
