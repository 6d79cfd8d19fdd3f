"""Which field of the lead a native field of an account probably is, by its name, its label and its type.

Only suggested, never done. What is mapped already is left out, a field of the lead is suggested once, and a field that
cannot hold such values is not suggested at all. English and Norwegian names are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.base import SchemaField
from mappings.lead import LeadShape
from mappings.lint import WIDE
from mappings.transforms import TRANSFORMS

NAMES: Mapping[str, str] = {
    "first_name": "first name, firstname, given name, forename, fornavn",
    "last_name": "last name, lastname, surname, family name, etternavn, slektsnavn",
    "name": "name, full name, navn, fullt navn, kontaktnavn, kontaktperson",
    "email": "email, e mail, mail, email address, mail address, epost, e post, epostadresse, e postadresse",
    "emails": "additional emails, other emails, further emails, andre eposter, flere eposter, andre epostadresser",
    "phone": "phone, phone number, telephone, tel, tlf, telefon, telefonnummer, telefonnr, work phone, business phone",
    "mobile": "mobile, mobile phone, mobile number, cell phone, cell, mob, mobil, mobilnummer, mobilnr, mobiltelefon",
    "company": "company, company name, organisation, organization, organisation name, organization name, account name, "
    "employer, firma, firmanavn, bedrift, bedriftsnavn, selskap, organisasjon, arbeidsgiver, virksomhet, kunde",
    "organisation_number": "organisation number, organization number, org number, org no, orgno, orgnr, org nr, "
    "organisasjonsnummer, organisasjonsnr, foretaksnummer, company number, registration number, vat number",
    "company_domain": "company domain, domain, domain name, website, web site, web, homepage, url, website url, "
    "domene, nettsted, nettside, hjemmeside, webside",
    "title": "title, job title, jobtitle, position, role, tittel, stilling, stillingstittel, rolle",
    "street": "street, street address, address, address line 1, mailing street, adresse, gateadresse, gate, "
    "postadresse, besøksadresse",
    "postcode": "postcode, post code, postal code, zip, zip code, zipcode, postnr, postnummer, post nr",
    "city": "city, town, by, sted, poststed, mailing city",
    "region": "region, state, county, province, state province, fylke, kommune, område",
    "country": "country, country name, country code, land, landkode, mailing country",
    "language": "language, preferred language, locale, språk, foretrukket språk, målform",
    "owner": "owner, contact owner, lead owner, account manager, sales rep, eier, ansvarlig, selger, kundeansvarlig, "
    "kontakteier, saksbehandler",
    "stage": "stage, lifecycle stage, lead stage, livssyklus, livssyklusfase, fase, stadium",
    "lead_status": "lead status, status, contact status, leadstatus, kundestatus",
    "source": "source, lead source, original source, kilde, leadkilde, opprinnelse, kanal",
    "campaign": "campaign, campaign name, utm campaign, kampanje, kampanjenavn",
    "tags": "tags, labels, keywords, interests, stikkord, merkelapper, emneord, interesser, tagger",
    "consent.email": "email consent, newsletter, email opt in, marketing consent, newsletter consent, nyhetsbrev, "
    "samtykke, samtykke epost, epostsamtykke, email permission, samtykke til epost",
    "consent.phone": "phone consent, phone opt in, samtykke telefon, telefonsamtykke",
    "consent.sms": "sms consent, sms opt in, samtykke sms, smssamtykke",
}
"""What the fields of the lead are called elsewhere."""

_REFUSALS: Mapping[str, str] = {
    "consent.email": "email opt out, has opted out of email, opted out of email, unsubscribed, do not email, avmeldt, "
    "reservert, reservert mot epost, ønsker ikke epost, avmeldt nyhetsbrev",
    "consent.phone": "do not call, phone opt out, reservert mot telefon, ønsker ikke telefon",
    "consent.sms": "sms opt out, do not text, reservert mot sms",
}
"""Boxes that are ticked for people who have said no."""

_SAYS_NOTHING = frozenset(
    {"contact", "person", "lead", "customer", "primary", "main", "our", "the", "s", "custom", "field"}
    | {"kontakt", "kontaktens", "kunde", "kundens", "person", "personens", "hoved", "felt"}
)
"""Words that stand around a name and tell nothing."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`lead`: what it probably is; `line`: what to write in a mapping file."""

    lead: str
    line: str


