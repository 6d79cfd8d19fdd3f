"""HubSpot's stand-in: who is let in, and how often."""

from __future__ import annotations

import pytest

from smarketing.sandbox.hubspot import App
from smarketing.sandbox.hubspot.access import SCOPES
from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Wire

APP = App("client-1", "sesame-1", "refresh-1")
GRANT = {
    "grant_type": "refresh_token",
    "client_id": "client-1",
    "client_secret": "sesame-1",
    "refresh_token": "refresh-1",
}


@pytest.mark.parametrize("token", [None, "pat-other", ""])
def test_a_request_without_the_token_is_refused_in_the_common_envelope(token: str | None) -> None:
    answer = Wire().call("GET", CONTACTS, token=token)
    assert answer.status == 401
    assert answer.content["status"] == "error"
    assert answer.content["category"] == "INVALID_AUTHENTICATION"
    assert len(answer.content["correlationId"]) == 36


def test_correlation_ids_are_never_used_twice() -> None:
    hubspot = Wire()
    said = {hubspot.get(f"{CONTACTS}/1").content["correlationId"] for _ in range(5)}
    assert len(said) == 5


@pytest.mark.parametrize(
    ("lacking", "method", "target"),
    [
        ("crm.objects.contacts.read", "GET", CONTACTS),
        ("crm.objects.contacts.read", "POST", f"{CONTACTS}/search"),
        ("crm.objects.contacts.read", "POST", f"{CONTACTS}/batch/read"),
        ("crm.objects.contacts.write", "POST", CONTACTS),
        ("crm.objects.contacts.write", "POST", f"{CONTACTS}/batch/update"),
        ("crm.objects.companies.read", "GET", "/crm/objects/2026-09/companies"),
        ("crm.objects.owners.read", "GET", "/crm/v3/owners"),
        ("crm.schemas.contacts.write", "POST", "/crm/v3/properties/contacts"),
        ("communication_preferences.statuses.batch.read", "POST", "/communication-preferences/v4/statuses/batch/read"),
    ],
)
def test_a_missing_scope_is_named(lacking: str, method: str, target: str) -> None:
    answer = Wire(scopes=SCOPES - {lacking}).call(method, target, {})
    assert answer.status == 403
    assert answer.content["category"] == "MISSING_SCOPES"
    assert lacking in answer.content["errors"][0]["context"]["requiredGranularScopes"]


@pytest.mark.parametrize("lacking", ["communication_preferences.read", "communication_preferences.read_write"])
def test_one_of_several_scopes_is_enough(lacking: str) -> None:
    hubspot = Wire(scopes=SCOPES - {lacking})
    assert hubspot.get("/communication-preferences/v4/definitions").status == 200


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_a_refresh_token_buys_an_access_token_for_half_an_hour(version: str) -> None:
    hubspot = Wire(app=APP)
    answer = hubspot.call("POST", f"/oauth/{version}/token", form=GRANT, token=None)
    assert answer.status == 200
    assert answer.content["token_type"] == "bearer"
    assert answer.content["expires_in"] == 1800
    assert answer.content["refresh_token"] == "refresh-1"
    assert ("hub_id" in answer.content) == (version != "v1")
    token = answer.content["access_token"]
    assert hubspot.call("GET", CONTACTS, token=token).status == 200
    hubspot.world.sleep(1800)
    late = hubspot.call("GET", CONTACTS, token=token)
    assert (late.status, late.content["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_two_access_tokens_differ_and_hold_side_by_side() -> None:
    hubspot = Wire(app=APP)
    issued = [hubspot.call("POST", "/oauth/v1/token", form=GRANT).content["access_token"] for _ in range(2)]
    assert len(set(issued)) == 2
    assert [hubspot.call("GET", CONTACTS, token=each).status for each in issued] == [200, 200]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"refresh_token": "refresh-2"}, "BAD_REFRESH_TOKEN"),
        ({"client_id": "client-2"}, "BAD_CLIENT_ID"),
        ({"client_secret": "sesame-2"}, "BAD_CLIENT_SECRET"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"grant_type": "authorization_code"}, "BAD_AUTH_CODE"),
    ],
)
def test_a_bad_token_request_is_told_by_its_status(wrong: dict[str, str], status: str) -> None:
    answer = Wire(app=APP).call("POST", "/oauth/v1/token", form=GRANT | wrong, token=None)
    assert (answer.status, answer.content["status"]) == (400, status)


def test_without_an_installed_app_there_are_no_tokens_to_buy() -> None:
    assert Wire().call("POST", "/oauth/v1/token", form=GRANT).content["status"] == "BAD_CLIENT_ID"


def test_a_token_request_is_a_form_and_not_json() -> None:
    assert Wire(app=APP).post("/oauth/v1/token", GRANT).status == 400


def test_an_access_token_tells_its_account_and_scopes() -> None:
    hubspot = Wire(app=APP, scopes=["oauth", "crm.objects.contacts.read"])
    token = hubspot.call("POST", "/oauth/v1/token", form=GRANT).content["access_token"]
    hubspot.world.sleep(600)
    about = hubspot.call("GET", f"/oauth/v1/access-tokens/{token}", token=None).content
    assert about["scopes"] == ["crm.objects.contacts.read", "oauth"]
    assert about["expires_in"] == 1200
    assert hubspot.get("/oauth/v1/access-tokens/unheard-of").status == 404
    assert hubspot.get("/oauth/v1/refresh-tokens/refresh-1").content["client_id"] == "client-1"


