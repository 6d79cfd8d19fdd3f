"""How a sheet is understood: encoding, delimiter, heading row, and what its cells mean."""

from __future__ import annotations

import datetime
import unicodedata
from pathlib import Path

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import ValidationError

from connectors.base import Finding
from connectors.errors import Stop
from tests.connectors.sheet_files import (
    PEOPLE,
    ROWS,
    cells,
    column,
    connect,
    findings,
    heading,
    raw_workbook,
    read,
    said,
    text_cell,
    text_file,
    values,
    workbook,
)

EXPECTED = [dict(zip(PEOPLE, row, strict=True)) for row in ROWS]


# Encodings


@pytest.mark.parametrize(
    ("encoding", "delimiter", "told"),
    [
        ("utf-8", ";", "UTF-8, "),
        ("utf-8-sig", ";", "UTF-8 with a byte order mark"),
        ("cp1252", ";", "Windows-1252"),
        ("utf-16", "\t", "UTF-16 with a byte order mark, fields parted by tabs"),
        ("utf-8", ",", 'parted by ","'),
        ("utf-8", "|", 'parted by "|"'),
    ],
)
def test_a_text_file_reads_right_however_a_program_saved_it(
    tmp_path: Path, encoding: str, delimiter: str, told: str
) -> None:
    path = text_file(tmp_path / "leads.csv", encoding=encoding, delimiter=delimiter)
    connector = connect(path)
    assert values(connector) == EXPECTED
    assert told in said(connector, "ok")


def test_one_letter_of_windows_1252_in_3000_rows_is_enough(tmp_path: Path) -> None:
    rows = [PEOPLE, *((f"Ola {n}", f"ola{n}@example.com", "1") for n in range(3000)), ("Bjørn", "b@example.com", "2")]
    path = text_file(tmp_path / "leads.csv", rows, encoding="cp1252")
    assert values(connect(path))[-1]["Navn"] == "Bjørn"


def test_typographic_signs_of_windows_1252_are_no_reason_to_doubt(tmp_path: Path) -> None:
    rows = [
        PEOPLE,
        ("“Kåre” O’Brien", "kare@example.com", "€ 5 – 7 §½"),
        ("ÆØÅ ØÅÆ", "a@example.com", "• 20°C ±1 µm ²"),
    ]
    path = text_file(tmp_path / "leads.csv", rows, encoding="cp1252")
    assert column(connect(path), "Navn") == ["“Kåre” O’Brien", "ÆØÅ ØÅÆ"]


@pytest.mark.parametrize("encoding", ["mac_roman", "cp865", "cp850"])
@pytest.mark.parametrize("name", ["Bjørn", "Kåre", "Bærum", "Åse", "Ødegård", "Tromsø", "Sørensen"])
def test_names_of_another_code_page_stop_instead_of_being_mangled(tmp_path: Path, encoding: str, name: str) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, (name, "x@example.com", "1")], encoding=encoding)
    with pytest.raises(Stop, match=r"the encoding cannot be told.*line 2.*set encoding") as stopped:
        read(connect(path))
    assert stopped.value.code == "SM325"
    assert name not in str(stopped.value)
    assert column(connect(path, encoding=encoding), "Navn") == [name]


def test_one_broken_byte_does_not_turn_a_utf_8_file_into_another_encoding(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, *ROWS, ("Ola", "o@example.com", "1")])
    path.write_bytes(path.read_bytes().replace(b"Ola", b"Ol\xe5"))
    with pytest.raises(Stop, match="the encoding cannot be told") as stopped:
        read(connect(path))
    assert stopped.value.code == "SM325"


