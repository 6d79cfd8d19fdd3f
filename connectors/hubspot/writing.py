"""One call of `write`: its rows go through the steps together, in batches, each until something settles it.

Rows are matched to answers by trace id, key and id, never by order; what the answer does not tell is read back, since
HubSpot ignores some values without a word. A stage goes back only from where we believed it to stand. The record that
is in the way of a create is told, and what became of one that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.base import (
    Answer,
    Done,
    Exists,
    Fields,
    Gone,
    Record,
    Ref,
    Refused,
    State,
    Unknown,
    Unsent,
    Write,
    WriteKind,
)
from connectors.errors import ConnectorError
from connectors.hubspot.account import Account
from connectors.hubspot.consent import CONFIRMED, IN, OUT, Consent
from connectors.hubspot.lookups import Owners, Stages
from connectors.hubspot.native import (
    COMPANY,
    CONTACT,
    EMAIL,
    OWNER,
    STAGE,
    is_consent,
    losers,
    micros,
    properties,
    sent,
)
from connectors.hubspot.opting import Opting
from connectors.hubspot.reading import Reader
from connectors.hubspot.refusals import not_found, refusal, rows_of, taken_by
from connectors.hubspot.sending import HORIZON, Row, Sending
from connectors.hubspot.wire import Heard, Wire

BATCH = 100

PURPOSES = {
    WriteKind.CREATE: "create contacts",
    WriteKind.UPDATE: "update contacts",
    WriteKind.ARCHIVE: "archive contacts",
}


class Course:
    """The steps of one call."""

    def __init__(
        self,
        wire: Wire,
        account: Account,
        reader: Reader,
        consent: Consent,
        owners: Owners,
        stages: Stages,
        writes: Sequence[Write],
    ) -> None:
        self._wire = wire
        self._account = account
        self._reader = reader
        self._owners = owners
        self._stages = stages
        self._kind = writes[0].kind
        self._rows = [Row(write, write.ref.id if write.ref else "") for write in writes]
        self._sending = Sending()
        self._opting = Opting(consent, self._sending)

    def run(self) -> list[Answer]:
        match self._kind:
            case WriteKind.WITHDRAW:
                self._opting.withdraw(self._rows)
            case WriteKind.ARCHIVE:
                self._sending.step(self._rows, self._archive, self._blame)
            case WriteKind.CREATE | WriteKind.UPDATE:
                self._put()
        self._look_up()
        return [row.answer if row.answer is not None else self._done(row) for row in self._rows]

    def _put(self) -> None:
        key = self._account.own_key() if self._kind is WriteKind.CREATE else None
        for row in self._rows:
            self._prepare(row, key)
        self._find_addresses()
        agreeing = self._opting.agreements(self._open())
        self._opting.opt_out(self._open())
        if self._kind is WriteKind.CREATE:
            self._sending.step(self._open(), self._create, self._blame)
        else:
            self._sending.step([row for row in self._open() if row.properties], self._update, self._blame)
            self._sending.step([row for row in self._open() if row.back], self._set_stage, self._blame)
        self._opting.opt_in(self._open(), agreeing)
        self._read_back([row for row in self._open() if row.unseen])
        for row in self._rows:
            if row.begun and isinstance(row.answer, Unsent):
                row.answer = Unknown(0.0)  # a part of it is done, and reading the record tells so at once

    def _open(self) -> list[Row]:
        return [row for row in self._rows if row.answer is None]

    # before anything is sent

    def _prepare(self, row: Row, key: str | None) -> None:
        """Native values into HubSpot's; a row with an impossible one is settled here."""
        fields = row.write.fields
        for name, value in fields.items():
            if name.startswith(COMPANY):
                row.answer = Refused((name,), "read_only", "a company's property cannot be written with a contact")
            elif is_consent(name):
                said = isinstance(value, str) and (value in (OUT, IN) or value.startswith(CONFIRMED))
                if not said and (value is not None or self._kind is WriteKind.UPDATE):
                    row.answer = Refused((name,), "no_consent_word", "consent can be given or refused, not unsaid")
            elif value is None and self._kind is WriteKind.CREATE:
                continue
            elif name == OWNER and isinstance(value, str):
                id = self._owners.id(value)
                if id is None:
                    row.answer = Refused((OWNER,), "unknown_owner", "no active owner has this e-mail address")
                else:
                    row.properties[name] = id
            else:
                row.properties[name] = sent(value)
        if key is not None:
            row.properties[key] = row.write.key
        row.back = STAGE in fields and self._stages.backwards(row.write.before.get(STAGE), fields[STAGE])

    def _find_addresses(self) -> None:
        """Whose consent it is: the address being written, else the one the contact has."""
        asking = [row for row in self._open() if row.consents]
        for row in asking:
            written = row.write.fields.get(EMAIL) or row.write.address
            row.address = str(written).strip().lower() if written else None
        unknown = [row for row in asking if row.address is None and row.id]
        known = self._reader.values([row.id for row in unknown], [EMAIL], "look up addresses") if unknown else {}
        for row in unknown:
            row.address = str(known.get(row.id, {}).get(EMAIL) or "").strip().lower() or None
            if row.id not in known:
                row.answer, row.lost = Gone(), True
        for row in asking:
            if row.address is None and row.answer is None:
                row.answer = Refused(row.consents, "no_address", "consent hangs on an e-mail address: there is none")

    # requests

    def _create(self, rows: Sequence[Row]) -> list[Answer] | None:
        inputs = [
            {"objectWriteTraceId": row.write.key, "properties": row.properties, "associations": []} for row in rows
        ]
        create = self._wire.sdk.batch.create
        return self._settle(rows, self._ask(lambda: create({"inputs": inputs}, _preload_content=False)))

    def _update(self, rows: Sequence[Row]) -> list[Answer] | None:
        """Stages that go back are cleared in this request and set in the next (HubSpot docs: contacts guide)."""
        return self._send_updates(
            rows, {row.write.key: {**row.properties, STAGE: ""} if row.back else row.properties for row in rows}
        )

    def _set_stage(self, rows: Sequence[Row]) -> list[Answer] | None:
        return self._send_updates(rows, {row.write.key: {STAGE: row.properties[STAGE]} for row in rows})

    def _send_updates(self, rows: Sequence[Row], values: Mapping[str, Mapping[str, str]]) -> list[Answer] | None:
        inputs = [
            {"id": row.id, "objectWriteTraceId": row.write.key, "properties": values[row.write.key]} for row in rows
        ]
        update = self._wire.sdk.batch.update
        return self._settle(rows, self._ask(lambda: update({"inputs": inputs}, _preload_content=False)))

    def _archive(self, rows: Sequence[Row]) -> list[Answer] | None:
        archive = self._wire.sdk.batch.archive
        body = {"inputs": [{"id": row.id} for row in rows]}
        heard = self._ask(lambda: archive(body, _preload_content=False))
        return None if self._sending.spoiled(heard) else [Done(row.id) for row in rows]

    def _ask(self, send: Callable[[], Any]) -> Heard:
        return self._wire.ask(send, purpose=PURPOSES[self._kind], changes=True, expect={400, 404, 409})

    # answers

    def _settle(self, rows: Sequence[Row], heard: Heard) -> list[Answer] | None:
        if self._sending.spoiled(heard):
            return None
        errors = {name: error for error in heard.errors for name in rows_of(error)}
        results = self._matched(rows, heard)
        answers: list[Answer] = []
        for row in rows:
            error = errors.get(row.write.key) or errors.get(row.id)
            if (result := results.get(row.write.key)) is not None:
                row.id = str(result["id"])
                row.begun = True
                row.modified = micros(result.get("updatedAt"))
                told_of = properties(result)
                row.came_back |= {name: told_of[name] for name in row.properties if name in told_of}
                self._reader.wrote(row.id, row.properties, row.modified)
                answers.append(Done(row.id))
            elif error is not None:
                answers.append(self._why(row, error))
            else:
                answers.append(Unknown(HORIZON))  # neither among the results nor among the errors
        return answers

    def _matched(self, rows: Sequence[Row], heard: Heard) -> dict[str, Mapping[str, Any]]:
        """Write key → its result. An update of a merged contact lands on the survivor, under the survivor's id."""
        creating = self._kind is WriteKind.CREATE
        key = self._account.own_key() if creating else None
        by_name: dict[str, Mapping[str, Any]] = {}
        for result in heard.results:
            told_of = properties(result)
            names = [result.get("objectWriteTraceId"), told_of.get(key) if key else None]
            names += [str(told_of.get(EMAIL) or "").lower()] if creating else [str(result["id"]), *losers(result)]
            for name in names:
                if name:
                    by_name.setdefault(str(name), result)
        found: dict[str, Mapping[str, Any]] = {}
        for row in rows:
            address = row.properties.get(EMAIL, "").strip().lower() if creating else ""
            for name in (row.write.key, row.id, address):
                if name and name in by_name:
                    found[row.write.key] = by_name[name]
                    break
        if len(rows) == 1 and len(heard.results) == 1:
            found.setdefault(rows[0].write.key, heard.results[0])
        return found

    def _blame(self, row: Row) -> Answer:
        return self._why(row, self._sending.error)

    def _why(self, row: Row, error: Mapping[str, Any]) -> Answer:
        """What to say of a row that was not taken."""
        creating = self._kind is WriteKind.CREATE
        if not creating and not_found(error):
            row.lost = True
            return Gone()
        there = taken_by(error)
        if creating and there is not None:
            row.taken = there
            return Unsent()
        why = refusal(error, row.write)
        if creating and not why.fields and self._account.blamed(error):
            return Unsent()  # our key property is gone: the next attempt goes without
        if there is not None and not why.fields and EMAIL in row.write.fields:
            return Refused((EMAIL,), why.code, why.text)
        return why

    # afterwards

    def _read_back(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        names = list(dict.fromkeys(name for row in rows for name in row.properties))
        try:
            found = self._reader.values([row.id for row in rows], names, "read back contacts")
        except ConnectorError:
            return  # then nobody knows the values, and the next poll tells
        for row in rows:
            told_of = found.get(row.id, {})
            row.came_back |= {name: told_of[name] for name in row.properties if name in told_of}

    def _done(self, row: Row) -> Done:
        if row.unseen:
            return Done(row.id, modified=row.modified)
        fields: Fields = dict(row.consent)
        for name in row.write.fields:
            self._reader.put(fields, name, row.came_back)
        return Done(row.id, modified=row.modified, fields=fields)

    def _look_up(self) -> None:
        """The records that are in the way of a create, and what became of those that are not there."""
        taken = [row for row in self._rows if row.taken is not None]
        lost = [row for row in self._rows if row.lost]
        refs = [Ref(CONTACT, row.taken or row.id) for row in (*taken, *lost)]
        if not refs:
            return
        try:
            found = {record.ref.id: record for record in self._reader.fetch(refs)}
        except ConnectorError:
            return  # `Unsent` and `Gone` stand as they are: the next attempt looks again
        for row in taken:
            row.answer = self._in_the_way(row, found[row.taken or ""])
        for row in lost:
            record = found[row.id]
            live = record.state is State.LIVE
            row.answer = Unsent() if live else Gone(record.state, record.merged_into)

    def _in_the_way(self, row: Row, record: Record) -> Answer:
        if record.state is State.GONE:
            names = tuple(name for name in (EMAIL,) if name in row.write.fields)
            return Refused(names, "CONFLICT", "another record has the address, and it cannot be read")
        return Exists(record)
