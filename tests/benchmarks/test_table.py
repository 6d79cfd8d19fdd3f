from __future__ import annotations

import pytest

from benchmarks.table import Line, render


@pytest.mark.parametrize(
    ("line", "missed"),
    [
        (Line("a", 1.06, 1.05, at_most=True), True),
        (Line("a", 1.05, 1.05, at_most=True), False),
        (Line("a", 9.0, 1.0), False),
        (Line("a", 9.0), False),
    ],
)
def test_only_a_limit_can_be_missed(line: Line, missed: bool) -> None:
    assert line.missed is missed
    assert ("missed" in render([line])) is missed


def test_the_table_has_a_column_each_for_what_was_measured_and_what_it_is_held_against() -> None:
    told = render([Line("requests", 1234.0, 1.05, "requests", at_most=True)]).splitlines()
    assert told[0].split("  ")[0] == "what"
    assert [each.strip() for each in told[2].split("  ") if each.strip()] == [
        "requests",
        "1,234 missed",
        "≤ 1.050",
        "requests",
    ]
