"""
Decide whether a record may be written, from what a store reads.

The functions are pure: a store, in memory or in a database, reads the facts inside its
transaction, asks, writes what the verdict says, and only then answers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from memberops.domain.canonical import MAX_QUANTITY
from memberops.domain.closing import Closing
from memberops.domain.gift import POINTS
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting, PostingKind
from memberops.errors import (
    BalanceOverflowError,
    ClosedPeriodError,
    HoldError,
    KeyConflictError,
    LotConflictError,
    ReversalError,
    UnknownPostingError,
    bounded,
)
from memberops.ledger.facts import (
    Cell,
    CellFacts,
    Facts,
    Verdict,
    brought_back,
    deltas,
    hold_cell,
    returned_issues,
    wallet_changes,
)
from memberops.ledger.records import Entry, Record, Refusal, record_key
from memberops.ledger.rules import LedgerRules
from memberops.ledger.storable import check_storable

__all__ = ["Cell", "decide", "deltas"]


_EMPTY = CellFacts(lowest=0, highest=0)


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
        UnknownPostingError, ReversalError: The reversal fits nothing, or what it
            takes back came back already; or a return names what gave nothing, or was
            reversed.
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
        hold = _open_hold(record.hold_id, facts)
        if record.at < hold.held_at:
            raise HoldError(
                f"the hold {bounded([hold.hold_id])} begins at "
                f"{hold.held_at.isoformat()}: it is not given up before"
            )
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
    else:
        _check_returned(posting, facts)
    if not posting.late:
        _check_closings(posting, facts)
    _check_holds(posting, facts)
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
    for cell, asked, available in _wanting(posting, changes, facts, rules):
        return _refuse(posting, cell, asked, available)
    return Verdict(record=posting)


def _wanting(
    posting: Posting, changes: dict[Cell, int], facts: Facts, rules: LedgerRules
) -> Iterator[tuple[Cell, int, int]]:
    """List what is not there: the cell, how many are asked, and how many there are."""
    for cell in sorted(changes):
        here, change = facts.cells.get(cell, _EMPTY), changes[cell]
        available = here.lowest - here.held
        if change < 0 and available < -change and rules.bounded(cell.place):
            yield cell, -change, available
        if change > 0 and here.highest + change > 0 and rules.owes(cell.place):
            yield cell, change, -here.highest
    if posting.reverses is None:
        for key in returned_issues(posting):
            left = facts.issues[key].left()
            for cell, asked in sorted(brought_back(posting).items()):
                if asked > left.get(cell, 0):
                    yield cell, asked, left.get(cell, 0)
            points = facts.issues[key].points_left()
            for wallet, change in sorted(wallet_changes(posting).items()):
                rest = points.get(wallet, 0)
                if not min(rest, 0) <= change <= max(rest, 0):
                    most = abs(rest) if rest * change > 0 else 0
                    yield Cell(POINTS, wallet), abs(change), most


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

    issue = facts.issues.get(mistake.posting_id)
    if issue is not None and issue.returns:
        names = [each.posting_id for each in issue.returns]
        raise ReversalError(
            f"{key} came back already, by {bounded(names)}: reverse that first"
        )


def _check_returned(posting: Posting, facts: Facts) -> None:
    """See that what comes back was given, before it comes, and not taken back."""
    keys = returned_issues(posting)
    if len(keys) > 1:
        raise ReversalError(
            f"{bounded([posting.posting_id])} brings back {bounded(keys)}: a return "
            "names one posting that gave something"
        )
    for name in keys:
        issue, key = facts.issues.get(name), bounded([name])
        if issue is None:
            raise UnknownPostingError(
                f"the ledger holds no posting {key} that gave something"
            )
        if issue.reversed_by is not None:
            raise ReversalError(
                f"{key} is reversed, by {bounded([issue.reversed_by])}: nothing of it "
                "can come back"
            )
        if posting.effective_at < issue.posting.effective_at:
            raise ReversalError(f"nothing comes back before {key} gave it")


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


def _check_holds(posting: Posting, facts: Facts) -> None:
    """See that its holds run, and that it takes some of what they keep together."""
    kept: dict[Cell, list[Hold]] = {}
    for hold_id in posting.references("hold"):
        hold = _open_hold(hold_id, facts)
        if posting.effective_at < hold.held_at or not hold.lasts(posting.effective_at):
            raise HoldError(
                f"the hold {bounded([hold_id])} runs from {hold.held_at.isoformat()} "
                f"to {'ever' if hold.until is None else hold.until.isoformat()}: "
                "post without it, or hold anew"
            )
        kept.setdefault(hold_cell(hold), []).append(hold)
    changes = deltas(posting) if kept else {}
    for cell, holds in kept.items():
        taken, most = -changes.get(cell, 0), sum(each.quantity for each in holds)
        if not 0 < taken <= most:
            raise HoldError(
                f"the hold {bounded([each.hold_id for each in holds])} is for {most} "
                f"of {bounded([cell.gift_id])} at {bounded([cell.place])}; the "
                f"posting takes {taken} there"
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
