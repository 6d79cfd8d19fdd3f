"""One call of `write`: creates by the hundred, updates by the hundred where the address is certain, else one by one.

A bulk request goes by address. Whoever got another address since would be made a second time, so addresses are read
again first, and no status goes along: without one Mailchimp makes nobody. Addresses and consent are written one by one,
by contact id. Consent is never forced: nobody is subscribed who unsubscribed themselves, and "pending", which sends
mail to the person, is never written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.base import (
    Answer,
    Done,
    Exists,
    Fields,
    Gone,
    Refused,
    State,
    Unknown,
    Unsent,
    Write,
    WriteKind,
)
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.mailchimp.native import (
    ARCHIVED,
    CLEANED,
    EMAIL,
    STATUS,
    SUBSCRIBED,
    TAGS,
    TRANSACTIONAL,
    WRITTEN,
    has_parts,
    hashed,
    micros,
    read,
    record,
    tags,
    version,
    written,
)
from connectors.mailchimp.reading import Reader
from connectors.mailchimp.refusals import of_problem, of_row
from connectors.mailchimp.wire import Heard, Wire

BATCH = 500
"""Members of a bulk request at most (spec: POST /lists/{list_id})."""
BULK_FROM = 20
"""So many updates at least are worth reading the addresses again."""
HORIZON = 300.0
"""Mailchimp ends a request after 120 seconds (docs: fundamentals); twice that and a margin."""
UNCHECKED = {"skip_merge_validation": "true"}
"""Required fields of a sign-up form are not for us to fill in, nor the state of a Norwegian address."""


@dataclass(slots=True, eq=False)
class Row:
    """A write on its way. `body`: the member as it was told last. `begun`: a part of it is done, so it can no longer be
    called unsent."""

    write: Write
    answer: Answer | None = None
    body: dict[str, Any] | None = None
    begun: bool = False
    tags: list[str] | None = None

    @property
    def id(self) -> str:
        return self.write.ref.id if self.write.ref else ""

    @property
    def fields(self) -> Fields:
        return self.write.fields

    @property
    def without_tags(self) -> bool:
        return any(name != TAGS for name in self.fields)


@dataclass(slots=True)
class Course:
    """The steps of one call. `_effect`: something took effect, so that nothing may be raised any more."""

    wire: Wire
    reader: Reader
    names: Sequence[str]
    writes: Sequence[Write]
    _effect: bool = field(default=False, init=False)

    def run(self) -> list[Answer]:
        rows = [Row(write) for write in self.writes]
        match self.writes[0].kind:
            case WriteKind.CREATE:
                self._create(rows)
            case WriteKind.UPDATE:
                self._update(rows)
            case WriteKind.ARCHIVE:
                self._each(rows, self._archive)
            case WriteKind.WITHDRAW:
                raise Stop(f"{self.wire.system}: an address is not opted out before somebody has it")
        return [row.answer if row.answer is not None else self._done(row) for row in rows]

    # --- creates ---

    def _create(self, rows: Sequence[Row]) -> None:
        first: dict[str, Row] = {}
        for row in rows:
            self._look_over(row)
            if row.answer is None and first.setdefault(_address(row), row) is not row:
                row.answer = Unsent()  # the same address twice in one request: the next one finds the first
        self._bulk(_open(rows), self._as_new, update=False)
        self._each([row for row in _open(rows) if row.fields.get(TAGS)], self._tag)

    def _as_new(self, row: Row) -> dict[str, Any]:
        """Nobody is subscribed unless the write says so: what is not known is no yes."""
        filled: Fields = {name: value for name, value in row.fields.items() if value is not None}
        return {STATUS: TRANSACTIONAL, **written(filled, None)}

    # --- updates ---

    def _update(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._look_over(row)
        together = [row for row in _open(rows) if self._may_go_together(row)]
        if len(together) >= BULK_FROM:
            self._bulk(self._certain(together), self._as_known, update=True)
        # Whatever was refused by address is asked again by contact id: the address may have changed just now.
        self._each([row for row in _open(rows) if not row.begun and row.without_tags], self._patch)
        self._each([row for row in _open(rows) if TAGS in row.fields], self._tag)

    def _may_go_together(self, row: Row) -> bool:
        """Neither an address nor consent is written, nor a part of an address of which the rest is not known."""
        known = row.id in self.reader.addresses
        return known and row.without_tags and not {EMAIL, STATUS} & row.fields.keys() and not has_parts(row.fields)

    def _certain(self, rows: Sequence[Row]) -> list[Row]:
        """Those whose address still is what it was read to be."""
        known = self.reader.addresses
        oldest = min(known[row.id][1] for row in rows)
        before = {row.id: known[row.id][0] for row in rows}
        self.reader.moved_since(oldest)
        return [row for row in rows if known.get(row.id, ("",))[0] == before[row.id]]

    def _as_known(self, row: Row) -> dict[str, Any]:
        return {EMAIL: self.reader.addresses[row.id][0], **written(row.fields, None)}

    def _patch(self, row: Row) -> None:
        """One member, by contact id."""
        body: dict[str, Any] | None = None
        if STATUS in row.fields or has_parts(row.fields):
            body = self.reader.body(row.id, "look before a write")
            if body is None or body.get(STATUS) == ARCHIVED:
                # A new status would bring an archived member back.
                row.answer = Gone() if body is None else Gone(State.ARCHIVED)
                return
            if row.fields.get(STATUS) == SUBSCRIBED and body.get(STATUS) == CLEANED:
                row.answer = Refused((STATUS,), "cleaned", "mail to this address bounced for good")
                return
        content = written(row.fields, body)
        heard = self.wire.ask(
            "PATCH",
            f"/members/{row.id}",
            purpose="update members",
            params=UNCHECKED,
            content=content,
            expect=(400, 404),
        )
        self._effect = True
        self._take(row, heard)

    def _take(self, row: Row, heard: Heard) -> None:
        if heard.status == 404:
            self.reader.be_there()
            row.answer = Gone()
        elif heard.status == 400:
            row.answer = of_problem(heard.content, row.fields)
        elif heard.content.get(STATUS) == ARCHIVED:
            row.answer = Gone(State.ARCHIVED)
        else:
            self._took(row, heard.content)

    # --- both ---

    def _look_over(self, row: Row) -> None:
        """What must not be asked of Mailchimp is settled here."""
        told = row.fields.get(STATUS)
        if STATUS in row.fields and told not in WRITTEN:
            words = ", ".join(WRITTEN)
            row.answer = Refused((STATUS,), "no_status", f"a status is written as one of {words}")
        elif CLEANED in row.fields:
            row.answer = Refused((CLEANED,), "read_only", "bounces are for Mailchimp to find out")
        elif row.write.kind is WriteKind.CREATE and not row.fields.get(EMAIL):
            row.answer = Refused((EMAIL,), "no_address", "a member needs an e-mail address")
        elif EMAIL in row.fields and not row.fields[EMAIL]:
            row.answer = Refused((EMAIL,), "no_address", "a member's e-mail address cannot be taken away")

    def _bulk(self, rows: Sequence[Row], item: Callable[[Row], dict[str, Any]], *, update: bool) -> None:
        if not rows:
            return
        items = [item(row) for row in rows]
        content = {"members": items, "update_existing": update, "sync_tags": False}
        by_address = {hashed(str(each[EMAIL])): row for each, row in zip(items, rows, strict=True)}
        purpose = "update members" if update else "create members"
        try:
            heard = self.wire.ask("POST", "", purpose=purpose, params=UNCHECKED, content=content, rows="new_members")
        except InDoubt:
            self._effect = True
            for row in rows:
                row.answer = Unknown(HORIZON)
            return
        self._effect = True
        for body in heard.rows("updated_members" if update else "new_members"):
            if str(body.get("id")) not in by_address:
                continue
            row = by_address.pop(str(body.get("id")))
            if update and str(body.get("contact_id")) != row.id:
                row.answer = Unsent()  # somebody else has the address now: the next reading tells
            elif update and body.get(STATUS) == ARCHIVED:
                row.answer = Gone(State.ARCHIVED)
            else:
                self._took(row, body)
        for error in heard.rows("errors"):
            named = hashed(str(error.get(EMAIL) or ""))
            if named in by_address:
                refused = by_address.pop(named)
                if not update:
                    self._failed(refused, error)
        for row in by_address.values():
            row.answer = Unknown(HORIZON)  # neither among the results nor among the errors

    def _failed(self, row: Row, error: Mapping[str, Any]) -> None:
        """A create that was not made."""
        if error.get("error_code") == "ERROR_CONTACT_EXISTS":
            row.answer = Unsent()
            # Where it cannot be read, the next attempt looks again.
            with contextlib.suppress(ConnectorError):
                found = self.reader.body(hashed(_address(row)), "find members")
                if found is not None:
                    row.answer = Exists(record(found, self.names))
            return
        row.answer = of_row(error, row.fields)

    def _tag(self, row: Row) -> None:
        """Tags have a request of their own, and are set and taken one by one."""
        body = row.body or self.reader.body(row.id, "look before a write")
        if body is None or body.get(STATUS) == ARCHIVED:
            row.answer = Gone() if body is None else Gone(State.ARCHIVED)
            return
        row.body = body
        wanted = _items(row.fields[TAGS])
        there = tags(body)
        has = _items(there) if isinstance(there, list) else self.reader.tags_of(str(body["id"]))
        believed = row.write.before.get(TAGS)
        gone = set(_items(believed) if believed is not None else has) - set(wanted)
        changes = [{"name": name, "status": "active"} for name in wanted if name not in has]
        changes += [{"name": name, "status": "inactive"} for name in has if name in gone]
        row.tags = sorted({*has, *wanted} - gone)
        if not changes:
            return
        heard = self.wire.ask(
            "POST",
            f"/members/{body['id']}/tags",
            purpose="tag members",
            content={"tags": changes, "is_syncing": True},
            expect=(400, 404),
        )
        self._effect = True
        if heard.status == 404:
            row.answer = Unsent()  # the address changed just now
        elif heard.status == 400:
            row.answer = Refused((TAGS,), "Invalid Resource", "Mailchimp does not take these tags")

    def _archive(self, row: Row) -> None:
        """Hides the member. "Deleting for good" is for a person's erasure, never for a sync."""
        heard = self.wire.ask("DELETE", f"/members/{row.id}", purpose="archive members", expect=(404, 405))
        self._effect = True
        if heard.status == 404:
            self.reader.be_there()
            row.answer = Gone()
        elif heard.status == 405:
            body = self.reader.body(row.id, "look after a write")
            hidden = body is not None and body.get(STATUS) == ARCHIVED
            refused = Refused((), "Method Not Allowed", "Mailchimp says that this member cannot be removed")
            row.answer = Done(row.id) if hidden else refused
        else:
            row.answer = Done(row.id)

    # --- one by one, side by side ---

    def _each(self, rows: Sequence[Row], work: Callable[[Row], None]) -> None:
        """Nothing is raised once something took effect: a row whose answer is not known is told so."""
        if not rows:
            return
        if not self._effect:
            self._one(rows[0], work, first=True)
            rows = rows[1:]
        if rows:
            self.wire.beside("write members", [partial(self._one, row, work) for row in rows])

    def _one(self, row: Row, work: Callable[[Row], None], *, first: bool = False) -> None:
        try:
            work(row)
        except InDoubt:
            self._effect = True
            row.answer = Unknown(HORIZON)
        except (Retry, Stop) as error:
            if first and not self._effect:
                raise
            after = error.after if isinstance(error, Retry) else None
            # A part of it may be done, and reading the record tells so at once.
            row.answer = Unknown(0.0) if row.begun else Unsent(after or 0.0)

    # --- answers ---

    def _took(self, row: Row, body: dict[str, Any]) -> None:
        row.body, row.begun = body, True
        self.reader.note(body)

    def _done(self, row: Row) -> Done:
        body = row.body
        if body is None:
            return Done(row.id)  # nothing was to be changed
        told: Fields | None = {}
        for name in row.fields:
            value = read(body, name, row.tags)
            if name == TAGS and row.tags is None:
                value = tags(body)
            told[name] = value  # type: ignore[assignment,index]
        return Done(str(body["contact_id"]), version(body), micros(body.get("last_changed")), told)


def _open(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.answer is None]


def _address(row: Row) -> str:
    return str(row.fields.get(EMAIL) or "").strip().lower()


def _items(value: object) -> list[str]:
    if isinstance(value, dict):
        value = value.get("items")
    return [str(each) for each in value] if isinstance(value, list) else []
