"""Requests to HubSpot: what each kind of answer means, and what never leaves."""

from __future__ import annotations

import logging

import httpx
import pytest
import respx
from pydantic import ValidationError

from connectors.base import Feed, FeedKind, Ref, Unknown
from connectors.errors import ConnectorError, Retry, Stop
from connectors.http import Unauthorized
from connectors.hubspot import HubSpot, HubSpotSettings
from smarketing.sandbox.emulator import Broken, Reply, Request
from tests.connectors.scripted_hubspot import (
    AT,
    OBJECTS,
    PREFERENCES,
    TOKEN,
    Scripted,
    batch,
    create,
    echo,
    listing,
    row,
    trouble,
    update,
)
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

LIST = f"GET {OBJECTS}"
READ = f"POST {OBJECTS}/batch/read"
UPDATE = f"POST {OBJECTS}/batch/update"
CREATE = f"POST {OBJECTS}/batch/create"
DELTA = Feed("contact", FeedKind.DELTA)
HTML = Reply(200, {"Content-Type": "text/html"}, b"<!doctype html><title>Back soon</title>")
ELSEWHERE = Reply(302, {"Location": "https://elsewhere.example.com/"})


def pull(connector: HubSpot) -> list[str]:
    return [record.ref.id for page in connector.changes(DELTA) for record in page.records]


def cut(request: Request) -> Reply:
    raise Broken


def half(request: Request) -> Reply:
    whole = echo(request)
    return Reply(whole.status, whole.headers, whole.body[:40])


# readings that fail


@pytest.mark.parametrize(
    "passing",
    [
        trouble(500, "INTERNAL_ERROR"),
        Reply(502, {}, b"bad gateway"),
        Reply(521, {}, b""),
        HTML,
        Reply(200, {"Content-Type": "application/json"}, b'{"results": [{"id": "1"'),
        trouble(429, "RATE_LIMITS", headers={"Retry-After": "3"}),
        trouble(423, "LOCKED"),
        cut,
    ],
)
def test_a_passing_trouble_of_a_reading_is_waited_out(hubspot: Scripted, passing: Reply) -> None:
    hubspot.on(LIST, passing, listing(row(1)))
    assert pull(hubspot.connector()) == ["1"]
    assert len(hubspot.seen) == 2


@pytest.mark.parametrize("garbled", [HTML, Reply(200, {"Content-Type": "application/json"}, b'{"results": [')])
def test_a_lasting_page_for_people_is_a_retry_that_says_so(hubspot: Scripted, garbled: Reply) -> None:
    hubspot.on(LIST, garbled)
    with pytest.raises(Retry, match="no whole answer to 'read contacts'") as caught:
        pull(hubspot.connector())
    assert caught.value.code == "SM306"
    assert len(hubspot.seen) == 5


@pytest.mark.parametrize(
    ("answer", "at_least", "below"),
    [
        (trouble(429, "RATE_LIMITS", headers={"Retry-After": "7"}), 7, 8),
        (
            trouble(429, "", "You have reached your ten_secondly_rolling limit.", policyName="TEN_SECONDLY_ROLLING"),
            10,
            11,
        ),
        (trouble(429, "RATE_LIMITS", "You have reached your secondly limit.", policyName="SECONDLY"), 1, 2),
        (trouble(423, "LOCKED"), 2, 3),
        (trouble(423, "LOCKED", headers={"Retry-After": "1"}), 2, 3),
    ],
)
def test_the_vendor_is_given_the_time_it_asks_for(hubspot: Scripted, answer: Reply, at_least: int, below: int) -> None:
    hubspot.on(LIST, answer, listing())
    world = ManualWorld()
    pull(hubspot.connector(world=world))
    assert at_least <= world.monotonic() < below


def test_the_end_of_the_days_requests_is_not_knocked_at(hubspot: Scripted) -> None:
    hubspot.on(LIST, trouble(429, "RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY"))
    world = ManualWorld()
    with pytest.raises(Retry, match="used up") as caught:
        pull(hubspot.connector(world=world))
    assert caught.value.code == "SM310"
    assert caught.value.after is not None
    assert caught.value.after >= 3600
    assert len(hubspot.seen) == 1
    assert world.monotonic() == 0


def test_a_moving_account_is_left_alone_for_as_long_as_it_says(hubspot: Scripted) -> None:
    hubspot.on(LIST, Reply(477, {"Retry-After": "7200"}, b""))
    with pytest.raises(Retry, match="being moved") as caught:
        pull(hubspot.connector())
    assert caught.value.after == 7200
    assert len(hubspot.seen) == 1


def test_a_refused_token_says_which_and_what_to_do(hubspot: Scripted) -> None:
    hubspot.on(LIST, trouble(401, "INVALID_AUTHENTICATION", f"The token {TOKEN} is not valid"))
    with pytest.raises(Unauthorized) as caught:
        pull(hubspot.connector())
    assert str(caught.value) == (
        "crm: 401 INVALID_AUTHENTICATION while trying to read contacts: the token was refused; check the token of "
        'systems.crm, then run "smarketing check crm"'
    )
    assert caught.value.code == "SM307"
    assert len(hubspot.seen) == 1


