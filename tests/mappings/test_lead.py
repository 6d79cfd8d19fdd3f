"""The lead's shape: its fields, what moves together, and what a configuration may add."""

from __future__ import annotations

import pytest

from mappings.lead import Canon, LeadShape, channel, covers, is_consent, is_empty


def test_fields_that_mean_one_thing_move_together() -> None:
    shape = LeadShape()
    assert shape.members("name") == ("first_name", "last_name")
    assert shape.members("address") == ("street", "postcode", "city", "region", "country")
    assert shape.members("company") == ("company", "organisation_number", "company_domain")
    assert shape.members("phone") == ("phone",)
    assert shape.members("consent.email") == ("consent.email",)


def test_a_group_of_one_is_called_like_its_field() -> None:
    shape = LeadShape({"score": "integer"})
    for name in shape.names():
        field = shape.field(name)
        assert field is not None
        assert name in shape.members(field.group)
        if len(shape.members(field.group)) == 1:
            assert field.group == name


def test_a_configuration_adds_fields_of_known_types() -> None:
    field = LeadShape({"score": "integer"}).field("score")
    assert field is not None
    assert (field.type, field.group, field.text) == ("integer", "score", "score")


@pytest.mark.parametrize(
    "custom",
    [{"email": "text"}, {"consent": "text"}, {"consent_x": "text"}, {"a": "txt"}, {"a": "consent"}, {"a": "stage"}],
)
def test_a_field_that_is_taken_or_of_no_type_is_refused(custom: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"already|no type"):
        LeadShape(custom)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("consent.email", True),
        ("consent.email.newsletter", True),
        ("consent.email.news_2-b", True),
        ("consent", False),
        ("consent.Email", False),
        ("consent.email.a.b", False),
        ("consent.", False),
        ("nobody", False),
    ],
)
def test_a_consent_cell_names_a_channel_and_perhaps_a_purpose(name: str, there: bool) -> None:
    found = LeadShape().field(name)
    assert (found is not None) is there
    if found is not None:
        assert (found.type, found.group) == ("consent", name)
        assert is_consent(found.group)
        assert channel(name) == "email"


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        ("consent.email", "consent.email", True),
        ("consent.email", "consent.email.news", True),
        ("consent.email.news", "consent.email", False),
        ("consent.email", "consent.phone", False),
        ("consent.mail", "consent.mailing", False),
    ],
)
def test_a_no_covers_what_is_inside_it(wide: str, narrow: str, does: bool) -> None:
    assert covers(wide, narrow) is does


@pytest.mark.parametrize(
    ("value", "empty"),
    [
        (None, True),
        ([], True),
        ({}, True),
        ({"a": None}, True),
        ("", False),
        (False, False),
        (0, False),
        (["a"], False),
        ({"a": None, "b": 0}, False),
    ],
)
def test_nothing_known_is_told_from_a_value(value: Canon, empty: bool) -> None:
    assert is_empty(value) is empty
