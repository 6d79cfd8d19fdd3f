"""What Alembic runs: the migrations, on the connection that it is handed, within the caller's transaction."""

from __future__ import annotations

from alembic import context

from sync.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot change a column of a table that is there
)
with context.begin_transaction():
    context.run_migrations()
