"""What a store has to know before it writes, and what it is told to write."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import attrs

from memberops.domain.closing import Closing
from memberops.domain.gift import POINTS, PlaceKind, lies_within
from memberops.domain.hold import Hold
from memberops.domain.posting import Posting
from memberops.errors import OutOfStockError
from memberops.ledger.records import Entry, Record

__all__ = [
    "Cell",
    "CellFacts",
    "Facts",
    "HoldFacts",
    "IssueFacts",
    "Verdict",
    "brought_back",
    "deltas",
    "hold_cell",
    "returned_issues",
    "returns_issue",
    "wallet_changes",
]

ISSUE_KEY = "issue_key"
"""Kind of the reference by which a return names what had given the gift."""


class Cell(NamedTuple):
    """
    One gift and lot at one place: what a balance is of.

    `lot_id` is ``""`` for goods without lots.
    """

    gift_id: str
    place: str
    lot_id: str = ""


@attrs.frozen(kw_only=True)
class CellFacts:
    """
    What a cell holds from a moment on.

    Args:
        lowest: The lowest balance from the moment on, itself included: after every
            entry effective at or before it, and after each later moment. What is
            effective at one moment happens at once.
        highest: The highest of the same balances.
        held: Quantity of the open holds that end after the moment, without those
            that the record itself refers to.
    """

    lowest: int
    highest: int
    held: int = 0

    @classmethod
    def of(cls, opening: int, later: Iterable[int], *, held: int = 0) -> CellFacts:
        """
        Fold the balance at the moment and the changes of each moment after it.

        >>> CellFacts.of(5, [-3, 4])
        CellFacts(lowest=2, highest=6, held=0)
        """
        lowest = highest = balance = opening
        for change in later:
            balance += change
            lowest = min(lowest, balance)
            highest = max(highest, balance)
        return cls(lowest=lowest, highest=highest, held=held)


@attrs.frozen(kw_only=True)
class HoldFacts:
    """
    A hold, and what ended it.

    Args:
        hold: The hold.
        ended_by: Key of the posting that used it, or of its release; None: open.
        ended_at: The moment of that posting or release.
    """

    hold: Hold
    ended_by: str | None = None
    ended_at: dt.datetime | None = None

    def holds_at(self, moment: dt.datetime) -> bool:
        """Tell if it kept its stock at a moment: begun, not over, not ended."""
        ended = self.ended_at is not None and self.ended_at <= moment
        return self.hold.held_at <= moment and self.hold.lasts(moment) and not ended


@attrs.frozen(kw_only=True)
class IssueFacts:
    """
    What gave a member something, and what became of it.

    Args:
        posting: The posting that gave it.
        reversed_by: Key of the reversal that took it back, if any.
        returns: The postings by which some of it came back, without those that were
            reversed.
    """

    posting: Posting
    reversed_by: str | None = None
    returns: tuple[Posting, ...] = ()

    def left(self) -> dict[Cell, int]:
        """Return how much of it can still come back, by the cell it was given to."""
        rest: dict[Cell, int] = defaultdict(int)
        for each in self.posting.movements:
            if _to_member(each.destination) and each.gift_id != POINTS:
                rest[Cell(each.gift_id, each.destination, each.lot_id or "")] += (
                    each.quantity
                )
        for posting in self.returns:
            for cell, quantity in brought_back(posting).items():
                rest[cell] -= quantity
        return dict(rest)

    def points_left(self) -> dict[str, int]:
        """
        Return by how much its returns may still change each wallet.

        They give back no more points than it took, and take back no more than it
        gave.
        """
        rest: dict[str, int] = defaultdict(int)
        for posting in (self.posting, *self.returns):
            for wallet, change in wallet_changes(posting).items():
                rest[wallet] -= change
        return dict(rest)


_NO_LOTS: Mapping[tuple[str, str], dt.date | None] = {}
_NO_CELLS: Mapping[Cell, CellFacts] = {}
_NO_HOLDS: Mapping[str, HoldFacts] = {}
_NO_ISSUES: Mapping[str, IssueFacts] = {}


@attrs.frozen(kw_only=True)
class Facts:
    """
    What a store reads, inside its transaction, before it writes a record.

    Args:
        earlier: The entry that has the record's key, if any. If there is one,
            nothing else is asked.
        reversed_posting: The posting that a reversal names, if the ledger has it.
        reversed_by: Key of the reversal that took it back before, if any.
        closings: Closings that may touch the posting: all, or those whose `before`
            is later than its moment.
        lots: By gift and lot of its movements: the expiry on file; a lot that is
            not yet known is absent.
        cells: For each cell of `deltas` (or of the hold), its `CellFacts` from the
            record's moment on. An absent cell is empty.
        holds: By id, the holds that the record refers to.
        issues: By key, the postings of `returned_issues` that the ledger has.
    """

    earlier: Entry | None = None
    reversed_posting: Posting | None = None
    reversed_by: str | None = None
    closings: tuple[Closing, ...] = ()
    lots: Mapping[tuple[str, str], dt.date | None] = _NO_LOTS
    cells: Mapping[Cell, CellFacts] = _NO_CELLS
    holds: Mapping[str, HoldFacts] = _NO_HOLDS
    issues: Mapping[str, IssueFacts] = _NO_ISSUES


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What the store does next.

    Args:
        record: What is written: the record, or its `Refusal`. None: the entry is
            there already; answer with *sequence* and write nothing.
        sequence: The sequence of the entry that is there already.
        error: Raised once *record* is written and durable; None: answer with the
            new sequence.
    """

    sequence: int = 0
    record: Record | None = None
    error: OutOfStockError | None = None


