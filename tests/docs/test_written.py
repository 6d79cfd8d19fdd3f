"""What people wrote into the pages is true: links lead somewhere, commands and tests exist, examples hold."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import located
from connectors import registry
from docs.generated import PAGES, command_words, headings, help_of
from mappings import built_in
from mappings.lead import LeadShape
from mappings.lint import lint
from mappings.rule import KEYS
from smarketing.wiring import read_mappings, read_settings
from tests.architecture.source import sources

ROOT = Path(__file__).parents[2]
WRITTEN = sorted(
    each
    for each in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
    if each.name not in PAGES
)
NAMES = [str(each.relative_to(ROOT)) for each in WRITTEN]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)


def test_every_page_is_there() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/tutorial.md", "docs/promises.md", "docs/decisions/README.md"} <= {*NAMES}


# --- links -------------------------------------------------------------------------------------------------------


def dead(page: Path, said: str) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", said, flags=re.DOTALL)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.is_file() or (anchor and anchor not in headings(file.read_text(encoding="utf-8"))):
            yield target


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    assert list(dead(ROOT / name, text(name))) == []


def test_a_dead_link_is_found() -> None:
    said = (
        "[a](nowhere.md) [b](docs/promises.md#no-such-promise) [c](docs/promises.md#3-no-twin) [d](https://example.com)"
    )
    assert list(dead(ROOT / "README.md", said)) == ["nowhere.md", "docs/promises.md#no-such-promise"]


@pytest.mark.parametrize("name", [each for each in NAMES if each.startswith("docs/decisions/")])
def test_every_decision_is_in_the_list_and_says_context_choice_and_cost(name: str) -> None:
    if name.endswith("README.md"):
        return
    assert f"({Path(name).name})" in text("docs/decisions/README.md")
    assert all(f"**{each}.**" in text(name) for each in ("Context", "Choice", "Cost")) or "**Measured.**" in text(name)
    assert len(text(name).split()) < 320


# --- commands ----------------------------------------------------------------------------------------------------


def commands(said: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """(words, options) of every call of smarketing in code."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", said, flags=re.DOTALL))
    lines = [line for block in re.findall(r"```(?:sh|text)\n(.*?)```", said, re.DOTALL) for line in block.splitlines()]
    for each in (*inline, *(line.removeprefix("$ ") for line in lines)):
        if match := re.match(r"smarketing ([a-z][^#&|]*)", each):
            words = match[1].split()
            names = [word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
            yield tuple(names), [word.partition("=")[0] for word in words if word.startswith("--")]


def wrong_calls(said: str) -> Iterator[str]:
    there = command_words()
    groups = {each[0] for each in there if len(each) > 1}
    for words, options in commands(said):
        call = words[:2] if words and words[0] in groups else words[:1]
        if call not in there:
            yield " ".join(call)
            continue
        known = help_of(*call)
        yield from (f"{' '.join(call)} {each}" for each in options if f"{each} " not in f"{known} ")


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_options_exist(name: str) -> None:
    assert list(wrong_calls(text(name))) == []


def test_a_wrong_command_and_a_wrong_option_are_found() -> None:
    said = "`smarketing blan` and `smarketing plan --outfile x`\n```sh\nsmarketing review lisst\n$ smarketing sync --plan x\n```"
    assert list(wrong_calls(said)) == ["blan", "plan --outfile", "review lisst"]


# --- tests, examples ---------------------------------------------------------------------------------------------


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", text("docs/promises.md")))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_[a-z0-9_]+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert named - there == set()


def test_every_promise_names_its_physics_and_its_tests() -> None:
    promises = re.split(r"^## ", text("docs/promises.md"), flags=re.MULTILINE)[1:]
    assert len(promises) == 12
    assert [each.splitlines()[0] for each in promises if "**Physics:**" not in each or "**Tests:**" not in each] == []
    assert len(re.findall(r"^\d+\. \*\*", text("README.md"), re.MULTILINE)) == 12


def test_the_rules_that_the_code_names_are_told_and_no_others() -> None:
    code = "".join(each.text for each in sources())
    assert set(re.findall(r"\bF[0-9]{1,2}\b", code)) == set(
        re.findall(r"^## (F[0-9]+)$", text("docs/rules.md"), re.MULTILINE)
    )


def mapping_files() -> list[str]:
    return [each for each in blocks("docs/mapping.md", "yaml") if each.startswith("connector: ")]


@pytest.mark.parametrize("number", range(len(mapping_files())))
def test_mapping_files_in_the_docs_hold(number: int) -> None:
    file = located.read(mapping_files()[number].encode(), "docs/mapping.md")
    assert not file.problems
    below = built_in.content(str(file.value["connector"]))
    read = (
        located.read(below, "built-in").value if below is not None and file.value.get("extends") is not False else None
    )
    found = lint(file.value, lambda path: ".".join(map(str, path)), LeadShape(), built_in=read)
    assert [each for each in found if each.level in ("error", "warning")] == []


def test_there_are_mapping_files_in_the_docs_and_every_key_of_a_line_is_told() -> None:
    assert len(mapping_files()) >= 3
    assert [each for each in KEYS if f"| `{each}` |" not in text("docs/mapping.md")] == []


def configurations() -> list[tuple[str, str]]:
    return [(name, each) for name in NAMES for each in blocks(name, "yaml") if each.startswith("# smarketing.yaml")]


@pytest.mark.parametrize(("name", "said"), configurations(), ids=lambda each: each[:24])
def test_configurations_in_the_docs_load(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "crm-mapping.yaml").write_text("connector: hubspot\nfields: {language: null}\n", encoding="utf-8")
    file = tmp_path / "smarketing.yaml"
    beside = "" if "\nsystems:" in said else "systems: {crm: {connector: hubspot, token: x}}\n"  # a part of a file
    file.write_text(said + beside, encoding="utf-8")
    env = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", said), "https://example.my.salesforce.com")
    loaded = read_settings(file, env)
    assert [each for each in read_mappings(loaded.settings).findings if each.level == "error"] == [], name


def test_every_connector_is_named_to_the_reader() -> None:
    for name in registry.names():
        assert name == "memory" or re.search(name, text("README.md"), re.IGNORECASE)


def test_the_picture_of_the_plan_is_what_the_demonstration_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    from smarketing.cli.main import run
    from smarketing.demo.tour import Tour

    for later in ("explain", "undo", "second_day"):
        monkeypatch.setattr(Tour, later, lambda self: None)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["demo"]) == 0
    shown = {in_order(line) for line in out.getvalue().splitlines()}
    (picture,) = [each for each in blocks("README.md", "text") if "smarketing plan" in each]
    lines = [line for line in picture.splitlines() if line not in ("", "…")]
    assert len(lines) > 15
    assert [line for line in lines if in_order(line) not in shown] == []


def in_order(line: str) -> str:
    """Which system was read first is chance, and so is the order in which a person's records are named."""
    head = re.fullmatch(r"(\S.*) \((.+)\)", line)
    return f"{head[1]} ({', '.join(sorted(head[2].split(', ')))})" if head else line
