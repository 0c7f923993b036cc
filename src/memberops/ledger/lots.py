"""Lots: what each holds at a place, and which are given first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain.gift import Lot
from memberops.domain.posting import Movement
from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, OutOfStockError

__all__ = ["LotStock", "first_expired_first_out"]


@attrs.frozen(kw_only=True)
class LotStock:
    """
    What a place has of one lot at a moment.

    Args:
        lot: The lot; its id is ``""`` for goods without lots.
        quantity: How many are there.
        available: How many can be taken: fewer than are there if a later entry
            takes them, or if they are held.
    """

    lot: Lot
    quantity: int
    available: int


def _order(stock: LotStock) -> tuple[dt.date, str]:
    return stock.lot.valid_through or dt.date.max, stock.lot.lot_id


def first_expired_first_out(
    stock: Iterable[LotStock],
    quantity: int,
    *,
    gift_id: str,
    source: str,
    destination: str,
    on: dt.date,
    expired: bool = False,
) -> tuple[Movement, ...]:
    """
    Pick lots for a quantity: the one that expires first is given first (CLINIC).

    Lots that keep come last; lots of one day go by their ids. What has expired is
    left out, by the one rule of `Lot.expired`: a lot is good through its last day.

    Args:
        stock: What the place has, as `LedgerStore.lots` tells.
        quantity: How many, 0 or more.
        gift_id: Of which gift.
        source: From where.
        destination: To where.
        on: Local calendar day of the place.
        expired: Pick only what has expired, for destruction.

    Returns:
        The movements, one per lot.

    Raises:
        OutOfStockError: The lots together have too few; nothing is picked, and no key
            is spent.
        InvalidValueError: The quantity is no whole number, or below 0.

    >>> def lot(name, day, available):
    ...     return LotStock(lot=Lot(lot_id=name, valid_through=dt.date(2026, 9, day)),
    ...                     quantity=available, available=available)
    >>> picked = first_expired_first_out([lot("B", 9, 3), lot("A", 3, 2)], 4,
    ...     gift_id="G1", source="store:S1", destination="member",
    ...     on=dt.date(2026, 9, 3))
    >>> [(each.lot_id, each.quantity) for each in picked]
    [('A', 2), ('B', 2)]
    """
    if type(quantity) is not int or quantity < 0:
        raise InvalidValueError(
            f"'quantity' is a whole number from 0 (got a {type(quantity).__name__})"
        )
    day = check_as_of(on)
    lots = sorted(
        (each for each in stock if each.lot.expired(day) is expired), key=_order
    )
    available = sum(max(each.available, 0) for each in lots)
    if available < quantity:
        raise OutOfStockError(gift_id, source, "", quantity, available, spent=False)
    picked: list[Movement] = []
    for each in lots:
        taken = min(each.available, quantity)
        if taken > 0:
            picked.append(
                Movement(
                    gift_id=gift_id,
                    source=source,
                    destination=destination,
                    quantity=taken,
                    lot_id=each.lot.lot_id or None,
                    valid_through=each.lot.valid_through,
                )
            )
            quantity -= taken
    return tuple(picked)
