"""What a cell says, and what may stand in one."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.spreadsheet.cells import (
    LONGEST,
    Damage,
    Unfit,
    guard,
    is_number,
    of_date,
    of_text,
    of_value,
    to_moment,
    to_text,
    unguard,
)

DANGEROUS = "=+-@\t\r"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Åse", "Åse"),
        ("  \u00a0Åse\u202f\ufeff ", "Åse"),
        ("", None),
        (" \u00a0\u200b ", None),
        ("to\r\nlinjer\rog\nen", "to\nlinjer\nog\nen"),
        ("4,79123E+09", Damage.SCIENTIFIC),
        ("4.79123E+09", Damage.SCIENTIFIC),
        ("9E+15", Damage.SCIENTIFIC),
        ("E+B Handel", "E+B Handel"),
        ("0150", "0150"),
        ("12345678901234567", "12345678901234567"),
        ("123456789012345000", Damage.ROUNDED),
        ("#DIV/0!", Damage.ERROR),
        ("#I/T", Damage.ERROR),
        ("#VERDI!", Damage.ERROR),
        ("########", Damage.ERROR),
        ("#1 i bransjen", "#1 i bransjen"),
        ("SANN", "SANN"),
        ("None", "None"),
    ],
)
def test_a_text_cell_says_what_it_shows_unless_a_program_has_damaged_it(text: str, said: object) -> None:
    assert of_text(text) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (4791234567.0, "4791234567"),
        (923609016.0, "923609016"),
        (0.25, "0.25"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (-3.0, "-3"),
        (999_999_999_999_999.0, "999999999999999"),
        (1.23456789012345678e17, Damage.ROUNDED),
        (float("inf"), Damage.ERROR),
        (float("nan"), Damage.ERROR),
        (True, "TRUE"),
        (False, "FALSE"),
        (datetime.date(2026, 3, 1), "2026-03-01"),
        (datetime.datetime(2026, 3, 1, 10, 29, 59, 999_900), "2026-03-01T10:30:00"),
        (datetime.datetime.max, "9999-12-31T23:59:59"),
        (datetime.time(10, 30), "10:30:00"),
        (datetime.timedelta(hours=30, minutes=5), "30:05:00"),
        (datetime.timedelta(seconds=-90), "-0:01:30"),
        ("", None),
        (None, None),
        (b"bytes", Damage.ERROR),
    ],
)
def test_a_workbooks_cell_is_canonical_text(value: object, said: object) -> None:
    assert of_value(value) == said


@pytest.mark.parametrize(
    ("cell", "since_1904", "said"),
    [
        ("46082", False, "2026-03-01"),
        ("44620", True, "2026-03-01"),
        ("46082.4375", False, "2026-03-01T10:30:00"),
        ("01.03.2026", False, "2026-03-01"),
        ("1.3.2026", False, "2026-03-01"),
        ("31.02.2026", False, "31.02.2026"),
        ("3/1/26", False, "3/1/26"),
        ("01.03.26", False, "01.03.26"),
        ("2026-03-01", False, "2026-03-01"),
        ("60", False, "60"),
        ("9999999", False, "9999999"),
        ("i går", False, "i går"),
        (None, False, None),
        (Damage.ERROR, False, Damage.ERROR),
    ],
)
def test_in_a_declared_date_column_day_numbers_and_norwegian_dates_are_iso(
    cell: object, since_1904: bool, said: object
) -> None:
    assert of_date(cell, since_1904) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        (" a ", "a"),
        (True, "TRUE"),
        (False, "FALSE"),
        (42, "42"),
        ("a\tb\n", "a\tb"),
    ],
)
def test_a_value_goes_into_a_cell_as_trimmed_text(value: object, text: str | None) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("bell \x07", "control"),
        ("zero \x00", "control"),
        ("half a pair \ud83d", "control"),
        ("\uffff", "control"),
        ("x" * (LONGEST + 1), "length"),
        (["a", "b"], "type"),
        ({"items": []}, "type"),
        (1.5, "type"),
        ("4,79E+09", "unreadable"),
        ("#N/A", "unreadable"),
    ],
)
def test_a_value_that_no_cell_gives_back_is_refused_without_showing_it(value: object, code: str) -> None:
    with pytest.raises(Unfit) as refused:
        to_text(value)
    assert refused.value.code == code
    assert str(value) not in str(refused.value)


@pytest.mark.parametrize("first", list(DANGEROUS))
def test_a_text_that_could_run_as_a_formula_is_neutralised(first: str) -> None:
    assert guard(f"{first}cmd|'/c calc'!A0")[0] == "'"


@given(st.text(st.sampled_from("'=+-@＝a1 "), max_size=6).map(str.strip))
def test_the_apostrophe_comes_off_exactly_as_it_went_on(text: str) -> None:
    written = guard(text)
    assert written[:1] not in tuple(DANGEROUS)
    assert unguard(written) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20))
def test_whatever_is_let_in_reads_back_the_same(value: str) -> None:
    try:
        text = to_text(value)
    except Unfit:
        return
    assert text is None or (unguard(of_text(guard(text))) == text and of_text(text) == text)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        *((text, True) for text in ("42", "-3", "2.5", "0", "123456789012345")),
        *((text, False) for text in ("0150", "+47", "2.50", "-0", "1e5", "1234567890123456", "")),
    ],
)
def test_only_a_text_that_a_numeric_cell_gives_back_stays_a_number(text: str, yes: bool) -> None:
    assert is_number(text) is yes
    if yes:
        assert of_value(float(text)) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", datetime.date(2026, 3, 1)),
        ("2026-03-01T10:30", datetime.datetime(2026, 3, 1, 10, 30)),
        ("2026-03-01 10:30:15", datetime.datetime(2026, 3, 1, 10, 30, 15)),
        ("2026-03-01T10:30:00+02:00", None),
        ("2026-13-01", None),
        ("1899-01-01", None),
        ("20260301", None),
        ("mars", None),
    ],
)
def test_only_a_plain_iso_moment_becomes_a_date_cell(text: str, moment: object) -> None:
    assert to_moment(text) == moment
