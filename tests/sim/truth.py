"""What really happened: every act of a person, and what each value came from.

Each edit carries a value used nowhere else, so that at the end each can be asked after: it is the final value, or what
somebody saw when they wrote over it, or it stands in the history, or our write met it before anybody had read it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.base import Value

TOKEN = 5


def token(value: object) -> str | None:
    """The part of a value that is its alone."""
    if not isinstance(value, str) or not value:
        return None
    return value if "@" in value else value[:TOKEN]


def tokens(value: Value) -> set[str]:
    if isinstance(value, list):
        return {each for each in value if each}
    found = token(value)
    return {found} if found else set()


@dataclass(slots=True)
class Truth:
    """`edits`: (person, group) → tokens people wrote; `before`: token → the tokens its writer had seen, directly or
    through others; `full`: token → the values that people left with it."""

    edits: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    before: dict[str, set[str]] = field(default_factory=dict)
    full: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    read: dict[str, float] = field(default_factory=dict)
    """Tokens that we have read and stored → when first."""
    claimed: dict[str, float] = field(default_factory=dict)
    """Idempotency key → when the write that bears it was last claimed."""
    overwritten: set[str] = field(default_factory=set)
    """Tokens that our write met over there and that we had not read: the window of vendors without conditions."""
    claimed_out: set[str] = field(default_factory=set)
    """Keys of writes to records that we knew to be opted out when they were claimed."""
    hidden: dict[tuple[int, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """(system, record) → tokens that our writes met there unread, and that its vendor's history of fields tells."""
    met_nos: set[tuple[int, str]] = field(default_factory=set)
    """Records whose no, unread so far, our own no met: nobody can tell the two apart."""
    vanished: set[str] = field(default_factory=set)
    """Tokens that were over there when a record was deleted or merged away."""
    cleared: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """(person, group) → what people saw when they emptied it."""
    removed_tags: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    said: list[tuple[str, str, int, str, float]] = field(default_factory=list)
    """(person, out or in, system, record, when) of every consent act that can be read."""
    deleted: dict[tuple[int, str], float] = field(default_factory=dict)
    """(system, record) → when a person deleted it; only records that we knew."""
    made: dict[tuple[int, str], float] = field(default_factory=dict)
    """(system, record) → when we made it; what was sent long before it landed is not in here."""
    faults: list[str] = field(default_factory=list)
    """What was seen on the wire that must never be."""
    count: int = 0

    def forget_no(self, number: int, ext: str) -> None:
        """What a record said was forgotten over there before anybody could read it."""
        self.said = [each for each in self.said if (each[1], each[2], each[3]) != ("out", number, ext)]

    def new(self, person: str, group: str, seen: Iterable[str], padding: str = "") -> str:
        """A value nobody ever used, written by somebody who saw these tokens."""
        self.count += 1
        mark = f"v{self.count:04d}"
        value = mark + padding
        self.note(person, group, mark, seen, value)
        return value

    def note(self, person: str, group: str, mark: str, seen: Iterable[str], value: str) -> None:
        ancestors: set[str] = set()
        for each in seen:
            ancestors |= {each} | self.before.get(each, set())
        self.before[mark] = ancestors
        self.full[mark].add(value)
        self.edits[(person, group)].append(mark)

    def forget_since(self, count: int) -> None:
        """The act was refused over there: its values were never anywhere."""
        never = {f"v{number:04d}" for number in range(count + 1, self.count + 1)}
        for place, marks in self.edits.items():
            self.edits[place] = [mark for mark in marks if mark not in never]

    def note_read(self, value: Value, now: float) -> None:
        for mark in tokens(value):
            self.read.setdefault(mark, now)

    def forget_reading_since(self, when: float) -> None:
        """A power cut took what was read and not on the disk."""
        self.read = {mark: at for mark, at in self.read.items() if at <= when}

    def lose(self, number: int, ext: str, values: Iterable[Value]) -> None:
        """What stands in a record that goes away, and that nobody has read, is gone; so is what our writes had hidden
        in it, since the history of a record that is gone tells nothing."""
        for value in [*values, sorted(self.hidden.pop((number, ext), set()))]:
            self.vanished |= self.older(tokens(value) - self.read.keys()) - self.read.keys()

    def older(self, marks: Iterable[str]) -> set[str]:
        """These and everything their writers had seen."""
        found = set(marks)
        for mark in list(found):
            found |= self.before.get(mark, set())
        return found
