"""The wheel is looked into: a mapping file or a migration that is left behind would be missed by nobody here."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT
from tests.wheel import contents, sources


@pytest.fixture(scope="module")
def files() -> list[str]:
    return sorted(sources(ROOT))


def wheel(folder: Path, names: list[str]) -> Path:
    made = folder / "made.whl"
    with zipfile.ZipFile(made, "w") as opened:
        for name in (*names, "smarketing-0.1.0.dist-info/METADATA"):
            opened.writestr(name, "")
    return made


def test_a_whole_wheel_is_right(files: list[str], tmp_path: Path) -> None:
    assert {"mappings/hubspot.yaml", "sync/store/migrations/env.py", "connectors/py.typed"} <= {*files}
    assert contents(wheel(tmp_path, files)) == []


def test_a_file_that_is_left_behind_is_found(files: list[str], tmp_path: Path) -> None:
    kept = [each for each in files if each != "mappings/hubspot.yaml"]
    assert contents(wheel(tmp_path, kept)) == ["mappings/hubspot.yaml is missing"]


def test_a_sixth_package_is_found(files: list[str], tmp_path: Path) -> None:
    assert contents(wheel(tmp_path, [*files, "tests/__init__.py"])) == ["tests/__init__.py has no place in it"]


def test_outside_a_checkout_the_files_that_lie_there_are_those_that_git_would_name(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    assert sources(tmp_path) == sources(ROOT)
