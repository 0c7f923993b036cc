"""Business days: days on which a shift begins, and targets counted in them."""

from __future__ import annotations

import datetime as dt

from memberops.errors import ScheduleError, bounded
from memberops.schedules.timeline import FIRST_YEAR, LAST_YEAR, Timeline

__all__ = ["day_target"]

_DAY = dt.timedelta(days=1)


def day_target(line: Timeline, start: int, days: int, *, end_of_day: bool) -> int:
    """
    Return the moment so many business days after (below 0: before) another.

    Args:
        line: The hours of the calendar.
        start: Microseconds; outside hours it is taken as the next opening, or as the
            last closing when days are counted back.
        days: How many.
        end_of_day: Whether the answer is the day's closing, else the same time on
            the wall, brought into the day's hours.

    Raises:
        ScheduleError: The calendar has not so many days on which a shift begins.

    >>> from zoneinfo import ZoneInfo
    >>> monday = ((9 * 3600, 18 * 3600),)
    >>> line = Timeline(ZoneInfo("UTC"), (monday, (), (), (), (), (), ()), (), {})
    >>> day_target(line, 0, 1, end_of_day=True) / 3_600_000_000  # from a Thursday
    282.0
    """
    day, moment = _home(line, start, forward=days >= 0)
    target = _step(line, day, days)
    hours = line.day(target)
    if end_of_day:
        return max(end for _, end in hours)
    at = line.wall_after_days(moment, (target - day).days)
    for begin, end in hours:
        if at <= end:
            return max(begin, at)
    return hours[-1][1]


def _home(line: Timeline, start: int, *, forward: bool) -> tuple[dt.date, int]:
    if forward:
        moment = line.after(start, 0, latest=True)
    else:
        moment = line.ahead(start, 0, earliest=True)
    local = line.local_day(moment)
    for day in (local - _DAY, local, local + _DAY):
        for begin, end in line.day(day):
            inside = begin <= moment < end if forward else begin < moment <= end
            if inside:
                return day, moment
    raise ScheduleError(f"no shift holds {local}")  # pragma: no cover -- it has one


def _step(line: Timeline, day: dt.date, days: int) -> dt.date:
    step = _DAY if days > 0 else -_DAY
    left = abs(days)
    first, last = line.first_date, line.last_date
    while left:
        day += step
        if not first <= day <= last:
            raise ScheduleError(
                f"the calendar has not {bounded([days])} business days from there: it "
                f"ends on {day - step} (dated shifts only, or the years {FIRST_YEAR} "
                f"to {LAST_YEAR})"
            )
        if line.day(day):
            left -= 1
    return day
