"""What is said of a mapping file, at its line; and of a live account against a mapping."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.base import Finding, Option, Schema, SchemaField
from mappings.lead import LeadShape
from mappings.lint import compare, lint
from mappings.mapping import ObjectMapping, compile_mapping
from tests.mappings.files import located, where

SHAPE = LeadShape()

BUILT_IN = located(
    """
    connector: crm
    objects:
      Contact:
        fields:
          email: {remote: Email, slot: true}
          title: Title
          stage:
            remote: Stage
            options: {Subscriber: subscriber, Lead: lead, MQL: mql, SQL: sql, Opportunity: opportunity,
                      Customer: customer, Evangelist: evangelist}
      Lead:
        fields:
          email: {remote: Email, slot: true}
          company: Company
    """
)


def said(text: str, *, over: bool = False) -> list[str]:
    own = located(text)
    found = lint(own.value, where(own), SHAPE, built_in=BUILT_IN.value if over else None)
    return [f"{each.level} {each.code} {each.text}" for each in found]


def test_a_sound_file_is_told_nothing() -> None:
    assert said("objects: {person: {fields: {email: {remote: e, slot: true}, title: t}}}") == []
    assert lint(BUILT_IN.value, where(BUILT_IN), SHAPE) == []


def test_every_problem_stands_at_its_line_and_column() -> None:
    text = """
    connector: crm
    objects:
      person:
        fields:
          email: {remote: e, slot: true}
          first_nmae: f
          title: {remote: t, as: txt, lenght: 5}
          stage:
            remote: s
            options:
              A: lead
              B: mqll
    """
    assert said(text) == [
        'error SM121 own.yaml:7:7: unknown lead field "first_nmae"; did you mean "first_name"?',
        'error SM123 own.yaml:8:35: unknown key "lenght"; did you mean "length"?',
        'error SM122 own.yaml:8:26: unknown transform "txt"; did you mean "text"?',
        'error SM126 own.yaml:13:11: the option "B" stands for "mqll"; allowed: subscriber, lead, mql, sql, '
        'opportunity, customer, evangelist; did you mean "mql"?',
    ]


# --- what compiles, and is hardly meant ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "consent.emial: c",
            'warning SM129 own.yaml:1:65: "emial" is no channel that we know; did you mean "email"?; '
            "known: email, phone, sms, post, push, social",
        ),
        (
            "consent.email: {remote: c, direction: out}",
            'warning SM129 own.yaml:1:65: direction "out": refusals from here are never heard',
        ),
        (
            "consent.email: {remote: c, direction: in}",
            'warning SM129 own.yaml:1:65: direction "in": refusals from elsewhere are never told here',
        ),
        (
            "stage: {remote: s, options: {Lead: lead, MQL: mql, SQL: sql, Customer: customer}}",
            "advice SM129 own.yaml:1:57: leads of the stage subscriber, opportunity, evangelist have no word here, "
            "and wait for a person",
        ),
        ("stage: {remote: s, direction: in, options: {Lead: lead}}", None),
        ("consent.email.newsletter: c", None),
    ],
)
def test_what_is_hardly_meant_is_told(line: str, wanted: str | None) -> None:
    found = said(f"objects: {{person: {{fields: {{email: {{remote: e, slot: true}}, {line}}}}}}}")
    assert [each.replace(each.split(": ", 1)[0].split(":", 1)[1], "…") for each in found] == (
        [] if wanted is None else [wanted.replace(wanted.split(": ", 1)[0].split(":", 1)[1], "…")]
    )


def test_an_address_without_a_slot_is_told() -> None:
    assert said("objects: {person: {fields: {email: e}}}") == [
        "warning SM129 own.yaml:1:29: two records of one person would be given one address; write slot: true"
    ]


def test_an_object_without_an_address_is_told() -> None:
    assert said("objects: {person: {fields: {title: t}}}") == [
        'warning SM129 own.yaml:1:11: "person" maps no e-mail address: its people are known by nothing else'
    ]


# --- a user's file over the built-in one -----------------------------------------------------------------------


def test_a_problem_in_a_users_line_stands_in_the_users_file() -> None:
    text = """
    fields:
      title: {remote: T__c, lenght: 5}
    objects:
      Lead:
        fields:
          company: {remote: C__c, filler: 5}
    """
    assert said(text, over=True) == [
        'error SM123 own.yaml:3:25: unknown key "lenght"; did you mean "length"?',
        "error SM124 own.yaml:7:31: filler must be a text, or a list of texts; put numbers, true and false in quotes",
    ]


def test_a_users_line_that_takes_a_field_of_the_built_in_one_is_told_at_the_users_line() -> None:
    assert said("objects: {Contact: {fields: {source: Title}}}", over=True) == [
        'error SM125 own.yaml:1:30: native field "Title" is mapped by two lines, here and by "title"'
    ]


def test_an_object_that_does_not_exist_is_told_with_those_that_do() -> None:
    assert said("objects: {Leed: {fields: {title: T__c}}}", over=True)[0] == (
        'error SM127 own.yaml:1:11: there is no object "Leed" here; did you mean "Lead"?'
    )
    assert said("objects: {row: {fields: {title: T__c}}}", over=True)[0] == (
        'error SM127 own.yaml:1:11: there is no object "row" here; there is Contact and Lead'
    )


def test_a_line_that_takes_out_nothing_is_told() -> None:
    text = "{fields: {titel: null, title: null}, objects: {Lead: {fields: {stage: null, company: null}}}}"
    assert said(text, over=True) == [
        'warning SM121 own.yaml:1:64: "stage" takes a line out that is not there',
        'warning SM121 own.yaml:1:11: "titel" takes a line out that is not there; did you mean "title"?',
    ]


def test_a_file_says_whether_it_extends_by_yes_or_no() -> None:
    assert said("extends: crm\nobjects: {}", over=True) == [
        'error SM124 own.yaml:1:1: extends "crm"; allowed: true, false'
    ]


def test_a_file_that_stands_alone_is_not_held_against_the_built_in_lines() -> None:
    text = "{extends: false, objects: {Lead: {fields: {email: {remote: E, slot: true}, source: Company, phone: null}}}}"
    assert said(text, over=True) == ['error SM124 own.yaml:1:93: "phone" names no native field; write "phone: NAME"']


# --- examples ----------------------------------------------------------------------------------------------------

PERSON = """
objects:
  person:
    fields:
      email: {remote: e, slot: true}
      first_name: f
      last_name: l
      phone: p
      title: {remote: t, length: 6}
      stage: {remote: s, options: {S: subscriber, L: lead, M: mql, Q: sql, O: opportunity, C: customer, E: evangelist}}
    examples:
