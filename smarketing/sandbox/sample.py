"""A small company whose systems disagree: two dozen people, each with one of the troubles that real data has.

`arrive` puts them into HubSpot, Salesforce and a sheet as a company finds them on the first day; `go_on` is what people
do on the second, since some of it needs something to have happened before. Nobody here exists, and they are always the
same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.base import Fields, Ref
from connectors.world import World
from smarketing.sandbox.people import fakers, mailbox

if TYPE_CHECKING:
    from smarketing.sandbox.hubspot import HubSpotEmulator
    from smarketing.sandbox.salesforce import SalesforceEmulator

SEED = 2026
ENCODING = "cp1252"
COLUMNS = ("Navn", "E-post", "Telefon", "Firma", "Stilling", "Poststed", "Nyhetsbrev")
SHARED = "info@example.org"
INVALID = "ingen e-post, ring!"
LONG = "Senior Vice President of Sales, Marketing, Communications and Customer Success, Nordics and Baltics, "
LONG_TITLE = LONG + "responsible for partners and public affairs"
"""Longer than the 128 characters that Salesforce keeps of a title."""

ROLES: Mapping[str, str] = {
    "agreed": "is in all three systems, with the phone number written in three ways",
    "spelled": "is spelled with å and ø here, with aa and oe there",
    "in_hubspot": "is known to HubSpot alone",
    "in_salesforce": "is known to Salesforce alone",
    "in_sheet": "is known to the sheet alone",
    "sides": "has different cities in two systems, and later gets a new title in both at once",
    "deleted": "is deleted in Salesforce later",
    "opts_out": "opts out of e-mail in HubSpot later",
    "opted_out": "has opted out in Salesforce, which HubSpot does not know",
    "twice": "stands in Salesforce twice",
    "desk_one": "shares one address with two others",
    "desk_two": "shares one address with two others",
    "desk_three": "shares one address with two others",
    "swap_one": "swaps addresses with somebody later, in Salesforce alone",
    "swap_two": "swaps addresses with somebody later, in Salesforce alone",
    "invalid": "has something in the address column that is no address",
    "long": "has a title that is longer than Salesforce keeps",
    "choice": "is at a stage that Salesforce has no word for",
    "converted": "was a lead in Salesforce and is a contact now",
    "merged": "was in HubSpot twice until somebody merged the two",
    "converts": "is a lead in Salesforce that is converted later",
    "merges": "is in HubSpot twice, and the two are merged later",
}
"""Role → what is the matter with that person."""


BADLY_IMPORTED = ("agreed", "in_hubspot", "spelled")
FIRST_DAY: Mapping[tuple[str, str], str] = {
    ("desk_two", "record"): "two leads",
    ("desk_three", "record"): "two leads",
    ("invalid", "e-mail"): "unreadable",
    ("long", "title"): "cut",
    ("choice", "stage"): "unwritable",
}
"""(role, field) → why systems cannot be made to agree there: the kind of question that a person must answer, or how the
matter is settled."""
SECOND_DAY: Mapping[tuple[str, str], str] = {
    **FIRST_DAY,
    ("deleted", "record"): "deleted",
    ("swap_one", "e-mail"): "circle",
    ("swap_two", "e-mail"): "circle",
}
SEVERAL: Mapping[tuple[str, str], int] = {
    ("twice", "salesforce"): 2,
    ("merges", "hubspot"): 2,
    ("merges", "salesforce"): 2,
    ("merges", "sheet"): 2,
}
"""(role, system) → how many records that person has there, where it is more than one on the first day."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the cast. `phone` has its country in front."""

    role: str
    first: str
    last: str
    email: str
    phone: str
    company: str
    title: str
    city: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def cast() -> dict[str, Member]:
    """Everybody, by role. No two have one family name. Raises FakerMissing."""
    faker = fakers(SEED)["no_NO"]
    taken: set[str] = set()

    def family(fits: Callable[[str], bool] = lambda name: True) -> str:
        for _ in range(1000):
            name: str = faker.last_name()
            if mailbox(name) not in taken and "-" not in name and fits(name):
                taken.add(mailbox(name))
                return name
        raise AssertionError("the source of names has run dry")

    def nordic(name: str) -> bool:
        return any(each in name.lower() for each in "æøå")

    out = {}
    for number, role in enumerate(ROLES, 1):
        first = next(name for name in iter(faker.first_name, "") if " " not in name and "-" not in name)
        last = family(nordic if role == "spelled" else lambda name: not nordic(name))
        phone = f"+4740000{number:03d}"
        email = SHARED if role.startswith("desk") else f"{mailbox(first)}.{mailbox(last)}@example.com"
        title = (
            LONG_TITLE if role == "long" else faker.random_element(("Innkjøper", "Daglig leder", "Selger", "Rådgiver"))
        )
        city = faker.random_element(("Oslo", "Bergen", "Tromsø", "Ålesund", "Sandnes"))
        out[role] = Member(role, first, last, email, phone, f"{family()} AS", title, city)
    return out


