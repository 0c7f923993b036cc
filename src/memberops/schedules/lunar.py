"""
Birthdays of the Chinese lunar calendar, on their solar days (HQ §4.1, §6.3).

The calendar itself comes from the library ``borax`` (extra ``cn``); the rules for a
month that is too short and for a leap month that a year lacks are stated here.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any, Literal, get_args

import attrs

from memberops.errors import MissingExtraError, ScheduleError, bounded, nearest
from memberops.schedules.dates import check_day, check_whole

__all__ = ["LeapMonth", "LunarBirthday", "MissingDay", "lunar_months", "lunar_years"]

MissingDay = Literal["last_day", "next_day"]
"""Where the 30th goes in a month of 29 days: its last day, or the day after."""
LeapMonth = Literal["leap_month", "ordinary_month"]
"""Where a birthday of a leap month is kept in a year that has that leap month."""

_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_FIRST_DAY, _LAST_DAY = dt.date(1900, 1, 31), dt.date(2101, 1, 28)
_MONTHS, _LONG = 12, 30


def _one_of(words: tuple[str, ...]) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in words:
            raise ScheduleError(
                f"no rule {attribute.name!r} is called {bounded([value])}: "
                f"{nearest(str(value), words)}"
            )

    return check


def _upto(limit: int) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        # The value may be part of a birth date: it is not shown.
        if check_whole(value, attribute.name) not in range(1, limit + 1):
            raise ScheduleError(f"a lunar {attribute.name} is 1 to {limit}")

    return check


@attrs.frozen
class LunarBirthday:
    """
    A birthday kept in the Chinese lunar calendar.

    The 30th is missing from many months: the last month of the lunar years 2024 to
    2028 has 29 days. Then *missing_day* decides. A birthday in a leap month is kept
    in the ordinary month of the same number in years without that leap month, which
    are nearly all; in the others *leap_month* decides. A birthday in an ordinary month
    never moves to the leap month.

    Month, day and leap are personal and hidden in the repr.

    Args:
        month: Lunar month, 1 to 12.
        day: Day of the lunar month, 1 to 30.
        leap: Whether it is the leap month of that number.
        missing_day: ``"last_day"`` keeps the 30th on the 29th of a short month,
            ``"next_day"`` on the first day of the month after.
        leap_month: ``"leap_month"`` or ``"ordinary_month"``.

    Raises:
        ScheduleError: A month, day or rule that does not exist.

    >>> mid_autumn = LunarBirthday(8, 15)
    >>> mid_autumn.solar_in(2026)
    datetime.date(2026, 9, 25)
    >>> new_years_eve = LunarBirthday(12, 30)
    >>> new_years_eve.solar_in(2026)  # the 29th is the last day of the year
    datetime.date(2027, 2, 5)
    """

    month: int = attrs.field(validator=_upto(_MONTHS), repr=False)
    day: int = attrs.field(validator=_upto(_LONG), repr=False)
    leap: bool = attrs.field(
        default=False, validator=attrs.validators.instance_of(bool), repr=False
    )
    missing_day: MissingDay = attrs.field(
        default="last_day", kw_only=True, validator=_one_of(get_args(MissingDay))
    )
    leap_month: LeapMonth = attrs.field(
        default="leap_month", kw_only=True, validator=_one_of(get_args(LeapMonth))
    )

    @classmethod
    def born_on(
        cls,
        birth_date: dt.date,
        *,
        missing_day: MissingDay = "last_day",
        leap_month: LeapMonth = "leap_month",
    ) -> LunarBirthday:
        """
        Take the lunar birthday of a person whose solar birth date is known.

        Args:
            birth_date: From 31 January 1900 to 28 January 2101.
            missing_day: As in the class.
            leap_month: As in the class.

        Raises:
            ScheduleError: The date lies outside that range, or is no plain date.
            MissingExtraError: The extra ``cn`` is not installed.

        >>> birthday = LunarBirthday.born_on(dt.date(2025, 7, 25))
        >>> birthday.month, birthday.day, birthday.leap
        (6, 1, True)
        """
        if not _FIRST_DAY <= check_day(birth_date, "birth_date") <= _LAST_DAY:
            raise ScheduleError(
                f"the lunar calendar is known from {_FIRST_DAY} to {_LAST_DAY}: "
                "the birth date lies outside"
            )
        lunar = _library().LunarDate.from_solar(birth_date)
        return cls(
            lunar.month,
            lunar.day,
            bool(lunar.leap),
            missing_day=missing_day,
            leap_month=leap_month,
        )

    def solar_in(self, lunar_year: int) -> dt.date:
        """
        Return the solar day of the birthday in a lunar year.

        The lunar year 2026 begins on 17 February 2026 and ends on 5 February 2027, so
        a birthday of the last months lies in the next solar year; `between` answers
        for solar days.

        Args:
            lunar_year: 1900 to 2100.

        Raises:
            ScheduleError: The year lies outside 1900 to 2100, or is no whole number.
            MissingExtraError: The extra ``cn`` is not installed.

        >>> LunarBirthday(12, 8).solar_in(2026)
        datetime.date(2027, 1, 15)
        """
        months = lunar_months(_check_year(lunar_year))
        first, days = months[self.month, False]
        if self.leap and self.leap_month == "leap_month":
            first, days = months.get((self.month, True), (first, days))
        day = self.day
        if day > days and self.missing_day == "last_day":
            day = days
        return first + dt.timedelta(days=day - 1)

    def between(self, first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
        """
        Return each day from *first* through *last* on which the birthday falls.

        A solar year has one, none or two of them: lunar years are 353 to 385 days
        long. Who plans visits asks for the days of the plan.

        Args:
            first: The first day.
            last: The last day, included.

        Raises:
            ScheduleError: The days lie outside 31 January 1900 to 28 January 2101,
                or *last* before *first*.
            MissingExtraError: The extra ``cn`` is not installed.

        >>> birthday = LunarBirthday(12, 8)
        >>> [str(day) for day in
        ...  birthday.between(dt.date(2025, 1, 1), dt.date(2025, 12, 31))]
        ['2025-01-07']
        >>> birthday.between(dt.date(2023, 1, 1), dt.date(2023, 12, 31))
        ()
        """
        check_day(first, "first")
        check_day(last, "last")
        if last < first:
            raise ScheduleError(f"'last' ({last}) lies before 'first' ({first})")
        if first < _FIRST_DAY or last > _LAST_DAY:
            raise ScheduleError(
                f"the lunar calendar is known from {_FIRST_DAY} to {_LAST_DAY}: "
                f"{first} to {last} reaches beyond"
            )
        years = range(max(first.year - 1, _FIRST_YEAR), min(last.year, _LAST_YEAR) + 1)
        days = (self.solar_in(year) for year in years)
        return tuple(day for day in days if first <= day <= last)


def lunar_years() -> range:
    """Return the lunar years that are known."""
    return range(_FIRST_YEAR, _LAST_YEAR + 1)


def _check_year(lunar_year: int) -> int:
    year = check_whole(lunar_year, "lunar_year")
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ScheduleError(
            f"the lunar calendar is known for the years {_FIRST_YEAR} to {_LAST_YEAR}, "
            f"not for {bounded([year])}"
        )
    return year


def _library() -> Any:
    try:
        from borax.calendars import lunardate  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("a lunar birthday", "cn") from None
    return lunardate


@lru_cache(maxsize=256)
def lunar_months(year: int) -> dict[tuple[int, bool], tuple[dt.date, int]]:
    """Give the first solar day and the length of each month of a lunar year."""
    library = _library()
    first = library.LunarDate(year, 1, 1).to_solar_date()
    months = {}
    for month, days, leap in library.LCalendars.iter_year_month(year):
        months[month, bool(leap)] = (first, days)
        first += dt.timedelta(days=days)
    return months
