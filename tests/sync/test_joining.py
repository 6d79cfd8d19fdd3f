"""Two leads that a person joins, and a lead that is split again (F30)."""

from __future__ import annotations

import pytest

from connectors.backdoor import Fault
from connectors.base import Ref
from sync import run as runner
from sync.edit import CannotDecide, Moved
from sync.joining import join, split, to_join, to_split
from sync.side_by_side import Report
from sync.store import leads
from sync.store.db import Tx
from tests.sync.installation import ANN, OLA, Installation, two

BERIT = {"email": "berit@example.com", "first": "Berit", "last": "Berg"}


def pair(**more: object) -> tuple[Installation, Ref, Ref]:
    """Ann and Berit, each in both systems."""
    here = two()
    ann = here.put("crm", **ANN, title="t0", tags=["a"])
    berit = here.put("list", **BERIT, title="x0", tags=["b"], **more)
    here.run()
    return here, ann, berit


def lead_of(here: Installation, system: str, ref: Ref) -> int:
    number = here.known(system, ref).lead
    assert number is not None
    return number


def joined(here: Installation, stays: int, goes: int) -> Report:
    def work(tx: Tx) -> int:
        return join(here.engine, tx, stays, goes, to_join(tx, stays, goes).count, "kari", "one person")

    return runner.act(here.engine, work)


def divided(here: Installation, number: int) -> Report:
    def work(tx: Tx) -> int:
        return split(here.engine, tx, number, to_split(tx, number)[0].count, "kari", "they are two")

    return runner.act(here.engine, work)


def test_two_leads_become_one_with_all_their_records() -> None:
    here, ann, berit = pair()
    stays, goes = lead_of(here, "crm", ann), lead_of(here, "list", berit)
    joined(here, stays, goes)
    assert [each.id for each in here.people()] == [stays]
    assert len(here.sides()) == 4
    with here.store.read() as tx:
        assert leads.real(tx, goes) == stays, "its number goes on meaning them"
    assert here.lead().value["tags"] == ["a", "b"]
    assert here.quiet()


def test_a_lead_that_is_split_is_two_again_with_what_each_had_and_has_said_since() -> None:
    here, ann, berit = pair()
    stays, goes = lead_of(here, "crm", ann), lead_of(here, "list", berit)
    joined(here, stays, goes)
    here.edit("list", berit, a="said by Berit's record since")
    here.run()
    divided(here, stays)
    one, other = here.people()
    assert (one.id, other.id) == (stays, goes)
    assert (one.value["email"], one.value["title"], one.value["tags"]) == ("ann@example.com", "t0", ["a"])
    assert (other.value["email"], other.value["title"], other.value["tags"]) == ("berit@example.com", "x0", ["b"])
    assert (one.value.get("a"), other.value["a"]) == (None, "said by Berit's record since")
    here.run()
    for system in ("crm", "list"):
        assert sorted(here.shown(system, "first", "title", "a")) == [
            ["Ann", "t0", None],
            ["Berit", "x0", "said by Berit's record since"],
        ]
    assert here.quiet()


def test_two_who_were_split_are_not_joined_again_by_an_address_they_share() -> None:
    here = two()
    ann, other = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    stays, goes = lead_of(here, "crm", ann), lead_of(here, "crm", other)
    joined(here, stays, goes)
    divided(here, stays)
    here.edit("crm", other, email="ann@example.com")
    for _ in range(3):
        here.run()
    assert lead_of(here, "crm", ann) != lead_of(here, "crm", other)


def test_a_no_to_being_mailed_is_not_split() -> None:
    here, ann, berit = pair()
    stays, goes = lead_of(here, "crm", ann), lead_of(here, "list", berit)
    joined(here, stays, goes)
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    divided(here, stays)
    here.run()
    assert [each.value["consent.email"] for each in here.people()] == ["out", "out"]
    assert here.shown("list", "consent") == ["out", "out"]
    with here.store.read() as tx:
        assert [(row[2], row[3]) for row in leads.ledger(tx, goes)] == [("out", "split from a lead that says no")]


def test_what_was_joined_before_goes_along_with_the_lead_it_went_into() -> None:
    here, ann, berit = pair()
    ola = here.put("crm", **OLA)
    here.run()
    stays, goes, third = lead_of(here, "crm", ann), lead_of(here, "list", berit), lead_of(here, "crm", ola)
    joined(here, goes, third)
    joined(here, stays, goes)
    divided(here, stays)
    with here.store.read() as tx:
        assert [leads.real(tx, each) for each in (stays, goes, third)] == [stays, goes, goes]
    divided(here, goes)
    with here.store.read() as tx:
        assert leads.real(tx, third) == third


def test_people_who_were_merged_over_there_cannot_be_split() -> None:
    here = two()
    kept, lost = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    here.vendors["crm"].merge(kept, lost)
    here.run()
    number = here.lead().id
    with here.store.read() as tx, pytest.raises(CannotDecide, match="were merged over there"):
        to_split(tx, number)


def test_what_cannot_be_joined_or_split_is_said() -> None:
    here, ann, berit = pair()
    stays, goes = lead_of(here, "crm", ann), lead_of(here, "list", berit)
    with here.store.read() as tx:
        with pytest.raises(CannotDecide, match="was never joined"):
            to_split(tx, stays)
        with pytest.raises(CannotDecide, match="one lead already"):
            to_join(tx, stays, stays)
        with pytest.raises(Moved, match="there is no lead 99"):
            to_join(tx, stays, 99)
        assert to_join(tx, stays, goes).count == 4
    with pytest.raises(Moved, match="4 records by now, not 3"):
        runner.act(here.engine, lambda tx: join(here.engine, tx, stays, goes, 3, "kari", ""))
    assert len(here.people()) == 2


def test_two_who_are_both_being_created_somewhere_become_one_later() -> None:
    here = two()
    ann, ola = here.put("crm", **ANN), here.put("crm", **OLA)
    here.fault("list", Fault.CUT_AFTER, "CREATE")
    here.run()
    with pytest.raises(CannotDecide, match="being created"):
        joined(here, lead_of(here, "crm", ann), lead_of(here, "crm", ola))
    assert len(here.people()) == 2


def test_nothing_is_split_while_something_is_being_sent() -> None:
    here, ann, berit = pair()
    stays = lead_of(here, "crm", ann)
    joined(here, stays, lead_of(here, "list", berit))
    here.edit("crm", ann, a="a1")
    here.fault("list", Fault.CUT_AFTER, "UPDATE")
    here.run()
    with pytest.raises(CannotDecide, match="being sent"):
        divided(here, stays)
