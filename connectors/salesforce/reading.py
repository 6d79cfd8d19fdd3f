"""Reading leads and contacts: the feeds, the sweep, by id, by value.

One SOQL through `queryAll` tells changes and deletions alike, in the order of SystemModstamp, which also moves on
automated changes. A cursor names the last row told, not the server's own cursor, which dies after a while; the pull
that follows begins `LAG` seconds before this one began, since a row shows only when its transaction commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.base import Feed, Fields, Page, Record, Ref, State
from connectors.errors import CursorLost, Stop
from connectors.salesforce.account import Account
from connectors.salesforce.answers import Complaint
from connectors.salesforce.native import ID, at_path, chunks, instant, listed, literal, long_id, quoted
from connectors.salesforce.users import People, Users
from connectors.world import MICROSECONDS, World

if TYPE_CHECKING:
    from connectors.salesforce.wire import Wire

LAG = 300.0
"""Seconds from a row's stamp, taken in its transaction, to the commit that shows it."""

STANDING = {
    "Contact": "Id, SystemModstamp, CreatedDate, CreatedById, LastModifiedById, IsDeleted, MasterRecordId",
    "Lead": (
        "Id, SystemModstamp, CreatedDate, CreatedById, LastModifiedById, IsDeleted, MasterRecordId, "
        "IsConverted, ConvertedContactId"
    ),
}
OBJECTS = tuple(sorted(STANDING))

LIVE = {"Contact": "", "Lead": "IsConverted = false"}
"""What a sweep counts, beside not being in the recycle bin: a converted lead lives on as a contact."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reading stands. `since`: from this instant on, None for everything; `started`: when this reading began;
    `stamp` and `id`: the last row told. Times in microseconds UTC."""

    since: int | None = None
    started: int | None = None
    stamp: str | None = None
    id: str | None = None

    @classmethod
    def read(cls, cursor: str | None, system: str) -> Position:
        if cursor is None:
            return cls()
        try:
            position = msgspec.json.decode(cursor, type=cls)
            _since(position)
        except (ValueError, OverflowError):
            raise CursorLost(
                f"{system}: the saved cursor is none of a Salesforce feed; read it from the beginning"
            ) from None
        return position

    def text(self) -> str:
        return msgspec.json.encode({k: v for k, v in asdict(self).items() if v is not None}).decode()

    def after(self, rows: Sequence[Row]) -> Position:
        last = rows[-1] if rows else None
        return replace(self, stamp=last["SystemModstamp"], id=last["Id"]) if last else self


