"""What a person's answer does: each kind of question with each of its answers, and what the next run makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectors.backdoor import Fault
from connectors.base import Ref, State, WriteKind
from connectors.memory_records import Deletes, Refusal
from mappings.lead import Canon
from sync import review
from sync import run as runner
from sync.edit import CannotDecide, Moved, edit, typed
from sync.guard import Limit
from sync.review import ANSWERS, DEEDS, parse
from sync.rules import Policy, Rules
from sync.side_by_side import Report
from sync.store import leads, records, runs
from sync.store.runs import Review
from tests.sync.installation import ANN, NO_LIMITS, PLAIN, Installation, There, two
from tests.sync.stories import delete, fight, quarrel, stranger, swap

ASK = Rules({"title": Policy("ask")})
PICKY = replace(PLAIN, choices={"title": ("Chief", "Clerk")})


def decide(here: Installation, question: Review, said: str, why: str = "because") -> Report:
    """Answer, and carry out what follows."""
    here.later()
    return runner.act(here.engine, lambda tx: review.decide(here.engine, tx, question.id, said, "ann", why))


def say(here: Installation, said: Mapping[str, str]) -> Report:
    """Edit the only lead by hand."""
    here.later()
    number = here.lead().id
    return runner.act(here.engine, lambda tx: edit(here.engine, tx, number, said, "ann", "on the phone"))


def only(here: Installation, kind: str) -> Review:
    (found,) = here.reviews()
    assert found.kind == kind
    return found


def told(here: Installation, run: int) -> tuple[str, str, str]:
    with here.store.read() as tx:
        found = runs.by_id(tx, run)
    assert found is not None
    return found.kind, found.who, found.why


def ledger(here: Installation) -> list[Any]:
    number = here.lead().id
    with here.store.read() as tx:
        return [tuple(each) for each in leads.ledger(tx, number)]


# --- answers ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_question_has_its_answers_and_a_deed() -> None:
    assert ANSWERS.keys() == DEEDS.keys()
    assert all(len(each) >= 2 for each in ANSWERS.values())


@pytest.mark.parametrize(
    ("kind", "said", "word", "argument"),
    [
        ("conflict", "take crm", "take", "crm"),
        ("conflict", " set Head of Sales ", "set", "Head of Sales"),
        ("conflict", "keep", "keep", None),
        ("identity", "link 7", "link", "7"),
        ("same", "join", "join", None),
    ],
)
def test_an_answer_is_a_word_and_what_goes_with_it(kind: str, said: str, word: str, argument: str | None) -> None:
    found = parse(kind, said)
    assert (found.word, found.argument) == (word, argument)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("conflict", "take"), ("conflict", "keep it"), ("conflict", "joIn"), ("same", ""), ("identity", "link"), ("identity", "new 7")],
)  # fmt: skip
def test_a_wrong_answer_is_told_with_the_allowed_ones(kind: str, said: str) -> None:
    with pytest.raises(CannotDecide) as found:
        parse(kind, said)
    assert str(found.value).startswith(f'"{said}" is no answer to a question about "{kind}"; allowed: ')
    assert all(f'"{each}"' in str(found.value) for each in ANSWERS[kind])


def test_a_question_that_is_not_there_is_told() -> None:
    here = two()
    with here.store.tx() as tx, pytest.raises(CannotDecide, match="there is no question 7"):
        review.decide(here.engine, tx, 7, "keep", "ann", "")


def test_a_question_is_answered_once() -> None:
    here, question, _, _ = conflict()
    decide(here, question, "keep")
    with pytest.raises(Moved, match="is decided already"):
        decide(here, question, "take crm")
    assert here.one("list", "title") == "t0"


# --- conflicts -------------------------------------------------------------------------------------------------------


def conflict(**there: There) -> tuple[Installation, Review, Ref, Ref]:
    """Ann's title is "left" in the CRM and "right" in the list, and nobody may decide."""
    here = Installation({"crm": There(), "list": There(), **there}, rules=ASK)
    ref, copy = quarrel(here)
    return here, only(here, "conflict"), ref, copy


