"""The organisation as it is set up: which fields our user sees, whether our key is among them, and how to add it.

A field that field-level security hides is missing in the describe; it is then not asked for, so that nobody takes it
for empty.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.base import Finding, Option, Schema, SchemaField
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.salesforce.answers import Complaint
from connectors.salesforce.native import quoted

if TYPE_CHECKING:
    from connectors.salesforce.wire import Wire

log = logging.getLogger(__name__)

NUMBERS = ("double", "currency", "percent", "int", "long")

TYPES = {
    **dict.fromkeys(("string", "textarea", "encryptedstring", "combobox", "url"), "text"),
    **dict.fromkeys(("id", "reference"), "reference"),
    **dict.fromkeys(NUMBERS, "number"),
    **{same: same for same in ("email", "phone", "boolean", "date", "datetime")},
    "picklist": "choice",
    "multipicklist": "choices",
}

KEY_LENGTH = 100
OPT_OUT = "HasOptedOutOfEmail"
CLOCK_SECONDS = 60.0
NEARLY = 0.9

Described = Mapping[str, Mapping[str, Any]]
"""Native name → what the describe says of the field."""


class Account:
    """What one organisation looks like to our user. Each object is described once, until somebody asks for it anew."""

    def __init__(self, system: str, wire: Wire, wanted: Mapping[str, Sequence[str]], key_field: str) -> None:
        self._system = system
        self._wire = wire
        self._wanted = wanted
        self._key_field = key_field
        self._described: dict[str, Described] = {}
        self._rights: dict[str, Mapping[str, Any]] = {}
        self._hidden: dict[str, frozenset[str]] = {}

    def fields(self, object: str) -> Described:
        known = self._described.get(object)
        return self.look(object) if known is None else known

    def look(self, object: str) -> Described:
        """Describe it now."""
        answer = self._wire.describe(object, purpose=f"describe {object}")
        self._rights[object] = answer
        fields = {each["name"]: each for each in answer["fields"]}
        self._described[object] = fields
        return fields

    def visible(self, object: str) -> list[str]:
        """The wanted fields that may be asked for: all, until the vendor has refused one and we looked."""
        hidden = self._hidden.get(object, frozenset())
        return [name for name in self._wanted.get(object, ()) if name not in hidden]

    def look_for_hidden(self, object: str) -> bool:
        """Find out which wanted fields are hidden. Answers whether that changed."""
        before = self._hidden.get(object, frozenset())
        self._described = {}
        self.look(object)
        self._hidden[object] = frozenset(
            name for name in self._wanted.get(object, ()) if self._described_at(object, name) is None
        )
        return self._hidden[object] != before

    def own_key(self, object: str) -> str | None:
        """Our key field, if it is there, unique, an external id and writable."""
        field = self.fields(object).get(self._key_field)
        fit = field and field.get("unique") and field.get("externalId") and field.get("createable")
        return self._key_field if fit else None

    def schema(self, object: str) -> Schema:
        self.look_for_hidden(object)
        told = [_schema_field(name, field) for name, field in self.fields(object).items()]
        for name in self._wanted.get(object, ()):
            field = self._described_at(object, name) if "." in name else None
            if field is not None:
                told.append(_schema_field(name, {**field, "createable": False, "updateable": False, "nillable": True}))
        return Schema(object, tuple(told))

    def _described_at(self, object: str, path: str) -> Mapping[str, Any] | None:
        """What is known of a field, or of a related record's field. None where our user sees none."""
        *relations, name = path.split(".")
        for relation in relations:
            fields = self.fields(object).values()
            target = next((each for each in fields if each.get("relationshipName") == relation), None)
            if target is None or not target.get("referenceTo"):
                return None
            # An owner is a user or a queue ("Group"): what both have is what a user has.
            objects = target["referenceTo"]
            object = "User" if "User" in objects else objects[0]
        return self.fields(object).get(name)

    def add_own_key(self, object: str) -> str:
        """Make the key field by the Tooling API and let our user see it; Stop with the steps where that is refused."""
        if self._key_field in self.look(object):
            if self.own_key(object):
                return self._key_field
            raise Stop(
                f'{self._system}: {object}.{self._key_field} is there, but is not "Unique", "External ID" and writable '
                f"for our user; {self._by_hand(object)}"
            )
        try:
            self._create_key(object)
            if self._key_field not in self.look(object):
                self._show_key(object)
                self.look(object)
        except (Complaint, InDoubt) as error:
            raise Stop(
                f"{self._system}: the field {object}.{self._key_field} could not be made here ({error}); "
                f"{self._by_hand(object)}"
            ) from None
        if self.own_key(object) is None:
            raise Stop(
                f"{self._system}: {object}.{self._key_field} was made, but our user does not see it as writable yet; "
                "give its permission set read and edit access to the field"
            )
        return self._key_field

    def _create_key(self, object: str) -> None:
        """Tooling API: CustomField. Only a user who may customise the application can do this."""
        body = {
            "FullName": f"{object}.{self._key_field}",
            "Metadata": {
                "type": "Text",
                "label": self._label(),
                "description": "Names this record for Smarketing, so that it is never made twice.",
                "length": KEY_LENGTH,
                "externalId": True,
                "unique": True,
                "caseSensitive": False,
                "required": False,
            },
        }
        try:
            self._wire.send("POST", "tooling/sobjects/CustomField", body, purpose=f"add the key field of {object}")
        except Complaint as complaint:
            if complaint.reason != "DUPLICATE_DEVELOPER_NAME":  # it is there, and hidden from us
                raise

    def _show_key(self, object: str) -> None:
        """A field made by API is hidden from everybody: show it to those who share a permission set with our user."""
        asked = (
            "SELECT PermissionSetId, PermissionSet.IsOwnedByProfile FROM PermissionSetAssignment "  # noqa: S608
            f"WHERE AssigneeId = {quoted(self._wire.user() or '')}"
        )
        purpose = f"show the key field of {object}"
        rows = self._wire.query(asked, purpose=purpose, deleted=False)["records"]
        # The set of a profile is the last resort: it shows the field to everybody with that profile.
        rows.sort(key=lambda row: bool((row.get("PermissionSet") or {}).get("IsOwnedByProfile")))
        for row in rows:
            grant = {
                "ParentId": row["PermissionSetId"],
                "SobjectType": object,
                "Field": f"{object}.{self._key_field}",
                "PermissionsRead": True,
                "PermissionsEdit": True,
            }
            try:
                self._wire.send("POST", "sobjects/FieldPermissions", grant, purpose=purpose)
            except Complaint as complaint:
                log.info("%s: a permission set cannot be changed (%s)", self._system, complaint.reason)
            else:
                return

    def _label(self) -> str:
        return self._key_field.removesuffix("__c").replace("_", " ")

    def _by_hand(self, object: str) -> str:
        return (
            f"in Setup, Object Manager, {object}, Fields & Relationships: New, type Text, label {self._label()!r}, "
            f"length {KEY_LENGTH}, name {self._key_field.removesuffix('__c')!r}, tick Unique (not case-sensitive) and "
            "External ID, and give the permission set of our user read and edit access"
        )

    def check(self, objects: Sequence[str], daily_share: float) -> Iterator[Finding]:
        """Try the credentials, then each object, then what else would hurt later."""
        try:
            us = self._wire.user()
        except ConnectorError as error:
            yield Finding("error", error.code, str(error))
            return
        if us is None:
            yield Finding(
                "warning",
                "SM331",
                f"{self._system}: the token does not say which user we act as",
                'our own changes cannot be told from other people\'s; grant the app the scope "id"',
            )
        else:
            yield Finding("ok", "SM330", f"{self._system}: signed in")
        for object in objects:
            try:
                yield from self._check_object(object)
            except (Retry, Stop) as error:
                yield Finding("error", error.code, str(error), f"let our user read and write {object}")
        yield from self._check_duplicate_rules(objects)
        yield from self._check_day(daily_share)
        yield from self._check_clock()

    def _check_object(self, object: str) -> Iterator[Finding]:
        self.look_for_hidden(object)
        rights = self._rights[object]
        lacking = [right for right in ("queryable", "createable", "updateable", "deletable") if not rights.get(right)]
        if lacking:
            level = "warning" if lacking == ["deletable"] else "error"
            yield Finding(
                level,
                "SM332",
                f"{self._system}: our user's rights to {object} lack {', '.join(lacking)}",
                "add them to its permission set",
            )
        else:
            yield Finding("ok", "SM332", f"{self._system}: {object} can be read and written")
        if OPT_OUT not in self.fields(object):
            yield Finding(
                "error",
                "SM333",
                f"{self._system}: {object}.{OPT_OUT} is hidden from our user (as it is from everybody at first)",
                "opt-outs cannot be told: give its permission set read and edit access to the field",
            )
        hidden = sorted(self._hidden[object] - {OPT_OUT})
        if hidden:
            yield Finding(
                "warning",
                "SM334",
                f"{self._system}: {object} has no {', '.join(hidden)}, or our user does not see it",
                "give its permission set access, or take the field out of the mapping",
            )
        if self.own_key(object):
            yield Finding("ok", "SM335", f"{self._system}: {object}.{self._key_field} holds our key")
        else:
            yield Finding(
                "advice",
                "SM335",
                f"{self._system}: {object} has no unique external id {self._key_field} that our user can write",
                "without it a lost answer can end in a review entry instead of nothing; let us add it, or "
                + self._by_hand(object),
            )

    def _check_duplicate_rules(self, objects: Sequence[str]) -> Iterator[Finding]:
        names = ", ".join(f"'{object}'" for object in objects)
        soql = f"SELECT SobjectType FROM DuplicateRule WHERE IsActive = true AND SobjectType IN ({names})"  # noqa: S608
        try:
            rows = self._wire.query(soql, purpose="look up duplicate rules", deleted=False)["records"]
        except ConnectorError:
            return  # an advice that we cannot give
        for object in sorted({str(row["SobjectType"]) for row in rows}):
            yield Finding(
                "advice",
                "SM336",
                f"{self._system}: a duplicate rule of {object} is active",
                "a create that it blocks is linked to the one record it names, or goes to review when it names several",
            )

    def _check_day(self, share: float) -> Iterator[Finding]:
        day = self._wire.day()
        if day:
            used, allowed = day
            level = "ok" if used < allowed * share * NEARLY else "warning"
            yield Finding(
                level,
                "SM337",
                f"{self._system}: {used:,} of {allowed:,} API requests of the last 24 hours are used, by all programs",
                "" if level == "ok" else f"we stop at {share:.0%} (daily_share); find out what uses them, or raise it",
            )

    def _check_clock(self) -> Iterator[Finding]:
        ahead = self._wire.ahead
        if ahead is not None and ahead > CLOCK_SECONDS:
            yield Finding(
                "warning",
                "SM338",
                f"{self._system}: our clock is {ahead:,.0f} seconds ahead of Salesforce's",
                "changes may be missed until the next sweep: let the machine keep its time by NTP",
            )


def _schema_field(name: str, field: Mapping[str, Any]) -> SchemaField:
    type_ = TYPES.get(field["type"], "other")
    options = None
    if type_ in ("choice", "choices"):
        active = [each for each in field.get("picklistValues") or () if each.get("active", True)]
        options = tuple(Option(str(each["value"]), str(each.get("label") or each["value"])) for each in active)
    return SchemaField(
        name=name,
        label=str(field.get("label") or name),
        type="email" if name == "OwnerId" else type_,  # an owner is told and taken as an e-mail address
        length=(field.get("length") or None) if type_ in ("text", "email", "phone", "choice", "choices") else None,
        options=options,
        read_only=not (field.get("createable") or field.get("updateable")),
        required=bool(field.get("createable") and not field.get("nillable") and not field.get("defaultedOnCreate")),
        unique=bool(field.get("unique")),
        restricted=bool(field.get("restrictedPicklist")) if options is not None else True,
    )
