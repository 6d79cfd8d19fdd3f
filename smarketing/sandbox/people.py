"""People who do not exist, made from a seed: the same seed tells the same people, whatever they are put into.

Names and streets come from Faker; addresses end in reserved domains, and phone numbers are of a range that Ofcom keeps
for fiction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyascii import anyascii

if TYPE_CHECKING:
    from faker import Faker

DOMAINS = ("example.com", "example.org", "example.net")
LOCALES = ("no_NO", "sv_SE", "en_GB")
COUNTRIES = {"no_NO": "Norway", "sv_SE": "Sweden", "en_GB": "United Kingdom"}
TITLES = ("CEO", "Head of Sales", "Marketing Manager", "Accountant", "Developer", "Project Manager", "Buyer")
STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")


class FakerMissing(Exception):
    """The package that makes up names is not installed."""


@dataclass(frozen=True, slots=True)
class Person:
    """`country` is its English name, `phone` the number with its country; `stage` in HubSpot's words."""

    first: str
    last: str
    email: str
    phone: str
    company: str
    title: str
    street: str
    postcode: str
    city: str
    country: str
    stage: str


def fakers(seed: int) -> dict[str, Faker]:
    """One source of names for each locale. Raises FakerMissing."""
    try:
        from faker import Faker
    except ImportError:
        raise FakerMissing from None
    found = {}
    for locale in LOCALES:
        found[locale] = Faker(locale)
        found[locale].seed_instance(seed)
    return found


def people(seed: int, count: int) -> Iterator[Person]:
    """So many different people. Raises FakerMissing."""
    sources = fakers(seed)
    chance: Any = sources[LOCALES[0]].random
    for number in range(count):
        locale = chance.choice(LOCALES)
        source = sources[locale]
        first, last = source.first_name(), source.last_name()
        yield Person(
            first,
            last,
            f"{mailbox(first)}.{mailbox(last)}.{number}@{chance.choice(DOMAINS)}",
            f"+442079460{number % 1000:03d}",
            source.company(),
            chance.choice(TITLES),
            source.street_address().replace("\n", ", "),
            source.postcode(),
            source.city(),
            COUNTRIES[locale],
            chance.choice(STAGES),
        )


def mailbox(name: str) -> str:
    """A name as it stands in an e-mail address."""
    return "".join(each for each in anyascii(name).lower() if each.isalnum())


def in_three_ways(phone: str) -> tuple[str, str, str]:
    """A number with its country as people type it: with a plus, with two noughts, in groups."""
    digits = phone.removeprefix("+")
    return phone, f"00{digits}", f"(+{digits[:2]}) {digits[2:4]} {digits[4:8]} {digits[8:]}"
