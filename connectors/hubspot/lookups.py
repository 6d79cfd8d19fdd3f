"""Small tables of an account that turn its ids into what people know: owners, lifecycle stages, companies.

A table is read once, and again when it lacks what is asked; for a name that stays missing not more often than every
ten minutes, so that an owner who left does not cost a request a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from connectors.base import Fields, Value, batches
from connectors.hubspot.native import COMPANY, STAGE, properties, told
from connectors.hubspot.wire import Wire
from connectors.world import World

V = TypeVar("V")

PATIENCE = 600.0
PRIMARY = 1
"""The association type "contact to its primary company". Its label changes with time and language (HubSpot changelog:
primary labels, February 2024)."""
BATCH = 100


class Lookup(Generic[V]):
    def __init__(self, world: World, load: Callable[[], Mapping[str, V]]) -> None:
        self._world = world
        self._load = load
        self._lock = world.lock()
        self._table: Mapping[str, V] | None = None
        self._missed: dict[str, float] = {}

    def get(self, name: str) -> V | None:
        with self._lock:
            now = self._world.monotonic()
            missed = self._missed.get(name)
            if self._table is None or (name not in self._table and (missed is None or now - missed >= PATIENCE)):
                self._table = self._load()
                if name not in self._table:
                    self._missed[name] = now
            return self._table.get(name)


class Owners:
    """Owner ids and their e-mail addresses, both ways. Archived owners and queues without an address are unknown."""

    def __init__(self, wire: Wire, world: World) -> None:
        self._wire = wire
        self._names: Lookup[str] = Lookup(world, self._read)

    def address(self, id: str) -> str | None:
        return self._names.get(id)

    def id(self, address: str) -> str | None:
        return self._names.get(address.strip().lower()) if "@" in address else None

    def _read(self) -> Mapping[str, str]:
        names: dict[str, str] = {}
        after: str | None = None
        while True:
            page = {"limit": 100} if after is None else {"limit": 100, "after": after}
            heard = self._wire.ask(
                lambda page=page: self._wire.sdk.owners.get_page(**page, _preload_content=False),  # type: ignore[misc]
                purpose="read owners",
            )
            for row in heard.results:
                address = str(row.get("email") or "").strip().lower()
                if address and not row.get("archived"):
                    names[str(row["id"])] = address
                    names[address] = str(row["id"])
            if heard.after is None or heard.after == after:
                return names
            after = heard.after


class Stages:
    """The order of the account's lifecycle stages: accounts add, remove and sort them."""

    def __init__(self, wire: Wire, world: World) -> None:
        self._wire = wire
        self._ranks: Lookup[int] = Lookup(world, self._read)

    def backwards(self, before: Value, after: Value) -> bool:
        """Whether the second comes before the first: HubSpot ignores such a write without an error."""
        if not isinstance(before, str) or not isinstance(after, str):
            return False
        was, will = self._ranks.get(before), self._ranks.get(after)
        return was is not None and will is not None and will < was

    def _read(self) -> Mapping[str, int]:
        heard = self._wire.ask(
            lambda: self._wire.sdk.properties.get_by_name("contacts", STAGE, _preload_content=False),
            purpose="read properties",
            rows=None,
        )
        options = heard.content.get("options") or ()
        return {str(each["value"]): int(each.get("displayOrder") or 0) for each in options}


class Companies:
    """What the mapping wants of the contacts' primary companies."""

    def __init__(self, wire: Wire, names: Sequence[str]) -> None:
        self._wire = wire
        self._names = tuple(names)

    def of(self, contacts: Sequence[str]) -> dict[str, Fields]:
        """Contact id → its company's fields; all None where it has none. A contact is missing where nobody can tell."""
        primary: dict[str, str | None] = {}
        for part in batches(contacts, BATCH):
            primary |= self._primary(part)
        known: dict[str, Mapping[str, Any]] = {}
        for part in batches(sorted({each for each in primary.values() if each is not None}), BATCH):
            known |= self._properties(part)
        nothing: Mapping[str, Any] = dict.fromkeys(self._names)
        found: dict[str, Fields] = {}
        for contact, company in primary.items():
            row = nothing if company is None else known.get(company)
            if row is not None:
                found[contact] = {COMPANY + name: told(name, row[name]) for name in self._names if name in row}
        return found

    def _primary(self, contacts: Sequence[str]) -> dict[str, str | None]:
        body = {"inputs": [{"id": each} for each in contacts]}
        heard = self._wire.ask(
            lambda: self._wire.sdk.associations.get_page("contacts", "companies", body, _preload_content=False),
            purpose="read companies",
            rows="from",
        )
        # A contact without any company comes as an error of a 207, or not at all.
        primary: dict[str, str | None] = dict.fromkeys(contacts)
        for row in heard.results:
            contact = str(row["from"]["id"])
            there = [
                str(each["toObjectId"])
                for each in row.get("to") or ()
                if any(
                    kind.get("category") == "HUBSPOT_DEFINED" and kind.get("typeId") == PRIMARY
                    for kind in each.get("associationTypes") or ()
                )
            ]
            if there:
                primary[contact] = there[0]
            elif (row.get("paging") or {}).get("next"):
                primary.pop(contact, None)  # more companies than one answer holds, the primary one not among them
        return primary

    def _properties(self, companies: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        body = {
            "properties": list(self._names),
            "propertiesWithHistory": [],
            "inputs": [{"id": each} for each in companies],
        }
        heard = self._wire.ask(
            lambda: self._wire.sdk.companies.read(body, _preload_content=False), purpose="read companies"
        )
        return {str(row["id"]): properties(row) for row in heard.results}
