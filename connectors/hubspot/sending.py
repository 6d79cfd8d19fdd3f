"""The rows of one call of `write` on their way, and what may be told when a request among several fails.

A batch that was refused for one of its rows is halved until the culprit stands alone. Nothing is raised any more once
something took effect; after a failure nothing more is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.base import Answer, Done, Fields, Unknown, Unsent, Write, bisect
from connectors.errors import InDoubt, Retry, Stop
from connectors.hubspot.consent import IN, OUT
from connectors.hubspot.native import CONSENT, is_consent, subscription
from connectors.hubspot.wire import Heard

HORIZON = 600.0
"""HubSpot's own request limit is not published: on the safe side."""


@dataclass(slots=True, eq=False)
class Row:
    """A write on its way. `answer`: what settled it. `taken`, `lost`: what is still to be looked up for its answer.
    `back`: its stage goes back. `begun`: something of the record is written, so it can no longer be called unsent."""

    write: Write
    id: str
    properties: dict[str, str] = field(default_factory=dict)
    address: str | None = None
    back: bool = False
    begun: bool = False
    modified: int | None = None
    came_back: dict[str, Any] = field(default_factory=dict)
    consent: Fields = field(default_factory=dict)
    answer: Answer | None = None
    taken: str | None = None
    lost: bool = False

    @property
    def consents(self) -> tuple[str, ...]:
        """The consent fields to be written."""
        return tuple(name for name, value in self.write.fields.items() if is_consent(name) and value is not None)

    def wants(self, name: str) -> str | None:
        """`out`, `in` or nothing, for a consent field."""
        value = self.write.fields.get(name)
        return None if value is None else OUT if value == OUT else IN

    def types(self, word: str) -> dict[int, str]:
        """Single subscriptions to be set to this: id → native name. Who refuses everything agrees to nothing."""
        if word == IN and self.wants(CONSENT) == OUT:
            return {}
        named = ((subscription(name), name) for name in self.consents if self.wants(name) == word)
        return {number: name for number, name in named if number is not None}

    @property
    def unseen(self) -> bool:
        """Whether a written property is not known yet as it came back."""
        return any(name in self.properties and name not in self.came_back for name in self.write.fields)


Send: TypeAlias = "Callable[[Sequence[Row]], list[Answer] | None]"
"""One request for these rows: `Done` lets a row go on, None says that the batch was refused as a whole."""


class Sending:
    """`error`: what the vendor said of the last batch that it refused."""

    def __init__(self) -> None:
        self.error: Mapping[str, Any] = {}
        self._effect = False
        self._halted: Unsent | None = None

    def step(self, rows: Sequence[Row], send: Send, blame: Callable[[Row], Answer]) -> None:
        """Send these rows, halved while one of them spoils the batch; those that it settles get their answer."""
        if not rows:
            return
        by_key = {row.write.key: row for row in rows}

        def request(writes: Sequence[Write]) -> list[Answer] | None:
            return self._send([by_key[write.key] for write in writes], send)

        answers = bisect([row.write for row in rows], request, lambda write: blame(by_key[write.key]))
        for row, answer in zip(rows, answers, strict=True):
            if not isinstance(answer, Done):
                row.answer = answer

    def spoiled(self, heard: Heard) -> bool:
        """Whether the whole batch was refused for some row; what was said is kept for the one that turns out so."""
        if heard.status >= 400:
            self.error = heard.content
        return heard.status >= 400

    def _send(self, rows: Sequence[Row], send: Send) -> list[Answer] | None:
        if self._halted is not None:
            return [self._halted] * len(rows)
        try:
            answers = send(rows)
        except InDoubt:
            self._effect, self._halted = True, Unsent()
            return [Unknown(HORIZON)] * len(rows)
        except (Retry, Stop) as error:
            if not self._effect:
                raise
            self._halted = Unsent((error.after if isinstance(error, Retry) else None) or 0.0)
            return [self._halted] * len(rows)
        if answers is not None:
            self._effect = True
        return answers
