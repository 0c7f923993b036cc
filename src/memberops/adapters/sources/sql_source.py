"""Canonical tables from any database that SQLAlchemy can talk to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_paths import naming
from memberops.adapters.sources.reading_options import OPTIONS, ReadingOptions
from memberops.adapters.sources.sql_access import SqlAddress
from memberops.adapters.sources.sql_fast import check_engine
from memberops.adapters.sources.sql_place import SqlPlace
from memberops.adapters.sources.sql_reading import SqlReading
from memberops.errors import (
    ConfigurationError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.tables import TABLES
from memberops.tables import table as table_named

__all__ = ["SqlSource"]

_PLACE = SqlPlace.options()
_MOST = 1_000_000


def _system_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the edge; tests give another


class SqlSource:
    """
    A source of tables, views and queries of a database, for a chain file.

    It only reads, in one transaction that the database itself keeps from writing
    where it can. Each value is read as the text by which the database shows it, so no
    amount passes through a float. Only the columns that mean something are read.

    With *table* or *query* it has one place and reads whatever canonical table is
    asked for from it. Otherwise *tables* says for each canonical table the name of a
    table or view, or a table of options of `SqlPlace` and of
    `memberops.adapters.sources.reading_options.Mapped`. Other options hold for all.

    Args:
        context: Folder, currency and zone of the chain.
        url: Address of the database without password, such as
            ``"postgresql://reader@db.example/pos"``; or a secret that holds one with
            a password. The path of a SQLite file counts from the chain's folder.
        password: A secret: ``{"env": "NAME"}``, a function, or a `Secret`.
        tables: What to read, by canonical table.
        engine: How rows are fetched: ``"sqlalchemy"``; ``"adbc"`` (PostgreSQL, SQLite)
            or ``"connectorx"`` (MySQL, MariaDB), which are faster; ``"auto"`` takes
            what is installed. A statement with bound values always goes by SQLAlchemy.
        rows_at_once: How many rows are in memory as values of the driver.
        connect_seconds: How long to wait for a connection.
        statement_seconds: How long the database may work on one statement.
        clock: Tells the present; the machine's if None.
        **options: Options for all tables.

    Raises:
        ConfigurationError: An option has no such name or cannot be.

    >>> import sqlite3
    >>> from pathlib import Path
    >>> from zoneinfo import ZoneInfo
    >>> from memberops.domain import Currency
    >>> till = sqlite3.connect("till.db")
    >>> _ = till.execute("CREATE TABLE shops (code TEXT, 店名 TEXT)")
    >>> _ = till.execute("INSERT INTO shops VALUES ('S01', '一店')")
    >>> till.commit(); till.close()
    >>> context = SourceContext(folder=Path(), currency=Currency("CNY"),
    ...                         zone=ZoneInfo("Asia/Shanghai"))
    >>> source = SqlSource(context, url="sqlite:///till.db", tables={
    ...     "stores": {"table": "shops", "columns": {"store_id": "code"}}})
    >>> source.read("stores").frame[["store_id", "name"]].values.tolist()
    [['S01', '一店']]
    >>> source
    SqlSource('sqlite /till.db', tables=('stores',))
    """

    def __init__(
        self,
        context: SourceContext,
        *,
        url: Any,
        password: Any = None,
        tables: Mapping[str, Any] | None = None,
        engine: str = "sqlalchemy",
        rows_at_once: int = 10_000,
        connect_seconds: int = 10,
        statement_seconds: int = 600,
        clock: Callable[[], dt.datetime] | None = None,
        **options: Any,
    ) -> None:
        if type(rows_at_once) is not int or not 1 <= rows_at_once <= _MOST:
            raise ConfigurationError(
                f"'rows_at_once' is a whole number from 1 to {_MOST}"
            )
        self._context = context
        self._engine = check_engine(engine)
        self._rows_at_once = rows_at_once
        self._clock = clock or _system_clock
        self._address = SqlAddress.of(
            url,
            password=password,
            folder=context.folder,
            connect_seconds=connect_seconds,
            statement_seconds=statement_seconds,
        )
        _check_options(options)
        if tables is not None and not isinstance(tables, Mapping):
            raise ConfigurationError(
                "'tables' says for each canonical table what to read for it, as in "
                "tables = { sales = 'pos.receipts' }"
            )
        self._places = {
            _known(name): _place(name, own, options)
            for name, own in (tables or {}).items()
        }
        self._any = None
        if options.get("table") is not None or options.get("query") is not None:
            self._any = _parted(options)
        if not self._places and self._any is None:
            raise ConfigurationError(
                "a source of a database needs 'tables', as in "
                "tables = { sales = 'pos.receipts' }, or a 'table' or 'query'"
            )

    def __repr__(self) -> str:
        """Show neither user nor password."""
        return f"SqlSource({self._address.where!r}, tables={self.tables!r})"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the canonical tables that have a place of their own."""
        return tuple(self._places)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table; rows that are marked deleted are left out.

        Raises:
            UnknownTableError: The source has nothing for it, or there is no such
                table.
            ConfigurationError: An option cannot be used.
            MissingColumnsError: A required column is in no column of the database.
            MissingExtraError: The driver is not installed.
            SourceError: The database cannot be reached, is too slow, or fails.
        """
        return self._read(table).read().result

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new or changed since a cursor.

        Without a ``cursor`` column for the table it reads all each time.

        Args:
            table: Name of the canonical table.
            since: `SourceChanges.cursor` of an earlier reading; None reads all.

        Raises:
            UnknownTableError: See `read`, for all others too.
        """
        return self._read(table).read(since=since, with_cursor=True)

    def _read(self, table: str) -> SqlReading:
        canonical = table_named(table)
        found = self._places.get(table, self._any)
        if found is None:
            raise UnknownTableError(
                f"this source of a database has nothing for {table!r}; it has "
                f"{bounded(self._places)}"
            )
        place, mapping = found
        with naming(place.name, table):
            options = ReadingOptions.of(
                canonical,
                currency=self._context.currency,
                zone=self._context.zone,
                **mapping,
            )
        return SqlReading(
            address=self._address,
            place=place,
            options=options,
            engine=self._engine,
            rows_at_once=self._rows_at_once,
            clock=self._clock,
        )


def _check_options(options: Mapping[str, Any]) -> None:
    known = (*_PLACE, *OPTIONS)
    for name in options:
        if name not in known:
            raise ConfigurationError(
                f"a source of a database has no option {str(name)[:40]!r}; "
                f"{nearest(str(name)[:40], known)}"
            )


def _known(name: str) -> str:
    if name not in [table.name for table in TABLES]:
        raise ConfigurationError(
            f"'tables' names {str(name)[:40]!r}, which is no canonical table; "
            f"{nearest(str(name)[:40], [table.name for table in TABLES])}"
        )
    return name


def _place(
    name: str, own: Any, shared: Mapping[str, Any]
) -> tuple[SqlPlace, dict[str, Any]]:
    given = dict(own) if isinstance(own, Mapping) else {"table": own}
    _check_options(given)
    if "query" in given or "table" in given:
        shared = {key: shared[key] for key in shared if key not in ("table", "query")}
    try:
        return _parted({**shared, **given})
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def _parted(options: Mapping[str, Any]) -> tuple[SqlPlace, dict[str, Any]]:
    place = SqlPlace(**{name: options[name] for name in _PLACE if name in options})
    return place, {name: options[name] for name in OPTIONS if name in options}
