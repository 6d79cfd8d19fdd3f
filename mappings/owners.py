"""Who has taken over from whom: people who left are read as those who do their work now, and never written.

Somebody may have left twice over: whoever follows the successor follows them too.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings.forms import Unreadable, email


class OwnersError(ValueError):
    """A list of successors that leads nowhere. `address`: whose line is wrong; the text: what would be right."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(text)
        self.address = address


def followed(said: Mapping[str, str]) -> dict[str, str]:
    """Each former owner's last successor, both in normal form. Raises OwnersError."""
    written: dict[str, str] = {}
    next_: dict[str, str] = {}
    for old, new in said.items():
        try:
            left, heir = email(old), email(new)
        except Unreadable:
            raise OwnersError(old, "write two e-mail addresses, the old one and the new one") from None
        assert left is not None
        assert heir is not None
        if left in next_:
            raise OwnersError(old, f'"{written[left]}" is the same address; take one of the two out')
        written[left], next_[left] = old, heir
    return {left: _last(left, next_, written) for left in next_}


def _last(left: str, next_: Mapping[str, str], written: Mapping[str, str]) -> str:
    seen = {left}
    here = next_[left]
    while here in next_ and here not in seen:
        seen.add(here)
        here = next_[here]
    if here in seen:
        raise OwnersError(written[left], "it leads back to somebody who left; name whoever does the work now")
    return here
