"""The open hours of a calendar as sorted whole numbers, made a year at a time."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from memberops.errors import ScheduleError
from memberops.schedules.moments import MICROSECOND
from memberops.schedules.shifts import DAY_SECONDS, Shifts, Week, check_neighbors

__all__ = ["FIRST_YEAR", "LAST_YEAR", "Micros", "Span", "Timeline"]

Micros: TypeAlias = npt.NDArray[np.int64]
"""Microseconds: moments since 1970-01-01T00:00Z, or lengths."""

FIRST_YEAR = 1900
LAST_YEAR = 2199
_SECOND = 1_000_000
_ALWAYS = 1 << 62
_PADDING = 3
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 -- wall clocks are compared, not moments
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


class Span:
    """
    All open hours of some years: disjoint, sorted, with the work before each.

    Every number is a count of microseconds; `worked` counts from an origin that
    belongs to this span only.

    Args:
        pieces: Beginnings and ends of open hours, in any order.
        low: The first moment for which the span knows all hours.
        high: The last such moment.
    """

    __slots__ = (
        "before", "before_array", "closes", "closes_array", "high", "low",
        "opens", "opens_array", "through", "through_array",
    )  # fmt: skip

    def __init__(self, pieces: list[tuple[int, int]], low: int, high: int) -> None:
        self.low = low
        self.high = high
        # A shift that daylight saving swallows ends where it begins, or earlier.
        pairs = np.array(
            sorted(piece for piece in pieces if piece[0] < piece[1]), dtype=np.int64
        ).reshape(-1, 2)
        opens, closes = pairs[:, 0], np.maximum.accumulate(pairs[:, 1])
        first = np.ones(len(opens), dtype=bool)
        first[1:] = opens[1:] > closes[:-1]
        self.opens_array: Micros = opens[first]
        self.closes_array: Micros = closes[np.roll(first, -1)]
        self.through_array: Micros = np.cumsum(self.closes_array - self.opens_array)
        self.before_array: Micros = self.through_array - (
            self.closes_array - self.opens_array
        )
        self.opens: list[int] = self.opens_array.tolist()
        self.closes: list[int] = self.closes_array.tolist()
        self.through: list[int] = self.through_array.tolist()
        self.before: list[int] = self.before_array.tolist()

    def worked(self, moment: int) -> int:
        """Count the work from the origin to a moment."""
        place = bisect_right(self.opens, moment) - 1
        if place < 0:
            return 0
        end = self.closes[place]
        return self.before[place] + min(moment, end) - self.opens[place]

    def earliest(self, work: int) -> int | None:
        """Return the first moment at which so much work is done: maybe a closing."""
        place = bisect_left(self.through, work)
        if place == len(self.through):
            return None
        return self.opens[place] + work - self.before[place]

    def latest(self, work: int) -> int | None:
        """Return the last moment at which no more work is done: maybe an opening."""
        place = bisect_right(self.through, work)
        if place == len(self.through):
            return None
        return self.opens[place] + work - self.before[place]

    def worked_many(self, moments: Micros) -> Micros:
        """Count the work from the origin to each moment."""
        if not len(self.opens):
            return np.zeros_like(moments)
        place = np.searchsorted(self.opens_array, moments, side="right") - 1
        at = np.maximum(place, 0)
        done = (
            self.before_array[at]
            + np.minimum(moments, self.closes_array[at])
            - self.opens_array[at]
        )
        return np.where(place < 0, 0, done)

    def inverse_many(self, work: Micros, *, latest: npt.NDArray[np.bool_]) -> Micros:
        """Return `latest` of each amount of work where asked, else `earliest`."""
        place = np.searchsorted(self.through_array, work, side="left")
        if latest.any():
            right = np.searchsorted(self.through_array, work, side="right")
            place = np.where(latest, right, place)
        at = np.minimum(place, len(self.opens) - 1)
        found = self.opens_array[at] + work - self.before_array[at]
        return np.where(place < len(self.opens), found, _ALWAYS + 1)


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
        "_endless", "_holidays", "_last_date", "_pieces", "_range", "_span",
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
        self._pieces: dict[int, list[tuple[int, int]]] = {}
        self._range: tuple[int, int] | None = None
        self._span: Span | None = None
        self._endless = all(
            sum(end - start for start, end in shifts) == DAY_SECONDS for shifts in week
        )
        dates = {*self._holidays, *self._special}
        self._last_date = max(dates, default=dt.date.min)
        self.first_date = dt.date(FIRST_YEAR, 1, 1)
        self.last_date = dt.date(LAST_YEAR, 12, 31)
        if not any(week):
            # Only dated shifts: nothing is open outside their years.
            pieces = [each for day in self._special for each in self.day(day)]
            self._span = Span(pieces, -_ALWAYS, _ALWAYS)
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
        if span.high == _ALWAYS or self._range is None:
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
        pieces = [piece for day in _padding(first, last) for piece in self.day(day)]
        for year in range(first, last + 1):
            if year not in self._pieces:
                january = dt.date(year, 1, 1)
                days = dt.date(year + 1, 1, 1).toordinal() - january.toordinal()
                self._pieces[year] = [
                    piece
                    for number in range(days)
                    for piece in self.day(january + dt.timedelta(days=number))
                ]
            pieces += self._pieces[year]
        span = Span(pieces, _start(first), _start(last + 1))
        self._range = first, last
        self._span = span
        return span


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
