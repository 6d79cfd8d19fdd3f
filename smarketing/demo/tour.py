"""The way through the demonstration: what is typed, what it shows, and whether it is true.

Everything is done by the commands themselves, over real HTTP, in a folder that is thrown away. Whether systems agree is
judged by the second look of `reread.py`. What may still differ is named beforehand in the sample, and must be told by
the program as well; anything else is a failure.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smarketing.cli.output import count, paint, say
from smarketing.demo import reread
from smarketing.demo.reread import Difference, Row
from smarketing.sandbox import opening, sample
from smarketing.sandbox.emulator import Emulator
from smarketing.sandbox.sample import ROLES, Stage
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld

if TYPE_CHECKING:
    from sync.engine import Engine
    from sync.store.db import Tx

SYSTEMS = ("hubspot", "salesforce", "sheet")
REASONS: Mapping[str, str] = {
    "two leads": "HubSpot knows an address once only, and it is taken: a person decides",
    "unreadable": "what stands there cannot be read: a person decides",
    "unwritable": "Salesforce has no word for it: a person decides",
    "circle": "two people exchange their addresses, where each address is known once only: a person decides",
    "cut": "Salesforce keeps the beginning only; the whole stays where there is room for it",
    "deleted": "was deleted there, and is not made again",
}
CONFIGURATION = """\
# Everything is kept in smarketing.db beside this file.
systems:
  hubspot:
    connector: hubspot
    base_url: {hubspot[base_url]}
    token: ${{DEMO_HUBSPOT_TOKEN}}
    mapping: hubspot.yaml
  salesforce:
    connector: salesforce
    base_url: {salesforce[base_url]}
    client_id: {salesforce[client_id]}
    client_secret: ${{DEMO_SALESFORCE_SECRET}}
    mapping: salesforce.yaml
  sheet:
    connector: spreadsheet
    path: leads.csv
    mapping: sheet.yaml
sync:
  trust: [salesforce, hubspot, sheet]
