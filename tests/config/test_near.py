"""The word that was probably meant."""

from __future__ import annotations

import pytest

from config.near import nearest, nearest_or_all


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("tokn", "token"), ("TOKEN", "token"), ("base-url", "base_url"), ("xyz", None), ("", None)],
)
def test_the_nearest_word_is_named_where_one_is_near(word: str, wanted: str | None) -> None:
    assert nearest(word, ["token", "base_url"]) == (f'; did you mean "{wanted}"?' if wanted else "")


def test_where_none_is_near_all_are_named() -> None:
    assert nearest_or_all("xyz", ["token", "base_url"]) == "; allowed: token, base_url"
    assert nearest_or_all("xyz", []) == ""
