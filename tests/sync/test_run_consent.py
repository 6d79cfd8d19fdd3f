"""Who may be mailed after a run: a no goes everywhere, and nothing we do takes one back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.backdoor import Fault
from sync.rules import Rules
from sync.store import leads
from tests.sync.installation import ANN, OLA, PLAIN, Installation, There, two

# --- consent ---------------------------------------------------------------------------------------------------------


def test_an_opt_out_goes_everywhere_before_anything_else() -> None:
    here = Installation({"crm": There(), "list": There(), "mail": There(replace(PLAIN, consent="address"))})
    here.put("crm", **ANN, title="t0")
    here.run()
    here.vendors["mail"].opt_out("ann@example.com")
    here.edit("crm", here.refs("crm")[0], title="t1")
    here.run()
    assert [here.one(each, "consent") for each in here.there] == ["out"] * 3
    assert here.quiet()


def test_a_cleared_box_is_ticked_again_and_asked_about() -> None:
    here = two(rules=Rules(opt_in_trust=frozenset({1, 2})))
    ref = here.put("crm", **ANN, consent="out")
    here.put("list", **ANN)
    here.run()
    here.edit("crm", ref, consent=None)
    here.run()
    assert [here.one(each, "consent") for each in ("crm", "list")] == ["out", "out"]
    assert [each.kind for each in here.reviews()] == ["consent"]
    assert here.quiet()


@pytest.mark.parametrize(("trusted", "kept"), [(True, "confirmed"), (False, "out")])
def test_a_confirmed_yes_after_the_no_counts_from_a_trusted_system_and_is_not_passed_on(
    trusted: bool, kept: str
) -> None:
    here = two(rules=Rules(opt_in_trust=frozenset({2} if trusted else set())))
    here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    assert str(here.lead().value["consent.email"]).startswith(kept)
    assert (here.one("crm", "consent"), here.one("list", "consent")) == ("out", "in")
    assert here.quiet()


def test_a_yes_does_not_count_where_a_record_that_says_no_was_changed_after_it() -> None:
    """A no that is said once more looks like the one we wrote: only the time of the change speaks for it."""
    here = two(rules=Rules(opt_in_trust=frozenset({2})))
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.vendors["list"].confirm("ann@example.com")
    here.later(10)
    here.edit("crm", ref, title="and says no once more, for all we know")
    here.run()
    assert here.lead().value["consent.email"] == "out"
    (question,) = here.reviews("consent")
    assert question.body["why"] == "another system shows a no that may be newer"


def test_a_yes_waits_while_a_no_is_under_way() -> None:
    here = Installation({"crm": There(), "list": There(), "mail": There()}, rules=Rules(opt_in_trust=frozenset({2})))
    here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.fault("mail", Fault.CUT_AFTER, "UPDATE")
    here.run()
    here.later(30)
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    assert (here.lead().value["consent.email"], here.reviews()) == ("out", [])
    here.later(700)
    here.run()
    assert str(here.lead().value["consent.email"]).startswith("confirmed")
    assert here.quiet()


def test_an_opted_out_person_is_never_mailable_under_a_new_address() -> None:
    mail = replace(PLAIN, consent="address")
    here = Installation({"crm": There(), "mail": There(mail)})
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["mail"].opt_out("ann@example.com")
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    here.run()
    assert here.writes("mail") == ["CREATE", "WITHDRAW", "UPDATE"]
    assert (here.one("mail", "email"), here.one("mail", "consent")) == ("ann.berg@example.com", "out")
    asked = [each.method for each in here.vendors["mail"].requests()]
    assert "GET" in asked[len(asked) - asked[::-1].index("UPDATE") :], "and it is looked whether it still is"
    assert here.quiet()


def test_an_opted_out_person_is_made_only_after_their_address_was_opted_out() -> None:
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))})
    here.put("crm", **ANN, consent="out")
    here.run()
    assert here.writes("mail") == ["WITHDRAW", "CREATE"]
    assert here.shown("mail", "email", "consent") == [["ann@example.com", "out"]]
    assert here.quiet()


@pytest.mark.parametrize("address", ["ann@example.com", "other@example.com"])
def test_an_address_that_said_no_is_not_mailable_because_somebody_new_has_it(address: str) -> None:
    """Its former owner moved on with the no; the address comes back as a record of its own (F7)."""
    here = Installation({"crm": There(), "list": There()})
    ref = here.put("crm", **ANN, consent="out")
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    here.run()
    here.put("crm", email=address, first="Ola", last="Dahl", consent="in")
    here.run()
    new = next(each for each in here.people() if each.value["email"] == address)
    said = "out" if address == "ann@example.com" else None
    assert new.value.get("consent.email") == said or (said is None and new.value["consent.email"] == "in")
    shown = dict(here.shown("list", "email", "consent"))
    assert shown == {"ann.berg@example.com": "out", address: said}
    assert here.quiet()
    if said:
        with here.store.read() as tx:
            (told,) = leads.ledger(tx, new.id)[:1]
        assert tuple(told)[:4] == (address, "consent.email", "out", "the address had said no before")


def test_an_address_whose_owner_said_yes_again_is_new_to_whoever_gets_it() -> None:
    here = two(rules=Rules(opt_in_trust=frozenset({1, 2})))
    ref = here.put("crm", **ANN, consent="out")
    here.run()
    here.later(3600)
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    here.run()
    here.put("crm", email="ann@example.com", first="Ola", last="Dahl")
    here.run()
    new = next(each for each in here.people() if each.value["email"] == "ann@example.com")
    assert new.value.get("consent.email") is None


def test_nobody_is_opted_in_by_being_made() -> None:
    here = two()
    here.put("crm", **ANN, consent="in")
    here.run()
    assert here.shown("list", "consent") == [None]


def test_a_no_said_anew_reaches_a_system_whose_yes_waits_for_a_person() -> None:
    """Out; then a yes in two systems that are not trusted for it; then a no in one of them: the other hears of it."""
    here = Installation({"crm": There(), "list": There(), "mail": There()})
    here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    for name in ("list", "mail"):
        here.vendors[name].confirm("ann@example.com")
        here.run()
    assert ({each.kind for each in here.reviews()}, here.one("mail", "consent")) == ({"consent"}, "in"), "it waits"
    here.vendors["list"].opt_out("ann@example.com")
    here.run()
    assert [here.one(each, "consent") for each in here.there] == ["out"] * 3


def test_before_an_address_changes_where_a_no_hangs_on_it_the_record_is_read_once_more() -> None:
    by_address = replace(PLAIN, consent="address")
    here = Installation({"crm": There(), "list": There(by_address)})
    ann = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ann, email="new@example.com")
    with here.units() as units:
        units.pull("crm", "list")
        units.decide()
        here.later(30)
        here.vendors["list"].opt_out("ann@example.com")
        units.push("list")
    here.run()
    here.run()
    assert here.one("list", "consent") == "out"
    assert here.one("crm", "consent") == "out"


@pytest.mark.parametrize("returns_fields", [True, False])
def test_an_address_that_said_no_before_we_made_a_record_with_it_says_no_for_the_person(returns_fields: bool) -> None:
    """No record began with a no by itself, where it hangs on the address."""
    by_address = replace(PLAIN, consent="address", returns_fields=returns_fields)
    here = Installation({"crm": There(), "list": There(by_address)})
    here.vendors["list"].opt_out("ann@example.com")
    here.put("crm", **ANN)
    here.put("crm", **OLA)
    here.run()
    here.run()
    assert here.shown("list", "first", "consent") == [["Ann", "out"], ["Ola", None]]
    assert here.shown("crm", "first", "consent") == [["Ann", "out"], ["Ola", None]]
    assert here.quiet()
