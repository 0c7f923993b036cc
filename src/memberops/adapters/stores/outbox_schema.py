"""
The tables of an outbox in a database, the same in SQLite and PostgreSQL.

`facts`, `approvals`, `consents` and `strays` only grow, and the database refuses
anything else. How a message stands (`messages`) is kept beside its facts in the same
transactions, and can be refolded from them at any time.
"""

from __future__ import annotations

import sqlalchemy as sa

from memberops.adapters.stores.outbox_database import OutboxDatabase
from memberops.errors import OutboxVersionError

__all__ = [
    "approvals",
    "batches",
    "consents",
    "contacts",
    "facts",
    "messages",
    "metadata",
    "prepare",
    "strays",
    "version",
]

VERSION = 1
VERSION_TABLE = "outbox_version"

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

metadata = sa.MetaData()

version = sa.Table(
    VERSION_TABLE, metadata, sa.Column("version", _NUMBER, nullable=False)
)


def _needed(name: str, kind: object = _ID, default: str = "") -> sa.Column[object]:
    quoted = default if kind is _NUMBER else f"'{default}'"
    return sa.Column(
        name,
        kind,  # type: ignore[arg-type]  # a type with a variant is one too
        nullable=False,
        server_default=sa.text(quoted),
    )


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True)


batches = sa.Table(
    "outbox_batches",
    metadata,
    sa.Column("batch_id", _ID, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("fingerprint", _ID, nullable=False),
    sa.Column("kind", _ID, nullable=False),
    sa.Column("provider", _ID, nullable=False),
    sa.Column("opens_at", _NUMBER, nullable=False),
    sa.Column("closes_at", _NUMBER, nullable=False),
    sa.Column("currency", _ID, nullable=False),
    sa.Column("digits", _NUMBER, nullable=False),
    sa.Column("cost_cap", _NUMBER, nullable=False),
    sa.Column("audience", _ID, nullable=False),
    sa.Column("size", _NUMBER, nullable=False),
    _needed("enqueued", _NUMBER, "0"),
    _needed("gathered", _ID, "0" * 64),
    _needed("spent", _NUMBER, "0"),
    _needed("canceled"),
)

approvals = sa.Table(
    "outbox_approvals",
    metadata,
    _sequence(),
    sa.Column("batch_id", _ID, sa.ForeignKey(batches.c.batch_id), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)
sa.Index("outbox_approvals_batch", approvals.c.batch_id, approvals.c.sequence)

messages = sa.Table(
    "outbox_messages",
    metadata,
    sa.Column("message_id", _ID, primary_key=True),
    sa.Column("batch_id", _ID, sa.ForeignKey(batches.c.batch_id), nullable=False),
    sa.Column("member_id", _ID, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("variables", sa.Text, nullable=False),
    sa.Column("zone", _ID, nullable=False),
    sa.Column("store_id", _ID, nullable=False),
    sa.Column("cost", _NUMBER, nullable=False),
    _needed("state", _ID, "queued"),
    _needed("sending", _ID, "queued"),
    sa.Column("report", _ID),
    _needed("attempts", _NUMBER, "0"),
    _needed("ambiguous", _NUMBER, "0"),
    _needed("cause"),
    _needed("fence", _NUMBER, "0"),
    _needed("worker"),
    sa.Column("leased_until", _NUMBER),
    _needed("due_at", _NUMBER, "0"),
    sa.Column("claimed_at", _NUMBER),
    sa.Column("doubted_at", _NUMBER),
    _needed("counts", _NUMBER, "0"),
    _needed("provider"),
    sa.Column("provider_message_id", _ID),
    sa.CheckConstraint("attempts >= 0 AND fence >= attempts", name="outbox_fence"),
    sqlite_with_rowid=False,
)


def _partial(name: str, where: str, *columns: sa.Column[object]) -> None:
    sa.Index(
        f"outbox_messages_{name}",
        *columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


_m = messages.c
_partial("queued", "state = 'queued'", _m.batch_id, _m.due_at, _m.message_id)
_partial("leased", "sending = 'claimed'", _m.leased_until)
_partial("unknown", "state = 'unknown'", _m.due_at)
_partial("contacts", "counts = 1", _m.member_id)

facts = sa.Table(
    "outbox_facts",
    metadata,
    _sequence(),
    sa.Column("message_id", _ID, sa.ForeignKey(_m.message_id), nullable=False),
    sa.Column("kind", _ID, nullable=False),
    sa.Column("value", _ID, nullable=False),
    sa.Column("cause", _ID, nullable=False),
    sa.Column("attempt", _NUMBER, nullable=False),
    sa.Column("fence", _NUMBER, nullable=False),
    sa.Column("at", _NUMBER, nullable=False),
    sa.Column("worker", _ID, nullable=False),
    sa.Column("provider", _ID, nullable=False),
    sa.Column("provider_message_id", _ID),
    sa.Column("raw_code", sa.Text, nullable=False),
    sa.Column("segment", _NUMBER),  # a receipt's part; of other facts, how many
    sa.Column("cost", _NUMBER),
    sa.Column("foreign_cost", sa.Text),
)
sa.Index("outbox_facts_message", facts.c.message_id, facts.c.sequence)
sa.Index(
    "outbox_facts_provider",
    facts.c.provider_message_id,
    sqlite_where=facts.c.provider_message_id.is_not(None),
    postgresql_where=facts.c.provider_message_id.is_not(None),
)

strays = sa.Table(
    "outbox_strays",
    metadata,
    _sequence(),
    sa.Column("provider", _ID, nullable=False),
    sa.Column("message_id", _ID),
    sa.Column("provider_message_id", _ID),
    sa.Column("at", _NUMBER, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("digest", _ID, nullable=False),
)
sa.Index("outbox_strays_provider", strays.c.provider_message_id)
sa.Index("outbox_strays_digest", strays.c.digest)

consents = sa.Table(
    "outbox_consents",
    metadata,
    _sequence(),
    sa.Column("member_id", _ID, nullable=False),
    sa.Column("granted", _NUMBER, nullable=False),
    sa.Column("at", _NUMBER, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
)
sa.Index("outbox_consents_member", consents.c.member_id, consents.c.at)

contacts = sa.Table(
    "outbox_contacts",
    metadata,
    sa.Column("member_id", _ID, primary_key=True),
    sa.Column("at", _NUMBER, primary_key=True),
    sa.Column("channel", _ID, primary_key=True),
    sqlite_with_rowid=False,
)

_ONLY_GROW = (approvals, facts, strays, consents)
_SAY = "the outbox only grows: what was written stays"


def _triggers(connection: sa.Connection) -> None:
    """Make the database itself refuse to change or delete what was written."""
    if connection.dialect.name == "sqlite":
        for table in (*_ONLY_GROW, messages, batches):
            grows = table in _ONLY_GROW
            for event in ("UPDATE", "DELETE") if grows else ("DELETE",):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {table.name}_no_{event.lower()} BEFORE {event} "
                    f"ON {table.name} BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
                )
        connection.exec_driver_sql(
            "CREATE TRIGGER outbox_messages_forward BEFORE UPDATE ON outbox_messages "
            "WHEN NEW.message_id <> OLD.message_id OR NEW.batch_id <> OLD.batch_id "
            "OR NEW.member_id <> OLD.member_id OR NEW.fence < OLD.fence "
            f"OR NEW.attempts < OLD.attempts BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
        )
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION outbox_only_grows() RETURNS trigger "
        f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_SAY}'; END $$"
    )
    for table in (*_ONLY_GROW, messages, batches):
        event = "UPDATE OR DELETE" if table in _ONLY_GROW else "DELETE"
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table.name}_only_grows BEFORE {event} OR TRUNCATE "
            f"ON {table.name} FOR EACH STATEMENT EXECUTE FUNCTION outbox_only_grows()"
        )
    connection.exec_driver_sql(
        "CREATE TRIGGER outbox_messages_forward BEFORE UPDATE ON outbox_messages "
        "FOR EACH ROW WHEN (NEW.message_id <> OLD.message_id "
        "OR NEW.batch_id <> OLD.batch_id OR NEW.member_id <> OLD.member_id "
        "OR NEW.fence < OLD.fence OR NEW.attempts < OLD.attempts) "
        "EXECUTE FUNCTION outbox_only_grows()"
    )


def _stored(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return 0
    return int(connection.execute(sa.select(version.c.version)).scalar_one())


def _create(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(5135621079)"))
    if _stored(connection) == 0:
        metadata.create_all(connection, checkfirst=False)
        _triggers(connection)
        connection.execute(sa.insert(version).values(version=VERSION))


def prepare(database: OutboxDatabase) -> None:
    """
    Make the tables if they are not there.

    Raises:
        OutboxVersionError: They are newer than the library.
    """
    stored = database.read(_stored)
    if stored == 0:
        database.write(_create)
        stored = database.read(_stored)
    if stored != VERSION:
        raise OutboxVersionError(
            f"the outbox's tables are of version {stored}, this library knows "
            f"version {VERSION}: upgrade memberops"
        )
