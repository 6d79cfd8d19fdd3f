"""The consent steps of a write: opt-outs before the record, opt-ins after it, each verified by its answer.

An opt-out that is not confirmed keeps its row from being written at all. An opt-in that is refused does not take back
the record: its consent is told as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Answer, Done, Refused, Unknown, batches
from connectors.hubspot.consent import (
    IN,
    OUT,
    SUBSCRIBED,
    UNSUBSCRIBED,
    Choice,
    Consent,
    chosen,
    refused,
)
from connectors.hubspot.native import CONSENT
from connectors.hubspot.refusals import refusal
from connectors.hubspot.sending import HORIZON, Row, Sending
from connectors.hubspot.wire import Heard

CHOICES = 100
"""How many subscriptions one request sets."""


class Opting:
    def __init__(self, consent: Consent, sending: Sending) -> None:
        self._consent = consent
        self._sending = sending

    def withdraw(self, rows: Sequence[Row]) -> None:
        """Opt addresses out, contacts or not."""
        for row in rows:
            row.address = (row.write.address or "").strip().lower()
            row.consent = {CONSENT: OUT}
            if not row.address:
                row.answer = Refused((CONSENT,), "no_address", "there is no address to opt out")
        self._sending.step([row for row in rows if row.answer is None], self._refuse_all, self._blame)

    def agreements(self, rows: Sequence[Row]) -> dict[str, dict[int, str]]:
        """What is to be subscribed: write key → id → native name. Asked for before anything is sent."""
        wanted: dict[str, dict[int, str]] = {}
        for row in rows:
            types = row.types(IN)
            if row.wants(CONSENT) == IN and not types:
                types = {id: CONSENT for id in self._consent.types_of_in() if id not in row.types(OUT)}
                if not types:
                    row.consent[CONSENT] = row.write.before.get(CONSENT)  # there is nothing that one could agree to
            wanted[row.write.key] = types
        return wanted

    def opt_out(self, rows: Sequence[Row]) -> None:
        everything = [row for row in rows if row.wants(CONSENT) == OUT]
        self._sending.step(everything, self._refuse_all, self._blame)
        for row in everything:
            row.consent = dict.fromkeys(row.consents, OUT)
        rest = [row for row in rows if row.wants(CONSENT) != OUT]
        self._choose(rest, {row.write.key: row.types(OUT) for row in rest}, UNSUBSCRIBED)

    def opt_in(self, rows: Sequence[Row], agreeing: Mapping[str, Mapping[int, str]]) -> None:
        self._choose(rows, agreeing, SUBSCRIBED)
        for row in rows:
            if row.begun and isinstance(row.answer, Refused):
                row.answer = None
                row.consent |= {name: row.write.before.get(name) for name in row.consents if row.wants(name) == IN}

    def _refuse_all(self, rows: Sequence[Row]) -> list[Answer] | None:
        heard = self._consent.refuse_all(list(dict.fromkeys(row.address or "" for row in rows)))
        if self._sending.spoiled(heard):
            return None
        out = refused(heard)
        return [Done(row.id) if row.address in out else self._unconfirmed(row, heard) for row in rows]

    def _choose(self, rows: Sequence[Row], wanted: Mapping[str, Mapping[int, str]], state: str) -> None:
        """Set single subscriptions, as many rows a request as their choices find room."""
        rows = [row for row in rows if wanted[row.write.key]]
        if not rows:
            return

        def choices(row: Row) -> list[Choice]:
            return [Choice(row.address or "", number, state) for number in wanted[row.write.key]]

        def send(part: Sequence[Row]) -> list[Answer] | None:
            heard = self._consent.choose([choice for row in part for choice in choices(row)])
            if self._sending.spoiled(heard):
                return None
            holding = chosen(heard)
            answers: list[Answer] = []
            for row in part:
                if holding.issuperset(choices(row)):
                    row.consent |= dict.fromkeys(wanted[row.write.key].values(), OUT if state == UNSUBSCRIBED else IN)
                    if state == SUBSCRIBED and CONSENT in row.consents:
                        row.consent[CONSENT] = IN
                    answers.append(Done(row.id))
                else:
                    answers.append(self._unconfirmed(row, heard))
            return answers

        room = max(1, CHOICES // max(len(wanted[row.write.key]) for row in rows))
        for part in batches(rows, room):
            self._sending.step(part, send, self._blame)

    def _unconfirmed(self, row: Row, heard: Heard) -> Answer:
        """The answer does not show this row's consent as it was asked for."""
        for error in heard.errors:
            if (row.address or "") in str(error).lower():
                return self._refused(row, error)
        if heard.content.get("status") == "COMPLETE":
            return self._refused(row, {"category": "NOT_CHANGED", "message": "the answer shows no change"})
        return Unknown(HORIZON)

    def _blame(self, row: Row) -> Answer:
        return self._refused(row, self._sending.error)

    def _refused(self, row: Row, error: Mapping[str, Any]) -> Refused:
        why = refusal(error, row.write)
        return Refused(row.consents or (CONSENT,), why.code, why.text)
