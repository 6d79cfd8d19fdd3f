"""What `status`, `why` and `leads` tell."""

from __future__ import annotations

from connectors.backdoor import Fault, When
from tests.smarketing.cli.answers import golden
from tests.smarketing.cli.rig import ANN, OLA, Rig, rig

__all__ = ["rig"]


def settled(rig: Rig) -> None:
    """Ann is in both and has been edited on both sides; Ola is in the list alone and opted out."""
    ann = rig.put("crm", **ANN)
    rig.put("list", **OLA, consent="out")
    assert rig("sync").code == 0
    (there,) = [each.ref for each in rig.vendors["list"].records() if each.fields["email"] == "ann@example.com"]
    rig.edit("crm", ann, title="CEO")
    rig.edit("list", there, title="Daglig leder", city="Ås")
    assert rig("sync").code == 0


def unsettled(rig: Rig) -> None:
    """Nobody says which title of Ann's is right."""
    rig.configure("first: apply")
    rig.put("crm", **ANN, title="CEO")
    rig.put("list", **ANN, title="Daglig leder")
    assert rig("sync").code == 0


# --- status ----------------------------------------------------------------------------------------------------------


def test_the_status_tells_systems_what_waits_and_the_last_runs(rig: Rig) -> None:
    unsettled(rig)
    ran = rig("status")
    assert (ran.code, ran.err) == (0, "")
    golden("status.txt", ran.out, rig)


def test_the_status_for_programs_is_one_document(rig: Rig) -> None:
    unsettled(rig)
    golden("status.json", rig("status", "--json").out, rig)


def test_the_status_answers_3_while_decisions_wait_and_only_where_it_is_asked_for(rig: Rig) -> None:
    unsettled(rig)
    assert (rig("status").code, rig("status", "--exit-code").code) == (0, 3)
    rig("review", "decide", "1", "take crm")
    assert rig("status", "--exit-code").code == 0


def test_a_first_plan_that_nobody_approved_is_a_decision_that_waits(rig: Rig) -> None:
    rig.configure("trust: [crm, list]")
    rig.put("crm", **ANN)
    assert rig("status", "--exit-code").code == 0
    rig("sync")
    ran = rig("status", "--exit-code")
    assert ran.code == 3
    assert "first plan not approved" in ran.out


def test_a_system_that_backs_off_is_told_with_the_reason_and_until_when(rig: Rig) -> None:
    rig.put("crm", **ANN)
    rig.vendors["list"].fault(Fault.FORBIDDEN, When(times=99))
    rig("sync")
    out = rig("status").out
    assert "list: backs off until 2026-01-01 01:16:00: SM303: list: the token has no right" in out
    assert "list: not read whole yet, so nobody is created in it" in out


# --- why -------------------------------------------------------------------------------------------------------------


def test_a_record_is_found_by_its_bare_id_and_by_object_and_id(rig: Rig) -> None:
    settled(rig)
    first, second = rig("why", "crm", "1001"), rig("why", "crm", "person:1001")
    assert first == second
    assert first.out == "crm person:1001: lead 1, Ann Berg, Fjord AS\n  it shows what its lead says\n"


def test_what_keeps_a_record_from_agreeing_is_told_field_by_field(rig: Rig) -> None:
    unsettled(rig)
    assert rig("why", "list", "1001").out == (
        "list person:1001: lead 1, Ann Berg, Fjord AS\n"
        "  job title: it waits for a person: first contact (shows Daglig leder, should show (empty))\n"
    )
    golden("why.json", rig("why", "list", "1001", "--json").out, rig)


def test_a_record_that_was_never_read_says_so(rig: Rig) -> None:
    settled(rig)
    assert rig("why", "crm", "4711").out == "crm person:4711: it belongs to no lead\n  it was never read\n"


def test_unknown_names_are_answered_with_the_nearest(rig: Rig) -> None:
    settled(rig)
    assert rig("why", "lits", "1001").err == 'error[SM108]: there is no system "lits"; did you mean "list"?\n'
    ran = rig("why", "list", "persom:1001")
    assert (ran.code, ran.err) == (2, 'error[SM127]: list: there is no object "persom"; did you mean "person"?\n')


# --- leads -----------------------------------------------------------------------------------------------------------


