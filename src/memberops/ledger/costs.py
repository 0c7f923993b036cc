"""What stock is worth: unit values of the books, and first in, first out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import pandas as pd

from memberops.domain.canonical import MAX_QUANTITY
from memberops.domain.gift import Gift
from memberops.errors import BalanceOverflowError, InvalidValueError

__all__ = ["CostQueue", "stock_values"]

_Layer = tuple[int, int]


def _layers(value: Iterable[Iterable[int]]) -> tuple[_Layer, ...]:
    return tuple((quantity, unit) for quantity, unit in value)


@attrs.frozen
class CostQueue:
    """
    Stock in layers of quantity and unit cost, first in, first out.

    Whole numbers throughout: the cost is in minor units of the currency, so nothing is
    rounded. Stock that is below zero stands as one layer at the last known cost, which
    later receipts fill first.

    Args:
        layers: Pairs of quantity and unit cost, the oldest first.

    >>> queue = CostQueue().received(1, 1000).received(2, 2000)
    >>> queue.issued(2).layers, queue.value
    (((1, 2000),), 5000)
    """

    layers: tuple[_Layer, ...] = attrs.field(default=(), converter=_layers)

    @property
    def quantity(self) -> int:
        """How many there are."""
        return sum(quantity for quantity, _ in self.layers)

    @property
    def value(self) -> int:
        """What they cost, in minor units."""
        return sum(quantity * unit for quantity, unit in self.layers)

    def received(self, quantity: int, unit_cost: int) -> CostQueue:
        """
        Return the queue after a receipt.

        Raises:
            InvalidValueError: The quantity is no whole number from 1, or the cost no
                whole number from 0.
        """
        _check(quantity, 1, "quantity")
        _check(unit_cost, 0, "unit_cost")
        layers = list(self.layers)
        if layers and (layers[-1][1] == unit_cost or layers[-1][0] < 0):
            last, unit = layers.pop()
            unit = unit if last + quantity < 0 else unit_cost
            layers.append((last + quantity, unit))
        else:
            layers.append((quantity, unit_cost))
        return CostQueue(layer for layer in layers if layer[0])

    def issued(self, quantity: int, unit_cost: int = 0) -> CostQueue:
        """
        Return the queue after the oldest were taken.

        Args:
            quantity: How many.
            unit_cost: Cost of what is taken below zero, where no layer tells it.

        Raises:
            InvalidValueError: See `received`.
        """
        _check(quantity, 1, "quantity")
        _check(unit_cost, 0, "unit_cost")
        layers = list(self.layers)
        last_unit = layers[-1][1] if layers else unit_cost
        while quantity and layers and layers[0][0] > 0:
            held, unit = layers.pop(0)
            taken = min(held, quantity)
            quantity -= taken
            if held > taken:
                layers.insert(0, (held - taken, unit))
        if quantity:
            below, unit = layers[0] if layers else (0, last_unit)
            layers = [(below - quantity, unit)]
        return CostQueue(layers)


def _check(value: object, least: int, name: str) -> None:
    if type(value) is not int or value < least:
        raise InvalidValueError(
            f"{name!r} is a whole number from {least} (got a {type(value).__name__})"
        )


def stock_values(
    balances: pd.DataFrame, gifts: Iterable[Gift] | Mapping[str, Gift]
) -> pd.DataFrame:
    """
    Add what each balance is worth by the unit values of its gifts.

    Args:
        balances: A frame with gift_id and quantity (`memberops.ledger.balances`).
        gifts: The gifts, of one currency.

    Returns:
        The frame with `unit_value` and `value`, Int64 minor units; missing where the
        gift or its value is not known.

    Raises:
        BalanceOverflowError: A value would leave 64 bits.
        InvalidValueError: The gifts have values of several currencies.
    """
    known = gifts.values() if isinstance(gifts, Mapping) else gifts
    priced = {gift.gift_id: gift.unit_value for gift in known if gift.unit_value}
    if len({money.currency for money in priced.values()}) > 1:
        raise InvalidValueError("the gifts have values of several currencies")
    units = [
        priced[each].minor if each in priced else None for each in balances["gift_id"]
    ]
    values = [
        None if unit is None else unit * int(quantity)
        for unit, quantity in zip(units, balances["quantity"], strict=True)
    ]
    if any(value is not None and abs(value) > MAX_QUANTITY for value in values):
        raise BalanceOverflowError("the value of a balance would leave 64 bits")
    return balances.assign(
        unit_value=pd.array(units, dtype="Int64"), value=pd.array(values, dtype="Int64")
    )
