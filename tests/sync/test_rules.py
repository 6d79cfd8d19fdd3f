"""The rules of groups: which of several concurrent values wins, as tables."""

from __future__ import annotations

import itertools

import pytest

from connectors.base import Writer
from mappings.lead import Canon
from sync import rules
from sync.rules import PICKS, RULES, Candidate, Policy, Rules, StageEdit, furthest, union

HOW = Rules(order={1: 0, 2: 1, 3: 2})


def said(
    value: str, system: int, *when: int, writer: Writer = Writer.UNKNOWN, record: int = 0, primary: bool = True
) -> Candidate:
    """A value by a system, written in (when[0], when[1]]; one number: at that moment exactly; none: nobody knows."""
    lo, hi = (0, 0) if not when else (when[0] - 1, when[0]) if len(when) == 1 else when
    return Candidate(value, system, record or system * 10, lo, hi, int(writer), primary)


def winner(rule: str, *candidates: Candidate, policy: Policy | None = None) -> str | None:
    choice = PICKS[rule](candidates, policy or Policy(rule), HOW)
    return None if choice is None else str(choice.candidate.value)


def test_every_rule_that_can_be_configured_is_there() -> None:
    assert set(PICKS) | {"union", "furthest"} == set(RULES)


def test_unless_configured_the_newest_wins_stages_go_furthest_and_sets_unite() -> None:
    assert [HOW.of(each).rule for each in ("title", "stage", "tags", "emails")] == [
        "newest",
        "furthest",
        "union",
        "union",
    ]
    assert Rules({"tags": Policy("ask")}).of("tags").rule == "ask"


# --- newest ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidates", "value", "proven"),
    [
        ([said("a", 1, 10), said("b", 2, 20)], "b", True),
        ([said("a", 1, 0, 10), said("b", 2, 10, 20)], "b", True),
        ([said("a", 1, 0, 10), said("b", 2, 5, 20)], "b", False),
        ([said("a", 1, 0, 20), said("b", 2, 19, 20)], "a", False),
        ([said("a", 2, 20), said("b", 1, 20)], "b", False),
        ([said("a", 1), said("b", 2, 20)], "b", False),
        ([said("a", 1), said("b", 2)], "a", False),
        ([said("a", 9, 20), said("b", 1, 20)], "b", False),
        ([said("a", 1, 0, 10), said("b", 2, 5, 12), said("c", 3, 20, 25)], "c", True),
        ([said("a", 1, 0, 10), said("b", 2, 5, 12), said("c", 3, 11, 25)], "c", False),
    ],
)
def test_the_newest_wins_whatever_the_order_and_is_proven_if_nobody_can_have_been_later(
    candidates: list[Candidate], value: str, proven: bool
) -> None:
    for order in itertools.permutations(candidates):
        choice = rules.newest(order, Policy(), HOW)
        assert choice is not None
        assert (choice.candidate.value, choice.proven) == (value, proven)


def test_candidates_of_one_moment_and_system_are_told_apart_by_their_record() -> None:
    twins = [Candidate("a", 1, 11, 9, 10), Candidate("b", 1, 12, 9, 10)]
    assert [winner("newest", *order) for order in (twins, twins[::-1])] == ["a", "a"]


def test_only_another_value_leaves_something_to_prove() -> None:
    again = [said("b", 1, 10, 20), said("b", 2, 5, 20)]
    for more, proven in ([], True), ([said("a", 3, 3)], True), ([said("a", 3, 15)], False):
        choice = rules.newest([*again, *more], Policy(), HOW)
        assert choice is not None
        assert choice.proven is proven


def test_what_is_not_proven_can_be_made_a_question() -> None:
    policy = Policy("newest", ask_if_unproven=True)
    assert winner("newest", said("a", 1, 10), said("b", 2, 20), policy=policy) == "b"
    assert winner("newest", said("a", 1, 0, 10), said("b", 2, 5, 20), policy=policy) is None


# --- owner, trust, person_first, ask -----------------------------------------------------------------------------


def test_the_owner_wins_though_others_are_newer() -> None:
    policy = Policy("owner", (2,))
    assert winner("owner", said("a", 1, 30), said("b", 2, 10), policy=policy) == "b"
    assert winner("owner", said("a", 1, 30), said("c", 3, 10), policy=policy) == "a", "without the owner: the newest"


def test_the_owner_speaks_through_its_primary_record() -> None:
    policy = Policy("owner", (2,))
    twin = said("t", 2, 40, primary=False)
    assert winner("owner", twin, said("b", 2, 10), said("a", 1, 30), policy=policy) == "b"
    assert winner("owner", twin, said("a", 1, 50), policy=policy) == "a"


def test_the_most_trusted_wins_and_between_equals_the_newest() -> None:
    policy = Policy("trust", (3, 1))
    assert winner("trust", said("a", 1, 30), said("b", 2, 40), said("c", 3, 10), policy=policy) == "c"
    assert winner("trust", said("b", 2, 40), said("a", 1, 30), policy=policy) == "a"
    assert winner("trust", said("b", 2, 40), said("d", 4, 50), policy=policy) == "d"


