"""What no feed tells: another mapping, another account, and being asked to end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Ref, Schema
from sync import run as runner
from sync.engine import Interrupted
from sync.model import Filter
from sync.rules import Policy, Rules
from sync.store import feeds
from tests.sync.installation import ANN, OLA, PLAIN, Installation, There, two

UPPER = {"title": {"remote": "title", "as": "text", "length": 3}}


def reading_requests(here: Installation, system: str) -> int:
    return sum(each.method == "READ" for each in here.vendors[system].requests())


def test_a_field_that_is_mapped_from_now_on_is_read_and_meets_the_others_for_the_first_time() -> None:
    here = Installation({"crm": There(mapping={"k": None}), "list": There()})
    here.put("crm", **ANN, k="k1")
    here.run()
    assert here.shown("list", "k") == [None]
    here.change("crm", mapping={})
    here.run()
    assert here.shown("list", "k") == ["k1"]
    assert here.quiet()


def test_another_mapping_alone_is_no_edit_and_its_plan_waits_for_a_person() -> None:
    here = two()
    here.put("crm", **ANN, title="t0")
    here.run()
    here.configured(first="approve")
    here.change("crm", mapping={"title": "k", "k": "title"})
    assert here.run().unapproved == ["crm"]
    assert here.shown("list", "title", "k") == [["t0", None]]
    wanted = here.hashes()
    assert wanted
    report = here.run(wanted=wanted)
    assert (report.unapproved, report.missing, report.held) == ([], [], 0)
    assert here.shown("list", "title", "k") == [[None, "t0"]]
    assert here.quiet()


def test_looking_at_the_plan_of_another_mapping_changes_nothing_when_it_is_put_back() -> None:
    here = two(first="approve")
    here.put("crm", **ANN, title="t0")
    here.run(wanted=here.hashes())
    here.change("crm", mapping={"title": "k", "k": "title"})
    assert here.hashes()
    here.change("crm", mapping={})
    assert here.hashes() == []
    assert here.run().state == "done"
    assert here.shown("list", "title", "k") == [["t0", None]]


def test_a_value_follows_the_record_it_came_from_and_the_history_says_why() -> None:
    here = two()
    here.put("crm", **ANN, title="Director")
    here.run()
    before, known = here.lead().value["title"], here.sides()[0]
    here.change("crm", mapping={"title": {"remote": "title", "filler": "Director"}})
    here.run()
    assert (before, here.lead().value["title"]) == ("Director", None)
    told = [each["groups"]["title"] for each in here.history() if "title" in each.get("groups", {})]
    assert ["Director", None, known.id, "mapping", True] in told
    here.change("crm", mapping={"title": "title", "a": {"remote": "first"}, "first_name": "a"})
    here.run()
    assert here.lead().value["a"] == "Ann"
    assert here.quiet()


def test_a_person_who_said_no_stays_out_whatever_the_mapping_reads_now() -> None:
    here = Installation({"crm": There(mapping={"a": None}), "list": There()})
    here.put("crm", **ANN, consent="out", a="in")
    here.run()
    here.change("crm", mapping={"a": None, "consent.email": {"remote": "a", "as": "consent_word"}})
    here.run()
    assert here.lead().value["consent.email"] == "out"
    assert here.one("list", "consent") == "out"


def test_what_was_refused_is_tried_again_when_the_accounts_field_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Installation({"crm": There(PLAIN), "list": There(PLAIN)})
    here.put("crm", **ANN, title="t0")
    here.run()
    with here.store.tx() as tx:
        for row in feeds.systems(tx):
            feeds.update_system(tx, row.id, schema={"person": {**row.schema["person"], "title": "another"}})
    known = next(each for each in here.sides() if each.system == here.id("list"))
    with here.store.tx() as tx:
        from sync.packed import digest
        from sync.store import leads, records

        known.settle_for("title", digest("t0"), "refused", 1)
        records.update(tx, [known])
        leads.make_clean(tx, leads.dirty_seqs(tx, [known.lead or 0]))
    here.run()
    ref = here.refs("list")[0]
    assert here.known("list", ref).asked, "the account was looked at less than an hour ago"
    here.later(3600)
    here.run()
    assert here.known("list", ref).asked == {}


def test_the_accounts_fields_are_looked_at_once_an_hour() -> None:
    here = two()
    asked: list[str] = []
    connector = here.engine.connectors[here.id("crm")]
    schema = connector.schema
    connector.schema = lambda object: (asked.append(object), schema(object))[1]  # type: ignore[method-assign]
    here.run()
    here.run()
    assert asked == ["person"]
    here.later(3600)
    here.run()
    assert asked == ["person", "person"]


def test_an_account_that_tells_no_fields_lacks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    here = two()
    monkeypatch.setattr(here.engine.connectors[here.id("list")], "schema", lambda object: Schema(object, ()))
    here.put("crm", **ANN, title="t0")
    here.run()
    assert here.shown("list", "first", "title") == [["Ann", "t0"]]
    assert here.quiet()


def test_a_decision_sends_nothing_of_a_mapping_that_nobody_approved() -> None:
    here = two(first="approve")
    here.put("crm", **ANN, title="t0")
    here.run(wanted=here.hashes())
    here.change("crm", mapping={"title": "k", "k": "title"})
    from sync.store import runs

    runner.act(here.engine, lambda tx: runs.begin(tx, "edit", "test", "nothing", here.world.now()))
    assert here.shown("list", "title", "k") == [["t0", None]]


def test_a_system_that_can_only_be_read_today_is_not_written_to_and_gets_all_of_it_when_it_can() -> None:
    here = two()
    ann = here.put("crm", **ANN, title="t0")
    here.run()
    connector = here.engine.connectors[here.id("list")]
    can = connector.capabilities
    connector.capabilities = replace(can, batch={}, creates=())
    here.edit("crm", ann, title="t1")
    here.put("crm", **OLA)
    here.run()
    assert here.quiet()
    assert (here.shown("list", "title"), here.reviews()) == (["t0"], [])
    connector.capabilities = can
    here.edit("crm", ann, title="t2")
    here.run()
    assert here.shown("list", "title") == ["t2", None], "whoever waited is made now as well"
    assert here.quiet()


def test_a_system_that_may_be_written_to_from_now_on_gets_all_of_it_after_a_plan() -> None:
    here = Installation({"crm": There(), "list": There(writes="none")}, first="approve")
    here.put("crm", **ANN, title="t0")
    there = here.put("list", **OLA)
    assert here.run().unapproved == ["crm", "list"]
    here.run(wanted=here.hashes())
    assert here.refs("list") == [there]
    here.change("list", writes="all")
    assert here.run().unapproved == ["list"]
    here.run(wanted=here.hashes())
    assert sorted(here.shown("list", "first")) == ["Ann", "Ola"]
    assert here.quiet()


def test_another_filter_lets_in_who_was_kept_out() -> None:
    here = Installation({"crm": There(), "list": There(filters=(Filter("title", "title", "eq", "boss"),))})
    here.put("crm", **ANN, title="t0")
    here.run()
    assert here.refs("list") == []
    here.change("list", filters=())
    here.run()
    assert here.shown("list", "first") == ["Ann"]
    assert here.quiet()


def test_another_rule_decides_what_waited_for_a_person() -> None:
    here = two(rules=Rules({"title": Policy("ask")}))
    ann = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ann, title="t1")
    here.edit("list", here.refs("list")[0], title="t2")
    here.run()
    assert [each.kind for each in here.reviews()] == ["conflict"]
    here.configured(rules=Rules({"title": Policy("owner", (here.id("list"),))}))
    here.run()
    assert (here.shown("crm", "title"), here.reviews()) == (["t2"], [])
    assert here.quiet()


@pytest.mark.parametrize("said", [None, "out"])
def test_a_new_person_goes_without_what_the_account_has_no_field_for_and_not_at_all_without_their_no(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = two()
    connector = here.engine.connectors[here.id("list")]
    schema = connector.schema

    def narrow(object: str) -> Schema:
        whole = schema(object)
        return Schema(whole.object, tuple(each for each in whole.fields if each.name not in ("title", "consent")))

    monkeypatch.setattr(connector, "schema", narrow)
    here.put("crm", **ANN, title="t0", a="a0", consent=said)
    here.run()
    assert here.shown("list", "title", "a") == ([[None, "a0"]] if said is None else [])


# --- ending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["stored", "approved", "claimed", "answered", "settled"])
def test_a_run_that_is_asked_to_end_finishes_what_is_under_way_and_the_next_one_the_rest(label: str) -> None:
    from tests.sync.installation import Meddling

    world = Meddling()
    here = Installation({"crm": There(PLAIN), "list": There(PLAIN)}, world=world)
    people: list[Ref] = [here.put("crm", **each) for each in (ANN, OLA)]
    assert people

    def stop() -> None:
        here.engine.stopping = True

    world.at[label] = stop
    with pytest.raises(Interrupted):
        here.run()
    with here.store.read() as tx:
        from sync.store import outbox, runs

        assert not outbox.sending(tx, here.id("list")), "nothing is left in doubt"
        (last,) = runs.latest(tx, 1)
    assert last.state == "interrupted"
    here.configured()
    here.run()
    assert sorted(here.shown("list", "first")) == ["Ann", "Ola"]
    assert here.quiet()
