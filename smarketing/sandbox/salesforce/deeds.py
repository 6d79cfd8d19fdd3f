"""What people do at the screens that is more than saving one record: merge, convert, take back from the recycle bin."""

from __future__ import annotations

from smarketing.sandbox.salesforce.coerce import Given
from smarketing.sandbox.salesforce.errors import bad
from smarketing.sandbox.salesforce.org import By, Org
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.schema import SObject, Values
from smarketing.sandbox.salesforce.standard import CONVERTED

MERGED = ("Account", "Contact", "Lead")
_CARRIED = (
    "FirstName",
    "LastName",
    "Salutation",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "Fax",
    "Description",
    "LeadSource",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "DoNotCall",
    "EmailBouncedReason",
    "EmailBouncedDate",
    "Lifecycle_Stage__c",
)
_ADDRESS = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")


class Deeds:
    def __init__(self, org: Org, saving: Saving) -> None:
        self._org = org
        self._saving = saving

    def merge(self, sobject: SObject, winner: str, loser: str, by: By) -> None:
        """The winner keeps its values and gets the loser's children; the loser is deleted and says into whom."""
        kept, gone = self._saving.live(sobject, winner), self._saving.live(sobject, loser)
        if sobject.name not in MERGED or winner == loser or kept.get("IsConverted") or gone.get("IsConverted"):
            raise bad("INVALID_OPERATION", f"{sobject.label} {loser} cannot be merged into {winner}")
        self._hand_over(sobject, loser, winner, by)
        self._saving.bury(sobject, gone, {"MasterRecordId": winner}, by)
        self._saving.overwrite(sobject, kept, {}, by)

    def convert(self, lead: str, by: By, *, opportunity: bool) -> str:
        """A lead becomes a contact at the account of its company, which is made unless one is called so."""
        objects = self._org.schema.objects
        row = self._saving.live(objects["Lead"], lead)
        if row.get("IsConverted"):
            raise bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        owner = row["OwnerId"] if str(row["OwnerId"]).startswith(objects["User"].prefix) else by.user
        account = self._account(str(row["Company"])) or self._saving.insert(
            objects["Account"], {"Name": row["Company"], "OwnerId": owner}, by
        )
        carried: Values = {name: row[name] for name in _CARRIED if name in row and name in objects["Contact"].fields}
        carried |= {f"Mailing{name}": row[name] for name in _ADDRESS if name in row}
        contact = self._saving.insert(objects["Contact"], {**carried, "AccountId": account, "OwnerId": owner}, by)
        deal = None
        if opportunity:
            deal = self._saving.insert(
                objects["Opportunity"],
                {
                    "Name": row["Company"],
                    "AccountId": account,
                    "StageName": "Prospecting",
                    "CloseDate": self._org.stamp()[:10],
                    "OwnerId": owner,
                },
                by,
            )
            role: Given = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
            self._saving.insert(objects["OpportunityContactRole"], role, by)
        self._saving.overwrite(
            objects["Lead"],
            row,
            {
                "IsConverted": True,
                "Status": CONVERTED,
                "ConvertedDate": self._org.stamp()[:10],
                "ConvertedAccountId": account,
                "ConvertedContactId": contact,
                "ConvertedOpportunityId": deal,
            },
            by,
        )
        for member in self._org.store.tables["CampaignMember"].with_value("LeadId", lead) or ():
            self._saving.overwrite(objects["CampaignMember"], member, {"ContactId": contact}, by)
        return contact

    def restore(self, sobject: SObject, id: str, by: By) -> None:
        """Out of the recycle bin; to a reader it looks like an update."""
        row = self._org.store.tables[sobject.name].rows[id]
        if not row.get("IsDeleted"):
            raise bad("UNDELETE_FAILED", f"{sobject.label} {id} is not deleted")
        self._org.bin = [each for each in self._org.bin if each.id != id]
        self._saving.overwrite(sobject, row, {"IsDeleted": False, "MasterRecordId": None}, by)

    def _account(self, name: str) -> str | None:
        for row in self._org.store.tables["Account"].rows.values():
            if not row.get("IsDeleted") and str(row["Name"]).casefold() == name.casefold():
                return str(row["Id"])
        return None

    def _hand_over(self, sobject: SObject, loser: str, winner: str, by: By) -> None:
        for child, reference in self._org.schema.children(sobject.name):
            if "LastModifiedById" not in child.fields:
                continue
            for row in self._org.store.tables[child.name].with_value(reference.name, loser) or ():
                self._saving.overwrite(child, row, {reference.name: winner}, by)
