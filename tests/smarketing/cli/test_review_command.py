"""What `review` asks, and what becomes of the answers."""

from __future__ import annotations

import pytest

from smarketing.cli.commands.review import TITLES
from smarketing.cli.setting import Setting
from sync.model import Question
from sync.review import ANSWERS
from sync.store import runs
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, Rig, rig

__all__ = ["rig"]


@pytest.fixture
def asked(rig: Rig) -> Rig:
    """Nobody says which title of Ann's is right."""
    rig.configure("first: apply")
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **ANN, title="Daglig leder")
    assert rig("sync").code == 0
    return rig


def test_a_question_is_listed_with_its_values_and_the_answers_it_allows(asked: Rig) -> None:
    ran = asked("review", "list")
    assert (ran.code, ran.err) == (0, "")
    golden("review-list.txt", ran.out, asked)
    golden("review-list.json", asked("review", "list", "--json").out, asked)


def test_questions_of_one_kind_are_listed_alone(asked: Rig) -> None:
    assert asked("review", "list", "--kind", "identity").out == "nothing waits for a person\n"
    assert asked("review", "list", "--kind", "conflict").out.endswith("1 question\n")
    ran = asked("review", "list", "--kind", "conflicts")
    assert (ran.code, ran.err) == (
        2,
        'error[SM244]: there are no questions of the kind "conflicts"; did you mean "conflict"?\n',
    )


@pytest.mark.parametrize(
    ("answer", "title"), [(["take", "list"], "Daglig leder"), (["take crm"], "CEO"), (["set", "CTO"], "CTO")]
)
def test_an_answer_is_carried_out_at_once_in_every_system(asked: Rig, answer: list[str], title: str) -> None:
    ran = asked("review", "decide", "1", *answer, "--why", "asked her")
    assert (ran.code, ran.err) == (0, "")
    assert asked.shown("crm", "title") == asked.shown("list", "title") == [{"title": title}]
    assert asked("review", "list").out == "nothing waits for a person\n"
    assert asked("undo", "--json").json["runs"][0]["why"] == "asked her"


def test_a_decision_for_programs_is_one_document(asked: Rig) -> None:
    golden("review-decide.json", asked("review", "decide", "1", "take", "crm", "--json").out, asked)


def test_a_question_whose_values_moved_is_told_and_not_applied(asked: Rig) -> None:
    (ann,) = [each.ref for each in asked.vendors["crm"].records()]
    asked.edit("crm", ann, title="CTO")
    asked("plan")  # it is read, and not decided
    ran = asked("review", "decide", "1", "take", "crm")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "error[SM246]: nothing was done: the values of question 1 have changed since; look again\n"
    assert asked.shown("list", "title") == [{"title": "Daglig leder"}]


def test_what_is_no_answer_is_refused_with_those_that_are_allowed(asked: Rig) -> None:
    ran = asked("review", "decide", "1", "maybe")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        'error[SM245]: nothing was done: "maybe" is no answer to a question about "conflict"; allowed: '
    )
    assert asked("review", "decide", "1", "take", "mail").err.endswith("choose from: crm, list\n")
    assert asked("review", "decide", "99", "keep").err == "error[SM245]: nothing was done: there is no question 99\n"


def test_a_question_is_answered_once(asked: Rig) -> None:
    assert asked("review", "decide", "1", "take", "crm").code == 0
    ran = asked("review", "decide", "1", "take", "list")
    assert (ran.code, ran.err) == (3, "error[SM246]: nothing was done: question 1 is decided already\n")


def test_every_kind_of_question_has_a_title() -> None:
    assert TITLES.keys() == ANSWERS.keys()


BODIES: dict[str, dict[str, object]] = {
    "conflict": {"group": "title", "why": "first contact", "choices": [], "told": [["crm", "CEO"]]},
    "identity": {"leads": [1], "record": "person:1002"},
    "same": {"leads": [1, 2]},
    "two leads": {"system": "list", "record": "person:1002", "leads": [1, 2]},
    "consent": {"cell": "consent.email", "why": "it is older", "system": "list", "value": "in"},
    "refused": {
        "system": "list",
        "fields": ["title"],
        "code": "TOO_LONG",
        "text": "no",
        "groups": ["title"],
        "values": ["CEO"],
    },
    "unwritable": {"system": "list", "group": "stage", "why": "no word", "value": "mql"},
    "unreadable": {"system": "list", "group": "phone", "expected": "expected a phone number"},
    "missing": {"system": "list", "missing": "email"},
    "impossible": {"system": "list", "kind": "archive"},
    "circle": {"system": "list"},
    "in doubt": {"system": "list", "records": ["person:1", "person:2"]},
    "deleted": {"edited": [["list", "person:1001"]]},
    "inbound": {"system": "list", "group": "title", "what": "changed", "count": 30, "size": 40, "limit": 20},
    "withdrawals": {"system": "list", "count": 60, "size": 100, "limit": 50},
}


def test_every_kind_of_question_is_told_in_words_with_its_answers(asked: Rig) -> None:
    assert BODIES.keys() == ANSWERS.keys()
    with Setting(config=asked.folder / "smarketing.yaml").installation() as made, made.store.tx() as tx:
        runs.close(tx, ["conflict:1:title"])
        questions = [Question(kind, f"test:{kind}", 1, 1, body=body) for kind, body in BODIES.items()]
        runs.ask(tx, questions, asked.world.now())
    ran = asked("review", "list")
    assert (ran.code, ran.err) == (0, "")
    golden("review-every-kind.txt", ran.out, asked)


def test_a_person_is_shown_the_first_of_very_many_questions(asked: Rig) -> None:
    with Setting(config=asked.folder / "smarketing.yaml").installation() as made, made.store.tx() as tx:
        runs.ask(tx, [Question("circle", f"test:{n}", 1) for n in range(60)], asked.world.now())
    assert asked("review", "list").out.endswith("\n61 questions; these are the first 50, --json shows all\n")
    assert len(asked("review", "list", "--json").json["questions"]) == 61
