"""What a run does not send: more than the limits, a first plan, what is not in a plan file."""

from __future__ import annotations

from dataclasses import replace

from connectors.backdoor import Fault
from connectors.base import Ref
from connectors.memory_records import COERCING
from connectors.memory_system import MemorySystem
from sync.guard import Limit
from sync.rules import Policy, Rules
from tests.sync.installation import ANN, NO_LIMITS, OLA, PLAIN, Installation, There, two

# --- guards ----------------------------------------------------------------------------------------------------------


def crowd(here: Installation, count: int) -> list[Ref]:
    refs = [
        here.put("crm", email=f"p{i}@example.com", first="P", last=f"Person{i}x", title=f"t{i}") for i in range(count)
    ]
    here.run()
    return refs


def test_a_column_that_goes_blank_is_held_back_and_told() -> None:
    here = two(limits=replace(NO_LIMITS, inbound=Limit(5, 0.05)))
    refs = crowd(here, 12)
    for ref in refs:
        here.edit("crm", ref, title=None)
    here.edit("crm", refs[0], a="a1")
    report = here.run()
    assert None not in here.shown("list", "title")
    assert here.shown("list", "a")[0] == "a1", "the other columns flow on"
    assert [(each.kind, each.body["group"], each.body["what"], each.body["count"]) for each in here.reviews()] == [
        ("inbound", "title", "cleared", 12)
    ]
    assert (report.state, report.refuses) == ("refused", True)
    assert [str(each) for each in report.distrusted] == [
        "12 of 12 crm values of title were cleared in a day (100%, limit 5)"
    ]
    for _ in range(2):
        here.later(25 * 3600)
        here.run()
    assert None not in here.shown("list", "title"), "and stays held back until a person has looked"


def test_a_column_that_is_blanked_little_by_little_is_noticed_too() -> None:
    here = two(limits=replace(NO_LIMITS, inbound=Limit(5, 0.05)))
    refs = crowd(here, 20)
    for i in range(0, 20, 2):
        for ref in refs[i : i + 2]:
            here.edit("crm", ref, title=None)
        here.run()
    assert here.shown("list", "title").count(None) <= 6
    assert len(here.reviews("inbound")) == 1


def test_what_passes_a_limit_is_not_sent_and_says_so() -> None:
    here = two(limits=replace(NO_LIMITS, update=Limit(5, 0.05)))
    refs = crowd(here, 12)
    for ref in refs:
        here.edit("crm", ref, title="all the same")
    report = here.run()
    assert (report.state, report.held, report.refuses) == ("refused", 12, True)
    assert [str(each) for each in report.refused] == ["12 of 12 list records would be updated in a day (100%, limit 5)"]
    assert "all the same" not in here.shown("list", "title")


def test_an_opt_out_goes_out_though_a_limit_holds_the_rest() -> None:
    here = two(limits=replace(NO_LIMITS, update=Limit(5, 0.05)))
    refs = crowd(here, 12)
    for ref in refs:
        here.edit("crm", ref, title="all the same")
    here.edit("crm", refs[3], consent="out")
    here.run()
    assert here.shown("list", "consent").count("out") == 1
    assert "all the same" not in here.shown("list", "title")


def test_a_flood_of_opt_outs_from_one_system_waits_for_one_word() -> None:
    """One wrong line in a mapping would opt everybody out, everywhere, for good (F9)."""
    here = two(limits=replace(NO_LIMITS, withdraw=Limit(5, 0.02)))
    refs = crowd(here, 12)
    for ref in refs[:5]:
        here.edit("crm", ref, consent="out")
    here.run()
    assert here.shown("list", "consent").count("out") == 5
    for ref in refs[5:]:
        here.edit("crm", ref, consent="out")
    report = here.run()
    assert here.shown("list", "consent").count("out") == 5
    assert ([each.kind for each in here.reviews()], report.held) == (["withdrawals"], 7)


