"""Two vendors' stand-ins full of people, and what arrived at them, by purpose.

Counted is the stand-ins' own log of requests, never what a connector says of itself; and by how much one request takes
according to the vendor's documentation, never by what a connector makes use of.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.backdoor import Seen
from connectors.base import Fields
from smarketing.sandbox.emulator import Emulator
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator

LARGEST = {"hubspot": 100, "salesforce": 200}
"""Records that one request writes at most. HubSpot docs: batch endpoints of CRM objects; Salesforce REST API guide:
sObject Collections."""

CONSENT = frozenset({"attributes", "id", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"})
"""A record of Salesforce's that is written no other field is a withdrawal: it waits for nothing else of its person."""

_HUBSPOT_BATCH = re.compile(r"/crm/v3/objects/(\w+)/batch/(create|update|upsert|archive)")
_HUBSPOT_ONE = re.compile(r"/crm/v3/objects/(\w+)(?:/(\d+))?")
_SALESFORCE_MANY = re.compile(r"/services/data/v[\d.]+/composite/sobjects")
_SALESFORCE_ONE = re.compile(r"/services/data/v[\d.]+/sobjects/(\w+)(?:/(\w{15,18}))?")
_VERBS = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "archive"}


@dataclass(slots=True)
class Traffic:
    """What arrived at one vendor. `writes`: (object, operation) → its requests; `records`: the same → the records they
    wrote, each once however often it was sent; `others`: purpose → requests."""

    system: str
    writes: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    records: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    others: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def needed(self) -> int:
        """The fewest requests in which these records can be written."""
        return sum(-(-len(some) // LARGEST[self.system]) for some in self.records.values())

    def made(self) -> int:
        return sum(self.writes.values())

    def written(self) -> int:
        return sum(map(len, self.records.values()))

    def wrote(self, place: tuple[str, str], records: Iterable[str]) -> None:
        self.writes[place] += 1
        self.records[place].update(records)


def traffic(system: str, log: Sequence[Seen]) -> Traffic:
    """What these requests were for."""
    found = Traffic(system)
    for each in log:
        {"hubspot": _of_hubspot, "salesforce": _of_salesforce}[system](each, found)
    return found


def _of_hubspot(each: Seen, found: Traffic) -> None:
    path = each.path.partition("?")[0]
    if path.startswith("/communication-preferences/"):
        found.others["consent, written" if each.method != "GET" and "/read" not in path else "consent, read"] += 1
    elif several := _HUBSPOT_BATCH.fullmatch(path):
        inputs = json.loads(each.body)["inputs"]
        if all(_clears_stage(one) for one in inputs):
            found.others["stage, taken back"] += 1
            return
        found.wrote((several[1], several[2]), map(_named_by, inputs))
    elif each.method in _VERBS and (one := _HUBSPOT_ONE.fullmatch(path)):
        found.wrote((one[1], _VERBS[each.method]), [one[2] or each.body])
    elif path.endswith("/search") or (each.method == "GET" and path.startswith("/crm/v3/objects/contacts")):
        found.others["feeds"] += 1
    else:
        found.others["look-ups"] += 1


def _clears_stage(one: Mapping[str, Any]) -> bool:
    """HubSpot moves a lifecycle stage back only after it was emptied."""
    return one.get("properties") == {"lifecyclestage": ""}


def _named_by(one: Mapping[str, Any]) -> str:
    """The same for the same record, however often it is sent."""
    return str(one.get("id") or one.get("objectWriteTraceId") or json.dumps(one, sort_keys=True))


def _of_salesforce(each: Seen, found: Traffic) -> None:
    path, _, query = each.path.partition("?")
    if _SALESFORCE_MANY.fullmatch(path) and each.method in _VERBS:
        verb = _VERBS[each.method]
        if verb == "archive":
            found.wrote(("records", verb), re.split("%2C|,", query.partition("ids=")[2].partition("&")[0]))
            return
        records = json.loads(each.body)["records"]
        if all(one.keys() <= CONSENT for one in records):
            found.others["consent, written"] += 1
            return
        for object_ in sorted({one["attributes"]["type"] for one in records}):
            some = [one for one in records if one["attributes"]["type"] == object_]
            found.records[object_, verb].update(str(one.get("id") or json.dumps(one, sort_keys=True)) for one in some)
        found.writes[records[0]["attributes"]["type"], verb] += 1
    elif each.method in _VERBS and (one := _SALESFORCE_ONE.fullmatch(path)):
        found.wrote((one[1], _VERBS[each.method]), [one[2] or each.body])
    elif path.endswith("/composite") and each.method == "POST":
        for part in json.loads(each.body)["compositeRequest"]:
            found.records[part["url"].rpartition("/")[2], "create"].add(json.dumps(part["body"], sort_keys=True))
        found.writes["several", "create"] += 1
    elif "/query" in path:
        found.others["feeds" if "LastModifiedDate" in query or "SystemModstamp" in query else "look-ups"] += 1
    elif "/oauth2/" in path:
        found.others["sign-in"] += 1
    else:
        found.others["look-ups"] += 1


# --- people ------------------------------------------------------------------------------------------------------


def contact(n: int) -> Fields:
    """Person n as HubSpot has them."""
    return {
        "email": f"person.{n}@example.com",
        "firstname": ("Åse", "Ola", "Kari", "Nils")[n % 4],
        "lastname": f"Hansen{n % 997}",
        "phone": f"+47{22_000_000 + n}",
        "company": f"Firma {n % 500} AS",
        "jobtitle": "Daglig leder",
        "city": "Oslo",
        "country": "Norway",
        "lifecyclestage": ("lead", "marketingqualifiedlead", "customer")[n % 3],
    }


def lead(n: int) -> Fields:
    """Person n as Salesforce has them: not quite the same."""
    return {
        "Email": f"Person.{n}@example.com",
        "FirstName": ("Åse", "Ola", "Kari", "Nils")[n % 4],
        "LastName": f"Hansen{n % 997}",
        "Phone": f"{22_000_000 + n}",
        "Company": f"Firma {n % 500} AS",
        "Title": "CEO" if n % 4 == 0 else "Daglig leder",
        "HasOptedOutOfEmail": n % 45 == 0,
    }


def person(n: int) -> Fields:
    """The same as a contact, whose company is an account of its own."""
    return {name: value for name, value in lead(n).items() if name != "Company"}


def fill(hubspot: HubSpotEmulator, salesforce: SalesforceEmulator, people: int, *, both: bool) -> None:
    """People 1 to `people` in HubSpot, one in fifty of whom has refused e-mail. `both`: half of them in Salesforce as
    well, as leads and as contacts, and a tenth as many whom only Salesforce knows."""
    for n in range(1, people + 1):
        hubspot.put("contact", contact(n))
        if n % 50 == 0:
            hubspot.opt_out(f"person.{n}@example.com")
    if not both:
        return
    for n in (*range(2, people + 1, 2), *range(people + 1, people + people // 10 + 1)):
        if n % 4 == 0:
            salesforce.put("Contact", person(n))
        else:
            salesforce.put("Lead", lead(n))


def change(hubspot: Emulator, few: Sequence[int]) -> None:
    """A person edits some contacts."""
    kept = {each.fields.get("email"): each.ref for each in hubspot.records() if each.ref.object == "contact"}
    for n in few:
        hubspot.edit(kept[f"person.{n}@example.com"], {"jobtitle": f"Sjef {n}"})
