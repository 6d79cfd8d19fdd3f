"""Whether a person may be mailed: one table for every disagreement (docs/rules.md F8, F9).

An opt-out from any side counts at once. An opt-in counts only where the side that tells it knew of the opt-out, the
person confirmed it later, and the configuration trusts that system for it. Everything else stays as it was and becomes
a question. Pure.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

from mappings.lead import Canon

OUT = "out"
IN = "in"
CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one record says about one cell, when it is news. `first`: it meets the lead for the first time; else
    `before` is what it said until now. `at`: when the record was changed, 0 where unknown. `trusted`: its system may
    tell opt-ins."""

    record: int
    system: int
    after: Canon
    before: Canon = None
    first: bool = False
    at: int = 0
    trusted: bool = False
    address: str | None = None


@dataclass(slots=True)
class Ruling:
    """`state`: the cell from now on. `by`: the statement that it rests on, None when nothing is new. `rule`: why.
    `doubted`: statements that a person must look at, with the reason. `left_alone`: records that keep what they have
    while the question is open, or because theirs is the newer word."""

    state: Canon
    by: Statement | None = None
    rule: str = ""
    doubted: list[tuple[Statement, str]] = field(default_factory=list)
    left_alone: set[int] = field(default_factory=set)


def confirmed_at(value: Canon) -> int | None:
    """When the person confirmed, in microseconds UTC; None for anything but a confirmed opt-in."""
    if not (isinstance(value, str) and value.startswith(CONFIRMED + " ")):
        return None
    moment = datetime.datetime.fromisoformat(value.split(" ", 1)[1])
    return int(moment.timestamp()) * 1_000_000


def rule(current: Canon, current_at: int, statements: Sequence[Statement]) -> Ruling:
    """Decide one cell. `current_at`: when the current state was said, 0 where unknown."""
    ordered = sorted(statements, key=lambda each: (each.at, each.record))
    outs = [each for each in ordered if each.after == OUT]
    ins = [each for each in ordered if each.after != OUT]
    if outs:
        # A no that is repeated counts from when it was last said: a yes from in between is no newer word.
        news = current != OUT or outs[-1].at > current_at
        ruling = Ruling(OUT, outs[-1] if news else None, "an opt-out counts at once")
        since = max(each.at for each in outs)
        for each in ins:
            _doubt_late_confirmation(each, since, ruling)
        return ruling
    ruling = Ruling(current)
    for each in ins:
        _weigh(each, current_at, ruling)
    return ruling


def _weigh(said: Statement, current_at: int, ruling: Ruling) -> None:
    confirmed = confirmed_at(said.after)
    if ruling.state == OUT:
        if said.first:
            _doubt_late_confirmation(said, current_at, ruling)
        elif said.before != OUT:
            return  # it never knew of the opt-out: nothing it says can undo one
        elif confirmed is None:
            ruling.doubted.append((said, "the opt-out was taken back without a confirmation by the person"))
        elif confirmed <= current_at:
            ruling.doubted.append((said, "the confirmation is older than the opt-out"))
        elif not said.trusted:
            ruling.doubted.append((said, "the system is not trusted to tell opt-ins"))
            ruling.left_alone.add(said.record)
        else:
            ruling.state, ruling.by, ruling.rule = said.after, said, "a newer opt-in, confirmed by the person"
        return
    if said.after is None:
        return  # no information
    if ruling.state is None or (confirmed is not None and (confirmed_at(ruling.state) or 0) < confirmed):
        ruling.state, ruling.by, ruling.rule = said.after, said, "said by one side, denied by none"


def _doubt_late_confirmation(said: Statement, since: int, ruling: Ruling) -> None:
    confirmed = confirmed_at(said.after)
    if confirmed is not None and confirmed > since:
        ruling.doubted.append((said, "it holds a confirmation newer than the opt-out"))
        ruling.left_alone.add(said.record)
