"""Commands as a user types them, in a folder of their own: what is printed, and how it ends."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.smarketing.cli.answers import Answered, answered


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
        told = answered(self._capsys, *words)
        self.printed += told.out + told.err
        assert "Traceback" not in told.out + told.err
        return told

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
