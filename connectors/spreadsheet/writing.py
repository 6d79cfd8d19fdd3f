"""Which cells a batch of writes changes, and the answer to each.

Nothing is decided by what the file may say later: one batch is prepared against one version. A value that no cell, or
not this file, can hold refuses its own row and names the column; the other rows go on. The first write also gives every
row that has none its id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from connectors.base import Answer, Exists, Gone, Record, Refused, Stale, State, Write, WriteKind
from connectors.spreadsheet.cells import Damage, Unfit, to_text
from connectors.spreadsheet.form import Edits, Form
from connectors.spreadsheet.table import Table


@dataclass(slots=True)
class Batch:
    """What is to be done. An answer is final, or the name of the record that will be `Done`."""

    edits: Edits = field(default_factory=Edits)
    answers: list[Answer | str] = field(default_factory=list)


def prepare(table: Table, writes: Sequence[Write], is_known: Callable[[str | None], bool]) -> Batch:
    """Turn writes into edits. `is_known`: whether a version that a write was decided on still holds."""
    names = {name for write in writes if (name := _name(table, write)) is not None}
    current = table.select(names)
    batch = Batch()
    made: set[str] = set()
    for write in writes:
        try:
            if write.kind is WriteKind.CREATE:
                batch.answers.append(_create(table, write, current, made, batch.edits))
            elif write.kind is WriteKind.UPDATE:
                batch.answers.append(_update(table, write, current, made, batch.edits, is_known))
            else:
                batch.answers.append(Refused((), "kind", f"a sheet takes no {write.kind}: no row is ever removed"))
        except _Unwritable as error:
            batch.answers.append(Refused((error.column,), error.code, str(error)))
    if batch.edits:
        stamp(table, batch.edits)
    return batch


def stamp(table: Table, edits: Edits) -> None:
    """Give every row that has none its id, and the sheet our id column."""
    if table.reading.key_column is not None:
        return
    column = table.width if table.key is None else table.key
    if table.key is None:
        edits.inserted = column
        edits.set(table.heading.number, column, table.reading.id_column)
    for number, name in table.unnamed:
        edits.set(number, column, name)


def is_otherwise_unchanged(old: Form, new: Form, edits: Edits) -> bool:
    """Whether the new reading holds all that the old one did, apart from the edits."""
    for before, after in zip_longest(old.lines(), new.lines()):
        if before is None:
            break  # what was appended is looked up by its name
        changed = edits.cells.get(before.number, {})
        width = max(len(before.cells), len(after.cells) if after is not None else 0)
        for column in range(width):
            if (there := edits.now_at(column)) not in changed:
                was, now = before.at(column), after.at(there) if after is not None else None
                # A formula's value is gone until a spreadsheet program opens the file; the formula is not.
                if was != now and now is not Damage.UNCALCULATED:
                    return False
    return True


class _Unwritable(Exception):
    def __init__(self, column: str, code: str, text: str) -> None:
        super().__init__(text)
        self.column = column
        self.code = code


def _name(table: Table, write: Write) -> str | None:
    """The name of the record that this write is about; None where a create brings no key."""
    if write.ref is not None:
        return write.ref.id
    key_column = table.reading.key_column
    value = write.fields.get(key_column or table.reading.id_column)
    try:
        text = to_text(write.key if value is None and key_column is None else value)
    except Unfit:
        return None
    return table.name_of(text) if text is not None else None


def _create(table: Table, write: Write, current: dict[str, Record], made: set[str], edits: Edits) -> Answer | str:
    name, column = _name(table, write), table.reading.key_column or table.reading.id_column
    if name is None:
        return Refused((column,), "key", "a new row needs a proper value in the key column")
    if name in current:
        return Exists(current[name])
    if name in table.barred or name in made:
        return Refused((column,), "duplicate", "several rows have this key; give each its own")
    cells = dict.fromkeys(range(table.width), "")
    for field_, column_, text in _texts(table, write):
        if text is not None:
            cells[column_] = text
        elif field_ == table.reading.key_column:
            raise _Unwritable(field_, "key", "a new row needs a value in the key column")
    if table.reading.key_column is None:
        cells[table.width if table.key is None else table.key] = _fitting(table, column, name)
    edits.appended.append(cells)
    made.add(name)
    return name


def _update(
    table: Table,
    write: Write,
    current: dict[str, Record],
    made: set[str],
    edits: Edits,
    is_known: Callable[[str | None], bool],
) -> Answer | str:
    name = write.ref.id if write.ref is not None else ""
    if name in table.barred:
        return Gone(State.OUT_OF_SCOPE)  # several rows have its key now: it rests until a person has told them apart
    record = current.get(name)
    if record is None:
        return Gone()
    if not is_known(write.if_version):
        return Stale(record)
    becomes = name
    cells: list[tuple[int, int, str | None]] = []
    for field_, column, text in _texts(table, write):
        if text is not None and record.fields.get(field_) == text:
            continue
        if field_ == table.reading.key_column:
            becomes = _rekeyed(table, name, text, made)
        for number in table.places[name]:
            if (what := table.form.closed(number, column)) is not None:
                raise _Unwritable(field_, "formula", f"the cell holds {what}; keep that column out of the mapping")
            cells.append((number, column, text))
    for number, column, text in cells:
        edits.set(number, column, text)
    if becomes != name:
        made.add(becomes)
    return becomes


def _rekeyed(table: Table, name: str, text: str | None, made: set[str]) -> str:
    key_column = table.reading.key_column or ""
    if text is None:
        raise _Unwritable(key_column, "key", "the key column cannot be emptied: the row would be nobody's")
    becomes = table.name_of(text)
    if becomes != name and (becomes in table.places or becomes in table.barred or becomes in made):
        raise _Unwritable(key_column, "duplicate", "another row has this key")
    return becomes


def _texts(table: Table, write: Write) -> list[tuple[str, int, str | None]]:
    """(name, column, text) of each field. Raises _Unwritable."""
    found: list[tuple[str, int, str | None]] = []
    for name, value in write.fields.items():
        if name == table.reading.id_column and table.reading.key_column is None:
            continue  # it names the row and is never changed
        column = table.columns.get(name)
        if column is None:
            raise _Unwritable(
                name, "column", f'the sheet has no column "{name}"; add it, or take it out of the mapping'
            )
        try:
            text = to_text(value)
        except Unfit as error:
            raise _Unwritable(name, error.code, str(error)) from None
        found.append((name, column, None if text is None else _fitting(table, name, text)))
    return found


def _fitting(table: Table, name: str, text: str) -> str:
    if not table.form.fits(text):
        raise _Unwritable(
            name,
            "encoding",
            "the file's encoding lacks one of these characters; save the file as UTF-8 with a byte order mark",
        )
    return text
