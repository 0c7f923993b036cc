"""Business days for many cases at once: targets in days, for whole columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.errors import ScheduleError
from memberops.schedules.business_days import day_target
from memberops.schedules.dates import check_whole
from memberops.schedules.shifts import DAY_SECONDS
from memberops.schedules.span import Micros
from memberops.schedules.timeline import Timeline
from memberops.schedules.working_frames import (
    MISSING,
    PauseRows,
    column_of,
    framed,
    move_many,
    pause_rounds,
    pauses_of,
    worked_between,
)
from memberops.schedules.working_time import WorkingCalendar

__all__ = ["add_days_many", "due_days_frame"]

_DAY = DAY_SECONDS * 1_000_000
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_MORE_DAYS = 30
_OVERLAPS = 4


def add_days_many(
    calendar: WorkingCalendar,
    starts: Micros,
    days: int,
    *,
    same_time: bool = False,
    end_of_day: bool = False,
    pauses: PauseRows | None = None,
) -> Micros:
    """
    Return the moments some business days away: `WorkingCalendar.add_days`, in columns.

    Args:
        calendar: The hours.
        starts: Microseconds since 1970-01-01T00:00Z, int64; the lowest int64
            (what numpy's NaT is) is missing, and so is its answer.
        days: How many business days, one for all; negative to go back.
        same_time: Due at the same time on the wall, brought into the day's hours.
        end_of_day: Due at the closing of the day. Exactly one of the two is true.
        pauses: As in `add_many`; the working time in them comes on top.

    Raises:
        ScheduleError: A column of another type, both or none of the two, pauses going
            back, or fewer business days than that in the calendar.

    >>> office = WorkingCalendar.weekly("UTC", {"thu": ["09:00-18:00"]})
    >>> due = add_days_many(office, np.array([0]), 1, end_of_day=True)
    >>> due.astype("datetime64[us]")
    array(['1970-01-08T18:00:00.000000'], dtype='datetime64[us]')
    """
    column = column_of(starts, "starts")
    count = check_whole(days, "days")
    if same_time == end_of_day:
        raise ScheduleError(
            "say how the day ends: either same_time=True or end_of_day=True"
        )
    if pauses is not None and len(pauses[0]) and count < 0:
        raise ScheduleError("pauses only move a target of 0 or more business days")
    known = column != MISSING
    answer = np.full(len(column), MISSING, dtype=np.int64)
    if not known.any():
        return answer
    line = calendar.timeline
    answer[known] = _targets(line, column[known], count, end_of_day=end_of_day)
    if pauses is not None:
        _pause(line, column, answer, pauses_of(pauses, len(column)))
    return answer


def due_days_frame(
    calendar: WorkingCalendar,
    starts: Any,
    days: int,
    *,
    same_time: bool = False,
    end_of_day: bool = False,
    name: str = "due",
) -> Any:
    """
    Return the due moments, in business days, of a column of moments.

    Args:
        calendar: The hours.
        starts: A pandas or polars series of zoned moments; missing ones stay missing.
        days: As in `add_days_many`.
        same_time: As there.
        end_of_day: As there.
        name: What the column of due moments is called.

    Returns:
        A frame of the same engine with the due moments (UTC, microseconds) and
        ``provisional``, false where the moment is missing.

    Raises:
        ColumnTypeError: *starts* has no zone or holds no moments.
        ScheduleError: As `add_days_many`.

    >>> import pandas as pd
    >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
    >>> starts = pd.Series(pd.to_datetime(["2026-11-23T03:00Z"]))
    >>> print(due_days_frame(office, starts, 1, same_time=True).due[0])
    2026-11-30 03:00:00+00:00
    """

    def due(micros: Micros) -> Micros:
        return add_days_many(
            calendar, micros, days, same_time=same_time, end_of_day=end_of_day
        )

    return framed(calendar, starts, due, name)


@attrs.frozen(eq=False)
class _Days:
    """
    The business days of some years, with their shifts as moments.

    Args:
        line: The hours they come from.
        first: The first day looked at, since 1970.
        last: The last one.
        days: The days on which a shift begins, since 1970.
        opens: Beginnings of their shifts, a row a day; the lowest int64 is none.
        closes: Ends of them.
    """

    line: Timeline
    first: int
    last: int
    days: Micros
    opens: Micros
    closes: Micros

    @classmethod
    def over(cls, line: Timeline, first: int, last: int) -> _Days:
        """Make those of a range of days, as far as the calendar goes."""
        first = max(first, line.first_date.toordinal() - _EPOCH_DAY)
        last = min(last, line.last_date.toordinal() - _EPOCH_DAY)
        days, hours = [], []
        for day in range(first, last + 1):
            found = line.day(dt.date.fromordinal(day + _EPOCH_DAY))
            if found:
                days.append(day)
                hours.append(found)
        most = max((len(each) for each in hours), default=1)
        opens = np.full((len(days), most), MISSING, dtype=np.int64)
        closes = opens.copy()
        for row, found in enumerate(hours):
            for place, (begin, end) in enumerate(found):
                opens[row, place], closes[row, place] = begin, end
        return cls(line, first, last, np.array(days, dtype=np.int64), opens, closes)

    def home(self, moments: Micros, *, forward: bool) -> npt.NDArray[np.intp]:
        """Find the row of the day whose shift holds each moment."""
        used = self.opens != MISSING
        row = np.nonzero(used)[0]
        opens, closes = self.opens[used], self.closes[used]
        order = np.argsort(opens, kind="stable")
        begins = opens[order]
        if forward:
            place = np.searchsorted(begins, moments, side="right") - 1
        else:
            place = np.searchsorted(begins, moments, side="left") - 1
        piece = np.full(len(moments), len(order), dtype=np.int64)
        # Where daylight saving moves an edge, shifts overlap: the first one counts.
        for back in range(_OVERLAPS):
            at = order[np.maximum(place - back, 0)]
            inside = moments < closes[at] if forward else moments <= closes[at]
            piece = np.where((place >= back) & inside, np.minimum(piece, at), piece)
        found: npt.NDArray[np.intp] = row[piece]
        return found

    def bring(self, rows: npt.NDArray[np.intp], moments: Micros) -> Micros:
        """Bring moments into the hours of days: the next opening, or the closing."""
        opens, closes = self.opens[rows], self.closes[rows]
        used = opens != MISSING
        fits = used & (moments[:, np.newaxis] <= closes)
        place = np.argmax(fits, axis=1)
        line = np.arange(len(rows))
        late = closes[line, used.sum(axis=1) - 1]
        kept = np.maximum(opens[line, place], moments)
        brought: Micros = np.where(fits.any(axis=1), kept, late)
        return brought


def _targets(line: Timeline, starts: Micros, count: int, *, end_of_day: bool) -> Micros:
    forward = count >= 0
    zero = np.zeros(len(starts), dtype=np.int64)
    moments = move_many(line, starts, zero, zero == 0, forward=forward)
    low, high = int(moments.min()) // _DAY - 2, int(moments.max()) // _DAY + 2
    reach = 2 * abs(count) + _MORE_DAYS
    while True:
        first, last = (low, high + reach) if forward else (low - reach, high)
        table = _Days.over(line, first, last)
        home = table.home(moments, forward=forward)
        found = home + count
        lacking = (found < 0) | (found >= len(table.days))
        if not lacking.any():
            break
        if (table.first > first) if not forward else (table.last < last):
            # The single answer says what the calendar lacks.
            day_target(
                line, int(starts[np.argmax(lacking)]), count, end_of_day=end_of_day
            )
        reach *= 4
    if end_of_day:
        ends: Micros = table.closes.max(axis=1)[found]
        return ends
    step = table.days[found] - table.days[home]
    return table.bring(found, _wall_after_days(line, moments, step))


def _wall_after_days(line: Timeline, moments: Micros, days: Micros) -> Micros:
    """Find when the wall shows the same time some days later."""
    at = moments // _DAY
    low = int(min(at.min(), (at + days).min())) - 2
    high = int(max(at.max(), (at + days).max())) + 2
    offset = _offsets(line, low, high + 2)
    # From the midnight before to the second after, no clock is changed.
    plain = (offset[:-3] == offset[1:-2]) & (offset[1:-2] == offset[2:-1])
    plain &= offset[2:-1] == offset[3:]
    there = offset[at - low]
    local = moments + there
    target = local + days * _DAY
    place = target // _DAY - low
    answer: Micros = target - offset[place]
    fixed = plain[at - low - 1] & plain[place - 1]
    for row in np.flatnonzero(~fixed):
        answer[row] = line.wall_after_days(int(moments[row]), int(days[row]))
    return answer


def _offsets(line: Timeline, low: int, high: int) -> Micros:
    """Give the offset of the zone at the midnights of days since 1970."""
    found = [day * _DAY - line.wall(day * DAY_SECONDS) for day in range(low, high + 1)]
    return np.array(found, dtype=np.int64)


def _pause(line: Timeline, starts: Micros, answer: Micros, pauses: PauseRows) -> None:
    case, begin, until = pauses
    target = answer.copy()
    extra = np.zeros(len(starts), dtype=np.int64)
    for rows in pause_rounds(case):
        low = np.maximum(begin[rows], starts[case[rows]])
        use = (begin[rows] < answer[case[rows]]) & (until[rows] > starts[case[rows]])
        use &= starts[case[rows]] != MISSING
        if not use.any():
            continue
        changed = case[rows][use]
        extra[changed] += worked_between(line, low[use], until[rows][use])
        longer = changed[extra[changed] > 0]
        answer[longer] = move_many(
            line,
            target[longer],
            extra[longer],
            np.zeros(len(longer), dtype=bool),
            forward=True,
        )
