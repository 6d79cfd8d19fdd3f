"""Which records are one person.

Decides by link, then reference, then a strong key (an e-mail address) that names cannot contradict. Nothing fuzzy
merges by itself: what is not clear becomes a question, and the answer does not depend on the order of arrival. Pure.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from anyascii import anyascii

T = TypeVar("T")

CROWD = 50
"""More names than this on one address are several people, without comparing each with each."""

ROLES = frozenset(
    (
        "abuse",
        "accounting",
        "admin",
        "administrasjon",
        "billing",
        "booking",
        "career",
        "contact",
        "e-post",
        "epost",
        "faktura",
        "firmapost",
        "hei",
        "hello",
        "hr",
        "info",
        "invoice",
        "invoices",
        "jobb",
        "jobs",
        "kontakt",
        "kontor",
        "kundeservice",
        "mail",
        "marketing",
        "no-reply",
        "noreply",
        "office",
        "okonomi",
        "post",
        "postmaster",
        "postmottak",
        "press",
        "presse",
        "reception",
        "regnskap",
        "resepsjon",
        "sales",
        "salg",
        "service",
        "support",
        "team",
        "webmaster",
    )
)
"""Local parts that several people read: such an address never links without a name that agrees."""

_NORDIC = str.maketrans({"å": "aa", "ø": "oe", "æ": "ae", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@functools.lru_cache(16_384)
def fold(name: str) -> str:
    """For comparing names: lower case, Latin letters, å as aa."""
    return anyascii(name.casefold().translate(_NORDIC)).lower()


@dataclass(frozen=True, slots=True)
class Name:
    first: str | None = None
    last: str | None = None

    @property
    def blank(self) -> bool:
        return not (self.first or self.last)


def is_role(address: str) -> bool:
    return address.partition("@")[0].partition("+")[0] in ROLES


def compatible(a: Name, b: Name) -> bool:
    """Whether two names may be one person's. What one side does not say contradicts nothing."""
    return _parts_agree(a.last, b.last, initials=False) and _parts_agree(a.first, b.first, initials=True)


def agree(a: Name, b: Name) -> bool:
    """Whether two names positively say the same: both sides say something, and nothing contradicts."""
    said = (bool(a.last) and bool(b.last)) or (bool(a.first) and bool(b.first))
    return said and compatible(a, b)


def _parts_agree(a: str | None, b: str | None, *, initials: bool) -> bool:
    if not a or not b:
        return True
    mine, theirs = _words(a), _words(b)
    if not mine or not theirs:
        return True
    return any(_word_agrees(x, y, initials) for x in mine for y in theirs)


@functools.lru_cache(16_384)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word for word in fold(name).replace("-", " ").replace(".", " ").replace("'", "").split() if word)


def _word_agrees(a: str, b: str, initials: bool) -> bool:
    if a == b:
        return True
    if initials and (len(a) == 1 or len(b) == 1):
        return a[0] == b[0]
    if min(len(a), len(b)) < 4:
        return False
    if initials and (a.startswith(b) or b.startswith(a)):
        return True
    return _one_slip(a, b)


