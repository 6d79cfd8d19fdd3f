"""Short ways to write down what the pure core decides about: mappings, systems, records, sides, leads, operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import Capabilities, FeedKind, Fields, Record, Ref, State, Value, WriteKind, Writer
from mappings.lead import LeadShape
from mappings.mapping import LeadMapping, ObjectMapping, compile_mapping
from sync.merge import side
from sync.model import Known, Lead, Side, System

SHAPE = LeadShape({"a": "text", "k": "text", "size": "choice", "age": "integer"})

FIELDS: Mapping[str, Any] = {
    "email": {"remote": "email", "slot": True},
    "first_name": "first",
    "last_name": "last",
    "title": "title",
    "phone": "phone",
    "a": "a",
    "k": "k",
    "street": "street",
    "city": "city",
    "tags": {"remote": "tags", "as": "list"},
    "stage": "stage",
    "deliverability": "status",
    "consent.email": {"remote": ["consent", "confirmed_at"], "as": "consent_and_time"},
}
"""Lead field → what a mapping file says about it, for the systems of these tests."""

LONG = "Head of Sales and Marketing"


def mapping_of(changes: Mapping[str, Any] | None = None, *others: str, only: tuple[str, ...] = ()) -> LeadMapping:
    """`FIELDS` with some lines changed (None takes one out), for the object "person" and any others in their order."""
    fields = {name: said for name, said in {**FIELDS, **(changes or {})}.items() if said is not None}
    if only:
        fields = {name: fields[name] for name in only}
    objects = {name: {"fields": fields} for name in ("person", *others)}
    return compile_mapping({"connector": "memory", "objects": objects}, SHAPE)


def person_mapping(changes: Mapping[str, Any] | None = None, *, only: tuple[str, ...] = ()) -> ObjectMapping:
    return mapping_of(changes, only=only).objects["person"]


def can(**changes: Any) -> Capabilities:
    """What a vendor can do; every write, one object, unless told."""
    every: dict[str, Any] = {
        "feeds": (("person", FeedKind.DELTA),),
        "creates": ("person",),
        "batch": dict.fromkeys(WriteKind, 100),
    }
    return Capabilities(**{**every, **changes})


def system(
    number: int, mapping: LeadMapping | None = None, capabilities: Capabilities | None = None, **more: Any
) -> System:
    """System `number`, called "s<number>", whose rank is its number."""
    return System(number, f"s{number}", number, mapping or mapping_of(), capabilities or can(), **more)


def known(number: int, of: System | int = 1, now: Fields | None = None, **more: Any) -> Known:
    """Record `number`, all of it absorbed unless `fresh` says otherwise."""
    of_number = of if isinstance(of, int) else of.id
    return Known(number, of_number, more.pop("object", "person"), f"x{number}", **{"fresh": None, "lead": 1, **more, "now": now or {}})  # fmt: skip


def seen(number: int, now: Fields | None = None, *, of: System | None = None, held: tuple[str, ...] = (), **more: Any) -> Side:  # fmt: skip
    """The side of record `number` in system `of` (by default the system of the same number)."""
    there = of or system(number)
    return side(known(number, there, now, **more), there, frozenset(held))


def lead(value: Mapping[str, Any] | None = None, **more: Any) -> Lead:
    """Lead 1 with these values of its groups."""
    return Lead(1, **{"rev": 1, "value": dict(value or {}), **more})


def reading(fields: Fields | None = None, *, seq: int = 10, ext: str = "x1", **more: Any) -> Record:
    """What a request showed of a record. `seq`: the number of that request."""
    return Record(Ref("person", ext), dict(fields or {}), asked_seq=seq, **more)


def flight(fields: Fields, *, wanted: Mapping[str, str] | None = None, run: int = 7) -> dict[str, Any]:
    """The body of an operation that is being sent."""
    return {"fields": fields, "wanted": dict(wanted or {}), "run": run}


def origin(record: int, hi: int, *, lo: int = 0, writer: Writer = Writer.UNKNOWN) -> list[Any]:
    """Where a group's value came from, and when."""
    return [record, lo, hi, "newest", 1, True, int(writer)]


__all__ = [
    "FIELDS",
    "LONG",
    "SHAPE",
    "State",
    "Value",
    "can",
    "flight",
    "known",
    "lead",
    "mapping_of",
    "origin",
    "person_mapping",
    "reading",
    "seen",
    "system",
]
