"""Periods: a day, week, month, quarter, year, retail month, or any span of dates."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import attrs

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import a_year_before, add_days, check_day, check_whole
from memberops.schedules.divisions import DIVISIONS, read_day, read_label
from memberops.schedules.retail_calendar import RetailCalendar

__all__ = ["Period"]

_KINDS = ("day", *DIVISIONS, "span")
_BETWEEN = ".."
_NRF = RetailCalendar()
_FORMS = (
    "2026-11-05, 2026-W47, 2026-10, 2026-Q4, 2026, 2026-11-01..2026-11-11, "
    "retail 2026-M10, retail 2026-W42, retail 2026-Q3 or retail 2026"
)


def _known_kind(_instance: object, _attribute: object, value: Any) -> None:
    if value not in _KINDS:
        raise ScheduleError(
            f"no kind of period is called {bounded([value])}: "
            f"{nearest(str(value), _KINDS)}"
        )


def _day(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    check_day(value, attribute.name)


def _own_calendar(period: Period) -> RetailCalendar | None:
    return _NRF if str(period.kind).startswith("retail_") else None


@attrs.frozen(kw_only=True, repr=False)
class Period:
    """
    A period of whole days, of one kind, as figures are asked for (HQ §5).

    Make one by its kind (`month`, `week`, ...), from its label (`parse`), or from
    a day in it (`covering`). Its dates are checked against its kind, so a month is
    always a whole month.

    Args:
        start: First day, inclusive.
        through: Last day, inclusive; `end` is the day after.
        kind: ``"day"``, ``"week"`` (ISO 8601), ``"month"``, ``"quarter"``,
            ``"year"``, ``"retail_week"``, ``"retail_month"``,
            ``"retail_quarter"``, ``"retail_year"`` or ``"span"``.
        calendar: The retail calendar of a retail kind, the NRF's by default;
            None for the others.

    Raises:
        ScheduleError: An unknown kind, a datetime, dates that are not a whole
            period of the kind, or a span that ends before it starts.

    >>> october = Period.month(2026, 10)
    >>> print(october, october.start, october.through, october.end)
    2026-10 2026-10-01 2026-10-31 2026-11-01
    >>> print(october.previous(), october.year_before())
    2026-09 2025-10
    >>> dt.date(2026, 10, 31) in october
    True
    """

    kind: str = attrs.field(validator=_known_kind)
    start: dt.date = attrs.field(validator=_day)
    through: dt.date = attrs.field(validator=_day)
    calendar: RetailCalendar | None = attrs.field(
        default=attrs.Factory(_own_calendar, takes_self=True),
        validator=attrs.validators.optional(
            attrs.validators.instance_of(RetailCalendar)
        ),
    )

    def __attrs_post_init__(self) -> None:
        """Hold the dates against the kind."""
        if self.through < self.start:
            raise ScheduleError(
                f"a period ends on {self.through} before it starts on {self.start}: "
                "give the first day first"
            )
        if (self.calendar is None) != (_own_calendar(self) is None):
            raise ScheduleError(
                f"a retail calendar belongs to the retail kinds, and only to them, "
                f"not to {self.kind!r}"
            )
        if self.kind == "span":
            return
        whole = (self.start, self.start)
        if self.kind != "day":
            whole = self._bounds(*self._place())
        if whole != (self.start, self.through):
            raise ScheduleError(
                f"{self.start}{_BETWEEN}{self.through} is not a whole {self.kind}: "
                f"that would be {whole[0]}{_BETWEEN}{whole[1]}; "
                "use Period.span for any dates"
            )

    @classmethod
    def day(cls, day: dt.date) -> Self:
        """
        Return one day as a period.

        >>> Period.day(dt.date(2026, 11, 5)).label
        '2026-11-05'
        """
        return cls(kind="day", start=day, through=day)

    @classmethod
    def week(cls, iso_year: int, iso_week: int) -> Self:
        """
        Return an ISO 8601 week, Monday to Sunday, by its ISO year.

        >>> print(Period.week(2026, 53).start, Period.week(2026, 53).through)
        2026-12-28 2027-01-03
        """
        return cls._numbered("week", iso_year, iso_week)

    @classmethod
    def month(cls, year: int, month: int) -> Self:
        """
        Return a calendar month.

        >>> Period.month(2028, 2).days
        29
        """
        return cls._numbered("month", year, month)

    @classmethod
    def quarter(cls, year: int, quarter: int) -> Self:
        """
        Return a calendar quarter, 1 to 4.

        >>> print(Period.quarter(2026, 4).start)
        2026-10-01
        """
        return cls._numbered("quarter", year, quarter)

    @classmethod
    def year(cls, year: int) -> Self:
        """
        Return a calendar year.

        >>> Period.year(2028).days
        366
        """
        return cls._numbered("year", year, 1)

    @classmethod
    def retail_week(cls, year: int, week: int, calendar: RetailCalendar = _NRF) -> Self:
        """
        Return a week of a retail year, 1 to 52 or 53.

        >>> print(Period.retail_week(2026, 42).start)
        2026-11-15
        """
        return cls._numbered("retail_week", year, week, calendar)

    @classmethod
    def retail_month(
        cls, year: int, month: int, calendar: RetailCalendar = _NRF
    ) -> Self:
        """
        Return a retail month of 4 or 5 weeks; month 1 is February by default.

        >>> november = Period.retail_month(2026, 10)
        >>> print(november, november.start, november.through)
        retail 2026-M10 2026-11-01 2026-11-28
        """
        return cls._numbered("retail_month", year, month, calendar)

    @classmethod
    def retail_quarter(
        cls, year: int, quarter: int, calendar: RetailCalendar = _NRF
    ) -> Self:
        """
        Return a retail quarter of 13 weeks, or 14 with the 53rd week.

        >>> Period.retail_quarter(2023, 4).days // 7
        14
        """
        return cls._numbered("retail_quarter", year, quarter, calendar)

    @classmethod
    def retail_year(cls, year: int, calendar: RetailCalendar = _NRF) -> Self:
        """
        Return a retail year of 52 or 53 weeks.

        >>> print(Period.retail_year(2026).start, Period.retail_year(2026).through)
        2026-02-01 2027-01-30
        """
        return cls._numbered("retail_year", year, 1, calendar)

    @classmethod
    def span(cls, first: dt.date, last: dt.date) -> Self:
        """
        Return any span of dates, such as a promotion's; both days are in it.

        >>> Period.span(dt.date(2026, 11, 1), dt.date(2026, 11, 11)).label
        '2026-11-01..2026-11-11'
        """
        return cls(kind="span", start=first, through=last)

    @classmethod
    def covering(
        cls, day: dt.date, kind: str, calendar: RetailCalendar | None = None
    ) -> Self:
        """
        Return the period of a kind that holds a day.

        Args:
            day: The day.
            kind: Any kind but ``"span"``, which many spans could answer.
            calendar: For a retail kind, the NRF's by default.

        >>> print(Period.covering(dt.date(2027, 1, 1), "week"))
        2026-W53
        """
        _known_kind(None, None, kind)
        check_day(day)
        if kind == "day":
            return cls.day(day)
        if kind == "span":
            raise ScheduleError(
                "many spans hold a day: name its two ends with Period.span"
            )
        year, number = DIVISIONS[kind].place(day, calendar or _NRF)
        return cls._numbered(kind, year, number, calendar)

    @classmethod
    def parse(cls, label: str, calendar: RetailCalendar | None = None) -> Self:
        """
        Return the period that a label names.

        Args:
            label: As `label` writes it.
            calendar: For a retail label, if it is not the NRF's.

        Raises:
            ScheduleError: No period is written so, or it does not exist.

        >>> [Period.parse(text).kind for text in ("2026-10", "2026-W47", "2026-Q4")]
        ['month', 'week', 'quarter']
        """
        if not isinstance(label, str):
            raise ScheduleError(
                f"a period's label is text, not a {type(label).__name__}; "
                f"write {_FORMS}"
            )
        named = read_label(label)
        if named is not None:
            own = calendar if DIVISIONS[named[0]].retail else None
            return cls._numbered(*named, own)
        first, between, last = label.partition(_BETWEEN)
        start, through = read_day(first), read_day(last if between else first)
        if start is None or through is None:
            raise ScheduleError(
                f"no period is written {bounded([label])}; write {_FORMS}"
            )
        return cls.span(start, through) if between else cls.day(start)

    @classmethod
    def months(cls, first: str | Period, last: str | Period) -> tuple[Self, ...]:
        """
        Return the consecutive months from the first to the last, both included.

        >>> [str(month) for month in Period.months("2010-12", "2011-02")]
        ['2010-12', '2011-01', '2011-02']
        """
        ends = [
            end if isinstance(end, Period) else cls.parse(end) for end in (first, last)
        ]
        for end in ends:
            if end.kind != "month":
                raise ScheduleError(
                    f"{end.label!r} is a {end.kind}, not a month: write 2026-10"
                )
        low, high = (end.start.year * 12 + end.start.month - 1 for end in ends)
        if high < low:
            raise ScheduleError(
                f"the last month {ends[1]} lies before the first {ends[0]}"
            )
        return tuple(
            cls.month(number // 12, number % 12 + 1) for number in range(low, high + 1)
        )

    @classmethod
    def _numbered(
        cls, kind: str, year: int, number: int, calendar: RetailCalendar | None = None
    ) -> Self:
        division = DIVISIONS[kind]
        start, through = division.checked_bounds(
            kind,
            check_whole(year, "year"),
            check_whole(number, kind),
            calendar or _NRF,
        )
        own = (calendar or _NRF) if division.retail else calendar
        return cls(kind=kind, start=start, through=through, calendar=own)

    def _place(self) -> tuple[int, int]:
        return DIVISIONS[self.kind].place(self.start, self.calendar or _NRF)

    def _bounds(self, year: int, number: int) -> tuple[dt.date, dt.date]:
        return DIVISIONS[self.kind].bounds(year, number, self.calendar or _NRF)

    @property
    def end(self) -> dt.date:
        """The day after the last one, the exclusive bound of a half-open interval."""
        return add_days(self.through, 1)

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.through - self.start).days + 1

    @property
    def label(self) -> str:
        """The period's name, which `parse` reads back; it sorts within a kind."""
        if self.kind == "day":
            return self.start.isoformat()
        if self.kind == "span":
            return f"{self.start.isoformat()}{_BETWEEN}{self.through.isoformat()}"
        return DIVISIONS[self.kind].label(*self._place())

    def previous(self) -> Self:
        """
        Return the period just before, of the same kind.

        For a span: the same number of days, ending the day before it starts.

        >>> print(Period.month(2026, 1).previous(), Period.week(2027, 1).previous())
        2025-12 2026-W53
        >>> print(Period.parse("2026-11-01..2026-11-11").previous())
        2026-10-21..2026-10-31
        """
        before = add_days(self.start, -1)
        if self.kind == "span":
            return self.span(add_days(self.start, -self.days), before)
        return self.covering(before, self.kind, self.calendar)

    def next(self) -> Self:
        """
        Return the period just after, of the same kind; `previous` leads back.

        >>> print(Period.parse("2026-12").next())
        2027-01
        """
        if self.kind == "span":
            return self.span(self.end, add_days(self.through, self.days))
        return self.covering(self.end, self.kind, self.calendar)

    def year_before(self) -> Self:
        """
        Return the same period a year before, for a year-over-year comparison.

        A month, quarter, year, retail month or retail quarter keeps its number. A
        week 53 takes the last week of the year before, which has 52. A day
        or span keeps its calendar dates; 29 February becomes 28 February, and a
        span may gain or lose a day where one of the two holds 29 February. A span of
        whole months is compared with the same whole months.
        A retail period that holds a 53rd week is compared whole, not restated.

        >>> print(Period.parse("2026-W53").year_before())
        2025-W52
        >>> print(Period.parse("2024-02-20..2024-03-05").year_before())
        2023-02-20..2023-03-05
        """
        if self.kind in ("day", "span"):
            start, through = a_year_before(self.start, self.through)
            return self.day(start) if self.kind == "day" else self.span(start, through)
        year, number = self._place()
        calendar = self.calendar
        if year > dt.MINYEAR:
            most = DIVISIONS[self.kind].count(year - 1, calendar or _NRF)
            number = min(number, most)
        return self._numbered(self.kind, year - 1, number, calendar)

    def __contains__(self, day: object) -> bool:
        """Tell whether a date lies in the period; a datetime is refused."""
        return self.start <= check_day(day) <= self.through

    def __str__(self) -> str:
        """Write the label."""
        return self.label

    def __repr__(self) -> str:
        """Write the call that makes an equal period."""
        own = "" if self.calendar in (None, _NRF) else f", {self.calendar!r}"
        return f"Period.parse({self.label!r}{own})"
