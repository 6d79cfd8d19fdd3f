"""What a terminal shows while a run is under way, and what a pipe does not."""

from __future__ import annotations

import io
import sys

import pytest

from smarketing.cli.progress import progress
from tests.smarketing.cli.rig import ANN, Rig, rig

__all__ = ["rig"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_moves_when_the_output_is_piped() -> None:
    with progress() as tell:
        assert tell is None


def test_a_terminal_shows_what_is_under_way_how_far_and_how_long_still(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress() as tell:
        assert tell is not None
        tell("read", "crm", 300, None)
        tell("written", "list", 50, 200)
    shown = terminal.getvalue()
    assert "read crm" in shown
    assert "written list" in shown
    assert "50/200" in shown
    assert "-:--:--" in shown


def test_a_run_tells_each_batch_with_the_number_there_is(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str, int, int | None]] = []

    class Told:
        def __enter__(self) -> object:
            return lambda *words: told.append(words)

        def __exit__(self, *error: object) -> None:
            return None

    monkeypatch.setattr("smarketing.cli.progress.progress", Told)
    rig.put("crm", **ANN)
    assert rig("sync").code == 0
    assert ("read", "crm", 1, None) in told
    assert ("decided", "leads", 1, 1) in told
    assert ("written", "list", 1, 1) in told
