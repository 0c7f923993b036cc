"""Working time for many cases at once: whole columns of moments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from memberops.errors import ColumnTypeError, ScheduleError, bounded
from memberops.schedules.moments import duration
from memberops.schedules.span import Micros, Span
from memberops.schedules.timeline import Timeline
from memberops.schedules.working_time import WorkingCalendar

__all__ = ["PauseRows", "add_many", "due_frame", "elapsed_many", "subtract_many"]

PauseRows: TypeAlias = tuple[Micros, Micros, Micros]
"""Pauses of many cases: the case's place in the column, from, until."""

MISSING = np.iinfo(np.int64).min
"""What stands for a moment that is not known; numpy's NaT."""
_Mask: TypeAlias = npt.NDArray[np.bool_]


def add_many(
    calendar: WorkingCalendar,
    starts: Micros,
    budget: dt.timedelta | Micros,
    *,
    pauses: PauseRows | None = None,
) -> Micros:
    """
    Return when each budget is used up: `WorkingCalendar.add`, for a column.

    Args:
        calendar: The hours.
        starts: Microseconds since 1970-01-01T00:00Z, int64; the lowest int64
            (what numpy's NaT is) is missing, and so is its answer.
        budget: Working time, one for all, or microseconds of each.
        pauses: Three columns: place in *starts* (from 0), from and until in
            microseconds. Those of one case may not overlap; one that goes on ends
            where you say.

    Raises:
        ScheduleError: A column of another type or length, a negative budget, pauses
            that overlap, or an answer outside the years 1900 to 2199.

    >>> office = WorkingCalendar.weekly("UTC", {"thu": ["09:00-18:00"]})
    >>> due = add_many(office, np.array([0]), dt.timedelta(hours=10))
    >>> due.astype("datetime64[us]")
    array(['1970-01-08T10:00:00.000000'], dtype='datetime64[us]')
    """
    return _many(calendar.timeline, starts, budget, pauses, forward=True)


def subtract_many(
    calendar: WorkingCalendar,
    ends: Micros,
    budget: dt.timedelta | Micros,
    *,
    pauses: PauseRows | None = None,
) -> Micros:
    """
    Return when each budget was still to come: `WorkingCalendar.subtract`.

    Args:
        calendar: The hours.
        ends: As *starts* of `add_many`.
        budget: As there.
        pauses: As there.

    >>> office = WorkingCalendar.weekly("UTC", {"thu": ["09:00-18:00"]})
    >>> opened = subtract_many(office, np.array([0]), dt.timedelta(hours=9))
    >>> opened.astype("datetime64[us]")
    array(['1969-12-25T09:00:00.000000'], dtype='datetime64[us]')
    """
    return _many(calendar.timeline, ends, budget, pauses, forward=False)


def elapsed_many(
    calendar: WorkingCalendar,
    starts: Micros,
    ends: Micros,
    *,
    pauses: PauseRows | None = None,
) -> Micros:
    """
    Return the working time between moments: `WorkingCalendar.elapsed`, for columns.

    Args:
        calendar: The hours.
        starts: Microseconds since 1970, int64; the lowest int64 is missing.
        ends: The same; where one comes first the answer is below zero.
        pauses: As `add_many`.

    >>> office = WorkingCalendar.weekly("UTC", {"thu": ["09:00-18:00"]})
    >>> day = 86_400_000_000
    >>> (elapsed_many(office, np.array([0]), np.array([day])) / 3_600_000_000).tolist()
    [9.0]
    """
    first, last = column_of(starts, "starts"), column_of(ends, "ends")
    if first.shape != last.shape:
        raise ScheduleError("'starts' and 'ends' must be columns of the same length")
    known = (first != MISSING) & (last != MISSING)
    work = np.full(len(first), MISSING, dtype=np.int64)
    if not known.any():
        return work
    low, high = np.minimum(first, last), np.maximum(first, last)
    span = _over(calendar.timeline, low[known], high[known])
    total = span.worked_many(high[known]) - span.worked_many(low[known])
    work[known] = total
    if pauses is not None:
        case, begin, until = pauses_of(pauses, len(first))
        begin, until = np.maximum(begin, low[case]), np.minimum(until, high[case])
        use = known[case] & (begin < until)
        paused = span.worked_many(until[use]) - span.worked_many(begin[use])
        np.subtract.at(work, case[use], paused)
    work[known & (last < first)] *= -1
    return work


