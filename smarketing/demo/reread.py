"""A plain second look at the systems, by somebody who knows nothing of how they were synchronised.

HubSpot and Salesforce are read over HTTP with the standard library, the sheet with its csv module; nothing of our
connectors, mappings or store is used. People are told apart by their family name, which in the sample nobody shares.
"""

from __future__ import annotations

import csv
import io
import json
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIELDS = ("name", "e-mail", "phone", "company", "title", "city", "stage", "opted out")
HUBSPOT = (
    "firstname",
    "lastname",
    "email",
    "phone",
    "company",
    "jobtitle",
    "city",
    "lifecyclestage",
    "hs_email_optout",
)
SALESFORCE = {
    "Lead": "FirstName, LastName, Email, Phone, Company, Title, City, Lifecycle_Stage__c, HasOptedOutOfEmail",
    "Contact": "FirstName, LastName, Email, Phone, Title, MailingCity, Lifecycle_Stage__c, HasOptedOutOfEmail",
}
STAGES = {"marketingqualifiedlead": "mql", "salesqualifiedlead": "sql"}
LETTERS = str.maketrans({"å": "aa", "ø": "oe", "æ": "ae"})

Values = Mapping[str, "str | bool | None"]


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it stands over there. `person`: by which name it is somebody's; a field that the record has no place
    for is not in `values`."""

    system: str
    id: str
    person: str
    values: Values


@dataclass(frozen=True, slots=True)
class Difference:
    """What systems say of one person, where it is not the same: system → its values. `field` "record": who is where."""

    person: str
    field: str
    said: Mapping[str, Sequence[object]]


def read(line: Mapping[str, Mapping[str, str]], sheet: Path, encoding: str) -> list[Row]:
    """Everybody who is there. `line`: what a sandbox tells of itself."""
    return [
        *read_hubspot(line["hubspot"]["base_url"], line["hubspot"]["token"]),
        *read_salesforce(line["salesforce"]),
        *read_sheet(sheet.read_bytes().decode(encoding)),
    ]


def read_hubspot(base_url: str, token: str) -> Iterator[Row]:
    after = ""
    while True:
        query = {"limit": "100", "properties": ",".join(HUBSPOT)} | ({"after": after} if after else {})
        page = _get(f"{base_url}/crm/v3/objects/contacts?{urllib.parse.urlencode(query)}", token)
        for each in page["results"]:
            p = each["properties"]
            values = (p.get("firstname"), p.get("lastname"), p.get("email"), p.get("phone"), p.get("jobtitle"))
            stage = p.get("lifecyclestage")
            out = p.get("hs_email_optout") == "true"
            yield _row("hubspot", each["id"], *values, p.get("city"), out, company=p.get("company"), stage=stage)
        after = page.get("paging", {}).get("next", {}).get("after", "")
        if not after:
            return


def read_salesforce(said: Mapping[str, str]) -> Iterator[Row]:
    form = {
        "grant_type": "client_credentials",
        "client_id": said["client_id"],
        "client_secret": said["client_secret"],
    }
    body = urllib.parse.urlencode(form).encode()
    token = _open(urllib.request.Request(f"{said['base_url']}/services/oauth2/token", body))["access_token"]  # noqa: S310
    for object_, columns in SALESFORCE.items():
        where = " WHERE IsConverted = false" if object_ == "Lead" else ""
        soql = urllib.parse.urlencode({"q": f"SELECT Id, {columns} FROM {object_}{where}"})  # noqa: S608
        next_ = f"/services/data/v62.0/query?{soql}"
        while next_:
            page = _get(said["base_url"] + next_, token)
            for each in page["records"]:
                values = (each["FirstName"], each["LastName"], each["Email"], each["Phone"], each["Title"])
                also = {"company": each["Company"]} if object_ == "Lead" else {}  # a contact's is its account's
                city = each["City" if object_ == "Lead" else "MailingCity"]
                out, stage = each["HasOptedOutOfEmail"], each["Lifecycle_Stage__c"]
                yield _row("salesforce", each["Id"], *values, city, out, stage=stage, **also)
            next_ = page.get("nextRecordsUrl", "")


def read_sheet(text: str) -> Iterator[Row]:
    for number, cells in enumerate(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"), 2):
        first, _, last = cells["Navn"].rpartition(" ")
        values = (first, last, cells["E-post"], cells["Telefon"], cells["Stilling"], cells["Poststed"])
        yield _row("sheet", f"line {number}", *values, cells["Nyhetsbrev"] == "Nei", company=cells["Firma"])


def _get(url: str, token: str) -> Any:
    return _open(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}))  # noqa: S310


def _open(request: urllib.request.Request) -> Any:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=30) as answer:
        return json.load(answer)


# --- one spelling ------------------------------------------------------------------------------------------------


def _row(
    system: str,
    id_: str,
    first: str | None,
    last: str | None,
    email: str | None,
    phone: str | None,
    title: str | None,
    city: str | None,
    out: bool,
    **also: str | None,
) -> Row:
    company, stage = also.get("company"), also.get("stage")
    values: dict[str, str | bool | None] = {
        "name": _text(f"{first or ''} {last or ''}"),
        "e-mail": (_text(email) or "").lower() or None,
        "phone": _digits(phone),
        "title": _text(title),
        "city": _text(city),
        "opted out": out,
    }
    if "company" in also:
        values["company"] = None if company == "[not provided]" else _text(company)
    if "stage" in also:
        values["stage"] = STAGES.get(stage or "", (stage or "").lower()) or None
    return Row(system, id_, family(last or ""), values)


def family(last: str) -> str:
    """A family name as a system without Norwegian letters has it."""
    return last.strip().lower().translate(LETTERS)


def _text(value: str | None) -> str | None:
    return " ".join((value or "").split()) or None


def _digits(phone: str | None) -> str | None:
    """A number with its country; Norway where none is told."""
    text = phone or ""
    digits = "".join(each for each in text if each.isdecimal())
    if not digits:
        return None
    if digits.startswith("00"):
        return digits[2:]
    return digits if "+" in text else f"47{digits}"


# --- who agrees --------------------------------------------------------------------------------------------------


def differences(rows: Iterable[Row], systems: Sequence[str]) -> list[Difference]:
    """Where systems do not say the same of a person: who is missing somewhere, and each field that differs."""
    people: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        people[row.person].append(row)
    found = []
    for person, some in sorted(people.items()):
        there = {system: [each.id for each in some if each.system == system] for system in systems}
        if not all(there.values()):
            found.append(Difference(person, "record", there))
        for name in FIELDS:
            said = {
                system: [each.values[name] for each in some if each.system == system and name in each.values]
                for system in systems
            }
            told = {system: values for system, values in said.items() if values}
            if not _agree(name, list(told.values())):
                found.append(Difference(person, name, told))
    return found


def _agree(name: str, said: Sequence[Sequence[object]]) -> bool:
    """All records say one thing. Whoever has two records somewhere keeps the address of each there; then one address
    that is known everywhere is enough."""
    if name == "e-mail":
        return not said or bool(set.intersection(*(set(each) for each in said)))
    return len({value for values in said for value in values}) <= 1


def counts(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """(person, system) → how many records."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        found[row.person, row.system] += 1
    return dict(found)
