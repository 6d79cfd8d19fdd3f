"""sObject Collections: up to 200 records in one call, each with an answer of its own, in the order of the request.

What was understood is answered 200, however many rows failed. One row that is not understood (an unknown column, a text
where a number belongs) refuses the whole list. (Salesforce docs: sObject Collections, checking for errors.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce import coerce
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.coerce import Given
from smarketing.sandbox.salesforce.errors import ApiError, Malformed, bad, not_allowed, not_found
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.org import By, Org
from smarketing.sandbox.salesforce.query import Queries
from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.schema import Field, SObject
from smarketing.sandbox.salesforce.soql import Path

MOST_RECORDS = 200
MOST_READ = 2000
UNKNOWN_TWIN = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
_ROLLED_BACK = bad(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


@dataclass(frozen=True, slots=True)
class _Row:
    sobject: SObject
    id: str | None
    given: Given


class Collections:
    def __init__(self, org: Org, saving: Saving, queries: Queries) -> None:
        self._org = org
        self._saving = saving
        self._queries = queries

    def answer(self, call: Call) -> Reply:
        """`call.path` begins with "composite", "sobjects". Raises ApiError."""
        match call.method, call.path[2:]:
            case "POST", ():
                return self._written(call, self._create)
            case "PATCH", ():
                return self._written(call, self._update)
            case "DELETE", ():
                return self._deleted(call)
            case "PATCH", (name, at):
                return self._upserted(call, name, at)
            case "POST", (name,):
                body = call.content()
                return self._retrieved(call, name, body.get("ids"), body.get("fields"))
            case "GET", (name,):
                return self._retrieved(call, name, call.one("ids").split(","), call.one("fields").split(","))
            case _, ():
                raise not_allowed(call.method, "DELETE", "PATCH", "POST")
        raise not_found()

    def _written(self, call: Call, write: Callable[[Sequence[_Row], By], list[Callable[[], Json]]]) -> Reply:
        body = call.content()
        rows = [self._understood(record, None) for record in _records(body)]
        return self._run(write(rows, call.by(self._org.users.us)), all_or_none=body.get("allOrNone") is True)

    def _create(self, rows: Sequence[_Row], by: By) -> list[Callable[[], Json]]:
        def one(row: _Row) -> Json:
            if row.id is not None:
                raise bad("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
            return {"id": self._saving.insert(row.sobject, row.given, by), "success": True, "errors": []}

        return [_later(one, row) for row in rows]

    def _update(self, rows: Sequence[_Row], by: By) -> list[Callable[[], Json]]:
        seen = Counter(read_id(row.id or "") for row in rows)

        def one(row: _Row) -> Json:
            if row.id is None:
                raise bad("MISSING_ARGUMENT", "Id not specified in an update call")
            id = _known_id(row.id, row.sobject)
            if seen[id] > 1:
                raise bad("DUPLICATE_VALUE", UNKNOWN_TWIN)
            self._saving.update(row.sobject, id, row.given, by)
            return {"id": id, "success": True, "errors": []}

        return [_later(one, row) for row in rows]

    def _upserted(self, call: Call, name: str, at: str) -> Reply:
        sobject = self._sobject(name)
        each = sobject.field(at)
        if each is None or not each.external:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {at}")
        body = call.content()
        rows = [self._understood(record, sobject) for record in _records(body)]
        seen = Counter(_folded(row.given.get(each.name)) for row in rows)
        by = call.by(self._org.users.us)

        def one(row: _Row) -> Json:
            value = row.given.get(each.name)
            if value is None:
                raise bad("MISSING_ARGUMENT", f"{each.name} not specified")
            if seen[_folded(value)] > 1:
                raise bad("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", each.name)
            return self._upsert(row, each, by)

        return self._run([_later(one, row) for row in rows], all_or_none=body.get("allOrNone") is True)

    def _upsert(self, row: _Row, each: Field, by: By) -> Json:
        id, created = upsert(self._saving, row.sobject, each, row.given, by)
        return {"id": id, "success": True, "errors": [], "created": created}

    def _deleted(self, call: Call) -> Reply:
        ids = [id.strip() for id in call.one("ids").split(",") if id.strip()]
        if not ids or len(ids) > MOST_RECORDS:
            raise _too_many() if ids else Malformed("MISSING_ARGUMENT", "The ids parameter is required")
        by = call.by(self._org.users.us)

        def one(text: str) -> Json:
            id = read_id(text)
            sobject = self._org.schema.of_id(id or "")
            if id is None or sobject is None:
                raise bad("MALFORMED_ID", f"malformed id {text}")
            self._saving.delete(sobject, id, by)
            return {"id": id, "success": True, "errors": []}

        return self._run([_later(one, id) for id in ids], all_or_none=call.one("allOrNone").lower() == "true")

    def _retrieved(self, call: Call, name: str, ids: object, fields: object) -> Reply:
        """One entry per id, null where there is no such record."""
        sobject = self._sobject(name)
        if not isinstance(ids, list) or not isinstance(fields, list) or not fields or not all(fields):
            raise Malformed("MISSING_ARGUMENT", "ids and fields are required")
        if len(ids) > MOST_READ:
            raise _too_many(MOST_READ)
        paths = [Path(tuple(str(each).strip().split(".")), 0) for each in fields]
        shape = self._queries.shape(sobject, paths, ",".join(str(each) for each in fields))
        table = self._org.store.tables[sobject.name]
        found: list[Json | None] = []
        for text in ids:
            id = read_id(str(text).strip())
            if id is None:
                raise Malformed("MALFORMED_ID", f"malformed id {text}")
            row = table.get(id)
            found.append(None if row is None or row.get("IsDeleted") else shape.json(row, call.version))
        return Reply.of(200, found)

    def _sobject(self, name: str) -> SObject:
        found = self._org.schema.find(name)
        if found is None or found.tooling:
            raise not_found()
        return found

    def _understood(self, record: object, only: SObject | None) -> _Row:
        """Raises Malformed."""
        attributes = record.get("attributes") if isinstance(record, Mapping) else None
        if not isinstance(record, Mapping) or not isinstance(attributes, Mapping):
            raise Malformed("INVALID_INPUT", "each record must be an object with an attributes map that holds its type")
        sobject = self._org.schema.find(str(attributes.get("type")))
        if sobject is None or sobject.tooling or (only is not None and sobject is not only):
            raise Malformed("INVALID_TYPE", f"sObject type '{attributes.get('type')}' is not supported.")
        id: str | None = None
        rest: dict[str, object] = {}
        for name, value in record.items():
            if name.lower() == "id":
                id = None if value is None else str(value)
            else:
                rest[name] = value
        return _Row(sobject, id, coerce.understand(sobject, rest))

    def _run(self, rows: Sequence[Callable[[], Json]], *, all_or_none: bool) -> Reply:
        answers: list[Json] = []
        with self._org.store.attempt() as attempt:
            for row in rows:
                try:
                    answers.append(row())
                except ApiError as error:
                    answers.append({"success": False, "errors": error.rows()})
            if all_or_none and not all(each["success"] for each in answers):
                attempt.roll_back()
                rolled_back = {"success": False, "errors": _ROLLED_BACK.rows()}
                answers = [rolled_back if each["success"] else each for each in answers]
        return Reply.of(200, answers)


def upsert(saving: Saving, sobject: SObject, each: Field, given: Given, by: By) -> tuple[str, bool]:
    """Create or update by an external id; answers the id and whether it was created. Raises ApiError."""
    value = given.get(each.name)
    assert not isinstance(value, coerce.Lookup)
    found = saving.matching(sobject, each, coerce.admit(each, value))
    if len(found) > 1:
        ids = ", ".join(str(row["Id"]) for row in found)
        raise bad(
            "DUPLICATE_EXTERNAL_ID",
            f"{each.label}: more than one record found for external id field: [{ids}]",
            each.name,
        )
    if not found:
        return saving.insert(sobject, given, by), True
    id = str(found[0]["Id"])
    saving.update(sobject, id, {name: one for name, one in given.items() if name != each.name}, by)
    return id, False


def _later(one: Callable[[Any], Json], row: object) -> Callable[[], Json]:
    return lambda: one(row)


def _folded(value: object) -> str | None:
    return None if value is None else str(value).strip().casefold()


def _known_id(text: str, sobject: SObject) -> str:
    id = read_id(text)
    if id is None or not id.startswith(sobject.prefix):
        raise bad("MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {text}", "Id")
    return id


def _records(body: Mapping[str, Any]) -> list[object]:
    records = body.get("records")
    if not isinstance(records, list):
        raise Malformed("JSON_PARSER_ERROR", "The records list is required")
    if len(records) > MOST_RECORDS:
        raise _too_many()
    return records


def _too_many(most: int = MOST_RECORDS) -> ApiError:
    message = f"record limit reached. cannot submit more than {most} records into this call"
    return ApiError(400, "EXCEEDED_ID_LIMIT", message)
