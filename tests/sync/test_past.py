"""What a vendor's history of fields tells: which edits our writes hid, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connectors.backdoor import Fault
from connectors.base import Ref, Value, Version, Writer
from sync.past import hidden
from sync.rules import Policy, Rules
from sync.store.runs import Written
from tests.sync.installation import ANN, PLAIN, Installation, Meddling, There, memory_store, two

# --- which edit a write hid ------------------------------------------------------------------------------------------


def theirs(value: Value, at: int) -> Version:
    return Version(value, at, Writer.PERSON, mine=False)


def ours(value: Value, at: int) -> Version:
    return Version(value, at, Writer.INTEGRATION, mine=True)


def wrote(believed: Value, sent: Value, *, read: int, at: int) -> Written:
    return Written(at, read, {"title": [believed, sent]})


def met(versions: Sequence[Version], written: Sequence[Written]) -> tuple[Value, int] | None:
    """Value and time of the edit that was hidden; both sequences newest first."""
    found = hidden("title", versions, written)
    return (found.value, found.at) if found is not None else None


@pytest.mark.parametrize(
    ("versions", "written", "found"),
    [
        pytest.param([], [], None, id="nothing ever happened"),
        pytest.param([theirs("x", 5)], [], None, id="we never wrote"),
        pytest.param([ours("t1", 6)], [wrote("t0", "t1", read=4, at=7)], None, id="nobody else ever wrote"),
        pytest.param(
            [ours("t1", 6), theirs("x", 5), theirs("t0", 1)], [wrote("t0", "t1", read=4, at=7)], ("x", 5), id="hidden"
        ),
        pytest.param([ours("t1", 6), theirs("t0", 1)], [wrote("t0", "t1", read=4, at=7)], None, id="what we had read"),
        pytest.param(
            [ours("t1", 6), theirs("x", 4), theirs("t0", 1)],
            [wrote("t0", "t1", read=4, at=7)],
            None,
            id="read with the last change before our write",
        ),
        pytest.param(
            [ours("t1", 6), theirs("t0", 5)], [wrote("t0", "t1", read=4, at=7)], None, id="what we believed it was"
        ),
        pytest.param(
            [ours("t1", 6), theirs("t1", 5)], [wrote("t0", "t1", read=4, at=7)], None, id="the same as we sent"
        ),
        pytest.param(
            [ours("t1", 6), theirs("", 5)], [wrote(None, "t1", read=4, at=7)], None, id="empty in another way"
        ),
        pytest.param(
            [ours("t1", 6), theirs(None, 5)], [wrote("t0", "t1", read=4, at=7)], (None, 5), id="emptied and hidden"
        ),
        pytest.param(
            [theirs("y", 9), ours("t1", 6), theirs("x", 5)],
            [wrote("t0", "t1", read=4, at=7)],
            ("x", 5),
            id="somebody since, who is read like anybody",
        ),
        pytest.param(
            [ours("t2", 9), ours("t1", 6), theirs("x", 5)],
            [wrote("t1", "t2", read=6, at=10), wrote("t0", "t1", read=4, at=7)],
            ("x", 5),
            id="under two of ours",
        ),
        pytest.param(
            [ours("t2", 9), ours("t1", 6), theirs("t0", 2)],
            [wrote("t1", "t2", read=6, at=10), wrote("t0", "t1", read=4, at=7)],
            None,
            id="read before two of ours",
        ),
        pytest.param(
            [ours("t2", 12), theirs("x", 8), ours("t1", 6), theirs("t0", 1)],
            [wrote("x", "t2", read=8, at=13), wrote("t0", "t1", read=4, at=9)],
            None,
            id="between two of ours, and read; the answer to the first came after it",
        ),
        pytest.param(
            [ours("t2", 12), theirs("x", 8), ours("t1", 6), theirs("t0", 1)],
            [wrote("t1", "t2", read=6, at=13), wrote("t0", "t1", read=4, at=9)],
            ("x", 8),
            id="between two of ours, and hidden by the second",
        ),
        pytest.param(
            [ours("t2", 12), theirs("y", 8), ours("t1", 6), theirs("x", 5), theirs("t0", 1)],
            [wrote("y", "t2", read=8, at=13), wrote("t0", "t1", read=4, at=7)],
            ("x", 5),
            id="hidden by the first of two, between which somebody wrote whom we read",
        ),
        pytest.param(
            [ours("t2", 12), theirs("y", 8), ours("t1", 6), theirs("x", 5), theirs("t0", 1)],
            [*[wrote("y", "t2", read=8, at=13)] * 9, wrote("a", "b", read=7, at=11)],
            None,
            id="hidden by a write that is too long ago",
        ),
        pytest.param(
            [ours("Head", 6), theirs("x", 5)],
            [wrote("t0", "Head of Sales", read=4, at=7)],
            ("x", 5),
            id="hidden by a value that came out otherwise",
        ),
        pytest.param([ours("t1", 6), theirs("x", 5)], [], None, id="our write is too long ago"),
        pytest.param(
            [ours("t1", 6), theirs("x", 5)], [Written(7, 4, {"a": ["a0", "a1"]})], None, id="we wrote another field"
        ),
    ],
)
def test_an_edit_that_our_write_hid_is_told_by_the_vendors_history(
    versions: Sequence[Version], written: Sequence[Written], found: tuple[Value, int] | None
) -> None:
    assert met(versions, written) == found


# --- a whole run -----------------------------------------------------------------------------------------------------

KEEPING = replace(PLAIN, history=True)
"""No conditional writes, but the history of each field is kept."""


@dataclass
class Met:
    """A list in which something is typed while our write is on its way."""

    here: Installation
    world: Meddling
    ref: Ref
    copy: Ref

    def typed(self, title: str, at: str = "claimed") -> None:
        def happens() -> None:
            self.here.later(1)
            self.here.edit("list", self.copy, title=title)

        self.world.at[at] = happens


def keeping(temper: Any = KEEPING, **settings: Any) -> Met:
    world = Meddling()
    here = Installation(
        {"crm": There(KEEPING), "list": There(temper)}, store=memory_store(world), world=world, **settings
    )
    ref = here.put("crm", **ANN, title="t0", a="a0")
    here.run()
    (copy,) = here.refs("list")
    return Met(here, world, ref, copy)


@pytest.mark.parametrize("answers", [True, False])
def test_an_edit_between_our_reading_and_our_write_is_found_and_the_newer_one_wins(answers: bool) -> None:
    met = keeping(replace(KEEPING, returns_fields=answers))
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")  # later than the CRM's, and hidden at once
    here.run()
    here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == ["typed meanwhile"] * 2
    assert here.quiet()


def test_a_hidden_edit_that_is_older_than_the_leads_value_loses_and_stands_in_the_history() -> None:
    met = keeping()
    here = met.here
    here.later()
    here.edit("crm", met.ref, a="a1")
    with here.units() as units:
        units.pull()
        units.decide()
        here.later(5)
        here.edit("list", met.copy, title="typed first")
        here.later(5)
        here.edit("crm", met.ref, title="newer")
        units.pull("crm")
        units.decide()
        units.push("list")
    here.run()
    here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == ["newer", "newer"]
    lost = [each for body in here.history() for each in body.get("lost", [])]
    assert ["title", here.known("list", met.copy).id, "typed first", "newest"] in lost
    assert here.quiet()


@pytest.mark.parametrize(
    ("policy", "value"), [(Policy("owner", (1,)), "ours"), (Policy("owner", (2,)), "typed meanwhile")]
)
def test_a_hidden_edit_is_weighed_by_the_rule_of_its_group(policy: Policy, value: str) -> None:
    met = keeping(rules=Rules({"title": policy}))
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    here.run()
    here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == [value, value]
    assert here.quiet()


def test_a_hidden_edit_that_is_to_be_asked_about_is_put_to_a_person() -> None:
    met = keeping(rules=Rules({"title": Policy("ask")}))
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    here.run()
    here.run()
    (question,) = here.reviews()
    assert sorted(value for _, value in question.body["told"]) == ["ours", "typed meanwhile"]
    assert here.quiet()


def test_a_hidden_edit_is_taken_up_once() -> None:
    met = keeping(rules=Rules({"title": Policy("owner", (1,))}))
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    here.run()
    for title in ("again", "and again"):
        here.edit("crm", met.ref, title=title)
        here.run()
    lost = [each for body in here.history() for each in body.get("lost", []) if each[2] == "typed meanwhile"]
    assert len(lost) == 1
    assert [here.one(name, "title") for name in ("crm", "list")] == ["and again"] * 2


def test_a_hidden_edit_and_a_later_one_of_the_same_field_are_weighed_by_their_own_times() -> None:
    met = keeping()
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    met.typed("typed after", at="settled")
    here.run()
    here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == ["typed after"] * 2
    assert here.quiet()


@pytest.mark.parametrize("ahead", [-90.0, 90.0])
def test_a_hidden_edit_is_found_whatever_the_vendors_clock_says(ahead: float, monkeypatch: pytest.MonkeyPatch) -> None:
    met = keeping()
    here = met.here
    met.world.jump(-ahead)
    monkeypatch.setattr(type(here.engine.connectors[1]), "skew", lambda self: ahead)
    here.run()
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    here.run()
    here.run()
    told = [str(body) for body in here.history()]
    assert any("typed meanwhile" in each for each in told)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.ERROR_AFTER])
def test_an_edit_hidden_by_a_write_in_doubt_is_found_when_that_is_settled(fault: Fault) -> None:
    met = keeping()
    here = met.here
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    here.fault("list", fault, "UPDATE")
    report = here.run()
    assert report.doubtful["list"] == 1
    assert here.one("list", "title") == "ours"
    here.later(700)
    here.run()
    here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == ["typed meanwhile"] * 2
    assert here.quiet()


def test_an_edit_hidden_by_a_write_before_a_crash_is_found_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ended when the request was done and its answer not taken in."""

    class Crash(BaseException):
        pass

    def crash() -> None:
        raise Crash

    met = keeping()
    here, vendor = met.here, met.here.vendors["list"]
    here.edit("crm", met.ref, title="ours")
    met.typed("typed meanwhile")
    writes = vendor.write

    def write(*args: Any) -> Any:
        met.world.at["answered"] = crash
        return writes(*args)

    with monkeypatch.context() as crashing:
        crashing.setattr(vendor, "write", write)
        with pytest.raises(Crash):
            here.run()
    assert here.one("list", "title") == "ours"
    here.configured()
    for _ in range(3):
        here.later(700)
        here.run()
    assert [here.one(name, "title") for name in ("crm", "list")] == ["typed meanwhile"] * 2
    assert here.quiet()


