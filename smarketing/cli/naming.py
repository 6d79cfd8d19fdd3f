"""What people name on the command line: a system, a record, a lead. An unknown name is answered with the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.systems import known as known_systems

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.model import Known, System
    from sync.store.db import Tx


LARGEST = 2**63 - 1


def possible(number: int | None) -> int | None:
    """A number that a database can hold: the callback of a parameter that is one. Raises BadParameter."""
    if number is not None and not -LARGEST <= number <= LARGEST:
        raise typer.BadParameter("there is no such number; take one that was shown")
    return number


def system_named(installation: Installation, name: str) -> System:
    """Raises Failure."""
    known_systems([name], installation.loaded.settings)
    return installation.engine.system(name)


def record_named(tx: Tx, system: System, said: str) -> tuple[str, str, Known | None]:
    """(object, id, what is known of it) of a record, named as OBJECT:ID or by its id alone. Raises Failure."""
    from config.near import nearest_or_all
    from sync.store import records

    objects = list(system.mapping.objects)
    object_, colon, ext = said.partition(":")
    if colon and object_ in objects:
        return object_, ext, records.by_ext(tx, system.id, object_, {ext}).get(ext)
    for each in objects:
        known = records.by_ext(tx, system.id, each, {said}).get(said)
        if known is not None:
            return each, said, known
    if colon:
        raise Failure(
            "SM127", f'{system.name}: there is no object "{object_}"{nearest_or_all(object_, objects)}', USAGE
        )
    return objects[0], said, None


def lead_named(installation: Installation, tx: Tx, words: Sequence[str]) -> int:
    """The lead that is meant by its number, or by SYSTEM ID of one of its records. Raises Failure."""
    from sync.store import leads

    if len(words) == 1 and words[0].isdecimal():
        real = leads.real(tx, int(words[0])) if int(words[0]) <= LARGEST else None
        if real is None:
            raise Failure("SM237", f'there is no lead {words[0]}; find it with "smarketing leads search TEXT"', USAGE)
        return real
    if len(words) != 2:
        raise Failure("SM237", f'"{" ".join(words)}" names no lead; write its number, or SYSTEM ID of a record', USAGE)
    system = system_named(installation, words[0])
    _, _, known = record_named(tx, system, words[1])
    if known is None or known.lead is None:
        text = f'{system.name} {words[1]} belongs to no lead; see "smarketing why {system.name} {words[1]}"'
        raise Failure("SM237", text, USAGE)
    return known.lead
