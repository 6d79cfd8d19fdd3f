"""Many spellings, one normal form."""

from __future__ import annotations

import datetime
import unicodedata
from collections import Counter
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Value
from mappings import forms
from mappings.forms import Unreadable
from mappings.lead import Canon

Table = list[tuple[Value, Canon]]

TEXTS: Table = [
    (None, None),
    ("", None),
    (" \u00a0\t\n", None),
    ("  Åse ", "Åse"),
    (unicodedata.normalize("NFD", "Ødegård Åsæ"), "Ødegård Åsæ"),
    ("Storgata\u00a01", "Storgata 1"),
    ("to  ord", "to  ord"),
    (7, "7"),
    (True, "true"),
    (False, "false"),
]
EMAILS: Table = [
    (" Kari.Nordmann@Example.COM ", "kari.nordmann@example.com"),
    ("post+nyhet@sub.example.org", "post+nyhet@sub.example.org"),
    ("o'brien@example.com", "o'brien@example.com"),
    ("åse@example.com", "åse@example.com"),
    ("POST@BLÅBÆR.example.com", "post@blåbær.example.com"),
    ("post@xn--blbr-roah.example.com", "post@blåbær.example.com"),
    (None, None),
    ("  ", None),
]
NO_EMAILS = ["kari", "kari@", "@example.com", "kari@@example.com", "kari@example", "a b@example.com", "k.@example.com"]

PHONES: list[tuple[str, str, str]] = [
    *(
        (each, "NO", "+4722334455")
        for each in (
            "22334455",
            "22 33 44 55",
            "22.33.44.55",
            "22-33-44-55",
            "(22) 33 44 55",
            "+4722334455",
            "+47 22 33 44 55",
            "+47 (0)22 33 44 55",
            "(+47) 22 33 44 55",
            "0047 22334455",
            "00 47 22 33 44 55",
            "4722334455",
            "47 22 33 44 55",
            "tlf: 22 33 44 55",
            "２２３３４４５５",
            "22\u00a033\u00a044\u00a055",
        )
    ),
    ("912 34 567", "NO", "+4791234567"),
    ("02800", "NO", "+4702800"),
    ("815 00 123", "NO", "+4781500123"),
    ("22 33 44 55 ext. 12", "NO", "+4722334455;ext=12"),
    ("+46 70-123 45 67", "NO", "+46701234567"),
    ("070-123 45 67", "SE", "+46701234567"),
    ("20 12 34 56", "DK", "+4520123456"),
    # what is no number here stays as people wrote it
    ("070-123 45 67", "NO", "070-123 45 67"),
    ("22334455 etter kl 16", "NO", "22334455 etter kl 16"),
    ("22334455 / 91234567", "NO", "22334455 / 91234567"),
    ("sentralbord", "NO", "sentralbord"),
    ("112", "NO", "112"),
    ("8.0E7", "NO", "8.0E7"),
]
COUNTRIES: Table = [
    *((each, "NO") for each in ("NO", "no", "NOR", "578", "Norge", "NORGE", "Noreg", "Norway", " norway ", "Norwegen")),
    *((each, "SE") for each in ("Sverige", "Sweden", "Schweden", "SWE", "se")),
    *((each, "DK") for each in ("Danmark", "Denmark", "DNK")),
    *((each, "GB") for each in ("UK", "Storbritannia", "United Kingdom", "England", "Scotland", "GBR")),
    *((each, "US") for each in ("USA", "U.S.A.", "United States", "United States of America", "De forente stater")),
    *((each, "DE") for each in ("Tyskland", "Germany", "Deutschland")),
    *((each, "NL") for each in ("Nederland", "The Netherlands", "Holland")),
    *((each, "CZ") for each in ("Tsjekkia", "Czechia", "Czech Republic")),
    *((each, "TR") for each in ("Tyrkia", "Turkey", "Türkiye")),
    ("Island", "IS"),
    ("Færøyene", "FO"),
    ("Færøerne", "FO"),
    (unicodedata.normalize("NFD", "Færøyene"), "FO"),
    ("Langtvekkistan", "Langtvekkistan"),
    ("EU", "EU"),
    (None, None),
]
LANGUAGES: Table = [
    *((each, "nb") for each in ("nb", "no", "NO", "nb-NO", "nb_NO", "Norwegian", "norsk", "Norsk bokmål", "no-no")),
    *((each, "nn") for each in ("nn", "nynorsk", "nn-NO")),
    *((each, "sv") for each in ("sv", "svensk", "Swedish", "sv-SE")),
    *((each, "en") for each in ("en", "engelsk", "English", "en-GB", "en_us")),
    ("klingonsk", "klingonsk"),
    (None, None),
]
ORGANISATIONS: Table = [
    *(
        (each, "923609016")
        for each in ("923609016", "923 609 016", "923.609.016", "NO 923609016 MVA", "NO923609016MVA", "no-923609016")
    ),
    ("923 609 017", "923 609 017"),  # the check digit is wrong: not this company's number
    ("556703-7485", "556703-7485"),
    ("９２３６０９０１６", "９２３６０９０１６"),
    (None, None),
]
DOMAINS: Table = [
    *(
        (each, "example.com")
        for each in (
            "example.com",
            "EXAMPLE.com",
            "www.example.com",
            "https://www.example.com/om-oss?a=1#b",
            "http://example.com:8080",
            "//www.example.com",
            "www.www.example.com",
            "example.com.",
            "kari@example.com",
            "https://user:word@www.example.com/",
        )
    ),
    ("www.no", "www.no"),
    ("blåbær.example.com", "blåbær.example.com"),
    ("ingen", "ingen"),
    ("-", "-"),
    (None, None),
]
DATES: Table = [
    *(
        (each, "2026-03-01")
        for each in ("2026-03-01", "2026-03-01T10:30:00Z", "2026-03-01 10:30", "1.3.2026", "01.03.2026", "20260301")
    ),
    ("1772323200000", "2026-03-01"),
    ("-62135596800", "1968-01-12"),
    (None, None),
    ("", None),
]
NO_DATES = ["3/1/26", "1.3.26", "2026-02-30", "31.02.2026", "i morgen", "-99999999999999", "46082"]
MOMENTS: Table = [
    ("2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00.000Z"),
    ("2026-03-01T09:30:00.123456Z", "2026-03-01T09:30:00.123Z"),
    ("2026-03-01T09:30:00.000+0000", "2026-03-01T09:30:00.000Z"),
    ("1772357400000", "2026-03-01T09:30:00.000Z"),
    (None, None),
]
NO_MOMENTS = ["2026-03-01T10:30:00", "2026-03-01", "nå", "0001-01-01T00:00:00+05:00", "-99999999999999"]
INTEGERS: Table = [("5", 5), ("-5", -5), ("5.0", 5), (" 5 ", 5), ("1E3", 1000), (5, 5), (None, None), ("", None)]
NO_INTEGERS = ["5.5", "fem", "Infinity", "NaN", "sNaN", "1E999999999", "9" * 200]
DECIMALS: Table = [
    ("1.50", "1.5"),
    ("100", "100"),
    ("1E2", "100"),
    ("0.10", "0.1"),
    ("-0.0", "0"),
    ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    (7, "7"),
    (None, None),
]
NO_DECIMALS = ["1,5", "en", "Infinity", "NaN", "1E999999999", "1E-999999999"]
BOOLEANS: Table = [
    *((each, True) for each in (True, "true", "TRUE", "SANN", "Ja", "ja", "x", "1", 1, "Yes")),
    *((each, False) for each in (False, "false", "USANN", "Nei", "0", 0, "no")),
    (None, None),
    ("  ", None),
]


