"""What a person does wrong on the command line and in the configuration: told where, in one go, and never by a
traceback."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from smarketing.cli.main import app
from tests.smarketing.cli.typed import Answered, Typed, typed

__all__ = ["typed"]

ROOT = Path(__file__).parents[3]
SECRET = "pat-secret-4711-0001"
READING = (
    ("check",),
    ("doctor",),
    ("config", "show"),
    ("lint",),
    ("fields", "crm"),
    ("plan",),
    ("sync",),
    ("status",),
    ("why", "crm", "1"),
    ("review", "list"),
    ("leads", "search", "x"),
    ("undo",),
)
"""Every command that needs the configuration."""

SIX = f"""\
timezone: Europe/Olso
systems:
  crm: {{connector: hubspot, tokn: {SECRET}}}
  sheet: {{connector: spreadsheet, path: leads.csv, writes: updte}}
sync:
  every: 5
  trust: [crn]
"""


def process(folder: Path, *words: str, **env: str) -> Answered:
    """The same in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from smarketing.cli.main import run; sys.exit(run())", *words],
        capture_output=True,
        cwd=folder,
        env={**kept, "HOME": str(folder), "PYTHONPATH": str(ROOT), **env},
        timeout=60,
        check=False,
    )
    return Answered(done.returncode, done.stdout.decode(), done.stderr.decode())


# --- the configuration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_without_a_configuration_every_command_says_how_to_make_one(typed: Typed, words: tuple[str, ...]) -> None:
    told = typed(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        f"error[SM101]: smarketing.yaml: no configuration was found in {typed.folder} and "
        f'{typed.folder}/home/.config/smarketing; make one with "smarketing init", or name it with --config\n'
    )


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_every_command_tells_all_mistakes_at_once_with_their_places(typed: Typed, words: tuple[str, ...]) -> None:
    typed.write("smarketing.yaml", SIX)
    told = typed(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines() == [
        'error[SM104]: smarketing.yaml:1:11: "timezone" is "Europe/Olso"; write a place, as in Europe/Oslo; did you '
        'mean "Europe/Oslo"?',
        'error[SM105]: smarketing.yaml:3:3: "token" is missing; write "${NAME}", file:PATH or keyring:SERVICE/USER',
        'error[SM103]: smarketing.yaml:3:29: unknown key "tokn"; did you mean "token"?',
        'error[SM104]: smarketing.yaml:4:60: "writes" is "updte"; allowed: none, update, all; did you mean "update"?',
        'error[SM104]: smarketing.yaml:6:10: "every" is 5; write a number and a unit: 30s, 5m, 24h, 7d, 1h30m',
        'error[SM108]: smarketing.yaml:7:11: there is no system "crn"; did you mean "crm"?',
    ]
    assert SECRET not in typed.printed


def test_a_file_that_is_named_and_not_there_is_told_with_what_names_it(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        typed("--config", "x.yaml", "check").err == "error[SM101]: x.yaml: there is no such file; --config names it\n"
    )
    monkeypatch.setenv("SMARKETING_CONFIG", "y.yaml")
    told = typed("check")
    assert (told.code, told.err) == (2, "error[SM101]: y.yaml: there is no such file; SMARKETING_CONFIG names it\n")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("systems:\n\tcrm: {}\n", ":2:1: the line is indented with a tab"),
        ("systems: {a: [}\n", ":1:15: "),
        ("systems:\n  a: b: c\n", ":2:7: "),
        ("", ": the file is empty"),
        ("- a\n- b\n", ':1:1: the file must hold lines of the form "name: value"'),
    ],
)
def test_what_is_no_yaml_is_told_at_its_line(typed: Typed, text: str, place: str) -> None:
    (typed.folder / "smarketing.yaml").write_text(text)
    told = typed("check")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"error[SM102]: smarketing.yaml{place}")


def test_a_variable_that_is_not_set_is_told(typed: Typed) -> None:
    typed.write("smarketing.yaml", 'systems: {crm: {connector: hubspot, token: "${CRM_TOKEN}"}}')
    told = typed("check")
    assert told.code == 2
    assert told.err.startswith("error[SM106]: smarketing.yaml:1:44: CRM_TOKEN is not set; set it in the environment or")
    typed.write(".env", f"CRM_TOKN={SECRET}\n")
    assert 'did you mean "CRM_TOKN"?' in typed("check").err
    assert SECRET not in typed.printed


