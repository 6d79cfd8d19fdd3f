"""Ways in which a no, a plan or a limit could be got round, each tried once and shut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Done, State, Write
from sync import run as runner
from sync.edit import Moved, edit
from sync.guard import Limit, Limits
from sync.review import decide
from sync.rules import Rules
from sync.undo import preview
from tests.sync.installation import ANN, ANY, OLA, PLAIN, Installation, There, two

BY_ADDRESS = replace(PLAIN, consent="address")


def test_a_no_reaches_a_record_that_we_made_where_the_vendor_answers_only_what_it_was_sent() -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, tells_origin=True))})
    ann = here.put("crm", **ANN)
    connector = here.engine.connectors[here.id("list")]
    whole = connector.write

    def narrow(writes: list[Write]) -> list[object]:
        return [
            replace(answer, fields={name: answer.fields[name] for name in each.fields if name in answer.fields})
            if isinstance(answer, Done) and answer.fields
            else answer
            for each, answer in zip(writes, whole(writes), strict=True)
        ]

    connector.write = narrow  # type: ignore[method-assign, assignment]
    here.run()
    here.run()
    assert "consent" in here.known("list", here.refs("list")[0]).now
    here.vendors["crm"].opt_out("ann@example.com")
    here.edit("crm", ann, phone="+4791234567")
    here.run()
    assert here.shown("list", "consent", "phone") == [["out", "+4791234567"]]


def test_opt_outs_are_held_back_by_their_own_limit_and_no_other() -> None:
    tight = Limits(Limit(2, 0.01), ANY, ANY, ANY, ANY, Limit(50, 0.02))
    here = two(limits=tight)
    for number in range(8):
        here.put("crm", email=f"p{number}@example.com", first="Pia", last=f"Person{number}x")
    here.run()
    for number in range(6):
        here.vendors["list"].opt_out(f"p{number}@example.com")
    here.run()
    assert here.shown("crm", "consent").count("out") == 6
    assert here.reviews("inbound") == []


def test_a_record_counts_once_in_a_limit_however_many_fields_moved() -> None:
    here = two(limits=Limits(Limit(3, 0.01), ANY, ANY, ANY, ANY, ANY))
    refs = [
        here.put("crm", email=f"p{n}@example.com", first="Pia", last=f"Person{n}x", street="s", city="c")
        for n in range(5)
    ]
    here.run()
    for ref in refs[:3]:
        here.edit("crm", ref, street="s1", city="c1")
    here.run()
    assert here.reviews("inbound") == []


def test_an_address_is_not_put_back_under_which_a_person_who_said_no_would_be_mailed() -> None:
    here = Installation({"crm": There(), "list": There(BY_ADDRESS)})
    ann = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ann, email="new@example.com")
    run = here.run().run
    here.vendors["crm"].opt_out("new@example.com")
    here.run()
    with here.store.read() as tx:
        shown = preview(here.engine, tx, run)
    assert not shown.back
    assert any("would be mailed under the old address" in why for _, why in shown.lost)


def test_without_a_way_to_say_no_there_an_opted_out_person_keeps_their_address_there() -> None:
    here = Installation({"crm": There(), "list": There(BY_ADDRESS)})
    ann = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.change("list", mapping={"consent.email": None})
    here.edit("crm", ann, email="new@example.com", title="t1")
    here.run()
    assert here.shown("list", "email", "title", "consent") == [["ann@example.com", "t1", "out"]]


def test_a_no_typed_by_a_person_reaches_a_system_that_was_left_with_a_yes() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    assert here.one("list", "consent") == "in"
    number = here.lead().id
    runner.act(here.engine, lambda tx: edit(here.engine, tx, number, {"consent.email": "out"}, "kari", "she called"))
    assert here.one("list", "consent") == "out"


def test_a_kind_of_consent_that_no_system_knows_is_no_field() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    number = here.lead().id
    with pytest.raises(KeyError), here.store.tx() as tx:
        edit(here.engine, tx, number, {"consent.emial": "out"}, "kari", "a slip")


def test_a_yes_is_not_allowed_while_a_newer_no_was_read_and_not_weighed() -> None:
    here = two(rules=Rules(resubscribe="propagate"))
    here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    (question,) = here.reviews("consent")
    here.vendors["list"].opt_out("ann@example.com")
    here.plan()
    with pytest.raises(Moved), here.store.tx() as tx:
        decide(here.engine, tx, question.id, "in", "kari", "")


def test_an_approved_plan_enrols_nobody_whose_plan_was_not_shown() -> None:
    here = Installation({"a": There(), "b": There()}, first="approve")
    here.put("a", **ANN)
    here.put("b", **OLA)
    wanted = [mark for line in here.plan()[1] if line.system == "a" for mark in line.hashes]
    report = runner.sync(here.engine, "test", "a test", wanted=wanted, shown=["a"])
    assert (here.shown("a", "first"), here.shown("b", "first"), report.held) == (["Ann", "Ola"], ["Ola"], 1)
    assert here.run().unapproved == ["b"]
    assert here.shown("b", "first") == ["Ola"]


def test_while_too_many_have_vanished_nobody_follows_them() -> None:
    here = Installation(
        {"crm": There(), "list": There(deletions="archive")}, limits=Limits(ANY, Limit(2, 0.01), ANY, ANY, ANY, ANY)
    )
    refs = [here.put("crm", email=f"p{n}@example.com", first="Pia", last=f"Person{n}x") for n in range(6)]
    here.run()
    for ref in refs[:4]:
        here.vendors["crm"].remove(ref)
    here.run()
    here.later(90_000)
    here.run()
    here.run()
    assert [each.kind for each in here.reviews("inbound")] == ["inbound"]
    assert [each.state for each in here.vendors["list"].records()] == [State.LIVE] * 6


def test_where_nobody_is_to_be_asked_the_first_plan_fits_no_limit() -> None:
    here = two(first="apply", limits=Limits(ANY, ANY, ANY, Limit(2, 0.01), ANY, ANY))
    for number in range(5):
        here.put("crm", email=f"p{number}@example.com", first="Pia", last=f"Person{number}x")
    here.run()
    assert len(here.refs("list")) == 5
    for number in range(5, 10):
        here.put("crm", email=f"p{number}@example.com", first="Pia", last=f"Person{number}x")
    assert here.run().held == 5
