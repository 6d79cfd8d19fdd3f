"""Which fields of a record are told, and in which shape: JSON with attributes and nested parents, or cells of a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from smarketing.sandbox.salesforce.columns import NAME, Column, kind_of
from smarketing.sandbox.salesforce.records import Store
from smarketing.sandbox.salesforce.schema import Field, Scalar, SObject, Values

Json: TypeAlias = "dict[str, Any]"
_PARTS = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")


def attributes(object: str, id: str, version: str, type: str = "") -> dict[str, str]:
    return {"type": type or object, "url": f"/services/data/v{version}/sobjects/{object}/{id}"}


def told(each: Field, row: Values) -> object:
    """The JSON value of a field of this record."""
    return _address(each, row) if each.type == "address" else row.get(each.name)


def cell(value: Scalar, type: str) -> str:
    """A value as a CSV of Bulk API 2.0 writes it: times end in Z there."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.removesuffix("+0000") + "Z" if type == "datetime" else text


def _address(each: Field, row: Values) -> dict[str, Scalar] | None:
    prefix = each.name.removesuffix("Address")
    parts = {part: row.get(prefix + part) for part in _PARTS}
    if all(value is None for value in parts.values()):
        return None
    shown: dict[str, Scalar] = {part[0].lower() + part[1:]: value for part, value in parts.items()}
    shown |= {"geocodeAccuracy": None, "latitude": None, "longitude": None}
    return shown


@dataclass(slots=True)
class Shape:
    """The fields of a record to tell, with those of its parents. `extra` are the sub-queries, by their relationship."""

    sobject: SObject
    store: Store
    fields: dict[str, Field] = field(default_factory=dict)
    parents: dict[str, tuple[str, Shape]] = field(default_factory=dict)
    extra: dict[str, Callable[[Values, str], Json | None]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def add(self, column: Column, target: Callable[[Field], SObject]) -> bool:
        """Tell this column too. False when it is told already."""
        shape = self
        for name in column.names[:-1]:
            parent = shape.sobject.parent(name)
            assert parent is not None
            if name not in shape.parents:
                shape.parents[name] = (parent.name, Shape(target(parent), self.store))
                shape.order.append(name)
            shape = shape.parents[name][1]
        if column.field.name in shape.fields:
            return False
        shape.fields[column.field.name] = column.field
        shape.order.append(column.field.name)
        return True

    def add_all(self, fields: Iterable[Field]) -> None:
        for each in fields:
            if each.name not in self.fields:
                self.fields[each.name] = each
                self.order.append(each.name)

    def json(self, row: Values, version: str) -> Json:
        id = str(row["Id"])
        object = self._object(id)
        shown: Json = {"attributes": attributes(object, id, version, self.sobject.name)}
        for name in self.order:
            if name in self.fields:
                shown[name] = told(self.fields[name], row)
            elif name in self.parents:
                shown[name] = self._parent(name, row, version)
            else:
                shown[name] = self.extra[name](row, version)
        if self.sobject is NAME and "Type" in self.fields:
            shown["Type"] = kind_of(row, self.store)
        return shown

    def _parent(self, name: str, row: Values, version: str) -> Json | None:
        reference, shape = self.parents[name]
        id = row.get(reference)
        parent = self.store.find(str(id)) if id is not None else None
        return None if parent is None else shape.json(parent, version)

    def _object(self, id: str) -> str:
        if self.sobject is not NAME:
            return self.sobject.name
        actual = self.store.schema.of_id(id)
        return actual.name if actual else ""
