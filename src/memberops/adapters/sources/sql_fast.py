"""Faster ways to read texts from a database: ADBC and connectorx, as Arrow."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from memberops.adapters.sources.arrow_texts import ArrowTexts
from memberops.adapters.sources.sql_access import SqlAddress
from memberops.adapters.sources.sql_failures import as_source_error
from memberops.adapters.sources.sql_rows import Piece
from memberops.errors import ConfigurationError, MissingExtraError, nearest

__all__ = ["ENGINES", "check_engine", "fast_engine", "fast_pieces"]

ENGINES = ("sqlalchemy", "auto", "adbc", "connectorx")
"""How rows are fetched: compatible, the fastest that is there, or a named one."""

_FITS = {"postgresql": "adbc", "sqlite": "adbc", "mysql": "connectorx"}
_PACKAGES = {
    "postgresql": "adbc_driver_postgresql",
    "sqlite": "adbc_driver_sqlite",
    "mysql": "connectorx",
}
_EXTRAS = {"adbc": "sql-fast", "connectorx": "mysql-fast"}
_DIALECTS: dict[str, Any] = {
    "postgresql": postgresql.dialect,
    "sqlite": sqlite.dialect,
    "mysql": mysql.dialect,
}
_ROWS_AT_ONCE = 1 << 16
_BATCHES = {"adbc.postgresql.batch_size_hint_bytes": str(1 << 22)}


def check_engine(engine: Any) -> str:
    """
    Return the name of an engine.

    Raises:
        ConfigurationError: There is no such engine.
    """
    if engine in ENGINES:
        return str(engine)
    raise ConfigurationError(
        f"'engine' is one of {', '.join(ENGINES)}; {nearest(str(engine)[:40], ENGINES)}"
    )


def fast_engine(engine: str, family: str, settings: Collection[str] = ()) -> str | None:
    """
    Choose the fast engine for a kind of database; None stands for SQLAlchemy.

    Args:
        engine: One of `ENGINES`.
        family: The kind of database.
        settings: Names of the settings in the URL: those of TLS are the driver's own,
            and must not be lost.

    Raises:
        ConfigurationError: The engine that is named does not read this database, or
            not by these settings.
        MissingExtraError: The engine that is named is not installed.

    >>> fast_engine("sqlalchemy", "sqlite"), fast_engine("auto", "oracle")
    (None, None)
    """
    fits = _FITS.get(family)
    if engine == "sqlalchemy" or (engine == "auto" and fits is None):
        return None
    if engine not in ("auto", fits):
        raise ConfigurationError(
            f"the engine {engine!r} does not read {family}: leave it out, or say "
            'engine = "auto"'
        )
    guarded = [name for name in settings if name.startswith("ssl")]
    if fits == "connectorx" and set(guarded) - {"ssl_disabled"}:
        if engine == "auto":
            return None
        raise ConfigurationError(
            f"the engine {engine!r} does not know {guarded[0][:40]!r} of the URL and "
            'would read without it: say engine = "sqlalchemy"'
        )
    needed = (_PACKAGES[family], "pyarrow")
    if all(importlib.util.find_spec(name) is not None for name in needed):
        return fits
    if engine == "auto":
        return None
    raise MissingExtraError(f"the engine {engine!r}", _EXTRAS[engine])


def fast_pieces(
    address: SqlAddress, statement: sa.Select[Any], family: str
) -> Iterator[list[Piece]]:
    """
    Fetch rows as Arrow, in pieces.

    Args:
        address: Of the database.
        statement: What `sql_rows.select_texts` returned, without bound values.
        family: The kind of database.

    Raises:
        SourceError: The database cannot be reached or fails.
    """
    text = str(statement.compile(dialect=_DIALECTS[family](paramstyle="named")))
    with as_source_error(address.where):
        reading = _connectorx if family == "mysql" else _adbc
        for table in _larger(reading(address, text, family)):
            if family == "sqlite":  # it keeps any bytes as text
                table.validate(full=True)
            yield [(None, _texts(column)) for column in table.columns]


def _larger(batches: Iterator[Any]) -> Iterator[Any]:
    """Join batches: each different text of one is handled once."""
    arrow: Any = importlib.import_module("pyarrow")
    held: list[Any] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield arrow.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield arrow.Table.from_batches(held)


def _adbc(address: SqlAddress, text: str, family: str) -> Iterator[Any]:
    url = address.entered()
    if family == "sqlite":
        uri = f"{Path(url.database or '').as_uri()}?mode=ro"
    else:
        waiting = {"connect_timeout": str(address.connect_seconds)}
        url = url.set(drivername="postgresql").update_query_dict(waiting)
        uri = url.render_as_string(hide_password=False)
    # Without its DB-API, which loads three times as much as all that is needed here.
    package: Any = importlib.import_module(_PACKAGES[family])
    manager: Any = importlib.import_module("adbc_driver_manager")
    arrow: Any = importlib.import_module("pyarrow")
    with (
        package.connect(uri) as database,
        manager.AdbcConnection(database) as connection,
        manager.AdbcStatement(connection) as statement,
    ):
        for setting in address.settings(family):
            statement.set_sql_query(setting)
            statement.execute_update()
        if family == "postgresql":
            statement.set_options(**_BATCHES)
        statement.set_sql_query(text)
        stream, _ = statement.execute_query()
        with arrow.RecordBatchReader.from_stream(stream) as reader:
            yield from reader


def _connectorx(address: SqlAddress, text: str, family: str) -> Iterator[Any]:
    package: Any = importlib.import_module(_PACKAGES[family])
    url = address.entered()
    line = url.query.get("unix_socket")
    url = url.set(drivername="mysql", query={"socket": line} if line else {})
    settings = [one for one in address.settings(family) if "_time = " not in one]
    # As a stream it would panic on an error, and print the server's words.
    found = package.read_sql(
        url.render_as_string(hide_password=False),
        text,
        return_type="arrow",
        pre_execution_query=settings,
    )
    # Each is let go when it has been read.
    waiting = found.to_batches(_ROWS_AT_ONCE)[::-1]
    del found
    while waiting:
        yield waiting.pop()


def _texts(column: Any) -> ArrowTexts:
    column = column.cast("large_string")
    return ArrowTexts(column.fill_null("") if column.null_count else column)