def due_frame(
    calendar: WorkingCalendar,
    starts: Any,
    budget: dt.timedelta,
    *,
    name: str = "due",
) -> Any:
    """
    Return the due moments of a column of moments, in a frame of the same engine.

    Args:
        calendar: The hours.
        starts: A pandas or polars series of zoned moments; missing ones stay missing.
        budget: Working time, 0 or longer.
        name: What the column of due moments is called.

    Returns:
        A frame with the due moments (UTC, microseconds) and ``provisional``, false
        where the moment is missing; rows, and the index of pandas, as in *starts*.

    Raises:
        ColumnTypeError: *starts* has no zone or holds no moments.

    >>> import pandas as pd
    >>> office = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["09:00-18:00"]})
    >>> starts = pd.Series(pd.to_datetime(["2026-11-20T12:00Z"]))
    >>> print(due_frame(office, starts, dt.timedelta(hours=2)).due[0])
    2026-11-23 03:00:00+00:00
    """
    return framed(
        calendar, starts, lambda micros: add_many(calendar, micros, budget), name
    )


def framed(
    calendar: WorkingCalendar,
    starts: Any,
    due: Callable[[Micros], Micros],
    name: str,
) -> Any:
    """
    Return due moments and whether they are provisional, in the engine of *starts*.

    Args:
        calendar: The hours, whose known days make an answer provisional.
        starts: A series of zoned moments.
        due: What turns microseconds into due ones.
        name: What the column of due moments is called.

    Raises:
        ColumnTypeError: *starts* has no zone or holds no moments.
    """
    column = nw.from_native(starts, series_only=True)
    kind = column.dtype
    if not isinstance(kind, nw.Datetime) or kind.time_zone is None:
        raise ColumnTypeError(
            f"'starts' must hold moments with a zone, not {bounded([str(kind)])}: "
            "attach the store's, as in starts.dt.tz_localize('Asia/Shanghai')"
        )
    cast = column.cast(nw.Datetime("us", "UTC"))
    known = ~column.is_null().to_numpy().astype(bool)
    micros = cast.dt.timestamp("us").fill_null(0).to_numpy().astype(np.int64)
    micros = np.where(known, micros, MISSING)
    at = due(micros)
    since, until = calendar.known
    provisional = known & (
        (np.minimum(micros, at) < since) | (np.maximum(micros, at) > until)
    )
    values = at.astype("datetime64[us]")
    backend = nw.get_native_namespace(column)
    moments = nw.new_series(name, values, backend=backend)
    moments = moments.dt.replace_time_zone("UTC")
    flag = nw.new_series("provisional", provisional, backend=backend)
    frame = column.alias(name).to_frame().with_columns(moments, flag)
    return frame.select(name, "provisional").to_native()


def _many(
    line: Timeline,
    moments: Micros,
    budget: dt.timedelta | Micros,
    pauses: PauseRows | None,
    *,
    forward: bool,
) -> Micros:
    column = column_of(moments, "starts" if forward else "ends")
    length = _budgets(budget, len(column))
    known = column != MISSING
    answer = np.full(len(column), MISSING, dtype=np.int64)
    zero = length == 0
    answer[known] = move_many(
        line, column[known], length[known], zero[known], forward=forward
    )
    if pauses is None or not known.any():
        return answer
    case, begin, until = pauses_of(pauses, len(column))
    if not forward:
        case, begin, until = case[::-1], begin[::-1], until[::-1]
    length = length.copy()
    for rows in pause_rounds(case):
        at, own = answer[case[rows]], column[case[rows]]
        if forward:
            low, high = np.maximum(begin[rows], own), until[rows]
            stops = (begin[rows] < at) | ((begin[rows] == at) & zero[case[rows]])
        else:
            low, high = begin[rows], np.minimum(until[rows], own)
            stops = (until[rows] > at) | ((until[rows] == at) & zero[case[rows]])
        use = stops & (low < high) & known[case[rows]]
        if not use.any():
            continue
        changed = case[rows][use]
        span = _over(line, low[use], high[use])
        length[changed] += span.worked_many(high[use]) - span.worked_many(low[use])
        answer[changed] = move_many(
            line, column[changed], length[changed], zero[changed], forward=forward
        )
    return answer


