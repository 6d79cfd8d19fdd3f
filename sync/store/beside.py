"""A mark beside an SQLite file, by which a copy that was put back is recognised (F33).

It holds the database's generation and its last run. A database that knows less than its mark is older than what we did
with it: links that were made since are missing, and creating anybody would make twins. On PostgreSQL there is no place
beside it that a restore leaves alone, and a person must say so.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec
import sqlalchemy as sa

from sync.store import runs, schema
from sync.store.db import Store, Tx, generation


def path(store: Store) -> Path | None:
    """Where the mark is; None where there can be none."""
    name = store.url.database
    return Path(f"{name}.mark") if store.sqlite and name and name != ":memory:" else None


def was_put_back(store: Store) -> bool:
    """Whether the database is another, or older, than when its mark was made. An unreadable mark says nothing."""
    file = path(store)
    if file is None:
        return False
    try:
        said = msgspec.json.decode(file.read_bytes(), type=dict[str, str | int])
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return False
    with store.read() as tx:
        here, last = generation(tx), _last(tx)
    run = said.get("run")
    return said.get("generation") != here or (isinstance(run, int) and run > last)


def mark(store: Store) -> None:
    """Say beside it how far this database has come. A folder that takes no file is no reason to stop."""
    file = path(store)
    if file is None:
        return
    with store.read() as tx:
        said = {"generation": generation(tx), "run": _last(tx)}
    beside = file.with_name(f"{file.name}.new")
    with contextlib.suppress(OSError):
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(msgspec.json.encode(said))
        os.replace(beside, file)


def renew(tx: Tx, random: float) -> None:
    """Another generation: keys of creates that were sent since the copy are never given out a second time."""
    value = f"{int(random * 2**32):08x}"
    tx.run(sa.update(schema.meta).where(schema.meta.c.name == "generation").values(value=value))


def _last(tx: Tx) -> int:
    return max((each.id for each in runs.latest(tx, 1)), default=0)
