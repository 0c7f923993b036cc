"""How long a membership runs, counted from the day it first began (HQ §4.2)."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

import attrs

from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError
from memberops.schedules import Period
from memberops.schedules.dates import (
    LeapDay,
    add_days,
    add_months,
    check_leap_day,
    check_whole,
    is_month_end,
    month_end,
)
from memberops.schedules.terms import TermUnit, term_end, term_number, term_start

__all__ = ["Term", "membership_year", "not_negative"]

_YEAR = 12


def not_negative(_instance: object, attribute: Any, value: Any) -> None:
    """Refuse a number of days or months that is not whole, or below 0 (validator)."""
    whole_number(_instance, attribute, value)
    if value < 0:
        raise InvalidValueError(f"{attribute.name!r} must be 0 or more, not {value}")


@attrs.frozen(kw_only=True)
class Term:
    """
    The length of a membership term; both of a term's days are inclusive.

    Terms count from the anchor, never from the term before: a card that began on
    31 January or 29 February keeps its day wherever the month has it.

    Args:
        count: How many units, 1 or more.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        leap_day: Where a whole year from 29 February falls in common years:
            ``"clamp"`` on 28 February (HQ §4.2), ``"next_day"`` on 1 March.

    Raises:
        ScheduleError: The count is below 1, or the unit or rule is not known.

    >>> year = Term()
    >>> year.end(dt.date(2026, 1, 1))
    datetime.date(2026, 12, 31)
    >>> [str(Term(count=1).start(dt.date(2026, 1, 31), n)) for n in (2, 3)]
    ['2026-02-28', '2026-03-31']
    """

    count: int = 12
    unit: TermUnit = "months"
    leap_day: LeapDay = "clamp"

    def __attrs_post_init__(self) -> None:
        """Refuse a length that no term can have."""
        self.start(dt.date(2000, 1, 1))

    def start(self, anchor: dt.date, number: int = 1) -> dt.date:
        """Return the first day of the n-th term that counts from *anchor*."""
        return term_start(
            anchor,
            count=self.count,
            unit=self.unit,
            number=number,
            leap_day=self.leap_day,
        )

    def end(self, anchor: dt.date, number: int = 1) -> dt.date:
        """Return the last day, still valid, of the n-th term from *anchor*."""
        return term_end(
            anchor,
            count=self.count,
            unit=self.unit,
            number=number,
            leap_day=self.leap_day,
        )

    def period(self, anchor: dt.date, number: int = 1) -> Period:
        """
        Return the n-th term as a period.

        >>> Term().period(dt.date(2024, 2, 29), 2).label
        '2025-02-28..2026-02-27'
        """
        return Period.span(self.start(anchor, number), self.end(anchor, number))

    def number(self, anchor: dt.date, day: dt.date) -> int:
        """Return which term, counted from 1, holds *day*."""
        return term_number(
            anchor, day, count=self.count, unit=self.unit, leap_day=self.leap_day
        )

    def end_from(
        self, first: dt.date, anchor: dt.date, terms: int = 1
    ) -> dt.date | None:
        """
        Return the last day of the terms that begin on *first*, kept on the anchor.

        The term before may have had another length: what counts is that *first* is
        a day on which the anchor's months begin. None if it is not.

        Args:
            first: The first day of the term.
            anchor: The first day of the first term.
            terms: How many terms, one after the other.

        >>> Term().end_from(dt.date(2026, 2, 28), dt.date(2025, 8, 31))
        datetime.date(2027, 2, 27)
        >>> Term().end_from(dt.date(2026, 2, 27), dt.date(2025, 8, 31))
        """
        if self.unit in ("days", "weeks"):
            return self.end(first, terms)
        months = (first.year - anchor.year) * _YEAR + first.month - anchor.month
        length = self.count * check_whole(terms, "terms", least=1)
        length *= _YEAR if self.unit == "years" else 1
        # One month back as well: the anniversary of 29 February may be 1 March.
        for steps in (months, months - 1):
            if steps >= 0 and self._after(anchor, steps) == first:
                return add_days(self._after(anchor, steps + length), -1)
        return None

    def _after(self, anchor: dt.date, months: int) -> dt.date:
        return term_start(
            anchor, count=1, unit="months", number=months + 1, leap_day=self.leap_day
        )


@lru_cache(maxsize=4096)
def membership_year(
    valid_through: dt.date, anchor_day: int = 1, *, leap_day: LeapDay = "clamp"
) -> Period:
    """
    Return the 12 months that end on *valid_through* (HQ §4.2).

    Args:
        valid_through: Last day of the term, inclusive.
        anchor_day: Day of the month on which the card first began: with 29 and
            more, a year whose next day was clamped to 28 February begins on
            29 February where the year before has one.
        leap_day: ``"next_day"`` for a card that began on 29 February and whose years
            begin on 1 March in common years, as `Term` has it.

    >>> membership_year(dt.date(2026, 12, 31)).label
    '2026-01-01..2026-12-31'
    >>> membership_year(dt.date(2025, 2, 27), anchor_day=29).start
    datetime.date(2024, 2, 29)
    >>> membership_year(dt.date(2028, 2, 28), 29, leap_day="next_day").start
    datetime.date(2027, 3, 1)
    """
    check_leap_day(leap_day)
    if valid_through == dt.date.max:
        return Period.span(valid_through.replace(month=1, day=1), valid_through)
    after = add_days(valid_through, 1)
    start = add_months(after, -_YEAR)
    if leap_day == "next_day":
        if (after.month, after.day) == (2, 29):
            start = start.replace(month=3, day=1)
        elif (after.month, valid_through.day) == (3, 28):
            # The year before may have had its 29 February.
            start = add_days(dt.date(start.year, 2, 28), 1)
        return Period.span(start, valid_through)
    if anchor_day > after.day and is_month_end(after):
        start = start.replace(day=min(anchor_day, month_end(start).day))
    return Period.span(start, valid_through)
