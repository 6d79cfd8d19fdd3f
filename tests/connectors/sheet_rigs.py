"""Rigs over a real file that a `SheetDoor` moves: a .csv and an .xlsx, with small pages."""

from __future__ import annotations

from pathlib import Path

from connectors.backdoor import Fault
from connectors.base import Connector, Fields
from connectors.conformance import Lines, Names, Rig
from connectors.spreadsheet import Spreadsheet
from connectors.spreadsheet.disk import RealDisk
from connectors.spreadsheet.settings import SpreadsheetSettings
from smarketing.sandbox.sheet import FAULTS, SheetDoor
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

COLUMNS = ("Navn", "E-post", "Mobil", "Notat", "Tittel", "Nummer", "Møte", "VIP", "Størrelse", "Samtykke")
PAGE = 4
"""What `connectors.spreadsheet.connector.PAGE` is set to while a rig is used."""

# A write gets no answer that could be lost or spoilt: whether it was done is seen in the file, so it leaves no doubt.
# What these do to a reading is tested in `test_spreadsheet_files`.
CERTAIN = FAULTS - {Fault.ERROR_AFTER, Fault.CUT_AFTER, Fault.TRUNCATED, Fault.HTML}


def people(n: int) -> Fields:
    return {"Navn": f"Person {n}", "E-post": f"person{n}@example.com", "Notat": f"Note {n}", "Tittel": f"Title {n}"}


def sheet_rig(path: Path) -> Rig:
    world = ManualWorld()
    door = SheetDoor(path, world, COLUMNS, email="E-post", consent=("Samtykke", "Nei", "Ja"))

    def connect() -> Connector:
        settings = SpreadsheetSettings(path=path)
        return Spreadsheet("sheet", settings, world, {"row": COLUMNS}, NoSecrets(), door.disk(RealDisk()))

    name = f"/{path.name}"
    return Rig(
        connector=connect,
        door=door,
        world=world,
        names=Names(
            object="row",
            email="E-post",
            text="Notat",
            long_text=("Tittel", 32_767),
            big_integer=("Nummer", 9007199254740993),
            aware_time=("Møte", "2026-05-06T07:08:09+02:00"),
            flag=("VIP", "TRUE", "FALSE"),
            picklist=("Størrelse", "large"),
            refused=("Mobil", "\x07 rings a bell"),
            consent=("Samtykke", "Nei"),
        ),
        make_fields=people,
        settle=lambda: None,
        page=PAGE,
        missing="row-0123456789abcdef0123",
        lines=Lines(read=f"READ {name}", create=f"WRITE {name}", update=f"WRITE {name}"),
        faults=CERTAIN,
        merges=False,
        stands_still=True,
        tells_wait=False,
    )
