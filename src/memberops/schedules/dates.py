"""
Calendar arithmetic that keeps its anchor day, exact at month ends and 29 February.

Plain integers do the work: a till asks for a term's end within microseconds, and
dateutil's general `relativedelta` takes several times as long for the same answer
(the tests hold the two equal).
"""

from __future__ import annotations

import calendar
import datetime as dt
import operator
from typing import Literal, SupportsIndex, cast, get_args

from memberops.errors import ScheduleError, bounded, nearest

__all__ = [
    "LeapDay",
    "a_year_before",
    "add_days",
    "add_months",
    "add_years",
    "check_day",
    "check_leap_day",
    "check_whole",
    "completed_years",
    "is_month_end",
    "lapse_cutoff",
    "month_end",
    "month_length",
]

LeapDay = Literal["clamp", "next_day"]

_MONTHS = 12
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_LEAP_DAYS: tuple[str, ...] = get_args(LeapDay)


def check_day(day: object, name: str = "day") -> dt.date:
    """
    Return *day* if it is a plain date, else raise with the way to make one.

    A moment is refused, because the day it falls on depends on the store's zone.
    The error names the type and never the value, which may be a birth date.

    Args:
        day: What was given.
        name: What the caller calls it.

    Raises:
        ScheduleError: It is a datetime (a pandas Timestamp is one too) or no date.

    >>> check_day(dt.date(2026, 11, 5))
    datetime.date(2026, 11, 5)
    """
    if isinstance(day, dt.datetime):
        raise ScheduleError(
            f"{name!r} must be a date without time, not a {type(day).__name__}: "
            "convert it to the store's zone first, as in "
            "moment.astimezone(zone).date()"
        )
    if not isinstance(day, dt.date):
        raise ScheduleError(
            f"{name!r} must be a datetime.date, not a {type(day).__name__}: "
            "datetime.date.fromisoformat('2026-11-05') makes one"
        )
    return day


def check_whole(number: object, name: str, *, least: int | None = None) -> int:
    """
    Return *number* as an int if it is whole and not below *least*, else raise.

    Args:
        number: What was given; numpy's integers are welcome, a bool is no number.
        name: What the caller calls it.
        least: The smallest number allowed, if there is one.

    >>> check_whole(3, "months", least=0)
    3
    """
    if type(number) is int and (least is None or number >= least):
        return number
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise ScheduleError(
            f"{name!r} must be a whole number, not a {type(number).__name__}"
        )
    whole = operator.index(cast("SupportsIndex", number))
    if least is not None and whole < least:
        raise ScheduleError(f"{name!r} must be {least} or more, not {bounded([whole])}")
    return whole


def check_leap_day(leap_day: str) -> None:
    """
    Refuse a rule for 29 February that does not exist, even where it is not needed.

    A misspelt policy is found when it is first used, not in the next leap year.

    >>> check_leap_day("clamp")
    """
    if leap_day not in _LEAP_DAYS:
        raise ScheduleError(
            f"no rule for 29 February is called {bounded([leap_day])}: "
            f"{nearest(str(leap_day), _LEAP_DAYS)}"
        )


def month_length(year: int, month: int) -> int:
    """
    Return how many days a month has.

    >>> month_length(2028, 2), month_length(2026, 2), month_length(2100, 2)
    (29, 28, 28)
    """
    return _LENGTHS[month - 1] + (month == _FEBRUARY and calendar.isleap(year))


def add_days(anchor: dt.date, days: int) -> dt.date:
    """
    Add days to a date.

    Args:
        anchor: The day to count from.
        days: How many days, negative to go back.

    Raises:
        ScheduleError: The result lies outside the years 1 to 9999.

    >>> add_days(dt.date(2023, 3, 1), 365)
    datetime.date(2024, 2, 29)
    """
    check_day(anchor, "anchor")
    whole = check_whole(days, "days")
    try:
        return anchor + dt.timedelta(days=whole)
    except OverflowError:
        raise ScheduleError(_outside(days, "days")) from None


def add_months(anchor: dt.date, months: int) -> dt.date:
    """
    Add calendar months to an anchor, clamping to the end of a shorter month.

    Always add to the *anchor*, never to the last result: repeated single steps
    drift (31 January, 28 February, 28 March), steps from the anchor do not.
    HQ §6.3 counts visits and lapse in these months.

    Args:
        anchor: The day that terms count from.
        months: How many months, negative to go back.

    Raises:
        ScheduleError: The result lies outside the years 1 to 9999, or the anchor
            is no plain date, or the months are no whole number.

    >>> [add_months(dt.date(2026, 1, 31), n).isoformat() for n in (1, 2, 3)]
    ['2026-02-28', '2026-03-31', '2026-04-30']
    """
    check_day(anchor, "anchor")
    total = anchor.year * _MONTHS + anchor.month - 1 + check_whole(months, "months")
    year, month = divmod(total, _MONTHS)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise ScheduleError(_outside(months, "months"))
    month += 1
    return dt.date(year, month, min(anchor.day, month_length(year, month)))


