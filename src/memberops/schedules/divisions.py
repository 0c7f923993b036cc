"""How a year is divided into periods of one kind: places, bounds and labels."""

from __future__ import annotations

import datetime as dt
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from memberops.errors import ScheduleError, bounded
from memberops.schedules.dates import add_days, month_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memberops.schedules.retail_calendar import RetailCalendar

__all__ = ["DIVISIONS", "Bounds", "Division", "read_day", "read_label"]

Bounds = tuple[dt.date, dt.date]

_WEEK = 7


@attrs.frozen(kw_only=True)
class Division:
    """
    One kind of period that divides a year, each with a year and a number.

    Args:
        form: How a label is written, with ``year`` and ``number`` to fill in.
        count: How many there are in a year.
        bounds: First and last day of the period of a year and number.
        place: Year and number of the period that holds a day.
        retail: Whether a retail calendar decides.
    """

    form: str
    count: Callable[[int, RetailCalendar], int]
    bounds: Callable[[int, int, RetailCalendar], Bounds]
    place: Callable[[dt.date, RetailCalendar], tuple[int, int]]
    retail: bool = False

    def label(self, year: int, number: int) -> str:
        """Write the label of one period."""
        return self.form.format(year=year, number=number)

    def read(self, label: str) -> tuple[int, int] | None:
        """Return the year and number that a label names, None if it is another's."""
        expression = re.escape(self.form)
        for field, digits in _DIGITS.items():
            expression = expression.replace(re.escape(field), digits)
        match = re.fullmatch(expression, label)
        if match is None:
            return None
        named = match.groupdict()
        return int(named["year"]), int(named.get("number", 1))

    def checked_bounds(
        self, kind: str, year: int, number: int, calendar: RetailCalendar
    ) -> Bounds:
        """Return the bounds, or say which years and numbers there are."""
        if not dt.MINYEAR <= year <= dt.MAXYEAR:
            raise ScheduleError(f"a year is 1 to 9999, not {bounded([year])}")
        most = self.count(year, calendar)
        if not 1 <= number <= most:
            raise ScheduleError(
                f"a {kind.replace('_', ' ')} of {year} is 1 to {most}, "
                f"not {bounded([number])}"
            )
        return self.bounds(year, number, calendar)


_DIGITS = {
    "{year:04d}": "(?P<year>[0-9]{4})",
    "{number:02d}": "(?P<number>[0-9]{2})",
    "{number}": "(?P<number>[0-9])",
}


def _months_bounds(year: int, number: int, size: int) -> Bounds:
    last = number * size
    return (
        dt.date(year, last - size + 1, 1),
        dt.date(year, last, month_length(year, last)),
    )


def _iso_week_bounds(year: int, week: int, _calendar: RetailCalendar) -> Bounds:
    try:
        monday = dt.date.fromisocalendar(year, week, 1)
    except ValueError:
        raise ScheduleError(
            f"week {week} of {year} leaves the calendar, "
            "which holds the years 1 to 9999"
        ) from None
    return monday, add_days(monday, _WEEK - 1)


def _weeks_in_iso_year(year: int, _calendar: RetailCalendar) -> int:
    # 28 December always lies in the last ISO week of its year (ISO 8601).
    return dt.date(year, 12, 28).isocalendar().week


def _iso_place(day: dt.date, _calendar: RetailCalendar) -> tuple[int, int]:
    year, week, _ = day.isocalendar()
    return year, week


def _retail_month(day: dt.date, calendar: RetailCalendar) -> tuple[int, int]:
    place = calendar.place(day)
    return place.year, place.month


def _retail_quarter(day: dt.date, calendar: RetailCalendar) -> tuple[int, int]:
    place = calendar.place(day)
    return place.year, place.quarter


def _retail_week(day: dt.date, calendar: RetailCalendar) -> tuple[int, int]:
    place = calendar.place(day)
    return place.year, place.week


DIVISIONS: Mapping[str, Division] = MappingProxyType(
    {
        "week": Division(
            form="{year:04d}-W{number:02d}",
            count=_weeks_in_iso_year,
            bounds=_iso_week_bounds,
            place=_iso_place,
        ),
        "month": Division(
            form="{year:04d}-{number:02d}",
            count=lambda _year, _calendar: 12,
            bounds=lambda year, number, _calendar: _months_bounds(year, number, 1),
            place=lambda day, _calendar: (day.year, day.month),
        ),
        "quarter": Division(
            form="{year:04d}-Q{number}",
            count=lambda _year, _calendar: 4,
            bounds=lambda year, number, _calendar: _months_bounds(year, number, 3),
            place=lambda day, _calendar: (day.year, (day.month + 2) // 3),
        ),
        "year": Division(
            form="{year:04d}",
            count=lambda _year, _calendar: 1,
            bounds=lambda year, number, _calendar: _months_bounds(year, number, 12),
            place=lambda day, _calendar: (day.year, 1),
        ),
        "retail_week": Division(
            form="retail {year:04d}-W{number:02d}",
            count=lambda year, calendar: calendar.weeks_in_year(year),
            bounds=lambda year, number, calendar: calendar.week_bounds(year, number),
            place=_retail_week,
            retail=True,
        ),
        "retail_month": Division(
            form="retail {year:04d}-M{number:02d}",
            count=lambda _year, _calendar: 12,
            bounds=lambda year, number, calendar: calendar.month_bounds(year, number),
            place=_retail_month,
            retail=True,
        ),
        "retail_quarter": Division(
            form="retail {year:04d}-Q{number}",
            count=lambda _year, _calendar: 4,
            bounds=lambda year, number, calendar: calendar.quarter_bounds(year, number),
            place=_retail_quarter,
            retail=True,
        ),
        "retail_year": Division(
            form="retail {year:04d}",
            count=lambda _year, _calendar: 1,
            bounds=lambda year, _number, calendar: calendar.bounds(year),
            place=lambda day, calendar: (calendar.year_of(day), 1),
            retail=True,
        ),
    }
)


def read_label(label: str) -> tuple[str, int, int] | None:
    """Return kind, year and number that a label names; None for days and spans."""
    for kind, division in DIVISIONS.items():
        named = division.read(label)
        if named is not None:
            return kind, *named
    return None


def read_day(text: str) -> dt.date | None:
    """Return the day written as ``2026-11-05``, None if it is written otherwise."""
    # fromisoformat also takes 20261105 and 2026-W47-1, which are not our labels.
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
