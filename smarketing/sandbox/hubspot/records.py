"""The records of one object type: each as it stands now, what was done to it, and who holds which unique value.

A record's state is a `Shot` that is replaced and never changed, so that the search index can show an older one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from smarketing.sandbox.hubspot.properties import Catalogue
from smarketing.sandbox.hubspot.refusals import bad_request
from smarketing.sandbox.hubspot.sources import Source


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between object types (spec: contacts, companies; docs: contacts guide, default properties)."""

    name: str
    singular: str
    label: str
    type_id: str
    modified: str
    shown: tuple[str, ...]
    """The properties of an answer when none are asked for."""

    @property
    def always(self) -> tuple[str, ...]:
        """The properties of every answer."""
        return ("createdate", "hs_object_id", self.modified)


CONTACTS = Kind(
    "contacts",
    "contact",
    "Contact",
    "0-1",
    "lastmodifieddate",
    ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
)
COMPANIES = Kind(
    "companies",
    "company",
    "Company",
    "0-2",
    "hs_lastmodifieddate",
    ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
)
NAMES = {alias: kind.name for kind in (CONTACTS, COMPANIES) for alias in (kind.name, kind.singular, kind.type_id)}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a record. "" stands for a value that was cleared."""

    at: int
    source: Source
    changes: Mapping[str, str]


@dataclass(slots=True)
class Shot:
    """A record as it stands at one moment: the values that are not empty, and milliseconds."""

    id: int
    values: Mapping[str, str]
    modified: int
    archived: int | None = None


@dataclass(slots=True)
class Record:
    shot: Shot
    edits: list[Edit] = field(default_factory=list)
    merged_into: int | None = None
    erased: bool = False

    @property
    def id(self) -> int:
        return self.shot.id

    @property
    def values(self) -> Mapping[str, str]:
        return self.shot.values

    @property
    def live(self) -> bool:
        return self.merged_into is None and not self.erased and self.shot.archived is None

    def history(self, name: str) -> Iterator[tuple[str, Edit]]:
        """The values a property has had, newest first."""
        for edit in reversed(self.edits):
            if name in edit.changes:
                yield edit.changes[name], edit


def addresses(values: Mapping[str, str]) -> list[str]:
    """A contact's addresses, the primary one first."""
    listed = [values.get("email", ""), *values.get("hs_additional_emails", "").split(";")]
    return [address for address in listed if address]


class Table:
    """All records of one kind. Ids count up from `first`. `watch` is told each change: when, the id, the new state or
    None for one that is not live any more."""

    def __init__(self, kind: Kind, catalogue: Catalogue, first: int) -> None:
        self.kind = kind
        self.catalogue = catalogue
        self.records: dict[int, Record] = {}
        self.live_ids: list[int] = []
        self.archived_ids: list[int] = []
        self.watch: Callable[[int, int, Shot | None], None] = lambda at, number, shot: None
        self.next_id = first
        self._holders: dict[str, dict[str, int]] = {}
        self._buried: dict[str, dict[str, int]] = {}

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def find(self, id_: str | int) -> Record | None:
        """The record of this id, archived ones too; the survivor for an id that was merged away."""
        text = str(id_)
        record = self.records.get(int(text)) if text.isdecimal() else None
        while record is not None and record.merged_into is not None:
            record = self.records[record.merged_into]
        return None if record is None or record.erased else record

    def live(self, id_: str | int) -> Record | None:
        record = self.find(id_)
        return record if record is not None and record.live else None

    def holder(self, name: str, value: str) -> int | None:
        """Which live record has this unique value."""
        return self._holders.get(name, {}).get(value)

    def named(self, id_: str | int, by: str | None, *, archived: bool = False) -> Record | None:
        """The live (or the archived) record of this id, or of this value of the unique property `by`. Raises Refusal
        where that property is not unique."""
        if by in (None, "", "hs_object_id"):
            record = self.find(id_)
            return record if record is not None and record.live != archived else None
        if by not in self.catalogue.unique:
            raise bad_request(f"Unable to perform read/update/upsert by non-unique {self.kind.type_id} property {by}")
        held = (self._buried if archived else self._holders).get(by, {})
        value = str(id_).strip().lower() if by == "email" else str(id_)
        return self.records[held[value]] if value in held else None

    def claims(self, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The unique values among these; additional addresses count as e-mail addresses."""
        for name in self.catalogue.unique:
            if name == "email":
                for address in addresses(values):
                    yield name, address
            elif values.get(name):
                yield name, values[name]

    def add(self, record: Record) -> None:
        self.records[record.id] = record
        insort(self.live_ids, record.id)
        self._claim(record)
        self.watch(record.shot.modified, record.id, record.shot)

    def change(self, record: Record, shot: Shot, edit: Edit) -> None:
        self._release(record)
        record.shot = shot
        record.edits.append(edit)
        self._claim(record)
        self.watch(shot.modified, record.id, shot)

    def corrupt(self, record: Record, values: Mapping[str, str]) -> None:
        """These are its values, and have been all along, as far as anything tells."""
        self._release(record)
        record.shot = Shot(record.id, values, record.shot.modified, record.shot.archived)
        self._claim(record)

    def archive(self, record: Record, at: int) -> None:
        self._withdraw(record, at)
        record.shot = Shot(record.id, record.values, record.shot.modified, at)
        insort(self.archived_ids, record.id)
        for name, value in self.claims(record.values):
            self._buried.setdefault(name, {})[value] = record.id

    def fold(self, record: Record, survivor: int, at: int) -> None:
        """The record lives on in another one."""
        self._withdraw(record, at)
        record.merged_into = survivor

    def erase(self, record: Record, at: int) -> None:
        """Nothing is left but the id."""
        if record.shot.archived is None:
            self._withdraw(record, at)
        else:
            self.archived_ids.remove(record.id)
            for name, value in self.claims(record.values):
                self._buried[name].pop(value, None)
        record.erased = True
        record.shot = Shot(record.id, {}, at)
        record.edits.clear()

    def _withdraw(self, record: Record, at: int) -> None:
        del self.live_ids[bisect_left(self.live_ids, record.id)]
        self._release(record)
        self.watch(at, record.id, None)

    def _claim(self, record: Record) -> None:
        for name, value in self.claims(record.values):
            self._holders.setdefault(name, {})[value] = record.id

    def _release(self, record: Record) -> None:
        for name, value in self.claims(record.values):
            holders = self._holders.get(name, {})
            if holders.get(value) == record.id:
                del holders[value]
