"""Clauses about consent: an opt-out over there is seen, and no write of ours makes mailable who was not."""

from __future__ import annotations

from connectors.base import FeedKind, WriteKind
from connectors.conformance.clause import Clause, ability, clause, feed, name, writes
from connectors.conformance.rig import Rig, reads

DELTA = feed(FeedKind.DELTA)
CREATE, UPDATE = writes(WriteKind.CREATE), writes(WriteKind.UPDATE)
CONSENT = ability(lambda can: can.consent_on != "none", "it keeps no consent")
ADDRESS = ability(lambda can: can.consent_on == "address", "an opt-out does not hang on the address")


@clause("opt-out-follows-the-person", UPDATE, CONSENT)
def opt_out_follows_the_person(rig: Rig) -> None:
    """Who has opted out is out under a new address too, where need be by withdrawing for the new one first."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    old = rig.address(ref)
    new = f"new.{old}"
    rig.door.opt_out(old)
    if connector.capabilities.consent_on == "address":
        rig.done(rig.write(connector, rig.withdrawal(new)))
    ref = rig.update(connector, ref, {rig.names.email: new})
    kept = rig.really(ref)
    assert kept.fields[rig.names.email] == new, "the address was not changed"
    assert kept.consent.get("email") == "out", f"the new address is mailed: {dict(kept.consent)}"


@clause("opt-out-before-create", CREATE, writes(WriteKind.WITHDRAW), ADDRESS)
def opt_out_before_create(rig: Rig) -> None:
    """An address that nobody has over there can be opted out, and a record made with it is out from the start."""
    connector = rig.connect()
    row = rig.fresh()
    rig.done(rig.write(connector, rig.withdrawal(row[rig.names.email])))
    assert not rig.alive(row[rig.names.email]), "the withdrawal made a record"
    ref = rig.create(connector, row)[0]
    consent = rig.really(ref).consent
    assert consent.get("email") == "out", f"the new record is mailed: {dict(consent)}"


@clause("created-opted-out", CREATE, CONSENT, name("consent", "field that shows an opt-out"))
def created_opted_out(rig: Rig) -> None:
    """A record that is created with an opt-out is out from the start, and one created without is left as it is."""
    assert rig.names.consent is not None
    field, out = rig.names.consent
    connector = rig.connect()
    other = rig.create(connector, rig.fresh())[0]
    ref = rig.create(connector, rig.fresh(**{field: out}))[0]
    assert rig.really(ref).consent.get("email") == "out", f"it is mailed: {dict(rig.really(ref).consent)}"
    assert rig.really(other).consent.get("email") != "out", "another record was opted out"


@clause("opt-out-is-read", DELTA, name("consent", "field that shows an opt-out"))
def opt_out_is_read(rig: Rig) -> None:
    """An opt-out by the owner of an address is shown by the next reading."""
    assert rig.names.consent is not None
    shows, out = rig.names.consent
    ref = rig.put(1)[0]
    rig.settle()
    connector = rig.connect()
    cursor = rig.read(connector).cursor
    rig.tick()
    rig.door.opt_out(rig.address(ref))
    rig.settle()
    newest = rig.read(connector, cursor=cursor).newest
    assert ref in newest, "the record of the address was not shown"
    assert reads(newest[ref], shows) == out, f"{shows!r} reads {reads(newest[ref], shows)!r} instead of {out!r}"


CLAUSES: tuple[Clause, ...] = (
    opt_out_is_read,
    opt_out_follows_the_person,
    opt_out_before_create,
    created_opted_out,
)
