"""Transactions of an outbox: those of the ledger, with errors of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from memberops.adapters.stores.schema import micros
from memberops.adapters.stores.transactions import Database
from memberops.errors import (
    InvalidValueError,
    LedgerBusyError,
    LedgerStoreError,
    OutboxBusyError,
    OutboxStoreError,
)

__all__ = ["OutboxDatabase", "moment_of", "stamp"]

T = TypeVar("T")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OutboxDatabase:
    """
    A database in which an outbox works in transactions.

    Args:
        engine: Of `memberops.adapters.stores.engines`.
        where: What errors call it: no secrets.
    """

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self.where = where
        self._database = Database(engine, where)

    def dispose(self) -> None:
        """Close the connections; new ones are opened when there is work again."""
        self._database.dispose()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Do work that only reads."""
        return self._as_own(lambda: self._database.read(work))

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """
        Do work that writes; when it returns, it is on disk.

        Raises:
            OutboxBusyError: Others kept the database for too long.
            OutboxStoreError: The database failed.
        """
        return self._as_own(lambda: self._database.write(work))

    def _as_own(self, done: Callable[[], T]) -> T:
        try:
            return done()
        except LedgerStoreError as error:
            own = self._own(error)
        raise own

    def _own(self, error: LedgerStoreError) -> OutboxStoreError:
        if isinstance(error, LedgerBusyError):
            return OutboxBusyError(
                f"{self.where} was kept busy by others for too long; nothing was "
                "written: do the same again"
            )
        text = str(error)
        if "whether the last posting was written" in text:
            text = (
                f"the connection to {self.where} was lost; whether the last step was "
                "written is not known: do the same again, which counts once"
            )
        return OutboxStoreError(text)


def stamp(moment: object, name: str = "at") -> int:
    """
    Return the microseconds of a moment since 1970, as the tables hold them.

    Raises:
        InvalidValueError: It is no datetime with a zone.

    >>> stamp(dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC))
    1000000
    """
    if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
        raise InvalidValueError(
            f"{name!r} must be a datetime with its zone: datetime.now(UTC)"
        )
    return micros(moment)


def moment_of(microseconds: int) -> dt.datetime:
    """
    Return the moment of so many microseconds since 1970, in UTC.

    >>> moment_of(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return _EPOCH + dt.timedelta(microseconds=microseconds)
