"""Writing into people's files: what was asked is there, and nothing else has changed."""

from __future__ import annotations

import datetime
from collections.abc import Set
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from connectors.base import Done, Refused, Stale, WriteKind
from connectors.base import Write as WriteOf
from connectors.errors import Stop
from connectors.spreadsheet.delimited import Delimited
from connectors.spreadsheet.form import Edits
from tests.connectors.sheet_files import (
    PEOPLE,
    ROWS,
    cells,
    column,
    connect,
    create,
    findings,
    heading,
    packed,
    parts,
    raw_workbook,
    read,
    said,
    text_cell,
    text_file,
    update,
    update_of,
    values,
    workbook,
    write,
)

WITH_ID = (*PEOPLE, "smarketing_id")
KEPT = [WITH_ID, (*ROWS[0], "a"), (*ROWS[1], "b")]


# Text files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "mac_roman", "cp865"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_text_file_goes_back_in_its_own_encoding_delimiter_and_line_ends(
    tmp_path: Path, encoding: str, newline: str, delimiter: str
) -> None:
    path = text_file(tmp_path / "leads.csv", KEPT, encoding=encoding, newline=newline, delimiter=delimiter)
    before = path.read_bytes()
    settings = {} if encoding.endswith("sig") or encoding in ("utf-8", "cp1252", "utf-16") else {"encoding": encoding}
    connector = connect(path, how=settings)
    write(connector, update_of("a", {"Mobil": "øre"}), update_of("b", {"Mobil": "22334455"}))
    write(connector, create({"Navn": "Pål"}, "c"))
    fit = before[:2].decode("latin-1") if encoding == "utf-16" else ""
    body = before.decode(encoding).replace("91234567", "øre") + f"Pål;;;c{newline}".replace(";", delimiter)
    assert path.read_bytes().decode(encoding) == body
    assert path.read_bytes()[:2].decode("latin-1").startswith(fit)


AWKWARD = (
    "sep=;\r\n"
    "Kundeliste;;\r\n"
    "\r\n"
    'Navn;"E-post";Mobil;Notat;smarketing_id\r\n'
    '"Kåre ""K"" Ås";  kare@example.com ;91234567;"to\nlinjer; her";a\r\n'
    'Åse;"ase@example.com";\'+4722334455;O"Hara;b;\r\n'
    "Totalt;;2\r\n"
    "a;b;c;d;e;for mange\r\n"
    ";;;;\r\n"
)


def test_what_is_not_written_keeps_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(AWKWARD.encode("cp1252"))
    write(connect(path), update_of("b", {"Mobil": "+4799887766"}))
    assert path.read_bytes().decode("cp1252") == AWKWARD.replace("'+4722334455", "'+4799887766")
    write(connect(path), update_of("a", {"E-post": "k;s@example.com"}))
    expected = AWKWARD.replace("'+4722334455", "'+4799887766").replace("  kare@example.com ", '"k;s@example.com"')
    assert path.read_bytes().decode("cp1252") == expected


def test_a_file_that_quotes_everything_goes_on_doing_so(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [[f'"{each}"' for each in row] for row in KEPT])
    write(connect(path), update_of("a", {"Mobil": "5"}))
    write(connect(path), create({"Navn": "Eva"}, "c"))
    lines = path.read_text("utf-8").splitlines()
    assert lines[1] == '"Kåre Ås";"kare@example.com";"5";"a"'
    assert lines[3] == '"Eva";"";"";"c"'


@pytest.mark.parametrize("wide", ["Nordmann;Ola;o@example.com;5", "Nordmann;Ola;o@example.com;5;6;;"])
def test_a_row_that_is_too_wide_stays_too_wide_when_our_column_comes(tmp_path: Path, wide: str) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ROWS[0], wide.split(";"), ("Kari", "", "", "", "")])
    connector = connect(path)
    kare, kari = read(connector)
    write(connector, update(kare, {"Mobil": "5"}))
    lines = path.read_text("utf-8").splitlines()
    assert lines[2] == wide.replace("o@example.com;", "o@example.com;;")
    assert lines[3] == f"Kari;;;{kari.ref.id};;"
    assert [record.ref for record in read(connect(path))] == [kare.ref, kari.ref]
    assert "line 3 left out: it has more fields" in said(connector, "warning")


