"""Bringing a database to the tables of this program: from any earlier version, in one transaction, or not at all.

Alembic is loaded only here. Whether anything is to be done is one SELECT (`create` makes it before every run).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sync.store import schema
from sync.store.db import Store, StoreError, Tx, create, version

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> bool:
    """Make the tables of an empty database, or change those there are; False when nothing had to be done. Raises
    StoreError for a database that a newer program made."""
    with store.read() as tx:
        found = version(tx)
    if found is None:
        create(store)
        return True
    if found == schema.VERSION:
        return False
    with store.tx(durable=True) as tx:
        migrate(tx)
    return True


def migrate(tx: Tx, to: str = "head") -> None:
    """Carry out the migrations that are missing."""
    from alembic import command
    from alembic.util.exc import CommandError

    try:
        command.upgrade(configuration(tx), to)
    except CommandError as error:
        raise StoreError("SM211", f"the database cannot be brought to schema {schema.VERSION}: {error}") from None


def configuration(tx: Tx) -> Config:
    """What Alembic needs to know; no file says it."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = tx._connection
    return config