def test_the_opt_outs_of_a_system_that_is_new_are_looked_at_with_its_first_plan() -> None:
    here = two(first="approve", limits=replace(NO_LIMITS, withdraw=Limit(5, 0.02)))
    for i in range(12):
        here.put("crm", email=f"p{i}@example.com", first="P", last=f"Person{i}x", consent="out")
        here.put("list", email=f"p{i}@example.com", first="P", last=f"Person{i}x")
    report = here.run(wanted=here.hashes())
    assert (here.reviews("withdrawals"), report.held) == ([], 0)
    assert here.shown("list", "consent") == ["out"] * 12


def test_a_flood_of_opt_outs_in_one_system_holds_up_none_that_is_told_elsewhere() -> None:
    here = Installation(
        {"crm": There(), "list": There(), "form": There()}, limits=replace(NO_LIMITS, withdraw=Limit(5, 0.02))
    )
    refs = crowd(here, 12)
    for ref in refs[:10]:
        here.edit("crm", ref, consent="out")
    here.edit("form", here.refs("form")[11], consent="out")
    report = here.run()
    assert [here.shown(each, "consent").count("out") for each in ("crm", "list")] == [11, 1]
    assert report.held == 20


def test_an_opted_out_persons_new_address_counts_as_an_edit_like_any() -> None:
    """Only the no itself is urgent: what is changed along with it fits the limits or waits."""
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))})
    refs = crowd(here, 12)
    for ref in refs:
        here.edit("crm", ref, consent="out")
    here.run()
    here.configured(limits=replace(NO_LIMITS, update=Limit(5, 0.05)))
    for i, ref in enumerate(refs):
        here.edit("crm", ref, email=f"new{i}@example.com", title="all the same")
    report = here.run()
    assert (report.held, "all the same" in here.shown("mail", "title")) == (12, False)


# --- first plans and plan files --------------------------------------------------------------------------------------


def test_nothing_is_sent_before_a_person_approved_a_systems_first_plan() -> None:
    here = two(first="approve")
    here.put("crm", **ANN)
    report = here.run()
    assert (report.state, sorted(report.unapproved), here.writes("list")) == ("refused", ["crm", "list"], [])
    report = here.run(wanted=here.hashes())
    assert (report.state, here.writes("list")) == ("done", ["CREATE"])
    here.put("crm", **OLA)
    assert (here.run().state, here.writes("list")) == ("done", ["CREATE", "CREATE"])


def test_a_first_plan_with_nothing_in_it_needs_no_approval() -> None:
    here = two(first="approve")
    here.put("crm", **ANN)
    here.put("list", **ANN)
    assert here.run().state == "done"


def test_a_system_that_could_not_be_read_is_not_enrolled_by_the_way() -> None:
    here = two(first="approve")
    here.put("list", **ANN)
    here.put("crm", **OLA)
    here.fault("list", Fault.ERROR, times=1)
    assert here.run().state == "failed"
    report = here.run()
    assert (report.state, here.writes("crm"), here.writes("list")) == ("refused", [], [])


def test_a_system_added_later_waits_for_its_own_first_plan() -> None:
    here = two(first="approve")
    here.put("crm", **ANN)
    here.run(wanted=here.hashes())
    here.there["mail"] = There()
    here.vendors["mail"] = MemorySystem(here.world, PLAIN)
    here.configured()
    report = here.run()
    assert (report.state, report.unapproved, here.writes("mail")) == ("refused", ["mail"], [])
    here.run(wanted=here.hashes())
    assert here.writes("mail") == ["CREATE"]


def test_a_plan_says_what_would_be_done_and_leaves_nothing_behind_but_what_was_read() -> None:
    here = two()
    here.put("crm", **ANN, title="t1")
    planned, lines = here.plan()
    assert ({name: dict(n) for name, n in planned.totals.items()}, len(lines)) == (
        {"crm": {}, "list": {"create": 1}},
        1,
    )
    assert (lines[0].system, lines[0].target) == ("list", "new: crm person:1001")
    assert [(name, before, after) for name, before, after, *_ in lines[0].changes] == [
        ("email", None, "ann@example.com"), ("first", None, "Ann"), ("last", None, "Berg"), ("title", None, "t1"),
    ]  # fmt: skip
    assert (here.people(), here.writes("list")) == ([], [])
    again, _ = here.plan()
    assert again.digest == planned.digest


