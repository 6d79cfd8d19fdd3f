"""What `verify` tells, how it ends, and that what was spoilt silently in a vendor is found."""

from __future__ import annotations

import pytest

from connectors.backdoor import Fault, When
from connectors.base import Fields, Ref, State
from sync.store import feeds
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig
from tests.smarketing.cli.two_vendors import Vendors, typed, vendors

__all__ = ["rig", "typed", "vendors"]


def there(rig: Rig, system: str, first: str) -> Ref:
    (found,) = [each.ref for each in rig.vendors[system].records() if each.fields["first_name"] == first]
    return found


def settled(rig: Rig) -> None:
    """Ann and Ola are in both systems, and all agree."""
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **OLA)
    assert rig("sync").code == 0


def differing(rig: Rig) -> None:
    """Nobody knows Ann's title; Ola's city was spoilt in the list; somebody edited the CRM, and somebody is new."""
    rig.configure("first: apply")
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **ANN, title="Daglig leder")
    rig.put("crm", **OLA, city="Oslo")
    assert rig("sync").code == 0
    assert rig("sync").code == 0
    rig.vendors["list"].corrupt(there(rig, "list", "Ola"), {"city": "Bergen"})
    rig.edit("crm", there(rig, "crm", "Ola"), company="Fjord AS")
    rig.put("list", email="new@example.com", first_name="Nina", last_name="Ny")


# --- what is told ----------------------------------------------------------------------------------------------------


def test_where_all_agree_every_field_is_told_and_it_ends_with_0(rig: Rig) -> None:
    settled(rig)
    ran = rig("verify")
    assert (ran.code, ran.err) == (0, "")
    assert "crm     job title                 2      2  100.0 %\n" in ran.out
    assert "crm: 2 records, read whole, in 1 request\n" in ran.out
    assert ran.out.endswith(" agree (100.0 %)\n")


def test_each_difference_is_told_with_its_cause_the_gravest_first(rig: Rig) -> None:
    differing(rig)
    ran = rig("verify")
    assert ran.code == 3
    golden("verify.txt", ran.out, rig)
    assert ran.err == (
        'error[SM260]: 1 difference that nothing explains (target 0); hold the records against "smarketing leads '
        'show", then put right whichever is wrong\n'
    )


def test_programs_get_one_document_with_every_difference(rig: Rig) -> None:
    differing(rig)
    ran = rig("verify", "--json")
    assert ran.code == 3
    golden("verify.json", ran.out, rig)
    causes = [(each["system"], each["group"], each["cause"]) for each in ran.json["differences"]]
    assert causes == [
        ("list", "address", "unexplained"),
        ("crm", "company", "unread"),
        ("list", None, "unread"),
        ("crm", "title", "frozen"),
        ("list", "title", "frozen"),
    ]


def test_no_more_than_fifty_differences_are_shown_and_the_gravest_is_among_them(rig: Rig) -> None:
    for number in range(60):
        rig.put("crm", email=f"p{number}@example.com", first_name="Pia", last_name=f"Person{number}x", title="t0")
    rig("sync", "--json")
    rig("sync", "--json")
    for each in rig.vendors["crm"].records():
        rig.edit("crm", each.ref, title="t1")
    last = rig.vendors["list"].records()[-1].ref
    rig.vendors["list"].corrupt(last, {"title": "spoilt"})
    out = rig("verify").out
    assert out.count(": lead ") == 50
    assert f"list {last}" in out
    assert out.endswith("\nand 11 more; --json tells them all\n")
    assert len(rig("verify", "--json").json["differences"]) == 61


def test_a_sample_reads_no_more_than_that(rig: Rig) -> None:
    settled(rig)
    before = len(rig.vendors["crm"].requests())
    ran = rig("verify", "--sample", "1", "--json")
    assert (ran.code, ran.json["sample"]) == (0, 1)
    assert {name: each["read"] for name, each in ran.json["systems"].items()} == {"crm": 1, "list": 1}
    assert [each.method for each in rig.vendors["crm"].requests()[before:]] == ["GET"]
    assert "crm: 1 record, read by chance, in 1 request\n" in rig("verify", "--sample", "1").out
    assert rig("verify", "--sample", "0").code == 2


def test_people_without_a_record_somewhere_are_told(rig: Rig) -> None:
    rig.configure("first: apply", list="writes: update")
    settled(rig)
    assert "list: 1 record, read whole, in 1 request; 1 person without a record there\n" in rig("verify").out


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_as_many_unexplained_as_the_target_allows_are_put_up_with(rig: Rig) -> None:
    settled(rig)
    for name in ("Ann", "Ola"):
        rig.vendors["list"].corrupt(there(rig, "list", name), {"title": "spoilt"})
    config = rig.folder / "smarketing.yaml"
    text = config.read_text("utf-8")
    for target, code in ((0, 3), (1, 3), (2, 0)):
        config.write_text(f"{text}verify: {{unexplained: {target}}}\n", encoding="utf-8")
        ran = rig("verify", "--json")
        assert (ran.code, ran.json["unexplained"], ran.json["target"]) == (code, 2, target)
        assert ("error[SM260]: 2 differences" in ran.err) is (code == 3)


