"""What every step of the gift flow does: answer a repeated request, pick lots."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import attrs

from memberops.domain.closing import Closing
from memberops.domain.gift import POINTS
from memberops.domain.gift_flow import FlowRules
from memberops.domain.posting import Movement, Posting
from memberops.errors import (
    InvalidValueError,
    KeyConflictError,
    ReversalError,
    bounded,
)
from memberops.ledger.lots import LotStock, first_expired_first_out
from memberops.ledger.records import Refusal
from memberops.ledger.store import LedgerStore

__all__ = ["answered", "given", "witness_references"]

_ANY_DAY = dt.date.min
_TERMS = ("kind", "effective_at", "reason", "by", "refers_to", "late")
_ENDS = ("gift_id", "source", "destination")


def answered(
    ledger: LedgerStore,
    request: Posting,
    *,
    same: Sequence[str] = _ENDS,
    points: bool = True,
) -> Posting | None:
    """
    Return the posting that a request already became; None if it is new.

    Which lots were picked the first time does not matter: picked again, they would be
    others.

    Args:
        ledger: The ledger.
        request: The posting as it was asked for, before its lots are picked.
        same: The facts of its movements in which both must agree, quantities summed.
        points: Whether movements of points must agree, too; not where they follow
            from those of the gifts.

    Raises:
        KeyConflictError: The key stands for something else.
        ReversalError: It was done, and taken back since: the key is used up.
    """
    entry = ledger.entry(request.posting_id)
    if entry is None:
        return None
    record = entry.record
    first = record.wanted if isinstance(record, Refusal) else record
    if not isinstance(first, Posting):
        name = "closing" if isinstance(first, Closing) else "hold"
        raise KeyConflictError(request.posting_id, [f"type ({name})"])
    differ = [name for name in _TERMS if getattr(first, name) != getattr(request, name)]
    if _sums(first, same, points=points) != _sums(request, same, points=points):
        differ.append("movements")
    if differ:
        raise KeyConflictError(request.posting_id, differ)
    reversal = ledger.reversed_by(request.posting_id)
    if reversal is not None:
        raise ReversalError(
            f"{bounded([request.posting_id])} was done and is reversed, by "
            f"{bounded([reversal])}: done anew, it takes a new number (a delivery the "
            "next one, a receipt the next part)"
        )
    return first


def _sums(
    posting: Posting, same: Sequence[str], *, points: bool
) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for each in posting.movements:
        if points or each.gift_id != POINTS:
            found[tuple(getattr(each, name) for name in same)] += each.quantity
    return found


def given(
    ledger: LedgerStore,
    request: Posting,
    *,
    on: dt.date,
    whatever_its_date: bool = False,
    lot_id: str | None = None,
) -> Posting:
    """
    Fill a request with the lots that expire first, or return what it became before.

    Args:
        ledger: The ledger.
        request: A posting of one movement that names no lot.
        on: Local day: what has expired by then is not given.
        whatever_its_date: Take what has expired, too.
        lot_id: Take only this lot.

    Raises:
        OutOfStockError: There is too little; nothing was written, the key is free.
        UnknownGiftError: The ledger lists its gifts, and not this one.
        KeyConflictError, ReversalError: See `answered`.
    """
    before = answered(ledger, request)
    if before is not None:
        return before
    (wanted,) = request.movements
    # A gift that is not listed is a typing error, not an empty shelf.
    ledger.rules.check_gift(wanted.gift_id, lot_id or "any")
    stock = ledger.lots(wanted.gift_id, wanted.source, as_of=request.effective_at)
    if lot_id is not None:
        stock = tuple(each for each in stock if each.lot.lot_id == lot_id)
    day = _ANY_DAY if whatever_its_date else on
    return attrs.evolve(request, movements=_picked(stock, wanted, day))


def _picked(
    stock: Iterable[LotStock], wanted: Movement, on: dt.date
) -> tuple[Movement, ...]:
    return first_expired_first_out(
        stock,
        wanted.quantity,
        gift_id=wanted.gift_id,
        source=wanted.source,
        destination=wanted.destination,
        on=on,
    )


def witness_references(
    witnesses: Collection[str], *, by: str, rules: FlowRules
) -> list[tuple[str, str]]:
    """
    List the witnesses of a destruction, or refuse it (HQ §7: two witnesses).

    Raises:
        InvalidValueError: Too few different people; who does it is no witness.
    """
    if isinstance(witnesses, str):
        raise InvalidValueError("'witnesses' is a list of ids, not one text")
    others = sorted(set(witnesses) - {by})
    if len(others) < rules.witnesses:
        raise InvalidValueError(
            f"{rules.witnesses} different witnesses are needed beside who does it, "
            f"and there are {len(others)}: {bounded(others)} "
            f"(policy {rules.policy}, version {rules.version})"
        )
    return [("witness", each) for each in others]
