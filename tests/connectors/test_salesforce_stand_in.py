"""What only an org can show that keeps its own rules: conversions, locks, owners, field security, duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from connectors.base import (
    Answer,
    Done,
    Exists,
    Feed,
    FeedKind,
    Fields,
    Gone,
    Record,
    Ref,
    Refused,
    State,
    Unsent,
    Write,
    WriteKind,
    Writer,
)
from connectors.errors import Retry
from connectors.salesforce import Salesforce
from smarketing.sandbox.salesforce import SalesforceEmulator
from tests.connectors.scripted_salesforce import Vault, serve, unverified
from tests.worlds import ManualWorld

WANTED = {
    "Lead": ["FirstName", "LastName", "Company", "Email", "Phone", "HasOptedOutOfEmail", "OwnerId", "AnnualRevenue"],
    "Contact": ["LastName", "Email", "OwnerId", "Account.Name", "Account.Website"],
}
PERSON = "sales.person@example.com"


@dataclass
class House:
    """An org, and our connection to it."""

    org: SalesforceEmulator
    world: ManualWorld
    crm: Salesforce

    def lead(self, **fields: object) -> Ref:
        told: Fields = {"LastName": "Nordmann", "Company": "Example", "Email": "kari@example.com"}
        told.update(fields)  # type: ignore[arg-type]
        return self.org.put("Lead", told)

    def read(self, object: str = "Lead") -> dict[Ref, Record]:
        feed = Feed(object, FeedKind.DELTA)
        return {record.ref: record for page in self.crm.changes(feed) for record in page.records}

    def fetch(self, ref: Ref) -> Record:
        (record,) = self.crm.fetch([ref])
        return record

    def update(self, ref: Ref, **fields: object) -> Answer:
        write = Write(WriteKind.UPDATE, "key", ref.object, ref, {})
        write.fields.update(fields)  # type: ignore[arg-type]
        return self.crm.write([write])[0]

    def create(self, object: str = "Lead", key: str = "key", **fields: object) -> Answer:
        write = Write(WriteKind.CREATE, key, object, None, {"LastName": "Nordmann"})
        write.fields.update({"Company": "Example"} if object == "Lead" else {})
        write.fields.update(fields)  # type: ignore[arg-type]
        return self.crm.write([write])[0]

    def really(self, ref: Ref) -> Fields:
        (kept,) = [each for each in self.org.records() if each.ref == ref]
        return kept.fields


Open = Callable[..., House]


@pytest.fixture
def house() -> Iterator[Open]:
    opened: list[House] = []

    def open_(**options: object) -> House:
        world = ManualWorld()
        org = SalesforceEmulator(
            world,
            client_id="app",
            client_secret="shh",
            username="sync@example.com",
            password="p",
            **options,  # type: ignore[arg-type]
        )
        told = {"base_url": serve(org.handle), "client_id": "app", "client_secret": "shh"}
        settings = Salesforce.Settings.model_validate(told)
        crm = Salesforce("crm", settings, world, WANTED, Vault(), transport=unverified())
        opened.append(House(org, world, crm))
        return opened[-1]

    yield open_
    for each in opened:
        each.crm.close()


def states(records: Sequence[Record]) -> list[tuple[State, Ref | None]]:
    return [(each.state, each.merged_into) for each in records]


def test_a_converted_lead_lives_on_as_its_contact(house: Open) -> None:
    here = house()
    lead = here.lead()
    contact = here.org.convert(lead)
    gone = (State.MERGED, contact)
    assert states([here.read()[lead], here.fetch(lead)]) == [gone, gone]
    assert here.read()[lead].fields["LastName"] == "Nordmann"
    assert here.update(lead, FirstName="Kari") == Gone(*gone)
    assert here.fetch(contact).state is State.LIVE
    swept = [each.ref for page in here.crm.ids(Feed("Lead", FeedKind.SWEEP)) for each in page.records]
    assert swept == []


def test_a_contact_tells_its_account(house: Open) -> None:
    here = house()
    contact = here.org.convert(here.lead(Company="Example of Oslo"))
    assert here.read("Contact")[contact].fields["Account.Name"] == "Example of Oslo"
    assert here.read("Contact")[contact].fields["Account.Website"] is None
    alone = here.org.put("Contact", {"LastName": "Alone"})
    assert here.fetch(alone).fields["Account.Name"] is None


def test_what_leaves_the_recycle_bin_comes_back_or_is_gone(house: Open) -> None:
    here = house()
    back, away = here.lead(), here.lead()
    for ref in (back, away):
        here.org.remove(ref)
    assert {ref: each.state for ref, each in here.read().items()} == {back: State.DELETED, away: State.DELETED}
    here.org.restore(back)
    here.org.erase(away)
    assert [here.fetch(ref).state for ref in (back, away)] == [State.LIVE, State.GONE]
    assert here.update(away, FirstName="Kari") == Gone(State.GONE)


def test_a_locked_row_is_written_when_the_lock_is_gone_and_waits_when_it_stays(house: Open) -> None:
    here = house()
    ref = here.lead()
    here.org.lock(ref, times=2)
    assert here.update(ref, FirstName="Kari") == Done(ref.id)
    here.org.lock(ref, times=100)
    assert isinstance(here.update(ref, FirstName="Ola"), Unsent)
    assert here.really(ref)["FirstName"] == "Kari"


def test_a_field_that_an_administrator_hides_is_absent_refused_and_told_of(house: Open) -> None:
    here = house()
    ref = here.lead(HasOptedOutOfEmail=True)
    assert here.read()[ref].fields["HasOptedOutOfEmail"] is True
    here.org.hide("Lead", "HasOptedOutOfEmail")
    shown = here.read()[ref].fields
    assert "HasOptedOutOfEmail" not in shown
    assert shown["LastName"] == "Nordmann"
    other = here.lead()
    writes = [
        Write(WriteKind.UPDATE, "a", "Lead", ref, {"HasOptedOutOfEmail": False}),
        Write(WriteKind.UPDATE, "b", "Lead", other, {"FirstName": "Kari"}),
    ]
    refused, done = here.crm.write(writes)
    assert isinstance(refused, Refused)
    assert refused.fields == ("HasOptedOutOfEmail",)
    assert done == Done(other.id)
    assert ("error", "SM333") in [(each.level, each.code) for each in here.crm.check()]
    here.org.show("Lead", "HasOptedOutOfEmail")
    here.crm.schema("Lead")
    assert here.read()[ref].fields["HasOptedOutOfEmail"] is True


def test_an_owner_is_an_e_mail_address_both_ways_and_a_queue_is_none(house: Open) -> None:
    here = house()
    ref = here.lead()
    assert here.read()[ref].fields["OwnerId"] == PERSON
    made = here.create(OwnerId=PERSON.upper())
    assert isinstance(made, Done)
    assert here.really(Ref("Lead", made.id))["OwnerId"] == here.org.org.users.person
    here.org.edit(ref, {"OwnerId": here.org.org.queue})
    assert "OwnerId" not in here.read()[ref].fields
    unknown = here.update(ref, OwnerId="nobody@example.com", FirstName="Kari")
    assert isinstance(unknown, Refused)
    assert (unknown.fields, unknown.code) == (("OwnerId",), "unknown_owner")
    assert here.update(ref, FirstName="Kari") == Done(ref.id)
    assert here.really(ref)["OwnerId"] == here.org.org.queue


def test_the_assignment_rule_leaves_our_leads_alone(house: Open) -> None:
    here = house(assignment_rule=True)
    made = here.create()
    assert isinstance(made, Done)
    assert here.really(Ref("Lead", made.id))["OwnerId"] == here.org.org.users.us


def test_a_duplicate_rule_names_the_record_that_is_there(house: Open) -> None:
    here = house(duplicate_rule=True)
    there = here.lead(Email="kari@example.com", FirstName="Kari")
    answer = here.create(Email="KARI@example.com")
    assert isinstance(answer, Exists)
    assert (answer.record.ref, answer.record.fields["FirstName"]) == (there, "Kari")
    assert isinstance(here.create(Email="ola@example.com", key="other"), Done)
    assert len([each for each in here.org.records() if each.ref.object == "Lead"]) == 2


def test_a_duplicate_rule_that_finds_two_leaves_it_to_a_person(house: Open) -> None:
    here = house(duplicate_rule=True)
    here.lead()
    here.org.convert(here.lead(Email="ola@example.com"))
    here.lead(Email="ola@example.com")
    answer = here.create(Email="ola@example.com")
    assert isinstance(answer, Refused)
    assert answer.code == "DUPLICATES_DETECTED"


@pytest.mark.parametrize(
    ("who", "writer"),
    [
        ("person", Writer.PERSON),
        ("workflow", Writer.WORKFLOW),
        ("integration", Writer.PERSON),
        ("import", Writer.PERSON),
    ],
)
def test_another_ordinary_user_looks_like_a_person(house: Open, who: str, writer: Writer) -> None:
    here = house()
    ref = here.lead()
    here.org.edit(ref, {"FirstName": "Kari"}, who)
    record = here.read()[ref]
    assert (record.writer, record.mine) == (writer, False)


def test_what_we_made_and_wrote_is_ours(house: Open) -> None:
    here = house()
    made = here.create()
    assert isinstance(made, Done)
    record = here.fetch(Ref("Lead", made.id))
    assert (record.writer, record.mine) == (Writer.INTEGRATION, True)
    assert record.created == record.modified == here.world.now() // 1_000_000 * 1_000_000


def test_our_key_is_made_shown_and_used(house: Open) -> None:
    here = house(key_field=False)
    assert here.crm.own_key("Lead") is None
    assert here.crm.add_own_key("Lead") == "Smarketing_Id__c"
    assert here.crm.own_key("Lead") == "Smarketing_Id__c"
    made = here.create(key="k-1")
    assert isinstance(made, Done)
    assert here.really(Ref("Lead", made.id))["Smarketing_Id__c"] == "k-1"
    again = here.create(key="k-1")
    assert isinstance(again, Exists)
    assert again.record.ref == Ref("Lead", made.id)
    (found,) = here.crm.find("Lead", "Smarketing_Id__c", ["k-1", "k-2"])
    assert found.ref == Ref("Lead", made.id)


def test_a_key_field_that_is_only_hidden_is_shown(house: Open) -> None:
    here = house()
    here.org.hide("Contact", "Smarketing_Id__c")
    assert here.crm.own_key("Contact") is None
    assert here.crm.add_own_key("Contact") == "Smarketing_Id__c"
    assert here.crm.own_key("Contact") == "Smarketing_Id__c"


def test_a_session_that_ends_in_mid_run_is_renewed(house: Open) -> None:
    here = house(session_seconds=900)
    ref = here.lead()
    here.read()
    here.world.sleep(1000)
    assert here.update(ref, FirstName="Kari") == Done(ref.id)
    assert here.crm.requests()["get a token"] == 2


def test_the_days_share_is_kept_before_the_vendor_refuses(house: Open) -> None:
    here = house(daily_limit=10)
    for _ in range(8):
        here.read()
    with pytest.raises(Retry, match="8 of 10") as retry:
        here.read()
    assert retry.value.code == "SM310"
    assert here.crm.quota() == (8, 10)


def test_numbers_and_clearing_come_back_as_written(house: Open) -> None:
    here = house()
    ref = here.lead(Phone="91234567")
    assert here.update(ref, AnnualRevenue="350000000", Phone=None) == Done(ref.id)
    fields = here.fetch(ref).fields
    assert (str(fields["AnnualRevenue"]), fields["Phone"]) == ("350000000", None)


def test_values_that_the_org_refuses_are_told_without_them(house: Open) -> None:
    here = house()
    ref = here.lead()
    long = here.update(ref, FirstName="Kari Anne Margrethe Elisabeth Johanne Sofie Nordmann")
    assert isinstance(long, Refused)
    assert (long.fields, long.code) == (("FirstName",), "STRING_TOO_LONG")
    assert "Margrethe" not in long.text
    assert "max length=40" in long.text
    bad = here.update(ref, Email="not an address")
    assert isinstance(bad, Refused)
    assert (bad.fields, bad.code) == (("Email",), "INVALID_EMAIL_ADDRESS")
    assert "not an address" not in bad.text


def test_the_account_in_order_has_no_finding_worse_than_advice(house: Open) -> None:
    findings = list(house().crm.check())
    assert [each.text for each in findings if each.level not in ("ok", "advice")] == []
