"""Laws of observing: whatever is read in whatever order, nothing is taken for what it is not, and nothing is forgotten."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Fields, Record, State, Value
from sync.model import ALL, Known
from sync.observe import Seen, observe
from tests.sync.makers import flight, known, person_mapping, reading
from tests.sync.reached import Reached

PERSON = person_mapping()
NAMES = ("title", "a", "k")
WORDS = (None, "Head", "Head of", "Head of Sales", "HEAD", "Chief", "Clerk")
VALUES: st.SearchStrategy[Value] = st.sampled_from(WORDS)
FULL: st.SearchStrategy[Fields] = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
SOME: st.SearchStrategy[Fields] = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1)
TIMES = st.none() | st.integers(1, 9)
KINDS = st.sampled_from([frozenset[str](), frozenset({"cut"}), frozenset({"case", "cleared"})])


@st.composite
def rows(draw: st.DrawFn, seq: int = 0) -> Record:
    """A reading of a record, of all its fields or of some."""
    state = draw(st.sampled_from([State.LIVE] * 4 + [State.DELETED, State.ARCHIVED]))
    return reading(draw(FULL | SOME), modified=draw(TIMES), state=state, seq=seq)


@st.composite
def flights(draw: st.DrawFn) -> dict[str, Any]:
    """A write under way."""
    fields = draw(SOME)
    return flight(fields, wanted={name: f"h-{name}" for name in fields})


@st.composite
def knowns(draw: st.DrawFn) -> Known:
    """A record as it may be known: all of it absorbed or not, perhaps with a write that was answered without values."""
    now, written = draw(FULL), draw(st.none() | SOME)
    sent: dict[str, Any] = {}
    if written:
        sent = {"fields": written, "wanted": dict.fromkeys(written, "h"), "run": 1, "seq": 5}
    return known(
        1,
        now={**now, **(written or {})},
        fresh=draw(st.sampled_from([None, ALL, frozenset({"title"})])),
        sent=sent,
        was={name: now[name] for name in written or ()},
        answered=draw(st.integers(3, 6)) if written else None,
        modified=draw(TIMES),
        read_seq=draw(st.integers(0, 5)),
    )


def take(record: Known, row: Record, flying: dict[str, Any] | None, kinds: frozenset[str]) -> tuple[Seen, list[str]]:
    told: list[str] = []
    seen = observe(record, row, flying, PERSON, lambda name: kinds, 100, lambda name, value: told.append(name))
    return seen, told


def test_the_same_reading_twice_changes_nothing() -> None:
    reached = Reached(edits=50, echoes=20, states=30, late=20, lossy=3)

    @given(knowns(), rows(), st.none() | flights(), KINDS, st.integers(0, 9))
    def law(record: Known, row: Record, flying: dict[str, Any] | None, kinds: frozenset[str], seq: int) -> None:
        row.asked_seq = seq
        seen, told = take(record, row, flying, kinds)
        before = deepcopy({name: getattr(record, name) for name in Known.__slots__})
        again, told_again = take(record, row, flying, kinds)
        after = {name: getattr(record, name) for name in Known.__slots__}
        assert told_again == []
        if seen is not Seen.LATE:
            assert again is not Seen.CHANGED
            assert after == before
        reached.met("edits", bool(told))
        reached.met("late", seen is Seen.LATE)
        reached.met("states", record.state is not State.LIVE)
        reached.met(
            "echoes", flying is not None and any(row.fields.get(n, ...) == v for n, v in flying["fields"].items())
        )
        reached.met("lossy", any(memo[1] == "lossy" for memo in record.asked.values()))

    law()
    reached.enough()


def test_what_the_lead_has_absorbed_is_known_until_it_absorbs_something_else() -> None:
    """However often a field is edited: what stands in `base` (or in `now` without one) is what the lead has heard of."""
    reached = Reached(edits=100, returns=20)

    @given(FULL, st.lists(FULL | SOME, min_size=1, max_size=6))
    def law(now: Fields, readings: list[Fields]) -> None:
        record = known(1, now=dict(now))
        for seq, fields in enumerate(readings):
            take(record, reading(fields, seq=seq), None, frozenset())
        for name, absorbed in now.items():
            assert record.base.get(name, record.now[name]) == absorbed
            assert (name in record.base) is (record.now[name] != absorbed)
            shown = [fields[name] for fields in readings if name in fields]
            reached.met("edits", name in record.base)
            reached.met("returns", name not in record.base and any(value != absorbed for value in shown))

    law()
    reached.enough()


def test_no_value_that_we_are_sending_is_ever_taken_for_an_edit_and_every_other_change_is() -> None:
    reached = Reached(echoes=40, edits=100, pending=15)

    @given(
        FULL, flights(), st.lists(FULL | SOME, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4)
    )
    def law(now: Fields, flying: dict[str, Any], readings: list[Fields], landed: list[bool]) -> None:
        record, mine = known(1, now=now), flying["fields"]
        readings = [{**fields, **mine} if ours else fields for fields, ours in zip(readings, landed, strict=False)]
        for seq, fields in enumerate(readings, start=10):
            before = dict(record.now)
            held = {name: record.now[name] for name in record.base}
            _, told = take(record, reading(fields, seq=seq), flying, frozenset())
            changed = {name for name, value in fields.items() if name in before and before[name] != value}
            ours = {name for name in changed if name in mine and (mine[name] or None) == (fields[name] or None)}
            assert set(told) == changed - ours
            for name in ours & held.keys():
                if held[name] != mine[name]:
                    assert record.pending[name] == held[name], "their edit, seen before ours landed on it"
                    reached.met("pending")
            reached.met("echoes", len(ours))
            reached.met("edits", len(changed - ours))

    law()
    reached.enough()


def test_readings_in_any_order_end_with_the_newest() -> None:
    reached = Reached(late=50)

    @given(st.lists(st.tuples(VALUES, st.integers(1, 9)), min_size=1, max_size=6), st.randoms(use_true_random=False))
    def law(versions: list[tuple[Value, int]], random: Any) -> None:
        history = {at: value for value, at in versions}
        arrivals = list(history.items())
        random.shuffle(arrivals)
        record = known(1, now={"title": "start"})
        for seq, (at, value) in enumerate(arrivals, start=1):
            reached.met(
                "late", take(record, reading({"title": value}, modified=at, seq=seq), None, frozenset())[0] is Seen.LATE
            )
        assert (record.now["title"], record.modified) == (history[max(history)], max(history))

    law()
    reached.enough()
