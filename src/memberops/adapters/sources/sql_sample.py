"""The columns of a database and the first rows of a table, for whoever looks at it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import sqlalchemy as sa

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.sql_access import SqlAddress
from memberops.adapters.sources.sql_failures import reason_of
from memberops.adapters.sources.sql_place import SqlPlace, rows_of
from memberops.adapters.sources.sql_rows import (
    fetched,
    gathered,
    select_texts,
    shape_of,
    zoned,
)
from memberops.adapters.sources.sql_tables import naming_nearest_table, table_names
from memberops.adapters.sources.text_table import TextTable
from memberops.errors import ConfigurationError, SourceError

__all__ = ["DatabaseLook", "SampledTable"]

_ROWS = 1_000
_CONNECT_SECONDS, _STATEMENT_SECONDS = 10, 60


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SampledTable:
    """
    A table or view as far as it was looked at.

    Args:
        text: Its columns, and its first rows if they were read.
        coarse: Columns of floats of seven digits, which keep no exact amounts.
    """

    text: TextTable
    coarse: tuple[str, ...]


@attrs.frozen(repr=False)
class DatabaseLook:
    """
    A database that is looked at: in a transaction that only reads, and quickly.

    Args:
        address: Where it is.
    """

    address: SqlAddress

    @classmethod
    def at(
        cls, url: Any, *, password: Any = None, folder: Path | None = None
    ) -> DatabaseLook:
        """
        Say where to look.

        Args:
            url: As `SqlAddress.of` takes it: without password, or as a secret.
            password: A secret.
            folder: Folder that the path of a SQLite file counts from.

        Raises:
            ConfigurationError: The URL cannot be one, or holds a password.
        """
        return cls(
            SqlAddress.of(
                url,
                password=password,
                folder=folder or Path(),
                connect_seconds=_CONNECT_SECONDS,
                statement_seconds=_STATEMENT_SECONDS,
            )
        )

    def names(self) -> list[str]:
        """
        Name the tables and views of the usual schema, at most a thousand.

        Raises:
            SourceError: The database cannot be reached or fails.
            MissingExtraError: Its driver is not installed.
        """
        with self.address.connection() as connection:
            return table_names(connection)

    def columns(self, names: Sequence[str]) -> Iterator[tuple[str, SampledTable | str]]:
        """
        Look at the columns of tables, and at no row.

        Returns:
            For each name the table without rows, or why it cannot be read.

        Raises:
            SourceError: The database cannot be reached or fails.
        """
        with self.address.connection() as connection:
            for name in names:
                try:
                    place = SqlPlace(table=name)
                    yield name, self._sampled(connection, place, 0)
                except ConfigurationError:
                    yield name, "its name needs a query"
                except SourceError as error:
                    yield name, str(error)
                except sa.exc.DBAPIError as error:
                    with contextlib.suppress(sa.exc.SQLAlchemyError):
                        connection.rollback()
                    yield name, reason_of(error.orig or error)

    def sample(self, name: str, *, rows: int = _ROWS) -> SampledTable:
        """
        Read the first rows of a table, in whatever order the database gives them.

        Args:
            name: Of the table or view, or ``"schema.table"``.
            rows: How many at most.

        Raises:
            ConfigurationError: The name cannot be one.
            SourceError: There is no such table, or the database fails.
        """
        place = SqlPlace(table=name)
        with (
            self.address.connection() as connection,
            naming_nearest_table(connection, place, self.address.where),
        ):
            return self._sampled(connection, place, rows)

    def _sampled(
        self, connection: sa.Connection, place: SqlPlace, most: int
    ) -> SampledTable:
        family = self.address.family
        shape = shape_of(connection, place, family)
        columns: list[TextColumn] = [TextColumn.constant("", 0) for _ in shape.names]
        if most:
            rows = rows_of(place, shape.names, alias="r")
            statement = select_texts(rows, shape.names, family=family).limit(most)
            columns = gathered(
                fetched(connection, statement, shape.names, rows_at_once=most),
                len(shape.names),
            )
        count = len(columns[0].codes) if columns else 0
        return SampledTable(
            text=TextTable(
                name=place.name,
                headings=shape.names,
                columns=tuple(
                    zoned(column) if at in shape.utc else column
                    for at, column in enumerate(columns)
                ),
                lines=np.arange(1, count + 1),
            ),
            coarse=tuple(shape.names[at] for at in sorted(shape.coarse)),
        )
