"""How Mailchimp says no: `application/problem+json`, the same five members each time, `errors` where fields are blamed.

Source: Mailchimp docs, errors; spec: every answer's `default` schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from smarketing.sandbox.emulator import Reply

TYPE = "https://mailchimp.com/developer/marketing/docs/errors/"
DESCRIBED = '<https://us1.api.mailchimp.com/schema/3.0/ProblemDetailDocument.json>; rel="describedBy"'
JSON = {"Content-Type": "application/json; charset=utf-8"}


def reply(content: object, status: int = 200) -> Reply:
    return Reply(status, JSON, msgspec.json.encode(content))


def nothing() -> Reply:
    return Reply(204)


@dataclass(slots=True, eq=False)
class Problem(Exception):
    """A request, or a member of a batch, that is not carried out. `errors`: (field, message)."""

    status: int
    title: str
    detail: str
    errors: Sequence[tuple[str, str]] = ()


def not_found() -> Problem:
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def invalid(*errors: tuple[str, str]) -> Problem:
    """Values that will not do."""
    detail = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."
    return Problem(400, "Invalid Resource", detail, errors)


def member_exists(address: str) -> Problem:
    detail = f"{address} is already a list member. Use PUT to insert or update list members."
    return Problem(400, "Member Exists", detail)


def in_compliance_state(address: str) -> Problem:
    why = "due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    return Problem(400, "Member In Compliance State", f"{address} is in a compliance state {why}")


def forgotten(address: str) -> Problem:
    why = "The contact must re-subscribe to get back on the list."
    detail = f"{address} was permanently deleted and cannot be re-imported. {why}"
    return Problem(400, "Forgotten Email Not Subscribed", detail)


def cannot_be_removed() -> Problem:
    return Problem(405, "Method Not Allowed", "This list member cannot be removed.  Please contact support.")


class Voice:
    """Speaks for one account: each problem has an instance of its own."""

    def __init__(self) -> None:
        self._count = 0

    def say(self, problem: Problem) -> Reply:
        self._count += 1
        instance = f"00000000-0000-4000-8000-{self._count:012x}"
        content: dict[str, object] = {
            "type": TYPE,
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
            "instance": instance,
        }
        if problem.errors:
            content["errors"] = [{"field": field, "message": message} for field, message in problem.errors]
        headers = {
            "Content-Type": "application/problem+json; charset=utf-8",
            "X-Request-Id": instance,
            "Link": DESCRIBED,
        }
        return Reply(problem.status, headers, msgspec.json.encode(content))

    # What the vendor says when it is told to go wrong.

    def rate(self, seconds: float) -> Reply:
        """It never says for how long (docs: fundamentals)."""
        return self.crowded()

    def crowded(self) -> Reply:
        return self.say(
            Problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")
        )

    def error(self) -> Reply:
        return self.say(Problem(500, "Internal Server Error", "An unexpected internal error has occurred."))

    def expired(self) -> Reply:
        return self.say(key_invalid())

    def forbidden(self) -> Reply:
        return self.say(Problem(403, "Forbidden", "You don't have permission to access the requested resource."))


def key_invalid() -> Problem:
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    return Problem(401, "API Key Invalid", detail)


def key_missing() -> Problem:
    return Problem(401, "API Key Missing", "Your request did not include an API key.")
