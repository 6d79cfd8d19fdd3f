"""Two vendors over HTTP, in which nothing of ours is yet, and a sheet: what a person begins with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Server
from tests.smarketing.cli.typed import Typed, typed
from tests.worlds import ManualWorld

__all__ = ["SECRET", "TOKEN", "Vendors", "typed", "vendors"]

TOKEN, SECRET = "pat-only-here-0001", "secret-of-the-app-0002"
SHEET = (
    "Navn;E-post;Postnr;Stilling;Nyhetsbrev\nOla Dahl;ola@example.com;0150;Selger;Ja\nKari;kari@example.com;0151;;\n"
)
MAPPING = """\
connector: spreadsheet
extends: false
objects:
  row:
    fields:
      name: {remote: Navn, as: full_name}
      email: {remote: E-post, slot: true}
      postcode: {remote: Postnr, as: postcode}
"""


class Vendors:
    """`configure` writes a configuration that names them; the token is a variable."""

    def __init__(self, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
        self.typed = typed
        self.world = world = ManualWorld()
        monkeypatch.setattr("smarketing.world.RealWorld", lambda: world)  # whoever waits, waits no time
        self.hubspot = HubSpotEmulator(world, token=TOKEN, key_property=False)
        self.salesforce = SalesforceEmulator(
            world, client_id="app", client_secret=SECRET, username="u@example.com", password="p", key_field=False
        )
        self._servers = [Server(each.handle, world) for each in (self.hubspot, self.salesforce)]
        monkeypatch.setenv("TOKEN", TOKEN)
        monkeypatch.setenv("SECRET", SECRET)
        typed.write("leads.csv", SHEET)
        typed.write("sheet.yaml", MAPPING)

    def configure(self, **more: str) -> None:
        """`more`: further keys of single systems."""
        crm, sf = (each.url for each in self._servers)
        lines = {
            "crm": f'connector: hubspot, token: "${{TOKEN}}", base_url: "{crm}"',
            "sf": f'connector: salesforce, client_id: app, client_secret: "${{SECRET}}", base_url: "{sf}"',
            "sheet": "connector: spreadsheet, path: leads.csv, mapping: sheet.yaml",
        }
        told = [f"  {name}: {{{line}{more.get(name, '')}}}" for name, line in lines.items()]
        self.typed.write("smarketing.yaml", "\n".join(["systems:", *told]) + "\n")

    def stop(self, which: int) -> None:
        self._servers.pop(which).stop()

    def close(self) -> None:
        for each in self._servers:
            each.stop()


@pytest.fixture
def vendors(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    made = Vendors(typed, monkeypatch)
    made.configure()
    yield made
    assert TOKEN not in typed.printed
    assert SECRET not in typed.printed
    made.close()