def test_a_named_encoding_that_is_wrong_is_told_with_the_line(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", encoding="cp1252")
    with pytest.raises(Stop, match="line 2 is not utf-8; correct the setting encoding"):
        read(connect(path, encoding="utf-8"))


def test_a_byte_order_mark_says_more_than_the_setting(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", encoding="utf-8-sig")
    assert values(connect(path, encoding="cp1252")) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_asked_for(tmp_path: Path, encoding: str) -> None:
    path = text_file(tmp_path / "leads.csv", [("Navn", "Sted"), ("Ola", "Oslo")], encoding=encoding)
    with pytest.raises(Stop, match="zero bytes, as UTF-16"):
        read(connect(path))
    assert column(connect(path, encoding=encoding), "Navn") == ["Ola"]


def test_letters_that_were_encoded_twice_are_told_and_left_alone(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("BjÃ¸rn", "b@example.com", "1")])
    connector = connect(path)
    assert column(connector, "Navn") == ["BjÃ¸rn"]
    assert "encoded twice" in said(connector, "warning")


@pytest.mark.parametrize(
    ("setting", "value"), [("encoding", "klingon"), ("encoding", "base64"), ("delimiter", "a"), ("delimiter", '"')]
)
def test_impossible_settings_are_refused_at_once(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(ValidationError, match=setting):
        connect(tmp_path / "leads.csv", how={setting: value})


# Delimiters


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sep=|\r\nNavn|E-post\r\nOla|o@example.com\r\n", {"Navn": "Ola", "E-post": "o@example.com"}),
        ("sep=a\nNavn;E-post\nOla;o@example.com\n", {"Navn": "Ola", "E-post": "o@example.com"}),
        ('"sep=;"\nNavn;E-post\nOla;o@example.com\n', {"Navn": "Ola", "E-post": "o@example.com"}),
        ("E-post\r\no@example.com\r\nk@example.com\r\n", {"E-post": "o@example.com"}),
        ("Navn\r\nNordmann, Ola\r\nHansen, Kari\r\n", {"Navn": "Nordmann, Ola"}),
        ('Navn;E-post\n"Nordmann, Ola";o@example.com\n', {"Navn": "Nordmann, Ola", "E-post": "o@example.com"}),
        ("Navn;Sted\nOla;Gata 1, 2. etg\nKari;Lia 2, 3. etg\n", {"Navn": "Ola", "Sted": "Gata 1, 2. etg"}),
        ("Navn;Sted\nOla;1,5\nKari;2,5\nPer;3,5\n", {"Navn": "Ola", "Sted": "1,5"}),
        ("Kundeliste 2026\n\nNavn;E-post\nOla;o@example.com\n", {"Navn": "Ola", "E-post": "o@example.com"}),
        ('Navn;Notat\n"O ""Bob"" N";"to\r\nlinjer;og mer"\n', {"Navn": 'O "Bob" N', "Notat": "to\nlinjer;og mer"}),
        ("Navn;E-post\rOla;o@example.com\r", {"Navn": "Ola", "E-post": "o@example.com"}),
        ("Navn;E-post\nO'Brien;o@example.com\nD'Oro;d@example.com\n", {"Navn": "O'Brien", "E-post": "o@example.com"}),
    ],
)
def test_the_delimiter_is_found_and_quotation_marks_are_understood(
    tmp_path: Path, text: str, first: dict[str, str]
) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(text.encode())
    assert values(connect(path, ("Navn", "E-post", "Sted", "Notat")))[0] == first


def test_a_named_delimiter_is_taken(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", delimiter="#")
    assert values(connect(path, delimiter="#")) == EXPECTED


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".tab", ".txt", ".CSV"])
def test_text_is_read_under_any_of_its_names(tmp_path: Path, suffix: str) -> None:
    assert values(connect(text_file(tmp_path / f"leads{suffix}"))) == EXPECTED


