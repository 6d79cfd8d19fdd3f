"""Single records: /sobjects/{object} and everything below it."""

from __future__ import annotations

from collections.abc import Mapping

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce import coerce, preconditions
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.coerce import Given
from smarketing.sandbox.salesforce.describe import basic, describe, global_describe
from smarketing.sandbox.salesforce.errors import Malformed, not_allowed, not_found
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.org import Org
from smarketing.sandbox.salesforce.query import Queries
from smarketing.sandbox.salesforce.render import Shape
from smarketing.sandbox.salesforce.replication import Replication
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.schema import Field, SObject, Values
from smarketing.sandbox.salesforce.soql import Path

_QUIET_UPSERTS = 45.0
"""Up to this version an upsert that updates answers 204."""


class Rows:
    def __init__(self, org: Org, saving: Saving, queries: Queries, replication: Replication) -> None:
        self._org = org
        self._saving = saving
        self._queries = queries
        self._replication = replication

    def answer(self, call: Call) -> Reply:
        """`call.path` begins with "sobjects". Raises ApiError."""
        match call.path[1:]:
            case ():
                _only(call, "GET")
                return Reply.of(200, global_describe(self._org.schema, call.version))
            case (name,):
                return self._object(call, self._sobject(name))
            case (name, "describe"):
                _only(call, "GET")
                return Reply.of(200, describe(self._sobject(name), self._org.schema, call.version))
            case (name, "updated"):
                _only(call, "GET")
                return Reply.of(200, self._replication.updated(self._sobject(name), call.one("start"), call.one("end")))
            case (name, "deleted"):
                _only(call, "GET")
                return Reply.of(200, self._replication.deleted(self._sobject(name), call.one("start"), call.one("end")))
            case (name, id):
                return self._row(call, self._sobject(name), self._row_id(self._sobject(name), id))
            case (name, at, last):
                return self._below(call, self._sobject(name), at, last)
        raise not_found()

    def _sobject(self, name: str) -> SObject:
        found = self._org.schema.find(name)
        if found is None or found.tooling:
            raise not_found()
        return found

    def _row_id(self, sobject: SObject, text: str) -> str:
        id = read_id(text)
        if id is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
        if not id.startswith(sobject.prefix):
            raise not_found()
        return id

    def _object(self, call: Call, sobject: SObject) -> Reply:
        if call.method == "GET":
            return Reply.of(200, basic(sobject, call.version))
        _only(call, "POST", "GET")
        return self._create(call, sobject, coerce.understand(sobject, _without(call.content(), "Id")))

    def _create(self, call: Call, sobject: SObject, given: Given) -> Reply:
        id = self._saving.insert(sobject, given, call.by(self._org.users.us))
        location = {"Location": f"/services/data/v{call.version}/sobjects/{sobject.name}/{id}"}
        created = {"created": True} if len(call.path) > 2 else {}
        return Reply.of(201, {"id": id, "success": True, "errors": [], **created}, location)

    def _row(self, call: Call, sobject: SObject, id: str) -> Reply:
        match call.method:
            case "GET" | "HEAD":
                return self._read(call, sobject, self._saving.live(sobject, id))
            case "PATCH":
                given = coerce.understand(sobject, _without(call.content(), "Id"))
                preconditions.require(call.headers, sobject, self._saving.live(sobject, id))
                self._saving.update(sobject, id, given, call.by(self._org.users.us))
                return Reply(204)
            case "DELETE":
                preconditions.require(call.headers, sobject, self._saving.live(sobject, id))
                self._saving.delete(sobject, id, call.by(self._org.users.us))
                return Reply(204)
        raise not_allowed(call.method, "DELETE", "GET", "HEAD", "PATCH")

    def _read(self, call: Call, sobject: SObject, row: Values) -> Reply:
        headers = preconditions.validators(sobject, row)
        if preconditions.unchanged(call.headers, row):
            return Reply(304, headers)
        return Reply.of(200, self._shape(call, sobject).json(row, call.version), headers)

    def _shape(self, call: Call, sobject: SObject) -> Shape:
        wanted = call.one("fields")
        if wanted:
            paths = [Path(tuple(name.strip().split(".")), 0) for name in wanted.split(",")]
            return self._queries.shape(sobject, paths, wanted)
        shape = Shape(sobject, self._org.store)
        shape.add_all(sobject.visible())
        return shape

    def _below(self, call: Call, sobject: SObject, at: str, last: str) -> Reply:
        """A record by external id, or what a record is related to."""
        each = sobject.field(at)
        if each is not None and each.type == "id":
            return self._row(call, sobject, self._row_id(sobject, last))
        if each is not None and (each.external or each.lookup):
            return self._by_key(call, sobject, each, last)
        if read_id(at) is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {at}")
        _only(call, "GET")
        return self._related(call, sobject, self._saving.live(sobject, self._row_id(sobject, at)), last)

    def _by_key(self, call: Call, sobject: SObject, each: Field, text: str) -> Reply:
        value = coerce.admit(each, text)
        found = self._saving.matching(sobject, each, value)
        if len(found) > 1:
            base = f"/services/data/v{call.version}/sobjects/{sobject.name}"
            return Reply.of(300, [f"{base}/{row['Id']}" for row in found])
        if call.method != "PATCH":
            if not found:
                raise not_found()
            return self._row(call, sobject, str(found[0]["Id"]))
        given = coerce.understand(sobject, _without(call.content(), "Id", each.name))
        if not found:
            return self._create(call, sobject, {**given, each.name: value})
        id = str(found[0]["Id"])
        self._saving.update(sobject, id, given, call.by(self._org.users.us))
        if float(call.version) <= _QUIET_UPSERTS:
            return Reply(204)
        return Reply.of(200, {"id": id, "success": True, "errors": [], "created": False})

    def _related(self, call: Call, sobject: SObject, row: Values, name: str) -> Reply:
        parent = sobject.parent(name)
        if parent is not None:
            target = self._org.store.find(str(row.get(parent.name)))
            kind = self._org.schema.of_id(str(row.get(parent.name)))
            if target is None or kind is None:
                raise not_found()
            return self._read(call, kind, target)
        for child, reference in self._org.schema.children(sobject.name):
            if reference.children is not None and reference.children.lower() == name.lower():
                shape = self._shape(call, child)
                found = self._saving.matching(child, reference, row["Id"])
                records = [shape.json(each, call.version) for each in found]
                return Reply.of(200, {"totalSize": len(records), "done": True, "records": records})
        raise not_found()


def _only(call: Call, *methods: str) -> None:
    if call.method not in methods:
        raise not_allowed(call.method, *methods)


def _without(said: Mapping[str, object], *names: str) -> Mapping[str, object]:
    """The body, which must not hold what the address says already (Salesforce docs: upsert by external id)."""
    for name in said:
        for refused in names:
            if name.lower() == refused.lower():
                raise Malformed("INVALID_FIELD", f"The {refused} field should not be specified in the sobject data.")
    return said
