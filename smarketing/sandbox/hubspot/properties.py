"""What properties an object has: the vendor's own and the account's. Refuses definitions HubSpot would refuse.

Source: spec properties-v3; HubSpot docs, properties guide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smarketing.sandbox.hubspot.bodies import GroupCreate, OptionInput, PropertyCreate, PropertyUpdate
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request, not_found
from smarketing.sandbox.hubspot.times import stamp

TYPES = frozenset({"bool", "date", "datetime", "enumeration", "number", "phone_number", "string"})
FIELD_TYPES = frozenset(
    {
        "booleancheckbox",
        "calculation_equation",
        "checkbox",
        "date",
        "file",
        "html",
        "number",
        "phonenumber",
        "radio",
        "select",
        "text",
        "textarea",
    }
)
UNIQUE_AT_MOST = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    order: int = -1
    hidden: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """`read_only`: its value cannot be written; `on_create`: except while the record is made. `owners`: its options
    are the account's owners; `external`: its options stand elsewhere."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = "contactinformation"
    options: tuple[Option, ...] = ()
    read_only: bool = False
    on_create: bool = False
    calculated: bool = False
    owners: bool = False
    external: bool = False
    unique: bool = False
    own: bool = False
    """Defined by the account, not by the vendor."""
    fixed_options: bool = False
    description: str = ""
    order: int = -1
    hidden: bool = False
    form_field: bool = False
    created: int = 0
    updated: int = 0
    archived: int | None = None

    @property
    def multiple(self) -> bool:
        return self.field_type == "checkbox"

    def values(self) -> Collection[str]:
        return {option.value for option in self.options}

    def rank(self, value: str) -> int:
        """The place of an option among the others."""
        order = sorted(self.options, key=lambda option: option.order)
        return [option.value for option in order].index(value)

    def shape(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {
                    "label": option.label,
                    "value": option.value,
                    "description": option.description,
                    "displayOrder": option.order,
                    "hidden": option.hidden,
                }
                for option in self.options
            ],
            "displayOrder": self.order,
            "calculated": self.calculated,
            "externalOptions": self.owners or self.external,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": not self.own,
            "archived": self.archived is not None,
            "modificationMetadata": {
                "archivable": self.own,
                "readOnlyDefinition": not self.own,
                "readOnlyOptions": self.fixed_options,
                "readOnlyValue": self.read_only,
            },
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
            "createdAt": stamp(self.created),
            "updatedAt": stamp(self.updated),
        }
        if self.owners:
            content["referencedObjectType"] = "OWNER"
        if self.archived is not None:
            content["archivedAt"] = stamp(self.archived)
        return content


@dataclass(slots=True)
class Group:
    name: str
    label: str
    order: int = -1

    def shape(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.label, "displayOrder": self.order, "archived": False}


@dataclass(slots=True)
class Catalogue:
    """The properties of one object type. `unique` lists those that may hold each value once."""

    groups: dict[str, Group]
    _all: dict[str, Property] = field(default_factory=dict)
    _archived: dict[str, Property] = field(default_factory=dict)
    unique: list[str] = field(default_factory=list)

    def put(self, properties: Iterable[Property]) -> None:
        for each in properties:
            self._all[each.name] = each
            if each.unique and each.name not in self.unique:
                self.unique.append(each.name)

    def get(self, name: str) -> Property | None:
        return self._all.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def listed(self, archived: bool) -> Sequence[Property]:
        return list((self._archived if archived else self._all).values())

    def one(self, name: str, archived: bool = False) -> Property:
        found = (self._archived if archived else self._all).get(name)
        if found is None:
            raise not_found()
        return found

    def create(self, said: PropertyCreate, now: int) -> Property:
        if said.name in self._all:
            raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"A property named '{said.name}' already exists.")
        if not _NAME.fullmatch(said.name):
            raise bad_request("A property name begins with a letter and holds lower-case letters, digits and _ only.")
        if said.type not in TYPES or said.fieldType not in FIELD_TYPES:
            raise bad_request("The type or the fieldType of the property is not one of those allowed.")
        self._known_group(said.groupName)
        options = _options(said.options or [])
        if said.type == "bool" and not options:
            options = (Option("true", "True", 0), Option("false", "False", 1))
        if said.type == "enumeration" and not options:
            raise bad_request("An enumeration needs options.")
        if said.hasUniqueValue and (said.type not in ("string", "number") or said.fieldType not in ("text", "number")):
            raise bad_request("Only a single line of text or a number can have unique values.")
        if said.hasUniqueValue and sum(self._all[name].own for name in self.unique) >= UNIQUE_AT_MOST:
            raise bad_request(f"An object can have {UNIQUE_AT_MOST} properties with unique values at most.")
        made = Property(
            said.name,
            said.label,
            said.type,
            said.fieldType,
            said.groupName,
            options,
            unique=said.hasUniqueValue,
            own=True,
            description=said.description,
            order=said.displayOrder,
            hidden=said.hidden,
            form_field=said.formField,
            created=now,
            updated=now,
        )
        self.put([made])
        return made

    def update(self, name: str, said: PropertyUpdate, now: int) -> Property:
        held = self.one(name)
        if not held.own and {said.label, said.description, said.groupName, said.hidden, said.formField} != {None}:
            raise bad_request("The definition of a property that HubSpot made is read only, except for its options.")
        if said.options is not None and held.fixed_options:
            raise bad_request("The options of this property are read only.")
        if said.groupName is not None:
            self._known_group(said.groupName)
        changed = replace(
            held,
            label=held.label if said.label is None else said.label,
            description=held.description if said.description is None else said.description,
            group=held.group if said.groupName is None else said.groupName,
            options=held.options if said.options is None else _options(said.options),
            order=held.order if said.displayOrder is None else said.displayOrder,
            hidden=held.hidden if said.hidden is None else said.hidden,
            form_field=held.form_field if said.formField is None else said.formField,
            updated=now,
        )
        self.put([changed])
        return changed

    def archive(self, name: str, now: int) -> None:
        held = self.one(name)
        if not held.own:
            raise bad_request("A property that HubSpot made cannot be archived.")
        del self._all[name]
        self._archived[name] = replace(held, archived=now)
        if name in self.unique:
            self.unique.remove(name)

    def create_group(self, said: GroupCreate) -> Group:
        if said.name in self.groups:
            raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"A property group named '{said.name}' already exists.")
        made = self.groups[said.name] = Group(said.name, said.label, said.displayOrder)
        return made

    def _known_group(self, name: str) -> None:
        if name not in self.groups:
            raise bad_request(f"The property group '{name}' does not exist.")


def _options(said: Sequence[OptionInput]) -> tuple[Option, ...]:
    values = [option.value for option in said]
    if len(set(values)) != len(values) or "" in values:
        raise bad_request("Option values must be unique and not empty.")
    return tuple(
        Option(option.value, option.label, place if option.displayOrder < 0 else option.displayOrder, option.hidden)
        for place, option in enumerate(said)
    )
