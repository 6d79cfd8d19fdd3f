"""Which systems a sandbox has, and the people who are in them from the start.

Whoever is in two systems is not in them with the same words: that is what a synchronisation is for. The same seed tells
the same people; what they can be reached by (ports, secrets) is new each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.backdoor import Backdoor
from connectors.base import Fields
from connectors.world import World
from smarketing.sandbox.emulator import Emulator
from smarketing.sandbox.people import Person, fakers, in_three_ways, people
from smarketing.sandbox.server import Sandbox

if TYPE_CHECKING:
    from smarketing.sandbox.hubspot import HubSpotEmulator
    from smarketing.sandbox.mailchimp import MailchimpEmulator
    from smarketing.sandbox.salesforce import SalesforceEmulator
    from smarketing.sandbox.sheet import SheetDoor

SYSTEMS = ("hubspot", "salesforce", "sheet", "mailchimp")
SHARES = {"hubspot": 0.75, "salesforce": 0.65, "sheet": 0.3, "mailchimp": 0.5}
"""How many of all people are in each system."""
SELLER = "sales.person@example.com"
"""Who owns the records of Salesforce is known to HubSpot as well, as in a company that uses both."""


def secret(world: World) -> str:
    """Hard to guess for whoever else is on this machine."""
    return "".join(f"{int(world.random() * 65_536):04x}" for _ in range(8))


def hubspot(world: World, *, search_lag: float = 5.0) -> HubSpotEmulator:
    """`search_lag`: seconds by which its search is late."""
    from smarketing.sandbox.hubspot import HubSpotEmulator

    account = HubSpotEmulator(world, token=f"pat-sandbox-{secret(world)}", search_lag=search_lag)
    account.put("owner", {"email": SELLER, "firstName": "Sales", "lastName": "Person"})
    return account


def salesforce(world: World) -> SalesforceEmulator:
    from smarketing.sandbox.salesforce import SalesforceEmulator

    return SalesforceEmulator(
        world,
        client_id=f"sandbox-{secret(world)}",
        client_secret=secret(world),
        username="integration@example.com",
        password=secret(world),
    )


def mailchimp(world: World) -> MailchimpEmulator:
    from smarketing.sandbox.mailchimp import MailchimpEmulator

    return MailchimpEmulator(world, api_key=f"{secret(world)}-us1")


def sheet(world: World, folder: Path) -> SheetDoor:
    from config.located import read
    from mappings.built_in import content
    from smarketing.sandbox.sheet import SheetDoor

    built_in: Any = read(content("spreadsheet") or b"", "mappings/spreadsheet.yaml").value
    lines = built_in["objects"]["row"]["fields"].values()
    columns = [line if isinstance(line, str) else line["remote"] for line in lines]
    consent = ("Email consent", "no", "yes")
    return SheetDoor(folder / "leads.csv", world, columns, email="Email", consent=consent)


def open_sandbox(systems: Sequence[str], seed: int, contacts: int, world: World, folder: Path) -> Sandbox:
    """Serve these systems with so many people in them. A sheet lies in `folder`. Raises FakerMissing."""
    if contacts:
        fakers(seed)  # before anything is served
    makers: dict[str, Callable[[World], Emulator]] = {
        "hubspot": hubspot,
        "salesforce": salesforce,
        "mailchimp": mailchimp,
    }
    emulators = {name: make(world) for name, make in makers.items() if name in systems}
    sheets = {"sheet": sheet(world, folder)} if "sheet" in systems else {}
    if contacts:
        fill({**emulators, **sheets}, seed, contacts)
    return Sandbox(emulators, world, secret(world), sheets=sheets)


def fill(doors: dict[str, Backdoor], seed: int, contacts: int) -> None:
    """Put people into the systems: each into one at least, many into several, in other words each time."""
    chance: Any = fakers(seed)["en_GB"].random
    put: dict[str, Callable[[Backdoor, Person, Any], None]] = {
        "hubspot": _into_hubspot,
        "salesforce": _into_salesforce,
        "sheet": _into_sheet,
        "mailchimp": _into_mailchimp,
    }
    for person in people(seed, contacts):
        # Drawn for every system, so that a person does not depend on which there are.
        dice = {name: chance.random() for name in SYSTEMS}
        chosen = [name for name in doors if dice[name] < SHARES[name]]
        for name in chosen or [next(iter(doors))]:
            put[name](doors[name], person, _Otherwise(f"{seed}:{person.email}:{name}"))


class _Otherwise:
    """How one system came to hear of a person: a part is not known there, a part is written otherwise."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._asked = 0

    def says(self, text: str, share: float = 0.8) -> str | None:
        return text if self.chance(share) else None

    def phone(self, phone: str) -> str | None:
        ways = in_three_ways(phone)
        return self.says(ways[int(self._dice() * len(ways))], 0.85)

    def chance(self, share: float) -> bool:
        return self._dice() < share

    def _dice(self) -> float:
        """Of the mark alone: what one system was told is the same whichever others there are."""
        self._asked += 1
        drawn = hashlib.sha256(f"{self._mark}:{self._asked}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") / 2.0**64


def _into_hubspot(door: Backdoor, person: Person, other: _Otherwise) -> None:
    fields: Fields = {
        "firstname": person.first,
        "lastname": person.last,
        "email": person.email,
        "phone": other.phone(person.phone),
        "company": other.says(person.company),
        "jobtitle": other.says(person.title),
        "address": other.says(person.street),
        "zip": person.postcode,
        "city": person.city,
        "country": person.country,
        "lifecyclestage": person.stage,
    }
    door.put("contact", {name: value for name, value in fields.items() if value is not None})
    if other.chance(0.06):
        door.opt_out(person.email)


def _into_salesforce(door: Backdoor, person: Person, other: _Otherwise) -> None:
    fields: Fields = {
        "FirstName": other.says(person.first, 0.95),
        "LastName": person.last,
        "Email": person.email,
        "Phone": other.phone(person.phone),
        "Title": other.says(person.title),
    }
    address: Fields = {
        "Street": other.says(person.street),
        "PostalCode": person.postcode,
        "City": person.city,
        "Country": person.country,
    }
    if other.chance(0.4):
        account = door.put("Account", {"Name": person.company})
        fields |= {"AccountId": account.id} | {f"Mailing{name}": value for name, value in address.items()}
        door.put("Contact", fields)
    else:
        door.put("Lead", fields | {"Company": person.company} | address)
    if other.chance(0.06):
        door.opt_out(person.email)


def _into_sheet(door: Backdoor, person: Person, other: _Otherwise) -> None:
    door.put(
        "row",
        {
            "First name": person.first,
            "Last name": person.last,
            "Email": person.email,
            "Phone": other.phone(person.phone),
            "Company": other.says(person.company),
            "Job title": other.says(person.title),
            "City": person.city,
            "Country": person.country,
        },
    )


def _into_mailchimp(door: Backdoor, person: Person, other: _Otherwise) -> None:
    fields: Fields = {
        "email_address": person.email,
        "FNAME": other.says(person.first, 0.9),
        "LNAME": person.last,
        "PHONE": other.phone(person.phone),
        "tags": ["newsletter"] if other.chance(0.7) else ["fair", "newsletter"],
        "status": "subscribed" if other.chance(0.8) else "transactional",
    }
    door.put("member", {name: value for name, value in fields.items() if value is not None})
    if other.chance(0.06):
        door.opt_out(person.email)
