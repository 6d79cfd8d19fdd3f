"""No vendor is known by name where systems come to agree, and no connector knows another."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from connectors import registry
from tests.architecture.source import Source, imports, sources

NOBODY = frozenset({"memory", "spreadsheet"})
"""Connectors whose name is a word of the language and no vendor's."""

PLANNED = frozenset({"mailchimp", "dynamics", "activecampaign", "marketo", "brevo", "apsis", "brreg"})

NAMELESS = ("sync/", "config/", "mappings/")

TOGETHER = {"memory": ("memory", "memory_records", "memory_system")}
"""A connector whose files do not lie in a folder of their own."""


def vendors() -> frozenset[str]:
    return frozenset(registry.names()) - NOBODY | PLANNED


def named(source: Source) -> Iterator[tuple[int, str]]:
    """Every mention of a vendor: code, strings, comments."""
    pattern = re.compile("|".join(sorted(vendors())), re.IGNORECASE)
    for number, line in enumerate(source.text.splitlines(), 1):
        yield from ((number, match[0].lower()) for match in pattern.finditer(line))


def owner(module: str) -> str | None:
    """The connector that a module of the folder belongs to; None for what all share."""
    parts = module.split(".")
    if parts[0] != "connectors" or len(parts) < 2:
        return None
    by_file = {file: name for name, files in TOGETHER.items() for file in files}
    return by_file.get(parts[1]) or (parts[1] if parts[1] in registry.names() else None)


def strangers(source: Source) -> Iterator[tuple[int, str]]:
    """What a connector's file, or one that all share, imports from (another) connector."""
    mine = owner(source.module)
    for line, name in imports(source):
        theirs = owner(name)
        if theirs is not None and theirs != mine:
            yield line, name


def test_no_vendor_is_named_where_systems_come_to_agree() -> None:
    nameless = [each for each in sources() if each.path.startswith(NAMELESS)]
    assert len(nameless) > 40
    assert [f"{each.path}:{line}: {name}" for each in nameless for line, name in named(each)] == []


def test_no_connector_imports_another() -> None:
    connectors = [each for each in sources() if each.path.startswith("connectors/")]
    assert {owner(each.module) for each in connectors} >= set(registry.names())
    assert [f"{each.path}:{line}: {name}" for each in connectors for line, name in strangers(each)] == []


@pytest.mark.parametrize("text", ["HUBSPOT = 1", "x = 'Salesforce'", "# as Mailchimp does", "def hubspot_id(): ..."])
def test_a_vendor_is_found_wherever_it_is_named(text: str) -> None:
    assert [line for line, _ in named(Source("sync/made_up.py", text))] == [1]


def test_an_import_across_connectors_is_found() -> None:
    text = "def f():\n    from connectors.hubspot.wire import Wire\nfrom connectors.salesforce import native"
    assert [name for _, name in strangers(Source("connectors/salesforce/wire.py", text))] == [
        "connectors.hubspot.wire.Wire"
    ]


def test_an_import_of_a_connector_by_what_all_share_is_found() -> None:
    text = "from connectors.memory_system import MemorySystem"
    assert [line for line, _ in strangers(Source("connectors/http.py", text))] == [1]
    assert list(strangers(Source("connectors/memory.py", text))) == []
