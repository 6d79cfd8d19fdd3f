"""Clauses about writing: what was asked is what is there, nothing else is, and the answers say so."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime

from connectors.backdoor import Fault
from connectors.base import Done, Exists, Gone, Ref, Refused, Stale, State, Unknown, Value, WriteKind
from connectors.conformance.clause import Clause, ability, clause, fault, lookup, name, own_key, writes
from connectors.conformance.rig import Rig, reads

CREATE, UPDATE = writes(WriteKind.CREATE), writes(WriteKind.UPDATE)

SCRIPTS = {
    "Nordic letters": "Ægir Øystein Åsmund ßþð",
    "composed accents": unicodedata.normalize("NFC", "Åse Lindén-Müller"),
    "decomposed accents": unicodedata.normalize("NFD", "Åse Lindén-Müller"),
    "emoji of several code points": "Team 👩‍👩‍👧‍👦 🇳🇴 👍🏽",
    "right to left": "שלום مرحبا",
    "letters beyond the first plane": "𝒜da 𐍈 中文",
    "markup and quotes": "<b>R&D</b> \"a\" 'b' \\ 100% {x}; a,b",
}


def explained(sent: Value, got: Value, coercions: Collection[str]) -> bool:
    """Whether a value that came back is the one sent, but for what the vendor is declared to do to it."""
    if sent == got or (got is None and "cleared" in coercions):
        return True
    if not isinstance(sent, str) or not isinstance(got, str) or not got:
        return False
    if "blanks" in coercions:
        sent, got = " ".join(sent.split()), " ".join(got.split())
    if "case" in coercions:
        sent, got = sent.casefold(), got.casefold()
    if "digits" in coercions and any(each.isdigit() for each in sent):
        sent, got = ("".join(filter(str.isdigit, each)) for each in (sent, got))
    return sent == got or ("cut" in coercions and sent.startswith(got))


def moment(value: Value) -> datetime:
    """A time in any of the vendors' forms: ISO with an offset, or milliseconds since 1970."""
    text = str(value)
    if text.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None, f"the time {text!r} came back without an offset"
    return found


@clause("round-trip", CREATE, UPDATE)
def round_trip(rig: Rig) -> None:
    """What is created and what is updated reads back as it was written."""
    connector = rig.connect()
    fields = rig.fresh()
    changed: dict[str, Value] = {rig.names.text: "after the update"}
    if rig.names.flag:
        flag, on, off = rig.names.flag
        fields[flag], changed[flag] = on, off
    if rig.names.picklist:
        choice, option = rig.names.picklist
        fields[choice] = option
    ref = rig.create(connector, fields)[0]
    for when, written in (("create", fields), ("update", changed)):
        if when == "update":
            ref = rig.update(connector, ref, changed)
        read = rig.fetch(connector, ref).fields
        for each, value in written.items():
            assert each in read, f"{each!r} was written by the {when} and is not read"
            assert read[each] == value, f"{each!r} was written as {value!r} by the {when} and reads {read[each]!r}"


@clause("untouched-fields", UPDATE)
def untouched_fields(rig: Rig) -> None:
    """An update leaves alone what it does not mention."""
    ref = rig.put(1)[0]
    before = rig.really(ref).fields
    ref = rig.update(rig.connect(), ref, {rig.names.text: "the only change"})
    after = rig.really(ref).fields
    for each in set(rig.make_fields(0)) - {rig.names.text}:
        assert after.get(each) == before.get(each), f"{each!r} went from {before.get(each)!r} to {after.get(each)!r}"


@clause("none-clears", UPDATE)
def none_clears(rig: Rig) -> None:
    """None empties a field, and an empty field reads None."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    ref = rig.update(connector, ref, {rig.names.text: None})
    read = rig.fetch(connector, ref).fields
    assert rig.really(ref).fields.get(rig.names.text) in (None, ""), "the field was not emptied"
    assert read.get(rig.names.text, "absent") is None, f"it reads {read.get(rig.names.text, 'absent')!r}"


@clause("scripts", UPDATE)
def scripts(rig: Rig) -> None:
    """Text in any script comes back letter for letter."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    for what, text in SCRIPTS.items():
        ref = rig.update(connector, ref, {rig.names.text: text})
        found = reads(rig.fetch(connector, ref), rig.names.text)
        assert found == text, f"{what}: {text!a} reads {found!a}"


