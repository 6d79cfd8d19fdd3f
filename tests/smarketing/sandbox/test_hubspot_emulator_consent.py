"""HubSpot's stand-in: consent hangs on the address, and what a contact shows of it follows."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.backdoor import Backdoor
from connectors.base import Ref
from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Answer, Wire

MARKETING, SERVICE, SALES = 530_001, 530_002, 530_003
V4 = "/communication-preferences/v4"
FAMILIES = [V4, "/communication-preferences/2026-03", "/communication-preferences/2026-09"]
MIRROR = f"hs_email_optout_{MARKETING}"


def states(hubspot: Wire, address: str) -> dict[int, str]:
    answer = hubspot.get(f"{V4}/statuses/{address}?channel=EMAIL")
    assert answer.status == 200, answer.content
    return {each["subscriptionId"]: each["status"] for each in answer.results}


def say(hubspot: Wire, address: str, state: str, subscription: int = MARKETING, **more: object) -> Answer:
    body = {"subscriptionId": subscription, "statusState": state, "channel": "EMAIL", **more}
    return hubspot.post(f"{V4}/statuses/{address}", body)


def opt_out_of_all(hubspot: Wire, address: str, query: str = "") -> Answer:
    return hubspot.call("POST", f"{V4}/statuses/{address}/unsubscribe-all?channel=EMAIL{query}")


def consent(door: Backdoor, id_: str) -> dict[str, str]:
    return dict(next(each.consent for each in door.records() if each.ref == Ref("contact", id_)))


@pytest.mark.parametrize("path", FAMILIES)
def test_subscriptions_are_defined_and_an_unasked_address_has_said_nothing(path: str) -> None:
    hubspot = Wire()
    defined = hubspot.get(f"{path}/definitions").results
    assert [int(each["id"]) for each in defined] == [MARKETING, SERVICE, SALES]
    assert [each["isInternal"] for each in defined] == [False, True, True]
    answer = hubspot.get(f"{path}/statuses/nobody@example.com?channel=EMAIL")
    assert answer.content["status"] == "COMPLETE"
    assert {each["status"] for each in answer.results} == {"NOT_SPECIFIED"}
    assert {each["source"] for each in answer.results} == {"Not specified"}
    assert hubspot.get(f"{path}/statuses/nobody@example.com/unsubscribe-all?channel=EMAIL").results == []


def test_one_subscription_is_given_up_and_taken_again() -> None:
    hubspot = Wire()
    answer = say(hubspot, "A@example.com", "UNSUBSCRIBED", legalBasis="CONSENT_WITH_NOTICE", legalBasisExplanation="x")
    (told,) = answer.results
    assert told == {
        "businessUnitId": 0,
        "channel": "EMAIL",
        "subscriberIdString": "a@example.com",
        "subscriptionId": MARKETING,
        "subscriptionName": "Marketing Information",
        "status": "UNSUBSCRIBED",
        "source": told["source"],
        "timestamp": "2026-01-01T00:00:00.000Z",
        "legalBasis": "CONSENT_WITH_NOTICE",
        "legalBasisExplanation": "x",
        "setStatusSuccessReason": "REQUESTED_CHANGE_OCCURRED",
    }
    assert told["source"].startswith("Public status API, App ID:")
    assert say(hubspot, "a@example.com", "UNSUBSCRIBED").results[0]["setStatusSuccessReason"] == "NO_STATUS_CHANGE"
    assert states(hubspot, "a@example.com") == {
        MARKETING: "UNSUBSCRIBED",
        SERVICE: "NOT_SPECIFIED",
        SALES: "NOT_SPECIFIED",
    }
    back = say(hubspot, "a@example.com", "SUBSCRIBED").results[0]
    assert (back["status"], back["setStatusSuccessReason"]) == ("SUBSCRIBED", "RESUBSCRIBE_OCCURRED")


def test_an_opt_out_of_everything_covers_every_subscription() -> None:
    hubspot = Wire()
    assert opt_out_of_all(hubspot, "a@example.com").results == []
    told = opt_out_of_all(hubspot, "b@example.com", "&verbose=true").results
    assert {each["setStatusSuccessReason"] for each in told} == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    assert set(states(hubspot, "a@example.com").values()) == {"UNSUBSCRIBED"}
    (wide,) = hubspot.get(f"{V4}/statuses/a@example.com/unsubscribe-all?channel=EMAIL").results
    assert (wide["wideStatusType"], wide["status"]) == ("PORTAL_WIDE", "UNSUBSCRIBED")


def test_v4_brings_an_address_back_for_the_one_subscription_that_is_named() -> None:
    hubspot = Wire()
    opt_out_of_all(hubspot, "a@example.com")
    assert say(hubspot, "a@example.com", "NOT_SPECIFIED").results[0]["status"] == "UNSUBSCRIBED"
    assert say(hubspot, "a@example.com", "SUBSCRIBED").results[0]["setStatusSuccessReason"] == "RESUBSCRIBE_OCCURRED"
    assert states(hubspot, "a@example.com") == {
        MARKETING: "SUBSCRIBED",
        SERVICE: "UNSUBSCRIBED",
        SALES: "UNSUBSCRIBED",
    }
    assert hubspot.get(f"{V4}/statuses/a@example.com/unsubscribe-all?channel=EMAIL").results == []


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_v3_does_not_bring_an_address_back(version: str) -> None:
    hubspot = Wire()
    path = f"/communication-preferences/{version}"
    body = {"emailAddress": "a@example.com", "subscriptionId": str(MARKETING)}
    first = hubspot.post(f"{path}/subscribe", body)
    assert (first.status, first.content["status"]) == (200, "SUBSCRIBED")
    assert hubspot.post(f"{path}/unsubscribe", body).content["status"] == "NOT_SUBSCRIBED"
    assert hubspot.post(f"{path}/subscribe", body).status == 400
    opt_out_of_all(hubspot, "a@example.com")
    assert hubspot.post(f"{path}/subscribe", body).status == 400
    told = hubspot.get(f"{path}/status/email/a@example.com").content
    assert told["recipient"] == "a@example.com"
    assert {each["sourceOfStatus"] for each in told["subscriptionStatuses"]} == {"PORTAL_WIDE_STATUS"}
    if version != "v3":
        assert hubspot.post(f"{path}/resubscribe", body).content["status"] == "SUBSCRIBED"


def test_v3_lists_the_subscriptions_in_its_own_shape() -> None:
    told = Wire().get("/communication-preferences/v3/definitions").content["subscriptionDefinitions"]
    assert told[0]["name"] == "Marketing Information"


@pytest.mark.parametrize("path", FAMILIES)
def test_batches_of_addresses(path: str) -> None:
    hubspot = Wire()

    def batch(verb: str, inputs: list[Any]) -> Answer:
        return hubspot.post(f"{path}/statuses/batch/{verb}", {"inputs": inputs})

    rows = [
        {"subscriberIdString": each, "subscriptionId": MARKETING, "statusState": "SUBSCRIBED", "channel": "EMAIL"}
        for each in ("a@example.com", "B@example.com")
    ]
    assert [each["subscriberIdString"] for each in batch("write", rows).results] == ["a@example.com", "b@example.com"]
    (out,) = batch("unsubscribe-all?channel=EMAIL&verbose=true", ["b@example.com"]).results
    assert len(out["statuses"]) == 3
    assert batch("unsubscribe-all?channel=EMAIL", ["c@example.com"]).results == [
        {"subscriberIdString": "c@example.com"}
    ]
    read = batch("read?channel=EMAIL", ["a@example.com", "b@example.com"]).results
    assert [each["statuses"][0]["status"] for each in read] == ["SUBSCRIBED", "UNSUBSCRIBED"]
    wide = batch("unsubscribe-all/read?channel=EMAIL", ["a@example.com", "b@example.com"]).results
    assert [len(each["wideStatuses"]) for each in wide] == [0, 1]
    bad = [rows[0], {**rows[1], "statusState": "MAYBE"}]
    assert batch("write", bad).status == 400
    assert batch("read?channel=EMAIL", ["x@example.com"] * 101).status == 400


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", f"{V4}/statuses/a@example.com", None),
        ("GET", f"{V4}/statuses/a@example.com?channel=SMS", None),
        ("GET", f"{V4}/statuses/no-address?channel=EMAIL", None),
        ("POST", f"{V4}/statuses/a@example.com/unsubscribe-all", None),
        (
            "POST",
            f"{V4}/statuses/a@example.com",
            {"subscriptionId": 1, "statusState": "SUBSCRIBED", "channel": "EMAIL"},
        ),
        (
            "POST",
            f"{V4}/statuses/a@example.com",
            {"subscriptionId": MARKETING, "statusState": "SUBSCRIBED", "channel": "SMS"},
        ),
        (
            "POST",
            f"{V4}/statuses/a@example.com",
            {"subscriptionId": MARKETING, "statusState": "SUBSCRIBED", "channel": "EMAIL", "legalBasis": "FUN"},
        ),
    ],
)
def test_what_is_not_understood_is_refused(method: str, target: str, body: object) -> None:
    assert Wire().call(method, target, body).status == 400


def test_what_a_contact_shows_follows_its_address_and_is_a_modification() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    names = ("hs_email_optout", MIRROR, "lastmodifieddate")
    assert hubspot.read(id_, *names)["hs_email_optout"] is None
    hubspot.world.sleep(1)
    opt_out_of_all(hubspot, "A@example.com")
    assert list(hubspot.read(id_, *names).values()) == ["true", None, "2026-01-01T00:00:01.000Z"]
    hubspot.world.sleep(1)
    say(hubspot, "a@example.com", "SUBSCRIBED")
    assert list(hubspot.read(id_, *names).values()) == ["false", None, "2026-01-01T00:00:02.000Z"]
    hubspot.world.sleep(1)
    say(hubspot, "a@example.com", "UNSUBSCRIBED")
    assert list(hubspot.read(id_, *names).values()) == ["false", "true", "2026-01-01T00:00:03.000Z"]


def test_a_contact_with_a_fresh_address_is_mailable_again() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    opt_out_of_all(hubspot, "a@example.com")
    assert consent(hubspot.door, id_) == {"email": "out"}
    hubspot.patch(f"{CONTACTS}/{id_}", email="fresh@example.com")
    assert hubspot.read(id_, "hs_email_optout") == {"hs_email_optout": "false"}
    assert consent(hubspot.door, id_) == {}
    hubspot.patch(f"{CONTACTS}/{id_}", email="a@example.com")
    assert hubspot.read(id_, "hs_email_optout") == {"hs_email_optout": "true"}


def test_an_address_can_opt_out_before_a_contact_has_it() -> None:
    hubspot = Wire()
    opt_out_of_all(hubspot, "early@example.com")
    assert hubspot.get(CONTACTS).results == []
    id_ = hubspot.contact(email="Early@example.com")
    assert hubspot.read(id_, "hs_email_optout") == {"hs_email_optout": "true"}
    other = hubspot.contact(email="other@example.com")
    opt_out_of_all(hubspot, "next@example.com")
    hubspot.patch(f"{CONTACTS}/{other}", email="next@example.com")
    assert consent(hubspot.door, other) == {"email": "out"}


def test_an_additional_address_does_not_speak_for_the_contact() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", hs_additional_emails="b@example.com")
    opt_out_of_all(hubspot, "b@example.com")
    assert hubspot.read(id_, "hs_email_optout") == {"hs_email_optout": None}


def test_a_survivor_shows_the_consent_of_its_address() -> None:
    hubspot = Wire()
    first, second = hubspot.contact(email="a@example.com"), hubspot.contact(email="b@example.com")
    opt_out_of_all(hubspot, "b@example.com")
    survivor = hubspot.door.merge(Ref("contact", first), Ref("contact", second))
    assert hubspot.read(survivor.id, "hs_email_optout") == {"hs_email_optout": None}
    other = hubspot.contact(email="c@example.com")
    opt_out_of_all(hubspot, "c@example.com")
    last = hubspot.door.merge(Ref("contact", other), survivor)
    assert hubspot.read(last.id, "hs_email_optout") == {"hs_email_optout": "true"}


def test_the_person_opts_out_and_confirms_and_both_are_told_by_source_and_time() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    hubspot.door.opt_out("A@example.com")
    assert consent(hubspot.door, id_) == {"email": "out"}
    hubspot.world.sleep(60)
    hubspot.door.confirm("a@example.com")
    assert consent(hubspot.door, id_) == {"email": "in"}
    told = hubspot.get(f"{V4}/statuses/a@example.com?channel=EMAIL").results
    assert (told[0]["status"], told[0]["timestamp"]) == ("SUBSCRIBED", "2026-01-01T00:01:00.000Z")
    assert told[0]["source"] == "Form with double opt-in"
    assert told[0]["legalBasis"] == "CONSENT_WITH_NOTICE"
    assert told[1]["source"] == "Unsubscribe page"
    read = hubspot.get(f"{CONTACTS}/{id_}?propertiesWithHistory=hs_email_optout").content
    history = [(each["value"], each["sourceType"]) for each in read["propertiesWithHistory"]["hs_email_optout"]]
    assert history == [("false", "FORM"), ("true", "EMAIL")]


def test_a_second_confirmation_is_newer_evidence_and_no_modification() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    say(hubspot, "a@example.com", "SUBSCRIBED")
    before = hubspot.read(id_, "lastmodifieddate")
    hubspot.world.sleep(60)
    hubspot.door.confirm("a@example.com")
    told = hubspot.get(f"{V4}/statuses/a@example.com?channel=EMAIL").results[0]
    assert (told["source"], told["timestamp"]) == ("Form with double opt-in", "2026-01-01T00:01:00.000Z")
    assert hubspot.read(id_, "lastmodifieddate") == before


def test_a_salesperson_ticks_and_unticks_the_box() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com")
    ref = Ref("contact", id_)
    hubspot.door.edit(ref, {"hs_email_optout": True})
    assert set(states(hubspot, "a@example.com").values()) == {"UNSUBSCRIBED"}
    hubspot.door.edit(ref, {"hs_email_optout": "false", "city": "Oslo"})
    told = hubspot.get(f"{V4}/statuses/a@example.com?channel=EMAIL").results
    assert {(each["status"], each["source"]) for each in told} == {("SUBSCRIBED", "CRM UI")}
    hubspot.door.edit(ref, {MIRROR: "true"}, as_="workflow")
    assert states(hubspot, "a@example.com")[MARKETING] == "UNSUBSCRIBED"
    assert hubspot.read(id_, "city", MIRROR) == {"city": "Oslo", MIRROR: "true"}


def test_only_mail_is_a_channel_and_a_box_needs_an_address() -> None:
    hubspot = Wire()
    for act in (hubspot.door.opt_out, hubspot.door.confirm):
        with pytest.raises(ValueError, match="channel"):
            act("a@example.com", "sms")
    with pytest.raises(ValueError, match="address"):
        hubspot.door.put("contact", {"lastname": "Hansen", "hs_email_optout": "true"})
    assert hubspot.door.records() == []


def test_unticking_a_box_that_is_not_ticked_opts_nobody_in() -> None:
    hubspot = Wire()
    ref = hubspot.door.put("contact", {"email": "a@example.com", "hs_email_optout": "false"})
    assert set(states(hubspot, "a@example.com").values()) == {"NOT_SPECIFIED"}
    assert consent(hubspot.door, ref.id) == {}
