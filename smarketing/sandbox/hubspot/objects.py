"""Contacts and companies, one at a time and as listings. Source: spec contacts-v3 and contacts-2026-09, companies-v3.

Listings show every write at once; it is the search alone that lags (`search.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot import associations, bodies
from smarketing.sandbox.hubspot.calls import Call, Pager
from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.merging import block, erase, merge
from smarketing.sandbox.hubspot.records import COMPANIES, CONTACTS, NAMES, Record, Table
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request, not_found, reply
from smarketing.sandbox.hubspot.shapes import columns, show, show_associated, show_history, show_written
from smarketing.sandbox.hubspot.sources import Source
from smarketing.sandbox.hubspot.values import Unfit, normal_address

MOST = 100
MOST_WITH_HISTORY = 50
NO_CONTENT = Reply(204)


class Shown:
    """What a reading asks to be shown, and how that looks."""

    def __init__(
        self,
        crm: Crm,
        table: Table,
        properties: Sequence[str] | None,
        history: Sequence[str],
        others: Sequence[str] = (),
    ) -> None:
        self._crm = crm
        self._table = table
        self.history = [name for name in history if name in table.catalogue]
        self._names = columns(table, [*properties, *history] if properties is not None else history or None)
        other = COMPANIES if table.kind is CONTACTS else CONTACTS
        self._associated = any(NAMES.get(name.lower()) == other.name for name in others)

    @classmethod
    def by_query(cls, crm: Crm, table: Table, call: Call) -> Shown:
        history = call.listed("propertiesWithHistory") or []
        return cls(crm, table, call.listed("properties"), history, call.listed("associations") or [])

    def __call__(self, record: Record) -> dict[str, Any]:
        content = show(self._table.kind, record.shot, self._names)
        if self.history:
            content["propertiesWithHistory"] = show_history(record, self.history)
        if self._associated and (linked := self._linked(record)):
            content["associations"] = linked
        return content

    def _linked(self, record: Record) -> dict[str, Any]:
        links, from_contact = self._crm.links, self._table.kind is CONTACTS
        others = links.companies(record.id) if from_contact else links.contacts(record.id)
        name = "contact_to_company" if from_contact else "company_to_contact"
        rows: dict[int, list[str]] = {}
        for other in sorted(others):
            contact, company = (record.id, other) if from_contact else (other, record.id)
            primary = associations.PRIMARY in links.companies(contact)[company]
            rows[other] = [name, f"{name}_unlabeled"] if primary else [f"{name}_unlabeled"]
        return show_associated(self._table.kind, rows)


class ObjectsApi:
    def __init__(self, crm: Crm, pager: Pager) -> None:
        self._crm = crm
        self._pager = pager

    def listing(self, call: Call, table: Table) -> Reply:
        shown = Shown.by_query(self._crm, table, call)
        limit = call.limit(10, MOST_WITH_HISTORY if shown.history else MOST)
        ids = table.archived_ids if call.flag("archived") else table.live_ids
        page, paging = self._pager.cut(ids, call, limit)
        return reply({"results": [shown(table.records[number]) for number in page], **paging})

    def get(self, call: Call, table: Table, id_: str) -> Reply:
        record = table.named(id_, call.request.one("idProperty"), archived=call.flag("archived"))
        if record is None:
            raise not_found()
        return reply(Shown.by_query(self._crm, table, call)(record))

    def create(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.Create)
        wanted = wanted_links(self._crm, table, said)
        changes = self._crm.check(table, None, said.properties, call.source)
        record = self._crm.create(table, changes, call.source)
        link(self._crm, table, record, wanted, call.source)
        return reply(show_written(table.kind, record.shot, None), 201)

    def update(self, call: Call, table: Table, id_: str) -> Reply:
        said = bodies.read(call.request, bodies.Update)
        record = table.named(id_, call.request.one("idProperty"))
        if record is None:
            raise not_found()
        self._crm.update(table, record, self._crm.check(table, record, said.properties, call.source), call.source)
        return reply(show_written(table.kind, record.shot, said.properties))

    def archive(self, call: Call, table: Table, id_: str) -> Reply:
        record = table.find(id_)
        if record is None:
            raise not_found()
        self._crm.archive(table, record)
        return NO_CONTENT

    def merge(self, call: Call) -> Reply:
        said = bodies.read(call.request, bodies.Merge)
        table = self._crm.contacts
        primary, loser = table.find(said.primaryObjectId), table.find(said.objectIdToMerge)
        if primary is None or loser is None:
            raise not_found()
        return reply(show_written(table.kind, merge(self._crm, primary, loser).shot, None))

    def erase(self, call: Call) -> Reply:
        said = bodies.read(call.request, bodies.GdprDelete)
        table = self._crm.contacts
        if said.idProperty not in (None, "email"):
            raise bad_request("A contact is erased by its id or by its email.")
        record = table.named(said.objectId, said.idProperty) or table.named(
            said.objectId, said.idProperty, archived=True
        )
        if record is not None:
            erase(self._crm, record)
        elif said.idProperty == "email":
            block(self._crm, self._address(str(said.objectId)))
        else:
            raise not_found()
        return NO_CONTENT

    def _address(self, text: str) -> str:
        try:
            return normal_address(self._crm.contacts.catalogue.one("email"), text)
        except Unfit as unfit:
            raise bad_request(unfit.problem.message) from None


def wanted_links(crm: Crm, table: Table, said: bodies.Create) -> list[tuple[Record, list[int]]]:
    """The other sides a new record is to be associated with. Raises Refusal."""
    from_contact = table.kind is CONTACTS
    others = crm.companies if from_contact else crm.contacts
    wanted = []
    for each in said.associations or []:
        other = others.live(each.to.id)
        if other is None:
            raise Refusal(
                400, "VALIDATION_ERROR", f"The {others.kind.singular} to associate with does not exist: {each.to.id}"
            )
        types = [
            associations.own_type(spec.associationCategory, spec.associationTypeId, from_contact) for spec in each.types
        ]
        wanted.append((other, types))
    return wanted


def link(crm: Crm, table: Table, record: Record, wanted: Sequence[tuple[Record, list[int]]], source: Source) -> None:
    for other, types in wanted:
        contact, company = (record, other) if table.kind is CONTACTS else (other, record)
        crm.associate(contact, company, types, source)
