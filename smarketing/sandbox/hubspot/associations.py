"""Which contacts belong to which companies, seen from both sides; a contact has one primary company at most.

Source: spec associations-v4; HubSpot docs, associations v4 guide (type ids 1, 2, 279, 280).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smarketing.sandbox.hubspot.refusals import bad_request

HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
PRIMARY, UNLABELLED = 1, 279
TO_CONTACT = {PRIMARY: 2, UNLABELLED: 280}
"""A contact→company type and the same seen from the company."""
TO_COMPANY = {other: own for own, other in TO_CONTACT.items()}
LABELS = {1: "Primary", 2: "Primary"}


def own_type(category: str, type_id: int, from_contact: bool) -> int:
    """The contact→company type that a request means. Raises Refusal."""
    known = TO_CONTACT if from_contact else TO_COMPANY
    if category != HUBSPOT_DEFINED or type_id not in known:
        raise bad_request(f"The association type {category} {type_id} does not exist between these objects.")
    return type_id if from_contact else TO_COMPANY[type_id]


class Links:
    """Contact id → company id → types, as the contact sees them."""

    def __init__(self) -> None:
        self._companies: dict[int, dict[int, set[int]]] = {}
        self._contacts: dict[int, set[int]] = {}

    def companies(self, contact: int) -> dict[int, set[int]]:
        return self._companies.get(contact, {})

    def contacts(self, company: int) -> list[int]:
        return sorted(self._contacts.get(company, ()))

    def primary(self, contact: int) -> int | None:
        return next((company for company, types in self.companies(contact).items() if PRIMARY in types), None)

    def join(self, contact: int, company: int, types: Sequence[int]) -> None:
        held = self._companies.setdefault(contact, {})
        if PRIMARY in types:
            for others in held.values():
                others.discard(PRIMARY)
        held.setdefault(company, set()).update({UNLABELLED, *types})
        self._contacts.setdefault(company, set()).add(contact)

    def part(self, contact: int, company: int) -> None:
        if self._companies.get(contact, {}).pop(company, None) is not None:
            self._contacts[company].discard(contact)

    def move(self, contact: int, survivor: int) -> None:
        """A contact was merged: its companies come along; the survivor keeps the primary one it has."""
        for company, types in list(self.companies(contact).items()):
            self.part(contact, company)
            self.join(survivor, company, [each for each in types if each != PRIMARY or self.primary(survivor) is None])

    def types(self, contact: int, company: int, from_contact: bool) -> list[dict[str, Any]]:
        """As answers show them, the primary one first."""
        own = sorted(self.companies(contact).get(company, ()))
        shown = own if from_contact else [TO_CONTACT[each] for each in own]
        return [
            {"category": HUBSPOT_DEFINED, "typeId": each, **({"label": LABELS[each]} if each in LABELS else {})}
            for each in shown
        ]
