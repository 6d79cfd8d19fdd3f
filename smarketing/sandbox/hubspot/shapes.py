"""How a record is shown: the properties that were asked for, their history, the companies it belongs to.

Requested and empty is null, requested and unknown is left out (HubSpot docs: contacts guide). The spec of v3 knows no
null there; the dated one does, and the live API has always sent it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smarketing.sandbox.hubspot.records import COMPANIES, CONTACTS, Edit, Kind, Record, Shot, Table
from smarketing.sandbox.hubspot.times import stamp


def columns(table: Table, asked: Sequence[str] | None) -> list[str]:
    """The properties of an answer, in the order in which they stand there."""
    if asked is None:
        return list(table.kind.shown)
    return sorted({*table.kind.always, *(name for name in asked if name in table.catalogue)})


def show(kind: Kind, shot: Shot, names: Sequence[str]) -> dict[str, Any]:
    values = shot.values
    content: dict[str, Any] = {
        "id": str(shot.id),
        "properties": {name: values.get(name) for name in names},
        "createdAt": values["createdate"],
        "updatedAt": values[kind.modified],
        "archived": shot.archived is not None,
    }
    if shot.archived is not None:
        content["archivedAt"] = stamp(shot.archived)
    return content


def show_written(kind: Kind, shot: Shot, written: Mapping[str, object] | None) -> dict[str, Any]:
    """The answer to a write: all that a new record has, and of a changed one what was written; cleared is ""."""
    if written is None:
        return show(kind, shot, sorted(shot.values))
    content = show(kind, shot, sorted({*kind.always, *written}))
    content["properties"] = {name: value or "" for name, value in content["properties"].items()}
    return content


def show_history(record: Record, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    return {name: [_version(value, edit) for value, edit in record.history(name)] for name in names}


def _version(value: str, edit: Edit) -> dict[str, Any]:
    content: dict[str, Any] = {
        "value": value,
        "timestamp": stamp(edit.at),
        "sourceType": edit.source.type,
        "sourceId": edit.source.id,
        "sourceLabel": edit.source.label,
    }
    return content if edit.source.user is None else {**content, "updatedByUserId": edit.source.user}


def show_associated(kind: Kind, linked: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """Of a listing: the ids of the other kind, once for each type of association."""
    rows = [{"id": str(number), "type": each} for number, types in linked.items() for each in types]
    other = COMPANIES if kind is CONTACTS else CONTACTS
    return {other.name: {"results": rows}} if rows else {}
