"""How many requests a first sync of two vendors makes beside the fewest that would do, and a run without changes.

HubSpot's and Salesforce's stand-ins over HTTP, in this process; whatever the vendors' rates let us wait for passes at
once.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clock import Stopwatch
from benchmarks.engine import NO_LIMITS
from benchmarks.table import Line
from benchmarks.vendors import Traffic, change, fill, traffic
from smarketing.sandbox.emulator import Emulator
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Sandbox
from smarketing.wiring import open_installation, read_settings
from sync.run import sync

LIMIT = 1.05
"""Requests that write records ÷ the fewest that would do."""
FEEDS = {"hubspot": 1, "salesforce": 2}
"""HubSpot's contacts; Salesforce's leads and its contacts."""
PAUSE = 600.0
"""Seconds between two runs: what the one before wrote has been read again, and shows late in no feed any more."""

CONFIGURATION = """
database: sqlite:///{folder}/smarketing.db
timezone: Europe/Oslo
systems:
  hubspot: {{connector: hubspot, token: "{token}", base_url: "{hubspot}"}}
  salesforce:
    connector: salesforce
    auth: client_credentials
    client_id: "{id}"
    client_secret: "{secret}"
    base_url: "{salesforce}"
sync: {{trust: [salesforce, hubspot], first: apply}}
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """The traffic of three runs by system, and how many people are on both sides after them."""

    first: dict[str, Traffic]
    few: dict[str, Traffic]
    idle: dict[str, Traffic]
    people: tuple[int, int]


def count(people: int, folder: Path, *, both: bool) -> Counted:
    """A first sync, a run after one in a hundred changed, and one after nothing did."""
    world = Stopwatch()
    hubspot = HubSpotEmulator(world, token="pat-benchmark")
    salesforce = SalesforceEmulator(
        world, client_id="app", client_secret="secret", username="sync@example.com", password="p", daily_limit=10**9
    )
    fill(hubspot, salesforce, people, both=both)
    emulators: dict[str, Emulator] = {"hubspot": hubspot, "salesforce": salesforce}
    with Sandbox(emulators, world, "control") as sandbox:
        line = sandbox.line()
        file = folder / "smarketing.yaml"
        file.write_text(
            CONFIGURATION.format(
                folder=folder,
                token=line["hubspot"]["token"],
                hubspot=line["hubspot"]["base_url"],
                id=line["salesforce"]["client_id"],
                secret=line["salesforce"]["client_secret"],
                salesforce=line["salesforce"]["base_url"],
            )
        )
        there = open_installation(read_settings(file, {}), world)
        there.engine.settings = dataclasses.replace(there.engine.settings, limits=NO_LIMITS)

        def run() -> dict[str, Traffic]:
            before = {name: len(each.requests()) for name, each in emulators.items()}
            world.sleep(PAUSE)
            report = sync(there.engine, "benchmark", "counted")
            if report.failures:
                raise RuntimeError(f"the run failed: {report.failures}")
            return {name: traffic(name, each.requests()[before[name] :]) for name, each in emulators.items()}

        try:
            first = run()
            run()  # what the first one wrote is read again
            change(hubspot, range(1, people + 1, 100))
            few = run()
            run()
            idle = run()
        finally:
            there.close()
    live = tuple(
        sum(not each.state for each in one.records() if each.ref.object in PEOPLE) for one in emulators.values()
    )
    return Counted(first, few, idle, (live[0], live[1]))


PEOPLE = ("contact", "Contact", "Lead")


def lines(people: int) -> Iterator[Line]:
    for both, told in ((False, "into an empty Salesforce"), (True, "both partly filled")):
        with tempfile.TemporaryDirectory() as folder:
            found = count(people, Path(folder), both=both)
        yield from _lines(found, f"{people:,} contacts, {told}")


def _lines(found: Counted, about: str) -> Iterator[Line]:
    made = sum(each.made() for each in found.first.values())
    needed = sum(each.needed() for each in found.first.values())
    yield Line(f"{about}: requests that write, per needed", made / needed if needed else 0.0, LIMIT, "", at_most=True)
    for name, each in found.first.items():
        for (object_, verb), requests in sorted(each.writes.items()):
            records = len(each.records[object_, verb])
            yield Line(f"  {name}: {verb} {object_}, {records:,} records", requests, None, "requests")
        for purpose, requests in sorted(each.others.items()):
            yield Line(f"  {name}: {purpose}", requests, None, "requests")
    for name, each in found.few.items():
        yield Line(f"  1 % changed, {name}: written", each.made(), max(each.needed(), 0), "requests")
    for name, each in found.idle.items():
        asked = sum(each.others.values()) + each.made()
        yield Line(f"  nothing changed, {name}", asked, FEEDS[name], "requests", at_most=True)
