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

from docs.generated import command_words, help_of
from smarketing.cli.main import app
from tests.smarketing.cli.answers import Answered
from tests.smarketing.cli.typed import Typed, typed

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
    ("verify",),
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
        "smarketing.yaml",
        "sync:\n  owners:\n    a@example.com: b@example.com\n    b@example.com: a@example.com\n"
        "systems: {crm: {connector: hubspot, token: x}}\n",
    )
    told = typed("check")
    assert told.code == 2
    assert told.err == (
        'error[SM104]: smarketing.yaml:3:5: "a@example.com"; it leads back to somebody who left; name whoever does the '
        "work now\n"
    )


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_configuration_without_a_system_is_a_mistake_for_every_command(typed: Typed, words: tuple[str, ...]) -> None:
    typed.write("smarketing.yaml", "timezone: Europe/Oslo\nsystems: {}\n")
    told = typed(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "error[SM105]: smarketing.yaml:2:10: the configuration names no system; add one under systems, or begin with "
        '"smarketing init" in another folder\n'
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{connector: hubspot, token: x}", "{connector: hubspot, token: x, parallel: 2}"),
        ("{connector: spreadsheet, path: a.csv}", "{connector: spreadsheet, path: ./b/../a.csv, delimiter: ';'}"),
        (
            "{connector: salesforce, client_id: a, client_secret: x, base_url: https://a.my.salesforce.com}",
            "{connector: salesforce, client_id: b, client_secret: y, base_url: https://a.my.salesforce.com/}",
        ),
    ],
    ids=["hubspot", "spreadsheet", "salesforce"],
)
def test_one_account_or_file_is_not_two_systems(typed: Typed, one: str, other: str) -> None:
    """Each edit would come back as somebody else's (F19)."""
    typed.write("smarketing.yaml", f"systems:\n  mine: {one}\n  again: {other}\n")
    told = typed("check")
    assert (told.code, told.err) == (
        2,
        'error[SM104]: smarketing.yaml:3:3: "again" is the same account or file as "mine": it would only '
        "ever agree with itself; take one of them out\n",
    )


def test_two_sheets_of_one_workbook_are_two_systems(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smarketing.world.RealWorld.sleep", lambda self, seconds: None)  # there is no such file
    typed.write(
        "smarketing.yaml",
        "systems:\n  a: {connector: spreadsheet, path: a.xlsx, sheet: A}\n  b: {connector: spreadsheet, path: a.xlsx, sheet: B}\n",
    )
    assert "SM104" not in typed("check").err


@pytest.mark.parametrize(
    "address", ["mysql://me:tiger-secret@db.example.com/x", "postgresql://me:tiger-secret@db.example.com/x", "x.db"]
)
def test_a_database_of_a_kind_that_is_not_known_is_told_with_those_that_are(typed: Typed, address: str) -> None:
    typed.write("smarketing.yaml", f"database: {address}\nsystems: {{crm: {{connector: hubspot, token: x}}}}\n")
    told = typed("status")
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        'error[SM104]: smarketing.yaml:1:11: "database" is not accepted; write sqlite:///FILE or '
        "postgresql+psycopg://USER:PASSWORD@HOST/NAME\n"
    )


@pytest.mark.parametrize("connector", ["hubspot, token: t", "salesforce, client_id: a, client_secret: t"])
@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "http://api.example.com",
            'is "http://api.example.com"; write https://, since credentials are sent to it; http:// is for this '
            "machine alone",
        ),
        (
            "https://me:tiger-secret@api.example.com",
            "is not accepted; an address holds no user and no password; credentials have keys of their own",
        ),
    ],
)
def test_an_address_to_which_a_token_would_go_in_the_open_is_refused(
    typed: Typed, connector: str, address: str, told: str
) -> None:
    typed.write("smarketing.yaml", f'systems: {{crm: {{connector: {connector}, base_url: "{address}"}}}}\n')
    ran = typed("config", "show")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f': "base_url" {told}\n')
    assert "tiger-secret" not in ran.err


AS_JSON = (
    *(("check",), ("config", "show"), ("lint",), ("fields", "crm"), ("plan",), ("sync",), ("status",)),
    *(("why", "crm", "1"), ("verify",), ("undo",), ("restore",)),
    *(("review", "list"), ("review", "decide", "1", "keep"), ("review", "replay")),
    *(("leads", "search", "x"), ("leads", "show", "1"), ("leads", "history", "1"), ("leads", "edit", "1", "title=x")),
    *(("leads", "merge", "1", "2"), ("leads", "split", "1"), ("migrate", "--from", "crm", "--to", "list")),
)
"""Every command that answers programs and reads the configuration."""