@pytest.mark.parametrize(
    ("said", "value"), [("take crm", "left"), ("take list", "right"), ("keep", "t0"), ("set  another ", "another")]
)
def test_a_conflict_is_decided_and_every_system_learns_of_it(said: str, value: str) -> None:
    here, question, _, _ = conflict()
    report = decide(here, question, said)
    assert [here.one(name, "title") for name in ("crm", "list")] == [value, value]
    assert (here.lead().value["title"], here.lead().frozen, here.reviews()) == (value, {}, [])
    assert told(here, report.run) == ("review", "ann", "because")
    assert here.quiet()


def test_the_values_that_lost_to_a_person_stand_in_the_history() -> None:
    here, question, ref, copy = conflict()
    decide(here, question, "take crm")
    last = [each for each in here.history() if "lost" in each][-1]
    assert last["groups"] == {"title": ["t0", "left", None, "decided by a person", True]}
    assert last["lost"] == [["title", here.known("list", copy).id, "right", "decided by a person"]]
    assert here.known("crm", ref).base == {}


def test_an_answer_without_a_reason_keeps_the_answer_as_its_reason() -> None:
    here, question, _, _ = conflict()
    assert told(here, decide(here, question, "keep", "").run)[2] == "keep"


def test_a_system_that_offers_nothing_cannot_be_taken() -> None:
    here, question, _, _ = conflict()
    with pytest.raises(CannotDecide, match='"shop" has no value to take; choose from: crm, list'):
        decide(here, question, "take shop")
    assert len(here.reviews()) == 1, "the question stays open"


@pytest.mark.parametrize("side", ["crm", "list"])
def test_an_answer_is_not_applied_when_the_values_have_moved(side: str) -> None:
    here, question, ref, copy = conflict()
    here.edit(side, ref if side == "crm" else copy, title="moved")
    with here.units() as units:
        units.pull(side)
    with pytest.raises(Moved, match="have changed since; look again"):
        decide(here, question, "take crm")
    here.run()
    (again,) = here.reviews()
    assert "moved" in [value for _, value in again.body["told"]], "and the question is put anew"
    decide(here, again, f"take {side}")
    assert [here.one(name, "title") for name in ("crm", "list")] == ["moved", "moved"]
    assert here.quiet()


def test_an_edit_of_another_field_does_not_move_a_question() -> None:
    here, question, ref, _ = conflict()
    here.edit("crm", ref, a="a1")
    here.run()
    decide(here, question, "take list")
    assert here.shown("crm", "title", "a") == [["right", "a1"]]
    assert here.quiet()


def test_a_disagreement_at_first_contact_is_decided() -> None:
    here = two()
    here.put("crm", **ANN, title="left")
    here.put("list", **ANN, title="right")
    here.run()
    decide(here, only(here, "conflict"), "take list")
    assert [here.one(name, "title") for name in ("crm", "list")] == ["right", "right"]
    assert any(["title", 1, "left", "decided by a person"] in each.get("lost", []) for each in here.history())
    assert here.quiet()


def test_a_fight_of_two_automations_is_ended_by_a_word_and_counted_anew() -> None:
    here = two()
    ref, _ = fight(here, 4)
    question = only(here, "conflict")
    assert question.body["why"] == "oscillates"
    decide(here, question, "set Norge")
    assert [here.one(name, "a") for name in ("crm", "list")] == ["Norge", "Norge"]
    here.edit("crm", ref, a="NORWAY")
    here.run()
    assert (here.one("list", "a"), here.reviews()) == ("NORWAY", [])


def test_a_question_about_somebody_who_was_joined_with_another_is_about_both() -> None:
    here, question, ref, _ = conflict()
    other = here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    here.vendors["crm"].merge(ref, other)
    here.run()
    decide(here, question, "take list")
    assert here.one("crm", "title") == "right"


@pytest.mark.parametrize("systems", [(1,), (2,)])
def test_a_person_may_set_what_a_system_owns(systems: tuple[int, ...]) -> None:
    here = two(rules=Rules({"title": Policy("owner", systems)}))
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    say(here, {"title": "by hand"})
    assert [here.one(name, "title") for name in ("crm", "list")] == ["by hand", "by hand"]
    assert here.quiet()
    here.edit("crm" if systems == (1,) else "list", ref if systems == (1,) else here.refs("list")[0], title="t1")
    here.run()
    assert here.lead().value["title"] == "t1", "and its owner may set it again"


# --- values as a person types them -----------------------------------------------------------------------------------