def test_a_quotation_mark_that_is_never_closed_stops_with_its_line(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola", "o@example.com", "1"), ('"Kari', "k@example.com", "2")])
    with pytest.raises(Stop, match="on line 3 a quotation mark") as stopped:
        read(connect(path))
    assert stopped.value.code == "SM323"


def test_an_inch_sign_at_the_very_end_is_no_open_quotation_mark(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [("Navn", "Notat"), ("Ola", '24" skjerm'), ("Kari", '27"')])
    assert column(connect(path, ("Notat",)), "Notat") == ['24" skjerm', '27"']


def test_rows_swallowed_by_an_open_quotation_mark_are_left_out_with_the_line(tmp_path: Path) -> None:
    rows = [PEOPLE, ('"Ola', "o@example.com", "1"), ("Kari", "k@example.com", "2"), ("Per", "p@example.com", "3")]
    path = text_file(tmp_path / "leads.csv", [*rows, ('Eva" Dal', "e@example.com", "4"), ("Liv", "l@example.com", "5")])
    connector = connect(path)
    assert column(connector, "Navn") == ["Liv"]
    assert "line 2 left out: it holds other rows in one field" in said(connector, "warning")


def test_a_row_with_too_many_fields_is_left_out_with_its_line(tmp_path: Path) -> None:
    rows = [*(PEOPLE, *ROWS), ("Nordmann", "Ola", "o@example.com", "1"), ("Kari", "k@example.com", "2", "", "")]
    connector = connect(text_file(tmp_path / "leads.csv", rows))
    assert column(connector, "Navn") == ["Kåre Ås", "Åse Ødegård", "Kari"]
    assert "line 4 left out: it has more fields than the heading row" in said(connector, "warning")


def test_a_short_row_says_nothing_of_what_it_lacks(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola",), ("Kari", "k@example.com")])
    assert column(connect(path), "E-post") == ["absent", "k@example.com"]
    assert column(connect(path), "Mobil") == ["absent", "absent"]


# Heading rows


def test_titles_and_blank_rows_above_the_headings_are_passed_over(tmp_path: Path) -> None:
    rows = [("Kundeliste", "", "01.03.2026"), ("", "", ""), ("Utskrift av Kari", "", ""), PEOPLE, *ROWS]
    connector = connect(text_file(tmp_path / "leads.csv", rows))
    assert values(connector) == EXPECTED
    assert "line 4 is the heading row (guessed)" in said(connector, "ok")


def test_english_and_unknown_headings_are_found_too(tmp_path: Path) -> None:
    rows = [("Handle", "Gjøremål", "Farge"), ("Ola", "Ringe", "Rød"), ("Kari", "Skrive", "Blå")]
    assert column(connect(text_file(tmp_path / "a.csv", rows), ("Farge",)), "Farge") == ["Rød", "Blå"]
    titled = [("Report",), ("First Name", "Email address"), ("Ola", "o@example.com")]
    assert values(connect(text_file(tmp_path / "b.csv", titled), ("First Name",))) == [{"First Name": "Ola"}]


def test_the_heading_row_can_be_named(tmp_path: Path) -> None:
    rows = [PEOPLE, ("A", "B", "C"), ("Ola", "o@example.com", "1")]
    connector = connect(text_file(tmp_path / "leads.csv", rows), ("A", "B"), header_row=2)
    assert values(connector) == [{"A": "Ola", "B": "o@example.com"}]
    assert "line 2 is the heading row (as set)" in said(connector, "ok")


def test_a_heading_row_far_down_can_be_named(tmp_path: Path) -> None:
    people = [(f"Ola {n}", f"ola{n}@example.com", str(n)) for n in range(60)]
    path = text_file(tmp_path / "leads.csv", [*([("tekst",)] * 40), PEOPLE, *people])
    assert len(values(connect(path, header_row=41))) == 60


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        ([("o@example.com", "12"), ("k@example.com", "13")], {}),
        ([("", ""), ("1", "2")], {}),
        ([PEOPLE, *ROWS], {"header_row": 9}),
    ],
)
def test_a_file_without_headings_is_refused(
    tmp_path: Path, rows: list[tuple[str, ...]], settings: dict[str, int]
) -> None:
    with pytest.raises(Stop, match="header_row") as stopped:
        read(connect(text_file(tmp_path / "leads.csv", rows), how=settings))
    assert stopped.value.code == "SM326"


def test_doubled_and_missing_headings_get_names_of_their_own(tmp_path: Path) -> None:
    rows = [("Navn", "Telefon", "Telefon", "", ""), ("Ola", "1", "2", "3", ""), ("Kari", "4", "5", "", "")]
    connector = connect(text_file(tmp_path / "leads.csv", rows), ("Telefon", "Telefon (2)", "Column D"))
    assert values(connector)[0] == {"Telefon": "1", "Telefon (2)": "2", "Column D": "3"}
    names = [each.name for each in connector.schema("row").fields]
    assert names == ["Navn", "Telefon", "Telefon (2)", "Column D"]
    assert "column C is read as 'Telefon (2)'" in said(connector, "warning")


