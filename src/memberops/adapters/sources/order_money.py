"""Money in orders of shop systems: exact, and what was paid back beyond goods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from memberops.adapters.sources.order_tickets import MONEY_BACK
from memberops.adapters.sources.rest_paths import look_up
from memberops.errors import SourceError

__all__ = ["amount_at", "beyond_goods", "sum_at"]


def amount_at(record: Any, path: str) -> Decimal:
    """
    Return the amount at a path, 0 where there is none.

    Raises:
        SourceError: What stands there is no amount.

    >>> amount_at({"total": "19.90"}, "total"), amount_at({}, "total")
    (Decimal('19.90'), Decimal('0'))
    """
    value = look_up(record, path)
    if value in (None, ""):
        return Decimal(0)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise SourceError(f"at {path[:80]!r} of a record stands no amount")
    return found


def sum_at(records: Iterable[Any] | None, *paths: str) -> Decimal:
    """
    Add up the amounts at some paths of some records.

    >>> sum_at([{"total": "9.00", "tax": "1.00"}, {"total": "-5.00"}], "total", "tax")
    Decimal('5.00')
    """
    return sum(
        (amount_at(each, path) for each in records or () for path in paths),
        Decimal(0),
    )


def beyond_goods(amount: Decimal) -> list[Mapping[str, Any]]:
    """
    Return the line of money that was paid back beyond what came back, if there is any.

    >>> [str(line["amount"]) for line in beyond_goods(Decimal("4.00"))]
    ['4.00']
    >>> beyond_goods(Decimal(0))
    []
    """
    line = {"name": MONEY_BACK, "quantity": 0, "amount": amount}
    return [line] if amount > 0 else []
