"""Files made to harm, or harmed: an error that says what to do, and never a crash, a hang or a flood of memory."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest

from connectors.base import Done
from connectors.errors import Retry, Stop
from tests.connectors.sheet_files import (
    LINKS,
    MAIN,
    PEOPLE,
    ROWS,
    connect,
    create,
    filled,
    heading,
    packed,
    parts,
    raw_parts,
    raw_workbook,
    read,
    said,
    text_cell,
    text_file,
    update,
    values,
    workbook,
    write,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def refused(path: Path, code: str, match: str) -> None:
    connector = connect(path)
    with pytest.raises(Stop, match=match) as stopped:
        read(connector)
    assert stopped.value.code == code
    assert connector.capabilities.batch, "what cannot be read is not known to be read only"


@pytest.mark.parametrize(
    ("name", "data", "code", "match"),
    [
        ("a.xlsx", OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "SM322", "protected by a password"),
        ("a.xlsx", OLE + bytes(600), "SM321", r"old kind \(\.xls\); save it as \.xlsx"),
        ("a.xls", OLE + bytes(600), "SM321", "old kind"),
        ("a.xls", b"<html><table><tr><td>Navn</td></tr></table></html>", "SM321", "web page"),
        ("a.xlsx", b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "SM321", "web page"),
        ("a.xlsx", b'<?xml version="1.0"?><Workbook/>', "SM321", "web page or XML"),
        ("a.xlsx", b"Navn;E-post\r\n", "SM321", "no workbook, whatever its name says"),
        ("a.xlsx", b"", "SM323", "is empty"),
        ("a.csv", b"", "SM323", "is empty"),
        ("a.csv", b"\r\n\r\n", "SM323", "is empty"),
        ("a.csv", b";;\r\n;;\r\n", "SM326", "heading row"),
        ("a.csv", b"PK\x03\x04 and so on", "SM321", "a workbook under a text file's name"),
        ("a.csv", OLE, "SM321", "a workbook under a text file's name"),
        ("a.csv", b"<html><body>Sign in</body></html>", "SM321", "web page"),
        ("a.csv", bytes(range(256)) * 4, "SM325", "encoding cannot be told"),
        ("a.ods", b"PK\x03\x04", "SM321", r"files named \"\.ods\" are not read"),
        ("a.pdf", b"%PDF-1.7", "SM321", "no workbook"),
        ("a.xlsx", b"PK\x03\x04", "SM323", "damaged or only half there"),
        ("a.xlsx", packed({"hei.txt": b"hei"}), "SM323", "a zip, but no workbook"),
    ],
)
def test_what_is_no_sheet_says_what_it_is_and_what_to_do(
    tmp_path: Path, name: str, data: bytes, code: str, match: str
) -> None:
    (tmp_path / name).write_bytes(data)
    refused(tmp_path / name, code, match)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    path.write_bytes(packed({**raw_parts("<sheetData/>"), "xl/media/x.bin": bytes(20_000_000)}))
    refused(path, "SM324", "more than a workbook needs")


def test_a_zip_that_lies_about_its_sizes_is_caught_when_it_is_unpacked(tmp_path: Path) -> None:
    data = bytearray(packed(raw_parts("<sheetData/>", more={"xl/media/x.bin": bytes(5_000_000)})))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as package:
        real = package.getinfo("xl/media/x.bin").file_size
    small = (1000).to_bytes(4, "little")
    data = bytearray(bytes(data).replace(real.to_bytes(4, "little"), small))
    (tmp_path / "leads.xlsx").write_bytes(data)
    refused(tmp_path / "leads.xlsx", "SM323", "damaged")


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in raw_parts("<sheetData/>").items():
            package.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            package.writestr("xl/workbook.xml", "<other/>")
    (tmp_path / "leads.xlsx").write_bytes(out.getvalue())
    refused(tmp_path / "leads.xlsx", "SM323", "damaged")


def test_thousands_of_parts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "leads.xlsx").write_bytes(packed({f"x{n}": b"" for n in range(5_001)}))
    refused(tmp_path / "leads.xlsx", "SM323", "5,001 parts")


HEAD = heading(*PEOPLE)


@pytest.mark.parametrize(
    ("sheet", "code", "match"),
    [
        # One cell far away: its reader would ask for the memory of all cells up to it, and end the process.
        (f'<sheetData>{HEAD}<row r="1048576">{text_cell("XFD1048576", "x")}</row></sheetData>', "SM324", "too large"),
        (f'<sheetData>{HEAD}<row r="2">{text_cell("ZZZZZ99999999999", "x")}</row></sheetData>', "SM323", "address"),
        (f'<sheetData>{HEAD}<row r="2">{text_cell("A0", "x")}</row></sheetData>', "SM323", "address"),
        (f'<sheetData>{HEAD}<row r="2">{text_cell("A3", "x")}</row></sheetData>', "SM323", "address"),
        (f'<sheetData>{HEAD}<row r="99999999">{text_cell("A99999999", "x")}</row></sheetData>', "SM323", "row"),
        # Rows out of order would vanish without a word.
        (f'<sheetData>{HEAD}<row r="5">{text_cell("A5", "x")}</row><row r="2"/></sheetData>', "SM323", "comes after"),
        (
            f'<sheetData>{HEAD}<row r="2">{text_cell("B2", "x")}{text_cell("A2", "y")}</row></sheetData>',
            "SM323",
            "order",
        ),
        (f'<sheetData>{HEAD}<row r="2"><c r="A2" t="s"><v>7</v></c></row></sheetData>', "SM323", "not there"),
        (f'<sheetData>{HEAD}<row r="2"><c r="A2" t="s"><v>-1</v></c></row></sheetData>', "SM323", "not there"),
        ("<sheetData>" + "<a>" * 100_000 + "</a>" * 100_000 + "</sheetData>", "SM323", "deep"),
        ("<sheetData><row>", "SM323", "breaks"),
        ("</worksheet><worksheet>", "SM323", "breaks"),
        (f'<sheetData>{HEAD}</sheetData><mergeCells><mergeCell ref="A0:x"/></mergeCells>', "SM323", "merge"),
        ("<sheetData/>", "SM326", "heading row"),
        ("", "SM326", "heading row"),
    ],
)
def test_a_sheet_made_to_harm_its_reader_is_refused(tmp_path: Path, sheet: str, code: str, match: str) -> None:
    refused(raw_workbook(tmp_path / "leads.xlsx", sheet), code, match)


def test_one_long_text_used_by_every_cell_is_refused(tmp_path: Path) -> None:
    body = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 10_002))
    sheet = f"<sheetData>{HEAD}{body}</sheetData>"
    path = raw_workbook(tmp_path / "leads.xlsx", sheet, shared=[f"<t>{'x' * 30_000}</t>"])
    refused(path, "SM324", "more text than can be read")


@pytest.mark.parametrize(
    "bomb",
    [
        f'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet xmlns="{MAIN}">&b;</worksheet>',
        f'<!DOCTYPE w SYSTEM "file:///etc/hostname"><worksheet xmlns="{MAIN}"/>',
        f'{" " * 1_048_570}<!DOCTYPE w><worksheet xmlns="{MAIN}"/>',
    ],
)
@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"]
)
def test_xml_that_declares_entities_is_refused_wherever_it_stands(tmp_path: Path, bomb: str, part: str) -> None:
    (tmp_path / "leads.xlsx").write_bytes(packed({**raw_parts(f"<sheetData>{HEAD}</sheetData>"), part: bomb}))
    refused(tmp_path / "leads.xlsx", "SM323", "damaged")


def test_xml_in_another_encoding_cannot_hide_entities(tmp_path: Path) -> None:
    bomb = f'<!DOCTYPE w [<!ENTITY a "x">]><worksheet xmlns="{MAIN}"/>'.encode("utf-16")
    (tmp_path / "leads.xlsx").write_bytes(packed({**raw_parts("<sheetData/>"), "xl/worksheets/sheet1.xml": bomb}))
    refused(tmp_path / "leads.xlsx", "SM323", "is not UTF-8")


@pytest.mark.parametrize("missing", ["_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_that_lacks_a_part_is_refused(tmp_path: Path, missing: str) -> None:
    content = raw_parts(f"<sheetData>{HEAD}</sheetData>")
    del content[missing]
    (tmp_path / "leads.xlsx").write_bytes(packed(content))
    refused(tmp_path / "leads.xlsx", "SM323", "damaged")


def test_a_sheet_that_points_out_of_the_workbook_reads_nothing_there(tmp_path: Path) -> None:
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="../../../../etc/passwd"/></Relationships>'
    )
    (tmp_path / "leads.xlsx").write_bytes(packed({**raw_parts("<sheetData/>"), "xl/_rels/workbook.xml.rels": links}))
    refused(tmp_path / "leads.xlsx", "SM323", "lacks its part")


def test_a_declared_size_is_not_believed(tmp_path: Path) -> None:
    sheet = f'<dimension ref="A1:XFD1048576"/><sheetData>{HEAD}<row r="2">{text_cell("A2", "Ola")}</row></sheetData>'
    assert values(connect(raw_workbook(tmp_path / "leads.xlsx", sheet))) == [{"Navn": "Ola"}]


def test_formats_of_a_million_empty_rows_are_no_rows(tmp_path: Path) -> None:
    sheet = f'<sheetData>{HEAD}<row r="2">{text_cell("A2", "Ola")}</row><row r="1048576" s="0"><c r="XFD1048576" s="0"/></row></sheetData>'
    path = raw_workbook(tmp_path / "leads.xlsx", sheet)
    connector = connect(path)
    assert values(connector) == [{"Navn": "Ola"}]
    assert isinstance(write(connector, create({"Navn": "Kari"}))[0], Done)
    assert values(connect(path)) == [{"Navn": "Ola"}, {"Navn": "Kari"}]


def test_a_sheet_that_was_cut_off_at_the_last_row_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    assert "cut off" not in said(connect(path), "warning")
    monkeypatch.setattr("connectors.spreadsheet.workbook.ROWS", 3)
    assert "its end was probably cut off" in said(connect(path), "warning")


def test_values_of_the_wrong_type_are_read_as_what_they_say(tmp_path: Path) -> None:
    sheet = (
        f'<sheetData>{HEAD}<row r="2"><c r="A2"><v>abc</v></c><c r="B2" t="b"><v>1</v></c><c r="C2"><v>x</v></c></row>'
        f'<row><c t="d"><v>2026-03-01</v></c>{text_cell("B3", "b@example.com")}</row></sheetData>'
    )
    found = values(connect(raw_workbook(tmp_path / "leads.xlsx", sheet)))
    assert found[0] == {"Navn": "abc", "E-post": "TRUE", "Mobil": "x"}
    assert found[1] == {"Navn": "2026-03-01", "E-post": "b@example.com"}


def test_a_cell_that_the_reader_does_not_understand_is_told_without_its_value(tmp_path: Path) -> None:
    sheet = f'<sheetData>{HEAD}<row r="2"><c r="A2" t="b"><v>hemmelig</v></c></row></sheetData>'
    path = raw_workbook(tmp_path / "leads.xlsx", sheet)
    with pytest.raises(Stop) as stopped:
        read(connect(path))
    assert stopped.value.code == "SM323"
    assert "hemmelig" not in str(stopped.value)


def test_a_panic_inside_the_reader_is_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine

    class PanicException(BaseException):
        pass

    class Panicking:
        @classmethod
        def from_filelike(cls, stream: object) -> Panicking:
            raise PanicException("index out of bounds")

    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Panicking)
    refused(workbook(tmp_path / "leads.xlsx"), "SM323", "its reader gave up")


def test_an_interrupt_inside_the_reader_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine

    class Interrupted:
        @classmethod
        def from_filelike(cls, stream: object) -> Interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(connect(workbook(tmp_path / "leads.xlsx")))


def test_a_workbook_that_openpyxl_cannot_open_is_read_and_not_harmed(tmp_path: Path) -> None:
    sheet = f'<sheetData>{HEAD}<row r="2"><c r="A2" s="99"><v>7</v></c></row></sheetData>'
    path = raw_workbook(tmp_path / "leads.xlsx", sheet)
    before = path.read_bytes()
    connector = connect(path)
    rows = read(connector)
    with pytest.raises(Stop, match="cannot be edited in place") as stopped:
        write(connector, update(rows[0], {"Mobil": "5"}))
    assert stopped.value.code == "SM329"
    assert path.read_bytes() == before


def test_a_text_file_as_wide_as_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("Navn;E-post\nOla;o@example.com\n" + ";" * 20_000)
    refused(path, "SM324", "20,001 fields")


def test_a_field_without_end_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('Navn;E-post\nOla;o@example.com\n"' + "x\n" * 100_000)
    refused(path, "SM323", "on line 3 a quotation mark")


@pytest.mark.parametrize(
    "text", ['"' * 60_000, '\n"' * 30_000, ';"a";\'' * 10_000, 'a,"b' * 15_000, "\x1c;\x1d\n" * 10_000]
)
def test_text_made_to_slow_its_reader_down_does_not(tmp_path: Path, text: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(f"Navn;E-post\n{text}\n")
    assert survives(path) in ("refused", "written", "answered")


def test_a_file_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.spreadsheet.disk.LARGEST", 20)
    refused(text_file(tmp_path / "leads.csv"), "SM324", "at most 20 are read; split the file")


# Harm by chance


def harmed(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, a piece cut out, doubled or moved."""
    body = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(body)), chance.randint(1, 40)
        match chance.randrange(4):
            case 0:
                body[at] = chance.randrange(256)
            case 1:
                del body[at : at + length]
            case 2:
                body[at:at] = body[at : at + length]
            case _:
                body[at : at + 1] = chance.choice([b"<", b'"', b"\x00", b"&x;", b"9999999", b";", b"\r", b"\xff"])
    return bytes(body)