def test_a_plan_file_is_carried_out_to_the_letter() -> None:
    here = two(rules=Rules(trust=(1, 2)))
    ann, ola = here.put("crm", **ANN, title="t0"), here.put("crm", **OLA, title="t0")
    here.run()
    here.edit("crm", ann, title="t1", a="a1")
    here.edit("crm", ola, title="t1")
    wanted = here.hashes()
    here.edit("crm", ann, a="a2")  # changed since the plan was looked at
    here.edit("crm", ola, title="t0")  # not wanted any more
    here.put("crm", email="new@example.com", first="Nea", last="Moe")
    report = here.run(wanted=wanted)
    assert here.shown("list", "title", "a") == [["t1", None], ["t0", None]]
    assert (report.state, report.held, len(report.missing)) == ("refused", 2, 2)
    assert here.run().state == "done"
    assert here.shown("list", "title", "a") == [["t1", "a2"], ["t0", None], [None, None]]


def test_a_plan_file_never_sends_an_opted_out_person_to_a_new_address_unguarded() -> None:
    """She opted out after the plan was looked at: the plan knows of her new address, and not of her no."""
    here = Installation({"crm": There(), "mail": There(replace(PLAIN, consent="address"))})
    ref = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ref, email="ann.berg@example.com")
    wanted = here.hashes()
    here.vendors["mail"].opt_out("ann@example.com")
    report = here.run(wanted=wanted)
    assert (here.shown("mail", "email", "consent"), here.writes("mail")) == ([["ann@example.com", "out"]], ["CREATE"])
    assert report.held > 0
    here.run()
    assert here.writes("mail") == ["CREATE", "WITHDRAW", "UPDATE"]
    assert here.shown("mail", "email", "consent") == [["ann.berg@example.com", "out"]]


def test_a_plan_file_is_done_when_it_is_carried_out_a_second_time() -> None:
    here = two()
    here.put("crm", **ANN)
    wanted = here.hashes()
    here.run(wanted=wanted)
    report = here.run(wanted=wanted)
    assert (report.held, sorted(report.missing), here.writes("list")) == (0, sorted(wanted), ["CREATE"])


def test_the_digest_of_a_plan_does_not_depend_on_when_it_was_made_or_in_which_order() -> None:
    digests = set()
    for order in ((ANN, OLA), (OLA, ANN)):
        here = two()
        for person in order:
            here.put("crm", **person)
        refs = {str(each): each for each in here.refs("crm")}
        assert len(refs) == 2
        here.later(1000.0 * len(digests))
        digests.add(here.plan()[0].digest)
    assert len(digests) == 2, "the records have other names over there, so it is another plan"
    here = two()
    for person in (ANN, OLA):
        here.put("crm", **person)
    first = here.plan()[0].digest
    here.later(100_000)
    assert here.plan()[0].digest == first


def test_only_one_system_is_read_and_written_where_only_it_is_asked_for() -> None:
    here = two()
    here.put("crm", **ANN)
    here.put("list", **OLA)
    here.run(only="list")
    assert here.vendors["crm"].requests() == []


def test_coercing_and_lagging_vendors_come_to_agree_as_well() -> None:
    here = Installation(
        {"crm": There(), "mail": There(replace(COERCING, page=2))}, rules=Rules({"a": Policy("owner", (1,))})
    )
    refs = crowd(here, 7)
    here.later(30)
    here.edit("crm", refs[0], title="A title that is longer than thirty characters", a="  x  y ")
    for _ in range(3):
        here.run()
    assert here.shown("mail", "title")[0] == "A title that is longer than thirty characters"[:30]
    assert here.quiet()
