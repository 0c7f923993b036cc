"""The contract that every ledger keeps, in memory or in a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

import pandas as pd

from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.ledger.lots import LotStock
from memberops.ledger.records import Entry, Posted
from memberops.ledger.rules import LedgerRules

__all__ = ["LedgerStore"]


class LedgerStore(Protocol):
    """
    A ledger of gifts or points, wherever it lives.

    Each writing method reads the `Facts` and writes the `Verdict` of `decide` in one
    transaction; what it returns is stored. All stores give the same answers and the
    same errors for the same calls in the same order.
    """

    @property
    def rules(self) -> LedgerRules:
        """The gifts, places and bounds of the ledger."""
        ...

    @property
    def position(self) -> int:
        """Sequence of the last entry; 0 for an empty ledger."""
        ...

    def post(self, posting: Posting) -> Posted:
        """
        Write a posting, all of it or nothing (errors: see `decide`).

        The same key with the same contents returns the first receipt.
        """
        ...

    def post_all(self, postings: Iterable[Posting]) -> tuple[Posted, ...]:
        """
        Write several postings one after the other in one transaction, or none.

        The first that is refused leaves nothing written, and no key spent.
        """
        ...

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
        Take a posting back by a counter-entry (`Posting.reversal`).

        Args:
            posting_id: Key of the mistake.
            key: Key of the reversal.
            effective_at: Aware instant, not before the mistake's own.
            by: Who takes it back.
            reason: Why.
            late: Whether it may enter a closed period, knowingly.
        """
        ...

    def close(self, closing: Closing) -> Posted:
        """Close a period."""
        ...

    def hold(self, hold: Hold) -> Posted:
        """Keep stock for someone."""
        ...

    def release(self, release: Release) -> Posted:
        """Give a hold up."""
        ...

    def entry(self, key: str) -> Entry | None:
        """Return the entry of a key, if there is one."""
        ...

    def reversed_by(self, key: str) -> str | None:
        """Return the key of the reversal that took a posting back, if any."""
        ...

    def returns(self, key: str) -> tuple[Posting, ...]:
        """
        List the postings that brought back some of what one gave, in their order.

        They name it in ``refers_to={"issue_key": key}``; those that were reversed are
        left out.
        """
        ...

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """List the entries by sequence, those after a position."""
        ...

    def closings(self) -> tuple[Closing, ...]:
        """List the closings by sequence."""
        ...

    def balance(
        self,
        gift_id: str,
        place: str,
        *,
        lot_id: str | None = None,
        as_of: dt.datetime | None = None,
        position: int | None = None,
    ) -> int:
        """
        Return how many there are at a place and its parts.

        Args:
            gift_id: The gift.
            place: A place, account, or kind of them.
            lot_id: One lot; None: all; ``""``: only what has no lot.
            as_of: Aware instant, inclusive; None: with everything effective later.
            position: Sequence of the last entry that counts; None: all.

        Raises:
            UnknownGiftError: The rules list gifts, not this one, and it never moved.
            UnknownPlaceError: The same of the place.
        """
        ...

    def held(self, gift_id: str, place: str, *, as_of: dt.datetime) -> int:
        """Return how many are held at a place and its parts at an instant."""
        ...

    def lots(
        self, gift_id: str, place: str, *, as_of: dt.datetime
    ) -> tuple[LotStock, ...]:
        """
        List the lots of a gift at exactly that place, by id, with what can be taken.

        Lots of which there is nothing, now or later, are left out.
        """
        ...

    def journal(self) -> Iterator[str]:
        """Write the ledger as lines of JSON (`memberops.ledger.journal_lines`)."""
        ...

    def movements(self, *, gifts: Collection[str] | None = None) -> pd.DataFrame:
        """
        Return movements as a frame (`MOVEMENT_COLUMNS`), by sequence.

        Args:
            gifts: Ids of the gifts that count; None: all. A store reads no others.
        """
        ...

    def balances(
        self, *, as_of: dt.datetime | None = None, position: int | None = None
    ) -> pd.DataFrame:
        """Return every balance that is not zero (`memberops.ledger.balances`)."""
        ...
