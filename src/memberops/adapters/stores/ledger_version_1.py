"""
The first version of the ledger's tables, as it was released: this text never changes.

What comes later is a step of its own in `migrations`; `schema` says where all lead to.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["APPEND_ONLY", "create_tables", "create_triggers"]

APPEND_ONLY = ("ledger_entries", "ledger_movements")

_TABLES = (
    "CREATE TABLE ledger_version (version {number} NOT NULL)",
    (
        'CREATE TABLE ledger_entries (sequence {number} NOT NULL, "key" {id} NOT NULL, '
        "type {id} NOT NULL, kind {id}, reverses {id}, closes_before {number}, "
        "document TEXT NOT NULL, hash {id} NOT NULL, PRIMARY KEY (sequence), "
        'UNIQUE ("key"), UNIQUE (reverses))'
    ),
    "CREATE INDEX ix_ledger_entries_closes_before ON ledger_entries (closes_before)",
    (
        "CREATE TABLE ledger_movements (sequence {number} NOT NULL, "
        "line {number} NOT NULL, effective_at {number} NOT NULL, "
        "gift_id {id} NOT NULL, lot_id {id} NOT NULL, valid_through {id}, "
        "source {id} NOT NULL, "
        "destination {id} NOT NULL, quantity {number} NOT NULL, "
        "PRIMARY KEY (sequence, line), "
        "CONSTRAINT ledger_movements_quantity CHECK (quantity >= 1), "
        "FOREIGN KEY (sequence) REFERENCES ledger_entries (sequence)){end}"
    ),
    (
        "CREATE INDEX ledger_movements_source ON ledger_movements "
        "(gift_id, source, lot_id, effective_at, sequence)"
    ),
    (
        "CREATE INDEX ledger_movements_destination ON ledger_movements "
        "(gift_id, destination, lot_id, effective_at, sequence)"
    ),
    (
        "CREATE TABLE ledger_balances (gift_id {id} NOT NULL, place {id} NOT NULL, "
        "lot_id {id} NOT NULL, quantity {number} NOT NULL, last_at {number} NOT NULL, "
        "PRIMARY KEY (gift_id, place, lot_id)){end}"
    ),
    (
        "CREATE TABLE ledger_lots (gift_id {id} NOT NULL, lot_id {id} NOT NULL, "
        "valid_through {id}, PRIMARY KEY (gift_id, lot_id)){end}"
    ),
    (
        "CREATE TABLE ledger_holds (hold_id {id} NOT NULL, gift_id {id} NOT NULL, "
        "place {id} NOT NULL, lot_id {id} NOT NULL, quantity {number} NOT NULL, "
        "held_at {number} NOT NULL, until {number}, ended_by {id}, "
        "PRIMARY KEY (hold_id)){end}"
    ),
    (
        "CREATE INDEX ledger_holds_open ON ledger_holds (gift_id, place, lot_id) "
        "WHERE ended_by IS NULL"
    ),
)
_TYPES = {
    "sqlite": {"id": "TEXT", "number": "INTEGER", "end": " WITHOUT ROWID"},
    "postgresql": {"id": 'TEXT COLLATE "C"', "number": "BIGINT", "end": ""},
}
_SAY = "the ledger only grows: correct a mistake by a reversal"

# INSERT OR REPLACE would delete without firing a delete trigger, so what is there
# already is refused before the insert.
_SQLITE_REPLACES = {
    "ledger_entries": "SELECT 1 FROM ledger_entries WHERE sequence >= NEW.sequence "
    "UNION ALL SELECT 1 FROM ledger_entries WHERE key = NEW.key "
    "UNION ALL SELECT 1 FROM ledger_entries WHERE reverses = NEW.reverses",
    "ledger_movements": "SELECT 1 FROM ledger_movements "
    "WHERE sequence = NEW.sequence AND line = NEW.line",
}


def create_tables(connection: sa.Connection) -> None:
    """Create the tables, empty, with their indexes and without triggers."""
    for statement in _TABLES:
        types = _TYPES[connection.dialect.name]
        connection.exec_driver_sql(statement.format_map(types))


def create_triggers(connection: sa.Connection) -> None:
    """Make the database itself refuse to change or delete what was written."""
    for table in APPEND_ONLY:
        if connection.dialect.name == "sqlite":
            statements = [
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
                for event in ("UPDATE", "DELETE")
            ]
            statements.append(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS ({_SQLITE_REPLACES[table]}) "
                f"BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
            )
        else:
            statements = [
                (
                    f"CREATE FUNCTION {table}_only_grows() RETURNS trigger "
                    f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_SAY}'; END $$"
                ),
                (
                    f"CREATE TRIGGER {table}_only_grows "
                    f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_grows()"
                ),
            ]
        for statement in statements:
            connection.exec_driver_sql(statement)
