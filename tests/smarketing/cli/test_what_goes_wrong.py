"""Bad input and a bad day: each is told with its code and the right exit code; nothing is lost, no traceback is shown,
and nothing secret or personal stands in the log."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.backdoor import Fault, When
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld
from sync.model import OutState
from sync.store import db
from sync.store.db import Store
from tests.smarketing.cli.answers import Answered, answered

TOKEN, CLIENT_SECRET = "pat-sandbox-7d1f", "client-secret-93ab"
PEOPLE = 12
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # whoever runs the tests may ignore it
    "from smarketing.cli.main import script; script()"
)


class Office:
    """Two vendors over HTTP and a configuration that names them. Every answer of a command is looked through for
    tracebacks, secrets and people."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], scopes: tuple[str, ...] | None) -> None:
        self.folder, self._capsys = folder, capsys
        self.world = RealWorld()
        more = {} if scopes is None else {"scopes": scopes}
        self.hubspot = HubSpotEmulator(self.world, token=TOKEN, search_lag=0.0, **more)
        self.salesforce = SalesforceEmulator(
            self.world, client_id="app", client_secret=CLIENT_SECRET, username="u@example.com", password="p"
        )
        self.sandbox = Sandbox({"hubspot": self.hubspot, "salesforce": self.salesforce}, self.world, "control")
        for number in range(PEOPLE):
            fields = {"email": f"kari{number}@example.com", "firstname": "Kari", "lastname": f"Hansen{number}"}
            self.hubspot.put("contact", dict(fields))
        self.token, self.secret = TOKEN, CLIENT_SECRET
        self.write()

    def write(self, more: str = "", sync: str = "{first: apply, trust: [salesforce, hubspot]}") -> None:
        line = self.sandbox.line()
        (self.folder / "smarketing.yaml").write_text(
            f"""
database: sqlite:///store.db
systems:
  hubspot: {{connector: hubspot, token: "{self.token}", base_url: "{line["hubspot"]["base_url"]}"}}
  salesforce: {{connector: salesforce, client_id: app, client_secret: "{self.secret}", base_url: "{line["salesforce"]["base_url"]}"}}
{more}
sync: {sync}
""",
            encoding="utf-8",
        )

    def __call__(self, *words: str) -> Answered:
        return looked_through(
            answered(self._capsys, "--config", str(self.folder / "smarketing.yaml"), "--log-json", *words)
        )

    def process(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", START, "--config", str(self.folder / "smarketing.yaml"), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def names_in_salesforce(self) -> list[str]:
        return sorted(str(each.fields.get("LastName")) for each in self.salesforce.records())

    def everybody_is_there_once(self) -> bool:
        return self.names_in_salesforce() == sorted(f"Hansen{number}" for number in range(PEOPLE))


def looked_through(ran: Answered) -> Answered:
    assert "Traceback" not in ran.err
    assert TOKEN not in ran.out + ran.err
    assert CLIENT_SECRET not in ran.out + ran.err
    assert not re.search(r"kari\d|Hansen\d", ran.err), "a person stands in the log"
    return ran


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("NO_COLOR", "1")
    made = Office(tmp_path, capsys, None)
    with made.sandbox:
        yield made


# --- credentials and rights ------------------------------------------------------------------------------------------


def test_a_wrong_token_stops_that_system_and_says_what_to_check(office: Office) -> None:
    office.token = "pat-of-nobody"
    office.write()
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM307\]: hubspot: .*check the token of systems\.hubspot", ran.err)
    assert "pat-of-nobody" not in ran.err
    assert "salesforce" not in "".join(line for line in ran.err.splitlines() if line.startswith("error"))
    office.token = TOKEN
    office.write()
    assert office("sync").code == 0
    assert office.everybody_is_there_once()


def test_a_wrong_secret_is_told_by_the_system_it_belongs_to(office: Office) -> None:
    office.secret = "wrong-one"
    office.write()
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM3\d\d\]: salesforce: .*client_secret", ran.err)
    assert "wrong-one" not in ran.err
    checked = office("check", "salesforce")
    assert checked.code == 1
    assert "SM3" in checked.out + checked.err


def test_a_missing_scope_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office = Office(tmp_path, capsys, ("crm.objects.contacts.read",))
    with office.sandbox:
        checked = office("check", "hubspot")
        assert checked.code == 1
        assert "crm.objects.contacts.write" in checked.out
        office.salesforce.put("Lead", {"Email": "x@example.com", "LastName": "Xu", "Company": "Fjord AS"})
        ran = office("sync")
        assert ran.code == 1
        assert re.search(r"error\[SM3\d\d\]: hubspot: 403 .*the token lacks [a-z_.]+; add it", ran.err)


# --- answers that are none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Fault.HTML, Fault.TRUNCATED, Fault.REDIRECT, Fault.FORBIDDEN])
def test_an_answer_that_is_none_fails_that_system_alone_and_the_next_run_goes_on(
    office: Office, kind: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smarketing.world.RealWorld.sleep", lambda self, seconds: None)
    office.salesforce.fault(kind, When(path="/query", times=1000))
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM3\d\d\]: salesforce: ", ran.err)
    office.salesforce.fault(kind, When(path="/query", times=0))
    with contextlib.closing(Store(f"sqlite:///{office.folder / 'store.db'}", office.world)) as store, store.tx() as tx:
        assert [each.trouble is not None for each in db_systems(tx)] == [False, True]
    assert office.names_in_salesforce() == []


