"""Moments: aware datetimes as whole microseconds of UTC, and clocks on a wall."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from memberops.errors import ScheduleError, bounded
from memberops.schedules.dates import check_day

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "duration",
    "from_microseconds",
    "to_microseconds",
    "wall_moment",
    "zone_named",
]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
_EXAMPLES = "'Asia/Shanghai' or 'Europe/Berlin'"


def zone_named(zone: object) -> ZoneInfo:
    """
    Return the zone of an IANA name.

    Args:
        zone: A name such as ``"Asia/Shanghai"``, or a `zoneinfo.ZoneInfo` with one.

    Raises:
        ScheduleError: No zone has that name, or it is no zone of `zoneinfo`: a
            fixed offset such as ``"+08:00"`` does not know daylight saving, and a
            zone of pytz means the local time of about 1900 when put into a datetime.

    >>> zone_named("Asia/Shanghai")
    zoneinfo.ZoneInfo(key='Asia/Shanghai')
    """
    name = zone.key if isinstance(zone, ZoneInfo) else zone
    if not isinstance(name, str) or not name:
        raise ScheduleError(
            f"a zone is the name of an IANA zone, such as {_EXAMPLES}, "
            f"not a {type(zone).__name__}"
        )
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ScheduleError(
            f"no time zone is called {bounded([name])}: "
            f"give an IANA name, such as {_EXAMPLES}"
        ) from None


def to_microseconds(moment: dt.datetime, name: str = "moment") -> int:
    """
    Return an aware moment as microseconds since 1970-01-01T00:00Z.

    Args:
        moment: An aware datetime of any zone; nanoseconds of pandas are cut.
        name: What the caller calls it.

    Raises:
        ScheduleError: It is naive, missing or no datetime, or has a zone of pytz
            that was not localized (cpython #105015: Shanghai becomes +08:06).

    >>> to_microseconds(dt.datetime(1970, 1, 1, 8, tzinfo=ZoneInfo("Asia/Shanghai")))
    0
    """
    if type(moment) is dt.datetime and moment.tzinfo is not None:
        if type(moment.tzinfo) in (ZoneInfo, dt.timezone):
            return (moment - EPOCH) // MICROSECOND
        return _checked(moment, name)
    return _checked(moment, name)


def _checked(moment: Any, name: str) -> int:
    if not isinstance(moment, dt.datetime) or moment != moment:  # noqa: PLR0124 -- NaT is a datetime that equals nothing
        raise ScheduleError(
            f"{name!r} must be an aware datetime, not a {type(moment).__name__}"
        )
    offset = moment.utcoffset()
    if moment.tzinfo is None or offset is None:
        raise ScheduleError(
            f"{name!r} is a naive datetime, which means another moment on every "
            "machine: attach the store's zone, as in "
            "moment.replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    normalize = getattr(moment.tzinfo, "normalize", None)
    if callable(normalize) and normalize(moment).utcoffset() != offset:
        raise ScheduleError(
            f"{name!r} has a pytz zone that was not localized (its offset is "
            f"{offset}): use zoneinfo.ZoneInfo, or zone.localize(moment)"
        )
    wall = dt.datetime(  # noqa: DTZ001 -- the offset is subtracted by hand below
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
    )
    return (wall - EPOCH.replace(tzinfo=None) - offset) // MICROSECOND


def from_microseconds(microseconds: int) -> dt.datetime:
    """
    Return the moment, in UTC, of microseconds since 1970-01-01T00:00Z.

    >>> from_microseconds(0)
    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + dt.timedelta(microseconds=microseconds)


def duration(value: object, name: str) -> int:
    """
    Return a length of time, 0 or longer, as whole microseconds.

    Raises:
        ScheduleError: It is no `datetime.timedelta`, or below zero.

    >>> duration(dt.timedelta(minutes=30), "budget")
    1800000000
    """
    if not isinstance(value, dt.timedelta) or value != value:  # noqa: PLR0124 -- NaT again
        raise ScheduleError(
            f"{name!r} must be a datetime.timedelta, not a {type(value).__name__}: "
            "datetime.timedelta(hours=24) makes one"
        )
    length = int(value // MICROSECOND)
    if length < 0:
        raise ScheduleError(f"{name!r} must be 0 or longer, not {bounded([value])}")
    return length


def wall_moment(day: dt.date, clock: dt.time, zone: str | ZoneInfo) -> dt.datetime:
    """
    Return the moment, in UTC, at which a clock on a wall in *zone* shows a time.

    A time that daylight saving skips is later by what was skipped; a time that
    comes twice is the first (the rule of Ruby's biz, which shift edges follow too).

    Args:
        day: The day there.
        clock: The time there, without a zone.
        zone: An IANA name or a `zoneinfo.ZoneInfo`.

    Raises:
        ScheduleError: No plain date, a time with a zone, or an unknown zone.

    >>> str(wall_moment(dt.date(2014, 3, 9), dt.time(2, 30), "America/Los_Angeles"))
    '2014-03-09 10:30:00+00:00'
    >>> str(wall_moment(dt.date(2014, 11, 2), dt.time(1, 30), "America/Los_Angeles"))
    '2014-11-02 08:30:00+00:00'
    """
    if clock.tzinfo is not None:
        raise ScheduleError("'clock' must be a datetime.time without a zone")
    wall = dt.datetime.combine(
        check_day(day), clock.replace(fold=0), tzinfo=zone_named(zone)
    )
    return wall.astimezone(dt.UTC)
