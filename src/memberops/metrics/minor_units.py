"""The door for a column of amounts that are not whole minor units yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pandas as pd

from memberops.domain.money import Currency, money_from_float
from memberops.errors import ColumnTypeError

__all__ = ["MinorUnits", "minor_units"]


@attrs.frozen(eq=False)
class MinorUnits:
    """
    A column of amounts as whole minor units, and what that changed.

    Args:
        minor: ``int64``, or ``Int64`` where an amount is missing.
        changed: How many amounts were rounded.
        largest_change: The largest change, in major units.
    """

    minor: pd.Series[int] = attrs.field(repr=False)
    changed: int
    largest_change: Decimal


def minor_units(amounts: Any, *, currency: Currency) -> MinorUnits:
    """
    Turn amounts in major units into whole minor units, telling what was rounded.

    Decimals, whole numbers and text convert exactly or are refused. Floats are read as
    their shortest decimal text and rounded half up: 2.675 is 2.68, whatever its binary
    digits are.

    Args:
        amounts: A pandas series, or anything it can be made of.
        currency: Whose digits count.

    Returns:
        `MinorUnits`; missing amounts stay missing.

    Raises:
        InvalidValueError: An amount is infinite, no number, or has more digits than
            the currency where it is not a float.
        ColumnTypeError: A column of booleans or dates.

    >>> rounded = minor_units([19.9, 2.675, 0.005], currency=Currency("CNY"))
    >>> rounded.minor.tolist(), rounded.changed, rounded.largest_change
    ([1990, 268, 1], 2, Decimal('0.005'))
    """
    column = pd.Series(amounts)
    if column.dtype == bool or pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise ColumnTypeError(f"a column of {column.dtype} holds no amounts")
    codes, distinct = pd.factorize(column)
    changes = [_convert(value, currency) for value in distinct]
    minor = pd.array([units for units, _ in changes], dtype="Int64")
    rounded = pd.Series([change != 0 for _, change in changes], dtype="bool")
    known = codes >= 0
    values = pd.Series(
        minor.take(codes, allow_fill=True), index=column.index, name=column.name
    )
    return MinorUnits(
        values.astype("int64") if known.all() else values,
        int(rounded.to_numpy()[codes[known]].sum()) if len(distinct) else 0,
        max((abs(change) for _, change in changes), default=Decimal(0)),
    )


def _convert(value: Any, currency: Currency) -> tuple[int, Decimal]:
    if isinstance(value, float):
        plain = float(value)
        money = money_from_float(plain, currency).money
        return money.minor, money.amount - Decimal(repr(plain))
    whole = int(value) if hasattr(value, "__index__") else value
    return currency.to_minor(whole), Decimal(0)
