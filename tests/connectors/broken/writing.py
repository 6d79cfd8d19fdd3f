"""Broken writers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.auth import Secrets
from connectors.base import Answer, Done, Exists, Fields, Gone, Record, Ref, Refused, Unknown, Unsent, Write, WriteKind
from connectors.memory import Memory
from connectors.memory_records import COERCING, CONDITIONAL, PLAIN
from connectors.world import World
from tests.connectors.broken.broken import Broken
from tests.connectors.memory_rigs import CONTRARY


def with_fields(write: Write, fields: Fields) -> Write:
    return replace(write, fields=fields)


class DropsFalse(Memory):
    """What is off is nothing to it."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return super().write(
            [with_fields(w, {name: v for name, v in w.fields.items() if v is not False}) for w in writes]
        )


class FillsUpNames(Memory):
    """It writes a name with every update, empty where it was told none."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if writes[0].kind is WriteKind.UPDATE:
            writes = [with_fields(w, {"name": None, **w.fields}) for w in writes]
        return super().write(writes)


class DropsNone(Memory):
    """It leaves out what is None."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return super().write(
            [with_fields(w, {name: v for name, v in w.fields.items() if v is not None}) for w in writes]
        )


class ComposesAccents(Memory):
    """It tidies up text on its way out."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        def tidy(fields: Fields) -> Fields:
            return {n: unicodedata.normalize("NFC", v) if isinstance(v, str) else v for n, v in fields.items()}

        return super().write([with_fields(w, tidy(w.fields)) for w in writes])


class Echoes(Memory):
    """It answers what it was told, not what came of it."""

    names: tuple[str, ...]

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        answers = super().write(writes)
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, Done) and answer.fields is not None:
                answer.fields.update({name: v for name, v in write.fields.items() if name in self.names})
        return answers


class EchoesTitles(Echoes):
    names = ("title",)


class EchoesAddresses(Echoes):
    names = ("email",)


class DeclaresOnlyCuts(Memory):
    """It does not say what the vendor does to letter case and blanks."""

    def __init__(
        self, name: str, settings: Any, world: World, fields: Mapping[str, Sequence[str]], secrets: Secrets, system: Any
    ) -> None:
        super().__init__(name, settings, world, fields, secrets, system)
        self.capabilities = replace(self.capabilities, coercions=frozenset({"cut"}))


class ReadsNumbersAsFloats(Memory):
    """Its numbers go through floating point."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for record in super().fetch(refs):
            number = record.fields.get("number")
            if isinstance(number, int):
                record.fields["number"] = int(float(number))
            yield record


class DropsTheOffset(Memory):
    """It takes every time for one in UTC."""

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for record in super().fetch(refs):
            met = record.fields.get("met_at")
            if isinstance(met, str):
                record.fields["met_at"] = f"{met[:19]}Z"
            yield record


class IgnoresVersions(Memory):
    """It overwrites whatever is there."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return super().write([replace(w, if_version=None) for w in writes])


class OneSpoilsAll(Memory):
    """It tells a batch with one bad record as refused altogether."""

    kind: WriteKind

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        answers = super().write(writes)
        bad = next((answer for answer in answers if isinstance(answer, Refused)), None)
        return [bad for _ in writes] if bad and writes[0].kind is self.kind else answers


class OneSpoilsAllCreates(OneSpoilsAll):
    kind = WriteKind.CREATE


class OneSpoilsAllUpdates(OneSpoilsAll):
    kind = WriteKind.UPDATE


class RepeatsTheValue(Memory):
    """It passes the vendor's words on as they are, with the value in them."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        answers = super().write(writes)
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, Refused) and write.kind is WriteKind.UPDATE:
                answer.text = f"{write.fields[answer.fields[0]]} is no option"
        return answers


class RefusesTheGone(Memory):
    """It tells a record that is gone as one with bad values."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return [Refused((), "NOT_FOUND", "not found") if isinstance(a, Gone) else a for a in super().write(writes)]


class AnswersBackwards(Memory):
    """Its answers come in the order in which the vendor was done."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return super().write(writes)[::-1]


