"""Connections to SQLite and PostgreSQL on which a commit is durable."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from memberops.errors import LedgerStoreError, MissingExtraError

__all__ = ["WRITES", "postgresql_engine", "sqlite_engine"]

WRITES = "memberops_writes"
"""Execution option of connections that write: SQLite then locks when it begins."""

_LOGGED_AS = "memberops"


class _NoRows(logging.Filter):
    """Drops what SQLAlchemy says below INFO: the rows it read, phones among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGED_AS}").addFilter(_NoRows())


def sqlite_engine(path: Path, wait: float) -> sa.Engine:
    """
    Make an engine for a file: a write-ahead log, synced at every commit.

    A file that is not there yet is made so that only its owner may read it, and
    SQLite gives its log the same mode; one that is there keeps its mode.

    Args:
        path: The file.
        wait: Seconds to wait for other writers.

    Raises:
        LedgerStoreError: On connecting, if the file cannot promise durability.
    """
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        hide_parameters=True,
        logging_name=_LOGGED_AS,
        connect_args={"timeout": wait},
        pool_timeout=wait,
    )

    def make_file(*_connecting: object) -> None:
        # What is there is not opened: to close it would drop this process's locks.
        with contextlib.suppress(OSError):  # SQLite tells what is wrong
            new = os.O_CREAT | os.O_EXCL | os.O_RDWR
            os.close(os.open(os.path.realpath(path), new, 0o600))

    sa.event.listen(engine, "do_connect", make_file)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the begin event decides, not the driver
    cursor = connection.cursor()
    (journal,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA fullfsync = ON")  # macOS syncs to the disk only with it
    cursor.execute("PRAGMA foreign_keys = ON")
    (synchronous,) = cursor.execute("PRAGMA synchronous").fetchone()
    cursor.close()
    if journal != "wal" or synchronous < 2:  # noqa: PLR2004 - SQLite's FULL
        raise LedgerStoreError(
            "this file cannot keep a write-ahead log that is synced at every commit "
            f"(journal mode {journal!r}): put the ledger on a local disk"
        )


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred writer is refused at once where another wrote since it read,
    # whatever the time-out; an immediate one waits its turn.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def postgresql_engine(url: sa.URL, wait: float) -> sa.Engine:
    """
    Make an engine for a PostgreSQL server that has a commit on disk when it answers.

    Args:
        url: Of the database.
        wait: Seconds to wait for other writers.

    Raises:
        MissingExtraError: psycopg is not installed.
        LedgerStoreError: On connecting, if the server does not sync.
    """
    try:
        import psycopg  # noqa: F401 - SQLAlchemy loads it, and names no extra
    except ImportError:
        raise MissingExtraError("a ledger in PostgreSQL", "postgresql") from None
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        logging_name=_LOGGED_AS,
        isolation_level="READ COMMITTED",
        pool_timeout=wait,
    )
    milliseconds = max(1, int(wait * 1000))

    def set_up(connection: Any, _record: object) -> None:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false), "
            "set_config('synchronous_commit', CASE WHEN "
            "current_setting('synchronous_commit') IN ('on', 'remote_apply') "
            "THEN current_setting('synchronous_commit') ELSE 'on' END, false), "
            "current_setting('fsync'), current_setting('full_page_writes')",
            (str(milliseconds), str(milliseconds)),
        )
        *_, fsync, full_pages = cursor.fetchone()
        cursor.close()
        connection.autocommit = False
        if (fsync, full_pages) != ("on", "on"):
            raise LedgerStoreError(
                "this PostgreSQL runs with fsync or full_page_writes switched off "
                "and may lose what it acknowledged: switch both on"
            )

    sa.event.listen(engine, "connect", set_up)
    return engine
