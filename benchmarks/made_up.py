"""Systems that hold nothing: record n is computed from n, and of what is written only a digest is kept.

Their memory does not grow with the number of people, so that what grows is ours. Three of them share their people as
real ones do: everybody is in the first, six in ten in the second, four in ten in the third, and they do not agree on
everything.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.base import (
    Answer,
    Capabilities,
    Connector,
    ConnectorSettings,
    Done,
    Feed,
    FeedKind,
    Finding,
    Page,
    Record,
    Ref,
    Schema,
    Write,
    WriteKind,
)
from mappings.lead import LeadShape
from mappings.mapping import LeadMapping, compile_mapping
from tests.worlds import START

PAGE, BATCH = 500, 200
OBJECT = "person"
REFUSED = 7
"""Of fifty people, the one who has refused e-mail: nobody is made of them where there is no way to say so."""
STAGES = ("lead", "mql", "customer")
NAMES = ("Åse", "Ola", "Kari", "Nils", "Ingrid")
_encode = msgspec.json.Encoder(order="deterministic").encode


def person(n: int) -> dict[str, Any]:
    """Who n is."""
    return {
        "email": f"person.{n}@example.com",
        "first": NAMES[n % len(NAMES)],
        "last": f"Hansen{n % 997}",
        "phone": f"+47{90_000_000 + n % 9_999_999}",
        "company": f"Firma {n % 5000} AS",
        "title": "Daglig leder",
        "street": f"Storgata {n % 200}",
        "postcode": "0155",
        "city": "Oslo",
        "country": "NO",
        "stage": STAGES[n % 3],
        "owner": f"seller{n % 20}@example.com",
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the three. `names`: lead field → what it is called there. `has`: whether n is there; `edits`: what n is
    called there and not elsewhere."""

    names: Mapping[str, Any]
    has: Callable[[int], bool]
    edits: Callable[[int, dict[str, Any]], None]

    def mapping(self) -> LeadMapping:
        objects = {OBJECT: {"fields": self.names}}
        return compile_mapping({"connector": "made up", "objects": objects}, LeadShape())


def _first(n: int, told: dict[str, Any]) -> None:
    told["country"] = "Norway"
    told["consent"] = "out" if n % 50 == REFUSED else "in" if n % 3 == 0 else None


def _second(n: int, told: dict[str, Any]) -> None:
    told["phone"] = told["phone"][3:]
    if n % 7 == 0:
        told["title"] = "CEO"


def _third(n: int, told: dict[str, Any]) -> None:
    told["email"] = told["email"].upper()
    if n % 5 == 0:
        told["street"] = told["postcode"] = told["city"] = None


_PLAIN = {
    "first_name": "first",
    "last_name": "last",
    "email": {"remote": "email", "slot": True},
    "phone": "phone",
    "company": "company",
    "title": "title",
    "street": "street",
    "postcode": "postcode",
    "city": "city",
    "country": "country",
    "stage": "stage",
    "owner": "owner",
}
KINDS: Mapping[str, Kind] = {
    "first": Kind(
        {**_PLAIN, "country": {"remote": "country", "as": "country_name"}, "consent.email": "consent"},
        lambda n: True,
        _first,
    ),
    "second": Kind(
        {**_PLAIN, "title": {"remote": "title", "length": 40}},
        lambda n: n % 10 < 6,
        _second,
    ),
    "third": Kind(_PLAIN, lambda n: 4 <= n % 10 < 8, _third),
}


class MadeUp(Connector):
    """`edit` changes the title of one in a hundred, as a person would; the next reading tells them alone."""

    Settings = ConnectorSettings

    def __init__(self, kind: str, people: int) -> None:
        self.capabilities = Capabilities(
            feeds=((OBJECT, FeedKind.DELTA),),
            creates=(OBJECT,),
            batch=dict.fromkeys(WriteKind, BATCH),
            returns_fields=True,
            consent_on="record",
        )
        self.counted: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self._digest = hashlib.sha256()
        self._kind, self._people, self._edits, self._made = KINDS[kind], people, 0, 0

    def edit(self) -> None:
        self._edits += 1

    def digest(self) -> str:
        """Of everything that was written so far."""
        return self._digest.hexdigest()

    def changes(self, feed: Feed) -> Iterator[Page]:
        """The cursor: where the pass stands, and which edits were told."""
        at, told = (int(each) for each in (feed.cursor or "0/-1").split("/"))
        while True:
            self.counted["read"] += 1
            rows: list[Record] = []
            while told < self._edits and len(rows) < PAGE:
                if at >= self._people:
                    at, told = 0, told + 1
                    continue
                if (told < 0 or at % 100 == 0) and self._kind.has(at):
                    rows.append(self._record(at, told + 1))
                at += 1
            last = told >= self._edits
            yield Page(rows, f"{at}/{told}", last)
            if last:
                return

    def _record(self, n: int, edits: int) -> Record:
        fields = person(n)
        self._kind.edits(n, fields)
        if edits:
            fields["title"] = f"Sjef {edits}"
        return Record(Ref(OBJECT, f"n{n}"), fields, modified=START + edits * 60_000_000 + n)

    def ids(self, feed: Feed) -> Iterator[Page]:
        yield Page([], "", True)

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        self.counted["fetch"] += 1
        for ref in refs:
            yield self._record(int(ref.id[1:]), self._edits)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        return iter(())

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        self.counted["write"] += 1
        answers: list[Answer] = []
        for each in writes:
            self.written[each.kind] += 1
            self._digest.update(_encode(each.fields))
            if each.ref is None:
                self._made += 1
            answers.append(Done(each.ref.id if each.ref else f"m{self._made}", fields=dict(each.fields)))
        return answers

    def schema(self, object: str) -> Schema:
        return Schema(object, ())

    def check(self) -> Iterator[Finding]:
        return iter(())

    def requests(self) -> Mapping[str, int]:
        return dict(self.counted)
