"""One unit of work, one transaction: tried again where the database asks to."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from memberops.adapters.stores.engines import WRITES
from memberops.adapters.stores.failures import as_error, is_transient

__all__ = ["Database"]

T = TypeVar("T")

_ATTEMPTS = 5
_FIRST_PAUSE = 0.02


class Database:
    """
    A database in which work is done in transactions.

    Work may be done again: after a serialization failure or deadlock, and after a
    connection that was lost before its commit, for then nothing was written.

    Args:
        engine: Of `memberops.adapters.stores.engines`.
        where: What errors call it: no secrets.
    """

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self.engine = engine
        self.where = where
        self._process = os.getpid()
        self._inherited: list[sa.Pool] = []

    def dispose(self) -> None:
        """Close the connections; new ones are opened when there is work again."""
        self.engine.dispose()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Do work that only reads: all of its statements see one state."""
        return self._run(work, writes=False)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """
        Do work that writes; when it returns, it is on disk.

        Raises:
            LedgerBusyError: Others kept the database for too long, or five tries
                ended in a serialization failure or deadlock.
            LedgerStoreError: The database failed.
        """
        return self._run(work, writes=True)

    def _run(self, work: Callable[[sa.Connection], T], *, writes: bool) -> T:
        self._leave_inherited()
        attempt = 1
        while True:
            in_doubt = False
            failure = None
            try:
                with self.engine.connect() as connection:
                    connection.execution_options(**self._options(writes=writes))
                    with connection.begin():
                        result = work(connection)
                        in_doubt = writes
                    return result
            except sa.exc.SQLAlchemyError as error:
                again = isinstance(error, sa.exc.DBAPIError) and (
                    is_transient(error)
                    # A connection that ends before its commit took nothing along.
                    or (error.connection_invalidated and not in_doubt)
                )
                if not again or attempt == _ATTEMPTS:
                    failure = as_error(error, self.where, in_doubt=in_doubt)
            if failure is not None:
                # Out here it has no context: the driver's error quotes whole rows.
                raise failure
            pause = _FIRST_PAUSE * 2**attempt
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            attempt += 1

    def _options(self, *, writes: bool) -> dict[str, Any]:
        if writes:
            return {WRITES: True}
        if self.engine.dialect.name == "postgresql":
            # Not read-only by option: a connection that was would later ask to write
            # where the server's own settings forbid it.
            return {"isolation_level": "REPEATABLE READ"}
        return {}  # SQLite reads of one state in any transaction

    def _leave_inherited(self) -> None:
        """Leave connections alone that a fork inherited: they are the parent's."""
        if os.getpid() != self._process:
            self._inherited.append(self.engine.pool)  # kept, lest they be closed
            self.engine.dispose(close=False)
            self._process = os.getpid()
