"""Calendar arithmetic that keeps its anchor day; the only importer of dateutil."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Literal

from dateutil.relativedelta import relativedelta

from memberops.errors import ScheduleError

__all__ = ["LeapDay", "add_months", "add_years", "is_month_end", "month_end"]

LeapDay = Literal["clamp", "next_day"]


def add_months(anchor: dt.date, months: int) -> dt.date:
    """
    Add calendar months to an anchor, clamping to the end of a shorter month.

    Always add to the *anchor*, never to the last result: repeated single steps
    drift (31 January, 28 February, 28 March), steps from the anchor do not.

    Args:
        anchor: The day that terms count from.
        months: How many months, negative to go back.

    Raises:
        ScheduleError: The result lies outside the years 1 to 9999.

    >>> [add_months(dt.date(2026, 1, 31), n).isoformat() for n in (1, 2, 3)]
    ['2026-02-28', '2026-03-31', '2026-04-30']
    """
    try:
        return anchor + relativedelta(months=months)
    except (ValueError, OverflowError):
        raise ScheduleError(
            f"{anchor} plus {months} months lies outside the calendar"
        ) from None


def add_years(anchor: dt.date, years: int, *, leap_day: LeapDay = "clamp") -> dt.date:
    """
    Add years to an anchor; 29 February falls by stated rule in common years.

    Args:
        anchor: The day that terms count from.
        years: How many years, negative to go back.
        leap_day: ``"clamp"`` takes 28 February (HQ §4.2), ``"next_day"`` 1 March.

    >>> add_years(dt.date(2024, 2, 29), 1), add_years(dt.date(2024, 2, 29), 4)
    (datetime.date(2025, 2, 28), datetime.date(2028, 2, 29))
    >>> add_years(dt.date(2024, 2, 29), 1, leap_day="next_day")
    datetime.date(2025, 3, 1)
    """
    result = add_months(anchor, 12 * years)
    if leap_day == "next_day" and result.day != anchor.day:
        return result + dt.timedelta(days=1)
    return result


def month_end(day: dt.date) -> dt.date:
    """
    Return the last day of the month of *day*.

    >>> month_end(dt.date(2028, 2, 3))
    datetime.date(2028, 2, 29)
    """
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def is_month_end(day: dt.date) -> bool:
    """Tell whether *day* is the last day of its month."""
    return day == month_end(day)
