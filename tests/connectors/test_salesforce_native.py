"""How Salesforce spells things."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from connectors.salesforce.native import ADDRESS_ROOM, at_path, chunks, instant, listed, literal, long_id, plain, quoted


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("00QAAAAAAAAAAAA", "00QAAAAAAAAAAAA255"),
        ("00Q000000000001", "00Q000000000001EAA"),
        ("001A0000006Vm9rIAC", "001A0000006Vm9rIAC"),
    ],
)
def test_a_short_id_gets_the_suffix_that_tells_its_case(short: str, long: str) -> None:
    assert long_id(short) == long


@pytest.mark.parametrize(
    ("text", "soql"),
    [
        ("ola@example.com", "'ola@example.com'"),
        ("o'neil@example.com", r"'o\'neil@example.com'"),
        ("a\\' OR Id != '", r"'a\\\' OR Id != \''"),
        ("two\nlines", r"'two\nlines'"),
    ],
)
def test_a_value_cannot_leave_its_soql_literal(text: str, soql: str) -> None:
    assert quoted(text) == soql


@pytest.mark.parametrize(
    ("told", "same"),
    [
        ("3.5E8", "350000000"),
        ("350000000.0", "350000000"),
        ("1234.50", "1234.5"),
        ("0.10", "0.1"),
        ("-0.0", "0"),
        ("123456789012345678.25", "123456789012345678.25"),
    ],
)
def test_equal_decimals_are_equal_text_and_exact(told: str, same: str) -> None:
    assert plain(told) == same


def test_instants_go_to_microseconds_and_back_to_a_soql_literal() -> None:
    at = instant("2024-01-15T10:20:30.123+0000")
    assert at == 1_705_314_030_123_000
    assert literal(at + 999) == "2024-01-15T10:20:30.123Z"
    assert instant("2024-01-15T12:20:30.123+0200") == at


@pytest.mark.parametrize(
    ("row", "path", "there", "value"),
    [
        ({"Email": None}, "Email", True, None),
        ({}, "Email", False, None),
        ({"Account": None}, "Account.Name", True, None),
        ({"Account": {"attributes": {}, "Name": "Example"}}, "Account.Name", True, "Example"),
        ({"Account": {"attributes": {}}}, "Account.Name", False, None),
        ({"At": "2024-01-15T12:20:30.123+0200"}, "At", True, "2024-01-15T10:20:30.123+0000"),
        ({"At": "2024-01-15T10:20:30.123+0000"}, "At", True, "2024-01-15T10:20:30.123+0000"),
        ({"Place": {"city": "Oslo", "attributes": {}}}, "Place", True, {"city": "Oslo"}),
    ],
)
def test_a_missing_key_is_unknown_and_a_missing_relation_is_empty(
    row: dict[str, object], path: str, there: bool, value: object
) -> None:
    assert at_path(row, path) == (there, value)


def test_chunks_hold_every_value_and_fit_into_an_address() -> None:
    values = [f"{'x' * (n % 60)}+{n}'@example.com" for n in range(2000)]
    taken = "SELECT Id FROM Lead WHERE Email IN ()"
    parts = list(chunks(values, taken))
    assert [each for part in parts for each in part] == values
    assert len(parts) > 1
    assert all(len(quote_plus(taken + listed(part))) <= ADDRESS_ROOM + 10 for part in parts)


def test_a_value_larger_than_the_room_still_goes_alone() -> None:
    assert list(chunks(["a", "b" * ADDRESS_ROOM, "c"], "")) == [["a"], ["b" * ADDRESS_ROOM], ["c"]]