def add_years(anchor: dt.date, years: int, *, leap_day: LeapDay = "clamp") -> dt.date:
    """
    Add years to an anchor; 29 February falls by stated rule in common years.

    Args:
        anchor: The day that terms count from.
        years: How many years, negative to go back.
        leap_day: ``"clamp"`` takes 28 February (HQ §4.2), ``"next_day"`` 1 March.

    Raises:
        ScheduleError: As `add_months`, or the rule has no such name.

    >>> add_years(dt.date(2024, 2, 29), 1), add_years(dt.date(2024, 2, 29), 4)
    (datetime.date(2025, 2, 28), datetime.date(2028, 2, 29))
    >>> add_years(dt.date(2024, 2, 29), 1, leap_day="next_day")
    datetime.date(2025, 3, 1)
    """
    check_leap_day(leap_day)
    result = add_months(anchor, _MONTHS * check_whole(years, "years"))
    if leap_day == "next_day" and result.day != anchor.day:
        return result + dt.timedelta(days=1)
    return result


def month_end(day: dt.date) -> dt.date:
    """
    Return the last day of the month of *day*.

    >>> month_end(dt.date(2028, 2, 3))
    datetime.date(2028, 2, 29)
    """
    check_day(day)
    return day.replace(day=month_length(day.year, day.month))


def is_month_end(day: dt.date) -> bool:
    """
    Tell whether *day* is the last day of its month.

    >>> is_month_end(dt.date(2028, 2, 28)), is_month_end(dt.date(2027, 2, 28))
    (False, True)
    """
    return day == month_end(day)


def lapse_cutoff(day: dt.date, months: int) -> dt.date:
    """
    Return the latest day that lies *months* calendar months or more before *day*.

    ``add_months(last, months) <= day`` holds exactly when
    ``last <= lapse_cutoff(day, months)``: a whole column of last purchases is
    compared with one date (HQ §5.4, lapse). At a month's end the cutoff is a
    month's end too, for the days that a short month lacks clamp onto its last.

    Args:
        day: The day for which lapse is asked.
        months: After how many months without a purchase a member has lapsed.

    Raises:
        ScheduleError: Fewer than 0 months, or the cutoff lies before the year 1.

    >>> lapse_cutoff(dt.date(2026, 2, 28), 3), lapse_cutoff(dt.date(2026, 2, 27), 3)
    (datetime.date(2025, 11, 30), datetime.date(2025, 11, 27))
    """
    cutoff = add_months(day, -check_whole(months, "months", least=0))
    return month_end(cutoff) if is_month_end(day) else cutoff


def completed_years(birth: dt.date, on: dt.date, *, leap_day: LeapDay = "clamp") -> int:
    """
    Count the years completed since a birth, an enrolment or another first day.

    A year is complete on the anniversary itself. Errors never show the birth date.

    Args:
        birth: The first day.
        on: The day for which the count is asked.
        leap_day: Where the anniversary of 29 February falls in common years:
            ``"clamp"`` on 28 February, ``"next_day"`` on 1 March.

    Raises:
        ScheduleError: *on* lies before *birth*.

    >>> completed_years(dt.date(2004, 2, 29), dt.date(2026, 2, 28))
    22
    >>> completed_years(dt.date(2004, 2, 29), dt.date(2026, 2, 28),
    ...     leap_day="next_day")
    21
    """
    check_day(birth, "birth")
    check_day(on, "on")
    check_leap_day(leap_day)
    if on < birth:
        raise ScheduleError(
            f"'on' ({on}) lies before the first day: no year can be complete"
        )
    years = on.year - birth.year
    return years - (add_years(birth, years, leap_day=leap_day) > on)


def _outside(number: int, unit: str) -> str:
    return (
        f"moving the date by {bounded([number])} {unit} leaves the calendar, "
        "which holds the years 1 to 9999"
    )


def a_year_before(first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """
    Return the same days of the year before; whole months stay whole.

    >>> a_year_before(dt.date(2025, 1, 1), dt.date(2025, 2, 28))
    (datetime.date(2024, 1, 1), datetime.date(2024, 2, 29))
    >>> a_year_before(dt.date(2025, 2, 11), dt.date(2025, 2, 28))
    (datetime.date(2024, 2, 11), datetime.date(2024, 2, 28))
    """
    before = add_years(last, -1)
    whole = first.day == 1 and is_month_end(last)
    return add_years(first, -1), month_end(before) if whole else before
