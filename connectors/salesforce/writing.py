"""Writing leads and contacts: sObject collections of 200, rows that succeed or fail each for itself, in order.

A create is an insert and never an upsert: what exists already is named, not touched. A row that left and was not
answered is in doubt; a row whose lock was taken is sent again alone. What the vendor says of a row is told without the
values in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.base import (
    Answer,
    Done,
    Exists,
    Gone,
    Record,
    Ref,
    Refused,
    State,
    Unknown,
    Unsent,
    Write,
    batches,
    bisect,
)
from connectors.base import WriteKind as Kind
from connectors.errors import ConnectorError, InDoubt, Retry, Stop
from connectors.salesforce.account import NUMBERS, Account
from connectors.salesforce.answers import Complaint, reason
from connectors.salesforce.native import WRITE_HEADERS
from connectors.salesforce.reading import Reader, plural
from connectors.salesforce.users import Users
from connectors.world import World

if TYPE_CHECKING:
    from connectors.salesforce.wire import Wire

BATCH = 200
PARTS = 25
"""How many single inserts one composite request takes."""
HORIZON = 600.0
LATER = 60.0
LOCK_TRIES = 4

ELSEWHERE = ("ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD")
NOWHERE = ("INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "MALFORMED_ID")
"""What a row says whose record is no longer as we knew it. The last ones can also mean a field that refers to
something; then they name the field."""
BUSY = ("SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "UNKNOWN_EXCEPTION")
"""A row that failed for no reason of its own."""
DUPLICATES = ("duplicateResut", "duplicateResult")
"""Where a single insert names the records that a duplicate rule found; the first spelling is the vendor's. A collection
does not name them."""
OBJECT_OF = {"00Q": "Lead", "003": "Contact"}

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_COLUMN = re.compile(r"No such column '([^']+)'|duplicate value found: (\w+) duplicates")
# How messages introduce the value that they complain about.
_VALUE = re.compile(
    r"(too large: |picklist field: |email address: |VALUE_\w+ value |Invalid value: ).+?(?= \(max| or request may|$)",
    re.DOTALL,
)
_PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d ()-]{4,}\d")

Body: TypeAlias = "Mapping[str, object]"
Ship: TypeAlias = "Callable[[Sequence[Body]], Any]"
"""Makes one request with these rows and answers what came of each."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A row that was not written because of a record: that one, or the one with our key (`ref` None). `otherwise`: what
    to answer when a look shows that it is not so."""

    write: Write
    ref: Ref | None
    otherwise: Answer


class Writer:
    def __init__(self, wire: Wire, account: Account, users: Users, reader: Reader, world: World) -> None:
        self._wire = wire
        self._account = account
        self._users = users
        self._reader = reader
        self._world = world

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if not writes:
            return []
        kind, object = writes[0].kind, writes[0].object
        key_field = self._account.own_key(object) if kind is Kind.CREATE else None
        owners = self._owners(writes)
        answers: dict[int, Answer] = {}
        bodies: dict[int, Body] = {}
        for write in writes:
            if "OwnerId" in write.fields and _email(write.fields["OwnerId"]) not in owners:
                text = "no active user, or more than one, has the e-mail address of the owner"
                answers[id(write)] = Refused(("OwnerId",), "unknown_owner", text)
            else:
                bodies[id(write)] = self._body(write, owners, key_field)
        sending = _Sending(self._ship(kind, object), self._singly(object), bodies, key_field)
        going = [write for write in writes if id(write) in bodies]
        for attempt in range(LOCK_TRIES):
            sending.locked = []
            answers.update(zip(map(id, going), sending.deliver(going), strict=True))
            going = sending.locked
            if not going or attempt == LOCK_TRIES - 1:
                break
            self._world.sleep(0.5 * 2.0**attempt * (0.5 + self._world.random()))
        unnamed, sending.unnamed = sending.unnamed, []
        answers.update(zip(map(id, unnamed), sending.deliver_singly(unnamed), strict=True))
        for obstacle, answer in self._look(sending.obstacles, key_field):
            answers[id(obstacle.write)] = answer
        return [answers[id(write)] for write in writes]

    def _owners(self, writes: Sequence[Write]) -> Mapping[str, str]:
        """E-mail address → user id of the owners to be set; those that name nobody, or several, are left out."""
        emails = {_email(write.fields.get("OwnerId")) for write in writes} - {""}
        return {email: users[0].id for email, users in self._users.named(emails).items() if len(users) == 1}

    def _body(self, write: Write, owners: Mapping[str, str], key_field: str | None) -> Body:
        body: dict[str, object] = {"attributes": {"type": write.object}}
        if write.ref is not None:
            body["id"] = write.ref.id
        if key_field:
            body[key_field] = write.key
        for name, value in write.fields.items():
            if name == "OwnerId":
                body[name] = owners[_email(value)]
            elif isinstance(value, list):
                body[name] = ";".join(value)  # a multi-select picklist
            elif isinstance(value, str) and _NUMBER.fullmatch(value) and self._is_number(write.object, name):
                body[name] = Decimal(value)
            else:
                body[name] = value
        return body

    def _is_number(self, object: str, name: str) -> bool:
        return self._account.fields(object).get(name, {}).get("type") in NUMBERS

    def _ship(self, kind: Kind, object: str) -> Ship:
        path = "composite/sobjects"
        purpose = f"{ {Kind.CREATE: 'create', Kind.UPDATE: 'update', Kind.ARCHIVE: 'delete'}[kind] } {plural(object)}"

        def ship(bodies: Sequence[Body]) -> Any:
            if kind is Kind.ARCHIVE:
                params = {"ids": ",".join(str(body["id"]) for body in bodies), "allOrNone": "false"}
                return self._wire.send("DELETE", path, purpose=purpose, params=params)
            method = "POST" if kind is Kind.CREATE else "PATCH"
            return self._wire.send(method, path, {"allOrNone": False, "records": list(bodies)}, purpose=purpose)

        return ship

    def _singly(self, object: str) -> Ship:
        """Inserts one by one, in one request: only then does a duplicate rule name the records that it found."""

        def ship(bodies: Sequence[Body]) -> Any:
            parts = [
                {
                    "method": "POST",
                    "url": f"{self._wire.data}/sobjects/{object}",
                    "referenceId": f"row{i}",
                    "httpHeaders": WRITE_HEADERS,
                    "body": {name: value for name, value in body.items() if name != "attributes"},
                }
                for i, body in enumerate(bodies)
            ]
            request = {"allOrNone": False, "compositeRequest": parts}
            answer = self._wire.send("POST", "composite", request, purpose=f"create {plural(object)}")
            told = answer.get("compositeResponse") if isinstance(answer, dict) else None
            return [_as_row(part) for part in told if isinstance(part, dict)] if isinstance(told, list) else None

        return ship

    def _look(self, obstacles: Sequence[Obstacle], key_field: str | None) -> Iterator[tuple[Obstacle, Answer]]:
        """Look at the records that were in the way. None of these rows was written, whatever comes of the look."""
        try:
            by_ref = {each.ref: each for each in self._reader.fetch([each.ref for each in obstacles if each.ref])}
            keys = [each.write.key for each in obstacles if each.ref is None]
            by_key = self._with_keys(obstacles[0].write.object, key_field, keys) if keys and key_field else {}
        except ConnectorError as error:
            for obstacle in obstacles:
                yield obstacle, Unsent(_patience(error))
            return
        for obstacle in obstacles:
            record = by_ref.get(obstacle.ref) if obstacle.ref else by_key.get(obstacle.write.key)
            yield obstacle, _answer_to(obstacle, record)

    def _with_keys(self, object: str, key_field: str, keys: Sequence[str]) -> Mapping[str, Record]:
        found = sorted(self._reader.find(object, key_field, keys), key=lambda each: each.state, reverse=True)
        return {str(each.fields.get(key_field)): each for each in found}  # a live one wins over one in the recycle bin


class _Sending:
    """The requests of one `write`. As soon as one may have left, nothing is raised any more."""

    def __init__(self, ship: Ship, singly: Ship, bodies: Mapping[int, Body], key_field: str | None) -> None:
        self._ship = ship
        self._singly = singly
        self._bodies = bodies
        self._key_field = key_field
        self._left = False
        self._complaint: Complaint | None = None
        self.locked: list[Write] = []
        self.obstacles: list[Obstacle] = []
        self.unnamed: list[Write] = []

    def deliver(self, writes: Sequence[Write]) -> list[Answer]:
        return bisect(writes, lambda part: self._send(part, self._ship), self._blame) if writes else []

    def deliver_singly(self, writes: Sequence[Write]) -> list[Answer]:
        """Creates that a duplicate rule blocked without a name, again; they may go through by now."""
        answers: list[Answer] = []
        for part in batches(writes, PARTS):
            answers += self._send(part, self._singly) or [self._blame(write) for write in part]
        return answers

    def _send(self, part: Sequence[Write], ship: Ship) -> list[Answer] | None:
        try:
            said = ship([self._bodies[id(write)] for write in part])
        except InDoubt:
            self._left = True
            return [Unknown(HORIZON) for _ in part]
        except Complaint as complaint:
            if complaint.status == 400:
                return self._without_column(part, complaint)
            return self._put_off(part, complaint)
        except (Retry, Stop) as error:
            return self._put_off(part, error)
        self._left = True
        if not isinstance(said, list) or len(said) != len(part) or not all(isinstance(row, dict) for row in said):
            return [Unknown(HORIZON) for _ in part]
        return [self._answer(row, write) for row, write in zip(said, part, strict=True)]

    def _put_off(self, part: Sequence[Write], error: Retry | Stop) -> list[Answer]:
        if not self._left:
            raise error
        return [Unsent(_patience(error)) for _ in part]

    def _without_column(self, part: Sequence[Write], complaint: Complaint) -> list[Answer] | None:
        """A field that is hidden spoils the whole request: blame all rows that have it at once, and send the others."""
        self._complaint = complaint
        column = _column(complaint.words)
        spoiled = [write for write in part if column in write.fields]
        if len(part) == 1 or not spoiled:
            return None
        blamed = {id(write): self._blame(write) for write in spoiled}
        others = [write for write in part if id(write) not in blamed]
        answers = blamed | dict(zip(map(id, others), self.deliver(others), strict=True))
        return [answers[id(write)] for write in part]

    def _blame(self, write: Write) -> Answer:
        errors = self._complaint.errors if self._complaint else []
        return self._answer({"success": False, "errors": errors}, write)

    def _answer(self, row: Mapping[str, Any], write: Write) -> Answer:
        if row.get("success") is True:
            return Done(str(row.get("id") or (write.ref and write.ref.id)))
        errors = row.get("errors") or []
        code = reason(errors)
        words = str(errors[0].get("message") or "") if errors else ""
        column = _column(words)
        blamed = tuple(dict.fromkeys(str(name) for error in errors for name in error.get("fields") or ()))
        refused = Refused(blamed or ((column,) if column else ()), code, _without_values(words, write))
        if code == "UNABLE_TO_LOCK_ROW":
            self.locked.append(write)
            return Unsent(LATER)
        if code in BUSY:
            return Unsent(LATER)
        if write.kind is not Kind.CREATE:
            if code in ELSEWHERE or (code in NOWHERE and not blamed):
                self.obstacles.append(Obstacle(write, write.ref, refused))
        elif code == "DUPLICATE_VALUE":
            if self._key_field and (self._key_field in refused.fields or "<unknown>" in words):
                self.obstacles.append(Obstacle(write, None, refused))
        elif code == "DUPLICATES_DETECTED":
            self._blocked(write, errors, refused)
        return refused

    def _blocked(self, write: Write, errors: Sequence[Mapping[str, Any]], refused: Refused) -> None:
        found = [each[key] for each in errors for key in DUPLICATES if each.get(key)]
        matches = _matches(found)
        if not found and not _looks_like_a_reference(self._bodies[id(write)]):
            self.unnamed.append(write)
        elif len(matches) == 1:  # which of several it is, only a person could say
            self.obstacles.append(Obstacle(write, matches.pop(), refused))


def _as_row(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of a part of a composite request in the shape of a row of a collection."""
    body = part.get("body")
    return body if isinstance(body, dict) else {"success": False, "errors": body}


