"""`smarketing explain`."""

from __future__ import annotations

import pytest

from smarketing.texts import CODES
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.typed import Typed, typed

__all__ = ["typed"]


@pytest.mark.parametrize("said", ["SM106", "sm106", "[SM106]", "106"])
def test_a_code_is_explained_however_it_is_typed(typed: Typed, said: str) -> None:
    told = typed("explain", said)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("SM106: a variable is not set\n\nThe file says ${NAME}")
    assert "What to do: Set the variable" in told.out
    assert max(map(len, told.out.splitlines())) <= 88


def test_without_a_code_all_are_listed(typed: Typed) -> None:
    told = typed("explain")
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["code", *CODES]


def test_a_code_that_is_none_is_told_with_the_nearest(typed: Typed) -> None:
    told = typed("explain", "SM9999")
    assert (told.code, told.out) == (2, "")
    assert told.err == 'error[SM111]: there is no code "SM9999"; did you mean "SM999"?\n'


def test_an_explanation_for_programs(typed: Typed) -> None:
    golden("explain.json", typed("explain", "SM335", "--json").out, typed)
    assert [each["code"] for each in typed("explain", "--json").json["codes"]] == list(CODES)
