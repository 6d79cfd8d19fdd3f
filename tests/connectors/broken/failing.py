"""Connectors that are broken on bad days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from connectors.base import Answer, Finding, Unknown, Write, WriteKind
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.memory import Memory
from connectors.memory_records import CONDITIONAL, PLAIN
from connectors.memory_system import Listing, Trouble
from tests.connectors.broken.broken import Broken

T = TypeVar("T")


class AsksAgainAtOnce(Memory):
    """It does not look at how long the vendor asked it to wait."""

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        try:
            return super()._ask(purpose, call, changes=changes)
        except Retry:
            return super()._ask(purpose, call, changes=changes)


class WaitsAMinuteAtMost(Memory):
    """It hands on a minute where the vendor asked for an hour."""

    def _verdict(self, purpose: str, trouble: Trouble, changes: bool) -> ConnectorError:
        error = super()._verdict(purpose, trouble, changes)
        if isinstance(error, Retry) and error.after:
            error.after = min(error.after, 60.0)
        return error


class DoubtsWhatWasNotSent(Memory):
    """It takes "too many requests" for an answer that nobody understands."""

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        try:
            return super().write(writes)
        except Retry:
            return [Unknown(600.0) for _ in writes]


class LosesThePage(Memory):
    """A page that failed is empty when it is asked for again."""

    status: int

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        def noted() -> T:
            try:
                return call()
            except Trouble as trouble:
                self._failed = trouble.status
                raise

        self._failed = 200
        try:
            return super()._ask(purpose, noted, changes=changes)
        except Retry:
            if self._failed != self.status:
                raise
            answer = super()._ask(purpose, noted, changes=changes)
            if isinstance(answer, Listing):
                answer.rows.clear()
            return answer


class LosesThePageOfAnError(LosesThePage):
    status = 500


class LosesThePageOfACut(LosesThePage):
    status = 0


class GivesUp(Memory):
    """A vendor that is down for long needs a person, it thinks."""

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        for _ in range(3):
            try:
                return super()._ask(purpose, call, changes=changes)
            except Retry as retry:
                if retry.after is not None:
                    raise
        raise Stop("memory: it is down")


class Resends(Memory):
    """It sends again what may have been done."""

    kind: WriteKind
    status: int
    owns_up = False

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        status = 200

        def noted() -> T:
            nonlocal status
            try:
                return call()
            except Trouble as trouble:
                status = trouble.status
                raise

        try:
            return super()._ask(purpose, noted, changes=changes)
        except InDoubt:
            if not purpose.startswith(self.kind) or status != self.status:
                raise
            answer = super()._ask(purpose, call, changes=changes)
            if self.owns_up:
                raise
            return answer


class ResendsCreatesAfterErrors(Resends):
    kind, status = WriteKind.CREATE, 500


class ResendsUpdatesAfterErrors(Resends):
    kind, status = WriteKind.UPDATE, 500


class ResendsUpdatesAfterCuts(Resends):
    kind, status = WriteKind.UPDATE, 0


class ResendsCreatesAfterCuts(Resends):
    """It owns up to the doubt; our key keeps the twin away, where there is one."""

    kind, status, owns_up = WriteKind.CREATE, 0, True


class ChecksNothing(Memory):
    """It finds everything in order without asking."""

    def check(self) -> Iterator[Finding]:
        yield Finding("ok", "SM320", "memory: it answers")


class SendsTwiceAfterRenewal(Memory):
    """Behind the renewed token it sends once for each of its attempts."""

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        try:
            return super()._ask(purpose, call, changes=changes)
        except Stop as stop:
            if stop.code != "SM307":
                raise
            super()._ask(purpose, call, changes=changes)
            return super()._ask(purpose, call, changes=changes)


class HopesForRights(Memory):
    """It takes a missing right for something that passes."""

    def _verdict(self, purpose: str, trouble: Trouble, changes: bool) -> ConnectorError:
        if trouble.status == 403:
            return Retry(f"memory: no right to {purpose!r}")
        return super()._verdict(purpose, trouble, changes)


BROKEN: tuple[Broken, ...] = (
    Broken("rate-is-honoured", PLAIN, AsksAgainAtOnce),
    Broken("rate-that-lasts", PLAIN, WaitsAMinuteAtMost),
    Broken("rate-on-writing", PLAIN, DoubtsWhatWasNotSent),
    Broken("error-on-reading", PLAIN, LosesThePageOfAnError),
    Broken("cut-on-reading", PLAIN, LosesThePageOfACut),
    Broken("error-that-lasts", PLAIN, GivesUp),
    Broken("error-on-create", CONDITIONAL, ResendsCreatesAfterErrors),
    Broken("error-on-update", CONDITIONAL, ResendsUpdatesAfterErrors),
    Broken("cut-on-update", CONDITIONAL, ResendsUpdatesAfterCuts),
    Broken("cut-on-create", CONDITIONAL, ResendsCreatesAfterCuts),
    Broken("wrong-credentials", PLAIN, ChecksNothing),
    Broken("expired-token", PLAIN, SendsTwiceAfterRenewal),
    Broken("missing-right", PLAIN, HopesForRights),
)
