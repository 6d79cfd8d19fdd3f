"""A sandbox in a process of its own, an installation in a folder, and people who act between two runs."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from connectors.base import Ref
from connectors.world import MICROSECONDS
from smarketing.cli.commands.sandbox import configuration
from smarketing.sandbox.backdoor import RemoteBackdoor
from smarketing.wiring import Installation, open_installation, read_settings
from smarketing.world import RealWorld
from sync.engine import Engine
from sync.packed import unpack
from sync.store.schema import record
from tests.crash.doors import HUBSPOT, SALESFORCE, Door
from tests.sim.known import heard_no, idle, knows
from tests.sim.people import ACTS, People
from tests.sim.truth import Truth

ROOT = Path(__file__).parents[2]
MAPPINGS = {
    "hubspot.yaml": """\
objects:
  contact:
    fields: {owner: null, lead_status: null, a: message, k: industry}
""",
    "salesforce.yaml": """\
objects:
  Lead:
    fields: &fields
      owner: null
      a: Description
      k: Fax
      stage:
        remote: Lifecycle_Stage__c
        options: {Subscriber: subscriber, Lead: lead, MQL: mql, SQL: sql, Opportunity: opportunity, Customer: customer}
  Contact:
    fields: *fields
""",
}
SETTINGS = """
lead: {fields: {a: text, k: text}}
sync:
  first: apply
  sweep: 1s
  trust: [salesforce, hubspot]
  fields: {k: {rule: ask}, a: {rule: "RULE"}}
  limits: {inbound: &any {floor: 1000000, share: 100%}, shrink: *any, update: *any, create: *any, archive: *any,
           withdraw: *any}
"""
LEFT_OUT = ("tag", "untag", "opt in", "take address")
"""Acts for which these vendors have no field, or that end in a question rather than in agreement."""


class Town:
    """Everything outside the process that is killed. `race`: see the oracle; here nobody acts while a run goes on, so
    nothing is excused."""

    race = 0.0

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.random = random.Random(seed)
        self.truth = Truth()
        self.marks: Counter[str] = Counter()
        self.rested = False
        self._ahead = 0.0
        self._begun, self._since = time.monotonic(), time.time()
        self._clock = folder / "ahead"
        self._clock.write_text("0")
        words = ("sandbox", "--systems", "hubspot,salesforce", "--empty", "--json")
        self._sandbox = self._start(*words, stdout=subprocess.PIPE)
        assert self._sandbox.stdout is not None
        line = json.loads(self._sandbox.stdout.readline())
        self._configure(line)
        self.remote = {name: RemoteBackdoor(name, **line["control"]) for name in ("hubspot", "salesforce")}
        self.installation: Installation = open_installation(read_settings(self.file, {}), RealWorld())
        self.vendors: Mapping[int, Door] = {
            self.engine.system("hubspot").id: Door(self.remote["hubspot"], HUBSPOT),
            self.engine.system("salesforce").id: Door(self.remote["salesforce"], SALESFORCE),
        }
        self._store = sqlite3.connect(f"file:{folder / 'smarketing.db'}?mode=ro", uri=True)
        shares = {name: share for name, share in ACTS.items() if name not in LEFT_OUT}
        whole = sum(shares.values())
        self.people = People(self, {name: share / whole for name, share in shares.items()})
        self.people.arrive()

    @property
    def file(self) -> Path:
        return self.folder / "smarketing.yaml"

    @property
    def engine(self) -> Engine:
        return self.installation.engine

    @property
    def passed(self) -> float:
        return time.monotonic() - self._begun + self._ahead

    def moment(self, passed: float) -> int:
        return int((self._since + passed) * MICROSECONDS)

    def dice(self) -> float:
        return self.random.random()

    def knows(self, number: int, ref: Ref) -> bool:
        return knows(self.engine, number, ref)

    def heard_no(self, number: int, ref: Ref) -> bool:
        return heard_no(self.engine, number, ref)

    def act(self, times: int) -> None:
        for _ in range(times):
            self.people.act()

    def let_pass(self, seconds: float) -> None:
        """The clocks of the vendors and of the next run go on."""
        self._ahead += seconds
        self._clock.write_text(str(self._ahead))

    # --- runs --------------------------------------------------------------------------------------------------------

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        return self._start("--config", str(self.file), *words, stdout=subprocess.DEVNULL)

    def run(self, *words: str) -> int:
        with self.begin(*words) as process:
            code = process.wait(120)
        self.look()
        return code

    def look(self) -> None:
        """Note what the run just ended has read and made."""
        with self.engine.store.read() as tx:
            for row in tx.rows(sa.select(record.c.now, record.c.base, record.c.pending)):
                for stored in row:
                    for value in (unpack(stored) or {}).values():
                        self.truth.note_read(value, self.passed)
        for number, door in self.vendors.items():
            for ref in door.made_by_us():
                self.truth.made.setdefault((number, ref.id), self.passed)

    def sending(self) -> set[tuple[int, int]]:
        """Operations that are claimed and not settled: which record, and when it was claimed."""
        return set(self._store.execute("SELECT record, sent_at FROM outbox WHERE state = 2"))

    def runs(self) -> int:
        found: int = self._store.execute("SELECT count(*) FROM run").fetchone()[0]
        return found

    def idle(self) -> bool:
        return idle(self.engine)

    def writes(self) -> int:
        """Requests that changed something over there."""
        told = [each for door in self.remote.values() for each in door.requests()]
        reading = ("/search", "/read", "/token")
        return sum(each.method != "GET" and not each.path.partition("?")[0].endswith(reading) for each in told)

    def close(self) -> None:
        for door in self.remote.values():
            door.close()
        self._store.close()
        self.installation.close()
        self._sandbox.terminate()
        self._sandbox.communicate(timeout=10)

    # --- beginnings --------------------------------------------------------------------------------------------------

    def _start(self, *words: str, stdout: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.crash.shifted", str(self._clock), *words]
        with (self.folder / "errors").open("a") as errors:
            env = {**os.environ, "NO_COLOR": "1"}
            return subprocess.Popen(command, stdout=stdout, stderr=errors, text=True, cwd=ROOT, env=env)

    def _configure(self, line: Mapping[str, Mapping[str, str]]) -> None:
        text = configuration(line)
        for name in ("hubspot", "salesforce"):
            text = text.replace(f"    connector: {name}\n", f"    connector: {name}\n    mapping: {name}.yaml\n")
        rule = "owner: salesforce" if self.seed % 2 else "newest"
        self.file.write_text(text + SETTINGS.replace("RULE", rule), encoding="utf-8")
        for name, content in MAPPINGS.items():
            (self.folder / name).write_text(content, encoding="utf-8")
