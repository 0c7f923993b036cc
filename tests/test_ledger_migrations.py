"""The tables of a ledger, version by version: what is released is never changed."""

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa

from memberops.adapters.stores import _connected, ledger_version_1, open_ledger, schema
from memberops.domain import Movement, Posting

# Of the statements as they were released. Never adapt these: write a new step.
RELEASED = {
    "sqlite": "fadf29152c027179815817bb01d21aed9b9b6314f5b0f9d7c03410da8638d3e9",
    "postgresql": "9b4ed1952899cc0f6aef77b349cea5cfe86c157e713ad312479d757659e0e0a8",
}
POSTING = Posting(
    posting_id="P1", kind="receipt",
    effective_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
    movements=[Movement(gift_id="G1", source="supplier", destination="warehouse",
                        quantity=5, lot_id="L")],
)  # fmt: skip


class Listener:
    """A connection that only keeps what it is told."""

    def __init__(self, name):
        self.dialect = sa.dialects.registry.load(name)()
        self.told = []

    def exec_driver_sql(self, statement):
        """Keep a statement."""
        self.told.append(statement)


@pytest.mark.parametrize("name", RELEASED)
def test_the_first_version_stays_as_it_was_released(name):
    """Whoever has version 1 has these tables, letter by letter."""
    listener = Listener(name)
    ledger_version_1.create_tables(listener)
    ledger_version_1.create_triggers(listener)
    text = ";".join(listener.told).encode()
    assert hashlib.sha256(text).hexdigest() == RELEASED[name]


def test_a_ledger_of_the_first_version_opens(new_database):
    """Tables that its statements made are brought to today's, and written to."""
    database = new_database()
    engine, _ = _connected(database, 5.0, "ledger")
    with engine.begin() as connection:
        ledger_version_1.create_tables(connection)
        ledger_version_1.create_triggers(connection)
        connection.exec_driver_sql("INSERT INTO ledger_version VALUES (1)")
    engine.dispose()
    with open_ledger(database) as ledger:
        ledger.post(POSTING)
        assert ledger.verify() == ()
    with open_ledger(database) as again:
        assert again.post(POSTING).replayed


def shape(look, name):
    """Return what a table is made of."""
    return (
        [(each["name"], repr(each["type"]), each["nullable"])
         for each in look.get_columns(name)],
        look.get_pk_constraint(name)["constrained_columns"],
        sorted(each["column_names"] for each in look.get_indexes(name)),
        sorted(each["column_names"] for each in look.get_unique_constraints(name)),
        [each["sqltext"] for each in look.get_check_constraints(name)],
        [each["referred_table"] for each in look.get_foreign_keys(name)],
    )  # fmt: skip


def test_the_steps_lead_to_the_tables_that_are_used(new_database):
    """A ledger that was migrated has the columns, keys and indexes of the code."""
    found = []
    for migrated in (True, False):
        database = new_database()
        if migrated:
            open_ledger(database).dispose()
        engine, _ = _connected(database, 5.0, "ledger")
        with engine.begin() as connection:
            if not migrated:
                schema.metadata.create_all(connection)
            look = sa.inspect(connection)
            names = sorted(look.get_table_names())
            found.append({name: shape(look, name) for name in names})
        engine.dispose()
    assert found[0] == found[1]
    assert len(found[0]) == len(schema.metadata.tables)