TYPES: Mapping[str, Any] = {
    "age": "age",
    "size": {"remote": "size", "options": {"S": "small", "L": "large"}},
    "tags": {"remote": "tags", "as": "list"},
}


@pytest.mark.parametrize(
    ("group", "text", "value"),
    [
        ("title", "Head of Sales", "Head of Sales"),
        ("age", "41", 41),
        ("size", "small", "small"),
        ("size", "S", "small"),
        ("phone", "+47 22 22 55 55", "+4722225555"),
        ("stage", "customer", "customer"),
        ("email", " Ann@Example.com ", "ann@example.com"),
    ],
)
def test_a_typed_value_becomes_what_the_field_holds(group: str, text: str, value: Canon) -> None:
    here = Installation({"crm": There(mapping=TYPES)})
    assert typed(here.engine, group, text) == value


@pytest.mark.parametrize(("group", "text"), [("age", "about forty"), ("size", "huge"), ("stage", "nearly"), ("email", "ann")])  # fmt: skip
def test_a_typed_value_that_the_field_cannot_hold_is_told(group: str, text: str) -> None:
    here = Installation({"crm": There(mapping=TYPES)})
    with pytest.raises(CannotDecide, match=f'^"{text}" is no value for {group}: '):
        typed(here.engine, group, text)


@pytest.mark.parametrize("group", ["name", "address", "nothing like it"])
def test_a_group_of_several_fields_is_not_typed_as_one(group: str) -> None:
    here = Installation({"crm": There(mapping=TYPES)})
    with pytest.raises(CannotDecide, match="has several fields"):
        typed(here.engine, group, "text")


def test_a_bad_value_in_an_answer_leaves_the_question_open() -> None:
    here = two(rules=Rules({"stage": Policy("ask")}))
    here.put("crm", **ANN, stage="lead")
    here.put("list", **ANN, stage="customer")
    here.run()
    say(here, {"stage": "sql"})
    with pytest.raises(CannotDecide, match='"nearly" is no value for stage'):
        say(here, {"stage": "nearly"})
    assert here.lead().value["stage"] == "sql"


# --- editing by hand -------------------------------------------------------------------------------------------------


def test_a_field_of_several_is_edited_and_the_others_of_its_group_stay() -> None:
    here = two()
    here.put("crm", **ANN, street="Gata 1", city="Oslo")
    here.run()
    report = say(here, {"city": "Bergen", "last_name": "Moe"})
    assert [here.shown(name, "street", "city", "first", "last") for name in ("crm", "list")] == [
        [["Gata 1", "Bergen", "Ann", "Moe"]]
    ] * 2
    assert told(here, report.run) == ("edit", "ann", "on the phone")
    assert here.lead().origin["address"][3] == "edited by a person"
    assert here.quiet()


def test_a_value_is_taken_away_by_hand() -> None:
    here = two()
    here.put("crm", **ANN, title="t0")
    here.run()
    say(here, {"title": ""})
    assert [here.one(name, "title") for name in ("crm", "list")] == [None, None]
    assert here.quiet()


def test_an_unread_edit_that_loses_to_a_hand_stands_in_the_history() -> None:
    here = two()
    ref = here.put("crm", **ANN, title="t0")
    here.run()
    here.edit("crm", ref, title="typed over there")
    with here.units() as units:
        units.pull("crm")
    say(here, {"title": "by hand"})
    assert here.one("crm", "title") == "by hand"
    lost = [each for body in here.history() for each in body.get("lost", [])]
    assert ["title", here.known("crm", ref).id, "typed over there", "edited by a person"] in lost


def test_a_person_is_found_by_the_address_that_a_hand_gave_them_and_not_by_the_former_one() -> None:
    here = Installation({"crm": There(), "list": There(writes="none")})
    here.put("crm", **ANN)
    here.run()
    say(here, {"email": "ann.berg@example.com"})
    here.put("list", email="ann@example.com", title="whoever has it now")
    here.run()
    assert sorted(str(each.value["email"]) for each in here.people()) == ["ann.berg@example.com", "ann@example.com"]


