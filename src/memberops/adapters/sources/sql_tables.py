"""The tables and views of a database, for whoever misspelt one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from memberops.adapters.sources.sql_failures import NO_TABLE, reason_of
from memberops.adapters.sources.sql_place import SqlPlace
from memberops.errors import SourceError, nearest

__all__ = ["naming_nearest_table", "table_names"]

_MOST = 1_000


def table_names(connection: sa.Connection, schema: str | None = None) -> list[str]:
    """
    Name the tables and views that a user may see, at most a thousand.

    Args:
        connection: To the database.
        schema: Of which schema; the usual one if None.
    """
    look = sa.inspect(connection)
    names = [*look.get_table_names(schema), *look.get_view_names(schema)]
    return sorted(dict.fromkeys(names))[:_MOST]


@contextlib.contextmanager
def naming_nearest_table(
    connection: sa.Connection, place: SqlPlace, where: str
) -> Iterator[None]:
    """
    Say of a table that is not there which one may be meant.

    Args:
        connection: To the database.
        where: What errors call the database.
        place: The table or query.

    Raises:
        SourceError: The table is not there; with the nearest name.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = reason_of(error.orig or error)
        if place.table is None or not reason.startswith(NO_TABLE):
            raise
        schema, _, name = place.table.rpartition(".")
        known: list[str] = []
        with contextlib.suppress(Exception):  # the hint is worth no other failure
            connection.rollback()
            known = table_names(connection, schema or None)
        raise SourceError(f"{where}: {reason}; {nearest(name, known)}") from None
