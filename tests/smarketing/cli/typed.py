"""Commands as a user types them, in a folder of their own: what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from smarketing.cli.main import run

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "GOLDEN"
"""GOLDEN=write pytest tests/smarketing/cli writes the golden files anew."""


@dataclass(frozen=True, slots=True)
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class _Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


class Typed:
    """Types commands in `folder`, and remembers everything that was ever printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.printed = ""
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str) -> Answered:
        self._capsys.readouterr()
        code = run(words)
        told = self._capsys.readouterr()
        self.printed += told.out + told.err
        assert "Traceback" not in told.out + told.err
        return Answered(code, told.out, told.err)

    def answering(self, *answers: str) -> None:
        """From now on somebody sits there, who types these."""
        keyboard = _Keyboard("".join(f"{each}\n" for each in answers))
        self._monkeypatch.setattr(sys, "stdin", keyboard)
        self._monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def read(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    monkeypatch.chdir(tmp_path)
    for name in ("SMARKETING_CONFIG", "NO_COLOR", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Typed(tmp_path, capsys, monkeypatch)
    root.handlers = handlers
    root.setLevel(level)


def golden(name: str, found: str, typed: Typed) -> None:
    """Whether this is what the file holds, but for where the test ran."""
    said = found.replace(str(typed.folder), "FOLDER")
    file = GOLDEN / name
    if os.environ.get(REWRITE) == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(said, "utf-8")
    assert said == file.read_text("utf-8"), f"if it is meant: {REWRITE}=write pytest {Path(__file__).parent}"
