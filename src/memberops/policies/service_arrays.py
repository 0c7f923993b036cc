"""One clock of many cases at once: the arithmetic of `service_clocks` on columns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import numpy as np
import numpy.typing as npt

from memberops.policies.service_clocks import ClockState, soon_before
from memberops.policies.service_targets import Target
from memberops.schedules import (
    PauseRows,
    WorkingCalendar,
    add_days_many,
    add_many,
    elapsed_many,
)
from memberops.schedules.working_frames import MISSING, pause_rounds

__all__ = [
    "MISSING",
    "NO_PAUSES",
    "STATES",
    "ClockColumns",
    "Mask",
    "Micros",
    "read_columns",
]

Micros = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STATES = tuple(state.value for state in ClockState)
"""The states, in the order of their codes."""
_CODE = {state: place for place, state in enumerate(ClockState)}
_TICK = dt.timedelta(microseconds=1)
_SAFE = 1 << 62
_EXACT_DIGITS = 9
_NO_ROWS: Micros = np.zeros(0, dtype=np.int64)
NO_PAUSES: PauseRows = (_NO_ROWS, _NO_ROWS, _NO_ROWS)
"""Pauses of nobody."""


@attrs.frozen(kw_only=True, eq=False)
class ClockColumns:
    """
    What one clock shows for many cases; moments and times in microseconds.

    Args:
        states: Codes of `STATES`.
        due: Due moments; `MISSING` where the clock has not started.
        remaining: What is left, below zero when late; 0 where it has not started.
        elapsed: The clock's own time used, without pauses.
        paused: The clock's own time in which it stood still, of the pauses given.
        overdue: How long it is past its due time by the wall, or 0.
        late: Whether it is, or was, past its target.
        provisional: Whether the due time lies beyond the published calendar.
        changes: When the state or level changes next; `MISSING` if it never will.
        level: Place of the highest level reached among those of the target, -1 none.
        breached_by: Whether it is late at the moment of a forecast, as things stand.
    """

    states: npt.NDArray[np.int8]
    due: Micros
    remaining: Micros
    elapsed: Micros
    paused: Micros
    overdue: Micros
    late: Mask
    provisional: Mask
    changes: Micros
    level: npt.NDArray[np.int8]
    breached_by: Mask


def _used(
    calendar: WorkingCalendar | None,
    start: Micros,
    end: Micros,
    pauses: PauseRows = NO_PAUSES,
) -> Micros:
    if calendar is not None:
        some = pauses if len(pauses[0]) else None
        return elapsed_many(calendar, start, end, pauses=some)
    row, begin, until = pauses
    used = end - start
    np.subtract.at(used, row, until - begin)
    return used


def _after(
    calendar: WorkingCalendar | None,
    start: Micros,
    budget: Micros,
    pauses: PauseRows = NO_PAUSES,
) -> Micros:
    if calendar is not None:
        some = pauses if len(pauses[0]) else None
        moved = add_many(calendar, start, np.maximum(budget, 0), pauses=some)
        return np.where(budget > 0, moved, start)
    row, begin, until = pauses
    moment = start + np.maximum(budget, 0)
    for rows in pause_rounds(row):
        use = rows[(begin[rows] < moment[row[rows]]) & (budget[row[rows]] > 0)]
        moment[row[use]] += until[use] - begin[use]
    return moment


@attrs.frozen(eq=False)
class _Facts:
    """
    The columns that a clock is read from; all moments in microseconds.

    Args:
        target: The target.
        calendar: What it runs by; promises run by the wall.
        first: When each started.
        end: When each stopped, or the moment asked for.
        held: Time in which it stood still, of pauses of unknown place.
        pauses: When it stood still, in order of row and time.
        until: The moment promised; None for other targets.
    """

    target: Target
    calendar: WorkingCalendar | None
    first: Micros
    end: Micros
    held: Micros
    pauses: PauseRows
    until: Micros | None

    def among(self, rows: Mask) -> _Facts:
        """Return the facts of some rows."""
        row, begin, until = self.pauses
        use = rows[row]
        place = np.cumsum(rows) - 1
        return attrs.evolve(
            self,
            first=self.first[rows],
            end=self.end[rows],
            held=self.held[rows],
            pauses=(place[row[use]], begin[use], until[use]),
            until=None if self.until is None else self.until[rows],
        )

    def elapsed(self) -> Micros:
        """Measure the time used, without pauses."""
        used = _used(self.calendar, self.first, self.end, self.pauses)
        left: Micros = np.maximum(used - self.held, 0)
        return left

    def moment(self, reach: Micros) -> Micros:
        """Find when so much is used; a pause counts if it began before."""
        # Nothing is used up at once, however long the clock stood still.
        need = np.where(reach > 0, reach + self.held, 0)
        return _after(self.calendar, self.first, need, self.pauses)

    def paused(self) -> Micros:
        """Measure the time in which it stood still."""
        total = self.held.copy()
        row, begin, until = self.pauses
        np.add.at(total, row, _used(self.calendar, begin, until))
        return total

    def day_end(self) -> tuple[Micros, Micros]:
        """Find the moment promised, or the end of the days; as counted, and held."""
        if self.until is not None:
            return self.until, np.maximum(self.until, self.first)
        target, calendar = self.target, self.calendar
        assert calendar is not None  # noqa: S101 -- a target in days has a calendar
        assert target.days is not None  # noqa: S101 -- asked for days only
        ends = add_days_many(
            calendar,
            self.first,
            target.days,
            same_time=target.day_ends == "same_time",
            end_of_day=target.day_ends == "end_of_day",
            pauses=None if self.held.any() else self.pauses,
        )
        if self.held.any():
            plain = _after(calendar, ends, self.held)
            row, begin, until = self.pauses
            use = begin < plain[row]
            more = self.held.copy()
            np.add.at(more, row[use], _used(calendar, begin[use], until[use]))
            ends = _after(calendar, ends, more)
        return ends, np.maximum(ends, self.first)

    @property
    def by_moment(self) -> bool:
        """Whether it is late after a moment, not after so much of its own time."""
        return self.until is not None or self.target.days is not None


@attrs.frozen(eq=False)
class _Limits:
    """What each clock is held to: its time, the last part of it, and its due time."""

    budget: Micros
    last: Micros
    due: Micros
    late: Mask
    provisional: Mask


def _limits(facts: _Facts, elapsed: Micros) -> _Limits:
    target, calendar = facts.target, facts.calendar
    low, high = (-_SAFE, _SAFE) if calendar is None else calendar.known
    if facts.by_moment:
        counted, due = facts.day_end()
        budget = _used(calendar, facts.first, due, facts.pauses) - facts.held
        beyond = (np.minimum(counted, facts.first) < low) | (
            np.maximum(counted, facts.first) > high
        )
        return _Limits(
            budget, _last_part(target.due_soon, budget), due, facts.end > due, beyond
        )
    allowed = target.budget or dt.timedelta(0)
    budget = np.full(len(elapsed), allowed // _TICK, dtype=np.int64)
    last = np.full_like(budget, soon_before(target, allowed) // _TICK)
    due = facts.moment(budget)
    beyond = (budget > 0) & ((facts.first < low) | (due > high))
    return _Limits(budget, last, due, elapsed > budget, beyond)


def _last_part(share: Decimal, budget: Micros) -> Micros:
    """Return the last parts in which the clocks are due soon, cut to a microsecond."""
    top, bottom = share.as_integer_ratio()
    most = int(budget.max()) if len(budget) else 0
    short = len(share.as_tuple().digits) <= _EXACT_DIGITS
    if short and int(budget.min(initial=0)) >= 0 and most * top < _SAFE:
        parts: Micros = budget * top // bottom
        return parts
    return np.array([int(each * share) for each in budget.tolist()], dtype=np.int64)


def read_columns(
    target: Target,
    start: Micros,
    stop: Micros,
    *,
    as_of: int,
    held: Micros | None = None,
    pauses: PauseRows = NO_PAUSES,
    standing: Mask | None = None,
    until: Micros | None = None,
    closed: Mask | None = None,
    forecast: int | None = None,
) -> ClockColumns:
    """
    Read a clock of many cases at a moment.

    Args:
        target: Its target.
        start: When it started; `MISSING` if it has not.
        stop: When it stopped; `MISSING` if it has not.
        as_of: The moment; later ones are not known.
        held: The clock's own time in which it stood still at unknown times; only for
            targets in hours or days.
        pauses: When each stood still: row, from, until; in order, apart, and within
            the time from its start to its stop or *as_of*.
        standing: Whether it stands still at *as_of*.
        until: Moments promised, for a target that is one.
        closed: Which stopped only because their case was closed.
        forecast: A later moment for which *breached_by* is told.
    """
    started = (start != MISSING) & (start <= as_of)
    first = np.where(started, start, as_of)
    stopped = started & (stop != MISSING) & (stop <= as_of)
    end = np.where(stopped, np.maximum(stop, first), as_of)
    promised = until is not None
    facts = _Facts(
        target,
        None if promised else target.calendar,
        first,
        end,
        np.zeros(len(start), dtype=np.int64) if held is None else held,
        NO_PAUSES if promised else pauses,
        None if until is None else np.where(started, until, as_of),
    )
    waits = np.zeros(len(start), dtype=bool)
    if standing is not None:
        waits = standing & started & ~stopped
    elapsed = facts.elapsed()
    limits = _limits(facts, elapsed)
    budget, last, late = limits.budget, limits.last, limits.late & started
    states = np.full(len(start), _CODE[ClockState.RUNNING], dtype=np.int8)
    states[(last > 0) & (elapsed >= budget - last)] = _CODE[ClockState.DUE_SOON]
    states[waits] = _CODE[ClockState.PAUSED]
    states[late] = _CODE[ClockState.BREACHED]
    states[stopped] = _CODE[ClockState.MET]
    states[stopped & late] = _CODE[ClockState.MET_LATE]
    if closed is not None:
        states[stopped & closed] = _CODE[ClockState.CLOSED]
        states[stopped & closed & late] = _CODE[ClockState.CLOSED_LATE]
    states[~started] = _CODE[ClockState.NOT_STARTED]
    moving = started & ~stopped & ~waits
    level = np.full(len(start), -1, dtype=np.int8)
    for place in _by_offset(target):
        reach = budget + target.levels[place].offset // _TICK
        level[started & (elapsed >= reach)] = place
    return ClockColumns(
        states=states,
        due=np.where(started, limits.due, MISSING),
        remaining=np.where(started, budget - elapsed, 0),
        elapsed=np.where(started, elapsed, 0),
        paused=np.where(started, facts.paused(), 0),
        overdue=np.where(late, np.maximum(end - limits.due, 0), 0),
        late=late,
        provisional=started & limits.provisional,
        changes=_changes(facts, limits, moving=moving, late=late, as_of=as_of),
        level=level,
        breached_by=(started & ~stopped & late)
        | (moving & _late_by(facts, limits, forecast)),
    )


def _by_offset(target: Target) -> list[int]:
    levels = target.levels
    return sorted(range(len(levels)), key=lambda place: levels[place].offset)


def _changes(
    facts: _Facts, limits: _Limits, *, moving: Mask, late: Mask, as_of: int
) -> Micros:
    """Find when a state or level changes next, asking only for the rows that can."""
    budget, last = limits.budget, limits.last
    found = np.full(len(budget), MISSING, dtype=np.int64)

    def sooner(rows: Mask, moments: Micros) -> None:
        known = found[rows]
        use = (moments > as_of) & ((known == MISSING) | (moments < known))
        found[rows] = np.where(use, moments, known)

    open_ = moving & ~late
    if facts.by_moment:
        sooner(open_, limits.due[open_] + 1)
    else:
        sooner(open_, facts.among(open_).moment(budget[open_] + 1))
    soon = open_ & (last > 0)
    sooner(soon, facts.among(soon).moment((budget - last)[soon]))
    if facts.target.levels:
        some = facts.among(moving)
        for level in facts.target.levels:
            sooner(moving, some.moment(budget[moving] + level.offset // _TICK))
    return found


def _late_by(facts: _Facts, limits: _Limits, forecast: int | None) -> Mask:
    if forecast is None:
        return np.zeros(len(limits.budget), dtype=bool)
    if facts.by_moment:
        return np.asarray(limits.due < forecast)
    then = np.full(len(limits.budget), forecast, dtype=np.int64)
    used = _used(facts.calendar, facts.first, then, facts.pauses)
    return np.asarray(used - facts.held > limits.budget)
