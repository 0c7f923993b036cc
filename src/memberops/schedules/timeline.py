"""The open hours of a calendar as sorted whole numbers, made a year at a time."""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

import numpy as np

from memberops.errors import ScheduleError
from memberops.schedules.moments import MICROSECOND
from memberops.schedules.shifts import DAY_SECONDS, Shifts, Week, check_neighbors
from memberops.schedules.span import ALWAYS, Micros, Span

__all__ = ["FIRST_YEAR", "LAST_YEAR", "Timeline"]

FIRST_YEAR = 1900
LAST_YEAR = 2199
_SECOND = 1_000_000
_ZERO = dt.timedelta()
_PADDING = 3
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 -- wall clocks are compared, not moments
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


class Timeline:
    """
    The open hours of a calendar, made when a year is first asked for.

    Args:
        zone: Where the clocks on the wall hang.
        week: The shifts of Monday to Sunday.
        holidays: Days without the shifts of their weekday.
        special: Days with shifts of their own.
    """

    __slots__ = (
        "_dated", "_endless", "_holidays", "_last_date", "_pieces", "_range", "_span",
        "_special", "_week", "first_date", "last_date", "zone",
    )  # fmt: skip

    def __init__(
        self,
        zone: ZoneInfo,
        week: Week,
        holidays: Iterable[dt.date],
        special: Mapping[dt.date, Shifts],
    ) -> None:
        self.zone = zone
        self._week = week
        self._holidays = frozenset(holidays)
        self._special = dict(special)
        self._pieces: dict[int, Micros] = {}
        self._range: tuple[int, int] | None = None
        self._span: Span | None = None
        self._endless = all(
            sum(end - start for start, end in shifts) == DAY_SECONDS for shifts in week
        )
        self._dated = dates = {*self._holidays, *self._special}
        self._last_date = max(dates, default=dt.date.min)
        self.first_date = dt.date(FIRST_YEAR, 1, 1)
        self.last_date = dt.date(LAST_YEAR, 12, 31)
        if not any(week):
            # Only dated shifts: nothing is open outside their years.
            self._span = Span(self._days(self._special), -ALWAYS, ALWAYS)
            self.first_date, self.last_date = min(dates), max(dates)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from the calendar's facts; the years are made again when needed."""
        return type(self), (self.zone, self._week, self._holidays, self._special)

    def check_special(self) -> None:
        """Refuse dated shifts that no year holds, or that overlap a day beside."""
        step = dt.timedelta(days=1)
        for day, shifts in self._special.items():
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise ScheduleError(
                    f"the special day {day} lies outside the years "
                    f"{FIRST_YEAR} to {LAST_YEAR}"
                )
            before, after = day - step, day + step
            check_neighbors(self.shifts(before), shifts, str(before), str(day))
            check_neighbors(shifts, self.shifts(after), str(day), str(after))

    def shifts(self, day: dt.date) -> Shifts:
        """Return the shifts of a day: dated ones beat a holiday beats the weekday."""
        special = self._special.get(day)
        if special is not None:
            return special
        return () if day in self._holidays else self._week[day.weekday()]

    def day(self, day: dt.date) -> list[tuple[int, int]]:
        """Return the open hours that begin on a day, in order."""
        midnight = (day.toordinal() - _EPOCH_DAY) * DAY_SECONDS
        found = [
            (self.wall(midnight + start), self.wall(midnight + end))
            for start, end in self.shifts(day)
        ]
        return [(start, end) for start, end in found if start < end]

    def wall(self, seconds: int) -> int:
        """
        Return the moment at which a clock on the wall shows so many seconds.

        A skipped time is later by what was skipped, a repeated one is the first:
        `zoneinfo` answers so for ``fold=0``.
        """
        clock = _EPOCH + dt.timedelta(seconds=seconds)
        offset = self.zone.utcoffset(clock)
        assert offset is not None  # noqa: S101 -- a ZoneInfo always has one
        return seconds * _SECOND - offset // MICROSECOND

    def local_day(self, moment: int) -> dt.date:
        """Return the date in the zone at a moment."""
        clock = _EPOCH + dt.timedelta(microseconds=moment)
        return clock.replace(tzinfo=dt.UTC).astimezone(self.zone).date()

    def wall_after_days(self, moment: int, days: int) -> int:
        """Return when the wall shows the same time as at a moment, days later."""
        clock = _EPOCH + dt.timedelta(microseconds=moment)
        local = clock.replace(tzinfo=dt.UTC).astimezone(self.zone)
        wall = local.replace(tzinfo=None, fold=0) + dt.timedelta(days=days)
        offset = self.zone.utcoffset(wall)
        assert offset is not None  # noqa: S101 -- a ZoneInfo always has one
        return (wall - _EPOCH - offset) // MICROSECOND

    def over(self, low: int, high: int) -> Span:
        """
        Return the hours of all years from one moment to another.

        Raises:
            ScheduleError: A moment lies outside the years 1900 to 2199.
        """
        span = self._span
        if span is not None and span.low <= low and high <= span.high:
            return span
        first, last = _year(low), _year(high)
        if self._range is not None:
            first, last = min(first, self._range[0]), max(last, self._range[1])
        return self._build(first, last)

    def longer(self, span: Span, *, forward: bool, need: int) -> Span:
        """
        Return a span that holds more years than *span*, after it or before it.

        Args:
            span: What was too short.
            forward: Whether later years are wanted; else earlier ones.
            need: How much work is missing, at least.

        Raises:
            ScheduleError: There are no more open hours within 1900 to 2199.
        """
        if span.high == ALWAYS or self._range is None:
            raise ScheduleError(
                "the calendar has no shifts in its week and its dated shifts are used "
                "up: give it a week, or more dated shifts"
            )
        first, last = self._range
        edge = (
            _start(LAST_YEAR + 1) - span.high
            if forward
            else (span.low - _start(FIRST_YEAR))
        )
        if edge <= 0 or need > edge:
            raise ScheduleError(
                "the answer leaves the years "
                f"{FIRST_YEAR} to {LAST_YEAR} that a working calendar covers"
            )
        more = last - first + 1
        if forward:
            return self._build(first, min(last + more, LAST_YEAR))
        return self._build(max(first - more, FIRST_YEAR), last)

    def between(self, low: int, high: int) -> int:
        """Count the work from one moment to a later one."""
        span = self.over(low, high)
        return span.worked(high) - span.worked(low)

    def after(self, begin: int, work: int, *, latest: bool = False) -> int:
        """
        Return when so much work is done after a moment.

        Args:
            begin: The moment.
            work: How much, 0 or more.
            latest: Whether the answer is the last such moment, an opening, and not
                the first, a closing.
        """
        span = self.over(begin, begin)
        while True:
            total = span.worked(begin) + work
            at = span.latest(total) if latest else span.earliest(total)
            if at is not None and at <= span.high:
                return at
            need = total - span.worked(span.high)
            span = self.longer(span, forward=True, need=need)

    def ahead(self, end: int, work: int, *, earliest: bool = False) -> int:
        """
        Return when so much work was still to be done before a moment.

        Args:
            end: The moment.
            work: How much, 0 or more.
            earliest: Whether the answer is the first such moment, a closing, and not
                the last, an opening.
        """
        span = self.over(end, end)
        while True:
            total = span.worked(end) - work
            if total >= earliest:
                at = span.earliest(total) if earliest else span.latest(total)
                if at is not None and at >= span.low:
                    return at
            span = self.longer(span, forward=False, need=-total)

    def pieces(self, low: int, high: int) -> list[tuple[int, int]]:
        """Return the open hours from one moment to a later one."""
        span = self.over(low, high)
        first = bisect_right(span.closes, low)
        last = bisect_left(span.opens, high)
        return [
            (max(low, span.opens[place]), min(high, span.closes[place]))
            for place in range(first, last)
        ]

    def next_edge(self, moment: int, *, opening: bool) -> int:
        """
        Return the next moment, after this one, at which hours begin or end.

        Raises:
            ScheduleError: There is none, for instance because it never closes.
        """
        span = self.over(moment, moment)
        while True:
            edges = span.opens if opening else span.closes
            place = bisect_right(edges, moment)
            if place < len(edges) and edges[place] <= span.high:
                return edges[place]
            if self._endless and _day(span.high) > self._last_date:
                raise ScheduleError(
                    "the calendar is open around the clock from then on: "
                    f"it has no next {'opening' if opening else 'closing'}"
                )
            span = self.longer(span, forward=True, need=0)

    def _build(self, first: int, last: int) -> Span:
        for year in range(first, last + 1):
            if year not in self._pieces:
                self._pieces[year] = self._hours(year)
        pieces = [self._pieces[year] for year in range(first, last + 1)]
        pieces.append(self._days(_padding(first, last)))
        span = Span(np.concatenate(pieces), _start(first), _start(last + 1))
        self._range = first, last
        self._span = span
        return span

    def _hours(self, year: int) -> Micros:
        january = dt.date(year, 1, 1)
        offsets = _midnight_offsets(self.zone, year)
        days = len(offsets) - 2
        first = january.toordinal()
        base = (np.arange(days) + first - _EPOCH_DAY) * DAY_SECONDS * _SECOND
        base -= offsets[:-2]
        # Days of the plain week; the others are made one by one.
        plain = (offsets[:-2] == offsets[1:-1]) & (offsets[1:-1] == offsets[2:])
        plain[[day.toordinal() - first for day in self._dated if day.year == year]] = 0
        found = [
            self._days(
                january + dt.timedelta(days=int(n)) for n in np.flatnonzero(~plain)
            )
        ]
        for weekday, shifts in enumerate(self._week):
            if shifts:
                rows = slice((weekday - january.weekday()) % len(self._week), None, 7)
                edges = np.array(shifts, dtype=np.int64) * _SECOND
                hours = base[rows][plain[rows]][:, np.newaxis, np.newaxis] + edges
                found.append(hours.reshape(-1, 2))
        return np.concatenate(found)

    def _days(self, days: Iterable[dt.date]) -> Micros:
        found = [piece for day in days for piece in self.day(day)]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