def _one_slip(a: str, b: str) -> bool:
    """One letter more, less, other, or two swapped."""
    if abs(len(a) - len(b)) > 1 or a[0] != b[0]:
        return False
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    if len(a) == len(b):
        return a[i + 1 :] == b[i + 1 :] or (a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :])
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[i + 1 :] == shorter[i:]


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that says an address is its own, or a lead that owns it. `record` 0 for a lead's own; `lead` None while
    the record belongs to nobody; `dead`: deleted over there, so it makes no lead by itself."""

    record: int
    system: int
    lead: int | None
    name: Name
    dead: bool = False
    reference: int | None = None
    """The lead that a reference (a former id, our own key) says it is."""
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Resolved:
    """`link`: record → a lead that exists; `made`: groups of records that become one new lead each; `ask`: record →
    the leads it may be; `shared`: addresses that several different people hold; `same`: leads that share an unshared
    address and agree in name."""

    link: dict[int, int] = field(default_factory=dict)
    made: list[list[int]] = field(default_factory=list)
    ask: dict[int, list[int]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    same: set[tuple[int, int]] = field(default_factory=set)


def resolve(
    new: Sequence[Claim],
    owners: Mapping[str, Sequence[Claim]],
    shared: frozenset[str] = frozenset(),
    apart: frozenset[tuple[int, int]] = frozenset(),
    members: Mapping[int, Sequence[int]] | None = None,
) -> Resolved:
    """Place new records.

    `owners`: address → who claims it already (leads, and records that are linked). `shared`: addresses known to be
    held by several people. `apart`: pairs of records (smaller first) that a person said are not one; `members`:
    lead → its records, for that.
    """
    out = Resolved()
    members = members or {}
    by_key: dict[str, list[Claim]] = defaultdict(list)
    for claim in new:
        for key in claim.keys:
            by_key[key].append(claim)

    def kept_apart(record: int, others: Iterable[int]) -> bool:
        return any((min(record, other), max(record, other)) in apart for other in others)

    def said_to_be_two(a: int, b: int) -> bool:
        return any(kept_apart(record, members.get(b, ())) for record in members.get(a, ()))

    # 1. Each address: is it one person's? Order plays no part: all its claims are looked at together.
    for key in sorted(by_key):
        names = {c.name for c in [*owners.get(key, ()), *by_key[key]] if not c.name.blank}
        if (
            key in shared
            or len(names) > CROWD
            or any(not compatible(a, b) for a, b in _pairs(sorted(names, key=_order)))
        ):
            out.shared.add(key)

    # 2. Which existing leads each new record may be, and which new records belong together.
    parent = {claim.record: claim.record for claim in new}

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    may: dict[int, set[int]] = {claim.record: set() for claim in new}
    unsure: dict[int, set[int]] = {claim.record: set() for claim in new}
    for claim in new:
        if claim.reference is not None:
            may[claim.record].add(claim.reference)
    by_record = {claim.record: claim for claim in new}
    for key in sorted(by_key):
        strict = key in out.shared or is_role(key)
        fits = agree if strict else compatible
        claims = by_key[key]
        for claim in claims:
            leads = sorted({c.lead for c in owners.get(key, ()) if c.lead is not None and fits(claim.name, c.name)})
            leads = [each for each in leads if not kept_apart(claim.record, members.get(each, ()))]
            if len(leads) == 1:
                may[claim.record].add(leads[0])
            elif leads:
                unsure[claim.record].update(leads)
            elif strict and claim.name.blank and (owners.get(key) or len(claims) > 1):
                unsure[claim.record].update(c.lead for c in owners.get(key, ()) if c.lead is not None)
                unsure[claim.record].add(0)
        for a, b in _pairs(claims) if len(claims) <= CROWD else _namesakes(claims):
            if fits(a.name, b.name) and not kept_apart(a.record, (b.record,)):
                parent[root(a.record)] = root(b.record)

    # 3. Clusters: one lead in sight → link; none → a new lead; several → a person must say.
    clusters: dict[int, list[int]] = defaultdict(list)
    wanted: dict[int, list[list[int]]] = defaultdict(list)
    for record in sorted(parent):
        clusters[root(record)].append(record)
    for cluster in sorted(clusters.values()):
        referred = {by_record[record].reference for record in cluster} - {None}
        leads = sorted({each for record in cluster for each in may[record]})
        doubts = {each for record in cluster for each in unsure[record]}
        torn = any(kept_apart(a, (b,)) for a, b in _pairs(cluster)) or not _all_compatible(cluster, by_record)
        if len(referred) == 1 and not torn:
            lead = next(each for each in referred if each is not None)
            out.link.update(dict.fromkeys(cluster, lead))
            beside = ((min(lead, other), max(lead, other)) for other in leads if other != lead)
            out.same.update(pair for pair in beside if not said_to_be_two(*pair))
        elif len(leads) == 1 and not torn and not doubts - set(leads):
            wanted[leads[0]].append(cluster)
        elif not leads and not doubts and not torn:
            if any(not by_record[record].dead for record in cluster):
                out.made.append(cluster)
        elif torn and not leads and not doubts:
            out.made.extend([record] for record in cluster if not by_record[record].dead)
        else:
            for record in cluster:
                out.ask[record] = sorted({*leads, *doubts} - {0})
            out.same.update(pair for pair in _pairs(leads) if not said_to_be_two(*pair))

    # 4. A lead that was reached by several ways, or through a nameless record, is still one person.
    called: dict[int, list[Name]] = defaultdict(list)
    for claim in itertools.chain.from_iterable(owners.values()):
        if claim.lead in wanted:
            called[claim.lead].append(claim.name)
    for lead, some in sorted(wanted.items()):
        for cluster in some:
            others = [record for other in some if other is not cluster for record in other]
            theirs = [*called[lead], *(by_record[other].name for other in others)]
            torn = any(kept_apart(record, (*others, *members.get(lead, ()))) for record in cluster)
            if not torn and all(compatible(by_record[a].name, b) for a in cluster for b in theirs):
                out.link.update(dict.fromkeys(cluster, lead))
            else:
                out.ask.update((record, [lead]) for record in cluster)
    return out


def _all_compatible(cluster: Sequence[int], by_record: Mapping[int, Claim]) -> bool:
    """A nameless record must not join two people who are not one."""
    return all(compatible(by_record[a].name, by_record[b].name) for a, b in _pairs(cluster))


def _namesakes(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Neighbours of one spelling: enough to join a crowd without comparing each with each."""
    by_name: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        name = (fold(claim.name.first or ""), fold(claim.name.last or ""))
        if name in by_name:
            yield by_name[name], claim
        by_name[name] = claim


def _order(name: Name) -> tuple[str, str]:
    return name.first or "", name.last or ""


def _pairs(items: Sequence[T]) -> Iterator[tuple[T, T]]:
    return itertools.combinations(items, 2)
