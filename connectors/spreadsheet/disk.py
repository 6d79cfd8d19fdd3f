"""The file as a whole: read when nobody is writing it, replaced in one step or not at all.

A version is the hash of the bytes, since times of change lie on shared and synchronised folders. The new content is
written beside the file, forced to the disk and renamed over it: whatever fails before that leaves the file as it was,
and what fails during it is settled by looking at the file again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connectors.errors import InDoubt, Retry, Stop
from connectors.world import MICROSECONDS, World

LARGEST = 256 * 1024 * 1024
QUIET = 2.0  # seconds without a change after which a file is believed to be whole
FRESH = 60.0  # seconds after a change in which a broken file may still be a copy under way
LOCKED_FOR = 60.0
LOOKS = 5

_TEMPORARY = (".tmp", ".crdownload", ".part")
_LASTING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR)


class Disk(Protocol):
    """What is asked of the system, each call one request. A stand-in may take its place. Raises OSError."""

    def read(self, path: Path) -> tuple[bytes, os.stat_result]:
        """All bytes of a file, up to one more than are ever used, and what the system says of it."""

    def stat(self, path: Path) -> os.stat_result:
        """What the system says of a file."""

    def replace(self, path: Path, data: bytes) -> None:
        """Put these bytes in the file's place in one step."""


