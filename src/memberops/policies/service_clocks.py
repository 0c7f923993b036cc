"""Where one clock of a case stands at a moment: its state, and what it changes to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

import attrs

from memberops.policies.service_runs import Pause, Run
from memberops.policies.service_targets import Level, Target
from memberops.schedules import WorkingCalendar

__all__ = ["ClockReading", "ClockState", "read_clock"]

_TICK = dt.timedelta(microseconds=1)
_NONE = dt.timedelta(0)


class ClockState(StrEnum):
    """
    The state of a target at a moment (HQ §6.2).

    A clock that the closing of its case stopped is ``closed``, neither met nor late,
    or ``closed_late`` if it was past its target then.
    """

    NOT_STARTED = "not_started"
    RUNNING = "running"
    DUE_SOON = "due_soon"
    BREACHED = "breached"
    PAUSED = "paused"
    MET = "met"
    MET_LATE = "met_late"
    CLOSED = "closed"
    CLOSED_LATE = "closed_late"


_LATE = {ClockState.BREACHED, ClockState.MET_LATE, ClockState.CLOSED_LATE}


@attrs.frozen(kw_only=True)
class ClockReading:
    """
    What one clock shows.

    Args:
        name: Name of the clock.
        number: 1 for the first of that name, 2 for the next.
        state: Its `ClockState`.
        target: The target it is held to.
        budget: The time allowed, in the clock's own time.
        pauses: When it stood still.
        calendar: The working calendar it runs by; None is around the clock.
        by_moment: Whether it is late after a moment, a day's end or a promise, and
            not after so much of its own time.
        started_at: When it started, in UTC; None if it has not.
        stopped_at: When it stopped; None if it has not.
        due_at: The last moment that is in time; for a clock that stands still, if it
            went on at once.
        elapsed: The time used, in the clock's own time, without pauses.
        elapsed_wall: The time since its start by the wall, pauses included.
        remaining: What is left, in the clock's own time; below zero when late.
        overdue_wall: How long it is past its due time by the wall, or zero.
        paused: The clock's own time in which it stood still.
        levels: The levels of escalation reached.
        provisional: Whether the due time lies beyond the published calendar.
        changes_at: The next moment at which the state or the levels change without
            new facts, or None.
    """

    name: str
    number: int
    state: ClockState
    target: Target
    budget: dt.timedelta | None = None
    pauses: tuple[Pause, ...] = attrs.field(default=(), repr=False)
    calendar: WorkingCalendar | None = attrs.field(default=None, repr=False)
    by_moment: bool = attrs.field(default=False, repr=False)
    started_at: dt.datetime | None = None
    stopped_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    elapsed: dt.timedelta = _NONE
    elapsed_wall: dt.timedelta = _NONE
    remaining: dt.timedelta | None = None
    overdue_wall: dt.timedelta = _NONE
    paused: dt.timedelta = _NONE
    levels: tuple[Level, ...] = ()
    provisional: bool = False
    changes_at: dt.datetime | None = None

    @property
    def counts_working_time(self) -> bool:
        """Whether its own time is the working time of a calendar, not the wall's."""
        return self.calendar is not None

    @property
    def is_open(self) -> bool:
        """Whether it has started and not stopped."""
        return self.started_at is not None and self.stopped_at is None

    @property
    def is_late(self) -> bool:
        """Whether it is, or was, past its target."""
        return self.state in _LATE

    def is_breached_by(self, moment: dt.datetime) -> bool:
        """Tell whether it will be past its target at a later moment as things stand."""
        if not self.is_open or self.budget is None or self.started_at is None:
            return False
        if self.state in {ClockState.BREACHED, ClockState.PAUSED}:
            return self.state is ClockState.BREACHED
        if self.by_moment and self.due_at is not None:
            return moment > self.due_at
        return (
            used_time(self.calendar, self.started_at, moment, self.pauses) > self.budget
        )


def used_time(
    calendar: WorkingCalendar | None,
    start: dt.datetime,
    end: dt.datetime,
    pauses: Sequence[Pause] = (),
) -> dt.timedelta:
    """
    Measure a time without its pauses, around the clock or by a working calendar.

    Args:
        calendar: The calendar; None is around the clock.
        start: From when, in UTC.
        end: To when, in UTC, not before *start*.
        pauses: Times within it, in order and apart.
    """
    if calendar is not None:
        return calendar.elapsed(start, end, pauses=pauses)
    return (end - start) - sum((last - first for first, last in pauses), _NONE)


