"""YAML as people write it: texts stay texts, places are right, and what is broken is told at its line."""

from __future__ import annotations

import pytest

from config.located import DEEPEST, LARGEST, MOST, Located, read
from config.problem import ConfigError


def said(text: str | bytes) -> list[str]:
    """Everything that is wrong."""
    data = text if isinstance(text, bytes) else text.encode()
    try:
        return [f"{each.code} {each}" for each in read(data, "f").problems]
    except ConfigError as error:
        return [f"{each.code} {each}" for each in error.problems]


def value(text: str) -> object:
    found: Located = read(text.encode(), "f")
    assert found.problems == ()
    return found.value["a"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("12:30:00", "12:30:00"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("42", 42),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ('"0150"', "0150"),
        ("'42'", "42"),
        ("!!str 0150", "0150"),
        (".inf", ".inf"),
        ("|\n  x\n  y\n", "x\ny\n"),
    ],
)
def test_plain_values_are_read_as_yaml_1_2_reads_them(written: str, wanted: object) -> None:
    assert value(f"a: {written}") == wanted
    assert type(value(f"a: {written}")) is type(wanted)


def test_a_file_that_claims_an_older_yaml_is_read_alike() -> None:
    assert value("%YAML 1.1\n---\na: no\n") == "no"


def test_names_are_always_the_text_as_written() -> None:
    assert read(b"no: 1\non: 2\n12: 3\n0150: 4\ntrue: 5\n", "f").value == {
        "no": 1,
        "on": 2,
        "12": 3,
        "0150": 4,
        "true": 5,
    }


@pytest.mark.parametrize("written", ["0150", "007", "+47", "00", "01.5"])
def test_a_number_that_would_lose_its_first_sign_is_told_and_not_changed(written: str) -> None:
    (told,) = said(f"postcode: {written}\n")
    assert told.startswith(f"SM104 f:1:11: {written} would be read as ")
    assert told.endswith("; put it in quotes")


def test_a_long_number_is_not_shown_since_it_may_be_a_secret() -> None:
    assert said("token: 00123456789012345\n") == ["SM104 f:1:8: the number would be read as another; put it in quotes"]
    assert said(f"token: {'9' * 400}\n") == ["SM104 f:1:8: the number has 400 digits; quote it if it is a text"]


def test_a_name_that_stands_twice_is_told_with_the_first_line() -> None:
    assert said("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n") == [
        'SM102 f:5:3: "c" stands twice, first in line 3; take one out'
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: [1, 2", "SM102 f:1:9: "),
        ('a: "open\nb: 1\n', "SM102 f:"),
        ("a: b: c\n", "SM102 f:1:5: "),
        ("a: @x\n", "SM102 f:1:4: "),
        ("a:\n\tb: 1\n", "SM102 f:2:1: the line is indented with a tab; use spaces"),
        ("a: 1\n---\nb: 2\n", 'SM102 f:2:1: a second document begins here; take the line "---" out'),
        ("a: *b\n", "SM102 f:1:4: there is no anchor of that name above"),
        ("", "SM102 f: the file is empty"),
        ("# nothing\n", "SM102 f: the file is empty"),
        ("- a\n", 'SM102 f:1:1: the file must hold lines of the form "name: value"'),
        ("just text\n", 'SM102 f:1:1: the file must hold lines of the form "name: value"'),
        ("a: !python/object x\n", 'SM102 f:1:4: the tag "!python/object" is not understood; take it out'),
        ("a: &x\n  b: *x\n", "SM102 f:1:4: the value contains itself"),
        ("b: &x {c: 1}\na: {<<: *x}\n", 'SM102 f:2:5: "<<" is not understood'),
        ("? [a, b]\n: 1\n", "SM102 f:1:3: a name must be plain text"),
        ('a: "\\ud800"\n', "SM102 f:1:4: "),
    ],
)
def test_what_is_broken_is_told_at_its_place(text: str, wanted: str) -> None:
    told = said(text)
    assert len(told) == 1
    assert told[0].startswith(wanted)


def test_bytes_that_are_no_text_are_told_with_line_and_column() -> None:
    assert said("a: 1\nb: Ål\n".encode("cp1252")) == [
        "SM102 f:2:4: the file is not UTF-8; save it with the encoding UTF-8"
    ]
    assert said(b"a: 1\nb: x\x07y\n")[0].startswith("SM102 f:2:5: the file holds a control character (U+0007)")


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read(b"\xef\xbb\xbfa: 1\n", "f").value == {"a": 1}


def test_values_without_end_are_refused() -> None:
    assert said(b"a: " + b"x" * LARGEST)[0].startswith("SM102 f: the file has ")
    assert "nested more than" in said("a: " + "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2))[0]
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6)]
    assert f"more than {MOST:,} values" in said("\n".join(lines))[0]


def test_places_are_those_of_names_and_values() -> None:
    found = read(b"a:\n  - b: 1\n    c: {d: x}\n", "f")
    assert found.where(("a", 0, "b")) == (2, 8)
    assert found.where(("a", 0, "b"), key=True) == (2, 5)
    assert found.where(("a", 0, "c", "d")) == (3, 12)
    assert found.where(("a", 0, "c", "missing")) == (3, 5), "what is missing is told at the name of its map"
    assert found.where(("nothing",)) == (1, 1)
