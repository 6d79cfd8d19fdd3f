"""From proposed to approved: limits that count a whole day, and plans that are carried out to the letter."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.approve import Line, PlanDigest, Verdict, approve, approve_plan, lines
from sync.guard import Limit
from sync.model import Known, Lane, OutState, Question
from sync.store import feeds, outbox, records, runs
from sync.store.outbox import Row
from tests.sync.installation import NO_LIMITS, Installation, There

HOUR = 3600.0


def row(
    record: int, kind: str = "update", *, system: int = 1, lane: Lane = Lane.EDIT, lead: int | None = 1, **body: Any
) -> Row:
    fields = body.pop("fields", {"title": f"t{record}"})
    whole = {"object": "person", "fields": fields, "before": dict.fromkeys(fields), "groups": {}, "wanted": {}, **body}
    return Row(record, system, int(lane), kind, whole, lead, 0, 0, 1, step=0 if "withdraw" in body else 1)


def proposing(rows: Iterable[Row], **limits: Limit) -> Installation:
    """An installation of two systems with a hundred records each, in which these rows are proposed."""
    here = Installation({"crm": There(), "list": There()}, limits=replace(NO_LIMITS, **limits))
    here.run()  # their first plans are behind them
    with here.store.tx() as tx:
        for system in (1, 2):
            feeds.grow(tx, system, 100)
        outbox.put(tx, list(rows))
    return here


def approved(here: Installation) -> Verdict:
    with here.store.tx() as tx:
        return approve(here.engine, tx)


def states(here: Installation) -> dict[int, OutState]:
    with here.store.read() as tx:
        return {number: OutState(each.state) for number, each in outbox.by_record(tx, range(1, 500)).items()}


# --- limits ------------------------------------------------------------------------------------------------------


def test_what_fits_the_limits_may_be_sent() -> None:
    here = proposing(row(number) for number in range(1, 6))
    verdict = approved(here)
    assert (verdict.approved, verdict.refused, verdict.held) == (5, [], 0)
    assert set(states(here).values()) == {OutState.QUEUED}


def test_what_passes_a_limit_stays_proposed_and_the_other_kinds_and_systems_go_on() -> None:
    rows = [row(n) for n in range(1, 8)] + [row(20, "create"), row(30, "archive"), row(40, system=2)]
    here = proposing(rows, update=Limit(5, 0.05))
    verdict = approved(here)
    assert (verdict.approved, verdict.held, [each.what for each in verdict.refused]) == (3, 7, ["updated"])
    assert {n for n, state in states(here).items() if state is OutState.QUEUED} == {20, 30, 40}


def test_a_days_operations_count_together_and_are_forgotten_after_it() -> None:
    here = proposing([row(n) for n in range(1, 4)], update=Limit(5, 0.05))
    assert approved(here).approved == 3
    with here.store.tx() as tx:
        outbox.delete(tx, range(1, 9))
        outbox.put(tx, [row(n) for n in range(11, 14)])
    assert approved(here).held == 3
    here.later(25 * HOUR)
    assert approved(here).approved == 3


def test_a_no_waits_for_no_limit() -> None:
    rows = [row(n) for n in range(1, 8)] + [row(n, lane=Lane.WITHDRAWAL) for n in range(11, 30)]
    here = proposing(rows, update=Limit(5, 0.05))
    assert approved(here).approved == 19
    assert {n for n, state in states(here).items() if state is OutState.QUEUED} == set(range(11, 30))


def test_while_a_flood_of_noes_is_a_question_they_wait_and_the_rest_goes_on() -> None:
    here = proposing([row(1), row(2, lane=Lane.WITHDRAWAL)])
    with here.store.tx() as tx:
        runs.ask(tx, [Question("withdrawals", "withdrawals:1", 1)], 0)
    verdict = approved(here)
    assert (verdict.approved, verdict.held, states(here)[2]) == (1, 1, OutState.PROPOSED)
    with here.store.tx() as tx:
        runs.close(tx, ["withdrawals:1"])
    assert approved(here).approved == 1


def test_nothing_proposed_is_nothing_to_approve() -> None:
    assert approved(proposing([])) == Verdict()


# --- what a plan shows -------------------------------------------------------------------------------------------


def planned(*rows: Row) -> tuple[Installation, list[Line]]:
    here = proposing(rows)
    with here.store.tx() as tx:
        found = [
            Known(each.record, each.system, "person", None if each.kind == "create" else f"x{each.record}", each.lead)
            for each in rows
        ]
        records.insert(tx, [*found, Known(400, 2, "person", "x400", 1)])
    with here.store.read() as tx:
        return here, list(lines(here.engine, tx, outbox.unsent(tx)))


def test_a_line_names_the_record_and_each_field_before_and_after() -> None:
    _, (line,) = planned(row(1, fields={"title": "t1", "a": None}))
    assert (line.system, line.target) == ("crm", "person:x1")
    assert [change[:3] for change in line.changes] == [("a", None, None), ("title", None, "t1")]


def test_a_person_who_is_to_be_made_is_named_by_the_records_there_are() -> None:
    _, (line,) = planned(row(1, "create"))
    assert line.target == "new: list person:x400"


def test_archiving_is_a_change_without_a_field() -> None:
    _, (line,) = planned(row(1, "archive", fields={}))
    assert [change[:3] for change in line.changes] == [("", None, None)]


def test_the_no_that_goes_ahead_of_a_new_address_is_shown_too() -> None:
    _, (line,) = planned(row(1, fields={"email": "new@example.com"}, withdraw={"consent": "out"}))
    assert [change[:3] for change in line.changes] == [("email", None, "new@example.com"), ("consent", None, "out")]


def test_rows_of_a_system_that_is_not_configured_any_more_are_not_shown() -> None:
    here, _ = planned(row(1), row(2, system=9))
    with here.store.read() as tx:
        assert [each.row.record for each in lines(here.engine, tx, outbox.unsent(tx))] == [1]


def test_the_same_operation_has_the_same_hashes_whatever_its_run_and_its_lead_are_called() -> None:
    first = planned(row(1))[1][0].hashes
    other = replace(row(1), run=99, seq=7, lead_rev=12)
    assert planned(other)[1][0].hashes == first


@pytest.mark.parametrize(
    "other",
    [
        row(1, fields={"title": "t2"}),
        row(1, fields={"a": "t1"}),
        row(1, fields={"title": "t1"}, before={"title": "t0"}),
        row(2, fields={"title": "t1"}),
        row(1, system=2, fields={"title": "t1"}),
        row(1, "create", fields={"title": "t1"}),
        row(1, fields={"title": ["t1"]}),
    ],
    ids=["another value", "another field", "another value before", "another record", "another system", "another kind", "another type"],
)  # fmt: skip
def test_whatever_would_be_done_otherwise_has_another_hash(other: Row) -> None:
    mine = planned(row(1, fields={"title": "t1"}))[1][0].hashes
    assert planned(other)[1][0].hashes != mine


def whole(hashes: Iterable[str]) -> str:
    digest = PlanDigest()
    for each in hashes:
        digest.add(each)
    return str(digest)


def test_the_digest_of_a_plan_does_not_depend_on_the_order_of_its_operations() -> None:
    @given(
        st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), unique=True), st.randoms(use_true_random=False)
    )
    def law(hashes: list[str], how: random.Random) -> None:
        shuffled = how.sample(hashes, len(hashes))
        assert whole(shuffled) == whole(hashes)
        assert len(whole(hashes)) == 64
        if hashes:
            assert whole(hashes[1:]) != whole(hashes)
            assert whole([*hashes[1:], hashes[0][::-1] + "0"]) != whole(hashes)

    law()


# --- carrying a plan out -----------------------------------------------------------------------------------------


def carried_out(here: Installation, wanted: Iterable[str]) -> tuple[Verdict, set[str], dict[int, Row]]:
    sent: set[str] = set()
    with here.store.tx() as tx:
        verdict = approve_plan(here.engine, tx, set(wanted), sent)
        return verdict, sent, outbox.by_record(tx, range(1, 300))


def test_what_is_in_the_plan_is_let_through_and_the_rest_waits() -> None:
    here, told = planned(row(1), row(2))
    verdict, sent, rows = carried_out(here, told[0].hashes)
    assert (verdict.approved, verdict.held, sent) == (1, 1, set(told[0].hashes))
    assert [rows[number].state for number in (1, 2)] == [OutState.QUEUED, OutState.PROPOSED]


def test_limits_do_not_bind_what_a_person_looked_at() -> None:
    here, told = planned(*(row(number) for number in range(1, 10)))
    here.configured(limits=replace(NO_LIMITS, update=Limit(1, 0.0)))
    assert carried_out(here, [mark for line in told for mark in line.hashes])[0].approved == 9


def test_fields_that_are_not_in_the_plan_stay_behind() -> None:
    here, told = planned(row(1, fields={"title": "t1", "a": "a1"}))
    (mark,) = [each[3] for each in told[0].changes if each[0] == "title"]
    verdict, sent, rows = carried_out(here, [mark])
    assert (rows[1].body["fields"], rows[1].body["before"]) == ({"title": "t1"}, {"title": None})
    assert (verdict.approved, verdict.held, sent) == (1, 1, {mark})


@pytest.mark.parametrize(
    "whole",
    [
        row(1, "create", fields={"title": "t1", "a": "a1"}),
        row(1, fields={"email": "new@example.com"}, withdraw={"consent": "out"}),
    ],
    ids=["a create", "a new address of an opted-out person"],
)
def test_what_belongs_together_is_let_through_whole_or_not_at_all(whole: Row) -> None:
    here, told = planned(whole)
    verdict, sent, rows = carried_out(here, told[0].hashes[:1])
    assert (verdict.approved, verdict.held, sent, rows[1].state) == (0, 1, set(), OutState.PROPOSED)
    assert carried_out(here, told[0].hashes)[0].approved == 1


def test_a_hash_that_nothing_has_lets_nothing_through() -> None:
    here, _ = planned(row(1))
    verdict, sent, _ = carried_out(here, ["0" * 16])
    assert (verdict.approved, verdict.held, sent) == (0, 1, set())