def moment_after(
    calendar: WorkingCalendar | None,
    start: dt.datetime,
    budget: dt.timedelta,
    pauses: Sequence[Pause] = (),
) -> tuple[dt.datetime, bool]:
    """
    Find the first moment at which a time is used up, and whether it is provisional.

    Args:
        calendar: The calendar; None is around the clock.
        start: From when, in UTC.
        budget: The time; nothing is used up at once.
        pauses: Times in which it stands still, in order and apart.
    """
    if budget <= _NONE:
        return start, False
    if calendar is not None:
        due = calendar.add(start, budget, pauses=pauses)
        return due.at.astimezone(dt.UTC), due.provisional
    moment = start + budget
    for first, last in pauses:
        if first >= moment:
            break
        moment += last - first
    return moment, False


def _day_of(run: Run, start: dt.datetime) -> tuple[dt.datetime, bool] | None:
    """Return the moment that is promised, or at which the days end; None for hours."""
    target, calendar = run.target, run.target.calendar
    if run.until is not None:
        return max(run.until, start), False
    if target.days is None or calendar is None:
        return None
    due = calendar.add_days(
        start,
        target.days,
        same_time=target.day_ends == "same_time",
        end_of_day=target.day_ends == "end_of_day",
        pauses=run.pauses,
    )
    return max(due.at.astimezone(dt.UTC), start), due.provisional


def read_clock(run: Run, *, as_of: dt.datetime) -> ClockReading:
    """
    Read a clock at a moment; the facts after it must not be in the run.

    Args:
        run: When the clock started, stood still and stopped.
        as_of: The moment, in UTC.
    """
    target = run.target
    if run.start is None:
        return ClockReading(
            name=target.name,
            number=run.number,
            state=ClockState.NOT_STARTED,
            target=target,
        )
    start = run.start
    calendar = None if run.until is not None else target.calendar
    pauses = () if run.until is not None else run.pauses
    end = as_of if run.stop is None else run.stop
    elapsed = used_time(calendar, start, end, pauses)
    day = _day_of(run, start)
    if day is None:
        budget = target.budget or _NONE
        due_at, provisional = moment_after(calendar, start, budget, pauses)
        late_at, _ = moment_after(calendar, start, budget + _TICK, pauses)
    else:
        # A day ends at a moment, even one at which nobody works.
        due_at, provisional = day
        budget = used_time(calendar, start, due_at, pauses)
        late_at = due_at + _TICK
    soon = budget - soon_before(target, budget)
    late = elapsed > budget if day is None else end > due_at
    state = _state(run, elapsed, budget, soon, late=late)
    moments = (
        [level.offset + budget for level in target.levels]
        if run.stop is None and not run.paused
        else []
    )
    ahead = state in {ClockState.RUNNING, ClockState.DUE_SOON}
    if ahead and soon < budget:
        moments.append(soon)
    changes = [moment_after(calendar, start, moment, pauses)[0] for moment in moments]
    if ahead:
        changes.append(late_at)
    return ClockReading(
        name=target.name,
        number=run.number,
        state=state,
        target=target,
        budget=budget,
        pauses=pauses,
        calendar=calendar,
        by_moment=day is not None,
        started_at=start,
        stopped_at=run.stop,
        due_at=due_at,
        elapsed=elapsed,
        elapsed_wall=end - start,
        remaining=budget - elapsed,
        overdue_wall=max(end - due_at, _NONE) if late else _NONE,
        paused=sum((used_time(calendar, first, last) for first, last in pauses), _NONE),
        levels=tuple(
            level for level in target.levels if elapsed >= budget + level.offset
        ),
        provisional=provisional,
        changes_at=min((each for each in changes if each > as_of), default=None),
    )


def soon_before(target: Target, budget: dt.timedelta) -> dt.timedelta:
    """Return the last part of a time in which a clock is due soon."""
    ticks = budget // _TICK
    return dt.timedelta(microseconds=int(ticks * target.due_soon))


def _state(
    run: Run,
    elapsed: dt.timedelta,
    budget: dt.timedelta,
    soon: dt.timedelta,
    *,
    late: bool,
) -> ClockState:
    if run.closed:
        return ClockState.CLOSED_LATE if late else ClockState.CLOSED
    if run.stop is not None:
        return ClockState.MET_LATE if late else ClockState.MET
    if late:
        return ClockState.BREACHED
    if run.paused:
        return ClockState.PAUSED
    if soon < budget and elapsed >= soon:
        return ClockState.DUE_SOON
    return ClockState.RUNNING
