"""A rig over Mailchimp's stand-in: an audience with a field of each kind that the suite plays with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.backdoor import Fault
from connectors.base import Connector, Fields
from connectors.conformance import Lines, Names, Rig
from connectors.mailchimp import Mailchimp, MailchimpSettings
from smarketing.sandbox.mailchimp import MailchimpEmulator
from smarketing.sandbox.mailchimp.emulator import FIELDS
from smarketing.sandbox.server import Server
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

KEY = "0123456789abcdef0123456789abcdef-us19"
WRONG = "fedcba9876543210fedcba9876543210-us19"
LIST = "abc123def4"
LINES = Lines(read=f"GET /3.0/lists/{LIST}/members", create=f"POST /3.0/lists/{LIST}", update="PATCH /3.0/lists")
NAMES = Names(
    object="member",
    email="email_address",
    text="NOTE",
    long_text=("LNAME", 255),
    big_integer=("SCORE", 9007199254740995),
    flag=("vip", True, False),
    picklist=("SIZE", "small"),
    refused=("SIZE", "gigantic"),
    consent=("status", "unsubscribed"),
)
OWN = (
    {"tag": "NOTE", "name": "Note", "type": "text"},
    {"tag": "SCORE", "name": "Score", "type": "number"},
    {"tag": "SIZE", "name": "Size", "type": "dropdown", "options": {"choices": ["small", "large"]}},
)
WANTED = (
    *("email_address", "status", "cleaned", "language", "vip", "tags"),
    *("FNAME", "LNAME", "PHONE", "NOTE", "SCORE", "SIZE", "ADDRESS.addr1", "ADDRESS.city", "ADDRESS.zip"),
)


def people(n: int) -> Fields:
    return {"email_address": f"person{n}@example.com", "FNAME": f"First {n}", "NOTE": f"Note {n}"}


@contextmanager
def mailchimp_rig() -> Iterator[Rig]:
    world = ManualWorld()
    account = MailchimpEmulator(world, api_key=KEY, list_id=LIST, fields=(*FIELDS, *OWN))
    server = Server(account.handle, world)

    def connect(**overrides: object) -> Connector:
        told = {"base_url": server.url, "api_key": KEY, "list_id": LIST, **overrides}
        return Mailchimp("news", MailchimpSettings.model_validate(told), world, {"member": WANTED}, NoSecrets())

    rig = Rig(
        connector=connect,
        door=account,
        world=world,
        names=NAMES,
        make_fields=people,
        settle=lambda: world.sleep(10.0),
        page=500,
        missing="0" * 32,
        lines=LINES,
        wrong={"api_key": WRONG},
        secrets=(KEY, WRONG),
        faults=frozenset(Fault) - {Fault.FOREIGN_LINK},
        merges=False,
        stands_still=True,
        tells_wait=False,
    )
    try:
        yield rig
    finally:
        rig.close()
        server.stop()