class Reader:
    def __init__(self, system: str, wire: Wire, account: Account, users: Users, world: World) -> None:
        self._system = system
        self._wire = wire
        self._account = account
        self._users = users
        self._world = world

    def changes(self, feed: Feed) -> Iterator[Page]:
        object = self._expect(feed.object)
        begin = Position.read(feed.cursor, self._system)
        started = self._world.now() if begin.started is None else begin.started
        begin = replace(begin, started=started)

        def rest(at: Position) -> str:
            return f"{_where(_since(at))}ORDER BY SystemModstamp, Id"

        for position, rows, last in self._walk(object, begin, rest, f"read {plural(object)}"):
            cursor = Position(since=started - int(LAG * MICROSECONDS)) if last else position
            yield Page(self._records(object, rows), cursor.text(), last)

    def ids(self, feed: Feed) -> Iterator[Page]:
        object = self._expect(feed.object)

        def rest(at: Position) -> str:
            return f"{_where(LIVE[object], f'Id > {quoted(at.id)}' if at.id else '')}ORDER BY Id"

        begin = Position.read(feed.cursor, self._system)
        walk = self._walk(object, begin, rest, f"list {plural(object)}", whole=False)
        for position, rows, last in walk:
            records = [Record(Ref(object, row["Id"]), {}, modified=instant(row["SystemModstamp"])) for row in rows]
            yield Page(records, (Position() if last else position).text(), last)

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        found: dict[Ref, Record] = {}
        for object in sorted({self._expect(ref.object) for ref in refs}):
            ids = {long_id(ref.id) for ref in refs if ref.object == object and ID.fullmatch(ref.id)}
            for record in self._where_in(object, "Id", sorted(ids), f"look up {plural(object)}"):
                found[record.ref] = record
        for ref in dict.fromkeys(refs):
            known = found.get(Ref(ref.object, long_id(ref.id)))
            yield replace(known, ref=ref) if known else Record(ref, {}, State.GONE)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        """Recycle bin included. A blank is never asked for: it would match every record without a value."""
        asked = sorted({each for each in values if each.strip()})
        yield from self._where_in(self._expect(object), name, asked, f"look up {plural(object)}", also=name)

    def _where_in(
        self, object: str, name: str, values: Sequence[str], purpose: str, also: str | None = None
    ) -> Iterator[Record]:
        taken = self._select(object, True, also) + f" WHERE {name} IN ()"
        for chunk in chunks(values, taken):
            condition = f"{name} IN {listed(chunk)}"

            def rest(at: Position, condition: str = condition) -> str:
                return f"{_where(condition, f'Id > {quoted(at.id)}' if at.id else '')}ORDER BY Id"

            for _, rows, _ in self._walk(object, Position(), rest, purpose, also=also):
                yield from self._records(object, rows, also)

    def _walk(
        self,
        object: str,
        position: Position,
        rest: Callable[[Position], str],
        purpose: str,
        *,
        whole: bool = True,
        also: str | None = None,
    ) -> Iterator[tuple[Position, Sequence[Row], bool]]:
        """Page through a query: (where it stands now, the rows, whether that was all). A server cursor that has ended
        is replaced by a query that goes on behind the last row."""
        answer = self._query(object, position, rest, purpose, whole, also)
        while True:
            rows: Sequence[Row] = answer["records"]
            position = position.after(rows)
            yield position, rows, answer["done"]
            if answer["done"]:
                return
            try:
                answer = self._wire.more(str(answer["nextRecordsUrl"]), purpose=purpose)
            except Complaint as complaint:
                if complaint.reason != "INVALID_QUERY_LOCATOR":
                    raise
                answer = self._query(object, position, rest, purpose, whole, also)

    def _query(
        self, object: str, at: Position, rest: Callable[[Position], str], purpose: str, whole: bool, also: str | None
    ) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            soql = f"{self._select(object, whole, also)} {rest(at)}"
            return self._wire.query(soql, purpose=purpose, deleted=whole)

        try:
            return ask()
        except Complaint as complaint:
            if complaint.reason != "INVALID_FIELD" or not self._account.look_for_hidden(object):
                raise
        return ask()

    def _select(self, object: str, whole: bool, also: str | None) -> str:
        """`whole`: everything that makes a record, otherwise what makes a ref."""
        if not whole:
            return f"SELECT Id, SystemModstamp FROM {object}"  # noqa: S608
        standing = STANDING[object]
        wanted = dict.fromkeys([*self._account.visible(object), *([also] if also else [])])
        extra = [name for name in wanted if name not in standing.split(", ")]
        return f"SELECT {', '.join([standing, *extra])} FROM {object}"  # noqa: S608

    def _records(self, object: str, rows: Sequence[Row], also: str | None = None) -> list[Record]:
        names = list(dict.fromkeys([*self._account.visible(object), *([also] if also else [])]))
        if not rows:
            return []
        owners = [row.get("OwnerId") for row in rows] if "OwnerId" in names else []
        people = self._users.meet([row.get("LastModifiedById") for row in rows], owners)
        return [_record(object, row, names, people) for row in rows]

    def _expect(self, object: str) -> str:
        if object not in STANDING:
            raise Stop(f"{self._system}: {object!r} is not read; there are {' and '.join(OBJECTS)}")
        return object


def _record(object: str, row: Row, names: Sequence[str], people: People) -> Record:
    fields: Fields = {}
    for name in names:
        there, told = at_path(row, name)
        if name == "OwnerId":
            # Whoever makes a record owns it until somebody gives it away: of what we made nobody is the owner yet.
            unowned = people.ours(str(told)) and people.ours(row.get("CreatedById"))
            told = None if unowned else people.owner(str(told))
            there = told is not None or bool(unowned)
        if there:
            fields[name] = told
    state, into = _state(object, row)
    return Record(
        Ref(object, row["Id"]),
        fields,
        state,
        modified=instant(row["SystemModstamp"]),
        created=instant(row["CreatedDate"]),
        merged_into=into,
        writer=people.writer(row.get("LastModifiedById")),
        mine=people.ours(row.get("CreatedById")),
    )


def _state(object: str, row: Row) -> tuple[State, Ref | None]:
    if row.get("MasterRecordId"):
        return State.MERGED, Ref(object, row["MasterRecordId"])
    if row.get("IsConverted"):
        contact = row.get("ConvertedContactId")
        # Without its contact nobody knows where the person went; the lead stays there, read-only.
        return (State.MERGED, Ref("Contact", contact)) if contact else (State.ARCHIVED, None)
    return (State.DELETED if row.get("IsDeleted") else State.LIVE), None


def _since(at: Position) -> str:
    if at.stamp and at.id:
        stamp = literal(instant(at.stamp))
        return f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > {quoted(at.id)}))"
    return f"SystemModstamp >= {literal(at.since)}" if at.since is not None else ""


def _where(*conditions: str) -> str:
    met = [each for each in conditions if each]
    return f"WHERE {' AND '.join(met)} " if met else ""


def plural(object: str) -> str:
    return f"{object.lower()}s"
