"""Saying that the database was put back from a backup."""

from __future__ import annotations

from tests.smarketing.cli.rig import ANN, Rig, rig

__all__ = ["rig"]


def test_first_it_is_shown_and_nothing_changes(rig: Rig) -> None:
    rig.put("crm", **ANN)
    rig("sync")
    ran = rig("restore")
    assert ran.code == 0
    assert ran.out == (
        "2 systems would be read whole again before anybody is created; 0 operations that waited would be decided anew; "
        "nothing is sent before a person has seen the plan\n"
    )
    assert ran.err == 'nothing was done yet; carry it out with "smarketing restore --confirm 2"\n'
    assert "put back" not in rig("status").out


def test_another_number_does_nothing(rig: Rig) -> None:
    ran = rig("restore", "--confirm", "3")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error[SM251]: nothing was done: 2 systems would be read anew, --confirm says 3")


def test_after_it_a_sync_waits_for_the_plan_and_makes_nobody_twice(rig: Rig) -> None:
    ref = rig.put("crm", **ANN)
    rig("sync")
    assert rig("restore", "--confirm", "2", "--json").json == {
        "format_version": "1.0",
        "count": 2,
        "operations": 0,
        "done": True,
    }
    assert rig("status").out.count("put back, plan not approved") == 2
    rig.edit("crm", ref, title="CEO")
    ran = rig("sync")
    assert (ran.code, "error[SM239]" in ran.err) == (3, True)
    plan = rig.folder / "after.plan"
    rig("plan", "--out", str(plan))
    assert rig("sync", "--plan", str(plan)).code == 0
    (kept,) = rig.vendors["list"].records()
    assert kept.fields["title"] == "CEO"
    assert "put back" not in rig("status").out
