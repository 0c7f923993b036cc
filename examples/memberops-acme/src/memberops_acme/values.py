"""One JSON value of Acme as what a canonical column holds, or a refusal."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from memberops.errors import InvalidValueError
from memberops.tables import Column, Kind

if TYPE_CHECKING:
    from memberops.adapters.sources import SourceContext

__all__ = ["RefusedError", "convert"]

MAX_INT64 = 2**63 - 1
LENGTH_OF_DATE = len("2026-10-05")


class RefusedError(Exception):
    """A row that cannot be taken: by which rule, and for which column."""

    def __init__(self, rule: str, column: str | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.column = column


def convert(column: Column, value: Any, context: SourceContext) -> Any:
    """
    Convert one value.

    Args:
        column: What it shall be.
        value: What JSON gave: numbers with a point come as `Decimal`, never as float.
        context: Gives the digits of money, and the zone in which a day begins.

    Raises:
        RefusedError: It is missing though required, or cannot be read.
    """
    if value is None or value == "":
        if column.required:
            raise RefusedError("value-missing", column.name)
        return None
    try:
        return CONVERTERS[column.kind](column, value, context)
    except (ValueError, ArithmeticError):
        raise RefusedError("value-invalid", column.name) from None


def text(_column: Column, value: Any, _context: SourceContext) -> str:
    """Take text as it is; a number as an id would have lost its leading zeros."""
    if not isinstance(value, str) or value != value.strip():
        raise InvalidValueError("not text")
    value.encode()  # half of a surrogate pair is a ValueError here
    return value


def word(column: Column, value: Any, context: SourceContext) -> str:
    """Map a spelling to its word; one that is not known to ``"unknown"``."""
    spelling = text(column, value, context).casefold()
    return dict(column.choices).get(spelling, "unknown")


def day(_column: Column, value: Any, context: SourceContext) -> dt.date:
    """Read an ISO date, or the day of a moment in the chain's zone."""
    if not isinstance(value, str):
        raise InvalidValueError("not text")
    if len(value) == LENGTH_OF_DATE:
        return dt.date.fromisoformat(value)
    return moment(_column, value, context).astimezone(context.zone).date()


def moment(_column: Column, value: Any, context: SourceContext) -> dt.datetime:
    """Read an ISO moment; one without an offset is local."""
    if not isinstance(value, str) or len(value) <= LENGTH_OF_DATE:
        raise InvalidValueError("not a moment")
    read = dt.datetime.fromisoformat(value)
    if read.tzinfo is None:
        read = read.replace(tzinfo=context.zone)
    return read.astimezone(dt.UTC)


def whole(_column: Column, value: Any, _context: SourceContext) -> int:
    """Take a whole number of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INT64:
        raise InvalidValueError("not a whole number of 64 bits")
    return value


def money(_column: Column, value: Any, context: SourceContext) -> int:
    """Take an amount of major units as whole minor units, exactly."""
    if not isinstance(value, (str, int, Decimal)):
        raise InvalidValueError("not an amount")
    return context.currency.to_minor(value)


CONVERTERS = {
    Kind.ID: text,
    Kind.TEXT: text,
    Kind.CHOICE: word,
    Kind.DATE: day,
    Kind.INSTANT: moment,
    Kind.INTEGER: whole,
    Kind.MONEY: money,
}