def test_headings_are_the_same_however_their_letters_and_blanks_are_made(tmp_path: Path) -> None:
    rows = [
        (unicodedata.normalize("NFD", "Fødselsår på"), " E-post\u00a0 adresse ", "\ufeffNavn"),
        ("1970", "o@example.com", "Ola"),
    ]
    path = text_file(tmp_path / "leads.csv", rows)
    assert values(connect(path, ("Fødselsår på", "E-post adresse", "Navn")))[0]["Fødselsår på"] == "1970"


def test_two_heading_rows_under_merged_cells_are_joined(tmp_path: Path) -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("B2:C2")
        sheet.merge_cells("A1:D1")
        sheet.merge_cells("A2:A3")

    rows = [
        ("Kundeliste",),
        ("Navn", "Firma", None, "E-post"),
        (None, "Navn", "Orgnr"),
        ("Ola", "Acme", 923609016, "o@example.com"),
    ]
    connector = connect(
        workbook(tmp_path / "leads.xlsx", merge, rows), ("Navn", "Firma / Navn", "Firma / Orgnr", "E-post")
    )
    assert values(connector) == [
        {"Navn": "Ola", "Firma / Navn": "Acme", "Firma / Orgnr": "923609016", "E-post": "o@example.com"}
    ]
    assert "row 3 is the heading row" in said(connector, "ok")


def test_merged_headings_of_one_row_do_not_make_a_heading_of_the_first_person(tmp_path: Path) -> None:
    rows = [("Navn", None, "E-post", "Mobil"), ("Ola", "Nordmann", "o@example.com", 4791234567)]
    connector = connect(workbook(tmp_path / "leads.xlsx", lambda sheet: sheet.merge_cells("A1:B1"), rows))
    assert values(connector) == [{"Navn": "Ola", "E-post": "o@example.com", "Mobil": "4791234567"}]


# Workbooks


def test_a_workbook_reads_as_a_text_file_does(tmp_path: Path) -> None:
    assert values(connect(workbook(tmp_path / "leads.xlsx"))) == EXPECTED


def test_rows_and_columns_keep_their_numbers_below_an_empty_margin(tmp_path: Path) -> None:
    rows = [(None,), (None,), (None, *PEOPLE), (None, *ROWS[0]), (), (None, "=1/0", "b@example.com", "x")]
    connector = connect(workbook(tmp_path / "leads.xlsx", rows=rows))
    assert "row 3 is the heading row" in said(connector, "ok")
    assert 'column "Navn" holds a formula that no program has calculated yet in row 6' in said(connector, "warning")


def test_numbers_dates_and_words_of_truth_are_canonical(tmp_path: Path) -> None:
    names = ("Navn", "Mobil", "Postnr", "Andel", "Dato", "Møte", "VIP", "Serie")
    row = (
        "Ola",
        4791234567,
        "0150",
        0.25,
        datetime.date(2026, 3, 1),
        datetime.datetime(2026, 3, 1, 10, 30),
        True,
        46082,
    )
    path = workbook(tmp_path / "leads.xlsx", rows=[names, row])
    assert values(connect(path, names)) == [
        {
            "Navn": "Ola",
            "Mobil": "4791234567",
            "Postnr": "0150",
            "Andel": "0.25",
            "Dato": "2026-03-01",
            "Møte": "2026-03-01T10:30:00",
            "VIP": "TRUE",
            "Serie": "46082",
        }
    ]
    assert column(connect(path, names, dates=["Serie"]), "Serie") == ["2026-03-01"]


def test_days_count_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    sheet = f'<sheetData>{heading("Navn", "Serie")}<row r="2">{text_cell("A2", "Ola")}<c r="B2"><v>44620</v></c></row></sheetData>'
    path = raw_workbook(tmp_path / "leads.xlsx", sheet, book='<workbookPr date1904="1"/>')
    assert values(connect(path, ("Serie",), dates=["Serie"])) == [{"Serie": "2026-03-01"}]