class TakesHalfABatch(Memory):
    """It declares more than it sends."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return [*super().write(writes[:5]), *(Unsent() for _ in writes[5:])]


class ArchivesNothing(Memory):
    """It says that it is done."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if writes[0].kind is WriteKind.ARCHIVE:
            return [Done(w.ref.id if w.ref else "") for w in writes]
        return super().write(writes)


class KeysOfThisProcess(Memory):
    """Its keys are new in every process."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return super().write([replace(w, key=f"{w.key} {id(self)}") for w in writes])

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        mine = [f"{v} {id(self)}" for v in values] if name == self.own_key(object) else values
        return super().find(object, name, mine)


class FindsOnlyIds(Memory):
    """What it finds has no values."""

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        return (replace(record, fields={}) for record in super().find(object, name, values))


class LosesPatience(Memory):
    """It takes a request for ended long before the vendor does."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return [Unknown(0.1) if isinstance(answer, Unknown) else answer for answer in super().write(writes)]


class Upserts(Memory):
    """What exists is overwritten."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        answers = super().write(writes)
        for i, answer in enumerate(answers):
            if isinstance(answer, Exists):
                (answers[i],) = super().write([replace(writes[i], kind=WriteKind.UPDATE, ref=answer.record.ref)])
        return answers


class ExistsWithoutSayingWho(Memory):
    """It knows that there is one, and answers another record."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        answers = super().write(writes)
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, Exists) and answer.record.fields["note"] != write.fields["note"]:
                answer.record.ref = Ref(write.object, "")
        return answers


class SubscribesNewAddresses(Memory):
    """It writes a whole member when an address changes, and a member is subscribed."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        def whole(write: Write) -> Fields:
            moved = write.kind is WriteKind.UPDATE and "email" in write.fields
            return {**write.fields, "consent": "in"} if moved else write.fields

        return super().write([with_fields(w, whole(w)) for w in writes])


class SubscribesNewMembers(Memory):
    """It creates everybody as subscribed who is not said to be out."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if writes[0].kind is WriteKind.CREATE:
            writes = [with_fields(w, {"consent": "in", **w.fields}) for w in writes]
        return super().write(writes)


class CreatesWithoutConsent(Memory):
    """It leaves consent for later when it creates."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if writes[0].kind is WriteKind.CREATE:
            writes = [with_fields(w, {n: v for n, v in w.fields.items() if n != "consent"}) for w in writes]
        return super().write(writes)


BROKEN: tuple[Broken, ...] = (
    Broken("round-trip", CONDITIONAL, DropsFalse),
    Broken("untouched-fields", CONDITIONAL, FillsUpNames),
    Broken("none-clears", CONDITIONAL, DropsNone),
    Broken("scripts", CONDITIONAL, ComposesAccents),
    Broken("long-text", COERCING, EchoesTitles),
    Broken("truthful-answers", COERCING, EchoesAddresses),
    Broken("declared-coercions", COERCING, DeclaresOnlyCuts),
    Broken("big-integers", CONDITIONAL, ReadsNumbersAsFloats),
    Broken("aware-times", CONDITIONAL, DropsTheOffset),
    Broken("stale-version", CONDITIONAL, IgnoresVersions),
    Broken("bad-create-alone", PLAIN, OneSpoilsAllCreates),
    Broken("bad-update-alone", PLAIN, OneSpoilsAllUpdates),
    Broken("bad-update-alone", PLAIN, RepeatsTheValue),
    Broken("gone-alone", CONDITIONAL, RefusesTheGone),
    Broken("answers-in-order", PLAIN, AnswersBackwards),
    Broken("whole-batch", CONDITIONAL, TakesHalfABatch),
    Broken("archive", CONDITIONAL, ArchivesNothing),
    Broken("retried-create", CONDITIONAL, KeysOfThisProcess),
    Broken("unanswered-create", PLAIN, FindsOnlyIds),
    Broken("late-create", CONDITIONAL, LosesPatience),
    Broken("create-only", COERCING, Upserts),
    Broken("create-only", CONTRARY, ExistsWithoutSayingWho),
    Broken("opt-out-follows-the-person", COERCING, SubscribesNewAddresses),
    Broken("opt-out-before-create", COERCING, SubscribesNewMembers),
    Broken("created-opted-out", CONDITIONAL, CreatesWithoutConsent),
)