def test_a_no_can_be_said_for_somebody_and_a_yes_cannot() -> None:
    here = two()
    here.put("crm", **ANN, consent="in")
    here.run()
    for word in ("in", "confirmed", ""):
        with pytest.raises(CannotDecide, match='only "out" can be said for somebody else'):
            say(here, {"consent.email": word})
    say(here, {"consent.email": "out"})
    assert [here.one(name, "consent") for name in ("crm", "list")] == ["out", "out"]
    assert ledger(here)[-1][2:4] == ("out", "said by ann")
    assert here.quiet()


def test_a_lead_is_edited_under_its_former_number_too() -> None:
    here = two()
    kept, gone = here.put("crm", **ANN), here.put("crm", email="a.b@example.com", first="Ann", last="Berg")
    here.run()
    former = max(each.id for each in here.people())
    here.vendors["crm"].merge(kept, gone)
    here.run()
    runner.act(here.engine, lambda tx: edit(here.engine, tx, former, {"title": "t1"}, "ann", ""))
    assert here.one("crm", "title") == "t1"


def test_a_lead_or_a_field_that_is_not_there_is_told() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    with here.store.tx() as tx, pytest.raises(CannotDecide, match="there is no lead 99"):
        edit(here.engine, tx, 99, {"title": "t1"}, "ann", "")
    with pytest.raises(KeyError, match="colour"):
        say(here, {"colour": "red"})


# --- consent ---------------------------------------------------------------------------------------------------------


def cleared(value: str | None) -> tuple[Installation, Review, Ref]:
    """Ann said no; then somebody at the CRM took it back."""
    here = two(rules=Rules(opt_in_trust=frozenset({1, 2})))
    ref = here.put("crm", **ANN, consent="out")
    here.put("list", **ANN)
    here.run()
    here.edit("crm", ref, consent=value)
    here.run()
    return here, only(here, "consent"), ref


@pytest.mark.parametrize("value", [None, "in"])
def test_an_opt_out_that_is_confirmed_stays_everywhere(value: str | None) -> None:
    here, question, _ = cleared(value)
    decide(here, question, "out")
    assert ([here.one(name, "consent") for name in ("crm", "list")], here.reviews()) == (["out", "out"], [])
    assert here.lead().value["consent.email"] == "out"
    assert here.quiet()


def test_a_cleared_box_is_no_yes_whatever_a_person_says() -> None:
    here, question, _ = cleared(None)
    with pytest.raises(CannotDecide, match="no side shows an opt-in; let the person confirm it over there"):
        decide(here, question, "in")
    assert here.lead().value["consent.email"] == "out"


def test_a_yes_without_evidence_counts_only_by_a_persons_word_and_the_history_names_them() -> None:
    here, question, ref = cleared("in")
    assert here.lead().value["consent.email"] == "out"
    report = decide(here, question, "in", "she called")
    assert here.lead().value["consent.email"] == "in"
    assert here.lead().origin["consent.email"][3] == "an opt-in, allowed by a person"
    assert told(here, report.run) == ("review", "ann", "she called")
    last = ledger(here)[-1]
    assert (last[2], last[3], last[5], last[6]) == (
        "in",
        f"decided in review {question.id}",
        here.known("crm", ref).id,
        report.run,
    )
    assert here.one("list", "consent") == "out", "nobody else is told of a yes"
    assert here.quiet()


def untrusted() -> tuple[Installation, Review, Ref]:
    """Ann said no in the CRM and confirmed a newer yes in the list, which is not trusted to tell it."""
    here = two()
    ref = here.put("crm", **ANN)
    here.run()
    here.vendors["crm"].opt_out("ann@example.com")
    here.run()
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    return here, only(here, "consent"), ref


def test_a_yes_that_was_left_alone_is_taken_back_by_a_persons_no() -> None:
    here, question, _ = untrusted()
    assert here.one("list", "consent") == "in"
    decide(here, question, "out")
    assert [here.one(name, "consent") for name in ("crm", "list")] == ["out", "out"]
    assert here.quiet()


def test_a_confirmed_yes_counts_by_a_persons_word() -> None:
    here, question, _ = untrusted()
    decide(here, question, "in")
    assert str(here.lead().value["consent.email"]).startswith("confirmed ")
    assert [here.one(name, "consent") for name in ("crm", "list")] == ["out", "in"]
    assert here.quiet()


