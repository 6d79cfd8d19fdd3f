"""What can go wrong with a vendor, named by what the engine does about it.
    ConnectorError
    ├── Retry      not now: the system backs off and comes again; nothing of this call took effect
    ├── Skip       this one record cannot be handled: it waits in the review queue, the rest goes on
    ├── Stop       this system stops until a person acts; the others go on (`CursorLost`: the feed begins anew)
    └── InDoubt    a write left and its answer is unknown; a connector turns it into the answer `Unknown`

A bad *record* is an answer (`Refused`), no exception. No text holds a secret or a person's data.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Something went wrong between us and a vendor."""

    code = "SM300"

    def __init__(self, text: str, *, code: str | None = None) -> None:
        super().__init__(text)
        self.code = code or type(self).code


class Retry(ConnectorError):
    """The vendor cannot take this now. `after` is how many seconds it asked us to wait, when it said so."""

    code = "SM301"

    def __init__(self, text: str, *, after: float | None = None, code: str | None = None) -> None:
        super().__init__(text, code=code)
        self.after = after


class Skip(ConnectorError):
    """One record cannot be handled."""

    code = "SM302"


class Stop(ConnectorError):
    """This system needs a person: credentials, a missing right, an address that is not the vendor's."""

    code = "SM303"


class CursorLost(Stop):
    """The saved cursor of a feed cannot be read, or the vendor takes it no more. It comes in place of the first page,
    and never where the feed is read from its beginning."""

    code = "SM309"


class InDoubt(ConnectorError):
    """A write was sent and nobody knows whether it took effect."""

    code = "SM304"