def test_a_target_that_is_no_number_is_told_with_its_place(rig: Rig) -> None:
    rig.configure("first: apply")
    with (rig.folder / "smarketing.yaml").open("a", encoding="utf-8") as file:
        file.write("verify: {unexplained: -1}\n")
    ran = rig("verify")
    assert ran.code == 2
    assert "error[SM104]" in ran.err


def test_other_differences_end_with_0(rig: Rig) -> None:
    settled(rig)
    rig.edit("crm", there(rig, "crm", "Ann"), title="CTO")
    ran = rig("verify", "--json")
    assert (ran.code, ran.json["causes"], ran.json["oldest"]["cause"]) == (0, {"unread": 1}, "unread")


def test_a_system_that_cannot_be_read_ends_with_1_and_the_others_are_told(rig: Rig) -> None:
    settled(rig)
    rig.vendors["list"].corrupt(there(rig, "list", "Ann"), {"title": "spoilt"})
    rig.vendors["crm"].fault(Fault.FORBIDDEN, When(times=99))
    ran = rig("verify", "--json")
    assert (ran.code, ran.json["systems"]["crm"]["failure"]["code"]) == (1, "SM303")
    assert ran.json["unexplained"] == 1
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ["error[SM303]", "error[SM260]"]
    assert "crm: 0 records, not read whole" in rig("verify").out


def test_another_process_at_work_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(rig)
    held = feeds.Held("daemon@host:1", 1, 2**62)
    monkeypatch.setattr("sync.store.feeds.lease_of", lambda tx, name: held if name == "system list" else None)
    monkeypatch.setattr(rig.world, "alive", lambda owner: True)
    ran = rig("verify", "--json")
    assert (ran.code, ran.json["at_work"]) == (0, [{"process": "daemon@host", "on": "list"}])
    assert ran.err.startswith("warning[SM261]: another smarketing process (daemon@host) was at work (list); ")


def test_it_changes_nothing_over_there_and_no_run_is_noted(rig: Rig) -> None:
    differing(rig)
    before = [[(each.ref, dict(each.fields)) for each in vendor.records()] for vendor in rig.vendors.values()]
    runs = rig("status", "--json").json["runs"]
    rig("verify")
    rig("verify", "--sample", "3")
    assert [[(each.ref, dict(each.fields)) for each in vendor.records()] for vendor in rig.vendors.values()] == before
    assert rig("status", "--json").json["runs"] == runs


# --- real connectors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "object_", "spoilt", "group"),
    [
        ("crm", "contact", {"jobtitle": "spoilt"}, "title"),
        ("crm", "contact", {"email": "other@example.com"}, "email"),
        ("sf", "Lead", {"Title": "spoilt"}, "title"),
        ("sf", "Lead", {"HasOptedOutOfEmail": True}, "consent.email"),
    ],
)
def test_what_was_spoilt_silently_over_there_is_found_over_http(
    vendors: Vendors, system: str, object_: str, spoilt: Fields, group: str
) -> None:
    vendors.configure()
    config = vendors.typed.folder / "smarketing.yaml"
    config.write_text(config.read_text("utf-8") + "sync: {first: apply, trust: [crm, sf]}\n", encoding="utf-8")
    vendors.hubspot.put(
        "contact", {"email": "ann@example.com", "firstname": "Ann", "lastname": "Berg", "jobtitle": "CEO"}
    )
    for _ in range(3):
        vendors.world.sleep(7_200)  # whatever a feed shows late, or a second time, has been read by then
        assert vendors.typed("sync", "--json").code == 0
    calm = vendors.typed("verify", "--json")
    assert (calm.code, calm.json["unexplained"]) == (0, 0), calm.json["differences"]
    stand_in = vendors.hubspot if system == "crm" else vendors.salesforce
    (ann,) = [
        each
        for each in stand_in.records()
        if each.ref.object == object_ and each.state is State.LIVE and "Berg" in each.fields.values()
    ]
    stand_in.corrupt(ann.ref, spoilt)
    vendors.world.sleep(120)
    assert vendors.typed("sync", "--json").code == 0
    for words in ((), ("--sample", "10")):
        ran = vendors.typed("verify", "--json", *words)
        assert (ran.code, ran.json["unexplained"]) == (3, 1), ran.out
        (found,) = [each for each in ran.json["differences"] if each["cause"] == "unexplained"]
        assert (found["system"], found["record"], found["group"]) == (system, str(ann.ref), group)
