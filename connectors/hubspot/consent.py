"""Whom HubSpot may mail: communication preferences v4, which hang on the address, with or without a contact.

`out` is the refusal of everything only; one list's unsubscribe is told by its own name. Nothing here takes a refusal
back to "not specified", and `in` subscribes to no more than the types that are mapped, or to one marketing type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Fields, Value, batches
from connectors.hubspot.native import Wanted, micros, seconds, subscription
from connectors.hubspot.wire import Heard, Wire
from connectors.world import World

OUT = "out"
IN = "in"
CONFIRMED = "confirmed "
EMAIL_CHANNEL: Mapping[str, str] = {"channel": "EMAIL"}
BATCH = 100

SUBSCRIBED = "SUBSCRIBED"
UNSUBSCRIBED = "UNSUBSCRIBED"

BASIS: Mapping[str, str] = {
    "legalBasis": "CONSENT_WITH_NOTICE",
    "legalBasisExplanation": "The consent was given in another system of the company and carried over by Smarketing.",
}
"""Accounts with privacy settings switched on want a legal basis with every subscription."""

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_PERSONS = frozenset({"form", "forms", "double", "doi"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One address and one subscription type, to be set to SUBSCRIBED or UNSUBSCRIBED."""

    address: str
    subscription: int
    state: str


class Consent:
    """Reading and writing what an address has agreed to."""

    def __init__(self, wire: Wire, world: World, wanted: Wanted) -> None:
        self._wire = wire
        self._wanted = wanted
        self._lock = world.lock()
        self._marketing: int | None = None

    def read(self, addresses: Iterable[str]) -> dict[str, Fields]:
        """Address in lower case → our consent fields. Missing where the vendor does not tell."""
        asked = sorted({each.strip().lower() for each in addresses if "@" in each})
        found: dict[str, Fields] = {}
        for part in batches(asked, BATCH):
            found |= self._read(part)
        return found

    def _read(self, addresses: Sequence[str]) -> dict[str, Fields]:
        statuses = self._batch_read("statuses/batch/read", "statuses", addresses)
        refusals = self._batch_read("statuses/batch/unsubscribe-all/read", "wideStatuses", addresses)
        if statuses is None or refusals is None:
            if len(addresses) == 1:
                return {}  # HubSpot takes it for no address: it is not known what it agreed to
            middle = len(addresses) // 2
            return self._read(addresses[:middle]) | self._read(addresses[middle:])
        return {
            each: self._fields(statuses[each], refusals[each])
            for each in addresses
            if each in statuses and each in refusals
        }

    def _batch_read(self, path: str, under: str, addresses: Sequence[str]) -> dict[str, list[Any]] | None:
        """Address → the list that the answer has for it; None when the batch was refused for one of them."""
        heard = self._wire.preferences(
            "POST", path, params=EMAIL_CHANNEL, inputs=addresses, purpose="read consent", expect={400}
        )
        if heard.status == 400:
            return None
        told = {address_of(row): list(row.get(under) or ()) for row in heard.results}
        if not heard.errors:
            told = {each: [] for each in addresses} | told  # no preferences at all: no row either
        return told

    def _fields(self, statuses: list[Any], refusals: list[Any]) -> Fields:
        refused = any(
            each.get("status") == UNSUBSCRIBED and each.get("wideStatusType") == "PORTAL_WIDE" for each in refusals
        )
        single = {str(each.get("subscriptionId")): _state(each) for each in statuses}
        fields = self.nothing()
        for name in fields:
            number = subscription(name)
            agreed = _strongest(single.values()) if number is None else single.get(str(number))
            fields[name] = OUT if refused else agreed
        return fields

    def nothing(self) -> Fields:
        """Our consent fields where there is no address, or nothing is known of it."""
        return dict.fromkeys(self._wanted.consent)

    def refuse_all(self, addresses: Sequence[str]) -> Heard:
        """Opt these addresses out of everything; those in `refused` of the answer are out."""
        return self._wire.preferences(
            "POST",
            "statuses/batch/unsubscribe-all",
            params={**EMAIL_CHANNEL, "verbose": "true"},
            inputs=addresses,
            purpose="write consent",
            changes=True,
            expect={400, 404},
        )

    def choose(self, choices: Sequence[Choice]) -> Heard:
        """Set single subscriptions; `chosen` tells which of them hold."""
        return self._wire.preferences(
            "POST",
            "statuses/batch/write",
            inputs=[
                {
                    "subscriberIdString": each.address,
                    "subscriptionId": each.subscription,
                    **EMAIL_CHANNEL,
                    "statusState": each.state,
                    **(BASIS if each.state == SUBSCRIBED else {}),
                }
                for each in choices
            ],
            purpose="write consent",
            changes=True,
            expect={400, 404},
        )

    def definitions(self) -> list[dict[str, Any]]:
        """The account's subscription types that people can choose."""
        heard = self._wire.preferences("GET", "definitions", purpose="read consent types", rows="id")
        return [each for each in heard.results if each.get("isActive", True) and not each.get("isInternal")]

    def probe(self, path: str) -> None:
        """Ask with nothing in it, which needs the right all the same. Raises Stop where the token lacks it."""
        params = EMAIL_CHANNEL if path.endswith("read") else None
        self._wire.preferences("POST", path, params=params, inputs=[], purpose="check consent rights", expect={400})

    def types_of_in(self) -> list[int]:
        """What `in` subscribes to: the mapped types, else the account's one type for marketing. Empty: there is none.
        Asks the account at most once."""
        if self._wanted.subscriptions:
            return list(self._wanted.subscriptions)
        with self._lock:
            if self._marketing is None:
                types = [each for each in self.definitions() if _is_marketing(each)]
                types.sort(key=lambda each: (not each.get("isDefault"), int(each["id"])))
                self._marketing = int(types[0]["id"]) if types else 0
            return [self._marketing] if self._marketing else []


def refused(heard: Heard) -> set[str]:
    """The addresses that an answer to `refuse_all` shows opted out of everything."""
    return {
        address_of(row)
        for row in heard.results
        if not any(each.get("status") == SUBSCRIBED for each in row.get("statuses") or ())
    }


def chosen(heard: Heard) -> set[Choice]:
    """The choices that an answer to `choose` shows in force."""
    return {
        Choice(address_of(row), int(row["subscriptionId"]), str(row.get("status")))
        for row in heard.results
        if str(row.get("subscriptionId")).isdigit()
    }


def address_of(row: Mapping[str, Any]) -> str:
    return str(row.get("subscriberIdString", "")).strip().lower()


def _is_marketing(definition: Mapping[str, Any]) -> bool:
    return "marketing" in f"{definition.get('purpose')} {definition.get('name')}".lower()


def _state(status: Mapping[str, Any]) -> Value:
    """A single subscription in our words."""
    match status.get("status"):
        case "UNSUBSCRIBED":
            return OUT
        case "SUBSCRIBED":
            at = micros(status.get("timestamp"))
            return f"{CONFIRMED}{seconds(at)}" if at is not None and by_the_person(status.get("source")) else IN
        case _:
            return None


def by_the_person(source: object) -> bool:
    """Whether a source means that the owner of the address said so: a form, or a confirmed double opt-in."""
    return not _PERSONS.isdisjoint(part.lower() for part in _PARTS.findall(str(source or "")))


def _strongest(states: Iterable[Value]) -> Value:
    """Of several subscriptions: the latest confirmed one, else any, else nothing. An `out` of one is not one of all."""
    agreed = [each for each in states if isinstance(each, str) and each != OUT]
    return max(agreed, key=lambda each: (each != IN, each), default=None)
