"""Batches of records: at most 100, taken whole or refused whole.

Two things make a part of a batch fail alone (207): ids that are not there, and creates of which every one carries its
own objectWriteTraceId (HubSpot docs: objects guide). Results do not come in the order of the inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot import bodies
from smarketing.sandbox.hubspot.calls import Call
from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.objects import NO_CONTENT, Shown, link, wanted_links
from smarketing.sandbox.hubspot.records import CONTACTS, Record, Table
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request, reply, some_not_found
from smarketing.sandbox.hubspot.shapes import show_written
from smarketing.sandbox.hubspot.times import stamp

MOST = 100
MOST_WITH_HISTORY = 50


def complete(now: int, results: Sequence[Any], errors: Sequence[Any] = (), *, status: int = 200) -> Reply:
    """The answer to any batch (spec: BatchResponse…)."""
    content: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": stamp(now),
        "completedAt": stamp(now),
    }
    if errors:
        return reply({**content, "numErrors": len(errors), "errors": errors}, 207)
    return reply(content, status)


def counted(inputs: Sequence[Any], most: int = MOST) -> None:
    """Raises Refusal."""
    if len(inputs) > most:
        raise bad_request(f"A batch takes {most} inputs at most, this one has {len(inputs)}.")


class BatchApi:
    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def read(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.BatchRead)
        shown = Shown(self._crm, table, said.properties, said.propertiesWithHistory or [])
        counted(said.inputs, MOST_WITH_HISTORY if shown.history else MOST)
        archived = call.flag("archived")
        found: dict[int, Record] = {}
        missing: list[str] = []
        for each in said.inputs:
            record = table.named(each.id, said.idProperty, archived=archived)
            if record is None:
                missing.append(str(each.id))
            else:
                found[record.id] = record
        results = [shown(found[number]) for number in sorted(found)]
        return self._complete(results, self._missing(table, missing))

    def create(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.Creates)
        counted(said.inputs)
        traces = [each.objectWriteTraceId for each in said.inputs]
        alone = all(traces) and len(set(traces)) == len(traces)
        ready = []
        errors: list[dict[str, Any]] = []
        claimed: set[tuple[str, str]] = set()
        for each in said.inputs:
            try:
                wanted = wanted_links(self._crm, table, each)
                ready.append((each, wanted, self._crm.check(table, None, each.properties, call.source, claimed)))
            except Refusal as refusal:
                if not alone:
                    raise
                errors.append(refusal.row({"objectWriteTraceId": [str(each.objectWriteTraceId)]}))
        results = []
        for each, wanted, changes in ready:
            record = self._crm.create(table, changes, call.source)
            link(self._crm, table, record, wanted, call.source)
            results.append(_traced(show_written(table.kind, record.shot, None), each.objectWriteTraceId))
        return self._complete(results[::-1], errors, status=201)

    def update(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.Updates)
        if table.kind is CONTACTS and any(each.idProperty == "email" for each in said.inputs):
            # Only the upsert knows contacts by their address (hubspot-api-nodejs issue 548).
            raise bad_request("Unable to perform update/upsert by non-unique 0-1 property")
        rows = self._rows(table, said.inputs)
        missing = [each for each, record in rows if record is None]
        results = self._write(call, table, [(each, record) for each, record in rows if record is not None])
        errors = self._missing(table, [str(each.id) for each in missing if not each.objectWriteTraceId])
        for each in missing:
            if each.objectWriteTraceId:
                (row,) = self._missing(table, [str(each.id)])
                row["context"]["objectWriteTraceId"] = [each.objectWriteTraceId]
                errors.append(row)
        return self._complete(results, errors)

    def upsert(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.Updates)
        rows = self._rows(table, said.inputs)
        if any(record is None and each.idProperty in (None, "", "hs_object_id") for each, record in rows):
            raise bad_request("An upsert needs an idProperty with unique values.")
        return self._complete(self._write(call, table, rows, upsert=True), [])

    def archive(self, call: Call, table: Table) -> Reply:
        said = bodies.read(call.request, bodies.Ids)
        counted(said.inputs)
        for each in said.inputs:
            record = table.find(each.id)
            if record is not None:
                self._crm.archive(table, record)
        return NO_CONTENT

    def _rows(
        self, table: Table, inputs: Sequence[bodies.BatchUpdate]
    ) -> list[tuple[bodies.BatchUpdate, Record | None]]:
        counted(inputs)
        ids = [str(each.id) for each in inputs]
        if len(set(ids)) != len(ids):
            twice = sorted({each for each in ids if ids.count(each) > 1})
            message = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
            raise Refusal(400, "VALIDATION_ERROR", message, context={"ids": twice})
        return [(each, table.named(each.id, each.idProperty)) for each in inputs]

    def _write(
        self,
        call: Call,
        table: Table,
        rows: Sequence[tuple[bodies.BatchUpdate, Record | None]],
        *,
        upsert: bool = False,
    ) -> list[dict[str, Any]]:
        """Check all, then carry out all."""
        claimed: set[tuple[str, str]] = set()
        checked = []
        for each, record in rows:
            key = {each.idProperty: str(each.id)} if record is None and each.idProperty else {}
            changes = self._crm.check(table, record, {**key, **each.properties}, call.source, claimed)
            checked.append((each, record, changes))
        results = []
        for each, record, changes in checked:
            if record is None:
                shown = show_written(table.kind, self._crm.create(table, changes, call.source).shot, None)
            else:
                self._crm.update(table, record, changes, call.source)
                shown = show_written(table.kind, record.shot, each.properties)
            results.append(_traced({**shown, "new": record is None} if upsert else shown, each.objectWriteTraceId))
        return sorted(results, key=lambda result: int(result["id"]))

    def _missing(self, table: Table, ids: Sequence[str]) -> list[dict[str, Any]]:
        return [some_not_found(table.kind.singular.upper(), ids)] if ids else []

    def _complete(self, results: Sequence[Any], errors: Sequence[Any], *, status: int = 200) -> Reply:
        return complete(self._crm.now(), results, errors, status=status)


def _traced(shown: dict[str, Any], trace: str | None) -> dict[str, Any]:
    return shown if trace is None else {**shown, "objectWriteTraceId": trace}
