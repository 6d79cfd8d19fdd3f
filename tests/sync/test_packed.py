from __future__ import annotations

from sync.packed import digest, pack, pack_or_none, unpack


def test_the_same_value_always_gives_the_same_bytes() -> None:
    assert pack({"b": 1, "a": [True, None, "å"]}) == pack({"a": [True, None, "å"], "b": 1})
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": True})


def test_what_is_empty_is_kept_as_nothing_where_that_is_meant() -> None:
    assert [pack_or_none(each) for each in ({}, [], None)] == [None] * 3
    assert (unpack(None), unpack(pack({"a": 1}))) == (None, {"a": 1})
