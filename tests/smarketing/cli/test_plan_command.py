"""What `plan` shows, keeps and answers."""

from __future__ import annotations

import json
import stat

import pytest

from connectors.backdoor import Fault, When
from smarketing.cli.plan_file import Hashes, _marks
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]


def disagree(rig: Rig) -> None:
    """Ann in both with different titles, Ola in the list alone and opted out there, Kari deleted nowhere."""
    rig.put("crm", **ANN, title="CEO", city="Ås")
    rig.put("list", **ANN, title="Daglig leder")
    rig.put("list", **OLA, consent="out")
    rig.put("crm", email="kari@example.com", first_name="Kari", last_name="Nord", phone="91 23 45 67")


def test_a_plan_tells_the_consequences_first_then_person_by_person_then_the_totals(rig: Rig) -> None:
    disagree(rig)
    ran = rig("plan")
    assert (ran.code, ran.err) == (0, "")
    golden("plan.txt", ran.out, rig)


def test_a_plan_for_programs_is_an_object_a_line_with_the_totals_last(rig: Rig) -> None:
    disagree(rig)
    ran = rig("plan", "--json")
    assert [each["type"] for each in ran.lines] == ["update", "create", "create", "totals"]
    assert ran.lines[-1]["totals"] == {"create": 2, "update": 1, "archive": 0, "review": 0}
    golden("plan.jsonl", ran.out, rig)


def test_an_edit_on_both_sides_names_the_winner_the_rule_and_the_loser(rig: Rig) -> None:
    ann = rig.put("crm", **ANN)
    assert rig("sync").code == 0
    (there,) = [each.ref for each in rig.vendors["list"].records()]
    rig.edit("crm", ann, title="CEO")
    rig.edit("list", there, title="Daglig leder")
    assert (
        "    job title: CEO → Daglig leder   (list: the newest edit, an estimate; lost: crm with CEO)"
        in rig("plan").out
    )


def test_a_plan_writes_nothing_anywhere_and_can_be_made_again(rig: Rig) -> None:
    disagree(rig)
    first, second = rig("plan").out, rig("plan").out
    assert first == second
    assert not [
        each for vendor in rig.vendors.values() for each in vendor.requests() if each.method in ("CREATE", "UPDATE")
    ]


def test_changes_answer_4_only_where_it_is_asked_for(rig: Rig) -> None:
    disagree(rig)
    assert (rig("plan").code, rig("plan", "--exit-code").code) == (0, 4)
    rig("sync")
    rig("sync")
    ran = rig("plan", "--exit-code")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "nothing to do: every system shows what it should")


def test_disagreements_nobody_is_trusted_for_wait_for_a_person_and_are_counted(rig: Rig) -> None:
    rig.configure("first: apply")
    disagree(rig)
    out = rig("plan").out
    assert "first contact: job title differs once and nobody says who is right: a person decides" in out
    assert "1 question for a person (1 × conflict), 1 of them new" in out
    totals = rig("plan", "--json").lines[-1]
    assert totals["totals"]["review"] == 1
    assert totals["unsettled"] == {"title": 1}


def test_a_system_that_fails_is_told_and_the_others_are_planned(rig: Rig) -> None:
    disagree(rig)
    rig.vendors["list"].fault(Fault.FORBIDDEN, When(times=99))
    ran = rig("plan")
    assert ran.code == 1
    assert ran.err.startswith("error[SM3")
    assert ran.err.split(": ")[1] == "list"
    assert "Totals: crm: 0 to create" in ran.out


def test_a_plan_for_one_system_holds_nothing_for_the_others(rig: Rig) -> None:
    disagree(rig)
    rig("plan")
    told = rig("plan", "--only", "crm", "--json").lines
    assert {each["system"] for each in told[:-1]} == {"crm"}
    assert told[-1]["totals"]["create"] == 1


def test_an_unknown_system_is_answered_with_the_nearest(rig: Rig) -> None:
    ran = rig("plan", "--only", "lst")
    assert (ran.code, ran.err) == (2, 'error[SM108]: there is no system "lst"; did you mean "list"?\n')


# --- where nothing is sent -------------------------------------------------------------------------------------------


