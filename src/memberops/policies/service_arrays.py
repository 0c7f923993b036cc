"""One clock of many cases at once: the arithmetic of `service_clocks` on columns."""

from __future__ import annotations

import datetime as dt

import attrs
import numpy as np
import numpy.typing as npt

from memberops.policies.service_clocks import ClockState, soon_before
from memberops.policies.service_targets import Target
from memberops.schedules import WorkingCalendar, add_many, elapsed_many

__all__ = ["MISSING", "STATES", "ClockColumns", "Mask", "Micros", "read_columns"]

Micros = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MISSING = np.iinfo(np.int64).min
"""What stands for a moment that is not known; numpy's NaT."""
STATES = tuple(state.value for state in ClockState)
"""The states, in the order of their codes."""
_CODE = {state: place for place, state in enumerate(ClockState)}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TICK = dt.timedelta(microseconds=1)


@attrs.frozen(kw_only=True, eq=False)
class ClockColumns:
    """
    What one clock shows for many cases; moments and times in microseconds.

    Args:
        states: Codes of `STATES`.
        due: Due moments; `MISSING` where the clock has not started.
        remaining: What is left, below zero when late; 0 where it has not started.
        changes: When the state or level changes next; `MISSING` if it never will.
        level: Place of the highest level reached among those of the target, -1 none.
        breached_by: Whether it is late at the moment of a forecast, as things stand.
    """

    states: npt.NDArray[np.int8]
    due: Micros
    remaining: Micros
    changes: Micros
    level: npt.NDArray[np.int8]
    breached_by: Mask


def _used(calendar: WorkingCalendar | None, start: Micros, end: Micros) -> Micros:
    if calendar is None:
        return end - start
    return elapsed_many(calendar, start, end)


def _after(calendar: WorkingCalendar | None, start: Micros, budget: Micros) -> Micros:
    if calendar is None:
        return start + np.maximum(budget, 0)
    moved = add_many(calendar, start, np.maximum(budget, 0))
    return np.where(budget > 0, moved, start)