def test_a_missing_scope_is_named(hubspot: Scripted) -> None:
    errors = [{"message": "…", "context": {"requiredGranularScopes": ["crm.objects.contacts.read", "b.c"]}}]
    hubspot.on(LIST, trouble(403, "MISSING_SCOPES", "one or more scopes", errors=errors))
    with pytest.raises(Stop, match=r"lacks b\.c, crm\.objects\.contacts\.read; add it"):
        pull(hubspot.connector())
    assert len(hubspot.seen) == 1


def test_another_refusal_stops_with_its_category_and_without_its_words(hubspot: Scripted) -> None:
    hubspot.on(LIST, trouble(400, "VALIDATION_ERROR", "kari@example.com is wrong"))
    with pytest.raises(Stop, match="400 VALIDATION_ERROR while trying to read contacts") as caught:
        pull(hubspot.connector())
    assert "kari" not in str(caught.value)


# redirects and other addresses


def test_a_redirect_is_refused(hubspot: Scripted) -> None:
    hubspot.on(LIST, ELSEWHERE)
    with pytest.raises(Stop, match="redirect") as caught:
        pull(hubspot.connector())
    assert caught.value.code == "SM305"
    assert len(hubspot.seen) == 1


def test_a_redirect_of_communication_preferences_is_refused_too(hubspot: Scripted) -> None:
    hubspot.on(READ, batch(row(1, {"email": "kari@example.com"})))
    hubspot.on(f"POST {PREFERENCES}/read", ELSEWHERE)
    with pytest.raises(Stop, match="redirect"):
        list(hubspot.connector(["consent:email"]).fetch([Ref("contact", "1")]))


def test_a_next_page_at_another_address_is_not_gone_to(hubspot: Scripted) -> None:
    foreign = {"after": "2", "link": "https://elsewhere.example.com/crm/v3/objects/contacts?after=2"}
    page = Reply.of(200, {"results": [row(1)], "paging": {"next": foreign}})
    hubspot.on(LIST, page, listing(row(2)))
    assert pull(hubspot.connector()) == ["1", "2"]


# writes that fail


@pytest.mark.parametrize("answer", [trouble(500, "INTERNAL_ERROR"), trouble(503, ""), HTML, half, cut])
def test_a_write_without_a_whole_answer_is_in_doubt_and_not_sent_again(hubspot: Scripted, answer: Reply) -> None:
    hubspot.on(UPDATE, answer)
    world = ManualWorld()
    answers = hubspot.connector(world=world).write([update(1, firstname="Kari"), update(2, firstname="Ola")])
    assert answers == [Unknown(600.0), Unknown(600.0)]
    assert len(hubspot.seen) == 1
    assert world.monotonic() == 0


@pytest.mark.parametrize("status", [423, 429])
def test_a_write_that_was_turned_away_is_sent_again(hubspot: Scripted, status: int) -> None:
    hubspot.on(UPDATE, trouble(status, "LOCKED"), echo)
    (answer,) = hubspot.connector().write([update(1, firstname="Kari")])
    assert answer.id == "1"  # type: ignore[union-attr]
    assert len(hubspot.seen) == 2


def test_a_server_that_is_not_there_leaves_no_write_in_doubt() -> None:
    connector = HubSpot(
        "crm",
        HubSpotSettings.model_validate({"token": TOKEN, "base_url": "http://127.0.0.1:9"}),
        ManualWorld(),
        {"contact": ["firstname"]},
        NoSecrets(),
    )
    with pytest.raises(Retry, match=r"127\.0\.0\.1:9 refuses connections; check base_url"):
        connector.write([update(1, firstname="Kari")])
    connector.close()


def test_a_time_out_after_sending_is_in_doubt(hubspot: Scripted) -> None:
    slow = echo(Request.of("POST", "/x/update", {}, b'{"inputs": []}', ""))
    hubspot.on(UPDATE, Reply(slow.status, slow.headers, slow.body, delay=1.0))
    assert hubspot.connector(timeout=0.2).write([update(1, firstname="Kari")]) == [Unknown(600.0)]


def test_preferences_that_end_in_the_middle_of_a_write_leave_it_in_doubt(hubspot: Scripted) -> None:
    with respx.mock(assert_all_called=False) as wire:
        wire.post(url__regex=r".*/unsubscribe-all\?.*").mock(side_effect=httpx.RemoteProtocolError("peer closed"))
        answers = hubspot.connector().write([update(1, email="kari@example.com", consent="out")])
    assert answers == [Unknown(600.0)]


def test_preferences_that_cannot_be_reached_left_nothing(hubspot: Scripted) -> None:
    with respx.mock(assert_all_called=False) as wire:
        route = wire.post(url__regex=r".*/unsubscribe-all\?.*")
        route.mock(side_effect=httpx.ConnectError("nobody there"))
        with pytest.raises(Retry, match=r"127\.0\.0\.1:\d+ cannot be reached; check base_url"):
            hubspot.connector().write([update(1, email="kari@example.com", consent="out")])
    assert route.call_count == 5


