"""What a command answered, and whether it is what a golden file holds."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from smarketing.cli.main import run

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True, slots=True)
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Somewhere(Protocol):
    """Whatever types commands in a folder."""

    folder: Path


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Answered:
    """Type a command."""
    capsys.readouterr()
    code = run(words)
    told = capsys.readouterr()
    return Answered(code, told.out, told.err)


def golden(name: str, found: str, there: Somewhere) -> None:
    """Whether this is what the file holds, but for where the test ran."""
    said = found.replace(str(there.folder), "FOLDER")
    file = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8"), "if it is meant: GOLDEN=write pytest tests/smarketing/cli"
