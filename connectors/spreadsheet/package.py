"""An .xlsx as the zip of parts that it is, opened with suspicion.

Refused before any other library sees it: what is no workbook, what is encrypted, what would unpack to more than a
workbook needs, what hides one part behind another, what declares entities. What is refused here can neither fill the
memory nor hang the reader.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree import ElementTree

from connectors.errors import Stop

UNPACKED = 500 * 1024 * 1024
RATIO = 100  # a sheet of one repeated word packs about 1 : 60
SMALL = 16 * 1024 * 1024  # below this a high ratio harms nobody
PARTS = 5_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"


@dataclass(frozen=True, slots=True)
class Tab:
    """A sheet of a workbook, and the part it is kept in (empty where it is no grid of cells)."""

    name: str
    part: str
    visible: bool


class Package:
    """The parts of a workbook. `where` begins every message. Raises Stop, code SM321 to SM324."""

    def __init__(self, where: str, data: bytes) -> None:
        self._where = where
        refuse_other_than_workbook(where, data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            raise self.broken(str(error)) from None
        names = [entry.filename for entry in entries]
        if len(entries) > PARTS or len(set(names)) != len(names):
            raise self.broken(f"it has {len(names):,} parts, {len(set(names)):,} different ones")
        unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
        if unpacked > UNPACKED or (unpacked > SMALL and unpacked > RATIO * max(packed, 1)):
            raise Stop(
                f"{where} unpacks from {packed:,} to {unpacked:,} bytes, more than a workbook needs (limits "
                f"{UNPACKED:,} and 1 : {RATIO}); save the one sheet that is wanted as a new workbook or as CSV",
                code="SM324",
            )
        for entry in entries:
            self._prove(entry)
        self.names = frozenset(names)
        self.book = self._book()
        self.since_1904, self.strict, self.tabs = self._tabs()

    def read(self, name: str) -> bytes:
        """The content of a part. Raises Stop where there is none."""
        try:
            return self._zip.read(name)
        except KeyError:
            raise self.broken(f"it lacks its part {name!r}") from None

    def broken(self, reason: str) -> Stop:
        why = reason[:1].lower() + reason[1:120]
        return Stop(
            f"{self._where} is damaged or only half there ({why}); copy it again, or open it in a "
            f"spreadsheet program and save it anew",
            code="SM323",
        )

    def _prove(self, entry: zipfile.ZipInfo) -> None:
        """Unpack a part once, however large it really is, and look for what no workbook has."""
        if entry.flag_bits & 1:
            raise Stop(f"{self._where} is protected by a password; save it without one", code="SM322")
        is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
        tail = b""
        try:
            with self._zip.open(entry) as stream:
                while block := stream.read(1 << 20):
                    if is_xml and (b"<!DOCTYPE" in (seen := tail + block) or b"<!ENTITY" in seen):
                        raise self.broken(f"its part {entry.filename!r} declares entities")
                    if is_xml and not tail and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                        raise self.broken(f"its part {entry.filename!r} is not UTF-8")
                    tail = block[-16:]
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise self.broken(str(error)) from None

    def _book(self) -> str:
        """The name of the part that lists the sheets."""
        for relation in self._relations("_rels/.rels"):
            if relation.get("Type", "").endswith("/officeDocument"):
                return _target("", relation)
        raise self.broken("it is a zip, but no workbook")

    def _relations(self, name: str) -> list[ElementTree.Element]:
        return list(self._tree(name)) if name in self.names else []

    def _tree(self, name: str) -> ElementTree.Element:
        try:
            return ElementTree.fromstring(self.read(name))  # noqa: S314  entities are refused above
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise self.broken(f"its part {name!r}: {error}") from None

    def _tabs(self) -> tuple[bool, bool, tuple[Tab, ...]]:
        folder, _, file = self.book.rpartition("/")
        targets = {
            each.get("Id"): _target(folder, each)
            for each in self._relations(posixpath.join(folder, "_rels", f"{file}.rels"))
            if each.get("Type", "").endswith("/worksheet")
        }
        tree = self._tree(self.book)
        since_1904, tabs = False, []
        for element in tree.iter():
            kind = element.tag.rpartition("}")[2]
            if kind == "workbookPr":
                since_1904 = element.get("date1904", "0").lower() in ("1", "true")
            elif kind == "sheet":
                id_ = next((value for name, value in element.items() if name.endswith("}id")), "")
                visible = element.get("state", "visible") == "visible"
                tabs.append(Tab(element.get("name", ""), targets.get(id_, ""), visible))
        return since_1904, tree.tag.startswith(f"{{{_STRICT}}}"), tuple(tabs)


def refuse_other_than_text(where: str, data: bytes) -> None:
    """What is no text of rows, though it is called so."""
    if data.startswith((b"PK\x03\x04", _OLE)):
        raise Stop(f"{where} is a workbook under a text file's name; name it .xlsx", code="SM321")
    if _is_page(data):
        raise Stop(f"{where} is a web page, perhaps a sign-in form that was saved; export the file again", code="SM321")


def refuse_other_than_workbook(where: str, data: bytes) -> None:
    """Look at what a file really is, since its name may say otherwise. Passes zips only."""
    if data[:4] == b"PK\x03\x04":
        return
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Stop(f"{where} is protected by a password; save it without one", code="SM322")
        raise Stop(f"{where} is a workbook of the old kind (.xls); save it as .xlsx", code="SM321")
    if _is_page(data):
        raise Stop(
            f"{where} is a web page or XML under a workbook's name; open it in a spreadsheet program and save it "
            f"as .xlsx",
            code="SM321",
        )
    if not data:
        raise Stop(f"{where} is empty; put headings and rows in it", code="SM323")
    raise Stop(f"{where} is no workbook, whatever its name says; save it as .xlsx, or name it .csv", code="SM321")


def _is_page(data: bytes) -> bool:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head"))


def _target(folder: str, relation: ElementTree.Element) -> str:
    target = relation.get("Target", "")
    return target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