def otherwise(name: str) -> str:
    """How a system without Norwegian letters writes a name."""
    for letter, plain in (("å", "aa"), ("ø", "oe"), ("æ", "ae"), ("Å", "Aa"), ("Ø", "Oe"), ("Æ", "Ae")):
        name = name.replace(letter, plain)
    return name


def grouped(phone: str) -> str:
    """As it is written at home: +4740000001 → 400 00 001."""
    return f"{phone[3:6]} {phone[6:8]} {phone[8:]}"


def abroad(phone: str) -> str:
    """As it is dialled abroad: +4740000001 → 0047 40 00 00 01."""
    return f"00{phone[1:3]} " + " ".join(phone[i : i + 2] for i in range(3, 11, 2))


@dataclass(slots=True)
class Stage:
    """The systems, as the people in front of them have them. `refs`: (role, system) → the records of that person that
    people made."""

    hubspot: HubSpotEmulator
    salesforce: SalesforceEmulator
    sheet: Path
    world: World
    people: Mapping[str, Member]
    refs: dict[tuple[str, str], list[Ref]] = field(default_factory=dict)

    def into_hubspot(self, member: Member, **also: str | None) -> Ref:
        fields: Fields = {
            "firstname": member.first,
            "lastname": member.last,
            "email": member.email,
            "phone": member.phone,
            "company": member.company,
            "jobtitle": member.title,
            "city": member.city,
            **also,
        }
        ref = self.hubspot.put("contact", {name: value for name, value in fields.items() if value is not None})
        return self._note(member, "hubspot", ref)

    def into_salesforce(self, member: Member, **also: str | bool | None) -> Ref:
        fields: Fields = {
            "FirstName": member.first,
            "LastName": member.last,
            "Email": member.email,
            "Phone": grouped(member.phone),
            "Company": member.company,
            "Title": member.title,
            "City": member.city,
            **also,
        }
        return self._note(member, "salesforce", self.salesforce.put("Lead", fields))

    def _note(self, member: Member, system: str, ref: Ref) -> Ref:
        self.refs.setdefault((member.role, system), []).append(ref)
        return ref

    def ref(self, role: str, system: str) -> Ref:
        return self.refs[role, system][0]

    def row(self, member: Member, **also: str) -> dict[str, str]:
        """A line of the sheet."""
        return {
            "Navn": member.name,
            "E-post": member.email,
            "Telefon": abroad(member.phone),
            "Firma": member.company,
            "Stilling": member.title,
            "Poststed": member.city,
            "Nyhetsbrev": "",
            **also,
        }

    def write_in_sheet(self, email: str, column: str, text: str) -> None:
        """Somebody opens the sheet, changes one cell and saves it."""
        rows = list(csv.reader(io.StringIO(self.sheet.read_bytes().decode(ENCODING), newline=""), delimiter=";"))
        for row in rows[1:]:
            if row[rows[0].index("E-post")] == email:
                row[rows[0].index(column)] = text
        self._save(rows)

    def _save(self, rows: list[list[str]]) -> None:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
        self.sheet.write_bytes(out.getvalue().encode(ENCODING))

    # --- the first day -----------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """What is there when a company begins."""
        who = self.people
        plain = [who[role] for role in ("agreed", "deleted", "swap_one", "swap_two", "converts", "opts_out")]
        for member in plain:
            self.into_hubspot(member)
            self.into_salesforce(member)
        spelled = who["spelled"]
        self.into_hubspot(replace(spelled, first=otherwise(spelled.first), last=otherwise(spelled.last)))
        self.into_salesforce(spelled)
        self.into_hubspot(who["in_hubspot"])
        self.into_salesforce(who["in_salesforce"], FirstName=None)
        self.into_hubspot(replace(who["sides"], city="Halden"))
        self.into_salesforce(who["sides"])
        self.into_hubspot(who["opted_out"])
        self.into_salesforce(who["opted_out"], HasOptedOutOfEmail=True)
        self.into_hubspot(who["twice"])
        self.into_salesforce(who["twice"])
        self.into_salesforce(who["twice"], Title=None, City=None)
        self.into_hubspot(who["desk_one"])
        self.into_salesforce(who["desk_one"])
        self.into_salesforce(who["desk_two"])
        self.into_hubspot(who["long"])
        self.into_salesforce(who["long"], Title=None)
        self.into_hubspot(who["choice"], lifecyclestage="evangelist")
        self.into_salesforce(who["choice"])
        self.into_hubspot(who["converted"])
        self.salesforce.convert(self.into_salesforce(who["converted"]))
        self._twice_in_hubspot("merged", jobtitle=None)
        self.hubspot.merge(*self.refs["merged", "hubspot"])
        self._twice_in_hubspot("merges")
        in_sheet = ("agreed", "opts_out", "in_sheet", "desk_three")
        lines = [self.row(who[role]) for role in in_sheet]
        lines.append(self.row(who["invalid"], **{"E-post": INVALID}))
        self._save([list(COLUMNS), *([line[name] for name in COLUMNS] for line in lines)])

    def _twice_in_hubspot(self, role: str, **also: str | None) -> None:
        """Once at work and once at home, as when somebody fills in two forms."""
        member = self.people[role]
        self.into_hubspot(member)
        self.into_hubspot(replace(member, email=member.email.replace("example.com", "example.net")), **also)

    def import_badly(self, phone: str | None) -> None:
        """Somebody loads a list into HubSpot that has one phone number for everybody. None: it is put right."""
        for role in BADLY_IMPORTED:
            number = phone or self.people[role].phone
            self.hubspot.edit(self.ref(role, "hubspot"), {"phone": number}, "import")

    # --- the second day ----------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """What people do once the systems agree."""
        who = self.people
        self.hubspot.edit(self.ref("sides", "hubspot"), {"jobtitle": "Regionsjef"})
        self.world.sleep(1.1)  # Salesforce tells times to the second
        self.salesforce.edit(self.ref("sides", "salesforce"), {"Title": "Salgsdirektør"})
        self.salesforce.remove(self.ref("deleted", "salesforce"))
        self.hubspot.opt_out(who["opts_out"].email)
        one, two = self.ref("swap_one", "salesforce"), self.ref("swap_two", "salesforce")
        self.salesforce.edit(one, {"Email": who["swap_two"].email})
        self.salesforce.edit(two, {"Email": who["swap_one"].email})
        self.salesforce.convert(self.ref("converts", "salesforce"))
        self.hubspot.merge(*self.refs["merges", "hubspot"])
        self.write_in_sheet(who["agreed"].email, "Poststed", "Kirkenes")


