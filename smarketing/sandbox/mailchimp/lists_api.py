"""Audiences, their merge fields, tags, interests and webhooks over HTTP. Source: spec, `/lists` and below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.mailchimp import bodies
from smarketing.sandbox.mailchimp.audience import Audience
from smarketing.sandbox.mailchimp.members_api import MembersApi, body, paged, part
from smarketing.sandbox.mailchimp.problems import not_found, nothing, reply


class ListsApi:
    def __init__(self, audiences: Mapping[str, Audience], members: MembersApi) -> None:
        self._audiences = audiences
        self._members = members

    def answer(self, request: Request, below: Sequence[str]) -> Reply:
        """`below`: what stands behind "lists" in the path. Raises Problem."""
        if not below:
            return self._several(request, "lists", [bodies.audience(each) for each in self._audiences.values()])
        audience = self._audiences.get(below[0])
        if audience is None:
            raise not_found()
        match request.method, [*below[1:]]:
            case "GET", []:
                return part(request, bodies.audience(audience))
            case "POST", []:
                return self._members.bulk(audience, request)
            case _, ["members", *rest]:
                return self._members.answer(audience, request, rest)
            case _, ["merge-fields", *rest]:
                return self._merge_fields(audience, request, rest)
            case "GET", ["tag-search"]:
                wanted = request.one("name").lower()
                found = [(name, number) for name, number in audience.tag_ids.items() if wanted in name.lower()]
                told = [{"id": number, "name": name} for name, number in found]
                return part(request, {"tags": told, "total_items": len(told)})
            case "GET", ["segments"]:
                return self._several(request, "segments", self._segments(audience), audience.list_id)
            case "GET", ["interest-categories"]:
                return self._several(request, "categories", [], audience.list_id)
        raise not_found()

    def _several(self, request: Request, name: str, rows: list[dict[str, Any]], list_id: str = "") -> Reply:
        count, offset = paged(request)
        content: dict[str, Any] = {name: rows[offset : offset + count], "total_items": len(rows), "_links": []}
        if list_id:
            content["list_id"] = list_id
        return part(request, content)

    def _merge_fields(self, audience: Audience, request: Request, below: Sequence[str]) -> Reply:
        fields = audience.fields
        match request.method, [*below]:
            case "GET", []:
                rows = [each.body(audience.list_id) for each in fields.by_tag.values()]
                return self._several(request, "merge_fields", rows, audience.list_id)
            case "POST", []:
                return reply(fields.add(body(request)).body(audience.list_id))
            case "GET", [number] if number.isdigit():
                return part(request, fields.one(int(number)).body(audience.list_id))
            case "PATCH", [number] if number.isdigit():
                return reply(fields.change(int(number), body(request)).body(audience.list_id))
            case "DELETE", [number] if number.isdigit():
                tag = fields.remove(int(number))
                for each in audience.members.values():
                    each.merge.pop(tag, None)
                return nothing()
        raise not_found()

    @staticmethod
    def _segments(audience: Audience) -> list[dict[str, Any]]:
        """Tags are static segments."""
        return [
            {
                "id": number,
                "name": name,
                "member_count": sum(name in each.tags for each in audience.listed()),
                "type": "static",
                "created_at": bodies.told(audience.made),
                "updated_at": bodies.told(audience.made),
                "options": {"match": "all", "conditions": []},
                "list_id": audience.list_id,
                "_links": [],
            }
            for name, number in audience.tag_ids.items()
        ]
