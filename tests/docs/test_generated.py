"""Pages that are made of the code are as the code is now."""

from __future__ import annotations

import pytest

from config.settings import Settings
from connectors import registry
from docs.generated import EXIT_CODES, HERE, INSIDE, PAGES, command_words
from mappings.lead import LeadShape
from mappings.transforms import COERCIONS, TRANSFORMS
from smarketing.cli import errors


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_makes(name: str) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == PAGES[name](), 'it has drifted; write it anew with "make docs"'


def test_every_command_is_found() -> None:
    page = (HERE / "commands.md").read_text(encoding="utf-8")
    words = command_words()
    assert len(words) > 10
    assert [each for each in words if f"\n## smarketing {' '.join(each)}\n" not in page] == []


def test_every_exit_code_is_told() -> None:
    used = {errors.DONE, errors.FAILED, errors.USAGE, errors.REFUSED, errors.CHANGES, errors.INTERRUPTED}
    assert set(EXIT_CODES) == used


def test_every_setting_is_found() -> None:
    page = (HERE / "settings.md").read_text(encoding="utf-8")
    names = [*Settings.model_fields]
    for connector in registry.names():
        if connector not in INSIDE:
            assert f"### connector: {connector}\n" in page
            names += registry.load(connector).Settings.model_fields
    assert [each for each in names if f"`{each}" not in page] == []


def test_every_setting_says_what_it_is() -> None:
    page = (HERE / "settings.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `") and line.count(" | ") >= 3]
    silent = [row for row in rows if row.split(" | ")[-1].strip(" |") == ""]
    assert len(rows) > 40
    assert silent == []


def test_every_field_transform_and_coercion_is_found() -> None:
    page = (HERE / "fields.md").read_text(encoding="utf-8")
    names = [*LeadShape().names(), *TRANSFORMS, *COERCIONS]
    assert [each for each in names if f"`{each}`" not in page] == []
