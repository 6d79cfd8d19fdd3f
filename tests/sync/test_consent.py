"""The table of consent: who may say no, and who may take a no back (docs/rules.md F8)."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import pytest

from mappings.lead import Canon
from sync.consent import IN, OUT, Statement, confirmed_at, rule

MAY, JUNE, JULY = (int(datetime.datetime(2026, month, 1, tzinfo=datetime.UTC).timestamp()) * 1_000_000 for month in (5, 6, 7))  # fmt: skip


def confirmed(at: int) -> str:
    return f"confirmed {datetime.datetime.fromtimestamp(at / 1e6, datetime.UTC).isoformat()[:19]}Z"


def says(after: Canon, before: Canon = None, *, record: int = 1, at: int = JULY, trusted: bool = True, **more: Any) -> Statement:  # fmt: skip
    return Statement(record, record, after, before, at=at, trusted=trusted, **more)


NEWER, OLDER = confirmed(JULY), confirmed(MAY)


@pytest.mark.parametrize(
    ("what", "current", "said", "state", "doubted", "left_alone"),
    [
        # An opt-out counts at once, whoever says it and whenever.
        ("no, where nothing was known", None, says(OUT), OUT, False, False),
        ("no, after a yes", IN, says(OUT, IN), OUT, False, False),
        ("no, after a confirmed yes", NEWER, says(OUT, NEWER), OUT, False, False),
        ("no, older than the confirmed yes", NEWER, says(OUT, IN, at=MAY), OUT, False, False),
        ("no, of nobody knows when", NEWER, says(OUT, IN, at=0), OUT, False, False),
        ("no, from a system that is not trusted with a yes", IN, says(OUT, IN, trusted=False), OUT, False, False),
        ("no, at first contact", IN, says(OUT, first=True), OUT, False, False),
        ("no, once more", OUT, says(OUT, IN), OUT, False, False),
        # A yes over a no: the side knew of the no, the person confirmed it later, the system is trusted.
        ("confirmed, newer, knew, trusted", OUT, says(NEWER, OUT), NEWER, False, False),
        ("confirmed, newer, knew, not trusted", OUT, says(NEWER, OUT, trusted=False), OUT, True, True),
        ("confirmed, older, knew, trusted", OUT, says(OLDER, OUT), OUT, True, False),
        ("confirmed at the very moment of the no", OUT, says(confirmed(JUNE), OUT), OUT, True, False),
        ("a bare yes from a side that knew", OUT, says(IN, OUT), OUT, True, False),
        ("a cleared box from a side that knew", OUT, says(None, OUT), OUT, True, False),
        ("confirmed, newer, from a side that never knew", OUT, says(NEWER, IN), OUT, False, False),
        ("confirmed, newer, from a side that knew nothing", OUT, says(NEWER, None), OUT, False, False),
        ("a bare yes from a side that never knew", OUT, says(IN, None), OUT, False, False),
        # First contact over a no.
        ("first contact, confirmed later", OUT, says(NEWER, first=True), OUT, True, True),
        ("first contact, confirmed earlier", OUT, says(OLDER, first=True), OUT, False, False),
        ("first contact, a bare yes", OUT, says(IN, first=True), OUT, False, False),
        # Where nobody has said no.
        ("yes, where nothing was known", None, says(IN), IN, False, False),
        ("confirmed, where nothing was known", None, says(NEWER), NEWER, False, False),
        ("confirmed over a bare yes", IN, says(NEWER, IN), NEWER, False, False),
        ("a newer confirmation over an older one", OLDER, says(NEWER, OLDER), NEWER, False, False),
        ("an older confirmation over a newer one", NEWER, says(OLDER, IN), NEWER, False, False),
        ("a bare yes over a confirmed one", NEWER, says(IN, NEWER), NEWER, False, False),
        ("nothing over a yes", IN, says(None, IN), IN, False, False),
        ("nothing over a confirmed yes", NEWER, says(None, NEWER), NEWER, False, False),
    ],
)
def test_one_statement_against_what_stands(
    what: str, current: Canon, said: Statement, state: Canon, doubted: bool, left_alone: bool
) -> None:
    ruling = rule(current, JUNE, [said])
    assert (ruling.state, bool(ruling.doubted), bool(ruling.left_alone)) == (state, doubted, left_alone)


def test_a_ruling_names_who_decided_it_and_why() -> None:
    ruling = rule(OUT, JUNE, [says(NEWER, OUT, record=3)])
    assert (ruling.by and ruling.by.record, ruling.rule) == (3, "a newer opt-in, confirmed by the person")
    assert rule(IN, JUNE, [says(IN, None)]).by is None, "nothing changed"


def test_a_no_beats_every_yes_told_with_it_and_a_later_confirmation_is_a_question() -> None:
    statements = [says(OUT, IN, record=1, at=JUNE), says(NEWER, IN, record=2), says(IN, IN, record=3)]
    ruling = rule(IN, MAY, statements)
    assert (ruling.state, [each.record for each, _ in ruling.doubted], ruling.left_alone) == (OUT, [2], {2})


def test_a_confirmation_from_before_the_no_told_with_it_is_no_question() -> None:
    ruling = rule(IN, 0, [says(OUT, IN, record=1, at=JUNE), says(OLDER, IN, record=2)])
    assert (ruling.state, ruling.doubted) == (OUT, [])


def test_the_latest_of_several_noes_is_the_one_a_yes_must_beat() -> None:
    ruling = rule(IN, 0, [says(OUT, IN, record=1, at=JULY), says(OUT, IN, record=2, at=MAY)])
    assert ruling.by is not None
    assert (ruling.by.record, ruling.by.at) == (1, JULY)


def test_a_later_no_moves_the_moment_that_a_yes_must_beat() -> None:
    """Out in May, confirmed in June (not read yet), out again in July: the June word must not raise it."""
    ruling = rule(OUT, MAY, [says(OUT, IN, at=JULY)])
    assert ruling.by is not None
    assert rule(OUT, ruling.by.at, [says(confirmed(JUNE), OUT, record=2)]).state == OUT


def test_an_earlier_no_does_not_move_it_back() -> None:
    assert rule(OUT, JULY, [says(OUT, IN, at=MAY)]).by is None


@pytest.mark.parametrize("current", [None, IN, OUT, OLDER])
def test_the_order_in_which_statements_are_told_plays_no_part(current: Canon) -> None:
    before = OUT if current == OUT else IN
    statements = [
        says(NEWER, before, record=1),
        says(OLDER, before, record=2),
        says(IN, before, record=3),
        says(None, before, record=4),
        says(confirmed(JUNE + 1_000_000), before, record=5, trusted=False),
    ]
    rulings = [rule(current, JUNE, order) for order in itertools.permutations(statements)]
    assert {(r.state, r.by and r.by.record, frozenset(d.record for d, _ in r.doubted)) for r in rulings} == {
        (rulings[0].state, rulings[0].by and rulings[0].by.record, frozenset(d.record for d, _ in rulings[0].doubted))
    }


def test_only_a_confirmed_word_has_a_moment() -> None:
    assert confirmed_at(confirmed(JUNE)) == JUNE
    assert [confirmed_at(each) for each in (IN, OUT, None, "confirmed", ["in"])] == [None] * 5
