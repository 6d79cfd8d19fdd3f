"""Contacts by id or by value, strongly consistent: batch reads, never the search index. And a row made a record.

An id that nobody knows may be a merged one: reading it alone then answers the survivor (third parties' notes; the
docs are silent), so what a batch read lacks is asked for archived, and last one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.base import Fields, Record, Ref, State, Value, Version, Writer, batches
from connectors.hubspot.consent import Consent
from connectors.hubspot.lookups import Companies, Owners
from connectors.hubspot.native import (
    ALWAYS,
    CONTACT,
    EMAIL,
    MERGED,
    MORE_EMAILS,
    OWNER,
    SOURCE,
    SOURCE_ID,
    UNTOUCHED,
    Wanted,
    losers,
    micros,
    properties,
    told,
    writer,
)
from connectors.hubspot.wire import Heard, Wire

BATCH = 100
HISTORY_BATCH = 50
"""With histories a page is half as long (fact sheet, section 3)."""


class Reader:
    """Reads what the mapping wants. `key_property` is asked for although no mapping names it: it tells our creates."""

    def __init__(
        self,
        wire: Wire,
        wanted: Wanted,
        owners: Owners,
        companies: Companies,
        consent: Consent,
        key_property: str,
        parallel: int,
    ) -> None:
        self._wire = wire
        self._wanted = wanted
        self._owners = owners
        self._companies = companies
        self._consent = consent
        self._key_property = key_property
        self._parallel = parallel
        self._apps: set[str] = set()  # ids under which our own app has been seen to write
        self._written: tuple[str, dict[str, str], int] | None = None
        address = (EMAIL,) if wanted.consent else ()
        self.names = list(dict.fromkeys([*wanted.properties, *ALWAYS, *address, key_property]))

    # rows to records

    def records(self, rows: Sequence[Mapping[str, Any]], state: State = State.LIVE) -> list[Record]:
        """What the mapping wants of these rows, with one request per hundred for consent and for companies."""
        companies: Mapping[str, Fields] = {}
        agreed: Mapping[str, Fields] = {}
        if self._wanted.company and state is State.LIVE and rows:
            companies = self._companies.of([str(row["id"]) for row in rows])
        if self._wanted.consent:
            # also of deleted contacts: an opt-out just before the deletion must not be missed
            agreed = self._consent.read(address for row in rows if (address := properties(row).get(EMAIL)))
        return [self._record(row, state, companies, agreed) for row in rows]

    def _record(
        self,
        row: Mapping[str, Any],
        state: State,
        companies: Mapping[str, Fields],
        agreed: Mapping[str, Fields],
    ) -> Record:
        id = str(row["id"])
        told_of = properties(row)
        fields: Fields = {}
        for name in self._wanted.properties:
            self.put(fields, name, told_of)
        fields |= companies.get(id, {})
        if self._wanted.consent:
            fields |= self._consent_of(told_of, agreed)
        created, modified = micros(row.get("createdAt")), micros(row.get("updatedAt"))
        untouched = created is not None and modified is not None and modified - created <= UNTOUCHED
        if state is State.DELETED:
            modified = max((at for at in (modified, micros(row.get("archivedAt"))) if at is not None), default=None)
        return Record(
            Ref(CONTACT, id),
            fields,
            state=state,
            modified=modified,
            created=created,
            aliases=tuple(Ref(CONTACT, each) for each in losers(row)),
            # The source is that of the creation: who made later changes only the histories tell.
            writer=writer(told_of.get(SOURCE)) if untouched and state is State.LIVE else Writer.UNKNOWN,
            mine=self._mine(told_of),
        )

    def put(self, fields: Fields, name: str, told_of: Mapping[str, Any]) -> None:
        """Add a property to fields, if this answer has it and if its value is known by us."""
        if name not in told_of:
            return
        value = told(name, told_of[name])
        if name == OWNER and isinstance(value, str):
            value = self._owners.address(value)
            if value is None:
                return  # archived, or a queue: nobody that another system could know
        fields[name] = value

    def _consent_of(self, told_of: Mapping[str, Any], agreed: Mapping[str, Fields]) -> Mapping[str, Value]:
        if EMAIL not in told_of:
            return {}
        address = str(told_of[EMAIL] or "").strip().lower()
        return agreed.get(address, {}) if address else self._consent.nothing()

    def _mine(self, told_of: Mapping[str, Any]) -> bool | None:
        """Whether our app made it. Only our creates bear our key, so such a record also tells our app's id."""
        app = str(told_of.get(SOURCE_ID) or "")
        by_app = writer(told_of.get(SOURCE)) is Writer.INTEGRATION
        if told_of.get(self._key_property):
            if by_app and app:
                self._apps.add(app)
            return True
        if told_of.get(SOURCE) and not by_app:
            return False
        return app in self._apps if app and self._apps else None

    # by id

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        for wave in batches(dict.fromkeys(refs), BATCH * self._parallel):
            jobs = [partial(self._fetch, part) for part in batches(wave, BATCH)]
            for records in self._wire.beside("fetch contacts", jobs):
                yield from records

    def _fetch(self, refs: Sequence[Ref]) -> list[Record]:
        asked = [ref.id for ref in refs if ref.object == CONTACT and ref.id.isdigit()]
        results = self._read(asked, "fetch contacts").results if asked else []
        rows: dict[str, Mapping[str, Any]] = {str(row["id"]): row for row in results}
        survivors = {loser: id for id, row in rows.items() for loser in losers(row)}
        missing = [id for id in asked if id not in rows and id not in survivors]
        archived = self._archived(missing)
        for id in missing:
            if id not in archived:
                row = self._alone(id)
                if row is not None:
                    rows[str(row["id"])] = row
                    if str(row["id"]) != id:
                        survivors[id] = str(row["id"])
        live = {record.ref.id: record for record in self.records([rows[id] for id in asked if id in rows])}
        dead = {record.ref.id: record for record in self.records(list(archived.values()), State.DELETED)}
        return [self._found(ref, live, dead, survivors) for ref in refs]

    def _found(
        self, ref: Ref, live: Mapping[str, Record], dead: Mapping[str, Record], survivors: Mapping[str, str]
    ) -> Record:
        if ref.object != CONTACT:
            return Record(ref, {}, state=State.GONE)
        if found := live.get(ref.id) or dead.get(ref.id):
            return found
        if survivor := survivors.get(ref.id):
            return Record(ref, {}, state=State.MERGED, merged_into=Ref(CONTACT, survivor))
        return Record(ref, {}, state=State.GONE)

    def _archived(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        if not ids:
            return {}
        heard = self._read(ids, "fetch contacts", archived=True)
        return {id: row for row in heard.results if (id := str(row["id"])) in ids}

    def _alone(self, id: str) -> Mapping[str, Any] | None:
        heard = self._wire.ask(
            lambda: self._wire.sdk.contacts.get_by_id(id, properties=self.names, _preload_content=False),
            purpose="fetch contacts",
            rows=None,
            expect={404},
        )
        return heard.content if heard.status != 404 else None

    def _read(
        self,
        ids: Sequence[str],
        purpose: str,
        *,
        by: str | None = None,
        archived: bool = False,
        more: str | None = None,
    ) -> Heard:
        body: dict[str, object] = {
            "properties": list(dict.fromkeys([*self.names, *([more] if more else [])])),
            "propertiesWithHistory": [],
            "inputs": [{"id": each} for each in ids],
        }
        return self.batch_read(body if by is None else {**body, "idProperty": by}, purpose, archived=archived)

    def batch_read(self, body: Mapping[str, object], purpose: str, *, archived: bool = False) -> Heard:
        """One batch read. Those that are missing are errors of a 207, or are not mentioned."""
        read = self._wire.sdk.batch.read
        if archived:
            return self._wire.ask(lambda: read(body, archived="true", _preload_content=False), purpose=purpose)
        return self._wire.ask(lambda: read(body, _preload_content=False), purpose=purpose)

    def complete(self, rows: Sequence[Mapping[str, Any]], purpose: str) -> list[Mapping[str, Any]]:
        """These rows anew with everything the mapping wants, those that are gone meanwhile left out."""
        found: dict[str, Mapping[str, Any]] = {}
        for part in batches([str(row["id"]) for row in rows], BATCH):
            found |= {str(row["id"]): row for row in self._read(part, purpose).results}
        return [found[id] for row in rows if (id := str(row["id"])) in found]

    def values(self, ids: Sequence[str], names: Sequence[str], purpose: str) -> dict[str, Mapping[str, Any]]:
        """Id → these properties as they are now; at most a hundred ids."""
        inputs = [{"id": each} for each in ids]
        body = {"properties": [*names, MERGED], "propertiesWithHistory": [], "inputs": inputs}
        found: dict[str, Mapping[str, Any]] = {}
        for row in self.batch_read(body, purpose).results:
            for id in (str(row["id"]), *losers(row)):
                found[id] = properties(row)
        return found

    # by value

    def find(self, name: str, values: Sequence[str]) -> Iterator[Record]:
        """Contacts whose unique property `name` has one of the values; archived ones where no live one has it."""
        if name == EMAIL:
            values = [value.strip().lower() for value in values if "@" in value]
        asked = list(dict.fromkeys(value for value in values if value))
        for part in batches(asked, BATCH):
            more = MORE_EMAILS if name == EMAIL else name
            rows = self._read(part, "find contacts", by=name, more=more).results
            yield from self.records(_once(rows))
            met = {value.lower() for row in rows for value in self._values_of(row, name)}
            if missing := [value for value in part if value.lower() not in met]:
                rows = self._read(missing, "find contacts", by=name, archived=True).results
                yield from self.records(_once(rows), State.DELETED)

    def _values_of(self, row: Mapping[str, Any], name: str) -> list[str]:
        told_of = properties(row)
        more = [each.strip() for each in str(told_of.get(MORE_EMAILS) or "").split(";")] if name == EMAIL else []
        return [str(told_of.get(name) or ""), *more]

    # former values

    def history(self, refs: Sequence[Ref], fields: Sequence[str]) -> Iterator[tuple[Ref, dict[str, list[Version]]]]:
        names = list(Wanted.of(fields).properties)
        for part in batches(dict.fromkeys(refs), HISTORY_BATCH):
            told_of = self._histories([ref.id for ref in part], [*names, self._key_property])
            for versions in told_of.values():
                # nobody but us writes our key, so its history names our app
                of_key = versions.get(self._key_property) or ()
                self._apps |= {str(each["sourceId"]) for each in of_key if _by_app(each)}
            if not self._apps:
                self._recognise_us()
            for ref in part:
                if ref.id in told_of:
                    yield ref, {name: self._versions(name, told_of[ref.id].get(name) or ()) for name in names}

    def wrote(self, id: str, values: Mapping[str, str], at: int | None) -> None:
        """A write of ours took effect: by its history we can be recognised."""
        if values and at is not None:
            self._written = id, dict(values), at

    def _recognise_us(self) -> None:
        """Learn our app's id, which no answer tells a private app, from what we wrote last."""
        if self._written is None:
            return
        id, values, at = self._written
        for name, versions in self._histories([id], list(values)).get(id, {}).items():
            self._apps |= {
                str(each["sourceId"])
                for each in versions
                if _by_app(each) and each.get("value") == values.get(name) and micros(each.get("timestamp")) == at
            }

    def _histories(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Id → property → its versions as HubSpot tells them."""
        inputs = [{"id": each} for each in ids]
        body = {"properties": [MERGED], "propertiesWithHistory": list(names), "inputs": inputs}
        results = self.batch_read(body, "read history").results
        return {str(row["id"]): row.get("propertiesWithHistory") or {} for row in results}

    def _versions(self, name: str, told_of: Sequence[Mapping[str, Any]]) -> list[Version]:
        found: list[Version] = []
        for each in told_of:
            at = micros(each.get("timestamp"))
            value: Value = told(name, each.get("value"))
            if name == OWNER and isinstance(value, str):
                value = self._owners.address(value) or value
            if at is not None:
                mine = _by_app(each) and str(each["sourceId"]) in self._apps
                found.append(Version(value, at, writer(each.get("sourceType")), mine))
        return sorted(found, key=lambda version: -version.at)


def _by_app(version: Mapping[str, Any]) -> bool:
    return writer(version.get("sourceType")) is Writer.INTEGRATION and bool(version.get("sourceId"))


def _once(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Two addresses of one contact bring it twice."""
    return list({str(row["id"]): row for row in rows}.values())
