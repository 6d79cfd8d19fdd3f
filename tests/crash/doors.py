"""The doors into HubSpot and Salesforce, in the simulator's words: so that its people can act there and its oracle can
judge what became of it. Records are told in both languages at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.backdoor import Backdoor, Fault, Kept, Seen, When
from connectors.base import Fields, Ref, Value


@dataclass(frozen=True, slots=True)
class Words:
    """How a vendor calls what the simulator calls `email`, `first`, `title`, …; its words for the stages; the field by
    which its connector tells consent, with the values for out and not out; what a person must fill in besides."""

    object: str
    names: Mapping[str, str]
    stages: Mapping[str, str]
    consent: tuple[str, Value, Value]
    filled: Fields = field(default_factory=dict)


HUBSPOT = Words(
    "contact",
    {
        "email": "email",
        "first": "firstname",
        "last": "lastname",
        "title": "jobtitle",
        "a": "message",
        "k": "industry",
        "street": "address",
        "city": "city",
        "stage": "lifecyclestage",
    },
    {
        "subscriber": "subscriber",
        "lead": "lead",
        "mql": "marketingqualifiedlead",
        "sql": "salesqualifiedlead",
        "opportunity": "opportunity",
        "customer": "customer",
    },
    ("consent:email", "out", None),
)
SALESFORCE = Words(
    "Lead",
    {
        "email": "Email",
        "first": "FirstName",
        "last": "LastName",
        "title": "Title",
        "a": "Description",
        "k": "Fax",
        "street": "Street",
        "city": "City",
        "stage": "Lifecycle_Stage__c",
    },
    {
        "subscriber": "Subscriber",
        "lead": "Lead",
        "mql": "MQL",
        "sql": "SQL",
        "opportunity": "Opportunity",
        "customer": "Customer",
    },
    ("HasOptedOutOfEmail", True, False),
    {"Company": "[not provided]"},
)


class Door:
    """A backdoor that speaks both languages, and knows which records people made."""

    def __init__(self, door: Backdoor, words: Words) -> None:
        self._door = door
        self._words = words
        self._ours_to_them = {theirs: ours for ours, theirs in words.stages.items()}
        self._made_by_people: set[Ref] = set()

    def put(self, object: str, fields: Fields) -> Ref:
        ref = self._door.put(self._words.object, {**self._words.filled, **self._native(fields)})
        self._made_by_people.add(ref)
        return ref

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        self._door.edit(ref, self._native(fields), as_)

    def remove(self, ref: Ref) -> None:
        self._door.remove(ref)

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        survivor = self._door.merge(winner, loser)
        self._made_by_people.add(survivor)
        return survivor

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._door.opt_out(address, channel)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._door.confirm(address, channel)

    def fault(self, kind: Fault, when: When) -> None:
        self._door.fault(kind, when)

    def requests(self) -> list[Seen]:
        return self._door.requests()

    def records(self) -> list[Kept]:
        found = [each for each in self._door.records() if each.ref.object == self._words.object]
        return [replace(each, fields={**each.fields, **self._told(each)}) for each in found]

    def made_by_us(self) -> dict[Ref, Kept]:
        return {each.ref: each for each in self.records() if each.ref not in self._made_by_people}

    def _native(self, fields: Fields) -> Fields:
        out = {self._words.names[name]: value for name, value in fields.items()}
        if "stage" in fields:
            out[self._words.names["stage"]] = self._words.stages[str(fields["stage"])]
        return out

    def _told(self, kept: Kept) -> Fields:
        told: Fields = {name: kept.fields.get(theirs) or None for name, theirs in self._words.names.items()}
        told["stage"] = self._ours_to_them.get(str(told["stage"]))
        told["consent"] = "out" if kept.consent.get("email") == "out" else None
        name, out, not_out = self._words.consent
        told[name] = out if told["consent"] else not_out
        return told