def misspelt(data: bytes, chance: random.Random) -> bytes:
    """One letter or digit is another one."""
    body = bytearray(data)
    at = chance.choice([i for i, each in enumerate(body) if chr(each).isalnum()])
    body[at] = ord(chance.choice("0123456789ABCabc"))
    return bytes(body)


def survives(path: Path) -> str:
    """How reading and writing a harmed file ends."""
    before = path.read_bytes()
    connector = connect(path)
    try:
        rows = read(connector)
        list(connector.check())
        answers = connector.write([create({"Navn": "Eva", "Mobil": "+47"}, "key-1")])
    except (Stop, Retry) as error:
        code = error.code
    else:
        code = ""
    if code:
        assert code.startswith("SM32")
        assert path.read_bytes() == before, "a file that cannot be written was changed"
        return "refused"
    if isinstance(answers[0], Done):
        again = read(connect(path))
        assert [filled(record.fields) for record in again[:-1]] == [filled(record.fields) for record in rows]
        assert filled(again[-1].fields) == {"Navn": "Eva", "Mobil": "+47"}
        return "written"
    return "answered"


def test_a_text_file_harmed_by_chance_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(20)
    whole = text_file(tmp_path / "whole.csv", [PEOPLE, *ROWS, ('"to\nlinjer"', "a@example.com", "1")] * 3).read_bytes()
    ends = []
    for n in range(250):
        path = tmp_path / f"{n}.csv"
        path.write_bytes(harmed(whole, chance))
        ends.append(survives(path))
    assert ends.count("written") > 40
    assert ends.count("refused") > 25