def worked_between(line: Timeline, low: Micros, high: Micros) -> Micros:
    """Count the work from moments to later ones, none of them missing."""
    span = _over(line, low, high)
    return span.worked_many(high) - span.worked_many(low)


def pause_rounds(case: Micros) -> list[npt.NDArray[np.intp]]:
    """Group the pauses: the first one of each case, the second one, and so on."""
    if not len(case):
        return []
    fresh = np.ones(len(case), dtype=bool)
    fresh[1:] = case[1:] != case[:-1]
    starts = np.flatnonzero(fresh)
    number = np.arange(len(case)) - starts[np.cumsum(fresh) - 1]
    order = np.argsort(number, kind="stable")
    return np.split(order, np.cumsum(np.bincount(number))[:-1])


def move_many(
    line: Timeline,
    moments: Micros,
    length: Micros,
    zero: _Mask,
    *,
    forward: bool,
) -> Micros:
    """
    Return when so much work is done after moments, or was still to do before them.

    Args:
        line: The hours.
        moments: Microseconds, none missing.
        length: Microseconds of work, 0 or more.
        zero: Where the answer is when the clock starts to run, not when it is done.
        forward: Whether to go on from the moments; else back.

    Raises:
        ScheduleError: An answer outside the years 1900 to 2199.
    """
    if not len(moments):
        return moments
    span = _over(line, moments, moments)
    while True:
        work = span.worked_many(moments)
        if forward:
            work = work + length
            at = span.inverse_many(work, latest=zero)
            lacking = at > span.high
            need = work - span.worked(span.high)
        else:
            work = work - length
            at = span.inverse_many(work, latest=~zero)
            lacking = (work < zero) | (at < span.low)
            need = -work
        if not lacking.any():
            return at
        span = line.longer(span, forward=forward, need=int(need.max()))


def _over(line: Timeline, low: Micros, high: Micros) -> Span:
    if not len(low):
        return line.over(0, 0)
    return line.over(int(low.min()), int(high.max()))


def column_of(values: Any, name: str) -> Micros:
    """Return a column of microseconds, and refuse any other type."""
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise ScheduleError(f"{name!r} must be one column of numpy, of int64")
    if values.dtype != np.int64:
        raise ScheduleError(
            f"{name!r} must be microseconds as int64, not {values.dtype}: "
            "values.astype('datetime64[us]').view('int64') makes them"
        )
    return values


def _budgets(budget: dt.timedelta | Micros, rows: int) -> Micros:
    if isinstance(budget, np.ndarray):
        column = column_of(budget, "budget")
        if len(column) != rows:
            raise ScheduleError("'budget' must have one value for each moment")
        if len(column) and column.min() < 0:
            raise ScheduleError("'budget' must be 0 or longer in every row")
        return column
    return np.full(rows, duration(budget, "budget"), dtype=np.int64)


def pauses_of(pauses: PauseRows, rows: int) -> PauseRows:
    """Return pauses in order of case and time, and refuse those that overlap."""
    names = ("pause cases", "pause starts", "pause ends")
    case, begin, until = (
        column_of(each, name) for each, name in zip(pauses, names, strict=True)
    )
    if not len(case) == len(begin) == len(until):
        raise ScheduleError("the columns of the pauses must have the same length")
    if len(case) and not 0 <= case.min() <= case.max() < rows:
        raise ScheduleError(f"a pause belongs to no case: places are 0 to {rows - 1}")
    if (until < begin).any():
        raise ScheduleError("a pause ends before it begins")
    order = np.lexsort((begin, case))
    case, begin, until = case[order], begin[order], until[order]
    same = case[1:] == case[:-1]
    if (same & (begin[1:] < until[:-1])).any():
        raise ScheduleError("pauses of one case overlap: merge them first")
    return case, begin, until
