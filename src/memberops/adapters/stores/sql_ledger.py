"""A ledger in SQLite or PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores import checking, facts, reading
from memberops.adapters.stores.appending import append_all
from memberops.adapters.stores.deciding import take_turn, write_all, write_one
from memberops.adapters.stores.entry_rows import entry_of, read_entry, read_issue
from memberops.adapters.stores.migrations import STEPS, migrate, stored_version
from memberops.adapters.stores.schema import entries
from memberops.adapters.stores.transactions import Database
from memberops.domain.closing import Closing
from memberops.domain.finding import Finding
from memberops.domain.gift import check_scope
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import (
    BrokenChainError,
    LedgerStoreError,
    OutOfStockError,
    UnknownPostingError,
    bounded,
)
from memberops.ledger import (
    START,
    Entry,
    IssueFacts,
    Ledger,
    LedgerRules,
    LotStock,
    Posted,
    chained,
    journal_lines,
)
from memberops.ledger.asking import check_asked
from memberops.ledger.balances import check_instant
from memberops.ledger.storable import check_storable, storable

__all__ = ["SqlLedger"]

_PAGE = 1000

_POSITION = sa.select(sa.func.coalesce(sa.func.max(entries.c.sequence), 0))
_CLOSINGS = (
    sa.select(entries).where(entries.c.type == "closing").order_by(entries.c.sequence)
)
_PAGE_AFTER = (
    sa.select(entries)
    .where(
        entries.c.sequence > sa.bindparam("after"),
        entries.c.sequence <= sa.bindparam("last"),
    )
    .order_by(entries.c.sequence)
    .limit(_PAGE)
)


class SqlLedger:
    """
    A gift ledger in a database (HQ §7): a `memberops.ledger.LedgerStore`.

    `memberops.adapters.stores.open_ledger` opens one. It may be used by several
    threads, and by several processes that open it each for itself; it is also a
    context manager, which disposes of its connections.

    Args:
        engine: Of `memberops.adapters.stores.engines`.
        rules: Gifts, places and bounds.
        where: What errors call the database: no secrets.

    Raises:
        LedgerStoreError: The database cannot be opened.
        LedgerVersionError: It is newer than the library.
    """

    def __init__(self, engine: sa.Engine, *, rules: LedgerRules, where: str) -> None:
        self._database = Database(engine, where)
        self._rules = rules
        try:
            if self._database.read(stored_version) != len(STEPS):
                self._database.write(lambda connection: migrate(connection, STEPS))
        except BaseException:
            self.dispose()
            raise

    def __repr__(self) -> str:
        """Say where the ledger is, and nothing of it."""
        return f"<SqlLedger in {self._database.where}>"

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Dispose of the connections."""
        self.dispose()

    def dispose(self) -> None:
        """Close the connections; the ledger opens new ones if it is used again."""
        self._database.dispose()

    @property
    def rules(self) -> LedgerRules:
        """The gifts, places and bounds of the ledger."""
        return self._rules

    @property
    def position(self) -> int:
        """Sequence of the last entry; 0 for an empty ledger."""
        return self._database.read(
            lambda connection: int(connection.execute(_POSITION).scalar_one())
        )

    def post(self, posting: Posting) -> Posted:
        """
        Write a posting, all of it or nothing; what is returned is on disk.

        The same key with the same contents returns the first receipt, so after a
        lost connection the same posting is simply posted again.

        Raises:
            LedgerError, LookupError: See `memberops.ledger.decide`.
            LedgerBusyError: Others kept the database for too long.
            LedgerStoreError: The database failed.
        """
        return self._record(posting)

    def post_all(self, postings: Iterable[Posting]) -> tuple[Posted, ...]:
        """
        Write several postings one after the other in one transaction, or none.

        It syncs the disk once for all of them.

        Raises:
            LedgerError, LookupError: See `memberops.ledger.decide`. What was refused
                for want of stock has not spent its key.
            LedgerBusyError, LedgerStoreError: See `post`.
        """
        given = tuple(postings)
        for each in given:
            check_storable(each)

        def work(connection: sa.Connection) -> tuple[Posted, ...]:
            take_turn(connection)
            return write_all(connection, given, self._rules)

        return self._database.write(work)

    def reverse(
        self,
        posting_id: str,
        *,
        key: str,
        effective_at: dt.datetime,
        by: str | None = None,
        reason: str = "",
        late: bool = False,
    ) -> Posted:
        """Take a posting back by a counter-entry (`LedgerStore`)."""
        entry = self.entry(posting_id)
        if entry is None or not isinstance(entry.record, Posting):
            raise UnknownPostingError(
                f"the ledger holds no posting {bounded([posting_id])} to reverse"
            )
        return self.post(
            entry.record.reversal(
                key, effective_at=effective_at, by=by, reason=reason, late=late
            )
        )

    def close(self, closing: Closing) -> Posted:
        """Close a period: later postings that take effect in it are refused."""
        return self._record(closing)

    def hold(self, hold: Hold) -> Posted:
        """Keep stock for someone until a moment."""
        return self._record(hold)

    def release(self, release: Release) -> Posted:
        """Give a hold up."""
        return self._record(release)

    def entry(self, key: str) -> Entry | None:
        """Return the entry of a key, if there is one."""
        if not storable(key):
            return None
        return self._database.read(lambda connection: read_entry(connection, key))

    def reversed_by(self, key: str) -> str | None:
        """Return the key of the reversal that took a posting back, if any."""
        known = self._issue(key)
        return None if known is None else known.reversed_by

    def returns(self, key: str) -> tuple[Posting, ...]:
        """List the returns of what a posting gave (`LedgerStore.returns`)."""
        known = self._issue(key)
        return () if known is None else known.returns

    def _issue(self, key: str) -> IssueFacts | None:
        if not storable(key):
            return None
        return self._database.read(lambda connection: read_issue(connection, key))

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """List the entries by sequence, those after a position."""
        return (entry_of(row) for row in self._rows(after=after, last=self.position))

    def closings(self) -> tuple[Closing, ...]:
        """List the closings by sequence."""
        rows = self._database.read(
            lambda connection: connection.execute(_CLOSINGS).all()
        )
        records = (entry_of(row).record for row in rows)
        return tuple(each for each in records if isinstance(each, Closing))

    def balance(
        self,
        gift_id: str,
        place: str,
        *,
        lot_id: str | None = None,
        as_of: dt.datetime | None = None,
        position: int | None = None,
    ) -> int:
        """Return how many there are at a place and its parts (`LedgerStore`)."""
        moment = None if as_of is None else check_instant(as_of)
        scope = check_scope(place)
        if not storable(gift_id, scope):
            check_asked(self, gift_id, scope)
            return 0
        found = self._database.read(
            lambda connection: reading.cell_balances(
                connection,
                as_of=moment,
                position=position,
                gift_id=gift_id,
                place=scope,
            )
        )
        there = sum(
            quantity
            for cell, quantity in found.items()
            if lot_id in {None, cell.lot_id}
        )
        if not there:
            check_asked(self, gift_id, scope)
        return there

    def held(self, gift_id: str, place: str, *, as_of: dt.datetime) -> int:
        """Return how many are held at a place and its parts at an instant."""
        moment, scope = check_instant(as_of), check_scope(place)
        if not storable(gift_id, scope):
            return 0
        return self._database.read(
            lambda connection: reading.held_at(connection, gift_id, scope, moment)
        )

    def lots(
        self, gift_id: str, place: str, *, as_of: dt.datetime
    ) -> tuple[LotStock, ...]:
        """List the lots of a gift at exactly that place (`LedgerStore`)."""
        moment = check_instant(as_of)
        if not storable(gift_id, place):
            return ()
        return self._database.read(
            lambda connection: reading.lots_at(connection, gift_id, place, moment)
        )

    def journal(self) -> Iterator[str]:
        """
        Write the ledger as lines of JSON (`memberops.ledger.journal_lines`).

        Raises:
            BrokenChainError: While it is read, if an entry was changed or taken out
                behind the ledger's back.
        """
        return journal_lines(self._checked(last=self.position))

    def restore(self, journal: Iterable[str]) -> int:
        """
        Fill an empty ledger from a journal, all of it or nothing.

        Gifts and places that are listed no more, and stock below zero, come in as they
        were written (`memberops.ledger.Ledger.restored`).

        Args:
            journal: Lines of `journal`, of a ledger in any store.

        Returns:
            How many entries were written.

        Raises:
            BrokenChainError: The journal was changed or cut, or breaks the rules.
            LedgerStoreError: The ledger is not empty.
        """
        ledger = Ledger.restored(journal, rules=self._rules)

        def fill(connection: sa.Connection) -> int:
            take_turn(connection)
            standing = facts.read_standing(connection)
            if standing.position:
                raise LedgerStoreError(
                    f"{self._database.where} holds entries already: restore into an "
                    "empty one"
                )
            append_all(connection, _chain(ledger.entries(), standing.running))
            return sum(1 for _ in ledger.entries())

        return self._database.write(fill)

    def movements(self, *, gifts: Collection[str] | None = None) -> pd.DataFrame:
        """Return movements as a frame (`memberops.ledger.LedgerStore.movements`)."""
        return self._database.read(lambda each: reading.movement_table(each, gifts))

    def balances(
        self, *, as_of: dt.datetime | None = None, position: int | None = None
    ) -> pd.DataFrame:
        """Return every balance that is not zero (`memberops.ledger.balances`)."""
        moment = None if as_of is None else check_instant(as_of)
        return self._database.read(
            lambda connection: reading.balance_frame(connection, moment, position)
        )

    def verify(self) -> tuple[Finding, ...]:
        """
        Refold the whole ledger, and compare it with all that is kept beside it.

        Returns:
            One finding for each kind of difference; none if the ledger is sound.
        """
        return self._database.read(checking.check)

    def _record(self, record: Posting | Closing | Hold | Release) -> Posted:
        check_storable(record)

        def work(connection: sa.Connection) -> tuple[Posted, OutOfStockError | None]:
            take_turn(connection)
            return write_one(connection, record, self._rules)

        receipt, refusal = self._database.write(work)
        if refusal is not None:
            raise refusal
        return receipt

    def _rows(self, *, after: int, last: int) -> Iterator[Any]:
        while after < last:
            rows = self._database.read(partial(_page, after=after, last=last))
            if not rows:
                return
            yield from rows
            after = rows[-1].sequence

    def _checked(self, *, last: int) -> Iterator[Entry]:
        running = START
        for row in self._rows(after=0, last=last):
            entry = entry_of(row)
            running = chained(running, entry)
            if running != row.hash:
                raise BrokenChainError(
                    f"entry {entry.sequence} does not fit its hash: it, or one before "
                    "it, was changed or taken out behind the ledger's back"
                )
            yield entry


def _page(connection: sa.Connection, *, after: int, last: int) -> list[Any]:
    return list(connection.execute(_PAGE_AFTER, {"after": after, "last": last}))


def _chain(chain: Iterable[Entry], running: str) -> Iterator[tuple[Entry, str]]:
    for entry in chain:
        running = chained(running, entry)
        yield entry, running
