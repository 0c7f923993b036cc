"""
Ledgers that outlive the process: SQLite in a file, and PostgreSQL.

They keep the contract of `memberops.ledger.LedgerStore` by the same pure
`memberops.ledger.decide` as the ledger in memory. SQLAlchemy is loaded when a ledger
is opened, and not before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from memberops.errors import InvalidValueError, MissingExtraError, bounded, nearest
from memberops.ledger import LedgerRules

if TYPE_CHECKING:
    from memberops.adapters.stores.sql_ledger import SqlLedger

__all__ = ["open_ledger"]

_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+pysqlite"}


def open_ledger(
    database: str | os.PathLike[str],
    *,
    rules: LedgerRules | None = None,
    wait: float = 30.0,
) -> SqlLedger:
    """
    Open a ledger in a database, or begin one (needs the extra ``sql``).

    What it says is written is on disk: SQLite syncs its write-ahead log at every
    commit, PostgreSQL commits synchronously, and a database that cannot promise that
    is refused. Tables of an older version of memberops are migrated.

    Args:
        database: Path of a SQLite file, or a URL: ``sqlite:///gifts.db``,
            ``postgresql://user@host/name``, which needs the extra ``postgresql``.
        rules: Gifts, places and bounds; anything goes by default.
        wait: Seconds to wait for other writers, and for a free connection.

    Returns:
        A `SqlLedger`: use it in a ``with`` statement, or `SqlLedger.dispose` it.

    Raises:
        MissingExtraError: SQLAlchemy or psycopg is not installed.
        InvalidValueError: The URL is of another database, or in memory.
        LedgerStoreError: The database cannot be opened, or is not durable.
        LedgerBusyError: Others kept it for too long.
        LedgerVersionError: Its tables are newer than this library.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open_ledger(f"{folder.name}/gifts.db") as ledger:
    ...     print(ledger.position, ledger)
    0 <SqlLedger in SQLite file 'gifts.db'>
    >>> folder.cleanup()
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise MissingExtraError("a ledger in a database", "sql") from None
    from memberops.adapters.stores import engines
    from memberops.adapters.stores.sql_ledger import SqlLedger

    if isinstance(wait, bool) or not wait > 0:
        raise InvalidValueError("'wait' is a number of seconds above 0")
    rules = LedgerRules() if rules is None else rules
    if not isinstance(database, str) or "://" not in database:
        path = _file(os.fspath(database))
        where = f"SQLite file {path.name!r}"
        return SqlLedger(engines.sqlite_engine(path, wait), rules=rules, where=where)
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidValueError(
            "the ledger's URL cannot be read; it is written 'sqlite:///gifts.db' or "
            "'postgresql://user@host/name'"
        ) from None
    if url.drivername in _POSTGRESQL:
        where = f"PostgreSQL database {url.database or ''!r}"
        engine = engines.postgresql_engine(url, wait)
        return SqlLedger(engine, rules=rules, where=where)
    if url.drivername in _SQLITE:
        if url.query or url.host:
            raise InvalidValueError(
                "a SQLite URL is 'sqlite:///' and a path, without host and options"
            )
        path = _file(url.database or "")
        where = f"SQLite file {path.name!r}"
        return SqlLedger(engines.sqlite_engine(path, wait), rules=rules, where=where)
    raise InvalidValueError(
        f"no ledger is kept in {bounded([url.drivername])}; "
        f"{nearest(url.drivername, ['sqlite', 'postgresql'])}"
    )


def _file(text: str) -> Path:
    """Return the path of a SQLite file; a ledger in memory is no durable one."""
    if not text or text == ":memory:" or text.startswith("file:") or "\0" in text:
        raise InvalidValueError(
            "a durable ledger needs the path of a file; "
            "memberops.ledger.Ledger keeps one in memory"
        )
    return Path(text)