def test_a_workbook_harmed_by_chance_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(21)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (PEOPLE, *ROWS, ("Ola", "o@example.com", 4791234567)):
        sheet.append(row)
    sheet["D2"] = "=A2"
    sheet.merge_cells("E1:F1")
    book.save(tmp_path / "whole.xlsx")
    whole = parts(tmp_path / "whole.xlsx")
    names = [
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "_rels/.rels",
    ]
    ends = []
    for n in range(120):
        path = tmp_path / f"{n}.xlsx"
        if n % 4 == 3:
            path.write_bytes(harmed(packed(whole), chance))  # the zip itself
        else:
            name = names[0] if n % 2 else chance.choice(names)
            path.write_bytes(packed({**whole, name: (harmed if n % 4 else misspelt)(whole[name], chance)}))
        ends.append(survives(path))
    assert ends.count("refused") > 40
    assert ends.count("written") > 5


# Size


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_twenty_thousand_rows_are_read_and_written_in_one_batch(tmp_path: Path, suffix: str) -> None:
    rows = [PEOPLE[1:], *((f"person{n}@example.com", f"9{n:07}") for n in range(20_000))]
    path = tmp_path / f"leads.{suffix}"
    if suffix == "csv":
        text_file(path, rows)
    else:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Leads")
        for row in rows:
            sheet.append(row)
        book.save(path)
    connector = connect(path, PEOPLE[1:])
    found = read(connector)
    assert len({record.ref for record in found}) == 20_000
    answers = connector.write([update(record, {"Mobil": "+4700000000"}) for record in found])
    assert all(isinstance(each, Done) for each in answers)
    again = read(connect(path, PEOPLE[1:]))
    assert [record.ref for record in again] == [record.ref for record in found]
    assert {record.fields["Mobil"] for record in again} == {"+4700000000"}
    assert connector.requests()["write"] == 1
