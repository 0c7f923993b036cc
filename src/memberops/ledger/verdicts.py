"""
Decide whether a record may be written, from what a store reads.

The functions are pure: a store, in memory or in a database, reads the facts inside its
transaction, asks, writes what the verdict says, and only then answers.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import attrs

from memberops.domain.canonical import MAX_QUANTITY
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting, PostingKind
from memberops.errors import (
    BalanceOverflowError,
    ClosedPeriodError,
    HoldError,
    KeyConflictError,
    LotConflictError,
    OutOfStockError,
    ReversalError,
    UnknownPostingError,
    bounded,
)
from memberops.ledger.records import Entry, Record, Refusal, record_key
from memberops.ledger.rules import LedgerRules
from memberops.ledger.storable import check_storable

__all__ = [
    "Cell",
    "CellFacts",
    "Facts",
    "HoldFacts",
    "Verdict",
    "decide",
    "deltas",
    "hold_cell",
]


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
            entry effective at or before it, and after each later one.
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
        Fold the balance at the moment and the changes after it, in order.

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
    A hold, and the key of what ended it.

    Args:
        hold: The hold.
        ended_by: Key of the posting that used it, or of its release; None: open.
    """

    hold: Hold
    ended_by: str | None = None


_NO_LOTS: Mapping[tuple[str, str], dt.date | None] = {}
_NO_CELLS: Mapping[Cell, CellFacts] = {}
_NO_HOLDS: Mapping[str, HoldFacts] = {}


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
    """

    earlier: Entry | None = None
    reversed_posting: Posting | None = None
    reversed_by: str | None = None
    closings: tuple[Closing, ...] = ()
    lots: Mapping[tuple[str, str], dt.date | None] = _NO_LOTS
    cells: Mapping[Cell, CellFacts] = _NO_CELLS
    holds: Mapping[str, HoldFacts] = _NO_HOLDS


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


_EMPTY = CellFacts(lowest=0, highest=0)


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


def decide(
    record: Posting | Closing | Hold | Release, facts: Facts, rules: LedgerRules
) -> Verdict:
    """
    Decide whether a record may be written.

    A key that is known is answered first: the same contents are a replay, other
    contents an error, a refusal stays a refusal. Want of stock is asked last, so
    that it alone spends a key.

    Args:
        record: What the client wants to write.
        facts: What the store holds (`Facts`).
        rules: The ledger's gifts, places and bounds.

    Returns:
        A `Verdict`.

    Raises:
        KeyConflictError: The key was used with other contents.
        OutOfStockError: The key was refused before (`replayed` is true). A first
            refusal is in the verdict, for the store has to write it.
        UnknownPlaceError, UnknownGiftError, LotConflictError: See `LedgerRules`.
        UnknownPostingError, ReversalError: The reversal fits nothing.
        ClosedPeriodError: It takes effect in a closed period and is not late.
        HoldError: A hold that it refers to is over, or is about something else.
        BalanceOverflowError: A balance would leave 64 bits.
        InvalidValueError: Not every store can hold it (`check_storable`).
    """
    check_storable(record)
    if facts.earlier is not None:
        return _again(record, facts.earlier)
    if isinstance(record, Posting):
        return _decide_posting(record, facts, rules)
    if isinstance(record, Hold):
        return _decide_hold(record, facts, rules)
    if isinstance(record, Release):
        _open_hold(record.hold_id, facts)
        return Verdict(record=record)
    for place in record.places:
        rules.check_scope(place)
    return Verdict(record=record)


def _again(record: Record, earlier: Entry) -> Verdict:
    was = earlier.record
    refusal = was if isinstance(was, Refusal) else None
    known = refusal.wanted if refusal is not None else was
    if known != record:
        raise KeyConflictError(record_key(record), _differing(known, record))
    if refusal is not None:
        raise refusal.error(replayed=True)
    return Verdict(sequence=earlier.sequence)


def _differing(known: Record, record: Record) -> list[str]:
    if type(known) is not type(record):
        return ["type"]
    before = dict(_flat("", known.document()))
    after = dict(_flat("", record.document()))
    missing = object()
    return [
        name
        for name in sorted({*before, *after})
        if before.get(name, missing) != after.get(name, missing)
    ]


def _flat(path: str, value: object) -> Iterable[tuple[str, object]]:
    """List the leaves of a plain document by their paths."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(f"{path}.{name}" if path else name, part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _flat(f"{path}[{number}]", part)
    else:
        yield path, value


