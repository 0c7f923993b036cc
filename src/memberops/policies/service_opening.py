"""When the office opens next, and when a forecast for that opening changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from memberops.policies.service_clocks import ClockReading, ClockState
from memberops.schedules import WorkingCalendar

__all__ = ["forecast_changes_at", "opening_of"]

_DAY = dt.timedelta(days=1)
_TICK = dt.timedelta(microseconds=1)


def opening_of(office: WorkingCalendar, moment: dt.datetime) -> dt.datetime:
    """
    Return when an office first works on a later day, in UTC.

    Args:
        office: Its calendar.
        moment: A moment of the day before, in UTC.
    """
    return office.add(_midnight(office, moment, 1), _TICK).at - _TICK


def forecast_changes_at(
    office: WorkingCalendar,
    clocks: Sequence[ClockReading],
    moment: dt.datetime,
    before: dt.datetime,
) -> dt.datetime | None:
    """
    Find the midnight from which a later opening is looked at and finds more late.

    Args:
        office: Its calendar.
        clocks: The clocks of a case at the moment.
        moment: The moment, in UTC.
        before: When a clock changes anyway, in UTC.

    Returns:
        The first such midnight before then, in UTC, or None.
    """
    ahead = [clock for clock in clocks if clock.state is not ClockState.BREACHED]

    def late(at: dt.datetime) -> list[bool]:
        opens = opening_of(office, at)
        return [clock.is_breached_by(opens) for clock in ahead]

    high = (before - moment) // _DAY + 1
    while high > 0 and _midnight(office, moment, high) >= before:
        high -= 1
    now, low = late(moment), 1
    # A later opening finds no fewer clocks late, so the nights can be halved.
    if high < 1 or late(_midnight(office, moment, high)) == now:
        return None
    while low < high:
        half = (low + high) // 2
        same = late(_midnight(office, moment, half)) == now
        low, high = (half + 1, high) if same else (low, half)
    return _midnight(office, moment, low)


def _midnight(office: WorkingCalendar, moment: dt.datetime, days: int) -> dt.datetime:
    """Return when the day begins that is so many days later, in UTC."""
    zone = ZoneInfo(str(office.zone))
    day = moment.astimezone(zone).date() + days * _DAY
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)
