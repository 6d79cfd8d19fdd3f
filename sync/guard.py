"""How much is too much: limits before anything is merged, and before anything is sent.

Both count over a rolling day, since nine per cent every five minutes is a massacre too. A refusal names the figure, the
limit, the counts and the way out. The first plan for a system fits no limit: a person approves it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `share` of a system's records, but always `floor` of them."""

    floor: int
    share: float

    def of(self, size: int) -> int:
        return max(self.floor, int(size * self.share))


@dataclass(frozen=True, slots=True)
class Limits:
    """`inbound`: values of one field that others change or empty. `shrink`: records that vanish. `update`, `create`,
    `archive`: our writes. `withdraw`: opt-outs told by one system."""

    inbound: Limit = field(default_factory=lambda: Limit(20, 0.05))
    shrink: Limit = field(default_factory=lambda: Limit(20, 0.05))
    update: Limit = field(default_factory=lambda: Limit(50, 0.20))
    create: Limit = field(default_factory=lambda: Limit(100, 0.20))
    archive: Limit = field(default_factory=lambda: Limit(10, 0.05))
    withdraw: Limit = field(default_factory=lambda: Limit(50, 0.02))

    def outbound(self, kind: str) -> Limit:
        return {"update": self.update, "create": self.create, "archive": self.archive}[kind]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`what` would happen to `count` of a system's `size` records; `limit` are allowed in a day."""

    system: str
    what: str
    count: int
    size: int
    limit: int

    def __str__(self) -> str:
        return _told(self, f"{self.system} records would be {self.what}")


@dataclass(frozen=True, slots=True)
class Distrust:
    """What others did over there to more records than `limit` in a day, so that it is not taken in before a person has
    looked: to one `group`, or, with "*", to whole records."""

    system: str
    group: str
    what: str
    count: int
    size: int
    limit: int

    def __str__(self) -> str:
        met = "records" if self.group == "*" else f"values of {self.group}"
        return _told(self, f"{self.system} {met} {DONE_THERE[self.what]}")


def _told(each: Refusal | Distrust, happens: str) -> str:
    share = f"{each.count / each.size:.0%}, " if each.size else ""
    return f"{each.count:,} of {each.size:,} {happens} in a day ({share}limit {each.limit:,})"


DONE_THERE = {"changed": "were changed", "cleared": "were cleared", "vanished": "vanished"}
PAST = {"update": "updated", "create": "created", "archive": "archived"}


def outbound(system: str, kind: str, done: int, wanted: int, size: int, limits: Limits) -> Refusal | None:
    """Whether `wanted` more operations of a kind fit into the day in which `done` were approved already."""
    allowed = limits.outbound(kind).of(size)
    if wanted == 0 or done + wanted <= allowed:
        return None
    return Refusal(system, PAST[kind], done + wanted, size, allowed)
