"""Each pair brings back what it was given, and refuses what it has no word for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Value
from mappings import forms
from mappings.forms import Unreadable
from mappings.lead import STAGES, TYPES, Canon
from mappings.transforms import COERCIONS, TRANSFORMS, Options, Unwritable, explains


def texts(form: Any = forms.text, min_size: int = 1) -> st.SearchStrategy[Canon]:
    """Normal forms of anything that can be typed."""

    def normal(value: str) -> Canon:
        try:
            found: Canon = form(value)
        except Unreadable:
            return None
        return found

    return st.text(min_size=min_size, max_size=60).map(normal).filter(bool)


def numbers() -> st.SearchStrategy[str]:
    """Valid numbers of every country that has an example."""
    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    written = [phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164) for each in examples if each]
    return st.sampled_from([*written, *(f"{each};ext=12" for each in written[:20])])


EMAILS = st.emails().map(forms.email)
WORDS = {"NEW": ("new", "fresh"), "In progress": ("in_progress",), "Ferdig": ("done",), "*": ("other",)}
ITEMS = st.lists(texts().filter(lambda each: ";" not in str(each)), min_size=1, max_size=5, unique=True).map(
    lambda each: sorted(map(str, each))
)
COUNTRY_CODES = st.sampled_from(sorted(code for code in phonenumbers.SUPPORTED_REGIONS if forms.is_country(code)))

NORMAL: dict[str, st.SearchStrategy[Any]] = {
    "text": texts(),
    "email": EMAILS,
    "owner": EMAILS,
    "phone": st.one_of(numbers(), texts(lambda each: forms.phone_number(forms.text(each) or "", "NO"))),
    "country": st.one_of(COUNTRY_CODES, texts(forms.country)),
    "country_name": st.one_of(COUNTRY_CODES, texts(forms.country)),
    "country_name_nb": st.one_of(COUNTRY_CODES, texts(forms.country)),
    "postcode": st.one_of(st.from_regex(r"[0-9]{4}", fullmatch=True), texts(lambda each: forms.postcode(each, "NO"))),
    "language": st.one_of(st.sampled_from(["nb", "nn", "en", "sv", "se", "da"]), texts(forms.language)),
    "date": st.dates().map(lambda each: each.isoformat()),
    "datetime": st.datetimes().map(lambda each: forms.moment(f"{each.isoformat()}Z")),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3).map(
        lambda each: forms.decimal(str(each))
    ),
    "decimal_comma": st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=2
    ).map(lambda each: forms.decimal(str(each))),
    "integer": st.integers(-(10**18), 10**18),
    "integer_text": st.integers(-(10**18), 10**18),
    "boolean": st.booleans(),
    "boolean_text": st.booleans(),
    "choice": texts(),
    "stage": st.sampled_from(sorted(STAGES)),
    "organisation_number": st.one_of(st.just("923609016"), texts(forms.organisation_number)),
    "domain": st.one_of(st.just("example.com"), texts(forms.domain)),
    "set": ITEMS,
    "list": st.lists(texts(), min_size=1, max_size=5, unique=True).map(lambda each: sorted(map(str, each))),
    "emails": st.lists(EMAILS, min_size=1, max_size=4, unique=True).map(lambda each: sorted(map(str, each))),
    "emails_text": st.lists(EMAILS, min_size=1, max_size=4, unique=True).map(lambda each: sorted(map(str, each))),
    "consent": st.sampled_from(["in", "out"]),
    "consent_word": st.sampled_from(["in", "out"]),
    "opt_out_box": st.just("out"),
    "consent_and_time": st.sampled_from(["in", "out"]),
    "full_name": st.tuples(*[st.from_regex(r"[A-ZÆØÅ][a-zæøå]{4,9}", fullmatch=True)] * 2),
    "first_of": texts(),
}
"""Normal forms of what each transform is for, as far as it promises to bring them back."""

FEW = {"opt_out_box": 1, "stage": 7, **dict.fromkeys(("consent", "consent_word", "consent_and_time"), 2)}
FEW |= {"boolean": 2, "boolean_text": 2}
"""Where there are so few normal forms that chance finds all of them."""


def written(name: str, values: Sequence[Any], options: Options = Options()) -> list[Value]:  # noqa: B008
    """What stands over there after a write of these values to an empty record."""
    transform = TRANSFORMS[name]
    told = list(transform.write(values, options))
    return [*told, *[None] * (transform.remotes[0] - len(told))]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_what_is_written_is_read_again(name: str) -> None:
    transform = TRANSFORMS[name]
    reached: Counter[bool] = Counter()

    @settings(max_examples=40, deadline=None, database=None)
    @given(NORMAL[name])
    def law(value: Any) -> None:
        values = list(value) if transform.leads > 1 else [value]
        there = written(name, values)
        reached[value == there[0]] += 1
        assert list(transform.read(there, Options())) == values

    law()
    assert reached.total() >= FEW.get(name, 25), reached


@pytest.mark.parametrize("name", TRANSFORMS)
def test_nothing_is_written_as_nothing_and_read_as_nothing(name: str) -> None:
    transform = TRANSFORMS[name]
    there = written(name, [None] * transform.leads)
    assert there[0] in (None, False)
    assert list(transform.read(there, Options())) == [None] * transform.leads
    for empty in ("", "  ", None):
        assert list(transform.read([empty] * transform.remotes[0], Options())) == [None] * transform.leads


@pytest.mark.parametrize("name", [name for name, each in TRANSFORMS.items() if each.reader is not None])
def test_the_quick_way_is_the_same_way(name: str) -> None:
    transform = TRANSFORMS[name]
    reader, write = transform.reader, transform.writes_one
    assert reader is not None
    assert write is not None

    @settings(max_examples=20, deadline=None, database=None)
    @given(NORMAL[name])
    def law(value: Any) -> None:
        there = write(value, Options())
        assert [there] == list(transform.write([value], Options()))
        assert [reader(Options())(there)] == list(transform.read([there], Options()))

    law()


def test_every_type_of_field_has_a_transform_of_its_name() -> None:
    for type_ in TYPES:
        assert type_ in TRANSFORMS[type_].makes


def test_every_transform_can_be_told_in_the_docs() -> None:
    rows = [(name, each.text, each.loses, sorted(each.makes), sorted(each.takes)) for name, each in TRANSFORMS.items()]
    assert len(rows) == len({text for _, text, *_ in rows})
    for name, text, loses, makes, takes in rows:
        assert text.endswith("."), name
        assert text[0].isupper(), name
        assert not loses.endswith("."), name
        assert makes, name
        assert {*makes} <= {*TYPES}, name
        assert {*takes} <= {"length", "options", "separator"}, name


def test_every_transform_says_which_native_fields_can_hold_it() -> None:
    known = [
        "text",
        "email",
        "phone",
        "number",
        "boolean",
        "date",
        "datetime",
        "choice",
        "choices",
        "reference",
        "other",
    ]
    for name, each in TRANSFORMS.items():
        assert each.fits <= {*known}, name
        assert "other" in each.fits, name


def test_words_are_told_by_options_both_ways() -> None:
    options = Options.of(WORDS)
    read, write = TRANSFORMS["choice"].read, TRANSFORMS["choice"].write
    assert [read([each], options)[0] for each in ("NEW", "new", "IN PROGRESS", "ferdig", "hva som helst", None)] == [
        "new",
        "new",
        "in_progress",
        "done",
        "other",
        None,
    ]
    assert [write([each], options)[0] for each in ("new", "fresh", "in_progress", None)] == [
        "NEW",
        "NEW",
        "In progress",
        None,
    ]
    for unknown in ("other", "NEW"):  # what is read for the rest has no word of its own
        with pytest.raises(Unwritable):
            write([unknown], options)
    with pytest.raises(Unreadable):
        read(["hva som helst"], Options.of({"NEW": ["new"]}))


def test_an_option_in_its_own_case_wins_over_one_in_another() -> None:
    options = Options.of({"A": ["upper"], "a": ["lower"]})
    assert TRANSFORMS["choice"].read(["a"], options) == ("lower",)
    assert TRANSFORMS["choice"].read(["A"], options) == ("upper",)


def test_the_first_of_several_natives_is_written() -> None:
    options = Options.of({"MQL": ["mql"], "Marketing qualified": ["mql"]})
    assert TRANSFORMS["stage"].write(["mql"], options) == ("MQL",)
    assert TRANSFORMS["stage"].read(["Marketing qualified"], options) == ("mql",)


def test_a_stage_without_a_rank_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        TRANSFORMS["stage"].read(["other"], Options())


@pytest.mark.parametrize(("name", "value"), [("text", "x" * 41), ("full_name", "x"), ("first_of", "x" * 41)])
def test_a_text_is_cut_at_its_length(name: str, value: str) -> None:
    values = ["x" * 30, "y" * 30] if name == "full_name" else [value]
    assert len(str(written(name, values, Options(length=40))[0])) == 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", f"{'a' * 40}@example.com"),
        ("owner", f"{'a' * 40}@example.com"),
        ("phone", "+4722334455;ext=123456789012345678901234567"),
        ("domain", f"{'a' * 40}.example.com"),
        ("country_name", "x" * 41),
        ("choice", "x" * 41),
        ("set", ["x" * 30, "y" * 30]),
        ("decimal", "1." + "1" * 40),
    ],
)
def test_what_would_become_another_value_is_refused_instead_of_cut(name: str, value: Canon) -> None:
    with pytest.raises(Unwritable):
        written(name, [value], Options(length=40))
    assert written(name, [value], Options(length=400))[0] is not None


def test_a_cut_text_does_not_end_in_a_blank() -> None:
    assert written("text", ["Kari Nordmann"], Options(length=5)) == ["Kari"]


def test_sets_are_parted_where_the_sheet_parts_them() -> None:
    comma = Options(separator=", ")
    assert TRANSFORMS["set"].read(["b,a , c,a"], comma) == (["a", "b", "c"],)
    assert TRANSFORMS["set"].write([["a", "b"]], comma) == ("a, b",)
    with pytest.raises(Unwritable):
        TRANSFORMS["set"].write([["a,b"]], comma)
    with pytest.raises(Unwritable):
        TRANSFORMS["set"].write([["a;b"]], Options())


def test_items_of_a_set_are_told_by_options() -> None:
    options = Options.of({"NEWS": ["nyhetsbrev"], "FAIR": ["messe"]})
    assert TRANSFORMS["list"].read([["NEWS", "fair"]], options) == (["messe", "nyhetsbrev"],)
    assert TRANSFORMS["set"].write([["messe", "nyhetsbrev"]], options) == ("FAIR;NEWS",)


def test_a_list_shown_in_part_is_read_as_far_as_it_goes() -> None:
    assert TRANSFORMS["list"].read([{"items": ["b", "a"], "partial": True}], Options()) == (["a", "b"],)


def test_one_bad_address_does_not_hide_the_good_ones() -> None:
    assert TRANSFORMS["emails"].read([["kari", "Ola@Example.com"]], Options()) == (["ola@example.com"],)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Kari Nordmann", "Kari", "Nordmann"),
        ("Nordmann, Kari", "Kari", "Nordmann"),
        ("Kari Anne Nordmann", "Kari Anne", "Nordmann"),
        ("Ola van der Berg", "Ola", "van der Berg"),
        ("Dr. Kari Nordmann", "Kari", "Nordmann"),
        ("Ola Nordmann jr.", "Ola", "Nordmann"),
        ("Ola Vi", "Ola", "Vi"),
        ("Kari Anne Vi", "Kari Anne", "Vi"),
        ("Ola Nordmann III", "Ola", "Nordmann"),
        ("Herr Hansen", None, "Hansen"),
        ("Ola Nordmann, jr.", "Ola", "Nordmann"),
        ("Nordmann, Dr. Kari Anne", "Kari Anne", "Nordmann"),
        ("Nordmann,", "Nordmann", None),
        (", Kari", "Kari", None),
        ("Maria de la Cruz", "Maria", "de la Cruz"),
        ("Van Hansen", "Van", "Hansen"),
        ("Fru", "Fru", None),
        ("Prince Hansen", "Prince", "Hansen"),
        ("Kari", "Kari", None),
        ("Ødegård, Åse Marie", "Åse Marie", "Ødegård"),
    ],
)
def test_a_whole_name_is_parted(text: str, first: str | None, last: str | None) -> None:
    assert TRANSFORMS["full_name"].read([text], Options()) == (first, last)


def test_a_name_that_was_read_and_written_reads_the_same() -> None:
    word = st.sampled_from(
        ["Kari", "Anne", "Nordmann", "van", "der", "Dr.", "jr.", "Vi", "Prince", "E.", "Ødegård", ","]
    )
    read = TRANSFORMS["full_name"].read
    reached: Counter[int] = Counter()

    @settings(max_examples=120, deadline=None, database=None)
    @given(st.lists(word, min_size=1, max_size=5).map(" ".join))
    def law(text: str) -> None:
        once = read([text], Options())
        again = read(written("full_name", list(once)), Options())
        reached[len(text.split())] += 1
        assert again == read(written("full_name", list(again)), Options())

    law()
    assert len(reached) >= 4, reached


def test_consent_is_read_in_the_connectors_own_words_only() -> None:
    confirmed = "confirmed 2026-01-31T09:30:00Z"
    read = TRANSFORMS["consent"].read
    assert [read([each], Options())[0] for each in ("in", "out", confirmed, None)] == ["in", "out", confirmed, None]
    assert TRANSFORMS["consent"].write([confirmed], Options()) == ("in",)
    for odd in ("yes", "confirmed", "confirmed yesterday", "IN"):
        with pytest.raises(Unreadable):
            read([odd], Options())


def test_a_confirmation_stands_beside_the_word_and_is_never_written() -> None:
    pair = TRANSFORMS["consent_and_time"]
    assert pair.read(["in", "2026-01-31T10:30:00+01:00"], Options()) == ("confirmed 2026-01-31T09:30:00Z",)
    assert pair.read(["out", "2026-01-31T10:30:00+01:00"], Options()) == ("out",)
    assert pair.read(["in", None], Options()) == ("in",)
    assert pair.write(["out"], Options()) == ("out",)
    assert pair.writes == 1


@pytest.mark.parametrize(
    ("ticked", "said"), [(True, "out"), ("true", "out"), (False, None), ("false", None), (None, None)]
)
def test_only_a_ticked_box_says_no(ticked: Value, said: Canon) -> None:
    assert TRANSFORMS["opt_out_box"].read([ticked], Options()) == (said,)


@pytest.mark.parametrize(("said", "ticked"), [("out", True), ("in", False), (None, False)])
def test_a_box_is_ticked_for_a_no_alone(said: Canon, ticked: bool) -> None:
    assert TRANSFORMS["opt_out_box"].write([said], Options()) == (ticked,)


@pytest.mark.parametrize(("cell", "said"), [("Ja", "in"), ("x", "in"), ("Nei", "out"), ("", None), (None, None)])
def test_a_column_of_yes_and_no_never_confirms(cell: Value, said: Canon) -> None:
    assert TRANSFORMS["consent_word"].read([cell], Options()) == (said,)


def test_the_first_filled_field_counts_and_only_the_first_is_written() -> None:
    pair = TRANSFORMS["first_of"]
    assert pair.read([None, "  ", "Fjord AS"], Options()) == ("Fjord AS",)
    assert pair.read(["Eget", "Fjord AS"], Options()) == ("Eget",)
    assert pair.write(["Eget"], Options()) == ("Eget",)


@pytest.mark.parametrize(
    ("cell", "said"), [("1 234,50", "1234.5"), ("1.234,5", "1234.5"), ("12", "12"), ("-0,5", "-0.5"), (None, None)]
)
def test_a_decimal_comma_is_read_where_the_mapping_says_so(cell: Value, said: Canon) -> None:
    assert TRANSFORMS["decimal_comma"].read([cell], Options()) == (said,)


@pytest.mark.parametrize("cell", ["1,234.5", "1.5", "1,2,3", "tolv"])
def test_a_decimal_point_is_not_taken_for_a_comma(cell: str) -> None:
    with pytest.raises(Unreadable):
        TRANSFORMS["decimal_comma"].read([cell], Options())


COERCED: list[tuple[Value, Value, str, bool]] = [
    ("Daglig leder", "Daglig leder", "", True),
    (None, "", "", True),
    ("Daglig leder", "Daglig", "cut", True),
    ("Daglig leder", "leder", "cut", False),
    ("Daglig leder", "Daglig", "case", False),
    ("KARI@example.com", "kari@example.com", "case", True),
    ("Kari  Nordmann ", "Kari Nordmann", "blanks", True),
    ("KARI  Nordmann ", "kari nordmann", "case blanks", True),
    ("+4722334455", "47 22 33 44 55", "digits", True),
    ("1234", "1-2-3-4", "digits", False),
    ("2026-01-31T09:30:00.000Z", "2026-01-31", "day", True),
    ("2026-01-31", "2026-02-01", "day", False),
    ("b;a", "a;b", "order", True),
    (["b", "a"], ["a", "b"], "order", True),
    (["b", "a"], ["a"], "order", False),
    ("x", None, "cleared", True),
    ("x", None, "cut", False),
    (None, "x", "cut case blanks", False),
    (True, "true", "case", False),
    (5, "5", "", True),
]


@pytest.mark.parametrize(("sent", "seen", "kinds", "ours"), COERCED)
def test_only_declared_coercions_explain_a_value(sent: Value, seen: Value, kinds: str, ours: bool) -> None:
    assert frozenset(kinds.split()) <= COERCIONS
    assert explains(sent, seen, frozenset(kinds.split())) is ours
