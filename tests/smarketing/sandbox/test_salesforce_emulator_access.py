"""Who is let in, for how long and how often; and every way of going wrong that the stand-in can be told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from connectors.backdoor import Fault, When
from smarketing.sandbox.emulator import Broken
from tests.smarketing.sandbox.salesforce_wire import BASE, CLIENT, ROOT, USER, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


class TestOAuth:
    def test_client_credentials_bring_a_token_that_tells_no_lifetime(self, wire: Wire) -> None:
        told = wire.form("token", grant_type="client_credentials", **CLIENT).content
        assert set(told) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
        assert (told["instance_url"], told["token_type"]) == (BASE, "Bearer")
        assert told["access_token"].startswith("00D")
        assert "!" in told["access_token"]
        signed = hmac.new(CLIENT["client_secret"].encode(), (told["id"] + told["issued_at"]).encode(), hashlib.sha256)
        assert told["signature"] == base64.b64encode(signed.digest()).decode()
        assert wire.call("GET", "limits", token=told["access_token"]).status == 200

    def test_the_client_may_come_as_basic_authentication(self, wire: Wire) -> None:
        basic = base64.b64encode(f"{CLIENT['client_id']}:{CLIENT['client_secret']}".encode()).decode()
        header = {"Authorization": f"Basic {basic}"}
        assert wire.form_as(header, "token", grant_type="client_credentials").status == 200
        assert wire.form_as({"Authorization": "Basic ?"}, "token", grant_type="client_credentials").status == 400

    def test_a_password_may_be_followed_by_a_security_token(self, wire: Wire) -> None:
        assert wire.form("token", grant_type="password", **CLIENT, **USER).status == 200
        longer = {**USER, "password": USER["password"] + "SECURITYTOKEN"}
        told = wire.form("token", grant_type="password", **CLIENT, **longer)
        assert told.status == 200
        assert "refresh_token" not in told.content

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            ({"grant_type": "client_credentials", **CLIENT, "client_secret": "wrong"}, "invalid_client"),
            ({"grant_type": "client_credentials", **CLIENT, "client_id": "wrong"}, "invalid_client_id"),
            ({"grant_type": "password", **CLIENT, **USER, "password": "wrong"}, "invalid_grant"),
            ({"grant_type": "password", **CLIENT, **USER, "username": "wrong"}, "invalid_grant"),
            ({"grant_type": "refresh_token", **CLIENT, "refresh_token": "wrong"}, "invalid_grant"),
            ({"grant_type": "authorization_code", **CLIENT, "code": "wrong"}, "invalid_grant"),
            ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"}, "invalid_grant"),
            ({"grant_type": "device"}, "unsupported_grant_type"),
        ],
        ids=lambda said: said if isinstance(said, str) else said["grant_type"],
    )
    def test_a_refusal_is_an_object_with_an_error(self, wire: Wire, said: dict[str, str], error: str) -> None:
        answer = wire.form("token", **said)
        assert (answer.status, answer.content["error"]) == (400, error)
        assert answer.content["error_description"]

    def test_a_person_who_agrees_gives_a_token_that_can_be_refreshed(self, wire: Wire) -> None:
        to = "http://127.0.0.1:9/back"
        asked = f"?response_type=code&client_id={CLIENT['client_id']}&redirect_uri={to}&state=s1"
        sent = wire.call("GET", f"/services/oauth2/authorize{asked}")
        assert sent.status == 302
        code = sent.headers["Location"].removeprefix(f"{to}?code=").partition("&")[0]
        assert sent.headers["Location"].endswith("&state=s1")
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": to, **CLIENT}
        told = wire.form("token", **said).content
        assert wire.form("token", **said).content["error"] == "invalid_grant"
        for asked in ("?client_id=wrong", f"?client_id={CLIENT['client_id']}&response_type=token"):
            assert wire.call("GET", f"/services/oauth2/authorize{asked}").status == 400
        refreshed = wire.form(
            "token", grant_type="refresh_token", refresh_token=told["refresh_token"], **CLIENT
        ).content
        assert refreshed["access_token"] != told["access_token"]
        assert wire.form("revoke", token=told["refresh_token"]).status == 200
        for token in (told["access_token"], refreshed["access_token"]):
            assert wire.call("GET", "limits", token=token).code == "INVALID_SESSION_ID"
        again = wire.form("token", grant_type="refresh_token", refresh_token=told["refresh_token"], **CLIENT)
        assert again.content["error"] == "invalid_grant"

    def test_a_revoked_token_is_no_good(self, wire: Wire) -> None:
        token, other = wire.sign_in(), wire.sign_in()
        assert wire.form("introspect", token=token, **CLIENT).content["active"] is True
        assert wire.form("revoke", token=token).status == 200
        assert wire.form("introspect", token=token, **CLIENT).content == {"active": False}
        assert wire.call("GET", "limits", token=token).code == "INVALID_SESSION_ID"
        assert wire.call("GET", "limits", token=other).status == 200
        assert wire.form("revoke", token="wrong").content["error"] == "invalid_token"

    def test_who_we_are_is_told(self, wire: Wire) -> None:
        told = wire.call("GET", "/services/oauth2/userinfo").content
        assert told["user_id"] == wire.door.org.users.us
        assert told["preferred_username"] == USER["username"]
        assert wire.call("GET", f"/id/{told['organization_id']}/{told['user_id']}").content == told
        assert wire.call("GET", "/services/oauth2/userinfo", token="wrong").status == 403
        assert wire.call("GET", "/services/oauth2/nonsense").status == 404


class TestSession:
    def test_a_session_ends_some_time_after_its_last_use(self) -> None:
        wire = Wire(session_seconds=900)
        for _ in range(3):
            assert wire.call("GET", "limits").status == 200
            wire.world.sleep(800)
        wire.world.sleep(101)
        answer = wire.call("GET", "limits")
        assert (answer.status, answer.code) == (401, "INVALID_SESSION_ID")
        assert wire.call("GET", "limits", token=wire.sign_in()).status == 200

    @pytest.mark.parametrize("header", ["", "Basic x", "Bearer "])
    def test_a_request_must_carry_a_token(self, wire: Wire, header: str) -> None:
        answer = wire.call("GET", "limits", headers={"Authorization": header})
        assert (answer.status, answer.code) == (401, "INVALID_AUTH_HEADER")

    def test_versions_are_told_to_anybody(self, wire: Wire) -> None:
        told = {each["version"]: each for each in wire.call("GET", "/services/data", token="none").content}
        assert told["60.0"] == {"label": "Spring '24", "url": "/services/data/v60.0", "version": "60.0"}
        assert told["59.0"]["label"] == "Winter '24"
        assert told["62.0"]["label"] == "Winter '25"
        assert told["64.0"]["label"] == "Summer '25"

    def test_an_unknown_version_or_path_is_not_found(self, wire: Wire) -> None:
        for target in ("/services/data/v12.0/limits", "/services/data/v99.0/limits", "/nonsense", f"{ROOT}/nonsense"):
            answer = wire.call("GET", target)
            assert (answer.status, answer.code) == (404, "NOT_FOUND"), target


class TestLimits:
    def test_each_answer_tells_what_the_day_has_used(self, wire: Wire) -> None:
        used = [wire.call("GET", "limits").headers["Sforce-Limit-Info"] for _ in range(2)]
        assert used == ["api-usage=1/100000", "api-usage=2/100000"]
        refused = wire.call("GET", "sobjects/Lead/nobody")
        assert refused.headers["Sforce-Limit-Info"] == "api-usage=3/100000"
        assert wire.call("GET", "limits").content["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_996}

    def test_a_spent_day_is_answered_403_until_its_calls_are_a_day_old(self) -> None:
        wire = Wire(daily_limit=3, session_seconds=7 * 86_400)
        for _ in range(3):
            assert wire.call("POST", "sobjects/Contact", {"LastName": "N"}).status == 201
        answer = wire.call("POST", "sobjects/Contact", {"LastName": "N"})
        assert (answer.status, answer.code) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=3/3"
        wire.world.sleep(23 * 3600)
        assert wire.call("GET", "limits").status == 403
        wire.world.sleep(3600)
        assert wire.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=1/3"

    def test_signing_in_and_refused_tokens_cost_nothing(self, wire: Wire) -> None:
        wire.sign_in()
        assert wire.call("GET", "limits", token="wrong").status == 401
        assert wire.call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=1/100000"

    def test_records_are_counted(self, wire: Wire) -> None:
        wire.call("DELETE", f"sobjects/Lead/{wire.lead()}")
        wire.lead()
        told = wire.call("GET", "limits/recordCount?sObjects=Lead,Contact,Nonsense").content
        assert told == {"sObjects": [{"count": 1, "name": "Lead"}, {"count": 0, "name": "Contact"}]}

    def test_an_address_that_is_too_long_is_refused_before_anything_else(self, wire: Wire) -> None:
        assert wire.call("GET", "query?q=" + "x" * 16_384).status == 414
        assert wire.call("GET", "query?q=" + "x" * 16_300).status == 431
        assert wire.call("GET", "query?q=" + "x" * 15_000).status == 400


class TestFaults:
    CONTACTS = When(path="sobjects/Contact")

    def post(self, wire: Wire) -> tuple[int, str]:
        answer = wire.call("POST", "sobjects/Contact", {"LastName": "N"})
        return answer.status, answer.code if answer.status >= 400 else ""

    @pytest.mark.parametrize(
        ("kind", "refusal", "made"),
        [
            (Fault.RATE, (403, "REQUEST_LIMIT_EXCEEDED"), 0),
            (Fault.ERROR, (503, "SERVER_UNAVAILABLE"), 0),
            (Fault.ERROR_AFTER, (503, "SERVER_UNAVAILABLE"), 1),
            (Fault.EXPIRED, (401, "INVALID_SESSION_ID"), 0),
            (Fault.FORBIDDEN, (403, "INSUFFICIENT_ACCESS"), 0),
        ],
    )
    def test_a_refusal_is_worded_as_the_vendor_does(
        self, wire: Wire, kind: Fault, refusal: tuple[int, str], made: int
    ) -> None:
        wire.token()
        wire.door.fault(kind, self.CONTACTS)
        assert self.post(wire) == refusal
        assert len(wire.door.records()) == made
        assert self.post(wire) == (201, "")

    def test_a_refusal_tells_the_day_but_not_how_long_to_wait(self, wire: Wire) -> None:
        wire.token()
        wire.door.fault(Fault.RATE, When(path="limits", value=5.0))
        answer = wire.call("GET", "limits")
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=0/100000"
        assert "Retry-After" not in answer.headers

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            (Fault.RATE, "rate_limit_exceeded"),
            (Fault.ERROR, "server_error"),
            (Fault.EXPIRED, "invalid_grant"),
            (Fault.FORBIDDEN, "invalid_grant"),
        ],
    )
    def test_the_token_endpoint_has_words_of_its_own(self, wire: Wire, kind: Fault, error: str) -> None:
        wire.door.fault(kind, When(path="oauth2/token"))
        answer = wire.form("token", grant_type="client_credentials", **CLIENT)
        assert answer.status in (400, 503)
        assert answer.content["error"] == error

    def test_the_instance_may_be_said_to_be_elsewhere(self, wire: Wire) -> None:
        wire.door.fault(Fault.FOREIGN_LINK, When(path="oauth2/token"))
        told = wire.form("token", grant_type="client_credentials", **CLIENT).content
        assert told["instance_url"] == "https://elsewhere.example.com"

    @pytest.mark.parametrize(("kind", "made"), [(Fault.CUT, 0), (Fault.CUT_AFTER, 1)])
    def test_an_answer_may_get_lost(self, wire: Wire, kind: Fault, made: int) -> None:
        wire.token()
        wire.door.fault(kind, self.CONTACTS)
        with pytest.raises(Broken):
            self.post(wire)
        assert len(wire.door.records()) == made
        assert wire.door.requests()[-1].status == 0

    def test_a_late_request_lands_when_its_time_has_come(self, wire: Wire) -> None:
        wire.token()
        wire.door.fault(Fault.LATE, When(path="sobjects/Contact", value=20.0))
        with pytest.raises(Broken):
            self.post(wire)
        wire.world.sleep(19)
        assert wire.door.records() == []
        wire.world.sleep(1)
        (kept,) = wire.door.records()
        assert kept.fields["CreatedDate"] == "2026-01-01T00:00:20.000+0000"

    def test_bodies_may_be_spoilt(self, wire: Wire) -> None:
        wire.token()
        wire.door.fault(Fault.HTML, When(path="limits"))
        assert wire.call("GET", "limits").headers["Content-Type"] == "text/html"
        wire.door.fault(Fault.TRUNCATED, When(path="limits"))
        with pytest.raises(json.JSONDecodeError):
            wire.call("GET", "limits")
        wire.door.fault(Fault.REDIRECT, When(path="limits"))
        assert wire.call("GET", "limits").status == 302

    def test_every_request_is_noted(self, wire: Wire) -> None:
        wire.token()
        self.post(wire)
        token, made = wire.door.requests()
        assert (token.method, token.path, token.status) == ("POST", "/services/oauth2/token", 200)
        assert (made.method, made.path, made.status) == ("POST", f"{ROOT}/sobjects/Contact", 201)
        assert json.loads(made.body) == {"LastName": "N"}