def open_stage(hubspot: HubSpotEmulator, salesforce: SalesforceEmulator, sheet: Path, world: World) -> Stage:
    """Raises FakerMissing."""
    return Stage(hubspot, salesforce, sheet, world, cast())


MAPPINGS: Mapping[str, str] = {
    "sheet.yaml": """\
# The sheet's own headings. It stands alone: no column is looked for that the sheet does not have.
connector: spreadsheet
extends: false
objects:
  row:
    empty: ignore
    fields:
      name: {remote: Navn, as: full_name}
      email: {remote: E-post, slot: true}
      phone: Telefon
      company: Firma
      title: Stilling
      city: Poststed
      consent.email: {remote: Nyhetsbrev, as: consent_word, options: {Ja: in, Nei: out}}
""",
    "hubspot.yaml": """\
# Marketing works in HubSpot and sales in Salesforce: whose a lead is, and how far the talks are, stays over there.
objects:
  contact:
    fields:
      owner: null
      lead_status: null
""",
    "salesforce.yaml": """\
# Salesforce has no lifecycle stage of its own; this company has added a picklist for it.
objects:
  Lead:
    fields:
      stage: &stage
        remote: Lifecycle_Stage__c
        options: {Subscriber: subscriber, Lead: lead, MQL: mql, SQL: sql, Opportunity: opportunity, Customer: customer}
  Contact:
    fields:
      stage: *stage
""",
}
"""Mapping files that go with the sample."""