def _looks_like_a_reference(body: Body) -> bool:
    """Composite requests take "@{…}" in a value for the answer of another part."""
    return any("@{" in value for value in body.values() if isinstance(value, str))


def _answer_to(obstacle: Obstacle, record: Record | None) -> Answer:
    if obstacle.write.kind is Kind.CREATE:
        there = record is not None and record.state is not State.GONE
        return Exists(record) if record is not None and there else obstacle.otherwise
    if record is None or record.state is State.LIVE:
        return obstacle.otherwise
    return Gone(record.state, record.merged_into)


def _matches(found: Sequence[Mapping[str, Any]]) -> set[Ref]:
    """The leads and contacts that a duplicate rule found."""
    ids = {
        str(match["record"]["Id"])
        for each in found
        for result in each.get("matchResults") or ()
        for match in result.get("matchRecords") or ()
    }
    return {Ref(OBJECT_OF[id[:3]], id) for id in ids if id[:3] in OBJECT_OF}


def _column(words: str) -> str | None:
    """The field that a message names, where the error does not name it beside."""
    found = _COLUMN.search(words)
    return next((name for name in found.groups() if name), None) if found else None


def _without_values(words: str, write: Write) -> str:
    """The vendor's words with "…" for every value of this write, and for whatever looks like one."""
    words = _VALUE.sub(r"\1…", words)
    values = {str(value) for value in (*write.fields.values(), *write.before.values()) if isinstance(value, str | int)}
    for value in sorted({*values, write.key} - {"", "True", "False"}, key=len, reverse=True):
        words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", words, flags=re.IGNORECASE)
    return _PRIVATE.sub("…", words)


def _patience(error: ConnectorError) -> float:
    after = error.after if isinstance(error, Retry) else None
    return LATER if after is None else after


def _email(value: object) -> str:
    return str(value or "").lower()
