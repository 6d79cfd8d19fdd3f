"""What has happened before a test begins, for the stories that several tests set out from."""

from __future__ import annotations

from connectors.base import Ref
from tests.sync.installation import ANN, OLA, Installation

LONG_ENOUGH = 25 * 3600
"""Seconds after which a deletion counts as meant."""


def quarrel(here: Installation) -> tuple[Ref, Ref]:
    """Ann's title was "t0" in both systems; now it is "left" in the CRM and "right" in the list."""
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    (copy,) = here.refs("list")
    here.edit("crm", ref, title="left")
    here.edit("list", copy, title="right")
    here.run()
    return ref, copy


def fight(here: Installation, rounds: int) -> tuple[Ref, Ref]:
    """Two automations write Ann's country in turns, each in its own way."""
    ref = here.put("crm", **ANN, a="Norge")
    here.run()
    (copy,) = here.refs("list")
    for _ in range(rounds):
        here.edit("crm", ref, "workflow", a="NORWAY")
        here.run()
        here.edit("list", copy, "workflow", a="Norway")
        here.run()
    return ref, copy


def stranger(here: Installation) -> Ref:
    """Two people had one address, one of them left it, and somebody without a name writes from it."""
    here.put("crm", email="shared@example.com", first="Ann", last="Berg")
    ola = here.put("crm", email="shared@example.com", first="Ola", last="Dahl")
    here.run()
    here.edit("crm", ola, email="ola@example.com")
    here.run()
    ref = here.put("list", email="shared@example.com", title="somebody")
    here.run()
    return ref


def swap(here: Installation) -> None:
    """Ann and Ola swap their addresses in the CRM."""
    ann, ola = here.put("crm", **ANN), here.put("crm", **OLA)
    here.run()
    here.edit("crm", ann, email="ola@example.com")
    here.edit("crm", ola, email="ann@example.com")
    here.run()


def delete(here: Installation, *, edited_since: bool = False) -> Ref:
    """Ann is deleted in the CRM, perhaps edited in the list since, and time has passed."""
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].remove(ref)
    here.run()
    if edited_since:
        here.edit("list", here.refs("list")[0], title="promoted")
        here.run()
    here.later(LONG_ENOUGH)
    here.run()
    return ref
