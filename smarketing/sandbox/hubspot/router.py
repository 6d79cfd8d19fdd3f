"""Which call is which: HubSpot's paths in both families (v3 and v4; dated), the scopes they need, what answers them.

Everything but the token endpoints wants a token first, then a place within the limits, then the scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.hubspot.access import Access
from smarketing.sandbox.hubspot.associations_api import AssociationsApi
from smarketing.sandbox.hubspot.batch import BatchApi
from smarketing.sandbox.hubspot.calls import Call
from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.limits import Limits
from smarketing.sandbox.hubspot.objects import ObjectsApi
from smarketing.sandbox.hubspot.owners import OwnersApi
from smarketing.sandbox.hubspot.preferences import PreferencesApi
from smarketing.sandbox.hubspot.properties_api import PropertiesApi
from smarketing.sandbox.hubspot.records import CONTACTS, NAMES, Table
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request, not_found
from smarketing.sandbox.hubspot.search import SearchApi

DATES = ("2026-03", "2026-09")
FAMILIES = {
    "v3": ("objects", "properties", "owners"),
    "v4": ("objects", "associations"),
    **dict.fromkeys(DATES, ("objects", "properties", "owners", "associations")),
}
READS = ("read", "search")
_ANY_CONTACTS = ("crm.objects.contacts.read", "crm.objects.contacts.write")
_READ_CONSENT = ("communication_preferences.read_write", "communication_preferences.read")
_WRITE_CONSENT = ("communication_preferences.read_write", "communication_preferences.write")
_READ_BATCH = "communication_preferences.statuses.batch.read"
_WRITE_BATCH = "communication_preferences.statuses.batch.write"


class Router:
    def __init__(
        self,
        crm: Crm,
        access: Access,
        limits: Limits,
        *,
        objects: ObjectsApi,
        batch: BatchApi,
        search: SearchApi,
        associations: AssociationsApi,
        properties: PropertiesApi,
        owners: OwnersApi,
        preferences: PreferencesApi,
    ) -> None:
        self._crm = crm
        self._access = access
        self._limits = limits
        self._objects = objects
        self._batch = batch
        self._search = search
        self._associations = associations
        self._properties = properties
        self._owners = owners
        self._preferences = preferences

    def answer(self, request: Request) -> Reply:
        """Raises Refusal."""
        parts = [part for part in request.path.split("/") if part]
        if parts[:1] == ["oauth"]:
            return self._oauth(request, parts[1:])
        session = self._access.admit(request)
        headers = self._limits.spend(search=parts[-1:] == ["search"], metered=session.metered)
        try:
            reply = self._route(request, parts)
        except Refusal as refusal:
            refusal.headers = {**headers, **refusal.headers}
            raise
        return replace(reply, headers={**reply.headers, **headers})

    def _oauth(self, request: Request, parts: Sequence[str]) -> Reply:
        match (request.method, *parts):
            case ("POST", "v1" | "v3" | "2026-03" | "2026-09" as version, "token"):
                return self._access.issue(request, version)
            case ("GET", "v1", "access-tokens", token):
                return self._access.describe(token)
            case ("GET", "v1", "refresh-tokens", token):
                return self._access.describe_refresh(token)
        raise not_found()

    def _route(self, request: Request, parts: Sequence[str]) -> Reply:
        match parts:
            case ["crm", "v3" | "v4" as version, family, *rest]:
                pass
            case ["crm", family, version, *rest]:
                pass
            case ["communication-preferences", version, *rest]:
                return self._consent(Call(request, version), rest)
            case _:
                raise not_found()
        if family not in FAMILIES.get(version, ()):
            raise not_found()
        call = Call(request, version)
        match family:
            case "objects":
                return self._record(call, rest)
            case "associations":
                return self._associated(call, rest)
            case "properties":
                return self._property(call, rest)
            case _:
                return self._owner(call, rest)

    def _record(self, call: Call, rest: Sequence[str]) -> Reply:
        if not rest:
            raise not_found()
        table = self._table(rest[0])
        if len(rest) > 3 and rest[2] == "associations" and call.version != "v3":
            return self._association(call, table, rest)
        if call.version == "v4":
            raise not_found()
        reads = call.request.method == "GET" or rest[-1] in READS
        self._access.need(f"crm.objects.{table.kind.name}.{'read' if reads else 'write'}")
        if not reads:
            self._limits.check_lock()
        match (call.request.method, *rest[1:]):
            case ("GET",):
                return self._objects.listing(call, table)
            case ("POST",):
                return self._objects.create(call, table)
            case ("POST", "batch", verb):
                return self._batched(call, table, verb)
            case ("POST", "search"):
                return self._search.search(call, table)
            case ("POST", "merge") if table.kind is CONTACTS:
                return self._objects.merge(call)
            case ("POST", "gdpr-delete") if table.kind is CONTACTS:
                return self._objects.erase(call)
            case ("GET", id_):
                return self._objects.get(call, table, id_)
            case ("PATCH", id_):
                return self._objects.update(call, table, id_)
            case ("DELETE", id_):
                return self._objects.archive(call, table, id_)
        raise not_found()

    def _batched(self, call: Call, table: Table, verb: str) -> Reply:
        match verb:
            case "read":
                return self._batch.read(call, table)
            case "create":
                return self._batch.create(call, table)
            case "update":
                return self._batch.update(call, table)
            case "upsert":
                return self._batch.upsert(call, table)
            case "archive":
                return self._batch.archive(call, table)
        raise not_found()

    def _association(self, call: Call, table: Table, rest: Sequence[str]) -> Reply:
        self._access.need(*_ANY_CONTACTS)
        id_ = rest[1]
        match (call.request.method, *rest[3:]):
            case ("GET", other):
                return self._associations.listing(call, table, id_, self._other(table, other))
            case ("PUT", "default", other, other_id):
                return self._associations.associate_default(call, table, id_, self._other(table, other), other_id)
            case ("PUT", other, other_id):
                return self._associations.associate(call, table, id_, self._other(table, other), other_id)
            case ("DELETE", other, other_id):
                return self._associations.dissociate(call, table, id_, self._other(table, other), other_id)
        raise not_found()

    def _associated(self, call: Call, rest: Sequence[str]) -> Reply:
        self._access.need(*_ANY_CONTACTS)
        match (call.request.method, *rest):
            case ("POST", name, other, "batch", *verb):
                table = self._table(name)
                others = self._other(table, other)
            case _:
                raise not_found()
        match verb:
            case ["read"]:
                return self._associations.batch_read(call, table, others)
            case ["create"]:
                return self._associations.batch_create(call, table, others)
            case ["associate", "default"]:
                return self._associations.batch_default(call, table, others)
            case ["archive"]:
                return self._associations.batch_archive(call, table, others)
        raise not_found()

    def _property(self, call: Call, rest: Sequence[str]) -> Reply:
        if not rest:
            raise not_found()
        table = self._table(rest[0])
        catalogue, name = table.catalogue, table.kind.name
        if call.request.method == "GET" or rest[-1] in READS:
            self._access.need(f"crm.schemas.{name}.read", f"crm.objects.{name}.read", f"crm.objects.{name}.write")
        else:
            self._access.need(f"crm.schemas.{name}.write")
        match (call.request.method, *rest[1:]):
            case ("GET",):
                return self._properties.listing(call, catalogue)
            case ("POST",):
                return self._properties.create(call, catalogue)
            case ("POST", "batch", "read"):
                return self._properties.batch_read(call, catalogue)
            case ("POST", "batch", "create"):
                return self._properties.batch_create(call, catalogue)
            case ("GET", "groups"):
                return self._properties.groups(catalogue)
            case ("POST", "groups"):
                return self._properties.create_group(call, catalogue)
            case ("GET", "groups", group):
                return self._properties.group(catalogue, group)
            case ("GET", one):
                return self._properties.one(call, catalogue, one)
            case ("PATCH", one):
                return self._properties.update(call, catalogue, one)
            case ("DELETE", one):
                return self._properties.archive(catalogue, one)
        raise not_found()

    def _owner(self, call: Call, rest: Sequence[str]) -> Reply:
        self._access.need("crm.objects.owners.read")
        match (call.request.method, *rest):
            case ("GET",):
                return self._owners.listing(call)
            case ("GET", number):
                return self._owners.one(call, number)
        raise not_found()

    def _consent(self, call: Call, rest: Sequence[str]) -> Reply:
        if call.version not in ("v3", "v4", *DATES):
            raise not_found()
        wanted = (call.request.method, *rest)
        if call.version != "v4":
            match wanted:
                case ("GET", "status", "email", address):
                    self._access.need(*_READ_CONSENT)
                    return self._preferences.v3_status(address)
                case ("POST", "subscribe"):
                    self._access.need(*_WRITE_CONSENT)
                    return self._preferences.v3_subscribe(call)
                case ("POST", "unsubscribe"):
                    self._access.need(*_WRITE_CONSENT)
                    return self._preferences.v3_unsubscribe(call)
                case ("POST", "resubscribe") if call.dated:
                    self._access.need(*_WRITE_CONSENT)
                    return self._preferences.resubscribe(call)
        if wanted == ("GET", "definitions"):
            self._access.need(*_READ_CONSENT)
            return self._preferences.definitions(call)
        if call.version == "v3":
            raise not_found()
        return self._statuses(call, wanted)

    def _statuses(self, call: Call, wanted: tuple[str, ...]) -> Reply:
        match wanted:
            case ("POST", "statuses", "batch", "read"):
                self._access.need(_READ_BATCH)
                return self._preferences.batch_statuses(call)
            case ("POST", "statuses", "batch", "write"):
                self._access.need(_WRITE_BATCH)
                return self._preferences.batch_change(call)
            case ("POST", "statuses", "batch", "unsubscribe-all"):
                self._access.need(_WRITE_BATCH)
                return self._preferences.batch_unsubscribe_all(call)
            case ("POST", "statuses", "batch", "unsubscribe-all", "read"):
                self._access.need(_READ_BATCH)
                return self._preferences.batch_wide(call)
            case ("GET", "statuses", address):
                self._access.need(*_READ_CONSENT)
                return self._preferences.statuses(call, address)
            case ("POST", "statuses", address):
                self._access.need(*_WRITE_CONSENT)
                return self._preferences.change(call, address)
            case ("GET", "statuses", address, "unsubscribe-all"):
                self._access.need(*_READ_CONSENT)
                return self._preferences.wide(call, address)
            case ("POST", "statuses", address, "unsubscribe-all"):
                self._access.need(*_WRITE_CONSENT)
                return self._preferences.unsubscribe_all(call, address)
        raise not_found()

    def _table(self, name: str) -> Table:
        known = NAMES.get(name.lower())
        if known is None:
            raise bad_request(f"Unable to infer object type from: {name}")
        return self._crm.tables[known]

    def _other(self, table: Table, name: str) -> Table:
        """The other side of an association: contacts belong to companies, and nothing else is kept here."""
        other = self._table(name)
        if other is table:
            raise bad_request("Only associations between contacts and companies are known here.")
        return other