"""


class Disappointed(Exception):
    """The demonstration did not show what it promises."""


def run(folder: Path) -> None:
    """Raises FakerMissing, Disappointed."""
    world = RealWorld()
    hubspot = opening.hubspot(world, search_lag=0.0)
    salesforce = opening.salesforce(world)
    stage = sample.open_stage(hubspot, salesforce, folder / "leads.csv", world)
    stage.arrive()
    emulators: dict[str, Emulator] = {"hubspot": hubspot, "salesforce": salesforce}
    with Sandbox(emulators, world, opening.secret(world)) as served, contextlib.chdir(folder):
        line = served.line()
        write_configuration(folder, line)
        tour = Tour(stage, line)
        tour.meet()
        tour.agree()
        tour.explain()
        tour.undo()
        tour.second_day()


def write_configuration(folder: Path, line: Mapping[str, Mapping[str, str]]) -> None:
    (folder / "smarketing.yaml").write_text(CONFIGURATION.format(**line), encoding="utf-8")
    secrets = {
        "DEMO_HUBSPOT_TOKEN": line["hubspot"]["token"],
        "DEMO_SALESFORCE_SECRET": line["salesforce"]["client_secret"],
    }
    kept = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(kept, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in secrets.items())
    for name, text in sample.MAPPINGS.items():
        (folder / name).write_text(text, encoding="utf-8")


class Tour:
    """The parts of the way, in order."""

    def __init__(self, stage: Stage, line: Mapping[str, Mapping[str, str]]) -> None:
        self.stage = stage
        self.line = line
        self.people = {reread.family(each.last): each for each in stage.people.values()}

    def meet(self) -> None:
        self.tell(
            "A company keeps its people in HubSpot, in Salesforce and in a sheet from an older time (semicolons, "
            "Windows-1252). Nobody in it exists; the two vendors are stand-ins on this machine, reached over HTTP."
        )
        for role, about in ROLES.items():
            say(f"  {self.stage.people[role].name} {about}")
        found = reread.differences(self.look(), SYSTEMS)
        people = len({each.person for each in found})
        self.tell(f"Reading all three by hand: they disagree about {people} of {len(self.people)} people, as in")
        for each in [each for each in found if each.field != "record"][:6]:
            say(f"  {self.called(each.person)}: {_told(each)}")
        say(f"  and {count(sum(each.field == 'record' for each in found), 'person', 'people')} missing somewhere")

    def agree(self) -> None:
        self.tell("What would a synchronisation do? It reads everything and writes nothing:")
        self.type("plan", "--out", "plan.json")
        self.tell("That is what somebody agrees to, to the letter, and then:")
        self.type("sync", "--plan", "plan.json")
        self.check(sample.FIRST_DAY)
        self.nothing_to_do("And a second plan is empty:")

    def explain(self) -> None:
        self.tell("Where does a value come from? Every one can be asked:")
        ref = self.stage.ref("spelled", "hubspot")
        self.type("leads", "show", "hubspot", str(ref))

    def undo(self) -> None:
        self.tell("Somebody imports a list into HubSpot that gives three people one and the same number:")
        self.stage.import_badly("+4722000000")
        self.type("sync")
        run, back = self.last_run()
        self.tell("It went everywhere. A run can be taken back; first it is shown:")
        self.type("undo", str(run), allowed=(0, 3))
        self.type("undo", str(run), "--confirm", str(back))
        self.nothing_to_do("And it stays taken back, though HubSpot still has the number:")
        self.tell("Meanwhile the import is put right over there:")
        self.stage.import_badly(None)
        self.type("sync")
        self.check(sample.FIRST_DAY)

    def second_day(self) -> None:
        self.tell(
            "The second day: one title is changed in two systems at once, somebody is deleted in Salesforce, "
            "somebody opts out in HubSpot, two swap addresses, a lead is converted, two contacts are merged, the sheet "
            "is edited."
        )
        self.stage.go_on()
        self.type("plan")
        self.type("sync")
        self.check(sample.SECOND_DAY)
        self.nothing_to_do("Nothing is left to do, and who was deleted is not made again:")
        self.tell("What only a person can decide, with its answers:")
        self.type("review", "list")

    # --- its steps ---------------------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        say()
        for line in _wrapped(text):
            say(paint(line, "blue"))

    def type(self, *words: str, allowed: tuple[int, ...] = (0,)) -> int:
        """What a user would type, and what they would see. Raises Disappointed when it ends in another way."""
        from smarketing.cli import main

        say(paint(f"$ smarketing {' '.join(words)}", "bold"))
        code = main.run(["--config", "smarketing.yaml", *words])
        if code not in allowed:
            raise Disappointed(f'"smarketing {" ".join(words)}" ended with {code}')
        return code

    def nothing_to_do(self, text: str) -> None:
        self.tell(text)
        if self.type("plan", "--exit-code", allowed=(0, 4)):
            raise Disappointed("the plan is not empty, though nobody has changed anything")

    def look(self) -> list[Row]:
        return reread.read(self.line, self.stage.sheet, sample.ENCODING)

    def called(self, person: str) -> str:
        return self.people[person].name if person in self.people else person

    def last_run(self) -> tuple[int, int]:
        """The run just done, and how much of it can be taken back."""
        from sync.store import runs
        from sync.undo import preview

        with _installed() as (engine, tx):
            run = runs.latest(tx, 1)[0].id
            return run, preview(engine, tx, run).count

    def check(self, waits: Mapping[tuple[str, str], str]) -> None:
        """Look at all systems by hand. Raises Disappointed unless they agree, but for what is known to wait."""
        rows = self.look()
        found = reread.differences(rows, SYSTEMS)
        expected = {(reread.family(self.stage.people[role].last), field): kind for (role, field), kind in waits.items()}
        wrong = [each for each in found if (each.person, each.field) not in expected]
        wrong += self.twins(rows, waits)
        for each in wrong:
            say(f"  {self.called(each.person)}: {_told(each)}")
        if wrong:
            raise Disappointed(f"read by hand, the systems disagree about {count(len(wrong), 'value')}")
        agreed = len(self.people) - len({each.person for each in found})
        fields = sum(len(row.values) for row in rows)
        self.tell(
            f"Read by hand, without our code: {count(len(rows), 'record')}, {fields:,} values. {agreed} of "
            f"{count(len(self.people), 'person', 'people')} are the same in all three; of the others this waits:"
        )
        reasons = self.reasons()
        for each in found:
            kind = expected[each.person, each.field]
            if kind not in reasons[each.person]:
                raise Disappointed(
                    f"{self.called(each.person)}: {each.field} differs, and the program does not say why"
                )
            say(f"  {self.called(each.person)}, {each.field}: {REASONS[kind]}")
        say(f"  {count(len(found), 'thing')} in all")

    def twins(self, rows: list[Row], waits: Mapping[tuple[str, str], str]) -> Iterator[Difference]:
        """Whoever has more records somewhere than people made."""
        for (person, system), number in sorted(reread.counts(rows).items()):
            member = self.people.get(person)
            several = sample.SEVERAL.get((member.role, system), 1) if member is not None else 0
            if number > several:
                yield Difference(person, "number of records", {system: [str(number)]})

    def reasons(self) -> Mapping[str, set[str]]:
        """What the program itself says of each person: the kinds of questions about them, how their fields are settled,
        what became of their records."""
        from sync.store import leads, records, runs

        found: dict[str, set[str]] = {person: set() for person in self.people}
        with _installed() as (engine, tx):
            people = leads.by_id(tx, [row[0] for row in tx.rows(_every_lead())])
            sides = records.by_lead(tx, list(people))
            asked: dict[int | None, set[str]] = {}
            for question in runs.open_reviews(tx, 1000):
                for number in {question.lead, *(lead for lead, _ in question.body.get("samples", ()))}:
                    asked.setdefault(number, set()).add(question.kind)
            for lead in people.values():
                name = lead.value.get("name")
                told = found.setdefault(
                    reread.family(str(name.get("last_name"))) if isinstance(name, dict) else "", set()
                )
                told |= asked.get(lead.id, set())
                for known in sides[lead.id]:
                    told |= {str(why) for _, why, _ in known.asked.values()} | {known.state.name.lower()}
                    mapping, title = engine.mapping(known), lead.value.get("title")
                    if mapping is not None and mapping.round("title", title) != title:
                        told.add("cut")
        return found


def _every_lead() -> Any:
    import sqlalchemy as sa

    from sync.store.schema import lead

    return sa.select(lead.c.id).where(lead.c.state == "live")


@contextlib.contextmanager
def _installed() -> Iterator[tuple[Engine, Tx]]:
    from smarketing.wiring import open_installation, read_settings

    made = open_installation(read_settings(Path("smarketing.yaml"), os.environ), RealWorld())
    try:
        with made.store.read() as tx:
            yield made.engine, tx
    finally:
        made.close()


def _told(difference: Difference) -> str:
    if difference.field == "record":
        return f"is in {', '.join(system for system, ids in difference.said.items() if ids)} only"
    said = [f"{system} {', '.join(map(_shown, values))}" for system, values in difference.said.items()]
    return f"{difference.field}: {'; '.join(said)}"


def _shown(value: object) -> str:
    return "(nothing)" if value is None else f'"{value}"' if isinstance(value, str) else "yes" if value else "no"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 100)