def test_leads_are_found_by_the_beginning_of_a_name_an_address_or_a_company(rig: Rig) -> None:
    settled(rig)
    assert [each["lead"] for each in rig("leads", "search", "ber", "--json").json["leads"]] == [1]
    assert [each["lead"] for each in rig("leads", "search", "ola@", "--json").json["leads"]] == [2]
    assert [each["lead"] for each in rig("leads", "search", "fjord", "--json").json["leads"]] == [1]
    assert rig("leads", "search", "nobody").out == "nobody is found\n"
    golden("leads-search.json", rig("leads", "search", "ann", "--json").out, rig)
    assert rig("leads", "search", "ann").out.splitlines()[1].split() == [
        "1",
        "Ann",
        "Berg",
        "ann@example.com",
        "Fjord",
        "AS",
    ]


def test_a_lead_is_shown_with_the_origin_of_each_value(rig: Rig) -> None:
    settled(rig)
    ran = rig("leads", "show", "1")
    assert (ran.code, ran.err) == (0, "")
    golden("leads-show.txt", ran.out, rig)
    golden("leads-show.json", rig("leads", "show", "1", "--json").out, rig)
    assert rig("leads", "show", "crm", "1001") == ran


def test_a_value_that_waits_is_shown_with_what_each_system_has(rig: Rig) -> None:
    unsettled(rig)
    out = rig("leads", "show", "1").out
    assert "  job title: (empty)\n    waits for a person: first contact\n" in out
    assert "    job title: shows CEO: it waits for a person: first contact\n" in out


def test_an_opt_out_is_shown_with_its_evidence(rig: Rig) -> None:
    settled(rig)
    out = rig("leads", "show", "2").out
    assert "consent to e-mail: opted out" in out
    assert "consent to e-mail, ola@example.com: opted out (list: out)" in out


def test_the_history_tells_who_changed_what_and_what_lost(rig: Rig) -> None:
    settled(rig)
    ran = rig("leads", "history", "1")
    assert (ran.code, ran.err) == (0, "")
    golden("leads-history.txt", ran.out, rig)
    golden("leads-history.json", rig("leads", "history", "1", "--json").out, rig)


def test_a_lead_that_is_not_there_is_told(rig: Rig) -> None:
    settled(rig)
    for words in (["4711"], ["crm", "4711"], ["Ann"], ["crm", "a", "b"]):
        ran = rig("leads", "show", *words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error[SM237]: ")


# --- editing ---------------------------------------------------------------------------------------------------------


def test_an_edit_goes_out_to_every_system_at_once_and_stands_in_the_history(rig: Rig) -> None:
    settled(rig)
    ran = rig("leads", "edit", "1", "first_name=Åse", "phone=91 23 45 67", "--why", "she called")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("lead 1 is changed\n")
    for system in ("crm", "list"):
        assert {"first_name": "Åse", "last_name": "Berg", "phone": "+4791234567"} in rig.shown(
            system, "first_name", "last_name", "phone"
        )
    assert rig("leads", "history", "1", "--json").json["history"][-3]["why"] == "she called"
    assert rig("plan", "--exit-code").code == 0


def test_nothing_after_the_sign_takes_a_value_away(rig: Rig) -> None:
    settled(rig)
    assert rig("leads", "edit", "1", "title=", "--json").json["totals"]["done"] == 2
    assert [each["title"] for each in rig.shown("crm", "title")] == [None, None]


def test_a_no_can_be_said_for_somebody_and_a_yes_cannot(rig: Rig) -> None:
    settled(rig)
    assert rig("leads", "edit", "1", "consent.email=out").code == 0
    assert [each["consent"] for each in rig.shown("crm", "consent")] == ["out", "out"]
    assert "opted out (said by kari)" in rig("leads", "show", "1").out
    ran = rig("leads", "edit", "1", "consent.email=in")
    assert (ran.code, ran.err.split(":")[0]) == (2, "error[SM243]")
    assert [each["consent"] for each in rig.shown("crm", "consent")] == ["out", "out"]


def test_an_edit_that_cannot_be_is_refused_whole(rig: Rig) -> None:
    settled(rig)
    before = rig("leads", "show", "1").out
    for values, told in (
        (["titel=CEO"], 'a lead has no field "titel"; did you mean "title"?'),
        (["title=CTO", "email=nonsense"], 'nothing was done: "nonsense" is no value for email: '),
        (["title"], '"title" sets nothing; write FIELD=VALUE'),
        (["title=a", "title=b"], "title is set twice; say it once"),
        (["region=Viken"], "nothing was done: no system here has the field region, so nobody could be told"),
    ):
        ran = rig("leads", "edit", "1", *values)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"error[SM243]: {told}")
    assert rig("leads", "show", "1").out == before
