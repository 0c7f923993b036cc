"""Working time: shifts, nights, holidays and make-up days, in the zone of a store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from memberops.errors import ScheduleError
from memberops.schedules.business_days import day_target
from memberops.schedules.calendar_facts import (
    EVERY_HOUR,
    calendar_values,
    holidays_from,
    names_china,
    special_from,
    week_facts,
    zone_from,
)
from memberops.schedules.dates import check_day, check_whole
from memberops.schedules.due import Due
from memberops.schedules.moments import (
    duration,
    from_microseconds,
    to_microseconds,
    zone_named,
)
from memberops.schedules.shifts import DAY_SECONDS, Shifts, Week
from memberops.schedules.stops import (
    NO_STOPS,
    Pauses,
    Stops,
    after_stops,
    ahead_of_stops,
    stops_from,
)
from memberops.schedules.timeline import Timeline

__all__ = ["WorkingCalendar"]


@attrs.frozen(kw_only=True)
class WorkingCalendar:
    """
    When an office or a store works (HQ §1.5): a value that answers about time.

    Hours are half-open, ``[opening, closing)``, on the wall clock of the zone. Each
    edge of a shift is made a moment by itself: a time that daylight saving skips is
    later by what was skipped, a repeated one is the first, so a shift over the change
    is an hour shorter or longer, as it is for the staff. Dated shifts beat a holiday,
    a holiday beats the weekday; a night shift belongs to the day it begins on.

    All moments are aware datetimes, answers are in UTC, and a calendar covers the
    years 1900 to 2199.

    Args:
        zone: IANA name, such as ``"Asia/Shanghai"``.
        week: Shifts by weekday, such as ``{"mon": ["09:00-12:00", "13:30-18:00"]}``;
            ``"22:00-06:00"`` runs into the next day, ``"24:00"`` ends a day.
        holidays: Dates without the shifts of their weekday.
        special: Dates with shifts of their own: make-up days, a holiday on which the
            store opens, ``[]`` for one day closed.
        known_from: First day for which the holidays are known; None: any.
        known_until: Last day for which the holidays are published; an answer that
            goes beyond is marked provisional. None: any.
        name: Your name for it, such as ``"office 2026-03"``.

    The attributes `timeline` and `known` are its working parts, made from these.

    Raises:
        ScheduleError: An unknown zone or weekday, shifts that cannot be read or that
            overlap, or a calendar that never opens.

    >>> office = WorkingCalendar.weekly(
    ...     "Asia/Shanghai", {"mon": ["09:00-12:00", "13:30-18:00"]}
    ... )
    >>> start = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)  # 11:30 there
    >>> print(office.add(start, dt.timedelta(hours=1)).local)
    2026-11-23 14:00:00+08:00
    """

    zone: str = attrs.field(converter=zone_from)
    week: Week = attrs.field(converter=week_facts)
    holidays: tuple[dt.date, ...] = attrs.field(default=(), converter=holidays_from)
    special: tuple[tuple[dt.date, Shifts], ...] = attrs.field(
        default=(), converter=special_from
    )
    known_from: dt.date | None = None
    known_until: dt.date | None = None
    name: str = ""
    timeline: Timeline = attrs.field(init=False, eq=False, repr=False)
    known: tuple[int, int] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Check the days against each other, and prepare the working parts."""
        if not any(self.week) and not any(shifts for _, shifts in self.special):
            raise ScheduleError(
                "a calendar without shifts never opens, so nothing would ever be due: "
                "give its week at least one shift"
            )
        line = Timeline(
            zone_named(self.zone), self.week, self.holidays, dict(self.special)
        )
        line.check_special()
        low, high = -(1 << 62), 1 << 62
        if self.known_from is not None:
            low = _midnight(line, check_day(self.known_from, "known_from"))
        if self.known_until is not None:
            high = _midnight(line, check_day(self.known_until, "known_until"), after=1)
        object.__setattr__(self, "timeline", line)
        object.__setattr__(self, "known", (low, high))

    @classmethod
    def around_the_clock(cls, zone: str) -> WorkingCalendar:
        """
        Return the calendar that never closes: 24 hours of each of 7 days.

        >>> always = WorkingCalendar.around_the_clock("Asia/Shanghai")
        >>> start = dt.datetime(2020, 9, 4, 23, 30, tzinfo=dt.UTC)
        >>> print(always.add(start, dt.timedelta(hours=1)).at)
        2020-09-05 00:30:00+00:00
        """
        return cls(zone=zone, week=EVERY_HOUR)

    @classmethod
    def weekly(
        cls,
        zone: str,
        week: Mapping[str, Iterable[str]],
        *,
        holidays: Iterable[dt.date | str] = (),
        special: Mapping[Any, Iterable[str]] | None = None,
        known_from: dt.date | None = None,
        known_until: dt.date | None = None,
        name: str = "",
    ) -> WorkingCalendar:
        """
        Return a calendar with the same shifts each week; see the class.

        >>> store = WorkingCalendar.weekly("Asia/Shanghai", {"fri": ["22:00-06:00"]})
        >>> store.is_open(dt.datetime(2026, 11, 20, 21, 59, tzinfo=dt.UTC))
        True
        """
        return cls(
            zone=zone,
            week=week,
            holidays=holidays,
            special={} if special is None else special,
            known_from=known_from,
            known_until=known_until,
            name=name,
        )

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> WorkingCalendar:
        """
        Return the calendar of a table of TOML.

        Keys are ``zone``, ``week`` or ``around_the_clock = true``, and those of the
        class; with ``china = [2025, 2026]`` those of `china_calendar`. An unknown or
        missing one is a `ScheduleError`.

        >>> WorkingCalendar.from_dict(
        ...     {"zone": "Asia/Shanghai", "week": {"mon": ["09:00-18:00"]}}
        ... ).zone
        'Asia/Shanghai'
        """
        if names_china(table):
            from memberops.schedules.holiday_calendars import china_table

            return china_table(table)
        return cls(**calendar_values(table))

    def add(
        self,
        start: dt.datetime,
        budget: dt.timedelta,
        *,
        pauses: Pauses = (),
        as_of: dt.datetime | None = None,
    ) -> Due:
        """
        Return when *budget* of working time has passed since *start*.

        A start outside hours counts from the next opening; a budget used up exactly at
        closing is due then; a budget of zero is due when the clock starts. A pause
        moves the due time by the working time in it, so one outside hours moves
        nothing; pauses that overlap count once.

        Args:
            start: When the clock starts; an aware moment.
            budget: Working time, 0 or longer.
            pauses: ``(from, until)`` pairs; ``until`` None for one that goes on.
            as_of: Needed where a pause goes on: the answer is then the due time if
                the clock resumed at this moment, with ``paused=True``.

        Raises:
            ScheduleError: A naive moment, a negative budget, a pause that ends before
                it begins, or one that goes on without *as_of*.

        >>> office = WorkingCalendar.weekly(
        ...     "Asia/Shanghai", {"mon": ["09:00-18:00"], "tue": ["09:00-18:00"]}
        ... )
        >>> start = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)  # Monday 16:00
        >>> due = office.add(start, dt.timedelta(hours=3))
        >>> print(due.local)
        2026-11-24 10:00:00+08:00
        """
        begin = to_microseconds(start, "start")
        length = duration(budget, "budget")
        stops = stops_from(pauses, as_of) if pauses else NO_STOPS
        at = after_stops(self.timeline, begin, length, stops)
        return self._due(begin, at, stops)

    def subtract(
        self,
        end: dt.datetime,
        budget: dt.timedelta,
        *,
        pauses: Pauses = (),
        as_of: dt.datetime | None = None,
    ) -> Due:
        """
        Return when *budget* of working time was still to come before *end*.

        The mirror of `add`: an end outside hours counts back from the last closing,
        and an answer that lands exactly on an opening is that opening.

        Args:
            end: When the time is over; an aware moment.
            budget: Working time, 0 or longer.
            pauses: As in `add`.
            as_of: As in `add`.

        Raises:
            ScheduleError: As `add`.

        >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
        >>> end = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)  # Monday 10:00
        >>> print(office.subtract(end, dt.timedelta(hours=2)).local)
        2026-11-16 17:00:00+08:00
        """
        last = to_microseconds(end, "end")
        length = duration(budget, "budget")
        stops = stops_from(pauses, as_of) if pauses else NO_STOPS
        at = ahead_of_stops(self.timeline, last, length, stops)
        return self._due(last, at, stops)

    def elapsed(
        self, start: dt.datetime, end: dt.datetime, *, pauses: Pauses = ()
    ) -> dt.timedelta:
        """
        Return the working time from *start* to *end*, without the pauses.

        It is negative when *end* comes first. A pause that goes on (None) reaches
        to the end.

        Raises:
            ScheduleError: A naive moment, or a pause that ends before it begins.

        >>> always = WorkingCalendar.around_the_clock("Europe/Berlin")
        >>> start = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
        >>> always.elapsed(start, start + dt.timedelta(hours=24))
        datetime.timedelta(days=1)
        """
        first, last = to_microseconds(start, "start"), to_microseconds(end, "end")
        sign = 1
        if last < first:
            first, last, sign = last, first, -1
        work = self.timeline.between(first, last)
        if pauses:
            for begin, until in stops_from(pauses, from_microseconds(last)).pairs:
                low, high = max(begin, first), min(until, last)
                if low < high:
                    work -= self.timeline.between(low, high)
        return dt.timedelta(microseconds=sign * work)

    def add_days(
        self,
        start: dt.datetime,
        days: int,
        *,
        same_time: bool = False,
        end_of_day: bool = False,
        pauses: Pauses = (),
        as_of: dt.datetime | None = None,
    ) -> Due:
        """
        Return the moment some business days after *start*, or before it.

        A business day is one on which a shift begins. A start outside hours is taken
        as the next opening (the last closing for days below 0).

        Args:
            start: An aware moment.
            days: How many business days; negative to go back.
            same_time: Due at the same time on the wall as the start. Where the day is
                not open then, due at its next opening, or at its closing if
                there is none: the answer never leaves the day.
            end_of_day: Due at the closing of the day. Exactly one of the two is true.
            pauses: As in `add`: the working time in them comes on top.
            as_of: As in `add`.

        Raises:
            ScheduleError: As `add`, both or none of the two, or pauses going back.

        >>> office = WorkingCalendar.weekly(
        ...     "Asia/Shanghai", {"fri": ["09:00-18:00"], "mon": ["09:00-17:00"]}
        ... )
        >>> start = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)  # Friday 11:00
        >>> print(office.add_days(start, 1, same_time=True).local)
        2026-11-23 11:00:00+08:00
        >>> print(office.add_days(start, 1, end_of_day=True).local)
        2026-11-23 17:00:00+08:00
        """
        begin = to_microseconds(start, "start")
        count = check_whole(days, "days")
        if same_time == end_of_day:
            raise ScheduleError(
                "say how the day ends: either same_time=True or end_of_day=True"
            )
        if pauses and count < 0:
            raise ScheduleError("pauses only move a target of 0 or more business days")
        stops = stops_from(pauses, as_of) if pauses else NO_STOPS
        line = self.timeline
        target = at = day_target(line, begin, count, end_of_day=end_of_day)
        extra = 0
        for low, high in stops.pairs:
            if low >= at:
                break
            if high > begin:
                extra += line.between(max(low, begin), high)
                at = line.after(target, extra) if extra else target
        return self._due(begin, at, stops)

    def is_open(self, at: dt.datetime) -> bool:
        """
        Tell whether a moment is within hours: an opening is, a closing is not.

        >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
        >>> office.is_open(dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC))  # 18:00
        False
        """
        moment = to_microseconds(at, "at")
        return bool(self.timeline.pieces(moment, moment + 1))

    def is_working_day(self, day: dt.date) -> bool:
        """Tell whether a shift begins on *day*; a night shift's morning is no such."""
        return bool(self.timeline.shifts(check_day(day)))

    def next_opening(self, at: dt.datetime) -> dt.datetime:
        """
        Return the first moment after *at* at which hours begin.

        Around the clock there is none, which is a `ScheduleError`.

        >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
        >>> print(office.next_opening(dt.datetime(2026, 11, 22, tzinfo=dt.UTC)))
        2026-11-23 01:00:00+00:00
        """
        moment = to_microseconds(at, "at")
        return from_microseconds(self.timeline.next_edge(moment, opening=True))

    def next_closing(self, at: dt.datetime) -> dt.datetime:
        """
        Return the first moment after *at* at which hours end.

        Around the clock there is none, which is a `ScheduleError`.

        >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
        >>> print(office.next_closing(dt.datetime(2026, 11, 22, tzinfo=dt.UTC)))
        2026-11-23 10:00:00+00:00
        """
        moment = to_microseconds(at, "at")
        return from_microseconds(self.timeline.next_edge(moment, opening=False))

    def is_known(self, first: dt.datetime, last: dt.datetime) -> bool:
        """Tell whether the holidays between two moments are published."""
        low, high = to_microseconds(first, "first"), to_microseconds(last, "last")
        return self.known[0] <= min(low, high) and max(low, high) <= self.known[1]

    def _due(self, start: int, at: int, stops: Stops) -> Due:
        low, high = (start, at) if start < at else (at, start)
        since, until = self.known
        return Due(
            from_microseconds(at),
            not (since <= low and high <= until),
            stops.open_from is not None and stops.open_from < at,
            from_microseconds(start),
            stops.pairs,
            self,
        )


def _midnight(line: Timeline, day: dt.date, *, after: int = 0) -> int:
    days = day.toordinal() - dt.date(1970, 1, 1).toordinal() + after
    return line.wall(days * DAY_SECONDS)
