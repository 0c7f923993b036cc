"""Membership terms: where the n-th one begins and ends, counted from the anchor."""

from __future__ import annotations

import datetime as dt
from typing import Literal, get_args

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import (
    LeapDay,
    add_days,
    add_months,
    add_years,
    check_day,
    check_leap_day,
    check_whole,
)

__all__ = ["TermUnit", "term_end", "term_number", "term_start"]

TermUnit = Literal["days", "weeks", "months", "years"]

_UNITS: tuple[str, ...] = get_args(TermUnit)
_WEEK = 7
_MONTHS = 12


def term_start(
    anchor: dt.date,
    *,
    count: int,
    unit: TermUnit,
    number: int = 1,
    leap_day: LeapDay = "clamp",
) -> dt.date:
    """
    Return the first day of the n-th term that counts from *anchor* (HQ §4.2).

    The first term begins on the anchor, the n-th on anchor + (n - 1) terms. A
    day that the month lacks falls on the month's last: a card that began on
    29 February begins its next terms on 28 February in common years and on
    29 February in leap years; one that began on the 31st never drifts.

    Args:
        anchor: The first day of the first term, such as `Card.anchor`.
        count: How many units one term lasts, 1 or more.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        number: Which term, counted from 1.
        leap_day: For whole years from 29 February: ``"clamp"`` or
            ``"next_day"``, as in `add_years`.

    Raises:
        ScheduleError: An unknown unit or rule, a count or number below 1, or a
            day outside the calendar.

    >>> first = dt.date(2024, 2, 29)
    >>> [str(term_start(first, count=12, unit="months", number=n)) for n in (2, 5)]
    ['2025-02-28', '2028-02-29']
    """
    steps = check_whole(number, "number", least=1) - 1
    return _after(anchor, steps, count, unit, leap_day)


def term_end(
    anchor: dt.date,
    *,
    count: int,
    unit: TermUnit,
    number: int = 1,
    leap_day: LeapDay = "clamp",
) -> dt.date:
    """
    Return the last day, still valid, of the n-th term that counts from *anchor*.

    The rule is **end = anchor + n terms - 1 day**: the day before the next term
    begins, so terms lie side by side without a gap or a shared day (HQ §4.2, both
    dates inclusive). What renews on 28 February is therefore the *first* day of a
    card that began on 29 February; its last day is 27 February in common years. A
    card whose *last* day is 29 February (it began on 1 March) ends on 28 February
    in common years and on 29 February in leap years.

    Args:
        anchor: The first day of the first term, such as `Card.anchor`; never the
            first day of a later term, which may have been clamped.
        count: How many units one term lasts, 1 or more.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        number: Which term, counted from 1.
        leap_day: For whole years from 29 February: ``"clamp"`` or
            ``"next_day"``, as in `add_years`; with the latter the term from
            29 February 2024 ends on 28 February 2025.

    Raises:
        ScheduleError: As `term_start`.

    >>> term_end(dt.date(2026, 1, 1), count=12, unit="months")
    datetime.date(2026, 12, 31)
    >>> first = dt.date(2024, 2, 29)
    >>> [str(term_end(first, count=1, unit="years", number=n)) for n in (1, 4)]
    ['2025-02-27', '2028-02-28']
    """
    steps = check_whole(number, "number", least=1)
    return add_days(_after(anchor, steps, count, unit, leap_day), -1)


def term_number(
    anchor: dt.date,
    day: dt.date,
    *,
    count: int,
    unit: TermUnit,
    leap_day: LeapDay = "clamp",
) -> int:
    """
    Return which term, counted from 1, holds *day*.

    A card that comes back after a pause asks this, so that its terms go on from
    the old anchor: ``term_end(anchor, number=term_number(anchor, day, ...), ...)``.

    Args:
        anchor: The first day of the first term.
        day: A day on or after the anchor.
        count: How many units one term lasts.
        unit: As in `term_start`.
        leap_day: As in `term_start`.

    Raises:
        ScheduleError: *day* lies before the anchor; else as `term_start`.

    >>> term_number(dt.date(2024, 1, 31), dt.date(2024, 3, 30),
    ...     count=1, unit="months")
    2
    """
    check_day(anchor, "anchor")
    check_day(day)
    length = _check_term(count, unit, leap_day)
    if day < anchor:
        raise ScheduleError(f"{day} lies before the first term, which begins {anchor}")
    if unit in ("days", "weeks"):
        days = length if unit == "days" else length * _WEEK
        return (day - anchor).days // days + 1
    elapsed = (day.year - anchor.year) * _MONTHS + day.month - anchor.month
    steps = elapsed // (length if unit == "months" else length * _MONTHS)
    begun = _after(anchor, steps, count, unit, leap_day) <= day
    return steps + begun


def _after(
    anchor: dt.date, steps: int, count: int, unit: TermUnit, leap_day: LeapDay
) -> dt.date:
    total = _check_term(count, unit, leap_day) * steps
    if unit == "days":
        return add_days(anchor, total)
    if unit == "weeks":
        return add_days(anchor, total * _WEEK)
    if unit == "years":
        return add_years(anchor, total, leap_day=leap_day)
    years, months = divmod(total, _MONTHS)
    if months:
        return add_months(anchor, total)
    # Twelve months are a year, so the rule for 29 February holds for them too.
    return add_years(anchor, years, leap_day=leap_day)


def _check_term(count: int, unit: str, leap_day: str) -> int:
    check_leap_day(leap_day)
    if unit not in _UNITS:
        raise ScheduleError(
            f"no unit of a term is called {bounded([unit])}: "
            f"{nearest(str(unit), _UNITS)}"
        )
    return check_whole(count, "count", least=1)
