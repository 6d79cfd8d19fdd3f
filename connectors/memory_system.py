"""A vendor that lives in this process: its API, and the hidden door into it, over what it holds.

It decides what a request is answered, or how it goes wrong when it was told to. Its clock runs with the World's
monotonic one, so that a jump of our wall clock is none of its own. It refuses the faults that need a socket.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from weakref import WeakValueDictionary

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State, Version, Write, WriteKind, Writer
from connectors.memory_records import CONSENT, EMAIL, IN, KEY, OUT, Image, Records, Row, Temperament
from connectors.world import MICROSECONDS, World

FAULTS = frozenset(Fault) - {Fault.SLOW, Fault.TRUNCATED, Fault.HTML, Fault.REDIRECT, Fault.FOREIGN_LINK}
"""What can go wrong without a socket."""

WRITERS = {
    "person": Writer.PERSON,
    "workflow": Writer.WORKFLOW,
    "import": Writer.IMPORT,
    "integration": Writer.INTEGRATION,
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page. `after` is where the next one begins; `at` is the vendor's clock, as a Date header would tell it."""

    rows: list[tuple[Row, Image]]
    after: int
    last: bool
    at: int


class What(enum.Enum):
    DONE = "done"
    EXISTS = "exists"
    STALE = "stale"
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write. `blamed` and `code` tell why it was refused."""

    what: What
    row: Row | None = None
    image: Image | None = None
    blamed: str = ""
    code: str = ""

    @classmethod
    def of(cls, what: What, row: Row) -> Outcome:
        return cls(what, row, row.now)


class Trouble(Exception):
    """A request that was not answered as asked. `status` 0: no answer came; 500 and 0 leave open what was done."""

    def __init__(self, status: int, after: float | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.after = after


@dataclass(slots=True)
class _Armed:
    kind: Fault
    when: When
    met: int = 0
    hit: int = 0


_SYSTEMS: WeakValueDictionary[str, MemorySystem] = WeakValueDictionary()


def system_named(name: str) -> MemorySystem | None:
    """The living system that was made last under this name."""
    return _SYSTEMS.get(name)


class MemorySystem:
    """The vendor, and its `Backdoor`.

    The API's methods take the caller's token first and raise Trouble. A `name` lets a configuration find the system for
    as long as somebody holds it.
    """

    def __init__(self, world: World, temperament: Temperament, *, name: str = "", token: str = "") -> None:
        self.temperament = temperament
        self._token = token
        self._world = world
        self._began = world.now() - int(world.monotonic() * MICROSECONDS)
        self._landing: int | None = None
        self._held = Records(temperament, self._clock, world.random)
        self._lock = world.lock()
        self._answered: dict[str, Listing] = {}
        self._armed: list[_Armed] = []
        self._late: list[tuple[int, Callable[[], object]]] = []
        self._seen: list[Seen] = []
        if name:
            _SYSTEMS[name] = self

    # The API.

    def changed(self, token: str, object: str, since: int, after: int | None, removed: bool) -> Listing:
        """Records by change, live or removed ones, changed at or after `since`, as far as the feed shows them."""
        path = object + "/removed" * removed

        def answer() -> Listing:
            now = self._clock()
            self._answered[path] = Listing(*self._held.changed(object, since, after, removed, now), now)
            return self._answered[path]

        def again() -> Listing:
            before = self._answered.get(path)
            return before if before and before.after == after else answer()

        return self._serve(token, "LIST", path, answer, again=again)

    def sweep(self, token: str, object: str, after: int) -> Listing:
        """Live records as they were made, without lag."""

        def answer() -> Listing:
            rows, place, last = self._held.made(object, after)
            return Listing([(row, row.now) for row in rows], place, last, self._clock())

        return self._serve(token, "SWEEP", object, answer)

    def get(self, token: str, object: str, refs: Sequence[Ref]) -> list[tuple[Row, Image] | None]:
        """These records as they are now, None for one that never was."""

        def answer() -> list[tuple[Row, Image] | None]:
            rows = [self._held.rows.get(ref) for ref in refs]
            return [(row, row.now) if row else None for row in rows]

        return self._serve(token, "GET", object, answer)

    def find(self, token: str, object: str, name: str, values: Iterable[str]) -> list[tuple[Row, Image]]:
        """Records, removed ones included, by e-mail address or by our key."""

        def answer() -> list[tuple[Row, Image]]:
            found = dict.fromkeys(row for value in values for row in self._held.having(name, value))
            return [(row, row.now) for row in found if row.ref.object == object]

        return self._serve(token, "FIND", object, answer)

    def write(self, token: str, writes: Sequence[Write]) -> list[Outcome]:
        """One request with a batch of one kind: each row on its own, in this order."""
        kind, object = writes[0].kind, writes[0].object
        if any((each.kind, each.object) != (kind, object) for each in writes):
            raise ValueError(f"a batch of writes to {object!r} is not all of one kind and object")
        if len(writes) > self.temperament.batch[kind]:
            raise ValueError(f"a batch of {len(writes)} {kind}s, {self.temperament.batch[kind]} are allowed")
        said = [[each.ref and str(each.ref), each.if_version, each.address, each.fields] for each in writes]
        body = json.dumps(said, ensure_ascii=False)
        return self._serve(token, kind.upper(), object, lambda: [self._write(each) for each in writes], body=body)

    def history(self, token: str, object: str, refs: Sequence[Ref]) -> list[tuple[Ref, dict[str, list[Version]]]]:
        """Every value that each field had, oldest first."""

        def answer() -> list[tuple[Ref, dict[str, list[Version]]]]:
            rows = [self._held.rows[ref] for ref in refs if ref in self._held.rows]
            return [(row.ref, {name: [*versions] for name, versions in row.past.items()}) for row in rows]

        return self._serve(token, "HISTORY", object, answer)

    def greet(self, token: str) -> None:
        """Say whether the token is good."""
        self._serve(token, "GREET", "", lambda: None)

    # The backdoor.

    def put(self, object: str, fields: Fields) -> Ref:
        with self._lock:
            self._land()
            taken = self._held.taken(fields)
            if no := self._held.refusal(None, taken):
                raise ValueError(f"a new {object!r} is refused: {no.code} in {no.field!r}")
            return self._held.create(object, taken, Writer.PERSON, mine=False).ref

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        with self._lock:
            self._land()
            row = self._held.living(ref)
            taken = self._held.taken(fields)
            if no := self._held.refusal(row, taken):
                raise ValueError(f"an edit of {ref} is refused: {no.code} in {no.field!r}")
            self._held.update(row, taken, WRITERS[as_], mine=False)

    def corrupt(self, ref: Ref, fields: Fields) -> None:
        """Values become others and nobody did it: no time, no version and no feed tells."""
        with self._lock:
            self._land()
            self._held.corrupt(self._held.living(ref), self._held.taken(fields))

    def remove(self, ref: Ref) -> None:
        with self._lock:
            self._land()
            self._held.remove(self._held.living(ref), Writer.PERSON)

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        with self._lock:
            self._land()
            return self._held.merge(self._held.living(winner), self._held.living(loser)).ref

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._declare(address, channel, OUT)

    def confirm(self, address: str, channel: str = "email") -> None:
        """Its moment is told in the field "confirmed_at"."""
        self._declare(address, channel, IN)

    def fault(self, kind: Fault, when: When) -> None:
        if kind not in FAULTS:
            raise ValueError(f"{kind.value!r} needs a socket, and this vendor has none")
        with self._lock:
            if kind is Fault.LAG:
                self._held.lag = when.value
            else:
                self._armed.append(_Armed(kind, when))

    def requests(self) -> list[Seen]:
        with self._lock:
            return [*self._seen]

    def records(self) -> list[Kept]:
        with self._lock:
            self._land()
            return [self._kept(row) for row in self._held.rows.values()]

    # What happens behind both.

    def _clock(self) -> int:
        if self._landing is not None:
            return self._landing
        return self._began + int(self._world.monotonic() * MICROSECONDS)

    def _serve(
        self,
        token: str,
        method: str,
        path: str,
        answer: Callable[[], T],
        *,
        body: str = "",
        again: Callable[[], T] | None = None,
    ) -> T:
        """Answer a request, or go wrong as told. Raises Trouble."""
        with self._lock:
            self._land()
            fault, value = self._due(f"{method} /{path}") if self._armed else (None, 0.0)
            status, after = 200, None
            if token != self._token or fault is Fault.EXPIRED:
                status = 401
            elif fault is Fault.FORBIDDEN:
                status = 403
            elif fault is Fault.RATE:
                status, after = 429, value
            elif fault in (Fault.ERROR, Fault.ERROR_AFTER):
                status = 500
            elif fault in (Fault.CUT, Fault.CUT_AFTER, Fault.LATE):
                status = 0
            self._seen.append(Seen(method, f"/{path}", status, body))
            if status == 200:
                return again() if again and fault is Fault.DUPLICATE_PAGE else answer()
            if fault in (Fault.ERROR_AFTER, Fault.CUT_AFTER):
                answer()
            elif fault is Fault.LATE:
                self._late.append((self._clock() + int(value * MICROSECONDS), answer))
            raise Trouble(status, after)

    def _due(self, line: str) -> tuple[Fault | None, float]:
        for armed in self._armed:
            if armed.when.path not in line or armed.hit >= armed.when.times:
                continue
            armed.met += 1
            if armed.met > armed.when.skip:
                armed.hit += 1
                return armed.kind, armed.when.value
        return None, 0.0

    def _land(self) -> None:
        """Requests whose answer got lost take effect at their own time, before anything later is looked at."""
        if not self._late:
            return
        now = self._clock()
        due = sorted((each for each in self._late if each[0] <= now), key=lambda each: each[0])
        self._late = [each for each in self._late if each[0] > now]
        for at, answer in due:
            self._landing = at
            try:
                answer()
            finally:
                self._landing = None

    def _write(self, write: Write) -> Outcome:
        held = self._held
        if write.kind is WriteKind.WITHDRAW:
            held.declare(write.address or "", OUT, None, Writer.INTEGRATION)
            return Outcome(What.DONE)
        taken = held.taken(write.fields)
        if write.kind is WriteKind.CREATE:
            if self.temperament.own_key:
                taken[KEY] = write.key
            if twin := held.owner(None, taken, KEY) or held.owner(None, taken, EMAIL):
                return Outcome.of(What.EXISTS, twin)
            if no := held.refusal(None, taken):
                return Outcome(What.REFUSED, blamed=no.field, code=no.code)
            return Outcome.of(What.DONE, held.create(write.object, taken, Writer.INTEGRATION, mine=True))
        row = held.rows.get(write.ref) if write.ref else None
        if row is None:
            return Outcome(What.GONE)
        if row.now.state is not State.LIVE:
            return Outcome.of(What.GONE, row)
        if self.temperament.conditional and write.if_version not in (None, str(row.now.version)):
            return Outcome.of(What.STALE, row)
        if write.kind is WriteKind.ARCHIVE:
            held.remove(row, Writer.INTEGRATION)
        elif no := held.refusal(row, taken):
            return Outcome(What.REFUSED, blamed=no.field, code=no.code)
        else:
            held.update(row, taken, Writer.INTEGRATION, mine=True)
        return Outcome.of(What.DONE, row)

    def _declare(self, address: str, channel: str, consent: str) -> None:
        if channel != "email" or self.temperament.consent == "none":
            raise ValueError(f"this vendor keeps no consent for {channel!r}")
        with self._lock:
            self._land()
            at = datetime.fromtimestamp(self._clock() / MICROSECONDS, UTC).isoformat()
            self._held.declare(address, consent, at if consent == IN else None, Writer.PERSON)

    def _kept(self, row: Row) -> Kept:
        now = row.now
        consent = now.fields.get(CONSENT)
        told = {"email": consent} if isinstance(consent, str) and self.temperament.consent != "none" else {}
        return Kept(row.ref, dict(now.fields), now.state, now.merged_into, now.modified, told)
