"""The hidden door into a vendor's stand-in: how tests, the demo and outside authors move it without its API.

A person at the vendor's screens acts through `edit`, `remove`, `opt_out`; `records` tells what is really there, without
lag, deleted ones included. In process it is the emulator itself; over HTTP it stands at the sandbox line's "control".
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.base import Fields, Ref, State


class Fault(enum.StrEnum):
    """What a vendor's stand-in can be told to do wrong."""

    RATE = "rate"  # the vendor's own "too many requests", nothing done; `value`: seconds of Retry-After
    ERROR = "error"  # a 5xx, nothing done
    ERROR_AFTER = "error-after"  # a 5xx, though it was done
    CUT = "cut"  # the connection ends without an answer, nothing done
    CUT_AFTER = "cut-after"  # the connection ends without an answer, though it was done
    LATE = "late"  # the connection ends without an answer, and `value` seconds later it is done
    SLOW = "slow"  # the answer comes after `value` seconds of real time
    TRUNCATED = "truncated"  # half the body of the right answer
    HTML = "html"  # a page for people instead of JSON, status 200
    REDIRECT = "redirect"  # 302 to another host
    FOREIGN_LINK = "foreign-link"  # the next page, or the instance, is said to be at another host
    EXPIRED = "expired"  # the token is refused, once
    FORBIDDEN = "forbidden"  # the credentials lack a right
    LAG = "lag"  # from now on the lagging feeds show changes `value` seconds late; no request is harmed
    DUPLICATE_PAGE = "duplicate-page"  # a page of a listing is answered a second time where the next one was due


@dataclass(frozen=True, slots=True)
class When:
    """Which requests a fault hits: those whose "METHOD path" contains `path`, after `skip` of them, `times` times."""

    path: str = ""
    skip: int = 0
    times: int = 1
    value: float = 0.0


@dataclass(slots=True)
class Kept:
    """A record as it really is over there. `consent`: channel → "out" or "in", what its address is mailed by."""

    ref: Ref
    fields: Fields
    state: State = State.LIVE
    merged_into: Ref | None = None
    modified: int | None = None
    consent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    status: int
    body: str = ""


class Backdoor(Protocol):
    def put(self, object: str, fields: Fields) -> Ref:
        """A person makes a record."""

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        """Somebody changes fields. `as_`: person | workflow | import | integration (another one than ours)."""

    def remove(self, ref: Ref) -> None:
        """A person deletes it (archives it, where that is what deleting means)."""

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        """A person merges two; answers the survivor's ref."""

    def opt_out(self, address: str, channel: str = "email") -> None:
        """The owner of the address opts out."""

    def confirm(self, address: str, channel: str = "email") -> None:
        """The owner of the address opts in and confirms it."""

    def fault(self, kind: Fault, when: When) -> None:
        """Go wrong from now on, as told."""

    def requests(self) -> list[Seen]:
        """Every request so far, oldest first."""

    def records(self) -> list[Kept]:
        """Everything that is or was there, in a fixed order."""
