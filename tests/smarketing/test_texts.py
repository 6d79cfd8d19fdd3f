"""Every code has its text, every text its use, and the page of codes is the catalogue."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.texts import TEXTS
from smarketing.texts import CODES, KINDS, page

ROOT = Path(__file__).parents[2]
SOURCES = ("connectors", "mappings", "sync", "config", "smarketing")
CATALOGUE = ROOT / "smarketing" / "texts.py"
CODE = re.compile(r"SM\d{3}")


def used() -> dict[str, list[str]]:
    """Every code that stands in the source as a text of its own → where."""
    found: dict[str, list[str]] = {}
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file == CATALOGUE:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    found.setdefault(node.value, []).append(f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def test_the_sources_are_really_read() -> None:
    found = used()
    assert {"SM100", "SM106", "SM121", "SM141", "SM211", "SM307", "SM326", "SM335", "SM999"} <= found.keys()
    assert any(each.startswith("connectors/memory.py") for each in found["SM335"])


def test_every_code_that_is_used_has_a_text() -> None:
    missing = {code: places for code, places in used().items() if code not in CODES}
    assert missing == {}, "tell in smarketing/texts.py what they mean and what to do"


def test_every_text_is_used() -> None:
    assert sorted(CODES.keys() - used().keys()) == []


def test_every_problem_of_a_configuration_has_a_code_with_a_text() -> None:
    assert {code for code, _ in TEXTS.values()} <= CODES.keys()


def test_codes_stand_in_order_and_in_a_known_range() -> None:
    assert list(CODES) == sorted(CODES)
    assert all(CODE.fullmatch(code) and code[:3] in KINDS for code in CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_text_says_what_it_is_what_it_means_and_what_to_do(code: str) -> None:
    entry = CODES[code]
    assert entry.title[0].islower() or entry.title.split()[0].isupper()
    assert not entry.title.endswith(".")
    assert len(entry.title) <= 70
    for text in (entry.meaning, entry.cure):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith(".")
        assert "  " not in text
        assert text.count('"') % 2 == 0
    assert len(entry.meaning) >= 40 or entry.meaning.endswith("accepts the credentials.")


def test_every_command_that_a_text_names_exists() -> None:
    from typer.main import get_command

    from smarketing.cli.main import app

    there = get_command(app).commands.keys()  # type: ignore[attr-defined]
    whole = " ".join(f"{each.meaning} {each.cure}" for each in CODES.values())
    named = set(re.findall(r'"smarketing ([a-z-]+)', whole))
    assert {"check", "init", "fields"} <= named
    assert named <= there | {"--help"}


def test_the_page_of_codes_is_the_catalogue() -> None:
    written = (ROOT / "docs" / "codes.md").read_text("utf-8")
    assert written == page(), "run: python -m smarketing.texts > docs/codes.md"
    assert all(f"### {code}: {entry.title}\n\n{entry.meaning}" in written for code, entry in CODES.items())


def test_the_page_is_made_by_the_module() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "smarketing.texts"], capture_output=True, cwd=ROOT, check=True, timeout=30
    )
    assert made.stdout.decode() == page()
