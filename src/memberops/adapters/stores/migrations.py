"""
Steps from one version of the ledger's tables to the next.

Step *n* leads from version *n* - 1 to version *n*; version 0 is an empty database.
A step that is released never changes: what comes later is a step of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from memberops.adapters.stores import ledger_version_1, schema
from memberops.errors import LedgerVersionError

__all__ = ["STEPS", "Step", "check_version", "migrate"]

Step = Callable[[sa.Connection], None]
"""Changes tables within the transaction it is given."""


def _create(connection: sa.Connection) -> None:
    ledger_version_1.create_tables(connection)
    ledger_version_1.create_triggers(connection)
    connection.execute(sa.insert(schema.version).values(version=0))


STEPS: tuple[Step, ...] = (_create,)
"""All steps, oldest first."""


def stored_version(connection: sa.Connection) -> int:
    """Return the version of the tables; 0 if there are none."""
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE):
        return 0
    return int(connection.execute(sa.select(schema.version.c.version)).scalar_one())


def check_version(stored: int, known: int) -> None:
    """
    Refuse tables that are newer than the library, or were not migrated.

    Raises:
        LedgerVersionError: The message says which of the two must be upgraded.
    """
    if stored > known:
        raise LedgerVersionError(
            f"the ledger's tables are of version {stored}, this library knows "
            f"version {known}: upgrade memberops"
        )
    if stored < known:
        raise LedgerVersionError(
            f"the ledger's tables are of version {stored}, this library writes "
            f"version {known}: open the ledger anew, which migrates it"
        )


def migrate(connection: sa.Connection, steps: Sequence[Step]) -> int:
    """
    Bring the tables to the newest version, in the transaction that is given.

    Args:
        connection: In a transaction that no other writer can share.
        steps: All steps, oldest first.

    Returns:
        The version before.

    Raises:
        LedgerVersionError: The tables are newer than the steps.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(5135621078)"))
    before = stored_version(connection)
    if before > len(steps):
        check_version(before, len(steps))
    for number, step in enumerate(steps[before:], start=before + 1):
        step(connection)
        connection.execute(sa.update(schema.version).values(version=number))
    return before