def test_a_yes_does_not_count_when_somebody_said_no_since() -> None:
    here, question, _ = untrusted()
    here.vendors["list"].opt_out("ann@example.com")
    here.run()
    with pytest.raises(Moved, match="said no since"):
        decide(here, question, "in")
    assert here.lead().value["consent.email"] == "out"


def test_a_question_about_a_no_that_nobody_says_any_more_is_not_applied() -> None:
    here, question, _ = cleared(None)
    here.vendors["list"].confirm("ann@example.com")
    here.run()
    assert str(here.lead().value["consent.email"]).startswith("confirmed ")
    with pytest.raises(Moved, match="nobody says no any more"):
        decide(here, question, "out")


# --- people ----------------------------------------------------------------------------------------------------------


def nameless() -> tuple[Installation, Review, Ref]:
    """Somebody without a name writes from an address that two people had."""
    here = two()
    ref = stranger(here)
    return here, only(here, "identity"), ref


def test_somebody_is_said_to_be_a_known_lead() -> None:
    here, question, ref = nameless()
    ann = here.people()[0]
    assert ann.id in question.body["leads"]
    decide(here, question, f"link {ann.id}")
    assert (here.known("list", ref).lead, len(here.people()), here.reviews()) == (ann.id, 2, [])
    assert here.one("crm", "title", here.refs("crm")[0]) == "somebody"
    assert here.quiet()


def test_somebody_is_said_to_be_new_and_their_address_does_not_join_them_again() -> None:
    here, question, ref = nameless()
    decide(here, question, "new")
    mine = here.known("list", ref)
    assert (len(here.people()), mine.lead in question.body["leads"]) == (3, False)
    with here.store.read() as tx:
        apart = records.kept_apart(tx, [mine.id])
    assert {number for pair in apart for number in pair} > {mine.id}
    for _ in range(2):
        here.edit("list", ref, title="again")
        here.run()
    assert (len(here.people()), here.reviews()) == (3, [])
    assert here.quiet()


@pytest.mark.parametrize("said", ["link 99", "link Ann"])
def test_somebody_cannot_be_said_to_be_a_lead_that_is_not_there(said: str) -> None:
    here, question, _ = nameless()
    with pytest.raises(CannotDecide, match=r"there is no lead .* the question names: "):
        decide(here, question, said)


def test_somebody_who_was_placed_meanwhile_is_not_placed_again() -> None:
    here, question, ref = nameless()
    here.edit("list", ref, first="Kari", last="Moe")
    here.run()
    assert here.reviews() == []
    with pytest.raises(Moved, match="is over already"):
        decide(here, question, "new")


def same() -> tuple[Installation, Review]:
    """Two leads, and a record that holds the addresses of both."""
    more = There(mapping={"emails": {"remote": "more", "as": "emails"}})
    here = Installation({"crm": There(), "list": more})
    here.put("crm", **ANN, title="t1")
    here.put("crm", email="a.b@example.com", first="Ann", last="Berg", a="a1")
    here.run()
    here.put("list", email="third@example.com", first="Ann", last="Berg", more="ann@example.com;a.b@example.com")
    here.run()
    return here, here.reviews("same")[0]


def test_two_who_are_said_to_be_one_become_one() -> None:
    here, question = same()
    report = decide(here, question, "join")
    numbers = question.body["leads"]
    with here.store.read() as tx:
        assert leads.real(tx, max(numbers)) == min(numbers)
        assert [each.run for each in runs.of_lead(tx, [min(numbers)]) if each.body.get("merged") == max(numbers)] == [
            report.run
        ]
    assert (here.lead().value["title"], here.lead().value["a"]) == ("t1", "a1")
    assert here.quiet()


def test_two_who_are_said_to_be_two_stay_two() -> None:
    here, question = same()
    before = len(here.people())
    decide(here, question, "apart")
    here.edit("list", here.refs("list")[-1], title="again")
    here.run()
    assert len(here.people()) == before
    assert question.id not in [each.id for each in here.reviews()]


def two_leads() -> tuple[Installation, Review]:
    """Two people with one address, where an address can be held only once."""
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    here.put("crm", email="info@example.com", first="Ann", last="Berg")
    here.put("crm", email="info@example.com", first="Ola", last="Dahl", title="t1")
    here.run()
    return here, only(here, "two leads")


