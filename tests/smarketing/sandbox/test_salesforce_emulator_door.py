"""The hidden door: what people, machines and administrators do, and what is really there."""

from __future__ import annotations

import pytest

from connectors.backdoor import Kept
from connectors.base import Fields, Ref, State
from smarketing.sandbox.emulator import Emulator
from tests.smarketing.sandbox.salesforce_wire import BASE, CLIENT, USER, Wire, org
from tests.worlds import ManualWorld


@pytest.fixture
def wire() -> Wire:
    return Wire()


def person(wire: Wire, kind: str = "Lead", **fields: str | bool) -> Ref:
    """Somebody a person made."""
    whole: Fields = {"LastName": "Nordmann", **({"Company": "Example AS"} if kind == "Lead" else {}), **fields}
    return wire.door.put(kind, whole)


def kept(wire: Wire, ref: Ref) -> Kept:
    (found,) = [each for each in wire.door.records() if each.ref == ref]
    return found


def test_it_is_an_emulator_and_tells_its_credentials() -> None:
    door: Emulator = org(ManualWorld())
    assert door.name == "salesforce"
    assert door.credentials(BASE) == {"base_url": BASE, **CLIENT, **USER}


def test_two_orgs_that_were_told_the_same_hold_the_same() -> None:
    def lived() -> tuple[object, object]:
        wire = Wire()
        refs = [person(wire, Email=f"p{i}@example.com") for i in range(5)]
        wire.door.merge(refs[0], refs[1])
        wire.door.convert(refs[2])
        wire.world.sleep(3)
        wire.door.edit(refs[3], {"Phone": "1"})
        return wire.door.records(), [wire.sign_in() for _ in range(2)]

    assert lived() == lived()


def test_what_a_person_makes_is_a_persons(wire: Wire) -> None:
    ref = person(wire, FirstName="Ola", Email="OLA@example.com")
    read = wire.one(
        "SELECT Name, Email, CreatedBy.Name, LastModifiedBy.Name, Owner.Email FROM Lead WHERE Id = '" + ref.id + "'"
    )
    assert (read["Name"], read["Email"]) == ("Ola Nordmann", "ola@example.com")
    assert read["CreatedBy"]["Name"] == read["LastModifiedBy"]["Name"] == "Sales Person"
    assert read["Owner"]["Email"] == "sales.person@example.com"


@pytest.mark.parametrize(
    ("writer", "user", "type"),
    [
        ("person", "Sales Person", "Standard"),
        ("workflow", "Automated Process", "AutomatedProcess"),
        ("import", "Data Import", "Standard"),
        ("integration", "Other Integration", "Standard"),
    ],
)
def test_an_edit_tells_who_wrote(wire: Wire, writer: str, user: str, type: str) -> None:
    id = wire.lead()
    wire.world.sleep(5)
    wire.door.edit(Ref("Lead", id), {"Phone": "1"}, as_=writer)
    read = wire.one("SELECT LastModifiedBy.Name, LastModifiedBy.UserType, CreatedBy.Name, SystemModstamp FROM Lead")
    assert read["LastModifiedBy"] | {"attributes": None} == {"attributes": None, "Name": user, "UserType": type}
    assert read["CreatedBy"]["Name"] == "Integration User"
    assert read["SystemModstamp"] == "2026-01-01T00:00:05.000+0000"


def test_the_screens_hold_to_the_rules_too(wire: Wire) -> None:
    with pytest.raises(ValueError, match="REQUIRED_FIELD_MISSING"):
        wire.door.put("Lead", {"LastName": "Nordmann"})
    with pytest.raises(ValueError, match="INVALID_FIELD"):
        wire.door.put("Lead", {"Nonsense": "x"})
    with pytest.raises(ValueError, match="no object"):
        wire.door.put("Nonsense", {})
    with pytest.raises(ValueError, match="has no field"):
        wire.door.hide("Lead", "Nonsense")
    with pytest.raises(ValueError, match="no record"):
        wire.door.remove(Ref("Lead", "nobody"))
    with pytest.raises(KeyError):
        wire.door.edit(person(wire), {}, as_="nobody")