def table(form: Callable[[Value], Canon], cases: Table) -> list[object]:
    return [pytest.param(form, value, wanted, id=f"{form.__name__}-{value!r}") for value, wanted in cases]


@pytest.mark.parametrize(
    ("form", "value", "wanted"),
    [
        *table(forms.text, TEXTS),
        *table(forms.email, EMAILS),
        *table(forms.country, COUNTRIES),
        *table(forms.language, LANGUAGES),
        *table(forms.organisation_number, ORGANISATIONS),
        *table(forms.domain, DOMAINS),
        *table(forms.date, DATES),
        *table(forms.moment, MOMENTS),
        *table(forms.integer, INTEGERS),
        *table(forms.decimal, DECIMALS),
        *table(forms.boolean, BOOLEANS),
    ],
)
def test_spellings_of_one_fact_have_one_normal_form(
    form: Callable[[Value], Canon], value: Value, wanted: Canon
) -> None:
    found = form(value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(("value", "region", "wanted"), PHONES)
def test_a_phone_number_is_e164_whatever_its_spelling(value: str, region: str, wanted: str) -> None:
    assert forms.phone_number(value, region) == wanted


@pytest.mark.parametrize(
    ("form", "value"),
    [
        *((forms.email, each) for each in NO_EMAILS),
        *((forms.date, each) for each in NO_DATES),
        *((forms.moment, each) for each in NO_MOMENTS),
        *((forms.integer, each) for each in NO_INTEGERS),
        *((forms.decimal, each) for each in NO_DECIMALS),
        (forms.boolean, "kanskje"),
        (forms.text, ["a"]),
        (forms.text, {"items": ["a"], "partial": True}),
    ],
)
def test_what_would_have_to_be_guessed_is_unreadable_and_is_not_repeated(
    form: Callable[[Value], Canon], value: Value
) -> None:
    with pytest.raises(Unreadable) as caught:
        form(value)
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "region", "wanted"),
    [
        ("150", "NO", "0150"),
        ("0150", "NO", "0150"),
        ("10", "NO", "0010"),
        ("150", "IS", "150"),
        ("SW1A 1AA", "NO", "SW1A 1AA"),
        ("12345", "NO", "12345"),
        (None, "NO", None),
    ],
)
def test_a_norwegian_postcode_gets_its_zeros_back(value: Value, region: str, wanted: Canon) -> None:
    assert forms.postcode(value, region) == wanted


