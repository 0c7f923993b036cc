"""
Ledgers and outboxes that outlive the process: SQLite in a file, and PostgreSQL.

Ledgers keep the contract of `memberops.ledger.LedgerStore` by the same pure
`memberops.ledger.decide` as the ledger in memory; outboxes follow
`memberops.policies.outbox_rules`. SQLAlchemy is loaded when one is opened, and not
before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memberops.adapters.database_urls import SIGNS, is_ambiguous, is_mangled
from memberops.adapters.stores.outbox_seal import KeySeal
from memberops.errors import InvalidValueError, MissingExtraError, bounded, nearest
from memberops.ledger import LedgerRules

if TYPE_CHECKING:
    from memberops.adapters.stores.outbox_rows import Seal
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.adapters.stores.sql_ledger import SqlLedger
    from memberops.policies.outbox_policy import OutboxPolicy

__all__ = ["KeySeal", "open_ledger", "open_outbox"]

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
    engine, where = _connected(database, wait, "ledger")
    from memberops.adapters.stores.sql_ledger import SqlLedger

    rules = LedgerRules() if rules is None else rules
    return SqlLedger(engine, rules=rules, where=where)


def open_outbox(
    database: str | os.PathLike[str],
    *,
    policy: OutboxPolicy | None = None,
    seal: Seal | None = None,
    wait: float = 30.0,
) -> SqlOutbox:
    """
    Open an outbox of messages in a database, or begin one (needs the extra ``sql``).

    It is as durable as a ledger, and may share its database.

    Args:
        database: Path of a SQLite file, or a URL; see `open_ledger`.
        policy: What is checked at a claim; the manual's by default.
        seal: Hides phones and texts in the database, by a key of the host, such as
            a `KeySeal`; by default they stand there as they are, and the file must be
            kept safe.
        wait: Seconds to wait for other writers, and for a free connection.

    Returns:
        A `SqlOutbox`: use it in a ``with`` statement, or `SqlOutbox.dispose` it.

    Raises:
        MissingExtraError: SQLAlchemy or psycopg is not installed.
        InvalidValueError: The URL is of another database, or in memory.
        OutboxStoreError: The database cannot be opened, or is not durable.
        OutboxBusyError: Others kept it for too long.
        OutboxVersionError: Its tables are newer than this library.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open_outbox(f"{folder.name}/messages.db") as outbox:
    ...     print(len(outbox.status()), outbox)
    0 <SqlOutbox in SQLite file 'messages.db'>
    >>> folder.cleanup()
    """
    engine, where = _connected(database, wait, "outbox")
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.policies.outbox_policy import OutboxPolicy

    policy = OutboxPolicy() if policy is None else policy
    return SqlOutbox(engine, policy=policy, seal=seal, where=where)


def _connected(
    database: str | os.PathLike[str], wait: float, noun: str
) -> tuple[Any, str]:
    """Return an engine, and what errors call its database."""
    try:
        import sqlalchemy as sa
    except ImportError:
        raise MissingExtraError(f"a {noun} in a database", "sql") from None
    from memberops.adapters.stores import engines

    if isinstance(wait, bool) or not wait > 0:
        raise InvalidValueError("'wait' is a number of seconds above 0")
    if not isinstance(database, str) or "://" not in database:
        if is_mangled(os.fspath(database)):
            raise _no_address(noun)
        path = _file(os.fspath(database), noun)
        return engines.sqlite_engine(path, wait), f"SQLite file {path.name!r}"
    try:
        url = sa.make_url(database)
    except (sa.exc.ArgumentError, ValueError):
        raise _no_address(noun) from None
    if url.drivername not in _SQLITE and is_ambiguous(database):
        raise _no_address(noun)
    if url.drivername in _POSTGRESQL:
        where = f"PostgreSQL database {url.database or ''!r}"
        return engines.postgresql_engine(url, wait), where
    if url.drivername in _SQLITE:
        if url.query or url.host:
            raise InvalidValueError(
                "a SQLite URL is 'sqlite:///' and a path, without host and options"
            )
        path = _file(url.database or "", noun)
        return engines.sqlite_engine(path, wait), f"SQLite file {path.name!r}"
    raise InvalidValueError(
        f"no {noun} is kept in {bounded([url.drivername])}; "
        f"{nearest(url.drivername, ['sqlite', 'postgresql'])}"
    )


def _no_address(noun: str) -> InvalidValueError:
    return InvalidValueError(
        f"the {noun}'s URL cannot be read; it is written 'sqlite:///gifts.db' or "
        f"'postgresql://user@host/name', and {SIGNS}"
    )


def _file(text: str, noun: str) -> Path:
    """Return the path of a SQLite file; what is in memory is not durable."""
    if not text or text == ":memory:" or text.startswith("file:") or "\0" in text:
        hint = "; memberops.ledger.Ledger keeps one in memory"
        raise InvalidValueError(
            f"a durable {noun} needs the path of a file"
            + (hint if noun == "ledger" else "")
        )
    return Path(text)