def _days(target: Target, start: Micros) -> Micros:
    """Find the end of the days from each start; equal starts are asked once."""
    calendar = target.calendar
    if calendar is None or target.days is None:
        return start
    known, place = np.unique(start, return_inverse=True)
    ends = [
        calendar.add_days(
            _EPOCH + dt.timedelta(microseconds=int(each)),
            target.days,
            same_time=target.day_ends == "same_time",
            end_of_day=target.day_ends == "end_of_day",
        ).at
        for each in known
    ]
    found = np.array([(end - _EPOCH) // _TICK for end in ends], dtype=np.int64)
    return np.maximum(found[place], start)


@attrs.frozen(eq=False)
class _Facts:
    """The columns that a clock is read from; all moments in microseconds."""

    target: Target
    first: Micros
    end: Micros
    held: Micros
    since: Micros
    waited: Micros

    def among(self, rows: Mask) -> _Facts:
        """Return the facts of some rows."""
        return _Facts(
            self.target,
            self.first[rows],
            self.end[rows],
            self.held[rows],
            self.since[rows],
            self.waited[rows],
        )

    def elapsed(self) -> Micros:
        """Measure the time used, without pauses."""
        used = _used(self.target.calendar, self.first, self.end)
        left: Micros = np.maximum(used - self.held - self.waited, 0)
        return left

    def moment(self, reach: Micros) -> Micros:
        """Find when so much is used; the last wait counts if it began before."""
        calendar = self.target.calendar
        plain = _after(calendar, self.first, reach + self.held)
        return self._waiting(plain, self.first, reach + self.held)

    def day_end(self) -> Micros:
        """Find the end of the target's days, moved by the pauses."""
        ends = _days(self.target, self.first)
        plain = np.where(
            self.held > 0, _after(self.target.calendar, ends, self.held), ends
        )
        return self._waiting(plain, ends, self.held)

    def _waiting(self, plain: Micros, start: Micros, reach: Micros) -> Micros:
        use = (self.waited > 0) & (self.since < plain)
        if not use.any():
            return plain
        moved = plain.copy()
        moved[use] = _after(
            self.target.calendar, start[use], reach[use] + self.waited[use]
        )
        return moved


def _limits(facts: _Facts, elapsed: Micros) -> tuple[Micros, Micros, Micros, Mask]:
    """Return the budgets, their last parts, the due moments, and who is late."""
    target = facts.target
    if target.days is None:
        allowed = target.budget or dt.timedelta(0)
        budget = np.full(len(elapsed), allowed // _TICK, dtype=np.int64)
        last = np.full_like(budget, soon_before(target, allowed) // _TICK)
        due = facts.moment(budget)
        return budget, last, due, elapsed > budget
    due = facts.day_end()
    late = facts.end > due
    moved = np.where(facts.since < due, facts.waited, 0) + facts.held
    budget = _used(target.calendar, facts.first, due) - moved
    last = np.array(
        [int(each * target.due_soon) for each in budget.tolist()], dtype=np.int64
    )
    return budget, last, due, late


def read_columns(
    target: Target,
    start: Micros,
    stop: Micros,
    *,
    as_of: int,
    paused: Micros | None = None,
    wait: tuple[Micros, Micros] | None = None,
    forecast: int | None = None,
) -> ClockColumns:
    """
    Read a clock of many cases at a moment.

    Args:
        target: Its target.
        start: When it started; `MISSING` if it has not.
        stop: When it stopped; `MISSING` if it has not.
        as_of: The moment; later ones are not known.
        paused: The clock's own time in which it stood still and went on again.
        wait: Since when the customer's answer was last awaited, and when that ended;
            `MISSING` if never.
        forecast: A later moment for which *breached_by* is told.
    """
    started = (start != MISSING) & (start <= as_of)
    first = np.where(started, start, as_of)
    stopped = started & (stop != MISSING) & (stop <= as_of)
    end = np.where(stopped, np.maximum(stop, first), as_of)
    zero = np.zeros(len(start), dtype=np.int64)
    since, waited, standing = end, zero, np.zeros(len(start), dtype=bool)
    if wait is not None:
        begun, ended = wait
        awaited = started & (begun != MISSING) & (begun <= as_of)
        ongoing = awaited & ((ended == MISSING) | (ended > as_of))
        since = np.where(awaited, np.minimum(np.maximum(begun, first), end), end)
        until = np.where(ongoing, end, np.minimum(np.maximum(ended, since), end))
        waited = _used(target.calendar, since, until)
        standing = ongoing & ~stopped
    facts = _Facts(
        target, first, end, zero if paused is None else paused, since, waited
    )
    elapsed = facts.elapsed()
    budget, last, due, late = _limits(facts, elapsed)
    states = np.full(len(start), _CODE[ClockState.RUNNING], dtype=np.int8)
    states[(last > 0) & (elapsed >= budget - last)] = _CODE[ClockState.DUE_SOON]
    states[standing] = _CODE[ClockState.PAUSED]
    states[late] = _CODE[ClockState.BREACHED]
    states[stopped] = _CODE[ClockState.MET]
    states[stopped & late] = _CODE[ClockState.MET_LATE]
    states[~started] = _CODE[ClockState.NOT_STARTED]
    moving = started & ~stopped & ~standing
    level = np.full(len(start), -1, dtype=np.int8)
    for place in _by_offset(target):
        reach = budget + target.levels[place].offset // _TICK
        level[started & (elapsed >= reach)] = place
    return ClockColumns(
        states=states,
        due=np.where(started, due, MISSING),
        remaining=np.where(started, budget - elapsed, 0),
        changes=_changes(facts, budget, last, moving=moving, late=late, as_of=as_of),
        level=level,
        breached_by=(started & ~stopped & late)
        | (moving & _late_by(facts, budget, due, forecast)),
    )


def _by_offset(target: Target) -> list[int]:
    levels = target.levels
    return sorted(range(len(levels)), key=lambda place: levels[place].offset)


def _changes(
    facts: _Facts,
    budget: Micros,
    last: Micros,
    *,
    moving: Mask,
    late: Mask,
    as_of: int,
) -> Micros:
    """Find when a state or level changes next, asking only for the rows that can."""
    target = facts.target
    found = np.full(len(budget), MISSING, dtype=np.int64)

    def sooner(rows: Mask, moments: Micros) -> None:
        known = found[rows]
        use = (moments > as_of) & ((known == MISSING) | (moments < known))
        found[rows] = np.where(use, moments, known)

    open_ = moving & ~late
    some = facts.among(open_)
    if target.days is not None:
        sooner(open_, some.day_end() + 1)
    else:
        sooner(open_, some.moment(budget[open_] + 1))
    soon = open_ & (last > 0)
    sooner(soon, facts.among(soon).moment((budget - last)[soon]))
    some = facts.among(moving)
    for level in target.levels:
        sooner(moving, some.moment(budget[moving] + level.offset // _TICK))
    return found


def _late_by(facts: _Facts, budget: Micros, due: Micros, forecast: int | None) -> Mask:
    if forecast is None:
        return np.zeros(len(budget), dtype=bool)
    if facts.target.days is not None:
        return np.asarray(due < forecast)
    then = np.full(len(budget), forecast, dtype=np.int64)
    used = _used(facts.target.calendar, facts.first, then)
    return np.asarray(used - facts.held - facts.waited > budget)
