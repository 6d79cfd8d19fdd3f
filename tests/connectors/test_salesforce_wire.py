"""How requests to Salesforce travel: the token, the address, what a failure means, and what never leaks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import httpx
import pytest
import requests
import respx
from requests.adapters import BaseAdapter

from connectors.base import Feed, FeedKind, Ref
from connectors.errors import Retry, Stop
from connectors.salesforce import Salesforce
from smarketing.sandbox.emulator import Broken, Reply, Request
from smarketing.world import RealWorld
from tests.connectors.scripted_salesforce import (
    DATA,
    SECRET,
    Org,
    Vault,
    complaint,
    field,
    grant,
    lead,
    lead_id,
    org,
    page,
    user,
)

EMAIL = "kari@example.com"
READ = Feed("Lead", FeedKind.DELTA)
NEXT = f"{DATA}/query/01g000000000001-2000"


@pytest.fixture
def crm() -> Iterator[Org]:
    with org() as made:
        made.on_query(page(lead(1)))
        yield made


def read(connector: Salesforce, object: str = "Lead") -> list[str]:
    return [each.ref.id for page in connector.changes(Feed(object, FeedKind.DELTA)) for each in page.records]


def expired() -> Reply:
    return complaint(401, "INVALID_SESSION_ID", "Session expired or invalid")


def test_nothing_is_requested_before_the_first_call(crm: Org) -> None:
    crm.connect().changes(READ)
    assert crm.requests == []


def test_the_sdk_talks_to_base_url_over_http_with_our_token_and_says_who_we_are(crm: Org) -> None:
    assert read(crm.connect()) == [lead_id(1)]
    token, query = crm.requests
    assert (token.method, token.path) == ("POST", "/services/oauth2/token")
    assert query.headers["authorization"] == "Bearer token-1"
    assert query.headers["user-agent"] == "smarketing"
    assert query.headers["sforce-call-options"] == "client=smarketing"
    assert query.headers["sforce-query-options"] == "batchSize=2000"
    assert "x-prettyprint" not in query.headers


def test_an_expired_session_is_renewed_and_the_request_goes_on(crm: Org) -> None:
    crm.on_query(page(lead(1), next_url=NEXT))
    crm.on("GET", NEXT, expired(), page(lead(2)))
    connector = crm.connect()
    assert read(connector) == [lead_id(1), lead_id(2)]
    assert [each.headers["authorization"] for each in crm.asked(NEXT)] == ["Bearer token-1", "Bearer token-2"]
    assert connector.requests() == {"get a token": 2, "read leads": 3}


def test_a_session_refused_twice_stops_with_the_way_out(crm: Org) -> None:
    crm.on_query(expired())
    with pytest.raises(Stop, match=r"refused twice; check client_id, client_secret .*smarketing check crm") as stop:
        read(crm.connect())
    assert stop.value.code == "SM307"
    assert crm.tokens == 2


def test_units_that_are_refused_together_make_one_token_request() -> None:
    with org() as crm:
        crm.world = RealWorld()  # type: ignore[assignment]
        units = 4
        met = threading.Barrier(units)

        def refuse_the_first(request: Request) -> Reply:
            return page(lead(1)) if request.headers["authorization"] == "Bearer token-2" else expired()

        crm.on_query(refuse_the_first)
        connector = crm.connect()
        read_by: list[list[str]] = []

        def unit() -> None:
            met.wait()
            read_by.append(read(connector))

        threads = [threading.Thread(target=unit) for _ in range(units)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read_by == [[lead_id(1)]] * units
        assert crm.tokens == 2


def test_a_token_outlives_the_connector_and_belongs_to_its_address_and_app(crm: Org) -> None:
    read(crm.connect())
    read(crm.connect())
    assert crm.tokens == 1
    read(crm.connect(client_id="another app"))
    assert crm.tokens == 2


@pytest.mark.parametrize(
    "kept", ["", "rubbish", '{"bearer":"x","instance":"https://elsewhere.example.com","user":null}']
)
def test_a_kept_token_that_is_of_no_use_is_made_anew_and_goes_nowhere_else(crm: Org, kept: str) -> None:
    read(crm.connect())
    (name,) = crm.vault.kept
    crm.vault.kept[name] = kept
    assert read(crm.connect()) == [lead_id(1)]
    assert crm.tokens == 2


def test_an_instance_elsewhere_is_refused_and_gets_no_credential(crm: Org) -> None:
    crm.instance = "https://elsewhere.example.com"
    with pytest.raises(Stop, match=r"elsewhere\.example\.com") as stop:
        read(crm.connect())
    assert stop.value.code == "SM305"
    assert len(crm.requests) == 1
    assert crm.vault.kept == {}


@pytest.mark.parametrize(
    ("instance", "fine"),
    [
        ("https://example.my.salesforce.com", True),
        ("https://example--test.sandbox.my.salesforce.com", True),
        ("http://example.my.salesforce.com", False),
        ("https://example.my.salesforce.com:8443", False),
        ("https://my.salesforce.com.example.com", False),
        ("https://notmy.salesforce.com", False),
        ("https://example.my.salesforce.com@elsewhere.example.com", False),
    ],
)
@respx.mock
def test_only_a_my_domain_address_may_stand_in_for_base_url(instance: str, fine: bool) -> None:
    respx.post("https://login.example.com/services/oauth2/token").respond(json=grant("t", instance))
    adapter = Recording()
    connector = Salesforce(
        "crm",
        Salesforce.Settings.model_validate(
            {"client_id": "app", "client_secret": SECRET, "base_url": "https://login.example.com"}
        ),
        RealWorld(),
        {},
        Vault(),
        adapter=adapter,
    )
    if fine:
        assert list(connector.fetch([Ref("Lead", lead_id(1))]))
        assert [url.partition("/services")[0] for url in adapter.urls] == [instance]
    else:
        with pytest.raises(Stop) as stop:
            list(connector.fetch([Ref("Lead", lead_id(1))]))
        assert stop.value.code == "SM305"
        assert adapter.urls == []


@pytest.mark.parametrize(
    "next_url", ["https://elsewhere.example.com/services/data/v62.0/query/01g", "//elsewhere.example.com/query/01g"]
)
def test_a_next_page_elsewhere_is_refused(crm: Org, next_url: str) -> None:
    crm.on_query(page(lead(1), next_url=next_url))
    with pytest.raises(Stop, match=r"elsewhere\.example\.com") as stop:
        read(crm.connect())
    assert stop.value.code == "SM305"


def test_a_redirect_is_not_followed(crm: Org) -> None:
    crm.on_query(Reply(302, {"Location": "https://elsewhere.example.com/"}))
    with pytest.raises(Stop, match="redirect") as stop:
        read(crm.connect())
    assert stop.value.code == "SM305"
    assert len(crm.asked()) == 1


@pytest.mark.parametrize(
    "hiccup",
    [
        complaint(503, "SERVER_UNAVAILABLE"),
        complaint(500, "UNKNOWN_EXCEPTION"),
        Reply(200, {"Content-Type": "text/html"}, b"<!doctype html><title>Maintenance</title>"),
        Reply(200, {"Content-Type": "application/json"}, b'{"records": [{"Id'),
        Reply(200),
        complaint(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
    ],
)
def test_a_reading_is_tried_again_after_a_passing_failure(crm: Org, hiccup: Reply) -> None:
    crm.on_query(hiccup, page(lead(1)))
    assert read(crm.connect()) == [lead_id(1)]
    assert len(crm.asked()) == 2


@pytest.mark.parametrize("odd", [{}, {"records": []}, [], [1]])
def test_an_answer_that_is_no_page_stops_and_is_no_crash(crm: Org, odd: object) -> None:
    crm.on_query(Reply.of(200, odd))
    with pytest.raises(Stop, match="has no records and done"):
        read(crm.connect())


def test_a_reading_is_tried_again_after_a_lost_connection(crm: Org) -> None:
    crm.on_query(cut, page(lead(1)))
    assert read(crm.connect()) == [lead_id(1)]


def test_the_time_that_the_vendor_asks_for_is_waited(crm: Org) -> None:
    crm.on_query(complaint(503, "SERVER_UNAVAILABLE", Retry_After="17"), page(lead(1)))
    read(crm.connect())
    assert crm.world.monotonic() == 17.0


def test_the_daily_limit_is_a_retry_for_the_schedule_and_no_loop(crm: Org) -> None:
    crm.on_query(complaint(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(Retry, match="403 REQUEST_LIMIT_EXCEEDED") as retry:
        read(crm.connect())
    assert retry.value.after == 3600.0
    assert len(crm.asked()) == 1


def test_the_share_of_the_day_that_the_vendor_tells_of_is_kept(crm: Org) -> None:
    told = Reply.of(200, {"done": True, "records": []}, {"Sforce-Limit-Info": "api-usage=799/1000"})
    full = Reply.of(200, {"done": True, "records": []}, {"Sforce-Limit-Info": "api-usage=800/1000"})
    crm.on_query(told, full)
    connector = crm.connect()
    read(connector)
    assert connector.quota() == (799, 1000)
    read(connector)
    with pytest.raises(Retry, match="800 of 1,000") as retry:
        read(connector)
    assert retry.value.code == "SM310"


def test_the_tighter_of_the_limits_counts_when_our_app_has_one_of_its_own(crm: Org) -> None:
    told = {"Sforce-Limit-Info": "api-usage=18/5000; per-app-api-usage=17/250(appName=smarketing)"}
    crm.on_query(Reply.of(200, {"done": True, "records": []}, told))
    connector = crm.connect()
    read(connector)
    assert connector.quota() == (17, 250)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "API_DISABLED_FOR_ORG"), (404, "NOT_FOUND"), (400, "MALFORMED_QUERY")]
)
def test_what_no_waiting_cures_stops_with_the_code_and_without_the_words(crm: Org, status: int, code: str) -> None:
    crm.on_query(complaint(status, code, f"never mind {EMAIL}"))
    with pytest.raises(Stop, match=f"{status} {code} while trying to read leads") as stop:
        read(crm.connect())
    assert EMAIL not in str(stop.value)
    assert len(crm.asked()) == 1


def test_a_code_that_is_no_code_is_not_told(crm: Org) -> None:
    crm.on_query(complaint(400, EMAIL))
    with pytest.raises(Stop, match="400 unknown while trying to read leads"):
        read(crm.connect())


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply.of(400, {"error": "invalid_client", "error_description": f"{SECRET} is wrong"}), "400 invalid_client"),
        (Reply.of(400, {"error": "invalid_grant", "error_description": "no run-as user"}), "400 invalid_grant"),
        (Reply.of(401, {"error": "x y"}), "401 unknown"),
        (Reply.of(200, {"instance_url": "x"}), "no access_token"),
    ],
)
def test_a_refused_token_request_says_what_to_check(crm: Org, reply: Reply, text: str) -> None:
    crm.on("POST", "/services/oauth2/token", reply)
    with pytest.raises(Stop, match=text) as stop:
        read(crm.connect())
    assert SECRET not in str(stop.value)
    assert len(crm.requests) == 1


def test_a_token_request_that_the_vendor_puts_off_is_tried_again(crm: Org) -> None:
    put_off = Reply.of(400, {"error": "unknown_error", "error_description": "retry your request"})
    crm.on("POST", "/services/oauth2/token", put_off, Reply.of(503, []), Reply.of(200, grant("t", crm.url)))
    assert read(crm.connect()) == [lead_id(1)]


def test_requests_are_counted_by_purpose(crm: Org) -> None:
    crm.on_query(page(lead(1, LastModifiedById=user("005000000000009AAA", None)["Id"])))
    crm.on_users(user("005000000000009AAA", "someone@example.com"))
    crm.on_describe("Lead", field("LastName"))
    connector = crm.connect()
    read(connector)
    list(connector.fetch([Ref("Lead", lead_id(1))]))
    connector.schema("Lead")
    assert connector.requests() == {
        "get a token": 1,
        "read leads": 1,
        "look up users": 1,
        "look up leads": 1,
        "describe Lead": 1,
    }


def test_connections_are_kept_between_requests(crm: Org) -> None:
    connector = crm.connect()
    for _ in range(3):
        read(connector)
    pools = connector._wire._adapter.poolmanager.pools  # type: ignore[attr-defined]
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118  it cannot be iterated


def test_neither_log_nor_text_nor_repr_holds_a_secret_or_a_person(crm: Org, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    crm.on_query(complaint(503, "SERVER_UNAVAILABLE", EMAIL), complaint(400, "MALFORMED_QUERY", f"{EMAIL} token-1"))
    connector = crm.connect()
    with pytest.raises(Stop) as stop:
        list(connector.find("Lead", "Email", [EMAIL]))
    told = "\n".join([caplog.text, str(stop.value), repr(stop.value), repr(connector), repr(connector.__dict__)])
    told += repr(connector._wire._grant()[1]) + repr(connector.Settings.model_validate(crm_settings(crm)))
    assert "is tried again" in caplog.text
    for private in (SECRET, EMAIL, "token-1", "kari"):
        assert private not in told
    assert stop.value.__cause__ is None


def test_a_failure_inside_the_sdk_becomes_a_stop_without_its_text(crm: Org) -> None:
    connector = crm.connect()

    def fail(sdk: object) -> None:
        from simple_salesforce.exceptions import SalesforceMalformedRequest

        raise SalesforceMalformedRequest(f"https://x/?q={EMAIL}", 400, "query", EMAIL.encode())

    with pytest.raises(Stop, match="SalesforceMalformedRequest") as stop:
        connector._wire.call("read leads", fail)
    assert EMAIL not in str(stop.value)


def test_the_sdk_cannot_be_made_to_ask_elsewhere(crm: Org) -> None:
    connector = crm.connect()
    with pytest.raises(Stop) as stop:
        connector._wire.call("read leads", lambda sdk: sdk.session.get("https://elsewhere.example.com/"))
    assert stop.value.code == "SM305"
    assert crm.requests == []


def test_token_requests_can_be_carried_by_a_transport(crm: Org) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=grant("in process", crm.url))

    connector = Salesforce(
        "crm",
        Salesforce.Settings.model_validate(crm_settings(crm)),
        crm.world,
        {"Lead": ["LastName"]},
        Vault(),
        transport=httpx.MockTransport(answer),
    )
    assert read(connector) == [lead_id(1)]
    connector.close()
    assert [each.headers["authorization"] for each in crm.requests] == ["Bearer in process"]


def crm_settings(crm: Org) -> dict[str, object]:
    return {"client_id": "app", "client_secret": SECRET, "base_url": crm.url}


def cut(request: Request) -> Reply:
    raise Broken


class Recording(BaseAdapter):
    """A `requests` adapter that writes down where it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def send(self, request: requests.PreparedRequest, *how: object, **more: object) -> requests.Response:
        self.urls.append(str(request.url))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b'{"done": true, "records": []}'
        return answer

    def close(self) -> None:
        """There is nothing to close."""