def test_postal_codes_keep_their_zeros_in_text_and_lose_them_only_where_the_file_has(tmp_path: Path) -> None:
    rows = [("Navn", "Postnr"), ("tekst", "0150"), ("tall", 150)]
    assert column(connect(workbook(tmp_path / "a.xlsx", rows=rows), ("Postnr",)), "Postnr") == ["0150", "150"]
    assert column(
        connect(text_file(tmp_path / "b.csv", [("Navn", "Postnr"), ("x", "0150")]), ("Postnr",)), "Postnr"
    ) == ["0150"]


def test_phones_come_back_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = [PEOPLE, ("tall", "a@example.com", 4791234567), ("tekst", "b@example.com", "+47 912 34 567")]
    rows += [("vitenskap", "c@example.com", "4,79123E+09"), ("lang", "d@example.com", 123456789012345678)]
    connector = connect(workbook(tmp_path / "leads.xlsx", rows=rows))
    assert column(connector, "Mobil") == ["4791234567", "+47 912 34 567", "absent", "absent"]
    told = said(connector, "warning")
    assert 'column "Mobil" holds a number in scientific form, whose digits are lost in row 4' in told
    assert 'column "Mobil" holds a number of more than 15 digits, whose end was rounded away in row 5' in told
    assert "4,79123" not in told


def test_errors_and_formulas_that_were_never_calculated_say_nothing(tmp_path: Path) -> None:
    sheet = (
        f"<sheetData>{heading(*PEOPLE)}"
        f'<row r="2"><c r="A2" t="str"><f>B1&amp;""</f><v>Kåre</v></c>{text_cell("B2", "k@example.com")}'
        '<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        f'<row r="3"><c r="A3"><f>1+1</f><v></v></c>{text_cell("B3", "b@example.com")}<c r="C3" t="e"><v>#N/A</v></c></row>'
        f'<row r="4"><c r="A4"><f>1+1</f></c>{text_cell("B4", "c@example.com")}<c r="C4" s="0"/></row>'
        "</sheetData>"
    )
    connector = connect(raw_workbook(tmp_path / "leads.xlsx", sheet))
    assert [record.fields for record in read(connector)] == [
        {"Navn": "Kåre", "E-post": "k@example.com"},
        {"E-post": "b@example.com"},
        {"E-post": "c@example.com", "Mobil": None},
    ]
    told = said(connector, "warning")
    assert 'column "Mobil" holds an error instead of a value in rows 2, 3' in told
    assert 'column "Navn" holds a formula that no program has calculated yet in rows 3, 4' in told


