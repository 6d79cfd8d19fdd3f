"""What answers on the wire mean, the odd ones first; and what the settings take."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx
from pydantic import ValidationError

from connectors.base import Done, Feed, FeedKind, Ref, Unknown, Write, WriteKind
from connectors.errors import ConnectorError, Retry, Stop
from connectors.http import Unauthorized
from connectors.mailchimp import Mailchimp, MailchimpSettings
from connectors.mailchimp.native import hashed
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

KEY = "0123456789abcdef0123456789abcdef-us19"
ROOT = "https://us19.api.mailchimp.com/3.0/lists/abc123def4"
MEMBERS = f"{ROOT}/members"
CONTACT = "a" * 32
DELTA = Feed("member", FeedKind.DELTA)


def connector(**settings: Any) -> Mailchimp:
    told = MailchimpSettings.model_validate({"api_key": KEY, "list_id": "abc123def4", **settings})
    wanted = {"member": ("email_address", "status", "tags", "FNAME")}
    return Mailchimp("news", told, ManualWorld(), wanted, NoSecrets())


def member(**more: Any) -> dict[str, Any]:
    return {
        "id": "0" * 32,
        "contact_id": CONTACT,
        "email_address": "ann@example.com",
        "status": "subscribed",
        "merge_fields": {"FNAME": "Ann"},
        "last_changed": "2026-01-01T00:00:00+00:00",
        "tags_count": 0,
        "tags": [],
        **more,
    }


def problem(status: int, title: str, detail: str = "ann@example.com will not do") -> httpx.Response:
    return httpx.Response(
        status, json={"type": "x", "title": title, "status": status, "detail": detail, "instance": "y"}
    )


def update(**fields: Any) -> Write:
    return Write(WriteKind.UPDATE, "key-1", "member", Ref("member", CONTACT), fields)


def test_the_data_centre_is_that_of_the_key_and_the_key_a_bearer_token() -> None:
    with respx.mock:
        route = respx.get(MEMBERS).mock(return_value=httpx.Response(200, json={"members": [], "total_items": 0}))
        next(connector().changes(DELTA))
        assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


def test_a_time_goes_with_its_plus_encoded() -> None:
    """A plus that is not would become a blank, and the filter would be dropped."""
    with respx.mock:
        route = respx.get(MEMBERS).mock(return_value=httpx.Response(200, json={"members": [], "total_items": 0}))
        next(connector().changes(Feed("member", FeedKind.DELTA, '{"since":1767225600}')))
        assert b"since_last_changed=2026-01-01T00%3A00%3A00%2B00%3A00" in route.calls.last.request.url.query


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem(401, "API Key Invalid"), Unauthorized, "data centre"),
        (problem(403, "Forbidden"), Stop, "lacks a right"),
        (httpx.Response(403), Retry, "at once"),  # at very high volume it has no body
        (problem(404, "Resource Not Found"), Stop, "no audience"),
        (problem(429, "Too Many Requests"), Retry, "at once"),
        (httpx.Response(503, text="<html>"), Retry, "503"),
        (problem(400, "Bad Request"), Stop, "400 Bad Request"),
        (httpx.Response(200, json={"total_items": 0}), Retry, "no whole answer"),
        (httpx.Response(200, json=[]), Retry, "no whole answer"),
        (httpx.Response(200, text="Everything's fine"), Retry, "no whole answer"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example.com"}), Stop, "redirect"),
    ],
)
def test_what_an_answer_to_a_reading_means(answer: httpx.Response, kind: type[ConnectorError], says: str) -> None:
    with respx.mock:
        respx.get(MEMBERS).mock(return_value=answer)
        with pytest.raises(kind, match=says) as caught:
            next(connector().changes(DELTA))
    assert "ann@" not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [problem(500, "Internal Server Error"), httpx.Response(200, text="{"), httpx.Response(200, json={})],
)
def test_a_write_whose_answer_cannot_be_read_is_in_doubt(answer: httpx.Response) -> None:
    with respx.mock:
        respx.patch(f"{MEMBERS}/{CONTACT}").mock(return_value=answer)
        assert connector().write([update(FNAME="Ann")]) == [Unknown(300.0)]


def test_an_answer_that_names_one_of_two_rows_leaves_the_other_in_doubt() -> None:
    rows = [
        Write(WriteKind.CREATE, f"key-{name}", "member", None, {"email_address": f"{name}@example.com"})
        for name in ("ann", "ola")
    ]
    made = member(id=hashed("ann@example.com"))
    with respx.mock:
        respx.post(ROOT).mock(return_value=httpx.Response(200, json={"new_members": [made], "errors": []}))
        answers = connector().write(rows)
    assert [type(each) for each in answers] == [Done, Unknown]


def test_an_error_without_a_known_word_blames_its_field_and_repeats_nothing() -> None:
    with respx.mock:
        answer = httpx.Response(
            400, json={"title": "Invalid Resource", "errors": [{"field": "FNAME", "message": "Ann is no name"}]}
        )
        respx.patch(f"{MEMBERS}/{CONTACT}").mock(return_value=answer)
        (refused,) = connector().write([update(FNAME="Ann")])
    assert (refused.fields, refused.code) == (("FNAME",), "Invalid Resource")  # type: ignore[union-attr]
    assert "Ann" not in refused.text  # type: ignore[union-attr]


def test_a_title_that_is_no_title_is_not_repeated() -> None:
    with respx.mock:
        respx.get(MEMBERS).mock(return_value=problem(400, "ann@example.com is not welcome"))
        with pytest.raises(Stop) as caught:
            next(connector().changes(DELTA))
    assert "ann" not in str(caught.value)


def test_too_many_at_once_is_waited_for_and_tried_again() -> None:
    with respx.mock:
        good = httpx.Response(200, json={"members": [member()], "total_items": 1})
        route = respx.get(MEMBERS).mock(side_effect=[problem(429, "Too Many Requests"), httpx.Response(403), good])
        page = next(connector().changes(DELTA))
    assert [record.fields["FNAME"] for record in page.records] == ["Ann"]
    assert route.call_count == 3


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"api_key": "0123456789abcdef"}, "data centre"),
        ({"list_id": "not a list"}, "pattern"),
        ({"base_url": "http://us19.api.mailchimp.com"}, "https://"),
        ({"parallel": 11}, "10"),
    ],
)
def test_settings_that_cannot_be_meant(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        connector(**settings)


def test_two_systems_with_one_audience_are_one_place() -> None:
    def place(**settings: Any) -> tuple[object, ...]:
        return MailchimpSettings.model_validate({"api_key": KEY, "list_id": "abc123def4", **settings}).place()

    assert place() == place(api_key="fedcba9876543210fedcba9876543210-us19")
    assert place() != place(list_id="abc123def5")
    assert KEY not in repr(MailchimpSettings.model_validate({"api_key": KEY, "list_id": "abc123def4"}))
