"""Disturb one day at every place where it can be disturbed, and hold what it leaves against an undisturbed one.

    python -m tests.crash.everywhere [--every K] [WAY…]

The ways: `killed` at each boundary, with the power of the machine (`power`), at each pair of the first boundaries
(`pairs`); each statement and each commit that fails at the database's door, before and after its effect (`sqlite`,
`postgresql`); and a disk that is really full (`disk`).
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

from tests.crash.day import UNDISTURBED, Day, Disturbed, Left, Size
from tests.silence import silence
from tests.sync.databases import Server
from tests.worlds import ManualWorld

FIRST = 60
"""All pairs of so many first boundaries."""
ROOM = 2_000_000
"""Bytes of a disk that is large enough for a day, and not much larger."""


@cache
def undisturbed(short: bool = False) -> tuple[Left, Size]:
    """What the day leaves when nothing happens, and how many places it has."""
    day = Day(short=short)
    return day.live(), day.size


def killed(*, power: bool = False, every: int = 1) -> list[Disturbed]:
    return [Disturbed(frozenset({n}), power) for n in range(1, undisturbed()[1].boundaries + 1, every)]


def pairs(every: int = 1) -> list[Disturbed]:
    some = itertools.combinations(range(1, FIRST + 1), 2)
    return [Disturbed(frozenset(pair)) for pair in itertools.islice(some, 0, None, every)]


def failing(every: int = 1) -> list[Disturbed]:
    """Each statement and commit of a short day fails, before and after its effect."""
    _, size = undisturbed(short=True)
    when = (False, True)
    return [
        *(Disturbed(statement=n, after=after) for n in range(1, size.statements + 1, every) for after in when),
        *(Disturbed(commit=n, after=after) for n in range(1, size.commits + 1, every) for after in when),
    ]


def difference(disturbed: Disturbed, *, short: bool = False, url: str = "") -> str:
    """What a disturbed day left otherwise; empty: nothing."""
    day = Day(disturbed, url, short=short)
    try:
        with silence():
            left = day.live()
    except Exception as error:  # whatever it is, the day did not end as it should
        return f"{disturbed}: {error!r}"
    if not short and len(day.boundaries) <= max(disturbed.deaths, default=0):
        return f"{disturbed}: never came there"
    if (disturbed.statement or disturbed.commit) and not (day.door.failed and day.errors):
        return f"{disturbed}: nothing failed"
    return compare(disturbed, left, undisturbed(short)[0])


def compare(disturbed: Disturbed, left: Left, should: Left) -> str:
    if left == should:
        return ""
    lines = [str(disturbed)]
    for number, rows in should.systems.items():
        lines += [f"  only in s{number}: {row}" for row in left.systems[number] if row not in rows]
        lines += [f"  not in s{number}: {row}" for row in rows if row not in left.systems[number]]
    told = [f"{each.leads} leads, reviews {each.reviews}, gone {dict(each.gone)}" for each in (left, should)]
    lines.append(f"  {told[0]}; undisturbed: {told[1]}; work left: {left.waits}")
    return "\n".join(lines)


# --- PostgreSQL --------------------------------------------------------------------------------------------------


def difference_on_postgres(disturbed: Disturbed) -> str:
    with _server().database() as url:
        return difference(disturbed, short=True, url=url)


@cache
def _server() -> Server:
    """One for all processes: whoever comes first starts it."""
    server = Server(Path(tempfile.gettempdir()) / f"smarketing-everywhere-{os.getppid()}")
    server.fill_template(ManualWorld())
    return server


# --- a full disk -------------------------------------------------------------------------------------------------


def on_a_small_disk(every: int = 1) -> Iterator[str]:
    """Starts this program with a disk of its own, which needs root or user namespaces, and passes on what it says."""
    with tempfile.TemporaryDirectory(prefix="smarketing-disk-") as folder:
        code = f"from tests.crash.everywhere import fill; fill({folder!r}, {every})"
        script = f'mount -t tmpfs -o size={ROOM} tmpfs "$1" && exec "$2" -c "$3"'
        how = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder, sys.executable, code]
        ended = subprocess.run(how, capture_output=True, text=True, check=False)
        if ended.returncode:
            yield f"the disk: {ended.stderr.strip()}"
        yield from ended.stdout.splitlines()


def fill(folder: str, every: int = 1) -> None:
    """Live a day with so many pages left on the disk, and so many more each time it was full. Prints what is wrong."""
    place = Path(folder)
    for pages in range(1, 120, every):
        ballast, database = place / "ballast", place / "store.db"
        day = Day(UNDISTURBED, f"sqlite:///{database}", short=True)
        _leave(ballast, pages)
        day.relief = partial(_shrink, ballast)
        with silence():
            text = compare(UNDISTURBED, day.live(), undisturbed(short=True)[0])
        codes = {error.code for error in day.errors}
        if text or codes - {"SM214"} or (pages < 40 and not codes):
            print(f"{pages} pages left: {sorted(codes)} {text}")
        for each in place.iterdir():
            each.unlink()


def _leave(ballast: Path, pages: int) -> None:
    """Fill the disk but for so many pages."""
    free = os.statvfs(ballast.parent).f_bavail * 4096
    ballast.write_bytes(b"x" * (free - pages * 4096))


def _shrink(ballast: Path) -> None:
    """Somebody makes room: not much."""
    size = max(0, ballast.stat().st_size - 48 * 4096)
    os.truncate(ballast, size)


# --- the whole ---------------------------------------------------------------------------------------------------


def disturb(
    some: Sequence[Disturbed], how: Callable[[Disturbed], str], jobs: int, told: Callable[[str], None] = print
) -> int:
    """Live all these days; answers how many ended otherwise."""
    with ProcessPoolExecutor(jobs) as pool:
        return _count(pool.map(how, some, chunksize=8), told)


def _count(found: Iterable[str], told: Callable[[str], None]) -> int:
    wrong = 0
    for text in found:
        if text:
            wrong += 1
            told(text)
    return wrong


WAYS = ("killed", "power", "pairs", "sqlite", "postgresql", "disk")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.everywhere", description=__doc__)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"some of {', '.join(WAYS)} [all]")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th place [1]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="so many side by side")
    options = parser.parse_args()
    wrong = 0
    for way in options.ways or WAYS:
        begun = time.monotonic()
        days, found = _play(way, options.every, options.jobs)
        wrong += found
        print(f"{way}: {days} days, {found} ended otherwise, {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if wrong else 0


def _play(way: str, every: int, jobs: int) -> tuple[int, int]:
    if way == "disk":
        return len(range(1, 120, every)), _count(on_a_small_disk(every), print)
    some = {
        "killed": partial(killed, every=every),
        "power": partial(killed, power=True, every=every),
        "pairs": partial(pairs, every),
        "sqlite": partial(failing, every),
        "postgresql": partial(failing, every),
    }[way]()
    if way == "postgresql":
        with contextlib.closing(_server()):
            return len(some), disturb(some, difference_on_postgres, jobs)
    return len(some), disturb(some, partial(difference, short=way == "sqlite"), jobs)


if __name__ == "__main__":
    sys.exit(main())
