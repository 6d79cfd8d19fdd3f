"""How HubSpot says no: one envelope for every error, and the same thing as a row of a batch answer.

Source: HubSpot docs, "error handling" and the objects guide; spec: `Error`, `StandardError`, `ErrorDetail`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from smarketing.sandbox.emulator import Reply

PORTAL_ID = 9_104_001
JSON = {"Content-Type": "application/json;charset=utf-8"}


def reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {**JSON, **(headers or {})}, msgspec.json.encode(content))


@dataclass(frozen=True, slots=True)
class Problem:
    """One property value that will not do."""

    name: str
    code: str
    message: str


@dataclass(slots=True, eq=False)
class Refusal(Exception):
    """A request, or a row of one, that is not carried out."""

    status: int
    category: str
    message: str
    errors: Sequence[Mapping[str, object]] = ()
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def envelope(self, correlation: str) -> dict[str, object]:
        content: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation,
            "category": self.category,
        }
        if self.context:
            content["context"] = self.context
        if self.errors:
            content["errors"] = self.errors
        return {**content, **self.more}

    def row(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The refusal as one of the `errors` of a batch answer (207)."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {**self.context, **context},
            "errors": list(self.errors),
            "links": {},
        }


def bad_request(message: str) -> Refusal:
    return Refusal(400, "VALIDATION_ERROR", message)


def invalid(problems: Sequence[Problem]) -> Refusal:
    """Property values that are refused: a list within the message, and again in `errors`."""
    told = [
        {
            "isValid": False,
            "message": each.message,
            "error": each.code,
            "name": each.name,
            "localizedErrorMessage": each.message,
        }
        for each in problems
    ]
    errors = [
        {"message": each.message, "code": each.code, "context": {"propertyName": [each.name]}} for each in problems
    ]
    listed = msgspec.json.encode(told).decode()
    return Refusal(400, "VALIDATION_ERROR", f"Property values were not valid: {listed}", errors)


def exists(label: str, holder: int) -> Refusal:
    """An address that another contact has; its id stands in the text alone (hubspot-api-php issue 59)."""
    return Refusal(409, "CONFLICT", f"{label} already exists. Existing ID: {holder}")


def taken(label: str, name: str, value: str, writer: int, holder: int) -> Refusal:
    """Any other unique value that another record has. Two ids stand in the text: the one that was being written (a
    create has been given one already) and behind it the holder's (seen in the field by many clients)."""
    kind = f"ObjectTypeId{{legacyObjectType={label}}}"
    where = f"portalId={PORTAL_ID}, objectTypeId={kind}, propertyName={name}, value={value}"
    message = f"Cannot set PropertyValueCoordinates{{{where}}} on {writer}. {holder} already has that value."
    errors = [{"message": message, "code": "CONFLICTING_UNIQUE_VALUE", "context": {"propertyName": [name]}}]
    return Refusal(400, "VALIDATION_ERROR", message, errors)


def not_found() -> Refusal:
    return Refusal(404, "OBJECT_NOT_FOUND", "resource not found")


def some_not_found(label: str, ids: Sequence[str]) -> dict[str, Any]:
    """The one row that stands for every id of a batch that is not there."""
    message = f"Could not get some {label} objects, they may be deleted or not exist. Check that ids are valid."
    return Refusal(404, "OBJECT_NOT_FOUND", message).row({"ids": list(ids)})


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    return Refusal(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        [
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        more={"links": {"scopes": "https://developers.hubspot.com/scopes"}},
    )


def unauthenticated() -> Refusal:
    return Refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or not valid.")


def expired() -> Refusal:
    return Refusal(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call has expired.")


def locked() -> Refusal:
    return Refusal(423, "LOCKED", "The resource is locked by other writes; try again in a few seconds.")


def too_many(policy: str, request_id: str, headers: Mapping[str, str]) -> Refusal:
    return Refusal(
        429,
        "RATE_LIMITS",
        f"You have reached your {policy.lower()} limit.",
        more={"errorType": "RATE_LIMIT", "policyName": policy, "requestId": request_id},
        headers=headers,
    )


def broken() -> Refusal:
    return Refusal(500, "INTERNAL_ERROR", "internal error")


class Voice:
    """Answers with numbers of their own, and the faults that every emulator can be told (`emulator.Words`)."""

    def __init__(self) -> None:
        self._count = 0

    def number(self) -> str:
        """A correlation id: a UUID that counts."""
        self._count += 1
        return f"00000000-0000-4000-8000-{self._count:012x}"

    def say(self, refusal: Refusal) -> Reply:
        number = self.number()
        headers = {"x-hubspot-correlation-id": number, **refusal.headers}
        return reply(refusal.envelope(number), refusal.status, headers)

    def rate(self, seconds: float) -> Reply:
        headers = {"Retry-After": f"{seconds:g}"} if seconds else {}
        return self.say(too_many("TEN_SECONDLY_ROLLING", self.number(), headers))

    def error(self) -> Reply:
        return self.say(broken())

    def expired(self) -> Reply:
        return self.say(expired())

    def forbidden(self) -> Reply:
        return self.say(missing_scopes(["crm.objects.contacts.read", "crm.objects.contacts.write"]))