def test_a_row_with_a_stray_quotation_mark_keeps_its_meaning(tmp_path: Path) -> None:
    rows = [WITH_ID, ('"Ola" Nordmann', "o@example.com", '24" skjerm', "a")]
    path = text_file(tmp_path / "leads.csv", rows)
    before = values(connect(path))[0]
    write(connect(path), update_of("a", {"E-post": "ny@example.com"}))
    assert values(connect(path))[0] == {**before, "E-post": "ny@example.com"}


def test_a_file_without_a_last_line_end_gets_none(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"Navn;E-post;Mobil;smarketing_id\nOla;o@example.com;1;a")
    write(connect(path), create({"Navn": "Eva"}, "b"), create({"Navn": "Liv"}, "c"))
    assert path.read_bytes() == b"Navn;E-post;Mobil;smarketing_id\nOla;o@example.com;1;a\nEva;;;b\nLiv;;;c"


def test_a_file_with_headings_only_takes_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"Navn;E-post;Mobil")
    write(connect(path), create({"Navn": "Eva", "Mobil": "+47"}, "b"))
    assert path.read_bytes() == b"Navn;E-post;Mobil;smarketing_id\r\nEva;;'+47;b"


def test_a_letter_that_the_encoding_lacks_refuses_its_row_and_no_other(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", KEPT, encoding="cp1252")
    answers = write(connect(path), update_of("a", {"Navn": "Łukasz", "Mobil": "5"}), update_of("b", {"Navn": "Åsa"}))
    assert isinstance(answers[0], Refused)
    assert (answers[0].fields, answers[0].code) == (("Navn",), "encoding")
    assert "Łukasz" not in answers[0].text
    assert isinstance(answers[1], Done)
    assert column(connect(path), "Navn") == ["Kåre Ås", "Åsa"]
    assert column(connect(path), "Mobil") == ["91234567", "22334455"]


def test_a_text_that_needs_quotation_marks_gets_them(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", KEPT)
    fields = {"Navn": 'O "B"; N', "E-post": "to\nlinjer", "Mobil": "1,2"}
    answer = write(connect(path), update_of("a", {**fields}))[0]
    assert isinstance(answer, Done)
    assert answer.fields == fields
    assert values(connect(path))[0] == fields


# Workbooks


def furnished(sheet: Worksheet) -> None:
    """Everything that a person may have put into a workbook and that must be there afterwards."""
    book = sheet.parent
    assert book is not None
    sheet["A1"].font = Font(bold=True, color="FF0000")
    sheet["E1"], sheet["E2"], sheet["E3"] = "Full", '=A2&" "&B2', "=SUM(F2:F3)"
    sheet["F1"], sheet["F2"], sheet["F3"] = "Beløp", 1200.5, 42
    sheet["F2"].number_format = "#,##0.00"
    sheet["G1"], sheet["G2"] = "Født", datetime.date(1990, 5, 17)
    sheet["G2"].number_format = "dd.mm.yyyy"
    sheet["H1"], sheet["H2"] = "Notat", CellRichText("Viktig: ", TextBlock(InlineFont(b=True), "ring"))
    sheet["I1"], sheet["I2"] = "VIP", True
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["B"].width = 31.5
    sheet.auto_filter.ref = "A1:C3"
    choices = DataValidation(type="list", formula1='"Ja,Nei"')
    choices.add("I2:I9")
    sheet.add_data_validation(choices)
    sheet.conditional_formatting.add("F2:F9", CellIsRule(operator="lessThan", formula=["0"], font=Font(color="FF0000")))  # type: ignore[no-untyped-call]
    sheet["B2"].hyperlink = "mailto:kare@example.com"
    other = book.create_sheet("Priser")
    other["A1"], other["B7"] = "Pris", "=Sheet!F2*2"
    other.merge_cells("A1:C1")
    hidden = book.create_sheet("Skjult")
    hidden["A1"] = "hemmelig"
    hidden.sheet_state = "hidden"
    book.defined_names.add(openpyxl.workbook.defined_name.DefinedName("Satser", attr_text="Priser!$A$1"))


def test_everything_else_in_a_workbook_stays_as_it_was(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", furnished)
    connector = connect(path)
    kare = read(connector)[0]
    assert isinstance(write(connector, update(kare, {"Mobil": "+4799887766"}))[0], Done)
    book = openpyxl.load_workbook(path, rich_text=True)
    sheet = book.worksheets[0]
    assert sheet["A1"].font.b
    assert sheet["A1"].font.color.rgb == "00FF0000"
    assert (sheet["E2"].value, sheet["E3"].value) == ('=A2&" "&B2', "=SUM(F2:F3)")
    assert (sheet["F2"].value, sheet["F2"].number_format) == (1200.5, "#,##0.00")
    assert (sheet["G2"].value, sheet["G2"].number_format) == (datetime.datetime(1990, 5, 17), "dd.mm.yyyy")
    assert isinstance(sheet["H2"].value, CellRichText)
    assert str(sheet["H2"].value) == "Viktig: ring"
    assert sheet["I2"].value is True
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["B"].width == 31.5
    assert sheet.auto_filter.ref == "A1:C3"
    assert str(sheet.data_validations.dataValidation[0].sqref) == "I2:I9"
    assert len(sheet.conditional_formatting) == 1
    assert book.sheetnames == ["Sheet", "Priser", "Skjult"]
    assert book["Priser"]["B7"].value == "=Sheet!F2*2"
    assert [str(each) for each in book["Priser"].merged_cells.ranges] == ["A1:C1"]
    assert book["Skjult"].sheet_state == "hidden"
    assert book.defined_names["Satser"].attr_text == "Priser!$A$1"
    assert sheet["C2"].value == "+4799887766"


def test_our_cells_are_text_that_no_program_reformats(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    connector = connect(path)
    write(connector, update(read(connector)[0], {"Navn": "=HYPERLINK(1)", "E-post": "@sum", "Mobil": "+4799887766"}))
    sheet = openpyxl.load_workbook(path).worksheets[0]
    for place, text in (("A2", "=HYPERLINK(1)"), ("B2", "@sum"), ("C2", "+4799887766")):
        assert (sheet[place].value, sheet[place].data_type, sheet[place].number_format) == (text, "s", "@")
    assert b"<f>" not in parts(path)["xl/worksheets/sheet1.xml"]
    assert values(connect(path))[0] == {"Navn": "=HYPERLINK(1)", "E-post": "@sum", "Mobil": "+4799887766"}


def test_numbers_dates_and_words_of_truth_keep_their_kind_so_that_sums_go_on_working(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", furnished)
    wanted = ("Beløp", "Født", "VIP", "Mobil")
    connector = connect(path, wanted, dates=["Født"])
    kare, ase = read(connector)
    answers = write(
        connector,
        update(kare, {"Beløp": "99.5", "Født": "1991-06-18", "VIP": "FALSE"}),
        update(ase, {"Beløp": "+3", "Født": "2001-01-02", "VIP": "TRUE"}),
    )
    assert [each.fields for each in answers if isinstance(each, Done)] == [
        {"Beløp": "99.5", "Født": "1991-06-18", "VIP": "FALSE"},
        {"Beløp": "+3", "Født": "2001-01-02", "VIP": "TRUE"},
    ]
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert [sheet[place].value for place in ("F2", "G2", "I2")] == [99.5, datetime.datetime(1991, 6, 18), False]
    assert [sheet[place].value for place in ("F3", "G3", "I3")] == ["+3", datetime.datetime(2001, 1, 2), "TRUE"]
    assert sheet["G3"].number_format == "dd.mm.yyyy"
    assert sheet["F2"].number_format == "#,##0.00"


def test_a_link_to_the_old_address_is_not_left_behind_a_new_one(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", furnished)
    connector = connect(path)
    write(connector, update(read(connector)[0], {"E-post": "ny@example.com"}))
    assert b"kare@example.com" not in b"".join(parts(path).values())
    assert openpyxl.load_workbook(path).worksheets[0]["B2"].hyperlink.target == "mailto:ny@example.com"


def test_a_new_row_goes_below_the_last_one_and_into_its_table(tmp_path: Path) -> None:
    def table(sheet: Worksheet) -> None:
        sheet.add_table(Table(displayName="Leads", ref="A1:C3"))

    path = workbook(tmp_path / "leads.xlsx", table)
    connector = connect(path)
    write(connector, create({"Navn": "Eva", "Mobil": None}, "key-1"))
    assert cells(path)[3] == ("Eva", None, None, "key-1")
    assert openpyxl.load_workbook(path).worksheets[0].tables["Leads"].ref == "A1:C4"


def test_a_text_that_looks_like_an_escape_is_that_text(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    connector = connect(path)
    answer = write(connector, update(read(connector)[0], {"Navn": "_x0041_"}))[0]
    assert isinstance(answer, Done)
    assert answer.fields == {"Navn": "_x0041_"}


def test_a_formula_is_never_written_over(tmp_path: Path) -> None:
    sheet = (
        f'<sheetData>{heading(*PEOPLE)}<row r="2"><c r="A2" t="str"><f>B2</f><v>k@example.com</v></c>'
        f"{text_cell('B2', 'k@example.com')}</row></sheetData>"
    )
    path = raw_workbook(tmp_path / "leads.xlsx", sheet)
    connector = connect(path)
    assert connector.schema("row").by_name()["Navn"].read_only
    kare = read(connector)[0]
    same = write(connector, update(kare, {"Navn": "k@example.com"}))[0]
    assert isinstance(same, Done), "a formula that says so already is no problem"
    answer = write(connector, update(kare, {"Navn": "Kåre", "Mobil": "5"}))[0]
    assert isinstance(answer, Refused)
    assert (answer.fields, answer.code) == (("Navn",), "formula")
    assert column(connect(path), "Mobil") == [None]
    assert "values of formulas are not known" in said(connector, "advice")
    assert isinstance(write(connector, update(kare, {"Mobil": "5"}))[0], Done)
    assert values(connect(path)) == [{"E-post": "k@example.com", "Mobil": "5"}]


def test_no_part_of_a_formula_for_several_cells_is_written_over(tmp_path: Path) -> None:
    sheet = (
        f'<sheetData>{heading(*PEOPLE)}<row r="2">{text_cell("A2", "Ola")}'
        '<c r="C2" t="str"><f t="array" ref="C2:C3">A2:A3</f><v>Ola</v></c></row>'
        f'<row r="3">{text_cell("A3", "Kari")}</row></sheetData>'
    )
    path = raw_workbook(tmp_path / "leads.xlsx", sheet)
    connector = connect(path)
    answers = write(connector, *(update(record, {"Mobil": "5"}) for record in read(connector)))
    assert [(type(each), getattr(each, "code", "")) for each in answers] == [(Refused, "formula")] * 2


def test_our_column_goes_behind_formulas_that_were_never_calculated(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", rows=[PEOPLE, (*ROWS[0], None, "=A2"), ROWS[1]])
    connector = connect(path)
    first, second = (record.ref.id for record in read(connector))
    connector.add_own_key("row")
    assert cells(path) == [
        (*PEOPLE, None, None, "smarketing_id"),
        (*ROWS[0], None, "=A2", first),
        (*ROWS[1], None, None, second),
    ]


def test_a_part_of_merged_cells_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", lambda sheet: sheet.merge_cells("B2:C2"))
    connector = connect(path)
    answer = write(connector, update(read(connector)[0], {"Mobil": "5"}))[0]
    assert isinstance(answer, Refused)
    assert answer.fields == ("Mobil",)


# What every file has in common


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
class TestInEitherKind:
    @pytest.fixture
    def path(self, tmp_path: Path, suffix: str) -> Path:
        made = tmp_path / f"leads.{suffix}"
        return text_file(made, KEPT) if suffix == "csv" else workbook(made, rows=KEPT)

    @pytest.mark.parametrize(
        "value", ["=1+1", "+4791234567", "-5", "@her", "'=x", "'apostrof", "''+1", "=cmd|'/c x'!A0"]
    )
    def test_dangerous_texts_come_back_clean_and_stand_there_as_text(self, path: Path, value: str) -> None:
        answer = write(connect(path), update_of("a", {"Navn": value}))[0]
        assert isinstance(answer, Done)
        assert answer.fields == {"Navn": value}
        assert column(connect(path), "Navn")[0] == value
        if path.suffix == ".csv":
            assert path.read_text("utf-8").splitlines()[1][0] not in "=+-@"

    @pytest.mark.parametrize("value", [None, "", "  \u00a0"])
    def test_none_and_blanks_clear_the_cell(self, path: Path, value: str | None) -> None:
        answer = write(connect(path), update_of("a", {"Mobil": value}))[0]
        assert isinstance(answer, Done)
        assert answer.fields == {"Mobil": None}
        assert column(connect(path), "Mobil") == [None, "22334455"]

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"Navn": "x\x00y"}, "control"),
            ({"Navn": "x" * 40_000}, "length"),
            ({"Navn": ["a"]}, "type"),
            ({"Navn": "1,2E+12"}, "unreadable"),
            ({"Tittel": "x"}, "column"),
        ],
    )
    def test_a_value_that_cannot_be_kept_refuses_its_row_alone(
        self, path: Path, fields: dict[str, object], code: str
    ) -> None:
        answers = write(
            connect(path),
            update_of("a", {**fields, "Mobil": "5"}),  # type: ignore[dict-item]
            update_of("b", {"Mobil": "6"}),
        )
        assert isinstance(answers[0], Refused)
        assert (answers[0].fields, answers[0].code) == ((next(iter(fields)),), code)
        assert isinstance(answers[1], Done)
        assert column(connect(path), "Mobil") == ["91234567", "6"]

    def test_creates_and_updates_of_one_version_both_go_in(self, path: Path) -> None:
        connector = connect(path)
        a, b = read(connector)
        assert isinstance(write(connector, create({"Navn": "Eva"}, "c"))[0], Done)
        answers = write(connector, update(a, {"Mobil": "5"}), update(b, {"Mobil": "6"}))
        assert [type(each) for each in answers] == [Done, Done], "our own create made our own update stale"

    def test_a_file_that_somebody_changed_is_stale_and_shows_the_row_as_it_is(self, path: Path) -> None:
        connector = connect(path)
        a, _ = read(connector)
        write(connect(path), update_of("b", {"Mobil": "7"}))
        before = path.read_bytes()
        answer = write(connector, update(a, {"Mobil": "5"}))[0]
        assert isinstance(answer, Stale)
        assert answer.record is not None
        assert answer.record.fields == a.fields
        assert path.read_bytes() == before
        assert isinstance(write(connector, update(answer.record, {"Mobil": "5"}))[0], Done)

    def test_our_own_version_is_no_excuse_once_somebody_else_has_written(self, path: Path) -> None:
        connector = connect(path)
        a, b = read(connector)
        write(connector, update(a, {"Mobil": "5"}))
        write(connect(path), update_of("b", {"Mobil": "7"}))
        assert isinstance(write(connector, update(b, {"Navn": "x"}))[0], Stale)

    def test_a_write_that_changes_nothing_leaves_the_file_alone(self, path: Path) -> None:
        before = path.stat().st_mtime_ns
        answer = write(connect(path), update_of("a", {"Mobil": "91234567"}))[0]
        assert isinstance(answer, Done)
        assert path.stat().st_mtime_ns == before

    def test_archiving_is_refused(self, path: Path) -> None:
        before = path.read_bytes()
        answer = connect(path).write([WriteOf(WriteKind.ARCHIVE, "k", "row", update_of("a", {}).ref, {})])[0]
        assert isinstance(answer, Refused)
        assert path.read_bytes() == before

    def test_numbers_and_words_of_truth_are_written_as_text(self, path: Path) -> None:
        answer = write(connect(path), update_of("a", {"Mobil": 4791234567, "Navn": True}))[0]
        assert isinstance(answer, Done)
        assert answer.fields == {"Mobil": "4791234567", "Navn": "TRUE"}


def test_our_key_may_stand_among_the_fields(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", KEPT)
    answers = write(
        connect(path),
        create({"Navn": "Eva", "smarketing_id": "c"}, "c"),
        update_of("a", {"smarketing_id": "a", "Mobil": "1"}),
    )
    assert [each.fields for each in answers if isinstance(each, Done)] == [
        {"Navn": "Eva", "smarketing_id": "c"},
        {"smarketing_id": "a", "Mobil": "1"},
    ]


# Files that are only read


def chart(sheet: Worksheet) -> None:
    from openpyxl.chart import BarChart

    sheet.add_chart(BarChart(), "E5")


def note(sheet: Worksheet) -> None:
    sheet["A1"].comment = Comment("husk", "K")


def protection(sheet: Worksheet) -> None:
    sheet.protection.sheet = True


@pytest.mark.parametrize(
    ("fill", "why"),
    [(chart, "it has charts"), (note, "it has notes or comments"), (protection, 'the sheet "Sheet" is protected')],
)
def test_a_workbook_with_what_editing_would_lose_is_only_read_and_says_so(
    tmp_path: Path, fill: object, why: str
) -> None:
    assert_only_read(workbook(tmp_path / "leads.xlsx", fill), why)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("xl/vbaProject.bin", "macros"),
        ("xl/pivotTables/pivotTable1.xml", "pivot tables"),
        ("xl/externalLinks/externalLink1.xml", "links to other workbooks"),
        ("xl/media/image1.png", "drawings or pictures"),
        ("xl/threadedComments/threadedComment1.xml", "notes or comments"),
        ("xl/slicers/slicer1.xml", "slicers"),
        ("docMetadata/LabelInfo.xml", "a sensitivity label"),
        ("customXml/item1.xml", "data of other programs"),
        ("_xmlsignatures/sig1.xml", "a digital signature"),
        ("xl/metadata.xml", "dynamic arrays"),
        ("xl/novelty.xml", "a part 'xl/novelty.xml'"),
    ],
)
def test_a_workbook_with_a_part_that_would_be_lost_is_only_read(tmp_path: Path, part: str, why: str) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    path.write_bytes(packed({**parts(path), part: b"<x/>"}))
    assert_only_read(path, why)


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("xl/worksheets/sheet1.xml", b"</worksheet>", b"<extLst/></worksheet>", "newer conditional formats"),
        ("xl/worksheets/sheet1.xml", b"</worksheet>", b"<x:controls/></worksheet>", "form controls"),
        ("xl/workbook.xml", b"<sheets>", b'<fileSharing readOnlyRecommended="1"/><sheets>', "marked as read-only"),
        (
            "xl/workbook.xml",
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            "strict variant",
        ),
    ],
)
def test_a_workbook_with_an_element_that_would_be_lost_is_only_read(
    tmp_path: Path, name: str, old: bytes, new: bytes, why: str
) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    content = parts(path)
    content[name] = content[name].replace(old, new).replace(b"<x:controls/>", b'<x:controls xmlns:x="urn:x"/>')
    path.write_bytes(packed(content))
    assert_only_read(path, why)


def test_a_long_workbook_is_only_read(tmp_path: Path) -> None:
    body = "".join(f'<row r="{n}">{text_cell(f"A{n}", f"o{n}@example.com")}</row>' for n in range(2, 20_003))
    assert_only_read(
        raw_workbook(tmp_path / "leads.xlsx", f"<sheetData>{heading('E-post')}{body}</sheetData>"), "20,001 rows"
    )


def test_a_sheet_whose_ids_are_formulas_is_only_read(tmp_path: Path) -> None:
    sheet = f'<sheetData>{heading("Navn", "Nr")}<row r="2">{text_cell("A2", "Ola")}<c r="B2"><f>1+1</f><v>2</v></c></row></sheetData>'
    assert_only_read(raw_workbook(tmp_path / "leads.xlsx", sheet), "holds formulas", key_column="Nr")


def test_merges_over_a_million_cells_are_only_read(tmp_path: Path) -> None:
    sheet = f'<sheetData>{heading(*PEOPLE)}</sheetData><mergeCells><mergeCell ref="E5:XFD9999"/></mergeCells>'
    assert_only_read(raw_workbook(tmp_path / "leads.xlsx", sheet), "merges, arrays or links")


def test_an_encoding_that_does_not_give_back_the_same_bytes_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes("Navn;Sted\nOla;Oslo\n".encode("utf-7") + b"K+AOU-re;X+ACE-\n")
    assert_only_read(path, "does not give back the same bytes", encoding="utf-7")


def assert_only_read(path: Path, why: str, **settings: str) -> None:
    before = path.read_bytes()
    connector = connect(path, how=settings)
    able = connector.capabilities
    assert able.batch == {}
    assert able.creates == ()
    assert connector.own_key("row") is None
    assert why in next(each.text for each in findings(connector, "warning") if each.code == "SM329")
    assert all(each.read_only for each in connector.schema("row").fields)
    read(connector)
    with pytest.raises(Stop, match="only read, never written") as stopped:
        connector.write([create({"Navn": "x", "Nr": "7"})])
    assert stopped.value.code == "SM329"
    assert path.read_bytes() == before


def test_a_macro_workbook_is_read_as_data(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx").rename(tmp_path / "leads.xlsm")
    path.write_bytes(packed({**parts(path), "xl/vbaProject.bin": b"never run"}))
    assert len(read(connect(path))) == 2


def test_what_a_sheet_can_do_follows_the_file(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    connector = connect(path)
    assert connector.capabilities.batch == {WriteKind.CREATE: 20_000, WriteKind.UPDATE: 20_000}
    workbook(path, chart)
    assert connector.capabilities.batch == {}
    workbook(path, rows=KEPT)
    assert connector.capabilities.batch
    assert connector.requests() == {"read": 0, "look": 0, "write": 0}


def test_if_editing_would_add_more_than_was_asked_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(form: Delimited, edits: Edits, dates: Set[int]) -> bytes:
        return genuine(form, edits, dates) + b"Noen;noen@example.com;1;c\r\n"

    genuine = Delimited.rewritten
    monkeypatch.setattr(Delimited, "rewritten", careless)
    path = text_file(tmp_path / "leads.csv", KEPT)
    before = path.read_bytes()
    with pytest.raises(Stop, match="its rows would not be found again") as stopped:
        write(connect(path), update_of("a", {"Mobil": "5"}))
    assert stopped.value.code == "SM329"
    assert path.read_bytes() == before


def test_if_editing_would_change_more_than_was_asked_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.spreadsheet import rewrite

    def careless(*args: object) -> bytes:
        data = genuine(*args)  # type: ignore[arg-type]
        changed = workbook(tmp_path / "other.xlsx", rows=[WITH_ID, ("Noen andre", *ROWS[0][1:], "a"), KEPT[2]])
        return changed.read_bytes() if data else data

    genuine = rewrite.rewrite
    monkeypatch.setattr(rewrite, "rewrite", careless)
    path = workbook(tmp_path / "leads.xlsx", rows=KEPT)
    before = path.read_bytes()
    with pytest.raises(Stop, match="cells that nobody wanted to change would change"):
        write(connect(path), update_of("a", {"Mobil": "5"}))
    assert path.read_bytes() == before