def test_a_removed_record_goes_to_the_recycle_bin_and_leaves_it_after_15_days(wire: Wire) -> None:
    ref = person(wire)
    wire.world.sleep(5)
    wire.door.remove(ref)
    read = wire.one("SELECT IsDeleted, LastModifiedBy.Name, SystemModstamp FROM Lead", deleted=True)
    assert (read["IsDeleted"], read["LastModifiedBy"]["Name"]) == (True, "Sales Person")
    assert read["SystemModstamp"] == "2026-01-01T00:00:05.000+0000"
    assert kept(wire, ref).state is State.DELETED
    wire.world.sleep(15 * 86_400)
    wire.sign_in()
    assert wire.call("GET", "queryAll?q=SELECT+Id+FROM+Lead", token=wire.sign_in()).records == []
    assert kept(wire, ref).state is State.DELETED


def test_an_undeleted_record_looks_updated(wire: Wire) -> None:
    ref = person(wire)
    wire.door.remove(ref)
    wire.world.sleep(60)
    wire.door.restore(ref)
    assert wire.one("SELECT SystemModstamp FROM Lead")["SystemModstamp"] == "2026-01-01T00:01:00.000+0000"
    wire.world.sleep(20 * 86_400)
    assert kept(wire, ref).state is State.LIVE
    with pytest.raises(ValueError, match="not deleted"):
        wire.door.restore(ref)


def test_a_user_who_is_removed_is_no_user_any_more(wire: Wire) -> None:
    ref = wire.door.put("User", {"LastName": "Gone", "Username": "gone@example.com"})
    wire.door.remove(ref)
    assert wire.ids("SELECT Id FROM User WHERE Username = 'gone@example.com'") == []


def test_an_erased_record_is_in_no_list(wire: Wire) -> None:
    live, binned = person(wire), person(wire)
    wire.door.remove(binned)
    for ref in (live, binned):
        wire.door.erase(ref)
        assert wire.call("GET", f"sobjects/Lead/{ref.id}").code == "NOT_FOUND"
    assert wire.ids("SELECT Id FROM Lead", deleted=True) == []
    assert [each.state for each in wire.door.records()] == [State.DELETED, State.DELETED]


class TestMerge:
    def test_the_loser_is_deleted_and_says_into_whom(self, wire: Wire) -> None:
        winner, loser = person(wire, "Contact", Email="a@example.com"), person(wire, "Contact", Email="b@example.com")
        wire.world.sleep(1)
        assert wire.door.merge(winner, loser) == winner
        read = wire.one(f"SELECT IsDeleted, MasterRecordId, Email FROM Contact WHERE Id = '{loser.id}'", deleted=True)
        assert (read["IsDeleted"], read["MasterRecordId"]) == (True, winner.id)
        read = wire.one("SELECT Id, Email, SystemModstamp FROM Contact")
        assert (read["Id"], read["Email"]) == (winner.id, "a@example.com")
        assert read["SystemModstamp"] == "2026-01-01T00:00:01.000+0000"
        assert (kept(wire, loser).state, kept(wire, loser).merged_into) == (State.MERGED, winner)
        assert wire.update("Contact", loser.id, FirstName="x").code == "ENTITY_IS_DELETED"

    def test_the_losers_children_go_to_the_winner(self, wire: Wire) -> None:
        winner, loser = person(wire), person(wire)
        campaign = wire.create("Campaign", Name="Webinar")
        wire.create("CampaignMember", CampaignId=campaign, LeadId=loser.id)
        wire.door.merge(winner, loser)
        assert wire.one("SELECT LeadId FROM CampaignMember")["LeadId"] == winner.id

    def test_a_loser_stays_merged_when_it_leaves_the_bin(self, wire: Wire) -> None:
        winner, loser = person(wire), person(wire)
        wire.door.merge(winner, loser)
        wire.door.empty_bin()
        assert (kept(wire, loser).state, kept(wire, loser).merged_into) == (State.MERGED, winner)

    def test_only_two_live_records_of_a_kind_merge(self, wire: Wire) -> None:
        one, deal = person(wire), wire.door.put("Campaign", {"Name": "Webinar"})
        with pytest.raises(ValueError, match="INVALID_OPERATION"):
            wire.door.merge(one, one)
        with pytest.raises(ValueError, match="INVALID_OPERATION"):
            wire.door.merge(deal, wire.door.put("Campaign", {"Name": "Other"}))
        gone = person(wire)
        wire.door.remove(gone)
        with pytest.raises(ValueError, match="ENTITY_IS_DELETED"):
            wire.door.merge(one, gone)


