"""What an object and a field are: the metadata that describe tells and that every write is held against.

A hidden field is one that field-level security keeps from our user: to the API it does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Scalar: TypeAlias = "str | int | float | bool | None"
Values: TypeAlias = "dict[str, Scalar]"
"""A record as stored: field → value. An absent key is null. Never changed in place, so that a copy of the reference is
a snapshot."""

TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"})
NUMBERS = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`targets`: the objects a reference may point to; `relationship`: its name in a query; `children`: the name of the
    way back; `cascade`: the record goes when its parent goes. `computed`: stored by us, never by a caller."""

    name: str
    type: str
    label: str
    length: int = 0
    scale: int = 0
    required: bool = False
    default: Scalar = None
    createable: bool = True
    updateable: bool = True
    computed: bool = False
    options: tuple[str, ...] = ()
    restricted: bool = False
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    cascade: bool = False
    external: bool = False
    unique: bool = False
    lookup: bool = False
    filterable: bool = True
    tracked: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def polymorphic(self) -> bool:
        return len(self.targets) > 1


def text(name: str, label: str, length: int, *, required: bool = False, tracked: bool = False) -> Field:
    return Field(name=name, type="string", label=label, length=length, required=required, tracked=tracked)


def key(name: str, label: str, length: int = 255) -> Field:
    """A text field of ours that is an external id and unique."""
    return Field(name=name, type="string", label=label, length=length, external=True, unique=True, lookup=True)


def area(name: str, label: str, length: int) -> Field:
    return Field(name=name, type="textarea", label=label, length=length, filterable=length <= 255)


def email(name: str, label: str, length: int = 80) -> Field:
    return Field(name=name, type="email", label=label, length=length, lookup=True, tracked=True)


def phone(name: str, label: str) -> Field:
    return Field(name=name, type="phone", label=label, length=40, tracked=True)


def url(name: str, label: str) -> Field:
    return Field(name=name, type="url", label=label, length=255)


def pick(
    name: str,
    label: str,
    *options: str,
    default: str | None = None,
    restricted: bool = False,
    length: int = 255,
    tracked: bool = False,
) -> Field:
    return Field(
        name=name,
        type="picklist",
        label=label,
        length=length,
        options=options,
        restricted=restricted,
        default=default,
        tracked=tracked,
    )


def flag(name: str, label: str, *, read_only: bool = False, tracked: bool = False, default: bool = False) -> Field:
    return Field(
        name=name,
        type="boolean",
        label=label,
        default=default,
        createable=not read_only,
        updateable=not read_only,
        tracked=tracked,
    )


def number(name: str, label: str, type: str = "int", *, length: int = 8, scale: int = 0) -> Field:
    return Field(name=name, type=type, label=label, length=length, scale=scale)


def day(name: str, label: str, *, required: bool = False, read_only: bool = False) -> Field:
    return Field(
        name=name,
        type="date",
        label=label,
        required=required,
        createable=not read_only,
        updateable=not read_only,
    )


def moment(name: str, label: str, *, read_only: bool = False) -> Field:
    return Field(name=name, type="datetime", label=label, createable=not read_only, updateable=not read_only)


def ref(
    name: str,
    label: str,
    *targets: str,
    children: str | None = None,
    cascade: bool = False,
    required: bool = False,
    read_only: bool = False,
    fixed: bool = False,
    tracked: bool = False,
) -> Field:
    """`fixed`: told when the record is made, never changed."""
    return Field(
        name=name,
        type="reference",
        label=label,
        length=18,
        targets=targets,
        relationship=name.removesuffix("Id"),
        children=children,
        cascade=cascade,
        required=required,
        createable=not read_only,
        updateable=not (read_only or fixed),
        tracked=tracked,
    )


def computed(name: str, label: str, type: str, length: int = 0) -> Field:
    """A value that Salesforce works out from others. An address has none of its own and cannot be filtered."""
    return Field(
        name=name,
        type=type,
        label=label,
        length=length,
        createable=False,
        updateable=False,
        computed=True,
        filterable=type != "address",
    )


def identity(label: str) -> Field:
    return Field(
        name="Id",
        type="id",
        label=f"{label} ID",
        length=18,
        createable=False,
        updateable=False,
        computed=True,
        lookup=True,
    )


@dataclass(slots=True)
class SObject:
    """`createable`, `updateable` and `deletable` are what our user may do through the API."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    tooling: bool = False
    hidden: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {name.lower(): name for name in self.fields}

    def field(self, name: str) -> Field | None:
        """The field of that name, in any case, if our user may see it."""
        known = self._names.get(name.lower())
        return None if known is None or known in self.hidden else self.fields[known]

    def visible(self) -> Iterator[Field]:
        return (each for each in self.fields.values() if each.name not in self.hidden)

    def parent(self, relationship: str) -> Field | None:
        """The reference that goes by this name in a query."""
        wanted = relationship.lower()
        for each in self.visible():
            if each.relationship is not None and each.relationship.lower() == wanted:
                return each
        return None

    def add(self, added: Field) -> None:
        self.fields[added.name] = added
        self._names[added.name.lower()] = added.name


class Schema:
    """All objects, by name in any case and by the first three letters of their ids."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self.objects = {each.name: each for each in objects}
        self._names = {name.lower(): name for name in self.objects}
        self._prefixes = {each.prefix: each for each in self.objects.values() if each.prefix}

    def find(self, name: str) -> SObject | None:
        known = self._names.get(name.lower())
        return self.objects[known] if known else None

    def of_id(self, id: str) -> SObject | None:
        return self._prefixes.get(id[:3])

    def children(self, parent: str) -> Iterator[tuple[SObject, Field]]:
        """Every reference to `parent` that has a name from there."""
        for each in self.objects.values():
            for one in each.fields.values():
                if one.children is not None and parent in one.targets:
                    yield each, one