@pytest.mark.parametrize("key", ["funnel", "web", "alerts"])
def test_what_is_not_there_yet_is_refused_as_unknown(typed: Typed, key: str) -> None:
    typed.write("smarketing.yaml", f"timezone: Europe/Oslo\n{key}: {{}}\n")
    told = typed("check")
    assert told.code == 2
    assert told.err.startswith(f'error[SM103]: smarketing.yaml:2:1: unknown key "{key}"')


def test_owners_whose_successors_lead_in_a_circle_are_told_at_their_line(typed: Typed) -> None:
    typed.write(
        "smarketing.yaml", "sync:\n  owners:\n    a@example.com: b@example.com\n    b@example.com: a@example.com\n"
    )
    told = typed("check")
    assert told.code == 2
    assert told.err == (
        'error[SM104]: smarketing.yaml:3:5: "a@example.com"; it leads back to somebody who left; name whoever does the '
        "work now\n"
    )


# --- the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("chekc",), "no such command 'chekc'"),
        (("config", "shwo"), "no such command 'shwo'"),
        (("check", "--jsn"), "no such option"),
        (("fields",), "missing argument 'SYSTEM'"),
        (("schema", "--out"), "requires an argument"),
        (("--config",), "requires an argument"),
    ],
)
def test_a_slip_on_the_command_line_is_told_and_ends_with_2(typed: Typed, words: tuple[str, ...], text: str) -> None:
    told = typed(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error[SM100]: ")
    assert text in told.err.lower().replace("'system'", "'SYSTEM'")
    assert "see smarketing --help" in told.err


def test_help_lists_every_command_with_what_it_does(typed: Typed) -> None:
    told = typed("--help")
    assert told.code == 0
    listed = dict(re.findall(r"^  ([a-z]+) {2,}(\S.*)$", told.out.partition("Commands:")[2], re.MULTILINE))
    there = get_command(app).commands  # type: ignore[attr-defined]
    assert listed.keys() == there.keys()
    assert {"init", "check", "doctor", "config", "lint", "fields", "explain", "schema", "plan", "sync"} <= listed.keys()


@pytest.mark.parametrize(
    "words", [("init",), ("check",), ("config", "show"), ("lint",), ("fields",), ("explain",), ("schema",)]
)
def test_every_option_has_a_word_of_help(typed: Typed, words: tuple[str, ...]) -> None:
    told = typed(*words, "--help")
    assert told.code == 0
    options = re.findall(r"^  (?:-\w, )?--[\w-]+.*(?:\n {10,}.*)*", told.out, re.MULTILINE)
    assert options
    assert all(re.search(r"[A-Z].{3,}", each) for each in options)


# --- real processes ----------------------------------------------------------------------------------------------


def test_a_process_tells_mistakes_on_stderr_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "smarketing.yaml").write_text(SIX)
    told = process(tmp_path, "check")
    assert (told.code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 6
    assert "Traceback" not in told.err
    assert SECRET not in told.err


def test_a_process_begins_checks_and_shows(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("First name,Last name,Email\nOla,Dahl,ola@example.com\n")
    assert process(tmp_path, "init", "--system", "sheet=spreadsheet:leads.csv", "--system", "crm=hubspot").code == 0
    assert process(tmp_path, "check").code == 2, "the token is empty still"
    told = process(tmp_path, "config", "show", "--json", CRM_TOKEN=SECRET)
    assert told.code == 0
    assert SECRET not in told.out
    assert {each["name"]: each["value"] for each in told.json["values"]}["systems.sheet.path"] == str(
        tmp_path / "leads.csv"
    )


def colours(folder: Path, **env: str) -> str:
    """What a process prints on a terminal."""
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from smarketing.cli.main import run; run()", "explain", "SM106"],
        stdout=there,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **env},
    ) as child:
        assert child.wait(60) == 0
    os.close(there)
    printed = os.read(here, 65_536).decode()
    os.close(here)
    return printed


def test_a_terminal_sees_colours_unless_it_wants_none(tmp_path: Path) -> None:
    assert colours(tmp_path).startswith("\x1b[1mSM106: ")
    assert "\x1b" not in colours(tmp_path, NO_COLOR="1")


def test_nothing_is_coloured_that_is_piped(typed: Typed) -> None:
    typed.write("smarketing.yaml", "timezone: Europe/Oslo\n")
    for words in (("check",), ("config", "show"), ("explain", "SM106")):
        told = typed(*words)
        assert told.code == 0
        assert "\x1b" not in told.out + told.err
