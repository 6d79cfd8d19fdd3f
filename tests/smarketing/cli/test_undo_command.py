"""What `undo` shows, and what it takes back."""

from __future__ import annotations

import pytest

from connectors.base import Ref
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]

EDITED = "2"


@pytest.fixture
def done(rig: Rig) -> Rig:
    """Run 1 made Ann and Ola in the list; run 2 gave them titles."""
    ann, ola = rig.put("crm", **ANN), rig.put("crm", **OLA)
    assert rig("sync").code == 0
    rig.edit("crm", ann, title="CEO")
    rig.edit("crm", ola, title="CTO")
    assert rig("sync", "--why", "new titles").code == 0
    return rig


def there(rig: Rig, address: str) -> Ref:
    (found,) = [each.ref for each in rig.vendors["list"].records() if each.fields["email"] == address]
    return found


def titles(rig: Rig) -> list[object]:
    return [each["title"] for each in rig.shown("list", "title")]


def test_without_a_run_the_last_ones_are_listed(done: Rig) -> None:
    out = done("undo").out
    assert out.splitlines()[1].split() == ["2", "2026-01-01", "01:02:02", "sync", "kari", "done", "2", "new", "titles"]
    golden("undo-list.json", done("undo", "--json").out, done)


def test_a_run_is_shown_first_and_nothing_is_done(done: Rig) -> None:
    ran = done("undo", EDITED)
    assert ran.code == 0
    assert ran.err == 'nothing was done yet; carry it out with "smarketing undo 2 --confirm 2"\n'
    assert titles(done) == ["CEO", "CTO"]
    golden("undo.txt", ran.out, done)
    golden("undo.json", done("undo", EDITED, "--json").out, done)


def test_the_count_that_was_shown_carries_it_out_and_the_next_sync_leaves_it(done: Rig) -> None:
    ran = done("undo", EDITED, "--confirm", "2")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("run 2 is taken back\n")
    assert titles(done) == [None, None]
    assert done("sync").code == 0
    assert titles(done) == [None, None]
    assert done("undo", "--json").json["runs"][1]["undoes"] == 2


def test_any_other_count_does_nothing(done: Rig) -> None:
    ran = done("undo", EDITED, "--confirm", "3")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error[SM251]: nothing was done: 2 would be taken back, --confirm says 3\n"
    (error,) = done("undo", EDITED, "--confirm", "3", "--json").json["errors"]
    assert error["code"] == "SM251"
    assert titles(done) == ["CEO", "CTO"]


def test_what_cannot_be_taken_back_is_told_first(done: Rig) -> None:
    done.edit("list", there(done, "ann@example.com"), title="Daglig leder")
    done("plan")
    out = done("undo", EDITED).out
    assert out.startswith(
        "1 change cannot be taken back:\n  list person:1001 title: somebody has changed it since\n\n"
        "1 would be taken back (1 in list):\n"
    )


def test_records_that_a_run_made_are_archived(done: Rig) -> None:
    rig = done
    rig.put("crm", email="kari@example.com", first_name="Kari", last_name="Nord")
    rig("sync")
    assert "list person:1003, Kari Nord: archived again, since the run made it" in rig("undo", "3").out
    assert rig("undo", "3", "--confirm", "1", "--json").json["undoes"] == 3
    assert len(rig.shown("list", "email")) == 2


def test_the_values_of_leads_are_set_back_where_it_is_asked_for(done: Rig) -> None:
    count = done("undo", EDITED, "--also-values", "--json").json["count"]
    assert count == 4
    assert "  lead 1\n    job title: CEO → (empty)\n" in done("undo", EDITED, "--also-values").out
    assert done("undo", EDITED, "--also-values", "--confirm", str(count)).code == 0
    assert [each["title"] for each in done.shown("crm", "title")] == titles(done) == [None, None]


def test_opt_outs_are_taken_back_only_by_name_and_with_a_reason(rig: Rig) -> None:
    ann = rig.put("crm", **ANN, consent="in")
    rig.put("list", **ANN, consent="in")
    rig("sync")
    rig.edit("crm", ann, consent="out")
    rig("sync")
    assert "a no to being mailed is not taken back with a run" in rig("undo", "2").out
    ran = rig("undo", "2", "--consent")
    assert (ran.code, ran.err.split(":")[0]) == (2, "error[SM253]")
    assert rig("undo", "2", "--consent", "--why", "a wrong import", "--confirm", "1").code == 0
    assert rig.shown("list", "consent") == [{"consent": "in"}]


def test_a_run_that_is_not_there_is_told(done: Rig) -> None:
    ran = done("undo", "99")
    assert (ran.code, ran.err) == (2, "error[SM250]: there is no run 99\n")


def test_a_run_that_wrote_nothing_has_nothing_to_take_back(done: Rig) -> None:
    done("sync")
    ran = done("undo", "3", "--confirm", "0")
    assert (ran.code, ran.out, ran.err) == (0, "nothing can be taken back\n", "")