class RealDisk:
    """The machine's own."""

    def read(self, path: Path) -> tuple[bytes, os.stat_result]:
        # Without O_NONBLOCK a pipe of that name would keep us waiting for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as stream:
            kind = os.fstat(handle)
            if not stat.S_ISREG(kind.st_mode):
                raise IsADirectoryError(errno.EISDIR, "not a file")
            data = stream.read(LARGEST + 1)
            return data, os.fstat(handle)

    def stat(self, path: Path) -> os.stat_result:
        return os.stat(path)

    def replace(self, path: Path, data: bytes) -> None:
        kind = os.stat(path)
        beside = path.with_name(f".{path.name}.smarketing.tmp")
        try:
            beside.unlink(missing_ok=True)  # left by a process that was killed
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(handle)
            with contextlib.suppress(OSError, AttributeError):
                os.chown(beside, kind.st_uid, kind.st_gid)
            os.chmod(beside, stat.S_IMODE(kind.st_mode))
            os.replace(beside, path)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # so that the rename outlasts a power cut, where the system lets us
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes as found, their version, how many seconds ago they were changed, and how the file looked."""

    data: bytes
    version: str
    age: float
    looks: tuple[int, int, int]


def version_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def looks_of(kind: os.stat_result) -> tuple[int, int, int]:
    """Size, time of change and place on the disk: where these differ the content may, too."""
    return kind.st_size, kind.st_mtime_ns, kind.st_ino


class File:
    """One file of a system called `name`."""

    def __init__(self, name: str, path: Path, world: World, disk: Disk) -> None:
        self._name = name
        self.path = Path(os.path.realpath(path))  # a link stays a link: the file behind it is replaced
        self._world = world
        self._disk = disk
        self.requests = {"read": 0, "look": 0, "write": 0}

    def read(self, known: str | None) -> Content:
        """The content, once it stands still; at once where it is the `known` version. Raises Retry or Stop."""
        for look in range(LOOKS):
            try:
                content = self._take()
            except FileNotFoundError:
                if look:
                    raise self._missing() from None
                self._world.sleep(QUIET)  # programs that save by renaming take it away for a moment
                continue
            if content.version == known or not 0 <= content.age < QUIET:
                return content
            self._world.sleep(QUIET - content.age)
            if self.still_looks(content):
                return content
        raise Retry(
            f"{self._name}: {self.path.name} is still being written; wait until that is done, then try again",
            after=QUIET,
            code="SM327",
        )

    def still_looks(self, content: Content) -> bool:
        """Whether the file looks as it did when this was read."""
        self.requests["look"] += 1
        try:
            return looks_of(self._disk.stat(self.path)) == content.looks
        except OSError:
            return False

    def glance(self) -> tuple[int, int, int]:
        """How the real file looks, past any stand-in and without a request. Raises OSError."""
        return looks_of(os.stat(self.path))

    def peek(self) -> Content:
        """What the real file holds at this moment, be it half written, as `glance`. Raises OSError or Stop."""
        return self._content(*RealDisk().read(self.path))

    def _take(self) -> Content:
        where = f"{self._name}: {self.path}"
        if self.path.name.startswith(("~$", ".~lock.")) or self.path.suffix.lower() in _TEMPORARY:
            raise Stop(f"{where} is a program's own temporary file; name the file it belongs to", code="SM320")
        self.requests["read"] += 1
        try:
            return self._content(*self._disk.read(self.path))
        except FileNotFoundError:
            raise
        except IsADirectoryError:
            raise Stop(f"{where} is not a file; correct the setting path", code="SM320") from None
        except PermissionError:
            if os.name == "nt":
                raise self._open_elsewhere() from None
            raise Stop(f"{where} may not be read; give this user the right to read it", code="SM328") from None
        except OSError as error:
            # A network drive that is away for a while, or a file that a cloud client has not fetched yet.
            raise Retry(f"{where} cannot be read: {_reason(error)}", after=LOCKED_FOR, code="SM327") from None

    def _content(self, data: bytes, kind: os.stat_result) -> Content:
        if len(data) > LARGEST:
            raise Stop(
                f"{self._name}: {self.path} has {kind.st_size:,} bytes, at most {LARGEST:,} are read; split the file",
                code="SM324",
            )
        age = self._world.now() / MICROSECONDS - kind.st_mtime
        return Content(data, version_of(data), age, looks_of(kind))

    def unwritable(self) -> str | None:
        """Why nothing can be written here at all, None where it can. Asks only for rights."""
        if self.path.exists() and not os.access(self.path, os.W_OK):
            return "the file is write-protected"
        if self.path.parent.exists() and not os.access(self.path.parent, os.W_OK):
            return "no file may be made in its folder, where a new version is written before it replaces the old one"
        return None

    def locks(self) -> list[str]:
        """The marks that Excel and LibreOffice leave beside a file which somebody has open."""
        names = (f"~${self.path.name}", f".~lock.{self.path.name}#")
        return [name for name in names if (self.path.parent / name).exists()]

    def conflicts(self) -> list[str]:
        """Copies beside it that a synchronised folder made because two people changed the file at the same time."""
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        copy = re.compile(
            rf"{stem}(?:-(?=\d*[A-Z])[A-Z0-9-]{{3,20}}"  # OneDrive: the computer's name
            rf"|\ \([^)]*(?:conflict|konflikt)[^)]*\)"  # Dropbox, Nextcloud
            rf"|\.sync-conflict-[\w-]+){suffix}"  # Syncthing
        )
        try:
            return sorted(name for name in os.listdir(self.path.parent) if copy.fullmatch(name))
        except OSError:
            return []

    def replace(self, data: bytes, expected: str) -> bool:
        """Put `data` in the file's place if it still is the `expected` version; False if it is not. Raises Retry or
        Stop, and then nothing has changed; InDoubt where nobody can tell."""
        if locks := self.locks():
            raise Retry(
                f"{self._name}: {self.path.name} is open in a spreadsheet program; close it there, or delete "
                f"{locks[0]!r} if nobody has it open",
                after=LOCKED_FOR,
                code="SM327",
            )
        if self._now() != expected:
            return False
        self.requests["write"] += 1
        try:
            self._disk.replace(self.path, data)
        except OSError as error:
            # A rename on a network drive may be reported as failed though it was done.
            if (now := self._now()) == version_of(data):
                return True
            if now is None:
                raise InDoubt(f"{self._name}: {self.path} may have been written or not: {_reason(error)}") from None
            if isinstance(error, PermissionError) and os.name == "nt":
                raise self._open_elsewhere() from None
            raise self._not_written(error) from None
        return True

    def _now(self) -> str | None:
        """The present version; None where it cannot be read."""
        try:
            return self._take().version
        except (OSError, Retry, Stop):
            return None

    def _missing(self) -> Stop:
        return Stop(f"{self._name}: {self.path} does not exist; check the setting path", code="SM320")

    def _open_elsewhere(self) -> Retry:
        return Retry(
            f"{self._name}: {self.path.name} is held by another program; close it there", after=LOCKED_FOR, code="SM327"
        )

    def _not_written(self, error: OSError) -> Retry | Stop:
        text = (
            f"{self._name}: {self.path} was not written and stays as it was: {_reason(error)}; free or allow what is "
            f"missing"
        )
        return Stop(text, code="SM328") if error.errno in _LASTING else Retry(text, after=LOCKED_FOR, code="SM328")


def _reason(error: OSError) -> str:
    return (error.strerror or "the system gave no reason").lower()
