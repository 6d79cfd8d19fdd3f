"""Records read into groups, groups written, and what comes back; and everything that can be wrong in a file."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Fields
from mappings.lead import Canon, LeadShape
from mappings.mapping import MappingError, ObjectMapping, compile_mapping, extend
from mappings.transforms import Unwritable

SHAPE = LeadShape({"score": "integer", "interests": "set"})


def made(fields: dict[str, Any], **more: Any) -> ObjectMapping:
    return compile_mapping({"objects": {"person": {"fields": fields, **more}}}, SHAPE).objects["person"]


def problems(content: Any) -> list[str]:
    with pytest.raises(MappingError) as caught:
        compile_mapping(content, SHAPE)
    return [f"{each.code} {'.'.join(map(str, each.path))}: {each.text}" for each in caught.value.problems]


def line(said: Any, key: str = "title") -> list[str]:
    """What is wrong with one line."""
    return [each.split(": ", 1)[1] for each in problems({"objects": {"person": {"fields": {key: said, "email": "e"}}}})]


ADDRESS = {"street": "street", "postcode": "zip", "city": "town", "country": "country"}

# --- reading -----------------------------------------------------------------------------------------------------


def test_a_field_that_is_not_told_is_not_known_and_one_that_is_empty_is() -> None:
    mapping = made({"title": "t", "phone": "p"})
    assert mapping.read({"t": None}) == {"title": None}
    assert mapping.read({}) == {}


def test_a_group_is_read_as_far_as_it_is_told() -> None:
    mapping = made(ADDRESS)
    assert mapping.read({"street": " Storgata 1 ", "country": "Norge"}) == {
        "address": {"street": "Storgata 1", "country": "NO"}
    }


def test_a_group_with_an_unreadable_value_is_left_out_whole_and_told() -> None:
    mapping = made({"first_name": "f", "last_name": "l", "title": "t"})
    unreadable: dict[str, str] = {}
    for native in ({"f": ["a"], "l": "Nordmann", "t": "CTO"}, {"f": "Kari", "l": ["a"], "t": "CTO"}):
        unreadable.clear()
        assert mapping.read(native, unreadable) == {"title": "CTO"}  # type: ignore[arg-type]
        assert unreadable == {"name": "expected one text, not a list"}
        assert mapping.read(native) == {"title": "CTO"}  # type: ignore[arg-type]
        assert mapping.read_group("name", native) is None  # type: ignore[arg-type]


def test_fillers_mean_nothing() -> None:
    mapping = made({"company": {"remote": "c", "filler": ["[not provided]", "-", "false"]}})
    for native in ("[not provided]", " - ", False):
        assert mapping.read({"c": native}) == {"company": {"company": None}}
    assert mapping.read({"c": "Fjord AS"}) == {"company": {"company": "Fjord AS"}}


@pytest.mark.parametrize(
    ("country", "phone", "wanted"),
    [
        ("Sverige", "070-123 45 67", "+46701234567"),
        ("Norge", "22 33 44 55", "+4722334455"),
        (None, "22 33 44 55", "+4722334455"),
        ("Langtvekkistan", "22 33 44 55", "+4722334455"),
        ("EU", "22 33 44 55", "+4722334455"),
        (["a"], "22 33 44 55", "+4722334455"),
        ("Sverige", "+47 22 33 44 55", "+4722334455"),
    ],
)
def test_a_national_number_is_one_of_the_records_country(country: Any, phone: str, wanted: str) -> None:
    mapping = made({**ADDRESS, "phone": "phone"})
    native: Fields = {"country": country, "phone": phone}
    assert mapping.read(native)["phone"] == wanted
    assert mapping.read_group("phone", native) == wanted
    assert mapping.round("phone", wanted, native) == wanted


def test_a_country_that_is_told_by_options_counts_for_the_number_too() -> None:
    mapping = made({"country": {"remote": "c", "as": "choice", "options": {"46": "SE", "47": "NO"}}, "phone": "p"})
    assert mapping.read({"c": "46", "p": "070-123 45 67"})["phone"] == "+46701234567"


def test_without_a_country_the_region_of_the_configuration_counts() -> None:
    content = {"objects": {"person": {"fields": {"phone": "p", "postcode": {"remote": "z", "as": "postcode"}}}}}
    swedish = compile_mapping(content, SHAPE, "SE").objects["person"]
    assert swedish.read({"p": "070-123 45 67", "z": "150"}) == {"phone": "+46701234567", "address": {"postcode": "150"}}
    norwegian = compile_mapping(content, SHAPE).objects["person"]
    assert norwegian.read({"p": "070-123 45 67", "z": "150"}) == {
        "phone": "070-123 45 67",
        "address": {"postcode": "0150"},
    }


def test_several_natives_are_known_only_together() -> None:
    mapping = made({"company": {"remote": ["own", "related"], "as": "first_of"}})
    assert mapping.read({"own": "Fjord AS"}) == {}
    assert mapping.read({"own": None, "related": "Fjord AS"}) == {"company": {"company": "Fjord AS"}}


def test_the_records_own_address_is_told_in_its_normal_form() -> None:
    mapping = made({"email": {"remote": "e", "slot": True}, "title": "t"})
    assert mapping.slots == {"email"}
    assert mapping.slot({"e": " Kari@Example.com"}) == "kari@example.com"
    for native in ({"e": "kari"}, {"e": None}, {}):
        assert mapping.slot(native) is None


# --- empty values ------------------------------------------------------------------------------------------------


def test_an_empty_value_is_no_information_where_the_mapping_says_so() -> None:
    fields: dict[str, Any] = {**ADDRESS, "title": {"remote": "t", "empty": "ignore"}, "phone": "p"}
    mapping = made(fields)
    assert mapping.silent == {"title"}
    assert mapping.read({"t": None, "p": None}) == {"title": None, "phone": None}


def test_an_object_may_say_it_for_all_its_lines() -> None:
    mapping = made({**ADDRESS, "title": "t", "phone": {"remote": "p", "empty": "clear"}}, empty="ignore")
    assert mapping.silent == {"address", "title"}


def test_a_group_that_is_partly_empty_is_not_known_there() -> None:
    native: Fields = {"street": "Storgata 1", "zip": None, "town": "", "country": None}
    assert made(ADDRESS, empty="ignore").read(native) == {"address": {"street": "Storgata 1"}}
    assert made(ADDRESS, empty="ignore").read(dict.fromkeys(native)) == {"address": {}}
    mixed = made({**ADDRESS, "city": {"remote": "town", "empty": "ignore"}})
    assert mixed.silent == frozenset()
    assert mixed.read(native) == {"address": {"street": "Storgata 1", "postcode": None, "country": None}}
    name = made({"name": {"remote": "n", "as": "full_name"}}, empty="ignore")
    assert name.read({"n": "Kari"}) == {"name": {"first_name": "Kari"}}


def test_an_outgoing_line_does_not_decide_whether_a_group_is_silent() -> None:
    fields = {"street": {"remote": "s", "direction": "out"}, "city": {"remote": "c", "empty": "ignore"}}
    assert made(fields).silent == {"address"}


# --- writing -----------------------------------------------------------------------------------------------------


def test_a_group_is_written_whole() -> None:
    mapping = made(ADDRESS)
    value: Canon = {"street": "Storgata 1", "postcode": "0150", "city": None, "region": "Oslo", "country": "NO"}
    assert mapping.write("address", value) == {"street": "Storgata 1", "zip": "0150", "town": None, "country": "NO"}
    assert mapping.write("address", value, creating=True) == {"street": "Storgata 1", "zip": "0150", "country": "NO"}
    assert mapping.write("address", None) == dict.fromkeys(["street", "zip", "town", "country"])
    assert mapping.write("phone", "x") == {}


def test_what_is_only_read_is_not_written() -> None:
    mapping = made(
        {
            "company": "c",
            "company_domain": {"remote": "d", "direction": "in"},
            "title": {"remote": "t", "direction": "in"},
        }
    )
    assert mapping.write("company", {"company": "Fjord AS", "company_domain": "example.com"}) == {"c": "Fjord AS"}
    assert mapping.write("title", "CTO") == {}
    assert mapping.outgoing == {"company"}
    assert mapping.incoming == {"company", "title"}


@pytest.mark.parametrize(
    ("line", "creating", "wanted"),
    [
        ({}, False, {"c": None}),
        ({}, True, {}),
        ({"if_empty": "keep"}, False, {}),
        ({"required": True}, False, {}),
        ({"required": True}, True, {}),
        ({"required": True, "filler": ["-", "none"]}, False, {"c": "-"}),
        ({"required": True, "filler": "-"}, True, {"c": "-"}),
        ({"filler": "-"}, False, {"c": None}),
        ({"filler": "-"}, True, {}),
    ],
)
def test_what_an_empty_value_does_over_there(line: dict[str, Any], creating: bool, wanted: Fields) -> None:
    assert made({"title": {"remote": "c", **line}}).write("title", None, creating=creating) == wanted
    joint = made({"company": {"remote": ["c", "d"], "as": "first_of", **line}})
    assert joint.write("company", {"company": None}, creating=creating) == wanted


def test_only_the_first_of_several_natives_is_written() -> None:
    mapping = made({"company": {"remote": ["own", "related", "other"], "as": "first_of"}})
    assert mapping.write("company", {"company": "Fjord AS"}) == {"own": "Fjord AS"}
    consent = made({"consent.email": {"remote": ["said", "at"], "as": "consent_and_time"}})
    assert consent.write("consent.email", "out") == {"said": "out"}


def test_a_value_without_a_word_is_unwritable() -> None:
    mapping = made({"stage": {"remote": "s", "options": {"Lead": "lead"}}})
    with pytest.raises(Unwritable):
        mapping.write("stage", "customer")
    with pytest.raises(Unwritable):
        mapping.round("stage", "customer")


def test_a_whole_group_is_no_value_of_one_field() -> None:
    with pytest.raises(Unwritable):
        made({"title": "t"}).write("title", {"a": "b"})


# --- what comes back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "group", "value", "native", "wanted"),
    [
        ({"title": {"remote": "t", "length": 6}}, "title", "Daglig leder", None, "Daglig"),
        ({"title": "t"}, "title", None, {"t": "CTO"}, None),
        ({"title": {"remote": "t", "if_empty": "keep"}}, "title", None, {"t": "CTO"}, "CTO"),
        ({"consent.phone": {"remote": "b", "as": "opt_out_box"}}, "consent.phone", "in", {"b": True}, None),
        (
            {"company": {"remote": ["own", "related"], "as": "first_of"}},
            "company",
            {"company": None},
            {"own": "Eget", "related": "Fjord AS"},
            {"company": "Fjord AS"},
        ),
        (
            {"company": "c", "company_domain": {"remote": "d", "direction": "in"}},
            "company",
            {"company": "Ny AS", "company_domain": "ny.example.com"},
            {"c": "Fjord AS", "d": "example.com", "x": 1},
            {"company": "Ny AS", "company_domain": "example.com"},
        ),
        (
            ADDRESS,
            "address",
            {"street": "Storgata 1", "region": "Oslo"},
            {},
            {"street": "Storgata 1", "postcode": None, "city": None, "country": None},
        ),
        (
            {**ADDRESS, "street": {"remote": "street", "empty": "ignore"}},
            "address",
            {"city": "Oslo"},
            {},
            {"postcode": None, "city": "Oslo", "country": None},
        ),
        ({"title": "t"}, "phone", "x", {}, None),
    ],
)
def test_what_a_side_will_show_once_a_value_was_written(
    fields: dict[str, Any], group: str, value: Canon, native: Fields | None, wanted: Canon
) -> None:
    before = dict(native) if native is not None else None
    assert made(fields).round(group, value, native) == wanted
    assert native == before


def test_an_empty_group_rounds_to_nothing() -> None:
    assert made(ADDRESS, empty="ignore").round("address", None) is None


def test_coercions_of_a_line_go_with_the_connectors_own() -> None:
    mapping = made({"email": {"remote": "e", "coercions": "case"}, "title": "t"})
    assert mapping.coercions_of("e", frozenset({"blanks"})) == {"blanks", "case"}
    assert mapping.coercions_of("t", frozenset({"blanks"})) == {"blanks"}


# --- when a mapping counts as changed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"remote": "u"},
        {"remote": "t", "length": 40},
        {"remote": "t", "direction": "in"},
        {"remote": "t", "filler": "-"},
        {"remote": "t", "empty": "ignore"},
        {"remote": "t", "if_empty": "keep"},
        {"remote": "t", "required": True},
        {"remote": "t", "as": "choice", "options": {"A": "a", "B": "b"}},
        {"remote": ["t", "u"], "as": "first_of"},
    ],
)
def test_a_line_that_reads_or_writes_otherwise_has_another_digest(changed: dict[str, Any]) -> None:
    assert made({"title": changed}).digests() != made({"title": "t"}).digests()
    assert made({"title": changed}).digests() == made({"title": dict(changed)}).digests()


def test_the_order_of_options_is_part_of_the_digest_since_the_first_is_written() -> None:
    one = made({"title": {"remote": "t", "as": "choice", "options": {"A": "x", "B": "x"}}})
    other = made({"title": {"remote": "t", "as": "choice", "options": {"B": "x", "A": "x"}}})
    assert one.write("title", "x") != other.write("title", "x")
    assert one.digests() != other.digests()


def test_a_number_is_read_otherwise_when_the_country_is() -> None:
    fields = {"phone": "p", "title": "t", "country": "c"}
    before, after = made(fields).digests(), made({**fields, "country": "d"}).digests()
    assert before["phone"] != after["phone"]
    assert before["title"] == after["title"]


# --- what can be wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "said", "wanted"),
    [
        ("first_nmae", "f", 'unknown lead field "first_nmae"; did you mean "first_name"?'),
        ("title", None, '"title" names no native field; write "title: NAME"'),
        ("title", {"as": "text"}, '"title" names no native field; write "title: NAME"'),
        ("title", "", "remote must be a text, or a list of texts; put numbers, true and false in quotes"),
        ("title", 5, "remote must be a text, or a list of texts; put numbers, true and false in quotes"),
        ("title", ["t", "u"], '"text" takes 1 native field(s), not 2; with "as: first_of" the first filled one counts'),
        ("title", {"remote": ["t", "t"], "as": "first_of"}, "the same native field stands there twice"),
        ("title", {"remote": "t", "lenght": 5}, 'unknown key "lenght"; did you mean "length"?'),
        ("title", {"remote": "t", "as": "txt"}, 'unknown transform "txt"; did you mean "text"?'),
        ("title", {"remote": "t", "as": "date"}, None),
        ("phone", {"remote": "t", "as": "text"}, '"text" does not make a phone; use phone'),
        ("name", "n", '"name" is first_name, last_name; map those, or say how with "as"'),
        ("name", {"remote": "n", "as": "text"}, '"text" does not make first_name, last_name; use full_name'),
        (
            "address",
            {"remote": "n", "as": "full_name"},
            '"full_name" does not make street, postcode, city, region, country; use a line for each',
        ),
        ("title", {"remote": "t", "direction": "inn"}, 'direction "inn"; allowed: in, out, both; did you mean "in"?'),
        ("title", {"remote": "t", "empty": "drop"}, 'empty "drop"; allowed: clear, ignore'),
        ("title", {"remote": "t", "if_empty": "kep"}, 'if_empty "kep"; allowed: clear, keep; did you mean "keep"?'),
        ("title", {"remote": "t", "length": 0}, 'length "0"; it must be a whole number of characters, at least 1'),
        ("title", {"remote": "t", "length": "40"}, 'length "40"; it must be a whole number of characters, at least 1'),
        (
            "title",
            {"remote": "t", "length": True},
            'length "True"; it must be a whole number of characters, at least 1',
        ),
        ("consent.email", {"remote": "t", "length": 5}, '"consent" takes no length'),
        ("title", {"remote": "t", "options": {"a": "b"}}, '"text" takes no options'),
        ("title", {"remote": "t", "separator": ","}, '"text" takes no separator'),
        ("tags", {"remote": "t", "separator": ""}, 'separator must be a text, as in ", "'),
        (
            "title",
            {"remote": "t", "as": "choice", "options": ["a"]},
            "options must be a map of native value: canonical value",
        ),
        (
            "title",
            {"remote": "t", "as": "choice", "options": {"a": 5}},
            'the option "a" must stand for a canonical value, or a list of them',
        ),
        (
            "title",
            {"remote": "t", "as": "choice", "options": {"a": []}},
            'the option "a" must stand for a canonical value, or a list of them',
        ),
        (
            "stage",
            {"remote": "t", "options": {"A": "mqll"}},
            'the option "A" stands for "mqll"; allowed: subscriber, lead, mql, sql, opportunity, customer, evangelist; did you mean "mql"?',
        ),
        (
            "consent.email",
            {"remote": "t", "as": "consent_word", "options": {"Ja": "yes"}},
            'the option "Ja" stands for "yes"; allowed: in, out',
        ),
        (
            "deliverability",
            {"remote": "t", "options": {"x": "hard"}},
            'the option "x" stands for "hard"; allowed: ok, bounced, complained',
        ),
        (
            "country",
            {"remote": "t", "as": "choice", "options": {"x": "Norge"}},
            'the option "x" stands for "Norge"; write "NO"',
        ),
        (
            "country",
            {"remote": "t", "as": "choice", "options": {"x": "Atlantis"}},
            'the option "x" stands for "Atlantis"; expected a country\'s code, as NO',
        ),
        (
            "owner",
            {"remote": "t", "as": "choice", "options": {"7": "kari"}},
            'the option "7" stands for "kari"; expected an e-mail address',
        ),
        (
            "title",
            {"remote": "t", "slot": True},
            'slot is for the e-mail address that a record is known by, not for "title"',
        ),
        ("title", {"remote": "t", "slot": "yes"}, 'slot "yes"; allowed: true, false'),
        (
            "title",
            {"remote": "t", "required": True, "direction": "in"},
            "a field that is only read cannot be required: nobody would ever be created",
        ),
        (
            "title",
            {"remote": "t", "coercions": ["case", "shout"]},
            'coercions "shout"; allowed: blanks, case, cleared, cut, day, digits, order',
        ),
        (
            "consent",
            "c",
            '"consent" is no consent cell; write "consent.CHANNEL" or "consent.CHANNEL.PURPOSE" in lower case, as in "consent.email.newsletter"',
        ),
        (
            "consent.Email",
            "c",
            '"consent.Email" is no consent cell; write "consent.CHANNEL" or "consent.CHANNEL.PURPOSE" in lower case, as in "consent.email.newsletter"',
        ),
    ],
)
def test_a_wrong_line_is_told_with_what_to_write_instead(key: str, said: Any, wanted: str | None) -> None:
    if wanted is None:
        assert made({key: said}).names == ("t",)
    else:
        assert line(said, key) == [wanted]


def test_everything_wrong_in_a_line_is_told_at_once() -> None:
    assert len(line({"remot": "t", "as": "txt", "direction": "inn", "length": 0, "slot": 1})) == 6


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ({}, ["SM124 : it maps no object"]),
        ({"objects": {}}, ["SM124 : it maps no object"]),
        ({"objects": []}, ['SM124 objects: "objects" must be a map of names']),
        ({"objects": {"person": None}}, ['SM124 objects.person: "person" maps no field']),
        ({"objects": {"person": "x"}}, ['SM124 objects.person: "person" must be a map of names']),
        ({"objects": {"person": {"fields": ["a"]}}}, ['SM124 objects.person.fields: "fields" must be a map of names']),
        (
            {"objects": {"person": {"field": {"title": "t"}}}},
            ['SM123 objects.person.field: unknown key "field"; did you mean "fields"?'],
        ),
        (
            {"object": {"person": {"fields": {"title": "t"}}}},
            ['SM123 object: unknown key "object"; did you mean "objects"?'],
        ),
        (
            {"fields": {"title": "t"}, "objects": {"person": {"fields": {"title": "t"}}}},
            ['SM124 fields: "fields" stands under an object, except in a file that extends a built-in'],
        ),
        (
            {"objects": {"person": {"empty": "drop", "fields": {"title": "t"}}}},
            ['SM124 objects.person.empty: empty "drop"; allowed: clear, ignore'],
        ),
        (
            {"objects": {"person": {"fields": {"title": "t", "source": "t"}}}},
            ['SM125 objects.person.fields.source: native field "t" is mapped by two lines, here and by "title"'],
        ),
        (
            {"objects": {"person": {"fields": {"first_name": "n", "last_name": "n"}}}},
            [
                'SM125 objects.person.fields.last_name: native field "n" is written by two lines, here and by "first_name"'
            ],
        ),
        (
            {"objects": {"person": {"fields": {"name": {"remote": "n", "as": "full_name"}, "last_name": "l"}}}},
            [
                'SM125 objects.person.fields.last_name: lead field "last_name" is mapped by two lines, here and by "name"'
            ],
        ),
    ],
)
def test_a_wrong_file_is_told_with_the_place(content: Any, wanted: list[str]) -> None:
    assert problems(content) == wanted


def test_two_lines_of_a_group_may_share_a_native_field_that_one_of_them_only_reads() -> None:
    assert made({"company": "c", "company_domain": {"remote": "c", "direction": "in"}}).names == ("c",)


# --- a user's file over the built-in one -----------------------------------------------------------------------

BUILT_IN: dict[str, Any] = {
    "connector": "crm",
    "objects": {
        "contact": {"fields": {"title": "Title", "phone": "Phone"}, "examples": [{"native": {}, "lead": {}}]},
        "lead": {"empty": "ignore", "fields": {"title": "Title", "source": "Source"}},
    },
}


@pytest.mark.parametrize(
    ("own", "contact", "lead"),
    [
        ({}, {"title": "Title", "phone": "Phone"}, {"title": "Title", "source": "Source"}),
        ({"fields": {"title": "T__c"}}, {"title": "T__c", "phone": "Phone"}, {"title": "T__c", "source": "Source"}),
        (
            {"objects": {"lead": {"fields": {"title": "L__c", "source": None}}}},
            {"title": "Title", "phone": "Phone"},
            {"title": "L__c"},
        ),
        (
            {"fields": {"title": "T__c", "phone": None}, "objects": {"lead": {"fields": {"title": "L__c"}}}},
            {"title": "T__c"},
            {"title": "L__c", "source": "Source"},
        ),
        (
            {"objects": {"lead": None, "contact": {"fields": None}}},
            {"title": "Title", "phone": "Phone"},
            {"title": "Title", "source": "Source"},
        ),
    ],
)
def test_a_users_lines_go_over_the_built_in_ones(own: Any, contact: dict[str, Any], lead: dict[str, Any]) -> None:
    whole = extend(BUILT_IN, own)
    assert whole["connector"] == "crm"
    assert [*whole["objects"]] == ["contact", "lead"]
    assert whole["objects"]["contact"]["fields"] == contact
    assert whole["objects"]["lead"] == {"empty": "ignore", "fields": lead}
    compile_mapping(whole, SHAPE)


def test_examples_are_those_of_the_file_whose_lines_they_show() -> None:
    assert "examples" not in extend(BUILT_IN, {})["objects"]["contact"]
    own = {"objects": {"contact": {"examples": [{"lead": {}, "written": {}}]}}}
    assert extend(BUILT_IN, own)["objects"]["contact"]["examples"] == [{"lead": {}, "written": {}}]


def test_an_object_may_say_for_itself_what_its_empty_values_mean() -> None:
    own = {"objects": {"lead": {"empty": "clear"}, "contact": {"empty": "ignore"}}}
    whole = compile_mapping(extend(BUILT_IN, own), SHAPE)
    assert whole.objects["lead"].silent == frozenset()
    assert whole.objects["contact"].silent == {"title", "phone"}


def test_a_file_may_stand_alone() -> None:
    own = {"extends": False, "objects": {"contact": {"fields": {"title": "Tittel"}}}}
    assert extend(BUILT_IN, own)["objects"] == own["objects"]
    assert compile_mapping(extend(BUILT_IN, own), SHAPE).names() == {"contact": ("Tittel",)}


@pytest.mark.parametrize(
    "own",
    [{"objects": ["a"]}, {"fields": "x"}, {"objects": {"contact": ["x"]}}, {"objects": {"contact": {"fields": 7}}}],
)
def test_a_malformed_file_is_refused_and_not_repaired(own: Any) -> None:
    with pytest.raises(MappingError):
        compile_mapping(extend(BUILT_IN, own), SHAPE)


def test_the_digest_of_a_mapping_tells_each_object() -> None:
    whole = compile_mapping(extend(BUILT_IN, {}), SHAPE)
    assert {name: [*groups] for name, groups in whole.digest().items()} == {
        "contact": ["phone", "title"],
        "lead": ["source", "title"],
    }
