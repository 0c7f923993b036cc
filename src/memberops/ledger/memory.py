"""A ledger in memory: for embedding, for tests, and as the measure of all others."""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator

import pandas as pd

from memberops.domain.closing import Closing
from memberops.domain.gift import check_scope
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import (
    BrokenChainError,
    MemberOpsError,
    UnknownPostingError,
    bounded,
)
from memberops.ledger.asking import check_asked
from memberops.ledger.balances import balances, check_instant, movement_frame
from memberops.ledger.books import Books
from memberops.ledger.journal import journal_lines, read_journal
from memberops.ledger.lots import LotStock
from memberops.ledger.records import Entry, Posted, Refusal
from memberops.ledger.rules import LedgerRules
from memberops.ledger.storable import check_reason, check_storable
from memberops.ledger.verdicts import decide

__all__ = ["Ledger"]

# Lists and bounds are those of a day; what was written while others held is a fact.
_WHENEVER = LedgerRules()


class Ledger:
    """
    A gift ledger in memory (HQ §7): a `LedgerStore`.

    It only ever grows: a mistake is corrected by `reverse`. It may be used by several
    threads at once.

    Args:
        rules: Gifts, places and bounds; anything goes by default.

    >>> from memberops.domain import Movement
    >>> ledger = Ledger()
    >>> noon = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> ledger.post(Posting(posting_id="P1", kind="receipt", effective_at=noon,
    ...     movements=[Movement(gift_id="G1", source="supplier",
    ...                         destination="warehouse", quantity=5)]))
    Posted(sequence=1, replayed=False)
    >>> ledger.balance("G1", "warehouse")
    5
    """

    def __init__(self, rules: LedgerRules | None = None) -> None:
        self._rules = LedgerRules() if rules is None else rules
        self._lock = threading.RLock()
        self._entries: list[Entry] = []
        self._books = Books()

    @classmethod
    def restored(
        cls, journal: Iterable[str], *, rules: LedgerRules | None = None
    ) -> Ledger:
        """
        Rebuild a ledger from its journal, whatever has become of its lists since.

        What was written is a fact: a gift or place that is listed no more, stock below
        zero, a refusal. But no entry comes in that fits those before it under no
        rules: a key twice, a reversal of nothing, a lot with two expiries.

        Args:
            journal: Lines of `journal`.
            rules: The rules by which it goes on.

        Raises:
            BrokenChainError: The journal was changed or cut, or holds such an entry.
        """
        ledger = cls(rules)
        for entry in read_journal(journal):
            ledger._restore(entry)
        return ledger

    def _restore(self, entry: Entry) -> None:
        record = entry.record
        if entry.key in self._books.by_key:
            raise BrokenChainError(
                f"entry {entry.sequence} has the key {bounded([entry.key])} of an "
                "entry before it"
            )
        if not isinstance(record, Refusal):
            try:
                decide(record, self._books.facts(record), _WHENEVER)
            except MemberOpsError as error:
                raise BrokenChainError(
                    f"entry {entry.sequence} breaks the ledger's rules: "
                    f"{bounded([str(error)])}"
                ) from error
        self._append(entry)

    def __repr__(self) -> str:
        """Say how much the ledger holds, and nothing of it."""
        return f"<Ledger of {len(self._entries)} entries>"

    @property
    def rules(self) -> LedgerRules:
        """The gifts, places and bounds of the ledger."""
        return self._rules

    @property
    def position(self) -> int:
        """Sequence of the last entry; 0 for an empty ledger."""
        with self._lock:
            return self._entries[-1].sequence if self._entries else 0

    def post(self, posting: Posting) -> Posted:
        """
        Write a posting, all of it or nothing.

        The same key with the same contents returns the first receipt.

        Raises:
            LedgerError, LookupError: See `decide`.
        """
        return self._write(posting)

    def post_all(self, postings: Iterable[Posting]) -> tuple[Posted, ...]:
        """
        Write several postings one after the other, all of them or none.

        Raises:
            LedgerError, LookupError: See `decide`. What was refused for want of stock
                has not spent its key.
        """
        given = tuple(postings)
        for each in given:
            check_storable(each)
        with self._lock:
            size = len(self._entries)
            try:
                return tuple(self._write(each, whole=True) for each in given)
            except BaseException:
                del self._entries[size:]
                self._books = Books()
                for entry in self._entries:
                    self._books.take(entry)
                raise

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
        """
        Take a posting back by a counter-entry with a key of its own.

        Raises:
            UnknownPostingError: There is no such posting.
            ReversalError: It is reversed already, or a reversal itself.
            LedgerError: See `decide`.
        """
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
        return self._write(closing)

    def hold(self, hold: Hold) -> Posted:
        """
        Keep stock for someone until a moment.

        Raises:
            OutOfStockError: There is too little that is not held already.
        """
        return self._write(hold)

    def release(self, release: Release) -> Posted:
        """
        Give a hold up.

        Raises:
            HoldError: There is no such hold, or it is over.
        """
        return self._write(release)

    def entry(self, key: str) -> Entry | None:
        """Return the entry of a key, if there is one."""
        with self._lock:
            return self._books.by_key.get(key)

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """List the entries by sequence, those after a position."""
        with self._lock:
            start = bisect_right(self._entries, after, key=lambda each: each.sequence)
            return iter(self._entries[start:])

    def closings(self) -> tuple[Closing, ...]:
        """List the closings by sequence."""
        with self._lock:
            return tuple(self._books.closings)

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
        with self._lock:
            found = self._books.balance(gift_id, scope, lot_id, moment, position)
        if not found:
            check_asked(self, gift_id, scope)
        return found

    def held(self, gift_id: str, place: str, *, as_of: dt.datetime) -> int:
        """Return how many are held at a place and its parts at an instant."""
        moment, scope = check_instant(as_of), check_scope(place)
        with self._lock:
            return self._books.held(gift_id, scope, moment)

    def lots(
        self, gift_id: str, place: str, *, as_of: dt.datetime
    ) -> tuple[LotStock, ...]:
        """
        List the lots of a gift at exactly that place, with what can be taken.

        Lots of which there is nothing, now or later, are left out.
        """
        moment = check_instant(as_of)
        with self._lock:
            return tuple(self._books.lots(gift_id, place, moment))

    def reversed_by(self, key: str) -> str | None:
        """Return the key of the reversal that took a posting back, if any."""
        with self._lock:
            known = self._books.issue(key)
            return None if known is None else known.reversed_by

    def returns(self, key: str) -> tuple[Posting, ...]:
        """List the returns of what a posting gave (`LedgerStore.returns`)."""
        with self._lock:
            known = self._books.issue(key)
            return () if known is None else known.returns

    def journal(self) -> Iterator[str]:
        """Write the ledger as lines of JSON (`journal_lines`)."""
        return journal_lines(self.entries())

    def movements(self, *, gifts: Collection[str] | None = None) -> pd.DataFrame:
        """Return movements as a frame (`LedgerStore.movements`)."""
        some = None if gifts is None else set(gifts)
        found = movement_frame(
            (entry.sequence, entry.record)
            for entry in self.entries()
            if isinstance(entry.record, Posting)
            if some is None
            or any(each.gift_id in some for each in entry.record.movements)
        )
        if some is None:
            return found
        return found[found["gift_id"].isin(some)].reset_index(drop=True)

    def balances(
        self, *, as_of: dt.datetime | None = None, position: int | None = None
    ) -> pd.DataFrame:
        """Return every balance that is not zero (`memberops.ledger.balances`)."""
        return balances(self.movements(), as_of=as_of, position=position)

    def _append(self, entry: Entry) -> None:
        self._books.take(entry)
        self._entries.append(entry)

    def _write(
        self, record: Posting | Closing | Hold | Release, *, whole: bool = False
    ) -> Posted:
        with self._lock:
            verdict = decide(record, self._books.facts(record), self._rules)
            if verdict.record is None:
                return Posted(sequence=verdict.sequence, replayed=True)
            check_reason(verdict.record)
            if whole and isinstance(verdict.record, Refusal):
                raise verdict.record.error(replayed=False, spent=False)
            self._append(Entry(sequence=self.position + 1, record=verdict.record))
            if verdict.error is not None:
                raise verdict.error
            return Posted(sequence=self.position, replayed=False)