def _decide_posting(posting: Posting, facts: Facts, rules: LedgerRules) -> Verdict:
    _check_lots(posting, facts, rules)
    if posting.kind is PostingKind.REVERSAL:
        _check_reversal(posting, facts)
    if not posting.late:
        _check_closings(posting, facts)
    for hold_id in posting.references("hold"):
        _check_use(posting, _open_hold(hold_id, facts))
    changes = deltas(posting)
    for cell, change in changes.items():
        here = facts.cells.get(cell, _EMPTY)
        if (
            abs(change) > MAX_QUANTITY
            or here.highest + change > MAX_QUANTITY
            or here.lowest + change < -MAX_QUANTITY
        ):
            raise BalanceOverflowError(
                f"the balance of {bounded([cell.gift_id])} at "
                f"{bounded([cell.place])} would leave 64 bits"
            )
    for cell in sorted(changes):
        here, asked = facts.cells.get(cell, _EMPTY), -changes[cell]
        available = here.lowest - here.held
        if asked > 0 and available < asked and rules.bounded(cell.place):
            return _refuse(posting, cell, asked, available)
    return Verdict(record=posting)


def _refuse(wanted: Posting | Hold, cell: Cell, asked: int, available: int) -> Verdict:
    refusal = Refusal(
        wanted=wanted,
        gift_id=cell.gift_id,
        place=cell.place,
        lot_id=cell.lot_id,
        asked=asked,
        available=max(available, 0),
    )
    return Verdict(record=refusal, error=refusal.error(replayed=False))


def _check_lots(posting: Posting, facts: Facts, rules: LedgerRules) -> None:
    seen: dict[tuple[str, str], dt.date | None] = {}
    for each in posting.movements:
        rules.check(each)
        if each.lot_id is None:
            continue
        lot = (each.gift_id, each.lot_id)
        known = facts.lots if lot in facts.lots else seen
        if known.get(lot, each.valid_through) != each.valid_through:
            raise LotConflictError(
                f"the lot {bounded([each.lot_id])} of {bounded([each.gift_id])} is "
                f"valid through {known[lot]}, not {each.valid_through}"
            )
        seen[lot] = each.valid_through


def _check_reversal(posting: Posting, facts: Facts) -> None:
    mistake, key = facts.reversed_posting, bounded([posting.reverses])
    if mistake is None:
        raise UnknownPostingError(f"the ledger holds no posting {key} to reverse")
    if mistake.kind is PostingKind.REVERSAL:
        raise ReversalError(f"{key} is a reversal itself: post it anew instead")
    if facts.reversed_by is not None:
        raise ReversalError(
            f"{key} is reversed already, by {bounded([facts.reversed_by])}"
        )
    if posting.movements != tuple(each.turned() for each in mistake.movements):
        raise ReversalError(
            f"a reversal turns every movement of {key}, and no other: "
            "Posting.reversal() makes it"
        )
    if posting.effective_at < mistake.effective_at:
        raise ReversalError(f"a reversal does not take effect before {key} does")


def _check_closings(posting: Posting, facts: Facts) -> None:
    for closing in facts.closings:
        if closing.touches(posting):
            raise ClosedPeriodError(
                f"{bounded([posting.posting_id])} takes effect before "
                f"{closing.before.isoformat()}, which "
                f"{bounded([closing.closing_id])} closed: date it later, or mark it "
                "late=True"
            )


def _open_hold(hold_id: str, facts: Facts) -> Hold:
    known = facts.holds.get(hold_id)
    if known is None:
        raise HoldError(f"the ledger has no hold {bounded([hold_id])}")
    if known.ended_by is not None:
        raise HoldError(
            f"the hold {bounded([hold_id])} is over, by {bounded([known.ended_by])}"
        )
    return known.hold


def _check_use(posting: Posting, hold: Hold) -> None:
    key = bounded([hold.hold_id])
    if posting.effective_at < hold.held_at or (
        hold.until is not None and posting.effective_at >= hold.until
    ):
        raise HoldError(
            f"the hold {key} runs from {hold.held_at.isoformat()} to "
            f"{'ever' if hold.until is None else hold.until.isoformat()}: "
            "post without it, or hold anew"
        )
    taken = -deltas(posting).get(hold_cell(hold), 0)
    if not 0 < taken <= hold.quantity:
        raise HoldError(
            f"the hold {key} is for {hold.quantity} of {bounded([hold.gift_id])} at "
            f"{bounded([hold.place])}; the posting takes {taken} there"
        )


def _decide_hold(hold: Hold, facts: Facts, rules: LedgerRules) -> Verdict:
    rules.check_place(hold.place)
    rules.check_gift(hold.gift_id, hold.lot_id)
    cell = hold_cell(hold)
    here = facts.cells.get(cell, _EMPTY)
    available = here.lowest - here.held
    if available < hold.quantity and rules.bounded(hold.place):
        return _refuse(hold, cell, hold.quantity, available)
    return Verdict(record=hold)
