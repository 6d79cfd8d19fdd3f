"""A name in a query → a column: its field, and how to get at the value from a record, across parents if need be.

A reference that may point to several objects (the owner of a lead) shows only what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smarketing.sandbox.salesforce.errors import Malformed
from smarketing.sandbox.salesforce.records import Store
from smarketing.sandbox.salesforce.schema import Field, Scalar, SObject, Values, email, flag, identity, phone, text
from smarketing.sandbox.salesforce.soql import Path, complain

Getter = Callable[[Values], Scalar]
MOST_HOPS = 5

_COMMON = [
    identity("Name"),
    text("Name", "Name", 121),
    text("FirstName", "First Name", 40),
    text("LastName", "Last Name", 80),
    text("Alias", "Alias", 8),
    text("Username", "Username", 80),
    text("Title", "Title", 80),
    text("Type", "Type", 40),
    email("Email", "Email"),
    phone("Phone", "Phone"),
    flag("IsActive", "Active"),
]
NAME = SObject("Name", "Name", "Names", "", {each.name: each for each in _COMMON})
"""What the objects behind a polymorphic reference have in common."""


@dataclass(frozen=True, slots=True)
class Column:
    """`names` is the path in the vendor's spelling; `direct`: a field of the record itself."""

    field: Field
    names: tuple[str, ...]
    get: Getter

    @property
    def direct(self) -> bool:
        return len(self.names) == 1

    @property
    def key(self) -> str:
        return ".".join(self.names)


def kind_of(row: Values, store: Store) -> str:
    """What a polymorphic parent says it is."""
    sobject = store.schema.of_id(str(row["Id"]))
    name = sobject.name if sobject else ""
    return "Queue" if name == "Group" and row.get("Type") == "Queue" else name


class Columns:
    """The names that a query over `sobject` may use. Raises Malformed for any other."""

    def __init__(self, store: Store, sobject: SObject, alias: str | None, text: str) -> None:
        self._store = store
        self.sobject = sobject
        self._alias = {sobject.name.lower(), (alias or sobject.name).lower()}
        self._text = text

    def find(self, path: Path) -> Column:
        parts = path.parts
        if len(parts) > 1 and parts[0].lower() in self._alias and self.sobject.parent(parts[0]) is None:
            parts = parts[1:]
        if len(parts) > MOST_HOPS + 1:
            message = "SOQL statements cannot query beyond the 5th level of parents"
            raise complain("MALFORMED_QUERY", message, self._text, path.at)
        sobject = self.sobject
        hops: list[Field] = []
        for name in parts[:-1]:
            parent = sobject.parent(name) if sobject is not NAME else None
            if parent is None or parent.relationship is None:
                message = f"Didn't understand relationship '{name}' in field path."
                raise complain("INVALID_FIELD", message, self._text, path.at)
            hops.append(parent)
            sobject = self.target(parent)
        each = sobject.field(parts[-1])
        if each is None:
            raise self._unknown(parts[-1], sobject, path.at)
        names = (*(str(hop.relationship) for hop in hops), each.name)
        return Column(each, names, self._getter(hops, sobject, each))

    def target(self, parent: Field) -> SObject:
        """The object behind a reference."""
        return NAME if parent.polymorphic else self._store.schema.objects[parent.targets[0]]

    def _getter(self, hops: list[Field], sobject: SObject, each: Field) -> Getter:
        name = each.name
        if not hops:
            return lambda row: row.get(name)
        steps = [hop.name for hop in hops]
        kind = sobject is NAME and name == "Type"

        def across(row: Values) -> Scalar:
            for step in steps:
                id = row.get(step)
                parent = self._store.find(str(id)) if id is not None else None
                if parent is None:
                    return None
                row = parent
            return kind_of(row, self._store) if kind else row.get(name)

        return across

    def _unknown(self, name: str, sobject: SObject, at: int) -> Malformed:
        message = (
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name."
        )
        return complain("INVALID_FIELD", message, self._text, at)