def test_every_country_is_known_by_its_code_and_by_its_names_in_five_languages() -> None:
    codes = [code for code in phonenumbers.SUPPORTED_REGIONS if forms.is_country(code)]
    assert len(codes) > 200
    for code in codes:
        assert forms.country(code) == code
        for language in ("en", "nb", "sv", "da", "de"):
            assert forms.country(forms.country_name(code, language)) == code


@pytest.mark.parametrize("code", ["EU", "UN", "ZZ", "XA", "001", "150", "Langtvekkistan"])
def test_what_is_no_country_keeps_its_text(code: str) -> None:
    assert not forms.is_country(code)
    assert forms.country_name(code, "en") == code


# What people and systems really write, around which chance then varies.
SEEDS = [
    *(value for cases in (TEXTS, EMAILS, COUNTRIES, LANGUAGES, ORGANISATIONS, DOMAINS) for value, _ in cases),
    *(value for cases in (DATES, MOMENTS, INTEGERS, DECIMALS, BOOLEANS) for value, _ in cases),
    *(value for value, _, _ in PHONES),
]
NATIVE = st.one_of(
    st.sampled_from(SEEDS),
    st.text(max_size=40),
    st.tuples(st.text(" \u00a0.-+/:@;w", max_size=4), st.sampled_from(SEEDS)).map(
        lambda two: f"{two[0]}{two[1] or ''}"
    ),
    st.emails(),
    st.datetimes().map(str),
    st.integers(),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.booleans(),
    st.none(),
)
ZONES = [datetime.timezone(datetime.timedelta(minutes=each)) for each in (-720, -210, 0, 60, 345, 840)]
MOMENT = st.datetimes(timezones=st.sampled_from(ZONES)).map(lambda each: each.isoformat())


def varied(own: list[Value]) -> st.SearchStrategy[Value]:
    """These, and the same in another case and with blanks around them."""
    blanks = st.text(" \t\u00a0\n", max_size=4)

    def spell(parts: tuple[str, Value, str, str]) -> Value:
        before, value, after, how = parts
        if not isinstance(value, str):
            return value
        return before + {"as it is": value, "upper": value.upper(), "lower": value.lower()}[how] + after

    return st.tuples(blanks, st.sampled_from(own), blanks, st.sampled_from(["as it is", "upper", "lower"])).map(spell)


FORMS: dict[str, tuple[Callable[[Value], Canon], list[Value]]] = {
    "text": (forms.text, [value for value, _ in TEXTS]),
    "email": (forms.email, [value for value, _ in EMAILS]),
    "country": (forms.country, [value for value, _ in COUNTRIES]),
    "language": (forms.language, [value for value, _ in LANGUAGES]),
    "organisation number": (forms.organisation_number, [value for value, _ in ORGANISATIONS]),
    "domain": (forms.domain, [value for value, _ in DOMAINS]),
    "date": (forms.date, [value for value, _ in DATES]),
    "datetime": (forms.moment, [value for value, _ in MOMENTS]),
    "integer": (forms.integer, [value for value, _ in INTEGERS]),
    "decimal": (forms.decimal, [value for value, _ in DECIMALS]),
    "boolean": (forms.boolean, [value for value, _ in BOOLEANS]),
    "postcode": (lambda value: forms.postcode(value, "NO"), ["150", "0150", "SW1A 1AA", None]),
    **{
        f"phone in {region}": (
            lambda value, region=region: forms.phone_number(value, region) if isinstance(value, str) else None,
            [*(value for value, _, _ in PHONES), None],
        )
        for region in ("NO", "SE", "US")
    },
}


@pytest.mark.parametrize("name", FORMS)
def test_a_normal_form_is_its_own_normal_form(name: str) -> None:
    form, own = FORMS[name]
    reached: Counter[str] = Counter()

    @settings(max_examples=80, deadline=None, database=None)
    @given(st.integers(0, 3).flatmap(lambda which: [NATIVE, varied(own), varied(own), MOMENT][which]))
    def law(value: Value) -> None:
        try:
            once = form(value)
        except Unreadable:
            reached["unreadable"] += 1
            return
        reached["empty" if once is None else "changed" if once != value else "same"] += 1
        assert form(once) == once
        assert type(form(once)) is type(once)

    law()
    assert reached["same"] + reached["changed"] >= 15, reached
    assert reached["empty"] >= 1, reached
