"""HubSpot's stand-in: what becomes of a value that is written."""

from __future__ import annotations

import pytest

from tests.smarketing.sandbox.hubspot_wire import CONTACTS, Wire

NEW = {
    "smarketing_day": ("date", "date"),
    "smarketing_moment": ("datetime", "date"),
    "smarketing_flag": ("bool", "booleancheckbox"),
}


def account() -> Wire:
    """An account with a property of each type."""
    hubspot = Wire()
    for name, (type_, field_type) in NEW.items():
        made = hubspot.post(
            "/crm/v3/properties/contacts",
            {
                "name": name,
                "label": name,
                "type": type_,
                "fieldType": field_type,
                "groupName": "contactinformation",
            },
        )
        assert made.status == 201, made.content
    return hubspot


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("email", " Kari.Hansen@EXAMPLE.com ", "kari.hansen@example.com"),
        ("city", "Tromsø 👩‍👩‍👧‍👦", "Tromsø 👩‍👩‍👧‍👦"),
        ("city", "Two  blanks ", "Two  blanks "),
        ("city", 7, "7"),
        ("phone", "+47 22 00 00 00", "+47 22 00 00 00"),
        ("annualrevenue", "1234567890123456789.50", "1234567890123456789.50"),
        ("annualrevenue", 12.5, "12.5"),
        ("smarketing_flag", True, "true"),
        ("smarketing_flag", "false", "false"),
        ("smarketing_day", "2026-02-28", "2026-02-28"),
        ("smarketing_day", "1772236800000", "2026-02-28"),
        ("smarketing_day", "2026-02-28T00:00:00Z", "2026-02-28"),
        ("smarketing_day", "2026-02-28T02:00:00+02:00", "2026-02-28"),
        ("smarketing_moment", "2026-02-28T10:00:00+02:00", "2026-02-28T08:00:00.000Z"),
        ("smarketing_moment", "1772236800123", "2026-02-28T00:00:00.123Z"),
        ("smarketing_moment", "-1000", "1969-12-31T23:59:59.000Z"),
        ("hs_lead_status", "IN_PROGRESS", "IN_PROGRESS"),
        ("hs_buying_role", "CHAMPION;BLOCKER;CHAMPION", "CHAMPION;BLOCKER"),
        ("hubspot_owner_id", "80001", "80001"),
        ("hs_country_region_code", "NO", "NO"),
        ("city", "x" * 65_536, "x" * 65_536),
    ],
)
def test_a_value_is_kept_in_the_vendors_form(name: str, written: object, kept: str) -> None:
    hubspot = account()
    id_ = hubspot.contact(lastname="Hansen")
    answer = hubspot.patch(f"{CONTACTS}/{id_}", **{name: written})
    assert answer.status == 200, answer.content
    assert answer.properties[name] == kept
    assert hubspot.read(id_, name) == {name: kept}


