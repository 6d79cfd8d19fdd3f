"""Connectors that say too much, too little, or the wrong thing about themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.base import Finding, Record, Schema
from connectors.errors import ConnectorError
from connectors.memory import Memory
from connectors.memory_records import CONDITIONAL, PLAIN
from connectors.memory_system import Trouble
from tests.connectors.broken.broken import Broken

T = TypeVar("T")
log = logging.getLogger("connectors.broken")


class LogsHeaders(Memory):
    """It logs every request in full, for debugging."""

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        log.debug("Authorization: Bearer %s", self._token)
        return super()._ask(purpose, call, changes=changes)


class TellsTheTokenInErrors(Memory):
    """Its error holds the credentials that failed, in the chain of causes."""

    def _verdict(self, purpose: str, trouble: Trouble, changes: bool) -> ConnectorError:
        error = super()._verdict(purpose, trouble, changes)
        error.__cause__ = ValueError(f"token {self._token!r}")
        error.__suppress_context__ = True
        return error

    def _ask(self, purpose: str, call: Callable[[], T], *, changes: bool = False) -> T:
        try:
            return super()._ask(purpose, call, changes=changes)
        except ConnectorError as error:
            raise error from ValueError(f"token {self._token!r}")


class LogsWhomItLooksFor(Memory):
    """It logs the addresses that it looks up."""

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        log.debug("looking for %s", values)
        return super().find(object, name, values)


class CountsNoFetches(Memory):
    """It counts only what it thinks of as requests."""

    def requests(self) -> Mapping[str, int]:
        return {purpose: n for purpose, n in super().requests().items() if not purpose.startswith("fetch")}


class KnowsNoLengths(Memory):
    """It leaves out how long a text may be."""

    def schema(self, object: str) -> Schema:
        told = super().schema(object)
        return replace(told, fields=tuple(replace(each, length=None) for each in told.fields))


class CriesWolf(Memory):
    """Advice is an error to it."""

    def check(self) -> Iterator[Finding]:
        return (replace(each, level="error" if each.level == "advice" else each.level) for each in super().check())


BROKEN: tuple[Broken, ...] = (
    Broken("secrets-are-kept", PLAIN, LogsHeaders),
    Broken("secrets-are-kept", PLAIN, TellsTheTokenInErrors),
    Broken("people-are-kept-out-of-logs", PLAIN, LogsWhomItLooksFor),
    Broken("requests-are-counted", CONDITIONAL, CountsNoFetches),
    Broken("schema", PLAIN, KnowsNoLengths),
    Broken("check-is-quiet", PLAIN, CriesWolf),
)