class TestConvert:
    def test_a_lead_becomes_a_contact_at_an_account(self, wire: Wire) -> None:
        lead = person(
            wire,
            FirstName="Ola",
            Email="ola@example.com",
            City="Oslo",
            HasOptedOutOfEmail=True,
            Lifecycle_Stage__c="SQL",
        )
        campaign = wire.create("Campaign", Name="Webinar")
        wire.create("CampaignMember", CampaignId=campaign, LeadId=lead.id)
        contact = wire.door.convert(lead, opportunity=True)
        assert contact.object == "Contact"
        told = wire.one("SELECT FIELDS(ALL) FROM Lead LIMIT 1")
        assert told["IsConverted"] is True
        assert (told["Status"], told["ConvertedDate"]) == ("Closed - Converted", "2026-01-01")
        assert told["ConvertedContactId"] == contact.id
        made = wire.one(
            "SELECT Name, Email, MailingCity, HasOptedOutOfEmail, Lifecycle_Stage__c, Account.Name FROM Contact"
        )
        assert (made["Name"], made["Email"], made["MailingCity"]) == ("Ola Nordmann", "ola@example.com", "Oslo")
        assert (made["HasOptedOutOfEmail"], made["Lifecycle_Stage__c"]) == (True, "SQL")
        assert made["Account"]["Name"] == "Example AS"
        role = wire.one("SELECT ContactId, OpportunityId FROM OpportunityContactRole")
        assert role["ContactId"] == contact.id
        assert role["OpportunityId"] == told["ConvertedOpportunityId"]
        assert wire.one("SELECT ContactId FROM CampaignMember")["ContactId"] == contact.id
        assert (kept(wire, lead).state, kept(wire, lead).merged_into) == (State.MERGED, contact)

    def test_a_known_company_is_not_made_twice(self, wire: Wire) -> None:
        account = wire.create("Account", Name="EXAMPLE as")
        wire.door.convert(person(wire))
        assert wire.one("SELECT AccountId FROM Contact")["AccountId"] == account

    def test_the_lead_is_read_only_to_the_api_and_cannot_be_converted_again(self, wire: Wire) -> None:
        lead = person(wire)
        wire.door.convert(lead)
        answer = wire.update("Lead", lead.id, FirstName="x")
        assert (answer.status, answer.code) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
        with pytest.raises(ValueError, match="CANNOT_UPDATE_CONVERTED_LEAD"):
            wire.door.convert(lead)

    def test_writing_the_status_converts_nobody(self, wire: Wire) -> None:
        lead = person(wire)
        assert wire.update("Lead", lead.id, Status="Closed - Converted").status == 204
        assert wire.read("Lead", lead.id)["IsConverted"] is False