@pytest.mark.parametrize(("said", "people"), [("join", 1), ("apart", 2)])
def test_two_who_claim_one_record_are_said_to_be_one_or_two(said: str, people: int) -> None:
    here, question = two_leads()
    decide(here, question, said)
    assert (len(here.people()), len(here.refs("list"))) == (people, 1)
    here.run()
    assert [each.kind for each in here.reviews()] == (["conflict"] if said == "join" else [])
    assert here.quiet()


def test_two_who_have_become_one_meanwhile_need_no_answer() -> None:
    here, question = two_leads()
    here.vendors["crm"].merge(*here.refs("crm"))
    here.run()
    assert len(here.people()) == 1
    decide(here, question, "join")
    assert len(here.people()) == 1


# --- what was refused ------------------------------------------------------------------------------------------------


def refused(count: int = 1, title: str = "Wizard") -> tuple[Installation, list[Ref]]:
    here = Installation({"crm": There(), "list": There(PICKY)})
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"Person{i}x") for i in range(count)]
    here.run()
    for ref in refs:
        here.edit("crm", ref, title=title)
    here.run()
    return here, refs


def mend(here: Installation) -> None:
    """The list takes everything by now."""
    here.vendors["list"].temperament = here.vendors["list"]._held._how = PLAIN


def test_refusals_of_one_value_are_one_question_that_counts_them() -> None:
    here, refs = refused(8)
    here.edit("crm", refs[0], title="Witch")
    here.run()
    assert [(each.body["values"], each.n, len(each.body["samples"])) for each in here.reviews("refused")] == [
        (["Wizard"], 8, 5),
        (["Witch"], 1, 1),
    ]


def test_refused_values_are_sent_again_once_the_list_of_choices_was_mended() -> None:
    here, _ = refused(8)
    mend(here)
    question = only(here, "refused")
    report = decide(here, question, "retry")
    assert (report.answers, here.shown("list", "title"), here.reviews()) == ({"done": 8}, ["Wizard"] * 8, [])
    assert here.quiet()


def test_a_value_that_is_refused_again_is_asked_about_again() -> None:
    here, _ = refused()
    question = only(here, "refused")
    decide(here, question, "retry")
    assert [each.id for each in here.reviews()] == [question.id]
    assert here.quiet()


def test_a_refused_value_that_is_left_rests_and_says_so() -> None:
    here, refs = refused(8)
    before = len(here.writes("list"))
    decide(here, only(here, "refused"), "leave")
    here.edit("crm", refs[0], a="a1")
    here.run()
    assert (len(here.writes("list")), here.shown("list", "title"), here.reviews()) == (before + 1, [None] * 8, [])
    with here.store.read() as tx:
        assert records.count_settled(tx, here.id("list")) == {"held": 8}
    here.edit("crm", refs[0], title="Chief")
    here.run()
    assert here.shown("list", "title")[0] == "Chief", "another value is another matter"


def test_an_answer_concerns_nobody_who_was_refused_for_another_reason() -> None:
    """Six wizards and a witch: the wizards are left as they are, and the witch is sent once she is accepted."""
    here, refs = refused(7)
    here.edit("crm", refs[0], title="Witch")
    here.run()
    wizards, witch = here.reviews("refused")
    decide(here, wizards, "leave")
    mend(here)
    decide(here, witch, "retry")
    assert here.shown("list", "title") == ["Witch", *[None] * 6]