def test_secrets_of_an_app_stay_out_of_its_repr() -> None:
    assert "sesame-1" not in repr(APP)
    assert "refresh-1" not in repr(APP)


def test_the_eleventh_request_in_ten_seconds_is_too_many() -> None:
    hubspot = Wire(ten_second_limit=10)
    last = [hubspot.get(CONTACTS) for _ in range(10)][-1]
    assert last.status == 200
    assert last.headers["X-HubSpot-RateLimit-Max"] == "10"
    assert last.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert last.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    refused = hubspot.get(CONTACTS)
    assert refused.status == 429
    assert refused.content["errorType"] == "RATE_LIMIT"
    assert refused.content["policyName"] == "TEN_SECONDLY_ROLLING"
    assert refused.content["message"] == "You have reached your ten_secondly_rolling limit."
    hubspot.world.sleep(9.9)
    assert hubspot.get(CONTACTS).status == 429
    hubspot.world.sleep(0.2)
    assert hubspot.get(CONTACTS).status == 200


def test_the_day_has_a_limit_that_ends_at_midnight() -> None:
    hubspot = Wire(daily_limit=3)
    used = [hubspot.get(CONTACTS).headers["X-HubSpot-RateLimit-Daily-Remaining"] for _ in range(3)]
    assert used == ["2", "1", "0"]
    hubspot.world.sleep(3600)
    refused = hubspot.get(CONTACTS)
    assert (refused.status, refused.content["policyName"]) == (429, "DAILY")
    hubspot.world.sleep(23 * 3600)
    assert hubspot.get(CONTACTS).status == 200


def test_an_oauth_app_has_no_daily_limit_and_no_daily_headers() -> None:
    hubspot = Wire(app=APP, daily_limit=1)
    token = hubspot.call("POST", "/oauth/v3/token", form=GRANT).content["access_token"]
    answers = [hubspot.call("GET", CONTACTS, token=token) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 200]
    assert "X-HubSpot-RateLimit-Daily" not in answers[0].headers
    assert "X-HubSpot-RateLimit-Max" in answers[0].headers


def test_the_search_takes_five_a_second_and_carries_no_rate_headers() -> None:
    hubspot = Wire(ten_second_limit=3)
    answers = [hubspot.search() for _ in range(6)]
    assert [each.status for each in answers] == [200] * 5 + [429]
    assert not [name for each in answers for name in each.headers if name.startswith("X-HubSpot-RateLimit")]
    assert answers[-1].content["message"] == "You have reached your secondly limit."
    assert hubspot.get(CONTACTS).status == 200, "searches count for the limit of ten seconds"
    hubspot.world.sleep(1)
    assert hubspot.search().status == 200


def test_errors_carry_the_rate_headers_too() -> None:
    assert "X-HubSpot-RateLimit-Remaining" in Wire().get(f"{CONTACTS}/1").headers


def test_a_locked_account_takes_no_writes_for_a_while() -> None:
    hubspot = Wire()
    hubspot.door.lock(2.0)
    refused = hubspot.post(CONTACTS, {"properties": {"email": "a@example.com"}})
    assert (refused.status, refused.content["category"]) == (423, "LOCKED")
    assert hubspot.get(CONTACTS).status == 200
    assert hubspot.search().status == 200
    hubspot.world.sleep(2)
    assert hubspot.contact(email="a@example.com")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/crm/v3/nothing"),
        ("GET", "/crm/v4/objects/contacts"),
        ("GET", "/crm/v3/objects"),
        ("GET", "/crm/objects/2025-01/contacts"),
        ("PUT", CONTACTS),
        ("POST", f"{CONTACTS}/batch/nothing"),
        ("POST", "/crm/v3/objects/companies/merge"),
        ("GET", "/communication-preferences/v2/definitions"),
        ("POST", "/communication-preferences/v3/resubscribe"),
        ("GET", "/oauth/v9/token"),
    ],
)
def test_a_path_that_is_not_there_is_not_found(method: str, target: str) -> None:
    answer = Wire().call(method, target)
    assert (answer.status, answer.content["category"]) == (404, "OBJECT_NOT_FOUND")


def test_an_unknown_object_type_is_told() -> None:
    assert Wire().get("/crm/v3/objects/tickets").status == 400


@pytest.mark.parametrize("path", [CONTACTS, "/crm/v3/objects/0-1", "/crm/v3/objects/contact", CONTACTS + "/"])
def test_an_object_type_has_several_names(path: str) -> None:
    assert Wire().get(path).status == 200


def test_a_body_that_is_no_json_or_lacks_a_part_is_told() -> None:
    hubspot = Wire()
    assert hubspot.post(CONTACTS, {"props": {}}).status == 400
    assert hubspot.post(CONTACTS, []).status == 400
    assert hubspot.call("POST", CONTACTS, form={"properties": "x"}).status == 415
