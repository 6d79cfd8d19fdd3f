"""The members of an audience over HTTP. Source: spec, `/lists/{list_id}/members` and what stands below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smarketing.sandbox.emulator import Misbehaviour, Reply, Request
from smarketing.sandbox.mailchimp import bodies
from smarketing.sandbox.mailchimp.audience import STATUSES, Audience, Member
from smarketing.sandbox.mailchimp.problems import Problem, invalid, not_found, nothing, reply

MOST = 1000
BULK = 500
SORTED_BY = {"last_changed": "changed", "timestamp_opt": "opted", "timestamp_signup": "made"}


def body(request: Request) -> dict[str, Any]:
    """Raises Problem."""
    try:
        found = request.json()
    except ValueError:
        raise Problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.") from None
    if not isinstance(found, dict):
        raise Problem(400, "Invalid Resource", f"Schema describes object, {type(found).__name__} found instead")
    return found


def paged(request: Request) -> tuple[int, int]:
    """(count, offset). Raises Problem."""
    found = []
    for name, otherwise, most in (("count", 10, MOST), ("offset", 0, None)):
        text = request.one(name, str(otherwise))
        if not text.isdigit() or (most is not None and int(text) > most):
            raise invalid((name, f"This value should be between 0 and {most or 'many'}."))
        found.append(int(text))
    return found[0], found[1]


def part(request: Request, content: Any) -> Reply:
    """The answer, as far as it was asked for."""
    content = bodies.some_of(content, bodies.names(request.one("fields")))
    return reply(bodies.some_of(content, bodies.names(request.one("exclude_fields")), without=True))


class MembersApi:
    """`lag`: seconds by which a listing of what changed is late."""

    def __init__(self, mischief: Misbehaviour, lag: float) -> None:
        self._mischief = mischief
        self._lag = lag

    def answer(self, audience: Audience, request: Request, below: Sequence[str]) -> Reply:
        """`below`: what stands behind "members" in the path. Raises Problem."""
        match request.method, [*below]:
            case "GET", []:
                return self._list(audience, request)
            case "POST", []:
                made = audience.create(body(request), complete=_complete(request))
                return reply(bodies.member(audience, made))
            case "GET", [named]:
                return part(request, bodies.member(audience, audience.one(named)))
            case "PATCH", [named]:
                return self._patch(audience, request, named)
            case "PUT", [named]:
                return self._put(audience, request, named)
            case "DELETE", [named]:
                audience.archive(audience.one(named))
                return nothing()
            case "POST", [named, "actions", "delete-permanent"]:
                audience.forget(audience.one(named))
                return nothing()
            case method, [named, "tags"] if method in ("GET", "POST"):
                return self._tags(audience, request, audience.one(named))
        raise not_found()

    def _list(self, audience: Audience, request: Request) -> Reply:
        count, offset = paged(request)
        found = self._asked_for(audience, request)
        total = len(found)
        if self._mischief.duplicate_page:
            offset = max(0, offset - count)
        page = [bodies.member(audience, each) for each in found[offset : offset + count]]
        content = {"members": page, "list_id": audience.list_id, "total_items": total, "_links": []}
        return part(request, content)

    def _asked_for(self, audience: Audience, request: Request) -> list[Member]:
        status = request.one("status")
        if status and status not in STATUSES:
            raise invalid(("status", f"Value must be one of: {', '.join(STATUSES)}"))
        found = audience.listed(status)
        if request.one("unsubscribed_since"):
            if status != "unsubscribed":
                raise Problem(400, "Bad Request", "unsubscribed_since needs the status unsubscribed.")
            found = self._between(found, "unsubscribed", request.one("unsubscribed_since"), "")
        lag = self._lag if self._mischief.lag is None else self._mischief.lag
        if request.one("since_last_changed") or request.one("before_last_changed"):
            found = [each for each in found if each.changed <= audience.now() - lag]
        for field, after, before in (
            ("changed", "since_last_changed", "before_last_changed"),
            ("opted", "since_timestamp_opt", "before_timestamp_opt"),
        ):
            found = self._between(found, field, request.one(after), request.one(before))
        for name, of in (("unique_email_id", lambda each: bodies.unique(each.address)), ("email_type", _email_type)):
            if wanted := request.one(name):
                found = [each for each in found if of(each) == wanted]
        if request.one("vip_only") == "true":
            found = [each for each in found if each.vip]
        return self._sorted(found, request)

    @staticmethod
    def _between(found: list[Member], field: str, after: str, before: str) -> list[Member]:
        """A time that cannot be read restricts nothing."""
        since, until = bodies.moment(after), bodies.moment(before)

        def fits(each: Member) -> bool:
            at = getattr(each, field)
            if since is None and until is None:
                return True
            return at is not None and (since is None or at > since) and (until is None or at < until)

        return [each for each in found if fits(each)]

    @staticmethod
    def _sorted(found: list[Member], request: Request) -> list[Member]:
        by = request.one("sort_field")
        if not by:
            return found
        if by not in SORTED_BY:
            raise invalid(("sort_field", f"Value must be one of: {', '.join(SORTED_BY)}"))
        reverse = request.one("sort_dir", "ASC") == "DESC"
        return sorted(found, key=lambda each: getattr(each, SORTED_BY[by]) or 0, reverse=reverse)

    def _patch(self, audience: Audience, request: Request, named: str) -> Reply:
        found = audience.one(named)
        audience.update(found, body(request), complete=_complete(request))
        return reply(bodies.member(audience, found))

    def _put(self, audience: Audience, request: Request, named: str) -> Reply:
        said = body(request)
        found = audience.find(named)
        if found is None:
            made = {**said, "status": said.get("status") or said.get("status_if_new")}
            made.pop("tags", None)
            return reply(bodies.member(audience, audience.create(made, complete=_complete(request))))
        audience.update(found, said, complete=_complete(request))
        return reply(bodies.member(audience, found))

    def _tags(self, audience: Audience, request: Request, found: Member) -> Reply:
        if request.method == "GET":
            count, offset = paged(request)
            all_of = list(found.tags.items())
            some = bodies.tagged(all_of[offset : offset + count], found.made)
            return part(request, {"tags": some, "total_items": len(all_of), "_links": []})
        said = body(request).get("tags")
        if not isinstance(said, list) or not all(isinstance(each, dict) and each.get("name") for each in said):
            raise invalid(("tags", "This value should be a list of tags with a name and a status."))
        for each in said:
            audience.tag(found, str(each["name"]), active=each.get("status") == "active")
        return nothing()

    def bulk(self, audience: Audience, request: Request) -> Reply:
        """Many at once: each succeeds or fails by itself, and the answer is a 200 all the same. Raises Problem."""
        said = body(request)
        rows = said.get("members")
        if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
            raise invalid(("members", "This value should be a list of members."))
        if len(rows) > BULK:
            raise Problem(400, "Bad Request", f"You can't send more than {BULK} members at once.")
        new: list[Member] = []
        updated: list[Member] = []
        errors: list[dict[str, object]] = []
        seen: set[str] = set()
        for row in rows:
            address = str(row.get("email_address") or "").strip()
            try:
                if address.lower() in seen:
                    raise Problem(400, "Bad Request", f"{address} is there more than once in this request.")
                seen.add(address.lower())
                there = audience.find(address)
                if there is not None and said.get("update_existing") is not True:
                    raise _contact_exists(address)
                if there is None:
                    new.append(audience.create(row, complete=_complete(request)))
                else:
                    audience.update(there, _without(row, "email_address"), complete=_complete(request))
                    updated.append(there)
            except Problem as problem:
                errors.append(_failed(address, problem))
        return reply(
            {
                "new_members": [bodies.member(audience, each) for each in new],
                "updated_members": [bodies.member(audience, each) for each in updated],
                "errors": errors,
                "total_created": len(new),
                "total_updated": len(updated),
                "error_count": len(errors),
                "_links": [],
            }
        )


def _email_type(each: Member) -> str:
    return each.email_type


def _complete(request: Request) -> bool:
    """Whether required fields, and all parts of an address, must be there."""
    return request.one("skip_merge_validation") != "true"


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _contact_exists(address: str) -> Problem:
    why = "do you want to update? please provide update_existing:true in the request body"
    return Problem(400, "Member Exists", f"{address} is already a list member, {why}")


def _failed(address: str, problem: Problem) -> dict[str, object]:
    field, message = problem.errors[0] if problem.errors else ("", "")
    return {
        "email_address": address,
        "error": message or problem.detail,
        "error_code": "ERROR_CONTACT_EXISTS" if problem.title == "Member Exists" else "ERROR_GENERIC",
        "field": field.removeprefix("merge_fields."),
        "field_message": message,
    }
