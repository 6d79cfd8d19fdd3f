"""The file of a plan: what a person looked at, so that exactly this is sent and nothing else.

JSON lines: a header, then an operation a line, each change with its hash. A file that was cut short or edited, that
belongs to another installation, or that hides what its hashes stand for, is refused. It holds personal data: only its
owner may read it, and it is never written over a file that is no plan.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from smarketing.cli.errors import USAGE, Failure

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.approve import Line
    from sync.planning import Planned

TYPE = "plan"
VERSION = "1.0"
SPOOL = 1 << 20
"""So many bytes are kept in memory; what is more goes to a temporary file."""


def spool() -> IO[str]:
    return tempfile.SpooledTemporaryFile(SPOOL, "w+", encoding="utf-8", newline="\n")


def check_place(path: Path) -> None:
    """Whether a plan may be written there. Raises Failure."""
    if not path.parent.is_dir():
        raise Failure("SM230", f"{path}: the folder is not there; make it, or name another file", USAGE)
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise Failure("SM230", f"{path}: this is no file; name a file for the plan", USAGE)
    if path.exists() and path.stat().st_size and _header(path) is None:
        raise Failure("SM230", f"{path}: this file is no plan and is left as it is; name another one", USAGE)


class PlanWriter:
    """Gathers the operations of a plan in `lines`, and writes them in one go."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines
        self._content = hashlib.sha256()
        self._count = 0

    def add(self, line: Line) -> None:
        changes = [
            {"field": each.name, "before": each.before, "after": each.after, "hash": each.mark}
            | ({"ahead": True} if each.ahead else {})
            for each in (*line.changes, *line.later)
        ]
        told = {"type": line.row.kind, "system": line.system, "record": line.target, "changes": changes}
        text = json.dumps(told, ensure_ascii=False) + "\n"
        self._content.update(text.encode())
        self._lines.write(text)
        self._count += 1

    def save(self, path: Path, planned: Planned, generation: str) -> None:
        header = {
            "type": TYPE,
            "format_version": VERSION,
            "store": generation,
            "run": planned.run,
            "systems": list(planned.shown),
            "mappings": planned.mappings,
            "digest": planned.digest,
            "operations": self._count,
            "content": self._content.hexdigest(),
        }
        self._lines.seek(0)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as beside:
            try:
                beside.write(json.dumps(header) + "\n")
                while part := self._lines.read(SPOOL):
                    beside.write(part)
                beside.flush()
                os.fsync(beside.fileno())
                os.replace(beside.name, path)
            except BaseException:
                Path(beside.name).unlink(missing_ok=True)
                raise


class Hashes(Collection[str]):
    """Hashes of changes, eight bytes each."""

    def __init__(self, numbers: array[int]) -> None:
        self._numbers = array("Q", sorted(numbers))

    def __contains__(self, mark: object) -> bool:
        number = int(str(mark), 16)
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number

    def __iter__(self) -> Iterator[str]:
        return (f"{each:016x}" for each in self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan that was looked at."""

    path: Path
    run: int
    hashes: Hashes
    systems: tuple[str, ...]
    sent: tuple[tuple[int, int], ...]
    """The runs that have sent of it before, each with how many changes."""


def read(path: Path, installation: Installation) -> PlanFile:
    """A plan that this installation made. Raises Failure for any other."""
    from sync.approve import PlanDigest
    from sync.planning import mappings_of
    from sync.store import runs
    from sync.store.db import generation

    if path.is_dir():
        raise Failure("SM231", f"{path}: this is a folder; name the file that a plan was kept in", USAGE)
    if not path.is_file():
        raise Failure("SM231", f'{path}: there is no such file; make a plan with "smarketing plan --out FILE"', USAGE)
    header = _header(path)
    if header is None:
        raise Failure("SM231", f'{path}: this is no plan; make one with "smarketing plan --out FILE"', USAGE)
    if header.get("format_version") != VERSION:
        found = header.get("format_version")
        raise Failure("SM232", f'{path}: a plan of format "{found}", {VERSION} is read here; make it anew', USAGE)
    with installation.store.read() as tx:
        here = generation(tx)
        made = runs.by_id(tx, header["run"]) if isinstance(header.get("run"), int) else None
    if header.get("store") != here:
        raise Failure("SM234", f"{path}: this plan was made by another installation; make one here", USAGE)
    if header.get("mappings") != mappings_of(installation.engine):
        text = f"{path}: this plan was made with other mappings than those of today; make a new one"
        raise Failure("SM236", text, USAGE)
    numbers = array("Q")
    digest = PlanDigest()
    content = hashlib.sha256()
    count = 0
    for line in _lines(path):
        content.update(line)
        count += 1
        try:
            for each in _marks(line):
                numbers.append(int(each, 16))
                digest.add(each)
        except (ValueError, KeyError, TypeError):
            raise _altered(path) from None
    if (count, content.hexdigest(), str(digest)) != (header["operations"], header["content"], header["digest"]):
        raise _altered(path)
    if made is None or made.kind != "plan" or made.digest != str(digest):
        text = f"{path}: this installation does not remember run {header['run']} as this plan; make a new one"
        raise Failure("SM235", text, USAGE)
    sent = tuple((run, changes) for run, changes in made.counts.get("sent", ()))
    return PlanFile(path, made.id, Hashes(numbers), tuple(header["systems"]), sent)


def told(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(system, record, field) of the changes with these hashes."""
    for line in _lines(path):
        operation = json.loads(line)
        for each in operation["changes"]:
            if each["hash"] in wanted:
                yield operation["system"], operation["record"], each["field"]


def _altered(path: Path) -> Failure:
    return Failure("SM233", f"{path}: this plan was cut short or edited since it was made; make a new one", USAGE)


def _lines(path: Path) -> Iterator[bytes]:
    """The operations, without the header."""
    with path.open("rb") as opened:
        opened.readline()
        yield from opened


def _marks(line: bytes) -> Iterator[str]:
    """The hashes of an operation, each made anew from what a person was shown. Raises ValueError where it differs."""
    from sync.approve import WITHDRAW, mark

    told: dict[str, Any] = json.loads(line)
    for each in told["changes"]:
        kind = WITHDRAW if each.get("ahead") else told["type"]
        found = mark(kind, told["system"], told["record"], each["field"], each["before"], each["after"])
        if found != each["hash"]:
            raise ValueError(each["field"])
        yield found


def _header(path: Path) -> dict[str, Any] | None:
    """The first line of a plan; None where the file is something else."""
    with path.open("rb") as opened:
        first = opened.readline(4096)
    try:
        found = json.loads(first)
    except ValueError:
        return None
    wanted = {"type", "format_version", "store", "run", "systems", "digest", "operations", "content"}
    return found if isinstance(found, dict) and found.get("type") == TYPE and wanted <= found.keys() else None
