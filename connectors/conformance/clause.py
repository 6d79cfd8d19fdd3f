"""What a clause is: one sentence of the contract, what it needs, and the run that proves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from connectors.backdoor import Fault
from connectors.base import Capabilities, FeedKind, WriteKind
from connectors.conformance.rig import Rig

Need: TypeAlias = "Callable[[Capabilities, Rig], str | None]"
"""Why a clause cannot be asked of this connector; None when it can."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule. `run` raises AssertionError when the connector breaks it."""

    name: str
    says: str
    asks: tuple[Need, ...]
    proof: Callable[[Rig], None]

    def needs(self, capabilities: Capabilities, rig: Rig) -> str | None:
        """Why it is skipped, or None."""
        return next((why for ask in self.asks if (why := ask(capabilities, rig))), None)

    def run(self, rig: Rig) -> None:
        try:
            self.proof(rig)
        finally:
            rig.close()

    def __str__(self) -> str:
        return self.name


def clause(name: str, *asks: Need) -> Callable[[Callable[[Rig], None]], Clause]:
    """Make a clause of a function whose docstring is the rule."""

    def make(proof: Callable[[Rig], None]) -> Clause:
        return Clause(name, " ".join((proof.__doc__ or "").split()), asks, proof)

    return make


def feed(kind: FeedKind) -> Need:
    return lambda can, rig: None if (rig.names.object, kind) in can.feeds else f"there is no {kind} feed"


def writes(kind: WriteKind, at_once: int = 1) -> Need:
    def need(can: Capabilities, rig: Rig) -> str | None:
        if can.batch.get(kind, 0) == 0:
            return f"it cannot {kind}"
        if kind is WriteKind.CREATE and rig.names.object not in can.creates:
            return f"nobody is created as {rig.names.object}"
        return None if can.batch[kind] >= at_once else f"it takes {can.batch[kind]} {kind} a request"

    return need


def fault(kind: Fault) -> Need:
    return lambda can, rig: None if kind in rig.faults else f"the stand-in cannot go wrong by {kind.value!r}"


def name(which: str, what: str) -> Need:
    return lambda can, rig: None if getattr(rig.names, which) is not None else f"the account has no {what}"


def ability(has: Callable[[Capabilities], object], otherwise: str) -> Need:
    return lambda can, rig: None if has(can) else otherwise


def stillness(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.stands_still else "the vendor's clock cannot be held"


def merging(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.merges else "records cannot be merged over there"


def own_key(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.connect().own_key(rig.names.object) else "there is no key field of ours"


def found_by_address(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.names.email in can.finds else "an address cannot be looked up without a search index"


def lookup(can: Capabilities, rig: Rig) -> str | None:
    """Something by which an unanswered create can be found."""
    return found_by_address(can, rig) and own_key(can, rig) and "nothing can be looked up without a search index"


def wrong_credentials(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.wrong else "there are no credentials"


def told_wait(can: Capabilities, rig: Rig) -> str | None:
    return None if rig.tells_wait else "the vendor does not say how long to wait"
