"""Associations between contacts and companies over HTTP. Source: specs associations-v4 and associations-2026-09."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot import bodies
from smarketing.sandbox.hubspot.associations import HUBSPOT_DEFINED, TO_CONTACT, own_type
from smarketing.sandbox.hubspot.batch import complete, counted
from smarketing.sandbox.hubspot.calls import Call, Pager
from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.objects import NO_CONTENT
from smarketing.sandbox.hubspot.records import CONTACTS, Record, Table
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request, not_found, reply

MOST_READ = 1000
MOST_WRITTEN = 2000
MOST_ON_PAGE = 500


class AssociationsApi:
    def __init__(self, crm: Crm, pager: Pager) -> None:
        self._crm = crm
        self._pager = pager

    def listing(self, call: Call, table: Table, id_: str, others: Table) -> Reply:
        linked = self._linked(table, _live(table, id_), others)
        page, paging = self._pager.cut(sorted(linked), call, call.limit(MOST_ON_PAGE, MOST_ON_PAGE))
        return reply({"results": [linked[number] for number in page], **paging})

    def associate_default(self, call: Call, table: Table, id_: str, others: Table, other_id: str) -> Reply:
        record, other = _live(table, id_), _live(others, other_id)
        return complete(self._crm.now(), self._default(call, table, record, other))

    def associate(self, call: Call, table: Table, id_: str, others: Table, other_id: str) -> Reply:
        record, other = _live(table, id_), _live(others, other_id)
        specs = _specs(call)
        return reply(self._labelled(call, table, record, others, other, specs), 201)

    def dissociate(self, call: Call, table: Table, id_: str, others: Table, other_id: str) -> Reply:
        self._part(call, table, _live(table, id_), _live(others, other_id))
        return NO_CONTENT

    def batch_read(self, call: Call, table: Table, others: Table) -> Reply:
        said = bodies.read(call.request, bodies.Ids)
        counted(said.inputs, MOST_READ)
        results: list[Any] = []
        errors: list[Any] = []
        for each in said.inputs:
            record = table.live(each.id)
            linked = self._linked(table, record, others) if record else {}
            if linked:
                results.append({"from": {"id": str(each.id)}, "to": [linked[number] for number in sorted(linked)]})
            else:
                errors.append(_nothing_found(table, str(each.id), others))
        return complete(self._crm.now(), results, errors)

    def batch_default(self, call: Call, table: Table, others: Table) -> Reply:
        said = bodies.read(call.request, bodies.Pairs)
        counted(said.inputs, MOST_WRITTEN)
        pairs = [(_live(table, each.from_.id), _live(others, each.to.id)) for each in said.inputs]
        results = [row for pair in pairs for row in self._default(call, table, *pair)]
        return complete(self._crm.now(), results)

    def batch_create(self, call: Call, table: Table, others: Table) -> Reply:
        said = bodies.read(call.request, bodies.LabelledPairs)
        counted(said.inputs, MOST_WRITTEN)
        rows = [(_live(table, each.from_.id), _live(others, each.to.id), each.types) for each in said.inputs]
        results = [self._labelled(call, table, record, others, other, specs) for record, other, specs in rows]
        return complete(self._crm.now(), results, status=200 if call.dated else 201)

    def batch_archive(self, call: Call, table: Table, others: Table) -> Reply:
        said = bodies.read(call.request, bodies.FanOuts)
        counted(said.inputs, MOST_WRITTEN)
        for each in said.inputs:
            for other in each.to:
                self._part(call, table, _live(table, each.from_.id), _live(others, other.id))
        return complete(self._crm.now(), []) if call.dated else NO_CONTENT

    def _linked(self, table: Table, record: Record, others: Table) -> dict[int, dict[str, Any]]:
        from_contact = table.kind is CONTACTS
        links = self._crm.links
        numbers = links.companies(record.id) if from_contact else links.contacts(record.id)
        shown = {}
        for number in numbers:
            pair = (record.id, number) if from_contact else (number, record.id)
            if others.live(number):
                shown[number] = {
                    "toObjectId": str(number),
                    "associationTypes": links.types(*pair, from_contact=from_contact),
                }
        return shown

    def _default(self, call: Call, table: Table, record: Record, other: Record) -> list[dict[str, Any]]:
        """Both directions are told, once for each type."""
        contact, company = _pair(table, record, other)
        types = self._crm.associate_default(contact, company, call.source)
        return [
            row for each in types for row in (_row(contact, company, each), _row(company, contact, TO_CONTACT[each]))
        ]

    def _labelled(
        self,
        call: Call,
        table: Table,
        record: Record,
        others: Table,
        other: Record,
        specs: Sequence[bodies.AssociationSpec],
    ) -> dict[str, Any]:
        from_contact = table.kind is CONTACTS
        types = [own_type(each.associationCategory, each.associationTypeId, from_contact) for each in specs]
        self._crm.associate(*_pair(table, record, other), types, call.source)
        shown = self._linked(table, record, others)[other.id]["associationTypes"]
        return {
            "fromObjectTypeId": table.kind.type_id,
            "fromObjectId": str(record.id),
            "toObjectTypeId": others.kind.type_id,
            "toObjectId": str(other.id),
            "labels": [each["label"] for each in shown if "label" in each],
        }

    def _part(self, call: Call, table: Table, record: Record, other: Record) -> None:
        self._crm.dissociate(*_pair(table, record, other), call.source)


def _pair(table: Table, record: Record, other: Record) -> tuple[Record, Record]:
    """Contact and company."""
    return (record, other) if table.kind is CONTACTS else (other, record)


def _row(record: Record, other: Record, type_id: int) -> dict[str, Any]:
    return {
        "from": {"id": str(record.id)},
        "to": {"id": str(other.id)},
        "associationSpec": {"associationCategory": HUBSPOT_DEFINED, "associationTypeId": type_id},
    }


def _live(table: Table, id_: str | int) -> Record:
    record = table.live(id_)
    if record is None:
        raise not_found()
    return record


def _specs(call: Call) -> list[bodies.AssociationSpec]:
    try:
        return msgspec.json.decode(call.request.body, type=list[bodies.AssociationSpec])
    except msgspec.DecodeError as error:
        raise bad_request(f"Invalid input JSON: {error}") from None


def _nothing_found(table: Table, id_: str, others: Table) -> dict[str, Any]:
    message = f"No {others.kind.singular} is associated with {table.kind.singular} {id_}."
    row = Refusal(404, "OBJECT_NOT_FOUND", message).row(
        {"fromObjectId": [id_], "fromObjectType": [table.kind.singular], "toObjectType": [others.kind.singular]}
    )
    return {**row, "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}
