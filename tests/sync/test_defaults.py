"""What a vendor fills in by itself when we make a record says nothing of the person."""

from __future__ import annotations

import pytest

from connectors.memory_records import Temperament
from tests.sync.installation import ANN, Installation, There

SALES = {"title": "New", "k": "standard"}


def made(*, answers: bool, origin: bool = True) -> Installation:
    """Ann comes from a list into a system that fills in what it was not told."""
    temper = Temperament(returns_fields=answers, consent="record", defaults=SALES, tells_origin=origin)
    here = Installation({"crm": There(temper), "list": There()})
    here.put("list", **ANN)
    here.run()
    return here


@pytest.mark.parametrize("answers", [True, False])
def test_a_default_goes_nowhere_and_is_not_written_over(answers: bool) -> None:
    here = made(answers=answers)
    assert here.quiet()
    assert here.shown("list", "title", "k") == [[None, None]]
    assert here.shown("crm", "title", "k") == [["New", "standard"]]
    assert here.lead().value.get("title") is None


@pytest.mark.parametrize("answers", [True, False])
def test_a_value_of_the_lead_replaces_it(answers: bool) -> None:
    here = made(answers=answers)
    here.run()
    here.edit("list", here.refs("list")[0], title="t1")
    here.run()
    assert here.shown("crm", "title", "k") == [["t1", "standard"]]
    here.edit("list", here.refs("list")[0], title=None)
    here.run()
    assert here.shown("crm", "title") == [None], "emptied on purpose, so emptied there"
    assert here.quiet()


@pytest.mark.parametrize("answers", [True, False])
def test_a_person_who_changes_it_says_something(answers: bool) -> None:
    here = made(answers=answers)
    here.run()
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.run()
    assert here.shown("list", "title", "k") == [["t1", None]]
    assert here.quiet()


def test_what_a_person_said_before_we_first_read_it_is_not_taken_for_a_default() -> None:
    temper = Temperament(consent="record", defaults=SALES, tells_origin=True)
    here = Installation({"crm": There(temper), "list": There()})
    here.put("list", **ANN)
    here.run()
    here.later(1)
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.run()
    assert here.shown("list", "title") == ["t1"]
    assert here.quiet()


def test_a_vendor_that_does_not_tell_when_a_record_was_made_is_believed() -> None:
    here = made(answers=False, origin=False)
    here.run()
    assert here.shown("list", "title", "k") == [["New", "standard"]]
    assert here.quiet()


def test_a_record_that_somebody_else_made_brings_its_defaults_along() -> None:
    temper = Temperament(consent="record", defaults=SALES, tells_origin=True)
    here = Installation({"crm": There(temper), "list": There()})
    here.put("crm", **ANN)
    here.run()
    assert here.shown("list", "title", "k") == [["New", "standard"]]