def test_a_persons_word_is_not_replaced_by_a_machines() -> None:
    by_hand = said("hand", 1, 10, writer=Writer.PERSON)
    assert winner("person_first", by_hand, said("flow", 2, 20, writer=Writer.WORKFLOW)) == "hand"
    assert winner("person_first", by_hand, said("later", 2, 20, writer=Writer.PERSON)) == "later"
    assert winner("person_first", said("a", 1, 10), said("b", 2, 20, writer=Writer.IMPORT)) == "b"


@pytest.mark.parametrize("rule", ["newest", "owner", "trust", "person_first"])
def test_the_order_of_candidates_plays_no_part(rule: str) -> None:
    candidates = [
        said("a", 1, 0, 30, writer=Writer.PERSON),
        said("b", 2, 5, 30, writer=Writer.PERSON),
        said("c", 3, 30, 40, writer=Writer.WORKFLOW),
        said("d", 2, 30, record=21, primary=False),
    ]
    policy = Policy(rule, (2, 3))
    assert len({winner(rule, *order, policy=policy) for order in itertools.permutations(candidates)}) == 1


def test_ask_decides_nothing() -> None:
    assert winner("ask", said("a", 1, 10), said("b", 2, 20)) is None


# --- union -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "current", "edits", "firsts", "after"),
    [
        ("added by one", ["a"], [(["a"], ["a", "b"])], [], ["a", "b"]),
        ("added by two", ["a"], [(["a"], ["a", "b"]), (["a"], ["a", "c"])], [], ["a", "b", "c"]),
        ("taken away by one", ["a", "b"], [(["a", "b"], ["a"])], [], ["a"]),
        ("taken away by one, added by another", ["a"], [(["a"], []), ([], ["a"])], [], ["a"]),
        ("a side that never got an item does not take it away", ["a", "b"], [(["a"], ["a", "c"])], [], ["a", "b", "c"]),
        ("emptied", ["a"], [(["a"], None)], [], []),
        ("first contact adds", ["a"], [], [["b"], None], ["a", "b"]),
        ("first contact keeps what another takes away", ["a"], [(["a"], [])], [["a"]], ["a"]),
        ("from nothing", None, [(None, ["a"])], [], ["a"]),
        ("swapped", ["a"], [(["a"], ["b"])], [], ["b"]),
    ],
)
def test_sets_unite(
    what: str, current: Canon, edits: list[tuple[Canon, Canon]], firsts: list[Canon], after: list[str]
) -> None:
    assert union(current, edits, firsts) == after
    assert union(current, edits[::-1], firsts[::-1]) == after


# --- furthest ----------------------------------------------------------------------------------------------------


def moved(stage: str | None, system: int = 1, *, acknowledged: bool = True) -> StageEdit:
    return StageEdit(Candidate(stage, system, system * 10), acknowledged)


@pytest.mark.parametrize(
    ("what", "current", "epoch", "edits", "firsts", "stage", "new_epoch"),
    [
        ("forward", "lead", 0, [moved("mql")], [], "mql", 0),
        ("two forward: the furthest", "lead", 0, [moved("mql"), moved("sql", 2)], [], "sql", 0),
        ("back is a decision: recycled", "sql", 0, [moved("lead")], [], "lead", 1),
        ("back beats forward", "sql", 0, [moved("lead"), moved("customer", 2)], [], "lead", 1),
        ("two back: the furthest of them", "customer", 0, [moved("lead"), moved("sql", 2)], [], "sql", 1),
        ("a copy that could not go back does not lift", "lead", 1, [moved("sql", acknowledged=False)], [], "lead", 1),
        ("forward again by one that followed", "lead", 1, [moved("sql")], [], "sql", 1),
        ("back once more", "mql", 1, [moved("lead")], [], "lead", 2),
        ("unseen and behind: no recycling", "sql", 0, [moved("lead", acknowledged=False)], [], "sql", 0),
        ("nothing said is no information", "sql", 0, [moved(None)], [], "sql", 0),
        ("first contact ahead", "lead", 0, [], [Candidate("customer", 1, 10)], "customer", 0),
        ("first contact behind", "sql", 0, [], [Candidate("lead", 1, 10)], "sql", 0),
        ("first contact after a recycling is no change", "lead", 1, [], [Candidate("customer", 1, 10)], "lead", 1),
        ("from nothing", None, 0, [moved("mql", acknowledged=False)], [], "mql", 0),
        ("the same stage again", "mql", 0, [moved("mql")], [], "mql", 0),
    ],
)
def test_stages_go_furthest(
    what: str,
    current: str | None,
    epoch: int,
    edits: list[StageEdit],
    firsts: list[Candidate],
    stage: str,
    new_epoch: int,
) -> None:
    for order in itertools.permutations(edits):
        found, now, _, _ = furthest(current, epoch, order, firsts)
        assert (found, now) == (stage, new_epoch)
