"""The file as a whole: nothing is lost, whatever the disk, the network drive or another program does."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors import registry
from connectors.backdoor import Fault, When
from connectors.base import Answer, Done, Fields, Ref, Unknown
from connectors.errors import Retry, Stop
from connectors.spreadsheet import Spreadsheet
from connectors.spreadsheet.disk import FRESH, RealDisk
from connectors.world import MICROSECONDS
from smarketing.sandbox.sheet import SheetDoor
from tests.connectors.sheet_files import (
    PEOPLE,
    ROWS,
    column,
    connect,
    create,
    delta,
    findings,
    read,
    said,
    text_file,
    update_of,
    values,
    workbook,
    write,
)
from tests.worlds import ManualWorld

KEPT = [(*PEOPLE, "smarketing_id"), (*ROWS[0], "a"), (*ROWS[1], "b")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return text_file(tmp_path / "leads.csv", KEPT)


def changed(path: Path, world: ManualWorld, seconds_ago: float) -> None:
    """Somebody changed the file so long ago, by the clock of this World."""
    at = world.now() / MICROSECONDS - seconds_ago
    os.utime(path, (at, at))


class Scripted:
    """The real disk, with something happening before one of its calls."""

    def __init__(self, **before: Callable[[int], None]) -> None:
        self._before = before
        self._real = RealDisk()
        self._calls: dict[str, int] = {}

    def _meet(self, what: str) -> None:
        self._calls[what] = self._calls.get(what, 0) + 1
        if what in self._before:
            self._before[what](self._calls[what])

    def read(self, path: Path) -> tuple[bytes, os.stat_result]:
        self._meet("read")
        return self._real.read(path)

    def stat(self, path: Path) -> os.stat_result:
        self._meet("stat")
        return self._real.stat(path)

    def replace(self, path: Path, data: bytes) -> None:
        self._meet("replace")
        self._real.replace(path, data)
        self._meet("replaced")


def fails(code: int, *, times: int = 10**9) -> Callable[[int], None]:
    def fail(call: int) -> None:
        if call <= times:
            raise OSError(code, os.strerror(code))

    return fail


# Replacing


def test_a_write_leaves_nothing_beside_the_file_and_keeps_its_rights(path: Path) -> None:
    path.chmod(0o640)
    write(connect(path), update_of("a", {"Mobil": "5"}))
    assert sorted(each.name for each in path.parent.iterdir()) == ["leads.csv"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_a_killed_process_left_is_written_over(path: Path) -> None:
    left = path.with_name(".leads.csv.smarketing.tmp")
    left.write_bytes(b"half")
    write(connect(path), update_of("a", {"Mobil": "5"}))
    assert not left.exists()
    assert column(connect(path), "Mobil")[0] == "5"


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "lenke.csv"
    link.symlink_to(path)
    write(connect(link), update_of("a", {"Mobil": "5"}))
    assert link.is_symlink()
    assert column(connect(path), "Mobil")[0] == "5"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, Retry),
        (errno.EDQUOT, Retry),
        (errno.EIO, Retry),
        (errno.EBUSY, Retry),
        (errno.EACCES, Stop),
        (errno.EROFS, Stop),
    ],
)
def test_a_disk_that_takes_no_more_loses_nothing(path: Path, code: int, kind: type[Exception]) -> None:
    before = path.read_bytes()
    connector = connect(path, disk=Scripted(replace=fails(code)))
    with pytest.raises(kind, match="was not written and stays as it was") as raised:
        write(connector, update_of("a", {"Mobil": "5"}))
    assert raised.value.code == "SM328"  # type: ignore[attr-defined]
    assert path.read_bytes() == before


def test_a_full_disk_is_met_while_the_new_file_is_written_beside_the_old(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Retry, match="no space left"):
        write(connect(path), update_of("a", {"Mobil": "5"}))
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["leads.csv"]


def test_a_rename_that_is_reported_as_failed_though_it_was_done_is_done(path: Path) -> None:
    connector = connect(path, disk=Scripted(replaced=fails(errno.EIO)))
    answer = write(connector, create({"Navn": "Eva"}, "c"))[0]
    assert isinstance(answer, Done)
    assert column(connect(path), "Navn") == ["Kåre Ås", "Åse Ødegård", "Eva"]


def test_a_rename_of_which_nobody_can_tell_is_in_doubt_for_those_rows_alone(path: Path) -> None:
    def gone(call: int) -> None:
        path.rename(path.with_name("weg.csv"))
        raise OSError(errno.EIO, "input/output error")

    connector = connect(path, disk=Scripted(replaced=gone))
    answers = write(connector, update_of("a", {"Mobil": "5"}), update_of("b", {"Navn": "x\x00"}))
    assert isinstance(answers[0], Unknown)
    assert 0 < answers[0].horizon <= 60
    assert not isinstance(answers[1], Unknown)


def test_a_file_that_changes_while_it_is_written_is_read_and_written_anew(path: Path) -> None:
    def person(call: int) -> None:
        if call == 2:  # after we have prepared our version, before we put it in place
            text_file(path, [*KEPT, ("Eva", "eva@example.com", "9", "c")])

    connector = connect(path, disk=Scripted(read=person))
    assert isinstance(write(connector, update_of("a", {"Mobil": "5"}))[0], Done)
    assert column(connect(path), "Navn") == ["Kåre Ås", "Åse Ødegård", "Eva"]
    assert column(connect(path), "Mobil") == ["5", "22334455", "9"]


def test_a_file_that_never_stands_still_is_left_for_later(path: Path) -> None:
    def person(call: int) -> None:
        text_file(path, [*KEPT, (f"Eva {call}", "eva@example.com", "9", "c")])

    connector = connect(path, disk=Scripted(read=person))
    with pytest.raises(Retry, match="somebody changed it 3 times") as raised:
        write(connector, update_of("a", {"Mobil": "5"}))
    assert raised.value.after == 30.0
    assert column(connect(path), "Mobil")[0] == "91234567"


@pytest.mark.parametrize("lock", ["~$leads.csv", ".~lock.leads.csv#"])
def test_a_file_that_is_open_in_a_program_is_read_and_not_written(path: Path, lock: str) -> None:
    path.with_name(lock).write_bytes(b"Kari Nordmann")
    connector = connect(path)
    assert len(read(connector)) == 2
    with pytest.raises(Retry, match="is open in a spreadsheet program; close it there") as raised:
        write(connector, update_of("a", {"Mobil": "5"}))
    assert raised.value.code == "SM327"
    assert "Nordmann" not in str(raised.value)
    assert "is read, but not written meanwhile" in said(connector, "warning")
    path.with_name(lock).unlink()
    assert isinstance(write(connector, update_of("a", {"Mobil": "5"}))[0], Done)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_rights_that_are_missing_make_the_sheet_read_only(path: Path) -> None:
    path.chmod(0o444)
    assert connect(path).capabilities.batch == {}


@pytest.mark.parametrize("which", ["leads.csv", "."])
def test_a_missing_right_makes_the_sheet_read_only(path: Path, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = (path.parent / which).resolve()
    monkeypatch.setattr(os, "access", lambda asked, mode: Path(asked) != refused)
    connector = connect(path)
    assert connector.capabilities.batch == {}
    assert "only read, never written" in said(connector, "warning")
    with pytest.raises(Stop, match="only read, never written"):
        write(connector, update_of("a", {"Mobil": "5"}))


# Reading while others write


def test_a_file_that_was_changed_just_now_is_given_two_seconds(path: Path) -> None:
    world = ManualWorld()
    changed(path, world, 0.5)
    assert len(read(connect(path, world=world))) == 2
    assert world.monotonic() == pytest.approx(1.5, abs=0.01)


def test_a_file_that_has_stood_still_is_read_at_once(path: Path) -> None:
    world = ManualWorld()
    changed(path, world, 3.0)
    assert len(read(connect(path, world=world))) == 2
    assert world.monotonic() == 0.0


def test_our_own_write_needs_no_waiting(path: Path) -> None:
    world = ManualWorld()
    changed(path, world, 3.0)
    connector = connect(path, world=world)
    write(connector, update_of("a", {"Mobil": "5"}))
    changed(path, world, 0.0)
    assert column(connector, "Mobil")[0] == "5"
    assert world.monotonic() == 0.0


def test_a_file_that_is_still_growing_is_read_when_it_is_whole(path: Path) -> None:
    world = ManualWorld()
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    changed(path, world, 0.0)

    def grow(call: int) -> None:
        if call == 1:
            path.write_bytes(whole)
            changed(path, world, 1.0)

    assert column(connect(path, world=world, disk=Scripted(stat=grow)), "Navn") == ["Kåre Ås", "Åse Ødegård"]


def test_a_file_that_never_stops_growing_is_left_for_later(path: Path) -> None:
    world = ManualWorld()
    changed(path, world, 0.0)

    def grow(call: int) -> None:
        path.write_bytes(path.read_bytes() + b"x;y;z\r\n")
        changed(path, world, 0.0)

    with pytest.raises(Retry, match="is still being written"):
        read(connect(path, world=world, disk=Scripted(stat=grow)))
    assert world.monotonic() < 60


def test_what_the_capabilities_saw_of_a_half_written_file_is_not_taken_for_whole(path: Path) -> None:
    world = ManualWorld()
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    changed(path, world, 0.0)

    def grow(call: int) -> None:
        if call == 1:
            path.write_bytes(whole)
            changed(path, world, 1.0)

    connector = connect(path, world=world, disk=Scripted(stat=grow))
    assert connector.capabilities.batch
    assert column(connector, "Navn") == ["Kåre Ås", "Åse Ødegård"]


def test_a_program_that_saves_by_renaming_takes_the_file_away_for_a_moment_only(path: Path) -> None:
    world = ManualWorld()
    whole = path.read_bytes()

    def rename(call: int) -> None:
        if call == 1:
            path.unlink()
        else:
            path.write_bytes(whole)

    assert len(read(connect(path, world=world, disk=Scripted(read=rename)))) == 2


@pytest.mark.parametrize("half", [0.3, 0.6, 0.95])
def test_half_a_workbook_is_a_copy_under_way_and_later_a_broken_file(tmp_path: Path, half: float) -> None:
    world = ManualWorld()
    path = workbook(tmp_path / "leads.xlsx")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * half)])
    changed(path, world, FRESH / 2)
    with pytest.raises(Retry, match="damaged or only half there") as raised:
        read(connect(path, world=world))
    assert raised.value.after == 30.0
    changed(path, world, FRESH * 2)
    with pytest.raises(Stop, match="damaged or only half there") as stopped:
        read(connect(path, world=world))
    assert stopped.value.code == "SM323"


@pytest.mark.parametrize("data", [b"", "Navn;E-post\r\nKåre;k@example.com\r\nÅ".encode()[:-1]])
def test_a_text_file_that_was_just_begun_is_tried_again(tmp_path: Path, data: bytes) -> None:
    world = ManualWorld()
    path = tmp_path / "leads.csv"
    path.write_bytes(data)
    changed(path, world, FRESH / 2)
    with pytest.raises(Retry):
        read(connect(path, world=world))
    changed(path, world, FRESH * 2)
    with pytest.raises(Stop):
        read(connect(path, world=world))


def test_a_file_that_changes_between_two_pages_is_read_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.spreadsheet.connector.PAGE", 1)
    connector = connect(path)
    pages = connector.changes(delta())
    assert next(pages).records[0].ref == Ref("row", "a")
    text_file(path, [KEPT[0], ("Eva", "eva@example.com", "9", "c"), *KEPT[1:]])
    assert [record.ref.id for page in pages for record in page.records] == ["c", "a", "b"]


# What is no file


@pytest.mark.parametrize("name", ["~$leads.xlsx", ".~lock.leads.csv#", "leads.csv.tmp", "leads.crdownload"])
def test_a_programs_own_temporary_file_is_refused(tmp_path: Path, name: str) -> None:
    text_file(tmp_path / name)
    with pytest.raises(Stop, match="temporary file") as stopped:
        read(connect(tmp_path / name))
    assert stopped.value.code == "SM320"


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("folder.csv", "pipe.csv"):
        connector = connect(tmp_path / name)
        with pytest.raises(Stop, match="is not a file"):
            read(connector)
        assert connector.capabilities.batch, "what cannot be judged is not known to be read only"


def test_a_missing_file_stops_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"nothing\.csv does not exist; check the setting path") as stopped:
        read(connect(tmp_path / "nothing.csv"))
    assert stopped.value.code == "SM320"


@pytest.mark.parametrize(
    "copy",
    [
        "leads-DESKTOP-4F7K2.csv",
        "leads-LAPTOP7.csv",
        "leads (Karis conflicted copy 2026-03-01).csv",
        "leads (konflikt 2026).csv",
        "leads.sync-conflict-20260301-101500-ABC.csv",
    ],
)
def test_conflict_copies_beside_the_file_are_told(path: Path, copy: str) -> None:
    text_file(path.with_name(copy))
    assert "1 conflict copies lie beside the file" in said(connect(path), "warning")


@pytest.mark.parametrize("other", ["leads-2025.csv", "leads2.csv", "leads.xlsx", "andre (konflikt).csv"])
def test_other_files_are_no_conflict_copies(path: Path, other: str) -> None:
    path.with_name(other).write_bytes(b"")
    assert findings(connect(path), "warning") == []


# Faults on the way, through the stand-in


def made(tmp_path: Path, suffix: str) -> tuple[SheetDoor, Spreadsheet, ManualWorld]:
    world = ManualWorld()
    door = SheetDoor(tmp_path / f"leads.{suffix}", world, PEOPLE, email="E-post", consent=None)
    for row in ROWS:
        fields: Fields = {**dict(zip(PEOPLE, row, strict=True))}
        door.put("row", fields)
    return door, connect(door.path, world=world, disk=door.disk(RealDisk())), world


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_sign_in_page_instead_of_the_file_stops(tmp_path: Path, suffix: str) -> None:
    door, connector, _ = made(tmp_path, suffix)
    door.fault(Fault.HTML, When("READ"))
    with pytest.raises(Stop, match="web page") as stopped:
        read(connector)
    assert stopped.value.code == "SM321"
    assert len(read(connector)) == 2


def test_half_a_workbook_on_the_way_is_tried_again(tmp_path: Path) -> None:
    door, connector, _ = made(tmp_path, "xlsx")
    door.fault(Fault.TRUNCATED, When("READ"))
    with pytest.raises(Retry):
        read(connector)
    assert len(read(connector)) == 2


@pytest.mark.parametrize("kind", [Fault.CUT_AFTER, Fault.ERROR_AFTER])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_write_whose_outcome_is_seen_in_the_file_leaves_no_doubt(tmp_path: Path, suffix: str, kind: Fault) -> None:
    door, connector, _ = made(tmp_path, suffix)
    door.fault(kind, When("WRITE"))
    answers: list[Answer] = write(connector, create({"Navn": "Eva"}, "c"))
    assert isinstance(answers[0], Done)
    assert [kept.fields["Navn"] for kept in door.records()] == ["Kåre Ås", "Åse Ødegård", "Eva"]
    assert [seen.status for seen in door.requests() if seen.method == "WRITE"] == [0]


def test_the_stand_in_refuses_faults_that_no_file_has(tmp_path: Path) -> None:
    door, _, _ = made(tmp_path, "csv")
    with pytest.raises(ValueError, match="redirect"):
        door.fault(Fault.REDIRECT, When())


def test_the_stand_in_waits_skips_and_counts(tmp_path: Path) -> None:
    door, connector, world = made(tmp_path, "csv")
    read(connector)
    waited = world.monotonic()
    door.fault(Fault.SLOW, When("READ", skip=1, value=7.0))
    read(connector)
    assert world.monotonic() == waited
    read(connector)
    assert world.monotonic() == waited + 7.0
    read(connector)
    assert world.monotonic() == waited + 7.0


def test_people_merge_rows_by_hand(tmp_path: Path) -> None:
    door, connector, _ = made(tmp_path, "csv")
    a, b = (kept.ref for kept in door.records())
    door.edit(a, {"Mobil": None})
    assert door.merge(a, b) == a
    assert values(connector) == [{"Navn": "Kåre Ås", "E-post": "kare@example.com", "Mobil": "22334455"}]
    with pytest.raises(KeyError):
        door.edit(b, {"Navn": "x"})
    with pytest.raises(KeyError, match="Tittel"):
        door.put("row", {"Tittel": "x"})
    with pytest.raises(ValueError, match="no column for consent"):
        door.opt_out("kare@example.com")


# The house


def test_the_registry_knows_the_connector() -> None:
    assert registry.load("spreadsheet") is Spreadsheet


def test_loading_the_connector_loads_no_library_for_workbooks() -> None:
    code = (
        "import sys, connectors.spreadsheet, smarketing.sandbox.sheet;"
        "print([each for each in ('openpyxl', 'python_calamine', 'lxml', 'charset_normalizer') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_is_touched_inside_a_transaction(path: Path) -> None:
    world = ManualWorld()
    connector = connect(path, world=world)
    with world.transaction(), pytest.raises(RuntimeError, match="inside a transaction"):
        read(connector)
    assert connector.requests() == {"read": 0, "look": 0, "write": 0}
