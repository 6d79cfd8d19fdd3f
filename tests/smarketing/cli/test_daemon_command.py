"""How the daemon runs, waits, fails and ends."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import Stop
from smarketing.cli.setting import Setting
from smarketing.daemon import Daemon
from smarketing.wiring import Installation
from sync.engine import Interrupted
from sync.lease import LeaseHeld
from sync.side_by_side import Report

PATIENCE = 20.0


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    """Two sheets that do not know of one another; answers the configuration."""
    (tmp_path / "sales.csv").write_text("First name,Last name,Email\nAnn,Berg,ann@example.com\n", encoding="utf-8")
    (tmp_path / "mail.csv").write_text("First name,Last name,Email\nOla,Dahl,ola@example.com\n", encoding="utf-8")
    file = tmp_path / "smarketing.yaml"
    file.write_text(
        f"""
        timezone: Pacific/Kiritimati
        database: sqlite:///{tmp_path / "store.db"}
        systems:
          sales: {{connector: spreadsheet, path: {tmp_path / "sales.csv"}}}
          mail: {{connector: spreadsheet, path: {tmp_path / "mail.csv"}}}
        sync: {{every: 1s, first: apply, trust: [sales, mail]}}
        """,
        encoding="utf-8",
    )
    return file


@pytest.fixture
def installation(sheets: Path) -> Iterator[Installation]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    with Setting(config=sheets).installation() as made:
        yield made
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever another command of this process set up: runs are told at the level of information."""
    caplog.set_level(logging.INFO, logger="smarketing")


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)


@contextlib.contextmanager
def serving(daemon: Daemon) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=daemon.serve)
    thread.start()
    try:
        yield thread
    finally:
        daemon.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Runs:
    """Stands in for the engine: each run does what the test says."""

    def __init__(self, *deeds: Callable[[], Report]) -> None:
        self._deeds = list(deeds)
        self.begun = 0
        self.at_once = Counter[str]()
        self._lock = threading.Lock()

    def __call__(self, *words: object, **more: object) -> Report:
        with self._lock:
            self.begun += 1
            self.at_once["now"] += 1
            self.at_once["most"] = max(self.at_once["most"], self.at_once["now"])
            deed = self._deeds.pop(0) if self._deeds else good
        try:
            return deed()
        finally:
            with self._lock:
                self.at_once["now"] -= 1


def good() -> Report:
    return Report(1)


def failing(error: Exception) -> Callable[[], Report]:
    def deed() -> Report:
        raise error

    return deed


def told(captured: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in captured.records if each.name == "smarketing.daemon"]


def test_the_first_run_is_at_once_and_each_is_told_in_one_line(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(Daemon(installation, 3600, "kari")):
        until(lambda: any(each.startswith("run 1") for each in told(caplog)))
    (line,) = [each for each in told(caplog) if each.startswith("run 1")]
    assert line.startswith("run 1: done in ")
    assert line.endswith("; sales: 1 record read, 1 record written; mail: 1 record read, 1 record written")
    assert told(caplog)[-1] == "stopped"


def test_a_run_that_fails_is_told_and_the_next_one_comes(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(failing(Stop("sales: no")), failing(ZeroDivisionError("ann@example.com")), good)
    monkeypatch.setattr("smarketing.daemon.runner.sync", runs)
    with serving(Daemon(installation, 0.05, "kari")):
        until(lambda: runs.begun >= 3)
    assert told(caplog)[1:3] == [
        "a run failed: [SM303] sales: no",
        "a run failed: [SM999] a fault of ours (ZeroDivisionError)",
    ]


def test_another_process_at_work_is_told_once_and_waited_out(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = failing(LeaseHeld("decide", "host:1:2", 0))
    runs = Runs(held, held, held, good)
    monkeypatch.setattr("smarketing.daemon.runner.sync", runs)
    monkeypatch.setattr("smarketing.daemon.AGAIN", 0.01)
    with serving(Daemon(installation, 3600, "kari")):
        until(lambda: runs.begun >= 4)
    assert [each for each in told(caplog) if each.startswith("waiting")] == [
        "waiting: another smarketing process (host:1) is at work"
    ]


def test_runs_never_overlap_however_long_one_takes(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def long() -> Report:
        time.sleep(0.3)
        return good()

    runs = Runs(long, long)
    monkeypatch.setattr("smarketing.daemon.runner.sync", runs)
    with serving(Daemon(installation, 0.05, "kari")):
        until(lambda: runs.begun >= 3)
    assert runs.at_once["most"] == 1
    assert not [
        each for each in caplog.records if each.name.startswith("apscheduler") and each.levelno >= logging.WARNING
    ]


def test_stopping_lets_the_run_under_way_end(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_stopped() -> Report:
        until(lambda: installation.engine.stopping)
        raise Interrupted

    runs = Runs(until_stopped)
    monkeypatch.setattr("smarketing.daemon.runner.sync", runs)
    daemon = Daemon(installation, 3600, "kari")
    with serving(daemon):
        until(lambda: runs.begun == 1)
        daemon.stop()
    assert told(caplog)[-2:] == ["the run under way was ended early; the next one goes on from there", "stopped"]


def _lines(stream: IO[str], wanted: str) -> list[str]:
    """What is told until a line has this in it."""
    found = []
    for line in stream:
        found.append(line)
        if wanted in line:
            return found
    pytest.fail(f"{wanted!r} was never told: {found}")


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_what_it_did_before_is_heard_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, ends: signal.Signals
) -> None:
    def signalled() -> Report:
        os.kill(os.getpid(), ends)
        until(lambda: installation.engine.stopping)
        raise Interrupted

    monkeypatch.setattr("smarketing.daemon.runner.sync", Runs(signalled))
    before = signal.getsignal(ends)
    Daemon(installation, 3600, "kari").serve()
    assert signal.getsignal(ends) == before


def test_a_process_runs_at_once_and_ends_well(sheets: Path) -> None:
    command = [sys.executable, "-c", "import sys; from smarketing.cli.main import run; sys.exit(run())"]
    with subprocess.Popen(
        [*command, "--config", str(sheets), "daemon"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        enough = threading.Timer(PATIENCE, process.kill)  # its output ends, whatever it does
        enough.start()
        try:
            lines = _lines(process.stderr, "run 1: done")
            process.terminate()
            lines += _lines(process.stderr, "stopped")
            assert process.wait(PATIENCE) == 0
        finally:
            enough.cancel()
            process.kill()
        assert process.stdout.read() == ""
    stamps = {datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S") for line in lines}
    here = datetime.now(ZoneInfo("Pacific/Kiritimati")).replace(tzinfo=None)
    assert all(abs(here - each) < timedelta(minutes=5) for each in stamps), "times are those of the configured zone"
    assert any("SIGTERM: stopping when what is under way is done" in line for line in lines)
    assert "ola@example.com" in (sheets.parent / "sales.csv").read_text(encoding="utf-8")
