"""Ordinary numbers are read without asking the library: it must come to the same."""

from __future__ import annotations

import random
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from mappings import forms

WITHOUT_PREFIX = ("NO", "DK", "PL", "ES", "IT", "PT", "SJ", "IS", "EE")
WITH_PREFIX = ("SE", "FI", "DE", "GB", "NL", "US")


def by_the_library(value: str, region: str) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value
    known = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if known else value


def numbers(region: str, count: int) -> list[str]:
    """Of every length there is, many of them near a number that exists, some with the calling code in front."""
    chance = random.Random(region)
    about: Any = PhoneMetadata.metadata_for_region(region)
    lengths = sorted(length for length in about.general_desc.possible_length if length > 0)
    made = []
    for _ in range(count):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.choice(lengths)))
        near = chance.choice([about.mobile.example_number, about.fixed_line.example_number])
        if near and chance.random() < 0.5:
            digits = near[:-4] + f"{chance.randrange(10_000):04}"
        made.append(chance.choice(["", f"+{about.country_code}", "00", str(about.country_code)]) + digits)
    return made


@pytest.mark.parametrize("region", [*WITHOUT_PREFIX, *WITH_PREFIX])
def test_a_number_is_what_the_library_says_it_is(region: str) -> None:
    told = numbers(region, 400)
    assert {each: forms.phone_number(each, region) for each in told} == {
        each: by_the_library(each, region) for each in told
    }


@pytest.mark.parametrize("region", ["NO", "DK", "PL", "ES"])
def test_most_numbers_need_no_library_where_nothing_is_dialled_in_front(region: str) -> None:
    plain = forms._plain_numbers(region)
    assert plain is not None
    valid = [each for each in numbers(region, 400) if by_the_library(each, region).startswith("+") and each[:2] != "00"]
    assert sum(plain[1].match(each) is not None for each in valid) > len(valid) / 2


@pytest.mark.parametrize("region", WITH_PREFIX)
def test_where_a_prefix_is_dialled_the_library_is_asked(region: str) -> None:
    assert forms._plain_numbers(region) is None


def test_what_only_looks_like_a_number_stays_as_it_is() -> None:
    assert forms.phone_number("12345678", "NO") == "12345678"
    assert forms.phone_number("+4712345678", "NO") == "+4712345678"
    assert forms.phone_number("22334455\n", "NO") == "+4722334455", "the library knows what to leave out"