@clause("long-text", UPDATE, name("long_text", "text field of known behaviour"))
def long_text(rig: Rig) -> None:
    """A text that is too long is refused, or cut where cutting is declared, and an answer with values shows the cut."""
    assert rig.names.long_text is not None
    field, length = rig.names.long_text
    text = ("lengthy " * (1 + (length or 300) // 8))[: (length or 300) + 7] + "."
    connector = rig.connect()
    ref = rig.put(1)[0]
    before = rig.really(ref).fields.get(field)
    answer = rig.write(connector, rig.change(ref, {field: text}))[0]
    there = rig.really(ref).fields.get(field)
    if isinstance(answer, Refused):
        assert there == before, "it was refused and changed all the same"
        return
    assert isinstance(answer, Done), f"it was answered {answer!r}"
    assert explained(text, there, connector.capabilities.coercions), f"undeclared, {text!r} became {there!r}"
    if answer.fields is not None:
        told = answer.fields.get(field)
        assert told == there, f"the answer tells {len(str(told))} characters, and {len(str(there))} were kept"


@clause("declared-coercions", UPDATE)
def declared_coercions(rig: Rig) -> None:
    """Whatever the vendor does to a value is declared: letter case, blanks, a cut."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    address = rig.address(ref)
    sent: dict[str, Value] = {rig.names.text: "Two  blanks, one CASE ", rig.names.email: "Mixed.Case." + address}
    ref = rig.update(connector, ref, sent)
    read = rig.fetch(connector, ref).fields
    for each, value in sent.items():
        assert explained(value, read[each], connector.capabilities.coercions), (
            f"{each!r} was written as {value!r}, reads {read[each]!r}, "
            f"and declared are {sorted(connector.capabilities.coercions)}"
        )


@clause("truthful-answers", UPDATE, ability(lambda can: can.returns_fields, "its answers hold no values"))
def truthful_answers(rig: Rig) -> None:
    """An answer with values tells every written field as it is after the write."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    address = rig.address(ref)
    steps: list[dict[str, Value]] = [{rig.names.text: " Blanks  ", rig.names.email: "Mixed.Case." + address}]
    if rig.names.stage:
        stage, later, earlier = rig.names.stage
        steps += [{stage: later}, {stage: earlier}]
    for sent in steps:
        answer = rig.write(connector, rig.change(ref, sent))[0]
        assert isinstance(answer, Done), f"a harmless update was answered {answer!r}"
        assert answer.fields is not None, "the answer holds no values, though it is declared to"
        ref = Ref(ref.object, answer.id)
        there = rig.really(ref).fields
        for each in sent:
            assert each in answer.fields, f"{each!r} was written and is not in the answer"
            told = answer.fields[each]
            assert told == (there.get(each) or None), (
                f"the answer tells {told!r} of {each!r}, it is {there.get(each)!r}"
            )


@clause("big-integers", UPDATE, name("big_integer", "field for big whole numbers"))
def big_integers(rig: Rig) -> None:
    """A whole number beyond 2**53 keeps its last digit."""
    assert rig.names.big_integer is not None
    field, number = rig.names.big_integer
    connector = rig.connect()
    ref = rig.update(connector, rig.put(1)[0], {field: number})
    found = reads(rig.fetch(connector, ref), field)
    assert not isinstance(found, float), f"{number!r} reads as the float {found!r}"
    assert str(found) == str(number), f"{number!r} reads {found!r}"


@clause("aware-times", UPDATE, name("aware_time", "field for a moment"))
def aware_times(rig: Rig) -> None:
    """A moment written with an offset is the same moment when it is read."""
    assert rig.names.aware_time is not None
    field, written = rig.names.aware_time
    connector = rig.connect()
    ref = rig.update(connector, rig.put(1)[0], {field: written})
    found = reads(rig.fetch(connector, ref), field)
    assert moment(found) == moment(written), f"{written!r} reads {found!r}, which is another moment"


@clause("stale-version", UPDATE, ability(lambda can: can.conditional, "it has no conditional writes"))
def stale_version(rig: Rig) -> None:
    """A write for a version that has passed changes nothing and is answered Stale; for the present one it is done."""
    connector = rig.connect()
    ref = rig.put(1)[0]
    old = rig.fetch(connector, ref).version
    assert old is not None, "a record of a vendor with conditional writes has no version"
    rig.door.edit(ref, {rig.names.text: "a person's"})
    answer = rig.write(connector, rig.change(ref, {rig.names.text: "ours"}, if_version=old))[0]
    assert isinstance(answer, Stale), f"a write for a version that had passed was answered {answer!r}"
    found = rig.really(ref).fields[rig.names.text]
    assert found == "a person's", f"the person's value was overwritten by {found!r}"
    present = rig.fetch(connector, ref).version
    answer = rig.write(connector, rig.change(ref, {rig.names.text: "ours"}, if_version=present))[0]
    assert isinstance(answer, Done), f"a write for the present version was answered {answer!r}"


REFUSED = name("refused", "value that is refused")


@clause("bad-create-alone", writes(WriteKind.CREATE, 3), REFUSED)
def bad_create_alone(rig: Rig) -> None:
    """One bad record in a batch of creates fails alone, and its refusal repeats no value."""
    assert rig.names.refused is not None
    field, value = rig.names.refused
    rows = [rig.fresh(), rig.fresh(**{field: value}), rig.fresh()]
    answers = rig.write(rig.connect(), *(rig.creation(row) for row in rows))
    kinds = [type(each) for each in answers]
    assert kinds == [Done, Refused, Done], f"a good, a bad and a good create were answered {_kinds(kinds)}"
    assert len(rig.alive(rows[0][rig.names.email])) == 1, "the first good record was not made"
    assert len(rig.alive(rows[2][rig.names.email])) == 1, "the last good record was not made"
    assert isinstance(answers[1], Refused)
    _repeats_nothing(answers[1], field, value)


@clause("bad-update-alone", writes(WriteKind.UPDATE, 3), REFUSED)
def bad_update_alone(rig: Rig) -> None:
    """One bad record in a batch of updates fails alone, and its refusal repeats no value."""
    assert rig.names.refused is not None
    field, value = rig.names.refused
    refs = rig.put(3)
    changes = [rig.change(ref, {rig.names.text: f"change {i}"}) for i, ref in enumerate(refs)]
    changes[1].fields[field] = value
    before = rig.really(refs[1]).fields
    answers = rig.write(rig.connect(), *changes)
    kinds = [type(each) for each in answers]
    assert kinds == [Done, Refused, Done], f"a good, a bad and a good update were answered {_kinds(kinds)}"
    for i in (0, 2):
        assert rig.really(refs[i]).fields[rig.names.text] == f"change {i}", f"good update {i} did not take effect"
    assert rig.really(refs[1]).fields == before, "the bad record was changed all the same"
    assert isinstance(answers[1], Refused)
    _repeats_nothing(answers[1], field, value)


@clause("gone-alone", writes(WriteKind.UPDATE, 3))
def gone_alone(rig: Rig) -> None:
    """A removed record in a batch of updates is answered Gone and is not revived; the others are changed."""
    refs = rig.put(3)
    rig.door.remove(refs[1])
    state = rig.really(refs[1]).state
    answers = rig.write(rig.connect(), *(rig.change(ref, {rig.names.text: "changed"}) for ref in refs))
    kinds = [type(each) for each in answers]
    assert kinds == [Done, Gone, Done], f"updates of a live, a removed and a live record: {_kinds(kinds)}"
    assert rig.really(refs[1]).state is state, "the removed record was revived"
    for i in (0, 2):
        assert rig.really(refs[i]).fields[rig.names.text] == "changed", f"live record {i} was not changed"


@clause("answers-in-order", writes(WriteKind.CREATE, 3), writes(WriteKind.UPDATE, 3))
def answers_in_order(rig: Rig) -> None:
    """The answers come in the order of the writes."""
    connector = rig.connect()
    rows = [rig.fresh() for _ in range(3)]
    refs = rig.create(connector, *rows)
    there = [rig.really(ref).fields[rig.names.email] for ref in refs]
    assert there == [row[rig.names.email] for row in rows], "the ids of the creates are in another order"
    answers = rig.write(connector, *(rig.change(ref, {rig.names.text: ref.id}) for ref in reversed(refs)))
    changed = [rig.really(ref).fields[rig.names.text] for ref in rig.done(answers)]
    assert changed == [ref.id for ref in reversed(refs)], "the ids of the updates are in another order"


@clause("whole-batch", CREATE)
def whole_batch(rig: Rig) -> None:
    """A batch of the declared size is taken in one call."""
    connector = rig.connect()
    rows = [rig.fresh() for _ in range(connector.capabilities.batch[WriteKind.CREATE])]
    refs = rig.create(connector, *rows)
    there = {kept.ref for kept in rig.door.records()}
    assert len(set(refs)) == len(rows), f"{len(rows)} creates were answered with {len(set(refs))} ids"
    assert set(refs) <= there, f"{len(set(refs) - there)} of {len(rows)} records were not made"


@clause("archive", writes(WriteKind.ARCHIVE))
def archive(rig: Rig) -> None:
    """An archived record is live no more, and no other goes with it."""
    kept, removed = rig.put(2)
    write = rig.change(removed, {})
    write.kind = WriteKind.ARCHIVE
    answer = rig.write(rig.connect(), write)[0]
    assert isinstance(answer, Done), f"it was answered {answer!r}"
    assert rig.really(removed).state is not State.LIVE, "the record is still live"
    assert rig.really(kept).state is State.LIVE, "another record went with it"


@clause("retried-create", CREATE, own_key)
def retried_create(rig: Rig) -> None:
    """A create that is sent again with the same key makes no twin."""
    connector = rig.connect()
    write = rig.creation(rig.fresh())
    first = rig.done(rig.write(connector, write))[0]
    answer = rig.write(rig.restart(), write)[0]
    again = answer.record.ref if isinstance(answer, Exists) else Ref(first.object, getattr(answer, "id", ""))
    assert again == first, f"the second time it was answered {answer!r}, the first record is {first}"
    twins = rig.alive(write.fields[rig.names.email])
    assert len(twins) == 1, f"there are {len(twins)} records of one create"


@clause("unanswered-create", CREATE, lookup, fault(Fault.CUT_AFTER))
def unanswered_create(rig: Rig) -> None:
    """A create whose answer was lost can be found at once, by our key or by its address."""
    connector = rig.connect()
    write = rig.creation(rig.fresh())
    rig.fault(Fault.CUT_AFTER, rig.lines.create)
    answer = rig.write(connector, write)[0]
    assert isinstance(answer, Unknown), f"without an answer it is {answer!r}"
    key = connector.own_key(rig.names.object)
    field, value = (key, write.key) if key else (rig.names.email, str(write.fields[rig.names.email]))
    made = {kept.ref for kept in rig.alive(write.fields[rig.names.email])}
    found = list(connector.find(rig.names.object, field, [value]))
    assert {record.ref for record in found} == made, (
        f"by {field!r} {len(found)} records were found, {len(made)} is there"
    )
    assert reads(found[0], rig.names.text) == write.fields[rig.names.text], "it was found without its values"


@clause("late-create", CREATE, lookup, fault(Fault.LATE))
def late_create(rig: Rig) -> None:
    """A create that takes effect after we stopped waiting is in doubt, and within the horizon it can be found."""
    connector = rig.connect()
    write = rig.creation(rig.fresh())
    rig.fault(Fault.LATE, rig.lines.create, value=1.0)
    answer = rig.write(connector, write)[0]
    assert isinstance(answer, Unknown), f"without an answer it is {answer!r}"
    assert answer.horizon >= 1.0, f"absence is said to prove something after {answer.horizon} seconds"
    rig.world.sleep(1.5)
    key = connector.own_key(rig.names.object)
    field, value = (key, write.key) if key else (rig.names.email, str(write.fields[rig.names.email]))
    found = list(connector.find(rig.names.object, field, [value]))
    assert len(found) == 1, f"by {field!r} {len(found)} records were found"
    assert len(rig.alive(write.fields[rig.names.email])) == 1, "it was made more than once"


@clause(
    "create-only",
    CREATE,
    ability(lambda can: can.create_only, "its creates may change a record that exists"),
    ability(lambda can: can.unique, "nothing is unique over there"),
)
def create_only(rig: Rig) -> None:
    """A create whose unique key is taken changes nothing and answers the record that has it."""
    connector = rig.connect()
    write = rig.creation(rig.fresh())
    if rig.names.email in connector.capabilities.unique:
        ref = rig.door.put(rig.names.object, write.fields)
    else:
        ref = rig.done(rig.write(connector, write))[0]
    before = rig.really(ref)
    write.fields = {**write.fields, rig.names.text: "must not be written"}
    answer = rig.write(connector, write)[0]
    after = rig.really(ref)
    assert after.fields == before.fields, "the record that was there was changed"
    assert isinstance(answer, Exists), f"it was answered {answer!r}"
    assert answer.record.ref == ref, f"{answer.record.ref} was answered, and it is {ref}"
    shown = reads(answer.record, rig.names.text)
    assert shown == before.fields[rig.names.text], f"the record is answered with {shown!r} in {rig.names.text!r}"
    assert len(rig.alive(write.fields[rig.names.email])) == 1, "a twin was made"


def _kinds(kinds: list[type]) -> str:
    return ", ".join(kind.__name__ for kind in kinds)


def _repeats_nothing(answer: Refused, field: str, value: Value) -> None:
    assert field in answer.fields or not answer.fields, f"{answer.fields} are blamed for a bad {field!r}"
    assert str(value) not in answer.text, f"the refusal repeats the value: {answer.text!r}"


CLAUSES: tuple[Clause, ...] = (
    round_trip,
    untouched_fields,
    none_clears,
    scripts,
    long_text,
    declared_coercions,
    truthful_answers,
    big_integers,
    aware_times,
    stale_version,
    bad_create_alone,
    bad_update_alone,
    gone_alone,
    answers_in_order,
    whole_batch,
    archive,
    retried_create,
    unanswered_create,
    late_create,
    create_only,
)
