"""Connectors that are broken where their bytes go over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.http import Reply
from connectors.memory_records import COERCING
from tests.connectors.broken.broken import Broken
from tests.connectors.memory_over_http import OverHttp

T = TypeVar("T")


def spoilt(reply: Reply, half: bool) -> bool:
    """Whether this is half an answer, or else a page for people."""
    if half:
        return reply.body.startswith(b"{") and not reply.body.endswith(b"}")
    return reply.body.startswith(b"<")


class Believes(OverHttp):
    """It takes a status of 200 for a promise, and then cannot read the body."""

    half: bool

    def judge(self, purpose: str, changes: bool) -> Callable[[Reply], ConnectorError | None]:
        careful = super().judge(purpose, changes)
        return lambda reply: None if not changes and spoilt(reply, self.half) else careful(reply)


class BelievesPagesForPeople(Believes):
    half = False


class BelievesHalfAnswers(Believes):
    half = True


class TriesAgain(OverHttp):
    """An answer to a write that it cannot read is a reason to send again."""

    half: bool

    def judge(self, purpose: str, changes: bool) -> Callable[[Reply], ConnectorError | None]:
        careful = super().judge(purpose, changes)

        def hasty(reply: Reply) -> ConnectorError | None:
            verdict = careful(reply)
            return Retry("again") if isinstance(verdict, InDoubt) and spoilt(reply, self.half) else verdict

        return hasty


class TriesAgainAfterPagesForPeople(TriesAgain):
    half = False


class TriesAgainAfterHalfAnswers(TriesAgain):
    half = True


class Follows(OverHttp):
    """It goes where it is sent, and finds nobody there."""

    where: str

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        try:
            return super()._ask(purpose, call, changes=changes)
        except Stop as stop:
            if self.where in str(stop):
                raise Retry("memory: nobody answers there") from None
            raise


class FollowsRedirects(Follows):
    where = "is a redirect"


class FollowsForeignLinks(Follows):
    where = "points to another address"


BROKEN: tuple[Broken, ...] = (
    Broken("page-for-people-on-reading", COERCING, BelievesPagesForPeople),
    Broken("half-answer-on-reading", COERCING, BelievesHalfAnswers),
    Broken("page-for-people-on-writing", COERCING, TriesAgainAfterPagesForPeople),
    Broken("half-answer-on-writing", COERCING, TriesAgainAfterHalfAnswers),
    Broken("redirect", COERCING, FollowsRedirects),
    Broken("foreign-link", COERCING, FollowsForeignLinks),
)