@pytest.mark.parametrize("words", AS_JSON, ids=" ".join)
def test_programs_are_told_what_is_wrong_as_one_document(typed: Typed, words: tuple[str, ...]) -> None:
    typed.write("smarketing.yaml", SIX)
    told = typed(*words, "--json")
    assert (told.code, told.json["format_version"]) == (2, "1.0")
    assert len(told.json["errors"]) == len(told.err.splitlines()) == 6
    assert told.json["errors"][2] == {
        "code": "SM103",
        "file": "smarketing.yaml",
        "line": 3,
        "column": 29,
        "text": 'unknown key "tokn"; did you mean "token"?',
    }


def test_every_command_that_answers_programs_is_tried_so(typed: Typed) -> None:
    taking = {words for words in command_words() if "--json" in help_of(*words)}
    assert taking - {("doctor",), ("explain",), ("sandbox",), ("connectors",)} == {
        words if words in taking else words[: 2 if words[:2] in taking else 1] for words in AS_JSON
    }


@pytest.mark.parametrize("words", [("explain", "SM1000", "--json"), ("explain", "--json", "--jsn")])
def test_a_slip_is_told_to_programs_as_well(typed: Typed, words: tuple[str, ...]) -> None:
    told = typed(*words)
    assert told.code == 2
    (error,) = told.json["errors"]
    assert told.err == f"error[{error['code']}]: {error['text']}\n"


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
        (("undo", "x"), "invalid value for 'run': write a whole number"),
        (("review", "decide", "N", "keep"), "invalid value for 'id': write a whole number"),
        (("review", "decide", "9" * 30, "keep"), "invalid value for 'id': there is no such number"),
        (("sandbox", "--contacts", "-1"), "invalid value for '--contacts': it must be at least 0"),
    ],
)
def test_a_slip_on_the_command_line_is_told_and_ends_with_2(typed: Typed, words: tuple[str, ...], text: str) -> None:
    told = typed(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error[SM100]: ")
    assert text in told.err.lower().replace("'system'", "'SYSTEM'")
    assert "see smarketing --help" in told.err


@pytest.mark.parametrize("words", [(), ("leads",), ("review",), ("config",)], ids=" ".join)
def test_a_group_of_commands_without_one_shows_its_help(typed: Typed, words: tuple[str, ...]) -> None:
    told = typed(*words)
    assert (told.code, told.err) == (1, "")
    assert told.out == typed(*words, "--help").out


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


def begun(folder: Path, command: str) -> Answered:
    """What a shell says of a command line in which $SMARKETING is ours."""
    ours = f'{sys.executable} -c "from smarketing.cli.main import script; script()"'
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("$SMARKETING", ours)],
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    return Answered(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    ("command", "code", "err"),
    [
        ("$SMARKETING explain >&-", 0, ""),
        ("$SMARKETING explain SM1 2>&- >&- <&-", 2, ""),
        ("$SMARKETING explain >/dev/full", 1, "error[SM902]: the disk is full; make room"),
        ("{ $SMARKETING explain; echo $? >&2; } | true", 0, "1\n"),
    ],
)
def test_an_output_that_is_closed_full_or_gone_makes_no_fuss(tmp_path: Path, command: str, code: int, err: str) -> None:
    told = begun(tmp_path, command)
    assert (told.code, told.out) == (code, "")
    assert told.err[: len(err) or None] == err


def test_a_database_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("First name,Last name,Email\nOla,Dahl,ola@example.com\n")
    (tmp_path / "smarketing.yaml").write_text("systems: {sheet: {connector: spreadsheet, path: leads.csv}}\n")
    assert begun(tmp_path, "$SMARKETING plan <&- >&- 2>&-").code == 0
    assert begun(tmp_path, "$SMARKETING status").code == 0


@pytest.mark.parametrize("command", ["status", "sync"])
def test_a_database_that_does_not_answer_shows_no_traceback_even_to_the_curious(tmp_path: Path, command: str) -> None:
    (tmp_path / "smarketing.yaml").write_text(
        "database: postgresql+psycopg://u:p@127.0.0.1:9/leads\nsystems: {crm: {connector: hubspot, token: x}}\n"
    )
    told = begun(tmp_path, f"$SMARKETING --verbose {command}")
    assert told.code == 1
    assert told.err == "error[SM216]: leads: no connection to the database; check its address and that it runs\n"


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
    typed.write("leads.csv", "First name,Last name,Email\nOla,Dahl,ola@example.com\n")
    typed.write("smarketing.yaml", "systems: {sheet: {connector: spreadsheet, path: leads.csv}}\n")
    for words in (("status",), ("config", "show"), ("explain", "SM106")):
        told = typed(*words)
        assert told.code == 0
        assert "\x1b" not in told.out + told.err