def test_a_vendor_with_conditional_writes_or_without_history_is_asked_nothing() -> None:
    for temper in (replace(KEEPING, conditional=True), PLAIN):
        met = keeping(temper)
        met.here.edit("crm", met.ref, title="ours")
        met.here.run()
        assert [each.path for each in met.here.vendors["list"].requests() if each.method == "HISTORY"] == []


def test_a_vendor_with_history_is_asked_once_for_each_write_and_never_without_one() -> None:
    met = keeping()
    here = met.here
    here.edit("crm", met.ref, title="ours")
    here.run()
    for _ in range(2):
        here.run()
    assert len([each for each in here.vendors["list"].requests() if each.method == "HISTORY"]) == 1


def test_the_order_of_a_conflict_is_known_where_the_vendors_tell_when_fields_were_written() -> None:
    for temper, proven in ((KEEPING, True), (PLAIN, False)):
        here = Installation({"crm": There(temper), "list": There(temper)})
        ref = here.put("crm", **ANN, title="t0")
        here.run()
        here.edit("crm", ref, title="early")
        here.later(5)
        here.edit("list", here.refs("list")[0], title="late")
        here.later(5)
        here.edit("crm", ref, a="a1")  # so that the times of the records tell nothing
        here.run()
        assert here.lead().origin["title"][5] is proven
        assert (here.lead().value["title"] == "late") is proven


def test_nothing_hides_where_we_wrote_nothing() -> None:
    here = two()
    here.put("crm", **ANN)
    here.run()
    here.hint("list", here.refs("list")[0], "wrote")
    here.run()
    assert here.quiet()