@pytest.mark.parametrize(("said", "made"), [("retry", 1), ("leave", 0)])
def test_a_person_who_was_refused_whole_is_made_after_mending_or_left(
    said: str, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = two()
    ref = here.put("crm", **ANN)
    with monkeypatch.context() as closed:
        closed.setattr(here.vendors["list"]._held, "refusal", lambda row, taken: Refusal("", "CLOSED"))
        here.run()
    question = only(here, "refused")
    decide(here, question, said)
    here.edit("crm", ref, title="t1")
    here.run()
    assert (len(here.refs("list")), here.reviews()) == (made, [])
    assert here.quiet()


@pytest.mark.parametrize(("said", "there"), [("retry", "XXL"), ("leave", None)])
def test_a_value_without_a_word_is_written_once_the_mapping_has_one_or_left(said: str, there: str | None) -> None:
    def sizes(**words: str) -> Mapping[str, Any]:
        return {"size": {"remote": "size", "options": {"S": "small", **words}}}

    here = Installation({"crm": There(mapping={"size": "size"}), "list": There(mapping=sizes())})
    ref = here.put("crm", **ANN)
    here.run()
    here.edit("crm", ref, size="huge")
    here.run()
    question = only(here, "unwritable")
    if said == "retry":
        here.change("list", mapping=sizes(XXL="huge"))
    decide(here, question, said)
    assert (here.one("list", "size"), here.reviews()) == (there, [])
    assert here.quiet()


@pytest.mark.parametrize("said", ["retry", "leave"])
def test_a_value_that_cannot_be_read_is_read_again_or_left(said: str) -> None:
    here = Installation({"crm": There(mapping={"age": "age"}), "list": There(mapping={"age": "age"})})
    here.put("crm", **ANN, age="about forty")
    here.run()
    question = only(here, "unreadable")
    decide(here, question, said)
    assert (here.one("crm", "age"), here.one("list", "age")) == ("about forty", None)
    assert [each.id for each in here.reviews()] == ([question.id] if said == "retry" else [])
    assert here.quiet()


@pytest.mark.parametrize(("said", "made"), [("retry", 7), ("leave", 0)])
def test_people_who_lack_what_a_system_requires_are_made_after_mending_or_left(said: str, made: int) -> None:
    needs = {"phone": {"remote": "phone", "required": True}}
    here = Installation({"crm": There(), "list": There(mapping=needs)})
    for i in range(7):
        here.put("crm", email=f"p{i}@example.com", first="P", last=f"Person{i}x")
    here.run()
    question = only(here, "missing")
    assert question.n == 7
    here.there["list"] = There()
    here.configured()
    with here.store.tx() as tx:  # the mapping was mended while nobody looked
        decided = review.decide(here.engine, tx, question.id, said, "ann", "")
        runs.end(tx, decided, "done", {}, here.world.now())
    with here.units() as units:
        units.decide()
        units.push("list")
    assert len(here.refs("list")) == made


@pytest.mark.parametrize(("said", "left"), [("retry", 0), ("leave", 1)])
def test_what_a_system_did_not_take_is_done_once_it_does_or_left(said: str, left: int) -> None:
    no_archive = replace(PLAIN, batch={WriteKind.CREATE: 10, WriteKind.UPDATE: 10})
    here = Installation({"crm": There(), "list": There(no_archive, deletions="archive")})
    delete(here)
    question = only(here, "impossible")
    here.engine.system("list").capabilities.batch[WriteKind.ARCHIVE] = 10  # type: ignore[index]
    here.vendors["list"].temperament.batch[WriteKind.ARCHIVE] = 10  # type: ignore[index]
    decide(here, question, said)
    assert len(here.refs("list")) == left


@pytest.mark.parametrize("said", ["retry", "leave"])
def test_two_who_swapped_addresses_are_tried_again_or_left(said: str) -> None:
    here = Installation({"crm": There(), "list": There(replace(PLAIN, unique_email=True))})
    swap(here)
    question = only(here, "circle")
    mend(here)  # an address may be held twice there by now
    here.configured()
    decide(here, question, said)
    swapped = [["Ann", "ola@example.com"], ["Ola", "ann@example.com"]]
    assert (sorted(here.shown("list", "first", "email")) == swapped) is (said == "retry")
    assert (here.reviews(), here.quiet()) == ([], True)


@pytest.mark.parametrize(("said", "made"), [("retry", 3), ("leave", 2)])
def test_a_create_that_may_be_one_of_several_is_made_or_left_by_a_persons_word(said: str, made: int) -> None:
    here = two()
    for first in ("Kari", "Per"):
        here.put("list", email="info@example.com", first=first, last=f"{first}sen")
    here.run()
    here.put("crm", email="info@example.com", first="Ola", last="Olasen")
    here.fault("list", Fault.CUT, "CREATE")
    here.run()
    here.later(700)
    here.run()
    question = only(here, "in doubt")
    assert len(question.body["records"]) == 2
    decide(here, question, said)
    assert (here.reviews(), len(here.refs("list"))) == ([], made)
    assert here.quiet()


# --- deletions -------------------------------------------------------------------------------------------------------


def deleted() -> tuple[Installation, Review, Ref]:
    """Deleted in the CRM, edited in the list since."""
    here = Installation({"crm": There(), "list": There(deletions="archive")})
    ref = delete(here, edited_since=True)
    return here, only(here, "deleted"), ref


@pytest.mark.parametrize(("said", "left"), [("archive", 0), ("keep", 1)])
def test_a_deletion_of_somebody_edited_since_is_followed_or_not(said: str, left: int) -> None:
    here, question, _ = deleted()
    decide(here, question, said)
    assert (len(here.refs("list")), here.reviews()) == (left, [])
    assert here.quiet()


def test_a_deletion_is_not_followed_into_a_system_that_may_not_be_written_to() -> None:
    here, question, _ = deleted()
    here.change("list", writes="update")
    decide(here, question, "archive")
    assert len(here.refs("list")) == 1


def test_a_deletion_that_was_taken_back_meanwhile_is_not_followed() -> None:
    here, question, ref = deleted()
    here.vendors["crm"]._held._commit(here.vendors["crm"]._held.rows[ref], dict(ANN), here.known("crm", ref).writer)
    here.run()
    with pytest.raises(Moved, match="not deleted any more"):
        decide(here, question, "archive")
    assert len(here.refs("list")) == 1


def test_an_answer_to_what_was_shown_before_is_no_answer_to_what_is_asked_now() -> None:
    here, question, ref, _ = conflict()
    here.edit("crm", ref, title="another title")
    here.run()
    now = only(here, "conflict")
    with pytest.raises(Moved, match=f"question {question.id} is over, or another one by now"):
        decide(here, question, "keep")
    assert (only(here, "conflict").id, now.id > question.id) == (now.id, True)


def test_somebody_who_is_to_stay_is_not_asked_about_again() -> None:
    here, question, _ = deleted()
    decide(here, question, "keep")
    here.edit("list", here.refs("list")[0], title="promoted again")
    here.run()
    assert (here.reviews(), here.shown("list", "title")) == ([], ["promoted again"])
    assert here.quiet()


# --- floods ----------------------------------------------------------------------------------------------------------


def test_a_column_that_was_held_back_flows_when_it_was_meant() -> None:
    here = two(limits=replace(NO_LIMITS, inbound=Limit(5, 0.05)))
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"P{i}x", title=f"t{i}") for i in range(12)]
    here.run()
    for ref in refs:
        here.edit("crm", ref, title=None)
    here.run()
    question = only(here, "inbound")
    with pytest.raises(CannotDecide, match="being held"):
        decide(here, question, "hold")
    assert (None not in here.shown("list", "title"), len(here.reviews())) == (True, 1)
    decide(here, question, "accept")
    assert (here.shown("list", "title"), here.reviews()) == ([None] * 12, [])
    assert here.quiet()


