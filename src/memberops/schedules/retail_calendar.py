"""The retail year of whole weeks: 4-5-4 by default, as the NRF publishes it."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, Literal, get_args

import attrs

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import add_days, check_day, check_whole, month_end

__all__ = ["RetailCalendar", "RetailDay", "Weekday"]

Weekday = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
YearEnd = Literal["nearest", "last"]
NamedBy = Literal["first_month", "last_month"]

_WEEK = 7
_QUARTERS = 4
_QUARTER_WEEKS = 13
_MONTHS = 12


def _one_of(words: Any) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        known = get_args(words)
        if value not in known:
            raise ScheduleError(
                f"{attribute.name!r} cannot be {bounded([value])}: "
                f"{nearest(str(value), known)}"
            )

    return check


def _month_number(
    _instance: object, attribute: attrs.Attribute[Any], value: Any
) -> None:
    if check_whole(value, attribute.name, least=1) > _MONTHS:
        raise ScheduleError(
            f"{attribute.name!r} is a month from 1 to 12, not {bounded([value])}"
        )


@attrs.frozen(kw_only=True)
class RetailDay:
    """
    Where a day lies in a retail year; everything counts from 1.

    Args:
        year: The retail year.
        quarter: Quarter of the year, 1 to 4.
        month: Retail month of the year, 1 to 12; month 1 is February by default.
        week: Week of the year, 1 to 52 or 53.
        week_of_month: Week of the retail month, 1 to 4, 5 or 6.
        day_of_week: Day of the retail week, 1 to 7; 1 is Sunday by default.
    """

    year: int
    quarter: int
    month: int
    week: int
    week_of_month: int
    day_of_week: int


@attrs.frozen(kw_only=True)
class RetailCalendar:
    """
    A retail calendar: years of 52 or 53 whole weeks, in months by a pattern.

    The defaults are the calendar of the National Retail Federation (NRF): the
    retail year ends on the Saturday nearest 31 January, bears the number of the
    calendar year in which it begins, and puts a 53rd week at the end of its last
    month.

    Args:
        pattern: Weeks of the three months of each quarter, 13 in all.
        week_starts_on: First day of the week, in English and lower case.
        year_end_month: The calendar month about whose end the retail year ends.
        year_end: ``"nearest"`` ends the year on the last day of a retail week
            that is nearest to that month's end, up to 3 days into the next month;
            ``"last"`` on the last one within that month.
        extra_week_month: The retail month that takes the 53rd week.
        named_by: ``"first_month"`` numbers the retail year by the calendar year
            of its first month, ``"last_month"`` by that of its last.

    Raises:
        ScheduleError: A calendar that cannot exist, such as a pattern of 12 weeks.

    >>> calendar = RetailCalendar()
    >>> calendar.bounds(2026)
    (datetime.date(2026, 2, 1), datetime.date(2027, 1, 30))
    >>> calendar.weeks_in_year(2023), calendar.month_weeks(2023)[-1]
    (53, 5)
    """

    pattern: tuple[int, int, int] = attrs.field(default=(4, 5, 4), converter=tuple)
    week_starts_on: Weekday = attrs.field(default="sunday", validator=_one_of(Weekday))
    year_end_month: int = attrs.field(default=1, validator=_month_number)
    year_end: YearEnd = attrs.field(default="nearest", validator=_one_of(YearEnd))
    extra_week_month: int = attrs.field(default=12, validator=_month_number)
    named_by: NamedBy = attrs.field(default="first_month", validator=_one_of(NamedBy))

    @pattern.validator
    def _check_pattern(self, _attribute: object, value: tuple[Any, ...]) -> None:
        for weeks in value:
            check_whole(weeks, "pattern", least=1)
        if len(value) != len((4, 5, 4)) or sum(value) != _QUARTER_WEEKS:
            raise ScheduleError(
                f"a pattern is the weeks of three months, 13 in all, "
                f"such as (4, 5, 4); not {bounded([value])}"
            )

    def bounds(self, year: int) -> tuple[dt.date, dt.date]:
        """
        Return the first and the last day of a retail year.

        Raises:
            ScheduleError: The year leaves the calendar of the years 1 to 9999.

        >>> RetailCalendar().bounds(2017)
        (datetime.date(2017, 1, 29), datetime.date(2018, 2, 3))
        """
        whole = check_whole(year, "year")
        return add_days(self._last_day(whole - 1), 1), self._last_day(whole)

    def _last_day(self, year: int) -> dt.date:
        first_of_next = self.named_by == "first_month" and self.year_end_month < _MONTHS
        calendar_year = year + first_of_next
        if not dt.MINYEAR <= calendar_year <= dt.MAXYEAR:
            raise ScheduleError(
                f"retail year {bounded([year])} leaves the calendar, "
                "which holds the years 1 to 9999"
            )
        end = month_end(dt.date(calendar_year, self.year_end_month, 1))
        closing = get_args(Weekday).index(self.week_starts_on) - 1
        back = (end.weekday() - closing) % _WEEK
        if self.year_end == "nearest" and back > _WEEK // 2:
            back -= _WEEK
        return add_days(end, -back)

    def weeks_in_year(self, year: int) -> int:
        """
        Return how many weeks a retail year has, 52 or 53.

        >>> [year for year in range(2000, 2030)
        ...     if RetailCalendar().weeks_in_year(year) == 53]
        [2000, 2006, 2012, 2017, 2023, 2028]
        """
        first, last = self.bounds(year)
        return ((last - first).days + 1) // _WEEK

    def month_weeks(self, year: int) -> tuple[int, ...]:
        """
        Return the weeks of each of the twelve retail months of a year.

        >>> RetailCalendar().month_weeks(2026)
        (4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 4)
        """
        weeks = list(self.pattern * _QUARTERS)
        weeks[self.extra_week_month - 1] += self.weeks_in_year(year) - sum(weeks)
        return tuple(weeks)

    def week_bounds(self, year: int, week: int) -> tuple[dt.date, dt.date]:
        """
        Return the first and the last day of a week of a retail year.

        >>> RetailCalendar().week_bounds(2026, 42)
        (datetime.date(2026, 11, 15), datetime.date(2026, 11, 21))
        """
        weeks = self.weeks_in_year(year)
        return self._weeks(year, _within(week, weeks, f"week of {year}") - 1, 1)

    def month_bounds(self, year: int, month: int) -> tuple[dt.date, dt.date]:
        """
        Return the first and the last day of a retail month.

        >>> RetailCalendar().month_bounds(2017, 12)
        (datetime.date(2017, 12, 31), datetime.date(2018, 2, 3))
        """
        months = self.month_weeks(year)
        before = _within(month, _MONTHS, "retail month") - 1
        return self._weeks(year, sum(months[:before]), months[before])

    def quarter_bounds(self, year: int, quarter: int) -> tuple[dt.date, dt.date]:
        """
        Return the first and the last day of a retail quarter.

        >>> RetailCalendar().quarter_bounds(2026, 1)
        (datetime.date(2026, 2, 1), datetime.date(2026, 5, 2))
        """
        first = (_within(quarter, _QUARTERS, "retail quarter") - 1) * len(self.pattern)
        weeks = self.month_weeks(year)
        inside = weeks[first : first + len(self.pattern)]
        return self._weeks(year, sum(weeks[:first]), sum(inside))

    def _weeks(self, year: int, before: int, weeks: int) -> tuple[dt.date, dt.date]:
        start = add_days(self.bounds(year)[0], before * _WEEK)
        return start, add_days(start, weeks * _WEEK - 1)

    def year_of(self, day: dt.date) -> int:
        """
        Return the retail year that holds a day.

        >>> RetailCalendar().year_of(dt.date(2018, 2, 3))
        2017
        """
        year = check_day(day).year - 1
        while day > self._last_day(year):
            year += 1
        return year

    def place(self, day: dt.date) -> RetailDay:
        """
        Return where a day lies: year, quarter, month, week and day.

        >>> RetailCalendar().place(dt.date(2026, 11, 21))
        RetailDay(year=2026, quarter=4, month=10, week=42,
                  week_of_month=3, day_of_week=7)
        """
        year = self.year_of(day)
        week, weekday = divmod((day - self.bounds(year)[0]).days, _WEEK)
        ends = list(itertools.accumulate(self.month_weeks(year)))
        month = next(index for index, end in enumerate(ends) if week < end)
        return RetailDay(
            year=year,
            quarter=month // len(self.pattern) + 1,
            month=month + 1,
            week=week + 1,
            week_of_month=week - (ends[month - 1] if month else 0) + 1,
            day_of_week=weekday + 1,
        )


def _within(number: int, most: int, what: str) -> int:
    whole = check_whole(number, what, least=1)
    if whole > most:
        raise ScheduleError(f"a {what} is 1 to {most}, not {bounded([whole])}")
    return whole
