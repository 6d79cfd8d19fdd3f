"""python -m tests.wheel: build the package, look into it, install it elsewhere, and try what was installed.

What is missing in a wheel is found by nobody who works in the repository: a mapping file, a migration, a marker that
the package has types. So it is tried where the repository is not.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from tests.architecture.source import PACKAGES, ROOT

CONFIGURATION = """\
systems:
  crm: {connector: salesforce, client_id: nobody, client_secret: nothing, base_url: "https://example.com"}
  list: {connector: spreadsheet, path: leads.csv}
"""

NEW_DATABASE = """
from smarketing.world import RealWorld
from sync.store.db import Store
from sync.store.migrate import upgrade

upgrade(Store("sqlite:///new.db", RealWorld()))
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        wheel = build(there / "dist")
        wrong = contents(wheel) or use(wheel, there)
    for line in wrong:
        print(f"wheel: {line}", file=sys.stderr)
    if not wrong:
        print("wheel: five packages, with all their files; installs and runs")
    return 1 if wrong else 0


def build(into: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(into), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (found,) = into.glob("*.whl")
    return found


def contents(wheel: Path) -> list[str]:
    """What it holds too little or too much of."""
    with zipfile.ZipFile(wheel) as opened:
        names = {each for each in opened.namelist() if not re.match(r"[^/]+\.dist-info/", each)}
    wanted = sources(ROOT)
    missing, strange = sorted(wanted - names), sorted(names - wanted)
    return [f"{each} is missing" for each in missing] + [f"{each} has no place in it" for each in strange]


def sources(root: Path) -> set[str]:
    """Every file of the packages: as git knows them, or, where this is no checkout, as they lie there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES]
    with contextlib.suppress(FileNotFoundError):  # no git here
        told = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
        if told.returncode == 0:
            return {each for each in told.stdout.splitlines() if (root / each).is_file()}
    found = (each for package in PACKAGES for each in (root / package).rglob("*") if each.is_file())
    return {each.relative_to(root).as_posix() for each in found if "__pycache__" not in each.parts}


def use(wheel: Path, there: Path) -> list[str]:
    """What goes wrong when it is installed and used far from the repository."""
    home = there / "environment"
    venv.create(home, with_pip=True)
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    install = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True, cwd=there)
    (there / "smarketing.yaml").write_text(CONFIGURATION, encoding="utf-8")
    wrong = []
    for words in (["--help"], ["--version"], ["lint"], ["schema"]):
        command = [str(binaries / "smarketing"), *words]
        done = subprocess.run(command, cwd=there, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            wrong.append(f"smarketing {' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()[:500]}")
    command = [str(binaries / "python"), "-c", NEW_DATABASE]
    done = subprocess.run(command, cwd=there, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        wrong.append(f"a new database: {done.stderr.strip()[-500:]}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