def test_opt_outs_that_were_held_back_go_out_when_they_were_meant() -> None:
    here = two(limits=replace(NO_LIMITS, withdraw=Limit(5, 0.02)))
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"P{i}x") for i in range(12)]
    here.run()
    for ref in refs:
        here.edit("crm", ref, consent="out")
    here.run()
    question = only(here, "withdrawals")
    with pytest.raises(CannotDecide, match="being held"):
        decide(here, question, "hold")
    assert "out" not in here.shown("list", "consent")
    decide(here, question, "accept")
    assert (here.shown("list", "consent"), here.reviews()) == (["out"] * 12, [])
    assert here.quiet()


def test_records_that_vanished_without_a_word_are_believed_gone_when_that_was_meant() -> None:
    here = Installation(
        {"crm": There(replace(PLAIN, deletes=Deletes.SWEEP)), "list": There()},
        limits=replace(NO_LIMITS, shrink=Limit(5, 0.05)),
    )
    refs = [here.put("crm", email=f"p{i}@example.com", first="P", last=f"P{i}x") for i in range(12)]
    here.run()
    for ref in refs:
        here.vendors["crm"].remove(ref)
    here.later(25 * 3600)
    here.run()
    question = only(here, "inbound")
    assert {here.known("crm", ref).state for ref in refs} == {State.LIVE}
    decide(here, question, "accept")
    assert {here.known("crm", ref).state for ref in refs} == {State.GONE}
    here.later(25 * 3600)
    here.run()
    assert here.reviews() == []
    assert here.quiet()
