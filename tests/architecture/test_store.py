"""The store keeps what it is given and decides nothing: whatever decides may be added without asking it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, imports, sources, within

KNOWN = frozenset({"sync.model", "sync.packed", "sync.store"})
"""What of the engine it may know: values, and how they become bytes."""


def beyond(source: Source) -> Iterator[tuple[int, str]]:
    """What it imports of the engine beside that."""
    for line, name in imports(source):
        if within(name, frozenset({"sync", "mappings"})) and not within(name, KNOWN):
            yield line, name


def test_the_store_knows_values_and_nothing_that_decides() -> None:
    store = [each for each in sources() if each.module.startswith("sync.store.")]
    assert len(store) > 5
    assert [f"{each.path}:{line}: {name}" for each in store for line, name in beyond(each)] == []


@pytest.mark.parametrize(
    "text", ["from sync.merge import merge", "def f():\n    import sync.engine", "import mappings.lead"]
)
def test_the_rule_finds(text: str) -> None:
    assert len(list(beyond(Source("sync/store/made_up.py", text)))) == 1


def test_the_rule_lets_values_pass() -> None:
    text = "from sync.model import Lead\nfrom sync.packed import pack\nfrom sync.store import schema\nimport sqlalchemy"
    assert list(beyond(Source("sync/store/made_up.py", text))) == []
