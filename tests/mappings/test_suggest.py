"""What a native field probably is: by name, label and type, in English and Norwegian."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from connectors.base import Option, SchemaField
from mappings.lead import LeadShape
from mappings.mapping import compile_mapping
from mappings.suggest import NAMES, suggest

SHAPE = LeadShape({"shoe_size": "integer", "region_manager": "owner"})


def field(name: str, label: str = "", type: str = "text", **more: object) -> SchemaField:
    return SchemaField(name, label or name, type, **more)  # type: ignore[arg-type]


def leads(*fields: SchemaField, mapped: tuple[str, ...] = ()) -> dict[str, str]:
    return {name: each.lead for name, each in suggest(fields, mapped, SHAPE).items()}


@pytest.mark.parametrize(
    ("name", "label", "type", "lead"),
    [
        ("firstname", "First Name", "text", "first_name"),
        ("FirstName", "", "text", "first_name"),
        ("Fornavn", "", "text", "first_name"),
        ("ETTERNAVN", "", "text", "last_name"),
        ("Navn", "", "text", "name"),
        ("Kontaktperson", "", "text", "name"),
        ("E-post", "", "text", "email"),
        ("E-postadresse", "", "email", "email"),
        ("cf_19", "E-mail", "text", "email"),
        ("cf_20", "Innboks", "email", "email"),
        ("Tlf.", "", "text", "phone"),
        ("Telefon", "", "number", "phone"),
        ("Mobil", "", "text", "mobile"),
        ("MobilePhone", "", "phone", "mobile"),
        ("Firma", "", "text", "company"),
        ("Bedriftsnavn", "", "text", "company"),
        ("Org.nr.", "", "text", "organisation_number"),
        ("Organisasjonsnummer", "", "number", "organisation_number"),
        ("Hjemmeside", "", "text", "company_domain"),
        ("Stilling", "", "text", "title"),
        ("Adresse", "", "text", "street"),
        ("Postnr", "", "number", "postcode"),
        ("Zip/Postal Code", "Postal Code", "text", "postcode"),
        ("Poststed", "", "text", "city"),
        ("Fylke", "", "text", "region"),
        ("Land", "", "text", "country"),
        ("Språk", "", "choice", "language"),
        ("Selger", "", "email", "owner"),
        ("Kunde_ansvarlig__c", "Kundeansvarlig", "text", "owner"),
        ("Livssyklusfase", "", "choice", "stage"),
        ("Lead Status", "", "choice", "lead_status"),
        ("LeadSource", "Lead Source", "choice", "source"),
        ("Kilde", "", "text", "source"),
        ("Kampanje", "", "text", "campaign"),
        ("Stikkord", "", "choices", "tags"),
        ("Nyhetsbrev", "", "text", "consent.email"),
        ("HasOptedOutOfEmail", "Email Opt Out", "boolean", "consent.email"),
        ("DoNotCall", "Do Not Call", "boolean", "consent.phone"),
        ("Contact first name", "", "text", "first_name"),
        ("Shoe_Size__c", "", "number", "shoe_size"),
        ("Region manager", "", "email", "region_manager"),
        ("hs_object_id", "Record ID", "number", None),
        ("Notater", "", "text", None),
        ("Fornavn", "", "boolean", None),
        ("Fornavn", "", "datetime", None),
        ("email_domain_rank", "E-mail domain rank", "number", None),
        ("Stage", "", "date", None),
    ],
)
def test_a_native_field_is_known_by_name_label_and_type(name: str, label: str, type: str, lead: str | None) -> None:
    assert leads(field(name, label, type)) == ({} if lead is None else {name: lead})


def test_a_field_of_the_lead_that_is_mapped_is_not_suggested_again() -> None:
    assert leads(field("Fornavn"), field("Poststed"), mapped=("first_name", "First name")) == {"Poststed": "city"}


def test_a_native_field_that_is_used_already_is_not_suggested_for_something_else() -> None:
    assert leads(field("Navn"), mapped=("company", "Navn")) == {}


def test_a_field_of_the_lead_is_suggested_once_for_the_surest_one() -> None:
    assert leads(field("Kontakt telefon"), field("Telefon")) == {"Telefon": "phone"}


def test_of_two_alike_the_one_that_is_filled_is_suggested() -> None:
    assert leads(field("Phone", filled=0.02), field("Tlf", filled=0.9)) == {"Tlf": "phone"}


def test_the_whole_name_is_not_suggested_beside_its_halves() -> None:
    assert leads(field("Fornavn"), field("Etternavn"), field("Kontaktperson")) == {
        "Fornavn": "first_name",
        "Etternavn": "last_name",
    }


def test_one_half_of_the_name_that_is_mapped_leaves_no_place_for_the_whole_one() -> None:
    assert leads(field("Navn"), mapped=("first_name",)) == {}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (field("Fornavn"), "first_name: Fornavn"),
        (field("Navn"), "name: {remote: Navn, as: full_name}"),
        (field("E-post"), "email: {remote: E-post, slot: true}"),
        (field("Postnr"), "postcode: {remote: Postnr, as: postcode}"),
        (field("Tittel", length=40), "title: {remote: Tittel, length: 40}"),
        (field("Tittel", length=32_000), "title: Tittel"),
        (field("Domene", read_only=True), "company_domain: {remote: Domene, direction: in}"),
        (field("Email Opt Out", type="boolean"), "consent.email: {remote: Email Opt Out, as: opt_out_box}"),
        (field("consent:email", "Newsletter"), 'consent.email: {remote: "consent:email", as: consent_word}'),
        (
            field("Stage", type="choice", options=(Option("Open", "Open"), Option("17", "Won"))),
            'stage: {remote: Stage, options: {Open: …, "17": …}}',
        ),
        (field("#1: E-post?", "Epost"), 'email: {remote: "#1: E-post?", slot: true}'),
    ],
)
def test_a_suggestion_is_a_line_for_the_mapping_file(given: SchemaField, line: str) -> None:
    assert [each.line for each in suggest([given], (), SHAPE).values()] == [line]


def test_every_suggested_line_compiles() -> None:
    """All but those whose options a person must fill in."""
    for lead, said in NAMES.items():
        first = said.split(",")[0]
        type = "boolean" if lead.startswith("consent.") else "choices" if lead in ("tags", "emails") else "text"
        found = suggest([field(first, type=type)], (), SHAPE)[first]
        assert found.lead == lead
        compile_mapping({"objects": {"x": {"fields": YAML(typ="safe", pure=True).load(found.line)}}}, SHAPE)


def test_no_name_stands_for_two_fields_of_the_lead() -> None:
    seen: dict[str, str] = {}
    for lead, said in NAMES.items():
        for each in said.split(","):
            assert seen.setdefault(each.strip(), lead) == lead, each