def deltas(posting: Posting) -> dict[Cell, int]:
    """
    Return by how much a posting changes each cell, which may be by 0.

    The movements of one posting happen at once: between them there is no moment at
    which stock could be too low.
    """
    changes: dict[Cell, int] = defaultdict(int)
    for each in posting.movements:
        lot = each.lot_id or ""
        changes[Cell(each.gift_id, each.source, lot)] -= each.quantity
        changes[Cell(each.gift_id, each.destination, lot)] += each.quantity
    return dict(changes)


def hold_cell(hold: Hold) -> Cell:
    """Return the cell of which a hold keeps some."""
    return Cell(hold.gift_id, hold.place, hold.lot_id or "")


def brought_back(posting: Posting) -> dict[Cell, int]:
    """Return what a posting takes from members, by cell; points are no gifts."""
    taken: dict[Cell, int] = defaultdict(int)
    for each in posting.movements:
        if _to_member(each.source) and each.gift_id != POINTS:
            cell = Cell(each.gift_id, each.source, each.lot_id or "")
            taken[cell] += each.quantity
    return dict(taken)


def wallet_changes(posting: Posting) -> dict[str, int]:
    """Return how many points more a posting puts into each wallet, over all lots."""
    changes: dict[str, int] = defaultdict(int)
    for each in posting.movements:
        if each.gift_id == POINTS:
            changes[each.source] -= each.quantity
            changes[each.destination] += each.quantity
    wallets = PlaceKind.WALLET.value
    return {
        place: change
        for place, change in changes.items()
        if change and lies_within(place, wallets)
    }


def returned_issues(posting: Posting) -> tuple[str, ...]:
    """
    Return the keys of the postings of which this one brings something back.

    A return names them in ``issue_key``; a reversal takes back what it reverses.
    """
    if posting.reverses is not None:
        return (posting.reverses,)
    return posting.references(ISSUE_KEY)


def returns_issue(posting: Posting, key: str) -> bool:
    """Tell if a posting is a return of what was given: if it names that key."""
    return posting.reverses is None and key in posting.references(ISSUE_KEY)


def _to_member(place: str) -> bool:
    return lies_within(place, PlaceKind.MEMBER.value)
