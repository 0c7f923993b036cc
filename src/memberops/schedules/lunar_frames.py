"""Lunar birthdays of many members at once; row by row as `LunarBirthday.between`."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import ScheduleError
from memberops.schedules.lunar import (
    LeapMonth,
    LunarBirthday,
    MissingDay,
    lunar_months,
    lunar_years,
)

__all__ = ["lunar_birthdays"]

_Days = npt.NDArray[np.datetime64]
_ONE = np.timedelta64(1, "D")
_LAST_DAY = np.datetime64("2101-01-28")


@attrs.frozen(eq=False)
class _Calendar:
    """All lunar months: in order, and by year, month and leap."""

    begins: _Days
    month: npt.NDArray[np.int64]
    leap: npt.NDArray[np.int64]
    first: _Days
    length: npt.NDArray[np.int64]


@cache
def _calendar() -> _Calendar:
    years = lunar_years()
    rows = [
        (first, month, int(leap), year - years.start, days)
        for year in years
        for (month, leap), (first, days) in lunar_months(year).items()
    ]
    begins, month, leap, year, days = (np.array(each) for each in zip(*rows))  # noqa: B905 - rows are of one length
    begins = begins.astype("datetime64[D]")
    first = np.full((len(years), 13, 2), np.datetime64("NaT"), "datetime64[D]")
    length = np.zeros(first.shape, np.int64)
    first[year, month, leap] = begins
    length[year, month, leap] = days
    order = np.argsort(begins)
    return _Calendar(begins[order], month[order], leap[order], first, length)


def lunar_birthdays(
    birth_dates: Any,
    *,
    first: dt.date,
    last: dt.date,
    missing_day: MissingDay = "last_day",
    leap_month: LeapMonth = "leap_month",
) -> pd.DataFrame:
    """
    List the days on which the lunar birthdays of many fall, such as for a plan.

    The 30th of a month that has 29 days in a year is kept by *missing_day*; a birthday
    of a leap month by *leap_month* where the year has it, else in the ordinary month.

    Args:
        birth_dates: A column of solar birth dates without zone. A gap, and a date
            outside 31 January 1900 to 28 January 2101, has no lunar birthday.
        first: The first day.
        last: The last day, included.
        missing_day: ``"last_day"`` or ``"next_day"``, as in `LunarBirthday`.
        leap_month: ``"leap_month"`` or ``"ordinary_month"``, likewise.

    Returns:
        ``row`` (place in the column, from 0) and ``on`` (``datetime64[us]``), by row
        and day; a row has one, none or several days. The days are personal.

    Raises:
        ScheduleError: As `LunarBirthday.between`, or the column holds no days.
        MissingExtraError: The extra ``cn`` is not installed.

    >>> born = pd.Series(pd.to_datetime(["1990-10-03", None, "1996-02-18"]))
    >>> found = lunar_birthdays(born, first=dt.date(2026, 1, 1),
    ...                         last=dt.date(2026, 12, 31))
    >>> [(row, str(on.date())) for row, on in zip(found["row"], found["on"])]
    [(0, '2026-09-25'), (2, '2026-02-16')]
    """
    # One birthday checks the days and the rules as the scalar does.
    probe = LunarBirthday(1, 1, missing_day=missing_day, leap_month=leap_month)
    probe.between(first, last)
    calendar, years = _calendar(), lunar_years()
    column = pd.Series(birth_dates).reset_index(drop=True)
    if not pd.api.types.is_datetime64_dtype(column.dtype):
        raise ScheduleError(
            f"birth dates are a column of days without zone, not {column.dtype}: "
            "pandas.to_datetime(column)"
        )
    codes, uniques = pd.factorize(column)
    born = np.asarray(uniques).astype("datetime64[D]")
    known = (born >= calendar.begins[0]) & (born <= _LAST_DAY)
    at = np.maximum(np.searchsorted(calendar.begins, born, side="right") - 1, 0)
    day = (born - calendar.begins[at]) // _ONE + 1
    month = calendar.month[at]
    leap = calendar.leap[at] if leap_month == "leap_month" else np.zeros_like(at)
    rows: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    days: list[_Days] = [np.empty(0, "datetime64[D]")]
    for year in range(
        max(first.year - 1, years.start), min(last.year, years.stop - 1) + 1
    ):
        begins, lengths = calendar.first[year - years.start], calendar.length
        kept = np.where(np.isnat(begins[month, leap]), 0, leap)
        length = lengths[year - years.start][month, kept]
        within = np.minimum(day, length) if missing_day == "last_day" else day
        on = begins[month, kept] + (within - 1) * _ONE
        falls = known & (on >= np.datetime64(first)) & (on <= np.datetime64(last))
        hit = np.flatnonzero(np.append(falls, False)[codes])
        rows.append(hit)
        days.append(on[codes[hit]])
    row, on = np.concatenate(rows), np.concatenate(days)
    order = np.lexsort((on, row))
    return pd.DataFrame({"row": row[order], "on": on[order].astype("datetime64[us]")})
