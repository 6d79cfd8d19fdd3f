"""Two contacts become one, and a contact is erased for good.

The survivor of a merge gets a new id, and both former ids lead to it (HubSpot docs: contacts guide, merge), unless the
account keeps primary ids. An erased address can never be used again (spec: contacts-v3 POST /gdpr-delete).
"""

from __future__ import annotations

from collections.abc import Mapping

from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.records import Edit, Record, Shot, addresses
from smarketing.sandbox.hubspot.refusals import bad_request, not_found
from smarketing.sandbox.hubspot.sources import MERGE
from smarketing.sandbox.hubspot.times import stamp

MERGES_AT_MOST = 250


def merge(crm: Crm, primary: Record, loser: Record) -> Record:
    """Answers the survivor. Raises Refusal."""
    if primary is loser:
        raise bad_request("A contact cannot be merged with itself, or the two have been merged already.")
    if not primary.live or not loser.live:
        raise not_found()
    if sum(edit.source is MERGE for edit in (*primary.edits, *loser.edits)) >= MERGES_AT_MOST:
        raise bad_request(f"A record can take part in {MERGES_AT_MOST} merges at most.")
    at = crm.now()
    number = crm.contacts.new_id() if crm.new_id_on_merge else primary.id
    values = _united(crm, primary.values, loser.values)
    values |= {
        "hs_object_id": str(number),
        "hs_merged_object_ids": ";".join(map(str, _swallowed(primary, loser, number))),
        "lastmodifieddate": stamp(at),
        "hs_updated_by_user_id": str(MERGE.user),
    }
    values = {name: value for name, value in values.items() if value}
    changes = {name: value for name, value in values.items() if primary.values.get(name) != value}
    shot, edit = Shot(number, values, at), Edit(at, MERGE, changes)
    crm.contacts.fold(loser, number, at)
    if crm.new_id_on_merge:
        crm.contacts.fold(primary, number, at)
        survivor = Record(shot, [*primary.edits, edit])
        crm.contacts.add(survivor)
        crm.links.move(primary.id, number)
    else:
        survivor = primary
        crm.contacts.change(survivor, shot, edit)
    crm.links.move(loser.id, number)
    return survivor


def erase(crm: Crm, record: Record) -> None:
    for address in addresses(record.values):
        block(crm, address)
    for company in list(crm.links.companies(record.id)):
        crm.links.part(record.id, company)
    crm.contacts.erase(record, crm.now())


def block(crm: Crm, address: str) -> None:
    crm.blocked.add(address)
    crm.consent.forget(address)


def _swallowed(primary: Record, loser: Record, survivor: int) -> list[int]:
    before = [*_merged(primary.values), *_merged(loser.values), primary.id, loser.id]
    return sorted({each for each in before if each != survivor})


def _merged(values: Mapping[str, str]) -> list[int]:
    return [int(each) for each in values.get("hs_merged_object_ids", "").split(";") if each]


def _united(crm: Crm, mine: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """The primary one's values, filled from the other's; the furthest stage, the earliest date, every address."""
    values = {**other, **mine, "createdate": min(mine["createdate"], other["createdate"])}
    stages = crm.contacts.catalogue.one("lifecyclestage")
    reached = [each["lifecyclestage"] for each in (mine, other) if each.get("lifecyclestage") in stages.values()]
    if reached:
        values["lifecyclestage"] = max(reached, key=stages.rank)
    known = list(dict.fromkeys([*addresses(mine), *addresses(other)]))
    values["email"] = known[0] if known else ""
    values["hs_additional_emails"] = ";".join(known[1:])
    return values | crm.consent.mirrored(values["email"], mine)
