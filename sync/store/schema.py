"""The tables, on SQLite and PostgreSQL alike.

JSON columns hold bytes that are never queried inside. Times are integer microseconds UTC. Ids of leads and records come
from `counter`, so that none is ever used twice: an idempotency key is made of one.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint

METADATA = sa.MetaData()


class Packed(sa.LargeBinary):
    """Bytes that both drivers take and give as they are; SQLAlchemy would turn them over one by one."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> None:
        return None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        return None


# SQLite gives rowid aliases to INTEGER only.
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text
JSON = Packed

VERSION = "0001"
"""The migration that made the tables as they stand here."""


def integer(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, INT, nullable=null)


def text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def json(name: str) -> Column[bytes]:
    return Column(name, JSON, nullable=True)


def key(name: str) -> Column[int]:
    return Column(name, INT, primary_key=True, autoincrement=True)


UNLINKED = "lead IS NULL AND waits = 0"
MERGED_NEW = "state = 4 AND waits = 0"
CREATE_WAITED_FOR = "waits = 2"


def partial_index(name: str, where: str, *columns: str, unique: bool = False) -> Index:
    condition = sa.text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


counter = Table("counter", METADATA, Column("name", TEXT, primary_key=True), integer("n"))

# What distinguishes this store from a copy of it.
meta = Table("meta", METADATA, Column("name", TEXT, primary_key=True), text("value"))