def db_systems(tx: db.Tx) -> list[object]:
    from sync.store import feeds

    return list(feeds.systems(tx))


def test_a_vendor_that_nobody_reaches_is_told(office: Office) -> None:
    office.write(more='  gone: {connector: hubspot, token: "x", base_url: "http://127.0.0.1:9"}')
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM30\d\]: gone: ", ran.err)
    assert office.everybody_is_there_once(), "the others went on"


# --- sheets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leads.xlsx", b"<html>not a workbook</html>"),
        ("leads.xlsx", b"PK\x03\x04" + b"\x00" * 200),
        ("leads.csv", b"\x00\x01\x02" * 400),
        ("leads.csv", b""),
        ("leads.doc", b"x"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_left_as_it_is_and_the_others_go_on(
    office: Office, name: str, content: bytes
) -> None:
    file = office.folder / name
    file.write_bytes(content)
    office.write(more=f"  sheet: {{connector: spreadsheet, path: {name}}}")
    ran = office("sync")
    assert ran.code == 1
    assert re.search(rf"error\[SM32\d\]: sheet: {re.escape(name)}", ran.err)
    assert file.read_bytes() == content
    assert office.everybody_is_there_once()


def test_a_sheet_that_is_not_there_is_told(office: Office) -> None:
    office.write(more="  sheet: {connector: spreadsheet, path: nowhere.csv}")
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM32\d\]: sheet: .*nowhere\.csv does not exist; check the setting path", ran.err)


# --- the configuration -----------------------------------------------------------------------------------------------


def test_five_mistakes_are_told_at_once_with_their_places(office: Office) -> None:
    (office.folder / "smarketing.yaml").write_text(
        """timezone: Europe/Olso
systems:
  hubspot: {connector: hubspt, token: x}
  salesforce: {connector: salesforce, client_id: app, client_secrt: y}
sync:
  every: 5 minutes
  trust: [hubspot, nobody]
""",
        encoding="utf-8",
    )
    ran = office("sync")
    assert (ran.code, ran.out) == (2, "")
    told = [line for line in ran.err.splitlines() if line.startswith("error[")]
    places = [re.search(r"smarketing\.yaml:(\d+):\d+: ", line) for line in told]
    assert all(places)
    assert {int(place[1]) for place in places if place} == {1, 3, 4, 6, 7}
    for meant in ("Europe/Oslo", "hubspot", "client_secret"):
        assert f'did you mean "{meant}"' in ran.err


# --- the machine -----------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_nothing_is_lost(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office("plan").code == 0
    connected = db._sqlite_connected

    def small(connection: sqlite3.Connection, record: object) -> None:
        connected(connection, record)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    for number in range(60):
        fields = {"email": f"more{number}@example.com", "lastname": f"More{number}", "address": "x" * 3000}
        office.hubspot.put("contact", dict(fields))
    with monkeypatch.context() as patched:
        patched.setattr(db, "_sqlite_connected", small)
        ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM2\d\d\]: .*the disk is full", ran.err)
    assert office("sync").code == 0
    assert len(office.names_in_salesforce()) == PEOPLE + 60


def test_a_database_that_somebody_holds_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office("plan").code == 0
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(office.folder / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ran = office("sync")
    holder.rollback()
    holder.close()
    assert ran.code == 1
    assert re.search(r"error\[SM2\d\d\]: .*(locked|held|busy)", ran.err)
    assert office("sync").code == 0
    assert office.everybody_is_there_once()


def test_a_file_that_is_no_database_is_told(office: Office) -> None:
    (office.folder / "store.db").write_bytes(b"this is a shopping list, and a long one at that\n" * 50)
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM2\d\d\]: .*store\.db", ran.err)


def test_a_second_process_on_the_same_database_is_told_and_changes_nothing(office: Office) -> None:
    office.salesforce.fault(Fault.SLOW, When(path="/composite", times=1, value=2.0))
    first = office.process("sync")
    until(lambda: sending(office))
    before = len(office.salesforce.requests())
    ran = office("sync")
    assert ran.code == 1
    assert re.search(r"error\[SM220\]: another smarketing process .* is at work", ran.err)
    assert len(office.salesforce.requests()) == before
    out, err = first.communicate(timeout=30)
    assert (looked_through(Answered(first.returncode, out, err)).code, office.everybody_is_there_once()) == (0, True)


# --- interruptions ---------------------------------------------------------------------------------------------------


def sending(office: Office) -> bool:
    """Whether a system is being written to right now, as far as the store knows."""
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(office.folder / "store.db")) as there,
    ):
        return bool(there.execute("SELECT 1 FROM outbox WHERE state = ?", [OutState.SENDING]).fetchall())
    return False  # there is no store yet


def until(met: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_mid_push_loses_nothing_and_makes_nobody_twice(office: Office, times: int) -> None:
    office.salesforce.fault(Fault.SLOW, When(path="/composite", times=1, value=1.5))
    process = office.process("sync")
    until(lambda: sending(office))
    for _ in range(times):
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    ran = looked_through(Answered(process.returncode, out, err))
    assert ran.code == 130
    assert "interrupted" in ran.err
    assert "nothing is lost" in ran.err
    status = office("status", "--json")
    assert json.loads(status.out)["runs"][0]["state"] == "interrupted"
    # What was cut off is in doubt, and not sent again before the vendor can have given up on it.
    again = office("sync")
    assert again.code == 0
    there = office.names_in_salesforce()
    assert len(there) == len({*there}) == PEOPLE