def test_a_row_of_nothing_but_uncalculated_formulas_at_the_end_is_seen(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", rows=[PEOPLE, *ROWS, ("=A2", "=B2", "=C2")])
    assert "row 4 left out: it holds nothing that can be read" in said(connect(path), "warning")


def test_an_empty_cell_is_told_as_empty(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola", "o@example.com", " ")])
    assert column(connect(path), "Mobil") == [None]


def test_the_first_visible_sheet_is_read_unless_another_is_named(tmp_path: Path) -> None:
    def more(sheet: Worksheet) -> None:
        book = sheet.parent
        assert book is not None
        sheet.sheet_state = "hidden"
        sheet.title = "Skjult"
        for name in ("Mars", "April"):
            other = book.create_sheet(name)
            for row in (PEOPLE, (name, f"{name.lower()}@example.com", "1")):
                other.append(row)
        book.active = 1

    path = workbook(tmp_path / "leads.xlsx", more)
    connector = connect(path)
    assert column(connector, "Navn") == ["Mars"]
    assert "1 more visible sheets are not read" in said(connector, "warning")
    assert column(connect(path, sheet="April"), "Navn") == ["April"]
    assert column(connect(path, sheet="Skjult"), "Navn") == ["Kåre Ås", "Åse Ødegård"]
    with pytest.raises(Stop, match='no sheet "Mai"; its sheets are: "Skjult", "Mars", "April"'):
        read(connect(path, sheet="Mai"))


def test_shared_texts_with_formats_inside_are_read_whole(tmp_path: Path) -> None:
    sheet = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row></sheetData>'
    path = raw_workbook(
        tmp_path / "leads.xlsx", sheet, shared=["<t>Navn</t>", "<r><t>Kå</t></r><r><rPr><b/></rPr><t>re</t></r>"]
    )
    assert column(connect(path, ("Navn",)), "Navn") == ["Kåre"]


# Rows that are none


def test_totals_and_notes_below_the_rows_are_no_people(tmp_path: Path) -> None:
    rows = [PEOPLE, *ROWS, ("Totalt", "", "2"), ("", "", ""), ("Kilde: messen i mars", "", "")]
    connector = connect(text_file(tmp_path / "leads.csv", rows))
    assert values(connector) == EXPECTED
    told = said(connector, "warning")
    assert "line 4 left out: it holds totals" in told
    assert "line 6 left out: it holds notes below the rows" in told


def test_a_sheet_of_one_row_is_told_so(tmp_path: Path) -> None:
    sheet = connect(text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola Dahl", "ola@example.com", "1")]))
    assert "with 3 columns; 1 row | " in said(sheet, "ok")


def test_a_person_with_one_cell_between_others_is_a_person(tmp_path: Path) -> None:
    rows = [PEOPLE, ("Ola", "", ""), ROWS[0], ("", "", ""), ROWS[1]]
    assert column(connect(text_file(tmp_path / "leads.csv", rows)), "Navn") == ["Ola", "Kåre Ås", "Åse Ødegård"]


# Schema and check


def test_the_schema_tells_types_and_how_much_is_filled(tmp_path: Path) -> None:
    names = ("Navn", "E-post", "Telefon", "Født", "Antall", "VIP", "Postnr", "Tom")
    rows = [
        names,
        ("Ola", "o@example.com", "91234567", "2000-01-01", "12", "Ja", "0150", ""),
        ("Kari", "", "22", "2001-01-01", "7,5", "Nei", "5003", ""),
    ]
    fields = connect(text_file(tmp_path / "leads.csv", rows)).schema("row").by_name()
    types = {name: each.type for name, each in fields.items()}
    assert types == {"Navn": "text", "E-post": "email", "Telefon": "phone", "Født": "date", "Antall": "number"} | {
        "VIP": "boolean",
        "Postnr": "text",
        "Tom": "text",
    }
    assert fields["Navn"].filled == 1.0
    assert fields["E-post"].filled == 0.5
    assert fields["Tom"].filled == 0.0
    assert not any(each.read_only for each in fields.values())


def test_check_names_what_the_mapping_wants_and_the_sheet_lacks(tmp_path: Path) -> None:
    connector = connect(text_file(tmp_path / "leads.csv"), (*PEOPLE, "Tittel"), dates=["Fødselsdag"])
    told = said(connector, "warning")
    assert 'there is no column "Tittel", which the mapping names' in told
    assert 'there is no column "Fødselsdag", which dates names' in told
    assert "Tittel" not in values(connector)[0]


@pytest.mark.parametrize("name", ["Fødselsnummer", "Personnr", "Helse", "Fagforening"])
def test_check_warns_of_columns_that_are_not_to_be_spread(tmp_path: Path, name: str) -> None:
    path = text_file(tmp_path / "leads.csv", [("Navn", name), ("Ola", "x")])
    assert f'the column "{name}" looks like something that is not to be spread' in said(connect(path), "warning")


def test_check_tells_an_error_with_what_to_do_and_does_not_raise(tmp_path: Path) -> None:
    found = list(connect(tmp_path / "missing.csv").check())
    assert found == [Finding("error", "SM320", found[0].text, "check the setting path")]
    assert "does not exist" in found[0].text


def test_no_finding_shows_a_value(tmp_path: Path) -> None:
    rows = [*(PEOPLE, *ROWS), ("Hemmelig", "hemmelig@example.com", "4,7E+09"), ("Hemmelig", "a", "b", "c")]
    connector = connect(text_file(tmp_path / "leads.csv", rows), key_column="Navn")
    told = "".join(said(connector, level) for level in ("ok", "advice", "warning", "error"))
    assert "left out" in told
    assert not any(word in told for word in ("Hemmelig", "hemmelig", "Kåre", "4,7E"))


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    before = path.read_bytes()
    connector = connect(path)
    read(connector)
    connector.schema("row")
    findings(connector, "ok")
    assert connector.capabilities.batch
    assert path.read_bytes() == before
    assert cells(path)[0] == PEOPLE