# Which migration it stands at; Alembic's own table.
alembic_version = Table(
    "alembic_version",
    METADATA,
    Column("version_num", sa.String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

system = Table(
    "system",
    METADATA,
    key("id"),
    Column("name", TEXT, nullable=False, unique=True),
    text("connector"),
    json("mapping"),  # {object: {group: digest}} of the mapping by which values were last taken in
    json("told"),  # what configuration and connector said of it when it was last read: names, takes, filters, rules
    json("schema"),  # {object: {native name: hash of what the account says of it}}
    integer("schema_at", null=True),
    text("state"),  # new: its first plan is not approved | live | held: a guard stopped it
    integer("not_before"),  # backs off until then
    integer("failures"),
    text("trouble", null=True),  # code and text of what makes it back off
    integer("swept_at", null=True),
    integer("size"),  # live records, for limits that are shares
)

feed = Table(
    "feed",
    METADATA,
    integer("system"),
    text("object"),
    text("kind"),
    text("cursor", null=True),
    integer("watermark"),  # everything that changed before this has been read
    integer("began", null=True),  # when the pass under way began
    integer("primed_at", null=True),  # when it was read whole once
    integer("round"),  # number of the sweep under way
    PrimaryKeyConstraint("system", "object", "kind"),
)

record = Table(
    "record",
    METADATA,
    Column("id", INT, primary_key=True, autoincrement=False),
    integer("system"),
    text("object"),
    text("ext", null=True),  # NULL: a create that is planned or in doubt
    integer("lead", null=True),
    integer("role"),  # 0 primary, 1 twin
    text("slot", null=True),  # the record's own address in normal form
    integer("state"),
    integer("state_at"),
    text("into", null=True),  # "object:id" of the record this one was merged into
    json("fresh"),  # groups never absorbed; ["*"]: none yet; NULL: all absorbed
    Column("now", JSON, nullable=False),  # native, mapped fields only, as last observed
    json("base"),  # {native: old value} where not absorbed yet
    json("pending"),  # edits seen, and then overwritten by a write in flight
    json("asked"),  # {group: [hash of what we wanted, why it was settled, run]}
    json("sent"),  # {"fields", "wanted"} of a write whose echo has not been seen yet
    json("was"),  # the values before it
    integer("answered", null=True),  # when it was answered, by the vendor's clock
    text("version", null=True),
    integer("modified", null=True),
    integer("prev_modified", null=True),
    integer("writer"),
    json("times"),  # {native: when its value was written}, fetched for a conflict
    integer("read_seq"),
    integer("read_at"),
    integer("obs"),
    integer("swept"),  # number of the last sweep that showed it
    integer("waits"),  # resolving waits: 1 for a person, or for the record to change; 2 for a create to be settled
    integer("awaits", null=True),  # that create's record
    integer("mine", null=True),  # made by our user, where the vendor tells
    json("taken_up"),  # {native: when it was written}: the last edit that our writes had hidden, and that was found
    UniqueConstraint("system", "object", "ext", name="record_ext"),
    partial_index("record_lead", "lead IS NOT NULL", "lead", "system"),
    Index("record_slot", "slot", "system"),
    partial_index("record_new", UNLINKED, "system", "id"),
    partial_index("record_create", "ext IS NULL", "lead", "system", "object", unique=True),
    partial_index("record_into", '"into" IS NOT NULL', "into", "system"),
    partial_index("record_merged", MERGED_NEW, "id"),
    partial_index("record_waits", CREATE_WAITED_FOR, "system"),
)

alias = Table(
    "alias",
    METADATA,
    integer("system"),
    text("object"),
    text("ext"),
    integer("record"),
    PrimaryKeyConstraint("system", "object", "ext"),
    Index("alias_record", "record"),
)

lead = Table(
    "lead",
    METADATA,
    Column("id", INT, primary_key=True, autoincrement=False),
    text("state"),  # live | merged
    integer("into", null=True),
    integer("rev"),
    Column("value", JSON, nullable=False),
    Column("origin", JSON, nullable=False),  # {group: [record, lo, hi, rule, run, proven, writer]}
    json("frozen"),  # {group: why}
    text("email", null=True),  # derived, for searching
    text("name", null=True),
    text("company", null=True),
    text("stage", null=True),
    text("owner", null=True),
    integer("changed"),
    Index("lead_email", "email"),
    Index("lead_name", "name"),
    Index("lead_company", "company"),
    partial_index("lead_into", '"into" IS NOT NULL', "into"),
    partial_index("lead_frozen", "frozen IS NOT NULL", "id"),
)

# Not unique on purpose: two people may hold one address, and then it links nobody by itself.
lead_key = Table(
    "lead_key",
    METADATA,
    text("kind"),
    text("value"),
    integer("lead"),
    integer("shared"),
    PrimaryKeyConstraint("kind", "value", "lead"),
    Index("lead_key_lead", "lead"),
)

apart = Table(
    "apart",
    METADATA,
    integer("a"),
    integer("b"),
    text("who"),
    integer("at"),
    PrimaryKeyConstraint("a", "b"),
    Index("apart_b", "b"),
)

consent = Table(
    "consent",
    METADATA,
    integer("lead"),
    text("address"),
    text("cell"),  # channel, or channel.purpose
    text("state"),  # out | in | confirmed
    text("evidence"),
    integer("at"),
    integer("record", null=True),
    integer("run"),
    PrimaryKeyConstraint("lead", "address", "cell"),
    Index("consent_address", "address"),
)

consent_event = Table(
    "consent_event",
    METADATA,
    key("id"),
    integer("lead"),
    text("address"),
    text("cell"),
    text("state"),
    text("evidence"),
    integer("at"),
    integer("record", null=True),
    integer("run"),
    Index("consent_event_lead", "lead"),
)

dirty = Table(
    "dirty",
    METADATA,
    Column("lead", INT, primary_key=True, autoincrement=False),
    integer("lane"),
    integer("seq"),
    Index("dirty_order", "lane", "lead"),
)

hint = Table(
    "hint",
    METADATA,
    integer("system"),
    text("object"),
    text("ext"),
    text("why"),  # changed | conflict: times of its fields are wanted | wrote: look for edits our write hid | deleted
    integer("lane"),
    integer("seq"),
    integer("at"),  # not before
    PrimaryKeyConstraint("system", "object", "ext", "why"),
    Index("hint_order", "system", "at"),
)

# One row per record: a newer plan replaces an unsent one; a row that is being sent is frozen.
outbox = Table(
    "outbox",
    METADATA,
    Column("record", INT, primary_key=True, autoincrement=False),
    integer("system"),
    integer("lane"),  # 0 withdrawal of consent, 1 edit, 2 retry, 3 backfill
    integer("seq"),
    text("kind"),
    Column("body", JSON, nullable=False),
    integer("lead", null=True),
    integer("lead_rev"),
    integer("obs"),
    integer("run"),
    integer("state"),  # 0 proposed, 1 queued, 2 sending
    integer("token"),
    integer("step"),
    integer("sent_at", null=True),
    integer("doubt_at", null=True),
    integer("not_before"),
    integer("tries"),
    Index("outbox_order", "system", "state", "lane", "seq"),
    Index("outbox_lead", "lead"),
)

history = Table(
    "history",
    METADATA,
    key("id"),
    integer("lead", null=True),
    integer("record", null=True),
    integer("run"),
    integer("at"),
    Column("body", JSON, nullable=False),
    Index("history_lead", "lead", "id"),
    Index("history_run", "run"),
)

lead_merge = Table(
    "lead_merge",
    METADATA,
    key("id"),
    integer("winner"),
    integer("loser"),
    integer("run"),
    integer("at"),
    Column("before", JSON, nullable=False),
    Index("lead_merge_winner", "winner"),
)

run = Table(
    "run",
    METADATA,
    key("id"),
    text("kind"),  # sync | plan | undo | edit | review | daemon
    text("who"),
    text("why"),
    text("state"),  # running | done | refused | failed | interrupted
    text("digest", null=True),
    json("counts"),
    integer("undoes", null=True),
    integer("started"),
    integer("ended", null=True),
)

review = Table(
    "review",
    METADATA,
    key("id"),
    text("kind"),
    Column("cause", TEXT, nullable=False, unique=True),
    integer("system", null=True),
    integer("lead", null=True),
    integer("record", null=True),
    integer("n"),
    json("body"),
    text("seen", null=True),  # hash of the values the question was asked about
    text("state"),  # open | decided
    integer("at"),
    Index("review_state", "state", "id"),
    Index("review_lead", "lead"),
    sqlite_autoincrement=True,  # a number is never given to a second question
)

usage = Table(
    "usage",
    METADATA,
    integer("system"),
    text("bucket"),
    integer("window"),
    integer("used"),
    PrimaryKeyConstraint("system", "bucket", "window"),
)

rolling = Table(
    "rolling",
    METADATA,
    integer("system"),
    text("field"),
    text("what"),
    integer("hour"),
    integer("n"),
    PrimaryKeyConstraint("system", "field", "what", "hour"),
)

secret = Table("secret", METADATA, Column("name", TEXT, primary_key=True), Column("sealed", JSON, nullable=False))

lease = Table(
    "lease",
    METADATA,
    Column("name", TEXT, primary_key=True),
    text("owner"),
    integer("token"),
    integer("until"),
)
