"""
The cells of a sheet as text that is read back exactly, or refused with a reason.

A spreadsheet keeps numbers as binary fractions of 15 decimal digits. A whole number
is written without a point, so that an id is an id again. A number that no longer has
all its digits is written in scientific notation, which every reader refuses.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

__all__ = ["CellText", "exact_number", "has_time", "looks_rounded"]

_EXACT = 10**15
_ELEVEN_DIGITS = 10**10
_ZEROS = 10**5
_NOISE = 4
_SHOWN = 15


def looks_rounded(value: float) -> bool:
    """
    Tell whether a whole number has the digits that ``1.23457E+10`` leaves of an id.

    >>> looks_rounded(12345700000.0), looks_rounded(13800138000.0)
    (True, False)
    """
    whole = abs(value) >= _ELEVEN_DIGITS and value == int(value)
    return whole and int(value) % _ZEROS == 0


def exact_number(value: float) -> tuple[str, bool]:
    """
    Write a number as the shortest decimal text that means the same, and no float.

    Where binary arithmetic left noise beyond the 15 digits that a spreadsheet keeps,
    the 15 digits are taken, which is told by the second part of the answer.

    >>> exact_number(13800138000.0), exact_number(19.899999999999999)
    (('13800138000', False), ('19.9', False))
    >>> exact_number(0.1 + 0.2), exact_number(1234567890123456789.0)
    (('0.3', True), ('1.2345678901234568E+18', False))
    """
    if not math.isfinite(value):
        return "#NUM!", False
    if value == int(value):
        large = abs(value) >= _EXACT
        return (_scientific(value) if large else str(int(value))), False
    text = repr(value)
    short = f"{value:.{_SHOWN}g}"
    noisy = len(text) > len(short)
    if noisy and abs(float(short) - value) <= _NOISE * math.ulp(value):
        text = short
    else:
        noisy = False
    return (f"{Decimal(text):f}" if "e" in text else text), noisy


def _scientific(value: float) -> str:
    mantissa, _, power = f"{value:.16E}".partition("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{power}"


@attrs.define
class CellText:
    """
    Writes the cells of one column as text, and counts what was odd about them.

    Args:
        words: Whether the column holds ids or texts: a rounded number is refused.
        timed: Whether any cell of the column has a time: then a day is a midnight.
        noisy: How many numbers had noise beyond 15 digits.
        destroyed: How many numbers had lost digits.
        days: How many cells were dates.
    """

    words: bool
    timed: bool
    noisy: int = 0
    destroyed: int = 0
    days: int = 0

    def write(self, cell: Any, times: int) -> str:  # noqa: PLR0911 - one a type
        """Write a cell that stands in the column so many times."""
        if isinstance(cell, str):
            return cell
        if isinstance(cell, bool):
            return "yes" if cell else "no"
        if isinstance(cell, int | float):
            return self._number(cell, times)
        if isinstance(cell, dt.datetime):
            self.days += times
            return cell.isoformat(sep=" ")
        if isinstance(cell, dt.date):
            self.days += times
            return f"{cell} 00:00:00" if self.timed else cell.isoformat()
        if isinstance(cell, dt.timedelta):
            seconds = round(cell.total_seconds())
            sign = "-" if seconds < 0 else ""
            minutes, second = divmod(abs(seconds), 60)
            return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{second:02}"
        return cell.isoformat() if isinstance(cell, dt.time) else str(cell)

    def _number(self, value: float, times: int) -> str:
        if self.words and looks_rounded(value):
            self.destroyed += times
            return _scientific(value)
        text, noisy = exact_number(value)
        self.noisy += times if noisy else 0
        self.destroyed += times if "E" in text else 0
        return text


def has_time(cells: Iterable[Any]) -> bool:
    """Tell whether any cell is a moment with a time of day."""
    return any(isinstance(cell, dt.datetime) for cell in cells)
