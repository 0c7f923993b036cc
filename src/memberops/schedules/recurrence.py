"""
Recurring days, anchored or relative, with the rule for missing days named.

An *anchored* series counts from its first day, so a late visit does not shift it; a
*relative* one counts from the last time it was done. Each day is computed from the
anchor, never from the day before it: repeated single steps drift (31 January,
28 February, 28 March).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import count, islice
from typing import Any, Literal, Protocol, get_args

import attrs

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import add_days, add_months, check_day, check_whole
from memberops.schedules.terms import TermUnit

__all__ = [
    "AnchoredRecurrence",
    "MissingDay",
    "Overdue",
    "RelativeRecurrence",
    "RestDays",
    "Shift",
    "WorkingDays",
    "shift_day",
]

MissingDay = Literal["skip", "clamp", "next_day"]
"""What happens where a month lacks the day: RFC 5545 skips, an office clamps."""

Shift = Literal["none", "next", "previous", "nearest"]
Overdue = Literal["keep", "today", "tomorrow"]

_UNITS = {"days": 1, "weeks": 7, "months": 1, "years": 12}
_LONGEST_REST = 366
# The longest gap of a series that skips: 29 February every year, 1896 to 1904, and
# every n-th month or year may meet its day only after a whole Gregorian cycle.
_CYCLE_MONTHS = 4800
_WEEKDAYS = range(1, 8)


class WorkingDays(Protocol):
    """Anything that knows its working days: `RestDays`, or a working calendar."""

    def is_working_day(self, day: dt.date) -> bool:
        """Tell whether people work on *day*."""


def _weekdays(values: Iterable[int]) -> frozenset[int]:
    chosen = frozenset(check_whole(value, "weekdays") for value in values)
    if not chosen <= set(_WEEKDAYS):
        raise ScheduleError(
            f"weekdays count from 1 (Monday) to 7 (Sunday), not {bounded(chosen)}"
        )
    return chosen


def _days(values: Iterable[dt.date]) -> frozenset[dt.date]:
    return frozenset(check_day(value) for value in values)


@attrs.frozen(kw_only=True)
class RestDays:
    """
    Days of rest: weekly ones, holidays, and make-up days that are worked all the same.

    Args:
        weekdays: ISO weekdays of rest, 1 for Monday to 7 for Sunday.
        holidays: Single days of rest.
        worked: Single days worked whatever the others say.

    >>> rest = RestDays(weekdays=(6, 7), worked=[dt.date(2026, 2, 14)])
    >>> rest.is_working_day(dt.date(2026, 2, 14)), rest.is_working_day(
    ...     dt.date(2026, 2, 15))
    (True, False)
    """

    weekdays: frozenset[int] = attrs.field(default=(), converter=_weekdays)
    holidays: frozenset[dt.date] = attrs.field(default=(), converter=_days)
    worked: frozenset[dt.date] = attrs.field(default=(), converter=_days)

    def is_working_day(self, day: dt.date) -> bool:
        """Tell whether *day* is worked."""
        if check_day(day) in self.worked:
            return True
        return day not in self.holidays and day.isoweekday() not in self.weekdays


def shift_day(
    day: dt.date,
    calendar: WorkingDays,
    how: Shift = "next",
    *,
    same_month: bool = False,
) -> dt.date:
    """
    Move a day that is not worked to one that is.

    Args:
        day: The day; a working day stays.
        calendar: Who knows the working days.
        how: ``"none"``, ``"next"``, ``"previous"`` or ``"nearest"`` (the earlier
            one where both are as near).
        same_month: Turn round rather than leave the month, as banks do
            ("modified following"); where no day of the month is worked, leave it.

    Raises:
        ScheduleError: No working day within a year, or no such rule.

    >>> rest = RestDays(weekdays=(6, 7))
    >>> shift_day(dt.date(2026, 10, 31), rest), shift_day(
    ...     dt.date(2026, 10, 31), rest, same_month=True)
    (datetime.date(2026, 11, 2), datetime.date(2026, 10, 30))
    """
    _check_word(how, get_args(Shift), "shift")
    if how == "none" or calendar.is_working_day(check_day(day)):
        return day
    ways = {"next": (1,), "previous": (-1,), "nearest": (-1, 1)}[how]
    if same_month:
        found = _search(day, calendar, ways, month=True)
        found = found or _search(day, calendar, tuple(-way for way in ways), month=True)
        if found:
            return found
    found = _search(day, calendar, ways, month=False)
    if found is None:
        raise ScheduleError(
            f"no working day within a year of {day}: the calendar rests for ever"
        )
    return found


def _search(
    day: dt.date, calendar: WorkingDays, ways: tuple[int, ...], *, month: bool
) -> dt.date | None:
    for steps in range(1, _LONGEST_REST + 1):
        for way in ways:
            tried = add_days(day, way * steps)
            if month and (tried.year, tried.month) != (day.year, day.month):
                continue
            if calendar.is_working_day(tried):
                return tried
    return None


def _check_word(word: object, known: tuple[str, ...], what: str) -> None:
    if word not in known:
        raise ScheduleError(
            f"no rule of {what} is called {bounded([word])}: "
            f"{nearest(str(word), known)}"
        )


def _unit(_instance: object, _attribute: object, value: Any) -> None:
    _check_word(value, tuple(_UNITS), "unit")


def _every(_instance: object, _attribute: object, value: Any) -> None:
    check_whole(value, "every", least=1)


def _missing(_instance: object, _attribute: object, value: Any) -> None:
    _check_word(value, get_args(MissingDay), "missing_day")


def _anchor(_instance: object, _attribute: object, value: Any) -> None:
    check_day(value, "anchor")


@attrs.frozen(kw_only=True)
class AnchoredRecurrence:
    """
    Every n days, weeks, months or years, counted from the first day.

    Args:
        anchor: The first day; the series keeps its day of the month.
        every: How many units lie between two days, 1 or more.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        missing_day: Where a month lacks the day: ``"clamp"`` takes its last day
            (HQ §4.2), ``"next_day"`` the first of the next month, and ``"skip"``
            leaves that occurrence out, as RFC 5545 and dateutil's ``rrule`` do.
        working_days: If given, days that are not worked move by *shift*.
        shift: How they move, as in `shift_day`.
        same_month: As in `shift_day`.

    >>> from datetime import date
    >>> monthly = AnchoredRecurrence(anchor=date(2026, 1, 31), every=1, unit="months")
    >>> [str(day) for day in monthly.first(3)]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    >>> [str(day) for day in attrs.evolve(monthly, missing_day="skip").first(3)]
    ['2026-01-31', '2026-03-31', '2026-05-31']
    """

    anchor: dt.date = attrs.field(validator=_anchor)
    every: int = attrs.field(default=1, validator=_every)
    unit: TermUnit = attrs.field(default="months", validator=_unit)
    missing_day: MissingDay = attrs.field(default="clamp", validator=_missing)
    working_days: WorkingDays | None = None
    shift: Shift = "next"
    same_month: bool = False

    def occurrence(self, number: int) -> dt.date | None:
        """
        Return the n-th day, counted from 0, or None where it is skipped.

        Raises:
            ScheduleError: The day lies outside the calendar.
        """
        day = self._plain(check_whole(number, "number", least=0))
        if day is None or self.working_days is None:
            return day
        return shift_day(day, self.working_days, self.shift, same_month=self.same_month)

    def first(self, number: int) -> tuple[dt.date, ...]:
        """Return the first days of the series, as many as asked for."""
        found = (day for day in map(self.occurrence, count()) if day is not None)
        return tuple(islice(found, check_whole(number, "number", least=0)))

    def between(self, first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
        """
        Return the days from *first* to *last*, both included, in order.

        A day that a shift brings in or takes out counts where it lands; two that
        land on the same day are one.
        """
        check_day(first, "first")
        check_day(last, "last")
        margin = _LONGEST_REST if self.working_days is not None else 1
        number = max(self._steps_before(first) - margin, 0)
        found: set[dt.date] = set()
        while True:
            plain = self._plain(number, strict=False)
            if plain is not None:
                day = self.occurrence(number)
                if day is not None and first <= day <= last:
                    found.add(day)
            if self._floor(number) > last + dt.timedelta(days=margin):
                return tuple(sorted(found))
            number += 1

    def next_after(self, day: dt.date) -> dt.date:
        """
        Return the first day of the series that lies after *day*.

        Raises:
            ScheduleError: None is left in the calendar, or the series never meets
                its day again (every 12 months on a day that is skipped).
        """
        check_day(day)
        number = max(self._steps_before(day) - self._reach(), 0)
        last = number + self._reach() + _CYCLE_MONTHS
        best: dt.date | None = None
        while number <= last:
            if best is not None and self._floor(number) > best:
                return best
            found = self.occurrence(number)
            if found is not None and found > day:
                best = found if best is None else min(best, found)
                if self.working_days is None:
                    return best
            number += 1
        raise ScheduleError(f"the series has no day after {day}")

    def _reach(self) -> int:
        return _LONGEST_REST if self.working_days is not None else 1

    def _steps_before(self, day: dt.date) -> int:
        """Count the whole steps from the anchor to *day*, or one fewer."""
        size = self.every * _UNITS[self.unit]
        if self.unit in ("days", "weeks"):
            return (day - self.anchor).days // size
        months = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        return months // size - 1

    def _floor(self, number: int) -> dt.date:
        """Return a day on or before the n-th one, the last of the calendar beyond."""
        size = self.every * _UNITS[self.unit] * number
        try:
            if self.unit in ("days", "weeks"):
                return add_days(self.anchor, size)
            return add_months(self.anchor, size)
        except ScheduleError:
            return dt.date.max

    def _plain(self, number: int, *, strict: bool = True) -> dt.date | None:
        size = self.every * _UNITS[self.unit] * number
        if not strict and self._floor(number) == dt.date.max:
            return None
        if self.unit in ("days", "weeks"):
            return add_days(self.anchor, size)
        day = add_months(self.anchor, size)
        if day.day == self.anchor.day or self.missing_day == "clamp":
            return day
        return None if self.missing_day == "skip" else add_days(day, 1)


def _overdue(_instance: object, _attribute: object, value: Any) -> None:
    _check_word(value, get_args(Overdue), "overdue")


@attrs.frozen(kw_only=True)
class RelativeRecurrence:
    """
    A number of days, weeks, months or years after it was last done.

    Args:
        every: How many units, 1 or more.
        unit: As for `AnchoredRecurrence`.
        missing_day: As there; ``"skip"`` takes the next month that has the day.
        overdue: When a day that has passed is due: ``"keep"`` it, ``"today"``, or
            ``"tomorrow"`` as cycle counts do that are planned the evening before.
        working_days: If given, days that are not worked move by *shift*.
        shift: How they move, as in `shift_day`.

    >>> from datetime import date
    >>> monthly = RelativeRecurrence(every=30, unit="days")
    >>> monthly.next_due(date(2026, 10, 1), as_of=date(2026, 10, 20))
    datetime.date(2026, 10, 31)
    >>> monthly.next_due(date(2026, 8, 1), as_of=date(2026, 10, 20))
    datetime.date(2026, 10, 20)
    """

    every: int = attrs.field(default=1, validator=_every)
    unit: TermUnit = attrs.field(default="months", validator=_unit)
    missing_day: MissingDay = attrs.field(default="clamp", validator=_missing)
    overdue: Overdue = attrs.field(default="today", validator=_overdue)
    working_days: WorkingDays | None = None
    shift: Shift = "next"

    def next_due(self, last: dt.date | None, *, as_of: dt.date) -> dt.date:
        """
        Return the next day due.

        Args:
            last: The day it was last done; None if never, then it counts from *as_of*.
            as_of: The day for which is asked.

        Raises:
            ScheduleError: *last* lies after *as_of*: what is done is not ahead.
        """
        check_day(as_of, "as_of")
        if last is not None and check_day(last, "last") > as_of:
            raise ScheduleError(
                f"'last' ({last}) lies after 'as_of' ({as_of}): "
                "give the last day on which it was done"
            )
        series = AnchoredRecurrence(
            anchor=last or as_of,
            every=self.every,
            unit=self.unit,
            missing_day=self.missing_day,
        )
        due = series.next_after(series.anchor)
        if due < as_of and self.overdue != "keep":
            due = add_days(as_of, int(self.overdue == "tomorrow"))
        if self.working_days is None:
            return due
        return shift_day(due, self.working_days, self.shift)
