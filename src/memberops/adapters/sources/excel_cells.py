"""
The cells of a sheet as text that is read back exactly, or refused with a reason.

A spreadsheet keeps numbers as binary fractions of 15 decimal digits. A whole number
is written without a point, so that an id is an id again. A number that no longer has
all its digits is written in scientific notation, which every reader refuses.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np

__all__ = ["CellText", "exact_number", "looks_rounded"]

_EXACT = 10**15
_CENTS = 10**13
_ELEVEN_DIGITS = 10**10
_ZEROS = 10**5
_NOISE = 4
_SHOWN = 15
_POINT_ZERO = -2


def looks_rounded(value: float) -> bool:
    """
    Tell whether a whole number has the digits that ``1.23457E+10`` leaves of an id.

    >>> looks_rounded(12345700000.0), looks_rounded(13800138000.0)
    (True, False)
    """
    large = math.isfinite(value) and abs(value) >= _ELEVEN_DIGITS
    return large and value == int(value) and int(value) % _ZEROS == 0


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
    if abs(value) >= _CENTS:  # of 15 digits less than two stand behind the point
        return _scientific(value), False
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
    timed: bool = False
    noisy: int = 0
    destroyed: int = 0
    days: int = 0

    def write_all(
        self, cells: Sequence[Any], times: Sequence[int], moments: range = range(0)
    ) -> list[str]:
        """
        Write the different cells of a column.

        What all cells of a type have in common is asked of them together.

        Args:
            cells: The cells.
            times: How often each stands in the column.
            moments: The positions of those that are the text of a moment.
        """
        texts = list(cells)
        places: dict[type, list[int]] = {}
        for at, kind in enumerate(map(type, cells)):
            if kind is not str:
                places.setdefault(kind, []).append(at)
        others = places.get(dt.datetime, ())
        self.days += sum(times[at] for at in moments)
        self.days += sum(times[at] for at in others)
        self.timed = self.days > 0
        for kind, chosen in places.items():
            given = [cells[at] for at in chosen]
            if kind is float:
                written = self._numbers(given, [times[at] for at in chosen])
            elif kind is dt.datetime:
                written = [cell.isoformat(" ") for cell in given]
            else:
                written = [
                    self._write(cell, times[at])
                    for cell, at in zip(given, chosen, strict=True)
                ]
            for at, text in zip(chosen, written, strict=True):
                texts[at] = text
        return texts

    def _numbers(self, given: list[float], times: list[int]) -> list[str]:
        """Write numbers: whole ones, and those of few digits, without a look each."""
        values = np.array(given) + 0.0  # and no minus before a zero
        whole = (np.abs(values) < _EXACT) & (np.trunc(values) == values)
        if self.words:
            large = whole & (np.abs(values) >= _ELEVEN_DIGITS)
            whole[large] = np.fmod(values[large], _ZEROS) != 0
        texts = [
            text[:_POINT_ZERO] if plain else text
            for text, plain in zip(
                map(repr, values.tolist()), whole.tolist(), strict=True
            )
        ]
        for at in np.flatnonzero(~whole).tolist():
            # A point among 15 signs leaves so few digits that none is noise or lost.
            text = texts[at]
            if len(text) > _SHOWN or "e" in text or "n" in text or text[-2:] == ".0":
                texts[at] = self._number(given[at], times[at])
        return texts

    def _write(self, cell: Any, times: int) -> str:
        """Write a cell that stands in the column so many times."""
        if isinstance(cell, bool):
            return "yes" if cell else "no"
        if isinstance(cell, int):
            return self._number(cell, times)
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
