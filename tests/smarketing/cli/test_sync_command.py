"""What `sync` sends, holds back and answers."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from connectors.backdoor import Fault, When
from smarketing.sandbox.hubspot import HubSpotEmulator
from smarketing.sandbox.salesforce import SalesforceEmulator
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld
from tests.smarketing.cli.answers import answered, golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]


def approved(rig: Rig, name: str = "plan.jsonl") -> str:
    """The file of a plan made now."""
    file = str(rig.folder / name)
    assert rig("plan", "--out", file).code == 0
    return file


def test_a_sync_brings_all_systems_to_agree_and_the_next_one_writes_nothing(rig: Rig) -> None:
    rig.put("crm", **ANN)
    rig.put("list", **OLA)
    ran = rig("sync")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:2] == ["crm: 1 record read, 1 record written", "list: 1 record read, 1 record written"]
    assert rig.shown("list", "email") == [{"email": "ola@example.com"}, {"email": "ann@example.com"}]
    assert rig("sync", "--json").json["totals"] == {"done": 0, "failed": 0, "stale": 0, "review": 0}


def test_a_sync_for_programs_is_one_document(rig: Rig) -> None:
    rig.put("crm", **ANN)
    golden("sync.json", rig("sync", "--json").out, rig)


def test_who_and_why_stand_in_the_list_of_runs(rig: Rig) -> None:
    rig("sync", "--why", "after the fair")
    (found,) = rig("undo", "--json").json["runs"]
    assert (found["who"], found["why"], found["kind"]) == ("kari", "after the fair", "sync")


def test_the_first_plan_of_a_system_waits_for_a_person_and_the_way_out_works(rig: Rig) -> None:
    rig.configure("trust: [crm, list]")
    rig.put("crm", **ANN)
    ran = rig("sync")
    assert ran.code == 3
    assert ran.err == (
        "error[SM239]: crm, list: the first plan, or the first with another mapping, is not approved yet, so nothing was "
        'sent; look with "smarketing plan --out FILE", then "smarketing sync --plan FILE"\n'
    )
    assert rig.shown("list", "email") == []
    assert rig("sync", "--plan", approved(rig)).code == 0
    assert rig.shown("list", "email") == [{"email": "ann@example.com"}]
    assert rig("sync").code == 0


def test_a_plan_is_sent_to_the_letter_and_what_came_later_waits(rig: Rig) -> None:
    rig.put("crm", **ANN)
    file = approved(rig)
    rig.put("crm", **OLA)
    ran = rig("sync", "--plan", file)
    assert ran.code == 3
    assert ran.err.startswith("error[SM241]: not sent: 1 operation that nobody has approved")
    assert rig.shown("list", "email") == [{"email": "ann@example.com"}]


def test_what_moved_since_the_plan_is_held_back_and_named(rig: Rig) -> None:
    ann = rig.put("crm", **ANN)
    rig("sync")
    rig.edit("crm", ann, title="CEO")
    file = approved(rig)
    rig.edit("crm", ann, title="Daglig leder")
    ran = rig("sync", "--plan", file)
    assert ran.code == 3
    assert (
        "error[SM242]: not sent: 1 change of the plan, since something moved there\n  list person:1001 title\n"
        in ran.err
    )
    assert rig.shown("list", "title") == [{"title": None}]
    assert rig("sync").code == 0
    assert rig.shown("list", "title") == [{"title": "Daglig leder"}]


def test_a_plan_that_is_sent_again_is_told_as_sent_already(rig: Rig) -> None:
    ann = rig.put("crm", **ANN)
    file = approved(rig)
    assert rig("sync", "--plan", file).code == 0
    ran = rig("sync", "--plan", file)
    assert (ran.code, ran.err) == (3, "error[SM242]: not sent: 4 changes of the plan, already sent by run 2\n")
    rig.edit("crm", ann, title="CEO")
    ran = rig("sync", "--plan", file, "--json")
    assert (ran.json["missing"], ran.json["sent_before"]) == (4, 4)
    assert "already sent by run 2\n" in ran.err
    assert rig.shown("list", "title") == [{"title": None}]


def test_the_rest_of_a_plan_is_told_apart_from_what_was_sent_before(rig: Rig) -> None:
    ann, ola = rig.put("crm", **ANN), rig.put("crm", **OLA)
    rig("sync")
    rig.edit("crm", ann, title="CEO")
    rig.edit("crm", ola, title="CTO")
    file = approved(rig)
    rig.edit("crm", ola, title="CFO")
    assert "not sent: 1 change of the plan, since something moved there" in rig("sync", "--plan", file).err
    ran = rig("sync", "--plan", file)
    assert ran.code == 3
    assert "error[SM242]: not sent: 1 change of the plan, already sent by run 3\n" in ran.err
    assert "error[SM242]: not sent: 1 change of the plan, since something moved there\n" in ran.err


def test_an_opt_out_and_the_edits_behind_it_are_one_plan(rig: Rig) -> None:
    """A no goes out alone, ahead of everything else; what a person approved beside it follows in the same run."""
    ann = rig.put("crm", **ANN)
    rig("sync")
    rig.edit("crm", ann, consent="out", title="CEO")
    file = approved(rig)
    text = rig("plan").out
    assert "    consent to e-mail: not known → opted out" in text
    assert "    job title: (empty) → CEO" in text
    assert rig("sync", "--plan", file).code == 0
    assert rig.shown("list", "consent", "title") == [{"consent": "out", "title": "CEO"}]
    assert [each.method for each in rig.vendors["list"].requests()].count("UPDATE") == 2


def test_what_nobody_approved_does_not_slip_through_behind_an_opt_out(rig: Rig) -> None:
    ann = rig.put("crm", **ANN)
    rig("sync")
    rig.edit("crm", ann, consent="out")
    file = approved(rig)
    rig.edit("crm", ann, title="CEO")
    assert rig("sync", "--plan", file).code == 3
    assert rig.shown("list", "consent", "title") == [{"consent": "out", "title": None}]


def test_open_questions_are_told_and_are_no_failure(rig: Rig) -> None:
    rig.configure("first: apply")
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **ANN, title="Daglig leder")
    ran = rig("sync")
    assert ran.code == 0
    assert '1 question for a person; see "smarketing review list"' in ran.out


def test_a_system_that_fails_is_told_with_its_code_and_the_others_go_on(rig: Rig) -> None:
    rig.put("crm", **ANN)
    rig("sync")
    rig.put("crm", **OLA)
    rig.vendors["list"].fault(Fault.ERROR, When(times=99))
    ran = rig("sync", "--json")
    assert ran.code == 1
    assert list(ran.json["failures"]) == ["list"]
    assert ran.json["systems"]["crm"]["read"] == 1
    assert ran.err.startswith("error[SM301]: list")


def test_a_limit_refuses_with_its_figures_and_the_way_out(rig: Rig) -> None:
    rig.configure("trust: [crm, list], first: apply, limits: {create: {floor: 2, share: 0}}")
    assert rig("sync").code == 0, "the first plan of all fits no limit"
    for n in range(3):
        rig.put("crm", email=f"person{n}@example.com", first_name="Person", last_name=str(n))
    ran = rig("sync")
    assert ran.code == 3
    assert ran.err.startswith("error[SM240]: not sent: 3 of 0 list records would be created in a day (limit 2); look")
    assert rig("sync", "--plan", approved(rig)).code == 0
    assert len(rig.shown("list", "email")) == 3


def test_one_system_alone_is_read_and_written(rig: Rig) -> None:
    rig.put("crm", **ANN)
    rig("sync")
    rig.put("list", **OLA)
    assert rig("sync", "--only", "crm").code == 0
    assert rig.shown("crm", "email") == [{"email": "ann@example.com"}]
    assert rig("sync", "--only", "cmr").err == 'error[SM108]: there is no system "cmr"; did you mean "crm"?\n'


def test_an_interruption_answers_130(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sync.run.sync", interrupted)
    ran = rig("sync")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.startswith("interrupted; nothing is lost")


def test_a_column_that_went_blank_is_not_taken_in_and_the_command_says_so(rig: Rig) -> None:
    for i in range(25):
        rig.put("crm", email=f"p{i}@example.com", first="P", last=f"Person{i}x", title=f"t{i}")
    rig("sync")
    for ref in [each.ref for each in rig.vendors["crm"].records()]:
        rig.vendors["crm"].edit(ref, {"title": None})
    ran = rig("sync")
    assert (ran.code, ran.err) == (
        3,
        "error[SM247]: not taken in: 25 of 25 crm values of title were cleared in a day (100%, limit 20); look with "
        '"smarketing review list --kind inbound"\n',
    )
    assert None not in [each["title"] for each in rig.shown("list", "title")]
    (held,) = rig("sync", "--json").json["held_back"]
    assert (held["system"], held["field"], held["what"], held["count"]) == ("crm", "title", "cleared", 25)


# --- files that are refused ------------------------------------------------------------------------------------------


def cut_short(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


def cut_in_a_line(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def edit_a_value(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("Fjord AS", "Fjell AS"), encoding="utf-8")


def hide_a_value(file: Path) -> None:
    """Somebody edits what is shown and makes the checksum fit."""
    import hashlib

    edit_a_value(file)
    header, _, content = file.read_bytes().partition(b"\n")
    told = {**json.loads(header), "content": hashlib.sha256(content).hexdigest()}
    file.write_bytes(json.dumps(told).encode() + b"\n" + content)


def change_a_hash(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(json.loads(text.splitlines()[1])["changes"][0]["hash"], "0" * 16), encoding="utf-8")


def make_it_another_thing(file: Path) -> None:
    file.write_text('{"type": "letter"}\n', encoding="utf-8")


def make_it_newer(file: Path) -> None:
    file.write_text(
        file.read_text(encoding="utf-8").replace('"format_version": "1.0"', '"format_version": "2.0"'), encoding="utf-8"
    )


def take_it_elsewhere(file: Path) -> None:
    with sqlite3.connect(file.parent / "store.db") as store:
        store.execute("UPDATE meta SET value = 'elsewhere' WHERE name = 'generation'")
    store.close()


def forget_the_run(file: Path) -> None:
    """The run of that number was another one."""
    with sqlite3.connect(file.parent / "store.db") as store:
        store.execute("UPDATE run SET digest = 'another' WHERE kind = 'plan'")
    store.close()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (Path.unlink, "SM231"),
        (make_it_another_thing, "SM231"),
        (make_it_newer, "SM232"),
        (cut_short, "SM233"),
        (cut_in_a_line, "SM233"),
        (edit_a_value, "SM233"),
        (hide_a_value, "SM233"),
        (change_a_hash, "SM233"),
        (take_it_elsewhere, "SM234"),
        (forget_the_run, "SM235"),
    ],
)
def test_a_plan_that_is_not_what_was_shown_is_refused(rig: Rig, harm: object, code: str) -> None:
    rig.put("crm", **ANN)
    rig.put("crm", **OLA)
    file = approved(rig)
    assert callable(harm)
    harm(Path(file))
    ran = rig("sync", "--plan", file)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]: {file}: " in ran.err
    assert rig.shown("list", "email") == []


def test_a_folder_is_no_plan(rig: Rig) -> None:
    ran = rig("sync", "--plan", str(rig.folder))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error[SM231]: {rig.folder}: this is a folder; name the file that a plan was kept in\n"


def test_a_plan_made_with_another_mapping_is_refused(rig: Rig) -> None:
    rig.put("crm", **ANN)
    file = approved(rig)
    (rig.folder / "own.yaml").write_text("fields: {title: null}\n", encoding="utf-8")
    rig.configure("trust: [crm, list], first: approve", crm="mapping: own.yaml")
    ran = rig("sync", "--plan", file)
    assert ran.code == 2
    assert "error[SM236]" in ran.err
    assert rig.shown("list", "email") == []


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_two_vendors_over_http_come_to_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = RealWorld()
    hubspot = HubSpotEmulator(world, token="pat-sandbox", search_lag=0.0)
    salesforce = SalesforceEmulator(world, client_id="app", client_secret="s", username="u@example.com", password="p")
    hubspot.put("contact", {"email": "ann@example.com", "firstname": "Ann", "lastname": "Berg", "jobtitle": "CEO"})
    salesforce.put(
        "Lead",
        {
            "Email": "ann@example.com",
            "FirstName": "Ann",
            "LastName": "Berg",
            "Company": "Fjord AS",
            "Title": "Daglig leder",
        },
    )
    file = tmp_path / "smarketing.yaml"

    def typed(*words: str) -> tuple[int, str]:
        told = answered(capsys, "--config", str(file), *words)
        return told.code, told.out

    with Sandbox({"hubspot": hubspot, "salesforce": salesforce}, world, "control") as sandbox:
        urls = {name: said["base_url"] for name, said in sandbox.line().items() if "base_url" in said}
        file.write_text(
            f"""
            database: sqlite:///{tmp_path / "store.db"}
            systems:
              hubspot: {{connector: hubspot, token: pat-sandbox, base_url: "{urls["hubspot"]}"}}
              salesforce: {{connector: salesforce, client_id: app, client_secret: s, base_url: "{urls["salesforce"]}"}}
            sync: {{trust: [salesforce, hubspot]}}
            """,
            encoding="utf-8",
        )
        plan = str(tmp_path / "plan.jsonl")
        assert typed("sync")[0] == 3
        code, text = typed("plan", "--out", plan, "--exit-code")
        assert code == 4
        assert (
            "job title: CEO → Daglig leder   (salesforce: first contact, it is trusted; lost: hubspot with CEO)" in text
        )
        assert typed("sync", "--plan", plan)[0] in (0, 3)
        typed("sync")
        code, text = typed("plan", "--json", "--exit-code")
        assert (code, json.loads(text.splitlines()[-1])["totals"]["update"]) == (0, 0)
        (contact,) = hubspot.records()
        assert contact.fields["jobtitle"] == "Daglig leder"