"""


@pytest.mark.parametrize(
    ("example", "wanted"),
    [
        ('{native: {f: " Kari", p: 22334455}, lead: {first_name: Kari, phone: "+4722334455"}}', None),
        ("{native: {f: null}, lead: {first_name: null}}", None),
        ("{native: {f: null}, lead: {}}", None),
        ("{native: {f: Kari, l: null}, lead: {first_name: Kari}}", None),
        ("{native: {s: X}, unreadable: [stage]}", None),
        ("{native: {s: X, f: Kari}, unreadable: [stage], lead: {first_name: Kari}}", None),
        ("{lead: {title: CTO, first_name: Kari}, written: {t: CTO, f: Kari, l: null}}", None),
        ("{lead: {title: null, first_name: Kari}, written: {f: Kari}, creating: true}", None),
        ("{lead: {stage: customer, title: CTO}, written: {s: C, t: CTO}, about: two}", None),
        ("{lead: {title: Daglig leder}, round: {title: Daglig}}", None),
        ("{lead: {first_name: Kari}, native: {l: Nordmann}, round: {first_name: Kari, last_name: null}}", None),
        (
            "{native: {f: Kari}, lead: {first_name: Ola}}",
            'the example fails: "first_name" is read as "Kari", expected "Ola"',
        ),
        (
            "{native: {f: Kari, t: CTO}, lead: {title: CTO}}",
            'the example fails: "first_name" is read as "Kari", expected nothing',
        ),
        ("{native: {}, lead: {title: null}}", 'the example fails: "title" is read as nothing, expected empty'),
        ("{native: {s: X}, lead: {}}", "the example fails: unreadable is stage, expected nothing"),
        ("{native: {s: C}, unreadable: [stage]}", "the example fails: unreadable is nothing, expected stage"),
        ("{lead: {title: null}, written: {}}", 'the example fails: "t" is written as empty, expected nothing'),
        ("{lead: {title: CTO}, written: {t: null}}", 'the example fails: "t" is written as "CTO", expected empty'),
        ("{lead: {title: CTO}, unwritable: [title]}", "the example fails: unwritable is nothing, expected title"),
        (
            "{lead: {title: Daglig leder}, round: {title: Daglig leder}}",
            'the example fails: "title" comes back as "Daglig", expected "Daglig leder"',
        ),
        ("{lead: {titel: CTO}, written: {}}", 'unknown lead field "titel"; did you mean "title"?'),
        ("{native: {f: Kari}}", "the example shows nothing: say native and lead, or lead and written"),
        ("{lead: {title: CTO}}", "the example shows nothing: say native and lead, or lead and written"),
        ("{nativ: {}, lead: {title: CTO}, written: {t: CTO}}", 'unknown key "nativ"; did you mean "native"?'),
        ("{native: [a], lead: {}}", "native must be a map of fields"),
        ("{native: {}, unreadable: stage}", "unreadable must be a list of groups"),
        ("just text", "an example must be a map, with native, lead, written or round"),
    ],
)
def test_an_example_that_does_not_hold_is_told_with_what_came_instead(example: str, wanted: str | None) -> None:
    found = said(f"{PERSON}      - {example}\n")
    assert [each.split(": ", 1)[1] for each in found] == ([] if wanted is None else [wanted])
    assert all(each.startswith("error SM12") and "own.yaml:12:" in each for each in found)


def test_a_value_that_cannot_be_written_fails_a_round() -> None:
    text = PERSON.replace("E: evangelist", "E: [evangelist]").replace("C: customer, ", "")
    found = said(f"{text}      - {{lead: {{stage: customer}}, round: {{stage: customer}}}}\n")
    assert [each.split(": ", 1)[1] for each in found][:2] == [
        'the group "stage" cannot be written',
        'the example fails: "stage" comes back as nothing, expected "customer"',
    ]


def test_examples_must_be_a_list() -> None:
    assert said(f"{PERSON}      native: {{}}\n") == ["error SM124 own.yaml:11:5: examples must be a list"]


# --- against a live account --------------------------------------------------------------------------------------


def mapping(lines: str) -> ObjectMapping:
    own = located(f"objects: {{person: {{fields: {{{lines}}}}}}}")
    return compile_mapping(own.value, SHAPE, where=where(own)).objects["person"]


def told(lines: str, *fields: SchemaField) -> list[str]:
    found: list[Finding] = compare(mapping(lines), Schema("person", fields))
    assert all("own.yaml:1:" in each.text or each.code == "SM146" for each in found)
    return [f"{each.level} {each.code} {each.text.split(': ', 1)[-1]} → {each.hint}" for each in found]


TEXT = SchemaField("t", "T", "text", length=40)
LONG = replace(TEXT, length=32_000)
CHOICE = SchemaField("s", "S", "choice", options=(Option("A", "A"), Option("B", "B")))


@pytest.mark.parametrize(
    ("lines", "fields", "wanted"),
    [
        ("title: {remote: t, length: 40}", [TEXT], []),
        ("title: t", [LONG], []),
        ("title: {remote: t, direction: in}", [replace(TEXT, read_only=True)], []),
        (
            "title: t",
            [replace(LONG, name="tt")],
            [
                'warning SM141 there is no field "t", or our user does not see it; did you mean "tt"? → '
                "until then it is neither read nor written: make it visible, or take the line out"
            ],
        ),
        (
            "consent.email: c",
            [],
            [
                'error SM141 there is no field "c", or our user does not see it → '
                "until then it is neither read nor written: make it visible, or take the line out"
            ],
        ),
        (
            "title: t",
            [replace(LONG, read_only=True)],
            ['error SM142 "t" is read-only over there, and the mapping writes it → write direction: in'],
        ),
        (
            "consent.email: {remote: t, as: opt_out_box}",
            [replace(LONG, type="date", length=None)],
            ['warning SM143 "t" is a date field, which "opt_out_box" does not fit → choose another transform with as:'],
        ),
        ("tags: {remote: t, as: list}", [replace(LONG, type="choices")], []),
        ("title: t", [replace(LONG, type="other")], []),
        (
            "title: t",
            [TEXT],
            [
                'warning SM144 "t" takes 40 characters, and the mapping tells no length → '
                "write length: 40; longer values are refused over there"
            ],
        ),
        (
            "title: {remote: t, length: 80}",
            [TEXT],
            [
                'error SM144 "t" takes 40 characters, the mapping says 80 → '
                "write length: 40; longer values are refused over there"
            ],
        ),
        (
            "title: {remote: t, length: 20}",
            [TEXT],
            ['advice SM144 "t" takes 40 characters, the mapping uses 20 of them → write length: 40'],
        ),
        ("title: {remote: t, direction: in}", [TEXT], []),
        (
            "stage: {remote: s, options: {A: lead, C: mql}}",
            [CHOICE],
            [
                'error SM145 "s" has no option "C" → take it out of the mapping, or add it over there',
                'warning SM145 "s" has options that the mapping does not name: B → '
                "records with one of them wait for a person; tell under options what each means",
            ],
        ),
        (
            "lead_status: {remote: s, options: {A: new, C: old}}",
            [replace(CHOICE, restricted=False)],
            [
                'warning SM145 "s" has no option "C" → take it out of the mapping, or add it over there',
                'advice SM145 "s" has options that the mapping does not name: B → '
                "records with one of them wait for a person; tell under options what each means",
            ],
        ),
        ("lead_status: {remote: s, options: {A: new}, filler: B}", [CHOICE], []),
        ('lead_status: {remote: s, options: {A: new, "*": other}}', [CHOICE], []),
        ("lead_status: s", [CHOICE], []),
        ("source: s", [CHOICE], []),
        (
            "title: t",
            [LONG, replace(LONG, name="last", required=True)],
            [
                'error SM146 "last" of person is required over there, and nothing writes it → '
                "no record can be made: map it, or let it be empty over there"
            ],
        ),
        (
            "title: t",
            [replace(LONG, required=True)],
            ['warning SM146 "t" is required over there → write required: true, and a filler if people may lack it'],
        ),
        ("title: {remote: t, required: true}", [replace(LONG, required=True)], []),
        (
            "title: {remote: t, direction: in}",
            [replace(LONG, required=True)],
            [
                'error SM146 "t" of person is required over there, and nothing writes it → '
                "no record can be made: map it, or let it be empty over there"
            ],
        ),
        ("title: t", [LONG, replace(LONG, name="id", required=True, read_only=True)], []),
        ("company: {remote: [t, u], as: first_of}", [LONG, replace(LONG, name="u", read_only=True)], []),
    ],
)
def test_a_mapping_is_held_against_the_fields_that_are_there(
    lines: str, fields: list[SchemaField], wanted: list[str]
) -> None:
    assert told(lines, *fields) == wanted
