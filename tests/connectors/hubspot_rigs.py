"""Rigs over HubSpot's stand-in: contacts, in an account with our key property and in one without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.base import Connector, Fields
from connectors.conformance import Lines, Names, Rig
from connectors.hubspot import HubSpot, HubSpotSettings
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.server import Server
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

TOKEN = "pat-sandbox-0001"
WRONG = "pat-of-nobody-0002"
OBJECTS = "/crm/v3/objects/contacts"
LINES = Lines(read=f"GET {OBJECTS}", create=f"POST {OBJECTS}/batch/create", update=f"POST {OBJECTS}/batch/update")
RIGS = {"with-key": True, "without-key": False}

NAMES = Names(
    object="contact",
    email="email",
    text="message",
    long_text=("jobtitle", 65_536),
    big_integer=("annualrevenue", "9007199254740995"),
    picklist=("hs_lead_status", "NEW"),
    refused=("hs_lead_status", "gigantic"),
    consent=("consent:email", "out"),
    stage=("lifecyclestage", "customer", "lead"),
)
WANTED = (
    *("email", "message", "firstname", "jobtitle", "annualrevenue", "hs_lead_status", "lifecyclestage"),
    *("hubspot_owner_id", "hs_additional_emails", "consent:email", "company.name", "company.domain"),
)


def people(n: int) -> Fields:
    return {"email": f"person{n}@example.com", "firstname": f"First {n}", "message": f"Note {n}"}


@contextmanager
def hubspot_rig(key_property: bool) -> Iterator[Rig]:
    world = ManualWorld()
    account = HubSpotEmulator(world, token=TOKEN, key_property=key_property)
    server = Server(account.handle, world)

    def connect(**overrides: object) -> Connector:
        settings = HubSpotSettings.model_validate({"base_url": server.url, "token": TOKEN, **overrides})
        return HubSpot("crm", settings, world, {"contact": WANTED}, NoSecrets())

    rig = Rig(
        connector=connect,
        door=account,
        world=world,
        names=NAMES,
        make_fields=people,
        settle=lambda: world.sleep(61.0),
        page=100,
        missing="99999999",
        lines=LINES,
        wrong={"token": WRONG},
        secrets=(TOKEN, WRONG),
        stands_still=True,
    )
    try:
        yield rig
    finally:
        rig.close()
        server.stop()
