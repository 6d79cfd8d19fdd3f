"""The tables, as the first release has them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("n", INT, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "system",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("mapping", sa.LargeBinary),
        sa.Column("told", sa.LargeBinary),
        sa.Column("schema", sa.LargeBinary),
        sa.Column("schema_at", INT),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("not_before", INT, nullable=False),
        sa.Column("failures", INT, nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("swept_at", INT),
        sa.Column("size", INT, nullable=False),
    )
    op.create_table(
        "feed",
        sa.Column("system", INT, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("watermark", INT, nullable=False),
        sa.Column("began", INT),
        sa.Column("primed_at", INT),
        sa.Column("round", INT, nullable=False),
        sa.PrimaryKeyConstraint("system", "object", "kind"),
    )
    op.create_table(
        "record",
        sa.Column("id", INT, primary_key=True, autoincrement=False),
        sa.Column("system", INT, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("ext", sa.Text),
        sa.Column("lead", INT),
        sa.Column("role", INT, nullable=False),
        sa.Column("slot", sa.Text),
        sa.Column("state", INT, nullable=False),
        sa.Column("state_at", INT, nullable=False),
        sa.Column("into", sa.Text),
        sa.Column("fresh", sa.LargeBinary),
        sa.Column("now", sa.LargeBinary, nullable=False),
        sa.Column("base", sa.LargeBinary),
        sa.Column("pending", sa.LargeBinary),
        sa.Column("asked", sa.LargeBinary),
        sa.Column("sent", sa.LargeBinary),
        sa.Column("was", sa.LargeBinary),
        sa.Column("answered", INT),
        sa.Column("version", sa.Text),
        sa.Column("modified", INT),
        sa.Column("prev_modified", INT),
        sa.Column("writer", INT, nullable=False),
        sa.Column("times", sa.LargeBinary),
        sa.Column("read_seq", INT, nullable=False),
        sa.Column("read_at", INT, nullable=False),
        sa.Column("obs", INT, nullable=False),
        sa.Column("swept", INT, nullable=False),
        sa.Column("waits", INT, nullable=False),
        sa.Column("awaits", INT),
        sa.Column("mine", INT),
        sa.Column("taken_up", sa.LargeBinary),
        sa.UniqueConstraint("system", "object", "ext", name="record_ext"),
    )
    _partial("record_create", "record", ["lead", "system", "object"], "ext IS NULL", unique=True)
    _partial("record_into", "record", ["into", "system"], '"into" IS NOT NULL')
    _partial("record_lead", "record", ["lead", "system"], "lead IS NOT NULL")
    _partial("record_merged", "record", ["id"], "state = 4 AND waits = 0")
    _partial("record_new", "record", ["system", "id"], "lead IS NULL AND waits = 0")
    op.create_index("record_slot", "record", ["slot", "system"])
    _partial("record_waits", "record", ["system"], "waits = 2")
    op.create_table(
        "alias",
        sa.Column("system", INT, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("ext", sa.Text, nullable=False),
        sa.Column("record", INT, nullable=False),
        sa.PrimaryKeyConstraint("system", "object", "ext"),
    )
    op.create_index("alias_record", "alias", ["record"])
    op.create_table(
        "lead",
        sa.Column("id", INT, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("into", INT),
        sa.Column("rev", INT, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("origin", sa.LargeBinary, nullable=False),
        sa.Column("frozen", sa.LargeBinary),
        sa.Column("email", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("company", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("changed", INT, nullable=False),
    )
    op.create_index("lead_company", "lead", ["company"])
    op.create_index("lead_email", "lead", ["email"])
    _partial("lead_frozen", "lead", ["id"], "frozen IS NOT NULL")
    _partial("lead_into", "lead", ["into"], '"into" IS NOT NULL')
    op.create_index("lead_name", "lead", ["name"])
    op.create_table(
        "lead_key",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("lead", INT, nullable=False),
        sa.Column("shared", INT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "lead"),
    )
    op.create_index("lead_key_lead", "lead_key", ["lead"])
    op.create_table(
        "apart",
        sa.Column("a", INT, nullable=False),
        sa.Column("b", INT, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("a", "b"),
    )
    op.create_index("apart_b", "apart", ["b"])
    op.create_table(
        "consent",
        sa.Column("lead", INT, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("cell", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("record", INT),
        sa.Column("run", INT, nullable=False),
        sa.PrimaryKeyConstraint("lead", "address", "cell"),
    )
    op.create_index("consent_address", "consent", ["address"])
    op.create_table(
        "consent_event",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("lead", INT, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("cell", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("record", INT),
        sa.Column("run", INT, nullable=False),
    )
    op.create_index("consent_event_lead", "consent_event", ["lead"])
    op.create_table(
        "dirty",
        sa.Column("lead", INT, primary_key=True, autoincrement=False),
        sa.Column("lane", INT, nullable=False),
        sa.Column("seq", INT, nullable=False),
    )
    op.create_index("dirty_order", "dirty", ["lane", "lead"])
    op.create_table(
        "hint",
        sa.Column("system", INT, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("ext", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("lane", INT, nullable=False),
        sa.Column("seq", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("system", "object", "ext", "why"),
    )
    op.create_index("hint_order", "hint", ["system", "at"])
    op.create_table(
        "outbox",
        sa.Column("record", INT, primary_key=True, autoincrement=False),
        sa.Column("system", INT, nullable=False),
        sa.Column("lane", INT, nullable=False),
        sa.Column("seq", INT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("lead", INT),
        sa.Column("lead_rev", INT, nullable=False),
        sa.Column("obs", INT, nullable=False),
        sa.Column("run", INT, nullable=False),
        sa.Column("state", INT, nullable=False),
        sa.Column("token", INT, nullable=False),
        sa.Column("step", INT, nullable=False),
        sa.Column("sent_at", INT),
        sa.Column("doubt_at", INT),
        sa.Column("not_before", INT, nullable=False),
        sa.Column("tries", INT, nullable=False),
    )
    op.create_index("outbox_lead", "outbox", ["lead"])
    op.create_index("outbox_order", "outbox", ["system", "state", "lane", "seq"])
    op.create_table(
        "history",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("lead", INT),
        sa.Column("record", INT),
        sa.Column("run", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("history_lead", "history", ["lead", "id"])
    op.create_index("history_run", "history", ["run"])
    op.create_table(
        "lead_merge",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("winner", INT, nullable=False),
        sa.Column("loser", INT, nullable=False),
        sa.Column("run", INT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=False),
    )
    op.create_index("lead_merge_winner", "lead_merge", ["winner"])
    op.create_table(
        "run",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("counts", sa.LargeBinary),
        sa.Column("undoes", INT),
        sa.Column("started", INT, nullable=False),
        sa.Column("ended", INT),
    )
    op.create_table(
        "review",
        sa.Column("id", INT, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False, unique=True),
        sa.Column("system", INT),
        sa.Column("lead", INT),
        sa.Column("record", INT),
        sa.Column("n", INT, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("seen", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", INT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("review_lead", "review", ["lead"])
    op.create_index("review_state", "review", ["state", "id"])
    op.create_table(
        "usage",
        sa.Column("system", INT, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("window", INT, nullable=False),
        sa.Column("used", INT, nullable=False),
        sa.PrimaryKeyConstraint("system", "bucket", "window"),
    )
    op.create_table(
        "rolling",
        sa.Column("system", INT, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("hour", INT, nullable=False),
        sa.Column("n", INT, nullable=False),
        sa.PrimaryKeyConstraint("system", "field", "what", "hour"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("token", INT, nullable=False),
        sa.Column("until", INT, nullable=False),
    )


def _partial(name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)