def test_where_nothing_is_sent_a_plan_tells_who_is_met_and_where_they_disagree(rig: Rig) -> None:
    closed = "writes: none"
    rig.configure("trust: [list], fields: {title: {rule: ask}}, first: approve", crm=closed, list=closed)
    disagree(rig)
    rig.put("crm", email="per@example.com", first_name="Per", last_name="Vik", city="Ås", title="CTO")
    rig.put("list", email="per@example.com", first_name="Per", last_name="Vik", city="Moss", title="CFO")
    ran = rig("plan")
    assert (ran.code, ran.err) == (0, "")
    golden("plan-looks.txt", ran.out, rig)
    golden("plan-looks.jsonl", rig("plan", "--json").out, rig)
    assert rig("plan", "--exit-code").code == 0


def test_a_plan_says_of_a_single_system_that_nothing_is_sent_there(rig: Rig) -> None:
    rig.configure("trust: [list]", crm="writes: none")
    disagree(rig)
    out = rig("plan").out
    assert out.startswith("nothing is sent to crm: it says writes: none\n1 person would be created in list\n")
    assert "are in crm and list" not in out, "what is sent tells who is who"
    assert rig("plan", "--json").lines[-1]["writes_nothing"] == ["crm"]


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_alone_and_begins_with_what_it_is(rig: Rig) -> None:
    disagree(rig)
    file = rig.folder / "plan.jsonl"
    ran = rig("plan", "--out", str(file))
    assert f'send exactly this with "smarketing sync --plan {file}"' in ran.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    header, *operations = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (header["type"], header["format_version"], header["operations"]) == ("plan", "1.0", len(operations))
    assert [path.name for path in rig.folder.iterdir() if path.name.startswith(".plan")] == []


def test_a_plan_is_written_over_a_plan_but_over_no_other_file(rig: Rig) -> None:
    disagree(rig)
    file = rig.folder / "mine.txt"
    file.write_text("my own notes", encoding="utf-8")
    ran = rig("plan", "--out", str(file))
    assert (ran.code, ran.out, file.read_text(encoding="utf-8")) == (2, "", "my own notes")
    assert ran.err == f"error[SM230]: {file}: this file is no plan and is left as it is; name another one\n"
    file.unlink()
    assert rig("plan", "--out", str(file)).code == 0
    assert rig("plan", "--out", str(file)).code == 0
    assert rig("plan", "--out", str(rig.folder)).code == 2
    assert rig("plan", "--out", str(rig.folder / "nowhere" / "plan")).code == 2


def test_a_broken_write_leaves_the_old_plan_and_no_rest(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    disagree(rig)
    file = rig.folder / "plan.jsonl"
    rig("plan", "--out", str(file))
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = rig("plan", "--out", str(file))
    assert (ran.code, ran.err.split(":")[0]) == (1, "error[SM902]")
    assert file.read_bytes() == before
    assert [path.name for path in rig.folder.iterdir() if path.name.startswith(".plan")] == []


def test_what_was_shown_makes_the_hashes_anew(rig: Rig) -> None:
    disagree(rig)
    file = rig.folder / "plan.jsonl"
    rig("plan", "--out", str(file))
    line = file.read_bytes().splitlines()[1]
    assert len(list(_marks(line))) == len(json.loads(line)["changes"])
    with pytest.raises(ValueError, match="company"):
        list(_marks(line.replace(b"Fjord AS", b"Fjell AS").replace(b'"title"', b'"company"')))


def test_hashes_are_found_whatever_their_order() -> None:
    from array import array

    kept = Hashes(array("Q", [7, 3, 2**64 - 1]))
    assert [*kept] == ["0000000000000003", "0000000000000007", "ffffffffffffffff"]
    assert ["0000000000000007" in kept, "0000000000000004" in kept, len(kept)] == [True, False, 3]


def test_a_plan_of_many_holds_none_of_them_in_memory() -> None:
    """Three times the operations need no more memory for keeping them."""
    import tracemalloc

    from smarketing.cli.plan_file import PlanWriter, spool
    from sync.approve import Change, Line
    from sync.store.outbox import Row

    def peak(operations: int) -> int:
        with spool() as lines:
            writer = PlanWriter(lines)
            tracemalloc.start()
            for n in range(operations):
                row = Row(n, 1, 3, "create", {"object": "person", "fields": {}}, n, 0, 0, 1)
                writer.add(Line(row, "crm", f"new: {n}", (Change("title", None, "x" * 400, f"{n:016x}"),)))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    peak(10)
    assert peak(8_000) < peak(2_500) * 1.2
