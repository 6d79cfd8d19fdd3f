"""Owners who left: read as their successors, never written, and a mapping that knows it is another one."""

from __future__ import annotations

import pytest

from mappings.lead import LeadShape
from mappings.mapping import compile_mapping
from mappings.objects import ObjectMapping
from mappings.owners import OwnersError, followed

SHAPE = LeadShape({"second_owner": "owner", "keeper": "text"})
LEFT = {"ola@example.com": "kari@example.com"}


def mapped(heirs: dict[str, str] | None = None, **lines: object) -> ObjectMapping:
    fields = lines or {"owner": "owner", "email": {"remote": "mail", "slot": True}}
    return compile_mapping({"objects": {"person": {"fields": fields}}}, SHAPE, heirs=heirs).objects["person"]


def test_an_owner_who_left_is_read_as_the_successor() -> None:
    assert mapped(LEFT).read({"owner": "Ola@example.com"}) == {"owner": "kari@example.com"}


def test_an_owner_who_is_still_there_is_read_as_such() -> None:
    assert mapped(LEFT).read({"owner": "per@example.com"}) == {"owner": "per@example.com"}
    assert mapped(LEFT).read({"owner": None}) == {"owner": None}


def test_an_owner_who_left_is_never_written() -> None:
    assert mapped(LEFT).write("owner", "ola@example.com") == {"owner": "kari@example.com"}
    assert mapped(LEFT).write("owner", None) == {"owner": None}


def test_what_is_written_for_an_owner_who_left_is_what_is_read_back() -> None:
    assert mapped(LEFT).round("owner", "ola@example.com") == "kari@example.com"


def test_a_lead_keeps_its_own_address_though_an_owner_of_that_address_left() -> None:
    person = mapped(LEFT)
    assert person.read({"mail": "ola@example.com"}) == {"email": "ola@example.com"}
    assert person.write("email", "ola@example.com") == {"mail": "ola@example.com"}


def test_every_field_of_the_kind_owner_follows_and_no_other() -> None:
    person = mapped(LEFT, second_owner="second", keeper="keeper")
    read = person.read({"second": "ola@example.com", "keeper": "ola@example.com"})
    assert read == {"second_owner": "kari@example.com", "keeper": "ola@example.com"}


def test_owners_with_words_of_their_own_follow_too() -> None:
    line = {"remote": "who", "as": "choice", "options": {"OD": "ola@example.com", "KN": "kari@example.com"}}
    person = mapped(LEFT, owner=line)
    assert person.read({"who": "OD"}) == {"owner": "kari@example.com"}
    assert person.write("owner", "ola@example.com") == {"who": "KN"}


def test_the_digest_of_the_owner_changes_with_the_successors_and_no_other() -> None:
    plain, left, other = (mapped(each).digests() for each in (None, LEFT, {"ola@example.com": "per@example.com"}))
    assert len({plain["owner"], left["owner"], other["owner"]}) == 3
    assert plain["email"] == left["email"] == other["email"]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, {}),
        ({"Ola@Example.com": "Kari@example.com"}, {"ola@example.com": "kari@example.com"}),
        (
            {"a@example.com": "b@example.com", "b@example.com": "c@example.com"},
            {"a@example.com": "c@example.com", "b@example.com": "c@example.com"},
        ),
    ],
)
def test_whoever_follows_the_successor_follows_the_first(said: dict[str, str], wanted: dict[str, str]) -> None:
    assert followed(said) == wanted


@pytest.mark.parametrize(
    ("said", "address", "text"),
    [
        ({"a@example.com": "A@example.com"}, "a@example.com", "leads back"),
        ({"a@example.com": "b@example.com", "b@example.com": "a@example.com"}, "a@example.com", "leads back"),
        ({"x@example.com": "a@example.com", "a@example.com": "b@example.com", "b@example.com": "a@example.com"}, "x@example.com", "leads back"),
        ({"a@example.com": "b@example.com", "A@example.com": "c@example.com"}, "A@example.com", "the same address"),
        ({"a@b@example.com": "c@example.com"}, "a@b@example.com", "two e-mail addresses"),
    ],
)  # fmt: skip
def test_successors_that_lead_nowhere_are_refused(said: dict[str, str], address: str, text: str) -> None:
    with pytest.raises(OwnersError, match=text) as caught:
        followed(said)
    assert caught.value.address == address
