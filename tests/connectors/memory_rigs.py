"""Rigs over `MemorySystem`: the three named temperaments, and one that has what they have not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from connectors.base import Connector, Fields, State, WriteKind
from connectors.conformance import Lines, Names, Rig
from connectors.memory import Memory, MemorySettings
from connectors.memory_records import COERCING, CONDITIONAL, PLAIN, Deletes, Temperament
from connectors.memory_system import FAULTS, MemorySystem
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

TOKEN = "t0p-secret-of-the-memory"

CONTRARY = Temperament(
    own_key=True,
    unique_email=True,
    deletes=Deletes.LISTING,
    removed=State.ARCHIVED,
    merge_makes_new=True,
    tells_writer=True,
    history=True,
)

TEMPERAMENTS = {"conditional": CONDITIONAL, "plain": PLAIN, "coercing": COERCING, "contrary": CONTRARY}


def people(n: int) -> Fields:
    return {"email": f"person{n}@example.com", "name": f"Person {n}", "note": f"Note {n}", "title": f"Title {n}"}


def names(how: Temperament) -> Names:
    return Names(
        object="person",
        email="email",
        text="note",
        long_text=("title", how.cut.get("title") if how.tells_lengths else None),
        big_integer=("number", 9007199254740993),
        aware_time=("met_at", "2026-05-06T07:08:09+02:00"),
        flag=("vip", True, False),
        picklist=("size", "large"),
        refused=("size", "gigantic"),
        consent=("consent", "out") if how.consent != "none" else None,
    )


def memory_rig(temperament: Temperament, kind: Callable[..., Connector] = Memory) -> Rig:
    """A rig over a system of this temperament, with small pages and batches; `kind` makes the connector."""
    world = ManualWorld()
    how = replace(temperament, page=4, batch=dict.fromkeys(WriteKind, 10), choices={"size": ("small", "large")})
    system = MemorySystem(world, how, token=TOKEN)
    wanted = {"person": ["email", "name", "note", "title", "number", "met_at", "vip", "size", "consent"]}

    def connect(token: str = TOKEN) -> Connector:
        settings = MemorySettings(world_name="rig", token=SecretStr(token))
        return kind("memory", settings, world, wanted, NoSecrets(), system)

    return Rig(
        connector=connect,
        door=system,
        world=world,
        names=names(how),
        make_fields=people,
        settle=lambda: world.sleep(how.lag),
        page=how.page,
        missing="9999999",
        lines=Lines(read="LIST /person", create="CREATE /person", update="UPDATE /person"),
        wrong={"token": "wr0ng-secret-of-the-memory"},
        secrets=(TOKEN, "wr0ng-secret-of-the-memory"),
        faults=FAULTS,
        stands_still=True,
    )
