"""`smarketing sandbox`: one line when it is ready, service until it is ended, and words that help when it cannot be."""

from __future__ import annotations

import builtins
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.located import read
from connectors.backdoor import Fault, When
from smarketing.cli import main
from smarketing.cli.commands.sandbox import configuration
from smarketing.sandbox.backdoor import RemoteBackdoor
from smarketing.wiring import open_installation, read_settings
from smarketing.world import RealWorld
from sync import run as runner


@contextmanager
def serving(*words: str, end: signal.Signals = signal.SIGTERM) -> Iterator[subprocess.Popen[str]]:
    """A sandbox in a process of its own, ended as it says."""
    command = [
        sys.executable,
        "-c",
        "import sys; from smarketing.cli.main import run; sys.exit(run())",
        "sandbox",
        *words,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(end)
            process.wait(10)


def test_it_tells_one_line_and_serves_until_it_is_ended(tmp_path: Path) -> None:
    with serving("--systems", "hubspot,salesforce,sheet", "--seed", "3", "--contacts", "12", "--json") as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert {name: set(each) for name, each in line.items()} == {
            "hubspot": {"base_url", "token"},
            "salesforce": {"base_url", "client_id", "client_secret", "username", "password"},
            "sheet": {"path"},
            "control": {"url", "token"},
        }
        text = configuration(line) + "\nsync: {trust: [salesforce, hubspot, sheet], first: apply}\n"
        (tmp_path / "smarketing.yaml").write_text(text, encoding="utf-8")
        made = open_installation(read_settings(tmp_path / "smarketing.yaml", {}), RealWorld())
        report = runner.sync(made.engine, "test", "a test")
        again = runner.sync(made.engine, "test", "a test")
        made.close()
        assert (report.state, report.failures) == ("done", {})
        assert report.answers["done"] > 10
        assert not again.answers
        doors = {name: RemoteBackdoor(name, **line["control"]) for name in ("hubspot", "salesforce", "sheet")}
        objects = {"hubspot": {"contact"}, "salesforce": {"Lead", "Contact"}, "sheet": {"row"}}
        for name, door in doors.items():
            assert sum(each.ref.object in objects[name] for each in door.records()) == 12
        with pytest.raises(ValueError, match="file"):
            doors["sheet"].fault(Fault.ERROR, When())
        for door in doors.values():
            door.close()
        sheet = Path(line["sheet"]["path"])
    assert process.returncode == 0
    assert not sheet.exists()


def test_ctrl_c_is_how_it_ends() -> None:
    with serving("--systems", "hubspot", "--empty", end=signal.SIGINT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0 people in hubspot\n"
    assert process.returncode == 0


def test_the_text_for_people_is_a_configuration_to_paste() -> None:
    line = {
        "hubspot": {"base_url": "http://127.0.0.1:1", "token": "t"},
        "salesforce": {"base_url": "http://127.0.0.1:2", "client_id": "c", "client_secret": "s", "username": "u"},
        "sheet": {"path": "/tmp/leads.csv"},
        "control": {"url": "http://127.0.0.1:3", "token": "x"},
    }
    content: Any = read(configuration(line).encode(), "smarketing.yaml").value
    assert content["systems"]["salesforce"] == {
        "connector": "salesforce",
        "base_url": "http://127.0.0.1:2",
        "client_id": "c",
        "client_secret": "s",
    }
    assert content["systems"]["sheet"] == {"connector": "spreadsheet", "path": "/tmp/leads.csv"}
    assert "control" not in content["systems"]


@pytest.mark.parametrize(("systems", "said"), [("hubspot,fax", '"fax"'), (" , ", "names none")])
def test_a_system_that_nobody_stands_in_for_is_told(
    systems: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["sandbox", "--systems", systems]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "hubspot, salesforce, sheet" in told.err


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_without_the_package_that_makes_up_people_it_says_what_to_do(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "faker":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert main.run([command]) == 1
    assert "error[SM903]" in (told := capsys.readouterr().err)
    assert "pip install 'smarketing[demo]'" in told
