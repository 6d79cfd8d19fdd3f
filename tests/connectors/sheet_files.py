"""Files for the tests of the sheet, all made in code: text in any encoding, workbooks through openpyxl or part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from connectors.base import Answer, Feed, FeedKind, Fields, Finding, Record, Ref, Write, WriteKind
from connectors.spreadsheet import Spreadsheet
from connectors.spreadsheet.disk import Disk
from connectors.spreadsheet.settings import SpreadsheetSettings
from connectors.world import World
from tests.secrets import NoSecrets
from tests.worlds import ManualWorld

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

PEOPLE = ("Navn", "E-post", "Mobil")
ROWS = (("Kåre Ås", "kare@example.com", "91234567"), ("Åse Ødegård", "ase@example.com", "22334455"))


def connect(
    path: Path,
    fields: Iterable[str] = PEOPLE,
    how: Mapping[str, object] | None = None,
    *,
    world: World | None = None,
    disk: Disk | None = None,
    **settings: object,
) -> Spreadsheet:
    made = SpreadsheetSettings.model_validate({"path": path, **settings, **(how or {})})
    return Spreadsheet("sheet", made, world or ManualWorld(), {"row": tuple(fields)}, NoSecrets(), disk)


def delta(cursor: str | None = None) -> Feed:
    return Feed("row", FeedKind.DELTA, cursor)


def read(connector: Spreadsheet) -> list[Record]:
    return [record for page in connector.changes(delta()) for record in page.records]


def values(connector: Spreadsheet) -> list[Fields]:
    """What each row says, empty cells left out."""
    return [filled(record.fields) for record in read(connector)]


def filled(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def column(connector: Spreadsheet, name: str) -> list[object]:
    """What each row says in this column; "absent" where it says nothing."""
    return [fields.get(name, "absent") for fields in (record.fields for record in read(connector))]


def findings(connector: Spreadsheet, level: str) -> list[Finding]:
    return [each for each in connector.check() if each.level == level]


def said(connector: Spreadsheet, level: str) -> str:
    return "\n".join(f"{each.text} | {each.hint}" for each in findings(connector, level))


def create(fields: Fields, key: str = "key-1") -> Write:
    return Write(WriteKind.CREATE, key, "row", None, fields)


def update(record: Record, fields: Fields) -> Write:
    return Write(WriteKind.UPDATE, "key-u", "row", record.ref, fields, if_version=record.version)


def update_of(id_: str, fields: Fields) -> Write:
    return Write(WriteKind.UPDATE, "key-u", "row", Ref("row", id_), fields)


def write(connector: Spreadsheet, *writes: Write) -> list[Answer]:
    answers = connector.write(writes)
    assert len(answers) == len(writes)
    return answers


def text_file(
    path: Path,
    rows: Iterable[Sequence[str]] = (PEOPLE, *ROWS),
    *,
    encoding: str = "utf-8",
    delimiter: str = ";",
    newline: str = "\r\n",
) -> Path:
    path.write_bytes("".join(delimiter.join(row) + newline for row in rows).encode(encoding))
    return path


def workbook(
    path: Path, fill: Callable[[Worksheet], object] | None = None, rows: Iterable[Sequence[object]] = ()
) -> Path:
    """A workbook of one sheet with these rows, which `fill` may change further."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows or (PEOPLE, *ROWS):
        sheet.append(list(row))
    if fill is not None:
        fill(sheet)
    book.save(path)
    return path


def cells(path: Path, sheet: int = 0) -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(path).worksheets[sheet].iter_rows(values_only=True))


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(content: Mapping[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in content.items():
            package.writestr(name, data)
    return out.getvalue()


def raw_parts(
    sheet: str,
    *,
    shared: Sequence[str] | None = None,
    book: str = "",
    more: Mapping[str, bytes | str] | None = None,
) -> dict[str, bytes | str]:
    """The parts of a workbook whose one sheet has this XML; `book` stands before the list of sheets."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    content: dict[str, bytes | str] = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kinds}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{book}'
        '<sheets><sheet name="Leads" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'{XML}<sst xmlns="{MAIN}">'
        + "".join(f"<si>{text}</si>" for text in shared or ())
        + "</sst>",
        "xl/worksheets/sheet1.xml": f'{XML}<worksheet xmlns="{MAIN}" xmlns:r="{LINKS}">{sheet}</worksheet>',
    }
    return {**content, **(more or {})}


def raw_workbook(path: Path, sheet: str, **how: object) -> Path:
    path.write_bytes(packed(raw_parts(sheet, **how)))  # type: ignore[arg-type]
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def heading(*names: str) -> str:
    return '<row r="1">' + "".join(text_cell(f"{chr(65 + i)}1", name) for i, name in enumerate(names)) + "</row>"