def suggest(fields: Sequence[SchemaField], mapped: Collection[str], shape: LeadShape) -> dict[str, Suggestion]:
    """Native name → what it probably is. `mapped`: the fields of the lead that this object maps already, and the native
    names that it uses."""
    best: dict[str, tuple[tuple[int, float, int], SchemaField, Suggestion]] = {}
    for order, each in enumerate(fields):
        if each.name in mapped:
            continue
        for score, lead, how in _meanings(each, shape):
            if not set(_filled(lead, shape)).isdisjoint(mapped):
                continue
            rank = (score, each.filled or 0.0, -order)
            if lead not in best or rank > best[lead][0]:
                best[lead] = (rank, each, Suggestion(lead, _line(lead, each, how)))
    found: dict[str, Suggestion] = {}
    taken: set[str] = set()
    # The surest first: a native field is one thing, and the whole name is not wanted beside its halves.
    for lead, (_, each, suggestion) in sorted(best.items(), key=lambda item: item[1][0], reverse=True):
        filled = _filled(lead, shape)
        if each.name not in found and taken.isdisjoint(filled):
            found[each.name] = suggestion
            taken.update(filled)
    return found


def _filled(lead: str, shape: LeadShape) -> tuple[str, ...]:
    """The fields of the lead that a line fills."""
    return shape.groups["name"] if lead == "name" else (lead,)


def _meanings(field: SchemaField, shape: LeadShape) -> Iterator[tuple[int, str, str]]:
    """(how sure, field of the lead, transform) for everything that a native field may be."""
    called = {_words(field.name), _words(field.label)}
    loosely = {_bare(each) for each in called} - {""}
    for lead, how, names in _known(shape):
        if field.type not in TRANSFORMS[how].fits or (how in ("text", "choice") and field.type in _NO_WORDS):
            continue
        if called & names:
            yield 3, lead, how
        elif loosely & names:
            yield 2, lead, how
        elif lead == "email" and field.type == "email":
            yield 1, lead, how


_NO_WORDS = frozenset({"boolean", "date", "datetime"})
"""They can be told in words, and hardly are a name or a city."""


def _known(shape: LeadShape) -> Iterator[tuple[str, str, frozenset[str]]]:
    for lead, said in _REFUSALS.items():
        yield lead, "opt_out_box", _set(said)
    for lead, said in NAMES.items():
        field = shape.field(lead)
        if lead == "name":
            yield lead, "full_name", _set(said)
        elif lead == "postcode":
            yield lead, "postcode", _set(said)
        elif field is not None:
            yield lead, "consent_word" if field.type == "consent" else field.type, _set(said)
    for lead in shape.names():
        field = shape.field(lead)
        if lead not in NAMES and field is not None:
            yield lead, field.type, frozenset({_words(lead)})


def _set(names: str) -> frozenset[str]:
    return frozenset(_words(each) for each in names.split(","))


_MADE = re.compile(r"__c\Z", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])")
_LETTERS = re.compile(r"[a-zæøåäöü0-9]+")


def _words(name: str) -> str:
    """A name in small letters, a blank between its words: FirstName, first_name and "First name:" are the same."""
    return " ".join(_LETTERS.findall(_HUMP.sub(" ", _MADE.sub("", name)).casefold()))


def _bare(words: str) -> str:
    return " ".join(each for each in words.split() if each not in _SAYS_NOTHING)


def _line(lead: str, field: SchemaField, how: str) -> str:
    """A line of a mapping file."""
    transform = TRANSFORMS[how]
    usual = how not in ("full_name", "postcode", "opt_out_box", "consent_word")
    more = [] if usual else [f"as: {how}"]
    if lead == "email":
        more.append("slot: true")
    if field.read_only:
        more.append("direction: in")
    elif not field.options and field.length is not None and field.length < WIDE and "length" in transform.takes:
        more.append(f"length: {field.length}")
    if how in ("choice", "stage", "consent_word") and field.options:
        more.append(f"options: {{{', '.join(_options(field))}}}")
    remote = _quoted(field.name)
    return f"{lead}: {{{', '.join([f'remote: {remote}', *more])}}}" if more else f"{lead}: {remote}"


def _options(field: SchemaField) -> Iterable[str]:
    """The words over there; what each means is for a person to say."""
    return (f"{_quoted(each.value)}: …" for each in field.options or ())


_PLAIN = re.compile(r"[A-Za-zÆØÅæøå_][\wÆØÅæøå. -]*(?<! )\Z")
_READ_OTHERWISE = frozenset({"true", "false", "null"})


def _quoted(name: str) -> str:
    if _PLAIN.match(name) and name.casefold() not in _READ_OTHERWISE:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