class TestConsent:
    def test_the_owner_of_an_address_opts_out_of_every_record_with_it(self, wire: Wire) -> None:
        lead, contact = person(wire, Email="ola@example.com"), person(wire, "Contact", Email="ola@example.com")
        other = person(wire, Email="kari@example.com")
        wire.world.sleep(1)
        wire.door.opt_out("OLA@example.com")
        assert [kept(wire, ref).consent["email"] for ref in (lead, contact, other)] == ["out", "out", "in"]
        read = wire.read("Lead", lead.id, "HasOptedOutOfEmail", "LastModifiedBy.Name", "SystemModstamp")
        assert read["HasOptedOutOfEmail"] is True
        assert read["LastModifiedBy"]["Name"] == "Automated Process"
        assert read["SystemModstamp"] == "2026-01-01T00:00:01.000+0000"
        wire.door.confirm("ola@example.com")
        assert kept(wire, lead).consent == {"email": "in", "fax": "in", "phone": "in"}

    def test_a_converted_lead_is_left_as_it_was(self, wire: Wire) -> None:
        lead = person(wire, Email="ola@example.com")
        contact = wire.door.convert(lead)
        wire.door.opt_out("ola@example.com")
        assert [kept(wire, ref).consent["email"] for ref in (lead, contact)] == ["in", "out"]

    def test_channels_have_boxes_of_their_own(self, wire: Wire) -> None:
        ref = person(wire, Email="ola@example.com")
        wire.door.opt_out("ola@example.com", "phone")
        assert wire.read("Lead", ref.id)["DoNotCall"] is True
        assert kept(wire, ref).consent == {"email": "in", "fax": "in", "phone": "out"}
        with pytest.raises(ValueError, match="no channel"):
            wire.door.opt_out("ola@example.com", "pigeon")

    def test_consent_hangs_on_the_record_and_not_on_the_address(self, wire: Wire) -> None:
        wire.door.opt_out("ola@example.com")
        assert kept(wire, person(wire, Email="ola@example.com")).consent["email"] == "in"


class TestHistory:
    def test_tracked_fields_tell_their_former_values_and_who_changed_them(self, wire: Wire) -> None:
        id = wire.lead(Email="one@example.com", City="Oslo")
        wire.world.sleep(5)
        wire.door.edit(Ref("Lead", id), {"Email": "two@example.com", "City": "Bergen"})
        wire.world.sleep(5)
        wire.update("Lead", id, Email=None)
        found = wire.query(
            "SELECT Field, OldValue, NewValue, CreatedDate, CreatedBy.Name FROM LeadHistory "
            f"WHERE LeadId = '{id}' AND Field != 'created' ORDER BY CreatedDate DESC"
        ).records
        told = [(each["Field"], each["OldValue"], each["NewValue"], each["CreatedBy"]["Name"]) for each in found]
        assert told == [
            ("Email", "two@example.com", None, "Integration User"),
            ("Email", "one@example.com", "two@example.com", "Sales Person"),
        ]
        assert found[0]["CreatedDate"] == "2026-01-01T00:00:10.000+0000"

    def test_it_begins_with_the_creation(self, wire: Wire) -> None:
        id = wire.contact()
        (first,) = wire.query("SELECT ContactId, Field, Contact.LastName FROM ContactHistory").records
        assert (first["ContactId"], first["Field"], first["Contact"]["LastName"]) == (id, "created", "Nordmann")


def test_records_are_told_in_a_fixed_order_with_numbers_as_the_contract_has_them(wire: Wire) -> None:
    contact = wire.contact()
    lead = wire.lead(AnnualRevenue=1000, NumberOfEmployees=7)
    account = wire.create("Account", Name="Example AS")
    deal = wire.create("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-02-01", Amount="10.50")
    records = wire.door.records()
    assert [each.ref.id for each in records] == [account, lead, contact, deal]
    assert (records[1].fields["AnnualRevenue"], records[1].fields["NumberOfEmployees"]) == ("1000", 7)
    assert records[3].fields["Amount"] == "10.5"
    assert records[0].consent == {}
    assert records[1].modified == wire.world.now()