@pytest.mark.parametrize(
    ("name", "written", "code"),
    [
        ("email", "no address", "INVALID_EMAIL"),
        ("email", "two@@example.com", "INVALID_EMAIL"),
        ("email", "x" * 250 + "@example.com", "INVALID_EMAIL"),
        ("hs_additional_emails", "a@example.com;b", "INVALID_EMAIL"),
        ("annualrevenue", "much", "INVALID_INTEGER"),
        ("annualrevenue", "NaN", "INVALID_INTEGER"),
        ("smarketing_flag", "yes", "INVALID_OPTION"),
        ("smarketing_flag", "True", "INVALID_OPTION"),
        ("smarketing_day", "28.02.2026", "INVALID_DATE"),
        ("smarketing_day", "2026-02-28T10:00:00Z", "INVALID_DATE"),
        ("smarketing_day", "1772236800001", "INVALID_DATE"),
        ("smarketing_moment", "yesterday", "INVALID_LONG"),
        ("smarketing_moment", "9" * 20, "INVALID_LONG"),
        ("smarketing_moment", "-62135596800001", "INVALID_LONG"),
        ("smarketing_moment", "0001-01-01T00:00:00+10:00", "INVALID_LONG"),
        ("hs_lead_status", "in_progress", "INVALID_OPTION"),
        ("hs_lead_status", "In Progress", "INVALID_OPTION"),
        ("hs_buying_role", "CHAMPION;NOBODY", "INVALID_OPTION"),
        ("hs_country_region_code", "Norway", "INVALID_OPTION"),
        ("lifecyclestage", "Lead", "INVALID_OPTION"),
        ("hubspot_owner_id", "7080001", "INVALID_OPTION"),
        ("city", "x" * 65_537, "INVALID_LENGTH"),
        ("city", ["Oslo"], "INVALID_VALUE"),
        ("associatedcompanyid", "1", "INVALID_COMPANY"),
        ("hs_object_id", "1", "READ_ONLY_VALUE"),
        ("lastmodifieddate", "2026-01-01", "READ_ONLY_VALUE"),
        ("hs_lifecyclestage_lead_date", "2026-01-01", "READ_ONLY_VALUE"),
        ("hs_email_optout", "true", "READ_ONLY_VALUE"),
        ("hs_email_optout_530001", "true", "READ_ONLY_VALUE"),
        ("num_notes", "1", "READ_ONLY_VALUE"),
        ("no_such_thing", "1", "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_a_value_that_will_not_do_is_refused_by_code(name: str, written: object, code: str) -> None:
    hubspot = account()
    id_ = hubspot.contact(lastname="Hansen")
    before = hubspot.read(id_, "lastmodifieddate")
    hubspot.world.sleep(1)
    refused = hubspot.patch(f"{CONTACTS}/{id_}", **{name: written})
    assert (refused.status, refused.codes) == (400, [code])
    assert hubspot.read(id_, "lastmodifieddate") == before


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_clears(empty: str | None) -> None:
    hubspot = account()
    id_ = hubspot.contact(lastname="Hansen", city="Oslo", hs_lead_status="NEW", annualrevenue="1")
    answer = hubspot.patch(f"{CONTACTS}/{id_}", city=empty, hs_lead_status=empty, annualrevenue=empty)
    assert answer.properties["city"] == ""
    assert set(hubspot.read(id_, "city", "hs_lead_status", "annualrevenue").values()) == {None}


def test_a_leading_semicolon_adds_to_what_is_ticked() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(lastname="Hansen", hs_buying_role="CHAMPION")
    hubspot.patch(f"{CONTACTS}/{id_}", hs_buying_role=";BLOCKER;CHAMPION")
    assert hubspot.read(id_, "hs_buying_role") == {"hs_buying_role": "CHAMPION;BLOCKER"}
    hubspot.patch(f"{CONTACTS}/{id_}", hs_buying_role="INFLUENCER")
    assert hubspot.read(id_, "hs_buying_role") == {"hs_buying_role": "INFLUENCER"}


def test_a_stage_that_would_go_back_is_left_without_an_error() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", lifecyclestage="opportunity")
    hubspot.world.sleep(1)
    answer = hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="lead", city="Oslo")
    assert answer.status == 200
    assert (answer.properties["lifecyclestage"], answer.properties["city"]) == ("opportunity", "Oslo")
    alone = hubspot.read(id_, "lastmodifieddate")
    hubspot.world.sleep(1)
    assert hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="subscriber").status == 200
    assert hubspot.read(id_, "lastmodifieddate") == alone


def test_a_stage_that_was_cleared_can_be_set_to_any_other() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", lifecyclestage="customer")
    hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="")
    hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="lead")
    assert hubspot.read(id_, "lifecyclestage") == {"lifecyclestage": "lead"}


def test_a_stage_that_is_reached_leaves_its_date() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", lifecyclestage="lead")
    hubspot.world.sleep(60)
    hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="marketingqualifiedlead")
    hubspot.world.sleep(60)
    hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="lead")
    found = hubspot.read(id_, "hs_lifecyclestage_lead_date", "hs_lifecyclestage_marketingqualifiedlead_date")
    assert list(found.values()) == ["2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"]


def test_the_order_of_stages_is_the_accounts() -> None:
    hubspot = Wire()
    stages = hubspot.get("/crm/v3/properties/contacts/lifecyclestage").content["options"]
    own = {"label": "Recycled", "value": "12345678", "displayOrder": 1, "hidden": False}
    moved = [{**each, "displayOrder": each["displayOrder"] + (each["displayOrder"] > 0)} for each in stages]
    changed = hubspot.call("PATCH", "/crm/v3/properties/contacts/lifecyclestage", {"options": [*moved, own]})
    assert changed.status == 200
    id_ = hubspot.contact(email="a@example.com", lifecyclestage="lead")
    hubspot.patch(f"{CONTACTS}/{id_}", lifecyclestage="12345678")
    assert hubspot.read(id_, "lifecyclestage") == {"lifecyclestage": "lead"}
    other = hubspot.contact(email="b@example.com", lifecyclestage="subscriber")
    hubspot.patch(f"{CONTACTS}/{other}", lifecyclestage="12345678")
    assert hubspot.read(other, "lifecyclestage") == {"lifecyclestage": "12345678"}


def test_an_account_may_give_a_stage_to_new_contacts() -> None:
    hubspot = Wire(default_stage="lead")
    found = hubspot.read(hubspot.contact(email="a@example.com"), "lifecyclestage", "hs_lifecyclestage_lead_date")
    assert found == {"lifecyclestage": "lead", "hs_lifecyclestage_lead_date": "2026-01-01T00:00:00.000Z"}
    other = hubspot.contact(email="b@example.com", lifecyclestage="customer")
    assert hubspot.read(other, "lifecyclestage") == {"lifecyclestage": "customer"}


def test_a_new_owner_is_dated() -> None:
    hubspot = Wire()
    id_ = hubspot.contact(email="a@example.com", hubspot_owner_id="80001")
    hubspot.world.sleep(1)
    hubspot.patch(f"{CONTACTS}/{id_}", hubspot_owner_id="80002")
    assert hubspot.read(id_, "hubspot_owner_assigneddate")["hubspot_owner_assigneddate"].endswith("00:00:01.000Z")
    hubspot.patch(f"{CONTACTS}/{id_}", hubspot_owner_id="")
    assert hubspot.read(id_, "hubspot_owner_assigneddate") == {"hubspot_owner_assigneddate": None}