# budgets and counting


def test_the_vendors_day_is_known_from_its_headers_and_our_share_of_it_is_kept(hubspot: Scripted) -> None:
    told = {"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": "400"}
    hubspot.on(LIST, Reply(200, {"Content-Type": "application/json", **told}, b'{"results": []}'))
    connector = hubspot.connector(daily_share=0.5)
    assert connector.quota() is None
    pull(connector)
    assert connector.quota() == (600, 1000)
    with pytest.raises(Retry) as caught:
        pull(connector)
    assert caught.value.code == "SM310"
    assert len(hubspot.seen) == 1


def test_searches_keep_to_five_a_second_and_other_requests_to_their_ten_seconds(hubspot: Scripted) -> None:
    hubspot.on(f"POST {OBJECTS}/search", listing())
    hubspot.on(LIST, listing())
    world = ManualWorld()
    connector = hubspot.connector(world=world, requests_per_10s=100)
    for _ in range(11):
        list(connector.changes(Feed("contact", FeedKind.DELTA, '{"since": 1}')))
    assert 2.0 <= world.monotonic() <= 3.0
    begin = world.monotonic()
    for _ in range(120):
        pull(connector)
    assert world.monotonic() - begin >= 10.0
    assert {(rate.bucket, rate.requests, rate.seconds) for rate in connector.capabilities.rates} == {
        ("all", 100, 10.0),
        ("search", 5, 1.0),
    }


def test_requests_are_counted_by_purpose(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1, {"email": "kari@example.com"})))
    hubspot.on(CREATE, echo)
    hubspot.on(UPDATE, echo)
    hubspot.on(f"POST {OBJECTS}/batch/archive", Reply(204))
    hubspot.on("GET /crm/v3/properties/contacts/smarketing_id", trouble(404, "OBJECT_NOT_FOUND"))
    for path, key in (("read", "statuses"), ("unsubscribe-all/read", "wideStatuses"), ("unsubscribe-all", "statuses")):
        hubspot.on(f"POST {PREFERENCES}/{path}", batch({"subscriberIdString": "kari@example.com", key: []}))
    connector = hubspot.connector(["email", "consent:email"])
    pull(connector)
    gone = update(1)
    connector.write([create("k", email="kari@example.com", consent="out")])
    connector.write([update(1, firstname="Kari")])
    connector.write([type(gone)(kind=type(gone.kind)("archive"), key="a", object="contact", ref=gone.ref, fields={})])
    assert connector.requests() == {
        "read contacts": 1,
        "read consent": 2,
        "read properties": 1,
        "write consent": 1,
        "create contacts": 1,
        "update contacts": 1,
        "archive contacts": 1,
    }


def test_one_pool_serves_all_objects_of_the_sdk(hubspot: Scripted) -> None:
    hubspot.on(LIST, listing(row(1, {"hubspot_owner_id": None})))
    hubspot.on(READ, batch(row(1)))
    connector = hubspot.connector(["firstname"])
    for _ in range(5):
        pull(connector)
        list(connector.fetch([Ref("contact", "1")]))
    pool = connector._wire._pool.pools  # type: ignore[attr-defined]
    (connections,) = (pool[key] for key in pool.keys())  # noqa: SIM118
    assert connections.num_connections == 1
    assert connections.num_requests == 10


# secrets


def test_the_token_is_in_no_text_no_log_and_no_repr(hubspot: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    secret = "kari@example.com"
    texts = [repr(HubSpotSettings.model_validate({"token": TOKEN}))]
    quoting = trouble(400, "VALIDATION_ERROR", f"{secret} {TOKEN}")
    with caplog.at_level(logging.DEBUG):
        for answer in (quoting, trouble(401, "X", TOKEN), trouble(500, "X", TOKEN), ELSEWHERE, HTML, cut):
            hubspot.on(LIST, answer)
            connector = hubspot.connector()
            with pytest.raises(ConnectorError) as caught:
                pull(connector)
            texts += [str(caught.value), repr(caught.value), repr(connector)]
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
        hubspot.on(CREATE, trouble(409, "CONFLICT", f"{secret} exists {TOKEN}"))
        hubspot.on("GET /crm/v3/properties/contacts/smarketing_id", trouble(404, "OBJECT_NOT_FOUND"))
        texts += map(repr, hubspot.connector().write([create("k", email=secret)]))
    texts += [record.getMessage() for record in caplog.records]
    assert caplog.records
    for text in texts:
        assert secret not in text
    for text in texts:
        assert TOKEN not in text
    authorised = {each.headers.get("authorization") for each in hubspot.seen}
    assert authorised == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "wrong",
    [{"tokn": "x"}, {"key_property": "Smarketing Id"}, {"parallel": 0}, {"daily_share": 1.5}, {"requests_per_10s": 0}],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HubSpotSettings.model_validate({"token": TOKEN, **wrong})


def test_an_object_that_is_no_contact_is_refused_before_any_request(hubspot: Scripted) -> None:
    with pytest.raises(Stop, match="no object 'deal'"):
        hubspot.connector().changes(Feed("deal", FeedKind.DELTA))
    assert AT