@functools.lru_cache(maxsize=1024)
def _midnight_offsets(zone: ZoneInfo, year: int) -> Micros:
    # Two midnights with the same offset have no clock change between them: no zone
    # changes twice within two days.
    clock = dt.datetime(year, 1, 1)  # noqa: DTZ001 -- wall clocks
    days = dt.date(year + 1, 1, 1).toordinal() - clock.toordinal()
    found = [
        (zone.utcoffset(clock + dt.timedelta(days=number)) or _ZERO) // MICROSECOND
        for number in range(days + 2)
    ]
    return np.array(found, dtype=np.int64)


def _padding(first: int, last: int) -> Iterator[dt.date]:
    # Zones and night shifts reach a little into the years beside.
    for number in range(1, _PADDING + 1):
        yield dt.date(first, 1, 1) - dt.timedelta(days=number)
        yield dt.date(last + 1, 1, 1) + dt.timedelta(days=number - 1)


def _day(moment: int) -> dt.date:
    return dt.date.fromordinal(moment // (DAY_SECONDS * _SECOND) + _EPOCH_DAY)


def _start(year: int) -> int:
    days = dt.date(year, 1, 1).toordinal() - _EPOCH_DAY
    return days * DAY_SECONDS * _SECOND


def _year(moment: int) -> int:
    if not _start(FIRST_YEAR) <= moment <= _start(LAST_YEAR + 1):
        raise ScheduleError(
            f"a moment leaves the years {FIRST_YEAR} to {LAST_YEAR} "
            "that a working calendar covers"
        )
    return _day(moment).year
